/* SPDX-License-Identifier: Apache-2.0 */
/* From a CoAP request of a bootstrap server to the operation that it is (Transport 1.1.1 table 6.4.2-1). */
#include "client/bootstrap_operation.h"

#include "client/bootstrap_serve.h"
#include "client/bootstrap_write.h"
#include "client/formats.h"
#include "client/operation.h"
#include "client/tree.h"

#define CODE_OK     0
#define FINISH_PATH "bs"

/* POST /bs, and nothing more. */
static bool names_finish(const dn_coap_incoming *request)
{
    dn_coap_options walk = request->options;
    dunlin_slice segment;
    return dn_coap_option_find(&walk, DN_OPTION_URI_PATH, &segment) == DUNLIN_OK &&
           dunlin_slice_equal(segment, dunlin_slice_of(FINISH_PATH)) &&
           dn_coap_option_find(&walk, DN_OPTION_URI_PATH, &segment) != DUNLIN_OK;
}

dn_bootstrap_operation dn_client_bootstrap_operation_of(const dn_coap_incoming *request)
{
    switch (request->code) {
    case DN_COAP_GET:
        return request->accept == DN_FORMAT_LINK ? DN_BOOTSTRAP_DISCOVER : DN_BOOTSTRAP_READ;
    case DN_COAP_PUT:
        return DN_BOOTSTRAP_WRITE;
    case DN_COAP_DELETE:
        return DN_BOOTSTRAP_DELETE;
    case DN_COAP_POST:
        return names_finish(request) ? DN_BOOTSTRAP_FINISH : DN_BOOTSTRAP_OTHER;
    default:
        return DN_BOOTSTRAP_OTHER;
    }
}

/* The alternate path is none of a bootstrap server's business (Transport 1.1.1 section 6.4.2): it would be a bad segment. */
static uint8_t read_path(const dn_coap_incoming *request, dunlin_path *path)
{
    dn_coap_options walk = request->options;
    dunlin_slice segment;
    *path = dunlin_path_root();
    while (dn_coap_option_find(&walk, DN_OPTION_URI_PATH, &segment) == DUNLIN_OK) {
        dunlin_path one;
        if (dunlin_path_parse(segment, &one) != DUNLIN_OK || one.depth != 1) {
            return DN_COAP_BAD_REQUEST;
        }
        if (path->depth == DUNLIN_PATH_DEPTH_MAX) {
            return DN_COAP_BAD_REQUEST;
        }
        *path = dunlin_path_child(*path, one.id[0]);
    }
    walk = request->options;
    return dn_coap_option_find(&walk, DN_OPTION_URI_QUERY, &segment) == DUNLIN_OK ? DN_COAP_BAD_REQUEST
                                                                                  : CODE_OK;
}

/* What a Write is about, as far as it is there. */
static uint8_t find_target(dunlin_client *client, dunlin_path path, dn_place *target)
{
    *target = (dn_place){.client = client, .path = path, .index = DN_NO_INDEX};
    if (path.depth == 0) {
        return DN_COAP_BAD_REQUEST;
    }
    if (path.depth > 3) {
        return DN_COAP_METHOD_NOT_ALLOWED;
    }
    target->object = dn_client_tree_object(client, path.id[0]);
    if (target->object == NULL) {
        return DN_COAP_NOT_FOUND;
    }
    if (path.depth == 3) {
        target->resource = dn_client_tree_resource(target->object->def, path.id[2]);
    }
    return path.depth == 3 && target->resource == NULL ? DN_COAP_NOT_FOUND : CODE_OK;
}

uint8_t dn_client_bootstrap_write(dunlin_client *client, dunlin_path path, const dn_coap_incoming *request,
                                  dunlin_buf *body)
{
    dn_place target;
    const uint8_t code = find_target(client, path, &target);
    if (code != CODE_OK) {
        return code;
    }
    if (request->content_format == DN_FORMAT_NONE ||
        !dn_client_formats_takes(client, &target, request->content_format)) {
        return DN_COAP_UNSUPPORTED_FORMAT;
    }
    dn_bootstrap_write write = {
        .client = client,
        .base = path,
        .format = request->content_format,
        .payload = request->payload,
        .scratch = *body,
    };
    return dn_client_bootstrap_code(dn_client_bootstrap_put(&write));
}

static uint8_t operate(dunlin_client *client, dn_bootstrap_operation operation,
                       const dn_coap_incoming *request, dunlin_buf *body, dn_coap_reply *reply)
{
    dunlin_path path;
    if (operation == DN_BOOTSTRAP_OTHER || operation == DN_BOOTSTRAP_FINISH) {
        return DN_COAP_METHOD_NOT_ALLOWED;
    }
    const uint8_t code = read_path(request, &path);
    if (code != CODE_OK) {
        return code;
    }
    switch (operation) {
    case DN_BOOTSTRAP_DISCOVER:
        return dn_client_bootstrap_discover(client, path, body, reply);
    case DN_BOOTSTRAP_READ:
        return dn_client_bootstrap_read(client, path, request->accept, body, reply);
    case DN_BOOTSTRAP_WRITE:
        return dn_client_bootstrap_write(client, path, request, body);
    default:
        return dn_client_bootstrap_delete(client, path);
    }
}

uint8_t dn_client_bootstrap_operate(dunlin_client *client, dn_bootstrap_operation operation,
                                    const dn_coap_incoming *request, dunlin_buf *body, dn_coap_reply *reply)
{
    reply->code = operate(client, operation, request, body, reply);
    return reply->code;
}
