/* SPDX-License-Identifier: Apache-2.0 */
/* Write and create: the body becomes a payload in a format that the device understands. */
#include "api/attributes.h"
#include "api/content_format.h"
#include "api/device.h"
#include "api/handlers.h"
#include "api/node_read.h"

#include <stdlib.h>
#include <string.h>

enum { COAP_POST = 2, COAP_PUT = 3 };
#define COAP_UNSUPPORTED_FORMAT 0x8f /* 4.15 */

typedef struct {
    json_t *body;
    dn_node_input input;
    dn_text payload;
    uint8_t method;
    bool create, explicit_format;
    uint16_t format;
    dunlin_path target; /* of the request */
} writing;

static void free_writing(void *state)
{
    writing *work = state;
    json_decref(work->body);
    dn_node_input_free(&work->input);
    dn_text_free(&work->payload);
    free(work);
}

static void answered(dn_call *call);

/* The lowest instance that the device's list does not have; a create in SenML must name one. */
static uint16_t free_instance(const dn_profile *profile, uint16_t object)
{
    uint16_t free_id = 0;
    for (size_t i = 0; i < profile->entry_count; i++) {
        if (profile->entries[i].object == object && profile->entries[i].instance == free_id) {
            free_id++;
        }
    }
    return free_id;
}

/* The path that the payload is relative to. In TLV a new instance without an id is its resources only (Core 1.1.1 section 6.3.6). */
static dunlin_path payload_base(dn_call *call, writing *work)
{
    if (!work->create || work->input.named_instance) {
        return work->target;
    }
    if (work->format == DN_FORMAT_TLV) {
        return dunlin_path_instance(call->path.id[0], 0);
    }
    dn_node_input_place(&work->input, free_instance(call->profile, call->path.id[0]));
    return work->target;
}

static void send_payload(dn_call *call)
{
    writing *work = call->state;
    dn_text_free(&work->payload);
    dunlin_path base = payload_base(call, work);
    if (base.depth == 2 && work->create) { /* a second try after SenML: back to the placeholder */
        dn_node_input_place(&work->input, base.id[1]);
    }
    dunlin_status status = dn_node_encode(&work->input, work->format, base, &work->payload);
    if (status == DUNLIN_ERR_MEMORY) {
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "There is no memory.");
        return;
    }
    if (status != DUNLIN_OK) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER,
                        "These values can't be written in content format %u: %s.", work->format,
                        dunlin_status_text(status));
        return;
    }
    dn_device_request request = {.method = work->method,
                                 .path = work->target,
                                 .content_format = work->format,
                                 .accept = DN_FORMAT_NONE,
                                 .payload = dn_text_view(&work->payload)};
    dn_device_send(call, &request, answered);
}

static dunlin_type only_type(const writing *work)
{
    bool one =
        work->input.count == 1 && work->target.depth >= 3 && work->input.records[0].kind == DN_RECORD_VALUE;
    return one ? work->input.records[0].value.type : DUNLIN_TYPE_NONE;
}

static void percent_encode(dn_text *text, dunlin_slice from)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < from.len; i++) {
        uint8_t c = from.data[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (letter || c == '-' || c == '.' || c == '_' || c == '~' || c == ':') {
            dn_text_char(text, (char)c);
        } else {
            char code[3] = {'%', hex[c >> 4], hex[c & 15]};
            dn_text_add(text, code, sizeof code);
        }
    }
}

static void add_location(dn_call *call, dunlin_path path)
{
    char tail[DUNLIN_PATH_TEXT_MAX + 1];
    dn_text text = {0};
    dunlin_path_format(path, tail);
    dn_text_put(&text, "/api/v1/clients/");
    percent_encode(&text, call->endpoint);
    dn_text_put(&text, tail);
    dn_text_char(&text, 0);
    if (!text.failed) {
        dn_call_header(call, MHD_HTTP_HEADER_LOCATION, text.data);
    }
    dn_text_free(&text);
}

/* What was made: the device's Location, else what we asked for. */
static dunlin_path created_path(dn_call *call, const writing *work)
{
    dunlin_path path;
    if (call->answer.location[0] != 0 &&
        dunlin_path_parse(dunlin_slice_of(call->answer.location), &path) == DUNLIN_OK && path.depth == 2) {
        return path;
    }
    bool sent = work->input.named_instance || work->format != DN_FORMAT_TLV;
    return sent ? dunlin_path_instance(call->path.id[0], work->input.records[0].path.id[1]) : call->path;
}

