/* SPDX-License-Identifier: Apache-2.0 */
/* Many sessions over one socket. */
#include "security/sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPIRE_EVERY_NS 100000000u
#define GIVE_UP_NS      UINT64_C(60000000000)

static _Noreturn void stop(const char *what, const char *why)
{
    fprintf(stderr, "security_bench: %s: %s\n", what, why);
    exit(1);
}

static uint64_t now_ms(void)
{
    return stats_now_ns() / 1000000u;
}

static void output(void *context, dunlin_slice bytes)
{
    const session_slot *slot = context;
    endpoint *e = slot->owner->endpoint;
    if (slot->owner->output != NULL) {
        slot->owner->output(slot->owner->context, slot->device, bytes);
        return;
    }
    if (bytes.len > ENDPOINT_MESSAGE_MAX) {
        stop("a session", "too long a datagram");
    }
    memcpy(endpoint_next(e), bytes.data, bytes.len);
    endpoint_send(e, bytes.len, slot->device, &slot->owner->server);
}

static void input(void *context, dunlin_slice plain)
{
    const session_slot *slot = context;
    slot->owner->pongs++;
    if (slot->owner->input != NULL) {
        slot->owner->input(slot->owner->context, slot->device, plain);
    }
}

void sessions_make(sessions *s, endpoint *e, const struct sockaddr_in *server, uint32_t count)
{
    *s = (sessions){.endpoint = e, .server = *server, .count = count};
    s->slots = calloc(count, sizeof *s->slots);
    s->shaking = calloc(count, sizeof *s->shaking);
    if (s->slots == NULL || s->shaking == NULL) {
        stop("the sessions", "no memory");
    }
    for (uint32_t i = 0; i < count; i++) {
        s->slots[i] = (session_slot){.owner = s, .device = i};
    }
}

void sessions_close(sessions *s, uint32_t device)
{
    session_slot *slot = &s->slots[device];
    if (slot->session != NULL) {
        dn_tls_close(slot->session, now_ms());
        dn_tls_free(slot->session);
        slot->session = NULL;
    }
}

void sessions_free(sessions *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        sessions_close(s, i);
    }
    endpoint_flush(s->endpoint);
    free(s->slots);
    free(s->shaking);
}

static void begin(sessions *s, uint32_t device, dn_tls_context *context)
{
    session_slot *slot = &s->slots[device];
    const dn_tls_opening opening = {.datagram = true, .call = {output, input, slot}};
    slot->begun_ns = stats_now_ns();
    slot->place = s->shaking_count;
    s->shaking[s->shaking_count++] = device;
    slot->session = dn_tls_open(context, &opening, now_ms());
    if (slot->session == NULL) {
        stop("a session", "no memory");
    }
}

static void leave(sessions *s, const session_slot *slot)
{
    uint32_t last = s->shaking[--s->shaking_count];
    s->shaking[slot->place] = last;
    s->slots[last].place = slot->place;
}

void sessions_take(sessions *s, uint32_t device, dunlin_slice datagram)
{
    dn_tls_session *session = device < s->count ? s->slots[device].session : NULL;
    if (session != NULL) {
        dn_tls_receive(session, datagram, now_ms());
    }
}

unsigned sessions_receive(sessions *s, bool wait)
{
    unsigned count = endpoint_receive(s->endpoint, wait);
    for (unsigned i = 0; i < count; i++) {
        sessions_take(s, endpoint_device(s->endpoint, i),
                      dunlin_slice_make(s->endpoint->in.bytes[i], s->endpoint->in.messages[i].msg_len));
    }
    return count;
}

/* Flights that were lost go out again. */
static void expire(sessions *s)
{
    uint64_t now = stats_now_ns();
    if (now - s->expired_ns < EXPIRE_EVERY_NS) {
        return;
    }
    s->expired_ns = now;
    for (uint32_t i = 0; i < s->shaking_count; i++) {
        dn_tls_expire(s->slots[s->shaking[i]].session, now / 1000000u);
        if (now - s->slots[s->shaking[i]].begun_ns > GIVE_UP_NS) {
            stop("a handshake", "it did not end in time");
        }
    }
}

/* Those that are done; their number. */
static uint32_t collect(sessions *s, bool keep, stats *out)
{
    uint32_t done = 0;
    for (uint32_t i = 0; i < s->shaking_count;) {
        const session_slot *slot = &s->slots[s->shaking[i]];
        dn_tls_state state = dn_tls_state_of(slot->session);
        if (state == DN_TLS_ENDED) {
            stop("a handshake failed", dn_tls_ending_of(slot->session)->why);
        }
        if (state != DN_TLS_OPEN) {
            i++;
            continue;
        }
        stats_done(out, slot->begun_ns);
        leave(s, slot);
        done++;
        if (!keep) {
            sessions_close(s, slot->device);
        }
    }
    return done;
}

void sessions_handshakes(sessions *s, dn_tls_context *(*context_of)(void *context, uint32_t device),
                         void *context, uint32_t first, uint32_t total, uint32_t in_flight, bool keep,
                         stats *out)
{
    uint32_t begun = 0;
    uint32_t done = 0;
    stats_resume(out);
    while (done < total) {
        while (begun < total && s->shaking_count < in_flight) {
            uint32_t device = (first + begun) % s->count;
            if (s->slots[device].session != NULL) {
                break; /* its turn came again before its last handshake was complete */
            }
            begun++;
            begin(s, device, context_of(context, device));
        }
        endpoint_flush(s->endpoint);
        (void)sessions_receive(s, true);
        expire(s);
        done += collect(s, keep, out);
    }
    endpoint_flush(s->endpoint);
    stats_pause(out);
}

void sessions_send(sessions *s, uint32_t device, const void *bytes, size_t len)
{
    dunlin_status status = dn_tls_send(s->slots[device].session, dunlin_slice_make(bytes, len), now_ms());
    if (status != DUNLIN_OK) {
        stop("a message over a session", dunlin_status_text(status));
    }
}

void sessions_ping(sessions *s, uint32_t first, uint32_t total)
{
    static const uint8_t ping[] = {0x40, 0, 0x12, 0x34}; /* CON, empty: answered with a Reset */
    s->pongs = 0;
    for (uint32_t i = 0; i < total; i++) {
        sessions_send(s, first + i, ping, sizeof ping);
    }
    endpoint_flush(s->endpoint);
    for (unsigned silences = 0; s->pongs < total; silences++) {
        if (sessions_receive(s, true) > 0) {
            silences = 0;
        } else if (silences > 100) {
            stop("a ping", "it was not answered");
        }
    }
}
