/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts that cannot be made: which status, which text, never a secret. And keys in a PKCS#11 token, at both ends. */
#include "security/testpair.h"
#include "security/testworld.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* ---- servers ---- */

typedef struct {
    dn_testworld *world;
    dn_tls_server_config server;
    dn_tls_client_config client;
    dn_tls_key_pair pair;
    dn_testpki_key *key;
    dn_testpki_cert *cert;
} trial;

static void garbage_key(trial *t)
{
    t->pair.key = dunlin_slice_of("-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n");
}

static void empty_key(trial *t)
{
    t->pair.key = dunlin_slice_make(NULL, 0);
}

static void garbage_chain(trial *t)
{
    t->pair.chain = dunlin_slice_of("no certificate");
}

static void others_key(trial *t)
{
    t->pair.key = dn_testpki_key_der(t->world->other_key);
}

static void key_on_p384(trial *t)
{
    t->key = dn_testpki_key_make(TESTPKI_P384);
    t->cert = dn_testpki_cert_make(&(dn_testpki_subject){.common_name = "x"}, t->key, NULL, NULL);
    t->pair.key = dn_testpki_key_der(t->key);
    t->pair.chain = dn_testpki_cert_der(t->cert);
}

static void rsa_key(trial *t)
{
    t->key = dn_testpki_key_make(TESTPKI_RSA2048);
    t->cert = dn_testpki_cert_make(&(dn_testpki_subject){.common_name = "x"}, t->key, NULL, NULL);
    t->pair.key = dn_testpki_key_der(t->key);
    t->pair.chain = dn_testpki_cert_der(t->cert);
}

static void no_token(trial *t)
{
    t->pair.key_url = "pkcs11:token=there-is-none;object=key?pin-value=4711";
}

static void garbage_cas(trial *t)
{
    t->server.trusted = dunlin_slice_of("nothing to trust");
}

static void end_entity_ca(trial *t)
{
    t->server.trusted = dn_testpki_cert_pem(t->world->client);
}

static void garbage_crl(trial *t)
{
    t->server.revoked = dunlin_slice_of("nobody is revoked");
}

static void too_many_pairs(trial *t)
{
    t->server.pair_count = DN_TLS_KEY_PAIRS_MAX + 1;
}

static const struct {
    const char *what;
    void (*change)(trial *t);
    dunlin_status status;
    const char *text;
} bad_servers[] = {
    {"key that cannot be read", garbage_key, DUNLIN_ERR_ARGUMENT, "private key"},
    {"no key", empty_key, DUNLIN_ERR_ARGUMENT, "private key"},
    {"chain that cannot be read", garbage_chain, DUNLIN_ERR_ARGUMENT, "certificate chain"},
    {"key of another certificate", others_key, DUNLIN_ERR_ARGUMENT, "do not belong together"},
    {"secp384r1", key_on_p384, DUNLIN_ERR_UNSUPPORTED, "curve"},
    {"RSA", rsa_key, DUNLIN_ERR_UNSUPPORTED, "curve"},
    {"no such token", no_token, DUNLIN_ERR_IO, "token"},
    {"CAs that cannot be read", garbage_cas, DUNLIN_ERR_ARGUMENT, "trusted"},
    {"a CA that is none", end_entity_ca, DUNLIN_ERR_ARGUMENT, "is no CA"},
    {"CRLs that cannot be read", garbage_crl, DUNLIN_ERR_ARGUMENT, "CRL"},
    {"too many pairs", too_many_pairs, DUNLIN_ERR_ARGUMENT, "key pairs"},
};

static void servers(void **state)
{
    for (size_t i = 0; i < sizeof bad_servers / sizeof bad_servers[0]; i++) {
        trial t = {.world = *state};
        t.server = dn_testworld_server(t.world);
        t.pair = t.world->pair;
        t.server.pairs = &t.pair;
        bad_servers[i].change(&t);
        dn_tls_context *context = NULL;
        char error[200] = "";
        print_message("%s: ", bad_servers[i].what);
        assert_int_equal(dn_tls_server_create(&t.server, &context, error, sizeof error),
                         bad_servers[i].status);
        print_message("%s\n", error);
        assert_null(context);
        assert_non_null(strstr(error, bad_servers[i].text));
        assert_null(strstr(error, "4711"));
        assert_int_equal(dn_tls_server_create(&t.server, &context, NULL, 0), bad_servers[i].status);
        dn_testpki_cert_free(t.cert);
        dn_testpki_key_free(t.key);
    }
}

