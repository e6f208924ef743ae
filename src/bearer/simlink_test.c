/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated network does what its rules say, and the same again with the same seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bearer/simlink.h"

#define LOG_MAX 4096

typedef struct {
    uint32_t number[LOG_MAX];
    uint64_t at_ms[LOG_MAX];
    size_t count;
    uint64_t deadline_ms;
    size_t expired;
} inbox;

static void on_receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms)
{
    inbox *box = context;
    (void)from;
    assert_true(box->count < LOG_MAX);
    assert_int_equal(datagram.len, sizeof box->number[0]);
    memcpy(&box->number[box->count], datagram.data, datagram.len);
    box->at_ms[box->count++] = now_ms;
}

static uint64_t on_deadline(void *context)
{
    return ((inbox *)context)->deadline_ms;
}

static void on_expire(void *context, uint64_t now_ms)
{
    inbox *box = context;
    assert_true(now_ms >= box->deadline_ms);
    box->expired++;
    box->deadline_ms = box->expired < 3 ? now_ms + 1000 : DN_NEVER;
}

typedef struct {
    dn_simlink *link;
    dn_peer a, b;
    inbox at_a, at_b;
} network;

static void open_network(network *net, uint64_t seed)
{
    memset(net, 0, sizeof *net);
    net->at_a.deadline_ms = net->at_b.deadline_ms = DN_NEVER;
    net->link = dn_simlink_create(seed, 100);
    assert_non_null(net->link);
    dn_simlink_endpoint a = {on_receive, on_deadline, on_expire, &net->at_a};
    dn_simlink_endpoint b = {on_receive, on_deadline, on_expire, &net->at_b};
    assert_int_equal(dn_simlink_attach(net->link, &a, &net->a), DUNLIN_OK);
    assert_int_equal(dn_simlink_attach(net->link, &b, &net->b), DUNLIN_OK);
}

static void send_number(network *net, uint32_t number)
{
    dn_simlink_send(net->link, &net->a, &net->b, dunlin_slice_make(&number, sizeof number));
}

static void send_numbers(network *net, uint32_t count)
{
    for (uint32_t i = 1; i <= count; i++) {
        send_number(net, i);
    }
    assert_false(dn_simlink_run(net->link, 1000000, NULL, NULL));
}

static void a_plain_link_delivers_in_order(void **state)
{
    network net;
    (void)state;
    open_network(&net, 1);
    send_numbers(&net, 1000);
    assert_int_equal(net.at_b.count, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(net.at_b.number[i], i + 1);
        assert_int_equal(net.at_b.at_ms[i], 100);
    }
    assert_int_equal(dn_simlink_now(net.link), 1000000);
    dn_simlink_destroy(net.link);
}

static void rules_hold(void **state)
{
    network net;
    dn_simlink_rules rules = {.loss_permille = 200,
                              .duplicate_permille = 100,
                              .reorder_permille = 100,
                              .delay_min_ms = 10,
                              .delay_max_ms = 10};
    (void)state;
    open_network(&net, 7);
    dn_simlink_rule(net.link, &rules);
    send_numbers(&net, 2000);
    const dn_simlink_counters *count = dn_simlink_count(net.link);
    assert_in_range(count->lost, 300, 500);
    assert_in_range(count->duplicated, 100, 220);
    assert_in_range(count->reordered, 100, 260);
    assert_int_equal(net.at_b.count, 2000 - count->lost + count->duplicated);
    size_t overtaken = 0;
    for (size_t i = 1; i < net.at_b.count; i++) {
        overtaken += net.at_b.number[i] < net.at_b.number[i - 1];
        assert_true(net.at_b.at_ms[i] >= 110);
    }
    assert_true(overtaken > 0);
    network again;
    open_network(&again, 7);
    dn_simlink_rule(again.link, &rules);
    send_numbers(&again, 2000);
    assert_memory_equal(&again.at_b, &net.at_b, sizeof net.at_b);
    dn_simlink_destroy(again.link);
    dn_simlink_destroy(net.link);
}

