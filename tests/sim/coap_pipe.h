/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reliable stream between two nodes: bytes arrive in order, and in pieces of any size, drawn from a seed. The simulated
 * network is there for time only.
 */
#ifndef TESTS_SIM_COAP_PIPE_H
#define TESTS_SIM_COAP_PIPE_H

#include "base/random.h"
#include "coap/frame.h"
#include "tests/sim/coap_node.h"

/* Bytes on their way to a node. */
typedef struct {
    uint8_t *bytes;
    size_t at, len, cap;
    dn_coap_assembler assembler;
    dunlin_status status; /* of assembling: not OK, and nothing more arrives */
    dunlin_status ended;  /* what the node was told of its stream */
} coap_pipe_way;

typedef struct {
    dn_simlink *link;
    coap_node *end[2];
    coap_pipe_way way[2]; /* to that end */
    dn_seeded seeded;
    size_t largest_piece;
    size_t pieces;
} coap_pipe;

coap_pipe *coap_pipe_create(uint64_t seed, const dn_coap_config *first, const dn_coap_config *second);
void coap_pipe_destroy(coap_pipe *pipe);
/* Opens the stream at both ends, or closes it: what is on its way is lost. */
void coap_pipe_join(coap_pipe *pipe);
void coap_pipe_cut(coap_pipe *pipe);
/* Puts bytes into a way that no engine wrote. */
void coap_pipe_insert(coap_pipe *pipe, int to, dunlin_slice bytes);
/* Delivers one piece. False: nothing is on its way. */
bool coap_pipe_step(coap_pipe *pipe);
/* Delivers and lets time pass until nothing happens any more. */
void coap_pipe_run(coap_pipe *pipe);
/* Fails unless both engines have nothing left but the stream itself. */
void coap_pipe_check_idle(const coap_pipe *pipe);

#endif
