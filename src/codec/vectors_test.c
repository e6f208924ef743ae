/* SPDX-License-Identifier: Apache-2.0 */
/* Known payloads, both ways: what LwM2M servers and clients exchange, and examples of the RFCs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "codec/fixture.h"

#define DEVICE_TLV                                                                                           \
    "C8 00 14 \"Open Mobile Alliance\" C8 01 16 \"Lightweight M2M Client\" C8 02 09 \"345000123\" C3 03 "    \
    "\"1.0\" "                                                                                               \
    "86 06 41 00 01 41 01 05 88 07 08 42 00 0E D8 42 01 13 88 87 08 41 00 7D 42 01 03 84 C1 09 64 C1 0A 0F " \
    "83 0B 41 00 00 C4 0D 51 82 42 8F C6 0E \"+02:00\" C1 10 \"U\""

#define DEVICE_SENML_CBOR                                                                                   \
    "90 A3 21 65 \"/3/0/\" 00 61 \"0\" 03 74 \"Open Mobile Alliance\" A2 00 61 \"1\" 03 76 \"Lightweight "  \
    "M2M Client\" "                                                                                         \
    "A2 00 61 \"2\" 03 69 \"345000123\" A2 00 61 \"3\" 03 63 \"1.0\" A2 00 63 \"6/0\" 02 01 A2 00 63 "      \
    "\"6/1\" 02 05 "                                                                                        \
    "A2 00 63 \"7/0\" 02 19 0E D8 A2 00 63 \"7/1\" 02 19 13 88 A2 00 63 \"8/0\" 02 18 7D A2 00 63 \"8/1\" " \
    "02 19 03 84 "                                                                                          \
    "A2 00 61 \"9\" 02 18 64 A2 00 62 \"10\" 02 0F A2 00 64 \"11/0\" 02 00 A2 00 62 \"13\" 02 1A 51 82 42 " \
    "8F "                                                                                                   \
    "A2 00 62 \"14\" 03 66 \"+02:00\" A2 00 62 \"16\" 03 61 \"U\""

#define DEVICE_SENML_JSON                                                                                    \
    "[{\"bn\":\"/3/0/\",\"n\":\"0\",\"vs\":\"Open Mobile Alliance\"},{\"n\":\"1\",\"vs\":\"Lightweight M2M " \
    "Client\"},"                                                                                             \
    "{\"n\":\"2\",\"vs\":\"345000123\"},{\"n\":\"3\",\"vs\":\"1.0\"},{\"n\":\"6/0\",\"v\":1},{\"n\":\"6/"    \
    "1\",\"v\":5},"                                                                                          \
    "{\"n\":\"7/0\",\"v\":3800},{\"n\":\"7/1\",\"v\":5000},{\"n\":\"8/0\",\"v\":125},{\"n\":\"8/"            \
    "1\",\"v\":900},"                                                                                        \
    "{\"n\":\"9\",\"v\":100},{\"n\":\"10\",\"v\":15},{\"n\":\"11/"                                           \
    "0\",\"v\":0},{\"n\":\"13\",\"v\":1367491215},"                                                          \
    "{\"n\":\"14\",\"vs\":\"+02:00\"},{\"n\":\"16\",\"vs\":\"U\"}]"

#define DEVICE_LWM2M_JSON                                                                                 \
    "{\"bn\":\"/3/0/\",\"e\":[{\"n\":\"0\",\"sv\":\"Open Mobile "                                         \
    "Alliance\"},{\"n\":\"1\",\"sv\":\"Lightweight M2M "                                                  \
    "Client\"},{\"n\":\"2\",\"sv\":\"345000123\"},{\"n\":\"3\",\"sv\":\"1.0\"},{\"n\":\"6/0\",\"v\":1},"  \
    "{\"n\":\"6/1\",\"v\":5},{\"n\":\"7/0\",\"v\":3800},{\"n\":\"7/1\",\"v\":5000},{\"n\":\"8/"           \
    "0\",\"v\":125},"                                                                                     \
    "{\"n\":\"8/1\",\"v\":900},{\"n\":\"9\",\"v\":100},{\"n\":\"10\",\"v\":15},{\"n\":\"11/0\",\"v\":0}," \
    "{\"n\":\"13\",\"v\":1367491215},{\"n\":\"14\",\"sv\":\"+02:00\"},{\"n\":\"16\",\"sv\":\"U\"}]}"

#define DEVICE_RECORDS                                                                                     \
    "/3/0/0=string:Open Mobile Alliance /3/0/1=string:Lightweight M2M Client /3/0/2=string:345000123 "     \
    "/3/0/3=string:1.0 /3/0/6/0=integer:1 /3/0/6/1=integer:5 /3/0/7/0=integer:3800 /3/0/7/1=integer:5000 " \
    "/3/0/8/0=integer:125 /3/0/8/1=integer:900 /3/0/9=integer:100 /3/0/10=integer:15 /3/0/11/0=integer:0 " \
    "/3/0/13=time:1367491215 /3/0/14=string:+02:00 /3/0/16=string:U"

/* Records as text: "/3/0/9=integer:100 /3/0/13@5=…"; "@" a time, "!" no value, "*" a multiple Resource that
 * is not an instance. */
