/* SPDX-License-Identifier: Apache-2.0 */
/* Many peers' DTLS sessions behind one dn_secure, with the real library on both sides, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/endpoint/secure_rig.h"

#include <malloc.h>
#include <stdlib.h>

#define DTLS DN_TRANSPORT_DTLS

static const dunlin_slice none = {NULL, 0};

static rig_client *dial(rig *r, unsigned device, const dn_peer *peer)
{
    return rig_dial(r, device, peer, NULL, NULL, none);
}

static rig_client *establish(rig *r, unsigned device, const dn_peer *peer)
{
    rig_client *client = dial(r, device, peer);
    rig_run(r, 1000);
    assert_true(rig_is_open(client));
    return client;
}

static const dn_secure_counters *count(const rig *r)
{
    return dn_secure_count(r->secure);
}

/* Handshakes. */

static void many_peers_over_a_bad_network(void **state)
{
    enum { DEVICES = 60 };
    rig_client *clients[DEVICES];
    rig *r = rig_create(DTLS, NULL);
    r->loss_percent = *state != NULL ? 5 : 20;
    r->split = *state != NULL;
    r->echo = true;
    for (unsigned i = 0; i < DEVICES; i++) {
        dn_peer peer = rig_peer(DTLS, 1 + i / 2, 1000 + i);
        clients[i] = dial(r, i, &peer);
    }
    rig_run(r, 60000);
    r->loss_percent = 0;
    for (unsigned i = 0; i < DEVICES; i++) {
        char endpoint[32];
        assert_true(rig_is_open(clients[i]));
        assert_int_equal(rig_count(r, RIG_OPENED, &clients[i]->peer), 1);
        (void)snprintf(endpoint, sizeof endpoint, "d%u", i);
        const dn_identity *identity = dn_secure_identity(r->secure, &clients[i]->peer);
        assert_non_null(identity);
        assert_int_equal(identity->mode, DN_SECURITY_PSK);
        assert_true(dunlin_slice_equal(dn_identity_name(identity), dunlin_slice_of(endpoint)));
        rig_say(clients[i], endpoint);
        rig_run(r, 20);
        assert_int_equal(clients[i]->got_len, strlen(endpoint));
        assert_memory_equal(clients[i]->got, endpoint, strlen(endpoint));
    }
    assert_int_equal(count(r)->sessions, DEVICES);
    assert_int_equal(count(r)->half_open, 0);
    assert_int_equal(count(r)->handshakes, DEVICES);
    assert_int_equal(count(r)->failed, 0);
    assert_int_equal(rig_count(r, RIG_CLOSED, NULL), 0);
    rig_destroy(r);
}

/* Whatever datagram of the server is lost: the handshake comes about, and data after it. Above all the last one: the session is open for
   the server then, and repeats what it has said when the client asks for it in the clear. */
static void any_flight_may_be_lost(void **state)
{
    (void)state;
    for (size_t lost = 1; lost <= 4; lost++) {
        rig *r = rig_create(DTLS, NULL);
        dn_peer peer = rig_peer(DTLS, 1, 1000);
        r->drop_server_output_at = lost;
        rig_client *client = dial(r, 1, &peer);
        rig_run(r, 20000);
        assert_true(rig_is_open(client));
        rig_say(client, "hello");
        rig_run(r, 20);
        assert_int_equal(rig_count(r, RIG_INPUT, &peer), 1);
        assert_int_equal(rig_count(r, RIG_OPENED, &peer), 1);
        assert_int_equal(count(r)->sessions, 1);
        assert_int_equal(count(r)->failed, 0);
        rig_destroy(r);
    }
}

