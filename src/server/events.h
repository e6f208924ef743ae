/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events on their way from a shard to their one consumer: a ring of bytes without locks. What the shard puts
 * becomes visible when it publishes, which it does after the commit. When the ring is full, events are
 * dropped, and a GAP stands where they are missing.
 *
 * Threads: put and publish from the shard's thread, next from the consumer's, count and fd from any.
 */
#ifndef DN_SERVER_EVENTS_H
#define DN_SERVER_EVENTS_H

#include "server/fleet.h"

typedef struct dn_events dn_events;

/* An event as it travels, in front of its bytes: the consumer makes texts of it, so that the shard need not.
 */
typedef struct {
    uint8_t type; /* dn_event_type */
    uint8_t changed;
    bool replaced;
    uint8_t code;
    uint16_t content_format;
    uint8_t path_count;
    dunlin_path path;
    const dunlin_path *paths; /* of an Observe-Composite */
    int64_t at_ms;
    /* The registration. */
    uint64_t id;
    int64_t registered_ms, updated_ms;
    uint32_t lifetime_s;
    dn_peer peer;
    uint8_t version_major, version_minor, binding, flags;
    uint8_t presence;
    uint32_t queued;
    int64_t seen_ms;
    dunlin_slice endpoint, sms;
    dunlin_slice body; /* links; the payload of a notification or a Send; REQUEST: as dn_view_pack_request */
} dn_event_record;

typedef struct {
    uint64_t put, dropped;
} dn_events_counters;

/* A ring of `bytes` (rounded up to a power of two, at least 4 KiB). NULL: no memory, no eventfd. */
dn_events *dn_events_create(uint32_t bytes);
void dn_events_destroy(dn_events *events);

/* False: there was no room, the event is dropped. */
bool dn_events_put(dn_events *events, const dn_event_record *record);
/* Lets the consumer see what was put. */
void dn_events_publish(dn_events *events);
dn_events_counters dn_events_count(const dn_events *events); /* the shard's thread */

/* The next event; its views live until the next call. False: none now, and the descriptor becomes readable
 * when there is one. */
bool dn_events_next(dn_events *events, dn_event_record *record);
int dn_events_fd(const dn_events *events);

#endif
