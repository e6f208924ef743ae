/* SPDX-License-Identifier: Apache-2.0 */
/* From one run of bytes to the next: what is not concerned is copied as it is. */
#include "client/image_edit.h"

#include "client/image.h"
#include "client/image_objects.h"
#include "client/tree.h"

#define ACCESS_OBJECT   2u
#define ACCESS_TARGET   0u /* /2/x/0 and 1: the Object and the instance that it is about */
#define ACCESS_INSTANCE 1u

typedef struct {
    dunlin_client *client;
    const dn_image_edit *edit;
    dn_image_out *out;
} editor;

static void copy(const editor *e, const uint8_t *from, const uint8_t *to)
{
    if (!dunlin_buf_append(e->out->out, dunlin_slice_make(from, (size_t)(to - from)))) {
        e->out->full = true;
    }
}

/* The resources with ids from `from` on and below `end`, as they are now. */
static void fill(const editor *e, dn_place *instance, uint32_t from, uint32_t end)
{
    const dunlin_path path = instance->path;
    const dunlin_object *def = instance->object->def;
    for (size_t i = 0; i < def->resource_count; i++) {
        const dunlin_resource *resource = &def->resources[i];
        if (resource->id >= from && resource->id < end && dn_image_row_kept(def, resource)) {
            instance->resource = resource;
            instance->path = dunlin_path_child(path, resource->id);
            dn_image_put_row(instance, e->out);
        }
    }
    instance->path = path;
}

static bool is_changed(const editor *e, dunlin_path instance, uint16_t resource)
{
    return dunlin_path_equal(e->edit->changed, dunlin_path_child(instance, resource));
}

static void edit_rows(const editor *e, dn_place *instance, dn_image_in rows)
{
    const bool fills = e->edit->fill && instance->index != DN_NO_INDEX;
    const uint8_t *begin = rows.at;
    uint32_t from = 0;
    uint32_t before = 0;
    dn_image_row row;
    while (dn_image_next_row(&rows, &from, &row)) {
        if (fills) {
            fill(e, instance, before, row.id);
        }
        before = from;
        if (!is_changed(e, instance->path, row.id)) {
            copy(e, begin, rows.at);
        }
        begin = rows.at;
    }
    if (fills) {
        fill(e, instance, before, DUNLIN_ID_NONE);
    }
}

static void put_instance(const editor *e, dn_place *instance, dn_image_in rows)
{
    dn_image_put_number(e->out, instance->path.id[1]);
    const size_t part = dn_image_open(e->out);
    edit_rows(e, instance, rows);
    dn_image_close(e->out, part);
}

/* An instance of Object 2 about the one that goes. */
static bool speaks_of(dn_image_in rows, dunlin_path instance)
{
    uint32_t from = 0;
    bool object = false;
    bool target = false;
    dn_image_row row;
    while (dn_image_next_row(&rows, &from, &row)) {
        object = object || (row.id == ACCESS_TARGET && row.value.as.integer == instance.id[0]);
        target = target || (row.id == ACCESS_INSTANCE && row.value.as.integer == instance.id[1]);
    }
    return object && target;
}

static bool goes(const editor *e, dunlin_path instance, dn_image_in rows)
{
    const dunlin_path removed = e->edit->removed;
    return removed.depth == 2 && (dunlin_path_equal(instance, removed) ||
                                  (instance.id[0] == ACCESS_OBJECT && speaks_of(rows, removed)));
}

/* Ids ascend: the one that was added finds its place. */
static void edit_instances(const editor *e, const dn_object_slot *slot, dn_image_in in)
{
    static const uint8_t none;
    const dn_image_in nothing = dn_image_read(dunlin_slice_make(&none, 0));
    const dunlin_path added = e->edit->added;
    bool adds = added.depth == 2 && added.id[0] == slot->def->id;
    dn_place place = {.client = e->client, .object = slot};
    uint32_t from = 0;
    uint16_t id = 0;
    dn_image_in rows;
    bool more = true;
    while (more) {
        more = dn_image_next_part(&in, &from, &id, &rows);
        if (adds && (!more || id >= added.id[1])) {
            place.path = added;
            place.index = dn_client_tree_instance(slot, added.id[1]);
            put_instance(e, &place, nothing);
            adds = false;
        }
        place.path = dunlin_path_instance(slot->def->id, id);
        place.index = dn_client_tree_instance(slot, id);
        if (more && !dunlin_path_equal(place.path, added) && !goes(e, place.path, rows)) {
            put_instance(e, &place, rows);
        }
    }
}

void dn_image_edit_objects(dunlin_client *client, dn_image_in in, const dn_image_edit *edit,
                           dn_image_out *out)
{
    const editor e = {client, edit, out};
    uint32_t from = 0;
    uint16_t id = 0;
    dn_image_in instances;
    while (dn_image_next_part(&in, &from, &id, &instances)) {
        const dn_object_slot *slot = dn_client_tree_object(client, id);
        if (slot != NULL && (!edit->kept_only || dn_client_image_keeps(slot->def))) {
            dn_image_put_number(out, id);
            const size_t part = dn_image_open(out);
            edit_instances(&e, slot, instances);
            dn_image_close(out, part);
        }
    }
}
