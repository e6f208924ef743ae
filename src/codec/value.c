/* SPDX-License-Identifier: Apache-2.0 */
/* Values: comparison and names of types. */
#include <dunlin/value.h>

#include <string.h>

static bool same_bits(double a, double b)
{
    uint64_t x;
    uint64_t y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return x == y;
}

bool dunlin_value_equal(const dunlin_value *a, const dunlin_value *b)
{
    if (a->type != b->type) {
        return false;
    }
    switch (a->type) {
    case DUNLIN_TYPE_NONE:
        return true;
    case DUNLIN_TYPE_INTEGER:
    case DUNLIN_TYPE_TIME:
        return a->as.integer == b->as.integer;
    case DUNLIN_TYPE_UNSIGNED:
        return a->as.uinteger == b->as.uinteger;
    case DUNLIN_TYPE_FLOAT:
        return same_bits(a->as.number, b->as.number);
    case DUNLIN_TYPE_BOOLEAN:
        return a->as.boolean == b->as.boolean;
    case DUNLIN_TYPE_OBJLNK:
        return a->as.link.object == b->as.link.object && a->as.link.instance == b->as.link.instance;
    case DUNLIN_TYPE_STRING:
    case DUNLIN_TYPE_CORELNK:
    case DUNLIN_TYPE_OPAQUE:
        return dunlin_slice_equal(a->as.bytes, b->as.bytes);
    }
    return false;
}

const char *dunlin_type_name(dunlin_type type)
{
    static const char *const names[] = {
        [DUNLIN_TYPE_NONE] = "none",       [DUNLIN_TYPE_STRING] = "string",
        [DUNLIN_TYPE_INTEGER] = "integer", [DUNLIN_TYPE_UNSIGNED] = "unsigned",
        [DUNLIN_TYPE_FLOAT] = "float",     [DUNLIN_TYPE_BOOLEAN] = "boolean",
        [DUNLIN_TYPE_OPAQUE] = "opaque",   [DUNLIN_TYPE_TIME] = "time",
        [DUNLIN_TYPE_OBJLNK] = "objlnk",   [DUNLIN_TYPE_CORELNK] = "corelnk",
    };
    size_t index = (size_t)type;
    return index < sizeof names / sizeof names[0] ? names[index] : "none";
}
