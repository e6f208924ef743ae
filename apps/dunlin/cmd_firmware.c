/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin firmware: Object 5 of one device, from the file to the new version. */
#include "apps/dunlin/command.h"
#include "apps/dunlin/device.h"
#include "apps/dunlin/packages.h"
#include "apps/dunlin/pull.h"
#include "apps/dunlin/show.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

static const char USAGE[] =
    "dunlin firmware status|push|pull|update|reset EP [FILE|ID|URI] [--update] [--patience S] [--json]";

#define PATIENCE_S 600ul
#define ID_LEN     32u /* hexadecimal digits of a package's id */

/* /5/x/3 and 5, Core 1.1.1 appendix E.6. */
enum { STATE_IDLE, STATE_DOWNLOADING, STATE_DOWNLOADED, STATE_UPDATING };
enum { RESULT_URI = 7, RESULT_PROTOCOL = 9 };

static const char *const state_names[] = {"idle", "downloading", "downloaded", "updating"};
static const char *const result_names[] = {"none yet",
                                           "success",
                                           "not enough flash memory",
                                           "out of memory",
                                           "connection lost",
                                           "integrity check failed",
                                           "unsupported package type",
                                           "invalid URI",
                                           "update failed",
                                           "unsupported protocol",
                                           "cancelled",
                                           "deferred"};

void dn_help_firmware(FILE *out)
{
    (void)fprintf(
        out,
        "Update the firmware of a device by its Firmware Update object (5).\n\nusage: %s\n\n"
        "  status EP            state, result and version\n"
        "  push EP FILE|ID      send the package to the device\n"
        "  pull EP FILE|ID|URI  have the device get it: from this server, by the way it is registered by, or from a URI\n"
        "  update EP            execute the update, and wait until the device is back\n"
        "  reset EP             drop a package, or end a download\n"
        "  --update             with push and pull: update as soon as the package is there\n"
        "  --patience S         give up waiting for the device after S seconds (default: 600)\n"
        "  --json               print the server's JSON (status), or one object at the end\n\n"
        "A FILE is uploaded to the server first ('dunlin packages'); an ID names one that is there.\n\n"
        "exit code: 0 done, 1 refused or failed, 4 the device did not get there in time\n\n"
        "examples:\n  dunlin firmware push meter-7 firmware-1.2.bin --update\n"
        "  dunlin firmware pull meter-7 https://example.org/firmware-1.2.bin\n"
        "  dunlin firmware status meter-7\n",
        USAGE);
}

typedef struct {
    dn_options options; /* quiet */
    bool json;
    const char *endpoint;
    unsigned long patience_s;
} updating;

static json_t *call(const updating *u, const char *method, const char *path_text, const char *query,
                    const json_t *body, int *exit_code)
{
    dn_device_path path;
    json_t *answer = NULL;
    (void)dn_device_path_read("firmware", path_text, 1, 4, &path); /* one of ours */
    dn_text url = dn_device_url(&u->options, u->endpoint, "", &path, query);
    *exit_code = dn_device_call(&u->options, method, &url, body, &answer);
    dn_text_free(&url);
    return answer;
}

static long integer_at(const json_t *answer, int resource)
{
    size_t i = 0;
    const json_t *entry = NULL;
    json_array_foreach(json_object_get(json_object_get(answer, "node"), "resources"), i, entry)
    {
        if (json_integer_value(json_object_get(entry, "id")) == resource) {
            return (long)json_integer_value(json_object_get(entry, "value"));
        }
    }
    return -1;
}

static const char *name_of(const char *const *names, size_t count, long number)
{
    return number >= 0 && (size_t)number < count ? names[number] : "unknown";
}

static const char *state_name(long state)
{
    return name_of(state_names, sizeof state_names / sizeof state_names[0], state);
}

static const char *result_name(long result)
{
    return name_of(result_names, sizeof result_names / sizeof result_names[0], result);
}

/* One look at /5/0; false while the device cannot be asked. */
static bool look(const updating *u, long *state, long *result)
{
    dn_device_path path;
    (void)dn_device_path_read("firmware", "/5/0", 2, 2, &path);
    dn_text url = dn_device_url(&u->options, u->endpoint, "", &path, "");
    dn_answer answer = dn_rest("GET", url.data, NULL, 0, NULL);
    json_t *body = answer.status == 200 ? dn_show_load(answer.body.data, answer.body.len) : NULL;
    *state = integer_at(body, 3);
    *result = integer_at(body, 5);
    const bool seen = body != NULL && *state >= 0;
    json_decref(body);
    dn_answer_free(&answer);
    dn_text_free(&url);
    return seen;
}

