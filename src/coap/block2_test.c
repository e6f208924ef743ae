/* SPDX-License-Identifier: Apache-2.0 */
/* Response bodies in blocks, both roles, alone and after Block1 (RFC 7959 sections 2.4, 2.6, 2.7, 2.8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/coap_rig.h"
#include <stdio.h>

static dn_coap_config with_szx(uint8_t szx)
{
    dn_coap_config config = dn_coap_config_default();
    config.block_szx = szx;
    config.max_body = 8192;
    return config;
}

static void server_hands_out_blocks(void **state)
{
    dn_coap_config config = with_szx(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @a1 11='big' 11='150'", "= request GET big/150",
             "> ACK 2.05 #1 @a1 4=* 12= 23=0a 28=96 p=~0+64", NULL);
    rig_play(rig, "< CON 0.01 #2 @a2 11='big' 11='150' 23=12", "=",
             "> ACK 2.05 #2 @a2 4=* 12= 23=1a p=~64+64", NULL);
    rig_play(rig, "< CON 0.01 #3 @a3 11='big' 11='150' 23=22", "=",
             "> ACK 2.05 #3 @a3 4=* 12= 23=22 p=~128+22", NULL);
    /* Random access: any block, in any size up to ours, while the body is kept. */
    rig_play(rig, "< CON 0.01 #4 @a4 11='big' 11='150' 23=10", "=",
             "> ACK 2.05 #4 @a4 4=* 12= 23=18 p=~16+16", NULL);
    rig_play(rig, "< CON 0.01 #5 @a5 11='big' 11='150' 23=11", "=",
             "> ACK 2.05 #5 @a5 4=* 12= 23=19 p=~32+32", NULL);
    /* A larger size is answered with ours, at the same place. */
    rig_play(rig, "< CON 0.01 #6 @a6 11='big' 11='150' 23=13", "=",
             "> ACK 2.05 #6 @a6 4=* 12= 23=22 p=~128+22", NULL);
    rig_play(rig, "< CON 0.01 #7 @a7 11='big' 11='150' 23=32", "=", "> ACK 4.00 #7 @a7", NULL);
    /* Section 2.3: in a request the option's M has no meaning. */
    rig_play(rig, "< CON 0.01 #8 @a8 11='big' 11='150' 23=1a", "=",
             "> ACK 2.05 #8 @a8 4=* 12= 23=1a p=~64+64", NULL);
    rig_close(rig);
}

static void the_peer_asks_for_smaller_blocks(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @a1 11='big' 11='100' 23=02", "= request GET big/100",
             "> ACK 2.05 #1 @a1 4=* 12= 23=0a 28=64 p=~0+64", "< CON 0.01 #2 @a1 11='big' 11='100' 23=12",
             "=", "> ACK 2.05 #2 @a1 4=* 12= 23=12 p=~64+36", NULL);
    /* A body that fits is answered with the option as well; and with its size when that was asked for. */
    rig_play(rig, "< CON 0.01 #3 @a1 11='small' 23=06", "= request GET small",
             "> ACK 2.05 #3 @a1 12= 23=06 p='hello'",
             "< CON 0.01 #4 @a1 11='small' 23=06 28=", "= request GET small",
             "> ACK 2.05 #4 @a1 12= 23=06 28=05 p='hello'",
             "< CON 0.01 #5 @a1 11='small' 28=", "= request GET small",
             "> ACK 2.05 #5 @a1 12= 28=05 p='hello'", NULL);
    /* An error does not take part. */
    rig_play(rig, "< CON 0.01 #6 @a1 11='fail' 23=02", "= request GET fail", "> ACK 5.00 #6 @a1", NULL);
    rig_close(rig);
}

