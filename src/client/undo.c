/* SPDX-License-Identifier: Apache-2.0 */
/* The log of old values behind all-or-nothing writes. */
#include "client/undo.h"

#include "client/resource.h"
#include "client/tree.h"
#include <string.h>

#define NO_ENTRY SIZE_MAX

/* What stands before the bytes of each entry; copied in and out, as entries are not aligned. */
typedef struct {
    size_t previous;    /* offset of the entry before, or NO_ENTRY */
    dunlin_value value; /* of a resource that callbacks keep; its bytes stand in the entry */
    uint16_t row;
    uint16_t len;
    bool present;
    bool has_value;
} undo_entry;

void dn_client_undo_start(dunlin_client *client)
{
    client->undo_used = 0;
    client->undo_last = NO_ENTRY;
}

static bool has_bytes(const dunlin_value *value)
{
    return value->type == DUNLIN_TYPE_STRING || value->type == DUNLIN_TYPE_CORELNK ||
           value->type == DUNLIN_TYPE_OPAQUE;
}

dunlin_status dn_client_undo_note(const dn_place *place)
{
    dunlin_client *client = place->client;
    undo_entry entry = {.previous = client->undo_last,
                        .row = (uint16_t)(place->resource - place->object->def->resources)};
    dn_place resource = *place;
    resource.path.depth = 3;
    entry.present = dn_client_tree_present(place->object, place->index, place->resource);

    const dunlin_buf memory = dn_client_resource_memory(&resource);
    dunlin_slice bytes = dunlin_slice_make(memory.data, memory.cap);
    if (place->resource->kept == DUNLIN_KEPT_CALL && entry.present) {
        entry.has_value = dn_client_resource_load(&resource, &entry.value) == DUNLIN_OK;
        bytes =
            entry.has_value && has_bytes(&entry.value) ? entry.value.as.bytes : dunlin_slice_make(NULL, 0);
    }
    if (bytes.len > UINT16_MAX || client->undo_used + sizeof entry + bytes.len > client->config.undo_max) {
        return DUNLIN_ERR_LIMIT;
    }
    entry.len = (uint16_t)bytes.len;
    memcpy(client->undo + client->undo_used, &entry, sizeof entry);
    if (bytes.len > 0) {
        memcpy(client->undo + client->undo_used + sizeof entry, bytes.data, bytes.len);
    }
    client->undo_last = client->undo_used;
    client->undo_used += sizeof entry + bytes.len;
    return DUNLIN_OK;
}

/* Tells `set` what a field, or each element of a list, holds again. What it answers can change nothing any
 * more. */
static void tell_set(const dn_place *resource)
{
    dunlin_value value;
    if (resource->resource->set == NULL) {
        return;
    }
    if (!dn_client_resource_multiple(resource->resource)) {
        const dunlin_call call = dn_client_resource_call(resource);
        if (dn_client_resource_load(resource, &value) == DUNLIN_OK) {
            (void)resource->resource->set(&call, &value);
        }
        return;
    }
    dn_place element = *resource;
    for (uint16_t id = dn_client_resource_next(resource, 0); id != DUNLIN_ID_NONE;
         id = dn_client_resource_next(resource, (uint32_t)id + 1)) {
        element.path = dunlin_path_child(resource->path, id);
        const dunlin_call call = dn_client_resource_call(&element);
        if (dn_client_resource_load(&element, &value) == DUNLIN_OK) {
            (void)resource->resource->set(&call, &value);
        }
    }
}

static void restore(dn_place *resource, undo_entry *entry, const uint8_t *bytes)
{
    const dunlin_buf memory = dn_client_resource_memory(resource);
    dn_client_tree_set_present(resource->object, resource->index, resource->resource, entry->present);
    if (memory.cap > 0) {
        memcpy(memory.data, bytes, memory.cap);
        if (entry->present) {
            tell_set(resource);
        }
    } else if (entry->has_value && resource->resource->set != NULL) {
        if (has_bytes(&entry->value)) {
            entry->value.as.bytes = dunlin_slice_make(bytes, entry->len);
        }
        const dunlin_call call = dn_client_resource_call(resource);
        (void)resource->resource->set(&call, &entry->value);
    }
}

void dn_client_undo_run(const dn_place *place)
{
    dunlin_client *client = place->client;
    const dunlin_object *def = place->object->def;
    dn_place resource = *place;
    undo_entry entry;
    for (size_t at = client->undo_last; at != NO_ENTRY; at = entry.previous) {
        memcpy(&entry, client->undo + at, sizeof entry);
        resource.resource = &def->resources[entry.row];
        resource.path = dunlin_path_resource(def->id, place->path.id[1], resource.resource->id);
        restore(&resource, &entry, client->undo + at + sizeof entry);
    }
    dn_client_undo_start(client);
}
