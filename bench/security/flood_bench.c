/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a dunlind serves the devices that have a session while somebody floods its DTLS port: how long their pings take, and what
 * memory does. docs/bench.md says how to read it.
 */
#include "fleet/daemon.h"
#include "security/bench_material.h"
#include "security/flood.h"
#include "security/sessions.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AGAIN_NS     UINT64_C(2000000000) /* as a device's own repetition, RFC 7252 section 4.2 */
#define GIVE_UP      20u                  /* repetitions of one ping */
#define PACE_NS      UINT64_C(1000000)    /* a ping each millisecond */
#define GROWTH_LIMIT (8u << 20)           /* between the first third of a flood and its end */
#define DEVICES_MAX  20000u

typedef struct {
    uint64_t sent_ns;  /* 0: none is under way */
    uint64_t again_ns; /* when it is repeated */
    unsigned repeated;
} ping;

typedef struct {
    daemon_process daemon;
    uint32_t count, seconds;
    bool no_targets;
    const char *base;
    char dir[DAEMON_PATH_MAX / 2];
    endpoint endpoint;
    sessions sessions;
    material material;
    dn_tls_context **own;
    flood flood;
    ping *pings;
    stats stats;
    uint32_t under_way;
    uint64_t repeated;
    double cpu_us; /* the server's, before a phase */
    bool missed;
} bench;

static _Noreturn void stop(const char *what)
{
    fprintf(stderr, "flood_bench: %s\n", what);
    exit(1);
}

static dn_tls_context *own_context(void *context, uint32_t index)
{
    bench *b = context;
    if (b->own[index] == NULL) {
        b->own[index] = material_device(index);
    }
    return b->own[index];
}

/* ---- pings ---- */

static void send_ping(bench *b, uint32_t device)
{
    static const uint8_t bytes[] = {0x40, 0, 0x12, 0x34}; /* CON, empty: answered with a Reset */
    sessions_send(&b->sessions, device, bytes, sizeof bytes);
    endpoint_flush(&b->endpoint);
}

static void on_answer(void *context, uint32_t device, dunlin_slice plain)
{
    bench *b = context;
    ping *one = &b->pings[device];
    (void)plain;
    if (one->sent_ns != 0) {
        stats_done(&b->stats, one->sent_ns);
        *one = (ping){0};
        b->under_way--;
    }
}

static void repeat(bench *b, uint64_t now)
{
    for (uint32_t i = 0; i < b->count; i++) {
        ping *one = &b->pings[i];
        if (one->sent_ns != 0 && now >= one->again_ns) {
            if (++one->repeated > GIVE_UP) {
                stop("a device with a session is not served any more");
            }
            one->again_ns = now + AGAIN_NS;
            b->repeated++;
            send_ping(b, i);
        }
    }
}

/* Devices ping in turns for `seconds`; then the last answers are awaited. */
static void ping_for(bench *b, double seconds)
{
    uint64_t start = stats_now_ns(), last = start, checked = start;
    uint64_t end = start + (uint64_t)(seconds * 1e9);
    for (uint32_t next = 0;;) {
        uint64_t now = stats_now_ns();
        ping *one = &b->pings[next];
        if (now < end && now - last >= PACE_NS && one->sent_ns == 0) {
            *one = (ping){.sent_ns = now, .again_ns = now + AGAIN_NS};
            b->under_way++;
            last = now;
            send_ping(b, next);
            next = (next + 1) % b->count;
        }
        (void)sessions_receive(&b->sessions, false);
        if (now - checked > 50000000u) {
            checked = now;
            repeat(b, now);
        }
        if (now >= end && b->under_way == 0) {
            return;
        }
        usleep(50);
    }
}

static void report(bench *b, const char *name, uint64_t sent, double seconds, int64_t growth)
{
    double busy = (daemon_cpu_us(b->daemon.pid) - b->cpu_us) / 10000 / seconds;
    printf("%-22s %12.0f %6.0f %8llu %9.1f %9.1f %9.1f %9llu", name, (double)sent / seconds, busy,
           (unsigned long long)b->stats.done, stats_percentile_us(&b->stats, 50) / 1000,
           stats_percentile_us(&b->stats, 99) / 1000, (double)b->stats.longest_us / 1000,
           (unsigned long long)b->repeated);
    if (growth < 0) {
        printf("\n");
        return;
    }
    bool met = (uint64_t)growth <= GROWTH_LIMIT;
    printf(" %9.1f  %s\n", (double)growth / (1 << 20), b->no_targets ? "" : met ? "ok" : "MISSED");
    b->missed = b->missed || !met;
    fflush(stdout);
}

static void measure(bench *b)
{
    b->repeated = 0;
    b->cpu_us = daemon_cpu_us(b->daemon.pid);
    stats_start(&b->stats, (uint64_t)b->seconds * 1000);
    stats_resume(&b->stats);
}

