/* SPDX-License-Identifier: Apache-2.0 */
/* What every format refuses, and as what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/fixture.h"

typedef struct {
    const char *what;
    const char *base;
    const char *bytes;
    dunlin_status status;
} bad;

/* Decodes a copy of exactly the payload's size, so that a sanitizer sees every byte read too much. */
static dunlin_status decode(uint16_t format, dunlin_path base, dunlin_slice bytes)
{
    static fixture_records records;
    uint8_t *copy = malloc(bytes.len > 0 ? bytes.len : 1);
    assert_non_null(copy);
    if (bytes.len > 0) {
        memcpy(copy, bytes.data, bytes.len);
    }
    fixture_decode(format, base, dunlin_slice_make(NULL, 0), dunlin_slice_make(copy, bytes.len),
                   fixture_types(), &records);
    free(copy);
    return records.status;
}

static void check(uint16_t format, const bad *cases, size_t count)
{
    bool text = format == DN_FORMAT_TEXT || format == DN_FORMAT_SENML_JSON || format == DN_FORMAT_LWM2M_JSON;
    for (size_t i = 0; i < count; i++) {
        fixture_bytes memory;
        dunlin_slice bytes = text ? dunlin_slice_of(cases[i].bytes) : fixture_hex(cases[i].bytes, &memory);
        dunlin_status status = decode(format, fixture_path(cases[i].base), bytes);
        if (status != cases[i].status) {
            fail_msg("%s: %s, not %s", cases[i].what, dunlin_status_text(status),
                     dunlin_status_text(cases[i].status));
        }
    }
}

#define CHECK(format, cases) check(format, cases, sizeof(cases) / sizeof(cases)[0])

static void tlv(void **state)
{
    (void)state;
    static const bad cases[] = {
        {"no Object", "/", "C1 00 01", DUNLIN_ERR_UNSUPPORTED},
        {"head without id", "/3/0", "C1", DUNLIN_ERR_TRUNCATED},
        {"long id cut", "/3/0", "E1 00", DUNLIN_ERR_TRUNCATED},
        {"length cut", "/3/0", "D0 00 01", DUNLIN_ERR_TRUNCATED},
        {"value cut", "/3/0", "C2 00 41", DUNLIN_ERR_TRUNCATED},
        {"huge length", "/3/0", "D8 00 FF FF FF 41", DUNLIN_ERR_TRUNCATED},
        {"inner length beyond its Object Instance", "/3", "08 00 03 C2 00 41 42", DUNLIN_ERR_TRUNCATED},
        {"inner length beyond its multiple Resource", "/3/0", "83 06 42 00 01 02", DUNLIN_ERR_TRUNCATED},
        {"Object Instance in an Object Instance", "/3", "04 00 02 01 C0 00", DUNLIN_ERR_MALFORMED},
        {"Object Instance in a multiple Resource", "/3/0", "82 06 00 00", DUNLIN_ERR_MALFORMED},
        {"Resource in a multiple Resource", "/3/0", "83 06 C1 00 01", DUNLIN_ERR_MALFORMED},
        {"multiple Resource in a multiple Resource", "/3/0", "82 06 80 00", DUNLIN_ERR_MALFORMED},
        {"Resource Instance in an Object Instance", "/3", "03 00 41 00 01", DUNLIN_ERR_MALFORMED},
        {"Resource Instance without Resource", "/3/0", "41 00 01", DUNLIN_ERR_MALFORMED},
        {"another Object Instance", "/3/0", "03 01 C1 09 64", DUNLIN_ERR_PATH},
        {"another Resource", "/3/0/9", "C1 0A 64", DUNLIN_ERR_PATH},
        {"another Resource Instance", "/3/0/7/0", "41 01 64", DUNLIN_ERR_PATH},
        {"Resource for a Resource Instance", "/3/0/7/0", "C1 07 64", DUNLIN_ERR_PATH},
        {"id 65535", "/3/0", "E1 FF FF 01", DUNLIN_ERR_RANGE},
        {"integer of 3 bytes", "/3/0", "C3 09 01 02 03", DUNLIN_ERR_TYPE},
        {"integer of no byte", "/3/0", "C0 09", DUNLIN_ERR_TYPE},
        {"time of 5 bytes", "/3/0", "C5 0D 01 02 03 04 05", DUNLIN_ERR_TYPE},
        {"boolean 2", "/1/0", "C1 06 02", DUNLIN_ERR_TYPE},
        {"boolean of 2 bytes", "/1/0", "C2 06 00 01", DUNLIN_ERR_TYPE},
        {"float of 2 bytes", "/3303/0", "E2 16 44 4D A0", DUNLIN_ERR_TYPE},
        {"link of 3 bytes", "/66/0", "C3 02 00 01 02", DUNLIN_ERR_TYPE},
        {"string not UTF-8", "/3/0", "C2 00 C3 28", DUNLIN_ERR_MALFORMED},
        {"Resource twice", "/3/0", "C1 09 64 C1 09 65", DUNLIN_ERR_DUPLICATE},
        {"Resource Instance twice", "/3/0", "86 07 41 00 01 41 00 02", DUNLIN_ERR_DUPLICATE},
        {"empty Object Instance twice", "/3", "00 00 00 00", DUNLIN_ERR_DUPLICATE},
    };
    CHECK(DN_FORMAT_TLV, cases);
}

