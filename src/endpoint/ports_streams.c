/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections, and where a message on them ends. While a stream holds no part of a message it costs its record alone: bytes are cut in
 * one memory for all, and only what is left over is kept.
 */
#include "endpoint/ports_inside.h"

#include "base/deadline.h"
#include "coap/frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    dn_peer_node node;
    uint8_t *part; /* of a message that is not complete */
    size_t part_len;
    dn_deadline deadline; /* for the first message, or the end of one that has begun */
} stream;

static stream *find(const dn_ports *ports, const dn_peer *peer)
{
    dn_peer_node *node = ports->tcp == NULL ? NULL : dn_peer_table_find(&ports->streams, peer);
    return node != NULL ? DN_CONTAINER(node, stream, node) : NULL;
}

bool dn_ports_stream_is_there(const dn_ports *ports, const dn_peer *peer)
{
    return find(ports, peer) != NULL;
}

/* Who keeps a connection without a word, or sends a byte a minute, keeps it no longer than that. */
static void await_message(dn_ports *ports, stream *s)
{
    if (ports->config.stream_wait_ms > 0) {
        dn_deadline_set(&ports->waiting, &s->deadline, ports->now_ms + ports->config.stream_wait_ms);
    }
}

bool dn_ports_stream_add(dn_ports *ports, const dn_peer *peer)
{
    stream *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return false;
    }
    dn_peer_table_add(&ports->streams, &made->node, peer);
    await_message(ports, made);
    ports->call.opened(ports->call.context, peer);
    return true;
}

bool dn_ports_stream_remove(dn_ports *ports, const dn_peer *peer)
{
    stream *gone = find(ports, peer);
    if (gone == NULL) {
        return false;
    }
    if (ports->cutting == gone) {
        ports->cutting = NULL;
    }
    dn_peer_table_remove(&ports->streams, &gone->node);
    dn_deadline_cancel(&ports->waiting, &gone->deadline);
    free(gone->part);
    free(gone);
    return true;
}

/* Bytes and messages. */

typedef struct {
    dn_ports *ports;
    dn_peer peer;
    bool was_message;
} cut_context;

static bool on_message(void *context, dunlin_slice message)
{
    cut_context *cut = context;
    cut->was_message = true;
    cut->ports->call.message(cut->ports->call.context, &cut->peer, message);
    return cut->ports->cutting != NULL;
}

/* False: no memory. */
static bool keep_part(stream *s, const dn_coap_assembler *assembler)
{
    if (assembler->used == 0) {
        free(s->part);
        s->part = NULL;
    } else {
        uint8_t *part = realloc(s->part, assembler->used);
        if (part == NULL) {
            return false;
        }
        memcpy(part, assembler->memory, assembler->used);
        s->part = part;
    }
    s->part_len = assembler->used;
    return true;
}

static void give_up(dn_ports *ports, const dn_peer *peer, dunlin_status status)
{
    char text[DN_UDP_TEXT_MAX];
    dn_log_at(ports->config.log, DN_LOG_INFO, DN_PORTS_AREA, "%s: the stream is closed: %s",
              dn_udp_peer_text(peer, text), dunlin_status_text(status));
    bool malformed = dunlin_is_bad_input(status);
    ports->malformed += malformed;
    ports->slow += status == DUNLIN_ERR_TIMEOUT;
    uint8_t last[DN_COAP_FRAME_ABORT_MAX];
    (void)dn_ports_stream_remove(ports, peer);
    if (malformed) {
        dn_ports_send(ports, peer, dn_coap_frame_abort(status, last), ports->now_ms);
    }
    dn_ports_sessions_end(ports, peer);
    dn_tcp_close(ports->tcp, peer, false);
    ports->call.closed(ports->call.context, peer, status);
}

void dn_ports_stream_bytes(dn_ports *ports, const dn_peer *peer, dunlin_slice bytes)
{
    stream *s = find(ports, peer);
    if (s == NULL) {
        return;
    }
    cut_context cut = {.ports = ports, .peer = *peer};
    dn_coap_assembler assembler = {
        .memory = ports->assembly, .size = ports->config.max_stream_message, .used = s->part_len};
    if (s->part_len > 0) {
        memcpy(ports->assembly, s->part, s->part_len);
    }
    ports->cutting = s;
    dunlin_status status = dn_coap_assemble(&assembler, bytes, on_message, &cut);
    bool is_there = ports->cutting != NULL;
    ports->cutting = NULL;
    if (!is_there) {
        return;
    }
    if (status == DUNLIN_OK && !keep_part(s, &assembler)) {
        status = DUNLIN_ERR_MEMORY;
    }
    if (status != DUNLIN_OK) {
        give_up(ports, &cut.peer, status);
        return;
    }
    if (cut.was_message) {
        dn_deadline_cancel(&ports->waiting, &s->deadline);
    }
    if (s->part_len > 0 && !dn_deadline_is_set(&s->deadline)) {
        await_message(ports, s);
    }
}

