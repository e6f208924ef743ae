/* SPDX-License-Identifier: Apache-2.0 */
/* Our server on UDP. Its registrations outlive a case, for a foreign device registers when it likes. */
#include "ets/listen.h"

#include "ets/shard_side.h"
#include "ets/udp_side.h"

#include <stdio.h>
#include <stdlib.h>

#define SLACK_MS 1500u

typedef struct {
    dn_ets_listen *listen;
    unsigned number;
    dn_ets_udp_side udp;
    dn_ets_shard_side *side;
} server;

struct dn_ets_listen {
    dn_ets_world world;
    server servers[DN_ETS_SERVERS_MAX];
};

static void peer_text(const dn_peer *peer, char *out, size_t size)
{
    char text[DN_UDP_TEXT_MAX];
    (void)snprintf(out, size, "%s", dn_udp_peer_text(peer, text));
}

static uint64_t clock_ms(void *context)
{
    (void)context;
    return dn_ets_clock_ms();
}

static int64_t wall_ms(void *context)
{
    (void)context;
    return dn_ets_wall_ms();
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    server *s = context;
    dn_ets_trace_add(&s->listen->world.trace, dn_ets_clock_ms(), true, s->number, peer, false, datagram);
    dn_ets_udp_side_send(&s->udp, peer, datagram);
}

static void on_datagram(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    server *s = context;
    dn_ets_trace_add(&s->listen->world.trace, dn_ets_clock_ms(), false, s->number, peer, false, datagram);
    dn_ets_shard_side_receive(s->side, peer, datagram);
}

static void turn(void *context, uint64_t until_ms)
{
    dn_ets_listen *l = context;
    for (size_t i = 0; i < l->world.servers; i++) {
        server *s = &l->servers[i];
        const uint64_t due_ms = dn_ets_shard_side_deadline(s->side);
        /* With two sockets each waits only for a moment. */
        uint64_t wait_ms = due_ms < until_ms ? due_ms : until_ms;
        wait_ms = i + 1 < l->world.servers ? 0 : wait_ms;
        dn_ets_udp_side_wait(&s->udp, wait_ms, on_datagram, s);
        if (dn_ets_shard_side_deadline(s->side) <= dn_ets_clock_ms()) {
            dn_ets_shard_side_expire(s->side);
        }
        if (dn_ets_shard_side_failed(s->side)) {
            l->world.failed = true;
            (void)snprintf(l->world.error, sizeof l->world.error, "the server's store failed");
        }
    }
}

static bool begin(void *context, const dn_ets_setup *setup)
{
    dn_ets_listen *l = context;
    (void)setup;
    for (size_t i = 0; i < l->world.servers; i++) {
        dn_ets_shard_side_begin(l->servers[i].side);
    }
    return true;
}

static void end(void *context)
{
    (void)context;
}

static void leave(void *context, unsigned number, const dn_ets_registration *registration)
{
    dn_ets_listen *l = context;
    dn_ets_shard_side_leave(l->servers[number].side, registration);
}

static bool offer(void *context, dunlin_slice package, char *uri, size_t size)
{
    dn_ets_listen *l = context;
    char path[64];
    if (!dn_ets_shard_side_offer(l->servers[0].side, package, path, sizeof path)) {
        return false;
    }
    return snprintf(uri, size, "coap://%s%s", l->servers[0].udp.udp.text, path) < (int)size;
}

static bool open_server(dn_ets_listen *l, unsigned number, const char *address, char *error,
                        size_t error_size)
{
    server *s = &l->servers[number];
    *s = (server){.listen = l, .number = number};
    if (!dn_ets_udp_side_open(&s->udp, address, DN_UDP_LOCAL, error, error_size)) {
        return false;
    }
    const dn_ets_shard_config config = {.send = on_send,
                                        .clock_ms = clock_ms,
                                        .wall_ms = wall_ms,
                                        .context = s,
                                        .peer_text = peer_text,
                                        .same_host = dn_udp_same_host,
                                        .random = dn_ets_entropy()};
    s->side = dn_ets_shard_side_create(&config, error, error_size);
    if (s->side == NULL) {
        return false;
    }
    l->world.operators[number] = dn_ets_shard_side_operator(s->side);
    l->world.servers = number + 1;
    return true;
}

dn_ets_listen *dn_ets_listen_create(const char *const *addresses, size_t count, const char *endpoint,
                                    char *error, size_t error_size)
{
    dn_ets_listen *l = calloc(1, sizeof *l);
    (void)snprintf(error, error_size, "no memory");
    if (l == NULL) {
        return NULL;
    }
    l->world = (dn_ets_world){.setting = "client",
                              .context = l,
                              .endpoint = endpoint,
                              .slack_ms = SLACK_MS,
                              .now_ms = clock_ms,
                              .turn = turn,
                              .begin = begin,
                              .end = end,
                              .leave = leave,
                              .offer = offer};
    for (unsigned i = 0; i < count; i++) {
        if (i >= DN_ETS_SERVERS_MAX || !open_server(l, i, addresses[i], error, error_size)) {
            dn_ets_listen_destroy(l);
            return NULL;
        }
    }
    return l;
}

void dn_ets_listen_destroy(dn_ets_listen *listen)
{
    if (listen == NULL) {
        return;
    }
    for (size_t i = 0; i < DN_ETS_SERVERS_MAX; i++) {
        dn_ets_shard_side_destroy(listen->servers[i].side);
        dn_ets_udp_side_close(&listen->servers[i].udp);
    }
    dn_ets_trace_clear(&listen->world.trace);
    free(listen);
}

dn_ets_world *dn_ets_listen_world(dn_ets_listen *listen)
{
    return &listen->world;
}

const char *dn_ets_listen_address(const dn_ets_listen *listen, size_t index)
{
    return listen->servers[index].udp.udp.text;
}
