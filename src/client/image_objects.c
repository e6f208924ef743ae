/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Objects in an image: each with its instances, and of each every resource that is kept, also those that are not instantiated. What the
 * image does not speak of (an Object or a resource that a newer firmware has) is left as it is; what nobody knows any more is passed over.
 */
#include "client/image_objects.h"

#include "client/image.h"
#include "client/image_section.h"
#include "client/operation.h"
#include "client/registration.h"
#include "client/remove.h"
#include "client/resource.h"
#include "client/tree.h"
#include <string.h>

#define SERVER_OBJECT 1u
#define ACCESS_OBJECT 2u

/* What a bootstrap makes, and nothing works without. */
static bool is_core(const dunlin_object *def)
{
    return def->id == DN_SECURITY_OBJECT || def->id == SERVER_OBJECT || def->id == ACCESS_OBJECT ||
           def->id == DN_OSCORE_OBJECT;
}

bool dn_client_image_keeps(const dunlin_object *def)
{
    return is_core(def) || (def->flags & DUNLIN_KEEP) != 0;
}

static bool concerned(const dn_object_slot *slot, bool whole)
{
    return whole || dn_client_image_keeps(slot->def);
}

static bool takes_values(const dunlin_resource *r)
{
    return r->kept == DUNLIN_KEPT_FIELD || r->kept == DUNLIN_KEPT_LIST ||
           (r->kept == DUNLIN_KEPT_CALL && r->get != NULL && r->set != NULL && r->capacity == 0);
}

/* What a server can only read is for the device to tell. A clock that runs must not be put back to when a bootstrap began. */
bool dn_image_row_kept(const dunlin_object *def, const dunlin_resource *r)
{
    if (!takes_values(r) || is_core(def)) {
        return takes_values(r);
    }
    const bool told_only = (r->flags & DUNLIN_RW) == DUNLIN_R;
    const bool clock = r->kept == DUNLIN_KEPT_CALL && r->type == DUNLIN_TYPE_TIME;
    return !told_only && !clock;
}

/* ---- writing ---- */

static void put_elements(dn_place *place, dn_image_out *out)
{
    const dunlin_path resource = place->path;
    const size_t part = dn_image_open(out);
    for (uint16_t id = dn_client_resource_next(place, 0); id != DUNLIN_ID_NONE;
         id = dn_client_resource_next(place, (uint32_t)id + 1)) {
        dunlin_value value;
        place->path = dunlin_path_child(resource, id);
        if (dn_client_resource_load(place, &value) == DUNLIN_OK) {
            dn_image_put_number(out, id);
            dn_image_put_value(out, &value);
        }
        place->path = resource;
    }
    dn_image_close(out, part);
}

/* A getter that has nothing to give now: the image does not speak of it. */
void dn_image_put_row(dn_place *place, dn_image_out *out)
{
    dunlin_value value;
    const dunlin_resource *r = place->resource;
    if (!dn_client_tree_present(place->object, place->index, r)) {
        dn_image_put_number(out, r->id);
        dn_image_put_number(out, DN_ROW_ABSENT);
    } else if (dn_client_resource_multiple(r)) {
        dn_image_put_number(out, r->id);
        dn_image_put_number(out, DN_ROW_MANY);
        put_elements(place, out);
    } else if (dn_client_resource_load(place, &value) == DUNLIN_OK) {
        dn_image_put_number(out, r->id);
        dn_image_put_number(out, DN_ROW_SINGLE);
        dn_image_put_value(out, &value);
    }
}

static void put_instance(dn_place *place, dn_image_out *out)
{
    const dunlin_object *def = place->object->def;
    const dunlin_path instance = place->path;
    const size_t part = dn_image_open(out);
    for (size_t i = 0; i < def->resource_count; i++) {
        place->resource = &def->resources[i];
        if (dn_image_row_kept(def, place->resource)) {
            place->path = dunlin_path_child(instance, place->resource->id);
            dn_image_put_row(place, out);
        }
    }
    dn_image_close(out, part);
}

static void put_object(dunlin_client *client, const dn_object_slot *slot, dn_image_out *out)
{
    dn_place place = {.client = client, .object = slot};
    const size_t part = dn_image_open(out);
    for (uint16_t id = 0; (id = dn_client_tree_next(slot, id, &place.index)) != DUNLIN_ID_NONE; id++) {
        place.path = dunlin_path_instance(slot->def->id, id);
        dn_image_put_number(out, id);
        put_instance(&place, out);
    }
    dn_image_close(out, part);
}

