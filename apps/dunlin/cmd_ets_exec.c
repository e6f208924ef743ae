/* SPDX-License-Identifier: Apache-2.0 */
/* The operator behind a program: one JSON object a line in both directions. */
#include "apps/dunlin/cmd_ets_json.h"
#include "apps/dunlin/cmd_ets_operator.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1048576u

struct dn_ets_program {
    pid_t pid;
    FILE *to, *from;
    pthread_mutex_t lock; /* one question at a time */
    json_int_t last;
    char uri[300];
    char *line;
    size_t line_size;
};

static const char *const OPERATIONS[] = {
    [DN_ETS_READ] = "read",
    [DN_ETS_DISCOVER] = "discover",
    [DN_ETS_WRITE] = "write",
    [DN_ETS_UPDATE] = "write",
    [DN_ETS_ATTRIBUTES] = "attributes",
    [DN_ETS_EXECUTE] = "execute",
    [DN_ETS_CREATE] = "create",
    [DN_ETS_DELETE] = "delete",
    [DN_ETS_OBSERVE] = "observe",
    [DN_ETS_CANCEL] = "cancel",
    [DN_ETS_FORGET] = "forget",
    [DN_ETS_READ_COMPOSITE] = "readComposite",
    [DN_ETS_WRITE_COMPOSITE] = "writeComposite",
    [DN_ETS_OBSERVE_COMPOSITE] = "observeComposite",
    [DN_ETS_CANCEL_COMPOSITE] = "cancelComposite",
    [DN_ETS_IS_REGISTERED] = "list",
    [DN_ETS_FINISH] = "finish",
    [DN_ETS_SENT] = "sent",
};

/* The next line as JSON, or NULL at its end. Lines that are no JSON are the program's chatter. */
static json_t *read_line(dn_ets_program *program)
{
    for (;;) {
        const ssize_t len = getline(&program->line, &program->line_size, program->from);
        if (len < 0 || (size_t)len > LINE_MAX_BYTES) {
            return NULL;
        }
        json_t *json = json_loadb(program->line, (size_t)len, 0, NULL);
        if (json_is_object(json)) {
            return json;
        }
        json_decref(json);
    }
}

static void take_event(dn_ets_program *program, const json_t *line)
{
    const char *name = json_string_value(json_object_get(line, "event"));
    const char *uri = json_string_value(json_object_get(line, "uri"));
    if (name != NULL && strcmp(name, "ready") == 0) {
        (void)snprintf(program->uri, sizeof program->uri, "%s", uri != NULL ? uri : "");
    }
}

