/* SPDX-License-Identifier: Apache-2.0 */
/* The tables, made or changed in one transaction with the version, so that a half-made database does not
 * exist. */
#include "store/schema.h"

#define APPLICATION_ID  0x446e6c6e /* "Dnln" */
#define TEXT_OF_(macro) #macro
#define TEXT_OF(macro)  TEXT_OF_(macro)

/* What each version adds to the one before. */
static const char *const steps[DN_SCHEMA_VERSION] = {
    "CREATE TABLE links(number INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE TABLE registration(slot INTEGER PRIMARY KEY, id INTEGER NOT NULL, endpoint TEXT NOT NULL,"
    " peer BLOB NOT NULL, lifetime_s INTEGER NOT NULL, registered_ms INTEGER NOT NULL, updated_ms INTEGER "
    "NOT NULL,"
    " links INTEGER NOT NULL, version INTEGER NOT NULL, binding INTEGER NOT NULL, flags INTEGER NOT NULL, "
    "sms TEXT);"
    "CREATE TABLE observation(number INTEGER PRIMARY KEY, endpoint TEXT NOT NULL, path TEXT NOT NULL,"
    " format INTEGER NOT NULL, since_ms INTEGER NOT NULL, token INTEGER NOT NULL);"
    "CREATE TABLE value(observation INTEGER PRIMARY KEY, received_ms INTEGER NOT NULL, code INTEGER NOT NULL,"
    " format INTEGER NOT NULL, payload BLOB NOT NULL);"
    "CREATE TABLE journal(sequence INTEGER PRIMARY KEY, changes BLOB NOT NULL);",

    /* 2: composite observations; the durable queue, whose progress is apart so that it is written without the
     * body. */
    "ALTER TABLE observation ADD COLUMN paths TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE request(number INTEGER PRIMARY KEY, id INTEGER NOT NULL, endpoint TEXT NOT NULL,"
    " method INTEGER NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL, content_format INTEGER NOT NULL,"
    " accept INTEGER NOT NULL, auto_accept INTEGER NOT NULL, package TEXT NOT NULL, body BLOB NOT NULL,"
    " created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL);"
    "CREATE TABLE progress(request INTEGER PRIMARY KEY, state INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    " ended_ms INTEGER NOT NULL, status INTEGER NOT NULL, code INTEGER NOT NULL, format INTEGER NOT NULL,"
    " location TEXT NOT NULL, payload BLOB NOT NULL);"
    "CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;",
};

static const char commit_sql[] = "PRAGMA application_id=" TEXT_OF(
    APPLICATION_ID) ";"
                    "PRAGMA user_version=" TEXT_OF(DN_SCHEMA_VERSION) ";"
                                                                      "COMMIT;";

/* A failure leaves the transaction open; the connection's end undoes it. */
static bool raise_from(dn_database *database, int64_t version)
{
    bool ok = dn_database_execute(database, "BEGIN IMMEDIATE");
    for (int64_t step = version; ok && step < DN_SCHEMA_VERSION; step++) {
        ok = dn_database_execute(database, steps[step]);
    }
    return ok && dn_database_execute(database, commit_sql);
}

bool dn_schema_ensure(dn_database *database, const char *path)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t tables = 0;
    if (!dn_database_integer(database, "PRAGMA application_id", &application) ||
        !dn_database_integer(database, "PRAGMA user_version", &version) ||
        !dn_database_integer(database, "SELECT count(*) FROM sqlite_schema", &tables)) {
        return false;
    }
    if (application == 0 && version == 0 && tables == 0) {
        return raise_from(database, 0);
    }
    if (application != APPLICATION_ID) {
        return dn_database_fail(database, "%s is not a database of this program", path);
    }
    if (version > DN_SCHEMA_VERSION) {
        return dn_database_fail(
            database, "%s has schema version %lld, which a newer release made; this one knows up to %d", path,
            (long long)version, DN_SCHEMA_VERSION);
    }
    if (version < 1) {
        return dn_database_fail(database, "%s has the unknown schema version %lld", path, (long long)version);
    }
    return version == DN_SCHEMA_VERSION || raise_from(database, version);
}
