/* SPDX-License-Identifier: Apache-2.0 */
/* Observations: the table of them, the conditions of a notification, and sending it. */
#include "client/observe.h"

#include "base/hash.h"
#include "client/attributes.h"
#include "client/read.h"
#include "client/resource.h"
#include "client/tree.h"
#include <math.h>
#include <string.h>

#define MS_PER_S           1000u
#define CONFIRM_MS         86400000u /* RFC 7641 section 4.5: a Confirmable one at least every 24 hours */
#define RETRY_MS           1000u     /* when no exchange was free */
#define SEQUENCE_MASK      0xFFFFFFu
#define SERVER_OBJECT      1
#define SERVER_DEFAULT_MIN 2
#define SERVER_DEFAULT_MAX 3

/* What holds for one observation now, in milliseconds. */
typedef struct {
    dn_attributes attributes;
    uint64_t pmin_ms;
    uint64_t pmax_ms; /* 0: none */
    uint64_t epmin_ms;
    uint64_t epmax_ms; /* 0: none */
} conditions;

static uint16_t server_of(const dunlin_client *client, const dn_observation *o)
{
    return (uint16_t)client->accounts[o->account].server.ssid;
}

/* /1/x/2 and /1/x/3 count only while they are instantiated. */
static uint32_t server_default(dunlin_client *client, const dn_observation *o, uint16_t resource,
                               int32_t value)
{
    dn_place place;
    const dunlin_path path = dunlin_path_resource(SERVER_OBJECT, o->account, resource);
    return dn_client_tree_find(client, path, true, &place) == DUNLIN_OK ? (uint32_t)value : 0;
}

static conditions conditions_of(dunlin_client *client, const dn_observation *o)
{
    const dunlin_server *server = &client->accounts[o->account].server;
    conditions c = {.attributes = dn_client_attributes_effective(client, server_of(client, o), o->path)};
    const dn_attributes *a = &c.attributes;
    const uint32_t pmin_s = (a->set & DN_ATTR_PMIN) != 0
                                ? a->pmin_s
                                : server_default(client, o, SERVER_DEFAULT_MIN, server->pmin_s);
    const uint32_t pmax_s = (a->set & DN_ATTR_PMAX) != 0
                                ? a->pmax_s
                                : server_default(client, o, SERVER_DEFAULT_MAX, server->pmax_s);
    c.pmin_ms = (uint64_t)pmin_s * MS_PER_S;
    /* A pmax below pmin is ignored (Core 1.1.1 section 5.1.2). */
    c.pmax_ms = pmax_s >= pmin_s ? (uint64_t)pmax_s * MS_PER_S : 0;
    c.epmin_ms = (a->set & DN_ATTR_EPMIN) != 0 ? (uint64_t)a->epmin_s * MS_PER_S : 0;
    c.epmax_ms = (a->set & DN_ATTR_EPMAX) != 0 ? (uint64_t)a->epmax_s * MS_PER_S : 0;
    return c;
}

