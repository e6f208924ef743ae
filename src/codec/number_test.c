/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers: exactness of integers and doubles, both ways, against tables and against the C library. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "codec/decimal.h"
#include "codec/half.h"
#include "codec/number.h"

static void reads_exact_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool negative;
        uint64_t magnitude;
    } cases[] = {
        {"0", false, 0},
        {"-0", true, 0},
        {"9223372036854775807", false, INT64_MAX},
        {"-9223372036854775808", true, UINT64_C(1) << 63},
        {"18446744073709551615", false, UINT64_MAX},
        {"18446744073709551610", false, UINT64_MAX - 5},
        {"-18446744073709551615", true, UINT64_MAX},
        {"9007199254740993", false, UINT64_C(9007199254740993)},
        {"1e3", false, 1000},
        {"1E+3", false, 1000},
        {"5.00", false, 5},
        {"1.50e1", false, 15},
        {"120e-1", false, 12},
        {"0.5e1", false, 5},
        {"1844674407370955161.5e1", false, UINT64_MAX},
        {"1e19", false, UINT64_C(10000000000000000000)},
        {"0e999999999", false, 0},
        {"0.000e-5", false, 0},
        {"100000000000000000000000e-20", false, 1000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_number number;
        assert_int_equal(dn_number_read(dunlin_slice_of(cases[i].text), DN_NUMBER_JSON, &number), DUNLIN_OK);
        assert_true(number.integral);
        assert_int_equal(number.negative, cases[i].negative);
        assert_true(number.magnitude == cases[i].magnitude);
        assert_true(number.number == strtod(cases[i].text, NULL));
    }
}

static void reads_what_is_no_integer_of_64_bits(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "0.5",
        "-1.25",
        "1e-1",
        "18446744073709551616",
        "1e20",
        "123456789012345678901234567890",
        "1.000000000000000000000000001",
        "9223372036854775807.5",
        "1e300",
        "5e-324",
        "1e-400",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_number number;
        assert_int_equal(dn_number_read(dunlin_slice_of(cases[i]), DN_NUMBER_JSON, &number), DUNLIN_OK);
        assert_false(number.integral);
        assert_true(number.number == strtod(cases[i], NULL));
    }
}

static void refuses_by_grammar(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        dunlin_status json;
        dunlin_status plain;
    } cases[] = {
        {"", DUNLIN_ERR_MALFORMED, DUNLIN_ERR_MALFORMED},
        {"-", DUNLIN_ERR_MALFORMED, DUNLIN_ERR_MALFORMED},
        {"+", DUNLIN_ERR_MALFORMED, DUNLIN_ERR_MALFORMED},
        {"+1", DUNLIN_ERR_MALFORMED, DUNLIN_OK},
        {"01", DUNLIN_ERR_MALFORMED, DUNLIN_OK},
        {"-01", DUNLIN_ERR_MALFORMED, DUNLIN_OK},
        {".5", DUNLIN_ERR_MALFORMED, DUNLIN_OK},
        {"5.", DUNLIN_ERR_MALFORMED, DUNLIN_OK},
        {".", DUNLIN_ERR_MALFORMED, DUNLIN_ERR_MALFORMED},
        {"1e", DUNLIN_ERR_MALFORMED, DUNLIN_ERR_MALFORMED},
        {"1e+", DUNLIN_ERR_MALFORMED, DUNLIN_ERR_MALFORMED},
        {"1.2.3", DUNLIN_ERR_MALFORMED, DUNLIN_ERR_MALFORMED},
        {" 1", DUNLIN_ERR_MALFORMED, DUNLIN_ERR_MALFORMED},
        {"1 ", DUNLIN_ERR_MALFORMED, DUNLIN_ERR_MALFORMED},
        {"0x10", DUNLIN_ERR_MALFORMED, DUNLIN_ERR_MALFORMED},
        {"1,5", DUNLIN_ERR_MALFORMED, DUNLIN_ERR_MALFORMED},
        {"nan", DUNLIN_ERR_MALFORMED, DUNLIN_ERR_MALFORMED},
        {"inf", DUNLIN_ERR_MALFORMED, DUNLIN_ERR_MALFORMED},
        {"--1", DUNLIN_ERR_MALFORMED, DUNLIN_ERR_MALFORMED},
        {"1e999", DUNLIN_ERR_RANGE, DUNLIN_ERR_RANGE},
        {"-1e309", DUNLIN_ERR_RANGE, DUNLIN_ERR_RANGE},
        {"1e99999999999999999999", DUNLIN_ERR_RANGE, DUNLIN_ERR_RANGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_number number;
        dunlin_slice text = dunlin_slice_of(cases[i].text);
        assert_int_equal(dn_number_read(text, DN_NUMBER_JSON, &number), cases[i].json);
        assert_int_equal(dn_number_read(text, DN_NUMBER_TEXT, &number), cases[i].plain);
    }
}

