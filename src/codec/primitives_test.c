/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts: UTF-8, base64, dates, object links, conversion of values, the table of formats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "codec/base64.h"
#include "codec/date.h"
#include "codec/format.h"
#include "codec/objlnk.h"
#include "codec/utf8.h"

static void utf8_by_the_book(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"", true},
        {"plain text that is longer than a word", true},
        {"\xc3\xbc", true},
        {"\xe2\x82\xac", true},
        {"\xf0\x9f\x98\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\xed\x9f\xbf\xee\x80\x80", true},
        {"1234567\xc3\xbc", true},
        {"\x80", false},
        {"\xc3", false},
        {"\xc3(", false},
        {"\xc0\xaf", false},
        {"\xc1\xbf", false},
        {"\xe0\x9f\xbf", false},
        {"\xe2\x82", false},
        {"\xe2(\xac", false},
        {"\xed\xa0\x80", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xf0\x9f\x98", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"12345678\xff", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(dn_utf8_valid(dunlin_slice_of(cases[i].text)), cases[i].valid);
    }
    for (uint32_t point = 0; point <= 0x10ffff; point += point == 0xd7ff ? 0x801 : 1) {
        uint8_t bytes[4];
        size_t len = dn_utf8_put(point, bytes);
        assert_int_equal(len, point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4);
        assert_true(dn_utf8_valid(dunlin_slice_make(bytes, len)));
        assert_false(dn_utf8_valid(dunlin_slice_make(bytes, len - 1)) && len > 1);
    }
}

static void encode(dn_base64_kind kind, dunlin_slice bytes, char *out)
{
    size_t len = dn_base64_encode(kind, bytes, (uint8_t *)out);
    out[len] = '\0';
    assert_int_equal(len, dn_base64_length(kind, bytes.len));
}

/* RFC 4648 section 10, and the letters in which the alphabets differ. */
static void base64_both_ways(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xfb\xff\xbf", "+/+/", "-_-_"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[32];
        dunlin_slice bytes = dunlin_slice_of(cases[i][0]);
        encode(DN_BASE64_PADDED, bytes, text);
        assert_string_equal(text, cases[i][1]);
        encode(DN_BASE64_URL, bytes, text);
        assert_string_equal(text, cases[i][2]);
        for (size_t j = 1; j < 3; j++) {
            uint8_t out[16];
            size_t len = 99;
            assert_int_equal(dn_base64_decode(dunlin_slice_of(cases[i][j]), out, &len), DUNLIN_OK);
            assert_true(dunlin_slice_equal(dunlin_slice_make(out, len), bytes));
        }
    }
}

static void base64_in_place_and_appended(void **state)
{
    (void)state;
    uint8_t memory[16] = "xZm9vYg==";
    dunlin_buf scratch = {memory, 9, sizeof memory};
    dunlin_slice out;
    assert_int_equal(dn_base64_read(dunlin_slice_make(memory + 1, 8), &scratch, &out), DUNLIN_OK);
    assert_true(dunlin_slice_equal(out, dunlin_slice_of("foob")));
    assert_ptr_equal(out.data, memory + 1);
    assert_int_equal(dn_base64_read(dunlin_slice_of("Zm9v"), &scratch, &out), DUNLIN_OK);
    assert_true(dunlin_slice_equal(out, dunlin_slice_of("foo")));
    assert_int_equal(scratch.len, 12);
    assert_int_equal(dn_base64_read(dunlin_slice_of("Zm9vYmE"), &scratch, &out), DUNLIN_ERR_SPACE);
    dunlin_buf none = {NULL, 0, 0};
    assert_int_equal(dn_base64_read(dunlin_slice_make(NULL, 0), &none, &out), DUNLIN_OK);
    assert_int_equal(out.len, 0);
}