static void senml_cbor(void **state)
{
    (void)state;
    static const bad cases[] = {
        {"nothing", "/3/0", "", DUNLIN_ERR_TRUNCATED},
        {"no array", "/3/0", "A0", DUNLIN_ERR_MALFORMED},
        {"a text", "/3/0", "61 61", DUNLIN_ERR_MALFORMED},
        {"array of numbers", "/3/0", "81 01", DUNLIN_ERR_MALFORMED},
        {"bytes behind it", "/3/0", "80 00", DUNLIN_ERR_MALFORMED},
        {"endless array", "/3/0", "9F", DUNLIN_ERR_TRUNCATED},
        {"array too short", "/3/0", "82 A1 00 61 \"9\"", DUNLIN_ERR_TRUNCATED},
        {"huge array", "/3/0", "9B FF FF FF FF FF FF FF FF", DUNLIN_ERR_TRUNCATED},
        {"huge map", "/3/0", "81 BB FF FF FF FF FF FF FF FF", DUNLIN_ERR_TRUNCATED},
        {"huge text", "/3/0", "81 A1 00 7B FF FF FF FF FF FF FF FF 61", DUNLIN_ERR_TRUNCATED},
        {"key without value", "/3/0", "81 BF 00 FF", DUNLIN_ERR_MALFORMED},
        {"reserved argument", "/3/0", "9C", DUNLIN_ERR_MALFORMED},
        {"break in a definite array", "/3/0", "81 FF", DUNLIN_ERR_MALFORMED},
        {"too many tags", "/3/0", "C1 C1 C1 C1 C1 C1 C1 C1 C1 80", DUNLIN_ERR_LIMIT},
        {"key is an array", "/3/0", "81 A1 80 01", DUNLIN_ERR_MALFORMED},
        {"name is a number", "/3/0", "81 A1 00 01", DUNLIN_ERR_TYPE},
        {"name is not UTF-8", "/3/0", "81 A1 00 61 FF", DUNLIN_ERR_MALFORMED},
        {"chunk of another type", "/3/0", "81 A1 00 7F 41 39 FF", DUNLIN_ERR_MALFORMED},
        {"chunk in chunks", "/3/0", "81 A1 00 7F 7F 61 39 FF FF", DUNLIN_ERR_MALFORMED},
        {"character split over chunks", "/3/0", "81 A2 00 61 \"0\" 03 7F 61 C3 61 BC FF",
         DUNLIN_ERR_MALFORMED},
        {"label twice", "/3/0", "81 A3 00 61 \"9\" 02 01 02 02", DUNLIN_ERR_DUPLICATE},
        {"two values", "/3/0", "81 A3 00 61 \"9\" 02 01 03 61 \"1\"", DUNLIN_ERR_MALFORMED},
        {"path twice", "/3/0", "82 A2 00 61 \"9\" 02 01 A2 00 66 \"/3/0/9\" 02 01", DUNLIN_ERR_DUPLICATE},
        {"must be understood", "/3/0", "81 A2 00 61 \"9\" 62 \"x_\" 01", DUNLIN_ERR_UNSUPPORTED},
        {"version 11", "/3/0", "81 A2 20 0B 00 61 \"9\"", DUNLIN_ERR_UNSUPPORTED},
        {"version -1", "/3/0", "81 A2 20 20 00 61 \"9\"", DUNLIN_ERR_TYPE},
        {"version is text", "/3/0", "81 A2 20 61 \"5\" 00 61 \"9\"", DUNLIN_ERR_TYPE},
        {"outside", "/3/0", "81 A2 00 66 \"/3/1/9\" 02 01", DUNLIN_ERR_PATH},
        {"above", "/3/0", "81 A1 00 62 \"/3\"", DUNLIN_ERR_PATH},
        {"value of an Object Instance", "/3/0", "81 A1 02 01", DUNLIN_ERR_PATH},
        {"too deep a name", "/3/0", "81 A1 00 65 \"1/2/3\"", DUNLIN_ERR_PATH},
        {"a fraction for an integer", "/3/0", "81 A2 00 61 \"9\" 02 F9 38 00", DUNLIN_ERR_TYPE},
        {"not a number for an integer", "/3/0", "81 A2 00 61 \"9\" 02 F9 7E 00", DUNLIN_ERR_TYPE},
        {"too large for an integer", "/3/0", "81 A2 00 61 \"9\" 02 1B 80 00 00 00 00 00 00 00",
         DUNLIN_ERR_RANGE},
        {"too small for an integer", "/3/0", "81 A2 00 61 \"9\" 02 3B 80 00 00 00 00 00 00 00",
         DUNLIN_ERR_RANGE},
        {"string for an integer", "/3/0", "81 A2 00 61 \"9\" 03 61 \"1\"", DUNLIN_ERR_TYPE},
        {"text under the label of numbers", "/3/0", "81 A2 00 61 \"9\" 02 61 \"1\"", DUNLIN_ERR_TYPE},
        {"number for a boolean", "/1/0", "81 A2 00 61 \"6\" 02 01", DUNLIN_ERR_TYPE},
        {"null", "/1/0", "81 A2 00 61 \"6\" 04 F6", DUNLIN_ERR_TYPE},
        {"link that is none", "/66/0", "81 A2 00 61 \"2\" 63 \"vlo\" 63 \"a:b\"", DUNLIN_ERR_TYPE},
        {"string that is no link", "/66/0", "81 A2 00 61 \"2\" 03 63 \"a:b\"", DUNLIN_ERR_TYPE},
        {"big number", "/3/0", "81 A2 00 61 \"9\" 02 C2 41 01", DUNLIN_ERR_UNSUPPORTED},
        {"simple value in two bytes", "/1/0", "81 A2 00 61 \"6\" 04 F8 14", DUNLIN_ERR_MALFORMED},
        {"endless time", "/3/0", "81 A3 00 61 \"9\" 02 01 06 F9 7C 00", DUNLIN_ERR_RANGE},
        {"sum beyond 64 bits", "/3/0", "81 A3 00 61 \"9\" 24 1B FF FF FF FF FF FF FF FF 02 01",
         DUNLIN_ERR_RANGE},
        {"ignored value nested too deep", "/3/0", "81 A2 00 61 \"9\" 01 81 81 81 81 81 81 81 81 81 01",
         DUNLIN_ERR_LIMIT},
        {"ignored map with an odd break", "/3/0", "81 A2 00 61 \"9\" 01 BF 01 FF", DUNLIN_ERR_MALFORMED},
        {"ignored value cut", "/3/0", "81 A2 00 61 \"9\" 01 82 01", DUNLIN_ERR_TRUNCATED},
        {"ignored text not UTF-8", "/3/0", "81 A2 00 61 \"9\" 01 7F 61 FF FF", DUNLIN_ERR_MALFORMED},
    };
    CHECK(DN_FORMAT_SENML_CBOR, cases);
}

