/* SPDX-License-Identifier: Apache-2.0 */
/* Our server on a real network. Its registrations outlive a case, for a foreign device registers when it likes. */
#include "ets/listen.h"

#include "endpoint/ports.h"
#include "ets/bootstrap_side.h"
#include "ets/configurations.h"
#include "ets/shard_side.h"
#include "port/clock.h"
#include "port/entropy.h"
#include "store/credentials.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLACK_MS    1500u
#define WAIT_MAX_MS 50 /* an operator in another thread may have finished */
#define TRANSPORTS  4u

typedef struct {
    dn_ets_listen *listen;
    unsigned number;
    dn_ports *ports;
    dn_ets_shard_side *side;
    dn_ets_bootstrap_side *bootstrap; /* in its place, during a case that has one */
    uint64_t failed;                  /* handshakes, when the case began */
} server;

struct dn_ets_listen {
    dn_ets_world world;
    dn_credentials *credentials;
    dn_tls_context *tls;
    dn_entropy entropy;
    server servers[DN_ETS_PARTIES];
    dunlin_slice identity, key; /* views of the configuration's */
    dn_ets_text document;
    char account_uri[128]; /* of the account that the bootstrap server writes in this case */
    dunlin_security account_security;
    bool is_account_plain;
};

static const char *const SCHEMES[TRANSPORTS] = {"coap", "coaps", "coap+tcp", "coaps+tcp"};

static void peer_text(const dn_peer *peer, char *out, size_t size)
{
    char text[DN_UDP_TEXT_MAX];
    (void)snprintf(out, size, "%s", dn_udp_peer_text(peer, text));
}

static uint64_t clock_ms(void *context)
{
    (void)context;
    return dn_clock_ms();
}

static int64_t wall_ms(void *context)
{
    (void)context;
    return dn_clock_wall_ms();
}

static int64_t wall_s(void *context)
{
    (void)context;
    return dn_clock_wall_ms() / 1000;
}

/* ---- between ports and shard ---- */

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    server *s = context;
    dn_ets_trace_add(&s->listen->world.trace, dn_clock_ms(), true, s->number, peer, false, datagram);
    dn_ports_send(s->ports, peer, datagram, dn_clock_ms());
}

static const dn_identity *identity_of(void *context, const dn_peer *peer)
{
    return dn_ports_identity(((server *)context)->ports, peer);
}

static bool reaches(void *context, const dn_peer *peer)
{
    return dn_ports_reaches(((server *)context)->ports, peer);
}

static void end_peer(void *context, const dn_peer *peer)
{
    dn_ports_end(((server *)context)->ports, peer, dn_clock_ms());
}

static void on_message(void *context, const dn_peer *peer, dunlin_slice message)
{
    server *s = context;
    dn_ets_trace_add(&s->listen->world.trace, dn_clock_ms(), false, s->number, peer, false, message);
    if (s->bootstrap != NULL) {
        dn_ets_bootstrap_side_receive(s->bootstrap, peer, message);
    } else if (s->side != NULL) {
        dn_ets_shard_side_receive(s->side, peer, message);
    }
}

static void on_opened(void *context, const dn_peer *peer)
{
    const server *s = context;
    if (s->bootstrap != NULL) {
        dn_ets_bootstrap_side_opened(s->bootstrap, peer);
    } else if (s->side != NULL) {
        dn_ets_shard_side_opened(s->side, peer);
    }
}

static void on_closed(void *context, const dn_peer *peer, dunlin_status status)
{
    const server *s = context;
    (void)status;
    if (s->bootstrap != NULL) {
        dn_ets_bootstrap_side_closed(s->bootstrap, peer);
    } else if (s->side != NULL) {
        dn_ets_shard_side_closed(s->side, peer);
    }
}

/* ---- as a world ---- */

static void wait_for(server *s, uint64_t until_ms)
{
    struct pollfd fds[DN_PORTS_FDS_MAX];
    const uint64_t due_ms = dn_ports_deadline(s->ports);
    const uint64_t now_ms = dn_clock_ms();
    until_ms = due_ms < until_ms ? due_ms : until_ms;
    const uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
    (void)poll(fds, (nfds_t)dn_ports_fds(s->ports, fds), left_ms < WAIT_MAX_MS ? (int)left_ms : WAIT_MAX_MS);
}

