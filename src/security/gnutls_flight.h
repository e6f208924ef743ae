/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driving of a handshake: the library's transport functions, gathering of records into datagrams, retransmission by the caller's
 * clock, and what the handshake has seen so far, for the day it fails.
 *
 * Retransmission (RFC 6347 section 4.2.4). The library retransmits its last flight by the system's clock, when it is called, has nothing to read, and its
 * wait is over. Here its wait is set to 0, and whether there is nothing to read is told to it so that it repeats exactly when the time has come
 * by the caller's clock, or when the other end's repetition shows that the flight did not arrive. A message out of order makes it repeat as well;
 * those records are thrown away.
 */
#ifndef DN_SECURITY_GNUTLS_FLIGHT_H
#define DN_SECURITY_GNUTLS_FLIGHT_H

#include "security/gnutls_inside.h"

#define DN_RETRANSMIT_MAX_MS 60000u

struct dn_flight {
    bool is_new;           /* a message was made during this call: what is written is no repetition */
    bool may_repeat;       /* the time to repeat has come */
    bool has_written;      /* since the library last asked for something to read */
    bool has_heard;        /* a message that was not seen before came in during this call */
    bool has_identity;     /* server, PSK: the identity is known */
    bool is_last_sent;     /* our Finished is out */
    bool is_key_exchanged; /* server: ClientKeyExchange has come */
    bool has_changed;      /* DTLS: the other end's ChangeCipherSpec was let in */
    uint32_t wait_ms;
    uint64_t sent_ms;
    dn_tls_verdict verdict; /* of a callback */
};

typedef enum { DN_FLIGHT_INPUT, DN_FLIGHT_TIMER } dn_flight_cause;

/* Makes a new library session write to and read from `session`, and tell about its messages. */
void dn_flight_attach(dn_tls_session *session);
/* Goes on with the handshake: with what is in session->in, or because the time has come. The library's result: 0 when it is complete, or
   an error for good; GNUTLS_E_AGAIN otherwise. What is to be sent has been. */
int dn_flight_run(dn_tls_session *session, dn_flight_cause cause, uint64_t now_ms);
/* Hands what was gathered to the caller, and frees it. */
void dn_flight_flush(dn_tls_session *session);

/* ---- the end of a session (gnutls_ending.c) ---- */

/* The session has ended. `why` is copied; the first end counts. */
void dn_tls_end(dn_tls_session *session, dunlin_status status, int alert, bool received, const char *why);
/* The library said `result`: sends the alert that is due, and ends. */
void dn_tls_fail(dn_tls_session *session, int result);
/* The handshake has taken too long. */
void dn_tls_time_out(dn_tls_session *session);

#endif
