/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin bootstrap runs, trigger, rerun: how the bootstraps of devices go, step by step. */
#include "apps/dunlin/bootstrap.h"
#include "apps/dunlin/command.h"
#include "apps/dunlin/device.h"
#include "apps/dunlin/rest.h"
#include "apps/dunlin/show.h"

#include <string.h>

#define COMMAND      DN_BOOTSTRAP_COMMAND
#define RUNS_DEFAULT 10ul
#define RUNS_MAX     200ul
#define STREAM                                                                                          \
    "/events?type=bootstrap-requested,bootstrap-step,bootstrap-repairing,bootstrap-finished,bootstrap-" \
    "failed,"                                                                                           \
    "bootstrap-refused,enrolled,enrolment-refused"

static long number(const json_t *object, const char *member)
{
    return (long)json_integer_value(json_object_get(object, member));
}

static const char *code_of(const json_t *step)
{
    const char *code = dn_show_text(step, "code");
    return code[0] != '\0' ? code : "----";
}

static void print_step(long at, long planned, const json_t *step)
{
    (void)printf("  %2ld/%-2ld  %-8s  %-10s  %s  %6ld ms\n", at, planned, dn_show_text(step, "operation"),
                 dn_show_text(step, "path"), code_of(step), number(step, "took_ms"));
}

static void print_why(const json_t *object)
{
    if (dn_show_text(object, "why")[0] != '\0') {
        (void)fputs("  why: ", stdout);
        dn_show_plain(stdout, dn_show_text(object, "why"));
        (void)puts("");
    }
}

static void print_staged(const json_t *run)
{
    const json_t *staged = json_object_get(run, "staged");
    if (staged != NULL) {
        (void)printf(
            "  staged since %s: a key that it has handed out lets the device in, beside its former one, until it is known to have it\n",
            dn_show_text(staged, "since"));
    }
}

static void print_found(const json_t *object)
{
    if (dn_show_text(object, "found")[0] != '\0') {
        (void)fputs("  the device has: ", stdout);
        dn_show_plain(stdout, dn_show_text(object, "found"));
        (void)puts("");
    }
}

/* The bootstrap server has spoken first. */
static bool is_own(const json_t *object)
{
    return strcmp(dn_show_text(object, "by"), "server") == 0;
}

/* When, and who. */
static void print_head(const json_t *object, const char *time)
{
    (void)printf("%s  ", dn_show_text(object, time));
    dn_show_plain(stdout, dn_show_text(object, "endpoint"));
    (void)fputs("  ", stdout);
}

/* ---- those that there are ---- */

static void print_run(const json_t *run)
{
    size_t i = 0;
    const json_t *step = NULL;
    const char *lwm2m = dn_show_text(run, "lwm2m");
    print_head(run, "began");
    (void)printf("run %ld %s%s, %s over %s from %s, %s%s%sconfiguration %ld\n", number(run, "run"),
                 dn_show_text(run, "state"), is_own(run) ? ", begun by the server" : "",
                 dn_show_text(run, "security"), dn_show_text(run, "transport"), dn_show_text(run, "address"),
                 lwm2m[0] != '\0' ? "LwM2M " : "", lwm2m, lwm2m[0] != '\0' ? ", " : "",
                 number(run, "version"));
    json_array_foreach(json_object_get(run, "steps"), i, step)
    {
        print_step((long)i + 1, number(run, "planned"), step);
    }
    print_why(run);
    print_staged(run);
    if (strcmp(dn_show_text(run, "state"), "failed") == 0) {
        print_found(run);
    }
}

static int list(const dn_bootstrap_options *o, const char *endpoint)
{
    const dn_options *shared = &o->credential.shared;
    unsigned long limit = RUNS_DEFAULT;
    dn_text path = {0};
    json_t *page = NULL;
    if (!dn_options_count(COMMAND, "--limit", o->credential.limit, &limit)) {
        return EXIT_CODE_USAGE;
    }
    dn_text_printf(&path, "/bootstrap/runs?limit=%lu", limit < RUNS_MAX ? limit : RUNS_MAX);
    if (endpoint != NULL) {
        dn_text_puts(&path, "&endpoint=");
        dn_text_percent(&path, endpoint);
    }
    dn_text url = dn_rest_url(shared, path.data, false);
    int exit_code = dn_device_call(shared, "GET", &url, NULL, &page);
    const json_t *runs = json_object_get(page, "runs");
    /* The newest stands first there, and last on a screen. */
    for (size_t i = json_array_size(runs); !shared->json && i > 0; i--) {
        print_run(json_array_get(runs, i - 1));
    }
    if (exit_code == EXIT_CODE_OK && strcmp(dn_show_text(json_array_get(runs, 0), "state"), "failed") == 0) {
        exit_code = EXIT_CODE_REFUSED;
    }
    json_decref(page);
    dn_text_free(&url);
    dn_text_free(&path);
    return exit_code;
}

