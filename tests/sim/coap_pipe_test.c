/* SPDX-License-Identifier: Apache-2.0 */
/* Two CoAP engines over a stream whose bytes come in pieces of any size: in virtual time, the same on each run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/coap_pipe.h"
#include <stdio.h>
#include <stdlib.h>

#define NOTHING dunlin_slice_make(NULL, 0)
#define SEEDS   28

static dn_coap_config pipe_config(void)
{
    dn_coap_config config = coap_node_config();
    config.connections = 1;
    return config;
}

/* Pairs of ends that take messages of different sizes, some with BERT and some without. */
static coap_pipe *open_pipe(uint64_t seed)
{
    static const uint32_t sizes[] = {1152, 1153, 1300, 2300, 8192, 20000, 100000};
    dn_coap_config first = pipe_config(), second = pipe_config();
    first.max_stream_message = sizes[seed % 7];
    second.max_stream_message = sizes[seed / 7 % 7];
    first.block_szx = (uint8_t)(6 - seed % 3);
    coap_pipe *pipe = coap_pipe_create(seed, &first, &second);
    coap_pipe_join(pipe);
    return pipe;
}

/* Much in pieces of a byte takes long and shows no more. */
static void at_least_pages(coap_pipe *pipe)
{
    pipe->largest_piece = pipe->largest_piece < 512 ? 512 : pipe->largest_piece;
}

/* Nobody may lose, double or mix up anything; both ends ask at the same time. */
static void requests_both_ways(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        coap_pipe *pipe = open_pipe(seed);
        const uint32_t total = 300;
        pipe->end[0]->some_later = pipe->end[1]->some_later = true;
        for (uint32_t i = 0; i < total; i++) {
            for (int end = 0; end < 2; end++) {
                assert_int_equal(coap_node_request(pipe->end[end], pipe->end[1 - end], DN_COAP_POST,
                                                   i % 2 == 0, "count", NULL,
                                                   dunlin_slice_make(&i, sizeof i)),
                                 DUNLIN_OK);
            }
            (void)coap_pipe_step(pipe);
        }
        coap_pipe_run(pipe);
        for (int end = 0; end < 2; end++) {
            assert_int_equal(pipe->end[end]->results.ended, total);
            assert_int_equal(pipe->end[end]->results.ok, total);
            for (uint32_t i = 0; i < total; i++) {
                assert_int_equal(pipe->end[end]->counted[i], 1);
            }
        }
        coap_pipe_check_idle(pipe);
        coap_pipe_destroy(pipe);
    }
}

static void one_of_each(coap_pipe *pipe, size_t size)
{
    coap_node *client = pipe->end[0], *server = pipe->end[1];
    const coap_node_results *results = &client->results;
    dunlin_slice body = dunlin_slice_make(client->pattern, size);
    char number[16];
    (void)snprintf(number, sizeof number, "%zu", size);
    assert_int_equal(coap_node_request(client, server, DN_COAP_PUT, true, "store", NULL, body), DUNLIN_OK);
    coap_pipe_run(pipe);
    assert_int_equal(results->last_code, DN_COAP_CHANGED);
    assert_int_equal(server->stored_length, size);
    assert_true(server->stored_is_pattern);
    assert_int_equal(coap_node_request(client, server, DN_COAP_GET, true, "big", number, NOTHING), DUNLIN_OK);
    coap_pipe_run(pipe);
    assert_int_equal(results->last_code, DN_COAP_CONTENT);
    assert_int_equal(results->last_length, size);
    assert_true(results->last_is_pattern);
    assert_int_equal(coap_node_request(client, server, DN_COAP_FETCH, true, "mirror", NULL, body), DUNLIN_OK);
    coap_pipe_run(pipe);
    assert_int_equal(results->last_code, DN_COAP_CONTENT);
    assert_int_equal(results->last_length, size);
    assert_true(results->last_is_pattern);
    assert_int_equal(coap_node_upload(client, server, size), DUNLIN_OK);
    coap_pipe_run(pipe);
    assert_int_equal(results->last_code, DN_COAP_CHANGED);
    assert_int_equal(server->piped, size);
    client->taken = 0;
    assert_int_equal(coap_node_download(client, server, size), DUNLIN_OK);
    coap_pipe_run(pipe);
    assert_int_equal(results->last_code, DN_COAP_CONTENT);
    assert_int_equal(client->taken, size);
    assert_int_equal(results->ended, results->ok);
}

