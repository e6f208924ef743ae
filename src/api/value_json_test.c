/* SPDX-License-Identifier: Apache-2.0 */
/* Values from JSON and to it, and the reader of JSON under it. */
#include "api/value_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Each reads as its type and is written as `out` (NULL: as it came). */
static const struct {
    const char *json;
    dunlin_type type;
    const char *out;
} good[] = {
    {"\"x\"", DUNLIN_TYPE_STRING, NULL},
    {"-9223372036854775808", DUNLIN_TYPE_INTEGER, NULL},
    {"9223372036854775807", DUNLIN_TYPE_INTEGER, NULL},
    {"0", DUNLIN_TYPE_UNSIGNED, NULL},
    {"9223372036854775807", DUNLIN_TYPE_UNSIGNED, NULL},
    {"9223372036854775808", DUNLIN_TYPE_UNSIGNED, NULL},
    {"18446744073709551615", DUNLIN_TYPE_UNSIGNED, NULL},
    {"18446744073709551615", DUNLIN_TYPE_NONE, NULL},
    {"\"-9223372036854775808\"", DUNLIN_TYPE_INTEGER, "-9223372036854775808"},
    {"\"18446744073709551615\"", DUNLIN_TYPE_UNSIGNED, "18446744073709551615"},
    {"\"7\"", DUNLIN_TYPE_UNSIGNED, "7"},
    {"\"7\"", DUNLIN_TYPE_NONE, NULL},
    {"18446744073709551616", DUNLIN_TYPE_FLOAT, "1.8446744073709552e+19"},
    {"5", DUNLIN_TYPE_FLOAT, "5.0"},
    {"1e400", DUNLIN_TYPE_NONE, "error"},
    {"0.1", DUNLIN_TYPE_FLOAT, NULL},
    {"\"NaN\"", DUNLIN_TYPE_FLOAT, NULL},
    {"\"-Infinity\"", DUNLIN_TYPE_FLOAT, NULL},
    {"true", DUNLIN_TYPE_BOOLEAN, NULL},
    {"false", DUNLIN_TYPE_NONE, NULL},
    {"\"AP+/\"", DUNLIN_TYPE_OPAQUE, NULL},
    {"\"\"", DUNLIN_TYPE_OPAQUE, NULL},
    {"\"2023-11-14T22:13:20Z\"", DUNLIN_TYPE_TIME, NULL},
    {"1700000000", DUNLIN_TYPE_TIME, "\"2023-11-14T22:13:20Z\""},
    {"9000000000000", DUNLIN_TYPE_TIME, "9000000000000"},
    {"\"3303:0\"", DUNLIN_TYPE_OBJLNK, NULL},
    {"\"65535:65535\"", DUNLIN_TYPE_OBJLNK, NULL},
    {"\"</3/0>\"", DUNLIN_TYPE_CORELNK, NULL},
    {"[18446744073709551615]", DUNLIN_TYPE_NONE, "error"},
};

static char *round_trip(const char *text, dunlin_type type, dunlin_status *status)
{
    char error[DN_JSON_ERROR_MAX];
    uint8_t memory[256];
    dunlin_buf scratch = dunlin_buf_make(memory, sizeof memory);
    dunlin_value value;
    json_t *json = dn_jsonr_parse(dunlin_slice_of(text), error);
    if (json == NULL) {
        *status = DUNLIN_ERR_MALFORMED;
        return NULL;
    }
    *status = dn_value_read(json, type, &scratch, &value);
    dn_text out = {0};
    if (*status == DUNLIN_OK) {
        dn_jsonw writer;
        dn_jsonw_start(&writer, &out);
        dn_value_write(&writer, &value);
        dn_text_char(&out, 0);
    }
    json_decref(json);
    return out.data;
}

static void values_survive(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        dunlin_status status;
        char *out = round_trip(good[i].json, good[i].type, &status);
        bool fails = good[i].out != NULL && strcmp(good[i].out, "error") == 0;
        assert_int_equal(status == DUNLIN_OK, !fails);
        if (!fails) {
            assert_string_equal(out, good[i].out != NULL ? good[i].out : good[i].json);
        }
        free(out);
    }
}

