/* SPDX-License-Identifier: Apache-2.0 */
/* Request bodies taken a piece at a time (RFC 7959 section 2.5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "coap/core.h"
#include "tests/sim/coap_rig.h"
#include <stdio.h>

/* No body of ours is larger than a block. */
static dn_coap_config tight(uint8_t szx)
{
    dn_coap_config config = dn_coap_config_default();
    config.block_szx = szx;
    config.max_body = (uint32_t)16 << szx;
    return config;
}

static coap_rig *rig_with_one_piece(void)
{
    dn_coap_config config = tight(6);
    coap_rig *rig = rig_open(&config);
    rig_play(rig, "< CON 0.03 #1 @a1 11='pipe' 27=08 60=32 p=~0+16", "= streams PUT pipe",
             "= piece @0 more ~16", "> ACK 2.31 #1 @a1 27=08", NULL);
    return rig;
}

static void pieces_in_order(void **state)
{
    coap_rig *rig = rig_with_one_piece();
    (void)state;
    rig_play(rig, "< CON 0.03 #2 @a2 11='pipe' 27=18 p=~16+16", "= piece @16 more ~16",
             "> ACK 2.31 #2 @a2 27=18", "< CON 0.03 #3 @a3 11='pipe' 27=28 p=~32+16", "= piece @32 more ~16",
             "> ACK 2.31 #3 @a3 27=28", "< CON 0.03 #4 @a4 11='pipe' 27=30 p=~48+2", "= piece @48 ~2",
             "> ACK 2.04 #4 @a4 27=30", "=", NULL);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    /* The last block again: repeated, not handed up again; a later one belongs to nothing. */
    rig_play(rig, "< CON 0.03 #4 @a4 11='pipe' 27=30 p=~48+2", "> ACK 2.04 #4 @a4 27=30", "=",
             "< CON 0.03 #5 @a5 11='pipe' 27=40 p=~64+2", "> ACK 4.08 #5 @a5", "=", NULL);
    rig_close(rig);
}

/* One block, or none: a request as any other. */
static void small_bodies_are_not_streams(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.03 #1 @a1 11='pipe' 27= p=~0+16", "= request PUT pipe ~16",
             "> ACK 2.05 #1 @a1 12= 27= p='hello'", "< CON 0.03 #2 @a1 11='pipe' p=~0+16",
             "= request PUT pipe ~16", "> ACK 2.05 #2 @a1 12= p='hello'", NULL);
    rig_play(rig, "< CON 0.03 #3 @a1 11='other' 27=08 p=~0+16", "> ACK 2.31 #3 @a1 27=08", "=",
             "< CON 0.03 #4 @a1 11='other' 27=10 p=~16+1", "= request PUT other ~17", NULL);
    rig_close(rig);
}

static void each_piece_once(void **state)
{
    dn_coap_config config = tight(6);
    config.dedup_slots = 2;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.03 #1 @a1 11='pipe' 27=08 p=~0+16", "= streams PUT pipe", "= piece @0 more ~16",
             "> ACK 2.31 #1 @a1 27=08", "< CON 0.03 #1 @a1 11='pipe' 27=08 p=~0+16",
             "> ACK 2.31 #1 @a1 27=08", "=", NULL);
    for (int i = 1; i <= 4; i++) {
        char line[96], piece[64];
        (void)snprintf(line, sizeof line, "< CON 0.03 #%d @a1 11='pipe' 27=%d8 p=~%d+16", i + 1, i, 16 * i);
        (void)snprintf(piece, sizeof piece, "= piece @%d more ~16", 16 * i);
        rig_play(rig, line, piece, "> ACK 2.31 #* @a1 27=*", line, "> ACK 2.31 #* @a1 27=*", "=", NULL);
    }
    /* Late duplicates whose ids were pushed out by later ones: acknowledged, and nothing else. */
    rig_play(rig, "< CON 0.03 #1 @a1 11='pipe' 27=08 p=~0+16", "> ACK 2.31 #1 @a1 27=08", "=",
             "< CON 0.03 #2 @a1 11='pipe' 27=18 p=~16+16", "> ACK 2.31 #2 @a1 27=18", "=",
             "< CON 0.03 #6 @a1 11='pipe' 27=50 p=~80+3", "= piece @80 ~3", "> ACK 2.04 #6 @a1 27=50", NULL);
    rig_close(rig);
}

