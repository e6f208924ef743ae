/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dunlin credentials import: many at a time. A line is a JSON object with the member endpoint and those of a credential (REST), mode psk if
 * it names none; or CSV: endpoint,identity,key, with quotation marks where a field has a comma, and an empty identity for the endpoint.
 */
#include "apps/dunlin/command.h"
#include "apps/dunlin/credentials.h"
#include "apps/dunlin/rest.h"
#include "apps/dunlin/secret_file.h"
#include "apps/dunlin/show.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELDS         3u
#define PROGRESS_EVERY 100u
#define FIRST_LINE     "endpoint,identity,key"

typedef struct {
    const dn_credential_options *o;
    const char *file;
    dn_rest_connection connection;
    size_t line, made, replaced, there, failed;
    json_t *failures; /* with --json */
    bool shows_progress;
    int exit_code;
} importing;

static void fail(importing *i, const char *endpoint, const char *why)
{
    i->failed++;
    if (i->o->shared.json) {
        json_t *row =
            json_pack("{s:I,s:s*,s:s}", "line", (json_int_t)i->line, "endpoint", endpoint, "detail", why);
        (void)json_array_append_new(i->failures, row);
        return;
    }
    (void)fprintf(stderr, "%s%s:%zu: %s%s%s\n", i->shows_progress ? "\r" : "", i->file, i->line,
                  endpoint != NULL ? endpoint : "", endpoint != NULL ? ": " : "", why);
}

/* ---- lines ---- */

/* Cuts a line of CSV in place; false: a quotation mark is not closed, or there are too many fields. */
static bool cut(char *line, char *fields[FIELDS], size_t *count)
{
    char *at = line;
    for (*count = 0; *count < FIELDS;) {
        char *out = at;
        fields[(*count)++] = out;
        if (*at == '"') {
            for (at++; *at != '\0' && (*at != '"' || at[1] == '"'); at++) {
                at += *at == '"' ? 1 : 0;
                *out++ = *at;
            }
            if (*at != '"') {
                return false;
            }
            at++;
        } else {
            at += strcspn(at, ",");
            out = at;
        }
        const char end = *at;
        *out = '\0';
        if (end == '\0') {
            return true;
        }
        if (end != ',') {
            return false;
        }
        at++;
    }
    return false;
}

static json_t *from_csv(char *line, const char **why)
{
    char *fields[FIELDS];
    size_t count = 0;
    if (!cut(line, fields, &count) || count != FIELDS) {
        *why = "three fields are expected: endpoint,identity,key";
        return NULL;
    }
    json_t *body = json_pack("{s:s,s:s,s:s}", "mode", "psk", "endpoint", fields[0], "key", fields[2]);
    if (body != NULL && fields[1][0] != '\0') {
        const bool is_hex = strncmp(fields[1], "hex:", 4) == 0;
        json_t *identity = json_string(fields[1] + (is_hex ? 4 : 0));
        if (identity == NULL ||
            json_object_set_new(body, is_hex ? "identity_hex" : "identity", identity) != 0) {
            json_decref(body);
            body = NULL;
        }
    }
    *why = "the line is not UTF-8";
    return body;
}

static json_t *from_json(const char *line, const char **why)
{
    json_t *body = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    *why = "this is not a JSON object";
    if (!json_is_object(body)) {
        json_decref(body);
        return NULL;
    }
    if (json_object_get(body, "mode") == NULL) {
        (void)json_object_set_new(body, "mode", json_string("psk"));
    }
    return body;
}

/* ---- the server ---- */

static void count_answer(importing *i, const dn_answer *answer, const char *endpoint)
{
    if (answer->status == 201) {
        i->made++;
    } else if (answer->status == 200) {
        i->replaced++;
    } else if (answer->status == 412) {
        i->there++;
    } else if (answer->status == 0) {
        i->exit_code = dn_rest_trouble(&i->o->shared, answer);
        fail(i, endpoint, "the server does not answer");
    } else {
        json_t *problem = json_loadb(answer->body.data, answer->body.len, 0, NULL);
        const char *detail = dn_show_text(problem, "detail");
        fail(i, endpoint, detail[0] != '\0' ? detail : "the server refused it");
        json_decref(problem);
    }
}

