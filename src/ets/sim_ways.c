/* SPDX-License-Identifier: Apache-2.0 */
/* A link and sessions between a device and a server on a simulated network. */
#include "ets/sim_ways.h"

#include "base/deadline.h"
#include "coap/frame.h"
#include "endpoint/link.h"
#include "endpoint/secure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_MESSAGE_MAX 8192u
#define PIECE_MAX          1200u /* of a stream, on its way */

/* What the sessions tell, until they can be called again: their callbacks must not send. */
typedef enum { OPENED, CLOSED, PLAIN } telling_kind;

typedef struct telling {
    struct telling *next;
    telling_kind kind;
    size_t len;
    uint8_t bytes[];
} telling;

struct dn_ets_ways {
    dn_ets_ways_config config;
    dn_transport transport;
    dn_ets_keys keys;
    char uri[DUNLIN_URI_MAX + 1];
    dn_peer server_peer, device_peer; /* with the transport in them */

    dn_link *link;
    bool asked;            /* the device has asked for the way, and was not told yet */
    bool dressed;          /* the device's context is of the client's credentials */
    bool connected;        /* its stream is there */
    uint8_t stream;        /* counts them */
    uint8_t server_stream; /* the one that the server has, which may be an older one for a moment */
    bool is_down;
    dunlin_status down_status;
    int down_alert;

    dn_secure *secure; /* DTLS, TLS */
    telling *first, **last;
    bool stream_open; /* the server's side */
    dn_coap_assembler assembler;
    uint8_t memory[STREAM_MESSAGE_MAX];
    dn_ets_refusal refusal;
    bool refused;
};

static dn_transport transport_of(dn_ets_way way)
{
    return way == DN_ETS_WAY_TCP                                     ? DN_TRANSPORT_TCP
           : way == DN_ETS_WAY_TLS_PSK || way == DN_ETS_WAY_TLS_X509 ? DN_TRANSPORT_TLS
                                                                     : DN_TRANSPORT_DTLS;
}

/* A stream goes in pieces that a network takes, each with the stream's number: what is late belongs to none. */
static void carry(dn_ets_ways *w, bool to_device, dunlin_slice bytes)
{
    if (!dn_transport_is_stream(w->transport)) {
        w->config.carry(w->config.context, to_device, bytes);
        return;
    }
    for (size_t at = 0; at < bytes.len; at += PIECE_MAX) {
        uint8_t piece[1 + PIECE_MAX] = {to_device ? w->server_stream : w->stream};
        const size_t left = bytes.len - at;
        const size_t len = left < PIECE_MAX ? left : PIECE_MAX;
        memcpy(piece + 1, bytes.data + at, len);
        w->config.carry(w->config.context, to_device, dunlin_slice_make(piece, 1 + len));
    }
}

static void close_stream(dn_ets_ways *w)
{
    if (w->stream_open) {
        w->stream_open = false;
        w->assembler.used = 0;
        w->config.closed(w->config.context, &w->device_peer);
    }
}

/* The server's end of the stream is closed. */
static void lose_stream(dn_ets_ways *w)
{
    if (w->secure != NULL && w->connected) {
        dn_secure_disconnected(w->secure, &w->device_peer);
    }
    w->connected = false;
    close_stream(w);
}

/* The device's end is closed: the server hears of it, as a piece without bytes, behind all that was sent. */
static void end_stream(dn_ets_ways *w)
{
    if (dn_transport_is_stream(w->transport)) {
        w->config.carry(w->config.context, false, dunlin_slice_make(&w->stream, 1));
    }
}

/* ---- the device's side ---- */

static void link_output(void *context, const dn_peer *peer, dunlin_slice bytes)
{
    (void)peer;
    carry(context, false, bytes);
}

static void link_message(void *context, const dn_peer *peer, dunlin_slice message)
{
    dn_ets_ways *w = context;
    w->config.to_device(w->config.context, peer, message);
}

static void link_up(void *context)
{
    (void)context; /* told in expire, once no callback is under way */
}

