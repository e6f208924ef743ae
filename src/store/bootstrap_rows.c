/* SPDX-License-Identifier: Apache-2.0 */
/* Bootstrap configurations as rows of SQLite; see bootstrap_rows.h. */
#include "store/bootstrap_rows.h"

#include "store/private_database.h"

#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>

/*
 * Names are blobs so that they compare byte by byte. A name that was removed stays, for its versions count on; it is in an index of its own, so that
 * lists need not step over it.
 */
static const char *const steps[] = {
    "CREATE TABLE entry(number INTEGER PRIMARY KEY, endpoint BLOB NOT NULL, pattern INTEGER NOT NULL,"
    " version INTEGER NOT NULL, removed INTEGER NOT NULL, created_ms INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX entry_current ON entry(endpoint) WHERE removed=0;"
    "CREATE UNIQUE INDEX entry_removed ON entry(endpoint) WHERE removed=1;"
    "CREATE INDEX entry_pattern ON entry(pattern) WHERE pattern=1;"
    "CREATE TABLE document(number INTEGER PRIMARY KEY, entry INTEGER NOT NULL, version INTEGER NOT NULL,"
    " removed INTEGER NOT NULL, changed_ms INTEGER NOT NULL, seal INTEGER NOT NULL, sealed BLOB NOT NULL);"
    "CREATE UNIQUE INDEX document_version ON document(entry,version);"
    "CREATE INDEX document_seal ON document(seal);"
    "CREATE TABLE state(count INTEGER NOT NULL, generation INTEGER NOT NULL);"
    "INSERT INTO state VALUES(0,1);"};
static const dn_schema schema = {.application_id = 0x446e4273, /* "DnBs" */
                                 .what = "bootstrap configurations",
                                 .steps = steps,
                                 .version = sizeof steps / sizeof steps[0]};

#define NAME     "e.number,e.endpoint,e.pattern,e.version,e.removed,e.created_ms"
#define VERSION  "d.number,d.version,d.removed,d.changed_ms,d.seal,d.sealed"
#define JOINED   " FROM entry e JOIN document d ON d.entry=e.number "
#define CURRENT  "SELECT " NAME "," VERSION JOINED "AND d.version=e.version WHERE e.removed=0 AND "
#define TEXT_AT  6 /* column of the first of VERSION */
#define UNSEALED "SELECT " NAME ",d.number,d.version,d.removed,d.changed_ms" JOINED

static void prepare(dn_bs_rows *rows)
{
    dn_database *d = &rows->database;
    rows->find = dn_database_prepare(d, CURRENT "e.endpoint=?");
    rows->entry = dn_database_prepare(
        d, "SELECT " NAME " FROM entry e WHERE e.endpoint=?1 AND e.removed=0 UNION ALL SELECT " NAME
           " FROM entry e WHERE e.endpoint=?1 AND e.removed=1");
    rows->version =
        dn_database_prepare(d, "SELECT " NAME "," VERSION JOINED "WHERE e.number=? AND d.version=?");
    rows->versions = dn_database_prepare(d, UNSEALED "WHERE e.number=? ORDER BY d.version DESC LIMIT ?");
    rows->list_all = dn_database_prepare(d, UNSEALED "AND d.version=e.version WHERE e.removed=0 AND "
                                                     "e.endpoint>?1 ORDER BY e.endpoint LIMIT ?2");
    rows->list =
        dn_database_prepare(d, UNSEALED "AND d.version=e.version WHERE e.removed=0 AND e.endpoint>?1 AND "
                                        "instr(e.endpoint,?3)>0 ORDER BY e.endpoint LIMIT ?2");
    rows->patterns = dn_database_prepare(d, "SELECT " NAME " FROM entry e WHERE pattern=1 AND removed=0");
    rows->next_seal = dn_database_prepare(d, "SELECT min(seal) FROM document WHERE seal>?");
    rows->sealed_by = dn_database_prepare(d, "SELECT " NAME "," VERSION JOINED
                                             "WHERE d.seal=? AND d.number>? ORDER BY d.number LIMIT 1");
    rows->begin = dn_database_prepare(d, "BEGIN IMMEDIATE");
    rows->commit = dn_database_prepare(d, "COMMIT");
    rows->rollback = dn_database_prepare(d, "ROLLBACK");
    rows->insert = dn_database_prepare(
        d, "INSERT INTO entry(endpoint,pattern,version,removed,created_ms) VALUES(?,?,?,?,?)");
    rows->set = dn_database_prepare(d, "UPDATE entry SET version=?,removed=?,created_ms=? WHERE number=?");
    rows->add_version = dn_database_prepare(
        d, "INSERT INTO document(entry,version,removed,changed_ms,seal,sealed) VALUES(?,?,?,?,?,?)");
    rows->drop_versions = dn_database_prepare(d, "DELETE FROM document WHERE entry=? AND version<=?");
    rows->reseal = dn_database_prepare(d, "UPDATE document SET seal=?,sealed=? WHERE number=?");
    rows->count = dn_database_prepare(d, "UPDATE state SET count=?,generation=?");
}