/* What is out of place gets its error and changes nothing. */
static void out_of_place(void **state)
{
    static const struct {
        const char *why, *in, *out;
    } cases[] = {
        {"a gap", "< CON 0.03 #9 @a9 11='pipe' 27=28 p=~32+16", "> ACK 4.08 #9 @a9"},
        {"a last one too early", "< CON 0.03 #9 @a9 11='pipe' 27=20 p=~32+1", "> ACK 4.08 #9 @a9"},
        {"larger ones that overlap", "< CON 0.03 #9 @a9 11='pipe' 27=19 p=~32+32", "> ACK 4.08 #9 @a9"},
        {"too short", "< CON 0.03 #9 @a9 11='pipe' 27=18 p=~16+15", "> ACK 4.00 #9 @a9"},
        {"too long", "< CON 0.03 #9 @a9 11='pipe' 27=18 p=~16+17", "> ACK 4.00 #9 @a9"},
        {"too long at the end", "< CON 0.03 #9 @a9 11='pipe' 27=10 p=~16+17", "> ACK 4.00 #9 @a9"},
        {"a broken beginning", "< CON 0.03 #9 @a9 11='pipe' 27=08 p=~0+15", "> ACK 4.00 #9 @a9"},
        {"the reserved size", "< CON 0.03 #9 @a9 11='pipe' 27=1f p=~16+16", "> ACK 4.00 #9 @a9"},
        {"the last number, and more", "< CON 0.03 #9 @a9 11='pipe' 27=fffff8 p=~0+16",
         "> ACK 4.13 #9 @a9 60=01000000"},
        {"another method", "< CON 0.02 #9 @a9 11='pipe' 27=18 p=~16+16", "> ACK 4.08 #9 @a9"},
        {"another query", "< CON 0.03 #9 @a9 11='pipe' 15='q' 27=18 p=~16+16", "> ACK 4.08 #9 @a9"},
        {"another peer", "<2 CON 0.03 #9 @a9 11='pipe' 27=18 p=~16+16", ">2 ACK 4.08 #9 @a9"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        coap_rig *rig = rig_with_one_piece();
        rig_play(rig, cases[i].in, "=", cases[i].out, "< CON 0.03 #2 @a2 11='pipe' 27=10 p=~16+1",
                 "= piece @16 ~1", "> ACK 2.04 #2 @a2 27=10", ".", NULL);
        rig_close(rig);
    }
}

static void refused_at_the_start(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.03 #1 @a1 11='pipe' 27=08 p=~0+15", "> ACK 4.00 #1 @a1", "=",
             "< CON 0.03 #2 @a1 11='pipe' 27=08 60=01000001 p=~0+16", "= streams PUT pipe",
             "> ACK 4.13 #2 @a1 60=01000000", "=", "< CON 0.03 #3 @a1 11='pipe' 27=18 p=~16+16",
             "> ACK 4.08 #3 @a1", "=", NULL);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    rig_close(rig);
}

static void lost_when_no_more_comes(void **state)
{
    coap_rig *rig = rig_with_one_piece();
    (void)state;
    rig_play(rig, "+90000", "< CON 0.03 #2 @a2 11='pipe' 27=18 p=~16+16", "= piece @16 more ~16",
             "> ACK 2.31 #2 @a2 27=18", "+92999", "=", "+1", "= lost by 1", "=",
             "< CON 0.03 #3 @a3 11='pipe' 27=28 p=~32+16", "> ACK 4.08 #3 @a3", "=", NULL);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    assert_int_equal(dn_coap_count(rig->coap)->timeouts, 1);
    rig_close(rig);
}

static void lost_when_begun_anew(void **state)
{
    coap_rig *rig = rig_with_one_piece();
    (void)state;
    rig_play(rig, "< CON 0.03 #2 @a2 11='pipe' 27=08 p=~0+16", "= lost by 1", "= streams PUT pipe",
             "= piece @0 more ~16", "> ACK 2.31 #2 @a2 27=08", "< CON 0.03 #3 @a3 11='pipe' 27= p=~0+16",
             "= lost by 1", "= request PUT pipe ~16", "> ACK 2.05 #3 @a3 12= 27= p='hello'", NULL);
    /* And by one that needs no block: what it wrote must not be written over. */
    rig_play(rig, "< CON 0.03 #4 @a4 11='pipe' 27=08 p=~0+16", "= streams PUT pipe", "= piece @0 more ~16",
             "> ACK 2.31 #4 @a4 27=08", "< CON 0.03 #5 @a5 11='pipe'", "= lost by 1", "= request PUT pipe",
             "> ACK 2.05 #5 @a5 12= p='hello'", "< CON 0.01 #6 @a6 11='pipe'", "= request GET pipe",
             "> ACK 2.05 #6 @a6 12= p='hello'", "=", NULL);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    rig_close(rig);
}

