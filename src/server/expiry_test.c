/* SPDX-License-Identifier: Apache-2.0 */
/* The wheel of lifetimes against a plain list of due times. */
#include "server/expiry.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define RECORDS 3000u
#define PLENTY  1000000u

typedef struct {
    dn_slab slab;
    dn_expiry expiry;
} fixture;

static fixture make(uint32_t now_s)
{
    fixture f;
    assert_true(dn_slab_init(&f.slab, sizeof(dn_expiry_link), RECORDS));
    assert_true(dn_expiry_init(&f.expiry, &f.slab, now_s));
    return f;
}

static void unmake(fixture *f)
{
    dn_expiry_free(&f->expiry);
    dn_slab_free(&f->slab);
}

/* The wheel points into the slab, which must not move: set it once the fixture has its place. */
static void settle(fixture *f)
{
    f->expiry.slab = &f->slab;
    for (uint32_t i = 0; i < RECORDS; i++) {
        assert_int_equal(dn_slab_take(&f->slab), i);
    }
}

static uint32_t take(fixture *f, uint32_t now_s)
{
    uint32_t budget = PLENTY;
    return dn_expiry_take(&f->expiry, now_s, &budget);
}

static void none_is_early_late_or_forgotten(void **state)
{
    (void)state;
    dn_seeded seeded;
    dn_seeded_init(&seeded, 11);
    dn_random random = dn_seeded_random(&seeded);
    uint32_t now = 5000;
    fixture f = make(now);
    settle(&f);
    uint32_t *due = malloc(RECORDS * sizeof *due);
    assert_non_null(due);
    for (uint32_t i = 0; i < RECORDS; i++) {
        due[i] = DN_EXPIRY_NEVER;
    }
    /* Waits of seconds up to four days: well beyond one round of the wheel. */
    for (unsigned step = 0; step < 3000; step++) {
        for (unsigned i = 0; i < 20; i++) {
            uint32_t number = dn_random_u32(&random) % RECORDS;
            uint32_t kind = dn_random_u32(&random) % 8;
            due[number] = kind == 0 ? DN_EXPIRY_NEVER
                                    : now + (uint32_t)dn_random_between(&random, 0, 1u << (kind * 2 + 4));
            dn_expiry_set(&f.expiry, number, due[number]);
        }
        uint32_t next = DN_EXPIRY_NEVER;
        for (uint32_t i = 0; i < RECORDS; i++) {
            next = due[i] < next ? due[i] : next;
        }
        assert_true(dn_expiry_next(&f.expiry) <= next);
        now += (uint32_t)dn_random_between(&random, 0, step % 10 == 0 ? 100000 : 500);
        for (uint32_t number = take(&f, now); number != DN_SLAB_NONE; number = take(&f, now)) {
            assert_true(due[number] <= now);
            due[number] = DN_EXPIRY_NEVER;
        }
        for (uint32_t i = 0; i < RECORDS; i++) {
            assert_true(due[i] == DN_EXPIRY_NEVER || due[i] > now);
        }
    }
    free(due);
    unmake(&f);
}

static void a_refresh_only_writes_the_second(void **state)
{
    (void)state;
    fixture f = make(100);
    settle(&f);
    dn_expiry_set(&f.expiry, 1, 160);
    dn_expiry_set(&f.expiry, 1, 220); /* stays in the bucket of 160 */
    assert_int_equal(dn_expiry_next(&f.expiry), 160);
    assert_int_equal(take(&f, 160), DN_SLAB_NONE);
    assert_int_equal(dn_expiry_next(&f.expiry), 220);
    dn_expiry_set(&f.expiry, 1, 170); /* earlier than before: moves at once */
    assert_int_equal(dn_expiry_next(&f.expiry), 170);
    assert_int_equal(take(&f, 169), DN_SLAB_NONE);
    assert_int_equal(take(&f, 170), 1);
    assert_int_equal(dn_expiry_next(&f.expiry), DN_EXPIRY_NEVER);
    unmake(&f);
}

static void work_is_bounded_by_the_budget(void **state)
{
    (void)state;
    fixture f = make(100);
    settle(&f);
    for (uint32_t i = 0; i < RECORDS; i++) {
        dn_expiry_set(&f.expiry, i, 200);
    }
    uint32_t budget = 10, count = 0;
    while (dn_expiry_take(&f.expiry, 300, &budget) != DN_SLAB_NONE) {
        count++;
    }
    assert_int_equal(count, 10);
    assert_int_equal(dn_expiry_next(&f.expiry), 200); /* there is more */
    while (take(&f, 300) != DN_SLAB_NONE) {
        count++;
    }
    assert_int_equal(count, RECORDS);
    unmake(&f);
}

static void what_is_past_is_due_at_once(void **state)
{
    (void)state;
    fixture f = make(100);
    settle(&f);
    assert_int_equal(take(&f, 5000), DN_SLAB_NONE);
    dn_expiry_set(&f.expiry, 7, 50);
    dn_expiry_set(&f.expiry, 8, 5000);
    assert_int_equal(dn_expiry_next(&f.expiry), 5000);
    assert_int_equal(take(&f, 5000), 8);
    assert_int_equal(take(&f, 5000), 7);
    assert_int_equal(take(&f, 5000), DN_SLAB_NONE);
    unmake(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_early_late_or_forgotten),
        cmocka_unit_test(a_refresh_only_writes_the_second),
        cmocka_unit_test(work_is_bounded_by_the_budget),
        cmocka_unit_test(what_is_past_is_due_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