static void write_objects(dunlin_client *client, dn_image_out *out, bool whole)
{
    for (uint16_t i = 0; i < client->object_count; i++) {
        const dn_object_slot *slot = &client->objects[i];
        if (concerned(slot, whole)) {
            dn_image_put_number(out, slot->def->id);
            put_object(client, slot, out);
        }
    }
}

/* ---- reading ---- */

bool dn_image_next_part(dn_image_in *in, uint32_t *from, uint16_t *id, dn_image_in *part)
{
    if (!dn_image_more(in)) {
        return false;
    }
    *id = (uint16_t)dn_image_get_number(in, DUNLIN_ID_NONE - 1);
    *part = dn_image_get_part(in);
    in->bad = in->bad || *id < *from;
    *from = (uint32_t)*id + 1;
    return !in->bad;
}

bool dn_image_next_row(dn_image_in *in, uint32_t *from, dn_image_row *r)
{
    if (!dn_image_more(in)) {
        return false;
    }
    memset(r, 0, sizeof *r);
    r->id = (uint16_t)dn_image_get_number(in, DUNLIN_ID_NONE - 1);
    r->kind = (dn_row_kind)dn_image_get_number(in, DN_ROW_KINDS - 1);
    if (r->kind == DN_ROW_SINGLE) {
        r->value = dn_image_get_value(in);
    } else if (r->kind == DN_ROW_MANY) {
        r->elements = dn_image_get_part(in);
    }
    in->bad = in->bad || r->id < *from;
    *from = (uint32_t)r->id + 1;
    return !in->bad;
}

static bool next_element(dn_image_in *in, uint32_t *from, uint16_t *id, dunlin_value *value)
{
    if (!dn_image_more(in)) {
        return false;
    }
    *id = (uint16_t)dn_image_get_number(in, DUNLIN_ID_NONE - 1);
    *value = dn_image_get_value(in);
    in->bad = in->bad || *id < *from;
    *from = (uint32_t)*id + 1;
    return !in->bad;
}

/*
 * Whether a value can stand there. What it had to fulfil when it was set it did fulfil then, so `check` is not asked again: much of what it
 * asks is not there yet. But the memory for credentials may be less than it was.
 */
static dunlin_status value_fits(const dn_place *place, dunlin_value *value)
{
    const dunlin_status status = dn_client_resource_fits(place->resource, value);
    if (status != DUNLIN_OK) {
        return DUNLIN_ERR_MALFORMED;
    }
    if (place->object->def->id != DN_SECURITY_OBJECT || place->resource->kept != DUNLIN_KEPT_CALL ||
        place->resource->check == NULL) {
        return DUNLIN_OK;
    }
    const dunlin_call call = dn_client_resource_call(place);
    return place->resource->check(&call, value) == DUNLIN_OK ? DUNLIN_OK : DUNLIN_ERR_LIMIT;
}

static dunlin_status elements_fit(const dn_place *place, dn_image_in in)
{
    uint32_t from = 0;
    uint16_t id = 0;
    uint32_t count = 0;
    dunlin_value value;
    while (next_element(&in, &from, &id, &value)) {
        const dunlin_status status = value_fits(place, &value);
        if (status != DUNLIN_OK) {
            return status;
        }
        if (++count > place->resource->capacity) {
            return DUNLIN_ERR_LIMIT;
        }
    }
    return in.bad ? DUNLIN_ERR_MALFORMED : DUNLIN_OK;
}

static dunlin_status row_fits(const dn_place *place, dn_image_row *r)
{
    const bool multiple = dn_client_resource_multiple(place->resource);
    if (!takes_values(place->resource)) {
        return DUNLIN_ERR_MALFORMED;
    }
    switch (r->kind) {
    case DN_ROW_SINGLE:
        return multiple ? DUNLIN_ERR_MALFORMED : value_fits(place, &r->value);
    case DN_ROW_MANY:
        return multiple ? elements_fit(place, r->elements) : DUNLIN_ERR_MALFORMED;
    default:
        return DUNLIN_OK;
    }
}

