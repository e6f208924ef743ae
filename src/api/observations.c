/* SPDX-License-Identifier: Apache-2.0 */
/* Observations: list, start, cancel. */
#include "api/content_format.h"
#include "api/device.h"
#include "api/handlers.h"
#include "api/node_write.h"
#include "api/observing.h"

#include <stdlib.h>
#include <string.h>

/* ---- list --------------------------------------------------------------------------------- */

typedef struct {
    bool registered;
    size_t count;
    dn_observation_view *list;
    uint8_t *bytes;
} listing;

static void free_listing(void *state)
{
    listing *copy = state;
    free(copy->list);
    free(copy->bytes);
    free(copy);
}

static listing *copy_listing(bool registered, const dn_observation_view *list, size_t count)
{
    size_t bytes = 1;
    for (size_t i = 0; i < count; i++) {
        bytes += list[i].payload.len + list[i].path_count * sizeof list[i].paths[0];
    }
    listing *copy = calloc(1, sizeof *copy);
    if (copy == NULL) {
        return NULL;
    }
    copy->list = calloc(count + 1, sizeof *copy->list);
    copy->bytes = malloc(bytes);
    if (copy->list == NULL || copy->bytes == NULL) {
        free_listing(copy);
        return NULL;
    }
    uint8_t *at = copy->bytes;
    for (size_t i = 0; i < count; i++) { /* all paths first, which keeps them aligned */
        size_t len = list[i].path_count * sizeof list[i].paths[0];
        copy->list[i] = list[i];
        copy->list[i].paths = (const dunlin_path *)(const void *)at;
        if (len > 0) {
            memcpy(at, list[i].paths, len);
            at += len;
        }
    }
    for (size_t i = 0; i < count; i++) {
        copy->list[i].payload = dunlin_slice_make(at, list[i].payload.len);
        if (list[i].payload.len > 0) {
            memcpy(at, list[i].payload.data, list[i].payload.len);
            at += list[i].payload.len;
        }
    }
    copy->registered = registered;
    copy->count = count;
    return copy;
}

static void listed(void *context, bool registered, const dn_observation_view *list, size_t count)
{
    dn_call *call = context;
    call->state = copy_listing(registered, list, count);
    if (call->state == NULL) {
        call->answer.status = DUNLIN_ERR_MEMORY;
    } else {
        call->free_state = free_listing;
    }
    dn_call_wake(call);
}

/* The value as a node, or null when it cannot be decoded: the list is still worth showing. */
static void write_last_node(dn_call *call, dn_jsonw *json, const dn_observation_view *observation)
{
    dn_naming naming = dn_naming_make(call->api->config.registry, call->profile);
    dn_text node = {0};
    dn_jsonw inner;
    dn_jsonw_start(&inner, &node);
    uint16_t format =
        observation->content_format == DN_FORMAT_NONE ? DN_FORMAT_TEXT : observation->content_format;
    dn_jsonw_key(json, "node");
    if (dn_node_write(&inner, &naming, observation->path, format, observation->payload) == DUNLIN_OK &&
        !node.failed) {
        dn_jsonw_raw(json, dn_text_view(&node));
    } else {
        dn_jsonw_null(json);
    }
    dn_text_free(&node);
}

static void write_paths(dn_jsonw *json, const dn_observation_view *observation)
{
    char text[DUNLIN_PATH_TEXT_MAX + 1];
    dunlin_path_format(observation->path, text);
    dn_jsonw_pair(json, "path", text);
    if (observation->path_count > 0) {
        dn_jsonw_key(json, "paths");
        dn_jsonw_begin(json, '[');
        for (size_t i = 0; i < observation->path_count; i++) {
            dunlin_path_format(observation->paths[i], text);
            dn_jsonw_text(json, text);
        }
        dn_jsonw_end(json, ']');
    }
}

/* The values of a composite one; without any when they cannot be decoded. */
static void write_last_nodes(dn_call *call, dn_jsonw *json, const dn_observation_view *observation)
{
    dn_naming naming = dn_naming_make(call->api->config.registry, call->profile);
    dn_nodes nodes = {.items = NULL};
    (void)dn_nodes_read(&nodes, &naming, dunlin_path_root(), observation->content_format,
                        observation->payload);
    dn_nodes_newest(&nodes);
    dn_nodes_write(&nodes, json, &naming, observation->paths, observation->path_count);
    dn_nodes_free(&nodes);
}

