/* SPDX-License-Identifier: Apache-2.0 */
/* Device and servers on a simulated network. Each case gets new ones; the first server may be reached in a way of its own. */
#include "ets/sim.h"

#include "bearer/simlink.h"
#include "bootstrap/est.h"
#include "ets/bootstrap_side.h"
#include "ets/configurations.h"
#include "ets/shard_side.h"
#include "ets/sim_ways.h"
#include "port/enroll.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS     1000000u
#define EPOCH_MS     INT64_C(1790000000000)
#define DELAY_MS     10u
#define SLACK_MS     50u
#define DATAGRAM_MAX 2048u
#define CARD_MAX     2048u

typedef struct {
    dn_ets_sim *sim;
    unsigned number;
    dn_ets_shard_side *side;
    dn_ets_bootstrap_side *bootstrap; /* in its place */
    dn_peer address;
    dn_ets_ways *ways; /* NULL: plain UDP */
} server;

struct dn_ets_sim {
    dn_ets_sim_config config;
    dn_ets_world world;
    dn_simlink *link;
    uint64_t cases; /* begun: each has randomness of its own */
    server servers[DN_ETS_PARTIES];
    dn_ets_setup setup;
    dn_ets_text document; /* of the bootstrap server */
    dn_est *est;
    dn_enrolling *enrolling;
    dn_peer device;
    dn_seeded seeded;
    bool cut;
    uint8_t card[CARD_MAX];
    size_t card_len;
    unsigned card_reads;
    uint64_t card_first_ms;
};

static const char *const URIS[DN_ETS_PARTIES] = {"coap://first.example:5683", "coap://second.example:5683",
                                                 "coap://bootstrap.example:5683"};
static const char NOWHERE[] = "coap://nowhere.example:5683";

