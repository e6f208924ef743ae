/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads of devices through the server without HTTP: a process that embeds the server asks devices by dn_fleet_request, so many at a time, and
 * checks each value. Beside the echo, like fleet_bench; the difference between the two is what REST costs.
 */
#include "fleet/daemon.h"
#include "fleet/echo.h"
#include "fleet/reads.h"
#include "fleet/report.h"
#include "fleet/window.h"

#include "server/fleet.h"
#include "store/sqlite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READ_TARGET 0.3
#define SEED        20261122u
#define TIMEOUT_MS  20000
#define GRACE_MS    1000
#define GET         0x01
#define CONTENT     0x45

/* ---- the serving process ---- */

typedef struct asker asker;

typedef struct {
    asker *asker;
    uint32_t device;
    uint64_t sent_ns;
    dunlin_status status;
    uint8_t code;
    bool right;
} question;

struct asker {
    dn_fleet *fleet;
    devices *devices;
    uint32_t in_flight;
    uint64_t started, total;
    stats stats;
    question *questions;
    /* Answered questions: written by the shard's thread, taken by ours. */
    pthread_mutex_t mutex;
    pthread_cond_t answered;
    uint32_t *ready, *taken;
    uint32_t ready_count;
};

static void fill_random(void *context, void *out, size_t len)
{
    (void)context;
    if (getrandom(out, len, 0) != (ssize_t)len) {
        abort();
    }
}

static uint64_t clock_ms(void *context)
{
    (void)context;
    return stats_now_ns() / 1000000u;
}

