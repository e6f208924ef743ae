/* SPDX-License-Identifier: Apache-2.0 */
/* IEEE 754 interchange formats as bits: binary16, binary32, binary64. */
#ifndef DN_CODEC_HALF_H
#define DN_CODEC_HALF_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

double dn_half_to_double(uint16_t half);
/* True if `single` is exactly a binary16 number, whose bits are then in `half`. Not for NaN. */
bool dn_half_of_single(float single, uint16_t *half);
/* True if `number` is exactly a binary32 number, which is then in `single`. Not for NaN. */
bool dn_single_of_double(double number, float *single);

static inline double dn_double_of(uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static inline uint64_t dn_double_bits(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static inline float dn_single_of(uint32_t bits)
{
    float single;
    memcpy(&single, &bits, sizeof single);
    return single;
}

static inline uint32_t dn_single_bits(float single)
{
    uint32_t bits;
    memcpy(&bits, &single, sizeof bits);
    return bits;
}

#endif
