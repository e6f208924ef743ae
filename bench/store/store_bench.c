/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store alone costs: registrations, updates, re-registrations and values in batches, as a shard
 * writes them, in a directory of its own. Names are scrambled and the order is shuffled: in order both would
 * flatter the store.
 */
#include "base/random.h"
#include "store/memory.h"
#include "store/sqlite.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#define NAME_MAX_BYTES 32
#define LINK_LISTS     16
#define TENTHS         10
#define SAMPLES_MAX    4000000u

typedef struct {
    char name[NAME_MAX_BYTES];
    dn_store_registration registration;
    double value;
    int64_t value_ms;
} device;

typedef struct {
    uint32_t devices, rounds, batch;
    dn_sqlite_config sqlite;
    const char *dir;
    bool memory;
    bool crash; /* leave the journal as it is, as kill -9 would */
    dn_store *store;
    device *fleet;
    uint32_t *order;
    double *commit_us;
    dn_seeded seeded;
    dn_random random;
    int64_t now_ms;
} bench;

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static bool read_registration(void *context, uint32_t slot, dn_store_registration *out)
{
    bench *b = context;
    *out = b->fleet[slot].registration;
    return true;
}

static void value_of(bench *b, uint32_t number, dn_store_value *out)
{
    device *d = &b->fleet[number];
    *out = (dn_store_value){number, d->value_ms, 0x45, 112, dunlin_slice_make(&d->value, sizeof d->value)};
}

static bool read_value(void *context, uint32_t observation, dn_store_value *out)
{
    value_of(context, observation, out);
    return true;
}

static void make_fleet(bench *b)
{
    b->fleet = calloc(b->devices, sizeof *b->fleet);
    b->order = calloc(b->devices, sizeof *b->order);
    b->commit_us = calloc(SAMPLES_MAX, sizeof *b->commit_us);
    if (b->fleet == NULL || b->order == NULL || b->commit_us == NULL) {
        fprintf(stderr, "no memory\n");
        exit(1);
    }
    for (uint32_t i = 0; i < b->devices; i++) {
        device *d = &b->fleet[i];
        int len = snprintf(d->name, sizeof d->name, "urn:imei:86%013llu",
                           (unsigned long long)dn_random_between(&b->random, 0, 9999999999999ull));
        d->registration = (dn_store_registration){.slot = i,
                                                  .id = dn_random_between(&b->random, 0, UINT64_MAX),
                                                  .endpoint = dunlin_slice_make(d->name, (size_t)len),
                                                  .lifetime_s = 86400,
                                                  .registered_ms = b->now_ms,
                                                  .updated_ms = b->now_ms,
                                                  .links = i % LINK_LISTS,
                                                  .version_major = 1,
                                                  .version_minor = 1,
                                                  .binding = 1};
        d->registration.peer.len = 8;
        memcpy(d->registration.peer.bytes, &d->registration.id, 8);
        b->order[i] = i;
    }
}

static void shuffle(bench *b)
{
    for (uint32_t i = b->devices - 1; i > 0; i--) {
        uint32_t j = (uint32_t)dn_random_between(&b->random, 0, i);
        uint32_t swap = b->order[i];
        b->order[i] = b->order[j];
        b->order[j] = swap;
    }
}

/* ---- the operations ---- */

static void put_new(bench *b, uint32_t i)
{
    b->store->ops->put_registration(b->store, &b->fleet[i].registration);
}

static void update(bench *b, uint32_t i)
{
    b->fleet[i].registration.updated_ms = b->now_ms;
    b->store->ops->touch_registration(b->store, i, b->now_ms);
}

static void register_again(bench *b, uint32_t i)
{
    b->fleet[i].registration.id = dn_random_between(&b->random, 0, UINT64_MAX);
    b->fleet[i].registration.updated_ms = b->now_ms;
    b->store->ops->put_registration(b->store, &b->fleet[i].registration);
}

