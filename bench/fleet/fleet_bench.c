/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many devices a dunlind serves, beside what an echo does on the same machine in the same minute: registrations, updates, Sends, packages,
 * reads through REST, memory, restart. docs/bench.md says how to read it.
 */
#include "fleet/bulk.h"
#include "fleet/daemon.h"
#include "fleet/echo.h"
#include "fleet/http.h"
#include "fleet/reads.h"
#include "fleet/report.h"
#include "fleet/window.h"
#include "fleet/wire.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REGISTER_TARGET 0.3
#define UPDATE_TARGET   0.4
#define READ_TARGET     0.3
#define LEAST_FLATNESS  0.8
#define BYTES_TARGET    400
#define SEED            20261122u
#define RESTART_SAMPLE  2000u /* devices that update after the restart, to see that they are still known */

typedef struct {
    daemon_process server;
    uint32_t count, rounds, in_flight, connections, pipeline, runs;
    uint64_t reads;
    bool json, echo_only, keep, no_targets;
    const char *base; /* directory in which the servers' directories are made */
    pid_t echo_pid;
    struct sockaddr_in echo;
    endpoint endpoint;
    devices devices;
    report report;
} bench;

static void say(const bench *b, const char *text)
{
    if (!b->json) {
        printf("%s\n", text);
        fflush(stdout);
    }
}

/* ---- phases: each slice between two of the echo, so that both meet the same machine ---- */

static void echo_slice(bench *b, window_kind kind, uint64_t total, stats *s)
{
    double cpu = daemon_cpu_us(b->echo_pid);
    window_run(kind, &b->endpoint, &b->devices, &b->echo, b->in_flight, total, s);
    s->server_cpu_us += (daemon_cpu_us(b->echo_pid) - cpu) / (double)s->total;
}

/* `slices` times: half a slice of the echo, the slice, half a slice of the echo. */
static void device_phase(bench *b, window_kind kind, const char *name, uint32_t slices, double target,
                         double flatness)
{
    static const struct {
        window_kind kind;
        const char *name;
    } echoes[] = {[WINDOW_REGISTER] = {WINDOW_ECHO_REGISTER, "echo of a register"},
                  [WINDOW_UPDATE] = {WINDOW_ECHO_UPDATE, "echo of an update"},
                  [WINDOW_SEND] = {WINDOW_ECHO_SEND, "echo of a send"},
                  [WINDOW_BLOCK] = {WINDOW_ECHO_BLOCK, "echo of a GET"}};
    stats s;
    stats echo;
    stats_start(&s, (uint64_t)b->count * slices);
    stats_start(&echo, (uint64_t)(b->count / 2 + 1) * 2 * slices);
    for (uint32_t i = 0; i < slices; i++) {
        echo_slice(b, echoes[kind].kind, b->count / 2 + 1, &echo);
        double cpu = daemon_cpu_us(b->server.pid);
        window_run(kind, &b->endpoint, &b->devices, &b->server.coap, b->in_flight, b->count, &s);
        s.server_cpu_us += (daemon_cpu_us(b->server.pid) - cpu) / (double)s.total;
        echo_slice(b, echoes[kind].kind, b->count / 2 + 1, &echo);
    }
    report_add(&b->report, echoes[kind].name, b->in_flight, &echo, 0, 0, 0);
    report_add(&b->report, name, b->in_flight, &s, stats_rate(&echo), target, flatness);
}

static void http_phase(bench *b)
{
    stats s;
    stats_start(&s, b->reads);
    double cpu = daemon_cpu_us(b->server.pid);
    reads_run_http_alone(&b->server.http, b->connections, b->pipeline, b->reads, &s);
    s.server_cpu_us = (daemon_cpu_us(b->server.pid) - cpu) / (double)s.done;
    report_add(&b->report, "HTTP alone", b->connections * b->pipeline, &s, 0, 0, 0);
}

static void read_phase(bench *b)
{
    stats s;
    stats echo;
    stats_start(&s, b->reads);
    stats_start(&echo, (uint64_t)(b->count / 2 + 1) * 2);
    echo_slice(b, WINDOW_ECHO_UPDATE, b->count / 2 + 1, &echo);
    double cpu = daemon_cpu_us(b->server.pid);
    reads_run(&b->endpoint, &b->devices, &b->server.http, b->connections, b->pipeline, b->reads, &s);
    s.server_cpu_us = (daemon_cpu_us(b->server.pid) - cpu) / (double)s.done;
    echo_slice(b, WINDOW_ECHO_UPDATE, b->count / 2 + 1, &echo);
    report_add(&b->report, "echo of an update", b->in_flight, &echo, 0, 0, 0);
    http_phase(b);
    report_add(&b->report, "read through REST, single", b->connections * b->pipeline, &s, stats_rate(&echo),
               0, 0);
}

