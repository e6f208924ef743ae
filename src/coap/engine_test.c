/* SPDX-License-Identifier: Apache-2.0 */
/* The engine as a whole: its configuration, its memory, and what strangers can do to it, which is nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "coap/core.h"
#include "tests/sim/coap_rig.h"
#include <stdlib.h>

static void drop(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    (void)peer;
    (void)datagram;
    (*(uint64_t *)context)++;
}

static void defaults_are_those_of_the_standard(void **state)
{
    dn_coap_config config = dn_coap_config_default();
    (void)state;
    assert_int_equal(config.ack_timeout_ms, 2000);
    assert_int_equal(config.ack_random_percent, 150);
    assert_int_equal(config.max_retransmit, 4);
    assert_int_equal(config.nstart, 1);
    assert_int_equal(config.exchange_lifetime_ms, 247000);
    assert_int_equal(config.non_lifetime_ms, 145000);
    assert_in_range(dn_coap_arena_size(&config), 20000, 64000); /* it fits a small device */
}

static void values_out_of_range(void **state)
{
    dn_coap_config good = dn_coap_config_default();
    dn_coap_config bad[17];
    (void)state;
    for (size_t i = 0; i < 17; i++) {
        bad[i] = good;
    }
    bad[0].ack_timeout_ms = 0;
    bad[1].ack_random_percent = 99;
    bad[2].max_retransmit = 9;
    bad[3].nstart = 0;
    bad[4].exchanges = 0;
    bad[5].exchanges = UINT32_MAX;
    bad[6].dedup_slots = 0;
    bad[7].dedup_slots = UINT32_MAX;
    bad[8].dedup_reply_max = 15;
    bad[9].dedup_per_peer = 0;
    bad[10].max_message = 1024; /* no room for a block of 1024 and its options */
    bad[11].max_message = 65536;
    bad[12].max_body = 1023;
    bad[13].max_body = UINT32_MAX;
    bad[14].block_szx = 7;
    bad[15].transfers = UINT32_MAX;
    bad[16].peers = UINT32_MAX;
    for (size_t i = 0; i < 17; i++) {
        assert_int_equal(dn_coap_arena_size(&bad[i]), 0);
    }
    good.transfers = 0;
    assert_true(dn_coap_arena_size(&good) > 0);
}

/* With few slots for peers, those that are only remembered give way to those that speak. */
static void few_peers(void **state)
{
    dn_coap_config config = dn_coap_config_default();
    size_t usual = dn_coap_arena_size(&config);
    (void)state;
    config.peers = 2;
    assert_true(dn_coap_arena_size(&config) < usual - 3000);
    config.peers = UINT16_MAX; /* more than can be needed costs nothing */
    assert_int_equal(dn_coap_arena_size(&config), usual);
    config.peers = 1;
    coap_rig *rig = rig_open(&config);
    for (int i = 0; i < 3; i++) {
        rig_play(rig, "< CON 0.02 #1 @a1 11='count'", "= request POST count", "> ACK 2.04 #1 @a1",
                 "< CON 0.02 #1 @a1 11='count'", "> ACK 2.04 #1 @a1", "=", "<2 CON 0.02 #1 @a1 11='count'",
                 "= request POST count", ">2 ACK 2.04 #1 @a1", NULL);
    }
    assert_int_equal(dn_coap_count(rig->coap)->limits, 0);
    /* Its request is more than an id: nobody else gets in until it is answered. */
    rig_play(rig, "< CON 0.01 #2 @a1 11='later'", "= request GET later", "< CON 0.02 #3 @a1 11='count'",
             "= request POST count", "> ACK 2.04 #3 @a1", "<2 CON 0.01 #2 @a1 11='small'", "=", ".",
             "< CON 0.02 #3 @a1 11='count'", "> ACK 2.04 #3 @a1", "=", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->limits, 1);
    rig->peer[1].bytes[0] = 0;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "a", 0), DUNLIN_ERR_LIMIT);
    rig->peer[1].bytes[0] = 1;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "a", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='a'", "< ACK 2.05 #L @L", "= result 2.05", NULL);
    assert_int_equal(rig_answer(rig, DN_COAP_CONTENT, 0), DUNLIN_OK);
    rig_play(rig, "> ACK 2.05 #2 @a1", "<2 CON 0.01 #3 @a1 11='small'", "= request GET small",
             ">2 ACK 2.05 #3 @a1 12= p='hello'", NULL);
    /* What is remembered of notifications gives way as well. */
    assert_int_equal(rig_notify(rig, "tk", false, 1, 0, false), DUNLIN_OK);
    rig_play(rig, "> NON 2.05 #* @746b 6=01", "<2 CON 0.01 #4 @a1 11='small'", "= request GET small",
             ">2 ACK 2.05 #4 @a1 12= p='hello'", NULL);
    assert_int_equal(rig->coap->remotes.in_use, 1);
    rig_close(rig);
}