static void dates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        dunlin_status status;
        int64_t unix_s;
    } cases[] = {
        {"1970-01-01T00:00:00Z", DUNLIN_OK, 0},
        {"2013-03-21T20:04:00Z", DUNLIN_OK, 1363896240},
        {"2013-03-21t20:04:00z", DUNLIN_OK, 1363896240},
        {"2013-03-21T20:04:00.000Z", DUNLIN_OK, 1363896240},
        {"2013-03-21T22:04:00+02:00", DUNLIN_OK, 1363896240},
        {"2013-03-21T16:34:00-03:30", DUNLIN_OK, 1363896240},
        {"2000-02-29T00:00:00Z", DUNLIN_OK, 951782400},
        {"2016-12-31T23:59:60Z", DUNLIN_OK, 1483228800},
        {"1969-12-31T23:59:59Z", DUNLIN_OK, -1},
        {"0000-01-01T00:00:00Z", DUNLIN_OK, -62167219200},
        {"9999-12-31T23:59:59Z", DUNLIN_OK, 253402300799},
        {"2013-03-21T20:04:00.25Z", DUNLIN_ERR_TYPE, 0},
        {"1900-02-29T00:00:00Z", DUNLIN_ERR_MALFORMED, 0},
        {"2013-00-01T00:00:00Z", DUNLIN_ERR_MALFORMED, 0},
        {"2013-13-01T00:00:00Z", DUNLIN_ERR_MALFORMED, 0},
        {"2013-04-31T00:00:00Z", DUNLIN_ERR_MALFORMED, 0},
        {"2013-04-00T00:00:00Z", DUNLIN_ERR_MALFORMED, 0},
        {"2013-04-01T24:00:00Z", DUNLIN_ERR_MALFORMED, 0},
        {"2013-04-01T00:60:00Z", DUNLIN_ERR_MALFORMED, 0},
        {"2013-04-01T00:00:61Z", DUNLIN_ERR_MALFORMED, 0},
        {"2013-04-01T00:00:00", DUNLIN_ERR_MALFORMED, 0},
        {"2013-04-01T00:00:00.Z", DUNLIN_ERR_MALFORMED, 0},
        {"2013-04-01T00:00:00Zx", DUNLIN_ERR_MALFORMED, 0},
        {"2013-04-01T00:00:00+0200", DUNLIN_ERR_MALFORMED, 0},
        {"2013-04-01T00:00:00+24:00", DUNLIN_ERR_MALFORMED, 0},
        {"2013-04-01T00:00:00+02:60", DUNLIN_ERR_MALFORMED, 0},
        {"2013-04-01 00:00:00Z", DUNLIN_ERR_MALFORMED, 0},
        {"13-04-01T00:00:00Z", DUNLIN_ERR_MALFORMED, 0},
        {"-013-04-01T00:00:00Z", DUNLIN_ERR_MALFORMED, 0},
        {"", DUNLIN_ERR_MALFORMED, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t unix_s = 0;
        assert_int_equal(dn_date_read(dunlin_slice_of(cases[i].text), &unix_s), cases[i].status);
        assert_true(cases[i].status != DUNLIN_OK || unix_s == cases[i].unix_s);
    }
}

static void object_links(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        dunlin_status status;
        uint16_t object;
        uint16_t instance;
    } cases[] = {
        {"0:0", DUNLIN_OK, 0, 0},
        {"66:1", DUNLIN_OK, 66, 1},
        {"65535:65535", DUNLIN_OK, 65535, 65535},
        {"fFfF:FfFf", DUNLIN_OK, 65535, 65535},
        {"ffff:fffe", DUNLIN_ERR_TYPE, 0, 0},
        {"ffffZffff", DUNLIN_ERR_TYPE, 0, 0},
        {"", DUNLIN_ERR_TYPE, 0, 0},
        {":", DUNLIN_ERR_TYPE, 0, 0},
        {"1:", DUNLIN_ERR_TYPE, 0, 0},
        {":1", DUNLIN_ERR_TYPE, 0, 0},
        {"1:2 ", DUNLIN_ERR_TYPE, 0, 0},
        {"1/2", DUNLIN_ERR_TYPE, 0, 0},
        {"65536:0", DUNLIN_ERR_RANGE, 0, 0},
        {"0:99999999999999999999", DUNLIN_ERR_RANGE, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dunlin_objlnk link = {0, 0};
        assert_int_equal(dn_objlnk_read(dunlin_slice_of(cases[i].text), &link), cases[i].status);
        assert_int_equal(link.object, cases[i].object);
        assert_int_equal(link.instance, cases[i].instance);
    }
    char text[DN_OBJLNK_TEXT_MAX];
    dunlin_objlnk null_link = {65535, 65535};
    assert_int_equal(dn_objlnk_format(null_link, text), DN_OBJLNK_TEXT_MAX);
    assert_memory_equal(text, "65535:65535", DN_OBJLNK_TEXT_MAX);
}

