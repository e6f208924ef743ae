/* SPDX-License-Identifier: Apache-2.0 */
/* Values as the cases write them. */
#include "ets/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_TEXT_MAX 4096u
#define WORD_MAX       1024u

void dn_ets_values_clear(dn_ets_values *values)
{
    for (size_t i = 0; i < values->count; i++) {
        free(values->list[i].text);
    }
    free(values->list);
    *values = (dn_ets_values){.list = NULL};
}

static dn_ets_value *find(const dn_ets_values *values, dunlin_path path)
{
    for (size_t i = 0; i < values->count; i++) {
        if (dunlin_path_equal(values->list[i].path, path)) {
            return &values->list[i];
        }
    }
    return NULL;
}

static bool grow(dn_ets_values *values)
{
    if (values->count < values->capacity) {
        return true;
    }
    const size_t capacity = values->capacity == 0 ? 8 : values->capacity * 2;
    dn_ets_value *list = realloc(values->list, capacity * sizeof *list);
    if (list == NULL) {
        values->failed = true;
        return false;
    }
    values->list = list;
    values->capacity = capacity;
    return true;
}

/* In the order of paths, as encoders want them. */
static dn_ets_value *insert(dn_ets_values *values, dunlin_path path)
{
    size_t at = values->count;
    if (!grow(values)) {
        return NULL;
    }
    while (at > 0 && dunlin_path_compare(values->list[at - 1].path, path) > 0) {
        at--;
    }
    memmove(&values->list[at + 1], &values->list[at], (values->count - at) * sizeof values->list[0]);
    values->count++;
    values->list[at] = (dn_ets_value){.path = path};
    return &values->list[at];
}

void dn_ets_values_put(dn_ets_values *values, dunlin_path path, dunlin_type type, const char *text)
{
    dn_ets_value *value = find(values, path);
    char *copy = text != NULL ? strdup(text) : NULL;
    if (value == NULL) {
        value = insert(values, path);
    }
    if (value == NULL || (text != NULL && copy == NULL)) {
        values->failed = true;
        free(copy);
        return;
    }
    free(value->text);
    value->type = type;
    value->text = copy;
}

void dn_ets_values_copy(dn_ets_values *to, const dn_ets_values *from, dunlin_path base)
{
    for (size_t i = 0; i < from->count; i++) {
        if (dunlin_path_within(from->list[i].path, base)) {
            dn_ets_values_put(to, from->list[i].path, from->list[i].type, from->list[i].text);
        }
    }
}

void dn_ets_values_remove(dn_ets_values *values, dunlin_path base)
{
    size_t kept = 0;
    for (size_t i = 0; i < values->count; i++) {
        if (dunlin_path_within(values->list[i].path, base)) {
            free(values->list[i].text);
        } else {
            values->list[kept++] = values->list[i];
        }
    }
    values->count = kept;
}

const char *dn_ets_values_get(const dn_ets_values *values, dunlin_path path)
{
    const dn_ets_value *value = find(values, path);
    return value != NULL ? value->text : NULL;
}

bool dn_ets_values_has(const dn_ets_values *values, dunlin_path path)
{
    for (size_t i = 0; i < values->count; i++) {
        if (dunlin_path_within(values->list[i].path, path)) {
            return true;
        }
    }
    return false;
}

/* ---- text ---- */

static dunlin_status parse_path(dunlin_path base, const char *text, size_t len, dunlin_path *out)
{
    dunlin_path more;
    if (len > 0 && text[0] == '/') {
        return dunlin_path_parse(dunlin_slice_make(text, len), out);
    }
    const dunlin_status status = dunlin_path_parse(dunlin_slice_make(text, len), &more);
    *out = base;
    for (unsigned i = 0; status == DUNLIN_OK && i < more.depth; i++) {
        *out = dunlin_path_child(*out, more.id[i]);
    }
    return status;
}

/* "true" reads better in a case than the "1" of text/plain. */
static const char *plain(dunlin_type type, const char *text)
{
    if (type == DUNLIN_TYPE_BOOLEAN) {
        return strcmp(text, "true") == 0 ? "1" : strcmp(text, "false") == 0 ? "0" : text;
    }
    return text;
}

