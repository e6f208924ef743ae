/* SPDX-License-Identifier: Apache-2.0 */
/* The Objects of a client, their instances, and the walk over them. */
#include "client/tree.h"

#include "client/resource.h"
#include <string.h>

dn_object_slot *dn_client_tree_object(dunlin_client *client, uint16_t id)
{
    for (uint16_t i = 0; i < client->object_count; i++) {
        if (client->objects[i].def->id == id) {
            return &client->objects[i];
        }
    }
    return NULL;
}

uint16_t dn_client_tree_instance(const dn_object_slot *object, uint16_t id)
{
    uint16_t index = DN_NO_INDEX;
    return dn_client_tree_next(object, id, &index) == id ? index : DN_NO_INDEX;
}

uint16_t dn_client_tree_next(const dn_object_slot *object, uint32_t from, uint16_t *index)
{
    uint16_t best = DUNLIN_ID_NONE;
    for (uint16_t i = 0; i < object->capacity; i++) {
        if (object->ids[i] >= from && object->ids[i] < best) {
            best = object->ids[i];
            *index = i;
        }
    }
    return best;
}

static uint32_t *present_word(const dn_object_slot *object, uint16_t index, size_t row)
{
    return &object->present[(size_t)index * object->words + row / 32];
}

/* A new instance has all that the table has, but for what starts absent. */
static void default_presence(const dn_object_slot *object, uint16_t index)
{
    for (size_t row = 0; row < object->def->resource_count; row++) {
        const dunlin_resource *resource = &object->def->resources[row];
        dn_client_tree_set_present(object, index, resource, (resource->flags & DUNLIN_ABSENT) == 0);
    }
}

dunlin_status dn_client_tree_add(dn_object_slot *object, uint16_t id, uint16_t *index)
{
    if (dn_client_tree_instance(object, id) != DN_NO_INDEX) {
        return DUNLIN_ERR_DUPLICATE;
    }
    for (uint16_t i = 0; i < object->capacity; i++) {
        if (object->ids[i] == DUNLIN_ID_NONE) {
            object->ids[i] = id;
            default_presence(object, i);
            *index = i;
            return DUNLIN_OK;
        }
    }
    return DUNLIN_ERR_LIMIT;
}

void dn_client_tree_remove(dn_object_slot *object, uint16_t index)
{
    object->ids[index] = DUNLIN_ID_NONE;
    memset(&object->present[(size_t)index * object->words], 0, object->words * sizeof *object->present);
    if (object->def->size != 0) {
        memset(dn_client_tree_structure(object, index), 0, object->def->size);
    }
}

void *dn_client_tree_structure(const dn_object_slot *object, uint16_t index)
{
    return object->def->size == 0 || index == DN_NO_INDEX ? NULL
                                                          : object->storage + index * object->def->size;
}

bool dn_client_tree_present(const dn_object_slot *object, uint16_t index, const dunlin_resource *resource)
{
    const size_t row = (size_t)(resource - object->def->resources);
    if ((*present_word(object, index, row) >> row % 32 & 1) == 0) {
        return false;
    }
    if (resource->kept != DUNLIN_KEPT_POINTER) {
        return true;
    }
    const char *text = NULL;
    memcpy(&text, (const uint8_t *)dn_client_tree_structure(object, index) + resource->offset, sizeof text);
    return text != NULL;
}

void dn_client_tree_set_present(const dn_object_slot *object, uint16_t index, const dunlin_resource *resource,
                                bool present)
{
    const size_t row = (size_t)(resource - object->def->resources);
    const uint32_t bit = (uint32_t)1 << row % 32;
    uint32_t *word = present_word(object, index, row);
    *word = present ? *word | bit : *word & ~bit;
}

