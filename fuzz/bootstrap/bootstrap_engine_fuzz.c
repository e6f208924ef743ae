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
#include "fuzz/must.h"
#include "fuzz/server/devices.h"

#include <string.h>

#define RUNS  3u
#define ENDED 4u

typedef struct {
    devices devices;
    dn_bs *bs;
    dn_bs_store *store;
    dn_credentials keeper;
    dn_credential staged;
    bool has_staged, fails;
    dn_seeded seeded;
    unsigned begun, ended;
} world;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- keepers ---- */

static world *world_of(dn_credentials *credentials)
{
    return (world *)(void *)((char *)credentials - offsetof(world, keeper));
}

static dunlin_status stage(dn_credentials *credentials, const dn_credential *list, size_t count)
{
    world *w = world_of(credentials);
    must_that(count > 0, "something is staged");
    for (size_t i = 0; i < count && !w->fails; i++) {
        must_that(dn_credential_check(&list[i]) == NULL, "a minted credential is one");
        w->staged = list[i];
        w->has_staged = true;
    }
    return w->fails ? DUNLIN_ERR_STORE : DUNLIN_OK;
}

static dunlin_status promote(dn_credentials *credentials, const dunlin_slice *endpoints, size_t count)
{
    must_that(count > 0 && endpoints[0].len > 0, "something is promoted");
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

static bool is_loopback(const dn_peer *peer)
{
    return (peer->bytes[0] & 1) == 0;
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice message)
{
    devices_hear(context, peer, message);
}

static void on_event(void *context, const dn_bs_event *event)
{
    world *w = context;
    must_that(event->why != NULL, "an event has a text");
    for (const char *c = event->why; *c != '\0'; c++) {
        must_that((unsigned char)*c >= 0x20, "which can be shown");
    }
    w->begun += event->kind == DN_BS_REQUESTED;
    w->ended += event->kind == DN_BS_FINISHED || event->kind == DN_BS_FAILED;
    must_that(event->kind == DN_BS_REFUSED || event->kind == DN_BS_NOT_ENROLLED || event->run > 0,
              "of a run");
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
    must_that(dn_bs_memory_store_open(NULL, NULL, &w->store) == DUNLIN_OK, "there is memory");
    for (size_t i = 0; i < 2; i++) {
        must_that(w->store->ops->put(w->store, dunlin_slice_of(documents[i][0]),
                                     dunlin_slice_of(documents[i][1]), 0, NULL) == DUNLIN_OK,
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
    config.coap.connections = DEVICES;
    config.random = dn_seeded_random(&w->seeded);
    config.max_runs = RUNS;
    config.max_ended = ENDED;
    config.wall_ms = devices_wall_ms;
    config.clock_ms = devices_clock_ms;
    config.clock_context = w;
    config.send = on_send;
    config.identity = devices_identity;
    config.reaches = devices_reach;
    config.is_loopback = is_loopback;
    config.end_peer = devices_end_peer;
    config.peer_text = devices_peer_text;
    config.event = on_event;
    config.context = w;
    must_that(dn_bs_create(&config, &w->bs) == DUNLIN_OK, "there is an engine");
}

/* ---- the server as its devices know it ---- */

static void begin(void *context)
{
    const world *w = context;
    dn_bs_begin(w->bs);
}

static void receive(void *context, const dn_peer *from, dunlin_slice message)
{
    const world *w = context;
    dn_bs_receive(w->bs, from, message);
}

static void opened(void *context, const dn_peer *peer)
{
    const world *w = context;
    dn_bs_opened(w->bs, peer);
}

static void closed(void *context, const dn_peer *peer)
{
    const world *w = context;
    dn_bs_closed(w->bs, peer);
}

static void settle(void *context)
{
    const world *w = context;
    for (unsigned i = 0; i < 1000 && (i == 0 || dn_bs_deadline(w->bs) <= w->devices.now_ms); i++) {
        dn_bs_work(w->bs);
        dn_bs_commit(w->bs);
    }
}

static const devices_server the_server = {
    .begin = begin, .receive = receive, .opened = opened, .closed = closed, .settle = settle};

/* ---- steps ---- */

/* POST /bs with queries cut at '&'. */
static void request(world *w, uint8_t detail, dunlin_slice script)
{
    device_request one = device_request_start(&w->devices, DN_COAP_POST);
    device_request_option(&one, DN_OPTION_URI_PATH, dunlin_slice_of("bs"));
    device_request_queries(&one, DN_OPTION_URI_QUERY - DN_OPTION_URI_PATH, script);
    device_request_send(&one, &w->devices, detail, dunlin_slice_make(NULL, 0));
}

static void change_way(world *w, uint8_t detail, dunlin_slice name)
{
    const size_t number = detail % DEVICES;
    begin(w);
    if (w->devices.way[number].is_open) {
        devices_close(&w->devices, number);
        settle(w);
    }
    if ((detail & 0x80) == 0) {
        devices_open(&w->devices, number, (dn_transport)(detail >> 2 & 3u), name);
    }
}

static void pass(world *w, uint8_t detail)
{
    uint64_t *now_ms = &w->devices.now_ms;
    const uint64_t until_ms = *now_ms + ((uint64_t)detail << (detail & 7));
    for (unsigned i = 0; i < 100 && *now_ms < until_ms; i++) {
        const uint64_t next_ms = dn_bs_deadline(w->bs);
        *now_ms = next_ms <= *now_ms ? *now_ms + 1 : next_ms < until_ms ? next_ms : until_ms;
        begin(w);
        settle(w);
    }
}

static void put(world *w, dunlin_slice document)
{
    (void)w->store->ops->put(w->store, dunlin_slice_of("b"), document, 0, NULL);
}

static void play(world *w, const script_step *step)
{
    const dn_peer peer = devices_peer(&w->devices, step->detail);
    switch (step->kind % 8) {
    case 0:
        devices_send(&w->devices, &peer, step->bytes);
        break;
    case 1:
        request(w, step->detail, step->bytes);
        break;
    case 2:
        devices_answer(&w->devices, step->detail, step->bytes);
        break;
    case 3:
        pass(w, step->detail);
        break;
    case 4:
        change_way(w, step->detail, step->bytes);
        break;
    case 5:
        w->fails = step->detail & 1;
        break;
    case 6:
        begin(w);
        (void)(step->detail & 0x80 ? dn_bs_rerun(w->bs, step->bytes)
                                   : dn_bs_start_run(w->bs, &peer, step->bytes));
        settle(w);
        break;
    default:
        put(w, step->bytes);
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
    must_that(c->last == 0 || run->run < c->last, "runs are shown newest first");
    must_that((run->state == DN_BS_RUNNING) == (run->ended_ms == 0), "a run that has ended has an end");
    must_that(run->state != DN_BS_BROKEN || run->why[0] != '\0', "and a reason");
    must_that(run->step_count <= run->planned || run->state != DN_BS_RUNNING, "no more steps than planned");
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
    must_that(c.running <= RUNS && c.ended <= ENDED && counters.running == c.running,
              "runs keep their bounds");
    must_that(w->begun <= w->ended + c.running, "what has begun is under way or has ended");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world *w = calloc(1, sizeof *w);
    must_that(w != NULL, "there is memory");
    w->devices.server = &the_server;
    w->devices.now_ms = 1000;
    start(w);
    dunlin_slice script = dunlin_slice_make(data, size);
    script_step step;
    for (unsigned i = 0; i < SCRIPT_STEPS_MAX && script_next(&script, &step); i++) {
        play(w, &step);
        check(w);
    }
    dn_bs_destroy(w->bs);
    w->store->ops->close(w->store);
    free(w);
    return 0;
}
