/* SPDX-License-Identifier: Apache-2.0 */
/* Speaking to a device; see device.h. */
#include "api/device.h"

#include "api/node_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MAX_S 300u
#define BODY_USUAL    512u

/* ---- profile ---------------------------------------------------------------------------- */

static void profile_fetched(void *context, const dn_client_view *client)
{
    dn_call *call = context;
    if (client == NULL) {
        call->answer.status = DUNLIN_ERR_NOT_FOUND;
    } else {
        call->profile = dn_profiles_take(
            call->api->profiles, (dn_version){client->version_major, client->version_minor}, client->links);
        call->answer.status = call->profile != NULL ? DUNLIN_OK : DUNLIN_ERR_MEMORY;
    }
    dn_call_wake(call);
}

static void profile_ready(dn_call *call)
{
    if (call->profile == NULL) {
        (void)dn_device_succeeded(call);
        return;
    }
    dn_profiles_put(call->api->profiles, call->endpoint, call->profile, call->ticket);
    call->with_profile(call);
}

void dn_device_profile(dn_call *call, void (*next)(dn_call *call))
{
    call->profile = dn_profiles_get(call->api->profiles, call->endpoint, &call->ticket);
    if (call->profile != NULL) {
        next(call);
        return;
    }
    call->with_profile = next;
    if (dn_call_wait(call, profile_ready)) {
        dunlin_status status = dn_fleet_get(call->api->config.fleet, call->endpoint, profile_fetched, call);
        if (status != DUNLIN_OK) {
            dn_device_refused(call, status);
        }
    }
}

/* ---- request and answer ------------------------------------------------------------------- */

void dn_device_refused(dn_call *call, dunlin_status status)
{
    call->answer.status = status;
    dn_call_wake(call);
}

void dn_device_answered(void *context, const dn_device_response *response)
{
    dn_call *call = context;
    dn_answer *answer = &call->answer;
    answer->status = response->status;
    answer->code = response->code;
    answer->format = response->content_format;
    answer->received_ms = response->received_ms;
    dn_text_slice(&answer->payload, response->payload);
    if (answer->payload.failed) {
        answer->status = DUNLIN_ERR_MEMORY;
    }
    if (response->location.len < sizeof answer->location) {
        memcpy(answer->location, response->location.data != NULL ? (const void *)response->location.data : "",
               response->location.len);
        answer->location[response->location.len] = 0;
    }
    dn_call_wake(call);
}

uint32_t dn_device_time_left(dn_call *call)
{
    uint64_t now = dn_api_now_ms(call->api);
    uint64_t end = call->started_ms + call->timeout_ms;
    if (now >= end) {
        dn_call_problem(call, DN_PROBLEM_TIMEOUT, "The device did not answer within %u s.",
                        call->timeout_ms / 1000);
        return 0;
    }
    return (uint32_t)(end - now);
}

void dn_device_send(dn_call *call, dn_device_request *request, void (*next)(dn_call *call))
{
    uint64_t number = 0;
    request->endpoint = call->endpoint;
    if (request->payload.len > call->api->config.max_device_body) {
        dn_call_problem(call, DN_PROBLEM_BODY_TOO_LARGE,
                        "A payload for a device may have %u bytes at most; this one has %zu.",
                        call->api->config.max_device_body, request->payload.len);
        return;
    }
    request->timeout_ms = dn_device_time_left(call);
    if (request->timeout_ms == 0 || !dn_call_wait(call, next)) {
        return;
    }
    dunlin_status status =
        dn_fleet_request(call->api->config.fleet, request, dn_device_answered, call, &number);
    if (status == DUNLIN_OK) {
        dn_call_cancellable(call, number);
    } else {
        dn_device_refused(call, status);
    }
}

/* ---- problems ----------------------------------------------------------------------------- */

void dn_device_unknown(dn_call *call)
{
    dn_profiles_forget(call->api->profiles, call->endpoint);
    dn_call_problem(call, DN_PROBLEM_UNKNOWN_ENDPOINT, "No device of that name is registered now.");
}

static void fail_status(dn_call *call)
{
    switch (call->answer.status) {
    case DUNLIN_ERR_NOT_FOUND:
        dn_device_unknown(call);
        break;
    case DUNLIN_ERR_TIMEOUT:
        dn_call_problem(call, DN_PROBLEM_TIMEOUT, "The device did not answer within %u s.",
                        call->timeout_ms / 1000);
        break;
    case DUNLIN_ERR_REJECTED:
        dn_call_problem(call, DN_PROBLEM_REJECTED,
                        "The device answered with a Reset: it did not understand the message.");
        break;
    case DUNLIN_ERR_CANCELLED:
        dn_call_problem(call, DN_PROBLEM_CANCELLED,
                        "The registration ended, or was replaced, while the request waited.");
        break;
    case DUNLIN_ERR_LIMIT:
        dn_call_problem(call, DN_PROBLEM_BUSY, "As many requests as the server may have are in progress.");
        break;
    case DUNLIN_ERR_MALFORMED:
    case DUNLIN_ERR_TRUNCATED:
        dn_call_problem(call, DN_PROBLEM_BAD_PAYLOAD, "The device's answer breaks CoAP.");
        break;
    case DUNLIN_ERR_SPACE:
        dn_call_problem(call, DN_PROBLEM_BODY_TOO_LARGE,
                        "The request, or the device's answer, is larger than the server's limit for bodies.");
        break;
    case DUNLIN_ERR_UNSUPPORTED:
        dn_call_problem(call, DN_PROBLEM_REJECTED,
                        "The device gave the value, but does not let this path be observed.");
        break;
    default:
        dn_log_at(call->api->config.log, DN_LOG_ERROR, "http", "a request to a device failed: %s",
                  dunlin_status_text(call->answer.status));
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "%s", dunlin_status_text(call->answer.status));
    }
}

