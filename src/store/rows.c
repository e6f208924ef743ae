/* SPDX-License-Identifier: Apache-2.0 */
/* Statements of the tables, what is bound to them, and how their rows are read. */
#include "store/rows.h"

#include <string.h>

const char dn_rows_links_sql[] = "SELECT number, text FROM links ORDER BY number";
const char dn_rows_registration_sql[] =
    "SELECT slot, id, endpoint, peer, lifetime_s, registered_ms, updated_ms, links, version,"
    " binding, flags, sms FROM registration ORDER BY slot";
const char dn_rows_observation_sql[] =
    "SELECT number, endpoint, path, format, since_ms, token, paths FROM observation ORDER BY number";
const char dn_rows_value_sql[] =
    "SELECT observation, received_ms, code, format, payload FROM value ORDER BY observation";
const char dn_rows_request_sql[] =
    "SELECT number, id, endpoint, method, path, query, content_format, accept, auto_accept, package, body,"
    " created_ms, expires_ms, state, attempts, ended_ms, status, code, format, location, payload"
    " FROM request LEFT JOIN progress ON progress.request = request.number ORDER BY number";
const char dn_rows_request_ids_sql[] = "SELECT value FROM counter WHERE name='request ids'";

bool dn_rows_open(dn_rows *rows, dn_database *database)
{
    *rows = (dn_rows){.database = database};
    rows->put_links = dn_database_prepare(database, "REPLACE INTO links VALUES(?1,?2)");
    rows->drop_links = dn_database_prepare(database, "DELETE FROM links WHERE number=?1");
    rows->put_registration = dn_database_prepare(
        database, "REPLACE INTO registration VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)");
    rows->drop_registration = dn_database_prepare(database, "DELETE FROM registration WHERE slot=?1");
    rows->put_observation =
        dn_database_prepare(database, "REPLACE INTO observation VALUES(?1,?2,?3,?4,?5,?6,?7)");
    rows->drop_observation = dn_database_prepare(database, "DELETE FROM observation WHERE number=?1");
    rows->put_value = dn_database_prepare(database, "REPLACE INTO value VALUES(?1,?2,?3,?4,?5)");
    rows->drop_value = dn_database_prepare(database, "DELETE FROM value WHERE observation=?1");
    rows->put_request = dn_database_prepare(
        database, "REPLACE INTO request VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)");
    rows->drop_request = dn_database_prepare(database, "DELETE FROM request WHERE number=?1");
    rows->put_progress =
        dn_database_prepare(database, "REPLACE INTO progress VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)");
    rows->drop_progress = dn_database_prepare(database, "DELETE FROM progress WHERE request=?1");
    rows->put_request_ids = dn_database_prepare(database, "REPLACE INTO counter VALUES('request ids',?1)");
    return !database->failed;
}

void dn_rows_close(dn_rows *rows)
{
    sqlite3_stmt *statements[] = {rows->put_links,         rows->drop_links,      rows->put_registration,
                                  rows->drop_registration, rows->put_observation, rows->drop_observation,
                                  rows->put_value,         rows->drop_value,      rows->put_request,
                                  rows->drop_request,      rows->put_progress,    rows->drop_progress,
                                  rows->put_request_ids};
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        sqlite3_finalize(statements[i]);
    }
    *rows = (dn_rows){0};
}

/* ---- writing ---- */

static bool drop(dn_rows *rows, sqlite3_stmt *statement, uint32_t number)
{
    sqlite3_bind_int64(statement, 1, number);
    return dn_database_run(rows->database, statement);
}

bool dn_rows_put_links(dn_rows *rows, uint32_t number, dunlin_slice text)
{
    sqlite3_bind_int64(rows->put_links, 1, number);
    dn_database_bind_text(rows->put_links, 2, text);
    return dn_database_run(rows->database, rows->put_links);
}

bool dn_rows_drop_links(dn_rows *rows, uint32_t number)
{
    return drop(rows, rows->drop_links, number);
}

bool dn_rows_put_registration(dn_rows *rows, const dn_store_registration *r)
{
    sqlite3_stmt *put = rows->put_registration;
    sqlite3_bind_int64(put, 1, r->slot);
    sqlite3_bind_int64(put, 2, (int64_t)r->id);
    dn_database_bind_text(put, 3, r->endpoint);
    dn_database_bind_bytes(put, 4, dunlin_slice_make(r->peer.bytes, r->peer.len));
    sqlite3_bind_int64(put, 5, r->lifetime_s);
    sqlite3_bind_int64(put, 6, r->registered_ms);
    sqlite3_bind_int64(put, 7, r->updated_ms);
    sqlite3_bind_int64(put, 8, r->links);
    sqlite3_bind_int(put, 9, r->version_major << 8 | r->version_minor);
    sqlite3_bind_int(put, 10, r->binding);
    sqlite3_bind_int(put, 11, r->flags);
    if (r->sms.len > 0) {
        dn_database_bind_text(put, 12, r->sms);
    } else {
        sqlite3_bind_null(put, 12);
    }
    return dn_database_run(rows->database, put);
}

