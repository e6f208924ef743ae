/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bootstrap-Read: the accounts and the rights that there are (Core 1.1.1 section 6.1.7.3). Only Objects 1 and 2 can be read; all of
 * what they hold, also what servers cannot read.
 */
#include "client/bootstrap_serve.h"

#include "client/formats.h"
#include "client/resource.h"
#include "client/tree.h"

#define SERVER_OBJECT 1u
#define ACCESS_OBJECT 2u

static bool has_value(const dunlin_resource *resource)
{
    return resource->kept != DUNLIN_KEPT_NONE && resource->kept != DUNLIN_KEPT_STREAM &&
           (resource->flags & DUNLIN_SECRET) == 0;
}

/* Only TLV can say that something is there and empty. */
static void put_empty(dn_encoder *encoder, const dn_walk *walk, bool multiple)
{
    const dn_record record = {.kind = DN_RECORD_EMPTY, .path = walk->at.path, .multiple = multiple};
    if (encoder->format->number == DN_FORMAT_TLV) {
        dn_encode_put(encoder, &record);
    }
}

static void put(dn_encoder *encoder, const dn_walk *walk)
{
    dn_record record = {.path = walk->at.path};
    const dunlin_resource *resource = walk->at.resource;
    if (resource == NULL || !has_value(resource)) {
        return;
    }
    record.multiple = dn_client_resource_multiple(resource);
    if (record.multiple && record.path.depth == 3) {
        if (dn_client_resource_next(&walk->at, 0) == DUNLIN_ID_NONE) {
            put_empty(encoder, walk, true);
        }
    } else if (dn_client_resource_load(&walk->at, &record.value) == DUNLIN_OK) {
        dn_encode_put(encoder, &record);
    }
}

uint8_t dn_client_bootstrap_read(dunlin_client *client, dunlin_path path, uint16_t accept, dunlin_buf *body,
                                 dn_coap_reply *reply)
{
    dn_place place;
    dn_walk walk;
    dn_encoder encoder;
    if (path.depth < 1 || path.depth > 2 || (path.id[0] != SERVER_OBJECT && path.id[0] != ACCESS_OBJECT)) {
        return DN_COAP_METHOD_NOT_ALLOWED;
    }
    if (dn_client_tree_find(client, path, true, &place) != DUNLIN_OK) {
        return DN_COAP_NOT_FOUND;
    }
    const uint16_t format = dn_client_formats_answer(client, &place, accept);
    if (format == DN_FORMAT_NONE || dn_encode(&encoder, format, path, *body) != DUNLIN_OK) {
        return DN_COAP_NOT_ACCEPTABLE;
    }
    dn_client_walk_start(&walk, &place);
    while (dn_client_walk_next(&walk)) {
        put(&encoder, &walk);
    }
    if (dn_encode_finish(&encoder, &reply->payload) != DUNLIN_OK) {
        reply->payload = dunlin_slice_make(NULL, 0);
        return DN_COAP_INTERNAL_ERROR;
    }
    reply->content_format = format;
    return DN_COAP_CONTENT;
}
