/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deadlines: an intrusive hierarchical timer wheel. No allocation, O(1) arm, cancel and expire, any number of
 * entries. Time is the caller's monotonic clock in milliseconds. One wheel belongs to one thread.
 */
#ifndef DN_BASE_DEADLINE_H
#define DN_BASE_DEADLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_NEVER UINT64_MAX

/* Embedded in the object that waits. Zero-initialised means not armed. */
typedef struct dn_deadline {
    struct dn_deadline *next;
    struct dn_deadline **link; /* the pointer that points here; NULL when not armed */
    uint64_t at_ms;
} dn_deadline;

#define DN_WHEEL_BITS   6
#define DN_WHEEL_SLOTS  (1u << DN_WHEEL_BITS)
#define DN_WHEEL_LEVELS 7 /* 64^7 ms: 139 years from dn_wheel_init; a later deadline expires then */

typedef struct {
    uint64_t start_ms; /* the time of dn_wheel_init, where the wheel's digits start */
    uint64_t now_ms;
    uint64_t occupied[DN_WHEEL_LEVELS]; /* one bit per slot */
    dn_deadline *slot[DN_WHEEL_LEVELS][DN_WHEEL_SLOTS];
} dn_wheel;

void dn_wheel_init(dn_wheel *wheel, uint64_t now_ms);
/* Arms or re-arms; a time in the past expires at the next dn_wheel_expire. DN_NEVER cancels. */
void dn_deadline_set(dn_wheel *wheel, dn_deadline *deadline, uint64_t at_ms);
void dn_deadline_cancel(dn_wheel *wheel, dn_deadline *deadline);
static inline bool dn_deadline_is_set(const dn_deadline *deadline)
{
    return deadline->link != NULL;
}
/*
 * Takes out one deadline that is due at `now_ms`, in order of time, or NULL when none is. Call until NULL.
 * The callee may arm and cancel any deadline between calls. `now_ms` never goes back (an earlier one counts
 * as the latest seen).
 */
dn_deadline *dn_wheel_expire(dn_wheel *wheel, uint64_t now_ms);
/* When to call dn_wheel_expire next: never later than the earliest deadline; DN_NEVER if there is none. */
uint64_t dn_wheel_next(const dn_wheel *wheel);

/* The object around a deadline. */
#define DN_CONTAINER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
