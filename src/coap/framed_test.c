/* SPDX-License-Identifier: Apache-2.0 */
/* Requests, responses and notifications on a stream, as conversations with one peer (RFC 8323). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "coap/core.h"
#include "tests/sim/coap_rig.h"

#define CSM_8192 "2=2000 4="

static dn_coap_config stream_config(void)
{
    dn_coap_config config = dn_coap_config_default();
    config.connections = 2;
    config.max_body = 8192;
    return config;
}

static coap_rig *open_rig(void)
{
    const dn_coap_config config = stream_config();
    coap_rig *rig = rig_open(&config);
    rig_connect(rig, CSM_8192);
    return rig;
}

static void close_rig(coap_rig *rig)
{
    rig_play(rig, ".", "=", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->resets_sent, 0);
    assert_int_equal(dn_coap_count(rig->coap)->retransmissions, 0);
    rig_close(rig);
}

static void requests_and_responses(void **state)
{
    coap_rig *rig = open_rig();
    (void)state;
    rig_play(rig, "< TCP 0.01 @a1 11='small'", "= request GET small", "> TCP 2.05 @a1 12= p='hello'", ".",
             "< TCP 0.02 @ 11='echo' p='x'", "= request POST echo x", "> TCP 2.04 @ 12= p='x'", ".", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "there", 0), DUNLIN_OK);
    rig_play(rig, "> TCP 0.01 @* 11='there'", ".", "< TCP 2.05 @L p='yes'", "= result 2.05 yes", ".", "=",
             NULL);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    close_rig(rig);
}

/* There are no ids: what looks the same is another request (section 3.4). */
static void nothing_is_a_duplicate(void **state)
{
    coap_rig *rig = open_rig();
    (void)state;
    for (int i = 0; i < 20; i++) {
        rig_play(rig, "< TCP 0.02 @a1 11='count'", "= request POST count", "> TCP 2.04 @a1", ".", NULL);
    }
    assert_int_equal(rig->counted, 20);
    assert_int_equal(dn_coap_count(rig->coap)->duplicates, 0);
    close_rig(rig);
}

static void requests_that_are_refused(void **state)
{
    static const struct {
        const char *what, *request, *answer;
    } rows[] = {
        {"unknown critical option", "< TCP 0.01 @a1 65001=01", "> TCP 4.02 @a1 p=6f7074696f6e203635303031"},
        {"proxying", "< TCP 0.01 @a1 35='coap://x'", "> TCP 5.05 @a1"},
        {"unknown method", "< TCP 0.08 @a1", "> TCP 4.05 @a1"},
        {"a body beyond max_body", "< TCP 0.02 @a1 11='echo' p=~0+2001", "> TCP 4.13 @a1 27=06 60=07d0"},
        {"block 1 that is not full", "< TCP 0.03 @a1 11='x' 27=0e p='short'", "> TCP 4.00 @a1"},
        {"BERT block 1 of no full size", "< TCP 0.03 @a1 11='x' 27=0f p=~0+1025", "> TCP 4.00 @a1"},
        {"BERT block 1 of nothing", "< TCP 0.03 @a1 11='x' 27=0f", "> TCP 4.00 @a1"},
        {"a block out of nowhere", "< TCP 0.03 @a1 11='x' 27=18 p=~16+16", "> TCP 4.08 @a1"},
        {"a block behind the end", "< TCP 0.01 @a1 11='small' 23=17", "> TCP 4.00 @a1"},
        {"blocks beyond max_body", "< TCP 0.03 @a1 11='x' 27=0f p=~0+2048", "> TCP 4.13 @a1 60=07d0"},
    };
    dn_coap_config config = stream_config();
    config.max_body = 2000;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        coap_rig *rig = rig_open(&config);
        rig_connect(rig, CSM_8192);
        print_message("%s\n", rows[i].what);
        rig_play(rig, rows[i].request, rows[i].answer, ".", NULL);
        rig_close(rig);
    }
}