static uint64_t side_deadline(const server *s)
{
    return s->bootstrap != NULL ? dn_ets_bootstrap_side_deadline(s->bootstrap)
           : s->side != NULL    ? dn_ets_shard_side_deadline(s->side)
                                : DN_NEVER;
}

static void side_expire(server *s)
{
    if (side_deadline(s) > dn_clock_ms()) {
        return;
    }
    if (s->bootstrap != NULL) {
        dn_ets_bootstrap_side_expire(s->bootstrap);
    } else {
        dn_ets_shard_side_expire(s->side);
    }
}

static void turn(void *context, uint64_t until_ms)
{
    dn_ets_listen *l = context;
    size_t last = 0;
    for (size_t i = 0; i < DN_ETS_PARTIES; i++) {
        last = l->servers[i].ports != NULL ? i : last;
    }
    for (size_t i = 0; i <= last; i++) {
        server *s = &l->servers[i];
        if (s->ports == NULL) {
            continue;
        }
        const uint64_t due_ms = side_deadline(s);
        /* Of several only the last one waits. */
        wait_for(s, i < last ? 0 : due_ms < until_ms ? due_ms : until_ms);
        (void)dn_ports_receive(s->ports, dn_clock_ms(), NULL);
        dn_ports_expire(s->ports, dn_clock_ms());
        side_expire(s);
        dn_ports_flush(s->ports);
        if (s->side != NULL && dn_ets_shard_side_failed(s->side)) {
            l->world.failed = true;
            (void)snprintf(l->world.error, sizeof l->world.error, "the server's store failed");
        }
    }
}

static uint64_t refused_handshakes(const server *s)
{
    dn_ports_counters counters;
    dn_ports_count(s->ports, &counters);
    return counters.dtls.bad_certificate;
}

/* What the device is to be given: an account of the first server, by the way that the case is about. */
static dn_ets_blanks blanks_of(void *context)
{
    const dn_ets_listen *l = context;
    return (dn_ets_blanks){.server_uri = l->account_uri,
                           .server_security = l->is_account_plain ? NULL : &l->account_security};
}

static void choose_account(dn_ets_listen *l, const dn_ets_setup *setup)
{
    const char *plain = dn_ports_address(l->servers[0].ports, DN_TRANSPORT_UDP, 0);
    l->is_account_plain = setup->way == DN_ETS_WAY_ANY && plain != NULL;
    l->account_security = (dunlin_security){
        .mode = DUNLIN_PSK, .identity = l->identity, .secret = l->key, .matching = -1, .usage = -1};
    (void)snprintf(l->account_uri, sizeof l->account_uri, "%s://%s", l->is_account_plain ? "coap" : "coaps",
                   l->is_account_plain ? plain : dn_ports_address(l->servers[0].ports, DN_TRANSPORT_DTLS, 0));
}

static bool make_bootstrap(dn_ets_listen *l, const dn_ets_setup *setup)
{
    server *s = &l->servers[DN_ETS_BOOTSTRAP];
    dn_ets_bootstrap_config config = {.send = on_send,
                                      .clock_ms = clock_ms,
                                      .wall_ms = wall_ms,
                                      .identity = identity_of,
                                      .reaches = reaches,
                                      .end_peer = end_peer,
                                      .context = s,
                                      .peer_text = peer_text,
                                      .random = dn_entropy_random(&l->entropy)};
    choose_account(l, setup);
    if (setup->bootstrap == DN_ETS_BOOTSTRAP_OURS) {
        const bool bare = dn_ports_address(s->ports, DN_TRANSPORT_UDP, 0) != NULL ||
                          dn_ports_address(s->ports, DN_TRANSPORT_TCP, 0) != NULL;
        dn_ets_blanks blanks = blanks_of(l);
        blanks.bootstrap_uri = bare ? "coap://" : "coaps://";
        l->document.len = 0;
        dn_ets_configuration_document(&blanks, false, &l->document);
        if (l->document.failed) {
            return false;
        }
        config.document = l->document.data;
    }
    s->bootstrap = dn_ets_bootstrap_side_create(&config, l->world.error, sizeof l->world.error);
    l->world.operators[DN_ETS_BOOTSTRAP] =
        s->bootstrap != NULL ? dn_ets_bootstrap_side_operator(s->bootstrap) : NULL;
    return s->bootstrap != NULL;
}

