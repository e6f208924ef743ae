/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is between the device, a server and the simulated network when they do not speak plain UDP: a link on the device's side, sessions and
 * streams on the server's. DTLS meets the losses of the network. TCP below would repeat what is lost, so a stream is carried by a network
 * that loses nothing and keeps the order; its connection is opened by its first bytes. It allocates. Threads: one.
 */
#ifndef DN_ETS_SIM_WAYS_H
#define DN_ETS_SIM_WAYS_H

#include "ets/device.h"
#include "ets/sim_keys.h"
#include "ets/world.h"

typedef struct dn_ets_ways dn_ets_ways;

typedef struct {
    dn_ets_way way;
    const char *endpoint;
    dn_random random;
    dn_peer server, device; /* on the network */
    int64_t (*wall_s)(void *context);
    /* A datagram, or a piece of the stream, on its way. */
    void (*carry)(void *context, bool to_device, dunlin_slice bytes);
    /* Whole messages that arrive; `device` and `server` tell the transport. */
    void (*to_server)(void *context, const dn_peer *device, dunlin_slice message);
    void (*to_device)(void *context, const dn_peer *server, dunlin_slice message);
    /* The server's side has a session or a stream, or has lost it. */
    void (*opened)(void *context, const dn_peer *device);
    void (*closed)(void *context, const dn_peer *device);
    /* The device's side: told from within ways_step, never from within connect. */
    void (*up)(void *context, const dn_peer *server);
    void (*down)(void *context, dunlin_status status, int alert);
    void *context;
} dn_ets_ways_config;

/* NULL: `error` says why. */
dn_ets_ways *dn_ets_ways_create(const dn_ets_ways_config *config, char *error, size_t error_size);
void dn_ets_ways_destroy(dn_ets_ways *ways);

/* What the device is configured with: its account's URI and security, valid as long as the ways. */
const char *dn_ets_ways_uri(const dn_ets_ways *ways);
const dunlin_security *dn_ets_ways_security(const dn_ets_ways *ways);
/* The server's credentials, for its shard. */
dn_credentials *dn_ets_ways_credentials(const dn_ets_ways *ways);

/* The keys of both ends, and the authority that has issued what they show. */
const dn_ets_keys *dn_ets_ways_keys(const dn_ets_ways *ways);

/* As dunlin_client_callbacks.connect: with the credentials that the client has for this server. */
dunlin_status dn_ets_ways_connect(dn_ets_ways *ways, const dunlin_way *way, dunlin_peer *peer,
                                  uint64_t now_ms);
void dn_ets_ways_disconnect(dn_ets_ways *ways, uint64_t now_ms);
/* From the device, from the server: a whole message. */
void dn_ets_ways_send(dn_ets_ways *ways, bool to_device, dunlin_slice message, uint64_t now_ms);
/* From the network. */
void dn_ets_ways_receive(dn_ets_ways *ways, bool at_device, dunlin_slice bytes, uint64_t now_ms);
/* The server's side wants the peer gone. */
void dn_ets_ways_end(dn_ets_ways *ways, uint64_t now_ms);
uint64_t dn_ets_ways_deadline(const dn_ets_ways *ways, bool at_device);
void dn_ets_ways_expire(dn_ets_ways *ways, bool at_device, uint64_t now_ms);

bool dn_ets_ways_is_stream(const dn_ets_ways *ways);
const dn_identity *dn_ets_ways_identity(const dn_ets_ways *ways);
bool dn_ets_ways_reaches(const dn_ets_ways *ways);
bool dn_ets_ways_connection(const dn_ets_ways *ways, dn_ets_connection *out);
bool dn_ets_ways_refusal(const dn_ets_ways *ways, dn_ets_refusal *out);

#endif
