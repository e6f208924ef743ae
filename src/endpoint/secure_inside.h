/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of dn_secure that its files share: one session's record, where it stands, and how it begins and ends.
 *
 * A session stands in one of two tables: half-open ones, and established ones. A peer may have one in each: then a handshake runs beside the
 * old session, and takes its place when it has succeeded.
 */
#ifndef DN_ENDPOINT_SECURE_INSIDE_H
#define DN_ENDPOINT_SECURE_INSIDE_H

#include "base/deadline.h"
#include "bearer/host_count.h"
#include "endpoint/secure.h"

#define DN_SECURE_AREA        "security"
#define DN_SECURE_REVOCATIONS 32u /* the last ones, for handshakes that were under way */

typedef struct dn_secure_session dn_secure_session;

typedef struct {
    dn_secure_session *oldest, *newest;
} dn_secure_list;

struct dn_secure_session {
    dn_peer_node node;
    dn_secure *owner;
    dn_tls_session *tls;
    dn_secure_list
        *list; /* half-open: by their beginning; established: by their last message, to the second */
    dn_secure_session *older, *newer;
    dn_deadline deadline;
    dn_host *host;        /* while it is half-open */
    uint64_t since_ms;    /* its beginning, then its last message */
    uint64_t placed_ms;   /* established: when it came to its place in the list */
    uint64_t hello;       /* DTLS: tells the ClientHello that it began with from another */
    uint64_t revocations; /* how many there had been when it began */
    bool is_open;
};

/* What a session has decrypted while its library runs, and is handed on behind that: the receiver may send, and end the session. */
typedef struct {
    uint8_t *memory;
    size_t len, size;
    bool lost; /* no memory for some */
} dn_secure_plain;

struct dn_secure {
    dn_secure_config config;
    dn_secure_callbacks call;
    dn_secure_counters counters;
    dn_tls_context *context;
    dn_peer_table open, half;
    dn_secure_list open_list, half_list, revoked_list;
    dn_host_count hosts;
    dn_wheel wheel;
    dn_secure_session *current; /* whose bytes are dealt with; NULL when it was freed meanwhile */
    dn_secure_plain plain;
    uint8_t cookie_key[2][DN_TLS_COOKIE_KEY]; /* of now, and the one before */
    uint64_t cookie_since_ms;
    uint64_t answers, answers_ms; /* HelloVerifyRequests that may go out, in thousandths, as of when */
    uint64_t revoked[DN_SECURE_REVOCATIONS];
    uint64_t revocations; /* the last is revoked[(revocations - 1) % DN_SECURE_REVOCATIONS] */
};

static inline bool dn_secure_is_stream(const dn_secure *secure)
{
    return dn_transport_is_stream(secure->config.transport);
}

dn_secure_session *dn_secure_find(const dn_peer_table *table, const dn_peer *peer);
/* The established session of a peer. Most ask for the one whose bytes are dealt with. */
dn_secure_session *dn_secure_open_of(const dn_secure *secure, const dn_peer *peer);

/* Begins a handshake; `hello`: of a datagram. NULL: a limit. It must be settled. */
dn_secure_session *dn_secure_session_begin(dn_secure *secure, const dn_peer *peer, dunlin_slice hello,
                                           uint64_t hello_hash, uint64_t now_ms);
/* Takes it out of everything and frees it, without a word to anybody. */
void dn_secure_session_drop(dn_secure *secure, dn_secure_session *session);
/* Ends an established session: drops it and calls `closed`. */
void dn_secure_session_end(dn_secure *secure, dn_secure_session *session, dunlin_status status, bool say_so,
                           uint64_t now_ms);
/* Before a call of the session's library, and behind it: hands on what it has brought about. The session may be gone then. */
void dn_secure_session_enter(dn_secure *secure, dn_secure_session *session);
void dn_secure_session_settle(dn_secure *secure, dn_secure_session *session, uint64_t now_ms);
/* For secure->revoked_list: moves it there. */
void dn_secure_session_doom(dn_secure *secure, dn_secure_session *session);

#endif
