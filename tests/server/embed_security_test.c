/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secured server inside another program, through the public headers only: each transport with each kind of credential, from the
 * application's own table; who is refused; credentials that change, keys of the server that are read anew.
 */
#include "tests/server/embed_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ALERT_BAD_RECORD_MAC      20
#define ALERT_CERTIFICATE_UNKNOWN 46
#define ALERT_UNKNOWN_CA          48
#define ALERT_ACCESS_DENIED       49
#define ALERT_INTERNAL_ERROR      80
#define ALERT_UNKNOWN_PSK         115

enum { COAP, COAPS, COAP_TCP, COAPS_TCP }; /* addresses of the server */

static embed_server s;

static int set_up(void **state)
{
    (void)state;
    embed_server_start(&s);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    embed_server_stop(&s);
    return 0;
}

static void put(uint64_t number, const embed_row *row)
{
    embed_table_put(&s.table, number, row);
}

static void put_device(dunlin_credential_mode mode)
{
    const embed_row row = embed_pki_row(&s.pki, mode);
    put(1, &row);
}

static embed_device *begin(size_t address, const dunlin_security *account)
{
    return embed_device_start(EMBED_ENDPOINT, dunlin_server_address(s.server, address), account);
}

static embed_device *registered(size_t address, dunlin_credential_mode mode)
{
    const dunlin_security account = embed_pki_account(&s.pki, mode, 0);
    embed_device *device = begin(address, &account);
    embed_device_await(device, &embed_device_told(device)->registered, 1, "registered");
    return device;
}

static void each_transport_with_each_credential(void **state)
{
    static const struct {
        const char *scheme;
        size_t address;
        dunlin_credential_mode mode;
    } ways[] = {
        {"coap://127.", COAP, DUNLIN_CREDENTIAL_NONE},
        {"coap+tcp://127.", COAP_TCP, DUNLIN_CREDENTIAL_NONE},
        {"coaps://127.", COAPS, DUNLIN_CREDENTIAL_PSK},
        {"coaps://127.", COAPS, DUNLIN_CREDENTIAL_RPK},
        {"coaps://127.", COAPS, DUNLIN_CREDENTIAL_X509},
        {"coaps+tcp://127.", COAPS_TCP, DUNLIN_CREDENTIAL_PSK},
        {"coaps+tcp://127.", COAPS_TCP, DUNLIN_CREDENTIAL_RPK},
        {"coaps+tcp://127.", COAPS_TCP, DUNLIN_CREDENTIAL_X509},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        char text[16];
        if (ways[i].mode != DUNLIN_CREDENTIAL_NONE) {
            put_device(ways[i].mode);
            dunlin_credentials_changed(s.credentials, 1);
        }
        embed_device *device = registered(ways[i].address, ways[i].mode);
        dunlin_server_event event = embed_server_await(&s, device, DUNLIN_SERVER_REGISTERED);
        assert_int_equal(event.security, ways[i].mode);
        assert_memory_equal(event.address, ways[i].scheme, strlen(ways[i].scheme));
        assert_int_equal(embed_server_read(&s, device, EMBED_ENDPOINT, text), DUNLIN_OK);
        assert_string_equal(text, "20");
        assert_int_equal(embed_server_observe(&s, device, EMBED_ENDPOINT, text), DUNLIN_OK);
        event = embed_server_await(&s, device, DUNLIN_SERVER_NOTIFICATION);
        assert_true(dunlin_slice_equal(event.payload, dunlin_slice_of("20")));
        embed_device_set(device, 21.5);
        event = embed_server_await(&s, device, DUNLIN_SERVER_NOTIFICATION);
        assert_true(dunlin_slice_equal(event.payload, dunlin_slice_of("21.5")));
        embed_device_stop(device);
    }
}

