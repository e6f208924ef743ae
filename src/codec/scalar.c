/* SPDX-License-Identifier: Apache-2.0 */
/* From what a format shows to what the model says. */
#include "codec/scalar.h"

/* `type`, or the type that the scalar shows if the model has none. */
static dunlin_type type_or(dunlin_type type, dunlin_type shown)
{
    return type == DUNLIN_TYPE_NONE ? shown : type;
}

static dunlin_status expect(dunlin_type type, dunlin_type shown)
{
    return type_or(type, shown) == shown ? DUNLIN_OK : DUNLIN_ERR_TYPE;
}

dunlin_status dn_scalar_to_value(const dn_scalar *scalar, dunlin_type type, dunlin_value *out)
{
    switch (scalar->kind) {
    case DN_SCALAR_NUMBER:
        return dn_number_to_value(&scalar->as.number, type, out);
    case DN_SCALAR_TIME:
        return dn_number_to_value(&scalar->as.number, type_or(type, DUNLIN_TYPE_TIME), out);
    case DN_SCALAR_BOOLEAN:
        *out = dunlin_boolean(scalar->as.boolean);
        return expect(type, DUNLIN_TYPE_BOOLEAN);
    case DN_SCALAR_TEXT:
        *out = dunlin_string(scalar->as.bytes);
        if (type == DUNLIN_TYPE_CORELNK) {
            out->type = type;
            return DUNLIN_OK;
        }
        return expect(type, DUNLIN_TYPE_STRING);
    case DN_SCALAR_BYTES:
        *out = dunlin_opaque(scalar->as.bytes);
        return expect(type, DUNLIN_TYPE_OPAQUE);
    case DN_SCALAR_LINK:
        *out = dunlin_link(scalar->as.link.object, scalar->as.link.instance);
        return expect(type, DUNLIN_TYPE_OBJLNK);
    case DN_SCALAR_NONE:
        break;
    }
    return DUNLIN_ERR_TYPE;
}