/* The same reads asked for in one call, between slices of the echo like the others. */
static void bulk_phase(bench *b)
{
    stats s;
    stats echo;
    stats_start(&s, b->reads);
    stats_start(&echo, (uint64_t)(b->count / 2 + 1) * 2);
    echo_slice(b, WINDOW_ECHO_UPDATE, b->count / 2 + 1, &echo);
    double cpu = daemon_cpu_us(b->server.pid);
    bulk_run(&b->endpoint, &b->devices, &b->server.http, b->in_flight, b->reads, &s);
    s.server_cpu_us = (daemon_cpu_us(b->server.pid) - cpu) / (double)s.done;
    echo_slice(b, WINDOW_ECHO_UPDATE, b->count / 2 + 1, &echo);
    report_add(&b->report, "echo of an update", b->in_flight, &echo, 0, 0, 0);
    report_add(&b->report, "read through REST, bulk", b->in_flight, &s, stats_rate(&echo), READ_TARGET, 0);
}

static uint32_t registrations_of(bench *b)
{
    static http_connection c;
    const char *total = strstr(http_fetch(&c, &b->server.http, "/api/v1/clients?limit=1"), "\"total\":");
    return total != NULL ? (uint32_t)strtoul(total + 8, NULL, 10) : 0;
}

static void check_registrations(bench *b)
{
    uint32_t there = registrations_of(b);
    if (there != b->count) {
        fprintf(stderr, "the server says it has %u registrations, not %u\n", there, b->count);
        exit(1);
    }
}

static void restart_phase(bench *b)
{
    stats s;
    uint32_t sample = b->count < RESTART_SAMPLE ? b->count : RESTART_SAMPLE;
    daemon_kill(&b->server);
    daemon_start(&b->server);
    b->report.restart_s = b->server.start_s;
    check_registrations(b);
    devices_shuffle(&b->devices);
    stats_start(&s, sample);
    window_run(WINDOW_UPDATE, &b->endpoint, &b->devices, &b->server.coap, b->in_flight, sample, &s);
}

