/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random lists of records through every format: what is decoded is what was encoded, the length is known
 * before, a second encoding gives the same bytes, and a buffer that is too small is never overrun.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "codec/fixture.h"
#include "codec/half.h"

#define ROUNDS   4000
#define TEXT_MAX 60
#define TYPES    9 /* DUNLIN_TYPE_STRING and those behind it */

static uint64_t between(const dn_random *random, uint64_t low, uint64_t high)
{
    return dn_random_between(random, low, high);
}

static uint64_t random_bits(const dn_random *random)
{
    return between(random, 0, UINT64_MAX) >> between(random, 0, 63);
}

/* Text with everything that formats treat in a special way. */
static size_t random_text(const dn_random *random, uint8_t *out)
{
    static const char *const pieces[] = {"a",
                                         "Z",
                                         "0",
                                         "\"",
                                         "\\",
                                         "\n",
                                         "\x01",
                                         "/",
                                         "\xc3\xbc",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80",
                                         "\x7f",
                                         " ",
                                         "plain text of some length"};
    size_t len = 0;
    for (uint64_t count = between(random, 0, 8); count > 0; count--) {
        const char *piece = pieces[between(random, 0, sizeof pieces / sizeof pieces[0] - 1)];
        if (len + strlen(piece) <= TEXT_MAX) {
            memcpy(out + len, piece, strlen(piece));
            len += strlen(piece);
        }
    }
    return len;
}

static double random_number(const dn_random *random)
{
    switch (between(random, 0, 4)) {
    case 0:
        return (double)(int64_t)random_bits(random);
    case 1:
        return (double)(int64_t)between(random, 0, 200000) / 100 - 1000;
    case 2:
        return dn_half_to_double((uint16_t)between(random, 0, 0x7bff));
    case 3:
        return (double)dn_single_of((uint32_t)between(random, 0, 0x7f7fffff));
    default:
        return -dn_double_of(between(random, 0, UINT64_C(0x7fefffffffffffff)));
    }
}

static dunlin_value random_value(const dn_random *random, dunlin_type type, uint8_t *memory)
{
    switch (type) {
    case DUNLIN_TYPE_INTEGER:
        return dunlin_integer((int64_t)random_bits(random) * (between(random, 0, 1) ? 1 : -1));
    case DUNLIN_TYPE_TIME:
        return dunlin_time((int64_t)random_bits(random));
    case DUNLIN_TYPE_UNSIGNED:
        return dunlin_unsigned(random_bits(random));
    case DUNLIN_TYPE_FLOAT:
        return dunlin_float(random_number(random));
    case DUNLIN_TYPE_BOOLEAN:
        return dunlin_boolean(between(random, 0, 1) != 0);
    case DUNLIN_TYPE_OBJLNK:
        return dunlin_link((uint16_t)random_bits(random), (uint16_t)random_bits(random));
    case DUNLIN_TYPE_OPAQUE: {
        size_t len = (size_t)between(random, 0, TEXT_MAX);
        random->fill(random->context, memory, len);
        return dunlin_opaque(dunlin_slice_make(memory, len));
    }
    default: {
        dunlin_value value = dunlin_string(dunlin_slice_make(memory, random_text(random, memory)));
        value.type = type;
        return value;
    }
    }
}

typedef struct {
    dn_record record[FIXTURE_RECORDS_MAX];
    size_t count;
    uint8_t memory[FIXTURE_RECORDS_MAX][TEXT_MAX];
} records;

static void add(records *all, dunlin_path path, const dn_random *random)
{
    dn_record *record = &all->record[all->count];
    memset(record, 0, sizeof *record);
    record->path = path;
    record->multiple = path.depth == 4;
    record->value = random_value(random, (dunlin_type)path.id[2], all->memory[all->count]);
    all->count++;
}

static void add_empty(records *all, dunlin_path path)
{
    dn_record *record = &all->record[all->count++];
    memset(record, 0, sizeof *record);
    record->kind = DN_RECORD_EMPTY;
    record->path = path;
}