static void senml_json_grammar(void **state)
{
    (void)state;
    static const bad cases[] = {
        {"nothing", "/3/0", "", DUNLIN_ERR_TRUNCATED},
        {"blanks", "/3/0", "  \n", DUNLIN_ERR_TRUNCATED},
        {"no array", "/3/0", "{}", DUNLIN_ERR_MALFORMED},
        {"open", "/3/0", "[", DUNLIN_ERR_TRUNCATED},
        {"array of numbers", "/3/0", "[1]", DUNLIN_ERR_MALFORMED},
        {"text behind it", "/3/0", "[] x", DUNLIN_ERR_MALFORMED},
        {"comma at the end", "/3/0", "[{\"n\":\"9\"},]", DUNLIN_ERR_MALFORMED},
        {"comma in front", "/3/0", "[,{\"n\":\"9\"}]", DUNLIN_ERR_MALFORMED},
        {"no comma", "/3/0", "[{\"n\":\"9\"}{}]", DUNLIN_ERR_MALFORMED},
        {"comma at the end of an object", "/3/0", "[{\"n\":\"9\",}]", DUNLIN_ERR_MALFORMED},
        {"no colon", "/3/0", "[{\"n\" \"9\"}]", DUNLIN_ERR_MALFORMED},
        {"name without quotes", "/3/0", "[{n:\"9\"}]", DUNLIN_ERR_MALFORMED},
        {"single quotes", "/3/0", "[{'n':'9'}]", DUNLIN_ERR_MALFORMED},
        {"comment", "/3/0", "[/* */]", DUNLIN_ERR_MALFORMED},
        {"control character", "/3/0", "[{\"n\":\"0\",\"vs\":\"a\nb\"}]", DUNLIN_ERR_MALFORMED},
        {"control character among others", "/3/0", "[{\"n\":\"0\",\"vs\":\"abcdefghijkl\x1fmnopqrst\"}]",
         DUNLIN_ERR_MALFORMED},
        {"unknown escape", "/3/0", "[{\"n\":\"0\",\"vs\":\"\\x41\"}]", DUNLIN_ERR_MALFORMED},
        {"short escape", "/3/0", "[{\"n\":\"0\",\"vs\":\"\\u00g0\"}]", DUNLIN_ERR_MALFORMED},
        {"lone high surrogate", "/3/0", "[{\"n\":\"0\",\"vs\":\"\\ud800\"}]", DUNLIN_ERR_MALFORMED},
        {"high surrogate twice", "/3/0", "[{\"n\":\"0\",\"vs\":\"\\ud800\\ud800\"}]", DUNLIN_ERR_MALFORMED},
        {"lone low surrogate", "/3/0", "[{\"n\":\"0\",\"vs\":\"\\udc00\"}]", DUNLIN_ERR_MALFORMED},
        {"high surrogate and a letter", "/3/0", "[{\"n\":\"0\",\"vs\":\"\\ud800x\"}]", DUNLIN_ERR_MALFORMED},
        {"not UTF-8", "/3/0", "[{\"n\":\"0\",\"vs\":\"\xff\"}]", DUNLIN_ERR_MALFORMED},
        {"overlong UTF-8", "/3/0", "[{\"n\":\"0\",\"vs\":\"\xc0\xaf\"}]", DUNLIN_ERR_MALFORMED},
        {"surrogate in UTF-8", "/3/0", "[{\"n\":\"0\",\"vs\":\"\xed\xa0\x80\"}]", DUNLIN_ERR_MALFORMED},
        {"above U+10FFFF", "/3/0", "[{\"n\":\"0\",\"vs\":\"\xf4\x90\x80\x80\"}]", DUNLIN_ERR_MALFORMED},
        {"number with a plus", "/3/0", "[{\"n\":\"9\",\"v\":+1}]", DUNLIN_ERR_MALFORMED},
        {"number with leading zero", "/3/0", "[{\"n\":\"9\",\"v\":01}]", DUNLIN_ERR_MALFORMED},
        {"number without digits", "/3/0", "[{\"n\":\"9\",\"v\":-}]", DUNLIN_ERR_MALFORMED},
        {"number too large for all", "/3/0", "[{\"n\":\"9\",\"v\":1e400}]", DUNLIN_ERR_RANGE},
        {"NaN", "/3/0", "[{\"n\":\"9\",\"v\":NaN}]", DUNLIN_ERR_MALFORMED},
        {"half a word", "/1/0", "[{\"n\":\"6\",\"vb\":tru}]", DUNLIN_ERR_MALFORMED},
        {"word in capitals", "/1/0", "[{\"n\":\"6\",\"vb\":True}]", DUNLIN_ERR_MALFORMED},
        {"null", "/3/0", "[{\"n\":\"9\",\"v\":null}]", DUNLIN_ERR_TYPE},
        {"array as value", "/3/0", "[{\"n\":\"9\",\"v\":[1]}]", DUNLIN_ERR_TYPE},
    };
    CHECK(DN_FORMAT_SENML_JSON, cases);
}

