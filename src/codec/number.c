/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers: decimal text in and out, sums, and the step to typed values. */
#include "codec/number.h"

#include "codec/decimal.h"

#include <string.h>

#define TWO_POW_63            9223372036854775808.0
#define TWO_POW_64            18446744073709551616.0
#define INTEGER_MIN_MAGNITUDE (UINT64_C(1) << 63)
#define EXPONENT_MAX          100000 /* of text; anything beyond it is infinity or 0 just as well */
#define PLACES_MAX            19     /* 10^19 fits in 64 bits */

dn_number dn_number_of_unsigned(uint64_t magnitude, bool negative)
{
    double number = (double)magnitude;
    dn_number result = {true, negative, magnitude, negative ? -number : number};
    return result;
}

dn_number dn_number_of_integer(int64_t integer)
{
    return dn_number_of_unsigned(integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer, integer < 0);
}

dn_number dn_number_of_double(double number)
{
    dn_number result = {false, number < 0, 0, number};
    double magnitude = number < 0 ? -number : number;
    if (magnitude < TWO_POW_64 && (double)(uint64_t)magnitude == magnitude) {
        result.integral = true;
        result.magnitude = (uint64_t)magnitude;
    }
    return result;
}

/* What a scan over the text of a number finds. */
typedef struct {
    bool negative;
    bool more; /* digits other than 0 follow those in `decimal` */
    dn_decimal decimal;
    dunlin_slice digits; /* from the first digit or point on */
    int unit;            /* the last digit counts 10^unit */
} scan;

/* The digits of the text so far; zeros wait, so that "1000" and "1.000" both keep just the 1. */
typedef struct {
    uint64_t kept;
    bool full; /* no room for more digits in `kept` */
    bool more;
    int pending; /* digits behind the kept ones */
} collector;

static void collect(collector *c, unsigned digit)
{
    if (digit == 0) {
        c->pending += c->kept != 0 || c->full;
        return;
    }
    if (!c->full) {
        uint64_t kept = c->kept;
        int places = c->pending + 1;
        for (; places > 0 && kept <= (UINT64_MAX - digit) / 10; places--) {
            kept *= 10;
        }
        if (places == 0) {
            c->kept = kept + digit;
            c->pending = 0;
            return;
        }
        c->full = true;
    }
    c->more = true;
    c->pending++;
}

static unsigned digit_at(const uint8_t *at, const uint8_t *end)
{
    return at < end ? (unsigned)*at - '0' : 10;
}

static const uint8_t *collect_run(collector *c, const uint8_t *at, const uint8_t *end)
{
    for (unsigned digit; (digit = digit_at(at, end)) <= 9; at++) {
        collect(c, digit);
    }
    return at;
}

/* "e-10": NULL if it is malformed. */
static const uint8_t *read_exponent(const uint8_t *at, const uint8_t *end, int *exponent)
{
    bool negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    if (digit_at(at, end) > 9) {
        return NULL;
    }
    int value = 0;
    for (unsigned digit; (digit = digit_at(at, end)) <= 9; at++) {
        value = value < EXPONENT_MAX ? value * 10 + (int)digit : value;
    }
    *exponent = negative ? -value : value;
    return at;
}

static const uint8_t *read_sign(const uint8_t *at, const uint8_t *end, dn_number_grammar grammar,
                                bool *negative)
{
    *negative = at < end && *at == '-';
    bool plus = grammar == DN_NUMBER_TEXT && at < end && *at == '+';
    return at + (*negative || plus);
}

