/* SPDX-License-Identifier: Apache-2.0 */
/* Which credentials can be, what they stand for, and the names of alerts. */
#include "security/testpki.h"
#include "security/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static dn_credential fine(uint8_t mode)
{
    static const uint8_t head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
    dn_credential credential = {
        .mode = mode, .endpoint_len = 7, .endpoint = "urn:dev", .number = 7, .generation = 9};
    if (mode == DN_SECURITY_PSK) {
        credential.identity_len = 3;
        credential.key_len = 16;
    } else if (mode == DN_SECURITY_RPK) {
        credential.public_key_len = 91;
        memcpy(credential.public_key, head, sizeof head);
    }
    return credential;
}

static void empty_endpoint(dn_credential *c)
{
    c->endpoint_len = 0;
}

static void endpoint_no_text(dn_credential *c)
{
    c->endpoint[0] = (char)0xff;
}

static void pattern_unsaid(dn_credential *c)
{
    c->endpoint[0] = '*';
}

static void pattern_without_star(dn_credential *c)
{
    c->is_pattern = true;
}

static void as_pattern(dn_credential *c)
{
    c->endpoint[6] = '?';
    c->is_pattern = true;
}

static void empty_identity(dn_credential *c)
{
    c->identity_len = 0;
}

static void long_identity(dn_credential *c)
{
    c->identity_len = 129;
}

static void short_key(dn_credential *c)
{
    c->key_len = 7;
}

static void long_key(dn_credential *c)
{
    c->key_len = 65;
}

static void short_public_key(dn_credential *c)
{
    c->public_key_len = 90;
}

static void no_public_key(dn_credential *c)
{
    c->public_key_len = 0;
}

static void compressed_key(dn_credential *c)
{
    c->public_key[26] = 2;
}

static void name_no_text(dn_credential *c)
{
    c->name_len = 1;
    c->name[0] = (char)0x80;
}

static void name_for_pattern(dn_credential *c)
{
    as_pattern(c);
    c->name_len = 1;
    c->name[0] = 'x';
}

static void mode_nosec(dn_credential *c)
{
    c->mode = DN_SECURITY_NOSEC;
}

static void shortest_key(dn_credential *c)
{
    c->key_len = 8;
}

static void longest(dn_credential *c)
{
    c->identity_len = 128;
    c->key_len = 64;
}

static void nothing(dn_credential *c)
{
    (void)c;
}

static void named(dn_credential *c)
{
    c->name_len = 2;
    memcpy(c->name, "cn", 2);
    c->has_fingerprint = true;
}

static void checks(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t mode;
        void (*change)(dn_credential *credential);
        bool is_fine;
    } cases[] = {
        {"psk", DN_SECURITY_PSK, nothing, true},
        {"rpk", DN_SECURITY_RPK, nothing, true},
        {"x509", DN_SECURITY_X509, nothing, true},
        {"x509 with name and fingerprint", DN_SECURITY_X509, named, true},
        {"psk for a pattern", DN_SECURITY_PSK, as_pattern, true},
        {"x509 for a pattern", DN_SECURITY_X509, as_pattern, true},
        {"shortest key", DN_SECURITY_PSK, shortest_key, true},
        {"longest identity and key", DN_SECURITY_PSK, longest, true},
        {"empty endpoint", DN_SECURITY_PSK, empty_endpoint, false},
        {"endpoint is no UTF-8", DN_SECURITY_X509, endpoint_no_text, false},
        {"a pattern that is not said to be one", DN_SECURITY_PSK, pattern_unsaid, false},
        {"no pattern that is said to be one", DN_SECURITY_PSK, pattern_without_star, false},
        {"empty identity", DN_SECURITY_PSK, empty_identity, false},
        {"identity of 129 bytes", DN_SECURITY_PSK, long_identity, false},
        {"key of 7 bytes", DN_SECURITY_PSK, short_key, false},
        {"key of 65 bytes", DN_SECURITY_PSK, long_key, false},
        {"rpk for a pattern", DN_SECURITY_RPK, as_pattern, false},
        {"public key too short", DN_SECURITY_RPK, short_public_key, false},
        {"no public key", DN_SECURITY_RPK, no_public_key, false},
        {"compressed point", DN_SECURITY_RPK, compressed_key, false},
        {"name is no UTF-8", DN_SECURITY_X509, name_no_text, false},
        {"a name for a pattern", DN_SECURITY_X509, name_for_pattern, false},
        {"no credential at all", DN_SECURITY_PSK, mode_nosec, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_credential credential = fine(cases[i].mode);
        cases[i].change(&credential);
        const char *wrong = dn_credential_check(&credential);
        print_message("%s: %s\n", cases[i].what, wrong != NULL ? wrong : "fine");
        assert_int_equal(wrong == NULL, cases[i].is_fine);
    }
}

