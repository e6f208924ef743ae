/* SPDX-License-Identifier: Apache-2.0 */
/* Where messages on a stream begin and end (RFC 8323 section 3.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/random.h"
#include "coap/frame.h"
#include "coap/message.h"
#include <stdlib.h>

#define BYTES(...)      (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define LONGEST         70000u
#define ROOM            (LONGEST + 20)
#define MESSAGES        40
#define ASSEMBLER_BYTES 3000

static void whole_lengths(void **state)
{
    const struct {
        const char *what;
        const uint8_t *bytes;
        size_t len;
        uint64_t length;
    } rows[] = {
        {"nothing behind the token", BYTES(0x00), 2},
        {"a token", BYTES(0x01), 3},
        {"the longest token", BYTES(0x08, 0xff, 0xff), 10},
        {"12 bytes", BYTES(0xc0), 14},
        {"13 bytes", BYTES(0xd0, 0x00), 16},
        {"14 bytes and a token", BYTES(0xd2, 0x01), 19},
        {"268 bytes", BYTES(0xd0, 0xff), 271},
        {"269 bytes", BYTES(0xe0, 0x00, 0x00), 273},
        {"270 bytes", BYTES(0xe0, 0x00, 0x01), 274},
        {"525 bytes", BYTES(0xe0, 0x01, 0x00), 529},
        {"65804 bytes", BYTES(0xe0, 0xff, 0xff), 65808},
        {"65805 bytes", BYTES(0xf0, 0x00, 0x00, 0x00, 0x00), 65811},
        {"65806 bytes", BYTES(0xf0, 0x00, 0x00, 0x00, 0x01), 65812},
        {"the longest there can be", BYTES(0xf8, 0xff, 0xff, 0xff, 0xff), 4294967295ull + 65805 + 14},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t length = 0;
        print_message("%s\n", rows[i].what);
        assert_int_equal(dn_coap_frame_length(dunlin_slice_make(rows[i].bytes, rows[i].len), &length),
                         DUNLIN_OK);
        assert_true(length == rows[i].length);
    }
}

static void lengths_that_cannot_be_told(void **state)
{
    const struct {
        const char *what;
        const uint8_t *bytes;
        size_t len;
        dunlin_status status;
    } rows[] = {
        {"nothing", BYTES(0x00), DUNLIN_ERR_TRUNCATED}, /* its length is set to 0 below */
        {"no extension", BYTES(0xd0), DUNLIN_ERR_TRUNCATED},
        {"half an extension", BYTES(0xe8, 0x01), DUNLIN_ERR_TRUNCATED},
        {"three quarters of one", BYTES(0xf0, 0x01, 0x02, 0x03), DUNLIN_ERR_TRUNCATED},
        {"a token of 9", BYTES(0x09, 0x01), DUNLIN_ERR_MALFORMED},
        {"a token of 15, no extension", BYTES(0xff), DUNLIN_ERR_MALFORMED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t length;
        size_t len = i == 0 ? 0 : rows[i].len;
        print_message("%s\n", rows[i].what);
        assert_int_equal(dn_coap_frame_length(dunlin_slice_make(rows[i].bytes, len), &length),
                         rows[i].status);
    }
}

/* Writes a message with that many bytes of payload, framed; gives where it begins. */
static dunlin_slice framed(uint8_t *memory, size_t payload, uint8_t token_len, uint8_t seed)
{
    static uint8_t filler[LONGEST];
    dn_coap_token token = {token_len, "tokentok"};
    dn_coap_writer writer;
    memset(filler, seed, payload);
    memory += DN_COAP_FRAME_AHEAD;
    dn_coap_write_header(&writer, memory, ROOM - DN_COAP_FRAME_AHEAD, DN_COAP_CON, DN_COAP_POST, 0x1234,
                         &token);
    dn_coap_write_payload(&writer, dunlin_slice_make(filler, payload));
    assert_false(writer.failed);
    return dn_coap_message_frame(memory, writer.len);
}