static bool scan_number(dunlin_slice text, dn_number_grammar grammar, scan *s)
{
    const uint8_t *end = text.data + text.len;
    const uint8_t *whole = read_sign(text.data, end, grammar, &s->negative);
    collector c = {0, false, false, 0};
    const uint8_t *at = collect_run(&c, whole, end);
    ptrdiff_t whole_digits = at - whole;
    ptrdiff_t places = 0;
    bool point = at < end && *at == '.';
    if (point) {
        const uint8_t *fraction = at + 1;
        at = collect_run(&c, fraction, end);
        places = at - fraction;
    }
    bool fits = whole_digits + places > 0;
    if (grammar == DN_NUMBER_JSON) {
        fits = whole_digits > 0 && (whole_digits == 1 || *whole != '0') && !(point && places == 0);
    }
    int exponent = 0;
    s->digits = dunlin_slice_make(whole, (size_t)(end - whole));
    if (fits && at < end && (*at == 'e' || *at == 'E')) {
        at = read_exponent(at + 1, end, &exponent);
    }
    /* A payload is far shorter than 2^31 digits, but a file may not be. */
    if (!fits || at != end || text.len > INT32_MAX / 2) {
        return false;
    }
    s->unit = exponent - (int)places;
    s->more = c.more;
    s->decimal.digits = c.kept;
    s->decimal.exponent = s->unit + c.pending;
    return true;
}

/* True if the scanned number is an integer of at most 64 bits. */
static bool is_integral(const scan *s, uint64_t *magnitude)
{
    uint64_t value = s->decimal.digits;
    int exponent = s->decimal.exponent;
    if (s->more || (value != 0 && (exponent < 0 || exponent > PLACES_MAX))) {
        return false;
    }
    for (; value != 0 && exponent > 0; exponent--) {
        if (value > UINT64_MAX / 10) {
            return false;
        }
        value *= 10;
    }
    *magnitude = value;
    return true;
}

dunlin_status dn_number_read(dunlin_slice text, dn_number_grammar grammar, dn_number *out)
{
    scan s;
    if (text.len == 0 || !scan_number(text, grammar, &s)) {
        return DUNLIN_ERR_MALFORMED;
    }
    uint64_t magnitude;
    if (is_integral(&s, &magnitude)) {
        *out = dn_number_of_unsigned(magnitude, s.negative);
        return DUNLIN_OK;
    }
    double number =
        s.more ? dn_decimal_text_to_double(s.decimal, s.digits, s.unit) : dn_decimal_to_double(s.decimal);
    out->integral = false;
    out->negative = s.negative;
    out->magnitude = 0;
    out->number = s.negative ? -number : number;
    return dn_double_is_finite(number) ? DUNLIN_OK : DUNLIN_ERR_RANGE;
}

bool dn_number_add(const dn_number *a, const dn_number *b, dn_number *out)
{
    if (!a->integral || !b->integral) {
        *out = dn_number_of_double(a->number + b->number);
        return true;
    }
    if (a->negative == b->negative) {
        uint64_t sum = a->magnitude + b->magnitude;
        if (sum < a->magnitude) {
            *out = dn_number_of_double(a->number + b->number);
            out->integral = false;
            return false;
        }
        *out = dn_number_of_unsigned(sum, a->negative);
        return true;
    }
    const dn_number *larger = a->magnitude >= b->magnitude ? a : b;
    const dn_number *smaller = larger == a ? b : a;
    uint64_t difference = larger->magnitude - smaller->magnitude;
    *out = dn_number_of_unsigned(difference, larger->negative && difference != 0);
    return true;
}

static bool fits_integer(const dn_number *number)
{
    return number->integral && number->magnitude <= INTEGER_MIN_MAGNITUDE - !number->negative;
}

static bool fits_unsigned(const dn_number *number)
{
    return number->integral && (!number->negative || number->magnitude == 0);
}

static int64_t integer_of(const dn_number *number)
{
    return (int64_t)(number->negative ? 0 - number->magnitude : number->magnitude);
}