static void creation(void **state)
{
    dn_coap_config config = dn_coap_config_default();
    uint64_t sent = 0;
    dn_coap_callbacks callbacks = {.send = drop, .context = &sent};
    dn_seeded seeded;
    (void)state;
    dn_seeded_init(&seeded, 1);
    dn_random random = dn_seeded_random(&seeded);
    size_t size = dn_coap_arena_size(&config);
    uint8_t *arena = malloc(size + 1); /* a sanitizer sees a byte too many */
    assert_non_null(arena);
    assert_null(dn_coap_create(arena, size - 1, &config, &callbacks, &random, NULL, 0));
    assert_null(dn_coap_create(arena + 1, size, &config, &callbacks, &random, NULL, 0));
    dn_coap *coap = dn_coap_create(arena, size, &config, &callbacks, &random, NULL, 0);
    assert_non_null(coap);
    assert_int_equal(dn_coap_deadline(coap), DN_NEVER);
    /* Without the callbacks that may be missing. */
    dn_peer peer = {.len = 1};
    uint8_t bytes[64];
    size_t len = coap_text_read("CON 2.05 #1 @aa 6=01", 0, dunlin_slice_make(NULL, 0), bytes, sizeof bytes);
    dn_coap_receive(coap, &peer, dunlin_slice_make(bytes, len), 1);
    len = coap_text_read("CON 0.01 #2 @aa", 0, dunlin_slice_make(NULL, 0), bytes, sizeof bytes);
    dn_coap_receive(coap, &peer, dunlin_slice_make(bytes, len), 1);
    assert_int_equal(sent, 2);
    assert_int_equal(dn_coap_count(coap)->resets_sent, 1);
    free(arena);
}

static void arguments_are_checked(void **state)
{
    coap_rig *rig = rig_open(NULL);
    dn_coap_outgoing request;
    uint64_t id;
    static const uint8_t codes[] = {DN_COAP_EMPTY, DN_COAP_CONTENT, DN_COAP_NOT_FOUND, DN_COAP_CODE(1, 0)};
    (void)state;
    for (size_t i = 0; i < sizeof codes; i++) {
        dn_coap_outgoing_init(&request, codes[i]);
        assert_int_equal(dn_coap_request(rig->coap, &rig->peer[1], &request, NULL, NULL, 0, &id),
                         DUNLIN_ERR_ARGUMENT);
    }
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.token.len = 9;
    assert_int_equal(dn_coap_request(rig->coap, &rig->peer[1], &request, NULL, NULL, 0, &id),
                     DUNLIN_ERR_ARGUMENT);
    const dn_coap_option descending[] = {{DN_OPTION_URI_QUERY, {NULL, 0}}, {DN_OPTION_URI_PATH, {NULL, 0}}};
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.options = descending;
    request.option_count = 2;
    assert_int_equal(dn_coap_request(rig->coap, &rig->peer[1], &request, NULL, NULL, 0, &id),
                     DUNLIN_ERR_SPACE);
    assert_int_equal(rig->coap->exchanges.in_use, 0);
    assert_int_equal(rig->coap->remotes.in_use, 0);
    rig_play(rig, ".", NULL);
    rig_close(rig);
}

static void ids_are_exact(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "a", 0), DUNLIN_OK);
    uint64_t old = rig->last_exchange;
    rig_play(rig, "> CON 0.01 #* @* 11='a'", "< ACK 2.05 #L @L", "= result 2.05", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "a", 0), DUNLIN_OK);
    assert_true(rig->last_exchange != old);
    assert_int_equal(dn_coap_cancel(rig->coap, old), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(dn_coap_cancel(rig->coap, rig->last_exchange), DUNLIN_OK);
    rig_close(rig);
}

/* Valid messages of every kind, as seeds for mutation. */
static const char *const seeds[] = {
    "CON 0.01 #1 @a1 11='small'",
    "CON 0.02 #2 @a1 11='count' p='x'",
    "CON 0.03 #3 @a1 11='echo' 27=08 p=~0+16",
    "CON 0.03 #4 @a1 11='echo' 27=18 p=~16+16",
    "NON 0.05 #5 @a1 6= 11='big' 11='3000' 23=02 28=",
    "CON 0.01 #6 @a1 11='later'",
    "CON 2.05 #7 @6f62 4=e1 6=05 12=28 23=0a p=~0+64",
    "NON 2.05 #8 @6f62 6=06 p='y'",
    "ACK 2.31 #9 @0102030405060708 27=0a",
    "ACK 0.00 #a @",
    "RST 0.00 #b @",
    "CON 0.00 #c @",
};