static void masks_and_directions(void **state)
{
    network net;
    dn_simlink_rules broken = {.loss_permille = 1000};
    (void)state;
    open_network(&net, 3);
    assert_int_equal(dn_simlink_drop(net.link, &net.a, &net.b, 2), DUNLIN_OK);
    assert_int_equal(dn_simlink_drop(net.link, &net.a, &net.b, 4), DUNLIN_OK);
    assert_int_equal(dn_simlink_rule_between(net.link, &net.b, &net.a, &broken), DUNLIN_OK);
    uint32_t back = 9;
    dn_simlink_send(net.link, &net.b, &net.a, dunlin_slice_make(&back, sizeof back));
    send_numbers(&net, 5);
    assert_int_equal(net.at_a.count, 0);
    assert_int_equal(net.at_b.count, 3);
    assert_int_equal(net.at_b.number[0], 1);
    assert_int_equal(net.at_b.number[1], 3);
    assert_int_equal(net.at_b.number[2], 5);
    assert_int_equal(dn_simlink_count(net.link)->masked, 2);
    dn_simlink_destroy(net.link);
}

static void mtu_and_addresses(void **state)
{
    network net;
    dn_simlink_rules narrow = {.mtu = 3};
    (void)state;
    open_network(&net, 3);
    dn_simlink_rule(net.link, &narrow);
    send_numbers(&net, 1);
    assert_int_equal(dn_simlink_count(net.link)->too_long, 1);
    dn_simlink_rules plain = {0};
    dn_simlink_rule(net.link, &plain);
    dn_peer old = net.b;
    assert_int_equal(dn_simlink_rebind(net.link, &net.b), DUNLIN_OK);
    assert_false(dn_peer_equal(&old, &net.b));
    uint32_t number = 1;
    dn_simlink_send(net.link, &net.a, &old, dunlin_slice_make(&number, sizeof number));
    send_numbers(&net, 1);
    assert_int_equal(net.at_b.count, 1);
    dn_simlink_detach(net.link, &net.b);
    send_numbers(&net, 1);
    assert_int_equal(net.at_b.count, 1);
    dn_peer foreign = {.len = 3};
    dn_simlink_send(net.link, &net.a, &foreign, dunlin_slice_make(&number, sizeof number));
    assert_int_equal(dn_simlink_count(net.link)->no_endpoint, 3);
    assert_int_equal(dn_simlink_rebind(net.link, &foreign), DUNLIN_ERR_NOT_FOUND);
    dn_simlink_destroy(net.link);
}

static void deadlines_are_kept(void **state)
{
    network net;
    dn_simlink_rules slow = {.delay_min_ms = 1500, .delay_max_ms = 1500};
    (void)state;
    open_network(&net, 3);
    dn_simlink_rule(net.link, &slow);
    net.at_a.deadline_ms = 1000;
    send_number(&net, 1);
    assert_int_equal(dn_simlink_next(net.link), 1000);
    assert_true(dn_simlink_step(net.link, DN_NEVER));
    assert_int_equal(net.at_a.expired, 1);
    assert_int_equal(dn_simlink_next(net.link), 1600);
    assert_true(dn_simlink_step(net.link, DN_NEVER));
    assert_int_equal(net.at_b.count, 1);
    assert_false(dn_simlink_step(net.link, 1700));
    assert_int_equal(dn_simlink_now(net.link), 1700);
    assert_false(dn_simlink_run(net.link, DN_NEVER, NULL, NULL));
    assert_int_equal(net.at_a.expired, 3);
    assert_int_equal(dn_simlink_now(net.link), 3000);
    dn_simlink_destroy(net.link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_link_delivers_in_order),
        cmocka_unit_test(rules_hold),
        cmocka_unit_test(masks_and_directions),
        cmocka_unit_test(mtu_and_addresses),
        cmocka_unit_test(deadlines_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
