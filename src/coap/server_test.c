/* SPDX-License-Identifier: Apache-2.0 */
/* The server's role without blocks: answers, duplicates, refusals (RFC 7252 sections 4.5, 5.2, 5.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "coap/core.h"
#include "tests/sim/coap_rig.h"
#include <stdio.h>

static void answers_piggybacked(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @a1 11='small'", "= request GET small", "> ACK 2.05 #1 @a1 12= p='hello'",
             ".", NULL);
    rig_play(rig, "< CON 0.01 #2 @ 6= 11='observe'", "= request GET observe observe=0",
             "> ACK 2.05 #2 @ 6=01 12= p='hello'", ".", NULL);
    rig_play(rig, "< CON 0.01 #3 @0102030405060708 11='etag'", "= request GET etag",
             "> ACK 2.05 #3 @0102030405060708 4=e1 12= p='hello'", ".", NULL);
    rig_play(rig, "< CON 0.04 #4 @a1 11='fail'", "= request DELETE fail", "> ACK 5.00 #4 @a1", ".", NULL);
    rig_play(rig, "< CON 0.07 #5 @a1 11='echo' p='x'", "= request iPATCH echo x",
             "> ACK 2.04 #5 @a1 12= p='x'", ".", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->requests, 5);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    rig_close(rig);
}

static void non_requests_get_non_answers(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< NON 0.01 #1 @a1 11='small'", "= request GET small", "> NON 2.05 #* @a1 12= p='hello'",
             ".", "< NON 0.01 #1 @a1 11='small'", "=", ".", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->duplicates, 1);
    rig_close(rig);
}

/* Section 4.5: the same answer again, and the handler does not run again, for EXCHANGE_LIFETIME. */
static void duplicates_are_answered_from_memory(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.02 #1 @a1 11='count'", "= request POST count", "> ACK 2.04 #1 @a1", NULL);
    rig_play(rig, "+246999", "< CON 0.02 #1 @a1 11='count'", "=", "> ACK 2.04 #1 @a1", ".", NULL);
    rig_play(rig, "<2 CON 0.02 #1 @a1 11='count'", "= request POST count", ">2 ACK 2.04 #1 @a1", NULL);
    assert_int_equal(rig->counted, 2);
    rig_play(rig, "+1", "< CON 0.02 #1 @a1 11='count'", "= request POST count", "> ACK 2.04 #1 @a1", NULL);
    assert_int_equal(rig->counted, 3);
    rig_close(rig);
}

/* NON_LIFETIME; nothing is answered to the copies. */
static void copies_of_non_requests_are_dropped(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< NON 0.02 #1 @a1 11='count'", "= request POST count", "> NON 2.04 #* @a1",
             "< NON 0.02 #1 @a1 11='count'", ".", "+144999", "< NON 0.02 #1 @a1 11='count'", ".", "=", "+1",
             "< NON 0.02 #1 @a1 11='count'", "= request POST count", "> NON 2.04 #* @a1", NULL);
    rig_close(rig);
}

/* Tokens of 0 to 8 bytes (section 5.3.1) come back as they were. */
static void tokens_of_any_length(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @ 11='small'", "= request GET small", "> ACK 2.05 #1 @ 12= p='hello'",
             "< NON 0.01 #2 @ 11='small'", "= request GET small", "> NON 2.05 #* @ 12= p='hello'",
             "< CON 0.01 #3 @0001020304050607 11='small'", "= request GET small",
             "> ACK 2.05 #3 @0001020304050607 12= p='hello'", "< CON 0.01 #4 @ 11='later'",
             "= request GET later", "+500", "> ACK 0.00 #4 @", NULL);
    assert_int_equal(rig_answer(rig, DN_COAP_CONTENT, 0), DUNLIN_OK);
    rig_play(rig, "> CON 2.05 #* @", "< ACK 0.00 #L @", ".", NULL);
    rig_close(rig);
}

