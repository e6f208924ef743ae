/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end, as the bearer names it. Engines only compare it; the bearer that made it can read it. */
#ifndef DN_BASE_PEER_H
#define DN_BASE_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define DN_PEER_MAX 27

/* What carries the messages to and from a peer; the high half of its first byte. On the same address and port
   it makes another peer: what is proved of one says nothing of the other. */
typedef enum {
    DN_TRANSPORT_UDP = 0,
    DN_TRANSPORT_DTLS = 1,
    DN_TRANSPORT_TCP = 2,
    DN_TRANSPORT_TLS = 3
} dn_transport;

typedef struct {
    uint8_t len;
    uint8_t bytes[DN_PEER_MAX]; /* bytes behind `len` are zero */
} dn_peer;

static inline bool dn_peer_equal(const dn_peer *a, const dn_peer *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static inline dn_transport dn_peer_transport(const dn_peer *peer)
{
    return (dn_transport)(peer->bytes[0] >> 4 & 3u);
}

static inline void dn_peer_set_transport(dn_peer *peer, dn_transport transport)
{
    peer->bytes[0] = (uint8_t)((peer->bytes[0] & 0x0fu) | (unsigned)transport << 4);
}

static inline bool dn_transport_is_stream(dn_transport transport)
{
    return transport == DN_TRANSPORT_TCP || transport == DN_TRANSPORT_TLS;
}

static inline bool dn_transport_is_secure(dn_transport transport)
{
    return transport == DN_TRANSPORT_DTLS || transport == DN_TRANSPORT_TLS;
}

#endif