dunlin_status dn_ets_values_parse(dn_ets_values *values, dunlin_path base, const char *text)
{
    char word[WORD_MAX];
    for (const char *at = text; *at != '\0';) {
        const size_t len = strcspn(at, " ");
        if (len >= sizeof word) {
            return DUNLIN_ERR_SPACE;
        }
        memcpy(word, at, len);
        word[len] = '\0';
        at += len + (at[len] == ' ');
        char *equals = strchr(word, '=');
        dunlin_path path;
        const size_t name_len = equals != NULL ? (size_t)(equals - word) : len;
        const dunlin_status status = parse_path(base, word, name_len, &path);
        if (status != DUNLIN_OK) {
            return status;
        }
        dunlin_type type = dn_ets_type_of(path, NULL, NULL);
        type = type == DUNLIN_TYPE_NONE ? DUNLIN_TYPE_STRING : type;
        dn_ets_values_put(values, path, type, equals != NULL ? plain(type, equals + 1) : NULL);
    }
    return values->failed ? DUNLIN_ERR_MEMORY : DUNLIN_OK;
}

static bool read_value(const char *text, dunlin_type type, dunlin_buf *scratch, dunlin_value *value)
{
    return dn_value_from_text(dunlin_slice_of(plain(type, text)), type, scratch, value) == DUNLIN_OK;
}

bool dn_ets_same_text(dunlin_type type, const char *a, const char *b)
{
    uint8_t left_bytes[VALUE_TEXT_MAX], right_bytes[VALUE_TEXT_MAX];
    dunlin_buf left_scratch = dunlin_buf_make(left_bytes, sizeof left_bytes);
    dunlin_buf right_scratch = dunlin_buf_make(right_bytes, sizeof right_bytes);
    dunlin_value left, right;
    if (strcmp(a, b) == 0) {
        return true;
    }
    if (type == DUNLIN_TYPE_NONE || !read_value(a, type, &left_scratch, &left) ||
        !read_value(b, type, &right_scratch, &right)) {
        return false;
    }
    return dunlin_value_equal(&left, &right);
}

/* ---- payloads ---- */

static dunlin_type type_of(void *context, dunlin_path resource, bool *multiple)
{
    (void)context;
    return dn_ets_type_of(resource, multiple, NULL);
}

static dunlin_status take(dn_ets_values *values, const dn_record *record)
{
    uint8_t bytes[VALUE_TEXT_MAX];
    dunlin_buf text = dunlin_buf_make(bytes, sizeof bytes - 1);
    if (record->kind == DN_RECORD_EMPTY) {
        dn_ets_values_put(values, record->path, DUNLIN_TYPE_NONE, NULL);
        return DUNLIN_OK;
    }
    const dunlin_status status = dn_value_to_text(&record->value, &text);
    if (status != DUNLIN_OK) {
        return status;
    }
    bytes[text.len] = '\0';
    dn_ets_values_put(values, record->path, record->value.type, (const char *)bytes);
    dn_ets_value *value = find(values, record->path);
    if (value != NULL) {
        value->time_s = record->has_time ? record->time_s : 0;
    }
    return DUNLIN_OK;
}

dunlin_status dn_ets_values_decode(dn_ets_values *values, uint16_t format, dunlin_path base,
                                   dunlin_slice payload)
{
    dn_decoder decoder;
    dn_record record;
    uint8_t *memory = malloc(payload.len + 64);
    if (memory == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    dunlin_status status = dn_decode(&decoder, format, base, payload, (dn_types){.type_of = type_of},
                                     dunlin_buf_make(memory, payload.len + 64));
    while (status == DUNLIN_OK) {
        status = dn_decode_next(&decoder, &record);
        if (status == DUNLIN_OK) {
            status = take(values, &record);
        }
    }
    free(memory);
    return status == DUNLIN_END ? DUNLIN_OK : status;
}

static void put_record(dn_encoder *encoder, const dn_ets_value *from)
{
    uint8_t bytes[VALUE_TEXT_MAX];
    dunlin_buf scratch = dunlin_buf_make(bytes, sizeof bytes);
    dn_record record = {.kind = DN_RECORD_EMPTY, .path = from->path, .multiple = from->path.depth == 4};
    if (from->text != NULL) {
        record.kind = DN_RECORD_VALUE;
        if (!read_value(from->text, from->type, &scratch, &record.value)) {
            encoder->error = encoder->error == DUNLIN_OK ? DUNLIN_ERR_TYPE : encoder->error;
            return;
        }
    }
    dn_encode_put(encoder, &record);
}

dunlin_status dn_ets_values_encode(const dn_ets_values *values, uint16_t format, dunlin_path base,
                                   dunlin_buf *out)
{
    dn_encoder encoder;
    dunlin_slice payload;
    dunlin_status status = dn_encode(&encoder, format, base, *out);
    if (status != DUNLIN_OK) {
        return status;
    }
    for (size_t i = 0; i < values->count; i++) {
        put_record(&encoder, &values->list[i]);
    }
    status = dn_encode_finish(&encoder, &payload);
    if (status == DUNLIN_OK) {
        out->len = payload.len;
    }
    return status;
}