static int64_t wall_ms(void *context)
{
    struct timespec t;
    (void)context;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* On the shard's thread: note what came, wake the asker when it may be asleep. */
static void answered(void *context, const dn_device_response *response)
{
    question *q = context;
    asker *a = q->asker;
    char name[DEVICE_NAME_MAX];
    devices_name(q->device, name);
    q->status = response->status;
    q->code = response->code;
    q->right =
        response->payload.len >= DEVICE_SERIAL_LEN && memmem(response->payload.data, response->payload.len,
                                                             devices_serial(name), DEVICE_SERIAL_LEN) != NULL;
    pthread_mutex_lock(&a->mutex);
    a->ready[a->ready_count++] = (uint32_t)(q - a->questions);
    if (a->ready_count == 1) {
        pthread_cond_signal(&a->answered);
    }
    pthread_mutex_unlock(&a->mutex);
}

static void ask(asker *a, question *q)
{
    char name[DEVICE_NAME_MAX];
    uint64_t number;
    q->asker = a;
    q->device = a->devices->order[a->started++ % a->devices->count];
    q->sent_ns = stats_now_ns();
    dn_device_request request = {.endpoint = dunlin_slice_make(name, devices_name(q->device, name)),
                                 .method = GET,
                                 .path = dunlin_path_resource(3, 0, 2),
                                 .content_format = DN_COAP_NO_FORMAT,
                                 .accept = 112,
                                 .timeout_ms = TIMEOUT_MS};
    dunlin_status status = dn_fleet_request(a->fleet, &request, answered, q, &number);
    if (status != DUNLIN_OK) {
        fprintf(stderr, "dn_fleet_request: %s\n", dunlin_status_text(status));
        exit(1);
    }
}

static void check(asker *a, question *q)
{
    if (q->status != DUNLIN_OK || q->code != CONTENT || !q->right) {
        fprintf(stderr, "device %u: status %s, code %u.%02u, value %s\n", q->device,
                dunlin_status_text(q->status), q->code >> 5, q->code & 31u, q->right ? "right" : "wrong");
        exit(1);
    }
    stats_done(&a->stats, q->sent_ns);
}

static void ask_all(asker *a)
{
    stats_start(&a->stats, a->total);
    stats_resume(&a->stats);
    for (uint32_t i = 0; i < a->in_flight && a->started < a->total; i++) {
        ask(a, &a->questions[i]);
    }
    while (a->stats.done < a->total) {
        pthread_mutex_lock(&a->mutex);
        while (a->ready_count == 0) {
            pthread_cond_wait(&a->answered, &a->mutex);
        }
        uint32_t count = a->ready_count;
        uint32_t *taken = a->ready;
        a->ready = a->taken;
        a->taken = taken;
        a->ready_count = 0;
        pthread_mutex_unlock(&a->mutex);
        for (uint32_t i = 0; i < count; i++) {
            question *q = &a->questions[taken[i]];
            check(a, q);
            if (a->started < a->total) {
                ask(a, q);
            }
        }
    }
    stats_pause(&a->stats);
}

static dn_fleet *start_fleet(const char *dir)
{
    static const char *const addresses[] = {"127.0.0.1:0"};
    char error[400];
    dn_store *store = NULL;
    dn_fleet *fleet = NULL;
    dn_sqlite_config sqlite = dn_sqlite_config_default();
    dn_fleet_config config = dn_fleet_config_default();
    if (dn_sqlite_store_open(dir, &sqlite, &store, error, sizeof error) != DUNLIN_OK) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
    config.coap_addresses = addresses;
    config.coap_address_count = 1;
    config.store = store;
    config.random = (dn_random){fill_random, NULL};
    config.wall_ms = wall_ms;
    config.clock_ms = clock_ms;
    if (dn_fleet_start(&config, &fleet, error, sizeof error) != DUNLIN_OK) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
    return fleet;
}

/* Writes its address to `out`, waits for a byte from `in`, asks, writes its figures to `out`. */
static _Noreturn void serve(const char *dir, devices *d, uint32_t in_flight, uint64_t total, int in, int out)
{
    char address[64] = "";
    char go;
    asker a = {.fleet = start_fleet(dir), .devices = d, .in_flight = in_flight, .total = total};
    a.questions = calloc(in_flight, sizeof *a.questions);
    a.ready = calloc(in_flight, sizeof *a.ready);
    a.taken = calloc(in_flight, sizeof *a.taken);
    pthread_mutex_init(&a.mutex, NULL);
    pthread_cond_init(&a.answered, NULL);
    snprintf(address, sizeof address, "%s", dn_fleet_address(a.fleet, 0));
    if (a.questions == NULL || a.ready == NULL || a.taken == NULL ||
        write(out, address, sizeof address) != (ssize_t)sizeof address || read(in, &go, 1) != 1) {
        exit(1);
    }
    devices_shuffle(d);
    double cpu = daemon_cpu_us(getpid());
    ask_all(&a);
    a.stats.server_cpu_us = (daemon_cpu_us(getpid()) - cpu) / (double)total;
    if (write(out, &a.stats, sizeof a.stats) != (ssize_t)sizeof a.stats) {
        exit(1);
    }
    dn_fleet_stop(a.fleet, GRACE_MS);
    exit(0);
}

/* ---- the devices' process ---- */

typedef struct {
    uint32_t count, in_flight;
    uint64_t reads;
    bool json, no_targets;
    const char *base;
    endpoint endpoint;
    devices devices;
    report report;
} bench;

static void echo_slice(bench *b, stats *s)
{
    struct sockaddr_in address;
    pid_t pid = echo_start(&address);
    stats_start(s, (uint64_t)b->count * 2);
    window_run(WINDOW_ECHO_UPDATE, &b->endpoint, &b->devices, &address, b->in_flight, s->total, s);
    s->server_cpu_us = daemon_cpu_us(pid) / (double)s->total;
    echo_stop(pid);
}

static bool readable(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    return poll(&wait, 1, 0) > 0;
}

static void run(bench *b, int to, int from)
{
    char text[64];
    unsigned a, c, d, e, port;
    stats s;
    if (read(from, text, sizeof text) != (ssize_t)sizeof text ||
        sscanf(text, "%u.%u.%u.%u:%u", &a, &c, &d, &e, &port) != 5) {
        fprintf(stderr, "the server did not start\n");
        exit(1);
    }
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    server.sin_addr.s_addr = htonl(a << 24 | c << 16 | d << 8 | e);
    stats_start(&s, b->count);
    window_run(WINDOW_REGISTER, &b->endpoint, &b->devices, &server, b->in_flight, b->count, &s);

    stats echo;
    echo_slice(b, &echo);
    if (write(to, "g", 1) != 1) {
        exit(1);
    }
    while (!readable(from)) {
        reads_answer(&b->endpoint, true);
    }
    if (read(from, &s, sizeof s) != (ssize_t)sizeof s) {
        exit(1); /* the server said why */
    }
    report_add(&b->report, "echo of an update", b->in_flight, &echo, 0, 0, 0);
    report_add(&b->report, "read, embedded", b->in_flight, &s, stats_rate(&echo), READ_TARGET, 0);
}

static _Noreturn void usage(int status)
{
    fprintf(status == 0 ? stdout : stderr,
            "Usage: api_bench [--devices N] [--reads N] [--in-flight N] [--dir DIR] [--no-targets] [--json]\n"
            "Reads of devices through an embedded server, beside an echo.\n"
            "Exit status: 0 target met, 3 missed, 1 something failed, 2 usage.\n");
    exit(status);
}

static void take_options(bench *b, int argc, char **argv)
{
    static const struct option names[] = {{"devices", 1, NULL, 'n'},    {"reads", 1, NULL, 'g'},
                                          {"in-flight", 1, NULL, 'i'},  {"dir", 1, NULL, 'd'},
                                          {"no-targets", 0, NULL, 't'}, {"json", 0, NULL, 'j'},
                                          {"help", 0, NULL, 'h'},       {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (option) {
        case 'n':
            b->count = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'g':
            b->reads = strtoull(optarg, NULL, 10);
            break;
        case 'i':
            b->in_flight = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'd':
            b->base = optarg;
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
    if (optind != argc || b->count == 0 || b->reads == 0 || b->in_flight == 0 || b->in_flight > 1024) {
        usage(2);
    }
}

int main(int argc, char **argv)
{
    static bench b = {.count = 100000, .in_flight = 64, .reads = 200000};
    char dir[512];
    char command[sizeof dir + 16];
    int there[2];
    int back[2];
    b.base = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    take_options(&b, argc, argv);
    snprintf(dir, sizeof dir, "%s/dunlin-bench.XXXXXX", b.base);
    if (mkdtemp(dir) == NULL || pipe(there) != 0 || pipe(back) != 0) {
        perror(dir);
        return 1;
    }
    devices_make(&b.devices, b.count, SEED);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(dir, &b.devices, b.in_flight, b.reads, there[0], back[1]);
    }
    close(back[1]);
    endpoint_open(&b.endpoint);
    b.report.devices = b.count;
    run(&b, there[1], back[0]);
    int status = 0;
    waitpid(pid, &status, 0);
    if (b.no_targets) {
        report_forget_targets(&b.report);
    }
    report_print(&b.report, b.json);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || system(command) != 0) {
        fprintf(stderr, "the server did not end well, or %s could not be removed\n", dir);
        return 1;
    }
    return report_met(&b.report) ? 0 : 3;
}
