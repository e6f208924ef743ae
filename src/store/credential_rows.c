/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials as rows of SQLite; see credential_rows.h. */
#include "store/credential_rows.h"

#include "store/private_database.h"

#include <string.h>

#include <gnutls/gnutls.h>

/* Endpoints and names are blobs so that they compare byte by byte. `sequence` gives numbers and generations. */
static const char *const steps[] = {
    "CREATE TABLE credential(number INTEGER PRIMARY KEY, generation INTEGER NOT NULL, mode INTEGER NOT NULL,"
    " pattern INTEGER NOT NULL, endpoint BLOB NOT NULL, identity BLOB, public_key BLOB, name BLOB,"
    " fingerprint BLOB, key_len INTEGER NOT NULL, created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,"
    " seal INTEGER NOT NULL, sealed BLOB NOT NULL);"
    "CREATE UNIQUE INDEX credential_endpoint ON credential(endpoint);"
    "CREATE UNIQUE INDEX credential_identity ON credential(identity) WHERE identity IS NOT NULL;"
    "CREATE UNIQUE INDEX credential_public_key ON credential(public_key) WHERE public_key IS NOT NULL;"
    "CREATE INDEX credential_name ON credential(name) WHERE name IS NOT NULL;"
    "CREATE INDEX credential_fingerprint ON credential(fingerprint) WHERE fingerprint IS NOT NULL;"
    "CREATE INDEX credential_pattern ON credential(pattern) WHERE pattern=1;"
    "CREATE INDEX credential_seal ON credential(seal);"
    "CREATE TABLE sequence(next INTEGER NOT NULL);"
    "INSERT INTO sequence VALUES(1);",

    /* 2: a staged one stands beside the current one of its endpoint. */
    "ALTER TABLE credential ADD COLUMN staged INTEGER NOT NULL DEFAULT 0;"
    "DROP INDEX credential_endpoint;"
    "CREATE UNIQUE INDEX credential_endpoint ON credential(endpoint) WHERE staged=0;"
    "CREATE UNIQUE INDEX credential_staged ON credential(endpoint) WHERE staged=1;",
};
static const dn_schema schema = {.application_id = 0x446e4372, /* "DnCr" */
                                 .what = "credentials",
                                 .steps = steps,
                                 .version = sizeof steps / sizeof steps[0]};

#define COLUMNS                                                                                        \
    "number,generation,mode,pattern,endpoint,identity,public_key,name,fingerprint,key_len,created_ms," \
    "changed_ms,seal,sealed,staged"
#define SELECT "SELECT " COLUMNS " FROM credential "

