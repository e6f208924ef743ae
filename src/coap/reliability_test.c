/* SPDX-License-Identifier: Apache-2.0 */
/* The message layer: retransmission, acknowledgements, resets, turns (RFC 7252 section 4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/coap_rig.h"

static dn_coap_config without_jitter(void)
{
    dn_coap_config config = dn_coap_config_default();
    config.ack_random_percent = 100;
    return config;
}

static void retransmits_and_gives_up(void **state)
{
    dn_coap_config config = without_jitter();
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "small", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='small'", "+1999", ".", "+1", "> CON 0.01 #* @* 11='small'", NULL);
    rig_play(rig, "+3999", ".", "+1", "> CON 0.01 #* @* 11='small'", "+7999", ".", "+1",
             "> CON 0.01 #* @* 11='small'", "+15999", ".", "+1", "> CON 0.01 #* @* 11='small'", "+31999", ".",
             "=", "+1", "= result -23", ".", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->retransmissions, 4);
    assert_int_equal(dn_coap_count(rig->coap)->timeouts, 1);
    assert_int_equal(dn_coap_deadline(rig->coap), DN_NEVER);
    rig_close(rig);
}

/* All copies of a message are the same bytes. */
static void copies_are_equal(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_PUT, "small", 40), DUNLIN_OK);
    rig_pass(rig, 100000);
    assert_int_equal(rig->sent_count, 5);
    for (size_t i = 1; i < 5; i++) {
        assert_int_equal(rig->sent[i].len, rig->sent[0].len);
        assert_memory_equal(rig->sent[i].bytes, rig->sent[0].bytes, rig->sent[0].len);
    }
    rig_close(rig);
}

static void first_interval_is_random(void **state)
{
    dn_coap_config config = dn_coap_config_default();
    config.nstart = 100;
    config.exchanges = 60;
    config.max_retransmit = 0;
    coap_rig *rig = rig_open(&config);
    uint64_t earliest_ms = DN_NEVER, latest_ms = 0;
    (void)state;
    for (size_t i = 0; i < 60; i++) {
        assert_int_equal(rig_request(rig, DN_COAP_GET, "small", 0), DUNLIN_OK);
    }
    while (dn_coap_deadline(rig->coap) != DN_NEVER) {
        size_t before = rig->log_count;
        rig_pass(rig, 1);
        if (rig->log_count > before) {
            earliest_ms = rig->now_ms < earliest_ms ? rig->now_ms : earliest_ms;
            latest_ms = rig->now_ms;
        }
    }
    assert_in_range(earliest_ms - 1000, 2000, 2100);
    assert_in_range(latest_ms - 1000, 2900, 3000);
    rig_close(rig);
}

/* Section 4.8.2: MAX_TRANSMIT_SPAN 45 s from the first copy to the last, MAX_TRANSMIT_WAIT 93 s to giving up,
 * with whatever is drawn. */
static void derived_times_hold(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    for (int i = 0; i < 50; i++) {
        uint64_t began_ms = rig->now_ms, last_ms = began_ms;
        assert_int_equal(rig_request(rig, DN_COAP_GET, "small", 0), DUNLIN_OK);
        while (rig->log_count == 0) {
            size_t before = rig->sent_count;
            uint64_t next_ms = dn_coap_deadline(rig->coap);
            rig_pass(rig, next_ms > rig->now_ms ? next_ms - rig->now_ms : 0);
            last_ms = rig->sent_count > before ? rig->now_ms : last_ms;
        }
        assert_int_equal(rig->sent_count, 5);
        assert_in_range(last_ms - began_ms, 30000, 45000);
        assert_in_range(rig->now_ms - began_ms, 62000, 93000);
        rig->sent_count = rig->sent_read = 0;
        rig_play(rig, "= result -23", NULL);
    }
    rig_close(rig);
}

static void an_ack_stops_retransmission(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "small", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='small'", "< ACK 0.00 #L @", "+92999", ".", "=", "+1", "= result -23",
             ".", NULL);
    rig_close(rig);
}

/* RFC 7252 section 5.2.2: the response comes later, as a CON that is acknowledged, each time it comes. */
static void separate_response(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "small", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='small'", "< ACK 0.00 #L @", "+5000", "< CON 2.05 #77 @L p='hello'",
             "> ACK 0.00 #77 @", "= result 2.05 hello", NULL);
    rig_play(rig, "< CON 2.05 #77 @0102030405060708 p='hello'", "> ACK 0.00 #77 @", "=", ".", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->duplicates, 1);
    rig_close(rig);
}

/* Section 5.4.1: a response with a critical option that we do not know is rejected, each time it comes. */
static void a_separate_response_that_is_not_understood(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "small", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='small'", "< ACK 0.00 #L @", "< CON 2.05 #77 @L 65001= p='x'",
             "> RST 0.00 #77 @", "= result -1", "< CON 2.05 #77 @0102030405060708 65001= p='x'",
             "> RST 0.00 #77 @", "=", ".", NULL);
    rig_close(rig);
}

static void expect_arrived(void *context)
{
    assert_true(dn_coap_had_arrived(((coap_rig *)context)->coap));
}

