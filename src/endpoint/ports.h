/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server listens on: CoAP over UDP, DTLS, TCP and TLS, put together as sockets ⇄ (D)TLS ⇄ whole CoAP messages. A shard's loop drives
 * one. What is sent is gathered until dn_ports_flush, so that nothing leaves before it was committed; that goes for handshakes and alerts too.
 *
 * A peer tells its transport (base/peer.h). Messages of stream peers are whole ones in the form of RFC 8323.
 *
 * Threads: one, but for dn_ports_revoke_later and dn_ports_use_later.
 */
#ifndef DN_ENDPOINT_PORTS_H
#define DN_ENDPOINT_PORTS_H

#include "bearer/tcp.h"
#include "endpoint/secure.h"

#include <poll.h>

#define DN_PORTS_MAX     16u /* addresses of each transport */
#define DN_PORTS_FDS_MAX (2u * DN_PORTS_MAX + 2u)

typedef struct dn_ports dn_ports;

typedef struct {
    const char *const *addresses;
    size_t count;
} dn_ports_addresses;

typedef struct {
    dn_ports_addresses listen
        [4]; /* by dn_transport. Of UDP and DTLS each with an IP address of its own within its transport */
    bool may_be_none;    /* [false] no address at all is no mistake: nobody is heard */
    dn_tls_context *tls; /* NULL: neither DTLS nor TLS */
    dn_tcp_config tcp;
    dn_secure_config dtls, tls_streams; /* without a log of their own: `log` */
    uint32_t max_message;               /* 1152: UDP and DTLS */
    uint32_t max_stream_message;        /* 8192 */
    uint32_t
        stream_wait_ms; /* 60000: for the first message on a stream, and for the end of one that has begun; 0: as long as it takes */
    uint32_t batch; /* 32 datagrams taken from a socket in a turn */
    const dn_log *log;
} dn_ports_config;

typedef struct {
    void (*message)(void *context, const dn_peer *peer, dunlin_slice message);
    void (*opened)(
        void *context,
        const dn_peer *peer); /* a stream (over TLS: its handshake too) or a DTLS session is there */
    void (*closed)(void *context, const dn_peer *peer,
                   dunlin_status status); /* it is gone, or another identity's session takes its place */
    void *context;
} dn_ports_callbacks;

typedef struct {
    dn_secure_counters dtls, tls;
    dn_tcp_counters tcp;
    uint64_t tcp_connections;   /* now */
    uint64_t slow_streams;      /* closed because a message took longer than stream_wait_ms */
    uint64_t malformed_streams; /* closed because their bytes were no messages, or too large ones */
    uint64_t dropped;           /* messages not sent: no room, no session, no connection */
} dn_ports_counters;

dn_ports_config dn_ports_config_default(void);
/* ARGUMENT: no such address, or two that overlap; IO: an address that cannot be had. `error` names the address. */
dunlin_status dn_ports_open(const dn_ports_config *config, const dn_ports_callbacks *callbacks,
                            uint64_t now_ms, dn_ports **ports, char *error, size_t error_size);
void dn_ports_close(dn_ports *ports); /* may be NULL */
/* The bound address "127.0.0.1:40123" of the n-th of a transport; NULL: no such. */
const char *dn_ports_address(const dn_ports *ports, dn_transport transport, size_t index);

/* Takes what has arrived: messages come from within. The number of datagrams and happenings; 0: nothing was there. IO, in `status` (may be
   NULL): a socket failed for good, `errno` says why. */
size_t dn_ports_receive(dn_ports *ports, uint64_t now_ms, dunlin_status *status);
/* Queues a message. A loss is no error, but counted; a stream that cannot take it is closed. */
void dn_ports_send(dn_ports *ports, const dn_peer *peer, dunlin_slice message, uint64_t now_ms);
void dn_ports_flush(dn_ports *ports);
void dn_ports_expire(dn_ports *ports, uint64_t now_ms);
uint64_t dn_ports_deadline(const dn_ports *ports);
/* What to poll for; the number of entries. */
size_t dn_ports_fds(const dn_ports *ports, struct pollfd fds[DN_PORTS_FDS_MAX]);

/* Who the peer has proved to be; NULL: nobody (UDP, TCP), or it has no session now. Valid until the next call. */
const dn_identity *dn_ports_identity(const dn_ports *ports, const dn_peer *peer);
/* True when something can be sent to the peer: always over UDP; over others, while there is a session or connection. */
bool dn_ports_reaches(const dn_ports *ports, const dn_peer *peer);
/* Ends a session or connection after what is queued for it; no callback. */
void dn_ports_end(dn_ports *ports, const dn_peer *peer, uint64_t now_ms);
/* Sessions of that credential end (`closed` with ACCESS), and what resumes sessions is forgotten. Any thread; done at the next expire, which
   is due at once: wake the loop. */
void dn_ports_revoke_later(dn_ports *ports, uint64_t credential);
/* New handshakes use this context; the caller's reference stays its own. Any thread, as above. */
void dn_ports_use_later(dn_ports *ports, dn_tls_context *context);
void dn_ports_count(const dn_ports *ports, dn_ports_counters *out);

#endif
