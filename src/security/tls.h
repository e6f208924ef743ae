/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of DTLS 1.2 and TLS 1.2 with pre-shared keys, raw public keys and X.509 certificates (Transport 1.1.1 sections 5.2, RFC 6347,
 * RFC 5246, RFC 7250, RFC 7925), as functions of bytes and time. A session opens no socket: what it wants to send it hands to `output`, what
 * arrives is given to it. So it runs over any bearer. tls.h is the whole of what callers know; the library behind it (gnutls_*.c) can be
 * replaced without them.
 *
 * Suites, unless a configuration asks for more: TLS_PSK_WITH_AES_128_CCM_8, TLS_PSK_WITH_AES_128_CBC_SHA256,
 * TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256; secp256r1; SHA-256.
 *
 * Threads: a session belongs to one thread. A context is shared by the sessions of any threads and counted: it lives until it was given up
 * and its last session is freed. Callbacks must not call the session that calls them.
 */
#ifndef DN_SECURITY_TLS_H
#define DN_SECURITY_TLS_H

#include "base/log.h"
#include "base/random.h"
#include "security/credentials.h"

#define DN_TLS_NO_ALERT   (-1)
#define DN_TLS_COOKIE_KEY 32u
#define DN_TLS_WHY_MAX    160u
#define DN_TLS_RESUME_MAX 4096u /* bytes of what a client keeps to resume a session */
#define DN_TLS_RECORD_EXTRA \
    77u /* the most by which a record is longer than what it protects: header, IV, MAC, padding */

typedef struct dn_tls_context dn_tls_context;
typedef struct dn_tls_session dn_tls_session;

typedef enum {
    DN_TLS_HANDSHAKE, /* not open yet */
    DN_TLS_OPEN,
    DN_TLS_ENDED /* by either end, or failed: see dn_tls_ending */
} dn_tls_state;

typedef enum {
    DN_TLS_SUITES_MANDATED,
    DN_TLS_SUITES_CCM8,
    DN_TLS_SUITES_CBC,
    DN_TLS_SUITES_MORE
} dn_tls_suites;
/* MORE adds TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256 (low-entropy secrets), AES-GCM, AES-256, SHA-384 and secp384r1. */

/* ---- contexts ---- */

/* A certificate chain with its key, and the raw public key of the same pair. Slices are copied; PEM or DER. */
typedef struct {
    dunlin_slice chain;  /* the end-entity certificate first; empty: raw public key only */
    dunlin_slice key;    /* PKCS#8 (OneAsymmetricKey) or SEC 1; empty when key_url is set */
    const char *key_url; /* NULL, or "pkcs11:…": the private key stays in its token */
    dunlin_slice ocsp;   /* a DER response to staple, or empty */
} dn_tls_key_pair;

#define DN_TLS_KEY_PAIRS_MAX 8u

typedef struct {
    const dn_tls_key_pair *pairs; /* chosen by SNI, the first if none fits; none: PSK alone is served */
    size_t pair_count;
    dunlin_slice
        trusted; /* PEM: CAs of clients' certificates; empty: only pinned certificates are accepted */
    dunlin_slice revoked; /* PEM: CRLs */
    dn_credentials *credentials;
    dn_tls_suites suites;
    bool resumption;            /* [true] session tickets and ids */
    uint32_t resumable;         /* [10000] sessions kept by id, for clients without tickets */
    uint32_t ticket_lifetime_s; /* [86400] */
    uint16_t mtu;               /* [1280] bytes of a datagram, with our headers */
    uint32_t retransmit_ms;     /* [1000] first wait of a flight; doubled */
    uint32_t handshake_ms;      /* [60000] in all */
    int64_t (*wall_s)(
        void *
            context); /* for validity of certificates; NULL or negative: the clock is not trusted, validity is not checked */
    void *wall_context;
} dn_tls_server_config;

dn_tls_server_config dn_tls_server_config_default(void);
/* `error` gets a text that names what is wrong, never a secret. ARGUMENT: something cannot be read, or key and certificate do not
 * belong together; UNSUPPORTED: another curve than the suites allow; IO: the token; MEMORY. */
dunlin_status dn_tls_server_create(const dn_tls_server_config *config, dn_tls_context **context, char *error,
                                   size_t error_size);

/* A server account as Object 0 has it (Transport 1.1.1 sections 5.2.8.1 to 5.2.8.7). */
typedef struct {
    uint8_t mode; /* /0/x/2: PSK, RPK, X509; EST behaves as X509 */
    dunlin_slice
        own; /* /0/x/3: PSK identity, own SubjectPublicKeyInfo, own certificate (DER, or PEM with its chain) */
    dunlin_slice
        server; /* /0/x/4: the server's SubjectPublicKeyInfo, or the certificate that usage is about, or its hash */
    dunlin_slice secret; /* /0/x/5: key, private key */
    const char *key_url; /* NULL, or "pkcs11:…" in place of secret */
    uint8_t matching;    /* /0/x/13: 0 exact, 1 SHA-256, 2 SHA-384, 3 SHA-512 */
    uint8_t usage; /* /0/x/15: 0 CA constraint, 1 service certificate, 2 trust anchor, 3 domain-issued */
    const char *
        name; /* reference identity: /0/x/14 (SNI), else the host of the URI; a name or an address without brackets */
    bool is_sni;        /* `name` comes from /0/x/14: it is sent even if the host is an address */
    dunlin_slice roots; /* PEM: the trust store for usages 0 and 1; empty: the system's */
    dn_tls_suites suites;
    uint16_t mtu;                     /* [1280] */
    uint32_t retransmit_ms;           /* [1000] */
    uint32_t handshake_ms;            /* [60000] */
    int64_t (*wall_s)(void *context); /* NULL or negative: the clock is not trusted */
    void *wall_context;
} dn_tls_client_config;

