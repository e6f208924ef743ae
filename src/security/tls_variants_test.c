/* SPDX-License-Identifier: Apache-2.0 */
/* What else must work: kinds of references to a server, names, clocks, key pairs by SNI, suites on demand, sizes. */
#include "security/gnutls_inside.h"
#include "security/testpair.h"
#include "security/testworld.h"

#include <gnutls/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int make_world(void **state)
{
    *state = dn_testworld_make();
    return 0;
}

static int free_world(void **state)
{
    dn_testworld_free(*state);
    return 0;
}

static void explain(const dn_testpair *pair)
{
    const dn_tls_ending *c = dn_testpair_ending(&pair->client);
    const dn_tls_ending *s = dn_testpair_ending(&pair->server);
    print_error("client: %s; server: %s\n", c != NULL ? c->why : "-", s != NULL ? s->why : "-");
}

/* Connects two configurations and exchanges something. */
static void connects(const dn_tls_server_config *server_config, const dn_tls_client_config *client_config,
                     const char *suite)
{
    dn_tls_context *server = dn_testworld_make_server(server_config);
    dn_tls_context *client = dn_testworld_make_client(client_config);
    for (int datagram = 0; datagram < 2; datagram++) {
        dn_testpair pair;
        dn_testpair_init(&pair, server, client, datagram != 0, 3);
        const bool is_open = dn_testpair_run(&pair);
        if (!is_open) {
            explain(&pair);
        }
        assert_true(is_open);
        assert_true(dn_testpair_echo(&pair));
        if (suite != NULL) {
            assert_string_equal(dn_tls_suite(pair.client.session), suite);
        }
        dn_testpair_clear(&pair);
    }
    dn_tls_context_give_up(server);
    dn_tls_context_give_up(client);
}

/* ---- what the account says of the server ---- */

static void matching_types(void **state)
{
    dn_testworld *world = *state;
    static const gnutls_digest_algorithm_t hashes[] = {GNUTLS_DIG_NULL, GNUTLS_DIG_SHA256, GNUTLS_DIG_SHA384,
                                                       GNUTLS_DIG_SHA512};
    const dn_tls_server_config server = dn_testworld_server(world);
    for (uint8_t usage = 0; usage < 4; usage++) {
        dn_testpki_cert *cert = usage == 0 || usage == 2 ? world->middle : world->server;
        dn_testpki_key *key = usage == 0 || usage == 2 ? world->middle_key : world->server_key;
        const dunlin_slice named[] = {dn_testpki_cert_der(cert), dn_testpki_key_spki(key)};
        for (uint8_t matching = 0; matching < 4; matching++) {
            for (size_t i = 0; i < 2; i++) {
                dn_tls_client_config client = dn_testworld_client(world, DN_SECURITY_X509, usage);
                uint8_t hash[64];
                client.matching = matching;
                client.server = named[i];
                if (matching > 0) {
                    assert_true(gnutls_hash_fast(hashes[matching], named[i].data, named[i].len, hash) >= 0);
                    client.server = dunlin_slice_make(hash, gnutls_hash_get_len(hashes[matching]));
                }
                connects(&server, &client, NULL);
            }
        }
    }
    dn_tls_client_config raw = dn_testworld_client(world, DN_SECURITY_RPK, 3);
    uint8_t hash[64];
    assert_true(gnutls_hash_fast(GNUTLS_DIG_SHA256, raw.server.data, raw.server.len, hash) >= 0);
    raw.server = dunlin_slice_make(hash, 32);
    raw.matching = 1;
    connects(&server, &raw, NULL);
}

/* Usage 2 with the key of a root that the server does not send along, above an intermediate CA and right above the end entity. */
static void key_of_an_absent_root(void **state)
{
    dn_testworld *world = *state;
    dn_tls_server_config server = dn_testworld_server(world);
    dn_tls_client_config client = dn_testworld_client(world, DN_SECURITY_X509, 2);
    client.server = dn_testpki_key_spki(world->ca_key);
    connects(&server, &client, NULL);
    const dn_testpki_subject subject = {.dns = {DN_TESTWORLD_NAME}};
    dn_testpki_cert *cert = dn_testpki_cert_make(&subject, world->server_key, world->ca, world->ca_key);
    const dn_tls_key_pair pair = {.chain = dn_testpki_cert_der(cert),
                                  .key = dn_testpki_key_der(world->server_key)};
    server.pairs = &pair;
    connects(&server, &client, NULL);
    dn_testpki_cert_free(cert);
}