/* At each boundary of section 3.2's table: what is written is as long as it says, and is read as it was. */
static void written_and_read(void **state)
{
    static const struct {
        size_t rest; /* options, marker and payload */
        size_t head; /* of the message, without token */
    } rows[] = {{0, 2},   {2, 2},   {11, 2},    {12, 2},    {13, 3},    {14, 3},    {267, 3},  {268, 3},
                {269, 4}, {270, 4}, {65803, 4}, {65804, 4}, {65805, 6}, {65806, 6}, {66000, 6}};
    uint8_t *memory = malloc(ROOM);
    (void)state;
    assert_non_null(memory);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (uint8_t token = 0; token <= 8; token += 4) {
            dn_coap_message message;
            uint64_t length;
            size_t payload = rows[i].rest == 0 ? 0 : rows[i].rest - 1;
            dunlin_slice bytes = framed(memory, payload, token, (uint8_t)i);
            assert_int_equal(bytes.len, rows[i].head + token + rows[i].rest);
            assert_int_equal(dn_coap_frame_length(bytes, &length), DUNLIN_OK);
            assert_int_equal(length, bytes.len);
            assert_int_equal(dn_coap_message_read_framed(&message, bytes), DUNLIN_OK);
            assert_int_equal(message.code, DN_COAP_POST);
            assert_int_equal(message.token.len, token);
            assert_memory_equal(message.token.bytes, "tokentok", token);
            assert_int_equal(message.payload.len, payload);
        }
    }
    free(memory);
}