/* The fuzzer found that an id which changed its kind was answered with nothing at all. */
static void an_id_that_changes_its_kind(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< NON 0.01 #1 @a1 11='small'", "= request GET small", "> NON 2.05 #* @a1 12= p='hello'",
             "< CON 0.01 #1 @a1 11='small'", "=", ".", NULL);
    rig_play(rig, "< NON 2.05 #2 @a1", "= notification 2.05", ".", "< CON 0.01 #2 @a1 11='small'", "=", ".",
             NULL);
    rig_play(rig, "< CON 0.01 #3 @a1 11='small'", "= request GET small", "> ACK 2.05 #3 @a1 12= p='hello'",
             "< CON 2.05 #3 @a1", "=", ".", NULL);
    rig_close(rig);
}

static void long_answers_are_not_kept(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @a1 11='big' 11='300'", "= request GET big/300",
             "> ACK 2.05 #1 @a1 12= p=~0+300", "< CON 0.01 #1 @a1 11='big' 11='300'", "= request GET big/300",
             "> ACK 2.05 #1 @a1 12= p=~0+300", NULL);
    /* What must not run twice is not run again. */
    rig_play(rig, "< CON 0.02 #2 @a1 11='big' 11='300'", "= request POST big/300",
             "> ACK 2.05 #2 @a1 12= p=~0+300", "< CON 0.02 #2 @a1 11='big' 11='300'", "=",
             "> ACK 5.03 #2 @a1", NULL);
    rig_close(rig);
}

static void remembers_so_many_of_a_peer(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "<2 CON 0.02 #1 @a1 11='count'", "= request POST count", ">2 ACK 2.04 #1 @a1", NULL);
    for (int i = 0; i < 9; i++) {
        char line[64], answer[64];
        (void)snprintf(line, sizeof line, "< CON 0.02 #%x @a1 11='count'", 0x100 + i);
        (void)snprintf(answer, sizeof answer, "> ACK 2.04 #%x @a1", 0x100 + i);
        rig_play(rig, line, "= request POST count", answer, NULL);
    }
    /* The first of nine is forgotten, the others and the other peer's are not. */
    rig_play(rig, "< CON 0.02 #101 @a1 11='count'", "=", "> ACK 2.04 #101 @a1", NULL);
    rig_play(rig, "<2 CON 0.02 #1 @a1 11='count'", "=", ">2 ACK 2.04 #1 @a1", NULL);
    rig_play(rig, "< CON 0.02 #100 @a1 11='count'", "= request POST count", "> ACK 2.04 #100 @a1", NULL);
    rig_close(rig);
}

/* Section 5.2.2. */
static void late_answers_go_separately(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @a1 11='later'", "= request GET later", "+499", ".", "+1", "> ACK 0.00 #1 @",
             NULL);
    rig_play(rig, "< CON 0.01 #1 @a1 11='later'", "=", "> ACK 0.00 #1 @", NULL);
    assert_int_equal(rig_answer(rig, DN_COAP_CONTENT, 20), DUNLIN_OK);
    rig_play(rig, "> CON 2.05 #* @a1 p=~0+20", "+3000", "> CON 2.05 #* @a1 p=~0+20", "< ACK 0.00 #L @",
             "+100000", ".", NULL);
    rig_play(rig, "< CON 0.01 #1 @a1 11='later'", "=", "> ACK 0.00 #1 @", ".", NULL);
    rig_close(rig);
}

static void soon_answers_are_piggybacked(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @a1 11='later'", "= request GET later", "+300", ".", NULL);
    uint64_t id = rig->later[0];
    assert_int_equal(rig_answer(rig, DN_COAP_CONTENT, 0), DUNLIN_OK);
    rig_play(rig, "> ACK 2.05 #1 @a1", "+1000", ".", "< CON 0.01 #1 @a1 11='later'", "=", "> ACK 2.05 #1 @a1",
             NULL);
    dn_coap_reply reply;
    dn_coap_reply_init(&reply, DN_COAP_CONTENT);
    assert_int_equal(dn_coap_answer(rig->coap, id, &reply, rig->now_ms), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(dn_coap_answer(rig->coap, 0, &reply, rig->now_ms), DUNLIN_ERR_NOT_FOUND);
    rig_play(rig, ".", NULL);
    rig_close(rig);
}

/* A repeated request shows that the peer waits: it gets its ACK at once. */
static void a_duplicate_hastens_the_ack(void **state)
{
    dn_coap_config config = dn_coap_config_default();
    config.separate_ack_ms = 5000;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @a1 11='later'", "= request GET later", "+2000", ".",
             "< CON 0.01 #1 @a1 11='later'", "=", "> ACK 0.00 #1 @", "+5000", ".", NULL);
    assert_int_equal(rig_answer(rig, DN_COAP_CONTENT, 0), DUNLIN_OK);
    rig_play(rig, "> CON 2.05 #* @a1", "< RST 0.00 #L @", "+5000", ".", "=", NULL);
    rig_close(rig);
}