static void server_as_pem(void **state)
{
    dn_testworld *world = *state;
    const dn_tls_server_config server = dn_testworld_server(world);
    dn_tls_client_config client = dn_testworld_client(world, DN_SECURITY_X509, 3);
    client.server = dn_testpki_cert_pem(world->server);
    client.own = dn_testpki_cert_pem(world->client);
    client.secret = dn_testpki_key_sec1(world->client_key);
    connects(&server, &client, NULL);
}

/* Usage 3 neither looks at validity nor at names (section 5.2.8.7). */
static void expired_but_named(void **state)
{
    dn_testworld *world = *state;
    dn_tls_server_config server = dn_testworld_server(world);
    const dn_testpki_subject subject = {.common_name = "whoever", .from_day = -20, .to_day = -10};
    dn_testpki_cert *cert = dn_testpki_cert_make(&subject, world->server_key, NULL, NULL);
    const dn_tls_key_pair pair = {.chain = dn_testpki_cert_der(cert),
                                  .key = dn_testpki_key_der(world->server_key)};
    server.pairs = &pair;
    dn_tls_client_config client = dn_testworld_client(world, DN_SECURITY_X509, 3);
    client.server = dn_testpki_cert_der(cert);
    connects(&server, &client, NULL);
    dn_testpki_cert_free(cert);
}

/* Whoever has no clock does not look at it, on either side. */
static void without_a_clock(void **state)
{
    dn_testworld *world = *state;
    dn_testpki_subject subject = {
        .dns = {DN_TESTWORLD_NAME}, .common_name = "x", .from_day = -20, .to_day = -10};
    dn_testpki_cert *server_cert =
        dn_testpki_cert_make(&subject, world->server_key, world->ca, world->ca_key);
    subject.common_name = DN_TESTWORLD_X509;
    dn_testpki_cert *client_cert =
        dn_testpki_cert_make(&subject, world->client_key, world->ca, world->ca_key);
    dn_tls_server_config server = dn_testworld_server(world);
    const dn_tls_key_pair pair = {.chain = dn_testpki_cert_der(server_cert),
                                  .key = dn_testpki_key_der(world->server_key)};
    server.pairs = &pair;
    dn_tls_client_config client = dn_testworld_client(world, DN_SECURITY_X509, 2);
    client.own = dn_testpki_cert_der(client_cert);
    world->now_s = -1;
    connects(&server, &client, NULL);
    world->now_s = TESTPKI_NOW_S;
    server.wall_s = NULL;
    client.wall_s = NULL;
    connects(&server, &client, NULL);
    dn_testpki_cert_free(server_cert);
    dn_testpki_cert_free(client_cert);
}

static void stapled_good(void **state)
{
    dn_testworld *world = *state;
    dn_tls_server_config server = dn_testworld_server(world);
    dn_tls_key_pair pair = world->pair;
    pair.ocsp = dn_testpki_ocsp(world->server, world->middle, world->middle_key, TESTPKI_OCSP_GOOD, -1, 1);
    server.pairs = &pair;
    const dn_tls_client_config client = dn_testworld_client(world, DN_SECURITY_X509, 2);
    connects(&server, &client, NULL);
    free((void *)(uintptr_t)pair.ocsp.data);
}

/* A list that names others, and a list by somebody who is not the issuer. */
static void revoked_others(void **state)
{
    dn_testworld *world = *state;
    dn_tls_server_config server = dn_testworld_server(world);
    const dunlin_slice lists[] = {dn_testpki_crl(world->ca, world->ca_key, world->server),
                                  dn_testpki_crl(world->ca, world->ca_key, NULL),
                                  dn_testpki_crl(world->ca, world->other_key, world->client),
                                  dn_testpki_crl(world->middle, world->middle_key, world->client)};
    const dn_tls_client_config client = dn_testworld_client(world, DN_SECURITY_X509, 2);
    for (size_t i = 0; i < 4; i++) {
        server.revoked = lists[i];
        connects(&server, &client, NULL);
        free((void *)(uintptr_t)lists[i].data);
    }
}