/* After the kept body has gone, a safe method makes it again, with the same tag as long as it is the same. */
static void a_body_is_made_again(void **state)
{
    coap_rig *rig = rig_open(NULL);
    uint8_t first[16], second[16], third[16];
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @a1 11='big' 11='100' 23=02", "= request GET big/100", NULL);
    memcpy(first, rig->sent[0].bytes, 16);
    rig_play(rig, "> ACK 2.05 #1 @a1 4=* 12= 23=0a 28=64 p=~0+64", "+93000", NULL);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    rig_play(rig, "< CON 0.01 #2 @a1 11='big' 11='100' 23=12", NULL);
    memcpy(second, rig->sent[0].bytes, 16);
    rig_play(rig, "> ACK 2.05 #2 @a1 4=* 12= 23=12 p=~64+36", "+93000", NULL);
    rig->log_count = 0;
    rig->change_after = 1;
    rig_play(rig, "< CON 0.01 #3 @a1 11='big' 11='100' 23=12", "= request GET big/100", NULL);
    memcpy(third, rig->sent[0].bytes, 16);
    assert_memory_equal(first + 5, second + 5, 5); /* the ETag option */
    assert_memory_not_equal(first + 5, third + 5, 5);
    rig_close(rig);
}

static void a_post_is_not_made_again(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.02 #1 @a1 11='big' 11='100' 23=02", "= request POST big/100",
             "> ACK 2.05 #1 @a1 4=* 12= 23=0a 28=64 p=~0+64", "< CON 0.02 #2 @a1 11='big' 11='100' 23=12",
             "=", "> ACK 2.05 #2 @a1 4=* 12= 23=12 p=~64+36", "+93000",
             "< CON 0.02 #3 @a1 11='big' 11='100' 23=12", "=", "> ACK 4.08 #3 @a1", NULL);
    rig_close(rig);
}

static void the_oldest_body_that_can_be_made_again_goes(void **state)
{
    dn_coap_config config = with_szx(0);
    config.transfers = 2;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.02 #1 @a1 11='big' 11='20'", "= request POST big/20",
             "> ACK 2.05 #1 @a1 4=* 12= 23=08 28=14 p=~0+16", "+1", NULL);
    for (int i = 0; i < 3; i++) {
        char line[64], seen[64];
        (void)snprintf(line, sizeof line, "< CON 0.01 #1%x @a1 11='big' 11='2%x'", i, i);
        (void)snprintf(seen, sizeof seen, "= request GET big/2%x", i);
        rig_play(rig, line, seen, "> ACK 2.05 #* @a1 4=* 12= 23=08 28=* p=~0+16", "+1", NULL);
    }
    rig_play(rig, "< CON 0.02 #2 @a1 11='big' 11='20' 23=10", "=", "> ACK 2.05 #2 @a1 4=* 12= 23=10 p=*",
             NULL);
    /* No room at all: what can be made again needs none. */
    rig_play(rig, "< CON 0.02 #3 @a1 11='big' 11='33'", "= request POST big/33",
             "> ACK 2.05 #3 @a1 4=* 12= 23=08 28=21 p=~0+16", "< CON 0.01 #4 @a1 11='big' 11='40'",
             "= request GET big/40", "> ACK 2.05 #4 @a1 4=* 12= 23=08 28=28 p=~0+16",
             "< CON 0.01 #5 @a1 11='big' 11='40' 23=10", "= request GET big/40",
             "> ACK 2.05 #5 @a1 4=* 12= 23=18 p=~16+16", "< CON 0.02 #6 @a1 11='big' 11='34'",
             "= request POST big/34", "> ACK 5.03 #6 @a1", NULL);
    rig_close(rig);
}

