/* SPDX-License-Identifier: Apache-2.0 */
/* Lifetimes in virtual time; what a sudden end leaves; pages of clients; a store that fails. */
#include "tests/server/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static rig r;

static int set_up(void **state)
{
    (void)state;
    rig_start(&r, 5, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_end(&r);
    return 0;
}

static bool is_there(const char *name)
{
    return rig_get(&r, name).found;
}

static void a_lifetime_ends_in_its_second(void **state)
{
    (void)state;
    rig_register(&r, &r.devices[0], "a", 60);
    rig_skip_events(&r);
    int64_t expires_ms = rig_get(&r, "a").expires_ms;
    rig_run(&r, 59900);
    assert_true(is_there("a"));
    rig_run(&r, 1200);
    assert_false(is_there("a"));
    dn_event event = rig_expect(&r, DN_EVENT_EXPIRED, "a");
    assert_true(event.at_ms >= expires_ms && event.at_ms <= expires_ms + 1000);
    rig_expect_no_event(&r);
    dn_fleet_counters counters = rig_count(&r);
    assert_int_equal(counters.expiries, 1);
    assert_int_equal(counters.registrations, 0);
    assert_int_equal(counters.link_lists, 0);
    rig_ask(&r, &r.devices[0], DN_COAP_POST, r.devices[0].location, NULL, DN_COAP_NO_FORMAT, NULL);
    assert_int_equal(r.devices[0].code, DN_COAP_NOT_FOUND);
}

static void updates_prolong_it(void **state)
{
    (void)state;
    rig_register(&r, &r.devices[0], "a", 60);
    for (unsigned i = 0; i < 100; i++) {
        rig_run(&r, 50000);
        rig_ask(&r, &r.devices[0], DN_COAP_POST, r.devices[0].location, NULL, DN_COAP_NO_FORMAT, NULL);
        assert_int_equal(r.devices[0].code, DN_COAP_CHANGED);
    }
    rig_run(&r, 59000);
    assert_true(is_there("a"));
    rig_run(&r, 2000);
    assert_false(is_there("a"));
}

static void a_shorter_one_counts_at_once(void **state)
{
    (void)state;
    rig_register(&r, &r.devices[0], "a", 86400);
    rig_ask(&r, &r.devices[0], DN_COAP_POST, r.devices[0].location, "lt=10", DN_COAP_NO_FORMAT, NULL);
    rig_run(&r, 9000);
    assert_true(is_there("a"));
    rig_run(&r, 2100);
    assert_false(is_there("a"));
}

static void days_and_for_ever(void **state)
{
    (void)state;
    rig_register(&r, &r.devices[0], "three days", 3 * 86400);
    rig_register(&r, &r.devices[1], "for ever", 0);
    rig_register(&r, &r.devices[2], "longest", UINT32_MAX);
    rig_run(&r, 3 * UINT64_C(86400000) - 5000);
    assert_true(is_there("three days"));
    rig_run(&r, 10000);
    assert_false(is_there("three days"));
    rig_run(&r, 400 * UINT64_C(86400000));
    assert_true(is_there("for ever") && is_there("longest"));
    rig_ask(&r, &r.devices[1], DN_COAP_POST, r.devices[1].location, "lt=5", DN_COAP_NO_FORMAT, NULL);
    rig_run(&r, 7000);
    assert_false(is_there("for ever"));
}

static void what_was_answered_survives(void **state)
{
    (void)state;
    rig_ask(&r, &r.devices[0], DN_COAP_POST, "rd", "ep=a&lt=60&lwm2m=1.0&b=UQ&sms=123", 40,
            "</root>;rt=\"oma.lwm2m\",</root/3/0>");
    rig_register(&r, &r.devices[1], "b", 0);
    rig_register(&r, &r.devices[2], "gone", 60);
    rig_ask(&r, &r.devices[2], DN_COAP_DELETE, r.devices[2].location, NULL, DN_COAP_NO_FORMAT, NULL);
    rig_client a = rig_get(&r, "a"), b = rig_get(&r, "b");
    rig_crash(&r, 10000);
    rig_client a_now = rig_get(&r, "a"), b_now = rig_get(&r, "b");
    assert_memory_equal(&a, &a_now, sizeof a);
    assert_memory_equal(&b, &b_now, sizeof b);
    assert_false(is_there("gone"));
    assert_int_equal(rig_count(&r).registrations, 2);
    assert_int_equal(rig_count(&r).link_lists, 2);
    /* The alternate path is known again, and so is the address. */
    (void)rig_read(&r, "a", "/3/0/1");
    assert_string_equal(r.devices[0].asked_path, "/root/3/0/1");
    /* The locations still hold, and slots are given out without collisions. */
    rig_ask(&r, &r.devices[0], DN_COAP_POST, r.devices[0].location, "lt=70", DN_COAP_NO_FORMAT, NULL);
    assert_int_equal(r.devices[0].code, DN_COAP_CHANGED);
    rig_register(&r, &r.devices[3], "c", 60);
    rig_register(&r, &r.devices[4], "d", 60);
    assert_int_equal(rig_count(&r).registrations, 4);
    rig_crash(&r, 0);
    assert_int_equal(rig_get(&r, "a").lifetime_s, 70);
    assert_int_equal(rig_count(&r).registrations, 4);
}

static void time_goes_on_while_the_server_is_down(void **state)
{
    (void)state;
    rig_register(&r, &r.devices[0], "short", 60);
    rig_register(&r, &r.devices[1], "long", 120);
    rig_run(&r, 20000);
    rig_crash(&r, 50000);
    rig_run(&r, 1100);
    assert_false(is_there("short"));
    (void)rig_expect(&r, DN_EVENT_EXPIRED, "short");
    assert_true(is_there("long"));
    rig_run(&r, 47000);
    assert_true(is_there("long"));
    rig_run(&r, 4000);
    assert_false(is_there("long"));
}

static void a_wall_clock_set_back_prolongs_nothing(void **state)
{
    (void)state;
    rig_register(&r, &r.devices[0], "a", 60);
    rig_crash(&r, -3600000);
    rig_run(&r, 62000);
    assert_false(is_there("a"));
}

static void many_can_end_at_once(void **state)
{
    (void)state;
    /* More than one cycle's share of them, from few addresses. */
    for (unsigned i = 0; i < 1000; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "n%u", i);
        rig_register(&r, &r.devices[i % RIG_DEVICES], name, 600);
    }
    assert_int_equal(rig_count(&r).registrations, 1000);
    assert_int_equal(rig_count(&r).link_lists, 1);
    rig_run(&r, 620000);
    assert_int_equal(rig_count(&r).registrations, 0);
    assert_int_equal(rig_count(&r).expiries, 1000);
}

