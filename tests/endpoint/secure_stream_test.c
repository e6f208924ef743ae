/* SPDX-License-Identifier: Apache-2.0 */
/* TLS over streams behind one dn_secure, with the real library on both sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/endpoint/secure_rig.h"

#define TLS DN_TRANSPORT_TLS

static const dunlin_slice none = {NULL, 0};

static const dn_secure_counters *count(const rig *r)
{
    return dn_secure_count(r->secure);
}

/* However the stream is cut. */
static void handshakes_and_data(void **state)
{
    static const size_t cuts[] = {0, 1, 7, 100};
    (void)state;
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        rig *r = rig_create(TLS, NULL);
        dn_peer peer = rig_peer(TLS, 1, 1000);
        r->cut = cuts[i];
        r->echo = true;
        rig_client *client = rig_dial(r, 1, &peer, NULL, NULL, none);
        rig_run(r, 1000);
        assert_true(rig_is_open(client));
        assert_string_equal(rig_last(r, RIG_OPENED)->endpoint, "d1");
        rig_say(client, "one");
        rig_say(client, "two");
        rig_run(r, 100);
        assert_int_equal(rig_count(r, RIG_INPUT, &peer), 2);
        assert_int_equal(client->got_len, 6);
        assert_memory_equal(client->got, "onetwo", 6);
        assert_int_equal(count(r)->cookies, 0);
        dn_tls_close(client->tls, r->now_ms);
        rig_run(r, 100);
        assert_int_equal(rig_last(r, RIG_CLOSED)->status, DUNLIN_END);
        assert_int_equal(count(r)->sessions, 0);
        rig_destroy(r);
    }
}

/* Whoever has the stream must close it, so it hears of failures too. */
static void failures_are_told(void **state)
{
    (void)state;
    rig *r = rig_create(TLS, NULL);
    dn_peer stranger = rig_peer(TLS, 1, 1000), forger = rig_peer(TLS, 2, 1000),
            nobody = rig_peer(TLS, 3, 1000), silent = rig_peer(TLS, 4, 1000);
    rig_client *client = rig_dial(r, 1, &stranger, "nobody's identity", NULL, none);
    rig_run(r, 1000);
    assert_int_equal(dn_tls_ending_of(client->tls)->alert, 115);
    assert_int_equal(rig_count(r, RIG_CLOSED, &stranger), 1);
    assert_int_equal(count(r)->unknown_psk, 1);
    client = rig_dial(r, 1, &forger, NULL, "this key is another one", none);
    rig_run(r, 1000);
    assert_int_equal(rig_count(r, RIG_CLOSED, &forger), 1);
    assert_int_equal(count(r)->bad_psk_or_mac, 1);
    assert_true(dn_secure_connected(r->secure, &nobody, r->now_ms));
    rig_inject(r, &nobody, dunlin_slice_of("GET / HTTP/1.1\r\nHost: here\r\n\r\n"));
    assert_int_equal(rig_count(r, RIG_CLOSED, &nobody), 1);
    assert_true(dn_secure_connected(r->secure, &silent, r->now_ms));
    rig_run(r, 70000);
    assert_int_equal(rig_count(r, RIG_CLOSED, &silent), 1);
    assert_int_equal(rig_last(r, RIG_CLOSED)->status, DUNLIN_ERR_TIMEOUT);
    assert_int_equal(count(r)->timeouts, 1);
    assert_int_equal(count(r)->failed, 4);
    assert_int_equal(count(r)->half_open, 0);
    assert_int_equal(rig_count(r, RIG_OPENED, NULL), 0);
    rig_destroy(r);
}

static void two_half_open(dn_secure_config *config)
{
    config->max_handshakes = 2;
}

