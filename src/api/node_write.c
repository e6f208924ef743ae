/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads as JSON trees; see node_write.h. */
#include "api/node_write.h"

#include "api/value_json.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ITEMS      16u
#define RELATIVE_BELOW_S 268435456.0 /* 2^28 (RFC 8428 section 4.5.3) */
#define TIME_MOST_S      1e12

typedef dn_node_item item;

static bool add(dn_nodes *all, const dn_record *record)
{
    if (all->count == all->cap) {
        size_t cap = all->cap == 0 ? FIRST_ITEMS : all->cap * 2;
        item *items = realloc(all->items, cap * sizeof *items);
        if (items == NULL) {
            return false;
        }
        all->items = items;
        all->cap = cap;
    }
    item *made = &all->items[all->count];
    *made = (item){.path = record->path,
                   .empty = record->kind == DN_RECORD_EMPTY,
                   .multiple = record->multiple,
                   .has_time = record->has_time,
                   .time_s = record->has_time ? record->time_s : 0,
                   .order = all->count,
                   .value = record->value};
    dunlin_type type = record->value.type;
    if (!made->empty &&
        (type == DUNLIN_TYPE_STRING || type == DUNLIN_TYPE_CORELNK || type == DUNLIN_TYPE_OPAQUE)) {
        dunlin_slice from = record->value.as.bytes;
        made->value.as.bytes = dunlin_slice_make(all->bytes.data + all->bytes.len, from.len);
        if (!dunlin_buf_append(&all->bytes, from)) {
            return false;
        }
    }
    all->count++;
    return true;
}

static int compare_items(const void *a, const void *b)
{
    const item *left = a;
    const item *right = b;
    int order = dunlin_path_compare(left->path, right->path);
    if (order != 0) {
        return order;
    }
    if (left->time_s < right->time_s || left->time_s > right->time_s) {
        return left->time_s < right->time_s ? -1 : 1;
    }
    return left->order < right->order ? -1 : left->order > right->order;
}

void dn_nodes_newest(dn_nodes *all)
{
    size_t kept = 0;
    for (size_t i = 0; i < all->count; i++) {
        bool last = i + 1 == all->count || !dunlin_path_equal(all->items[i].path, all->items[i + 1].path);
        if (last) {
            all->items[kept++] = all->items[i];
        }
    }
    all->count = kept;
}

