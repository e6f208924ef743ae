/* SPDX-License-Identifier: Apache-2.0 */
/* The route table: what it finds, and that openapi.json describes it, no more and no less. */
#include "api/route.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

static json_t *load(void)
{
    json_error_t error;
    json_t *document =
        json_load_file(DUNLIN_SOURCE_DIR "/src/api/openapi.json", JSON_REJECT_DUPLICATES, &error);
    if (document == NULL) {
        fail_msg("openapi.json:%d: %s", error.line, error.text);
    }
    return document;
}

static json_t *operation_of(json_t *document, const dn_route *route)
{
    char method[16];
    snprintf(method, sizeof method, "%s", dn_method_name(route->method));
    for (char *c = method; *c != 0; c++) {
        *c = (char)(*c | 0x20);
    }
    return json_object_get(json_object_get(json_object_get(document, "paths"), route->pattern), method);
}

/* The name of a parameter, which may be a reference. */
static const char *parameter_name(json_t *document, json_t *parameter, const char **where)
{
    const char *reference = json_string_value(json_object_get(parameter, "$ref"));
    if (reference != NULL) {
        json_t *shared = json_object_get(json_object_get(document, "components"), "parameters");
        parameter = json_object_get(shared, strrchr(reference, '/') + 1);
    }
    *where = json_string_value(json_object_get(parameter, "in"));
    return json_string_value(json_object_get(parameter, "name"));
}

static size_t parameter_count(const dn_route *route)
{
    size_t count = 0;
    while (count < DN_ROUTE_PARAMETERS && route->parameters[count] != NULL) {
        count++;
    }
    return count;
}

static void every_route_is_described(void **state)
{
    (void)state;
    json_t *document = load();
    for (size_t i = 0; i < dn_route_count; i++) {
        const dn_route *route = &dn_routes[i];
        json_t *operation = operation_of(document, route);
        if (operation == NULL) {
            fail_msg("%s %s is not in openapi.json", dn_method_name(route->method), route->pattern);
        }
        size_t queries = 0;
        size_t at;
        json_t *parameter;
        json_array_foreach(json_object_get(operation, "parameters"), at, parameter)
        {
            const char *where = NULL;
            const char *name = parameter_name(document, parameter, &where);
            if (strcmp(where, "query") == 0) {
                queries++;
                if (!dn_route_knows(route, name)) {
                    fail_msg("%s %s does not know %s", dn_method_name(route->method), route->pattern, name);
                }
            }
        }
        assert_int_equal(queries, parameter_count(route));
        bool body = (route->flags & (DN_ROUTE_JSON | DN_ROUTE_XML | DN_ROUTE_STREAM)) != 0;
        json_t *described = json_object_get(operation, "requestBody");
        assert_int_equal(described != NULL, body);
        if (body) {
            bool required = json_is_true(json_object_get(described, "required"));
            assert_int_equal(required, (route->flags & DN_ROUTE_OPTIONAL) == 0);
        }
    }
    json_decref(document);
}

static void every_description_is_a_route(void **state)
{
    (void)state;
    json_t *document = load();
    const char *path;
    json_t *item;
    json_object_foreach(json_object_get(document, "paths"), path, item)
    {
        const char *method;
        json_t *operation;
        json_object_foreach(item, method, operation)
        {
            bool found = strcmp(method, "parameters") == 0;
            for (size_t i = 0; i < dn_route_count; i++) {
                found = found || (strcmp(dn_routes[i].pattern, path) == 0 &&
                                  strcasecmp(dn_method_name(dn_routes[i].method), method) == 0);
            }
            if (!found) {
                fail_msg("%s %s is no route", method, path);
            }
        }
    }
    json_decref(document);
}

static const struct {
    dn_method method;
    const char *path;
    dn_route_result result;
    const char *pattern; /* or the methods of BAD_METHOD */
} rows[] = {
    {DN_METHOD_GET, "/healthz", DN_ROUTE_FOUND, "/healthz"},
    {DN_METHOD_HEAD, "/healthz", DN_ROUTE_FOUND, "/healthz"},
    {DN_METHOD_GET, "/api/v1/clients/observations", DN_ROUTE_FOUND, "/api/v1/clients/{endpoint}"},
    {DN_METHOD_GET, "/api/v1/clients/e/observations", DN_ROUTE_FOUND,
     "/api/v1/clients/{endpoint}/observations"},
    {DN_METHOD_PUT, "/api/v1/clients/e/observations/3/0", DN_ROUTE_FOUND,
     "/api/v1/clients/{endpoint}/observations/{object}/{instance}"},
    {DN_METHOD_GET, "/api/v1/clients/e/3/0/1/2", DN_ROUTE_FOUND,
     "/api/v1/clients/{endpoint}/{object}/{instance}/{resource}/{resourceInstance}"},
    {DN_METHOD_GET, "/api/v1/clients/e/3/0/1/2/3", DN_ROUTE_BAD_PATH, NULL},
    {DN_METHOD_GET, "/api/v1/clients/e/65534", DN_ROUTE_FOUND, "/api/v1/clients/{endpoint}/{object}"},
    {DN_METHOD_GET, "/api/v1/clients/e/65535", DN_ROUTE_BAD_PATH, NULL},
    {DN_METHOD_GET, "/api/v1/clients/e/00", DN_ROUTE_BAD_PATH, NULL},
    {DN_METHOD_GET, "/api/v1/clients/e/", DN_ROUTE_BAD_PATH, NULL},
    {DN_METHOD_DELETE, "/api/v1/clients/e/3", DN_ROUTE_BAD_METHOD, "GET, PUT, POST, OPTIONS"},
    {DN_METHOD_OPTIONS, "/healthz", DN_ROUTE_BAD_METHOD, "GET, HEAD, OPTIONS"},
    {DN_METHOD_HEAD, "/api/v1/clients/e/3", DN_ROUTE_BAD_METHOD, "GET, PUT, POST, OPTIONS"},
    {DN_METHOD_OTHER, "/api/v1/models", DN_ROUTE_BAD_METHOD, "GET, HEAD, PUT, POST, OPTIONS"},
    {DN_METHOD_GET, "/api/v1", DN_ROUTE_NONE, NULL},
    {DN_METHOD_GET, "/api/v1/server/x", DN_ROUTE_NONE, NULL},
};

static void paths_find_their_route(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[200];
        char methods[64];
        dn_segments segments;
        dn_route_match match;
        snprintf(path, sizeof path, "%s", rows[i].path);
        assert_true(dn_segments_parse(path, &segments));
        assert_int_equal(dn_route_find(rows[i].method, &segments, &match), rows[i].result);
        if (rows[i].result == DN_ROUTE_FOUND) {
            assert_string_equal(match.route->pattern, rows[i].pattern);
        } else if (rows[i].result == DN_ROUTE_BAD_METHOD) {
            dn_methods_text(match.methods, methods);
            assert_string_equal(methods, rows[i].pattern);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_route_is_described),
                                       cmocka_unit_test(every_description_is_a_route),
                                       cmocka_unit_test(paths_find_their_route)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
