/* SPDX-License-Identifier: Apache-2.0 */
/* Request bodies in blocks, both roles (RFC 7959 sections 2.3, 2.5, 2.9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/coap_rig.h"

static dn_coap_config with_szx(uint8_t szx)
{
    dn_coap_config config = dn_coap_config_default();
    config.block_szx = szx;
    config.max_body = 8192;
    return config;
}

static void server_puts_blocks_together(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.03 #1 @a1 11='echo' 27=0a 60=96 p=~0+64", "=", "> ACK 2.31 #1 @a1 27=0a", NULL);
    rig_play(rig, "< CON 0.03 #2 @a2 11='echo' 27=1a p=~64+64", "=", "> ACK 2.31 #2 @a2 27=1a", NULL);
    rig_play(rig, "< CON 0.03 #3 @a3 11='echo' 27=22 p=~128+22", "= request PUT echo ~150",
             "> ACK 2.04 #3 @a3 4=* 12= 23=0a 27=22 28=96 p=~0+64", NULL);
    rig_close(rig);
}

static void duplicate_blocks_are_acknowledged_again(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.02 #1 @a1 11='count' 27=08 p=~0+16", "> ACK 2.31 #1 @a1 27=08",
             "< CON 0.02 #1 @a1 11='count' 27=08 p=~0+16", "> ACK 2.31 #1 @a1 27=08", NULL);
    /* The same block under another id: a client that restarted its exchange. It takes the place of the first.
     */
    rig_play(rig, "< CON 0.02 #2 @a2 11='count' 27=18 p=~16+16", "> ACK 2.31 #2 @a2 27=18",
             "< CON 0.02 #3 @a2 11='count' 27=18 p=~16+16", "> ACK 2.31 #3 @a2 27=18", NULL);
    rig_play(rig, "< CON 0.02 #4 @a3 11='count' 27=20 p=~32+3", "= request POST count ~35",
             "> ACK 2.04 #4 @a3 27=20", "< CON 0.02 #4 @a3 11='count' 27=20 p=~32+3", "=",
             "> ACK 2.04 #4 @a3 27=20", NULL);
    /* The body is gone with its use. */
    rig_play(rig, "< CON 0.02 #5 @a3 11='count' 27=20 p=~32+3", "=", "> ACK 4.08 #5 @a3", NULL);
    assert_int_equal(rig->counted, 1);
    rig_close(rig);
}

static void block_zero_starts_anew(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.03 #1 @a1 11='echo' 27=08 p='xxxxxxxxxxxxxxxx'", "> ACK 2.31 #1 @a1 27=08", NULL);
    rig_play(rig, "< CON 0.03 #2 @a1 11='echo' 27=18 p='yyyyyyyyyyyyyyyy'", "> ACK 2.31 #2 @a1 27=18", NULL);
    rig_play(rig, "< CON 0.03 #3 @a1 11='echo' 27=08 p=~0+16", "> ACK 2.31 #3 @a1 27=08", NULL);
    rig_play(rig, "< CON 0.03 #4 @a1 11='echo' 27=10 p=~16+1", "= request PUT echo ~17", NULL);
    rig_close(rig);
}

