/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key pair as the library wants it: private key (from bytes or a PKCS#11 token), the certificate chain, the raw public key, and a
 * response of OCSP to staple. Whoever loads one knows that the key belongs to the certificate: it was tried.
 */
#ifndef DN_SECURITY_GNUTLS_KEYS_H
#define DN_SECURITY_GNUTLS_KEYS_H

#include "security/tls.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#define DN_TLS_CHAIN_MAX 8u /* certificates of a chain, ours or another's */

typedef struct {
    gnutls_privkey_t key;
    gnutls_pcert_st raw; /* the public key; of type GNUTLS_CRT_RAWPK */
    bool has_raw;
    gnutls_pcert_st chain[DN_TLS_CHAIN_MAX];
    unsigned chain_len;
    gnutls_x509_crt_t leaf; /* chain[0]; NULL without a chain */
    gnutls_ocsp_data_st ocsp;
    bool has_ocsp;
} dn_keys;

/* Loads `from` into `keys`, which is all zero. On an error what was loaded is freed, and `error` has a text. */
dunlin_status dn_keys_load(dn_keys *keys, const dn_tls_key_pair *from, dn_tls_suites suites, char *error,
                           size_t error_size);
void dn_keys_free(dn_keys *keys);
/* True when the public key is on a curve that the suites allow: secp256r1, with MORE secp384r1 too. */
bool dn_keys_curve_allowed(gnutls_pubkey_t key, dn_tls_suites suites);
/* PEM, judged by its look; else DER. */
gnutls_x509_crt_fmt_t dn_keys_format(dunlin_slice bytes);
/* The SubjectPublicKeyInfo of a key in DER; to be freed with gnutls_free. */
int dn_keys_export(gnutls_pubkey_t key, gnutls_datum_t *out);

#endif
