/* SPDX-License-Identifier: Apache-2.0 */
/* The probe's client: one request, or an observation, then an exit code. */
#include "port/clock.h"
#include "tests/probe/probe.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const probe_client_options *options;
    probe_uri uri;
    dn_peer server;
    dn_coap_socket socket;
    dn_coap_token token;
    dn_coap_order order;
    uint32_t seen;
    bool done;
    int exit_code;
    bool ending; /* the observation's end was asked for */
    dn_coap_sink sink;
    uint8_t first[PROBE_BODY_MAX];
} client;

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response);

static void show(const client *self, const dn_coap_response *response)
{
    (void)fprintf(stderr, "%u.%02u", response->code >> 5, response->code & 31u);
    if (response->observe != DN_COAP_NO_OBSERVE) {
        (void)fprintf(stderr, " observe %d", response->observe);
    }
    if (response->content_format != DN_COAP_NO_FORMAT) {
        (void)fprintf(stderr, " format %u", response->content_format);
    }
    (void)fprintf(stderr, " %zu bytes\n", response->payload.len);
    if (self->options->show_options) {
        dn_coap_options walk = response->options;
        dn_coap_option option;
        while (dn_coap_option_next(&walk, &option) == DUNLIN_OK) {
            (void)fprintf(stderr, "  option %u:", option.number);
            for (size_t i = 0; i < option.value.len; i++) {
                (void)fprintf(stderr, " %02x", option.value.data[i]);
            }
            (void)fprintf(stderr, "\n");
        }
    }
    if (response->payload.len > 0) { /* a sink has had it all */
        (void)fwrite(response->payload.data, 1, response->payload.len, stdout);
    }
    if (self->options->observe) {
        (void)fputc('\n', stdout);
    }
    (void)fflush(stdout);
}

static void end(client *self, int exit_code)
{
    self->done = true;
    self->exit_code = exit_code;
}

static bool on_take(void *context, const dn_coap_response *head, uint64_t offset, uint64_t size, bool more)
{
    (void)context;
    (void)offset;
    (void)size;
    (void)more;
    return fwrite(head->payload.data, 1, head->payload.len, stdout) == head->payload.len;
}

static bool ask(client *self, int32_t observe, const dn_coap_response *rest)
{
    dn_coap_outgoing request;
    uint64_t id;
    dn_coap_outgoing_init(&request, self->options->code);
    request.confirmable = self->options->confirmable;
    request.options = self->uri.option;
    request.option_count = self->uri.option_count;
    request.content_format = self->options->format;
    request.accept = self->options->accept;
    request.payload = self->options->payload;
    request.source = self->options->source.read != NULL ? &self->options->source : NULL;
    if (self->options->sink && rest == NULL) {
        request.sink = &self->sink;
        request.from = self->options->from;
    }
    if (self->options->observe && rest == NULL) {
        request.observe = observe;
        request.token = self->token;
    }
    if (rest != NULL) {
        dn_coap_options walk = rest->options;
        memcpy(self->first, rest->payload.data, rest->payload.len);
        request.first = dunlin_slice_make(self->first, rest->payload.len);
        request.first_szx = rest->szx;
        (void)dn_coap_option_find(&walk, DN_OPTION_ETAG, &request.first_etag);
    }
    dunlin_status status =
        dn_coap_request(self->socket.coap, &self->server, &request, on_result, self, dn_clock_ms(), &id);
    if (status != DUNLIN_OK) {
        (void)fprintf(stderr, "coap_probe: request: %s\n", dunlin_status_text(status));
        end(self, PROBE_SYSTEM);
    }
    return status == DUNLIN_OK;
}

