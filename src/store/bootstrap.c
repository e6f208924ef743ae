/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper of bootstrap configurations: locks, transactions and patterns around the rows; see bootstrap.h. */
#include "store/bootstrap.h"

#include "store/bootstrap_rows.h"
#include "store/complaints.h"
#include "store/credential_patterns.h"
#include "store/seal_place.h"
#include "store/worker.h"

#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AREA            "bootstrap"
#define READ_CACHE_KIB  8192u
#define READ_MAP_BYTES  (1024u * 1024u * 1024u)
#define WRITE_CACHE_KIB 2048u
#define LIST_MAX        1000u
#define SLICE_ROWS      16u /* rows sealed anew in a transaction: what a put may have to wait for */
#define NONE            UINT32_MAX

typedef struct {
    dn_bs_store base;
    dn_seal *seal;
    uint64_t max;
    int64_t (*wall_ms)(void *context);
    void *wall_context;
    const dn_log *log;
    bool in_memory;

    /* Changes and lists. Lock order: writing, reading, the others. */
    pthread_mutex_t write_lock;
    dn_bs_rows writer;
    /* Look-ups: never wait for the disk. In memory there is one connection, and `read_lock` and `reader` are the writer's. */
    pthread_mutex_t own_read_lock;
    dn_bs_rows own_reader;
    pthread_mutex_t *read_lock;
    dn_bs_rows *reader;

    dn_credential_patterns patterns;
    atomic_uint_least64_t count, generation;
    dn_complaints complaints;
    dn_store_worker worker; /* seals anew */
} keeper;

static keeper *self(dn_bs_store *store)
{
    return (keeper *)(void *)store;
}

static int64_t system_wall_ms(void *context)
{
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const char *keeper_error(dn_bs_store *store)
{
    return dn_complaints_last(&self(store)->complaints);
}

/* After each use of a connection, under its lock: keeps what went wrong and makes it fit for the next. */
static dunlin_status settle(keeper *k, dn_bs_rows *rows, dunlin_status status)
{
    if (rows->database.failed) {
        dn_complaints_note(&k->complaints, rows->database.error);
        status = DUNLIN_ERR_STORE;
    }
    dn_bs_rows_settle(rows);
    return status;
}

/* ---- look-ups ---- */

static dunlin_status find_exactly(keeper *k, dunlin_slice endpoint, dn_bs_text *out)
{
    pthread_mutex_lock(k->read_lock);
    dunlin_status status = dn_bs_rows_find(k->reader, endpoint, out);
    status = settle(k, k->reader, status);
    pthread_mutex_unlock(k->read_lock);
    return status;
}

static bool comes_before(const dn_credential_pattern *a, const dn_credential_pattern *b)
{
    const int order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);
    return order != 0 ? order < 0 : a->len < b->len;
}

/* Of the patterns for that name the one that counts (bootstrap/config.h): they come with the most bytes that are no wildcards first. */
static bool best_pattern(keeper *k, dunlin_slice endpoint, dn_credential_pattern *best)
{
    dn_credential_pattern other;
    size_t at = 0;
    if (!dn_credential_patterns_next(&k->patterns, endpoint, &at, best)) {
        return false;
    }
    while (dn_credential_patterns_next(&k->patterns, endpoint, &at, &other) &&
           other.literal == best->literal) {
        if (comes_before(&other, best)) {
            *best = other;
        }
    }
    return true;
}

/* A pattern may be removed between the look at it and at its row: then the next one counts. */
static dunlin_status find_by_pattern(keeper *k, dunlin_slice endpoint, dn_bs_text *out)
{
    dn_credential_pattern pattern;
    dunlin_status status = DUNLIN_ERR_NOT_FOUND;
    for (unsigned i = 0; i < 4 && status == DUNLIN_ERR_NOT_FOUND; i++) {
        if (!best_pattern(k, endpoint, &pattern)) {
            return DUNLIN_ERR_NOT_FOUND;
        }
        status = find_exactly(k, dunlin_slice_make(pattern.text, pattern.len), out);
    }
    return status;
}

