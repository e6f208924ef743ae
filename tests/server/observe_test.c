/* SPDX-License-Identifier: Apache-2.0 */
/* An observation's life over a simulated network: agreed to, fed, renewed, lost, ended; over restarts and losses. */
#include "tests/server/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define PATH "/3303/0/5700"

static rig r;
static rig_device *const device = &r.devices[0];

static int set_up(void **state)
{
    (void)state;
    rig_start(&r, 21, NULL);
    rig_register(&r, device, "a", 86400);
    rig_skip_events(&r);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_end(&r);
    return 0;
}

static void expect_notified(const char *value)
{
    dn_event event = rig_expect(&r, DN_EVENT_NOTIFICATION, "a");
    char path[DUNLIN_PATH_TEXT_MAX + 1];
    (void)dunlin_path_format(event.path, path);
    assert_string_equal(path, PATH);
    assert_int_equal(event.code, DN_COAP_CONTENT);
    assert_int_equal(event.content_format, 112);
    assert_true(dunlin_slice_equal(event.payload, dunlin_slice_of(value)));
    assert_string_equal(event.client.id, rig_get(&r, "a").id);
}

static void expect_state(dn_observation_state expected, const char *last)
{
    rig_observations all = rig_observations_of(&r, "a");
    assert_int_equal(all.count, 1);
    assert_string_equal(all.list[0].path, PATH);
    assert_int_equal(all.list[0].state, expected);
    assert_string_equal(all.list[0].text, last);
}

static void observe(const char *value)
{
    device->value = value;
    rig_outcome outcome = rig_observe(&r, "a", PATH);
    assert_int_equal(outcome.status, DUNLIN_OK);
    assert_int_equal(outcome.code, DN_COAP_CONTENT);
    assert_false(outcome.existed);
    assert_string_equal(outcome.text, value);
    assert_int_equal(device->watched_count, 1);
    expect_notified(value);
}

static void it_is_agreed_to_and_fed(void **state)
{
    (void)state;
    observe("1");
    assert_int_equal(device->asked_accept, 112);
    expect_state(DN_OBSERVATION_ACTIVE, "1");
    for (unsigned i = 0; i < 20; i++) {
        char value[8];
        (void)snprintf(value, sizeof value, "v%u", i);
        assert_int_equal(rig_notify(&r, device, PATH, value, i % 2 == 0), DUNLIN_OK);
        expect_notified(value);
        expect_state(DN_OBSERVATION_ACTIVE, value);
    }
    rig_expect_no_event(&r);
    assert_int_equal(rig_count(&r).notifications, 21);
    assert_int_equal(rig_count(&r).observations, 1);
}

static void asking_again_gives_the_last_value(void **state)
{
    (void)state;
    observe("1");
    (void)rig_notify(&r, device, PATH, "2", true);
    unsigned asked = device->asked;
    rig_outcome outcome = rig_observe(&r, "a", PATH);
    assert_true(outcome.existed);
    assert_string_equal(outcome.text, "2");
    assert_int_equal(outcome.code, DN_COAP_CONTENT);
    assert_int_equal(outcome.format, 112);
    assert_int_equal(device->asked, asked);
}

static void several_at_once_are_one(void **state)
{
    (void)state;
    rig_outcome outcomes[3];
    for (unsigned i = 0; i < 3; i++) {
        rig_post_observe(&r, "a", PATH, &outcomes[i]);
    }
    rig_run(&r, 1000);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(outcomes[i].done);
        assert_int_equal(outcomes[i].status, DUNLIN_OK);
    }
    assert_int_equal(rig_observations_of(&r, "a").count, 1);
    assert_int_equal(device->watched_count, 1);
    assert_int_equal(rig_notify(&r, device, PATH, "9", true), DUNLIN_OK);
}

