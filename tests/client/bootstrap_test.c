/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bootstrap of the client from its beginning to its end (Core 1.1.1 section 6.1): when it asks, what it is served, and what follows. What
 * becomes of one that fails: bootstrap_failure_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/bootstrap_steps.h"

static const char LIFETIME[] = "[{\"n\":\"/1/0/1\",\"v\":600}]";
static const char TIMEOUT[] = "[{\"n\":\"/0/1/12\",\"v\":100}]";

static const sequence_step another[] = {PUT("/0/0/0", "[{\"n\":\"/0/0/0\",\"vs\":\"coap://nowhere\"}]"),
                                        FINISH};

/* ---- from nothing ---- */

static void from_nothing_to_registered(void **state)
{
    static const struct {
        dunlin_lwm2m lwm2m;
        uint16_t format;
        const char *query;
    } rows[] = {
        {DUNLIN_LWM2M_1_1, 112, "ep=urn:dev:ops:rig-1&pct=112"},
        {DUNLIN_LWM2M_1_1, 11542, "ep=urn:dev:ops:rig-1&pct=11542"},
        {DUNLIN_LWM2M_1_1, 0, "ep=urn:dev:ops:rig-1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        sequence *s = opened(rows[i].lwm2m, whole, COUNT(whole));
        s->r.config.bootstrap_format = rows[i].format;
        sequence_make(s, 0);
        sequence_start(s);
        sequence_run(s, 2);
        expect("events", s->log, "0B 0b 0+ 0R1");
        expect("answers", s->codes, "2.04 2.04 2.05 2.04");
        expect("query", s->query, rows[i].query);
        assert_true(dunlin_client_registered(s->r.client));
        assert_false(dunlin_client_bootstrapping(s->r.client));
        expect("lifetime", sequence_value(s, "/1/0/1"), "300");
        const dunlin_client_counters counters = dunlin_client_count(s->r.client);
        assert_int_equal(counters.bootstraps, 1);
        assert_int_equal(counters.bootstraps_failed, 0);
        closed(s);
    }
}

static void lwm2m_1_0_prefers_nothing(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_0, whole, COUNT(whole));
    (void)state;
    sequence_start(s);
    sequence_run(s, 2);
    expect("query", s->query, "ep=urn:dev:ops:rig-1");
    closed(s);
}

static void discover_tells_what_there_is(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole) - 1);
    (void)state;
    sequence_start(s);
    sequence_run(s, 2);
    assert_non_null(strstr(s->answer, "</>;lwm2m=1.1"));
    assert_non_null(strstr(s->answer, "</0/0>;ssid=1"));
    assert_non_null(strstr(s->answer, "</0/1>"));
    assert_null(strstr(s->answer, "</0/1>;ssid"));
    closed(s);
}

static void the_time_is_noted(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    sequence_start(s);
    sequence_run(s, 2);
    expect("last bootstrapped", sequence_value(s, "/1/0/12"), "1700000000");
    closed(s);
    s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    s->unix_s = -1;
    sequence_start(s);
    sequence_run(s, 2);
    expect("without a clock", sequence_value(s, "/1/0/12"), "-");
    closed(s);
}

/* ---- when it begins ---- */

static void the_hold_off_is_waited_for(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    sequence_make(s, 30);
    sequence_start(s);
    sequence_run(s, 29);
    assert_int_equal(s->requests, 0);
    sequence_run(s, 2);
    expect("events", s->log, "0B 30b 30+ 30R1");
    closed(s);
}

static void without_a_bootstrap_server_the_application_is_told(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    sequence_make(s, -1);
    sequence_start(s);
    sequence_run(s, 1000);
    expect("events", s->log, "0B");
    assert_int_equal(s->requests, 0);
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 1000000), DUNLIN_ERR_NOT_FOUND);
    closed(s);
}

static void what_there_is_goes_first(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, another, COUNT(another));
    (void)state;
    sequence_add(s, "coap://server");
    sequence_start(s);
    sequence_run(s, 300);
    expect("events", s->log, "0R1");
    assert_int_equal(s->requests, 0);
    closed(s);
}

static void a_server_that_is_not_there_leads_to_a_bootstrap(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    sequence_make(s, 5);
    sequence_add(s, "coap://nowhere");
    sequence_start(s);
    sequence_run(s, 30);
    expect("events", s->log, "0N1 10N1 10F1 10B1 15b 15+ 15R1");
    closed(s);
}

