/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends and a queue between them. */
#include "security/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define QUEUE_MAX 64
#define BYTES_MAX 1500

typedef struct {
    bool to_server;
    size_t len;
    uint8_t bytes[BYTES_MAX];
} item;

typedef struct pair pair;

typedef struct {
    pair *owner;
    bool is_server;
} end;

struct pair {
    dn_tls_context *server_context;
    dn_tls_session *server, *client;
    uint8_t cookie_key[DN_TLS_COOKIE_KEY];
    size_t first, last; /* of the queue */
    item queue[QUEUE_MAX];
    end ends[2];
    bool timed;
    uint64_t spent_ns[2]; /* timed: by the client, by the server */
};

static const uint8_t address[] = {4, 127, 0, 0, 1, 0x16, 0x34};

static void send_to(pair *p, bool to_server, dunlin_slice bytes)
{
    item *at = &p->queue[p->last++ % QUEUE_MAX];
    if (p->last - p->first > QUEUE_MAX || bytes.len > BYTES_MAX) {
        fprintf(stderr, "security_bench: a handshake of too many or too long datagrams\n");
        exit(1);
    }
    at->to_server = to_server;
    at->len = bytes.len;
    memcpy(at->bytes, bytes.data, bytes.len);
}

static void output(void *context, dunlin_slice bytes)
{
    const end *from = context;
    send_to(from->owner, !from->is_server, bytes);
}

static void input(void *context, dunlin_slice plain)
{
    (void)context;
    (void)plain;
}

static dn_tls_opening opening(pair *p, bool is_server, dunlin_slice hello)
{
    return (dn_tls_opening){.datagram = true,
                            .peer = dunlin_slice_make(address, sizeof address),
                            .hello = hello,
                            .call = {output, input, &p->ends[is_server]}};
}

static void first_contact(pair *p, dunlin_slice datagram)
{
    uint8_t answer[256];
    size_t len;
    switch (dn_tls_cookie_check(p->cookie_key, dunlin_slice_make(address, sizeof address), datagram, answer,
                                sizeof answer, &len)) {
    case DN_TLS_COOKIE_CHALLENGE:
        send_to(p, false, dunlin_slice_make(answer, len));
        break;
    case DN_TLS_COOKIE_GENUINE: {
        const dn_tls_opening begin = opening(p, true, datagram);
        p->server = dn_tls_open(p->server_context, &begin, 1);
        break;
    }
    default:
        break;
    }
}

/* This thread's processor time, so that what others do at the same time is nobody's. */
static uint64_t used_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

static uint64_t begin_turn(const pair *p)
{
    return p->timed ? used_ns() : 0;
}

static void end_turn(pair *p, bool is_server, uint64_t begun_ns)
{
    if (p->timed) {
        p->spent_ns[is_server] += used_ns() - begun_ns;
    }
}

static void deliver(pair *p)
{
    const item at = p->queue[p->first++ % QUEUE_MAX];
    const dunlin_slice bytes = dunlin_slice_make(at.bytes, at.len);
    const uint64_t begun_ns = begin_turn(p);
    if (!at.to_server) {
        if (p->client != NULL) { /* else it has left */
            dn_tls_receive(p->client, bytes, 1);
        }
    } else if (p->server != NULL) {
        dn_tls_receive(p->server, bytes, 1);
    } else {
        first_contact(p, bytes);
    }
    end_turn(p, at.to_server, begun_ns);
}

static void shake_hands(pair *p, dn_tls_context *client)
{
    const dn_tls_opening begin = opening(p, false, dunlin_slice_make(NULL, 0));
    uint64_t begun_ns = begin_turn(p);
    p->client = dn_tls_open(client, &begin, 1);
    end_turn(p, false, begun_ns);
    while (p->client != NULL && p->first < p->last) {
        deliver(p);
    }
    if (p->client == NULL || p->server == NULL || dn_tls_state_of(p->client) != DN_TLS_OPEN ||
        dn_tls_state_of(p->server) != DN_TLS_OPEN) {
        fprintf(stderr, "security_bench: a handshake in memory failed: %s\n",
                p->client != NULL ? dn_tls_ending_of(p->client)->why : "no memory");
        exit(1);
    }
    begun_ns = begin_turn(p);
    dn_tls_close(p->client, 1);
    dn_tls_free(p->client);
    end_turn(p, false, begun_ns);
    p->client = NULL;
    while (p->first < p->last) {
        deliver(p);
    }
    begun_ns = begin_turn(p);
    dn_tls_free(p->server);
    end_turn(p, true, begun_ns);
    p->client = p->server = NULL;
}

double pair_cpu_us(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static pair *make(dn_tls_context *server)
{
    pair *p = calloc(1, sizeof *p);
    if (p == NULL) {
        exit(1);
    }
    p->server_context = server;
    p->ends[0] = (end){p, false};
    p->ends[1] = (end){p, true};
    return p;
}

double pair_handshake_us(dn_tls_context *server, dn_tls_context *client, uint32_t count)
{
    pair *p = make(server);
    shake_hands(p, client);
    double start = pair_cpu_us();
    for (uint32_t i = 0; i < count; i++) {
        shake_hands(p, client);
    }
    double used = pair_cpu_us() - start;
    free(p);
    return used / count;
}

double pair_server_share(dn_tls_context *server, dn_tls_context *client, uint32_t count)
{
    pair *p = make(server);
    shake_hands(p, client);
    p->timed = true;
    for (uint32_t i = 0; i < count; i++) {
        shake_hands(p, client);
    }
    double share = (double)p->spent_ns[1] / (double)(p->spent_ns[0] + p->spent_ns[1]);
    free(p);
    return share;
}
