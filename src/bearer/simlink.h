/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An in-memory network in virtual time: endpoints exchange datagrams that get lost, doubled, overtaken and
 * delayed by a seeded generator, or by an exact mask ("the 2nd datagram from A to B"). The same seed and
 * calls give the same run. Nothing sleeps: dn_simlink_run jumps from event to event.
 *
 * It allocates; for tests, fuzzers and simulations. Threads: one network belongs to one thread.
 */
#ifndef DN_BEARER_SIMLINK_H
#define DN_BEARER_SIMLINK_H

#include "base/deadline.h"
#include "base/peer.h"
#include "base/random.h"
#include <dunlin/slice.h>
#include <dunlin/status.h>

typedef struct dn_simlink dn_simlink;

/* What an endpoint does. `deadline` and `expire` may be NULL for one that only answers. */
typedef struct {
    void (*receive)(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms);
    uint64_t (*deadline)(void *context); /* when `expire` is due, DN_NEVER for not at all */
    void (*expire)(void *context, uint64_t now_ms);
    void *context;
} dn_simlink_endpoint;

/* How datagrams fare. Zero-initialised: all arrive, once, at once, in order. */
typedef struct {
    uint32_t loss_permille;
    uint32_t duplicate_permille; /* arrives twice, with delays of their own */
    uint32_t reorder_permille;   /* held back by another delay_max_ms + 1 .. so that later ones overtake it */
    uint32_t delay_min_ms, delay_max_ms;
    uint32_t mtu; /* longer datagrams vanish; 0: no limit */
} dn_simlink_rules;

typedef struct {
    uint64_t sent, delivered, lost, masked, duplicated, reordered, too_long, no_endpoint;
    uint64_t bytes;
} dn_simlink_counters;

typedef enum { DN_SIMLINK_PASSED, DN_SIMLINK_LOST } dn_simlink_fate;
/* Sees each datagram when it is sent. `number` counts those of this direction from 1. */
typedef void dn_simlink_tap(void *context, uint64_t now_ms, const dn_peer *from, const dn_peer *to,
                            uint64_t number, dunlin_slice datagram, dn_simlink_fate fate);

dn_simlink *dn_simlink_create(uint64_t seed, uint64_t now_ms); /* NULL: no memory */
void dn_simlink_destroy(dn_simlink *link);
uint64_t dn_simlink_now(const dn_simlink *link);

/* Adds an endpoint and gives its address. ERR_MEMORY. */
dunlin_status dn_simlink_attach(dn_simlink *link, const dn_simlink_endpoint *endpoint, dn_peer *address);
/* Takes it away; what is under way to it is lost. */
void dn_simlink_detach(dn_simlink *link, const dn_peer *address);
/* Gives the endpoint at *address a new address, as a NAT does when its binding expired; the old one is
 * nobody's. */
dunlin_status dn_simlink_rebind(dn_simlink *link, dn_peer *address);

/* Rules for every direction, and for one direction (which then ignores the general ones). */
void dn_simlink_rule(dn_simlink *link, const dn_simlink_rules *rules);
dunlin_status dn_simlink_rule_between(dn_simlink *link, const dn_peer *from, const dn_peer *to,
                                      const dn_simlink_rules *rules);
/* Loses the `number`-th datagram (from 1, counted from the start of that direction) sent from `from` to `to`.
 */
dunlin_status dn_simlink_drop(dn_simlink *link, const dn_peer *from, const dn_peer *to, uint64_t number);
void dn_simlink_watch(dn_simlink *link, dn_simlink_tap *tap, void *context);

/* Sends. The bytes are copied; it never fails loudly: no memory is a loss. */
void dn_simlink_send(dn_simlink *link, const dn_peer *from, const dn_peer *to, dunlin_slice datagram);

/* When the next datagram arrives or deadline is due, DN_NEVER if nothing will happen any more. */
uint64_t dn_simlink_next(dn_simlink *link);
/* Does the next thing if it is due at or before `until_ms`; false, and time is at `until_ms`, if nothing is.
 */
bool dn_simlink_step(dn_simlink *link, uint64_t until_ms);
/* Steps until `until_ms` is reached; stops early, returning true, when `done` (may be NULL) says so. */
bool dn_simlink_run(dn_simlink *link, uint64_t until_ms, bool (*done)(void *context), void *context);

const dn_simlink_counters *dn_simlink_count(const dn_simlink *link);

#endif
