/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket addresses as peers and back. For the bearer's own files.
 *
 * A peer's bytes: transport (high half, see base/peer.h) and family 4 or 6 (low half), port (network order), then 4 bytes of address, or 16 and 4 of scope; then,
 * if it carries one, 4 bytes that name the local address. IPv4-mapped IPv6 addresses become IPv4 peers: one
 * host is one peer, whichever socket heard it.
 */
#ifndef DN_BEARER_UDP_ADDRESS_H
#define DN_BEARER_UDP_ADDRESS_H

#include "bearer/udp.h"
#include <sys/socket.h>

/* `local` may be NULL. False: neither IPv4 nor IPv6. */
bool dn_udp_peer_from_sockaddr(const struct sockaddr_storage *address, const dn_udp_local *local,
                               dn_peer *peer);
/* The address for a socket of `family`. 0: the peer cannot be reached through such a socket. */
socklen_t dn_udp_peer_to_sockaddr(const dn_peer *peer, int family, struct sockaddr_storage *address);
/* The local part of a peer; false when it has none. */
bool dn_udp_peer_local(const dn_peer *peer, dn_udp_local *local);
/* The four bytes for an IPv6 local address; those of an IPv4-mapped one are its IPv4 address. */
dn_udp_local dn_udp_local_of(const uint8_t address[16]);

#endif
