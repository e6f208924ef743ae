/* SPDX-License-Identifier: Apache-2.0 */
/* Which optional resources an instance starts with. */
#ifndef DN_OBJECTS_PRESENT_H
#define DN_OBJECTS_PRESENT_H

#include <dunlin/client.h>

/* The bit of resource `id`, 0..63, in a set of resources. */
#define DN_HAS(id) ((uint64_t)1 << (id))

/* Adds `object` over one structure that is its only instance, 0, with those of its optional resources that are in `has`.
   Errors as dunlin_client_add_object. */
dunlin_status dn_objects_add_single(dunlin_client *client, const dunlin_object *object, void *structure,
                                    uint64_t has, void *context);
/* Makes the optional resources of `has` present in an instance; those that the table does not have are passed over. */
void dn_objects_give(dunlin_client *client, const dunlin_object *object, uint16_t instance, uint64_t has);

#endif
