/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All object definitions a server knows, by id and version. Host only: it allocates. It owns copies of what
 * it is given. Thread-safe: readers share, an addition excludes them; a definition, once in, lives as long as
 * the registry, so pointers stay valid.
 */
#ifndef DN_MODEL_DDF_REGISTRY_H
#define DN_MODEL_DDF_REGISTRY_H

#include "model/object.h"

typedef struct dn_registry dn_registry;

dn_registry *dn_registry_create(void); /* NULL: no memory */
void dn_registry_free(dn_registry *registry);
/* Adds a copy, in place of one with the same id and version (which stays valid for those who hold it).
 * MEMORY, LIMIT. */
dunlin_status dn_registry_add(dn_registry *registry, const dn_object_def *object);
/* The definition of `id` at `version`; else the highest minor of the same major; else NULL. */
const dn_object_def *dn_registry_find(dn_registry *registry, uint16_t id, dn_version version);
/* The newest version of `id`, or NULL. */
const dn_object_def *dn_registry_newest(dn_registry *registry, uint16_t id);
/* All of them in order of id and version; `visit` returns false to stop. */
void dn_registry_each(dn_registry *registry, bool (*visit)(void *context, const dn_object_def *object),
                      void *context);

#endif