/* Who takes no more than 1152 bytes does not know BERT: its exponent is the reserved one. */
static void bert_where_it_is_not_known(void **state)
{
    dn_coap_config config = stream_config();
    config.max_stream_message = 1152;
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(dn_coap_open(rig->coap, &rig->peer[1], rig->now_ms), DUNLIN_OK);
    rig_play(rig, "> TCP 7.01 @ 2=0480 4=", "< TCP 7.01 @ " CSM_8192, "< TCP 0.03 @a1 11='x' 27=0f p=~0+1024",
             "> TCP 4.00 @a1", "< TCP 0.01 @a2 11='big' 11='3000' 23=07", "> TCP 4.00 @a2", ".",
             "< TCP 0.01 @a2 11='big' 11='3000'", "= request GET big/3000",
             "> TCP 2.05 @a2 4=* 12= 23=0e 28=0bb8 p=~0+1024", ".", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "there", 0), DUNLIN_OK);
    rig_play(rig, "> TCP 0.01 @* 11='there'", "< TCP 2.05 @L 23=0f p=~0+1024", "= result -1", NULL);
    close_rig(rig);
}

/* No empty ACK, whether the answer takes half a second or minutes; given up like others. */
static void answers_that_take_time(void **state)
{
    coap_rig *rig = open_rig();
    (void)state;
    rig_play(rig, "< TCP 0.01 @a1 11='later'", "= request GET later", ".", "+200000", ".", NULL);
    assert_int_equal(rig_answer(rig, DN_COAP_CONTENT, 3), DUNLIN_OK);
    rig_play(rig, "> TCP 2.05 @a1 p=00070e", NULL);
    close_rig(rig);
}

static bool arrived;

static void note_arrival(void *context)
{
    arrived = dn_coap_had_arrived(((coap_rig *)context)->coap);
}

/* Sent once; it may have been carried out, whoever ends it. */
static void requests_without_answers(void **state)
{
    coap_rig *rig = open_rig();
    dn_coap_outgoing request;
    (void)state;
    rig->in_result = note_arrival;
    arrived = false;
    assert_int_equal(rig_request(rig, DN_COAP_POST, "there", 0), DUNLIN_OK);
    rig_play(rig, "> TCP 0.02 @* 11='there'", "+92999", ".", "=", "+1", "= result -23", ".", NULL);
    assert_true(arrived);
    dn_coap_outgoing_init(&request, DN_COAP_POST);
    request.timeout_ms = 5000;
    request.confirmable = arrived = false;
    assert_int_equal(rig_request_with(rig, &request, "there"), DUNLIN_OK);
    rig_play(rig, "> TCP 0.02 @* 11='there'", "+4999", "=", "+1", "= result -23", NULL);
    assert_true(arrived);
    arrived = false;
    assert_int_equal(rig_request(rig, DN_COAP_POST, "there", 0), DUNLIN_OK);
    assert_int_equal(dn_coap_nudge(rig->coap, rig->last_exchange, rig->now_ms + 10000), DUNLIN_OK);
    assert_int_equal(dn_coap_cancel(rig->coap, rig->last_exchange), DUNLIN_OK);
    rig_play(rig, "> TCP 0.02 @* 11='there'", "= result -42", NULL);
    assert_true(arrived);
    close_rig(rig);
}

/* NSTART is of the message layer; how many exchanges there are is not. */
static void requests_have_their_turn_at_once(void **state)
{
    coap_rig *rig = open_rig();
    (void)state;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(rig_request(rig, DN_COAP_GET, "there", 0), DUNLIN_OK);
        rig_play(rig, "> TCP 0.01 @* 11='there'", ".", NULL);
    }
    assert_int_equal(rig_request(rig, DN_COAP_GET, "there", 0), DUNLIN_ERR_LIMIT);
    rig_play(rig, "< TCP 2.05 @L", "= result 2.05", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "there", 0), DUNLIN_OK);
    rig_play(rig, "> TCP 0.01 @* 11='there'", ".", NULL);
    close_rig(rig);
}

