/* SPDX-License-Identifier: Apache-2.0 */
/* Write: replace and partial update, in two passes. */
#include "client/write.h"

#include "client/formats.h"
#include "client/image.h"
#include "client/observe.h"
#include "client/operation.h"
#include "client/resource.h"
#include "client/stream.h"
#include "client/tree.h"
#include "client/undo.h"
#include <string.h>

#define CODE_OK 0

static size_t row_of(const dn_place *place)
{
    return (size_t)(place->resource - place->object->def->resources);
}

static bool seen(const dn_write *write, size_t row)
{
    return (write->seen[row / 32] >> row % 32 & 1) != 0;
}

static void set_seen(dn_write *write, size_t row)
{
    write->seen[row / 32] |= (uint32_t)1 << row % 32;
}

bool dn_client_write_shape_fits(const dunlin_resource *resource, const dn_record *record)
{
    const bool multiple = dn_client_resource_multiple(resource);
    if (record->kind == DN_RECORD_VALUE) {
        return multiple == (record->path.depth == 4);
    }
    return multiple && record->multiple && record->path.depth == 3;
}

/* What the record is about. `place->resource` stays NULL for one that is to be ignored: an unknown resource
   of an instance, an instance without resources, or, for a Create, what servers may not write. */
static uint8_t locate(const dn_write *write, const dn_record *record, dn_place *place)
{
    const dn_place *target = &write->target;
    *place = *target;
    place->path = record->path;
    place->resource = NULL;
    if (record->kind == DN_RECORD_EMPTY && record->path.depth == 2) {
        return CODE_OK;
    }
    if (record->path.depth < 3 || !dunlin_path_within(record->path, target->path)) {
        return DN_COAP_BAD_REQUEST;
    }
    const dunlin_resource *resource = dn_client_tree_resource(target->object->def, record->path.id[2]);
    if (resource == NULL) {
        return CODE_OK;
    }
    if ((resource->flags & DUNLIN_W) == 0) {
        return write->mode == DN_WRITE_CREATE ? CODE_OK : DN_COAP_METHOD_NOT_ALLOWED;
    }
    place->resource = resource;
    return dn_client_write_shape_fits(resource, record) ? CODE_OK : DN_COAP_BAD_REQUEST;
}

/* Counts what a list would hold. No right to add elements where there is no room: 4.01 (Transport 1.1.1
 * section 6.4.4). */
static uint8_t check_room(dn_write *write, const dn_place *place)
{
    const size_t row = row_of(place);
    const dunlin_resource *resource = place->resource;
    const bool keeps = write->mode == DN_WRITE_UPDATE || write->target.path.depth == 4;
    const uint16_t id = place->path.id[3];
    uint32_t held = 0;
    if (keeps) {
        if (dn_client_resource_next(place, id) == id) {
            return CODE_OK;
        }
        for (uint32_t from = 0; (from = dn_client_resource_next(place, from)) != DUNLIN_ID_NONE; from++) {
            held++;
        }
    }
    write->added[row]++;
    return held + write->added[row] > resource->capacity ? DN_COAP_UNAUTHORIZED : CODE_OK;
}

/* Each element may be named once; a decoder only notices what stands side by side. */
static uint8_t check_once(dn_write *write, const dn_place *place)
{
    const dunlin_client *client = place->client;
    uint32_t *named = (uint32_t *)(void *)client->work;
    const uint32_t key = (uint32_t)row_of(place) << 16 | place->path.id[3];
    for (size_t i = 0; i < write->elements; i++) {
        if (named[i] == key) {
            return DN_COAP_BAD_REQUEST;
        }
    }
    if (write->elements == client->config.max_body / sizeof *named) {
        return DN_COAP_TOO_LARGE;
    }
    named[write->elements++] = key;
    return CODE_OK;
}

static uint8_t check_record(dn_write *write, dn_record *record)
{
    dn_place place;
    const uint8_t code = locate(write, record, &place);
    if (code != CODE_OK || place.resource == NULL) {
        return code;
    }
    const size_t row = row_of(&place);
    if (seen(write, row) && !dn_client_resource_multiple(place.resource)) {
        return DN_COAP_BAD_REQUEST;
    }
    set_seen(write, row);
    if (record->kind == DN_RECORD_EMPTY) {
        return CODE_OK;
    }
    if (place.resource->kept == DUNLIN_KEPT_STREAM) {
        if (write->has_stream) {
            return DN_COAP_BAD_REQUEST; /* not both could be taken back */
        }
        write->has_stream = true;
    }
    const dunlin_status status = dn_client_resource_check(&place, &record->value);
    if (status != DUNLIN_OK) {
        return dn_client_code_of(status);
    }
    if (!dn_client_resource_multiple(place.resource)) {
        return CODE_OK;
    }
    const uint8_t again = check_once(write, &place);
    return again == CODE_OK ? check_room(write, &place) : again;
}

