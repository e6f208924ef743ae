/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers as formats carry them: text is read to the exact 64-bit integer if it has an integral value (also
 * "1e3" or "5.00"), otherwise to the nearest double. Nothing here depends on the locale.
 */
#ifndef DN_CODEC_NUMBER_H
#define DN_CODEC_NUMBER_H

#include <dunlin/value.h>

typedef struct {
    bool integral; /* the value is exactly `magnitude`, with the sign of `negative` */
    bool negative;
    uint64_t magnitude; /* 0 if not integral */
    double number;      /* the nearest double; exact if not integral and not read from text */
} dn_number;

dn_number dn_number_of_integer(int64_t integer);
dn_number dn_number_of_unsigned(uint64_t magnitude, bool negative);
/* Integral if `number` is an integer of at most 64 bits. */
dn_number dn_number_of_double(double number);

typedef enum {
    DN_NUMBER_JSON, /* RFC 8259 section 6 */
    DN_NUMBER_TEXT  /* also "+1", "007", ".5" and "5." */
} dn_number_grammar;

/* Reads the whole of `text`. MALFORMED, or RANGE for what is beyond every double. */
dunlin_status dn_number_read(dunlin_slice text, dn_number_grammar grammar, dn_number *out);

/* The sum: exact if both are integral. False if it is not exact although both are; `out` is then the nearest
 * double. */
bool dn_number_add(const dn_number *a, const dn_number *b, dn_number *out);

/*
 * As a value of `type`: INTEGER, UNSIGNED, TIME, FLOAT, or NONE for the first of INTEGER, UNSIGNED and FLOAT
 * that holds it. TYPE for any other type or a fraction where an integer is due; RANGE.
 */
dunlin_status dn_number_to_value(const dn_number *number, dunlin_type type, dunlin_value *out);

#define DN_INTEGER_TEXT_MAX 20  /* "-9223372036854775808", "18446744073709551615" */
#define DN_PLAIN_TEXT_MAX   330 /* "-0.", 323 zeros and the digits of the smallest doubles */
#define DN_SHORT_TEXT_MAX   32

/* Write decimal text without NUL (into DN_INTEGER_TEXT_MAX bytes) and return its length; the last two the
 * fewest digits that read back as `number`. */
size_t dn_unsigned_format(uint64_t value, char *out);
size_t dn_integer_format(int64_t value, char *out);
/* Without exponent, as LwM2M wants it in text (Core appendix C). `number` is finite. */
size_t dn_double_format_plain(double number, char out[DN_PLAIN_TEXT_MAX]);
/* With an exponent where that is shorter to read: below 1e-7 and from 1e21, as ECMAScript does. `number` is
 * finite. */
size_t dn_double_format_short(double number, char out[DN_SHORT_TEXT_MAX]);

static inline bool dn_double_is_finite(double number)
{
    return number - number == 0;
}

#endif
