/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite store: which write goes where, and the transaction around a commit. */
#include "store/sqlite.h"

#include "store/checkpoint.h"
#include "store/database.h"
#include "store/journal.h"
#include "store/load.h"
#include "store/lock.h"
#include "store/overlay.h"
#include "store/rows.h"
#include "store/sweep.h"
#include "store/tables.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PAGE_BYTES 4096u
#define FILE_NAME  "dunlin.db"
#define BUSY_TIMEOUT_MS \
    5000 /* another program that looks into the database may hold its lock for a moment \
          */
#define SWEEP_PERCENT_MAX 1000u

typedef struct {
    dn_store store;
    int lock_fd;
    dn_database database;
    sqlite3_stmt *begin, *commit;
    dn_rows rows;
    dn_journal journal;
    dn_sweep sweep;
    dn_checkpoint *checkpoint;
    dn_load_bounds bounds;
    bool in_transaction;
    uint32_t changes; /* journalled since the last commit */
} sqlite_store;

static sqlite_store *self(dn_store *store)
{
    return (sqlite_store *)(void *)store;
}

/* ---- writing ---- */

static bool begin(sqlite_store *s)
{
    if (!s->in_transaction) {
        s->in_transaction = dn_database_run(&s->database, s->begin);
    }
    return s->in_transaction;
}

/* True for a number of which neither table nor journal ever said anything: its row may go straight to the end
 * of its table. */
static bool is_new(uint32_t bound, uint32_t number)
{
    return number >= bound && number < DN_OVERLAY_MAX;
}

static void no_longer_new(uint32_t *bound, uint32_t number)
{
    if (number >= *bound) {
        *bound = number + 1;
    }
}

static void journal(sqlite_store *s, const dn_change *change, dn_dirty *dirty, uint32_t *bound,
                    uint32_t number)
{
    if (number >= DN_OVERLAY_MAX) {
        dn_database_fail(&s->database, "the number %u is too large", number);
    }
    if (!begin(s) || !dn_journal_append(&s->journal, change)) {
        return;
    }
    if (!dn_dirty_add(dirty, number)) {
        dn_database_fail(&s->database, "no memory for number %u", number);
    }
    no_longer_new(bound, number);
    s->changes++;
}

static void journal_registration(sqlite_store *s, const dn_change *change, uint32_t slot)
{
    journal(s, change, &s->sweep.registrations, &s->bounds.slots, slot);
}

static void journal_value(sqlite_store *s, const dn_change *change, uint32_t observation)
{
    journal(s, change, &s->sweep.values, &s->bounds.values, observation);
}

static void sqlite_put_links(dn_store *store, uint32_t number, dunlin_slice text)
{
    sqlite_store *s = self(store);
    if (begin(s)) {
        dn_rows_put_links(&s->rows, number, text);
    }
}

static void sqlite_drop_links(dn_store *store, uint32_t number)
{
    sqlite_store *s = self(store);
    if (begin(s)) {
        dn_rows_drop_links(&s->rows, number);
    }
}

static void sqlite_put_registration(dn_store *store, const dn_store_registration *registration)
{
    sqlite_store *s = self(store);
    if (is_new(s->bounds.slots, registration->slot)) {
        if (begin(s)) {
            dn_rows_put_registration(&s->rows, registration);
        }
        no_longer_new(&s->bounds.slots, registration->slot);
        return;
    }
    dn_change change = {.type = DN_CHANGE_REGISTRATION};
    change.as.registration = *registration;
    journal_registration(s, &change, registration->slot);
}

static void sqlite_touch_registration(dn_store *store, uint32_t slot, int64_t updated_ms)
{
    sqlite_store *s = self(store);
    dn_change change = {.type = DN_CHANGE_TOUCH};
    change.as.touch.slot = slot;
    change.as.touch.updated_ms = updated_ms;
    journal_registration(s, &change, slot);
}

static void sqlite_drop_registration(dn_store *store, uint32_t slot)
{
    sqlite_store *s = self(store);
    dn_change change = {.type = DN_CHANGE_DROP_REGISTRATION};
    change.as.number = slot;
    journal_registration(s, &change, slot);
}

static void sqlite_put_observation(dn_store *store, const dn_store_observation *observation)
{
    sqlite_store *s = self(store);
    if (begin(s)) {
        dn_rows_put_observation(&s->rows, observation);
    }
}

