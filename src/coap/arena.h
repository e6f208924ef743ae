/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts the engine's arena into its tables. With no memory behind it, it only counts: the same code that lays
 * the tables out says how much they need.
 */
#ifndef DN_COAP_ARENA_H
#define DN_COAP_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_COAP_ARENA_ALIGN 16

typedef struct {
    uint8_t *base; /* NULL: count only */
    size_t used;
    bool overflow; /* the sizes do not fit size_t */
} dn_coap_arena;

/* Uninitialised memory for `count` items, aligned as malloc aligns; NULL when counting. */
static inline void *dn_coap_arena_take(dn_coap_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > (SIZE_MAX / 2 - arena->used - DN_COAP_ARENA_ALIGN) / size) {
        arena->overflow = true;
        return NULL;
    }
    uint8_t *taken = arena->base == NULL ? NULL : arena->base + arena->used;
    arena->used += (count * size + DN_COAP_ARENA_ALIGN - 1) / DN_COAP_ARENA_ALIGN * DN_COAP_ARENA_ALIGN;
    return taken;
}

/* The number of buckets for `count` items: a power of two, at most half full. */
static inline uint32_t dn_coap_buckets(uint32_t count)
{
    uint32_t buckets = 8;
    while (buckets < count * 2 && buckets < UINT32_C(1) << 30) {
        buckets *= 2;
    }
    return buckets;
}

#endif
