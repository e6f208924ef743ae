/* SPDX-License-Identifier: Apache-2.0 */
/* Presence in virtual time: its table of transitions, what is shown, what it holds back. */
#include "tests/server/rig_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define AWAKE_MS  200000u /* longer than an unanswered request lasts */
#define SILENT_MS 100000u
#define LINKS     "</1/0>,</3/0>"
#define QUEUE     "ep=a&lt=86400&lwm2m=1.1&b=U&Q"
#define LISTENS   "ep=a&lt=86400&lwm2m=1.1&b=U"

static rig r;
static rig_device *device;

static void tweak(dn_fleet_config *config)
{
    config->awake_ms = AWAKE_MS;
}

static int set_up(void **state)
{
    (void)state;
    rig_start(&r, 13, tweak);
    device = &r.devices[0];
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_end(&r);
    return 0;
}

static void enrol(const char *queries)
{
    rig_ask(&r, device, DN_COAP_POST, "rd", queries, 40, LINKS);
    assert_int_equal(device->code, DN_COAP_CREATED);
}

static void update(const char *queries)
{
    rig_ask(&r, device, DN_COAP_POST, device->location, queries, DN_COAP_NO_FORMAT, NULL);
    assert_int_equal(device->code, DN_COAP_CHANGED);
}

static void be_silent(void)
{
    device->gone = true;
    assert_int_equal(rig_read(&r, "a", "/3/0/9").status, DUNLIN_ERR_TIMEOUT);
    device->gone = false;
}

typedef enum { HEARD, MISSED, TIME } happening;

static void happen(happening what)
{
    if (what == HEARD) {
        update(NULL);
    } else if (what == MISSED) {
        be_silent();
    } else {
        rig_run(&r, AWAKE_MS + 100);
    }
}

/* The table of presence.h, from each state that can be reached. */
static void the_table_holds(void **state)
{
    (void)state;
    static const struct {
        const char *queries;
        happening before[2]; /* leads to the state; TIME of one that listens changes nothing */
        dn_presence from;
        happening what;
        dn_presence to;
    } cases[] = {
        {QUEUE, {HEARD, HEARD}, DN_PRESENCE_AWAKE, HEARD, DN_PRESENCE_AWAKE},
        {QUEUE, {HEARD, HEARD}, DN_PRESENCE_AWAKE, MISSED, DN_PRESENCE_UNREACHABLE},
        {QUEUE, {HEARD, HEARD}, DN_PRESENCE_AWAKE, TIME, DN_PRESENCE_ASLEEP},
        {QUEUE, {HEARD, MISSED}, DN_PRESENCE_UNREACHABLE, HEARD, DN_PRESENCE_AWAKE},
        {QUEUE, {HEARD, MISSED}, DN_PRESENCE_UNREACHABLE, MISSED, DN_PRESENCE_UNREACHABLE},
        {QUEUE, {HEARD, MISSED}, DN_PRESENCE_UNREACHABLE, TIME, DN_PRESENCE_ASLEEP},
        {QUEUE, {HEARD, TIME}, DN_PRESENCE_ASLEEP, HEARD, DN_PRESENCE_AWAKE},
        {QUEUE, {HEARD, TIME}, DN_PRESENCE_ASLEEP, MISSED, DN_PRESENCE_ASLEEP},
        {QUEUE, {HEARD, TIME}, DN_PRESENCE_ASLEEP, TIME, DN_PRESENCE_ASLEEP},
        {LISTENS, {HEARD, HEARD}, DN_PRESENCE_AWAKE, HEARD, DN_PRESENCE_AWAKE},
        {LISTENS, {HEARD, HEARD}, DN_PRESENCE_AWAKE, MISSED, DN_PRESENCE_UNREACHABLE},
        {LISTENS, {HEARD, HEARD}, DN_PRESENCE_AWAKE, TIME, DN_PRESENCE_AWAKE},
        {LISTENS, {HEARD, MISSED}, DN_PRESENCE_UNREACHABLE, HEARD, DN_PRESENCE_AWAKE},
        {LISTENS, {HEARD, MISSED}, DN_PRESENCE_UNREACHABLE, MISSED, DN_PRESENCE_UNREACHABLE},
        {LISTENS, {HEARD, MISSED}, DN_PRESENCE_UNREACHABLE, TIME, DN_PRESENCE_UNREACHABLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enrol(cases[i].queries);
        happen(cases[i].before[0]);
        happen(cases[i].before[1]);
        assert_int_equal(rig_get(&r, "a").presence, cases[i].from);
        rig_skip_events(&r);
        happen(cases[i].what);
        if (rig_get(&r, "a").presence != cases[i].to) {
            fail_msg("case %zu: presence is %d", i, (int)rig_get(&r, "a").presence);
        }
        /* An event for a change, and only for one. */
        dn_event event;
        unsigned changes = 0;
        while (rig_next_event(&r, &event)) {
            if (event.type == DN_EVENT_PRESENCE) {
                assert_int_equal(event.client.presence, cases[i].to);
                assert_true(event.client.links.len > 0);
                changes++;
            }
        }
        assert_int_equal(changes, cases[i].from != cases[i].to);
    }
}

static void a_register_says_it_itself(void **state)
{
    (void)state;
    enrol(QUEUE);
    rig_run(&r, AWAKE_MS + 100);
    rig_skip_events(&r);
    enrol(QUEUE);
    assert_int_equal(rig_expect(&r, DN_EVENT_DEREGISTERED, "a").client.presence, DN_PRESENCE_ASLEEP);
    assert_int_equal(rig_expect(&r, DN_EVENT_REGISTERED, "a").client.presence, DN_PRESENCE_AWAKE);
    rig_expect_no_event(&r);
    rig_run(&r, AWAKE_MS - 1000);
    rig_expect_no_event(&r);
    rig_run(&r, 2000);
    assert_int_equal(rig_expect(&r, DN_EVENT_PRESENCE, "a").client.presence, DN_PRESENCE_ASLEEP);
}

static void the_awake_time_counts_from_the_last_message(void **state)
{
    (void)state;
    enrol(QUEUE);
    for (unsigned i = 0; i < 5; i++) {
        rig_run(&r, AWAKE_MS - 1000);
        assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_AWAKE);
        assert_int_equal(rig_read(&r, "a", "/3/0/9").status, DUNLIN_OK); /* its answer is a message, too */
    }
    rig_client client = rig_get(&r, "a");
    assert_true(client.seen_ms > client.updated_ms);
    rig_run(&r, AWAKE_MS + 100);
    client = rig_get(&r, "a");
    assert_int_equal(client.presence, DN_PRESENCE_ASLEEP);
    int64_t now_ms = RIG_EPOCH_MS + (int64_t)(dn_simlink_now(r.link) - RIG_START_MS);
    assert_in_range(now_ms - client.seen_ms, AWAKE_MS, AWAKE_MS + 1000);
}

