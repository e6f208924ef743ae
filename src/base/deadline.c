/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The timer wheel. Times are read as numbers in base 64, counted from the wheel's start. A deadline stands on
 * the level of the highest digit in which it differs from now, in the slot of that digit. Hence every
 * deadline of a lower level is earlier than every one of a higher level, within a level slots are in order of
 * time, and the earliest is found with one look at each level's bit set. When now reaches a slot above level
 * 0, its deadlines move down.
 */
#include "base/deadline.h"

#include <string.h>

#define DIGIT_MASK (DN_WHEEL_SLOTS - 1u)
#define SPAN_BITS  (DN_WHEEL_BITS * DN_WHEEL_LEVELS)
#define SPAN_LAST  ((UINT64_C(1) << SPAN_BITS) - 1)

static unsigned lowest_bit(uint64_t word)
{
    return (unsigned)__builtin_ctzll(word);
}

static unsigned level_of(uint64_t now, uint64_t at)
{
    uint64_t differs = (now ^ at) | 1;
    return (63u - (unsigned)__builtin_clzll(differs)) / DN_WHEEL_BITS;
}

static void push(dn_wheel *wheel, dn_deadline *deadline)
{
    uint64_t now = wheel->now_ms - wheel->start_ms;
    uint64_t at = now;
    if (deadline->at_ms > wheel->now_ms) {
        at = deadline->at_ms - wheel->start_ms;
        at = at > SPAN_LAST ? SPAN_LAST : at;
    }
    unsigned level = level_of(now, at);
    unsigned slot = (unsigned)(at >> (level * DN_WHEEL_BITS)) & DIGIT_MASK;
    dn_deadline **head = &wheel->slot[level][slot];
    deadline->next = *head;
    deadline->link = head;
    if (deadline->next != NULL) {
        deadline->next->link = &deadline->next;
    }
    *head = deadline;
    wheel->occupied[level] |= UINT64_C(1) << slot;
}

/* Clears the bit of the slot whose head `link` is, if it is one and the slot is empty now. */
static void forget_empty(dn_wheel *wheel, dn_deadline *const *link)
{
    uintptr_t first = (uintptr_t)&wheel->slot[0][0];
    uintptr_t offset = (uintptr_t)link - first; /* wraps to something huge below `first` */
    if (*link == NULL && offset < sizeof wheel->slot) {
        size_t index = offset / sizeof wheel->slot[0][0];
        wheel->occupied[index >> DN_WHEEL_BITS] &= ~(UINT64_C(1) << (index & DIGIT_MASK));
    }
}

static void unlink_deadline(dn_wheel *wheel, dn_deadline *deadline)
{
    dn_deadline **link = deadline->link;
    *link = deadline->next;
    if (deadline->next != NULL) {
        deadline->next->link = link;
    }
    deadline->next = NULL;
    deadline->link = NULL;
    forget_empty(wheel, link);
}

/* The earliest slot in use: its level, or DN_WHEEL_LEVELS if there is none; `start_ms` is the first time it
 * covers. */
static unsigned earliest(const dn_wheel *wheel, unsigned *slot, uint64_t *start_ms)
{
    for (unsigned level = 0; level < DN_WHEEL_LEVELS; level++) {
        if (wheel->occupied[level] != 0) {
            uint64_t now = wheel->now_ms - wheel->start_ms;
            unsigned shift = level * DN_WHEEL_BITS;
            uint64_t above = now >> (shift + DN_WHEEL_BITS) << (shift + DN_WHEEL_BITS);
            *slot = lowest_bit(wheel->occupied[level]);
            *start_ms = wheel->start_ms + (above | (uint64_t)*slot << shift);
            return level;
        }
    }
    return DN_WHEEL_LEVELS;
}

static void move_down(dn_wheel *wheel, unsigned level, unsigned slot)
{
    dn_deadline *deadline = wheel->slot[level][slot];
    wheel->slot[level][slot] = NULL;
    wheel->occupied[level] &= ~(UINT64_C(1) << slot);
    while (deadline != NULL) {
        dn_deadline *next = deadline->next;
        push(wheel, deadline);
        deadline = next;
    }
}

void dn_wheel_init(dn_wheel *wheel, uint64_t now_ms)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->start_ms = now_ms;
    wheel->now_ms = now_ms;
}

void dn_deadline_set(dn_wheel *wheel, dn_deadline *deadline, uint64_t at_ms)
{
    dn_deadline_cancel(wheel, deadline);
    deadline->at_ms = at_ms;
    if (at_ms != DN_NEVER) {
        push(wheel, deadline);
    }
}

void dn_deadline_cancel(dn_wheel *wheel, dn_deadline *deadline)
{
    if (deadline->link != NULL) {
        unlink_deadline(wheel, deadline);
    }
}

/* `now_ms` as the wheel can stand on it: not before its own now and not behind its last digit. */
static uint64_t reachable(const dn_wheel *wheel, uint64_t now_ms)
{
    if (now_ms < wheel->now_ms) {
        return wheel->now_ms;
    }
    return now_ms - wheel->start_ms > SPAN_LAST ? wheel->start_ms + SPAN_LAST : now_ms;
}

dn_deadline *dn_wheel_expire(dn_wheel *wheel, uint64_t now_ms)
{
    now_ms = reachable(wheel, now_ms);
    for (;;) {
        unsigned slot;
        uint64_t start_ms;
        unsigned level = earliest(wheel, &slot, &start_ms);
        if (level == DN_WHEEL_LEVELS || start_ms > now_ms) {
            break;
        }
        wheel->now_ms = start_ms;
        if (level == 0) {
            dn_deadline *due = wheel->slot[0][slot];
            unlink_deadline(wheel, due);
            return due;
        }
        move_down(wheel, level, slot);
    }
    /* Nothing stands between the old and the new now, so that each deadline keeps its level. */
    wheel->now_ms = now_ms;
    return NULL;
}

uint64_t dn_wheel_next(const dn_wheel *wheel)
{
    unsigned slot;
    uint64_t start_ms;
    return earliest(wheel, &slot, &start_ms) == DN_WHEEL_LEVELS ? DN_NEVER : start_ms;
}
