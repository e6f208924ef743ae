/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our server in one thread, without sockets: a shard with a store in memory, driven through its cycle, and the operator who
 * asks it. It allocates. Threads: one.
 */
#ifndef DN_ETS_SHARD_SIDE_H
#define DN_ETS_SHARD_SIDE_H

#include "base/random.h"
#include "ets/operator.h"
#include "ets/trace.h"
#include "server/shard.h"

typedef struct dn_ets_shard_side dn_ets_shard_side;

typedef struct {
    void (*send)(void *context, const dn_peer *peer, dunlin_slice datagram); /* after the commit */
    uint64_t (*clock_ms)(void *context);
    int64_t (*wall_ms)(void *context);
    void *context;
    dn_peer_text *peer_text;
    bool (*same_host)(const dn_peer *a, const dn_peer *b);
    /* As dn_shard_config has them, all or none. */
    const dn_identity *(*identity)(void *context, const dn_peer *peer);
    bool (*reaches)(void *context, const dn_peer *peer);
    void (*end_peer)(void *context, const dn_peer *peer);
    dn_credentials *credentials; /* may be NULL */
    dn_random random;
} dn_ets_shard_config;

/* NULL: `error` says why. */
dn_ets_shard_side *dn_ets_shard_side_create(const dn_ets_shard_config *config, char *error,
                                            size_t error_size);
void dn_ets_shard_side_destroy(dn_ets_shard_side *side);
void dn_ets_shard_side_receive(dn_ets_shard_side *side, const dn_peer *peer, dunlin_slice datagram);
/* A stream or a session of that peer is there, or is gone. */
void dn_ets_shard_side_opened(dn_ets_shard_side *side, const dn_peer *peer);
void dn_ets_shard_side_closed(dn_ets_shard_side *side, const dn_peer *peer);
void dn_ets_shard_side_expire(dn_ets_shard_side *side);
uint64_t dn_ets_shard_side_deadline(const dn_ets_shard_side *side);
bool dn_ets_shard_side_failed(const dn_ets_shard_side *side);
/* The operator; valid as long as the side. */
const dn_ets_operator *dn_ets_shard_side_operator(dn_ets_shard_side *side);
/* A De-register of `registration` as if the device had sent it; its answer goes nowhere. */
void dn_ets_shard_side_leave(dn_ets_shard_side *side, const dn_ets_registration *registration);
/* Offers a package: devices get it from this server at `path`, "/fw/…". False: it could not be stored. */
bool dn_ets_shard_side_offer(dn_ets_shard_side *side, dunlin_slice package, char *path, size_t size);
/* Forgets what devices have sent by themselves. */
void dn_ets_shard_side_begin(dn_ets_shard_side *side);

#endif
