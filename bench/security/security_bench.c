/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What security costs a dunlind: handshakes beside those of two ends in memory, requests over established DTLS beside plain CoAP, and the
 * memory of an idle session. docs/bench.md says how to read it.
 */
#include "fleet/daemon.h"
#include "security/bench_material.h"
#include "security/pair.h"
#include "security/talk.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HANDSHAKE_TARGET 0.5
#define REQUEST_TARGET   0.6
#define BYTES_TARGET     (11 * 1024)
#define SLICES           9u
#define WARM_UP          200u       /* sessions that fill what is made once */
#define SHAKING          64u        /* handshakes in progress, unless asked otherwise */
#define BATCH            50u        /* sessions that are made before they are pinged */
#define REQUESTS         "requests" /* for --only */
#define SEED             20261122u

typedef struct {
    daemon_process plain, secure;
    uint32_t count, handshakes, shaking, rounds, in_flight;
    const char *only; /* one part of the bench; NULL: all */
    bool no_targets, keep;
    const char *base;
    char dir[DAEMON_PATH_MAX / 2];
    endpoint endpoint;
    devices devices, plain_devices;
    sessions sessions;
    material material;
    dn_credentials *credentials;
    dn_tls_context *server;
    dn_tls_context *client[MATERIAL_KINDS];
    dn_tls_context **own; /* of each device */
    bool missed;
} bench;

static void judge(bench *b, double figure, double target, bool at_least)
{
    bool met = at_least ? figure >= target : figure <= target;
    printf("  %s\n", b->no_targets ? "" : met ? "ok" : "MISSED");
    b->missed = b->missed || !met;
    fflush(stdout);
}

/* ---- handshakes ---- */

static dn_tls_context *one_for_all(void *context, uint32_t index)
{
    (void)index;
    return context;
}