static uint64_t hash_of(dunlin_slice payload)
{
    static const dn_hash_key key = {0, 0}; /* only compared with itself */
    return dn_hash(&key, payload);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When the observation has to be attended to. */
static uint64_t due_at(const dn_observation *o, const conditions *c)
{
    uint64_t due = DN_NEVER;
    if (o->exchange != 0) {
        return DN_NEVER; /* one at a time: the newest value goes out when this one has arrived */
    }
    if (o->pending) {
        due = o->sent_ms + c->pmin_ms;
    } else {
        if (o->dirty) {
            due = o->looked_ms + c->epmin_ms;
        }
        if (c->epmax_ms != 0) {
            due = earlier(due, o->looked_ms + c->epmax_ms);
        }
    }
    if (c->pmax_ms != 0) {
        due = earlier(due, o->sent_ms + c->pmax_ms);
    }
    return due < o->wait_ms ? o->wait_ms : due;
}

/* The number at a place, for gt, lt and st. */
static bool number_at(const dn_place *place, double *number)
{
    dunlin_value value;
    if (place->resource == NULL || !dn_client_resource_numeric(place->resource) ||
        dn_client_resource_load(place, &value) != DUNLIN_OK) {
        return false;
    }
    switch (value.type) {
    case DUNLIN_TYPE_INTEGER:
        *number = (double)value.as.integer;
        return true;
    case DUNLIN_TYPE_UNSIGNED:
        *number = (double)value.as.uinteger;
        return true;
    case DUNLIN_TYPE_FLOAT:
        *number = value.as.number;
        return true;
    default:
        return false;
    }
}

/* In either direction, and a value right at the threshold is still on its lower side for a rise. */
static bool crossed(double threshold, double last, double now)
{
    return (last <= threshold && now > threshold) || (last >= threshold && now < threshold);
}

static bool steps_met(const dn_attributes *a, double last, double now)
{
    return ((a->set & DN_ATTR_GT) != 0 && crossed(a->gt, last, now)) ||
           ((a->set & DN_ATTR_LT) != 0 && crossed(a->lt, last, now)) ||
           ((a->set & DN_ATTR_ST) != 0 && fabs(now - last) >= a->st);
}

static dunlin_buf work_buffer(dunlin_client *client)
{
    return dunlin_buf_make(client->work, client->config.max_body);
}

static bool place_of(dunlin_client *client, const dn_observation *o, dn_place *place)
{
    const bool found = dn_client_tree_find(client, o->path, true, place) == DUNLIN_OK;
    place->server = server_of(client, o);
    return found;
}

/* ---- the table ---- */

/* Frees the entry first: the result of a cancelled notification finds nothing that is its own. */
static void forget(dunlin_client *client, dn_observation *o)
{
    const uint64_t exchange = o->exchange;
    memset(o, 0, sizeof *o);
    if (exchange != 0) {
        (void)dn_coap_cancel(client->coap, exchange);
    }
}

static bool same_token(const dn_coap_token *a, const dn_coap_token *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static uint8_t account_index(const dunlin_client *client, const dn_account *account)
{
    return (uint8_t)(account - client->accounts);
}

/* The entry with the token; else a free one; else, when all are taken, one for the same path. */
static dn_observation *entry_for(dunlin_client *client, uint8_t account, const dn_coap_token *token,
                                 dunlin_path path)
{
    dn_observation *vacant = NULL;
    dn_observation *same_path = NULL;
    for (uint16_t i = 0; i < client->config.observations; i++) {
        dn_observation *o = &client->observations[i];
        if (!o->used) {
            vacant = vacant == NULL ? o : vacant;
        } else if (o->account == account && same_token(&o->token, token)) {
            return o;
        } else if (o->account == account && dunlin_path_equal(o->path, path)) {
            same_path = o;
        }
    }
    return vacant != NULL ? vacant : same_path;
}

static int32_t next_sequence(dunlin_client *client)
{
    client->observe_sequence = (client->observe_sequence + 1) & SEQUENCE_MASK;
    return (int32_t)client->observe_sequence;
}

int32_t dn_client_observe_add(dn_operation *op, uint16_t format)
{
    dunlin_client *client = op->client;
    const uint8_t account = account_index(client, op->account);
    dn_observation *o = entry_for(client, account, &op->request->token, op->at.path);
    if (o == NULL) {
        client->counters.observations_refused++;
        return DN_COAP_NO_OBSERVE;
    }
    forget(client, o);
    o->used = true;
    o->account = account;
    o->token = op->request->token;
    o->path = op->at.path;
    o->accept = format;
    o->sent_ms = o->looked_ms = o->confirmed_ms = client->now_ms;
    o->hash = hash_of(op->reply->payload);
    (void)number_at(&op->at, &o->number);
    return next_sequence(client);
}

void dn_client_observe_cancel(dunlin_client *client, const dn_account *account, const dn_coap_token *token,
                              dunlin_path path)
{
    const uint8_t index = account_index(client, account);
    for (uint16_t i = 0; i < client->config.observations; i++) {
        dn_observation *o = &client->observations[i];
        if (o->used && o->account == index &&
            (same_token(&o->token, token) || dunlin_path_equal(o->path, path))) {
            forget(client, o);
        }
    }
}

void dn_client_observe_reset(dunlin_client *client, const dn_account *account, const dn_coap_token *token)
{
    const uint8_t index = account_index(client, account);
    for (uint16_t i = 0; i < client->config.observations; i++) {
        dn_observation *o = &client->observations[i];
        if (o->used && o->account == index && same_token(&o->token, token)) {
            forget(client, o);
        }
    }
}

void dn_client_observe_drop(dunlin_client *client, const dn_account *account)
{
    const uint8_t index = account_index(client, account);
    for (uint16_t i = 0; i < client->config.observations; i++) {
        if (client->observations[i].used && client->observations[i].account == index) {
            forget(client, &client->observations[i]);
        }
    }
}

void dn_client_observe_changed(dunlin_client *client, dunlin_path path)
{
    for (uint16_t i = 0; i < client->config.observations; i++) {
        dn_observation *o = &client->observations[i];
        if (o->used && (dunlin_path_within(path, o->path) || dunlin_path_within(o->path, path))) {
            o->dirty = true;
            client->observe_due_ms = 0; /* look at the next step */
        }
    }
}

/* ---- notifications ---- */

/* Ends an observation with an error, which the observer takes as its last notification (RFC 7641
 * section 4.2). */
static void end_with(dunlin_client *client, dn_observation *o, uint8_t code)
{
    dn_coap_reply reply;
    uint64_t exchange = 0;
    const dn_coap_token token = o->token;
    const dn_peer peer = client->accounts[o->account].peer;
    forget(client, o);
    dn_coap_reply_init(&reply, code);
    if (dn_coap_notify(client->coap, &peer, &token, &reply, true, NULL, NULL, client->now_ms, &exchange) ==
        DUNLIN_OK) {
        client->counters.notifications++;
    }
}

void dn_client_observe_gone(dunlin_client *client, dunlin_path path)
{
    for (uint16_t i = 0; i < client->config.observations; i++) {
        dn_observation *o = &client->observations[i];
        if (o->used && dunlin_path_within(o->path, path)) {
            end_with(client, o, DN_COAP_NOT_FOUND);
        }
    }
}

/* A notification that was not acknowledged, or refused by a Reset, ends its observation (RFC 7641
 * section 4.5). */
static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    dunlin_client *client = context;
    (void)response;
    for (uint16_t i = 0; i < client->config.observations; i++) {
        dn_observation *o = &client->observations[i];
        if (!o->used || o->exchange != exchange) {
            continue;
        }
        o->exchange = 0;
        if (status == DUNLIN_ERR_LIMIT) {
            o->pending = true;
            o->wait_ms = client->now_ms + RETRY_MS;
        } else if (status != DUNLIN_OK) {
            client->counters.timeouts += status == DUNLIN_ERR_TIMEOUT ? 1 : 0;
            forget(client, o);
        }
        return;
    }
}

static void notify(dunlin_client *client, dn_observation *o)
{
    dn_place place;
    dn_coap_reply reply;
    uint16_t format = o->accept;
    dn_coap_reply_init(&reply, DN_COAP_CONTENT);
    const bool found = place_of(client, o, &place);
    reply.code = found ? dn_client_read_place(&place, o->accept, work_buffer(client), &reply.payload, &format)
                       : DN_COAP_NOT_FOUND;
    if (reply.code != DN_COAP_CONTENT) {
        end_with(client, o, reply.code);
        return;
    }
    reply.content_format = format;
    reply.observe = next_sequence(client);
    const bool confirmable =
        client->config.notify_confirmable || client->now_ms - o->confirmed_ms >= CONFIRM_MS;
    const dunlin_status status =
        dn_coap_notify(client->coap, &client->accounts[o->account].peer, &o->token, &reply, confirmable,
                       on_result, client, client->now_ms, &o->exchange);
    if (status != DUNLIN_OK) {
        o->exchange = 0;
        o->pending = true;
        o->wait_ms = client->now_ms + RETRY_MS;
        return;
    }
    client->counters.notifications++;
    o->pending = o->dirty = false;
    o->sent_ms = o->looked_ms = client->now_ms;
    o->confirmed_ms = confirmable ? client->now_ms : o->confirmed_ms;
    o->hash = hash_of(reply.payload);
    (void)number_at(&place, &o->number);
}

/* Looks at the value: has it changed enough to be told? What can't be read any more is, too: it ends the
 * observation. */
static void look(dunlin_client *client, dn_observation *o, const conditions *c)
{
    dn_place place;
    dunlin_slice payload;
    double number = 0;
    uint16_t format = o->accept;
    o->dirty = false;
    o->looked_ms = client->now_ms;
    if (!place_of(client, o, &place)) {
        o->pending = true;
        return;
    }
    if ((c->attributes.set & DN_ATTR_STEPS) != 0 && number_at(&place, &number)) {
        o->pending = steps_met(&c->attributes, o->number, number);
        return;
    }
    const uint8_t code = dn_client_read_place(&place, o->accept, work_buffer(client), &payload, &format);
    o->pending = code != DN_COAP_CONTENT || hash_of(payload) != o->hash;
}

static void attend(dunlin_client *client, dn_observation *o)
{
    const uint64_t now = client->now_ms;
    const conditions c = conditions_of(client, o);
    if (due_at(o, &c) > now) {
        return;
    }
    const bool look_now = (o->dirty && now >= o->looked_ms + c.epmin_ms) ||
                          (c.epmax_ms != 0 && now >= o->looked_ms + c.epmax_ms);
    if (!o->pending && look_now) {
        look(client, o, &c);
    }
    if ((o->pending && now >= o->sent_ms + c.pmin_ms) || (c.pmax_ms != 0 && now >= o->sent_ms + c.pmax_ms)) {
        notify(client, o);
    }
}

void dn_client_observe_step(dunlin_client *client)
{
    uint64_t due = DN_NEVER;
    for (uint16_t i = 0; i < client->config.observations; i++) {
        dn_observation *o = &client->observations[i];
        if (o->used) {
            attend(client, o);
        }
        if (o->used) { /* it may have ended just now */
            const conditions c = conditions_of(client, o);
            due = earlier(due, due_at(o, &c));
        }
    }
    client->observe_due_ms = due;
}
