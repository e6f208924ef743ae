/* SPDX-License-Identifier: Apache-2.0 */
/* What an embedded server does not start with, and that it says so; credentials that the library keeps for it. */
#include "tests/server/embed_server.h"

#include <dunlin/store.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static embed_pki pki;

static int make_pki(void **state)
{
    (void)state;
    embed_pki_make(&pki);
    return 0;
}

static int free_pki(void **state)
{
    (void)state;
    embed_pki_free(&pki);
    return 0;
}

/* A configuration that works, on one secured address; a case spoils it. */
typedef struct {
    const char *address;
    dunlin_server_config config;
    dunlin_server_key keys[DUNLIN_SERVER_KEYS_MAX + 1];
} attempt;

static void with_one_key(attempt *a)
{
    a->config.security = embed_pki_security(&pki, 0, &a->keys[0]);
}

static void no_scheme(attempt *a)
{
    a->address = "127.0.0.1:0";
}

static void other_scheme(attempt *a)
{
    a->address = "http://127.0.0.1:0";
}

static void no_ip_address(attempt *a)
{
    a->address = "coaps://server.example.com:5684";
}

static void foreign_address(attempt *a)
{
    a->address = "coaps+tcp://192.0.2.1:0";
}

static void nothing_behind(attempt *a)
{
    a->address = "coaps://";
}

static void no_address(attempt *a)
{
    a->config.address_count = 0;
}

static void no_credentials(attempt *a)
{
    a->config.credentials = NULL;
}

static void nosec_off(attempt *a)
{
    a->address = "coap+tcp://127.0.0.1:0";
    a->config.nosec = DUNLIN_SERVER_NOSEC_OFF;
}

static void no_policy(attempt *a)
{
    a->config.nosec = (dunlin_server_nosec)7;
}

static void no_suites(attempt *a)
{
    a->config.security.suites = (dunlin_server_suites)7;
}

static void missing_file(attempt *a)
{
    a->keys[0].certificate.file = "/nonexistent/server.pem";
}

static void a_directory(attempt *a)
{
    a->keys[0].key.file = "/tmp";
}

static void no_key(attempt *a)
{
    a->keys[0].key = (dunlin_server_source){.file = NULL};
}

static void bad_key(attempt *a)
{
    a->keys[0].key.bytes = dunlin_slice_of("no key at all");
}

static void bad_certificate(attempt *a)
{
    a->keys[0].certificate.bytes = dunlin_slice_of("-----BEGIN CERTIFICATE-----\n?\n");
}

static void key_of_another(attempt *a)
{
    a->keys[0].key.bytes = dn_testpki_key_pem(pki.device_key);
}

static void no_token(attempt *a)
{
    a->keys[0].key.file = "pkcs11:token=none-of-ours;object=server?pin-value=1234";
}

static void no_authority(attempt *a)
{
    a->config.security.client_cas.bytes = dn_testpki_cert_pem(pki.device);
}

static void no_list(attempt *a)
{
    a->config.security.revoked.file = "/nonexistent/revoked.pem";
}

static void too_many_keys(attempt *a)
{
    for (size_t i = 1; i <= DUNLIN_SERVER_KEYS_MAX; i++) {
        a->keys[i] = a->keys[0];
    }
    a->config.security.key_count = DUNLIN_SERVER_KEYS_MAX + 1;
}

static void no_store(attempt *a)
{
    dunlin_store_close(a->config.store);
    a->config.store = NULL;
}

static void no_sessions(attempt *a)
{
    a->config.max_sessions = 0;
}

static void too_many_requests(attempt *a)
{
    a->config.max_requests = UINT32_MAX;
}

static void nothing(attempt *a)
{
    (void)a;
}

