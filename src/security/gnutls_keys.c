/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys, certificate chains and raw public keys: read from DER, PEM or a token, and found to belong together. */
#include "security/gnutls_keys.h"

#include "security/gnutls_inside.h"

#include <gnutls/pkcs11.h>
#include <string.h>

gnutls_x509_crt_fmt_t dn_keys_format(dunlin_slice bytes)
{
    static const char begin[] = "-----BEGIN ";
    const size_t len = sizeof begin - 1;
    for (size_t i = 0; i + len <= bytes.len; i++) {
        if (memcmp(bytes.data + i, begin, len) == 0) {
            return GNUTLS_X509_FMT_PEM;
        }
        if (i == 0 && bytes.data[0] == 0x30) {
            break; /* a SEQUENCE; no PEM file begins with the digit 0 */
        }
    }
    return GNUTLS_X509_FMT_DER;
}

bool dn_keys_curve_allowed(gnutls_pubkey_t key, dn_tls_suites suites)
{
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
    gnutls_datum_t x = {NULL, 0};
    gnutls_datum_t y = {NULL, 0};
    if (gnutls_pubkey_get_pk_algorithm(key, NULL) != GNUTLS_PK_ECDSA ||
        gnutls_pubkey_export_ecc_raw(key, &curve, &x, &y) < 0) {
        return false;
    }
    gnutls_free(x.data);
    gnutls_free(y.data);
    return curve == GNUTLS_ECC_CURVE_SECP256R1 ||
           (suites == DN_TLS_SUITES_MORE && curve == GNUTLS_ECC_CURVE_SECP384R1);
}

int dn_keys_export(gnutls_pubkey_t key, gnutls_datum_t *out)
{
    return gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, out);
}

static dunlin_status load_private(dn_keys *keys, const dn_tls_key_pair *from, char *error, size_t error_size)
{
    int result = gnutls_privkey_init(&keys->key);
    if (result < 0) {
        return DUNLIN_ERR_MEMORY;
    }
    if (from->key_url != NULL) {
        result = gnutls_privkey_import_url(keys->key, from->key_url, 0);
        if (result < 0) {
            /* Not the address itself: it may hold the token's PIN. */
            dn_tls_error(error, error_size, "the private key in the token cannot be used: %s",
                         gnutls_strerror(result));
            return DUNLIN_ERR_IO;
        }
        return DUNLIN_OK;
    }
    const gnutls_datum_t bytes = dn_datum(from->key);
    gnutls_x509_privkey_t plain = NULL;
    if (gnutls_x509_privkey_init(&plain) < 0) {
        return DUNLIN_ERR_MEMORY;
    }
    result = gnutls_x509_privkey_import2(plain, &bytes, dn_keys_format(from->key), NULL, GNUTLS_PKCS_PLAIN);
    if (result < 0) {
        gnutls_x509_privkey_deinit(plain);
        dn_tls_error(error, error_size, "the private key cannot be read: %s", gnutls_strerror(result));
        return DUNLIN_ERR_ARGUMENT;
    }
    result = gnutls_privkey_import_x509(keys->key, plain, GNUTLS_PRIVKEY_IMPORT_AUTO_RELEASE);
    if (result < 0) {
        gnutls_x509_privkey_deinit(plain);
        dn_tls_error(error, error_size, "the private key cannot be used: %s", gnutls_strerror(result));
        return DUNLIN_ERR_ARGUMENT;
    }
    return DUNLIN_OK;
}