/* A server whose configuration says otherwise has no folder for them. */
static bool keeps_packages(const bench *b)
{
    char path[DAEMON_PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/data/packages", b->server.dir);
    return access(path, W_OK) == 0;
}

/* Into the folder of the server that runs. */
static void make_package(const bench *b)
{
    char path[DAEMON_PATH_MAX + 64];
    uint8_t block[WIRE_BLOCK];
    snprintf(path, sizeof path, "%s/data/packages/%s", b->server.dir, WIRE_PACKAGE);
    FILE *file = fopen(path, "wb");
    bool good = file != NULL;
    for (uint32_t i = 0; good && i < WIRE_PACKAGE_BLOCKS; i++) {
        wire_fill_block(block, i);
        good = fwrite(block, sizeof block, 1, file) == 1;
    }
    if (!good || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void server_phases(bench *b)
{
    daemon_start(&b->server);
    uint64_t before = daemon_rss_bytes(b->server.pid);
    say(b, "registering");
    device_phase(b, WINDOW_REGISTER, "register", 1, REGISTER_TARGET, LEAST_FLATNESS);
    uint64_t after = daemon_rss_bytes(b->server.pid);
    b->report.bytes_per_registration = ((double)after - (double)before) / b->count;
    b->report.target_bytes = BYTES_TARGET;
    check_registrations(b);
    say(b, "updating");
    device_phase(b, WINDOW_UPDATE, "update", b->rounds, UPDATE_TARGET, 0);
    say(b, "sending values");
    device_phase(b, WINDOW_SEND, "send", 1, 0, 0);
    if (keeps_packages(b)) {
        say(b, "fetching a package");
        make_package(b);
        device_phase(b, WINDOW_BLOCK, "block of a package", 1, 0, 0);
    }
    say(b, "registering again");
    device_phase(b, WINDOW_REGISTER, "register again", 1, 0, 0);
    check_registrations(b);
    if (b->reads > 0) {
        say(b, "reading");
        read_phase(b);
        bulk_phase(b);
    }
    say(b, "killing and starting again");
    restart_phase(b);
    daemon_stop(&b->server);
}

/* ---- the program ---- */

static void make_dir(bench *b)
{
    if (snprintf(b->server.dir, sizeof b->server.dir, "%s/dunlin-bench.XXXXXX", b->base) >= DAEMON_PATH_MAX ||
        mkdtemp(b->server.dir) == NULL) {
        perror(b->base);
        exit(1);
    }
}

static void remove_dir(const char *dir)
{
    char command[DAEMON_PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (system(command) != 0) {
        fprintf(stderr, "could not remove %s\n", dir);
    }
}

/* The first packets after a start meet cold caches, which is nobody's figure. */
static void warm_up(bench *b)
{
    stats s;
    stats_start(&s, b->count / 4 + 1);
    echo_slice(b, WINDOW_ECHO_REGISTER, s.total, &s);
}

static void echo_phases(bench *b)
{
    static const window_kind kinds[] = {WINDOW_ECHO_REGISTER, WINDOW_ECHO_UPDATE};
    static const char *const names[] = {"echo of a register", "echo of an update"};
    for (unsigned i = 0; i < 2; i++) {
        stats s;
        stats_start(&s, (uint64_t)b->count * 2);
        echo_slice(b, kinds[i], s.total, &s);
        report_add(&b->report, names[i], b->in_flight, &s, 0, 0, 0);
    }
}

static void run_once(bench *b)
{
    b->report = (report){.devices = b->count};
    devices_make(&b->devices, b->count, SEED);
    b->echo_pid = echo_start(&b->echo);
    warm_up(b);
    if (b->echo_only) {
        echo_phases(b);
    } else {
        make_dir(b);
        server_phases(b);
        if (!b->keep) {
            remove_dir(b->server.dir);
        }
    }
    echo_stop(b->echo_pid);
    devices_free(&b->devices);
}

static _Noreturn void usage(int status)
{
    fprintf(
        status == 0 ? stdout : stderr,
        "Usage: fleet_bench --server DUNLIND [option...]\n"
        "Measures a dunlind beside an echo server.\n\n"
        "  --server PATH       the dunlind to start\n"
        "  --config FILE       its configuration file\n"
        "  --devices N         registrations (100000)\n"
        "  --rounds N          updates per device (5)\n"
        "  --in-flight N       requests in flight (64)\n"
        "  --reads N           reads through REST (50000; 0: none)\n"
        "  --connections N     HTTP connections that read (64)\n"
        "  --runs N            runs, each with a new server and no data; figures are the median run's (1)\n"
        "  --dir DIR           where directories for the servers' data are made (TMPDIR or /tmp)\n"
        "  --keep              leave those directories\n"
        "  --echo              only the echo\n"
        "  --json              figures as JSON\n"
        "Exit status: 0 all targets met, 3 a target was missed, 1 something failed, 2 usage.\n");
    exit(status);
}

static uint32_t number_of(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*end != '\0' || number > 16000000) {
        fprintf(stderr, "\"%s\" is no number up to 16000000\n", text);
        exit(2);
    }
    return (uint32_t)number;
}

static void take_option(bench *b, int option)
{
    switch (option) {
    case 's':
        b->server.program = optarg;
        break;
    case 'c':
        b->server.config = optarg;
        break;
    case 'n':
        b->count = number_of(optarg);
        break;
    case 'r':
        b->rounds = number_of(optarg);
        break;
    case 'i':
        b->in_flight = number_of(optarg);
        break;
    case 'g':
        b->reads = number_of(optarg);
        break;
    case 'o':
        b->connections = number_of(optarg);
        break;
    case 'p':
        b->pipeline = number_of(optarg);
        break;
    case 'd':
        b->base = optarg;
        break;
    case 'u':
        b->runs = number_of(optarg);
        break;
    case 'k':
        b->keep = true;
        break;
    case 'e':
        b->echo_only = true;
        break;
    case 't':
        b->no_targets = true;
        break;
    case 'j':
        b->json = true;
        break;
    default:
        usage(option == 'h' ? 0 : 2);
    }
}

static void take_options(bench *b, int argc, char **argv)
{
    static const struct option names[] = {{"server", 1, NULL, 's'},      {"config", 1, NULL, 'c'},
                                          {"devices", 1, NULL, 'n'},     {"rounds", 1, NULL, 'r'},
                                          {"in-flight", 1, NULL, 'i'},   {"reads", 1, NULL, 'g'},
                                          {"connections", 1, NULL, 'o'}, {"pipeline", 1, NULL, 'p'},
                                          {"dir", 1, NULL, 'd'},         {"runs", 1, NULL, 'u'},
                                          {"keep", 0, NULL, 'k'},        {"echo", 0, NULL, 'e'},
                                          {"no-targets", 0, NULL, 't'},  {"json", 0, NULL, 'j'},
                                          {"help", 0, NULL, 'h'},        {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        take_option(b, option);
    }
    if (optind != argc || b->count == 0 || b->in_flight == 0 || b->rounds == 0 || b->connections == 0 ||
        b->runs == 0 || b->runs > REPORT_RUNS_MAX || (b->server.program == NULL && !b->echo_only)) {
        usage(2);
    }
}

int main(int argc, char **argv)
{
    static bench b = {.count = 100000,
                      .rounds = 5,
                      .in_flight = 64,
                      .connections = 64,
                      .reads = 50000,
                      .pipeline = 1,
                      .runs = 1};
    static report runs[REPORT_RUNS_MAX];
    b.base = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    take_options(&b, argc, argv);
    endpoint_open(&b.endpoint);
    for (uint32_t i = 0; i < b.runs; i++) {
        run_once(&b);
        runs[i] = b.report;
    }
    report_median(runs, b.runs, &b.report);
    if (b.no_targets) {
        report_forget_targets(&b.report);
    }
    report_print(&b.report, b.json);
    endpoint_close(&b.endpoint);
    return b.no_targets || report_met(&b.report) ? 0 : 3;
}
