/* SPDX-License-Identifier: Apache-2.0 */
/* The timer wheel: order, exactness, cancelling, and a random run against a plain list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "base/random.h"

#define DAY_MS  UINT64_C(86400000)
#define YEAR_MS (365 * DAY_MS)

typedef struct {
    int number;
    dn_deadline deadline;
} timer;

static void expires_in_order_of_time(void **state)
{
    (void)state;
    static const uint64_t after_ms[] = {
        500,  0,      1,      63,     64,          65,      4095,          4096,
        4097, 262143, 262144, DAY_MS, 30 * DAY_MS, YEAR_MS, 100 * YEAR_MS, 7,
    };
    enum { COUNT = sizeof after_ms / sizeof after_ms[0] };
    static const uint64_t starts[] = {
        0, 1, 63, 64, 4095, 1000003, UINT64_C(1) << 42, UINT64_MAX - 200 * YEAR_MS};
    for (size_t s = 0; s < sizeof starts / sizeof starts[0]; s++) {
        dn_wheel wheel;
        timer timers[COUNT];
        memset(timers, 0, sizeof timers);
        dn_wheel_init(&wheel, starts[s]);
        for (size_t i = 0; i < COUNT; i++) {
            dn_deadline_set(&wheel, &timers[i].deadline, starts[s] + after_ms[i]);
            assert_true(dn_deadline_is_set(&timers[i].deadline));
        }
        uint64_t last = 0;
        for (size_t i = 0; i < COUNT; i++) {
            const dn_deadline *due = dn_wheel_expire(&wheel, starts[s] + 100 * YEAR_MS);
            assert_non_null(due);
            assert_true(due->at_ms >= last);
            assert_false(dn_deadline_is_set(due));
            last = due->at_ms;
        }
        assert_null(dn_wheel_expire(&wheel, starts[s] + 100 * YEAR_MS));
        assert_true(dn_wheel_next(&wheel) == DN_NEVER);
    }
}

/* Runs the clock from one dn_wheel_next to the next, as a caller does that sleeps in between. */
static void next_leads_to_the_deadline_and_not_past_it(void **state)
{
    (void)state;
    static const uint64_t at_ms[] = {1, 64, 100, 4096, 123456789, DAY_MS, 90 * YEAR_MS};
    for (size_t i = 0; i < sizeof at_ms / sizeof at_ms[0]; i++) {
        dn_wheel wheel;
        timer t = {0};
        dn_wheel_init(&wheel, 0);
        dn_deadline_set(&wheel, &t.deadline, at_ms[i]);
        const dn_deadline *due = NULL;
        uint64_t now = 0;
        int wakes = 0;
        while (due == NULL) {
            uint64_t next = dn_wheel_next(&wheel);
            assert_true(next <= at_ms[i]);
            assert_true(wakes == 0 || next > now);
            now = next;
            due = dn_wheel_expire(&wheel, now);
            assert_true(++wakes <= DN_WHEEL_LEVELS);
        }
        assert_true(now == at_ms[i]);
        assert_ptr_equal(due, &t.deadline);
    }
}

static void cancels_from_anywhere_in_a_slot(void **state)
{
    (void)state;
    dn_wheel wheel;
    timer timers[3];
    for (size_t gone = 0; gone < 3; gone++) {
        memset(timers, 0, sizeof timers);
        dn_wheel_init(&wheel, 0);
        for (size_t i = 0; i < 3; i++) {
            dn_deadline_set(&wheel, &timers[i].deadline, 5000);
        }
        dn_deadline_cancel(&wheel, &timers[gone].deadline);
        dn_deadline_cancel(&wheel, &timers[gone].deadline);
        assert_false(dn_deadline_is_set(&timers[gone].deadline));
        for (int left = 0; left < 2; left++) {
            const dn_deadline *due = dn_wheel_expire(&wheel, 5000);
            assert_non_null(due);
            assert_ptr_not_equal(due, &timers[gone].deadline);
        }
        assert_null(dn_wheel_expire(&wheel, 5000));
    }
    dn_deadline_set(&wheel, &timers[0].deadline, 9000);
    dn_deadline_set(&wheel, &timers[0].deadline, DN_NEVER);
    assert_false(dn_deadline_is_set(&timers[0].deadline));
    assert_true(dn_wheel_next(&wheel) == DN_NEVER);
}

