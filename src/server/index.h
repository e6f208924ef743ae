/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash index from 32-bit hashes to numbers (slots): open addressing, grown a little with each change so
 * that no single call pays for the whole (a table of a million costs 150 ms at once). It keeps hashes, not
 * keys: a caller walks the numbers of its hash and compares. The hash of bytes that strangers choose must be
 * keyed (dn_hash).
 *
 * Memory: 8 bytes an entry at a load of 13/32 to 13/16, where a search that fails looks at 15 entries
 * in a row. Threads: one index belongs to one thread.
 */
#ifndef DN_SERVER_INDEX_H
#define DN_SERVER_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t hash;
    uint32_t mark; /* 0 free, UINT32_MAX taken out (in the old table only), else number + 1 */
} dn_index_entry;

typedef struct {
    dn_index_entry *table; /* new entries go here */
    size_t mask;
    size_t in_table;
    dn_index_entry *old; /* being emptied, or NULL */
    size_t old_mask;
    size_t old_at; /* entries below it have moved */
    size_t count;
} dn_index;

/* Room for `expected` entries before the first growth. False: no memory. */
bool dn_index_init(dn_index *index, size_t expected);
void dn_index_free(dn_index *index);
/* Adds `number` (below UINT32_MAX - 1) under `hash`; the same pair twice is two entries. False: no memory,
 * nothing done. */
bool dn_index_put(dn_index *index, uint32_t hash, uint32_t number);
/* Takes one such pair out. False: not there. */
bool dn_index_remove(dn_index *index, uint32_t hash, uint32_t number);

/* A walk over the numbers under one hash; any change of the index ends it. */
typedef struct {
    const dn_index *index;
    uint32_t hash;
    size_t at;
    bool in_old;
} dn_index_walk;

dn_index_walk dn_index_find(const dn_index *index, uint32_t hash);
bool dn_index_next(dn_index_walk *walk, uint32_t *number);

#endif