/* With pre-shared keys each device has its own. */
static dn_tls_context *own_context(void *context, uint32_t index)
{
    const bench *b = context;
    return b->own[index];
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of the slices: a machine that others use as well spoils some of them. */
static double median(const double values[SLICES])
{
    double sorted[SLICES];
    memcpy(sorted, values, sizeof sorted);
    qsort(sorted, SLICES, sizeof sorted[0], by_size);
    return sorted[SLICES / 2];
}

typedef struct {
    double memory[SLICES], server[SLICES], generator[SLICES]; /* us of processor time for a handshake */
    double ratio[SLICES], strict[SLICES];
} shaken;

/* One through dunlind between two halves in memory: both meet the same machine. */
static void shake_slice(bench *b, material_kind kind, uint32_t i, uint32_t slice, double share, shaken *out,
                        stats *s)
{
    double before_us = pair_handshake_us(b->server, b->client[kind], slice / 2);
    double server_us = daemon_cpu_us(b->secure.pid);
    double generator_us = pair_cpu_us();
    sessions_handshakes(&b->sessions, kind == MATERIAL_PSK ? own_context : one_for_all,
                        kind == MATERIAL_PSK ? (void *)b : b->client[kind], i * slice, slice, b->shaking,
                        false, s);
    out->server[i] = (daemon_cpu_us(b->secure.pid) - server_us) / slice;
    out->generator[i] = (pair_cpu_us() - generator_us) / slice;
    out->memory[i] = (before_us + pair_handshake_us(b->server, b->client[kind], slice / 2)) / 2;
    out->ratio[i] = out->memory[i] / (out->memory[i] * (1 - share) + out->server[i]);
    out->strict[i] = out->memory[i] / (out->generator[i] + out->server[i]);
}

static void shake(bench *b, material_kind kind)
{
    uint32_t slice = b->handshakes / SLICES;
    double share = pair_server_share(b->server, b->client[kind], slice);
    shaken out;
    stats s;
    stats_start(&s, (uint64_t)slice * SLICES);
    for (uint32_t i = 0; i < SLICES; i++) {
        shake_slice(b, kind, i, slice, share, &out, &s);
    }
    double ratio = median(out.ratio);
    printf("%-22s %8.0f %10.1f %10.1f %10.1f %10.1f %8.2f %7.2f %7.2f", material_names[kind], stats_rate(&s),
           median(out.memory), median(out.memory) * share, median(out.server), median(out.generator),
           median(out.strict), ratio, HANDSHAKE_TARGET);
    judge(b, ratio, HANDSHAKE_TARGET, true);
}

static void handshakes(bench *b)
{
    printf("\n%-22s %8s %10s %10s %10s %10s %8s %7s %7s\n", "full handshake, DTLS", "per s", "memory us",
           "its server", "dunlind", "generator", "with it", "ratio", "target");
    for (int kind = 0; kind < MATERIAL_KINDS; kind++) {
        if (b->only == NULL || strcmp(b->only, material_names[kind]) == 0) {
            shake(b, (material_kind)kind);
        }
    }
}

/* ---- memory ---- */

static void memory(bench *b)
{
    uint32_t rest = (b->count - WARM_UP) / BATCH * BATCH;
    stats s;
    stats_start(&s, b->count);
    sessions_handshakes(&b->sessions, own_context, b, 0, WARM_UP, SHAKING, true, &s);
    sessions_ping(&b->sessions, 0, WARM_UP);
    uint64_t before = daemon_rss_bytes(b->secure.pid);
    for (uint32_t i = 0; i < rest; i += BATCH) {
        sessions_handshakes(&b->sessions, own_context, b, WARM_UP + i, BATCH, SHAKING, true, &s);
        sessions_ping(&b->sessions, WARM_UP + i, BATCH);
    }
    double bytes = (double)(daemon_rss_bytes(b->secure.pid) - before) / rest;
    printf("\n%-22s %8.0f bytes of %u idle ones, target %u", "an established session", bytes, (unsigned)rest,
           (unsigned)BYTES_TARGET);
    judge(b, bytes, BYTES_TARGET, false);
}

/* ---- requests ---- */

typedef struct {
    stats s;
    double rate[SLICES], server_us[SLICES];
} measure;

static void one_slice(bench *b, talk_kind kind, bool is_secure, uint64_t total, uint32_t i, measure *m)
{
    daemon_process *d = is_secure ? &b->secure : &b->plain;
    double used_us = daemon_cpu_us(d->pid);
    uint64_t elapsed_ns = m->s.elapsed_ns;
    talk_run(kind, is_secure ? &b->devices : &b->plain_devices, &b->endpoint, &d->coap,
             is_secure ? &b->sessions : NULL, b->in_flight, total, &m->s);
    m->rate[i] = (double)total * 1e9 / (double)(m->s.elapsed_ns - elapsed_ns);
    m->server_us[i] = (daemon_cpu_us(d->pid) - used_us) / (double)total;
}

/* Registrations are made once: one slice says it all. */
static void compare_registers(bench *b)
{
    static measure plain, secure;
    stats_start(&plain.s, b->count);
    stats_start(&secure.s, b->count);
    one_slice(b, TALK_REGISTER, false, b->count, 0, &plain);
    one_slice(b, TALK_REGISTER, true, b->count, 0, &secure);
    printf("%-22s %8.0f %10.0f %7.2f %7s %10.1f %10.1f %10.2f %8llu\n", "register", plain.rate[0],
           secure.rate[0], secure.rate[0] / plain.rate[0], "", plain.server_us[0], secure.server_us[0],
           plain.server_us[0] / secure.server_us[0],
           (unsigned long long)(plain.s.repeated + secure.s.repeated));
}

static void compare_updates(bench *b)
{
    static measure plain, secure;
    double ratio[SLICES], cpu_ratio[SLICES];
    uint64_t total = (uint64_t)b->count * b->rounds;
    stats_start(&plain.s, total * SLICES);
    stats_start(&secure.s, total * SLICES);
    for (uint32_t i = 0; i < SLICES; i++) {
        one_slice(b, TALK_UPDATE, false, total, i, &plain);
        one_slice(b, TALK_UPDATE, true, total, i, &secure);
        ratio[i] = secure.rate[i] / plain.rate[i];
        cpu_ratio[i] = plain.server_us[i] / secure.server_us[i];
    }
    printf("%-22s %8.0f %10.0f %7.2f %7.2f %10.1f %10.1f %10.2f %8llu", "update", median(plain.rate),
           median(secure.rate), median(ratio), REQUEST_TARGET, median(plain.server_us),
           median(secure.server_us), median(cpu_ratio),
           (unsigned long long)(plain.s.repeated + secure.s.repeated));
    judge(b, median(ratio), REQUEST_TARGET, true);
}

static void requests(bench *b)
{
    printf("\n%-22s %8s %10s %7s %7s %10s %10s %10s %8s\n", "requests, in flight 64", "plain/s", "DTLS/s",
           "ratio", "target", "plain cpu", "DTLS cpu", "cpu ratio", "repeated");
    compare_registers(b);
    compare_updates(b);
}

/* ---- life ---- */

static void make_dir(char *path, size_t size, const char *base, const char *name)
{
    if (snprintf(path, size, "%s/%s", base, name) >= (int)size || mkdir(path, 0700) != 0) {
        perror(path);
        exit(1);
    }
}

static void start(bench *b)
{
    static char config[DAEMON_PATH_MAX + 32];
    snprintf(b->dir, sizeof b->dir, "%.200s/security-bench-XXXXXX", b->base);
    if (mkdtemp(b->dir) == NULL) {
        perror(b->dir);
        exit(1);
    }
    make_dir(b->plain.dir, sizeof b->plain.dir, b->dir, "plain");
    make_dir(b->secure.dir, sizeof b->secure.dir, b->dir, "secure");
    material_make(&b->material);
    material_write(&b->material, b->secure.dir);
    material_store(&b->material, b->secure.dir, b->count);
    snprintf(config, sizeof config, "%s/dunlind.yaml", b->secure.dir);
    b->secure.config = config;
    b->secure.program = b->plain.program;
    daemon_start(&b->plain);
    daemon_start(&b->secure);
    if (b->secure.coaps.sin_port == 0) {
        fprintf(stderr, "security_bench: %s does not serve DTLS\n", b->secure.program);
        exit(1);
    }
    b->credentials = material_keeper(&b->material);
    b->server = material_server(&b->material, b->credentials);
    for (int kind = 0; kind < MATERIAL_KINDS; kind++) {
        b->client[kind] = material_client(&b->material, (material_kind)kind);
    }
    b->own = calloc(b->count, sizeof(dn_tls_context *));
    for (uint32_t i = 0; i < b->count; i++) {
        b->own[i] = material_device(i);
    }
    devices_make(&b->devices, b->count, SEED);
    devices_make(&b->plain_devices, b->count, SEED);
    sessions_make(&b->sessions, &b->endpoint, &b->secure.coaps, b->count);
}

static void finish(bench *b)
{
    char command[DAEMON_PATH_MAX];
    sessions_free(&b->sessions);
    for (uint32_t i = 0; i < b->count; i++) {
        dn_tls_context_give_up(b->own[i]);
    }
    free(b->own);
    for (int kind = 0; kind < MATERIAL_KINDS; kind++) {
        dn_tls_context_give_up(b->client[kind]);
    }
    dn_tls_context_give_up(b->server);
    b->credentials->ops->close(b->credentials);
    devices_free(&b->devices);
    devices_free(&b->plain_devices);
    daemon_stop(&b->plain);
    daemon_stop(&b->secure);
    snprintf(command, sizeof command, "rm -rf '%s'", b->dir);
    if (!b->keep && system(command) != 0) {
        fprintf(stderr, "security_bench: %s cannot be removed\n", b->dir);
    }
}

static _Noreturn void usage(int status)
{
    fprintf(
        status == 0 ? stdout : stderr,
        "Usage: security_bench --server DUNLIND [--dir DIR] [--devices N] [--handshakes N] [--shaking N]\n"
        "                      [--rounds N] [--in-flight N] [--only KIND] [--no-targets] [--keep]\n"
        "--only PSK, RPK or X.509: handshakes of that kind alone; --only requests: the rest.\n"
        "Exit status: 0 targets met, 3 one was missed, 1 something failed, 2 usage.\n");
    exit(status);
}

static uint32_t number_of(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*end != '\0' || number == 0 || number > 1000000) {
        usage(2);
    }
    return (uint32_t)number;
}

