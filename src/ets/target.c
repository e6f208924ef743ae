/* SPDX-License-Identifier: Apache-2.0 */
/* Our device on a real network. Each case gets a new one, with sockets and sessions of its own. */
#include "ets/target.h"

#include "port/clock.h"
#include "port/entropy.h"
#include "port/transport.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLACK_MS       1500u
#define STOP_MS        5000u
#define WAIT_MAX_MS    50 /* an operator in another thread may have finished */
#define DATAGRAM_MAX   2048u
#define SPOOF_MID      0x4554u
#define STREAM_MESSAGE 8192u
#define TRANSPORTS     4u

typedef struct {
    const char *uris[TRANSPORTS]; /* NULL: it is not reached so */
    const char *first;
    dn_peer peer;                 /* once something went there */
    dn_ets_connection connection; /* of this case */
    bool is_up;
} server;

struct dn_ets_target {
    dn_ets_world world;
    dn_ets_target_config config;
    dn_ways *ways;
    dn_entropy entropy;
    server servers[DN_ETS_PARTIES];
    dunlin_security security[DN_ETS_PARTIES];
    dn_peer self; /* only a name in the trace */
    dn_ets_refusal refusal;
    bool refused;
    uint16_t spoofs;
    bool cut;
};

static const char NOWHERE[] = "coap://127.0.0.1:9"; /* the port of discard: nobody answers */

static const char *const SCHEMES[TRANSPORTS] = {"coap://", "coaps://", "coap+tcp://", "coaps+tcp://"};

static dn_peer to_internal(const dunlin_peer *peer)
{
    dn_peer out = {.len = peer->len};
    memcpy(out.bytes, peer->bytes, sizeof out.bytes);
    return out;
}

/* Which server of the client's that is. */
static server *of_client(dn_ets_target *t, uint16_t number)
{
    return &t->servers[number == DUNLIN_BOOTSTRAP_SERVER ? DN_ETS_BOOTSTRAP : number == 2 ? 1 : 0];
}

/* A way that has just come up is known by the first message that goes there. */
static unsigned number_of(dn_ets_target *t, const dn_peer *peer)
{
    unsigned fresh = 0;
    for (unsigned i = 0; i < DN_ETS_PARTIES; i++) {
        if (dn_peer_equal(peer, &t->servers[i].peer)) {
            return i;
        }
        fresh = t->servers[i].is_up && t->servers[i].peer.len == 0 ? i : fresh;
    }
    t->servers[fresh].peer = *peer;
    return fresh;
}

static uint64_t now_ms(void *context)
{
    (void)context;
    return dn_clock_ms();
}

static void keep(dn_ets_target *t, bool to_device, const dunlin_peer *peer, dunlin_slice message)
{
    const dn_peer at = to_internal(peer);
    dn_peer self = t->self;
    dn_peer_set_transport(&self, dn_peer_transport(&at));
    dn_ets_trace_add(&t->world.trace, dn_clock_ms(), to_device, number_of(t, &at), &self, false, message);
}

/* ---- the device's surroundings ---- */

static void device_send(void *context, const dunlin_peer *peer, dunlin_slice datagram)
{
    dn_ets_target *t = context;
    if (!t->cut) {
        keep(t, false, peer, datagram);
        dn_ways_send(t->ways, peer, datagram);
    }
}

static dunlin_status device_connect(void *context, const dunlin_way *way, dunlin_peer *peer)
{
    dn_ets_target *t = context;
    server *s = of_client(t, way->server);
    const dunlin_status status = dn_ways_connect(t->ways, way, peer);
    s->connection.mode = (uint8_t)way->security->mode;
    if (status == DUNLIN_OK) {
        s->peer = to_internal(peer);
        s->is_up = true;
        s->connection.transport = dn_peer_transport(&s->peer);
    }
    return status;
}

static void device_disconnect(void *context, uint16_t number)
{
    dn_ets_target *t = context;
    of_client(t, number)->is_up = false;
    of_client(t, number)->peer.len = 0;
    dn_ways_disconnect(t->ways, number);
}

static dunlin_status device_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    return dn_ways_resolve(((dn_ets_target *)context)->ways, uri, peer);
}

