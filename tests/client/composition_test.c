/* SPDX-License-Identifier: Apache-2.0 */
/* Instances that come and go: Create, Delete, the list of Objects that the server is told, and rollback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/rig.h"

#define NO   (-1)
#define JSON 110
#define TLV  11542

static rig *fresh(void)
{
    rig *r = malloc(sizeof *r);
    assert_non_null(r);
    rig_register(r, DUNLIN_LWM2M_1_1);
    return r;
}

static void done(rig *r)
{
    rig_close(r);
    free(r);
}

static void assert_code(const rig_answer *answer, const char *code)
{
    assert_string_equal(rig_code(answer->code), code);
}

static const rig_answer *create(rig *r, int format, const void *payload, size_t len)
{
    const rig_request request = {.method = DN_COAP_POST,
                                 .path = "/33000",
                                 .has_format = format >= 0,
                                 .format = (uint16_t)format,
                                 .payload = payload,
                                 .len = len};
    return rig_ask(r, &request);
}

static const rig_answer *create_text(rig *r, int format, const char *payload)
{
    return create(r, format, payload, strlen(payload));
}

static void oma_int_1630_create(void **state)
{
    static const uint8_t wrapped[] = {0x03, 0x07, 0xC1, 0x00, 0x09};
    rig *r = fresh();
    (void)state;
    assert_code(create(r, TLV, wrapped, sizeof wrapped), "2.01");
    assert_string_equal(r->answer.location, "/33000/7");
    assert_int_equal(r->things[2].number, 9);
    rig_run(r, 1000);
    assert_int_equal(r->updates, 1);
    assert_non_null(strstr(r->list, "</33000/7>"));
    /* optional writable resources that were not in the payload are not there, others are */
    assert_code(rig_get(r, "/33000/7/4", NO), "4.04");
    assert_code(rig_get(r, "/33000/7/16", NO), "2.05");
    assert_code(rig_send(r, DN_COAP_POST, "/33000/7/15", NO, NULL), "2.04");
    done(r);
}

static void create_chooses_an_id(void **state)
{
    static const uint8_t bare[] = {0xC1, 0x00, 0x09};
    rig *r = fresh();
    (void)state;
    assert_code(create(r, TLV, bare, sizeof bare), "2.01");
    assert_string_equal(r->answer.location, "/33000/2");
    assert_code(create_text(r, JSON, "[{\"n\":\"/33000/9/0\",\"v\":4}]"), "2.01");
    assert_string_equal(r->answer.location, "/33000/9");
    assert_code(create(r, TLV, bare, sizeof bare), "5.00"); /* no structure is free */
    assert_code(rig_send(r, DN_COAP_DELETE, "/33000/0", NO, NULL), "2.02");
    assert_code(create(r, TLV, bare, sizeof bare), "2.01");
    assert_string_equal(r->answer.location, "/33000/0");
    done(r);
}

/* SenML names an instance by its absolute path, or from the Object on. */
static void create_takes_absolute_and_relative_names(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(create_text(r, JSON, "[{\"bn\":\"/33000/5/\",\"n\":\"0\",\"v\":4}]"), "2.01");
    assert_string_equal(r->answer.location, "/33000/5");
    assert_code(create_text(r, JSON, "[{\"n\":\"6/0\",\"v\":5},{\"n\":\"6/4\",\"vs\":\"x\"}]"), "2.01");
    assert_string_equal(r->answer.location, "/33000/6");
    assert_code(rig_get(r, "/33000/6/0", NO), "2.05");
    assert_memory_equal(r->answer.payload, "5", 1);
    done(r);
}

