/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates in PEM, checked by GnuTLS; see pem.h. */
#include "api/pem.h"

#include "security/pem.h"

#include <stdlib.h>
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

/* The first block of this label. The caller frees *der with free, also after an error. */
static dunlin_status read_first(dunlin_slice text, const char *label, dunlin_buf *der)
{
    *der = dunlin_buf_make(malloc(text.len + 1), text.len);
    const dunlin_status status = der->data == NULL ? DUNLIN_ERR_MEMORY : dn_pem_read(&text, label, der);
    return status == DUNLIN_ERR_NOT_FOUND ? DUNLIN_ERR_MALFORMED : status;
}

dunlin_status dn_pem_public_key(dunlin_slice text, dunlin_buf *out)
{
    dunlin_buf der;
    gnutls_pubkey_t key = NULL;
    dunlin_status status = read_first(text, DN_PEM_PUBLIC_KEY, &der);
    if (status == DUNLIN_OK && gnutls_pubkey_init(&key) != 0) {
        status = DUNLIN_ERR_MEMORY;
    }
    if (status == DUNLIN_OK) {
        const gnutls_datum_t in = datum(dunlin_buf_view(&der));
        gnutls_datum_t spki = {NULL, 0};
        status = DUNLIN_ERR_MALFORMED;
        if (gnutls_pubkey_import(key, &in, GNUTLS_X509_FMT_DER) == 0 &&
            gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &spki) == 0) {
            status = dunlin_buf_append(out, dunlin_slice_make(spki.data, spki.size)) ? DUNLIN_OK
                                                                                     : DUNLIN_ERR_SPACE;
        }
        gnutls_free(spki.data);
        gnutls_pubkey_deinit(key);
    }
    free(der.data);
    return status;
}

dunlin_status dn_pem_fingerprint(dunlin_slice text, uint8_t out[DN_PEM_SHA256_LEN])
{
    dunlin_buf der;
    gnutls_x509_crt_t certificate = NULL;
    dunlin_status status = read_first(text, DN_PEM_CERTIFICATE, &der);
    if (status == DUNLIN_OK && gnutls_x509_crt_init(&certificate) != 0) {
        status = DUNLIN_ERR_MEMORY;
    }
    if (status == DUNLIN_OK) {
        const gnutls_datum_t in = datum(dunlin_buf_view(&der));
        size_t len = DN_PEM_SHA256_LEN;
        status = gnutls_x509_crt_import(certificate, &in, GNUTLS_X509_FMT_DER) == 0 &&
                         gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, out, &len) == 0
                     ? DUNLIN_OK
                     : DUNLIN_ERR_MALFORMED;
        gnutls_x509_crt_deinit(certificate);
    }
    free(der.data);
    return status;
}

dunlin_status dn_pem_sha256(dunlin_slice bytes, uint8_t out[DN_PEM_SHA256_LEN])
{
    return gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes.data, bytes.len, out) == 0 ? DUNLIN_OK
                                                                                : DUNLIN_ERR_STORE;
}
