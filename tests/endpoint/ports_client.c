/* SPDX-License-Identifier: Apache-2.0 */
/* The device's sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/endpoint/ports_client.h"

#include <stdlib.h>

static void on_output(void *context, const dn_peer *peer, dunlin_slice bytes)
{
    ports_client *c = context;
    if (c->outbox != NULL) {
        dn_udp_send(&c->udp, c->outbox, peer, bytes);
    } else {
        (void)dn_tcp_send(c->tcp, peer, bytes);
    }
}

static void on_message(void *context, const dn_peer *peer, dunlin_slice message)
{
    ports_client *c = context;
    (void)peer;
    assert_true(c->got_len + message.len <= sizeof c->got);
    memcpy(c->got + c->got_len, message.data, message.len);
    c->got_len += message.len;
    c->messages++;
}

static void on_up(void *context)
{
    ports_client *c = context;
    c->up = true;
}

static void on_down(void *context, dunlin_status status, int alert, const char *why)
{
    ports_client *c = context;
    (void)why;
    c->down = true;
    c->up = false;
    c->status = status;
    c->alert = alert;
    if (c->tcp != NULL) {
        dn_tcp_close(c->tcp, &c->server, false);
    }
}

static void on_connected(void *context, const dn_peer *peer)
{
    ports_client *c = context;
    (void)peer;
    dn_link_connected(c->link, c->now_ms);
}

static void on_bytes(void *context, const dn_peer *peer, dunlin_slice bytes)
{
    ports_client *c = context;
    (void)peer;
    dn_link_receive(c->link, bytes, c->now_ms);
}

static void on_closed(void *context, const dn_peer *peer, dunlin_status status)
{
    ports_client *c = context;
    (void)peer;
    dn_link_lost(c->link, status);
}

static void open_link(ports_client *c, dn_tls_context *tls)
{
    c->up = c->down = false;
    if (c->tcp != NULL) {
        assert_int_equal(dn_tcp_connect(c->tcp, &c->server, c->now_ms), DUNLIN_OK);
    } else {
        const char *any = dn_udp_peer_family(&c->server) == 4 ? "127.0.0.1:0" : "[::1]:0";
        assert_int_equal(dn_udp_open(&c->udp, any, 0), DUNLIN_OK);
    }
    assert_int_equal(dn_link_open(c->link, &c->server, tls, c->now_ms), DUNLIN_OK);
    c->up = dn_link_state_of(c->link) == DN_LINK_UP;
}

ports_client *ports_client_open(const char *address, dn_transport transport, dn_tls_context *tls,
                                uint64_t now_ms)
{
    ports_client *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->now_ms = now_ms;
    assert_int_equal(dn_udp_peer_parse(address, &c->server), DUNLIN_OK);
    dn_peer_set_transport(&c->server, transport);
    const dn_link_config config = {
        .call = {.output = on_output, .message = on_message, .up = on_up, .down = on_down, .context = c},
        .max_stream_message = 8192};
    c->link = dn_link_create(&config);
    assert_non_null(c->link);
    if (dn_transport_is_stream(transport)) {
        const dn_tcp_config tcp = dn_tcp_config_default();
        const dn_tcp_callbacks call = {
            .opened = on_connected, .bytes = on_bytes, .closed = on_closed, .context = c};
        assert_int_equal(dn_tcp_create(&tcp, &call, &c->tcp), DUNLIN_OK);
    } else {
        c->outbox = malloc(sizeof *c->outbox);
        c->batch = malloc(sizeof *c->batch);
        assert_true(c->outbox != NULL && c->batch != NULL);
        dn_udp_outbox_init(c->outbox);
    }
    open_link(c, tls);
    ports_client_work(c);
    return c;
}

void ports_client_reopen(ports_client *c, dn_tls_context *tls)
{
    if (c->tcp != NULL) {
        dn_tcp_close(c->tcp, &c->server, false);
    } else {
        ports_client_work(c);
        dn_udp_close(&c->udp);
    }
    open_link(c, tls);
    ports_client_work(c);
}

void ports_client_free(ports_client *c)
{
    dn_link_destroy(c->link);
    dn_tcp_destroy(c->tcp);
    if (c->outbox != NULL) {
        dn_udp_close(&c->udp);
    }
    free(c->outbox);
    free(c->batch);
    free(c);
}

struct pollfd ports_client_fd(const ports_client *c)
{
    return (struct pollfd){.fd = c->tcp != NULL ? dn_tcp_fd(c->tcp) : c->udp.fd, .events = POLLIN};
}

void ports_client_work(ports_client *c)
{
    if (c->tcp != NULL) {
        (void)dn_tcp_work(c->tcp, c->now_ms);
        dn_tcp_flush(c->tcp);
        return;
    }
    while (dn_udp_receive(&c->udp, c->batch, DN_UDP_BATCH) == DUNLIN_OK) {
        for (size_t i = 0; i < c->batch->count; i++) {
            dn_link_receive(c->link, c->batch->datagram[i].bytes, c->now_ms);
        }
    }
    (void)dn_udp_flush(&c->udp, c->outbox);
}

void ports_client_send(ports_client *c, dunlin_slice message)
{
    assert_int_equal(dn_link_send(c->link, message, c->now_ms), DUNLIN_OK);
    ports_client_work(c);
}
