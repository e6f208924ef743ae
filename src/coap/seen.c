/* SPDX-License-Identifier: Apache-2.0 */
/* Ids in a pool, found by hash, kept in order of arrival twice: all, and those of each remote. */
#include "coap/seen.h"

/* Slots that one insertion clears of expired ids, so that a burst does not leave a full table behind for
 * ever. */
#define EXPIRE_PER_ADD 2

void dn_coap_seen_init(dn_coap_seen *seen, dn_coap_arena *arena, dn_coap_remotes *remotes, uint32_t which,
                       uint32_t count, uint32_t per_remote, uint32_t reply_max)
{
    uint32_t buckets = dn_coap_buckets(count);
    *seen = (dn_coap_seen){.remotes = remotes,
                           .count = count,
                           .bucket_count = buckets,
                           .per_remote = per_remote,
                           .reply_max = reply_max,
                           .which = which,
                           .free = DN_COAP_NONE,
                           .oldest = DN_COAP_NONE,
                           .newest = DN_COAP_NONE};
    seen->at = dn_coap_arena_take(arena, count, sizeof *seen->at);
    seen->bucket = dn_coap_arena_take(arena, buckets, sizeof *seen->bucket);
    seen->replies = dn_coap_arena_take(arena, count, reply_max);
    if (seen->at == NULL || seen->bucket == NULL) {
        return;
    }
    for (uint32_t i = 0; i < buckets; i++) {
        seen->bucket[i] = DN_COAP_NONE;
    }
    for (uint32_t i = count; i > 0; i--) {
        seen->at[i - 1].next = seen->free;
        seen->at[i - 1].serial = 0;
        seen->free = i - 1;
    }
}

static uint32_t *bucket_of(const dn_coap_seen *seen, uint32_t remote, uint16_t mid)
{
    /* The remote's index is ours and not the peer's choice, so a plain mix will do: Fibonacci hashing. */
    uint64_t mixed = ((uint64_t)remote << 16 | mid) * UINT64_C(0x9e3779b97f4a7c15);
    return &seen->bucket[(mixed >> 32) & (seen->bucket_count - 1)];
}

uint32_t dn_coap_seen_find(const dn_coap_seen *seen, uint32_t remote, uint16_t mid, uint64_t now_ms)
{
    uint32_t index = *bucket_of(seen, remote, mid);
    while (index != DN_COAP_NONE && (seen->at[index].mid != mid || seen->at[index].remote != remote)) {
        index = seen->at[index].next;
    }
    return index != DN_COAP_NONE && seen->at[index].expires_ms > now_ms ? index : DN_COAP_NONE;
}

void dn_coap_seen_forget(dn_coap_seen *seen, uint32_t index)
{
    dn_coap_seen_id *id = &seen->at[index];
    uint32_t *link = bucket_of(seen, id->remote, id->mid);
    while (*link != index) {
        link = &seen->at[*link].next;
    }
    *link = id->next;
    *(id->older == DN_COAP_NONE ? &seen->oldest : &seen->at[id->older].newer) = id->newer;
    *(id->newer == DN_COAP_NONE ? &seen->newest : &seen->at[id->newer].older) = id->older;

    /* Of one remote only the oldest is ever forgotten first, by its share, by age or one after the other. */
    dn_coap_seen_list *list = &seen->remotes->at[id->remote].seen[seen->which];
    uint32_t before = DN_COAP_NONE;
    for (uint32_t at = list->oldest; at != index; at = seen->at[at].newer_of_remote) {
        before = at;
    }
    *(before == DN_COAP_NONE ? &list->oldest : &seen->at[before].newer_of_remote) = id->newer_of_remote;
    if (list->newest == index) {
        list->newest = before;
    }
    list->count--;
    id->serial = 0;
    id->next = seen->free;
    seen->free = index;
    seen->in_use--;
    dn_coap_remote_release(seen->remotes, id->remote);
}

