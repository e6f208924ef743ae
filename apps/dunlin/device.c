/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/dunlin/device.h"

#include "apps/dunlin/command.h"
#include "apps/dunlin/show.h"

#include <stdlib.h>
#include <string.h>

#define HTTP_ACCEPTED 202

/* Reads one id and the slash or the end behind it. */
static bool read_id(const char **at, uint16_t *out)
{
    unsigned value = 0;
    const char *start = *at;
    while (**at >= '0' && **at <= '9' && value < 65535) {
        value = value * 10 + (unsigned)(*(*at)++ - '0');
    }
    if (*at == start || value > 65534 || (**at != '/' && **at != '\0')) {
        return false;
    }
    *out = (uint16_t)value;
    *at += **at == '/' ? 1 : 0;
    return true;
}

bool dn_device_path_read(const char *command, const char *text, int least, int most, dn_device_path *out)
{
    static const char *const levels[] = {"", "an object (/3)", "an instance (/3/0)", "a resource (/3/0/0)",
                                         "a resource instance (/3/0/6/1)"};
    const char *at = text[0] == '/' ? text + 1 : text;
    *out = (dn_device_path){.depth = 0};
    while (*at != '\0' && out->depth < 4) {
        if (!read_id(&at, &out->id[out->depth])) {
            out->depth = 0;
            break;
        }
        const size_t len = strlen(out->text);
        (void)snprintf(out->text + len, sizeof out->text - len, "/%u", out->id[out->depth++]);
    }
    if (*at != '\0' || out->depth < least || out->depth > most) {
        (void)fprintf(stderr, "dunlin %s: the path '%s' must name %s%s%s\n", command, text, levels[least],
                      most > least ? " up to " : "", most > least ? levels[most] : "");
        return false;
    }
    return true;
}

dn_text dn_device_url(const dn_options *options, const char *endpoint, const char *infix,
                      const dn_device_path *path, const char *query)
{
    dn_text below = {0};
    dn_text_puts(&below, "/clients/");
    dn_text_percent(&below, endpoint);
    dn_text_puts(&below, infix);
    if (path != NULL) {
        dn_text_puts(&below, path->text);
    }
    dn_text_puts(&below, query);
    dn_text url = dn_rest_url(options, below.data, true);
    dn_text_free(&below);
    return url;
}

/* 202: the request waits until the device can be asked. */
static void tell_queued(const dn_options *options, const json_t *request)
{
    const char *id = dn_show_text(request, "id");
    if (!options->json) {
        (void)printf(
            "queued as request %s (%s until %s); 'dunlin request %s --wait 60' waits for its answer\n", id,
            dn_show_text(request, "state"), dn_show_text(request, "expiresAt"), id);
    }
}

int dn_device_call(const dn_options *options, const char *method, const dn_text *url, const json_t *body,
                   json_t **answer)
{
    *answer = NULL;
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(17));
    dn_answer got = dn_rest(method, url->data, text, text == NULL ? 0 : strlen(text), "application/json");
    free(text);
    int exit_code = EXIT_CODE_OK;
    if (got.status < 200 || got.status > 299) {
        exit_code = dn_rest_trouble(options, &got);
    } else {
        *answer = dn_show_load(got.body.data, got.body.len);
        if (*answer == NULL) {
            (void)fprintf(stderr, "dunlin: %s did not answer with JSON; is it a dunlind?\n", options->server);
            exit_code = EXIT_CODE_UNREACHABLE;
        } else if (options->json) {
            (void)printf("%s\n", got.body.data);
        }
        if (*answer != NULL && got.status == HTTP_ACCEPTED) {
            tell_queued(options, *answer);
            json_decref(*answer);
            *answer = NULL;
        }
    }
    dn_answer_free(&got);
    return exit_code;
}

/* The version of `object` that the device announced; "" if it does not have it. */
static const char *object_version(const json_t *client, uint16_t object)
{
    size_t i = 0;
    const json_t *entry = NULL;
    json_array_foreach(json_object_get(client, "objects"), i, entry)
    {
        if (json_integer_value(json_object_get(entry, "id")) == object) {
            return dn_show_text(entry, "version");
        }
    }
    return "";
}

bool dn_typing_start(dn_typing *typing, const dn_options *options, const char *endpoint, uint16_t object,
                     const char *type, int *exit_code)
{
    *typing = (dn_typing){.options = options, .endpoint = endpoint, .type = type};
    dn_options quiet = *options;
    quiet.json = false;
    quiet.timeout = quiet.format = quiet.wait = quiet.expires = NULL;
    dn_text url = dn_device_url(&quiet, endpoint, "", NULL, "");
    json_t *client = NULL;
    *exit_code = dn_device_call(&quiet, "GET", &url, NULL, &client);
    dn_text_free(&url);
    if (client == NULL) {
        return false;
    }
    dn_text path = {0};
    dn_text_printf(&path, "/models/%u", object);
    const char *version = object_version(client, object);
    if (version[0] != '\0') {
        dn_text_puts(&path, "?version=");
        dn_text_percent(&path, version);
    }
    url = dn_rest_url(&quiet, path.data, false);
    dn_answer model = dn_rest("GET", url.data, NULL, 0, NULL);
    typing->model = model.status == 200 ? json_loadb(model.body.data, model.body.len, 0, NULL) : NULL;
    dn_answer_free(&model);
    dn_text_free(&url);
    dn_text_free(&path);
    json_decref(client);
    return true;
}

