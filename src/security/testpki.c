/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates for tests; see the header. */
#include "security/testpki.h"

#include <arpa/inet.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dn_testpki_key {
    gnutls_x509_privkey_t key;
    gnutls_datum_t der, pem, sec1, spki;
};

struct dn_testpki_cert {
    gnutls_x509_crt_t cert;
    gnutls_datum_t der, pem;
};

static void must(int result, const char *what)
{
    if (result < 0) {
        (void)fprintf(stderr, "testpki: %s: %s\n", what, gnutls_strerror(result));
        abort();
    }
}

static void *must_have(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static dunlin_slice view(gnutls_datum_t datum)
{
    return dunlin_slice_make(datum.data, datum.size);
}

dn_testpki_key *dn_testpki_key_make(dn_testpki_kind kind)
{
    static const gnutls_ecc_curve_t curves[] = {[TESTPKI_P256] = GNUTLS_ECC_CURVE_SECP256R1,
                                                [TESTPKI_P384] = GNUTLS_ECC_CURVE_SECP384R1,
                                                [TESTPKI_P224] = GNUTLS_ECC_CURVE_SECP224R1,
                                                [TESTPKI_P192] = GNUTLS_ECC_CURVE_SECP192R1};
    dn_testpki_key *key = must_have(calloc(1, sizeof *key));
    must(gnutls_x509_privkey_init(&key->key), "key");
    if (kind == TESTPKI_RSA2048) {
        must(gnutls_x509_privkey_generate(key->key, GNUTLS_PK_RSA, 2048, 0), "RSA key");
    } else {
        must(gnutls_x509_privkey_generate(key->key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(curves[kind]), 0),
             "ECDSA key");
    }
    must(gnutls_x509_privkey_export2_pkcs8(key->key, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, &key->der),
         "PKCS#8 DER");
    must(gnutls_x509_privkey_export2_pkcs8(key->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &key->pem),
         "PKCS#8 PEM");
    must(gnutls_x509_privkey_export2(key->key, GNUTLS_X509_FMT_PEM, &key->sec1), "SEC 1");
    gnutls_privkey_t abstract = NULL;
    gnutls_pubkey_t public_key = NULL;
    must(gnutls_privkey_init(&abstract), "key");
    must(gnutls_pubkey_init(&public_key), "public key");
    must(gnutls_privkey_import_x509(abstract, key->key, 0), "key");
    must(gnutls_pubkey_import_privkey(public_key, abstract, 0, 0), "public key");
    must(gnutls_pubkey_export2(public_key, GNUTLS_X509_FMT_DER, &key->spki), "public key");
    gnutls_pubkey_deinit(public_key);
    gnutls_privkey_deinit(abstract);
    return key;
}

void dn_testpki_key_free(dn_testpki_key *key)
{
    if (key == NULL) {
        return;
    }
    gnutls_free(key->der.data);
    gnutls_free(key->pem.data);
    gnutls_free(key->sec1.data);
    gnutls_free(key->spki.data);
    gnutls_x509_privkey_deinit(key->key);
    free(key);
}

dunlin_slice dn_testpki_key_der(const dn_testpki_key *key)
{
    return view(key->der);
}

dunlin_slice dn_testpki_key_pem(const dn_testpki_key *key)
{
    return view(key->pem);
}

dunlin_slice dn_testpki_key_sec1(const dn_testpki_key *key)
{
    return view(key->sec1);
}

dunlin_slice dn_testpki_key_spki(const dn_testpki_key *key)
{
    return view(key->spki);
}

static void put_names(gnutls_x509_crt_t cert, const dn_testpki_subject *subject)
{
    if (subject->common_name != NULL) {
        must(gnutls_x509_crt_set_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, subject->common_name,
                                           (unsigned)strlen(subject->common_name)),
             "common name");
    }
    for (size_t i = 0; i < 4 && subject->dns[i] != NULL; i++) {
        must(gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_DNSNAME, subject->dns[i],
                                                  (unsigned)strlen(subject->dns[i]), GNUTLS_FSAN_APPEND),
             "dNSName");
    }
    if (subject->uri != NULL) {
        must(gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_URI, subject->uri,
                                                  (unsigned)strlen(subject->uri), GNUTLS_FSAN_APPEND),
             "URI");
    }
    if (subject->address != NULL) {
        uint8_t bytes[16];
        unsigned len = 4;
        if (inet_pton(AF_INET, subject->address, bytes) != 1) {
            len = 16;
            must(inet_pton(AF_INET6, subject->address, bytes) == 1 ? 0 : -1, "address");
        }
        must(gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_IPADDRESS, bytes, len, GNUTLS_FSAN_APPEND),
             "iPAddress");
    }
}

