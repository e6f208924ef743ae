/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshakes that must fail, over datagrams and streams: with which alert at each end, which status, and what the log says. Each differs from one
 * that works in one thing.
 */
#include "security/testpair.h"
#include "security/testworld.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a case may change, and what it makes. */
typedef struct {
    dn_testworld *world;
    dn_tls_server_config server;
    dn_tls_client_config client;
    dn_tls_key_pair pair;
    uint8_t bytes[DN_PSK_KEY_MAX];
    dn_testpki_key *keys[3];
    dn_testpki_cert *certs[3];
    dunlin_slice owned[2]; /* to be freed */
} trial;

typedef struct {
    const char *name;
    uint8_t mode, usage;
    void (*change)(trial *t);
    bool refused_by_server; /* else by the client */
    int alert;              /* as sent; DN_TLS_NO_ALERT: nobody says anything, both time out */
    int stream_alert;       /* over a stream, when it is another one; 0: the same */
    dunlin_status status;   /* at the end that refuses */
    const char *why;        /* at the end that refuses */
} refusal;

/* ---- pre-shared keys ---- */

static void wrong_key(trial *t)
{
    memcpy(t->bytes, t->client.secret.data, t->client.secret.len);
    t->bytes[0] ^= 1;
    t->client.secret = dunlin_slice_make(t->bytes, t->client.secret.len);
}

static void unknown_identity(trial *t)
{
    t->client.own = dunlin_slice_of("nobody");
}

static void keeper_fails(trial *t)
{
    t->world->keeper.fails = true;
}

/* ---- raw public keys ---- */

static void other_client_key(trial *t)
{
    t->client.own = dn_testpki_key_spki(t->world->other_key);
    t->client.secret = dn_testpki_key_der(t->world->other_key);
}

static void other_server_key(trial *t)
{
    t->pair.key = dn_testpki_key_der(t->world->other_key);
    t->pair.chain = dunlin_slice_make(NULL, 0);
}

static void psk_server(trial *t)
{
    t->server.pair_count = 0;
}

/* ---- certificates of clients ---- */

static void client_cert(trial *t, const dn_testpki_subject *subject, dn_testpki_kind kind,
                        const char *other_ca)
{
    t->keys[0] = dn_testpki_key_make(kind);
    dn_testpki_cert *ca = t->world->ca;
    dn_testpki_key *ca_key = t->world->ca_key;
    if (other_ca != NULL) {
        ca_key = t->keys[1] = dn_testpki_key_make(TESTPKI_P256);
        ca = t->certs[1] = dn_testpki_cert_make(
            &(dn_testpki_subject){.common_name = "test root", .is_ca = true}, ca_key, NULL, NULL);
    }
    t->certs[0] = dn_testpki_cert_make(subject, t->keys[0], ca, ca_key);
    t->client.own = dn_testpki_cert_der(t->certs[0]);
    t->client.secret = dn_testpki_key_der(t->keys[0]);
}

static void client_expired(trial *t)
{
    client_cert(t, &(dn_testpki_subject){.common_name = DN_TESTWORLD_X509, .from_day = -20, .to_day = -10},
                TESTPKI_P256, NULL);
}

static void client_not_yet(trial *t)
{
    client_cert(t, &(dn_testpki_subject){.common_name = DN_TESTWORLD_X509, .from_day = 10, .to_day = 20},
                TESTPKI_P256, NULL);
}

static void client_other_name(trial *t)
{
    client_cert(t, &(dn_testpki_subject){.common_name = "urn:dev:stranger"}, TESTPKI_P256, NULL);
}

static void client_other_ca(trial *t)
{
    client_cert(t, &(dn_testpki_subject){.common_name = DN_TESTWORLD_X509}, TESTPKI_P256, "another root");
}

static void client_forged_ca(trial *t)
{
    client_cert(t, &(dn_testpki_subject){.common_name = DN_TESTWORLD_X509}, TESTPKI_P256, "test root");
}

