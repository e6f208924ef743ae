/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bootstrap-Write in passes over the payload: names (which makes the instances), values, and then the changes, of those Objects first
 * that can refuse. What was changed by then is taken back from the log of old values, what was made is unmade.
 */
#include "client/bootstrap_write.h"

#include "client/bootstrap_remove.h"
#include "client/formats.h"
#include "client/observe.h"
#include "client/operation.h"
#include "client/registration.h"
#include "client/resource.h"
#include "client/tree.h"
#include "client/undo.h"
#include "client/write.h"
#include <string.h>

#define SECURITY_OBJECT 0u
#define SERVER_OBJECT   1u
#define ACCESS_OBJECT   2u
#define OSCORE_OBJECT   21u
#define IS_BOOTSTRAP    1u /* /0/x/1 */

typedef dunlin_status act(dn_bootstrap_write *write, dn_record *record);

/* Bootstrap knows no alternate path (Transport 1.1.1 section 6.4.2), so that names have none either. */
static dunlin_status each_record(dn_bootstrap_write *write, act *does)
{
    dn_decoder decoder;
    dn_record record;
    write->scratch.len = 0;
    dunlin_status status = dn_decode(&decoder, write->format, write->base, write->payload,
                                     dn_client_formats_types(write->client), write->scratch);
    while (status == DUNLIN_OK && (status = dn_decode_next(&decoder, &record)) == DUNLIN_OK) {
        status = does(write, &record);
    }
    return status == DUNLIN_END ? DUNLIN_OK : status;
}

/* ---- instances ---- */

static bool is_added(const dn_bootstrap_write *write, dunlin_path path)
{
    for (size_t i = 0; i < write->added_count; i++) {
        if (write->added[i].object == path.id[0] && write->added[i].instance == path.id[1]) {
            return true;
        }
    }
    return false;
}

/* What a value can be written to at all. */
static bool is_settable(const dunlin_resource *resource)
{
    return resource->kept == DUNLIN_KEPT_FIELD || resource->kept == DUNLIN_KEPT_LIST ||
           (resource->kept == DUNLIN_KEPT_CALL && resource->set != NULL);
}

/* Objects that hold nothing but configuration: the device has no values for them. */
static bool is_configuration(const dunlin_object *def)
{
    return def->id == SECURITY_OBJECT || def->id == SERVER_OBJECT || def->id == ACCESS_OBJECT ||
           def->id == OSCORE_OBJECT;
}

/* Absent until they are written; what a callback keeps has a value from the start. */
static void strip(const dn_object_slot *slot, uint16_t index)
{
    for (size_t row = 0; row < slot->def->resource_count; row++) {
        const dunlin_resource *r = &slot->def->resources[row];
        const bool of_device = (r->flags & DUNLIN_RW) == DUNLIN_R && !is_configuration(slot->def);
        const bool filled = (r->flags & DUNLIN_FILLED) != 0 ||
                            ((r->flags & DUNLIN_MANDATORY) != 0 && r->kept == DUNLIN_KEPT_CALL);
        if (is_settable(r) && !of_device && !filled) {
            dn_client_tree_set_present(slot, index, r, false);
        }
    }
}

static dunlin_status add_instance(dn_bootstrap_write *write, dn_object_slot *slot, uint16_t id)
{
    dn_place place;
    uint16_t index = 0;
    const dunlin_object *def = slot->def;
    if (id != 0 && (def->flags & DUNLIN_MULTIPLE) == 0) {
        return DUNLIN_ERR_RANGE;
    }
    if (write->added_count == DN_BOOTSTRAP_ADDED_MAX || dn_client_tree_add(slot, id, &index) != DUNLIN_OK) {
        return DUNLIN_ERR_LIMIT;
    }
    dunlin_status status =
        dn_client_tree_find(write->client, dunlin_path_instance(def->id, id), true, &place);
    place.server = DUNLIN_BOOTSTRAP_SERVER;
    const dunlin_call call = dn_client_resource_call(&place);
    if (call.instance != NULL) {
        memset(call.instance, 0, def->size);
    }
    if (status == DUNLIN_OK && def->created != NULL) {
        status = def->created(&call);
    }
    if (status != DUNLIN_OK) {
        dn_client_tree_remove(slot, index);
        return status;
    }
    strip(slot, index);
    write->added[write->added_count++] = (dunlin_objlnk){def->id, id};
    return DUNLIN_OK;
}

