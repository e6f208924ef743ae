/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper of credentials: locks, transactions and rotation around the rows; see credentials.h. */
#include "store/credentials.h"

#include "store/credential_claims.h"
#include "store/credential_keeper.h"
#include "store/lock.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#define READ_CACHE_KIB 8192u
#define READ_MAP_BYTES \
    (1024u * 1024u * 1024u) /* a million credentials have 260 MB; it nearly halves what a look-up costs */
#define WRITE_CACHE_KIB 2048u
#define LIST_MAX        1000u

static int64_t system_wall_ms(void *context)
{
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- failures ---- */

static const char *keeper_error(dn_credentials *credentials)
{
    return dn_complaints_last(&dn_credential_keeper_of(credentials)->complaints);
}

dunlin_status dn_credential_keeper_settle(dn_credential_keeper *k, dn_credential_rows *rows,
                                          dunlin_status status)
{
    if (rows->database.failed) {
        dn_complaints_note(&k->complaints, rows->database.error);
        status = DUNLIN_ERR_STORE;
    }
    dn_credential_rows_settle(rows);
    return status;
}

/* ---- look-ups ---- */

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Takes the reading lock. */
static void begin_look_up(dn_credential_keeper *k)
{
    pthread_mutex_lock(k->read_lock);
    if (k->in_memory || k->changing || k->snapshot_ms == 0) {
        return;
    }
    const int64_t now_ms = monotonic_ms();
    if (now_ms - k->snapshot_since_ms >= k->snapshot_ms) {
        dn_credential_rows_settle(k->reader);
        k->snapshot_since_ms = now_ms;
    }
    dn_credential_rows_hold(k->reader);
}

static dunlin_status end_look_up(dn_credential_keeper *k, dunlin_status status)
{
    if (k->reader->database.failed) {
        status = dn_credential_keeper_settle(k, k->reader, status);
    }
    pthread_mutex_unlock(k->read_lock);
    return status;
}

/* A snapshot that stays would keep the log from being emptied, and would not show the change; one may be taken again when it is complete. */
void dn_credential_keeper_begin_change(dn_credential_keeper *k)
{
    pthread_mutex_lock(&k->write_lock);
    if (!k->in_memory) {
        pthread_mutex_lock(k->read_lock);
        dn_credential_rows_settle(k->reader);
    }
    k->changing = true;
    memset(k->found, 0, sizeof k->found);
    if (!k->in_memory) {
        pthread_mutex_unlock(k->read_lock);
    }
}

void dn_credential_keeper_end_change(dn_credential_keeper *k)
{
    if (!k->in_memory) {
        pthread_mutex_lock(k->read_lock);
    }
    k->changing = false;
    if (!k->in_memory) {
        pthread_mutex_unlock(k->read_lock);
    }
    pthread_mutex_unlock(&k->write_lock);
}

static void remember_found(dn_credential_keeper *k, const dn_credential *c)
{
    if (!k->changing) {
        k->found[c->number % DN_CREDENTIALS_FOUND] = (dn_credential_found){c->number, c->generation};
    }
}

dunlin_status dn_credential_keeper_find(dn_credential_keeper *k, dn_row_key key, dunlin_slice value,
                                        dn_credential *out)
{
    dn_credential_row row = {.seal = 0};
    begin_look_up(k);
    dunlin_status status = dn_credential_rows_find(k->reader, key, value, &row);
    if (status == DUNLIN_OK) {
        status = dn_credential_rows_unseal(k->reader, &row);
    }
    if (status == DUNLIN_OK) {
        remember_found(k, &row.credential);
    }
    status = end_look_up(k, status);
    if (status == DUNLIN_OK) {
        *out = row.credential;
    }
    gnutls_memset(row.credential.key, 0, sizeof row.credential.key); /* all that is secret of it */
    return status;
}

static dunlin_status keeper_find_psk(dn_credentials *credentials, dunlin_slice identity, dn_credential *out)
{
    return dn_credential_keeper_find(dn_credential_keeper_of(credentials), DN_ROW_BY_IDENTITY, identity, out);
}

static dunlin_status keeper_find_key(dn_credentials *credentials, dunlin_slice public_key, dn_credential *out)
{
    return dn_credential_keeper_find(dn_credential_keeper_of(credentials), DN_ROW_BY_PUBLIC_KEY, public_key,
                                     out);
}

static dunlin_status keeper_find_names(dn_credentials *credentials, const dn_certificate_claims *claims,
                                       dn_credential *out)
{
    dn_credential_keeper *k = dn_credential_keeper_of(credentials);
    begin_look_up(k);
    const dunlin_status status = dn_credential_claims_find(k->reader, &k->patterns, claims, out);
    if (status == DUNLIN_OK) {
        remember_found(k, out);
    }
    return end_look_up(k, status);
}

static bool keeper_is_known(dn_credentials *credentials, dunlin_slice endpoint)
{
    dn_credential_keeper *k = dn_credential_keeper_of(credentials);
    begin_look_up(k);
    bool known = dn_credential_rows_exists(k->reader, endpoint);
    /* What cannot be read may be there: nobody is let in for that. */
    known = end_look_up(k, DUNLIN_OK) != DUNLIN_OK || known;
    return known || dn_credential_patterns_match(&k->patterns, endpoint);
}

static bool keeper_is_current(dn_credentials *credentials, uint64_t number, uint64_t generation)
{
    dn_credential_keeper *k = dn_credential_keeper_of(credentials);
    begin_look_up(k);
    const dn_credential_found *found = &k->found[number % DN_CREDENTIALS_FOUND];
    const bool is_remembered = found->number == number && number != 0 && found->generation == generation;
    const uint64_t now = is_remembered ? generation : dn_credential_rows_generation(k->reader, number);
    return end_look_up(k, DUNLIN_OK) == DUNLIN_OK && now != 0 && now == generation;
}

static dunlin_status keeper_get(dn_credentials *credentials, dunlin_slice endpoint, dn_credential *out)
{
    dunlin_status status =
        dn_credential_keeper_find(dn_credential_keeper_of(credentials), DN_ROW_BY_ENDPOINT, endpoint, out);
    if (status == DUNLIN_OK) {
        const uint8_t key_len = out->key_len;
        gnutls_memset(out->key, 0, sizeof out->key);
        out->key_len = key_len;
    }
    return status;
}

static uint64_t keeper_count(dn_credentials *credentials)
{
    return atomic_load(&dn_credential_keeper_of(credentials)->count);
}

/* On the writer's connection: a search through a million must not hold up handshakes. */
static dunlin_status keeper_list(dn_credentials *credentials, dunlin_slice after, uint32_t limit,
                                 dunlin_slice substring,
                                 void (*done)(void *context, const dn_credential_page *page), void *context)
{
    dn_credential_keeper *k = dn_credential_keeper_of(credentials);
    if (limit == 0 || limit > LIST_MAX) {
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_credential *list = calloc((size_t)limit + 1, sizeof *list);
    if (list == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    pthread_mutex_lock(&k->write_lock);
    const size_t count = dn_credential_rows_list(&k->writer, after, substring, (size_t)limit + 1, list);
    dunlin_status status = dn_credential_keeper_settle(k, &k->writer, DUNLIN_OK);
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

void dn_credential_keeper_tell(dn_credential_keeper *k, uint64_t number, bool is_new)
{
    pthread_mutex_lock(&k->watch_lock);
    if (k->base.changed != NULL) {
        k->base.changed(k->base.changed_context, number, is_new);
    }
    pthread_mutex_unlock(&k->watch_lock);
}

/* The keeper's thread may be about to tell of a change while the server ends. */
static void keeper_watch(dn_credentials *credentials,
                         void (*told)(void *context, uint64_t number, bool is_new), void *context)
{
    dn_credential_keeper *k = dn_credential_keeper_of(credentials);
    pthread_mutex_lock(&k->watch_lock);
    k->base.changed = told;
    k->base.changed_context = context;
    pthread_mutex_unlock(&k->watch_lock);
}

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

dn_credential dn_credential_keeper_clean(const dn_credential *given)
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

bool dn_credential_keeper_is_same(dn_credential_keeper *k, dn_credential_row *row, const dn_credential *c)
{
    const bool same =
        dn_credential_rows_unseal(&k->writer, row) == DUNLIN_OK && proves_the_same(&row->credential, c);
    k->writer.database.failed = false;
    gnutls_memset(row->credential.key, 0, sizeof row->credential.key);
    return same;
}

dunlin_status dn_credential_keeper_rival(dn_credential_keeper *k, const dn_credential *c,
                                         dn_credential_row *other)
{
    if (c->mode == DN_SECURITY_PSK) {
        return dn_credential_rows_find(&k->writer, DN_ROW_BY_IDENTITY,
                                       dunlin_slice_make(c->identity, c->identity_len), other);
    }
    if (c->mode == DN_SECURITY_RPK) {
        return dn_credential_rows_find(&k->writer, DN_ROW_BY_PUBLIC_KEY,
                                       dunlin_slice_make(c->public_key, c->public_key_len), other);
    }
    return DUNLIN_ERR_NOT_FOUND;
}

/* One that is staged for the same endpoint gives way to what is put: `gone` is its number then. */
static dunlin_status check_unique(dn_credential_keeper *k, const dn_credential *c, uint64_t *gone)
{
    dn_credential_row other;
    const dunlin_status status = dn_credential_keeper_rival(k, c, &other);
    if (status != DUNLIN_OK) {
        return status == DUNLIN_ERR_NOT_FOUND ? DUNLIN_OK : status;
    }
    if (other.is_staged &&
        same_bytes(other.credential.endpoint, other.credential.endpoint_len, c->endpoint, c->endpoint_len)) {
        *gone = other.credential.number;
        return dn_credential_rows_remove(&k->writer, *gone) ? DUNLIN_OK : DUNLIN_ERR_STORE;
    }
    return other.credential.number == c->number ? DUNLIN_OK : DUNLIN_ERR_DUPLICATE;
}

/* There is none of its endpoint yet. */
static dunlin_status check_limits(dn_credential_keeper *k, const dn_credential *c)
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

/* In a transaction: the number of the row of this endpoint that is gone, 0: there was none. */
static uint64_t remove_row(dn_credential_keeper *k, dn_row_key key, dunlin_slice endpoint)
{
    dn_credential_row row = {.seal = 0};
    if (dn_credential_rows_find(&k->writer, key, endpoint, &row) != DUNLIN_OK) {
        return 0;
    }
    dn_credential_rows_remove(&k->writer, row.credential.number);
    return row.credential.number;
}

/* In a transaction: writes `c`, and fills in what the keeper gives. */
static dunlin_status replace(dn_credential_keeper *k, dn_credential *c, bool *created, uint64_t *gone)
{
    dn_credential_row old = {.seal = 0};
    dunlin_status status = dn_credential_rows_find(&k->writer, DN_ROW_BY_ENDPOINT,
                                                   dunlin_slice_make(c->endpoint, c->endpoint_len), &old);
    *created = status == DUNLIN_ERR_NOT_FOUND;
    c->changed_ms = k->wall_ms(k->wall_context);
    c->created_ms = *created ? c->changed_ms : old.credential.created_ms;
    if (status == DUNLIN_OK) {
        c->number = old.credential.number;
        status = check_unique(k, c, gone);
    } else if (*created) {
        c->number = dn_credential_rows_next(&k->writer);
        status = check_unique(k, c, gone);
        status = status == DUNLIN_OK ? check_limits(k, c) : status;
    }
    if (status != DUNLIN_OK) {
        return status;
    }
    /* An old row that cannot be trusted is not the same, and is replaced. */
    const uint64_t generation = old.credential.generation;
    const bool same = !*created && dn_credential_keeper_is_same(k, &old, c);
    c->generation = same ? generation : dn_credential_rows_next(&k->writer);
    if (!same && *gone == 0) { /* what a bootstrap has handed out must not undo what was put to replace it */
        *gone = remove_row(k, DN_ROW_BY_STAGED, dunlin_slice_make(c->endpoint, c->endpoint_len));
    }
    if (!*created) {
        dn_credential_rows_remove(&k->writer, c->number);
    }
    dn_credential_rows_insert(&k->writer, c, false);
    return dn_credential_rows_commit(&k->writer) ? DUNLIN_OK : DUNLIN_ERR_STORE;
}

static dunlin_status keeper_put(dn_credentials *credentials, const dn_credential *credential, bool *created)
{
    dn_credential_keeper *k = dn_credential_keeper_of(credentials);
    bool is_new = false;
    uint64_t gone = 0;
    if (dn_credential_check(credential) != NULL) {
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_credential c = dn_credential_keeper_clean(credential);
    dn_credential_keeper_begin_change(k);
    dunlin_status status = DUNLIN_ERR_STORE;
    if (dn_credential_rows_begin(&k->writer)) {
        status = replace(k, &c, &is_new, &gone);
    }
    status = dn_credential_keeper_settle(k, &k->writer, status);
    if (status == DUNLIN_OK && is_new) {
        atomic_fetch_add(&k->count, 1);
        if (c.is_pattern) { /* room was made before */
            (void)dn_credential_patterns_add(&k->patterns, c.number,
                                             dunlin_slice_make(c.endpoint, c.endpoint_len));
        }
    }
    if (status == DUNLIN_OK && gone != 0) {
        dn_credential_staged_remove(&k->staged, gone);
    }
    dn_credential_keeper_end_change(k);
    const uint64_t number = c.number;
    dn_credential_wipe(&c);
    if (status == DUNLIN_OK) {
        dn_credential_keeper_tell(k, number, is_new);
    }
    if (status == DUNLIN_OK && gone != 0) {
        dn_credential_keeper_tell(k, gone, false);
    }
    if (created != NULL) {
        *created = is_new;
    }
    return status;
}

/* The current one and what is staged. */
static dunlin_status keeper_remove(dn_credentials *credentials, dunlin_slice endpoint)
{
    dn_credential_keeper *k = dn_credential_keeper_of(credentials);
    uint64_t current = 0;
    uint64_t staged = 0;
    dunlin_status status = DUNLIN_ERR_STORE;
    dn_credential_keeper_begin_change(k);
    if (dn_credential_rows_begin(&k->writer)) {
        current = remove_row(k, DN_ROW_BY_ENDPOINT, endpoint);
        staged = remove_row(k, DN_ROW_BY_STAGED, endpoint);
        status = dn_credential_rows_commit(&k->writer) ? DUNLIN_OK : DUNLIN_ERR_STORE;
    }
    status = dn_credential_keeper_settle(k, &k->writer, status);
    if (status == DUNLIN_OK && current != 0) {
        atomic_fetch_sub(&k->count, 1);
        dn_credential_patterns_remove(&k->patterns, current);
    }
    if (status == DUNLIN_OK && staged != 0) {
        dn_credential_staged_remove(&k->staged, staged);
    }
    dn_credential_keeper_end_change(k);
    if (status != DUNLIN_OK) {
        return status;
    }
    if (current != 0) {
        dn_credential_keeper_tell(k, current, false);
    }
    if (staged != 0) {
        dn_credential_keeper_tell(k, staged, false);
    }
    return current != 0 || staged != 0 ? DUNLIN_OK : DUNLIN_ERR_NOT_FOUND;
}

/* ---- opening and closing ---- */

static void keeper_close(dn_credentials *credentials)
{
    dn_credential_keeper *k = dn_credential_keeper_of(credentials);
    dn_store_worker_stop(&k->worker);
    if (k->own_reader.database.sqlite != NULL) {
        dn_credential_rows_close(&k->own_reader);
    }
    if (k->writer.database.sqlite != NULL) {
        dn_credential_rows_close(&k->writer);
    }
    dn_seal_free(k->seal);
    dn_credential_patterns_free(&k->patterns);
    dn_credential_staged_free(&k->staged);
    dn_complaints_free(&k->complaints);
    pthread_mutex_destroy(&k->own_read_lock);
    pthread_mutex_destroy(&k->write_lock);
    pthread_mutex_destroy(&k->watch_lock);
    if (k->lock_fd >= 0) {
        close(k->lock_fd);
    }
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
    .stage = dn_credential_keeper_stage,
    .promote = dn_credential_keeper_promote,
    .get_staged = dn_credential_keeper_get_staged,
    .proved = dn_credential_keeper_proved,
    .watch = keeper_watch,
    .count = keeper_count,
    .error = keeper_error,
    .close = keeper_close,
};

/* Of the worker: the process may have died in the middle of the second. */
static void work(void *context)
{
    dn_credential_keeper *k = context;
    dn_credential_keeper_promote_proved(k);
    (void)dn_credential_store_reseal(&k->base, NULL);
}

static dn_credential_keeper *make(const dn_credential_store_config *config)
{
    dn_credential_keeper *k = calloc(1, sizeof *k);
    if (k == NULL) {
        return NULL;
    }
    k->base.ops = &ops;
    k->lock_fd = -1;
    k->max = config->max;
    k->wall_ms = config->wall_ms != NULL ? config->wall_ms : system_wall_ms;
    k->wall_context = config->wall_context;
    k->log = config->log;
    k->in_memory = config->dir == NULL;
    k->snapshot_ms = config->snapshot_ms;
    k->read_lock = k->in_memory ? &k->write_lock : &k->own_read_lock;
    k->reader = k->in_memory ? &k->writer : &k->own_reader;
    pthread_mutex_init(&k->write_lock, NULL);
    pthread_mutex_init(&k->watch_lock, NULL);
    pthread_mutex_init(&k->own_read_lock, NULL);
    dn_complaints_init(&k->complaints, config->log, DN_CREDENTIALS_AREA);
    dn_store_worker_init(&k->worker, work, k);
    dn_credential_patterns_init(&k->patterns);
    dn_credential_staged_init(&k->staged);
    return k;
}

static bool remember_pattern(void *context, const dn_credential *credential)
{
    dn_credential_keeper *k = context;
    return dn_credential_patterns_add(&k->patterns, credential->number,
                                      dunlin_slice_make(credential->endpoint, credential->endpoint_len)) ==
           DUNLIN_OK;
}

static dunlin_status open_rows(dn_credential_keeper *k, const dn_credential_store_config *config, char *error,
                               size_t error_size)
{
    char path[PATH_MAX] = ":memory:";
    int64_t count = 0;
    if (!k->in_memory &&
        snprintf(path, sizeof path, "%s/%s", config->dir, config->file) >= (int)sizeof path) {
        snprintf(error, error_size, "the name of the directory %.64s... is too long", config->dir);
        return DUNLIN_ERR_STORE;
    }
    if (!dn_credential_rows_open(&k->writer, path, WRITE_CACHE_KIB, 0) ||
        !dn_database_integer(&k->writer.database, "SELECT count(*) FROM credential WHERE staged=0", &count) ||
        !dn_credential_rows_patterns(&k->writer, remember_pattern, k) ||
        !dn_credential_keeper_load_staged(k)) {
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

static dunlin_status take_lock(dn_credential_keeper *k, const dn_credential_store_config *config, char *error,
                               size_t error_size)
{
    if (k->in_memory || !config->locks) {
        return DUNLIN_OK;
    }
    k->lock_fd = dn_lock_directory(config->dir, error, error_size);
    return k->lock_fd >= 0 ? DUNLIN_OK : DUNLIN_ERR_STORE;
}

bool dn_credential_store_is(const dn_credentials *credentials)
{
    return credentials->ops == &ops;
}

dn_credential_store_config dn_credential_store_config_default(void)
{
    return (dn_credential_store_config){.file = DN_CREDENTIALS_FILE, .snapshot_ms = 50, .max = 10000000};
}

dunlin_status dn_credential_store_open(const dn_credential_store_config *config, dn_credentials **out,
                                       char *error, size_t error_size)
{
    dn_credential_keeper *k = make(config);
    if (k == NULL) {
        snprintf(error, error_size, "no memory for credentials");
        return DUNLIN_ERR_MEMORY;
    }
    dunlin_status status = take_lock(k, config, error, error_size);
    if (status == DUNLIN_OK) {
        status = open_rows(k, config, error, error_size);
    }
    if (status == DUNLIN_OK && k->in_memory) {
        k->seal = dn_seal_of_memory();
        if (k->seal == NULL) {
            snprintf(error, error_size, "no memory for credentials");
            status = DUNLIN_ERR_MEMORY;
        }
    } else if (status == DUNLIN_OK) {
        status = dn_credential_keeper_open_seal(k, config, error, error_size);
    }
    k->writer.seal = k->seal;
    k->reader->seal = k->seal;
    if (status == DUNLIN_OK && !k->in_memory) {
        status = dn_store_worker_start(&k->worker);
        if (status == DUNLIN_OK) {
            dn_store_worker_wake(&k->worker);
        } else {
            snprintf(error, error_size, "no thread for the credentials");
        }
    }
    if (status != DUNLIN_OK) {
        keeper_close(&k->base);
        return status;
    }
    *out = &k->base;
    return DUNLIN_OK;
}