/* ---- clients ---- */

static void no_identity(trial *t)
{
    t->client.own = dunlin_slice_make(NULL, 0);
}

static void long_identity(trial *t)
{
    static const uint8_t bytes[129];
    t->client.own = dunlin_slice_make(bytes, sizeof bytes);
}

static void long_key(trial *t)
{
    static const uint8_t bytes[65];
    t->client.secret = dunlin_slice_make(bytes, sizeof bytes);
}

static void no_secret(trial *t)
{
    t->client.secret = dunlin_slice_make(NULL, 0);
}

static void other_own(trial *t)
{
    t->client.own = dn_testpki_key_spki(t->world->other_key);
}

static void no_server(trial *t)
{
    t->client.server = dunlin_slice_make(NULL, 0);
}

static void wrong_hash(trial *t)
{
    t->client.matching = 1;
}

static void usage_4(trial *t)
{
    t->client.usage = 4;
}

static void matching_4(trial *t)
{
    t->client.matching = 4;
}

static void nosec(trial *t)
{
    t->client.mode = DN_SECURITY_NOSEC;
}

static void no_name(trial *t)
{
    static char name[300];
    memset(name, 'a', sizeof name - 1);
    t->client.name = name;
}

static void no_roots(trial *t)
{
    t->client.usage = 0;
    t->client.roots = dunlin_slice_of("none");
}

static const struct {
    const char *what;
    uint8_t mode;
    void (*change)(trial *t);
    const char *text;
} bad_clients[] = {
    {"psk: no identity", DN_SECURITY_PSK, no_identity, "identity"},
    {"psk: long identity", DN_SECURITY_PSK, long_identity, "identity"},
    {"psk: no key", DN_SECURITY_PSK, no_secret, "key"},
    {"psk: long key", DN_SECURITY_PSK, long_key, "key"},
    {"rpk: no public key", DN_SECURITY_RPK, no_identity, "public key"},
    {"rpk: no private key", DN_SECURITY_RPK, no_secret, "private key"},
    {"rpk: another public key", DN_SECURITY_RPK, other_own, "do not belong together"},
    {"rpk: nothing of the server", DN_SECURITY_RPK, no_server, "server"},
    {"x509: no certificate", DN_SECURITY_X509, no_identity, "certificate"},
    {"x509: no private key", DN_SECURITY_X509, no_secret, "private key"},
    {"x509: nothing of the server", DN_SECURITY_X509, no_server, "server"},
    {"x509: a hash of the wrong length", DN_SECURITY_X509, wrong_hash, "hash"},
    {"x509: usage 4", DN_SECURITY_X509, usage_4, "usage"},
    {"x509: matching type 4", DN_SECURITY_X509, matching_4, "matching"},
    {"x509: a name that is none", DN_SECURITY_X509, no_name, "name"},
    {"x509: roots that cannot be read", DN_SECURITY_X509, no_roots, "trusted"},
    {"no security", DN_SECURITY_PSK, nosec, "mode"},
};

static void clients(void **state)
{
    for (size_t i = 0; i < sizeof bad_clients / sizeof bad_clients[0]; i++) {
        trial t = {.world = *state};
        t.client = dn_testworld_client(t.world, bad_clients[i].mode, 3);
        bad_clients[i].change(&t);
        dn_tls_context *context = NULL;
        char error[200] = "";
        print_message("%s: ", bad_clients[i].what);
        assert_int_equal(dn_tls_client_create(&t.client, &context, error, sizeof error), DUNLIN_ERR_ARGUMENT);
        print_message("%s\n", error);
        assert_null(context);
        assert_non_null(strstr(error, bad_clients[i].text));
    }
}

