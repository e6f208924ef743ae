/* SPDX-License-Identifier: Apache-2.0 */
/* Trusted CAs and the checks of certification paths; see the header. */
#include "security/gnutls_trust.h"

#include "security/gnutls_crl.h"
#include "security/gnutls_inside.h"

#include <stdlib.h>
#include <string.h>

#define CURVE_BITS_MIN 255u /* Transport 1.1.1 section 5.2.8.3 */

struct dn_trust {
    gnutls_x509_trust_list_t cas;
    size_t count;
    dn_crls crls;
};

dn_trust *dn_trust_create(void)
{
    dn_trust *trust = calloc(1, sizeof *trust);
    if (trust == NULL || gnutls_x509_trust_list_init(&trust->cas, 0) < 0) {
        free(trust);
        return NULL;
    }
    return trust;
}

void dn_trust_free(dn_trust *trust)
{
    if (trust == NULL) {
        return;
    }
    gnutls_x509_trust_list_deinit(trust->cas, 1);
    dn_crls_free(&trust->crls);
    free(trust);
}

bool dn_trust_is_empty(const dn_trust *trust)
{
    return trust->count == 0;
}

bool dn_cert_is_ca(gnutls_x509_crt_t cert)
{
    unsigned critical = 0;
    const int status = gnutls_x509_crt_get_ca_status(cert, &critical);
    if (status == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
        /* Certificates of version 1 have no extensions; as roots they are still about. */
        return gnutls_x509_crt_get_version(cert) == 1 && gnutls_x509_crt_check_issuer(cert, cert) == 1;
    }
    return status > 0;
}

/* The length of the element of DER at the beginning of `bytes`, with its header; 0: there is none. */
static size_t der_element(dunlin_slice bytes, size_t *header)
{
    if (bytes.len < 2) {
        return 0;
    }
    const size_t octets = bytes.data[1] < 0x80 ? 0 : bytes.data[1] & 0x7fu;
    size_t len = octets == 0 ? bytes.data[1] : 0;
    if (octets > 3 || bytes.len < 2 + octets) {
        return 0;
    }
    for (size_t i = 0; i < octets; i++) {
        len = len << 8 | bytes.data[2 + i];
    }
    *header = 2 + octets;
    return len <= bytes.len - *header ? len + *header : 0;
}

static bool verify_with(gnutls_x509_crt_t cert, gnutls_pubkey_t key, dunlin_slice whole)
{
    /* Certificate ::= SEQUENCE { tbsCertificate, … }: what is signed is the first element within (RFC 5280 section 4.1). */
    size_t header = 0;
    if (der_element(whole, &header) == 0) {
        return false;
    }
    const dunlin_slice inner = dunlin_slice_make(whole.data + header, whole.len - header);
    const gnutls_datum_t signed_part = dn_datum(dunlin_slice_make(inner.data, der_element(inner, &header)));
    uint8_t bytes[1024];
    size_t len = sizeof bytes;
    const int algorithm = gnutls_x509_crt_get_signature_algorithm(cert);
    if (signed_part.size == 0 || algorithm < 0 ||
        gnutls_x509_crt_get_signature(cert, (char *)bytes, &len) < 0) {
        return false;
    }
    const gnutls_datum_t signature = {bytes, (unsigned)len};
    return gnutls_pubkey_verify_data2(key, (gnutls_sign_algorithm_t)algorithm, 0, &signed_part, &signature) >=
           0;
}

bool dn_cert_is_signed_by(gnutls_x509_crt_t cert, dunlin_slice spki)
{
    gnutls_pubkey_t key = NULL;
    gnutls_datum_t der = {NULL, 0};
    const gnutls_datum_t from = dn_datum(spki);
    if (gnutls_pubkey_init(&key) < 0) {
        return false;
    }
    bool is_signed = false;
    if (gnutls_pubkey_import(key, &from, GNUTLS_X509_FMT_DER) >= 0 &&
        gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_DER, &der) >= 0) {
        is_signed = verify_with(cert, key, dunlin_slice_make(der.data, der.size));
        gnutls_free(der.data);
    }
    gnutls_pubkey_deinit(key);
    return is_signed;
}