/* ---- clients' certificates ---- */

/* Known by itself, it needs no CA. */
static void pinned_client(void **state)
{
    dn_testworld *world = *state;
    const dn_testpki_subject subject = {.common_name = "no name that counts"};
    dn_testpki_cert *cert = dn_testpki_cert_make(&subject, world->client_key, NULL, NULL);
    uint8_t fingerprint[DN_FINGERPRINT_LEN];
    dn_testpki_cert_fingerprint(cert, fingerprint);
    dn_testkeeper_x509(&world->keeper, "urn:dev:pinned", NULL, fingerprint);
    dn_tls_server_config server = dn_testworld_server(world);
    server.trusted = dunlin_slice_make(NULL, 0);
    dn_tls_client_config client = dn_testworld_client(world, DN_SECURITY_X509, 3);
    client.own = dn_testpki_cert_der(cert);
    connects(&server, &client, NULL);
    dn_testkeeper_remove(&world->keeper, "urn:dev:pinned");
    dn_testpki_cert_free(cert);
}

static void names_of_clients(void **state)
{
    dn_testworld *world = *state;
    const dn_testpki_subject subject = {.dns = {"a.devices.example", "urn-7.devices.example"},
                                        .uri = "urn:dev:by-uri"};
    dn_testpki_cert *cert = dn_testpki_cert_make(&subject, world->client_key, world->ca, world->ca_key);
    const dn_tls_server_config server = dn_testworld_server(world);
    dn_tls_client_config client = dn_testworld_client(world, DN_SECURITY_X509, 3);
    client.own = dn_testpki_cert_der(cert);
    dn_testkeeper_x509(&world->keeper, "urn-7.devices.example", NULL, NULL);
    connects(&server, &client, NULL);
    dn_testkeeper_remove(&world->keeper, "urn-7.devices.example");
    dn_testkeeper_x509(&world->keeper, "seven", "urn:dev:by-uri", NULL);
    connects(&server, &client, NULL);
    dn_testkeeper_remove(&world->keeper, "seven");
    dn_testkeeper_x509(&world->keeper, "*.devices.example", NULL, NULL);
    connects(&server, &client, NULL);
    dn_testkeeper_remove(&world->keeper, "*.devices.example");
    dn_testpki_cert_free(cert);
}

/* ---- suites and key pairs ---- */

