/* SPDX-License-Identifier: Apache-2.0 */
/* Read, and the part of Observe that answers the request. */
#include "client/read.h"

#include "client/access.h"
#include "client/formats.h"
#include "client/observe.h"
#include "client/operation.h"
#include "client/resource.h"
#include "client/tree.h"

/* Adds what the walk stands at. A getter that fails leaves its resource out, as one that may not be read. */
static dunlin_status put(dn_encoder *encoder, const dn_walk *walk, bool tlv)
{
    dn_record record = {.path = walk->at.path};
    const dunlin_resource *resource = walk->at.resource;
    if (resource == NULL || !dn_client_resource_readable(resource)) {
        return DUNLIN_OK;
    }
    record.multiple = dn_client_resource_multiple(resource);
    if (record.multiple && record.path.depth == 3) {
        /* Only TLV can say that a multiple resource is there and empty. */
        if (tlv && dn_client_resource_next(&walk->at, 0) == DUNLIN_ID_NONE) {
            record.kind = DN_RECORD_EMPTY;
            dn_encode_put(encoder, &record);
        }
        return DUNLIN_OK;
    }
    const dunlin_status status = dn_client_resource_load(&walk->at, &record.value);
    if (status == DUNLIN_OK) {
        dn_encode_put(encoder, &record);
    }
    return status;
}

/* Only TLV can say that an instance is there without anything that can be read. */
static void put_empty_instance(dn_encoder *encoder, const dn_walk *walk)
{
    dn_walk inside;
    dn_place instance = walk->at;
    dn_client_walk_start(&inside, &instance);
    while (dn_client_walk_next(&inside)) {
        if (inside.at.resource != NULL && dn_client_resource_readable(inside.at.resource)) {
            return;
        }
    }
    const dn_record record = {.kind = DN_RECORD_EMPTY, .path = instance.path};
    dn_encode_put(encoder, &record);
}

dunlin_status dn_client_read_add(const dn_place *place, dn_encoder *encoder)
{
    dn_walk walk;
    const bool tlv = encoder->format->number == DN_FORMAT_TLV;
    dn_client_walk_start(&walk, place);
    while (dn_client_walk_next(&walk)) {
        if (walk.at.resource == NULL) {
            /* What this server may not read is left out of an Object (Core 1.1.1 section 8.2.2). */
            if (!dn_client_access_may(place->client, place->server, walk.at.path, DUNLIN_ACCESS_READ)) {
                dn_client_walk_skip(&walk);
            } else if (tlv && place->path.depth == 1) {
                put_empty_instance(encoder, &walk);
            }
            continue;
        }
        const dunlin_status status = put(encoder, &walk, tlv);
        if (status != DUNLIN_OK && place->path.depth >= 3) {
            return status;
        }
    }
    return DUNLIN_OK;
}

uint8_t dn_client_read_place(const dn_place *place, uint16_t accept, dunlin_buf out, dunlin_slice *payload,
                             uint16_t *format)
{
    dn_encoder encoder;
    if (place->resource != NULL && !dn_client_resource_readable(place->resource)) {
        return DN_COAP_METHOD_NOT_ALLOWED;
    }
    *format = dn_client_formats_answer(place->client, place, accept);
    if (*format == DN_FORMAT_NONE || dn_encode(&encoder, *format, place->path, out) != DUNLIN_OK) {
        return DN_COAP_NOT_ACCEPTABLE;
    }
    const dunlin_status status = dn_client_read_add(place, &encoder);
    if (status != DUNLIN_OK) {
        return dn_client_code_of(status);
    }
    return dn_encode_finish(&encoder, payload) == DUNLIN_OK ? DN_COAP_CONTENT : DN_COAP_INTERNAL_ERROR;
}

uint8_t dn_client_operation_read(dn_operation *op)
{
    const dn_coap_incoming *request = op->request;
    uint16_t format = DN_FORMAT_NONE;
    const uint8_t code =
        dn_client_read_place(&op->at, request->accept, *op->body, &op->reply->payload, &format);
    if (code != DN_COAP_CONTENT) {
        op->reply->payload = dunlin_slice_make(NULL, 0);
        return code;
    }
    op->reply->content_format = format;
    if (request->observe == 0) {
        op->reply->observe = dn_client_observe_add(op, format);
    } else if (request->observe == 1) {
        dn_client_observe_cancel(op->client, op->account, &request->token, op->at.path);
    }
    return code;
}
