/* SPDX-License-Identifier: Apache-2.0 */
/* Values as JSON, by the types that the core Objects have. */
#define _XOPEN_SOURCE   700 /* strptime */
#define _DEFAULT_SOURCE     /* timegm */
#include "apps/dunlin/cmd_ets_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NUMBER_TEXT 40

/* ---- to JSON ---- */

static json_t *time_json(const char *text)
{
    char out[NUMBER_TEXT];
    const time_t unix_s = (time_t)strtoll(text, NULL, 10);
    struct tm utc;
    if (gmtime_r(&unix_s, &utc) == NULL || strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
        return json_string(text);
    }
    return json_string(out);
}

json_t *dn_ets_json_value(dunlin_type type, const char *text)
{
    switch (type) {
    case DUNLIN_TYPE_INTEGER:
    case DUNLIN_TYPE_UNSIGNED:
        return json_integer(strtoll(text, NULL, 10));
    case DUNLIN_TYPE_FLOAT:
        return json_real(strtod(text, NULL));
    case DUNLIN_TYPE_BOOLEAN:
        return json_boolean(strcmp(text, "1") == 0 || strcmp(text, "true") == 0);
    case DUNLIN_TYPE_TIME:
        return time_json(text);
    default:
        return json_string(text);
    }
}

static json_t *typed(dunlin_type type)
{
    json_t *node = json_object();
    (void)json_object_set_new(node, "type", json_string(dunlin_type_name(type)));
    return node;
}

/* The resource at `path` with all its instances. */
static json_t *resource_node(const dn_ets_values *values, dunlin_path path)
{
    bool multiple = false;
    json_t *node = typed(dn_ets_type_of(path, &multiple, NULL));
    json_t *list = json_array();
    for (size_t i = 0; i < values->count; i++) {
        const dn_ets_value *one = &values->list[i];
        if (!dunlin_path_within(one->path, path) || one->text == NULL) {
            continue;
        }
        json_t *value = dn_ets_json_value(one->type, one->text);
        (void)json_object_set_new(node, "type", json_string(dunlin_type_name(one->type)));
        if (one->path.depth == 4) {
            json_t *item = json_object();
            (void)json_object_set_new(item, "id", json_integer(one->path.id[3]));
            (void)json_object_set_new(item, "value", value);
            (void)json_array_append_new(list, item);
        } else {
            (void)json_object_set_new(node, "value", value);
        }
    }
    if (multiple || json_array_size(list) > 0) {
        (void)json_object_set(node, "values", list);
    }
    json_decref(list);
    return node;
}

static json_t *instance_node(const dn_ets_values *values, dunlin_path path)
{
    json_t *node = json_object();
    json_t *resources = json_array();
    dunlin_path last = dunlin_path_root();
    for (size_t i = 0; i < values->count; i++) {
        dunlin_path resource = values->list[i].path;
        if (path.depth == 1) {
            path = dunlin_path_instance(resource.id[0], resource.id[1]);
        }
        if (resource.depth < 3 || !dunlin_path_within(resource, path)) {
            continue;
        }
        resource = dunlin_path_resource(resource.id[0], resource.id[1], resource.id[2]);
        if (dunlin_path_equal(resource, last)) {
            continue;
        }
        last = resource;
        json_t *one = resource_node(values, resource);
        (void)json_object_set_new(one, "id", json_integer(resource.id[2]));
        (void)json_array_append_new(resources, one);
    }
    if (path.depth == 2) {
        (void)json_object_set_new(node, "id", json_integer(path.id[1]));
    }
    (void)json_object_set_new(node, "resources", resources);
    return node;
}

json_t *dn_ets_json_node(const dn_ets_values *values, dunlin_path path)
{
    if (path.depth == 3) {
        return resource_node(values, path);
    }
    for (size_t i = 0; path.depth == 4 && i < values->count; i++) {
        const dn_ets_value *one = &values->list[i];
        if (dunlin_path_equal(one->path, path) && one->text != NULL) {
            json_t *node = typed(one->type);
            (void)json_object_set_new(node, "value", dn_ets_json_value(one->type, one->text));
            return node;
        }
    }
    return instance_node(values, path);
}

