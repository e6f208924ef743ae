/* SPDX-License-Identifier: Apache-2.0 */
/* The table of remotes: a pool with reference counts, found by a keyed hash of the peer. */
#include "coap/remote.h"

void dn_coap_remotes_init(dn_coap_remotes *remotes, dn_coap_arena *arena, uint32_t count,
                          const dn_hash_key *key)
{
    uint32_t buckets = dn_coap_buckets(count);
    dn_coap_remote *at = dn_coap_arena_take(arena, count, sizeof *at);
    uint32_t *bucket = dn_coap_arena_take(arena, buckets, sizeof *bucket);
    uint16_t *next_mid = dn_coap_arena_take(arena, buckets, sizeof *next_mid);
    *remotes = (dn_coap_remotes){at, bucket, count, buckets, DN_COAP_NONE, 0, *key, next_mid};
    if (at == NULL || bucket == NULL || next_mid == NULL) {
        return;
    }
    for (uint32_t i = 0; i < buckets; i++) {
        bucket[i] = DN_COAP_NONE;
        /* Section 4.4 recommends to begin at a random id; the key is random. */
        next_mid[i] = (uint16_t)dn_hash(key, dunlin_slice_make(&i, sizeof i));
    }
    for (uint32_t i = count; i > 0; i--) {
        at[i - 1].next = remotes->free;
        remotes->free = i - 1;
    }
}

static uint32_t hash_peer(const dn_coap_remotes *remotes, const dn_peer *peer)
{
    return (uint32_t)dn_hash(&remotes->key, dunlin_slice_make(peer->bytes, peer->len));
}

static uint32_t find_hashed(const dn_coap_remotes *remotes, const dn_peer *peer, uint32_t hash)
{
    uint32_t index = remotes->bucket[hash & (remotes->bucket_count - 1)];
    while (index != DN_COAP_NONE &&
           (remotes->at[index].hash != hash || !dn_peer_equal(&remotes->at[index].peer, peer))) {
        index = remotes->at[index].next;
    }
    return index;
}

uint32_t dn_coap_remote_find(const dn_coap_remotes *remotes, const dn_peer *peer)
{
    return find_hashed(remotes, peer, hash_peer(remotes, peer));
}

uint32_t dn_coap_remote_get(dn_coap_remotes *remotes, const dn_peer *peer)
{
    uint32_t hash = hash_peer(remotes, peer);
    uint32_t index = find_hashed(remotes, peer, hash);
    if (index != DN_COAP_NONE) {
        remotes->at[index].references++;
        return index;
    }
    index = remotes->free;
    if (index == DN_COAP_NONE) {
        return DN_COAP_NONE;
    }
    dn_coap_remote *remote = &remotes->at[index];
    uint32_t *bucket = &remotes->bucket[hash & (remotes->bucket_count - 1)];
    remotes->free = remote->next;
    *remote = (dn_coap_remote){
        .peer = *peer, .hash = hash, .next = *bucket, .references = 1, .connection = DN_COAP_NONE};
    for (size_t i = 0; i < 2; i++) {
        remote->seen[i] = (dn_coap_seen_list){DN_COAP_NONE, DN_COAP_NONE, 0};
    }
    *bucket = index;
    remotes->in_use++;
    return index;
}

void dn_coap_remote_hold(dn_coap_remotes *remotes, uint32_t index)
{
    remotes->at[index].references++;
}

void dn_coap_remote_release(dn_coap_remotes *remotes, uint32_t index)
{
    dn_coap_remote *remote = &remotes->at[index];
    if (--remote->references > 0) {
        return;
    }
    uint32_t *link = &remotes->bucket[remote->hash & (remotes->bucket_count - 1)];
    while (*link != index) {
        link = &remotes->at[*link].next;
    }
    *link = remote->next;
    remote->next = remotes->free;
    remotes->free = index;
    remotes->in_use--;
}

uint16_t dn_coap_remote_next_mid(dn_coap_remotes *remotes, uint32_t index)
{
    return remotes->next_mid[remotes->at[index].hash & (remotes->bucket_count - 1)]++;
}
