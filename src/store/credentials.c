/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper of credentials: locks, transactions and rotation around the rows; see credentials.h. */
#include "store/credentials.h"

#include "store/credential_claims.h"
#include "store/credential_patterns.h"
#include "store/credential_rows.h"
#include "store/seal.h"
#include "store/seal_file.h"

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/gnutls.h>

#define AREA           "credentials"
#define READ_CACHE_KIB 8192u
#define READ_MAP_BYTES \
    (1024u * 1024u * 1024u) /* a million credentials have 260 MB; it nearly halves what a look-up costs */
#define WRITE_CACHE_KIB 2048u
#define LIST_MAX        1000u
#define SLICE_ROWS      64u /* rows sealed anew in a transaction: what a put may have to wait for */
#define ERRORS_KEPT     8u

typedef struct {
    dn_credentials base;
    dn_seal *seal;
    uint64_t max;
    int64_t (*wall_ms)(void *context);
    void *wall_context;
    const dn_log *log;
    bool in_memory;

    /* Changes and lists: they may take their time. Lock order: writing, reading, the others. */
    pthread_mutex_t write_lock;
    dn_credential_rows writer;
    /* Look-ups: never wait for the disk. In memory there is one connection, and `read_lock` and `reader` are the writer's. */
    pthread_mutex_t own_read_lock;
    dn_credential_rows own_reader;
    pthread_mutex_t *read_lock;
    dn_credential_rows *reader;

    dn_credential_patterns patterns;
    atomic_uint_least64_t count;

    pthread_mutex_t error_lock;
    unsigned error_at; /* the texts of a few failures stay, for whoever reads one while the next happens */
    char errors[ERRORS_KEPT][DN_DATABASE_ERROR_MAX];

    pthread_t resealer;
    bool resealer_runs;
    pthread_mutex_t turn_lock; /* guards what follows */
    pthread_cond_t turn;
    bool due, stops;
} keeper;

static keeper *self(dn_credentials *credentials)
{
    return (keeper *)(void *)credentials;
}

