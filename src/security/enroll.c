/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for certificates, and certificates for them; see enroll.h. Sets of them are in enroll_set.c. */
#include "security/enroll.h"

#include "security/gnutls_keys.h"
#include "security/gnutls_names.h"
#include "security/private_key.h"

#include "security/gnutls_inside.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <string.h>

#define NAME_BYTES_MAX 64u /* ub-common-name of RFC 5280 appendix A.1 */
#define KEY_ID_MAX     64u
#define SERIAL_LEN     16u
#define ESCAPED_MAX    1024u /* of text as the library gives it */

static bool is_name(const char *name)
{
    const size_t len = strlen(name);
    return len > 0 && len <= NAME_BYTES_MAX;
}

static dunlin_status give(const gnutls_datum_t *der, dunlin_buf *out)
{
    return dunlin_buf_append(out, dunlin_slice_make(der->data, der->size)) ? DUNLIN_OK : DUNLIN_ERR_SPACE;
}

/* ---- requests ---- */

static dunlin_status make_request(gnutls_x509_crq_t request, gnutls_privkey_t key, gnutls_pubkey_t public_key,
                                  const char *common_name, dunlin_buf *out)
{
    if (gnutls_x509_crq_set_dn_by_oid(request, GNUTLS_OID_X520_COMMON_NAME, 0, common_name,
                                      (unsigned)strlen(common_name)) < 0) {
        return DUNLIN_ERR_ARGUMENT;
    }
    gnutls_datum_t der = {NULL, 0};
    if (gnutls_x509_crq_set_version(request, 1) < 0 || gnutls_x509_crq_set_pubkey(request, public_key) < 0 ||
        gnutls_x509_crq_privkey_sign(request, key, GNUTLS_DIG_SHA256, 0) < 0 ||
        gnutls_x509_crq_export2(request, GNUTLS_X509_FMT_DER, &der) < 0) {
        return DUNLIN_ERR_MALFORMED;
    }
    const dunlin_status status = give(&der, out);
    gnutls_free(der.data);
    return status;
}

dunlin_status dn_enroll_request(dunlin_slice key, const char *common_name, dunlin_buf *out)
{
    gnutls_privkey_t private;
    gnutls_pubkey_t public = NULL;
    gnutls_x509_crq_t request = NULL;
    if (!is_name(common_name)) {
        return DUNLIN_ERR_ARGUMENT;
    }
    if (!dn_private_key_read(&private, key)) {
        return DUNLIN_ERR_MALFORMED;
    }
    dunlin_status status = DUNLIN_ERR_MALFORMED;
    if (dn_private_key_public(private, &public) && dn_keys_curve_allowed(public, DN_TLS_SUITES_MANDATED)) {
        status = gnutls_x509_crq_init(&request) < 0
                     ? DUNLIN_ERR_MEMORY
                     : make_request(request, private, public, common_name, out);
    }
    if (request != NULL) {
        gnutls_x509_crq_deinit(request);
    }
    if (public != NULL) {
        gnutls_pubkey_deinit(public);
    }
    gnutls_privkey_deinit(private);
    return status;
}

/* A request that was made by whoever has its key. The caller frees *out. */
static dunlin_status open_request(dunlin_slice der, gnutls_x509_crq_t *out)
{
    const gnutls_datum_t data = dn_datum(der);
    gnutls_pubkey_t key = NULL;
    if (der.len > DN_ENROLL_REQUEST_MAX) {
        return DUNLIN_ERR_MALFORMED;
    }
    if (gnutls_x509_crq_init(out) < 0) {
        return DUNLIN_ERR_MEMORY;
    }
    dunlin_status status = DUNLIN_OK;
    if (gnutls_x509_crq_import(*out, &data, GNUTLS_X509_FMT_DER) < 0) {
        status = DUNLIN_ERR_MALFORMED;
    } else if (gnutls_pubkey_init(&key) < 0) {
        status = DUNLIN_ERR_MEMORY;
    } else if (gnutls_pubkey_import_x509_crq(key, *out, 0) < 0 ||
               !dn_keys_curve_allowed(key, DN_TLS_SUITES_MANDATED)) {
        status = DUNLIN_ERR_UNSUPPORTED;
    } else if (gnutls_x509_crq_verify(*out, 0) < 0) {
        status = DUNLIN_ERR_REJECTED;
    }
    if (key != NULL) {
        gnutls_pubkey_deinit(key);
    }
    if (status != DUNLIN_OK) {
        gnutls_x509_crq_deinit(*out);
    }
    return status;
}

