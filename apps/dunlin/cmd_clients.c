/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin clients: who is registered. */
#include "apps/dunlin/command.h"
#include "apps/dunlin/rest.h"
#include "apps/dunlin/show.h"

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] = "dunlin clients [--filter TEXT] [--limit N] [--json] [--server URL]";

void dn_help_clients(FILE *out)
{
    (void)fprintf(
        out,
        "List the devices that are registered.\n\nusage: %s\n\n"
        "  --filter TEXT   only endpoints that contain TEXT\n"
        "  --limit N       at most N devices (default: all)\n"
        "  --json          one JSON array of all of them\n\n"
        "examples:\n  dunlin clients\n  dunlin clients --filter thermo --json | jq -r '.[].endpoint'\n",
        USAGE);
}

static void add_row(dn_table *table, const json_t *client)
{
    dn_table_cell(table, dn_show_text(client, "endpoint"));
    const char *presence = dn_show_text(client, "presence");
    dn_table_cell(table, presence[0] != '\0' ? presence : dn_show_text(client, "state"));
    dn_table_cell(table, dn_show_text(client, "lwm2m"));
    char binding[16];
    (void)snprintf(binding, sizeof binding, "%.10s%s", dn_show_text(client, "binding"),
                   json_is_true(json_object_get(client, "queueMode")) ? "Q" : "");
    dn_table_cell(table, binding);
    dn_table_cell(table, dn_show_text(client, "transport"));
    dn_table_cell(table, dn_show_text(client, "security"));
    char lifetime[32];
    (void)snprintf(lifetime, sizeof lifetime, "%" JSON_INTEGER_FORMAT " s",
                   json_integer_value(json_object_get(client, "lifetime")));
    dn_table_cell(table, lifetime);
    char queued[32];
    (void)snprintf(queued, sizeof queued, "%" JSON_INTEGER_FORMAT,
                   json_integer_value(json_object_get(client, "queued")));
    dn_table_cell(table, queued);
    dn_table_cell(table, dn_show_text(client, "updatedAt"));
    dn_table_cell(table, dn_show_text(client, "address"));
}

static void print_table(const json_t *all)
{
    static const char *const titles[] = {"ENDPOINT", "STATE",    "LWM2M",  "BINDING",     "VIA",
                                         "SECURITY", "LIFETIME", "QUEUED", "LAST UPDATE", "ADDRESS"};
    dn_table table;
    dn_table_start(&table, 10, titles);
    size_t i = 0;
    const json_t *client = NULL;
    json_array_foreach(all, i, client)
    {
        add_row(&table, client);
    }
    dn_table_print(&table, stdout, 1u << 6 | 1u << 7);
}

/* Appends a page to `all`; gives the cursor of the next one, or NULL with the exit code. */
static char *take_page(const dn_options *options, const char *url, size_t limit, json_t *all, int *exit_code)
{
    dn_answer answer = dn_rest("GET", url, NULL, 0, NULL);
    char *next = NULL;
    json_t *page = answer.status == 200 ? json_loadb(answer.body.data, answer.body.len, 0, NULL) : NULL;
    if (page == NULL) {
        *exit_code = dn_rest_trouble(options, &answer);
    } else {
        size_t i = 0;
        json_t *client = NULL;
        json_array_foreach(json_object_get(page, "clients"), i, client)
        {
            if (json_array_size(all) < limit) {
                (void)json_array_append(all, client);
            }
        }
        const char *cursor = dn_show_text(page, "next");
        next = cursor[0] != '\0' && json_array_size(all) < limit ? strdup(cursor) : NULL;
    }
    json_decref(page);
    dn_answer_free(&answer);
    return next;
}

int dn_cmd_clients(int argc, char **argv)
{
    const char *filter = NULL;
    const char *limit_text = NULL;
    const dn_option own[] = {{"--filter", &filter, NULL}, {"--limit", &limit_text, NULL}, {NULL, NULL, NULL}};
    dn_options options;
    if (!dn_options_read(argc, argv, own, 0, 0, USAGE, &options)) {
        return EXIT_CODE_USAGE;
    }
    unsigned long limit = ULONG_MAX;
    if (!dn_options_count("clients", "--limit", limit_text, &limit)) {
        return EXIT_CODE_USAGE;
    }
    json_t *all = json_array();
    int exit_code = EXIT_CODE_OK;
    char *cursor = NULL;
    do {
        dn_text path = {0};
        dn_text_printf(&path, "/clients?limit=%lu", limit < 1000 ? limit : 1000ul);
        if (filter != NULL) {
            dn_text_puts(&path, "&q=");
            dn_text_percent(&path, filter);
        }
        if (cursor != NULL) {
            dn_text_puts(&path, "&after=");
            dn_text_percent(&path, cursor);
        }
        dn_text url = dn_rest_url(&options, path.data, false);
        free(cursor);
        cursor = take_page(&options, url.data, limit, all, &exit_code);
        dn_text_free(&url);
        dn_text_free(&path);
    } while (cursor != NULL);
    if (exit_code == EXIT_CODE_OK && options.json) {
        (void)json_dumpf(all, stdout, JSON_INDENT(2));
        (void)puts("");
    } else if (exit_code == EXIT_CODE_OK) {
        print_table(all);
    }
    json_decref(all);
    return exit_code;
}
