/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading: with at most 53 bits of digits and a power of ten up to 10^22 one operation is exactly rounded
 * (Clinger, 1990). Otherwise ordinary arithmetic gives a candidate a few units off, which exact comparison
 * with the midpoints beside it corrects.
 *
 * Writing: 15 digits are tried first, since they are unique if they read back; ordinary numbers that need
 * more get them in 128-bit arithmetic, all others by the free-format algorithm of Steele, White and Dybvig.
 */
#include "codec/decimal.h"

#include "codec/big.h"

#include <string.h>

#define EXACT_INTEGER   (UINT64_C(1) << 53) /* up to here every integer is a double */
#define EXACT_POWER     22                  /* 10^22 is the largest exact power of ten */
#define FRACTION_BITS   52
#define EXPONENT_BIAS   1075 /* of the integer significand */
#define INFINITY_BITS   (UINT64_C(0x7ff) << FRACTION_BITS)
#define ADJUSTED_MAX    310    /* 10^310 is infinity */
#define ADJUSTED_MIN    (-330) /* 10^-330 is 0 */
#define LOG10_OF_2      78913  /* in units of 2^-18: exact enough to round right for every binary exponent */
#define LOG10_UNIT      (1 << 18)
#define DECIDING_DIGITS 770 /* digits behind these matter only by being 0 or not */

static const double power_of_10[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static uint64_t bits_of(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* A positive double as significand * 2^exponent. */
static uint64_t significand_of(uint64_t bits, int *exponent)
{
    uint64_t fraction = bits & ((UINT64_C(1) << FRACTION_BITS) - 1);
    int biased = (int)(bits >> FRACTION_BITS);
    *exponent = (biased == 0 ? 1 : biased) - EXPONENT_BIAS;
    return biased == 0 ? fraction : fraction | UINT64_C(1) << FRACTION_BITS;
}

static int digit_count(uint64_t digits)
{
    int count = 1;
    for (; digits >= 10; digits /= 10) {
        count++;
    }
    return count;
}

/* Compares digits * 10^exponent with the midpoint of the double `bits` and the next one up. */
static int compare_with_midpoint(const dn_big *digits, int exponent, uint64_t bits)
{
    int binary;
    uint64_t significand = significand_of(bits, &binary);
    dn_big left;
    dn_big right;
    dn_big_copy(&left, digits);
    dn_big_set(&right, 2 * significand + 1);
    int left_shift = exponent;
    int right_shift = binary - 1;
    if (exponent >= 0) {
        dn_big_multiply_power_of_5(&left, (unsigned)exponent);
    } else {
        dn_big_multiply_power_of_5(&right, (unsigned)-exponent);
    }
    if (left_shift > right_shift) {
        dn_big_shift_left(&left, (unsigned)(left_shift - right_shift));
    } else {
        dn_big_shift_left(&right, (unsigned)(right_shift - left_shift));
    }
    return dn_big_compare(&left, &right);
}

/* Walks from the candidate to the nearest double; of two that are equally near, to the even one. */
static double correct(double candidate, const dn_big *digits, int exponent)
{
    uint64_t bits = bits_of(candidate);
    bits = bits >= INFINITY_BITS ? INFINITY_BITS - 1 : bits;
    for (;;) {
        int above = compare_with_midpoint(digits, exponent, bits);
        if (above > 0 || (above == 0 && (bits & 1) != 0)) {
            bits++;
            if (bits == INFINITY_BITS) {
                return double_of(bits);
            }
            continue;
        }
        if (bits == 0) {
            return 0;
        }
        int below = compare_with_midpoint(digits, exponent, bits - 1);
        if (below > 0 || (below == 0 && (bits & 1) == 0)) {
            return double_of(bits);
        }
        bits--;
    }
}

static double estimate(dn_decimal decimal)
{
    static const double power[] = {1e1, 1e2, 1e4, 1e8, 1e16, 1e32, 1e64, 1e128, 1e256};
    double number = (double)decimal.digits;
    unsigned exponent = (unsigned)(decimal.exponent < 0 ? -decimal.exponent : decimal.exponent);
    for (unsigned i = sizeof power / sizeof power[0]; i-- > 0;) {
        if ((exponent >> i & 1) != 0) {
            number = decimal.exponent < 0 ? number / power[i] : number * power[i];
        }
    }
    return number;
}

static bool out_of_range(dn_decimal decimal, double *number)
{
    if (decimal.digits == 0) {
        *number = 0;
        return true;
    }
    int adjusted = decimal.exponent + digit_count(decimal.digits);
    if (adjusted > ADJUSTED_MAX || adjusted < ADJUSTED_MIN) {
        *number = adjusted < 0 ? 0 : double_of(INFINITY_BITS);
        return true;
    }
    return false;
}

double dn_decimal_to_double(dn_decimal decimal)
{
    if (decimal.digits <= EXACT_INTEGER && decimal.exponent >= -EXACT_POWER &&
        decimal.exponent <= EXACT_POWER) {
        double number = (double)decimal.digits;
        return decimal.exponent < 0 ? number / power_of_10[-decimal.exponent]
                                    : number * power_of_10[decimal.exponent];
    }
    double number;
    if (out_of_range(decimal, &number)) {
        return number;
    }
    dn_big digits;
    dn_big_set(&digits, decimal.digits);
    return correct(estimate(decimal), &digits, decimal.exponent);
}

double dn_decimal_text_to_double(dn_decimal decimal, dunlin_slice text, int unit)
{
    double number;
    if (out_of_range(decimal, &number)) {
        return number;
    }
    dn_big digits;
    dn_big_set(&digits, 0);
    int kept = 0;
    bool more = false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)text.data[i] - '0';
        if (digit > 9 && text.data[i] != '.') {
            break;
        }
        if (digit > 9 || (digit == 0 && kept == 0)) {
            continue;
        }
        if (kept < DECIDING_DIGITS) {
            dn_big_multiply_add(&digits, 10, digit);
            kept++;
        } else {
            more = more || digit != 0;
            unit++;
        }
    }
    if (more) {
        dn_big_multiply_add(&digits, 10, 1);
        unit--;
    }
    return correct(estimate(decimal), &digits, unit);
}