/* The order of falling asleep is that of the last messages, whoever spoke in between. */
static void each_falls_asleep_in_its_time(void **state)
{
    (void)state;
    char queries[64];
    for (unsigned i = 0; i < RIG_DEVICES; i++) {
        (void)snprintf(queries, sizeof queries, "ep=d%u&lt=86400&lwm2m=1.1&b=U&Q", i);
        rig_ask(&r, &r.devices[i], DN_COAP_POST, "rd", queries, 40, LINKS);
        rig_run(&r, 1000);
    }
    for (unsigned i = RIG_DEVICES;
         i-- > 0;) { /* the other way round, but for one that leaves and one that ends it */
        if (i == 3) {
            rig_ask(&r, &r.devices[i], DN_COAP_DELETE, r.devices[i].location, NULL, DN_COAP_NO_FORMAT, NULL);
        } else {
            rig_ask(&r, &r.devices[i], DN_COAP_POST, r.devices[i].location, i == 5 ? "b=U" : NULL,
                    DN_COAP_NO_FORMAT, NULL);
        }
        rig_run(&r, 1000);
    }
    rig_skip_events(&r);
    rig_run(&r, AWAKE_MS + 20000);
    for (unsigned i = RIG_DEVICES; i-- > 0;) {
        char name[8];
        (void)snprintf(name, sizeof name, "d%u", i);
        if (i != 3 && i != 5) {
            assert_int_equal(rig_expect(&r, DN_EVENT_PRESENCE, name).client.presence, DN_PRESENCE_ASLEEP);
        }
    }
    rig_expect_no_event(&r);
}

static void queue_mode_can_come_and_go(void **state)
{
    (void)state;
    enrol(LISTENS);
    rig_run(&r, AWAKE_MS + 100);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_AWAKE);
    update("Q");
    rig_run(&r, AWAKE_MS + 100);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_ASLEEP);
    update("b=U");
    rig_run(&r, AWAKE_MS + 100);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_AWAKE);
}