static uint8_t note(const dn_write *write, const dn_place *place)
{
    return !write->undoable || dn_client_undo_note(place) == DUNLIN_OK ? CODE_OK : DN_COAP_INTERNAL_ERROR;
}

/* The first record about a resource: logs it, and empties a list that is being replaced. */
static uint8_t touch(dn_write *write, const dn_place *place)
{
    const size_t row = row_of(place);
    if (seen(write, row)) {
        return CODE_OK;
    }
    set_seen(write, row);
    if (note(write, place) != CODE_OK) {
        return DN_COAP_INTERNAL_ERROR;
    }
    if (place->resource->kept == DUNLIN_KEPT_LIST && write->mode != DN_WRITE_UPDATE &&
        write->target.path.depth < 4) {
        dn_client_resource_clear(place);
        dn_client_tree_set_present(place->object, place->index, place->resource, true);
    }
    return CODE_OK;
}

static uint8_t apply_record(dn_write *write, dn_record *record)
{
    dn_place place;
    uint8_t code = locate(write, record, &place);
    if (code != CODE_OK || place.resource == NULL) {
        return code;
    }
    if ((place.resource->kept == DUNLIN_KEPT_STREAM) != write->streams) {
        return CODE_OK;
    }
    code = touch(write, &place);
    if (code != CODE_OK || record->kind == DN_RECORD_EMPTY) {
        return code;
    }
    return dn_client_write_store(&place, &record->value);
}

uint8_t dn_client_write_store(const dn_place *place, dunlin_value *value)
{
    dunlin_status status = DUNLIN_OK;
    if (value->type != place->resource->type) {
        status = dn_value_convert(value, (dunlin_type)place->resource->type);
    }
    if (status == DUNLIN_OK) {
        status = dn_client_resource_store(place, value);
    }
    return status == DUNLIN_OK ? CODE_OK : dn_client_code_of(status);
}

static uint8_t each_record(dn_write *write, uint8_t (*act)(dn_write *, dn_record *))
{
    dn_decoder decoder;
    dn_record record;
    if (write->format == DN_FORMAT_NONE) {
        return CODE_OK;
    }
    write->scratch.len = 0;
    dunlin_status status = dn_client_formats_decode(&decoder, write->target.client, write->format,
                                                    write->base, write->payload, write->scratch);
    if (status != DUNLIN_OK) {
        return status == DUNLIN_ERR_UNSUPPORTED ? DN_COAP_UNSUPPORTED_FORMAT : DN_COAP_BAD_REQUEST;
    }
    while ((status = dn_decode_next(&decoder, &record)) == DUNLIN_OK) {
        const uint8_t code = act(write, &record);
        if (code != CODE_OK) {
            return code;
        }
    }
    return status == DUNLIN_END ? CODE_OK : DN_COAP_BAD_REQUEST;
}

/* An instance must have, in the end, all its mandatory resources (Core 1.1.1 section 6.3.3). */
static uint8_t check_complete(const dn_write *write)
{
    const dunlin_object *def = write->target.object->def;
    const bool whole = write->mode != DN_WRITE_UPDATE && write->target.path.depth == 2;
    for (size_t row = 0; whole && row < def->resource_count; row++) {
        const uint16_t flags = def->resources[row].flags;
        /* A STREAM keeps no value that could be missing. */
        const bool filled = def->resources[row].kept == DUNLIN_KEPT_STREAM ||
                            (write->mode == DN_WRITE_CREATE && (flags & DUNLIN_FILLED) != 0);
        if ((flags & DUNLIN_MANDATORY) != 0 && (flags & DUNLIN_W) != 0 && !filled && !seen(write, row)) {
            return DN_COAP_BAD_REQUEST;
        }
    }
    if (write->target.path.depth >= 3 && !seen(write, row_of(&write->target))) {
        /* Nothing at all for the target: only an emptied list makes sense. */
        return write->target.path.depth == 3 && dn_client_resource_multiple(write->target.resource)
                   ? CODE_OK
                   : DN_COAP_BAD_REQUEST;
    }
    return CODE_OK;
}

