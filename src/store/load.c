/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading takes three steps: gather the journal into overlays, give the rows that the journal does not
 * replace, give the records that stand in the journal.
 */
#include "store/load.h"

#include "store/overlay.h"

typedef struct {
    dn_rows *rows;
    dn_journal *journal;
    dn_sweep *sweep;
    const dn_store_loader *loader;
    dn_load_bounds *bounds;
    dn_overlay registrations, values;
    dunlin_status status; /* of the loader, when it ended a reading of the journal */
} loading;

/* ---- gathering ---- */

static void raise_bound(uint32_t *bound, uint32_t number)
{
    if (number >= *bound) {
        *bound = number + 1;
    }
}

static bool gather(void *context, int64_t sequence, uint32_t offset, const dn_change *change)
{
    loading *l = context;
    uint32_t number = 0;
    bool ok = false;
    bool of_value = change->type == DN_CHANGE_VALUE || change->type == DN_CHANGE_DROP_VALUE;
    switch (change->type) {
    case DN_CHANGE_REGISTRATION:
        number = change->as.registration.slot;
        ok = dn_overlay_put(&l->registrations, number, sequence, offset);
        break;
    case DN_CHANGE_TOUCH:
        number = change->as.touch.slot;
        ok = dn_overlay_touch(&l->registrations, number, change->as.touch.updated_ms);
        break;
    case DN_CHANGE_DROP_REGISTRATION:
        number = change->as.number;
        ok = dn_overlay_drop(&l->registrations, number);
        break;
    case DN_CHANGE_VALUE:
        number = change->as.value.observation;
        ok = dn_overlay_put(&l->values, number, sequence, offset);
        break;
    case DN_CHANGE_DROP_VALUE:
        number = change->as.number;
        ok = dn_overlay_drop(&l->values, number);
        break;
    default:
        return dn_database_fail(l->journal->database,
                                "the database is damaged: the journal holds a change of type %d",
                                (int)change->type);
    }
    if (!ok || !dn_dirty_add(of_value ? &l->sweep->values : &l->sweep->registrations, number)) {
        return dn_database_fail(l->journal->database,
                                "no memory for the journal, or it is damaged (number %u)", number);
    }
    raise_bound(of_value ? &l->bounds->values : &l->bounds->slots, number);
    return true;
}

/* ---- giving ---- */

/* True when the table's row stands, perhaps with a newer time. */
static bool row_stands(const dn_overlay *overlay, uint32_t number)
{
    const dn_overlay_entry *entry = dn_overlay_at(overlay, number);
    return entry == NULL || entry->kind == DN_OVERLAY_NONE;
}

static dunlin_status give_registration_row(loading *l, sqlite3_stmt *query)
{
    dn_store_registration registration;
    if (!dn_rows_read_registration(l->rows, query, &registration)) {
        return DUNLIN_ERR_STORE;
    }
    raise_bound(&l->bounds->slots, registration.slot);
    if (!row_stands(&l->registrations, registration.slot)) {
        return DUNLIN_OK;
    }
    const dn_overlay_entry *entry = dn_overlay_at(&l->registrations, registration.slot);
    if (entry != NULL && entry->touched) {
        registration.updated_ms = entry->touched_ms;
    }
    return l->loader->registration(l->loader->context, &registration);
}

static dunlin_status give_value_row(loading *l, sqlite3_stmt *query)
{
    dn_store_value value;
    if (!dn_rows_read_value(l->rows, query, &value)) {
        return DUNLIN_ERR_STORE;
    }
    raise_bound(&l->bounds->values, value.observation);
    return row_stands(&l->values, value.observation) ? l->loader->value(l->loader->context, &value)
                                                     : DUNLIN_OK;
}

static dunlin_status give_observation_row(loading *l, sqlite3_stmt *query)
{
    dn_store_observation observation;
    if (!dn_rows_read_observation(l->rows, query, &observation)) {
        return DUNLIN_ERR_STORE;
    }
    return l->loader->observation(l->loader->context, &observation);
}

static dunlin_status give_request_row(loading *l, sqlite3_stmt *query)
{
    dn_store_request request;
    if (!dn_rows_read_request(l->rows, query, &request)) {
        return DUNLIN_ERR_STORE;
    }
    return l->loader->request(l->loader->context, &request);
}