static void write_last(dn_call *call, dn_jsonw *json, const dn_observation_view *observation)
{
    char code[8];
    dn_jsonw_key(json, "last");
    if (!observation->has_last) {
        dn_jsonw_null(json);
        return;
    }
    dn_coap_code_text(observation->code, code);
    dn_jsonw_begin(json, '{');
    dn_jsonw_pair_time(json, "receivedAt", observation->received_ms);
    dn_jsonw_pair(json, "code", code);
    dn_jsonw_key(json, "contentFormat");
    if (observation->content_format == DN_FORMAT_NONE) {
        dn_jsonw_null(json);
    } else {
        dn_jsonw_unsigned(json, observation->content_format);
    }
    if (observation->path_count > 0) {
        write_last_nodes(call, json, observation);
    } else {
        write_last_node(call, json, observation);
    }
    dn_jsonw_end(json, '}');
}

static void reply_listing(dn_call *call)
{
    static const char *const states[] = {[DN_OBSERVATION_PENDING] = "pending",
                                         [DN_OBSERVATION_ACTIVE] = "active",
                                         [DN_OBSERVATION_LOST] = "lost"};
    const listing *found = call->state;
    dn_text body = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &body);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_key(&json, "observations");
    dn_jsonw_begin(&json, '[');
    for (size_t i = 0; i < found->count; i++) {
        dn_jsonw_begin(&json, '{');
        write_paths(&json, &found->list[i]);
        dn_jsonw_key(&json, "contentFormat");
        if (found->list[i].format == DN_FORMAT_NONE) {
            dn_jsonw_null(&json);
        } else {
            dn_jsonw_unsigned(&json, found->list[i].format);
        }
        dn_jsonw_pair_time(&json, "since", found->list[i].since_ms);
        dn_jsonw_pair(&json, "state", states[found->list[i].state]);
        write_last(call, &json, &found->list[i]);
        dn_jsonw_end(&json, '}');
    }
    dn_jsonw_end(&json, ']');
    dn_jsonw_end(&json, '}');
    dn_call_reply_json(call, MHD_HTTP_OK, &body);
}

static void listing_ready(dn_call *call)
{
    const listing *found = call->state;
    if (found == NULL) {
        (void)dn_device_succeeded(call);
    } else if (found->registered) {
        dn_device_profile(call, reply_listing);
    } else if (found->count == 0) {
        dn_device_unknown(call);
    } else {
        reply_listing(call);
    }
}

void dn_handle_observations(dn_call *call)
{
    if (!dn_call_wait(call, listing_ready)) {
        return;
    }
    dunlin_status status = dn_fleet_observations(call->api->config.fleet, call->endpoint, listed, call);
    if (status != DUNLIN_OK) {
        dn_device_refused(call, status);
    }
}

/* ---- start and cancel --------------------------------------------------------------------- */

static void observe_answered(dn_call *call)
{
    if (dn_device_succeeded(call)) {
        dn_device_reply_node(call, call->answer.existed ? MHD_HTTP_OK : MHD_HTTP_CREATED);
    }
}

static void observe_as(dn_call *call, uint16_t format, void (*next)(dn_call *call))
{
    uint32_t timeout_ms = dn_device_time_left(call);
    if (timeout_ms == 0 || !dn_call_wait(call, next)) {
        return;
    }
    dunlin_status status = dn_fleet_observe(call->api->config.fleet, call->endpoint, call->path, format,
                                            timeout_ms, dn_observing_answered, call);
    if (status != DUNLIN_OK) {
        dn_device_refused(call, status);
    }
}

static void observe_guess_answered(dn_call *call)
{
    if (dn_answer_refuses_format(&call->answer)) {
        observe_as(call, DN_FORMAT_NONE, observe_answered);
    } else {
        observe_answered(call);
    }
}

static void observe_with_profile(dn_call *call)
{
    uint16_t format;
    if (!dn_device_parameters(call, &format)) {
        return;
    }
    if (format != DN_FORMAT_NONE) {
        observe_as(call, format, observe_answered);
    } else {
        observe_as(call, dn_format_for(call->profile), observe_guess_answered);
    }
}

void dn_handle_observe(dn_call *call)
{
    uint16_t format;
    if (dn_device_parameters(call, &format)) {
        dn_observing_start(call, NULL, 0, observe_with_profile);
    }
}

void dn_handle_unobserve(dn_call *call)
{
    if (dn_device_parameters(call, NULL)) {
        dn_observing_end(call, NULL, 0);
    }
}