static void a_server_asks_for_it(void **state)
{
    static const sequence_step steps[] = {PUT("/1/0/1", LIFETIME), FINISH};
    sequence *s = opened(DUNLIN_LWM2M_1_1, steps, COUNT(steps));
    (void)state;
    sequence_make(s, 60); /* the hold-off is for what the client begins by itself */
    sequence_add(s, "coap://server");
    sequence_start(s);
    sequence_run(s, 10);
    assert_int_equal(rig_send(&s->r, DN_COAP_POST, "/1/0/9", -1, NULL)->code, DN_COAP_CHANGED);
    sequence_run(s, 1);
    expect("events", s->log, "0R1 10B1 10b 10+ 10U1");
    expect("query of the Update", s->r.query, "lt=600");
    assert_true(dunlin_client_registered(s->r.client));
    closed(s);
}

static void without_an_account_there_is_nothing_to_trigger(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    sequence_make(s, -1);
    sequence_add(s, "coap://server");
    sequence_start(s);
    sequence_run(s, 1);
    assert_int_equal(rig_send(&s->r, DN_COAP_POST, "/1/0/9", -1, NULL)->code, DN_COAP_METHOD_NOT_ALLOWED);
    closed(s);
}

static void the_application_asks_for_it(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    sequence_make(s, 60);
    s->request_code = 0;
    sequence_start(s);
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 0), DUNLIN_OK);
    sequence_run(s, 1);
    assert_true(dunlin_client_bootstrapping(s->r.client));
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 1000), DUNLIN_ERR_STATE);
    closed(s);
}

/* ---- a bootstrap server that speaks first ---- */

static void it_may_speak_first_while_its_way_is_there(void **state)
{
    static const sequence_step more[] = {PUT("/1/0/1", LIFETIME), FINISH};
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    s->r.config.bootstrap_stays = true;
    sequence_make(s, 0);
    sequence_start(s);
    sequence_run(s, 1000);
    s->log[0] = s->codes[0] = '\0';
    sequence_ask(s, more, COUNT(more));
    sequence_run(s, 2);
    expect("events", s->log, "1000b 1000+ 1000U1");
    expect("answers", s->codes, "2.04 2.04");
    closed(s);
}

static void afterwards_it_is_a_stranger_again(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    sequence_start(s);
    sequence_run(s, 100); /* so long its Finish may come again */
    sequence_ask(s, whole, COUNT(whole));
    sequence_run(s, 100);
    expect("events", s->log, "0B 0b 0+ 0R1");
    closed(s);
}

/* What it has begun by itself, and not finished, is for itself to begin again. */
static void what_it_leaves_unfinished_is_taken_back(void **state)
{
    static const sequence_step more[] = {PUT("/1/0/1", LIFETIME)};
    static const sequence_step finished[] = {PUT("/1/0/1", LIFETIME), FINISH};
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    s->r.config.bootstrap_stays = true;
    sequence_make(s, 0);
    sequence_start(s);
    sequence_run(s, 100);
    s->log[0] = '\0';
    sequence_ask(s, more, COUNT(more));
    sequence_run(s, 1);
    expect("while it is at work", sequence_value(s, "/1/0/1"), "600");
    sequence_run(s, 250);
    expect("events", s->log, "100b 347- 347U1");
    expect("afterwards", sequence_value(s, "/1/0/1"), "300");
    assert_int_equal(s->retry_ms, DUNLIN_NEVER);
    assert_true(dunlin_client_registered(s->r.client));
    sequence_ask(s, finished, COUNT(finished));
    sequence_run(s, 2);
    expect("it begins again", s->log, "100b 347- 347U1 351b 351+ 351U1");
    closed(s);
}

static void a_stranger_is_nobody(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    sequence_add(s, "coap://server");
    sequence_start(s);
    sequence_run(s, 10);
    sequence_ask(s, whole, COUNT(whole)); /* no way leads there: it was not asked for one */
    sequence_run(s, 300);
    expect("events", s->log, "0R1");
    assert_int_equal(dunlin_client_count(s->r.client).strangers > 0, true);
    closed(s);
}

/* ---- what others had asked for ---- */