/* ---- as they go on ---- */

typedef struct {
    const dn_options *shared;
    const char *endpoint;                                              /* NULL: all */
    int (*begin)(const dn_bootstrap_options *o, const char *endpoint); /* what is to be told; NULL: nothing */
    const dn_bootstrap_options *options;
    unsigned long left; /* bootstraps to the end; 0: none */
    bool bounded;
    int exit_code;
} following;

/* Tells the device, and says how it answered, behind `how`. */
static int tell(const dn_options *options, const char *endpoint, const char *how)
{
    dn_text path = {0};
    json_t *answer = NULL;
    dn_text_puts(&path, "/clients/");
    dn_text_percent(&path, endpoint);
    dn_text_puts(&path, "/bootstrap");
    dn_text url = dn_rest_url(options, path.data, true);
    const int exit_code = dn_device_call(options, "POST", &url, NULL, &answer);
    if (answer != NULL && !options->json) {
        (void)printf("%s  %s%s  %s\n", endpoint, how, dn_show_text(answer, "path"),
                     dn_show_text(answer, "code"));
        (void)fflush(stdout);
    }
    json_decref(answer);
    dn_text_free(&url);
    dn_text_free(&path);
    return exit_code;
}

static int by_trigger(const dn_bootstrap_options *o, const char *endpoint)
{
    return tell(&o->credential.shared, endpoint, "");
}

/* What the bootstrap server says that does not keep the LwM2M server from reaching the device. */
static bool has_other_way(const dn_answer *answer)
{
    static const char *const slugs[] = {"/problems/no-way", "/problems/no-bootstrap-server",
                                        "/problems/no-bootstrap-config"};
    json_t *problem = json_loadb(answer->body.data, answer->body.len, 0, NULL);
    const char *type = dn_show_text(problem, "type");
    bool found = false;
    for (size_t i = 0; i < sizeof slugs / sizeof slugs[0] && !found; i++) {
        found = strcmp(type, slugs[i]) == 0;
    }
    json_decref(problem);
    return found;
}

static void print_begun(const dn_options *options, const char *endpoint, const dn_answer *answer)
{
    if (options->json) {
        (void)printf("%s\n", answer->body.data);
    } else {
        json_t *run = dn_show_load(answer->body.data, answer->body.len);
        (void)printf("%s  the bootstrap server has begun run %ld\n", endpoint, number(run, "run"));
        json_decref(run);
    }
    (void)fflush(stdout);
}

/* The bootstrap server speaks first if it can; else the device is told by the server where it is registered. */
static int begin_again(const dn_bootstrap_options *o, const char *endpoint)
{
    const dn_options *options = &o->credential.shared;
    dn_options quiet = *options;
    dn_text path = {0};
    dn_text_puts(&path, "/bootstrap/runs/");
    dn_text_percent(&path, endpoint);
    dn_text url = dn_rest_url(options, path.data, false);
    dn_answer answer = dn_rest("POST", url.data, NULL, 0, NULL);
    int exit_code = EXIT_CODE_OK;
    if (answer.status >= 200 && answer.status <= 299) {
        print_begun(options, endpoint, &answer);
    } else if (o->by == NULL && answer.status != 0 && has_other_way(&answer)) {
        exit_code = tell(options, endpoint, "its server has told it: ");
        if (exit_code != EXIT_CODE_OK) {
            quiet.json = false;
            (void)dn_rest_trouble(&quiet, &answer);
        }
    } else {
        exit_code = dn_rest_trouble(options, &answer);
    }
    dn_answer_free(&answer);
    dn_text_free(&url);
    dn_text_free(&path);
    return exit_code;
}

