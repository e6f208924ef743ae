/* SPDX-License-Identifier: Apache-2.0 */
/* What the device does with its own Objects: adds them, looks at them, sets them. */
#include "client/image.h"
#include "client/observe.h"
#include "client/registration.h"
#include "client/remove.h"
#include "client/resource.h"
#include "client/tree.h"
#include "client/undo.h"
#include <string.h>

static bool add_valid(const dunlin_client *client, const dunlin_object *object, const void *storage,
                      uint16_t capacity, uint16_t used)
{
    (void)client;
    return dn_client_resource_table_valid(object) && used <= capacity &&
           (storage != NULL || object->size == 0) && capacity < DN_NO_INDEX &&
           (capacity == 1 || (object->flags & DUNLIN_MULTIPLE) != 0);
}

dunlin_status dunlin_client_add_object(dunlin_client *client, const dunlin_object *object, void *storage,
                                       uint16_t capacity, uint16_t used, void *context)
{
    if (!add_valid(client, object, storage, capacity, used)) {
        return DUNLIN_ERR_ARGUMENT;
    }
    if (dn_client_tree_object(client, object->id) != NULL) {
        return DUNLIN_ERR_DUPLICATE;
    }
    if (client->object_count >= client->config.objects) {
        return DUNLIN_ERR_LIMIT;
    }
    if (dunlin_client_object_size(object, capacity) > client->arena_size - client->arena_used) {
        return DUNLIN_ERR_MEMORY;
    }
    dn_object_slot slot = {.def = object, .storage = storage, .context = context, .capacity = capacity};
    slot.words = (uint16_t)((object->resource_count + 31u) / 32u);
    slot.ids = dn_client_take(client, capacity * sizeof *slot.ids);
    slot.present = dn_client_take(client, (size_t)capacity * slot.words * sizeof *slot.present);
    memset(slot.ids, 0xFF, capacity * sizeof *slot.ids); /* DUNLIN_ID_NONE: all structures are free */
    for (uint16_t id = 0; id < used; id++) {
        uint16_t index = 0;
        (void)dn_client_tree_add(&slot, id, &index); /* index `id`: the free ones are taken in order */
    }
    uint16_t at = client->object_count++;
    for (; at > 0 && client->objects[at - 1].def->id > object->id; at--) {
        client->objects[at] = client->objects[at - 1];
    }
    client->objects[at] = slot;
    dn_client_registration_want_all(client, DN_WANT_LIST);
    return DUNLIN_OK;
}

dunlin_status dunlin_client_add_instance(dunlin_client *client, uint16_t object, uint16_t instance,
                                         uint16_t *index)
{
    dn_object_slot *slot = dn_client_tree_object(client, object);
    uint16_t taken = 0;
    if (slot == NULL) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    if (instance == DUNLIN_ID_NONE) {
        return DUNLIN_ERR_RANGE;
    }
    dunlin_status status = dn_client_tree_add(slot, instance, &taken);
    if (status != DUNLIN_OK) {
        return status;
    }
    status = dn_client_image_added(client, dunlin_path_instance(object, instance));
    if (status != DUNLIN_OK) {
        dn_client_tree_remove(slot, taken);
        return DUNLIN_ERR_LIMIT;
    }
    if (index != NULL) {
        *index = taken;
    }
    dn_client_observe_changed(client, dunlin_path_instance(object, instance));
    dn_client_registration_want_all(client, DN_WANT_LIST);
    return DUNLIN_OK;
}

dunlin_status dunlin_client_remove_instance(dunlin_client *client, uint16_t object, uint16_t instance)
{
    dn_place place;
    const dunlin_status status =
        dn_client_tree_find(client, dunlin_path_instance(object, instance), true, &place);
    if (status == DUNLIN_OK) {
        dn_client_remove_instance(&place);
        dn_client_image_removed(client, dunlin_path_instance(object, instance));
    }
    return status;
}