static void prepare(dn_credential_rows *rows)
{
    dn_database *d = &rows->database;
    rows->find[DN_ROW_BY_ENDPOINT] = dn_database_prepare(d, SELECT "WHERE endpoint=? AND staged=0");
    rows->find[DN_ROW_BY_STAGED] = dn_database_prepare(d, SELECT "WHERE endpoint=? AND staged=1");
    rows->find[DN_ROW_BY_IDENTITY] = dn_database_prepare(d, SELECT "WHERE identity=?");
    rows->find[DN_ROW_BY_PUBLIC_KEY] = dn_database_prepare(d, SELECT "WHERE public_key=?");
    rows->find[DN_ROW_BY_FINGERPRINT] = dn_database_prepare(d, SELECT "WHERE fingerprint=? ORDER BY number");
    rows->find[DN_ROW_BY_NAME] = dn_database_prepare(d, SELECT "WHERE name=? ORDER BY number");
    rows->generation = dn_database_prepare(d, "SELECT generation FROM credential WHERE number=?");
    rows->exists = dn_database_prepare(d, "SELECT 1 FROM credential WHERE endpoint=? AND staged=0");
    rows->list_all = dn_database_prepare(d, SELECT "WHERE staged=0 AND endpoint>? ORDER BY endpoint LIMIT ?");
    rows->list = dn_database_prepare(
        d, SELECT "WHERE staged=0 AND endpoint>?1 AND instr(endpoint,?3)>0 ORDER BY endpoint LIMIT ?2");
    rows->patterns = dn_database_prepare(d, SELECT "WHERE pattern=1 AND staged=0");
    rows->staged = dn_database_prepare(d, "SELECT number FROM credential WHERE staged=1");
    rows->by_number = dn_database_prepare(d, SELECT "WHERE number=?");
    rows->promote =
        dn_database_prepare(d, "UPDATE credential SET staged=0, created_ms=?, changed_ms=? WHERE number=?");
    rows->next_seal = dn_database_prepare(d, "SELECT min(seal) FROM credential WHERE seal>?");
    rows->sealed_by = dn_database_prepare(d, SELECT "WHERE seal=? AND number>? ORDER BY number LIMIT ?");
    rows->begin = dn_database_prepare(d, "BEGIN IMMEDIATE");
    rows->hold = dn_database_prepare(d, "BEGIN");
    rows->commit = dn_database_prepare(d, "COMMIT");
    rows->rollback = dn_database_prepare(d, "ROLLBACK");
    rows->insert =
        dn_database_prepare(d, "INSERT INTO credential(" COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    rows->remove = dn_database_prepare(d, "DELETE FROM credential WHERE number=?");
    rows->next = dn_database_prepare(d, "SELECT next FROM sequence");
    rows->set_next = dn_database_prepare(d, "UPDATE sequence SET next=?");
    rows->reseal = dn_database_prepare(d, "UPDATE credential SET seal=?, sealed=? WHERE number=?");
}

bool dn_credential_rows_open(dn_credential_rows *rows, const char *path, uint32_t cache_kib,
                             uint64_t map_bytes)
{
    dn_seal *seal = rows->seal;
    *rows = (dn_credential_rows){.seal = seal};
    if (!dn_private_database_open(&rows->database, &schema, path, cache_kib, map_bytes)) {
        return false;
    }
    prepare(rows);
    if (rows->database.failed) {
        dn_credential_rows_close(rows);
        return false;
    }
    return true;
}

void dn_credential_rows_close(dn_credential_rows *rows)
{
    dn_private_database_close(&rows->database);
}

void dn_credential_rows_settle(dn_credential_rows *rows)
{
    dn_private_database_settle(&rows->database, rows->rollback);
}

void dn_credential_rows_hold(dn_credential_rows *rows)
{
    if (sqlite3_get_autocommit(rows->database.sqlite) != 0) {
        dn_database_run(&rows->database, rows->hold);
    }
}

/* ---- reading ---- */

static bool copy_bytes(sqlite3_stmt *statement, int column, void *out, size_t cap, size_t *len)
{
    const dunlin_slice bytes = dn_database_column(statement, column);
    *len = bytes.len;
    if (bytes.len > cap) {
        return false;
    }
    if (bytes.len > 0) {
        memcpy(out, bytes.data, bytes.len);
    }
    return true;
}

/* False: no program of ours wrote this. */
static bool take_row(sqlite3_stmt *statement, dn_credential_row *row)
{
    dn_credential *c = &row->credential;
    size_t len[6];
    *c = (dn_credential){0};
    bool ok = copy_bytes(statement, 4, c->endpoint, sizeof c->endpoint, &len[0]) &&
              copy_bytes(statement, 5, c->identity, sizeof c->identity, &len[1]) &&
              copy_bytes(statement, 6, c->public_key, sizeof c->public_key, &len[2]) &&
              copy_bytes(statement, 7, c->name, sizeof c->name, &len[3]) &&
              copy_bytes(statement, 8, c->fingerprint, sizeof c->fingerprint, &len[4]) &&
              copy_bytes(statement, 13, row->sealed, sizeof row->sealed, &len[5]);
    const int64_t mode = sqlite3_column_int64(statement, 2);
    const int64_t key_len = sqlite3_column_int64(statement, 9);
    if (!ok || mode < 0 || mode > UINT8_MAX || key_len < 0 || key_len > DN_PSK_KEY_MAX ||
        (len[4] != 0 && len[4] != sizeof c->fingerprint)) {
        return false;
    }
    c->number = (uint64_t)sqlite3_column_int64(statement, 0);
    c->generation = (uint64_t)sqlite3_column_int64(statement, 1);
    c->mode = (uint8_t)mode;
    c->is_pattern = sqlite3_column_int(statement, 3) != 0;
    c->endpoint_len = (uint8_t)len[0];
    c->identity_len = (uint8_t)len[1];
    c->public_key_len = (uint16_t)len[2];
    c->name_len = (uint8_t)len[3];
    c->has_fingerprint = len[4] != 0;
    c->key_len = (uint8_t)key_len;
    c->created_ms = sqlite3_column_int64(statement, 10);
    c->changed_ms = sqlite3_column_int64(statement, 11);
    row->seal = (uint64_t)sqlite3_column_int64(statement, 12);
    row->sealed_len = len[5];
    row->is_staged = sqlite3_column_int(statement, 14) != 0;
    return true;
}

static bool strange(dn_credential_rows *rows)
{
    return dn_database_fail(&rows->database,
                            "a row of the credentials' database was changed by another program");
}

static dunlin_status status_of(const dn_credential_rows *rows, bool found)
{
    if (rows->database.failed) {
        return DUNLIN_ERR_STORE;
    }
    return found ? DUNLIN_OK : DUNLIN_ERR_NOT_FOUND;
}

dunlin_status dn_credential_rows_find(dn_credential_rows *rows, dn_row_key key, dunlin_slice value,
                                      dn_credential_row *row)
{
    sqlite3_stmt *statement = rows->find[key];
    dn_database_bind_bytes(statement, 1, value);
    const bool found = dn_database_row(&rows->database, statement);
    if (found && !take_row(statement, row)) {
        strange(rows);
    }
    sqlite3_reset(statement);
    return status_of(rows, found);
}

dunlin_status dn_credential_rows_numbered(dn_credential_rows *rows, uint64_t number, dn_credential_row *row)
{
    sqlite3_bind_int64(rows->by_number, 1, (sqlite3_int64)number);
    const bool found = dn_database_row(&rows->database, rows->by_number);
    if (found && !take_row(rows->by_number, row)) {
        strange(rows);
    }
    sqlite3_reset(rows->by_number);
    return status_of(rows, found);
}

dunlin_status dn_credential_rows_each(dn_credential_rows *rows, dn_row_key key, dunlin_slice value,
                                      bool (*take)(void *context, const dn_credential_row *row),
                                      void *context)
{
    sqlite3_stmt *statement = rows->find[key];
    dn_credential_row row;
    bool goes_on = true;
    dn_database_bind_bytes(statement, 1, value);
    while (goes_on && dn_database_row(&rows->database, statement)) {
        goes_on = take_row(statement, &row) ? take(context, &row) : strange(rows);
    }
    sqlite3_reset(statement);
    return status_of(rows, true);
}

bool dn_credential_rows_exists(dn_credential_rows *rows, dunlin_slice endpoint)
{
    dn_database_bind_bytes(rows->exists, 1, endpoint);
    const bool found = dn_database_row(&rows->database, rows->exists);
    sqlite3_reset(rows->exists);
    return found;
}

static uint64_t one_number(dn_credential_rows *rows, sqlite3_stmt *statement)
{
    uint64_t number = 0;
    if (dn_database_row(&rows->database, statement)) {
        number = (uint64_t)sqlite3_column_int64(statement, 0);
    }
    sqlite3_reset(statement);
    return number;
}

uint64_t dn_credential_rows_generation(dn_credential_rows *rows, uint64_t number)
{
    sqlite3_bind_int64(rows->generation, 1, (sqlite3_int64)number);
    return one_number(rows, rows->generation);
}

/* ---- seals ---- */

#define ABOUT_MAX \
    (64u + DN_ENDPOINT_NAME_MAX * 2u + DN_PSK_IDENTITY_MAX + DN_PUBLIC_KEY_MAX + DN_FINGERPRINT_LEN + 16u)

static uint8_t *put_number(uint8_t *at, uint64_t number, size_t len)
{
    for (size_t i = len; i > 0; i--) {
        *at++ = (uint8_t)(number >> (8 * (i - 1)));
    }
    return at;
}

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t len)
{
    at = put_number(at, len, 2);
    if (len > 0) {
        memcpy(at, bytes, len);
    }
    return at + len;
}