static bool on_open(void *context)
{
    following *f = context;
    if (f->begin != NULL) {
        f->exit_code = f->begin(f->options, f->endpoint);
    }
    return f->exit_code == EXIT_CODE_OK;
}

static void print_event(const char *type, const json_t *event)
{
    if (strcmp(type, "bootstrap-step") == 0) {
        print_step(number(event, "step"), number(event, "steps"), event);
        return;
    }
    const char *what = strncmp(type, "bootstrap-", 10) == 0 ? type + 10 : type;
    if (is_own(event)) {
        what = "begun";
    }
    print_head(event, "time");
    if (number(event, "run") > 0) {
        (void)printf("run %ld ", number(event, "run"));
    }
    (void)printf("%s", what);
    if (strcmp(type, "bootstrap-requested") == 0) {
        (void)printf("%s: %s over %s from %s, configuration %ld", is_own(event) ? " by the server" : "",
                     dn_show_text(event, "security"), dn_show_text(event, "transport"),
                     dn_show_text(event, "address"), number(event, "version"));
    }
    (void)printf("%s%s\n", dn_show_text(event, "code")[0] != '\0' ? ", " : "", dn_show_text(event, "code"));
    print_why(event);
    if (strcmp(what, "failed") == 0) {
        print_found(event);
    }
}

static bool on_event(void *context, const char *id, const char *type, const char *data)
{
    following *f = context;
    (void)id;
    if (strcmp(type, "gap") == 0) {
        (void)fputs("dunlin: some events were missed\n", stderr);
        return true;
    }
    const bool failed = strcmp(type, "bootstrap-failed") == 0 || strcmp(type, "bootstrap-refused") == 0;
    const bool ended = failed || strcmp(type, "bootstrap-finished") == 0;
    if (f->shared->json) {
        (void)printf("%s\n", data);
    } else {
        json_t *event = dn_show_load(data, strlen(data));
        print_event(type, event);
        json_decref(event);
    }
    (void)fflush(stdout);
    if (failed) {
        f->exit_code = EXIT_CODE_REFUSED;
    }
    return !(ended && f->bounded && --f->left == 0);
}

static int follow(const dn_bootstrap_options *o, const char *endpoint,
                  int (*begin)(const dn_bootstrap_options *o, const char *endpoint))
{
    following f = {.shared = &o->credential.shared,
                   .endpoint = endpoint,
                   .begin = begin,
                   .options = o,
                   .left = endpoint != NULL};
    dn_text path = {0};
    if (!dn_options_count(COMMAND, "--count", o->count, &f.left)) {
        return EXIT_CODE_USAGE;
    }
    f.bounded = f.left > 0;
    dn_text_puts(&path, STREAM);
    if (endpoint != NULL) {
        dn_text_puts(&path, "&ep=");
        dn_text_percent(&path, endpoint);
    }
    dn_text url = dn_rest_url(f.shared, path.data, false);
    const int exit_code = dn_rest_follow(f.shared, url.data, on_open, on_event, &f);
    dn_text_free(&url);
    dn_text_free(&path);
    return exit_code != EXIT_CODE_OK ? exit_code : f.exit_code;
}

int dn_bootstrap_runs(const dn_bootstrap_options *o, const char *endpoint)
{
    return o->follow ? follow(o, endpoint, NULL) : list(o, endpoint);
}

int dn_bootstrap_trigger(const dn_bootstrap_options *o, const char *endpoint)
{
    return o->follow ? follow(o, endpoint, by_trigger) : by_trigger(o, endpoint);
}

int dn_bootstrap_rerun(const dn_bootstrap_options *o, const char *endpoint)
{
    const bool is_trigger = o->by != NULL && strcmp(o->by, "trigger") == 0;
    if (o->by != NULL && !is_trigger && strcmp(o->by, "server") != 0) {
        (void)fputs("dunlin " COMMAND ": --by takes server or trigger\n", stderr);
        return EXIT_CODE_USAGE;
    }
    int (*begin)(const dn_bootstrap_options *, const char *) = is_trigger ? by_trigger : begin_again;
    return o->follow ? follow(o, endpoint, begin) : begin(o, endpoint);
}