static void sqlite_drop_observation(dn_store *store, uint32_t number)
{
    sqlite_store *s = self(store);
    if (!begin(s) || !dn_rows_drop_observation(&s->rows, number)) {
        return;
    }
    dn_change change = {.type = DN_CHANGE_DROP_VALUE};
    change.as.number = number;
    journal_value(s, &change, number);
}

static void sqlite_put_value(dn_store *store, const dn_store_value *value)
{
    sqlite_store *s = self(store);
    if (is_new(s->bounds.values, value->observation)) {
        if (begin(s)) {
            dn_rows_put_value(&s->rows, value);
        }
        no_longer_new(&s->bounds.values, value->observation);
        return;
    }
    dn_change change = {.type = DN_CHANGE_VALUE};
    change.as.value = *value;
    journal_value(s, &change, value->observation);
}

static void sqlite_put_request(dn_store *store, const dn_store_request *request)
{
    sqlite_store *s = self(store);
    if (begin(s)) {
        dn_rows_put_request(&s->rows, request);
    }
}

static void sqlite_mark_request(dn_store *store, const dn_store_progress *progress)
{
    sqlite_store *s = self(store);
    if (begin(s)) {
        dn_rows_put_progress(&s->rows, progress);
    }
}

static void sqlite_drop_request(dn_store *store, uint32_t number)
{
    sqlite_store *s = self(store);
    if (begin(s)) {
        dn_rows_drop_request(&s->rows, number);
    }
}

static void sqlite_put_request_ids(dn_store *store, uint64_t bound)
{
    sqlite_store *s = self(store);
    if (begin(s)) {
        dn_rows_put_request_ids(&s->rows, bound);
    }
}

/* ---- committing ---- */

/* After a failure the store takes nothing any more: what the server holds is not what is on disk. */
static dunlin_status give_up(sqlite_store *s)
{
    if (s->database.sqlite != NULL && sqlite3_get_autocommit(s->database.sqlite) == 0) {
        sqlite3_exec(s->database.sqlite, "ROLLBACK", NULL, NULL, NULL);
    }
    s->in_transaction = false;
    return DUNLIN_ERR_STORE;
}

static bool end_transaction(sqlite_store *s)
{
    s->in_transaction = false;
    s->changes = 0;
    return dn_database_run(&s->database, s->commit);
}

static dunlin_status sqlite_commit(dn_store *store)
{
    sqlite_store *s = self(store);
    if (s->database.failed) {
        return give_up(s);
    }
    if (!s->in_transaction) {
        return DUNLIN_OK; /* nothing was written */
    }
    if (!dn_journal_flush(&s->journal) || !dn_sweep_step(&s->sweep, s->changes) || !end_transaction(s) ||
        !dn_checkpoint_step(s->checkpoint)) {
        return give_up(s);
    }
    return DUNLIN_OK;
}

static const char *sqlite_error(dn_store *store)
{
    return self(store)->database.error;
}

/* ---- opening and closing ---- */

static dunlin_status sqlite_load(dn_store *store, const dn_store_loader *loader)
{
    sqlite_store *s = self(store);
    return dn_load(&s->rows, &s->journal, &s->sweep, loader, &s->bounds);
}

static void sqlite_attach(dn_store *store, const dn_store_source *source)
{
    self(store)->sweep.source = *source;
}

static void release(sqlite_store *s)
{
    dn_checkpoint_stop(s->checkpoint);
    dn_sweep_free(&s->sweep);
    dn_journal_close(&s->journal);
    dn_rows_close(&s->rows);
    sqlite3_finalize(s->begin);
    sqlite3_finalize(s->commit);
    dn_database_close(&s->database); /* the last one to close copies and removes the log */
    if (s->lock_fd >= 0) {
        close(s->lock_fd);
    }
    free(s);
}

static void sqlite_close(dn_store *store)
{
    sqlite_store *s = self(store);
    /* First what must not be lost, then the tidying, which may fail without harm. */
    if (sqlite_commit(store) == DUNLIN_OK && begin(s)) {
        if (dn_sweep_all(&s->sweep)) {
            end_transaction(s);
        } else {
            give_up(s);
        }
    }
    release(s);
}

