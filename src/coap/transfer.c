/* SPDX-License-Identifier: Apache-2.0 */
/* A small pool, searched in order: only requests with block options come here. */
#include "coap/transfer.h"

void dn_coap_transfers_init(dn_coap_transfers *transfers, dn_coap_arena *arena, dn_coap_remotes *remotes,
                            dn_wheel *wheel, uint32_t count, uint32_t max_body, uint32_t timeout_ms)
{
    dn_coap_transfer *at = dn_coap_arena_take(arena, count, sizeof *at);
    uint8_t *bodies = dn_coap_arena_take(arena, count, max_body);
    *transfers = (dn_coap_transfers){at, remotes, wheel, count, timeout_ms};
    for (uint32_t i = 0; at != NULL && i < count; i++) {
        at[i] = (dn_coap_transfer){.role = DN_COAP_TRANSFER_FREE,
                                   .timer.kind = DN_COAP_TIMER_TRANSFER,
                                   .body = dunlin_buf_make(bodies + (size_t)i * max_body, max_body)};
    }
}

dn_coap_transfer *dn_coap_transfer_find(const dn_coap_transfers *transfers, dn_coap_transfer_role role,
                                        uint32_t remote, uint64_t key)
{
    for (uint32_t i = 0; i < transfers->count; i++) {
        dn_coap_transfer *candidate = &transfers->at[i];
        if (candidate->role == role && candidate->remote == remote && candidate->key == key) {
            return candidate;
        }
    }
    return NULL;
}

dn_coap_transfer *dn_coap_transfer_find_like(const dn_coap_transfers *transfers, dn_coap_transfer_role role,
                                             uint32_t remote, uint64_t key)
{
    dn_coap_transfer *best = NULL;
    for (uint32_t i = 0; i < transfers->count; i++) {
        dn_coap_transfer *candidate = &transfers->at[i];
        if (candidate->role == role && candidate->remote == remote && candidate->key >> 32 == key >> 32 &&
            (best == NULL || candidate->used_ms > best->used_ms)) {
            best = candidate;
        }
    }
    return best;
}

void dn_coap_transfer_end(dn_coap_transfers *transfers, dn_coap_transfer *transfer)
{
    dn_deadline_cancel(transfers->wheel, &transfer->timer.deadline);
    transfer->role = DN_COAP_TRANSFER_FREE;
    dn_coap_remote_release(transfers->remotes, transfer->remote);
}

void dn_coap_transfer_lend(dn_coap_transfers *transfers, dn_coap_transfer *transfer)
{
    dn_deadline_cancel(transfers->wheel, &transfer->timer.deadline);
    transfer->role = DN_COAP_TRANSFER_HELD;
}

void dn_coap_transfer_touch(dn_coap_transfers *transfers, dn_coap_transfer *transfer, uint64_t now_ms)
{
    transfer->used_ms = now_ms;
    dn_deadline_set(transfers->wheel, &transfer->timer.deadline, now_ms + transfers->timeout_ms);
}

/* What a look through the pool found. */
typedef struct {
    dn_coap_transfer *free;
    dn_coap_transfer *served; /* least recently used body that can be made again */
    dn_coap_transfer *own;    /* least recently used body that this peer assembles */
    uint32_t own_count;
} survey;

static bool is_older(const dn_coap_transfer *candidate, const dn_coap_transfer *best)
{
    return best == NULL || candidate->used_ms < best->used_ms;
}

static survey look(const dn_coap_transfers *transfers, uint32_t remote)
{
    survey found = {NULL, NULL, NULL, 0};
    for (uint32_t i = 0; i < transfers->count; i++) {
        dn_coap_transfer *candidate = &transfers->at[i];
        if (candidate->role == DN_COAP_TRANSFER_FREE) {
            found.free = candidate;
        } else if (candidate->role == DN_COAP_TRANSFER_SERVE && candidate->reproducible) {
            found.served = is_older(candidate, found.served) ? candidate : found.served;
        } else if (candidate->role == DN_COAP_TRANSFER_ASSEMBLE && candidate->remote == remote) {
            found.own = is_older(candidate, found.own) ? candidate : found.own;
            found.own_count++;
        }
    }
    return found;
}

dn_coap_transfer *dn_coap_transfer_start(dn_coap_transfers *transfers, dn_coap_transfer_role role,
                                         uint32_t remote, uint64_t key, uint64_t now_ms)
{
    dn_coap_transfer *same =
        role == DN_COAP_TRANSFER_FETCH ? NULL : dn_coap_transfer_find(transfers, role, remote, key);
    if (same != NULL) {
        dn_coap_transfer_end(transfers, same);
    }
    survey found = look(transfers, remote);
    uint32_t share = (transfers->count + 1) / 2;
    if (role == DN_COAP_TRANSFER_ASSEMBLE && found.own != NULL && found.own_count >= share) {
        dn_coap_transfer_end(transfers, found.own);
        found.free = found.own;
    }
    if (found.free == NULL && found.served != NULL) {
        dn_coap_transfer_end(transfers, found.served);
        found.free = found.served;
    }
    if (found.free == NULL) {
        return NULL;
    }
    dn_coap_transfer *made = found.free;
    made->role = (uint8_t)role;
    made->remote = remote;
    made->key = key;
    made->body.len = 0;
    made->etag.len = 0;
    dn_coap_remote_hold(transfers->remotes, remote);
    made->used_ms = now_ms;
    if (role != DN_COAP_TRANSFER_FETCH) {
        dn_coap_transfer_touch(transfers, made, now_ms);
    }
    return made;
}

void dn_coap_transfers_outdate(dn_coap_transfers *transfers, uint32_t remote)
{
    for (uint32_t i = 0; i < transfers->count; i++) {
        dn_coap_transfer *candidate = &transfers->at[i];
        if (candidate->remote == remote && candidate->role == DN_COAP_TRANSFER_SERVE &&
            candidate->reproducible) {
            dn_coap_transfer_end(transfers, candidate);
        }
    }
}

void dn_coap_transfers_forget(dn_coap_transfers *transfers, uint32_t remote)
{
    for (uint32_t i = 0; i < transfers->count; i++) {
        dn_coap_transfer *candidate = &transfers->at[i];
        if (candidate->remote == remote &&
            (candidate->role == DN_COAP_TRANSFER_ASSEMBLE || candidate->role == DN_COAP_TRANSFER_SERVE)) {
            dn_coap_transfer_end(transfers, candidate);
        }
    }
}
