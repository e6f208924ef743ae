/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates, made with GnuTLS. */
#include "security/issue.h"

#include "security/pem.h"
#include "security/private_key.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include <stdlib.h>
#include <string.h>

#define SERIAL_LEN      16
#define COMMON_NAME_MAX 64 /* X.520; the library does not mind */
#define KEY_ID_MAX      32

static gnutls_datum_t datum_of(dunlin_slice slice)
{
    return (gnutls_datum_t){.data = (unsigned char *)(uintptr_t)slice.data, .size = (unsigned)slice.len};
}

static dunlin_status status_of(int code)
{
    return code >= 0                              ? DUNLIN_OK
           : code == GNUTLS_E_MEMORY_ERROR        ? DUNLIN_ERR_MEMORY
           : code == GNUTLS_E_SHORT_MEMORY_BUFFER ? DUNLIN_ERR_SPACE
                                                  : DUNLIN_ERR_IO;
}

dunlin_status dn_key_generate(uint8_t out[DN_KEY_DER_MAX], size_t *len)
{
    gnutls_x509_privkey_t key;
    int code = gnutls_x509_privkey_init(&key);
    if (code < 0) {
        return status_of(code);
    }
    code = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                        GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    *len = DN_KEY_DER_MAX;
    if (code >= 0) {
        code = gnutls_x509_privkey_export_pkcs8(key, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, out, len);
    }
    gnutls_x509_privkey_deinit(key);
    return status_of(code);
}

static bool read_public(gnutls_pubkey_t *key, dunlin_slice from)
{
    gnutls_privkey_t private;
    if (!dn_private_key_read(&private, from)) {
        return false;
    }
    const bool good = dn_private_key_public(private, key);
    gnutls_privkey_deinit(private);
    return good;
}

dunlin_status dn_key_public(dunlin_slice key, uint8_t out[DN_PUBLIC_KEY_DER_MAX], size_t *len)
{
    gnutls_pubkey_t public;
    if (!read_public(&public, key)) {
        return DUNLIN_ERR_MALFORMED;
    }
    *len = DN_PUBLIC_KEY_DER_MAX;
    const int code = gnutls_pubkey_export(public, GNUTLS_X509_FMT_DER, out, len);
    gnutls_pubkey_deinit(public);
    return status_of(code);
}

static bool set_names(gnutls_x509_crt_t certificate, const dn_certificate_terms *terms)
{
    bool good = gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, terms->common_name,
                                              (unsigned)strlen(terms->common_name)) >= 0;
    for (size_t i = 0; good && i < terms->dns_count; i++) {
        good = gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, terms->dns_names[i],
                                                    (unsigned)strlen(terms->dns_names[i]),
                                                    i == 0 ? GNUTLS_FSAN_SET : GNUTLS_FSAN_APPEND) >= 0;
    }
    return good;
}

static bool set_terms(gnutls_x509_crt_t certificate, const dn_certificate_terms *terms)
{
    uint8_t serial[SERIAL_LEN];
    if (gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial) < 0) {
        return false;
    }
    serial[0] = (uint8_t)((serial[0] & 0x7fu) | 0x40u); /* positive, and always of the same length */
    const unsigned usage =
        terms->is_authority ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN : GNUTLS_KEY_DIGITAL_SIGNATURE;
    return gnutls_x509_crt_set_version(certificate, 3) >= 0 &&
           gnutls_x509_crt_set_serial(certificate, serial, sizeof serial) >= 0 &&
           gnutls_x509_crt_set_activation_time(certificate, (time_t)terms->from_s) >= 0 &&
           gnutls_x509_crt_set_expiration_time(certificate, (time_t)terms->until_s) >= 0 &&
           gnutls_x509_crt_set_basic_constraints(certificate, terms->is_authority, -1) >= 0 &&
           gnutls_x509_crt_set_key_usage(certificate, usage) >= 0 && set_names(certificate, terms);
}

static bool set_key(gnutls_x509_crt_t certificate, dunlin_slice key, bool is_authority)
{
    gnutls_pubkey_t public;
    if (!read_public(&public, key)) {
        return false;
    }
    uint8_t id[KEY_ID_MAX];
    size_t id_len = sizeof id;
    bool good = gnutls_x509_crt_set_pubkey(certificate, public) >= 0;
    if (good && is_authority) { /* RFC 5280 section 4.2.1.2: a must for these */
        good = gnutls_x509_crt_get_key_id(certificate, 0, id, &id_len) >= 0 &&
               gnutls_x509_crt_set_subject_key_id(certificate, id, id_len) >= 0;
    }
    gnutls_pubkey_deinit(public);
    return good;
}

