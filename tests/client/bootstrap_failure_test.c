/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bootstrap that does not come to its end (Core 1.1.1 section 6.1): what the client does when it is not answered, refused or left alone, and
 * that a bootstrap which is not finished has never been.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/bootstrap_steps.h"

static const char OTHER_SSID[] = "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":2}]";
static const char RIGHT_SSID[] = "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":1}]";

/* ---- failures, and the way home ---- */

typedef struct {
    const char *name;
    uint8_t code, other_code;
    bool mute;
    const char *asked; /* seconds of the first requests */
    const char *log;
    unsigned seconds;
} refusal_row;

static void tries_by_table(void **state)
{
    static const refusal_row rows[] = {
        {"refused", DN_COAP_BAD_REQUEST, 0, false, "0 60 180 420 900 1860 3780 7380 10980",
         "0B 0- 60- 180- 420- 900- 1860- 3780- 7380- 10980-", 14500},
        {"the format is refused", DN_COAP_CHANGED, DN_COAP_UNSUPPORTED_FORMAT, false, "0 0", "0B 0b 0+ 0R1",
         10},
        {"any format is refused", DN_COAP_UNSUPPORTED_FORMAT, 0, false, "0 0 60 180", "0B 0- 60- 180-", 200},
        {"silence", 0, 0, true, "", "0B 93- 246-", 300},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char asked[256] = "";
        sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
        s->request_code = rows[i].code;
        s->other_code = rows[i].other_code;
        s->mute = rows[i].mute;
        sequence_start(s);
        sequence_run(s, rows[i].seconds);
        for (unsigned n = 0; n < s->requests && n < SEQUENCE_ASKED_MAX; n++) {
            (void)snprintf(asked + strlen(asked), sizeof asked - strlen(asked), "%s%u", n > 0 ? " " : "",
                           (unsigned)s->asked_s[n]);
        }
        if (rows[i].mute) { /* when exactly retransmissions end is drawn */
            assert_int_equal(strncmp(s->log, "0B ", 3), 0);
            assert_true(dunlin_client_count(s->r.client).bootstraps_failed >= 2);
        } else {
            expect(rows[i].name, s->log, rows[i].log);
        }
        expect(rows[i].name, asked, rows[i].asked);
        closed(s);
    }
}

static void the_policy_of_its_account_holds(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    s->request_code = DN_COAP_BAD_REQUEST;
    sequence_make(s, -1);
    dunlin_server server = dunlin_server_default();
    strcpy(server.uri, "coap://other");
    server.bootstrap = true;
    server.bounded = true;
    server.policy.retry_count = 2;
    server.policy.retry_timer_s = 7;
    server.policy.sequence_count = 2;
    server.policy.sequence_delay_s = 100;
    assert_int_equal(dunlin_client_add_server(s->r.client, &server), DUNLIN_OK);
    sequence_start(s);
    sequence_run(s, 1000);
    expect("events", s->log, "0B 0- 7- 107- 114-");
    assert_int_equal(s->retry_ms, DUNLIN_NEVER);
    s->request_code = DN_COAP_CHANGED;
    sequence_start(s);
    sequence_run(s, 1);
    expect("a start begins anew", s->log, "0B 0- 7- 107- 114- 1000B 1000b 1000+ 1000R1");
    closed(s);
}

/* What was asked for while there were servers, and came to nothing, is not the end of it: without them it is begun again. */
static void a_need_begins_anew_what_was_asked_for_in_vain(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    s->request_code = DN_COAP_BAD_REQUEST;
    sequence_add(s, "coap://server");
    sequence_start(s);
    sequence_run(s, 10);
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 10000), DUNLIN_OK);
    sequence_run(s, 1000);
    expect("asked for", s->log, "0R1 10- 70- 190- 430- 910-");
    assert_int_equal(s->retry_ms, DUNLIN_NEVER);
    s->log[0] = '\0';
    s->request_code = DN_COAP_CHANGED;
    s->r.update_code = DN_COAP_NOT_FOUND; /* the server has lost the device, and does not want it back */
    s->r.register_code = DN_COAP_FORBIDDEN;
    dunlin_client_update(s->r.client);
    sequence_run(s, 20);
    expect("needed", s->log, "1010X1 1020X1 1020F1 1020B1 1020b 1020+ 1020X1 1030X1 1030F1 1030B1");
    closed(s);
}

/* The account goes while the next try is waited for: there is nobody to ask. */
static void without_its_account_there_is_no_next_try(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    s->request_code = DN_COAP_BAD_REQUEST;
    sequence_start(s);
    sequence_run(s, 10);
    assert_int_equal(dunlin_client_remove_instance(s->r.client, 0, 1), DUNLIN_OK);
    sequence_run(s, 1000);
    expect("events", s->log, "0B 0- 60-");
    assert_int_equal(s->retry_ms, DUNLIN_NEVER);
    closed(s);
}

