/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credentials of devices, and what the server needs of whoever keeps them: to find one by what a handshake shows, to check that
 * one is still as it was, and to change them. One credential for an endpoint name, or for all names that match a pattern.
 *
 * Threads: every function may be called from any thread. A change is durable when the call returns, and holds for the next handshake.
 * Secrets leave only through `find_psk`; whoever gets one wipes it (dn_credential_wipe).
 */
#ifndef DN_SECURITY_CREDENTIALS_H
#define DN_SECURITY_CREDENTIALS_H

#include "security/identity.h"

#include <dunlin/status.h>

#define DN_PSK_IDENTITY_MAX 128u /* bytes, of any value (RFC 7925 section 4.2) */
#define DN_PSK_KEY_MAX      64u
#define DN_PSK_KEY_MIN      8u   /* dn_credential_check refuses less; 16 are recommended */
#define DN_PUBLIC_KEY_MAX   256u /* a SubjectPublicKeyInfo; P-256 has 91 */
#define DN_FINGERPRINT_LEN  32u  /* SHA-256 of a certificate */

typedef struct {
    uint8_t mode; /* PSK, RPK, X509 */
    bool is_pattern;
    uint8_t endpoint_len;
    char endpoint[DN_ENDPOINT_NAME_MAX]; /* a name, or a pattern with '*' and '?' */
    uint8_t identity_len;
    uint8_t identity[DN_PSK_IDENTITY_MAX]; /* PSK. Unique among credentials */
    uint8_t key_len;
    uint8_t
        key[DN_PSK_KEY_MAX]; /* PSK. Zero in what list and get give, where key_len tells its length alone */
    uint16_t public_key_len;
    uint8_t public_key
        [DN_PUBLIC_KEY_MAX]; /* RPK: SubjectPublicKeyInfo, DER. Unique among credentials; never for a pattern */
    uint8_t name_len;
    char name
        [DN_ENDPOINT_NAME_MAX]; /* X509: what a name in the certificate must be; empty: the endpoint name itself */
    bool has_fingerprint;
    uint8_t fingerprint
        [DN_FINGERPRINT_LEN]; /* X509: it must be this certificate; it need not be issued by a trusted CA then */
    uint64_t number;          /* given by the keeper, never reused */
    uint64_t generation;      /* another one after each change of what it proves */
    int64_t created_ms, changed_ms; /* since the epoch */
} dn_credential;

/* What a verified certificate says of its holder: for find_names. */
typedef struct {
    const uint8_t *fingerprint; /* DN_FINGERPRINT_LEN bytes */
    const dunlin_slice *names;  /* Common Name first, then dNSNames and URIs of the SubjectAltName */
    size_t count;
    bool is_trusted; /* its path ends at a trusted CA */
} dn_certificate_claims;

typedef struct {
    const dn_credential *list; /* in order of their endpoints; without keys */
    size_t count;
    bool more;
} dn_credential_page;

typedef struct dn_credentials dn_credentials;

