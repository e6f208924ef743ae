/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine knows of each peer it has something to remember about: exchanges
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
    dn_coap_seen_list seen[2];
    uint32_t connection;                                   /* DN_COAP_NONE: it is reached by datagrams */
    struct dn_coap_exchange *waiting_first, *waiting_last; /* for NSTART */
    struct dn_coap_exchange *exchanges;                    /* all of this peer */
} dn_coap_remote;

typedef struct {
    dn_coap_remote *at;
    uint32_t *bucket;
    uint32_t count, bucket_count, free, in_use;
    dn_hash_key key;
    uint16_t *next_mid; /* for each bucket */
} dn_coap_remotes;

void dn_coap_remotes_init(dn_coap_remotes *remotes, dn_coap_arena *arena, uint32_t count,
                          const dn_hash_key *key);
/* The index of a known peer, or DN_COAP_NONE. */
uint32_t dn_coap_remote_find(const dn_coap_remotes *remotes, const dn_peer *peer);
/* The index of a peer, made if it is new, with a reference that the caller owns. DN_COAP_NONE: none free. */
uint32_t dn_coap_remote_get(dn_coap_remotes *remotes, const dn_peer *peer);
void dn_coap_remote_hold(dn_coap_remotes *remotes, uint32_t index);
void dn_coap_remote_release(dn_coap_remotes *remotes, uint32_t index);

/* A message id for the next message to it. Ids are counted by bucket, and buckets outlive remotes: a peer
   gets none again before 65,536 others (RFC 7252 section 4.4), though it was forgotten in between. */
uint16_t dn_coap_remote_next_mid(dn_coap_remotes *remotes, uint32_t index);

#endif
