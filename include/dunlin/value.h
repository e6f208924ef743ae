/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and values: what LwM2M names and what it carries (Core 1.1.1 sections 7.1-7.3 and appendix C). */
#ifndef DUNLIN_VALUE_H
#define DUNLIN_VALUE_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

#define DUNLIN_PATH_DEPTH_MAX 4
#define DUNLIN_ID_NONE        65535u /* MAX_ID: never the id of a real thing */
#define DUNLIN_PATH_TEXT_MAX  24u    /* "/65534/65534/65534/65534" without NUL */

/* Object / Object Instance / Resource / Resource Instance; `depth` says how many of the ids count, 0 is the
 * root. */
typedef struct {
    uint16_t id[DUNLIN_PATH_DEPTH_MAX];
    uint8_t depth;
} dunlin_path;

typedef enum {
    DUNLIN_TYPE_NONE = 0, /* executable, or not known */
    DUNLIN_TYPE_STRING,
    DUNLIN_TYPE_INTEGER,
    DUNLIN_TYPE_UNSIGNED,
    DUNLIN_TYPE_FLOAT,
    DUNLIN_TYPE_BOOLEAN,
    DUNLIN_TYPE_OPAQUE,
    DUNLIN_TYPE_TIME, /* seconds since the Unix epoch, in `integer` */
    DUNLIN_TYPE_OBJLNK,
    DUNLIN_TYPE_CORELNK
} dunlin_type;

typedef struct {
    uint16_t object;
    uint16_t instance;
} dunlin_objlnk; /* 65535:65535 is the null link */

/* One value. `bytes` views memory of whoever made the value; a receiver that keeps it copies it. */
typedef struct {
    dunlin_type type;
    union {
        int64_t integer;    /* INTEGER, TIME */
        uint64_t uinteger;  /* UNSIGNED */
        double number;      /* FLOAT */
        bool boolean;       /* BOOLEAN */
        dunlin_objlnk link; /* OBJLNK */
        dunlin_slice bytes; /* STRING (UTF-8), CORELNK, OPAQUE */
    } as;
} dunlin_value;

static inline dunlin_path dunlin_path_root(void)
{
    dunlin_path path = {{0, 0, 0, 0}, 0};
    return path;
}
static inline dunlin_path dunlin_path_object(uint16_t object)
{
    dunlin_path path = {{object, 0, 0, 0}, 1};
    return path;
}
static inline dunlin_path dunlin_path_instance(uint16_t object, uint16_t instance)
{
    dunlin_path path = {{object, instance, 0, 0}, 2};
    return path;
}
static inline dunlin_path dunlin_path_resource(uint16_t object, uint16_t instance, uint16_t resource)
{
    dunlin_path path = {{object, instance, resource, 0}, 3};
    return path;
}
static inline dunlin_path dunlin_path_resource_instance(uint16_t object, uint16_t instance, uint16_t resource,
                                                        uint16_t ri)
{
    dunlin_path path = {{object, instance, resource, ri}, 4};
    return path;
}

/* `path` with one more id at its end; depth 4 is returned unchanged. */
static inline dunlin_path dunlin_path_child(dunlin_path path, uint16_t id)
{
    if (path.depth < DUNLIN_PATH_DEPTH_MAX) {
        path.id[path.depth++] = id;
    }
    return path;
}

/* True when `path` is `base` or lies below it. */
static inline bool dunlin_path_within(dunlin_path path, dunlin_path base)
{
    bool same = path.depth >= base.depth;
    for (unsigned i = 0; i < DUNLIN_PATH_DEPTH_MAX; i++) {
        same = same && (i >= base.depth || path.id[i] == base.id[i]);
    }
    return same;
}
static inline bool dunlin_path_equal(dunlin_path a, dunlin_path b)
{
    return a.depth == b.depth && dunlin_path_within(a, b);
}
/* Orders paths as a tree walk does: parents first, then by id. Negative, 0 or positive. */
int dunlin_path_compare(dunlin_path a, dunlin_path b);

/* Reads "/3/0/1", "3/0/1" or "/". MALFORMED for anything else, RANGE for an id of 65535 or more. */
dunlin_status dunlin_path_parse(dunlin_slice text, dunlin_path *out);
/* Writes "/3/0/1" with a NUL; `out` holds at least DUNLIN_PATH_TEXT_MAX + 1 bytes. Returns the length without
 * NUL. */
size_t dunlin_path_format(dunlin_path path, char *out);

static inline dunlin_value dunlin_string(dunlin_slice text)
{
    dunlin_value v = {.type = DUNLIN_TYPE_STRING, .as = {.bytes = text}};
    return v;
}
static inline dunlin_value dunlin_integer(int64_t integer)
{
    dunlin_value v = {.type = DUNLIN_TYPE_INTEGER, .as = {.integer = integer}};
    return v;
}
static inline dunlin_value dunlin_unsigned(uint64_t uinteger)
{
    dunlin_value v = {.type = DUNLIN_TYPE_UNSIGNED, .as = {.uinteger = uinteger}};
    return v;
}
static inline dunlin_value dunlin_float(double number)
{
    dunlin_value v = {.type = DUNLIN_TYPE_FLOAT, .as = {.number = number}};
    return v;
}
static inline dunlin_value dunlin_boolean(bool boolean)
{
    dunlin_value v = {.type = DUNLIN_TYPE_BOOLEAN, .as = {.boolean = boolean}};
    return v;
}
static inline dunlin_value dunlin_opaque(dunlin_slice bytes)
{
    dunlin_value v = {.type = DUNLIN_TYPE_OPAQUE, .as = {.bytes = bytes}};
    return v;
}
static inline dunlin_value dunlin_time(int64_t unix_s)
{
    dunlin_value v = {.type = DUNLIN_TYPE_TIME, .as = {.integer = unix_s}};
    return v;
}
static inline dunlin_value dunlin_link(uint16_t object, uint16_t instance)
{
    dunlin_value v = {.type = DUNLIN_TYPE_OBJLNK, .as = {.link = {object, instance}}};
    return v;
}

/* Same type and same content; floats compare by their bits, so that NaN equals itself. */
bool dunlin_value_equal(const dunlin_value *a, const dunlin_value *b);
/* "string", "integer", "unsigned", "float", "boolean", "opaque", "time", "objlnk", "corelnk", "none". */
const char *dunlin_type_name(dunlin_type type);

#endif