const dunlin_resource *dn_client_tree_resource(const dunlin_object *def, uint16_t id)
{
    size_t low = 0;
    size_t high = def->resource_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (def->resources[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < def->resource_count && def->resources[low].id == id ? &def->resources[low] : NULL;
}

dunlin_status dn_client_tree_find(dunlin_client *client, dunlin_path path, bool instantiated, dn_place *place)
{
    memset(place, 0, sizeof *place);
    place->client = client;
    place->path = path;
    place->index = DN_NO_INDEX;
    place->object = path.depth > 0 ? dn_client_tree_object(client, path.id[0]) : NULL;
    if (place->object == NULL) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    if (path.depth < 2) {
        return DUNLIN_OK;
    }
    place->index = dn_client_tree_instance(place->object, path.id[1]);
    if (place->index == DN_NO_INDEX) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    if (path.depth < 3) {
        return DUNLIN_OK;
    }
    place->resource = dn_client_tree_resource(place->object->def, path.id[2]);
    if (place->resource == NULL ||
        (instantiated && !dn_client_tree_present(place->object, place->index, place->resource))) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    if (path.depth < 4) {
        return DUNLIN_OK;
    }
    if (!dn_client_resource_multiple(place->resource)) {
        return DUNLIN_ERR_STATE;
    }
    return dn_client_resource_next(place, path.id[3]) == path.id[3] ? DUNLIN_OK : DUNLIN_ERR_NOT_FOUND;
}

void dn_client_walk_start(dn_walk *walk, const dn_place *base)
{
    memset(walk, 0, sizeof *walk);
    walk->at = *base;
    walk->base = base->path;
    walk->instance = base->path.depth >= 2 ? base->path.id[1] : 0;
}

/* Steps into the next instance. False: there is none. */
static bool enter_instance(dn_walk *walk)
{
    uint16_t index = DN_NO_INDEX;
    const uint16_t id = dn_client_tree_next(walk->at.object, walk->instance, &index);
    if (id == DUNLIN_ID_NONE || (walk->base.depth >= 2 && id != walk->base.id[1])) {
        return false;
    }
    walk->instance = (uint32_t)id + 1;
    walk->in_instance = true;
    walk->row = 0;
    walk->at.index = index;
    walk->at.resource = NULL;
    walk->at.path = dunlin_path_instance(walk->base.id[0], id);
    return true;
}

/* Steps into the next resource that is instantiated and within the base. False: none in this instance. */
static bool enter_resource(dn_walk *walk)
{
    const dunlin_object *def = walk->at.object->def;
    for (; walk->row < def->resource_count; walk->row++) {
        const dunlin_resource *resource = &def->resources[walk->row];
        if ((walk->base.depth >= 3 && resource->id != walk->base.id[2]) ||
            !dn_client_tree_present(walk->at.object, walk->at.index, resource)) {
            continue;
        }
        walk->row++;
        walk->at.resource = resource;
        walk->at.path = dunlin_path_resource(def->id, walk->at.path.id[1], resource->id);
        walk->in_resource = dn_client_resource_multiple(resource);
        walk->ri = walk->base.depth == 4 ? walk->base.id[3] : 0;
        return true;
    }
    return false;
}

/* The next instance of the multiple resource that the walk is in. */
static bool next_resource_instance(dn_walk *walk)
{
    const uint16_t id = dn_client_resource_next(&walk->at, walk->ri);
    if (id == DUNLIN_ID_NONE || (walk->base.depth == 4 && id != walk->base.id[3])) {
        return false;
    }
    walk->ri = (uint32_t)id + 1;
    walk->at.path.depth = 3;
    walk->at.path = dunlin_path_child(walk->at.path, id);
    return true;
}

bool dn_client_walk_next(dn_walk *walk)
{
    for (;;) {
        if (!walk->in_instance) {
            if (!enter_instance(walk)) {
                return false;
            }
            if (walk->base.depth <= 2) {
                return true;
            }
        }
        if (walk->in_resource) {
            if (next_resource_instance(walk)) {
                return true;
            }
            walk->in_resource = false;
        }
        if (!enter_resource(walk)) {
            walk->in_instance = false;
            if (walk->base.depth >= 2) {
                return false;
            }
        } else if (walk->base.depth <= 3) {
            return true;
        }
    }
}

void dn_client_walk_skip(dn_walk *walk)
{
    walk->in_instance = false;
    walk->in_resource = false;
}
