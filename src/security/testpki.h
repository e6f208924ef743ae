/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests only: keys, certificates, revocation lists and OCSP responses, made on the spot. Dates are counted from TESTPKI_NOW_S, which a
 * test gives its contexts as the wall clock, so that nothing expires with the years. Every function ends the program when it fails.
 */
#ifndef DN_SECURITY_TESTPKI_H
#define DN_SECURITY_TESTPKI_H

#include "security/credentials.h"

#define TESTPKI_NOW_S 1800000000 /* 2027-01-15 */
#define TESTPKI_DAY_S 86400

typedef struct dn_testpki_key dn_testpki_key;
typedef struct dn_testpki_cert dn_testpki_cert;

typedef enum { TESTPKI_P256, TESTPKI_P384, TESTPKI_P224, TESTPKI_P192, TESTPKI_RSA2048 } dn_testpki_kind;

dn_testpki_key *dn_testpki_key_make(dn_testpki_kind kind);
void dn_testpki_key_free(dn_testpki_key *key);
dunlin_slice dn_testpki_key_der(const dn_testpki_key *key);  /* PKCS#8, unencrypted */
dunlin_slice dn_testpki_key_pem(const dn_testpki_key *key);  /* PKCS#8 */
dunlin_slice dn_testpki_key_sec1(const dn_testpki_key *key); /* "EC PRIVATE KEY", PEM */
dunlin_slice dn_testpki_key_spki(const dn_testpki_key *key); /* DER */

/* All zero but for the subject: an end entity, valid from a day ago for ten years, signed with SHA-256. */
typedef struct {
    const char *common_name; /* NULL: none */
    const char *dns[4];      /* dNSNames of the SubjectAltName, to the first NULL */
    const char *uri;         /* or NULL */
    const char *address;     /* iPAddress, or NULL */
    const char *purpose;     /* OID of an extended key usage, or NULL */
    bool is_ca;              /* with basicConstraints and keyCertSign */
    bool has_no_constraints; /* an end entity without basicConstraints */
    bool uses_sha1;
    int32_t from_day, to_day; /* days from TESTPKI_NOW_S; both 0: -1 and 3650 */
    uint32_t serial;          /* 0: drawn at random */
} dn_testpki_subject;

/* `issuer` NULL: signed by itself. */
dn_testpki_cert *dn_testpki_cert_make(const dn_testpki_subject *subject, const dn_testpki_key *key,
                                      const dn_testpki_cert *issuer, const dn_testpki_key *issuer_key);
void dn_testpki_cert_free(dn_testpki_cert *cert);
dunlin_slice dn_testpki_cert_der(const dn_testpki_cert *cert);
dunlin_slice dn_testpki_cert_pem(const dn_testpki_cert *cert);
void dn_testpki_cert_fingerprint(const dn_testpki_cert *cert, uint8_t out[DN_FINGERPRINT_LEN]);

/* What is given back is to be freed with free(). */

/* PEM of the certificates one after another, to the first NULL. */
dunlin_slice dn_testpki_chain(const dn_testpki_cert *const *certs);
/* A CRL in PEM that names `revoked` (may be NULL: an empty list). */
dunlin_slice dn_testpki_crl(const dn_testpki_cert *issuer, const dn_testpki_key *issuer_key,
                            const dn_testpki_cert *revoked);
typedef enum { TESTPKI_OCSP_GOOD, TESTPKI_OCSP_REVOKED, TESTPKI_OCSP_UNKNOWN } dn_testpki_ocsp_status;
/* A response in DER, signed by the issuer itself, from `from_day` to `to_day`. */
dunlin_slice dn_testpki_ocsp(const dn_testpki_cert *cert, const dn_testpki_cert *issuer,
                             const dn_testpki_key *issuer_key, dn_testpki_ocsp_status status,
                             int32_t from_day, int32_t to_day);

#endif