static void more_suites(void **state)
{
    dn_testworld *world = *state;
    dn_tls_server_config server = dn_testworld_server(world);
    server.suites = DN_TLS_SUITES_MORE;
    dn_tls_client_config client = dn_testworld_client(world, DN_SECURITY_PSK, 3);
    client.suites = DN_TLS_SUITES_MORE;
    connects(&server, &client, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256");
    client.suites = DN_TLS_SUITES_MANDATED;
    connects(&server, &client, "TLS_PSK_WITH_AES_128_CCM_8");
    dn_testpki_key *key = dn_testpki_key_make(TESTPKI_P384);
    const dn_testpki_subject subject = {.dns = {DN_TESTWORLD_NAME}};
    dn_testpki_cert *cert = dn_testpki_cert_make(&subject, key, world->ca, world->ca_key);
    const dn_tls_key_pair pair = {.chain = dn_testpki_cert_der(cert), .key = dn_testpki_key_der(key)};
    server.pairs = &pair;
    client = dn_testworld_client(world, DN_SECURITY_X509, 2);
    client.suites = DN_TLS_SUITES_MORE;
    connects(&server, &client, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8");
    dn_testpki_cert_free(cert);
    dn_testpki_key_free(key);
}

/* The mandated suites and not one more, CCM_8 first. */
static size_t list_suites(gnutls_priority_t priority, uint8_t ids[8][2])
{
    size_t count = 0;
    unsigned index = 0;
    int result = 0;
    for (unsigned n = 0; result != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE; n++) {
        result = gnutls_priority_get_cipher_suite_index(priority, n, &index);
        if (result >= 0 && count < 8) {
            assert_non_null(gnutls_cipher_suite_info(index, ids[count++], NULL, NULL, NULL, NULL));
        }
    }
    return count;
}

static void suites_offered(void **state)
{
    dn_testworld *world = *state;
    static const uint8_t psk[][2] = {{0xc0, 0xa8}, {0x00, 0xae}};
    static const uint8_t ecdhe[][2] = {{0xc0, 0xae}, {0xc0, 0x23}};
    const dn_tls_client_config configs[] = {dn_testworld_client(world, DN_SECURITY_PSK, 3),
                                            dn_testworld_client(world, DN_SECURITY_RPK, 3),
                                            dn_testworld_client(world, DN_SECURITY_X509, 3)};
    uint8_t ids[8][2];
    for (size_t i = 0; i < 3; i++) {
        dn_tls_context *client = dn_testworld_make_client(&configs[i]);
        assert_int_equal(list_suites(client->priority, ids), 2);
        assert_memory_equal(ids, i == 0 ? psk : ecdhe, sizeof psk);
        dn_tls_context_give_up(client);
    }
    const dn_tls_server_config config = dn_testworld_server(world);
    dn_tls_context *server = dn_testworld_make_server(&config);
    assert_int_equal(list_suites(server->priority, ids), 4);
    dn_tls_context_give_up(server);
}

static void prefer(dn_tls_context *context, const char *priority)
{
    gnutls_priority_deinit(context->priority);
    assert_true(gnutls_priority_init(&context->priority, priority, NULL) >= 0);
}

/* The server chooses, whatever the client would like best. */
static void servers_choice(void **state)
{
    dn_testworld *world = *state;
    const dn_tls_server_config server_config = dn_testworld_server(world);
    const dn_tls_client_config client_config = dn_testworld_client(world, DN_SECURITY_PSK, 3);
    dn_tls_context *server = dn_testworld_make_server(&server_config);
    dn_tls_context *client = dn_testworld_make_client(&client_config);
    prefer(client,
           "NONE:+VERS-DTLS1.2:+VERS-TLS1.2:+COMP-NULL:+AES-128-CBC:+AES-128-CCM-8:+AEAD:+SHA256:+PSK:"
           "+SIGN-ECDSA-SHA256:+GROUP-SECP256R1");
    dn_testpair pair;
    dn_testpair_init(&pair, server, client, true, 1);
    assert_true(dn_testpair_run(&pair));
    assert_string_equal(dn_tls_suite(pair.client.session), "TLS_PSK_WITH_AES_128_CCM_8");
    dn_testpair_clear(&pair);
    dn_tls_context_give_up(server);
    dn_tls_context_give_up(client);
}

/* Nothing older, and no suite or curve that is not offered. */
static void what_is_not_offered(void **state)
{
    dn_testworld *world = *state;
    static const struct {
        const char *what, *priority;
        uint8_t mode;
        int alert;
    } cases[] = {
        {"DTLS 1.0 and TLS 1.1",
         "NONE:+VERS-DTLS1.0:+VERS-TLS1.1:+COMP-NULL:+AES-128-CBC:+SHA1:+PSK:+SIGN-ECDSA-SHA256:+GROUP-"
         "SECP256R1",
         DN_SECURITY_PSK, 70},
        {"AES-256-GCM",
         "NONE:+VERS-DTLS1.2:+VERS-TLS1.2:+COMP-NULL:+AES-256-GCM:+AEAD:+PSK:+SIGN-ECDSA-SHA256:+GROUP-"
         "SECP256R1",
         DN_SECURITY_PSK, 40},
        {"CBC with SHA-1",
         "NONE:+VERS-DTLS1.2:+VERS-TLS1.2:+COMP-NULL:+AES-128-CBC:+SHA1:+PSK:+SIGN-ECDSA-SHA256:+GROUP-"
         "SECP256R1",
         DN_SECURITY_PSK, 40},
        {"secp384r1 alone",
         "NONE:+VERS-DTLS1.2:+VERS-TLS1.2:+COMP-NULL:+AES-128-CCM-8:+AEAD:+ECDHE-ECDSA:+CTYPE-CLI-RAWPK:"
         "+CTYPE-SRV-RAWPK:+SIGN-ECDSA-SHA256:+GROUP-SECP384R1",
         DN_SECURITY_RPK, 40},
        {"signatures with SHA-384 alone",
         "NONE:+VERS-DTLS1.2:+VERS-TLS1.2:+COMP-NULL:+AES-128-CCM-8:+AEAD:+ECDHE-ECDSA:+CTYPE-CLI-RAWPK:"
         "+CTYPE-SRV-RAWPK:+SIGN-ECDSA-SHA384:+GROUP-SECP256R1",
         DN_SECURITY_RPK, 40},
    };
    const dn_tls_server_config server_config = dn_testworld_server(world);
    dn_tls_context *server = dn_testworld_make_server(&server_config);
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        const dn_tls_client_config client_config = dn_testworld_client(world, cases[i / 2].mode, 3);
        dn_tls_context *client = dn_testworld_make_client(&client_config);
        prefer(client, cases[i / 2].priority);
        dn_testpair pair;
        dn_testpair_init(&pair, server, client, i % 2 == 0, 1);
        print_message("%s\n", cases[i / 2].what);
        assert_false(dn_testpair_run(&pair));
        assert_int_equal(dn_testpair_ending(&pair.server)->alert, cases[i / 2].alert);
        assert_int_equal(dn_testpair_ending(&pair.server)->status, DUNLIN_ERR_ACCESS);
        assert_int_equal(dn_testpair_ending(&pair.client)->alert, cases[i / 2].alert);
        dn_testpair_clear(&pair);
        dn_tls_context_give_up(client);
    }
    dn_tls_context_give_up(server);
}

/* Encrypt-then-MAC (RFC 7366), extended master secrets (RFC 7627); a new handshake within a session is declined. */
static void extensions(void **state)
{
    dn_testworld *world = *state;
    const dn_tls_server_config server_config = dn_testworld_server(world);
    dn_tls_client_config client_config = dn_testworld_client(world, DN_SECURITY_PSK, 3);
    client_config.suites = DN_TLS_SUITES_CBC;
    dn_tls_context *server = dn_testworld_make_server(&server_config);
    dn_tls_context *client = dn_testworld_make_client(&client_config);
    for (int datagram = 0; datagram < 2; datagram++) {
        dn_testpair pair;
        dn_testpair_init(&pair, server, client, datagram != 0, 1);
        assert_true(dn_testpair_run(&pair));
        assert_true(dn_testpair_echo(&pair));
        assert_true(gnutls_session_etm_status(pair.server.session->gnutls) != 0);
        assert_true(gnutls_session_ext_master_secret_status(pair.server.session->gnutls) != 0);
        pair.server.session->sends_now = true;
        const int result = gnutls_rehandshake(pair.server.session->gnutls);
        assert_true(result == 0 || result == GNUTLS_E_AGAIN);
        pair.server.session->sends_now = false;
        dn_testpair_settle(&pair, 100);
        assert_int_equal(dn_tls_state_of(pair.client.session), DN_TLS_OPEN);
        assert_true(dn_testpair_echo(&pair));
        dn_testpair_clear(&pair);
    }
    dn_tls_context_give_up(server);
    dn_tls_context_give_up(client);
}

static void pairs_by_name(void **state)
{
    dn_testworld *world = *state;
    dn_testpki_key *keys[2] = {dn_testpki_key_make(TESTPKI_P256), dn_testpki_key_make(TESTPKI_P256)};
    dn_testpki_cert *certs[2] = {dn_testpki_cert_make(&(dn_testpki_subject){.dns = {"one.example.com"}},
                                                      keys[0], world->ca, world->ca_key),
                                 dn_testpki_cert_make(&(dn_testpki_subject){.dns = {"*.two.example.com"}},
                                                      keys[1], world->ca, world->ca_key)};
    const dn_tls_key_pair pairs[] = {
        world->pair,
        {.chain = dn_testpki_cert_der(certs[0]), .key = dn_testpki_key_der(keys[0])},
        {.chain = dn_testpki_cert_der(certs[1]), .key = dn_testpki_key_der(keys[1])},
    };
    dn_tls_server_config server = dn_testworld_server(world);
    server.pairs = pairs;
    server.pair_count = 3;
    dn_tls_client_config client = dn_testworld_client(world, DN_SECURITY_X509, 2);
    connects(&server, &client, NULL);
    client.name = "one.example.com";
    connects(&server, &client, NULL);
    client.name = "gateway.TWO.example.com";
    connects(&server, &client, NULL);
    /* Nobody's name: the first pair, whose raw key it is. */
    client = dn_testworld_client(world, DN_SECURITY_RPK, 3);
    client.name = "nobody.example.org";
    connects(&server, &client, NULL);
    for (size_t i = 0; i < 2; i++) {
        dn_testpki_cert_free(certs[i]);
        dn_testpki_key_free(keys[i]);
    }
}

static void addresses(void **state)
{
    dn_testworld *world = *state;
    const dn_tls_server_config server = dn_testworld_server(world);
    dn_tls_client_config client = dn_testworld_client(world, DN_SECURITY_X509, 2);
    client.name = "192.0.2.7";
    connects(&server, &client, NULL);
    /* The host is an address, the name comes from the SNI resource (section 5.2.8.4). */
    client.name = DN_TESTWORLD_NAME;
    client.is_sni = true;
    connects(&server, &client, NULL);
}

static void servers_of_less(void **state)
{
    dn_testworld *world = *state;
    dn_tls_server_config server = dn_testworld_server(world);
    const dn_tls_client_config psk = dn_testworld_client(world, DN_SECURITY_PSK, 3);
    const dn_tls_client_config rpk = dn_testworld_client(world, DN_SECURITY_RPK, 3);
    server.pair_count = 0;
    connects(&server, &psk, NULL);
    const dn_tls_key_pair raw = {.key = dn_testpki_key_der(world->server_key)};
    server.pairs = &raw;
    server.pair_count = 1;
    connects(&server, &psk, NULL);
    connects(&server, &rpk, NULL);
}

/* ---- sizes ---- */

static void few_datagrams(void **state)
{
    dn_testworld *world = *state;
    static const struct {
        uint8_t mode;
        uint16_t mtu;
        uint64_t from_client, from_server; /* at most, with the cookie's two */
    } sizes[] = {
        {DN_SECURITY_PSK, 1280, 3, 3},
        {DN_SECURITY_RPK, 1280, 3, 3},
        {DN_SECURITY_X509, 1280, 3, 4} /* its size is near the MTU */,
        {DN_SECURITY_X509, 256, 7, 12},
        {DN_SECURITY_PSK, 256, 3, 5},
        {DN_SECURITY_RPK, 200, 5, 9},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        dn_tls_server_config server_config = dn_testworld_server(world);
        dn_tls_client_config client_config = dn_testworld_client(world, sizes[i].mode, 2);
        server_config.mtu = client_config.mtu = sizes[i].mtu;
        dn_tls_context *server = dn_testworld_make_server(&server_config);
        dn_tls_context *client = dn_testworld_make_client(&client_config);
        dn_testpair pair;
        dn_testpair_init(&pair, server, client, true, 1);

        assert_true(dn_testpair_run(&pair));
        print_message("mode %d, mtu %d: %d datagrams from the client, %d from the server\n", sizes[i].mode,
                      sizes[i].mtu, (int)pair.client.sent, (int)pair.server.sent);
        assert_true(pair.client.sent <= sizes[i].from_client);
        assert_true(pair.server.sent <= sizes[i].from_server);
        const size_t room = dn_tls_room(pair.client.session);
        assert_true(room < sizes[i].mtu && room + DN_TLS_RECORD_EXTRA >= sizes[i].mtu);
        static const uint8_t bytes[2048];
        assert_int_equal(dn_tls_send(pair.client.session, dunlin_slice_make(bytes, room + 1), pair.now_ms),
                         DUNLIN_ERR_SPACE);
        assert_int_equal(dn_tls_send(pair.client.session, dunlin_slice_make(bytes, room), pair.now_ms),
                         DUNLIN_OK);
        dn_testpair_settle(&pair, 100);
        assert_int_equal(pair.server.got_len, room);
        assert_true(pair.client.longest <= sizes[i].mtu && pair.server.longest <= sizes[i].mtu);
        dn_testpair_clear(&pair);
        dn_tls_context_give_up(server);
        dn_tls_context_give_up(client);
    }
}

/* A stream in pieces of one byte, and more than a record holds. */
static void streams(void **state)
{
    dn_testworld *world = *state;
    const dn_tls_server_config server_config = dn_testworld_server(world);
    const dn_tls_client_config client_config = dn_testworld_client(world, DN_SECURITY_PSK, 3);
    dn_tls_context *server = dn_testworld_make_server(&server_config);
    dn_tls_context *client = dn_testworld_make_client(&client_config);
    static uint8_t large[40000];
    for (size_t i = 0; i < sizeof large; i++) {
        large[i] = (uint8_t)(i * 7);
    }
    dn_testpair pair;
    dn_testpair_init(&pair, server, client, false, 1);
    assert_true(dn_testpair_run(&pair));
    assert_int_equal(dn_tls_send(pair.client.session, dunlin_slice_make(large, sizeof large), 0), DUNLIN_OK);
    dn_testpair_settle(&pair, 100);
    assert_int_equal(pair.server.got_len, sizeof large);
    assert_memory_equal(pair.server.got, large, sizeof large);
    dn_testpair_clear(&pair);
    dn_testpair_init(&pair, server, client, false, 1);
    pair.chunk = 7;
    assert_true(dn_testpair_run(&pair));
    assert_true(dn_testpair_echo(&pair));
    dn_testpair_clear(&pair);
    dn_tls_context_give_up(server);
    dn_tls_context_give_up(client);
}

/* ---- what comes when it should not ---- */

static void ends_and_noise(void **state)
{
    dn_testworld *world = *state;
    const dn_tls_server_config server_config = dn_testworld_server(world);
    const dn_tls_client_config client_config = dn_testworld_client(world, DN_SECURITY_PSK, 3);
    dn_tls_context *server = dn_testworld_make_server(&server_config);
    dn_tls_context *client = dn_testworld_make_client(&client_config);
    dn_testpair pair;
    dn_testpair_init(&pair, server, client, true, 1);
    assert_true(dn_testpair_run(&pair));
    dn_testpair_settle(&pair, 100);
    /* Forged: a fatal alert in the clear, application data, a handshake message, garbage. None of it does anything. */
    static const uint8_t forged[][20] = {
        {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40},
        {21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40},
        {23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 98, 0, 4, 1, 2, 3, 4},
        {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 97, 0, 4, 1, 2, 3, 4},
        {20, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 97, 0, 1, 1},
        {1, 2, 3, 4},
    };
    for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++) {
        dn_tls_receive(pair.server.session, dunlin_slice_make(forged[i], sizeof forged[i]), pair.now_ms);
        dn_tls_receive(pair.client.session, dunlin_slice_make(forged[i], sizeof forged[i]), pair.now_ms);
        assert_true(dn_testpair_echo(&pair));
    }
    assert_int_equal(dn_tls_deadline(pair.client.session), UINT64_MAX);
    assert_int_equal(dn_tls_ending_of(pair.client.session)->alert, DN_TLS_NO_ALERT);
    dn_tls_close(pair.server.session, pair.now_ms);
    dn_testpair_settle(&pair, 100);
    const dn_tls_ending *end = dn_testpair_ending(&pair.client);
    assert_int_equal(end->status, DUNLIN_END);
    assert_int_equal(end->alert, 0);
    assert_true(end->received);
    assert_false(dn_testpair_ending(&pair.server)->received);
    dn_testpair_clear(&pair);
    dn_tls_context_give_up(server);
    dn_tls_context_give_up(client);
}