/* Looks every second until the state is none of `while_states` (a set of bits); tells each new state. */
static int wait_while(const updating *u, unsigned while_states, long *state, long *result)
{
    const time_t until = time(NULL) + (time_t)u->patience_s;
    long told = -1;
    while (time(NULL) <= until) {
        const bool seen = look(u, state, result);
        if (seen && *state != told && !u->json) {
            told = *state;
            (void)fprintf(stderr, "%s: %s\n", u->endpoint, state_name(*state));
        }
        if (seen && (*state > STATE_UPDATING || (while_states >> *state & 1u) == 0)) {
            return EXIT_CODE_OK;
        }
        (void)sleep(1);
    }
    (void)fprintf(
        stderr,
        "dunlin firmware: %s did not get there within %lu s; 'dunlin firmware status %s' looks again\n",
        u->endpoint, u->patience_s, u->endpoint);
    return EXIT_CODE_TIMEOUT;
}

static int conclude(const updating *u, long state, long result, long wanted_state, long wanted_result)
{
    const bool good = state == wanted_state && result == wanted_result;
    if (u->json) {
        (void)printf("{\"endpoint\":\"%s\",\"state\":%ld,\"result\":%ld}\n", u->endpoint, state, result);
    } else {
        (void)printf("%s: %s, result: %s\n", u->endpoint, state_name(state), result_name(result));
    }
    return good ? EXIT_CODE_OK : EXIT_CODE_REFUSED;
}

static int status(const updating *u)
{
    int exit_code = EXIT_CODE_OK;
    json_t *answer = call(u, "GET", "/5/0", "", NULL, &exit_code);
    if (answer == NULL) {
        return exit_code;
    }
    json_t *version = call(u, "GET", "/3/0/3", "", NULL, &exit_code);
    const long state = integer_at(answer, 3);
    const long result = integer_at(answer, 5);
    if (u->json) {
        (void)json_dumpf(answer, stdout, JSON_COMPACT);
        (void)puts("");
    } else {
        (void)printf("%s: %s, result: %s, version: %s\n", u->endpoint, state_name(state), result_name(result),
                     dn_show_text(json_object_get(version, "node"), "value"));
    }
    json_decref(version);
    json_decref(answer);
    return EXIT_CODE_OK;
}

static int update(const updating *u)
{
    long state = 0;
    long result = 0;
    int exit_code = EXIT_CODE_OK;
    json_t *answer = call(u, "POST", "/5/0/2", "", NULL, &exit_code);
    json_decref(answer);
    if (exit_code == EXIT_CODE_OK) {
        exit_code = wait_while(u, 1u << STATE_UPDATING, &state, &result);
    }
    return exit_code == EXIT_CODE_OK ? conclude(u, state, result, STATE_IDLE, 1) : exit_code;
}

static int reset(const updating *u)
{
    int exit_code = EXIT_CODE_OK;
    json_t *body = json_pack("{s:s}", "value", "");
    json_t *answer = call(u, "PUT", "/5/0/1", "", body, &exit_code);
    json_decref(body);
    if (answer != NULL && !u->json) {
        (void)printf("%s: idle\n", u->endpoint);
    }
    json_decref(answer);
    return exit_code;
}

static bool is_id(const char *text)
{
    return strlen(text) == ID_LEN && strspn(text, "0123456789abcdef") == ID_LEN;
}

/* The package that `what` names: one that is there, or a file to upload. */
static json_t *package_of(const updating *u, const char *what, int *exit_code)
{
    return is_id(what) ? dn_package_get(&u->options, what, exit_code)
                       : dn_package_add("firmware", &u->options, what, NULL, exit_code);
}

static int push(const updating *u, const char *what)
{
    int exit_code = EXIT_CODE_OK;
    json_t *package = package_of(u, what, &exit_code);
    if (package == NULL) {
        return exit_code;
    }
    dn_text query = {0};
    dn_text_puts(&query, "?package=");
    dn_text_percent(&query, dn_show_text(package, "id"));
    if (!u->json) {
        (void)fprintf(stderr, "%s: sending %s\n", u->endpoint, dn_show_text(package, "name"));
    }
    json_t *answer = call(u, "PUT", "/5/0/0", query.data, NULL, &exit_code);
    json_decref(answer);
    json_decref(package);
    dn_text_free(&query);
    return exit_code;
}

static int write_uri(const updating *u, const char *query, const char *uri)
{
    int exit_code = EXIT_CODE_OK;
    json_t *body = uri == NULL ? NULL : json_pack("{s:s}", "value", uri);
    json_t *answer = call(u, "PUT", "/5/0/1", query, body, &exit_code);
    json_decref(answer);
    json_decref(body);
    return exit_code;
}

