/* SPDX-License-Identifier: Apache-2.0 */
/* The log of old values behind all-or-nothing writes. */
#include "client/undo.h"

#include "client/resource.h"
#include "client/tree.h"
#include <string.h>

/* What stands before the bytes of each entry; copied in and out, as entries are not aligned. The bytes are those of the
   field; or, for a resource that callbacks keep, a dunlin_value and then the bytes that it views. */
typedef struct {
    uint16_t previous; /* offset of the entry before, if this is not the first */
    uint16_t object, instance, row;
    uint16_t len;
    bool present;
    bool has_value;
} undo_entry;

dn_undo_mark dn_client_undo_begin(const dunlin_client *client)
{
    return (dn_undo_mark){client->undo_used, client->undo_last};
}

void dn_client_undo_end(dunlin_client *client, dn_undo_mark mark)
{
    /* Old values may be secret ones. */
    if (client->undo_used > mark.used) {
        memset(client->undo + mark.used, 0, (size_t)(client->undo_used - mark.used));
    }
    client->undo_used = mark.used;
    client->undo_last = mark.last;
}

static bool has_bytes(const dunlin_value *value)
{
    return value->type == DUNLIN_TYPE_STRING || value->type == DUNLIN_TYPE_CORELNK ||
           value->type == DUNLIN_TYPE_OPAQUE;
}

static bool append(dunlin_client *client, const void *bytes, size_t len)
{
    if ((size_t)client->undo_used + len > client->config.undo_max) {
        return false;
    }
    if (len > 0) {
        memcpy(client->undo + client->undo_used, bytes, len);
    }
    client->undo_used = (uint16_t)(client->undo_used + len);
    return true;
}

dunlin_status dn_client_undo_note(const dn_place *place)
{
    dunlin_client *client = place->client;
    const uint16_t start = client->undo_used;
    dn_place resource = *place;
    dunlin_value value;
    resource.path.depth = 3;
    undo_entry entry = {
        .previous = client->undo_last,
        .object = place->path.id[0],
        .instance = place->path.id[1],
        .row = (uint16_t)(place->resource - place->object->def->resources),
        .present = dn_client_tree_present(place->object, place->index, place->resource),
    };
    entry.has_value = place->resource->kept == DUNLIN_KEPT_CALL && entry.present &&
                      dn_client_resource_load(&resource, &value) == DUNLIN_OK;
    const dunlin_buf memory = dn_client_resource_memory(&resource);
    dunlin_slice bytes = dunlin_slice_make(memory.data, memory.cap);
    if (entry.has_value && has_bytes(&value)) {
        bytes = value.as.bytes;
    }
    entry.len = (uint16_t)bytes.len; /* one that does not fit is not appended either */
    if (!append(client, &entry, sizeof entry) || (entry.has_value && !append(client, &value, sizeof value)) ||
        !append(client, bytes.data, bytes.len)) {
        client->undo_used = start;
        return DUNLIN_ERR_LIMIT;
    }
    client->undo_last = start;
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

static void restore(dn_place *resource, const undo_entry *entry, const uint8_t *bytes)
{
    const dunlin_buf memory = dn_client_resource_memory(resource);
    dn_client_tree_set_present(resource->object, resource->index, resource->resource, entry->present);
    if (memory.cap > 0) {
        memcpy(memory.data, bytes, memory.cap);
        if (entry->present) {
            tell_set(resource);
        }
    } else if (entry->has_value && resource->resource->set != NULL) {
        dunlin_value value;
        memcpy(&value, bytes, sizeof value);
        if (has_bytes(&value)) {
            value.as.bytes = dunlin_slice_make(bytes + sizeof value, entry->len);
        }
        const dunlin_call call = dn_client_resource_call(resource);
        (void)resource->resource->set(&call, &value);
    }
}

void dn_client_undo_run(dunlin_client *client, dn_undo_mark mark, uint16_t server)
{
    undo_entry entry;
    while (client->undo_used > mark.used) {
        const uint16_t at = client->undo_last;
        dn_place resource;
        memcpy(&entry, client->undo + at, sizeof entry);
        /* Instances do not go while one is written to. */
        if (dn_client_tree_find(client, dunlin_path_instance(entry.object, entry.instance), true,
                                &resource) == DUNLIN_OK) {
            resource.resource = &resource.object->def->resources[entry.row];
            resource.path = dunlin_path_child(resource.path, resource.resource->id);
            resource.server = server;
            restore(&resource, &entry, client->undo + at + sizeof entry);
        }
        client->undo_used = at;
        client->undo_last = entry.previous;
    }
    dn_client_undo_end(client, mark);
}
