/* SPDX-License-Identifier: Apache-2.0 */
#include "store/tables.h"

/* What each version adds to the one before. */
static const char *const steps[] = {
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

const dn_schema dn_tables = {.application_id = 0x446e6c6e, /* "Dnln" */
                             .what = "this program",
                             .steps = steps,
                             .version = sizeof steps / sizeof steps[0]};