static const struct {
    const char *description;
    void (*spoil)(attempt *a);
    dunlin_status status;
    const char *text; /* what the error must name */
} attempts[] = {
    {"all is well", nothing, DUNLIN_OK, ""},
    {"an address without a scheme", no_scheme, DUNLIN_ERR_ARGUMENT, "\"127.0.0.1:0\""},
    {"another scheme", other_scheme, DUNLIN_ERR_ARGUMENT, "\"http://127.0.0.1:0\""},
    {"a host name", no_ip_address, DUNLIN_ERR_ARGUMENT, "server.example.com:5684"},
    {"an address that is not ours", foreign_address, DUNLIN_ERR_IO, "192.0.2.1:0"},
    {"nothing behind the scheme", nothing_behind, DUNLIN_ERR_ARGUMENT, "coaps://"},
    {"no address", no_address, DUNLIN_ERR_ARGUMENT, "address"},
    {"no credentials", no_credentials, DUNLIN_ERR_ARGUMENT, "credentials"},
    {"plain CoAP that is switched off", nosec_off, DUNLIN_ERR_ARGUMENT, "nosec"},
    {"no such policy", no_policy, DUNLIN_ERR_ARGUMENT, "nosec"},
    {"no such suites", no_suites, DUNLIN_ERR_ARGUMENT, "suites"},
    {"a file that is missing", missing_file, DUNLIN_ERR_IO, "/nonexistent/server.pem: No such file"},
    {"a directory", a_directory, DUNLIN_ERR_IO, "/tmp: not a file"},
    {"no private key", no_key, DUNLIN_ERR_ARGUMENT, "key pair 1 has no private key"},
    {"a key that is none", bad_key, DUNLIN_ERR_ARGUMENT, "the private key cannot be read"},
    {"a certificate that is none", bad_certificate, DUNLIN_ERR_ARGUMENT, "certificate"},
    {"a key of another certificate", key_of_another, DUNLIN_ERR_ARGUMENT, "belong"},
    {"a token that is not there", no_token, DUNLIN_ERR_IO, "token"},
    {"an authority that is none", no_authority, DUNLIN_ERR_ARGUMENT, "CA"},
    {"no list of revoked ones", no_list, DUNLIN_ERR_IO, "/nonexistent/revoked.pem"},
    {"no store", no_store, DUNLIN_ERR_ARGUMENT, "store"},
    {"no sessions", no_sessions, DUNLIN_ERR_ARGUMENT, "max_sessions"},
    {"too many requests", too_many_requests, DUNLIN_ERR_ARGUMENT, "max_requests"},
    {"too many keys", too_many_keys, DUNLIN_ERR_ARGUMENT, "8 key pairs"},
};

static void what_it_does_not_start_with(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        char error[256] = "";
        attempt a = {.address = "coaps://127.0.0.1:0"};
        dunlin_credentials *credentials = dunlin_credentials_memory();
        dunlin_lwm2m_server *server = NULL;
        a.config = dunlin_server_config_default();
        a.config.addresses = &a.address;
        a.config.address_count = 1;
        a.config.store = dunlin_store_memory();
        a.config.credentials = credentials;
        with_one_key(&a);
        attempts[i].spoil(&a);
        const dunlin_status status = dunlin_server_start(&a.config, &server, error, sizeof error);
        if (status != attempts[i].status || strstr(error, attempts[i].text) == NULL ||
            strstr(error, "1234") != NULL) {
            fail_msg("%s: %s, \"%s\"", attempts[i].description, dunlin_status_text(status), error);
        }
        dunlin_server_stop(server, 0);
        dunlin_credentials_close(credentials);
    }
}

static void keys_of_plain_addresses_cannot_be_read_anew(void **state)
{
    static const char *const addresses[] = {"coap://127.0.0.1:0"};
    char error[256] = "";
    dunlin_server_key key;
    dunlin_lwm2m_server *server = NULL;
    (void)state;
    dunlin_server_config config = dunlin_server_config_default();
    config.addresses = addresses;
    config.address_count = 1;
    config.store = dunlin_store_memory();
    assert_int_equal(dunlin_server_start(&config, &server, error, sizeof error), DUNLIN_OK);
    assert_memory_equal(dunlin_server_address(server, 0), "coap://127.0.0.1:", 17);
    assert_null(dunlin_server_address(server, 1));
    const dunlin_server_security security = embed_pki_security(&pki, 0, &key);
    assert_int_equal(dunlin_server_reload(server, &security, error, sizeof error), DUNLIN_ERR_STATE);
    assert_non_null(strstr(error, "coaps://"));
    dunlin_server_stop(server, 0);
}