dunlin_status dn_trust_add_cas(dn_trust *trust, dunlin_slice bytes, char *error, size_t error_size)
{
    const gnutls_datum_t datum = dn_datum(bytes);
    gnutls_x509_crt_t *certs = NULL;
    unsigned count = 0;
    int result = gnutls_x509_crt_list_import2(&certs, &count, &datum, dn_keys_format(bytes), 0);
    if (result < 0) {
        dn_tls_error(error, error_size, "the trusted CAs cannot be read: %s", gnutls_strerror(result));
        return DUNLIN_ERR_ARGUMENT;
    }
    dunlin_status status = DUNLIN_OK;
    for (unsigned i = 0; i < count && status == DUNLIN_OK; i++) {
        if (!dn_cert_is_ca(certs[i])) {
            dn_tls_error(error, error_size, "number %u of the trusted certificates is no CA", i + 1);
            status = DUNLIN_ERR_ARGUMENT;
        }
    }
    if (status == DUNLIN_OK) {
        result = gnutls_x509_trust_list_add_cas(trust->cas, certs, count, 0);
        if (result < 0 || (unsigned)result != count) {
            dn_tls_error(error, error_size, "no memory");
            status = DUNLIN_ERR_MEMORY;
        }
        trust->count += result > 0 ? (size_t)result : 0;
        count = 0; /* they are the list's now */
    }
    for (unsigned i = 0; i < count; i++) {
        gnutls_x509_crt_deinit(certs[i]);
    }
    gnutls_free(certs);
    return status;
}

dunlin_status dn_trust_add_system(dn_trust *trust, char *error, size_t error_size)
{
    const int result = gnutls_x509_trust_list_add_system_trust(trust->cas, 0, 0);
    if (result < 0) {
        dn_tls_error(error, error_size, "the system's trusted CAs cannot be read: %s",
                     gnutls_strerror(result));
        return DUNLIN_ERR_IO;
    }
    trust->count += (size_t)result;
    return DUNLIN_OK;
}

bool dn_trust_add_anchor(dn_trust *trust, gnutls_x509_crt_t cert)
{
    gnutls_datum_t der = {NULL, 0};
    gnutls_x509_crt_t copy = NULL;
    bool is_fine =
        gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_DER, &der) >= 0 && gnutls_x509_crt_init(&copy) >= 0;
    if (is_fine) {
        is_fine = gnutls_x509_crt_import(copy, &der, GNUTLS_X509_FMT_DER) >= 0 &&
                  gnutls_x509_trust_list_add_cas(trust->cas, &copy, 1, 0) == 1;
        if (!is_fine) {
            gnutls_x509_crt_deinit(copy);
        }
    }
    gnutls_free(der.data);
    trust->count += is_fine ? 1 : 0;
    return is_fine;
}

dunlin_status dn_trust_add_crls(dn_trust *trust, dunlin_slice pem, char *error, size_t error_size)
{
    const char *reason = "";
    const dunlin_status status = dn_crls_add(&trust->crls, pem, &reason);
    if (status != DUNLIN_OK) {
        dn_tls_error(error, error_size,
                     status == DUNLIN_ERR_MEMORY ? "no memory" : "the CRLs cannot be read: %s", reason);
    }
    return status;
}

/* ---- chains ---- */

bool dn_chain_import(dn_chain *chain, const gnutls_datum_t *list, unsigned count)
{
    chain->count = 0;
    if (count == 0 || count > DN_TLS_CHAIN_MAX) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        if (gnutls_x509_crt_init(&chain->certs[i]) < 0) {
            dn_chain_free(chain);
            return false;
        }
        chain->count = i + 1;
        if (gnutls_x509_crt_import(chain->certs[i], &list[i], GNUTLS_X509_FMT_DER) < 0) {
            dn_chain_free(chain);
            return false;
        }
    }
    return true;
}

void dn_chain_free(dn_chain *chain)
{
    for (unsigned i = 0; i < chain->count; i++) {
        gnutls_x509_crt_deinit(chain->certs[i]);
    }
    chain->count = 0;
}

/* ---- paths ---- */

static dn_path_state check_time(gnutls_x509_crt_t cert, int64_t wall_s)
{
    if (wall_s < 0) {
        return DN_PATH_TRUSTED;
    }
    if (wall_s < (int64_t)gnutls_x509_crt_get_activation_time(cert)) {
        return DN_PATH_NOT_YET;
    }
    return wall_s > (int64_t)gnutls_x509_crt_get_expiration_time(cert) ? DN_PATH_EXPIRED : DN_PATH_TRUSTED;
}

static bool is_curve_too_small(gnutls_x509_crt_t cert)
{
    unsigned bits = 0;
    return gnutls_x509_crt_get_pk_algorithm(cert, &bits) == GNUTLS_PK_ECDSA && bits < CURVE_BITS_MIN;
}

