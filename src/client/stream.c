/* SPDX-License-Identifier: Apache-2.0 */
/* Writes to resources that take their value a piece at a time. */
#include "client/stream.h"

#include "client/formats.h"
#include "client/resource.h"
#include "client/tree.h"
#include <string.h>

bool dn_client_stream_wants(dunlin_client *client, const dn_coap_incoming *request)
{
    dunlin_path path;
    dn_place place;
    if ((request->code != DN_COAP_PUT && request->code != DN_COAP_POST) ||
        !dn_client_path_of(client, request, &path) || path.depth != 3 ||
        dn_client_tree_find(client, path, true, &place) != DUNLIN_OK ||
        place.resource->kept != DUNLIN_KEPT_STREAM) {
        return false;
    }
    return dn_format_canonical(request->content_format) == DN_FORMAT_OPAQUE ||
           !dn_client_formats_takes(client, &place, request->content_format);
}

/* Tells the application that the rest of an unfinished value will not come. */
static void give_up(dunlin_client *client)
{
    dn_place place;
    const dn_stream stream = client->stream;
    memset(&client->stream, 0, sizeof client->stream);
    if (stream.active && dn_client_tree_find(client, stream.path, true, &place) == DUNLIN_OK) {
        place.server = stream.server;
        const dunlin_call call = dn_client_resource_call(&place);
        (void)place.resource->take(&call, NULL);
    }
}

/* Makes room for a new value at `place`: a transfer of the same server to it was given up by beginning anew. */
static dunlin_status begin(const dn_place *place)
{
    const dn_stream *stream = &place->client->stream;
    if (stream->active &&
        (stream->server != place->server || !dunlin_path_equal(stream->path, place->path))) {
        return DUNLIN_ERR_LIMIT;
    }
    give_up(place->client);
    return DUNLIN_OK;
}

static dunlin_status take(const dn_place *place, const dunlin_piece *piece)
{
    const dunlin_call call = dn_client_resource_call(place);
    return place->resource->take(&call, piece);
}

dunlin_status dn_client_stream_store(const dn_place *place, dunlin_slice bytes)
{
    const dunlin_piece piece = {.offset = 0, .bytes = bytes, .more = false};
    const dunlin_status status = begin(place);
    return status == DUNLIN_OK ? take(place, &piece) : status;
}

static bool too_large(const dunlin_resource *resource, const dunlin_piece *piece)
{
    return resource->max != 0 && piece->offset + piece->bytes.len > (uint64_t)resource->max;
}

static void tell_changed(const dn_operation *op)
{
    const dunlin_client_event event = {
        .kind = DUNLIN_CLIENT_CHANGED, .server = op->at.server, .path = op->at.path};
    dn_client_tell(op->client, &event);
}

uint8_t dn_client_stream_write(dn_operation *op)
{
    dn_stream *stream = &op->client->stream;
    const dunlin_piece whole = {.offset = 0, .bytes = op->request->payload, .more = false};
    const dunlin_piece *piece = op->piece == NULL ? &whole : op->piece;
    if (piece->offset == 0) {
        const dunlin_status status = begin(&op->at);
        if (status != DUNLIN_OK) {
            return dn_client_code_of(status);
        }
    } else if (!stream->active || stream->key != op->request->key || stream->next != piece->offset) {
        return DN_COAP_INCOMPLETE;
    }
    if (too_large(op->at.resource, piece)) {
        give_up(op->client);
        return DN_COAP_TOO_LARGE;
    }
    *stream = (dn_stream){.active = piece->more,
                          .key = op->request->key,
                          .path = op->at.path,
                          .server = op->at.server,
                          .next = piece->offset + piece->bytes.len};
    const dunlin_status status = take(&op->at, piece);
    if (status != DUNLIN_OK) {
        memset(stream, 0, sizeof *stream);
        return dn_client_code_of(status);
    }
    if (piece->more) {
        return DN_COAP_CONTINUE;
    }
    tell_changed(op);
    return DN_COAP_CHANGED;
}

void dn_client_stream_lost(dunlin_client *client, uint64_t key)
{
    if (client->stream.active && client->stream.key == key) {
        give_up(client);
    }
}

void dn_client_stream_gone(dunlin_client *client, dunlin_path instance)
{
    if (client->stream.active && dunlin_path_within(client->stream.path, instance)) {
        give_up(client);
    }
}
