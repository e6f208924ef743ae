/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing single messages: RFC 7252 section 3, and all that breaks its rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "coap/compose.h"
#include "coap/message.h"
#include "tests/sim/coap_text.h"
#include <stdlib.h>

static dunlin_status read_text(const char *text, dn_coap_message *message, uint8_t *bytes, size_t cap)
{
    size_t len = coap_text_read(text, 0, dunlin_slice_make(NULL, 0), bytes, cap);
    return dn_coap_message_read(message, dunlin_slice_make(bytes, len));
}

static void reads_the_fields_the_engine_uses(void **state)
{
    uint8_t bytes[2048];
    dn_coap_message m;
    (void)state;
    assert_int_equal(
        read_text("CON 0.05 #ab12 @0102030405060708 4=e1e2 6= 11='3' 11='0' 12=3c 17=70 23=0e 27=1a 28= "
                  "60=1000 p='body'",
                  &m, bytes, sizeof bytes),
        DUNLIN_OK);
    assert_int_equal(m.type, DN_COAP_CON);
    assert_int_equal(m.code, DN_COAP_FETCH);
    assert_int_equal(m.mid, 0xab12);
    assert_int_equal(m.token.len, 8);
    assert_int_equal(m.token.bytes[7], 8);
    assert_int_equal(m.observe, 0);
    assert_int_equal(m.content_format, 60);
    assert_int_equal(m.accept, 112);
    assert_int_equal(m.block2.num, 0);
    assert_true(m.block2.more);
    assert_int_equal(m.block2.szx, 6);
    assert_int_equal(m.block1.num, 1);
    assert_true(m.block1.more);
    assert_int_equal(m.block1.szx, 2);
    assert_int_equal(m.size1, 4096);
    assert_int_equal(m.size2, 0);
    assert_int_equal(m.has, DN_COAP_HAS_BLOCK1 | DN_COAP_HAS_BLOCK2 | DN_COAP_HAS_SIZE1 | DN_COAP_HAS_SIZE2 |
                                DN_COAP_HAS_ETAG);
    assert_int_equal(m.bad_option, 0);
    assert_true(dunlin_slice_equal(m.payload, dunlin_slice_of("body")));
    assert_int_equal(read_text("NON 2.05 #1 @", &m, bytes, sizeof bytes), DUNLIN_OK);
    assert_int_equal(m.content_format, DN_COAP_NO_FORMAT);
    assert_int_equal(m.accept, DN_COAP_NO_FORMAT);
    assert_int_equal(m.observe, DN_COAP_NO_OBSERVE);
    assert_int_equal(m.payload.len, 0);
    assert_int_equal(m.has, 0);
}

