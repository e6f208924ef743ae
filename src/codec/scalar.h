/* SPDX-License-Identifier: Apache-2.0 */
/* A value as a self-describing format (JSON, CBOR) shows it, before the model's type is applied. */
#ifndef DN_CODEC_SCALAR_H
#define DN_CODEC_SCALAR_H

#include "codec/number.h"

typedef enum {
    DN_SCALAR_NONE = 0,
    DN_SCALAR_NUMBER,
    DN_SCALAR_TIME, /* a number that says that it is a time */
    DN_SCALAR_BOOLEAN,
    DN_SCALAR_TEXT, /* valid UTF-8 */
    DN_SCALAR_BYTES,
    DN_SCALAR_LINK
} dn_scalar_kind;

typedef struct {
    dn_scalar_kind kind;
    union {
        dn_number number; /* NUMBER, TIME */
        bool boolean;
        dunlin_slice bytes; /* TEXT, BYTES */
        dunlin_objlnk link;
    } as;
} dn_scalar;

/* As a value of `type`, or with NONE of the type that the scalar shows. TYPE or RANGE if it cannot be one. */
dunlin_status dn_scalar_to_value(const dn_scalar *scalar, dunlin_type type, dunlin_value *out);

#endif
