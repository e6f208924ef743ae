/* SPDX-License-Identifier: Apache-2.0 */
/* Resumption and its ends: tickets and session ids, what is dropped, credentials that go, accounts that change. */
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

typedef enum { RESUMED, FULL, DENIED } outcome;

static outcome resume(dn_tls_context *server, dn_tls_context *client, bool datagram, uint8_t *kept,
                      size_t *len)
{
    dn_testpair pair;
    dn_testpair_init(&pair, server, client, datagram, 5);
    pair.resume = dunlin_slice_make(kept, *len);
    outcome result = DENIED;
    if (dn_testpair_run(&pair)) {
        dn_testpair_settle(&pair, 200);
    }
    if (dn_tls_state_of(pair.client.session) == DN_TLS_OPEN && dn_testpair_echo(&pair)) {
        result = dn_tls_is_resumed(pair.client.session) ? RESUMED : FULL;
        *len = dn_tls_resumption(pair.client.session, kept, DN_TLS_RESUME_MAX);
    } else {
        assert_int_equal(dn_testpair_ending(&pair.client)->alert, GNUTLS_A_ACCESS_DENIED);
        assert_int_equal(dn_testpair_ending(&pair.client)->status, DUNLIN_ERR_REJECTED);
        assert_int_equal(dn_testpair_ending(&pair.server)->status, DUNLIN_ERR_ACCESS);
    }
    dn_testpair_clear(&pair);
    return result;
}

static void forget_credential(dn_testworld *world, uint8_t mode)
{
    static const char *const endpoints[] = {DN_TESTWORLD_PSK, DN_TESTWORLD_RPK, DN_TESTWORLD_X509};
    dn_testkeeper_remove(&world->keeper, endpoints[mode]);
}

static void resumption_ends(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        const uint8_t mode = (uint8_t)(i / 4);
        const bool datagram = i % 2 == 0;
        const bool by_id = i / 2 % 2 == 0;
        dn_testworld *world = dn_testworld_make();
        const dn_tls_server_config server_config = dn_testworld_server(world);
        dn_tls_client_config client_config = dn_testworld_client(world, mode, 2);
        dn_tls_context *server = dn_testworld_make_server(&server_config);
        dn_tls_context *client = dn_testworld_make_client(&client_config);
        client->session_flags |= by_id ? GNUTLS_NO_TICKETS : 0u;
        uint8_t kept[DN_TLS_RESUME_MAX];
        size_t len = 0;
        assert_int_equal(resume(server, client, datagram, kept, &len), FULL);
        assert_int_equal(resume(server, client, datagram, kept, &len), RESUMED);
        assert_int_equal(resume(server, client, datagram, kept, &len), RESUMED);
        dn_tls_context_drop_tickets(server);
        assert_int_equal(resume(server, client, datagram, kept, &len), FULL);
        assert_int_equal(resume(server, client, datagram, kept, &len), RESUMED);
        /* What was kept of one account is worth nothing for another, though the server would take it. */
        client_config = dn_testworld_client(world, mode, 3);
        dn_tls_context *other = dn_testworld_make_client(&client_config);
        other->session_flags |= by_id ? GNUTLS_NO_TICKETS : 0u;
        uint8_t other_kept[DN_TLS_RESUME_MAX];
        size_t other_len = len;
        memcpy(other_kept, kept, len);
        assert_int_equal(resume(server, other, datagram, other_kept, &other_len), FULL);
        assert_int_equal(resume(server, other, !datagram, other_kept, &other_len), FULL);
        dn_tls_context_give_up(other);
        forget_credential(world, mode);
        assert_int_equal(resume(server, client, datagram, kept, &len), DENIED);
        dn_tls_context_give_up(server);
        dn_tls_context_give_up(client);
        dn_testworld_free(world);
    }
}

