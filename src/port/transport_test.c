/* SPDX-License-Identifier: Apache-2.0 */
/* A device's ways over real sockets of this host, to a server's ports, and with a client that only takes notes. */
#include "port/transport.h"

#include "endpoint/ports.h"
#include "port/clock.h"
#include "port/entropy.h"
#include "tests/endpoint/keeper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE_MS 60000u
#define KEY         "0123456789abcdef"

/* ---- the client: what transport.c calls of it ---- */

struct dunlin_client {
    bool asleep;
    unsigned messages, strangers, connected, disconnected;
    dunlin_peer peer; /* of the way that came last */
    dunlin_status status;
    int alert;
    uint16_t server;
};

void dunlin_client_receive(dunlin_client *client, const dunlin_peer *peer, dunlin_slice message,
                           uint64_t now_ms)
{
    (void)now_ms;
    assert_true(message.len > 0);
    const bool known =
        client->peer.len == peer->len && memcmp(client->peer.bytes, peer->bytes, peer->len) == 0;
    client->messages++;
    client->strangers += !known;
}

void dunlin_client_connected(dunlin_client *client, uint16_t server, const dunlin_peer *peer, uint64_t now_ms)
{
    (void)now_ms;
    client->connected++;
    client->server = server;
    client->peer = *peer;
}

void dunlin_client_disconnected(dunlin_client *client, uint16_t server, dunlin_status status, int alert,
                                uint64_t now_ms)
{
    (void)now_ms;
    client->disconnected++;
    client->server = server;
    client->status = status;
    client->alert = alert;
}

bool dunlin_client_awake(const dunlin_client *client)
{
    return !client->asleep;
}

/* ---- the world ---- */

typedef struct {
    dunlin_client client;
    dn_ways *ways;
    dn_ports *ports; /* answers each message with itself */
    dn_tls_context *tls;
    keeper keeper;
    dn_entropy entropy;
    dn_ways_event event; /* the last; its texts are copied */
    char why[256], suite[64];
    unsigned faults, in, out, opened;
    dn_peer device; /* as the server sees the one that came last */
} world;

static void on_event(void *context, const dn_ways_event *event)
{
    world *w = context;
    w->event = *event;
    (void)snprintf(w->why, sizeof w->why, "%s", event->why);
    (void)snprintf(w->suite, sizeof w->suite, "%s", event->suite);
    w->faults += event->kind == DN_WAYS_FAULT;
}

static void on_carried(void *context, bool out, size_t len)
{
    world *w = context;
    assert_true(len > 0);
    w->out += out;
    w->in += !out;
}

static void served_message(void *context, const dn_peer *peer, dunlin_slice message)
{
    world *w = context;
    dn_ports_send(w->ports, peer, message, dn_clock_ms());
}

static void served_opened(void *context, const dn_peer *peer)
{
    world *w = context;
    w->opened++;
    w->device = *peer;
}

static void served_closed(void *context, const dn_peer *peer, dunlin_status status)
{
    (void)context;
    (void)peer;
    (void)status;
}

