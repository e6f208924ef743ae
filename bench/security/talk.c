/* SPDX-License-Identifier: Apache-2.0 */
/* A closed loop with two ways out. */
#include "security/talk.h"

#include "fleet/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 512
#define AGAIN_NS    UINT64_C(2000000000)
#define GIVE_UP     10 /* silences of 2 s */

typedef struct {
    talk_kind kind;
    devices *d;
    endpoint *e;
    const struct sockaddr_in *server;
    sessions *secure;
    stats *out;
    uint64_t *sent_ns; /* of each device's request; 0: none is in flight */
    uint32_t in_flight;
} talk;

static _Noreturn void stop(const char *what, uint32_t index)
{
    fprintf(stderr, "security_bench: device %u: %s\n", (unsigned)index, what);
    exit(1);
}

static void ask(const talk *t, uint32_t index)
{
    char name[DEVICE_NAME_MAX];
    uint8_t message[MESSAGE_MAX];
    const device *one = &t->d->list[index];
    size_t len = t->kind == TALK_REGISTER
                     ? wire_register(message, one->message_id, index, name, devices_name(index, name))
                     : wire_update(message, one->message_id, index, one->location, one->location_len);
    if (t->secure != NULL) {
        sessions_send(t->secure, index, message, len);
    } else {
        memcpy(endpoint_next(t->e), message, len);
        endpoint_send(t->e, len, index, t->server);
    }
}

static void answered(void *context, uint32_t index, dunlin_slice plain)
{
    talk *t = context;
    wire_message answer;
    uint64_t token;
    device *one = &t->d->list[index];
    if (!wire_read(plain.data, plain.len, &answer) || answer.token_len != sizeof token) {
        stop("got what is no answer", index);
    }
    memcpy(&token, answer.token, sizeof token);
    if (t->sent_ns[index] == 0 || answer.message_id != one->message_id) {
        return; /* of a request that was repeated */
    }
    if (token != index || answer.code != (t->kind == TALK_REGISTER ? WIRE_CREATED : WIRE_CHANGED)) {
        stop("got a wrong answer", index);
    }
    if (t->kind == TALK_REGISTER) {
        if (answer.location_len == 0 || answer.location_len > sizeof one->location) {
            stop("got no location", index);
        }
        memcpy(one->location, answer.location, answer.location_len);
        one->location_len = (uint8_t)answer.location_len;
    }
    stats_done(t->out, t->sent_ns[index]);
    t->sent_ns[index] = 0;
    t->in_flight--;
}

static unsigned receive(talk *t)
{
    if (t->secure != NULL) {
        return sessions_receive(t->secure, true);
    }
    unsigned count = endpoint_receive(t->e, true);
    for (unsigned i = 0; i < count; i++) {
        uint32_t index = endpoint_device(t->e, i);
        bool is_its =
            t->e->in.peers[i].sin_port == t->server->sin_port; /* not the other server's last words */
        if (index < t->d->count && is_its) {
            answered(t, index, dunlin_slice_make(t->e->in.bytes[i], t->e->in.messages[i].msg_len));
        }
    }
    return count;
}

static void repeat(talk *t)
{
    for (uint32_t i = 0; i < t->d->count; i++) {
        if (t->sent_ns[i] != 0) {
            ask(t, i);
            t->out->repeated++;
        }
    }
}

static void loop(talk *t, uint32_t in_flight, uint64_t total)
{
    uint64_t begun = 0;
    uint64_t heard_ns = stats_now_ns();
    unsigned silences = 0;
    while (begun < total || t->in_flight > 0) {
        while (begun < total && t->in_flight < in_flight) {
            uint32_t index = t->d->order[begun++ % t->d->count];
            if (t->sent_ns[index] != 0) {
                break; /* its turn came again before it had its answer */
            }
            t->d->list[index].message_id++;
            t->sent_ns[index] = stats_now_ns();
            t->in_flight++;
            ask(t, index);
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

void talk_run(talk_kind kind, devices *d, endpoint *e, const struct sockaddr_in *server, sessions *secure,
              uint32_t in_flight, uint64_t total, stats *out)
{
    talk t = {.kind = kind, .d = d, .e = e, .server = server, .secure = secure, .out = out};
    t.sent_ns = calloc(d->count, sizeof *t.sent_ns);
    if (t.sent_ns == NULL) {
        stop("no memory", 0);
    }
    if (secure != NULL) {
        secure->input = answered;
        secure->input_context = &t;
    }
    stats_resume(out);
    loop(&t, in_flight, total);
    stats_pause(out);
    if (secure != NULL) {
        secure->input = NULL;
    }
    free(t.sent_ns);
}
