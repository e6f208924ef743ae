/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether devices can be asked (Core 1.1.1 section 6.5, Transport 1.1.1 section 6.5): a client in queue mode
 * listens for a while after each of its messages and sleeps then; any other one always listens, or should.
 *
 *   is           | a message comes | a request is not answered | the awake time is over
 *   awake        | awake           | unreachable               | asleep (queue mode only)
 *   unreachable  | awake           | unreachable               | asleep (queue mode only)
 *   asleep       | awake           | asleep                    | -
 *
 * What comes over a stream or a session is there to be asked as long as that lasts: its end is as a request that was not answered. So is the
 * start of the server, for those that are not heard over plain UDP.
 *
 * Each change raises DN_EVENT_PRESENCE, but for a Register, whose own event says it. Clients in queue mode that
 * are awake stand in a list in the order of their last messages: as all have the same awake time, only its
 * head is ever looked at. The list's links lie apart from the registrations, so that a fleet without queue mode
 * has none.
 */
#ifndef DN_SERVER_PRESENCE_H
#define DN_SERVER_PRESENCE_H

#include "server/fleet.h"
#include "server/registrations.h"

typedef struct dn_shard dn_shard;

/* Neighbours in the list: slot + 1, 0 none. */
typedef struct {
    uint32_t next, prev;
} dn_awake_link;

/* The one that was heard longest ago first. */
typedef struct {
    uint32_t first, last;
    dn_awake_link **chunks; /* of DN_SLAB_CHUNK slots each, NULL while nobody in it was in queue mode */
    uint32_t chunk_count;
} dn_awake_list;

/* For slots below `max`. False: no memory. */
bool dn_awake_init(dn_awake_list *list, uint32_t max);
void dn_awake_free(dn_awake_list *list);

dn_presence dn_presence_of(const dn_registration *registration);
/* Its last message by wall time. */
int64_t dn_presence_seen_ms(const dn_shard *shard, const dn_registration *registration);

/* The registration in `slot` is new. */
void dn_presence_registered(dn_shard *shard, uint32_t slot);
/* A message of its device came: a request (after what it changed), a notification, an answer, a Reset. */
void dn_presence_heard(dn_shard *shard, uint32_t slot);
/* A request to it was not answered, or it cannot be reached any more. */
void dn_presence_missed(dn_shard *shard, uint32_t slot);
/* The registration ends. */
void dn_presence_ended(dn_shard *shard, uint32_t slot);

/* Puts those to sleep whose time is over: a bounded piece, so that a cycle stays short. */
void dn_presence_work(dn_shard *shard);
/* When to call it next; DN_NEVER. */
uint64_t dn_presence_deadline(const dn_shard *shard);
/* After the registrations were loaded: their Updates are the last that is known of them. MEMORY. */
dunlin_status dn_presence_loaded(dn_shard *shard);

#endif
