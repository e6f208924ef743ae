/* SPDX-License-Identifier: Apache-2.0 */
/* Observe-Composite over a simulated network: the list on the wire and in the store, values, renewal, ending; and forgetting any
 * observation without asking the device. */
#include "server/composite.h"
#include "tests/server/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define JSON  110
#define CBOR  112
#define PATHS "/3/0/9 /3303 /3303/0/5700"
#define LIST  "[{\"n\":\"/3/0/9\"},{\"n\":\"/3303\"},{\"n\":\"/3303/0/5700\"}]"

static rig r;
static rig_device *const device = &r.devices[0];

static int set_up(void **state)
{
    (void)state;
    rig_start(&r, 41, NULL);
    rig_register(&r, device, "a", 86400);
    rig_skip_events(&r);
    device->reply_format = JSON;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_end(&r);
    return 0;
}

static void expect_notified(const char *paths, const char *value)
{
    dn_event event = rig_expect(&r, DN_EVENT_NOTIFICATION, "a");
    char text[DN_COMPOSITE_TEXT_MAX + 1];
    assert_true(
        dunlin_slice_equal(dn_composite_format(event.paths, event.path_count, text), dunlin_slice_of(paths)));
    assert_int_equal(event.path.depth, 0);
    assert_int_equal(event.code, DN_COAP_CONTENT);
    assert_true(dunlin_slice_equal(event.payload, dunlin_slice_of(value)));
}

static void expect_state(const char *paths, dn_observation_state state, const char *last)
{
    rig_observations all = rig_observations_of(&r, "a");
    assert_int_equal(all.count, 1);
    assert_string_equal(all.list[0].path, paths);
    assert_int_equal(all.list[0].format, JSON);
    assert_int_equal(all.list[0].state, state);
    assert_string_equal(all.list[0].text, last);
}

static void observe(const char *value)
{
    device->value = value;
    rig_outcome outcome = rig_observe_composite(&r, "a", PATHS, JSON);
    assert_int_equal(outcome.status, DUNLIN_OK);
    assert_int_equal(outcome.code, DN_COAP_CONTENT);
    assert_false(outcome.existed);
    assert_string_equal(outcome.text, value);
    expect_notified(PATHS, value);
}

static void expect_asked(unsigned times)
{
    assert_int_equal(device->asked, times);
    assert_int_equal(device->asked_method, DN_COAP_FETCH);
    assert_int_equal(device->asked_format, JSON);
    assert_int_equal(device->asked_accept, JSON);
    assert_string_equal(device->asked_path, "");
    assert_string_equal(device->asked_text, LIST);
}

static void it_is_agreed_to_and_fed(void **state)
{
    (void)state;
    observe("1");
    expect_asked(1);
    assert_int_equal(device->watched_count, 1);
    expect_state(PATHS, DN_OBSERVATION_ACTIVE, "1");
    assert_int_equal(rig_notify(&r, device, LIST, "2", true), DUNLIN_OK);
    expect_notified(PATHS, "2");
    assert_int_equal(rig_notify(&r, device, LIST, "3", false), DUNLIN_OK);
    expect_notified(PATHS, "3");
    expect_state(PATHS, DN_OBSERVATION_ACTIVE, "3");
    rig_outcome again = rig_observe_composite(&r, "a", PATHS, JSON);
    assert_true(again.existed);
    assert_string_equal(again.text, "3");
    assert_int_equal(device->asked, 1);
    rig_expect_no_event(&r);
}

/* The list is the name: a part of it, more than it, or a plain path of it is something else. */
static void each_list_is_one_of_its_own(void **state)
{
    static const char *const others[] = {"/3/0/9 /3303", PATHS " /3304", "/3/0/9", "/"};
    (void)state;
    observe("1");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(rig_observe_composite(&r, "a", others[i], JSON).existed);
    }
    assert_false(rig_observe(&r, "a", "/3/0/9").existed);
    rig_observations all = rig_observations_of(&r, "a");
    assert_int_equal(all.count, 6);
    assert_string_equal(all.list[3].path, "/3/0/9"); /* a list of one */
    assert_string_equal(all.list[4].path, "/");
    assert_int_equal(device->watched_count, 6);
    rig_skip_events(&r);
    assert_int_equal(rig_unobserve_composite(&r, "a", "/3/0/9").status, DUNLIN_OK);
    assert_int_equal(device->asked_method, DN_COAP_FETCH);
    assert_int_equal(rig_observations_of(&r, "a").count, 5);
    assert_int_equal(rig_unobserve_composite(&r, "a", "/3/0/9").status, DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(rig_unobserve(&r, "a", "/3/0/9").status, DUNLIN_OK);
    assert_int_equal(device->asked_method, DN_COAP_GET);
    assert_int_equal(rig_notify(&r, device, LIST, "2", true), DUNLIN_OK);
    expect_notified(PATHS, "2");
}