static void quiet(bench *b)
{
    measure(b);
    ping_for(b, b->seconds);
    stats_pause(&b->stats);
    report(b, "no flood", 0, b->seconds, -1);
}

static void under(bench *b, flood_kind kind)
{
    uint64_t start = stats_now_ns();
    measure(b);
    flood_start(&b->flood, kind, &b->daemon.coaps, own_context(b, 0));
    ping_for(b, b->seconds / 3.0);
    uint64_t before = daemon_rss_bytes(b->daemon.pid);
    ping_for(b, b->seconds * 2 / 3.0);
    uint64_t after = daemon_rss_bytes(b->daemon.pid);
    uint64_t sent = atomic_load(&b->flood.sent);
    double seconds = (double)(stats_now_ns() - start) / 1e9;
    flood_end(&b->flood);
    stats_pause(&b->stats);
    report(b, flood_names[kind], sent, seconds, after > before ? (int64_t)(after - before) : 0);
}

/* ---- life ---- */

static void start(bench *b)
{
    static char config[DAEMON_PATH_MAX + 32];
    stats unused;
    snprintf(b->dir, sizeof b->dir, "%.200s/flood-bench-XXXXXX", b->base);
    if (mkdtemp(b->dir) == NULL) {
        stop("no folder for the server");
    }
    snprintf(b->daemon.dir, sizeof b->daemon.dir, "%s", b->dir);
    material_make(&b->material);
    material_write(&b->material, b->dir);
    material_store(&b->material, b->dir, b->count);
    snprintf(config, sizeof config, "%s/dunlind.yaml", b->dir);
    b->daemon.config = config;
    daemon_start(&b->daemon);
    if (b->daemon.coaps.sin_port == 0) {
        stop("the server has no DTLS");
    }
    b->own = calloc(b->count, sizeof *b->own);
    b->pings = calloc(b->count, sizeof *b->pings);
    if (b->own == NULL || b->pings == NULL) {
        stop("no memory");
    }
    endpoint_open(&b->endpoint);
    sessions_make(&b->sessions, &b->endpoint, &b->daemon.coaps, b->count);
    stats_start(&unused, b->count);
    sessions_handshakes(&b->sessions, own_context, b, 0, b->count, 16, true, &unused);
    b->sessions.input = on_answer;
    b->sessions.context = b;
}

static void finish(bench *b)
{
    char command[DAEMON_PATH_MAX];
    sessions_free(&b->sessions);
    for (uint32_t i = 0; i < b->count; i++) {
        dn_tls_context_give_up(b->own[i]);
    }
    free(b->own);
    free(b->pings);
    endpoint_close(&b->endpoint);
    daemon_stop(&b->daemon);
    snprintf(command, sizeof command, "rm -rf '%s'", b->dir);
    if (system(command) != 0) {
        fprintf(stderr, "flood_bench: %s cannot be removed\n", b->dir);
    }
}

static _Noreturn void usage(int status)
{
    fprintf(status == 0 ? stdout : stderr,
            "Usage: flood_bench --server DUNLIND [--dir DIR] [--devices N] [--seconds N] [--no-targets]\n"
            "Exit status: 0 memory stays flat and all are served, 3 it grew, 1 something failed, 2 usage.\n");
    exit(status);
}

static uint32_t number_of(const char *text, unsigned long most)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*end != '\0' || number == 0 || number > most) {
        usage(2);
    }
    return (uint32_t)number;
}

static void take_options(bench *b, int argc, char **argv)
{
    static const struct option names[] = {
        {"server", 1, NULL, 's'},  {"dir", 1, NULL, 'd'},        {"devices", 1, NULL, 'n'},
        {"seconds", 1, NULL, 'i'}, {"no-targets", 0, NULL, 't'}, {"help", 0, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 's') {
            b->daemon.program = optarg;
        } else if (option == 'd') {
            b->base = optarg;
        } else if (option == 'n') {
            b->count = number_of(optarg, DEVICES_MAX);
        } else if (option == 'i') {
            b->seconds = number_of(optarg, 3600);
        } else if (option == 't') {
            b->no_targets = true;
        } else {
            usage(option == 'h' ? 0 : 2);
        }
    }
    if (optind != argc || b->daemon.program == NULL) {
        usage(2);
    }
}

int main(int argc, char **argv)
{
    static bench b = {.count = 200, .seconds = 9};
    b.base = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    take_options(&b, argc, argv);
    start(&b);
    printf("%-22s %12s %6s %8s %9s %9s %9s %9s %9s\n", "devices with sessions", "flood/s", "cpu %", "pings",
           "p50 ms", "p99 ms", "max ms", "repeated", "RSS +MiB");
    quiet(&b);
    for (int kind = 0; kind < FLOOD_KINDS; kind++) {
        under(&b, (flood_kind)kind);
    }
    quiet(&b);
    finish(&b);
    return b.no_targets || !b.missed ? 0 : 3;
}