/* An Object of the application may have changed since, with its firmware: what does not fit any more is left out. */
static dunlin_status check_rows(dn_place *place, dn_image_in in)
{
    const dunlin_object *def = place->object->def;
    uint32_t from = 0;
    dn_image_row r;
    while (dn_image_next_row(&in, &from, &r)) {
        place->resource = dn_client_tree_resource(def, r.id);
        place->path = dunlin_path_resource(def->id, place->path.id[1], r.id);
        const dunlin_status status = place->resource == NULL ? DUNLIN_OK : row_fits(place, &r);
        if (status != DUNLIN_OK && is_core(def)) {
            return status;
        }
    }
    return in.bad ? DUNLIN_ERR_MALFORMED : DUNLIN_OK;
}

static dunlin_status check_instances(dunlin_client *client, const dn_object_slot *slot, dn_image_in in)
{
    dn_place place = {.client = client, .object = slot, .index = DN_NO_INDEX};
    uint32_t from = 0;
    uint32_t count = 0;
    uint16_t id = 0;
    dn_image_in rows;
    while (dn_image_next_part(&in, &from, &id, &rows)) {
        if (++count > slot->capacity) {
            return DUNLIN_ERR_LIMIT;
        }
        place.path = dunlin_path_instance(slot->def->id, id);
        const dunlin_status status = check_rows(&place, rows);
        if (status != DUNLIN_OK) {
            return status;
        }
    }
    return in.bad ? DUNLIN_ERR_MALFORMED : DUNLIN_OK;
}

static dunlin_status check_objects(dunlin_client *client, dn_image_in in, bool whole)
{
    uint32_t from = 0;
    uint16_t id = 0;
    dn_image_in instances;
    while (dn_image_next_part(&in, &from, &id, &instances)) {
        const dn_object_slot *slot = dn_client_tree_object(client, id);
        const dunlin_status status =
            slot == NULL || !concerned(slot, whole) ? DUNLIN_OK : check_instances(client, slot, instances);
        if (status != DUNLIN_OK) {
            return status;
        }
    }
    return in.bad ? DUNLIN_ERR_MALFORMED : DUNLIN_OK;
}

/* ---- applying ---- */

static bool holds(dn_image_in in, uint16_t wanted)
{
    uint32_t from = 0;
    uint16_t id = 0;
    dn_image_in rest;
    while (dn_image_next_part(&in, &from, &id, &rest)) {
        if (id == wanted) {
            return true;
        }
    }
    return false;
}

/* Takes what Object 2 says of them along; it comes back with Object 2, which is why all that goes has to go before anything comes. */
static void remove_others(dunlin_client *client, const dn_object_slot *slot, dn_image_in instances)
{
    dn_place place = {.client = client, .object = slot};
    for (uint16_t id = 0; (id = dn_client_tree_next(slot, id, &place.index)) != DUNLIN_ID_NONE; id++) {
        if (!holds(instances, id)) {
            place.path = dunlin_path_instance(slot->def->id, id);
            dn_client_remove_instance(&place);
        }
    }
}

static void store(const dn_place *place, const dunlin_value *value)
{
    const dunlin_status status = dn_client_resource_store(place, value);
    if (status != DUNLIN_OK) {
        dn_log_at(&place->client->log, DN_LOG_WARN, DN_CLIENT_AREA,
                  "/%d/%d/%d does not take back what it was: %s", (int)place->path.id[0],
                  (int)place->path.id[1], (int)place->path.id[2], dunlin_status_text(status));
    }
}

static void apply_single(const dn_place *place, const dunlin_value *value)
{
    dunlin_value now;
    if (dn_client_resource_load(place, &now) != DUNLIN_OK || !dunlin_value_equal(&now, value)) {
        store(place, value);
    }
}

static bool same_elements(const dn_place *resource, dn_image_in in)
{
    dn_place element = *resource;
    dunlin_value wanted, now;
    uint32_t from = 0;
    uint16_t id = 0;
    uint32_t begin = 0;
    while (next_element(&in, &from, &id, &wanted)) {
        element.path = dunlin_path_child(resource->path, id);
        if (dn_client_resource_fits(resource->resource, &wanted) != DUNLIN_OK ||
            dn_client_resource_next(resource, begin) != id ||
            dn_client_resource_load(&element, &now) != DUNLIN_OK || !dunlin_value_equal(&now, &wanted)) {
            return false;
        }
        begin = from;
    }
    return dn_client_resource_next(resource, begin) == DUNLIN_ID_NONE;
}

