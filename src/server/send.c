/* SPDX-License-Identifier: Apache-2.0 */
/* One look through the whole payload before anything is told. */
#include "server/send.h"

#include "codec/format.h"
#include "server/shard_inside.h"

#define RESOURCE_DEPTH 3

/* 0, or the code to refuse with. */
static uint8_t check_record(const dn_shard *shard, const dn_record *record, uint32_t links, const char **why)
{
    if (record->relative) {
        *why = "a name does not start with a slash";
        return DN_COAP_BAD_REQUEST;
    }
    if (record->kind != DN_RECORD_VALUE || record->path.depth < RESOURCE_DEPTH) {
        *why = "a record has no value";
        return DN_COAP_BAD_REQUEST;
    }
    if (!dn_link_lists_have(&shard->registrations.lists, links, record->path.id[0], record->path.id[1])) {
        *why = "an instance is not in the registered list";
        return DN_COAP_NOT_FOUND;
    }
    return 0;
}

/* A broken payload is 4.00 even if an instance before the broken place is not known. */
static uint8_t check_payload(const dn_shard *shard, const dn_coap_incoming *request, uint32_t links,
                             dunlin_buf *scratch, const char **why)
{
    const dn_types no_model = {.type_of = NULL};
    dn_decoder decoder;
    dn_record record;
    uint8_t result = 0;
    size_t count = 0;
    dunlin_status status = dn_decode(&decoder, request->content_format, dunlin_path_root(), request->payload,
                                     no_model, *scratch);
    decoder.root = dn_link_lists_root(&shard->registrations.lists, links);
    while (status == DUNLIN_OK && (status = dn_decode_next(&decoder, &record)) == DUNLIN_OK) {
        const char *what = NULL;
        uint8_t code = check_record(shard, &record, links, &what);
        if (code != 0 && result != DN_COAP_BAD_REQUEST && code != result) {
            result = code;
            *why = what;
        }
        count++;
    }
    if (status != DUNLIN_END || count == 0) {
        *why = count == 0 && status == DUNLIN_END ? "it holds no record" : dunlin_status_text(status);
        return DN_COAP_BAD_REQUEST;
    }
    return result;
}

/* 0, or the code to refuse with. */
static uint8_t check(const dn_shard *shard, const dn_coap_incoming *request, uint32_t slot,
                     dunlin_buf *scratch, const char **why)
{
    dn_coap_options options = request->options;
    dunlin_slice query;
    if (slot == DN_SLOT_NONE) {
        *why = "nobody is registered there";
        return DN_COAP_NOT_FOUND;
    }
    if (request->content_format != DN_FORMAT_SENML_JSON && request->content_format != DN_FORMAT_SENML_CBOR) {
        *why = "the payload is not said to be SenML";
        return DN_COAP_BAD_REQUEST;
    }
    if (dn_coap_option_find(&options, DN_OPTION_URI_QUERY, &query) == DUNLIN_OK) {
        *why = "it has a parameter";
        return DN_COAP_BAD_REQUEST;
    }
    return check_payload(shard, request, dn_registrations_at(&shard->registrations, slot)->links, scratch,
                         why);
}

static bool tell(dn_shard *shard, const dn_coap_incoming *request, uint32_t slot)
{
    const dn_registration *registration = dn_registrations_at(&shard->registrations, slot);
    const dn_event_record record = {.type = DN_EVENT_SEND,
                                    .at_ms = shard->wall_ms,
                                    .id = registration->id,
                                    .endpoint = dn_registration_endpoint(&shard->registrations, registration),
                                    .code = DN_COAP_CONTENT,
                                    .content_format = request->content_format,
                                    .body = request->payload};
    return dn_events_put(shard->config.events, &record);
}

void dn_send_answer(dn_shard *shard, const dn_coap_incoming *request, dunlin_buf *body, dn_coap_reply *reply)
{
    const char *why = "events are not taken";
    if (request->code != DN_COAP_POST) {
        reply->code = DN_COAP_METHOD_NOT_ALLOWED;
        return;
    }
    uint32_t slot = dn_authority_registration(shard, &request->peer);
    if (slot != DN_SLOT_NONE) {
        dn_presence_heard(shard, slot);
    }
    uint8_t code = check(shard, request, slot, body, &why);
    if (code == 0 && !tell(shard, request, slot)) {
        code = DN_COAP_UNAVAILABLE;
    }
    if (code != 0) {
        shard->counters.sends_refused++;
        dn_shard_warn_refusal(shard, &request->peer, "Send", code, why);
        reply->code = code;
        return;
    }
    shard->counters.sends_received++;
    reply->code = DN_COAP_CHANGED;
}
