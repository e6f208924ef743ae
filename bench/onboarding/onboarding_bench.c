/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that have the bootstrap server's address and a pre-shared key, and nothing else, become registered: each with the client library, a
 * socket and sessions of its own, a window of them at a time. Beside it, in the same run, the same number of devices that have their account
 * already, and so need one handshake and a Register: what a bootstrap adds is the difference.
 */
#include "fleet/daemon.h"
#include "fleet/http.h"
#include "fleet/stats.h"
#include "store/bootstrap.h"
#include "store/credentials.h"

#include <dunlin/client_device.h>
#include <dunlin/posix.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define NAME_SIZE      24u
#define KEY_LEN        16u
#define WINDOW_MAX     1024u
#define GIVEN_UP_MS    300000u
#define ERROR_MAX      256u
#define ARENA_MORE     4096u
#define BOOTSTRAP_FILE "bootstrap-credentials.db"

typedef struct {
    dunlin_posix *posix;
    dunlin_client *client;
    dunlin_device object;
    void *arena;
    uint64_t since_ns, since_ms;
    char name[NAME_SIZE];
    bool is_registered, is_lost;
} device;

typedef struct {
    uint32_t count, window;
    const char *base;
    char dir[DAEMON_PATH_MAX];
    daemon_process daemon;
    char bootstrap_uri[64], server_uri[64];
    device devices[WINDOW_MAX];
    bool keep;
} bench;

typedef struct {
    const char *name;
    bool bootstraps;
    stats stats;
    uint64_t lost;
    double client_us, server_us; /* processor time for each device */
} phase;

static _Noreturn void stop(const char *what, const char *why)
{
    fprintf(stderr, "onboarding_bench: %s: %s\n", what, why);
    exit(1);
}

static void check(dunlin_status status, const char *what)
{
    if (status != DUNLIN_OK) {
        stop(what, dunlin_status_text(status));
    }
}

/* ---- what is there before the start ---- */

static void key_of(const char *name, uint8_t key[KEY_LEN])
{
    for (size_t i = 0; i < KEY_LEN; i++) {
        key[i] = (uint8_t)((size_t)name[i % strlen(name)] * 31 + i);
    }
}

static void put_devices(const char *dir, const char *file, const char *prefix, uint32_t count)
{
    char error[ERROR_MAX];
    dn_credentials *credentials;
    dn_credential_store_config config = dn_credential_store_config_default();
    config.dir = dir;
    config.file = file != NULL ? file : config.file;
    if (dn_credential_store_open(&config, &credentials, error, sizeof error) != DUNLIN_OK) {
        stop(dir, error);
    }
    for (uint32_t i = 0; i < count; i++) {
        dn_credential one = {.mode = DN_SECURITY_PSK, .key_len = KEY_LEN};
        char name[NAME_SIZE];
        const int len = snprintf(name, sizeof name, "%s-%07u", prefix, (unsigned)i);
        one.endpoint_len = one.identity_len = (uint8_t)len;
        memcpy(one.endpoint, name, (size_t)len);
        memcpy(one.identity, name, (size_t)len);
        key_of(name, one.key);
        check(credentials->ops->put(credentials, &one, NULL), "a credential");
    }
    credentials->ops->close(credentials);
}

static void put_configuration(const char *dir)
{
    char error[ERROR_MAX];
    dn_bs_store *store;
    dn_bs_store_config config = dn_bs_store_config_default();
    config.dir = dir;
    if (dn_bs_store_open(&config, &store, error, sizeof error) != DUNLIN_OK) {
        stop(dir, error);
    }
    check(store->ops->put(store, dunlin_slice_of("boot-*"), dunlin_slice_of("{\"servers\":[{}]}"), 0, NULL),
          "the configuration");
    store->ops->close(store);
}

static void read_uri(const char *dir, const char *key, char *out, size_t size)
{
    char path[DAEMON_PATH_MAX + 32];
    char text[1024];
    char quoted[64];
    snprintf(path, sizeof path, "%s/ready.json", dir);
    FILE *file = fopen(path, "r");
    const size_t len = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file != NULL) {
        fclose(file);
    }
    text[len] = '\0';
    snprintf(quoted, sizeof quoted, "\"%s\":\"", key);
    const char *at = strstr(text, quoted);
    if (at == NULL) {
        stop(key, "is not in the ready file");
    }
    at += strlen(quoted);
    snprintf(out, size, "coaps://%.*s", (int)strcspn(at, "\""), at);
}

