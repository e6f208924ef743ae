/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credentials of devices, for a server inside another program (dunlin/server.h). A pre-shared key, a raw public key or a certificate stands
 * for an endpoint name: whoever proves it may register under that name, and nobody else may (Transport 1.1.1 sections 5.2.6 and 6.4.3).
 *
 * They are kept either by the library (dunlin/store.h), or by the application, which is asked in each handshake:
 *
 *     static dunlin_status find_psk(void *context, dunlin_slice identity, dunlin_credential_answer *answer)
 *     {
 *         const struct row *row = find(context, identity);
 *         return row == NULL ? DUNLIN_ERR_NOT_FOUND
 *                            : dunlin_credential_found(answer, row->number, row->endpoint, row->key);
 *     }
 *
 *     credentials = dunlin_credentials_of(&(dunlin_credential_source){.find_psk = find_psk, .known = known, .context = &table});
 *
 * Threads: every function may be called from any thread, but none from within a callback of this header, other than
 * dunlin_credential_found. One server at a time uses what is here; it is closed when that has stopped.
 */
#ifndef DUNLIN_CREDENTIALS_H
#define DUNLIN_CREDENTIALS_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

typedef struct dn_credentials dunlin_credentials;

/* As /0/x/2 has it. */
typedef enum {
    DUNLIN_CREDENTIAL_PSK,
    DUNLIN_CREDENTIAL_RPK,
    DUNLIN_CREDENTIAL_X509,
    DUNLIN_CREDENTIAL_NONE /* NoSec: of a registration, never of a credential */
} dunlin_credential_mode;

/* ---- kept by the application ---- */

/* A certificate whose holder has proved to have its key. Views live during the call. */
typedef struct {
    dunlin_slice fingerprint; /* SHA-256 of the certificate: 32 bytes */
    /* Common Name first, then dNSNames and URIs of the SubjectAltName; 32 at most. */
    const dunlin_slice *names;
    size_t count;
    /* Its path leads to one of `client_cas`, and nothing on it is expired or revoked. False: its names are only claimed, so that it may be taken
       for this very fingerprint alone. */
    bool is_trusted;
} dunlin_certificate;

/* What credentials there are for an endpoint name. */
typedef enum {
    DUNLIN_KNOWN_NOT,    /* none: it may come without security, if `nosec` lets it */
    DUNLIN_KNOWN_SHARED, /* one for a pattern that it matches, and none of its own */
    DUNLIN_KNOWN_OWN     /* one of its own: who has a shared one may not act as it */
} dunlin_known;

/* Where a look-up puts what it has found. */
typedef struct dunlin_credential_answer dunlin_credential_answer;

/*
 * `endpoint`: the name that the credential stands for; with a pre-shared key it may be a pattern, with '*' for any bytes and '?' for one.
 * `key`: the pre-shared key, 8 to 64 bytes; empty for a public key or a certificate. Both are copied, and the key is wiped after the handshake.
 * `number`: which credential it is, for dunlin_credentials_changed; any but DUNLIN_CREDENTIALS_ALL, such as the row in a table.
 * OK; ARGUMENT: it cannot be, and the handshake fails. To be returned by the look-up.
 */
dunlin_status dunlin_credential_found(dunlin_credential_answer *answer, uint64_t number,
                                      dunlin_slice endpoint, dunlin_slice key);

/*
 * The look-ups. They run on the server's thread in the middle of handshakes, so they should be answered from memory or a quick index. OK with
 * dunlin_credential_found; NOT_FOUND: the device hears unknown_psk_identity or what else says so; ACCESS, of a certificate: it is not what the
 * credential of its name asks for; anything else: it cannot be said now (internal_error: the device tries again). NULL: there are none of the kind.
 */