/* No prefix of a key or a certificate is one, and none does harm. */
static void prefixes(void **state)
{
    trial t = {.world = *state};
    t.server = dn_testworld_server(t.world);
    const dunlin_slice key = dn_testpki_key_der(t.world->server_key);
    const dunlin_slice cert = dn_testpki_cert_der(t.world->server);
    t.server.pairs = &t.pair;
    for (size_t len = 0; len < key.len + cert.len; len++) {
        t.pair = (dn_tls_key_pair){.chain = cert, .key = key};
        if (len < key.len) {
            t.pair.key = dunlin_slice_make(key.data, len);
        } else {
            t.pair.chain = dunlin_slice_make(cert.data, len - key.len + 1);
        }
        dn_tls_context *context = NULL;
        char error[200];
        const dunlin_status status = dn_tls_server_create(&t.server, &context, error, sizeof error);
        if (len + 1 == key.len + cert.len) {
            assert_int_equal(status, DUNLIN_OK);
        } else {
            assert_int_not_equal(status, DUNLIN_OK);
        }
        dn_tls_context_give_up(context);
    }
}

/* ---- tokens ---- */

static bool write_file(const char *folder, const char *name, dunlin_slice bytes)
{
    char path[300];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    const bool is_fine = file != NULL && fwrite(bytes.data, 1, bytes.len, file) == bytes.len;
    return file != NULL && fclose(file) == 0 && is_fine;
}

/* Puts the keys of both ends into a fresh token of SoftHSM. False: it is not installed. */
static bool make_token(const dn_testworld *world, const char *folder)
{
    char text[1200];
    (void)snprintf(text, sizeof text,
                   "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", folder);
    assert_true(write_file(folder, "softhsm2.conf", dunlin_slice_of(text)));
    assert_true(write_file(folder, "server.pem", dn_testpki_key_pem(world->server_key)));
    assert_true(write_file(folder, "client.pem", dn_testpki_key_pem(world->client_key)));
    (void)snprintf(text, sizeof text, "%s/softhsm2.conf", folder);
    assert_int_equal(setenv("SOFTHSM2_CONF", text, 1), 0);
    (void)snprintf(
        text, sizeof text,
        "softhsm2-util --init-token --free --label dunlin --so-pin 1234 --pin 1234 >/dev/null 2>&1 && "
        "softhsm2-util --import %s/server.pem --token dunlin --label server --id 01 --pin 1234 "
        ">/dev/null && softhsm2-util --import %s/client.pem --token dunlin --label client --id 02 "
        "--pin 1234 >/dev/null",
        folder, folder);
    return system(text) == 0;
}

static void keys_in_a_token(void **state)
{
    dn_testworld *world = *state;
    char folder[] = "/tmp/dunlin_keys_test_XXXXXX";
    char text[300];
    if (system("command -v softhsm2-util >/dev/null") != 0) {
        skip();
    }
    assert_non_null(mkdtemp(folder));
    assert_true(make_token(world, folder));
    dn_tls_server_config server_config = dn_testworld_server(world);
    const dn_tls_key_pair pair = {.chain = world->server_chain,
                                  .key_url = "pkcs11:token=dunlin;object=server;type=private?pin-value=1234"};
    server_config.pairs = &pair;
    dn_tls_context *server = dn_testworld_make_server(&server_config);
    for (uint8_t mode = DN_SECURITY_RPK; mode <= DN_SECURITY_X509; mode++) {
        dn_tls_client_config client_config = dn_testworld_client(world, mode, 2);
        client_config.secret = dunlin_slice_make(NULL, 0);
        client_config.key_url = "pkcs11:token=dunlin;object=client;type=private?pin-value=1234";
        dn_tls_context *client = dn_testworld_make_client(&client_config);
        dn_testpair both;
        dn_testpair_init(&both, server, client, true, 1);
        assert_true(dn_testpair_run(&both));
        assert_true(dn_testpair_echo(&both));
        dn_testpair_clear(&both);
        dn_tls_context_give_up(client);
    }
    dn_tls_context_give_up(server);
    (void)snprintf(text, sizeof text, "rm -rf %s", folder);
    assert_int_equal(system(text), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_in_a_token), /* first: the library looks for tokens but once */
        cmocka_unit_test(servers),
        cmocka_unit_test(clients),
        cmocka_unit_test(prefixes),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