bool dn_bs_rows_open(dn_bs_rows *rows, const char *path, uint32_t cache_kib, uint64_t map_bytes)
{
    dn_seal *seal = rows->seal;
    *rows = (dn_bs_rows){.seal = seal};
    if (!dn_private_database_open(&rows->database, &schema, path, cache_kib, map_bytes)) {
        return false;
    }
    prepare(rows);
    if (rows->database.failed) {
        dn_bs_rows_close(rows);
        return false;
    }
    return true;
}

void dn_bs_rows_close(dn_bs_rows *rows)
{
    dn_private_database_close(&rows->database);
}

void dn_bs_rows_settle(dn_bs_rows *rows)
{
    dn_private_database_settle(&rows->database, rows->rollback);
}

/* ---- seals ---- */

#define ABOUT_MAX (64u + DN_ENDPOINT_NAME_MAX)

static uint8_t *put_number(uint8_t *at, uint64_t number, size_t len)
{
    for (size_t i = len; i > 0; i--) {
        *at++ = (uint8_t)(number >> (8 * (i - 1)));
    }
    return at;
}

/* What a version says of itself: nobody can put one device's configuration, or a former version, in another's place. */
static dunlin_slice about(const dn_bs_text *text, uint8_t out[ABOUT_MAX])
{
    static const char label[] = "dunlin bootstrap 1";
    memcpy(out, label, sizeof label);
    uint8_t *at = out + sizeof label;
    at = put_number(at, text->version, 4);
    at = put_number(at, (uint64_t)text->changed_ms, 8);
    at = put_number(at, text->is_removed, 1);
    at = put_number(at, text->of.is_pattern, 1);
    at = put_number(at, text->of.endpoint_len, 2);
    memcpy(at, text->of.endpoint, text->of.endpoint_len);
    return dunlin_slice_make(out, (size_t)(at - out) + text->of.endpoint_len);
}

void dn_bs_text_free(dn_bs_text *text)
{
    if (text->document != NULL) {
        gnutls_memset(text->document, 0, text->document_len);
        free(text->document);
    }
    text->document = NULL;
    text->document_len = 0;
}

dn_bs_entry dn_bs_text_entry(const dn_bs_text *text)
{
    return (dn_bs_entry){.endpoint = dunlin_slice_make(text->of.endpoint, text->of.endpoint_len),
                         .is_pattern = text->of.is_pattern,
                         .version = text->version,
                         .created_ms = text->of.created_ms,
                         .changed_ms = text->changed_ms,
                         .document = dunlin_slice_make(text->document, text->document_len),
                         .is_removed = text->is_removed};
}