static dn_decimal without_trailing_zeros(dn_decimal decimal)
{
    while (decimal.digits % 10 == 0) {
        decimal.digits /= 10;
        decimal.exponent++;
    }
    return decimal;
}

/* The exponent of the first digit: 10^result <= number < 10^(result + 1), or one less than that. */
static int decimal_exponent(uint64_t significand, int binary)
{
    int bits = 64 - __builtin_clzll(significand) + binary; /* number < 2^bits */
    int low = (bits - 1) * LOG10_OF_2;
    return low >= 0 ? low / LOG10_UNIT : -((-low + LOG10_UNIT - 1) / LOG10_UNIT);
}

/*
 * Fifteen digits of decimal always have a double to themselves, so that if they read back they are the only
 * ones, and without their trailing zeros the shortest.
 */
static bool try_fifteen_digits(double number, dn_decimal *decimal)
{
    int binary;
    uint64_t significand = significand_of(bits_of(number), &binary);
    int exponent = decimal_exponent(significand, binary) - 14;
    if (exponent < -EXACT_POWER || exponent > EXACT_POWER) {
        return false;
    }
    double scaled = exponent < 0 ? number * power_of_10[-exponent] : number / power_of_10[exponent];
    uint64_t digits = (uint64_t)(scaled + 0.5);
    if (digits >= UINT64_C(1000000000000000)) {
        exponent++;
        digits = (digits + 5) / 10;
    }
    if (digits == 0 || digits >= UINT64_C(1000000000000000)) {
        return false;
    }
    decimal->digits = digits;
    decimal->exponent = exponent;
    if (bits_of(dn_decimal_to_double(*decimal)) != bits_of(number)) {
        return false;
    }
    *decimal = without_trailing_zeros(*decimal);
    return true;
}

/* An unsigned integer of 128 bits. */
typedef struct {
    uint64_t high;
    uint64_t low;
} wide;

static wide multiply(uint64_t a, uint64_t b)
{
    uint64_t a0 = (uint32_t)a;
    uint64_t a1 = a >> 32;
    uint64_t b0 = (uint32_t)b;
    uint64_t b1 = b >> 32;
    uint64_t low = a0 * b0;
    uint64_t middle = a1 * b0 + (low >> 32);
    uint64_t other = a0 * b1 + (uint32_t)middle;
    wide product = {a1 * b1 + (middle >> 32) + (other >> 32), other << 32 | (uint32_t)low};
    return product;
}

/* number / 2^shift, for a shift of 1 to 64 and a quotient of at most 64 bits; `rest` is 2^64 times what is
 * left of one. */
static uint64_t split(wide number, unsigned shift, uint64_t *rest)
{
    if (shift == 64) {
        *rest = number.low;
        return number.high;
    }
    *rest = number.low << (64 - shift);
    return number.high << (64 - shift) | number.low >> shift;
}

/* The number with 17 digits as an integer, and the integers that read back as the number. */
typedef struct {
    uint64_t digits;
    uint64_t rest; /* behind `digits`, in units of 2^-64 */
    uint64_t least;
    uint64_t most;
} scaled;

/* All that lies between the midpoints to the neighbours, which are half a unit away (a quarter below a power
 * of two). */
static void scale(uint64_t significand, unsigned shift, uint64_t power, scaled *out)
{
    bool even = (significand & 1) == 0;
    unsigned below = significand == UINT64_C(1) << FRACTION_BITS ? 1 : 2;
    uint64_t rest;
    out->digits = split(multiply(4 * significand, power), shift + 2, &out->rest);
    out->least = split(multiply(4 * significand - below, power), shift + 2, &rest);
    out->least += rest != 0 || !even;
    out->most = split(multiply(4 * significand + 2, power), shift + 2, &rest);
    out->most -= rest == 0 && !even;
}

/* What try_fifteen_digits leaves over of ordinary numbers: 16 digits if that does, else 17, which always do.
 */