/* What a replace takes away: optional writable resources that the payload left out. */
static uint8_t drop_unseen(dn_write *write)
{
    const dunlin_object *def = write->target.object->def;
    dn_place place = write->target;
    if (write->mode == DN_WRITE_UPDATE || write->target.path.depth != 2) {
        return CODE_OK;
    }
    for (size_t row = 0; row < def->resource_count; row++) {
        place.resource = &def->resources[row];
        if ((place.resource->flags & DUNLIN_W) == 0 || (place.resource->flags & DUNLIN_MANDATORY) != 0 ||
            place.resource->kept == DUNLIN_KEPT_STREAM || seen(write, row) ||
            !dn_client_tree_present(place.object, place.index, place.resource)) {
            continue;
        }
        place.path = dunlin_path_resource(def->id, write->target.path.id[1], place.resource->id);
        if (note(write, &place) != CODE_OK) {
            return DN_COAP_INTERNAL_ERROR;
        }
        dn_client_resource_clear(&place);
        dn_client_tree_set_present(place.object, place.index, place.resource, false);
        dn_client_observe_changed(place.client, place.path);
    }
    return CODE_OK;
}

static uint8_t apply(dn_write *write)
{
    uint8_t code = drop_unseen(write);
    memset(write->seen, 0, sizeof write->seen);
    if (code == CODE_OK) {
        code = each_record(write, apply_record);
    }
    if (code == CODE_OK && write->has_stream) {
        write->streams = true;
        code = each_record(write, apply_record);
    }
    if (code == CODE_OK && write->target.resource != NULL && write->target.path.depth == 3 &&
        dn_client_resource_multiple(write->target.resource)) {
        code = touch(write, &write->target);
    }
    return code;
}

bool dn_client_write_may_fail(const dunlin_object *def)
{
    for (size_t row = 0; row < def->resource_count; row++) {
        if (def->resources[row].set != NULL) {
            return true;
        }
    }
    return false;
}

uint8_t dn_client_write_payload(dn_write *write)
{
    const dunlin_object *def = write->target.object->def;
    memset(write->seen, 0, sizeof write->seen);
    memset(write->added, 0, sizeof write->added);
    uint8_t code = each_record(write, check_record);
    if (code == CODE_OK) {
        code = check_complete(write);
    }
    if (code != CODE_OK) {
        return code;
    }
    write->undoable = write->has_stream || dn_client_write_may_fail(def);
    const dn_undo_mark mark = dn_client_undo_begin(write->target.client);
    code = apply(write);
    if (code != CODE_OK) {
        dn_client_undo_run(write->target.client, mark, write->target.server);
        return code;
    }
    dn_client_undo_end(write->target.client, mark);
    for (size_t row = 0; row < def->resource_count; row++) {
        if (seen(write, row)) {
            dn_client_observe_changed(
                write->target.client,
                dunlin_path_resource(def->id, write->target.path.id[1], def->resources[row].id));
        }
    }
    return DN_COAP_CHANGED;
}

static uint8_t write_operation(dn_operation *op, dn_write_mode mode)
{
    const dn_coap_incoming *request = op->request;
    if (op->at.resource != NULL && (op->at.resource->flags & DUNLIN_W) == 0) {
        return DN_COAP_METHOD_NOT_ALLOWED;
    }
    if (request->content_format == DN_FORMAT_NONE) {
        return DN_COAP_BAD_REQUEST;
    }
    if (!dn_client_formats_takes(op->client, &op->at, request->content_format)) {
        return DN_COAP_UNSUPPORTED_FORMAT;
    }
    if (op->at.resource != NULL && op->at.resource->kept == DUNLIN_KEPT_STREAM &&
        dn_format_canonical(request->content_format) == DN_FORMAT_OPAQUE) {
        return dn_client_stream_write(op);
    }
    dn_write write = {
        .target = op->at,
        .mode = mode,
        .format = request->content_format,
        .base = op->at.path,
        .payload = request->payload,
        .scratch = *op->body,
    };
    uint8_t code = dn_client_write_payload(&write);
    if (dn_client_image_keeps(op->at.object->def)) {
        code = dn_client_image_settle(op->client, code);
    }
    if (code == DN_COAP_CHANGED) {
        const dunlin_client_event event = {
            .kind = DUNLIN_CLIENT_CHANGED, .server = op->at.server, .path = op->at.path};
        dn_client_tell(op->client, &event);
    }
    return code;
}

uint8_t dn_client_operation_write_replace(dn_operation *op)
{
    return write_operation(op, DN_WRITE_REPLACE);
}

uint8_t dn_client_operation_write_update(dn_operation *op)
{
    return write_operation(op, DN_WRITE_UPDATE);
}
