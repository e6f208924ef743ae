/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin read, exec, delete, discover: one call to a device each. */
#include "apps/dunlin/command.h"
#include "apps/dunlin/composite.h"
#include "apps/dunlin/device.h"
#include "apps/dunlin/show.h"
#include "apps/dunlin/sweep.h"

#include <stdlib.h>
#include <string.h>

static const char READ_USAGE[] =
    "dunlin read EP PATH ... | --all [--match TEXT] PATH [--format NAME] [--wait S] [--json] [--server URL]";
static const char EXEC_USAGE[] = "dunlin exec EP PATH [ARGS] [--timeout S] [--json] [--server URL]";
static const char DELETE_USAGE[] = "dunlin delete EP PATH [--timeout S] [--json] [--server URL]";
static const char DISCOVER_USAGE[] = "dunlin discover EP PATH [--timeout S] [--json] [--server URL]";

#define DEVICE_OPTIONS DN_QUEUE_HELP "  --json          print the server's JSON\n"

void dn_help_read(FILE *out)
{
    (void)fprintf(
        out,
        "Read an object, an instance, a resource or a resource instance of a device; several paths in one\n"
        "request (Read-Composite); or, with --all, one path of every device.\n\nusage: %s\n\n"
        "  --all           read PATH of all devices, a line each as the answers come\n"
        "  --match TEXT    with --all: only endpoints that contain TEXT\n"
        "  --in-flight N   with --all: devices asked at one time (default: 64)\n"
        "  --format NAME   text, opaque, cbor, senml-json, senml-cbor, tlv or lwm2m-json\n" DEVICE_OPTIONS
        "\n"
        "examples:\n"
        "  dunlin read thermo-1 /3303/0/5700\n"
        "  dunlin read thermo-1 /3/0\n"
        "  dunlin read thermo-1 /3 --json\n"
        "  dunlin read thermo-1 /3/0/9 /1/0/1 /3303/0/5700\n"
        "  dunlin read --all /3/0/9 --match meter- --json\n  dunlin read sleepy-4 /3/0 --wait 60\n",
        READ_USAGE);
}

void dn_help_exec(FILE *out)
{
    (void)fprintf(out,
                  "Execute a resource of a device.\n\nusage: %s\n\n"
                  "  ARGS            arguments as LwM2M writes them: 0='text',1\n" DEVICE_OPTIONS "\n"
                  "examples:\n"
                  "  dunlin exec thermo-1 /3/0/4\n"
                  "  dunlin exec thermo-1 /3303/0/5605\n"
                  "  dunlin exec dev-7 /1/0/8 \"0='U'\"\n",
                  EXEC_USAGE);
}

void dn_help_delete(FILE *out)
{
    (void)fprintf(out,
                  "Delete an object instance of a device.\n\nusage: %s\n\n" DEVICE_OPTIONS
                  "\nexample:\n  dunlin delete dev-7 /16/1\n",
                  DELETE_USAGE);
}

void dn_help_discover(FILE *out)
{
    (void)fprintf(out,
                  "List what a device has below an object, instance or resource, with its attributes.\n\n"
                  "usage: %s\n\n" DEVICE_OPTIONS
                  "\nexamples:\n  dunlin discover thermo-1 /3\n  dunlin discover thermo-1 /3303/0/5700\n",
                  DISCOVER_USAGE);
}

/* Reads "EP PATH" and calls. */
static int call(const dn_options *options, const char *command, int least, int most, const char *method,
                const char *query, const json_t *body, json_t **answer)
{
    dn_device_path path;
    *answer = NULL;
    if (!dn_device_path_read(command, options->arguments[1], least, most, &path)) {
        return EXIT_CODE_USAGE;
    }
    dn_text url = dn_device_url(options, options->arguments[0], "", &path, query);
    const int exit_code = dn_device_call(options, method, &url, body, answer);
    dn_text_free(&url);
    return exit_code;
}

