/* SPDX-License-Identifier: Apache-2.0 */
/* Object look-ups and versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/object.h"

static void finds_resources_by_id(void **state)
{
    (void)state;
    static const dn_resource_def resources[] = {{.id = 0}, {.id = 5}, {.id = 5700}, {.id = 65534}};
    const dn_object_def object = {.resources = resources, .resource_count = 4};
    for (size_t i = 0; i < 4; i++) {
        assert_ptr_equal(dn_object_resource(&object, resources[i].id), &resources[i]);
    }
    assert_null(dn_object_resource(&object, 1));
    assert_null(dn_object_resource(&object, 65535));
    const dn_object_def empty = {.resource_count = 0};
    assert_null(dn_object_resource(&empty, 0));
}

static void reads_versions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        dunlin_status expected;
        dn_version version;
    } cases[] = {
        {"1.0", DUNLIN_OK, {1, 0}},
        {"1.1", DUNLIN_OK, {1, 1}},
        {"\"1.1\"", DUNLIN_OK, {1, 1}},
        {"2", DUNLIN_OK, {2, 0}},
        {"10.255", DUNLIN_OK, {10, 255}},
        {"", DUNLIN_ERR_MALFORMED, {0, 0}},
        {".1", DUNLIN_ERR_MALFORMED, {0, 0}},
        {"1.", DUNLIN_ERR_MALFORMED, {0, 0}},
        {"1.1.1", DUNLIN_ERR_MALFORMED, {0, 0}},
        {"1,1", DUNLIN_ERR_MALFORMED, {0, 0}},
        {"256.0", DUNLIN_ERR_MALFORMED, {0, 0}},
        {"-1.0", DUNLIN_ERR_MALFORMED, {0, 0}},
        {"\"", DUNLIN_ERR_MALFORMED, {0, 0}},
        {"1.1 ", DUNLIN_ERR_MALFORMED, {0, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_version version = {77, 77};
        assert_int_equal(dn_version_parse(dunlin_slice_of(cases[i].text), &version), cases[i].expected);
        if (cases[i].expected == DUNLIN_OK) {
            assert_int_equal(dn_version_compare(version, cases[i].version), 0);
        } else {
            assert_int_equal(version.major, 77);
        }
    }
}

static void implies_versions_of_core_objects(void **state)
{
    (void)state;
    const dn_version v1_0 = {1, 0};
    const dn_version v1_1 = {1, 1};
    const dn_version v1_2 = {1, 2};
    assert_int_equal(dn_version_compare(dn_version_implied(3, v1_0), (dn_version){1, 0}), 0);
    assert_int_equal(dn_version_compare(dn_version_implied(3, v1_1), (dn_version){1, 1}), 0);
    assert_int_equal(dn_version_compare(dn_version_implied(4, v1_1), (dn_version){1, 2}), 0);
    assert_int_equal(dn_version_compare(dn_version_implied(4, v1_2), (dn_version){1, 3}), 0);
    assert_int_equal(dn_version_compare(dn_version_implied(21, v1_2), (dn_version){2, 0}), 0);
    assert_int_equal(dn_version_compare(dn_version_implied(3303, v1_1), (dn_version){1, 0}), 0);
    assert_true(dn_version_compare(v1_1, v1_0) > 0);
    assert_true(dn_version_compare(v1_1, (dn_version){2, 0}) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_resources_by_id),
        cmocka_unit_test(reads_versions),
        cmocka_unit_test(implies_versions_of_core_objects),
    };
    return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
