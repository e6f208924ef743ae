/* SPDX-License-Identifier: Apache-2.0 */
/* The Objects of a client and their instances: who is there, and which resources of each are instantiated. */
#ifndef DN_CLIENT_TREE_H
#define DN_CLIENT_TREE_H

#include "client/state.h"

/* The Object, or NULL. */
dn_object_slot *dn_client_tree_object(dunlin_client *client, uint16_t id);
/* Index of the structure of the instance, or DN_NO_INDEX. */
uint16_t dn_client_tree_instance(const dn_object_slot *object, uint16_t id);
/* The smallest instance id that is `from` or above, with its index; DUNLIN_ID_NONE: no more. */
uint16_t dn_client_tree_next(const dn_object_slot *object, uint32_t from, uint16_t *index);
/* Takes a free structure for the instance, with the presence that a new one has. LIMIT, DUPLICATE. */
dunlin_status dn_client_tree_add(dn_object_slot *object, uint16_t id, uint16_t *index);
/* Frees it, and zeroes its structure. */
void dn_client_tree_remove(dn_object_slot *object, uint16_t index);
void *dn_client_tree_structure(const dn_object_slot *object, uint16_t index);

bool dn_client_tree_present(const dn_object_slot *object, uint16_t index, const dunlin_resource *resource);
void dn_client_tree_set_present(const dn_object_slot *object, uint16_t index, const dunlin_resource *resource,
                                bool present);
/* The row of the table with `id`, or NULL. */
const dunlin_resource *dn_client_tree_resource(const dunlin_object *def, uint16_t id);

/*
 * What stands at `path` (depth 1 to 4): fills `place`, or NOT_FOUND. A resource must be defined; it may be
 * not instantiated unless `instantiated` asks for it, and then a resource instance (depth 4) must be there
 * too. STATE: a resource instance of a single resource.
 */
dunlin_status dn_client_tree_find(dunlin_client *client, dunlin_path path, bool instantiated,
                                  dn_place *place);

/* A walk over what is instantiated at and below a place: instances, resources, resource instances, in order
   of dunlin_path_compare. Nothing may be added or removed meanwhile. */
typedef struct {
    dn_place at; /* what was found last */
    dunlin_path base;
    uint16_t row;      /* of the resource table to look at next */
    uint32_t instance; /* id to look at next */
    uint32_t ri;       /* resource instance id to look at next, while in a multiple resource */
    bool in_instance, in_resource;
} dn_walk;

void dn_client_walk_start(dn_walk *walk, const dn_place *base);
/* True with walk->at filled, false at the end. */
bool dn_client_walk_next(dn_walk *walk);
/* Leaves out the rest of the instance that the walk is in. */
void dn_client_walk_skip(dn_walk *walk);

#endif
