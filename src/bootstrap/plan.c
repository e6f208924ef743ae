/* SPDX-License-Identifier: Apache-2.0 */
/* Places first: which instances get what. The steps follow from them. */
#include "bootstrap/plan.h"

#include "bootstrap/material.h"
#include "bootstrap/plan_records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_PLACE (-1)

/* ---- this server ---- */

const char *dn_bs_plan_uri(const dn_bs_server *server, const dn_bs_own *own, bool prefers_streams)
{
    bool is_secure = server->security.mode != DN_SECURITY_NOSEC;
    const char *datagrams = own->uris[is_secure ? DN_TRANSPORT_DTLS : DN_TRANSPORT_UDP];
    const char *streams = own->uris[is_secure ? DN_TRANSPORT_TLS : DN_TRANSPORT_TCP];
    bool says = server->binding[0] != '\0' || server->preferred_transport[0] != '\0';
    bool wants = says ? server->preferred_transport[0] == 'T' || strchr(server->binding, 'U') == NULL
                      : prefers_streams;
    if (server->uri != NULL) {
        return server->uri;
    }
    return (wants && streams != NULL) || datagrams == NULL ? streams : datagrams;
}

const char *dn_bs_plan_lacks(const dn_bs_config *config, const dn_bs_own *own, bool prefers_streams)
{
    for (size_t i = 0; i < config->server_count; i++) {
        const dn_bs_server *server = &config->servers[i];
        bool needs_key = server->security.server_key.data == NULL && server->uri == NULL;
        if (dn_bs_plan_uri(server, own, prefers_streams) == NULL) {
            return server->security.mode == DN_SECURITY_NOSEC
                       ? "this LwM2M server is not served without security"
                       : "this LwM2M server is not served with security";
        }
        if (needs_key && server->security.mode == DN_SECURITY_RPK && own->public_key.len == 0) {
            return "this LwM2M server has no public key";
        }
        if (needs_key &&
            (server->security.mode == DN_SECURITY_X509 || server->security.mode == DN_SECURITY_EST) &&
            own->certificate.len == 0) {
            return "this LwM2M server has no certificate";
        }
    }
    return NULL;
}

/* ---- places ---- */

typedef struct {
    dn_bs_plan *plan;
    const dn_bs_plan_terms *terms;
    char *why;
    size_t why_size;
} making;

static size_t deletes_of(const making *m, const dunlin_path **out)
{
    static const dunlin_path root = {{0, 0, 0, 0}, 0};
    *out = m->terms->is_repair ? &root : m->terms->config->deletes;
    return m->terms->is_repair ? 1 : m->terms->config->delete_count;
}

static bool stays(const making *m, const dn_bs_told_instance *instance)
{
    const dunlin_path *deletes;
    const dunlin_path path = dunlin_path_instance(instance->object, instance->instance);
    size_t count = deletes_of(m, &deletes);
    if (instance->object == 0 && instance->ssid < 0) {
        return true; /* the account of the bootstrap server */
    }
    for (size_t i = 0; i < count; i++) {
        if (dunlin_path_within(path, deletes[i])) {
            return false;
        }
    }
    return true;
}

/* It is another one's in this plan: placed, or told by the configuration for an account whose turn has not come yet. */
static bool is_claimed(const making *m, uint16_t object, uint16_t instance)
{
    const dn_bs_config *config = m->terms->config;
    for (size_t i = 0; i < m->plan->place_count; i++) {
        const dn_bs_place *place = &m->plan->places[i];
        if (place->object == object && place->instance == instance) {
            return true;
        }
    }
    for (size_t i = 0; i < config->server_count && object <= 1; i++) {
        int32_t wanted =
            object == 0 ? config->servers[i].security_instance : config->servers[i].server_instance;
        if (wanted == instance) {
            return true;
        }
    }
    return false;
}

static bool is_taken(const making *m, uint16_t object, uint16_t instance)
{
    const dn_bs_told_instance *told = dn_bs_told_find(m->terms->told, object, instance);
    return is_claimed(m, object, instance) || (told != NULL && stays(m, told));
}

static int32_t smallest_free(const making *m, uint16_t object, uint32_t from)
{
    for (uint32_t id = from; id < DUNLIN_ID_NONE; id++) {
        if (!is_taken(m, object, (uint16_t)id)) {
            return (int32_t)id;
        }
    }
    return NO_PLACE;
}