/* A Resource, or instances of one, in the order of a tree walk. */
static void add_resource(records *all, dunlin_path path, const dn_random *random)
{
    if (between(random, 0, 3) != 0) {
        add(all, path, random);
        return;
    }
    uint16_t id = (uint16_t)between(random, 0, 300);
    for (uint64_t count = between(random, 1, 3); count > 0; count--) {
        add(all, dunlin_path_child(path, id), random);
        id = (uint16_t)(id + between(random, 1, 300));
    }
}

/* Object 42769, whose Resources have the type that their id says. */
static void make_records(records *all, dunlin_path base, const dn_random *random)
{
    all->count = 0;
    if (base.depth >= 3) {
        add(all, base, random);
        return;
    }
    uint16_t instance = base.depth == 2 ? base.id[1] : (uint16_t)between(random, 0, 300);
    for (uint64_t count = base.depth == 2 ? 1 : between(random, 0, 3); count > 0; count--) {
        dunlin_path path = dunlin_path_instance(42769, instance);
        for (uint16_t type = 1; type <= TYPES; type++) {
            if (between(random, 0, 2) == 0) {
                add_resource(all, dunlin_path_child(path, type), random);
            }
        }
        instance = (uint16_t)(instance + between(random, 1, 300));
    }
}

static dunlin_status encode(uint16_t format, dunlin_path base, const records *all, dunlin_buf out,
                            dunlin_slice *payload, size_t *total)
{
    dn_encoder encoder;
    (void)dn_encode(&encoder, format, base, out);
    for (size_t i = 0; i < all->count; i++) {
        dn_encode_put(&encoder, &all->record[i]);
    }
    dunlin_status status = dn_encode_finish(&encoder, payload);
    *total = encoder.total;
    return status;
}

static void check_same(const dn_record *a, const dn_record *b)
{
    assert_true(dunlin_path_equal(a->path, b->path));
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->has_time, b->has_time);
    assert_true(a->time_s == b->time_s);
    if (a->kind == DN_RECORD_VALUE) {
        assert_true(dunlin_value_equal(&a->value, &b->value));
        assert_int_equal(a->multiple, b->multiple);
    }
}

/* Any smaller buffer: SPACE, the length that would do, and not a byte behind the buffer. */
static void check_small_buffer(uint16_t format, dunlin_path base, const records *all, size_t len,
                               const dn_random *random)
{
    size_t cap = (size_t)between(random, 0, len - 1);
    uint8_t *memory = malloc(cap > 0 ? cap : 1);
    dunlin_slice payload;
    size_t total;
    assert_non_null(memory);
    assert_int_equal(encode(format, base, all, dunlin_buf_make(memory, cap), &payload, &total),
                     DUNLIN_ERR_SPACE);
    assert_int_equal(total, len);
    free(memory);
}

static void check_round(uint16_t format, dunlin_path base, const records *all, const dn_random *random)
{
    static uint8_t first[FIXTURE_BYTES_MAX];
    static uint8_t second[FIXTURE_BYTES_MAX];
    static fixture_records decoded;
    static records again;
    dunlin_slice payload;
    dunlin_slice repeated;
    size_t total;
    size_t size;
    assert_int_equal(encode(format, base, all, dunlin_buf_make(first, sizeof first), &payload, &total),
                     DUNLIN_OK);
    assert_int_equal(encode(format, base, all, dunlin_buf_make(NULL, 0), &repeated, &size), DUNLIN_OK);
    assert_int_equal(payload.len, total);
    assert_int_equal(size, total);
    assert_int_equal(repeated.len, total);
    fixture_decode(format, base, dunlin_slice_make(NULL, 0), payload, fixture_types(), &decoded);
    assert_int_equal(decoded.status, DUNLIN_END);
    assert_int_equal(decoded.count, all->count);
    for (size_t i = 0; i < all->count; i++) {
        check_same(&decoded.record[i], &all->record[i]);
    }
    again.count = decoded.count;
    memcpy(again.record, decoded.record, sizeof decoded.record);
    assert_int_equal(encode(format, base, &again, dunlin_buf_make(second, sizeof second), &repeated, &size),
                     DUNLIN_OK);
    assert_true(dunlin_slice_equal(payload, repeated));
    if (payload.len > 0) {
        check_small_buffer(format, base, all, payload.len, random);
    }
}