static void why_handshakes_fail(void **state)
{
    (void)state;
    rig *r = rig_create(DTLS, NULL);
    dn_peer stranger = rig_peer(DTLS, 1, 1000), forger = rig_peer(DTLS, 2, 1000),
            lost = rig_peer(DTLS, 3, 1000);
    rig_client *client = rig_dial(r, 1, &stranger, "nobody's identity", NULL, none);
    rig_run(r, 70000);
    assert_int_equal(dn_tls_state_of(client->tls), DN_TLS_ENDED);
    assert_int_equal(dn_tls_ending_of(client->tls)->alert, 115);
    assert_int_equal(count(r)->unknown_psk, 1);
    assert_string_equal(
        r->logged, "10.0.0.1:1000: handshake ended: unknown PSK identity; sent alert unknown_psk_identity");
    client = rig_dial(r, 1, &forger, NULL, "this key is another one", none);
    rig_run(r, 70000);
    assert_false(rig_is_open(client));
    assert_int_equal(count(r)->failed, 2);
    /* DTLS drops what it cannot decrypt: there was no alert, but it is known why. */
    assert_int_equal(count(r)->bad_psk_or_mac, 1);
    assert_int_equal(count(r)->timeouts, 0);
    client = dial(r, 1, &lost);
    while (count(r)->half_open == 0) {
        assert_true(rig_step(r, r->now_ms + 1000));
    }
    client->gone = true;
    rig_run(r, 70000);
    assert_int_equal(count(r)->failed, 3);
    assert_int_equal(count(r)->timeouts, 1);
    assert_int_equal(count(r)->half_open, 0);
    assert_int_equal(rig_count(r, RIG_OPENED, NULL) + rig_count(r, RIG_CLOSED, NULL), 0);
    rig_destroy(r);
}

/* Those who want to do harm. */

static void any_number_of_cookies(dn_secure_config *config)
{
    config->max_cookies_per_s = 0;
}

static void forged_hellos_cost_nothing(void **state)
{
    (void)state;
    rig *r = rig_create(DTLS, any_number_of_cookies);
    dn_peer peer = rig_peer(DTLS, 1, 1000), other = rig_peer(DTLS, 2, 1000);
    rig_client *client = establish(r, 1, &peer);
    rig_client *model = dial(r, 2, &other);
    rig_run(r, 1000);
    dunlin_slice hello = dunlin_slice_make(model->first, model->first_len);
    uint64_t cookies = count(r)->cookies;
    r->loss_percent = 100; /* nobody is there to take the answers */
    size_t before = mallinfo2().uordblks;
    for (unsigned i = 0; i < 20000; i++) {
        dn_peer forged = rig_peer(DTLS, 1000 + i, 1000 + i % 60000);
        rig_inject(r, &forged, hello);
    }
    assert_int_equal(mallinfo2().uordblks, before);
    assert_int_equal(count(r)->cookies, cookies + 20000);
    assert_int_equal(count(r)->half_open, 0);
    assert_int_equal(count(r)->sessions, 2);
    assert_int_equal(dn_secure_deadline(r->secure), UINT64_MAX);
    r->loss_percent = 0;
    rig_say(client, "still here");
    rig_run(r, 20);
    assert_int_equal(rig_count(r, RIG_INPUT, &peer), 1);
    rig_destroy(r);
}

static void hundred_cookies_per_second(dn_secure_config *config)
{
    config->max_cookies_per_s = 100;
}

/* Beyond a rate hellos are not answered, whether they bring a wrong cookie or none; who has a right one gets through. */
static void answers_to_hellos_are_limited(void **state)
{
    (void)state;
    rig *r = rig_create(DTLS, hundred_cookies_per_second);
    dn_peer peer = rig_peer(DTLS, 1, 1000), other = rig_peer(DTLS, 2, 1000);
    rig_client *model = dial(r, 1, &peer);
    uint8_t hellos[2][2048];
    size_t lens[2];
    for (unsigned i = 0; i < 2; i++) {
        memcpy(hellos[i], model->first, lens[i] = model->first_len);
        model->flights = 0;
        while (i == 0 && model->flights == 0) {
            assert_true(rig_step(r, r->now_ms + 1000));
        }
    }
    rig_run(r, 2000); /* it is established, and the burst is there again */
    assert_int_equal(count(r)->handshakes, 1);
    uint64_t before = count(r)->cookies;
    r->delay_ms = 3; /* its hello arrives before there is another answer to give */
    rig_client *late = dial(r, 2, &other);
    while (late->flights < 2) {
        assert_true(rig_step(r, r->now_ms + 1000)); /* it has its cookie */
    }
    for (unsigned ms = 0; ms < 1000; ms++) {
        r->loss_percent = 100;
        for (unsigned i = 0; i < 10; i++) {
            dn_peer forged = rig_peer(DTLS, 1000 + ms * 10 + i, 1000);
            rig_inject(r, &forged, dunlin_slice_make(hellos[i & 1], lens[i & 1]));
        }
        r->loss_percent = 0;
        rig_run(r, 1);
    }
    assert_in_range(count(r)->cookies - before, 100, 111);
    assert_int_equal(count(r)->limits, 10000 + 1 - (count(r)->cookies - before));
    assert_true(rig_is_open(late));
    rig_destroy(r);
}

