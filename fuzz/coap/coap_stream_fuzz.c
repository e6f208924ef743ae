/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two engines over a stream (RFC 8323), driven by the input: what the engines' owners do, bytes that arrive in pieces, time,
 * messages that neither end wrote, streams that are released, closed and opened again. Whatever happens: what is sent is a whole
 * message within the sender's limit, a stream ends once, and when both ends are closed nothing is left in any table.
 */
#include "coap/frame.h"
#include "fuzz/coap/world.h"
#include "fuzz/must.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STREAM_MAX 4400
#define HOUR_MS    3600000u

/* What is on its way to a node. */
typedef struct {
    uint8_t *bytes;
    size_t at, len, cap;
    dn_coap_assembler assembler;
    uint8_t memory[STREAM_MAX];
    unsigned ended; /* how often the node was told so */
} way;

/* A world whose messages are on a stream. */
typedef struct {
    world world; /* first, so that one leads to the other */
    uint64_t now_ms;
    way way[2];
    bool broken; /* to be closed and opened again */
} piped;

static uint64_t pipe_now(const world *of)
{
    return ((const piped *)of)->now_ms;
}

static void put(way *to, dunlin_slice bytes)
{
    if (to->len + bytes.len > to->cap) {
        to->cap = (to->len + bytes.len) * 2;
        to->bytes = realloc(to->bytes, to->cap);
        must(to->bytes != NULL);
    }
    memcpy(to->bytes + to->len, bytes.data, bytes.len);
    to->len += bytes.len;
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice message)
{
    node *from = context;
    piped *of = (piped *)from->world;
    size_t to = from == &of->world.node[0];
    dn_coap_message read;
    must(dn_peer_equal(peer, &of->world.node[to].address) && dn_coap_is_open(from->coap, peer));
    must(message.len <= from->coap->config.max_stream_message && of->way[1 - to].ended == 0);
    must(dn_coap_message_read_framed(&read, message) == DUNLIN_OK);
    put(&of->way[to], message);
}

static void on_ended(void *context, const dn_peer *peer, dunlin_status status, dunlin_slice detail)
{
    node *at = context;
    piped *of = (piped *)at->world;
    (void)peer;
    must(detail.len == 0 || detail.data != NULL);
    if (status != DUNLIN_END) {
        must(of->way[at == &of->world.node[1]].ended++ == 0);
        of->broken = true;
    }
}

static void on_close(void *context, const dn_peer *peer)
{
    node *at = context;
    dn_coap_close(at->coap, peer);
    must(!dn_coap_is_open(at->coap, peer));
    ((piped *)at->world)->broken = true;
}

static void join(piped *of)
{
    of->broken = false;
    for (size_t i = 0; i < 2; i++) {
        of->way[i].at = of->way[i].len = of->way[i].assembler.used = 0;
        of->way[i].ended = 0;
    }
    for (size_t i = 0; i < 2; i++) {
        must(dn_coap_open(of->world.node[i].coap, &of->world.node[1 - i].address, of->now_ms) == DUNLIN_OK);
    }
}

static void cut(piped *of)
{
    for (size_t i = 0; i < 2; i++) {
        dn_coap_close(of->world.node[i].coap, &of->world.node[1 - i].address);
        must(!dn_coap_is_open(of->world.node[i].coap, &of->world.node[1 - i].address));
    }
}

static void pass(piped *of, uint64_t ms)
{
    uint64_t until_ms = of->now_ms + ms;
    for (;;) {
        uint64_t first_ms = dn_coap_deadline(of->world.node[0].coap);
        uint64_t second_ms = dn_coap_deadline(of->world.node[1].coap);
        uint64_t next_ms = first_ms < second_ms ? first_ms : second_ms;
        if (next_ms > until_ms) {
            break;
        }
        of->now_ms = next_ms > of->now_ms ? next_ms : of->now_ms;
        dn_coap_expire(of->world.node[first_ms < second_ms ? 0 : 1].coap, of->now_ms);
    }
    of->now_ms = until_ms;
}

typedef struct {
    piped *of;
    size_t to;
} delivery;

static bool on_message(void *context, dunlin_slice message)
{
    const delivery *by = context;
    const world *of = &by->of->world;
    dn_coap_receive(of->node[by->to].coap, &of->node[1 - by->to].address, message, by->of->now_ms);
    return by->of->way[by->to].ended == 0;
}