static dunlin_status unseal(dn_bs_rows *rows, dunlin_slice sealed, dn_bs_text *text)
{
    uint8_t said[ABOUT_MAX];
    dunlin_status status = DUNLIN_ERR_MALFORMED;
    if (sealed.len >= DN_SEAL_EXTRA && sealed.len <= DN_BS_DOCUMENT_MAX + DN_SEAL_EXTRA) {
        text->document_len = sealed.len - DN_SEAL_EXTRA;
        text->document = malloc(text->document_len + 1);
        if (text->document == NULL) {
            return DUNLIN_ERR_MEMORY;
        }
        status = dn_seal_break(rows->seal, text->seal, about(text, said), sealed, text->document);
    }
    if (status == DUNLIN_OK) {
        return DUNLIN_OK;
    }
    dn_bs_text_free(text);
    dn_database_fail(
        &rows->database, "the bootstrap configuration of %.*s %s", (int)text->of.endpoint_len,
        (const char *)text->of.endpoint,
        status == DUNLIN_ERR_NOT_FOUND
            ? "is sealed with a key that is missing"
            : "is not as it was sealed: another program changed its row. Put it again, or remove it");
    return DUNLIN_ERR_STORE;
}

/* ---- reading ---- */

static bool strange(dn_bs_rows *rows)
{
    return dn_database_fail(&rows->database,
                            "a row of the bootstrap configurations' database was changed by another program");
}

/* False: no program of ours wrote this. */
static bool take_name(sqlite3_stmt *statement, dn_bs_name *out)
{
    const dunlin_slice endpoint = dn_database_column(statement, 1);
    const int64_t version = sqlite3_column_int64(statement, 3);
    *out = (dn_bs_name){.number = (uint64_t)sqlite3_column_int64(statement, 0),
                        .endpoint_len = endpoint.len,
                        .is_pattern = sqlite3_column_int(statement, 2) != 0,
                        .is_removed = sqlite3_column_int(statement, 4) != 0,
                        .version = (uint32_t)version,
                        .created_ms = sqlite3_column_int64(statement, 5)};
    if (endpoint.len == 0 || endpoint.len > sizeof out->endpoint || version < 1 || version > UINT32_MAX) {
        return false;
    }
    memcpy(out->endpoint, endpoint.data, endpoint.len);
    return true;
}

static bool take_version(sqlite3_stmt *statement, dn_bs_text *out)
{
    *out = (dn_bs_text){.number = (uint64_t)sqlite3_column_int64(statement, TEXT_AT),
                        .version = (uint32_t)sqlite3_column_int64(statement, TEXT_AT + 1),
                        .is_removed = sqlite3_column_int(statement, TEXT_AT + 2) != 0,
                        .changed_ms = sqlite3_column_int64(statement, TEXT_AT + 3)};
    return take_name(statement, &out->of);
}

/* The row at which `statement` stands, with its document. */
static dunlin_status take_text(dn_bs_rows *rows, sqlite3_stmt *statement, dn_bs_text *out)
{
    if (!take_version(statement, out)) {
        strange(rows);
        return DUNLIN_ERR_STORE;
    }
    out->seal = (uint64_t)sqlite3_column_int64(statement, TEXT_AT + 4);
    return unseal(rows, dn_database_column(statement, TEXT_AT + 5), out);
}

static dunlin_status one_text(dn_bs_rows *rows, sqlite3_stmt *statement, dn_bs_text *out)
{
    dunlin_status status = DUNLIN_ERR_NOT_FOUND;
    *out = (dn_bs_text){.document = NULL};
    if (dn_database_row(&rows->database, statement)) {
        status = take_text(rows, statement, out);
    }
    sqlite3_reset(statement);
    return rows->database.failed ? DUNLIN_ERR_STORE : status;
}

dunlin_status dn_bs_rows_find(dn_bs_rows *rows, dunlin_slice endpoint, dn_bs_text *out)
{
    dn_database_bind_bytes(rows->find, 1, endpoint);
    return one_text(rows, rows->find, out);
}

dunlin_status dn_bs_rows_entry(dn_bs_rows *rows, dunlin_slice endpoint, dn_bs_name *out)
{
    dunlin_status status = DUNLIN_ERR_NOT_FOUND;
    dn_database_bind_bytes(rows->entry, 1, endpoint);
    if (dn_database_row(&rows->database, rows->entry)) {
        status = take_name(rows->entry, out) ? DUNLIN_OK : DUNLIN_ERR_STORE;
        if (status != DUNLIN_OK) {
            strange(rows);
        }
    }
    sqlite3_reset(rows->entry);
    return rows->database.failed ? DUNLIN_ERR_STORE : status;
}

