/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates that are made here are what another reader of them takes. */
#include "security/issue.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define FROM_S  1700000000
#define UNTIL_S 1800000000

typedef struct {
    uint8_t key[DN_KEY_DER_MAX], certificate[DN_CERTIFICATE_DER_MAX];
    size_t key_len, certificate_len;
} party;

static dunlin_status issue(party *p, const char *name, const char *dns, bool is_authority,
                           const party *issuer)
{
    assert_int_equal(dn_key_generate(p->key, &p->key_len), DUNLIN_OK);
    const dn_certificate_terms terms = {
        .common_name = name,
        .dns_names = &dns,
        .dns_count = dns != NULL,
        .is_authority = is_authority,
        .from_s = FROM_S,
        .until_s = UNTIL_S,
        .key = dunlin_slice_make(p->key, p->key_len),
        .issuer = issuer != NULL ? dunlin_slice_make(issuer->certificate, issuer->certificate_len)
                                 : dunlin_slice_make(NULL, 0),
        .issuer_key =
            issuer != NULL ? dunlin_slice_make(issuer->key, issuer->key_len) : dunlin_slice_make(NULL, 0)};
    return dn_certificate_issue(&terms, p->certificate, &p->certificate_len);
}

static gnutls_x509_crt_t read(const party *p)
{
    gnutls_x509_crt_t certificate;
    const gnutls_datum_t data = {.data = (unsigned char *)(uintptr_t)p->certificate,
                                 .size = (unsigned)p->certificate_len};
    assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
    assert_int_equal(gnutls_x509_crt_import(certificate, &data, GNUTLS_X509_FMT_DER), 0);
    return certificate;
}

static void a_chain_is_verified(void **state)
{
    party authority, server;
    unsigned verdict = 0;
    (void)state;
    assert_int_equal(issue(&authority, "an authority", NULL, true, NULL), DUNLIN_OK);
    assert_int_equal(issue(&server, "server", "server.example.com", false, &authority), DUNLIN_OK);
    gnutls_x509_crt_t root = read(&authority);
    gnutls_x509_crt_t leaf = read(&server);
    gnutls_x509_trust_list_t list;
    assert_int_equal(gnutls_x509_trust_list_init(&list, 0), 0);
    assert_int_equal(gnutls_x509_trust_list_add_cas(list, &root, 1, 0), 1);
    assert_true(gnutls_x509_crt_check_hostname(leaf, "server.example.com"));
    assert_false(gnutls_x509_crt_check_hostname(leaf, "other.example.com"));
    assert_int_equal(
        gnutls_x509_trust_list_verify_crt(list, &leaf, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &verdict, NULL),
        0);
    assert_int_equal(verdict, 0);
    assert_true(gnutls_x509_crt_get_activation_time(leaf) == FROM_S &&
                gnutls_x509_crt_get_expiration_time(leaf) == UNTIL_S);
    assert_true(gnutls_x509_crt_get_ca_status(root, NULL) > 0);
    assert_int_equal(gnutls_x509_crt_get_ca_status(leaf, NULL), 0);
    assert_int_equal(gnutls_x509_crt_get_signature_algorithm(leaf), GNUTLS_SIGN_ECDSA_SHA256);
    gnutls_x509_trust_list_deinit(list, 0);
    gnutls_x509_crt_deinit(root);
    gnutls_x509_crt_deinit(leaf);
}

static void the_public_key_is_the_certificates(void **state)
{
    party self;
    uint8_t own[DN_PUBLIC_KEY_DER_MAX], shown[DN_PUBLIC_KEY_DER_MAX];
    size_t own_len, shown_len = sizeof shown;
    gnutls_pubkey_t key;
    (void)state;
    assert_int_equal(issue(&self, "self", NULL, false, NULL), DUNLIN_OK);
    assert_int_equal(dn_key_public(dunlin_slice_make(self.key, self.key_len), own, &own_len), DUNLIN_OK);
    gnutls_x509_crt_t certificate = read(&self);
    assert_int_equal(gnutls_pubkey_init(&key), 0);
    assert_int_equal(gnutls_pubkey_import_x509(key, certificate, 0), 0);
    assert_int_equal(gnutls_pubkey_export(key, GNUTLS_X509_FMT_DER, shown, &shown_len), 0);
    assert_int_equal(own_len, 91);
    assert_int_equal(own_len, shown_len);
    assert_memory_equal(own, shown, own_len);
    gnutls_pubkey_deinit(key);
    gnutls_x509_crt_deinit(certificate);
}

