/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the journal says beyond the tables, by number: gathered at the start in one reading of the journal,
 * then laid over the rows as they are loaded. It remembers where a change stands, not the change itself, so
 * that it stays small for a long journal.
 */
#ifndef DN_STORE_OVERLAY_H
#define DN_STORE_OVERLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { DN_OVERLAY_NONE, DN_OVERLAY_PUT, DN_OVERLAY_DROPPED } dn_overlay_kind;

typedef struct {
    int64_t sequence; /* PUT: where the newest whole record stands */
    uint32_t offset;
    uint8_t kind;
    bool touched; /* after the PUT, or after the row was written */
    int64_t touched_ms;
} dn_overlay_entry;

/* Zero-initialise; free with dn_overlay_free. */
typedef struct {
    dn_overlay_entry *entries;
    uint32_t count; /* numbers below it have an entry */
} dn_overlay;

void dn_overlay_free(dn_overlay *overlay);
/* Notes a change about `number`. False: no memory, or the number is beyond DN_OVERLAY_MAX. */
bool dn_overlay_put(dn_overlay *overlay, uint32_t number, int64_t sequence, uint32_t offset);
bool dn_overlay_drop(dn_overlay *overlay, uint32_t number);
bool dn_overlay_touch(dn_overlay *overlay, uint32_t number, int64_t touched_ms);
/* NULL beyond what was noted. */
const dn_overlay_entry *dn_overlay_at(const dn_overlay *overlay, uint32_t number);

/* Numbers are dense: one beyond this is damage, not a fleet. */
#define DN_OVERLAY_MAX (1u << 26)

#endif
