/* SPDX-License-Identifier: Apache-2.0 */
#include "store/private_database.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 5000

/* SQLite would make it readable for others; what it makes beside it gets the same mode. */
static bool make_private(dn_database *database, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        *database = (dn_database){0};
        return dn_database_fail(database, "cannot open %s: %s", path, strerror(errno));
    }
    close(fd);
    return true;
}

bool dn_private_database_open(dn_database *database, const dn_schema *schema, const char *path,
                              uint32_t cache_kib, uint64_t map_bytes)
{
    const bool in_memory = strcmp(path, ":memory:") == 0;
    char pragmas[192];
    if ((!in_memory && !make_private(database, path)) || !dn_database_open(database, path, NULL)) {
        return false;
    }
    sqlite3_extended_result_codes(database->sqlite, 1);
    sqlite3_busy_timeout(database->sqlite, BUSY_TIMEOUT_MS);
    snprintf(pragmas, sizeof pragmas,
             "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA "
             "cache_size=-%u; PRAGMA mmap_size=%" PRIu64,
             cache_kib, map_bytes);
    /* The version first: a newer release's file is not even switched to another journal. */
    if (dn_schema_ensure(database, schema, path) && dn_database_execute(database, pragmas)) {
        return true;
    }
    dn_private_database_close(database);
    return false;
}

void dn_private_database_close(dn_database *database)
{
    sqlite3_stmt *statement = NULL;
    while (database->sqlite != NULL && (statement = sqlite3_next_stmt(database->sqlite, NULL)) != NULL) {
        sqlite3_finalize(statement);
    }
    dn_database_close(database);
}

void dn_private_database_settle(dn_database *database, sqlite3_stmt *rollback)
{
    database->failed = false;
    if (sqlite3_get_autocommit(database->sqlite) == 0) {
        dn_database_run(database, rollback);
        database->failed = false;
    }
}
