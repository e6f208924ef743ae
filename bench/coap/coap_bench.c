/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast the CoAP engine is by itself: exchanges per second in memory, no socket. Two engines, a client's
 * and a server's; an exchange is a confirmable request and its piggybacked response, so four passes through
 * an engine. "server" counts the server's share alone: prepared requests from many peers, each answered.
 * "blocks" are of 20 MB packages that go in pieces, one exchange a block of 1024 bytes, between engines that
 * have no room for two blocks. "stream" is the same over streams (RFC 8323), without the streams themselves.
 *
 *   coap_bench [--json] [--seconds S]
 */
#include "base/random.h"
#include "coap/engine.h"
#include "coap/message.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define QUEUE     128
#define IN_FLIGHT 64
#define LARGEST   8192

/* An engine and the datagrams on their way to it. */
typedef struct side {
    dn_coap *coap;
    void *arena;
    dn_peer self;
    struct side *to; /* NULL: what it sends is dropped */
    uint64_t answered, taken;
    dunlin_slice representation;
    size_t count, used;
    size_t length[QUEUE];
    uint8_t bytes[QUEUE * LARGEST]; /* one behind the other */
} side;

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    side *to = ((side *)context)->to;
    (void)peer;
    if (to != NULL && to->count < QUEUE) {
        memcpy(to->bytes + to->used, datagram.data, datagram.len);
        to->used += datagram.len;
        to->length[to->count++] = datagram.len;
    }
}

/* Gives a side what was sent to it. False: nothing was. */
static bool deliver(side *to, const side *from, uint64_t now_ms)
{
    static uint8_t taken[QUEUE * LARGEST];
    size_t length[QUEUE];
    size_t count = to->count, at = 0;
    memcpy(length, to->length, count * sizeof length[0]);
    memcpy(taken, to->bytes, to->used);
    to->count = to->used = 0;
    for (size_t i = 0; i < count; i++) {
        dn_coap_receive(to->coap, &from->self, dunlin_slice_make(taken + at, length[i]), now_ms);
        at += length[i];
    }
    return count > 0;
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    side *self = context;
    (void)body;
    (void)request;
    reply->code = DN_COAP_CONTENT;
    reply->content_format = 0;
    reply->payload = self->representation;
    return DN_COAP_ANSWERED;
}

#define PACKAGE_BYTES (20u << 20)

static bool on_read(void *context, uint64_t offset, void *out, size_t len)
{
    (void)context;
    memset(out, (int)(offset >> 10), len);
    return true;
}

static const dn_coap_source package = {PACKAGE_BYTES, on_read, NULL};

static dn_coap_answered on_package_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                           dn_coap_reply *reply)
{
    (void)context;
    (void)request;
    (void)body;
    reply->code = DN_COAP_CONTENT;
    reply->source = &package;
    return DN_COAP_ANSWERED;
}

static bool on_streams(void *context, const dn_coap_incoming *request)
{
    (void)context;
    (void)request;
    return true;
}

static void on_piece(void *context, const dn_coap_incoming *request, uint64_t offset, bool more,
                     dunlin_buf *body, dn_coap_reply *reply)
{
    (void)offset;
    (void)more;
    (void)body;
    (void)reply;
    ((side *)context)->taken += request->payload.len;
}

static bool on_take(void *context, const dn_coap_response *head, uint64_t offset, uint64_t size, bool more)
{
    (void)offset;
    (void)size;
    (void)more;
    ((side *)context)->taken += head->payload.len;
    return true;
}

static void on_package(void *context, uint64_t exchange, dunlin_status status,
                       const dn_coap_response *response)
{
    (void)exchange;
    if (status != DUNLIN_OK || response->code >> 5 != 2) {
        (void)fprintf(stderr, "coap_bench: package failed: %d\n", (int)status);
        exit(1);
    }
    ((side *)context)->answered++;
}

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    side *self = context;
    (void)exchange;
    if (status != DUNLIN_OK || response->payload.len != self->representation.len) {
        (void)fprintf(stderr, "coap_bench: exchange failed: %d, %zu bytes\n", (int)status,
                      response == NULL ? 0 : response->payload.len);
        exit(1);
    }
    self->answered++;
}

static void on_ended(void *context, const dn_peer *peer, dunlin_status status, dunlin_slice detail)
{
    (void)context;
    (void)peer;
    (void)detail;
    (void)fprintf(stderr, "coap_bench: stream ended: %d\n", (int)status);
    exit(1);
}

