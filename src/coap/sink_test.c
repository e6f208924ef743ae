/* SPDX-License-Identifier: Apache-2.0 */
/* Response bodies given to a sink, one block at a time (RFC 7959 section 2.4). */
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

static dunlin_status download(coap_rig *rig, uint64_t from, const char *etag)
{
    dn_coap_outgoing request;
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.sink = &rig->sink;
    request.from = from;
    request.from_etag = dunlin_slice_of(etag);
    return rig_request_with(rig, &request, "f");
}

static void pieces_in_order(void **state)
{
    dn_coap_config config = tight(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(download(rig, 0, NULL), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f' 23=02", "< ACK 2.05 #L @L 4=e1 12=2a 23=0a 28=96 p=~0+64",
             "= take @0 more ~64 of 150", "> CON 0.01 #* @* 11='f' 23=12",
             "< ACK 2.05 #L @L 4=e1 12=2a 23=1a p=~64+64", "= take @64 more ~64 of 150",
             "> CON 0.01 #* @* 11='f' 23=22", "=", "< ACK 2.05 #L @L 4=e1 12=2a 23=22 p=~128+22",
             "= take @128 ~22 of 150", "= result 2.05 cf=42", ".", NULL);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    rig_close(rig);
}

/* What the body is stands with its first block. */
static void the_format_of_the_first_block(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(download(rig, 0, NULL), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f'", "< ACK 2.05 #L @L 12=2a 23=08 p=~0+16", "= take @0 more ~16",
             "> CON 0.01 #* @* 11='f' 23=10", "< ACK 2.05 #L @L 23=10 p=~16+2", "= take @16 ~2",
             "= result 2.05 cf=42", NULL);
    rig_close(rig);
}

static void one_piece_is_all(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(download(rig, 0, NULL), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f'", "< ACK 2.05 #L @L p=~0+100", "= take @0 ~100", "= result 2.05",
             NULL);
    assert_int_equal(download(rig, 0, NULL), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f'", "< ACK 2.05 #L @L", "= take @0 ~0", "= result 2.05", NULL);
    assert_int_equal(download(rig, 0, NULL), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f'", "< ACK 2.05 #L @L 23=06 28=64 p=~0+100", "= take @0 ~100 of 100",
             "= result 2.05", NULL);
    rig_close(rig);
}

/* Separate and non-confirmable responses, and their duplicates: each piece once. */
static void each_piece_once(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(download(rig, 0, NULL), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f'", "< ACK 0.00 #L @", NULL);
    rig_play(rig, "< CON 2.05 #9 @L 23=08 p=~0+16", "> ACK 0.00 #9 @", "= take @0 more ~16",
             "> CON 0.01 #* @* 11='f' 23=10", NULL);
    uint16_t mid = rig->last_mid;
    rig_play(rig, "< CON 2.05 #9 @L 23=08 p=~0+16", "> ACK 0.00 #9 @", "=", ".", NULL);
    rig->last_mid = mid;
    rig_play(rig, "< ACK 2.05 #L @a1 23=10 p=~16+9", "=", ".", NULL); /* another token */
    rig_play(rig, "+3000", "> CON 0.01 #* @* 11='f' 23=10", "< ACK 2.05 #L @L 23=10 p=~16+9", "= take @16 ~9",
             "= result 2.05", "< ACK 2.05 #L @L 23=10 p=~16+9", "=", ".", NULL);
    rig_close(rig);
}

static void other_codes_are_results(void **state)
{
    static const struct {
        const char *in, *result;
    } cases[] = {
        {"< ACK 4.04 #L @L p='gone'", "= result 4.04 gone"},
        {"< ACK 2.03 #L @L 4=e1", "= result 2.03"},
        {"< ACK 2.04 #L @L p='ok'", "= result 2.04 ok"},
        {"< ACK 4.08 #L @L", "= result 4.08"},
        {"< ACK 5.03 #L @L", "= result 5.03"},
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        coap_rig *rig = rig_open(NULL);
        assert_int_equal(download(rig, 0, NULL), DUNLIN_OK);
        rig_play(rig, "> CON 0.01 #* @* 11='f'", NULL);
        if (i % 2 == 1) { /* in the middle as well */
            rig_play(rig, "< ACK 2.05 #L @L 23=08 p=~0+16", "= take @0 more ~16",
                     "> CON 0.01 #* @* 11='f' 23=10", NULL);
        }
        rig_play(rig, cases[i / 2].in, cases[i / 2].result, "=", ".", NULL);
        rig_close(rig);
    }
}

static void broken_blocks(void **state)
{
    static const char *const cases[] = {
        "< ACK 2.05 #L @L 23=28 p=~32+16",        /* a gap */
        "< ACK 2.05 #L @L 23=08 p=~0+16",         /* the one before */
        "< ACK 2.05 #L @L 23=18 p=~16+15",        /* too short for more */
        "< ACK 2.05 #L @L 23=10 p=~16+17",        /* too long */
        "< ACK 2.05 #L @L 23=17 p=~16+16",        /* the reserved size */
        "< ACK 2.05 #L @L 23=10 65001= p=~16+16", /* a critical option */
        "< ACK 2.05 #L @L p=~0+100",              /* the whole at once: some of it was taken */
        "< ACK 2.05 #L @L 4=e2 23=10 p=~16+16",   /* of another body */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        coap_rig *rig = rig_open(NULL);
        assert_int_equal(download(rig, 0, NULL), DUNLIN_OK);
        rig_play(rig, "> CON 0.01 #* @* 11='f'", "< ACK 2.05 #L @L 4=e1 23=08 p=~0+16", "= take @0 more ~16",
                 "> CON 0.01 #* @* 11='f' 23=10", cases[i], "= result -1", "=", ".", NULL);
        assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
        rig_close(rig);
    }
}

static void an_empty_last_block(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(download(rig, 0, NULL), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f'", "< ACK 2.05 #L @L 23=08 p=~0+16", "= take @0 more ~16",
             "> CON 0.01 #* @* 11='f' 23=10", "< ACK 2.05 #L @L 23=10", "= take @16 ~0", "= result 2.05",
             NULL);
    rig_close(rig);
}

static void the_peer_prefers_other_sizes(void **state)
{
    dn_coap_config config = tight(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(download(rig, 0, NULL), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f' 23=02", "< ACK 2.05 #L @L 23=0b p=~0+128", "= take @0 more ~128",
             "> CON 0.01 #* @* 11='f' 23=22", "< ACK 2.05 #L @L 23=88 p=~128+16", "= take @128 more ~16",
             "> CON 0.01 #* @* 11='f' 23=90", "< ACK 2.05 #L @L 23=90 p=~144+1", "= take @144 ~1",
             "= result 2.05", NULL);
    rig_close(rig);
}

static void going_on_later(void **state)
{
    dn_coap_config config = tight(2);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(download(rig, 128, "\xe1"), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f' 23=22", "< ACK 2.05 #L @L 4=e1 23=22 p=~128+5", "= take @128 ~5",
             "= result 2.05", NULL);
    /* The peer likes smaller blocks now. */
    assert_int_equal(download(rig, 128, "\xe1"), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f' 23=22", "< ACK 2.05 #L @L 4=e1 23=88 p=~128+16",
             "= take @128 more ~16", "> CON 0.01 #* @* 11='f' 23=90", "< ACK 2.05 #L @L 4=e1 23=90 p=~144+4",
             "= take @144 ~4", "= result 2.05", NULL);
    /* It stopped within one of our blocks: in smaller ones. */
    assert_int_equal(download(rig, 96, NULL), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f' 23=31", "< ACK 2.05 #L @L 4=e1 23=31 p=~96+4", "= take @96 ~4",
             "= result 2.05", NULL);
    /* Another body; another place; all of it; what the end was already. */
    assert_int_equal(download(rig, 128, "\xe1"), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f' 23=22", "< ACK 2.05 #L @L 4=e2 23=22 p=~128+5", "= result -1",
             NULL);
    assert_int_equal(download(rig, 128, "\xe1"), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f' 23=22", "< ACK 2.05 #L @L 4=e1 23=0a p=~0+64", "= result -1",
             NULL);
    assert_int_equal(download(rig, 128, "\xe1"), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f' 23=22", "< ACK 2.05 #L @L 4=e1 p=~0+133", "= result -1", NULL);
    assert_int_equal(download(rig, 128, "\xe1"), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f' 23=22", "< ACK 4.00 #L @L", "= result 4.00", NULL);
    rig_close(rig);
}

/* A device that downloads for an hour still updates its registration. */
static void others_have_their_turn(void **state)
{
    dn_coap_config config = tight(0);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(download(rig, 0, NULL), DUNLIN_OK);
    assert_int_equal(rig_request(rig, DN_COAP_POST, "rd", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f' 23=", "< ACK 2.05 #L @L 23=08 p=~0+16", "= take @0 more ~16",
             "> CON 0.02 #* @* 11='rd' 23=", ".", "< ACK 2.04 #L @L", "= result 2.04",
             "> CON 0.01 #* @* 11='f' 23=10", "< ACK 2.05 #L @L 23=10 p=~16+16", "= take @16 ~16",
             "= result 2.05", NULL);
    rig_close(rig);
}

static void a_sink_that_stops(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig->stop_after = 2;
    assert_int_equal(download(rig, 0, NULL), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f'", "< ACK 2.05 #L @L 23=08 p=~0+16", "= take @0 more ~16",
             "> CON 0.01 #* @* 11='f' 23=10", "< ACK 2.05 #L @L 23=18 p=~16+16", "= take @16 more ~16",
             "= result -42", "=", ".", NULL);
    rig->stop_after = 1; /* even at the last piece */
    assert_int_equal(download(rig, 0, NULL), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f'", "< ACK 2.05 #L @L p=~0+100", "= take @0 ~100", "= result -42",
             ".", NULL);
    rig_close(rig);
}

static void cancel_it(void *context)
{
    coap_rig *rig = context;
    assert_int_equal(dn_coap_cancel(rig->coap, rig->last_exchange), DUNLIN_OK);
}

static void forget_peer(void *context)
{
    coap_rig *rig = context;
    dn_coap_forget(rig->coap, &rig->peer[1]);
}

static void ended_by_its_sink(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    for (int way = 0; way < 4; way++) {
        rig->in_take = way % 2 == 0 ? cancel_it : forget_peer;
        rig->stop_after = way / 2;
        assert_int_equal(download(rig, 0, NULL), DUNLIN_OK);
        rig_play(rig, "> CON 0.01 #* @* 11='f'", "< ACK 2.05 #L @L 23=08 p=~0+16", "= take @0 more ~16",
                 "= result -42", "=", ".", NULL);
        assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    }
    rig_close(rig);
}

static void more_blocks_than_there_are_numbers(void **state)
{
    dn_coap_config config = tight(0);
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(download(rig, 16777200, NULL), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f' 23=fffff0", "< ACK 2.05 #L @L 23=fffff8 p=~16777200+16",
             "= result -20", NULL);
    assert_int_equal(download(rig, 16777200, NULL), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f' 23=fffff0", "< ACK 2.05 #L @L 23=fffff0 p=~16777200+16",
             "= take @16777200 ~16", "= result 2.05", NULL);
    assert_int_equal(download(rig, 0, NULL), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f' 23=", "< ACK 2.05 #L @L 23=08 28=01000001 p=~0+16", "= result -20",
             NULL);
    /* The peer's larger blocks reach further than ours. */
    assert_int_equal(download(rig, 16776192, NULL), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='f' 23=fffc00", "< ACK 2.05 #L @L 23=03fffe p=~16776192+1024",
             "= take @16776192 more ~1024", "= result -20", ".", NULL);
    rig_close(rig);
}

static void contradictions(void **state)
{
    dn_coap_sink nobody = {NULL, NULL};
    coap_rig *rig = rig_open(NULL);
    (void)state;
    const struct {
        const char *why;
        dn_coap_outgoing request;
    } cases[] = {
        {"no take", {.sink = &nobody}},
        {"two takers", {.sink = &rig->sink, .first = {rig->body, 16}}},
        {"from without sink", {.from = 16}},
        {"ETag without sink", {.from_etag = {rig->body, 1}}},
        {"not at a block", {.sink = &rig->sink, .from = 8}},
        {"behind the last block", {.sink = &rig->sink, .from = UINT64_C(1) << 30}},
        {"a long ETag", {.sink = &rig->sink, .from = 16, .from_etag = {rig->body, 9}}},
        {"in the middle of an answer to blocks",
         {.sink = &rig->sink, .from = 16, .payload = {rig->body, 1025}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_coap_outgoing request = cases[i].request;
        request.code = DN_COAP_GET;
        request.content_format = request.accept = DN_COAP_NO_FORMAT;
        request.observe = DN_COAP_NO_OBSERVE;
        if (rig_request_with(rig, &request, "f") != DUNLIN_ERR_ARGUMENT) {
            fail_msg("%s: taken", cases[i].why);
        }
    }
    rig_play(rig, ".", NULL);
    rig_close(rig);
}

/* A large question, and an answer in pieces. */
static void both_ways(void **state)
{
    dn_coap_config config = tight(0);
    config.max_body = 64;
    coap_rig *rig = rig_open(&config);
    dn_coap_outgoing request;
    (void)state;
    dn_coap_outgoing_init(&request, DN_COAP_FETCH);
    request.source = rig_source(rig, 20);
    request.sink = &rig->sink;
    assert_int_equal(rig_request_with(rig, &request, "f"), DUNLIN_OK);
    rig_play(rig, "> CON 0.05 #* @* 11='f' 23= 27=08 60=14 p=~0+16", "< ACK 2.31 #L @L 27=08",
             "> CON 0.05 #* @* 11='f' 23= 27=10 p=*", "< ACK 2.05 #L @L 23=08 27=10 p=~0+16",
             "= take @0 more ~16", "> CON 0.05 #* @* 11='f' 23=10",
             /* too late for a hint about the question's size */
             "< ACK 4.13 #L @L 27=00", "= result 4.13", ".", NULL);
    rig->config.block_szx = 2;
    coap_rig *wider = rig_open(&rig->config);
    request.source = NULL;
    request.payload = dunlin_slice_make(wider->body, 32);
    request.sink = &wider->sink;
    assert_int_equal(rig_request_with(wider, &request, "f"), DUNLIN_OK);
    rig_play(wider, "> CON 0.05 #* @* 11='f' 23=02 p=~0+32", "< ACK 2.05 #L @L 23=0a p=~0+64",
             "= take @0 more ~64", "> CON 0.05 #* @* 11='f' 23=12 p=~0+32", "< ACK 4.13 #L @L 27=00",
             "= result 4.13", ".", NULL);
    rig_close(wider);
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_in_order),
        cmocka_unit_test(the_format_of_the_first_block),
        cmocka_unit_test(one_piece_is_all),
        cmocka_unit_test(each_piece_once),
        cmocka_unit_test(other_codes_are_results),
        cmocka_unit_test(broken_blocks),
        cmocka_unit_test(an_empty_last_block),
        cmocka_unit_test(the_peer_prefers_other_sizes),
        cmocka_unit_test(going_on_later),
        cmocka_unit_test(others_have_their_turn),
        cmocka_unit_test(a_sink_that_stops),
        cmocka_unit_test(ended_by_its_sink),
        cmocka_unit_test(more_blocks_than_there_are_numbers),
        cmocka_unit_test(contradictions),
        cmocka_unit_test(both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