bool dn_rows_drop_registration(dn_rows *rows, uint32_t slot)
{
    return drop(rows, rows->drop_registration, slot);
}

bool dn_rows_put_observation(dn_rows *rows, const dn_store_observation *o)
{
    sqlite3_stmt *put = rows->put_observation;
    char path[DUNLIN_PATH_TEXT_MAX + 1];
    size_t path_len = dunlin_path_format(o->path, path);
    sqlite3_bind_int64(put, 1, o->number);
    dn_database_bind_text(put, 2, o->endpoint);
    dn_database_bind_text(put, 3, dunlin_slice_make(path, path_len));
    sqlite3_bind_int(put, 4, o->format);
    sqlite3_bind_int64(put, 5, o->since_ms);
    sqlite3_bind_int64(put, 6, (int64_t)o->token);
    dn_database_bind_text(put, 7, o->paths);
    return dn_database_run(rows->database, put);
}

bool dn_rows_drop_observation(dn_rows *rows, uint32_t number)
{
    return drop(rows, rows->drop_observation, number);
}

bool dn_rows_put_value(dn_rows *rows, const dn_store_value *v)
{
    sqlite3_stmt *put = rows->put_value;
    sqlite3_bind_int64(put, 1, v->observation);
    sqlite3_bind_int64(put, 2, v->received_ms);
    sqlite3_bind_int(put, 3, v->code);
    sqlite3_bind_int(put, 4, v->format);
    dn_database_bind_bytes(put, 5, v->payload);
    return dn_database_run(rows->database, put);
}

bool dn_rows_drop_value(dn_rows *rows, uint32_t observation)
{
    return drop(rows, rows->drop_value, observation);
}

bool dn_rows_put_progress(dn_rows *rows, const dn_store_progress *p)
{
    sqlite3_stmt *put = rows->put_progress;
    sqlite3_bind_int64(put, 1, p->request);
    sqlite3_bind_int(put, 2, p->state);
    sqlite3_bind_int64(put, 3, p->attempts);
    sqlite3_bind_int64(put, 4, p->ended_ms);
    sqlite3_bind_int(put, 5, p->status);
    sqlite3_bind_int(put, 6, p->code);
    sqlite3_bind_int(put, 7, p->format);
    dn_database_bind_text(put, 8, p->location);
    dn_database_bind_bytes(put, 9, p->payload);
    return dn_database_run(rows->database, put);
}

bool dn_rows_put_request(dn_rows *rows, const dn_store_request *r)
{
    sqlite3_stmt *put = rows->put_request;
    char path[DUNLIN_PATH_TEXT_MAX + 1];
    size_t path_len = dunlin_path_format(r->path, path);
    sqlite3_bind_int64(put, 1, r->number);
    sqlite3_bind_int64(put, 2, (int64_t)r->id);
    dn_database_bind_text(put, 3, r->endpoint);
    sqlite3_bind_int(put, 4, r->method);
    dn_database_bind_text(put, 5, dunlin_slice_make(path, path_len));
    dn_database_bind_text(put, 6, r->query);
    sqlite3_bind_int(put, 7, r->content_format);
    sqlite3_bind_int(put, 8, r->accept);
    sqlite3_bind_int(put, 9, r->auto_accept);
    dn_database_bind_text(put, 10, r->package);
    dn_database_bind_bytes(put, 11, r->body);
    sqlite3_bind_int64(put, 12, r->created_ms);
    sqlite3_bind_int64(put, 13, r->expires_ms);
    return dn_database_run(rows->database, put) && dn_rows_put_progress(rows, &r->progress);
}

bool dn_rows_drop_request(dn_rows *rows, uint32_t number)
{
    return drop(rows, rows->drop_request, number) && drop(rows, rows->drop_progress, number);
}

bool dn_rows_put_request_ids(dn_rows *rows, uint64_t bound)
{
    sqlite3_bind_int64(rows->put_request_ids, 1, (int64_t)bound);
    return dn_database_run(rows->database, rows->put_request_ids);
}

/* ---- reading ---- */

bool dn_rows_read_number(dn_rows *rows, sqlite3_stmt *query, uint32_t *number)
{
    int64_t wide = sqlite3_column_int64(query, 0);
    if (wide < 0 || wide >= DN_SLOT_NONE) {
        return dn_database_fail(rows->database, "the database is damaged: %s gives the number %lld",
                                sqlite3_sql(query), (long long)wide);
    }
    *number = (uint32_t)wide;
    return true;
}

