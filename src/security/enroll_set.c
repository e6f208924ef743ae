/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of certificates (PKCS#7 certs-only, RFC 5652 section 5), and what is looked for in them; see enroll.h. */
#include "security/enroll.h"

#include "security/gnutls_names.h"
#include "security/pem.h"
#include "security/private_key.h"

#include "security/gnutls_inside.h"

#include <gnutls/pkcs7.h>
#include <gnutls/x509.h>
#include <string.h>

#define SET_MAX          16u /* certificates of a set */
#define KEY_ID_LEN       20u
#define NAMES_MAX        16u
#define NAMES_BYTES      1024u
#define CONTENT_TYPE_MAX 48u /* where the inner content type is, at the latest */

/*
 * GnuTLS names the absent content "digestedData" (1.2.840.113549.1.7.5); RFC 5652 section 5.2 and RFC 9148's examples say
 * "data" (…7.1). It stands before the first certificate.
 */
static void mend_content_type(gnutls_datum_t *der)
{
    static const uint8_t digested[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x05};
    for (size_t i = 0; i + sizeof digested <= der->size && i < CONTENT_TYPE_MAX; i++) {
        if (memcmp(der->data + i, digested, sizeof digested) == 0) {
            der->data[i + sizeof digested - 1] = 0x01;
            return;
        }
    }
}

static dunlin_status add(gnutls_pkcs7_t set, dunlin_slice certificate)
{
    const gnutls_datum_t data = dn_datum(certificate);
    gnutls_x509_crt_t read;
    if (gnutls_x509_crt_init(&read) < 0) {
        return DUNLIN_ERR_MEMORY;
    }
    const bool good =
        gnutls_x509_crt_import(read, &data, GNUTLS_X509_FMT_DER) >= 0 && gnutls_pkcs7_set_crt(set, read) >= 0;
    gnutls_x509_crt_deinit(read);
    return good ? DUNLIN_OK : DUNLIN_ERR_MALFORMED;
}

static dunlin_status fill(gnutls_pkcs7_t set, const dunlin_slice *certificates, size_t count, dunlin_buf *out)
{
    gnutls_datum_t der = {NULL, 0};
    dunlin_status status = DUNLIN_OK;
    for (size_t i = 0; i < count && status == DUNLIN_OK; i++) {
        status = add(set, certificates[i]);
    }
    if (status != DUNLIN_OK) {
        return status;
    }
    if (gnutls_pkcs7_export2(set, GNUTLS_X509_FMT_DER, &der) < 0) {
        return DUNLIN_ERR_MALFORMED;
    }
    mend_content_type(&der);
    status = dunlin_buf_append(out, dunlin_slice_make(der.data, der.size)) ? DUNLIN_OK : DUNLIN_ERR_SPACE;
    gnutls_free(der.data);
    return status;
}

dunlin_status dn_enroll_pack(const dunlin_slice *certificates, size_t count, dunlin_buf *out)
{
    gnutls_pkcs7_t set;
    if (count == 0 || count > SET_MAX) {
        return DUNLIN_ERR_MALFORMED;
    }
    if (gnutls_pkcs7_init(&set) < 0) {
        return DUNLIN_ERR_MEMORY;
    }
    const dunlin_status status = fill(set, certificates, count, out);
    gnutls_pkcs7_deinit(set);
    return status;
}

/* The caller frees *set. */
static dunlin_status open_set(dunlin_slice der, gnutls_pkcs7_t *set, size_t *count)
{
    const gnutls_datum_t data = dn_datum(der);
    if (der.len == 0 || der.len > DN_ENROLL_SET_MAX) {
        return DUNLIN_ERR_MALFORMED;
    }
    if (gnutls_pkcs7_init(set) < 0) {
        return DUNLIN_ERR_MEMORY;
    }
    int found = gnutls_pkcs7_import(*set, &data, GNUTLS_X509_FMT_DER);
    found = found < 0 ? found : gnutls_pkcs7_get_crt_count(*set);
    if (found < 0 || (unsigned)found > SET_MAX) {
        gnutls_pkcs7_deinit(*set);
        return DUNLIN_ERR_MALFORMED;
    }
    *count = (size_t)found;
    return DUNLIN_OK;
}

dunlin_status dn_enroll_count(dunlin_slice set, size_t *count)
{
    gnutls_pkcs7_t opened;
    const dunlin_status status = open_set(set, &opened, count);
    if (status == DUNLIN_OK) {
        gnutls_pkcs7_deinit(opened);
    }
    return status;
}

/* The n-th, as a certificate that can be read. */
static dunlin_status nth(gnutls_pkcs7_t set, size_t index, dunlin_buf *out)
{
    gnutls_datum_t der = {NULL, 0};
    gnutls_x509_crt_t certificate;
    if (gnutls_pkcs7_get_crt_raw2(set, (unsigned)index, &der) < 0) {
        return DUNLIN_ERR_MALFORMED;
    }
    dunlin_status status = DUNLIN_ERR_MEMORY;
    if (gnutls_x509_crt_init(&certificate) >= 0) {
        status = gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER) < 0 ? DUNLIN_ERR_MALFORMED
                 : dunlin_buf_append(out, dunlin_slice_make(der.data, der.size))    ? DUNLIN_OK
                                                                                    : DUNLIN_ERR_SPACE;
        gnutls_x509_crt_deinit(certificate);
    }
    gnutls_free(der.data);
    return status;
}

