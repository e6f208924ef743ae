/* SPDX-License-Identifier: Apache-2.0 */
/* Read-Composite, Write-Composite and Observe-Composite (Core 1.1.1 sections 6.3.8, 6.3.9, 6.4.4). */
#include "api/device.h"
#include "api/handlers.h"
#include "api/node_read.h"
#include "api/observing.h"
#include "api/operation.h"
#include "server/composite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 256u

/* What the body asks for. */
typedef struct {
    json_t *body;
    bool write;
    uint16_t format;
    bool explicit_format;
    dunlin_path paths[DN_COMPOSITE_PATHS_MAX]; /* ascending */
    size_t path_count;
    dn_node_input inputs[VALUES_MAX]; /* of each value; records view the body */
    size_t input_count;
    dn_node_input all; /* their records together */
    dn_text payload;
} composite;

static void free_composite(void *state)
{
    composite *work = state;
    for (size_t i = 0; i < work->input_count; i++) {
        dn_node_input_free(&work->inputs[i]);
    }
    dn_node_input_free(&work->all);
    dn_text_free(&work->payload);
    json_decref(work->body);
    free(work);
}

static bool refuse(dn_call *call, const char *pointer, const char *detail)
{
    dn_call_problem_with(
        call, (dn_problem){.kind = DN_PROBLEM_INVALID_VALUE, .detail = detail, .pointer = pointer});
    return false;
}

/* The body as an object whose only member is `member`. False: answered. */
static composite *begin(dn_call *call, const char *member)
{
    char error[DN_JSON_ERROR_MAX];
    uint16_t format = DN_FORMAT_NONE;
    if (!dn_device_parameters(call, &format)) {
        return NULL;
    }
    if (format != DN_FORMAT_NONE && format != DN_FORMAT_SENML_JSON && format != DN_FORMAT_SENML_CBOR) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "format must be senml-json or senml-cbor here.");
        return NULL;
    }
    json_t *body = dn_jsonr_parse(dn_text_view(&call->body), error);
    if (body == NULL) {
        dn_call_problem(call, DN_PROBLEM_MALFORMED_JSON, "%s", error);
        return NULL;
    }
    composite *work = dn_call_make_state(call, sizeof *work, free_composite);
    if (work == NULL) {
        json_decref(body);
        return NULL;
    }
    work->body = body;
    work->format = format;
    work->explicit_format = format != DN_FORMAT_NONE;
    if (!json_is_object(body) || json_object_size(body) != 1 || json_object_get(body, member) == NULL) {
        char detail[80];
        snprintf(detail, sizeof detail, "must be an object with the member \"%s\" only", member);
        refuse(call, "", detail);
        return NULL;
    }
    return work;
}

static int compare_paths(const void *a, const void *b)
{
    return dunlin_path_compare(*(const dunlin_path *)a, *(const dunlin_path *)b);
}

static bool read_paths(dn_call *call, composite *work)
{
    const json_t *paths = json_object_get(work->body, "paths");
    size_t count = json_array_size(paths);
    char pointer[32];
    if (count == 0 || count > DN_COMPOSITE_PATHS_MAX) {
        return refuse(call, "/paths", "must be an array of 1 to 32 paths");
    }
    for (size_t i = 0; i < count; i++) {
        dunlin_slice text;
        if (!dn_jsonr_string(json_array_get(paths, i), &text) ||
            dunlin_path_parse(text, &work->paths[i]) != DUNLIN_OK || work->paths[i].depth == 0) {
            snprintf(pointer, sizeof pointer, "/paths/%zu", i);
            return refuse(call, pointer, "must be a path such as \"/3/0/1\"");
        }
    }
    qsort(work->paths, count, sizeof work->paths[0], compare_paths);
    work->path_count = count;
    return dn_composite_is_list(work->paths, count) || refuse(call, "/paths", "has a path twice");
}

/* What the device announced of the two formats that composites have; CBOR when it announced neither. */
static void choose_format(dn_call *call, composite *work)
{
    if (!work->explicit_format) {
        bool json = dn_profile_announced(call->profile, DN_FORMAT_SENML_JSON) &&
                    !dn_profile_announced(call->profile, DN_FORMAT_SENML_CBOR);
        work->format = json ? DN_FORMAT_SENML_JSON : DN_FORMAT_SENML_CBOR;
    }
}

/* ---- read and observe --------------------------------------------------------------------- */