static void client_sha1(trial *t)
{
    client_cert(t, &(dn_testpki_subject){.common_name = DN_TESTWORLD_X509, .uses_sha1 = true}, TESTPKI_P256,
                NULL);
}

static void client_for_servers(trial *t)
{
    client_cert(t, &(dn_testpki_subject){.common_name = DN_TESTWORLD_X509, .purpose = "1.3.6.1.5.5.7.3.1"},
                TESTPKI_P256, NULL);
}

/* The curve is fine for the client's own suites, but not for the server's. */
static void client_other_curve(trial *t)
{
    t->client.suites = DN_TLS_SUITES_MORE;
    client_cert(t, &(dn_testpki_subject){.common_name = DN_TESTWORLD_X509}, TESTPKI_P384, NULL);
}

static void client_pinned_otherwise(trial *t)
{
    uint8_t fingerprint[DN_FINGERPRINT_LEN] = {1, 2, 3};
    dn_testkeeper_x509(&t->world->keeper, DN_TESTWORLD_X509, NULL, fingerprint);
}

static void client_revoked(trial *t)
{
    t->owned[0] = t->server.revoked = dn_testpki_crl(t->world->ca, t->world->ca_key, t->world->client);
}

static void no_client_cert(trial *t)
{
    t->client.own = t->client.secret = dunlin_slice_make(NULL, 0);
}

/* A device's certificate that has signed another. */
static void client_by_end_entity(trial *t)
{
    t->keys[0] = dn_testpki_key_make(TESTPKI_P256);
    t->certs[0] = dn_testpki_cert_make(&(dn_testpki_subject){.common_name = DN_TESTWORLD_X509}, t->keys[0],
                                       t->world->client, t->world->client_key);
    const dn_testpki_cert *const chain[] = {t->certs[0], t->world->client, NULL};
    t->owned[0] = t->client.own = dn_testpki_chain(chain);
    t->client.secret = dn_testpki_key_der(t->keys[0]);
}

/* ---- certificates of servers ---- */

static void server_cert(trial *t, const dn_testpki_subject *subject, const char *other_ca)
{
    t->keys[0] = dn_testpki_key_make(TESTPKI_P256);
    dn_testpki_cert *ca = t->world->ca;
    dn_testpki_key *ca_key = t->world->ca_key;
    if (other_ca != NULL) {
        ca_key = t->keys[1] = dn_testpki_key_make(TESTPKI_P256);
        ca = t->certs[1] = dn_testpki_cert_make(
            &(dn_testpki_subject){.common_name = "test root", .is_ca = true}, ca_key, NULL, NULL);
    }
    t->certs[0] = dn_testpki_cert_make(subject, t->keys[0], ca, ca_key);
    t->pair.chain = dn_testpki_cert_der(t->certs[0]);
    t->pair.key = dn_testpki_key_der(t->keys[0]);
    if (t->client.usage == 1) {
        t->client.server = dn_testpki_cert_der(t->certs[0]);
    } else if (t->client.usage == 0) {
        t->client.server = dn_testpki_cert_der(t->world->ca);
    }
}

static void server_expired(trial *t)
{
    server_cert(t, &(dn_testpki_subject){.dns = {DN_TESTWORLD_NAME}, .from_day = -20, .to_day = -10}, NULL);
}

static void server_not_yet(trial *t)
{
    server_cert(t, &(dn_testpki_subject){.dns = {DN_TESTWORLD_NAME}, .from_day = 10, .to_day = 20}, NULL);
}

static void server_other_name(trial *t)
{
    server_cert(t, &(dn_testpki_subject){.dns = {"other.example.com"}, .common_name = DN_TESTWORLD_NAME},
                NULL);
}

static void server_other_ca(trial *t)
{
    server_cert(t, &(dn_testpki_subject){.dns = {DN_TESTWORLD_NAME}}, "another root");
}