static void link_down(void *context, dunlin_status status, int alert, const char *why)
{
    dn_ets_ways *w = context;
    w->is_down = true;
    w->down_status = status;
    w->down_alert = alert;
    if (status != DUNLIN_ERR_TIMEOUT && status != DUNLIN_END) {
        w->refused = true;
        w->refusal.by_device = status == DUNLIN_ERR_ACCESS;
        w->refusal.alert = alert;
        (void)snprintf(w->refusal.why, sizeof w->refusal.why, "%s", why != NULL ? why : "");
    }
}

/* With other credentials than the last time nothing of it can be resumed. */
static dunlin_status dress(dn_ets_ways *w, const dunlin_way *way)
{
    char why[DN_TLS_WHY_MAX];
    if (!dn_transport_is_secure(w->transport) || (w->dressed && !way->anew)) {
        return DUNLIN_OK;
    }
    const char *host = strstr(w->uri, "://") + strlen("://");
    const dunlin_status status =
        dn_ets_keys_use(&w->keys, way->security, host, w->config.wall_s, w->config.context, why, sizeof why);
    w->dressed = status == DUNLIN_OK;
    dn_link_forget(w->link);
    return status;
}

dunlin_status dn_ets_ways_connect(dn_ets_ways *ways, const dunlin_way *way, dunlin_peer *peer,
                                  uint64_t now_ms)
{
    if (dn_link_state_of(ways->link) == DN_LINK_UP) {
        peer->len = ways->server_peer.len;
        memcpy(peer->bytes, ways->server_peer.bytes, sizeof peer->bytes);
        return DUNLIN_OK;
    }
    ways->asked = true;
    if (dn_link_state_of(ways->link) != DN_LINK_CLOSED) {
        return DUNLIN_END;
    }
    end_stream(ways);
    ways->stream++;
    dunlin_status status = dress(ways, way);
    if (status == DUNLIN_OK) {
        status = dn_link_open(ways->link, &ways->server_peer, ways->keys.device_context, now_ms);
    }
    return status == DUNLIN_OK ? DUNLIN_END : status;
}

void dn_ets_ways_disconnect(dn_ets_ways *ways, uint64_t now_ms)
{
    ways->asked = false;
    dn_link_close(ways->link, now_ms);
    end_stream(ways);
}

static uint64_t device_deadline(const dn_ets_ways *w)
{
    const dn_link_state state = dn_link_state_of(w->link);
    const bool due = w->is_down || state == DN_LINK_CONNECTING || (w->asked && state == DN_LINK_UP);
    return due ? 0 : dn_link_deadline(w->link);
}

static void device_expire(dn_ets_ways *w, uint64_t now_ms)
{
    if (dn_link_state_of(w->link) == DN_LINK_CONNECTING) {
        dn_link_connected(w->link, now_ms);
    }
    dn_link_expire(w->link, now_ms);
    if (w->is_down) {
        w->is_down = w->asked = false;
        w->config.down(w->config.context, w->down_status, w->down_alert);
    } else if (w->asked && dn_link_state_of(w->link) == DN_LINK_UP) {
        w->asked = false;
        w->config.up(w->config.context, &w->server_peer);
    }
}

/* ---- the server's side ---- */

static bool on_framed(void *context, dunlin_slice message)
{
    dn_ets_ways *w = context;
    w->config.to_server(w->config.context, &w->device_peer, message);
    return w->stream_open;
}

static void take_plain(dn_ets_ways *w, dunlin_slice plain)
{
    if (!dn_transport_is_stream(w->transport)) {
        w->config.to_server(w->config.context, &w->device_peer, plain);
    } else if (w->stream_open && dn_coap_assemble(&w->assembler, plain, on_framed, w) != DUNLIN_OK) {
        close_stream(w);
    }
}

static void open_stream(dn_ets_ways *w)
{
    w->stream_open = true;
    w->assembler = (dn_coap_assembler){.memory = w->memory, .size = sizeof w->memory};
    w->config.opened(w->config.context, &w->device_peer);
}

static void secure_output(void *context, const dn_peer *peer, dunlin_slice bytes)
{
    (void)peer;
    carry(context, true, bytes);
}

static void tell(dn_ets_ways *w, telling_kind kind, dunlin_slice bytes)
{
    telling *one = malloc(sizeof *one + bytes.len);
    if (one == NULL) {
        return; /* lost, as on a network */
    }
    *one = (telling){.kind = kind, .len = bytes.len};
    if (bytes.len > 0) {
        memcpy(one->bytes, bytes.data, bytes.len);
    }
    *w->last = one;
    w->last = &one->next;
}