static dunlin_status ensure_instance(dn_bootstrap_write *write, dunlin_path path)
{
    dn_object_slot *slot = dn_client_tree_object(write->client, path.id[0]);
    if (slot == NULL) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    return dn_client_tree_instance(slot, path.id[1]) != DN_NO_INDEX ? DUNLIN_OK
                                                                    : add_instance(write, slot, path.id[1]);
}

/* As if they had never been there. */
static void unmake(dn_bootstrap_write *write)
{
    while (write->added_count > 0) {
        const dunlin_objlnk link = write->added[--write->added_count];
        dn_place place;
        if (dn_client_tree_find(write->client, dunlin_path_instance(link.object, link.instance), true,
                                &place) != DUNLIN_OK) {
            continue;
        }
        if (place.object->def->removed != NULL) {
            const dunlin_call call = dn_client_resource_call(&place);
            place.object->def->removed(&call);
        }
        dn_client_tree_remove(dn_client_tree_object(write->client, link.object), place.index);
    }
}

/* ---- names ---- */

static dunlin_status take_name(dn_bootstrap_write *write, dn_record *record)
{
    const dunlin_path path = record->path;
    if (path.depth < 2 || path.id[1] == DUNLIN_ID_NONE) {
        return DUNLIN_ERR_MALFORMED; /* an Object's payload is made of instances */
    }
    if (!dunlin_path_within(path, write->base)) {
        return DUNLIN_ERR_PATH;
    }
    return ++write->records > DN_BOOTSTRAP_RECORDS_MAX ? DUNLIN_ERR_LIMIT : ensure_instance(write, path);
}

/* Counts what of write->path comes again behind it. */
static dunlin_status compare_name(dn_bootstrap_write *write, dn_record *record)
{
    const size_t i = write->seen++;
    if (i == write->at) {
        write->path = record->path;
        write->in_list = 1;
    }
    if (i <= write->at || record->path.depth < 3 || write->path.depth < 3) {
        return DUNLIN_OK;
    }
    if (dunlin_path_within(record->path, write->path) || dunlin_path_within(write->path, record->path)) {
        return DUNLIN_ERR_DUPLICATE;
    }
    dunlin_path list = write->path;
    list.depth = 3;
    write->in_list += dunlin_path_within(record->path, list) ? 1 : 0;
    return DUNLIN_OK;
}

/* A decoder only notices what stands side by side. No memory but the payload itself is long enough for all names. */
static dunlin_status check_names(dn_bootstrap_write *write)
{
    for (write->at = 0; write->at < write->records; write->at++) {
        dn_place place;
        write->seen = 0;
        const dunlin_status status = each_record(write, compare_name);
        if (status != DUNLIN_OK) {
            return status;
        }
        dunlin_path resource = write->path;
        resource.depth = 3;
        if (write->path.depth == 4 &&
            dn_client_tree_find(write->client, resource, false, &place) == DUNLIN_OK &&
            place.resource->kept == DUNLIN_KEPT_LIST && write->in_list > place.resource->capacity) {
            return DUNLIN_ERR_LIMIT;
        }
    }
    return DUNLIN_OK;
}

/* ---- values ---- */

/* What a record is about. END: nothing that there is to do, as for an optional resource that we do not know. */
static dunlin_status locate(const dn_bootstrap_write *write, const dn_record *record, dn_place *place)
{
    if (record->path.depth < 3) {
        return DUNLIN_END;
    }
    dunlin_path instance = record->path;
    instance.depth = 2;
    const dunlin_status status = dn_client_tree_find(write->client, instance, true, place);
    if (status != DUNLIN_OK) {
        return status;
    }
    place->path = record->path;
    place->server = DUNLIN_BOOTSTRAP_SERVER;
    place->resource = dn_client_tree_resource(place->object->def, record->path.id[2]);
    if (place->resource == NULL) {
        return DUNLIN_END;
    }
    if (!is_settable(place->resource)) {
        return write->factory ? DUNLIN_END : DUNLIN_ERR_STATE;
    }
    return dn_client_write_shape_fits(place->resource, record) ? DUNLIN_OK : DUNLIN_ERR_TYPE;
}