/* Another state of what is observed; after `count` of them the observation is ended. */
static void take_state(client *self, const dn_coap_response *response)
{
    show(self, response);
    self->seen++;
    if (response->code >> 5 != 2) {
        end(self, PROBE_ERROR_CODE);
    } else if (self->seen >= self->options->count && !self->ending) {
        self->ending = true;
        (void)ask(self, 1, NULL);
    }
}

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    client *self = context;
    (void)exchange;
    if (status != DUNLIN_OK) {
        (void)fprintf(stderr, "coap_probe: %s\n", dunlin_status_text(status));
        end(self, PROBE_NO_ANSWER);
        return;
    }
    if (self->options->observe && !self->ending) {
        if (response->observe == DN_COAP_NO_OBSERVE && self->seen == 0) {
            show(self, response);
            (void)fprintf(stderr, "coap_probe: the server does not let it be observed\n");
            end(self, PROBE_ERROR_CODE);
            return;
        }
        take_state(self, response);
        return;
    }
    if (!self->ending) {
        show(self, response);
    }
    end(self, response->code >> 5 == 2 ? PROBE_OK : PROBE_ERROR_CODE);
}

static bool on_notification(void *context, const dn_peer *peer, const dn_coap_response *notification)
{
    client *self = context;
    if (!dn_peer_equal(peer, &self->server) || notification->token.len != self->token.len ||
        memcmp(notification->token.bytes, self->token.bytes, self->token.len) != 0 ||
        !self->options->observe) {
        return false;
    }
    if (self->ending ||
        (notification->observe != DN_COAP_NO_OBSERVE &&
         !dn_coap_order_newer(&self->order, (uint32_t)notification->observe, dn_clock_ms()))) {
        return true;
    }
    if (notification->more) {
        (void)ask(self, 0, notification);
    } else {
        take_state(self, notification);
    }
    return true;
}

static int run(client *self, dn_loop *loop)
{
    uint64_t give_up_ms = dn_clock_ms() + self->options->timeout_s * 1000u;
    if (!ask(self, 0, NULL)) {
        return self->exit_code;
    }
    dn_coap_socket_flush(&self->socket);
    while (!self->done) {
        uint64_t next_ms = dn_coap_socket_expire(&self->socket);
        if (dn_clock_ms() >= give_up_ms) {
            (void)fprintf(stderr, "coap_probe: time is up\n");
            return PROBE_NO_ANSWER;
        }
        if (dn_loop_turn(loop, next_ms < give_up_ms ? next_ms : give_up_ms) == DUNLIN_ERR_IO) {
            return PROBE_SYSTEM;
        }
    }
    dn_coap_socket_flush(&self->socket);
    return self->exit_code;
}

int probe_client(const probe_client_options *options)
{
    dn_loop loop;
    dn_coap_config config = dn_coap_config_default();
    client *self = calloc(1, sizeof *self);
    dn_coap_callbacks callbacks = {.notification = on_notification, .context = self};
    int exit_code = PROBE_SYSTEM;
    config.max_body = PROBE_BODY_MAX;
    config.block_szx = options->szx;
    if (self == NULL || dn_loop_open(&loop, NULL, NULL) != DUNLIN_OK) {
        free(self);
        return exit_code;
    }
    self->options = options;
    self->sink = (dn_coap_sink){on_take, self};
    if (!probe_uri_parse(options->uri, &self->uri)) {
        (void)fprintf(stderr, "coap_probe: not a coap URI: %s\n", options->uri);
        exit_code = PROBE_USAGE;
    } else if (dn_udp_resolve(self->uri.host, self->uri.port, 0, &self->server) != DUNLIN_OK) {
        (void)fprintf(stderr, "coap_probe: no address for %s\n", self->uri.host);
    } else {
        const char *any = dn_udp_peer_family(&self->server) == 4 ? "0.0.0.0:0" : "[::]:0";
        if (dn_coap_socket_open(&self->socket, &loop, any, 0, 32, &config, &callbacks, NULL) == DUNLIN_OK) {
            dn_random random = dn_entropy_random(&self->socket.entropy);
            self->token.len = DN_COAP_TOKEN_MAX;
            random.fill(random.context, self->token.bytes, self->token.len);
            exit_code = run(self, &loop);
            dn_coap_socket_close(&self->socket);
        } else {
            perror("coap_probe: socket");
        }
    }
    dn_loop_close(&loop);
    free(self);
    return exit_code;
}
