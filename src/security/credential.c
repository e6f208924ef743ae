/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials by themselves: whether one can be, and what it stands for. */
#include "security/credentials.h"

#include "codec/utf8.h"

#include <string.h>

/* What a SubjectPublicKeyInfo of an uncompressed P-256 point begins with (RFC 5480 section 2): id-ecPublicKey, secp256r1, a BIT STRING. */
static const uint8_t p256_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
#define P256_LEN (sizeof p256_head + 64u)

static const char *check_psk(const dn_credential *credential)
{
    if (credential->identity_len == 0) {
        return "the PSK identity is empty";
    }
    if (credential->identity_len > DN_PSK_IDENTITY_MAX) {
        return "the PSK identity is longer than 128 bytes";
    }
    if (credential->key_len < DN_PSK_KEY_MIN) {
        return "the key is shorter than 8 bytes";
    }
    if (credential->key_len > DN_PSK_KEY_MAX) {
        return "the key is longer than 64 bytes";
    }
    return NULL;
}

static const char *check_rpk(const dn_credential *credential)
{
    if (credential->is_pattern) {
        return "a raw public key is one device's: it cannot be for a pattern";
    }
    if (credential->public_key_len != P256_LEN ||
        memcmp(credential->public_key, p256_head, sizeof p256_head) != 0) {
        return "the public key is no SubjectPublicKeyInfo of a P-256 key";
    }
    return NULL;
}

static const char *check_x509(const dn_credential *credential)
{
    if (credential->name_len > sizeof credential->name ||
        !dn_utf8_valid(dunlin_slice_make(credential->name, credential->name_len))) {
        return "the certificate's name is no UTF-8 of at most 252 bytes";
    }
    if (credential->is_pattern && credential->name_len > 0) {
        return "a name in the certificate cannot be given for a pattern";
    }
    return NULL;
}

const char *dn_credential_check(const dn_credential *credential)
{
    const dunlin_slice endpoint = dunlin_slice_make(credential->endpoint, credential->endpoint_len);
    if (credential->endpoint_len == 0) {
        return "the endpoint name is empty";
    }
    if (credential->endpoint_len > DN_ENDPOINT_NAME_MAX || !dn_utf8_valid(endpoint)) {
        return "the endpoint name is no UTF-8 of at most 252 bytes";
    }
    if (credential->is_pattern != dn_endpoint_is_pattern(endpoint)) {
        return "an endpoint name with '*' or '?' is a pattern, and a pattern has one of them";
    }
    switch (credential->mode) {
    case DN_SECURITY_PSK:
        return check_psk(credential);
    case DN_SECURITY_RPK:
        return check_rpk(credential);
    case DN_SECURITY_X509:
        return check_x509(credential);
    default:
        return "the mode is not psk, rpk or x509";
    }
}

void dn_credential_wipe(dn_credential *credential)
{
    /* Through a volatile pointer, so that the compiler cannot leave it out as dead. */
    void *(*const volatile fill)(void *, int, size_t) = memset;
    (void)fill(credential, 0, sizeof *credential);
}

dn_identity dn_credential_identity(const dn_credential *credential)
{
    dn_identity identity = {.mode = credential->mode,
                            .is_pattern = credential->is_pattern,
                            .endpoint_len = credential->endpoint_len,
                            .credential = credential->number,
                            .generation = credential->generation};
    if (identity.endpoint_len > DN_ENDPOINT_NAME_MAX) {
        identity.endpoint_len = DN_ENDPOINT_NAME_MAX;
    }
    memcpy(identity.endpoint, credential->endpoint, identity.endpoint_len);
    return identity;
}
