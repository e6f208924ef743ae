/* SPDX-License-Identifier: Apache-2.0 */
/* The resources of each place, in ascending order as TLV wants them, and the payload they make. */
#include "bootstrap/plan_records.h"

#include "bootstrap/material.h"
#include "codec/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_SCRATCH 4096u

typedef struct {
    const dn_bs_plan *plan;
    dn_encoder *encoder;
    dunlin_path base; /* of this instance */
} writing;

static void put(const writing *w, uint16_t resource, dunlin_value value)
{
    const dn_record record = {
        .kind = DN_RECORD_VALUE, .path = dunlin_path_child(w->base, resource), .value = value};
    dn_encode_put(w->encoder, &record);
}

static void put_integer(const writing *w, uint16_t resource, int64_t value)
{
    put(w, resource, dunlin_integer(value));
}

/* What is negative is not told. */
static void put_unsigned(const writing *w, uint16_t resource, int64_t value)
{
    if (value >= 0) {
        put(w, resource, dunlin_unsigned((uint64_t)value));
    }
}

static void put_told(const writing *w, uint16_t resource, int64_t value)
{
    if (value >= 0) {
        put_integer(w, resource, value);
    }
}

static void put_maybe(const writing *w, uint16_t resource, int8_t value)
{
    if (value >= 0) {
        put(w, resource, dunlin_boolean(value != 0));
    }
}

static void put_text(const writing *w, uint16_t resource, const char *text)
{
    put(w, resource, dunlin_string(dunlin_slice_of(text)));
}

static void put_bytes(const writing *w, uint16_t resource, dunlin_slice bytes)
{
    put(w, resource, dunlin_opaque(bytes));
}

/* ---- Object 0 ---- */

/* Resource 4: what the device compares the server with. */
static dunlin_slice server_key(const writing *w, const dn_bs_security *security,
                               uint8_t memory[DN_BS_DIGEST_MAX])
{
    dunlin_slice key = dn_bs_bytes_view(&security->server_key);
    if (security->mode == DN_SECURITY_PSK || security->mode == DN_SECURITY_NOSEC) {
        return dunlin_slice_make(NULL, 0);
    }
    if (key.len == 0) {
        key = security->mode == DN_SECURITY_RPK ? w->plan->own->public_key : w->plan->own->certificate;
    }
    return w->plan->is_1_0 ? key : dn_bs_material_matched(key, security->matching, memory);
}

static void put_credentials(const writing *w, const dn_bs_security *security)
{
    uint8_t memory[DN_BS_DIGEST_MAX];
    const dn_bs_minted *minted = w->plan->minted;
    put_integer(w, 2, security->mode);
    put_bytes(w, 3,
              security->is_minted ? dunlin_slice_make(minted->identity, minted->identity_len)
                                  : dn_bs_bytes_view(&security->identity));
    put_bytes(w, 4, server_key(w, security, memory));
    put_bytes(w, 5,
              security->is_minted ? dunlin_slice_make(minted->key, minted->key_len)
                                  : dn_bs_bytes_view(&security->secret));
}

/* Since Object 0 of version 1.1. */
static void put_matching(const writing *w, const dn_bs_security *security)
{
    if (w->plan->is_1_0) {
        return;
    }
    put_unsigned(w, 13, security->matching);
    if (security->sni != NULL) {
        put_text(w, 14, security->sni);
    }
    put_unsigned(w, 15, security->usage);
}

static void write_account(const writing *w, size_t index)
{
    const dn_bs_account *account = &w->plan->config->account;
    (void)index;
    put_text(w, 0, account->uri);
    put(w, 1, dunlin_boolean(true));
    put_credentials(w, &account->security);
    put_told(w, 11, account->hold_off_s);
    put_told(w, 12, account->timeout_s);
    put_matching(w, &account->security);
}

static void write_security(const writing *w, size_t index)
{
    const dn_bs_server *server = &w->plan->config->servers[index];
    put_text(w, 0, dn_bs_plan_uri(server, w->plan->own, w->plan->prefers_streams));
    put(w, 1, dunlin_boolean(false));
    put_credentials(w, &server->security);
    put_integer(w, 10, server->ssid);
    put_matching(w, &server->security);
}

/* ---- Object 1 ---- */

/* Since Object 1 of version 1.1. */
static void put_registration(const writing *w, const dn_bs_server *server)
{
    put_unsigned(w, 13, server->priority);
    put_unsigned(w, 14, server->initial_delay_s);
    put_maybe(w, 15, server->failure_blocks);
    put_maybe(w, 16, server->failure_bootstraps);
    put_unsigned(w, 17, server->retry_count);
    put_unsigned(w, 18, server->retry_timer_s);
    put_unsigned(w, 19, server->sequence_delay_s);
    put_unsigned(w, 20, server->sequence_count);
    put_maybe(w, 21, server->trigger);
    if (server->preferred_transport[0] != '\0') {
        put(w, 22, dunlin_string(dunlin_slice_make(server->preferred_transport, 1)));
    }
    put_maybe(w, 23, server->mute_send);
}

static void write_server(const writing *w, size_t index)
{
    const dn_bs_server *server = &w->plan->config->servers[index];
    const char *uri = dn_bs_plan_uri(server, w->plan->own, w->plan->prefers_streams);
    put_integer(w, 0, server->ssid);
    put_integer(w, 1, server->lifetime_s);
    put_told(w, 2, server->pmin_s);
    put_told(w, 3, server->pmax_s);
    put_told(w, 5, server->disable_s);
    put(w, 6, dunlin_boolean(server->store_notifications));
    /* The addresses may have been changed since the plan was made, to none. */
    const bool is_stream = uri != NULL && strstr(uri, "+tcp:") != NULL;
    put_text(w, 7, server->binding[0] != '\0' ? server->binding : is_stream ? "T" : "U");
    if (!w->plan->is_1_0) {
        put_registration(w, server);
    }
}