dunlin_status dn_bs_rows_version(dn_bs_rows *rows, const dn_bs_name *name, uint32_t version, dn_bs_text *out)
{
    sqlite3_bind_int64(rows->version, 1, (sqlite3_int64)name->number);
    sqlite3_bind_int64(rows->version, 2, version);
    return one_text(rows, rows->version, out);
}

static size_t many(dn_bs_rows *rows, sqlite3_stmt *statement, dn_bs_text *out)
{
    size_t count = 0;
    while (dn_database_row(&rows->database, statement)) {
        if (take_version(statement, &out[count])) {
            count++;
        } else {
            strange(rows);
        }
    }
    sqlite3_reset(statement);
    return count;
}

size_t dn_bs_rows_versions(dn_bs_rows *rows, const dn_bs_name *name, size_t limit, dn_bs_text *out)
{
    sqlite3_bind_int64(rows->versions, 1, (sqlite3_int64)name->number);
    sqlite3_bind_int64(rows->versions, 2, (sqlite3_int64)limit);
    return many(rows, rows->versions, out);
}

size_t dn_bs_rows_list(dn_bs_rows *rows, dunlin_slice after, dunlin_slice substring, size_t limit,
                       dn_bs_text *out)
{
    sqlite3_stmt *s = substring.len > 0 ? rows->list : rows->list_all;
    dn_database_bind_bytes(s, 1, after);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)limit);
    if (substring.len > 0) {
        dn_database_bind_bytes(s, 3, substring);
    }
    return many(rows, s, out);
}

bool dn_bs_rows_patterns(dn_bs_rows *rows, bool (*take)(void *context, const dn_bs_name *name), void *context)
{
    dn_bs_name name;
    while (dn_database_row(&rows->database, rows->patterns)) {
        if (!take_name(rows->patterns, &name)) {
            strange(rows);
        } else if (!take(context, &name)) {
            dn_database_fail(&rows->database, "no memory for patterns");
        }
    }
    sqlite3_reset(rows->patterns);
    return !rows->database.failed;
}

/* ---- changes ---- */

bool dn_bs_rows_begin(dn_bs_rows *rows)
{
    return dn_database_run(&rows->database, rows->begin);
}

bool dn_bs_rows_commit(dn_bs_rows *rows)
{
    return dn_database_run(&rows->database, rows->commit);
}

static bool write_name(dn_bs_rows *rows, dn_bs_name *name)
{
    sqlite3_stmt *s = rows->set;
    if (name->number == 0) {
        s = rows->insert;
        dn_database_bind_bytes(s, 1, dunlin_slice_make(name->endpoint, name->endpoint_len));
        sqlite3_bind_int(s, 2, name->is_pattern ? 1 : 0);
        sqlite3_bind_int64(s, 3, name->version);
        sqlite3_bind_int(s, 4, name->is_removed ? 1 : 0);
        sqlite3_bind_int64(s, 5, (sqlite3_int64)name->created_ms);
    } else {
        sqlite3_bind_int64(s, 1, name->version);
        sqlite3_bind_int(s, 2, name->is_removed ? 1 : 0);
        sqlite3_bind_int64(s, 3, (sqlite3_int64)name->created_ms);
        sqlite3_bind_int64(s, 4, (sqlite3_int64)name->number);
    }
    if (!dn_database_run(&rows->database, s)) {
        return false;
    }
    if (name->number == 0) {
        name->number = (uint64_t)sqlite3_last_insert_rowid(rows->database.sqlite);
    }
    return true;
}

