/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin requests, request: what waits for devices that sleep, and what became of it. */
#include "apps/dunlin/command.h"
#include "apps/dunlin/device.h"
#include "apps/dunlin/pages.h"
#include "apps/dunlin/requests.h"
#include "apps/dunlin/show.h"

#include <stdlib.h>
#include <string.h>

static const char LIST_USAGE[] = "dunlin requests [EP] [--limit N] [--json] [--server URL]";
static const char SHOW_USAGE[] = "dunlin request ID [--wait S] [--json] [--server URL]";

void dn_help_requests(FILE *out)
{
    (void)fprintf(
        out,
        "List the requests in the devices' queues: those that wait, and those that ended lately.\n\n"
        "usage: %s\n\n"
        "  EP              only of this device\n"
        "  --limit N       at most N requests (default: all)\n"
        "  --json          one JSON array of all of them\n\n"
        "examples:\n  dunlin requests\n  dunlin requests meter-7 --json | jq '.[].state'\n",
        LIST_USAGE);
}

void dn_help_request(FILE *out)
{
    (void)fprintf(out,
                  "Show a queued request and its answer.\n\nusage: %s\n\n"
                  "  --wait S        wait at most S seconds (0 to 300) for it to end\n"
                  "  --json          print the server's JSON\n\n"
                  "exit code: 0 it was answered with success or still waits, 1 it failed\n\n"
                  "examples:\n  dunlin request 42\n  dunlin request 42 --wait 60\n",
                  SHOW_USAGE);
}

static void add_row(dn_table *table, const json_t *request)
{
    static const char *const members[] = {"id",    "endpoint", "operation", "path",
                                          "state", "code",     "createdAt"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        dn_table_cell(table, dn_show_text(request, members[i]));
    }
}

static void print_table(const json_t *all)
{
    static const char *const titles[] = {"ID", "ENDPOINT", "OPERATION", "PATH", "STATE", "CODE", "CREATED"};
    dn_table table;
    dn_table_start(&table, 7, titles);
    size_t i = 0;
    const json_t *request = NULL;
    json_array_foreach(all, i, request)
    {
        add_row(&table, request);
    }
    dn_table_print(&table, stdout, 1u);
}

int dn_cmd_requests(int argc, char **argv)
{
    const char *limit = NULL;
    const dn_option own[] = {{"--limit", &limit, NULL}, {NULL, NULL, NULL}};
    dn_options options;
    if (!dn_options_read(argc, argv, own, 0, 1, LIST_USAGE, &options)) {
        return EXIT_CODE_USAGE;
    }
    dn_list list = {.path = "/requests", .member = "requests", .parameter = "endpoint"};
    list.text = options.count == 1 ? options.arguments[0] : NULL;
    return dn_list_print(&list, &options, "requests", limit, print_table);
}

static void print_request(const json_t *request)
{
    const char *code = dn_show_text(request, "code");
    const char *detail = dn_show_text(request, "detail");
    const json_t *result = json_object_get(request, "result");
    (void)printf("%s of %s on %s: %s%s%s%s%s\n", dn_show_text(request, "operation"),
                 dn_show_text(request, "path"), dn_show_text(request, "endpoint"),
                 dn_show_text(request, "state"), code[0] != '\0' ? " " : "", code,
                 detail[0] != '\0' ? ": " : "", detail);
    if (json_object_get(result, "node") != NULL) {
        dn_show_node(stdout, dn_show_text(request, "path"), json_object_get(result, "node"));
    }
    if (json_object_get(result, "nodes") != NULL) {
        dn_show_nodes(stdout, json_object_get(result, "nodes"));
    }
}

static int exit_code_of(const json_t *request)
{
    const char *state = dn_show_text(request, "state");
    const bool waits = strcmp(state, "waiting") == 0 || strcmp(state, "delivering") == 0;
    const bool success = strcmp(state, "answered") == 0 && dn_show_text(request, "code")[0] == '2';
    return waits || success ? EXIT_CODE_OK : EXIT_CODE_REFUSED;
}

static dn_text request_url(const dn_options *options, const char *id)
{
    dn_text path = {0};
    dn_text_puts(&path, "/requests/");
    dn_text_percent(&path, id);
    if (options->wait != NULL) {
        dn_text_puts(&path, "?wait=");
        dn_text_percent(&path, options->wait);
    }
    dn_text url = dn_rest_url(options, path.data, false);
    dn_text_free(&path);
    return url;
}

int dn_cmd_request(int argc, char **argv)
{
    dn_options options;
    if (!dn_options_read(argc, argv, NULL, 1, 1, SHOW_USAGE, &options)) {
        return EXIT_CODE_USAGE;
    }
    dn_text url = request_url(&options, options.arguments[0]);
    json_t *request = NULL;
    int exit_code = dn_device_call(&options, "GET", &url, NULL, &request);
    if (request != NULL) {
        exit_code = exit_code_of(request);
        if (!options.json) {
            print_request(request);
        }
    }
    json_decref(request);
    dn_text_free(&url);
    return exit_code;
}

int dn_request_cancel(const dn_options *options, const char *id)
{
    dn_text url = request_url(options, id);
    json_t *request = NULL;
    const int exit_code = dn_device_call(options, "DELETE", &url, NULL, &request);
    if (request != NULL && !options->json) {
        (void)printf("request %s: %s\n", dn_show_text(request, "id"), dn_show_text(request, "state"));
    }
    json_decref(request);
    dn_text_free(&url);
    return exit_code;
}
