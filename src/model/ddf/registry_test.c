/* SPDX-License-Identifier: Apache-2.0 */
/* The registry keeps copies, finds the right version, and never takes away what somebody holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/ddf/registry.h"

#include <string.h>

static dn_object_def make(uint16_t id, uint8_t major, uint8_t minor, const char *name)
{
    return (dn_object_def){
        .id = id, .version = {major, minor}, .name = name, .urn = "urn", .description = NULL};
}

static void add(dn_registry *registry, uint16_t id, uint8_t major, uint8_t minor, const char *name)
{
    const dn_object_def def = make(id, major, minor, name);
    assert_int_equal(dn_registry_add(registry, &def), DUNLIN_OK);
}

static void finds_versions(void **state)
{
    (void)state;
    dn_registry *registry = dn_registry_create();
    assert_non_null(registry);
    assert_null(dn_registry_newest(registry, 3));
    add(registry, 5, 1, 0, "five");
    add(registry, 3, 1, 1, "three 1.1");
    add(registry, 3, 1, 0, "three 1.0");
    add(registry, 3, 2, 0, "three 2.0");
    assert_string_equal(dn_registry_find(registry, 3, (dn_version){1, 0})->name, "three 1.0");
    assert_string_equal(dn_registry_find(registry, 3, (dn_version){1, 1})->name, "three 1.1");
    assert_string_equal(dn_registry_find(registry, 3, (dn_version){1, 7})->name, "three 1.1");
    assert_string_equal(dn_registry_find(registry, 3, (dn_version){2, 3})->name, "three 2.0");
    assert_null(dn_registry_find(registry, 3, (dn_version){3, 0}));
    assert_null(dn_registry_find(registry, 3, (dn_version){0, 9}));
    assert_null(dn_registry_find(registry, 4, (dn_version){1, 0}));
    assert_string_equal(dn_registry_newest(registry, 3)->name, "three 2.0");
    assert_string_equal(dn_registry_newest(registry, 5)->name, "five");
    assert_null(dn_registry_newest(registry, 6));
    assert_null(dn_registry_newest(registry, 0));
    dn_registry_free(registry);
}

static void keeps_copies_with_all_texts(void **state)
{
    (void)state;
    dn_registry *registry = dn_registry_create();
    char name[] = "Sensor Value";
    dn_resource_def resources[] = {{.id = 5700,
                                    .type = DUNLIN_TYPE_FLOAT,
                                    .operations = DN_OP_READ,
                                    .mandatory = true,
                                    .name = name,
                                    .range = "0..1",
                                    .unit = "Cel",
                                    .description = NULL}};
    dn_object_def def = make(3303, 1, 0, "Temperature");
    def.resources = resources;
    def.resource_count = 1;
    assert_int_equal(dn_registry_add(registry, &def), DUNLIN_OK);
    memset(name, 'x', sizeof name - 1);
    memset(resources, 0, sizeof resources);
    const dn_object_def *kept = dn_registry_newest(registry, 3303);
    const dn_resource_def *resource = dn_object_resource(kept, 5700);
    assert_non_null(resource);
    assert_string_equal(resource->name, "Sensor Value");
    assert_string_equal(resource->range, "0..1");
    assert_string_equal(resource->unit, "Cel");
    assert_string_equal(resource->description, "");
    assert_true(resource->mandatory);
    dn_registry_free(registry);
}

static void replaced_definitions_stay_valid(void **state)
{
    (void)state;
    dn_registry *registry = dn_registry_create();
    add(registry, 9, 1, 0, "old");
    const dn_object_def *old = dn_registry_newest(registry, 9);
    add(registry, 9, 1, 0, "new");
    assert_string_equal(old->name, "old");
    assert_string_equal(dn_registry_newest(registry, 9)->name, "new");
    dn_registry_free(registry);
}

static bool collect(void *context, const dn_object_def *object)
{
    uint16_t *ids = context;
    ids[ids[0] + 1] = object->id;
    ids[0]++;
    return ids[0] < 3;
}

static void visits_in_order_until_told_to_stop(void **state)
{
    (void)state;
    dn_registry *registry = dn_registry_create();
    for (uint16_t id = 200; id > 0; id--) {
        add(registry, id, 1, 0, "x");
    }
    uint16_t ids[8] = {0};
    dn_registry_each(registry, collect, ids);
    assert_int_equal(ids[0], 3);
    assert_int_equal(ids[1], 1);
    assert_int_equal(ids[3], 3);
    dn_registry_free(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_versions),
        cmocka_unit_test(keeps_copies_with_all_texts),
        cmocka_unit_test(replaced_definitions_stay_valid),
        cmocka_unit_test(visits_in_order_until_told_to_stop),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