/* It becomes a server's: nobody is left to ask when that one turns the device away. */
static void a_bootstrap_may_take_its_account_away(void **state)
{
    static const sequence_step steps[] = {
        PUT("/0", "[{\"bn\":\"/0/1/\",\"n\":\"0\",\"vs\":\"coap://server\"},{\"n\":\"1\",\"vb\":false},"
                  "{\"n\":\"10\",\"v\":1},{\"n\":\"3\",\"vd\":\"\"},{\"n\":\"4\",\"vd\":\"\"},{\"n\":\"5\","
                  "\"vd\":\"\"}]"),
        PUT("/1", SERVER), FINISH};
    sequence *s = opened(DUNLIN_LWM2M_1_1, steps, COUNT(steps));
    (void)state;
    sequence_start(s);
    sequence_run(s, 2);
    expect("answers", s->codes, "2.04 2.04 2.04");
    s->r.register_code = DN_COAP_FORBIDDEN;
    s->r.update_code = DN_COAP_NOT_FOUND;
    dunlin_client_update(s->r.client);
    sequence_run(s, 1000);
    assert_non_null(strstr(s->log, "F1"));
    closed(s);
}

/* Another network may be the one on which it is. */
static void a_restart_begins_anew(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    s->request_code = DN_COAP_BAD_REQUEST;
    s->r.config.bootstrap_tries = 5;
    sequence_make(s, 0);
    sequence_start(s);
    sequence_run(s, 1000);
    assert_int_equal(s->retry_ms, DUNLIN_NEVER);
    s->request_code = DN_COAP_CHANGED;
    s->log[0] = '\0';
    dunlin_client_restart(s->r.client, 1000000);
    sequence_run(s, 1);
    expect("events", s->log, "1000B 1000b 1000+ 1000R1");
    closed(s);
}

/* An account that came from elsewhere is tried for ever, too. */
static void one_of_the_factory_goes_on(void **state)
{
    static const char account[] =
        "[{\"bn\":\"/0/1/\",\"n\":\"0\",\"vs\":\"coap://other\"},{\"n\":\"1\",\"vb\":true},"
        "{\"n\":\"2\",\"v\":3},{\"n\":\"11\",\"v\":20}]";
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    s->request_code = DN_COAP_BAD_REQUEST;
    sequence_make(s, -1);
    assert_int_equal(dunlin_client_provision(s->r.client, dunlin_path_root(), DN_FORMAT_SENML_JSON,
                                             dunlin_slice_of(account)),
                     DUNLIN_OK);
    sequence_start(s);
    sequence_run(s, 11500);
    expect("events", s->log, "0B 20- 80- 200- 440- 920- 1880- 3800- 7400- 11000-");
    closed(s);
}

/* It vanishes after each of its steps: all is as it was, and the next try brings it to its end. */
static void it_vanishes_at_each_step(void **state)
{
    (void)state;
    for (size_t after = 1; after < COUNT(whole); after++) {
        sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
        s->mute_after = after;
        sequence_start(s);
        sequence_run(s, 2);
        expect("written", sequence_value(s, "/0/0/10"), "1");
        const unsigned saves = s->saves;
        sequence_run(s, 240);
        assert_int_equal(s->saves, saves);
        sequence_run(s, 6);
        expect("taken back", sequence_value(s, "/0/0/10"), "-");
        expect("the bootstrap server stays", sequence_value(s, "/0/1/0"), "coap://other");
        expect("events", s->log, "0B 0b 247-");
        assert_int_equal(s->retry_ms, 60000);
        s->mute = false;
        sequence_run(s, 100);
        expect("events", s->log, "0B 0b 247- 307b 307+ 307R1");
        closed(s);
    }
}

static void each_command_gives_it_more_time(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, unfinished, COUNT(unfinished));
    static const sequence_step last[] = {FINISH};
    (void)state;
    sequence_start(s);
    for (unsigned i = 0; i < 5; i++) {
        sequence_run(s, 240);
        sequence_ask(s, unfinished, COUNT(unfinished));
    }
    sequence_ask(s, last, 1);
    sequence_run(s, 1);
    expect("events", s->log, "0B 0b 1200+ 1200R1");
    closed(s);
}

typedef struct {
    const char *name;
    sequence_step steps[6];
    size_t count;
    const char *codes;
    bool finished;
} order_row;

