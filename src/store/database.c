/* SPDX-License-Identifier: Apache-2.0 */
/* A SQLite connection with a sticky error. */
#include "store/database.h"

#include <stdarg.h>
#include <stdio.h>

bool dn_database_fail(dn_database *database, const char *format, ...)
{
    if (!database->failed) {
        database->failed = true;
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(database->error, sizeof database->error, format, arguments);
        va_end(arguments);
    }
    return false;
}

bool dn_database_fail_sqlite(dn_database *database, const char *doing)
{
    /* The extended code tells a full disk from a failing one, which the text does not. */
    return dn_database_fail(database, "%s: %s (SQLite %d)", doing, sqlite3_errmsg(database->sqlite),
                            sqlite3_extended_errcode(database->sqlite));
}

bool dn_database_open(dn_database *database, const char *path, const char *vfs)
{
    *database = (dn_database){0};
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &database->sqlite, flags, vfs) == SQLITE_OK) {
        return true;
    }
    dn_database_fail(database, "cannot open %s: %s", path, sqlite3_errmsg(database->sqlite));
    dn_database_close(database);
    return false;
}

void dn_database_close(dn_database *database)
{
    sqlite3_close(database->sqlite);
    database->sqlite = NULL;
}

bool dn_database_execute(dn_database *database, const char *sql)
{
    if (database->failed) {
        return false;
    }
    if (sqlite3_exec(database->sqlite, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return dn_database_fail_sqlite(database, sql);
    }
    return true;
}

sqlite3_stmt *dn_database_prepare(dn_database *database, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (!database->failed && sqlite3_prepare_v3(database->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                                &statement, NULL) != SQLITE_OK) {
        dn_database_fail_sqlite(database, sql);
    }
    return statement;
}

bool dn_database_run(dn_database *database, sqlite3_stmt *statement)
{
    if (database->failed) {
        return false;
    }
    int result = sqlite3_step(statement);
    if (result != SQLITE_DONE) {
        dn_database_fail_sqlite(database, sqlite3_sql(statement));
    }
    sqlite3_reset(statement);
    return !database->failed;
}

bool dn_database_row(dn_database *database, sqlite3_stmt *statement)
{
    if (database->failed) {
        return false;
    }
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        return true;
    }
    if (result != SQLITE_DONE) {
        dn_database_fail_sqlite(database, sqlite3_sql(statement));
    }
    sqlite3_reset(statement);
    return false;
}

bool dn_database_integer(dn_database *database, const char *sql, int64_t *out)
{
    sqlite3_stmt *statement = dn_database_prepare(database, sql);
    *out = 0;
    if (statement != NULL && dn_database_row(database, statement)) {
        *out = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return !database->failed;
}

void dn_database_bind_bytes(sqlite3_stmt *statement, int index, dunlin_slice bytes)
{
    sqlite3_bind_blob64(statement, index, bytes.len > 0 ? (const void *)bytes.data : "", bytes.len,
                        SQLITE_STATIC);
}

void dn_database_bind_text(sqlite3_stmt *statement, int index, dunlin_slice text)
{
    const char *chars = text.len > 0 ? (const char *)text.data : "";
    sqlite3_bind_text64(statement, index, chars, text.len, SQLITE_STATIC, SQLITE_UTF8);
}

dunlin_slice dn_database_column(sqlite3_stmt *statement, int column)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    return dunlin_slice_make(bytes, (size_t)sqlite3_column_bytes(statement, column));
}
