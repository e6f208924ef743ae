/* SPDX-License-Identifier: Apache-2.0 */
/* Which optional resources an instance starts with. */
#include "objects/present.h"

#define SET_BITS 64u

void dn_objects_give(dunlin_client *client, const dunlin_object *object, uint16_t instance, uint64_t has)
{
    for (uint16_t i = 0; i < object->resource_count; i++) {
        const uint16_t id = object->resources[i].id;
        if (id < SET_BITS && (has & DN_HAS(id)) != 0 && (object->resources[i].flags & DUNLIN_ABSENT) != 0) {
            /* It is there and optional, so nothing can go wrong. */
            (void)dunlin_client_set_present(client, dunlin_path_resource(object->id, instance, id), true);
        }
    }
}

dunlin_status dn_objects_add_single(dunlin_client *client, const dunlin_object *object, void *structure,
                                    uint64_t has, void *context)
{
    const dunlin_status status = dunlin_client_add_object(client, object, structure, 1, 1, context);
    if (status == DUNLIN_OK) {
        dn_objects_give(client, object, 0, has);
    }
    return status;
}
