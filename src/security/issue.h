/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key pairs and certificates that are made here: a server's first own ones, and those of test settings. Keys are P-256, PKCS#8 (OneAsymmetricKey) in DER;
 * certificates X.509v3 with SHA-256 in DER, in the profile of RFC 7925 section 4.4. Everything is a function of its arguments and the library's
 * generator of randomness.
 */
#ifndef DN_SECURITY_ISSUE_H
#define DN_SECURITY_ISSUE_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_KEY_DER_MAX         256u
#define DN_PUBLIC_KEY_DER_MAX  128u
#define DN_CERTIFICATE_DER_MAX 1024u
#define DN_CERTIFICATE_PEM_MAX 1536u

typedef struct {
    const char *common_name;      /* up to 64 bytes */
    const char *const *dns_names; /* of the SubjectAltName */
    size_t dns_count;
    bool is_authority;
    int64_t from_s, until_s; /* since the epoch */
    dunlin_slice
        key; /* the subject's private key, or "pkcs11:…"; its public half goes into the certificate */
    dunlin_slice issuer, issuer_key; /* empty: self-signed */
} dn_certificate_terms;

/* A new private key. MEMORY; IO: the library cannot. */
dunlin_status dn_key_generate(uint8_t out[DN_KEY_DER_MAX], size_t *len);
/* The SubjectPublicKeyInfo of a private key. MALFORMED. */
dunlin_status dn_key_public(dunlin_slice key, uint8_t out[DN_PUBLIC_KEY_DER_MAX], size_t *len);
/* The SubjectPublicKeyInfo of a certificate in DER or PEM. MALFORMED; SPACE. */
dunlin_status dn_certificate_public(dunlin_slice certificate, uint8_t out[DN_PUBLIC_KEY_DER_MAX],
                                    size_t *len);
/* ARGUMENT: a name or a time cannot be; MALFORMED: a key or the issuer cannot be read; SPACE: more than DN_CERTIFICATE_DER_MAX. */
dunlin_status dn_certificate_issue(const dn_certificate_terms *terms, uint8_t out[DN_CERTIFICATE_DER_MAX],
                                   size_t *len);
/* A new authority: its key, and its own certificate. As above. */
dunlin_status dn_authority_make(const char *common_name, int64_t from_s, int64_t until_s,
                                uint8_t key[DN_KEY_DER_MAX], size_t *key_len,
                                uint8_t certificate[DN_CERTIFICATE_DER_MAX], size_t *certificate_len);
/* A certificate as PEM, with a NUL behind it. SPACE. */
dunlin_status dn_certificate_pem(dunlin_slice certificate, char *out, size_t size, size_t *len);

#endif
