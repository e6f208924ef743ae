/* SPDX-License-Identifier: Apache-2.0 */
/* Moves datagrams between a UDP socket and a CoAP engine. */
#include "port/coap_socket.h"
#include "port/clock.h"
#include <stdlib.h>

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    dn_coap_socket *socket = context;
    dn_udp_send(&socket->udp, socket->outbox, peer, datagram);
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    dn_coap_socket *socket = context;
    return socket->callbacks.request(socket->callbacks.context, request, body, reply);
}

static bool on_notification(void *context, const dn_peer *peer, const dn_coap_response *notification)
{
    dn_coap_socket *socket = context;
    return socket->callbacks.notification(socket->callbacks.context, peer, notification);
}

static void on_observer_gone(void *context, const dn_peer *peer, const dn_coap_token *token)
{
    dn_coap_socket *socket = context;
    socket->callbacks.observer_gone(socket->callbacks.context, peer, token);
}

static bool on_streams(void *context, const dn_coap_incoming *request)
{
    dn_coap_socket *socket = context;
    return socket->callbacks.streams(socket->callbacks.context, request);
}

static void on_piece(void *context, const dn_coap_incoming *request, uint64_t offset, bool more,
                     dunlin_buf *body, dn_coap_reply *reply)
{
    dn_coap_socket *socket = context;
    socket->callbacks.piece(socket->callbacks.context, request, offset, more, body, reply);
}

static void on_piece_lost(void *context, const dn_peer *peer, uint64_t key)
{
    dn_coap_socket *socket = context;
    socket->callbacks.piece_lost(socket->callbacks.context, peer, key);
}

static void set_interest(dn_coap_socket *socket, bool write)
{
    if (write != socket->waits_to_write &&
        dn_loop_change(socket->loop, &socket->watch, DN_LOOP_READ | (write ? (unsigned)DN_LOOP_WRITE : 0u)) ==
            DUNLIN_OK) {
        socket->waits_to_write = write;
    }
}

void dn_coap_socket_flush(dn_coap_socket *socket)
{
    if (socket->outbox->count > 0) {
        set_interest(socket, dn_udp_flush(&socket->udp, socket->outbox) == DUNLIN_END);
    }
}

static void on_ready(void *context, unsigned events)
{
    dn_coap_socket *socket = context;
    (void)events;
    /* One batch per turn, so that deadlines and other descriptors get theirs; the loop comes back for what is
     * left. */
    if (dn_udp_receive(&socket->udp, socket->batch, socket->batch_max) == DUNLIN_OK) {
        uint64_t now_ms = dn_clock_ms();
        for (size_t i = 0; i < socket->batch->count; i++) {
            const dn_udp_datagram *datagram = &socket->batch->datagram[i];
            dn_coap_receive(socket->coap, &datagram->peer, datagram->bytes, now_ms);
        }
        if (socket->batched != NULL) {
            socket->batched(socket->callbacks.context);
        }
    }
    if (socket->outbox->count == 0) {
        set_interest(socket, false);
    }
    dn_coap_socket_flush(socket);
}

static dunlin_status make_engine(dn_coap_socket *socket, const dn_coap_config *config, const dn_log *log)
{
    size_t size = dn_coap_arena_size(config);
    if (size == 0) {
        return DUNLIN_ERR_ARGUMENT;
    }
    socket->arena = malloc(size);
    socket->batch = malloc(sizeof *socket->batch);
    socket->outbox = malloc(sizeof *socket->outbox);
    if (socket->arena == NULL || socket->batch == NULL || socket->outbox == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    dn_udp_outbox_init(socket->outbox);
    dn_coap_callbacks callbacks = {
        .send = on_send,
        .request = socket->callbacks.request != NULL ? on_request : NULL,
        .notification = socket->callbacks.notification != NULL ? on_notification : NULL,
        .observer_gone = socket->callbacks.observer_gone != NULL ? on_observer_gone : NULL,
        .streams = socket->callbacks.streams != NULL ? on_streams : NULL,
        .piece = socket->callbacks.piece != NULL ? on_piece : NULL,
        .piece_lost = socket->callbacks.piece_lost != NULL ? on_piece_lost : NULL,
        .context = socket,
    };
    dn_random random = dn_entropy_random(&socket->entropy);
    socket->coap = dn_coap_create(socket->arena, size, config, &callbacks, &random, log, dn_clock_ms());
    return socket->coap == NULL ? DUNLIN_ERR_ARGUMENT : DUNLIN_OK;
}

dunlin_status dn_coap_socket_open(dn_coap_socket *socket, dn_loop *loop, const char *address,
                                  unsigned udp_flags, size_t batch_max, const dn_coap_config *config,
                                  const dn_coap_callbacks *callbacks, const dn_log *log)
{
    memset(socket, 0, sizeof *socket);
    socket->loop = loop;
    socket->batch_max = batch_max;
    socket->callbacks = *callbacks;
    dunlin_status status = dn_udp_open(&socket->udp, address, udp_flags);
    if (status == DUNLIN_OK) {
        status = make_engine(socket, config, log);
    }
    if (status == DUNLIN_OK) {
        socket->watch = (dn_loop_watch){socket->udp.fd, on_ready, socket};
        status = dn_loop_add(loop, &socket->watch, DN_LOOP_READ);
    }
    if (status != DUNLIN_OK) {
        dn_coap_socket_close(socket);
    }
    return status;
}

void dn_coap_socket_close(dn_coap_socket *socket)
{
    if (socket->watch.ready != NULL) {
        dn_loop_remove(socket->loop, &socket->watch);
    }
    dn_udp_close(&socket->udp);
    free(socket->arena);
    free(socket->batch);
    free(socket->outbox);
    socket->arena = NULL;
    socket->batch = NULL;
    socket->outbox = NULL;
    socket->coap = NULL;
}

uint64_t dn_coap_socket_expire(dn_coap_socket *socket)
{
    uint64_t now_ms = dn_clock_ms();
    if (dn_coap_deadline(socket->coap) <= now_ms) {
        dn_coap_expire(socket->coap, now_ms);
        dn_coap_socket_flush(socket);
    }
    return dn_coap_deadline(socket->coap);
}
