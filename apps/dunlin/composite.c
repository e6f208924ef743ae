/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/dunlin/composite.h"

#include "apps/dunlin/command.h"
#include "apps/dunlin/show.h"

#include <string.h>

#define PATH_TEXT_MAX 32u

json_t *dn_composite_paths(const char *command, const dn_options *options, int first)
{
    json_t *paths = json_array();
    for (int i = first; i < options->count; i++) {
        dn_device_path path;
        if (!dn_device_path_read(command, options->arguments[i], 1, 4, &path)) {
            json_decref(paths);
            return NULL;
        }
        (void)json_array_append_new(paths, json_string(path.text));
    }
    return json_pack("{s:o}", "paths", paths);
}

int dn_composite_read(const dn_options *options)
{
    json_t *body = dn_composite_paths("read", options, 1);
    if (body == NULL) {
        return EXIT_CODE_USAGE;
    }
    dn_text url = dn_device_url(options, options->arguments[0], "/composite/read", NULL, "");
    json_t *answer = NULL;
    const int exit_code = dn_device_call(options, "POST", &url, body, &answer);
    if (answer != NULL && !options->json) {
        dn_show_nodes(stdout, json_object_get(answer, "nodes"));
    }
    json_decref(answer);
    json_decref(body);
    dn_text_free(&url);
    return exit_code;
}

/* The path of "/1/0/1=60", and where its value begins. */
static bool split(const char *text, dn_device_path *path, const char **value)
{
    char name[PATH_TEXT_MAX];
    const size_t len = strcspn(text, "=");
    if (len >= sizeof name || text[len] != '=') {
        (void)fprintf(stderr, "dunlin write: '%s' must be PATH=VALUE, as in /1/0/1=300\n", text);
        return false;
    }
    memcpy(name, text, len);
    name[len] = '\0';
    *value = text + len + 1;
    return dn_device_path_read("write", name, 3, 4, path);
}

/* Adds "/1/0/1=60" to `values`, typed by the definition of its Object. */
static bool assign(const dn_options *options, const char *type, const char *text, json_t *values,
                   int *exit_code)
{
    dn_device_path path;
    const char *value = NULL;
    dn_typing typing;
    *exit_code = EXIT_CODE_USAGE;
    if (!split(text, &path, &value) ||
        !dn_typing_start(&typing, options, options->arguments[0], path.id[0], type, exit_code)) {
        return false;
    }
    json_t *node = dn_typing_value(&typing, path.id[2], value);
    if (node != NULL) {
        (void)json_object_set(values, path.text, json_object_get(node, "value"));
    }
    dn_typing_end(&typing);
    json_decref(node);
    *exit_code = node != NULL ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    return node != NULL;
}

int dn_composite_write(const dn_options *options, const char *type)
{
    dn_device_path path;
    const char *value = NULL;
    for (int i = 1; i < options->count; i++) { /* before anything is asked of the server */
        if (!split(options->arguments[i], &path, &value)) {
            return EXIT_CODE_USAGE;
        }
    }
    json_t *values = json_object();
    int exit_code = EXIT_CODE_OK;
    for (int i = 1; i < options->count; i++) {
        if (!assign(options, type, options->arguments[i], values, &exit_code)) {
            json_decref(values);
            return exit_code;
        }
    }
    json_t *body = json_pack("{s:o}", "values", values);
    dn_text url = dn_device_url(options, options->arguments[0], "/composite/write", NULL, "");
    json_t *answer = NULL;
    exit_code = dn_device_call(options, "POST", &url, body, &answer);
    if (answer != NULL && !options->json) {
        (void)printf("written %d paths (%s)\n", options->count - 1, dn_show_text(answer, "code"));
    }
    json_decref(answer);
    json_decref(body);
    dn_text_free(&url);
    return exit_code;
}
