/* SPDX-License-Identifier: Apache-2.0 */
/* Device and servers on a simulated network. Each case gets new ones. */
#include "ets/sim.h"

#include "bearer/simlink.h"
#include "ets/shard_side.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS     1000000u
#define EPOCH_MS     INT64_C(1790000000000)
#define DELAY_MS     10u
#define SLACK_MS     50u
#define DATAGRAM_MAX 2048u

typedef struct {
    dn_ets_sim *sim;
    unsigned number;
    dn_ets_shard_side *side;
    dn_peer address;
} server;

struct dn_ets_sim {
    dn_ets_sim_config config;
    dn_ets_world world;
    dn_simlink *link;
    uint64_t cases; /* begun: each has randomness of its own */
    server servers[DN_ETS_SERVERS_MAX];
    dn_peer device;
    dn_seeded seeded;
    bool cut;
};

static const char *const URIS[DN_ETS_SERVERS_MAX] = {"coap://first.example:5683",
                                                     "coap://second.example:5683"};

/* ---- the network ---- */

static void pass(dn_ets_sim *sim, bool to_device, const dn_peer *from, const dn_peer *to,
                 dunlin_slice datagram)
{
    uint8_t bytes[DATAGRAM_MAX];
    size_t len = datagram.len;
    if (len > sizeof bytes || sim->cut) {
        return;
    }
    memcpy(bytes, datagram.data, len);
    if (sim->config.meddle == NULL ||
        sim->config.meddle(sim->config.context, to_device, bytes, &len, sizeof bytes)) {
        dn_simlink_send(sim->link, from, to, dunlin_slice_make(bytes, len));
    }
}

static bool same(const dn_peer *a, const dn_peer *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static void on_tap(void *context, uint64_t now_ms, const dn_peer *from, const dn_peer *to, uint64_t number,
                   dunlin_slice datagram, dn_simlink_fate fate)
{
    dn_ets_sim *sim = context;
    (void)number;
    for (unsigned i = 0; i < DN_ETS_SERVERS_MAX; i++) {
        const dn_peer *at = &sim->servers[i].address;
        if (sim->servers[i].side != NULL && (same(from, at) || same(to, at))) {
            dn_ets_trace_add(&sim->world.trace, now_ms, same(from, at), i, &sim->device,
                             fate == DN_SIMLINK_LOST, datagram);
        }
    }
}

static uint64_t now_ms(void *context)
{
    dn_ets_sim *sim = context;
    return sim->link != NULL ? dn_simlink_now(sim->link) : START_MS;
}

static int64_t wall_ms(void *context)
{
    return EPOCH_MS + (int64_t)(now_ms(context) - START_MS);
}

/* ---- the servers ---- */

static void peer_text(const dn_peer *peer, char *out, size_t size)
{
    uint32_t host = 0;
    memcpy(&host, peer->bytes + 4, sizeof host);
    (void)snprintf(out, size, "host%u", (unsigned)host);
}

static bool same_host(const dn_peer *a, const dn_peer *b)
{
    return memcmp(a->bytes + 4, b->bytes + 4, 4) == 0;
}

static void server_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    server *s = context;
    pass(s->sim, true, &s->address, peer, datagram);
}

static uint64_t server_clock(void *context)
{
    return now_ms(((server *)context)->sim);
}

static int64_t server_wall(void *context)
{
    return wall_ms(((server *)context)->sim);
}

static void server_receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t at_ms)
{
    (void)at_ms;
    dn_ets_shard_side_receive(((server *)context)->side, from, datagram);
}

static uint64_t server_deadline(void *context)
{
    return dn_ets_shard_side_deadline(((server *)context)->side);
}

static void server_expire(void *context, uint64_t at_ms)
{
    (void)at_ms;
    dn_ets_shard_side_expire(((server *)context)->side);
}

static bool make_server(dn_ets_sim *sim, unsigned number)
{
    server *s = &sim->servers[number];
    *s = (server){.sim = sim, .number = number};
    const dn_ets_shard_config config = {.send = server_send,
                                        .clock_ms = server_clock,
                                        .wall_ms = server_wall,
                                        .context = s,
                                        .peer_text = peer_text,
                                        .same_host = same_host,
                                        .random = dn_seeded_random(&sim->seeded)};
    const dn_simlink_endpoint endpoint = {
        .receive = server_receive, .deadline = server_deadline, .expire = server_expire, .context = s};
    s->side = dn_ets_shard_side_create(&config, sim->world.error, sizeof sim->world.error);
    if (s->side == NULL || dn_simlink_attach(sim->link, &endpoint, &s->address) != DUNLIN_OK) {
        return false;
    }
    sim->world.operators[number] = dn_ets_shard_side_operator(s->side);
    return true;
}

/* ---- the device ---- */

static void to_device_peer(const dn_peer *from, dunlin_peer *to)
{
    *to = (dunlin_peer){.len = from->len};
    memcpy(to->bytes, from->bytes, sizeof to->bytes);
}

static void device_send(void *context, const dunlin_peer *peer, dunlin_slice datagram)
{
    dn_ets_sim *sim = context;
    dn_peer to = {.len = peer->len};
    memcpy(to.bytes, peer->bytes, sizeof to.bytes);
    pass(sim, false, &sim->device, &to, datagram);
}