/* RFC 7252 sections 3, 4.1 to 4.3: what breaks the format, and what is not to be answered at all. */
static void refuses_malformed_messages(void **state)
{
    static const struct {
        const char *why, *hex;
        dunlin_status expected;
    } cases[] = {
        {"nothing", "raw:", DUNLIN_ERR_TRUNCATED},
        {"three bytes", "raw:400100", DUNLIN_ERR_TRUNCATED},
        {"version 0", "raw:00010001", DUNLIN_ERR_TRUNCATED},
        {"version 2", "raw:80010001", DUNLIN_ERR_TRUNCATED},
        {"version 3", "raw:c0010001", DUNLIN_ERR_TRUNCATED},
        {"token length 9", "raw:49010001010203040506070809", DUNLIN_ERR_MALFORMED},
        {"token length 10", "raw:4a01000101020304050607080900", DUNLIN_ERR_MALFORMED},
        {"token length 11", "raw:4b0100010102030405060708090000", DUNLIN_ERR_MALFORMED},
        {"token length 12", "raw:4c010001010203040506070809000000", DUNLIN_ERR_MALFORMED},
        {"token length 13", "raw:4d01000101020304050607080900000000", DUNLIN_ERR_MALFORMED},
        {"token length 14", "raw:4e0100010102030405060708090000000000", DUNLIN_ERR_MALFORMED},
        {"token length 15", "raw:4f010001010203040506070809000000000000", DUNLIN_ERR_MALFORMED},
        {"token cut off", "raw:42010001aa", DUNLIN_ERR_MALFORMED},
        {"class 1", "raw:40200001", DUNLIN_ERR_MALFORMED},
        {"class 1, all bits", "raw:403f0001", DUNLIN_ERR_MALFORMED},
        {"class 6", "raw:40c00001", DUNLIN_ERR_MALFORMED},
        {"class 7", "raw:40e00001", DUNLIN_ERR_MALFORMED},
        {"class 7 in an ACK", "raw:60e00001", DUNLIN_ERR_MALFORMED},
        {"empty with token", "raw:41000001aa", DUNLIN_ERR_MALFORMED},
        {"empty with option", "raw:4000000110", DUNLIN_ERR_MALFORMED},
        {"empty with payload", "raw:40000001ff00", DUNLIN_ERR_MALFORMED},
        {"empty with marker", "raw:40000001ff", DUNLIN_ERR_MALFORMED},
        {"empty NON", "raw:50000001", DUNLIN_ERR_MALFORMED},
        {"ACK with token and no code", "raw:61000001aa", DUNLIN_ERR_MALFORMED},
        {"request in an ACK", "raw:60010001", DUNLIN_ERR_MALFORMED},
        {"request in a Reset", "raw:70010001", DUNLIN_ERR_MALFORMED},
        {"response in a Reset", "raw:70450001", DUNLIN_ERR_MALFORMED},
        {"Reset with a byte more", "raw:7000000100", DUNLIN_ERR_MALFORMED},
        {"marker without payload", "raw:40010001ff", DUNLIN_ERR_MALFORMED},
        {"option, marker, no payload", "raw:40010001b161ff", DUNLIN_ERR_MALFORMED},
        {"option delta 15", "raw:40010001f1ff", DUNLIN_ERR_MALFORMED},
        {"option length 15", "raw:400100011fff", DUNLIN_ERR_MALFORMED},
        {"option value cut off", "raw:40010001b2aa", DUNLIN_ERR_MALFORMED},
        {"option delta cut off", "raw:40010001d0", DUNLIN_ERR_MALFORMED},
        {"option number above 65535", "raw:40010001e0ffff", DUNLIN_ERR_MALFORMED},
        {"a ping", "raw:40000001", DUNLIN_OK},
        {"an empty ACK", "raw:60000001", DUNLIN_OK},
        {"a Reset", "raw:70000001", DUNLIN_OK},
        {"class 3", "raw:40600001", DUNLIN_OK},
        {"an unknown method", "raw:401f0001", DUNLIN_OK},
        {"payload of one marker", "raw:40010001ffff", DUNLIN_OK},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[64];
        dn_coap_message m;
        size_t len = coap_text_read(cases[i].hex, 0, dunlin_slice_make(NULL, 0), bytes, sizeof bytes);
        uint8_t *exact = malloc(len > 0 ? len : 1);
        assert_non_null(exact);
        memcpy(exact, bytes, len);
        dunlin_status status = dn_coap_message_read(&m, dunlin_slice_make(exact, len));
        if (status != cases[i].expected) {
            fail_msg("%s: %d instead of %d", cases[i].why, (int)status, (int)cases[i].expected);
        }
        free(exact);
    }
}