/* Lets a device try with an account, and looks how it is refused. */
static void expect_alert(size_t address, const dunlin_security *account, int alert, const char *what)
{
    embed_device *device = begin(address, account);
    embed_device_await(device, &embed_device_told(device)->lost, 1, what);
    const embed_told told = *embed_device_told(device);
    embed_device_stop(device);
    if (told.registered != 0 || told.alert != alert) {
        fail_msg("%s: alert %d, not %d; registered %u", what, told.alert, alert, told.registered);
    }
}

static void who_is_refused(void **state)
{
    (void)state;
    put_device(DUNLIN_CREDENTIAL_PSK);
    dunlin_security psk = embed_pki_account(&s.pki, DUNLIN_CREDENTIAL_PSK, 0);
    psk.secret = dunlin_slice_of("another key 0000"); /* over DTLS nobody would say so */
    expect_alert(COAPS_TCP, &psk, ALERT_BAD_RECORD_MAC, "a wrong key");
    psk = embed_pki_account(&s.pki, DUNLIN_CREDENTIAL_PSK, 0);
    psk.identity = dunlin_slice_of("nobody");
    for (size_t address = COAPS; address <= COAPS_TCP; address += COAPS_TCP - COAPS) {
        expect_alert(address, &psk, ALERT_UNKNOWN_PSK, "an identity that nobody has");
        dunlin_security account = embed_pki_account(&s.pki, DUNLIN_CREDENTIAL_RPK, 0);
        expect_alert(address, &account, ALERT_CERTIFICATE_UNKNOWN, "a public key that nobody has");
        account = embed_pki_account(&s.pki, DUNLIN_CREDENTIAL_X509, 0);
        expect_alert(address, &account, ALERT_ACCESS_DENIED, "a certificate whose name nobody has");
        psk.identity = dunlin_slice_of(EMBED_IDENTITY);
        embed_table_break(&s.table, true);
        expect_alert(address, &psk, ALERT_INTERNAL_ERROR, "a table that cannot be read");
        embed_table_break(&s.table, false);
        psk.identity = dunlin_slice_of("nobody");
    }
    /* Without security nobody comes who has a credential. */
    embed_device *device = begin(COAP, NULL);
    embed_device_await(device, &embed_device_told(device)->refused, 1, "refused");
    assert_int_equal(embed_device_told(device)->registered, 0);
    embed_device_stop(device);
}

/* A credential is for one name, or for those that fit; but not for one that has its own. */
static void whom_a_credential_stands_for(void **state)
{
    const embed_row shared = {.endpoint = "thermo-*", .identity = EMBED_IDENTITY, .key = EMBED_KEY};
    const embed_row own = {.endpoint = EMBED_ENDPOINT, .identity = "own", .key = EMBED_KEY};
    const embed_row other = {.endpoint = "thermo-2", .identity = EMBED_IDENTITY, .key = EMBED_KEY};
    (void)state;
    put(1, &shared);
    embed_device_stop(registered(COAPS, DUNLIN_CREDENTIAL_PSK));
    put(2, &own);
    const dunlin_security account = embed_pki_account(&s.pki, DUNLIN_CREDENTIAL_PSK, 0);
    embed_device *device = begin(COAPS, &account);
    embed_device_await(device, &embed_device_told(device)->refused, 1, "refused: the name has its own");
    embed_device_stop(device);
    put(2, &(embed_row){.endpoint = NULL});
    put(1, &other);
    dunlin_credentials_changed(s.credentials, 1);
    device = begin(COAPS, &account);
    embed_device_await(device, &embed_device_told(device)->refused, 1, "refused: another name");
    embed_device_stop(device);
}