static int64_t device_wall(void *context)
{
    (void)context;
    return dn_clock_wall_ms() / 1000;
}

static void on_message(void *context, const dunlin_peer *from, dunlin_slice message)
{
    dn_ets_target *t = context;
    if (!t->cut && t->world.device != NULL) {
        keep(t, true, from, message);
        dn_ets_device_receive(t->world.device, from, message, dn_clock_ms());
    }
}

static void on_way(void *context, const dn_ways_event *event)
{
    dn_ets_target *t = context;
    server *s = of_client(t, event->server);
    s->is_up = event->kind == DN_WAYS_UP;
    s->peer.len = 0;
    if (s->is_up) {
        (void)snprintf(s->connection.suite, sizeof s->connection.suite, "%s", event->suite);
    } else if (event->kind == DN_WAYS_DOWN && event->status != DUNLIN_END &&
               event->status != DUNLIN_ERR_TIMEOUT) {
        t->refused = true;
        t->refusal.by_device = event->status == DUNLIN_ERR_ACCESS;
        t->refusal.alert = event->alert;
        (void)snprintf(t->refusal.why, sizeof t->refusal.why, "%s", event->why);
    }
}

/* ---- as a world ---- */

static void turn(void *context, uint64_t until_ms)
{
    dn_ets_target *t = context;
    struct pollfd fds[DN_WAYS_FDS_MAX];
    const uint64_t due_ms[] = {dn_ets_device_deadline(t->world.device), dn_ways_deadline(t->ways)};
    for (size_t i = 0; i < 2; i++) {
        until_ms = due_ms[i] < until_ms ? due_ms[i] : until_ms;
    }
    const uint64_t now = dn_clock_ms();
    const uint64_t left_ms = until_ms > now ? until_ms - now : 0;
    dn_ways_flush(t->ways);
    (void)poll(fds, (nfds_t)dn_ways_fds(t->ways, fds), left_ms < WAIT_MAX_MS ? (int)left_ms : WAIT_MAX_MS);
    dn_ways_work(t->ways);
    if (dn_ets_device_deadline(t->world.device) <= dn_clock_ms()) {
        dn_ets_device_step(t->world.device, dn_clock_ms());
    }
    dn_ways_flush(t->ways);
}

static const struct {
    dn_transport transport;
    uint8_t mode;
} WAYS[] = {
    [DN_ETS_WAY_PSK] = {DN_TRANSPORT_DTLS, DN_SECURITY_PSK},
    [DN_ETS_WAY_X509] = {DN_TRANSPORT_DTLS, DN_SECURITY_X509},
    [DN_ETS_WAY_TCP] = {DN_TRANSPORT_TCP, DN_SECURITY_NOSEC},
    [DN_ETS_WAY_TLS_PSK] = {DN_TRANSPORT_TLS, DN_SECURITY_PSK},
    [DN_ETS_WAY_TLS_X509] = {DN_TRANSPORT_TLS, DN_SECURITY_X509},
};

static bool has_credentials(const dn_ets_target_config *config, uint8_t mode)
{
    return mode == DN_SECURITY_PSK ? config->key.len > 0
                                   : mode != DN_SECURITY_X509 || config->private_key.len > 0;
}

static unsigned possible_ways(const dn_ets_target *t)
{
    unsigned set = 1u << DN_ETS_WAY_ANY;
    for (unsigned i = DN_ETS_WAY_PSK; i < sizeof WAYS / sizeof WAYS[0]; i++) {
        if (i != DN_ETS_WAY_X509_OTHER && t->servers[0].uris[WAYS[i].transport] != NULL &&
            has_credentials(&t->config, WAYS[i].mode)) {
            set |= 1u << i;
        }
    }
    return set;
}

static dn_transport transport_of(const char *uri)
{
    unsigned i = TRANSPORTS - 1;
    while (i > 0 && strncmp(uri, SCHEMES[i], strlen(SCHEMES[i])) != 0) {
        i--;
    }
    return (dn_transport)i;
}