static void becomes_typed_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        dunlin_type type;
        dunlin_status status;
        dunlin_type result;
    } cases[] = {
        {"9223372036854775807", DUNLIN_TYPE_NONE, DUNLIN_OK, DUNLIN_TYPE_INTEGER},
        {"9223372036854775808", DUNLIN_TYPE_NONE, DUNLIN_OK, DUNLIN_TYPE_UNSIGNED},
        {"18446744073709551616", DUNLIN_TYPE_NONE, DUNLIN_OK, DUNLIN_TYPE_FLOAT},
        {"-9223372036854775808", DUNLIN_TYPE_NONE, DUNLIN_OK, DUNLIN_TYPE_INTEGER},
        {"-9223372036854775809", DUNLIN_TYPE_NONE, DUNLIN_OK, DUNLIN_TYPE_FLOAT},
        {"1.5", DUNLIN_TYPE_NONE, DUNLIN_OK, DUNLIN_TYPE_FLOAT},
        {"9223372036854775808", DUNLIN_TYPE_INTEGER, DUNLIN_ERR_RANGE, 0},
        {"1e30", DUNLIN_TYPE_INTEGER, DUNLIN_ERR_RANGE, 0},
        {"1.5", DUNLIN_TYPE_INTEGER, DUNLIN_ERR_TYPE, 0},
        {"-1", DUNLIN_TYPE_UNSIGNED, DUNLIN_ERR_RANGE, 0},
        {"-0", DUNLIN_TYPE_UNSIGNED, DUNLIN_OK, DUNLIN_TYPE_UNSIGNED},
        {"18446744073709551615", DUNLIN_TYPE_UNSIGNED, DUNLIN_OK, DUNLIN_TYPE_UNSIGNED},
        {"18446744073709551616", DUNLIN_TYPE_UNSIGNED, DUNLIN_ERR_RANGE, 0},
        {"1", DUNLIN_TYPE_FLOAT, DUNLIN_OK, DUNLIN_TYPE_FLOAT},
        {"1", DUNLIN_TYPE_TIME, DUNLIN_OK, DUNLIN_TYPE_TIME},
        {"1", DUNLIN_TYPE_BOOLEAN, DUNLIN_ERR_TYPE, 0},
        {"1", DUNLIN_TYPE_STRING, DUNLIN_ERR_TYPE, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_number number;
        dunlin_value value = {.type = DUNLIN_TYPE_NONE};
        assert_int_equal(dn_number_read(dunlin_slice_of(cases[i].text), DN_NUMBER_JSON, &number), DUNLIN_OK);
        assert_int_equal(dn_number_to_value(&number, cases[i].type, &value), cases[i].status);
        assert_int_equal(value.type, cases[i].result);
    }
    dunlin_value value;
    dn_number not_a_number = dn_number_of_double((double)NAN);
    assert_int_equal(dn_number_to_value(&not_a_number, DUNLIN_TYPE_INTEGER, &value), DUNLIN_ERR_TYPE);
    dn_number endless = dn_number_of_double(-(double)INFINITY);
    assert_int_equal(dn_number_to_value(&endless, DUNLIN_TYPE_INTEGER, &value), DUNLIN_ERR_RANGE);
}

