/* SPDX-License-Identifier: Apache-2.0 */
/* One epoll loop for the callers' connections and the devices' socket. */
#include "fleet/reads.h"

#include "fleet/http.h"
#include "fleet/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MAX 64
#define WAIT_MS    20000
#define OF_DEVICES UINT32_MAX

/* What a caller has asked and not heard yet, in order. */
typedef struct {
    uint32_t device;
    uint64_t sent_ns;
} question;

typedef struct {
    http_connection http;
    question questions[READS_PIPELINE_MAX]; /* a ring */
    uint32_t first, count;
} caller;

typedef struct {
    endpoint *endpoint;
    devices *devices;
    caller *callers;
    uint32_t pipeline;
    uint64_t started, total;
    stats *stats;
} reads;

static void answer_one(endpoint *e, unsigned i)
{
    char name[DEVICE_NAME_MAX];
    wire_message request;
    uint32_t index = endpoint_device(e, i);
    if (!wire_read(e->in.bytes[i], e->in.messages[i].msg_len, &request)) {
        fprintf(stderr, "device %u got what is no CoAP message\n", index);
        exit(1);
    }
    if (request.code != WIRE_GET) {
        return; /* the acknowledgement of an answer, or a late answer to a request of the device's */
    }
    devices_name(index, name);
    size_t len = wire_serial(endpoint_next(e), &request, devices_serial(name), DEVICE_SERIAL_LEN);
    if (len == 0) {
        fprintf(stderr, "the server asks for content format %u, which no device here has\n", request.accept);
        exit(1);
    }
    endpoint_send(e, len, index, &e->in.peers[i]);
}

unsigned reads_answer(endpoint *e, bool wait)
{
    unsigned count = endpoint_receive(e, wait);
    for (unsigned i = 0; i < count; i++) {
        answer_one(e, i);
    }
    endpoint_flush(e);
    return count;
}

/* Fills the pipeline again once it is half empty, so that several requests leave together. */
static void ask(reads *r, caller *c)
{
    char name[DEVICE_NAME_MAX];
    char path[128];
    if (c->count > r->pipeline / 2) {
        return;
    }
    uint64_t now = stats_now_ns();
    while (c->count < r->pipeline && r->started < r->total) {
        question *q = &c->questions[(c->first + c->count++) % READS_PIPELINE_MAX];
        q->sent_ns = now;
        if (r->devices == NULL) {
            snprintf(path, sizeof path, "/healthz");
        } else {
            q->device = r->devices->order[r->started % r->devices->count];
            devices_name(q->device, name);
            snprintf(path, sizeof path, "/api/v1/clients/%s" WIRE_SERIAL_PATH, name);
        }
        r->started++;
        if (!http_get(&c->http, path)) {
            fprintf(stderr, "the pipeline is too long\n");
            exit(1);
        }
    }
    if (!http_flush(&c->http)) {
        fprintf(stderr, "an HTTP connection broke\n");
        exit(1);
    }
}

static bool is_right(const reads *r, const http_connection *http, uint32_t device_index)
{
    char name[DEVICE_NAME_MAX];
    char value[DEVICE_SERIAL_LEN + 16];
    if (http->status != 200 || r->devices == NULL) {
        return http->status == 200;
    }
    devices_name(device_index, name);
    int len = snprintf(value, sizeof value, "\"%s\"", devices_serial(name));
    return memmem(http->body, http->body_len, value, (size_t)len) != NULL;
}

static void check(reads *r, caller *c)
{
    const question *q = &c->questions[c->first];
    if (!is_right(r, &c->http, q->device)) {
        fprintf(stderr, "reading " WIRE_SERIAL_PATH " of device %u: status %d: %.*s\n", q->device,
                c->http.status, (int)c->http.body_len, c->http.body);
        exit(1);
    }
    stats_done(r->stats, q->sent_ns);
    c->first = (c->first + 1) % READS_PIPELINE_MAX;
    c->count--;
}

static void hear(reads *r, caller *c)
{
    bool well = http_receive(&c->http);
    http_progress progress = HTTP_DONE;
    while (well && c->count > 0 && (progress = http_take(&c->http)) == HTTP_DONE) {
        check(r, c);
    }
    if (!well || progress == HTTP_BROKEN) {
        fprintf(stderr, "an HTTP connection broke after %llu reads\n", (unsigned long long)r->stats->done);
        exit(1);
    }
    ask(r, c);
}

static void watch(int epoll, int fd, uint32_t place)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = place};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        perror("epoll_ctl");
        exit(1);
    }
}

/* Without an endpoint only the callers' part is played. */
static void run(reads *r, const struct sockaddr_in *http, uint32_t connections)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    uint64_t end = r->stats->done + r->total;
    r->callers = calloc(connections, sizeof *r->callers);
    if (r->callers == NULL || epoll < 0) {
        perror("reads");
        exit(1);
    }
    if (r->endpoint != NULL) {
        watch(epoll, r->endpoint->fd, OF_DEVICES);
    }
    for (uint32_t i = 0; i < connections; i++) {
        http_open(&r->callers[i].http, http);
        watch(epoll, r->callers[i].http.fd, i);
    }
    stats_resume(r->stats);
    for (uint32_t i = 0; i < connections && r->started < r->total; i++) {
        ask(r, &r->callers[i]);
    }
    while (r->stats->done < end) {
        struct epoll_event events[EVENTS_MAX];
        int n = epoll_wait(epoll, events, EVENTS_MAX, WAIT_MS);
        if (n == 0) {
            fprintf(stderr, "no read was answered for 20 s after %llu\n", (unsigned long long)r->stats->done);
            exit(1);
        }
        for (int i = 0; i < n; i++) {
            if (events[i].data.u32 == OF_DEVICES) {
                reads_answer(r->endpoint, false);
            } else {
                hear(r, &r->callers[events[i].data.u32]);
            }
        }
    }
    stats_pause(r->stats);
    for (uint32_t i = 0; i < connections; i++) {
        http_close(&r->callers[i].http);
    }
    close(epoll);
    free(r->callers);
}

void reads_run(endpoint *e, devices *d, const struct sockaddr_in *http, uint32_t connections,
               uint32_t pipeline, uint64_t total, stats *out)
{
    reads r = {.endpoint = e, .devices = d, .pipeline = pipeline, .total = total, .stats = out};
    devices_shuffle(d);
    run(&r, http, connections);
}

void reads_run_http_alone(const struct sockaddr_in *http, uint32_t connections, uint32_t pipeline,
                          uint64_t total, stats *out)
{
    reads r = {.pipeline = pipeline, .total = total, .stats = out};
    run(&r, http, connections);
}
