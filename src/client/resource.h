/* SPDX-License-Identifier: Apache-2.0 */
/* One resource of one instance: its value to and from the application's structure, and what values it takes.
 */
#ifndef DN_CLIENT_RESOURCE_H
#define DN_CLIENT_RESOURCE_H

#include "client/state.h"

bool dn_client_resource_multiple(const dunlin_resource *resource);
bool dn_client_resource_numeric(const dunlin_resource *resource);
/* A single resource that can be read is one thing, an executable has no value at all. */
bool dn_client_resource_readable(const dunlin_resource *resource);

/* What `table` must fulfil, dunlin/object.h. */
bool dn_client_resource_table_valid(const dunlin_object *def);

/* Fills in what a callback is told about `place`. */
dunlin_call dn_client_resource_call(const dn_place *place);

/* The value at a place of depth 3 (single) or 4. NOT_FOUND: not instantiated; STATE: has no value; else the
 * getter's. */
dunlin_status dn_client_resource_load(const dn_place *place, dunlin_value *value);
/* Whether a value of the resource's type and size: converts it to that type. TYPE, RANGE. */
dunlin_status dn_client_resource_fits(const dunlin_resource *resource, dunlin_value *value);
/* Whether `value` may be stored there: converts it to the resource's type, then TYPE, RANGE, or what `check`
 * says. */
dunlin_status dn_client_resource_check(const dn_place *place, dunlin_value *value);
/* Stores a checked value and tells `set`; makes a list's element if it is not there. LIMIT: the list is full.
 */
dunlin_status dn_client_resource_store(const dn_place *place, const dunlin_value *value);

/* The smallest instance id of a multiple resource that is `from` or above; DUNLIN_ID_NONE: no more. */
uint16_t dn_client_resource_next(const dn_place *place, uint32_t from);
/* Zeroes the field, or empties the list; nothing for other kinds. */
void dn_client_resource_clear(const dn_place *place);
/* The bytes that hold the value in the structure: the field, or the whole list; NULL, 0 for other kinds. */
dunlin_buf dn_client_resource_memory(const dn_place *place);

#endif