static bool begin(void *context, const dn_ets_setup *setup)
{
    dn_ets_listen *l = context;
    if (setup->bootstrap != DN_ETS_BOOTSTRAP_NONE && !make_bootstrap(l, setup)) {
        return false;
    }
    for (size_t i = 0; i < l->world.servers; i++) {
        dn_ets_shard_side_begin(l->servers[i].side);
        l->servers[i].failed = refused_handshakes(&l->servers[i]);
    }
    return true;
}

static void end(void *context)
{
    dn_ets_listen *l = context;
    server *s = &l->servers[DN_ETS_BOOTSTRAP];
    dn_ets_bootstrap_side_destroy(s->bootstrap);
    s->bootstrap = NULL;
    l->world.operators[DN_ETS_BOOTSTRAP] = NULL;
}

static void leave(void *context, unsigned number, const dn_ets_registration *registration)
{
    dn_ets_listen *l = context;
    dn_ets_shard_side_leave(l->servers[number].side, registration);
}

static bool offer(void *context, dunlin_slice package, char *uri, size_t size)
{
    dn_ets_listen *l = context;
    char path[64];
    const char *address = dn_ports_address(l->servers[0].ports, DN_TRANSPORT_UDP, 0);
    if (address == NULL || !dn_ets_shard_side_offer(l->servers[0].side, package, path, sizeof path)) {
        return false;
    }
    return snprintf(uri, size, "coap://%s%s", address, path) < (int)size;
}

/* By its registration, which tells the peer. */
static bool connection(void *context, unsigned number, dn_ets_connection *out)
{
    const dn_ets_listen *l = context;
    const dn_ets_registration known = dn_ets_trace_registration(&l->world.trace, number, l->world.endpoint);
    if (!known.registered || !dn_ports_reaches(l->servers[number].ports, &known.device)) {
        return false;
    }
    const dn_identity *identity = dn_ports_identity(l->servers[number].ports, &known.device);
    *out = (dn_ets_connection){.transport = dn_peer_transport(&known.device),
                               .mode = identity != NULL ? identity->mode : DN_SECURITY_NOSEC};
    return true;
}

/* The device's own alert about our certificate is counted with the bad certificates. */
static bool refusal(void *context, unsigned number, dn_ets_refusal *out)
{
    const dn_ets_listen *l = context;
    const server *s = &l->servers[number];
    *out = (dn_ets_refusal){.by_device = true, .alert = DN_TLS_NO_ALERT};
    (void)snprintf(out->why, sizeof out->why, "an alert about a certificate");
    return refused_handshakes(s) > s->failed;
}

/* ---- making ---- */

typedef struct {
    dn_transport transport;
    const char *address;
} place;

static place read_place(const char *text)
{
    for (unsigned i = 0; i < TRANSPORTS; i++) {
        const size_t len = strlen(SCHEMES[i]);
        if (strncmp(text, SCHEMES[i], len) == 0 && strncmp(text + len, "://", 3) == 0) {
            return (place){(dn_transport)i, text + len + 3};
        }
    }
    return (place){DN_TRANSPORT_UDP, text};
}

static bool open_server(dn_ets_listen *l, const dn_ports_config *ports, char *error, size_t error_size)
{
    const unsigned number = (unsigned)l->world.servers;
    server *s = &l->servers[number];
    *s = (server){.listen = l, .number = number};
    const dn_ports_callbacks callbacks = {
        .message = on_message, .opened = on_opened, .closed = on_closed, .context = s};
    const dn_ets_shard_config config = {.send = on_send,
                                        .clock_ms = clock_ms,
                                        .wall_ms = wall_ms,
                                        .context = s,
                                        .peer_text = peer_text,
                                        .same_host = dn_udp_same_host,
                                        .identity = identity_of,
                                        .reaches = reaches,
                                        .end_peer = end_peer,
                                        .random = dn_entropy_random(&l->entropy)};
    if (dn_ports_open(ports, &callbacks, dn_clock_ms(), &s->ports, error, error_size) != DUNLIN_OK) {
        return false;
    }
    s->side = dn_ets_shard_side_create(&config, error, error_size);
    if (s->side == NULL) {
        return false;
    }
    l->world.operators[number] = dn_ets_shard_side_operator(s->side);
    l->world.servers = number + 1;
    return true;
}

