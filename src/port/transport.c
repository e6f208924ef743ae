/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A way is a slot: a link that outlives its openings, and what it was opened with. Streams are begun by dn_ways_work alone, since the client may
 * ask for one while another is being attended to.
 */
#include "port/transport.h"

#include "bearer/tcp.h"
#include "bearer/udp.h"
#include "endpoint/link.h"
#include "port/clock.h"
#include "port/uri.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AREA           "ways"
#define WAYS_MAX       (DUNLIN_SERVERS_MAX + 1u) /* and a bootstrap server */
#define BATCH          16u
#define MS_PER_S       1000
#define PKCS11         "pkcs11:"
#define KEY_URL_MAX    1024u
#define STREAM_MESSAGE 8192u

typedef struct {
    dn_udp udp;
    dn_udp_outbox *outbox; /* NULL: not open */
} way_socket;

typedef struct {
    dn_ways *ways;
    dn_link *link; /* NULL: the slot was never used */
    uint16_t server;
    char uri[DN_URI_MAX + 1];
    dn_tls_context *tls; /* of this URI and its credentials */
    bool to_connect;     /* a stream that the next work begins */
    bool has_stream;     /* the bearer has one for it */
    bool heard;          /* something came since the client last asked for it */
} way_slot;

struct dn_ways {
    dn_ways_config config;
    char local[DN_UDP_TEXT_MAX];
    dunlin_client *client;
    way_socket sockets[2]; /* of IPv4, or what `local` says; of IPv6 */
    size_t newest;
    dn_udp_batch *batch;
    dn_tcp *tcp; /* NULL: not needed yet */
    way_slot slots[WAYS_MAX];
    bool mute; /* what goes out is lost */
};

static dn_peer to_internal(const dunlin_peer *peer)
{
    dn_peer out = {.len = peer->len};
    memcpy(out.bytes, peer->bytes, sizeof out.bytes);
    return out;
}

static dunlin_peer to_public(const dn_peer *peer)
{
    dunlin_peer out = {.len = peer->len};
    memcpy(out.bytes, peer->bytes, sizeof out.bytes);
    return out;
}

static void tell(const way_slot *slot, const dn_ways_event *event)
{
    const dn_ways *ways = slot->ways;
    if (ways->config.event != NULL) {
        ways->config.event(ways->config.context, event);
    }
}

static void carried(const dn_ways *ways, bool out, size_t len)
{
    if (ways->config.carried != NULL) {
        ways->config.carried(ways->config.context, out, len);
    }
}

static void deliver(dn_ways *ways, const dunlin_peer *from, dunlin_slice message)
{
    carried(ways, false, message.len);
    if (ways->config.message != NULL) {
        ways->config.message(ways->config.context, from, message);
    } else {
        dunlin_client_receive(ways->client, from, message, dn_clock_ms());
    }
}

/* ---- sockets ---- */

static dunlin_status open_socket(dn_ways *ways, size_t index, const char *address)
{
    way_socket *socket = &ways->sockets[index];
    if (socket->outbox != NULL) {
        return DUNLIN_OK;
    }
    dunlin_status status = dn_udp_open(&socket->udp, address, 0);
    socket->outbox = status == DUNLIN_OK ? malloc(sizeof *socket->outbox) : NULL;
    if (socket->outbox == NULL) {
        const int why = errno;
        dn_udp_close(&socket->udp);
        errno = why;
        return status == DUNLIN_OK ? DUNLIN_ERR_MEMORY : status;
    }
    dn_udp_outbox_init(socket->outbox);
    ways->newest = index;
    return DUNLIN_OK;
}

static void close_sockets(dn_ways *ways)
{
    for (size_t i = 0; i < 2; i++) {
        if (ways->sockets[i].outbox != NULL) {
            dn_udp_close(&ways->sockets[i].udp);
            free(ways->sockets[i].outbox);
            ways->sockets[i].outbox = NULL;
        }
    }
}

static size_t index_of(const dn_peer *peer)
{
    return dn_udp_peer_family(peer) == 6 ? 1 : 0;
}

/* The open socket that reaches a peer, or NULL. */
static way_socket *socket_for(dn_ways *ways, const dn_peer *peer)
{
    way_socket *socket = &ways->sockets[ways->local[0] != '\0' ? 0 : index_of(peer)];
    return socket->outbox == NULL ? NULL : socket;
}

