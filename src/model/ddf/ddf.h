/* SPDX-License-Identifier: Apache-2.0 */
/* OMA DDF: an Object definition file in XML (LwM2M 1.1 schema, LWM2M.xsd), read with expat. Host only. */
#ifndef DN_MODEL_DDF_H
#define DN_MODEL_DDF_H

#include "model/object.h"

typedef struct {
    unsigned long line; /* 1-based; 0: not known */
    char text[160];     /* what is wrong and what was expected */
} dn_ddf_error;

/*
 * Reads one file's text (it may define several objects) and hands each to `take`, whose views are valid
 * during the call. Nothing is handed out unless the whole text is good. MALFORMED with `error` filled,
 * MEMORY, or what `take` returned (stops). External entities and document types are refused.
 */
dunlin_status dn_ddf_parse(dunlin_slice xml,
                           dunlin_status (*take)(void *context, const dn_object_def *object), void *context,
                           dn_ddf_error *error);

#endif
