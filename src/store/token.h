/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 token whose RSA private key protects other keys. Names are URIs (RFC 7512); the PIN comes from their pin-source or pin-value.
 * Texts of errors never show what stands behind the '?' of a name, where the PIN may be.
 */
#ifndef DN_STORE_TOKEN_H
#define DN_STORE_TOKEN_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

#define DN_TOKEN_WRAPPED_MAX 1024u /* bytes: RSA keys of up to 8192 bits */

/* Encrypts `plain` for the private key. STORE with a text. */
dunlin_status dn_token_wrap(const char *url, dunlin_slice plain, dunlin_buf *wrapped, char *error,
                            size_t error_size);
/* The other way; `plain` is filled exactly, else STORE. */
dunlin_status dn_token_unwrap(const char *url, dunlin_slice wrapped, uint8_t *plain, size_t plain_len,
                              char *error, size_t error_size);

#endif