/* An id may come again when its lifetime is over. */
static void the_first_id_is_used_again(void **state)
{
    dn_coap_config config = tight(6);
    config.transfer_timeout_ms = 300000;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.03 #1 @a1 11='pipe' 27=08 p=~0+16", "= streams PUT pipe", "= piece @0 more ~16",
             "> ACK 2.31 #1 @a1 27=08", "+247000", "< CON 0.03 #1 @a2 11='pipe' 27=08 p=~0+16", "= lost by 1",
             "= streams PUT pipe", "= piece @0 more ~16", "> ACK 2.31 #1 @a2 27=08", NULL);
    rig_close(rig);
}

static void lost_when_forgotten(void **state)
{
    coap_rig *rig = rig_with_one_piece();
    (void)state;
    dn_coap_forget(rig->coap, &rig->peer[2]);
    rig_play(rig, "=", NULL);
    dn_coap_forget(rig->coap, &rig->peer[1]);
    rig_play(rig, "= lost by 1", "=", ".", NULL);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    dn_coap_forget(rig->coap, &rig->peer[1]);
    rig_play(rig, "=", NULL);
    rig_close(rig);
}

static void ended_early(void **state)
{
    coap_rig *rig = rig_with_one_piece();
    (void)state;
    rig->piece_code = DN_COAP_TOO_LARGE;
    rig_play(rig, "< CON 0.03 #2 @a2 11='pipe' 27=18 p=~16+16", "= piece @16 more ~16",
             "> ACK 4.13 #2 @a2 27=10", "< CON 0.03 #3 @a3 11='pipe' 27=28 p=~32+16", "> ACK 4.08 #3 @a3",
             "=", NULL);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    rig_play(rig, "< CON 0.03 #4 @a4 11='pipe' 27=08 p=~0+16", "= streams PUT pipe", "= piece @0 more ~16",
             "> ACK 4.13 #4 @a4 27=", NULL);
    rig->piece_code = DN_COAP_CONTINUE; /* not an answer to the last one */
    rig_play(rig, "< CON 0.03 #5 @a5 11='pipe' 27=08 p=~0+16", "= streams PUT pipe", "= piece @0 more ~16",
             "> ACK 2.31 #5 @a5 27=08", "< CON 0.03 #6 @a6 11='pipe' 27=10 p=~16+1", "= piece @16 ~1",
             "> ACK 5.00 #6 @a6", "=", NULL);
    rig_close(rig);
}

/* Section 2.3: ours are smaller: said at once, and it goes on at the same place. */
static void smaller_blocks(void **state)
{
    dn_coap_config config = tight(0);
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.03 #1 @a1 11='pipe' 27=0a p=~0+64", "= streams PUT pipe", "= piece @0 more ~64",
             "> ACK 2.31 #1 @a1 27=08", "< CON 0.03 #2 @a1 11='pipe' 27=48 p=~64+16", "= piece @64 more ~16",
             "> ACK 2.31 #2 @a1 27=48", NULL);
    /* One that does not care is taken as it is. */
    rig_play(rig, "< CON 0.03 #3 @a1 11='pipe' 27=50 p=~80+5", "= piece @80 ~5", "> ACK 2.04 #3 @a1 27=50",
             "< CON 0.03 #4 @a1 11='pipe' 27=0a p=~0+64", "= streams PUT pipe", "= piece @0 more ~64",
             "> ACK 2.31 #4 @a1 27=08", "< CON 0.03 #5 @a1 11='pipe' 27=12 p=~64+64", "= piece @64 ~64",
             "> ACK 2.04 #5 @a1 27=12", NULL);
    rig_close(rig);
}

/* A body that fits a datagram but not our memory: to be sent in blocks. */
static void too_large_for_one_piece(void **state)
{
    dn_coap_config config = tight(0);
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.03 #1 @a1 11='pipe' p=~0+17", "> ACK 4.13 #1 @a1 27= 60=10",
             "< CON 0.03 #2 @a1 11='pipe' 27=08 60=11 p=~0+16", "= streams PUT pipe", "= piece @0 more ~16",
             "> ACK 2.31 #2 @a1 27=08", NULL);
    /* What is not taken in pieces is too large in blocks as well. */
    rig_play(rig, "< CON 0.03 #3 @a1 11='other' p=~0+17", "> ACK 4.13 #3 @a1 27= 60=10",
             "< CON 0.03 #4 @a1 11='other' 27=08 60=11 p=~0+16", "> ACK 4.13 #4 @a1 60=10", "=", NULL);
    rig_close(rig);
}

