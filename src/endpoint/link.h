/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's way to one server: bearer ⇄ (D)TLS ⇄ whole CoAP messages, its state and its deadlines. A function of bytes and time; the bearer
 * is the caller's. One handshake per opening: when to try again is the client's policy (Object 1), not the link's. What resumes
 * a session is kept over closing and opening.
 *
 * Threads: one.
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
    /* A datagram or bytes of the stream, to be copied. */
    void (*output)(void *context, const dn_peer *peer, dunlin_slice bytes);
    void (*message)(void *context, const dn_peer *peer, dunlin_slice message); /* may not close the link */
    void (*up)(void *context);
    /* It is closed, and was not by dn_link_close. The caller closes the stream. `alert`: DN_TLS_NO_ALERT, or what came or went; `why` for a log. */
    void (*down)(void *context, dunlin_status status, int alert, const char *why);
    void *context;
} dn_link_callbacks;

typedef struct {
    dn_link_callbacks call;
    uint32_t max_message; /* datagrams */
    uint32_t max_stream_message;
    const dn_log *log;
} dn_link_config;

typedef struct dn_link dn_link;

dn_link *dn_link_create(const dn_link_config *config); /* NULL: no memory */
void dn_link_destroy(dn_link *link);                   /* may be NULL; no callbacks */

/*
 * Begins. The peer's transport says what: UDP is UP from within; DTLS begins its handshake; TCP and TLS wait for dn_link_connected. `tls`
 * (DTLS, TLS) is counted, the caller's reference stays its own. STATE: not closed; ARGUMENT: no `tls` where it is needed; MEMORY.
 */
dunlin_status dn_link_open(dn_link *link, const dn_peer *peer, dn_tls_context *tls, uint64_t now_ms);
void dn_link_connected(dn_link *link, uint64_t now_ms);
void dn_link_receive(dn_link *link, dunlin_slice bytes, uint64_t now_ms);
/* STATE: not up; others as dn_tls_send. */
dunlin_status dn_link_send(dn_link *link, dunlin_slice message, uint64_t now_ms);
void dn_link_close(dn_link *link, uint64_t now_ms); /* with close_notify; no callback */
/* The bearer lost it: a stream was closed. `down` is called. */
void dn_link_lost(dn_link *link, dunlin_status status);
void dn_link_expire(dn_link *link, uint64_t now_ms);
uint64_t dn_link_deadline(const dn_link *link);

dn_link_state dn_link_state_of(const dn_link *link);
const dn_peer *dn_link_peer(const dn_link *link);
bool dn_link_is_resumed(const dn_link *link);
const char *dn_link_suite(const dn_link *link); /* "" without security */
/* Forgets what resumes: its credentials are other ones now. */
void dn_link_forget(dn_link *link);

#endif
