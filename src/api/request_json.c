/* SPDX-License-Identifier: Apache-2.0 */
/* Queued requests; see request_json.h. */
#include "api/request_json.h"

#include "api/operation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const states[] = {
    [DN_QUEUED_WAITING] = "waiting",   [DN_QUEUED_DELIVERING] = "delivering",
    [DN_QUEUED_ANSWERED] = "answered", [DN_QUEUED_FAILED] = "failed",
    [DN_QUEUED_EXPIRED] = "expired",   [DN_QUEUED_CANCELLED] = "cancelled",
    [DN_QUEUED_UNKNOWN] = "unknown",
};

static void keep(uint8_t **at, dunlin_slice *slice)
{
    if (slice->len > 0) {
        memcpy(*at, slice->data, slice->len);
    }
    slice->data = *at;
    *at += slice->len;
}

dn_queued_copy *dn_queued_copy_make(const dn_queued_view *view)
{
    size_t bytes = view->ask.endpoint.len + view->ask.query.len + view->ask.payload.len +
                   view->ask.package.len + view->payload.len + view->location.len;
    dn_queued_copy *copy = malloc(sizeof *copy + bytes);
    if (copy != NULL) {
        uint8_t *at = copy->bytes;
        copy->view = *view;
        keep(&at, &copy->view.ask.endpoint);
        keep(&at, &copy->view.ask.query);
        keep(&at, &copy->view.ask.payload);
        keep(&at, &copy->view.ask.package);
        keep(&at, &copy->view.payload);
        keep(&at, &copy->view.location);
    }
    return copy;
}

dn_device_response dn_queued_response(const dn_queued_view *view)
{
    return (dn_device_response){.status = view->state == DN_QUEUED_ANSWERED ? DUNLIN_OK : view->status,
                                .code = view->code,
                                .content_format = view->content_format,
                                .payload = view->payload,
                                .location = view->location,
                                .received_ms = view->ended_ms};
}

/* What the direct call would have answered; null when the device's answer cannot be read. */
static void write_result(dn_jsonw *json, const dn_queued_view *view, const dn_answer *answer,
                         dn_registry *registry, const dn_profile *profile)
{
    dn_text text = {0};
    dn_jsonw inner;
    dn_failure failure;
    dn_jsonw_start(&inner, &text);
    dn_jsonw_key(json, "result");
    if (dn_operation_write(&inner, &view->ask, answer, registry, profile, &failure) && !text.failed) {
        dn_jsonw_raw(json, dn_text_view(&text));
    } else {
        dn_jsonw_null(json);
    }
    dn_text_free(&text);
}

static void write_answer(dn_jsonw *json, const dn_queued_view *view, dn_registry *registry,
                         const dn_profile *profile)
{
    char code[8];
    dn_failure failure;
    dn_answer answer = {.status = DUNLIN_OK};
    const dn_device_response response = dn_queued_response(view);
    dn_answer_take(&answer, &response);
    if (view->state == DN_QUEUED_ANSWERED) {
        dn_coap_code_text(view->code, code);
        dn_jsonw_pair(json, "code", code);
    }
    if (!dn_answer_succeeded(&answer, 0, &failure)) {
        /* The time-out of one try is not what a caller gave. */
        bool package = failure.kind == DN_PROBLEM_UNKNOWN_ENDPOINT && view->ask.package.len > 0;
        dn_jsonw_pair(json, "detail",
                      failure.kind == DN_PROBLEM_TIMEOUT ? "The device did not answer."
                      : package                          ? "The package is not there any more."
                                                         : failure.detail);
    } else if (registry != NULL) {
        write_result(json, view, &answer, registry, profile);
    }
    dn_text_free(&answer.payload);
}

static void write_outcome(dn_jsonw *json, const dn_queued_view *view, dn_registry *registry,
                          const dn_profile *profile)
{
    switch (view->state) {
    case DN_QUEUED_ANSWERED:
    case DN_QUEUED_FAILED:
        write_answer(json, view, registry, profile);
        break;
    case DN_QUEUED_EXPIRED:
        dn_jsonw_pair(json, "detail", "Its time was over before the device could be asked.");
        break;
    case DN_QUEUED_UNKNOWN:
        dn_jsonw_pair(json, "detail",
                      "Its delivery was interrupted: the device may have done it, so it is not asked again.");
        break;
    default:
        break;
    }
}

void dn_request_write(dn_jsonw *json, const dn_queued_view *view, dn_registry *registry,
                      const dn_profile *profile)
{
    char text[DUNLIN_PATH_TEXT_MAX + 1];
    dn_jsonw_begin(json, '{');
    snprintf(text, sizeof text, "%" PRIu64, view->id);
    dn_jsonw_pair(json, "id", text);
    dn_jsonw_pair_slice(json, "endpoint", view->ask.endpoint);
    dn_jsonw_pair(json, "state", states[view->state]);
    dn_jsonw_pair(json, "operation", dn_operation_name(dn_operation_of(&view->ask)));
    dunlin_path_format(view->ask.path, text);
    dn_jsonw_pair(json, "path", text);
    dn_jsonw_pair_time(json, "createdAt", view->created_ms);
    dn_jsonw_pair_time(json, "expiresAt", view->expires_ms);
    dn_jsonw_key(json, "endedAt");
    if (view->ended_ms == 0) {
        dn_jsonw_null(json);
    } else {
        dn_jsonw_time_ms(json, view->ended_ms);
    }
    dn_jsonw_pair_unsigned(json, "attempts", view->attempts);
    write_outcome(json, view, registry, profile);
    dn_jsonw_end(json, '}');
}
