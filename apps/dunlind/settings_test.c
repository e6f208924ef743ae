/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: docs/reference/configuration.md says each one's default and bounds; what depends on several is checked. */
#include "settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_reference(void)
{
    FILE *file = fopen(DUNLIN_SOURCE_DIR "/docs/reference/configuration.md", "re");
    assert_non_null(file);
    size_t room = 1 << 16;
    char *text = calloc(1, room);
    assert_non_null(text);
    assert_in_range(fread(text, 1, room - 1, file), 1, room - 2);
    fclose(file);
    return text;
}

static void every_number_is_documented(void **state)
{
    (void)state;
    char *text = read_reference();
    settings set;
    assert_true(settings_init(&set));
    size_t rows = 0;
    for (const char *at = text; (at = strstr(at, "\n| `")) != NULL; at++) {
        const char *dash = strstr(at, "\xe2\x80\x93"); /* the bounds' en dash */
        const char *end = strchr(at + 1, '\n');
        rows += dash != NULL && dash < end && dash[-1] >= '0' && dash[-1] <= '9';
    }
    for (size_t i = 0; i < number_setting_count; i++) {
        const number_setting *number = &number_settings[i];
        char row[200];
        snprintf(row, sizeof row, "| `%s.%s` | %u | %u\xe2\x80\x93%u |", number->section, number->key,
                 *settings_number(&set, number), number->least, number->most);
        if (strstr(text, row) == NULL) {
            fail_msg("configuration.md has no row \"%s\"", row);
        }
        assert_in_range(*settings_number(&set, number), number->least, number->most);
    }
    assert_int_equal(rows, number_setting_count);
    settings_free(&set);
    free(text);
}

static void defaults_are_those_of_the_parts(void **state)
{
    (void)state;
    settings set;
    assert_true(settings_init(&set));
    assert_true(settings_complete(&set));
    dn_fleet_config fleet = dn_fleet_config_default();
    dn_fleet_config made = fleet;
    settings_fleet(&set, &made);
    assert_memory_equal(&made.coap, &fleet.coap, sizeof fleet.coap);
    assert_int_equal(made.max_registrations, fleet.max_registrations);
    assert_int_equal(made.event_buffer_bytes, fleet.event_buffer_bytes);
    assert_int_equal(made.nosec, DN_NOSEC_LOOPBACK);
    assert_memory_equal(&made.tcp, &fleet.tcp, sizeof fleet.tcp);
    assert_int_equal(made.dtls.max_sessions, fleet.dtls.max_sessions);
    dn_tls_server_config tls = dn_tls_server_config_default();
    dn_tls_server_config made_tls = tls;
    settings_tls(&set, &made_tls);
    assert_memory_equal(&made_tls, &tls, sizeof tls);
    assert_int_equal(made.coap_address_count, 1);
    assert_string_equal(made.coap_addresses[0], "[::]:5683");
    assert_int_equal(made.dtls_addresses.count, 1);
    assert_string_equal(made.dtls_addresses.addresses[0], "[::]:5684");
    assert_int_equal(made.tcp_addresses.count + made.tls_addresses.count, 0);
    settings_free(&set);
}

