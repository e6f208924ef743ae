/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies read from a source, one block at a time: in requests (Block1) and in responses (Block2). RFC 7959
 * sections 2.4, 2.5, 2.9.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/coap_rig.h"

/* No body of ours is larger than a block. */
static dn_coap_config tight(uint8_t szx)
{
    dn_coap_config config = dn_coap_config_default();
    config.block_szx = szx;
    config.max_body = (uint32_t)16 << szx;
    config.transfers = 0;
    return config;
}

static dunlin_status request_source(coap_rig *rig, uint8_t code, const char *path, uint64_t size)
{
    dn_coap_outgoing request;
    dn_coap_outgoing_init(&request, code);
    request.source = rig_source(rig, size);
    return rig_request_with(rig, &request, path);
}

static void a_request_in_blocks(void **state)
{
    dn_coap_config config = tight(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(request_source(rig, DN_COAP_PUT, "store", 150), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' 23=02 27=0a 60=96 p=~0+64", "< ACK 2.31 #L @L 27=0a",
             "> CON 0.03 #* @* 11='store' 23=02 27=1a p=~64+64", "< ACK 2.31 #L @L 27=1a",
             "> CON 0.03 #* @* 11='store' 23=02 27=22 p=~128+22", "=", "< ACK 2.04 #L @L 27=22",
             "= result 2.04", ".", NULL);
    assert_int_equal(rig->reads, 3);
    rig_close(rig);
}

static void what_fits_needs_no_block(void **state)
{
    dn_coap_config config = tight(6);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(request_source(rig, DN_COAP_PUT, "store", 1024), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' p=~0+1024", "< ACK 2.04 #L @L", "= result 2.04", NULL);
    assert_int_equal(request_source(rig, DN_COAP_PUT, "store", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store'", "< ACK 2.04 #L @L", "= result 2.04", NULL);
    assert_int_equal(request_source(rig, DN_COAP_PUT, "store", 1), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' p=00", "< ACK 2.04 #L @L", "= result 2.04", NULL);
    rig_close(rig);
}

/* Retransmissions are of the message that was made, not read anew. */
static void retransmissions_do_not_read(void **state)
{
    dn_coap_config config = tight(0);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(request_source(rig, DN_COAP_PUT, "store", 40), DUNLIN_OK);
    rig->unreadable = 0;
    rig_play(rig, "> CON 0.03 #* @* 11='store' 23= 27=08 60=28 p=~0+16", "+3000",
             "> CON 0.03 #* @* 11='store' 23= 27=08 60=28 p=~0+16", NULL);
    assert_int_equal(rig->reads, 1);
    rig_close(rig);
}

static void the_peer_takes_smaller_blocks(void **state)
{
    dn_coap_config config = tight(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(request_source(rig, DN_COAP_PUT, "store", 90), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' 23=02 27=0a 60=5a p=~0+64", "< ACK 2.31 #L @L 27=08",
             "> CON 0.03 #* @* 11='store' 23=02 27=48 p=~64+16", "< ACK 2.31 #L @L 27=48",
             "> CON 0.03 #* @* 11='store' 23=02 27=50 p=*", "< ACK 2.04 #L @L 27=50", "= result 2.04", NULL);
    /* 4.13 with a size: from the start with that. */
    assert_int_equal(request_source(rig, DN_COAP_PUT, "store", 40), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' 23=02 p=~0+40", "< ACK 4.13 #L @L 27=01",
             "> CON 0.03 #* @* 11='store' 23=02 27=09 60=28 p=~0+32", "< ACK 4.13 #L @L 27=00",
             "> CON 0.03 #* @* 11='store' 23=02 27=08 60=28 p=~0+16", "< ACK 2.31 #L @L 27=08",
             "> CON 0.03 #* @* 11='store' 23=02 27=18 p=~16+16", "< ACK 4.13 #L @L 27=00 60=20",
             "= result 4.13", ".", NULL);
    rig_close(rig);
}

/* What ends an upload is its result: nothing is sent again unasked. */
static void final_answers_are_the_result(void **state)
{
    static const struct {
        const char *in, *result;
    } cases[] = {
        {"< ACK 4.08 #L @L", "= result 4.08"},
        {"< ACK 4.13 #L @L 60=40", "= result 4.13"},
        {"< ACK 4.03 #L @L", "= result 4.03"},
        {"< ACK 5.03 #L @L", "= result 5.03"},
        {"< ACK 2.04 #L @L", "= result 2.04"},
        {"< ACK 2.31 #L @L", "= result -1"},
        {"< ACK 2.31 #L @L 27=2a", "= result -1"},
        {"< RST 0.00 #L @", "= result -43"},
        {"+93000", "= result -23"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_coap_config config = tight(2);
        config.max_retransmit = 0;
        coap_rig *rig = rig_open(&config);
        assert_int_equal(request_source(rig, DN_COAP_PUT, "store", 200), DUNLIN_OK);
        rig_play(rig, "> CON 0.03 #* @* 11='store' 23=02 27=0a 60=c8 p=~0+64", "< ACK 2.31 #L @L 27=0a",
                 "> CON 0.03 #* @* 11='store' 23=02 27=1a p=~64+64", cases[i].in, cases[i].result, ".", NULL);
        assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
        rig_close(rig);
    }
}

/* However long it takes, what waits for NSTART gets its turn between two blocks. */
static void others_have_their_turn(void **state)
{
    dn_coap_config config = tight(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(request_source(rig, DN_COAP_PUT, "store", 200), DUNLIN_OK);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "b", 0), DUNLIN_OK);
    assert_int_equal(rig_notify(rig, "tk", true, 1, 0, true), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' 23=02 27=0a 60=c8 p=~0+64", "< ACK 2.31 #L @L 27=0a",
             "> CON 0.01 #* @* 11='b' 23=02", ".", "< ACK 2.05 #L @L", "= result 2.05",
             "> CON 2.05 #* @746b 6=01", ".", "< ACK 0.00 #L @", "= result 0",
             "> CON 0.03 #* @* 11='store' 23=02 27=1a p=~64+64", "< ACK 2.31 #L @L 27=1a",
             "> CON 0.03 #* @* 11='store' 23=02 27=2a p=~128+64", "=", NULL);
    /* Cancelled while it waits for its turn. */
    uint64_t other = rig->last_exchange;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "b", 0), DUNLIN_OK);
    rig_play(rig, "< ACK 2.31 #L @L 27=2a", "> CON 0.01 #* @* 11='b' 23=02", ".", NULL);
    assert_int_equal(dn_coap_cancel(rig->coap, other), DUNLIN_ERR_NOT_FOUND);
    dn_coap_forget(rig->coap, &rig->peer[1]);
    rig_play(rig, "= result -42", "= result -42", "=", NULL);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    rig_close(rig);
}

static void a_source_that_fails(void **state)
{
    dn_coap_config config = tight(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig->unreadable = 100;
    assert_int_equal(request_source(rig, DN_COAP_PUT, "store", 200), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' 23=02 27=0a 60=c8 p=~0+64", "< ACK 2.31 #L @L 27=0a",
             "= result -42", ".", NULL);
    rig->unreadable = 63; /* at once: nothing begins */
    assert_int_equal(request_source(rig, DN_COAP_PUT, "store", 200), DUNLIN_ERR_CANCELLED);
    rig_play(rig, "=", ".", NULL);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    rig_close(rig);
}

/* Block numbers have 20 bits. */
static void more_blocks_than_there_are_numbers(void **state)
{
    dn_coap_config config = tight(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(request_source(rig, DN_COAP_PUT, "store", (64u << 20) + 1), DUNLIN_ERR_SPACE);
    assert_int_equal(request_source(rig, DN_COAP_PUT, "store", UINT64_MAX), DUNLIN_ERR_SPACE);
    assert_int_equal(request_source(rig, DN_COAP_PUT, "store", 64u << 20), DUNLIN_OK);
    rig_play(rig, "> CON 0.03 #* @* 11='store' 23=02 27=0a 60=04000000 p=~0+64", "< ACK 2.31 #L @L 27=09",
             "= result -20", ".", NULL);
    rig_close(rig);
}

static void a_body_has_one_origin(void **state)
{
    coap_rig *rig = rig_open(NULL);
    dn_coap_outgoing request;
    dn_coap_source unready = {10, NULL, NULL};
    (void)state;
    dn_coap_outgoing_init(&request, DN_COAP_PUT);
    request.source = rig_source(rig, 10);
    request.payload = dunlin_slice_make(rig->body, 1);
    assert_int_equal(rig_request_with(rig, &request, "x"), DUNLIN_ERR_ARGUMENT);
    request.payload.len = 0;
    request.source = &unready;
    assert_int_equal(rig_request_with(rig, &request, "x"), DUNLIN_ERR_ARGUMENT);
    rig_play(rig, ".", NULL);
    rig_close(rig);
}

/* FETCH: the question is read again for each block of the answer. */
static void a_question_from_a_source(void **state)
{
    dn_coap_config config = tight(0);
    config.max_body = 64;
    config.transfers = 1;
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(request_source(rig, DN_COAP_FETCH, "q", 16), DUNLIN_OK);
    rig_play(rig, "> CON 0.05 #* @* 11='q' 23= p=~0+16", "< ACK 2.05 #L @L 23=08 p=~0+16",
             "> CON 0.05 #* @* 11='q' 23=10 p=~0+16", "< ACK 2.05 #L @L 23=10 p=~16+16", "= result 2.05 ~32",
             NULL);
    rig_close(rig);
}

static void a_response_in_blocks(void **state)
{
    dn_coap_config config = tight(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @a1 11='source' 11='150'", "= request GET source/150",
             "> ACK 2.05 #1 @a1 4=e1 12= 23=0a 28=96 p=~0+64", "< CON 0.01 #2 @a2 11='source' 11='150' 23=12",
             "= request GET source/150", "> ACK 2.05 #2 @a2 4=e1 12= 23=1a p=~64+64",
             "< CON 0.01 #3 @a3 11='source' 11='150' 23=22", "= request GET source/150",
             "> ACK 2.05 #3 @a3 4=e1 12= 23=22 p=~128+22", NULL);
    /* Any block, in any size up to ours; the size when it is asked for; nothing behind the end. */
    rig_play(rig, "< CON 0.01 #4 @a4 11='source' 11='150' 23=11", "= request GET source/150",
             "> ACK 2.05 #4 @a4 4=e1 12= 23=19 p=~32+32", "< CON 0.01 #5 @a5 11='source' 11='150' 23=13",
             "= request GET source/150", "> ACK 2.05 #5 @a5 4=e1 12= 23=22 p=~128+22",
             "< CON 0.01 #6 @a6 11='source' 11='10' 28=", "= request GET source/10",
             "> ACK 2.05 #6 @a6 4=e1 12= 28=0a p=*", "< CON 0.01 #7 @a7 11='source' 11='150' 23=32",
             "= request GET source/150", "> ACK 4.00 #7 @a7", "< CON 0.01 #8 @a8 11='source' 11='0'",
             "= request GET source/0", "> ACK 2.05 #8 @a8 4=e1 12=", NULL);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER); /* nothing is kept */
    rig_close(rig);
}

/* Blocks of what is kept of an earlier answer do not follow a block from the source. */
static void what_was_kept_is_dropped(void **state)
{
    dn_coap_config config = dn_coap_config_default();
    config.block_szx = 2;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @a1 11='big' 11='150'", "= request GET big/150",
             "> ACK 2.05 #1 @a1 4=* 12= 23=0a 28=96 p=~0+64", "< CON 0.01 #2 @a2 11='big' 11='150' 23=12",
             "=", "> ACK 2.05 #2 @a2 4=* 12= 23=1a p=~64+64", NULL);
    rig->big_from_source = true;
    rig_play(rig, "< CON 0.01 #3 @a3 11='big' 11='150'", "= request GET big/150",
             "> ACK 2.05 #3 @a3 12= 23=0a 28=96 p=~0+64", "< CON 0.01 #4 @a4 11='big' 11='150' 23=12",
             "= request GET big/150", "> ACK 2.05 #4 @a4 12= 23=1a p=~64+64", NULL);
    rig_close(rig);
}

static void a_response_that_cannot_be_read(void **state)
{
    dn_coap_config config = tight(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig->unreadable = 100;
    rig_play(rig, "< CON 0.01 #1 @a1 11='source' 11='150'", "= request GET source/150",
             "> ACK 2.05 #1 @a1 4=e1 12= 23=0a 28=96 p=~0+64", "< CON 0.01 #2 @a2 11='source' 11='150' 23=12",
             "= request GET source/150", "> ACK 5.00 #2 @a2", NULL);
    rig_close(rig);
}

static void responses_that_cannot_go_in_blocks(void **state)
{
    dn_coap_config config = tight(0);
    coap_rig *rig = rig_open(&config);
    dn_coap_reply reply;
    dn_coap_token token = {1, {1}};
    (void)state;
    /* A POST cannot be asked again for its second block. One block is all right. */
    rig_play(rig, "< CON 0.02 #1 @a1 11='source' 11='17'", "= request POST source/17", "> ACK 5.00 #1 @a1",
             "< CON 0.02 #2 @a1 11='source' 11='16'", "= request POST source/16",
             "> ACK 2.05 #2 @a1 4=e1 12= p=~0+16", NULL);
    /* 2^20 blocks of 16. */
    rig_play(rig, "< CON 0.01 #3 @a1 11='source' 11='16777217'", "= request GET source/16777217",
             "> ACK 5.00 #3 @a1", "< CON 0.01 #4 @a1 11='source' 11='16777216' 23=fffff0",
             "= request GET source/16777216", "> ACK 2.05 #4 @a1 4=e1 12= 23=fffff0 p=*", NULL);
    dn_coap_reply_init(&reply, DN_COAP_CONTENT);
    reply.source = rig_source(rig, 5);
    assert_int_equal(
        dn_coap_notify(rig->coap, &rig->peer[1], &token, &reply, false, NULL, NULL, rig->now_ms, NULL),
        DUNLIN_ERR_ARGUMENT);
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_in_blocks),
        cmocka_unit_test(what_fits_needs_no_block),
        cmocka_unit_test(retransmissions_do_not_read),
        cmocka_unit_test(the_peer_takes_smaller_blocks),
        cmocka_unit_test(final_answers_are_the_result),
        cmocka_unit_test(others_have_their_turn),
        cmocka_unit_test(a_source_that_fails),
        cmocka_unit_test(more_blocks_than_there_are_numbers),
        cmocka_unit_test(a_body_has_one_origin),
        cmocka_unit_test(a_question_from_a_source),
        cmocka_unit_test(a_response_in_blocks),
        cmocka_unit_test(what_was_kept_is_dropped),
        cmocka_unit_test(a_response_that_cannot_be_read),
        cmocka_unit_test(responses_that_cannot_go_in_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
