/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation lists: which serial numbers an issuer has revoked. A list that is out of date still revokes what it names: refusing everybody
 * because an operator forgot to fetch one would be worse than what it protects from.
 */
#ifndef DN_SECURITY_GNUTLS_CRL_H
#define DN_SECURITY_GNUTLS_CRL_H

#include <dunlin/slice.h>
#include <dunlin/status.h>
#include <gnutls/x509.h>

#define DN_SERIAL_MAX 31u /* bytes; RFC 5280 section 4.1.2.2 allows 20 */

typedef struct {
    uint8_t len;
    uint8_t bytes[DN_SERIAL_MAX];
} dn_serial;

typedef struct {
    gnutls_x509_crl_t crl;
    dn_serial *serials; /* sorted */
    size_t count;
} dn_crl;

typedef struct {
    dn_crl *lists;
    size_t count;
} dn_crls;

/* Adds the lists of a PEM file, or one in DER. `*reason` says what is wrong, on ARGUMENT. MEMORY. */
dunlin_status dn_crls_add(dn_crls *crls, dunlin_slice bytes, const char **reason);
void dn_crls_free(dn_crls *crls);
/* True when a list that `issuer` has signed names the certificate. */
bool dn_crls_revoke(const dn_crls *crls, gnutls_x509_crt_t cert, gnutls_x509_crt_t issuer);

#endif
