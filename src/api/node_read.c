/* SPDX-License-Identifier: Apache-2.0 */
/* JSON trees as records; see node_read.h. */
#include "api/node_read.h"

#include "api/value_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    dn_naming *naming;
    dn_node_input *input;
    dn_node_error *error;
    dunlin_buf scratch;
    char pointer[96]; /* where we are */
} reader;

static bool fail(reader *in, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));

static bool fail(reader *in, const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(in->error->detail, sizeof in->error->detail, format, arguments);
    va_end(arguments);
    snprintf(in->error->pointer, sizeof in->error->pointer, "%s%s%.20s", in->pointer, key[0] != 0 ? "/" : "",
             key);
    return false;
}

static bool put(reader *in, dn_record_kind kind, dunlin_path path, dunlin_value value)
{
    dn_node_input *input = in->input;
    if (input->count == input->cap) {
        size_t cap = input->cap == 0 ? 8 : input->cap * 2;
        dn_record *records = realloc(input->records, cap * sizeof *records);
        if (records == NULL) {
            return fail(in, "", "no memory");
        }
        input->records = records;
        input->cap = cap;
    }
    input->records[input->count++] =
        (dn_record){.kind = kind, .path = path, .value = value, .multiple = path.depth == 4};
    return true;
}

/* Every member must be known: a misspelt one would be lost silently. */
static bool only_members(reader *in, const json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], key) != 0) {
            i++;
        }
        if (known[i] == NULL) {
            return fail(in, "", "there is no member \"%.40s\" here", key);
        }
    }
    return true;
}

/* The member "id", which must be there if `required` and be `expected` unless that is DUNLIN_ID_NONE. */
static bool read_id(reader *in, const json_t *object, bool required, uint16_t expected, uint16_t *id)
{
    const json_t *member = json_object_get(object, "id");
    int64_t number;
    if (member == NULL) {
        return required ? fail(in, "", "the member \"id\" is missing") : true;
    }
    if (!dn_jsonr_integer(member, 0, DUNLIN_ID_NONE - 1, &number)) {
        return fail(in, "id", "must be an integer from 0 to 65534");
    }
    if (expected != DUNLIN_ID_NONE && number != expected) {
        return fail(in, "id", "must be %u, as in the path", expected);
    }
    *id = (uint16_t)number;
    return true;
}

static bool read_value(reader *in, const json_t *json, const char *key, dunlin_path path, dunlin_type type)
{
    dunlin_value value;
    switch (dn_value_read(json, type, &in->scratch, &value)) {
    case DUNLIN_OK:
        return put(in, DN_RECORD_VALUE, path, value);
    case DUNLIN_ERR_RANGE:
        return fail(in, key, "is out of range: must be %s", dn_value_expectation(type));
    default:
        return fail(in, key, "must be %s", dn_value_expectation(type));
    }
}

/* The type that the model gives, else the member "type", else NONE. */
static bool read_type(reader *in, const json_t *node, const dn_resource_def *definition, dunlin_type *type)
{
    *type = definition != NULL ? definition->type : DUNLIN_TYPE_NONE;
    if (definition != NULL && definition->type == DUNLIN_TYPE_NONE) {
        return fail(in, "", "the resource \"%.60s\" is executable and has no value", definition->name);
    }
    const json_t *member = json_object_get(node, "type");
    dunlin_slice name;
    if (definition != NULL || member == NULL) {
        return true;
    }
    if (!dn_jsonr_string(member, &name) || !dn_type_named(name, type)) {
        return fail(in, "type",
                    "must be string, integer, unsigned, float, boolean, opaque, time, objlnk or corelnk");
    }
    return true;
}

/* Goes into member `key` element `index`; the returned length takes back out. */
static size_t enter(reader *in, const char *key, size_t index)
{
    size_t len = strlen(in->pointer);
    snprintf(in->pointer + len, sizeof in->pointer - len, "/%s/%zu", key, index);
    return len;
}