static size_t describe(const fixture_records *all, char *out, size_t cap)
{
    size_t len = 0;
    for (size_t i = 0; i < all->count; i++) {
        const dn_record *record = &all->record[i];
        char path[DUNLIN_PATH_TEXT_MAX + 1];
        uint8_t text[512];
        dunlin_buf buf = dunlin_buf_make(text, sizeof text);
        dunlin_path_format(record->path, path);
        len += (size_t)snprintf(out + len, cap - len, "%s%s", i == 0 ? "" : " ", path);
        if (record->has_time) {
            len += (size_t)snprintf(out + len, cap - len, "@%.15g", record->time_s);
        }
        if (record->kind == DN_RECORD_EMPTY) {
            len += (size_t)snprintf(out + len, cap - len, "%s",
                                    record->multiple && record->path.depth == 3 ? "*!" : "!");
            continue;
        }
        assert_int_equal(dn_value_to_text(&record->value, &buf), DUNLIN_OK);
        len += (size_t)snprintf(out + len, cap - len, "=%s:%.*s", dunlin_type_name(record->value.type),
                                (int)buf.len, (const char *)text);
    }
    if (all->status != DUNLIN_END) {
        snprintf(out + len, cap - len, " (%s)", dunlin_status_text(all->status));
    }
    return len;
}

static void check_decoded(uint16_t format, const char *base, dunlin_slice input, const char *expected,
                          fixture_records *out)
{
    static char text[4 * FIXTURE_BYTES_MAX];
    text[0] = '\0';
    fixture_decode(format, fixture_path(base), dunlin_slice_make(NULL, 0), input, fixture_types(), out);
    describe(out, text, sizeof text);
    assert_string_equal(text, expected);
}

static void check_encoded(uint16_t format, const char *base, const fixture_records *records,
                          dunlin_slice expected)
{
    static uint8_t memory[FIXTURE_BYTES_MAX];
    for (int sized = 0; sized < 2; sized++) {
        dn_encoder encoder;
        dunlin_slice payload;
        dunlin_buf out = sized ? dunlin_buf_make(NULL, 0) : dunlin_buf_make(memory, sizeof memory);
        assert_int_equal(dn_encode(&encoder, format, fixture_path(base), out), DUNLIN_OK);
        for (size_t i = 0; i < records->count; i++) {
            dn_encode_put(&encoder, &records->record[i]);
        }
        assert_int_equal(dn_encode_finish(&encoder, &payload), DUNLIN_OK);
        assert_int_equal(payload.len, expected.len);
        if (!sized) {
            assert_memory_equal(payload.data, expected.data, expected.len);
        }
    }
}

typedef struct {
    uint16_t format;
    const char *base;
    const char *bytes; /* for JSON and text the payload itself, else in the notation of fixture_hex */
    const char *records;
} vector;

static bool is_text(uint16_t format)
{
    return format == DN_FORMAT_TEXT || format == DN_FORMAT_SENML_JSON || format == DN_FORMAT_LWM2M_JSON;
}

static dunlin_slice bytes_of(const vector *v, fixture_bytes *memory)
{
    return is_text(v->format) ? dunlin_slice_of(v->bytes) : fixture_hex(v->bytes, memory);
}

