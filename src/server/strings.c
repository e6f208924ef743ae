/* SPDX-License-Identifier: Apache-2.0 */
/* A bump pointer through chunks that never move, and a list of free blocks for each size class. */
#include "server/strings.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_UNITS (DN_STRINGS_CHUNK / DN_STRINGS_UNIT)
#define CHUNKS_MAX  (UINT32_MAX / CHUNK_UNITS)

void dn_strings_init(dn_strings *strings)
{
    *strings = (dn_strings){0};
}

void dn_strings_free(dn_strings *strings)
{
    for (uint32_t i = 0; i < strings->chunk_count; i++) {
        free(strings->chunks[i]);
    }
    free(strings->chunks);
    *strings = (dn_strings){0};
}

static uint32_t units_of(size_t len)
{
    return len == 0 ? 1 : (uint32_t)((len + DN_STRINGS_UNIT - 1) / DN_STRINGS_UNIT);
}

static bool add_chunk(dn_strings *strings)
{
    if (strings->chunk_count == CHUNKS_MAX) {
        return false;
    }
    uint8_t **chunks = realloc(strings->chunks, (strings->chunk_count + 1) * sizeof *chunks);
    if (chunks == NULL) {
        return false;
    }
    strings->chunks = chunks;
    chunks[strings->chunk_count] = calloc(CHUNK_UNITS, DN_STRINGS_UNIT);
    if (chunks[strings->chunk_count] == NULL) {
        return false;
    }
    /* Unit 0 of the first chunk stays unused: its name says "none". */
    strings->used = strings->chunk_count == 0 ? 1 : 0;
    strings->chunk_count++;
    return true;
}

uint32_t dn_strings_take(dn_strings *strings, size_t len)
{
    if (len > DN_STRINGS_LEN_MAX) {
        return DN_STRINGS_NONE;
    }
    uint32_t units = units_of(len);
    uint32_t name = strings->free_heads[units];
    if (name != DN_STRINGS_NONE) {
        memcpy(&strings->free_heads[units], dn_strings_at(strings, name), sizeof name);
        return name;
    }
    if ((strings->chunk_count == 0 || strings->used + units > CHUNK_UNITS) && !add_chunk(strings)) {
        return DN_STRINGS_NONE;
    }
    name = (strings->chunk_count - 1) * CHUNK_UNITS + strings->used;
    strings->used += units;
    return name;
}

void dn_strings_give(dn_strings *strings, uint32_t name, size_t len)
{
    if (name == DN_STRINGS_NONE) {
        return;
    }
    uint32_t units = units_of(len);
    memcpy(dn_strings_at(strings, name), &strings->free_heads[units], sizeof name);
    strings->free_heads[units] = name;
}
