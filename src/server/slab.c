/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks come zeroed from calloc, so that untouched pages of a big chunk cost nothing. */
#include "server/slab.h"

#include <stdlib.h>
#include <string.h>

bool dn_slab_init(dn_slab *slab, size_t record_size, uint32_t max)
{
    *slab = (dn_slab){.record_size = record_size, .max = max, .free_head = DN_SLAB_NONE};
    slab->chunks = calloc(max / DN_SLAB_CHUNK + 1, sizeof *slab->chunks);
    return slab->chunks != NULL;
}

void dn_slab_free(dn_slab *slab)
{
    if (slab->chunks != NULL) {
        for (uint32_t i = 0; i <= slab->max / DN_SLAB_CHUNK; i++) {
            free(slab->chunks[i]);
        }
        free(slab->chunks);
    }
    *slab = (dn_slab){0};
}

static bool have_chunk(dn_slab *slab, uint32_t number)
{
    uint8_t **chunk = &slab->chunks[number / DN_SLAB_CHUNK];
    if (*chunk == NULL) {
        *chunk = calloc(DN_SLAB_CHUNK, slab->record_size);
    }
    return *chunk != NULL;
}

static void set_next(void *record, uint32_t next)
{
    memcpy(record, &next, sizeof next);
}

uint32_t dn_slab_take(dn_slab *slab)
{
    uint32_t number = slab->free_head;
    if (number != DN_SLAB_NONE) {
        void *record = dn_slab_at(slab, number);
        memcpy(&slab->free_head, record, sizeof slab->free_head);
        memset(record, 0, slab->record_size);
    } else {
        if (slab->used == slab->max || !have_chunk(slab, slab->used)) {
            return DN_SLAB_NONE;
        }
        number = slab->used++;
    }
    slab->live++;
    return number;
}

void dn_slab_give(dn_slab *slab, uint32_t number)
{
    void *record = dn_slab_at(slab, number);
    memset(record, 0, slab->record_size);
    set_next(record, slab->free_head);
    slab->free_head = number;
    slab->live--;
}

bool dn_slab_place(dn_slab *slab, uint32_t number)
{
    if (number >= slab->max) {
        return false;
    }
    /* Chunks that hold gaps only are needed too: their records join the free list. */
    for (uint32_t first = slab->used; first <= number; first = (first / DN_SLAB_CHUNK + 1) * DN_SLAB_CHUNK) {
        if (!have_chunk(slab, first)) {
            return false;
        }
    }
    if (number >= slab->used) {
        slab->used = number + 1;
    }
    slab->live++;
    return true;
}

void dn_slab_placed(dn_slab *slab, bool (*in_use)(const void *record))
{
    slab->free_head = DN_SLAB_NONE;
    for (uint32_t number = slab->used; number-- > 0;) {
        void *record = dn_slab_at(slab, number);
        if (!in_use(record)) {
            set_next(record, slab->free_head);
            slab->free_head = number;
        }
    }
}