/* These are what our encoders write, too. */
static const vector exact[] = {
    {DN_FORMAT_TLV, "/3/0", DEVICE_TLV, DEVICE_RECORDS},
    {DN_FORMAT_TLV, "/3", "08 00 79 " DEVICE_TLV, DEVICE_RECORDS},
    {DN_FORMAT_TLV, "/1", "08 01 0F C1 00 01 C4 01 00 01 51 80 C1 06 01 C1 07 \"U\"",
     "/1/1/0=integer:1 /1/1/1=integer:86400 /1/1/6=boolean:1 /1/1/7=string:U"},
    {DN_FORMAT_TLV, "/16",
     "08 01 2E 88 00 2B 48 00 11 \"Host Device ID #2\" 48 01 14 \"Host Device Model #2\"",
     "/16/1/0/0=string:Host Device ID #2 /16/1/0/1=string:Host Device Model #2"},
    {DN_FORMAT_TLV, "/65/0", "88 00 0C 44 00 00 42 00 00 44 01 00 42 00 01",
     "/65/0/0/0=objlnk:66:0 /65/0/0/1=objlnk:66:1"},
    {DN_FORMAT_TLV, "/66/0", "C4 02 FF FF FF FF", "/66/0/2=objlnk:65535:65535"},
    {DN_FORMAT_TLV, "/3/0", "80 0B", "/3/0/11*!"},
    {DN_FORMAT_TLV, "/3/0", "83 0B 41 00 00", "/3/0/11/0=integer:0"},
    {DN_FORMAT_TLV, "/3/0/11", "83 0B 41 00 00", "/3/0/11/0=integer:0"},
    {DN_FORMAT_TLV, "/3/0/11/0", "41 00 00", "/3/0/11/0=integer:0"},
    {DN_FORMAT_TLV, "/3303/0", "E4 16 44 41 B4 00 00", "/3303/0/5700=float:22.5"},
    {DN_FORMAT_TLV, "/3303/0", "E8 16 44 08 3F B9 99 99 99 99 99 9A", "/3303/0/5700=float:0.1"},
    {DN_FORMAT_TLV, "/3303", "00 00 07 01 E4 16 44 41 B4 00 00 00 02",
     "/3303/0! /3303/1/5700=float:22.5 /3303/2!"},
    {DN_FORMAT_TLV, "/3303", "", ""},
    {DN_FORMAT_SENML_CBOR, "/3/0", DEVICE_SENML_CBOR, DEVICE_RECORDS},
    {DN_FORMAT_SENML_CBOR, "/", "83 A1 00 67 \"/3/0/16\" A1 00 69 \"/3/0/11/0\" A1 00 64 \"/1/0\"",
     "/3/0/16! /3/0/11/0! /1/0!"},
    {DN_FORMAT_SENML_CBOR, "/1/0", "82 A3 21 65 \"/1/0/\" 00 61 \"1\" 02 18 3D A2 00 61 \"6\" 04 F5",
     "/1/0/1=integer:61 /1/0/6=boolean:1"},
    {DN_FORMAT_SENML_CBOR, "/65/0/0/0", "81 A2 21 69 \"/65/0/0/0\" 63 \"vlo\" 64 \"66:0\"",
     "/65/0/0/0=objlnk:66:0"},
    {DN_FORMAT_SENML_CBOR, "/3303/0/5700",
     "82 A3 21 6C \"/3303/0/5700\" 02 F9 4D A0 06 1A 51 82 42 8F A2 02 F9 4D C0 06 1A 51 82 42 90",
     "/3303/0/5700@1367491215=float:22.5 /3303/0/5700@1367491216=float:23"},
    {DN_FORMAT_SENML_CBOR, "/", "80", ""},
    {DN_FORMAT_SENML_JSON, "/3/0", DEVICE_SENML_JSON, DEVICE_RECORDS},
    {DN_FORMAT_SENML_JSON, "/", "[{\"n\":\"/3/0/0\"},{\"n\":\"/1/0\"},{\"n\":\"/\"}]", "/3/0/0! /1/0! /!"},
    {DN_FORMAT_SENML_JSON, "/65/0/0/0", "[{\"bn\":\"/65/0/0/0\",\"vlo\":\"66:0\"}]", "/65/0/0/0=objlnk:66:0"},
    {DN_FORMAT_SENML_JSON, "/3303/0", "[{\"bn\":\"/3303/0/\",\"n\":\"5700\",\"v\":22.5,\"t\":-5}]",
     "/3303/0/5700@-5=float:22.5"},
    {DN_FORMAT_SENML_JSON, "/42769/0", "[{\"bn\":\"/42769/0/\",\"n\":\"6\",\"vd\":\"-_8\"}]",
     "/42769/0/6=opaque:+/8="},
    {DN_FORMAT_SENML_JSON, "/", "[]", ""},
    {DN_FORMAT_LWM2M_JSON, "/3/0", DEVICE_LWM2M_JSON, DEVICE_RECORDS},
    {DN_FORMAT_LWM2M_JSON, "/65/0/0/0", "{\"bn\":\"/65/0/0/0\",\"e\":[{\"ov\":\"66:0\"}]}",
     "/65/0/0/0=objlnk:66:0"},
    {DN_FORMAT_LWM2M_JSON, "/42769/0/6", "{\"bn\":\"/42769/0/6\",\"e\":[{\"sv\":\"+/8=\"}]}",
     "/42769/0/6=opaque:+/8="},
    {DN_FORMAT_LWM2M_JSON, "/3", "{\"e\":[]}", ""},
    {DN_FORMAT_CBOR, "/1/0/0", "01", "/1/0/0=integer:1"},
    {DN_FORMAT_CBOR, "/1/0/0", "39 02 ED", "/1/0/0=integer:-750"},
    {DN_FORMAT_CBOR, "/1/0/1", "1A 00 01 51 80", "/1/0/1=integer:86400"},
    {DN_FORMAT_CBOR, "/1/0/6", "F5", "/1/0/6=boolean:1"},
    {DN_FORMAT_CBOR, "/1/0/7", "61 \"U\"", "/1/0/7=string:U"},
    {DN_FORMAT_CBOR, "/3303/0/5700", "F9 4D A0", "/3303/0/5700=float:22.5"},
    {DN_FORMAT_CBOR, "/3/0/13", "C1 1A 51 82 42 8F", "/3/0/13=time:1367491215"},
    {DN_FORMAT_CBOR, "/66/0/2", "64 \"66:1\"", "/66/0/2=objlnk:66:1"},
    {DN_FORMAT_CBOR, "/42769/0/6", "42 01 02", "/42769/0/6=opaque:AQI="},
    {DN_FORMAT_OPAQUE, "/42769/0/6", "00 FF", "/42769/0/6=opaque:AP8="},
    {DN_FORMAT_OPAQUE, "/42769/0/6", "", "/42769/0/6=opaque:"},
    {DN_FORMAT_TEXT, "/1/0/1", "-86400", "/1/0/1=integer:-86400"},
    {DN_FORMAT_TEXT, "/1/0/7", "", "/1/0/7=string:"},
    {DN_FORMAT_TEXT, "/1/0/6", "0", "/1/0/6=boolean:0"},
    {DN_FORMAT_TEXT, "/3303/0/5700", "0.00000000006667", "/3303/0/5700=float:0.00000000006667"},
    {DN_FORMAT_TEXT, "/66/0/2", "66:65535", "/66/0/2=objlnk:66:65535"},
    {DN_FORMAT_TEXT, "/42769/0/6", "AQID/w==", "/42769/0/6=opaque:AQID/w=="},
    {DN_FORMAT_TEXT, "/42769/0/3", "18446744073709551615", "/42769/0/3=unsigned:18446744073709551615"},
    {DN_FORMAT_TEXT, "/42769/0/9", "</3/0>,</1>", "/42769/0/9=corelnk:</3/0>,</1>"},
};