/* The families that `local` leaves. */
static int family_of(const dn_ways *ways)
{
    const dn_udp *udp = &ways->sockets[0].udp;
    return ways->local[0] == '\0' || (udp->family == AF_INET6 && udp->wildcard) ? AF_UNSPEC : udp->family;
}

/* With a socket for it, when it is one of datagrams. */
static dunlin_status find_peer(dn_ways *ways, const dn_uri_server *server, dn_peer *peer)
{
    dunlin_status status = dn_udp_resolve(server->host, server->port, family_of(ways), peer);
    if (status == DUNLIN_OK) {
        dn_peer_set_transport(peer, server->transport);
    }
    if (status == DUNLIN_OK && !dn_transport_is_stream(server->transport) && ways->local[0] == '\0') {
        const size_t index = index_of(peer);
        status = open_socket(ways, index, index == 1 ? "[::]:0" : "0.0.0.0:0");
    }
    return status;
}

/* ---- slots ---- */

static bool is_open(const way_slot *slot)
{
    return slot->link != NULL && dn_link_state_of(slot->link) != DN_LINK_CLOSED;
}

static way_slot *find_open(dn_ways *ways, const dn_peer *peer)
{
    for (size_t i = 0; i < WAYS_MAX; i++) {
        way_slot *slot = &ways->slots[i];
        if (is_open(slot) && dn_peer_equal(dn_link_peer(slot->link), peer)) {
            return slot;
        }
    }
    return NULL;
}

/* The connection of a link that is closed by now. */
static void end_stream(way_slot *slot, bool abort)
{
    slot->to_connect = false;
    if (slot->has_stream) {
        slot->has_stream = false;
        dn_tcp_close(slot->ways->tcp, dn_link_peer(slot->link), abort);
    }
}

static void close_way(way_slot *slot, bool abort)
{
    dn_link_close(slot->link, dn_clock_ms());
    end_stream(slot, abort);
}

static void forget_context(way_slot *slot)
{
    dn_tls_context_give_up(slot->tls);
    slot->tls = NULL;
    if (slot->link != NULL) {
        dn_link_forget(slot->link);
    }
}

static void on_output(void *context, const dn_peer *peer, dunlin_slice bytes)
{
    way_slot *slot = context;
    dn_ways *ways = slot->ways;
    if (ways->mute) {
        return;
    }
    if (dn_transport_is_stream(dn_peer_transport(peer))) {
        (void)dn_tcp_send(ways->tcp, peer, bytes); /* what became of it is told by on_tcp_closed */
        return;
    }
    way_socket *socket = socket_for(ways, peer);
    if (socket != NULL) {
        dn_udp_send(&socket->udp, socket->outbox, peer, bytes);
    }
}

static void on_message(void *context, const dn_peer *peer, dunlin_slice message)
{
    way_slot *slot = context;
    const dunlin_peer from = to_public(peer);
    slot->heard = true;
    deliver(slot->ways, &from, message);
}

static void on_up(void *context)
{
    way_slot *slot = context;
    const dunlin_peer peer = to_public(dn_link_peer(slot->link));
    tell(slot, &(dn_ways_event){.kind = DN_WAYS_UP,
                                .server = slot->server,
                                .uri = slot->uri,
                                .suite = dn_link_suite(slot->link),
                                .is_resumed = dn_link_is_resumed(slot->link),
                                .handshake_ms = dn_link_handshake_ms(slot->link),
                                .alert = DN_TLS_NO_ALERT,
                                .why = ""});
    dunlin_client_connected(slot->ways->client, slot->server, &peer, dn_clock_ms());
}

static void say_down(way_slot *slot, dunlin_status status, int alert, const char *why)
{
    tell(slot, &(dn_ways_event){.kind = DN_WAYS_DOWN,
                                .server = slot->server,
                                .uri = slot->uri,
                                .suite = "",
                                .status = status,
                                .alert = alert,
                                .why = why});
    dunlin_client_disconnected(slot->ways->client, slot->server, status, alert, dn_clock_ms());
}

static void on_down(void *context, dunlin_status status, int alert, const char *why)
{
    way_slot *slot = context;
    end_stream(slot, status == DUNLIN_ERR_MALFORMED || status == DUNLIN_ERR_RANGE);
    say_down(slot, status, alert, why);
}

/* ---- TCP ---- */

static void on_tcp_opened(void *context, const dn_peer *peer)
{
    way_slot *slot = find_open(context, peer);
    if (slot != NULL) {
        dn_link_connected(slot->link, dn_clock_ms());
    }
}

