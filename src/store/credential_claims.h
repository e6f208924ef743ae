/* SPDX-License-Identifier: Apache-2.0 */
/* Which credential a verified certificate belongs to: the search of find_names (security/credentials.h). */
#ifndef DN_STORE_CREDENTIAL_CLAIMS_H
#define DN_STORE_CREDENTIAL_CLAIMS_H

#include "store/credential_patterns.h"
#include "store/credential_rows.h"

/* Names of a certificate that are looked up, the first ones: a certificate may bring thousands. */
#define DN_CLAIMS_NAMES_MAX 32u

/*
 * Under the lock of `rows`. In this order: the fingerprint (of several credentials the one for a name of the certificate, else the oldest);
 * `name`; the endpoint; a pattern, the most particular first. A pattern never gives a name that has a credential of its own. The seal of
 * what was found is checked.
 */
dunlin_status dn_credential_claims_find(dn_credential_rows *rows, dn_credential_patterns *patterns,
                                        const dn_certificate_claims *claims, dn_credential *out);

#endif
