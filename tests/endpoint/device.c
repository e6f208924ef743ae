/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/endpoint/device.h"

#include "bearer/udp.h"
#include "tests/endpoint/real.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void on_output(void *context, const dn_peer *peer, dunlin_slice bytes)
{
    const device *d = context;
    (void)peer;
    while (bytes.len > 0) {
        ssize_t sent = send(d->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (sent < 0) {
            assert_true(errno == ECONNREFUSED || errno == EPIPE || errno == ECONNRESET);
            return;
        }
        bytes.data += sent;
        bytes.len -= (size_t)sent;
    }
}

static void on_message(void *context, const dn_peer *peer, dunlin_slice message)
{
    device *d = context;
    dn_coap_receive(d->coap, peer, message, real_clock_ms(NULL));
}

/* Messages may follow at once, so the engine has to know. */
static void on_up(void *context)
{
    device *d = context;
    d->is_up = true;
    if (d->is_stream) {
        assert_int_equal(dn_coap_open(d->coap, &d->server, real_clock_ms(NULL)), DUNLIN_OK);
    }
}

static void on_down(void *context, dunlin_status status, int alert, const char *why)
{
    device *d = context;
    (void)status;
    (void)why;
    d->is_down = true;
    d->alert = alert;
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice message)
{
    device *d = context;
    (void)peer;
    (void)dn_link_send(d->link, message, real_clock_ms(NULL));
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    device *d = context;
    (void)body;
    d->asked++;
    d->config.serve(d, request, reply);
    return DN_COAP_ANSWERED;
}

static bool on_notification(void *context, const dn_peer *peer, const dn_coap_response *notification)
{
    (void)context;
    (void)peer;
    (void)notification;
    return false;
}

static void on_stream_ended(void *context, const dn_peer *peer, dunlin_status status, dunlin_slice detail)
{
    (void)context;
    (void)peer;
    (void)status;
    (void)detail;
}

static dn_tls_context *client_context(const char *identity, const char *key)
{
    char error[256] = "";
    dn_tls_context *made = NULL;
    dn_tls_client_config config = dn_tls_client_config_default();
    config.mode = DN_SECURITY_PSK;
    config.own = dunlin_slice_of(identity);
    config.secret = dunlin_slice_of(key);
    if (dn_tls_client_create(&config, &made, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
    return made;
}

static void make_engine(device *d)
{
    dn_coap_config config = dn_coap_config_default();
    const dn_coap_callbacks callbacks = {.send = on_send,
                                         .request = on_request,
                                         .notification = on_notification,
                                         .stream_ended = on_stream_ended,
                                         .context = d};
    config.connections = 1;
    size_t size = dn_coap_arena_size(&config);
    d->arena = malloc(size);
    assert_non_null(d->arena);
    d->random = (dn_random){.fill = real_random};
    d->coap = dn_coap_create(d->arena, size, &config, &callbacks, &d->random, NULL, real_clock_ms(NULL));
    assert_non_null(d->coap);
}

static void dial(device *d)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *address = d->config.address;
    const dn_transport transport = d->config.transport;
    assert_non_null(address);
    assert_int_equal(dn_udp_peer_parse(address, &d->server), DUNLIN_OK);
    dn_peer_set_transport(&d->server, transport);
    to.sin_port = htons(dn_udp_peer_port(&d->server));
    d->is_stream = dn_transport_is_stream(transport);
    d->fd = socket(AF_INET, d->is_stream ? SOCK_STREAM : SOCK_DGRAM, 0);
    assert_true(d->fd >= 0);
    assert_int_equal(connect(d->fd, (const struct sockaddr *)&to, sizeof to), 0);
}

void device_turn(device *d)
{
    uint8_t bytes[4096];
    struct pollfd wait = {.fd = d->fd, .events = POLLIN};
    if (poll(&wait, 1, 20) > 0) {
        ssize_t got = recv(d->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got > 0) {
            dn_link_receive(d->link, dunlin_slice_make(bytes, (size_t)got), real_clock_ms(NULL));
        } else if (got == 0 && d->is_stream && !d->is_down) {
            dn_link_lost(d->link, DUNLIN_ERR_IO);
        }
    }
    dn_link_expire(d->link, real_clock_ms(NULL));
    dn_coap_expire(d->coap, real_clock_ms(NULL));
}

void device_turn_until(device *d, const bool *what, const char *name)
{
    uint64_t end_ms = real_clock_ms(NULL) + PATIENCE_MS;
    while (!*what) {
        device_turn(d);
        if (real_clock_ms(NULL) > end_ms) {
            fail_msg("it took too long: %s", name);
        }
    }
}

void device_begin(device *d, const device_config *with)
{
    memset(d, 0, sizeof *d);
    d->config = *with;
    dial(d);
    make_engine(d);
    d->tls = dn_transport_is_secure(with->transport) ? client_context(with->identity, with->key) : NULL;
    const dn_link_config config = {.call = {on_output, on_message, on_up, on_down, d},
                                   .max_stream_message = 8192};
    d->link = dn_link_create(&config);
    assert_non_null(d->link);
    assert_int_equal(dn_link_open(d->link, &d->server, d->tls, real_clock_ms(NULL)), DUNLIN_OK);
    dn_link_connected(d->link, real_clock_ms(NULL));
    d->is_up = dn_link_state_of(d->link) == DN_LINK_UP; /* over UDP nobody says so */
}

void device_open(device *d, const device_config *config)
{
    device_begin(d, config);
    device_turn_until(d, &d->is_up, "the handshake");
}

void device_close(device *d)
{
    dn_link_close(d->link, real_clock_ms(NULL));
    dn_link_destroy(d->link);
    dn_tls_context_give_up(d->tls);
    close(d->fd);
    free(d->arena);
}

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    device *d = context;
    (void)exchange;
    d->answered = true;
    d->status = status;
    d->code = status == DUNLIN_OK ? response->code : 0;
    if (d->code != DN_COAP_CREATED) {
        return;
    }
    dn_coap_options options = response->options;
    dunlin_slice segment;
    d->location[0] = 0;
    while (dn_coap_option_find(&options, DN_OPTION_LOCATION_PATH, &segment) == DUNLIN_OK) {
        (void)snprintf(d->location, sizeof d->location, "%.*s", (int)segment.len, (const char *)segment.data);
    }
}

uint8_t device_ask(device *d, const dn_coap_option *options, size_t count, const char *payload,
                   uint16_t content_format)
{
    dn_coap_outgoing request;
    uint64_t exchange;
    dn_coap_outgoing_init(&request, DN_COAP_POST);
    request.confirmable = true;
    request.options = options;
    request.option_count = count;
    request.payload = dunlin_slice_of(payload);
    request.content_format = content_format;
    d->answered = false;
    assert_int_equal(
        dn_coap_request(d->coap, &d->server, &request, on_result, d, real_clock_ms(NULL), &exchange),
        DUNLIN_OK);
    device_turn_until(d, &d->answered, "an answer");
    return d->code;
}