static void start(bench *b)
{
    static char config[DAEMON_PATH_MAX + 32];
    char data[DAEMON_PATH_MAX + 32];
    snprintf(b->dir, sizeof b->dir, "%.200s/onboarding-bench-XXXXXX", b->base);
    if (mkdtemp(b->dir) == NULL) {
        perror(b->dir);
        exit(1);
    }
    snprintf(b->daemon.dir, sizeof b->daemon.dir, "%.300s", b->dir);
    snprintf(data, sizeof data, "%s/data", b->dir);
    snprintf(config, sizeof config, "%s/dunlind.yaml", b->dir);
    FILE *file = fopen(config, "w");
    if (mkdir(data, 0700) != 0 || file == NULL) {
        perror(data);
        exit(1);
    }
    fputs("coaps:\n  listen: [\"127.0.0.1:0\"]\nbootstrap:\n  coaps:\n    listen: [\"127.0.0.1:0\"]\n", file);
    fclose(file);
    put_devices(data, BOOTSTRAP_FILE, "boot", b->count);
    put_devices(data, NULL, "have", b->count);
    put_configuration(data);
    b->daemon.config = config;
    daemon_start(&b->daemon);
    read_uri(b->dir, "bootstrap-coaps", b->bootstrap_uri, sizeof b->bootstrap_uri);
    read_uri(b->dir, "coaps", b->server_uri, sizeof b->server_uri);
}

/* ---- devices ---- */

static void on_event(void *context, const dunlin_client_event *event)
{
    device *d = context;
    d->is_registered = d->is_registered || event->kind == DUNLIN_CLIENT_REGISTERED;
}

static void begin(bench *b, const phase *p, device *d, uint32_t index)
{
    uint8_t key[KEY_LEN];
    *d = (device){.since_ns = stats_now_ns(), .since_ms = dunlin_posix_now_ms()};
    snprintf(d->name, sizeof d->name, "%s-%07u", p->bootstraps ? "boot" : "have", (unsigned)index);
    key_of(d->name, key);

    dunlin_posix_config own = dunlin_posix_config_default();
    own.event = on_event;
    own.context = d;
    own.local = "127.0.0.1:0";
    check(dunlin_posix_create(&own, &d->posix), "a device");
    dunlin_client_config config = dunlin_client_config_default();
    config.endpoint = d->name;
    config.bootstrap = p->bootstraps;
    dunlin_posix_fill(d->posix, &config);
    config.stream_message = 0;
    const size_t size =
        (dunlin_client_arena_size(&config) + ARENA_MORE) / DUNLIN_ARENA_ALIGN * DUNLIN_ARENA_ALIGN;
    d->arena = aligned_alloc(DUNLIN_ARENA_ALIGN, size);
    d->client = d->arena != NULL ? dunlin_client_create(d->arena, size, &config, d->since_ms) : NULL;
    if (d->client == NULL) {
        stop(d->name, "no memory, or not a configuration");
    }
    dunlin_device_init(&d->object);
    check(dunlin_device_add(d->client, &d->object), "Object 3");
    dunlin_server account = dunlin_server_default();
    account.bootstrap = p->bootstraps;
    snprintf(account.uri, sizeof account.uri, "%s", p->bootstraps ? b->bootstrap_uri : b->server_uri);
    account.security = (dunlin_security){.mode = DUNLIN_PSK,
                                         .identity = dunlin_slice_of(d->name),
                                         .secret = dunlin_slice_make(key, sizeof key),
                                         .matching = -1,
                                         .usage = -1};
    check(dunlin_client_add_server(d->client, &account), "an account");
    dunlin_client_start(d->client, d->since_ms);
}

static void end(device *d)
{
    dunlin_posix_destroy(d->posix);
    free(d->arena);
    d->posix = NULL;
}

