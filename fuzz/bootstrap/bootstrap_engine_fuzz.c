/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the bootstrap server's engine. The input is a script of steps, each one byte of kind, one of detail, two of length, and that
 * many bytes:
 *   0  a datagram as it is                    4  a device's session or stream comes or goes
 *   1  a Bootstrap-Request: queries           5  the keeper of credentials fails, or does again
 *   2  an answer to what was asked last       6  the server begins a run by itself
 *   3  time passes                            7  a configuration is put: a document
 * Whatever comes: only who has a session is asked, a run is either under way or has an end, and their number keeps its bounds.
 */
#include "bootstrap/engine.h"
#include "bootstrap/memory_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX    200
#define DATAGRAM_MAX 1400
#define STREAM_MAX   9000
#define PEERS        4u
#define RUNS         3u
#define ENDED        4u

typedef struct {
    dn_bs *bs;
    dn_bs_store *store;
    dn_credentials keeper;
    dn_credential staged;
    bool has_staged, fails;
    dn_seeded seeded;
    uint64_t now_ms;
    uint16_t mid;
    dn_peer asked_peer;
    size_t asked_len;
    uint8_t asked[16];
    struct {
        dn_transport transport;
        bool is_open, has_proved;
        dn_identity identity;
    } way[PEERS];
    unsigned begun, ended;
} world;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

/* ---- keepers ---- */

static world *world_of(dn_credentials *credentials)
{
    return (world *)(void *)((char *)credentials - offsetof(world, keeper));
}

static dunlin_status stage(dn_credentials *credentials, const dn_credential *list, size_t count)
{
    world *w = world_of(credentials);
    must(count > 0, "something is staged");
    for (size_t i = 0; i < count && !w->fails; i++) {
        must(dn_credential_check(&list[i]) == NULL, "a minted credential is one");
        w->staged = list[i];
        w->has_staged = true;
    }
    return w->fails ? DUNLIN_ERR_STORE : DUNLIN_OK;
}

static dunlin_status promote(dn_credentials *credentials, const dunlin_slice *endpoints, size_t count)
{
    must(count > 0 && endpoints[0].len > 0, "something is promoted");
    return world_of(credentials)->fails ? DUNLIN_ERR_STORE : DUNLIN_OK;
}

static dunlin_status get_staged(dn_credentials *credentials, dunlin_slice endpoint, dn_credential *out)
{
    const world *w = world_of(credentials);
    memset(out, 0, sizeof *out);
    if (w->fails) {
        return DUNLIN_ERR_STORE;
    }
    if (!w->has_staged ||
        !dunlin_slice_equal(endpoint, dunlin_slice_make(w->staged.endpoint, w->staged.endpoint_len))) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    *out = w->staged;
    return DUNLIN_OK;
}

static const char *no_error(dn_credentials *credentials)
{
    (void)credentials;
    return "";
}

/* ---- the server's surroundings ---- */

static uint64_t clock_ms(void *context)
{
    return ((world *)context)->now_ms;
}

static int64_t wall_ms(void *context)
{
    return INT64_C(1790000000000) + (int64_t)((world *)context)->now_ms;
}

static dn_peer peer_of(const world *w, uint8_t number)
{
    dn_peer peer = {.len = 1, .bytes = {(uint8_t)(number % PEERS)}};
    dn_peer_set_transport(&peer, w->way[number % PEERS].transport);
    return peer;
}

static bool reaches(void *context, const dn_peer *peer)
{
    const world *w = context;
    const dn_peer now = peer_of(w, peer->bytes[0] & 15u);
    return dn_peer_equal(&now, peer) &&
           (dn_peer_transport(peer) == DN_TRANSPORT_UDP || w->way[peer->bytes[0] & 15u].is_open);
}

static const dn_identity *identity_of(void *context, const dn_peer *peer)
{
    const world *w = context;
    const size_t number = peer->bytes[0] & 15u;
    return reaches(context, peer) && w->way[number].has_proved ? &w->way[number].identity : NULL;
}

static bool is_loopback(const dn_peer *peer)
{
    return (peer->bytes[0] & 1) == 0;
}