static bool open_bootstrap(dn_ets_listen *l, const dn_ets_listen_config *config, char *error,
                           size_t error_size)
{
    server *s = &l->servers[DN_ETS_BOOTSTRAP];
    place places[TRANSPORTS];
    dn_ports_config ports = dn_ports_config_default();
    const dn_ports_callbacks callbacks = {
        .message = on_message, .opened = on_opened, .closed = on_closed, .context = s};
    *s = (server){.listen = l, .number = DN_ETS_BOOTSTRAP};
    ports.tls = l->tls;
    ports.dtls.random = ports.tls_streams.random = dn_entropy_random(&l->entropy);
    for (size_t i = 0; i < config->bootstrap_count; i++) {
        const place one = read_place(config->bootstrap[i]);
        places[one.transport] = one;
        ports.listen[one.transport] = (dn_ports_addresses){&places[one.transport].address, 1};
    }
    return dn_ports_open(&ports, &callbacks, dn_clock_ms(), &s->ports, error, error_size) == DUNLIN_OK;
}

/* The kinds of account that a bootstrap server here can write. */
static unsigned accounts(const dn_ets_listen *l)
{
    const bool has_psk =
        dn_ports_address(l->servers[0].ports, DN_TRANSPORT_DTLS, 0) != NULL && l->key.len > 0;
    const bool is_plain = dn_ports_address(l->servers[0].ports, DN_TRANSPORT_UDP, 0) != NULL;
    return (has_psk ? 1u << DN_ETS_WAY_PSK : 0) | (has_psk || is_plain ? 1u << DN_ETS_WAY_ANY : 0);
}

/* A transport that there is already begins the next server. */
static bool open_servers(dn_ets_listen *l, const dn_ets_listen_config *config, char *error, size_t error_size)
{
    size_t done = 0;
    while (done < config->count) {
        place places[TRANSPORTS];
        dn_ports_config ports = dn_ports_config_default();
        ports.tls = l->tls;
        ports.dtls.random = ports.tls_streams.random = dn_entropy_random(&l->entropy);
        for (; done < config->count; done++) {
            const place one = read_place(config->addresses[done]);
            if (ports.listen[one.transport].count > 0) {
                break;
            }
            places[one.transport] = one;
            ports.listen[one.transport] = (dn_ports_addresses){&places[one.transport].address, 1};
        }
        if (l->world.servers == DN_ETS_SERVERS_MAX) {
            (void)snprintf(error, error_size, "there are at most %u servers", DN_ETS_SERVERS_MAX);
            return false;
        }
        if (!open_server(l, &ports, error, error_size)) {
            return false;
        }
    }
    return true;
}

static bool put_credential(dn_ets_listen *l, const dn_credential *one, char *error, size_t error_size)
{
    const dunlin_status status = l->credentials->ops->put(l->credentials, one, NULL);
    const char *why = dn_credential_check(one);
    (void)snprintf(error, error_size, "%s", why != NULL ? why : dunlin_status_text(status));
    return status == DUNLIN_OK;
}

/*
 * The credentials are for devices of any name, since which one will come is not known before. The shard is not told of them: else nobody could
 * come without.
 */
static bool put_psk(dn_ets_listen *l, const dn_ets_listen_config *config, char *error, size_t error_size)
{
    dn_credential one = {.mode = DN_SECURITY_PSK, .is_pattern = true, .endpoint = "*", .endpoint_len = 1};
    if (config->identity.len > sizeof one.identity || config->key.len > sizeof one.key) {
        (void)snprintf(error, error_size, "the pre-shared key or its identity is too long");
        return false;
    }
    one.identity_len = (uint8_t)config->identity.len;
    memcpy(one.identity, config->identity.data, config->identity.len);
    one.key_len = (uint8_t)config->key.len;
    memcpy(one.key, config->key.data, config->key.len);
    const bool good = put_credential(l, &one, error, error_size);
    dn_credential_wipe(&one);
    return good;
}