static dunlin_status load_chain(dn_keys *keys, dunlin_slice chain, char *error, size_t error_size)
{
    const gnutls_datum_t bytes = dn_datum(chain);
    gnutls_x509_crt_t certs[DN_TLS_CHAIN_MAX];
    unsigned count = DN_TLS_CHAIN_MAX;
    int result = gnutls_x509_crt_list_import(certs, &count, &bytes, dn_keys_format(chain),
                                             GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
    if (result <= 0) {
        dn_tls_error(error, error_size, "the certificate chain cannot be read: %s",
                     result == 0 ? "it is empty" : gnutls_strerror(result));
        return DUNLIN_ERR_ARGUMENT;
    }
    count = (unsigned)result;
    dunlin_status status = DUNLIN_OK;
    for (unsigned i = 0; i < count && status == DUNLIN_OK; i++) {
        result = gnutls_pcert_import_x509(&keys->chain[i], certs[i], 0);
        if (result < 0) {
            dn_tls_error(error, error_size, "a certificate cannot be used: %s", gnutls_strerror(result));
            status = DUNLIN_ERR_ARGUMENT;
        } else {
            keys->chain_len = i + 1;
        }
    }
    keys->leaf = certs[0];
    for (unsigned i = 1; i < count; i++) {
        gnutls_x509_crt_deinit(certs[i]);
    }
    return status;
}

/* Takes the public key from the private one; a token may not give it, then the certificate has it. */
static dunlin_status load_public(dn_keys *keys, char *error, size_t error_size)
{
    gnutls_pubkey_t public_key = NULL;
    if (gnutls_pubkey_init(&public_key) < 0) {
        return DUNLIN_ERR_MEMORY;
    }
    int result = gnutls_pubkey_import_privkey(public_key, keys->key, 0, 0);
    if (result < 0 && keys->leaf != NULL) {
        result = gnutls_pubkey_import_x509(public_key, keys->leaf, 0);
    }
    if (result >= 0) {
        result = gnutls_pcert_import_rawpk(&keys->raw, public_key, 0);
    }
    if (result < 0) {
        gnutls_pubkey_deinit(public_key);
        dn_tls_error(error, error_size, "the private key has no public key: %s", gnutls_strerror(result));
        return DUNLIN_ERR_ARGUMENT;
    }
    keys->has_raw = true;
    return DUNLIN_OK;
}

/* Signs something and looks whether `key` verifies it: that holds for keys in tokens too. */
static bool belongs(gnutls_privkey_t key, gnutls_pubkey_t public_key)
{
    static const uint8_t sample[] = "does this key belong to that certificate";
    const gnutls_datum_t data = dn_datum(dunlin_slice_make(sample, sizeof sample));
    gnutls_datum_t signature = {NULL, 0};
    unsigned bits = 0;
    (void)gnutls_pubkey_get_pk_algorithm(public_key, &bits);
    const bool is_p384 = bits == 384;
    if (gnutls_privkey_sign_data(key, is_p384 ? GNUTLS_DIG_SHA384 : GNUTLS_DIG_SHA256, 0, &data, &signature) <
        0) {
        return false;
    }
    const int result = gnutls_pubkey_verify_data2(
        public_key, is_p384 ? GNUTLS_SIGN_ECDSA_SHA384 : GNUTLS_SIGN_ECDSA_SHA256, 0, &data, &signature);
    gnutls_free(signature.data);
    return result >= 0;
}

static dunlin_status check(const dn_keys *keys, dn_tls_suites suites, char *error, size_t error_size)
{
    const gnutls_pubkey_t public_key = keys->chain_len > 0 ? keys->chain[0].pubkey : keys->raw.pubkey;
    if (!dn_keys_curve_allowed(public_key, suites)) {
        dn_tls_error(error, error_size, "the key is not on a curve that the cipher suites allow (secp256r1)");
        return DUNLIN_ERR_UNSUPPORTED;
    }
    if (!belongs(keys->key, public_key)) {
        dn_tls_error(error, error_size, "the private key and the certificate do not belong together");
        return DUNLIN_ERR_ARGUMENT;
    }
    return DUNLIN_OK;
}

static dunlin_status load_ocsp(dn_keys *keys, dunlin_slice ocsp)
{
    uint8_t *copy = gnutls_malloc(ocsp.len);
    if (copy == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    memcpy(copy, ocsp.data, ocsp.len);
    keys->ocsp.response.data = copy;
    keys->ocsp.response.size = (unsigned)ocsp.len;
    keys->ocsp.exptime = 0; /* whether it is too old is for the client to say, by its clock */
    keys->has_ocsp = true;
    return DUNLIN_OK;
}

dunlin_status dn_keys_load(dn_keys *keys, const dn_tls_key_pair *from, dn_tls_suites suites, char *error,
                           size_t error_size)
{
    dunlin_status status = load_private(keys, from, error, error_size);
    if (status == DUNLIN_OK && from->chain.len > 0) {
        status = load_chain(keys, from->chain, error, error_size);
    }
    if (status == DUNLIN_OK) {
        status = load_public(keys, error, error_size);
    }
    if (status == DUNLIN_OK) {
        status = check(keys, suites, error, error_size);
    }
    if (status == DUNLIN_OK && from->ocsp.len > 0) {
        status = load_ocsp(keys, from->ocsp);
    }
    if (status != DUNLIN_OK) {
        if (status == DUNLIN_ERR_MEMORY) {
            dn_tls_error(error, error_size, "no memory");
        }
        dn_keys_free(keys);
    }
    return status;
}

void dn_keys_free(dn_keys *keys)
{
    if (keys->key != NULL) {
        gnutls_privkey_deinit(keys->key);
    }
    if (keys->has_raw) {
        gnutls_pcert_deinit(&keys->raw);
    }
    for (unsigned i = 0; i < keys->chain_len; i++) {
        gnutls_pcert_deinit(&keys->chain[i]);
    }
    if (keys->leaf != NULL) {
        gnutls_x509_crt_deinit(keys->leaf);
    }
    if (keys->has_ocsp) {
        gnutls_free(keys->ocsp.response.data);
    }
    memset(keys, 0, sizeof *keys);
}