dunlin_status dn_enroll_unpack(dunlin_slice set, size_t index, dunlin_buf *out)
{
    gnutls_pkcs7_t opened;
    size_t count = 0;
    dunlin_status status = open_set(set, &opened, &count);
    if (status != DUNLIN_OK) {
        return status;
    }
    status = index < count ? nth(opened, index, out) : DUNLIN_ERR_NOT_FOUND;
    gnutls_pkcs7_deinit(opened);
    return status;
}

/* OK; NOT_FOUND: it is none. */
static dunlin_status add_authority(const gnutls_datum_t *der, dunlin_buf *pem)
{
    gnutls_x509_crt_t certificate;
    if (gnutls_x509_crt_init(&certificate) < 0) {
        return DUNLIN_ERR_MEMORY;
    }
    dunlin_status status = DUNLIN_ERR_MALFORMED;
    if (gnutls_x509_crt_import(certificate, der, GNUTLS_X509_FMT_DER) >= 0) {
        status = gnutls_x509_crt_get_ca_status(certificate, NULL) > 0
                     ? dn_pem_write(DN_PEM_CERTIFICATE, dunlin_slice_make(der->data, der->size), pem)
                     : DUNLIN_ERR_NOT_FOUND;
    }
    gnutls_x509_crt_deinit(certificate);
    return status;
}

dunlin_status dn_enroll_authorities(dunlin_slice set, dunlin_buf *pem)
{
    gnutls_pkcs7_t opened;
    size_t count = 0;
    const size_t before = pem->len;
    dunlin_status status = open_set(set, &opened, &count);
    if (status != DUNLIN_OK) {
        return status;
    }
    for (size_t i = 0; i < count && status == DUNLIN_OK; i++) {
        gnutls_datum_t der = {NULL, 0};
        status = DUNLIN_ERR_MALFORMED;
        if (gnutls_pkcs7_get_crt_raw2(opened, (unsigned)i, &der) >= 0) {
            status = add_authority(&der, pem);
            gnutls_free(der.data);
        }
        status = status == DUNLIN_ERR_NOT_FOUND ? DUNLIN_OK : status;
    }
    gnutls_pkcs7_deinit(opened);
    if (status != DUNLIN_OK) {
        pem->len = before;
        return status;
    }
    return pem->len > before ? DUNLIN_OK : DUNLIN_ERR_NOT_FOUND;
}

/* ---- the certificate of a key ---- */

/* What is looked for, and where it goes. */
typedef struct {
    uint8_t key_id[KEY_ID_LEN];
    const char *common_name;
    dunlin_buf *out;
    int64_t *from_s, *until_s;
} search;

static bool has_name(gnutls_x509_crt_t certificate, const char *name)
{
    dunlin_slice names[NAMES_MAX];
    char bytes[NAMES_BYTES];
    const size_t count = dn_names_collect(certificate, names, NAMES_MAX, bytes, sizeof bytes);
    for (size_t i = 0; i < count; i++) {
        if (dunlin_slice_equal(names[i], dunlin_slice_of(name))) {
            return true;
        }
    }
    return false;
}