static void serve(world *w)
{
    static const char *const address = "127.0.0.1:0";
    static const char *const addresses[] = {"127.0.0.1:0", "[::1]:0"};
    char error[256] = "";
    dn_tls_server_config tls = dn_tls_server_config_default();
    dn_ports_config config = dn_ports_config_default();
    const dn_ports_callbacks callbacks = {served_message, served_opened, served_closed, w};
    keeper_init(&w->keeper);
    (void)keeper_psk(&w->keeper, "device", "device", KEY);
    tls.credentials = &w->keeper.head;
    assert_int_equal(dn_tls_server_create(&tls, &w->tls, error, sizeof error), DUNLIN_OK);
    config.tls = w->tls;
    config.dtls.random = config.tls_streams.random = dn_entropy_random(&w->entropy);
    for (size_t i = 0; i < 4; i++) {
        config.listen[i] = (dn_ports_addresses){&address, 1};
    }
    config.listen[DN_TRANSPORT_TCP] = (dn_ports_addresses){addresses, 2};
    if (dn_ports_open(&config, &callbacks, dn_clock_ms(), &w->ports, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
}

static void use(world *w, const char *local, uint32_t max_stream_message)
{
    dn_ways_config config = dn_ways_config_default();
    dn_ways_destroy(w->ways);
    config.local = local;
    config.max_stream_message = max_stream_message;
    config.event = on_event;
    config.carried = on_carried;
    config.context = w;
    assert_int_equal(dn_ways_create(&config, &w->ways), DUNLIN_OK);
    dn_ways_attach(w->ways, &w->client);
}

static int set_up(void **state)
{
    world *w = calloc(1, sizeof *w);
    *state = w;
    serve(w);
    use(w, NULL, 8192);
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    dn_ways_destroy(w->ways);
    dn_ports_close(w->ports);
    dn_tls_context_give_up(w->tls);
    free(w);
    return 0;
}

static void turn(world *w)
{
    struct pollfd fds[DN_WAYS_FDS_MAX + DN_PORTS_FDS_MAX];
    dn_ways_flush(w->ways);
    dn_ports_flush(w->ports);
    size_t count = dn_ways_fds(w->ways, fds);
    count += dn_ports_fds(w->ports, fds + count);
    const bool due = dn_ways_deadline(w->ways) <= dn_clock_ms();
    (void)poll(fds, (nfds_t)count, due ? 0 : 10);
    dn_ways_work(w->ways);
    (void)dn_ports_receive(w->ports, dn_clock_ms(), NULL);
    dn_ports_expire(w->ports, dn_clock_ms());
}

static void until(world *w, const unsigned *counter, unsigned value)
{
    const uint64_t end = dn_clock_ms() + PATIENCE_MS;
    while (*counter < value) {
        turn(w);
        assert_true(dn_clock_ms() < end);
    }
}

static const dunlin_security nosec = {.mode = DUNLIN_NOSEC, .matching = -1, .usage = -1};

static dunlin_security psk(const char *identity)
{
    dunlin_security s = {.mode = DUNLIN_PSK, .matching = -1, .usage = -1};
    s.identity = dunlin_slice_of(identity);
    s.secret = dunlin_slice_of(KEY);
    return s;
}

static const char *uri_of(const world *w, dn_transport transport)
{
    static const char *const schemes[] = {"coap", "coaps", "coap+tcp", "coaps+tcp"};
    static char uri[128];
    (void)snprintf(uri, sizeof uri, "%s://%s", schemes[transport], dn_ports_address(w->ports, transport, 0));
    return uri;
}

static dunlin_status ask(world *w, uint16_t server, const char *uri, const dunlin_security *security,
                         bool anew)
{
    const dunlin_way way = {server, uri, security, anew};
    dunlin_peer peer = {0};
    const dunlin_status status = dn_ways_connect(w->ways, &way, &peer);
    if (status == DUNLIN_OK) {
        w->client.peer = peer;
    }
    return status;
}

/* An answer of the right form comes back. */
static void talk(world *w, bool stream)
{
    static const uint8_t datagram[] = {0x50, 0x45, 0x12, 0x34, 0xff, 'h', 'i'};
    static const uint8_t framed[] = {0x30, 0x45, 0xff, 'h', 'i'};
    const unsigned before = w->client.messages;
    dn_ways_send(w->ways, &w->client.peer,
                 stream ? dunlin_slice_make(framed, sizeof framed)
                        : dunlin_slice_make(datagram, sizeof datagram));
    until(w, &w->client.messages, before + 1);
    assert_int_equal(w->client.strangers, 0);
}

static void every_transport(void **state)
{
    world *w = *state;
    const dunlin_security security = psk("device");
    for (dn_transport t = DN_TRANSPORT_UDP; t <= DN_TRANSPORT_TLS; t++) {
        const bool stream = dn_transport_is_stream(t);
        const bool secure = dn_transport_is_secure(t);
        const unsigned connected = w->client.connected;
        const dunlin_status status =
            ask(w, (uint16_t)(t + 1), uri_of(w, t), secure ? &security : &nosec, false);
        assert_int_equal(status, t == DN_TRANSPORT_UDP ? DUNLIN_OK : DUNLIN_END);
        if (t != DN_TRANSPORT_UDP) {
            assert_int_equal(ask(w, (uint16_t)(t + 1), uri_of(w, t), secure ? &security : &nosec, false),
                             DUNLIN_END); /* it goes on */
            until(w, &w->client.connected, connected + 1);
            assert_int_equal(w->client.server, t + 1);
            assert_int_equal(w->event.kind, DN_WAYS_UP);
            assert_string_equal(w->suite, secure ? "TLS_PSK_WITH_AES_128_CCM_8" : "");
        }
        talk(w, stream);
        /* Something was heard: it is good for another Register, but only once. */
        assert_int_equal(ask(w, (uint16_t)(t + 1), uri_of(w, t), secure ? &security : &nosec, false),
                         DUNLIN_OK);
        talk(w, stream);
    }
    assert_true(dn_ways_address(w->ways)[0] != '\0');
    assert_int_equal(w->in, w->out);
    assert_int_equal(w->client.disconnected, 0);
}

/* The other end may have lost its session: who hears nothing begins anew. */
static void silence(void **state)
{
    world *w = *state;
    const dunlin_security security = psk("device");
    assert_int_equal(ask(w, 1, uri_of(w, DN_TRANSPORT_DTLS), &security, false), DUNLIN_END);
    until(w, &w->client.connected, 1);
    assert_false(w->event.is_resumed);
    assert_int_equal(ask(w, 1, uri_of(w, DN_TRANSPORT_DTLS), &security, false), DUNLIN_END);
    until(w, &w->client.connected, 2);
    assert_true(w->event.is_resumed);
    talk(w, false);
    assert_int_equal(ask(w, 1, uri_of(w, DN_TRANSPORT_DTLS), &security, true),
                     DUNLIN_END); /* other credentials */
    until(w, &w->client.connected, 3);
    assert_false(w->event.is_resumed);
    dn_ways_disconnect(w->ways, 1);
    assert_int_equal(w->client.disconnected, 0);
    assert_int_equal(ask(w, 1, uri_of(w, DN_TRANSPORT_DTLS), &security, false), DUNLIN_END);
    until(w, &w->client.connected, 4);
    assert_true(w->event.is_resumed);
}

static void roaming_and_dropping(void **state)
{
    world *w = *state;
    const dunlin_security security = psk("device");
    const dn_transport rows[] = {DN_TRANSPORT_DTLS, DN_TRANSPORT_TLS};
    unsigned connected = 0;
    unsigned disconnected = 0;
    for (size_t i = 0; i < 2; i++) {
        const bool stream = dn_transport_is_stream(rows[i]);
        assert_int_equal(ask(w, (uint16_t)(i + 1), uri_of(w, rows[i]), &security, false), DUNLIN_END);
        until(w, &w->client.connected, ++connected);
        talk(w, stream);
        const dn_peer before = w->device;
        assert_int_equal(dn_ways_roam(w->ways), DUNLIN_OK);
        assert_int_equal(w->client.disconnected, ++disconnected);
        assert_int_equal(w->client.status, DUNLIN_ERR_CANCELLED);
        assert_int_equal(ask(w, (uint16_t)(i + 1), uri_of(w, rows[i]), &security, false), DUNLIN_END);
        until(w, &w->client.connected, ++connected);
        assert_true(w->event.is_resumed);
        talk(w, stream);
        assert_false(dn_peer_equal(&before, &w->device));
        dn_ways_drop(w->ways);
        assert_int_equal(w->client.disconnected, ++disconnected);
        assert_int_equal(ask(w, (uint16_t)(i + 1), uri_of(w, rows[i]), &security, false), DUNLIN_END);
        until(w, &w->client.connected, ++connected);
        assert_false(w->event.is_resumed);
        talk(w, stream);
        dn_ways_disconnect(w->ways, (uint16_t)(i + 1));
    }
}

static void refused(void **state)
{
    world *w = *state;
    const dunlin_security stranger = psk("stranger");
    const dn_transport rows[] = {DN_TRANSPORT_DTLS, DN_TRANSPORT_TLS};
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(ask(w, 1, uri_of(w, rows[i]), &stranger, false), DUNLIN_END);
        until(w, &w->client.disconnected, i + 1);
        assert_int_equal(w->client.status, DUNLIN_ERR_REJECTED);
        assert_int_equal(w->client.alert, 115);
        assert_int_equal(w->event.kind, DN_WAYS_DOWN);
    }
    assert_int_equal(w->client.connected, 0);
}

static void the_server_ends_it(void **state)
{
    world *w = *state;
    const dunlin_security security = psk("device");
    for (dn_transport t = DN_TRANSPORT_DTLS; t <= DN_TRANSPORT_TLS; t++) {
        const unsigned disconnected = w->client.disconnected;
        const bool secure = dn_transport_is_secure(t);
        assert_int_equal(ask(w, 1, uri_of(w, t), secure ? &security : &nosec, false), DUNLIN_END);
        until(w, &w->client.connected, w->client.connected + 1);
        talk(w, dn_transport_is_stream(t));
        dn_ports_end(w->ports, &w->device, dn_clock_ms());
        until(w, &w->client.disconnected, disconnected + 1);
        assert_int_equal(w->client.status, DUNLIN_END);
    }
}

static void nobody_listens(void **state)
{
    world *w = *state;
    char uri[128];
    (void)snprintf(uri, sizeof uri, "%s", uri_of(w, DN_TRANSPORT_TCP));
    dn_ports_close(w->ports);
    w->ports = NULL;
    dn_tls_context_give_up(w->tls);
    assert_int_equal(ask(w, 1, uri, &nosec, false), DUNLIN_END);
    serve(w); /* elsewhere, for the turns to have something */
    until(w, &w->client.disconnected, 1);
    assert_int_equal(w->client.status, DUNLIN_ERR_REJECTED);
}

/* What cannot be begun is said. */
static void faults(void **state)
{
    world *w = *state;
    const dunlin_security security = psk("device");
    const dunlin_security none = {.mode = DUNLIN_PSK, .matching = -1, .usage = -1};
    char copy[128];
    assert_int_equal(ask(w, 1, "http://127.0.0.1", &nosec, false), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(ask(w, 1, "coap://no.such.host.invalid", &nosec, false), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(w->faults, 1);
    assert_int_equal(ask(w, 1, uri_of(w, DN_TRANSPORT_DTLS), &none, false), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(w->faults, 2);
    assert_int_equal(w->event.kind, DN_WAYS_FAULT);
    assert_true(w->why[0] != '\0');
    (void)snprintf(copy, sizeof copy, "%s", uri_of(w, DN_TRANSPORT_DTLS));
    assert_int_equal(ask(w, 1, copy, &security, true), DUNLIN_END);
    assert_int_equal(ask(w, 2, copy, &security, false), DUNLIN_ERR_DUPLICATE);
    assert_int_equal(w->faults, 3);
    for (uint16_t server = 3; server <= DUNLIN_SERVERS_MAX + 1; server++) {
        assert_int_equal(ask(w, server, uri_of(w, DN_TRANSPORT_UDP), &nosec, false), DUNLIN_OK);
    }
    assert_int_equal(ask(w, 99, uri_of(w, DN_TRANSPORT_UDP), &nosec, false), DUNLIN_ERR_MEMORY);
    use(w, "127.0.0.1:0", 0);
    assert_int_equal(ask(w, 1, uri_of(w, DN_TRANSPORT_TCP), &nosec, false), DUNLIN_ERR_UNSUPPORTED);
    assert_int_equal(ask(w, 2, "coap://[::1]:5683", &nosec, false),
                     DUNLIN_ERR_NOT_FOUND); /* `local` is of IPv4 */
}

static void local_addresses(void **state)
{
    static const char *const wrong[] = {"", "nowhere", "127.0.0.1", "127.0.0.1:70000", "localhost:0"};
    world *w = *state;
    dn_ways_config config = dn_ways_config_default();
    dn_ways *ways = NULL;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        config.local = wrong[i];
        assert_int_equal(dn_ways_create(&config, &ways), DUNLIN_ERR_ARGUMENT);
        assert_null(ways);
    }
    config.local = "192.0.2.1:0"; /* nobody's (RFC 5737) */
    assert_int_equal(dn_ways_create(&config, &ways), DUNLIN_ERR_IO);
    use(w, "127.0.0.1:0", 8192);
    assert_memory_equal(dn_ways_address(w->ways), "127.0.0.1:", 10);
    assert_int_equal(ask(w, 1, uri_of(w, DN_TRANSPORT_UDP), &nosec, false), DUNLIN_OK);
    talk(w, false);
    use(w, "[::]:0", 8192); /* serves both families */
    assert_int_equal(ask(w, 1, uri_of(w, DN_TRANSPORT_UDP), &nosec, false), DUNLIN_OK);
    talk(w, false);
    dn_ways_destroy(w->ways);
    w->ways = NULL;
}

/* Asleep, datagrams are lost and streams wait. */
static void sleeping(void **state)
{
    world *w = *state;
    struct pollfd fds[DN_WAYS_FDS_MAX];
    assert_int_equal(ask(w, 1, uri_of(w, DN_TRANSPORT_TCP), &nosec, false), DUNLIN_END);
    until(w, &w->client.connected, 1);
    const dunlin_peer tcp = w->client.peer;
    const dn_peer device = w->device;
    assert_int_equal(ask(w, 2, uri_of(w, DN_TRANSPORT_UDP), &nosec, false), DUNLIN_OK);
    talk(w, false);
    w->client.asleep = true;
    assert_int_equal(dn_ways_fds(w->ways, fds), 1); /* the datagrams' alone */
    const unsigned before = w->client.messages;
    dn_ports_send(w->ports, &device, dunlin_slice_make("\x30\x45\xffhi", 5), dn_clock_ms());
    dn_ways_send(w->ways, &w->client.peer,
                 dunlin_slice_make("\x50\x45\x12\x34", 4)); /* the echo will be lost */
    for (int i = 0; i < 20; i++) {
        turn(w);
    }
    assert_int_equal(w->client.messages, before);
    w->client.asleep = false;
    w->client.peer = tcp;
    until(w, &w->client.messages, before + 1);
    assert_int_equal(w->client.strangers, 0);
    for (int i = 0; i < 5; i++) {
        turn(w);
    }
    assert_int_equal(w->client.messages, before + 1);
}

/* Downloads go to hosts that are no servers. */
static void strangers(void **state)
{
    world *w = *state;
    dunlin_peer peer = {0};
    assert_int_equal(dn_ways_resolve(w->ways, uri_of(w, DN_TRANSPORT_UDP), &peer), DUNLIN_OK);
    dn_ways_send(w->ways, &peer, dunlin_slice_make("\x50\x45\x12\x34", 4));
    until(w, &w->client.messages, 1);
    assert_int_equal(w->client.strangers, 1); /* the client knows, here it does not */
    assert_int_equal(dn_ways_resolve(w->ways, uri_of(w, DN_TRANSPORT_TCP), &peer), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(dn_ways_resolve(w->ways, "coap://no.such.host.invalid", &peer), DUNLIN_ERR_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_transport),
        TEST(silence),
        TEST(roaming_and_dropping),
        TEST(refused),
        TEST(the_server_ends_it),
        TEST(nobody_listens),
        TEST(faults),
        TEST(local_addresses),
        TEST(sleeping),
        TEST(strangers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