static void server_forged_ca(trial *t)
{
    server_cert(t, &(dn_testpki_subject){.dns = {DN_TESTWORLD_NAME}}, "test root");
}

static void server_sha1(trial *t)
{
    server_cert(t, &(dn_testpki_subject){.dns = {DN_TESTWORLD_NAME}, .uses_sha1 = true}, NULL);
}

static void server_for_clients(trial *t)
{
    server_cert(t, &(dn_testpki_subject){.dns = {DN_TESTWORLD_NAME}, .purpose = "1.3.6.1.5.5.7.3.2"}, NULL);
}

static void another_is_named(trial *t)
{
    t->client.server = dn_testpki_cert_der(t->world->client);
}

/* Usage 0: there is a path to a trusted root, but not through the CA that is demanded. */
static void another_ca_is_demanded(trial *t)
{
    t->keys[2] = dn_testpki_key_make(TESTPKI_P256);
    t->certs[2] = dn_testpki_cert_make(&(dn_testpki_subject){.common_name = "another", .is_ca = true},
                                       t->keys[2], t->world->ca, t->world->ca_key);
    t->client.server = dn_testpki_cert_der(t->certs[2]);
}

/* The CA that is demanded is the end entity itself: it stands at no place of a CA. */
static void end_entity_is_demanded(trial *t)
{
    t->client.server = dn_testpki_cert_der(t->world->server);
}

static void weak_intermediate(trial *t, dn_testpki_kind kind)
{
    t->keys[0] = dn_testpki_key_make(kind);
    t->keys[1] = dn_testpki_key_make(TESTPKI_P256);
    t->certs[0] = dn_testpki_cert_make(&(dn_testpki_subject){.common_name = "weak", .is_ca = true},
                                       t->keys[0], t->world->ca, t->world->ca_key);
    t->certs[1] = dn_testpki_cert_make(&(dn_testpki_subject){.dns = {DN_TESTWORLD_NAME}}, t->keys[1],
                                       t->certs[0], t->keys[0]);
    const dn_testpki_cert *const chain[] = {t->certs[1], t->certs[0], NULL};
    t->owned[0] = t->pair.chain = dn_testpki_chain(chain);
    t->pair.key = dn_testpki_key_der(t->keys[1]);
    t->client.server = dn_testpki_cert_der(t->world->ca);
}

static void another_key_as_anchor(trial *t)
{
    t->client.server = dn_testpki_key_spki(t->world->other_key);
}

static void key_as_anchor_for_clients(trial *t)
{
    server_for_clients(t);
    t->client.server = dn_testpki_key_spki(t->world->ca_key);
}

static void key_as_anchor_other_name(trial *t)
{
    server_other_name(t);
    t->client.server = dn_testpki_key_spki(t->world->ca_key);
}

static void curve_of_192_bits(trial *t)
{
    weak_intermediate(t, TESTPKI_P192);
}

static void curve_of_224_bits(trial *t)
{
    weak_intermediate(t, TESTPKI_P224);
}

static void staple(trial *t, dn_testpki_ocsp_status status, int32_t from_day, int32_t to_day)
{
    t->owned[0] = t->pair.ocsp =
        dn_testpki_ocsp(t->world->server, t->world->middle, t->world->middle_key, status, from_day, to_day);
}

static void stapled_revoked(trial *t)
{
    staple(t, TESTPKI_OCSP_REVOKED, -1, 1);
}

static void stapled_unknown(trial *t)
{
    staple(t, TESTPKI_OCSP_UNKNOWN, -1, 1);
}

static void stapled_too_old(trial *t)
{
    staple(t, TESTPKI_OCSP_GOOD, -9, -2);
}

static void stapled_by_stranger(trial *t)
{
    t->owned[0] = t->pair.ocsp =
        dn_testpki_ocsp(t->world->server, t->world->middle, t->world->other_key, TESTPKI_OCSP_GOOD, -1, 1);
}

