/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys and certificates as people have them, PEM, and what is kept of them. */
#ifndef DN_API_PEM_H
#define DN_API_PEM_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

#define DN_PEM_SHA256_LEN 32u

/* True when the text has "-----BEGIN " and "PRIVATE KEY-----" in a line: it must not be here, whatever else it is. */
bool dn_pem_has_private_key(dunlin_slice text);
/* The SubjectPublicKeyInfo in DER of a PEM "PUBLIC KEY". MALFORMED; SPACE. */
dunlin_status dn_pem_public_key(dunlin_slice text, dunlin_buf *out);
/* The SHA-256 of the first certificate of a PEM text. MALFORMED. */
dunlin_status dn_pem_fingerprint(dunlin_slice text, uint8_t out[DN_PEM_SHA256_LEN]);
/* The SHA-256 of bytes. */
dunlin_status dn_pem_sha256(dunlin_slice bytes, uint8_t out[DN_PEM_SHA256_LEN]);

#endif
