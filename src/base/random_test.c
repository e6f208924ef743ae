/* SPDX-License-Identifier: Apache-2.0 */
/* Draws: range, evenness, and the seeded generator's repeatability. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

static void same_seed_same_run(void **state)
{
    (void)state;
    dn_seeded a;
    dn_seeded b;
    dn_seeded_init(&a, 7);
    dn_seeded_init(&b, 7);
    dn_random from_a = dn_seeded_random(&a);
    dn_random from_b = dn_seeded_random(&b);
    uint8_t bytes_a[37];
    uint8_t bytes_b[37];
    from_a.fill(from_a.context, bytes_a, sizeof bytes_a);
    from_b.fill(from_b.context, bytes_b, sizeof bytes_b);
    assert_memory_equal(bytes_a, bytes_b, sizeof bytes_a);
    dn_seeded_init(&b, 8);
    assert_true(dn_random_u32(&from_a) != dn_random_u32(&from_b));
}

static void between_stays_inside_and_reaches_all(void **state)
{
    (void)state;
    dn_seeded seeded;
    dn_seeded_init(&seeded, 1);
    dn_random random = dn_seeded_random(&seeded);
    int seen[6] = {0};
    for (int i = 0; i < 6000; i++) {
        uint64_t value = dn_random_between(&random, 10, 15);
        assert_in_range(value, 10, 15);
        seen[value - 10]++;
    }
    for (int i = 0; i < 6; i++) {
        assert_in_range(seen[i], 850, 1150);
    }
    assert_true(dn_random_between(&random, 5, 5) == 5);
    assert_true(dn_random_between(&random, 0, UINT64_MAX) != dn_random_between(&random, 0, UINT64_MAX));
}

/* Gives 0, then 2^64 - 1: the first would be the biased remainder of a span of 3 and is drawn again. */
static void fill_counting(void *context, void *out, size_t len)
{
    int *calls = context;
    memset(out, (*calls)++ == 0 ? 0x00 : 0xff, len);
}

static void a_biased_draw_is_repeated(void **state)
{
    (void)state;
    int calls = 0;
    dn_random random = {fill_counting, &calls};
    assert_true(dn_random_between(&random, 0, 2) == UINT64_MAX % 3);
    assert_int_equal(calls, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_run),
        cmocka_unit_test(between_stays_inside_and_reaches_all),
        cmocka_unit_test(a_biased_draw_is_repeated),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