static void create_is_refused(void **state)
{
    static const struct {
        const char *name, *path;
        int format;
        const char *payload, *code;
    } rows[] = {
        {"OMA int-680: Device", "/3", TLV, NULL, "4.05"},
        {"an object without Create", "/3303", JSON, "[]", "4.05"},
        {"an unknown object", "/9999", JSON, "[]", "4.04"},
        {"no format", "/33000", NO, "x", "4.00"},
        {"unknown format", "/33000", 9999, "x", "4.15"},
        {"text", "/33000", 0, "x", "4.15"},
        {"an instance that is there", "/33000", JSON, "[{\"n\":\"/33000/1/0\",\"v\":4}]", "4.00"},
        {"two instances", "/33000", JSON, "[{\"n\":\"/33000/2/0\",\"v\":4},{\"n\":\"/33000/3/0\",\"v\":4}]",
         "4.00"},
        {"another object", "/33000", JSON, "[{\"n\":\"/3303/2/0\",\"v\":4}]", "4.00"},
        {"without the mandatory one", "/33000", JSON, "[{\"n\":\"/33000/2/1\",\"v\":4}]", "4.00"},
        {"nothing at all", "/33000", NO, NULL, "4.00"},
        {"bad value", "/33000", JSON, "[{\"n\":\"/33000/2/0\",\"v\":4},{\"n\":\"/33000/2/3\",\"v\":4}]",
         "4.00"},
        {"check refuses", "/33000", JSON, "[{\"n\":\"/33000/2/0\",\"v\":4},{\"n\":\"/33000/2/10\",\"v\":13}]",
         "4.00"},
        {"set refuses", "/33000", JSON, "[{\"n\":\"/33000/2/0\",\"v\":4},{\"n\":\"/33000/2/11\",\"v\":13}]",
         "5.00"},
        {"a query", "/33000", JSON, NULL, "4.00"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig *r = fresh();
        rig_things before[RIG_THINGS];
        memcpy(before, r->things, sizeof before);
        const rig_answer *answer = rig_send(r, DN_COAP_POST, rows[i].path, rows[i].format, rows[i].payload);
        if (strcmp(rig_code(answer->code), rows[i].code) != 0) {
            fail_msg("%s: %s instead of %s", rows[i].name, rig_code(answer->code), rows[i].code);
        }
        assert_memory_equal(before, r->things, sizeof before);
        rig_run(r, 1000);
        assert_int_equal(r->updates, 0);
        assert_code(rig_get(r, "/33000/2", NO), "4.04");
        done(r);
    }
}

static void create_ignores_what_servers_may_not_write(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(create_text(r, JSON,
                            "[{\"bn\":\"/33000/2/"
                            "\",\"n\":\"0\",\"v\":4},{\"n\":\"16\",\"vs\":\"x\"},{\"n\":\"777\",\"v\":1}]"),
                "2.01");
    assert_code(rig_get(r, "/33000/2/16", NO), "2.05");
    assert_memory_equal(r->answer.payload, "fixed", 5);
    done(r);
}

static void oma_int_1635_delete(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(rig_send(r, DN_COAP_DELETE, "/33000/0", NO, NULL), "2.02");
    assert_code(rig_send(r, DN_COAP_DELETE, "/33000/1", NO, NULL), "2.02");
    assert_code(rig_send(r, DN_COAP_DELETE, "/33000/1", NO, NULL), "4.04");
    assert_code(rig_get(r, "/33000", 40), "2.05");
    r->answer.payload[r->answer.len] = '\0';
    assert_string_equal((const char *)r->answer.payload, "</33000>;ver=1.2");
    rig_run(r, 1000);
    assert_non_null(strstr(r->list, ",</33000>;ver=1.2,") == NULL ? strstr(r->list, "</33000>;ver=1.2")
                                                                  : r->list);
    assert_null(strstr(r->list, "</33000/0>"));
    /* an object without instances is readable, and empty */
    assert_code(rig_get(r, "/33000", TLV), "2.05");
    assert_int_equal(r->answer.len, 0);
    /* the structure was wiped */
    static const rig_things nothing;
    assert_memory_equal(&r->things[0], &nothing, sizeof nothing);
    done(r);
}

static void delete_is_refused(void **state)
{
    static const char *const rows[][2] = {
        {"/3/0", "4.05"}, /* OMA int-685 */
        {"/3", "4.05"},           {"/33000", "4.05"},   {"", "4.05"},
        {"/33000/0/0", "4.05"},   {"/33000/9", "4.04"}, {"/1/0", "4.05"},
        {"/33000/0/8/0", "4.05"}, {"/3303/0", "4.05"},
    };
    rig *r = fresh();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_code(rig_send(r, DN_COAP_DELETE, rows[i][0], NO, NULL), rows[i][1]);
    }
    rig_run(r, 1000);
    assert_int_equal(r->updates, 0);
    done(r);
}

static void attributes_go_with_their_instance(void **state)
{
    const rig_request attributes = {.method = DN_COAP_PUT, .path = "/33000/1/0", .query = "pmin=5"};
    rig *r = fresh();
    (void)state;
    assert_code(rig_ask(r, &attributes), "2.04");
    assert_code(rig_send(r, DN_COAP_DELETE, "/33000/1", NO, NULL), "2.02");
    assert_code(create_text(r, JSON, "[{\"n\":\"/33000/1/0\",\"v\":4}]"), "2.01");
    assert_code(rig_get(r, "/33000/1/0", 40), "2.05");
    r->answer.payload[r->answer.len] = '\0';
    assert_string_equal((const char *)r->answer.payload, "</33000/1/0>");
    done(r);
}

