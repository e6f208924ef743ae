/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of credential with every mandated suite, over datagrams and streams, full and resumed, in memory. */
#include "security/testkeeper.h"
#include "security/testpair.h"
#include "security/testpki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Credentials of both sides, made once. */
typedef struct {
    dn_testpki_key *ca_key, *server_key, *client_key, *middle_key;
    dn_testpki_cert *ca, *middle, *server, *client;
    dunlin_slice server_chain;
    uint8_t psk_identity[DN_PSK_IDENTITY_MAX];
    uint8_t psk_key[DN_PSK_KEY_MAX];
    dn_testkeeper keeper;
} world;

static int64_t wall(void *context)
{
    (void)context;
    return TESTPKI_NOW_S;
}

static int make_world(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->ca_key = dn_testpki_key_make(TESTPKI_P256);
    w->middle_key = dn_testpki_key_make(TESTPKI_P256);
    w->server_key = dn_testpki_key_make(TESTPKI_P256);
    w->client_key = dn_testpki_key_make(TESTPKI_P256);
    w->ca = dn_testpki_cert_make(&(dn_testpki_subject){.common_name = "test root", .is_ca = true}, w->ca_key,
                                 NULL, NULL);
    w->middle = dn_testpki_cert_make(&(dn_testpki_subject){.common_name = "test intermediate", .is_ca = true},
                                     w->middle_key, w->ca, w->ca_key);
    w->server = dn_testpki_cert_make(
        &(dn_testpki_subject){.common_name = "server", .dns = {"lwm2m.example.com"}, .address = "192.0.2.7"},
        w->server_key, w->middle, w->middle_key);
    w->client = dn_testpki_cert_make(&(dn_testpki_subject){.common_name = "urn:dev:1"}, w->client_key, w->ca,
                                     w->ca_key);
    const dn_testpki_cert *const chain[] = {w->server, w->middle, NULL};
    w->server_chain = dn_testpki_chain(chain);
    for (size_t i = 0; i < sizeof w->psk_identity; i++) {
        w->psk_identity[i] = (uint8_t)(i * 3); /* NUL bytes and bytes that are no text among them */
    }
    for (size_t i = 0; i < sizeof w->psk_key; i++) {
        w->psk_key[i] = (uint8_t)(i * 5);
    }
    dn_testkeeper_init(&w->keeper);
    dn_testkeeper_psk(&w->keeper, "urn:dev:psk", dunlin_slice_make(w->psk_identity, sizeof w->psk_identity),
                      dunlin_slice_make(w->psk_key, sizeof w->psk_key));
    dn_testkeeper_rpk(&w->keeper, "urn:dev:rpk", dn_testpki_key_spki(w->client_key));
    dn_testkeeper_x509(&w->keeper, "urn:dev:1", NULL, NULL);
    *state = w;
    return 0;
}

static int free_world(void **state)
{
    world *w = *state;
    dn_testpki_cert_free(w->ca);
    dn_testpki_cert_free(w->middle);
    dn_testpki_cert_free(w->server);
    dn_testpki_cert_free(w->client);
    dn_testpki_key_free(w->ca_key);
    dn_testpki_key_free(w->middle_key);
    dn_testpki_key_free(w->server_key);
    dn_testpki_key_free(w->client_key);
    free((void *)(uintptr_t)w->server_chain.data);
    free(w);
    return 0;
}

static dn_tls_context *make_server(world *w, dn_tls_suites suites)
{
    const dn_tls_key_pair pair = {.chain = w->server_chain, .key = dn_testpki_key_pem(w->server_key)};
    dn_tls_server_config config = dn_tls_server_config_default();
    config.pairs = &pair;
    config.pair_count = 1;
    config.trusted = dn_testpki_cert_pem(w->ca);
    config.credentials = &w->keeper.base;
    config.suites = suites;
    config.wall_s = wall;
    dn_tls_context *context = NULL;
    char error[200];
    const dunlin_status status = dn_tls_server_create(&config, &context, error, sizeof error);
    if (status != DUNLIN_OK) {
        print_error("server: %s\n", error);
    }
    assert_int_equal(status, DUNLIN_OK);
    return context;
}

static dn_tls_context *make_client(world *w, uint8_t mode, uint8_t usage, dn_tls_suites suites)
{
    dn_tls_client_config config = dn_tls_client_config_default();
    config.mode = mode;
    config.usage = usage;
    config.suites = suites;
    config.name = "lwm2m.example.com";
    config.wall_s = wall;
    config.roots = dn_testpki_cert_pem(w->ca);
    switch (mode) {
    case DN_SECURITY_PSK:
        config.own = dunlin_slice_make(w->psk_identity, sizeof w->psk_identity);
        config.secret = dunlin_slice_make(w->psk_key, sizeof w->psk_key);
        break;
    case DN_SECURITY_RPK:
        config.own = dn_testpki_key_spki(w->client_key);
        config.secret = dn_testpki_key_der(w->client_key);
        config.server = dn_testpki_key_spki(w->server_key);
        break;
    default:
        config.own = dn_testpki_cert_der(w->client);
        config.secret = dn_testpki_key_der(w->client_key);
        config.server = usage == 0   ? dn_testpki_cert_der(w->middle)
                        : usage == 2 ? dn_testpki_cert_der(w->ca)
                                     : dn_testpki_cert_der(w->server);
        break;
    }
    dn_tls_context *context = NULL;
    char error[200];
    const dunlin_status status = dn_tls_client_create(&config, &context, error, sizeof error);
    if (status != DUNLIN_OK) {
        print_error("client: %s\n", error);
    }
    assert_int_equal(status, DUNLIN_OK);
    return context;
}