static bool put(making *m, uint16_t object, int32_t instance, dn_bs_place_kind what, size_t index)
{
    if (instance < 0) {
        (void)snprintf(m->why, m->why_size, "no instance of Object %u is free", object);
        return false;
    }
    m->plan->places[m->plan->place_count++] =
        (dn_bs_place){object, (uint16_t)instance, (uint8_t)what, (uint16_t)index};
    return true;
}

/* The instance of the same account, if it stays. */
static int32_t same_account(const making *m, uint16_t object, uint16_t ssid)
{
    const dn_bs_told *told = m->terms->told;
    for (size_t i = 0; i < told->count; i++) {
        const dn_bs_told_instance *at = &told->list[i];
        if (at->object == object && at->ssid == ssid && stays(m, at) &&
            !is_claimed(m, object, at->instance)) {
            return at->instance;
        }
    }
    return NO_PLACE;
}

static bool place_account(making *m)
{
    const dn_bs_account *account = &m->terms->config->account;
    if (account->uri == NULL) {
        return true;
    }
    int32_t instance = account->instance >= 0 ? account->instance : dn_bs_told_account(m->terms->told);
    return put(m, 0, instance >= 0 ? instance : smallest_free(m, 0, 0), DN_BS_PLACE_ACCOUNT, 0);
}

static int32_t choose(const making *m, uint16_t object, int32_t wanted, uint16_t ssid)
{
    int32_t same = same_account(m, object, ssid);
    return wanted >= 0 ? wanted : same >= 0 ? same : smallest_free(m, object, 0);
}

static bool place_servers(making *m)
{
    const dn_bs_config *config = m->terms->config;
    const int32_t account = dn_bs_told_account(m->terms->told);
    for (size_t i = 0; i < config->server_count; i++) {
        const dn_bs_server *server = &config->servers[i];
        int32_t security = choose(m, 0, server->security_instance, server->ssid);
        if (security >= 0 && security == account) {
            (void)snprintf(m->why, m->why_size,
                           "the configuration wants /0/%d, where the device has its bootstrap account",
                           (int)security);
            return false;
        }
        if (!put(m, 0, security, DN_BS_PLACE_SECURITY, i) ||
            !put(m, 1, choose(m, 1, server->server_instance, server->ssid), DN_BS_PLACE_SERVER, i)) {
            return false;
        }
    }
    return true;
}

static bool place_rest(making *m)
{
    const dn_bs_config *config = m->terms->config;
    int32_t last = -1;
    for (size_t i = 0; i < config->access_count; i++) {
        last = smallest_free(
            m, 2, (uint32_t)(last + 1)); /* not from the beginning each time: devices may tell much */
        if (!put(m, 2, last, DN_BS_PLACE_ACCESS, i)) {
            return false;
        }
    }
    for (size_t i = 0; i < config->write_count; i++) {
        const dunlin_path path = config->writes[i].path;
        bool is_first = i == 0 || config->writes[i - 1].path.id[0] != path.id[0] ||
                        config->writes[i - 1].path.id[1] != path.id[1];
        if (is_first) {
            (void)put(m, path.id[0], path.id[1], DN_BS_PLACE_VALUES, i);
        }
    }
    return true;
}

static int by_place(const void *a, const void *b)
{
    const dn_bs_place *one = a;
    const dn_bs_place *other = b;
    uint32_t first = (uint32_t)one->object << 16 | one->instance;
    uint32_t second = (uint32_t)other->object << 16 | other->instance;
    return first < second ? -1 : first > second;
}

/* ---- steps ---- */

static size_t places_most(const dn_bs_config *config)
{
    return 1 + 2 * config->server_count + config->access_count + config->write_count;
}

static void add(dn_bs_plan *plan, dn_bs_operation operation, dunlin_path path)
{
    plan->steps[plan->step_count++] = (dn_bs_plan_step){(uint8_t)operation, path};
}