typedef struct {
    uint8_t bytes[DN_TESTPAIR_BYTES];
    size_t len;
} recorded;

static void record_last(void *context, bool to_server, uint8_t *bytes, size_t *len)
{
    recorded *last = context;
    if (to_server) {
        memcpy(last->bytes, bytes, *len);
        last->len = *len;
    }
}

/* What was said once is not heard twice (section 5.1): neither at once, nor when much has come since, nor in another session. */
static void replays(void **state)
{
    dn_testworld *world = *state;
    const dn_tls_server_config server_config = dn_testworld_server(world);
    for (uint8_t mode = DN_SECURITY_PSK; mode <= DN_SECURITY_X509; mode++) {
        const dn_tls_client_config client_config = dn_testworld_client(world, mode, 3);
        dn_tls_context *server = dn_testworld_make_server(&server_config);
        dn_tls_context *client = dn_testworld_make_client(&client_config);
        dn_testpair pair, other;
        recorded once = {.len = 0};
        dn_testpair_init(&pair, server, client, true, 1);
        dn_testpair_init(&other, server, client, true, 2);
        assert_true(dn_testpair_run(&pair) && dn_testpair_run(&other));
        pair.tap = record_last;
        pair.tap_context = &once;
        assert_int_equal(dn_tls_send(pair.client.session, dunlin_slice_of("unlock"), pair.now_ms), DUNLIN_OK);
        pair.tap = NULL;
        dn_testpair_settle(&pair, 100);
        assert_int_equal(pair.server.got_count, 1);
        for (size_t later = 0; later < 200; later += 50) { /* within the window, and behind it */
            dn_tls_receive(pair.server.session, dunlin_slice_make(once.bytes, once.len), pair.now_ms);
            dn_tls_receive(other.server.session, dunlin_slice_make(once.bytes, once.len), other.now_ms);
            assert_int_equal(pair.server.got_count, 1 + later);
            for (size_t i = 0; i < 50; i++) {
                assert_int_equal(dn_tls_send(pair.client.session, dunlin_slice_of("x"), pair.now_ms),
                                 DUNLIN_OK);
                dn_testpair_settle(&pair, 100);
            }
        }
        assert_int_equal(other.server.got_count, 0);
        assert_true(dn_testpair_echo(&pair) && dn_testpair_echo(&other));
        dn_testpair_clear(&pair);
        dn_testpair_clear(&other);
        dn_tls_context_give_up(server);
        dn_tls_context_give_up(client);
    }
}