static void inconsistent_is_refused_and_can_be_repaired(void **state)
{
    static const order_row rows[] = {
        {"Finish at once", {FINISH}, 1, "4.06", false},
        {"without Object 1", {PUT("/0", SECURITY), FINISH}, 2, "2.04 4.06", false},
        {"without Object 0", {PUT("/1", SERVER), FINISH}, 2, "2.04 4.06", false},
        {"another server's",
         {PUT("/0", SECURITY), PUT("/1", SERVER), PUT("/1", OTHER_SSID), FINISH},
         4,
         "2.04 2.04 2.04 4.06",
         false},
        {"repaired",
         {PUT("/0", SECURITY), PUT("/1", SERVER), PUT("/1", OTHER_SSID), FINISH, PUT("/1", RIGHT_SSID),
          FINISH},
         6,
         "2.04 2.04 2.04 4.06 2.04 2.04",
         true},
        {"the other way round", {PUT("/1", SERVER), PUT("/0", SECURITY), FINISH}, 3, "2.04 2.04 2.04", true},
        {"finished twice", {ACCOUNT, FINISH, FINISH}, 4, "2.04 2.04 2.04 2.04", true},
        {"an operation that is none",
         {ACCOUNT, {DN_COAP_POST, "/1/0/8", NULL, 0}, FINISH},
         4,
         "2.04 2.04 4.05 2.04",
         true},
        {"deleted in between",
         {ACCOUNT, {DN_COAP_DELETE, "/", NULL, 0}, FINISH},
         4,
         "2.04 2.04 2.02 4.06",
         false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        sequence *s = opened(DUNLIN_LWM2M_1_1, rows[i].steps, rows[i].count);
        sequence_start(s);
        sequence_run(s, 2);
        expect(rows[i].name, s->codes, rows[i].codes);
        assert_int_equal(dunlin_client_registered(s->r.client), rows[i].finished);
        if (!rows[i].finished) {
            sequence_run(s, 250);
            expect(rows[i].name, s->log, "0B 0b 247-");
            script(s, whole, COUNT(whole));
            sequence_run(s, 100);
            assert_true(dunlin_client_registered(s->r.client)); /* there is a way home */
        }
        closed(s);
    }
}

static void what_cannot_be_saved_is_not_finished(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    s->save_status = DUNLIN_ERR_IO;
    sequence_start(s);
    sequence_run(s, 2);
    expect("answers", s->codes, "2.04 2.04 2.05 5.00");
    sequence_run(s, 246);
    expect("events", s->log, "0B 0b 247-");
    expect("taken back", sequence_value(s, "/1/0/0"), "-");
    closed(s);
}

static void a_restart_finds_what_was_saved(void **state)
{
    sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
    (void)state;
    sequence_start(s);
    sequence_run(s, 2);
    assert_true(s->saves > 0);
    sequence_make(s, -1);
    assert_int_equal(dunlin_client_restore(s->r.client, dunlin_slice_make(s->saved, s->saved_len)),
                     DUNLIN_OK);
    s->log[0] = '\0';
    sequence_start(s);
    sequence_run(s, 2);
    expect("events", s->log, "2R1");
    expect("the bootstrap server is known", sequence_value(s, "/0/1/0"), "coap://other");
    closed(s);
}

static void count_all(void *context, uint64_t now_ms, const dn_peer *from, const dn_peer *to, uint64_t number,
                      dunlin_slice datagram, dn_simlink_fate fate)
{
    unsigned *count = context;
    (void)now_ms, (void)from, (void)to, (void)number, (void)datagram, (void)fate;
    (*count)++;
}

static bool enough(void *context)
{
    const unsigned *count = context;
    return count[0] >= count[1];
}

/* The power fails after each datagram in turn: what was saved last leads to a registration again, from before or from after. */
static void the_power_fails_at_each_step(void **state)
{
    bool before = false;
    bool after = false;
    (void)state;
    for (unsigned at = 1; at < 14; at++) {
        sequence *s = opened(DUNLIN_LWM2M_1_1, whole, COUNT(whole));
        unsigned count[2] = {0, at};
        sequence_run(s, 1); /* the factory's state is saved */
        dn_simlink_watch(s->r.link, count_all, count);
        sequence_start(s);
        (void)dn_simlink_run(s->r.link, 1500, enough, count);
        sequence_make(s, -1);
        assert_int_equal(dunlin_client_restore(s->r.client, dunlin_slice_make(s->saved, s->saved_len)),
                         DUNLIN_OK);
        const bool knows = strcmp(sequence_value(s, "/1/0/0"), "1") == 0;
        before = before || !knows;
        after = after || knows;
        expect("the bootstrap server is known", sequence_value(s, "/0/1/0"), "coap://other");
        sequence_start(s);
        sequence_run(s, 300);
        assert_true(dunlin_client_registered(s->r.client));
        closed(s);
    }
    assert_true(before && after);
}

/* An account that is registered stays so while the bootstrap is under way, and afterwards when it has failed. */
static void a_failed_bootstrap_leaves_registrations_alone(void **state)
{
    static const sequence_step steps[] = {
        {DN_COAP_DELETE, "/0", NULL, 0}, {DN_COAP_DELETE, "/1", NULL, 0}, DISCOVER};
    sequence *s = opened(DUNLIN_LWM2M_1_1, steps, COUNT(steps));
    (void)state;
    sequence_add(s, "coap://server");
    sequence_start(s);
    sequence_run(s, 10);
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 10000), DUNLIN_OK);
    sequence_run(s, 2);
    expect("answers", s->codes, "2.02 2.02 2.05");
    assert_null(strstr(s->answer, "</1/0>"));
    assert_int_equal(rig_get(&s->r, "/3/0/0", -1)->code, DN_COAP_UNAVAILABLE);
    sequence_run(s, 248);
    expect("events", s->log, "0R1 10b 257- 257U1");
    assert_true(dunlin_client_registered(s->r.client));
    assert_int_equal(rig_get(&s->r, "/3/0/0", -1)->code, DN_COAP_CONTENT);
    closed(s);
}

