/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and certificates as documents have them, PEM or the hex digits of DER, and as Object 0 wants them: SubjectPublicKeyInfo, PKCS#8 and
 * X.509 in DER. What comes back is allocated; secrets are wiped by dn_bs_bytes_free.
 */
#ifndef DN_BOOTSTRAP_MATERIAL_H
#define DN_BOOTSTRAP_MATERIAL_H

#include "bootstrap/config.h"

#define DN_BS_DIGEST_MAX 64u

/* Each returns NULL, or what is wrong with the text as a constant. A public key must be one of P-256, a private key too. */
const char *dn_bs_material_public_key(dunlin_slice text, dn_bs_bytes *out);
const char *dn_bs_material_private_key(dunlin_slice text, dn_bs_bytes *out);
/* The first certificate of a PEM text. */
const char *dn_bs_material_certificate(dunlin_slice text, dn_bs_bytes *out);
/* True when the private key belongs to the public key, or to the certificate. */
bool dn_bs_material_is_pair(const dn_bs_bytes *private_key, const dn_bs_bytes *other, bool is_certificate);
/* The public half of a private key. */
const char *dn_bs_material_public_of(const dn_bs_bytes *private_key, dn_bs_bytes *out);
/* What Matching Type says is compared (Object 0, resource 13): the bytes themselves, or their SHA-256, -384, -512 in `memory`. */
dunlin_slice dn_bs_material_matched(dunlin_slice bytes, int16_t matching, uint8_t memory[DN_BS_DIGEST_MAX]);

/* False: no memory. */
bool dn_bs_bytes_copy(dn_bs_bytes *out, const void *data, size_t len);
void dn_bs_bytes_free(dn_bs_bytes *bytes);
static inline dunlin_slice dn_bs_bytes_view(const dn_bs_bytes *bytes)
{
    return dunlin_slice_make(bytes->data, bytes->len);
}

#endif