static void end_peer(void *context, const dn_peer *peer)
{
    world *w = context;
    if (reaches(w, peer)) {
        w->way[peer->bytes[0] & 15u].is_open = false;
    }
}

static void peer_text(const dn_peer *peer, char *out, size_t size)
{
    (void)snprintf(out, size, "peer%u", peer->bytes[0]);
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    world *w = context;
    const bool is_stream = dn_transport_is_stream(dn_peer_transport(peer));
    must(datagram.len >= 2 && datagram.len <= (is_stream ? STREAM_MAX : DATAGRAM_MAX),
         "a message has a sane size");
    const size_t token_len = datagram.data[0] & 15u;
    if (!is_stream && datagram.data[1] > 0 && datagram.data[1] < DN_COAP_CODE(1, 0) && token_len <= 8) {
        w->asked_peer = *peer;
        w->asked_len = 4 + token_len;
        memcpy(w->asked, datagram.data, w->asked_len);
    }
}

static void on_event(void *context, const dn_bs_event *event)
{
    world *w = context;
    must(event->why != NULL, "an event has a text");
    for (const char *c = event->why; *c != '\0'; c++) {
        must((unsigned char)*c >= 0x20, "which can be shown");
    }
    w->begun += event->kind == DN_BS_REQUESTED;
    w->ended += event->kind == DN_BS_FINISHED || event->kind == DN_BS_FAILED;
    must(event->kind == DN_BS_REFUSED || event->kind == DN_BS_NOT_ENROLLED || event->run > 0, "of a run");
}

static void start(world *w)
{
    static const dn_credentials_ops ops = {
        .stage = stage, .promote = promote, .get_staged = get_staged, .error = no_error};
    static const char *const documents[][2] = {
        {"*", "{\"servers\":[{}],\"allow_insecure\":true}"},
        {"b", "{\"servers\":[{\"ssid\":2,\"security\":{\"mode\":\"nosec\"}}],\"write_objects\":true,"
              "\"format\":\"tlv\","
              "\"allow_insecure\":true}"},
    };
    w->keeper.ops = &ops;
    must(dn_bs_memory_store_open(NULL, NULL, &w->store) == DUNLIN_OK, "there is memory");
    for (size_t i = 0; i < 2; i++) {
        must(w->store->ops->put(w->store, dunlin_slice_of(documents[i][0]), dunlin_slice_of(documents[i][1]),
                                0, NULL) == DUNLIN_OK,
             "a configuration is put");
    }
    dn_seeded_init(&w->seeded, 5);
    dn_bs_engine_config config = dn_bs_engine_config_default();
    config.store = w->store;
    config.credentials = &w->keeper;
    config.own.uris[DN_TRANSPORT_UDP] = "coap://h";
    config.own.uris[DN_TRANSPORT_DTLS] = "coaps://h";
    config.coap.transfers = 2;
    config.coap.dedup_slots = 16;
    config.coap.connections = PEERS;
    config.random = dn_seeded_random(&w->seeded);
    config.max_runs = RUNS;
    config.max_ended = ENDED;
    config.wall_ms = wall_ms;
    config.clock_ms = clock_ms;
    config.clock_context = w;
    config.send = on_send;
    config.identity = identity_of;
    config.reaches = reaches;
    config.is_loopback = is_loopback;
    config.end_peer = end_peer;
    config.peer_text = peer_text;
    config.event = on_event;
    config.context = w;
    must(dn_bs_create(&config, &w->bs) == DUNLIN_OK, "there is an engine");
}

static void settle(world *w)
{
    for (unsigned i = 0; i < 1000 && (i == 0 || dn_bs_deadline(w->bs) <= w->now_ms); i++) {
        dn_bs_work(w->bs);
        dn_bs_commit(w->bs);
    }
}

/* ---- steps ---- */

