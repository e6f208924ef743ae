/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions between the widths of IEEE 754 that lose nothing, or say so. */
#include "codec/half.h"

#include <float.h>

/* A half has 1 + 5 + 10 bits, a single 1 + 8 + 23. */
#define HALF_FRACTION   10
#define SINGLE_FRACTION 23
#define HALF_BIAS       15
#define SINGLE_BIAS     127
#define HALF_SPECIAL    31

double dn_half_to_double(uint16_t half)
{
    uint32_t sign = (uint32_t)(half >> 15) << 31;
    uint32_t exponent = half >> HALF_FRACTION & 0x1f;
    uint32_t fraction = half & 0x3ff;
    if (exponent == 0) {
        double small = (double)fraction / (1 << 24); /* subnormal: units of 2^-24 */
        return sign != 0 ? -small : small;
    }
    exponent = exponent == HALF_SPECIAL ? 0xff : exponent + SINGLE_BIAS - HALF_BIAS;
    return (double)dn_single_of(sign | exponent << SINGLE_FRACTION |
                                fraction << (SINGLE_FRACTION - HALF_FRACTION));
}

bool dn_half_of_single(float single, uint16_t *half)
{
    uint32_t bits = dn_single_bits(single);
    int exponent = (int)(bits >> SINGLE_FRACTION & 0xff) - SINGLE_BIAS + HALF_BIAS;
    uint32_t fraction = bits & 0x7fffff;
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    unsigned dropped = SINGLE_FRACTION - HALF_FRACTION;
    if ((bits & 0x7fffffff) == 0) {
        *half = sign;
        return true;
    }
    if (exponent == 0xff - SINGLE_BIAS + HALF_BIAS) { /* infinity: its fraction is 0 */
        exponent = HALF_SPECIAL;
    } else if (exponent >= HALF_SPECIAL || exponent < -9) {
        return false;
    } else if (exponent <= 0) { /* subnormal: the leading 1 becomes part of the fraction */
        fraction |= 1u << SINGLE_FRACTION;
        dropped += (unsigned)(1 - exponent);
        exponent = 0;
    }
    if ((fraction & ((1u << dropped) - 1)) != 0) {
        return false;
    }
    *half = (uint16_t)(sign | (uint32_t)exponent << HALF_FRACTION | fraction >> dropped);
    return true;
}

bool dn_single_of_double(double number, float *single)
{
    double magnitude = number < 0 ? -number : number;
    if (magnitude > (double)FLT_MAX && magnitude <= DBL_MAX) {
        return false; /* the cast would be undefined */
    }
    *single = (float)number;
    return (double)*single == number;
}