static void pages_go_through_all(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 250; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%s-%03u", i % 5 == 0 ? "Meter" : "lamp", i);
        rig_register(&r, &r.devices[i % RIG_DEVICES], name, 600);
    }
    bool seen[250] = {false};
    unsigned count = 0, pages = 0;
    uint64_t after = 0;
    do {
        const rig_page *page = rig_list(&r, after, 100, "");
        assert_int_equal(page->total, 250);
        for (size_t i = 0; i < page->count; i++) {
            unsigned number = (unsigned)atoi(strchr(page->names[i], '-') + 1);
            assert_false(seen[number]);
            seen[number] = true;
            count++;
        }
        after = page->next;
        pages++;
    } while (after != 0);
    assert_int_equal(count, 250);
    assert_int_equal(pages, 3);
    const rig_page *page = rig_list(&r, 0, 1000, "meTER-1");
    assert_int_equal(page->count, 20);
    assert_int_equal(page->next, 0);
    assert_int_equal(page->total, 250);
    assert_int_equal(rig_list(&r, 0, 1000, "nobody")->count, 0);
    assert_int_equal(rig_list(&r, 999999, 10, "")->count, 0);
}

/* A store that takes writes and refuses to commit them. */
static dunlin_status (*true_commit)(dn_store *store);
static bool refuse;
static dunlin_status commit(dn_store *store)
{
    return refuse ? DUNLIN_ERR_STORE : true_commit(store);
}

static void what_cannot_be_kept_is_not_answered(void **state)
{
    (void)state;
    rig_register(&r, &r.devices[0], "kept", 60);
    rig_skip_events(&r);
    static dn_store_ops ops;
    const dn_store_ops *real = r.store->ops;
    ops = *real;
    true_commit = real->commit;
    ops.commit = commit;
    r.store->ops = &ops;
    refuse = true;
    rig_ask(&r, &r.devices[1], DN_COAP_POST, "rd", "ep=lost&lt=60&lwm2m=1.1", 40, "</3/0>");
    assert_true(r.failed);
    assert_int_equal(r.devices[1].status, DUNLIN_ERR_TIMEOUT);
    rig_expect_no_event(&r);
    refuse = false;
    r.store->ops = real;
    rig_crash(&r, 0);
    assert_true(is_there("kept"));
    assert_false(is_there("lost"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lifetime_ends_in_its_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(updates_prolong_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_shorter_one_counts_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(days_and_for_ever, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_answered_survives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(time_goes_on_while_the_server_is_down, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wall_clock_set_back_prolongs_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_can_end_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pages_go_through_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_kept_is_not_answered, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
