/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two small engines over a bad link, driven by the input: requests both ways, bodies from sources, to sinks
 * and in pieces, notifications, late answers, cancelling, forgetting, time, loss, and datagrams replayed with
 * changes. Whatever happens: each request ends exactly once, pieces come in order and end exactly once, and
 * when time has passed and the link is good again, nothing is left in any table.
 */
#include "bearer/simlink.h"
#include "fuzz/coap/world.h"
#include "fuzz/must.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CAPTURES 16

/* A world whose messages are datagrams. */
typedef struct {
    world world; /* first, so that one leads to the other */
    dn_simlink *link;
    struct {
        size_t len;
        int to;
        uint8_t bytes[256];
    } captures[CAPTURES];
    size_t capture_count;
} network;

static network *network_of(world *of)
{
    return (network *)of;
}

static uint64_t link_now(const world *of)
{
    return dn_simlink_now(((const network *)of)->link);
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    node *from = context;
    must(datagram.len >= 4 && datagram.len <= from->coap->config.max_message);
    dn_coap_message message;
    must(dn_coap_message_read(&message, datagram) == DUNLIN_OK); /* what we send is sound */
    dn_simlink_send(network_of(from->world)->link, &from->address, peer, datagram);
}

static void on_receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms)
{
    dn_coap_receive(((node *)context)->coap, from, datagram, now_ms);
}

static uint64_t on_deadline(void *context)
{
    return dn_coap_deadline(((node *)context)->coap);
}

static void on_expire(void *context, uint64_t now_ms)
{
    dn_coap_expire(((node *)context)->coap, now_ms);
}

static void capture(void *context, uint64_t now_ms, const dn_peer *from, const dn_peer *to, uint64_t number,
                    dunlin_slice datagram, dn_simlink_fate fate)
{
    network *of = context;
    size_t at = of->capture_count++ % CAPTURES;
    (void)now_ms;
    (void)from;
    (void)number;
    (void)fate;
    of->captures[at].len =
        datagram.len < sizeof of->captures[at].bytes ? datagram.len : sizeof of->captures[at].bytes;
    of->captures[at].to = dn_peer_equal(to, &of->world.node[1].address);
    memcpy(of->captures[at].bytes, datagram.data, of->captures[at].len);
}

static void attach(network *of, size_t index, const dn_coap_config *config)
{
    node *made = &of->world.node[index];
    dn_simlink_endpoint endpoint = {on_receive, on_deadline, on_expire, made};
    world_open_node(&of->world, index, config);
    must(dn_simlink_attach(of->link, &endpoint, &made->address) == DUNLIN_OK);
}

/* Sends a captured datagram again, with bytes changed, cut or added. */
static void do_replay(network *of, input *in)
{
    uint8_t which = take(in), changes = take(in);
    if (of->capture_count == 0) {
        return;
    }
    size_t count = of->capture_count < CAPTURES ? of->capture_count : CAPTURES;
    uint8_t bytes[256];
    size_t index = which % count, len = of->captures[index].len;
    int to = (which & 0x80) != 0 ? 1 - of->captures[index].to : of->captures[index].to;
    memcpy(bytes, of->captures[index].bytes, len);
    for (unsigned i = 0; i < (changes & 3u); i++) {
        uint8_t at = take(in);
        bytes[at % sizeof bytes] = take(in);
    }
    if ((changes & 4u) != 0) {
        len = take(in);
    }
    dn_simlink_send(of->link, &of->world.node[1 - to].address, &of->world.node[to].address,
                    dunlin_slice_make(bytes, len));
}

static void do_rules(network *of, input *in)
{
    uint8_t loss = take(in), more = take(in);
    dn_simlink_rules rules = {.loss_permille = loss % 128u * 4u,
                              .duplicate_permille = (more & 15u) * 20u,
                              .reorder_permille = (more >> 4) * 20u,
                              .delay_max_ms = loss * 8u};
    dn_simlink_rule(of->link, &rules);
}

static void step(network *of, input *in)
{
    uint8_t operation = take(in);
    node *from = &of->world.node[operation >> 7], *to = &of->world.node[1 - (operation >> 7)];
    switch (operation % 10) {
    case 0:
    case 1:
        world_request(&of->world, from, to, in);
        break;
    case 2:
        world_notify(&of->world, from, to, in);
        break;
    case 3:
        (void)dn_simlink_run(of->link, dn_simlink_now(of->link) + take(in) * 200u, NULL, NULL);
        break;
    case 4:
        world_answer(from, in);
        break;
    case 5:
        do_replay(of, in);
        break;
    case 6:
        do_rules(of, in);
        break;
    case 7:
        (void)dn_coap_cancel(from->coap, from->last_exchange);
        break;
    case 8:
        dn_coap_forget(from->coap, &to->address);
        break;
    default:
        world_ping(&of->world, from, to);
        break;
    }
}

static void finish(network *of)
{
    static const dn_simlink_rules good;
    dn_simlink_rule(of->link, &good);
    for (int hour = 0; hour < 30; hour++) {
        (void)dn_simlink_run(of->link, dn_simlink_now(of->link) + 3600000u, NULL, NULL);
        for (size_t i = 0; i < 2; i++) {
            dn_coap_expire(of->world.node[i].coap, dn_simlink_now(of->link));
        }
    }
    world_check_empty(&of->world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    network *of = calloc(1, sizeof *of);
    uint8_t shape = take(&in);
    dn_coap_config config = dn_coap_config_default();
    config.exchanges = 1 + (shape & 7u);
    config.transfers = shape >> 6;
    config.nstart = 1 + (shape >> 5 & 1u);
    config.peers = (shape & 7u) == 5; /* there is but one, so it is enough */
    config.dedup_slots = 8;
    config.dedup_per_peer = 6;
    config.dedup_reply_max = 32;
    config.block_szx = shape >> 3 & 3u;
    config.max_message = 240;
    config.max_body = 400;
    must(of != NULL);
    of->link = dn_simlink_create(shape, 1000);
    must(of->link != NULL);
    of->world.now = link_now;
    of->world.send = on_send;
    of->world.largest_block = 1024;
    of->world.scale = 2;
    of->world.may_forget = true;
    attach(of, 0, &config);
    attach(of, 1, &config);
    dn_simlink_watch(of->link, capture, of);
    while (in.left > 0) {
        step(of, &in);
    }
    finish(of);
    world_close_node(&of->world.node[0]);
    world_close_node(&of->world.node[1]);
    dn_simlink_destroy(of->link);
    free(of);
    return 0;
}