dunlin_status dunlin_client_set_present(dunlin_client *client, dunlin_path resource, bool present)
{
    dn_place place;
    if (resource.depth != 3 || dn_client_tree_find(client, resource, false, &place) != DUNLIN_OK) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    if ((place.resource->flags & DUNLIN_MANDATORY) != 0 && !present) {
        return DUNLIN_ERR_STATE;
    }
    if (!present) {
        dn_client_resource_clear(&place); /* as when a Write takes it away */
    }
    dn_client_tree_set_present(place.object, place.index, place.resource, present);
    dn_client_image_changed(client, resource);
    dn_client_observe_changed(client, resource);
    return DUNLIN_OK;
}

const dunlin_resource *dunlin_client_resource(dunlin_client *client, dunlin_path path)
{
    dn_place place;
    return path.depth == 3 && dn_client_tree_find(client, path, false, &place) == DUNLIN_OK ? place.resource
                                                                                            : NULL;
}

static bool is_secret(const dunlin_resource *resource)
{
    return (resource->flags & DUNLIN_SECRET) != 0;
}

dunlin_status dunlin_client_get(dunlin_client *client, dunlin_path path, dunlin_value *value)
{
    dn_place place;
    const dunlin_status status = dn_client_tree_find(client, path, true, &place);
    if (status != DUNLIN_OK) {
        return status;
    }
    if (path.depth < 3) {
        return DUNLIN_ERR_STATE;
    }
    return is_secret(place.resource) ? DUNLIN_ERR_ACCESS : dn_client_resource_load(&place, value);
}

dunlin_status dunlin_client_set(dunlin_client *client, dunlin_path path, const dunlin_value *value)
{
    dn_place place;
    dunlin_value checked = *value;
    dunlin_path resource = path;
    resource.depth = path.depth > 3 ? 3 : path.depth;
    dunlin_status status = dn_client_tree_find(client, resource, false, &place);
    if (status != DUNLIN_OK) {
        return status;
    }
    if (place.resource == NULL || dn_client_resource_multiple(place.resource) != (path.depth == 4)) {
        return DUNLIN_ERR_STATE;
    }
    place.path = path;
    status = dn_client_resource_check(&place, &checked);
    if (status != DUNLIN_OK) {
        return status;
    }
    const dn_undo_mark mark = dn_client_undo_begin(client);
    if (place.resource->set != NULL && place.resource->kept != DUNLIN_KEPT_CALL) {
        status = dn_client_undo_note(&place); /* what callbacks keep is as it was when they say no */
    }
    if (status == DUNLIN_OK) {
        status = dn_client_resource_store(&place, &checked);
    }
    if (status != DUNLIN_OK) {
        dn_client_undo_run(client, mark, 0);
        return status;
    }
    dn_client_undo_end(client, mark);
    dn_client_image_changed(client, path);
    dn_client_observe_changed(client, path);
    return DUNLIN_OK;
}

typedef bool visitor(void *context, dunlin_path path, const dunlin_resource *resource,
                     const dunlin_value *value);

/* False: the visitor has had enough. */
static bool walk_object(const dn_place *base, visitor *visit, void *context)
{
    dn_walk walk;
    if (base->path.depth == 1 && !visit(context, base->path, NULL, NULL)) {
        return false;
    }
    dn_client_walk_start(&walk, base);
    while (dn_client_walk_next(&walk)) {
        dunlin_value value;
        const bool has_value = walk.at.resource != NULL && !is_secret(walk.at.resource) &&
                               dn_client_resource_load(&walk.at, &value) == DUNLIN_OK;
        if (!visit(context, walk.at.path, walk.at.resource, has_value ? &value : NULL)) {
            return false;
        }
    }
    return true;
}

dunlin_status dunlin_client_walk(dunlin_client *client, dunlin_path base, visitor *visit, void *context)
{
    dn_place place;
    if (base.depth > 0) {
        const dunlin_status status = dn_client_tree_find(client, base, true, &place);
        if (status == DUNLIN_OK) {
            (void)walk_object(&place, visit, context);
        }
        return status;
    }
    for (uint16_t i = 0; i < client->object_count; i++) {
        const dunlin_object *def = client->objects[i].def;
        if ((def->flags & DUNLIN_HIDDEN) == 0 &&
            dn_client_tree_find(client, dunlin_path_object(def->id), true, &place) == DUNLIN_OK &&
            !walk_object(&place, visit, context)) {
            break;
        }
    }
    return DUNLIN_OK;
}