static const dn_store_ops sqlite_ops = {
    .load = sqlite_load,
    .attach = sqlite_attach,
    .put_links = sqlite_put_links,
    .drop_links = sqlite_drop_links,
    .put_registration = sqlite_put_registration,
    .touch_registration = sqlite_touch_registration,
    .drop_registration = sqlite_drop_registration,
    .put_observation = sqlite_put_observation,
    .drop_observation = sqlite_drop_observation,
    .put_value = sqlite_put_value,
    .put_request = sqlite_put_request,
    .mark_request = sqlite_mark_request,
    .drop_request = sqlite_drop_request,
    .put_request_ids = sqlite_put_request_ids,
    .commit = sqlite_commit,
    .error = sqlite_error,
    .close = sqlite_close,
};

dn_sqlite_config dn_sqlite_config_default(void)
{
    return (dn_sqlite_config){
        .durability = DN_DURABILITY_PROCESS,
        .cache_kib = 2048,
        .log_kib = 4096,
        .journal_kib = 16384,
        .sweep_percent = 50,
    };
}

static bool configure(sqlite_store *s, const dn_sqlite_config *config)
{
    char sql[512];
    sqlite3_busy_timeout(s->database.sqlite, BUSY_TIMEOUT_MS);
    /* secure_delete off: Debian's SQLite would write zeros over each deleted row of the journal. */
    snprintf(sql, sizeof sql,
             "PRAGMA page_size=%u; PRAGMA journal_mode=WAL; PRAGMA synchronous=%s; PRAGMA cache_size=-%u;"
             "PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=OFF; PRAGMA journal_size_limit=%llu;",
             PAGE_BYTES, config->durability == DN_DURABILITY_POWER ? "FULL" : "NORMAL", config->cache_kib,
             2ull * config->log_kib * 1024u);
    if (!dn_database_execute(&s->database, sql)) {
        return false;
    }
    if (config->max_bytes > 0) {
        snprintf(sql, sizeof sql, "PRAGMA max_page_count=%llu",
                 (unsigned long long)(config->max_bytes / PAGE_BYTES));
        return dn_database_execute(&s->database, sql);
    }
    return true;
}

static bool open_all(sqlite_store *s, const char *path, const dn_sqlite_config *config)
{
    if (!dn_database_open(&s->database, path, config->vfs) || !configure(s, config) ||
        !dn_schema_ensure(&s->database, &dn_tables, path) || !dn_rows_open(&s->rows, &s->database) ||
        !dn_journal_open(&s->journal, &s->database)) {
        return false;
    }
    dn_sweep_init(&s->sweep, &s->journal, &s->rows, (uint64_t)config->journal_kib * 1024u,
                  config->sweep_percent);
    s->begin = dn_database_prepare(&s->database, "BEGIN IMMEDIATE");
    s->commit = dn_database_prepare(&s->database, "COMMIT");
    s->checkpoint =
        dn_checkpoint_start(&s->database, path, config->vfs, config->log_kib * 1024u / PAGE_BYTES);
    return !s->database.failed;
}

static bool in_range(const dn_sqlite_config *config)
{
    return config->cache_kib >= 64 && config->cache_kib <= (1u << 22) && config->log_kib >= 64 &&
           config->log_kib <= (1u << 21) && config->sweep_percent >= 1 &&
           config->sweep_percent <= SWEEP_PERCENT_MAX &&
           (config->durability == DN_DURABILITY_PROCESS || config->durability == DN_DURABILITY_POWER);
}

dunlin_status dn_sqlite_store_open(const char *dir, const dn_sqlite_config *config, dn_store **out,
                                   char *error, size_t error_size)
{
    *out = NULL;
    char path[PATH_MAX];
    if (!in_range(config) || snprintf(path, sizeof path, "%s/" FILE_NAME, dir) >= (int)sizeof path) {
        snprintf(error, error_size, "a setting of the store is out of its range");
        return DUNLIN_ERR_ARGUMENT;
    }
    sqlite_store *s = calloc(1, sizeof *s);
    if (s == NULL) {
        snprintf(error, error_size, "no memory");
        return DUNLIN_ERR_MEMORY;
    }
    s->store.ops = &sqlite_ops;
    s->lock_fd = dn_lock_directory(dir, error, error_size);
    if (s->lock_fd < 0) {
        free(s);
        return DUNLIN_ERR_STORE;
    }
    if (!open_all(s, path, config)) {
        snprintf(error, error_size, "%s: %s", path, s->database.error);
        release(s);
        return DUNLIN_ERR_STORE;
    }
    *out = &s->store;
    return DUNLIN_OK;
}