static void adds_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        bool exact;
        bool integral;
        bool negative;
        uint64_t magnitude;
    } cases[] = {
        {"9223372036854775806", "1", true, true, false, INT64_MAX},
        {"18446744073709551614", "1", true, true, false, UINT64_MAX},
        {"18446744073709551615", "1", false, false, false, 0},
        {"-18446744073709551615", "-1", false, false, true, 0},
        {"18446744073709551615", "-18446744073709551614", true, true, false, 1},
        {"5", "-7", true, true, true, 2},
        {"-5", "5", true, true, false, 0},
        {"0.5", "0.5", true, true, false, 1},
        {"0.25", "1", true, false, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_number a;
        dn_number b;
        dn_number sum;
        assert_int_equal(dn_number_read(dunlin_slice_of(cases[i].a), DN_NUMBER_JSON, &a), DUNLIN_OK);
        assert_int_equal(dn_number_read(dunlin_slice_of(cases[i].b), DN_NUMBER_JSON, &b), DUNLIN_OK);
        assert_int_equal(dn_number_add(&a, &b, &sum), cases[i].exact);
        assert_int_equal(sum.integral, cases[i].integral);
        assert_int_equal(sum.negative, cases[i].negative);
        assert_true(sum.magnitude == cases[i].magnitude);
    }
}

static void writes_doubles_in_two_ways(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *plain;
        const char *brief;
    } cases[] = {
        {0, "0", "0"},
        {-0.0, "-0", "-0"},
        {22.5, "22.5", "22.5"},
        {-21.37, "-21.37", "-21.37"},
        {0.1, "0.1", "0.1"},
        {0.3, "0.3", "0.3"},
        {0.1 + 0.2, "0.30000000000000004", "0.30000000000000004"},
        {100, "100", "100"},
        {1e15, "1000000000000000", "1000000000000000"},
        {123456789012345680.0, "123456789012345680", "123456789012345680"},
        {9007199254740993.0, "9007199254740992", "9007199254740992"},
        {1e21, "1000000000000000000000", "1e21"},
        {1e20, "100000000000000000000", "100000000000000000000"},
        {1.5e22, "15000000000000000000000", "1.5e22"},
        {6.667e-11, "0.00000000006667", "6.667e-11"},
        {1e-6, "0.000001", "0.000001"},
        {1e-7, "0.0000001", "1e-7"},
        {1e23, "100000000000000000000000", "1e23"},
        {5e-324, NULL, "5e-324"},
        {DBL_MAX, NULL, "1.7976931348623157e308"},
        {DBL_MIN, NULL, "2.2250738585072014e-308"},
        {2.2250738585072011e-308, NULL, "2.225073858507201e-308"},
        {9.5367431640625e-7, "0.00000095367431640625", "9.5367431640625e-7"},
        {2251799813685248.5, "2251799813685248.5", "2251799813685248.5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[DN_PLAIN_TEXT_MAX + 1];
        text[dn_double_format_short(cases[i].number, text)] = '\0';
        assert_string_equal(text, cases[i].brief);
        size_t len = dn_double_format_plain(cases[i].number, text);
        assert_true(len <= DN_PLAIN_TEXT_MAX);
        text[len] = '\0';
        assert_null(strpbrk(text, "eE"));
        assert_true(strtod(text, NULL) == cases[i].number);
        if (cases[i].plain != NULL) {
            assert_string_equal(text, cases[i].plain);
        }
    }
}

/* Digits that lie exactly on, just above and just below the middle between two doubles. */
static void breaks_ties_to_even(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "9007199254740993", /* 2^53 + 1 */
        "9007199254740993.00000000000000000000000000000000000001",
        "9007199254740992.99999999999999999999999999999999999999",
        "9007199254740995",
        "1.00000000000000011102230246251565404236316680908203125",
        "1.00000000000000011102230246251565404236316680908203124",
        "1.00000000000000011102230246251565404236316680908203126",
        "1.00000000000000033306690738754696212708950042724609375",
        "2.4703282292062327208e-324", /* half of the smallest */
        "2.4703282292062328e-324",
        "2.47032822920623272088284396434110686182e-324",
        "1.7976931348623158e308",
        "1.797693134862315708145274237317043567980e308",
        "8.98846567431158e307",
        "2.2250738585072012e-308",
        "2.2250738585072011e-308",
        "6.0228073085178e-307",
        "3.5844466002796428e+298",
        "1e22",
        "1e23",
        "8.5e22",
        "7.2057594037927933e16",
        "5708990770823838890407843763683279797179383808.0",
        "123456789012345678901234567890123456789012345678901234567890e-30",
        "0."
        "0000000000000000000000000000000000000000000000000000000000000000000000000000000000123456789012345678"
        "90123",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_number number;
        assert_int_equal(dn_number_read(dunlin_slice_of(cases[i]), DN_NUMBER_JSON, &number), DUNLIN_OK);
        if (number.number != strtod(cases[i], NULL)) {
            fail_msg("%s: %.17g, not %.17g", cases[i], number.number, strtod(cases[i], NULL));
        }
    }
}