static void deliver(piped *of, size_t to, size_t most)
{
    way *by = &of->way[to];
    delivery context = {of, to};
    size_t len = by->len - by->at < most ? by->len - by->at : most;
    if (len == 0 || of->broken) {
        return;
    }
    uint8_t *exact = malloc(len);
    must(exact != NULL);
    memcpy(exact, by->bytes + by->at, len);
    by->at += len;
    if (by->at == by->len) {
        by->at = by->len = 0;
    }
    if (dn_coap_assemble(&by->assembler, dunlin_slice_make(exact, len), on_message, &context) != DUNLIN_OK) {
        of->broken = true;
    }
    free(exact);
}

/* A message of the input's making, or, now and then, bytes that are none. */
static void do_inject(piped *of, size_t to, input *in)
{
    uint8_t shape = take(in), code = take(in);
    uint8_t message[40], rest[32], token_len = shape & 3u;
    size_t len = shape >> 3, at = 0;
    if ((shape & 4u) != 0) {
        code = 0xe0u | (code & 7u); /* signalling */
    }
    for (size_t i = 0; i < token_len + len; i++) {
        rest[i % sizeof rest] = take(in);
    }
    len = token_len + len > sizeof rest ? sizeof rest - token_len : len;
    if (len < 13) {
        message[at++] = (uint8_t)(len << 4 | token_len);
    } else {
        message[at++] = (uint8_t)(13u << 4 | token_len);
        message[at++] = (uint8_t)(len - 13);
    }
    message[at++] = code;
    memcpy(message + at, rest, token_len + len);
    at += token_len + len;
    if (code == 0x1f) {
        message[0] ^= 0x3cu;
    }
    put(&of->way[to], dunlin_slice_make(message, at));
}

static void act(piped *of, uint8_t operation, input *in)
{
    size_t index = operation >> 7;
    node *from = &of->world.node[index], *to = &of->world.node[1 - index];
    switch (operation % 13) {
    case 0:
    case 1:
        world_request(&of->world, from, to, in);
        break;
    case 2:
        world_notify(&of->world, from, to, in);
        break;
    case 3:
        pass(of, take(in) * 200u);
        break;
    case 4:
        world_answer(from, in);
        break;
    case 5:
    case 6:
        deliver(of, index, take(in) * 16u + 1u);
        break;
    case 7:
        do_inject(of, index, in);
        break;
    case 8:
        (void)dn_coap_cancel(from->coap, from->last_exchange);
        break;
    case 9:
        dn_coap_forget(from->coap, &to->address);
        break;
    case 10:
        world_ping(&of->world, from, to);
        break;
    case 11:
        (void)dn_coap_release(from->coap, &to->address);
        break;
    default:
        of->broken = true;
        break;
    }
}

static void open_ends(piped *of, uint8_t shape, uint8_t sizes)
{
    static const uint32_t largest[] = {1152, 1300, 2300, STREAM_MAX};
    dn_coap_config config = dn_coap_config_default();
    config.exchanges = 1 + (shape & 7u);
    config.transfers = shape >> 6;
    config.peers = 1;
    config.connections = 1;
    config.dedup_slots = 1;
    config.block_szx = 3 + (shape >> 3 & 3u);
    config.max_message = 1152;
    for (size_t i = 0; i < 2; i++) {
        config.max_stream_message = largest[sizes >> (2 * i) & 3u];
        config.max_body = (sizes >> (4 + i) & 1u) != 0 ? 3000 : 1024;
        of->world.node[i].address = (dn_peer){2, {DN_TRANSPORT_TCP << 4, (uint8_t)i}};
        of->way[i].assembler = (dn_coap_assembler){of->way[i].memory, config.max_stream_message, 0};
        world_open_node(&of->world, i, &config);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    piped *of = calloc(1, sizeof *of);
    must(of != NULL);
    of->world.now = pipe_now;
    of->world.send = on_send;
    of->world.ended = on_ended;
    of->world.close = on_close;
    of->world.largest_block = STREAM_MAX;
    of->world.scale = 12;
    of->world.may_forget = true;
    of->now_ms = 1000;
    uint8_t shape = take(&in);
    open_ends(of, shape, take(&in));
    join(of);
    while (in.left > 0) {
        act(of, take(&in), &in);
        if (of->broken) {
            cut(of);
            join(of);
        }
    }
    for (int i = 0; i < 1000 && !of->broken && of->way[0].len + of->way[1].len > 0; i++) {
        deliver(of, 0, SIZE_MAX);
        deliver(of, 1, SIZE_MAX);
    }
    cut(of);
    pass(of, 30u * HOUR_MS);
    world_check_empty(&of->world);
    for (size_t i = 0; i < 2; i++) {
        world_close_node(&of->world.node[i]);
        free(of->way[i].bytes);
    }
    free(of);
    return 0;
}