static int64_t system_wall_ms(void *context)
{
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- failures ---- */

static void note(keeper *k, const char *text)
{
    pthread_mutex_lock(&k->error_lock);
    k->error_at = (k->error_at + 1) % ERRORS_KEPT;
    snprintf(k->errors[k->error_at], sizeof k->errors[0], "%s", text);
    pthread_mutex_unlock(&k->error_lock);
    dn_log_at(k->log, DN_LOG_ERROR, AREA, "%s", text);
}

static const char *keeper_error(dn_credentials *credentials)
{
    keeper *k = self(credentials);
    pthread_mutex_lock(&k->error_lock);
    const char *text = k->errors[k->error_at];
    pthread_mutex_unlock(&k->error_lock);
    return text;
}

/* After each use of a connection, under its lock: keeps what went wrong and makes it fit for the next. */
static dunlin_status settle(keeper *k, dn_credential_rows *rows, dunlin_status status)
{
    if (rows->database.failed) {
        note(k, rows->database.error);
        status = DUNLIN_ERR_STORE;
    }
    dn_credential_rows_settle(rows);
    return status;
}

/* ---- look-ups ---- */

static dunlin_status find_by(keeper *k, dn_row_key key, dunlin_slice value, dn_credential *out)
{
    dn_credential_row row = {.seal = 0};
    pthread_mutex_lock(k->read_lock);
    dunlin_status status = dn_credential_rows_find(k->reader, key, value, &row);
    if (status == DUNLIN_OK) {
        status = dn_credential_rows_unseal(k->reader, &row);
    }
    status = settle(k, k->reader, status);
    pthread_mutex_unlock(k->read_lock);
    if (status == DUNLIN_OK) {
        *out = row.credential;
    }
    gnutls_memset(row.credential.key, 0, sizeof row.credential.key); /* all that is secret of it */
    return status;
}

static dunlin_status keeper_find_psk(dn_credentials *credentials, dunlin_slice identity, dn_credential *out)
{
    return find_by(self(credentials), DN_ROW_BY_IDENTITY, identity, out);
}

static dunlin_status keeper_find_key(dn_credentials *credentials, dunlin_slice public_key, dn_credential *out)
{
    return find_by(self(credentials), DN_ROW_BY_PUBLIC_KEY, public_key, out);
}

static dunlin_status keeper_find_names(dn_credentials *credentials, const dn_certificate_claims *claims,
                                       dn_credential *out)
{
    keeper *k = self(credentials);
    pthread_mutex_lock(k->read_lock);
    dunlin_status status = dn_credential_claims_find(k->reader, &k->patterns, claims, out);
    status = settle(k, k->reader, status);
    pthread_mutex_unlock(k->read_lock);
    return status;
}

static bool keeper_is_known(dn_credentials *credentials, dunlin_slice endpoint)
{
    keeper *k = self(credentials);
    pthread_mutex_lock(k->read_lock);
    bool known = dn_credential_rows_exists(k->reader, endpoint);
    /* What cannot be read may be there: nobody is let in for that. */
    known = settle(k, k->reader, DUNLIN_OK) != DUNLIN_OK || known;
    pthread_mutex_unlock(k->read_lock);
    return known || dn_credential_patterns_match(&k->patterns, endpoint);
}

static bool keeper_is_current(dn_credentials *credentials, uint64_t number, uint64_t generation)
{
    keeper *k = self(credentials);
    pthread_mutex_lock(k->read_lock);
    const uint64_t now = dn_credential_rows_generation(k->reader, number);
    const dunlin_status status = settle(k, k->reader, DUNLIN_OK);
    pthread_mutex_unlock(k->read_lock);
    return status == DUNLIN_OK && now != 0 && now == generation;
}

static dunlin_status keeper_get(dn_credentials *credentials, dunlin_slice endpoint, dn_credential *out)
{
    dunlin_status status = find_by(self(credentials), DN_ROW_BY_ENDPOINT, endpoint, out);
    if (status == DUNLIN_OK) {
        const uint8_t key_len = out->key_len;
        gnutls_memset(out->key, 0, sizeof out->key);
        out->key_len = key_len;
    }
    return status;
}

static uint64_t keeper_count(dn_credentials *credentials)
{
    return atomic_load(&self(credentials)->count);
}

/* On the writer's connection: a search through a million must not hold up handshakes. */
static dunlin_status keeper_list(dn_credentials *credentials, dunlin_slice after, uint32_t limit,
                                 dunlin_slice substring,
                                 void (*done)(void *context, const dn_credential_page *page), void *context)
{
    keeper *k = self(credentials);
    if (limit == 0 || limit > LIST_MAX) {
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_credential *list = calloc((size_t)limit + 1, sizeof *list);
    if (list == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    pthread_mutex_lock(&k->write_lock);
    const size_t count = dn_credential_rows_list(&k->writer, after, substring, (size_t)limit + 1, list);
    dunlin_status status = settle(k, &k->writer, DUNLIN_OK);
    pthread_mutex_unlock(&k->write_lock);
    if (status == DUNLIN_OK) {
        const dn_credential_page page = {
            .list = list, .count = count > limit ? limit : count, .more = count > limit};
        done(context, &page);
    }
    free(list);
    return status;
}

/* ---- changes ---- */

static bool same_bytes(const void *a, size_t a_len, const void *b, size_t b_len)
{
    return a_len == b_len && memcmp(a, b, a_len) == 0;
}

/* Whether it proves what it proved: then whoever has proved it need not do so again. */
static bool proves_the_same(const dn_credential *a, const dn_credential *b)
{
    return a->mode == b->mode && a->is_pattern == b->is_pattern &&
           same_bytes(a->identity, a->identity_len, b->identity, b->identity_len) &&
           same_bytes(a->key, a->key_len, b->key, b->key_len) &&
           same_bytes(a->public_key, a->public_key_len, b->public_key, b->public_key_len) &&
           same_bytes(a->name, a->name_len, b->name, b->name_len) &&
           a->has_fingerprint == b->has_fingerprint &&
           (!a->has_fingerprint || memcmp(a->fingerprint, b->fingerprint, sizeof a->fingerprint) == 0);
}

/* Only what its mode uses, so that nothing else is kept or compared. */
static dn_credential cleaned(const dn_credential *given)
{
    dn_credential c = {
        .mode = given->mode, .is_pattern = given->is_pattern, .endpoint_len = given->endpoint_len};
    memcpy(c.endpoint, given->endpoint, given->endpoint_len);
    if (given->mode == DN_SECURITY_PSK) {
        c.identity_len = given->identity_len;
        memcpy(c.identity, given->identity, given->identity_len);
        c.key_len = given->key_len;
        memcpy(c.key, given->key, given->key_len);
    } else if (given->mode == DN_SECURITY_RPK) {
        c.public_key_len = given->public_key_len;
        memcpy(c.public_key, given->public_key, given->public_key_len);
    } else {
        c.name_len = given->name_len;
        memcpy(c.name, given->name, given->name_len);
        c.has_fingerprint = given->has_fingerprint;
        if (given->has_fingerprint) {
            memcpy(c.fingerprint, given->fingerprint, sizeof c.fingerprint);
        }
    }
    return c;
}

static dunlin_status check_unique(keeper *k, const dn_credential *c)
{
    dn_credential_row other;
    dunlin_status status = DUNLIN_ERR_NOT_FOUND;
    if (c->mode == DN_SECURITY_PSK) {
        status = dn_credential_rows_find(&k->writer, DN_ROW_BY_IDENTITY,
                                         dunlin_slice_make(c->identity, c->identity_len), &other);
    } else if (c->mode == DN_SECURITY_RPK) {
        status = dn_credential_rows_find(&k->writer, DN_ROW_BY_PUBLIC_KEY,
                                         dunlin_slice_make(c->public_key, c->public_key_len), &other);
    }
    if (status == DUNLIN_OK) {
        return other.credential.number == c->number ? DUNLIN_OK : DUNLIN_ERR_DUPLICATE;
    }
    return status == DUNLIN_ERR_NOT_FOUND ? DUNLIN_OK : status;
}

/* There is none of its endpoint yet. */
static dunlin_status check_limits(keeper *k, const dn_credential *c)
{
    if (atomic_load(&k->count) >= k->max) {
        return DUNLIN_ERR_LIMIT;
    }
    if (!c->is_pattern) {
        return DUNLIN_OK;
    }
    return dn_credential_patterns_count(&k->patterns) >= DN_CREDENTIAL_PATTERNS_MAX
               ? DUNLIN_ERR_LIMIT
               : dn_credential_patterns_reserve(&k->patterns);
}

/* In a transaction: writes `c`, and fills in what the keeper gives. */
static dunlin_status replace(keeper *k, dn_credential *c, bool *created)
{
    dn_credential_row old = {.seal = 0};
    dunlin_status status = dn_credential_rows_find(&k->writer, DN_ROW_BY_ENDPOINT,
                                                   dunlin_slice_make(c->endpoint, c->endpoint_len), &old);
    *created = status == DUNLIN_ERR_NOT_FOUND;
    c->changed_ms = k->wall_ms(k->wall_context);
    c->created_ms = *created ? c->changed_ms : old.credential.created_ms;
    if (status == DUNLIN_OK) {
        c->number = old.credential.number;
        status = check_unique(k, c);
    } else if (*created) {
        c->number = dn_credential_rows_next(&k->writer);
        status = check_unique(k, c);
        status = status == DUNLIN_OK ? check_limits(k, c) : status;
    }
    if (status != DUNLIN_OK) {
        return status;
    }
    bool same = false;
    if (!*created) {
        /* An old row that cannot be trusted is not the same, and is replaced. */
        same =
            dn_credential_rows_unseal(&k->writer, &old) == DUNLIN_OK && proves_the_same(&old.credential, c);
        k->writer.database.failed = false;
    }
    c->generation = same ? old.credential.generation : dn_credential_rows_next(&k->writer);
    dn_credential_wipe(&old.credential);
    if (!*created) {
        dn_credential_rows_remove(&k->writer, c->number);
    }
    dn_credential_rows_insert(&k->writer, c);
    return dn_credential_rows_commit(&k->writer) ? DUNLIN_OK : DUNLIN_ERR_STORE;
}

static dunlin_status keeper_put(dn_credentials *credentials, const dn_credential *credential, bool *created)
{
    keeper *k = self(credentials);
    bool is_new = false;
    if (dn_credential_check(credential) != NULL) {
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_credential c = cleaned(credential);
    pthread_mutex_lock(&k->write_lock);
    dunlin_status status = DUNLIN_ERR_STORE;
    if (dn_credential_rows_begin(&k->writer)) {
        status = replace(k, &c, &is_new);
    }
    status = settle(k, &k->writer, status);
    if (status == DUNLIN_OK && is_new) {
        atomic_fetch_add(&k->count, 1);
        if (c.is_pattern) { /* room was made before */
            (void)dn_credential_patterns_add(&k->patterns, c.number,
                                             dunlin_slice_make(c.endpoint, c.endpoint_len));
        }
    }
    pthread_mutex_unlock(&k->write_lock);
    const uint64_t number = c.number;
    dn_credential_wipe(&c);
    if (status == DUNLIN_OK && k->base.changed != NULL) {
        k->base.changed(k->base.changed_context, number, is_new);
    }
    if (created != NULL) {
        *created = is_new;
    }
    return status;
}

static dunlin_status keeper_remove(dn_credentials *credentials, dunlin_slice endpoint)
{
    keeper *k = self(credentials);
    dn_credential_row row = {.seal = 0};
    dunlin_status status = DUNLIN_ERR_STORE;
    pthread_mutex_lock(&k->write_lock);
    if (dn_credential_rows_begin(&k->writer)) {
        status = dn_credential_rows_find(&k->writer, DN_ROW_BY_ENDPOINT, endpoint, &row);
    }
    if (status == DUNLIN_OK) {
        dn_credential_rows_remove(&k->writer, row.credential.number);
        status = dn_credential_rows_commit(&k->writer) ? DUNLIN_OK : DUNLIN_ERR_STORE;
    }
    status = settle(k, &k->writer, status);
    if (status == DUNLIN_OK) {
        atomic_fetch_sub(&k->count, 1);
        dn_credential_patterns_remove(&k->patterns, row.credential.number);
    }
    pthread_mutex_unlock(&k->write_lock);
    if (status == DUNLIN_OK && k->base.changed != NULL) {
        k->base.changed(k->base.changed_context, row.credential.number, false);
    }
    return status;
}

/* ---- rotation ---- */

/* A slice of what `id` sealed, from numbers above *after on. False: no more of it, or a failure. */
static bool reseal_slice(keeper *k, uint64_t id, uint64_t *after, uint64_t *count, dn_credential_row *rows)
{
    uint64_t done = 0;
    pthread_mutex_lock(&k->write_lock);
    (void)dn_credential_rows_begin(&k->writer);
    const size_t found = dn_credential_rows_sealed_by(&k->writer, id, *after, SLICE_ROWS, rows);
    for (size_t i = 0; i < found && !k->writer.database.failed; i++) {
        *after = rows[i].credential.number;
        if (dn_credential_rows_unseal(&k->writer, &rows[i]) == DUNLIN_OK) {
            done += dn_credential_rows_reseal(&k->writer, &rows[i]);
        } else {
            /* It stays as it is: a row that is no good must not keep the others from a new key. */
            note(k, k->writer.database.error);
            k->writer.database.failed = false;
        }
        dn_credential_wipe(&rows[i].credential);
    }
    (void)dn_credential_rows_commit(&k->writer);
    const bool ok = settle(k, &k->writer, DUNLIN_OK) == DUNLIN_OK;
    pthread_mutex_unlock(&k->write_lock);
    *count += ok ? done : 0;
    return ok && found == SLICE_ROWS;
}

static bool must_stop(keeper *k)
{
    pthread_mutex_lock(&k->turn_lock);
    const bool stops = k->stops;
    pthread_mutex_unlock(&k->turn_lock);
    return stops;
}

static uint64_t next_seal(keeper *k, uint64_t after)
{
    pthread_mutex_lock(&k->write_lock);
    const uint64_t id = dn_credential_rows_next_seal(&k->writer, after);
    const bool ok = settle(k, &k->writer, DUNLIN_OK) == DUNLIN_OK;
    pthread_mutex_unlock(&k->write_lock);
    return ok ? id : 0;
}

dunlin_status dn_credential_store_reseal(dn_credentials *credentials, uint64_t *count)
{
    keeper *k = self(credentials);
    uint64_t done = 0;
    dn_credential_row *rows = calloc(SLICE_ROWS, sizeof *rows);
    if (rows == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    for (uint64_t id = next_seal(k, 0); id != 0 && !must_stop(k); id = next_seal(k, id)) {
        uint64_t after = 0;
        while (id != dn_seal_newest(k->seal) && reseal_slice(k, id, &after, &done, rows) && !must_stop(k)) {
        }
    }
    gnutls_memset(rows, 0, SLICE_ROWS * sizeof *rows);
    free(rows);
    if (done > 0) {
        dn_log_at(k->log, DN_LOG_INFO, AREA, "%" PRIu64 " credentials are sealed with the newest key now",
                  done);
    }
    if (count != NULL) {
        *count = done;
    }
    return DUNLIN_OK;
}

static void *run_resealer(void *context)
{
    keeper *k = context;
    pthread_mutex_lock(&k->turn_lock);
    while (!k->stops) {
        if (!k->due) {
            pthread_cond_wait(&k->turn, &k->turn_lock);
            continue;
        }
        k->due = false;
        pthread_mutex_unlock(&k->turn_lock);
        (void)dn_credential_store_reseal(&k->base, NULL);
        pthread_mutex_lock(&k->turn_lock);
    }
    pthread_mutex_unlock(&k->turn_lock);
    return NULL;
}

static void wake_resealer(keeper *k)
{
    pthread_mutex_lock(&k->turn_lock);
    k->due = true;
    pthread_cond_signal(&k->turn);
    pthread_mutex_unlock(&k->turn_lock);
}

/* The numbers of the keys that rows are sealed with: under the write lock. False: a failure, or more than a file can hold. */
static bool needed_seals(keeper *k, uint64_t ids[DN_SEAL_KEYS_MAX], size_t *count)
{
    uint64_t id = 0;
    *count = 0;
    while ((id = dn_credential_rows_next_seal(&k->writer, id)) != 0) {
        if (*count == DN_SEAL_KEYS_MAX) {
            return dn_database_fail(&k->writer.database,
                                    "credentials are sealed with too many different keys");
        }
        ids[(*count)++] = id;
    }
    return !k->writer.database.failed;
}

dunlin_status dn_credential_store_reload(dn_credentials *credentials, char *error, size_t error_size)
{
    keeper *k = self(credentials);
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
        wake_resealer(k);
    }
    return status;
}

const char *dn_credential_store_seal_file(const dn_credentials *credentials)
{
    return dn_seal_path(((const keeper *)(const void *)credentials)->seal);
}

/* ---- opening and closing ---- */

static void keeper_close(dn_credentials *credentials)
{
    keeper *k = self(credentials);
    if (k->resealer_runs) {
        pthread_mutex_lock(&k->turn_lock);
        k->stops = true;
        pthread_cond_signal(&k->turn);
        pthread_mutex_unlock(&k->turn_lock);
        pthread_join(k->resealer, NULL);
    }
    if (k->own_reader.database.sqlite != NULL) {
        dn_credential_rows_close(&k->own_reader);
    }
    if (k->writer.database.sqlite != NULL) {
        dn_credential_rows_close(&k->writer);
    }
    dn_seal_free(k->seal);
    dn_credential_patterns_free(&k->patterns);
    pthread_cond_destroy(&k->turn);
    pthread_mutex_destroy(&k->turn_lock);
    pthread_mutex_destroy(&k->error_lock);
    pthread_mutex_destroy(&k->own_read_lock);
    pthread_mutex_destroy(&k->write_lock);
    free(k);
}

static const dn_credentials_ops ops = {
    .find_psk = keeper_find_psk,
    .find_key = keeper_find_key,
    .find_names = keeper_find_names,
    .is_known = keeper_is_known,
    .is_current = keeper_is_current,
    .put = keeper_put,
    .remove = keeper_remove,
    .get = keeper_get,
    .list = keeper_list,
    .count = keeper_count,
    .error = keeper_error,
    .close = keeper_close,
};

static keeper *make(const dn_credential_store_config *config)
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
    pthread_mutex_init(&k->error_lock, NULL);
    pthread_mutex_init(&k->turn_lock, NULL);
    pthread_cond_init(&k->turn, NULL);
    dn_credential_patterns_init(&k->patterns);
    return k;
}

static bool remember_pattern(void *context, const dn_credential *credential)
{
    keeper *k = context;
    return dn_credential_patterns_add(&k->patterns, credential->number,
                                      dunlin_slice_make(credential->endpoint, credential->endpoint_len)) ==
           DUNLIN_OK;
}

/* Opens the sealing keys; every key that rows are sealed with must be there. A missing file is made only when no row needs it. */
static dunlin_status open_seal(keeper *k, const dn_credential_store_config *config, char *error,
                               size_t error_size)
{
    char file[PATH_MAX];
    uint64_t ids[DN_SEAL_KEYS_MAX];
    size_t count = 0;
    if (!needed_seals(k, ids, &count)) {
        snprintf(error, error_size, "%s", k->writer.database.error);
        return DUNLIN_ERR_STORE;
    }
    if (snprintf(file, sizeof file, "%s/" DN_SEAL_FILE, config->dir) >= (int)sizeof file) {
        snprintf(error, error_size, "the name of the directory %.64s... is too long", config->dir);
        return DUNLIN_ERR_STORE;
    }
    char why[DN_DATABASE_ERROR_MAX];
    const uint64_t kept = atomic_load(&k->count);
    dunlin_status status = dn_seal_open(config->seal_key != NULL ? config->seal_key : file, file, count == 0,
                                        &k->seal, why, sizeof why);
    if (status == DUNLIN_ERR_NOT_FOUND && count > 0) {
        snprintf(error, error_size,
                 "%s; %" PRIu64 " credentials in %s are sealed with a key that was there: put the file back",
                 why, kept, config->dir);
    } else if (status != DUNLIN_OK) {
        snprintf(error, error_size, "%s", why);
    }
    for (size_t i = 0; status == DUNLIN_OK && i < count; i++) {
        if (!dn_seal_has(k->seal, ids[i])) {
            snprintf(error, error_size,
                     "%s is not the file that credentials in %s are sealed with: it lacks the key %016" PRIx64
                     ". Put the right file back",
                     dn_seal_path(k->seal), config->dir, ids[i]);
            status = DUNLIN_ERR_STORE;
        }
    }
    return status == DUNLIN_OK || status == DUNLIN_ERR_MEMORY ? status : DUNLIN_ERR_STORE;
}

static dunlin_status open_rows(keeper *k, const dn_credential_store_config *config, char *error,
                               size_t error_size)
{
    char path[PATH_MAX] = ":memory:";
    int64_t count = 0;
    if (!k->in_memory &&
        snprintf(path, sizeof path, "%s/" DN_CREDENTIALS_FILE, config->dir) >= (int)sizeof path) {
        snprintf(error, error_size, "the name of the directory %.64s... is too long", config->dir);
        return DUNLIN_ERR_STORE;
    }
    if (!dn_credential_rows_open(&k->writer, path, WRITE_CACHE_KIB, 0) ||
        !dn_database_integer(&k->writer.database, "SELECT count(*) FROM credential", &count) ||
        !dn_credential_rows_patterns(&k->writer, remember_pattern, k)) {
        snprintf(error, error_size, "%s", k->writer.database.error);
        return DUNLIN_ERR_STORE;
    }
    atomic_store(&k->count, (uint64_t)count);
    if (!k->in_memory && !dn_credential_rows_open(&k->own_reader, path, READ_CACHE_KIB, READ_MAP_BYTES)) {
        snprintf(error, error_size, "%s", k->own_reader.database.error);
        return DUNLIN_ERR_STORE;
    }
    return DUNLIN_OK;
}

/* No signal is this thread's business. */
static dunlin_status start_resealer(keeper *k, char *error, size_t error_size)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    k->resealer_runs = pthread_create(&k->resealer, NULL, run_resealer, k) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!k->resealer_runs) {
        snprintf(error, error_size, "no thread for the credentials");
        return DUNLIN_ERR_MEMORY;
    }
    wake_resealer(k); /* the process may have died in the middle of it */
    return DUNLIN_OK;
}

dn_credential_store_config dn_credential_store_config_default(void)
{
    return (dn_credential_store_config){.max = 10000000};
}

dunlin_status dn_credential_store_open(const dn_credential_store_config *config, dn_credentials **out,
                                       char *error, size_t error_size)
{
    keeper *k = make(config);
    if (k == NULL) {
        snprintf(error, error_size, "no memory for credentials");
        return DUNLIN_ERR_MEMORY;
    }
    dunlin_status status = open_rows(k, config, error, error_size);
    if (status == DUNLIN_OK && k->in_memory) {
        k->seal = dn_seal_of_memory();
        if (k->seal == NULL) {
            snprintf(error, error_size, "no memory for credentials");
            status = DUNLIN_ERR_MEMORY;
        }
    } else if (status == DUNLIN_OK) {
        status = open_seal(k, config, error, error_size);
    }
    k->writer.seal = k->seal;
    k->reader->seal = k->seal;
    if (status == DUNLIN_OK && !k->in_memory) {
        status = start_resealer(k, error, error_size);
    }
    if (status != DUNLIN_OK) {
        keeper_close(&k->base);
        return status;
    }
    *out = &k->base;
    return DUNLIN_OK;
}
