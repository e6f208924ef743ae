/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and values: reading, writing, order, comparison. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <dunlin/value.h>

static void reads_and_writes_paths(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *canonical;
        uint8_t depth;
        uint16_t id[4];
    } cases[] = {
        {"/", "/", 0, {0}},
        {"/3", "/3", 1, {3}},
        {"3", "/3", 1, {3}},
        {"/3/0", "/3/0", 2, {3, 0}},
        {"3303/0/5700", "/3303/0/5700", 3, {3303, 0, 5700}},
        {"/65534/65534/65534/65534", "/65534/65534/65534/65534", 4, {65534, 65534, 65534, 65534}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dunlin_path path;
        char text[DUNLIN_PATH_TEXT_MAX + 1];
        assert_int_equal(dunlin_path_parse(dunlin_slice_of(cases[i].text), &path), DUNLIN_OK);
        assert_int_equal(path.depth, cases[i].depth);
        assert_memory_equal(path.id, cases[i].id, path.depth * sizeof path.id[0]);
        assert_int_equal(dunlin_path_format(path, text), strlen(cases[i].canonical));
        assert_string_equal(text, cases[i].canonical);
    }
}

static void refuses_what_is_no_path(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        dunlin_status status;
    } cases[] = {
        {"", DUNLIN_ERR_MALFORMED},           {"//", DUNLIN_ERR_MALFORMED},
        {"/3/", DUNLIN_ERR_MALFORMED},        {"/3//0", DUNLIN_ERR_MALFORMED},
        {"//3", DUNLIN_ERR_MALFORMED},        {"/a", DUNLIN_ERR_MALFORMED},
        {"/3/-1", DUNLIN_ERR_MALFORMED},      {"/+3", DUNLIN_ERR_MALFORMED},
        {"/03", DUNLIN_ERR_MALFORMED},        {"/3 ", DUNLIN_ERR_MALFORMED},
        {"/1/2/3/4/5", DUNLIN_ERR_MALFORMED}, {"/1/2/3/4/", DUNLIN_ERR_MALFORMED},
        {"/65535", DUNLIN_ERR_RANGE},         {"/3/99999999999999999999/1", DUNLIN_ERR_RANGE},
        {"/65536", DUNLIN_ERR_RANGE},         {"/65535/x", DUNLIN_ERR_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dunlin_path path = dunlin_path_object(9);
        assert_int_equal(dunlin_path_parse(dunlin_slice_of(cases[i].text), &path), cases[i].status);
        assert_true(dunlin_path_equal(path, dunlin_path_object(9)));
    }
}

static void orders_as_a_tree_walk_does(void **state)
{
    (void)state;
    static const char *const in_order[] = {"/",        "/1",       "/1/0", "/1/0/7", "/1/0/8",
                                           "/1/0/8/0", "/1/0/8/1", "/1/1", "/3",     "/10/0"};
    enum { COUNT = sizeof in_order / sizeof in_order[0] };
    dunlin_path path[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(dunlin_path_parse(dunlin_slice_of(in_order[i]), &path[i]), DUNLIN_OK);
    }
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < COUNT; j++) {
            int order = dunlin_path_compare(path[i], path[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
            assert_int_equal(dunlin_path_equal(path[i], path[j]), i == j);
        }
    }
}

static void within_means_at_or_below(void **state)
{
    (void)state;
    dunlin_path resource = dunlin_path_resource(3, 0, 1);
    assert_true(dunlin_path_within(resource, dunlin_path_root()));
    assert_true(dunlin_path_within(resource, dunlin_path_instance(3, 0)));
    assert_true(dunlin_path_within(resource, resource));
    assert_false(dunlin_path_within(resource, dunlin_path_instance(3, 1)));
    assert_false(dunlin_path_within(dunlin_path_object(3), resource));
    dunlin_path deep = dunlin_path_child(dunlin_path_child(resource, 5), 6);
    assert_true(dunlin_path_equal(deep, dunlin_path_resource_instance(3, 0, 1, 5)));
}

static void values_compare_by_type_and_content(void **state)
{
    (void)state;
    dunlin_value one = dunlin_integer(1);
    dunlin_value time = dunlin_time(1);
    dunlin_value nan_a = dunlin_float((double)NAN);
    dunlin_value nan_b = dunlin_float((double)NAN);
    dunlin_value text = dunlin_string(dunlin_slice_of("x"));
    dunlin_value bytes = dunlin_opaque(dunlin_slice_of("x"));
    dunlin_value link = dunlin_link(3, 0);
    dunlin_value other = dunlin_link(3, 1);
    assert_true(dunlin_value_equal(&one, &one));
    assert_false(dunlin_value_equal(&one, &time));
    assert_true(dunlin_value_equal(&nan_a, &nan_b));
    assert_true(dunlin_value_equal(&text, &text));
    assert_false(dunlin_value_equal(&text, &bytes));
    assert_false(dunlin_value_equal(&link, &other));
    assert_string_equal(dunlin_type_name(DUNLIN_TYPE_CORELNK), "corelnk");
    assert_string_equal(dunlin_type_name((dunlin_type)99), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_paths),
        cmocka_unit_test(refuses_what_is_no_path),
        cmocka_unit_test(orders_as_a_tree_walk_does),
        cmocka_unit_test(within_means_at_or_below),
        cmocka_unit_test(values_compare_by_type_and_content),
    };
    return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