static bool is_there(const server *s)
{
    return s->side != NULL || s->bootstrap != NULL;
}

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
    for (unsigned i = 0; i < DN_ETS_PARTIES; i++) {
        const dn_peer *at = &sim->servers[i].address;
        if (is_there(&sim->servers[i]) && !goes_by(sim->servers[i].ways, datagram) &&
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

static int64_t device_wall(void *context)
{
    return wall_ms(context) / 1000;
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

static void take(server *s, const dn_peer *from, dunlin_slice message)
{
    if (s->bootstrap != NULL) {
        dn_ets_bootstrap_side_receive(s->bootstrap, from, message);
    } else {
        dn_ets_shard_side_receive(s->side, from, message);
    }
}

static void server_receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t at_ms)
{
    server *s = context;
    if (goes_by(s->ways, datagram)) {
        dn_ets_ways_receive(s->ways, false, datagram, at_ms);
    } else {
        take(s, from, datagram);
    }
}

static uint64_t server_deadline(void *context)
{
    const server *s = context;
    const uint64_t own_ms = s->bootstrap != NULL ? dn_ets_bootstrap_side_deadline(s->bootstrap)
                                                 : dn_ets_shard_side_deadline(s->side);
    const uint64_t below_ms = s->ways != NULL ? dn_ets_ways_deadline(s->ways, false) : DN_NEVER;
    return own_ms < below_ms ? own_ms : below_ms;
}

static void server_expire(void *context, uint64_t at_ms)
{
    server *s = context;
    if (s->ways != NULL) {
        dn_ets_ways_expire(s->ways, false, at_ms);
    }
    if (s->bootstrap != NULL) {
        dn_ets_bootstrap_side_expire(s->bootstrap);
    } else {
        dn_ets_shard_side_expire(s->side);
    }
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
    take(s, device, message);
}

static void way_opened(void *context, const dn_peer *device)
{
    server *s = context;
    if (s->bootstrap != NULL) {
        dn_ets_bootstrap_side_opened(s->bootstrap, device);
    } else {
        dn_ets_shard_side_opened(s->side, device);
    }
}

static void way_closed(void *context, const dn_peer *device)
{
    server *s = context;
    if (s->bootstrap != NULL) {
        dn_ets_bootstrap_side_closed(s->bootstrap, device);
    } else {
        dn_ets_shard_side_closed(s->side, device);
    }
}

static int64_t way_wall_s(void *context)
{
    return wall_ms(((server *)context)->sim) / 1000;
}

static void way_to_device(void *context, const dn_peer *from, dunlin_slice message);
static void way_up(void *context, const dn_peer *at);
static void way_down(void *context, dunlin_status status, int alert);

static dn_ets_way way_of(const server *s, const dn_ets_setup *setup)
{
    return s->number == DN_ETS_BOOTSTRAP ? setup->bootstrap_way : setup->way;
}

static bool make_way(server *s, const dn_ets_setup *setup)
{
    dn_ets_sim *sim = s->sim;
    const dn_ets_ways_config config = {.way = way_of(s, setup),
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

/* On the network, and reached as the case wants it. */
static bool place(dn_ets_sim *sim, unsigned number, const dn_ets_setup *setup)
{
    server *s = &sim->servers[number];
    *s = (server){.sim = sim, .number = number};
    const dn_simlink_endpoint endpoint = {
        .receive = server_receive, .deadline = server_deadline, .expire = server_expire, .context = s};
    return dn_simlink_attach(sim->link, &endpoint, &s->address) == DUNLIN_OK &&
           (way_of(s, setup) == DN_ETS_WAY_ANY || make_way(s, setup));
}

static dn_ets_blanks blanks_of(void *context)
{
    const dn_ets_sim *sim = context;
    const dn_ets_ways *ways = sim->servers[0].ways;
    const dn_ets_ways *bootstrap = sim->servers[DN_ETS_BOOTSTRAP].ways;
    return (dn_ets_blanks){.server_uri = ways != NULL ? dn_ets_ways_uri(ways) : URIS[0],
                           .server_security = ways != NULL ? dn_ets_ways_security(ways) : NULL,
                           .bootstrap_uri =
                               bootstrap != NULL ? dn_ets_ways_uri(bootstrap) : URIS[DN_ETS_BOOTSTRAP],
                           .bootstrap_security = bootstrap != NULL ? dn_ets_ways_security(bootstrap) : NULL,
                           .lifetime_s = sim->setup.lifetime_s};
}

/* The authority that issues is the one which the server trusts. */
static bool make_enrolment(dn_ets_sim *sim)
{
    dn_est_config config = dn_est_config_default();
    const dn_ets_party *authority = &dn_ets_ways_keys(sim->servers[0].ways)->authority;
    config.authority = dunlin_slice_make(authority->certificate, authority->certificate_len);
    config.authority_key = dunlin_slice_make(authority->key, authority->key_len);
    config.random = dn_seeded_random(&sim->seeded);
    config.wall_ms = wall_ms;
    config.clock_context = sim;
    sim->enrolling = dn_enrolling_create(device_wall, sim);
    return sim->enrolling != NULL &&
           dn_est_create(&config, &sim->est, sim->world.error, sizeof sim->world.error) == DUNLIN_OK;
}

static bool is_loopback(const dn_peer *peer)
{
    (void)peer;
    return true; /* the policy for hosts is not what is tested here */
}

static bool make_bootstrap(dn_ets_sim *sim, const dn_ets_setup *setup)
{
    server *s = &sim->servers[DN_ETS_BOOTSTRAP];
    const dn_ets_blanks blanks = blanks_of(sim);
    dn_ets_bootstrap_config config = {.send = server_send,
                                      .clock_ms = server_clock,
                                      .wall_ms = server_wall,
                                      .context = s,
                                      .peer_text = peer_text,
                                      .is_loopback = is_loopback,
                                      .random = dn_seeded_random(&sim->seeded)};
    if (s->ways != NULL) {
        config.identity = server_identity;
        config.reaches = server_reaches;
        config.end_peer = server_ends;
    }
    if (setup->bootstrap == DN_ETS_BOOTSTRAP_OURS) {
        dn_ets_configuration_document(&blanks, setup->enrols, &sim->document);
        if (sim->document.failed || (setup->enrols && !make_enrolment(sim))) {
            return false;
        }
        config.document = sim->document.data;
        config.est = sim->est;
    }
    s->bootstrap = dn_ets_bootstrap_side_create(&config, sim->world.error, sizeof sim->world.error);
    if (s->bootstrap == NULL) {
        return false;
    }
    sim->world.operators[DN_ETS_BOOTSTRAP] = dn_ets_bootstrap_side_operator(s->bootstrap);
    return true;
}

static bool make_server(dn_ets_sim *sim, unsigned number, const dn_ets_setup *setup)
{
    server *s = &sim->servers[number];
    if (!place(sim, number, setup)) {
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

/* Which server a peer with any transport is. */
static server *at_peer(dn_ets_sim *sim, const dn_peer *peer)
{
    size_t i = 0;
    while (i + 1 < DN_ETS_PARTIES && !same_host(&sim->servers[i].address, peer)) {
        i++;
    }
    return &sim->servers[i];
}

/* And which one the client means. */
static server *of_number(dn_ets_sim *sim, uint16_t number)
{
    return &sim->servers[number == DUNLIN_BOOTSTRAP_SERVER ? DN_ETS_BOOTSTRAP : number == 2 ? 1 : 0];
}

static uint16_t number_of(const server *s)
{
    return s->number == DN_ETS_BOOTSTRAP ? (uint16_t)DUNLIN_BOOTSTRAP_SERVER : (uint16_t)(s->number + 1);
}

static dunlin_status device_resolve(void *context, const char *uri, dunlin_peer *peer);

static void device_send(void *context, const dunlin_peer *peer, dunlin_slice datagram)
{
    dn_ets_sim *sim = context;
    dn_peer to = {.len = peer->len};
    memcpy(to.bytes, peer->bytes, sizeof to.bytes);
    if (dn_peer_transport(&to) != DN_TRANSPORT_UDP) {
        dn_ets_ways_send(at_peer(sim, &to)->ways, false, datagram, now_ms(sim));
    } else {
        pass(sim, false, &sim->device, &to, datagram);
    }
}

static dunlin_status device_connect(void *context, const dunlin_way *way, dunlin_peer *peer)
{
    dn_ets_sim *sim = context;
    dn_ets_ways *ways = of_number(sim, way->server)->ways;
    const bool is_plain = strncmp(way->uri, "coap://", strlen("coap://")) == 0;
    if (is_plain) {
        return device_resolve(context, way->uri, peer);
    }
    return ways != NULL && strcmp(way->uri, dn_ets_ways_uri(ways)) == 0
               ? dn_ets_ways_connect(ways, way, peer, now_ms(sim))
               : DUNLIN_ERR_NOT_FOUND;
}

static void device_disconnect(void *context, uint16_t number)
{
    dn_ets_sim *sim = context;
    dn_ets_ways *ways = of_number(sim, number)->ways;
    if (ways != NULL) {
        dn_ets_ways_disconnect(ways, now_ms(sim));
    }
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
    dunlin_client_connected(dn_ets_device_client(s->sim->world.device), number_of(s), &peer, now_ms(s->sim));
}

static void way_down(void *context, dunlin_status status, int alert)
{
    const server *s = context;
    dunlin_client_disconnected(dn_ets_device_client(s->sim->world.device), number_of(s), status, alert,
                               now_ms(s->sim));
}

static dunlin_status device_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    dn_ets_sim *sim = context;
    for (size_t i = 0; i < DN_ETS_PARTIES; i++) {
        if (strncmp(uri, URIS[i], strlen(URIS[i])) == 0 && is_there(&sim->servers[i])) {
            to_device_peer(&sim->servers[i].address, peer);
            return DUNLIN_OK;
        }
    }
    return DUNLIN_ERR_NOT_FOUND;
}

static void device_receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t at_ms)
{
    dn_ets_sim *sim = context;
    dunlin_peer peer;
    to_device_peer(from, &peer);
    dn_ets_ways *ways = at_peer(sim, from)->ways;
    if (!sim->cut && goes_by(ways, datagram)) {
        dn_ets_ways_receive(ways, true, datagram, at_ms);
    } else if (!sim->cut) {
        dn_ets_device_receive(sim->world.device, &peer, datagram, at_ms);
    }
}

static uint64_t device_deadline(void *context)
{
    dn_ets_sim *sim = context;
    uint64_t at_ms = sim->world.device != NULL ? dn_ets_device_deadline(sim->world.device) : DN_NEVER;
    for (size_t i = 0; sim->world.device != NULL && i < DN_ETS_PARTIES; i++) {
        const dn_ets_ways *ways = sim->servers[i].ways;
        const uint64_t below_ms = ways != NULL ? dn_ets_ways_deadline(ways, true) : DN_NEVER;
        at_ms = below_ms < at_ms ? below_ms : at_ms;
    }
    return at_ms;
}

static void device_expire(void *context, uint64_t at_ms)
{
    dn_ets_sim *sim = context;
    for (size_t i = 0; i < DN_ETS_PARTIES; i++) {
        if (sim->servers[i].ways != NULL) {
            dn_ets_ways_expire(sim->servers[i].ways, true, at_ms);
        }
    }
    dn_ets_device_step(sim->world.device, at_ms);
}

static dunlin_status device_card(void *context, dunlin_buf *file)
{
    dn_ets_sim *sim = context;
    if (sim->card_reads++ == 0) {
        sim->card_first_ms = now_ms(sim);
    }
    if (sim->card_len == 0) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    return dunlin_buf_append(file, dunlin_slice_make(sim->card, sim->card_len)) ? DUNLIN_OK
                                                                                : DUNLIN_ERR_SPACE;
}

static bool make_device(dn_ets_sim *sim, const dn_ets_setup *setup)
{
    dn_ets_surroundings around = {.send = device_send,
                                  .resolve = device_resolve,
                                  .wall_s = device_wall,
                                  .context = sim,
                                  .random = dn_seeded_random(&sim->seeded),
                                  .uris = {URIS[0], URIS[1], URIS[DN_ETS_BOOTSTRAP]}};
    for (size_t i = 0; i < DN_ETS_PARTIES; i++) {
        const dn_ets_ways *ways = sim->servers[i].ways;
        if (ways != NULL) {
            around.connect = device_connect;
            around.disconnect = device_disconnect;
            around.uris[i] = dn_ets_ways_uri(ways);
            around.security[i] = dn_ets_ways_security(ways);
        }
    }
    if (setup->is_elsewhere) {
        around.uris[0] = NOWHERE;
        around.security[0] = NULL;
    }
    if (setup->has_card) {
        around.smartcard = device_card;
    }
    if (setup->enrols) {
        around.enroll = dn_enrolling_callbacks(sim->enrolling);
    }
    sim->world.device =
        dn_ets_device_create(setup, &around, now_ms(sim), sim->world.error, sizeof sim->world.error);
    return sim->world.device != NULL;
}

/* ---- as a world ---- */

static bool is_stream(dn_ets_way way)
{
    return way == DN_ETS_WAY_TCP || way == DN_ETS_WAY_TLS_PSK || way == DN_ETS_WAY_TLS_X509;
}

static bool begin(void *context, const dn_ets_setup *asked)
{
    dn_ets_sim *sim = context;
    dn_ets_setup own = *asked;
    const dn_ets_setup *setup = &own;
    const bool is_one = asked->servers == 1 && asked->bootstrap == DN_ETS_BOOTSTRAP_NONE;
    own.way = asked->way == DN_ETS_WAY_ANY && is_one ? sim->config.way : asked->way;
    if (asked->bootstrap != DN_ETS_BOOTSTRAP_NONE && !asked->enrols && sim->config.way != DN_ETS_WAY_ANY) {
        own.bootstrap_way = sim->config.way; /* who enrols must have a certificate */
    }
    const uint64_t seed = sim->config.seed * 1000 + ++sim->cases;
    const bool stream = is_stream(setup->way) || is_stream(setup->bootstrap_way);
    const dn_simlink_rules rules = {.loss_permille = stream ? 0 : sim->config.loss_permille,
                                    .delay_min_ms = DELAY_MS,
                                    .delay_max_ms = DELAY_MS};
    const dn_simlink_endpoint endpoint = {
        .receive = device_receive, .deadline = device_deadline, .expire = device_expire, .context = sim};
    dn_seeded_init(&sim->seeded, seed);
    sim->setup = own;
    sim->card_len = 0;
    sim->card_reads = 0;
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
    if (setup->bootstrap != DN_ETS_BOOTSTRAP_NONE &&
        (!place(sim, DN_ETS_BOOTSTRAP, setup) || !make_bootstrap(sim, setup))) {
        return false;
    }
    return make_device(sim, setup);
}

/* Nothing is kept but what the factory gave, and the card. */
static bool power_cycle(void *context, dunlin_slice card)
{
    dn_ets_sim *sim = context;
    if (card.len > sizeof sim->card) {
        return false;
    }
    memcpy(sim->card, card.data, card.len);
    sim->card_len = card.len;
    dn_ets_device_destroy(sim->world.device);
    sim->world.device = NULL;
    return make_device(sim, &sim->setup);
}

static unsigned card_reads(void *context, uint64_t *first_ms)
{
    const dn_ets_sim *sim = context;
    *first_ms = sim->card_first_ms;
    return sim->card_reads;
}

static void end(void *context)
{
    dn_ets_sim *sim = context;
    sim->cut = true; /* what is still said goes nowhere */
    for (size_t i = 0; i < DN_ETS_PARTIES; i++) {
        dn_ets_shard_side_destroy(sim->servers[i].side);
        dn_ets_bootstrap_side_destroy(sim->servers[i].bootstrap);
        sim->servers[i].side = NULL;
        sim->servers[i].bootstrap = NULL;
    }
    sim->world.operators[DN_ETS_BOOTSTRAP] = NULL;
    dn_est_destroy(sim->est);
    sim->est = NULL;
    dn_enrolling_destroy(sim->enrolling);
    sim->enrolling = NULL;
    free(sim->document.data);
    sim->document = (dn_ets_text){.data = NULL};
    dn_ets_device_destroy(sim->world.device);
    sim->world.device = NULL;
    for (size_t i = 0; i < DN_ETS_PARTIES; i++) {
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
                                .bootstraps = ~0u,
                                .has_hand = true,
                                .blanks = blanks_of,
                                .power_cycle = power_cycle,
                                .card_reads = card_reads,
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