static void server_refuses_gaps_and_wrong_sizes(void **state)
{
    static const struct {
        const char *why, *in, *out;
    } cases[] = {
        {"no block 0", "< CON 0.03 #9 @a1 11='echo' 27=18 p=~16+16", "> ACK 4.08 #9 @a1"},
        {"a gap", "< CON 0.03 #9 @a1 11='other' 27=28 p=~32+16", "> ACK 4.08 #9 @a1"},
        {"too short for more", "< CON 0.03 #9 @a1 11='echo' 27=08 p=~0+15", "> ACK 4.00 #9 @a1"},
        {"too long for more", "< CON 0.03 #9 @a1 11='echo' 27=08 p=~0+17", "> ACK 4.00 #9 @a1"},
        {"too long for the last", "< CON 0.03 #9 @a1 11='echo' 27=00 p=~0+17", "> ACK 4.00 #9 @a1"},
        {"no payload, but more", "< CON 0.03 #9 @a1 11='echo' 27=08", "> ACK 4.00 #9 @a1"},
        {"announced too large", "< CON 0.03 #9 @a1 11='echo' 27=08 60=2001 p=~0+16",
         "> ACK 4.13 #9 @a1 60=2000"},
        {"far behind the limit", "< CON 0.03 #9 @a1 11='echo' 27=fffff8 p=~0+16",
         "> ACK 4.13 #9 @a1 60=2000"},
        {"a last block behind the limit", "< CON 0.03 #9 @a1 11='echo' 27=86 p=~0+1",
         "> ACK 4.13 #9 @a1 60=2000"},
        {"empty last block without a first", "< CON 0.03 #9 @a1 11='echo' 27=10", "> ACK 4.08 #9 @a1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        coap_rig *rig = rig_open(NULL);
        rig_play(rig, "< CON 0.03 #1 @a1 11='other' 27=08 p=~0+16", "> ACK 2.31 #1 @a1 27=08", cases[i].in,
                 "=", cases[i].out, ".", NULL);
        rig_close(rig);
    }
}

static void a_body_at_the_limit(void **state)
{
    dn_coap_config config = with_szx(5);
    config.max_body = 1000;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.03 #1 @a1 11='count' 27=0d p=~0+512", "> ACK 2.31 #1 @a1 27=0d",
             "< CON 0.03 #2 @a1 11='count' 27=15 p=~512+488", "= request PUT count ~1000",
             "> ACK 2.04 #2 @a1 27=15", NULL);
    rig_play(rig, "< CON 0.03 #3 @a1 11='count' 27=0d p=~0+512", "> ACK 2.31 #3 @a1 27=0d",
             "< CON 0.03 #4 @a1 11='count' 27=15 p=~512+489", "=", "> ACK 4.13 #4 @a1 60=03e8", NULL);
    rig_play(rig, "< CON 0.03 #5 @a1 11='count' 27=15 p=~512+1", "=", "> ACK 4.08 #5 @a1", NULL);
    rig_close(rig);
}

/* Section 2.3: the server asks for smaller blocks at once; the client goes on at the same place. */
static void server_negotiates_smaller_blocks(void **state)
{
    dn_coap_config config = with_szx(0);
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.03 #1 @a1 11='count' 27=0a p=~0+64", "> ACK 2.31 #1 @a1 27=08",
             "< CON 0.03 #2 @a1 11='count' 27=48 p=~64+16", "> ACK 2.31 #2 @a1 27=48",
             "< CON 0.03 #3 @a1 11='count' 27=50 p=~80+5", "= request PUT count ~85",
             "> ACK 2.04 #3 @a1 27=50", NULL);
    rig_close(rig);
}

static void unfinished_bodies_expire(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.03 #1 @a1 11='count' 27=08 p=~0+16", "> ACK 2.31 #1 @a1 27=08", "+90000",
             "< CON 0.03 #2 @a1 11='count' 27=18 p=~16+16", "> ACK 2.31 #2 @a1 27=18", "+93000",
             "< CON 0.03 #3 @a1 11='count' 27=20 p=~32+1", "> ACK 4.08 #3 @a1", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->incomplete, 1);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    rig_close(rig);
}

/* Transfers to different resources, by different peers or with different Request-Tags do not mix. */
static void transfers_do_not_mix(void **state)
{
    dn_coap_config config = with_szx(6);
    config.transfers = 8;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.03 #1 @a1 11='count' 27=08 p=~0+16", "> ACK 2.31 #1 @a1 27=08",
             "<2 CON 0.03 #1 @a1 11='count' 27=08 p='xxxxxxxxxxxxxxxx'", ">2 ACK 2.31 #1 @a1 27=08",
             "< CON 0.03 #2 @a1 11='count' 27=08 292=01 p='zzzzzzzzzzzzzzzz'", "> ACK 2.31 #2 @a1 27=08",
             "< CON 0.03 #3 @a1 11='count' 15='q' 27=08 p='qqqqqqqqqqqqqqqq'", "> ACK 2.31 #3 @a1 27=08",
             NULL);
    rig_play(rig, "< CON 0.03 #4 @a1 11='count' 27=10 p=~16+4", "= request PUT count ~20",
             "> ACK 2.04 #4 @a1 27=10", "<2 CON 0.03 #2 @a1 11='count' 27=10 p='X'",
             "= request PUT count xxxxxxxxxxxxxxxxX", ">2 ACK 2.04 #2 @a1 27=10",
             "< CON 0.03 #5 @a1 11='count' 27=10 292=01 p='Z'", "= request PUT count zzzzzzzzzzzzzzzzZ",
             "> ACK 2.04 #5 @a1 27=10", "< CON 0.03 #6 @a1 11='count' 15='q' 27=10 p='Q'",
             "= request PUT count qqqqqqqqqqqqqqqqQ", "> ACK 2.04 #6 @a1 27=10", NULL);
    rig_close(rig);
}