/* Exact midpoints between random neighbours, in all their digits, and a little off them. */
static void random_midpoints_go_to_even(void **state)
{
    (void)state;
    dn_seeded seeded;
    dn_seeded_init(&seeded, 16);
    dn_random random = dn_seeded_random(&seeded);
    for (int i = 0; i < 20000; i++) {
        uint64_t significand = UINT64_C(1) << 53 | dn_random_between(&random, 0, (UINT64_C(1) << 53) - 1) | 1;
        int exponent = (int)dn_random_between(&random, 0, 60) - 60 - 53;
        long double middle =
            ldexpl((long double)significand, exponent); /* 54 bits: the last one is half a unit */
        char text[200];
        dn_number number;
        int len = snprintf(text, sizeof text, "%.120Lf%s", middle, i % 3 == 1 ? "01" : "");
        if (i % 3 == 2) {
            len = snprintf(text, sizeof text, "%.60Lf", middle - ldexpl(1, exponent - 9));
        }
        assert_true(len < (int)sizeof text);
        assert_int_equal(dn_number_read(dunlin_slice_of(text), DN_NUMBER_JSON, &number), DUNLIN_OK);
        if (number.number != strtod(text, NULL)) {
            fail_msg("%s: %.17g, not %.17g", text, number.number, strtod(text, NULL));
        }
    }
}

/* A midpoint has up to 767 digits; a digit behind them all decides. */
static void reads_hundreds_of_digits(void **state)
{
    (void)state;
    char exact[1200];
    char text[1300];
    double low = 2.2250738585072014e-308;
    double high = nextafter(low, 1);
    /* The midpoint is exact in long double on this test's machines, else the test is only weaker. */
    snprintf(exact, sizeof exact, "%.1100Lf", ((long double)low + (long double)high) / 2);
    static const char *const tails[] = {"", "0", "1", "00000000000001"};
    for (size_t i = 0; i < 4; i++) {
        dn_number number;
        snprintf(text, sizeof text, "%s%s", exact, tails[i]);
        assert_int_equal(dn_number_read(dunlin_slice_of(text), DN_NUMBER_JSON, &number), DUNLIN_OK);
        assert_true(number.number == strtod(text, NULL));
    }
}

static double random_double(const dn_random *random)
{
    uint64_t bits;
    double number;
    random->fill(random->context, &bits, sizeof bits);
    number = dn_double_of(bits);
    return isfinite(number) ? number : 1.5;
}

/* The shortest digits: they read back, and with one digit less the C library's do not. */
static void check_shortest(double number)
{
    char text[DN_SHORT_TEXT_MAX + 1];
    text[dn_double_format_short(number, text)] = '\0';
    if (strtod(text, NULL) != number) {
        fail_msg("%.17g is written as %s", number, text);
    }
    dn_number back;
    assert_int_equal(dn_number_read(dunlin_slice_of(text), DN_NUMBER_JSON, &back), DUNLIN_OK);
    assert_true(back.number == number);
    dn_decimal decimal = dn_decimal_of(number < 0 ? -number : number);
    int digits = snprintf(text, sizeof text, "%" PRIu64, decimal.digits);
    assert_true(digits <= 17);
    if (digits > 1) {
        snprintf(text, sizeof text, "%.*e", digits - 2, number);
        if (strtod(text, NULL) == number) {
            fail_msg("%s would do for %.17g", text, number);
        }
    }
}