static void take_options(bench *b, int argc, char **argv)
{
    static const struct option names[] = {
        {"server", 1, NULL, 's'},     {"dir", 1, NULL, 'd'},       {"devices", 1, NULL, 'n'},
        {"handshakes", 1, NULL, 'a'}, {"shaking", 1, NULL, 'g'},   {"only", 1, NULL, 'o'},
        {"rounds", 1, NULL, 'r'},     {"in-flight", 1, NULL, 'i'}, {"no-targets", 0, NULL, 't'},
        {"keep", 0, NULL, 'k'},       {"help", 0, NULL, 'h'},      {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 's') {
            b->plain.program = optarg;
        } else if (option == 'd') {
            b->base = optarg;
        } else if (option == 'n') {
            b->count = number_of(optarg);
        } else if (option == 'a') {
            b->handshakes = number_of(optarg);
        } else if (option == 'g') {
            b->shaking = number_of(optarg);
        } else if (option == 'o') {
            b->only = optarg;
        } else if (option == 'r') {
            b->rounds = number_of(optarg);
        } else if (option == 'i') {
            b->in_flight = number_of(optarg);
        } else if (option == 't' || option == 'k') {
            *(option == 't' ? &b->no_targets : &b->keep) = true;
        } else {
            usage(option == 'h' ? 0 : 2);
        }
    }
    if (optind != argc || b->plain.program == NULL || b->count <= 2 * WARM_UP || b->count % BATCH != 0) {
        usage(2);
    }
}

int main(int argc, char **argv)
{
    static bench b = {.count = 2000, .handshakes = 3000, .shaking = SHAKING, .rounds = 4, .in_flight = 64};
    b.base = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    take_options(&b, argc, argv);
    endpoint_open(&b.endpoint);
    start(&b);
    handshakes(&b);
    if (b.only == NULL || strcmp(b.only, REQUESTS) == 0) {
        memory(&b);
        requests(&b);
    }
    finish(&b);
    endpoint_close(&b.endpoint);
    return b.no_targets || !b.missed ? 0 : 3;
}