static void conversion_loses_nothing(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x42, 0x00, 0x01};
    const struct {
        dunlin_value from;
        dunlin_type type;
        dunlin_status status;
        dunlin_value to;
    } cases[] = {
        {dunlin_integer(5), DUNLIN_TYPE_INTEGER, DUNLIN_OK, dunlin_integer(5)},
        {dunlin_integer(5), DUNLIN_TYPE_NONE, DUNLIN_OK, dunlin_integer(5)},
        {dunlin_integer(5), DUNLIN_TYPE_UNSIGNED, DUNLIN_OK, dunlin_unsigned(5)},
        {dunlin_integer(5), DUNLIN_TYPE_TIME, DUNLIN_OK, dunlin_time(5)},
        {dunlin_integer(5), DUNLIN_TYPE_FLOAT, DUNLIN_OK, dunlin_float(5)},
        {dunlin_integer(-5), DUNLIN_TYPE_UNSIGNED, DUNLIN_ERR_RANGE, {0}},
        {dunlin_integer(INT64_MAX), DUNLIN_TYPE_FLOAT, DUNLIN_ERR_RANGE, {0}},
        {dunlin_integer(INT64_MIN), DUNLIN_TYPE_FLOAT, DUNLIN_OK, dunlin_float(-9223372036854775808.0)},
        {dunlin_unsigned(UINT64_MAX), DUNLIN_TYPE_INTEGER, DUNLIN_ERR_RANGE, {0}},
        {dunlin_unsigned(UINT64_MAX), DUNLIN_TYPE_FLOAT, DUNLIN_ERR_RANGE, {0}},
        {dunlin_time(5), DUNLIN_TYPE_INTEGER, DUNLIN_OK, dunlin_integer(5)},
        {dunlin_float(5), DUNLIN_TYPE_INTEGER, DUNLIN_OK, dunlin_integer(5)},
        {dunlin_float(5.5), DUNLIN_TYPE_INTEGER, DUNLIN_ERR_TYPE, {0}},
        {dunlin_float(1e19), DUNLIN_TYPE_INTEGER, DUNLIN_ERR_RANGE, {0}},
        {dunlin_integer(1), DUNLIN_TYPE_BOOLEAN, DUNLIN_ERR_TYPE, {0}},
        {dunlin_integer(1), DUNLIN_TYPE_STRING, DUNLIN_ERR_TYPE, {0}},
        {dunlin_boolean(true), DUNLIN_TYPE_INTEGER, DUNLIN_ERR_TYPE, {0}},
        {dunlin_string(dunlin_slice_of("12")), DUNLIN_TYPE_INTEGER, DUNLIN_OK, dunlin_integer(12)},
        {dunlin_string(dunlin_slice_of("66:1")), DUNLIN_TYPE_OBJLNK, DUNLIN_OK, dunlin_link(66, 1)},
        {dunlin_string(dunlin_slice_of("1")), DUNLIN_TYPE_BOOLEAN, DUNLIN_OK, dunlin_boolean(true)},
        {dunlin_string(dunlin_slice_of("x")), DUNLIN_TYPE_INTEGER, DUNLIN_ERR_TYPE, {0}},
        {dunlin_string(dunlin_slice_of("eA==")), DUNLIN_TYPE_OPAQUE, DUNLIN_ERR_TYPE, {0}},
        {dunlin_opaque(dunlin_slice_make(bytes, 4)), DUNLIN_TYPE_OBJLNK, DUNLIN_OK, dunlin_link(66, 1)},
        {dunlin_opaque(dunlin_slice_make(bytes, 2)), DUNLIN_TYPE_INTEGER, DUNLIN_OK, dunlin_integer(66)},
        {dunlin_opaque(dunlin_slice_make(bytes, 3)), DUNLIN_TYPE_INTEGER, DUNLIN_ERR_TYPE, {0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dunlin_value value = cases[i].from;
        assert_int_equal(dn_value_convert(&value, cases[i].type), cases[i].status);
        assert_true(dunlin_value_equal(&value, cases[i].status == DUNLIN_OK ? &cases[i].to : &cases[i].from));
    }
}

static void formats_are_found_by_number_and_name(void **state)
{
    (void)state;
    static const struct {
        uint16_t number;
        const char *name;
    } cases[] = {
        {0, "text"},    {42, "opaque"},        {60, "cbor"},   {110, "senml-json"}, {112, "senml-cbor"},
        {11542, "tlv"}, {11543, "lwm2m-json"}, {1541, "text"}, {1542, "tlv"},       {1543, "lwm2m-json"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const dn_format *format = dn_format_find(cases[i].number);
        assert_non_null(format);
        assert_string_equal(format->name, cases[i].name);
        assert_ptr_equal(dn_format_find_name(cases[i].name), format);
        assert_int_equal(dn_format_canonical(cases[i].number), format->number);
    }
    assert_null(dn_format_find(DN_FORMAT_LINK));
    assert_null(dn_format_find(DN_FORMAT_NONE));
    assert_null(dn_format_find_name("xml"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_by_the_book),
        cmocka_unit_test(base64_both_ways),
        cmocka_unit_test(base64_in_place_and_appended),
        cmocka_unit_test(dates),
        cmocka_unit_test(object_links),
        cmocka_unit_test(conversion_loses_nothing),
        cmocka_unit_test(formats_are_found_by_number_and_name),
    };
    return cmocka_run_group_tests_name("primitives", tests, NULL, NULL);
}
