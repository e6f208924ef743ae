/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TCP bearer: a set of non-blocking connections, accepted or begun by us, behind one descriptor that becomes readable when any of them
 * wants attention (an epoll). What is sent is gathered and written by dn_tcp_flush. A dn_peer of this bearer has the form of the UDP bearer's
 * (see bearer/udp.h: dn_udp_peer_text, dn_udp_resolve and others read and make it) with DN_TRANSPORT_TCP or TLS; it is the
 * remote address and port of a connection, and names it.
 *
 * Threads: a dn_tcp belongs to one thread. Callbacks may call send and close, not open, listen or work.
 */
#ifndef DN_BEARER_TCP_H
#define DN_BEARER_TCP_H

#include "base/peer.h"
#include "bearer/udp.h"

typedef struct dn_tcp dn_tcp;

typedef struct {
    uint32_t max_connections; /* 10000 */
    uint32_t max_per_host;    /* 1000 accepted from one address (of IPv6: one /64) */
    uint32_t
        max_unsent; /* 65536 bytes gathered for one connection; one that lets more pile up is closed (LIMIT) */
    uint64_t max_unsent_total; /* 256 MiB of all */
    uint32_t connect_ms;       /* 30000 */
    uint32_t keepalive_s;      /* 600: TCP keep-alive; 0: none */
    uint32_t work_max;         /* 256 connections attended to in a dn_tcp_work */
} dn_tcp_config;

typedef struct {
    void (*opened)(void *context, const dn_peer *peer); /* accepted, or dn_tcp_connect has succeeded */
    void (*bytes)(void *context, const dn_peer *peer, dunlin_slice bytes);
    /* Not after dn_tcp_close. END: the other end closed; TIMEOUT: connecting took too long; REJECTED: nobody listens; LIMIT; IO: anything else */
    void (*closed)(void *context, const dn_peer *peer, dunlin_status status);
    void *context;
} dn_tcp_callbacks;

typedef struct {
    uint64_t accepted, connected, closed, bytes_received, bytes_sent;
    uint64_t refused; /* not accepted: a limit */
    uint64_t failed;  /* connections of ours that did not come about */
    uint64_t overrun; /* closed for max_unsent */
} dn_tcp_counters;

dn_tcp_config dn_tcp_config_default(void);
dunlin_status dn_tcp_create(const dn_tcp_config *config, const dn_tcp_callbacks *callbacks, dn_tcp **tcp);
void dn_tcp_destroy(dn_tcp *tcp); /* closes all without callbacks; may be NULL */

/* Addresses as dn_udp_open takes them; `transport`, TCP or TLS, is that of the peers accepted there. Several may be open. `text`, may be NULL,
   gets the bound address with its real port. */
dunlin_status dn_tcp_listen(dn_tcp *tcp, const char *address, dn_transport transport,
                            char text[DN_UDP_TEXT_MAX]);
/* Begins a connection to `peer`. DUPLICATE: there is one; LIMIT; IO. `opened` or `closed` follows from dn_tcp_work. */
dunlin_status dn_tcp_connect(dn_tcp *tcp, const dn_peer *peer, uint64_t now_ms);
/* Gathers a copy. NOT_FOUND: no such connection, or it is not open; LIMIT: it has been closed (`closed` follows from the next work). */
dunlin_status dn_tcp_send(dn_tcp *tcp, const dn_peer *peer, dunlin_slice bytes);
/* Sends what is gathered, then closes; the peer is gone at once for the caller. `abort`: with a reset, unsent bytes are dropped. */
void dn_tcp_close(dn_tcp *tcp, const dn_peer *peer, bool abort);

int dn_tcp_fd(const dn_tcp *tcp);
/* Accepts, connects, reads: calls back. True: something happened. */
bool dn_tcp_work(dn_tcp *tcp, uint64_t now_ms);
/* Writes what is gathered, as far as the sockets take it; the rest goes out with work and flush later. */
void dn_tcp_flush(dn_tcp *tcp);
/* When dn_tcp_work is to be called although the descriptor is quiet; UINT64_MAX: never. */
uint64_t dn_tcp_deadline(const dn_tcp *tcp);
size_t dn_tcp_connections(const dn_tcp *tcp);
const dn_tcp_counters *dn_tcp_count(const dn_tcp *tcp);

#endif
