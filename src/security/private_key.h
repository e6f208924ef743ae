/* SPDX-License-Identifier: Apache-2.0 */
/* A private key as the library has it, from bytes or from a token: for what signs here. Sessions load theirs with gnutls_keys.h. */
#ifndef DN_SECURITY_PRIVATE_KEY_H
#define DN_SECURITY_PRIVATE_KEY_H

#include <dunlin/slice.h>

#include <gnutls/abstract.h>

/* PKCS#8 in DER, or "pkcs11:…" (RFC 7512). False: it cannot be used, and there is nothing to free. */
bool dn_private_key_read(gnutls_privkey_t *key, dunlin_slice from);
/* Its public half; a token has to give it. Free with gnutls_pubkey_deinit. */
bool dn_private_key_public(gnutls_privkey_t key, gnutls_pubkey_t *out);

#endif