int dn_cmd_read(int argc, char **argv)
{
    dn_options options;
    dn_sweep sweep = {0};
    bool all = false;
    const dn_option own[] = {{"--all", NULL, &all},
                             {"--match", &sweep.match, NULL},
                             {"--in-flight", &sweep.in_flight, NULL},
                             {NULL, NULL, NULL}};
    if (!dn_options_read(argc, argv, own, 1, DN_PATHS_MAX + 1, READ_USAGE, &options)) {
        return EXIT_CODE_USAGE;
    }
    if ((options.count == 1) != all || (!all && (sweep.match != NULL || sweep.in_flight != NULL))) {
        (void)fprintf(stderr, "usage: %s\nTry 'dunlin read --help'.\n", READ_USAGE);
        return EXIT_CODE_USAGE;
    }
    if (all) {
        return dn_sweep_read(&options, &sweep);
    }
    if (options.count > 2) {
        return dn_composite_read(&options);
    }
    json_t *answer = NULL;
    const int exit_code = call(&options, "read", 1, 4, "GET", "", NULL, &answer);
    if (answer != NULL && !options.json) {
        dn_show_node(stdout, dn_show_text(answer, "path"), json_object_get(answer, "node"));
    }
    json_decref(answer);
    return exit_code;
}

static int report(const dn_options *options, json_t *answer, const char *done, int exit_code)
{
    if (answer != NULL && !options->json) {
        (void)printf("%s %s (%s)\n", done, dn_show_text(answer, "path"), dn_show_text(answer, "code"));
    }
    json_decref(answer);
    return exit_code;
}

int dn_cmd_exec(int argc, char **argv)
{
    dn_options options;
    if (!dn_options_read(argc, argv, NULL, 2, 3, EXEC_USAGE, &options)) {
        return EXIT_CODE_USAGE;
    }
    json_t *body = options.count == 3 ? json_pack("{s:s}", "args", options.arguments[2]) : NULL;
    json_t *answer = NULL;
    const int exit_code = call(&options, "exec", 3, 3, "POST", "", body, &answer);
    json_decref(body);
    return report(&options, answer, "executed", exit_code);
}

int dn_cmd_delete(int argc, char **argv)
{
    dn_options options;
    if (!dn_options_read(argc, argv, NULL, 2, 2, DELETE_USAGE, &options)) {
        return EXIT_CODE_USAGE;
    }
    json_t *answer = NULL;
    const int exit_code = call(&options, "delete", 2, 2, "DELETE", "", NULL, &answer);
    return report(&options, answer, "deleted", exit_code);
}

/* "pmin=10 dim=2" */
static void attributes_text(const json_t *attributes, dn_text *out)
{
    const char *name = NULL;
    json_t *value = NULL;
    dn_text_clear(out);
    json_object_foreach((json_t *)(uintptr_t)attributes, name, value)
    {
        dn_text_puts(out, out->len > 0 ? " " : "");
        dn_text_puts(out, name);
        if (json_is_string(value)) {
            dn_text_puts(out, "=");
            dn_text_puts(out, json_string_value(value));
        }
    }
}

static void print_links(const json_t *links)
{
    static const char *const titles[] = {"PATH", "ATTRIBUTES"};
    dn_table table;
    dn_table_start(&table, 2, titles);
    size_t i = 0;
    const json_t *link = NULL;
    dn_text attributes = {0};
    json_array_foreach(links, i, link)
    {
        attributes_text(json_object_get(link, "attributes"), &attributes);
        dn_table_cell(&table, dn_show_text(link, "path"));
        dn_table_cell(&table, attributes.data);
    }
    dn_text_free(&attributes);
    dn_table_print(&table, stdout, 0);
}

int dn_cmd_discover(int argc, char **argv)
{
    dn_options options;
    if (!dn_options_read(argc, argv, NULL, 2, 2, DISCOVER_USAGE, &options)) {
        return EXIT_CODE_USAGE;
    }
    json_t *answer = NULL;
    const int exit_code = call(&options, "discover", 1, 3, "GET", "?op=discover", NULL, &answer);
    if (answer != NULL && !options.json) {
        print_links(json_object_get(answer, "links"));
    }
    json_decref(answer);
    return exit_code;
}