/* A cookie is for whom it was given to, and not for ever. */
static void cookies_do_not_travel(void **state)
{
    (void)state;
    rig *r = rig_create(DTLS, NULL);
    dn_peer peer = rig_peer(DTLS, 1, 1000), thief = rig_peer(DTLS, 2, 1000);
    rig_client *client = dial(r, 1, &peer);
    client->flights = 0; /* the next output, the hello with its cookie, is remembered */
    while (count(r)->half_open == 0) {
        assert_true(rig_step(r, r->now_ms + 1000));
    }
    uint8_t stolen[2048];
    size_t len = client->first_len;
    memcpy(stolen, client->first, len);
    rig_inject(r, &thief, dunlin_slice_make(stolen, len));
    assert_int_equal(count(r)->half_open, 1);
    rig_run(r, 1000);
    assert_int_equal(count(r)->handshakes, 1);
    rig_inject(r, &peer, dunlin_slice_make(stolen, len)); /* doubled by the network */
    assert_int_equal(count(r)->half_open, 0);
    /* When the session that it began is over, it begins another, while it is not too old. */
    dn_secure_close(r->secure, &peer, r->now_ms);
    rig_inject(r, &peer, dunlin_slice_make(stolen, len));
    assert_int_equal(count(r)->half_open, 1);
    rig_run(r, 301000);
    rig_inject(r, &peer, dunlin_slice_make(stolen, len));
    assert_int_equal(count(r)->half_open, 1);
    rig_run(r, 301000);
    rig_inject(r, &peer, dunlin_slice_make(stolen, len));
    assert_int_equal(count(r)->half_open, 0);
    rig_destroy(r);
}

static void few_half_open(dn_secure_config *config)
{
    config->max_handshakes = 5;
    config->max_handshakes_per_host = 3;
}

/* Takes its cookie back to the server, and then says nothing more. */
static void begin_and_fall_silent(rig *r, unsigned device, const dn_peer *peer)
{
    rig_client *client = dial(r, device, peer);
    uint64_t begun = count(r)->half_open, limits = count(r)->limits;
    while (count(r)->half_open == begun && count(r)->limits == limits) {
        assert_true(rig_step(r, r->now_ms + 100));
    }
    client->gone = true;
}

static void half_open_handshakes_are_limited(void **state)
{
    (void)state;
    rig *r = rig_create(DTLS, few_half_open);
    dn_peer peer;
    for (unsigned i = 0; i < 3; i++) {
        peer = rig_peer(DTLS, 1, 1000 + i);
        begin_and_fall_silent(r, i, &peer);
    }
    assert_int_equal(count(r)->half_open, 3);
    peer = rig_peer(DTLS, 1, 2000);
    begin_and_fall_silent(r, 3, &peer); /* a fourth of that host */
    assert_int_equal(count(r)->half_open, 3);
    assert_int_equal(count(r)->limits, 1);
    for (unsigned i = 0; i < 2; i++) {
        peer = rig_peer(DTLS, 10 + i, 1000);
        begin_and_fall_silent(r, 4 + i, &peer);
    }
    assert_int_equal(count(r)->half_open, 5);
    peer = rig_peer(DTLS, 20, 1000);
    begin_and_fall_silent(r, 6, &peer); /* all are young */
    assert_int_equal(count(r)->half_open, 5);
    assert_int_equal(count(r)->limits, 2);
    /* The same again when they are old: the oldest gives way, and an honest device gets through. */
    rig_run(r, 3000);
    peer = rig_peer(DTLS, 30, 1000);
    rig_client *honest = establish(r, 7, &peer);
    assert_true(rig_is_open(honest));
    assert_int_equal(count(r)->limits, 3);
    assert_int_equal(count(r)->half_open, 4);
    rig_run(r, 70000);
    assert_int_equal(count(r)->half_open, 0);
    assert_int_equal(count(r)->sessions, 1);
    rig_destroy(r);
}

/* Whoever has shown that it is there can neither make a handshake keep what it sends, nor end one of another by what it makes up in the clear:
   a ChangeCipherSpec too early, and beginnings of messages that claim to be long. */
