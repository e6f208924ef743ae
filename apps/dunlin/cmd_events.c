/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin events: the fleet as it lives. */
#include "apps/dunlin/command.h"
#include "apps/dunlin/rest.h"
#include "apps/dunlin/show.h"

#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "dunlin events [--ep EP] [--type A,B] [--since ID] [--count N] [--json] [--server URL]";

void dn_help_events(FILE *out)
{
    (void)fprintf(
        out,
        "Print what happens in the fleet as it happens, until Ctrl-C. A broken connection is taken up where it broke.\n\n"
        "usage: %s\n\n"
        "  --ep EP         only of this endpoint\n"
        "  --type A,B      only registered, updated, deregistered, expired, notification,\n"
        "                  send, presence, request, bootstrap-requested, bootstrap-step,\n"
        "                  bootstrap-repairing, bootstrap-finished, bootstrap-failed,\n"
        "                  bootstrap-refused, enrolled, enrolment-refused\n"
        "  --since ID      begin after the event with this id\n"
        "  --count N       stop after N events\n"
        "  --json          one JSON object per line\n\n"
        "examples:\n  dunlin events\n  dunlin events --type registered,expired --json\n",
        USAGE);
}

typedef struct {
    bool json;
    unsigned long left; /* 0: no end */
} printing;

/* A notification or a Send. */
static void print_values(const json_t *event, const char *time, const char *endpoint)
{
    size_t i = 0;
    const json_t *entry = NULL;
    if (json_object_get(event, "node") != NULL) {
        dn_show_node_stream(stdout, time, endpoint, dn_show_text(event, "path"),
                            json_object_get(event, "node"));
    }
    json_array_foreach(json_object_get(event, "nodes"), i, entry)
    {
        dn_show_node_stream(stdout, time, endpoint, dn_show_text(entry, "path"),
                            json_object_get(entry, "node"));
    }
}

/* What else there is to say, on the same line. */
static void print_details(const json_t *event)
{
    const json_t *request = json_object_get(event, "request");
    const char *texts[] = {dn_show_text(event, "presence"),
                           dn_show_text(request, "id"),
                           dn_show_text(request, "operation"),
                           dn_show_text(request, "path"),
                           dn_show_text(request, "state"),
                           dn_show_text(request, "code"),
                           dn_show_text(event, "operation"),
                           dn_show_text(event, "path"),
                           dn_show_text(event, "code"),
                           dn_show_text(event, "why"),
                           dn_show_text(json_object_get(event, "client"), "address")};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        (void)fputs(texts[i][0] != '\0' ? "  " : "", stdout);
        dn_show_plain(stdout, texts[i]);
    }
    (void)puts("");
}

static bool on_event(void *context, const char *id, const char *type, const char *data)
{
    printing *p = context;
    (void)id;
    if (p->json) {
        (void)printf("%s\n", data);
    } else if (strcmp(type, "gap") == 0) {
        (void)fputs("dunlin: some events were missed\n", stderr);
        return true;
    } else {
        json_t *event = dn_show_load(data, strlen(data));
        const char *time = dn_show_text(event, "time");
        const char *endpoint = dn_show_text(event, "endpoint");
        if (json_object_get(event, "node") != NULL || json_object_get(event, "nodes") != NULL) {
            print_values(event, time, endpoint);
        } else {
            (void)printf("%s  %s  %s", time, endpoint, type);
            print_details(event);
        }
        json_decref(event);
    }
    (void)fflush(stdout);
    return p->left == 0 || --p->left > 0;
}

static void add_query(dn_text *path, const char *name, const char *value)
{
    if (value != NULL) {
        dn_text_puts(path, strchr(path->data, '?') == NULL ? "?" : "&");
        dn_text_printf(path, "%s=", name);
        dn_text_percent(path, value);
    }
}

int dn_cmd_events(int argc, char **argv)
{
    const char *ep = NULL;
    const char *type = NULL;
    const char *since = NULL;
    const char *count = NULL;
    const dn_option own[] = {{"--ep", &ep, NULL},
                             {"--type", &type, NULL},
                             {"--since", &since, NULL},
                             {"--count", &count, NULL},
                             {NULL, NULL, NULL}};
    dn_options options;
    if (!dn_options_read(argc, argv, own, 0, 0, USAGE, &options)) {
        return EXIT_CODE_USAGE;
    }
    printing p = {options.json, 0};
    if (!dn_options_count("events", "--count", count, &p.left)) {
        return EXIT_CODE_USAGE;
    }
    dn_text path = {0};
    dn_text_puts(&path, "/events");
    add_query(&path, "ep", ep);
    add_query(&path, "type", type);
    add_query(&path, "lastEventId", since);
    dn_text url = dn_rest_url(&options, path.data, false);
    const int exit_code = dn_rest_follow(&options, url.data, NULL, on_event, &p);
    dn_text_free(&url);
    dn_text_free(&path);
    return exit_code;
}