/* All that a row says and that decides who may do what, so that nobody can put one device's secret in another's row. Whether it is staged
   is not among it: either way it stands for the same endpoint, and so to promote it is to change one number. */
static dunlin_slice about(const dn_credential *c, uint8_t out[ABOUT_MAX])
{
    static const char label[] = "dunlin credential 1";
    uint8_t *at = put_bytes(out, label, sizeof label - 1);
    at = put_number(at, c->number, 8);
    at = put_number(at, c->generation, 8);
    at = put_number(at, c->mode, 1);
    at = put_number(at, c->is_pattern, 1);
    at = put_number(at, c->key_len, 1);
    at = put_bytes(at, c->endpoint, c->endpoint_len);
    at = put_bytes(at, c->identity, c->identity_len);
    at = put_bytes(at, c->public_key, c->public_key_len);
    at = put_bytes(at, c->name, c->name_len);
    at = put_bytes(at, c->fingerprint, c->has_fingerprint ? DN_FINGERPRINT_LEN : 0);
    return dunlin_slice_make(out, (size_t)(at - out));
}

dunlin_status dn_credential_rows_unseal(dn_credential_rows *rows, dn_credential_row *row)
{
    dn_credential *c = &row->credential;
    uint8_t text[ABOUT_MAX];
    dunlin_status status = DUNLIN_ERR_MALFORMED;
    if (row->sealed_len == c->key_len + DN_SEAL_EXTRA) {
        status = dn_seal_break(rows->seal, row->seal, about(c, text),
                               dunlin_slice_make(row->sealed, row->sealed_len), c->key);
    }
    if (status == DUNLIN_OK) {
        return DUNLIN_OK;
    }
    dn_database_fail(
        &rows->database, "the credential of %.*s %s", (int)c->endpoint_len, c->endpoint,
        status == DUNLIN_ERR_NOT_FOUND
            ? "is sealed with a key that is missing"
            : "is not as it was sealed: another program changed its row. Put it again, or remove it");
    return DUNLIN_ERR_STORE;
}