/* A token means something to one peer only; a class that is not defined, and an answer to nothing, mean nothing. */
static void answers_that_are_none(void **state)
{
    coap_rig *rig = open_rig();
    (void)state;
    assert_int_equal(dn_coap_open(rig->coap, &rig->peer[2], rig->now_ms), DUNLIN_OK);
    rig_play(rig, ">2 TCP 7.01 @ 2=2000 4=", "<2 TCP 7.01 @", ".", NULL);
    rig->refuse_notifications = true;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "there", 0), DUNLIN_OK);
    rig_play(rig, "> TCP 0.01 @* 11='there'", "<2 TCP 2.05 @L p='other'", "= notification 2.05 other",
             "< TCP 2.05 @ p='none'", "= notification 2.05 none", "< TCP 1.05 @L", "< TCP 6.05 @L", "=",
             "< TCP 2.05 @L 65001= p='no'", "= result -1", ".", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->unmatched, 2);
    assert_int_equal(dn_coap_count(rig->coap)->malformed, 2);
    close_rig(rig);
}

/* Section 7: no sequence, no acknowledgement, no Reset. */
static void notifications_of_others(void **state)
{
    coap_rig *rig = open_rig();
    (void)state;
    rig_play(rig, "< TCP 2.05 @a1 6= p='1'", "= notification 2.05 observe=0 1", ".",
             "< TCP 2.05 @a1 6=07 p='2'", "= notification 2.05 observe=7 2", ".", NULL);
    rig->refuse_notifications = true;
    rig_play(rig, "< TCP 2.05 @a1 6= p='3'", "= notification 2.05 observe=0 3", ".", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->notifications, 2);
    assert_int_equal(dn_coap_count(rig->coap)->unmatched, 1);
    close_rig(rig);
}

/* One that is under way when the observation ends is not the answer to that. */
static void ending_an_observation(void **state)
{
    coap_rig *rig = open_rig();
    dn_coap_outgoing request;
    (void)state;
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.token = (dn_coap_token){1, {0xa1}};
    request.observe = 1;
    assert_int_equal(rig_request_with(rig, &request, "there"), DUNLIN_OK);
    rig_play(rig, "> TCP 0.01 @a1 6=01 11='there'", "< TCP 2.05 @a1 6= p='1'",
             "= notification 2.05 observe=0 1", "< TCP 2.05 @a1 p='2'", "= result 2.05 2", ".", NULL);
    close_rig(rig);
}

static void notifications_of_ours(void **state)
{
    coap_rig *rig = open_rig();
    (void)state;
    assert_int_equal(rig_notify(rig, "t", true, 5, 20, false), DUNLIN_OK);
    assert_int_equal(rig->last_exchange, 0);
    rig_play(rig, "> TCP 2.05 @74 6=05 p=~0+20", ".", "+100000", ".", NULL);
    assert_int_equal(rig_notify(rig, "t", true, 6, 20, true), DUNLIN_OK);
    rig_play(rig, "> TCP 2.05 @74 6=06 p=~0+20", "=", "+1", "= result 0", ".", NULL);
    assert_int_equal(rig_notify(rig, "t", false, 6, 7000, true), DUNLIN_OK);
    rig_play(rig, "> TCP 2.05 @74 6=06 p=~0+7000", "+1", "= result 0", ".", NULL);
    close_rig(rig);
}

/* As much as the other end takes goes in one message; what is more, in as few as can be. */
static void a_large_notification(void **state)
{
    coap_rig *rig = open_rig();
    dn_coap_reply reply;
    dn_coap_token token = {1, {0xa1}};
    (void)state;
    rig_play(rig, "< TCP 7.01 @ 2=1000", "< TCP 0.01 @a1 6= 11='observe'", "= request GET observe observe=0",
             "> TCP 2.05 @a1 6=01 12= p='hello'", NULL);
    dn_coap_reply_init(&reply, DN_COAP_CONTENT);
    reply.observe = 2;
    reply.key = rig->last_key;
    reply.payload = dunlin_slice_make(rig->body, 8000);
    assert_int_equal(
        dn_coap_notify(rig->coap, &rig->peer[1], &token, &reply, true, NULL, NULL, rig->now_ms, NULL),
        DUNLIN_OK);
    rig_play(rig, "> TCP 2.05 @a1 4=* 6=02 23=0f 28=1f40 p=~0+3072", "< TCP 0.01 @a2 11='observe' 23=37",
             "> TCP 2.05 @a2 4=* 23=3f p=~3072+3072", "< TCP 0.01 @a2 11='observe' 23=67",
             "> TCP 2.05 @a2 4=* 23=67 p=~6144+1856", ".", NULL);
    close_rig(rig);
}