static side *open_side(uint8_t number, dn_seeded *seeded, const dn_coap_config *config,
                       dunlin_slice representation)
{
    size_t size = dn_coap_arena_size(config);
    side *made = calloc(1, sizeof *made);
    void *arena = malloc(size);
    dn_seeded_init(seeded, number);
    dn_random random = dn_seeded_random(seeded);
    const dn_coap_callbacks callbacks = {.send = on_send,
                                         .request = representation.len > 0 ? on_request : on_package_request,
                                         .streams = on_streams,
                                         .piece = on_piece,
                                         .stream_ended = on_ended,
                                         .context = made};
    if (made != NULL && arena != NULL) {
        made->arena = arena;
        made->self = (dn_peer){.len = 1, .bytes = {number}};
        made->representation = representation;
        made->coap = dn_coap_create(arena, size, config, &callbacks, &random, NULL, 0);
    }
    if (made == NULL || made->coap == NULL) {
        (void)fprintf(stderr, "coap_bench: no engine\n");
        exit(1);
    }
    return made;
}

static void close_side(side *made)
{
    free(made->arena);
    free(made);
}

static dn_coap_config shard_config(void)
{
    dn_coap_config config = dn_coap_config_default();
    config.exchanges = 1024;
    config.dedup_slots = 65536;
    config.dedup_reply_max = 64;
    config.max_body = 16384;
    config.transfers = 2 * IN_FLIGHT;
    return config;
}

static void join(side *client, side *server)
{
    if (dn_coap_open(client->coap, &server->self, 0) != DUNLIN_OK ||
        dn_coap_open(server->coap, &client->self, 0) != DUNLIN_OK) {
        (void)fprintf(stderr, "coap_bench: no stream\n");
        exit(1);
    }
}

/* Client and server engine, one after the other in one thread. */
static double measure_pair(double limit_s, bool streams, dunlin_slice representation)
{
    uint64_t now_ms = 0, count = 0;
    dn_seeded seeded[2];
    dn_coap_config config = shard_config();
    config.nstart = IN_FLIGHT;
    config.connections = streams;
    side *client = open_side(1, &seeded[0], &config, representation);
    side *server = open_side(2, &seeded[1], &config, representation);
    client->to = server;
    server->to = client;
    if (streams) {
        join(client, server);
    }
    dn_coap_option path[] = {{DN_OPTION_URI_PATH, dunlin_slice_of("3303")},
                             {DN_OPTION_URI_PATH, dunlin_slice_of("0")}};
    dn_coap_outgoing request;
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.options = path;
    request.option_count = 2;
    double start = seconds(), now = start;
    while (now - start < limit_s) {
        for (int i = 0; i < IN_FLIGHT; i++, count++) {
            uint64_t id;
            if (dn_coap_request(client->coap, &server->self, &request, on_result, client, now_ms, &id) !=
                DUNLIN_OK) {
                (void)fprintf(stderr, "coap_bench: request refused\n");
                exit(1);
            }
        }
        while (deliver(server, client, now_ms) || deliver(client, server, now_ms)) {
        }
        now_ms++;
        dn_coap_expire(client->coap, now_ms);
        dn_coap_expire(server->coap, now_ms);
        now = seconds();
    }
    if (client->answered != count) {
        (void)fprintf(stderr, "coap_bench: not every request was answered\n");
        exit(1);
    }
    close_side(client);
    close_side(server);
    return (double)count / (now - start);
}

/* The server engine alone, with requests from `peers` devices in turn. */
static double measure_server(double limit_s, uint32_t peers, dunlin_slice representation)
{
    uint64_t now_ms = 0;
    dn_seeded seeded;
    dn_coap_config config = shard_config();
    side *server = open_side(2, &seeded, &config, representation);
    uint8_t datagram[64];
    dn_coap_writer writer;
    dn_coap_token token = {8, "abcdefg"};
    double start = seconds(), now = start;
    uint64_t count = 0;
    while (now - start < limit_s) {
        for (int i = 0; i < 1000; i++, count++) {
            uint32_t number = (uint32_t)(count % peers) * 2654435761u;
            dn_peer peer = {.len = 11};
            memcpy(peer.bytes + 1, &number, sizeof number); /* the first byte tells the transport */
            dn_coap_write_header(&writer, datagram, sizeof datagram, DN_COAP_CON, DN_COAP_GET,
                                 (uint16_t)(count / peers), &token);
            dn_coap_write_option(&writer, DN_OPTION_URI_PATH, dunlin_slice_of("3303"));
            dn_coap_write_option(&writer, DN_OPTION_URI_PATH, dunlin_slice_of("0"));
            dn_coap_receive(server->coap, &peer, dunlin_slice_make(datagram, writer.len), now_ms);
        }
        now_ms += 5;
        dn_coap_expire(server->coap, now_ms);
        now = seconds();
    }
    if (dn_coap_count(server->coap)->requests != count) {
        (void)fprintf(stderr, "coap_bench: not all were new requests\n");
        exit(1);
    }
    close_side(server);
    return (double)count / (now - start);
}