dn_path_state dn_trust_check_leaf(gnutls_x509_crt_t leaf, const dn_path_rules *rules)
{
    gnutls_pubkey_t key = NULL;
    if (gnutls_pubkey_init(&key) < 0) {
        return DN_PATH_BAD;
    }
    const bool is_allowed =
        gnutls_pubkey_import_x509(key, leaf, 0) >= 0 && dn_keys_curve_allowed(key, rules->suites);
    gnutls_pubkey_deinit(key);
    const int signature = gnutls_x509_crt_get_signature_algorithm(leaf);
    if (!is_allowed || signature < 0 ||
        gnutls_sign_is_secure2((gnutls_sign_algorithm_t)signature, GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS) == 0) {
        return DN_PATH_WEAK;
    }
    return check_time(leaf, rules->wall_s);
}

/* The library's findings, the gravest first. */
static dn_path_state state_of(unsigned status)
{
    static const struct {
        unsigned bits;
        dn_path_state state;
    } findings[] = {
        {GNUTLS_CERT_SIGNER_NOT_CA, DN_PATH_UNKNOWN_CA},
        {GNUTLS_CERT_SIGNATURE_FAILURE | GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE, DN_PATH_BAD},
        {GNUTLS_CERT_INSECURE_ALGORITHM, DN_PATH_WEAK},
        {GNUTLS_CERT_SIGNER_NOT_FOUND, DN_PATH_UNKNOWN_CA},
        {GNUTLS_CERT_PURPOSE_MISMATCH | GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS, DN_PATH_PURPOSE},
    };
    for (size_t i = 0; i < sizeof findings / sizeof findings[0]; i++) {
        if ((status & findings[i].bits) != 0) {
            return findings[i].state;
        }
    }
    return status == 0 ? DN_PATH_TRUSTED : DN_PATH_BAD;
}

/* Walks from the end entity to its anchor, which the library has found but does not show. False: there is no way. */
static bool trace(const dn_trust *trust, const dn_chain *chain, dn_path *path)
{
    path->certs[0] = chain->certs[0];
    path->count = 1;
    bool is_used[DN_TLS_CHAIN_MAX] = {true};
    while (path->count <= chain->count) {
        gnutls_x509_crt_t at = path->certs[path->count - 1];
        gnutls_x509_crt_t issuer = NULL;
        if (gnutls_x509_trust_list_get_issuer(trust->cas, at, &issuer, 0) >= 0) {
            if (gnutls_x509_crt_equals(at, issuer) == 0) {
                path->certs[path->count++] = issuer;
            }
            return true;
        }
        for (unsigned i = 1; i < chain->count && issuer == NULL; i++) {
            if (!is_used[i] && gnutls_x509_crt_check_issuer(at, chain->certs[i]) == 1) {
                is_used[i] = true;
                issuer = chain->certs[i];
            }
        }
        if (issuer == NULL) {
            return false;
        }
        path->certs[path->count++] = issuer;
    }
    return false;
}

static dn_path_state check_path(const dn_trust *trust, const dn_path *path, int64_t wall_s)
{
    for (unsigned i = 0; i < path->count; i++) {
        if (is_curve_too_small(path->certs[i])) {
            return DN_PATH_WEAK;
        }
        const dn_path_state time = check_time(path->certs[i], wall_s);
        if (time != DN_PATH_TRUSTED) {
            return time;
        }
    }
    for (unsigned i = 0; i + 1 < path->count; i++) {
        if (dn_crls_revoke(&trust->crls, path->certs[i], path->certs[i + 1])) {
            return DN_PATH_REVOKED;
        }
    }
    return DN_PATH_TRUSTED;
}

dn_path dn_trust_check(const dn_trust *trust, const dn_chain *chain, const dn_path_rules *rules)
{
    dn_path path = {.state = DN_PATH_UNKNOWN_CA};
    if (dn_trust_is_empty(trust)) {
        return path;
    }
    const unsigned flags = GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_CRL_CHECKS |
                           GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM);
    const dunlin_slice purpose = dunlin_slice_of(rules->purpose);
    gnutls_typed_vdata_st data = {.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = dn_datum(purpose).data};
    gnutls_x509_crt_t certs[DN_TLS_CHAIN_MAX];
    memcpy(certs, chain->certs, chain->count * sizeof certs[0]);
    unsigned status = 0;
    if (gnutls_x509_trust_list_verify_crt2(trust->cas, certs, chain->count, &data, 1, flags, &status, NULL) <
        0) {
        path.state = DN_PATH_BAD;
        return path;
    }
    path.state = state_of(status);
    if (path.state == DN_PATH_TRUSTED) {
        path.state =
            trace(trust, chain, &path) ? check_path(trust, &path, rules->wall_s) : DN_PATH_UNKNOWN_CA;
    }
    return path;
}