static void limits(void **state)
{
    (void)state;
    rig *r = rig_create(TLS, two_half_open);
    dn_peer peers[4];
    for (unsigned i = 0; i < 4; i++) {
        peers[i] = rig_peer(TLS, 1 + i, 1000);
    }
    assert_true(dn_secure_connected(r->secure, &peers[0], r->now_ms));
    assert_true(dn_secure_connected(r->secure, &peers[1], r->now_ms));
    assert_false(dn_secure_connected(r->secure, &peers[2], r->now_ms));
    rig_run(r, 2500);
    assert_true(dn_secure_connected(r->secure, &peers[3], r->now_ms));
    assert_int_equal(rig_count(r, RIG_CLOSED, &peers[0]), 1);
    assert_int_equal(rig_last(r, RIG_CLOSED)->status, DUNLIN_ERR_LIMIT);
    assert_int_equal(count(r)->limits, 2);
    rig_destroy(r);
}

static void streams_that_go(void **state)
{
    (void)state;
    rig *r = rig_create(TLS, NULL);
    dn_peer peer = rig_peer(TLS, 1, 1000), half = rig_peer(TLS, 2, 1000);
    rig_client *client = rig_dial(r, 1, &peer, NULL, NULL, none);
    rig_run(r, 1000);
    assert_true(rig_is_open(client));
    assert_true(dn_secure_connected(r->secure, &half, r->now_ms));
    dn_secure_disconnected(r->secure, &peer);
    dn_secure_disconnected(r->secure, &half);
    assert_int_equal(rig_count(r, RIG_CLOSED, NULL), 0);
    assert_int_equal(count(r)->sessions + count(r)->half_open, 0);
    assert_int_equal(dn_secure_send(r->secure, &peer, dunlin_slice_of("x"), r->now_ms), DUNLIN_ERR_NOT_FOUND);
    rig_inject(r, &peer, dunlin_slice_of("late"));
    assert_int_equal(count(r)->strangers, 1);
    rig_destroy(r);
}

/* Behind a record that is no good nothing of a stream can be trusted. */
static void a_forged_record_ends_it(void **state)
{
    static const uint8_t forged[] = {23, 3, 3, 0, 24, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2,
                                     3,  4, 5, 6, 7,  8, 1, 2, 3, 4, 5, 6, 7, 8};
    (void)state;
    rig *r = rig_create(TLS, NULL);
    dn_peer peer = rig_peer(TLS, 1, 1000);
    rig_client *client = rig_dial(r, 1, &peer, NULL, NULL, none);
    rig_run(r, 1000);
    assert_true(rig_is_open(client));
    rig_inject(r, &peer, dunlin_slice_make(forged, sizeof forged));
    assert_int_equal(rig_count(r, RIG_CLOSED, &peer), 1);
    assert_int_equal(count(r)->sessions, 0);
    rig_destroy(r);
}

static void revoking_and_resuming(void **state)
{
    uint8_t ticket[DN_TLS_RESUME_MAX];
    (void)state;
    rig *r = rig_create(TLS, NULL);
    dn_peer peer = rig_peer(TLS, 1, 1000), next = rig_peer(TLS, 1, 1001);
    rig_client *client = rig_dial(r, 1, &peer, NULL, NULL, none);
    rig_run(r, 1000);
    size_t len = dn_tls_resumption(client->tls, ticket, sizeof ticket);
    assert_true(len > 0);
    client = rig_dial(r, 1, &next, NULL, NULL, dunlin_slice_make(ticket, len));
    rig_run(r, 1000);
    assert_true(rig_is_open(client) && dn_tls_is_resumed(client->tls));
    assert_int_equal(count(r)->resumed, 1);
    uint64_t number = dn_secure_identity(r->secure, &peer)->credential;
    assert_int_equal(dn_secure_revoke(r->secure, number, r->now_ms), 0); /* it has not changed */
    rig_change(r, 1);
    assert_int_equal(dn_secure_revoke(r->secure, number, r->now_ms), 2);
    assert_int_equal(rig_count(r, RIG_CLOSED, NULL), 2);
    rig_run(r, 100);
    assert_int_equal(dn_tls_state_of(client->tls), DN_TLS_ENDED);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshakes_and_data),
        cmocka_unit_test(failures_are_told),
        cmocka_unit_test(limits),
        cmocka_unit_test(streams_that_go),
        cmocka_unit_test(a_forged_record_ends_it),
        cmocka_unit_test(revoking_and_resuming),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