static dunlin_status give(dunlin_status status, dn_bs_text *text,
                          void (*done)(void *context, const dn_bs_entry *entry), void *context)
{
    if (status == DUNLIN_OK) {
        const dn_bs_entry entry = dn_bs_text_entry(text);
        done(context, &entry);
        dn_bs_text_free(text);
    }
    return status;
}

static dunlin_status keeper_find(dn_bs_store *store, dunlin_slice endpoint,
                                 void (*done)(void *context, const dn_bs_entry *entry), void *context)
{
    keeper *k = self(store);
    dn_bs_text text;
    dunlin_status status = DUNLIN_ERR_NOT_FOUND;
    if (!dn_endpoint_is_pattern(endpoint)) { /* a device may not pass for a pattern by bearing its name */
        status = find_exactly(k, endpoint, &text);
    }
    if (status == DUNLIN_ERR_NOT_FOUND) {
        status = find_by_pattern(k, endpoint, &text);
    }
    return give(status, &text, done, context);
}

static dunlin_status keeper_get(dn_bs_store *store, dunlin_slice endpoint, uint32_t version,
                                void (*done)(void *context, const dn_bs_entry *entry), void *context)
{
    keeper *k = self(store);
    dn_bs_name name;
    dn_bs_text text;
    if (version == 0) {
        return give(find_exactly(k, endpoint, &text), &text, done, context);
    }
    pthread_mutex_lock(k->read_lock);
    dunlin_status status = dn_bs_rows_entry(k->reader, endpoint, &name);
    if (status == DUNLIN_OK) {
        status = dn_bs_rows_version(k->reader, &name, version, &text);
    }
    status = settle(k, k->reader, status);
    pthread_mutex_unlock(k->read_lock);
    if (status == DUNLIN_OK && text.is_removed) { /* it says that there was none */
        dn_bs_text_free(&text);
        status = DUNLIN_ERR_NOT_FOUND;
    }
    return give(status, &text, done, context);
}

static uint64_t keeper_count(dn_bs_store *store)
{
    return atomic_load(&self(store)->count);
}

static uint64_t keeper_generation(dn_bs_store *store)
{
    return atomic_load(&self(store)->generation);
}

