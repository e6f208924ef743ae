/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bootstrap server in one thread, without sockets. Either it is ours (bootstrap/engine.h), which does what a configuration says; or there is only
 * CoAP and an operator who decides every step, so that a device meets what ours would never do. It allocates. Threads: one.
 */
#ifndef DN_ETS_BOOTSTRAP_SIDE_H
#define DN_ETS_BOOTSTRAP_SIDE_H

#include "bootstrap/engine.h"
#include "ets/operator.h"

typedef struct dn_ets_bootstrap_side dn_ets_bootstrap_side;

typedef struct {
    const char *document; /* the configuration of every device; NULL: the operator decides */
    dn_est *est;          /* with a document; NULL: no enrolment */
    dn_bs_own own;
    void (*send)(void *context, const dn_peer *peer, dunlin_slice datagram);
    uint64_t (*clock_ms)(void *context);
    int64_t (*wall_ms)(void *context);
    /* As dn_bs_engine_config has them. */
    const dn_identity *(*identity)(void *context, const dn_peer *peer);
    bool (*reaches)(void *context, const dn_peer *peer);
    void (*end_peer)(void *context, const dn_peer *peer);
    void *context;
    void (*peer_text)(const dn_peer *peer, char *out, size_t size);
    bool (*is_loopback)(const dn_peer *peer);
    dn_random random;
} dn_ets_bootstrap_config;

/* NULL: `error` says why. */
dn_ets_bootstrap_side *dn_ets_bootstrap_side_create(const dn_ets_bootstrap_config *config, char *error,
                                                    size_t error_size);
void dn_ets_bootstrap_side_destroy(dn_ets_bootstrap_side *side); /* may be NULL */
void dn_ets_bootstrap_side_receive(dn_ets_bootstrap_side *side, const dn_peer *peer, dunlin_slice datagram);
void dn_ets_bootstrap_side_opened(dn_ets_bootstrap_side *side, const dn_peer *peer);
void dn_ets_bootstrap_side_closed(dn_ets_bootstrap_side *side, const dn_peer *peer);
void dn_ets_bootstrap_side_expire(dn_ets_bootstrap_side *side);
uint64_t dn_ets_bootstrap_side_deadline(const dn_ets_bootstrap_side *side);
/* READ, DISCOVER, WRITE, DELETE and FINISH of the device that asked last; others are `unsupported`, all of them with a document. */
const dn_ets_operator *dn_ets_bootstrap_side_operator(dn_ets_bootstrap_side *side);

#endif
