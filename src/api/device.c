/* SPDX-License-Identifier: Apache-2.0 */
/* Speaking to a device; see device.h. */
#include "api/device.h"

#include "api/operation.h"
#include "api/queueing.h"

#include <stdio.h>
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
        call->asleep = client->presence == DN_PRESENCE_ASLEEP;
        call->transport = client->transport;
        (void)snprintf(call->local, sizeof call->local, "%s", client->local);
    }
    dn_call_wake(call);
}

static void profile_ready(dn_call *call)
{
    if (call->profile != NULL) {
        dn_profiles_put(call->api->profiles, call->endpoint, call->profile, call->ticket);
    } else if (!call->lenient) {
        (void)dn_device_succeeded(call);
        return;
    }
    call->with_profile(call);
}

static void fetch_profile(dn_call *call, void (*next)(dn_call *call))
{
    call->with_profile = next;
    if (dn_call_wait(call, profile_ready)) {
        dunlin_status status = dn_fleet_get(call->api->config.fleet, call->endpoint, profile_fetched, call);
        if (status != DUNLIN_OK) {
            dn_device_refused(call, status);
        }
    }
}

void dn_device_profile(dn_call *call, void (*next)(dn_call *call))
{
    call->profile = dn_profiles_get(call->api->profiles, call->endpoint, &call->ticket);
    if (call->profile != NULL) {
        next(call);
    } else {
        fetch_profile(call, next);
    }
}

void dn_device_presence(dn_call *call, void (*next)(dn_call *call))
{
    dn_profile_release(dn_profiles_get(call->api->profiles, call->endpoint, &call->ticket));
    fetch_profile(call, next);
}

void dn_device_profile_if_any(dn_call *call, void (*next)(dn_call *call))
{
    call->lenient = true;
    if (call->profile != NULL) {
        next(call);
    } else {
        dn_device_profile(call, next);
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
    dn_answer_take(&call->answer, response);
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

/* A copy that lives as long as the call: for another try, and to tell from it what the answer means. */
static bool keep_request(dn_call *call, const dn_device_request *request)
{
    dn_text *bytes = &call->asked_bytes;
    bytes->len = 0;
    dn_text_slice(bytes, request->query);
    dn_text_slice(bytes, request->package);
    dn_text_slice(bytes, request->payload);
    const char *at = bytes->data != NULL ? bytes->data : ""; /* no text was kept, no memory was had */
    call->asked = *request;
    call->asked.query = dunlin_slice_make(at, request->query.len);
    call->asked.package = dunlin_slice_make(at + request->query.len, request->package.len);
    call->asked.payload =
        dunlin_slice_make(at + request->query.len + request->package.len, request->payload.len);
    return !bytes->failed;
}

static void sent(dn_call *call)
{
    if (call->answer.status == DUNLIN_ERR_STATE) {
        dn_queueing_send(call); /* it sleeps */
    } else {
        call->after(call);
    }
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
    if (!keep_request(call, request)) {
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "There is no memory.");
        return;
    }
    call->after = next;
    if (call->wait_given) {
        dn_queueing_send(call);
        return;
    }
    request->unless_asleep = true;
    request->timeout_ms = dn_device_time_left(call);
    if (request->timeout_ms == 0 || !dn_call_wait(call, sent)) {
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

bool dn_device_succeeded_status(dn_call *call)
{
    call->answer.code = DN_COAP_CHANGED; /* no device has spoken */
    return dn_device_succeeded(call);
}

bool dn_device_succeeded(dn_call *call)
{
    dn_failure failure;
    if (dn_answer_succeeded(&call->answer, call->timeout_ms, &failure)) {
        return true;
    }
    if (failure.kind == DN_PROBLEM_UNKNOWN_ENDPOINT) {
        dn_device_unknown(call);
        return false;
    }
    if (failure.kind == DN_PROBLEM_INTERNAL) {
        dn_log_at(call->api->config.log, DN_LOG_ERROR, "http", "a request to a device failed: %s",
                  failure.detail);
    }
    dn_device_failed(call, &failure);
    return false;
}

void dn_device_failed(dn_call *call, const dn_failure *failure)
{
    dn_call_problem_with(
        call,
        (dn_problem){.kind = failure->kind, .detail = failure->detail, .coap_code = failure->coap_code});
}

/* ---- parameters --------------------------------------------------------------------------- */

bool dn_device_format(const char *text, uint16_t *format)
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
    if (!dn_queueing_parameters(call)) {
        return false;
    }
    if (format == NULL) {
        return true;
    }
    *format = DN_FORMAT_NONE;
    text = dn_query_get(&call->query, "format");
    if (text != NULL && !dn_device_format(text, format)) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "format must be " DN_DEVICE_FORMATS ".");
        return false;
    }
    return true;
}

/* ---- answers ------------------------------------------------------------------------------ */

void dn_device_head(dn_call *call, dn_jsonw *json, dunlin_path path)
{
    char text[DUNLIN_PATH_TEXT_MAX + 1];
    char code[8];
    dn_coap_code_text(call->answer.code, code);
    dn_jsonw_begin(json, '{');
    dn_jsonw_pair_slice(json, "endpoint", call->endpoint);
    if (path.depth > 0) {
        dunlin_path_format(path, text);
        dn_jsonw_pair(json, "path", text);
    }
    dn_jsonw_pair(json, "code", code);
}

void dn_device_reply(dn_call *call)
{
    if (!dn_device_succeeded(call)) {
        return;
    }
    dn_text body = {0};
    dn_jsonw json;
    dn_failure failure;
    (void)dn_text_reserve(&body, BODY_USUAL); /* one allocation for most answers */
    dn_jsonw_start(&json, &body);
    if (dn_operation_write(&json, &call->asked, &call->answer, call->api->config.registry, call->profile,
                           &failure)) {
        dn_call_reply_json(call, MHD_HTTP_OK, &body);
    } else {
        dn_text_free(&body);
        dn_device_failed(call, &failure);
    }
}

void dn_device_reply_node(dn_call *call, unsigned status)
{
    dn_text body = {0};
    dn_jsonw json;
    dn_failure failure;
    dn_naming naming = dn_naming_make(call->api->config.registry, call->profile);
    (void)dn_text_reserve(&body, BODY_USUAL); /* one allocation for most answers */
    dn_jsonw_start(&json, &body);
    dn_device_head(call, &json, call->path);
    if (dn_answer_write_node(&call->answer, &json, &naming, call->path, &failure)) {
        dn_jsonw_end(&json, '}');
        dn_call_reply_json(call, status, &body);
    } else {
        dn_text_free(&body);
        dn_device_failed(call, &failure);
    }
}