/* NOT_FOUND: of another key. */
static dunlin_status look_at(const search *what, gnutls_x509_crt_t certificate, const gnutls_datum_t *der)
{
    uint8_t id[KEY_ID_LEN];
    size_t len = sizeof id;
    if (gnutls_x509_crt_import(certificate, der, GNUTLS_X509_FMT_DER) < 0) {
        return DUNLIN_ERR_MALFORMED;
    }
    if (gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA1, id, &len) < 0 || len != sizeof id ||
        memcmp(id, what->key_id, sizeof id) != 0) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    if (what->common_name != NULL && !has_name(certificate, what->common_name)) {
        return DUNLIN_ERR_ACCESS;
    }
    *what->from_s = (int64_t)gnutls_x509_crt_get_activation_time(certificate);
    *what->until_s = (int64_t)gnutls_x509_crt_get_expiration_time(certificate);
    return dunlin_buf_append(what->out, dunlin_slice_make(der->data, der->size)) ? DUNLIN_OK
                                                                                 : DUNLIN_ERR_SPACE;
}

static dunlin_status look(const search *what, const gnutls_datum_t *der)
{
    gnutls_x509_crt_t certificate;
    if (gnutls_x509_crt_init(&certificate) < 0) {
        return DUNLIN_ERR_MEMORY;
    }
    const dunlin_status status = look_at(what, certificate, der);
    gnutls_x509_crt_deinit(certificate);
    return status;
}

/* The order of a set means nothing: the first one of the key counts. */
static dunlin_status look_in_set(const search *what, gnutls_pkcs7_t set, size_t count)
{
    dunlin_status status = DUNLIN_ERR_NOT_FOUND;
    for (size_t i = 0; i < count && status == DUNLIN_ERR_NOT_FOUND; i++) {
        gnutls_datum_t der = {NULL, 0};
        if (gnutls_pkcs7_get_crt_raw2(set, (unsigned)i, &der) < 0) {
            return DUNLIN_ERR_MALFORMED;
        }
        status = look(what, &der);
        gnutls_free(der.data);
    }
    return status;
}

static bool id_of(gnutls_pubkey_t key, uint8_t out[KEY_ID_LEN])
{
    size_t len = KEY_ID_LEN;
    return gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA1, out, &len) >= 0 && len == KEY_ID_LEN;
}

static bool id_of_private(dunlin_slice key, uint8_t out[KEY_ID_LEN])
{
    gnutls_privkey_t private;
    gnutls_pubkey_t public;
    bool good = false;
    if (!dn_private_key_read(&private, key)) {
        return false;
    }
    if (dn_private_key_public(private, &public)) {
        good = id_of(public, out);
        gnutls_pubkey_deinit(public);
    }
    gnutls_privkey_deinit(private);
    return good;
}

static bool id_of_public(dunlin_slice key, uint8_t out[KEY_ID_LEN])
{
    const gnutls_datum_t der = dn_datum(key);
    gnutls_pubkey_t public;
    if (gnutls_pubkey_init(&public) < 0) {
        return false;
    }
    const bool good = gnutls_pubkey_import(public, &der, GNUTLS_X509_FMT_DER) >= 0 && id_of(public, out);
    gnutls_pubkey_deinit(public);
    return good;
}

static dunlin_status find(const search *what, dunlin_slice issued)
{
    gnutls_pkcs7_t set;
    size_t count = 0;
    dunlin_status status = open_set(issued, &set, &count);
    if (status == DUNLIN_OK) {
        status = look_in_set(what, set, count);
        gnutls_pkcs7_deinit(set);
    } else if (status == DUNLIN_ERR_MALFORMED && issued.len <= DN_ENROLL_SET_MAX) {
        const gnutls_datum_t der = dn_datum(issued);
        status = look(what, &der);
    }
    return status;
}

dunlin_status dn_enroll_find(dunlin_slice issued, dunlin_slice key, const char *common_name, dunlin_buf *out,
                             int64_t *from_s, int64_t *until_s)
{
    search what = {.common_name = common_name, .out = out, .from_s = from_s, .until_s = until_s};
    return id_of_private(key, what.key_id) ? find(&what, issued) : DUNLIN_ERR_MALFORMED;
}

dunlin_status dn_enroll_find_public(dunlin_slice issued, dunlin_slice public_key, const char *common_name,
                                    dunlin_buf *out, int64_t *from_s, int64_t *until_s)
{
    search what = {.common_name = common_name, .out = out, .from_s = from_s, .until_s = until_s};
    return id_of_public(public_key, what.key_id) ? find(&what, issued) : DUNLIN_ERR_MALFORMED;
}
