/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many peers' sessions under arbitrary datagrams: real devices at four addresses, whose datagrams are changed, lost and mixed with made-up ones,
 * devices that begin anew, time that passes, credentials that change. What must hold: data comes from open sessions alone, and each end is
 * told once.
 *
 * The input: a byte for DTLS or TLS, then steps: a byte of what (low three bits) and who (next two), and what the step takes.
 */
#include "endpoint/secure.h"
#include "fuzz/must.h"
#include "tests/endpoint/keeper.h"

#include <stdlib.h>
#include <string.h>

#define PEERS       4u
#define PACKETS_MAX 64u
#define PACKET_MAX  2048u
#define STEPS_MAX   400u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    bool to_server;
    uint8_t who;
    size_t len;
    uint8_t bytes[PACKET_MAX];
} packet;

typedef struct world world;

typedef struct {
    world *world;
    uint8_t who;
    dn_tls_session *tls;
} device;

struct world {
    const uint8_t *data;
    size_t size;
    dn_transport transport;
    dn_secure *secure;
    uint64_t now_ms;
    device devices[PEERS];
    bool open[PEERS];
    packet packets[PACKETS_MAX]; /* a ring */
    size_t head, count;
};

/* What costs time to make and is not changed by sessions. */
typedef struct {
    keeper keeper;
    dn_tls_context *server, *client[2];
} lasting;

static lasting *make_lasting(void)
{
    char error[200];
    lasting *made = calloc(1, sizeof *made);
    must(made != NULL);
    keeper_init(&made->keeper);
    (void)keeper_psk(&made->keeper, "one", "first", "the key of the first one");
    (void)keeper_psk(&made->keeper, "two", "second", "the key of the second one");
    dn_tls_server_config server = dn_tls_server_config_default();
    server.credentials = &made->keeper.head;
    dn_tls_client_config client = dn_tls_client_config_default();
    client.mode = DN_SECURITY_PSK;
    client.own = dunlin_slice_of("first");
    client.secret = dunlin_slice_of("the key of the first one");
    must(dn_tls_server_create(&server, &made->server, error, sizeof error) == DUNLIN_OK);
    must(dn_tls_client_create(&client, &made->client[0], error, sizeof error) == DUNLIN_OK);
    client.own = dunlin_slice_of("second");
    client.secret = dunlin_slice_of("the key of the second one");
    must(dn_tls_client_create(&client, &made->client[1], error, sizeof error) == DUNLIN_OK);
    return made;
}

static uint8_t next(world *w)
{
    uint8_t byte = 0;
    if (w->size > 0) {
        byte = *w->data++;
        w->size--;
    }
    return byte;
}

static dn_peer peer_of(const world *w, unsigned who)
{
    dn_peer peer = {.len = 7,
                    .bytes = {4, 0x16, (uint8_t)(0x33 + who / 2), 10, 0, 0, (uint8_t)(1 + who % 2)}};
    dn_peer_set_transport(&peer, w->transport);
    return peer;
}

static unsigned who_is(const world *w, const dn_peer *peer)
{
    for (unsigned who = 0; who < PEERS; who++) {
        dn_peer one = peer_of(w, who);
        if (dn_peer_equal(&one, peer)) {
            return who;
        }
    }
    abort();
}

static void post(world *w, bool to_server, unsigned who, dunlin_slice bytes)
{
    if (w->count < PACKETS_MAX && bytes.len <= PACKET_MAX) {
        packet *p = &w->packets[(w->head + w->count++) % PACKETS_MAX];
        p->to_server = to_server;
        p->who = (uint8_t)who;
        p->len = bytes.len;
        memcpy(p->bytes, bytes.data, bytes.len);
    }
}

/* The server's callbacks. */

static void on_output(void *context, const dn_peer *peer, dunlin_slice bytes)
{
    world *w = context;
    post(w, false, who_is(w, peer), bytes);
}

static void on_input(void *context, const dn_peer *peer, dunlin_slice plain)
{
    world *w = context;
    must(w->open[who_is(w, peer)]);
    if (plain.len > 0 && plain.data[0] == 'e') { /* the callback ends the session */
        w->open[who_is(w, peer)] = false;
        dn_secure_close(w->secure, peer, w->now_ms);
    } else {
        (void)dn_secure_send(w->secure, peer, plain, w->now_ms);
    }
}

static void on_opened(void *context, const dn_peer *peer, const dn_identity *identity, bool resumed)
{
    world *w = context;
    (void)resumed;
    must(identity->endpoint_len == 3);
    must(dn_secure_identity(w->secure, peer) != NULL);
    w->open[who_is(w, peer)] = true;
}

static void on_closed(void *context, const dn_peer *peer, dunlin_status status)
{
    world *w = context;
    (void)status;
    must(w->open[who_is(w, peer)] || dn_transport_is_stream(w->transport));
    must(dn_secure_identity(w->secure, peer) == NULL);
    w->open[who_is(w, peer)] = false;
}

/* The devices. */

static void on_device_output(void *context, dunlin_slice bytes)
{
    const device *d = context;
    post(d->world, true, d->who, bytes);
}

static void on_device_input(void *context, dunlin_slice plain)
{
    (void)context;
    (void)plain;
}