/* What the library makes is what is taken. */
static void real_keys(void **state)
{
    (void)state;
    static const struct {
        dn_testpki_kind kind;
        bool is_fine;
    } kinds[] = {{TESTPKI_P256, true}, {TESTPKI_P384, false}, {TESTPKI_P192, false}};
    for (size_t i = 0; i < 3; i++) {
        dn_testpki_key *key = dn_testpki_key_make(kinds[i].kind);
        const dunlin_slice spki = dn_testpki_key_spki(key);
        dn_credential credential = fine(DN_SECURITY_RPK);
        credential.public_key_len = (uint16_t)spki.len;
        memcpy(credential.public_key, spki.data, spki.len);
        assert_int_equal(dn_credential_check(&credential) == NULL, kinds[i].is_fine);
        dn_testpki_key_free(key);
    }
}

static void wiped(void **state)
{
    (void)state;
    dn_credential credential = fine(DN_SECURITY_PSK);
    memset(credential.key, 0xaa, sizeof credential.key);
    dn_credential_wipe(&credential);
    static const dn_credential zero;
    assert_memory_equal(&credential, &zero, sizeof zero);
}

static void identities(void **state)
{
    (void)state;
    dn_credential credential = fine(DN_SECURITY_PSK);
    dn_identity identity = dn_credential_identity(&credential);
    assert_int_equal(identity.mode, DN_SECURITY_PSK);
    assert_int_equal(identity.credential, 7);
    assert_int_equal(identity.generation, 9);
    assert_true(dn_identity_allows(&identity, dunlin_slice_of("urn:dev")));
    assert_false(dn_identity_allows(&identity, dunlin_slice_of("urn:dev2")));
    assert_true(dunlin_slice_equal(dn_identity_name(&identity), dunlin_slice_of("urn:dev")));
    as_pattern(&credential);
    identity = dn_credential_identity(&credential);
    assert_true(dn_identity_allows(&identity, dunlin_slice_of("urn:deX")));
    assert_false(dn_identity_allows(&identity, dunlin_slice_of("urn:deXY")));
    assert_int_equal(dn_identity_name(&identity).len, 0);
}

static void patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool matches;
    } cases[] = {
        {"*", "", true},         {"*", "anything", true},
        {"?", "", false},        {"?", "x", true},
        {"a*c", "abc", true},    {"a*c", "ac", true},
        {"a*c", "acb", false},   {"a*b*c", "axxbyybc", true},
        {"a*b*c", "acb", false}, {"urn:*:?", "urn:x:1", true},
        {"", "", true},          {"", "x", false},
        {"**a", "bca", true},    {"a?", "a", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            dn_endpoint_matches(dunlin_slice_of(cases[i].pattern), dunlin_slice_of(cases[i].name)),
            cases[i].matches);
    }
}

static void names_of_alerts(void **state)
{
    (void)state;
    assert_string_equal(dn_tls_alert_name(115), "unknown_psk_identity");
    assert_string_equal(dn_tls_alert_name(0), "close_notify");
    assert_string_equal(dn_tls_alert_name(200), "unknown");
    assert_string_equal(dn_tls_alert_name(DN_TLS_NO_ALERT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks),     cmocka_unit_test(real_keys), cmocka_unit_test(wiped),
        cmocka_unit_test(identities), cmocka_unit_test(patterns),  cmocka_unit_test(names_of_alerts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
