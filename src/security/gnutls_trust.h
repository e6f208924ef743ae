/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom certificates are believed from: trusted CAs and revocation lists, and the checks of a certification path against them
 * (RFC 5280): signatures, CA flags, purposes, curves, hashes, validity by the caller's clock, revocation.
 *
 * The library checks signatures and constraints. Time is checked here, since it would use the system's clock; revocation too, since
 * the library walks a list for each certificate.
 */
#ifndef DN_SECURITY_GNUTLS_TRUST_H
#define DN_SECURITY_GNUTLS_TRUST_H

#include "security/gnutls_keys.h"

typedef struct dn_trust dn_trust;

/* Certificates as the other end sent them. */
typedef struct {
    gnutls_x509_crt_t certs[DN_TLS_CHAIN_MAX];
    unsigned count;
} dn_chain;

typedef enum {
    DN_PATH_TRUSTED,
    DN_PATH_UNKNOWN_CA, /* it ends at no trusted CA, or an issuer is no CA */
    DN_PATH_BAD,        /* a signature or a constraint does not hold */
    DN_PATH_WEAK,       /* a hash or a curve that is not allowed */
    DN_PATH_PURPOSE,    /* not for this end of TLS, or a critical extension that is not known */
    DN_PATH_NOT_YET,
    DN_PATH_EXPIRED,
    DN_PATH_REVOKED
} dn_path_state;

typedef struct {
    dn_path_state state;
    gnutls_x509_crt_t
        certs[DN_TLS_CHAIN_MAX + 1]; /* TRUSTED: from the end entity to the trust anchor; views */
    unsigned count;
} dn_path;

typedef struct {
    const char *purpose; /* GNUTLS_KP_TLS_WWW_CLIENT or _SERVER: what the certificate is used for */
    int64_t wall_s;      /* negative: validity is not checked */
    dn_tls_suites suites;
} dn_path_rules;

dn_trust *dn_trust_create(void); /* NULL: no memory */
void dn_trust_free(dn_trust *trust);
/* Adds the CAs of a PEM file, or one certificate in DER; those that are no CA are refused. ARGUMENT, MEMORY. */
dunlin_status dn_trust_add_cas(dn_trust *trust, dunlin_slice bytes, char *error, size_t error_size);
dunlin_status dn_trust_add_system(dn_trust *trust, char *error, size_t error_size);
dunlin_status dn_trust_add_crls(dn_trust *trust, dunlin_slice pem, char *error, size_t error_size);
bool dn_trust_is_empty(const dn_trust *trust);
/* One certificate as the only anchor. False: no memory. */
bool dn_trust_add_anchor(dn_trust *trust, gnutls_x509_crt_t cert);

/* False: it cannot be read, or is too long. */
bool dn_chain_import(dn_chain *chain, const gnutls_datum_t *list, unsigned count);
void dn_chain_free(dn_chain *chain);

/* Checks a path from chain[0] to a trust anchor. */
dn_path dn_trust_check(const dn_trust *trust, const dn_chain *chain, const dn_path_rules *rules);
/* Curve, hash and validity of one certificate by itself; TRUSTED: nothing is wrong. */
dn_path_state dn_trust_check_leaf(gnutls_x509_crt_t leaf, const dn_path_rules *rules);
bool dn_cert_is_ca(gnutls_x509_crt_t cert);
/* True when the certificate was signed with the private half of a SubjectPublicKeyInfo in DER. */
bool dn_cert_is_signed_by(gnutls_x509_crt_t cert, dunlin_slice spki);

#endif