static void half_open_handshakes_keep_little(void **state)
{
    static const struct {
        uint8_t record[40];
        size_t len, varies; /* at that offset: a counter */
    } cases[] = {
        {{20, 0xfe, 0xfd, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1}, 14, 10},
        {{20, 0xfe, 0xfd, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3}, 16, 10},
        {{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 1, 0, 0, 0, 16, 11, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 4, 9, 9, 9, 9},
         29,
         18},
        {{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 1, 0, 0, 0, 16, 16, 0, 0x40, 1, 0, 3, 0, 0, 9, 0, 0, 4, 9, 9, 9, 9},
         29,
         13},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig *r = rig_create(DTLS, NULL);
        dn_peer peer = rig_peer(DTLS, 1, 1000);
        rig_client *client = dial(r, 1, &peer);
        while (count(r)->half_open == 0) {
            assert_true(rig_step(r, r->now_ms + 100));
        }
        size_t before = mallinfo2().uordblks;
        for (unsigned n = 0; n < 200; n++) {
            uint8_t record[40];
            memcpy(record, cases[i].record, sizeof record);
            record[cases[i].varies] = (uint8_t)n;
            rig_inject(r, &peer, dunlin_slice_make(record, cases[i].len));
        }
        assert_true(mallinfo2().uordblks <= before + 1024);
        rig_run(r, 10000);
        assert_true(rig_is_open(client));
        assert_int_equal(count(r)->failed, 0);
        rig_destroy(r);
    }
}

static void garbage_does_no_harm(void **state)
{
    (void)state;
    rig *r = rig_create(DTLS, NULL);
    dn_random random = dn_seeded_random(&r->seed);
    dn_peer peer = rig_peer(DTLS, 1, 1000), stranger = rig_peer(DTLS, 2, 1000),
            half = rig_peer(DTLS, 3, 1000);
    rig_client *client = establish(r, 1, &peer);
    begin_and_fall_silent(r, 2, &half);
    for (unsigned i = 0; i < 30000; i++) {
        uint8_t bytes[200];
        size_t len = (size_t)dn_random_between(&random, 0, sizeof bytes);
        random.fill(random.context, bytes, len);
        if (i % 2 == 0 && len > 13) { /* like a record */
            bytes[0] = (uint8_t)(19 + i / 2 % 6);
            bytes[1] = 0xfe;
            bytes[2] = 0xfd;
            bytes[3] = 0;
            bytes[4] = (uint8_t)(i / 16 % 2);
            bytes[11] = 0;
            bytes[12] = (uint8_t)(len - 13);
        }
        rig_inject(r, i % 3 == 0 ? &peer : i % 3 == 1 ? &half : &stranger, dunlin_slice_make(bytes, len));
    }
    assert_true(rig_is_open(client));
    assert_int_equal(count(r)->sessions, 1);
    assert_true(count(r)->strangers >= 9000);
    rig_say(client, "still here");
    rig_run(r, 20);
    assert_int_equal(rig_count(r, RIG_INPUT, &peer), 1);
    assert_int_equal(rig_count(r, RIG_CLOSED, NULL), 0);
    rig_destroy(r);
}

/* The same address and port again. */

static void a_device_that_starts_again(void **state)
{
    rig *r = rig_create(DTLS, NULL);
    r->split = *state != NULL;
    dn_peer peer = rig_peer(DTLS, 1, 1000);
    (void)establish(r, 1, &peer);
    rig_client *again = establish(r, 1, &peer);
    assert_int_equal(rig_count(r, RIG_OPENED, &peer), 2);
    assert_int_equal(rig_count(r, RIG_CLOSED, &peer), 0); /* it is who it was */
    assert_int_equal(count(r)->sessions, 1);
    rig_say(again, "again");
    rig_run(r, 20);
    assert_int_equal(rig_count(r, RIG_INPUT, &peer), 1);
    assert_int_equal(dn_secure_send(r->secure, &peer, dunlin_slice_of("welcome"), r->now_ms), DUNLIN_OK);
    rig_run(r, 20);
    assert_int_equal(again->got_len, 7);
    rig_destroy(r);
}