static void notify(bench *b, uint32_t i)
{
    dn_store_value value;
    b->fleet[i].value = (double)(b->now_ms % 1000);
    b->fleet[i].value_ms = b->now_ms;
    value_of(b, i, &value);
    b->store->ops->put_value(b->store, &value);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void commit(bench *b, uint32_t *samples)
{
    double start = now_us();
    if (b->store->ops->commit(b->store) != DUNLIN_OK) {
        fprintf(stderr, "commit: %s\n", b->store->ops->error(b->store));
        exit(1);
    }
    if (*samples < SAMPLES_MAX) {
        b->commit_us[(*samples)++] = now_us() - start;
    }
}

static void phase(bench *b, const char *name, void (*operation)(bench *b, uint32_t i), uint32_t rounds,
                  bool in_order)
{
    uint64_t total = (uint64_t)rounds * b->devices;
    uint64_t done = 0;
    uint32_t samples = 0;
    double start = now_us();
    double cpu = cpu_us();
    double tenth[TENTHS + 1] = {0};
    for (uint32_t round = 0; round < rounds; round++) {
        double pause = now_us();
        if (!in_order) {
            shuffle(b);
        }
        start += now_us() - pause;
        for (uint32_t i = 0; i < b->devices; i++) {
            b->now_ms++;
            operation(b, in_order ? i : b->order[i]);
            done++;
            if (done % b->batch == 0) {
                commit(b, &samples);
            }
            if (done * TENTHS % total < TENTHS) {
                tenth[done * TENTHS / total] = now_us() - start;
            }
        }
    }
    commit(b, &samples);
    double wall = now_us() - start;
    qsort(b->commit_us, samples, sizeof *b->commit_us, by_size);
    printf("%-12s %10llu  %9.0f/s  %6.2f us wall  %6.2f us cpu  last/first tenth %4.2f  commit us p50 %.0f "
           "p99 %.0f p99.9 %.0f max %.0f\n",
           name, (unsigned long long)total, (double)total / wall * 1e6, wall / (double)total,
           (cpu_us() - cpu) / (double)total, tenth[1] / (tenth[TENTHS] - tenth[TENTHS - 1]),
           b->commit_us[samples / 2], b->commit_us[(uint64_t)samples * 99 / 100],
           b->commit_us[(uint64_t)samples * 999 / 1000], b->commit_us[samples - 1]);
    fflush(stdout);
}

/* ---- loading ---- */

static dunlin_status take_links(void *context, uint32_t number, dunlin_slice text)
{
    (void)context;
    (void)number;
    (void)text;
    return DUNLIN_OK;
}

static dunlin_status take_registration(void *context, const dn_store_registration *registration)
{
    (void)registration;
    ++*(uint64_t *)context;
    return DUNLIN_OK;
}

static dunlin_status take_observation(void *context, const dn_store_observation *observation)
{
    (void)context;
    (void)observation;
    return DUNLIN_OK;
}

static dunlin_status take_value(void *context, const dn_store_value *value)
{
    (void)value;
    ++*(uint64_t *)context;
    return DUNLIN_OK;
}

static void open_store(bench *b)
{
    char error[400];
    uint64_t rows = 0;
    dn_store_loader loader = {.links = take_links,
                              .registration = take_registration,
                              .observation = take_observation,
                              .value = take_value,
                              .context = &rows};
    dn_store_source source = {read_registration, read_value, b};
    double start = now_us();
    if (b->memory) {
        b->store = dn_memory_store_create();
    } else if (dn_sqlite_store_open(b->dir, &b->sqlite, &b->store, error, sizeof error) != DUNLIN_OK) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
    if (b->store == NULL || b->store->ops->load(b->store, &loader) != DUNLIN_OK) {
        fprintf(stderr, "load: %s\n", b->store == NULL ? "no memory" : b->store->ops->error(b->store));
        exit(1);
    }
    b->store->ops->attach(b->store, &source);
    printf("%-12s %10llu rows in %.3f s\n", "load", (unsigned long long)rows, (now_us() - start) / 1e6);
}

static void print_files(const bench *b)
{
    static const char *const names[] = {"dunlin.db", "dunlin.db-wal"};
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !b->memory; i++) {
        char path[512];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", b->dir, names[i]);
        if (stat(path, &st) == 0) {
            printf("%-12s %10.1f MB\n", names[i], (double)st.st_size / 1e6);
        }
    }
}

static void usage(void)
{
    fprintf(stderr,
            "store_bench --dir DIR [--memory] [--devices N] [--rounds N] [--batch N] [--power] [--log KIB]\n"
            "            [--journal KIB] [--sweep PERCENT] [--cache KIB] [--crash]\n");
    exit(2);
}

static void options(bench *b, int argc, char **argv)
{
    static const struct option names[] = {
        {"dir", 1, NULL, 'd'},     {"devices", 1, NULL, 'n'}, {"rounds", 1, NULL, 'r'},
        {"batch", 1, NULL, 'b'},   {"power", 0, NULL, 'p'},   {"log", 1, NULL, 'l'},
        {"journal", 1, NULL, 'j'}, {"sweep", 1, NULL, 's'},   {"cache", 1, NULL, 'c'},
        {"memory", 0, NULL, 'm'},  {"crash", 0, NULL, 'x'},   {NULL, 0, NULL, 0}};
    int c;
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        uint32_t number = optarg != NULL ? (uint32_t)strtoul(optarg, NULL, 10) : 0;
        switch (c) {
        case 'd':
            b->dir = optarg;
            break;
        case 'n':
            b->devices = number;
            break;
        case 'r':
            b->rounds = number;
            break;
        case 'b':
            b->batch = number;
            break;
        case 'p':
            b->sqlite.durability = DN_DURABILITY_POWER;
            break;
        case 'l':
            b->sqlite.log_kib = number;
            break;
        case 'j':
            b->sqlite.journal_kib = number;
            break;
        case 's':
            b->sqlite.sweep_percent = number;
            break;
        case 'c':
            b->sqlite.cache_kib = number;
            break;
        case 'm':
            b->memory = true;
            break;
        case 'x':
            b->crash = true;
            break;
        default:
            usage();
        }
    }
    if ((b->dir == NULL && !b->memory) || b->devices == 0 || b->batch == 0 || b->rounds == 0) {
        usage();
    }
}

int main(int argc, char **argv)
{
    bench b = {.devices = 100000, .rounds = 10, .batch = 32, .now_ms = 1700000000000};
    b.sqlite = dn_sqlite_config_default();
    options(&b, argc, argv);
    dn_seeded_init(&b.seeded, 1);
    b.random = dn_seeded_random(&b.seeded);
    make_fleet(&b);
    open_store(&b);
    for (uint32_t i = 0; i < LINK_LISTS; i++) {
        b.store->ops->put_links(b.store, i,
                                dunlin_slice_of("</>;rt=\"oma.lwm2m\";ct=110,</1/0>,</3/0>,</3303/0>"));
    }
    phase(&b, "register", put_new, 1, true);
    phase(&b, "update", update, b.rounds, false);
    phase(&b, "register again", register_again, 2, false);
    phase(&b, "first value", notify, 1, true);
    phase(&b, "value", notify, b.rounds, false);
    print_files(&b);
    if (b.crash) {
        return 0;
    }
    double start = now_us();
    b.store->ops->close(b.store);
    printf("%-12s %.3f s\n", "close", (now_us() - start) / 1e6);
    print_files(&b);
    if (!b.memory) {
        open_store(&b);
        b.store->ops->close(b.store);
    }
    return 0;
}
