/* SPDX-License-Identifier: Apache-2.0 */
/* Our device on UDP. Each case gets a new one. */
#include "ets/target.h"

#include "ets/udp_side.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLACK_MS     1500u
#define STOP_MS      5000u
#define HOST_MAX     255u
#define DATAGRAM_MAX 2048u
#define COAP_PORT    5683u
#define SCHEME       "coap://"
#define SPOOF_MID    0x4554u

struct dn_ets_target {
    dn_ets_world world;
    dn_ets_udp_side udp;
    const char *uris[DN_ETS_SERVERS_MAX];
    dn_peer servers[DN_ETS_SERVERS_MAX];
    dn_peer self; /* only a name in the trace */
    uint16_t spoofs;
    bool cut;
};

static bool same(const dn_peer *a, const dn_peer *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static unsigned number_of(const dn_ets_target *t, const dn_peer *peer)
{
    return t->world.servers > 1 && same(peer, &t->servers[1]) ? 1 : 0;
}

static uint64_t now_ms(void *context)
{
    (void)context;
    return dn_ets_clock_ms();
}

/* ---- the device's surroundings ---- */

static void device_send(void *context, const dunlin_peer *peer, dunlin_slice datagram)
{
    dn_ets_target *t = context;
    dn_peer to = {.len = peer->len};
    memcpy(to.bytes, peer->bytes, sizeof to.bytes);
    if (!t->cut) {
        dn_ets_trace_add(&t->world.trace, dn_ets_clock_ms(), false, number_of(t, &to), &t->self, false,
                         datagram);
        dn_ets_udp_side_send(&t->udp, &to, datagram);
    }
}

static dunlin_status device_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    dn_ets_target *t = context;
    for (size_t i = 0; i < t->world.servers; i++) {
        if (strcmp(uri, t->uris[i]) == 0) {
            *peer = (dunlin_peer){.len = t->servers[i].len};
            memcpy(peer->bytes, t->servers[i].bytes, sizeof peer->bytes);
            return DUNLIN_OK;
        }
    }
    return DUNLIN_ERR_NOT_FOUND;
}

static int64_t device_wall(void *context)
{
    (void)context;
    return dn_ets_wall_ms() / 1000;
}

static void on_datagram(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    dn_ets_target *t = context;
    dunlin_peer from = {.len = peer->len};
    memcpy(from.bytes, peer->bytes, sizeof from.bytes);
    if (!t->cut && t->world.device != NULL) {
        dn_ets_trace_add(&t->world.trace, dn_ets_clock_ms(), true, number_of(t, peer), &t->self, false,
                         datagram);
        dn_ets_device_receive(t->world.device, &from, datagram, dn_ets_clock_ms());
    }
}

/* ---- as a world ---- */

static void turn(void *context, uint64_t until_ms)
{
    dn_ets_target *t = context;
    const uint64_t due_ms = dn_ets_device_deadline(t->world.device);
    dn_ets_udp_side_wait(&t->udp, due_ms < until_ms ? due_ms : until_ms, on_datagram, t);
    if (dn_ets_device_deadline(t->world.device) <= dn_ets_clock_ms()) {
        dn_ets_device_step(t->world.device, dn_ets_clock_ms());
    }
}

static bool begin(void *context, const dn_ets_setup *setup)
{
    dn_ets_target *t = context;
    const dn_ets_surroundings around = {.send = device_send,
                                        .resolve = device_resolve,
                                        .wall_s = device_wall,
                                        .context = t,
                                        .random = dn_ets_entropy(),
                                        .uris = {t->uris[0], t->uris[1]}};
    t->cut = false;
    t->world.device =
        dn_ets_device_create(setup, &around, dn_ets_clock_ms(), t->world.error, sizeof t->world.error);
    return t->world.device != NULL;
}

static bool has_stopped(void *context)
{
    dn_ets_target *t = context;
    return dunlin_client_stopped(dn_ets_device_client(t->world.device));
}

