/* SPDX-License-Identifier: Apache-2.0 */
/* Object definitions in files: folders of DDF XML read at start and on reload, and what was uploaded. */
#ifndef DN_API_MODEL_FILES_H
#define DN_API_MODEL_FILES_H

#include "base/log.h"
#include "model/ddf/ddf.h"
#include "model/ddf/registry.h"

/*
 * Adds every definition in the files *.xml of `dir`, in order of their names. A file that cannot be read or is no definition is logged and left
 * out; the others count. NOT_FOUND: there is no such folder. `count` gets the number of definitions added.
 */
dunlin_status dn_models_load(dn_registry *registry, const char *dir, const dn_log *log, size_t *count);

/*
 * Adds what `xml` defines and keeps it in `dir` (NULL: nowhere), in a file named after its first object, written whole or not at all. `added`
 * is told of each definition. MALFORMED with `error`; IO: not kept, nothing was added; MEMORY, LIMIT.
 */
dunlin_status dn_models_upload(dn_registry *registry, const char *dir, dunlin_slice xml,
                               void (*added)(void *context, const dn_object_def *object), void *context,
                               dn_ddf_error *error);

#endif
