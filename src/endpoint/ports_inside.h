/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of dn_ports that its files share. */
#ifndef DN_ENDPOINT_PORTS_INSIDE_H
#define DN_ENDPOINT_PORTS_INSIDE_H

#include "base/deadline.h"
#include "bearer/peer_table.h"
#include "endpoint/outlets.h"
#include "endpoint/ports.h"

#include <pthread.h>
#include <stdatomic.h>

#define DN_PORTS_AREA "ports"

/* What other threads want; taken over by the next expire. */
typedef struct {
    pthread_mutex_t lock;
    atomic_bool waits;
    uint64_t *revoked;
    size_t revoked_count, revoked_size;
    bool revoke_all; /* no memory to note which */
    dn_tls_context *context;
} dn_ports_later;

struct dn_ports {
    dn_ports_config config;
    dn_ports_callbacks call;
    dn_outlets datagrams[2]; /* UDP, DTLS */
    char stream_text[2][DN_PORTS_MAX][DN_UDP_TEXT_MAX];
    size_t stream_count[2]; /* listeners of TCP, TLS */
    dn_udp_batch *batch;
    dn_tcp *tcp;             /* NULL: no streams */
    dn_secure *dtls;         /* NULL: none */
    dn_secure *tls;          /* NULL: none */
    dn_tls_context *context; /* kept; NULL: none */
    dn_peer_table streams;   /* those of which `opened` was called */
    uint8_t *assembly;       /* max_stream_message bytes, for the stream whose bytes are being cut */
    const void *cutting;     /* that stream; NULL when it was ended from within */
    dn_ports_later later;
    uint64_t now_ms;  /* of the last call that brought a time */
    dn_wheel waiting; /* of streams for a message */
    uint64_t malformed, slow, dropped;
};

/* ports_streams.c: connections and the messages on them. */

dunlin_status dn_ports_streams_open(dn_ports *ports, char *error, size_t error_size);
void dn_ports_streams_close(dn_ports *ports);
/* A stream is ready for messages: a record of it is made, and `opened` called. False: no memory. */
bool dn_ports_stream_add(dn_ports *ports, const dn_peer *peer);
bool dn_ports_stream_is_there(const dn_ports *ports, const dn_peer *peer);
/* Forgets it. False: there was none. */
bool dn_ports_stream_remove(dn_ports *ports, const dn_peer *peer);
void dn_ports_streams_expire(dn_ports *ports);
uint64_t dn_ports_streams_deadline(const dn_ports *ports); /* the connections' too */
/* Bytes in the clear. */
void dn_ports_stream_bytes(dn_ports *ports, const dn_peer *peer, dunlin_slice bytes);

/* ports_sessions.c: DTLS and TLS. Every function is right when there is neither. */

dunlin_status dn_ports_sessions_open(dn_ports *ports, char *error, size_t error_size);
void dn_ports_sessions_close(dn_ports *ports);
/* A TLS connection is there, has brought bytes, is gone. */
void dn_ports_sessions_connected(dn_ports *ports, const dn_peer *peer);
void dn_ports_sessions_bytes(dn_ports *ports, const dn_peer *peer, dunlin_slice bytes);
void dn_ports_sessions_disconnected(dn_ports *ports, const dn_peer *peer);
bool dn_ports_sessions_send(dn_ports *ports, const dn_peer *peer, dunlin_slice message);
void dn_ports_sessions_end(dn_ports *ports, const dn_peer *peer);
void dn_ports_sessions_expire(dn_ports *ports);
uint64_t dn_ports_sessions_deadline(const dn_ports *ports);

#endif