static void apply_many(const dn_place *resource, dn_image_in in)
{
    dn_place element = *resource;
    dunlin_value value;
    uint32_t from = 0;
    uint16_t id = 0;
    if (dn_client_tree_present(resource->object, resource->index, resource->resource) &&
        same_elements(resource, in)) {
        return;
    }
    dn_client_resource_clear(resource);
    dn_client_tree_set_present(resource->object, resource->index, resource->resource, true);
    while (next_element(&in, &from, &id, &value)) {
        element.path = dunlin_path_child(resource->path, id);
        if (dn_client_resource_fits(resource->resource, &value) == DUNLIN_OK) {
            store(&element, &value);
        }
    }
}

static void apply_row(const dn_place *place, dn_image_row *r)
{
    if (row_fits(place, r) != DUNLIN_OK) {
        dn_log_at(&place->client->log, DN_LOG_WARN, DN_CLIENT_AREA,
                  "/%d/%d/%d is left as it is: what was saved does not fit any more", (int)place->path.id[0],
                  (int)place->path.id[1], (int)place->path.id[2]);
    } else if (r->kind == DN_ROW_SINGLE) {
        apply_single(place, &r->value);
    } else if (r->kind == DN_ROW_MANY) {
        apply_many(place, r->elements);
    } else if (dn_client_tree_present(place->object, place->index, place->resource)) {
        dn_client_resource_clear(place);
        dn_client_tree_set_present(place->object, place->index, place->resource, false);
    }
}

static void apply_rows(const dn_place *instance, dn_image_in in)
{
    const dunlin_object *def = instance->object->def;
    dn_place place = *instance;
    uint32_t from = 0;
    dn_image_row r;
    while (dn_image_next_row(&in, &from, &r)) {
        place.resource = dn_client_tree_resource(def, r.id);
        place.path = dunlin_path_child(instance->path, r.id);
        if (place.resource != NULL) {
            apply_row(&place, &r);
        }
    }
}

/* As a Create begins. False: the application does not want it. */
static bool add_instance(dn_object_slot *slot, dn_place *instance)
{
    const dunlin_object *def = slot->def;
    if (dn_client_tree_add(slot, instance->path.id[1], &instance->index) != DUNLIN_OK) {
        return false;
    }
    const dunlin_call call = dn_client_resource_call(instance);
    if (call.instance != NULL) {
        memset(call.instance, 0, def->size);
    }
    if (def->created != NULL && def->created(&call) != DUNLIN_OK) {
        dn_client_tree_remove(slot, instance->index);
        return false;
    }
    dn_client_registration_want_all(instance->client, DN_WANT_LIST);
    return true;
}

static void apply_instances(dunlin_client *client, dn_object_slot *slot, dn_image_in in)
{
    dn_place place = {.client = client, .object = slot};
    uint32_t from = 0;
    uint16_t id = 0;
    dn_image_in rows;
    while (dn_image_next_part(&in, &from, &id, &rows)) {
        place.path = dunlin_path_instance(slot->def->id, id);
        place.resource = NULL;
        place.index = dn_client_tree_instance(slot, id);
        if (place.index != DN_NO_INDEX || add_instance(slot, &place)) {
            apply_rows(&place, rows);
        } else {
            dn_log_at(&client->log, DN_LOG_WARN, DN_CLIENT_AREA, "/%d/%d does not come back",
                      (int)slot->def->id, (int)id);
        }
    }
}

static void apply_objects(dunlin_client *client, dn_image_in in, bool whole)
{
    dn_image_in walk = in;
    dn_image_in instances;
    dn_object_slot *slot = NULL;
    uint32_t from = 0;
    uint16_t id = 0;
    while (dn_image_next_part(&walk, &from, &id, &instances)) {
        slot = dn_client_tree_object(client, id);
        if (slot != NULL && concerned(slot, whole)) {
            remove_others(client, slot, instances);
        }
    }
    from = 0;
    while (dn_image_next_part(&in, &from, &id, &instances)) {
        slot = dn_client_tree_object(client, id);
        if (slot != NULL && concerned(slot, whole)) {
            apply_instances(client, slot, instances);
        }
    }
}

const dn_image_section dn_image_objects = {DN_IMAGE_OBJECTS, write_objects, check_objects, apply_objects};