static bool read_values(reader *in, const json_t *values, dunlin_path path, dunlin_type type)
{
    static const char *const known[] = {"id", "type", "value", NULL};
    if (!json_is_array(values)) {
        return fail(in, "values", "must be an array of {\"id\", \"value\"}");
    }
    if (json_array_size(values) == 0) {
        return put(in, DN_RECORD_EMPTY, path, (dunlin_value){.type = DUNLIN_TYPE_NONE});
    }
    for (size_t i = 0; i < json_array_size(values); i++) {
        size_t back = enter(in, "values", i);
        const json_t *element = json_array_get(values, i);
        uint16_t id = 0;
        if (!json_is_object(element)) {
            return fail(in, "", "must be an object with \"id\" and \"value\"");
        }
        const json_t *value = json_object_get(element, "value");
        if (!only_members(in, element, known) || !read_id(in, element, true, DUNLIN_ID_NONE, &id)) {
            return false;
        }
        if (value == NULL) {
            return fail(in, "", "the member \"value\" is missing");
        }
        if (!read_value(in, value, "value", dunlin_path_child(path, id), type)) {
            return false;
        }
        in->pointer[back] = 0;
    }
    return true;
}

static bool read_resource(reader *in, const json_t *node, dunlin_path path)
{
    static const char *const known[] = {"id", "name", "type", "unit", "value", "values", NULL};
    const json_t *value = json_object_get(node, "value");
    const json_t *values = json_object_get(node, "values");
    const dn_resource_def *definition = dn_naming_resource(in->naming, path);
    uint16_t id;
    dunlin_type type;
    if (!only_members(in, node, known) || !read_id(in, node, false, path.id[2], &id) ||
        !read_type(in, node, definition, &type)) {
        return false;
    }
    if ((value == NULL) == (values == NULL)) {
        return fail(in, "", "must have either \"value\" or \"values\"");
    }
    if (definition != NULL && definition->multiple != (values != NULL)) {
        return fail(in, values != NULL ? "values" : "value",
                    "the resource \"%.60s\" is %s: must be given with \"%s\"", definition->name,
                    definition->multiple ? "a multiple one" : "a single one",
                    definition->multiple ? "values" : "value");
    }
    return values != NULL ? read_values(in, values, path, type) : read_value(in, value, "value", path, type);
}

static bool read_resource_instance(reader *in, const json_t *node, dunlin_path path)
{
    static const char *const known[] = {"id", "type", "value", NULL};
    const json_t *value = json_object_get(node, "value");
    const dn_resource_def *definition = dn_naming_resource(in->naming, path);
    uint16_t id;
    dunlin_type type;
    if (!only_members(in, node, known) || !read_id(in, node, false, path.id[3], &id) ||
        !read_type(in, node, definition, &type)) {
        return false;
    }
    if (value == NULL) {
        return fail(in, "", "the member \"value\" is missing");
    }
    return read_value(in, value, "value", path, type);
}

static bool read_resources(reader *in, const json_t *node, dunlin_path path)
{
    const json_t *resources = json_object_get(node, "resources");
    if (!json_is_array(resources)) {
        return fail(in, resources == NULL ? "" : "resources", "must %s an array of resources",
                    resources == NULL ? "have the member \"resources\"," : "be");
    }
    if (json_array_size(resources) == 0) {
        return put(in, DN_RECORD_EMPTY, path, (dunlin_value){.type = DUNLIN_TYPE_NONE});
    }
    for (size_t i = 0; i < json_array_size(resources); i++) {
        size_t back = enter(in, "resources", i);
        const json_t *element = json_array_get(resources, i);
        uint16_t id = 0;
        if (!json_is_object(element)) {
            return fail(in, "", "must be an object with \"id\" and \"value\" or \"values\"");
        }
        if (!read_id(in, element, true, DUNLIN_ID_NONE, &id) ||
            !read_resource(in, element, dunlin_path_child(path, id))) {
            return false;
        }
        in->pointer[back] = 0;
    }
    return true;
}