static void reply_values(dn_call *call, unsigned status)
{
    const composite *work = call->state;
    dn_text body = {0};
    dn_jsonw json;
    dn_failure failure;
    dn_naming naming = dn_naming_make(call->api->config.registry, call->profile);
    dn_jsonw_start(&json, &body);
    dn_device_head(call, &json, dunlin_path_root());
    if (dn_operation_write_composite(&json, &call->answer, &naming, work->paths, work->path_count,
                                     &failure)) {
        dn_jsonw_end(&json, '}');
        dn_call_reply_json(call, status, &body);
    } else {
        dn_text_free(&body);
        dn_device_failed(call, &failure);
    }
}

static void send_composite(dn_call *call);

/* The format was our guess: if the device does not have it, it gets the other one. */
static void answered(dn_call *call)
{
    composite *work = call->state;
    if (!work->explicit_format && dn_answer_refuses_format(&call->answer)) {
        work->explicit_format = true;
        work->format = work->format == DN_FORMAT_SENML_CBOR ? DN_FORMAT_SENML_JSON : DN_FORMAT_SENML_CBOR;
        send_composite(call);
        return;
    }
    dn_device_reply(call);
}

static dunlin_status make_payload(composite *work)
{
    work->payload.len = 0;
    if (work->write) {
        return dn_node_encode(&work->all, work->format, dunlin_path_root(), &work->payload);
    }
    if (!dn_text_reserve(&work->payload, DN_COMPOSITE_PAYLOAD_MAX)) {
        return DUNLIN_ERR_MEMORY;
    }
    dunlin_slice view;
    dunlin_status status =
        dn_composite_encode(work->paths, work->path_count, work->format,
                            dunlin_buf_make(work->payload.data, DN_COMPOSITE_PAYLOAD_MAX), &view);
    work->payload.len = status == DUNLIN_OK ? view.len : 0;
    return status;
}

static void send_composite(dn_call *call)
{
    composite *work = call->state;
    dunlin_status status = make_payload(work);
    if (status != DUNLIN_OK) {
        dn_call_problem(call,
                        status == DUNLIN_ERR_MEMORY ? DN_PROBLEM_INTERNAL : DN_PROBLEM_INVALID_PARAMETER,
                        "These values can't be written in content format %u: %s.", work->format,
                        dunlin_status_text(status));
        return;
    }
    dn_device_request request = {.method = work->write ? DN_COAP_IPATCH : DN_COAP_FETCH,
                                 .path = dunlin_path_root(),
                                 .content_format = work->format,
                                 .accept = work->write ? DN_FORMAT_NONE : work->format,
                                 .payload = dn_text_view(&work->payload)};
    dn_device_send(call, &request, answered);
}

static void read_with_profile(dn_call *call)
{
    choose_format(call, call->state);
    send_composite(call);
}

void dn_handle_read_composite(dn_call *call)
{
    composite *work = begin(call, "paths");
    if (work != NULL && read_paths(call, work)) {
        dn_device_profile(call, read_with_profile);
    }
}

static void observe(dn_call *call);

static void observe_answered(dn_call *call)
{
    composite *work = call->state;
    if (!work->explicit_format && dn_answer_refuses_format(&call->answer)) {
        work->explicit_format = true;
        work->format = work->format == DN_FORMAT_SENML_CBOR ? DN_FORMAT_SENML_JSON : DN_FORMAT_SENML_CBOR;
        observe(call);
    } else if (dn_device_succeeded(call)) {
        reply_values(call, call->answer.existed ? MHD_HTTP_OK : MHD_HTTP_CREATED);
    }
}

static void observe(dn_call *call)
{
    const composite *work = call->state;
    uint32_t timeout_ms = dn_device_time_left(call);
    if (timeout_ms == 0 || !dn_call_wait(call, observe_answered)) {
        return;
    }
    dunlin_status status =
        dn_fleet_observe_composite(call->api->config.fleet, call->endpoint, work->paths, work->path_count,
                                   work->format, timeout_ms, dn_observing_answered, call);
    if (status != DUNLIN_OK) {
        dn_device_refused(call, status);
    }
}

static void observe_with_profile(dn_call *call)
{
    choose_format(call, call->state);
    observe(call);
}

void dn_handle_observe_composite(dn_call *call)
{
    composite *work = begin(call, "paths");
    if (work != NULL && read_paths(call, work)) {
        dn_observing_start(call, work->paths, work->path_count, observe_with_profile);
    }
}

void dn_handle_unobserve_composite(dn_call *call)
{
    composite *work = begin(call, "paths");
    if (work != NULL && read_paths(call, work)) {
        dn_observing_end(call, work->paths, work->path_count);
    }
}

