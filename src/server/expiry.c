/* SPDX-License-Identifier: Apache-2.0 */
/* One level of buckets, 18 hours round; what is due later waits in the farthest bucket and is put back when
 * that comes up. */
#include "server/expiry.h"

#include <stdlib.h>

#define HEAD     0x80000000u /* `prev` names a bucket */
#define FARTHEST (DN_EXPIRY_BUCKETS - 2)

bool dn_expiry_init(dn_expiry *expiry, dn_slab *slab, uint32_t now_s)
{
    *expiry = (dn_expiry){.slab = slab, .cursor_s = now_s};
    expiry->heads = calloc(DN_EXPIRY_BUCKETS, sizeof *expiry->heads);
    return expiry->heads != NULL;
}

void dn_expiry_free(dn_expiry *expiry)
{
    free(expiry->heads);
    expiry->heads = NULL;
}

static dn_expiry_link *link_of(const dn_expiry *expiry, uint32_t number)
{
    return dn_slab_at(expiry->slab, number);
}

static void mark(dn_expiry *expiry, uint32_t bucket, bool occupied)
{
    uint64_t *word = &expiry->occupied[bucket / 64];
    uint64_t *group = &expiry->groups[bucket / 4096];
    if (occupied) {
        *word |= UINT64_C(1) << bucket % 64;
        *group |= UINT64_C(1) << bucket / 64 % 64;
        return;
    }
    *word &= ~(UINT64_C(1) << bucket % 64);
    if (*word == 0) {
        *group &= ~(UINT64_C(1) << bucket / 64 % 64);
    }
}

static void unlink_record(dn_expiry *expiry, dn_expiry_link *link)
{
    if (link->prev == 0) {
        return;
    }
    if (link->prev & HEAD) {
        uint32_t bucket = link->prev & ~HEAD;
        expiry->heads[bucket] = link->next;
        if (link->next == 0) {
            mark(expiry, bucket, false);
        }
    } else {
        link_of(expiry, link->prev - 1)->next = link->next;
    }
    if (link->next != 0) {
        link_of(expiry, link->next - 1)->prev = link->prev;
    }
    link->next = link->prev = 0;
}

static void link_record(dn_expiry *expiry, uint32_t number, dn_expiry_link *link)
{
    uint32_t wait_s = link->due_s > expiry->cursor_s ? link->due_s - expiry->cursor_s : 0;
    uint32_t bucket = (expiry->cursor_s + (wait_s < FARTHEST ? wait_s : FARTHEST)) % DN_EXPIRY_BUCKETS;
    link->next = expiry->heads[bucket];
    link->prev = HEAD | bucket;
    if (link->next != 0) {
        link_of(expiry, link->next - 1)->prev = number + 1;
    }
    expiry->heads[bucket] = number + 1;
    mark(expiry, bucket, true);
}

void dn_expiry_set(dn_expiry *expiry, uint32_t number, uint32_t due_s)
{
    dn_expiry_link *link = link_of(expiry, number);
    if (link->prev != 0 && due_s >= link->due_s && due_s != DN_EXPIRY_NEVER) {
        link->due_s = due_s; /* lazily: its bucket comes up earlier, and puts it back */
        return;
    }
    unlink_record(expiry, link);
    link->due_s = due_s;
    if (due_s != DN_EXPIRY_NEVER) {
        link_record(expiry, number, link);
    }
}

/* Steps from the cursor to the next occupied bucket, or UINT32_MAX. Looks at 64 or 4,096 buckets at once. */
static uint32_t steps_to_occupied(const dn_expiry *expiry)
{
    uint32_t start = expiry->cursor_s % DN_EXPIRY_BUCKETS;
    uint64_t word = expiry->occupied[start / 64] >> start % 64;
    if (word != 0) {
        return (uint32_t)__builtin_ctzll(word);
    }
    for (uint32_t step = 64 - start % 64; step < DN_EXPIRY_BUCKETS;) {
        uint32_t bucket = (start + step) % DN_EXPIRY_BUCKETS;
        uint64_t group = expiry->groups[bucket / 4096] >> bucket / 64 % 64;
        if (group == 0) {
            step += 4096 - bucket % 4096;
            continue;
        }
        uint32_t words = (uint32_t)__builtin_ctzll(group);
        uint32_t found = bucket + words * 64;
        return step + words * 64 + (uint32_t)__builtin_ctzll(expiry->occupied[found / 64]);
    }
    /* The buckets of the first word that lie before the start are a whole round away. */
    word = expiry->occupied[start / 64];
    return word != 0 ? DN_EXPIRY_BUCKETS - start % 64 + (uint32_t)__builtin_ctzll(word) : UINT32_MAX;
}

uint32_t dn_expiry_take(dn_expiry *expiry, uint32_t now_s, uint32_t *budget)
{
    while (expiry->cursor_s <= now_s) {
        uint32_t head = expiry->heads[expiry->cursor_s % DN_EXPIRY_BUCKETS];
        if (head == 0) {
            uint32_t steps = steps_to_occupied(expiry);
            uint32_t left = now_s - expiry->cursor_s;
            if (steps > left) {
                /* The bucket of `now_s` stays the cursor's: records that are due at once go there. */
                expiry->cursor_s = now_s;
                return DN_SLAB_NONE;
            }
            expiry->cursor_s += steps;
            continue;
        }
        if (*budget == 0) {
            return DN_SLAB_NONE;
        }
        (*budget)--;
        dn_expiry_link *link = link_of(expiry, head - 1);
        unlink_record(expiry, link);
        if (link->due_s <= now_s) {
            link->due_s = DN_EXPIRY_NEVER;
            return head - 1;
        }
        link_record(expiry, head - 1, link);
    }
    return DN_SLAB_NONE;
}

uint32_t dn_expiry_next(const dn_expiry *expiry)
{
    uint32_t steps = steps_to_occupied(expiry);
    return steps == UINT32_MAX ? DN_EXPIRY_NEVER : expiry->cursor_s + steps;
}