/* As many as config.transfers, half of them for one peer; bodies put together are beside them. */
static void they_are_shared(void **state)
{
    coap_rig *rig = rig_with_one_piece();
    (void)state;
    rig_play(rig, "<2 CON 0.03 #1 @a1 11='pipe' 27=08 p=~0+16", "= streams PUT pipe", "= piece @0 more ~16",
             ">2 ACK 2.31 #1 @a1 27=08", "< CON 0.03 #2 @a1 11='x' 27=08 p=~0+16", "> ACK 2.31 #2 @a1 27=08",
             "<2 CON 0.03 #2 @a1 11='x' 27=08 p=~0+16", ">2 ACK 2.31 #2 @a1 27=08", "=", NULL);
    /* A second one of the same peer: its own oldest gives way. */
    rig_play(rig, "< CON 0.03 #3 @a1 11='pipe2' 27=08 p=~0+16", "= streams PUT pipe2", "= lost by 1",
             "= piece @0 more ~16", "> ACK 2.31 #3 @a1 27=08", "< CON 0.03 #4 @a1 11='pipe' 27=18 p=~16+16",
             "> ACK 4.08 #4 @a1", "=", NULL);
    rig->peer[1].bytes[0] = 0; /* a third peer finds none */
    rig_play(rig, "< CON 0.03 #1 @a1 11='pipe' 27=08 p=~0+16", "= streams PUT pipe", "=", NULL);
    assert_int_equal(rig->sent[0].bytes[1], DN_COAP_UNAVAILABLE);
    rig_close(rig);
}

static void none_without_transfers(void **state)
{
    dn_coap_config config = tight(6);
    config.transfers = 0;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.03 #1 @a1 11='pipe' 27=08 p=~0+16", "= streams PUT pipe", "> ACK 5.03 #1 @a1", "=",
             NULL);
    rig_close(rig);
}

static void non_confirmable_ones(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< NON 0.03 #1 @a1 11='pipe' 27=08 p=~0+16", "= streams PUT pipe", "= piece @0 more ~16",
             "> NON 2.31 #* @a1 27=08", "< NON 0.03 #1 @a1 11='pipe' 27=08 p=~0+16", ".",
             "< NON 0.03 #2 @a1 11='pipe' 27=10 p=~16+4", "= piece @16 ~4", "> NON 2.04 #* @a1 27=10", "=",
             NULL);
    rig_close(rig);
}

static void forget_peer(void *context)
{
    coap_rig *rig = context;
    dn_coap_forget(rig->coap, &rig->peer[1]);
}

static void forgotten_within_callbacks(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig->in_request = forget_peer; /* within `streams` */
    rig_play(rig, "< CON 0.03 #1 @a1 11='pipe' 27=08 p=~0+16", "= streams PUT pipe", "=", ".", NULL);
    rig->in_request = NULL;
    rig->in_piece = forget_peer;
    rig_play(rig, "< CON 0.03 #2 @a1 11='pipe' 27=08 p=~0+16", "= streams PUT pipe", "= piece @0 more ~16",
             "= lost by 1", "=", ".", NULL);
    rig->in_piece = NULL;
    rig_play(rig, "< CON 0.03 #3 @a1 11='pipe' 27=08 p=~0+16", "= streams PUT pipe", "= piece @0 more ~16",
             "> ACK 2.31 #3 @a1 27=08", NULL);
    rig->in_piece = forget_peer; /* within the last: there is nothing left to lose */
    rig_play(rig, "< CON 0.03 #4 @a1 11='pipe' 27=10 p=~16+4", "= piece @16 ~4", "=", ".", NULL);
    /* And refused as well: it is gone already. */
    rig->in_piece = NULL;
    rig_play(rig, "< CON 0.03 #5 @a1 11='pipe' 27=08 p=~0+16", "= streams PUT pipe", "= piece @0 more ~16",
             "> ACK 2.31 #5 @a1 27=08", NULL);
    rig->in_piece = forget_peer;
    rig->piece_code = DN_COAP_FORBIDDEN;
    rig_play(rig, "< CON 0.03 #6 @a1 11='pipe' 27=18 p=~16+16", "= piece @16 more ~16", "= lost by 1", "=",
             ".", NULL);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    assert_int_equal(rig->coap->remotes.in_use, 0);
    assert_int_equal(rig->coap->remotes.at[rig->coap->remotes.free].references, 0); /* freed once */
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_in_order),      cmocka_unit_test(small_bodies_are_not_streams),
        cmocka_unit_test(each_piece_once),      cmocka_unit_test(out_of_place),
        cmocka_unit_test(refused_at_the_start), cmocka_unit_test(lost_when_no_more_comes),
        cmocka_unit_test(lost_when_begun_anew), cmocka_unit_test(the_first_id_is_used_again),
        cmocka_unit_test(lost_when_forgotten),  cmocka_unit_test(ended_early),
        cmocka_unit_test(smaller_blocks),       cmocka_unit_test(too_large_for_one_piece),
        cmocka_unit_test(they_are_shared),      cmocka_unit_test(none_without_transfers),
        cmocka_unit_test(non_confirmable_ones), cmocka_unit_test(forgotten_within_callbacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