/* A `set` that fails in the middle: fields, lists, presence and what other setters were told are as before. */
static void rollback_tells_setters_the_old_values(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(rig_send(r, DN_COAP_PUT, "/33000/0/11", 0, "5"), "2.04");
    assert_int_equal(r->things[0].stubborn_told, 5);
    const rig_things before = r->things[0];
    assert_code(rig_send(r, DN_COAP_PUT, "/33000/0", JSON,
                         "[{\"bn\":\"/33000/0/\",\"n\":\"0\",\"v\":1},{\"n\":\"8/"
                         "2\",\"v\":1},{\"n\":\"12\",\"v\":9},{\"n\":\"13\",\"v\":1},"
                         "{\"n\":\"11\",\"v\":13}]"),
                "5.00");
    assert_memory_equal(&before, &r->things[0], sizeof before);
    assert_code(rig_get(r, "/33000/0/4", NO), "2.05");  /* the replace would have dropped it */
    assert_code(rig_get(r, "/33000/0/13", NO), "4.04"); /* and instantiated this */
    done(r);
}

static void the_device_changes_its_own_tree(void **state)
{
    uint16_t index = 0;
    rig *r = fresh();
    (void)state;
    assert_int_equal(dunlin_client_add_instance(r->client, RIG_OBJECT, 40, &index), DUNLIN_OK);
    assert_int_equal(index, 2);
    r->things[index].number = 40;
    assert_int_equal(dunlin_client_add_instance(r->client, RIG_OBJECT, 40, NULL), DUNLIN_ERR_DUPLICATE);
    assert_int_equal(dunlin_client_add_instance(r->client, 9999, 0, NULL), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(dunlin_client_add_instance(r->client, 3303, 1, NULL), DUNLIN_ERR_LIMIT);
    rig_run(r, 1000);
    assert_int_equal(r->updates, 1);
    assert_non_null(strstr(r->list, "</33000/40>"));
    assert_code(rig_get(r, "/33000/40/0", NO), "2.05");
    assert_memory_equal(r->answer.payload, "40", 2);
    assert_int_equal(dunlin_client_remove_instance(r->client, RIG_OBJECT, 40), DUNLIN_OK);
    assert_int_equal(dunlin_client_remove_instance(r->client, RIG_OBJECT, 40), DUNLIN_ERR_NOT_FOUND);
    rig_run(r, 1000);
    assert_int_equal(r->updates, 2);
    assert_null(strstr(r->list, "</33000/40>"));

    const dunlin_path text = dunlin_path_resource(RIG_OBJECT, 0, RIG_TEXT);
    assert_int_equal(dunlin_client_set_present(r->client, text, false), DUNLIN_OK);
    assert_code(rig_get(r, "/33000/0/4", NO), "4.04");
    assert_int_equal(dunlin_client_set_present(r->client, text, true), DUNLIN_OK);
    assert_code(rig_get(r, "/33000/0/4", NO), "2.05");
    const dunlin_path number = dunlin_path_resource(RIG_OBJECT, 0, RIG_NUMBER);
    assert_int_equal(dunlin_client_set_present(r->client, number, false), DUNLIN_ERR_STATE);
    done(r);
}

static void the_device_reads_and_sets(void **state)
{
    dunlin_value value;
    rig *r = fresh();
    (void)state;
    const dunlin_path temperature = dunlin_path_resource(3303, 0, 5700);
    assert_int_equal(dunlin_client_get(r->client, temperature, &value), DUNLIN_OK);
    assert_int_equal(value.type, DUNLIN_TYPE_FLOAT);
    value = dunlin_integer(30); /* converted */
    assert_int_equal(dunlin_client_set(r->client, temperature, &value), DUNLIN_OK);
    assert_true(r->thermometer[0].value > 29.9);

    const dunlin_path stubborn = dunlin_path_resource(RIG_OBJECT, 0, RIG_STUBBORN);
    value = dunlin_integer(13);
    assert_int_equal(dunlin_client_set(r->client, stubborn, &value), DUNLIN_ERR_IO);
    assert_int_equal(r->things[0].stubborn, 0);
    value = dunlin_integer(1001);
    assert_int_equal(dunlin_client_set(r->client, dunlin_path_resource(RIG_OBJECT, 0, RIG_NUMBER), &value),
                     DUNLIN_ERR_RANGE);
    value = dunlin_string(dunlin_slice_of("x"));
    assert_int_equal(dunlin_client_set(r->client, dunlin_path_resource(RIG_OBJECT, 0, RIG_REAL), &value),
                     DUNLIN_ERR_TYPE);
    assert_int_equal(dunlin_client_set(r->client, dunlin_path_resource(RIG_OBJECT, 0, RIG_FIXED), &value),
                     DUNLIN_ERR_STATE);
    assert_int_equal(dunlin_client_set(r->client, dunlin_path_resource(RIG_OBJECT, 0, RIG_LABELS), &value),
                     DUNLIN_ERR_STATE);
    assert_int_equal(
        dunlin_client_set(r->client, dunlin_path_resource_instance(RIG_OBJECT, 0, RIG_LABELS, 3), &value),
        DUNLIN_OK);
    assert_int_equal(r->things[0].labels.count, 1);
    assert_string_equal(r->things[0].labels.value[0], "x");
    assert_int_equal(dunlin_client_get(r->client, dunlin_path_instance(3303, 0), &value), DUNLIN_ERR_STATE);
    assert_int_equal(dunlin_client_get(r->client, dunlin_path_resource(3303, 0, 1), &value),
                     DUNLIN_ERR_NOT_FOUND);
    done(r);
}

typedef struct {
    char paths[RIG_TEXT_MAX];
    unsigned left;
} listing;

static bool list_path(void *context, dunlin_path path, const dunlin_resource *resource,
                      const dunlin_value *value)
{
    listing *l = context;
    char text[DUNLIN_PATH_TEXT_MAX + 1];
    (void)resource;
    (void)dunlin_path_format(path, text);
    strcat(l->paths, text);
    strcat(l->paths, value == NULL ? " " : "= ");
    return --l->left > 0;
}

static void a_walk_lists_what_is_there(void **state)
{
    listing l = {"", 100};
    rig *r = fresh();
    (void)state;
    assert_int_equal(dunlin_client_walk(r->client, dunlin_path_object(3303), list_path, &l), DUNLIN_OK);
    assert_string_equal(
        l.paths, "/3303 /3303/0 /3303/0/5601= /3303/0/5602= /3303/0/5605 /3303/0/5700= /3303/0/5701= ");
    l = (listing){"", 4};
    assert_int_equal(dunlin_client_walk(r->client, dunlin_path_root(), list_path, &l), DUNLIN_OK);
    assert_string_equal(l.paths, "/1 /1/0 /1/0/0= /1/0/1= ");
    l = (listing){"", 100};
    assert_int_equal(
        dunlin_client_walk(r->client, dunlin_path_resource(RIG_OBJECT, 0, RIG_COUNTS), list_path, &l),
        DUNLIN_OK);
    assert_string_equal(l.paths, "/33000/0/8 /33000/0/8/0= /33000/0/8/5= ");
    assert_int_equal(dunlin_client_walk(r->client, dunlin_path_object(9999), list_path, &l),
                     DUNLIN_ERR_NOT_FOUND);
    done(r);
}

static void error_codes_come_and_go(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_int_equal(dunlin_device_raise(r->client, &r->device, 1), DUNLIN_OK);
    assert_int_equal(dunlin_device_raise(r->client, &r->device, 8), DUNLIN_OK);
    assert_int_equal(dunlin_device_raise(r->client, &r->device, 8), DUNLIN_OK);
    assert_code(rig_get(r, "/3/0/11", TLV), "2.05");
    assert_memory_equal(r->answer.payload, "\x86\x0B\x41\x00\x01\x41\x01\x08", 8);
    dunlin_device_clear(r->client, &r->device, 1);
    assert_int_equal(dunlin_device_raise(r->client, &r->device, 2), DUNLIN_OK);
    assert_code(rig_get(r, "/3/0/11", TLV), "2.05");
    assert_memory_equal(r->answer.payload, "\x86\x0B\x41\x00\x02\x41\x01\x08", 8);
    assert_code(rig_send(r, DN_COAP_POST, "/3/0/12", NO, NULL), "2.04");
    assert_code(rig_get(r, "/3/0/11/0", 0), "2.05");
    assert_memory_equal(r->answer.payload, "0", 1);
    for (uint8_t error = 1; error <= DUNLIN_ERROR_CODES_MAX; error++) {
        assert_int_equal(dunlin_device_raise(r->client, &r->device, error), DUNLIN_OK);
    }
    assert_int_equal(dunlin_device_raise(r->client, &r->device, 99), DUNLIN_ERR_LIMIT);
    done(r);
}

/* What dunlin/object.h forbids in a table. */
static void bad_tables_are_refused(void **state)
{
    static const dunlin_resource descending[] = {{DUNLIN_CONSTANT(2, "a")}, {DUNLIN_CONSTANT(1, "b")}};
    static const dunlin_resource twice[] = {{DUNLIN_CONSTANT(1, "a")}, {DUNLIN_CONSTANT(1, "b")}};
    static const dunlin_resource no_constant[] = {{DUNLIN_CONSTANT(1, NULL)}};
    static const dunlin_resource no_getter[] = {{DUNLIN_CALL(1, FLOAT, DUNLIN_R)}};
    static const dunlin_resource no_setter[] = {{DUNLIN_CALL(1, FLOAT, DUNLIN_W)}};
    static const dunlin_resource no_function[] = {{DUNLIN_EXECUTE(1, 0, NULL)}};
    static const dunlin_resource outside[] = {
        {.id = 1, .flags = DUNLIN_R, .type = DUNLIN_TYPE_FLOAT, .size = 8, .offset = 20}};
    static const dunlin_resource odd_size[] = {
        {.id = 1, .flags = DUNLIN_R, .type = DUNLIN_TYPE_INTEGER, .size = 3, .offset = 0}};
    static const dunlin_resource overlapping[] = {{.id = 1,
                                                   .flags = DUNLIN_R,
                                                   .type = DUNLIN_TYPE_BOOLEAN,
                                                   .kept = DUNLIN_KEPT_LIST,
                                                   .size = sizeof(bool),
                                                   .values = 4,
                                                   .capacity = 2}};
    static const dunlin_resource both[] = {
        {DUNLIN_FIELD(5700, FLOAT, DUNLIN_MANDATORY | DUNLIN_ABSENT, rig_thermometer, value)}};
    static const dunlin_object rows[] = {
        {.id = 5, DUNLIN_TABLE(descending), .size = 24},
        {.id = 5, DUNLIN_TABLE(twice), .size = 24},
        {.id = 5, DUNLIN_TABLE(no_constant), .size = 24},
        {.id = 5, DUNLIN_TABLE(no_getter), .size = 24},
        {.id = 5, DUNLIN_TABLE(no_setter), .size = 24},
        {.id = 5, DUNLIN_TABLE(no_function), .size = 24},
        {.id = 5, DUNLIN_TABLE(outside), .size = 24},
        {.id = 5, DUNLIN_TABLE(odd_size), .size = 24},
        {.id = 5, DUNLIN_TABLE(both), .size = 24},
        {.id = 5, DUNLIN_TABLE(overlapping), .size = 24},
        {.id = 65535, .size = 24},
    };
    static const dunlin_object plain = {.id = 5, .size = 24};
    rig *r = fresh();
    uint8_t storage[24];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (dunlin_client_add_object(r->client, &rows[i], storage, 1, 1, NULL) != DUNLIN_ERR_ARGUMENT) {
            fail_msg("table %zu was taken", i);
        }
    }
    assert_int_equal(dunlin_client_add_object(r->client, &plain, storage, 2, 1, NULL), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(dunlin_client_add_object(r->client, &plain, NULL, 1, 1, NULL), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(dunlin_client_add_object(r->client, &plain, storage, 1, 2, NULL), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(dunlin_client_add_object(r->client, &dunlin_device_object, &r->device, 1, 1, NULL),
                     DUNLIN_ERR_DUPLICATE);
    assert_int_equal(dunlin_client_add_object(r->client, &plain, storage, 1, 0, NULL), DUNLIN_OK);
    rig_run(r, 1000);
    assert_non_null(strstr(r->list, "</5>"));
    done(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oma_int_1630_create),
        cmocka_unit_test(create_chooses_an_id),
        cmocka_unit_test(create_takes_absolute_and_relative_names),
        cmocka_unit_test(create_is_refused),
        cmocka_unit_test(create_ignores_what_servers_may_not_write),
        cmocka_unit_test(oma_int_1635_delete),
        cmocka_unit_test(delete_is_refused),
        cmocka_unit_test(attributes_go_with_their_instance),
        cmocka_unit_test(rollback_tells_setters_the_old_values),
        cmocka_unit_test(the_device_changes_its_own_tree),
        cmocka_unit_test(the_device_reads_and_sets),
        cmocka_unit_test(a_walk_lists_what_is_there),
        cmocka_unit_test(error_codes_come_and_go),
        cmocka_unit_test(bad_tables_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
