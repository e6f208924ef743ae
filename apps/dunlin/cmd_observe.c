/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin observe, observations, cancel. */
#include "apps/dunlin/command.h"
#include "apps/dunlin/composite.h"
#include "apps/dunlin/device.h"
#include "apps/dunlin/requests.h"
#include "apps/dunlin/show.h"

#include <stdlib.h>
#include <string.h>

static const char OBSERVE_USAGE[] =
    "dunlin observe EP PATH ... [--keep] [--count N] [--format NAME] [--json] [--server URL]";
static const char LIST_USAGE[] = "dunlin observations EP [--json] [--server URL]";
static const char CANCEL_USAGE[] = "dunlin cancel EP PATH ... | ID [--json] [--server URL]";

void dn_help_observe(FILE *out)
{
    (void)fprintf(
        out,
        "Observe a path of a device, or several at once (Observe-Composite), and print the values as they come,\n"
        "until Ctrl-C.\n"
        "An observation that this command started ends with it; one that was there stays.\n\nusage: %s\n\n"
        "  --keep          leave the observation in place at the end\n"
        "  --count N       stop after N notifications\n"
        "  --format NAME   text, opaque, cbor, senml-json, senml-cbor, tlv or lwm2m-json\n"
        "  --timeout S     seconds to wait for the device's first answer (1 to 300)\n"
        "  --json          one JSON object per line\n\n"
        "examples:\n"
        "  dunlin observe thermo-1 /3303/0/5700\n"
        "  dunlin observe thermo-1 /3303 --json | jq .node\n"
        "  dunlin observe thermo-1 /3/0/9 /3303/0/5700\n",
        OBSERVE_USAGE);
}

void dn_help_observations(FILE *out)
{
    (void)fprintf(out,
                  "List the observations of a device, with their last values.\n\n"
                  "usage: %s\n\n"
                  "example:\n"
                  "  dunlin observations thermo-1\n",
                  LIST_USAGE);
}

void dn_help_cancel(FILE *out)
{
    (void)fprintf(out,
                  "End an observation, or take back the queued request ID.\n\nusage: %s\n\n"
                  "An observation of several paths is named by the same paths.\n\n"
                  "examples:\n"
                  "  dunlin cancel thermo-1 /3303/0/5700\n"
                  "  dunlin cancel thermo-1 /3/0/9 /3303/0/5700\n"
                  "  dunlin cancel 42\n",
                  CANCEL_USAGE);
}

typedef struct {
    const dn_options *options;
    const char *endpoint;
    dn_device_path path; /* of a plain observation */
    json_t *paths;       /* {"paths":[…]} of several; else NULL */
    bool was_there, started;
    char first[40];     /* when the first value came: the event that tells of it again is left out */
    unsigned long left; /* notifications until we stop; 0: no end */
    int exit_code;
} observing;

/* The values of an answer or a notification, a line each. */
static void print_values(const observing *o, const char *time, const json_t *from)
{
    size_t i = 0;
    const json_t *entry = NULL;
    if (o->paths == NULL) {
        dn_show_node_stream(stdout, time, o->endpoint, o->path.text, json_object_get(from, "node"));
    }
    json_array_foreach(json_object_get(from, "nodes"), i, entry)
    {
        dn_show_node_stream(stdout, time, o->endpoint, dn_show_text(entry, "path"),
                            json_object_get(entry, "node"));
    }
}

/* Starts (`method` PUT) or ends (DELETE) it. */
static dn_answer ask(const observing *o, const dn_options *options, const char *method)
{
    const bool several = o->paths != NULL;
    dn_text url = dn_device_url(options, o->endpoint, several ? "/composite/observe" : "/observations",
                                several ? NULL : &o->path, "");
    char *body = several ? json_dumps(o->paths, JSON_COMPACT) : NULL;
    const char *verb = several && strcmp(method, "PUT") == 0 ? "POST" : method;
    dn_answer answer = dn_rest(verb, url.data, body, body == NULL ? 0 : strlen(body), "application/json");
    free(body);
    dn_text_free(&url);
    return answer;
}

/* Whether a notification is of what is observed here. */
static bool is_ours(const observing *o, const json_t *event)
{
    const bool same = o->paths == NULL ? strcmp(dn_show_text(event, "path"), o->path.text) == 0
                                       : json_equal(json_object_get(event, "paths"),
                                                    json_object_get(o->paths, "paths")) == 1;
    return same && strcmp(dn_show_text(event, "time"), o->first) != 0;
}

/* The server's answer to PUT, in the form of a notification. */
static void print_first(const observing *o, const json_t *answer)
{
    print_values(o, dn_show_text(answer, "receivedAt"), answer);
}

static bool start(void *context)
{
    observing *o = context;
    dn_answer answer = ask(o, o->options, "PUT");
    o->started = answer.status == 200 || answer.status == 201;
    o->was_there = answer.status == 200;
    if (!o->started) {
        o->exit_code = dn_rest_trouble(o->options, &answer);
    } else {
        json_t *first = dn_show_load(answer.body.data, answer.body.len);
        (void)snprintf(o->first, sizeof o->first, "%s", dn_show_text(first, "receivedAt"));
        if (o->options->json) {
            (void)printf("%s\n", answer.body.data);
            (void)fflush(stdout);
        } else {
            print_first(o, first);
        }
        json_decref(first);
    }
    dn_answer_free(&answer);
    return o->started;
}