/* Which addresses are listened on when some are named and some are not. */
static void addresses_have_defaults(void **state)
{
    (void)state;
    static const struct {
        dn_nosec nosec;
        bool only_coap, names_dtls, has_dtls, names_udp;
        size_t udp, dtls;
    } cases[] = {
        {DN_NOSEC_LOOPBACK, false, false, false, false, 1, 1},
        {DN_NOSEC_LOOPBACK, true, false, false, true, 0, 0},
        {DN_NOSEC_LOOPBACK, true, true, true, true, 0, 1},
        {DN_NOSEC_LOOPBACK, false, true, false, false, 1, 0},
        {DN_NOSEC_LOOPBACK, false, true, true, false, 1, 1},
        {DN_NOSEC_OFF, false, false, false, false, 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        settings set;
        assert_true(settings_init(&set));
        set.nosec = cases[i].nosec;
        set.only_coap = cases[i].only_coap;
        set.at[DN_TRANSPORT_UDP].is_named = cases[i].names_udp;
        set.at[DN_TRANSPORT_DTLS].is_named = cases[i].names_dtls;
        assert_true(!cases[i].has_dtls || settings_add(&set.at[DN_TRANSPORT_DTLS].listen, "127.0.0.1:0"));
        assert_true(settings_complete(&set));
        assert_int_equal(set.at[DN_TRANSPORT_UDP].listen.count, cases[i].udp);
        assert_int_equal(set.at[DN_TRANSPORT_DTLS].listen.count, cases[i].dtls);
        if (cases[i].udp > 0) { /* RFC 7252 section 6 */
            assert_string_equal(set.at[DN_TRANSPORT_UDP].listen.item[0], "[::]:5683");
        }
        if (cases[i].dtls > 0 && !cases[i].has_dtls) {
            assert_string_equal(set.at[DN_TRANSPORT_DTLS].listen.item[0], "[::]:5684");
        }
        settings_free(&set);
    }
}

static void security_is_checked(void **state)
{
    (void)state;
    settings set;
    char error[512];
    assert_true(settings_init(&set));
    assert_false(settings_check(&set, error, sizeof error)); /* no address at all */
    assert_true(settings_complete(&set));
    assert_true(settings_check(&set, error, sizeof error));
    assert_true(settings_add(&set.certificates, "a.pem"));
    assert_false(settings_check(&set, error, sizeof error));
    assert_non_null(strstr(error, "security.certificate"));
    assert_true(settings_add(&set.keys, "a.key"));
    assert_true(settings_check(&set, error, sizeof error));
    set.nosec = DN_NOSEC_OFF;
    assert_false(settings_check(&set, error, sizeof error));
    assert_non_null(strstr(error, "security.nosec"));
    settings_clear(&set.at[DN_TRANSPORT_UDP].listen);
    assert_true(settings_check(&set, error, sizeof error));
    settings_free(&set);
}

static void bootstrap_is_checked(void **state)
{
    (void)state;
    settings set;
    char error[512];
    assert_true(settings_init(&set));
    set.only_bootstrap = true;
    assert_true(settings_complete(&set));
    assert_false(settings_bootstraps(&set));
    assert_false(settings_check(&set, error, sizeof error));
    assert_non_null(strstr(error, "bootstrap.coaps.listen"));
    assert_true(settings_add(&set.bootstrap.listen[DN_TRANSPORT_DTLS], "127.0.0.1:0"));
    assert_true(settings_bootstraps(&set));
    assert_true(settings_check(&set, error, sizeof error));
    assert_true(settings_add(&set.at[DN_TRANSPORT_DTLS].listen, "127.0.0.1:0"));
    assert_false(settings_check(&set, error, sizeof error));
    assert_non_null(strstr(error, "only: bootstrap"));
    set.only_bootstrap = false;
    assert_true(settings_check(&set, error, sizeof error));
    assert_true(settings_add(&set.bootstrap.certificates, "a.pem"));
    assert_false(settings_check(&set, error, sizeof error));
    assert_non_null(strstr(error, "bootstrap.certificate"));
    settings_clear(&set.bootstrap.certificates);
    assert_true(settings_string(&set.public[DN_TRANSPORT_TLS], "example.net"));
    assert_false(settings_check(&set, error, sizeof error));
    assert_non_null(strstr(error, "public.coaps-tcp"));
    assert_true(settings_string(&set.public[DN_TRANSPORT_TLS], "example.net:5684"));
    assert_true(settings_check(&set, error, sizeof error));
    dn_bootstrap_config made = dn_bootstrap_config_default();
    const uint32_t max_runs = made.engine.max_runs;
    settings_bootstrap(&set, &made);
    assert_int_equal(made.engine.max_runs, max_runs);
    assert_int_equal(made.listen[DN_TRANSPORT_DTLS].count, 1);
    settings_free(&set);
}

static void addresses_are_checked(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {{"127.0.0.1:0", true},
                {"[::]:5684", true},
                {"0.0.0.0:65535", true},
                {"[fe80::1%eth9]:5684", true},
                {"nonsense", false},
                {"127.0.0.1", false},
                {"::1:5684", false},
                {"127.0.0.1:65536", false},
                {"localhost:5684", false},
                {"coaps://h:1", false},
                {"", false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (unsigned bootstrap = 0; bootstrap < 2; bootstrap++) {
            settings set;
            char error[512] = "";
            assert_true(settings_init(&set));
            assert_true(settings_complete(&set));
            assert_true(settings_add(bootstrap ? &set.bootstrap.listen[DN_TRANSPORT_DTLS]
                                               : &set.at[DN_TRANSPORT_DTLS].listen,
                                     rows[i].text));
            assert_int_equal(settings_check(&set, error, sizeof error), rows[i].good);
            assert_true(rows[i].good ||
                        strstr(error, bootstrap ? "bootstrap.coaps.listen: \"" : "coaps.listen: \"") != NULL);
            settings_free(&set);
        }
    }
}

static void enrolment_is_checked(void **state)
{
    (void)state;
    static const struct {
        bool served;
        const char *authority, *key, *forward, *forward_key, *says;
    } cases[] = {
        {true, NULL, NULL, NULL, NULL, NULL},
        {false, NULL, NULL, NULL, NULL, "there is none"},
        {true, "ca.pem", "ca.key", NULL, NULL, NULL},
        {true, "ca.pem", NULL, NULL, NULL, "authority-key"},
        {true, NULL, "ca.key", NULL, NULL, "authority-key"},
        {true, NULL, NULL, "https://ca.example/est", NULL, NULL},
        {true, NULL, NULL, "http://ca.example/est", NULL, "https:"},
        {true, "ca.pem", "ca.key", "https://ca.example/est", NULL, "either"},
        {true, NULL, NULL, "https://ca.example/est", "a.key", "forward-key"},
        {true, NULL, NULL, NULL, "a.key", "forward"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        settings set;
        char error[512] = "";
        assert_true(settings_init(&set) && settings_complete(&set));
        set.est.enabled = true;
        assert_true(!cases[i].served || settings_add(&set.bootstrap.listen[DN_TRANSPORT_UDP], "127.0.0.1:0"));
        assert_true(cases[i].authority == NULL || settings_string(&set.est.authority, cases[i].authority));
        assert_true(cases[i].key == NULL || settings_string(&set.est.authority_key, cases[i].key));
        assert_true(cases[i].forward == NULL || settings_string(&set.est.forward, cases[i].forward));
        assert_true(cases[i].forward_key == NULL ||
                    settings_string(&set.est.forward_key, cases[i].forward_key));
        assert_int_equal(settings_check(&set, error, sizeof error), cases[i].says == NULL);
        assert_true(cases[i].says == NULL || strstr(error, cases[i].says) != NULL);
        settings_free(&set);
    }
}

static void public_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        int transport;
        const char *place;
    } cases[] = {{"coap://a:1", DN_TRANSPORT_UDP, "a:1"},
                 {"coaps://[::1]:2", DN_TRANSPORT_DTLS, "[::1]:2"},
                 {"coap+tcp://a:3", DN_TRANSPORT_TCP, "a:3"},
                 {"coaps+tcp://a:4", DN_TRANSPORT_TLS, "a:4"},
                 {"http://a:5", -1, NULL},
                 {"a:6", -1, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *place = NULL;
        assert_int_equal(settings_public(cases[i].uri, &place), cases[i].transport);
        assert_true(cases[i].place == NULL || strcmp(place, cases[i].place) == 0);
    }
}

static void combinations_are_checked(void **state)
{
    (void)state;
    settings set;
    char error[512];
    assert_true(settings_init(&set));
    assert_true(settings_complete(&set));
    assert_true(settings_check(&set, error, sizeof error));
    set.coap.block_size = 96;
    assert_false(settings_check(&set, error, sizeof error));
    assert_non_null(strstr(error, "coap.block-size"));
    set.coap.block_size = 64;
    assert_true(settings_string(&set.http_listen, "0.0.0.0:80"));
    assert_false(settings_check(&set, error, sizeof error));
    assert_non_null(strstr(error, "http.listen"));
    set.http_open = true;
    assert_true(settings_check(&set, error, sizeof error));
    dn_fleet_config made = dn_fleet_config_default();
    settings_fleet(&set, &made);
    assert_int_equal(made.coap.block_szx, 2);
    settings_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_is_documented), cmocka_unit_test(defaults_are_those_of_the_parts),
        cmocka_unit_test(addresses_have_defaults),    cmocka_unit_test(security_is_checked),
        cmocka_unit_test(bootstrap_is_checked),       cmocka_unit_test(enrolment_is_checked),
        cmocka_unit_test(addresses_are_checked),      cmocka_unit_test(public_addresses),
        cmocka_unit_test(combinations_are_checked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