/* It is told at the end, not while it might still be taken back. */
static void what_is_observed_may_go(void **state)
{
    static const sequence_step steps[] = {{DN_COAP_DELETE, "/33000/1", NULL, 0}};
    static const sequence_step last[] = {FINISH};
    static const rig_request observe = {
        .method = DN_COAP_GET, .path = "/33000/1", .observe = true, .token = 7};
    sequence *s = opened(DUNLIN_LWM2M_1_1, steps, COUNT(steps));
    (void)state;
    sequence_add(s, "coap://server");
    sequence_start(s);
    sequence_run(s, 1);
    assert_int_equal(rig_ask(&s->r, &observe)->code, DN_COAP_CONTENT);
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 1000), DUNLIN_OK);
    sequence_run(s, 2);
    expect("answers", s->codes, "2.02");
    assert_int_equal(s->r.notify_count, 0);
    sequence_ask(s, last, 1);
    sequence_run(s, 2);
    assert_int_equal(s->r.notify_count, 1);
    assert_int_equal(s->r.notified[0].code, DN_COAP_NOT_FOUND);
    closed(s);
}

/* A device that sleeps does not while it is served, and again when it is registered. */
static void a_sleepy_device(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, unfinished, COUNT(unfinished));
    static const sequence_step last[] = {FINISH};
    (void)state;
    s->r.config.queue_mode = true;
    s->r.config.awake_ms = 5000;
    sequence_make(s, 0);
    sequence_start(s);
    sequence_run(s, 100);
    assert_true(dunlin_client_awake(s->r.client)); /* it waits for what is next */
    sequence_ask(s, last, 1);
    sequence_run(s, 1);
    assert_true(dunlin_client_registered(s->r.client));
    sequence_run(s, 10);
    assert_false(dunlin_client_awake(s->r.client));
    closed(s);
}

/* ---- the account of the bootstrap server ---- */

static void its_account_is_purged_after_its_timeout(void **state)
{
    static const sequence_step steps[] = {ACCOUNT, PUT("/0/1/12", TIMEOUT), FINISH};
    sequence *s = opened(DUNLIN_LWM2M_1_1, steps, COUNT(steps));
    (void)state;
    sequence_start(s);
    sequence_run(s, 99);
    expect("still there", sequence_value(s, "/0/1/0"), "coap://other");
    sequence_run(s, 2);
    expect("events", s->log, "0B 0b 0+ 0R1 100P");
    expect("gone", sequence_value(s, "/0/1/0"), "-");
    assert_int_equal(rig_send(&s->r, DN_COAP_POST, "/1/0/9", -1, NULL)->code, DN_COAP_METHOD_NOT_ALLOWED);
    closed(s);
}

/* It counts what the account says that is there at Finish: the former one has become a server's. */
static void its_account_may_move(void **state)
{
    static const sequence_step steps[] = {
        PUT("/0", "[{\"bn\":\"/0/1/\",\"n\":\"0\",\"vs\":\"coap://server\"},{\"n\":\"1\",\"vb\":false},"
                  "{\"n\":\"10\",\"v\":1},{\"n\":\"3\",\"vd\":\"\"},{\"n\":\"4\",\"vd\":\"\"},{\"n\":\"5\","
                  "\"vd\":\"\"},"
                  "{\"bn\":\"/0/5/\",\"n\":\"0\",\"vs\":\"coap://"
                  "other\"},{\"n\":\"1\",\"vb\":true},{\"n\":\"2\",\"v\":3},"
                  "{\"n\":\"3\",\"vd\":\"\"},{\"n\":\"4\",\"vd\":\"\"},{\"n\":\"5\",\"vd\":\"\"},{\"n\":"
                  "\"12\",\"v\":100}]"),
        PUT("/1", SERVER), FINISH};
    sequence *s = opened(DUNLIN_LWM2M_1_1, steps, COUNT(steps));
    (void)state;
    sequence_start(s);
    sequence_run(s, 99);
    expect("answers", s->codes, "2.04 2.04 2.04");
    expect("still there", sequence_value(s, "/0/5/0"), "coap://other");
    sequence_run(s, 2);
    expect("events", s->log, "0B 0b 0+ 0R1 100P");
    expect("gone", sequence_value(s, "/0/5/0"), "-");
    closed(s);
}