static void put_use(gnutls_x509_crt_t cert, const dn_testpki_subject *subject)
{
    if (!subject->has_no_constraints) {
        must(gnutls_x509_crt_set_basic_constraints(cert, subject->is_ca ? 1 : 0, -1), "basic constraints");
    }
    must(gnutls_x509_crt_set_key_usage(cert, subject->is_ca ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
                                                            : GNUTLS_KEY_DIGITAL_SIGNATURE),
         "key usage");
    if (subject->purpose != NULL) {
        must(gnutls_x509_crt_set_key_purpose_oid(cert, subject->purpose, 0), "purpose");
    }
}

static void put_identifiers(gnutls_x509_crt_t cert, const dn_testpki_subject *subject,
                            const dn_testpki_key *key)
{
    uint32_t serial = subject->serial;
    if (serial == 0) {
        must(gnutls_rnd(GNUTLS_RND_NONCE, &serial, sizeof serial), "serial");
    }
    const uint8_t bytes[] = {1, (uint8_t)(serial >> 24), (uint8_t)(serial >> 16), (uint8_t)(serial >> 8),
                             (uint8_t)serial};
    must(gnutls_x509_crt_set_serial(cert, bytes, sizeof bytes), "serial");
    const bool has_days = subject->from_day != 0 || subject->to_day != 0;
    const int64_t from = has_days ? subject->from_day : -1;
    const int64_t to = has_days ? subject->to_day : 3650;
    must(gnutls_x509_crt_set_activation_time(cert, (time_t)(TESTPKI_NOW_S + from * TESTPKI_DAY_S)), "time");
    must(gnutls_x509_crt_set_expiration_time(cert, (time_t)(TESTPKI_NOW_S + to * TESTPKI_DAY_S)), "time");
    must(gnutls_x509_crt_set_version(cert, 3), "version");
    must(gnutls_x509_crt_set_key(cert, key->key), "key");
    uint8_t id[64];
    size_t id_len = sizeof id;
    must(gnutls_x509_crt_get_key_id(cert, 0, id, &id_len), "key id");
    must(gnutls_x509_crt_set_subject_key_id(cert, id, id_len), "key id");
}

dn_testpki_cert *dn_testpki_cert_make(const dn_testpki_subject *subject, const dn_testpki_key *key,
                                      const dn_testpki_cert *issuer, const dn_testpki_key *issuer_key)
{
    dn_testpki_cert *made = must_have(calloc(1, sizeof *made));
    must(gnutls_x509_crt_init(&made->cert), "certificate");
    put_identifiers(made->cert, subject, key);
    put_names(made->cert, subject);
    put_use(made->cert, subject);
    gnutls_x509_crt_t from = made->cert;
    if (issuer != NULL) {
        from = issuer->cert;
        uint8_t id[64];
        size_t id_len = sizeof id;
        must(gnutls_x509_crt_get_subject_key_id(from, id, &id_len, NULL), "issuer's key id");
        must(gnutls_x509_crt_set_authority_key_id(made->cert, id, id_len), "issuer's key id");
    }
    must(gnutls_x509_crt_sign2(made->cert, from, issuer != NULL ? issuer_key->key : key->key,
                               subject->uses_sha1 ? GNUTLS_DIG_SHA1 : GNUTLS_DIG_SHA256, 0),
         "signature");
    must(gnutls_x509_crt_export2(made->cert, GNUTLS_X509_FMT_DER, &made->der), "DER");
    must(gnutls_x509_crt_export2(made->cert, GNUTLS_X509_FMT_PEM, &made->pem), "PEM");
    return made;
}

void dn_testpki_cert_free(dn_testpki_cert *cert)
{
    if (cert == NULL) {
        return;
    }
    gnutls_free(cert->der.data);
    gnutls_free(cert->pem.data);
    gnutls_x509_crt_deinit(cert->cert);
    free(cert);
}

dunlin_slice dn_testpki_cert_der(const dn_testpki_cert *cert)
{
    return view(cert->der);
}

dunlin_slice dn_testpki_cert_pem(const dn_testpki_cert *cert)
{
    return view(cert->pem);
}

void dn_testpki_cert_fingerprint(const dn_testpki_cert *cert, uint8_t out[DN_FINGERPRINT_LEN])
{
    size_t len = DN_FINGERPRINT_LEN;
    must(gnutls_x509_crt_get_fingerprint(cert->cert, GNUTLS_DIG_SHA256, out, &len), "fingerprint");
}