static void a_refusal_keeps_nothing(void **state)
{
    (void)state;
    device->reply_code = DN_COAP_NOT_FOUND;
    rig_outcome outcome = rig_observe(&r, "a", PATH);
    assert_int_equal(outcome.status, DUNLIN_OK);
    assert_int_equal(outcome.code, DN_COAP_NOT_FOUND);
    assert_int_equal(rig_observations_of(&r, "a").count, 0);
    device->reply_code = 0;
    device->refuses_observe = true;
    outcome = rig_observe(&r, "a", PATH);
    assert_int_equal(outcome.status, DUNLIN_ERR_UNSUPPORTED);
    assert_int_equal(outcome.code, DN_COAP_CONTENT);
    assert_string_equal(outcome.text, "value");
    assert_int_equal(rig_observations_of(&r, "a").count, 0);
    device->gone = true;
    outcome = rig_observe(&r, "a", PATH);
    assert_int_equal(outcome.status, DUNLIN_ERR_TIMEOUT);
    assert_int_equal(rig_observations_of(&r, "a").count, 0);
    assert_int_equal(rig_observe(&r, "nobody", PATH).status, DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(rig_count(&r).observations, 0);
    assert_int_equal(rig_expect(&r, DN_EVENT_PRESENCE, "a").client.presence, DN_PRESENCE_UNREACHABLE);
    rig_expect_no_event(&r);
}

static void it_can_be_ended(void **state)
{
    (void)state;
    observe("1");
    rig_outcome outcome = rig_unobserve(&r, "a", PATH);
    assert_int_equal(outcome.status, DUNLIN_OK);
    assert_int_equal(outcome.code, DN_COAP_CONTENT);
    assert_int_equal(device->watched_count, 0);
    assert_int_equal(device->asked_accept, 112); /* the same request but for Observe */
    assert_int_equal(rig_observations_of(&r, "a").count, 0);
    assert_int_equal(rig_unobserve(&r, "a", PATH).status, DUNLIN_ERR_NOT_FOUND);
    rig_crash(&r, 0);
    assert_int_equal(rig_count(&r).observations, 0);
}

static void it_ends_though_the_device_is_silent(void **state)
{
    (void)state;
    observe("1");
    device->gone = true;
    assert_int_equal(rig_unobserve(&r, "a", PATH).status, DUNLIN_ERR_TIMEOUT);
    assert_int_equal(rig_observations_of(&r, "a").count, 0);
    /* The device never heard of it: its next notification gets a Reset, and that tells it. */
    device->gone = false;
    assert_int_equal(rig_notify(&r, device, PATH, "2", true), DUNLIN_ERR_REJECTED);
    assert_int_equal(rig_count(&r).unknown_notifications, 1);
}

static void strangers_cannot_feed_it(void **state)
{
    (void)state;
    observe("1");
    rig_device *stranger = &r.devices[1];
    stranger->watched[0] = device->watched[0];
    stranger->watched_count = 1;
    assert_int_equal(rig_notify(&r, stranger, PATH, "666", true), DUNLIN_ERR_REJECTED);
    device->watched[0].token.bytes[3] ^= 1;
    assert_int_equal(rig_notify(&r, device, PATH, "666", true), DUNLIN_ERR_REJECTED);
    expect_state(DN_OBSERVATION_ACTIVE, "1");
    rig_expect_no_event(&r);
    assert_int_equal(rig_count(&r).unknown_notifications, 2);
}

static void an_old_one_is_no_news(void **state)
{
    (void)state;
    observe("1");
    device->watched[0].sequence = 100;
    assert_int_equal(rig_notify(&r, device, PATH, "new", true), DUNLIN_OK);
    expect_notified("new");
    device->watched[0].sequence = 50;
    assert_int_equal(rig_notify(&r, device, PATH, "old", true), DUNLIN_OK); /* acknowledged all the same */
    rig_expect_no_event(&r);
    expect_state(DN_OBSERVATION_ACTIVE, "new");
}

static void an_error_ends_it(void **state)
{
    (void)state;
    observe("1");
    device->reply_code = DN_COAP_NOT_FOUND;
    assert_int_equal(rig_notify(&r, device, PATH, "", true), DUNLIN_OK);
    dn_event event = rig_expect(&r, DN_EVENT_NOTIFICATION, "a");
    assert_int_equal(event.code, DN_COAP_NOT_FOUND);
    rig_observations all = rig_observations_of(&r, "a");
    assert_int_equal(all.list[0].state, DN_OBSERVATION_LOST);
    assert_int_equal(all.list[0].code, DN_COAP_NOT_FOUND);
    rig_crash(&r, 0);
    assert_int_equal(rig_observations_of(&r, "a").list[0].state, DN_OBSERVATION_LOST);
    /* Asked for anew it comes back. */
    device->reply_code = 0;
    device->watched_count = 0;
    observe("2");
    expect_state(DN_OBSERVATION_ACTIVE, "2");
}

static void a_long_value_is_fetched(void **state)
{
    (void)state;
    static char body[5001];
    memset(body, 'y', sizeof body - 1);
    observe("1");
    assert_int_equal(rig_notify(&r, device, PATH, body, true), DUNLIN_OK);
    rig_run(&r, 5000);
    expect_notified(body);
    rig_expect_no_event(&r);
    assert_int_equal(rig_notify(&r, device, PATH, "short", false), DUNLIN_OK);
    expect_notified("short");
}

static void it_comes_back_with_the_next_register(void **state)
{
    (void)state;
    observe("1");
    (void)rig_observe(&r, "a", "/3303/0/5601");
    rig_skip_events(&r);
    dn_coap_token before = device->watched[0].token;
    rig_register(&r, device, "a", 60);
    rig_run(&r, 1000);
    assert_int_equal(device->watched_count, 2);
    assert_memory_not_equal(device->watched[0].token.bytes, before.bytes, before.len);
    rig_observations all = rig_observations_of(&r, "a");
    assert_int_equal(all.count, 2);
    assert_int_equal(all.list[0].state, DN_OBSERVATION_ACTIVE);
    assert_int_equal(all.list[1].state, DN_OBSERVATION_ACTIVE);
    rig_skip_events(&r);
    assert_int_equal(rig_notify(&r, device, PATH, "2", true), DUNLIN_OK);
    expect_notified("2");
    /* From another place, too; and the old one's word counts no longer. */
    rig_register(&r, &r.devices[1], "a", 60);
    rig_run(&r, 1000);
    assert_int_equal(r.devices[1].watched_count, 2);
    assert_int_equal(rig_notify(&r, device, PATH, "3", true), DUNLIN_ERR_REJECTED);
}

static void it_waits_while_the_client_is_away(void **state)
{
    (void)state;
    observe("1");
    rig_ask(&r, device, DN_COAP_DELETE, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
    rig_observations all = rig_observations_of(&r, "a");
    assert_false(all.registered);
    assert_int_equal(all.count, 1);
    expect_state(DN_OBSERVATION_PENDING, "1");
    assert_true(rig_observe(&r, "a", PATH).existed); /* the last value is known without it */
    assert_int_equal(rig_notify(&r, device, PATH, "2", true), DUNLIN_ERR_REJECTED);
    rig_crash(&r, 1000);
    expect_state(DN_OBSERVATION_PENDING, "1");
    device->value = "5";
    rig_register(&r, device, "a", 60);
    rig_run(&r, 1000);
    expect_state(DN_OBSERVATION_ACTIVE, "5");
    rig_ask(&r, device, DN_COAP_DELETE, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
    rig_outcome outcome = rig_unobserve(&r, "a", PATH);
    assert_int_equal(outcome.status, DUNLIN_OK);
    assert_int_equal(outcome.code, DN_COAP_CONTENT);
    assert_int_equal(rig_observations_of(&r, "a").count, 0);
}

static void it_survives_a_sudden_end(void **state)
{
    (void)state;
    observe("1");
    (void)rig_notify(&r, device, PATH, "2", true);
    int64_t since_ms = rig_observations_of(&r, "a").list[0].since_ms;
    unsigned asked = device->asked;
    rig_crash(&r, 5000);
    expect_state(DN_OBSERVATION_ACTIVE, "2");
    assert_true(rig_observations_of(&r, "a").list[0].since_ms == since_ms);
    assert_int_equal(rig_notify(&r, device, PATH, "3", true), DUNLIN_OK);
    expect_notified("3");
    assert_int_equal(device->asked, asked); /* the device kept it; there was no need to ask */
}

static void a_refused_renewal_is_said(void **state)
{
    (void)state;
    observe("1");
    device->reply_code = DN_COAP_UNAUTHORIZED;
    rig_register(&r, device, "a", 60);
    rig_run(&r, 1000);
    rig_observations all = rig_observations_of(&r, "a");
    assert_int_equal(all.list[0].state, DN_OBSERVATION_LOST);
    assert_int_equal(all.list[0].code, DN_COAP_UNAUTHORIZED);
    device->reply_code = 0;
    device->refuses_observe = true;
    rig_register(&r, device, "a", 60);
    rig_run(&r, 1000);
    expect_state(DN_OBSERVATION_LOST, "1");
}

static void a_silent_one_is_asked_when_it_speaks(void **state)
{
    (void)state;
    observe("1");
    device->refuses_observe = false;
    rig_register(&r, device, "a", 86400);
    device->gone = true; /* right after its Register */
    device->watched_count = 0;
    rig_run(&r, 200000);
    expect_state(DN_OBSERVATION_PENDING, "1");
    unsigned sent = (unsigned)rig_count(&r).requests_sent;
    rig_run(&r, 3600000);
    assert_int_equal(rig_count(&r).requests_sent, sent); /* left alone meanwhile */
    device->gone = false;
    rig_ask(&r, device, DN_COAP_POST, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
    rig_run(&r, 1000);
    assert_int_equal(device->watched_count, 1);
    expect_state(DN_OBSERVATION_ACTIVE, "1");
}

static void a_new_port_renews_it(void **state)
{
    (void)state;
    observe("1");
    rig_rebind(&r, device);
    device->value = "2";
    rig_ask(&r, device, DN_COAP_POST, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
    rig_run(&r, 1000);
    expect_state(DN_OBSERVATION_ACTIVE, "2");
    rig_skip_events(&r);
    assert_int_equal(rig_notify(&r, device, PATH, "3", true), DUNLIN_OK);
    expect_notified("3");
}

static void few_observations(dn_fleet_config *config)
{
    config->max_observations = 2;
}

static void as_many_as_the_limit(void **state)
{
    (void)state;
    rig_end(&r);
    rig_start(&r, 3, few_observations);
    rig_register(&r, device, "a", 60);
    assert_int_equal(rig_observe(&r, "a", "/1").status, DUNLIN_OK);
    assert_int_equal(rig_observe(&r, "a", "/2").status, DUNLIN_OK);
    assert_int_equal(rig_observe(&r, "a", "/3").status, DUNLIN_ERR_LIMIT);
    assert_int_equal(rig_unobserve(&r, "a", "/1").status, DUNLIN_OK);
    assert_int_equal(rig_observe(&r, "a", "/3").status, DUNLIN_OK);
}

/* Devices that register again and again, observe, notify and crash us, over a bad network: at the end every wish is heard. */
static void loss_does_not_lose_it(void **state)
{
    (void)state;
    const dn_simlink_rules rules = {.loss_permille = 150,
                                    .duplicate_permille = 100,
                                    .reorder_permille = 100,
                                    .delay_min_ms = 5,
                                    .delay_max_ms = 80};
    for (unsigned i = 0; i < RIG_DEVICES; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "d%u", i);
        rig_register(&r, &r.devices[i], name, 86400);
        assert_int_equal(rig_observe(&r, name, PATH).status, DUNLIN_OK);
        assert_int_equal(rig_observe(&r, name, "/3/0/9").status, DUNLIN_OK);
    }
    dn_simlink_rule(r.link, &rules);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < RIG_DEVICES; i++) {
            char queries[64];
            (void)snprintf(queries, sizeof queries, "ep=d%u&lt=86400&lwm2m=1.1", i);
            if ((round + i) % 3 == 0) {
                r.devices[i].watched_count = 0;
                rig_ask(&r, &r.devices[i], DN_COAP_POST, "rd", queries, 40, "</1/0>,</3/0>");
            } else if (r.devices[i].watched_count > 0) {
                (void)rig_notify(&r, &r.devices[i], r.devices[i].watched[0].path, "x", round % 2 == 0);
            }
        }
        rig_skip_events(&r);
        if (round % 7 == 6) {
            rig_crash(&r, 1000);
        }
    }
    const dn_simlink_rules perfect = {.loss_permille = 0};
    dn_simlink_rule(r.link, &perfect);
    rig_run(&r, 400000);
    for (unsigned i = 0; i < RIG_DEVICES; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "d%u", i);
        rig_register(&r, &r.devices[i], name, 86400);
        rig_run(&r, 5000);
        rig_observations all = rig_observations_of(&r, name);
        assert_int_equal(all.count, 2);
        assert_int_equal(all.list[0].state, DN_OBSERVATION_ACTIVE);
        assert_int_equal(all.list[1].state, DN_OBSERVATION_ACTIVE);
        assert_int_equal(r.devices[i].watched_count, 2);
        assert_int_equal(rig_notify(&r, &r.devices[i], PATH, "end", true), DUNLIN_OK);
        assert_string_equal(rig_observe(&r, name, PATH).text, "end");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_agreed_to_and_fed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(asking_again_gives_the_last_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_at_once_are_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_keeps_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_can_be_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_ends_though_the_device_is_silent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strangers_cannot_feed_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_old_one_is_no_news, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_error_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_value_is_fetched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_comes_back_with_the_next_register, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_waits_while_the_client_is_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_survives_a_sudden_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_renewal_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_silent_one_is_asked_when_it_speaks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_port_renews_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(as_many_as_the_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(loss_does_not_lose_it, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
