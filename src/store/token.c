/* SPDX-License-Identifier: Apache-2.0 */
/* Keys wrapped for a PKCS#11 token, by GnuTLS. */
#include "store/token.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include <stdio.h>
#include <string.h>

static dunlin_status failed(const char *url, const char *doing, int result, char *error, size_t error_size)
{
    snprintf(error, error_size, "cannot %s %.*s: %s", doing, (int)strcspn(url, "?"), url,
             gnutls_strerror(result));
    return DUNLIN_ERR_STORE;
}

/* The private key, to be deinitialised; NULL with a text. */
static gnutls_privkey_t private_key(const char *url, char *error, size_t error_size)
{
    gnutls_privkey_t key = NULL;
    int result = gnutls_privkey_init(&key);
    if (result == 0) {
        result = gnutls_privkey_import_url(key, url, 0);
    }
    if (result == 0 && gnutls_privkey_get_pk_algorithm(key, NULL) != GNUTLS_PK_RSA) {
        snprintf(error, error_size, "%.*s is not an RSA key, which wrapping needs", (int)strcspn(url, "?"),
                 url);
    } else if (result != 0) {
        (void)failed(url, "use the key", result, error, error_size);
    } else {
        return key;
    }
    gnutls_privkey_deinit(key);
    return NULL;
}

dunlin_status dn_token_wrap(const char *url, dunlin_slice plain, dunlin_buf *wrapped, char *error,
                            size_t error_size)
{
    gnutls_privkey_t key = private_key(url, error, error_size);
    gnutls_pubkey_t public_half = NULL;
    gnutls_datum_t in = {.size = (unsigned)plain.len};
    gnutls_datum_t out = {NULL, 0};
    uint8_t copy[256];
    dunlin_status status = DUNLIN_ERR_STORE;
    if (key == NULL) {
        return status;
    }
    if (plain.len > sizeof copy) {
        gnutls_privkey_deinit(key);
        return DUNLIN_ERR_ARGUMENT;
    }
    memcpy(copy, plain.data, plain.len);
    in.data = copy;
    int result = gnutls_pubkey_init(&public_half);
    if (result == 0) {
        result = gnutls_pubkey_import_privkey(public_half, key, 0, 0);
    }
    if (result == 0) {
        result = gnutls_pubkey_encrypt_data(public_half, 0, &in, &out);
    }
    if (result != 0) {
        (void)failed(url, "encrypt for", result, error, error_size);
    } else if (!dunlin_buf_append(wrapped, dunlin_slice_make(out.data, out.size))) {
        snprintf(error, error_size, "the key %.*s is too large", (int)strcspn(url, "?"), url);
    } else {
        status = DUNLIN_OK;
    }
    gnutls_memset(copy, 0, sizeof copy);
    gnutls_free(out.data);
    gnutls_pubkey_deinit(public_half);
    gnutls_privkey_deinit(key);
    return status;
}

dunlin_status dn_token_unwrap(const char *url, dunlin_slice wrapped, uint8_t *plain, size_t plain_len,
                              char *error, size_t error_size)
{
    gnutls_privkey_t key = private_key(url, error, error_size);
    uint8_t copy[DN_TOKEN_WRAPPED_MAX];
    gnutls_datum_t in = {.data = copy, .size = (unsigned)wrapped.len};
    gnutls_datum_t out = {NULL, 0};
    dunlin_status status = DUNLIN_ERR_STORE;
    if (key == NULL) {
        return status;
    }
    int result = GNUTLS_E_DECRYPTION_FAILED;
    if (wrapped.len <= sizeof copy) {
        memcpy(copy, wrapped.data, wrapped.len);
        result = gnutls_privkey_decrypt_data(key, 0, &in, &out);
    }
    if (result == 0 && out.size == plain_len) {
        memcpy(plain, out.data, plain_len);
        status = DUNLIN_OK;
    } else {
        (void)failed(url, "decrypt with", result == 0 ? GNUTLS_E_DECRYPTION_FAILED : result, error,
                     error_size);
    }
    if (out.data != NULL) {
        gnutls_memset(out.data, 0, out.size);
        gnutls_free(out.data);
    }
    gnutls_privkey_deinit(key);
    return status;
}