/* The client's side of that. */
static void the_rest_of_a_notification(void **state)
{
    coap_rig *rig = open_rig();
    dn_coap_outgoing request;
    (void)state;
    rig_play(rig, "< TCP 2.05 @a1 6= 23=0f p=~0+2048", "= notification 2.05 observe=0 more ~2048", ".",
             "< TCP 2.05 @a1 6= 23=0f p=~0+2000", "< TCP 2.05 @a1 6= 23=1f p=~0+1024", "=", ".", NULL);
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.first = dunlin_slice_make(rig->body, 2048);
    request.first_szx = 7;
    assert_int_equal(rig_request_with(rig, &request, "there"), DUNLIN_OK);
    rig_play(rig, "> TCP 0.01 @* 11='there' 23=27", "< TCP 2.05 @L 23=27 p=~2048+3000", "= result 2.05 ~5048",
             NULL);
    close_rig(rig);
}

/* Figure 13 of section 6.1. */
static void a_body_in_bert_blocks(void **state)
{
    dn_coap_config config = stream_config();
    config.max_body = 16384;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_connect(rig, CSM_8192);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "status", 0), DUNLIN_OK);
    rig_play(rig, "> TCP 0.01 @* 11='status'", "< TCP 2.05 @L 23=0f p=~0+3072",
             "> TCP 0.01 @* 11='status' 23=37", "< TCP 2.05 @L 23=3f p=~3072+5120",
             "> TCP 0.01 @* 11='status' 23=87", "< TCP 2.05 @L 23=87 p=~8192+4711", "= result 2.05 ~12903",
             NULL);
    close_rig(rig);
}

/* The same for a sink; and blocks that are not where they must be, or not of whole kilobytes. */
static void pieces_in_bert_blocks(void **state)
{
    static const char *const wrong[] = {"< TCP 2.05 @L 23=3f p=~3072+5119",
                                        "< TCP 2.05 @L 23=4f p=~3072+1024", "< TCP 2.05 @L 23=3f"};
    coap_rig *rig = open_rig();
    dn_coap_outgoing request;
    (void)state;
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.sink = &rig->sink;
    assert_int_equal(rig_request_with(rig, &request, "status"), DUNLIN_OK);
    rig_play(rig, "> TCP 0.01 @* 11='status'", "< TCP 2.05 @L 23=0f 28=3267 p=~0+3072",
             "= take @0 more ~3072 of 12903", "> TCP 0.01 @* 11='status' 23=37",
             "< TCP 2.05 @L 23=3f p=~3072+5120", "= take @3072 more ~5120 of 12903",
             "> TCP 0.01 @* 11='status' 23=87", "< TCP 2.05 @L 23=87 p=~8192+4711",
             "= take @8192 ~4711 of 12903", "= result 2.05", NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(rig_request_with(rig, &request, "status"), DUNLIN_OK);
        rig_play(rig, "> TCP 0.01 @* 11='status'", "< TCP 2.05 @L 23=0f p=~0+3072", "= take @0 more ~3072",
                 "> TCP 0.01 @* 11='status' 23=37", wrong[i], "= result -1", NULL);
    }
    request.from = 3072;
    assert_int_equal(rig_request_with(rig, &request, "status"), DUNLIN_OK);
    rig_play(rig, "> TCP 0.01 @* 11='status' 23=37", "< TCP 2.05 @L 23=36 p=~3072+100", "= take @3072 ~100",
             "= result 2.05", NULL);
    close_rig(rig);
}