static void run_child(const char *command, int in, int out)
{
    (void)dup2(in, STDIN_FILENO);
    (void)dup2(out, STDOUT_FILENO);
    (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

dn_ets_program *dn_ets_program_start(const char *command)
{
    int down[2], up[2];
    dn_ets_program *program = calloc(1, sizeof *program);
    if (program == NULL || pipe(down) != 0 || pipe(up) != 0) {
        (void)fprintf(stderr, "dunlin ets: cannot start '%s': %s\n", command, strerror(errno));
        free(program);
        return NULL;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* a program that ended is found by its answer that does not come */
    program->pid = fork();
    if (program->pid == 0) {
        (void)close(down[1]);
        (void)close(up[0]);
        run_child(command, down[0], up[1]);
    }
    (void)close(down[0]);
    (void)close(up[1]);
    program->to = fdopen(down[1], "w");
    program->from = fdopen(up[0], "r");
    (void)pthread_mutex_init(&program->lock, NULL);
    json_t *line =
        program->pid > 0 && program->to != NULL && program->from != NULL ? read_line(program) : NULL;
    if (line == NULL) {
        (void)fprintf(stderr, "dunlin ets: '%s' ended without saying that it is ready\n", command);
        dn_ets_program_stop(program);
        return NULL;
    }
    take_event(program, line);
    json_decref(line);
    return program;
}

void dn_ets_program_stop(dn_ets_program *program)
{
    if (program == NULL) {
        return;
    }
    if (program->to != NULL) {
        (void)fputs("{\"op\":\"quit\"}\n", program->to);
        (void)fclose(program->to);
    }
    if (program->from != NULL) {
        (void)fclose(program->from);
    }
    if (program->pid > 0) {
        (void)waitpid(program->pid, NULL, 0);
    }
    (void)pthread_mutex_destroy(&program->lock);
    free(program->line);
    free(program);
}

const char *dn_ets_program_uri(const dn_ets_program *program)
{
    return program->uri[0] != '\0' ? program->uri : NULL;
}

/* ---- questions ---- */

static void add_nodes(json_t *question, const dn_ets_ask *ask)
{
    char path[DUNLIN_PATH_TEXT_MAX + 1];
    json_t *nodes = json_array();
    for (size_t i = 0; i < ask->values->count; i++) {
        (void)dunlin_path_format(ask->values->list[i].path, path);
        json_t *one = json_object();
        (void)json_object_set_new(one, "path", json_string(path));
        (void)json_object_set_new(one, "node", dn_ets_json_node(ask->values, ask->values->list[i].path));
        (void)json_array_append_new(nodes, one);
    }
    (void)json_object_set_new(question, "nodes", nodes);
}

static json_t *make_question(dn_ets_program *program, const dn_ets_ask *ask)
{
    char path[DUNLIN_PATH_TEXT_MAX + 1];
    json_t *question = json_object();
    (void)dunlin_path_format(ask->path, path);
    (void)json_object_set_new(question, "id", json_integer(++program->last));
    (void)json_object_set_new(question, "op", json_string(OPERATIONS[ask->operation]));
    (void)json_object_set_new(question, "endpoint", json_string(ask->endpoint));
    (void)json_object_set_new(question, "path", json_string(path));
    if (ask->format != DN_FORMAT_NONE) {
        (void)json_object_set_new(question, "format", json_integer(ask->format));
    }
    if (ask->operation == DN_ETS_WRITE || ask->operation == DN_ETS_UPDATE) {
        (void)json_object_set_new(question, "mode",
                                  json_string(ask->operation == DN_ETS_WRITE ? "replace" : "update"));
    }
    if (ask->operation == DN_ETS_WRITE || ask->operation == DN_ETS_UPDATE ||
        ask->operation == DN_ETS_CREATE) {
        (void)json_object_set_new(question, "node", dn_ets_json_node(ask->values, ask->path));
    } else if (ask->operation == DN_ETS_WRITE_COMPOSITE) {
        add_nodes(question, ask);
    } else if (ask->operation == DN_ETS_EXECUTE && ask->query[0] != '\0') {
        (void)json_object_set_new(question, "args", json_string(ask->query));
    } else if (ask->operation == DN_ETS_ATTRIBUTES) {
        (void)json_object_set_new(question, "query", json_string(ask->query));
    }
    if (ask->queued) {
        (void)json_object_set_new(question, "queued", json_true());
    }
    if (ask->path_count > 0) {
        json_t *paths = json_array();
        for (size_t i = 0; i < ask->path_count; i++) {
            (void)dunlin_path_format(ask->paths[i], path);
            (void)json_array_append_new(paths, json_string(path));
        }
        (void)json_object_set_new(question, "paths", paths);
    }
    return question;
}

/* ---- answers ---- */

static void read_registered(const json_t *said, const dn_ets_ask *ask, dn_ets_answer *answer)
{
    size_t i = 0;
    const json_t *client = NULL;
    answer->status = DUNLIN_OK;
    json_array_foreach(json_object_get(said, "clients"), i, client)
    {
        const char *name = json_string_value(json_object_get(client, "endpoint"));
        answer->registered = answer->registered || (name != NULL && strcmp(name, ask->endpoint) == 0);
    }
}

static void read_error(const char *error, dn_ets_answer *answer)
{
    (void)snprintf(answer->trouble, sizeof answer->trouble, "%.180s", error);
    answer->unsupported = strstr(error, "no operation") != NULL;
    answer->status = strcmp(error, "timeout") == 0          ? DUNLIN_ERR_TIMEOUT
                     : strcmp(error, "not registered") == 0 ? DUNLIN_ERR_NOT_FOUND
                                                            : DUNLIN_ERR_UNSUPPORTED;
}

static void read_content(const json_t *said, const dn_ets_ask *ask, dn_ets_answer *answer)
{
    const json_t *node = json_object_get(said, "node");
    const json_t *nodes = json_object_get(said, "nodes");
    const json_t *item = NULL;
    size_t i = 0;
    if (node != NULL) {
        answer->decoded = dn_ets_json_read(node, ask->path, &answer->values);
    } else if (nodes != NULL) {
        answer->decoded = true;
        json_array_foreach(nodes, i, item)
        {
            dunlin_path path;
            const char *name = json_string_value(json_object_get(item, "path"));
            const json_t *one = json_object_get(item, "node");
            answer->decoded = answer->decoded && name != NULL &&
                              dunlin_path_parse(dunlin_slice_of(name), &path) == DUNLIN_OK &&
                              (json_is_null(one) || dn_ets_json_read(one, path, &answer->values));
        }
    }
}

static void read_answer(const json_t *said, const dn_ets_ask *ask, dn_ets_answer *answer)
{
    const char *error = json_string_value(json_object_get(said, "error"));
    const json_t *format = json_object_get(said, "contentFormat");
    const char *links = json_string_value(json_object_get(said, "links"));
    const char *location = json_string_value(json_object_get(said, "location"));
    if (error != NULL) {
        read_error(error, answer);
        return;
    }
    if (ask->operation == DN_ETS_IS_REGISTERED) {
        read_registered(said, ask, answer);
        return;
    }
    answer->status = DUNLIN_OK;
    answer->code = dn_ets_json_code(json_string_value(json_object_get(said, "code")));
    answer->content_format = json_is_integer(format) ? (uint16_t)json_integer_value(format) : DN_FORMAT_NONE;
    answer->links = links != NULL ? strdup(links) : NULL;
    (void)snprintf(answer->location, sizeof answer->location, "%.24s", location != NULL ? location : "");
    read_content(said, ask, answer);
}

static void converse(dn_ets_program *program, const dn_ets_ask *ask, dn_ets_answer *answer)
{
    json_t *question = make_question(program, ask);
    const json_int_t number = program->last;
    char *text = json_dumps(question, JSON_COMPACT);
    const bool sent = text != NULL && fprintf(program->to, "%s\n", text) > 0 && fflush(program->to) == 0;
    free(text);
    json_decref(question);
    for (;;) {
        json_t *line = sent ? read_line(program) : NULL;
        if (line == NULL) {
            answer->status = DUNLIN_ERR_IO;
            (void)snprintf(answer->trouble, sizeof answer->trouble, "the program of the operator has ended");
            return;
        }
        const json_t *id = json_object_get(line, "id");
        const bool is_answer = json_is_integer(id) && json_integer_value(id) == number;
        if (is_answer) {
            read_answer(line, ask, answer);
        } else {
            take_event(program, line);
        }
        json_decref(line);
        if (is_answer) {
            return;
        }
    }
}

void dn_ets_program_call(dn_ets_program *program, const dn_ets_ask *ask, dn_ets_answer *answer)
{
    (void)pthread_mutex_lock(&program->lock);
    converse(program, ask, answer);
    (void)pthread_mutex_unlock(&program->lock);
}