/* What is asked is in the payload: two answers to one peer do not get mixed up. Without it the next block is of the last one. */
static void two_answers_to_questions_of_one_peer(void **state)
{
    dn_coap_config config = with_szx(0);
    config.transfers = 4;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.05 #1 @a1 11='echo' p=~0+48", "= request FETCH echo ~48",
             "> ACK 2.04 #1 @a1 4=* 12= 23=08 28=30 p=~0+16", "+1", "< CON 0.05 #2 @a2 11='echo' p=~64+48",
             "= request FETCH echo 48 other bytes", "> ACK 2.04 #2 @a2 4=* 12= 23=08 28=30 p=~64+16",
             "< CON 0.05 #3 @a3 11='echo' 23=10 p=~0+48", "=", "> ACK 2.04 #3 @a3 4=* 12= 23=18 p=~16+16",
             "+1", "< CON 0.05 #4 @a4 11='echo' 23=10 p=~64+48", "=",
             "> ACK 2.04 #4 @a4 4=* 12= 23=18 p=~80+16", "+1", "< CON 0.05 #5 @a5 11='echo' 23=20 p=~0+48",
             "=", "> ACK 2.04 #5 @a5 4=* 12= 23=20 p=~32+16", "+1", "< CON 0.05 #6 @a6 11='echo' 23=20", "=",
             "> ACK 2.04 #6 @a6 4=* 12= 23=20 p=~32+16", "< CON 0.05 #7 @a7 11='other' 23=20",
             "= request FETCH other", "> ACK 4.00 #7 @a7", NULL);
    /* The same when the question came in blocks. */
    rig_play(rig, "+1", "< CON 0.05 #8 @a8 11='echo' 27=08 p=~128+16", "> ACK 2.31 #8 @a8 27=08",
             "< CON 0.05 #9 @a9 11='echo' 27=18 p=~144+16", "> ACK 2.31 #9 @a9 27=18",
             "< CON 0.05 #a @aa 11='echo' 27=20 p=~160+16", "= request FETCH echo 48 other bytes",
             "> ACK 2.04 #a @aa 4=* 12= 23=08 27=20 28=30 p=~128+16", "< CON 0.05 #b @ab 11='echo' 23=10",
             "=", "> ACK 2.04 #b @ab 4=* 12= 23=18 p=~144+16", "< CON 0.05 #c @ac 11='echo' 23=10 p=~64+48",
             "=", "> ACK 2.04 #c @ac 4=* 12= 23=18 p=~80+16", NULL);
    rig_close(rig);
}

static void separate_answers_in_blocks(void **state)
{
    dn_coap_config config = with_szx(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @a1 11='later'", "= request GET later", "+500", "> ACK 0.00 #1 @", NULL);
    assert_int_equal(rig_answer(rig, DN_COAP_CONTENT, 100), DUNLIN_OK);
    rig_play(rig, "> CON 2.05 #* @a1 4=* 23=0a 28=64 p=~0+64", "< ACK 0.00 #L @",
             "< CON 0.01 #2 @a2 11='later' 23=12", "=", "> ACK 2.05 #2 @a2 4=* 23=12 p=~64+36", NULL);
    rig_close(rig);
}

/* Section 2.6: Observe on the first block only; later blocks do not make an observation. */
static void observed_resources_in_blocks(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_notify(rig, "tk", false, 7, 1500, false), DUNLIN_OK);
    rig_play(rig, "> NON 2.05 #* @746b 4=* 6=07 23=0e 28=05dc p=~0+1024", NULL);
    rig_play(rig, "< CON 0.01 #1 @a1 6= 11='watch' 23=", "= request GET watch observe=0",
             "> ACK 2.05 #1 @a1 4=* 6=01 12= 23=08 28=28 p=~0+16", "+93000",
             "< CON 0.01 #2 @a1 11='watch' 23=10", "= request GET watch",
             "> ACK 2.05 #2 @a1 4=* 12= 23=18 p=~16+16", NULL);
    rig_close(rig);
}

static void notify_big(coap_rig *rig, uint64_t key, int32_t sequence, const uint8_t *body)
{
    dn_coap_reply reply;
    dn_coap_token token = {2, "tk"};
    dn_coap_reply_init(&reply, DN_COAP_CONTENT);
    reply.observe = sequence;
    reply.payload = dunlin_slice_make(body, 100);
    reply.key = key;
    assert_int_equal(
        dn_coap_notify(rig->coap, &rig->peer[1], &token, &reply, false, NULL, NULL, rig->now_ms, NULL),
        DUNLIN_OK);
}

/* The observer's next blocks are of the state that was notified, never of the one before. */
static void notified_bodies_are_kept(void **state)
{
    dn_coap_config config = with_szx(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @746b 6= 11='big' 11='100'", "= request GET big/100 observe=0",
             "> ACK 2.05 #1 @746b 4=* 12= 23=0a 28=64 p=~0+64", NULL);
    notify_big(rig, rig->last_key, 2, rig->body + 16);
    rig_play(rig, "> NON 2.05 #* @746b 4=* 6=02 23=0a 28=64 p=~16+64",
             "< CON 0.01 #2 @a2 11='big' 11='100' 23=12", "=", "> ACK 2.05 #2 @a2 4=* 23=12 p=~80+36", NULL);
    notify_big(rig, 0, 3, rig->body + 32);
    rig_play(rig, "> NON 2.05 #* @746b 4=* 6=03 23=0a 28=64 p=~32+64",
             "< CON 0.01 #3 @a3 11='big' 11='100' 23=12", "= request GET big/100",
             "> ACK 2.05 #3 @a3 4=* 12= 23=12 p=~64+36", NULL);
    rig_close(rig);
}

