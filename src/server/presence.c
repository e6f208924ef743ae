/* SPDX-License-Identifier: Apache-2.0 */
/* The list of those awake, and what a change of presence sets going. */
#include "server/presence.h"

#include "server/shard_inside.h"

#include <stdlib.h>

#define SLEEPERS_A_CYCLE 256u

dn_presence dn_presence_of(const dn_registration *registration)
{
    if (registration->flags & DN_REGISTRATION_ASLEEP) {
        return DN_PRESENCE_ASLEEP;
    }
    return registration->flags & DN_REGISTRATION_UNANSWERED ? DN_PRESENCE_UNREACHABLE : DN_PRESENCE_AWAKE;
}

int64_t dn_presence_seen_ms(const dn_shard *shard, const dn_registration *registration)
{
    return registration->seen_ms + shard->wall_ahead_ms;
}

static dn_registration *at(const dn_shard *shard, uint32_t slot)
{
    return dn_registrations_at(&shard->registrations, slot);
}

bool dn_awake_init(dn_awake_list *list, uint32_t max)
{
    *list = (dn_awake_list){.chunk_count = max / DN_SLAB_CHUNK + 1};
    list->chunks = calloc(list->chunk_count, sizeof *list->chunks);
    return list->chunks != NULL;
}

void dn_awake_free(dn_awake_list *list)
{
    for (uint32_t i = 0; list->chunks != NULL && i < list->chunk_count; i++) {
        free(list->chunks[i]);
    }
    free(list->chunks);
}

/* Its chunk must be there. */
static dn_awake_link *link_of(const dn_shard *shard, uint32_t slot)
{
    return &shard->awake.chunks[slot / DN_SLAB_CHUNK][slot % DN_SLAB_CHUNK];
}

static void leave_list(dn_shard *shard, uint32_t slot)
{
    dn_registration *registration = at(shard, slot);
    if (!(registration->flags & DN_REGISTRATION_LISTED)) {
        return;
    }
    const dn_awake_link *link = link_of(shard, slot);
    if (link->prev != 0) {
        link_of(shard, link->prev - 1)->next = link->next;
    } else {
        shard->awake.first = link->next;
    }
    if (link->next != 0) {
        link_of(shard, link->next - 1)->prev = link->prev;
    } else {
        shard->awake.last = link->prev;
    }
    registration->flags &= (uint8_t)~DN_REGISTRATION_LISTED;
}

/* Without memory for it, it counts as awake until there is some: the next of its messages tries again. */
static void join_list(dn_shard *shard, uint32_t slot)
{
    dn_awake_link **chunk = &shard->awake.chunks[slot / DN_SLAB_CHUNK];
    if (*chunk == NULL && (*chunk = calloc(DN_SLAB_CHUNK, sizeof **chunk)) == NULL) {
        dn_log_at(shard->log, DN_LOG_ERROR, DN_SHARD_AREA, "no memory to know when a client sleeps");
        return;
    }
    *link_of(shard, slot) = (dn_awake_link){.next = 0, .prev = shard->awake.last};
    if (shard->awake.last != 0) {
        link_of(shard, shard->awake.last - 1)->next = slot + 1;
    } else {
        shard->awake.first = slot + 1;
    }
    shard->awake.last = slot + 1;
    at(shard, slot)->flags |= DN_REGISTRATION_LISTED;
}

/* Its message came just now. True when it was not awake before. */
static bool hear(dn_shard *shard, uint32_t slot)
{
    dn_registration *registration = at(shard, slot);
    bool was_away = (registration->flags & (DN_REGISTRATION_ASLEEP | DN_REGISTRATION_UNANSWERED)) != 0;
    registration->seen_ms = (int64_t)shard->now_ms;
    registration->flags &= (uint8_t) ~(DN_REGISTRATION_ASLEEP | DN_REGISTRATION_UNANSWERED);
    if (registration->flags & (DN_REGISTRATION_QUEUE_MODE | DN_REGISTRATION_LISTED)) {
        leave_list(shard, slot);
        if (registration->flags & DN_REGISTRATION_QUEUE_MODE) {
            join_list(shard, slot);
        }
    }
    return was_away;
}

