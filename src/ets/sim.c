/* SPDX-License-Identifier: Apache-2.0 */
/* Device and servers on a simulated network. Each case gets new ones; the first server may be reached in a way of its own. */
#include "ets/sim.h"

#include "bearer/simlink.h"
#include "ets/shard_side.h"
#include "ets/sim_ways.h"

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
    dn_ets_ways *ways; /* NULL: plain UDP */
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

/* Whether bytes belong to the way, and not to plain CoAP beside it: a download may come by that. Records and messages differ in their first
 * byte (RFC 7983); streams have the network for themselves. */
static bool goes_by(const dn_ets_ways *ways, dunlin_slice bytes)
{
    return ways != NULL && (dn_ets_ways_is_stream(ways) || (bytes.len > 0 && bytes.data[0] < 64));
}

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
        if (sim->servers[i].side != NULL && !goes_by(sim->servers[i].ways, datagram) &&
            (same(from, at) || same(to, at))) {
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

/* What goes over a session is kept as it is before it is sealed, since nobody reads it later. */
static void keep(server *s, bool to_device, const dn_peer *device, dunlin_slice message)
{
    dn_ets_trace_add(&s->sim->world.trace, now_ms(s->sim), to_device, s->number, device, false, message);
}

static void server_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    server *s = context;
    if (dn_peer_transport(peer) == DN_TRANSPORT_UDP) {
        pass(s->sim, true, &s->address, peer, datagram);
    } else {
        keep(s, true, peer, datagram);
        dn_ets_ways_send(s->ways, true, datagram, now_ms(s->sim));
    }
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
    server *s = context;
    if (goes_by(s->ways, datagram)) {
        dn_ets_ways_receive(s->ways, false, datagram, at_ms);
    } else {
        dn_ets_shard_side_receive(s->side, from, datagram);
    }
}

static uint64_t server_deadline(void *context)
{
    const server *s = context;
    const uint64_t own_ms = dn_ets_shard_side_deadline(s->side);
    const uint64_t below_ms = s->ways != NULL ? dn_ets_ways_deadline(s->ways, false) : DN_NEVER;
    return own_ms < below_ms ? own_ms : below_ms;
}

static void server_expire(void *context, uint64_t at_ms)
{
    server *s = context;
    if (s->ways != NULL) {
        dn_ets_ways_expire(s->ways, false, at_ms);
    }
    dn_ets_shard_side_expire(s->side);
}

static const dn_identity *server_identity(void *context, const dn_peer *peer)
{
    (void)peer; /* there is one device, and it is asked of sessions alone */
    return dn_ets_ways_identity(((server *)context)->ways);
}

static bool server_reaches(void *context, const dn_peer *peer)
{
    return dn_peer_transport(peer) == DN_TRANSPORT_UDP || dn_ets_ways_reaches(((server *)context)->ways);
}

static void server_ends(void *context, const dn_peer *peer)
{
    server *s = context;
    (void)peer;
    dn_ets_ways_end(s->ways, now_ms(s->sim));
}

/* ---- the way to a server ---- */

static void way_carry(void *context, bool to_device, dunlin_slice bytes)
{
    server *s = context;
    const dn_peer *from = to_device ? &s->address : &s->sim->device;
    const dn_peer *to = to_device ? &s->sim->device : &s->address;
    pass(s->sim, to_device, from, to, bytes);
}

static void way_to_server(void *context, const dn_peer *device, dunlin_slice message)
{
    server *s = context;
    keep(s, false, device, message);
    dn_ets_shard_side_receive(s->side, device, message);
}

static void way_opened(void *context, const dn_peer *device)
{
    dn_ets_shard_side_opened(((server *)context)->side, device);
}

static void way_closed(void *context, const dn_peer *device)
{
    dn_ets_shard_side_closed(((server *)context)->side, device);
}

static int64_t way_wall_s(void *context)
{
    return wall_ms(((server *)context)->sim) / 1000;
}

static void way_to_device(void *context, const dn_peer *from, dunlin_slice message);
static void way_up(void *context, const dn_peer *at);
static void way_down(void *context, dunlin_status status, int alert);