/* Blocks per second of packages that go up, from a source to pieces, or down, from a source to a sink. */
static double measure_pieces(double limit_s, bool up)
{
    uint64_t now_ms = 0, count = 0;
    dn_seeded seeded[2];
    dn_coap_config config = dn_coap_config_default();
    config.max_body = 1024;
    config.transfers = 1;
    config.exchanges = 1;
    config.peers = 1;
    side *client = open_side(1, &seeded[0], &config, dunlin_slice_make(NULL, 0));
    side *server = open_side(2, &seeded[1], &config, dunlin_slice_make(NULL, 0));
    client->to = server;
    server->to = client;
    const dn_coap_sink sink = {on_take, client};
    dn_coap_option path[] = {{DN_OPTION_URI_PATH, dunlin_slice_of("5")},
                             {DN_OPTION_URI_PATH, dunlin_slice_of("0")},
                             {DN_OPTION_URI_PATH, dunlin_slice_of("0")}};
    dn_coap_outgoing request;
    dn_coap_outgoing_init(&request, up ? DN_COAP_PUT : DN_COAP_GET);
    request.options = path;
    request.option_count = 3;
    request.source = up ? &package : NULL;
    request.sink = up ? NULL : &sink;
    double start = seconds(), now = start;
    while (now - start < limit_s) {
        uint64_t id;
        if (dn_coap_request(client->coap, &server->self, &request, on_package, client, now_ms, &id) !=
            DUNLIN_OK) {
            (void)fprintf(stderr, "coap_bench: request refused\n");
            exit(1);
        }
        while (deliver(server, client, now_ms) || deliver(client, server, now_ms)) {
            now_ms++;
        }
        dn_coap_expire(client->coap, now_ms);
        dn_coap_expire(server->coap, now_ms);
        count++;
        now = seconds();
    }
    if (client->answered != count || (up ? server : client)->taken != count * PACKAGE_BYTES) {
        (void)fprintf(stderr, "coap_bench: not every package went through\n");
        exit(1);
    }
    close_side(client);
    close_side(server);
    return (double)(count * (PACKAGE_BYTES / 1024)) / (now - start);
}

int main(int argc, char **argv)
{
    bool json = false;
    double limit_s = 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            limit_s = strtod(argv[++i], NULL);
        } else {
            (void)fprintf(stderr, "usage: coap_bench [--json] [--seconds S]\n");
            return 2;
        }
    }
    static uint8_t bytes[16384];
    dunlin_slice small = dunlin_slice_of("23.5");
    const struct {
        const char *name;
        double rate;
    } rows[] = {
        {"pair_get_small", measure_pair(limit_s, false, small)},
        {"pair_get_16k_blockwise", measure_pair(limit_s, false, dunlin_slice_make(bytes, sizeof bytes))},
        {"stream_get_small", measure_pair(limit_s, true, small)},
        {"stream_get_16k", measure_pair(limit_s, true, dunlin_slice_make(bytes, sizeof bytes))},
        {"pair_put_blocks_in_pieces", measure_pieces(limit_s, true)},
        {"pair_get_blocks_in_pieces", measure_pieces(limit_s, false)},
        {"server_get_1_peer", measure_server(limit_s, 1, small)},
        {"server_get_1000_peers", measure_server(limit_s, 1000, small)},
        {"server_get_100000_peers", measure_server(limit_s, 100000, small)},
    };
    const size_t count = sizeof rows / sizeof rows[0];
    for (size_t i = 0; i < count; i++) {
        if (json) {
            (void)printf("%s\"%s\": %.0f%s", i == 0 ? "{" : ", ", rows[i].name, rows[i].rate,
                         i + 1 == count ? "}\n" : "");
        } else {
            (void)printf("%-26s %10.0f exchanges/s\n", rows[i].name, rows[i].rate);
        }
    }
    return 0;
}