static void stapled_for_another(trial *t)
{
    t->owned[0] = t->pair.ocsp =
        dn_testpki_ocsp(t->world->client, t->world->middle, t->world->middle_key, TESTPKI_OCSP_GOOD, -1, 1);
}

static void stapled_garbage(trial *t)
{
    t->pair.ocsp = dunlin_slice_of("this is no response");
}

/* ---- suites ---- */

static void no_common_suite(trial *t)
{
    t->server.suites = DN_TLS_SUITES_CBC;
    t->client.suites = DN_TLS_SUITES_CCM8;
}

#define X      DN_SECURITY_X509
#define ACCESS DUNLIN_ERR_ACCESS

static const refusal refusals[] = {
    {"wrong key", DN_SECURITY_PSK, 3, wrong_key, true, DN_TLS_NO_ALERT, 20, DUNLIN_ERR_TIMEOUT,
     "no authentic Finished came: most likely the other end has another key"},
    {"unknown identity", DN_SECURITY_PSK, 3, unknown_identity, true, 115, 0, ACCESS, "unknown PSK identity"},
    {"credentials cannot be read", DN_SECURITY_PSK, 3, keeper_fails, true, 80, 0, ACCESS,
     "the credentials cannot be read"},
    {"psk: no common suite", DN_SECURITY_PSK, 3, no_common_suite, true, 40, 0, ACCESS,
     "no cipher suite in common"},
    {"rpk: no common suite", DN_SECURITY_RPK, 3, no_common_suite, true, 40, 0, ACCESS,
     "no cipher suite in common"},
    {"rpk to a server of pre-shared keys", DN_SECURITY_RPK, 3, psk_server, true, 40, 0, ACCESS,
     "no cipher suite in common"},
    {"rpk: another client's key", DN_SECURITY_RPK, 3, other_client_key, true, 46, 0, ACCESS,
     "unknown raw public key"},
    {"rpk: another server's key", DN_SECURITY_RPK, 3, other_server_key, false, 46, 0, ACCESS,
     "the server's raw public key is another one"},

    {"client: expired", X, 3, client_expired, true, 45, 0, ACCESS, "the certificate has expired"},
    {"client: not yet valid", X, 3, client_not_yet, true, 45, 0, ACCESS, "the certificate is not valid yet"},
    {"client: another name", X, 3, client_other_name, true, 49, 0, ACCESS,
     "no credential for the names in the certificate"},
    {"client: another CA", X, 3, client_other_ca, true, 48, 0, ACCESS,
     "the certificate is not from a trusted CA"},
    {"client: another CA of the same name", X, 3, client_forged_ca, true, 48, 0, ACCESS,
     "the certificate is not from a trusted CA"},
    {"client: an end entity as CA", X, 3, client_by_end_entity, true, 48, 0, ACCESS,
     "the certificate is not from a trusted CA"},
    {"client: SHA-1", X, 3, client_sha1, true, 43, 0, ACCESS,
     "a certificate has a hash or a curve that is not allowed"},
    {"client: secp384r1", X, 3, client_other_curve, true, 43, 0, ACCESS,
     "a certificate has a hash or a curve that is not allowed"},
    {"client: for servers only", X, 3, client_for_servers, true, 43, 0, ACCESS,
     "the certificate is not for this purpose"},
    {"client: another certificate than the pinned one", X, 3, client_pinned_otherwise, true, 49, 0, ACCESS,
     "the certificate does not entitle to the name that it bears"},
    {"client: revoked", X, 3, client_revoked, true, 44, 0, ACCESS, "the certificate was revoked"},
    {"client: no certificate", X, 3, no_client_cert, true, 40, 0, ACCESS, "no client certificate was sent"},

    {"server, usage 0: expired", X, 0, server_expired, false, 45, 0, ACCESS, "the certificate has expired"},
    {"server, usage 1: expired", X, 1, server_expired, false, 45, 0, ACCESS, "the certificate has expired"},
    {"server, usage 2: expired", X, 2, server_expired, false, 45, 0, ACCESS, "the certificate has expired"},
    {"server, usage 2: not yet valid", X, 2, server_not_yet, false, 45, 0, ACCESS,
     "the certificate is not valid yet"},
    {"server, usage 0: another name", X, 0, server_other_name, false, 42, 0, ACCESS,
     "the certificate is for another name"},
    {"server, usage 2: another name", X, 2, server_other_name, false, 42, 0, ACCESS,
     "the certificate is for another name"},
    {"server, usage 0: another CA", X, 0, server_other_ca, false, 48, 0, ACCESS,
     "the certificate is not from a trusted CA"},
    {"server, usage 1: another CA", X, 1, server_other_ca, false, 48, 0, ACCESS,
     "the certificate is not from a trusted CA"},
    {"server, usage 2: another CA", X, 2, server_other_ca, false, 48, 0, ACCESS,
     "the certificate is not from a trusted CA"},
    {"server, usage 2: another CA of the same name", X, 2, server_forged_ca, false, 48, 0, ACCESS,
     "the certificate is not from a trusted CA"},
    {"server, usage 0: another CA is demanded", X, 0, another_ca_is_demanded, false, 48, 0, ACCESS,
     "the certificate is from another CA than the one that is demanded"},
    {"server, usage 0: the end entity is demanded as CA", X, 0, end_entity_is_demanded, false, 48, 0, ACCESS,
     "the certificate is from another CA than the one that is demanded"},
    {"server, usage 1: another certificate", X, 1, another_is_named, false, 46, 0, ACCESS,
     "the certificate is another one than the account names"},
    {"server, usage 2: an end entity as trust anchor", X, 2, end_entity_is_demanded, false, 48, 0, ACCESS,
     "what the account names as trust anchor is no CA"},
    {"server, usage 3: another certificate", X, 3, another_is_named, false, 46, 0, ACCESS,
     "the certificate is another one than the account names"},
    {"server, usage 2: another key as trust anchor", X, 2, another_key_as_anchor, false, 48, 0, ACCESS,
     "the certificate is not from the CA that the account names"},
    {"server, usage 2: a key as trust anchor, for clients only", X, 2, key_as_anchor_for_clients, false, 43,
     0, ACCESS, "the certificate is not for this purpose"},
    {"server, usage 2: a key as trust anchor, another name", X, 2, key_as_anchor_other_name, false, 42, 0,
     ACCESS, "the certificate is for another name"},
    {"server, usage 2: SHA-1", X, 2, server_sha1, false, 43, 0, ACCESS,
     "a certificate has a hash or a curve that is not allowed"},
    {"server, usage 2: secp192r1", X, 2, curve_of_192_bits, false, 43, 0, ACCESS,
     "a certificate has a hash or a curve that is not allowed"},
    {"server, usage 2: secp224r1", X, 2, curve_of_224_bits, false, 43, 0, ACCESS,
     "a certificate has a hash or a curve that is not allowed"},
    {"server, usage 2: for clients only", X, 2, server_for_clients, false, 43, 0, ACCESS,
     "the certificate is not for this purpose"},
    {"server, usage 2: stapled as revoked", X, 2, stapled_revoked, false, 44, 0, ACCESS,
     "the stapled status says that the certificate was revoked"},
    {"server, usage 0: stapled as unknown", X, 0, stapled_unknown, false, 113, 0, ACCESS,
     "the stapled status of the certificate is not valid"},
    {"server, usage 2: stapled long ago", X, 2, stapled_too_old, false, 113, 0, ACCESS,
     "the stapled status of the certificate is not valid"},
    {"server, usage 2: stapled by a stranger", X, 2, stapled_by_stranger, false, 113, 0, ACCESS,
     "the stapled status of the certificate is not valid"},
    {"server, usage 1: stapled for another", X, 1, stapled_for_another, false, 113, 0, ACCESS,
     "the stapled status of the certificate is not valid"},
    {"server, usage 1: stapled garbage", X, 1, stapled_garbage, false, 113, 0, ACCESS,
     "the stapled status cannot be read"},
};

