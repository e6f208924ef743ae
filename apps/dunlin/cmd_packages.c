/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin packages: the files that devices can get. */
#include "apps/dunlin/command.h"
#include "apps/dunlin/device.h"
#include "apps/dunlin/packages.h"
#include "apps/dunlin/show.h"
#include "apps/dunlin/upload.h"

#include <string.h>

static const char USAGE[] = "dunlin packages [add FILE [--name TEXT] | rm ID] [--json] [--server URL]";

void dn_help_packages(FILE *out)
{
    (void)fprintf(
        out,
        "List, add and remove the packages (firmware, files) that the server keeps for devices.\n\n"
        "usage: %s\n\n"
        "  add FILE        upload a file; the same bytes are the same package\n"
        "  rm ID           remove a package\n"
        "  --name TEXT     with add: its name (default: the file's)\n"
        "  --json          print the server's JSON\n\n"
        "A device gets a package by 'dunlin firmware', or by its coap:// address from wherever its\n"
        "objects name one.\n\n"
        "examples:\n  dunlin packages add firmware-1.2.bin\n  dunlin packages\n",
        USAGE);
}

json_t *dn_package_add(const char *command, const dn_options *options, const char *file, const char *name,
                       int *exit_code)
{
    const char *slash = strrchr(file, '/');
    const char *own_name = slash == NULL ? file : slash + 1;
    dn_text path = {0};
    dn_text_puts(&path, "/packages?name=");
    dn_text_percent(&path, name != NULL ? name : own_name);
    dn_text url = dn_rest_url(options, path.data, false);
    dn_answer answer;
    json_t *package = NULL;
    *exit_code = EXIT_CODE_USAGE;
    if (dn_upload(command, url.data, file, &answer)) {
        *exit_code = EXIT_CODE_OK;
        package = answer.status == 200 || answer.status == 201
                      ? json_loadb(answer.body.data, answer.body.len, 0, NULL)
                      : NULL;
        if (package == NULL) {
            *exit_code = dn_rest_trouble(options, &answer);
        }
        dn_answer_free(&answer);
    }
    dn_text_free(&url);
    dn_text_free(&path);
    return package;
}

json_t *dn_package_get(const dn_options *options, const char *id, int *exit_code)
{
    dn_options quiet = *options;
    quiet.json = false;
    dn_text path = {0};
    dn_text_puts(&path, "/packages/");
    dn_text_percent(&path, id);
    dn_text url = dn_rest_url(options, path.data, false);
    json_t *package = NULL;
    *exit_code = dn_device_call(&quiet, "GET", &url, NULL, &package);
    dn_text_free(&url);
    dn_text_free(&path);
    return package;
}

static int add(const dn_options *options, const char *file, const char *name)
{
    int exit_code = EXIT_CODE_OK;
    json_t *package = dn_package_add("packages", options, file, name, &exit_code);
    if (package != NULL && options->json) {
        (void)json_dumpf(package, stdout, JSON_COMPACT);
        (void)puts("");
    } else if (package != NULL) {
        (void)printf("%s  %s\n", dn_show_text(package, "id"), dn_show_text(package, "name"));
    }
    json_decref(package);
    return exit_code;
}

static int list(const dn_options *options)
{
    static const char *const titles[] = {"ID", "NAME", "SIZE", "CREATED", "ADDRESS"};
    dn_text url = dn_rest_url(options, "/packages", false);
    json_t *answer = NULL;
    const int exit_code = dn_device_call(options, "GET", &url, NULL, &answer);
    dn_text_free(&url);
    if (answer != NULL && !options->json) {
        dn_table table;
        dn_table_start(&table, 5, titles);
        size_t i = 0;
        const json_t *package = NULL;
        json_array_foreach(json_object_get(answer, "packages"), i, package)
        {
            char size[32];
            (void)snprintf(size, sizeof size, "%" JSON_INTEGER_FORMAT,
                           json_integer_value(json_object_get(package, "size")));
            const char *uri = json_string_value(json_array_get(json_object_get(package, "uris"), 0));
            dn_table_cell(&table, dn_show_text(package, "id"));
            dn_table_cell(&table, dn_show_text(package, "name"));
            dn_table_cell(&table, size);
            dn_table_cell(&table, dn_show_text(package, "createdAt"));
            dn_table_cell(&table, uri == NULL ? "" : uri);
        }
        dn_table_print(&table, stdout, 1u << 2);
    }
    json_decref(answer);
    return exit_code;
}

static int drop(const dn_options *options, const char *id)
{
    dn_text path = {0};
    dn_text_puts(&path, "/packages/");
    dn_text_percent(&path, id);
    dn_text url = dn_rest_url(options, path.data, false);
    dn_answer answer = dn_rest("DELETE", url.data, NULL, 0, NULL);
    int exit_code = EXIT_CODE_OK;
    if (answer.status < 200 || answer.status > 299) {
        exit_code = dn_rest_trouble(options, &answer);
    } else if (!options->json) {
        (void)printf("removed %s\n", id);
    }
    dn_answer_free(&answer);
    dn_text_free(&url);
    dn_text_free(&path);
    return exit_code;
}

int dn_cmd_packages(int argc, char **argv)
{
    const char *name = NULL;
    const dn_option own[] = {{"--name", &name, NULL}, {NULL, NULL, NULL}};
    dn_options options;
    if (!dn_options_read(argc, argv, own, 0, 2, USAGE, &options)) {
        return EXIT_CODE_USAGE;
    }
    if (options.count == 0 && name == NULL) {
        return list(&options);
    }
    if (options.count == 2 && strcmp(options.arguments[0], "add") == 0) {
        return add(&options, options.arguments[1], name);
    }
    if (options.count == 2 && strcmp(options.arguments[0], "rm") == 0 && name == NULL) {
        return drop(&options, options.arguments[1]);
    }
    (void)fprintf(stderr, "usage: %s\nTry 'dunlin packages --help'.\n", USAGE);
    return EXIT_CODE_USAGE;
}