/* ---- from JSON ---- */

static bool read_time(const char *text, char *out, size_t size)
{
    struct tm utc;
    memset(&utc, 0, sizeof utc);
    if (strptime(text, "%Y-%m-%dT%H:%M:%S", &utc) == NULL) {
        return false;
    }
    (void)snprintf(out, size, "%lld", (long long)timegm(&utc));
    return true;
}

bool dn_ets_json_read_value(const json_t *value, dunlin_path path, dn_ets_values *values)
{
    char text[NUMBER_TEXT];
    const dunlin_type known = dn_ets_type_of(path, NULL, NULL);
    switch (json_typeof(value)) {
    case JSON_INTEGER:
        (void)snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
        dn_ets_values_put(values, path, known != DUNLIN_TYPE_NONE ? known : DUNLIN_TYPE_INTEGER, text);
        return true;
    case JSON_REAL:
        (void)snprintf(text, sizeof text, "%.17g", json_real_value(value));
        dn_ets_values_put(values, path, DUNLIN_TYPE_FLOAT, text);
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        dn_ets_values_put(values, path, DUNLIN_TYPE_BOOLEAN, json_is_true(value) ? "1" : "0");
        return true;
    case JSON_STRING: {
        const char *string = json_string_value(value);
        if (known == DUNLIN_TYPE_TIME && read_time(string, text, sizeof text)) {
            string = text;
        }
        dn_ets_values_put(values, path, known != DUNLIN_TYPE_NONE ? known : DUNLIN_TYPE_STRING, string);
        return true;
    }
    default:
        return false;
    }
}

static bool read_id(const json_t *node, dunlin_path path, dunlin_path *out)
{
    const json_t *id = json_object_get(node, "id");
    if (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) >= DUNLIN_ID_NONE) {
        return false;
    }
    *out = dunlin_path_child(path, (uint16_t)json_integer_value(id));
    return true;
}

/* A resource: one value or several. */
static bool read_resource(const json_t *node, dunlin_path path, dn_ets_values *values)
{
    const json_t *list = json_object_get(node, "values");
    const json_t *value = json_object_get(node, "value");
    size_t i = 0;
    const json_t *item = NULL;
    if (value != NULL) {
        return dn_ets_json_read_value(value, path, values);
    }
    if (!json_is_array(list)) {
        return false;
    }
    if (json_array_size(list) == 0) {
        dn_ets_values_put(values, path, DUNLIN_TYPE_NONE, NULL);
    }
    json_array_foreach(list, i, item)
    {
        dunlin_path below;
        const json_t *one = json_object_get(item, "value");
        if (one == NULL || !read_id(item, path, &below) || !dn_ets_json_read_value(one, below, values)) {
            return false;
        }
    }
    return true;
}

static bool read_instance(const json_t *node, dunlin_path path, dn_ets_values *values)
{
    const json_t *list = json_object_get(node, "resources");
    size_t i = 0;
    const json_t *item = NULL;
    dunlin_path below;
    if (!json_is_array(list)) {
        return false;
    }
    json_array_foreach(list, i, item)
    {
        if (!read_id(item, path, &below) || !read_resource(item, below, values)) {
            return false;
        }
    }
    return true;
}

bool dn_ets_json_read(const json_t *node, dunlin_path path, dn_ets_values *values)
{
    const json_t *list = json_object_get(node, "instances");
    size_t i = 0;
    const json_t *item = NULL;
    dunlin_path below;
    if (path.depth >= 3) {
        return read_resource(node, path, values);
    }
    if (path.depth == 2) {
        return read_instance(node, path, values);
    }
    if (!json_is_array(list)) {
        return false;
    }
    json_array_foreach(list, i, item)
    {
        if (!read_id(item, path, &below) || !read_instance(item, below, values)) {
            return false;
        }
    }
    return true;
}

uint8_t dn_ets_json_code(const char *text)
{
    if (text == NULL || text[0] < '0' || text[0] > '7' || text[1] != '.') {
        return 0;
    }
    return (uint8_t)((unsigned)(text[0] - '0') << 5 | (unsigned)strtoul(text + 2, NULL, 10));
}