static void on_tcp_bytes(void *context, const dn_peer *peer, dunlin_slice bytes)
{
    way_slot *slot = find_open(context, peer);
    if (slot != NULL) {
        dn_link_receive(slot->link, bytes, dn_clock_ms());
    }
}

static void on_tcp_closed(void *context, const dn_peer *peer, dunlin_status status)
{
    way_slot *slot = find_open(context, peer);
    if (slot != NULL) {
        slot->has_stream = false;
        dn_link_lost(slot->link, status);
    }
}

static dunlin_status need_tcp(dn_ways *ways)
{
    if (ways->tcp != NULL) {
        return DUNLIN_OK;
    }
    if (ways->config.max_stream_message == 0) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    dn_tcp_config config = dn_tcp_config_default();
    config.max_connections = 2 * WAYS_MAX; /* those that are being closed count as well */
    const dn_tcp_callbacks callbacks = {on_tcp_opened, on_tcp_bytes, on_tcp_closed, ways};
    return dn_tcp_create(&config, &callbacks, &ways->tcp);
}

static void begin_streams(dn_ways *ways)
{
    for (size_t i = 0; i < WAYS_MAX; i++) {
        way_slot *slot = &ways->slots[i];
        if (!slot->to_connect) {
            continue;
        }
        slot->to_connect = false;
        const dunlin_status status = dn_tcp_connect(ways->tcp, dn_link_peer(slot->link), dn_clock_ms());
        slot->has_stream = status == DUNLIN_OK;
        if (status != DUNLIN_OK) {
            dn_link_lost(slot->link, status);
        }
    }
}

/* ---- what the client asks for ---- */

static int64_t wall_s(void *context)
{
    (void)context;
    return dn_clock_wall_ms() / MS_PER_S;
}

/* A key that stays in its token is named in place of the key. False: the name is too long. */
static bool take_secret(dunlin_slice secret, char url[KEY_URL_MAX], dn_tls_client_config *config)
{
    const size_t prefix = sizeof PKCS11 - 1;
    config->secret = secret;
    if (config->mode == DN_SECURITY_PSK || secret.len < prefix || memcmp(secret.data, PKCS11, prefix) != 0) {
        return true;
    }
    if (secret.len >= KEY_URL_MAX) {
        return false;
    }
    memcpy(url, secret.data, secret.len);
    url[secret.len] = '\0';
    config->key_url = url;
    config->secret = dunlin_slice_make(NULL, 0);
    return true;
}

static dunlin_status make_context(way_slot *slot, const dunlin_security *security,
                                  const dn_uri_server *server, char *error, size_t size)
{
    char url[KEY_URL_MAX];
    const dn_ways *ways = slot->ways;
    dn_tls_client_config config = dn_tls_client_config_default();
    config.mode = (uint8_t)security->mode;
    config.own = security->identity;
    config.server = security->server_key;
    config.matching = security->matching < 0 ? 0 : (uint8_t)security->matching;
    config.usage = security->usage < 0 ? 3 : (uint8_t)security->usage;
    config.is_sni = security->sni[0] != '\0';
    config.name = config.is_sni ? security->sni : server->host;
    config.suites = DN_TLS_SUITES_CCM8;
    config.wall_s = wall_s;
    if (!take_secret(security->secret, url, &config)) {
        (void)snprintf(error, size, "the name of the private key is too long");
        return DUNLIN_ERR_ARGUMENT;
    }
    if (ways->config.refine != NULL) {
        ways->config.refine(ways->config.context, slot->server, &config);
    }
    return dn_tls_client_create(&config, &slot->tls, error, size);
}

static void say_fault(const way_slot *slot, dunlin_status status, const char *why)
{
    dn_log_at(slot->ways->config.log, DN_LOG_DEBUG, AREA, "no way to %s: %s", slot->uri, why);
    tell(slot, &(dn_ways_event){.kind = DN_WAYS_FAULT,
                                .server = slot->server,
                                .uri = slot->uri,
                                .suite = "",
                                .status = status,
                                .alert = DN_TLS_NO_ALERT,
                                .why = why});
}