static dunlin_status give_request_ids_row(loading *l, sqlite3_stmt *query)
{
    return l->loader->request_ids(l->loader->context, (uint64_t)sqlite3_column_int64(query, 0));
}

static dunlin_status give_links_row(loading *l, sqlite3_stmt *query)
{
    uint32_t number;
    if (!dn_rows_read_number(l->rows, query, &number)) {
        return DUNLIN_ERR_STORE;
    }
    return l->loader->links(l->loader->context, number, dn_database_column(query, 1));
}

static dunlin_status give_table(loading *l, const char *sql,
                                dunlin_status (*give)(loading *l, sqlite3_stmt *query))
{
    dn_database *database = l->rows->database;
    sqlite3_stmt *query = dn_database_prepare(database, sql);
    dunlin_status status = DUNLIN_OK;
    while (query != NULL && status == DUNLIN_OK && dn_database_row(database, query)) {
        status = give(l, query);
    }
    sqlite3_finalize(query);
    return status == DUNLIN_OK && database->failed ? DUNLIN_ERR_STORE : status;
}

/* True when `entry` says that the newest record of its number stands at this place. */
static bool stands_at(const dn_overlay_entry *entry, int64_t sequence, uint32_t offset)
{
    return entry != NULL && entry->kind == DN_OVERLAY_PUT && entry->sequence == sequence &&
           entry->offset == offset;
}

static bool give_journalled_registration(void *context, int64_t sequence, uint32_t offset,
                                         const dn_change *change)
{
    loading *l = context;
    if (change->type != DN_CHANGE_REGISTRATION) {
        return true;
    }
    dn_store_registration registration = change->as.registration;
    const dn_overlay_entry *entry = dn_overlay_at(&l->registrations, registration.slot);
    if (!stands_at(entry, sequence, offset)) {
        return true;
    }
    if (entry->touched) {
        registration.updated_ms = entry->touched_ms;
    }
    l->status = l->loader->registration(l->loader->context, &registration);
    return l->status == DUNLIN_OK;
}

static bool give_journalled_value(void *context, int64_t sequence, uint32_t offset, const dn_change *change)
{
    loading *l = context;
    if (change->type != DN_CHANGE_VALUE ||
        !stands_at(dn_overlay_at(&l->values, change->as.value.observation), sequence, offset)) {
        return true;
    }
    l->status = l->loader->value(l->loader->context, &change->as.value);
    return l->status == DUNLIN_OK;
}

/* In the journal's order, not by number: it is read from end to end instead of looked into here and there. */
static dunlin_status give_journalled(loading *l, bool (*give)(void *context, int64_t sequence,
                                                              uint32_t offset, const dn_change *change))
{
    l->status = DUNLIN_OK;
    bool ok = dn_journal_read(l->journal, give, l);
    return l->status != DUNLIN_OK ? l->status : ok ? DUNLIN_OK : DUNLIN_ERR_STORE;
}

static dunlin_status give_all(loading *l)
{
    dunlin_status status = give_table(l, dn_rows_links_sql, give_links_row);
    if (status == DUNLIN_OK) {
        status = give_table(l, dn_rows_registration_sql, give_registration_row);
    }
    if (status == DUNLIN_OK) {
        status = give_journalled(l, give_journalled_registration);
    }
    if (status == DUNLIN_OK) {
        status = give_table(l, dn_rows_observation_sql, give_observation_row);
    }
    if (status == DUNLIN_OK) {
        status = give_table(l, dn_rows_value_sql, give_value_row);
    }
    if (status == DUNLIN_OK) {
        status = give_journalled(l, give_journalled_value);
    }
    if (status == DUNLIN_OK) {
        status = give_table(l, dn_rows_request_sql, give_request_row);
    }
    if (status == DUNLIN_OK) {
        status = give_table(l, dn_rows_request_ids_sql, give_request_ids_row);
    }
    return status;
}

dunlin_status dn_load(dn_rows *rows, dn_journal *journal, dn_sweep *sweep, const dn_store_loader *loader,
                      dn_load_bounds *bounds)
{
    loading l = {.rows = rows, .journal = journal, .sweep = sweep, .loader = loader, .bounds = bounds};
    *bounds = (dn_load_bounds){0};
    dunlin_status status = dn_journal_read(journal, gather, &l) ? give_all(&l) : DUNLIN_ERR_STORE;
    dn_overlay_free(&l.registrations);
    dn_overlay_free(&l.values);
    return status;
}
