/* SPDX-License-Identifier: Apache-2.0 */
/* Slots: dense, reused last first, placed where a store says. */
#include "server/slab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

typedef struct {
    uint32_t next;
    uint32_t value;
} record;

static record *at(const dn_slab *slab, uint32_t number)
{
    return dn_slab_at(slab, number);
}

static void takes_densely_and_reuses(void **state)
{
    (void)state;
    dn_slab slab;
    assert_true(dn_slab_init(&slab, sizeof(record), 10000));
    for (uint32_t i = 0; i < 5000; i++) {
        assert_int_equal(dn_slab_take(&slab), i);
        at(&slab, i)->value = i + 1;
    }
    for (uint32_t i = 0; i < 5000; i++) {
        assert_int_equal(at(&slab, i)->value, i + 1); /* growing moved nothing */
    }
    dn_slab_give(&slab, 17);
    dn_slab_give(&slab, 4321);
    assert_int_equal(slab.live, 4998);
    assert_int_equal(dn_slab_take(&slab), 4321);
    assert_int_equal(at(&slab, 4321)->value, 0);
    assert_int_equal(dn_slab_take(&slab), 17);
    assert_int_equal(dn_slab_take(&slab), 5000);
    dn_slab_free(&slab);
}

static void stops_at_its_limit(void **state)
{
    (void)state;
    dn_slab slab;
    assert_true(dn_slab_init(&slab, sizeof(record), 3));
    assert_int_equal(dn_slab_take(&slab), 0);
    assert_int_equal(dn_slab_take(&slab), 1);
    assert_int_equal(dn_slab_take(&slab), 2);
    assert_int_equal(dn_slab_take(&slab), DN_SLAB_NONE);
    dn_slab_give(&slab, 1);
    assert_int_equal(dn_slab_take(&slab), 1);
    assert_int_equal(dn_slab_take(&slab), DN_SLAB_NONE);
    dn_slab_free(&slab);
}

static bool in_use(const void *entry)
{
    return ((const record *)entry)->value != 0;
}

static void placing_leaves_the_gaps_free(void **state)
{
    (void)state;
    static const uint32_t numbers[] = {9001, 3, 5, 20000};
    dn_slab slab;
    assert_true(dn_slab_init(&slab, sizeof(record), 30000));
    for (size_t i = 0; i < 4; i++) {
        assert_true(dn_slab_place(&slab, numbers[i]));
        at(&slab, numbers[i])->value = 1;
    }
    assert_false(dn_slab_place(&slab, 30000));
    dn_slab_placed(&slab, in_use);
    assert_int_equal(slab.live, 4);
    /* All the gaps, each once, before anything beyond them. */
    for (uint32_t i = 0; i < 20001 - 4; i++) {
        uint32_t taken = dn_slab_take(&slab);
        assert_true(taken < 20000 && taken != 3 && taken != 5 && taken != 9001);
        assert_false(in_use(at(&slab, taken)));
        at(&slab, taken)->value = 1;
    }
    assert_int_equal(dn_slab_take(&slab), 20001);
    dn_slab_free(&slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_densely_and_reuses),
        cmocka_unit_test(stops_at_its_limit),
        cmocka_unit_test(placing_leaves_the_gaps_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
