/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes: payloads to JSON trees, and JSON trees to payloads. What cannot be tested in tests/api, where a device answers. */
#include "api/node_read.h"
#include "api/node_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const dn_resource_def resources[] = {
    {.id = 0,
     .type = DUNLIN_TYPE_STRING,
     .operations = 3,
     .name = "Text",
     .range = "",
     .unit = "",
     .description = ""},
    {.id = 1,
     .type = DUNLIN_TYPE_UNSIGNED,
     .operations = 3,
     .name = "Big",
     .range = "",
     .unit = "B",
     .description = ""},
    {.id = 2,
     .type = DUNLIN_TYPE_INTEGER,
     .operations = 3,
     .multiple = true,
     .name = "Many",
     .range = "",
     .unit = "",
     .description = ""},
    {.id = 3,
     .type = DUNLIN_TYPE_NONE,
     .operations = 4,
     .name = "Go",
     .range = "",
     .unit = "",
     .description = ""},
};
static const dn_object_def object = {.id = 100,
                                     .version = {1, 0},
                                     .multiple = true,
                                     .name = "Thing",
                                     .urn = "urn:x",
                                     .description = "",
                                     .resources = resources,
                                     .resource_count = 4};

static dn_registry *make_registry(void)
{
    dn_registry *registry = dn_registry_create();
    assert_int_equal(dn_registry_add(registry, &object), DUNLIN_OK);
    return registry;
}

static dunlin_path path_of(const char *text)
{
    dunlin_path path;
    assert_int_equal(dunlin_path_parse(dunlin_slice_of(text), &path), DUNLIN_OK);
    return path;
}

static const struct {
    const char *path;
    uint16_t format;
    const char *payload;
    size_t len;
    const char *json; /* NULL: cannot be decoded */
} answers[] = {
    {"/100/0/0", 0, "hi", 2, "{\"id\":0,\"name\":\"Text\",\"type\":\"string\",\"value\":\"hi\"}"},
    {"/100/0/1", 110, "[{\"n\":\"/100/0/1\",\"v\":18446744073709551615}]", 43,
     "{\"id\":1,\"name\":\"Big\",\"type\":\"unsigned\",\"unit\":\"B\",\"value\":18446744073709551615}"},
    {"/100/0/2", 11542, "\x86\x02\x41\x05\x05\x41\x07\x09", 8,
     "{\"id\":2,\"name\":\"Many\",\"type\":\"integer\",\"values\":[{\"id\":5,\"value\":5},{\"id\":7,"
     "\"value\":9}]}"},
    {"/100/0/2", 11542, "\x80\x02", 2, "{\"id\":2,\"name\":\"Many\",\"type\":\"integer\",\"values\":[]}"},
    {"/100/0/2/5", 0, "7", 1, "{\"id\":5,\"type\":\"integer\",\"value\":7}"},
    /* Any order; a resource again: the newest counts; of the same time the last. */
    {"/100/1", 110,
     "[{\"bn\":\"/100/1/"
     "\",\"n\":\"1\",\"v\":1,\"t\":5},{\"n\":\"0\",\"vs\":\"a\"},{\"n\":\"1\",\"v\":2,\"t\":9},{\"n\":\"1\","
     "\"v\":3,\"t\":7}]",
     101,
     "{\"id\":1,\"resources\":[{\"id\":0,\"name\":\"Text\",\"type\":\"string\",\"value\":\"a\"},"
     "{\"id\":1,\"name\":\"Big\",\"type\":\"unsigned\",\"unit\":\"B\",\"value\":2}]}"},
    {"/100", 11542, "\x03\x00\xc1\x00\x61\x00\x02", 7,
     "{\"id\":100,\"name\":\"Thing\",\"version\":\"1.0\",\"instances\":[{\"id\":0,\"resources\":[{\"id\":0,"
     "\"name\":\"Text\","
     "\"type\":\"string\",\"value\":\"a\"}]},{\"id\":2,\"resources\":[]}]}"},
    {"/200", 11542, "", 0, "{\"id\":200,\"version\":\"1.0\",\"instances\":[]}"},
    {"/200/0/0", 11542, "\xc1\x00\xff", 3, "{\"id\":0,\"type\":\"opaque\",\"value\":\"/w==\"}"},
    {"/100/0/1", 110, "[{\"n\":\"/100/0/1\"", 16, NULL},
    {"/100/0/1", 110, "[{\"n\":\"/101/0/1\",\"v\":1}]", 24, NULL},
    {"/100/0/2/5", 11542, "", 0, NULL},
    {"/100/0/1", 9999, "x", 1, NULL},
};

