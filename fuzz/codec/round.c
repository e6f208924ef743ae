/* SPDX-License-Identifier: Apache-2.0 */
/* Decode, check, encode, decode again. */
#include "fuzz/codec/round.h"

#include "codec/format.h"
#include "codec/utf8.h"
#include "fuzz/must.h"

#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX 128
#define OUTPUT_MAX  (1u << 20)

typedef struct {
    dn_record record[RECORDS_MAX];
    size_t count;
    uint8_t *bytes; /* what the records view */
    size_t used;
    dunlin_status status;
} records;

/* 0: nobody knows a type; 1: the Resource's id says it; above: every Resource has the same. */
static dunlin_type type_of(void *context, dunlin_path path, bool *multiple)
{
    unsigned mode = *(const unsigned *)context;
    *multiple = false;
    if (mode == 0) {
        return DUNLIN_TYPE_NONE;
    }
    return mode == 1 ? (dunlin_type)(path.id[2] % 10) : (dunlin_type)((mode - 1) % 10);
}

static bool has_bytes(const dunlin_value *value)
{
    return value->type == DUNLIN_TYPE_STRING || value->type == DUNLIN_TYPE_CORELNK ||
           value->type == DUNLIN_TYPE_OPAQUE;
}

static void check_record(const dn_record *record, dunlin_path base, const dn_types *types)
{
    must(dunlin_path_within(record->path, base));
    must(record->path.depth <= 4);
    for (unsigned i = 0; i < record->path.depth; i++) {
        must(record->path.id[i] != DUNLIN_ID_NONE || i == 1);
    }
    if (record->kind == DN_RECORD_EMPTY) {
        return;
    }
    bool multiple;
    dunlin_type due = types->type_of(types->context, record->path, &multiple);
    must(record->path.depth >= 3);
    must(record->value.type != DUNLIN_TYPE_NONE);
    must(due == DUNLIN_TYPE_NONE || record->value.type == due);
    if (has_bytes(&record->value) && record->value.type != DUNLIN_TYPE_OPAQUE) {
        must(dn_utf8_valid(record->value.as.bytes));
    }
}

static void keep(records *all, const dn_record *record)
{
    dn_record *kept = &all->record[all->count++];
    *kept = *record;
    if (record->kind == DN_RECORD_VALUE && has_bytes(&record->value)) {
        dunlin_slice bytes = record->value.as.bytes;
        if (bytes.len > 0) {
            memcpy(all->bytes + all->used, bytes.data, bytes.len);
        }
        kept->value.as.bytes = dunlin_slice_make(all->bytes + all->used, bytes.len);
        all->used += bytes.len;
    }
}

/* The memory is of exactly the sizes that the interface asks for, so that a sanitizer sees every step beyond.
 */
static void decode(uint16_t format, dunlin_path base, dunlin_slice input, dn_types types, records *all)
{
    uint8_t *scratch = malloc(input.len > 0 ? input.len : 1);
    dn_decoder decoder;
    dn_record record;
    size_t given = 0;
    must(scratch != NULL && all->bytes != NULL);
    all->count = 0;
    all->used = 0;
    all->status = dn_decode(&decoder, format, base, input, types, dunlin_buf_make(scratch, input.len));
    while (all->status == DUNLIN_OK && (all->status = dn_decode_next(&decoder, &record)) == DUNLIN_OK) {
        must(++given <= input.len + 1); /* every record takes a byte at least, but for the empty text */
        check_record(&record, base, &types);
        if (all->count == RECORDS_MAX) {
            all->status = DUNLIN_ERR_LIMIT;
            break;
        }
        keep(all, &record);
    }
    must(all->status == DUNLIN_END || all->status == DUNLIN_ERR_LIMIT || dunlin_is_bad_input(all->status));
    free(scratch);
}

static dunlin_slice encode(uint16_t format, dunlin_path base, const records *all, dunlin_buf out,
                           dunlin_status *status)
{
    dn_encoder encoder;
    dunlin_slice payload;
    (void)dn_encode(&encoder, format, base, out);
    for (size_t i = 0; i < all->count; i++) {
        dn_encode_put(&encoder, &all->record[i]);
    }
    *status = dn_encode_finish(&encoder, &payload);
    return payload;
}

