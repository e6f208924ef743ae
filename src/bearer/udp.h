/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The UDP bearer: a non-blocking socket that receives and sends datagrams in batches (recvmmsg, sendmmsg).
 *
 * A dn_peer of this bearer holds family, port, address and, for IPv6, the scope of a link-local address. On a
 * socket opened with DN_UDP_LOCAL it holds the local address which the datagram came to as well, and answers
 * leave from there: what a NAT or firewall on the way, and RFC 7252 section 5.3.2, want of a host with
 * several addresses. So one device that speaks to two of our addresses is two peers. Such a peer stays
 * meaningful over a restart: keep its bytes, not its text, which has no local address. A peer parsed from
 * text or resolved from a name has no local address: the kernel chooses one.
 *
 * Peers that this bearer makes are of DN_TRANSPORT_UDP. Whatever runs over it, or has addresses of the same form, sets another
 * transport: every function here takes such peers too, and looks at the address alone.
 *
 * Threads: a dn_udp, a batch and an outbox belong to one thread. Errors: see each function.
 */
#ifndef DN_BEARER_UDP_H
#define DN_BEARER_UDP_H

#include "base/peer.h"
#include <dunlin/slice.h>
#include <dunlin/status.h>

#define DN_UDP_BATCH        64   /* datagrams in a batch or an outbox */
#define DN_UDP_DATAGRAM_MAX 2048 /* a longer one that arrives is counted and dropped */
#define DN_UDP_LOCALS       32   /* local addresses that a socket bound to a wildcard remembers */
#define DN_UDP_TEXT_MAX     72   /* "[address%scope]:port" and its NUL */

enum {
    DN_UDP_REUSEPORT = 1, /* several sockets share the address: one per shard */
    DN_UDP_LOCAL = 2      /* peers carry the local address; for servers */
};

typedef struct {
    uint64_t received, sent, bytes_received, bytes_sent;
    uint64_t truncated; /* arrived, but longer than DN_UDP_DATAGRAM_MAX */
    uint64_t refused;   /* ICMP errors: nobody listens there, or no way to it */
    uint64_t dropped;   /* not sent: outbox full while the socket takes nothing, or the system refused it */
} dn_udp_counters;

/* The four bytes by which a peer names a local address: an IPv4 address, or the hash of an IPv6 one. */
typedef struct {
    uint8_t bytes[4];
} dn_udp_local;

typedef struct {
    int fd;
    int family; /* AF_INET or AF_INET6 of the socket; an IPv6 one bound to [::] serves IPv4 too, with IPv4
                   peers */
    unsigned flags;
    char text[DN_UDP_TEXT_MAX]; /* the bound address with its real port */
    dn_udp_counters counters;
    bool wildcard;      /* bound to no address in particular: the kernel says where each datagram came to */
    dn_udp_local bound; /* what peers carry when it is not */
    struct {
        uint8_t address[DN_UDP_LOCALS][16];
        uint32_t hash[DN_UDP_LOCALS];
        size_t count;
    } local; /* IPv6 local addresses, found by hash when an answer leaves */
} dn_udp;

typedef struct {
    dn_peer peer;
    dunlin_slice bytes; /* in the batch's memory, until the next receive */
} dn_udp_datagram;

/* 130 KiB: allocate it once. Needs no initialisation. */
typedef struct {
    size_t count;
    dn_udp_datagram datagram[DN_UDP_BATCH];
    uint8_t memory[DN_UDP_BATCH][DN_UDP_DATAGRAM_MAX];
} dn_udp_batch;

/* Datagrams that wait to be sent, in order. 130 KiB. Initialise with dn_udp_outbox_init. */
typedef struct {
    size_t count, used;
    struct {
        dn_peer peer;
        uint32_t at, len;
    } entry[DN_UDP_BATCH];
    uint8_t memory[DN_UDP_BATCH * DN_UDP_DATAGRAM_MAX];
} dn_udp_outbox;

/*
 * Binds to "127.0.0.1:5683", "[::1]:0", "0.0.0.0:5683", "[::]:5683", "[fe80::1%eth0]:5683" (numeric only;
 * port 0: any free one). ERR_ARGUMENT: not such a text; ERR_IO: the system refused, errno says why.
 */
dunlin_status dn_udp_open(dn_udp *udp, const char *address, unsigned flags);
void dn_udp_close(dn_udp *udp); /* also after a failed open */

/* Takes what has arrived, at most `max` datagrams (1..DN_UDP_BATCH). OK: batch->count > 0; END: nothing
 * there; ERR_IO: errno says why. */
dunlin_status dn_udp_receive(dn_udp *udp, dn_udp_batch *batch, size_t max);

void dn_udp_outbox_init(dn_udp_outbox *outbox);
/* Copies a datagram behind the others. False, and nothing done: the outbox is full (flush first), or it is
 * too long. */
bool dn_udp_queue(dn_udp_outbox *outbox, const dn_peer *peer, dunlin_slice bytes);
/* Sends what is queued. OK: all gone; END: the socket takes no more now, the rest stays queued: call again
   when it is writable. A datagram the system refuses is counted and dropped, and the others go on. */
dunlin_status dn_udp_flush(dn_udp *udp, dn_udp_outbox *outbox);
/* Queues, flushing when full; when even this gives no room the datagram is dropped and counted, as a network
 * would. */
void dn_udp_send(dn_udp *udp, dn_udp_outbox *outbox, const dn_peer *peer, dunlin_slice bytes);

/* "192.0.2.1:5683", "[2001:db8::1]:5683"; without the local address. An unknown kind of peer gives "?".
 * Returns `out`. */
const char *dn_udp_peer_text(const dn_peer *peer, char out[DN_UDP_TEXT_MAX]);
/* The local address that the peer spoke to, "192.0.2.1". False, and "": it is not known, as of IPv6, of which a peer has no more than a hash. */
bool dn_udp_peer_local_text(const dn_peer *peer, char out[DN_UDP_TEXT_MAX]);
/* The inverse, numeric only. ERR_ARGUMENT: no such address. */
dunlin_status dn_udp_peer_parse(const char *text, dn_peer *peer);
/* Looks a name up (blocking, getaddrinfo; numeric addresses without a look-up). NOT_FOUND: it has no address
   of `family` (AF_INET, AF_INET6; AF_UNSPEC 0 takes the system's first choice). */
dunlin_status dn_udp_resolve(const char *host, uint16_t port, int family, dn_peer *peer);
/* True when an answer to `peer` from this socket leaves from the address which the peer spoke to; for a peer
   without local address, when the socket reaches its family. Of several sockets it tells the right one,
   unless they share an IP address. */
bool dn_udp_serves(const dn_udp *udp, const dn_peer *peer);
/* True when both are the same IP address (and scope); ports and local addresses may differ. */
bool dn_udp_same_host(const dn_peer *a, const dn_peer *b);
/* The host alone, without port, scope and local address, of IPv6 its /64: what limits per host count by. False: another
   bearer's peer. */
bool dn_udp_peer_host(const dn_peer *peer, dn_peer *host);
/* True when the peer is on this host: 127.0.0.0/8 or ::1. */
bool dn_udp_is_loopback(const dn_peer *peer);
/* 4 or 6; 0 for a peer which another bearer made. */
int dn_udp_peer_family(const dn_peer *peer);
uint16_t dn_udp_peer_port(const dn_peer *peer);

#endif
