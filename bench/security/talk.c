/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A closed loop with two ways out. What devices do with processors of their own is done before the clock runs and after it stopped: requests
 * are sealed, answers opened and checked. So the generator does the same for either way while it is timed, and the rate is the server's.
 */
#include "security/talk.h"

#include "fleet/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX  512
#define DATAGRAM_MAX 256 /* of a request or an answer, sealed or not */
#define AGAIN_NS     UINT64_C(2000000000)
#define GIVE_UP      10 /* silences of 2 s */

typedef struct {
    uint16_t len; /* 0: none */
    uint8_t bytes[DATAGRAM_MAX];
} datagram;

typedef struct {
    uint32_t device;
    uint16_t message_id;
    uint64_t sent_ns;
    datagram out, in;
} exchange;

typedef struct {
    talk_kind kind;
    devices *d;
    endpoint *e;
    const struct sockaddr_in *server;
    sessions *secure;
    stats *out;
    exchange *exchanges;
    uint64_t total;
    uint32_t *waiting; /* of each device the exchange in flight, from 1 on; 0: none */
    uint32_t in_flight;
    exchange *current; /* being sealed or opened */
} talk;

static _Noreturn void stop(const char *what, uint32_t index)
{
    fprintf(stderr, "security_bench: device %u: %s\n", (unsigned)index, what);
    exit(1);
}

static void keep(datagram *to, const void *bytes, size_t len, uint32_t index)
{
    if (len > DATAGRAM_MAX) {
        stop("too long a datagram", index);
    }
    memcpy(to->bytes, bytes, len);
    to->len = (uint16_t)len;
}

/* ---- before: requests are made ---- */

static void sealed(void *context, uint32_t index, dunlin_slice bytes)
{
    const talk *t = context;
    keep(&t->current->out, bytes.data, bytes.len, index);
}

static void make(talk *t, exchange *x)
{
    char name[DEVICE_NAME_MAX];
    uint8_t message[MESSAGE_MAX];
    const device *one = &t->d->list[x->device];
    size_t len = t->kind == TALK_REGISTER
                     ? wire_register(message, x->message_id, x->device, name, devices_name(x->device, name))
                     : wire_update(message, x->message_id, x->device, one->location, one->location_len);
    if (t->secure == NULL) {
        keep(&x->out, message, len, x->device);
        return;
    }
    t->current = x;
    t->secure->output = sealed;
    sessions_send(t->secure, x->device, message, len);
    t->secure->output = NULL;
}

static void make_all(talk *t)
{
    for (uint64_t i = 0; i < t->total; i++) {
        exchange *x = &t->exchanges[i];
        x->device = t->d->order[i % t->d->count];
        x->message_id = ++t->d->list[x->device].message_id;
        make(t, x);
    }
}

/* ---- meanwhile: requests go out, answers come in ---- */

static void ask(const talk *t, const exchange *x)
{
    memcpy(endpoint_next(t->e), x->out.bytes, x->out.len);
    endpoint_send(t->e, x->out.len, x->device, t->server);
}

/* Anew each: a record that came twice would be dropped. */
static void repeat(talk *t)
{
    for (uint32_t i = 0; i < t->d->count; i++) {
        if (t->waiting[i] != 0) {
            exchange *x = &t->exchanges[t->waiting[i] - 1];
            make(t, x);
            ask(t, x);
            t->out->repeated++;
        }
    }
}

static unsigned receive(talk *t)
{
    const endpoint_batch *in = &t->e->in;
    unsigned count = endpoint_receive(t->e, true);
    for (unsigned i = 0; i < count; i++) {
        uint32_t index = endpoint_device(t->e, i);
        bool is_its = in->peers[i].sin_port == t->server->sin_port; /* not the other server's last words */
        if (index < t->d->count && is_its && t->waiting[index] != 0) {
            exchange *x = &t->exchanges[t->waiting[index] - 1];
            keep(&x->in, in->bytes[i], in->messages[i].msg_len, index);
            stats_done(t->out, x->sent_ns);
            t->waiting[index] = 0;
            t->in_flight--;
        }
    }
    return count;
}

static void loop(talk *t, uint32_t in_flight)
{
    uint64_t begun = 0;
    uint64_t heard_ns = stats_now_ns();
    unsigned silences = 0;
    while (begun < t->total || t->in_flight > 0) {
        while (begun < t->total && t->in_flight < in_flight) {
            exchange *x = &t->exchanges[begun];
            if (t->waiting[x->device] != 0) {
                break; /* its turn came again before it had its answer */
            }
            t->waiting[x->device] = (uint32_t)++begun;
            x->sent_ns = stats_now_ns();
            t->in_flight++;
            ask(t, x);
        }
        endpoint_flush(t->e);
        if (receive(t) > 0) {
            heard_ns = stats_now_ns();
            silences = 0;
        } else if (stats_now_ns() - heard_ns > AGAIN_NS) {
            heard_ns = stats_now_ns();
            if (++silences == GIVE_UP) {
                stop("and others have no answer", 0);
            }
            repeat(t);
        }
    }
}

/* ---- afterwards: answers are checked ---- */

static void check(void *context, uint32_t index, dunlin_slice plain)
{
    talk *t = context;
    wire_message answer;
    uint64_t token;
    device *one = &t->d->list[index];
    const exchange *x = t->current;
    if (!wire_read(plain.data, plain.len, &answer) || answer.token_len != sizeof token) {
        stop("got what is no answer", index);
    }
    memcpy(&token, answer.token, sizeof token);
    if (answer.message_id != x->message_id && t->out->repeated > 0) {
        return; /* the second answer to a request that was repeated, while the next one was in flight */
    }
    if (answer.message_id != x->message_id || token != index ||
        answer.code != (t->kind == TALK_REGISTER ? WIRE_CREATED : WIRE_CHANGED)) {
        stop("got a wrong answer", index);
    }
    if (t->kind == TALK_REGISTER) {
        if (answer.location_len == 0 || answer.location_len > sizeof one->location) {
            stop("got no location", index);
        }
        memcpy(one->location, answer.location, answer.location_len);
        one->location_len = (uint8_t)answer.location_len;
    }
    t->current = NULL;
}

static void check_all(talk *t)
{
    for (uint64_t i = 0; i < t->total; i++) {
        exchange *x = &t->exchanges[i];
        dunlin_slice bytes = dunlin_slice_make(x->in.bytes, x->in.len);
        t->current = x;
        if (t->secure != NULL) {
            sessions_take(t->secure, x->device, bytes);
        } else {
            check(t, x->device, bytes);
        }
        if (t->current != NULL && t->out->repeated == 0) {
            stop("got an answer that its session does not take", x->device);
        }
    }
}

void talk_run(talk_kind kind, devices *d, endpoint *e, const struct sockaddr_in *server, sessions *secure,
              uint32_t in_flight, uint64_t total, stats *out)
{
    talk t = {.kind = kind, .d = d, .e = e, .server = server, .secure = secure, .out = out, .total = total};
    t.exchanges = calloc(total, sizeof *t.exchanges);
    t.waiting = calloc(d->count, sizeof *t.waiting);
    if (t.exchanges == NULL || t.waiting == NULL) {
        stop("no memory", 0);
    }
    if (secure != NULL) {
        t.server = &secure->server;
        secure->input = check;
        secure->context = &t;
    }
    make_all(&t);
    stats_resume(out);
    loop(&t, in_flight);
    stats_pause(out);
    check_all(&t);
    if (secure != NULL) {
        secure->input = NULL;
    }
    free(t.exchanges);
    free(t.waiting);
}
