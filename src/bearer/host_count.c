/* SPDX-License-Identifier: Apache-2.0 */
/* One record for a host that has any. */
#include "bearer/host_count.h"

#include "base/deadline.h"
#include "bearer/udp.h"

#include <stdlib.h>

struct dn_host {
    dn_peer_node node;
    uint32_t count;
};

bool dn_host_count_init(dn_host_count *hosts, const dn_hash_key *key)
{
    return dn_peer_table_init(&hosts->table, key);
}

static void drop(void *context, dn_peer_node *node)
{
    (void)context;
    free(DN_CONTAINER(node, dn_host, node));
}

void dn_host_count_free(dn_host_count *hosts)
{
    if (hosts->table.buckets != NULL) {
        dn_peer_table_each(&hosts->table, drop, NULL);
        dn_peer_table_free(&hosts->table);
    }
}

dn_host *dn_host_enter(dn_host_count *hosts, const dn_peer *peer, uint32_t max)
{
    dn_peer key;
    if (!dn_udp_peer_host(peer, &key)) {
        key = *peer; /* of another bearer: a host of its own */
    }
    dn_peer_node *node = dn_peer_table_find(&hosts->table, &key);
    dn_host *host = node != NULL ? DN_CONTAINER(node, dn_host, node) : calloc(1, sizeof *host);
    if (host == NULL || max == 0 || host->count >= max) {
        if (node == NULL) {
            free(host);
        }
        return NULL;
    }
    if (node == NULL) {
        dn_peer_table_add(&hosts->table, &host->node, &key);
    }
    host->count++;
    return host;
}

void dn_host_leave(dn_host_count *hosts, dn_host *host)
{
    if (--host->count == 0) {
        dn_peer_table_remove(&hosts->table, &host->node);
        free(host);
    }
}
