/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates of documents, read by GnuTLS; see material.h. */
#include "bootstrap/material.h"

#include "security/issue.h"
#include "security/pem.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#define DER_MAX 8192u

bool dn_bs_bytes_copy(dn_bs_bytes *out, const void *data, size_t len)
{
    out->data = malloc(len + 1);
    out->len = len;
    if (out->data == NULL) {
        return false;
    }
    if (len > 0) {
        memcpy(out->data, data, len);
    }
    return true;
}

void dn_bs_bytes_free(dn_bs_bytes *bytes)
{
    if (bytes->data != NULL) {
        explicit_bzero(bytes->data, bytes->len);
        free(bytes->data);
    }
    *bytes = (dn_bs_bytes){NULL, 0};
}

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* DER of PEM with a label that ends with `label`, or of hex digits. */
static bool to_der(dunlin_slice text, const char *label, dunlin_buf *der)
{
    if (dn_pem_is(text)) {
        return dn_pem_read(&text, label, der) == DUNLIN_OK;
    }
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        const int high = digit(text.data[i]);
        const int low = digit(text.data[i + 1]);
        if (high < 0 || low < 0 || der->len == der->cap) {
            return false;
        }
        der->data[der->len++] = (uint8_t)(high << 4 | low);
    }
    return text.len > 0 && text.len % 2 == 0;
}

static gnutls_datum_t datum_of(const dunlin_buf *der)
{
    return (gnutls_datum_t){.data = der->data, .size = (unsigned)der->len};
}

static const char *keep(dn_bs_bytes *out, const void *data, size_t len)
{
    return dn_bs_bytes_copy(out, data, len) ? NULL : "no memory";
}

const char *dn_bs_material_public_key(dunlin_slice text, dn_bs_bytes *out)
{
    uint8_t memory[DER_MAX];
    dunlin_buf der = dunlin_buf_make(memory, sizeof memory);
    gnutls_pubkey_t key = NULL;
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
    const char *wrong = "this is no public key, as PEM or as the hexadecimal digits of its DER";
    if (!to_der(text, DN_PEM_PUBLIC_KEY, &der)) {
        return wrong;
    }
    const gnutls_datum_t in = datum_of(&der);
    if (gnutls_pubkey_init(&key) != 0) {
        return "no memory";
    }
    if (gnutls_pubkey_import(key, &in, GNUTLS_X509_FMT_DER) == 0) {
        bool fits =
            gnutls_pubkey_export_ecc_raw(key, &curve, NULL, NULL) == 0 && curve == GNUTLS_ECC_CURVE_SECP256R1;
        wrong = fits ? keep(out, der.data, der.len) : "this is not a key of P-256";
    }
    gnutls_pubkey_deinit(key);
    return wrong;
}

static const char *export_private(gnutls_x509_privkey_t key, dn_bs_bytes *out)
{
    gnutls_datum_t pkcs8 = {NULL, 0};
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
    if (gnutls_x509_privkey_export_ecc_raw(key, &curve, NULL, NULL, NULL) != 0 ||
        curve != GNUTLS_ECC_CURVE_SECP256R1) {
        return "this is not a key of P-256";
    }
    if (gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, &pkcs8) != 0) {
        return "this private key cannot be written";
    }
    const char *wrong = keep(out, pkcs8.data, pkcs8.size);
    gnutls_memset(pkcs8.data, 0, pkcs8.size);
    gnutls_free(pkcs8.data);
    return wrong;
}

/* PEM goes to the library as it is: SEC 1 has another label than PKCS#8. */
const char *dn_bs_material_private_key(dunlin_slice text, dn_bs_bytes *out)
{
    uint8_t memory[DER_MAX];
    dunlin_buf der = dunlin_buf_make(memory, sizeof memory);
    gnutls_x509_privkey_t key = NULL;
    bool is_pem = dn_pem_is(text);
    const char *wrong = "this is no private key, as PEM or as the hexadecimal digits of its PKCS#8";
    bool fits = is_pem ? dunlin_buf_append(&der, text) : to_der(text, NULL, &der);
    if (fits && gnutls_x509_privkey_init(&key) == 0) {
        const gnutls_datum_t in = datum_of(&der);
        if (gnutls_x509_privkey_import2(key, &in, is_pem ? GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER, NULL,
                                        GNUTLS_PKCS_PLAIN) == 0) {
            wrong = export_private(key, out);
        }
        gnutls_x509_privkey_deinit(key);
    }
    explicit_bzero(memory, sizeof memory);
    return wrong;
}

const char *dn_bs_material_certificate(dunlin_slice text, dn_bs_bytes *out)
{
    uint8_t memory[DER_MAX];
    dunlin_buf der = dunlin_buf_make(memory, sizeof memory);
    gnutls_x509_crt_t certificate = NULL;
    const char *wrong = "this is no certificate, as PEM or as the hexadecimal digits of its DER";
    if (!to_der(text, DN_PEM_CERTIFICATE, &der)) {
        return wrong;
    }
    const gnutls_datum_t in = datum_of(&der);
    if (gnutls_x509_crt_init(&certificate) != 0) {
        return "no memory";
    }
    if (gnutls_x509_crt_import(certificate, &in, GNUTLS_X509_FMT_DER) == 0) {
        wrong = keep(out, der.data, der.len);
    }
    gnutls_x509_crt_deinit(certificate);
    return wrong;
}

bool dn_bs_material_is_pair(const dn_bs_bytes *private_key, const dn_bs_bytes *other, bool is_certificate)
{
    uint8_t own[DN_PUBLIC_KEY_DER_MAX];
    uint8_t their[DN_PUBLIC_KEY_DER_MAX];
    size_t own_len = 0;
    size_t their_len = 0;
    dunlin_slice shown = dn_bs_bytes_view(other);
    if (dn_key_public(dn_bs_bytes_view(private_key), own, &own_len) != DUNLIN_OK) {
        return false;
    }
    if (is_certificate) {
        if (dn_certificate_public(shown, their, &their_len) != DUNLIN_OK) {
            return false;
        }
        shown = dunlin_slice_make(their, their_len);
    }
    return dunlin_slice_equal(dunlin_slice_make(own, own_len), shown);
}

const char *dn_bs_material_public_of(const dn_bs_bytes *private_key, dn_bs_bytes *out)
{
    uint8_t own[DN_PUBLIC_KEY_DER_MAX];
    size_t len = 0;
    if (dn_key_public(dn_bs_bytes_view(private_key), own, &len) != DUNLIN_OK) {
        return "its public half cannot be had";
    }
    return keep(out, own, len);
}

dunlin_slice dn_bs_material_matched(dunlin_slice bytes, int16_t matching, uint8_t memory[DN_BS_DIGEST_MAX])
{
    static const gnutls_digest_algorithm_t digests[] = {GNUTLS_DIG_UNKNOWN, GNUTLS_DIG_SHA256,
                                                        GNUTLS_DIG_SHA384, GNUTLS_DIG_SHA512};
    if (matching <= 0 || matching > 3 || bytes.len == 0 ||
        gnutls_hash_fast(digests[matching], bytes.data, bytes.len, memory) != 0) {
        return bytes;
    }
    return dunlin_slice_make(memory, gnutls_hash_get_len(digests[matching]));
}
