/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a bootstrap configuration takes to be found among very many of them, by many threads at once, too: bootstrap_bench [COUNT [LOOK-UPS
 * [THREADS]]]. The rows are written in one transaction, behind the keeper's back; some puts are measured, too.
 */
#include "store/bootstrap.h"
#include "store/bootstrap_rows.h"
#include "store/credentials.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define COUNT_DEFAULT   1000000u
#define LOOKUPS_DEFAULT 200000u
#define THREADS_MAX     16u
#define PATTERNS        100u
#define PUTS            200u

static const char document[] =
    "{\"servers\":[{\"ssid\":1,\"security\":{\"mode\":\"psk\",\"identity\":\"urn:dev:ops:00000000\",\"key\":"
    "\"000102030405060708090a0b0c0d0e0f\"},\"lifetime\":86400}]}";

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int stop(const char *text)
{
    (void)fprintf(stderr, "bootstrap_bench: %s\n", text);
    return 1;
}

static dunlin_slice name_of(char out[32], uint32_t number)
{
    const int len = snprintf(out, 32, "urn:dev:ops:%08" PRIx32, number * 2654435761u);
    return dunlin_slice_make(out, (size_t)len);
}

static bool fill(const char *dir, uint32_t count)
{
    char path[300];
    char error[300];
    dn_bs_rows rows = {.seal = NULL};
    snprintf(path, sizeof path, "%s/" DN_SEAL_FILE, dir);
    if (dn_seal_open(path, path, true, &rows.seal, error, sizeof error) != DUNLIN_OK) {
        return false;
    }
    snprintf(path, sizeof path, "%s/" DN_BOOTSTRAP_FILE, dir);
    bool ok = dn_bs_rows_open(&rows, path, 65536, 0) && dn_bs_rows_begin(&rows);
    for (uint32_t i = 0; ok && i < count + PATTERNS; i++) {
        dn_bs_name name = {.version = 1, .created_ms = 1, .is_pattern = i >= count};
        char text[32];
        const int len = i < count ? (int)name_of(text, i).len
                                  : snprintf(text, sizeof text, "group-%03" PRIu32 "-*", i - count);
        name.endpoint_len = (size_t)len;
        memcpy(name.endpoint, text, name.endpoint_len);
        ok = dn_bs_rows_add(&rows, &name, 1, dunlin_slice_of(document), DN_BOOTSTRAP_VERSIONS);
    }
    ok = ok && dn_bs_rows_count(&rows, count + PATTERNS, 2) && dn_bs_rows_commit(&rows);
    dn_bs_rows_close(&rows);
    dn_seal_free(rows.seal);
    return ok;
}

typedef struct {
    dn_bs_store *store;
    uint32_t count, lookups, seed;
    bool by_pattern, ok;
} reader;

static void take(void *context, const dn_bs_entry *entry)
{
    *(bool *)context = entry->document.len == sizeof document - 1;
}

static void *look_up(void *context)
{
    reader *r = context;
    uint32_t at = r->seed;
    r->ok = true;
    for (uint32_t i = 0; i < r->lookups && r->ok; i++) {
        char text[32];
        at = at * 1664525u + 1013904223u;
        dunlin_slice name = name_of(text, at % r->count);
        if (r->by_pattern) {
            name.len = (size_t)snprintf(text, sizeof text, "group-%03" PRIu32 "-%" PRIu32, at % PATTERNS, at);
        }
        r->ok = r->store->ops->find(r->store, name, take, &r->ok) == DUNLIN_OK && r->ok;
    }
    return NULL;
}

static bool measure(const char *what, const reader *like, unsigned threads)
{
    pthread_t thread[THREADS_MAX];
    reader readers[THREADS_MAX];
    bool ok = true;
    const double from = now_s();
    for (unsigned i = 0; i < threads; i++) {
        readers[i] = *like;
        readers[i].seed = i + 1;
        readers[i].lookups /= threads;
        if (pthread_create(&thread[i], NULL, look_up, &readers[i]) != 0) {
            return false;
        }
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        ok = ok && readers[i].ok;
    }
    printf("%-28s %6.2f us\n", what, (now_s() - from) * 1e6 / (like->lookups / threads * threads));
    return ok;
}

int main(int argc, char **argv)
{
    const uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : COUNT_DEFAULT;
    const uint32_t lookups = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : LOOKUPS_DEFAULT;
    unsigned threads = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 2;
    char dir[200];
    char path[256];
    char error[300];
    const char *folder = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%.150s/dunlin-bootstrap-bench.XXXXXX", folder != NULL ? folder : "/tmp");
    dn_bs_store *store = NULL;
    dn_bs_store_config config = dn_bs_store_config_default();
    threads = threads < 1 || threads > THREADS_MAX ? 1 : threads;
    if (count < 3 || lookups < threads || mkdtemp(dir) == NULL || !fill(dir, count)) {
        return stop("the rows cannot be written");
    }
    config.dir = dir;
    double from = now_s();
    if (dn_bs_store_open(&config, &store, error, sizeof error) != DUNLIN_OK) {
        return stop(error);
    }
    const double opened_s = now_s() - from;
    struct stat about = {.st_size = 0};
    snprintf(path, sizeof path, "%s/" DN_BOOTSTRAP_FILE, dir);
    (void)stat(path, &about);
    printf("%" PRIu64 " configurations of %.0f bytes, opened in %.1f ms\n", store->ops->count(store),
           (double)about.st_size / (count + PATTERNS), opened_s * 1e3);
    reader like = {.store = store, .count = count, .lookups = lookups};
    bool ok = measure("find, exact", &like, 1) && measure("find, exact, threads", &like, threads);
    like.by_pattern = true;
    ok = ok && measure("find, of 100 patterns", &like, 1);
    from = now_s();
    for (uint32_t i = 0; ok && i < PUTS; i++) {
        char text[32];
        ok = store->ops->put(store, name_of(text, i), dunlin_slice_of(document), 0, NULL) == DUNLIN_OK;
    }
    printf("%-28s %6.0f us\n", "put, on the disk", (now_s() - from) * 1e6 / PUTS);
    store->ops->close(store);
    snprintf(path, sizeof path, "rm -r %s", dir);
    return ok && system(path) == 0 ? 0 : stop("a look-up failed");
}
