/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to devices: what arrives there, what comes back, and each way it can end. */
#include "tests/server/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static rig r;

static int set_up(void **state)
{
    (void)state;
    rig_start(&r, 9, NULL);
    rig_register(&r, &r.devices[0], "a", 86400);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_end(&r);
    return 0;
}

static dn_device_request ask_for(uint8_t method, dunlin_path path)
{
    return (dn_device_request){.endpoint = dunlin_slice_of("a"),
                               .method = method,
                               .path = path,
                               .content_format = DN_COAP_NO_FORMAT,
                               .accept = DN_COAP_NO_FORMAT};
}

static void a_read_is_answered(void **state)
{
    (void)state;
    r.devices[0].value = "21.5";
    rig_outcome outcome = rig_read(&r, "a", "/3303/0/5700");
    assert_int_equal(outcome.status, DUNLIN_OK);
    assert_int_equal(outcome.code, DN_COAP_CONTENT);
    assert_int_equal(outcome.format, 112);
    assert_string_equal(outcome.text, "21.5");
    assert_int_equal(r.devices[0].asked_method, DN_COAP_GET);
    assert_string_equal(r.devices[0].asked_path, "/3303/0/5700");
    assert_string_equal(r.devices[0].asked_query, "");
    dn_fleet_counters counters = rig_count(&r);
    assert_int_equal(counters.requests_sent, 1);
    assert_int_equal(counters.requests_ok, 1);
}

static void everything_of_a_request_arrives(void **state)
{
    (void)state;
    rig_outcome outcome;
    dn_device_request ask = ask_for(DN_COAP_PUT, dunlin_path_resource(3, 0, 15));
    ask.query = dunlin_slice_of("pmin=1&pmax=10");
    ask.content_format = 0;
    ask.accept = 110;
    ask.payload = dunlin_slice_of("Europe/Tallinn");
    (void)rig_post_request(&r, &ask, &outcome);
    rig_run(&r, 1000);
    assert_true(outcome.done);
    assert_int_equal(outcome.code, DN_COAP_CHANGED);
    assert_int_equal(r.devices[0].asked_method, DN_COAP_PUT);
    assert_string_equal(r.devices[0].asked_path, "/3/0/15");
    assert_string_equal(r.devices[0].asked_query, "pmin=1&pmax=10");
    assert_int_equal(r.devices[0].asked_format, 0);
    assert_int_equal(r.devices[0].asked_accept, 110);
    assert_string_equal(r.devices[0].asked_text, "Europe/Tallinn");
}

static void an_error_is_an_answer(void **state)
{
    (void)state;
    r.devices[0].reply_code = DN_COAP_METHOD_NOT_ALLOWED;
    rig_outcome outcome = rig_read(&r, "a", "/3/0/4");
    assert_int_equal(outcome.status, DUNLIN_OK);
    assert_int_equal(outcome.code, DN_COAP_METHOD_NOT_ALLOWED);
}

static void long_bodies_go_both_ways(void **state)
{
    (void)state;
    static char body[10001];
    memset(body, 'x', sizeof body - 1);
    r.devices[0].value = body;
    rig_outcome outcome = rig_read(&r, "a", "/3303");
    assert_int_equal(outcome.status, DUNLIN_OK);
    assert_string_equal(outcome.text, body);
    dn_device_request ask = ask_for(DN_COAP_PUT, dunlin_path_resource(5, 0, 0));
    ask.content_format = 42;
    ask.payload = dunlin_slice_of(body);
    (void)rig_post_request(&r, &ask, &outcome);
    rig_run(&r, 10000);
    assert_true(outcome.done);
    assert_int_equal(outcome.code, DN_COAP_CHANGED);
    assert_string_equal(r.devices[0].asked_text, body);
}

static void the_alternate_path_goes_before(void **state)
{
    (void)state;
    rig_outcome outcome;
    rig_ask(&r, &r.devices[0], DN_COAP_POST, "rd", "ep=a&lt=60&lwm2m=1.1", 40,
            "</my/root/>;rt=\"core.x oma.lwm2m\",</my/root/3303/0>");
    assert_int_equal(r.devices[0].code, DN_COAP_CREATED);
    r.devices[0].reply_code = DN_COAP_CREATED;
    r.devices[0].reply_location = "my/root/3303/7";
    dn_device_request ask = ask_for(DN_COAP_POST, dunlin_path_object(3303));
    (void)rig_post_request(&r, &ask, &outcome);
    rig_run(&r, 1000);
    assert_int_equal(outcome.code, DN_COAP_CREATED);
    assert_string_equal(r.devices[0].asked_path, "/my/root/3303");
    assert_string_equal(outcome.location, "/3303/7");
}

static void a_created_instance_has_its_place(void **state)
{
    (void)state;
    rig_outcome outcome;
    r.devices[0].reply_code = DN_COAP_CREATED;
    r.devices[0].reply_location = "3303/7";
    dn_device_request ask = ask_for(DN_COAP_POST, dunlin_path_object(3303));
    (void)rig_post_request(&r, &ask, &outcome);
    rig_run(&r, 1000);
    assert_string_equal(outcome.location, "/3303/7");
}