/* Credentials that the library keeps. */

static dunlin_credential psk(const char *endpoint, const char *identity, const char *key)
{
    return (dunlin_credential){.mode = DUNLIN_CREDENTIAL_PSK,
                               .endpoint = dunlin_slice_of(endpoint),
                               .identity = dunlin_slice_of(identity),
                               .key = dunlin_slice_of(key)};
}

typedef struct {
    unsigned count;
    char names[64];
    dunlin_credential last; /* without its views */
    char identity[16];
} seen;

static void see(void *context, const dunlin_credential *credential)
{
    seen *all = context;
    all->count++;
    (void)snprintf(all->names + strlen(all->names), sizeof all->names - strlen(all->names), "%.*s ",
                   (int)credential->endpoint.len, (const char *)credential->endpoint.data);
    (void)snprintf(all->identity, sizeof all->identity, "%.*s", (int)credential->identity.len,
                   (const char *)credential->identity.data);
    all->last = *credential;
}

static void they_are_put_and_listed(void **state)
{
    dunlin_credentials *credentials = dunlin_credentials_memory();
    seen all = {.count = 0};
    (void)state;
    const dunlin_credential x509 = {.mode = DUNLIN_CREDENTIAL_X509,
                                    .endpoint = dunlin_slice_of("c"),
                                    .name = dunlin_slice_of("c.example.com"),
                                    .fingerprint =
                                        dunlin_slice_make(pki.fingerprint, sizeof pki.fingerprint)};
    const dunlin_credential rpk = {.mode = DUNLIN_CREDENTIAL_RPK,
                                   .endpoint = dunlin_slice_of("b"),
                                   .public_key = dn_testpki_key_spki(pki.device_key)};
    dunlin_credential a = psk("a", "1", EMBED_KEY);
    assert_int_equal(dunlin_credentials_put(credentials, &x509), DUNLIN_OK);
    assert_int_equal(dunlin_credentials_put(credentials, &rpk), DUNLIN_OK);
    assert_int_equal(dunlin_credentials_put(credentials, &a), DUNLIN_OK);
    a.endpoint = dunlin_slice_of("d");
    assert_int_equal(dunlin_credentials_put(credentials, &a), DUNLIN_ERR_DUPLICATE);

    assert_int_equal(dunlin_credentials_list(credentials, dunlin_slice_of(""), 2, see, &all), DUNLIN_OK);
    assert_string_equal(all.names, "a b ");
    assert_int_equal(dunlin_credentials_list(credentials, dunlin_slice_of("b"), 2, see, &all), DUNLIN_OK);
    assert_string_equal(all.names, "a b c ");
    assert_true(all.last.fingerprint.len == 32 && all.last.name.len == 13);
    assert_int_equal(dunlin_credentials_list(credentials, dunlin_slice_of(""), 0, see, &all),
                     DUNLIN_ERR_ARGUMENT);
    assert_int_equal(dunlin_credentials_get(credentials, dunlin_slice_of("a"), see, &all), DUNLIN_OK);
    assert_string_equal(all.identity, "1");
    assert_true(all.last.mode == DUNLIN_CREDENTIAL_PSK && all.last.key.len == 0 && all.last.created_ms > 0);
    assert_int_equal(dunlin_credentials_get(credentials, dunlin_slice_of("d"), see, &all),
                     DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(dunlin_credentials_remove(credentials, dunlin_slice_of("a")), DUNLIN_OK);
    assert_int_equal(dunlin_credentials_remove(credentials, dunlin_slice_of("a")), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(all.count, 4);
    dunlin_credentials_changed(credentials, 1); /* they know by themselves */
    dunlin_credentials_close(credentials);
}

static void what_cannot_be_put(void **state)
{
    static const uint8_t zeros[300];
    const dunlin_slice too_long = dunlin_slice_make(zeros, sizeof zeros);
    const dunlin_credential fine = psk("a", "1", EMBED_KEY);
    struct {
        const char *text;
        dunlin_credential credential;
    } cases[10];
    size_t count = 0;
    dunlin_credentials *credentials = dunlin_credentials_memory();
    (void)state;
#define CASE(says, member, value)                   \
    do {                                            \
        cases[count].text = (says);                 \
        cases[count].credential = fine;             \
        cases[count++].credential.member = (value); \
    } while (0)
    CASE("the mode", mode, (dunlin_credential_mode)9);
    CASE("the mode", mode, DUNLIN_CREDENTIAL_NONE);
    CASE("empty", endpoint, dunlin_slice_of(""));
    CASE("252 bytes", endpoint, too_long);
    CASE("128 bytes", identity, too_long);
    CASE("64 bytes", key, too_long);
    CASE("8 bytes", key, dunlin_slice_of("short"));
    CASE("SubjectPublicKeyInfo", public_key, too_long);
    CASE("252 bytes", name, too_long);
    CASE("32 bytes", fingerprint, dunlin_slice_of("short"));
#undef CASE
    assert_null(dunlin_credential_check(&fine));
    for (size_t i = 0; i < count; i++) {
        const char *wrong = dunlin_credential_check(&cases[i].credential);
        if (wrong == NULL || strstr(wrong, cases[i].text) == NULL) {
            fail_msg("case %zu: %s, not %s", i, wrong, cases[i].text);
        }
        assert_int_equal(dunlin_credentials_put(credentials, &cases[i].credential), DUNLIN_ERR_ARGUMENT);
    }
    dunlin_credentials_close(credentials);
}

static void they_survive_in_a_directory(void **state)
{
    char folder[] = "/tmp/dunlin-embed-XXXXXX", directory[64], command[128], error[256] = "";
    dunlin_credentials *credentials = NULL;
    dunlin_credentials *second = NULL;
    seen all = {.count = 0};
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(directory, sizeof directory, "%s/credentials", folder);
    assert_int_equal(dunlin_credentials_sqlite(directory, NULL, &credentials, error, sizeof error),
                     DUNLIN_OK);
    const dunlin_credential a = psk("a", "1", EMBED_KEY);
    assert_int_equal(dunlin_credentials_put(credentials, &a), DUNLIN_OK);
    assert_int_equal(dunlin_credentials_sqlite(directory, NULL, &second, error, sizeof error),
                     DUNLIN_ERR_STORE);
    assert_non_null(strstr(error, "is in use"));
    assert_int_equal(dunlin_credentials_reload(credentials, error, sizeof error), DUNLIN_OK);
    assert_string_equal(dunlin_credentials_error(credentials), "");
    dunlin_credentials_close(credentials);
    assert_int_equal(dunlin_credentials_sqlite(directory, NULL, &credentials, error, sizeof error),
                     DUNLIN_OK);
    assert_int_equal(dunlin_credentials_get(credentials, dunlin_slice_of("a"), see, &all), DUNLIN_OK);
    dunlin_credentials_close(credentials);
    assert_int_equal(dunlin_credentials_sqlite("/nonexistent/x", NULL, &credentials, error, sizeof error),
                     DUNLIN_ERR_STORE);
    assert_non_null(strstr(error, "/nonexistent/x"));
    /* Nobody takes for kept what is in memory alone. */
    assert_int_equal(dunlin_credentials_sqlite(NULL, NULL, &credentials, error, sizeof error),
                     DUNLIN_ERR_ARGUMENT);
    assert_non_null(strstr(error, "directory"));
    credentials = dunlin_credentials_memory();
    assert_int_equal(dunlin_credentials_reload(credentials, error, sizeof error), DUNLIN_ERR_UNSUPPORTED);
    dunlin_credentials_close(credentials);
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

/* A device whose credential is put anew, and taken away, while it is there. */
static void a_server_hears_of_them(void **state)
{
    static const char *const addresses[] = {"coaps://127.0.0.1:0"};
    embed_server s = {.pki = pki, .credentials = dunlin_credentials_memory()};
    char error[256] = "", text[16];
    (void)state;
    dunlin_server_config config = dunlin_server_config_default();
    config.addresses = addresses;
    config.address_count = 1;
    config.store = dunlin_store_memory();
    config.credentials = s.credentials; /* and no key of its own: pre-shared keys need none */
    assert_int_equal(dunlin_server_start(&config, &s.server, error, sizeof error), DUNLIN_OK);
    dunlin_credential credential = psk(EMBED_ENDPOINT, EMBED_IDENTITY, EMBED_KEY);
    assert_int_equal(dunlin_credentials_put(s.credentials, &credential), DUNLIN_OK);
    dunlin_security account = embed_pki_account(&pki, DUNLIN_CREDENTIAL_PSK, 0);
    embed_device *device = embed_device_start(EMBED_ENDPOINT, dunlin_server_address(s.server, 0), &account);
    embed_device_await(device, &embed_device_told(device)->registered, 1, "registered");
    assert_int_equal(dunlin_credentials_put(s.credentials, &credential), DUNLIN_OK); /* the same */
    assert_int_equal(embed_server_read(&s, device, EMBED_ENDPOINT, text), DUNLIN_OK);
    assert_int_equal(embed_device_told(device)->lost, 0);
    credential.key = dunlin_slice_of("0000111122223333");
    assert_int_equal(dunlin_credentials_put(s.credentials, &credential), DUNLIN_OK);
    embed_device_await(device, &embed_device_told(device)->lost, 1, "told that its key is another one");
    embed_device_stop(device);
    account.secret = credential.key;
    device = embed_device_start(EMBED_ENDPOINT, dunlin_server_address(s.server, 0), &account);
    embed_device_await(device, &embed_device_told(device)->registered, 1, "registered with the new one");
    assert_int_equal(dunlin_credentials_remove(s.credentials, credential.endpoint), DUNLIN_OK);
    embed_device_await(device, &embed_device_told(device)->lost, 1, "told that its key is gone");
    embed_device_stop(device);
    dunlin_server_stop(s.server, 0);
    dunlin_credentials_close(s.credentials);
}

/* What the application keeps, is for the application to change. */
static void they_are_not_put_into_a_table(void **state)
{
    embed_table table;
    char error[256];
    seen all = {.count = 0};
    (void)state;
    embed_table_init(&table);
    dunlin_credentials *credentials = embed_table_credentials(&table);
    const dunlin_credential a = psk("a", "1", EMBED_KEY);
    assert_int_equal(dunlin_credentials_put(credentials, &a), DUNLIN_ERR_UNSUPPORTED);
    assert_int_equal(dunlin_credentials_remove(credentials, a.endpoint), DUNLIN_ERR_UNSUPPORTED);
    assert_int_equal(dunlin_credentials_get(credentials, a.endpoint, see, &all), DUNLIN_ERR_UNSUPPORTED);
    assert_int_equal(dunlin_credentials_list(credentials, a.endpoint, 1, see, &all), DUNLIN_ERR_UNSUPPORTED);
    assert_int_equal(dunlin_credentials_reload(credentials, error, sizeof error), DUNLIN_ERR_UNSUPPORTED);
    assert_string_equal(dunlin_credentials_error(credentials), "");
    dunlin_credentials_close(credentials);
    embed_table_free(&table);
    assert_null(dunlin_credentials_of(&(dunlin_credential_source){.context = NULL})); /* no `known` */
    dunlin_credentials_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_does_not_start_with),
        cmocka_unit_test(keys_of_plain_addresses_cannot_be_read_anew),
        cmocka_unit_test(they_are_put_and_listed),
        cmocka_unit_test(what_cannot_be_put),
        cmocka_unit_test(they_survive_in_a_directory),
        cmocka_unit_test(a_server_hears_of_them),
        cmocka_unit_test(they_are_not_put_into_a_table),
    };
    return cmocka_run_group_tests(tests, make_pki, free_pki);
}
