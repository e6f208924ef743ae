/* SPDX-License-Identifier: Apache-2.0 */
/* Schoolbook arithmetic on 32-bit limbs, lowest first. */
#include "codec/big.h"

#include <string.h>

#define LIMB_BITS 32u

static void append(dn_big *big, uint32_t limb)
{
    if (limb != 0 && big->len < DN_BIG_LIMBS) {
        big->limb[big->len++] = limb;
    }
}

void dn_big_set(dn_big *big, uint64_t value)
{
    big->limb[0] = (uint32_t)value;
    big->limb[1] = (uint32_t)(value >> LIMB_BITS);
    big->len = value >> LIMB_BITS != 0 ? 2 : value != 0 ? 1 : 0;
}

void dn_big_copy(dn_big *big, const dn_big *from)
{
    big->len = from->len;
    memcpy(big->limb, from->limb, from->len * sizeof from->limb[0]);
}

void dn_big_multiply_add(dn_big *big, uint32_t factor, uint32_t summand)
{
    uint64_t carry = summand;
    for (unsigned i = 0; i < big->len; i++) {
        carry += (uint64_t)big->limb[i] * factor;
        big->limb[i] = (uint32_t)carry;
        carry >>= LIMB_BITS;
    }
    append(big, (uint32_t)carry);
}

void dn_big_multiply_power_of_5(dn_big *big, unsigned exponent)
{
    static const uint32_t power[] = {1,     5,      25,      125,     625,      3125,      15625,
                                     78125, 390625, 1953125, 9765625, 48828125, 244140625, 1220703125};
    const unsigned largest = sizeof power / sizeof power[0] - 1;
    for (; exponent > largest; exponent -= largest) {
        dn_big_multiply_add(big, power[largest], 0);
    }
    dn_big_multiply_add(big, power[exponent], 0);
}

void dn_big_shift_left(dn_big *big, unsigned bits)
{
    unsigned limbs = bits / LIMB_BITS;
    unsigned rest = bits % LIMB_BITS;
    if (big->len == 0 || big->len + limbs > DN_BIG_LIMBS) {
        return;
    }
    if (limbs > 0) {
        memmove(big->limb + limbs, big->limb, big->len * sizeof big->limb[0]);
        memset(big->limb, 0, limbs * sizeof big->limb[0]);
        big->len += limbs;
    }
    if (rest > 0) {
        uint32_t carry = 0;
        for (unsigned i = limbs; i < big->len; i++) {
            uint32_t limb = big->limb[i];
            big->limb[i] = limb << rest | carry;
            carry = limb >> (LIMB_BITS - rest);
        }
        append(big, carry);
    }
}

int dn_big_compare(const dn_big *a, const dn_big *b)
{
    if (a->len != b->len) {
        return a->len < b->len ? -1 : 1;
    }
    for (unsigned i = a->len; i-- > 0;) {
        if (a->limb[i] != b->limb[i]) {
            return a->limb[i] < b->limb[i] ? -1 : 1;
        }
    }
    return 0;
}

void dn_big_add(dn_big *big, const dn_big *other)
{
    uint64_t carry = 0;
    while (big->len < other->len) {
        big->limb[big->len++] = 0;
    }
    for (unsigned i = 0; i < big->len; i++) {
        carry += (uint64_t)big->limb[i] + (i < other->len ? other->limb[i] : 0);
        big->limb[i] = (uint32_t)carry;
        carry >>= LIMB_BITS;
    }
    append(big, (uint32_t)carry);
}

void dn_big_subtract(dn_big *big, const dn_big *other)
{
    uint32_t borrow = 0;
    for (unsigned i = 0; i < big->len; i++) {
        uint64_t taken = (uint64_t)(i < other->len ? other->limb[i] : 0) + borrow;
        borrow = big->limb[i] < taken;
        big->limb[i] = (uint32_t)(big->limb[i] - taken);
    }
    while (big->len > 0 && big->limb[big->len - 1] == 0) {
        big->len--;
    }
}