/* ---- write -------------------------------------------------------------------------------- */

/* "/values/~13~10~15" and what follows in the value (RFC 6901 section 3). */
static void point_at(dn_node_error *error, const char *key, bool wrapped)
{
    char inner[sizeof error->pointer];
    snprintf(inner, sizeof inner, "%s", wrapped ? "" : error->pointer);
    size_t len = (size_t)snprintf(error->pointer, sizeof error->pointer, "/values/");
    for (; *key != 0 && len + 3 < sizeof error->pointer; key++) {
        if (*key == '/' || *key == '~') {
            error->pointer[len++] = '~';
            error->pointer[len++] = *key == '/' ? '1' : '0';
        } else {
            error->pointer[len++] = *key;
        }
    }
    snprintf(error->pointer + len, sizeof error->pointer - len, "%.40s", inner);
}

/* A value as a single write has it: {"value":…}, {"values":[…]}, or the bare value. */
static bool read_one(dn_call *call, composite *work, dn_naming *naming, const char *key, json_t *value,
                     dn_node_error *error)
{
    dunlin_path path;
    bool bare = !json_is_object(value);
    if (dunlin_path_parse(dunlin_slice_of(key), &path) != DUNLIN_OK || path.depth < 3) {
        snprintf(error->detail, sizeof error->detail,
                 "\"%.40s\" is not the path of a resource or resource instance", key);
        snprintf(error->pointer, sizeof error->pointer, "/values");
        return false;
    }
    json_t *node = bare ? json_pack("{s:O}", "value", value) : json_incref(value);
    bool good = node != NULL &&
                dn_node_read(node, call->body.len, path, naming, &work->inputs[work->input_count++], error);
    json_decref(node); /* the value stays: the body holds it */
    if (!good) {
        point_at(error, key, bare);
    }
    return good;
}

static int compare_records(const void *a, const void *b)
{
    return dunlin_path_compare(((const dn_record *)a)->path, ((const dn_record *)b)->path);
}

/* Puts all records into one list. A resource may be named once, whole or by its instances. */
static bool join(composite *work, dn_node_error *error)
{
    size_t count = 0;
    for (size_t i = 0; i < work->input_count; i++) {
        count += work->inputs[i].count;
    }
    work->all.records = calloc(count + 1, sizeof *work->all.records);
    if (work->all.records == NULL) {
        snprintf(error->detail, sizeof error->detail, "no memory");
        return false;
    }
    for (size_t i = 0; i < work->input_count; i++) {
        memcpy(work->all.records + work->all.count, work->inputs[i].records,
               work->inputs[i].count * sizeof *work->all.records);
        work->all.count += work->inputs[i].count;
    }
    qsort(work->all.records, count, sizeof *work->all.records, compare_records);
    for (size_t i = 1; i < count; i++) {
        if (dunlin_path_within(work->all.records[i].path, work->all.records[i - 1].path)) {
            char text[DUNLIN_PATH_TEXT_MAX + 1];
            dunlin_path_format(work->all.records[i].path, text);
            snprintf(error->detail, sizeof error->detail, "%s is given twice", text);
            snprintf(error->pointer, sizeof error->pointer, "/values");
            return false;
        }
    }
    return true;
}

static bool read_values(dn_call *call, composite *work, dn_node_error *error)
{
    json_t *values = json_object_get(work->body, "values");
    dn_naming naming = dn_naming_make(call->api->config.registry, call->profile);
    const char *key;
    json_t *value;
    if (!json_is_object(values) || json_object_size(values) == 0 || json_object_size(values) > VALUES_MAX) {
        snprintf(error->detail, sizeof error->detail, "must be an object with 1 to %u values by path",
                 VALUES_MAX);
        snprintf(error->pointer, sizeof error->pointer, "/values");
        return false;
    }
    json_object_foreach(values, key, value)
    {
        if (!read_one(call, work, &naming, key, value, error)) {
            return false;
        }
    }
    return join(work, error);
}

static void write_with_profile(dn_call *call)
{
    dn_node_error error = {.pointer = ""};
    if (!read_values(call, call->state, &error)) {
        refuse(call, error.pointer, error.detail);
        return;
    }
    choose_format(call, call->state);
    send_composite(call);
}

void dn_handle_write_composite(dn_call *call)
{
    composite *work = begin(call, "values");
    if (work != NULL) {
        work->write = true;
        dn_device_profile(call, write_with_profile);
    }
}