/* ---- Object 2, and others ---- */

static void write_access(const writing *w, size_t index)
{
    const dn_bs_access *access = &w->plan->config->access[index];
    const dunlin_path list = dunlin_path_child(w->base, 2);
    bool done[DN_BS_ENTRIES_MAX] = {false};
    put_integer(w, 0, access->object);
    put_integer(w, 1, access->instance);
    for (size_t n = 0; n < access->count; n++) { /* ascending */
        size_t next = access->count;
        for (size_t i = 0; i < access->count; i++) {
            bool is_less = next == access->count || access->entry[i].ssid < access->entry[next].ssid;
            next = !done[i] && is_less ? i : next;
        }
        done[next] = true;
        const dn_record record = {.kind = DN_RECORD_VALUE,
                                  .path = dunlin_path_child(list, access->entry[next].ssid),
                                  .value = dunlin_integer(access->entry[next].rights),
                                  .multiple = true};
        dn_encode_put(w->encoder, &record);
    }
    put_integer(w, 3, access->owner);
}

static void write_values(const writing *w, size_t index)
{
    const dn_bs_config *config = w->plan->config;
    for (size_t i = index; i < config->write_count && dunlin_path_within(config->writes[i].path, w->base);
         i++) {
        const dn_record record = {.kind = DN_RECORD_VALUE,
                                  .path = config->writes[i].path,
                                  .value = config->writes[i].value,
                                  .multiple = config->writes[i].path.depth == 4};
        dn_encode_put(w->encoder, &record);
    }
}

/* ---- payloads ---- */

static dunlin_status encode(const dn_bs_plan *plan, dunlin_path path, uint16_t format, dunlin_buf out,
                            dn_encoder *encoder)
{
    static void (*const write[])(const writing *w, size_t index) = {
        [DN_BS_PLACE_ACCOUNT] = write_account, [DN_BS_PLACE_SECURITY] = write_security,
        [DN_BS_PLACE_SERVER] = write_server,   [DN_BS_PLACE_ACCESS] = write_access,
        [DN_BS_PLACE_VALUES] = write_values,
    };
    dunlin_slice payload;
    dunlin_status status = dn_encode(encoder, format, path, out);
    for (size_t i = 0; i < plan->place_count && status == DUNLIN_OK; i++) {
        const dn_bs_place *place = &plan->places[i];
        const writing w = {plan, encoder, dunlin_path_instance(place->object, place->instance)};
        if (dunlin_path_within(w.base, path)) {
            write[place->what](&w, place->index);
        }
    }
    return status == DUNLIN_OK ? dn_encode_finish(encoder, &payload) : status;
}

dunlin_status dn_bs_plan_payload(const dn_bs_plan *plan, dunlin_path path, uint16_t format, size_t most,
                                 dn_bs_bytes *out)
{
    dn_encoder encoder;
    dunlin_status status = encode(plan, path, format, dunlin_buf_make(NULL, 0), &encoder);
    const size_t size = encoder.total;
    if (dn_bs_plan_lacks(plan->config, plan->own, plan->prefers_streams) != NULL) {
        return DUNLIN_ERR_STATE;
    }
    if (status != DUNLIN_OK || size > most) {
        return status != DUNLIN_OK ? status : DUNLIN_ERR_LIMIT;
    }
    out->data = malloc(size + 1);
    out->len = size;
    if (out->data == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    status = encode(plan, path, format, dunlin_buf_make(out->data, size), &encoder);
    if (status != DUNLIN_OK) {
        dn_bs_bytes_free(out);
    }
    return status;
}

/* ---- what a Read of Object 1 tells ---- */

static bool is_ssid(const dn_record *record, uint16_t instance, uint16_t ssid)
{
    dunlin_value value = record->value;
    return record->kind == DN_RECORD_VALUE && record->path.depth == 3 && record->path.id[1] == instance &&
           record->path.id[2] == 0 && dn_value_convert(&value, DUNLIN_TYPE_INTEGER) == DUNLIN_OK &&
           value.as.integer == ssid;
}

bool dn_bs_plan_is_read(const dn_bs_plan *plan, uint16_t format, dunlin_slice payload, char *why,
                        size_t why_size)
{
    const dn_types no_types = {NULL, NULL};
    uint8_t scratch[READ_SCRATCH];
    for (size_t i = 0; i < plan->place_count; i++) {
        const dn_bs_place *place = &plan->places[i];
        dn_decoder decoder;
        dn_record record;
        bool found = place->what != DN_BS_PLACE_SERVER;
        dunlin_status status = dn_decode(&decoder, format, dunlin_path_object(1), payload, no_types,
                                         dunlin_buf_make(scratch, sizeof scratch));
        while (status == DUNLIN_OK && (status = dn_decode_next(&decoder, &record)) == DUNLIN_OK) {
            found = found || is_ssid(&record, place->instance, plan->config->servers[place->index].ssid);
        }
        if (status == DUNLIN_END && !found) {
            (void)snprintf(why, why_size, "after all was written /1/%u has not the Short Server ID %u",
                           place->instance, plan->config->servers[place->index].ssid);
            return false;
        }
    }
    return true;
}