static bool make_way(server *s, const dn_ets_setup *setup)
{
    dn_ets_sim *sim = s->sim;
    const dn_ets_ways_config config = {.way = setup->way,
                                       .endpoint = setup->endpoint,
                                       .random = dn_seeded_random(&sim->seeded),
                                       .server = s->address,
                                       .device = sim->device,
                                       .wall_s = way_wall_s,
                                       .carry = way_carry,
                                       .to_server = way_to_server,
                                       .to_device = way_to_device,
                                       .opened = way_opened,
                                       .closed = way_closed,
                                       .up = way_up,
                                       .down = way_down,
                                       .context = s};
    s->ways = dn_ets_ways_create(&config, sim->world.error, sizeof sim->world.error);
    return s->ways != NULL;
}

static bool make_server(dn_ets_sim *sim, unsigned number, const dn_ets_setup *setup)
{
    server *s = &sim->servers[number];
    *s = (server){.sim = sim, .number = number};
    const dn_simlink_endpoint endpoint = {
        .receive = server_receive, .deadline = server_deadline, .expire = server_expire, .context = s};
    if (dn_simlink_attach(sim->link, &endpoint, &s->address) != DUNLIN_OK ||
        (setup->way != DN_ETS_WAY_ANY && !make_way(s, setup))) {
        return false;
    }
    dn_ets_shard_config config = {.send = server_send,
                                  .clock_ms = server_clock,
                                  .wall_ms = server_wall,
                                  .context = s,
                                  .peer_text = peer_text,
                                  .same_host = same_host,
                                  .random = dn_seeded_random(&sim->seeded)};
    if (s->ways != NULL) {
        config.identity = server_identity;
        config.reaches = server_reaches;
        config.end_peer = server_ends;
        config.credentials = dn_ets_ways_credentials(s->ways);
    }
    s->side = dn_ets_shard_side_create(&config, sim->world.error, sizeof sim->world.error);
    if (s->side == NULL) {
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
    if (dn_peer_transport(&to) != DN_TRANSPORT_UDP) {
        dn_ets_ways_send(sim->servers[0].ways, false, datagram, now_ms(sim));
    } else {
        pass(sim, false, &sim->device, &to, datagram);
    }
}

static dunlin_status device_connect(void *context, const dunlin_way *way, dunlin_peer *peer)
{
    dn_ets_sim *sim = context;
    (void)way; /* there is one server when there is a way of its own */
    return dn_ets_ways_connect(sim->servers[0].ways, peer, now_ms(sim));
}

static void device_disconnect(void *context, uint16_t number)
{
    dn_ets_sim *sim = context;
    (void)number;
    dn_ets_ways_disconnect(sim->servers[0].ways, now_ms(sim));
}

static void way_to_device(void *context, const dn_peer *from, dunlin_slice message)
{
    dn_ets_sim *sim = ((server *)context)->sim;
    dunlin_peer peer;
    to_device_peer(from, &peer);
    dn_ets_device_receive(sim->world.device, &peer, message, now_ms(sim));
}

static void way_up(void *context, const dn_peer *at)
{
    const server *s = context;
    dunlin_peer peer;
    to_device_peer(at, &peer);
    dunlin_client_connected(dn_ets_device_client(s->sim->world.device), (uint16_t)(s->number + 1), &peer,
                            now_ms(s->sim));
}

static void way_down(void *context, dunlin_status status, int alert)
{
    const server *s = context;
    dunlin_client_disconnected(dn_ets_device_client(s->sim->world.device), (uint16_t)(s->number + 1), status,
                               alert, now_ms(s->sim));
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
    if (!sim->cut && goes_by(sim->servers[0].ways, datagram)) {
        dn_ets_ways_receive(sim->servers[0].ways, true, datagram, at_ms);
    } else if (!sim->cut) {
        dn_ets_device_receive(sim->world.device, &peer, datagram, at_ms);
    }
}

static uint64_t device_deadline(void *context)
{
    dn_ets_sim *sim = context;
    const uint64_t own_ms = sim->world.device != NULL ? dn_ets_device_deadline(sim->world.device) : DN_NEVER;
    const dn_ets_ways *ways = sim->servers[0].ways;
    const uint64_t below_ms =
        sim->world.device != NULL && ways != NULL ? dn_ets_ways_deadline(ways, true) : DN_NEVER;
    return own_ms < below_ms ? own_ms : below_ms;
}

static void device_expire(void *context, uint64_t at_ms)
{
    dn_ets_sim *sim = context;
    if (sim->servers[0].ways != NULL) {
        dn_ets_ways_expire(sim->servers[0].ways, true, at_ms);
    }
    dn_ets_device_step(sim->world.device, at_ms);
}

static bool make_device(dn_ets_sim *sim, const dn_ets_setup *setup)
{
    dn_ets_surroundings around = {.send = device_send,
                                  .resolve = device_resolve,
                                  .wall_s = device_wall,
                                  .context = sim,
                                  .random = dn_seeded_random(&sim->seeded),
                                  .uris = {URIS[0], URIS[1]}};
    const dn_ets_ways *ways = sim->servers[0].ways;
    if (ways != NULL) {
        around.connect = device_connect;
        around.disconnect = device_disconnect;
        around.uris[0] = dn_ets_ways_uri(ways);
        around.security[0] = dn_ets_ways_security(ways);
    }
    sim->world.device =
        dn_ets_device_create(setup, &around, now_ms(sim), sim->world.error, sizeof sim->world.error);
    return sim->world.device != NULL;
}

/* ---- as a world ---- */

static bool begin(void *context, const dn_ets_setup *asked)
{
    dn_ets_sim *sim = context;
    dn_ets_setup own = *asked;
    const dn_ets_setup *setup = &own;
    own.way = asked->way == DN_ETS_WAY_ANY && asked->servers == 1 ? sim->config.way : asked->way;
    const uint64_t seed = sim->config.seed * 1000 + ++sim->cases;
    const bool stream =
        setup->way == DN_ETS_WAY_TCP || setup->way == DN_ETS_WAY_TLS_PSK || setup->way == DN_ETS_WAY_TLS_X509;
    const dn_simlink_rules rules = {.loss_permille = stream ? 0 : sim->config.loss_permille,
                                    .delay_min_ms = DELAY_MS,
                                    .delay_max_ms = DELAY_MS};
    const dn_simlink_endpoint endpoint = {
        .receive = device_receive, .deadline = device_deadline, .expire = device_expire, .context = sim};
    dn_seeded_init(&sim->seeded, seed);
    sim->cut = false;
    sim->link = dn_simlink_create(seed, START_MS);
    if (sim->link == NULL) {
        return false;
    }
    dn_simlink_rule(sim->link, &rules);
    dn_simlink_watch(sim->link, on_tap, sim);
    if (dn_simlink_attach(sim->link, &endpoint, &sim->device) != DUNLIN_OK) {
        return false;
    }
    for (unsigned i = 0; i < setup->servers; i++) {
        if (!make_server(sim, i, setup)) {
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
    for (size_t i = 0; i < DN_ETS_SERVERS_MAX; i++) {
        dn_ets_ways_destroy(sim->servers[i].ways);
        sim->servers[i].ways = NULL;
    }
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

static bool connection(void *context, unsigned number, dn_ets_connection *out)
{
    const dn_ets_ways *ways = ((dn_ets_sim *)context)->servers[number].ways;
    *out = (dn_ets_connection){.transport = DN_TRANSPORT_UDP, .mode = DN_SECURITY_NOSEC};
    return ways == NULL || dn_ets_ways_connection(ways, out);
}

static bool refusal(void *context, unsigned number, dn_ets_refusal *out)
{
    const dn_ets_ways *ways = ((dn_ets_sim *)context)->servers[number].ways;
    return ways != NULL && dn_ets_ways_refusal(ways, out);
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
                                .offer = offer,
                                .ways = ~0u,
                                .connection = connection,
                                .refusal = refusal};
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