/* Section 2.7, 3.3: a FETCH with a large question and a large answer. */
static void blocks_both_ways(void **state)
{
    dn_coap_config config = with_szx(0);
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.05 #1 @a1 11='echo' 27=08 p=~0+16", "> ACK 2.31 #1 @a1 27=08",
             "< CON 0.05 #2 @a2 11='echo' 23= 27=10 p=~16+16", "= request FETCH echo ~32",
             "> ACK 2.04 #2 @a2 4=* 12= 23=08 27=10 28=20 p=~0+16", "< CON 0.05 #3 @a3 11='echo' 23=10", "=",
             "> ACK 2.04 #3 @a3 4=* 12= 23=10 p=~16+16", NULL);
    rig_close(rig);
}

static void client_asks_for_blocks(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "big", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='big'", "< ACK 2.05 #L @L 4=e1 12=28 23=0a p=~0+64",
             "> CON 0.01 #* @* 11='big' 23=12", "< ACK 2.05 #L @L 4=e1 12=28 23=1a p=~64+64",
             "> CON 0.01 #* @* 11='big' 23=22", "=", "< ACK 2.05 #L @L 4=e1 12=28 23=22 p=~128+22",
             "= result 2.05 cf=40 ~150", ".", NULL);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    rig_close(rig);
}

static void each_block_has_a_token_of_its_own(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "big", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='big'", "< ACK 2.05 #L @L 23=08 p=~0+16", NULL);
    assert_memory_not_equal(rig->sent[0].bytes + 4, rig->sent[1].bytes + 4, 8);
    rig_close(rig);
}

static void client_prefers_smaller_blocks(void **state)
{
    dn_coap_config config = with_szx(1);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "big", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='big' 23=01", "< ACK 2.05 #L @L 23=0a p=~0+64", /* it did not care */
             "> CON 0.01 #* @* 11='big' 23=21", "< ACK 2.05 #L @L 23=29 p=~64+32",
             "> CON 0.01 #* @* 11='big' 23=31", "< ACK 2.05 #L @L 23=60 p=~96+16", "= result 2.05 ~112",
             NULL); /* smaller still, at the same place */
    rig_close(rig);
}

static void client_follows_a_peer_that_shrinks(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "big", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='big'", "< ACK 2.05 #L @L 23=0a p=~0+64",
             "> CON 0.01 #* @* 11='big' 23=12", "< ACK 2.05 #L @L 23=48 p=~64+16",
             "> CON 0.01 #* @* 11='big' 23=50", "< ACK 2.05 #L @L 23=50 p=~80+16", "= result 2.05 ~96", NULL);
    rig_close(rig);
}

/* Section 2.4: another ETag means another body: from the start, but not for ever. */
static void client_starts_anew_when_the_body_changed(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "big", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='big'", "< ACK 2.05 #L @L 4=e1 23=08 p='xxxxxxxxxxxxxxxx'",
             "> CON 0.01 #* @* 11='big' 23=10", "< ACK 2.05 #L @L 4=e2 23=10 p='y'",
             "> CON 0.01 #* @* 11='big' 23=06", "< ACK 2.05 #L @L 4=e2 23=08 p=~0+16",
             "> CON 0.01 #* @* 11='big' 23=10", "< ACK 2.05 #L @L 4=e2 23=10 p=~16+16", "= result 2.05 ~32",
             NULL);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "big", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='big'", NULL);
    for (int i = 0; i < 4; i++) {
        rig_play(rig, "=", "< ACK 2.05 #L @L 4=e1 23=08 p=~0+16", "> CON 0.01 #* @* 11='big' 23=10",
                 "< ACK 2.05 #L @L 4=e2 23=10 p='y'", NULL);
        if (i < 3) {
            rig_play(rig, "> CON 0.01 #* @* 11='big' 23=06", NULL);
        }
    }
    rig_play(rig, "= result -1", ".", NULL);
    rig_close(rig);
}