static void senml_json_meaning(void **state)
{
    (void)state;
    static const bad cases[] = {
        {"label twice", "/3/0", "[{\"n\":\"9\",\"v\":1,\"n\":\"9\"}]", DUNLIN_ERR_DUPLICATE},
        {"label twice, once with escapes", "/3/0", "[{\"n\":\"9\",\"\\u006e\":\"9\"}]", DUNLIN_ERR_DUPLICATE},
        {"two values", "/3/0", "[{\"n\":\"9\",\"v\":1,\"vs\":\"1\"}]", DUNLIN_ERR_MALFORMED},
        {"path twice", "/3/0", "[{\"n\":\"9\",\"v\":1},{\"n\":\"9\",\"v\":2}]", DUNLIN_ERR_DUPLICATE},
        {"path twice at one time", "/3/0", "[{\"n\":\"9\",\"v\":1,\"t\":5},{\"n\":\"9\",\"bt\":5,\"v\":2}]",
         DUNLIN_ERR_DUPLICATE},
        {"must be understood", "/3/0", "[{\"n\":\"9\",\"x_\":1}]", DUNLIN_ERR_UNSUPPORTED},
        {"version 11", "/3/0", "[{\"bver\":11,\"n\":\"9\"}]", DUNLIN_ERR_UNSUPPORTED},
        {"version 10.5", "/3/0", "[{\"bver\":10.5,\"n\":\"9\"}]", DUNLIN_ERR_TYPE},
        {"outside", "/3/0", "[{\"bn\":\"/3/1/\",\"n\":\"9\",\"v\":1}]", DUNLIN_ERR_PATH},
        {"no path", "/3/0", "[{\"n\":\"a\",\"v\":1}]", DUNLIN_ERR_PATH},
        {"device name", "/3/0", "[{\"bn\":\"urn:dev:ow:10e2073a01080063\",\"v\":1}]", DUNLIN_ERR_PATH},
        {"leading zero", "/3/0", "[{\"n\":\"09\",\"v\":1}]", DUNLIN_ERR_PATH},
        {"empty segment", "/3/0", "[{\"n\":\"/3//9\",\"v\":1}]", DUNLIN_ERR_PATH},
        {"id 65535", "/3/0", "[{\"n\":\"65535\",\"v\":1}]", DUNLIN_ERR_PATH},
        {"id of many digits", "/3/0", "[{\"n\":\"99999999999999999999\",\"v\":1}]", DUNLIN_ERR_PATH},
        {"five ids", "/3/0", "[{\"n\":\"/3/0/7/0/1\",\"v\":1}]", DUNLIN_ERR_PATH},
        {"value of an Object Instance", "/3/0", "[{\"v\":1}]", DUNLIN_ERR_PATH},
        {"a fraction for an integer", "/3/0", "[{\"n\":\"9\",\"v\":1.5}]", DUNLIN_ERR_TYPE},
        {"too large for an integer", "/3/0", "[{\"n\":\"9\",\"v\":9223372036854775808}]", DUNLIN_ERR_RANGE},
        {"too small for an integer", "/3/0", "[{\"n\":\"9\",\"v\":-9223372036854775809}]", DUNLIN_ERR_RANGE},
        {"far too large for an integer", "/3/0", "[{\"n\":\"9\",\"v\":1e30}]", DUNLIN_ERR_RANGE},
        {"negative unsigned", "/42769/0", "[{\"n\":\"3\",\"v\":-1}]", DUNLIN_ERR_RANGE},
        {"unsigned of 65 bits", "/42769/0", "[{\"n\":\"3\",\"v\":18446744073709551616}]", DUNLIN_ERR_RANGE},
        {"sum beyond an integer", "/42769/0", "[{\"n\":\"2\",\"bv\":9223372036854775807,\"v\":1}]",
         DUNLIN_ERR_RANGE},
        {"sum beyond 64 bits", "/9/0", "[{\"n\":\"2\",\"bv\":18446744073709551615,\"v\":1}]",
         DUNLIN_ERR_RANGE},
        {"string for an integer", "/3/0", "[{\"n\":\"9\",\"vs\":\"1\"}]", DUNLIN_ERR_TYPE},
        {"string under the label of numbers", "/3/0", "[{\"n\":\"9\",\"v\":\"1\"}]", DUNLIN_ERR_TYPE},
        {"number for a string", "/3/0", "[{\"n\":\"0\",\"v\":1}]", DUNLIN_ERR_TYPE},
        {"string for opaque", "/42769/0", "[{\"n\":\"6\",\"vs\":\"AAAA\"}]", DUNLIN_ERR_TYPE},
        {"string that is no link", "/66/0", "[{\"n\":\"2\",\"vs\":\"1-2\"}]", DUNLIN_ERR_TYPE},
        {"link out of range", "/66/0", "[{\"n\":\"2\",\"vlo\":\"1:65536\"}]", DUNLIN_ERR_RANGE},
        {"link with more", "/66/0", "[{\"n\":\"2\",\"vlo\":\"1:2:3\"}]", DUNLIN_ERR_TYPE},
        {"base64 with a blank", "/42769/0", "[{\"n\":\"6\",\"vd\":\"AA AA\"}]", DUNLIN_ERR_MALFORMED},
        {"base64 of 5", "/42769/0", "[{\"n\":\"6\",\"vd\":\"AAAAA\"}]", DUNLIN_ERR_MALFORMED},
        {"base64 with bits left over", "/42769/0", "[{\"n\":\"6\",\"vd\":\"AB\"}]", DUNLIN_ERR_MALFORMED},
        {"base64 with bad padding", "/42769/0", "[{\"n\":\"6\",\"vd\":\"AA=\"}]", DUNLIN_ERR_MALFORMED},
        {"base64 with too much padding", "/42769/0", "[{\"n\":\"6\",\"vd\":\"A===\"}]", DUNLIN_ERR_MALFORMED},
        {"base64 with padding inside", "/42769/0", "[{\"n\":\"6\",\"vd\":\"AA==AAAA\"}]",
         DUNLIN_ERR_MALFORMED},
        {"ignored value nested too deep", "/3/0", "[{\"n\":\"9\",\"x\":[[[[[[[[[1]]]]]]]]]}]",
         DUNLIN_ERR_LIMIT},
        {"ignored value malformed", "/3/0", "[{\"n\":\"9\",\"x\":{\"a\":[1,]}}]", DUNLIN_ERR_MALFORMED},
        {"ignored value closed wrongly", "/3/0", "[{\"n\":\"9\",\"x\":[1}}]", DUNLIN_ERR_MALFORMED},
        {"ignored value missing", "/3/0", "[{\"n\":\"9\",\"x\":}]", DUNLIN_ERR_MALFORMED},
        {"ignored string with a lone surrogate", "/3/0", "[{\"n\":\"9\",\"x\":\"\\ud800\"}]",
         DUNLIN_ERR_MALFORMED},
    };
    CHECK(DN_FORMAT_SENML_JSON, cases);
}