/* A datagram's message as a stream has it (RFC 8323 section 3.2). */
static size_t frame(const uint8_t *bytes, size_t len, uint8_t *out)
{
    const size_t token_len = len > 0 ? bytes[0] & 15u : 0;
    if (len < 4 + token_len) {
        memcpy(out, bytes, len);
        return len;
    }
    const size_t rest = len - 4 - token_len;
    size_t at = 1;
    const unsigned nibble = rest < 13 ? (unsigned)rest : rest < 269 ? 13u : 14u;
    if (nibble == 13) {
        out[at++] = (uint8_t)(rest - 13);
    } else if (nibble == 14) {
        out[at++] = (uint8_t)((rest - 269) >> 8);
        out[at++] = (uint8_t)(rest - 269);
    }
    out[0] = (uint8_t)(nibble << 4 | token_len);
    out[at++] = bytes[1];
    memcpy(out + at, bytes + 4, token_len + rest);
    return at + token_len + rest;
}

static void deliver(world *w, dn_peer peer, const uint8_t *bytes, size_t len)
{
    uint8_t framed[DATAGRAM_MAX + 8];
    if (!reaches(w, &peer) || len > DATAGRAM_MAX) {
        return;
    }
    if (dn_transport_is_stream(dn_peer_transport(&peer))) {
        len = frame(bytes, len, framed);
        bytes = framed;
    }
    dn_bs_begin(w->bs);
    dn_bs_receive(w->bs, &peer, dunlin_slice_make(bytes, len));
    settle(w);
}

/* POST /bs with queries cut at '&'. */
static void request(world *w, uint8_t detail, const uint8_t *script, size_t size)
{
    uint8_t datagram[DATAGRAM_MAX] = {0x41, DN_COAP_POST, (uint8_t)(w->mid >> 8), (uint8_t)w->mid, 0x77, 0xb2,
                                      'b',  's'};
    size_t len = 8;
    unsigned delta = 4;
    w->mid++;
    for (size_t at = 0; at < size;) {
        const uint8_t *cut = memchr(script + at, '&', size - at);
        const size_t piece = (cut != NULL ? (size_t)(cut - script) : size) - at;
        if (piece > 268 || len + 2 + piece > sizeof datagram) {
            return;
        }
        datagram[len++] = (uint8_t)(delta << 4 | (piece < 13 ? piece : 13));
        if (piece >= 13) {
            datagram[len++] = (uint8_t)(piece - 13);
        }
        memcpy(datagram + len, script + at, piece);
        len += piece;
        at += piece + 1;
        delta = 0;
    }
    deliver(w, peer_of(w, detail), datagram, len);
}

/* An acknowledgement, a separate message or a Reset with the token of the last request; the script gives code, options, payload. */
static void answer(world *w, uint8_t detail, const uint8_t *script, size_t size)
{
    uint8_t datagram[DATAGRAM_MAX];
    if (w->asked_len == 0 || size == 0 || w->asked_len + size > sizeof datagram) {
        return;
    }
    memcpy(datagram, w->asked, w->asked_len);
    datagram[0] = (uint8_t)((datagram[0] & 0x0f) | 0x40 | (detail & 3) << 4);
    datagram[1] = script[0];
    if ((detail & 3) < 2) {
        datagram[2] = (uint8_t)(w->mid >> 8);
        datagram[3] = (uint8_t)w->mid++;
    }
    memcpy(datagram + w->asked_len, script + 1, size - 1);
    deliver(w, detail & 0x80 ? peer_of(w, detail >> 2) : w->asked_peer, datagram, w->asked_len + size - 1);
}

