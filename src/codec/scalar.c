/* SPDX-License-Identifier: Apache-2.0 */
/* From what a format shows to what the model says. */
#include "codec/scalar.h"

#include "codec/objlnk.h"

/* `type`, or the type that the scalar shows if the model has none. */
static dunlin_type type_or(dunlin_type type, dunlin_type shown)
{
    return type == DUNLIN_TYPE_NONE ? shown : type;
}

static dunlin_status expect(dunlin_type type, dunlin_type shown)
{
    return type_or(type, shown) == shown ? DUNLIN_OK : DUNLIN_ERR_TYPE;
}

/* A text where the model says more than "text". Some write an object link as a string ("vs", "sv") where the
 * standard has a field of its own for it ("vlo", "ov"); there is no doubt what they mean. */
static dunlin_status text_to_value(dunlin_slice text, dunlin_type type, dunlin_value *out)
{
    dunlin_objlnk link;
    dunlin_status status;
    switch (type) {
    case DUNLIN_TYPE_OBJLNK:
        status = dn_objlnk_read(text, &link);
        if (status == DUNLIN_OK) {
            *out = dunlin_link(link.object, link.instance);
        }
        return status;
    case DUNLIN_TYPE_CORELNK:
        *out = dunlin_string(text);
        out->type = type;
        return DUNLIN_OK;
    default:
        *out = dunlin_string(text);
        return expect(type, DUNLIN_TYPE_STRING);
    }
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
        return text_to_value(scalar->as.bytes, type, out);
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