static void lwm2m_json(void **state)
{
    (void)state;
    static const bad cases[] = {
        {"nothing", "/3/0", "", DUNLIN_ERR_TRUNCATED},
        {"an array", "/3/0", "[]", DUNLIN_ERR_MALFORMED},
        {"no elements", "/3/0", "{\"bn\":\"/3/0\"}", DUNLIN_ERR_MALFORMED},
        {"elements are no array", "/3/0", "{\"e\":{}}", DUNLIN_ERR_MALFORMED},
        {"elements twice", "/3/0", "{\"e\":[],\"e\":[]}", DUNLIN_ERR_DUPLICATE},
        {"base name twice", "/3/0", "{\"bn\":\"/\",\"e\":[],\"bn\":\"/\"}", DUNLIN_ERR_DUPLICATE},
        {"base name is a number", "/3/0", "{\"bn\":1,\"e\":[]}", DUNLIN_ERR_TYPE},
        {"element is a number", "/3/0", "{\"e\":[1]}", DUNLIN_ERR_MALFORMED},
        {"elements too deep", "/3/0", "{\"e\":[{\"x\":[[[[[[[1]]]]]]]}]}", DUNLIN_ERR_LIMIT},
        {"text behind it", "/3/0", "{\"e\":[]}]", DUNLIN_ERR_MALFORMED},
        {"malformed behind the elements", "/3/0", "{\"e\":[{\"n\":\"9\",\"v\":1}],}", DUNLIN_ERR_MALFORMED},
        {"outside", "/3/0", "{\"bn\":\"/3/1/\",\"e\":[{\"n\":\"9\",\"v\":1}]}", DUNLIN_ERR_PATH},
        {"label twice", "/3/0", "{\"e\":[{\"n\":\"9\",\"n\":\"9\"}]}", DUNLIN_ERR_DUPLICATE},
        {"two values", "/3/0", "{\"e\":[{\"n\":\"9\",\"v\":1,\"bv\":true}]}", DUNLIN_ERR_MALFORMED},
        {"boolean as a number", "/1/0", "{\"e\":[{\"n\":\"6\",\"bv\":1}]}", DUNLIN_ERR_TYPE},
        {"string for an integer", "/3/0", "{\"e\":[{\"n\":\"9\",\"sv\":\"1\"}]}", DUNLIN_ERR_TYPE},
        {"bad base64", "/42769/0", "{\"e\":[{\"n\":\"6\",\"sv\":\"A\"}]}", DUNLIN_ERR_MALFORMED},
        {"bad base64 with escapes", "/42769/0", "{\"e\":[{\"n\":\"6\",\"sv\":\"\\u0041\"}]}",
         DUNLIN_ERR_MALFORMED},
        {"bad link", "/66/0", "{\"e\":[{\"n\":\"2\",\"ov\":\"1\"}]}", DUNLIN_ERR_TYPE},
        {"path twice", "/3/0", "{\"e\":[{\"n\":\"9\",\"v\":1},{\"n\":\"9\",\"v\":1}]}", DUNLIN_ERR_DUPLICATE},
    };
    CHECK(DN_FORMAT_LWM2M_JSON, cases);
}