typedef struct {
    /* With the key. NOT_FOUND; STORE: it cannot be read or unsealed. */
    dunlin_status (*find_psk)(dn_credentials *credentials, dunlin_slice identity, dn_credential *out);
    dunlin_status (*find_key)(dn_credentials *credentials, dunlin_slice public_key, dn_credential *out);
    /*
     * The X509 credential that fits a certificate: one with its fingerprint; else, when it is_trusted, one whose `name` is among its
     * names, or without `name`: whose endpoint is among them, or matches one of them (then out->endpoint is that name, is_pattern false).
     * NOT_FOUND; ACCESS: there is one of that name, but with another fingerprint, or for a certificate that is not trusted.
     */
    dunlin_status (*find_names)(dn_credentials *credentials, const dn_certificate_claims *claims,
                                dn_credential *out);
    /* True when a credential, of any mode, is for this endpoint name: then nobody may act as it without. Staged ones do not count. */
    bool (*is_known)(dn_credentials *credentials, dunlin_slice endpoint);
    /* True when the credential still is of this generation. */
    bool (*is_current)(dn_credentials *credentials, uint64_t number, uint64_t generation);
    /* Replaces the one of the same endpoint or pattern; unless that is the same, one that is staged is gone, too. `created`, may be NULL: there was none. ARGUMENT: dn_credential_check would
       refuse it; DUPLICATE: the identity or public key is another one's; LIMIT; STORE. */
    dunlin_status (*put)(dn_credentials *credentials, const dn_credential *credential, bool *created);
    /* The staged one of that endpoint, too. NOT_FOUND: there was neither. */
    dunlin_status (*remove)(dn_credentials *credentials, dunlin_slice endpoint);
    dunlin_status (*get)(dn_credentials *credentials, dunlin_slice endpoint, dn_credential *out);
    /* Up to `limit` (1..1000) behind `after`, whose endpoints contain `substring`; `done` before it returns. */
    dunlin_status (*list)(dn_credentials *credentials, dunlin_slice after, uint32_t limit,
                          dunlin_slice substring, void (*done)(void *context, const dn_credential_page *page),
                          void *context);
    /*
     * Credentials that a bootstrap hands out (ADR 18): beside the one of the same endpoint, which goes on to hold, until they are promoted. Staged ones are
     * found in handshakes as any other, and are not listed. All or none; a staged one of the same endpoint is replaced, and one that proves the same as the
     * current one is not kept. Errors as of `put`; ARGUMENT: it is for a pattern.
     */
    dunlin_status (*stage)(dn_credentials *credentials, const dn_credential *list, size_t count);
    /* The staged one of each of these endpoints becomes its credential, and the former one is gone; those without a staged one are passed over. The
       sessions that began with a staged one go on: number and generation stay. */
    dunlin_status (*promote)(dn_credentials *credentials, const dunlin_slice *endpoints, size_t count);
    /* The staged one, with its key. NOT_FOUND; STORE. */
    dunlin_status (*get_staged)(dn_credentials *credentials, dunlin_slice endpoint, dn_credential *out);
    /* A device that has proved itself by the credential of this number is served: a staged one is promoted then, soon, for its bootstrap has ended
       well and only the word of it was lost. Cheap, and waits for no disk. NULL: nothing is ever staged here. */
    void (*proved)(dn_credentials *credentials, uint64_t number);
    /* Sets `changed`, which no thread is in when this returns. Not from within it. NULL: see dn_credentials_watch. */
    void (*watch)(dn_credentials *credentials, void (*changed)(void *context, uint64_t number, bool is_new),
                  void *context);
    uint64_t (*count)(dn_credentials *credentials); /* without staged ones */
    const char *(*error)(
        dn_credentials *credentials); /* text of the last failure with STORE, never a secret */
    void (*close)(dn_credentials *credentials);
} dn_credentials_ops;

/* Every keeper begins with this. */
struct dn_credentials {
    const dn_credentials_ops *ops;
    /* Set by the server, may be NULL: called after each put, remove, stage and promote, before they return, on their thread (after `proved`: on any), for
       what was changed or is gone. `is_new`: the sessions of that number, if there can be any, go on. */
    void (*changed)(void *context, uint64_t number, bool is_new);
    void *changed_context;
};

/* Who wants to be told of changes; NULL: nobody any more, and what `context` views may go when this returns. */
static inline void dn_credentials_watch(dn_credentials *credentials,
                                        void (*changed)(void *context, uint64_t number, bool is_new),
                                        void *context)
{
    if (credentials->ops->watch != NULL) {
        credentials->ops->watch(credentials, changed, context);
    } else {
        credentials->changed = changed;
        credentials->changed_context = context;
    }
}

/* NULL, or what is wrong with it, as a text that can be shown: lengths, an endpoint that is empty or no UTF-8, an RPK for a pattern, a
   public key that is no SubjectPublicKeyInfo of a P-256 key. */
const char *dn_credential_check(const dn_credential *credential);
void dn_credential_wipe(dn_credential *credential);
dn_identity dn_credential_identity(const dn_credential *credential);

#endif