static bool on_notification(void *context, const dn_peer *peer, const dn_coap_response *notification)
{
    (void)context;
    (void)peer;
    return notification->payload.len % 2 == 0;
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    (void)context;
    sim_pattern_fill(body->data, 3000);
    reply->code = DN_COAP_CONTENT;
    reply->payload = dunlin_slice_make(body->data, request->code == DN_COAP_FETCH ? 3000 : 5);
    return request->payload.len % 7 == 6 ? DN_COAP_LATER : DN_COAP_ANSWERED;
}

static bool on_streams(void *context, const dn_coap_incoming *request)
{
    (void)context;
    return request->options.raw.len % 2 == 0;
}

static void on_piece(void *context, const dn_coap_incoming *request, uint64_t offset, bool more,
                     dunlin_buf *body, dn_coap_reply *reply)
{
    (void)context;
    (void)more;
    memcpy(body->data, request->payload.data, request->payload.len);
    reply->code = offset % 32 == 16 ? DN_COAP_CHANGED : reply->code;
}

/*
 * A million datagrams, random or mutated, from a few peers: no crash (run it under a sanitizer), every one is
 * counted, and when time has passed nothing is left of them.
 */
static void strangers_change_nothing_but_counters(void **state)
{
    dn_coap_config config = dn_coap_config_default();
    uint64_t sent = 0;
    dn_coap_callbacks callbacks = {.send = drop,
                                   .request = on_request,
                                   .notification = on_notification,
                                   .streams = on_streams,
                                   .piece = on_piece,
                                   .context = &sent};
    dn_seeded seeded;
    uint8_t corpus[sizeof seeds / sizeof seeds[0]][256];
    size_t lengths[sizeof seeds / sizeof seeds[0]];
    (void)state;
    config.dedup_slots = 64;
    dn_seeded_init(&seeded, 2024);
    dn_random random = dn_seeded_random(&seeded);
    void *arena = malloc(dn_coap_arena_size(&config));
    dn_coap *coap = dn_coap_create(arena, dn_coap_arena_size(&config), &config, &callbacks, &random, NULL, 0);
    assert_non_null(coap);
    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
        lengths[i] = coap_text_read(seeds[i], 0, dunlin_slice_make(NULL, 0), corpus[i], sizeof corpus[i]);
    }
    for (uint32_t i = 0; i < 1000000; i++) {
        uint8_t bytes[256];
        uint32_t dice = dn_random_u32(&random);
        size_t which = dice % (sizeof seeds / sizeof seeds[0]);
        size_t len = lengths[which];
        memcpy(bytes, corpus[which], len);
        if (dice >> 30 == 0) {
            len = dice >> 8 & 63;
            random.fill(random.context, bytes, len);
        } else {
            for (uint32_t flips = dice >> 28 & 3; flips > 0 && len > 0; flips--) {
                uint32_t where = dn_random_u32(&random);
                bytes[where % len] ^= (uint8_t)(where >> 24);
            }
            len -= (dice >> 20 & 15) == 0 && len > 0;
        }
        dn_peer peer = {.len = 2, .bytes = {(uint8_t)(dice >> 12 & 7)}};
        dn_coap_receive(coap, &peer, dunlin_slice_make(bytes, len), i / 10);
        if (i % 1000 == 0) {
            dn_coap_expire(coap, i / 10);
        }
        assert_true(coap->remotes.in_use <= coap->remotes.count);
    }
    const dn_coap_counters *count = dn_coap_count(coap);
    assert_int_equal(count->received, 1000000);
    assert_int_equal(count->sent, sent);
    assert_true(count->malformed > 100000 && count->requests > 10000 && count->duplicates > 1000);
    for (uint64_t now_ms = 100000; now_ms < 2000000; now_ms += 10000) {
        dn_coap_expire(coap, now_ms);
    }
    assert_int_equal(dn_coap_deadline(coap), DN_NEVER);
    assert_int_equal(coap->exchanges.in_use, 0);
    assert_int_equal(coap->pendings.in_use, 0);
    assert_int_equal(coap->in.in_use, 0);
    assert_int_equal(coap->remotes.in_use, 0);
    free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_standard),
        cmocka_unit_test(values_out_of_range),
        cmocka_unit_test(few_peers),
        cmocka_unit_test(creation),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(ids_are_exact),
        cmocka_unit_test(strangers_change_nothing_but_counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
