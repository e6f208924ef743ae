/* SPDX-License-Identifier: Apache-2.0 */
/* The operator of a dunlind: its REST API. */
#include "apps/dunlin/cmd_ets_json.h"
#include "apps/dunlin/cmd_ets_operator.h"
#include "apps/dunlin/rest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICE_TIMEOUT_S 30u
#define ATTRIBUTE_TEXT   32

/* How an operation is asked for. NULL: REST cannot. */
static const struct {
    const char *method;
    const char *infix; /* between the endpoint and the path */
    const char *query;
    bool path;
} ROUTES[] = {
    [DN_ETS_READ] = {"GET", "", "", true},
    [DN_ETS_DISCOVER] = {"GET", "", "op=discover", true},
    [DN_ETS_WRITE] = {"PUT", "", "mode=replace", true},
    [DN_ETS_UPDATE] = {"PUT", "", "mode=update", true},
    [DN_ETS_ATTRIBUTES] = {"PUT", "", "op=attributes", true},
    [DN_ETS_EXECUTE] = {"POST", "", "", true},
    [DN_ETS_CREATE] = {"POST", "", "", true},
    [DN_ETS_DELETE] = {"DELETE", "", "", true},
    [DN_ETS_OBSERVE] = {"PUT", "/observations", "", true},
    [DN_ETS_CANCEL] = {"DELETE", "/observations", "", true},
    [DN_ETS_READ_COMPOSITE] = {"POST", "/composite/read", "", false},
    [DN_ETS_WRITE_COMPOSITE] = {"POST", "/composite/write", "", false},
    [DN_ETS_OBSERVE_COMPOSITE] = {"POST", "/composite/observe", "", false},
    [DN_ETS_CANCEL_COMPOSITE] = {"DELETE", "/composite/observe", "", false},
    [DN_ETS_IS_REGISTERED] = {"GET", "", "", false},
    [DN_ETS_FINISH] = {NULL, NULL, NULL, false},
    [DN_ETS_SENT] = {NULL, NULL, NULL, false},
    [DN_ETS_FORGET] = {NULL, NULL, NULL, false},
};

static void add_query(dn_text *url, const char *text)
{
    dn_text_puts(url, strchr(url->data, '?') == NULL ? "?" : "&");
    dn_text_puts(url, text);
}

static dn_text make_url(const char *base, const dn_ets_ask *ask)
{
    char path[DUNLIN_PATH_TEXT_MAX + 1];
    const dn_format *format = dn_format_find(ask->format);
    const bool has_format = format != NULL && ask->operation != DN_ETS_IS_REGISTERED &&
                            ask->operation != DN_ETS_CANCEL && ask->operation != DN_ETS_CANCEL_COMPOSITE &&
                            ask->operation != DN_ETS_EXECUTE;
    dn_text url = {0};
    dn_text_puts(&url, base);
    while (url.len > 0 && url.data[url.len - 1] == '/') {
        url.data[--url.len] = '\0';
    }
    dn_text_puts(&url, "/api/v1/clients/");
    dn_text_percent(&url, ask->endpoint);
    dn_text_puts(&url, ROUTES[ask->operation].infix);
    if (ROUTES[ask->operation].path) {
        (void)dunlin_path_format(ask->path, path);
        dn_text_puts(&url, path);
    }
    if (ROUTES[ask->operation].query[0] != '\0') {
        add_query(&url, ROUTES[ask->operation].query);
    }
    if (ask->operation != DN_ETS_IS_REGISTERED) {
        char text[64];
        (void)snprintf(text, sizeof text, ask->queued ? "wait=300" : "timeout=%u", DEVICE_TIMEOUT_S);
        add_query(&url, text);
    }
    if (has_format) {
        add_query(&url, "format=");
        dn_text_puts(&url, format->name);
    }
    return url;
}