static void nothing_is_notified_meanwhile(void **state)
{
    static const rig_request observe = {
        .method = DN_COAP_GET, .path = "/3303/0/5700", .observe = true, .token = 7};
    sequence *s = opened(DUNLIN_LWM2M_1_1, unfinished, COUNT(unfinished));
    static const sequence_step last[] = {FINISH};
    (void)state;
    sequence_add(s, "coap://server");
    sequence_start(s);
    sequence_run(s, 1);
    assert_int_equal(rig_ask(&s->r, &observe)->code, DN_COAP_CONTENT);
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 1000), DUNLIN_OK);
    sequence_run(s, 2);
    s->r.thermometer[0].value = 30;
    dunlin_changed(s->r.client, dunlin_path_resource(3303, 0, 5700));
    sequence_run(s, 10);
    assert_int_equal(s->r.notify_count, 0);
    sequence_ask(s, last, 1);
    sequence_run(s, 2);
    assert_int_equal(s->r.notify_count, 1); /* it is registered as before, and told now */
    closed(s);
}

/* What was the account of a registered server has gone: it is de-registered, with all that it had asked for. */
static void an_account_that_is_gone_is_deregistered(void **state)
{
    static const sequence_step steps[] = {
        {DN_COAP_DELETE, "/0", NULL, 0},
        {DN_COAP_DELETE, "/1", NULL, 0},
        PUT("/0", "[{\"bn\":\"/0/0/\",\"n\":\"0\",\"vs\":\"coap://server\"},"
                  "{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":3},{\"n\":\"10\",\"v\":7},"
                  "{\"n\":\"3\",\"vd\":\"\"},{\"n\":\"4\",\"vd\":\"\"},{\"n\":\"5\",\"vd\":\"\"}]"),
        PUT("/1", "[{\"bn\":\"/1/3/\",\"n\":\"0\",\"v\":7},{\"n\":\"1\",\"v\":90},"
                  "{\"n\":\"6\",\"vb\":true},{\"n\":\"7\",\"vs\":\"U\"}]"),
        FINISH};
    sequence *s = opened(DUNLIN_LWM2M_1_1, steps, COUNT(steps));
    (void)state;
    sequence_add(s, "coap://server");
    sequence_start(s);
    sequence_run(s, 10);
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 10000), DUNLIN_OK);
    sequence_run(s, 2);
    expect("answers", s->codes, "2.02 2.02 2.04 2.04 2.04");
    expect("events", s->log, "0R1 10b 10D1 10+ 10R7");
    assert_int_equal(s->r.deregisters, 0);
    closed(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tries_by_table),
        cmocka_unit_test(a_restart_begins_anew),
        cmocka_unit_test(the_policy_of_its_account_holds),
        cmocka_unit_test(without_its_account_there_is_no_next_try),
        cmocka_unit_test(a_bootstrap_may_take_its_account_away),
        cmocka_unit_test(a_need_begins_anew_what_was_asked_for_in_vain),
        cmocka_unit_test(one_of_the_factory_goes_on),
        cmocka_unit_test(it_vanishes_at_each_step),
        cmocka_unit_test(each_command_gives_it_more_time),
        cmocka_unit_test(inconsistent_is_refused_and_can_be_repaired),
        cmocka_unit_test(what_cannot_be_saved_is_not_finished),
        cmocka_unit_test(a_restart_finds_what_was_saved),
        cmocka_unit_test(the_power_fails_at_each_step),
        cmocka_unit_test(a_failed_bootstrap_leaves_registrations_alone),
        cmocka_unit_test(nothing_is_notified_meanwhile),
        cmocka_unit_test(an_account_that_is_gone_is_deregistered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
