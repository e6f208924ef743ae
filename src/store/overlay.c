/* SPDX-License-Identifier: Apache-2.0 */
/* An array of entries by number, grown by doubling. */
#include "store/overlay.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_MIN 256u

void dn_overlay_free(dn_overlay *overlay)
{
    free(overlay->entries);
    *overlay = (dn_overlay){0};
}

static dn_overlay_entry *entry_of(dn_overlay *overlay, uint32_t number)
{
    if (number >= DN_OVERLAY_MAX) {
        return NULL;
    }
    if (number >= overlay->count) {
        uint32_t count = overlay->count < COUNT_MIN ? COUNT_MIN : overlay->count;
        while (count <= number) {
            count *= 2;
        }
        dn_overlay_entry *entries = realloc(overlay->entries, count * sizeof *entries);
        if (entries == NULL) {
            return NULL;
        }
        memset(entries + overlay->count, 0, (count - overlay->count) * sizeof *entries);
        overlay->entries = entries;
        overlay->count = count;
    }
    return &overlay->entries[number];
}

bool dn_overlay_put(dn_overlay *overlay, uint32_t number, int64_t sequence, uint32_t offset)
{
    dn_overlay_entry *entry = entry_of(overlay, number);
    if (entry == NULL) {
        return false;
    }
    *entry = (dn_overlay_entry){.sequence = sequence, .offset = offset, .kind = DN_OVERLAY_PUT};
    return true;
}

bool dn_overlay_drop(dn_overlay *overlay, uint32_t number)
{
    dn_overlay_entry *entry = entry_of(overlay, number);
    if (entry == NULL) {
        return false;
    }
    *entry = (dn_overlay_entry){.kind = DN_OVERLAY_DROPPED};
    return true;
}

bool dn_overlay_touch(dn_overlay *overlay, uint32_t number, int64_t touched_ms)
{
    dn_overlay_entry *entry = entry_of(overlay, number);
    if (entry == NULL) {
        return false;
    }
    entry->touched = true;
    entry->touched_ms = touched_ms;
    return true;
}

const dn_overlay_entry *dn_overlay_at(const dn_overlay *overlay, uint32_t number)
{
    return number < overlay->count ? &overlay->entries[number] : NULL;
}