/* A handshake that does not succeed takes nothing from the session that is there, at any of its stages. */
static void an_established_session_outlives_attempts(void **state)
{
    (void)state;
    for (unsigned stage = 0; stage < 8; stage++) {
        rig *r = rig_create(DTLS, NULL);
        dn_peer peer = rig_peer(DTLS, 1, 1000);
        rig_client *client = establish(r, 1, &peer);
        /* Somebody who can receive at that address, and knows no key. */
        rig_client *forger = rig_dial(r, 1, &peer, NULL, "a guess", none);
        for (unsigned i = 0; i < stage; i++) {
            (void)rig_step(r, r->now_ms + 100);
        }
        forger->gone = true;
        client->gone = false;
        rig_say(client, "unmoved");
        rig_run(r, 70000);
        assert_int_equal(rig_count(r, RIG_INPUT, &peer), 1);
        assert_int_equal(dn_secure_send(r->secure, &peer, dunlin_slice_of("indeed"), r->now_ms), DUNLIN_OK);
        rig_run(r, 20);
        assert_int_equal(client->got_len, 6);
        assert_int_equal(rig_count(r, RIG_OPENED, &peer), 1);
        assert_int_equal(rig_count(r, RIG_CLOSED, &peer), 0);
        assert_int_equal(count(r)->half_open, 0);
        rig_destroy(r);
    }
}

/* While the new handshake is on its way, the old session still serves; messages of both go where they belong. */
static void old_and_new_side_by_side(void **state)
{
    (void)state;
    rig *r = rig_create(DTLS, NULL);
    dn_peer peer = rig_peer(DTLS, 1, 1000);
    rig_client *old = establish(r, 1, &peer);
    rig_client *new = dial(r, 1, &peer);
    while (count(r)->half_open == 0) {
        rig_say(old, "old");
        assert_true(rig_step(r, r->now_ms + 100));
    }
    rig_say(old, "old");
    rig_run(r, 1000);
    size_t said = rig_count(r, RIG_INPUT, &peer);
    assert_true(said > 1);
    assert_true(rig_is_open(new));
    assert_int_equal(rig_count(r, RIG_OPENED, &peer), 2);
    rig_say(new, "new");
    rig_run(r, 100);
    assert_int_equal(rig_count(r, RIG_INPUT, &peer), said + 1);
    rig_say(old, "old"); /* means nothing to anybody now */
    rig_run(r, 100);
    assert_int_equal(rig_count(r, RIG_INPUT, &peer), said + 1);
    rig_destroy(r);
}

static void another_identity_takes_the_place(void **state)
{
    (void)state;
    rig *r = rig_create(DTLS, NULL);
    dn_peer peer = rig_peer(DTLS, 1, 1000);
    (void)establish(r, 1, &peer);
    (void)establish(r, 2, &peer);
    assert_int_equal(r->note_count, 3);
    assert_int_equal(r->notes[1].kind, RIG_CLOSED);
    assert_int_equal(r->notes[1].status, DUNLIN_END);
    assert_int_equal(r->notes[2].kind, RIG_OPENED);
    assert_string_equal(r->notes[2].endpoint, "d2");
    assert_int_equal(count(r)->sessions, 1);
    rig_destroy(r);
}

/* A device that reboots in the middle of a handshake begins another: its new hello has another random. */
static void a_handshake_begun_anew(void **state)
{
    (void)state;
    rig *r = rig_create(DTLS, NULL);
    dn_peer peer = rig_peer(DTLS, 1, 1000);
    begin_and_fall_silent(r, 1, &peer);
    rig_run(r, 100); /* what the server answered is lost */
    (void)establish(r, 1, &peer);
    assert_int_equal(rig_count(r, RIG_OPENED, &peer), 1);
    assert_int_equal(count(r)->half_open, 0);
    assert_int_equal(count(r)->failed, 1);
    rig_destroy(r);
}

/* Ends. */

static void three_sessions(dn_secure_config *config)
{
    config->max_sessions = 3;
}

static void the_quietest_gives_way(void **state)
{
    rig_client *clients[4];
    dn_peer peers[4];
    (void)state;
    rig *r = rig_create(DTLS, three_sessions);
    for (unsigned i = 0; i < 3; i++) {
        peers[i] = rig_peer(DTLS, 1 + i, 1000);
        clients[i] = establish(r, i, &peers[i]);
    }
    rig_say(clients[0], "I am busy");
    rig_run(r, 100);
    peers[3] = rig_peer(DTLS, 9, 1000);
    clients[3] = establish(r, 3, &peers[3]);
    assert_int_equal(rig_last(r, RIG_CLOSED)->status, DUNLIN_ERR_LIMIT);
    assert_true(dn_peer_equal(&rig_last(r, RIG_CLOSED)->peer, &peers[1]));
    assert_int_equal(rig_count(r, RIG_CLOSED, NULL), 1);
    assert_int_equal(count(r)->evicted, 1);
    assert_int_equal(count(r)->sessions, 3);
    assert_int_equal(dn_tls_state_of(clients[1]->tls), DN_TLS_ENDED); /* it was told */
    assert_int_equal(dn_tls_ending_of(clients[1]->tls)->status, DUNLIN_END);
    rig_destroy(r);
}

