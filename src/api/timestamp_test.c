/* SPDX-License-Identifier: Apache-2.0 */
/* Times as ISO 8601. */
#include "api/timestamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    int64_t ms;
    const char *text;
} known[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {-1, "1969-12-31T23:59:59.999Z"},
    {951782400000, "2000-02-29T00:00:00.000Z"},
    {1582934400000, "2020-02-29T00:00:00.000Z"},
    {4107542400000, "2100-03-01T00:00:00.000Z"},
    {1795316400123, "2026-11-22T03:00:00.123Z"},
    {253402300799999, "9999-12-31T23:59:59.999Z"},
    {253402300800000, ""},
    {-62167219200000, "0000-01-01T00:00:00.000Z"},
    {-62167219200001, ""},
    {INT64_MAX, ""},
    {INT64_MIN, ""},
};

static void writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char text[DN_TIMESTAMP_MAX];
        assert_int_equal(dn_timestamp_ms(known[i].ms, text), strlen(known[i].text));
        assert_string_equal(text, known[i].text);
    }
}

static void reads_what_it_writes(void **state)
{
    (void)state;
    for (int64_t s = -62167219200; s < 253402300800; s += 86400LL * 17 + 12345) {
        char text[DN_TIMESTAMP_MAX];
        int64_t back;
        size_t len = dn_timestamp_s(s, text);
        assert_true(dn_timestamp_parse(dunlin_slice_make(text, len), &back));
        assert_int_equal(back, s);
    }
}

static const struct {
    const char *text;
    bool good;
    int64_t s;
} inputs[] = {
    {"1970-01-01T00:00:01Z", true, 1},
    {"1970-01-01t00:00:01z", true, 1},
    {"1970-01-01T01:00:00+01:00", true, 0},
    {"1969-12-31T23:30:00-00:30", true, 0},
    {"1970-01-01T00:00:00.999999999Z", true, 0},
    {"2020-02-29T00:00:00Z", true, 1582934400},
    {"2021-02-29T00:00:00Z", false, 0},
    {"1900-02-29T00:00:00Z", false, 0},
    {"1970-13-01T00:00:00Z", false, 0},
    {"1970-00-01T00:00:00Z", false, 0},
    {"1970-01-00T00:00:00Z", false, 0},
    {"1970-01-01T24:00:00Z", false, 0},
    {"1970-01-01T00:60:00Z", false, 0},
    {"1970-01-01T00:00:61Z", false, 0},
    {"1970-01-01T00:00:00", false, 0},
    {"1970-01-01T00:00:00.Z", false, 0},
    {"1970-01-01T00:00:00+1:00", false, 0},
    {"1970-01-01T00:00:00+24:00", false, 0},
    {"1970-01-01 00:00:00Z", false, 0},
    {"1970-01-01T00:00:00Zx", false, 0},
    {"1970-01-01", false, 0},
    {"", false, 0},
};

static void reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        int64_t s = 0;
        bool good = dn_timestamp_parse(dunlin_slice_of(inputs[i].text), &s);
        if (good != inputs[i].good || (good && s != inputs[i].s)) {
            fail_msg("%s", inputs[i].text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(writes), cmocka_unit_test(reads_what_it_writes),
                                       cmocka_unit_test(reads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
