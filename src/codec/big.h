/* SPDX-License-Identifier: Apache-2.0 */
/* Natural numbers of up to 3,072 bits: just enough for exact conversion between decimal text and binary64. */
#ifndef DN_CODEC_BIG_H
#define DN_CODEC_BIG_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The largest number that occurs: 771 digits of text (2,562 bits), or a 54-bit significand times 5^1094
 * (2,595 bits), shifted to meet the other one. Operations beyond the capacity are a programmer's error and
 * are cut off.
 */
#define DN_BIG_LIMBS 96

typedef struct {
    unsigned len; /* limbs in use; the highest is not 0 */
    uint32_t limb[DN_BIG_LIMBS];
} dn_big;

void dn_big_set(dn_big *big, uint64_t value);
/* Copies what is in use, not the whole capacity. */
void dn_big_copy(dn_big *big, const dn_big *from);
/* big = big * factor + summand */
void dn_big_multiply_add(dn_big *big, uint32_t factor, uint32_t summand);
void dn_big_multiply_power_of_5(dn_big *big, unsigned exponent);
void dn_big_shift_left(dn_big *big, unsigned bits);
/* Negative, 0 or positive. */
int dn_big_compare(const dn_big *a, const dn_big *b);
void dn_big_add(dn_big *big, const dn_big *other);
/* big -= other, which is not larger. */
void dn_big_subtract(dn_big *big, const dn_big *other);

#endif