/* {"pmin":5,"pmax":null} of "pmin=5&pmax". */
static json_t *attributes_json(const char *query)
{
    json_t *body = json_object();
    for (const char *at = query; *at != '\0';) {
        char name[ATTRIBUTE_TEXT];
        const size_t len = strcspn(at, "&");
        (void)snprintf(name, sizeof name, "%.*s", (int)len, at);
        char *equals = strchr(name, '=');
        if (equals == NULL) {
            (void)json_object_set_new(body, name, json_null());
        } else {
            *equals = '\0';
            const double number = strtod(equals + 1, NULL);
            (void)json_object_set_new(body, name,
                                      strchr(equals + 1, '.') != NULL ? json_real(number)
                                                                      : json_integer((json_int_t)number));
        }
        at += len + (at[len] == '&');
    }
    return body;
}

static json_t *make_body(const dn_ets_ask *ask)
{
    char path[DUNLIN_PATH_TEXT_MAX + 1];
    json_t *body = NULL;
    switch (ask->operation) {
    case DN_ETS_WRITE:
    case DN_ETS_UPDATE:
    case DN_ETS_CREATE:
        return dn_ets_json_node(ask->values, ask->path);
    case DN_ETS_ATTRIBUTES:
        return attributes_json(ask->query);
    case DN_ETS_EXECUTE:
        return ask->query[0] != '\0' ? json_pack("{s:s}", "args", ask->query) : NULL;
    case DN_ETS_READ_COMPOSITE:
    case DN_ETS_OBSERVE_COMPOSITE:
    case DN_ETS_CANCEL_COMPOSITE: {
        json_t *paths = json_array();
        for (size_t i = 0; i < ask->path_count; i++) {
            (void)dunlin_path_format(ask->paths[i], path);
            (void)json_array_append_new(paths, json_string(path));
        }
        body = json_object();
        (void)json_object_set_new(body, "paths", paths);
        return body;
    }
    case DN_ETS_WRITE_COMPOSITE: {
        json_t *values = json_object();
        for (size_t i = 0; i < ask->values->count; i++) {
            const dn_ets_value *one = &ask->values->list[i];
            (void)dunlin_path_format(one->path, path);
            (void)json_object_set_new(values, path, dn_ets_json_value(one->type, one->text));
        }
        body = json_object();
        (void)json_object_set_new(body, "values", values);
        return body;
    }
    default:
        return NULL;
    }
}

/* ---- answers ---- */

static void read_links(const json_t *list, dn_ets_answer *answer)
{
    dn_text out = {0};
    size_t i = 0;
    const json_t *link = NULL;
    dn_text_clear(&out);
    json_array_foreach(list, i, link)
    {
        const char *name = NULL;
        json_t *value = NULL;
        const char *path = json_string_value(json_object_get(link, "path"));
        dn_text_printf(&out, "%s<%s>", i > 0 ? "," : "", path != NULL ? path : "");
        json_object_foreach(json_object_get(link, "attributes"), name, value)
        {
            dn_text_printf(&out, json_is_string(value) ? ";%s=\"%s\"" : ";%s", name,
                           json_string_value(value));
        }
    }
    answer->links = out.data;
}

static bool read_composite(const json_t *body, dn_ets_answer *answer)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(json_object_get(body, "values"), name, value)
    {
        dunlin_path path;
        if (dunlin_path_parse(dunlin_slice_of(name), &path) != DUNLIN_OK) {
            return false;
        }
        if (!json_is_object(value) && !dn_ets_json_read_value(value, path, &answer->values)) {
            return false;
        }
    }
    return true;
}

static bool read_nodes(const json_t *body, dn_ets_answer *answer)
{
    const json_t *list = json_object_get(body, "nodes");
    size_t i = 0;
    const json_t *item = NULL;
    if (!json_is_array(list)) {
        return read_composite(body, answer);
    }
    json_array_foreach(list, i, item)
    {
        dunlin_path path;
        const char *name = json_string_value(json_object_get(item, "path"));
        if (name == NULL || dunlin_path_parse(dunlin_slice_of(name), &path) != DUNLIN_OK ||
            !dn_ets_json_read(json_object_get(item, "node"), path, &answer->values)) {
            return false;
        }
    }
    return true;
}