static void cbor(void **state)
{
    (void)state;
    static const bad cases[] = {
        {"for an Object Instance", "/3/0", "01", DUNLIN_ERR_UNSUPPORTED},
        {"nothing", "/3/0/9", "", DUNLIN_ERR_TRUNCATED},
        {"two items", "/3/0/9", "01 02", DUNLIN_ERR_MALFORMED},
        {"array", "/3/0/9", "81 01", DUNLIN_ERR_TYPE},
        {"map", "/3/0/9", "A0", DUNLIN_ERR_TYPE},
        {"null", "/3/0/9", "F6", DUNLIN_ERR_TYPE},
        {"undefined", "/3/0/9", "F7", DUNLIN_ERR_TYPE},
        {"unassigned simple value", "/3/0/9", "F8 FF", DUNLIN_ERR_TYPE},
        {"break", "/3/0/9", "FF", DUNLIN_ERR_MALFORMED},
        {"endless number", "/3/0/9", "1F", DUNLIN_ERR_MALFORMED},
        {"endless tag", "/3/0/9", "DF 01", DUNLIN_ERR_MALFORMED},
        {"reserved argument", "/3/0/9", "1D 01", DUNLIN_ERR_MALFORMED},
        {"argument cut", "/3/0/9", "19 01", DUNLIN_ERR_TRUNCATED},
        {"tag alone", "/3/0/9", "C1", DUNLIN_ERR_TRUNCATED},
        {"too many tags", "/3/0/9", "C1 C1 C1 C1 C1 C1 C1 C1 C1 01", DUNLIN_ERR_LIMIT},
        {"text for an integer", "/3/0/9", "61 \"1\"", DUNLIN_ERR_TYPE},
        {"integer for a string", "/3/0/0", "01", DUNLIN_ERR_TYPE},
        {"bytes for a string", "/3/0/0", "41 61", DUNLIN_ERR_TYPE},
        {"text for opaque", "/42769/0/6", "61 61", DUNLIN_ERR_TYPE},
        {"number for a boolean", "/1/0/6", "01", DUNLIN_ERR_TYPE},
        {"text not UTF-8", "/3/0/0", "62 C3 28", DUNLIN_ERR_MALFORMED},
        {"text too long", "/3/0/0", "63 61 62", DUNLIN_ERR_TRUNCATED},
        {"endless text", "/3/0/0", "7F 61 61", DUNLIN_ERR_TRUNCATED},
        {"link that is none", "/66/0/2", "63 \"1-2\"", DUNLIN_ERR_TYPE},
        {"date malformed", "/3/0/13", "C0 74 \"2013-03-21 20:04:00Z\"", DUNLIN_ERR_MALFORMED},
        {"date with a bad day", "/3/0/13", "C0 74 \"2013-02-29T20:04:00Z\"", DUNLIN_ERR_MALFORMED},
        {"date without zone", "/3/0/13", "C0 73 \"2013-03-21T20:04:00\"", DUNLIN_ERR_MALFORMED},
        {"date with a fraction", "/3/0/13", "C0 76 \"2013-03-21T20:04:00.5Z\"", DUNLIN_ERR_TYPE},
        {"text as time", "/3/0/13", "74 \"2013-03-21T20:04:00Z\"", DUNLIN_ERR_TYPE},
        {"time with a fraction", "/3/0/13", "C1 F9 38 00", DUNLIN_ERR_TYPE},
        {"big number", "/3/0/9", "C2 41 01", DUNLIN_ERR_UNSUPPORTED},
        {"decimal fraction", "/3/0/9", "C4 82 21 19 6A B3", DUNLIN_ERR_TYPE},
    };
    CHECK(DN_FORMAT_CBOR, cases);
}