static void secure_input(void *context, const dn_peer *peer, dunlin_slice plain)
{
    (void)peer;
    tell(context, PLAIN, plain);
}

static void secure_opened(void *context, const dn_peer *peer, const dn_identity *identity, bool resumed)
{
    (void)peer;
    (void)identity;
    (void)resumed;
    tell(context, OPENED, dunlin_slice_make(NULL, 0));
}

static void secure_closed(void *context, const dn_peer *peer, dunlin_status status)
{
    (void)peer;
    (void)status;
    tell(context, CLOSED, dunlin_slice_make(NULL, 0));
}

static void be_told(dn_ets_ways *w)
{
    const bool stream = dn_transport_is_stream(w->transport);
    while (w->first != NULL) {
        telling *one = w->first;
        w->first = one->next;
        w->last = w->first == NULL ? &w->first : w->last;
        if (one->kind == PLAIN) {
            take_plain(w, dunlin_slice_make(one->bytes, one->len));
        } else if (stream && one->kind == OPENED) {
            open_stream(w);
        } else if (stream) {
            close_stream(w);
        } else if (one->kind == OPENED) {
            w->config.opened(w->config.context, &w->device_peer);
        } else {
            w->config.closed(w->config.context, &w->device_peer);
        }
        free(one);
    }
}

static void server_receive(dn_ets_ways *w, dunlin_slice bytes, uint64_t now_ms)
{
    const bool stream = dn_transport_is_stream(w->transport);
    if (w->secure == NULL) { /* TCP without security */
        if (!w->stream_open) {
            open_stream(w);
        }
        take_plain(w, bytes);
        return;
    }
    if (stream && !w->connected) {
        w->connected = dn_secure_connected(w->secure, &w->device_peer, now_ms);
    }
    dn_secure_receive(w->secure, &w->device_peer, bytes, now_ms);
    be_told(w);
}

/* ---- both ---- */

void dn_ets_ways_send(dn_ets_ways *ways, bool to_device, dunlin_slice message, uint64_t now_ms)
{
    if (!to_device) {
        (void)dn_link_send(ways->link, message, now_ms); /* not up: lost, as on a network */
    } else if (ways->secure != NULL) {
        (void)dn_secure_send(ways->secure, &ways->device_peer, message, now_ms);
    } else if (ways->stream_open) {
        carry(ways, true, message);
    }
}

void dn_ets_ways_receive(dn_ets_ways *ways, bool at_device, dunlin_slice bytes, uint64_t now_ms)
{
    if (dn_transport_is_stream(ways->transport)) {
        if (bytes.len == 0 || (at_device && bytes.data[0] != ways->stream)) {
            return;
        }
        if (!at_device && (bytes.len == 1 || bytes.data[0] != ways->server_stream)) {
            lose_stream(ways);
            ways->server_stream = bytes.data[0];
        }
        bytes = dunlin_slice_make(bytes.data + 1, bytes.len - 1);
    }
    if (bytes.len == 0) {
        return;
    }
    if (at_device) {
        dn_link_receive(ways->link, bytes, now_ms);
    } else {
        server_receive(ways, bytes, now_ms);
    }
}

void dn_ets_ways_end(dn_ets_ways *ways, uint64_t now_ms)
{
    if (ways->secure != NULL) {
        dn_secure_close(ways->secure, &ways->device_peer, now_ms);
    }
    ways->stream_open = false;
    ways->connected = false;
}

uint64_t dn_ets_ways_deadline(const dn_ets_ways *ways, bool at_device)
{
    if (at_device) {
        return device_deadline(ways);
    }
    return ways->secure != NULL ? dn_secure_deadline(ways->secure) : DN_NEVER;
}

void dn_ets_ways_expire(dn_ets_ways *ways, bool at_device, uint64_t now_ms)
{
    if (at_device) {
        device_expire(ways, now_ms);
    } else if (ways->secure != NULL) {
        dn_secure_expire(ways->secure, now_ms);
        be_told(ways);
    }
}

/* ---- what can be told ---- */

bool dn_ets_ways_is_stream(const dn_ets_ways *ways)
{
    return dn_transport_is_stream(ways->transport);
}