bool dn_rows_read_registration(dn_rows *rows, sqlite3_stmt *query, dn_store_registration *out)
{
    *out = (dn_store_registration){0};
    if (!dn_rows_read_number(rows, query, &out->slot)) {
        return false;
    }
    dunlin_slice peer = dn_database_column(query, 3);
    if (peer.len > DN_PEER_MAX) {
        return dn_database_fail(rows->database,
                                "the database is damaged: registration %u has an address of %zu bytes",
                                out->slot, peer.len);
    }
    if (peer.len > 0) {
        out->peer.len = (uint8_t)peer.len;
        memcpy(out->peer.bytes, peer.data, peer.len);
    }
    int version = sqlite3_column_int(query, 8);
    out->id = (uint64_t)sqlite3_column_int64(query, 1);
    out->endpoint = dn_database_column(query, 2);
    out->lifetime_s = (uint32_t)sqlite3_column_int64(query, 4);
    out->registered_ms = sqlite3_column_int64(query, 5);
    out->updated_ms = sqlite3_column_int64(query, 6);
    out->links = (uint32_t)sqlite3_column_int64(query, 7);
    out->version_major = (uint8_t)(version >> 8);
    out->version_minor = (uint8_t)version;
    out->binding = (uint8_t)sqlite3_column_int(query, 9);
    out->flags = (uint8_t)sqlite3_column_int(query, 10);
    out->sms = dn_database_column(query, 11);
    return true;
}

bool dn_rows_read_observation(dn_rows *rows, sqlite3_stmt *query, dn_store_observation *out)
{
    *out = (dn_store_observation){0};
    if (!dn_rows_read_number(rows, query, &out->number)) {
        return false;
    }
    if (dunlin_path_parse(dn_database_column(query, 2), &out->path) != DUNLIN_OK) {
        return dn_database_fail(rows->database, "the database is damaged: observation %u has no valid path",
                                out->number);
    }
    out->endpoint = dn_database_column(query, 1);
    out->format = (uint16_t)sqlite3_column_int(query, 3);
    out->since_ms = sqlite3_column_int64(query, 4);
    out->token = (uint64_t)sqlite3_column_int64(query, 5);
    out->paths = dn_database_column(query, 6);
    return true;
}

bool dn_rows_read_value(dn_rows *rows, sqlite3_stmt *query, dn_store_value *out)
{
    *out = (dn_store_value){0};
    if (!dn_rows_read_number(rows, query, &out->observation)) {
        return false;
    }
    out->received_ms = sqlite3_column_int64(query, 1);
    out->code = (uint8_t)sqlite3_column_int(query, 2);
    out->format = (uint16_t)sqlite3_column_int(query, 3);
    out->payload = dn_database_column(query, 4);
    return true;
}

bool dn_rows_read_request(dn_rows *rows, sqlite3_stmt *query, dn_store_request *out)
{
    *out = (dn_store_request){0};
    if (!dn_rows_read_number(rows, query, &out->number)) {
        return false;
    }
    if (dunlin_path_parse(dn_database_column(query, 4), &out->path) != DUNLIN_OK) {
        return dn_database_fail(rows->database, "the database is damaged: request %u has no valid path",
                                out->number);
    }
    if (sqlite3_column_type(query, 13) == SQLITE_NULL) {
        return dn_database_fail(rows->database, "the database is damaged: request %u has no state",
                                out->number);
    }
    out->id = (uint64_t)sqlite3_column_int64(query, 1);
    out->endpoint = dn_database_column(query, 2);
    out->method = (uint8_t)sqlite3_column_int(query, 3);
    out->query = dn_database_column(query, 5);
    out->content_format = (uint16_t)sqlite3_column_int(query, 6);
    out->accept = (uint16_t)sqlite3_column_int(query, 7);
    out->auto_accept = sqlite3_column_int(query, 8) != 0;
    out->package = dn_database_column(query, 9);
    out->body = dn_database_column(query, 10);
    out->created_ms = sqlite3_column_int64(query, 11);
    out->expires_ms = sqlite3_column_int64(query, 12);
    out->progress = (dn_store_progress){.request = out->number,
                                        .state = (uint8_t)sqlite3_column_int(query, 13),
                                        .attempts = (uint32_t)sqlite3_column_int64(query, 14),
                                        .ended_ms = sqlite3_column_int64(query, 15),
                                        .status = (dunlin_status)sqlite3_column_int(query, 16),
                                        .code = (uint8_t)sqlite3_column_int(query, 17),
                                        .format = (uint16_t)sqlite3_column_int(query, 18),
                                        .location = dn_database_column(query, 19),
                                        .payload = dn_database_column(query, 20)};
    return true;
}