static dunlin_status device_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    dn_ets_sim *sim = context;
    for (size_t i = 0; i < DN_ETS_SERVERS_MAX; i++) {
        if (strncmp(uri, URIS[i], strlen(URIS[i])) == 0 && sim->servers[i].side != NULL) {
            to_device_peer(&sim->servers[i].address, peer);
            return DUNLIN_OK;
        }
    }
    return DUNLIN_ERR_NOT_FOUND;
}

static int64_t device_wall(void *context)
{
    return wall_ms(context) / 1000;
}

static void device_receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t at_ms)
{
    dn_ets_sim *sim = context;
    dunlin_peer peer;
    to_device_peer(from, &peer);
    if (!sim->cut) {
        dn_ets_device_receive(sim->world.device, &peer, datagram, at_ms);
    }
}

static uint64_t device_deadline(void *context)
{
    dn_ets_sim *sim = context;
    return sim->world.device != NULL ? dn_ets_device_deadline(sim->world.device) : DN_NEVER;
}

static void device_expire(void *context, uint64_t at_ms)
{
    dn_ets_sim *sim = context;
    dn_ets_device_step(sim->world.device, at_ms);
}

static bool make_device(dn_ets_sim *sim, const dn_ets_setup *setup)
{
    const dn_simlink_endpoint endpoint = {
        .receive = device_receive, .deadline = device_deadline, .expire = device_expire, .context = sim};
    const dn_ets_surroundings around = {.send = device_send,
                                        .resolve = device_resolve,
                                        .wall_s = device_wall,
                                        .context = sim,
                                        .random = dn_seeded_random(&sim->seeded),
                                        .uris = {URIS[0], URIS[1]}};
    if (dn_simlink_attach(sim->link, &endpoint, &sim->device) != DUNLIN_OK) {
        return false;
    }
    sim->world.device =
        dn_ets_device_create(setup, &around, now_ms(sim), sim->world.error, sizeof sim->world.error);
    return sim->world.device != NULL;
}

/* ---- as a world ---- */

static bool begin(void *context, const dn_ets_setup *setup)
{
    dn_ets_sim *sim = context;
    const uint64_t seed = sim->config.seed * 1000 + ++sim->cases;
    const dn_simlink_rules rules = {
        .loss_permille = sim->config.loss_permille, .delay_min_ms = DELAY_MS, .delay_max_ms = DELAY_MS};
    dn_seeded_init(&sim->seeded, seed);
    sim->cut = false;
    sim->link = dn_simlink_create(seed, START_MS);
    if (sim->link == NULL) {
        return false;
    }
    dn_simlink_rule(sim->link, &rules);
    dn_simlink_watch(sim->link, on_tap, sim);
    for (unsigned i = 0; i < setup->servers; i++) {
        if (!make_server(sim, i)) {
            return false;
        }
    }
    return make_device(sim, setup);
}

static void end(void *context)
{
    dn_ets_sim *sim = context;
    sim->cut = true; /* what is still said goes nowhere */
    for (size_t i = 0; i < DN_ETS_SERVERS_MAX; i++) {
        dn_ets_shard_side_destroy(sim->servers[i].side);
        sim->servers[i].side = NULL;
    }
    dn_ets_device_destroy(sim->world.device);
    sim->world.device = NULL;
    if (sim->link != NULL) {
        dn_simlink_destroy(sim->link);
        sim->link = NULL;
    }
    dn_ets_trace_clear(&sim->world.trace);
}

static void turn(void *context, uint64_t until_ms)
{
    dn_ets_sim *sim = context;
    (void)dn_simlink_step(sim->link, until_ms);
    for (size_t i = 0; i < DN_ETS_SERVERS_MAX; i++) {
        if (sim->servers[i].side != NULL && dn_ets_shard_side_failed(sim->servers[i].side)) {
            sim->world.failed = true;
            (void)snprintf(sim->world.error, sizeof sim->world.error, "the server's store failed");
        }
    }
}

static void leave(void *context, unsigned number, const dn_ets_registration *registration)
{
    dn_ets_sim *sim = context;
    dn_ets_shard_side_leave(sim->servers[number].side, registration);
}

static bool offer(void *context, dunlin_slice package, char *uri, size_t size)
{
    dn_ets_sim *sim = context;
    char path[64];
    if (!dn_ets_shard_side_offer(sim->servers[0].side, package, path, sizeof path)) {
        return false;
    }
    return snprintf(uri, size, "%s%s", URIS[0], path) < (int)size;
}

static void cut_link(void *context, bool cut)
{
    ((dn_ets_sim *)context)->cut = cut;
}

dn_ets_sim *dn_ets_sim_create(const dn_ets_sim_config *config)
{
    dn_ets_sim *sim = calloc(1, sizeof *sim);
    if (sim == NULL) {
        return NULL;
    }
    sim->config = *config;
    sim->world = (dn_ets_world){.setting = "simulated",
                                .context = sim,
                                .servers = DN_ETS_SERVERS_MAX,
                                .lossy = config->loss_permille > 0,
                                .slack_ms = SLACK_MS,
                                .now_ms = now_ms,
                                .turn = turn,
                                .begin = begin,
                                .end = end,
                                .leave = leave,
                                .cut = cut_link,
                                .offer = offer};
    return sim;
}

void dn_ets_sim_destroy(dn_ets_sim *sim)
{
    if (sim != NULL) {
        free(sim);
    }
}

dn_ets_world *dn_ets_sim_world(dn_ets_sim *sim)
{
    return &sim->world;
}