static const struct {
    const char *name;
    uint8_t mode, usage;
    const char *endpoint;
} kinds[] = {
    {"psk", DN_SECURITY_PSK, 3, "urn:dev:psk"},         {"rpk", DN_SECURITY_RPK, 3, "urn:dev:rpk"},
    {"x509 usage 0", DN_SECURITY_X509, 0, "urn:dev:1"}, {"x509 usage 1", DN_SECURITY_X509, 1, "urn:dev:1"},
    {"x509 usage 2", DN_SECURITY_X509, 2, "urn:dev:1"}, {"x509 usage 3", DN_SECURITY_X509, 3, "urn:dev:1"},
};

static void explain(const dn_testpair *pair)
{
    const dn_tls_ending *c = dn_testpair_ending(&pair->client);
    const dn_tls_ending *s = dn_testpair_ending(&pair->server);
    print_error("client: %s; server: %s\n", c != NULL ? c->why : "-", s != NULL ? s->why : "-");
}

static void check_open(const dn_testpair *pair, size_t kind, const char *suite, bool resumed)
{
    const dn_identity *identity = dn_tls_identity(pair->server.session);
    assert_non_null(identity);
    assert_int_equal(identity->mode, kinds[kind].mode);
    assert_true(dunlin_slice_equal(dn_identity_name(identity), dunlin_slice_of(kinds[kind].endpoint)));
    assert_string_equal(dn_tls_suite(pair->server.session), suite);
    assert_string_equal(dn_tls_suite(pair->client.session), suite);
    assert_int_equal(dn_tls_is_resumed(pair->server.session), resumed);
    assert_int_equal(dn_tls_is_resumed(pair->client.session), resumed);
}

/* Connects, exchanges, closes; gives what resumes it. */
static size_t connect_once(world *w, dn_tls_context *server, dn_tls_context *client, size_t kind,
                           bool datagram, const char *suite, dunlin_slice resume, uint8_t *kept)
{
    (void)w;
    dn_testpair pair;
    dn_testpair_init(&pair, server, client, datagram, 1);
    pair.resume = resume;
    if (!dn_testpair_run(&pair)) {
        explain(&pair);
        fail();
    }
    check_open(&pair, kind, suite, resume.len > 0);
    assert_true(dn_testpair_echo(&pair));
    const size_t len = dn_tls_resumption(pair.client.session, kept, DN_TLS_RESUME_MAX);
    dn_tls_close(pair.client.session, pair.now_ms);
    dn_testpair_settle(&pair, 100);
    assert_int_equal(dn_tls_state_of(pair.server.session), DN_TLS_ENDED);
    assert_int_equal(dn_testpair_ending(&pair.server)->status, DUNLIN_END);
    assert_true(dn_testpair_ending(&pair.server)->received);
    dn_testpair_clear(&pair);
    return len;
}

static void matrix(void **state)
{
    world *w = *state;
    static const struct {
        dn_tls_suites suites;
        const char *psk, *ecdhe;
    } suites[] = {
        {DN_TLS_SUITES_CCM8, "TLS_PSK_WITH_AES_128_CCM_8", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"},
        {DN_TLS_SUITES_CBC, "TLS_PSK_WITH_AES_128_CBC_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"},
        {DN_TLS_SUITES_MANDATED, "TLS_PSK_WITH_AES_128_CCM_8", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"},
    };
    dn_tls_context *server = make_server(w, DN_TLS_SUITES_MANDATED);
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        for (size_t s = 0; s < sizeof suites / sizeof suites[0]; s++) {
            dn_tls_context *client = make_client(w, kinds[kind].mode, kinds[kind].usage, suites[s].suites);
            const char *suite = kinds[kind].mode == DN_SECURITY_PSK ? suites[s].psk : suites[s].ecdhe;
            for (int datagram = 0; datagram < 2; datagram++) {
                print_message("%s, %s, %s\n", kinds[kind].name, suite, datagram ? "DTLS" : "TLS");
                uint8_t kept[DN_TLS_RESUME_MAX];
                uint8_t again[DN_TLS_RESUME_MAX];
                const size_t len = connect_once(w, server, client, kind, datagram != 0, suite,
                                                dunlin_slice_make(NULL, 0), kept);
                assert_true(len > 0);
                (void)connect_once(w, server, client, kind, datagram != 0, suite,
                                   dunlin_slice_make(kept, len), again);
            }
            dn_tls_context_give_up(client);
        }
    }
    dn_tls_context_give_up(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matrix),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
