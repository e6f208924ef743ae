/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small strings (endpoint names, phone numbers) packed by 8 bytes and named by 32 bits: 24 bytes for a name
 * of 20, where malloc takes 32 and a pointer. Freed room is taken again by strings of the same size class.
 *
 * The owner keeps the length. Threads: one arena belongs to one thread.
 */
#ifndef DN_SERVER_STRINGS_H
#define DN_SERVER_STRINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_STRINGS_UNIT    8u
#define DN_STRINGS_LEN_MAX 1024u
#define DN_STRINGS_CHUNK   (1u << 20)
#define DN_STRINGS_NONE    0u

typedef struct {
    uint8_t **chunks;
    uint32_t chunk_count;
    uint32_t used; /* units handed out of the last chunk */
    uint32_t free_heads[DN_STRINGS_LEN_MAX / DN_STRINGS_UNIT + 1];
} dn_strings;

void dn_strings_init(dn_strings *strings);
void dn_strings_free(dn_strings *strings);
/* Room for `len` bytes (up to DN_STRINGS_LEN_MAX): its name, or DN_STRINGS_NONE if there is no memory. */
uint32_t dn_strings_take(dn_strings *strings, size_t len);
void dn_strings_give(dn_strings *strings, uint32_t name, size_t len);

static inline uint8_t *dn_strings_at(const dn_strings *strings, uint32_t name)
{
    uint32_t units = DN_STRINGS_CHUNK / DN_STRINGS_UNIT;
    return strings->chunks[name / units] + (size_t)(name % units) * DN_STRINGS_UNIT;
}

#endif