static void pem_is_read_back(void **state)
{
    party self;
    char pem[DN_CERTIFICATE_PEM_MAX];
    size_t len;
    (void)state;
    assert_int_equal(issue(&self, "self", NULL, true, NULL), DUNLIN_OK);
    const dunlin_slice der = dunlin_slice_make(self.certificate, self.certificate_len);
    assert_int_equal(dn_certificate_pem(der, pem, sizeof pem, &len), DUNLIN_OK);
    const gnutls_datum_t data = {.data = (unsigned char *)pem, .size = (unsigned)len};
    gnutls_datum_t back;
    assert_int_equal(gnutls_pem_base64_decode2("CERTIFICATE", &data, &back), 0);
    assert_int_equal(back.size, self.certificate_len);
    assert_memory_equal(back.data, self.certificate, back.size);
    uint8_t of_pem[DN_PUBLIC_KEY_DER_MAX], of_der[DN_PUBLIC_KEY_DER_MAX], of_key[DN_PUBLIC_KEY_DER_MAX];
    size_t pem_len, der_len, key_len;
    assert_int_equal(dn_certificate_public(dunlin_slice_of(pem), of_pem, &pem_len), DUNLIN_OK);
    assert_int_equal(dn_certificate_public(der, of_der, &der_len), DUNLIN_OK);
    assert_int_equal(dn_key_public(dunlin_slice_make(self.key, self.key_len), of_key, &key_len), DUNLIN_OK);
    assert_true(pem_len == key_len && der_len == key_len);
    assert_memory_equal(of_pem, of_key, key_len);
    assert_memory_equal(of_der, of_key, key_len);
    assert_int_equal(dn_certificate_public(dunlin_slice_make(self.certificate, 40), of_der, &der_len),
                     DUNLIN_ERR_MALFORMED);
    gnutls_free(back.data);
    assert_int_equal(dn_certificate_pem(der, pem, 100, &len), DUNLIN_ERR_SPACE);
}

static void what_cannot_be_is_refused(void **state)
{
    party good;
    uint8_t out[DN_CERTIFICATE_DER_MAX];
    size_t len;
    (void)state;
    assert_int_equal(issue(&good, "good", NULL, true, NULL), DUNLIN_OK);
    const dn_certificate_terms base = {.common_name = "x",
                                       .from_s = FROM_S,
                                       .until_s = UNTIL_S,
                                       .key = dunlin_slice_make(good.key, good.key_len)};
    dn_certificate_terms terms = base;
    terms.until_s = FROM_S;
    assert_int_equal(dn_certificate_issue(&terms, out, &len), DUNLIN_ERR_ARGUMENT);
    terms = base;
    terms.common_name = "a name that is longer than the sixty-four bytes which X.520 allows";
    assert_int_equal(dn_certificate_issue(&terms, out, &len), DUNLIN_ERR_ARGUMENT);
    terms = base;
    terms.key.len--;
    assert_int_equal(dn_certificate_issue(&terms, out, &len), DUNLIN_ERR_MALFORMED);
    terms = base;
    terms.issuer = dunlin_slice_of("no certificate");
    terms.issuer_key = base.key;
    assert_int_equal(dn_certificate_issue(&terms, out, &len), DUNLIN_ERR_MALFORMED);
    assert_int_equal(dn_key_public(dunlin_slice_of("no key"), out, &len), DUNLIN_ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_is_verified),
        cmocka_unit_test(the_public_key_is_the_certificates),
        cmocka_unit_test(pem_is_read_back),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