/* One that is not issued by a trusted authority is taken if it is this very one. */
static void a_certificate_that_is_pinned(void **state)
{
    dunlin_server_key key;
    char error[256];
    (void)state;
    dunlin_server_security security = embed_pki_security(&s.pki, 0, &key);
    security.client_cas = (dunlin_server_source){.file = NULL};
    assert_int_equal(dunlin_server_reload(s.server, &security, error, sizeof error), DUNLIN_OK);
    put_device(DUNLIN_CREDENTIAL_X509);
    const dunlin_security account = embed_pki_account(&s.pki, DUNLIN_CREDENTIAL_X509, 0);
    expect_alert(COAPS, &account, ALERT_UNKNOWN_CA, "nobody trusted has issued it");
    embed_row row = embed_pki_row(&s.pki, DUNLIN_CREDENTIAL_X509);
    row.fingerprint = dunlin_slice_make(s.pki.fingerprint, sizeof s.pki.fingerprint);
    put(1, &row);
    embed_device_stop(registered(COAPS, DUNLIN_CREDENTIAL_X509));
}

static void a_change_ends_sessions(void **state)
{
    (void)state;
    for (size_t address = COAPS; address <= COAPS_TCP; address += COAPS_TCP - COAPS) {
        const embed_row bystander = {.endpoint = "thermo-2", .identity = "2", .key = EMBED_KEY};
        dunlin_security account = embed_pki_account(&s.pki, DUNLIN_CREDENTIAL_PSK, 0);
        char text[16];
        put_device(DUNLIN_CREDENTIAL_PSK);
        put(2, &bystander);
        embed_device *device = registered(address, DUNLIN_CREDENTIAL_PSK);
        account.identity = dunlin_slice_of("2");
        embed_device *other =
            embed_device_start("thermo-2", dunlin_server_address(s.server, address), &account);
        embed_device_await(other, &embed_device_told(other)->registered, 1, "registered");
        embed_row row = embed_pki_row(&s.pki, DUNLIN_CREDENTIAL_PSK);
        row.key = "a key that has been changed";
        put(1, &row);
        assert_int_equal(embed_server_read(&s, device, EMBED_ENDPOINT, text), DUNLIN_OK); /* not told yet */
        dunlin_credentials_changed(s.credentials, 1);
        embed_device_await(device, &embed_device_told(device)->lost, 1, "told that its session has ended");
        embed_device_stop(device);
        assert_int_equal(embed_server_read(&s, other, "thermo-2", text), DUNLIN_OK);
        assert_int_equal(embed_device_told(other)->lost, 0);
        account = embed_pki_account(&s.pki, DUNLIN_CREDENTIAL_PSK, 0);
        account.secret = dunlin_slice_of(row.key);
        device = begin(address, &account);
        embed_device_await(device, &embed_device_told(device)->registered, 1, "back with the new key");
        dunlin_credentials_changed(s.credentials, DUNLIN_CREDENTIALS_ALL);
        embed_device_await(device, &embed_device_told(device)->lost, 1, "told as everybody");
        embed_device_await(other, &embed_device_told(other)->lost, 1, "told as everybody");
        embed_device_stop(other);
        embed_device_stop(device);
    }
}

static void what_is_taken_away_ends_sessions(void **state)
{
    static const struct {
        dunlin_credential_mode mode;
        int alert; /* of who comes back */
    } cases[] = {{DUNLIN_CREDENTIAL_PSK, ALERT_UNKNOWN_PSK},
                 {DUNLIN_CREDENTIAL_RPK, ALERT_CERTIFICATE_UNKNOWN},
                 {DUNLIN_CREDENTIAL_X509, ALERT_ACCESS_DENIED}};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        const dunlin_credential_mode mode = cases[i / 2].mode;
        const size_t address = i % 2 > 0 ? COAPS : COAPS_TCP;
        put_device(mode);
        embed_device *device = registered(address, mode);
        put(1, &(embed_row){.endpoint = NULL});
        dunlin_credentials_changed(s.credentials, 1);
        embed_device_await(device, &embed_device_told(device)->lost, 1, "told that it is gone");
        embed_device_stop(device);
        const dunlin_security account = embed_pki_account(&s.pki, mode, 0);
        expect_alert(address, &account, cases[i / 2].alert, "who is not there any more");
    }
}