static dunlin_status read_key(gnutls_x509_crq_t request, dn_enroll_asked *out)
{
    gnutls_pubkey_t key;
    gnutls_datum_t spki = {NULL, 0};
    if (gnutls_pubkey_init(&key) < 0) {
        return DUNLIN_ERR_MEMORY;
    }
    dunlin_status status = DUNLIN_ERR_MALFORMED;
    if (gnutls_pubkey_import_x509_crq(key, request, 0) >= 0 && dn_keys_export(key, &spki) >= 0 &&
        spki.size <= sizeof out->public_key) {
        memcpy(out->public_key, spki.data, spki.size);
        out->public_key_len = spki.size;
        status = DUNLIN_OK;
    }
    gnutls_free(spki.data);
    gnutls_pubkey_deinit(key);
    return status;
}

/* The one Common Name; "": there is none. */
static dunlin_status read_name(gnutls_x509_crq_t request, char *out, size_t size)
{
    char name[ESCAPED_MAX];
    size_t len = sizeof name - 1, second = 0;
    const int code = gnutls_x509_crq_get_dn_by_oid(request, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &len);
    if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
        return DUNLIN_OK;
    }
    if (code < 0 || gnutls_x509_crq_get_dn_by_oid(request, GNUTLS_OID_X520_COMMON_NAME, 1, 0, NULL,
                                                  &second) != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
        return DUNLIN_ERR_MALFORMED; /* it cannot be read, or there are two */
    }
    len = dn_names_unescape(name, len);
    if (len == 0 || len >= size || memchr(name, 0, len) != NULL) {
        return DUNLIN_ERR_MALFORMED;
    }
    memcpy(out, name, len);
    out[len] = '\0';
    return DUNLIN_OK;
}

static void read_challenge(gnutls_x509_crq_t request, dn_enroll_asked *out)
{
    char text[ESCAPED_MAX];
    size_t len = sizeof text;
    const int code = gnutls_x509_crq_get_challenge_password(request, text, &len);
    out->has_challenge = code != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
    len = code < 0 ? 0 : dn_names_unescape(text, strlen(text));
    if (len < sizeof out->challenge) {
        memcpy(out->challenge, text, len);
        out->challenge[len] = '\0';
    }
}

dunlin_status dn_enroll_read(dunlin_slice request, dn_enroll_asked *out)
{
    gnutls_x509_crq_t asked;
    memset(out, 0, sizeof *out);
    dunlin_status status = open_request(request, &asked);
    if (status != DUNLIN_OK) {
        return status;
    }
    status = read_name(asked, out->common_name, sizeof out->common_name);
    read_challenge(asked, out);
    if (status == DUNLIN_OK) {
        status = read_key(asked, out);
    }
    gnutls_x509_crq_deinit(asked);
    return status;
}

/* ---- certificates ---- */

/* What the device's certificate says, apart from its key (RFC 7925 section 4.4). */
static bool set_terms(gnutls_x509_crt_t certificate, const dn_enroll_terms *terms, int64_t until_s)
{
    uint8_t serial[SERIAL_LEN];
    memcpy(serial, terms->serial, sizeof serial);
    serial[0] = (uint8_t)((serial[0] & 0x7fu) | 0x40u); /* positive, and always of the same length */
    return gnutls_x509_crt_set_version(certificate, 3) >= 0 &&
           gnutls_x509_crt_set_serial(certificate, serial, sizeof serial) >= 0 &&
           gnutls_x509_crt_set_activation_time(certificate, (time_t)terms->from_s) >= 0 &&
           gnutls_x509_crt_set_expiration_time(certificate, (time_t)until_s) >= 0 &&
           gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, terms->common_name,
                                         (unsigned)strlen(terms->common_name)) >= 0 &&
           gnutls_x509_crt_set_basic_constraints(certificate, 0, -1) >= 0 &&
           gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE) >= 0 &&
           gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_CLIENT, 0) >= 0;
}

/* Which of the authority's keys it was (RFC 5280 section 4.2.1.1), as the authority's certificate calls it. */
static bool set_issuer_key_id(gnutls_x509_crt_t certificate, gnutls_x509_crt_t authority)
{
    uint8_t id[KEY_ID_MAX];
    size_t len = sizeof id;
    return gnutls_x509_crt_get_subject_key_id(authority, id, &len, NULL) < 0 ||
           gnutls_x509_crt_set_authority_key_id(certificate, id, len) >= 0;
}

static bool set_asked_key(gnutls_x509_crt_t certificate, gnutls_x509_crq_t request)
{
    gnutls_pubkey_t key;
    if (gnutls_pubkey_init(&key) < 0) {
        return false;
    }
    const bool good = gnutls_pubkey_import_x509_crq(key, request, 0) >= 0 &&
                      gnutls_x509_crt_set_pubkey(certificate, key) >= 0;
    gnutls_pubkey_deinit(key);
    return good;
}