static void run(uint16_t format, uint64_t seed)
{
    static records all;
    dn_seeded seeded;
    dn_seeded_init(&seeded, seed);
    dn_random random = dn_seeded_random(&seeded);
    const dn_format *row = dn_format_find(format);
    assert_non_null(row);
    for (int round = 0; round < ROUNDS; round++) {
        uint16_t type =
            format == DN_FORMAT_OPAQUE ? DUNLIN_TYPE_OPAQUE : (uint16_t)between(&random, 1, TYPES);
        dunlin_path base = dunlin_path_resource_instance(42769, (uint16_t)between(&random, 0, 300), type, 7);
        base.depth = (uint8_t)between(&random, row->many ? 1 : 3, 4);
        make_records(&all, base, &random);
        check_round(format, base, &all, &random);
    }
}

static void text(void **state)
{
    (void)state;
    run(DN_FORMAT_TEXT, 1);
}

static void opaque(void **state)
{
    (void)state;
    run(DN_FORMAT_OPAQUE, 2);
}

static void cbor(void **state)
{
    (void)state;
    run(DN_FORMAT_CBOR, 3);
}

static void senml_json(void **state)
{
    (void)state;
    run(DN_FORMAT_SENML_JSON, 4);
}

static void senml_cbor(void **state)
{
    (void)state;
    run(DN_FORMAT_SENML_CBOR, 5);
}

static void tlv(void **state)
{
    (void)state;
    run(DN_FORMAT_TLV, 6);
}

static void lwm2m_json(void **state)
{
    (void)state;
    run(DN_FORMAT_LWM2M_JSON, 7);
}

/* Records of any object below the root, with times and without values: what SenML carries in composite
 * requests and Send. */
static void composite(void **state)
{
    (void)state;
    static records all;
    static const uint16_t formats[] = {DN_FORMAT_SENML_JSON, DN_FORMAT_SENML_CBOR, DN_FORMAT_LWM2M_JSON};
    dn_seeded seeded;
    dn_seeded_init(&seeded, 8);
    dn_random random = dn_seeded_random(&seeded);
    for (int round = 0; round < ROUNDS; round++) {
        all.count = 0;
        for (uint64_t count = between(&random, 0, 30); count > 0; count--) {
            dunlin_path path = dunlin_path_resource_instance(42769, (uint16_t)all.count,
                                                             (uint16_t)between(&random, 1, TYPES),
                                                             (uint16_t)random_bits(&random) % DUNLIN_ID_NONE);
            path.depth = (uint8_t)between(&random, 2, 4);
            if (path.depth == 2) {
                add_empty(&all, path);
            } else {
                add(&all, path, &random);
                dn_record *record = &all.record[all.count - 1];
                record->time_s = between(&random, 0, 1) ? random_number(&random) : 0;
                record->has_time = record->time_s != 0;
            }
        }
        check_round(formats[round % 3], dunlin_path_root(), &all, &random);
    }
}

static void empty_multiples_survive_in_tlv(void **state)
{
    (void)state;
    static records all;
    dn_seeded seeded;
    dn_seeded_init(&seeded, 9);
    dn_random random = dn_seeded_random(&seeded);
    for (int round = 0; round < ROUNDS; round++) {
        all.count = 0;
        for (uint16_t instance = 0; instance < 300;
             instance = (uint16_t)(instance + between(&random, 1, 150))) {
            dunlin_path path = dunlin_path_instance(42769, instance);
            if (between(&random, 0, 2) == 0) {
                add_empty(&all, path);
                continue;
            }
            add_empty(&all, dunlin_path_child(path, (uint16_t)between(&random, 0, 500)));
            add(&all, dunlin_path_child(path, 501), &random);
            all.record[all.count - 1].value =
                dunlin_opaque(dunlin_slice_of("x")); /* no type is known for it */
        }
        check_round(DN_FORMAT_TLV, dunlin_path_object(42769), &all, &random);
    }
}

