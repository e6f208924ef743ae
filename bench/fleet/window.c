/* SPDX-License-Identifier: Apache-2.0 */
/* The closed loop of requests from devices. */
#include "fleet/window.h"

#include "fleet/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPEAT_NS  2000000000u /* like CoAP's first time-out */
#define GIVE_UP_NS 20000000000u

typedef struct {
    bool used;
    uint32_t device;
    uint16_t message_id;
    uint32_t
        salt; /* in the token, so that an answer to an earlier use of this place is not taken for one to this */
    uint64_t first_ns, sent_ns;
} flight;

typedef struct {
    window_kind kind;
    endpoint *endpoint;
    devices *devices;
    const struct sockaddr_in *server;
    uint32_t in_flight;
    flight *flights;
    uint32_t *free; /* stack of places */
    uint32_t free_count;
    uint64_t started, total;
    stats *stats;
} window;

static uint64_t token_of(const window *w, uint32_t place)
{
    return (uint64_t)w->flights[place].salt << 32 | place;
}

static size_t build(const window *w, uint8_t *out, uint32_t place)
{
    const flight *f = &w->flights[place];
    const device *d = &w->devices->list[f->device];
    char name[DEVICE_NAME_MAX];
    if (w->kind == WINDOW_ECHO_REGISTER || w->kind == WINDOW_REGISTER) {
        size_t len = devices_name(f->device, name);
        return wire_register(out, f->message_id, token_of(w, place), name, len);
    }
    if (w->kind == WINDOW_ECHO_SEND || w->kind == WINDOW_SEND) {
        return wire_send(out, f->message_id, token_of(w, place), f->message_id);
    }
    if (w->kind == WINDOW_ECHO_BLOCK || w->kind == WINDOW_BLOCK) {
        return wire_block(out, f->message_id, token_of(w, place), f->salt % WIRE_PACKAGE_BLOCKS);
    }
    if (w->kind == WINDOW_ECHO_UPDATE) {
        return wire_update(out, f->message_id, token_of(w, place), "0123456789abc", 13);
    }
    return wire_update(out, f->message_id, token_of(w, place), d->location, d->location_len);
}

static void transmit(window *w, uint32_t place)
{
    flight *f = &w->flights[place];
    f->sent_ns = stats_now_ns();
    size_t len = build(w, endpoint_next(w->endpoint), place);
    endpoint_send(w->endpoint, len, f->device, w->server);
}

static void start_one(window *w)
{
    uint32_t at = (uint32_t)(w->started % w->devices->count);
    if (at == 0 && w->started > 0) {
        devices_shuffle(w->devices);
    }
    uint32_t place = w->free[--w->free_count];
    flight *f = &w->flights[place];
    f->used = true;
    f->device = w->devices->order[at];
    f->salt = (uint32_t)devices_random(w->devices);
    f->message_id = ++w->devices->list[f->device].message_id;
    transmit(w, place);
    f->first_ns = f->sent_ns;
    w->started++;
}

static _Noreturn void wrong(const window *w, uint32_t index, const char *what, const wire_message *m)
{
    char name[DEVICE_NAME_MAX];
    devices_name(index, name);
    fprintf(stderr, "device %u (%s): %s; type %u code %u.%02u after %llu exchanges\n", index, name, what,
            m->type, m->code >> 5, m->code & 31u, (unsigned long long)w->stats->done);
    exit(1);
}