/* Figure 14, from our side and from the other. */
static void a_request_in_bert_blocks(void **state)
{
    dn_coap_config config = stream_config();
    config.max_body = 40000;
    config.max_stream_message = 20000;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_connect(rig, CSM_8192);
    rig_play(rig, "< TCP 0.03 @a1 11='echo' 27=0f p=~0+8192", "> TCP 2.31 @a1 27=0f",
             "< TCP 0.03 @a2 11='echo' 27=8f p=~8192+16384", "> TCP 2.31 @a2 27=8f",
             "< TCP 0.03 @a3 11='echo' 27=0187 p=~24576+5683", "= request PUT echo ~30259",
             "> TCP 2.04 @a3 4=* 12= 23=0f 27=0187 28=7633 p=~0+7168", ".", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "options", 16000), DUNLIN_OK);
    rig_play(rig, "> TCP 0.03 @* 11='options' 27=0f 60=3e80 p=~0+7168", "< TCP 2.31 @L 27=0f",
             "> TCP 0.03 @* 11='options' 27=7f p=~7168+7168", "< TCP 2.31 @L 27=7f",
             "> TCP 0.03 @* 11='options' 27=e7 p=~14336+1664", "< TCP 2.04 @L 27=e7", "= result 2.04", NULL);
    close_rig(rig);
}

/* A peer may ask for smaller blocks than those of BERT, and may turn BERT off under way. */
static void smaller_blocks_are_wanted(void **state)
{
    dn_coap_config config = stream_config();
    config.max_body = 20000;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_connect(rig, CSM_8192);
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "x", 9000), DUNLIN_OK);
    rig_play(rig, "> TCP 0.03 @* 11='x' 27=0f 60=2328 p=~0+7168", "< TCP 2.31 @L 27=0e",
             "> TCP 0.03 @* 11='x' 27=7e p=~7168+1024", "< TCP 2.31 @L 27=7e",
             "> TCP 0.03 @* 11='x' 27=86 p=~8192+808", "< TCP 2.04 @L 27=86", "= result 2.04", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "x", 9000), DUNLIN_OK);
    rig_play(rig, "> TCP 0.03 @* 11='x' 27=0f 60=2328 p=~0+7168", "< TCP 7.01 @ 2=0480",
             "< TCP 2.31 @L 27=0f", "> TCP 0.03 @* 11='x' 27=7e p=~7168+1024", "< TCP 2.31 @L 27=7e",
             "> TCP 0.03 @* 11='x' 27=86 p=~8192+808", "< TCP 2.04 @L 27=86", "= result 2.04", NULL);
    rig_play(rig, "< TCP 7.01 @ 2=2000", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "x", 3000), DUNLIN_OK);
    rig_play(rig, "> TCP 0.03 @* 11='x' p=~0+3000", "< TCP 4.13 @L 27=05",
             "> TCP 0.03 @* 11='x' 27=0d 60=0bb8 p=~0+512", "< TCP 4.13 @L", "= result 4.13", NULL);
    rig_play(rig, "< TCP 0.01 @a1 11='big' 11='3000' 23=02", "= request GET big/3000",
             "> TCP 2.05 @a1 4=* 12= 23=0a 28=0bb8 p=~0+64", NULL);
    close_rig(rig);
}

/* Blocks of a peer that never said that it knows them, and of a message that has no room for any. */
static void a_peer_that_says_little(void **state)
{
    dn_coap_config config = stream_config();
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_connect(rig, "");
    rig_play(rig, "< TCP 0.01 @a1 11='big' 11='1080'", "= request GET big/1080",
             "> TCP 2.05 @a1 12= p=~0+1080", "< TCP 0.01 @a1 11='big' 11='1100'", "= request GET big/1100",
             "> TCP 2.05 @a1 4=* 12= 23=0e 28=044c p=~0+1024", "< TCP 7.01 @ 2=64",
             "< TCP 0.01 @a1 11='big' 11='40'", "= request GET big/40", "> TCP 2.05 @a1 12= p=~0+40",
             "< TCP 0.01 @a1 11='big' 11='41'", "= request GET big/41",
             "> TCP 2.05 @a1 4=* 12= 23=09 28=29 p=~0+32", "< TCP 7.01 @ 2=0b", "< TCP 0.01 @a1 11='small'",
             "= request GET small", "> TCP 5.00 @a1", ".", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "a-long-name", 0), DUNLIN_ERR_SPACE);
    close_rig(rig);
}

