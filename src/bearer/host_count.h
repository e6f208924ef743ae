/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many connections or handshakes each host has now, so that one host cannot take what is meant for all. A host is an IPv4
 * address or an IPv6 /64 (dn_udp_peer_host): whoever has one IPv6 address has its whole /64.
 *
 * Threads: one.
 */
#ifndef DN_BEARER_HOST_COUNT_H
#define DN_BEARER_HOST_COUNT_H

#include "bearer/peer_table.h"

typedef struct {
    dn_peer_table table;
} dn_host_count;

typedef struct dn_host dn_host;

bool dn_host_count_init(dn_host_count *hosts, const dn_hash_key *key); /* false: no memory */
void dn_host_count_free(dn_host_count *hosts);
/* Counts one more of the peer's host; what it returns is for dn_host_leave. NULL: the host has `max` already, or there is no memory. */
dn_host *dn_host_enter(dn_host_count *hosts, const dn_peer *peer, uint32_t max);
void dn_host_leave(dn_host_count *hosts, dn_host *host);

#endif