/* Takes `body`. */
static void put(importing *i, json_t *body)
{
    const char *endpoint = json_string_value(json_object_get(body, "endpoint"));
    if (endpoint == NULL || endpoint[0] == '\0') {
        fail(i, NULL, "the endpoint is missing");
        json_decref(body);
        return;
    }
    char *name = strdup(endpoint);
    (void)json_object_del(body, "endpoint");
    char *text = json_dumps(body, JSON_COMPACT);
    dn_text url = dn_credential_url(i->o, name);
    dn_answer answer = dn_rest_on(&i->connection, "PUT", url.data, text, strlen(text),
                                  i->o->only_new ? "If-None-Match: *" : NULL);
    count_answer(i, &answer, name);
    explicit_bzero(text, strlen(text));
    free(text);
    free(name);
    dn_answer_free(&answer);
    dn_text_free(&url);
    json_decref(body);
}

static void show_progress(const importing *i, bool last)
{
    if (i->shows_progress && (last || i->line % PROGRESS_EVERY == 0)) {
        (void)fprintf(stderr, "\r%zu lines%s", i->line, last ? "\n" : "");
    }
}

/* False: it has to stop here. */
static bool take_line(importing *i, char *line)
{
    const size_t failed_before = i->failed;
    const char *why = NULL;
    line[strcspn(line, "\r\n")] = '\0';
    const char *start = line + strspn(line, " \t");
    i->line++;
    if (*start == '\0' || *start == '#' || (i->line == 1 && strcmp(line, FIRST_LINE) == 0)) {
        return true;
    }
    json_t *body = *start == '{' ? from_json(line, &why) : from_csv(line, &why);
    if (body == NULL) {
        fail(i, NULL, why);
    } else {
        put(i, body);
    }
    show_progress(i, false);
    return i->exit_code != EXIT_CODE_UNREACHABLE && !(i->o->stop && i->failed > failed_before);
}

static void summarise(importing *i)
{
    show_progress(i, true);
    if (i->o->shared.json) {
        json_t *summary =
            json_pack("{s:I,s:I,s:I,s:O}", "made", (json_int_t)i->made, "replaced", (json_int_t)i->replaced,
                      "there", (json_int_t)i->there, "failed", i->failures);
        (void)json_dumpf(summary, stdout, JSON_INDENT(2));
        (void)puts("");
        json_decref(summary);
        return;
    }
    (void)printf("%zu made, %zu replaced, ", i->made, i->replaced);
    if (i->o->only_new) {
        (void)printf("%zu there already, ", i->there);
    }
    (void)printf("%zu failed\n", i->failed);
}

int dn_credentials_import(const dn_credential_options *options, const char *file)
{
    importing i = {.o = options,
                   .file = file,
                   .failures = json_array(),
                   .shows_progress = isatty(STDERR_FILENO) == 1 && !options->shared.json};
    FILE *in = strcmp(file, "-") == 0 ? stdin : fopen(file, "r");
    char *line = NULL;
    size_t cap = 0;
    if (in == NULL) {
        (void)fprintf(stderr, "dunlin %s: cannot read %s: %s\n", dn_credential_command(options), file,
                      strerror(errno));
        json_decref(i.failures);
        return EXIT_CODE_USAGE;
    }
    dn_credential_warn(dn_credential_command(options), &options->shared);
    while (getline(&line, &cap, in) > 0 && take_line(&i, line)) {
    }
    summarise(&i);
    if (line != NULL) {
        explicit_bzero(line, cap);
    }
    free(line);
    if (in != stdin) {
        (void)fclose(in);
    }
    json_decref(i.failures);
    dn_rest_close(&i.connection);
    if (i.exit_code != EXIT_CODE_OK) {
        return i.exit_code;
    }
    return i.failed > 0 ? EXIT_CODE_REFUSED : EXIT_CODE_OK;
}
