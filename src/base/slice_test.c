/* SPDX-License-Identifier: Apache-2.0 */
/* Slices, buffers and the words for status codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <dunlin/slice.h>
#include <dunlin/status.h>

static void views_compare_by_content(void **state)
{
    (void)state;
    char copy[] = "abc";
    assert_true(dunlin_slice_equal(dunlin_slice_of("abc"), dunlin_slice_of(copy)));
    assert_false(dunlin_slice_equal(dunlin_slice_of("abc"), dunlin_slice_of("abd")));
    assert_false(dunlin_slice_equal(dunlin_slice_of("abc"), dunlin_slice_of("ab")));
    assert_true(dunlin_slice_equal(dunlin_slice_of(NULL), dunlin_slice_of("")));
}

static void append_is_all_or_nothing(void **state)
{
    (void)state;
    uint8_t memory[4];
    dunlin_buf buf = dunlin_buf_make(memory, sizeof memory);
    assert_true(dunlin_buf_append(&buf, dunlin_slice_of("abc")));
    assert_false(dunlin_buf_append(&buf, dunlin_slice_of("de")));
    assert_int_equal(buf.len, 3);
    assert_true(dunlin_buf_append(&buf, dunlin_slice_make(NULL, 0)));
    assert_true(dunlin_buf_append(&buf, dunlin_slice_of("d")));
    assert_true(dunlin_slice_equal(dunlin_buf_view(&buf), dunlin_slice_of("abcd")));
    dunlin_buf none = dunlin_buf_make(NULL, 0);
    assert_true(dunlin_buf_append(&none, dunlin_slice_make(NULL, 0)));
    assert_false(dunlin_buf_append(&none, dunlin_slice_of("a")));
}

static void every_status_has_its_own_text(void **state)
{
    (void)state;
    const dunlin_status all[] = {
        DUNLIN_OK,
        DUNLIN_END,
        DUNLIN_ERR_MALFORMED,
        DUNLIN_ERR_TRUNCATED,
        DUNLIN_ERR_TYPE,
        DUNLIN_ERR_RANGE,
        DUNLIN_ERR_PATH,
        DUNLIN_ERR_DUPLICATE,
        DUNLIN_ERR_UNSUPPORTED,
        DUNLIN_ERR_SPACE,
        DUNLIN_ERR_LIMIT,
        DUNLIN_ERR_MEMORY,
        DUNLIN_ERR_TIMEOUT,
        DUNLIN_ERR_NOT_FOUND,
        DUNLIN_ERR_STATE,
        DUNLIN_ERR_REJECTED,
        DUNLIN_ERR_CANCELLED,
        DUNLIN_ERR_IO,
        DUNLIN_ERR_STORE,
        DUNLIN_ERR_ARGUMENT,
    };
    const size_t count = sizeof all / sizeof all[0];
    for (size_t i = 0; i < count; i++) {
        assert_string_not_equal(dunlin_status_text(all[i]), "unknown status");
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(dunlin_status_text(all[i]), dunlin_status_text(all[j]));
        }
    }
    assert_string_equal(dunlin_status_text((dunlin_status)-999), "unknown status");
}

static void bad_input_is_a_range_of_codes(void **state)
{
    (void)state;
    assert_true(dunlin_is_bad_input(DUNLIN_ERR_MALFORMED));
    assert_true(dunlin_is_bad_input(DUNLIN_ERR_UNSUPPORTED));
    assert_false(dunlin_is_bad_input(DUNLIN_ERR_SPACE));
    assert_false(dunlin_is_bad_input(DUNLIN_END));
    assert_false(dunlin_is_bad_input(DUNLIN_OK));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_compare_by_content),
        cmocka_unit_test(append_is_all_or_nothing),
        cmocka_unit_test(every_status_has_its_own_text),
        cmocka_unit_test(bad_input_is_a_range_of_codes),
    };
    return cmocka_run_group_tests_name("slice", tests, NULL, NULL);
}
