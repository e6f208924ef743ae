/* SPDX-License-Identifier: Apache-2.0 */
/* Read-Composite: the names in the request, and what is read of them. */
#include "client/composite.h"

#include "client/access.h"
#include "client/formats.h"
#include "client/observe.h"
#include "client/operation.h"
#include "client/read.h"
#include "client/resource.h"
#include "client/tree.h"

#define CODE_OK 0

bool dn_client_composite_format(uint16_t format)
{
    return format == DN_FORMAT_SENML_JSON || format == DN_FORMAT_SENML_CBOR;
}

uint8_t dn_client_composite_paths(dunlin_client *client, const dn_coap_incoming *request, dunlin_buf scratch,
                                  dn_paths *paths)
{
    dn_decoder decoder;
    dn_record record;
    dunlin_path *list = (dunlin_path *)(void *)client->work;
    const size_t room = client->config.max_body / sizeof *list;
    paths->path = list;
    paths->count = 0;
    if (request->content_format == DN_FORMAT_NONE) {
        return DN_COAP_BAD_REQUEST;
    }
    if (!dn_client_composite_format(request->content_format)) {
        return DN_COAP_UNSUPPORTED_FORMAT;
    }
    dunlin_status status = dn_client_formats_decode(&decoder, client, request->content_format,
                                                    dunlin_path_root(), request->payload, scratch);
    while (status == DUNLIN_OK && (status = dn_decode_next(&decoder, &record)) == DUNLIN_OK) {
        if (record.kind != DN_RECORD_EMPTY) {
            return DN_COAP_BAD_REQUEST;
        }
        if (paths->count == room) {
            return DN_COAP_TOO_LARGE;
        }
        list[paths->count++] = record.path;
    }
    return status == DUNLIN_END && paths->count > 0 ? CODE_OK : DN_COAP_BAD_REQUEST;
}

/* Whether another path of the list covers the one at `at`, so that its values are told there. */
static bool covered(dn_paths paths, size_t at)
{
    for (size_t i = 0; i < paths.count; i++) {
        const bool same = dunlin_path_equal(paths.path[i], paths.path[at]);
        if (same ? i < at : dunlin_path_within(paths.path[at], paths.path[i])) {
            return true;
        }
    }
    return false;
}

/* Adds what is at one path. True unless it was refused to this server. */
static bool add_path(dunlin_client *client, uint16_t server, dunlin_path path, dn_encoder *encoder)
{
    dn_place place;
    if (dn_client_hidden(client, path.id[0])) {
        return false;
    }
    if (dn_client_tree_find(client, path, true, &place) != DUNLIN_OK) {
        return true;
    }
    place.server = server;
    if (!dn_client_access_may(client, server, path, DUNLIN_ACCESS_READ)) {
        return false;
    }
    if (place.resource == NULL || dn_client_resource_readable(place.resource)) {
        (void)dn_client_read_add(&place, encoder); /* what cannot be read now is left out */
    }
    return true;
}

/* The root: all Objects but those that are nobody's. */
static void add_root(dunlin_client *client, uint16_t server, dn_encoder *encoder)
{
    for (uint16_t i = 0; i < client->object_count; i++) {
        (void)add_path(client, server, dunlin_path_object(client->objects[i].def->id), encoder);
    }
}

uint8_t dn_client_composite_read(dunlin_client *client, uint16_t server, dn_paths paths, uint16_t accept,
                                 dunlin_buf out, dunlin_slice *payload, uint16_t *format)
{
    dn_encoder encoder;
    bool allowed = false;
    *format = accept == DN_FORMAT_NONE ? DN_FORMAT_SENML_CBOR : accept;
    if (!dn_client_composite_format(*format) ||
        dn_encode(&encoder, *format, dunlin_path_root(), out) != DUNLIN_OK) {
        return DN_COAP_NOT_ACCEPTABLE;
    }
    for (size_t i = 0; i < paths.count; i++) {
        if (paths.path[i].depth == 0) {
            allowed = true;
            add_root(client, server, &encoder);
            break; /* there is nothing else */
        }
        if (!covered(paths, i)) {
            allowed |= add_path(client, server, paths.path[i], &encoder);
        }
    }
    if (!allowed) {
        return DN_COAP_UNAUTHORIZED;
    }
    return dn_encode_finish(&encoder, payload) == DUNLIN_OK ? DN_COAP_CONTENT : DN_COAP_INTERNAL_ERROR;
}

uint8_t dn_client_operation_read_composite(dn_operation *op)
{
    const dn_coap_incoming *request = op->request;
    dn_paths paths;
    uint16_t format = DN_FORMAT_NONE;
    uint8_t code = dn_client_composite_paths(op->client, request, *op->body, &paths);
    if (code != CODE_OK) {
        return code;
    }
    /* Left to us, it is the format that the server itself has used. */
    const uint16_t accept = request->accept == DN_FORMAT_NONE ? request->content_format : request->accept;
    code = dn_client_composite_read(op->client, op->at.server, paths, accept, *op->body, &op->reply->payload,
                                    &format);
    if (code != DN_COAP_CONTENT) {
        op->reply->payload = dunlin_slice_make(NULL, 0);
        return code;
    }
    op->reply->content_format = format;
    if (request->observe == 0) {
        op->reply->observe = dn_client_observe_add_composite(op, paths, format);
    } else if (request->observe == 1) {
        dn_client_observe_cancel_composite(op->client, op->account, &request->token, paths);
    }
    return code;
}
