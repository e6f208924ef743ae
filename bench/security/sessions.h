/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The devices' side: a session for each, all over one socket, each from a loopback address of its own. Failures end the program with a text.
 */
#ifndef BENCH_SECURITY_SESSIONS_H
#define BENCH_SECURITY_SESSIONS_H

#include "fleet/endpoint.h"
#include "fleet/stats.h"
#include "security/tls.h"

typedef struct sessions sessions;

typedef struct {
    sessions *owner;
    dn_tls_session *session; /* NULL: none */
    uint64_t begun_ns;
    uint32_t device;
    uint32_t place; /* among those that shake hands */
} session_slot;

struct sessions {
    endpoint *endpoint;
    struct sockaddr_in server;
    uint32_t count;
    session_slot *slots;
    uint32_t *shaking; /* devices whose handshake is in progress */
    uint32_t shaking_count;
    uint64_t expired_ns;
    uint32_t pongs;
    /* Gets what arrives decrypted; may be NULL. */
    void (*input)(void *context, uint32_t device, dunlin_slice plain);
    /* Gets what a session wants to send, in place of the socket; NULL: the socket. */
    void (*output)(void *context, uint32_t device, dunlin_slice datagram);
    void *context; /* of both */
};

void sessions_make(sessions *s, endpoint *e, const struct sockaddr_in *server, uint32_t count);
void sessions_free(sessions *s);
/* `total` full handshakes, `in_flight` at a time; with `keep` each session stays, and `total` is at most count from device `first` on, else
   it is closed and another device's begins. `context_of` gives each device's context. */
void sessions_handshakes(sessions *s, dn_tls_context *(*context_of)(void *context, uint32_t device),
                         void *context, uint32_t first, uint32_t total, uint32_t in_flight, bool keep,
                         stats *out);
void sessions_send(sessions *s, uint32_t device, const void *bytes, size_t len);
/* Takes what arrives and hands it to the sessions; `wait` for the first up to 100 ms. */
unsigned sessions_receive(sessions *s, bool wait);
/* A datagram for this device that came another way. */
void sessions_take(sessions *s, uint32_t device, dunlin_slice datagram);
void sessions_close(sessions *s, uint32_t device);
/* A CoAP ping over each of these sessions, and its answer: what both ends kept for the handshake is gone then. */
void sessions_ping(sessions *s, uint32_t first, uint32_t total);

#endif