static dunlin_status fill(gnutls_x509_crt_t certificate, gnutls_x509_crt_t authority, gnutls_privkey_t key,
                          gnutls_x509_crq_t request, const dn_enroll_terms *terms, dunlin_buf *out)
{
    const int64_t end_s = (int64_t)gnutls_x509_crt_get_expiration_time(authority);
    const int64_t until_s = terms->until_s < end_s ? terms->until_s : end_s;
    gnutls_datum_t der = {NULL, 0};
    if (until_s <= terms->from_s || !set_terms(certificate, terms, until_s)) {
        return DUNLIN_ERR_ARGUMENT;
    }
    if (!set_asked_key(certificate, request) || !set_issuer_key_id(certificate, authority) ||
        gnutls_x509_crt_privkey_sign(certificate, authority, key, GNUTLS_DIG_SHA256, 0) < 0 ||
        gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der) < 0) {
        return DUNLIN_ERR_IO;
    }
    const dunlin_status status = give(&der, out);
    gnutls_free(der.data);
    return status;
}

/* With an open request and an open key. */
static dunlin_status issue(const dn_enroll_terms *terms, gnutls_x509_crq_t request, gnutls_privkey_t key,
                           dunlin_buf *out)
{
    const gnutls_datum_t data = dn_datum(terms->authority);
    gnutls_x509_crt_t authority;
    gnutls_x509_crt_t certificate;
    if (gnutls_x509_crt_init(&authority) < 0) {
        return DUNLIN_ERR_MEMORY;
    }
    dunlin_status status = DUNLIN_ERR_MEMORY;
    if (gnutls_x509_crt_import(authority, &data, GNUTLS_X509_FMT_DER) < 0) {
        status = DUNLIN_ERR_IO;
    } else if (gnutls_x509_crt_init(&certificate) >= 0) {
        status = fill(certificate, authority, key, request, terms, out);
        gnutls_x509_crt_deinit(certificate);
    }
    gnutls_x509_crt_deinit(authority);
    return status;
}

dunlin_status dn_enroll_issue(const dn_enroll_terms *terms, dunlin_buf *out)
{
    gnutls_x509_crq_t request;
    gnutls_privkey_t key;
    if (!is_name(terms->common_name)) {
        return DUNLIN_ERR_ARGUMENT;
    }
    dunlin_status status = open_request(terms->request, &request);
    if (status != DUNLIN_OK) {
        return status;
    }
    status = DUNLIN_ERR_IO;
    if (dn_private_key_read(&key, terms->authority_key)) {
        status = issue(terms, request, key, out);
        gnutls_privkey_deinit(key);
    }
    gnutls_x509_crq_deinit(request);
    return status;
}

/* Signs something and looks whether the certificate verifies it: that holds for keys in tokens too. */
static bool belong_together(gnutls_x509_crt_t authority, gnutls_privkey_t key)
{
    static const uint8_t sample[] = "does this key belong to that certificate";
    const gnutls_datum_t data = dn_datum(dunlin_slice_make(sample, sizeof sample));
    gnutls_datum_t signature = {NULL, 0};
    gnutls_pubkey_t public;
    if (gnutls_pubkey_init(&public) < 0) {
        return false;
    }
    const bool good = gnutls_pubkey_import_x509(public, authority, 0) >= 0 &&
                      dn_keys_curve_allowed(public, DN_TLS_SUITES_MANDATED) &&
                      gnutls_privkey_sign_data(key, GNUTLS_DIG_SHA256, 0, &data, &signature) >= 0 &&
                      gnutls_pubkey_verify_data2(public, GNUTLS_SIGN_ECDSA_SHA256, 0, &data, &signature) >= 0;
    gnutls_free(signature.data);
    gnutls_pubkey_deinit(public);
    return good;
}

const char *dn_enroll_check_authority(dunlin_slice certificate, dunlin_slice key)
{
    const gnutls_datum_t data = dn_datum(certificate);
    gnutls_x509_crt_t authority;
    gnutls_privkey_t private;
    unsigned usage = 0;
    const char *why = NULL;
    if (gnutls_x509_crt_init(&authority) < 0) {
        return "no memory";
    }
    if (gnutls_x509_crt_import(authority, &data, GNUTLS_X509_FMT_DER) < 0) {
        why = "the authority's certificate cannot be read";
    } else if (gnutls_x509_crt_get_ca_status(authority, NULL) <= 0 ||
               (gnutls_x509_crt_get_key_usage(authority, &usage, NULL) >= 0 &&
                (usage & GNUTLS_KEY_KEY_CERT_SIGN) == 0)) {
        why = "the authority's certificate is none of a certification authority";
    } else if (!dn_private_key_read(&private, key)) {
        why = "the authority's key cannot be used";
    } else {
        if (!belong_together(authority, private)) {
            why = "the authority's key and certificate do not belong together, or are not of secp256r1";
        }
        gnutls_privkey_deinit(private);
    }
    gnutls_x509_crt_deinit(authority);
    return why;
}