static void end(void *context)
{
    dn_ets_target *t = context;
    if (t->world.device != NULL) {
        t->cut = false;
        dunlin_client_stop(dn_ets_device_client(t->world.device), dn_ets_clock_ms());
        (void)dn_ets_world_run(&t->world, STOP_MS, has_stopped, t);
        dn_ets_device_destroy(t->world.device);
        t->world.device = NULL;
    }
    dn_ets_trace_clear(&t->world.trace);
}

/* From the device's own address, but behind its library's back; the answer is one that it does not know. */
static void leave(void *context, unsigned number, const dn_ets_registration *registration)
{
    dn_ets_target *t = context;
    uint8_t bytes[DATAGRAM_MAX];
    dn_coap_writer writer;
    const dn_coap_token token = {.len = 8, .bytes = {'e', 't', 's', 's', 'p', 'o', 'o', 'f'}};
    dn_coap_write_header(&writer, bytes, sizeof bytes, DN_COAP_NON, DN_COAP_DELETE,
                         (uint16_t)(SPOOF_MID + t->spoofs++), &token);
    for (const char *at = registration->location; *at == '/';) {
        const size_t len = strcspn(at + 1, "/");
        dn_coap_write_option(&writer, DN_OPTION_URI_PATH, dunlin_slice_make(at + 1, len));
        at += len + 1;
    }
    dn_ets_udp_side_send(&t->udp, &t->servers[number], dunlin_slice_make(bytes, writer.len));
}

static void cut_link(void *context, bool cut)
{
    ((dn_ets_target *)context)->cut = cut;
}

/* "coap://host:port", "coap://[::1]:5683". */
static bool resolve(const char *uri, int family, dn_peer *peer)
{
    char host[HOST_MAX + 1];
    if (strncmp(uri, SCHEME, sizeof SCHEME - 1) != 0) {
        return false;
    }
    const char *at = uri + sizeof SCHEME - 1;
    const bool bracket = *at == '[';
    const char *stop = bracket ? strchr(at, ']') : at + strcspn(at, ":/");
    if (stop == NULL || (size_t)(stop - at) > HOST_MAX) {
        return false;
    }
    (void)snprintf(host, sizeof host, "%.*s", (int)(stop - at - bracket), at + bracket);
    stop += bracket;
    const unsigned long port = *stop == ':' ? strtoul(stop + 1, NULL, 10) : COAP_PORT;
    return port > 0 && port <= UINT16_MAX && dn_udp_resolve(host, (uint16_t)port, family, peer) == DUNLIN_OK;
}

dn_ets_target *dn_ets_target_create(const char *const *uris, const dn_ets_operator *const *operators,
                                    size_t count, char *error, size_t error_size)
{
    dn_ets_target *t = calloc(1, sizeof *t);
    (void)snprintf(error, error_size, "no memory");
    if (t == NULL) {
        return NULL;
    }
    t->self.len = 1;
    t->world = (dn_ets_world){.setting = "server",
                              .context = t,
                              .slack_ms = SLACK_MS,
                              .now_ms = now_ms,
                              .turn = turn,
                              .begin = begin,
                              .end = end,
                              .leave = leave,
                              .cut = cut_link};
    for (size_t i = 0; i < count && i < DN_ETS_SERVERS_MAX; i++) {
        t->uris[i] = uris[i];
        t->world.operators[i] = operators[i];
        t->world.servers = i + 1;
        if (!resolve(uris[i], 0, &t->servers[i])) {
            (void)snprintf(error, error_size, "%s is no address of a server", uris[i]);
            dn_ets_target_destroy(t);
            return NULL;
        }
    }
    const char *any = dn_udp_peer_family(&t->servers[0]) == 6 ? "[::]:0" : "0.0.0.0:0";
    if (!dn_ets_udp_side_open(&t->udp, any, 0, error, error_size)) {
        dn_ets_target_destroy(t);
        return NULL;
    }
    return t;
}

void dn_ets_target_destroy(dn_ets_target *target)
{
    if (target != NULL) {
        dn_ets_udp_side_close(&target->udp);
        dn_ets_trace_clear(&target->world.trace);
        free(target);
    }
}

dn_ets_world *dn_ets_target_world(dn_ets_target *target)
{
    return &target->world;
}