static void payloads_become_trees(void **state)
{
    (void)state;
    dn_registry *registry = make_registry();
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        dn_text text = {0};
        dn_jsonw json;
        dn_naming naming = dn_naming_make(registry, NULL);
        dn_jsonw_start(&json, &text);
        dunlin_status status = dn_node_write(&json, &naming, path_of(answers[i].path), answers[i].format,
                                             dunlin_slice_make(answers[i].payload, answers[i].len));
        if (answers[i].json == NULL) {
            assert_int_not_equal(status, DUNLIN_OK);
            assert_int_equal(text.len, 0);
        } else {
            dn_text_char(&text, 0);
            if (status != DUNLIN_OK) {
                fail_msg("%s %zu: %s", answers[i].path, i, dunlin_status_text(status));
            }
            assert_string_equal(text.data, answers[i].json);
        }
        dn_text_free(&text);
    }
    dn_registry_free(registry);
}

static const struct {
    const char *path; /* of the node */
    const char *base; /* of the request */
    uint16_t format;
    const char *json;
    const char *payload;
    size_t len;
} requests[] = {
    {"/100/0/0", "/100/0/0", 0, "{\"value\":\"hi\"}", "hi", 2},
    {"/100/0/1", "/100/0/1", 11542, "{\"value\":18446744073709551615}",
     "\xc8\x01\x08\xff\xff\xff\xff\xff\xff\xff\xff", 11},
    {"/100/0/2", "/100/0/2", 11542, "{\"values\":[{\"id\":7,\"value\":9},{\"id\":5,\"value\":5}]}",
     "\x86\x02\x41\x05\x05\x41\x07\x09", 8},
    {"/100/0/2", "/100/0", 11542, "{\"values\":[{\"id\":5,\"value\":5}]}", "\x83\x02\x41\x05\x05", 5},
    {"/100/0/2", "/100/0/2", 11542, "{\"values\":[]}", "\x80\x02", 2},
    {"/100/0", "/100/0", 11542, "{\"resources\":[]}", "", 0},
    {"/100", "/100", 11542, "{\"id\":4,\"resources\":[]}", "\x00\x04", 2},
    {"/100", "/100/0", 11542, "{\"resources\":[{\"id\":0,\"value\":\"a\"}]}", "\xc1\x00\x61", 3},
    {"/200/0/0", "/200/0/0", 11542, "{\"value\":\"/w==\",\"type\":\"opaque\"}", "\xc1\x00\xff", 3},
};

static void trees_become_payloads(void **state)
{
    (void)state;
    dn_registry *registry = make_registry();
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        char parse_error[DN_JSON_ERROR_MAX];
        dn_node_input input;
        dn_node_error error;
        dn_text payload = {0};
        dn_naming naming = dn_naming_make(registry, NULL);
        json_t *body = dn_jsonr_parse(dunlin_slice_of(requests[i].json), parse_error);
        assert_non_null(body);
        if (!dn_node_read(body, strlen(requests[i].json), path_of(requests[i].path), &naming, &input,
                          &error)) {
            fail_msg("%s: %s %s", requests[i].json, error.pointer, error.detail);
        }
        dunlin_status status =
            dn_node_encode(&input, requests[i].format, path_of(requests[i].base), &payload);
        if (status != DUNLIN_OK || payload.len != requests[i].len ||
            memcmp(payload.data, requests[i].payload, payload.len) != 0) {
            fail_msg("%s as %u: %s", requests[i].json, requests[i].format, dunlin_status_text(status));
        }
        dn_text_free(&payload);
        dn_node_input_free(&input);
        json_decref(body);
    }
    dn_registry_free(registry);
}

static void a_format_may_not_fit(void **state)
{
    (void)state;
    dn_registry *registry = make_registry();
    static const char json[] = "{\"resources\":[{\"id\":0,\"value\":\"a\"},{\"id\":1,\"value\":1}]}";
    char parse_error[DN_JSON_ERROR_MAX];
    dn_node_input input;
    dn_node_error error;
    dn_text payload = {0};
    dn_naming naming = dn_naming_make(registry, NULL);
    json_t *body = dn_jsonr_parse(dunlin_slice_of(json), parse_error);
    assert_true(dn_node_read(body, strlen(json), path_of("/100/0"), &naming, &input, &error));
    assert_int_not_equal(dn_node_encode(&input, DN_FORMAT_TEXT, path_of("/100/0"), &payload), DUNLIN_OK);
    dn_text_free(&payload);
    dn_node_input_free(&input);
    json_decref(body);
    dn_registry_free(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(payloads_become_trees),
                                       cmocka_unit_test(trees_become_payloads),
                                       cmocka_unit_test(a_format_may_not_fit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