static void unexpected(void *context, uint64_t exchange, dunlin_status status,
                       const dn_coap_response *response)
{
    (void)context;
    (void)exchange;
    (void)response;
    fail_msg("told of what was refused: %d", (int)status);
}

/* Options take from a message what a block of BERT would need; and more than there is. */
static void options_that_take_the_room(void **state)
{
    static const uint8_t filler[1200];
    const dn_coap_option too_long = {2048, {filler, sizeof filler}};
    const dn_coap_token token = {1, {0xa1}};
    const dn_coap_config config = stream_config();
    coap_rig *rig = rig_open(&config);
    dn_coap_reply reply;
    uint64_t id;
    (void)state;
    rig_connect(rig, "2=0481 4=");
    assert_int_equal(
        rig_request(rig, DN_COAP_PUT, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", 2000),
        DUNLIN_OK);
    rig_play(rig,
             "> TCP 0.03 @* 11='aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' 11='bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb' 27=0d "
             "60=07d0 p=~0+512",
             NULL);
    assert_int_equal(dn_coap_cancel(rig->coap, rig->last_exchange), DUNLIN_OK);
    dn_coap_reply_init(&reply, DN_COAP_CONTENT);
    reply.options = &too_long;
    reply.option_count = 1;
    assert_int_equal(
        dn_coap_notify(rig->coap, &rig->peer[1], &token, &reply, true, unexpected, rig, rig->now_ms, &id),
        DUNLIN_ERR_SPACE);
    rig_play(rig, "= result -42", "< TCP 7.01 @ 2=2000", "< TCP 0.01 @a1 11='long'", "= request GET long",
             "> TCP 2.05 @a1 12= 2048=* p='hello'", NULL);
    assert_int_equal(rig->coap->exchanges.in_use, 0);
    close_rig(rig);
}

/* A request body in pieces; block 0 begins it anew, for there is no duplicate. */
static void pieces_of_requests(void **state)
{
    coap_rig *rig = open_rig();
    (void)state;
    rig_play(rig, "< TCP 0.03 @a1 11='pipe' 27=0f p=~0+4096", "= streams PUT pipe", "= piece @0 more ~4096",
             "> TCP 2.31 @a1 27=0f", "< TCP 0.03 @a2 11='pipe' 27=0f p=~0+2048", "= lost by 1",
             "= streams PUT pipe", "= piece @0 more ~2048", "> TCP 2.31 @a2 27=0f",
             "< TCP 0.03 @a3 11='pipe' 27=4f p=~4096+1024", "> TCP 4.08 @a3",
             "< TCP 0.03 @a4 11='pipe' 27=27 p=~2048+5000", "= piece @2048 ~5000", "> TCP 2.04 @a4 27=27",
             ".", NULL);
    close_rig(rig);
}

/* From and to sources, without max_body's limit. */
static void sources(void **state)
{
    coap_rig *rig = open_rig();
    dn_coap_outgoing request;
    (void)state;
    dn_coap_outgoing_init(&request, DN_COAP_PUT);
    request.source = rig_source(rig, 10000);
    assert_int_equal(rig_request_with(rig, &request, "x"), DUNLIN_OK);
    rig_play(rig, "> TCP 0.03 @* 11='x' 27=0f 60=2710 p=~0+7168", "< TCP 2.31 @L 27=0f",
             "> TCP 0.03 @* 11='x' 27=77 p=~7168+2832", "< TCP 2.04 @L 27=77", "= result 2.04", NULL);
    rig_play(rig, "< TCP 0.01 @a1 11='source' 11='10000'", "= request GET source/10000",
             "> TCP 2.05 @a1 4=e1 12= 23=0f 28=2710 p=~0+7168", "< TCP 0.01 @a1 11='source' 11='10000' 23=77",
             "= request GET source/10000", "> TCP 2.05 @a1 4=e1 12= 23=77 p=~7168+2832", NULL);
    /* What fits a message can be the answer to any method. */
    rig_play(rig, "< TCP 0.02 @a2 11='source' 11='3000'", "= request POST source/3000",
             "> TCP 2.05 @a2 4=e1 12= p=~0+3000", "< TCP 0.02 @a3 11='source' 11='10000'",
             "= request POST source/10000", "> TCP 5.00 @a3", NULL);
    request.source = rig_source(rig, 10000);
    rig->unreadable = 7168;
    assert_int_equal(rig_request_with(rig, &request, "x"), DUNLIN_OK);
    rig_play(rig, "> TCP 0.03 @* 11='x' 27=0f 60=2710 p=~0+7168", "< TCP 2.31 @L 27=0f", "= result -42",
             NULL);
    close_rig(rig);
}

/* A FETCH repeats its question with each block it asks for. */
static void questions_with_a_body(void **state)
{
    coap_rig *rig = open_rig();
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_FETCH, "x", 2000), DUNLIN_OK);
    rig_play(rig, "> TCP 0.05 @* 11='x' p=~0+2000", "< TCP 2.05 @L 23=0f p=~0+2048",
             "> TCP 0.05 @* 11='x' 23=27 p=~0+2000", "< TCP 2.05 @L 23=27 p=~2048+100", "= result 2.05 ~2148",
             NULL);
    close_rig(rig);
}