static bool make_security(dn_ets_listen *l, const dn_ets_listen_config *config, char *error,
                          size_t error_size)
{
    const dn_credential any = {.mode = DN_SECURITY_X509,
                               .is_pattern = true,
                               .endpoint = "**",
                               .endpoint_len = 2}; /* "*" is the key's */
    dn_credential_store_config store = dn_credential_store_config_default();
    dn_tls_server_config tls = dn_tls_server_config_default();
    if (config->pair == NULL && config->key.len == 0) {
        return true;
    }
    if (dn_credential_store_open(&store, &l->credentials, error, error_size) != DUNLIN_OK ||
        (config->key.len > 0 && !put_psk(l, config, error, error_size)) ||
        (config->trusted.len > 0 && !put_credential(l, &any, error, error_size))) {
        return false;
    }
    tls.pairs = config->pair;
    tls.pair_count = config->pair != NULL;
    tls.trusted = config->trusted;
    tls.credentials = l->credentials;
    tls.suites = config->suites;
    tls.wall_s = wall_s;
    return dn_tls_server_create(&tls, &l->tls, error, error_size) == DUNLIN_OK;
}

dn_ets_listen *dn_ets_listen_create(const dn_ets_listen_config *config, char *error, size_t error_size)
{
    dn_ets_listen *l = calloc(1, sizeof *l);
    (void)snprintf(error, error_size, "no memory");
    if (l == NULL) {
        return NULL;
    }
    l->world = (dn_ets_world){.setting = "client",
                              .context = l,
                              .endpoint = config->endpoint,
                              .slack_ms = SLACK_MS,
                              .now_ms = clock_ms,
                              .turn = turn,
                              .begin = begin,
                              .end = end,
                              .leave = leave,
                              .offer = offer,
                              .connection = connection};
    l->identity = config->identity;
    l->key = config->key;
    if (!make_security(l, config, error, error_size) || !open_servers(l, config, error, error_size) ||
        (config->bootstrap_count > 0 && !open_bootstrap(l, config, error, error_size))) {
        dn_ets_listen_destroy(l);
        return NULL;
    }
    l->world.bootstraps = config->bootstrap_count > 0 ? accounts(l) : 0;
    l->world.has_hand = l->world.bootstraps != 0;
    l->world.blanks = blanks_of;
    l->world.refusal =
        dn_ports_address(l->servers[0].ports, DN_TRANSPORT_DTLS, 0) != NULL && config->pair != NULL ? refusal
                                                                                                    : NULL;
    return l;
}

void dn_ets_listen_destroy(dn_ets_listen *listen)
{
    if (listen == NULL) {
        return;
    }
    for (size_t i = 0; i < DN_ETS_PARTIES; i++) {
        dn_ets_shard_side_destroy(listen->servers[i].side);
        dn_ets_bootstrap_side_destroy(listen->servers[i].bootstrap);
        dn_ports_close(listen->servers[i].ports);
    }
    dn_tls_context_give_up(listen->tls);
    if (listen->credentials != NULL) {
        listen->credentials->ops->close(listen->credentials);
    }
    dn_ets_trace_clear(&listen->world.trace);
    free(listen->document.data);
    free(listen);
}

dn_ets_world *dn_ets_listen_world(dn_ets_listen *listen)
{
    return &listen->world;
}

bool dn_ets_listen_uri(const dn_ets_listen *listen, size_t index, char *out, size_t size)
{
    for (size_t i = 0; i < DN_ETS_PARTIES; i++) {
        for (unsigned t = 0; listen->servers[i].ports != NULL && t < TRANSPORTS; t++) {
            const char *address = dn_ports_address(listen->servers[i].ports, (dn_transport)t, 0);
            if (address != NULL && index-- == 0) {
                return snprintf(out, size, "%s://%s", SCHEMES[t], address) < (int)size;
            }
        }
    }
    return false;
}