static char logged[4096];

static void keep_log(void *context, dn_log_level level, const char *area, const char *message)
{
    (void)context;
    (void)level;
    const size_t len = strlen(logged);
    (void)snprintf(logged + len, sizeof logged - len, "%s: %s\n", area, message);
}

static void check_ends(const refusal *r, const dn_testpair *pair, bool datagram)
{
    const dn_tls_ending *server = dn_testpair_ending(&pair->server);
    const dn_tls_ending *client = dn_testpair_ending(&pair->client);
    const dn_tls_ending *refuser = r->refused_by_server ? server : client;
    const dn_tls_ending *refused = r->refused_by_server ? client : server;
    assert_non_null(server);
    const int alert = !datagram && r->stream_alert != 0 ? r->stream_alert : r->alert;
    if (refuser->alert != alert || refused->alert != alert) {
        print_error("server: %s (%d); client: %s (%d)\n", server->why, server->alert, client->why,
                    client->alert);
    }
    assert_int_equal(refuser->alert, alert);
    assert_false(refuser->received);
    assert_int_equal(refused->alert, alert);
    assert_int_equal(refused->received, alert != DN_TLS_NO_ALERT);
    assert_int_equal(refuser->keys_differ, r->change == wrong_key);
    assert_int_equal(refused->keys_differ, r->change == wrong_key);
    if (alert == DN_TLS_NO_ALERT) {
        assert_int_equal(refused->status, DUNLIN_ERR_TIMEOUT);
        assert_string_equal(refused->why, "no answer to Finished: most likely the server has another key");
    } else {
        assert_int_equal(refused->status, DUNLIN_ERR_REJECTED);
        assert_non_null(strstr(refused->why, dn_tls_alert_name(alert)));
    }
    if (alert == r->alert) {
        assert_int_equal(refuser->status, r->status);
        assert_string_equal(refuser->why, r->why);
    }
    assert_non_null(strstr(logged, refuser->why));
    assert_int_equal(dn_tls_state_of(pair->server.session), DN_TLS_ENDED);
    assert_int_equal(dn_tls_state_of(pair->client.session), DN_TLS_ENDED);
    assert_int_equal(dn_tls_send(pair->client.session, dunlin_slice_of("x"), 0), DUNLIN_ERR_STATE);
}