static void text(void **state)
{
    (void)state;
    static const bad cases[] = {
        {"for an Object", "/3", "1", DUNLIN_ERR_UNSUPPORTED},
        {"not UTF-8", "/3/0/0", "\xff", DUNLIN_ERR_MALFORMED},
        {"empty number", "/3/0/9", "", DUNLIN_ERR_TYPE},
        {"no number", "/3/0/9", "ten", DUNLIN_ERR_TYPE},
        {"number with a blank", "/3/0/9", "1 ", DUNLIN_ERR_TYPE},
        {"fraction for an integer", "/3/0/9", "1.5", DUNLIN_ERR_TYPE},
        {"integer out of range", "/3/0/9", "9223372036854775808", DUNLIN_ERR_RANGE},
        {"float out of range", "/3303/0/5700", "1e309", DUNLIN_ERR_RANGE},
        {"boolean as a word", "/1/0/6", "true", DUNLIN_ERR_TYPE},
        {"boolean 2", "/1/0/6", "2", DUNLIN_ERR_TYPE},
        {"empty boolean", "/1/0/6", "", DUNLIN_ERR_TYPE},
        {"bad base64", "/42769/0/6", "AAA*", DUNLIN_ERR_MALFORMED},
        {"link without colon", "/66/0/2", "66", DUNLIN_ERR_TYPE},
        {"link with a sign", "/66/0/2", "+1:2", DUNLIN_ERR_TYPE},
        {"link out of range", "/66/0/2", "65536:0", DUNLIN_ERR_RANGE},
        {"negative unsigned", "/42769/0/3", "-1", DUNLIN_ERR_RANGE},
    };
    CHECK(DN_FORMAT_TEXT, cases);
}

static void opaque(void **state)
{
    (void)state;
    static const bad cases[] = {
        {"for an Object Instance", "/3/0", "01", DUNLIN_ERR_UNSUPPORTED},
        {"for a string", "/3/0/0", "61", DUNLIN_ERR_TYPE},
    };
    CHECK(DN_FORMAT_OPAQUE, cases);
}