/* Over a restart its end is known by /1/x/12; a clock that is not known yet gives it the whole of its time again. */
static void its_end_is_known_after_a_restart(void **state)
{
    static const struct {
        int64_t after_s; /* the restart, by the clock; negative: not known */
        const char *log;
    } rows[] = {{40, "2R1 62P"}, {500, "2P 2R1"}, {-1, "2R1 102P"}};
    static const sequence_step steps[] = {ACCOUNT, PUT("/0/1/12", TIMEOUT), FINISH};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        sequence *s = opened(DUNLIN_LWM2M_1_1, steps, COUNT(steps));
        sequence_start(s);
        sequence_run(s, 2);
        sequence_make(s, -1);
        s->unix_s = rows[i].after_s < 0 ? -1 : s->unix_s + rows[i].after_s - 2;
        assert_int_equal(dunlin_client_restore(s->r.client, dunlin_slice_make(s->saved, s->saved_len)),
                         DUNLIN_OK);
        s->log[0] = '\0';
        sequence_start(s);
        sequence_run(s, 110);
        expect("events", s->log, rows[i].log);
        closed(s);
    }
}

static void its_account_can_be_replaced(void **state)
{
    static const sequence_step steps[] = {
        ACCOUNT, PUT("/0/1/0", "[{\"n\":\"/0/1/0\",\"vs\":\"coap://elsewhere\"}]"), DISCOVER, FINISH};
    sequence *s = opened(DUNLIN_LWM2M_1_1, steps, COUNT(steps));
    (void)state;
    sequence_start(s);
    sequence_run(s, 2);
    expect("answers", s->codes, "2.04 2.04 2.04 2.05 2.04");
    expect("the new one", sequence_value(s, "/0/1/0"), "coap://elsewhere");
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 2000), DUNLIN_OK);
    s->log[0] = '\0';
    sequence_run(s, 1);
    expect("it is asked, and not there", s->log, "2-");
    closed(s);
}

static void there_is_one_at_most(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    dunlin_server server = dunlin_server_default();
    (void)state;
    strcpy(server.uri, "coap://other");
    server.bootstrap = true;
    assert_int_equal(dunlin_client_add_server(s->r.client, &server), DUNLIN_ERR_DUPLICATE);
    server.bootstrap = false;
    server.instance = 1;
    assert_int_equal(dunlin_client_add_server(s->r.client, &server), DUNLIN_ERR_DUPLICATE);
    server.instance = 65535;
    assert_int_equal(dunlin_client_add_server(s->r.client, &server), DUNLIN_ERR_RANGE);
    s->r.config.bootstrap = false;
    sequence_make(s, -1);
    server.instance = -1;
    server.bootstrap = true;
    assert_int_equal(dunlin_client_add_server(s->r.client, &server), DUNLIN_ERR_ARGUMENT);
    closed(s);
}

/* ---- loss ---- */

static void with_loss_it_comes_to_its_end(void **state)
{
    static const dn_simlink_rules rules = {.loss_permille = 200, .delay_min_ms = 10, .delay_max_ms = 60};
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
        for (unsigned skip = 0; skip < i; skip++) { /* another course of it each time */
            dn_simlink_send(s->r.link, &s->address, &s->address, dunlin_slice_of("x"));
        }
        dn_simlink_rule(s->r.link, &rules);
        sequence_start(s);
        for (unsigned n = 0; n < 100 && !dunlin_client_registered(s->r.client); n++) {
            sequence_run(s, 10);
        }
        assert_true(dunlin_client_registered(s->r.client));
        closed(s);
    }
}

/* The answer to Finish is lost: it is asked for again, and given again. */
static void a_finish_that_comes_again_is_answered_again(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    assert_int_equal(dn_simlink_drop(s->r.link, &s->r.client_address, &s->address, 5), DUNLIN_OK);
    sequence_start(s);
    sequence_run(s, 30);
    expect("answers", s->codes, "2.04 2.04 2.05 2.04");
    expect("events", s->log, "0B 0b 0+ 0R1");
    closed(s);
}

/* ---- stop, restart ---- */

static void stop_takes_back_what_is_not_finished(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, unfinished, COUNT(unfinished));
    (void)state;
    sequence_start(s);
    sequence_run(s, 2);
    dunlin_client_stop(s->r.client, 2000);
    sequence_run(s, 1);
    assert_true(dunlin_client_stopped(s->r.client));
    expect("taken back", sequence_value(s, "/1/0/0"), "-");
    sequence_run(s, 1000);
    assert_int_equal(s->requests, 1);
    script(s, whole, COUNT(whole));
    sequence_start(s);
    sequence_run(s, 1);
    assert_true(dunlin_client_registered(s->r.client));
    closed(s);
}

