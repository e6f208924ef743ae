/* SPDX-License-Identifier: Apache-2.0 */
/* PEM by GnuTLS; see pem.h. */
#include "api/pem.h"

#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

/* GnuTLS wants bytes that it could write to, and does not. */
static gnutls_datum_t datum(dunlin_slice bytes)
{
    union {
        const uint8_t *given;
        uint8_t *wanted;
    } pointer = {.given = bytes.data};
    return (gnutls_datum_t){.data = pointer.wanted, .size = (unsigned)bytes.len};
}

bool dn_pem_has_private_key(dunlin_slice text)
{
    static const char mark[] = "PRIVATE KEY-----";
    return text.len > 0 && memmem(text.data, text.len, mark, sizeof mark - 1) != NULL;
}

dunlin_status dn_pem_public_key(dunlin_slice text, dunlin_buf *out)
{
    gnutls_pubkey_t key = NULL;
    gnutls_datum_t der = {NULL, 0};
    const gnutls_datum_t in = datum(text);
    dunlin_status status = DUNLIN_ERR_MALFORMED;
    if (gnutls_pubkey_init(&key) != 0) {
        return DUNLIN_ERR_MEMORY;
    }
    if (gnutls_pubkey_import(key, &in, GNUTLS_X509_FMT_PEM) == 0 &&
        gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der) == 0) {
        status = dunlin_buf_append(out, dunlin_slice_make(der.data, der.size)) ? DUNLIN_OK : DUNLIN_ERR_SPACE;
    }
    gnutls_free(der.data);
    gnutls_pubkey_deinit(key);
    return status;
}

dunlin_status dn_pem_fingerprint(dunlin_slice text, uint8_t out[DN_PEM_SHA256_LEN])
{
    gnutls_x509_crt_t certificate = NULL;
    const gnutls_datum_t in = datum(text);
    size_t len = DN_PEM_SHA256_LEN;
    dunlin_status status = DUNLIN_ERR_MALFORMED;
    if (gnutls_x509_crt_init(&certificate) != 0) {
        return DUNLIN_ERR_MEMORY;
    }
    if (gnutls_x509_crt_import(certificate, &in, GNUTLS_X509_FMT_PEM) == 0 &&
        gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, out, &len) == 0) {
        status = DUNLIN_OK;
    }
    gnutls_x509_crt_deinit(certificate);
    return status;
}

dunlin_status dn_pem_sha256(dunlin_slice bytes, uint8_t out[DN_PEM_SHA256_LEN])
{
    return gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes.data, bytes.len, out) == 0 ? DUNLIN_OK
                                                                                : DUNLIN_ERR_STORE;
}
