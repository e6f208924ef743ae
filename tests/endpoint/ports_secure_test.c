/* SPDX-License-Identifier: Apache-2.0 */
/* A server's ports on all four transports at once, with devices on real sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "endpoint/ports.h"
#include "tests/endpoint/keeper.h"
#include "tests/endpoint/ports_client.h"

#include <pthread.h>
#include <stdlib.h>

#define WAIT_MS     60000
#define NOTES_MAX   256u
#define CLIENTS_MAX 8u

typedef enum { MESSAGE, OPENED, CLOSED } kind;

typedef struct {
    kind kind;
    dn_peer peer;
    dunlin_status status;
} note;

typedef struct {
    dn_ports *ports;
    keeper keeper;
    dn_tls_context *server, *device;
    uint64_t now_ms;
    note notes[NOTES_MAX];
    size_t count;
    ports_client *clients[CLIENTS_MAX];
    size_t client_count;
    bool end_in_message;
} world;

/* A message that both forms of CoAP can carry: a GET without anything, in each. */
static const uint8_t as_datagram[] = {0x40, 0x01, 0x12, 0x34};
static const uint8_t as_stream[] = {0x00, 0x01};

static dunlin_slice message_for(dn_transport transport)
{
    return dn_transport_is_stream(transport) ? dunlin_slice_make(as_stream, sizeof as_stream)
                                             : dunlin_slice_make(as_datagram, sizeof as_datagram);
}

static note *add(world *w, kind what, const dn_peer *peer)
{
    assert_true(w->count < NOTES_MAX);
    note *n = &w->notes[w->count++];
    *n = (note){.kind = what, .peer = *peer};
    return n;
}

static void on_message(void *context, const dn_peer *peer, dunlin_slice message)
{
    world *w = context;
    (void)add(w, MESSAGE, peer);
    assert_true(dunlin_slice_equal(message, message_for(dn_peer_transport(peer))));
    dn_ports_send(w->ports, peer, message, w->now_ms);
    if (w->end_in_message) {
        dn_ports_end(w->ports, peer, w->now_ms);
        assert_int_equal(dn_ports_reaches(w->ports, peer), dn_peer_transport(peer) == DN_TRANSPORT_UDP);
    }
}

static void on_opened(void *context, const dn_peer *peer)
{
    world *w = context;
    (void)add(w, OPENED, peer);
    assert_true(dn_ports_reaches(w->ports, peer));
    assert_int_equal(dn_ports_identity(w->ports, peer) != NULL,
                     dn_transport_is_secure(dn_peer_transport(peer)));
}

static void on_closed(void *context, const dn_peer *peer, dunlin_status status)
{
    world *w = context;
    add(w, CLOSED, peer)->status = status;
    assert_false(dn_ports_reaches(w->ports, peer));
    assert_null(dn_ports_identity(w->ports, peer));
}