static double number_of(const dunlin_value *value)
{
    switch (value->type) {
    case DUNLIN_TYPE_INTEGER:
    case DUNLIN_TYPE_TIME:
        return (double)value->as.integer;
    case DUNLIN_TYPE_UNSIGNED:
        return (double)value->as.uinteger;
    case DUNLIN_TYPE_FLOAT:
        return value->as.number;
    default:
        abort();
    }
}

/*
 * A number that nobody knew the type of may come back as another type: 1e17 is a float, but is written as an
 * integer. NaN and -0 may lose what only their bits tell.
 */
static void check_same(const dn_record *a, const dn_record *b)
{
    must(a->kind == b->kind);
    must(dunlin_path_equal(a->path, b->path));
    must(a->has_time == b->has_time && a->time_s == b->time_s);
    if (a->kind == DN_RECORD_VALUE && !dunlin_value_equal(&a->value, &b->value)) {
        double x = number_of(&a->value);
        double y = number_of(&b->value);
        must(x == y || (x != x && y != y));
        must(a->value.type != b->value.type || a->value.type == DUNLIN_TYPE_FLOAT);
    }
}

/* Leaves out what a payload need not say: that something is empty which the request names, or whose content
 * follows. */
static void drop_needless(records *all, dunlin_path base)
{
    size_t kept = 0;
    for (size_t i = 0; i < all->count; i++) {
        const dn_record *record = &all->record[i];
        bool followed = i + 1 < all->count && dunlin_path_within(all->record[i + 1].path, record->path);
        bool named = record->path.depth == 2 && base.depth == 2;
        if (record->kind == DN_RECORD_VALUE || (!followed && !named)) {
            all->record[kept++] = *record;
        }
    }
    all->count = kept;
}

static void encode_in_every_format(dunlin_path base, const records *all, uint8_t *output)
{
    static const uint16_t formats[] = {DN_FORMAT_TEXT,       DN_FORMAT_OPAQUE,     DN_FORMAT_CBOR,
                                       DN_FORMAT_SENML_JSON, DN_FORMAT_SENML_CBOR, DN_FORMAT_TLV,
                                       DN_FORMAT_LWM2M_JSON};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        dunlin_status status;
        dunlin_status sized_status;
        dunlin_slice payload = encode(formats[i], base, all, dunlin_buf_make(output, OUTPUT_MAX), &status);
        dunlin_slice sized = encode(formats[i], base, all, dunlin_buf_make(NULL, 0), &sized_status);
        must(status == sized_status && payload.len == sized.len);
    }
}

void fuzz_round(uint16_t format, const uint8_t *data, size_t size)
{
    static records first;
    static records second;
    static uint8_t output[OUTPUT_MAX];
    if (size == 0 || size > OUTPUT_MAX / 16) {
        return;
    }
    unsigned mode = data[0] / 5;
    dn_types types = {type_of, &mode};
    dunlin_path base = dunlin_path_resource_instance(3, 0, 5, 1);
    base.depth = data[0] % 5;
    first.bytes = malloc(2 * size);
    decode(format, base, dunlin_slice_make(data + 1, size - 1), types, &first);
    encode_in_every_format(base, &first, output);
    if (first.status == DUNLIN_END) {
        dunlin_status status;
        if (format == DN_FORMAT_TLV) {
            drop_needless(&first, base);
        }
        dunlin_slice payload = encode(format, base, &first, dunlin_buf_make(output, OUTPUT_MAX), &status);
        if (status == DUNLIN_OK) {
            second.bytes = malloc(2 * payload.len + 1);
            decode(format, base, payload, types, &second);
            must(second.status == DUNLIN_END && second.count == first.count);
            for (size_t i = 0; i < first.count; i++) {
                check_same(&first.record[i], &second.record[i]);
            }
            free(second.bytes);
        }
    }
    free(first.bytes);
}