static bool on_notification(void *context, const char *id, const char *type, const char *data)
{
    observing *o = context;
    (void)id;
    json_t *event = dn_show_load(data, strlen(data));
    const bool ours = is_ours(o, event);
    if (strcmp(type, "gap") == 0) {
        (void)fputs("dunlin: some notifications were missed\n", stderr);
    } else if (ours && o->options->json) {
        (void)printf("%s\n", data);
        (void)fflush(stdout);
    } else if (ours) {
        print_values(o, dn_show_text(event, "time"), event);
    }
    json_decref(event);
    return !ours || o->left == 0 || --o->left > 0;
}

static void finish(const observing *o)
{
    dn_options quiet = *o->options;
    quiet.json = false;
    dn_answer answer = ask(o, &quiet, "DELETE");
    if (answer.status < 200 || answer.status > 299) {
        (void)dn_rest_trouble(&quiet, &answer);
    }
    dn_answer_free(&answer);
}

int dn_cmd_observe(int argc, char **argv)
{
    bool keep = false;
    const char *count = NULL;
    const dn_option own[] = {{"--keep", NULL, &keep}, {"--count", &count, NULL}, {NULL, NULL, NULL}};
    dn_options options;
    observing o = {.options = &options};
    if (!dn_options_read(argc, argv, own, 2, DN_PATHS_MAX + 1, OBSERVE_USAGE, &options) ||
        !dn_device_path_read("observe", options.arguments[1], 1, 4, &o.path) ||
        !dn_options_count("observe", "--count", count, &o.left)) {
        return EXIT_CODE_USAGE;
    }
    if (options.count > 2 && (o.paths = dn_composite_paths("observe", &options, 1)) == NULL) {
        return EXIT_CODE_USAGE;
    }
    o.endpoint = options.arguments[0];
    dn_text path = {0};
    dn_text_puts(&path, "/events?type=notification,gap&ep=");
    dn_text_percent(&path, o.endpoint);
    dn_text url = dn_rest_url(&options, path.data, false);
    const int exit_code = dn_rest_follow(&options, url.data, start, on_notification, &o);
    if (o.started && !o.was_there && !keep) {
        finish(&o);
    }
    dn_text_free(&url);
    dn_text_free(&path);
    json_decref(o.paths);
    return o.exit_code != EXIT_CODE_OK ? o.exit_code : exit_code;
}

/* "/3/0", or the paths of an Observe-Composite. */
static void paths_text(const json_t *observation, dn_text *out)
{
    size_t i = 0;
    const json_t *path = NULL;
    dn_text_clear(out);
    json_array_foreach(json_object_get(observation, "paths"), i, path)
    {
        dn_text_puts(out, i > 0 ? " " : "");
        dn_text_puts(out, json_string_value(path));
    }
    if (out->len == 0) {
        dn_text_puts(out, dn_show_text(observation, "path"));
    }
}

static void print_observations(const json_t *list)
{
    static const char *const titles[] = {"PATH", "STATE", "SINCE", "LAST RECEIVED"};
    dn_table table;
    dn_table_start(&table, 4, titles);
    size_t i = 0;
    const json_t *entry = NULL;
    dn_text paths = {0};
    json_array_foreach(list, i, entry)
    {
        paths_text(entry, &paths);
        dn_table_cell(&table, paths.data);
        dn_table_cell(&table, dn_show_text(entry, "state"));
        dn_table_cell(&table, dn_show_text(entry, "since"));
        dn_table_cell(&table, dn_show_text(json_object_get(entry, "last"), "receivedAt"));
    }
    dn_text_free(&paths);
    dn_table_print(&table, stdout, 0);
}

int dn_cmd_observations(int argc, char **argv)
{
    dn_options options;
    if (!dn_options_read(argc, argv, NULL, 1, 1, LIST_USAGE, &options)) {
        return EXIT_CODE_USAGE;
    }
    dn_text url = dn_device_url(&options, options.arguments[0], "/observations", NULL, "");
    json_t *answer = NULL;
    const int exit_code = dn_device_call(&options, "GET", &url, NULL, &answer);
    if (answer != NULL && !options.json) {
        print_observations(json_object_get(answer, "observations"));
    }
    json_decref(answer);
    dn_text_free(&url);
    return exit_code;
}

int dn_cmd_cancel(int argc, char **argv)
{
    dn_options options;
    dn_device_path path;
    if (!dn_options_read(argc, argv, NULL, 1, DN_PATHS_MAX + 1, CANCEL_USAGE, &options)) {
        return EXIT_CODE_USAGE;
    }
    if (options.count == 1 && strspn(options.arguments[0], "0123456789") != strlen(options.arguments[0])) {
        (void)fprintf(
            stderr,
            "dunlin cancel: '%s' is no request's id; to end an observation say of which path\nusage: %s\n",
            options.arguments[0], CANCEL_USAGE);
        return EXIT_CODE_USAGE;
    }
    if (options.count == 1) {
        return dn_request_cancel(&options, options.arguments[0]);
    }
    const bool several = options.count > 2;
    json_t *body = several ? dn_composite_paths("cancel", &options, 1) : NULL;
    if ((several && body == NULL) || !dn_device_path_read("cancel", options.arguments[1], 1, 4, &path)) {
        json_decref(body);
        return EXIT_CODE_USAGE;
    }
    dn_text url = dn_device_url(&options, options.arguments[0],
                                several ? "/composite/observe" : "/observations", several ? NULL : &path, "");
    json_t *answer = NULL;
    const int exit_code = dn_device_call(&options, "DELETE", &url, body, &answer);
    if (answer != NULL && !options.json) {
        (void)printf("no longer observed: %s%s\n", path.text, several ? " and what is with it" : "");
    }
    json_decref(answer);
    json_decref(body);
    dn_text_free(&url);
    return exit_code;
}