const dn_identity *dn_ets_ways_identity(const dn_ets_ways *ways)
{
    return ways->secure != NULL ? dn_secure_identity(ways->secure, &ways->device_peer) : NULL;
}

bool dn_ets_ways_reaches(const dn_ets_ways *ways)
{
    return dn_transport_is_stream(ways->transport) ? ways->stream_open : dn_ets_ways_identity(ways) != NULL;
}

bool dn_ets_ways_connection(const dn_ets_ways *ways, dn_ets_connection *out)
{
    const dn_identity *identity = dn_ets_ways_identity(ways);
    if (!dn_ets_ways_reaches(ways)) {
        return false;
    }
    *out = (dn_ets_connection){.transport = ways->transport,
                               .mode = identity != NULL ? identity->mode : DN_SECURITY_NOSEC};
    (void)snprintf(out->suite, sizeof out->suite, "%s", dn_link_suite(ways->link));
    return true;
}

bool dn_ets_ways_refusal(const dn_ets_ways *ways, dn_ets_refusal *out)
{
    *out = ways->refusal;
    return ways->refused;
}

const char *dn_ets_ways_uri(const dn_ets_ways *ways)
{
    return ways->uri;
}

const dunlin_security *dn_ets_ways_security(const dn_ets_ways *ways)
{
    return dn_transport_is_secure(ways->transport) ? &ways->keys.security : NULL;
}

const dn_ets_keys *dn_ets_ways_keys(const dn_ets_ways *ways)
{
    return &ways->keys;
}

dn_credentials *dn_ets_ways_credentials(const dn_ets_ways *ways)
{
    return ways->keys.credentials;
}

/* ---- making ---- */

static bool make_sides(dn_ets_ways *w, char *error, size_t error_size)
{
    const dn_link_config link = {.call = {.output = link_output,
                                          .message = link_message,
                                          .up = link_up,
                                          .down = link_down,
                                          .context = w},
                                 .max_stream_message = STREAM_MESSAGE_MAX};
    const dn_secure_callbacks callbacks = {.output = secure_output,
                                           .input = secure_input,
                                           .opened = secure_opened,
                                           .closed = secure_closed,
                                           .context = w};
    (void)snprintf(error, error_size, "no memory");
    w->link = dn_link_create(&link);
    if (w->link == NULL || !dn_transport_is_secure(w->transport)) {
        return w->link != NULL;
    }
    dn_secure_config config = dn_secure_config_default(w->transport);
    config.random = w->config.random;
    w->secure = dn_secure_create(&config, w->keys.server_context, &callbacks, 0);
    return w->secure != NULL;
}

dn_ets_ways *dn_ets_ways_create(const dn_ets_ways_config *config, char *error, size_t error_size)
{
    static const char *const schemes[] = {"coap", "coaps", "coap+tcp", "coaps+tcp"};
    dn_ets_ways *w = calloc(1, sizeof *w);
    (void)snprintf(error, error_size, "no memory");
    if (w == NULL) {
        return NULL;
    }
    const char *host =
        config->way == DN_ETS_WAY_X509_OTHER ? "server-fail.example.com" : "server.example.com";
    w->config = *config;
    w->last = &w->first;
    w->transport = transport_of(config->way);
    w->server_peer = config->server;
    w->device_peer = config->device;
    dn_peer_set_transport(&w->server_peer, w->transport);
    dn_peer_set_transport(&w->device_peer, w->transport);
    w->refusal.alert = DN_TLS_NO_ALERT;
    (void)snprintf(w->uri, sizeof w->uri, "%s://%s", schemes[w->transport], host);
    if ((dn_transport_is_secure(w->transport) &&
         !dn_ets_keys_make(&w->keys, config->way, config->endpoint, host, config->wall_s, config->context,
                           error, error_size)) ||
        !make_sides(w, error, error_size)) {
        dn_ets_ways_destroy(w);
        return NULL;
    }
    return w;
}

void dn_ets_ways_destroy(dn_ets_ways *ways)
{
    if (ways != NULL) {
        while (ways->first != NULL) {
            telling *one = ways->first;
            ways->first = one->next;
            free(one);
        }
        dn_link_destroy(ways->link);
        dn_secure_destroy(ways->secure);
        dn_ets_keys_free(&ways->keys);
        free(ways);
    }
}