static dunlin_status decode(dn_nodes *all, dn_naming *naming, dunlin_path base, uint16_t format,
                            dunlin_slice payload)
{
    /* Text that is unescaped never grows; values of a base name may be repeated, yet each lies in the payload once. */
    size_t room = payload.len + 1;
    uint8_t *memory = malloc(2 * room);
    if (memory == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    all->bytes = dunlin_buf_make(memory, room);
    dn_decoder decoder;
    dn_record record;
    dunlin_status status = dn_decode(&decoder, format, base, payload, dn_naming_types(naming),
                                     dunlin_buf_make(memory + room, room));
    while (status == DUNLIN_OK) {
        status = dn_decode_next(&decoder, &record);
        if (status == DUNLIN_OK && !add(all, &record)) {
            status = DUNLIN_ERR_MEMORY;
        }
    }
    if (status != DUNLIN_END) {
        return status;
    }
    if (all->count > 0) {
        qsort(all->items, all->count, sizeof all->items[0], compare_items);
    }
    return DUNLIN_OK;
}

dunlin_status dn_nodes_read(dn_nodes *all, dn_naming *naming, dunlin_path base, uint16_t format,
                            dunlin_slice payload)
{
    *all = (dn_nodes){0};
    dunlin_status status = decode(all, naming, base, format, payload);
    if (status != DUNLIN_OK) {
        dn_nodes_free(all);
    }
    return status;
}

void dn_nodes_free(dn_nodes *all)
{
    free(all->items);
    free(all->bytes.data);
    *all = (dn_nodes){0};
}

static void write_type(dn_jsonw *json, const dn_resource_def *definition, const item *first)
{
    dunlin_type type = definition != NULL ? definition->type : DUNLIN_TYPE_NONE;
    if (type == DUNLIN_TYPE_NONE && first != NULL) {
        type = first->value.type;
    }
    dn_jsonw_pair(json, "type", dunlin_type_name(type));
}

/* `items[0..count)` are all records of one resource; count may be 0. */
static void write_resource(dn_jsonw *json, dn_naming *naming, dunlin_path path, const item *items,
                           size_t count)
{
    const dn_resource_def *definition = dn_naming_resource(naming, path);
    /* An EMPTY record comes first, being the shorter path; it says only that the resource is there. */
    size_t first = count > 0 && items[0].empty ? 1 : 0;
    bool multiple = count == 0 || first == 1 || items[0].multiple || items[0].path.depth == 4;
    dn_jsonw_begin(json, '{');
    dn_jsonw_pair_unsigned(json, "id", path.id[2]);
    if (definition != NULL) {
        dn_jsonw_pair(json, "name", definition->name);
    }
    write_type(json, definition, first < count ? &items[first] : NULL);
    if (definition != NULL && definition->unit[0] != 0) {
        dn_jsonw_pair(json, "unit", definition->unit);
    }
    if (!multiple) {
        dn_jsonw_key(json, "value");
        dn_value_write(json, &items[0].value);
        dn_jsonw_end(json, '}');
        return;
    }
    dn_jsonw_key(json, "values");
    dn_jsonw_begin(json, '[');
    for (size_t i = first; i < count; i++) {
        dn_jsonw_begin(json, '{');
        dn_jsonw_pair_unsigned(json, "id", items[i].path.depth == 4 ? items[i].path.id[3] : 0);
        dn_jsonw_key(json, "value");
        dn_value_write(json, &items[i].value);
        dn_jsonw_end(json, '}');
    }
    dn_jsonw_end(json, ']');
    dn_jsonw_end(json, '}');
}

/* How many of the items lie at or below `path`, which is a prefix of the first one. */
static size_t run_below(const item *items, size_t count, dunlin_path path)
{
    size_t run = 0;
    while (run < count && dunlin_path_within(items[run].path, path)) {
        run++;
    }
    return run;
}

static void write_instance(dn_jsonw *json, dn_naming *naming, dunlin_path path, const item *items,
                           size_t count)
{
    dn_jsonw_begin(json, '{');
    dn_jsonw_pair_unsigned(json, "id", path.id[1]);
    dn_jsonw_key(json, "resources");
    dn_jsonw_begin(json, '[');
    for (size_t at = 0; at < count;) {
        if (items[at].path.depth < 3) {
            at++;
            continue;
        }
        dunlin_path resource = dunlin_path_child(path, items[at].path.id[2]);
        size_t run = run_below(items + at, count - at, resource);
        write_resource(json, naming, resource, items + at, run);
        at += run;
    }
    dn_jsonw_end(json, ']');
    dn_jsonw_end(json, '}');
}

static void write_object(dn_jsonw *json, dn_naming *naming, dunlin_path path, const item *items, size_t count)
{
    const dn_object_def *definition = dn_naming_object(naming, path.id[0]);
    dn_version version = definition != NULL ? definition->version : (dn_version){1, 0};
    if (naming->profile != NULL) {
        (void)dn_profile_version(naming->profile, path.id[0], &version);
    }
    char text[16];
    dn_version_text(version, text);
    dn_jsonw_begin(json, '{');
    dn_jsonw_pair_unsigned(json, "id", path.id[0]);
    if (definition != NULL) {
        dn_jsonw_pair(json, "name", definition->name);
    }
    dn_jsonw_pair(json, "version", text);
    dn_jsonw_key(json, "instances");
    dn_jsonw_begin(json, '[');
    for (size_t at = 0; at < count;) {
        if (items[at].path.depth < 2) {
            at++;
            continue;
        }
        dunlin_path instance = dunlin_path_child(path, items[at].path.id[1]);
        size_t run = run_below(items + at, count - at, instance);
        write_instance(json, naming, instance, items + at, run);
        at += run;
    }
    dn_jsonw_end(json, ']');
    dn_jsonw_end(json, '}');
}

/* A single value: `path` has depth 4. */
static void write_resource_instance(dn_jsonw *json, dn_naming *naming, dunlin_path path, const item *value)
{
    dn_jsonw_begin(json, '{');
    dn_jsonw_pair_unsigned(json, "id", path.id[3]);
    write_type(json, dn_naming_resource(naming, path), value);
    dn_jsonw_key(json, "value");
    dn_value_write(json, &value->value);
    dn_jsonw_end(json, '}');
}

static dunlin_status write_node(dn_jsonw *json, dn_naming *naming, dunlin_path path, const item *items,
                                size_t count)
{
    if (path.depth == 1) {
        write_object(json, naming, path, items, count);
    } else if (path.depth == 2) {
        write_instance(json, naming, path, items, count);
    } else if (path.depth == 3) {
        write_resource(json, naming, path, items, count);
    } else if (path.depth == 4 && count == 1 && !items[0].empty) {
        write_resource_instance(json, naming, path, &items[0]);
    } else {
        return DUNLIN_ERR_PATH; /* a resource instance without its value */
    }
    return DUNLIN_OK;
}

dunlin_status dn_node_write(dn_jsonw *json, dn_naming *naming, dunlin_path path, uint16_t format,
                            dunlin_slice payload)
{
    dn_nodes all;
    dunlin_status status = dn_nodes_read(&all, naming, path, format, payload);
    if (status == DUNLIN_OK) {
        dn_nodes_newest(&all);
        status = write_node(json, naming, path, all.items, all.count);
        dn_nodes_free(&all);
    }
    return status;
}

/* {"path":…,"node":…} of the items below `path`, if there are any. Returns how many there are from `first` on. */
static size_t write_below(const dn_nodes *all, dn_jsonw *json, dn_naming *naming, dunlin_path path,
                          size_t first)
{
    size_t run = all->count > first ? run_below(all->items + first, all->count - first, path) : 0;
    bool whole = path.depth < 4 || (run == 1 && !all->items[first].empty);
    if (run > 0 && whole) {
        char text[DUNLIN_PATH_TEXT_MAX + 1];
        dunlin_path_format(path, text);
        dn_jsonw_begin(json, '{');
        dn_jsonw_pair(json, "path", text);
        dn_jsonw_key(json, "node");
        (void)write_node(json, naming, path, all->items + first, run);
        dn_jsonw_end(json, '}');
    }
    return run;
}

void dn_nodes_write(const dn_nodes *all, dn_jsonw *json, dn_naming *naming, const dunlin_path *paths,
                    size_t path_count)
{
    dn_jsonw_key(json, "nodes");
    dn_jsonw_begin(json, '[');
    for (size_t i = 0; i < path_count; i++) {
        size_t first = 0;
        while (first < all->count && !dunlin_path_within(all->items[first].path, paths[i])) {
            first++;
        }
        (void)write_below(all, json, naming, paths[i], first);
    }
    for (size_t at = 0; path_count == 0 && at < all->count;) {
        dunlin_path path = all->items[at].path;
        path.depth = path.depth > 3 ? 3 : path.depth;
        size_t run = path.depth > 0 ? write_below(all, json, naming, path, at) : 1;
        at += run;
    }
    dn_jsonw_end(json, ']');
}

void dn_nodes_write_values(const dn_nodes *all, dn_jsonw *json)
{
    dn_jsonw_key(json, "values");
    dn_jsonw_begin(json, '{');
    for (size_t i = 0; i < all->count; i++) {
        if (!all->items[i].empty) {
            char text[DUNLIN_PATH_TEXT_MAX + 1];
            dunlin_path_format(all->items[i].path, text);
            dn_jsonw_key(json, text);
            dn_value_write(json, &all->items[i].value);
        }
    }
    dn_jsonw_end(json, '}');
}

void dn_nodes_write_records(const dn_nodes *all, dn_jsonw *json, int64_t now_ms)
{
    dn_jsonw_key(json, "records");
    dn_jsonw_begin(json, '[');
    for (size_t i = 0; i < all->count; i++) {
        const item *one = &all->items[i];
        if (one->empty) {
            continue;
        }
        char text[DUNLIN_PATH_TEXT_MAX + 1];
        dunlin_path_format(one->path, text);
        dn_jsonw_begin(json, '{');
        dn_jsonw_pair(json, "path", text);
        dn_jsonw_key(json, "value");
        dn_value_write(json, &one->value);
        if (one->has_time && one->time_s > -TIME_MOST_S && one->time_s < TIME_MOST_S) {
            int64_t time_ms = (int64_t)(one->time_s * 1000);
            dn_jsonw_pair_time(json, "time", one->time_s < RELATIVE_BELOW_S ? now_ms + time_ms : time_ms);
        }
        dn_jsonw_end(json, '}');
    }
    dn_jsonw_end(json, ']');
}
