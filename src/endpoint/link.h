/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's way to one server: bearer ⇄ (D)TLS ⇄ whole CoAP messages, its state and its deadlines. A function of bytes and time; the bearer
 * is the caller's. One handshake per opening: when to try again is the client's policy (Object 1), not the link's. What resumes
 * a session is kept over closing and opening, and forgotten when a handshake fails for another reason than silence, or by
 * dn_link_forget.
 *
 * Threads: one. Callbacks may call send and close; `down` may also open the link again.
 */
#ifndef DN_ENDPOINT_LINK_H
#define DN_ENDPOINT_LINK_H

#include "base/peer.h"
#include "coap/frame.h"
#include "security/tls.h"

typedef enum {
    DN_LINK_CLOSED,
    DN_LINK_CONNECTING, /* a stream that is not there yet: dn_link_connected is awaited */
    DN_LINK_HANDSHAKE,
    DN_LINK_UP
} dn_link_state;

typedef struct {
    /* A datagram or bytes of the stream, to be copied. May call nothing of the link. */
    void (*output)(void *context, const dn_peer *peer, dunlin_slice bytes);
    void (*message)(void *context, const dn_peer *peer, dunlin_slice message);
    void (*up)(void *context);
    /*
     * It is closed, and was not by dn_link_close. The caller closes the stream. `alert`: DN_TLS_NO_ALERT, or what came or went; `why` for a
     * log, valid during the call. END: the other end said goodbye; TIMEOUT: of the handshake; REJECTED: it refused us; ACCESS: we refused it;
     * MALFORMED, RANGE: no messages on the stream, or too large ones; MEMORY; what dn_link_lost was given.
     */
    void (*down)(void *context, dunlin_status status, int alert, const char *why);
    void *context;
} dn_link_callbacks;

typedef struct {
    dn_link_callbacks call;
    uint32_t
        max_stream_message; /* bytes of the largest message on a stream; 0: no streams, opening one is UNSUPPORTED */
    const dn_log *log; /* may be NULL; must outlive the link */
} dn_link_config;

typedef struct dn_link dn_link;

dn_link *dn_link_create(const dn_link_config *config); /* NULL: no memory */
void dn_link_destroy(dn_link *link);                   /* may be NULL; no callbacks, nothing is sent */

/*
 * Begins. The peer's transport says what: UDP is UP from within, without `up`; DTLS begins its handshake; TCP and TLS wait for
 * dn_link_connected. `tls` (DTLS, TLS) is counted, the caller's reference stays its own. STATE: not closed; ARGUMENT: no `tls` where it is
 * needed; UNSUPPORTED: a stream, without max_stream_message; MEMORY.
 */
dunlin_status dn_link_open(dn_link *link, const dn_peer *peer, dn_tls_context *tls, uint64_t now_ms);
/* The stream is there. Without effect but in CONNECTING. */
void dn_link_connected(dn_link *link, uint64_t now_ms);
/* A datagram, or bytes of the stream. What comes to a closed link is dropped. */
void dn_link_receive(dn_link *link, dunlin_slice bytes, uint64_t now_ms);
/* STATE: not up; others as dn_tls_send. */
dunlin_status dn_link_send(dn_link *link, dunlin_slice message, uint64_t now_ms);
void dn_link_close(dn_link *link, uint64_t now_ms); /* with close_notify; no callback */
/* The bearer lost it: a stream was closed. `down` is called. */
void dn_link_lost(dn_link *link, dunlin_status status);
void dn_link_expire(dn_link *link, uint64_t now_ms);
uint64_t dn_link_deadline(const dn_link *link); /* UINT64_MAX: none */

dn_link_state dn_link_state_of(const dn_link *link);
const dn_peer *dn_link_peer(const dn_link *link); /* of the last opening */
/* Of the session that is up: */
bool dn_link_is_resumed(const dn_link *link);
const char *dn_link_suite(const dn_link *link);     /* "" without security */
uint64_t dn_link_handshake_ms(const dn_link *link); /* how long its handshake took */
/* Forgets what resumes: its credentials are other ones now. */
void dn_link_forget(dn_link *link);

#endif
