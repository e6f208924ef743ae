/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SQLite connection whose first error sticks: after it every call does nothing and answers false, and
 * the text of the failure is kept. So a run of writes is checked once, at its commit.
 */
#ifndef DN_STORE_DATABASE_H
#define DN_STORE_DATABASE_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

#include <sqlite3.h>

#define DN_DATABASE_ERROR_MAX 320

typedef struct {
    sqlite3 *sqlite; /* NULL: not open */
    bool failed;
    char error[DN_DATABASE_ERROR_MAX];
} dn_database;

/* Opens or creates the file; `vfs` NULL for the system's own. */
bool dn_database_open(dn_database *database, const char *path, const char *vfs);
/* Closes it; every statement must have been finalised. The error text stays. */
void dn_database_close(dn_database *database);

/* Notes a failure that is not SQLite's (the first one counts); always false. */
bool dn_database_fail(dn_database *database, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Notes what SQLite says about its last call, as the failure of `doing`; always false. */
bool dn_database_fail_sqlite(dn_database *database, const char *doing);

/* Runs SQL text without parameters and results. */
bool dn_database_execute(dn_database *database, const char *sql);
/* Prepares a statement that is kept. NULL after a failure. */
sqlite3_stmt *dn_database_prepare(dn_database *database, const char *sql);
/* Runs a statement that gives no rows, and resets it; its bindings stay. */
bool dn_database_run(dn_database *database, sqlite3_stmt *statement);
/* Steps a query: true when there is a row. False: no more, or a failure (see `failed`); then it is reset. */
bool dn_database_row(dn_database *database, sqlite3_stmt *statement);
/* The single integer that a query without parameters gives; 0 for NULL. */
bool dn_database_integer(dn_database *database, const char *sql, int64_t *out);

/* Parameters, counted from 1. Bytes must stay until the statement has run. Empty text is bound as '', not as
 * NULL. */
void dn_database_bind_bytes(sqlite3_stmt *statement, int index, dunlin_slice bytes);
void dn_database_bind_text(sqlite3_stmt *statement, int index, dunlin_slice text);
/* A column, counted from 0, of any type as bytes; valid until the next step. */
dunlin_slice dn_database_column(sqlite3_stmt *statement, int column);

#endif