static void nobody_answers(void **state)
{
    dn_testworld *world = *state;
    const dn_tls_server_config server_config = dn_testworld_server(world);
    dn_tls_client_config client_config = dn_testworld_client(world, DN_SECURITY_PSK, 3);
    client_config.retransmit_ms = 2000;
    client_config.handshake_ms = 40000;
    dn_tls_context *server = dn_testworld_make_server(&server_config);
    dn_tls_context *client = dn_testworld_make_client(&client_config);
    dn_testpair pair;
    dn_testpair_init(&pair, server, client, true, 1);
    pair.loss_permille = 1000;
    assert_false(dn_testpair_run(&pair));
    assert_int_equal(dn_testpair_ending(&pair.client)->status, DUNLIN_ERR_TIMEOUT);
    assert_string_equal(dn_testpair_ending(&pair.client)->why, "no answer from the server");
    assert_int_equal(pair.client.sent, 5); /* at once, after 2, 6, 14 and 30 seconds */
    assert_int_equal(pair.now_ms, 1000 + 40000);
    dn_testpair_clear(&pair);
    dn_tls_context_give_up(server);
    dn_tls_context_give_up(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matching_types),
        cmocka_unit_test(key_of_an_absent_root),
        cmocka_unit_test(server_as_pem),
        cmocka_unit_test(expired_but_named),
        cmocka_unit_test(without_a_clock),
        cmocka_unit_test(stapled_good),
        cmocka_unit_test(revoked_others),
        cmocka_unit_test(pinned_client),
        cmocka_unit_test(names_of_clients),
        cmocka_unit_test(more_suites),
        cmocka_unit_test(suites_offered),
        cmocka_unit_test(servers_choice),
        cmocka_unit_test(what_is_not_offered),
        cmocka_unit_test(extensions),
        cmocka_unit_test(pairs_by_name),
        cmocka_unit_test(addresses),
        cmocka_unit_test(servers_of_less),
        cmocka_unit_test(few_datagrams),
        cmocka_unit_test(streams),
        cmocka_unit_test(ends_and_noise),
        cmocka_unit_test(replays),
        cmocka_unit_test(nobody_answers),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