static double own_cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void run(bench *b, phase *p)
{
    uint32_t begun = 0;
    uint32_t ended = 0;
    const double own_us = own_cpu_us();
    const double server_us = daemon_cpu_us(b->daemon.pid);
    stats_start(&p->stats, b->count);
    stats_resume(&p->stats);
    while (ended < b->count) {
        for (uint32_t i = 0; i < b->window; i++) {
            device *d = &b->devices[i];
            if (d->posix == NULL && begun < b->count) {
                begin(b, p, d, begun++);
            }
            if (d->posix == NULL) {
                continue;
            }
            dunlin_posix_turn(d->posix, d->client, 0);
            const bool is_late = dunlin_posix_now_ms() - d->since_ms > GIVEN_UP_MS;
            if (d->is_registered || is_late) {
                p->lost += !d->is_registered;
                stats_done(&p->stats, d->since_ns);
                end(d);
                ended++;
            }
        }
    }
    stats_pause(&p->stats);
    p->client_us = (own_cpu_us() - own_us) / b->count;
    p->server_us = (daemon_cpu_us(b->daemon.pid) - server_us) / b->count;
}

/* ---- figures ---- */

static uint64_t metric(bench *b, const char *name)
{
    static http_connection connection;
    char line[96];
    const char *body = http_fetch(&connection, &b->daemon.http, "/metrics");
    snprintf(line, sizeof line, "\n%s ", name);
    const char *at = strstr(body, line);
    if (at == NULL) {
        stop(name, "is not among the metrics");
    }
    return strtoull(at + strlen(line), NULL, 10);
}

static void show(const phase *p)
{
    printf("%-32s %8.0f/s  p50 %7.1f ms  p99 %7.1f ms  dunlind %6.0f us  device %6.0f us  lost %llu\n",
           p->name, stats_rate(&p->stats), stats_percentile_us(&p->stats, 50) / 1e3,
           stats_percentile_us(&p->stats, 99) / 1e3, p->server_us, p->client_us, (unsigned long long)p->lost);
}

static int report(bench *b, const phase *have, const phase *boot)
{
    const uint64_t registered = metric(b, "dunlin_registrations");
    const uint64_t finished = metric(b, "dunlin_bootstrap_finished_total");
    const uint64_t failed = metric(b, "dunlin_bootstrap_failed_total");
    show(have);
    show(boot);
    printf("bootstrap beside handshake and registration: %.2f of the rate, %.1f times the processor time of "
           "dunlind\n",
           stats_rate(&boot->stats) / stats_rate(&have->stats), boot->server_us / have->server_us);
    printf("%llu registrations, %llu bootstraps finished, %llu failed, of %u and %u devices\n",
           (unsigned long long)registered, (unsigned long long)finished, (unsigned long long)failed,
           (unsigned)(2 * b->count), (unsigned)b->count);
    return have->lost + boot->lost == 0 && registered == 2 * (uint64_t)b->count && finished >= b->count ? 0
                                                                                                        : 3;
}

/* ---- life ---- */

static _Noreturn void usage(int status)
{
    fprintf(status == 0 ? stdout : stderr,
            "Usage: onboarding_bench --server DUNLIND [--dir DIR] [--devices N] [--window N] [--keep]\n"
            "Exit status: 0 no device was lost, 3 some were, 1 something failed, 2 usage.\n");
    exit(status);
}

static uint32_t number_of(const char *text, uint32_t most)
{
    char *rest;
    unsigned long number = strtoul(text, &rest, 10);
    if (*rest != '\0' || number == 0 || number > most) {
        usage(2);
    }
    return (uint32_t)number;
}

static void take_options(bench *b, int argc, char **argv)
{
    static const struct option names[] = {
        {"server", 1, NULL, 's'}, {"dir", 1, NULL, 'd'},  {"devices", 1, NULL, 'n'}, {"window", 1, NULL, 'w'},
        {"keep", 0, NULL, 'k'},   {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 's') {
            b->daemon.program = optarg;
        } else if (option == 'd') {
            b->base = optarg;
        } else if (option == 'n') {
            b->count = number_of(optarg, 1000000);
        } else if (option == 'w') {
            b->window = number_of(optarg, WINDOW_MAX);
        } else if (option == 'k') {
            b->keep = true;
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
    static bench b = {.count = 10000, .window = 64};
    static phase have = {.name = "PSK handshake and Register"};
    static phase boot = {.name = "bootstrap, then the same", .bootstraps = true};
    char command[DAEMON_PATH_MAX];
    b.base = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    take_options(&b, argc, argv);
    start(&b);
    run(&b, &have);
    run(&b, &boot);
    const int status = report(&b, &have, &boot);
    daemon_stop(&b.daemon);
    snprintf(command, sizeof command, "rm -rf '%s'", b.dir);
    if (!b.keep && system(command) != 0) {
        fprintf(stderr, "onboarding_bench: %s cannot be removed\n", b.dir);
    }
    return status;
}
