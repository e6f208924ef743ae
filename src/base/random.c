/* SPDX-License-Identifier: Apache-2.0 */
/* Draws from an injected source, and the seeded source for tests and simulations. */
#include "base/random.h"

#include <string.h>

uint32_t dn_random_u32(const dn_random *random)
{
    uint32_t word;
    random->fill(random->context, &word, sizeof word);
    return word;
}

static uint64_t draw_u64(const dn_random *random)
{
    uint64_t word;
    random->fill(random->context, &word, sizeof word);
    return word;
}

uint64_t dn_random_between(const dn_random *random, uint64_t low, uint64_t high)
{
    uint64_t span = high - low + 1; /* 0: every 64-bit value */
    uint64_t word = draw_u64(random);
    if (span == 0) {
        return word;
    }
    /* The first 2^64 mod span values would come once too often. */
    uint64_t biased = (0 - span) % span;
    while (word < biased) {
        word = draw_u64(random);
    }
    return low + word % span;
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

/* xoshiro256** (Blackman, Vigna). */
static uint64_t seeded_next(dn_seeded *seeded)
{
    uint64_t *s = seeded->s;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

static void seeded_fill(void *context, void *out, size_t len)
{
    dn_seeded *seeded = context;
    uint8_t *bytes = out;
    while (len > 0) {
        uint64_t word = seeded_next(seeded);
        size_t part = len < sizeof word ? len : sizeof word;
        memcpy(bytes, &word, part);
        bytes += part;
        len -= part;
    }
}

/* SplitMix64 spreads the seed, as the generator's authors advise: the state must not be all zero. */
void dn_seeded_init(dn_seeded *seeded, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15u;
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        seeded->s[i] = z ^ (z >> 31);
    }
}

dn_random dn_seeded_random(dn_seeded *seeded)
{
    dn_random random = {seeded_fill, seeded};
    return random;
}