/* Put, got, mirrored, up and down in pieces: whatever the ends take, the body is the same. */
static void bodies_of_all_sizes(void **state)
{
    static const size_t sizes[] = {0, 13, 1024, 1025, 1087, 1152, 2300, 3072, 8193, 20000, 65536};
    (void)state;
    for (uint64_t seed = 0; seed < 49; seed++) {
        coap_pipe *pipe = open_pipe(seed);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            if (sizes[i] > 4000) {
                at_least_pages(pipe);
            }
            one_of_each(pipe, sizes[i]);
        }
        coap_pipe_cut(pipe);
        coap_pipe_check_idle(pipe);
        coap_pipe_destroy(pipe);
    }
}

/* Fetches what did not fit; keeps what came last. */
static bool take_notification(coap_node *node, const dn_coap_response *notification)
{
    coap_pipe *pipe = node->carrier;
    node->stored_times++;
    node->stored_is_pattern = coap_is_pattern(notification->payload);
    node->stored_length = notification->payload.len;
    if (notification->more) {
        dn_coap_outgoing request;
        dn_coap_outgoing_init(&request, DN_COAP_GET);
        memcpy(node->pattern, notification->payload.data, notification->payload.len);
        request.first = dunlin_slice_make(node->pattern, notification->payload.len);
        request.first_szx = notification->szx;
        assert_int_equal(coap_node_request_with(node, pipe->end[0], &request, "big", "30000"), DUNLIN_OK);
    }
    return true;
}

static void notifications_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        coap_pipe *pipe = open_pipe(seed);
        coap_node *server = pipe->end[0], *client = pipe->end[1];
        client->notified = take_notification;
        for (uint32_t i = 0; i < 50; i++) {
            dn_coap_token token = {1, {0xa1}};
            dn_coap_reply reply;
            dn_coap_reply_init(&reply, DN_COAP_CONTENT);
            reply.observe = (int32_t)i;
            reply.payload = dunlin_slice_make(server->pattern, i % 10 == 0 ? 30000 : i);
            assert_int_equal(dn_coap_notify(server->coap, &client->address, &token, &reply, i % 2 == 0, NULL,
                                            NULL, dn_simlink_now(pipe->link), NULL),
                             DUNLIN_OK);
            for (int steps = i % 10 == 0 ? 100000 : 2; steps > 0 && coap_pipe_step(pipe); steps--) {
            }
        }
        coap_pipe_run(pipe);
        assert_int_equal(client->stored_times, 50);
        assert_true(client->stored_is_pattern);
        assert_int_equal(client->stored_length, 49);
        assert_int_equal(client->results.ended, client->results.ok);
        assert_true(client->results.ended == 0 || client->results.last_length == 30000);
        coap_pipe_cut(pipe);
        coap_pipe_check_idle(pipe);
        coap_pipe_destroy(pipe);
    }
}

/* Everything under way at once. */
static void begin_everything(coap_pipe *pipe, uint32_t number)
{
    for (int end = 0; end < 2; end++) {
        coap_node *from = pipe->end[end], *to = pipe->end[1 - end];
        uint64_t id;
        (void)coap_node_request(from, to, DN_COAP_POST, true, "count", NULL,
                                dunlin_slice_make(&number, sizeof number));
        (void)coap_node_request(from, to, DN_COAP_PUT, true, "store", NULL,
                                dunlin_slice_make(from->pattern, 40000));
        (void)coap_node_request(from, to, DN_COAP_GET, true, "big", "50000", NOTHING);
        (void)coap_node_upload(from, to, 100000);
        (void)coap_node_download(from, to, 100000);
        dn_coap_token token = {1, {0xa1}};
        dn_coap_reply reply;
        dn_coap_reply_init(&reply, DN_COAP_CONTENT);
        reply.observe = 1;
        reply.payload = dunlin_slice_make(from->pattern, number * 10);
        (void)dn_coap_notify(from->coap, &to->address, &token, &reply, true, NULL, NULL,
                             dn_simlink_now(pipe->link), &id);
    }
}

/* Each request ends once, whenever the stream breaks; nothing is left; and over the next one all goes on. */
static void cut_anywhere(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        coap_pipe *pipe = open_pipe(seed % 49);
        dn_random random = dn_seeded_random(&pipe->seeded);
        pipe->largest_piece = 2000;
        pipe->end[0]->some_later = pipe->end[1]->some_later = true;
        for (uint32_t round = 0; round < 20; round++) {
            begin_everything(pipe, round);
            uint64_t pieces = dn_random_between(&random, 0, 200);
            while (pieces-- > 0 && coap_pipe_step(pipe)) {
            }
            coap_pipe_cut(pipe);
            for (int end = 0; end < 2; end++) {
                pipe->end[end]->taken = 0;
                assert_int_equal(pipe->end[end]->results.ended, (round + 1) * 5);
                assert_int_equal(pipe->end[end]->results.timeouts, 0);
            }
            while (dn_simlink_step(pipe->link, dn_simlink_now(pipe->link) + 100000)) {
            }
            coap_pipe_check_idle(pipe);
            coap_pipe_join(pipe);
        }
        begin_everything(pipe, 20);
        coap_pipe_run(pipe);
        for (int end = 0; end < 2; end++) {
            assert_int_equal(pipe->end[end]->results.ended, 21 * 5);
            assert_int_equal(pipe->end[end]->counted[20], 1);
            assert_int_equal(pipe->end[end]->taken, 100000);
        }
        coap_pipe_destroy(pipe);
    }
}