static void a_restart_knows_who_sleeps(void **state)
{
    (void)state;
    enrol(QUEUE);
    rig_run(&r, AWAKE_MS / 2);
    rig_crash(&r, 0);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_AWAKE);
    assert_int_equal(rig_get(&r, "a").seen_ms, rig_get(&r, "a").updated_ms);
    rig_run(&r, AWAKE_MS / 2 - 1000);
    rig_expect_no_event(&r);
    rig_run(&r, 2000);
    assert_int_equal(rig_expect(&r, DN_EVENT_PRESENCE, "a").client.presence, DN_PRESENCE_ASLEEP);
    update(NULL);
    rig_crash(&r, AWAKE_MS);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_ASLEEP);
    rig_expect_no_event(&r);
    update(NULL);
    assert_int_equal(rig_expect(&r, DN_EVENT_PRESENCE, "a").client.presence, DN_PRESENCE_AWAKE);
    /* Older than the monotonic clock itself. */
    rig_crash(&r, INT64_C(86000) * 1000);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_ASLEEP);
    assert_int_equal(rig_get(&r, "a").seen_ms, rig_get(&r, "a").updated_ms);
}

/* An observation that has to be asked for anew waits for the device to be awake. */
static void observations_are_not_renewed_in_its_sleep(void **state)
{
    (void)state;
    enrol(QUEUE);
    assert_int_equal(rig_observe(&r, "a", "/3/0/9").code, DN_COAP_CONTENT);
    rig_run(&r, 1000);
    rig_crash(&r, AWAKE_MS); /* after which the server does not know whether the device still does */
    rig_ask(&r, device, DN_COAP_DELETE, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
    device->asked = 0;
    enrol(QUEUE);
    rig_run(&r, 1000);
    assert_int_equal(device->asked, 1);

    /* It moves, so that the observation is asked for at the new place; and is away at once. */
    rig_rebind(&r, device);
    update(NULL);
    device->gone = true;
    rig_run(&r, AWAKE_MS + SILENT_MS);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_ASLEEP);
    assert_int_equal(rig_observations_of(&r, "a").list[0].state, DN_OBSERVATION_PENDING);
    uint64_t sent = rig_count(&r).requests_sent;
    rig_run(&r, 3600000);
    assert_int_equal(rig_count(&r).requests_sent, sent);
    device->gone = false;
    update(NULL);
    rig_run(&r, 1000);
    assert_int_equal(rig_observations_of(&r, "a").list[0].state, DN_OBSERVATION_ACTIVE);
}

/* It fell asleep before its turn came. */
static void a_renewal_that_comes_too_late_is_left_out(void **state)
{
    (void)state;
    enrol(QUEUE);
    assert_int_equal(rig_observe(&r, "a", "/3/0/9").code, DN_COAP_CONTENT);
    r.config.awake_ms = 0;
    rig_crash(&r, 0);
    rig_rebind(&r, device);
    device->asked = 0;
    update(NULL);
    rig_run(&r, 1000);
    assert_int_equal(device->asked, 0);
    assert_int_equal(rig_observations_of(&r, "a").list[0].state, DN_OBSERVATION_PENDING);
}

/* Any message will do to ask for what has to be asked for anew, not the Update alone. */
static void a_message_brings_the_renewal(void **state)
{
    (void)state;
    enrol(QUEUE);
    assert_int_equal(rig_observe(&r, "a", "/3/0/9").code, DN_COAP_CONTENT);
    rig_rebind(&r, device);
    update(NULL);
    device->gone = true;
    rig_run(&r, AWAKE_MS + SILENT_MS);
    device->gone = false;
    assert_int_equal(rig_observations_of(&r, "a").list[0].state, DN_OBSERVATION_PENDING);
    rig_ask(&r, device, DN_COAP_POST, "dp", NULL, 110, "[{\"n\":\"/3/0/9\",\"v\":5}]");
    rig_run(&r, 1000);
    assert_int_equal(rig_observations_of(&r, "a").list[0].state, DN_OBSERVATION_ACTIVE);
}

static void a_request_to_a_sleeper_goes_out_all_the_same(void **state)
{
    (void)state;
    enrol(QUEUE);
    rig_run(&r, AWAKE_MS + 100);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_ASLEEP);
    rig_skip_events(&r);
    assert_int_equal(rig_read(&r, "a", "/3/0/9").status, DUNLIN_OK);
    assert_int_equal(rig_expect(&r, DN_EVENT_PRESENCE, "a").client.presence, DN_PRESENCE_AWAKE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_table_holds),
        TEST(a_register_says_it_itself),
        TEST(the_awake_time_counts_from_the_last_message),
        TEST(each_falls_asleep_in_its_time),
        TEST(queue_mode_can_come_and_go),
        TEST(a_restart_knows_who_sleeps),
        TEST(observations_are_not_renewed_in_its_sleep),
        TEST(a_renewal_that_comes_too_late_is_left_out),
        TEST(a_message_brings_the_renewal),
        TEST(a_request_to_a_sleeper_goes_out_all_the_same),
    };
    return cmocka_run_group_tests_name("server_presence", tests, NULL, NULL);
}