void dn_coap_seen_forget_remote(dn_coap_seen *seen, uint32_t remote)
{
    /* The remote may go with its last id; an index stays readable. */
    const dn_coap_seen_list *list = &seen->remotes->at[remote].seen[seen->which];
    for (uint32_t left = list->count; left > 0; left--) {
        dn_coap_seen_forget(seen, list->oldest);
    }
}

/* The remote of the oldest id in `seen` to which nothing but ids refers, or DN_COAP_NONE. */
static uint32_t oldest_idle(const dn_coap_seen *seen)
{
    for (uint32_t at = seen->oldest; at != DN_COAP_NONE; at = seen->at[at].newer) {
        const dn_coap_remote *remote = &seen->remotes->at[seen->at[at].remote];
        if (remote->references == remote->seen[0].count + remote->seen[1].count) {
            return seen->at[at].remote;
        }
    }
    return DN_COAP_NONE;
}

bool dn_coap_seen_free_remote(dn_coap_seen *in, dn_coap_seen *out)
{
    uint32_t remote = oldest_idle(in);
    remote = remote != DN_COAP_NONE ? remote : oldest_idle(out);
    if (remote == DN_COAP_NONE) {
        return false;
    }
    dn_coap_remote_hold(in->remotes, remote);
    dn_coap_seen_forget_remote(in, remote);
    dn_coap_seen_forget_remote(out, remote);
    dn_coap_remote_release(in->remotes, remote);
    return true;
}

void dn_coap_seen_expire(dn_coap_seen *seen, uint64_t now_ms, uint32_t limit)
{
    while (limit-- > 0 && seen->oldest != DN_COAP_NONE && seen->at[seen->oldest].expires_ms <= now_ms) {
        dn_coap_seen_forget(seen, seen->oldest);
    }
}

uint32_t dn_coap_seen_add(dn_coap_seen *seen, uint32_t remote, uint16_t mid, uint64_t expires_ms,
                          uint64_t now_ms)
{
    dn_coap_seen_list *list = &seen->remotes->at[remote].seen[seen->which];
    dn_coap_seen_expire(seen, now_ms, EXPIRE_PER_ADD);
    if (list->count >= seen->per_remote) {
        dn_coap_seen_forget(seen, list->oldest);
    }
    if (seen->free == DN_COAP_NONE) {
        dn_coap_seen_forget(seen, seen->oldest);
    }
    uint32_t index = seen->free;
    uint32_t *bucket = bucket_of(seen, remote, mid);
    dn_coap_seen_id *id = &seen->at[index];
    seen->free = id->next;
    if (++seen->serial == 0) {
        seen->serial = 1;
    }
    *id = (dn_coap_seen_id){.expires_ms = expires_ms,
                            .remote = remote,
                            .serial = seen->serial,
                            .next = *bucket,
                            .older = seen->newest,
                            .newer = DN_COAP_NONE,
                            .newer_of_remote = DN_COAP_NONE,
                            .mid = mid,
                            .state = DN_COAP_SEEN_PENDING};
    *bucket = index;
    *(seen->newest == DN_COAP_NONE ? &seen->oldest : &seen->at[seen->newest].newer) = index;
    seen->newest = index;
    *(list->newest == DN_COAP_NONE ? &list->oldest : &seen->at[list->newest].newer_of_remote) = index;
    list->newest = index;
    list->count++;
    seen->in_use++;
    dn_coap_remote_hold(seen->remotes, remote);
    return index;
}

void dn_coap_seen_set_reply(dn_coap_seen *seen, uint32_t index, dunlin_slice reply)
{
    dn_coap_seen_id *id = &seen->at[index];
    if (reply.len > seen->reply_max) {
        id->state = DN_COAP_SEEN_LONG;
        return;
    }
    id->state = DN_COAP_SEEN_REPLY;
    id->reply_len = (uint16_t)reply.len;
    if (reply.len > 0) {
        memcpy(seen->replies + (size_t)index * seen->reply_max, reply.data, reply.len);
    }
}

dunlin_slice dn_coap_seen_reply(const dn_coap_seen *seen, uint32_t index)
{
    return dunlin_slice_make(seen->replies + (size_t)index * seen->reply_max, seen->at[index].reply_len);
}
