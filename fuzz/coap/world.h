/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two engines and what their owners do, driven by a fuzzer's input: requests, bodies from sources, to sinks and in pieces,
 * notifications, late answers. How their messages travel is for the fuzzer. Whatever happens, each request ends
 * exactly once, and pieces come in order and end exactly once.
 */
#ifndef FUZZ_COAP_WORLD_H
#define FUZZ_COAP_WORLD_H

#include "coap/core.h"

#define TRACKS   256 /* requests and notifications of one run */
#define LATER    8
#define BODY_MAX 4096
#define STREAMS  4

typedef struct {
    const uint8_t *data;
    size_t left;
} input;

typedef struct world world;

typedef struct {
    unsigned ended;
    world *world;
    dn_coap *coap;
    uint64_t id;
    dn_coap_source source;
    dn_coap_sink sink;
    uint64_t taken; /* by the sink */
    bool complete;
} track;

/* A body that comes in pieces. */
typedef struct {
    bool open;
    uint64_t key, taken;
} stream;

typedef struct {
    world *world;
    dn_coap *coap;
    void *arena;
    dn_peer address;
    dn_seeded seeded;
    uint64_t later[LATER];
    size_t later_count;
    uint64_t last_exchange;
    stream streams[STREAMS];
    dn_coap_source source;
} node;

struct world {
    uint64_t (*now)(const world *of);
    void (*send)(void *node, const dn_peer *peer, dunlin_slice message);
    void (*ended)(void *node, const dn_peer *peer, dunlin_status status,
                  dunlin_slice detail);             /* may be NULL */
    void (*close)(void *node, const dn_peer *peer); /* a handler closes its stream; may be NULL */
    size_t largest_block;
    size_t scale;    /* of payloads: bytes to each count of the input */
    bool may_forget; /* handlers forget the peer now and then */
    node node[2];
    track tracks[TRACKS];
    size_t track_count;
    uint8_t body[BODY_MAX];
    unsigned choice; /* what handlers do */
};

uint8_t take(input *in);
/* Makes an engine at `index`, with all of its callbacks. */
void world_open_node(world *of, size_t index, const dn_coap_config *config);
void world_close_node(node *at);
void world_request(world *of, node *from, const node *to, input *in);
void world_notify(world *of, node *from, const node *to, input *in);
void world_answer(node *at, input *in);
void world_ping(world *of, node *from, const node *to);
/* Nothing may be left: every request has ended, and in every table is nothing. */
void world_check_empty(const world *of);

#endif