/* The slot of a server, or a free one. */
static way_slot *slot_of(dn_ways *ways, uint16_t server)
{
    way_slot *free_one = NULL;
    for (size_t i = 0; i < WAYS_MAX; i++) {
        way_slot *slot = &ways->slots[i];
        if (slot->link != NULL && slot->server == server) {
            return slot;
        }
        free_one = free_one == NULL && slot->link == NULL ? slot : free_one;
    }
    if (free_one == NULL) {
        return NULL;
    }
    const dn_link_config config = {.call = {on_output, on_message, on_up, on_down, free_one},
                                   .max_stream_message = ways->config.max_stream_message,
                                   .log = ways->config.log};
    *free_one = (way_slot){.ways = ways, .server = server, .link = dn_link_create(&config)};
    return free_one->link == NULL ? NULL : free_one;
}

/* A context for this URI and these credentials; the one that is there, if they are the same as before. */
static dunlin_status need_context(way_slot *slot, const dunlin_way *way, const dn_uri_server *server)
{
    char error[256] = "";
    if (!dn_transport_is_secure(server->transport) || slot->tls != NULL) {
        return DUNLIN_OK;
    }
    const dunlin_status status = make_context(slot, way->security, server, error, sizeof error);
    if (status != DUNLIN_OK) {
        slot->tls = NULL;
        say_fault(slot, status, error);
    }
    return status;
}

static dunlin_status open_way(way_slot *slot, const dn_uri_server *server)
{
    dn_ways *ways = slot->ways;
    dn_peer peer;
    dunlin_status status = find_peer(ways, server, &peer);
    if (status != DUNLIN_OK) {
        say_fault(slot, status,
                  status == DUNLIN_ERR_IO ? strerror(errno) : "the host has no address (of this kind)");
        return status;
    }
    if (server->transport != DN_TRANSPORT_UDP && find_open(ways, &peer) != NULL) {
        say_fault(slot, DUNLIN_ERR_DUPLICATE, "another server has the same address");
        return DUNLIN_ERR_DUPLICATE;
    }
    if (dn_transport_is_stream(server->transport)) {
        status = need_tcp(ways);
    }
    if (status == DUNLIN_OK) {
        status = dn_link_open(slot->link, &peer, slot->tls, dn_clock_ms());
    }
    if (status != DUNLIN_OK) {
        say_fault(slot, status, dunlin_status_text(status));
        return status;
    }
    slot->to_connect = dn_transport_is_stream(server->transport);
    return server->transport == DN_TRANSPORT_UDP ? DUNLIN_OK : DUNLIN_END;
}

/*
 * A way that is up is good for another Register, unless nothing came on it since the last one: the other end may have lost its
 * session, and would never say so. What only begins goes on.
 */
static bool is_good(way_slot *slot)
{
    const bool heard = slot->heard;
    slot->heard = false;
    switch (dn_link_state_of(slot->link)) {
    case DN_LINK_CLOSED:
        return false;
    case DN_LINK_UP:
        return heard && dn_peer_transport(dn_link_peer(slot->link)) != DN_TRANSPORT_UDP;
    default:
        return true;
    }
}

dunlin_status dn_ways_connect(void *context, const dunlin_way *way, dunlin_peer *peer)
{
    dn_ways *ways = context;
    dn_uri_server server;
    const char *fault = dn_uri_read(way->uri, &server, NULL);
    way_slot *slot = fault == NULL ? slot_of(ways, way->server) : NULL;
    if (slot == NULL) {
        dn_log_at(ways->config.log, DN_LOG_WARN, AREA, "%s: %s", way->uri,
                  fault == NULL ? "no memory" : fault);
        return fault == NULL ? DUNLIN_ERR_MEMORY : DUNLIN_ERR_ARGUMENT;
    }
    if (way->anew || strcmp(slot->uri, way->uri) != 0) {
        close_way(slot, false);
        forget_context(slot);
        memcpy(slot->uri, way->uri, strlen(way->uri) + 1);
    }
    dunlin_status status = DUNLIN_END;
    if (!is_good(slot)) {
        close_way(slot, false);
        status = need_context(slot, way, &server);
        status = status == DUNLIN_OK ? open_way(slot, &server) : status;
    } else if (dn_link_state_of(slot->link) == DN_LINK_UP) {
        status = DUNLIN_OK;
    }
    if (status == DUNLIN_OK) {
        *peer = to_public(dn_link_peer(slot->link));
    }
    return status;
}

void dn_ways_disconnect(void *context, uint16_t server)
{
    dn_ways *ways = context;
    for (size_t i = 0; i < WAYS_MAX; i++) {
        if (ways->slots[i].link != NULL && ways->slots[i].server == server) {
            close_way(&ways->slots[i], false);
        }
    }
}

