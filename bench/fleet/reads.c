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

typedef struct {
    http_connection http;
    uint32_t device;
    uint64_t sent_ns;
} caller;

typedef struct {
    endpoint *endpoint;
    devices *devices;
    caller *callers;
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

static void ask(reads *r, caller *c)
{
    char name[DEVICE_NAME_MAX];
    char path[128];
    uint32_t at = (uint32_t)(r->started++ % r->devices->count);
    c->device = r->devices->order[at];
    devices_name(c->device, name);
    snprintf(path, sizeof path, "/api/v1/clients/%s" WIRE_SERIAL_PATH, name);
    c->sent_ns = stats_now_ns();
    if (!http_get(&c->http, path)) {
        fprintf(stderr, "an HTTP connection broke\n");
        exit(1);
    }
}

static void hear(reads *r, caller *c)
{
    char name[DEVICE_NAME_MAX];
    char value[DEVICE_SERIAL_LEN + 16];
    http_progress progress = http_read(&c->http);
    if (progress == HTTP_MORE) {
        return;
    }
    devices_name(c->device, name);
    snprintf(value, sizeof value, "\"%s\"", devices_serial(name));
    if (progress == HTTP_BROKEN || c->http.status != 200 || strstr(http_body(&c->http), value) == NULL) {
        fprintf(stderr, "reading " WIRE_SERIAL_PATH " of %s: status %d: %s\n", name, c->http.status,
                progress == HTTP_BROKEN ? "the connection broke" : http_body(&c->http));
        exit(1);
    }
    stats_done(r->stats, c->sent_ns);
    if (r->started < r->total) {
        ask(r, c);
    }
}

static void watch(int epoll, int fd, uint32_t place)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = place};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        perror("epoll_ctl");
        exit(1);
    }
}

void reads_run(endpoint *e, devices *d, const struct sockaddr_in *http, uint32_t connections, uint64_t total,
               stats *out)
{
    reads r = {.endpoint = e, .devices = d, .total = total, .stats = out};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    r.callers = calloc(connections, sizeof *r.callers);
    if (r.callers == NULL || epoll < 0) {
        perror("reads");
        exit(1);
    }
    devices_shuffle(d);
    watch(epoll, e->fd, OF_DEVICES);
    for (uint32_t i = 0; i < connections; i++) {
        http_open(&r.callers[i].http, http);
        watch(epoll, r.callers[i].http.fd, i);
    }
    uint64_t end = out->done + total;
    stats_resume(out);
    for (uint32_t i = 0; i < connections && r.started < total; i++) {
        ask(&r, &r.callers[i]);
    }
    while (out->done < end) {
        struct epoll_event events[EVENTS_MAX];
        int n = epoll_wait(epoll, events, EVENTS_MAX, WAIT_MS);
        if (n == 0) {
            fprintf(stderr, "no read was answered for 20 s after %llu\n", (unsigned long long)out->done);
            exit(1);
        }
        for (int i = 0; i < n; i++) {
            if (events[i].data.u32 == OF_DEVICES) {
                reads_answer(e, false);
            } else {
                hear(&r, &r.callers[events[i].data.u32]);
            }
        }
    }
    stats_pause(out);
    for (uint32_t i = 0; i < connections; i++) {
        http_close(&r.callers[i].http);
    }
    close(epoll);
    free(r.callers);
}
