/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of staged credentials: a hash table; see credential_staged.h. */
#include "store/credential_staged.h"

#include <stdlib.h>
#include <string.h>

#define FREE    UINT64_C(0)
#define REMOVED UINT64_MAX
#define LEAST   64u /* slots */

void dn_credential_staged_init(dn_credential_staged *staged)
{
    *staged = (dn_credential_staged){.room = 0};
    pthread_mutex_init(&staged->lock, NULL);
}

void dn_credential_staged_free(dn_credential_staged *staged)
{
    free(staged->slots);
    pthread_mutex_destroy(&staged->lock);
}

size_t dn_credential_staged_count(dn_credential_staged *staged)
{
    return atomic_load_explicit(&staged->count, memory_order_relaxed);
}

/* Numbers count up: multiplying spreads them (Knuth, TAOCP 6.4). */
static size_t place_of(const dn_credential_staged *staged, uint64_t number)
{
    return (size_t)((number * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (staged->room - 1);
}

/* Its slot, or the first free one behind. There is a free one. */
static uint64_t *find(const dn_credential_staged *staged, uint64_t number)
{
    size_t at = place_of(staged, number);
    while (staged->slots[at] != FREE && staged->slots[at] != number) {
        at = (at + 1) & (staged->room - 1);
    }
    return &staged->slots[at];
}

/* At most half of the slots are not free. */
static bool make_room(dn_credential_staged *staged, size_t more)
{
    const size_t count = dn_credential_staged_count(staged);
    if (staged->room > 0 && (staged->used + more) * 2 <= staged->room) {
        return true;
    }
    size_t room = LEAST;
    while (room < (count + more) * 2) {
        room *= 2;
    }
    uint64_t *fresh = calloc(room * 2, sizeof *fresh);
    if (fresh == NULL) {
        return false;
    }
    uint64_t *old = staged->slots;
    const size_t old_room = staged->room;
    staged->slots = fresh;
    staged->room = room * 2;
    for (size_t i = 0; i < old_room; i++) {
        if (old[i] != FREE && old[i] != REMOVED) {
            *find(staged, old[i]) = old[i];
        }
    }
    staged->used = count;
    free(old);
    return true;
}

bool dn_credential_staged_reserve(dn_credential_staged *staged, size_t more)
{
    pthread_mutex_lock(&staged->lock);
    const bool ok = make_room(staged, more);
    pthread_mutex_unlock(&staged->lock);
    return ok;
}

bool dn_credential_staged_add(dn_credential_staged *staged, uint64_t number)
{
    pthread_mutex_lock(&staged->lock);
    const bool ok = make_room(staged, 1);
    uint64_t *slot = ok ? find(staged, number) : NULL;
    if (slot != NULL && *slot == FREE) {
        *slot = number;
        staged->used++;
        atomic_fetch_add(&staged->count, 1);
    }
    pthread_mutex_unlock(&staged->lock);
    return ok;
}

static bool has(const dn_credential_staged *staged, uint64_t number)
{
    return staged->room > 0 && *find(staged, number) == number;
}

void dn_credential_staged_remove(dn_credential_staged *staged, uint64_t number)
{
    pthread_mutex_lock(&staged->lock);
    if (has(staged, number)) {
        *find(staged, number) = REMOVED;
        atomic_fetch_sub(&staged->count, 1);
    }
    pthread_mutex_unlock(&staged->lock);
}

bool dn_credential_staged_prove(dn_credential_staged *staged, uint64_t number)
{
    if (dn_credential_staged_count(staged) == 0) {
        return false;
    }
    pthread_mutex_lock(&staged->lock);
    const bool waits = staged->proved_count < DN_STAGED_PROVED_MAX && has(staged, number);
    if (waits) {
        staged->proved[staged->proved_count++] = number;
    }
    pthread_mutex_unlock(&staged->lock);
    return waits;
}

size_t dn_credential_staged_take(dn_credential_staged *staged, uint64_t out[DN_STAGED_PROVED_MAX])
{
    pthread_mutex_lock(&staged->lock);
    const size_t count = staged->proved_count;
    memcpy(out, staged->proved, count * sizeof *out);
    staged->proved_count = 0;
    pthread_mutex_unlock(&staged->lock);
    return count;
}