static void expect_not_arrived(void *context)
{
    assert_false(dn_coap_had_arrived(((coap_rig *)context)->coap));
}

/* Whether a request that ended without response may have been carried out. */
static void what_was_acknowledged_had_arrived(void **state)
{
    dn_coap_config config = without_jitter();
    config.nstart = 2;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig->in_result = expect_not_arrived;
    assert_int_equal(rig_request(rig, DN_COAP_POST, "a", 0), DUNLIN_OK);
    assert_int_equal(rig_request(rig, DN_COAP_POST, "b", 0), DUNLIN_OK);
    rig_pass(rig, 62000);
    rig_play(rig, "= result -23", "= result -23", NULL);
    rig->sent_count = rig->sent_read = 0;
    rig->in_result = expect_arrived;
    assert_int_equal(rig_request(rig, DN_COAP_POST, "a", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.02 #* @* 11='a'", "< ACK 0.00 #L @", "+93000", "= result -23", NULL);
    assert_int_equal(rig_request(rig, DN_COAP_POST, "a", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.02 #* @* 11='a'", "< ACK 0.00 #L @", NULL);
    assert_int_equal(dn_coap_cancel(rig->coap, rig->last_exchange), DUNLIN_OK);
    rig_play(rig, "= result -42", ".", NULL);
    rig_close(rig);
}

/* Section 5.3.2: the response may overtake the acknowledgement, which then means nothing any more. */
static void response_overtakes_ack(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "small", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='small'", NULL);
    uint16_t mid = rig->last_mid;
    rig_play(rig, "< CON 2.05 #77 @L p='hello'", "> ACK 0.00 #77 @", "= result 2.05 hello", NULL);
    rig->last_mid = mid;
    rig_play(rig, "< ACK 0.00 #L @", "+100000", ".", "=", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->unmatched, 1);
    rig_close(rig);
}

static void response_as_non(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "small", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='small'", "< ACK 0.00 #L @", "< NON 2.05 #77 @L p='hello'",
             "= result 2.05 hello", ".", NULL);
    rig_close(rig);
}

static void non_requests_go_once(void **state)
{
    coap_rig *rig = rig_open(NULL);
    dn_coap_outgoing request;
    (void)state;
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.confirmable = false;
    assert_int_equal(rig_request_with(rig, &request, "small"), DUNLIN_OK);
    assert_int_equal(rig_request_with(rig, &request, "small"), DUNLIN_OK);
    rig_play(rig, "> NON 0.01 #* @* 11='small'", "> NON 0.01 #* @* 11='small'", "< NON 2.05 #5 @L p='hello'",
             "= result 2.05 hello", "+92999", ".", "=", "+1", "= result -23", NULL);
    rig_close(rig);
}

static void a_reset_ends_a_request(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "small", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='small'", "<2 RST 0.00 #L @", "=", "< RST 0.00 #L @", "= result -43",
             ".", NULL);
    rig_play(rig, "< RST 0.00 #L @", "=", NULL);
    assert_int_equal(dn_coap_count(rig->coap)->resets_received, 3);
    assert_int_equal(dn_coap_count(rig->coap)->unmatched, 2);
    rig_close(rig);
}

/* What comes from elsewhere, with another id or another token, is not an answer (section 5.3.2). */
static void answers_must_match(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    rig->refuse_notifications = true;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "small", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='small'", "<2 ACK 2.05 #L @L p='evil'", "< ACK 2.05 #L @ab p='evil'",
             "< ACK 2.05 #L @ p='evil'", "=", ".", "< NON 2.05 #6 @ab p='evil'", "= notification 2.05 evil",
             "> RST 0.00 #6 @", NULL);
    rig_play(rig, "+3000", "> CON 0.01 #* @* 11='small'", "< ACK 2.05 #L @L p='good'", "= result 2.05 good",
             NULL);
    rig_close(rig);
}

/* Section 4.7: one at a time for each peer, in order; other peers are not held up. */
static void one_at_a_time(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "a", 0), DUNLIN_OK);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "b", 0), DUNLIN_OK);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "c", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='a'", ".", NULL);
    rig->peer[1].bytes[0] = 2;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "other", 0), DUNLIN_OK);
    rig->peer[1].bytes[0] = 1;
    rig_play(rig, ">2 CON 0.01 #* @* 11='other'", "<2 ACK 2.05 #L @L", "= result 2.05", ".", NULL);
    rig_pass(rig, 3000);
    rig_play(rig, "> CON 0.01 #* @* 11='a'", "< ACK 2.05 #L @L p='A'", "= result 2.05 A",
             "> CON 0.01 #* @* 11='b'", ".", NULL);
    /* An acknowledged request is no longer outstanding, though its response is still to come. */
    rig_play(rig, "< ACK 0.00 #L @", "> CON 0.01 #* @* 11='c'", ".", NULL);
    rig_play(rig, "< RST 0.00 #L @", "= result -43", NULL);
    rig_close(rig);
}