dunlin_status dn_number_to_value(const dn_number *number, dunlin_type type, dunlin_value *out)
{
    if (type == DUNLIN_TYPE_NONE) {
        type = fits_integer(number)    ? DUNLIN_TYPE_INTEGER
               : fits_unsigned(number) ? DUNLIN_TYPE_UNSIGNED
                                       : DUNLIN_TYPE_FLOAT;
    }
    bool fits;
    switch (type) {
    case DUNLIN_TYPE_FLOAT:
        *out = dunlin_float(number->number);
        return DUNLIN_OK;
    case DUNLIN_TYPE_INTEGER:
    case DUNLIN_TYPE_TIME:
        fits = fits_integer(number);
        break;
    case DUNLIN_TYPE_UNSIGNED:
        fits = fits_unsigned(number);
        break;
    default:
        return DUNLIN_ERR_TYPE;
    }
    if (!fits) {
        /* A double of this size has no fraction: it is an integer out of range. */
        bool large = number->number >= TWO_POW_63 || number->number <= -TWO_POW_63;
        return number->integral || large ? DUNLIN_ERR_RANGE : DUNLIN_ERR_TYPE;
    }
    out->type = type;
    if (type == DUNLIN_TYPE_UNSIGNED) {
        out->as.uinteger = number->magnitude;
    } else {
        out->as.integer = integer_of(number);
    }
    return DUNLIN_OK;
}

size_t dn_unsigned_format(uint64_t value, char *out)
{
    char digits[DN_INTEGER_TEXT_MAX];
    size_t start = sizeof digits;
    do {
        digits[--start] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    memcpy(out, digits + start, sizeof digits - start);
    return sizeof digits - start;
}

size_t dn_integer_format(int64_t value, char *out)
{
    if (value >= 0) {
        return dn_unsigned_format((uint64_t)value, out);
    }
    out[0] = '-';
    return 1 + dn_unsigned_format(0 - (uint64_t)value, out + 1);
}

static size_t put_zeros(char *out, size_t at, int count)
{
    for (; count > 0; count--) {
        out[at++] = '0';
    }
    return at;
}

/* The digits `text` with the point behind the first `before` of them (which may be negative, or more than
 * there are). */
static size_t place_point(const char *text, int count, int before, char *out, size_t at)
{
    if (before <= 0) {
        out[at++] = '0';
        out[at++] = '.';
        at = put_zeros(out, at, -before);
        memcpy(out + at, text, (size_t)count);
        return at + (size_t)count;
    }
    int whole = before < count ? before : count;
    memcpy(out + at, text, (size_t)whole);
    at = put_zeros(out, at + (size_t)whole, before - whole);
    if (whole < count) {
        out[at++] = '.';
        memcpy(out + at, text + whole, (size_t)(count - whole));
        at += (size_t)(count - whole);
    }
    return at;
}

static size_t put_sign(double *number, char *out)
{
    uint64_t bits;
    memcpy(&bits, number, sizeof bits);
    if (bits >> 63 == 0) {
        return 0;
    }
    *number = -*number;
    out[0] = '-';
    return 1;
}

size_t dn_double_format_plain(double number, char out[DN_PLAIN_TEXT_MAX])
{
    char text[DN_INTEGER_TEXT_MAX];
    size_t at = put_sign(&number, out);
    if (number == 0) {
        out[at++] = '0';
        return at;
    }
    dn_decimal decimal = dn_decimal_of(number);
    int count = (int)dn_unsigned_format(decimal.digits, text);
    return place_point(text, count, count + decimal.exponent, out, at);
}

size_t dn_double_format_short(double number, char out[DN_SHORT_TEXT_MAX])
{
    char text[DN_INTEGER_TEXT_MAX];
    size_t at = put_sign(&number, out);
    if (number == 0) {
        out[at++] = '0';
        return at;
    }
    dn_decimal decimal = dn_decimal_of(number);
    int count = (int)dn_unsigned_format(decimal.digits, text);
    int before = count + decimal.exponent;
    if (before > -6 && before <= 21) {
        return place_point(text, count, before, out, at);
    }
    at = place_point(text, count, 1, out, at);
    out[at++] = 'e';
    return at + dn_integer_format(before - 1, out + at);
}
