/* SPDX-License-Identifier: Apache-2.0 */
/* Write-Composite: values of several instances and Objects, all or nothing. */
#include "client/access.h"
#include "client/composite.h"
#include "client/formats.h"
#include "client/image.h"
#include "client/observe.h"
#include "client/operation.h"
#include "client/resource.h"
#include "client/tree.h"
#include "client/undo.h"
#include "client/write.h"

#define CODE_OK 0

typedef struct {
    dn_operation *op;
    dunlin_path *paths; /* [room] of the records, in client->work */
    size_t count, room;
    bool undoable;
    bool keeps;               /* some of it is in the image, which can fail to be saved */
    bool has_stream, streams; /* a STREAM has a value; it is being applied, after all that can be undone */
} composite_write;

static dn_paths paths_of(const composite_write *write)
{
    return (dn_paths){write->paths, write->count};
}

/* The first `count` paths hold one that is within `path`. */
static bool named_before(dn_paths paths, size_t count, dunlin_path path)
{
    for (size_t i = 0; i < count; i++) {
        if (dunlin_path_within(paths.path[i], path)) {
            return true;
        }
    }
    return false;
}

/* Resources and Resource Instances only; each must be there (or be defined, if it is an optional resource),
   writable, and the server's to write. */
static uint8_t locate(const composite_write *write, const dn_record *record, dn_place *place)
{
    dunlin_client *client = write->op->client;
    dunlin_path resource = record->path;
    if (record->kind != DN_RECORD_VALUE || record->path.depth < 3) {
        return DN_COAP_BAD_REQUEST;
    }
    if (dn_client_hidden(client, record->path.id[0])) {
        return DN_COAP_UNAUTHORIZED;
    }
    resource.depth = 3;
    if (dn_client_tree_find(client, resource, false, place) != DUNLIN_OK) {
        return DN_COAP_NOT_FOUND;
    }
    place->path = record->path;
    place->server = write->op->at.server;
    if (!dn_client_access_may(client, place->server, resource, DUNLIN_ACCESS_WRITE)) {
        client->counters.denied++;
        return DN_COAP_UNAUTHORIZED;
    }
    if ((place->resource->flags & DUNLIN_W) == 0 ||
        (record->path.depth == 4 && !dn_client_resource_multiple(place->resource))) {
        return DN_COAP_METHOD_NOT_ALLOWED;
    }
    return dn_client_write_shape_fits(place->resource, record) ? CODE_OK : DN_COAP_BAD_REQUEST;
}

/* What a list would hold with the instances that the request adds to it. */
static uint8_t check_room(const composite_write *write, const dn_place *place)
{
    dunlin_path resource = place->path;
    uint32_t held = 1;
    resource.depth = 3;
    if (dn_client_resource_next(place, place->path.id[3]) == place->path.id[3]) {
        return CODE_OK;
    }
    for (uint32_t id = 0; (id = dn_client_resource_next(place, id)) != DUNLIN_ID_NONE; id++) {
        held++;
    }
    for (size_t i = 0; i < write->count; i++) {
        const dunlin_path *path = &write->paths[i];
        if (dunlin_path_within(*path, resource) &&
            dn_client_resource_next(place, path->id[3]) != path->id[3]) {
            held++;
        }
    }
    return held > place->resource->capacity ? DN_COAP_UNAUTHORIZED : CODE_OK;
}

static uint8_t check_record(composite_write *write, dn_record *record)
{
    dn_place place;
    uint8_t code = locate(write, record, &place);
    if (code != CODE_OK) {
        return code;
    }
    if (named_before(paths_of(write), write->count, record->path)) {
        return DN_COAP_BAD_REQUEST;
    }
    if (write->count == write->room) {
        return DN_COAP_TOO_LARGE;
    }
    const dunlin_status status = dn_client_resource_check(&place, &record->value);
    if (status != DUNLIN_OK) {
        return dn_client_code_of(status);
    }
    if (dn_client_resource_multiple(place.resource)) {
        code = check_room(write, &place);
    }
    if (code == CODE_OK && place.resource->kept == DUNLIN_KEPT_STREAM) {
        code = write->has_stream ? DN_COAP_BAD_REQUEST : CODE_OK; /* not both could be taken back */
        write->has_stream = write->undoable = true;
    }
    if (code == CODE_OK) {
        write->paths[write->count++] = record->path;
        write->keeps = write->keeps || dn_client_image_keeps(place.object->def);
        write->undoable = write->undoable || write->keeps || dn_client_write_may_fail(place.object->def);
    }
    return code;
}

/* `count` is that of the records applied so far. */
static uint8_t apply_record(composite_write *write, dn_record *record)
{
    dn_place place;
    const uint8_t code = locate(write, record, &place);
    if (code != CODE_OK) {
        return code;
    }
    dunlin_path resource = record->path;
    resource.depth = 3;
    const size_t at = write->count++;
    if ((place.resource->kept == DUNLIN_KEPT_STREAM) != write->streams) {
        return CODE_OK;
    }
    if (write->undoable && !named_before(paths_of(write), at, resource) &&
        dn_client_undo_note(&place) != DUNLIN_OK) {
        return DN_COAP_INTERNAL_ERROR;
    }
    return dn_client_write_store(&place, &record->value);
}

static uint8_t each_record(composite_write *write, uint8_t (*act)(composite_write *, dn_record *))
{
    dn_decoder decoder;
    dn_record record;
    write->count = 0;
    const dn_coap_incoming *request = write->op->request;
    dunlin_status status = dn_client_formats_decode(&decoder, write->op->client, request->content_format,
                                                    dunlin_path_root(), request->payload, *write->op->body);
    while (status == DUNLIN_OK && (status = dn_decode_next(&decoder, &record)) == DUNLIN_OK) {
        const uint8_t code = act(write, &record);
        if (code != CODE_OK) {
            return code;
        }
    }
    return status == DUNLIN_END && write->count > 0 ? CODE_OK : DN_COAP_BAD_REQUEST;
}

static void tell(const composite_write *write)
{
    for (size_t i = 0; i < write->count; i++) {
        const dunlin_client_event event = {
            .kind = DUNLIN_CLIENT_CHANGED, .server = write->op->at.server, .path = write->paths[i]};
        dn_client_observe_changed(write->op->client, write->paths[i]);
        dn_client_tell(write->op->client, &event);
    }
}

uint8_t dn_client_operation_write_composite(dn_operation *op)
{
    dunlin_client *client = op->client;
    composite_write write = {.op = op,
                             .paths = (dunlin_path *)(void *)client->work,
                             .room = client->config.max_body / sizeof(dunlin_path)};
    if (op->request->content_format == DN_FORMAT_NONE) {
        return DN_COAP_BAD_REQUEST;
    }
    if (!dn_client_composite_format(op->request->content_format)) {
        return DN_COAP_UNSUPPORTED_FORMAT;
    }
    uint8_t code = each_record(&write, check_record);
    if (code != CODE_OK) {
        return code;
    }
    const dn_undo_mark mark = dn_client_undo_begin(client);
    code = each_record(&write, apply_record);
    if (code == CODE_OK && write.has_stream) {
        write.streams = true;
        code = each_record(&write, apply_record);
    }
    if (code == CODE_OK && write.keeps) {
        dn_client_image_touch(client);
        code = dn_client_image_save(client) == DUNLIN_OK ? CODE_OK : DN_COAP_INTERNAL_ERROR;
    }
    if (code != CODE_OK) {
        dn_client_undo_run(client, mark, op->at.server);
        return code;
    }
    dn_client_undo_end(client, mark);
    tell(&write);
    return DN_COAP_CHANGED;
}