static dn_tls_context *make_server(world *w)
{
    char error[200];
    dn_tls_context *context = NULL;
    dn_tls_server_config config = dn_tls_server_config_default();
    config.credentials = &w->keeper.head;
    if (dn_tls_server_create(&config, &context, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
    return context;
}

static dn_tls_context *make_device(const char *identity, const char *key)
{
    char error[200];
    dn_tls_context *context = NULL;
    dn_tls_client_config config = dn_tls_client_config_default();
    config.mode = DN_SECURITY_PSK;
    config.own = dunlin_slice_of(identity);
    config.secret = dunlin_slice_of(key);
    if (dn_tls_client_create(&config, &context, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
    return context;
}

static world *open_world(const char *address)
{
    char error[200] = "";
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->now_ms = 5000;
    keeper_init(&w->keeper);
    (void)keeper_psk(&w->keeper, "dev", "identity", "a secret of 24 bytes long");
    w->server = make_server(w);
    w->device = make_device("identity", "a secret of 24 bytes long");
    dn_ports_config config = dn_ports_config_default();
    for (unsigned i = 0; i < 4; i++) {
        config.listen[i] = (dn_ports_addresses){&address, 1};
    }
    config.tls = w->server;
    const dn_ports_callbacks call = {
        .message = on_message, .opened = on_opened, .closed = on_closed, .context = w};
    if (dn_ports_open(&config, &call, w->now_ms, &w->ports, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
    return w;
}

static void close_world(world *w)
{
    for (size_t i = 0; i < w->client_count; i++) {
        ports_client_free(w->clients[i]);
    }
    dn_ports_close(w->ports);
    dn_tls_context_give_up(w->server);
    dn_tls_context_give_up(w->device);
    free(w);
}

static ports_client *dial(world *w, dn_transport transport, dn_tls_context *device)
{
    assert_true(w->client_count < CLIENTS_MAX);
    ports_client *c = ports_client_open(dn_ports_address(w->ports, transport, 0), transport,
                                        dn_transport_is_secure(transport) ? device : NULL, w->now_ms);
    w->clients[w->client_count++] = c;
    return c;
}

static void serve(world *w)
{
    dunlin_status status;
    (void)dn_ports_receive(w->ports, w->now_ms, &status);
    assert_int_equal(status, DUNLIN_OK);
    dn_ports_expire(w->ports, w->now_ms);
    dn_ports_flush(w->ports);
}

/* Until something happens somewhere, and it is dealt with. Nothing is lost on the way, so that no time has to pass. */
static void turn(world *w)
{
    struct pollfd fds[DN_PORTS_FDS_MAX + CLIENTS_MAX];
    size_t count = dn_ports_fds(w->ports, fds);
    for (size_t i = 0; i < w->client_count; i++) {
        fds[count++] = ports_client_fd(w->clients[i]);
    }
    assert_true(poll(fds, count, WAIT_MS) > 0);
    serve(w);
    for (size_t i = 0; i < w->client_count; i++) {
        ports_client_work(w->clients[i]);
    }
}

static void until_up(world *w, const ports_client *c)
{
    while (!c->up) {
        assert_false(c->down);
        turn(w);
    }
}

static void until_down(world *w, const ports_client *c)
{
    while (!c->down) {
        turn(w);
    }
}

static void until_noted(world *w, size_t count)
{
    while (w->count < count) {
        turn(w);
    }
}

static void until_answered(world *w, ports_client *c)
{
    size_t before = c->messages;
    ports_client_send(c, message_for(dn_peer_transport(&c->server)));
    while (c->messages == before) {
        turn(w);
    }
}

static void every_transport(void **state)
{
    static const char *const addresses[] = {"127.0.0.1:0", "[::1]:0"};
    (void)state;
    for (size_t a = 0; a < 2; a++) {
        world *w = open_world(addresses[a]);
        for (unsigned t = 0; t < 4; t++) {
            dn_transport transport = (dn_transport)t;
            bool secure = dn_transport_is_secure(transport);
            ports_client *c = dial(w, transport, w->device);
            until_up(w, c);
            until_answered(w, c);
            const dn_peer *peer = &w->notes[w->count - 1].peer;
            assert_int_equal(dn_peer_transport(peer), t);
            assert_int_equal(w->notes[w->count - 1].kind, MESSAGE);
            const dn_identity *identity = dn_ports_identity(w->ports, peer);
            assert_int_equal(identity != NULL, secure);
            assert_true(!secure || dunlin_slice_equal(dn_identity_name(identity), dunlin_slice_of("dev")));
            until_answered(w, c);
            assert_true(dn_ports_reaches(w->ports, peer));
            dn_ports_end(w->ports, peer, w->now_ms);
            dn_ports_flush(w->ports);
            assert_int_equal(dn_ports_reaches(w->ports, peer), t == DN_TRANSPORT_UDP);
            if (t != DN_TRANSPORT_UDP) {
                until_down(w, c);
                assert_int_equal(c->status, DUNLIN_END);
            }
        }
        dn_ports_counters counters;
        dn_ports_count(w->ports, &counters);
        assert_int_equal(counters.dtls.handshakes, 1);
        assert_int_equal(counters.tls.handshakes, 1);
        assert_int_equal(counters.dtls.sessions + counters.tls.sessions, 0);
        assert_int_equal(counters.tcp.accepted, 2);
        assert_int_equal(counters.tcp_connections, 0);
        assert_int_equal(counters.dropped, 0);
        size_t opened = 0, closed = 0;
        for (size_t i = 0; i < w->count; i++) {
            opened += w->notes[i].kind == OPENED;
            closed += w->notes[i].kind == CLOSED;
        }
        assert_int_equal(opened, 3);
        assert_int_equal(closed, 0);
        close_world(w);
    }
}

static void ending_in_message(void **state)
{
    (void)state;
    world *w = open_world("127.0.0.1:0");
    w->end_in_message = true;
    for (unsigned t = 0; t < 4; t++) {
        ports_client *c = dial(w, (dn_transport)t, w->device);
        until_up(w, c);
        until_answered(w, c); /* what was queued before the end goes out */
        if (t != DN_TRANSPORT_UDP) {
            until_down(w, c);
        }
    }
    close_world(w);
}

/* A device that ends is told of, with the reason; one that fails to prove itself never is. */
static void devices_that_leave(void **state)
{
    (void)state;
    world *w = open_world("127.0.0.1:0");
    for (unsigned t = 1; t < 4; t++) {
        ports_client *c = dial(w, (dn_transport)t, w->device);
        until_up(w, c);
        size_t before = w->count;
        if (t == DN_TRANSPORT_TCP) {
            until_answered(w, c);
            before = w->count;
            dn_tcp_close(c->tcp, &c->server, false);
        } else {
            dn_link_close(c->link, w->now_ms);
        }
        ports_client_work(c);
        until_noted(w, before + 1);
        assert_int_equal(w->notes[w->count - 1].kind, CLOSED);
        assert_int_equal(w->notes[w->count - 1].status, DUNLIN_END);
    }
    size_t before = w->count;
    dn_tls_context *stranger = make_device("somebody", "a secret of 24 bytes long");
    for (unsigned t = 0; t < 2; t++) {
        ports_client *c = dial(w, t == 0 ? DN_TRANSPORT_DTLS : DN_TRANSPORT_TLS, stranger);
        until_down(w, c);
        assert_int_equal(c->alert, 115);
    }
    dn_tls_context_give_up(stranger);
    assert_int_equal(w->count, before);
    dn_ports_counters counters;
    dn_ports_count(w->ports, &counters);
    assert_int_equal(counters.dtls.unknown_psk, 1);
    assert_int_equal(counters.tls.unknown_psk, 1);
    assert_int_equal(counters.tcp_connections, 0);
    close_world(w);
}

/* Bytes that are no messages end a stream, and the device is told why by an Abort (RFC 8323 section 5.6). */
static void malformed_streams(void **state)
{
    (void)state;
    for (unsigned t = 2; t < 4; t++) {
        world *w = open_world("127.0.0.1:0");
        ports_client *c = dial(w, (dn_transport)t, w->device);
        until_up(w, c);
        until_noted(w, 1);
        ports_client_send(c, dunlin_slice_make("\x09\x01", 2));
        until_down(w, c);
        assert_int_equal(w->notes[1].kind, CLOSED);
        assert_int_equal(w->notes[1].status, DUNLIN_ERR_MALFORMED);
        assert_true(c->messages == 1 && c->got_len > 3 && c->got[2] == 0xe5);
        dn_ports_counters counters;
        dn_ports_count(w->ports, &counters);
        assert_int_equal(counters.malformed_streams, 1);
        assert_int_equal(counters.tls.sessions + counters.tcp_connections, 0);
        close_world(w);
    }
}

typedef struct {
    world *world;
    uint64_t credential;
} wish;

static void *revoke_from_outside(void *context)
{
    const wish *w = context;
    for (unsigned i = 0; i < 100; i++) {
        dn_ports_revoke_later(w->world->ports, i == 50 ? w->credential : 1000 + i);
    }
    return NULL;
}

static void other_threads(void **state)
{
    (void)state;
    world *w = open_world("127.0.0.1:0");
    ports_client *dtls = dial(w, DN_TRANSPORT_DTLS, w->device);
    ports_client *tls = dial(w, DN_TRANSPORT_TLS, w->device);
    until_up(w, dtls);
    until_up(w, tls);
    until_noted(w, 2);
    wish revoke = {w, dn_ports_identity(w->ports, &w->notes[0].peer)->credential};
    assert_int_equal(keeper_psk(&w->keeper, "dev", "identity", "a secret of 24 bytes long"),
                     revoke.credential);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, revoke_from_outside, &revoke), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(dn_ports_deadline(w->ports), 0);
    assert_int_equal(w->count, 2);
    serve(w);
    assert_int_equal(w->count, 4);
    assert_int_equal(w->notes[2].kind, CLOSED);
    assert_int_equal(w->notes[2].status, DUNLIN_ERR_ACCESS);
    assert_int_equal(w->notes[3].status, DUNLIN_ERR_ACCESS);
    until_down(w, dtls);
    until_down(w, tls);
    /* The device comes again with what it kept: that is worth nothing now, but its key still is. */
    assert_int_not_equal(dn_ports_deadline(w->ports), 0);
    ports_client_reopen(dtls, w->device);
    until_up(w, dtls);
    assert_false(dn_link_is_resumed(dtls->link));
    close_world(w);
}

static void another_context(void **state)
{
    (void)state;
    world *w = open_world("127.0.0.1:0");
    ports_client *before = dial(w, DN_TRANSPORT_DTLS, w->device);
    until_up(w, before);
    dn_tls_context *unused = make_server(w), *next = make_server(w);
    dn_ports_use_later(w->ports, unused);
    dn_ports_use_later(w->ports, next);
    dn_tls_context_give_up(unused);
    dn_tls_context_give_up(next);
    dn_tls_context_give_up(w->server);
    w->server = NULL;
    assert_int_equal(dn_ports_deadline(w->ports), 0);
    serve(w);
    until_answered(w, before);
    until_up(w, dial(w, DN_TRANSPORT_TLS, w->device));
    dn_ports_use_later(w->ports, (w->server = make_server(w))); /* never taken over */
    close_world(w);
}

static void resumption(void **state)
{
    (void)state;
    world *w = open_world("127.0.0.1:0");
    for (unsigned t = 0; t < 2; t++) {
        ports_client *c = dial(w, t == 0 ? DN_TRANSPORT_DTLS : DN_TRANSPORT_TLS, w->device);
        until_up(w, c);
        until_answered(w, c);
        dn_link_close(c->link, w->now_ms);
        ports_client_work(c);
        ports_client_reopen(c, w->device);
        until_up(w, c);
        assert_true(dn_link_is_resumed(c->link));
        until_answered(w, c);
    }
    dn_ports_counters counters;
    dn_ports_count(w->ports, &counters);
    assert_int_equal(counters.dtls.resumed, 1);
    assert_int_equal(counters.tls.resumed, 1);
    close_world(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_transport),    cmocka_unit_test(ending_in_message),
        cmocka_unit_test(devices_that_leave), cmocka_unit_test(malformed_streams),
        cmocka_unit_test(other_threads),      cmocka_unit_test(another_context),
        cmocka_unit_test(resumption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