static dunlin_status give_page(const dn_bs_text *texts, size_t count, size_t limit,
                               void (*done)(void *context, const dn_bs_page *page), void *context)
{
    dn_bs_entry *list = calloc(count + 1, sizeof *list);
    if (list == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    const dn_bs_page page = {.list = list, .count = count > limit ? limit : count, .more = count > limit};
    for (size_t i = 0; i < page.count; i++) {
        list[i] = dn_bs_text_entry(&texts[i]);
    }
    done(context, &page);
    free(list);
    return DUNLIN_OK;
}

/* On the writer's connection: a search through a million must not hold up devices. */
static dunlin_status keeper_list(dn_bs_store *store, dunlin_slice after, uint32_t limit,
                                 dunlin_slice substring, void (*done)(void *context, const dn_bs_page *page),
                                 void *context)
{
    keeper *k = self(store);
    if (limit == 0 || limit > LIST_MAX) {
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_bs_text *texts = calloc((size_t)limit + 1, sizeof *texts);
    if (texts == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    pthread_mutex_lock(&k->write_lock);
    const size_t count = dn_bs_rows_list(&k->writer, after, substring, (size_t)limit + 1, texts);
    dunlin_status status = settle(k, &k->writer, DUNLIN_OK);
    pthread_mutex_unlock(&k->write_lock);
    if (status == DUNLIN_OK) {
        status = give_page(texts, count, limit, done, context);
    }
    free(texts);
    return status;
}

static dunlin_status keeper_versions(dn_bs_store *store, dunlin_slice endpoint,
                                     void (*done)(void *context, const dn_bs_page *page), void *context)
{
    keeper *k = self(store);
    dn_bs_text texts[DN_BOOTSTRAP_VERSIONS];
    dn_bs_name name;
    size_t count = 0;
    pthread_mutex_lock(&k->write_lock);
    dunlin_status status = dn_bs_rows_entry(&k->writer, endpoint, &name);
    if (status == DUNLIN_OK) {
        count = dn_bs_rows_versions(&k->writer, &name, DN_BOOTSTRAP_VERSIONS, texts);
    }
    status = settle(k, &k->writer, status);
    pthread_mutex_unlock(&k->write_lock);
    return status == DUNLIN_OK ? give_page(texts, count, DN_BOOTSTRAP_VERSIONS, done, context) : status;
}

/* ---- changes ---- */

/* What the name is now: a new one has no number. */
static dunlin_status look_at(keeper *k, dunlin_slice endpoint, dn_bs_name *name)
{
    dunlin_status status = dn_bs_rows_entry(&k->writer, endpoint, name);
    if (status == DUNLIN_ERR_NOT_FOUND) {
        *name = (dn_bs_name){
            .endpoint_len = endpoint.len, .is_pattern = dn_endpoint_is_pattern(endpoint), .is_removed = true};
        memcpy(name->endpoint, endpoint.data, endpoint.len);
        status = DUNLIN_OK;
    }
    return status;
}

static bool is_expected(const dn_bs_name *name, uint32_t expected)
{
    if (expected == NONE) {
        return name->is_removed;
    }
    return expected == 0 || (!name->is_removed && name->version == expected);
}

/* There is none of its name now. */
static dunlin_status check_limits(keeper *k, const dn_bs_name *name)
{
    if (atomic_load(&k->count) >= k->max) {
        return DUNLIN_ERR_LIMIT;
    }
    if (!name->is_pattern) {
        return DUNLIN_OK;
    }
    return dn_credential_patterns_count(&k->patterns) >= DN_CREDENTIAL_PATTERNS_MAX
               ? DUNLIN_ERR_LIMIT
               : dn_credential_patterns_reserve(&k->patterns);
}

/* In a transaction: the next version of `name`, and its end. */
static dunlin_status add_version(keeper *k, dn_bs_name *name, dunlin_slice document, uint64_t count)
{
    if (name->version >= NONE - 1) {
        return DUNLIN_ERR_LIMIT;
    }
    name->version++;
    dn_bs_rows_add(&k->writer, name, k->wall_ms(k->wall_context), document, DN_BOOTSTRAP_VERSIONS);
    dn_bs_rows_count(&k->writer, count, atomic_load(&k->generation) + 1);
    return dn_bs_rows_commit(&k->writer) ? DUNLIN_OK : DUNLIN_ERR_STORE;
}

static dunlin_status put_version(keeper *k, dn_bs_name *name, dunlin_slice document, uint32_t expected,
                                 bool *is_new)
{
    if (!is_expected(name, expected)) {
        return DUNLIN_ERR_STATE;
    }
    *is_new = name->is_removed;
    dunlin_status status = *is_new ? check_limits(k, name) : DUNLIN_OK;
    if (status != DUNLIN_OK) {
        return status;
    }
    if (*is_new) {
        name->created_ms = k->wall_ms(k->wall_context);
    }
    name->is_removed = false;
    return add_version(k, name, document, atomic_load(&k->count) + (*is_new ? 1 : 0));
}

static bool is_name(dunlin_slice endpoint)
{
    return endpoint.len > 0 && endpoint.len <= DN_ENDPOINT_NAME_MAX;
}

static dunlin_status keeper_put(dn_bs_store *store, dunlin_slice endpoint, dunlin_slice document,
                                uint32_t expected, uint32_t *version)
{
    keeper *k = self(store);
    dn_bs_name name;
    bool is_new = false;
    if (!is_name(endpoint) || document.len == 0 || document.len > DN_BS_DOCUMENT_MAX) {
        return DUNLIN_ERR_ARGUMENT;
    }
    pthread_mutex_lock(&k->write_lock);
    dunlin_status status = dn_bs_rows_begin(&k->writer) ? DUNLIN_OK : DUNLIN_ERR_STORE;
    if (status == DUNLIN_OK) {
        status = look_at(k, endpoint, &name);
    }
    if (status == DUNLIN_OK) {
        status = put_version(k, &name, document, expected, &is_new);
    }
    status = settle(k, &k->writer, status);
    if (status == DUNLIN_OK) {
        atomic_fetch_add(&k->count, is_new ? 1 : 0);
        atomic_fetch_add(&k->generation, 1);
        if (is_new && name.is_pattern) { /* room was made before */
            (void)dn_credential_patterns_add(&k->patterns, name.number, endpoint);
        }
    }
    pthread_mutex_unlock(&k->write_lock);
    if (status == DUNLIN_OK && version != NULL) {
        *version = name.version;
    }
    return status;
}

static dunlin_status remove_version(keeper *k, dn_bs_name *name, uint32_t expected)
{
    if (name->is_removed) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    if (!is_expected(name, expected)) {
        return DUNLIN_ERR_STATE;
    }
    name->is_removed = true;
    return add_version(k, name, dunlin_slice_make(NULL, 0), atomic_load(&k->count) - 1);
}

static dunlin_status keeper_remove(dn_bs_store *store, dunlin_slice endpoint, uint32_t expected)
{
    keeper *k = self(store);
    dn_bs_name name;
    if (!is_name(endpoint)) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    pthread_mutex_lock(&k->write_lock);
    dunlin_status status = dn_bs_rows_begin(&k->writer) ? DUNLIN_OK : DUNLIN_ERR_STORE;
    if (status == DUNLIN_OK) {
        status = dn_bs_rows_entry(&k->writer, endpoint, &name);
    }
    if (status == DUNLIN_OK) {
        status = remove_version(k, &name, expected);
    }
    status = settle(k, &k->writer, status);
    if (status == DUNLIN_OK) {
        atomic_fetch_sub(&k->count, 1);
        atomic_fetch_add(&k->generation, 1);
        dn_credential_patterns_remove(&k->patterns, name.number);
    }
    pthread_mutex_unlock(&k->write_lock);
    return status;
}

/* ---- sealing keys ---- */

/* A slice of what `id` sealed, behind *at. False: no more of it, or a failure. */
static bool reseal_slice(keeper *k, uint64_t id, uint64_t *at, uint64_t *count)
{
    uint64_t done = 0;
    bool more = true;
    bool sealed = false;
    pthread_mutex_lock(&k->write_lock);
    (void)dn_bs_rows_begin(&k->writer);
    for (unsigned i = 0; i < SLICE_ROWS && more; i++) {
        more = dn_bs_rows_reseal_next(&k->writer, id, at, &sealed);
        if (more && !sealed) {
            /* It stays as it is: a row that is no good must not keep the others from a new key. */
            dn_complaints_note(&k->complaints, k->writer.database.error);
            k->writer.database.failed = false;
        }
        done += more && sealed;
    }
    (void)dn_bs_rows_commit(&k->writer);
    const bool ok = settle(k, &k->writer, DUNLIN_OK) == DUNLIN_OK;
    pthread_mutex_unlock(&k->write_lock);
    *count += ok ? done : 0;
    return ok && more;
}

static uint64_t next_seal(keeper *k, uint64_t after)
{
    pthread_mutex_lock(&k->write_lock);
    const uint64_t id = dn_bs_rows_next_seal(&k->writer, after);
    const bool ok = settle(k, &k->writer, DUNLIN_OK) == DUNLIN_OK;
    pthread_mutex_unlock(&k->write_lock);
    return ok ? id : 0;
}

dunlin_status dn_bs_store_reseal(dn_bs_store *store, uint64_t *count)
{
    keeper *k = self(store);
    uint64_t done = 0;
    for (uint64_t id = next_seal(k, 0); id != 0 && !dn_store_worker_stops(&k->worker);
         id = next_seal(k, id)) {
        uint64_t at = 0;
        while (id != dn_seal_newest(k->seal) && reseal_slice(k, id, &at, &done) &&
               !dn_store_worker_stops(&k->worker)) {
        }
    }
    if (done > 0) {
        dn_log_at(k->log, DN_LOG_INFO, AREA,
                  "%" PRIu64 " versions of bootstrap configurations are sealed with the newest key now",
                  done);
    }
    if (count != NULL) {
        *count = done;
    }
    return DUNLIN_OK;
}

static void work(void *context)
{
    keeper *k = context;
    (void)dn_bs_store_reseal(&k->base, NULL);
}

/* Under the write lock. */
static bool needed_seals(keeper *k, uint64_t ids[DN_SEAL_KEYS_MAX], size_t *count)
{
    uint64_t id = 0;
    *count = 0;
    while ((id = dn_bs_rows_next_seal(&k->writer, id)) != 0) {
        if (*count == DN_SEAL_KEYS_MAX) {
            return dn_database_fail(&k->writer.database,
                                    "bootstrap configurations are sealed with too many different keys");
        }
        ids[(*count)++] = id;
    }
    return !k->writer.database.failed;
}

dunlin_status dn_bs_store_reload(dn_bs_store *store, char *error, size_t error_size)
{
    keeper *k = self(store);
    uint64_t ids[DN_SEAL_KEYS_MAX];
    size_t count = 0;
    if (k->in_memory) {
        return DUNLIN_OK;
    }
    /* No put may seal with a key between the look at what is needed and the change of keys. */
    pthread_mutex_lock(&k->write_lock);
    dunlin_status status = DUNLIN_ERR_STORE;
    if (needed_seals(k, ids, &count)) {
        status = dn_seal_reload(k->seal, ids, count, error, error_size);
    } else {
        snprintf(error, error_size, "%s", k->writer.database.error);
    }
    status = settle(k, &k->writer, status);
    pthread_mutex_unlock(&k->write_lock);
    if (status == DUNLIN_OK) {
        dn_store_worker_wake(&k->worker);
    }
    return status;
}

/* ---- opening and closing ---- */

static void keeper_close(dn_bs_store *store)
{
    keeper *k = self(store);
    dn_store_worker_stop(&k->worker);
    if (k->own_reader.database.sqlite != NULL) {
        dn_bs_rows_close(&k->own_reader);
    }
    if (k->writer.database.sqlite != NULL) {
        dn_bs_rows_close(&k->writer);
    }
    dn_seal_free(k->seal);
    dn_credential_patterns_free(&k->patterns);
    dn_complaints_free(&k->complaints);
    pthread_mutex_destroy(&k->own_read_lock);
    pthread_mutex_destroy(&k->write_lock);
    free(k);
}

static const dn_bs_store_ops ops = {
    .find = keeper_find,
    .get = keeper_get,
    .put = keeper_put,
    .remove = keeper_remove,
    .list = keeper_list,
    .versions = keeper_versions,
    .count = keeper_count,
    .generation = keeper_generation,
    .error = keeper_error,
    .close = keeper_close,
};

static keeper *make(const dn_bs_store_config *config)
{
    keeper *k = calloc(1, sizeof *k);
    if (k == NULL) {
        return NULL;
    }
    k->base.ops = &ops;
    k->max = config->max;
    k->wall_ms = config->wall_ms != NULL ? config->wall_ms : system_wall_ms;
    k->wall_context = config->wall_context;
    k->log = config->log;
    k->in_memory = config->dir == NULL;
    k->read_lock = k->in_memory ? &k->write_lock : &k->own_read_lock;
    k->reader = k->in_memory ? &k->writer : &k->own_reader;
    pthread_mutex_init(&k->write_lock, NULL);
    pthread_mutex_init(&k->own_read_lock, NULL);
    dn_complaints_init(&k->complaints, config->log, AREA);
    dn_credential_patterns_init(&k->patterns);
    dn_store_worker_init(&k->worker, work, k);
    return k;
}

static bool remember_pattern(void *context, const dn_bs_name *name)
{
    keeper *k = context;
    return dn_credential_patterns_add(&k->patterns, name->number,
                                      dunlin_slice_make(name->endpoint, name->endpoint_len)) == DUNLIN_OK;
}

/* What is known of the whole without looking at each. */
static bool load_state(keeper *k)
{
    int64_t count = 0;
    int64_t generation = 0;
    if (!dn_database_integer(&k->writer.database, "SELECT count FROM state", &count) ||
        !dn_database_integer(&k->writer.database, "SELECT generation FROM state", &generation)) {
        return false;
    }
    atomic_store(&k->count, (uint64_t)count);
    atomic_store(&k->generation, (uint64_t)generation);
    return dn_bs_rows_patterns(&k->writer, remember_pattern, k);
}

static dunlin_status open_rows(keeper *k, const char *dir, char *error, size_t error_size)
{
    char path[PATH_MAX] = ":memory:";
    if (!k->in_memory && snprintf(path, sizeof path, "%s/" DN_BOOTSTRAP_FILE, dir) >= (int)sizeof path) {
        snprintf(error, error_size, "the name of the directory %.64s... is too long", dir);
        return DUNLIN_ERR_STORE;
    }
    if (!dn_bs_rows_open(&k->writer, path, WRITE_CACHE_KIB, 0) || !load_state(k)) {
        snprintf(error, error_size, "%s", k->writer.database.error);
        return DUNLIN_ERR_STORE;
    }
    if (!k->in_memory && !dn_bs_rows_open(&k->own_reader, path, READ_CACHE_KIB, READ_MAP_BYTES)) {
        snprintf(error, error_size, "%s", k->own_reader.database.error);
        return DUNLIN_ERR_STORE;
    }
    return DUNLIN_OK;
}

static dunlin_status open_seal(keeper *k, const dn_bs_store_config *config, char *error, size_t error_size)
{
    if (k->in_memory) {
        k->seal = dn_seal_of_memory();
        snprintf(error, error_size, "no memory for bootstrap configurations");
        return k->seal != NULL ? DUNLIN_OK : DUNLIN_ERR_MEMORY;
    }
    dn_seal_need need = {.dir = config->dir,
                         .source = config->seal_key,
                         .what = "bootstrap configurations",
                         .kept = atomic_load(&k->count)};
    if (!needed_seals(k, need.ids, &need.count)) {
        snprintf(error, error_size, "%s", k->writer.database.error);
        return DUNLIN_ERR_STORE;
    }
    return dn_seal_open_for(&need, &k->seal, error, error_size);
}

dn_bs_store_config dn_bs_store_config_default(void)
{
    return (dn_bs_store_config){.max = 10000000};
}

dunlin_status dn_bs_store_open(const dn_bs_store_config *config, dn_bs_store **out, char *error,
                               size_t error_size)
{
    keeper *k = make(config);
    if (k == NULL) {
        snprintf(error, error_size, "no memory for bootstrap configurations");
        return DUNLIN_ERR_MEMORY;
    }
    dunlin_status status = open_rows(k, config->dir, error, error_size);
    if (status == DUNLIN_OK) {
        status = open_seal(k, config, error, error_size);
    }
    k->writer.seal = k->seal;
    k->reader->seal = k->seal;
    if (status == DUNLIN_OK && !k->in_memory) {
        status = dn_store_worker_start(&k->worker);
        if (status == DUNLIN_OK) {
            dn_store_worker_wake(&k->worker); /* the process may have died in the middle of it */
        } else {
            snprintf(error, error_size, "no thread for bootstrap configurations");
        }
    }
    if (status != DUNLIN_OK) {
        keeper_close(&k->base);
        return status;
    }
    *out = &k->base;
    return DUNLIN_OK;
}
