/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers by ids which only ever grow: an array in the order of the ids, with holes where some were dropped. An id is found
 * by halving. Holes are closed when half of the places are holes, which costs a constant per id.
 */
#ifndef DN_SERVER_IDS_H
#define DN_SERVER_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_IDS_NONE UINT32_MAX

typedef struct {
    uint64_t id;
    uint32_t number; /* DN_IDS_NONE: dropped */
} dn_id_place;

/* All zero: empty. */
typedef struct {
    dn_id_place *places;
    size_t count, cap, holes;
} dn_ids;

void dn_ids_free(dn_ids *ids);
/* Room for one more. May move places. False: no memory. */
bool dn_ids_reserve(dn_ids *ids);
/* An id above all others, for which there is room; or any, if dn_ids_sort follows. */
void dn_ids_add(dn_ids *ids, uint64_t id, uint32_t number);
/* False: some id is there twice. */
bool dn_ids_sort(dn_ids *ids);
/* DN_IDS_NONE: there is no such id. */
uint32_t dn_ids_find(const dn_ids *ids, uint64_t id);
/* Leaves a hole. */
void dn_ids_drop(dn_ids *ids, uint64_t id);
/* The first place whose id is above `after`; `count` if there is none. */
size_t dn_ids_after(const dn_ids *ids, uint64_t after);

#endif