static void known_payloads_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++) {
        static fixture_records records;
        fixture_bytes memory;
        dunlin_slice bytes = bytes_of(&exact[i], &memory);
        check_decoded(exact[i].format, exact[i].base, bytes, exact[i].records, &records);
        check_encoded(exact[i].format, exact[i].base, &records, bytes);
    }
}

/* The same said in other ways, which we read but do not write. */
static const vector tolerated[] = {
    {DN_FORMAT_TLV, "/3303/0", "E8 16 44 08 40 36 80 00 00 00 00 00", "/3303/0/5700=float:22.5"},
    {DN_FORMAT_TLV, "/3/0/9", "C8 09 01 64", "/3/0/9=integer:100"},
    {DN_FORMAT_TLV, "/3/0/9", "D0 09 00 01 64", "/3/0/9=integer:100"},
    {DN_FORMAT_TLV, "/3/0/9", "D8 09 00 00 08 00 00 00 00 00 00 00 64", "/3/0/9=integer:100"},
    {DN_FORMAT_TLV, "/3/0/9", "CF 09 01 64",
     "/3/0/9=integer:100"}, /* bits 2-0 count only without a length field */
    {DN_FORMAT_TLV, "/3/0/9", "E1 00 09 64", "/3/0/9=integer:100"},       /* an id of 16 bits */
    {DN_FORMAT_TLV, "/3/0/9", "08 00 03 C1 09 64", "/3/0/9=integer:100"}, /* in its Object Instance */
    {DN_FORMAT_TLV, "/3/0/7", "42 00 0E D8 42 01 13 88", "/3/0/7/0=integer:3800 /3/0/7/1=integer:5000"},
    {DN_FORMAT_TLV, "/3", "C1 09 64 83 0B 41 00 00", "/3/65535/9=integer:100 /3/65535/11/0=integer:0"},
    {DN_FORMAT_TLV, "/9/0", "C2 01 \"ab\" 82 02 40 05",
     "/9/0/1=opaque:YWI= /9/0/2/5=opaque:"}, /* nobody knows the types */
    {DN_FORMAT_SENML_CBOR, "/3/0", "9F BF 21 7F 62 \"/3\" 63 \"/0/\" FF 00 61 \"9\" 02 F9 56 40 FF FF",
     "/3/0/9=integer:100"},
    {DN_FORMAT_SENML_CBOR, "/3/0", "81 A2 00 66 \"/3/0/9\" 02 FA 42 C8 00 00", "/3/0/9=integer:100"},
    {DN_FORMAT_SENML_CBOR, "/3/0", "81 A2 00 66 \"/3/0/9\" 02 FB 40 59 00 00 00 00 00 00",
     "/3/0/9=integer:100"},
    {DN_FORMAT_SENML_CBOR, "/3/0", "D9 D9 F7 81 A3 00 66 \"/3/0/9\" 02 18 64 01 63 \"Cel\"",
     "/3/0/9=integer:100"},
    {DN_FORMAT_SENML_CBOR, "/3/0",
     "81 A4 00 62 \"13\" 02 C1 1A 51 82 42 8F 07 00 63 \"abc\" 82 01 A1 02 9F 03 FF",
     "/3/0/13=time:1367491215"},
    {DN_FORMAT_SENML_CBOR, "/3/0", "81 A3 00 61 \"9\" 02 18 64 24 05", "/3/0/9=integer:105"}, /* base value */
    {DN_FORMAT_SENML_JSON, "/3/0",
     " [ {\"n\" : \"9\" , \"v\" : 1e2 , \"unit\":{\"a\":[1,{}],\"b\":null},\"s\":5} "
     ",\n{\"bn\":\"\",\"n\":\"/3/0/10\",\"v\":1.50E1}\t] ",
     "/3/0/9=integer:100 /3/0/10=integer:15"},
    {DN_FORMAT_SENML_JSON, "/3/0", "[{\"\\u0062n\":\"\\/3\\/0\\/\",\"n\":\"9\",\"v\":100}]",
     "/3/0/9=integer:100"},
    {DN_FORMAT_SENML_JSON, "/3303/0", "[{\"bn\":\"/3303/0/57\",\"n\":\"00\",\"v\":1}]",
     "/3303/0/5700=float:1"},
    {DN_FORMAT_SENML_JSON, "/3/0", "[{\"bn\":\"/3\",\"n\":\"/0/9\",\"v\":100},{\"n\":\"/0/10/\",\"v\":1}]",
     "/3/0/9=integer:100 /3/0/10=integer:1"},
    {DN_FORMAT_SENML_JSON, "/3/0/9", "[{\"v\":100}]", "/3/0/9=integer:100"},
    {DN_FORMAT_SENML_JSON, "/3/0/7", "[{\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":2}]",
     "/3/0/7/0=integer:1 /3/0/7/1=integer:2"},
    {DN_FORMAT_SENML_JSON, "/16", "[{\"n\":\"1/0/0\",\"vs\":\"a\"}]", "/16/1/0/0=string:a"},
    {DN_FORMAT_SENML_JSON, "/16", "[{\"bn\":\"/16/1/\",\"n\":\"0/0\",\"vs\":\"a\"}]", "/16/1/0/0=string:a"},
    {DN_FORMAT_SENML_JSON, "/", "[{\"n\":\"3/0/\"}]", "/3/0!"},
    {DN_FORMAT_SENML_JSON, "/42769/0", "[{\"n\":\"6\",\"vd\":\"+/8=\"}]", "/42769/0/6=opaque:+/8="},
    {DN_FORMAT_SENML_JSON, "/66/0", "[{\"n\":\"2\",\"vlo\":\"FFFF:FFFF\"}]", "/66/0/2=objlnk:65535:65535"},
    /* As Leshan writes links. */
    {DN_FORMAT_SENML_JSON, "/66/0", "[{\"bn\":\"/66/0/2\",\"vs\":\"3:0\"}]", "/66/0/2=objlnk:3:0"},
    {DN_FORMAT_SENML_CBOR, "/66/0", "81 A2 03 63 \"3:0\" 21 67 \"/66/0/2\"", "/66/0/2=objlnk:3:0"},
    {DN_FORMAT_LWM2M_JSON, "/66/0", "{\"bn\":\"/66/0/2\",\"e\":[{\"sv\":\"3:0\"}]}", "/66/0/2=objlnk:3:0"},
    {DN_FORMAT_SENML_JSON, "/42769/0",
     "[{\"bv\":9223372036854775800,\"n\":\"2\",\"v\":7},{\"n\":\"3\",\"v\":9223372036854775815}]",
     "/42769/0/2=integer:9223372036854775807 /42769/0/3=unsigned:18446744073709551615"},
    {DN_FORMAT_SENML_JSON, "/42769/0", "[{\"bv\":0.5,\"n\":\"4\",\"v\":1},{\"n\":\"2\",\"v\":0.5}]",
     "/42769/0/4=float:1.5 /42769/0/2=integer:1"},
    {DN_FORMAT_SENML_JSON, "/3303/0/5700",
     "[{\"bt\":1.276020076001e9,\"bver\":5,\"v\":20},{\"t\":1,\"v\":21},{\"bt\":-5,\"v\":22},{\"bt\":0,\"v\":"
     "23}]",
     "/3303/0/5700@1276020076.001=float:20 /3303/0/5700@1276020077.001=float:21 /3303/0/5700@-5=float:22 "
     "/3303/0/5700=float:23"},
    {DN_FORMAT_SENML_JSON, "/9/0",
     "[{\"n\":\"1\",\"v\":1},{\"n\":\"2\",\"v\":18446744073709551615},{\"n\":\"3\",\"v\":0.5},"
     "{\"n\":\"4\",\"vb\":true},{\"n\":\"5\",\"vs\":\"x\"},{\"n\":\"6\",\"vd\":\"eA\"},{\"n\":\"7\",\"vlo\":"
     "\"1:2\"}]",
     "/9/0/1=integer:1 /9/0/2=unsigned:18446744073709551615 /9/0/3=float:0.5 /9/0/4=boolean:1 "
     "/9/0/5=string:x "
     "/9/0/6=opaque:eA== /9/0/7=objlnk:1:2"},
    {DN_FORMAT_LWM2M_JSON, "/3/0",
     "{\"e\":[{\"n\":\"9\",\"v\":100,\"t\":5}],\"bt\":1000000000,\"bn\":\"/3/0/\",\"x\":[{}]}",
     "/3/0/9@1000000005=integer:100"},
    {DN_FORMAT_LWM2M_JSON, "/3/0/9", "{\"e\":[{\"n\":\"\",\"v\":100}]}", "/3/0/9=integer:100"},
    {DN_FORMAT_LWM2M_JSON, "/3/0", "{\"bn\":\"\\/3\",\"e\":[{\"n\":\"\\/0\\/0\",\"sv\":\"\\ud83d\\ude00\"}]}",
     "/3/0/0=string:\xf0\x9f\x98\x80"},
    {1543, "/3/0/9", "{\"e\":[{\"v\":100}]}", "/3/0/9=integer:100"},
    {DN_FORMAT_CBOR, "/3/0/13", "1A 51 82 42 8F", "/3/0/13=time:1367491215"},
    {DN_FORMAT_CBOR, "/3/0/13", "C1 FB 41 D4 60 90 A3 C0 00 00", "/3/0/13=time:1367491215"},
    {DN_FORMAT_CBOR, "/3/0/13", "C0 74 \"2013-03-21T20:04:00Z\"", "/3/0/13=time:1363896240"},
    {DN_FORMAT_CBOR, "/9/0/1", "C0 78 19 \"2013-03-21T22:04:00+02:00\"", "/9/0/1=time:1363896240"},
    {DN_FORMAT_CBOR, "/9/0/1", "D8 21 61 \"x\"", "/9/0/1=string:x"},
    {DN_FORMAT_CBOR, "/42769/0/6", "5F 41 01 40 42 02 03 FF", "/42769/0/6=opaque:AQID"},
    {DN_FORMAT_CBOR, "/42769/0/6", "5F FF", "/42769/0/6=opaque:"},
    {DN_FORMAT_CBOR, "/1/0/0", "1B 00 00 00 00 00 00 00 01", "/1/0/0=integer:1"},
    {DN_FORMAT_CBOR, "/9/0/1", "3B 7F FF FF FF FF FF FF FF", "/9/0/1=integer:-9223372036854775808"},
    {DN_FORMAT_CBOR, "/9/0/1", "1B FF FF FF FF FF FF FF FF", "/9/0/1=unsigned:18446744073709551615"},
    {DN_FORMAT_CBOR, "/9/0/1", "F9 3C 00", "/9/0/1=integer:1"},
    {DN_FORMAT_TEXT, "/3303/0/5700", "+6.667e-11", "/3303/0/5700=float:0.00000000006667"},
    {DN_FORMAT_TEXT, "/1/0/1", "+00012", "/1/0/1=integer:12"},
    {DN_FORMAT_TEXT, "/66/0/2", "ffff:FFFF", "/66/0/2=objlnk:65535:65535"},
    {DN_FORMAT_TEXT, "/42769/0/6", "-_8", "/42769/0/6=opaque:+/8="},
    {1541, "/9/0/1", "abc", "/9/0/1=string:abc"},
};

