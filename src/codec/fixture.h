/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of this folder share: readable bytes, a small model, and a decoder run to its end. */
#ifndef DN_CODEC_FIXTURE_H
#define DN_CODEC_FIXTURE_H

#include "codec/format.h"

#include <string.h>

#define FIXTURE_RECORDS_MAX 64
#define FIXTURE_BYTES_MAX   4096

/* Bytes given as hex digits and "literal text", blanks between them: 61 "bc" 64. */
typedef struct {
    uint8_t data[FIXTURE_BYTES_MAX];
    size_t len;
} fixture_bytes;

static inline int fixture_digit(char letter)
{
    const char *digits = "0123456789ABCDEFabcdef";
    const char *found = letter == '\0' ? NULL : strchr(digits, letter);
    int index = found == NULL ? -1 : (int)(found - digits);
    return index > 15 ? index - 6 : index;
}

static inline dunlin_slice fixture_hex(const char *text, fixture_bytes *out)
{
    bool literal = false;
    out->len = 0;
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            literal = !literal;
        } else if (literal) {
            out->data[out->len++] = (uint8_t)*text;
        } else if (*text != ' ' && *text != '\n') {
            out->data[out->len++] =
                (uint8_t)((unsigned)fixture_digit(text[0]) << 4 | (unsigned)fixture_digit(text[1]));
            text++;
        }
    }
    return dunlin_slice_make(out->data, out->len);
}

/* Objects 1, 3, 16, 65, 66 and 3303 as far as the vectors go; object 42769 has a Resource of each type, whose
 * id is the type. */
static inline dunlin_type fixture_type_of(void *context, dunlin_path path, bool *multiple)
{
    static const struct {
        uint16_t object;
        uint16_t resource;
        dunlin_type type;
        bool multiple;
    } rows[] = {
        {1, 0, DUNLIN_TYPE_INTEGER, false},     {1, 1, DUNLIN_TYPE_INTEGER, false},
        {1, 6, DUNLIN_TYPE_BOOLEAN, false},     {1, 7, DUNLIN_TYPE_STRING, false},
        {3, 0, DUNLIN_TYPE_STRING, false},      {3, 1, DUNLIN_TYPE_STRING, false},
        {3, 2, DUNLIN_TYPE_STRING, false},      {3, 3, DUNLIN_TYPE_STRING, false},
        {3, 6, DUNLIN_TYPE_INTEGER, true},      {3, 7, DUNLIN_TYPE_INTEGER, true},
        {3, 8, DUNLIN_TYPE_INTEGER, true},      {3, 9, DUNLIN_TYPE_INTEGER, false},
        {3, 10, DUNLIN_TYPE_INTEGER, false},    {3, 11, DUNLIN_TYPE_INTEGER, true},
        {3, 13, DUNLIN_TYPE_TIME, false},       {3, 14, DUNLIN_TYPE_STRING, false},
        {3, 16, DUNLIN_TYPE_STRING, false},     {16, 0, DUNLIN_TYPE_STRING, true},
        {65, 0, DUNLIN_TYPE_OBJLNK, true},      {66, 2, DUNLIN_TYPE_OBJLNK, false},
        {3303, 5700, DUNLIN_TYPE_FLOAT, false}, {3303, 5701, DUNLIN_TYPE_STRING, false},
    };
    (void)context;
    if (path.id[0] == 42769) {
        return path.id[2] <= DUNLIN_TYPE_CORELNK ? (dunlin_type)path.id[2] : DUNLIN_TYPE_NONE;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].object == path.id[0] && rows[i].resource == path.id[2]) {
            *multiple = rows[i].multiple;
            return rows[i].type;
        }
    }
    return DUNLIN_TYPE_NONE;
}

static inline dn_types fixture_types(void)
{
    dn_types types = {fixture_type_of, NULL};
    return types;
}

/* All records of a payload, with their bytes kept in `memory`. */
typedef struct {
    dn_record record[FIXTURE_RECORDS_MAX];
    size_t count;
    dunlin_status status; /* END, or the error */
    uint8_t memory[2 * FIXTURE_BYTES_MAX];
    size_t used;
} fixture_records;

static inline void fixture_keep(fixture_records *all, const dn_record *record)
{
    dn_record *kept = &all->record[all->count++];
    *kept = *record;
    dunlin_type type = record->value.type;
    if (type == DUNLIN_TYPE_STRING || type == DUNLIN_TYPE_CORELNK || type == DUNLIN_TYPE_OPAQUE) {
        size_t len = record->value.as.bytes.len;
        if (len > 0) {
            memcpy(all->memory + all->used, record->value.as.bytes.data, len);
        }
        kept->value.as.bytes = dunlin_slice_make(all->memory + all->used, len);
        all->used += len;
    }
}

static inline void fixture_decode(uint16_t format, dunlin_path base, dunlin_slice root, dunlin_slice input,
                                  dn_types types, fixture_records *out)
{
    static uint8_t scratch[FIXTURE_BYTES_MAX];
    dn_decoder decoder;
    dn_record record;
    out->count = 0;
    out->used = 0;
    out->status = dn_decode(&decoder, format, base, input, types, dunlin_buf_make(scratch, input.len));
    decoder.root = root;
    while (out->status == DUNLIN_OK && (out->status = dn_decode_next(&decoder, &record)) == DUNLIN_OK) {
        if (out->count == FIXTURE_RECORDS_MAX) {
            out->status = DUNLIN_ERR_LIMIT;
            return;
        }
        fixture_keep(out, &record);
    }
}

static inline dunlin_path fixture_path(const char *text)
{
    dunlin_path path = dunlin_path_root();
    (void)dunlin_path_parse(dunlin_slice_of(text), &path);
    return path;
}

#endif
