/* SPDX-License-Identifier: Apache-2.0 */
/* Ids that come and go, beside what a plain array says. */
#include "server/ids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define IDS 1000u

static void add(dn_ids *ids, uint64_t id, uint32_t number)
{
    assert_true(dn_ids_reserve(ids));
    dn_ids_add(ids, id, number);
}

static void an_empty_one_has_none(void **state)
{
    dn_ids ids = {.places = NULL};
    (void)state;
    assert_int_equal(dn_ids_find(&ids, 0), DN_IDS_NONE);
    assert_int_equal(dn_ids_find(&ids, 1), DN_IDS_NONE);
    assert_int_equal(dn_ids_after(&ids, 0), 0);
    dn_ids_drop(&ids, 1);
    assert_true(dn_ids_sort(&ids));
    dn_ids_free(&ids);
}

/* Each third id is given out; two of three of those are dropped, so that holes are closed on the way. */
static void what_is_dropped_is_gone_and_the_rest_is_found(void **state)
{
    dn_ids ids = {.places = NULL};
    (void)state;
    for (uint32_t i = 1; i <= IDS; i++) {
        add(&ids, 3u * i, i);
        if (i % 3 != 0) {
            dn_ids_drop(&ids, 3u * i);
            dn_ids_drop(&ids, 3u * i); /* nothing more */
        }
    }
    for (uint32_t i = 1; i <= IDS; i++) {
        assert_int_equal(dn_ids_find(&ids, 3u * i), i % 3 == 0 ? i : DN_IDS_NONE);
        assert_int_equal(dn_ids_find(&ids, 3u * i + 1), DN_IDS_NONE);
    }
    assert_true(ids.count < IDS / 3 * 2 + 200); /* holes were closed */
    size_t live = 0;
    for (size_t at = dn_ids_after(&ids, IDS * 3u / 2); at < ids.count; at++) {
        live += ids.places[at].number != DN_IDS_NONE;
    }
    assert_int_equal(live, 333 - 166); /* of 9, 18, … 2997 those above 1500 */
    dn_ids_free(&ids);
}

static void any_order_can_be_sorted_unless_one_is_there_twice(void **state)
{
    dn_ids ids = {.places = NULL};
    (void)state;
    add(&ids, 7, 0);
    add(&ids, 3, 1);
    add(&ids, UINT64_MAX, 2);
    assert_true(dn_ids_sort(&ids));
    assert_int_equal(dn_ids_find(&ids, 3), 1);
    assert_int_equal(dn_ids_find(&ids, UINT64_MAX), 2);
    assert_int_equal(dn_ids_after(&ids, 3), 1);
    assert_int_equal(dn_ids_after(&ids, UINT64_MAX), 3);
    add(&ids, 7, 3);
    assert_false(dn_ids_sort(&ids));
    dn_ids_free(&ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_has_none),
        cmocka_unit_test(what_is_dropped_is_gone_and_the_rest_is_found),
        cmocka_unit_test(any_order_can_be_sorted_unless_one_is_there_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
