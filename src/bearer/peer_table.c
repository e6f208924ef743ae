/* SPDX-License-Identifier: Apache-2.0 */
/* Chains in buckets; doubled when there are two nodes for each. */
#include "bearer/peer_table.h"

#include <stdlib.h>

#define FIRST_BUCKETS 64u
#define LOAD          2u

bool dn_peer_table_init(dn_peer_table *table, const dn_hash_key *key)
{
    *table = (dn_peer_table){.mask = FIRST_BUCKETS - 1, .key = *key};
    table->buckets = calloc(FIRST_BUCKETS, sizeof(dn_peer_node *));
    return table->buckets != NULL;
}

void dn_peer_table_free(dn_peer_table *table)
{
    free(table->buckets);
    table->buckets = NULL;
    table->count = 0;
}

static uint32_t hash_of(const dn_peer_table *table, const dn_peer *peer)
{
    return (uint32_t)dn_hash(&table->key, dunlin_slice_make(peer->bytes, peer->len));
}

dn_peer_node *dn_peer_table_find(const dn_peer_table *table, const dn_peer *peer)
{
    if (table->count == 0) {
        return NULL;
    }
    uint32_t hash = hash_of(table, peer);
    dn_peer_node *node = table->buckets[hash & table->mask];
    while (node != NULL && (node->hash != hash || !dn_peer_equal(&node->peer, peer))) {
        node = node->next;
    }
    return node;
}

static void grow(dn_peer_table *table)
{
    size_t size = (table->mask + 1) * 2;
    dn_peer_node **buckets = calloc(size, sizeof *buckets);
    if (buckets == NULL) {
        return;
    }
    for (size_t i = 0; i <= table->mask; i++) {
        dn_peer_node *node = table->buckets[i];
        while (node != NULL) {
            dn_peer_node *next = node->next;
            node->next = buckets[node->hash & (size - 1)];
            buckets[node->hash & (size - 1)] = node;
            node = next;
        }
    }
    free(table->buckets);
    table->buckets = buckets;
    table->mask = size - 1;
}

void dn_peer_table_add(dn_peer_table *table, dn_peer_node *node, const dn_peer *peer)
{
    if (table->count >= (table->mask + 1) * LOAD) {
        grow(table);
    }
    node->peer = *peer;
    node->hash = hash_of(table, peer);
    node->next = table->buckets[node->hash & table->mask];
    table->buckets[node->hash & table->mask] = node;
    table->count++;
}

void dn_peer_table_remove(dn_peer_table *table, dn_peer_node *node)
{
    dn_peer_node **link = &table->buckets[node->hash & table->mask];
    while (*link != node) {
        link = &(*link)->next;
    }
    *link = node->next;
    node->next = NULL;
    table->count--;
}

void dn_peer_table_each(dn_peer_table *table, void (*each)(void *context, dn_peer_node *node), void *context)
{
    for (size_t i = 0; i <= table->mask; i++) {
        dn_peer_node *node = table->buckets[i];
        while (node != NULL) {
            dn_peer_node *next = node->next;
            each(context, node);
            node = next;
        }
    }
}