static bool sign(gnutls_x509_crt_t certificate, const dn_certificate_terms *terms)
{
    const bool own = terms->issuer.len == 0;
    const gnutls_datum_t data = datum_of(terms->issuer);
    gnutls_privkey_t key;
    gnutls_x509_crt_t issuer = certificate;
    if (!dn_private_key_read(&key, own ? terms->key : terms->issuer_key)) {
        return false;
    }
    bool good = own || gnutls_x509_crt_init(&issuer) >= 0;
    if (good) {
        good = (own || gnutls_x509_crt_import(issuer, &data, GNUTLS_X509_FMT_DER) >= 0) &&
               gnutls_x509_crt_privkey_sign(certificate, issuer, key, GNUTLS_DIG_SHA256, 0) >= 0;
        if (!own) {
            gnutls_x509_crt_deinit(issuer);
        }
    }
    gnutls_privkey_deinit(key);
    return good;
}

dunlin_status dn_certificate_issue(const dn_certificate_terms *terms, uint8_t out[DN_CERTIFICATE_DER_MAX],
                                   size_t *len)
{
    gnutls_x509_crt_t certificate;
    if (terms->until_s <= terms->from_s || strlen(terms->common_name) > COMMON_NAME_MAX) {
        return DUNLIN_ERR_ARGUMENT;
    }
    if (gnutls_x509_crt_init(&certificate) < 0) {
        return DUNLIN_ERR_MEMORY;
    }
    dunlin_status status = DUNLIN_OK;
    if (!set_terms(certificate, terms)) {
        status = DUNLIN_ERR_ARGUMENT;
    } else if (!set_key(certificate, terms->key, terms->is_authority) || !sign(certificate, terms)) {
        status = DUNLIN_ERR_MALFORMED;
    } else {
        *len = DN_CERTIFICATE_DER_MAX;
        status = status_of(gnutls_x509_crt_export(certificate, GNUTLS_X509_FMT_DER, out, len));
    }
    gnutls_x509_crt_deinit(certificate);
    return status;
}

dunlin_status dn_authority_make(const char *common_name, int64_t from_s, int64_t until_s,
                                uint8_t key[DN_KEY_DER_MAX], size_t *key_len,
                                uint8_t certificate[DN_CERTIFICATE_DER_MAX], size_t *certificate_len)
{
    const dunlin_status status = dn_key_generate(key, key_len);
    if (status != DUNLIN_OK) {
        return status;
    }
    const dn_certificate_terms terms = {.common_name = common_name,
                                        .is_authority = true,
                                        .from_s = from_s,
                                        .until_s = until_s,
                                        .key = dunlin_slice_make(key, *key_len)};
    return dn_certificate_issue(&terms, certificate, certificate_len);
}

dunlin_status dn_certificate_pem(dunlin_slice certificate, char *out, size_t size, size_t *len)
{
    if (size == 0) {
        return DUNLIN_ERR_SPACE;
    }
    dunlin_buf pem = dunlin_buf_make(out, size - 1);
    const dunlin_status status = dn_pem_write(DN_PEM_CERTIFICATE, certificate, &pem);
    out[pem.len] = '\0';
    *len = pem.len;
    return status;
}

static dunlin_status public_of(dunlin_slice der, uint8_t out[DN_PUBLIC_KEY_DER_MAX], size_t *len)
{
    const gnutls_datum_t data = datum_of(der);
    gnutls_x509_crt_t read;
    gnutls_pubkey_t public;
    if (gnutls_x509_crt_init(&read) < 0) {
        return DUNLIN_ERR_MEMORY;
    }
    if (gnutls_pubkey_init(&public) < 0) {
        gnutls_x509_crt_deinit(read);
        return DUNLIN_ERR_MEMORY;
    }
    dunlin_status status = DUNLIN_ERR_MALFORMED;
    if (gnutls_x509_crt_import(read, &data, GNUTLS_X509_FMT_DER) >= 0 &&
        gnutls_pubkey_import_x509(public, read, 0) >= 0) {
        *len = DN_PUBLIC_KEY_DER_MAX;
        status = status_of(gnutls_pubkey_export(public, GNUTLS_X509_FMT_DER, out, len));
    }
    gnutls_pubkey_deinit(public);
    gnutls_x509_crt_deinit(read);
    return status;
}

dunlin_status dn_certificate_public(dunlin_slice certificate, uint8_t out[DN_PUBLIC_KEY_DER_MAX], size_t *len)
{
    if (!dn_pem_is(certificate)) {
        return public_of(certificate, out, len);
    }
    uint8_t *bytes = malloc(certificate.len);
    dunlin_buf der = dunlin_buf_make(bytes, certificate.len);
    dunlin_status status =
        bytes == NULL ? DUNLIN_ERR_MEMORY : dn_pem_read(&certificate, DN_PEM_CERTIFICATE, &der);
    if (status == DUNLIN_OK) {
        status = public_of(dunlin_buf_view(&der), out, len);
    }
    free(bytes);
    return status == DUNLIN_ERR_NOT_FOUND ? DUNLIN_ERR_MALFORMED : status;
}