static void a_past_time_expires_next(void **state)
{
    (void)state;
    dn_wheel wheel;
    timer t = {0};
    dn_wheel_init(&wheel, 1000);
    assert_null(dn_wheel_expire(&wheel, 2000));
    dn_deadline_set(&wheel, &t.deadline, 3);
    assert_true(dn_wheel_next(&wheel) <= 2000);
    assert_ptr_equal(dn_wheel_expire(&wheel, 1500), &t.deadline);
}

/* 139 years after its start the wheel has no digits left: it stays safe, and whatever is armed is due. */
static void the_end_of_the_wheel_is_safe(void **state)
{
    (void)state;
    dn_wheel wheel;
    timer timers[2];
    memset(timers, 0, sizeof timers);
    dn_wheel_init(&wheel, 77);
    dn_deadline_set(&wheel, &timers[0].deadline, DN_NEVER - 1);
    assert_null(dn_wheel_expire(&wheel, 100 * YEAR_MS));
    assert_ptr_equal(dn_wheel_expire(&wheel, DN_NEVER - 1), &timers[0].deadline);
    dn_deadline_set(&wheel, &timers[1].deadline, DN_NEVER - 1);
    assert_ptr_equal(dn_wheel_expire(&wheel, DN_NEVER - 1), &timers[1].deadline);
    assert_null(dn_wheel_expire(&wheel, DN_NEVER - 1));
}

static void container_finds_the_object(void **state)
{
    (void)state;
    timer t = {.number = 42};
    dn_deadline *deadline = &t.deadline;
    assert_int_equal(DN_CONTAINER(deadline, timer, deadline)->number, 42);
}

enum { TIMERS = 200, STEPS = 20000 };

static uint64_t earliest_of(const uint64_t *at_ms)
{
    uint64_t best = DN_NEVER;
    for (size_t i = 0; i < TIMERS; i++) {
        best = at_ms[i] < best ? at_ms[i] : best;
    }
    return best;
}

static void agrees_with_a_plain_list(void **state)
{
    (void)state;
    dn_seeded seeded;
    dn_seeded_init(&seeded, 2026);
    dn_random random = dn_seeded_random(&seeded);
    static dn_wheel wheel;
    static timer timers[TIMERS];
    static uint64_t at_ms[TIMERS]; /* the plain list */
    uint64_t now = 123456789;
    dn_wheel_init(&wheel, now);
    for (int i = 0; i < TIMERS; i++) {
        timers[i].number = i;
        at_ms[i] = DN_NEVER;
    }
    for (int step = 0; step < STEPS; step++) {
        size_t i = (size_t)dn_random_between(&random, 0, TIMERS - 1);
        uint64_t reach = UINT64_C(1) << dn_random_between(&random, 0, 40);
        at_ms[i] =
            dn_random_between(&random, 0, 3) == 0 ? DN_NEVER : now + dn_random_between(&random, 0, reach);
        dn_deadline_set(&wheel, &timers[i].deadline, at_ms[i]);
        assert_true(dn_wheel_next(&wheel) <= earliest_of(at_ms));
        if (step % 4 == 0) {
            now += dn_random_between(&random, 0, UINT64_C(1) << dn_random_between(&random, 0, 30));
            dn_deadline *due;
            while ((due = dn_wheel_expire(&wheel, now)) != NULL) {
                int number = DN_CONTAINER(due, timer, deadline)->number;
                assert_true(at_ms[number] == earliest_of(at_ms));
                assert_true(at_ms[number] <= now);
                at_ms[number] = DN_NEVER;
            }
            assert_true(earliest_of(at_ms) > now);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expires_in_order_of_time),
        cmocka_unit_test(next_leads_to_the_deadline_and_not_past_it),
        cmocka_unit_test(cancels_from_anywhere_in_a_slot),
        cmocka_unit_test(a_past_time_expires_next),
        cmocka_unit_test(the_end_of_the_wheel_is_safe),
        cmocka_unit_test(container_finds_the_object),
        cmocka_unit_test(agrees_with_a_plain_list),
    };
    return cmocka_run_group_tests_name("deadline", tests, NULL, NULL);
}