/* What an encoder is asked to write and cannot. */
static void encoders_refuse(void **state)
{
    (void)state;
    static const uint8_t not_utf8[] = {0xff};
    const double endless = 1e308 * 10;
    const struct {
        uint16_t format;
        const char *base;
        const char *path[2];
        dn_record_kind kind;
        bool has_time;
        dunlin_value value;
        dunlin_status status;
    } cases[] = {
        {DN_FORMAT_TEXT, "/3/0/1", {"/3/0/1", "/3/0/1"}, 0, false, dunlin_integer(1), DUNLIN_ERR_UNSUPPORTED},
        {DN_FORMAT_TEXT, "/3/0/1", {"/3/0/1/0", NULL}, 0, false, dunlin_integer(1), DUNLIN_ERR_UNSUPPORTED},
        {DN_FORMAT_TEXT, "/3/0/1", {"/3/0/1", NULL}, DN_RECORD_EMPTY, false, {0}, DUNLIN_ERR_UNSUPPORTED},
        {DN_FORMAT_TEXT, "/3/0/1", {NULL, NULL}, 0, false, {0}, DUNLIN_ERR_ARGUMENT},
        {DN_FORMAT_TEXT, "/3/0", {"/3/0/1", NULL}, 0, false, dunlin_integer(1), DUNLIN_ERR_UNSUPPORTED},
        {DN_FORMAT_TEXT, "/3/0/1", {"/3/0/1", NULL}, 0, true, dunlin_integer(1), DUNLIN_ERR_UNSUPPORTED},
        {DN_FORMAT_TEXT, "/3/0/1", {"/3/0/1", NULL}, 0, false, dunlin_float(endless), DUNLIN_ERR_RANGE},
        {DN_FORMAT_TEXT, "/3/0/1", {"/3/0/1", NULL}, 0, false, {0}, DUNLIN_ERR_TYPE},
        {DN_FORMAT_OPAQUE, "/3/0/1", {"/3/0/1", NULL}, 0, false, dunlin_integer(1), DUNLIN_ERR_TYPE},
        {DN_FORMAT_CBOR, "/3/0/1", {"/3/0/1", "/3/0/1"}, 0, false, dunlin_integer(1), DUNLIN_ERR_UNSUPPORTED},
        {DN_FORMAT_TLV, "/", {"/3/0/1", NULL}, 0, false, dunlin_integer(1), DUNLIN_ERR_UNSUPPORTED},
        {DN_FORMAT_TLV, "/3", {"/3/0/2", "/3/0/1"}, 0, false, dunlin_integer(1), DUNLIN_ERR_ARGUMENT},
        {DN_FORMAT_TLV, "/3", {"/3/0/2", "/3/0/2"}, 0, false, dunlin_integer(1), DUNLIN_ERR_ARGUMENT},
        {DN_FORMAT_TLV, "/3", {"/3/0/2/1", NULL}, DN_RECORD_EMPTY, false, {0}, DUNLIN_ERR_UNSUPPORTED},
        {DN_FORMAT_TLV, "/3", {"/3/0/2", NULL}, 0, true, dunlin_integer(1), DUNLIN_ERR_UNSUPPORTED},
        {DN_FORMAT_TLV, "/3", {"/4/0/2", NULL}, 0, false, dunlin_integer(1), DUNLIN_ERR_PATH},
        {DN_FORMAT_TLV, "/3", {"/3/0", NULL}, 0, false, dunlin_integer(1), DUNLIN_ERR_ARGUMENT},
        {DN_FORMAT_TLV,
         "/3",
         {"/3/0/1", NULL},
         0,
         false,
         dunlin_string(dunlin_slice_make(not_utf8, 1)),
         DUNLIN_ERR_MALFORMED},
        {DN_FORMAT_SENML_JSON, "/3", {"/4/0/2", NULL}, 0, false, dunlin_integer(1), DUNLIN_ERR_PATH},
        {DN_FORMAT_SENML_JSON, "/3", {"/3/0/2", NULL}, 0, false, dunlin_float(endless), DUNLIN_ERR_RANGE},
        {DN_FORMAT_SENML_JSON,
         "/3",
         {"/3/0/2", NULL},
         0,
         false,
         dunlin_float(endless - endless),
         DUNLIN_ERR_RANGE},
        {DN_FORMAT_LWM2M_JSON, "/3", {"/3/0/2", NULL}, 0, false, {0}, DUNLIN_ERR_TYPE},
        {DN_FORMAT_SENML_CBOR, "/3", {"/3/0", NULL}, 0, false, dunlin_integer(1), DUNLIN_ERR_ARGUMENT},
        {54321, "/3/0/1", {"/3/0/1", NULL}, 0, false, dunlin_integer(1), DUNLIN_ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t memory[64];
        dn_encoder encoder;
        dunlin_slice payload;
        (void)dn_encode(&encoder, cases[i].format, fixture_path(cases[i].base),
                        dunlin_buf_make(memory, sizeof memory));
        for (size_t j = 0; j < 2 && cases[i].path[j] != NULL; j++) {
            dn_record record = {
                .kind = cases[i].kind, .has_time = cases[i].has_time, .time_s = 5, .value = cases[i].value};
            record.path = fixture_path(cases[i].path[j]);
            dn_encode_put(&encoder, &record);
        }
        assert_int_equal(dn_encode_finish(&encoder, &payload), cases[i].status);
        assert_int_equal(payload.len, 0);
    }
}

/* 65535 stands for "no id" only where TLV may leave out the Object Instance. */
static void an_instance_without_id_has_no_wrapper(void **state)
{
    (void)state;
    static records all;
    uint8_t memory[64];
    dunlin_slice payload;
    size_t total;
    all.count = 0;
    add_empty(&all, dunlin_path_resource(1, DUNLIN_ID_NONE, 1));
    all.record[0].kind = DN_RECORD_VALUE;
    all.record[0].value = dunlin_integer(60);
    dunlin_buf out = dunlin_buf_make(memory, sizeof memory);
    assert_int_equal(encode(DN_FORMAT_TLV, dunlin_path_object(1), &all, out, &payload, &total), DUNLIN_OK);
    static const uint8_t expected[] = {0xc1, 0x01, 0x3c};
    assert_true(dunlin_slice_equal(payload, dunlin_slice_make(expected, sizeof expected)));
    assert_int_equal(encode(DN_FORMAT_SENML_CBOR, dunlin_path_object(1), &all, out, &payload, &total),
                     DUNLIN_ERR_ARGUMENT);
}

static void tlv_takes_the_shortest_signed_integer(void **state)
{
    (void)state;
    static const struct {
        dunlin_value value;
        size_t len;
    } cases[] = {
        {{DUNLIN_TYPE_INTEGER, {.integer = 127}}, 1},
        {{DUNLIN_TYPE_INTEGER, {.integer = -128}}, 1},
        {{DUNLIN_TYPE_INTEGER, {.integer = 128}}, 2},
        {{DUNLIN_TYPE_INTEGER, {.integer = -32768}}, 2},
        {{DUNLIN_TYPE_INTEGER, {.integer = 32768}}, 4},
        {{DUNLIN_TYPE_TIME, {.integer = INT32_MIN}}, 4},
        {{DUNLIN_TYPE_TIME, {.integer = (int64_t)INT32_MAX + 1}}, 8},
        {{DUNLIN_TYPE_UNSIGNED, {.uinteger = INT8_MAX}}, 1},
        {{DUNLIN_TYPE_UNSIGNED, {.uinteger = UINT8_MAX}}, 2},
        {{DUNLIN_TYPE_UNSIGNED, {.uinteger = INT16_MAX}}, 2},
        {{DUNLIN_TYPE_UNSIGNED, {.uinteger = UINT16_MAX}}, 4},
        {{DUNLIN_TYPE_UNSIGNED, {.uinteger = INT32_MAX}}, 4},
        {{DUNLIN_TYPE_UNSIGNED, {.uinteger = UINT32_MAX}}, 8},
        {{DUNLIN_TYPE_UNSIGNED, {.uinteger = UINT64_MAX}}, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static records one;
        dunlin_slice payload;
        size_t total;
        one.count = 0;
        add_empty(&one, dunlin_path_resource(9, 0, 1));
        one.record[0].kind = DN_RECORD_VALUE;
        one.record[0].value = cases[i].value;
        assert_int_equal(encode(DN_FORMAT_TLV, dunlin_path_instance(9, 0), &one, dunlin_buf_make(NULL, 0),
                                &payload, &total),
                         DUNLIN_OK);
        assert_int_equal(total, cases[i].len + (cases[i].len == 8 ? 3 : 2));
    }
}

/* Lengths around the limits of each length form. */
static void tlv_length_forms(void **state)
{
    (void)state;
    static uint8_t memory[70000];
    static uint8_t bytes[66000];
    static const struct {
        size_t len;
        size_t head;
    } cases[] = {{0, 2}, {7, 2}, {8, 3}, {255, 3}, {256, 4}, {65535, 4}, {65536, 5}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_encoder encoder;
        dn_decoder decoder;
        dunlin_slice payload;
        dn_record record = {.path = dunlin_path_resource(9, 0, 1)};
        record.value = dunlin_opaque(dunlin_slice_make(bytes, cases[i].len));
        assert_int_equal(dn_encode(&encoder, DN_FORMAT_TLV, dunlin_path_instance(9, 0),
                                   dunlin_buf_make(memory, sizeof memory)),
                         DUNLIN_OK);
        dn_encode_put(&encoder, &record);
        assert_int_equal(dn_encode_finish(&encoder, &payload), DUNLIN_OK);
        assert_int_equal(payload.len, cases[i].head + cases[i].len);
        const dn_types nobody = {NULL, NULL};
        assert_int_equal(dn_decode(&decoder, DN_FORMAT_TLV, dunlin_path_instance(9, 0), payload, nobody,
                                   dunlin_buf_make(NULL, 0)),
                         DUNLIN_OK);
        assert_int_equal(dn_decode_next(&decoder, &record), DUNLIN_OK);
        assert_int_equal(record.value.as.bytes.len, cases[i].len);
        assert_int_equal(dn_decode_next(&decoder, &record), DUNLIN_END);
    }
    /* 16 MiB do not fit in a length of 24 bits. */
    dn_encoder encoder;
    dunlin_slice payload;
    dn_record record = {.path = dunlin_path_resource(9, 0, 1)};
    record.value = dunlin_opaque(dunlin_slice_make(bytes, (size_t)1 << 24));
    (void)dn_encode(&encoder, DN_FORMAT_TLV, dunlin_path_instance(9, 0), dunlin_buf_make(NULL, 0));
    dn_encode_put(&encoder, &record);
    assert_int_equal(dn_encode_finish(&encoder, &payload), DUNLIN_ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text),
        cmocka_unit_test(opaque),
        cmocka_unit_test(cbor),
        cmocka_unit_test(senml_json),
        cmocka_unit_test(senml_cbor),
        cmocka_unit_test(tlv),
        cmocka_unit_test(lwm2m_json),
        cmocka_unit_test(composite),
        cmocka_unit_test(empty_multiples_survive_in_tlv),
        cmocka_unit_test(encoders_refuse),
        cmocka_unit_test(an_instance_without_id_has_no_wrapper),
        cmocka_unit_test(tlv_takes_the_shortest_signed_integer),
        cmocka_unit_test(tlv_length_forms),
    };
    return cmocka_run_group_tests_name("roundtrip", tests, NULL, NULL);
}