static void run(const refusal *r, bool datagram)
{
    trial t = {.world = dn_testworld_make()};
    t.server = dn_testworld_server(t.world);
    t.client = dn_testworld_client(t.world, r->mode, r->usage);
    t.pair = t.world->pair;
    t.server.pairs = &t.pair;
    r->change(&t);
    dn_tls_context *server = dn_testworld_make_server(&t.server);
    dn_tls_context *client = dn_testworld_make_client(&t.client);
    const dn_log log = {keep_log, NULL, DN_LOG_DEBUG};
    logged[0] = 0;
    dn_testpair pair;
    dn_testpair_init(&pair, server, client, datagram, 7);
    pair.log = &log;
    print_message("%s, %s\n", r->name, datagram ? "DTLS" : "TLS");
    assert_false(dn_testpair_run(&pair));
    check_ends(r, &pair, datagram);
    dn_testpair_clear(&pair);
    dn_tls_context_give_up(server);
    dn_tls_context_give_up(client);
    for (size_t i = 0; i < 3; i++) {
        dn_testpki_key_free(t.keys[i]);
        dn_testpki_cert_free(t.certs[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        free((void *)(uintptr_t)t.owned[i].data);
    }
    dn_testworld_free(t.world);
}

static void refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        run(&refusals[i], true);
        run(&refusals[i], false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
