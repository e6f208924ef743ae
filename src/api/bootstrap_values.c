/* SPDX-License-Identifier: Apache-2.0 */
/* Typed values of a bootstrap configuration; see bootstrap_values.h. */
#include "api/bootstrap_values.h"

#include "api/naming.h"
#include "api/value_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LINK_TEXT_MAX 16u

typedef struct {
    dn_naming naming;
    char *error;
    size_t error_size;
} typing;

static bool bad(const typing *t, dunlin_path path, const char *what, const char *more)
{
    char text[DUNLIN_PATH_TEXT_MAX + 1];
    dunlin_path_format(path, text);
    snprintf(t->error, t->error_size, "write.%s: %s%s", text, what, more);
    return false;
}

static bool is_id(const char *key, uint16_t *id)
{
    uint32_t number = 0;
    const size_t len = strlen(key);
    if (len == 0 || len > 5) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (key[i] < '0' || key[i] > '9') {
            return false;
        }
        number = number * 10 + (uint32_t)(key[i] - '0');
    }
    *id = (uint16_t)number;
    return number < DUNLIN_ID_NONE;
}

/* The one member of an object that is a typed value; NULL: it is something else. */
static const char *type_named(json_t *value)
{
    uint16_t id;
    const char *key = json_object_iter_key(json_object_iter(value));
    return json_object_size(value) == 1 && !is_id(key, &id) ? key : NULL;
}

static bool replace(const typing *t, dunlin_path path, json_t *parent, const char *key, json_t *fresh)
{
    return (fresh != NULL && json_object_set_new(parent, key, fresh) == 0) ||
           bad(t, path, "there is no memory for this value", "");
}

static json_t *named(const char *type, json_t *value)
{
    return json_pack("{s:o}", type, value);
}

/* Beyond int64 in digits, as a configuration has it. */
static json_t *big_unsigned(dunlin_slice digits)
{
    return named("unsigned", json_stringn((const char *)digits.data, digits.len));
}

/* A value whose type is named. Configurations have no name for types that their JSON shows, and call opaque ones "hex". */
static bool type_named_value(const typing *t, dunlin_path path, const dn_resource_def *resource,
                             json_t *parent, const char *key, json_t *value, const char *name)
{
    dunlin_type type;
    dunlin_slice digits;
    const char *known = strcmp(name, "hex") == 0 ? "opaque" : name;
    json_t *inner = json_object_get(value, name);
    if (!dn_type_named(dunlin_slice_of(known), &type)) {
        return true; /* refused with the rest of the document */
    }
    if (resource != NULL && type != resource->type) {
        return bad(t, path, "by its model this is of the type ", dunlin_type_name(resource->type));
    }
    switch (type) {
    case DUNLIN_TYPE_STRING:
    case DUNLIN_TYPE_CORELNK:
        return json_is_string(inner) ? replace(t, path, parent, key, json_incref(inner))
                                     : bad(t, path, "must be ", dn_value_expectation(type));
    case DUNLIN_TYPE_INTEGER:
        return json_is_integer(inner) ? replace(t, path, parent, key, json_incref(inner))
                                      : bad(t, path, "must be ", dn_value_expectation(type));
    case DUNLIN_TYPE_BOOLEAN:
        return json_is_boolean(inner) ? replace(t, path, parent, key, json_incref(inner))
                                      : bad(t, path, "must be ", dn_value_expectation(type));
    case DUNLIN_TYPE_OPAQUE:
        return replace(t, path, parent, key, json_pack("{s:O}", "hex", inner));
    case DUNLIN_TYPE_UNSIGNED:
        if (dn_jsonr_big(inner, &digits) && digits.data[0] == '-') {
            return bad(t, path, "must be ", dn_value_expectation(type));
        }
        return !dn_jsonr_big(inner, &digits) || replace(t, path, parent, key, big_unsigned(digits));
    default:
        return true;
    }
}

/* The value as a configuration has it; NULL: none that it can have, or no memory. */
static json_t *written(const dunlin_value *value, json_t *given)
{
    char link[LINK_TEXT_MAX];
    char digits[LINK_TEXT_MAX + 8];
    switch (value->type) {
    case DUNLIN_TYPE_INTEGER:
        return json_integer(value->as.integer);
    case DUNLIN_TYPE_UNSIGNED:
        snprintf(digits, sizeof digits, "%" PRIu64, value->as.uinteger);
        return value->as.uinteger <= INT64_MAX
                   ? named("unsigned", json_integer((json_int_t)value->as.uinteger))
                   : big_unsigned(dunlin_slice_of(digits));
    case DUNLIN_TYPE_FLOAT:
        return isfinite(value->as.number) ? named("float", json_real(value->as.number)) : NULL;
    case DUNLIN_TYPE_TIME:
        return named("time", json_integer(value->as.integer));
    case DUNLIN_TYPE_OBJLNK:
        snprintf(link, sizeof link, "%u:%u", value->as.link.object, value->as.link.instance);
        return named("objlnk", json_string(link));
    default:
        return json_incref(given);
    }
}

