/* SPDX-License-Identifier: Apache-2.0 */
/* Read, discover, execute, delete. Writing and creating are in writing.c. */
#include "api/content_format.h"
#include "api/device.h"
#include "api/execute_args.h"
#include "api/handlers.h"
#include "codec/link.h"

#include <string.h>

enum { COAP_GET = 1, COAP_POST = 2, COAP_DELETE = 4 };
static dn_device_request request_of(const dn_call *call, uint8_t method, uint16_t accept)
{
    return (dn_device_request){
        .method = method, .path = call->path, .content_format = DN_FORMAT_NONE, .accept = accept};
}

/* ---- read --------------------------------------------------------------------------------- */

static void read_answered(dn_call *call)
{
    if (dn_device_succeeded(call)) {
        dn_device_reply_node(call, MHD_HTTP_OK);
    }
}

/* The format was our guess: if the device does not have it, it may choose. */
static void read_guess_answered(dn_call *call)
{
    if (dn_answer_refuses_format(&call->answer)) {
        dn_device_request request = request_of(call, COAP_GET, DN_FORMAT_NONE);
        dn_device_send(call, &request, read_answered);
        return;
    }
    read_answered(call);
}

/* On the shard's thread: asks for the format that the device announced, and keeps what it registered to read the answer by. */
static void settle_read(void *context, dn_device_request *request, uint8_t major, uint8_t minor,
                        dunlin_slice links)
{
    dn_call *call = context;
    dn_profile_release(call->profile); /* of an earlier try */
    call->profile = dn_profiles_take(call->api->profiles, (dn_version){major, minor}, links);
    if (call->guess && call->profile != NULL) {
        request->accept = dn_format_for(call->profile);
    }
}

static void read_value(dn_call *call, uint16_t format)
{
    call->guess = format == DN_FORMAT_NONE;
    dn_device_request request = request_of(call, COAP_GET, format);
    request.settle = settle_read;
    dn_device_send(call, &request, call->guess ? read_guess_answered : read_answered);
}

/* ---- discover ----------------------------------------------------------------------------- */

static dunlin_status write_attributes(dn_jsonw *json, const dn_link *link)
{
    size_t at = 0;
    dn_link_param param;
    dunlin_status status;
    dn_jsonw_key(json, "attributes");
    dn_jsonw_begin(json, '{');
    while ((status = dn_link_param_next(link, &at, &param)) == DUNLIN_OK) {
        dn_jsonw_key_slice(json, param.name);
        if (param.has_value) {
            dn_jsonw_string(json, param.value);
        } else {
            dn_jsonw_null(json);
        }
    }
    dn_jsonw_end(json, '}');
    return status;
}

static dunlin_status write_links(dn_jsonw *json, const char *root, dunlin_slice payload)
{
    dn_link_reader reader;
    dn_link link;
    dunlin_status status;
    dn_jsonw_key(json, "links");
    dn_jsonw_begin(json, '[');
    dn_links_read(&reader, payload);
    while ((status = dn_links_next(&reader, &link)) == DUNLIN_OK) {
        dunlin_path path;
        char text[DUNLIN_PATH_TEXT_MAX + 1];
        if (dn_link_path(&link, dunlin_slice_of(root), &path) != DUNLIN_OK) {
            continue;
        }
        dunlin_path_format(path, text);
        dn_jsonw_begin(json, '{');
        dn_jsonw_pair(json, "path", text);
        status = write_attributes(json, &link);
        dn_jsonw_end(json, '}');
        if (status != DUNLIN_END) {
            return status;
        }
    }
    dn_jsonw_end(json, ']');
    return status;
}

static void discover_answered(dn_call *call)
{
    if (!dn_device_succeeded(call)) {
        return;
    }
    dn_text body = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &body);
    dn_device_head(call, &json, call->path);
    dunlin_status status = write_links(&json, call->profile->root, dn_text_view(&call->answer.payload));
    dn_jsonw_end(&json, '}');
    if (status == DUNLIN_END) {
        dn_call_reply_json(call, MHD_HTTP_OK, &body);
        return;
    }
    dn_text_free(&body);
    dn_call_problem(call, DN_PROBLEM_BAD_PAYLOAD, "The device's answer is not in CoRE link format.");
}

static void discover_with_profile(dn_call *call)
{
    dn_device_request request = request_of(call, COAP_GET, DN_FORMAT_LINK);
    dn_device_send(call, &request, discover_answered);
}

void dn_handle_get(dn_call *call)
{
    uint16_t format;
    const char *op = dn_query_get(&call->query, "op");
    if (!dn_device_parameters(call, &format)) {
        return;
    }
    if (op == NULL) {
        read_value(call, format);
    } else if (strcmp(op, "discover") != 0) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "op must be discover.");
    } else if (dn_query_get(&call->query, "format") != NULL) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "A discovery has one format only.");
    } else {
        dn_device_profile(call, discover_with_profile);
    }
}

/* ---- execute and delete ------------------------------------------------------------------- */

static void plain_answered(dn_call *call)
{
    if (!dn_device_succeeded(call)) {
        return;
    }
    dn_text body = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &body);
    dn_device_head(call, &json, call->path);
    dn_jsonw_end(&json, '}');
    dn_call_reply_json(call, MHD_HTTP_OK, &body);
}

void dn_handle_execute(dn_call *call)
{
    dn_text args = {0};
    if (!dn_device_parameters(call, NULL) || !dn_execute_args(call, &args)) {
        dn_text_free(&args);
        return;
    }
    dn_device_request request = request_of(call, COAP_POST, DN_FORMAT_NONE);
    if (args.len > 0) {
        request.content_format = DN_FORMAT_TEXT;
        request.payload = dn_text_view(&args);
    }
    dn_device_send(call, &request, plain_answered);
    dn_text_free(&args); /* the fleet has copied it */
}

void dn_handle_delete(dn_call *call)
{
    if (dn_device_parameters(call, NULL)) {
        dn_device_request request = request_of(call, COAP_DELETE, DN_FORMAT_NONE);
        dn_device_send(call, &request, plain_answered);
    }
}
