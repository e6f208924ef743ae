/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine knows of each peer it has something to remember about: next message id, exchanges
 * outstanding (NSTART), message ids seen. A remote lives as long as something refers to it. Tables name it by
 * index, 4 bytes instead of an address.
 */
#ifndef DN_COAP_REMOTE_H
#define DN_COAP_REMOTE_H

#include "base/hash.h"
#include "base/peer.h"
#include "coap/arena.h"

#define DN_COAP_NONE UINT32_MAX

struct dn_coap_exchange;

/* Message ids of one peer in one table of seen ones, oldest first. */
typedef struct {
    uint32_t oldest, newest, count;
} dn_coap_seen_list;

typedef struct {
    dn_peer peer;
    uint32_t hash;
    uint32_t next; /* in its bucket, or of the free ones */
    uint32_t references;
    uint32_t outstanding; /* confirmable messages without acknowledgement */
    uint16_t next_mid;
    uint64_t mid_tick; /* what its first message id was made from */
    dn_coap_seen_list seen[2];
    struct dn_coap_exchange *waiting_first, *waiting_last; /* for NSTART */
    struct dn_coap_exchange *exchanges;                    /* all of this peer */
} dn_coap_remote;

typedef struct {
    dn_coap_remote *at;
    uint32_t *bucket;
    uint32_t count, bucket_count, free, in_use;
    dn_hash_key key;
    uint64_t mid_floor; /* ticks below it may have been used by remotes that were forgotten */
} dn_coap_remotes;

void dn_coap_remotes_init(dn_coap_remotes *remotes, dn_coap_arena *arena, uint32_t count,
                          const dn_hash_key *key);
/* The index of a known peer, or DN_COAP_NONE. */
uint32_t dn_coap_remote_find(const dn_coap_remotes *remotes, const dn_peer *peer);
/* The index of a peer, made if it is new, with a reference that the caller owns. DN_COAP_NONE: none free. A
   new remote's first message id depends on the time and on what forgotten ones have used, so that ids do
   not come again soon after a remote was forgotten. */
uint32_t dn_coap_remote_get(dn_coap_remotes *remotes, const dn_peer *peer, uint64_t now_ms);
void dn_coap_remote_hold(dn_coap_remotes *remotes, uint32_t index);
void dn_coap_remote_release(dn_coap_remotes *remotes, uint32_t index);

#endif