static bool read_instance(reader *in, const json_t *node, dunlin_path path)
{
    static const char *const known[] = {"id", "resources", NULL};
    uint16_t id = path.depth == 2 ? path.id[1] : 0;
    if (!only_members(in, node, known) ||
        !read_id(in, node, false, path.depth == 2 ? path.id[1] : (uint16_t)DUNLIN_ID_NONE, &id)) {
        return false;
    }
    in->input->named_instance = json_object_get(node, "id") != NULL;
    return read_resources(in, node, dunlin_path_instance(path.id[0], id));
}

static int compare_records(const void *a, const void *b)
{
    return dunlin_path_compare(((const dn_record *)a)->path, ((const dn_record *)b)->path);
}

static bool in_order(reader *in)
{
    dn_node_input *input = in->input;
    if (input->count > 0) {
        qsort(input->records, input->count, sizeof input->records[0], compare_records);
    }
    for (size_t i = 1; i < input->count; i++) {
        bool twice = dunlin_path_equal(input->records[i - 1].path, input->records[i].path);
        /* "values": [] beside a value of the same resource. */
        bool within = dunlin_path_within(input->records[i].path, input->records[i - 1].path);
        if (twice || within) {
            char text[DUNLIN_PATH_TEXT_MAX + 1];
            dunlin_path_format(input->records[i].path, text);
            in->pointer[0] = 0;
            return fail(in, "", "%s is given twice", text);
        }
    }
    return true;
}

bool dn_node_read(const json_t *body, size_t body_len, dunlin_path path, dn_naming *naming,
                  dn_node_input *input, dn_node_error *error)
{
    *input = (dn_node_input){0};
    *error = (dn_node_error){0};
    reader in = {.naming = naming, .input = input, .error = error};
    if (!json_is_object(body)) {
        return fail(&in, "", "must be an object");
    }
    size_t room = body_len + 16; /* decoded base64 is shorter than its text */
    input->scratch = malloc(room);
    if (input->scratch == NULL) {
        return fail(&in, "", "no memory");
    }
    in.scratch = dunlin_buf_make(input->scratch, room);
    bool good;
    if (path.depth <= 2) {
        good = read_instance(&in, body, path);
    } else if (path.depth == 3) {
        good = read_resource(&in, body, path);
    } else {
        good = read_resource_instance(&in, body, path);
    }
    return good && in_order(&in);
}

void dn_node_input_free(dn_node_input *input)
{
    free(input->records);
    free(input->scratch);
    *input = (dn_node_input){0};
}

void dn_node_input_place(dn_node_input *input, uint16_t instance)
{
    for (size_t i = 0; i < input->count; i++) {
        input->records[i].path.id[1] = instance;
    }
}

static dunlin_status encode(const dn_node_input *input, uint16_t format, dunlin_path base, dunlin_buf out,
                            size_t *len)
{
    dn_encoder encoder;
    dunlin_slice payload = {0};
    dunlin_status status = dn_encode(&encoder, format, base, out);
    if (status != DUNLIN_OK) {
        return status;
    }
    for (size_t i = 0; i < input->count; i++) {
        /* An instance without resources, written as that instance, is an empty payload. */
        if (input->records[i].kind == DN_RECORD_EMPTY && dunlin_path_equal(input->records[i].path, base) &&
            base.depth == 2) {
            continue;
        }
        dn_encode_put(&encoder, &input->records[i]);
    }
    status = dn_encode_finish(&encoder, &payload);
    *len = payload.len;
    return status;
}

dunlin_status dn_node_encode(const dn_node_input *input, uint16_t format, dunlin_path base, dn_text *payload)
{
    size_t len = 0;
    dunlin_status status = encode(input, format, base, dunlin_buf_make(NULL, 0), &len);
    if (status != DUNLIN_OK) {
        return status;
    }
    if (!dn_text_reserve(payload, len + 1)) {
        return DUNLIN_ERR_MEMORY;
    }
    status = encode(input, format, base, dunlin_buf_make(payload->data, len), &len);
    payload->len = status == DUNLIN_OK ? len : 0;
    return status;
}