static void check_answer(window *w, uint32_t index, const wire_message *m, size_t len, uint32_t place)
{
    device *d = &w->devices->list[index];
    uint8_t expected[ENDPOINT_MESSAGE_MAX];
    switch (w->kind) {
    case WINDOW_REGISTER:
        if (m->type != WIRE_ACK || m->code != WIRE_CREATED) {
            wrong(w, index, "Register was not answered by 2.01", m);
        }
        if (m->location_count != 2 || m->location_len == 0 || m->location_len > DEVICE_LOCATION_MAX) {
            wrong(w, index, "the answer has no Location-Path of two segments that fits", m);
        }
        memcpy(d->location, m->location, m->location_len);
        d->location_len = (uint8_t)m->location_len;
        break;
    case WINDOW_UPDATE:
        if (m->type != WIRE_ACK || m->code != WIRE_CHANGED) {
            wrong(w, index, "Update was not answered by 2.04", m);
        }
        break;
    case WINDOW_SEND:
        if (m->type != WIRE_ACK || m->code != WIRE_CHANGED) {
            wrong(w, index, "Send was not answered by 2.04", m);
        }
        break;
    case WINDOW_BLOCK:
        if (m->type != WIRE_ACK || m->code != WIRE_CONTENT ||
            !wire_is_block(m, w->flights[place].salt % WIRE_PACKAGE_BLOCKS)) {
            wrong(w, index, "a request for a block was not answered by that block", m);
        }
        break;
    default:
        if (build(w, expected, place) != len || memcmp(expected, m->token - 4, len) != 0) {
            wrong(w, index, "the echo differs", m);
        }
        break;
    }
}

static void take(window *w, unsigned i)
{
    const uint8_t *bytes = w->endpoint->in.bytes[i];
    size_t len = w->endpoint->in.messages[i].msg_len;
    uint32_t index = endpoint_device(w->endpoint, i);
    wire_message m;
    if (!wire_read(bytes, len, &m)) {
        wrong(w, index, "the answer is no CoAP message", &m);
    }
    uint64_t token = 0;
    if (m.token_len == WIRE_TOKEN_LEN) {
        memcpy(&token, m.token, WIRE_TOKEN_LEN);
    }
    uint32_t place = (uint32_t)token;
    if (place >= w->in_flight || !w->flights[place].used || token_of(w, place) != token) {
        if (w->stats->repeated > 0) {
            return; /* a second answer to a repeated request */
        }
        wrong(w, index, "the answer has a token that nobody waits for", &m);
    }
    if (w->flights[place].device != index || m.message_id != w->flights[place].message_id) {
        wrong(w, index, "the answer has the wrong message id or went to the wrong device", &m);
    }
    check_answer(w, index, &m, len, place);
    stats_done(w->stats, w->flights[place].first_ns);
    w->flights[place].used = false;
    w->free[w->free_count++] = place;
}

/* After a wait without any answer. */
static void repeat_late(window *w)
{
    uint64_t now = stats_now_ns();
    for (uint32_t i = 0; i < w->in_flight; i++) {
        flight *f = &w->flights[i];
        if (f->used && now - f->first_ns > GIVE_UP_NS) {
            fprintf(stderr, "device %u: no answer for 20 s after %llu exchanges\n", f->device,
                    (unsigned long long)w->stats->done);
            exit(1);
        }
        if (f->used && now - f->sent_ns > REPEAT_NS) {
            w->stats->repeated++;
            transmit(w, i);
        }
    }
}

void window_run(window_kind kind, endpoint *e, devices *d, const struct sockaddr_in *server,
                uint32_t in_flight, uint64_t total, stats *out)
{
    window w = {.kind = kind,
                .endpoint = e,
                .devices = d,
                .server = server,
                .in_flight = in_flight,
                .total = total,
                .stats = out};
    w.flights = calloc(in_flight, sizeof *w.flights);
    w.free = calloc(in_flight, sizeof *w.free);
    if (w.flights == NULL || w.free == NULL) {
        fprintf(stderr, "no memory for %u requests in flight\n", in_flight);
        exit(1);
    }
    for (uint32_t i = 0; i < in_flight; i++) {
        w.free[w.free_count++] = i;
    }
    uint64_t end = out->done + total;
    stats_resume(out);
    while (out->done < end) {
        while (w.free_count > 0 && w.started < total) {
            start_one(&w);
        }
        endpoint_flush(e);
        unsigned count = endpoint_receive(e, true);
        for (unsigned i = 0; i < count; i++) {
            take(&w, i);
        }
        if (count == 0) {
            repeat_late(&w);
        }
    }
    stats_pause(out);
    free(w.flights);
    free(w.free);
}