static void it_ends_with_the_same_list(void **state)
{
    (void)state;
    observe("1");
    device->asked_text[0] = '\0';
    rig_outcome outcome = rig_unobserve_composite(&r, "a", PATHS);
    assert_int_equal(outcome.status, DUNLIN_OK);
    assert_int_equal(outcome.code, DN_COAP_CONTENT);
    expect_asked(2);
    assert_int_equal(device->watched_count, 0);
    assert_int_equal(rig_count(&r).observations, 0);
    rig_crash(&r, 0);
    assert_int_equal(rig_count(&r).observations, 0);
}

static void it_comes_back_with_the_next_register(void **state)
{
    (void)state;
    observe("1");
    dn_coap_token before = device->watched[0].token;
    device->value = "2";
    rig_register(&r, device, "a", 60);
    rig_run(&r, 1000);
    expect_asked(2);
    assert_int_equal(device->watched_count, 1);
    assert_memory_not_equal(device->watched[0].token.bytes, before.bytes, before.len);
    expect_state(PATHS, DN_OBSERVATION_ACTIVE, "2");
    rig_skip_events(&r);
    assert_int_equal(rig_notify(&r, device, LIST, "3", true), DUNLIN_OK);
    expect_notified(PATHS, "3");
}

static void it_survives_a_sudden_end(void **state)
{
    (void)state;
    observe("1");
    rig_crash(&r, 5000);
    expect_state(PATHS, DN_OBSERVATION_ACTIVE, "1");
    assert_int_equal(rig_notify(&r, device, LIST, "2", true), DUNLIN_OK);
    expect_notified(PATHS, "2");
    rig_ask(&r, device, DN_COAP_DELETE, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
    rig_crash(&r, 5000);
    expect_state(PATHS, DN_OBSERVATION_PENDING, "2");
    rig_register(&r, device, "a", 60);
    rig_run(&r, 1000);
    expect_asked(2);
    assert_int_equal(device->watched_count, 1);
}

static void an_error_ends_it_a_refusal_keeps_nothing(void **state)
{
    static const uint8_t codes[] = {DN_COAP_BAD_REQUEST, DN_COAP_UNAUTHORIZED, DN_COAP_NOT_FOUND,
                                    DN_COAP_METHOD_NOT_ALLOWED, DN_COAP_UNSUPPORTED_FORMAT};
    (void)state;
    for (size_t i = 0; i < sizeof codes; i++) {
        device->reply_code = codes[i];
        rig_outcome outcome = rig_observe_composite(&r, "a", PATHS, JSON);
        assert_int_equal(outcome.status, DUNLIN_OK);
        assert_int_equal(outcome.code, codes[i]);
        assert_int_equal(rig_observations_of(&r, "a").count, 0);
    }
    device->reply_code = 0;
    observe("1");
    device->reply_code = DN_COAP_NOT_FOUND;
    assert_int_equal(rig_notify(&r, device, LIST, "", true), DUNLIN_OK);
    rig_observations all = rig_observations_of(&r, "a");
    assert_int_equal(all.list[0].state, DN_OBSERVATION_LOST);
}

/* The first block comes with the notification, the rest by FETCH with the same list. */
static void a_long_value_is_fetched(void **state)
{
    static char body[5001];
    (void)state;
    memset(body, 'z', sizeof body - 1);
    observe("1");
    assert_int_equal(rig_notify(&r, device, LIST, body, true), DUNLIN_OK);
    rig_run(&r, 5000);
    expect_notified(PATHS, body);
    rig_expect_no_event(&r);
    assert_string_equal(device->asked_text, LIST);
    assert_int_equal(rig_notify(&r, device, LIST, "short", false), DUNLIN_OK);
    expect_notified(PATHS, "short");
}

/* Two lists at once, with long answers: none gets the other's blocks. */
static void long_answers_are_kept_apart(void **state)
{
    static const char *const paths[] = {"/3/0/9", "/3/0/7"};
    static const char *const lists[] = {"[{\"n\":\"/3/0/9\"}]", "[{\"n\":\"/3/0/7\"}]"};
    rig_outcome outcomes[2];
    (void)state;
    const dn_simlink_rules slow = {.delay_min_ms = 10, .delay_max_ms = 10};
    dn_simlink_rule(r.link, &slow);
    device->echoes = 300;
    for (size_t i = 0; i < 2; i++) {
        rig_post_observe_composite(&r, "a", paths[i], JSON, &outcomes[i]);
    }
    rig_run(&r, 10000);
    for (size_t i = 0; i < 2; i++) {
        assert_true(outcomes[i].done);
        assert_int_equal(outcomes[i].status, DUNLIN_OK);
        assert_int_equal(strlen(outcomes[i].text), 300 * strlen(lists[i]));
        assert_memory_equal(outcomes[i].text, lists[i], strlen(lists[i]));
        assert_null(strstr(outcomes[i].text, lists[1 - i]));
    }
}

/* As many and as long paths as there may be: the list takes more than one block, in JSON. */
static void the_longest_list_is_served(void **state)
{
    static const uint16_t formats[] = {JSON, CBOR};
    static char body[3000];
    char text[DN_COMPOSITE_TEXT_MAX + 1];
    size_t len = 0;
    (void)state;
    for (unsigned i = 0; i < DN_COMPOSITE_PATHS_MAX; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%s/65534/65534/65534/%u", i > 0 ? " " : "",
                                65534 - DN_COMPOSITE_PATHS_MAX + i);
    }
    memset(body, 'w', sizeof body - 1);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        device->value = "1";
        rig_outcome outcome = rig_observe_composite(&r, "a", text, formats[i]);
        assert_int_equal(outcome.status, DUNLIN_OK);
        assert_int_equal(device->watched_count, 1);
        assert_string_equal(rig_observations_of(&r, "a").list[0].path, text);
        rig_skip_events(&r);
        assert_int_equal(rig_notify(&r, device, device->watched[0].path, body, true), DUNLIN_OK);
        rig_run(&r, 5000);
        expect_notified(text, body);
        rig_crash(&r, 0);
        assert_string_equal(rig_observations_of(&r, "a").list[0].path, text);
        assert_int_equal(rig_unobserve_composite(&r, "a", text).status, DUNLIN_OK);
        assert_int_equal(device->watched_count, 0);
        rig_skip_events(&r);
    }
}