void dn_presence_registered(dn_shard *shard, uint32_t slot)
{
    (void)hear(shard, slot);
    dn_delivery_registered(shard, slot);
}

void dn_presence_heard(dn_shard *shard, uint32_t slot)
{
    if (hear(shard, slot)) {
        dn_shard_tell(shard, slot, DN_EVENT_PRESENCE, 0, false);
        dn_observe_updated(shard, slot, false); /* what could not be asked for meanwhile */
    }
    dn_delivery_heard(shard, slot);
}

void dn_presence_missed(dn_shard *shard, uint32_t slot)
{
    dn_registration *registration = at(shard, slot);
    if (dn_presence_of(registration) == DN_PRESENCE_AWAKE) {
        registration->flags |= DN_REGISTRATION_UNANSWERED;
        dn_shard_tell(shard, slot, DN_EVENT_PRESENCE, 0, false);
    }
}

void dn_presence_ended(dn_shard *shard, uint32_t slot)
{
    leave_list(shard, slot);
}

void dn_presence_work(dn_shard *shard)
{
    for (uint32_t budget = SLEEPERS_A_CYCLE; budget > 0 && dn_presence_deadline(shard) <= shard->now_ms;
         budget--) {
        uint32_t slot = shard->awake.first - 1;
        dn_registration *registration = at(shard, slot);
        leave_list(shard, slot);
        registration->flags &= (uint8_t)~DN_REGISTRATION_UNANSWERED;
        registration->flags |= DN_REGISTRATION_ASLEEP;
        dn_shard_tell(shard, slot, DN_EVENT_PRESENCE, 0, false);
    }
}

uint64_t dn_presence_deadline(const dn_shard *shard)
{
    if (shard->awake.first == 0) {
        return DN_NEVER;
    }
    int64_t due_ms = at(shard, shard->awake.first - 1)->seen_ms + shard->config.fleet.awake_ms;
    return due_ms > 0 ? (uint64_t)due_ms : 0;
}

/* Loading. */

typedef struct {
    int64_t seen_ms; /* first: compared */
    uint32_t slot;
} heard;

static int compare_seen(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;
    return *left < *right ? -1 : *left > *right;
}

/* Says when it was seen; true when it is awake still, which has a place in the list. */
static bool judge(dn_shard *shard, dn_registration *registration)
{
    int64_t ago_ms = shard->wall_ms - registration->updated_ms;
    registration->seen_ms = (int64_t)shard->now_ms - (ago_ms > 0 ? ago_ms : 0);
    if (dn_peer_transport(&registration->peer) != DN_TRANSPORT_UDP) {
        registration->flags |= DN_REGISTRATION_UNANSWERED; /* its session or stream ended with the process */
    }
    if (!(registration->flags & DN_REGISTRATION_QUEUE_MODE)) {
        return false;
    }
    if (ago_ms >= (int64_t)shard->config.fleet.awake_ms) {
        registration->flags &= (uint8_t)~DN_REGISTRATION_UNANSWERED;
        registration->flags |= DN_REGISTRATION_ASLEEP;
        return false;
    }
    return true;
}

dunlin_status dn_presence_loaded(dn_shard *shard)
{
    const dn_registrations *table = &shard->registrations;
    heard *awake = NULL;
    size_t count = 0;
    size_t room = 0;
    for (uint32_t slot = 0; slot < table->slab.used; slot++) {
        dn_registration *registration = at(shard, slot);
        if (registration->id == 0 || !judge(shard, registration)) {
            continue;
        }
        if (count == room) {
            room = room == 0 ? 64 : room * 2;
            heard *more = realloc(awake, room * sizeof *awake);
            if (more == NULL) {
                free(awake);
                return DUNLIN_ERR_MEMORY;
            }
            awake = more;
        }
        awake[count++] = (heard){registration->seen_ms, slot};
    }
    if (count > 0) {
        qsort(awake, count, sizeof *awake, compare_seen);
    }
    for (size_t i = 0; i < count; i++) {
        join_list(shard, awake[i].slot);
    }
    free(awake);
    return DUNLIN_OK;
}
