/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin bootstrap runs, trigger: how the bootstraps of devices go, step by step. */
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

static void print_found(const json_t *object)
{
    if (dn_show_text(object, "found")[0] != '\0') {
        (void)fputs("  the device has: ", stdout);
        dn_show_plain(stdout, dn_show_text(object, "found"));
        (void)puts("");
    }
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
    (void)printf("run %ld %s, %s over %s from %s, %s%s%sconfiguration %ld\n", number(run, "run"),
                 dn_show_text(run, "state"), dn_show_text(run, "security"), dn_show_text(run, "transport"),
                 dn_show_text(run, "address"), lwm2m[0] != '\0' ? "LwM2M " : "", lwm2m,
                 lwm2m[0] != '\0' ? ", " : "", number(run, "version"));
    json_array_foreach(json_object_get(run, "steps"), i, step)
    {
        print_step((long)i + 1, number(run, "planned"), step);
    }
    print_why(run);
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
    const char *endpoint; /* NULL: all */
    const char *trigger;  /* the device to be told; NULL: none */
    unsigned long left;   /* bootstraps to the end; 0: none */
    bool bounded;
    int exit_code;
} following;

/* Tells the device, and says how it answered. */
static int tell(const dn_options *options, const char *endpoint)
{
    dn_text path = {0};
    json_t *answer = NULL;
    dn_text_puts(&path, "/clients/");
    dn_text_percent(&path, endpoint);
    dn_text_puts(&path, "/bootstrap");
    dn_text url = dn_rest_url(options, path.data, true);
    const int exit_code = dn_device_call(options, "POST", &url, NULL, &answer);
    if (answer != NULL && !options->json) {
        (void)printf("%s  %s  %s\n", endpoint, dn_show_text(answer, "path"), dn_show_text(answer, "code"));
        (void)fflush(stdout);
    }
    json_decref(answer);
    dn_text_free(&url);
    dn_text_free(&path);
    return exit_code;
}

static bool on_open(void *context)
{
    following *f = context;
    if (f->trigger != NULL) {
        f->exit_code = tell(f->shared, f->trigger);
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
    print_head(event, "time");
    if (number(event, "run") > 0) {
        (void)printf("run %ld ", number(event, "run"));
    }
    (void)printf("%s", what);
    if (strcmp(what, "requested") == 0) {
        (void)printf(": %s over %s from %s, configuration %ld", dn_show_text(event, "security"),
                     dn_show_text(event, "transport"), dn_show_text(event, "address"),
                     number(event, "version"));
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

static int follow(const dn_bootstrap_options *o, const char *endpoint, const char *trigger)
{
    following f = {
        .shared = &o->credential.shared, .endpoint = endpoint, .trigger = trigger, .left = endpoint != NULL};
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
    return o->follow ? follow(o, endpoint, endpoint) : tell(&o->credential.shared, endpoint);
}