static void late_answers_to_non_requests(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< NON 0.01 #1 @a1 11='later'", "= request GET later", "+5000", ".",
             "< NON 0.01 #1 @a1 11='later'", "=", ".", NULL);
    assert_int_equal(rig_answer(rig, DN_COAP_CONTENT, 0), DUNLIN_OK);
    rig_play(rig, "> NON 2.05 #* @a1", "+5000", ".", NULL);
    rig_close(rig);
}

static void unanswered_requests_end(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @a1 11='later'", "= request GET later", "+500", "> ACK 0.00 #1 @", "+246500",
             ".", NULL);
    assert_int_equal(rig_answer(rig, DN_COAP_CONTENT, 0), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    rig_close(rig);
}

static void as_many_unanswered_as_configured(void **state)
{
    dn_coap_config config = dn_coap_config_default();
    config.exchanges = 2;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @a1 11='later'", "= request GET later", "< CON 0.01 #2 @a1 11='later'",
             "= request GET later", "< CON 0.01 #3 @a1 11='later'", "=", "> ACK 5.03 #3 @a1", NULL);
    assert_int_equal(rig_answer(rig, DN_COAP_CONTENT, 0), DUNLIN_OK);
    rig_play(rig, "> ACK 2.05 #1 @a1", "< CON 0.01 #3 @a1 11='later'", "= request GET later", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->limits, 1);
    rig_close(rig);
}

/* Without a free exchange the separate response goes once, non-confirmable: better than not at all. */
static void separate_answers_without_an_exchange(void **state)
{
    dn_coap_config config = dn_coap_config_default();
    config.exchanges = 1;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @a1 11='later'", "= request GET later", "+500", "> ACK 0.00 #1 @", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "x", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='x'", NULL);
    assert_int_equal(rig_answer(rig, DN_COAP_CONTENT, 0), DUNLIN_OK);
    rig_play(rig, "> NON 2.05 #* @a1", ".", NULL);
    rig_close(rig);
}

/* What is refused before the handler sees it. */
static void refuses(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"< CON 0.01 #1 @a1 11='small' 65001=", "> ACK 4.02 #1 @a1 p=6f7074696f6e203635303031"},
        {"< CON 0.01 #1 @a1 9=00 11='small'", "> ACK 4.02 #1 @a1 p=6f7074696f6e2039"},
        {"< CON 0.01 #1 @a1 3='a' 3='b' 11='small'", "> ACK 4.02 #1 @a1 p=6f7074696f6e2033"},
        {"< NON 0.01 #1 @a1 11='small' 65001=", "> RST 0.00 #1 @"},
        {"< CON 0.01 #1 @a1 35='coap://x/'", "> ACK 5.05 #1 @a1"},
        {"< CON 0.01 #1 @a1 39='coap'", "> ACK 5.05 #1 @a1"},
        {"< CON 0.08 #1 @a1 11='small'", "> ACK 4.05 #1 @a1"},
        {"< CON 0.31 #1 @a1 11='small'", "> ACK 4.05 #1 @a1"},
        {"< NON 0.31 #1 @a1 11='small'", "> NON 4.05 #* @a1"},
        {"< CON 0.03 #1 @a1 11='small' 27=07", "> ACK 4.00 #1 @a1"},
        {"< CON 0.01 #1 @a1 11='small' 23=07", "> ACK 4.00 #1 @a1"},
        {"< CON 0.02 #1 @a1 p=~0+600", "> ACK 4.13 #1 @a1 27=05 60=0200"},
    };
    dn_coap_config config = dn_coap_config_default();
    (void)state;
    config.max_body = 512;
    config.block_szx = 5;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        coap_rig *rig = rig_open(&config);
        /* Twice: a refusal leaves nothing behind. */
        rig_play(rig, cases[i].in, cases[i].out, "=", ".", cases[i].in, cases[i].out, "=", ".", NULL);
        assert_int_equal(dn_coap_count(rig->coap)->requests, 0);
        assert_int_equal(dn_coap_count(rig->coap)->duplicates, 0);
        assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
        rig_close(rig);
    }
}

