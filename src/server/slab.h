/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing array of equal records that never move, with a free list: small dense numbers ("slots") name
 * them. Each record begins with a uint32_t which the slab uses while the record is free.
 *
 * Threads: one slab belongs to one thread.
 */
#ifndef DN_SERVER_SLAB_H
#define DN_SERVER_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_SLAB_NONE  UINT32_MAX
#define DN_SLAB_CHUNK 4096u /* records allocated together */

typedef struct {
    uint8_t **chunks;
    size_t record_size;
    uint32_t max;
    uint32_t used; /* numbers below it were taken at least once */
    uint32_t live;
    uint32_t free_head;
} dn_slab;

/* At most `max` records, below 2^31. False: no memory. */
bool dn_slab_init(dn_slab *slab, size_t record_size, uint32_t max);
void dn_slab_free(dn_slab *slab);

static inline void *dn_slab_at(const dn_slab *slab, uint32_t number)
{
    return slab->chunks[number / DN_SLAB_CHUNK] + (size_t)(number % DN_SLAB_CHUNK) * slab->record_size;
}

/* A zeroed record's number, the one freed last first; DN_SLAB_NONE: `max` is reached or there is no memory.
 */
uint32_t dn_slab_take(dn_slab *slab);
void dn_slab_give(dn_slab *slab, uint32_t number);

/* For loading: takes just this number, which nobody has, leaving those below it out. False: out of range or
   no memory. When all are placed, dn_slab_placed frees what `in_use` says nobody took. */
bool dn_slab_place(dn_slab *slab, uint32_t number);
void dn_slab_placed(dn_slab *slab, bool (*in_use)(const void *record));

#endif