/* As a Write checks it, but for where a link leads. */
static dunlin_status check_value(const dn_place *place, dunlin_value *value)
{
    const dunlin_resource *r = place->resource;
    if (r->type != DUNLIN_TYPE_OBJLNK) {
        return dn_client_resource_check(place, value);
    }
    const dunlin_status status =
        value->type == r->type ? DUNLIN_OK : dn_value_convert(value, DUNLIN_TYPE_OBJLNK);
    if (status != DUNLIN_OK || r->check == NULL) {
        return status;
    }
    const dunlin_call call = dn_client_resource_call(place);
    return r->check(&call, value);
}

static bool is_bootstrap(const dn_place *place)
{
    dunlin_value value;
    return dn_client_resource_load(place, &value) == DUNLIN_OK && value.as.boolean;
}

/* Whether there would be a second one is seen here already, so that the first is not lost (Core 1.1.1 section 6.1.7.4). */
static void count_bootstrap(dn_bootstrap_write *write, const dn_place *place, bool becomes)
{
    write->bootstraps += (becomes ? 1 : 0) - (is_bootstrap(place) ? 1 : 0);
    write->tells_bootstrap = write->tells_bootstrap || becomes;
}

static dunlin_status check_record(dn_bootstrap_write *write, dn_record *record)
{
    dn_place place;
    dunlin_status status = locate(write, record, &place);
    if (status != DUNLIN_OK) {
        return status == DUNLIN_END ? DUNLIN_OK : status;
    }
    if (record->kind == DN_RECORD_EMPTY) {
        return DUNLIN_OK;
    }
    status = check_value(&place, &record->value);
    if (status == DUNLIN_OK && place.path.id[0] == SECURITY_OBJECT && place.path.id[2] == IS_BOOTSTRAP) {
        count_bootstrap(write, &place, record->value.as.boolean);
    }
    return status;
}

static int count_bootstraps(dunlin_client *client)
{
    dn_place place;
    int count = 0;
    uint16_t index = 0;
    const dn_object_slot *slot = dn_client_tree_object(client, SECURITY_OBJECT);
    for (uint16_t id = 0; (id = dn_client_tree_next(slot, id, &index)) != DUNLIN_ID_NONE; id++) {
        const dunlin_path path = dunlin_path_resource(SECURITY_OBJECT, id, IS_BOOTSTRAP);
        count += dn_client_tree_find(client, path, true, &place) == DUNLIN_OK && is_bootstrap(&place) ? 1 : 0;
    }
    return count;
}

static dunlin_status check_values(dn_bootstrap_write *write)
{
    write->bootstraps = count_bootstraps(write->client);
    const dunlin_status status = each_record(write, check_record);
    if (status != DUNLIN_OK) {
        return status;
    }
    return write->tells_bootstrap && write->bootstraps > 1 ? DUNLIN_ERR_DUPLICATE : DUNLIN_OK;
}

/* ---- changes ---- */

/* Objects 0 and 1 take whatever was checked, so that their credentials need not fit into the log of old values. */
static bool is_fallible(const dunlin_object *def)
{
    return def->id != SECURITY_OBJECT && def->id != SERVER_OBJECT && dn_client_write_may_fail(def);
}

/* The same for both passes of a round: OK: it is to be applied now. */
static dunlin_status locate_in_round(const dn_bootstrap_write *write, const dn_record *record,
                                     dn_place *place)
{
    const dunlin_status status = locate(write, record, place);
    return status == DUNLIN_OK && is_fallible(place->object->def) != write->fallible ? DUNLIN_END : status;
}