static void a_timeout_gives_the_next_its_turn(void **state)
{
    dn_coap_config config = without_jitter();
    config.max_retransmit = 1;
    coap_rig *rig = rig_open(&config);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "a", 0), DUNLIN_OK);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "b", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='a'", "+2000", "> CON 0.01 #* @* 11='a'", "+4000", "= result -23",
             "> CON 0.01 #* @* 11='b'", "< ACK 2.05 #L @L", "= result 2.05", NULL);
    rig_close(rig);
}

static void time_limits_of_the_caller(void **state)
{
    coap_rig *rig = rig_open(NULL);
    dn_coap_outgoing request;
    (void)state;
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.timeout_ms = 1500;
    assert_int_equal(rig_request_with(rig, &request, "a"), DUNLIN_OK);
    request.timeout_ms = 1000;
    assert_int_equal(rig_request_with(rig, &request, "b"), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='a'", "+999", "=", "+1", "= result -23", ".", "+499", "=", "+1",
             "= result -23", ".", NULL);
    assert_int_equal(rig_request_with(rig, &request, "c"), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='c'", "< ACK 0.00 #L @", "+1000", "= result -23", ".", NULL);
    rig_close(rig);
}

/* Section 4.3: the answer to a ping is a Reset, in both directions. */
static void pings(void **state)
{
    coap_rig *rig = rig_open(NULL);
    uint64_t id;
    (void)state;
    rig_play(rig, "< CON 0.00 #1234 @", "> RST 0.00 #1234 @", ".", "=", NULL);
    assert_int_equal(dn_coap_ping(rig->coap, &rig->peer[1], NULL, NULL, rig->now_ms, &id), DUNLIN_OK);
    rig_play(rig, "> CON 0.00 #* @", "< RST 0.00 #L @", ".", NULL);
    assert_int_equal(dn_coap_cancel(rig->coap, id), DUNLIN_ERR_NOT_FOUND);
    rig_close(rig);
}

static void cancelling(void **state)
{
    coap_rig *rig = rig_open(NULL);
    (void)state;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "a", 0), DUNLIN_OK);
    uint64_t first = rig->last_exchange;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "b", 0), DUNLIN_OK);
    uint64_t second = rig->last_exchange;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "c", 0), DUNLIN_OK);
    rig_play(rig, "> CON 0.01 #* @* 11='a'", ".", NULL);
    assert_int_equal(dn_coap_cancel(rig->coap, second), DUNLIN_OK); /* one that waits */
    rig_play(rig, "= result -42", ".", NULL);
    assert_int_equal(dn_coap_cancel(rig->coap, first),
                     DUNLIN_OK); /* one on its way: the next takes its turn */
    rig_play(rig, "= result -42", "> CON 0.01 #* @* 11='c'", "< ACK 2.05 #L @L", "= result 2.05", NULL);
    assert_int_equal(dn_coap_cancel(rig->coap, first), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(dn_coap_cancel(rig->coap, 0), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(dn_coap_cancel(rig->coap, UINT64_MAX), DUNLIN_ERR_NOT_FOUND);
    rig_close(rig);
}

static void ask_again(void *context)
{
    coap_rig *rig = context;
    if (rig->log_count < 20) {
        assert_int_equal(rig_request(rig, DN_COAP_GET, "again", 0), DUNLIN_OK);
    }
}

/* A callback may ask again at once; the slot that just ended is free for it. */
static void results_may_ask_again(void **state)
{
    dn_coap_config config = dn_coap_config_default();
    config.exchanges = 1;
    coap_rig *rig = rig_open(&config);
    (void)state;
    rig->in_result = ask_again;
    assert_int_equal(rig_request(rig, DN_COAP_GET, "again", 0), DUNLIN_OK);
    assert_int_equal(rig_request(rig, DN_COAP_GET, "again", 0), DUNLIN_ERR_LIMIT);
    for (int i = 0; i < 5; i++) {
        rig_play(rig, "> CON 0.01 #* @* 11='again'", "< ACK 2.05 #L @L", "= result 2.05", NULL);
    }
    dn_coap_forget(rig->coap, &rig->peer[1]); /* must end, though each result asks again */
    rig_play(rig, "> CON 0.01 #* @* 11='again'", "= result -42", "> CON 0.01 #* @* 11='again'", ".", NULL);
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retransmits_and_gives_up),
        cmocka_unit_test(copies_are_equal),
        cmocka_unit_test(first_interval_is_random),
        cmocka_unit_test(derived_times_hold),
        cmocka_unit_test(an_ack_stops_retransmission),
        cmocka_unit_test(separate_response),
        cmocka_unit_test(a_separate_response_that_is_not_understood),
        cmocka_unit_test(what_was_acknowledged_had_arrived),
        cmocka_unit_test(response_overtakes_ack),
        cmocka_unit_test(response_as_non),
        cmocka_unit_test(non_requests_go_once),
        cmocka_unit_test(a_reset_ends_a_request),
        cmocka_unit_test(answers_must_match),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(a_timeout_gives_the_next_its_turn),
        cmocka_unit_test(time_limits_of_the_caller),
        cmocka_unit_test(pings),
        cmocka_unit_test(cancelling),
        cmocka_unit_test(results_may_ask_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
