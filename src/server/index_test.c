/* SPDX-License-Identifier: Apache-2.0 */
/* The hash index against a plain model, through growth, deletion and the moves in between. */
#include "server/index.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define NUMBERS 20000u

static bool holds(const dn_index *index, uint32_t hash, uint32_t wanted)
{
    uint32_t number;
    dn_index_walk walk = dn_index_find(index, hash);
    while (dn_index_next(&walk, &number)) {
        if (number == wanted) {
            return true;
        }
    }
    return false;
}

/* Hashes of few bits make long probes and many equal ones. */
static uint32_t crowded(uint32_t number)
{
    return number * 2654435761u & 0xfffff8u;
}

static void finds_what_was_put_and_not_removed(void **state)
{
    (void)state;
    dn_seeded seeded;
    dn_index index;
    bool *model = calloc(NUMBERS, sizeof *model);
    assert_non_null(model);
    dn_seeded_init(&seeded, 7);
    dn_random random = dn_seeded_random(&seeded);
    assert_true(dn_index_init(&index, 0));
    size_t count = 0;
    for (unsigned step = 0; step < 200000; step++) {
        uint32_t number = dn_random_u32(&random) % NUMBERS;
        /* Growing at first, then as many removals as additions. */
        bool put = step < 60000 ? dn_random_u32(&random) % 4 != 0 : dn_random_u32(&random) % 2 != 0;
        if (put && !model[number]) {
            assert_true(dn_index_put(&index, crowded(number), number));
            model[number] = true;
            count++;
        } else if (!put) {
            assert_int_equal(dn_index_remove(&index, crowded(number), number), model[number]);
            count -= model[number];
            model[number] = false;
        }
        assert_int_equal(index.count, count);
        uint32_t looked_at = dn_random_u32(&random) % NUMBERS;
        assert_int_equal(holds(&index, crowded(looked_at), looked_at), model[looked_at]);
    }
    for (uint32_t number = 0; number < NUMBERS; number++) {
        assert_int_equal(holds(&index, crowded(number), number), model[number]);
    }
    dn_index_free(&index);
    free(model);
}

static void growth_is_spread_over_changes(void **state)
{
    (void)state;
    dn_index index;
    size_t growths = 0;
    assert_true(dn_index_init(&index, 0));
    for (uint32_t number = 0; number < 100000; number++) {
        const dn_index_entry *table = index.table;
        size_t moved = index.old_at;
        bool was_moving = index.old != NULL;
        assert_true(dn_index_put(&index, number * 2654435761u, number));
        if (index.table != table) {
            growths++;
            assert_false(was_moving); /* the one before was over in time */
        } else if (index.old != NULL) {
            assert_true(index.old_at - moved <= 16);
        }
        assert_true(holds(&index, number / 2 * 2654435761u, number / 2));
    }
    assert_true(growths > 8);
    dn_index_free(&index);
}

static void equal_hashes_are_all_walked(void **state)
{
    (void)state;
    dn_index index;
    assert_true(dn_index_init(&index, 0));
    for (uint32_t number = 0; number < 100; number++) {
        assert_true(dn_index_put(&index, 42, number));
    }
    bool seen[100] = {false};
    uint32_t number, count = 0;
    dn_index_walk walk = dn_index_find(&index, 42);
    while (dn_index_next(&walk, &number)) {
        assert_true(number < 100 && !seen[number]);
        seen[number] = true;
        count++;
    }
    assert_int_equal(count, 100);
    assert_false(dn_index_remove(&index, 43, 5));
    assert_true(dn_index_remove(&index, 42, 5));
    assert_false(dn_index_remove(&index, 42, 5));
    assert_false(holds(&index, 42, 5));
    dn_index_free(&index);
}

static void room_that_was_asked_for_needs_no_growth(void **state)
{
    (void)state;
    dn_index index;
    assert_true(dn_index_init(&index, 5000));
    const dn_index_entry *table = index.table;
    for (uint32_t number = 0; number < 5000; number++) {
        assert_true(dn_index_put(&index, number * 2654435761u, number));
    }
    assert_ptr_equal(index.table, table);
    dn_index_free(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put_and_not_removed),
        cmocka_unit_test(growth_is_spread_over_changes),
        cmocka_unit_test(equal_hashes_are_all_walked),
        cmocka_unit_test(room_that_was_asked_for_needs_no_growth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