typedef struct {
    /* An identity of 1 to 128 bytes of any value. */
    dunlin_status (*find_psk)(void *context, dunlin_slice identity, dunlin_credential_answer *answer);
    /* A SubjectPublicKeyInfo in DER. */
    dunlin_status (*find_public_key)(void *context, dunlin_slice public_key,
                                     dunlin_credential_answer *answer);
    dunlin_status (*find_certificate)(void *context, const dunlin_certificate *certificate,
                                      dunlin_credential_answer *answer);
    /* Asked with most messages, also with those of devices without security. Must be there. */
    dunlin_known (*known)(void *context, dunlin_slice endpoint);
    void *context;
} dunlin_credential_source;

/* Credentials that the application keeps; *source is copied. NULL: no memory, or no `known`. */
dunlin_credentials *dunlin_credentials_of(const dunlin_credential_source *source);

#define DUNLIN_CREDENTIALS_ALL UINT64_MAX

/*
 * To be called after the application has changed or removed a credential: sessions of that number end unless they have begun with what is
 * there now, a handshake under way fails, and what resumes sessions is forgotten. ALL: of every credential. Of a new one nobody needs to be told.
 */
void dunlin_credentials_changed(dunlin_credentials *credentials, uint64_t number);

/* ---- kept by the library: dunlin_credentials_memory and dunlin_credentials_sqlite of dunlin/store.h ---- */

/* Views; what the mode does not name is empty. */
typedef struct {
    dunlin_credential_mode mode;
    /* A name of 1 to 252 bytes of UTF-8; of PSK and X509 it may be a pattern, with '*' for any bytes and '?' for one. */
    dunlin_slice endpoint;
    dunlin_slice identity;   /* PSK: 1 to 128 bytes; no other credential may have it */
    dunlin_slice key;        /* PSK: 8 to 64 bytes, better 16 and more. Never given back */
    dunlin_slice public_key; /* RPK: SubjectPublicKeyInfo of P-256, DER; no other credential may have it */
    /* X509: what a name in the certificate must be; empty, and of a pattern always: the endpoint name itself. */
    dunlin_slice name;
    /* X509: SHA-256 of the certificate that it must be, whoever issued it; empty: any trusted one with that name. */
    dunlin_slice fingerprint;
    int64_t created_ms, changed_ms; /* given by get and list: since the epoch */
} dunlin_credential;

/* NULL, or what is wrong with it, as a text that can be shown. */
const char *dunlin_credential_check(const dunlin_credential *credential);
/*
 * Adds it, or replaces the one of the same endpoint: then sessions of the former end. On the disk when this returns. ARGUMENT:
 * dunlin_credential_check says why; DUPLICATE: another one has its identity or public key; LIMIT; STORE; MEMORY. UNSUPPORTED, as of
 * all that follow: the application keeps them.
 */
dunlin_status dunlin_credentials_put(dunlin_credentials *credentials, const dunlin_credential *credential);
/* Its sessions end. NOT_FOUND; STORE. */
dunlin_status dunlin_credentials_remove(dunlin_credentials *credentials, dunlin_slice endpoint);

/* Gets a credential without its key; views live during the call. */
typedef void dunlin_credential_seen(void *context, const dunlin_credential *credential);

/* Calls `seen` before it returns. NOT_FOUND; STORE. */
dunlin_status dunlin_credentials_get(dunlin_credentials *credentials, dunlin_slice endpoint,
                                     dunlin_credential_seen *seen, void *context);
/* Calls `seen` for up to `limit` (1 to 1000), in the order of their endpoints, from behind `after` on; fewer: that was the last. ARGUMENT;
   STORE; MEMORY. */
dunlin_status dunlin_credentials_list(dunlin_credentials *credentials, dunlin_slice after, uint32_t limit,
                                      dunlin_credential_seen *seen, void *context);
/* What went wrong last with STORE, for people; "": nothing yet. Never a secret. To be read at once: a few of the last ones are kept. */
const char *dunlin_credentials_error(dunlin_credentials *credentials);

/* Of either kind. May be NULL. */
void dunlin_credentials_close(dunlin_credentials *credentials);

#endif