void dn_ways_send(void *context, const dunlin_peer *to, dunlin_slice message)
{
    dn_ways *ways = context;
    const dn_peer peer = to_internal(to);
    const way_slot *slot = find_open(ways, &peer);
    carried(ways, true, message.len);
    if (slot != NULL) {
        const dunlin_status status = dn_link_send(slot->link, message, dn_clock_ms());
        if (status != DUNLIN_OK) { /* a loss, as others are */
            dn_log_at(ways->config.log, DN_LOG_DEBUG, AREA, "%s: not sent: %s", slot->uri,
                      dunlin_status_text(status));
        }
        return;
    }
    way_socket *socket = socket_for(ways, &peer); /* a host that is no server: a download */
    if (dn_peer_transport(&peer) == DN_TRANSPORT_UDP && socket != NULL) {
        dn_udp_send(&socket->udp, socket->outbox, &peer, message);
    }
}

dunlin_status dn_ways_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    dn_uri_server server;
    dn_peer found;
    if (dn_uri_read(uri, &server, NULL) != NULL || server.transport != DN_TRANSPORT_UDP) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    const dunlin_status status = find_peer(context, &server, &found);
    if (status == DUNLIN_OK) {
        *peer = to_public(&found);
    }
    return status;
}

/* ---- working ---- */

/* What came late for a session that is closed by now. */
static bool is_of_closed(const dn_ways *ways, const dn_peer *secured)
{
    for (size_t i = 0; i < WAYS_MAX; i++) {
        if (ways->slots[i].link != NULL && dn_peer_equal(dn_link_peer(ways->slots[i].link), secured)) {
            return true;
        }
    }
    return false;
}

/* Of DTLS, if there is a session with that address; else of CoAP. */
static void take_datagram(dn_ways *ways, const dn_udp_datagram *datagram)
{
    dn_peer secured = datagram->peer;
    dn_peer_set_transport(&secured, DN_TRANSPORT_DTLS);
    way_slot *slot = find_open(ways, &secured);
    slot = slot != NULL ? slot : find_open(ways, &datagram->peer);
    if (slot == NULL && is_of_closed(ways, &secured)) {
        return;
    }
    if (slot != NULL) {
        dn_link_receive(slot->link, datagram->bytes, dn_clock_ms());
        return;
    }
    const dunlin_peer from = to_public(&datagram->peer);
    deliver(ways, &from, datagram->bytes);
}

static void receive_datagrams(dn_ways *ways, way_socket *socket)
{
    while (socket->outbox != NULL && dn_udp_receive(&socket->udp, ways->batch, BATCH) == DUNLIN_OK) {
        for (size_t i = 0; i < ways->batch->count && dunlin_client_awake(ways->client); i++) {
            take_datagram(ways, &ways->batch->datagram[i]);
        }
        dn_ways_flush(ways);
    }
}

void dn_ways_work(dn_ways *ways)
{
    const bool awake = dunlin_client_awake(ways->client);
    for (size_t i = 0; i < 2; i++) {
        receive_datagrams(ways, &ways->sockets[i]);
    }
    if (ways->tcp != NULL && awake) {
        (void)dn_tcp_work(ways->tcp, dn_clock_ms());
    }
    for (size_t i = 0; i < WAYS_MAX; i++) {
        if (ways->slots[i].link != NULL && dn_link_deadline(ways->slots[i].link) <= dn_clock_ms()) {
            dn_link_expire(ways->slots[i].link, dn_clock_ms());
        }
    }
    begin_streams(ways);
    dn_ways_flush(ways);
}

void dn_ways_flush(dn_ways *ways)
{
    for (size_t i = 0; i < 2; i++) {
        if (ways->sockets[i].outbox != NULL) {
            /* What does not go now is a loss that CoAP and DTLS repair. */
            (void)dn_udp_flush(&ways->sockets[i].udp, ways->sockets[i].outbox);
        }
    }
    if (ways->tcp != NULL) {
        dn_tcp_flush(ways->tcp);
    }
}

uint64_t dn_ways_deadline(const dn_ways *ways)
{
    uint64_t until =
        ways->tcp != NULL && dunlin_client_awake(ways->client) ? dn_tcp_deadline(ways->tcp) : UINT64_MAX;
    for (size_t i = 0; i < WAYS_MAX; i++) {
        const way_slot *slot = &ways->slots[i];
        const uint64_t at = slot->link == NULL ? UINT64_MAX
                            : slot->to_connect ? 0
                                               : dn_link_deadline(slot->link);
        until = at < until ? at : until;
    }
    return until;
}

