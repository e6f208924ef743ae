/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authority that issues certificates to devices which enrol (EST): from the files that the settings name, or made at the first start as est-ca.key and
 * est-ca.pem in the data folder.
 */
#ifndef DUNLIND_AUTHORITY_H
#define DUNLIND_AUTHORITY_H

#include "base/log.h"
#include "settings.h"

typedef struct {
    uint8_t *pem, *certificate, *key; /* allocated; the last two DER, or the key's "pkcs11:…" */
    size_t pem_len, certificate_len, key_len;
} authority;

/* False: `error` says why; `out` is empty then. */
bool authority_load(const settings *set, const dn_log *log, authority *out, char *error, size_t error_size);
void authority_free(authority *held); /* wipes the key */

#endif