static void answered(dn_call *call)
{
    writing *work = call->state;
    bool unsupported = call->answer.status == DUNLIN_OK && call->answer.code == COAP_UNSUPPORTED_FORMAT;
    if (unsupported && !work->explicit_format) {
        work->explicit_format = true; /* one more try, then the device's word stands */
        work->format = dn_format_second(work->format, only_type(work));
        send_payload(call);
        return;
    }
    if (!dn_device_succeeded(call)) {
        return;
    }
    dn_text body = {0};
    dn_jsonw json;
    dunlin_path path = work->create ? created_path(call, work) : call->path;
    dn_jsonw_start(&json, &body);
    dn_device_head(call, &json, path);
    dn_jsonw_end(&json, '}');
    if (work->create) {
        add_location(call, path);
    }
    dn_call_reply_json(call, work->create ? MHD_HTTP_CREATED : MHD_HTTP_OK, &body);
}

static void with_profile(dn_call *call)
{
    writing *work = call->state;
    dn_node_error error;
    dn_naming naming = dn_naming_make(call->api->config.registry, call->profile);
    if (!dn_node_read(work->body, call->body.len, call->path, &naming, &work->input, &error)) {
        dn_call_problem_with(
            call,
            (dn_problem){.kind = DN_PROBLEM_INVALID_VALUE, .detail = error.detail, .pointer = error.pointer});
        return;
    }
    if (!work->explicit_format) {
        work->format = dn_format_for(call->profile);
        bool unnamed = work->create && !work->input.named_instance;
        if (unnamed && dn_format_tlv_likely(call->profile)) {
            work->format = DN_FORMAT_TLV;
        }
    }
    send_payload(call);
}

static void write_attributes(dn_call *call, const json_t *body)
{
    dn_text query = {0};
    dn_node_error error = {.pointer = ""};
    if (dn_attributes_query(body, &query, &error)) {
        dn_device_request request = {.method = COAP_PUT,
                                     .path = call->path,
                                     .query = dn_text_view(&query),
                                     .content_format = DN_FORMAT_NONE,
                                     .accept = DN_FORMAT_NONE};
        dn_device_send(call, &request, dn_device_reply);
    } else {
        dn_call_problem_with(
            call,
            (dn_problem){.kind = DN_PROBLEM_INVALID_VALUE, .detail = error.detail, .pointer = error.pointer});
    }
    dn_text_free(&query);
}

/* True when the parameter "op" makes a write one of attributes; false with `bad`: answered. */
static bool is_of_attributes(dn_call *call, bool *bad)
{
    const char *op = dn_query_get(&call->query, "op");
    bool attributes = op != NULL && strcmp(op, "attributes") == 0;
    *bad = true;
    if (op != NULL && !attributes) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "op must be attributes.");
    } else if (attributes &&
               (dn_query_get(&call->query, "mode") != NULL || dn_query_get(&call->query, "format") != NULL)) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "Attributes have neither mode nor format.");
    } else if (!attributes && call->path.depth == 1) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER,
                        "An object can't be written; op=attributes writes its attributes.");
    } else {
        *bad = false;
    }
    return attributes;
}

static void start(dn_call *call, bool create)
{
    uint16_t format;
    char error[DN_JSON_ERROR_MAX];
    bool bad = false;
    bool attributes = !create && is_of_attributes(call, &bad);
    if (bad || !dn_device_parameters(call, &format)) {
        return;
    }
    json_t *body = dn_jsonr_parse(dn_text_view(&call->body), error);
    if (body == NULL) {
        dn_call_problem(call, DN_PROBLEM_MALFORMED_JSON, "%s", error);
        return;
    }
    if (attributes) {
        write_attributes(call, body);
        json_decref(body);
        return;
    }
    writing *work = calloc(1, sizeof *work);
    if (work == NULL) {
        json_decref(body);
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "There is no memory.");
        return;
    }
    call->state = work;
    call->free_state = free_writing;
    work->body = body;
    work->create = create;
    work->explicit_format = format != DN_FORMAT_NONE;
    work->format = format;
    work->target = call->path;
    work->method = create ? COAP_POST : COAP_PUT;
    const char *mode = dn_query_get(&call->query, "mode");
    if (mode != NULL && strcmp(mode, "update") == 0) {
        /* A partial update is of an instance only (Core 1.1.1 section 6.3.3). */
        work->method = COAP_POST;
        work->target = dunlin_path_instance(call->path.id[0], call->path.id[1]);
    } else if (mode != NULL && strcmp(mode, "replace") != 0) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "mode must be replace or update.");
        return;
    }
    dn_device_profile(call, with_profile);
}

void dn_handle_write_body(dn_call *call)
{
    start(call, false);
}

void dn_handle_write(dn_call *call)
{
    if (dn_query_get(&call->query, "package") != NULL) {
        dn_handle_push(call);
    } else {
        dn_handle_write_body(call);
    }
}

void dn_handle_create(dn_call *call)
{
    start(call, true);
}