/* Elective options are ignored, whatever they hold. */
static void ignores_elective_options(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @a1 6=01020304 11='small' 12=010203 65000='x'", "= request GET small",
             "> ACK 2.05 #1 @a1 12= p='hello'", NULL);
    rig_close(rig);
}

/* RFC 7252 sections 4.2, 4.3: a CON gets a Reset, the others silence. */
static void rejects_malformed_messages(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"< raw:", "."},
        {"< raw:40", "."},
        {"< raw:80010001", "."},
        {"< raw:490100010102030405060708090a", "> RST 0.00 #1 @"},
        {"< raw:590100010102030405060708090a", "."},
        {"< raw:40200001", "> RST 0.00 #1 @"},
        {"< raw:50200001", "."},
        {"< raw:40c00001", "> RST 0.00 #1 @"},
        {"< raw:40e00001", "> RST 0.00 #1 @"},
        {"< raw:60e00001", "."},
        {"< raw:40010001ff", "> RST 0.00 #1 @"},
        {"< raw:50010001ff", "."},
        {"< raw:40010001f1ff", "> RST 0.00 #1 @"},
        {"< raw:400100011fff", "> RST 0.00 #1 @"},
        {"< raw:40000001ff00", "> RST 0.00 #1 @"},
        {"< raw:50000001", "."},
        {"< raw:60010001", "."},
        {"< raw:70450001", "."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        coap_rig *rig = rig_open(NULL);
        rig_play(rig, cases[i].in, cases[i].out, ".", "=", NULL);
        assert_int_equal(dn_coap_count(rig->coap)->malformed, 1);
        rig_close(rig);
    }
}

static void oversized_datagrams(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.02 #1 @a1 11='echo' p=~0+1200", "=", "> ACK 4.13 #1 @a1 27=06 60=2000", ".", NULL);
    rig_play(rig, "< NON 0.02 #2 @a1 11='echo' p=~0+1200", "=", "> NON 4.13 #* @a1 27=06 60=2000", ".", NULL);
    rig_play(rig, "< CON 2.05 #3 @a1 p=~0+1200", "=", "> RST 0.00 #3 @", ".", NULL);
    rig_play(rig, "< NON 2.05 #4 @a1 p=~0+1200", "=", ".", NULL);
    rig_play(rig, "< ACK 2.05 #5 @a1 p=~0+1200", "=", ".", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->oversized, 5);
    rig_close(rig);
}

static void options_that_cannot_be_sent(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @a1 11='long'", "= request GET long", "> ACK 5.00 #1 @a1", ".", NULL);
    rig_close(rig);
}

static void answer_inside(void *context)
{
    assert_int_equal(rig_answer(context, DN_COAP_VALID, 0), DUNLIN_OK);
}

static void forget_inside(void *context)
{
    coap_rig *rig = context;
    dn_coap_forget(rig->coap, &rig->peer[1]);
}

static void forget_and_fetch_inside(void *context)
{
    coap_rig *rig = context;
    dn_coap_outgoing request;
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.first = dunlin_slice_make(rig->body + 1, 16);
    dn_coap_forget(rig->coap, &rig->peer[1]);
    assert_int_equal(rig_request_with(rig, &request, "x"), DUNLIN_ERR_LIMIT);
    assert_memory_equal(rig->last_payload.data, rig->body, 20);
}