/* Notes the old value, and empties a list. */
static dunlin_status clear_record(dn_bootstrap_write *write, dn_record *record)
{
    dn_place place;
    dunlin_status status = locate_in_round(write, record, &place);
    if (status != DUNLIN_OK) {
        return status == DUNLIN_END ? DUNLIN_OK : status;
    }
    place.path.depth = 3;
    if (dunlin_path_equal(place.path, write->path)) {
        return DUNLIN_OK;
    }
    write->path = place.path;
    if (write->fallible && !is_added(write, place.path)) {
        status = dn_client_undo_note(&place);
    }
    if (status == DUNLIN_OK && place.resource->kept == DUNLIN_KEPT_LIST) {
        dn_client_resource_clear(&place);
        dn_client_tree_set_present(place.object, place.index, place.resource, true);
    }
    return status;
}

static dunlin_status store_record(dn_bootstrap_write *write, dn_record *record)
{
    dn_place place;
    dunlin_status status = locate_in_round(write, record, &place);
    if (status != DUNLIN_OK || record->kind == DN_RECORD_EMPTY) {
        return status == DUNLIN_END ? DUNLIN_OK : status;
    }
    if (record->value.type != place.resource->type) {
        status = dn_value_convert(&record->value, (dunlin_type)place.resource->type);
    }
    return status == DUNLIN_OK ? dn_client_resource_store(&place, &record->value) : status;
}

static dunlin_status apply_round(dn_bootstrap_write *write, bool fallible)
{
    write->fallible = fallible;
    write->path = dunlin_path_root();
    const dunlin_status status = each_record(write, clear_record);
    return status == DUNLIN_OK ? each_record(write, store_record) : status;
}

static dunlin_status apply(dn_bootstrap_write *write)
{
    const dn_undo_mark mark = dn_client_undo_begin(write->client);
    dunlin_status status = apply_round(write, true);
    if (status == DUNLIN_OK) {
        status = apply_round(write, false);
    }
    if (status == DUNLIN_OK) {
        dn_client_undo_end(write->client, mark);
    } else {
        dn_client_undo_run(write->client, mark, DUNLIN_BOOTSTRAP_SERVER);
    }
    return status;
}

static dunlin_status mark_changed(dn_bootstrap_write *write, dn_record *record)
{
    dn_client_observe_changed(write->client, record->path);
    return DUNLIN_OK;
}

static dunlin_status prepare(dn_bootstrap_write *write)
{
    dunlin_status status = write->base.depth >= 2 ? ensure_instance(write, write->base) : DUNLIN_OK;
    if (status == DUNLIN_OK) {
        status = each_record(write, take_name);
    }
    if (status == DUNLIN_OK && write->records == 0 && write->base.depth != 2) {
        status = DUNLIN_ERR_MALFORMED; /* only an instance can be empty */
    }
    if (status == DUNLIN_OK) {
        status = check_names(write);
    }
    return status == DUNLIN_OK ? check_values(write) : status;
}

dunlin_status dn_client_bootstrap_put(dn_bootstrap_write *write)
{
    dunlin_client *client = write->client;
    write->added_count = write->records = 0;
    write->tells_bootstrap = false;
    dunlin_status status = prepare(write);
    if (status == DUNLIN_OK) {
        status = apply(write);
    }
    if (status != DUNLIN_OK) {
        unmake(write);
        return status;
    }
    (void)each_record(write, mark_changed);
    if (write->added_count > 0) {
        dn_client_registration_want_all(client, DN_WANT_LIST);
    }
    const dunlin_client_event event = {
        .kind = DUNLIN_CLIENT_CHANGED, .server = DUNLIN_BOOTSTRAP_SERVER, .path = write->base};
    dn_client_tell(client, &event);
    return DUNLIN_OK;
}

uint8_t dn_client_bootstrap_code(dunlin_status status)
{
    if (status == DUNLIN_OK) {
        return DN_COAP_CHANGED;
    }
    /* Table 6.7-1 of Transport 1.1.1 knows 4.00 for all that is wrong with what was sent; room that is not there is meant too, as
       it will not be there the next time either. */
    return dunlin_is_bad_input(status) || status == DUNLIN_ERR_LIMIT || status == DUNLIN_ERR_STATE ||
                   status == DUNLIN_ERR_NOT_FOUND
               ? DN_COAP_BAD_REQUEST
               : DN_COAP_INTERNAL_ERROR;
}