static void other_forms_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tolerated / sizeof tolerated[0]; i++) {
        static fixture_records records;
        fixture_bytes memory;
        vector v = tolerated[i];
        v.format = dn_format_canonical(v.format);
        check_decoded(tolerated[i].format, v.base, bytes_of(&v, &memory), v.records, &records);
    }
}

static void names_may_carry_the_alternate_path(void **state)
{
    (void)state;
    static const struct {
        const char *root;
        const char *names;
        dunlin_status status;
    } cases[] = {
        {"/lwm2m", "[{\"bn\":\"/lwm2m/3/0/\",\"n\":\"9\"}]", DUNLIN_END},
        {"/lwm2m", "[{\"bn\":\"/3/0/\",\"n\":\"9\"}]", DUNLIN_END},
        {"/lwm2m", "[{\"bn\":\"/lw\",\"n\":\"m2m/3/0/9\"}]", DUNLIN_END},
        {"/lwm2m", "[{\"n\":\"9\"}]", DUNLIN_END},
        {"/3gpp/x", "[{\"n\":\"/3/0/9\"}]", DUNLIN_END},
        {"/3gpp/x", "[{\"n\":\"/3gpp/x/3/0/9/\"}]", DUNLIN_END},
        {"/", "[{\"n\":\"/3/0/9\"}]", DUNLIN_END},
        {"", "[{\"n\":\"/lwm2m/3/0/9\"}]", DUNLIN_ERR_PATH},
        {"/lwm2m", "[{\"n\":\"/lwm2mx/3/0/9\"}]", DUNLIN_ERR_PATH},
        {"/lwm2m", "[{\"n\":\"/lwm2m//3/0/9\"}]", DUNLIN_ERR_PATH},
        {"/lwm2m", "[{\"n\":\"lwm2m/3/0/9\"}]", DUNLIN_ERR_PATH},
        {"/lwm2m", "[{\"n\":\"/lwm2m/lwm2m/3/0/9\"}]", DUNLIN_ERR_PATH},
        {"/lwm2m", "[{\"n\":\"/lwm2m\"}]", DUNLIN_ERR_PATH}, /* the root is not within /3/0 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static fixture_records records;
        fixture_decode(DN_FORMAT_SENML_JSON, dunlin_path_instance(3, 0), dunlin_slice_of(cases[i].root),
                       dunlin_slice_of(cases[i].names), fixture_types(), &records);
        assert_int_equal(records.status, cases[i].status);
        if (cases[i].status == DUNLIN_END) {
            assert_int_equal(records.count, 1);
            assert_true(dunlin_path_equal(records.record[0].path, dunlin_path_resource(3, 0, 9)));
        }
    }
    static fixture_records records;
    fixture_decode(DN_FORMAT_SENML_JSON, dunlin_path_root(), dunlin_slice_of("/lwm2m"),
                   dunlin_slice_of("[{\"n\":\"/lwm2m\"},{\"n\":\"/lwm2m/3\"}]"), fixture_types(), &records);
    assert_int_equal(records.status, DUNLIN_END);
    assert_int_equal(records.record[0].path.depth, 0);
    assert_true(dunlin_path_equal(records.record[1].path, dunlin_path_object(3)));
}

/* RFC 8949 appendix A, as far as LwM2M has values for it. */
static void rfc8949_appendix_a(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const char *value;
    } cases[] = {
        {"00", "integer:0"},
        {"0A", "integer:10"},
        {"17", "integer:23"},
        {"18 18", "integer:24"},
        {"19 03 E8", "integer:1000"},
        {"1A 00 0F 42 40", "integer:1000000"},
        {"1B 00 00 00 E8 D4 A5 10 00", "integer:1000000000000"},
        {"1B FF FF FF FF FF FF FF FF", "unsigned:18446744073709551615"},
        {"3B FF FF FF FF FF FF FF FF", "float:-18446744073709552000"},
        {"20", "integer:-1"},
        {"39 03 E7", "integer:-1000"},
        {"F9 00 00", "integer:0"},
        {"F9 3E 00", "float:1.5"},
        {"F9 7B FF", "integer:65504"},
        {"FA 47 C3 50 00", "integer:100000"},
        {"FA 7F 7F FF FF", "float:340282346638528860000000000000000000000"},
        {"FB 3F F1 99 99 99 99 99 9A", "float:1.1"},
        {"F9 00 01", "float:0.00000005960464477539063"},
        {"F9 04 00", "float:0.00006103515625"},
        {"FB C0 10 66 66 66 66 66 66", "float:-4.1"},
        {"F4", "boolean:0"},
        {"F5", "boolean:1"},
        {"C0 74 \"2013-03-21T20:04:00Z\"", "time:1363896240"},
        {"C1 1A 51 4B 67 B0", "time:1363896240"},
        {"D7 44 01 02 03 04", "opaque:AQIDBA=="},
        {"40", "opaque:"},
        {"60", "string:"},
        {"62 22 5C", "string:\"\\"},
        {"62 C3 BC", "string:\xc3\xbc"},
        {"64 F0 90 85 91", "string:\xf0\x90\x85\x91"},
        {"5F 42 01 02 43 03 04 05 FF", "opaque:AQIDBAU="},
        {"7F 65 \"strea\" 64 \"ming\" FF", "string:streaming"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static fixture_records records;
        fixture_bytes memory;
        char expected[128];
        snprintf(expected, sizeof expected, "/9/0/0=%s", cases[i].value);
        check_decoded(DN_FORMAT_CBOR, "/9/0/0", fixture_hex(cases[i].bytes, &memory), expected, &records);
    }
}

/* RFC 8428 section 5.1, with LwM2M paths for the names. */
static void rfc8428_section_5(void **state)
{
    (void)state;
    static const vector cases[] = {
        {DN_FORMAT_SENML_JSON, "/9",
         "[{\"bn\":\"/9/0/\",\"n\":\"1\",\"u\":\"V\",\"v\":120.1},{\"n\":\"2\",\"u\":\"A\",\"v\":1.2}]",
         "/9/0/1=float:120.1 /9/0/2=float:1.2"},
        {DN_FORMAT_SENML_JSON, "/9",
         "[{\"bn\":\"/9/0/"
         "\",\"bt\":1.276020076001e+09,\"bu\":\"A\",\"bver\":5,\"n\":\"1\",\"u\":\"V\",\"v\":120.1},"
         "{\"n\":\"2\",\"t\":-5,\"v\":1.2},{\"n\":\"2\",\"t\":-4,\"v\":1.3},{\"n\":\"2\",\"v\":1.7}]",
         "/9/0/1@1276020076.001=float:120.1 /9/0/2@1276020071.001=float:1.2 /9/0/2@1276020072.001=float:1.3 "
         "/9/0/2@1276020076.001=float:1.7"},
        /* section 6, the CBOR form of the same */
        {DN_FORMAT_SENML_CBOR, "/9",
         "83 A7 21 65 \"/9/0/\" 22 FB 41 D3 03 A1 5B 00 10 62 23 61 \"A\" 20 05 00 61 \"1\" 01 61 \"V\" "
         "02 FB 40 5E 06 66 66 66 66 66 A3 00 61 \"2\" 06 24 02 FB 3F F3 33 33 33 33 33 33 "
         "A3 00 61 \"2\" 06 23 02 FB 3F F4 CC CC CC CC CC CD",
         "/9/0/1@1276020076.001=float:120.1 /9/0/2@1276020071.001=float:1.2 /9/0/2@1276020072.001=float:1.3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static fixture_records records;
        fixture_bytes memory;
        check_decoded(cases[i].format, cases[i].base, bytes_of(&cases[i], &memory), cases[i].records,
                      &records);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_payloads_both_ways),
        cmocka_unit_test(other_forms_are_read),
        cmocka_unit_test(names_may_carry_the_alternate_path),
        cmocka_unit_test(rfc8949_appendix_a),
        cmocka_unit_test(rfc8428_section_5),
    };
    return cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