static bool try_seventeen_digits(double number, dn_decimal *decimal)
{
    static const uint64_t power[] = {1u,
                                     10u,
                                     100u,
                                     1000u,
                                     10000u,
                                     100000u,
                                     1000000u,
                                     10000000u,
                                     100000000u,
                                     1000000000u,
                                     10000000000u,
                                     100000000000u,
                                     1000000000000u,
                                     10000000000000u,
                                     100000000000000u,
                                     1000000000000000u,
                                     10000000000000000u,
                                     100000000000000000u,
                                     1000000000000000000u,
                                     10000000000000000000u};
    int binary;
    uint64_t significand = significand_of(bits_of(number), &binary);
    int places = 16 - decimal_exponent(significand, binary);
    if (binary >= 0 || binary < -62 || places < 1 || places > 19) {
        return false;
    }
    scaled s;
    scale(significand, (unsigned)-binary, power[places], &s);
    if (s.digits >= power[17]) {
        scale(significand, (unsigned)-binary, power[--places], &s);
    }
    uint64_t down = s.digits / 10 * 10;
    uint64_t last = s.digits - down;
    bool down_fits = down >= s.least;
    bool up_fits = down + 10 <= s.most;
    if (down_fits || up_fits) {
        bool up = up_fits && (!down_fits || last >= 5);
        decimal->digits = down / 10 + up;
        decimal->exponent = 1 - places;
    } else {
        decimal->digits = s.digits + (s.rest >> 63);
        decimal->exponent = -places;
    }
    *decimal = without_trailing_zeros(*decimal);
    return true;
}

/* A number r / s and the distances to its neighbours' midpoints, below / s and above / s. */
typedef struct {
    dn_big r;
    dn_big s;
    dn_big below;
    bool above_is_double; /* above = 2 * below: the number is a power of two */
    bool even;            /* the midpoints themselves read back as the number */
} generator;

static bool touches_low(const generator *g)
{
    int order = dn_big_compare(&g->r, &g->below);
    return order < 0 || (order == 0 && g->even);
}

static bool touches_high(const generator *g)
{
    dn_big sum;
    dn_big_copy(&sum, &g->r);
    dn_big_add(&sum, &g->below);
    if (g->above_is_double) {
        dn_big_add(&sum, &g->below);
    }
    int order = dn_big_compare(&sum, &g->s);
    return order > 0 || (order == 0 && g->even);
}

static void next_place(generator *g)
{
    dn_big_multiply_add(&g->r, 10, 0);
    dn_big_multiply_add(&g->below, 10, 0);
}

static void generator_start(generator *g, uint64_t significand, int binary, int first)
{
    g->even = (significand & 1) == 0;
    g->above_is_double = significand == UINT64_C(1) << FRACTION_BITS && binary > 1 - EXPONENT_BIAS;
    unsigned extra = g->above_is_double ? 2 : 1;
    dn_big_set(&g->r, significand);
    dn_big_set(&g->s, 1);
    dn_big_set(&g->below, 1);
    dn_big_shift_left(&g->r, extra + (binary > 0 ? (unsigned)binary : 0));
    dn_big_shift_left(&g->s, extra + (binary < 0 ? (unsigned)-binary : 0));
    dn_big_shift_left(&g->below, binary > 0 ? (unsigned)binary : 0);
    if (first >= 0) {
        dn_big_multiply_power_of_5(&g->s, (unsigned)first);
        dn_big_shift_left(&g->s, (unsigned)first);
    } else {
        dn_big_multiply_power_of_5(&g->r, (unsigned)-first);
        dn_big_shift_left(&g->r, (unsigned)-first);
        dn_big_multiply_power_of_5(&g->below, (unsigned)-first);
        dn_big_shift_left(&g->below, (unsigned)-first);
    }
}

static unsigned next_digit(generator *g)
{
    unsigned digit = 0;
    while (dn_big_compare(&g->r, &g->s) >= 0) {
        dn_big_subtract(&g->r, &g->s);
        digit++;
    }
    return digit;
}

static bool rounds_up(const generator *g, bool low, bool high)
{
    if (low != high) {
        return high;
    }
    dn_big twice;
    dn_big_copy(&twice, &g->r);
    dn_big_add(&twice, &g->r);
    return dn_big_compare(&twice, &g->s) >= 0;
}

dn_decimal dn_decimal_of(double number)
{
    dn_decimal quick;
    if (try_fifteen_digits(number, &quick) || try_seventeen_digits(number, &quick)) {
        return quick;
    }
    dn_decimal decimal = {0, 0};
    int binary;
    uint64_t significand = significand_of(bits_of(number), &binary);
    /* Scale so that r / s is in (0.1, 1], or below by the estimate's one place. */
    int place = decimal_exponent(significand, binary) + 1;
    generator g;
    generator_start(&g, significand, binary, place);
    if (touches_high(&g)) {
        dn_big_multiply_add(&g.s, 10, 0);
        place++;
    }
    bool low = false;
    bool high = false;
    while (!low && !high) {
        next_place(&g);
        decimal.digits = decimal.digits * 10 + next_digit(&g);
        place--;
        low = touches_low(&g);
        high = touches_high(&g);
    }
    decimal.digits += rounds_up(&g, low, high);
    decimal.exponent = place;
    return without_trailing_zeros(decimal);
}