/* One peer cannot take all bodies: its own oldest gives way. */
static void transfers_are_shared(void **state)
{
    dn_coap_config config = with_szx(6);
    config.transfers = 2;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.03 #1 @a1 11='a' 27=08 p=~0+16", "> ACK 2.31 #1 @a1 27=08", "+1",
             "< CON 0.03 #2 @a1 11='b' 27=08 p=~0+16", "> ACK 2.31 #2 @a1 27=08",
             "<2 CON 0.03 #1 @a1 11='c' 27=08 p=~0+16", ">2 ACK 2.31 #1 @a1 27=08",
             "< CON 0.03 #3 @a1 11='a' 27=18 p=~16+16", "> ACK 4.08 #3 @a1",
             "< CON 0.03 #4 @a1 11='b' 27=18 p=~16+16", "> ACK 2.31 #4 @a1 27=18", NULL);
    rig->peer[1].bytes[0] = 0;
    rig_play(rig, "< CON 0.03 #1 @a1 11='d' 27=08 p=~0+16", NULL);
    assert_int_equal(rig->sent[0].bytes[1], DN_COAP_UNAVAILABLE);
    rig_close(rig);
}

static void late_answers_to_blocks(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.02 #1 @a1 11='later' 27=08 p=~0+16", "> ACK 2.31 #1 @a1 27=08",
             "< CON 0.02 #2 @a1 11='later' 27=10 p=~16+4", "= request POST later ~20", "+500",
             "> ACK 0.00 #2 @", NULL);
    assert_int_equal(rig_answer(rig, DN_COAP_CHANGED, 0), DUNLIN_OK);
    rig_play(rig, "> CON 2.04 #* @a1 27=10", "< ACK 0.00 #L @", NULL);
    rig_close(rig);
}

static void client_sends_blocks(void **state)
{
    dn_coap_config config = with_szx(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "store", 150), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' 23=02 27=0a 60=96 p=~0+64", "< ACK 2.31 #L @L 27=0a",
             "> CON 0.03 #* @* 11='store' 23=02 27=1a p=~64+64", "< ACK 2.31 #L @L 27=1a",
             "> CON 0.03 #* @* 11='store' 23=02 27=22 p=~128+22", "=", "< ACK 2.04 #L @L 27=22",
             "= result 2.04", ".", NULL);
    rig_close(rig);
}

static void a_body_of_one_block_needs_none(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "store", 1024), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' p=~0+1024", "< ACK 2.04 #L @L", "= result 2.04", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "store", 1025), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' 27=0e 60=0401 p=~0+1024", "< ACK 2.31 #L @L 27=0e",
             "> CON 0.03 #* @* 11='store' 27=16 p=*", "< ACK 2.04 #L @L 27=16", "= result 2.04", NULL);
    rig_close(rig);
}

static void client_takes_smaller_blocks(void **state)
{
    dn_coap_config config = with_szx(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "store", 100), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' 23=02 27=0a 60=64 p=~0+64", "< ACK 2.31 #L @L 27=08",
             "> CON 0.03 #* @* 11='store' 23=02 27=48 p=~64+16", "< ACK 2.31 #L @L 27=48",
             "> CON 0.03 #* @* 11='store' 23=02 27=58 p=~80+16", "< ACK 2.31 #L @L 27=58",
             "> CON 0.03 #* @* 11='store' 23=02 27=60 p='Zaho'", "< ACK 2.04 #L @L 27=60", "= result 2.04",
             NULL);
    rig_close(rig);
}