static void messages_that_are_none(void **state)
{
    const struct {
        const char *what;
        const uint8_t *bytes;
        size_t len;
        dunlin_status status;
    } rows[] = {
        {"a GET", BYTES(0x01, 0x01, 0xa1), DUNLIN_OK},
        {"an empty one, whatever follows", BYTES(0x10, 0x00, 0xb1), DUNLIN_OK},
        {"no code", BYTES(0x00), DUNLIN_ERR_RANGE},
        {"no token", BYTES(0x01, 0x01), DUNLIN_ERR_RANGE},
        {"a byte too many", BYTES(0x00, 0x01, 0x00), DUNLIN_ERR_RANGE},
        {"a byte too few", BYTES(0x20, 0x01, 0xb1), DUNLIN_ERR_RANGE},
        {"no extension", BYTES(0xd0), DUNLIN_ERR_MALFORMED},
        {"a token of 9", BYTES(0x09, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 9), DUNLIN_ERR_MALFORMED},
        {"a marker without payload", BYTES(0x10, 0x01, 0xff), DUNLIN_ERR_MALFORMED},
        {"an option that is cut off", BYTES(0x10, 0x01, 0xb1), DUNLIN_ERR_MALFORMED},
        {"a reserved option delta", BYTES(0x20, 0x45, 0xf1, 0x00), DUNLIN_ERR_MALFORMED},
        {"a signal with a marker without payload", BYTES(0x10, 0xe1, 0xff), DUNLIN_ERR_MALFORMED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dn_coap_message message;
        uint8_t *exact = malloc(rows[i].len);
        assert_non_null(exact);
        memcpy(exact, rows[i].bytes, rows[i].len);
        print_message("%s\n", rows[i].what);
        assert_int_equal(dn_coap_message_read_framed(&message, dunlin_slice_make(exact, rows[i].len)),
                         rows[i].status);
        free(exact);
    }
}

/* What an assembler gave, compared with what was sent. */
typedef struct {
    dunlin_slice expected[MESSAGES];
    size_t count, seen;
    size_t stop_at; /* message() refuses that one */
} collected;

static bool collect(void *context, dunlin_slice message)
{
    collected *of = context;
    assert_true(of->seen < of->count);
    assert_true(dunlin_slice_equal(message, of->expected[of->seen]));
    return ++of->seen != of->stop_at;
}

/* A stream of messages of all kinds of sizes, up to what the assembler takes. */
static dunlin_slice make_stream(uint8_t *stream, collected *of)
{
    static const size_t payloads[] = {0, 1, 10, 11, 12, 100, 266, 267, 268, 269, 270, 1024, 2048, 2980};
    static uint8_t memory[ROOM];
    size_t used = 0;
    for (of->count = 0; of->count < MESSAGES; of->count++) {
        size_t payload = payloads[of->count % (sizeof payloads / sizeof payloads[0])];
        dunlin_slice bytes = framed(memory, payload, (uint8_t)(of->count % 9), (uint8_t)of->count);
        memcpy(stream + used, bytes.data, bytes.len);
        of->expected[of->count] = dunlin_slice_make(stream + used, bytes.len);
        used += bytes.len;
    }
    return dunlin_slice_make(stream, used);
}

static void any_pieces_make_the_same_messages(void **state)
{
    uint8_t *stream = malloc((size_t)MESSAGES * ASSEMBLER_BYTES);
    collected of = {.count = 0};
    (void)state;
    assert_non_null(stream);
    dunlin_slice all = make_stream(stream, &of);
    for (uint64_t seed = 0; seed < 60; seed++) {
        uint8_t memory[ASSEMBLER_BYTES];
        dn_coap_assembler assembler = {memory, sizeof memory, 0};
        dn_seeded seeded;
        dn_seeded_init(&seeded, seed);
        dn_random random = dn_seeded_random(&seeded);
        of.seen = 0;
        for (size_t at = 0; at < all.len;) {
            /* Byte by byte, all at once, and anything between. */
            uint64_t most = seed == 0 ? 1 : seed == 1 ? all.len : 3 + seed * seed;
            size_t len = (size_t)dn_random_between(&random, 1, most);
            len = len < all.len - at ? len : all.len - at;
            uint8_t *exact = malloc(len);
            assert_non_null(exact);
            memcpy(exact, all.data + at, len);
            assert_int_equal(dn_coap_assemble(&assembler, dunlin_slice_make(exact, len), collect, &of),
                             DUNLIN_OK);
            free(exact);
            at += len;
        }
        assert_int_equal(of.seen, of.count);
        assert_int_equal(assembler.used, 0);
    }
    free(stream);
}

static bool count_any(void *context, dunlin_slice message)
{
    (void)message;
    ++*(size_t *)context;
    return true;
}

static void streams_that_must_be_aborted(void **state)
{
    const struct {
        const char *what;
        const uint8_t *bytes;
        size_t len;
        size_t size; /* of the assembler */
        size_t messages;
        dunlin_status status;
    } rows[] = {
        {"as long as it may be", BYTES(0xd0, 0x00, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 16, 1,
         DUNLIN_OK},
        {"a byte longer, as its head says", BYTES(0xd0, 0x01), 16, 0, DUNLIN_ERR_RANGE},
        {"much longer", BYTES(0xf0, 0xff, 0xff, 0xff, 0xff), 16, 0, DUNLIN_ERR_RANGE},
        {"a head that does not fit", BYTES(0xf0, 0x00, 0x00), 2, 0, DUNLIN_ERR_RANGE},
        {"a token of 9", BYTES(0x09), 16, 0, DUNLIN_ERR_MALFORMED},
        {"one that is sound before it", BYTES(0x00, 0x01, 0x0f), 16, 1, DUNLIN_ERR_MALFORMED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t piece = 1; piece <= rows[i].len; piece += rows[i].len - (rows[i].len > 1)) {
            uint8_t memory[16];
            dn_coap_assembler assembler = {memory, rows[i].size, 0};
            size_t count = 0;
            dunlin_status status = DUNLIN_OK;
            print_message("%s, %zu at a time\n", rows[i].what, piece);
            for (size_t at = 0; at < rows[i].len && status == DUNLIN_OK; at += piece) {
                size_t len = piece < rows[i].len - at ? piece : rows[i].len - at;
                status = dn_coap_assemble(&assembler, dunlin_slice_make(rows[i].bytes + at, len), count_any,
                                          &count);
            }
            assert_int_equal(status, rows[i].status);
            assert_int_equal(count, rows[i].messages);
        }
    }
}

static void a_receiver_that_ends_it(void **state)
{
    uint8_t *stream = malloc((size_t)MESSAGES * ASSEMBLER_BYTES), memory[ASSEMBLER_BYTES];
    collected of = {.stop_at = 3};
    dn_coap_assembler assembler = {memory, sizeof memory, 0};
    (void)state;
    assert_non_null(stream);
    dunlin_slice all = make_stream(stream, &of);
    assert_int_equal(dn_coap_assemble(&assembler, all, collect, &of), DUNLIN_ERR_CANCELLED);
    assert_int_equal(of.seen, 3);
    free(stream);
}

static void an_abort_of_the_owner(void **state)
{
    static const struct {
        dunlin_status status;
        const char *text;
    } rows[] = {{DUNLIN_ERR_RANGE, "message too large"}, {DUNLIN_ERR_MALFORMED, "malformed message"}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint8_t out[DN_COAP_FRAME_ABORT_MAX];
        dn_coap_message message;
        assert_int_equal(dn_coap_message_read_framed(&message, dn_coap_frame_abort(rows[i].status, out)),
                         DUNLIN_OK);
        assert_int_equal(message.code, DN_COAP_CODE(7, 5));
        assert_true(dunlin_slice_equal(message.payload, dunlin_slice_of(rows[i].text)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_lengths),
        cmocka_unit_test(lengths_that_cannot_be_told),
        cmocka_unit_test(written_and_read),
        cmocka_unit_test(messages_that_are_none),
        cmocka_unit_test(any_pieces_make_the_same_messages),
        cmocka_unit_test(streams_that_must_be_aborted),
        cmocka_unit_test(a_receiver_that_ends_it),
        cmocka_unit_test(an_abort_of_the_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
