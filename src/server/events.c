/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Positions only grow; the ring's size is a power of two. An entry lies in one piece: where it would wrap, a
 * filler goes before it. Room for one GAP is always kept, so that the mark of the first dropped event has its
 * place.
 */
#include "server/events.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LEAST_BYTES 4096u
#define ALIGN       16u
#define CACHE_LINE  64

enum { KIND_EVENT, KIND_FILLER };

typedef struct {
    uint32_t size; /* of the whole entry, a multiple of ALIGN */
    uint32_t kind;
    dn_event_record record; /* its slices hold lengths only */
} entry_head;

/* What each side writes lies in lines of its own, so that neither slows the other down. */
struct dn_events { /* NOLINT(clang-analyzer-optin.performance.Padding) */
    uint8_t *ring;
    uint64_t mask;
    int fd;
    /* The shard's. */
    _Alignas(CACHE_LINE) uint64_t head; /* written up to here */
    bool gap_is_last;
    dn_events_counters counters;
    _Alignas(CACHE_LINE) _Atomic uint64_t published;
    atomic_bool waiting; /* the consumer found nothing and relies on fd */
    /* The consumer's. */
    _Alignas(CACHE_LINE) _Atomic uint64_t taken; /* free up to here */
    uint64_t reading;                            /* the end of the event that is being looked at */
};

static size_t aligned(size_t size)
{
    return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

#define HEAD_SIZE aligned(sizeof(entry_head))

dn_events *dn_events_create(uint32_t bytes)
{
    uint64_t size = LEAST_BYTES;
    while (size < bytes) {
        size *= 2;
    }
    dn_events *events = aligned_alloc(CACHE_LINE, sizeof *events);
    if (events == NULL) {
        return NULL;
    }
    memset(events, 0, sizeof *events);
    events->mask = size - 1;
    events->ring = aligned_alloc(ALIGN, size);
    events->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    atomic_init(&events->published, 0);
    atomic_init(&events->taken, 0);
    atomic_init(&events->waiting, true);
    if (events->ring == NULL || events->fd < 0) {
        dn_events_destroy(events);
        return NULL;
    }
    return events;
}

void dn_events_destroy(dn_events *events)
{
    if (events == NULL) {
        return;
    }
    if (events->fd >= 0) {
        (void)close(events->fd);
    }
    free(events->ring);
    free(events);
}

static size_t entry_size(const dn_event_record *record)
{
    return aligned(sizeof(entry_head) + record->path_count * sizeof(dunlin_path) + record->endpoint.len +
                   record->sms.len + record->body.len);
}

static void write_bytes(uint8_t **at, dunlin_slice bytes)
{
    if (bytes.len > 0) {
        memcpy(*at, bytes.data, bytes.len);
        *at += bytes.len;
    }
}

/* Writes an entry if `reserve` more bytes stay free behind it. */
static bool write_entry(dn_events *events, const dn_event_record *record, size_t reserve)
{
    size_t size = entry_size(record);
    uint64_t capacity = events->mask + 1;
    uint64_t offset = events->head & events->mask;
    uint64_t filler = offset + size > capacity ? capacity - offset : 0;
    uint64_t free_bytes =
        capacity - (events->head - atomic_load_explicit(&events->taken, memory_order_acquire));
    if (filler + size + reserve > free_bytes) {
        return false;
    }
    if (filler > 0) {
        /* Entries are aligned, so size and kind fit even where a whole head does not. */
        entry_head skip = {.size = (uint32_t)filler, .kind = KIND_FILLER};
        memcpy(events->ring + offset, &skip, 2 * sizeof(uint32_t));
        events->head += filler;
        offset = 0;
    }
    entry_head head = {.size = (uint32_t)size, .kind = KIND_EVENT, .record = *record};
    memcpy(events->ring + offset, &head, sizeof head);
    uint8_t *at = events->ring + offset + sizeof head; /* which is aligned for paths */
    write_bytes(&at, dunlin_slice_make(record->paths, record->path_count * sizeof(dunlin_path)));
    write_bytes(&at, record->endpoint);
    write_bytes(&at, record->sms);
    write_bytes(&at, record->body);
    events->head += size;
    return true;
}

bool dn_events_put(dn_events *events, const dn_event_record *record)
{
    /* A GAP may need a filler as well, one GAP long at most. */
    size_t reserve = 2 * HEAD_SIZE;
    if (write_entry(events, record, reserve)) {
        events->gap_is_last = false;
        events->counters.put++;
        return true;
    }
    events->counters.dropped++;
    if (!events->gap_is_last) {
        dn_event_record gap = {.type = DN_EVENT_GAP, .at_ms = record->at_ms};
        events->gap_is_last = write_entry(events, &gap, 0);
    }
    return false;
}

void dn_events_publish(dn_events *events)
{
    if (atomic_load_explicit(&events->published, memory_order_relaxed) == events->head) {
        return;
    }
    /* In one order with the consumer's "I wait, is there nothing?": one of the two sees the other. */
    atomic_store(&events->published, events->head);
    if (atomic_exchange(&events->waiting, false)) {
        uint64_t one = 1;
        ssize_t written = write(events->fd, &one, sizeof one);
        (void)written; /* a full counter is readable too */
    }
}

dn_events_counters dn_events_count(const dn_events *events)
{
    return events->counters;
}

static bool nothing_left(dn_events *events)
{
    if (atomic_load_explicit(&events->published, memory_order_acquire) != events->reading) {
        return false;
    }
    uint64_t count;
    while (read(events->fd, &count, sizeof count) < 0 && errno == EINTR) {
    }
    atomic_store(&events->waiting, true);
    return atomic_load(&events->published) == events->reading;
}

bool dn_events_next(dn_events *events, dn_event_record *record)
{
    for (;;) {
        atomic_store_explicit(&events->taken, events->reading, memory_order_release);
        if (nothing_left(events)) {
            return false;
        }
        const uint8_t *at = events->ring + (events->reading & events->mask);
        entry_head head;
        memcpy(&head, at, 2 * sizeof(uint32_t));
        events->reading += head.size;
        if (head.kind == KIND_FILLER) {
            continue;
        }
        memcpy(&head, at, sizeof head);
        *record = head.record;
        at += sizeof head;
        record->paths = record->path_count > 0 ? (const dunlin_path *)(const void *)at : NULL;
        record->endpoint.data = at + record->path_count * sizeof(dunlin_path);
        record->sms.data = record->endpoint.data + record->endpoint.len;
        record->body.data = record->sms.data + record->sms.len;
        return true;
    }
}

int dn_events_fd(const dn_events *events)
{
    return events->fd;
}
