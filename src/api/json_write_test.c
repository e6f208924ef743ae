/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer and the text under it. */
#include "api/json_write.h"

#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(dn_text *text, const char *wanted)
{
    dn_text_char(text, 0);
    assert_false(text->failed);
    assert_string_equal(text->data, wanted);
    dn_text_free(text);
}

static void puts_commas(void **state)
{
    (void)state;
    dn_text text = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &text);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_pair(&json, "a", "x");
    dn_jsonw_key(&json, "b");
    dn_jsonw_begin(&json, '[');
    dn_jsonw_unsigned(&json, UINT64_MAX);
    dn_jsonw_signed(&json, INT64_MIN);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_end(&json, '}');
    dn_jsonw_null(&json);
    dn_jsonw_end(&json, ']');
    dn_jsonw_pair_bool(&json, "c", false);
    dn_jsonw_pair_time(&json, "d", 0);
    dn_jsonw_pair_time(&json, "e", INT64_MAX);
    dn_jsonw_end(&json, '}');
    expect(&text, "{\"a\":\"x\",\"b\":[18446744073709551615,-9223372036854775808,{},null],\"c\":false,"
                  "\"d\":\"1970-01-01T00:00:00.000Z\",\"e\":null}");
}

static const struct {
    const char *bytes;
    size_t len;
    const char *json;
} strings[] = {
    {"", 0, "\"\""},
    {"a\"\\/\b\f\n\r\t", 9, "\"a\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {"\x01\x1f\x7f", 3, "\"\\u0001\\u001f\\u007f\""},
    {"a\0b", 3, "\"a\\u0000b\""},
    {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
    {"\xc3", 1, "\"\xef\xbf\xbd\""},
    {"\xc0\xaf", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    {"\xed\xa0\x80x", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\""},
    {"\xf4\x90\x80\x80", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {"\xe0\x80\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
};

static void escapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        dn_text text = {0};
        dn_jsonw json;
        dn_jsonw_start(&json, &text);
        dn_jsonw_string(&json, dunlin_slice_make(strings[i].bytes, strings[i].len));
        expect(&text, strings[i].json);
    }
}

static const struct {
    double number;
    const char *json;
} doubles[] = {
    {0, "0.0"},
    {1, "1.0"},
    {-1, "-1.0"},
    {21.5, "21.5"},
    {0.1, "0.1"},
    {-0.25, "-0.25"},
    {1e15, "1e+15"},
    {1.005, "1.005"},
    {0.0001, "0.0001"},
    {1e-7, "1e-07"},
    {100, "100.0"},
    {12.34, "12.34"},
    {5e-324, "4.94065645841247e-324"},
    {0.30000000000000004, "0.30000000000000004"},
};

static void doubles_are_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++) {
        dn_text text = {0};
        dn_jsonw json;
        dn_jsonw_start(&json, &text);
        dn_jsonw_double(&json, doubles[i].number);
        expect(&text, doubles[i].json);
    }
    dn_text text = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &text);
    dn_jsonw_begin(&json, '[');
    dn_jsonw_double(&json, (double)NAN);
    dn_jsonw_double(&json, (double)INFINITY);
    dn_jsonw_double(&json, -(double)INFINITY);
    dn_jsonw_double(&json, -0.0);
    dn_jsonw_end(&json, ']');
    expect(&text, "[\"NaN\",\"Infinity\",\"-Infinity\",-0.0]");
}

static void doubles_read_back(void **state)
{
    (void)state;
    dn_seeded seeded;
    dn_seeded_init(&seeded, 7);
    dn_random random = dn_seeded_random(&seeded);
    for (int i = 0; i < 20000; i++) {
        union {
            uint64_t bits;
            double number;
        } any = {.bits = dn_random_between(&random, 0, UINT64_MAX)};
        if (i % 2 == 0) {
            any.number = (double)(int32_t)dn_random_u32(&random) / 100;
        }
        if (!isfinite(any.number)) {
            continue;
        }
        dn_text text = {0};
        dn_jsonw json;
        dn_jsonw_start(&json, &text);
        dn_jsonw_double(&json, any.number);
        dn_text_char(&text, 0);
        double back = strtod(text.data, NULL);
        assert_memory_equal(&back, &any.number, sizeof back);
        dn_text_free(&text);
    }
}

static void base64(void **state)
{
    (void)state;
    static const char *const wanted[] = {"\"\"", "\"Zg==\"", "\"Zm8=\"", "\"Zm9v\"", "\"Zm9vYg==\""};
    for (size_t len = 0; len < 5; len++) {
        dn_text text = {0};
        dn_jsonw json;
        dn_jsonw_start(&json, &text);
        dn_jsonw_base64(&json, dunlin_slice_make("foobar", len));
        expect(&text, wanted[len]);
    }
}

static void a_limit_sticks(void **state)
{
    (void)state;
    dn_text text = {.limit = 10};
    dn_text_put(&text, "12345");
    dn_text_put(&text, "1234567");
    assert_true(text.failed);
    assert_int_equal(text.len, 5);
    dn_text_put(&text, "1");
    assert_int_equal(text.len, 5);
    dn_text_free(&text);
    assert_int_equal(text.limit, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_commas),       cmocka_unit_test(escapes), cmocka_unit_test(doubles_are_short),
        cmocka_unit_test(doubles_read_back), cmocka_unit_test(base64),  cmocka_unit_test(a_limit_sticks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