/* Seals a credential with the newest key. */
static bool seal_now(dn_credential_rows *rows, const dn_credential *c, dn_credential_row *row)
{
    uint8_t text[ABOUT_MAX];
    row->sealed_len = c->key_len + DN_SEAL_EXTRA;
    if (dn_seal_close(rows->seal, about(c, text), dunlin_slice_make(c->key, c->key_len), row->sealed,
                      &row->seal) != DUNLIN_OK) {
        return dn_database_fail(&rows->database, "sealing failed: the system gives no random numbers");
    }
    return true;
}

/* ---- changes ---- */

bool dn_credential_rows_begin(dn_credential_rows *rows)
{
    return dn_database_run(&rows->database, rows->begin);
}

bool dn_credential_rows_commit(dn_credential_rows *rows)
{
    return dn_database_run(&rows->database, rows->commit);
}

uint64_t dn_credential_rows_next(dn_credential_rows *rows)
{
    const uint64_t number = one_number(rows, rows->next);
    sqlite3_bind_int64(rows->set_next, 1, (sqlite3_int64)number + 1);
    dn_database_run(&rows->database, rows->set_next);
    return number;
}

/* Absent is NULL: then the indexes know nothing of it. */
static void bind_optional(sqlite3_stmt *statement, int index, const void *bytes, size_t len)
{
    if (len == 0) {
        sqlite3_bind_null(statement, index);
    } else {
        dn_database_bind_bytes(statement, index, dunlin_slice_make(bytes, len));
    }
}

bool dn_credential_rows_insert(dn_credential_rows *rows, const dn_credential *c, bool is_staged)
{
    dn_credential_row row;
    sqlite3_stmt *s = rows->insert;
    if (!seal_now(rows, c, &row)) {
        return false;
    }
    sqlite3_bind_int64(s, 1, (sqlite3_int64)c->number);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)c->generation);
    sqlite3_bind_int(s, 3, c->mode);
    sqlite3_bind_int(s, 4, c->is_pattern ? 1 : 0);
    dn_database_bind_bytes(s, 5, dunlin_slice_make(c->endpoint, c->endpoint_len));
    bind_optional(s, 6, c->identity, c->identity_len);
    bind_optional(s, 7, c->public_key, c->public_key_len);
    bind_optional(s, 8, c->name, c->name_len);
    bind_optional(s, 9, c->fingerprint, c->has_fingerprint ? DN_FINGERPRINT_LEN : 0);
    sqlite3_bind_int(s, 10, c->key_len);
    sqlite3_bind_int64(s, 11, c->created_ms);
    sqlite3_bind_int64(s, 12, c->changed_ms);
    sqlite3_bind_int64(s, 13, (sqlite3_int64)row.seal);
    dn_database_bind_bytes(s, 14, dunlin_slice_make(row.sealed, row.sealed_len));
    sqlite3_bind_int(s, 15, is_staged ? 1 : 0);
    return dn_database_run(&rows->database, s);
}

