/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's side of security for many peers: which datagram belongs to which session, cookies before memory, limits, devices that begin
 * anew on the same address and port, sessions whose credential has changed. A function of bytes, peers and time, for datagrams (DTLS) and for
 * streams (TLS); one for each kind.
 *
 * A session is replaced by another of the same peer only when the new handshake has succeeded (RFC 6347 section 4.2.8).
 *
 * Callbacks may send, close and revoke; not receive, connect or expire. Bytes are handed on when the session's library has returned, so that
 * they may be answered at once.
 *
 * Threads: one.
 */
#ifndef DN_ENDPOINT_SECURE_H
#define DN_ENDPOINT_SECURE_H

#include "base/hash.h"
#include "base/peer.h"
#include "security/tls.h"

#define DN_SECURE_EVERYBODY UINT64_MAX /* in place of a credential's number */

typedef struct dn_secure dn_secure;

typedef struct {
    dn_transport transport; /* DTLS or TLS: of the peers it is given */
    uint32_t
        max_sessions; /* 100000 established; the one that was quiet longest, to the second, gives way, and is counted */
    uint32_t
        max_handshakes; /* 1000 half-open; the oldest gives way when it is older than handshake_grace_ms, else the new one is dropped */
    uint32_t max_handshakes_per_host; /* 64 of one address (of IPv6: one /64) */
    uint32_t handshake_grace_ms;      /* 2000 */
    uint32_t
        max_cookies_per_s; /* 10000 HelloVerifyRequests, in bursts of a tenth; 0: any number. What comes beyond is dropped, so that a flood leaves time for those with a session */
    uint32_t
        idle_s; /* 0: established sessions are kept until they give way; else how long after their last message */
    const dn_log *log;
    dn_random random;
} dn_secure_config;

typedef struct {
    void (*output)(void *context, const dn_peer *peer, dunlin_slice bytes); /* to the bearer */
    void (*input)(void *context, const dn_peer *peer, dunlin_slice plain);
    void (*opened)(void *context, const dn_peer *peer, const dn_identity *identity, bool resumed);
    /* An established session has ended; for a stream also a failed handshake: close it. Also when another identity took its place: then
       END, and `opened` follows. When the same identity begins anew on its address and port, `opened` comes alone. */
    void (*closed)(void *context, const dn_peer *peer, dunlin_status status);
    void *context;
} dn_secure_callbacks;

typedef struct {
    uint64_t sessions, half_open; /* now */
    uint64_t handshakes, resumed,
        failed;       /* of those that ended: complete, of which resumed; failed for any reason */
    uint64_t cookies; /* HelloVerifyRequests sent */
    uint64_t unknown_psk, bad_psk_or_mac, bad_certificate, timeouts; /* why they failed */
    uint64_t limits;    /* handshakes not begun, or given up, because of a limit; ClientHellos not answered */
    uint64_t evicted;   /* established sessions that gave way */
    uint64_t strangers; /* datagrams without a session that begin none */
    uint64_t revoked;   /* sessions ended because their credential changed */
} dn_secure_counters;

dn_secure_config dn_secure_config_default(dn_transport transport);
/* `context` is counted: it stays the caller's to give up. NULL: no memory. */
dn_secure *dn_secure_create(const dn_secure_config *config, dn_tls_context *context,
                            const dn_secure_callbacks *callbacks, uint64_t now_ms);
void dn_secure_destroy(dn_secure *secure); /* no callbacks; may be NULL */
/* For new handshakes; established sessions go on. */
void dn_secure_use(dn_secure *secure, dn_tls_context *context);

/* A stream is open: a handshake begins. False: a limit; close it. */
bool dn_secure_connected(dn_secure *secure, const dn_peer *peer, uint64_t now_ms);
/* A stream is gone; no callback. */
void dn_secure_disconnected(dn_secure *secure, const dn_peer *peer);

void dn_secure_receive(dn_secure *secure, const dn_peer *peer, dunlin_slice bytes, uint64_t now_ms);
/* NOT_FOUND: no established session; others as dn_tls_send. */
dunlin_status dn_secure_send(dn_secure *secure, const dn_peer *peer, dunlin_slice plain, uint64_t now_ms);
/* Ends it with close_notify, no callback. */
void dn_secure_close(dn_secure *secure, const dn_peer *peer, uint64_t now_ms);
void dn_secure_expire(dn_secure *secure, uint64_t now_ms);
uint64_t dn_secure_deadline(const dn_secure *secure);

/* NULL: no established session. Valid until the next call. */
const dn_identity *dn_secure_identity(const dn_secure *secure, const dn_peer *peer);
/* Ends every session of that credential, with `closed` (ACCESS) for each; how many there were. A handshake under way that proves it fails.
   One that has proved the credential as it is now is spared: whoever heard of the change first may be back already. EVERYBODY spares nobody. */
size_t dn_secure_revoke(dn_secure *secure, uint64_t credential, uint64_t now_ms);
const dn_secure_counters *dn_secure_count(const dn_secure *secure);

#endif