/* `text` sealed with the newest key; allocated. */
static uint8_t *seal_now(dn_bs_rows *rows, dn_bs_text *text, dunlin_slice document)
{
    uint8_t said[ABOUT_MAX];
    uint8_t *sealed = malloc(document.len + DN_SEAL_EXTRA);
    if (sealed == NULL) {
        dn_database_fail(&rows->database, "no memory for a bootstrap configuration");
        return NULL;
    }
    if (dn_seal_close(rows->seal, about(text, said), document, sealed, &text->seal) != DUNLIN_OK) {
        dn_database_fail(&rows->database, "sealing failed: the system gives no random numbers");
        free(sealed);
        return NULL;
    }
    return sealed;
}

bool dn_bs_rows_add(dn_bs_rows *rows, dn_bs_name *name, int64_t changed_ms, dunlin_slice document,
                    uint32_t kept)
{
    dn_bs_text text = {
        .version = name->version, .changed_ms = changed_ms, .is_removed = name->is_removed, .of = *name};
    uint8_t *sealed = seal_now(rows, &text, document);
    if (sealed == NULL) {
        return false;
    }
    bool ok = write_name(rows, name);
    sqlite3_stmt *s = rows->add_version;
    sqlite3_bind_int64(s, 1, (sqlite3_int64)name->number);
    sqlite3_bind_int64(s, 2, text.version);
    sqlite3_bind_int(s, 3, text.is_removed ? 1 : 0);
    sqlite3_bind_int64(s, 4, (sqlite3_int64)changed_ms);
    sqlite3_bind_int64(s, 5, (sqlite3_int64)text.seal);
    dn_database_bind_bytes(s, 6, dunlin_slice_make(sealed, document.len + DN_SEAL_EXTRA));
    ok = ok && dn_database_run(&rows->database, s);
    free(sealed);
    sqlite3_bind_int64(rows->drop_versions, 1, (sqlite3_int64)name->number);
    sqlite3_bind_int64(rows->drop_versions, 2, (sqlite3_int64)name->version - kept);
    return ok && dn_database_run(&rows->database, rows->drop_versions);
}

bool dn_bs_rows_count(dn_bs_rows *rows, uint64_t count, uint64_t generation)
{
    sqlite3_bind_int64(rows->count, 1, (sqlite3_int64)count);
    sqlite3_bind_int64(rows->count, 2, (sqlite3_int64)generation);
    return dn_database_run(&rows->database, rows->count);
}

/* ---- sealing keys ---- */

uint64_t dn_bs_rows_next_seal(dn_bs_rows *rows, uint64_t after)
{
    uint64_t number = 0;
    sqlite3_bind_int64(rows->next_seal, 1, (sqlite3_int64)after);
    if (dn_database_row(&rows->database, rows->next_seal)) {
        number = (uint64_t)sqlite3_column_int64(rows->next_seal, 0);
    }
    sqlite3_reset(rows->next_seal);
    return number;
}

bool dn_bs_rows_reseal_next(dn_bs_rows *rows, uint64_t seal, uint64_t *at, bool *ok)
{
    dn_bs_text text = {.document = NULL};
    sqlite3_stmt *s = rows->sealed_by;
    sqlite3_bind_int64(s, 1, (sqlite3_int64)seal);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)*at);
    if (!dn_database_row(&rows->database, s)) {
        return false;
    }
    *at = (uint64_t)sqlite3_column_int64(s, TEXT_AT);
    *ok = take_text(rows, s, &text) == DUNLIN_OK;
    sqlite3_reset(s);
    if (!*ok) {
        return true;
    }
    uint8_t *sealed = seal_now(rows, &text, dunlin_slice_make(text.document, text.document_len));
    if (sealed != NULL) {
        sqlite3_bind_int64(rows->reseal, 1, (sqlite3_int64)text.seal);
        dn_database_bind_bytes(rows->reseal, 2, dunlin_slice_make(sealed, text.document_len + DN_SEAL_EXTRA));
        sqlite3_bind_int64(rows->reseal, 3, (sqlite3_int64)text.number);
        *ok = dn_database_run(&rows->database, rows->reseal);
        free(sealed);
    }
    dn_bs_text_free(&text);
    return !rows->database.failed;
}