/* Bytes that are no messages end the stream at the end which they reach, and by its Abort at the other. */
static void nonsense_under_way(void **state)
{
    static const uint8_t nonsense[][4] = {{0x09, 0x01, 0x01, 0x01}, {0x10, 0x01, 0xff, 0x00}};
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        coap_pipe *pipe = open_pipe(seed);
        begin_everything(pipe, 1);
        for (int i = 0; i < 10; i++) {
            (void)coap_pipe_step(pipe);
        }
        /* Behind a message that is whole. */
        coap_pipe_insert(pipe, 1, dunlin_slice_make(nonsense[seed % 2], 4));
        for (int i = 0; i < 5000 && coap_pipe_step(pipe); i++) {
        }
        if (seed % 2 == 0) {
            assert_int_equal(pipe->way[1].status, DUNLIN_ERR_MALFORMED); /* the assembler's */
        } else {
            assert_int_equal(pipe->way[1].ended, DUNLIN_ERR_MALFORMED); /* the engine's */
            while (coap_pipe_step(pipe)) {
            }
            assert_int_equal(pipe->way[0].ended, DUNLIN_ERR_REJECTED);
        }
        coap_pipe_cut(pipe);
        for (int end = 0; end < 2; end++) {
            assert_int_equal(pipe->end[end]->results.ended, 5);
        }
        coap_pipe_join(pipe);
        pipe->end[0]->results = (coap_node_results){0};
        one_of_each(pipe, 5000);
        coap_pipe_destroy(pipe);
    }
}

/* What is under way when one end wants to go is finished. */
static void release_under_way(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        coap_pipe *pipe = open_pipe(seed);
        at_least_pages(pipe);
        begin_everything(pipe, 1);
        for (uint64_t i = 0; i < seed * 5; i++) {
            (void)coap_pipe_step(pipe);
        }
        assert_int_equal(dn_coap_release(pipe->end[0]->coap, &pipe->end[1]->address), DUNLIN_OK);
        coap_pipe_run(pipe);
        assert_int_equal(pipe->way[1].ended, DUNLIN_END);
        assert_int_equal(pipe->way[0].ended, DUNLIN_OK);
        for (int end = 0; end < 2; end++) {
            assert_int_equal(pipe->end[end]->results.ok, 5);
            assert_int_equal(pipe->end[end]->taken, 100000);
        }
        coap_pipe_cut(pipe);
        coap_pipe_check_idle(pipe);
        coap_pipe_destroy(pipe);
    }
}

/* A firmware package each way, between engines that could not hold two messages of it. */
static void twenty_megabytes(void **state)
{
    const size_t size = 20u << 20;
    dn_coap_config config = dn_coap_config_default();
    (void)state;
    config.connections = 1;
    config.exchanges = 1;
    config.transfers = 1;
    config.max_body = 1024;
    config.dedup_slots = 1;
    assert_in_range(dn_coap_arena_size(&config), 1,
                    18000); /* one message of 8 KiB, and the wheel of deadlines */
    coap_pipe *pipe = coap_pipe_create(13, &config, &config);
    coap_pipe_join(pipe);
    while (coap_pipe_step(pipe)) {
    }
    assert_int_equal(coap_node_upload(pipe->end[0], pipe->end[1], size), DUNLIN_OK);
    coap_pipe_run(pipe);
    assert_int_equal(pipe->end[1]->piped, size);
    assert_int_equal(coap_node_download(pipe->end[0], pipe->end[1], size), DUNLIN_OK);
    coap_pipe_run(pipe);
    assert_int_equal(pipe->end[0]->taken, size);
    assert_int_equal(pipe->end[0]->results.ok, 2);
    /* Seven kilobytes to a message: two messages to each of them, and two CSMs. */
    assert_in_range(dn_coap_count(pipe->end[0]->coap)->sent, 2 * (size / 7168), 2 * (size / 7168) + 10);
    coap_pipe_destroy(pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_both_ways),     cmocka_unit_test(bodies_of_all_sizes),
        cmocka_unit_test(notifications_in_order), cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(nonsense_under_way),     cmocka_unit_test(release_under_way),
        cmocka_unit_test(twenty_megabytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
