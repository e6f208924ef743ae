/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every kind of credential with every mandated suite, over datagrams and streams, full and resumed, in memory; and the same when datagrams are
 * lost, doubled and reordered.
 */
#include "security/gnutls_inside.h"
#include "security/testpair.h"
#include "security/testworld.h"

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

typedef struct {
    const char *name;
    uint8_t mode, usage;
    const char *endpoint;
} kind;

static const kind kinds[] = {
    {"psk", DN_SECURITY_PSK, 3, DN_TESTWORLD_PSK},
    {"rpk", DN_SECURITY_RPK, 3, DN_TESTWORLD_RPK},
    {"x509 usage 0", DN_SECURITY_X509, 0, DN_TESTWORLD_X509},
    {"x509 usage 1", DN_SECURITY_X509, 1, DN_TESTWORLD_X509},
    {"x509 usage 2", DN_SECURITY_X509, 2, DN_TESTWORLD_X509},
    {"x509 usage 3", DN_SECURITY_X509, 3, DN_TESTWORLD_X509},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static const struct {
    dn_tls_suites suites;
    const char *psk, *ecdhe;
} suites[] = {
    {DN_TLS_SUITES_CCM8, "TLS_PSK_WITH_AES_128_CCM_8", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"},
    {DN_TLS_SUITES_CBC, "TLS_PSK_WITH_AES_128_CBC_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"},
    {DN_TLS_SUITES_MANDATED, "TLS_PSK_WITH_AES_128_CCM_8", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"},
};

static void explain(const dn_testpair *pair)
{
    const dn_tls_ending *c = dn_testpair_ending(&pair->client);
    const dn_tls_ending *s = dn_testpair_ending(&pair->server);
    print_error("client: %s; server: %s\n", c != NULL ? c->why : "-", s != NULL ? s->why : "-");
}

static void must_open(dn_testpair *pair)
{
    if (!dn_testpair_run(pair)) {
        explain(pair);
        fail();
    }
}

static void check_open(const dn_testpair *pair, const kind *k, const char *suite, bool resumed)
{
    const dn_identity *identity = dn_tls_identity(pair->server.session);
    assert_non_null(identity);
    assert_int_equal(identity->mode, k->mode);
    assert_true(dunlin_slice_equal(dn_identity_name(identity), dunlin_slice_of(k->endpoint)));
    assert_string_equal(dn_tls_suite(pair->server.session), suite);
    assert_string_equal(dn_tls_suite(pair->client.session), suite);
    assert_int_equal(dn_tls_is_resumed(pair->server.session), resumed);
    assert_int_equal(dn_tls_is_resumed(pair->client.session), resumed);
}

/* Connects, exchanges, closes; gives what resumes it. */
static size_t connect_once(dn_tls_context *server, dn_tls_context *client, const kind *k, bool datagram,
                           const char *suite, dunlin_slice resume, uint8_t *kept)
{
    dn_testpair pair;
    dn_testpair_init(&pair, server, client, datagram, 1);
    pair.resume = resume;
    must_open(&pair);
    check_open(&pair, k, suite, resume.len > 0);
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

/* With `by_id`, as with a client that knows no tickets. */
static void run_matrix(dn_testworld *world, bool by_id)
{
    const dn_tls_server_config config = dn_testworld_server(world);
    dn_tls_context *server = dn_testworld_make_server(&config);
    for (size_t i = 0; i < KINDS * (sizeof suites / sizeof suites[0]) * 2; i++) {
        const kind *k = &kinds[i / 2 % KINDS];
        const size_t s = i / 2 / KINDS;
        const bool datagram = i % 2 == 0;
        dn_tls_client_config client_config = dn_testworld_client(world, k->mode, k->usage);
        client_config.suites = suites[s].suites;
        dn_tls_context *client = dn_testworld_make_client(&client_config);
        client->session_flags |= by_id ? GNUTLS_NO_TICKETS : 0u;
        const char *suite = k->mode == DN_SECURITY_PSK ? suites[s].psk : suites[s].ecdhe;
        print_message("%s, %s, %s\n", k->name, suite, datagram ? "DTLS" : "TLS");
        uint8_t kept[DN_TLS_RESUME_MAX];
        uint8_t again[DN_TLS_RESUME_MAX];
        const size_t len = connect_once(server, client, k, datagram, suite, dunlin_slice_make(NULL, 0), kept);
        assert_true(len > 0);
        (void)connect_once(server, client, k, datagram, suite, dunlin_slice_make(kept, len), again);
        dn_tls_context_give_up(client);
    }
    dn_tls_context_give_up(server);
}

static void matrix_with_tickets(void **state)
{
    run_matrix(*state, false);
}

static void matrix_with_session_ids(void **state)
{
    run_matrix(*state, true);
}

typedef struct {
    uint32_t loss, doubles, reorders;
} weather;

static const weather weathers[] = {{0, 0, 0}, {0, 300, 300}, {200, 0, 0}, {200, 100, 200}, {400, 100, 200}};

static uint64_t connect_in(dn_tls_context *server, dn_tls_context *client, const weather *w, uint64_t seed,
                           dunlin_slice resume, uint8_t *kept, size_t *kept_len)
{
    dn_testpair pair;
    dn_testpair_init(&pair, server, client, true, seed);
    pair.loss_permille = w->loss;
    pair.double_permille = w->doubles;
    pair.reorder_permille = w->reorders;
    pair.resume = resume;
    must_open(&pair);
    assert_int_equal(dn_tls_is_resumed(pair.server.session), resume.len > 0);
    pair.loss_permille = pair.double_permille = pair.reorder_permille = 0;
    dn_testpair_settle(&pair, 1000);
    assert_true(dn_testpair_echo(&pair));
    *kept_len = dn_tls_resumption(pair.client.session, kept, DN_TLS_RESUME_MAX);
    const uint64_t took = pair.now_ms;
    dn_testpair_clear(&pair);
    return took;
}

/* Twice the same seed: twice the same run, whatever the system's clock does. The MTU is far from the size of any flight, since a signature has a
   byte more or less each time, and another number of datagrams would be another run. */
static void over_bad_links(void **state)
{
    dn_testworld *world = *state;
    dn_tls_server_config config = dn_testworld_server(world);
    config.handshake_ms = 3600000;
    config.mtu = 1000;
    dn_tls_context *server = dn_testworld_make_server(&config);
    for (size_t k = 0; k < KINDS; k++) {
        dn_tls_client_config client_config = dn_testworld_client(world, kinds[k].mode, kinds[k].usage);
        client_config.handshake_ms = 3600000;
        client_config.mtu = 1000;
        dn_tls_context *client = dn_testworld_make_client(&client_config);
        for (size_t w = 0; w < sizeof weathers / sizeof weathers[0]; w++) {
            for (uint64_t seed = 1; seed <= 12; seed++) {
                uint8_t kept[DN_TLS_RESUME_MAX];
                uint8_t again[DN_TLS_RESUME_MAX];
                size_t len = 0;
                size_t again_len = 0;
                const dunlin_slice none = dunlin_slice_make(NULL, 0);
                const uint64_t first =
                    connect_in(server, client, &weathers[w], seed, none, again, &again_len);
                const uint64_t second = connect_in(server, client, &weathers[w], seed, none, kept, &len);
                assert_int_equal(first, second);
                (void)connect_in(server, client, &weathers[w], seed, dunlin_slice_make(kept, len), again,
                                 &again_len);
            }
        }
        dn_tls_context_give_up(client);
    }
    dn_tls_context_give_up(server);
}

/* Keeps what the client sends instead of letting it out. */
typedef struct {
    uint8_t bytes[4][DN_TESTPAIR_BYTES];
    size_t len[4];
    size_t count;
} held_back;

static void hold(void *context, bool to_server, uint8_t *bytes, size_t *len)
{
    held_back *held = context;
    if (to_server) {
        assert_true(held->count < 4);
        memcpy(held->bytes[held->count], bytes, *len);
        held->len[held->count++] = *len;
        *len = 0;
    }
}

typedef struct {
    const char *name;
    const char *
        records; /* of a datagram: numbers of messages; x: one that was changed, t: one cut short, n: no record at all */
    const char *arrives;
} together;

static size_t put_together(const together *c, const held_back *held, uint8_t *out)
{
    size_t len = 0;
    for (const char *at = c->records; *at != 0; at++) {
        const bool is_number = *at >= '0' && *at <= '3';
        const size_t which = is_number ? (size_t)(*at - '0') : 3;
        const size_t part = *at == 't' ? held->len[which] / 2 : held->len[which];
        memcpy(out + len, held->bytes[which], part);
        out[len + part - 1] ^= *at == 'x' ? 1 : 0;
        out[len] = *at == 'n' ? 99 : out[len];
        len += part;
    }
    return len;
}

/* What stands together in a datagram is taken in one call (RFC 6347 section 4.1), whatever stands between. */
static void datagrams_of_many_records(void **state)
{
    static const together cases[] = {
        {"one", "0", "a"},
        {"three", "012", "abc"},
        {"in another order", "201", "cab"},
        {"the same twice", "0012", "abc"},
        {"one that was changed between", "0x1", "ab"},
        {"one that was changed first", "x01", "ab"},
        {"one that was changed last", "01x", "ab"},
        {"the end is cut off", "01t", "ab"},
        {"a type that there is not", "0n1", "ab"},
        {"nothing that is good", "xxx", ""},
    };
    dn_testworld *world = *state;
    const dn_tls_server_config config = dn_testworld_server(world);
    const dn_tls_client_config client_config = dn_testworld_client(world, DN_SECURITY_PSK, 3);
    dn_tls_context *server = dn_testworld_make_server(&config);
    dn_tls_context *client = dn_testworld_make_client(&client_config);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_testpair pair;
        held_back held = {.count = 0};
        uint8_t datagram[6 * DN_TESTPAIR_BYTES];
        dn_testpair_init(&pair, server, client, true, 1);
        must_open(&pair);
        dn_testpair_settle(&pair, 100);
        pair.tap = hold;
        pair.tap_context = &held;
        for (size_t m = 0; m < 4; m++) {
            assert_int_equal(dn_tls_send(pair.client.session, dunlin_slice_make(&"abcd"[m], 1), pair.now_ms),
                             DUNLIN_OK);
        }
        pair.server.got_len = pair.server.got_count = 0;
        dn_tls_receive(pair.server.session,
                       dunlin_slice_make(datagram, put_together(&cases[i], &held, datagram)), pair.now_ms);
        pair.server.got[pair.server.got_len] = 0;
        if (strcmp((const char *)pair.server.got, cases[i].arrives) != 0) {
            fail_msg("%s: \"%s\" arrives", cases[i].name, (const char *)pair.server.got);
        }
        assert_int_equal(pair.server.got_count, strlen(cases[i].arrives));
        assert_int_equal(dn_tls_state_of(pair.server.session), DN_TLS_OPEN);
        pair.tap = NULL;
        assert_true(dn_testpair_echo(&pair));
        dn_testpair_clear(&pair);
    }
    dn_tls_context_give_up(client);
    dn_tls_context_give_up(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_of_many_records),
        cmocka_unit_test(matrix_with_tickets),
        cmocka_unit_test(matrix_with_session_ids),
        cmocka_unit_test(over_bad_links),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
