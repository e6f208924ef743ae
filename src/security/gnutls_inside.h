/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the GnuTLS backend share. Nobody outside this folder includes it: callers know tls.h alone.
 *
 * A context is read only once it is made, but for what `resume` holds, which has a lock; so its sessions need none.
 */
#ifndef DN_SECURITY_GNUTLS_INSIDE_H
#define DN_SECURITY_GNUTLS_INSIDE_H

#include "security/gnutls_keys.h"
#include "security/gnutls_resume.h"
#include "security/gnutls_trust.h"
#include "security/tls.h"

#include <gnutls/gnutls.h>
#include <stdatomic.h>

#define DN_TLS_HOST_MAX 255u

/* What a client expects of its server; only in contexts of clients. */
typedef struct {
    uint8_t mode;
    uint8_t matching;
    uint8_t usage;
    bool sends_name; /* `host` goes out as SNI */
    bool is_address; /* `host` is an IP address, compared with iPAddress names */
    char host[DN_TLS_HOST_MAX + 1];
    uint8_t *expected; /* /0/x/4: DER of a certificate or a SubjectPublicKeyInfo, or a hash */
    size_t expected_len;
    uint8_t digest[16]; /* of the configuration: what was kept to resume belongs to it alone */
} dn_tls_expectation;

struct dn_tls_context {
    atomic_uint owners;
    bool is_server;
    dn_tls_suites suites;
    unsigned session_flags;
    gnutls_priority_t priority;
    gnutls_certificate_credentials_t certificates; /* NULL: pre-shared keys alone */
    gnutls_psk_server_credentials_t psk_server;
    gnutls_psk_client_credentials_t psk_client;
    dn_keys pairs[DN_TLS_KEY_PAIRS_MAX];
    size_t pair_count;
    dn_trust *trust;
    dn_credentials *credentials; /* server */
    dn_resume *resume;           /* server; NULL: no resumption */
    dn_tls_expectation expect;   /* client */
    uint16_t mtu;
    uint32_t retransmit_ms;
    uint32_t handshake_ms;
    int64_t (*wall_s)(void *context);
    void *wall_context;
};

/* Why this end refuses the other: an alert to send, and a text for the log. */
typedef struct {
    int alert; /* DN_TLS_NO_ALERT: it does not */
    const char *why;
    dunlin_status status;
} dn_tls_verdict;

static inline dn_tls_verdict dn_tls_fine(void)
{
    return (dn_tls_verdict){DN_TLS_NO_ALERT, NULL, DUNLIN_OK};
}

static inline dn_tls_verdict dn_tls_refusal(int alert, const char *why)
{
    return (dn_tls_verdict){alert, why, DUNLIN_ERR_ACCESS};
}

static inline dn_tls_verdict dn_tls_no_memory(void)
{
    return (dn_tls_verdict){GNUTLS_A_INTERNAL_ERROR, "no memory", DUNLIN_ERR_MEMORY};
}

typedef struct dn_flight dn_flight;

struct dn_tls_session {
    dn_tls_context *context;
    gnutls_session_t gnutls;
    dn_tls_callbacks call;
    const dn_log *log;
    dn_flight *flight; /* while the handshake lasts; NULL then */
    dunlin_slice in;   /* what the library has not taken yet of what arrived; empty between calls */
    uint8_t *out;      /* records that it wants to send, gathered during a call; NULL between calls */
    size_t out_len, out_cap;
    dn_tls_ending *ending; /* once ended */
    dn_identity *identity; /* server, once proved */
    uint64_t due_ms;       /* handshake: the next retransmission */
    uint64_t drops;        /* server: dn_resume_drops when it began */
    uint64_t give_up_ms;   /* handshake: when it has taken too long */
    uint8_t state;         /* dn_tls_state */
    bool datagram;
    bool is_resumed;
    bool sends_now;    /* what the library writes need not be gathered */
    const char *suite; /* once open; the library's */
};

/* ---- contexts (gnutls_context.c) ---- */

/* With one owner and the priorities for `suites`; `kinds` is the part of the priority string on key exchanges and
   certificate types. NULL: no memory, or the library lacks something. */
dn_tls_context *dn_tls_context_create(bool is_server, dn_tls_suites suites, const char *kinds);
/* The wall clock in seconds; negative: it cannot be trusted. */
int64_t dn_tls_context_wall(const dn_tls_context *context);
/* Formats into the caller's `error`. */
void dn_tls_error(char *error, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- the two ends (gnutls_server.c, gnutls_client.c) ---- */

/* Sets up a new library session for its end. False: no memory. */
bool dn_tls_server_begin(dn_tls_session *session, const dn_tls_opening *opening);
bool dn_tls_client_begin(dn_tls_session *session, const dn_tls_opening *opening);
/* The handshake is complete: is the other end still who it was when its credential was looked up, and who is it in a resumed one? */
dn_tls_verdict dn_tls_server_confirm(dn_tls_session *session);
/* A resumed handshake has not looked at the server. */
dn_tls_verdict dn_tls_client_recheck(dn_tls_session *session);
/* What to say of a certification path; fine when it is TRUSTED (gnutls_verify.c). */
dn_tls_verdict dn_tls_path_verdict(dn_path_state state);
/* What a client thinks of the certificates of its server (gnutls_verify.c). */
dn_tls_verdict dn_tls_client_verify(dn_tls_session *session);

/* ---- sessions ---- */

/* The session that the library's callbacks are called for. */
dn_tls_session *dn_tls_session_of(gnutls_session_t gnutls);
/* Takes the verdict of a callback: 0, or an error that makes the library stop; the verdict says why. */
int dn_tls_judge(dn_tls_session *session, dn_tls_verdict verdict);

static inline gnutls_datum_t dn_datum(dunlin_slice bytes)
{
    /* The library takes no const pointers, not even to what it only reads. */
    gnutls_datum_t datum = {NULL, (unsigned)bytes.len};
    const uint8_t *from = bytes.data;
    __builtin_memcpy(&datum.data, &from, sizeof from);
    return datum;
}

#endif
