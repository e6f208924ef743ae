/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/dunlin/sweep.h"

#include "apps/dunlin/command.h"
#include "apps/dunlin/device.h"
#include "apps/dunlin/pages.h"
#include "apps/dunlin/show.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define CALL_MAX 10000u /* devices of one call */

typedef struct {
    const dn_options *options;
    const char *path;
    unsigned long answered, failed;
} progress;

static void print_line(progress *p, const json_t *line)
{
    const json_t *problem = json_object_get(line, "problem");
    const char *endpoint = dn_show_text(line, "endpoint");
    if (problem == NULL) {
        dn_show_node_stream(stdout, dn_show_text(line, "receivedAt"), endpoint, p->path,
                            json_object_get(line, "node"));
        return;
    }
    const char *detail = dn_show_text(problem, "detail");
    (void)fprintf(stderr, "dunlin: %s: %s%s%s\n", endpoint, dn_show_text(problem, "title"),
                  detail[0] != '\0' ? ": " : "", detail);
}

static bool on_line(void *context, const char *text, size_t len)
{
    progress *p = context;
    json_t *line = dn_show_load(text, len);
    if (line == NULL) {
        return true;
    }
    p->answered += json_object_get(line, "node") != NULL;
    p->failed += json_object_get(line, "problem") != NULL;
    if (p->options->json) {
        (void)printf("%.*s\n", (int)len, text);
    } else {
        print_line(p, line);
    }
    json_decref(line);
    return true;
}

static int read_these(progress *p, const char *path, unsigned long in_flight, const json_t *clients)
{
    json_t *endpoints = json_array();
    size_t i = 0;
    const json_t *client = NULL;
    json_array_foreach(clients, i, client)
    {
        (void)json_array_append(endpoints, json_object_get(client, "endpoint"));
    }
    json_t *body = json_pack("{s:s,s:o}", "path", path, "clients", endpoints);
    if (in_flight > 0) {
        (void)json_object_set_new(body, "inFlight", json_integer((json_int_t)in_flight));
    }
    if (p->options->timeout != NULL) {
        (void)json_object_set_new(body, "timeout", json_integer(strtol(p->options->timeout, NULL, 10)));
    }
    if (p->options->format != NULL) {
        (void)json_object_set_new(body, "format", json_string(p->options->format));
    }
    char *text = json_dumps(body, JSON_COMPACT);
    dn_text url = dn_rest_url(p->options, "/reads", false);
    dn_answer answer = dn_rest_lines("POST", url.data, text, strlen(text), on_line, p);
    const int exit_code = answer.status == 200 ? EXIT_CODE_OK : dn_rest_trouble(p->options, &answer);
    dn_answer_free(&answer);
    dn_text_free(&url);
    free(text);
    json_decref(body);
    return exit_code;
}

int dn_sweep_read(const dn_options *options, const dn_sweep *sweep)
{
    dn_device_path path;
    unsigned long in_flight = 0;
    if (!dn_device_path_read("read", options->arguments[0], 1, 4, &path) ||
        !dn_options_count("read", "--in-flight", sweep->in_flight, &in_flight)) {
        return EXIT_CODE_USAGE;
    }
    progress p = {.options = options, .path = path.text};
    int exit_code = EXIT_CODE_OK;
    dn_list list = {
        .path = "/clients", .member = "clients", .parameter = "q", .text = sweep->match, .limit = ULONG_MAX};
    while (exit_code == EXIT_CODE_OK && !list.ended) {
        json_t *clients = json_array();
        while (json_array_size(clients) + DN_PAGE_MAX <= CALL_MAX &&
               dn_list_next(&list, options, clients, &exit_code)) {
        }
        if (exit_code == EXIT_CODE_OK && json_array_size(clients) > 0) {
            exit_code = read_these(&p, path.text, in_flight, clients);
        }
        json_decref(clients);
    }
    dn_list_end(&list);
    if (exit_code == EXIT_CODE_OK && !options->json) {
        (void)fprintf(stderr, "%lu devices answered, %lu did not\n", p.answered, p.failed);
    }
    return exit_code == EXIT_CODE_OK && p.failed > 0 ? EXIT_CODE_REFUSED : exit_code;
}
