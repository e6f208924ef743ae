/* SPDX-License-Identifier: Apache-2.0 */
/* Names in certificates against names that were asked for (RFC 6125, RFC 7925 section 4.4.1). */
#include "security/gnutls_inside.h"
#include "security/gnutls_names.h"
#include "security/testpki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static gnutls_x509_crt_t make(const dn_testpki_subject *subject)
{
    dn_testpki_key *key = dn_testpki_key_make(TESTPKI_P256);
    dn_testpki_cert *cert = dn_testpki_cert_make(subject, key, NULL, NULL);
    const gnutls_datum_t der = dn_datum(dn_testpki_cert_der(cert));
    gnutls_x509_crt_t read = NULL;
    assert_int_equal(gnutls_x509_crt_init(&read), 0);
    assert_int_equal(gnutls_x509_crt_import(read, &der, GNUTLS_X509_FMT_DER), 0);
    dn_testpki_cert_free(cert);
    dn_testpki_key_free(key);
    return read;
}

static void matches(void **state)
{
    (void)state;
    static const struct {
        dn_testpki_subject subject;
        const char *host;
        bool fits;
    } cases[] = {
        {{.dns = {"server.example.com"}}, "server.example.com", true},
        {{.dns = {"server.example.com"}}, "SERVER.Example.COM", true},
        {{.dns = {"server.example.com"}}, "server.example.com.", true},
        {{.dns = {"server.example.com"}}, "xserver.example.com", false},
        {{.dns = {"server.example.com"}}, "example.com", false},
        {{.dns = {"other.example", "server.example.com"}}, "server.example.com", true},
        /* A wildcard is the whole leftmost label, with two labels or more behind it. */
        {{.dns = {"*.example.com"}}, "server.example.com", true},
        {{.dns = {"*.example.com"}}, "a.b.example.com", false},
        {{.dns = {"*.example.com"}}, "example.com", false},
        {{.dns = {"*.example.com"}}, ".example.com", false},
        {{.dns = {"*.com"}}, "example.com", false},
        {{.dns = {"*"}}, "example", false},
        {{.dns = {"*."}}, "example.", false},
        {{.dns = {"s*.example.com"}}, "server.example.com", false},
        {{.dns = {"*r.example.com"}}, "server.example.com", false},
        {{.dns = {"server.*.com"}}, "server.example.com", false},
        {{.dns = {"*.*.com"}}, "server.example.com", false},
        {{.common_name = "*.example.com"}, "server.example.com", true},
        /* The Common Name counts only when there is no other name. */
        {{.common_name = "server.example.com"}, "server.example.com", true},
        {{.common_name = "server.example.com", .dns = {"other.example.com"}}, "server.example.com", false},
        {{.common_name = "server.example.com", .uri = "coaps://other.example.com"},
         "server.example.com",
         false},
        {{.common_name = "server.example.com", .address = "192.0.2.1"}, "server.example.com", true},
        /* URIs by their host (RFC 7252 section 9.1.3.3). */
        {{.uri = "coaps://server.example.com"}, "server.example.com", true},
        {{.uri = "coaps://server.example.com:5684/rd"}, "server.example.com", true},
        {{.uri = "coaps://user@server.example.com/"}, "server.example.com", true},
        {{.uri = "coaps://evil.example/server.example.com"}, "server.example.com", false},
        {{.uri = "coaps://server.example.com@evil.example"}, "server.example.com", false},
        {{.uri = "coaps://*.example.com"}, "server.example.com", false},
        {{.uri = "urn:server.example.com"}, "server.example.com", false},
        /* Addresses are no names, and names no addresses. */
        {{.address = "192.0.2.1"}, "192.0.2.1", true},
        {{.address = "192.0.2.1"}, "192.0.2.2", false},
        {{.address = "2001:db8::1"}, "2001:db8:0::1", true},
        {{.address = "2001:db8::1"}, "192.0.2.1", false},
        {{.dns = {"192.0.2.1"}}, "192.0.2.1", false},
        {{.common_name = "192.0.2.1"}, "192.0.2.1", false},
        {{.dns = {"server.example.com"}}, "", false},
        {{.common_name = "x"}, "server.example.com", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gnutls_x509_crt_t cert = make(&cases[i].subject);
        print_message("%zu: %s\n", i, cases[i].host);
        assert_int_equal(dn_names_match(cert, cases[i].host, dn_names_is_address(cases[i].host)),
                         cases[i].fits);
        gnutls_x509_crt_deinit(cert);
    }
}

static void collected(void **state)
{
    (void)state;
    const dn_testpki_subject subject = {
        .common_name = "cn", .dns = {"a.example", "b.example"}, .uri = "urn:x:1", .address = "192.0.2.1"};
    gnutls_x509_crt_t cert = make(&subject);
    dunlin_slice names[8];
    char bytes[256];
    static const char *const wanted[] = {"cn", "a.example", "b.example", "urn:x:1"};
    assert_int_equal(dn_names_collect(cert, names, 8, bytes, sizeof bytes), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(dunlin_slice_equal(names[i], dunlin_slice_of(wanted[i])));
    }
    assert_int_equal(dn_names_collect(cert, names, 2, bytes, sizeof bytes), 2);
    assert_int_equal(dn_names_collect(cert, names, 8, bytes, 12), 2); /* what does not fit is left out */
    gnutls_x509_crt_deinit(cert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches),
        cmocka_unit_test(collected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
