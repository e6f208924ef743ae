/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of events: order, wrapping, what happens when nobody takes them, and two threads at once. */
#include "server/events.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const dunlin_path paths[] = {{{3, 0, 11, 0}, 4}, {{3303}, 1}};

static void put(dn_events *events, int64_t number, size_t body)
{
    static const uint8_t bytes[4096] = {'b'};
    uint8_t name[8];
    memcpy(name, &number, sizeof name);
    dn_event_record record = {.type = DN_EVENT_NOTIFICATION,
                              .at_ms = number,
                              .endpoint = dunlin_slice_make(name, sizeof name),
                              .paths = paths,
                              .path_count = (uint8_t)(number % 3),
                              .body = dunlin_slice_make(bytes, body)};
    (void)dn_events_put(events, &record);
}

static bool is_readable(const dn_events *events)
{
    struct pollfd fd = {.fd = dn_events_fd(events), .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

static void expect(dn_events *events, int64_t number, size_t body)
{
    dn_event_record record;
    assert_true(dn_events_next(events, &record));
    assert_int_equal(record.type, DN_EVENT_NOTIFICATION);
    assert_int_equal(record.at_ms, number);
    assert_int_equal(record.endpoint.len, sizeof number);
    assert_memory_equal(record.endpoint.data, &number, sizeof number);
    assert_int_equal(record.path_count, number % 3);
    for (size_t i = 0; i < record.path_count; i++) {
        assert_true(dunlin_path_equal(record.paths[i], paths[i]));
    }
    assert_int_equal(record.body.len, body);
    assert_true(body == 0 || record.body.data[0] == 'b');
}

static void they_come_in_order_once_published(void **state)
{
    (void)state;
    dn_events *events = dn_events_create(0);
    dn_event_record record;
    assert_non_null(events);
    put(events, 1, 10);
    put(events, 2, 0);
    assert_false(dn_events_next(events, &record));
    assert_false(is_readable(events));
    dn_events_publish(events);
    assert_true(is_readable(events));
    expect(events, 1, 10);
    expect(events, 2, 0);
    assert_false(dn_events_next(events, &record));
    assert_false(is_readable(events));
    dn_events_destroy(events);
}

static void they_wrap_in_one_piece(void **state)
{
    (void)state;
    dn_events *events = dn_events_create(16384);
    int64_t number = 0;
    for (size_t body = 0; body < 1000; body++) {
        for (unsigned i = 0; i < 3; i++) {
            put(events, number + i, (body * 7 + i) % 1500);
        }
        dn_events_publish(events);
        for (unsigned i = 0; i < 3; i++) {
            expect(events, number + i, (body * 7 + i) % 1500);
        }
        number += 3;
    }
    assert_int_equal(dn_events_count(events).dropped, 0);
    dn_events_destroy(events);
}

static void a_gap_stands_where_some_are_missing(void **state)
{
    (void)state;
    dn_events *events = dn_events_create(4096);
    for (int64_t i = 0; i < 1000; i++) {
        put(events, i, 5);
    }
    dn_events_publish(events);
    dn_events_counters counters = dn_events_count(events);
    assert_int_equal(counters.put + counters.dropped, 1000);
    for (int64_t i = 0; i < (int64_t)counters.put; i++) {
        expect(events, i, 5);
    }
    dn_event_record record;
    assert_true(dn_events_next(events, &record));
    assert_int_equal(record.type, DN_EVENT_GAP);
    assert_int_equal(record.at_ms, (int64_t)counters.put);
    assert_false(dn_events_next(events, &record)); /* one for all of them */
    put(events, 5000, 5);
    dn_events_publish(events);
    expect(events, 5000, 5);
    dn_events_destroy(events);
}

static void one_larger_than_the_ring_is_a_gap(void **state)
{
    (void)state;
    dn_events *events = dn_events_create(4096);
    dn_event_record record;
    put(events, 1, 4096);
    put(events, 2, 1);
    dn_events_publish(events);
    assert_true(dn_events_next(events, &record));
    assert_int_equal(record.type, DN_EVENT_GAP);
    expect(events, 2, 1);
    dn_events_destroy(events);
}

enum { MANY = 200000 };

static void *produce(void *context)
{
    dn_events *events = context;
    for (int64_t i = 0; i < MANY; i++) {
        put(events, i, (size_t)i % 100);
        if (i % 7 == 0) {
            dn_events_publish(events);
        }
    }
    dn_event_record last = {.type = DN_EVENT_EXPIRED};
    uint64_t before = dn_events_count(events).put;
    while (dn_events_count(events).put == before) {
        (void)dn_events_put(events, &last);
        dn_events_publish(events);
    }
    return NULL;
}

static void two_threads_lose_nothing_unsaid(void **state)
{
    (void)state;
    dn_events *events = dn_events_create(65536);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, produce, events), 0);
    int64_t expected = 0;
    bool gap = false, ended = false;
    while (!ended) {
        struct pollfd fd = {.fd = dn_events_fd(events), .events = POLLIN};
        assert_int_equal(poll(&fd, 1, 60000), 1);
        dn_event_record record;
        while (dn_events_next(events, &record)) {
            if (record.type == DN_EVENT_NOTIFICATION) {
                assert_true(record.at_ms == expected || (gap && record.at_ms > expected));
                assert_int_equal(record.body.len, (size_t)record.at_ms % 100);
                expected = record.at_ms + 1;
            }
            gap = record.type == DN_EVENT_GAP;
            ended = record.type == DN_EVENT_EXPIRED;
        }
    }
    assert_true(expected == MANY || gap || dn_events_count(events).dropped > 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    dn_events_destroy(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_come_in_order_once_published),
        cmocka_unit_test(they_wrap_in_one_piece),
        cmocka_unit_test(a_gap_stands_where_some_are_missing),
        cmocka_unit_test(one_larger_than_the_ring_is_a_gap),
        cmocka_unit_test(two_threads_lose_nothing_unsaid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