static void idle_ten_seconds(dn_secure_config *config)
{
    config->idle_s = 10;
}

static void idle_sessions_end(void **state)
{
    (void)state;
    rig *r = rig_create(DTLS, idle_ten_seconds);
    dn_peer peer = rig_peer(DTLS, 1, 1000);
    rig_client *client = establish(r, 1, &peer);
    for (unsigned i = 0; i < 5; i++) {
        rig_run(r, 9000);
        rig_say(client, "not yet");
        rig_run(r, 100);
    }
    assert_int_equal(rig_count(r, RIG_CLOSED, NULL), 0);
    rig_run(r, 10000);
    assert_int_equal(rig_last(r, RIG_CLOSED)->status, DUNLIN_ERR_TIMEOUT);
    assert_int_equal(count(r)->sessions, 0);
    assert_int_equal(dn_secure_deadline(r->secure), UINT64_MAX);
    rig_destroy(r);
}

static void the_other_end_says_goodbye(void **state)
{
    (void)state;
    rig *r = rig_create(DTLS, NULL);
    dn_peer peer = rig_peer(DTLS, 1, 1000);
    rig_client *client = establish(r, 1, &peer);
    rig_say(client, "last words");
    dn_tls_close(client->tls, r->now_ms);
    rig_run(r, 100);
    assert_int_equal(r->notes[1].kind, RIG_INPUT);
    assert_int_equal(r->notes[2].kind, RIG_CLOSED);
    assert_int_equal(r->notes[2].status, DUNLIN_END);
    assert_int_equal(count(r)->sessions, 0);
    assert_int_equal(dn_secure_send(r->secure, &peer, dunlin_slice_of("x"), r->now_ms), DUNLIN_ERR_NOT_FOUND);
    rig_destroy(r);
}

static void we_say_goodbye(void **state)
{
    (void)state;
    rig *r = rig_create(DTLS, NULL);
    dn_peer peer = rig_peer(DTLS, 1, 1000);
    rig_client *client = establish(r, 1, &peer);
    dn_secure_close(r->secure, &peer, r->now_ms);
    assert_int_equal(rig_count(r, RIG_CLOSED, NULL), 0);
    assert_int_equal(count(r)->sessions, 0);
    rig_run(r, 100);
    assert_int_equal(dn_tls_state_of(client->tls), DN_TLS_ENDED);
    assert_int_equal(dn_tls_ending_of(client->tls)->status, DUNLIN_END);
    rig_destroy(r);
}

/* The callbacks may end the session that calls them. */
static void ending_from_within(void **state)
{
    (void)state;
    rig *r = rig_create(DTLS, NULL);
    dn_peer peer = rig_peer(DTLS, 1, 1000);
    rig_client *client = establish(r, 1, &peer);
    r->echo = r->end_in_input = true;
    rig_say(client, "one");
    rig_say(client, "two");
    rig_run(r, 100);
    assert_int_equal(rig_count(r, RIG_INPUT, &peer), 1);
    assert_int_equal(rig_count(r, RIG_CLOSED, &peer), 0);
    assert_int_equal(client->got_len, 3);
    assert_int_equal(count(r)->sessions, 0);
    r->end_in_opened = true;
    client = dial(r, 1, &peer);
    rig_run(r, 1000);
    assert_int_equal(rig_count(r, RIG_OPENED, &peer), 2);
    assert_int_equal(count(r)->sessions, 0);
    assert_int_equal(dn_tls_state_of(client->tls), DN_TLS_ENDED);
    rig_destroy(r);
}

/* Credentials that change. */

