/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact conversion between decimal digits and binary64: the nearest double of any digits (ties to even), and
 * the fewest digits that give a double back. Without locale, allocation or large tables: ordinary numbers
 * take one multiplication or division, the rest is decided by exact comparison (big.h), which takes up to 2
 * KiB of stack.
 */
#ifndef DN_CODEC_DECIMAL_H
#define DN_CODEC_DECIMAL_H

#include <dunlin/slice.h>

/* digits * 10^exponent */
typedef struct {
    uint64_t digits;
    int exponent;
} dn_decimal;

/* The double nearest to `decimal`; infinity when that is out of range, 0 when it is too small. */
double dn_decimal_to_double(dn_decimal decimal);

/*
 * The same for a number of which `decimal` holds only the first digits: `text` has them all (digits, at most
 * one '.'; anything else ends it), and its last digit counts 10^unit.
 */
double dn_decimal_text_to_double(dn_decimal decimal, dunlin_slice text, int unit);

/* The shortest digits that `number` (finite, above 0) is the nearest double of; the last digit is not 0. */
dn_decimal dn_decimal_of(double number);

#endif
