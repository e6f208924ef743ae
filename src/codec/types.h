/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the model for the type of a Resource. */
#ifndef DN_CODEC_TYPES_H
#define DN_CODEC_TYPES_H

#include "codec/format.h"

/* The type of the Resource that `path` (depth 3 or 4) lies in, or NONE if nobody knows. */
static inline dunlin_type dn_type_at(const dn_types *types, dunlin_path path)
{
    bool multiple = false;
    if (types->type_of == NULL) {
        return DUNLIN_TYPE_NONE;
    }
    path.depth = 3;
    path.id[3] = 0;
    return types->type_of(types->context, path, &multiple);
}

#endif