static void revoking_a_credential(void **state)
{
    (void)state;
    rig *r = rig_create(DTLS, NULL);
    dn_peer peers[3];
    rig_client *clients[3];
    for (unsigned i = 0; i < 3; i++) {
        peers[i] = rig_peer(DTLS, 1 + i, 1000);
        clients[i] = establish(r, i < 2 ? 1 : 2, &peers[i]); /* two sessions of one credential */
    }
    uint64_t number = dn_secure_identity(r->secure, &peers[0])->credential;
    rig_change(r, 1);
    assert_int_equal(dn_secure_revoke(r->secure, number, r->now_ms), 2);
    assert_int_equal(rig_count(r, RIG_CLOSED, NULL), 2);
    assert_int_equal(rig_last(r, RIG_CLOSED)->status, DUNLIN_ERR_ACCESS);
    assert_int_equal(count(r)->revoked, 2);
    assert_int_equal(count(r)->sessions, 1);
    rig_run(r, 100);
    assert_int_equal(dn_tls_state_of(clients[0]->tls), DN_TLS_ENDED);
    assert_true(rig_is_open(clients[2]));
    assert_int_equal(dn_secure_revoke(r->secure, number, r->now_ms), 0);
    assert_int_equal(dn_secure_revoke(r->secure, DN_SECURE_EVERYBODY, r->now_ms), 1);
    rig_destroy(r);
}

/* A change is told after it was made: who has proved the new credential meanwhile stays, with a session or a handshake under way. */
static void who_is_back_already_is_spared(void **state)
{
    (void)state;
    rig *r = rig_create(DTLS, NULL);
    dn_peer old = rig_peer(DTLS, 1, 1000), new = rig_peer(DTLS, 2, 1000), newest = rig_peer(DTLS, 3, 1000);
    rig_client *before = establish(r, 1, &old);
    uint64_t number = dn_secure_identity(r->secure, &old)->credential;
    rig_change(r, 1);
    rig_client *after = establish(r, 1, &new);
    rig_client *under_way = dial(r, 1, &newest);
    while (count(r)->half_open == 0) {
        assert_true(rig_step(r, r->now_ms + 100));
    }
    assert_int_equal(dn_secure_revoke(r->secure, number, r->now_ms), 1);
    rig_run(r, 1000);
    assert_false(rig_is_open(before));
    assert_true(rig_is_open(after) && rig_is_open(under_way));
    assert_int_equal(count(r)->sessions, 2);
    assert_int_equal(count(r)->revoked, 1);
    assert_int_equal(dn_secure_revoke(r->secure, number, r->now_ms), 0); /* told twice */
    assert_int_equal(dn_secure_revoke(r->secure, DN_SECURE_EVERYBODY, r->now_ms), 2);
    rig_destroy(r);
}