size_t dn_ways_fds(const dn_ways *ways, struct pollfd fds[DN_WAYS_FDS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        if (ways->sockets[i].outbox != NULL) {
            fds[count++] = (struct pollfd){ways->sockets[i].udp.fd, POLLIN, 0};
        }
    }
    if (ways->tcp != NULL && dunlin_client_awake(ways->client)) {
        fds[count++] = (struct pollfd){dn_tcp_fd(ways->tcp), POLLIN, 0};
    }
    return count;
}

const char *dn_ways_address(const dn_ways *ways)
{
    const way_socket *socket = &ways->sockets[ways->newest];
    return socket->outbox == NULL ? "" : socket->udp.text;
}

/* ---- making, breaking ---- */

dn_ways_config dn_ways_config_default(void)
{
    return (dn_ways_config){.max_stream_message = STREAM_MESSAGE};
}

dunlin_status dn_ways_create(const dn_ways_config *config, dn_ways **out)
{
    *out = NULL;
    if (config->local != NULL && (config->local[0] == '\0' || strlen(config->local) >= DN_UDP_TEXT_MAX)) {
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_ways *ways = calloc(1, sizeof *ways);
    dn_udp_batch *batch = malloc(sizeof *batch);
    if (ways == NULL || batch == NULL) {
        free(ways);
        free(batch);
        return DUNLIN_ERR_MEMORY;
    }
    ways->config = *config;
    ways->batch = batch;
    dunlin_status status = DUNLIN_OK;
    if (config->local != NULL) {
        memcpy(ways->local, config->local, strlen(config->local) + 1);
        status = open_socket(ways, 0, ways->local);
    }
    if (status != DUNLIN_OK) {
        const int why = errno;
        dn_ways_destroy(ways);
        errno = why;
        return status;
    }
    *out = ways;
    return DUNLIN_OK;
}

void dn_ways_destroy(dn_ways *ways)
{
    if (ways == NULL) {
        return;
    }
    for (size_t i = 0; i < WAYS_MAX; i++) {
        way_slot *slot = &ways->slots[i];
        if (slot->link != NULL) {
            close_way(slot, false);
        }
    }
    dn_ways_flush(ways);
    for (size_t i = 0; i < WAYS_MAX; i++) {
        forget_context(&ways->slots[i]);
        dn_link_destroy(ways->slots[i].link);
    }
    dn_tcp_destroy(ways->tcp);
    close_sockets(ways);
    free(ways->batch);
    free(ways);
}

void dn_ways_attach(dn_ways *ways, dunlin_client *client)
{
    ways->client = client;
}

/* Nothing of it reaches the other ends. CoAP over UDP has nothing to lose. */
static void lose_sessions(dn_ways *ways, bool forget, const char *why)
{
    for (size_t i = 0; i < WAYS_MAX; i++) {
        way_slot *slot = &ways->slots[i];
        if (slot->link != NULL && forget) {
            dn_link_forget(slot->link);
        }
        if (!is_open(slot) || dn_peer_transport(dn_link_peer(slot->link)) == DN_TRANSPORT_UDP) {
            continue;
        }
        ways->mute = true;
        close_way(slot, true);
        ways->mute = false;
        if (forget) {
            dn_link_forget(slot->link);
        }
        say_down(slot, DUNLIN_ERR_CANCELLED, DN_TLS_NO_ALERT, why);
    }
}

dunlin_status dn_ways_roam(dn_ways *ways)
{
    const bool open[2] = {ways->sockets[0].outbox != NULL, ways->sockets[1].outbox != NULL};
    dunlin_status status = DUNLIN_OK;
    close_sockets(ways);
    if (ways->local[0] != '\0') {
        status = open_socket(ways, 0, ways->local);
    }
    for (size_t i = 0; i < 2 && ways->local[0] == '\0' && status == DUNLIN_OK; i++) {
        status = open[i] ? open_socket(ways, i, i == 1 ? "[::]:0" : "0.0.0.0:0") : DUNLIN_OK;
    }
    lose_sessions(ways, false, "the network has changed");
    return status;
}

void dn_ways_drop(dn_ways *ways)
{
    lose_sessions(ways, true, "the session was dropped");
}
