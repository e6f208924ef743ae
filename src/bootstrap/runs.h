/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runs: those under way, found by their endpoint or their peer, and those that have ended, as far as they are still shown. Nothing here
 * looks at all of them but a listing. An ended one is small: what only a run under way needs is freed with its end.
 *
 * Threads: one.
 */
#ifndef DN_BOOTSTRAP_RUNS_H
#define DN_BOOTSTRAP_RUNS_H

#include "base/hash.h"
#include "bootstrap/cache.h"
#include "bootstrap/plan.h"

#define DN_BS_FOUND_KEPT 1024u /* bytes of a device's links that an ended run keeps */
#define DN_BS_WHY_MAX    200u

typedef struct dn_bs_run dn_bs_run;

/* Of a run under way. */
typedef struct {
    dn_bs_run *next_of_endpoint, *next_of_peer; /* in their buckets */
    dn_bs_run *former_waiting, *next_waiting;   /* for the commit */
    bool is_waiting;
    bool is_done;     /* Finish is acknowledged: waits to be promoted; else to be begun */
    bool is_answered; /* Bootstrap-Request is; also true when the server began by itself */
    bool is_repaired, fell_back;
    bool must_stage;   /* the key was made for this run */
    uint64_t request;  /* of the Bootstrap-Request, to be answered */
    uint64_t exchange; /* 0: none under way */
    uint64_t step_began_ms;
    uint16_t pct, format; /* 0: not told; what is written in */
    uint16_t answer_format;
    size_t at; /* in the plan */
    bool has_plan;
    dn_bs_cached *cached;
    dn_bs_plan plan;
    dn_bs_told told;
    dn_bs_minted minted;
    dn_bs_bytes payload;
    dn_coap_source source;
    dn_coap_sink sink;
    uint8_t *body; /* of an answer */
    size_t body_len, body_room;
} dn_bs_live;

struct dn_bs_run {
    dn_bs_run *newer, *older;
    dn_bs_run *next_ended; /* those that ended later */
    dn_bs_live *live;      /* NULL: it has ended */
    dn_peer peer;
    void *owner;         /* the engine */
    dn_bs_run_view view; /* its slices and steps are of what follows */
    size_t step_room;
    dn_bs_step_view *steps;
    uint64_t began_at_ms; /* monotonic */
    char why[DN_BS_WHY_MAX];
    uint8_t *found;
    char endpoint[]; /* view.endpoint */
};

typedef struct {
    dn_hash_key key;
    dn_bs_run **by_endpoint, **by_peer; /* buckets */
    size_t buckets;                     /* a power of two */
    dn_bs_run *newest;
    dn_bs_run *first_ended, *last_ended;
    dn_bs_run *first_waiting, *last_waiting;
    uint32_t running, ended, waiting;
    uint32_t max_running, max_ended;
    uint64_t last_number;
} dn_bs_runs_table;

/* False: no memory. */
bool dn_bs_runs_init(dn_bs_runs_table *table, uint32_t max_running, uint32_t max_ended,
                     const dn_random *random);
void dn_bs_runs_free(dn_bs_runs_table *table);
/* A new one, under way. NULL: max_running are, or no memory. */
dn_bs_run *dn_bs_runs_add(dn_bs_runs_table *table, dunlin_slice endpoint, const dn_peer *peer);
/* The one under way; NULL: none. */
dn_bs_run *dn_bs_runs_of(const dn_bs_runs_table *table, dunlin_slice endpoint);
/* Those of a peer, one after the other: `after` NULL gives the first. */
dn_bs_run *dn_bs_runs_of_peer(const dn_bs_runs_table *table, const dn_peer *peer, const dn_bs_run *after);
/* It is no longer under way. The run may be gone when this returns. */
void dn_bs_runs_end(dn_bs_runs_table *table, dn_bs_run *run);
void dn_bs_runs_wait(dn_bs_runs_table *table, dn_bs_run *run);
void dn_bs_runs_unwait(dn_bs_runs_table *table, dn_bs_run *run);
/* Room for one more step; NULL: no memory. */
dn_bs_step_view *dn_bs_run_step(dn_bs_run *run);
/* Keeps the device's links. */
void dn_bs_run_found(dn_bs_run *run, dunlin_slice links);

#endif