static void nobody_of_that_name(void **state)
{
    (void)state;
    assert_int_equal(rig_read(&r, "b", "/3").status, DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(rig_count(&r).requests_sent, 0);
}

static void silence_ends_in_a_timeout(void **state)
{
    (void)state;
    rig_outcome outcome;
    dn_device_request ask = ask_for(DN_COAP_GET, dunlin_path_object(3));
    ask.timeout_ms = 5000;
    r.devices[0].gone = true;
    uint64_t before = dn_simlink_now(r.link);
    (void)rig_post_request(&r, &ask, &outcome);
    rig_run(&r, 4900);
    assert_false(outcome.done);
    rig_run(&r, 200);
    assert_true(outcome.done);
    assert_int_equal(outcome.status, DUNLIN_ERR_TIMEOUT);
    ask.timeout_ms = 0; /* as CoAP gives: four retransmissions */
    (void)rig_post_request(&r, &ask, &outcome);
    rig_run(&r, 100000);
    assert_true(outcome.done);
    assert_int_equal(outcome.status, DUNLIN_ERR_TIMEOUT);
    assert_true(dn_simlink_now(r.link) > before + 60000);
    assert_int_equal(rig_count(&r).requests_timeout, 2);
}

static void one_at_a_time_in_order(void **state)
{
    (void)state;
    rig_outcome outcomes[20];
    for (uint16_t i = 0; i < 20; i++) {
        dn_device_request ask = ask_for(DN_COAP_GET, dunlin_path_instance(3303, i));
        (void)rig_post_request(&r, &ask, &outcomes[i]);
    }
    for (unsigned i = 0; i < 20; i++) {
        assert_false(outcomes[i].done);
    }
    rig_run(&r, 1000);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(outcomes[i].code, DN_COAP_CONTENT);
    }
    assert_string_equal(r.devices[0].asked_path, "/3303/19");
}

static void cancelled_by_number(void **state)
{
    (void)state;
    rig_outcome first, second;
    dn_device_request ask = ask_for(DN_COAP_GET, dunlin_path_object(3));
    r.devices[0].gone = true;
    uint64_t number = rig_post_request(&r, &ask, &first);
    (void)rig_post_request(&r, &ask, &second);
    rig_post_cancel(&r, number);
    assert_true(first.done);
    assert_int_equal(first.status, DUNLIN_ERR_CANCELLED);
    assert_false(second.done);
    rig_post_cancel(&r, number);       /* no longer there */
    rig_post_cancel(&r, number + 999); /* never was */
    r.devices[0].gone = false;
    rig_run(&r, 20000);
    assert_int_equal(second.status, DUNLIN_OK);
}

static void the_end_of_a_registration_ends_them(void **state)
{
    (void)state;
    rig_outcome outcomes[3];
    dn_device_request ask = ask_for(DN_COAP_GET, dunlin_path_object(3));
    r.devices[0].gone = true;
    for (unsigned i = 0; i < 3; i++) {
        (void)rig_post_request(&r, &ask, &outcomes[i]);
    }
    rig_register(&r, &r.devices[1], "a", 60);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(outcomes[i].done);
        assert_int_equal(outcomes[i].status, DUNLIN_ERR_CANCELLED);
    }
    r.devices[1].gone = true;
    (void)rig_post_request(&r, &ask, &outcomes[0]);
    rig_run(&r, 61500);
    assert_int_equal(outcomes[0].status, DUNLIN_ERR_CANCELLED);
}

static void as_many_as_the_limit(void **state)
{
    (void)state;
    static rig_outcome outcomes[65];
    dn_device_request ask = ask_for(DN_COAP_GET, dunlin_path_object(3));
    r.devices[0].gone = true;
    for (unsigned i = 0; i < 65; i++) {
        (void)rig_post_request(&r, &ask, &outcomes[i]);
        assert_int_equal(outcomes[i].done, i == 64);
    }
    assert_int_equal(outcomes[64].status, DUNLIN_ERR_LIMIT);
}

static void what_cannot_be_written_is_refused(void **state)
{
    (void)state;
    static char query[400];
    rig_outcome outcome;
    memset(query, 'q', 300);
    dn_device_request ask = ask_for(DN_COAP_PUT, dunlin_path_object(3));
    ask.query = dunlin_slice_of(query);
    (void)rig_post_request(&r, &ask, &outcome);
    assert_true(outcome.done);
    assert_int_equal(outcome.status, DUNLIN_ERR_SPACE);
    for (size_t i = 0; i < 60; i++) {
        query[i] = i % 2 == 0 ? 'q' : '&';
    }
    query[60] = '\0';
    ask.query = dunlin_slice_of(query);
    (void)rig_post_request(&r, &ask, &outcome);
    assert_int_equal(outcome.status, DUNLIN_ERR_SPACE);
    assert_int_equal(rig_read(&r, "a", "/3").status, DUNLIN_OK);
}

static void loss_is_made_good(void **state)
{
    (void)state;
    const dn_simlink_rules rules = {.loss_permille = 300, .duplicate_permille = 100, .delay_max_ms = 50};
    dn_simlink_rule(r.link, &rules);
    r.devices[0].value = "21.5";
    unsigned answered = 0;
    for (unsigned i = 0; i < 40; i++) {
        rig_outcome outcome = rig_read(&r, "a", "/3303/0/5700");
        assert_true(outcome.status == DUNLIN_OK || outcome.status == DUNLIN_ERR_TIMEOUT);
        answered += outcome.status == DUNLIN_OK;
    }
    assert_true(answered >= 36);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_read_is_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(everything_of_a_request_arrives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_error_is_an_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_bodies_go_both_ways, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_alternate_path_goes_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_created_instance_has_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_of_that_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(silence_ends_in_a_timeout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_at_a_time_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cancelled_by_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_of_a_registration_ends_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(as_many_as_the_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(loss_is_made_good, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