dunlin_slice dn_testpki_chain(const dn_testpki_cert *const *certs)
{
    size_t len = 0;
    for (size_t i = 0; certs[i] != NULL; i++) {
        len += certs[i]->pem.size;
    }
    uint8_t *bytes = must_have(malloc(len + 1));
    size_t at = 0;
    for (size_t i = 0; certs[i] != NULL; i++) {
        memcpy(bytes + at, certs[i]->pem.data, certs[i]->pem.size);
        at += certs[i]->pem.size;
    }
    return dunlin_slice_make(bytes, len);
}

dunlin_slice dn_testpki_crl(const dn_testpki_cert *issuer, const dn_testpki_key *issuer_key,
                            const dn_testpki_cert *revoked)
{
    static const uint8_t number[] = {1};
    gnutls_x509_crl_t crl = NULL;
    gnutls_datum_t pem = {NULL, 0};
    uint8_t id[64];
    size_t id_len = sizeof id;
    must(gnutls_x509_crl_init(&crl), "CRL");
    must(gnutls_x509_crl_set_version(crl, 2), "CRL");
    must(gnutls_x509_crl_set_this_update(crl, TESTPKI_NOW_S - TESTPKI_DAY_S), "CRL");
    must(gnutls_x509_crl_set_next_update(crl, TESTPKI_NOW_S + 30 * TESTPKI_DAY_S), "CRL");
    if (revoked != NULL) {
        must(gnutls_x509_crl_set_crt(crl, revoked->cert, TESTPKI_NOW_S - 3600), "CRL");
    }
    must(gnutls_x509_crt_get_subject_key_id(issuer->cert, id, &id_len, NULL), "CRL");
    must(gnutls_x509_crl_set_authority_key_id(crl, id, id_len), "CRL");
    must(gnutls_x509_crl_set_number(crl, number, sizeof number), "CRL");
    must(gnutls_x509_crl_sign2(crl, issuer->cert, issuer_key->key, GNUTLS_DIG_SHA256, 0), "CRL");
    must(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &pem), "CRL");
    uint8_t *bytes = must_have(malloc(pem.size));
    memcpy(bytes, pem.data, pem.size);
    const dunlin_slice made = dunlin_slice_make(bytes, pem.size);
    gnutls_free(pem.data);
    gnutls_x509_crl_deinit(crl);
    return made;
}

/* ---- OCSP: the library only reads responses, so one is put together here (RFC 6960 section 4.2.1) ---- */

typedef struct {
    uint8_t bytes[2048];
    size_t at; /* it is written from its end to its beginning, so that lengths are known when they come */
} der;

static void put(der *to, const void *bytes, size_t len)
{
    must(to->at >= len ? 0 : -1, "OCSP response too long");
    to->at -= len;
    memcpy(to->bytes + to->at, bytes, len);
}

/* Puts tag and length before all that was written since `end`. */
static void wrap(der *to, uint8_t tag, size_t end)
{
    const size_t len = end - to->at;
    const uint8_t shorter[] = {tag, (uint8_t)len};
    const uint8_t longer[] = {tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len};
    if (len < 128) {
        put(to, shorter, sizeof shorter);
    } else {
        put(to, longer, sizeof longer);
    }
}

static void put_wrapped(der *to, uint8_t tag, const void *bytes, size_t len)
{
    const size_t end = to->at;
    put(to, bytes, len);
    wrap(to, tag, end);
}

static void put_time(der *to, int32_t day)
{
    const time_t when = (time_t)(TESTPKI_NOW_S + (int64_t)day * TESTPKI_DAY_S);
    struct tm parts;
    char text[32];
    (void)gmtime_r(&when, &parts);
    put_wrapped(to, 0x18, text, strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &parts));
}