void dn_ports_streams_expire(dn_ports *ports)
{
    dn_deadline *due;
    while (ports->tcp != NULL && (due = dn_wheel_expire(&ports->waiting, ports->now_ms)) != NULL) {
        dn_peer peer = DN_CONTAINER(due, stream, deadline)->node.peer;
        give_up(ports, &peer, DUNLIN_ERR_TIMEOUT);
    }
}

uint64_t dn_ports_streams_deadline(const dn_ports *ports)
{
    if (ports->tcp == NULL) {
        return UINT64_MAX;
    }
    uint64_t connections = dn_tcp_deadline(ports->tcp), messages = dn_wheel_next(&ports->waiting);
    return connections < messages ? connections : messages;
}

/* As dn_tcp_callbacks. */

static void on_opened(void *context, const dn_peer *peer)
{
    dn_ports *ports = context;
    if (dn_peer_transport(peer) == DN_TRANSPORT_TLS) {
        dn_ports_sessions_connected(ports, peer);
    } else if (!dn_ports_stream_add(ports, peer)) {
        dn_tcp_close(ports->tcp, peer, true);
    }
}

static void on_bytes(void *context, const dn_peer *peer, dunlin_slice bytes)
{
    dn_ports *ports = context;
    if (dn_peer_transport(peer) == DN_TRANSPORT_TLS) {
        dn_ports_sessions_bytes(ports, peer, bytes);
    } else {
        dn_ports_stream_bytes(ports, peer, bytes);
    }
}

static void on_closed(void *context, const dn_peer *peer, dunlin_status status)
{
    dn_ports *ports = context;
    dn_ports_sessions_disconnected(ports, peer);
    if (dn_ports_stream_remove(ports, peer)) {
        ports->call.closed(ports->call.context, peer, status);
    }
}

static dunlin_status listen_on(dn_ports *ports, dn_transport transport, char *error, size_t error_size)
{
    const dn_ports_addresses *listen = &ports->config.listen[transport];
    size_t kind = transport - DN_TRANSPORT_TCP;
    for (size_t i = 0; i < listen->count; i++) {
        char *text = ports->stream_text[kind][i];
        dunlin_status status = dn_tcp_listen(ports->tcp, listen->addresses[i], transport, text);
        if (status != DUNLIN_OK) {
            (void)snprintf(error, error_size, "cannot listen on %s: %s", listen->addresses[i],
                           status == DUNLIN_ERR_IO ? strerror(errno) : "not an address with port");
            return status;
        }
        ports->stream_count[kind]++;
        dn_log_at(ports->config.log, DN_LOG_INFO, DN_PORTS_AREA, "listening for CoAP over %s on %s",
                  kind == 0 ? "TCP" : "TLS", text);
    }
    return DUNLIN_OK;
}

dunlin_status dn_ports_streams_open(dn_ports *ports, char *error, size_t error_size)
{
    const dn_tcp_callbacks call = {
        .opened = on_opened, .bytes = on_bytes, .closed = on_closed, .context = ports};
    dn_hash_key key;
    if (ports->config.listen[DN_TRANSPORT_TCP].count + ports->config.listen[DN_TRANSPORT_TLS].count == 0) {
        return DUNLIN_OK;
    }
    dn_wheel_init(&ports->waiting, ports->now_ms);
    ports->config.dtls.random.fill(ports->config.dtls.random.context, &key, sizeof key);
    ports->assembly = malloc(ports->config.max_stream_message);
    dunlin_status status = ports->assembly != NULL && dn_peer_table_init(&ports->streams, &key)
                               ? dn_tcp_create(&ports->config.tcp, &call, &ports->tcp)
                               : DUNLIN_ERR_MEMORY;
    if (status != DUNLIN_OK) {
        (void)snprintf(error, error_size, "TCP: %s", dunlin_status_text(status));
        return status;
    }
    status = listen_on(ports, DN_TRANSPORT_TCP, error, error_size);
    return status == DUNLIN_OK ? listen_on(ports, DN_TRANSPORT_TLS, error, error_size) : status;
}

static void drop(void *context, dn_peer_node *node)
{
    stream *s = DN_CONTAINER(node, stream, node);
    (void)context;
    free(s->part);
    free(s);
}

void dn_ports_streams_close(dn_ports *ports)
{
    dn_tcp_destroy(ports->tcp);
    ports->tcp = NULL;
    if (ports->streams.buckets != NULL) {
        dn_peer_table_each(&ports->streams, drop, NULL);
        dn_peer_table_free(&ports->streams);
    }
    free(ports->assembly);
    ports->assembly = NULL;
}