/* The device is not asked; the Reset to its next notification tells it (RFC 7641 section 3.6), CON or NON. */
static void a_forgotten_one_ends_with_a_reset(void **state)
{
    (void)state;
    for (unsigned confirmable = 0; confirmable < 2; confirmable++) {
        observe("1");
        (void)rig_observe(&r, "a", "/3303/0/5700");
        assert_int_equal(device->watched_count, 2);
        unsigned asked = device->asked;
        assert_int_equal(rig_forget(&r, "a", PATHS).status, DUNLIN_OK);
        rig_outcome outcome = rig_forget(&r, "a", "/3303/0/5700");
        assert_int_equal(outcome.status, DUNLIN_OK);
        assert_int_equal(outcome.code, DN_COAP_CONTENT);
        assert_int_equal(rig_forget(&r, "a", PATHS).status, DUNLIN_ERR_NOT_FOUND);
        assert_int_equal(device->asked, asked);
        assert_int_equal(rig_observations_of(&r, "a").count, 0);
        rig_skip_events(&r);
        (void)rig_notify(&r, device, LIST, "2", confirmable != 0);
        (void)rig_notify(&r, device, "/3303/0/5700", "2", confirmable != 0);
        assert_int_equal(device->watched_count, 0);
        rig_expect_no_event(&r);
    }
    rig_crash(&r, 0);
    assert_int_equal(rig_count(&r).observations, 0);
}

static void lists_are_checked(void **state)
{
    static const struct {
        const char *text;
        size_t count; /* 0: refused */
    } lists[] = {
        {"/", 1},
        {"/3/0/9 /3303", 2},
        {"/3 /3/0 /3/0/9 /3/0/11/0", 4},
        {"", 0},
        {"/3303 /3", 0},
        {"/3 /3", 0},
        {"/3  /4", 0},
        {"/3 x", 0},
        {"/3/0/0/0/0", 0},
        {"/0 /1 /2 /3 /4 /5 /6 /7 /8 /9 /10 /11 /12 /13 /14 /15 /16 /17 /18 /19 /20 /21 /22 /23 /24 /25 "
         "/26 /27 /28 /29 /30 /31",
         32},
        {"/0 /1 /2 /3 /4 /5 /6 /7 /8 /9 /10 /11 /12 /13 /14 /15 /16 /17 /18 /19 /20 /21 /22 /23 /24 /25 "
         "/26 /27 /28 /29 /30 /31 /32",
         0}};
    dunlin_path paths[DN_COMPOSITE_PATHS_MAX];
    char text[DN_COMPOSITE_TEXT_MAX + 1];
    uint8_t bytes[DN_COMPOSITE_PAYLOAD_MAX];
    dunlin_slice payload;
    size_t count;
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        bool good = dn_composite_parse(dunlin_slice_of(lists[i].text), paths, &count);
        if (good != (lists[i].count > 0)) {
            print_error("%s\n", lists[i].text);
        }
        assert_int_equal(good, lists[i].count > 0);
        if (good) {
            assert_int_equal(count, lists[i].count);
            assert_true(
                dunlin_slice_equal(dn_composite_format(paths, count, text), dunlin_slice_of(lists[i].text)));
        }
    }
    paths[0] = dunlin_path_object(3);
    assert_int_equal(dn_composite_encode(paths, 1, 11542, dunlin_buf_make(bytes, sizeof bytes), &payload),
                     DUNLIN_ERR_UNSUPPORTED);
    assert_int_equal(dn_composite_encode(paths, 1, CBOR, dunlin_buf_make(bytes, sizeof bytes), &payload),
                     DUNLIN_OK);
    assert_true(dunlin_slice_equal(payload, dunlin_slice_make("\x81\xa1\x00\x62/3", 6)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_agreed_to_and_fed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_list_is_one_of_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_ends_with_the_same_list, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_comes_back_with_the_next_register, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_survives_a_sudden_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_error_ends_it_a_refusal_keeps_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_value_is_fetched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_answers_are_kept_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_longest_list_is_served, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_forgotten_one_ends_with_a_reset, set_up, tear_down),
        cmocka_unit_test(lists_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