dn_tls_client_config dn_tls_client_config_default(void);
/* Errors as dn_tls_server_create. Everything is copied. */
dunlin_status dn_tls_client_create(const dn_tls_client_config *config, dn_tls_context **context, char *error,
                                   size_t error_size);
/* Counts one more owner, who gives it up as well: for whoever opens sessions later. Returns the context. */
dn_tls_context *dn_tls_context_keep(dn_tls_context *context);
void dn_tls_context_give_up(dn_tls_context *context); /* may be NULL */
/* Server: what was given out to resume sessions with is worth nothing any more. */
void dn_tls_context_drop_tickets(dn_tls_context *context);

/* ---- sessions ---- */

typedef struct {
    void (*output)(void *context, dunlin_slice bytes); /* a datagram, or bytes of the stream; to be copied */
    void (*input)(void *context, dunlin_slice plain);  /* what the other end sent, decrypted */
    void *context;
} dn_tls_callbacks;

typedef struct {
    bool datagram;       /* DTLS; else TLS with ALPN "coap" (RFC 8323 section 8.2) */
    dunlin_slice peer;   /* server, datagram: the bytes that the cookie was bound to */
    dunlin_slice hello;  /* server, datagram: the ClientHello that dn_tls_cookie_check said is GENUINE */
    dunlin_slice resume; /* client: of dn_tls_resumption, or empty */
    dn_tls_callbacks call;
    const dn_log *log; /* may be NULL */
} dn_tls_opening;

/* Begins a session; a client's first flight goes out from within. NULL: no memory. */
dn_tls_session *dn_tls_open(dn_tls_context *context, const dn_tls_opening *opening, uint64_t now_ms);
/* Without a word to the other end. May be NULL. */
void dn_tls_free(dn_tls_session *session);

/* Takes a datagram, or a chunk of the stream. A record that is no good is dropped (DTLS) or ends the session (TLS). */
void dn_tls_receive(dn_tls_session *session, dunlin_slice bytes, uint64_t now_ms);
/* STATE: not open; SPACE: a datagram larger than the MTU leaves room for, see dn_tls_room; IO: it failed, and has ended. */
dunlin_status dn_tls_send(dn_tls_session *session, dunlin_slice plain, uint64_t now_ms);
/* Sends close_notify; the session has ended. */
void dn_tls_close(dn_tls_session *session, uint64_t now_ms);
/* Retransmissions and the end of a handshake that takes too long. */
void dn_tls_expire(dn_tls_session *session, uint64_t now_ms);
uint64_t dn_tls_deadline(const dn_tls_session *session); /* UINT64_MAX: none */

dn_tls_state dn_tls_state_of(const dn_tls_session *session);
bool dn_tls_is_resumed(const dn_tls_session *session);
/* Server, once open: who it is. */
const dn_identity *dn_tls_identity(const dn_tls_session *session);
/* Server, once open: whether the credential that was proved still is as it was. False as well when nobody knows. */
bool dn_tls_is_current(const dn_tls_session *session);
/* Bytes of the largest plain datagram that fits the MTU. */
size_t dn_tls_room(const dn_tls_session *session);
/* "TLS_PSK_WITH_AES_128_CCM_8" once open, else "". */
const char *dn_tls_suite(const dn_tls_session *session);

/* How it ended. */
typedef struct {
    dunlin_status
        status; /* END: close_notify; TIMEOUT; ACCESS: we refused the other end; REJECTED: it refused us; MALFORMED; MEMORY */
    int alert;     /* the alert that was received, else the one that was sent; DN_TLS_NO_ALERT */
    bool received; /* the alert came from the other end */
    bool
        keys_differ; /* what has been seen means, most likely, that the two ends have different keys; with DTLS nobody says so */
    char why
        [DN_TLS_WHY_MAX]; /* for a log: "unknown PSK identity", "the certificate has expired". Never a secret */
} dn_tls_ending;
const dn_tls_ending *dn_tls_ending_of(const dn_tls_session *session);

/* Client, once open: what resumes it; 0: nothing. At most DN_TLS_RESUME_MAX bytes. It is as secret as a key. TLS and tickets may bring it only
   after the handshake: ask again when the session is left. */
size_t dn_tls_resumption(dn_tls_session *session, uint8_t *out, size_t size);

/* ---- the cookie (RFC 6347 section 4.2.1): no memory for who has not shown that it is there ---- */

typedef enum {
    DN_TLS_COOKIE_GENUINE,   /* a ClientHello with the right cookie: open a session */
    DN_TLS_COOKIE_CHALLENGE, /* a ClientHello without it: `answer` has the HelloVerifyRequest to send */
    DN_TLS_COOKIE_OTHER      /* not a ClientHello: drop it */
} dn_tls_cookie;
dn_tls_cookie dn_tls_cookie_check(const uint8_t key[DN_TLS_COOKIE_KEY], dunlin_slice peer,
                                  dunlin_slice datagram, uint8_t *answer, size_t answer_size,
                                  size_t *answer_len);
/* True when a datagram begins with a handshake record of epoch 0: an established peer that sends it has lost its session. */
bool dn_tls_begins_anew(dunlin_slice datagram);

/* The registered name of an alert, "unknown_psk_identity"; "alert 200" otherwise is not made up: "unknown". */
const char *dn_tls_alert_name(int alert);

#endif