/* The body that a handler is looking at is not given to another transfer, whatever the handler does. */
static void a_body_stays_while_it_is_looked_at(void **state)
{
    dn_coap_config config = dn_coap_config_default();
    config.transfers = 1;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig->in_request = forget_and_fetch_inside;
    rig_play(rig, "< CON 0.03 #3 @a1 11='small' 27=08 p=~0+16", "> ACK 2.31 #3 @a1 27=08",
             "< CON 0.03 #4 @a1 11='small' 27=10 p=~16+4", "= request PUT small ~20", ".", NULL);
    rig_close(rig);
}

static void the_handler_may_answer_or_forget_at_once(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig->in_request = answer_inside;
    rig_play(rig, "< CON 0.01 #1 @a1 11='later'", "= request GET later", "> ACK 2.03 #1 @a1", "+1000", ".",
             NULL);
    rig->in_request = forget_inside;
    rig_play(rig, "< CON 0.01 #2 @a1 11='small'", "= request GET small", "+1000", ".", NULL);
    rig_play(rig, "< CON 0.03 #3 @a1 11='small' 27=08 p=~0+16", "> ACK 2.31 #3 @a1 27=08",
             "< CON 0.03 #4 @a1 11='small' 27=10 p=~16+4", "= request PUT small ~20", "+1000", ".", NULL);
    rig->in_request = NULL;
    rig_play(rig, "< CON 0.01 #5 @a1 11='small'", "= request GET small", "> ACK 2.05 #5 @a1 12= p='hello'",
             NULL);
    assert_int_equal(rig->coap->remotes.in_use, 1);
    assert_int_equal(rig->coap->remotes.at[rig->coap->in.at[rig->coap->in.oldest].remote].references, 1);
    rig_close(rig);
}

static void forgetting_a_peer(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig_play(rig, "< CON 0.01 #1 @a1 11='later'", "= request GET later", "< CON 0.02 #2 @a1 11='count'",
             "= request POST count", "> ACK 2.04 #2 @a1", "< CON 0.03 #3 @a1 11='echo' 27=08 p=~0+16",
             "> ACK 2.31 #3 @a1 27=08", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "a", 0), DUNLIN_OK);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "b", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='a'", NULL);
    dn_coap_forget(rig->coap, &rig->peer[2]);
    rig_play(rig, "=", NULL);
    dn_coap_forget(rig->coap, &rig->peer[1]);
    rig_play(rig, "= result -42", "= result -42", NULL);
    rig->sent_count = rig->sent_read = 0; /* b had its turn for a moment */
    assert_int_equal(rig_answer(rig, DN_COAP_CONTENT, 0), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    rig_play(rig, "< CON 0.02 #2 @a1 11='count'", "= request POST count", "> ACK 2.04 #2 @a1", NULL);
    rig_play(rig, "< CON 0.03 #4 @a1 11='echo' 27=10 p=~0+16", "> ACK 4.08 #4 @a1", NULL);
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_piggybacked),
        cmocka_unit_test(non_requests_get_non_answers),
        cmocka_unit_test(duplicates_are_answered_from_memory),
        cmocka_unit_test(copies_of_non_requests_are_dropped),
        cmocka_unit_test(tokens_of_any_length),
        cmocka_unit_test(an_id_that_changes_its_kind),
        cmocka_unit_test(long_answers_are_not_kept),
        cmocka_unit_test(remembers_so_many_of_a_peer),
        cmocka_unit_test(late_answers_go_separately),
        cmocka_unit_test(soon_answers_are_piggybacked),
        cmocka_unit_test(a_duplicate_hastens_the_ack),
        cmocka_unit_test(late_answers_to_non_requests),
        cmocka_unit_test(unanswered_requests_end),
        cmocka_unit_test(as_many_unanswered_as_configured),
        cmocka_unit_test(separate_answers_without_an_exchange),
        cmocka_unit_test(refuses),
        cmocka_unit_test(ignores_elective_options),
        cmocka_unit_test(rejects_malformed_messages),
        cmocka_unit_test(oversized_datagrams),
        cmocka_unit_test(options_that_cannot_be_sent),
        cmocka_unit_test(the_handler_may_answer_or_forget_at_once),
        cmocka_unit_test(a_body_stays_while_it_is_looked_at),
        cmocka_unit_test(forgetting_a_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
