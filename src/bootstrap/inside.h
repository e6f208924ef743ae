/* SPDX-License-Identifier: Apache-2.0 */
/* The engine as its parts see it: engine.c has its making and its cycle, request.c what devices ask, steps.c what they are asked. */
#ifndef DN_BOOTSTRAP_INSIDE_H
#define DN_BOOTSTRAP_INSIDE_H

#include "bootstrap/engine.h"
#include "bootstrap/runs.h"

#define DN_BS_AREA "bootstrap"

struct dn_bs {
    dn_bs_engine_config config;
    const dn_log *log;
    void *arena;
    dn_coap *coap;
    dn_bs_runs_table runs;
    dn_bs_cache cache;
    dn_bs_counters counters;
    uint64_t now_ms;
    int64_t wall_ms;
    bool is_draining;
    /* Streams that have ended, until they can be closed. */
    dn_peer *ended;
    size_t ended_count, ended_room;
    /* What a reply views until it is sent. */
    uint8_t max_age[4];
    dn_coap_option reply_options[1];
    /* Refusals are logged once in a while. */
    uint64_t warned_ms, unwarned;
    uint64_t told_since_ms; /* and told to operators so many times a second */
    uint32_t told;
};

/* engine.c */
const dn_identity *dn_bs_identity_of(const dn_bs *bs, const dn_peer *peer);
void dn_bs_tell(dn_bs *bs, const dn_bs_run *run, dn_bs_event *event);
/* Ends it as failed, or as given up for another; the device is sent nothing more, so that it goes back to what it had. */
void dn_bs_fail(dn_bs *bs, dn_bs_run *run, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* request.c */
dn_coap_answered dn_bs_request(dn_bs *bs, const dn_coap_incoming *request, dunlin_buf *body,
                               dn_coap_reply *reply);

/* Whether something can be sent to who sits there, and that is still who stands for the endpoint. */
bool dn_bs_reaches(const dn_bs *bs, const dn_peer *peer, dunlin_slice endpoint);

/* Whether it has a credential towards this server of its own; `context` is the dn_bs. */
bool dn_bs_has_own(void *context, dunlin_slice endpoint);

/* steps.c */
/* The first step. */
void dn_bs_steps_begin(dn_bs *bs, dn_bs_run *run);

#endif