/* By which URI, and with what. */
static const char *choose(dn_ets_target *t, dn_ets_way way, server *s, dunlin_security *security)
{
    const char *uri = way == DN_ETS_WAY_ANY ? s->first : s->uris[WAYS[way].transport];
    uint8_t mode = DN_SECURITY_NOSEC;
    if (way != DN_ETS_WAY_ANY) {
        mode = WAYS[way].mode;
    } else if (dn_transport_is_secure(transport_of(uri))) {
        mode = t->config.key.len > 0 ? DN_SECURITY_PSK : DN_SECURITY_X509;
    }
    s->is_up = false;
    s->peer.len = 0;
    s->connection = (dn_ets_connection){.transport = transport_of(uri), .mode = mode};
    *security = (dunlin_security){.mode = (dunlin_security_mode)mode, .matching = -1, .usage = -1};
    if (mode == DN_SECURITY_PSK) {
        security->identity = t->config.identity;
        security->secret = t->config.key;
    } else if (mode == DN_SECURITY_X509) {
        security->identity = t->config.certificate;
        security->secret = t->config.private_key;
        security->server_key = t->config.server_certificate;
        security->usage = t->config.usage;
        (void)snprintf(security->sni, sizeof security->sni, "%s", t->config.sni != NULL ? t->config.sni : "");
    }
    return uri;
}

static bool begin(void *context, const dn_ets_setup *setup)
{
    dn_ets_target *t = context;
    dn_ways_config ways = dn_ways_config_default();
    dn_ets_surroundings around = {.send = device_send,
                                  .resolve = device_resolve,
                                  .wall_s = device_wall,
                                  .context = t,
                                  .random = dn_entropy_random(&t->entropy),
                                  .connect = device_connect,
                                  .disconnect = device_disconnect};
    t->cut = t->refused = false;
    ways.max_stream_message = STREAM_MESSAGE;
    ways.event = on_way;
    ways.message = on_message;
    ways.context = t;
    if (dn_ways_create(&ways, &t->ways) != DUNLIN_OK) {
        (void)snprintf(t->world.error, sizeof t->world.error, "no sockets can be had");
        return false;
    }
    for (size_t i = 0; i < t->world.servers; i++) {
        around.uris[i] = choose(t, setup->way, &t->servers[i], &t->security[i]);
        around.security[i] = &t->security[i];
    }
    if (setup->bootstrap != DN_ETS_BOOTSTRAP_NONE) {
        around.uris[DN_ETS_BOOTSTRAP] =
            choose(t, DN_ETS_WAY_ANY, &t->servers[DN_ETS_BOOTSTRAP], &t->security[DN_ETS_BOOTSTRAP]);
        around.security[DN_ETS_BOOTSTRAP] = &t->security[DN_ETS_BOOTSTRAP];
    }
    if (setup->is_elsewhere) {
        around.uris[0] = NOWHERE;
        around.security[0] = NULL;
    }
    t->world.device =
        dn_ets_device_create(setup, &around, dn_clock_ms(), t->world.error, sizeof t->world.error);
    if (t->world.device != NULL) {
        dn_ways_attach(t->ways, dn_ets_device_client(t->world.device));
    }
    return t->world.device != NULL;
}

static bool has_stopped(void *context)
{
    dn_ets_target *t = context;
    return dunlin_client_stopped(dn_ets_device_client(t->world.device));
}

static void end(void *context)
{
    dn_ets_target *t = context;
    if (t->world.device != NULL) {
        t->cut = false;
        dunlin_client_stop(dn_ets_device_client(t->world.device), dn_clock_ms());
        (void)dn_ets_world_run(&t->world, STOP_MS, has_stopped, t);
    }
    dn_ways_destroy(t->ways);
    t->ways = NULL;
    dn_ets_device_destroy(t->world.device);
    t->world.device = NULL;
    dn_ets_trace_clear(&t->world.trace);
}