/* RFC 7252 sections 5.4.1 to 5.4.5: critical ones count, elective ones are as if they were not there. */
static void options_out_of_form(void **state)
{
    static const struct {
        const char *text;
        uint16_t bad_option;
    } cases[] = {
        {"CON 0.01 #1 @ 9=01", 9}, /* OSCORE is not for this layer */
        {"CON 0.01 #1 @ 65001=", 65001},
        {"CON 0.01 #1 @ 65000=", 0},
        {"CON 0.01 #1 @ 0=", 0},
        {"CON 0.01 #1 @ 2=01", 0},
        {"CON 0.01 #1 @ 19=01", 19},
        {"CON 0.01 #1 @ 3=", 3},          /* Uri-Host of no byte */
        {"CON 0.01 #1 @ 3='a' 3='b'", 3}, /* not repeatable */
        {"CON 0.01 #1 @ 5=01", 5},        /* If-None-Match is empty */
        {"CON 0.01 #1 @ 7=010203", 7},    /* Uri-Port of 3 bytes */
        {"CON 0.01 #1 @ 17=010203", 17},  /* Accept of 3 bytes */
        {"CON 0.01 #1 @ 17=01 17=02", 17},
        {"CON 0.01 #1 @ 23=01020304", 23},
        {"CON 0.01 #1 @ 27=01020304", 27},
        {"CON 0.01 #1 @ 27=08 27=08", 27},
        {"CON 0.01 #1 @ 1=010203040506070809", 1},
        {"CON 0.01 #1 @ 1= 1=01 1=0102030405060708", 0}, /* If-Match may come again */
        {"CON 0.01 #1 @ 11=~0+255 11= 15=~0+255 15=", 0},
        {"CON 0.01 #1 @ 11=~0+256", 11},
        {"CON 0.01 #1 @ 12=010203 14=0102030405 6=01020304", 0},
    };
    (void)state;
    for (size_t i = 0; i + 1 < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[2048];
        dn_coap_message m;
        assert_int_equal(read_text(cases[i].text, &m, bytes, sizeof bytes), DUNLIN_OK);
        if (m.bad_option != cases[i].bad_option) {
            fail_msg("%s: %u", cases[i].text, m.bad_option);
        }
    }
    uint8_t bytes[64];
    dn_coap_message m;
    assert_int_equal(
        read_text("CON 2.05 #1 @ 4=010203040506070809 6=01020304 12=010203", &m, bytes, sizeof bytes),
        DUNLIN_OK);
    assert_int_equal(m.bad_option, 0);
    assert_int_equal(m.observe, DN_COAP_NO_OBSERVE);
    assert_int_equal(m.content_format, DN_COAP_NO_FORMAT);
    assert_int_equal(m.has, 0);
}

static void writes_what_it_reads(void **state)
{
    static const char *const texts[] = {
        "CON 0.01 #1 @",
        "CON 0.02 #ffff @0102030405060708 11='rd' 15='ep=a' p='x'",
        "ACK 2.05 #7 @aa 4=e1 6=01 12=28 23=1e p=~0+1024",
        "NON 2.05 #7 @aa 1= 13='a' 269='b' 270='c' 600='d' 65535='e'",
        "CON 0.03 #9 @ 11=~0+12 12= 35=~0+13 60=~0+268 300=~0+269 400=~0+600",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint8_t bytes[2048], again[2048];
        char text[COAP_TEXT_MAX];
        dn_coap_message m;
        dn_coap_writer writer;
        dn_coap_option option;
        assert_int_equal(read_text(texts[i], &m, bytes, sizeof bytes), DUNLIN_OK);
        dn_coap_write_header(&writer, again, sizeof again, (dn_coap_type)m.type, m.code, m.mid, &m.token);
        while (dn_coap_option_next(&m.options, &option) == DUNLIN_OK) {
            dn_coap_write_option(&writer, option.number, option.value);
        }
        dn_coap_write_payload(&writer, m.payload);
        assert_false(writer.failed);
        assert_memory_equal(bytes, again, writer.len);
        coap_text_write(dunlin_slice_make(again, writer.len), text);
    }
}