/* An error of the device; a diagnostic payload is text (RFC 7252 section 5.5.2). */
static void fail_code(dn_call *call)
{
    char detail[256];
    char code[8];
    dn_coap_code_text(call->answer.code, code);
    const dn_text *payload = &call->answer.payload;
    bool text =
        payload->len > 0 && (call->answer.format == DN_FORMAT_NONE || call->answer.format == DN_FORMAT_TEXT);
    int len = text ? (int)(payload->len < 160 ? payload->len : 160) : 0;
    snprintf(detail, sizeof detail, "The device answered %s %s%s%.*s", code,
             dn_coap_code_name(call->answer.code), text ? ": " : ".", len, text ? payload->data : "");
    dn_call_problem_with(
        call,
        (dn_problem){.kind = DN_PROBLEM_DEVICE_ERROR, .detail = detail, .coap_code = call->answer.code});
}

bool dn_device_succeeded(dn_call *call)
{
    if (call->answer.status != DUNLIN_OK) {
        fail_status(call);
        return false;
    }
    if (call->answer.code >> 5 != 2) {
        fail_code(call);
        return false;
    }
    return true;
}

/* ---- parameters --------------------------------------------------------------------------- */

static bool parse_format(const char *text, uint16_t *format)
{
    const dn_format *found = dn_format_find_name(text);
    if (found != NULL) {
        *format = found->number;
        return true;
    }
    uint64_t number;
    if (!dn_query_number(text, 0, DN_FORMAT_NONE - 1, &number) || dn_format_find((uint16_t)number) == NULL) {
        return false;
    }
    *format = (uint16_t)number;
    return true;
}

bool dn_device_parameters(dn_call *call, uint16_t *format)
{
    const char *text = dn_query_get(&call->query, "timeout");
    uint64_t seconds = call->api->config.request_timeout_s;
    if (text != NULL && !dn_query_number(text, 1, TIMEOUT_MAX_S, &seconds)) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER,
                        "timeout must be a number of seconds from 1 to %u.", TIMEOUT_MAX_S);
        return false;
    }
    call->timeout_ms = (uint32_t)seconds * 1000;
    if (format == NULL) {
        return true;
    }
    *format = DN_FORMAT_NONE;
    text = dn_query_get(&call->query, "format");
    if (text != NULL && !parse_format(text, format)) {
        dn_call_problem(
            call, DN_PROBLEM_INVALID_PARAMETER,
            "format must be text, opaque, cbor, senml-json, senml-cbor, tlv, lwm2m-json or a content "
            "format's number.");
        return false;
    }
    return true;
}

/* ---- answers ------------------------------------------------------------------------------ */

void dn_device_head(dn_call *call, dn_jsonw *json, dunlin_path path)
{
    char text[DUNLIN_PATH_TEXT_MAX + 1];
    char code[8];
    dunlin_path_format(path, text);
    dn_coap_code_text(call->answer.code, code);
    dn_jsonw_begin(json, '{');
    dn_jsonw_pair_slice(json, "endpoint", call->endpoint);
    dn_jsonw_pair(json, "path", text);
    dn_jsonw_pair(json, "code", code);
}

/* Without a Content-Format a value is text. An object without instances is an empty payload in whatever format (Core 1.1.1 section
   6.3.1), which TLV reads as no records. */
static uint16_t answered_format(const dn_call *call)
{
    if (call->answer.payload.len == 0 && call->path.depth <= 2) {
        return DN_FORMAT_TLV;
    }
    return call->answer.format == DN_FORMAT_NONE ? DN_FORMAT_TEXT : call->answer.format;
}

void dn_device_reply_node(dn_call *call, unsigned status)
{
    dn_text body = {0};
    dn_jsonw json;
    dn_naming naming = dn_naming_make(call->api->config.registry, call->profile);
    uint16_t format = answered_format(call);
    (void)dn_text_reserve(&body, BODY_USUAL); /* one allocation for most answers */
    dn_jsonw_start(&json, &body);
    dn_device_head(call, &json, call->path);
    dn_jsonw_pair_unsigned(&json, "contentFormat", format);
    dn_jsonw_pair_time(&json, "receivedAt", call->answer.received_ms);
    dn_jsonw_key(&json, "node");
    dunlin_status result =
        dn_node_write(&json, &naming, call->path, format, dn_text_view(&call->answer.payload));
    if (result == DUNLIN_OK) {
        dn_jsonw_end(&json, '}');
        dn_call_reply_json(call, status, &body);
        return;
    }
    dn_text_free(&body);
    if (result == DUNLIN_ERR_MEMORY) {
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "There is no memory.");
    } else {
        dn_call_problem(call, DN_PROBLEM_BAD_PAYLOAD,
                        "The device's answer in content format %u could not be decoded: %s.", format,
                        dunlin_status_text(result));
    }
}