/* From the device's own address, but behind its library's back; the answer is one that it does not know. */
static void leave(void *context, unsigned number, const dn_ets_registration *registration)
{
    dn_ets_target *t = context;
    const server *s = &t->servers[number];
    uint8_t bytes[DATAGRAM_MAX];
    dn_coap_writer writer;
    dunlin_peer peer = {.len = s->peer.len};
    const dn_coap_token token = {.len = 8, .bytes = {'e', 't', 's', 's', 'p', 'o', 'o', 'f'}};
    dn_coap_write_header(&writer, bytes, sizeof bytes, DN_COAP_NON, DN_COAP_DELETE,
                         (uint16_t)(SPOOF_MID + t->spoofs++), &token);
    for (const char *at = registration->location; *at == '/';) {
        const size_t len = strcspn(at + 1, "/");
        dn_coap_write_option(&writer, DN_OPTION_URI_PATH, dunlin_slice_make(at + 1, len));
        at += len + 1;
    }
    const dunlin_slice message = dn_transport_is_stream(dn_peer_transport(&s->peer))
                                     ? dn_coap_message_frame(bytes, writer.len)
                                     : dunlin_slice_make(bytes, writer.len);
    memcpy(peer.bytes, s->peer.bytes, sizeof peer.bytes);
    dn_ways_send(t->ways, &peer, message);
    dn_ways_flush(t->ways);
}

static void cut_link(void *context, bool cut)
{
    ((dn_ets_target *)context)->cut = cut;
}

static bool connection(void *context, unsigned number, dn_ets_connection *out)
{
    const server *s = &((dn_ets_target *)context)->servers[number];
    *out = s->connection;
    return s->is_up;
}

static bool refusal(void *context, unsigned number, dn_ets_refusal *out)
{
    const dn_ets_target *t = context;
    (void)number;
    *out = t->refusal;
    return t->refused;
}

/* ---- making ---- */

/* A scheme that the server has already begins the next one. NULL, or what is wrong. */
static const char *take_uri(dn_ets_target *t, const char *uri)
{
    const dn_transport transport = transport_of(uri);
    const size_t scheme = strlen(SCHEMES[transport]);
    if (strncmp(uri, SCHEMES[transport], scheme) != 0 || uri[scheme] == '\0') {
        return "is no address of a server";
    }
    if (dn_transport_is_secure(transport) && t->config.key.len == 0 && t->config.private_key.len == 0) {
        return "needs credentials of the device: a pre-shared key, or a certificate with its key";
    }
    size_t number = t->world.servers == 0 ? 0 : t->world.servers - 1;
    number += t->servers[number].uris[transport] != NULL;
    if (number >= t->config.operator_count || number >= DN_ETS_SERVERS_MAX) {
        return "is one more server than there are operators";
    }
    server *s = &t->servers[number];
    s->uris[transport] = uri;
    s->first = s->first == NULL ? uri : s->first;
    t->world.operators[number] = t->config.operators[number];
    t->world.servers = number + 1;
    return NULL;
}

dn_ets_target *dn_ets_target_create(const dn_ets_target_config *config, char *error, size_t error_size)
{
    dn_ets_target *t = calloc(1, sizeof *t);
    (void)snprintf(error, error_size, "no memory");
    if (t == NULL) {
        return NULL;
    }
    t->self.len = 1;
    t->config = *config;
    t->world = (dn_ets_world){.setting = "server",
                              .context = t,
                              .slack_ms = SLACK_MS,
                              .now_ms = now_ms,
                              .turn = turn,
                              .begin = begin,
                              .end = end,
                              .leave = leave,
                              .cut = cut_link,
                              .connection = connection,
                              .refusal = refusal};
    for (size_t i = 0; i < config->count; i++) {
        const char *wrong = take_uri(t, config->uris[i]);
        if (wrong != NULL) {
            (void)snprintf(error, error_size, "%s %s", config->uris[i], wrong);
            dn_ets_target_destroy(t);
            return NULL;
        }
    }
    if (config->bootstrap != NULL) {
        server *s = &t->servers[DN_ETS_BOOTSTRAP];
        s->first = s->uris[transport_of(config->bootstrap)] = config->bootstrap;
        t->world.bootstraps = ~0u; /* what it gives its operator has decided */
    }
    t->world.ways = possible_ways(t);
    return t;
}

void dn_ets_target_destroy(dn_ets_target *target)
{
    if (target != NULL) {
        dn_ets_trace_clear(&target->world.trace);
        free(target);
    }
}

dn_ets_world *dn_ets_target_world(dn_ets_target *target)
{
    return &target->world;
}