static void client_notices_broken_blocks(void **state)
{
    static const struct {
        const char *why, *in, *result;
    } cases[] = {
        {"another block than asked", "< ACK 2.05 #L @L 23=28 p=~32+16", "= result -1"},
        {"the block before", "< ACK 2.05 #L @L 23=08 p=~0+16", "= result -1"},
        {"too short for more", "< ACK 2.05 #L @L 23=18 p=~16+15", "= result -1"},
        {"too long", "< ACK 2.05 #L @L 23=10 p=~16+17", "= result -1"},
        {"the reserved size", "< ACK 2.05 #L @L 23=17 p=~16+16", "= result -1"},
        {"an unknown critical option", "< ACK 2.05 #L @L 23=10 65001= p=~16+16", "= result -1"},
        {"an error", "< ACK 4.04 #L @L", "= result 4.04"},
        {"incomplete", "< ACK 4.08 #L @L", "= result 4.08"},
        {"reset", "< RST 0.00 #L @", "= result -43"},
        {"the whole at once", "< ACK 2.05 #L @L p=~0+100", "= result 2.05 ~100"},
        {"an empty last block", "< ACK 2.05 #L @L 23=10", "= result 2.05 ~16"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        coap_rig *rig = rig_open(NULL);
        assert_int_equal(rig_request(rig, DN_COAP_GET, "big", 0), DUNLIN_OK);
        rig_play(rig, "> CON 0.01 #* @* 11='big'", "< ACK 2.05 #L @L 23=08 p=~0+16",
                 "> CON 0.01 #* @* 11='big' 23=10", cases[i].in, cases[i].result, ".", NULL);
        assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
        rig_close(rig);
    }
    coap_rig *rig = rig_open(NULL);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "big", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='big'", "< ACK 2.05 #L @L 23=18 p=~16+16", "= result -1", NULL);
    rig_close(rig);
}

static void client_keeps_its_limits(void **state)
{
    dn_coap_config config = with_szx(6);
    config.max_body = 2000;
    config.transfers = 1;
    config.nstart = 2;
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "big", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='big'", "< ACK 2.05 #L @L 23=0e 28=07d1 p=~0+1024", "= result -21",
             ".", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "big", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='big'", "< ACK 2.05 #L @L 23=0e p=~0+1024",
             "> CON 0.01 #* @* 11='big' 23=16", "< ACK 2.05 #L @L 23=16 p=~1024+977", "= result -21", ".",
             NULL);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "big", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='big'", "< ACK 2.05 #L @L 23=0e p=~0+1024",
             "> CON 0.01 #* @* 11='big' 23=16", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "second", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='second'", "< ACK 2.05 #L @L 23=0e p=~0+1024", "= result -21", ".",
             NULL);
    rig_close(rig);
}

/* The rest of a notification that did not fit. */
static void client_fetches_the_rest(void **state)
{
    coap_rig *rig = rig_open(NULL);
    dn_coap_outgoing request;
    static const uint8_t etag[] = {0xe1};
    (void)state;
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.first = dunlin_slice_make(rig->body, 64);
    request.first_szx = 2;
    request.first_etag = dunlin_slice_make(etag, 1);
    assert_int_equal(rig_request_with(rig, &request, "big"), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='big' 23=12", "< ACK 2.05 #L @L 4=e1 12=3c 23=12 p=~64+10",
             "= result 2.05 cf=60 ~74", NULL);
    assert_int_equal(rig_request_with(rig, &request, "big"), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='big' 23=12", "< ACK 2.05 #L @L 4=e2 23=12 p=~64+10",
             "> CON 0.01 #* @* 11='big' 23=06", "< ACK 2.05 #L @L 4=e2 23=06 p=~0+20", "= result 2.05 ~20",
             NULL);
    request.first_szx = 3; /* 64 bytes are not a block of 128 */
    assert_int_equal(rig_request_with(rig, &request, "big"), DUNLIN_ERR_ARGUMENT);
    request.first_szx = 7;
    assert_int_equal(rig_request_with(rig, &request, "big"), DUNLIN_ERR_ARGUMENT);
    rig_close(rig);
}