void dn_typing_end(dn_typing *typing)
{
    json_decref(typing->model);
    typing->model = NULL;
}

static const json_t *resource_model(const dn_typing *typing, uint16_t resource)
{
    size_t i = 0;
    const json_t *entry = NULL;
    json_array_foreach(json_object_get(typing->model, "resources"), i, entry)
    {
        if (json_integer_value(json_object_get(entry, "id")) == resource) {
            return entry;
        }
    }
    return NULL;
}

bool dn_typing_is_multiple(const dn_typing *typing, uint16_t resource)
{
    return json_is_true(json_object_get(resource_model(typing, resource), "multiple"));
}

static json_t *wrap(json_t *value, const char *type)
{
    if (value == NULL) {
        return NULL;
    }
    json_t *node = json_pack("{s:o}", "value", value);
    if (type != NULL) {
        (void)json_object_set_new(node, "type", json_string(type));
    }
    return node;
}

/* A number, true or false when it reads as one; else a string. */
static json_t *guess(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    if (value == NULL || json_is_object(value) || json_is_array(value) || json_is_null(value)) {
        json_decref(value);
        value = json_string(text);
    }
    return value;
}

static json_t *typed(const char *type, const char *text)
{
    static const char *const as_text[] = {"string", "opaque", "objlnk", "corelnk"};
    for (size_t i = 0; i < sizeof as_text / sizeof as_text[0]; i++) {
        if (strcmp(type, as_text[i]) == 0) {
            return json_string(text);
        }
    }
    if (strcmp(type, "boolean") == 0) {
        const bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0 || strcmp(text, "on") == 0;
        const bool no = strcmp(text, "false") == 0 || strcmp(text, "0") == 0 || strcmp(text, "off") == 0;
        return yes || no ? json_boolean(yes) : NULL;
    }
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    if (json_is_number(value)) {
        return value;
    }
    json_decref(value);
    /* A time in ISO 8601, or a number beyond what jansson holds: the server says if it isn't one. */
    return strcmp(type, "time") == 0 || strcmp(type, "unsigned") == 0 || strcmp(type, "float") == 0
               ? json_string(text)
               : NULL;
}

json_t *dn_typing_value(dn_typing *typing, uint16_t resource, const char *text)
{
    const json_t *model = resource_model(typing, resource);
    const char *type = typing->type != NULL ? typing->type : dn_show_text(model, "type");
    if (type[0] == '\0') {
        return wrap(guess(text), NULL);
    }
    json_t *value = typed(type, text);
    if (value == NULL) {
        const char *name = dn_show_text(model, "name");
        (void)fprintf(stderr, "dunlin: '%s' is no value of type %s, which resource %u%s%s%s has\n", text,
                      type, resource, name[0] != '\0' ? " (" : "", name, name[0] != '\0' ? ")" : "");
    }
    return wrap(value, typing->type);
}

static json_t *find_or_add(json_t *resources, uint16_t id)
{
    size_t i = 0;
    json_t *entry = NULL;
    json_array_foreach(resources, i, entry)
    {
        if (json_integer_value(json_object_get(entry, "id")) == id) {
            return entry;
        }
    }
    entry = json_pack("{s:i}", "id", (int)id);
    (void)json_array_append_new(resources, entry);
    return entry;
}

bool dn_typing_assign(dn_typing *typing, const char *text, json_t *resources)
{
    char *end = NULL;
    const unsigned long id = strtoul(text, &end, 10);
    unsigned long instance = 0;
    bool multiple = false;
    if (end != text && *end == '/') {
        const char *start = end + 1;
        instance = strtoul(start, &end, 10);
        multiple = end != start;
    }
    if (end == text || *end != '=' || id > 65534 || instance > 65534) {
        (void)fprintf(stderr,
                      "dunlin: '%s' must be RESOURCE=VALUE, or RESOURCE/INSTANCE=VALUE, as in 5700=21.5\n",
                      text);
        return false;
    }
    json_t *value = dn_typing_value(typing, (uint16_t)id, end + 1);
    if (value == NULL) {
        return false;
    }
    json_t *node = find_or_add(resources, (uint16_t)id);
    if (multiple || dn_typing_is_multiple(typing, (uint16_t)id)) {
        json_t *values = json_object_get(node, "values");
        if (values == NULL) {
            values = json_array();
            (void)json_object_set_new(node, "values", values);
        }
        (void)json_object_set_new(value, "id", json_integer((json_int_t)instance));
        (void)json_array_append_new(values, value);
    } else {
        (void)json_object_update(node, value);
        json_decref(value);
    }
    return true;
}