static void read_answer(const json_t *body, const dn_ets_ask *ask, dn_ets_answer *answer)
{
    const json_t *format = json_object_get(body, "contentFormat");
    const json_t *node = json_object_get(body, "node");
    answer->status = DUNLIN_OK;
    answer->code = dn_ets_json_code(json_string_value(json_object_get(body, "code")));
    answer->content_format = json_is_integer(format) ? (uint16_t)json_integer_value(format) : DN_FORMAT_NONE;
    if (ask->operation == DN_ETS_DISCOVER) {
        read_links(json_object_get(body, "links"), answer);
    } else if (ask->path_count > 0) {
        answer->decoded = read_nodes(body, answer);
    } else if (node != NULL) {
        answer->decoded = dn_ets_json_read(node, ask->path, &answer->values);
    }
    const char *path = json_string_value(json_object_get(body, "path"));
    (void)snprintf(answer->location, sizeof answer->location, "%.24s", path != NULL ? path : "");
}

/* A problem document: what the device said, or what came in between. */
static void read_problem(const json_t *body, dn_ets_answer *answer)
{
    static const struct {
        const char *slug;
        dunlin_status status;
    } rows[] = {
        {"timeout", DUNLIN_ERR_TIMEOUT},     {"rejected", DUNLIN_ERR_REJECTED},
        {"cancelled", DUNLIN_ERR_CANCELLED}, {"unknown-endpoint", DUNLIN_ERR_NOT_FOUND},
        {"busy", DUNLIN_ERR_LIMIT},
    };
    const char *code = json_string_value(json_object_get(body, "coapCode"));
    const char *type = json_string_value(json_object_get(body, "type"));
    const char *detail = json_string_value(json_object_get(body, "detail"));
    (void)snprintf(answer->trouble, sizeof answer->trouble, "%.180s", detail != NULL ? detail : "");
    if (code != NULL) {
        answer->status = DUNLIN_OK;
        answer->code = dn_ets_json_code(code);
        return;
    }
    answer->status = DUNLIN_ERR_UNSUPPORTED;
    answer->unsupported =
        type != NULL && (strstr(type, "method-not-allowed") != NULL || strstr(type, "invalid-path") != NULL ||
                         strstr(type, "not-found") != NULL || strstr(type, "invalid-parameter") != NULL);
    for (size_t i = 0; type != NULL && i < sizeof rows / sizeof rows[0]; i++) {
        if (strstr(type, rows[i].slug) != NULL) {
            answer->status = rows[i].status;
        }
    }
}

void dn_ets_rest_call(const char *base, const dn_ets_ask *ask, dn_ets_answer *answer)
{
    if (ROUTES[ask->operation].method == NULL) {
        answer->unsupported = true;
        return;
    }
    dn_text url = make_url(base, ask);
    json_t *json = make_body(ask);
    char *body = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    dn_answer got = dn_rest(ROUTES[ask->operation].method, url.data, body, body != NULL ? strlen(body) : 0,
                            "application/json");
    json_t *said = got.status != 0 ? json_loadb(got.body.data, got.body.len, 0, NULL) : NULL;
    if (got.status == 0) {
        answer->status = DUNLIN_ERR_IO;
        (void)snprintf(answer->trouble, sizeof answer->trouble, "%.180s", got.trouble);
    } else if (ask->operation == DN_ETS_IS_REGISTERED) {
        answer->status = DUNLIN_OK;
        answer->registered = got.status == 200;
    } else if (got.status / 100 == 2) {
        read_answer(said, ask, answer);
    } else {
        read_problem(said, answer);
    }
    json_decref(said);
    dn_answer_free(&got);
    free(body);
    json_decref(json);
    dn_text_free(&url);
}
