/* SPDX-License-Identifier: Apache-2.0 */
/* Randomness is injected: engines draw from what their caller gives them. */
#ifndef DN_BASE_RANDOM_H
#define DN_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* `fill` writes `len` unpredictable bytes (unpredictable matters: tokens, RFC 7252 section 5.3.1). */
typedef struct {
    void (*fill)(void *context, void *out, size_t len);
    void *context;
} dn_random;

uint32_t dn_random_u32(const dn_random *random);
/* Uniform in [low, high]. */
uint64_t dn_random_between(const dn_random *random, uint64_t low, uint64_t high);

/* A seeded generator for tests and simulations only (xoshiro256**): the same seed gives the same run. */
typedef struct {
    uint64_t s[4];
} dn_seeded;
void dn_seeded_init(dn_seeded *seeded, uint64_t seed);
dn_random dn_seeded_random(dn_seeded *seeded);

#endif