/* RFC 7959 section 3.4: the blocks after the first are asked for without Observe, under other tokens. */
static void client_observes_a_large_resource(void **state)
{
    coap_rig *rig = rig_open(NULL);
    dn_coap_outgoing request;
    (void)state;
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.observe = 0;
    request.token = (dn_coap_token){2, "ob"};
    assert_int_equal(rig_request_with(rig, &request, "big"), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @6f62 6= 11='big'", "< ACK 2.05 #L @L 6=05 23=08 p=~0+16",
             "> CON 0.01 #* @* 11='big' 23=10", NULL);
    uint16_t mid = rig->last_mid;
    uint8_t token[8];
    memcpy(token, rig->last_token, 8);
    rig_play(rig, "< NON 2.05 #9 @6f62 6=06 p='new'", "= notification 2.05 observe=6 new", NULL);
    rig->last_mid = mid;
    rig->last_token_len = 8;
    memcpy(rig->last_token, token, 8);
    rig_play(rig, "< ACK 2.05 #L @L 23=10 p=~16+1", "= result 2.05 observe=5 ~17", NULL);
    rig_close(rig);
}

static void client_fetches_with_a_question(void **state)
{
    dn_coap_config config = with_szx(0);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_FETCH, "q", 16), DUNLIN_OK);
    rig_play(rig, "> CON 0.05 #* @* 11='q' 23= p=~0+16", "< ACK 2.05 #L @L 23=08 p=~0+16",
             "> CON 0.05 #* @* 11='q' 23=10 p=~0+16", "< ACK 2.05 #L @L 23=10 p=~16+16", "= result 2.05 ~32",
             NULL);
    assert_int_equal(rig_request(rig, DN_COAP_FETCH, "q", 32), DUNLIN_OK);
    rig_play(rig, "> CON 0.05 #* @* 11='q' 23= 27=08 60=20 p=~0+16", "< ACK 2.31 #L @L 27=08",
             "> CON 0.05 #* @* 11='q' 23= 27=10 p=~16+16", "< ACK 2.05 #L @L 23=08 27=10 p=~0+16",
             "> CON 0.05 #* @* 11='q' 23=10", "< ACK 2.05 #L @L 23=10 p=~16+16", "= result 2.05 ~32", NULL);
    /* The answer changed under way: the whole question again. */
    assert_int_equal(rig_request(rig, DN_COAP_FETCH, "q", 32), DUNLIN_OK);
    rig_play(rig, "> CON 0.05 #* @* 11='q' 23= 27=08 60=20 p=~0+16", "< ACK 2.31 #L @L 27=08",
             "> CON 0.05 #* @* 11='q' 23= 27=10 p=~16+16", "< ACK 2.05 #L @L 4=e1 23=08 27=10 p=~0+16",
             "> CON 0.05 #* @* 11='q' 23=10", "< ACK 2.05 #L @L 4=e2 23=10 p=~16+16",
             "> CON 0.05 #* @* 11='q' 27=08 60=20 p=~0+16", "< RST 0.00 #L @", "= result -43", NULL);
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_hands_out_blocks),
        cmocka_unit_test(the_peer_asks_for_smaller_blocks),
        cmocka_unit_test(a_body_is_made_again),
        cmocka_unit_test(a_post_is_not_made_again),
        cmocka_unit_test(the_oldest_body_that_can_be_made_again_goes),
        cmocka_unit_test(two_answers_to_questions_of_one_peer),
        cmocka_unit_test(separate_answers_in_blocks),
        cmocka_unit_test(observed_resources_in_blocks),
        cmocka_unit_test(notified_bodies_are_kept),
        cmocka_unit_test(blocks_both_ways),
        cmocka_unit_test(client_asks_for_blocks),
        cmocka_unit_test(each_block_has_a_token_of_its_own),
        cmocka_unit_test(client_prefers_smaller_blocks),
        cmocka_unit_test(client_follows_a_peer_that_shrinks),
        cmocka_unit_test(client_starts_anew_when_the_body_changed),
        cmocka_unit_test(client_notices_broken_blocks),
        cmocka_unit_test(client_keeps_its_limits),
        cmocka_unit_test(client_fetches_the_rest),
        cmocka_unit_test(client_observes_a_large_resource),
        cmocka_unit_test(client_fetches_with_a_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