/* A handshake that was under way when its credential was revoked may have proved what holds no longer. */
static void revoking_during_a_handshake(void **state)
{
    enum { OTHERS, OWN, EVERYBODY };
    static const struct {
        const char *name;
        unsigned revocations;
        int first;         /* of them; the rest are others */
        bool nobody_knows; /* whether it is as it was */
        bool opens;
    } cases[] = {
        {"another's", 1, OTHERS, false, true},
        {"as many others as are remembered", 32, OTHERS, false, true},
        {"more than are remembered", 33, OTHERS, false, false},
        {"its own, and it proves what holds now", 1, OWN, false, true},
        {"its own, and perhaps it proves what held before", 1, OWN, true, false},
        {"the same, long ago", 32, OWN, true, false},
        {"everybody's", 1, EVERYBODY, false, false},
        {"everybody's, long ago", 32, EVERYBODY, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig *r = rig_create(DTLS, NULL);
        dn_peer peer = rig_peer(DTLS, 1, 1000);
        (void)establish(r, 1, &peer);
        uint64_t number = dn_secure_identity(r->secure, &peer)->credential;
        dn_secure_close(r->secure, &peer, r->now_ms);
        dn_credentials_ops ops = *r->keeper.head.ops;
        if (cases[i].nobody_knows) {
            ops.is_current = NULL;
            r->keeper.head.ops = &ops;
        }
        rig_client *client = dial(r, 1, &peer);
        while (count(r)->half_open == 0) {
            assert_true(rig_step(r, r->now_ms + 100));
        }
        for (unsigned n = 0; n < cases[i].revocations; n++) {
            int kind = n == 0 ? cases[i].first : OTHERS;
            (void)dn_secure_revoke(r->secure,
                                   kind == OWN         ? number
                                   : kind == EVERYBODY ? DN_SECURE_EVERYBODY
                                                       : 100000 + n,
                                   r->now_ms);
        }
        rig_run(r, 1000);
        if (rig_is_open(client) != cases[i].opens) {
            fail_msg("%s", cases[i].name);
        }
        assert_int_equal(rig_count(r, RIG_OPENED, &peer), cases[i].opens ? 2 : 1);
        assert_int_equal(count(r)->sessions, cases[i].opens);
        assert_int_equal(count(r)->half_open, 0);
        rig_destroy(r);
    }
}

static void sessions_are_resumed(void **state)
{
    uint8_t ticket[DN_TLS_RESUME_MAX];
    (void)state;
    rig *r = rig_create(DTLS, NULL);
    dn_peer before = rig_peer(DTLS, 1, 1000), after = rig_peer(DTLS, 2, 2000),
            third = rig_peer(DTLS, 3, 3000);
    rig_client *client = establish(r, 1, &before);
    size_t len = dn_tls_resumption(client->tls, ticket, sizeof ticket);
    assert_true(len > 0);
    client = rig_dial(r, 1, &after, NULL, NULL, dunlin_slice_make(ticket, len));
    rig_run(r, 1000);
    assert_true(rig_is_open(client) && dn_tls_is_resumed(client->tls));
    assert_true(rig_last(r, RIG_OPENED)->resumed);
    assert_string_equal(rig_last(r, RIG_OPENED)->endpoint, "d1");
    assert_int_equal(count(r)->resumed, 1);
    assert_int_equal(count(r)->sessions, 2);
    dn_tls_context_drop_tickets(r->context);
    client = rig_dial(r, 1, &third, NULL, NULL, dunlin_slice_make(ticket, len));
    rig_run(r, 1000);
    assert_true(rig_is_open(client) && !dn_tls_is_resumed(client->tls));
    rig_destroy(r);
}

/* Established sessions go on when the server's context changes; the old context lives as long as they do. */
static void another_context(void **state)
{
    (void)state;
    rig *r = rig_create(DTLS, NULL);
    dn_peer peer = rig_peer(DTLS, 1, 1000), other = rig_peer(DTLS, 2, 1000);
    rig_client *client = establish(r, 1, &peer);
    dn_tls_context *next = rig_server_context(r);
    dn_secure_use(r->secure, next);
    dn_tls_context_give_up(r->context);
    r->context = next;
    (void)establish(r, 2, &other);
    rig_say(client, "still here");
    rig_run(r, 100);
    assert_int_equal(rig_count(r, RIG_INPUT, &peer), 1);
    assert_int_equal(count(r)->sessions, 2);
    rig_destroy(r);
}

/* The same where each record comes in a datagram of its own. */
#define with_split_records(test)                   \
    {                                              \
#test " (split)", test, NULL, NULL, &split \
    }

int main(void)
{
    static char split;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_peers_over_a_bad_network),
        with_split_records(many_peers_over_a_bad_network),
        cmocka_unit_test(any_flight_may_be_lost),
        cmocka_unit_test(why_handshakes_fail),
        cmocka_unit_test(forged_hellos_cost_nothing),
        cmocka_unit_test(answers_to_hellos_are_limited),
        cmocka_unit_test(cookies_do_not_travel),
        cmocka_unit_test(half_open_handshakes_are_limited),
        cmocka_unit_test(half_open_handshakes_keep_little),
        cmocka_unit_test(garbage_does_no_harm),
        cmocka_unit_test(a_device_that_starts_again),
        with_split_records(a_device_that_starts_again),
        cmocka_unit_test(an_established_session_outlives_attempts),
        cmocka_unit_test(old_and_new_side_by_side),
        cmocka_unit_test(another_identity_takes_the_place),
        cmocka_unit_test(a_handshake_begun_anew),
        cmocka_unit_test(the_quietest_gives_way),
        cmocka_unit_test(idle_sessions_end),
        cmocka_unit_test(the_other_end_says_goodbye),
        cmocka_unit_test(we_say_goodbye),
        cmocka_unit_test(ending_from_within),
        cmocka_unit_test(revoking_a_credential),
        cmocka_unit_test(who_is_back_already_is_spared),
        cmocka_unit_test(revoking_during_a_handshake),
        cmocka_unit_test(sessions_are_resumed),
        cmocka_unit_test(another_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