static void begin(world *w, unsigned who, const lasting *kept, unsigned credential)
{
    device *d = &w->devices[who];
    dn_peer peer = peer_of(w, who);
    bool stream = dn_transport_is_stream(w->transport);
    const dn_tls_opening opening = {
        .datagram = !stream, .call = {.output = on_device_output, .input = on_device_input, .context = d}};
    dn_tls_free(d->tls);
    *d = (device){.world = w, .who = (uint8_t)who};
    if (stream) {
        w->open[who] = false;
        (void)dn_secure_connected(w->secure, &peer, w->now_ms);
    }
    d->tls = dn_tls_open(kept->client[credential & 1], &opening, w->now_ms);
}

static void deliver(world *w, uint8_t flip_at, uint8_t flip)
{
    if (w->count == 0) {
        return;
    }
    packet *p = &w->packets[w->head];
    packet taken = *p;
    w->head = (w->head + 1) % PACKETS_MAX;
    w->count--;
    if (taken.len > 0) {
        taken.bytes[flip_at % taken.len] ^= flip;
    }
    dunlin_slice bytes = dunlin_slice_make(taken.bytes, taken.len);
    if (taken.to_server) {
        dn_peer peer = peer_of(w, taken.who);
        dn_secure_receive(w->secure, &peer, bytes, w->now_ms);
    } else if (w->devices[taken.who].tls != NULL) {
        dn_tls_receive(w->devices[taken.who].tls, bytes, w->now_ms);
    }
}

static void pass_time(world *w, unsigned amount)
{
    w->now_ms += (uint64_t)amount * amount;
    dn_secure_expire(w->secure, w->now_ms);
    for (unsigned who = 0; who < PEERS; who++) {
        if (w->devices[who].tls != NULL && dn_tls_deadline(w->devices[who].tls) <= w->now_ms) {
            dn_tls_expire(w->devices[who].tls, w->now_ms);
        }
    }
}

static void make_up(world *w, unsigned who)
{
    dn_peer peer = peer_of(w, who);
    size_t len = next(w);
    len = len < w->size ? len : w->size;
    dn_secure_receive(w->secure, &peer, dunlin_slice_make(w->data, len), w->now_ms);
    w->data += len;
    w->size -= len;
}

static void manage(world *w, unsigned who, const lasting *kept)
{
    dn_peer peer = peer_of(w, who);
    uint8_t what = next(w);
    switch (what % 5) {
    case 0:
        w->open[who] = false;
        dn_secure_close(w->secure, &peer, w->now_ms);
        break;
    case 1:
        (void)dn_secure_revoke(w->secure, 1 + what / 5 % 3, w->now_ms);
        break;
    case 2:
        dn_secure_use(w->secure, kept->server);
        break;
    case 3:
        if (dn_transport_is_stream(w->transport)) {
            w->open[who] = false;
            dn_secure_disconnected(w->secure, &peer);
        }
        break;
    default:
        (void)dn_secure_send(w->secure, &peer, dunlin_slice_of("from the server"), w->now_ms);
        break;
    }
}

static void step(world *w, const lasting *kept)
{
    uint8_t what = next(w);
    unsigned who = what >> 3 & 3u;
    device *d = &w->devices[who];
    switch (what & 7) {
    case 0:
        make_up(w, who);
        break;
    case 1:
        begin(w, who, kept, what >> 5);
        break;
    case 2:
        for (unsigned i = what >> 5; i < 8; i++) {
            deliver(w, 0, 0);
        }
        break;
    case 3: {
        uint8_t at = next(w);
        deliver(w, at, next(w));
        break;
    }
    case 4:
        w->head = (w->head + (w->count > 0)) % PACKETS_MAX;
        w->count -= w->count > 0;
        break;
    case 5:
        if (d->tls != NULL && dn_tls_state_of(d->tls) == DN_TLS_OPEN) {
            (void)dn_tls_send(d->tls, dunlin_slice_of((what >> 5) == 7 ? "end" : "data"), w->now_ms);
        }
        break;
    case 6:
        pass_time(w, next(w));
        break;
    default:
        manage(w, who, kept);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static lasting *kept; /* made once: a context takes longer than all the rest */
    dn_seeded seed;
    world *w = calloc(1, sizeof *w);
    if (kept == NULL) {
        kept = make_lasting();
    }
    if (w == NULL || size == 0) {
        free(w);
        return 0;
    }
    w->data = data;
    w->size = size;
    w->now_ms = 1000;
    w->transport = next(w) % 4 == 3 ? DN_TRANSPORT_TLS : DN_TRANSPORT_DTLS;
    dn_seeded_init(&seed, 1);
    dn_secure_config config = dn_secure_config_default(w->transport);
    config.random = dn_seeded_random(&seed);
    config.max_sessions = 3;
    config.max_handshakes = 3;
    config.max_handshakes_per_host = 2;
    config.idle_s = 100;
    const dn_secure_callbacks call = {
        .output = on_output, .input = on_input, .opened = on_opened, .closed = on_closed, .context = w};
    w->secure = dn_secure_create(&config, kept->server, &call, w->now_ms);
    must(w->secure != NULL);
    for (unsigned i = 0; i < STEPS_MAX && w->size > 0; i++) {
        step(w, kept);
    }
    uint64_t open = 0;
    for (unsigned who = 0; who < PEERS; who++) {
        open += w->open[who];
    }
    pass_time(w, 1); /* ends that are due are told */
    must(dn_secure_count(w->secure)->sessions <= open);
    dn_secure_destroy(w->secure);
    for (unsigned who = 0; who < PEERS; who++) {
        dn_tls_free(w->devices[who].tls);
    }
    free(w);
    return 0;
}