bool dn_credential_rows_promote(dn_credential_rows *rows, const dn_credential *c)
{
    sqlite3_bind_int64(rows->promote, 1, (sqlite3_int64)c->created_ms);
    sqlite3_bind_int64(rows->promote, 2, (sqlite3_int64)c->changed_ms);
    sqlite3_bind_int64(rows->promote, 3, (sqlite3_int64)c->number);
    return dn_database_run(&rows->database, rows->promote);
}

bool dn_credential_rows_remove(dn_credential_rows *rows, uint64_t number)
{
    sqlite3_bind_int64(rows->remove, 1, (sqlite3_int64)number);
    return dn_database_run(&rows->database, rows->remove);
}

bool dn_credential_rows_reseal(dn_credential_rows *rows, const dn_credential_row *row)
{
    dn_credential_row fresh;
    if (!seal_now(rows, &row->credential, &fresh)) {
        return false;
    }
    sqlite3_bind_int64(rows->reseal, 1, (sqlite3_int64)fresh.seal);
    dn_database_bind_bytes(rows->reseal, 2, dunlin_slice_make(fresh.sealed, fresh.sealed_len));
    sqlite3_bind_int64(rows->reseal, 3, (sqlite3_int64)row->credential.number);
    return dn_database_run(&rows->database, rows->reseal);
}

/* ---- the whole ---- */

uint64_t dn_credential_rows_next_seal(dn_credential_rows *rows, uint64_t after)
{
    sqlite3_bind_int64(rows->next_seal, 1, (sqlite3_int64)after);
    return one_number(rows, rows->next_seal);
}

size_t dn_credential_rows_sealed_by(dn_credential_rows *rows, uint64_t seal, uint64_t after, size_t limit,
                                    dn_credential_row *out)
{
    sqlite3_stmt *s = rows->sealed_by;
    size_t count = 0;
    sqlite3_bind_int64(s, 1, (sqlite3_int64)seal);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)after);
    sqlite3_bind_int64(s, 3, (sqlite3_int64)limit);
    while (dn_database_row(&rows->database, s)) {
        if (!take_row(s, &out[count])) {
            strange(rows);
        } else {
            count++;
        }
    }
    sqlite3_reset(s);
    return count;
}

size_t dn_credential_rows_list(dn_credential_rows *rows, dunlin_slice after, dunlin_slice substring,
                               size_t limit, dn_credential *out)
{
    sqlite3_stmt *s = substring.len > 0 ? rows->list : rows->list_all;
    dn_credential_row row;
    size_t count = 0;
    dn_database_bind_bytes(s, 1, after);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)limit);
    if (substring.len > 0) {
        dn_database_bind_bytes(s, 3, substring);
    }
    while (dn_database_row(&rows->database, s)) {
        if (take_row(s, &row)) {
            out[count++] = row.credential;
        } else {
            strange(rows);
        }
    }
    sqlite3_reset(s);
    return count;
}

bool dn_credential_rows_patterns(dn_credential_rows *rows,
                                 bool (*take)(void *context, const dn_credential *credential), void *context)
{
    dn_credential_row row;
    while (dn_database_row(&rows->database, rows->patterns)) {
        if (!take_row(rows->patterns, &row)) {
            strange(rows);
        } else if (!take(context, &row.credential)) {
            dn_database_fail(&rows->database, "no memory for patterns");
        }
    }
    sqlite3_reset(rows->patterns);
    return !rows->database.failed;
}

bool dn_credential_rows_staged(dn_credential_rows *rows, bool (*take)(void *context, uint64_t number),
                               void *context)
{
    while (dn_database_row(&rows->database, rows->staged)) {
        if (!take(context, (uint64_t)sqlite3_column_int64(rows->staged, 0))) {
            dn_database_fail(&rows->database, "no memory for the credentials that are staged");
        }
    }
    sqlite3_reset(rows->staged);
    return !rows->database.failed;
}
