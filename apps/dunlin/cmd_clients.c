/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin clients: who is registered. */
#include "apps/dunlin/command.h"
#include "apps/dunlin/pages.h"
#include "apps/dunlin/show.h"

#include <jansson.h>

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

int dn_cmd_clients(int argc, char **argv)
{
    const char *filter = NULL;
    const char *limit_text = NULL;
    const dn_option own[] = {{"--filter", &filter, NULL}, {"--limit", &limit_text, NULL}, {NULL, NULL, NULL}};
    dn_options options;
    if (!dn_options_read(argc, argv, own, 0, 0, USAGE, &options)) {
        return EXIT_CODE_USAGE;
    }
    dn_list list = {.path = "/clients", .member = "clients", .parameter = "q", .text = filter};
    return dn_list_print(&list, &options, "clients", limit_text, print_table);
}