/* Section 2.9.3: 4.13 with a smaller size means: try again with that. */
static void client_tries_again_smaller(void **state)
{
    dn_coap_config config = with_szx(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "store", 70), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' 23=02 27=0a 60=46 p=~0+64", "< ACK 4.13 #L @L 27=09",
             "> CON 0.03 #* @* 11='store' 23=02 27=09 60=46 p=~0+32", NULL);
    rig_close(rig);
}

static void client_cuts_what_was_too_large(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "store", 40), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' p=~0+40", "< ACK 4.13 #L @L 27=01",
             "> CON 0.03 #* @* 11='store' 27=09 60=28 p=~0+32", "< ACK 2.31 #L @L 27=09",
             "> CON 0.03 #* @* 11='store' 27=11 p=*", NULL);
    rig_close(rig);
}

static void client_gives_up_on_too_large(void **state)
{
    dn_coap_config config = with_szx(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "store", 70), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' 23=02 27=0a 60=46 p=~0+64", "< ACK 4.13 #L @L 27=02 60=20",
             "= result 4.13", ".", NULL);
    rig_close(rig);
}

/* Section 2.9.2: the server lost the beginning: once more from there. */
static void client_starts_anew_after_408(void **state)
{
    dn_coap_config config = with_szx(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "store", 70), DUNLIN_OK);
    for (int i = 0; i < 4; i++) {
        rig_play(rig, "> CON 0.03 #* @* 11='store' 23=02 27=0a 60=46 p=~0+64", "< ACK 2.31 #L @L 27=0a",
                 "> CON 0.03 #* @* 11='store' 23=02 27=12 p=*", "=", NULL);
        rig_play(rig, "< ACK 4.08 #L @L", NULL);
    }
    rig_play(rig, "= result 4.08", ".", NULL); /* not for ever */
    rig_close(rig);
}

static void client_notices_wrong_answers(void **state)
{
    static const struct {
        const char *why, *in, *result;
    } cases[] = {
        {"2.31 for another block", "< ACK 2.31 #L @L 27=1a", "= result -1"},
        {"2.31 without Block1", "< ACK 2.31 #L @L", "= result -1"},
        {"2.31 with the reserved size", "< ACK 2.31 #L @L 27=0f", "= result -1"},
        {"final before the end", "< ACK 2.04 #L @L", "= result 2.04"},
        {"an error", "< ACK 4.03 #L @L", "= result 4.03"},
        {"an unknown critical option", "< ACK 2.04 #L @L 65001=", "= result -1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_coap_config config = with_szx(2);
        coap_rig *rig = rig_open(&config);
        assert_int_equal(rig_request(rig, DN_COAP_PUT, "store", 150), DUNLIN_OK);
        rig_play(rig, "> CON 0.03 #* @* 11='store' 23=02 27=0a 60=96 p=~0+64", cases[i].in, cases[i].result,
                 ".", NULL);
        rig_close(rig);
    }
    dn_coap_config config = with_szx(2);
    coap_rig *rig = rig_open(&config);
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "store", 70), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' 23=02 27=0a 60=46 p=~0+64", "< ACK 2.31 #L @L 27=0a",
             "> CON 0.03 #* @* 11='store' 23=02 27=12 p=*", "< ACK 2.31 #L @L 27=12", "= result -1", NULL);
    rig_close(rig);
}

/* 2.31 is an answer to a block that others follow, and to nothing else (section 2.9.1). */
static void client_notices_a_wrong_continue(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "store", 10), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' p=*", "< ACK 2.31 #L @L 27=08", "= result -1", ".", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "big", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='big'", "< ACK 2.05 #L @L 23=08 p=~0+16",
             "> CON 0.01 #* @* 11='big' 23=10", "< ACK 2.31 #L @L 23=10", "= result -1", ".", NULL);
    rig_close(rig);
}

