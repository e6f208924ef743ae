/* SPDX-License-Identifier: Apache-2.0 */
/* Two queues of bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "coap/core.h"
#include "tests/sim/coap_pipe.h"
#include <stdlib.h>

#define DAY_MS UINT64_C(86400000)

static int index_of(const coap_pipe *pipe, const coap_node *node)
{
    return pipe->end[1] == node;
}

void coap_pipe_insert(coap_pipe *pipe, int to, dunlin_slice bytes)
{
    coap_pipe_way *way = &pipe->way[to];
    if (way->len + bytes.len > way->cap) {
        way->cap = (way->len + bytes.len) * 2;
        way->bytes = realloc(way->bytes, way->cap);
        assert_non_null(way->bytes);
    }
    memcpy(way->bytes + way->len, bytes.data, bytes.len);
    way->len += bytes.len;
}

static void carry(coap_node *node, dunlin_slice message)
{
    coap_pipe *pipe = node->carrier;
    int to = 1 - index_of(pipe, node);
    uint64_t length;
    assert_int_equal(dn_coap_frame_length(message, &length), DUNLIN_OK);
    assert_int_equal(length, message.len);
    assert_true(length <= pipe->end[to]->config.max_stream_message);
    coap_pipe_insert(pipe, to, message);
}

static void ended(coap_node *node, dunlin_status status)
{
    coap_pipe *pipe = node->carrier;
    pipe->way[index_of(pipe, node)].ended = status;
}

coap_pipe *coap_pipe_create(uint64_t seed, const dn_coap_config *first, const dn_coap_config *second)
{
    coap_pipe *pipe = calloc(1, sizeof *pipe);
    assert_non_null(pipe);
    pipe->link = dn_simlink_create(seed, 1000);
    assert_non_null(pipe->link);
    dn_seeded_init(&pipe->seeded, seed);
    pipe->largest_piece = 1u << (seed % 14);
    for (int i = 0; i < 2; i++) {
        const dn_coap_config *config = i == 0 ? first : second;
        pipe->end[i] = coap_node_open(pipe->link, config, seed * 2 + (unsigned)i);
        pipe->end[i]->carry = carry;
        pipe->end[i]->ended = ended;
        pipe->end[i]->carrier = pipe;
        pipe->way[i].assembler.memory = malloc(config->max_stream_message);
        pipe->way[i].assembler.size = config->max_stream_message;
        assert_non_null(pipe->way[i].assembler.memory);
    }
    return pipe;
}

void coap_pipe_destroy(coap_pipe *pipe)
{
    for (int i = 0; i < 2; i++) {
        coap_node_close(pipe->end[i]);
        free(pipe->way[i].assembler.memory);
        free(pipe->way[i].bytes);
    }
    dn_simlink_destroy(pipe->link);
    free(pipe);
}

void coap_pipe_join(coap_pipe *pipe)
{
    for (int i = 0; i < 2; i++) {
        coap_pipe_way *way = &pipe->way[i];
        way->at = way->len = way->assembler.used = 0;
        way->status = way->ended = DUNLIN_OK;
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            dn_coap_open(pipe->end[i]->coap, &pipe->end[1 - i]->address, dn_simlink_now(pipe->link)),
            DUNLIN_OK);
    }
}

void coap_pipe_cut(coap_pipe *pipe)
{
    for (int i = 0; i < 2; i++) {
        dn_coap_close(pipe->end[i]->coap, &pipe->end[1 - i]->address);
    }
    for (int i = 0; i < 2; i++) {
        pipe->way[i].at = pipe->way[i].len = 0;
    }
}

typedef struct {
    coap_pipe *pipe;
    int to;
} delivery;

static bool deliver(void *context, dunlin_slice message)
{
    const delivery *of = context;
    const coap_node *to = of->pipe->end[of->to], *from = of->pipe->end[1 - of->to];
    dn_coap_receive(to->coap, &from->address, message, dn_simlink_now(of->pipe->link));
    /* A stream that has ended is read no further. */
    return of->pipe->way[of->to].ended == DUNLIN_OK || of->pipe->way[of->to].ended == DUNLIN_END;
}

static void deliver_piece(coap_pipe *pipe, int to)
{
    coap_pipe_way *way = &pipe->way[to];
    dn_random random = dn_seeded_random(&pipe->seeded);
    size_t len = (size_t)dn_random_between(&random, 1, pipe->largest_piece);
    delivery context = {pipe, to};
    len = len < way->len - way->at ? len : way->len - way->at;
    uint8_t *exact = malloc(len);
    assert_non_null(exact);
    memcpy(exact, way->bytes + way->at, len);
    way->at += len;
    if (way->at == way->len) {
        way->at = way->len = 0;
    }
    pipe->pieces++;
    if (way->status == DUNLIN_OK) {
        way->status = dn_coap_assemble(&way->assembler, dunlin_slice_make(exact, len), deliver, &context);
    }
    free(exact);
}

bool coap_pipe_step(coap_pipe *pipe)
{
    dn_random random = dn_seeded_random(&pipe->seeded);
    int to = (int)(dn_random_u32(&random) & 1u);
    if (pipe->way[to].at == pipe->way[to].len) {
        to = 1 - to;
    }
    if (pipe->way[to].at == pipe->way[to].len) {
        return false;
    }
    deliver_piece(pipe, to);
    return true;
}

void coap_pipe_run(coap_pipe *pipe)
{
    do {
        while (coap_pipe_step(pipe)) {
        }
    } while (dn_simlink_step(pipe->link, dn_simlink_now(pipe->link) + DAY_MS));
}

void coap_pipe_check_idle(const coap_pipe *pipe)
{
    for (int i = 0; i < 2; i++) {
        const dn_coap *coap = pipe->end[i]->coap;
        assert_true(coap_node_is_idle(pipe->end[i]));
        assert_int_equal(coap->exchanges.in_use, 0);
        assert_int_equal(coap->pendings.in_use, 0);
        assert_int_equal(coap->in.in_use + coap->out.in_use, 0);
        assert_int_equal(coap->remotes.in_use, coap->connections.in_use);
        for (uint32_t t = 0; t < coap->transfers.count; t++) {
            assert_int_equal(coap->transfers.at[t].role, DN_COAP_TRANSFER_FREE);
            assert_int_equal(coap->streams.at[t].serial, 0);
        }
        for (uint32_t c = 0; c < coap->config.connections; c++) {
            assert_true(coap->connections.at[c].remote == DN_COAP_NONE ||
                        coap->connections.at[c].requests == 0);
        }
    }
}