static void put_cert_id(der *to, const dn_testpki_cert *cert, const dn_testpki_cert *issuer)
{
    static const uint8_t sha1[] = {0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00};
    uint8_t bytes[64];
    size_t len = sizeof bytes;
    const size_t end = to->at;
    must(gnutls_x509_crt_get_serial(cert->cert, bytes, &len), "serial");
    put_wrapped(to, 0x02, bytes, len);
    len = sizeof bytes;
    gnutls_pubkey_t key = NULL;
    gnutls_datum_t x = {NULL, 0};
    gnutls_datum_t y = {NULL, 0};
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
    must(gnutls_pubkey_init(&key), "key");
    must(gnutls_pubkey_import_x509(key, issuer->cert, 0), "key");
    must(gnutls_pubkey_export_ecc_raw2(key, &curve, &x, &y, GNUTLS_EXPORT_FLAG_NO_LZ), "key");
    uint8_t point[256] = {4};
    const size_t size = (size_t)gnutls_ecc_curve_get_size(curve);
    memcpy(point + 1 + size - x.size, x.data, x.size);
    memcpy(point + 1 + 2 * size - y.size, y.data, y.size);
    must(gnutls_hash_fast(GNUTLS_DIG_SHA1, point, 1 + 2 * size, bytes), "hash");
    put_wrapped(to, 0x04, bytes, 20);
    gnutls_free(x.data);
    gnutls_free(y.data);
    gnutls_pubkey_deinit(key);
    gnutls_datum_t name = {NULL, 0};
    must(gnutls_x509_crt_get_raw_dn(issuer->cert, &name), "name");
    must(gnutls_hash_fast(GNUTLS_DIG_SHA1, name.data, name.size, bytes), "hash");
    gnutls_free(name.data);
    put_wrapped(to, 0x04, bytes, 20);
    put(to, sha1, sizeof sha1);
    wrap(to, 0x30, end);
}

static void put_response_data(der *to, const dn_testpki_cert *cert, const dn_testpki_cert *issuer,
                              dn_testpki_ocsp_status status, int32_t from_day, int32_t to_day)
{
    const size_t end = to->at;
    size_t inner = to->at;
    put_time(to, to_day);
    wrap(to, 0xa0, inner); /* nextUpdate */
    put_time(to, from_day);
    if (status == TESTPKI_OCSP_REVOKED) {
        inner = to->at;
        put_time(to, from_day);
        wrap(to, 0xa1, inner);
    } else {
        const uint8_t simple[] = {status == TESTPKI_OCSP_GOOD ? 0x80 : 0x82, 0};
        put(to, simple, sizeof simple);
    }
    put_cert_id(to, cert, issuer);
    wrap(to, 0x30, end); /* SingleResponse */
    wrap(to, 0x30, end); /* of which there is one */
    put_time(to, from_day);
    gnutls_datum_t name = {NULL, 0};
    must(gnutls_x509_crt_get_raw_dn(issuer->cert, &name), "name");
    inner = to->at;
    put(to, name.data, name.size);
    gnutls_free(name.data);
    wrap(to, 0xa1, inner); /* responderID by name */
    wrap(to, 0x30, end);
}

dunlin_slice dn_testpki_ocsp(const dn_testpki_cert *cert, const dn_testpki_cert *issuer,
                             const dn_testpki_key *issuer_key, dn_testpki_ocsp_status status,
                             int32_t from_day, int32_t to_day)
{
    static const uint8_t ecdsa_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                           0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    static const uint8_t basic[] = {0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};
    static const uint8_t successful[] = {0x0a, 0x01, 0x00};
    der data = {.at = sizeof data.bytes};
    put_response_data(&data, cert, issuer, status, from_day, to_day);
    gnutls_datum_t tbs = {data.bytes + data.at, (unsigned)(sizeof data.bytes - data.at)};
    gnutls_datum_t signature = {NULL, 0};
    gnutls_privkey_t key = NULL;
    must(gnutls_privkey_init(&key), "key");
    must(gnutls_privkey_import_x509(key, issuer_key->key, 0), "key");
    must(gnutls_privkey_sign_data(key, GNUTLS_DIG_SHA256, 0, &tbs, &signature), "signature");
    gnutls_privkey_deinit(key);

    der whole = {.at = sizeof whole.bytes};
    const size_t end = whole.at;
    put(&whole, signature.data, signature.size);
    put(&whole, "", 1); /* no unused bits */
    wrap(&whole, 0x03, end);
    gnutls_free(signature.data);
    put(&whole, ecdsa_sha256, sizeof ecdsa_sha256);
    put(&whole, tbs.data, tbs.size);
    wrap(&whole, 0x30, end); /* BasicOCSPResponse */
    wrap(&whole, 0x04, end);
    put(&whole, basic, sizeof basic);
    wrap(&whole, 0x30, end);
    wrap(&whole, 0xa0, end);
    put(&whole, successful, sizeof successful);
    wrap(&whole, 0x30, end);
    const size_t len = end - whole.at;
    uint8_t *bytes = must_have(malloc(len));
    memcpy(bytes, whole.bytes + whole.at, len);
    return dunlin_slice_make(bytes, len);
}