static void restart_asks_again(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, unfinished, COUNT(unfinished));
    (void)state;
    sequence_start(s);
    sequence_run(s, 2);
    script(s, whole, COUNT(whole));
    dunlin_client_restart(s->r.client, 2000);
    sequence_run(s, 1);
    assert_int_equal(s->requests, 2);
    assert_true(dunlin_client_registered(s->r.client));
    closed(s);
}

/* ---- an attacker on the channel of a server ---- */

static void a_server_cannot_bootstrap(void **state)
{
    static const struct {
        uint8_t method;
        const char *path, *payload, *code;
    } rows[] = {
        {DN_COAP_PUT, "/0", SECURITY, "4.01"},      {DN_COAP_PUT, "/0/0", SECURITY, "4.01"},
        {DN_COAP_PUT, "/0/0/0", SECURITY, "4.01"},  {DN_COAP_PUT, "/1", SERVER, "4.05"},
        {DN_COAP_PUT, "/1/0/13", LIFETIME, "4.05"}, {DN_COAP_DELETE, "/", NULL, "4.05"},
        {DN_COAP_DELETE, "/0", NULL, "4.01"},       {DN_COAP_DELETE, "/0/1", NULL, "4.01"},
        {DN_COAP_DELETE, "/1", NULL, "4.05"},       {DN_COAP_DELETE, "/1/0", NULL, "4.05"},
        {DN_COAP_POST, "/bs", NULL, "4.00"},        {DN_COAP_GET, "/0", NULL, "4.01"},
    };
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    sequence_add(s, "coap://server");
    sequence_start(s);
    sequence_run(s, 1);
    const unsigned saves = s->saves;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const int format = rows[i].payload == NULL ? -1 : DN_FORMAT_SENML_JSON;
        const rig_answer *answer = rig_send(&s->r, rows[i].method, rows[i].path, format, rows[i].payload);
        if (strcmp(rig_code(answer->code), rows[i].code) != 0) {
            fail_msg("%s: %s instead of %s", rows[i].path, rig_code(answer->code), rows[i].code);
        }
    }
    expect("events", s->log, "0R1");
    expect("the account", sequence_value(s, "/0/0/0"), "coap://server");
    expect("the bootstrap server's", sequence_value(s, "/0/1/0"), "coap://other");
    assert_int_equal(s->saves, saves);
    closed(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_nothing_to_registered),
        cmocka_unit_test(lwm2m_1_0_prefers_nothing),
        cmocka_unit_test(discover_tells_what_there_is),
        cmocka_unit_test(the_time_is_noted),
        cmocka_unit_test(the_hold_off_is_waited_for),
        cmocka_unit_test(without_a_bootstrap_server_the_application_is_told),
        cmocka_unit_test(what_there_is_goes_first),
        cmocka_unit_test(a_server_that_is_not_there_leads_to_a_bootstrap),
        cmocka_unit_test(a_server_asks_for_it),
        cmocka_unit_test(without_an_account_there_is_nothing_to_trigger),
        cmocka_unit_test(the_application_asks_for_it),
        cmocka_unit_test(it_may_speak_first_while_its_way_is_there),
        cmocka_unit_test(afterwards_it_is_a_stranger_again),
        cmocka_unit_test(what_it_leaves_unfinished_is_taken_back),
        cmocka_unit_test(a_stranger_is_nobody),
        cmocka_unit_test(what_is_observed_may_go),
        cmocka_unit_test(a_sleepy_device),
        cmocka_unit_test(its_account_is_purged_after_its_timeout),
        cmocka_unit_test(its_account_may_move),
        cmocka_unit_test(its_end_is_known_after_a_restart),
        cmocka_unit_test(its_account_can_be_replaced),
        cmocka_unit_test(there_is_one_at_most),
        cmocka_unit_test(with_loss_it_comes_to_its_end),
        cmocka_unit_test(a_finish_that_comes_again_is_answered_again),
        cmocka_unit_test(stop_takes_back_what_is_not_finished),
        cmocka_unit_test(restart_asks_again),
        cmocka_unit_test(a_server_cannot_bootstrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
