/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials as rows of SQLite: the tables, their statements, and the seal over each row. One connection; its caller's lock.
 * The error of `database` is for one call: dn_credential_rows_settle forgets it.
 */
#ifndef DN_STORE_CREDENTIAL_ROWS_H
#define DN_STORE_CREDENTIAL_ROWS_H

#include "security/credentials.h"
#include "store/database.h"
#include "store/seal.h"

/* By what a row is looked up. */
typedef enum {
    DN_ROW_BY_ENDPOINT, /* the current one */
    DN_ROW_BY_STAGED,   /* endpoint, the staged one */
    DN_ROW_BY_IDENTITY,
    DN_ROW_BY_PUBLIC_KEY,
    DN_ROW_BY_FINGERPRINT, /* in the order of numbers, as the next one */
    DN_ROW_BY_NAME,
    DN_ROW_KEYS
} dn_row_key;

typedef struct {
    dn_database database;
    dn_seal *seal; /* not its own */
    sqlite3_stmt *find[DN_ROW_KEYS];
    sqlite3_stmt *generation, *exists, *list, *list_all, *patterns, *next_seal, *sealed_by, *staged,
        *by_number;
    sqlite3_stmt *begin, *hold, *commit, *rollback, *insert, *remove, *promote, *next, *set_next, *reseal;
} dn_credential_rows;

/* Opens the file `path` (mode 0600 if it is made; ":memory:": none), makes the tables, prepares. `map_bytes` of it are read through the
 * system's memory of files. False: see database.error; what was opened is closed. */
bool dn_credential_rows_open(dn_credential_rows *rows, const char *path, uint32_t cache_kib,
                             uint64_t map_bytes);
void dn_credential_rows_close(dn_credential_rows *rows);
/* After a failure: the connection may be used again. An open transaction is undone, what is held is let go. */
void dn_credential_rows_settle(dn_credential_rows *rows);
/* What is read from now on, until dn_credential_rows_settle, is of one state of the database, that of the first reading. May be called again. */
void dn_credential_rows_hold(dn_credential_rows *rows);

typedef struct {
    dn_credential credential; /* without the key */
    uint64_t seal;
    uint8_t sealed[DN_PSK_KEY_MAX + DN_SEAL_EXTRA];
    size_t sealed_len;
    bool is_staged;
} dn_credential_row;

/* The first row with `value`. NOT_FOUND; STORE. Its seal is not looked at. */
dunlin_status dn_credential_rows_find(dn_credential_rows *rows, dn_row_key key, dunlin_slice value,
                                      dn_credential_row *row);
dunlin_status dn_credential_rows_numbered(dn_credential_rows *rows, uint64_t number, dn_credential_row *row);
/* Calls for each row with `value` until it answers false. */
dunlin_status dn_credential_rows_each(dn_credential_rows *rows, dn_row_key key, dunlin_slice value,
                                      bool (*take)(void *context, const dn_credential_row *row),
                                      void *context);
/* Checks the row's seal and gives the key to row->credential. STORE: it was changed outside, or its key is missing. */
dunlin_status dn_credential_rows_unseal(dn_credential_rows *rows, dn_credential_row *row);

/* Staged ones do not count. */
bool dn_credential_rows_exists(dn_credential_rows *rows, dunlin_slice endpoint);
/* 0: there is none of this number. */
uint64_t dn_credential_rows_generation(dn_credential_rows *rows, uint64_t number);

/* ---- changes: begin, some of these, commit; check `database.failed` at the end ---- */
bool dn_credential_rows_begin(dn_credential_rows *rows);
bool dn_credential_rows_commit(dn_credential_rows *rows);
/* A number that was never given out. */
uint64_t dn_credential_rows_next(dn_credential_rows *rows);
bool dn_credential_rows_insert(dn_credential_rows *rows, const dn_credential *credential, bool is_staged);
/* It is the current one from now on, with these times; the former one must have been removed. */
bool dn_credential_rows_promote(dn_credential_rows *rows, const dn_credential *credential);
bool dn_credential_rows_remove(dn_credential_rows *rows, uint64_t number);
/* Seals `row` (whose key is there) with the newest key. */
bool dn_credential_rows_reseal(dn_credential_rows *rows, const dn_credential_row *row);

/* ---- the whole ---- */
/* The smallest number of a sealing key above `after` with which rows are sealed; 0: none. */
uint64_t dn_credential_rows_next_seal(dn_credential_rows *rows, uint64_t after);
/* Up to `limit` rows sealed with `seal`, of numbers above `after`; gives how many. */
size_t dn_credential_rows_sealed_by(dn_credential_rows *rows, uint64_t seal, uint64_t after, size_t limit,
                                    dn_credential_row *out);
/* Up to `limit` credentials behind `after` whose endpoints contain `substring`, without keys. */
size_t dn_credential_rows_list(dn_credential_rows *rows, dunlin_slice after, dunlin_slice substring,
                               size_t limit, dn_credential *out);
bool dn_credential_rows_staged(dn_credential_rows *rows, bool (*take)(void *context, uint64_t number),
                               void *context);
bool dn_credential_rows_patterns(dn_credential_rows *rows,
                                 bool (*take)(void *context, const dn_credential *credential), void *context);

#endif