/* A server that acts on each block by itself answers each with a final code (section 2.3, M unset). */
static void blocks_acted_on_one_by_one(void **state)
{
    dn_coap_config config = with_szx(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "store", 80), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' 23=02 27=0a 60=50 p=~0+64", "< ACK 2.04 #L @L 27=02",
             "> CON 0.03 #* @* 11='store' 23=02 27=12 p=~64+16", "< ACK 2.04 #L @L 27=12", "= result 2.04",
             NULL);
    rig_close(rig);
}

/* The next block keeps the exchange's turn, or takes the next one, before those that wait. */
static void blocks_keep_their_turn(void **state)
{
    dn_coap_config config = with_szx(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "store", 80), DUNLIN_OK);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "b", 0), DUNLIN_OK);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "c", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' 23=02 27=0a 60=50 p=~0+64", "< ACK 0.00 #L @", NULL);
    uint8_t token[8];
    memcpy(token, rig->sent[0].bytes + 4, 8);
    rig_play(rig, "> CON 0.01 #* @* 11='b' 23=02", ".", NULL);
    uint16_t mid = rig->last_mid;
    uint8_t token_b[8];
    memcpy(token_b, rig->last_token, 8);
    memcpy(rig->last_token, token, 8);
    rig_play(rig, "< CON 2.31 #50 @L 27=0a", "> ACK 0.00 #50 @", ".", NULL); /* b has the turn */
    rig->last_mid = mid;
    rig->last_token_len = 8;
    memcpy(rig->last_token, token_b, 8);
    rig_play(rig, "< ACK 2.05 #L @L", "= result 2.05", "> CON 0.03 #* @* 11='store' 23=02 27=12 p=~64+16",
             "< ACK 2.04 #L @L 27=12", "= result 2.04", "> CON 0.01 #* @* 11='c' 23=02", NULL);
    rig_close(rig);
}

static void bodies_too_large_to_send(void **state)
{
    coap_rig *rig = rig_open(NULL);
    dn_coap_outgoing request;
    static const uint8_t filler[1200];
    dn_coap_option option = {2048, {filler, sizeof filler}};
    uint64_t id;
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "store", 8193), DUNLIN_ERR_LIMIT);
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.options = &option;
    request.option_count = 1;
    assert_int_equal(dn_coap_request(rig->coap, &rig->peer[1], &request, NULL, NULL, 0, &id),
                     DUNLIN_ERR_SPACE);
    rig_play(rig, ".", NULL);
    /* Long options leave room for a smaller block only. */
    option.value.len = 600;
    request.code = DN_COAP_PUT;
    request.payload = dunlin_slice_make(rig->body, 600);
    assert_int_equal(dn_coap_request(rig->coap, &rig->peer[1], &request, NULL, NULL, rig->now_ms, &id),
                     DUNLIN_OK);
    assert_int_equal(rig->sent_count, 1);
    assert_true(rig->sent[0].len <= rig->config.max_message);
    assert_memory_equal(rig->sent[0].bytes + rig->sent[0].len - 256, rig->body, 256);
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_puts_blocks_together),
        cmocka_unit_test(duplicate_blocks_are_acknowledged_again),
        cmocka_unit_test(block_zero_starts_anew),
        cmocka_unit_test(server_refuses_gaps_and_wrong_sizes),
        cmocka_unit_test(a_body_at_the_limit),
        cmocka_unit_test(server_negotiates_smaller_blocks),
        cmocka_unit_test(unfinished_bodies_expire),
        cmocka_unit_test(transfers_do_not_mix),
        cmocka_unit_test(transfers_are_shared),
        cmocka_unit_test(late_answers_to_blocks),
        cmocka_unit_test(client_sends_blocks),
        cmocka_unit_test(a_body_of_one_block_needs_none),
        cmocka_unit_test(client_takes_smaller_blocks),
        cmocka_unit_test(client_tries_again_smaller),
        cmocka_unit_test(client_cuts_what_was_too_large),
        cmocka_unit_test(client_gives_up_on_too_large),
        cmocka_unit_test(client_starts_anew_after_408),
        cmocka_unit_test(client_notices_wrong_answers),
        cmocka_unit_test(client_notices_a_wrong_continue),
        cmocka_unit_test(blocks_acted_on_one_by_one),
        cmocka_unit_test(blocks_keep_their_turn),
        cmocka_unit_test(bodies_too_large_to_send),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