static void the_writer_keeps_within_its_room(void **state)
{
    dn_coap_token token = {8, "12345678"};
    uint8_t value[300] = {0};
    (void)state;
    for (size_t cap = 0; cap < 340; cap++) {
        uint8_t *exact = malloc(cap > 0 ? cap : 1);
        dn_coap_writer writer;
        assert_non_null(exact);
        dn_coap_write_header(&writer, exact, cap, DN_COAP_CON, DN_COAP_GET, 1, &token);
        dn_coap_write_option(&writer, 300, dunlin_slice_make(value, sizeof value));
        dn_coap_write_payload(&writer, dunlin_slice_make(value, 10));
        assert_int_equal(writer.failed, cap < 12 + 5 + 300 + 11);
        free(exact);
    }
    uint8_t out[64];
    dn_coap_writer writer;
    dn_coap_write_header(&writer, out, sizeof out, DN_COAP_CON, DN_COAP_GET, 1, &token);
    dn_coap_write_option(&writer, 11, dunlin_slice_make(NULL, 0));
    dn_coap_write_option(&writer, 7, dunlin_slice_make(NULL, 0));
    assert_true(writer.failed); /* descending */
}

static bool drop_path(uint16_t number)
{
    return number == DN_OPTION_URI_PATH;
}

static void merges_in_order(void **state)
{
    uint8_t out[128], again[128];
    char text[COAP_TEXT_MAX];
    dn_coap_writer writer;
    dn_coap_token token = {0, {0}};
    dn_coap_own own;
    dn_coap_message m;
    const dn_coap_option mine[] = {{DN_OPTION_URI_HOST, dunlin_slice_of("h")},
                                   {DN_OPTION_URI_PATH, dunlin_slice_of("p")},
                                   {DN_OPTION_URI_QUERY, dunlin_slice_of("q")},
                                   {2048, dunlin_slice_of("z")}};
    (void)state;
    own.count = 0;
    dn_coap_own_uint(&own, DN_OPTION_OBSERVE, 0);
    dn_coap_own_uint(&own, DN_OPTION_CONTENT_FORMAT, 11542);
    dn_coap_own_uint(&own, DN_OPTION_SIZE1, 70000);
    dn_coap_write_header(&writer, out, sizeof out, DN_COAP_CON, DN_COAP_GET, 1, &token);
    dn_coap_write_merged(&writer, mine, 4, &own);
    assert_false(writer.failed);
    coap_text_write(dunlin_slice_make(out, writer.len), text);
    assert_string_equal(text, "CON 0.01 #1 @ 3='h' 6= 11='p' 12=2d16 15='q' 60=011170 2048='z'");
    assert_int_equal(dn_coap_message_read(&m, dunlin_slice_make(out, writer.len)), DUNLIN_OK);
    own.count = 0;
    dn_coap_own_uint(&own, DN_OPTION_BLOCK2, 0x16);
    dn_coap_write_header(&writer, again, sizeof again, DN_COAP_CON, DN_COAP_GET, 2, &token);
    dn_coap_write_again(&writer, m.options, drop_path, &own);
    coap_text_write(dunlin_slice_make(again, writer.len), text);
    assert_string_equal(text, "CON 0.01 #2 @ 3='h' 6= 12=2d16 15='q' 23=16 60=011170 2048='z'");
}

static void order_of_notifications(void **state)
{
    /* RFC 7641 section 3.4, at its edges. */
    static const struct {
        uint32_t sequence;
        uint64_t at_ms;
        bool newer;
    } steps[] = {
        {5, 1000, true},         {5, 1001, false},           {4, 1002, false},
        {6, 1003, true},         {6 + 0x7fffff, 1004, true}, /* just within half the circle */
        {6, 1005, false},        {0x000004, 1006, true},     /* 0x800005 → 4: 0x7fffff ahead over the end */
        {0x800004, 1007, false},                     /* exactly half: neither is newer, so not newer */
        {3, 1008, false},        {3, 129006, false}, /* 128 s have passed, not more */
        {3, 129007, true},
    };
    dn_coap_order order = {false, 0, 0};
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (dn_coap_order_newer(&order, steps[i].sequence, steps[i].at_ms) != steps[i].newer) {
            fail_msg("step %zu", i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_fields_the_engine_uses),
        cmocka_unit_test(refuses_malformed_messages),
        cmocka_unit_test(options_out_of_form),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(the_writer_keeps_within_its_room),
        cmocka_unit_test(merges_in_order),
        cmocka_unit_test(order_of_notifications),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