/* A ticket that holds certificates makes a ClientHello that takes several datagrams: the first one has the cookie. */
static void resumed_in_pieces(void **state)
{
    dn_testworld *world = *state;
    const dn_tls_server_config server_config = dn_testworld_server(world);
    dn_tls_client_config client_config = dn_testworld_client(world, DN_SECURITY_X509, 2);
    client_config.mtu = 300;
    dn_tls_context *server = dn_testworld_make_server(&server_config);
    dn_tls_context *client = dn_testworld_make_client(&client_config);
    uint8_t kept[DN_TLS_RESUME_MAX];
    size_t len = 0;
    assert_int_equal(resume(server, client, true, kept, &len), FULL);
    assert_true(len > 600);
    assert_int_equal(resume(server, client, true, kept, &len), RESUMED);
    dn_tls_context_give_up(server);
    dn_tls_context_give_up(client);
}

typedef struct {
    dn_tls_context *server;
    unsigned from_client;
} meanwhile;

/* With the client's third datagram, which is its answer to the server that resumes. */
static void drop_meanwhile(void *context, bool to_server, uint8_t *bytes, size_t *len)
{
    (void)bytes;
    (void)len;
    meanwhile *m = context;
    m->from_client += to_server ? 1 : 0;
    if (to_server && m->from_client == 3) {
        dn_tls_context_drop_tickets(m->server);
    }
}

/* What changes while a handshake is under way counts. */
static void changes_meanwhile(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        const bool is_dropped = i % 2 == 0;
        dn_testworld *world = dn_testworld_make();
        const dn_tls_server_config server_config = dn_testworld_server(world);
        const dn_tls_client_config client_config = dn_testworld_client(world, (uint8_t)(i / 2), 3);
        dn_tls_context *server = dn_testworld_make_server(&server_config);
        dn_tls_context *client = dn_testworld_make_client(&client_config);
        uint8_t kept[DN_TLS_RESUME_MAX];
        size_t len = 0;
        if (is_dropped) {
            assert_int_equal(resume(server, client, true, kept, &len), FULL);
        } else {
            world->keeper.vanishes = true;
        }
        dn_testpair pair;
        dn_testpair_init(&pair, server, client, true, 1);
        pair.resume = dunlin_slice_make(kept, len);
        meanwhile m = {server, 0};
        pair.tap = is_dropped ? drop_meanwhile : NULL;
        pair.tap_context = &m;
        (void)dn_testpair_run(&pair);
        dn_testpair_settle(&pair, 100);
        assert_int_equal(dn_testpair_ending(&pair.server)->alert, GNUTLS_A_HANDSHAKE_FAILURE);
        assert_int_equal(dn_testpair_ending(&pair.client)->alert, GNUTLS_A_HANDSHAKE_FAILURE);
        dn_testpair_clear(&pair);
        dn_tls_context_give_up(server);
        dn_tls_context_give_up(client);
        dn_testworld_free(world);
    }
}

/* The oldest session gives way; a server may resume nothing at all. */
static void resumption_is_bounded(void **state)
{
    dn_testworld *world = *state;
    dn_tls_server_config server_config = dn_testworld_server(world);
    const dn_tls_client_config client_config = dn_testworld_client(world, DN_SECURITY_PSK, 3);
    server_config.resumable = 2;
    dn_tls_context *server = dn_testworld_make_server(&server_config);
    dn_tls_context *client = dn_testworld_make_client(&client_config);
    client->session_flags |= GNUTLS_NO_TICKETS;
    uint8_t kept[3][DN_TLS_RESUME_MAX];
    size_t len[3] = {0, 0, 0};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(resume(server, client, true, kept[i], &len[i]), FULL);
    }
    assert_int_equal(resume(server, client, true, kept[2], &len[2]), RESUMED);
    assert_int_equal(resume(server, client, true, kept[1], &len[1]), RESUMED);
    assert_int_equal(resume(server, client, true, kept[0], &len[0]), FULL);
    dn_tls_context_give_up(server);
    server_config.resumption = false;
    server = dn_testworld_make_server(&server_config);
    len[0] = 0;
    assert_int_equal(resume(server, client, true, kept[0], &len[0]), FULL);
    assert_int_equal(resume(server, client, true, kept[0], &len[0]), FULL);
    dn_tls_context_give_up(server);
    dn_tls_context_give_up(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resumption_ends),
        cmocka_unit_test(resumed_in_pieces),
        cmocka_unit_test(changes_meanwhile),
        cmocka_unit_test(resumption_is_bounded),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