static void random_doubles_survive_in_the_fewest_digits(void **state)
{
    (void)state;
    dn_seeded seeded;
    dn_seeded_init(&seeded, 17);
    dn_random random = dn_seeded_random(&seeded);
    for (int i = 0; i < 30000; i++) {
        double any = random_double(&random);
        double hundredths = (double)(int64_t)dn_random_between(&random, 0, 20000000) / 100 - 100000;
        double sum = hundredths + (double)dn_random_u32(&random) / 1e7;
        check_shortest(any);
        check_shortest(hundredths);
        check_shortest(sum);
        check_shortest((double)dn_single_of(dn_single_bits((float)sum)));
    }
    for (int exponent = -1074; exponent < 1024; exponent++) {
        check_shortest(ldexp(1, exponent));
        check_shortest(nextafter(ldexp(1, exponent), 0) > 0 ? nextafter(ldexp(1, exponent), 0) : 1);
    }
}

static void random_texts_read_as_the_nearest_double(void **state)
{
    (void)state;
    dn_seeded seeded;
    dn_seeded_init(&seeded, 18);
    dn_random random = dn_seeded_random(&seeded);
    for (int i = 0; i < 60000; i++) {
        char text[80];
        size_t digits = (size_t)dn_random_between(&random, 1, 40);
        size_t len = 0;
        text[len++] = (char)('1' + dn_random_between(&random, 0, 8));
        text[len++] = '.';
        for (size_t j = 0; j < digits; j++) {
            text[len++] = (char)('0' + dn_random_between(&random, 0, 9));
        }
        int exponent = (int)dn_random_between(&random, 0, 640) - 330;
        snprintf(text + len, sizeof text - len, "e%d", i % 3 == 0 ? exponent / 30 : exponent);
        dn_number number;
        double expected = strtod(text, NULL);
        dunlin_status status = dn_number_read(dunlin_slice_of(text), DN_NUMBER_JSON, &number);
        assert_int_equal(status, isfinite(expected) ? DUNLIN_OK : DUNLIN_ERR_RANGE);
        if (number.number != expected) {
            fail_msg("%s: %.17g, not %.17g", text, number.number, expected);
        }
    }
}

static void halves_and_singles(void **state)
{
    (void)state;
    static const struct {
        uint16_t half;
        double number;
    } cases[] = {
        {0x0000, 0},
        {0x3c00, 1},
        {0x3e00, 1.5},
        {0x7bff, 65504},
        {0x0001, 5.960464477539063e-8},
        {0x0400, 0.00006103515625},
        {0xc400, -4},
        {0x4da0, 22.5},
        {0x03ff, 0.00006097555160522461},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint16_t half = 0xffff;
        assert_true(dn_half_to_double(cases[i].half) == cases[i].number);
        assert_true(dn_half_of_single((float)cases[i].number, &half));
        assert_int_equal(half, cases[i].half);
    }
    for (uint32_t half = 0; half <= UINT16_MAX; half++) {
        double number = dn_half_to_double((uint16_t)half);
        float single;
        uint16_t back;
        if (number == number) {
            assert_true(dn_single_of_double(number, &single));
            assert_true(dn_half_of_single(single, &back));
            assert_int_equal(back, half);
        } else {
            assert_int_equal(half & 0x7c00, 0x7c00);
        }
    }
    uint16_t half;
    float single;
    assert_false(dn_half_of_single(65536.0f, &half));
    assert_false(dn_half_of_single(0.1f, &half));
    assert_false(dn_half_of_single(2.9802322387695312e-8f, &half));
    assert_false(dn_half_of_single(FLT_MIN / 4, &half));
    assert_false(dn_single_of_double(0.1, &single));
    assert_false(dn_single_of_double(DBL_MAX, &single));
    assert_true(dn_single_of_double((double)INFINITY, &single));
    assert_true(dn_half_of_single(INFINITY, &half));
    assert_int_equal(half, 0x7c00);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_exact_integers),
        cmocka_unit_test(reads_what_is_no_integer_of_64_bits),
        cmocka_unit_test(refuses_by_grammar),
        cmocka_unit_test(becomes_typed_values),
        cmocka_unit_test(adds_exactly),
        cmocka_unit_test(writes_doubles_in_two_ways),
        cmocka_unit_test(breaks_ties_to_even),
        cmocka_unit_test(random_midpoints_go_to_even),
        cmocka_unit_test(reads_hundreds_of_digits),
        cmocka_unit_test(random_doubles_survive_in_the_fewest_digits),
        cmocka_unit_test(random_texts_read_as_the_nearest_double),
        cmocka_unit_test(halves_and_singles),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
