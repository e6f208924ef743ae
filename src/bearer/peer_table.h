/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table from peers to records that embed a node: no allocation for a record, constant time however many there are. Peers are
 * chosen by strangers, so the hash is keyed.
 *
 * Threads: a table belongs to one thread.
 */
#ifndef DN_BEARER_PEER_TABLE_H
#define DN_BEARER_PEER_TABLE_H

#include "base/hash.h"
#include "base/peer.h"

#include <stddef.h>

/* Embedded in a record (DN_CONTAINER of base/deadline.h gives it back). */
typedef struct dn_peer_node {
    struct dn_peer_node *next;
    uint32_t hash;
    dn_peer peer;
} dn_peer_node;

typedef struct {
    dn_peer_node **buckets; /* a power of two of them, never fewer than half the nodes if memory allows */
    size_t mask;
    size_t count;
    dn_hash_key key;
} dn_peer_table;

bool dn_peer_table_init(dn_peer_table *table, const dn_hash_key *key); /* false: no memory */
void dn_peer_table_free(dn_peer_table *table);                         /* the records are the caller's */
dn_peer_node *dn_peer_table_find(const dn_peer_table *table, const dn_peer *peer); /* NULL: none */
/* Under `peer`, which has none yet. Without memory to grow, the table gets slower, no more. */
void dn_peer_table_add(dn_peer_table *table, dn_peer_node *node, const dn_peer *peer);
void dn_peer_table_remove(dn_peer_table *table, dn_peer_node *node); /* it must be in it */
/* All of them, in no order. `each` may remove the node it is given, and no other, and adds none. */
void dn_peer_table_each(dn_peer_table *table, void (*each)(void *context, dn_peer_node *node), void *context);

#endif