static int cannot(const updating *u, const dn_pull *can, const char *why)
{
    char names[80];
    dn_pull_names(can, names, sizeof names);
    (void)fprintf(
        stderr,
        "dunlin firmware: %s fetches packages by %s%s, %s: push it, or name a URI that the device can fetch\n",
        u->endpoint, names, can->said ? "" : " (it says nothing else in /5/0/8)", why);
    return EXIT_CODE_REFUSED;
}

/* By the way that the device is registered by, at the address that the server makes for it; else by another one of the server's. */
static int pull_package(const updating *u, const json_t *package, const dn_pull *can)
{
    if (can->scheme[0] == '\0' || dn_pull_can(can, can->scheme)) {
        dn_text query = {0};
        dn_text_puts(&query, "?package=");
        dn_text_percent(&query, dn_show_text(package, "id"));
        const int exit_code = write_uri(u, query.data, NULL);
        dn_text_free(&query);
        return exit_code;
    }
    const char *uri = dn_pull_choose(can, json_object_get(package, "uris"));
    if (uri == NULL) {
        return cannot(u, can, "by which this server gives it nothing");
    }
    (void)fprintf(stderr,
                  "dunlin firmware: %s is registered over %s, but cannot fetch by that: it is given %s\n",
                  u->endpoint, can->scheme, uri);
    return write_uri(u, "", uri);
}

static int pull(const updating *u, const char *what)
{
    dn_pull can;
    int exit_code = EXIT_CODE_OK;
    const bool is_uri = strstr(what, "://") != NULL;
    json_t *package = is_uri ? NULL : package_of(u, what, &exit_code);
    if (exit_code != EXIT_CODE_OK) {
        return exit_code;
    }
    dn_pull_look(&u->options, u->endpoint, &can);
    if (!is_uri) {
        exit_code = pull_package(u, package, &can);
    } else {
        exit_code = dn_pull_can(&can, what) ? write_uri(u, "", what) : cannot(u, &can, "not by that");
    }
    json_decref(package);
    return exit_code;
}

/* The device could do nothing with an address of ours: say which one it was, and by what it is made. */
static void explain(const updating *u, const char *what, long result)
{
    int exit_code = EXIT_CODE_OK;
    if (strstr(what, "://") != NULL || (result != RESULT_URI && result != RESULT_PROTOCOL)) {
        return;
    }
    json_t *answer = call(u, "GET", "/5/0/1", "", NULL, &exit_code);
    (void)fprintf(
        stderr,
        "dunlin firmware: %s was given %s, and could do nothing with it. A device knows this server by one host and port: the settings public.coap, public.coaps, public.coap-tcp and "
        "public.coaps-tcp say which\n",
        u->endpoint, dn_show_text(json_object_get(answer, "node"), "value"));
    json_decref(answer);
}

static int transfer(const updating *u, const char *what, bool by_push, bool then_update)
{
    long state = 0;
    long result = 0;
    int exit_code = by_push ? push(u, what) : pull(u, what);
    if (exit_code == EXIT_CODE_OK) {
        exit_code = wait_while(u, 1u << STATE_DOWNLOADING, &state, &result);
    }
    if (exit_code == EXIT_CODE_OK && then_update && state == STATE_DOWNLOADED) {
        return update(u);
    }
    if (exit_code == EXIT_CODE_OK && !by_push) {
        explain(u, what, result);
    }
    return exit_code == EXIT_CODE_OK ? conclude(u, state, result, STATE_DOWNLOADED, 0) : exit_code;
}

int dn_cmd_firmware(int argc, char **argv)
{
    bool then_update = false;
    const char *patience = NULL;
    const dn_option own[] = {
        {"--update", NULL, &then_update}, {"--patience", &patience, NULL}, {NULL, NULL, NULL}};
    updating u = {.patience_s = PATIENCE_S};
    if (!dn_options_read(argc, argv, own, 2, 3, USAGE, &u.options) ||
        !dn_options_count("firmware", "--patience", patience, &u.patience_s)) {
        return EXIT_CODE_USAGE;
    }
    const char *what = u.options.arguments[0];
    u.json = u.options.json;
    u.options.json = false;
    u.endpoint = u.options.arguments[1];
    const bool transfers = strcmp(what, "push") == 0 || strcmp(what, "pull") == 0;
    if (transfers && u.options.count == 3) {
        return transfer(&u, u.options.arguments[2], strcmp(what, "push") == 0, then_update);
    }
    const struct {
        const char *name;
        int (*run)(const updating *u);
    } actions[] = {{"status", status}, {"update", update}, {"reset", reset}};
    for (size_t i = 0; u.options.count == 2 && !then_update && i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(what, actions[i].name) == 0) {
            return actions[i].run(&u);
        }
    }
    (void)fprintf(stderr, "usage: %s\nTry 'dunlin firmware --help'.\n", USAGE);
    return EXIT_CODE_USAGE;
}
