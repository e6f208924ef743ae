/* SPDX-License-Identifier: Apache-2.0 */
/* Read, discover, execute, delete. Writing and creating are in writing.c. */
#include "api/content_format.h"
#include "api/device.h"
#include "api/execute_args.h"
#include "api/handlers.h"
#include "api/operation.h"

#include <string.h>

static dn_device_request request_of(const dn_call *call, uint8_t method, uint16_t accept)
{
    return (dn_device_request){
        .method = method, .path = call->path, .content_format = DN_FORMAT_NONE, .accept = accept};
}

/* ---- read --------------------------------------------------------------------------------- */

/* The format was our guess: if the device does not have it, it may choose. */
static void read_guess_answered(dn_call *call)
{
    if (dn_answer_refuses_format(&call->answer)) {
        dn_device_request request = request_of(call, DN_COAP_GET, DN_FORMAT_NONE);
        dn_device_send(call, &request, dn_device_reply);
        return;
    }
    dn_device_reply(call);
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
    dn_device_request request = request_of(call, DN_COAP_GET, format);
    request.settle = settle_read;
    dn_device_send(call, &request, call->guess ? read_guess_answered : dn_device_reply);
}

/* ---- discover ----------------------------------------------------------------------------- */

static void discover_with_profile(dn_call *call)
{
    dn_device_request request = request_of(call, DN_COAP_GET, DN_FORMAT_LINK);
    dn_device_send(call, &request, dn_device_reply);
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

void dn_handle_execute(dn_call *call)
{
    dn_text args = {0};
    if (!dn_device_parameters(call, NULL) || !dn_execute_args(call, &args)) {
        dn_text_free(&args);
        return;
    }
    dn_device_request request = request_of(call, DN_COAP_POST, DN_FORMAT_NONE);
    if (args.len > 0) {
        request.content_format = DN_FORMAT_TEXT;
        request.payload = dn_text_view(&args);
    }
    dn_device_send(call, &request, dn_device_reply);
    dn_text_free(&args); /* the fleet has copied it */
}

void dn_handle_delete(dn_call *call)
{
    if (dn_device_parameters(call, NULL)) {
        dn_device_request request = request_of(call, DN_COAP_DELETE, DN_FORMAT_NONE);
        dn_device_send(call, &request, dn_device_reply);
    }
}
