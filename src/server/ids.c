/* SPDX-License-Identifier: Apache-2.0 */
#include "server/ids.h"

#include <stdlib.h>

#define PLACES_MIN 64u

void dn_ids_free(dn_ids *ids)
{
    free(ids->places);
    *ids = (dn_ids){.places = NULL};
}

size_t dn_ids_after(const dn_ids *ids, uint64_t after)
{
    size_t low = 0;
    size_t high = ids->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ids->places[middle].id <= after) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static dn_id_place *place_of(const dn_ids *ids, uint64_t id)
{
    size_t at = id > 0 ? dn_ids_after(ids, id - 1) : ids->count;
    return at < ids->count && ids->places[at].id == id ? &ids->places[at] : NULL;
}

uint32_t dn_ids_find(const dn_ids *ids, uint64_t id)
{
    const dn_id_place *place = place_of(ids, id);
    return place != NULL ? place->number : DN_IDS_NONE;
}

static void close_holes(dn_ids *ids)
{
    size_t kept = 0;
    for (size_t at = 0; at < ids->count; at++) {
        if (ids->places[at].number != DN_IDS_NONE) {
            ids->places[kept++] = ids->places[at];
        }
    }
    ids->count = kept;
    ids->holes = 0;
}

bool dn_ids_reserve(dn_ids *ids)
{
    if (ids->holes > PLACES_MIN && ids->holes * 2 > ids->count) {
        close_holes(ids);
    }
    if (ids->count < ids->cap) {
        return true;
    }
    size_t cap = ids->cap == 0 ? PLACES_MIN : ids->cap * 2;
    dn_id_place *places = realloc(ids->places, cap * sizeof *places);
    if (places == NULL) {
        return false;
    }
    ids->places = places;
    ids->cap = cap;
    return true;
}

void dn_ids_add(dn_ids *ids, uint64_t id, uint32_t number)
{
    ids->places[ids->count++] = (dn_id_place){id, number};
}

void dn_ids_drop(dn_ids *ids, uint64_t id)
{
    dn_id_place *place = place_of(ids, id);
    if (place != NULL && place->number != DN_IDS_NONE) {
        place->number = DN_IDS_NONE;
        ids->holes++;
    }
}

static int compare(const void *a, const void *b)
{
    const dn_id_place *left = a;
    const dn_id_place *right = b;
    return left->id < right->id ? -1 : left->id > right->id;
}

bool dn_ids_sort(dn_ids *ids)
{
    if (ids->count > 0) {
        qsort(ids->places, ids->count, sizeof *ids->places, compare);
    }
    for (size_t at = 1; at < ids->count; at++) {
        if (ids->places[at - 1].id == ids->places[at].id) {
            return false;
        }
    }
    return true;
}