/* A plain value as its model has it. */
static bool type_plain(const typing *t, dunlin_path path, const dn_resource_def *resource, json_t *parent,
                       const char *key, json_t *value)
{
    dunlin_value read;
    dunlin_buf none = dunlin_buf_make(NULL, 0);
    if (resource->type == DUNLIN_TYPE_NONE) {
        return bad(t, path, "by its model this is executed and has no value", "");
    }
    if (resource->type == DUNLIN_TYPE_OPAQUE) {
        return bad(t, path, "must be {\"opaque\":\"…\"} with hex digits", "");
    }
    if (dn_value_read(value, resource->type, &none, &read) != DUNLIN_OK) {
        return bad(t, path, "must be ", dn_value_expectation(resource->type));
    }
    json_t *fresh = written(&read, value);
    return fresh != NULL ? replace(t, path, parent, key, fresh)
                         : bad(t, path, "must be a number that is finite", "");
}

/* No model says what this is: a number that only one type can hold is of that. */
static bool type_unknown(const typing *t, dunlin_path path, json_t *parent, const char *key,
                         const json_t *value)
{
    dunlin_slice digits;
    return !dn_jsonr_big(value, &digits) || digits.data[0] == '-' || path.depth < 3 ||
           replace(t, path, parent, key, big_unsigned(digits));
}

/* Depth is that of a path: four at most. */
static bool type_member(typing *t, dunlin_path path, json_t *parent, const char *key, json_t *value) // NOLINT
{
    const dn_resource_def *resource = dn_naming_resource(&t->naming, path);
    const bool several = resource != NULL && resource->multiple;
    const char *name = json_is_object(value) ? type_named(value) : NULL;
    if (name != NULL || !json_is_object(value)) {
        if (path.depth == 3 && several) {
            return bad(t, path, "by its model this has instances: {\"0\":…}", "");
        }
        if (name != NULL) {
            return type_named_value(t, path, resource, parent, key, value, name);
        }
        return resource != NULL ? type_plain(t, path, resource, parent, key, value)
                                : type_unknown(t, path, parent, key, value);
    }
    if (path.depth == 3 && resource != NULL && !several) {
        return bad(t, path, "by its model this has one value and no instances", "");
    }
    const char *child;
    json_t *below;
    json_object_foreach(value, child, below)
    {
        uint16_t id;
        if (path.depth >= 4 || !is_id(child, &id)) {
            return bad(t, path, "a member here is neither an id nor the name of a type", "");
        }
        if (!type_member(t, dunlin_path_child(path, id), value, child, below)) {
            return false;
        }
    }
    return true;
}

/* A number that only an unsigned resource can hold, and that stands elsewhere. The document's depth is what the parser allows. */
static bool has_big(const json_t *value) // NOLINT
{
    dunlin_slice digits;
    size_t at;
    const json_t *element;
    void *iter = json_object_iter((json_t *)(uintptr_t)value);
    for (; iter != NULL; iter = json_object_iter_next((json_t *)(uintptr_t)value, iter)) {
        if (has_big(json_object_iter_value(iter))) {
            return true;
        }
    }
    for (at = 0; at < json_array_size(value); at++) {
        element = json_array_get(value, at);
        if (has_big(element)) {
            return true;
        }
    }
    return dn_jsonr_big(value, &digits);
}

bool dn_bootstrap_values_type(json_t *document, dn_registry *registry, char *error, size_t error_size)
{
    typing t = {.naming = dn_naming_make(registry, NULL), .error = error, .error_size = error_size};
    json_t *write = json_object_get(document, "write");
    const char *key;
    json_t *value;
    if (json_is_object(write)) {
        json_object_foreach(write, key, value)
        {
            dunlin_path path;
            if (dunlin_path_parse(dunlin_slice_of(key), &path) == DUNLIN_OK && path.depth > 0 &&
                !type_member(&t, path, write, key, value)) {
                return false;
            }
        }
    }
    if (has_big(document)) {
        snprintf(error, error_size, "a number is too large");
        return false;
    }
    return true;
}
