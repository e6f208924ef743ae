/* SPDX-License-Identifier: Apache-2.0 */
/* POST /reads: one path of many devices. */
#include "api/bulk.h"
#include "api/device.h"
#include "api/handlers.h"
#include "api/json_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS_MAX       100000u
#define IN_FLIGHT_MAX     1024u
#define IN_FLIGHT_DEFAULT 64u
#define TIMEOUT_MAX_S     300u
#define STREAM_BLOCK      ((size_t)32 * 1024)

static bool refuse(dn_call *call, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool refuse(dn_call *call, const char *pointer, const char *format, ...)
{
    char detail[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    dn_call_problem_with(
        call, (dn_problem){.kind = DN_PROBLEM_INVALID_VALUE, .detail = detail, .pointer = pointer});
    return false;
}

static bool check_members(dn_call *call, const json_t *body)
{
    static const char *const known[] = {"path", "clients", "inFlight", "timeout", "format", NULL};
    const char *key;
    json_t *value;
    if (!json_is_object(body)) {
        return refuse(call, "", "must be an object");
    }
    json_object_foreach((json_t *)(uintptr_t)body, key, value)
    {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], key) != 0) {
            i++;
        }
        if (known[i] == NULL) {
            return refuse(call, "", "there is no member \"%.40s\" here", key);
        }
    }
    return true;
}

static bool read_path(dn_call *call, const json_t *body, dn_bulk_ask *ask)
{
    dunlin_slice text;
    if (!dn_jsonr_string(json_object_get(body, "path"), &text) ||
        dunlin_path_parse(text, &ask->path) != DUNLIN_OK || ask->path.depth == 0) {
        return refuse(call, "/path", "must be a path such as \"/3303/0/5700\"");
    }
    return true;
}

static bool read_numbers(dn_call *call, const json_t *body, dn_bulk_ask *ask)
{
    int64_t in_flight = IN_FLIGHT_DEFAULT;
    int64_t timeout_s = call->api->config.request_timeout_s;
    const json_t *member = json_object_get(body, "inFlight");
    if (member != NULL && !dn_jsonr_integer(member, 1, IN_FLIGHT_MAX, &in_flight)) {
        return refuse(call, "/inFlight", "must be an integer from 1 to %u", IN_FLIGHT_MAX);
    }
    member = json_object_get(body, "timeout");
    if (member != NULL && !dn_jsonr_integer(member, 1, TIMEOUT_MAX_S, &timeout_s)) {
        return refuse(call, "/timeout", "must be a number of seconds from 1 to %u", TIMEOUT_MAX_S);
    }
    ask->in_flight = (uint32_t)in_flight;
    ask->timeout_ms = (uint32_t)timeout_s * 1000;
    return true;
}

static bool read_format(dn_call *call, const json_t *body, dn_bulk_ask *ask)
{
    const json_t *member = json_object_get(body, "format");
    ask->format = DN_FORMAT_NONE;
    if (member != NULL &&
        !(json_is_string(member) && dn_device_format(json_string_value(member), &ask->format))) {
        return refuse(call, "/format", "must be " DN_DEVICE_FORMATS);
    }
    return true;
}

static bool read_clients(dn_call *call, const json_t *body, dn_bulk_ask *ask)
{
    const json_t *clients = json_object_get(body, "clients");
    size_t count = json_array_size(clients);
    if (count == 0 || count > CLIENTS_MAX) {
        return refuse(call, "/clients", "must be an array of 1 to %u endpoint names", CLIENTS_MAX);
    }
    ask->starts = calloc(count + 1, sizeof *ask->starts);
    for (size_t i = 0; i < count && ask->starts != NULL; i++) {
        dunlin_slice name;
        if (!dn_jsonr_string(json_array_get(clients, i), &name) || name.len == 0) {
            char pointer[40];
            snprintf(pointer, sizeof pointer, "/clients/%zu", i);
            return refuse(call, pointer, "must be an endpoint's name");
        }
        dn_text_slice(&ask->names, name);
        ask->starts[i + 1] = (uint32_t)ask->names.len; /* the body's limit is below that */
    }
    ask->count = (uint32_t)count;
    if (ask->starts == NULL || ask->names.failed) {
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "There is no memory.");
        return false;
    }
    return true;
}

static void stream(dn_call *call, dn_bulk *bulk)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, dn_bulk_read, bulk, dn_bulk_shut);
    if (response == NULL) {
        dn_bulk_shut(bulk);
        return;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/x-ndjson");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "X-Accel-Buffering", "no"); /* proxies must not hold lines back */
    dn_call_queue(call, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
}

void dn_handle_reads(dn_call *call)
{
    char error[DN_JSON_ERROR_MAX];
    json_t *body = dn_jsonr_parse(dn_text_view(&call->body), error);
    if (body == NULL) {
        dn_call_problem(call, DN_PROBLEM_MALFORMED_JSON, "%s", error);
        return;
    }
    dn_bulk_ask ask = {.count = 0};
    bool good = check_members(call, body) && read_path(call, body, &ask) && read_numbers(call, body, &ask) &&
                read_format(call, body, &ask) && read_clients(call, body, &ask);
    json_decref(body);
    dn_text_free(&call->body);
    if (!good) {
        dn_bulk_ask_free(&ask);
        return;
    }
    dn_bulk *bulk;
    dunlin_status status = dn_bulk_open(call->api, call->connection, call->socket, &ask, &bulk);
    if (status == DUNLIN_OK) {
        stream(call, bulk);
    } else if (status == DUNLIN_ERR_LIMIT) {
        dn_call_problem(call, DN_PROBLEM_BUSY, "As many reads of many devices as there may be are open.");
    } else {
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "There is no memory.");
    }
}