/* Answers are not larger than what the engine puts together, though the message has room. */
static void bodies_beyond_the_limit(void **state)
{
    dn_coap_config config = stream_config();
    config.max_body = 2000;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_connect(rig, CSM_8192);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "x", 0), DUNLIN_OK);
    rig_play(rig, "> TCP 0.01 @* 11='x'", "< TCP 2.05 @L p=~0+2001", "= result -21", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "x", 0), DUNLIN_OK);
    rig_play(rig, "> TCP 0.01 @* 11='x'", "< TCP 2.05 @L p=~0+2000", "= result 2.05 ~2000", NULL);
    rig_play(rig, "< TCP 2.05 @a1 6= p=~0+2001", "=", "< TCP 2.05 @a1 6= p=~0+2000",
             "= notification 2.05 observe=0 ~2000", ".", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "x", 2001), DUNLIN_ERR_LIMIT);
    assert_int_equal(dn_coap_count(rig->coap)->limits, 2);
    close_rig(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_and_responses),
        cmocka_unit_test(nothing_is_a_duplicate),
        cmocka_unit_test(requests_that_are_refused),
        cmocka_unit_test(bert_where_it_is_not_known),
        cmocka_unit_test(answers_that_take_time),
        cmocka_unit_test(requests_without_answers),
        cmocka_unit_test(requests_have_their_turn_at_once),
        cmocka_unit_test(answers_that_are_none),
        cmocka_unit_test(notifications_of_others),
        cmocka_unit_test(ending_an_observation),
        cmocka_unit_test(notifications_of_ours),
        cmocka_unit_test(a_large_notification),
        cmocka_unit_test(the_rest_of_a_notification),
        cmocka_unit_test(a_body_in_bert_blocks),
        cmocka_unit_test(pieces_in_bert_blocks),
        cmocka_unit_test(a_request_in_bert_blocks),
        cmocka_unit_test(smaller_blocks_are_wanted),
        cmocka_unit_test(a_peer_that_says_little),
        cmocka_unit_test(options_that_take_the_room),
        cmocka_unit_test(pieces_of_requests),
        cmocka_unit_test(sources),
        cmocka_unit_test(questions_with_a_body),
        cmocka_unit_test(bodies_beyond_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