/* A payload that is cut anywhere is refused, or (TLV, text) is a shorter payload; none is read past its end. */
static void cut_anywhere(void **state)
{
    (void)state;
    static const struct {
        uint16_t format;
        const char *base;
        const char *bytes;
        bool always_refused;
    } cases[] = {
        {DN_FORMAT_TLV, "/3", "08 00 10 C8 00 02 \"ab\" 86 06 41 00 01 41 01 05 C1 09 64", false},
        {DN_FORMAT_SENML_CBOR, "/3/0",
         "82 A4 21 65 \"/3/0/\" 00 61 \"0\" 03 7F 62 \"ab\" 61 \"c\" FF 22 FB 41 D3 03 A1 5B 00 10 62 "
         "BF 00 61 \"9\" 02 19 01 00 01 82 01 A1 02 03 FF",
         true},
        {DN_FORMAT_SENML_JSON, "/3/0",
         "\"[{\" 22 \"bn\" 22 \":\" 22 \"/3/0/\" 22 \",\" 22 \"n\" 22 \":\" 22 \"0\" 22 \",\" 22 \"vs\" 22 "
         "\":\" 22 \"a\\ud83d\\ude00b\" 22 "
         "\"},{\" 22 \"n\" 22 \":\" 22 \"9\" 22 \",\" 22 \"v\" 22 \":1.5e1,\" 22 \"x\" 22 "
         "\":[{},null,false]}]\"",
         true},
        {DN_FORMAT_LWM2M_JSON, "/3/0",
         "\"{\" 22 \"bn\" 22 \":\" 22 \"/3/0/\" 22 \",\" 22 \"e\" 22 \":[{\" 22 \"n\" 22 \":\" 22 \"9\" 22 "
         "\",\" 22 \"v\" 22 \":100}]}\"",
         true},
        {DN_FORMAT_CBOR, "/42769/0/6", "5F 42 01 02 43 03 04 05 FF", true},
        {DN_FORMAT_TEXT, "/66/0/2", "\"66:65535\"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture_bytes memory;
        dunlin_slice bytes = fixture_hex(cases[i].bytes, &memory);
        dunlin_path base = fixture_path(cases[i].base);
        assert_int_equal(decode(cases[i].format, base, bytes), DUNLIN_END);
        for (size_t len = 0; len < bytes.len; len++) {
            dunlin_status status = decode(cases[i].format, base, dunlin_slice_make(bytes.data, len));
            assert_true(dunlin_is_bad_input(status) || (!cases[i].always_refused && status == DUNLIN_END));
        }
    }
}

static void errors_stick(void **state)
{
    (void)state;
    dn_decoder decoder;
    dn_record record;
    uint8_t scratch[64];
    dunlin_slice input =
        dunlin_slice_of("[{\"n\":\"9\",\"v\":1},{\"n\":\"10\",\"v\":\"x\"},{\"n\":\"11\",\"v\":1}]");
    assert_int_equal(dn_decode(&decoder, DN_FORMAT_SENML_JSON, dunlin_path_instance(3, 0), input,
                               fixture_types(), dunlin_buf_make(scratch, sizeof scratch)),
                     DUNLIN_OK);
    assert_int_equal(dn_decode_next(&decoder, &record), DUNLIN_OK);
    assert_int_equal(dn_decode_next(&decoder, &record), DUNLIN_ERR_TYPE);
    assert_int_equal(dn_decode_next(&decoder, &record), DUNLIN_ERR_TYPE);
    assert_int_equal(
        dn_decode(&decoder, 12345, dunlin_path_root(), input, fixture_types(), dunlin_buf_make(NULL, 0)),
        DUNLIN_ERR_UNSUPPORTED);
    assert_int_equal(dn_decode_next(&decoder, &record), DUNLIN_ERR_UNSUPPORTED);
}

static void too_little_scratch_is_said(void **state)
{
    (void)state;
    static const struct {
        uint16_t format;
        const char *input;
    } cases[] = {
        {DN_FORMAT_SENML_JSON, "[{\"n\":\"6\",\"vd\":\"AAAAAAAA\"}]"},
        {DN_FORMAT_SENML_JSON, "[{\"n\":\"1\",\"vs\":\"abcd\\n\"}]"},
        {DN_FORMAT_LWM2M_JSON, "{\"e\":[{\"n\":\"6\",\"sv\":\"AAAAAAAA\"}]}"},
        {DN_FORMAT_SENML_CBOR, "\x81\xa2\x00\x61\x31\x03\x7f\x65zzzzz\xff"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_decoder decoder;
        dn_record record;
        uint8_t scratch[4];
        size_t len = cases[i].format == DN_FORMAT_SENML_CBOR ? 14 : strlen(cases[i].input);
        assert_int_equal(dn_decode(&decoder, cases[i].format, dunlin_path_instance(42769, 0),
                                   dunlin_slice_make(cases[i].input, len), fixture_types(),
                                   dunlin_buf_make(scratch, sizeof scratch)),
                         DUNLIN_OK);
        assert_int_equal(dn_decode_next(&decoder, &record), DUNLIN_ERR_SPACE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tlv),
        cmocka_unit_test(senml_cbor),
        cmocka_unit_test(senml_json_grammar),
        cmocka_unit_test(senml_json_meaning),
        cmocka_unit_test(lwm2m_json),
        cmocka_unit_test(cbor),
        cmocka_unit_test(text),
        cmocka_unit_test(opaque),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(errors_stick),
        cmocka_unit_test(too_little_scratch_is_said),
    };
    return cmocka_run_group_tests_name("bad_input", tests, NULL, NULL);
}