/* A certificate and its key from files this time, as an operator replaces them. */
static void write_file(const char *folder, const char *name, dunlin_slice bytes, char path[64])
{
    (void)snprintf(path, 64, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
}

static void keys_are_read_anew(void **state)
{
    char folder[] = "/tmp/dunlin-embed-XXXXXX", certificate[64], key[64], error[256], text[16];
    (void)state;
    assert_non_null(mkdtemp(folder));
    put_device(DUNLIN_CREDENTIAL_X509);
    embed_device *first = registered(COAPS, DUNLIN_CREDENTIAL_X509);
    write_file(folder, "server.pem", dn_testpki_cert_pem(s.pki.server[1]), certificate);
    write_file(folder, "server.key", dn_testpki_key_sec1(s.pki.server_key[1]), key);
    const dunlin_server_key from_files = {.certificate.file = certificate, .key.file = key};
    const dunlin_server_security security = {
        .keys = &from_files, .key_count = 1, .client_cas.bytes = dn_testpki_cert_der(s.pki.ca)};
    assert_int_equal(dunlin_server_reload(s.server, &security, error, sizeof error), DUNLIN_OK);
    assert_int_equal(embed_server_read(&s, first, EMBED_ENDPOINT, text), DUNLIN_OK); /* its session goes on */
    embed_device_stop(first);
    dunlin_security account = embed_pki_account(&s.pki, DUNLIN_CREDENTIAL_X509, 0);
    expect_alert(COAPS, &account, ALERT_CERTIFICATE_UNKNOWN, "who expects the former certificate");
    account = embed_pki_account(&s.pki, DUNLIN_CREDENTIAL_X509, 1);
    embed_device *second = begin(COAPS, &account);
    embed_device_await(second, &embed_device_told(second)->registered, 1, "registered with the new one");
    embed_device_stop(second);

    /* What cannot be read changes nothing. */
    write_file(folder, "server.key", dn_testpki_key_pem(s.pki.server_key[0]), key);
    assert_int_equal(dunlin_server_reload(s.server, &security, error, sizeof error), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(unlink(key), 0);
    assert_int_equal(dunlin_server_reload(s.server, &security, error, sizeof error), DUNLIN_ERR_IO);
    assert_memory_equal(error, key, strlen(key));
    second = begin(COAPS_TCP, &account);
    embed_device_await(second, &embed_device_told(second)->registered, 1, "registered once more");
    embed_device_stop(second);
    assert_int_equal(unlink(certificate), 0);
    assert_int_equal(rmdir(folder), 0);
}

typedef struct {
    pthread_t thread;
    unsigned failed;
} changer;

/* As busy as an application can be, with everything but the one device. */
static void *change_others(void *context)
{
    changer *c = context;
    for (unsigned i = 0; i < 30; i++) {
        const embed_row row = {
            .endpoint = "thermo-2", .identity = "2", .key = i % 2 > 0 ? EMBED_KEY : "fedcba9876543210"};
        dunlin_server_key key;
        char error[256];
        const dunlin_server_security security = embed_pki_security(&s.pki, 0, &key);
        put(2, &row);
        dunlin_credentials_changed(s.credentials, 2);
        c->failed += dunlin_server_reload(s.server, &security, error, sizeof error) != DUNLIN_OK;
    }
    return NULL;
}

static void changes_from_another_thread(void **state)
{
    changer c = {.failed = 0};
    (void)state;
    put_device(DUNLIN_CREDENTIAL_PSK);
    assert_int_equal(pthread_create(&c.thread, NULL, change_others, &c), 0);
    for (unsigned i = 0; i < 4; i++) {
        embed_device_stop(registered(i % 2 > 0 ? COAPS : COAPS_TCP, DUNLIN_CREDENTIAL_PSK));
    }
    assert_int_equal(pthread_join(c.thread, NULL), 0);
    assert_int_equal(c.failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_transport_with_each_credential, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whom_a_credential_stands_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_certificate_that_is_pinned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_ends_sessions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_taken_away_ends_sessions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_are_read_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changes_from_another_thread, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