static const struct {
    const char *json;
    dunlin_type type;
    dunlin_status status;
} bad[] = {
    {"1", DUNLIN_TYPE_STRING, DUNLIN_ERR_TYPE},
    {"18446744073709551615", DUNLIN_TYPE_STRING, DUNLIN_ERR_TYPE},
    {"9223372036854775808", DUNLIN_TYPE_INTEGER, DUNLIN_ERR_RANGE},
    {"-9223372036854775809", DUNLIN_TYPE_INTEGER, DUNLIN_ERR_RANGE},
    {"-9223372036854775809", DUNLIN_TYPE_NONE, DUNLIN_ERR_RANGE},
    {"1.0", DUNLIN_TYPE_INTEGER, DUNLIN_ERR_TYPE},
    {"-1", DUNLIN_TYPE_UNSIGNED, DUNLIN_ERR_RANGE},
    {"18446744073709551616", DUNLIN_TYPE_UNSIGNED, DUNLIN_ERR_RANGE},
    {"99999999999999999999999999", DUNLIN_TYPE_UNSIGNED, DUNLIN_ERR_RANGE},
    {"\"9223372036854775808\"", DUNLIN_TYPE_INTEGER, DUNLIN_ERR_RANGE},
    {"\"18446744073709551616\"", DUNLIN_TYPE_UNSIGNED, DUNLIN_ERR_RANGE},
    {"\"-1\"", DUNLIN_TYPE_UNSIGNED, DUNLIN_ERR_RANGE},
    {"\"\"", DUNLIN_TYPE_INTEGER, DUNLIN_ERR_TYPE},
    {"\"-\"", DUNLIN_TYPE_INTEGER, DUNLIN_ERR_TYPE},
    {"\"+1\"", DUNLIN_TYPE_INTEGER, DUNLIN_ERR_TYPE},
    {"\" 1\"", DUNLIN_TYPE_UNSIGNED, DUNLIN_ERR_TYPE},
    {"\"1.0\"", DUNLIN_TYPE_UNSIGNED, DUNLIN_ERR_TYPE},
    {"\"nan\"", DUNLIN_TYPE_FLOAT, DUNLIN_ERR_TYPE},
    {"1", DUNLIN_TYPE_BOOLEAN, DUNLIN_ERR_TYPE},
    {"\"A\"", DUNLIN_TYPE_OPAQUE, DUNLIN_ERR_MALFORMED},
    {"\"noon\"", DUNLIN_TYPE_TIME, DUNLIN_ERR_MALFORMED},
    {"true", DUNLIN_TYPE_TIME, DUNLIN_ERR_TYPE},
    {"\"3303\"", DUNLIN_TYPE_OBJLNK, DUNLIN_ERR_MALFORMED},
    {"\"65536:0\"", DUNLIN_TYPE_OBJLNK, DUNLIN_ERR_MALFORMED},
    {"\"1:2:3\"", DUNLIN_TYPE_OBJLNK, DUNLIN_ERR_MALFORMED},
    {"null", DUNLIN_TYPE_NONE, DUNLIN_ERR_TYPE},
    {"{}", DUNLIN_TYPE_NONE, DUNLIN_ERR_TYPE},
};

static void misfits_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        dunlin_status status;
        free(round_trip(bad[i].json, bad[i].type, &status));
        if (status != bad[i].status) {
            fail_msg("%s: %d", bad[i].json, status);
        }
    }
}

static const struct {
    const char *json;
    const char *where;
} broken[] = {
    {"", "line 1, column 1"},
    {"{\"a\":1,\"a\":2}", "line 1, column 10: duplicate member \"a\" stands a second time in its object"},
    {"{\"b\":{\"the_name_that_is_long\":[\"a\"],\n\"the_name_that_is_long\":18446744073709551615}}",
     "line 2, column 23: duplicate member \"the_name_that_is_long\" stands"},
    {"{\"\\u0061 \":18446744073709551615,\"\\u0061 \":2}",
     "line 1, column 41: duplicate member stands a second"},
    {"{\n\"a\": 01}", "line 2"},
    {"\"\\u0000+18446744073709551615\"", "line 1"},
    {"[18446744073709551615, \"\\u0000\"]", "line 1"},
    {"[18446744073709551615,\n x]", "line 2"},
    {"\"\xff\"", "line 1"},
    {"[1] 2", "line 1"},
    {"[00018446744073709551615]", "line 1"},
};

static void errors_say_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        char error[DN_JSON_ERROR_MAX] = "";
        assert_null(dn_jsonr_parse(dunlin_slice_of(broken[i].json), error));
        assert_non_null(strstr(error, broken[i].where));
    }
}

/* Of a body with secrets nothing is repeated, but the name of a member. */
static void secrets_are_not_repeated(void **state)
{
    static const struct {
        const char *json, *error;
    } rows[] = {
        {"{\"key\":\"c0ffee\",x", "line 1, column 17: this is not JSON."},
        {"{\"key\":\"c0ffee\",\"key\":\"c0ffee\"}",
         "line 1, column 21: duplicate member \"key\" stands a second time in its object"},
        {"", "line 1, column 1: this is not JSON."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[DN_JSON_ERROR_MAX] = "";
        assert_null(dn_jsonr_parse_secret(dunlin_slice_of(rows[i].json), error));
        assert_string_equal(error, rows[i].error);
    }
}

static void big_numbers_inside_strings_stay(void **state)
{
    (void)state;
    char error[DN_JSON_ERROR_MAX];
    dunlin_slice text;
    json_t *json =
        dn_jsonr_parse(dunlin_slice_of("[\"18446744073709551615 \\\" 2\", 18446744073709551615]"), error);
    assert_non_null(json);
    assert_true(dn_jsonr_string(json_array_get(json, 0), &text));
    assert_true(dunlin_slice_equal(text, dunlin_slice_of("18446744073709551615 \" 2")));
    assert_false(dn_jsonr_string(json_array_get(json, 1), &text));
    assert_true(dn_jsonr_big(json_array_get(json, 1), &text));
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_survive), cmocka_unit_test(misfits_are_told),
                                       cmocka_unit_test(errors_say_where),
                                       cmocka_unit_test(secrets_are_not_repeated),
                                       cmocka_unit_test(big_numbers_inside_strings_stay)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
