/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bootstrap configurations as rows of SQLite: an entry for each name, its versions, and the seal over each of them. One connection; its
 * caller's lock. The error of `database` is for one call: dn_bs_rows_settle forgets it.
 */
#ifndef DN_STORE_BOOTSTRAP_ROWS_H
#define DN_STORE_BOOTSTRAP_ROWS_H

#include "bootstrap/config.h"
#include "bootstrap/store.h"
#include "store/database.h"
#include "store/seal.h"

typedef struct {
    dn_database database;
    dn_seal *seal; /* not its own */
    sqlite3_stmt *find, *entry, *version, *versions, *list, *list_all, *patterns, *next_seal, *sealed_by;
    sqlite3_stmt *begin, *commit, *rollback, *insert, *set, *add_version, *drop_versions, *reseal, *count;
} dn_bs_rows;

/* As dn_credential_rows_open. */
bool dn_bs_rows_open(dn_bs_rows *rows, const char *path, uint32_t cache_kib, uint64_t map_bytes);
void dn_bs_rows_close(dn_bs_rows *rows);
void dn_bs_rows_settle(dn_bs_rows *rows);

/* A name, whether there is a configuration of it now or not. */
typedef struct {
    uint64_t number;
    size_t endpoint_len;
    uint8_t endpoint[DN_ENDPOINT_NAME_MAX];
    bool is_pattern, is_removed;
    uint32_t version; /* the last one */
    int64_t created_ms;
} dn_bs_name;

/* One version of it. */
typedef struct {
    dn_bs_name of;
    uint64_t number; /* of its row */
    uint32_t version;
    int64_t changed_ms;
    bool is_removed;
    uint64_t seal;
    uint8_t *document; /* allocated, unless empty: dn_bs_text_free */
    size_t document_len;
} dn_bs_text;

void dn_bs_text_free(dn_bs_text *text); /* wipes it */
dn_bs_entry dn_bs_text_entry(const dn_bs_text *text);

/* The current version of exactly this name, opened. NOT_FOUND; STORE; MEMORY. */
dunlin_status dn_bs_rows_find(dn_bs_rows *rows, dunlin_slice endpoint, dn_bs_text *out);
dunlin_status dn_bs_rows_entry(dn_bs_rows *rows, dunlin_slice endpoint, dn_bs_name *out);
/* A version of it, opened. */
dunlin_status dn_bs_rows_version(dn_bs_rows *rows, const dn_bs_name *name, uint32_t version, dn_bs_text *out);
/* Up to `limit` versions, newest first, without their documents. */
size_t dn_bs_rows_versions(dn_bs_rows *rows, const dn_bs_name *name, size_t limit, dn_bs_text *out);
/* Up to `limit` current ones behind `after` whose names contain `substring`, without their documents. */
size_t dn_bs_rows_list(dn_bs_rows *rows, dunlin_slice after, dunlin_slice substring, size_t limit,
                       dn_bs_text *out);
bool dn_bs_rows_patterns(dn_bs_rows *rows, bool (*take)(void *context, const dn_bs_name *name),
                         void *context);

/* ---- changes: begin, some of these, commit; check `database.failed` at the end ---- */
bool dn_bs_rows_begin(dn_bs_rows *rows);
bool dn_bs_rows_commit(dn_bs_rows *rows);
/* Writes the name (with number 0: a new one, which gets its number) and its new version, and drops those beyond `kept`. */
bool dn_bs_rows_add(dn_bs_rows *rows, dn_bs_name *name, int64_t changed_ms, dunlin_slice document,
                    uint32_t kept);
bool dn_bs_rows_count(dn_bs_rows *rows, uint64_t count, uint64_t generation);

/* ---- sealing keys ---- */
/* The smallest number of a sealing key above `after` with which rows are sealed; 0: none. */
uint64_t dn_bs_rows_next_seal(dn_bs_rows *rows, uint64_t after);
/* The next row behind *at that `seal` has sealed is sealed anew with the newest one. False: there is none, or a failure. A row that cannot be opened
   stays as it is: *ok is false then, and database.error says why. */
bool dn_bs_rows_reseal_next(dn_bs_rows *rows, uint64_t seal, uint64_t *at, bool *ok);

#endif