static void change_way(world *w, uint8_t detail, const uint8_t *script, size_t size)
{
    static const uint8_t csm[] = {0x40, 0xe1, 0, 0};
    const size_t number = detail % PEERS;
    dn_peer peer = peer_of(w, (uint8_t)number);
    dn_bs_begin(w->bs);
    if (w->way[number].is_open) {
        w->way[number].is_open = false;
        dn_bs_closed(w->bs, &peer);
        settle(w);
    }
    if (detail & 0x80) {
        return;
    }
    w->way[number].transport = (dn_transport)(detail >> 2 & 3u);
    dn_identity *identity = &w->way[number].identity;
    *identity = (dn_identity){.mode = DN_SECURITY_PSK};
    w->way[number].has_proved = size > 0 && size <= sizeof identity->endpoint;
    if (w->way[number].has_proved) {
        identity->endpoint_len = (uint8_t)size;
        memcpy(identity->endpoint, script, size);
        identity->is_pattern = dn_endpoint_is_pattern(dunlin_slice_make(script, size));
    }
    peer = peer_of(w, (uint8_t)number);
    if (w->way[number].transport != DN_TRANSPORT_UDP) {
        w->way[number].is_open = true;
        dn_bs_opened(w->bs, &peer);
        settle(w);
    }
    if (dn_transport_is_stream(w->way[number].transport)) {
        deliver(w, peer, csm, sizeof csm);
    }
}

static void pass(world *w, uint8_t detail)
{
    const uint64_t until_ms = w->now_ms + ((uint64_t)detail << (detail & 7));
    for (unsigned i = 0; i < 100 && w->now_ms < until_ms; i++) {
        const uint64_t next_ms = dn_bs_deadline(w->bs);
        w->now_ms = next_ms <= w->now_ms ? w->now_ms + 1 : next_ms < until_ms ? next_ms : until_ms;
        dn_bs_begin(w->bs);
        settle(w);
    }
}

static void put(world *w, const uint8_t *script, size_t size)
{
    (void)w->store->ops->put(w->store, dunlin_slice_of("b"), dunlin_slice_make(script, size), 0, NULL);
}

static void play(world *w, uint8_t kind, uint8_t detail, const uint8_t *script, size_t size)
{
    const dn_peer peer = peer_of(w, detail);
    switch (kind % 8) {
    case 0:
        deliver(w, peer, script, size);
        break;
    case 1:
        request(w, detail, script, size);
        break;
    case 2:
        answer(w, detail, script, size);
        break;
    case 3:
        pass(w, detail);
        break;
    case 4:
        change_way(w, detail, script, size);
        break;
    case 5:
        w->fails = detail & 1;
        break;
    case 6:
        dn_bs_begin(w->bs);
        (void)(detail & 0x80 ? dn_bs_rerun(w->bs, dunlin_slice_make(script, size))
                             : dn_bs_start_run(w->bs, &peer, dunlin_slice_make(script, size)));
        settle(w);
        break;
    default:
        put(w, script, size);
        break;
    }
}

typedef struct {
    unsigned running, ended;
    uint64_t last;
} counted;

static bool count_run(void *context, const dn_bs_run_view *run)
{
    counted *c = context;
    must(c->last == 0 || run->run < c->last, "runs are shown newest first");
    must((run->state == DN_BS_RUNNING) == (run->ended_ms == 0), "a run that has ended has an end");
    must(run->state != DN_BS_BROKEN || run->why[0] != '\0', "and a reason");
    must(run->step_count <= run->planned || run->state != DN_BS_RUNNING, "no more steps than planned");
    c->last = run->run;
    c->running += run->state == DN_BS_RUNNING;
    c->ended += run->state != DN_BS_RUNNING;
    return true;
}

static void check(const world *w)
{
    counted c = {0};
    dn_bs_counters counters;
    dn_bs_runs(w->bs, dunlin_slice_make(NULL, 0), 0, 1000, count_run, &c);
    dn_bs_count(w->bs, &counters);
    must(c.running <= RUNS && c.ended <= ENDED && counters.running == c.running, "runs keep their bounds");
    must(w->begun <= w->ended + c.running, "what has begun is under way or has ended");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world *w = calloc(1, sizeof *w);
    must(w != NULL, "there is memory");
    w->now_ms = 1000;
    start(w);
    for (unsigned i = 0; i < STEPS_MAX && size >= 4; i++) {
        size_t len = (size_t)data[2] << 8 | data[3];
        len = len < size - 4 ? len : size - 4;
        play(w, data[0], data[1], data + 4, len);
        check(w);
        data += 4 + len;
        size -= 4 + len;
    }
    dn_bs_destroy(w->bs);
    w->store->ops->close(w->store);
    free(w);
    return 0;
}