static void add_writes(dn_bs_plan *plan)
{
    const bool whole = plan->config->writes_objects;
    for (size_t i = 0; i < plan->place_count && !whole; i++) {
        if (plan->places[i].what == DN_BS_PLACE_ACCOUNT) {
            add(plan, DN_BS_WRITE, dunlin_path_instance(0, plan->places[i].instance));
        }
    }
    for (size_t i = 0; i < plan->place_count; i++) {
        const dn_bs_place *place = &plan->places[i];
        bool is_first = i == 0 || plan->places[i - 1].object != place->object;
        if (whole && is_first) {
            add(plan, DN_BS_WRITE, dunlin_path_object(place->object));
        } else if (!whole && place->what != DN_BS_PLACE_ACCOUNT) {
            add(plan, DN_BS_WRITE, dunlin_path_instance(place->object, place->instance));
        }
    }
}

static void add_steps(const making *m)
{
    dn_bs_plan *plan = m->plan;
    const dunlin_path *deletes;
    size_t count = deletes_of(m, &deletes);
    for (size_t i = 0; i < count; i++) {
        add(plan, DN_BS_DELETE, deletes[i]);
    }
    add_writes(plan);
    if (plan->config->is_verified) {
        if (!plan->is_1_0 && plan->config->server_count > 0) { /* Bootstrap-Read came with 1.1 */
            add(plan, DN_BS_READ, dunlin_path_object(1));
        }
        if (!plan->is_1_0 && plan->config->access_count > 0) {
            add(plan, DN_BS_READ, dunlin_path_object(2));
        }
        add(plan, DN_BS_DISCOVER, dunlin_path_root());
    }
    add(plan, DN_BS_FINISH, dunlin_path_root());
}

bool dn_bs_plan_make(dn_bs_plan *plan, const dn_bs_plan_terms *terms, char *why, size_t why_size)
{
    const dn_bs_config *config = terms->config;
    making m = {.plan = plan, .terms = terms, .why = why, .why_size = why_size};
    *plan = (dn_bs_plan){.config = config,
                         .own = terms->own,
                         .minted = terms->minted,
                         .is_1_0 = terms->is_1_0,
                         .prefers_streams = terms->prefers_streams};
    const size_t most = places_most(config);
    plan->places = calloc(most, sizeof *plan->places);
    /* Reads, Discover, Finish, and the Delete of a repair. */
    plan->steps = calloc(most + config->delete_count + 5, sizeof *plan->steps);
    if (plan->places == NULL || plan->steps == NULL) {
        (void)snprintf(why, why_size, "there is no memory");
        dn_bs_plan_free(plan);
        return false;
    }
    if (!place_account(&m) || !place_servers(&m) || !place_rest(&m)) {
        dn_bs_plan_free(plan);
        return false;
    }
    qsort(plan->places, plan->place_count, sizeof *plan->places, by_place);
    add_steps(&m);
    return true;
}

size_t dn_bs_plan_length(const dn_bs_config *config, bool is_1_0)
{
    dn_bs_plan plan;
    dn_bs_told nothing = {.major = 0};
    char why[64];
    const dn_bs_plan_terms terms = {.config = config, .told = &nothing, .is_1_0 = is_1_0};
    if (!dn_bs_plan_make(&plan, &terms, why, sizeof why)) {
        return 1;
    }
    size_t length = 1 + plan.step_count;
    dn_bs_plan_free(&plan);
    return length;
}

void dn_bs_plan_free(dn_bs_plan *plan)
{
    free(plan->places);
    free(plan->steps);
    *plan = (dn_bs_plan){.config = NULL};
}

/* ---- what should be there ---- */

bool dn_bs_plan_is_done(const dn_bs_plan *plan, const dn_bs_told *told, char *why, size_t why_size)
{
    for (size_t i = 0; i < plan->place_count; i++) {
        const dn_bs_place *place = &plan->places[i];
        const dn_bs_told_instance *there = dn_bs_told_find(told, place->object, place->instance);
        if (there == NULL) {
            (void)snprintf(why, why_size, "after all was written the device has no /%u/%u", place->object,
                           place->instance);
            return false;
        }
        bool is_account = place->what == DN_BS_PLACE_SECURITY || place->what == DN_BS_PLACE_SERVER;
        if (is_account && there->ssid >= 0 && there->ssid != plan->config->servers[place->index].ssid) {
            (void)snprintf(why, why_size, "after all was written /%u/%u has the Short Server ID %d, not %u",
                           place->object, place->instance, (int)there->ssid,
                           plan->config->servers[place->index].ssid);
            return false;
        }
    }
    return true;
}
