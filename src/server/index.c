/* SPDX-License-Identifier: Apache-2.0 */
/* Linear probing. The table in use deletes by shifting back; the one being emptied gets no new entries, so
 * marks suffice there. */
#include "server/index.h"

#include <stdlib.h>

#define MIN_ENTRIES 64
#define MOVES_PER_CHANGE \
    16 /* old entries visited with each change: the old table is empty long before the new one is full */
#define TAKEN_OUT UINT32_MAX

/* Entries that a table of `size` holds before it grows. */
static size_t room_of(size_t size)
{
    return size / 16 * 13;
}

static size_t table_size(size_t expected)
{
    size_t size = MIN_ENTRIES;
    while (room_of(size) < expected) {
        size *= 2;
    }
    return size;
}

bool dn_index_init(dn_index *index, size_t expected)
{
    *index = (dn_index){0};
    size_t size = table_size(expected);
    index->table = calloc(size, sizeof *index->table);
    index->mask = size - 1;
    return index->table != NULL;
}

void dn_index_free(dn_index *index)
{
    free(index->table);
    free(index->old);
    *index = (dn_index){0};
}

static void place(dn_index *index, dn_index_entry entry)
{
    size_t at = entry.hash & index->mask;
    while (index->table[at].mark != 0) {
        at = (at + 1) & index->mask;
    }
    index->table[at] = entry;
    index->in_table++;
}

static void move_some(dn_index *index, size_t limit)
{
    if (index->old == NULL) {
        return;
    }
    for (size_t moved = 0; moved < limit && index->old_at <= index->old_mask; moved++, index->old_at++) {
        dn_index_entry *entry = &index->old[index->old_at];
        if (entry->mark != 0 && entry->mark != TAKEN_OUT) {
            place(index, *entry);
            entry->mark = TAKEN_OUT;
        }
    }
    if (index->old_at > index->old_mask) {
        free(index->old);
        index->old = NULL;
    }
}

static bool grow(dn_index *index)
{
    move_some(index, SIZE_MAX); /* the one before has long ended, but a caller's luck must not decide it */
    size_t size = (index->mask + 1) * 2;
    dn_index_entry *table = calloc(size, sizeof *table);
    if (table == NULL) {
        return false;
    }
    index->old = index->table;
    index->old_mask = index->mask;
    index->old_at = 0;
    index->table = table;
    index->mask = size - 1;
    index->in_table = 0;
    return true;
}

bool dn_index_put(dn_index *index, uint32_t hash, uint32_t number)
{
    if (index->count + 1 > room_of(index->mask + 1) && !grow(index)) {
        return false;
    }
    move_some(index, MOVES_PER_CHANGE);
    place(index, (dn_index_entry){.hash = hash, .mark = number + 1});
    index->count++;
    return true;
}

/* Entry of the pair in a table, or SIZE_MAX. */
static size_t locate(const dn_index_entry *table, size_t mask, uint32_t hash, uint32_t number)
{
    for (size_t at = hash & mask; table[at].mark != 0; at = (at + 1) & mask) {
        if (table[at].mark == number + 1 && table[at].hash == hash) {
            return at;
        }
    }
    return SIZE_MAX;
}

/* Frees an entry and closes the gap, so that no probe stops before what it looks for. */
static void shift_back(dn_index *index, size_t gap)
{
    dn_index_entry *table = index->table;
    size_t mask = index->mask;
    for (size_t at = (gap + 1) & mask; table[at].mark != 0; at = (at + 1) & mask) {
        size_t home = table[at].hash & mask;
        bool stays = gap <= at ? (gap < home && home <= at) : (gap < home || home <= at);
        if (!stays) {
            table[gap] = table[at];
            gap = at;
        }
    }
    table[gap] = (dn_index_entry){0};
}

bool dn_index_remove(dn_index *index, uint32_t hash, uint32_t number)
{
    size_t at = locate(index->table, index->mask, hash, number);
    if (at != SIZE_MAX) {
        shift_back(index, at);
        index->in_table--;
    } else {
        at = index->old != NULL ? locate(index->old, index->old_mask, hash, number) : SIZE_MAX;
        if (at == SIZE_MAX) {
            return false;
        }
        index->old[at].mark = TAKEN_OUT;
    }
    index->count--;
    move_some(index, MOVES_PER_CHANGE);
    return true;
}

dn_index_walk dn_index_find(const dn_index *index, uint32_t hash)
{
    return (dn_index_walk){.index = index, .hash = hash, .at = hash & index->mask};
}

bool dn_index_next(dn_index_walk *walk, uint32_t *number)
{
    const dn_index *index = walk->index;
    for (;;) {
        const dn_index_entry *table = walk->in_old ? index->old : index->table;
        size_t mask = walk->in_old ? index->old_mask : index->mask;
        while (table[walk->at].mark != 0) {
            dn_index_entry entry = table[walk->at];
            walk->at = (walk->at + 1) & mask;
            if (entry.hash == walk->hash && entry.mark != TAKEN_OUT) {
                *number = entry.mark - 1;
                return true;
            }
        }
        if (walk->in_old || index->old == NULL) {
            return false;
        }
        walk->in_old = true;
        walk->at = walk->hash & index->old_mask;
    }
}
