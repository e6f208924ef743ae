/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory store: tables of encoded records by their number, and the writes since the last commit as
 * one run of bytes that the commit applies.
 */
#include "store/memory.h"

#include "store/change.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MIN 64u

/* In the order of loading. PROGRESS lies over what REQUEST says of it; IDS has one row. */
typedef enum { LINKS, REGISTRATION, OBSERVATION, VALUE, REQUEST, IDS, PROGRESS, TABLES } table_name;

typedef struct {
    uint32_t len; /* 0: no such row */
    uint8_t *data;
} row;

typedef struct {
    row *rows;
    size_t count;
} table;

typedef struct {
    dn_store store;
    pthread_mutex_t mutex; /* guards `tables` against dn_memory_store_snapshot */
    table tables[TABLES];
    dn_bytes pending;
    const char *failure;
} memory_store;

static const char no_memory[] = "no memory";

static memory_store *self(dn_store *store)
{
    return (memory_store *)(void *)store;
}

/* ---- tables ---- */

static void table_drop(table *t, uint32_t number)
{
    if (number < t->count) {
        free(t->rows[number].data);
        t->rows[number] = (row){0, NULL};
    }
}

static bool table_put(table *t, uint32_t number, dunlin_slice record)
{
    if (number >= t->count) {
        size_t count = t->count < ROWS_MIN ? ROWS_MIN : t->count;
        while (count <= number) {
            count *= 2;
        }
        row *rows = realloc(t->rows, count * sizeof *rows);
        if (rows == NULL) {
            return false;
        }
        memset(rows + t->count, 0, (count - t->count) * sizeof *rows);
        t->rows = rows;
        t->count = count;
    }
    uint8_t *data = malloc(record.len);
    if (data == NULL) {
        return false;
    }
    memcpy(data, record.data, record.len);
    table_drop(t, number);
    t->rows[number].len = (uint32_t)record.len;
    t->rows[number].data = data;
    return true;
}

static void tables_free(table tables[TABLES])
{
    for (size_t t = 0; t < TABLES; t++) {
        for (size_t i = 0; i < tables[t].count; i++) {
            free(tables[t].rows[i].data);
        }
        free(tables[t].rows);
        tables[t] = (table){NULL, 0};
    }
}

static bool tables_copy(table to[TABLES], const table from[TABLES])
{
    for (size_t t = 0; t < TABLES; t++) {
        for (size_t i = 0; i < from[t].count; i++) {
            const row *r = &from[t].rows[i];
            if (r->len > 0 && !table_put(&to[t], (uint32_t)i, dunlin_slice_make(r->data, r->len))) {
                return false;
            }
        }
    }
    return true;
}

/* ---- applying ---- */

static bool apply_touch(table *t, uint32_t slot, int64_t updated_ms)
{
    if (slot >= t->count || t->rows[slot].len == 0) {
        return true; /* nothing there to refresh */
    }
    dn_change change;
    dunlin_slice record = dunlin_slice_make(t->rows[slot].data, t->rows[slot].len);
    if (dn_change_next(&record, &change) != DUNLIN_OK) {
        return false;
    }
    change.as.registration.updated_ms = updated_ms;
    dn_bytes bytes = {0};
    bool ok =
        dn_change_append(&bytes, &change) && table_put(t, slot, dunlin_slice_make(bytes.data, bytes.len));
    dn_bytes_free(&bytes);
    return ok;
}

static bool apply(memory_store *s, const dn_change *change, dunlin_slice record)
{
    switch (change->type) {
    case DN_CHANGE_REGISTRATION:
        return table_put(&s->tables[REGISTRATION], change->as.registration.slot, record);
    case DN_CHANGE_TOUCH:
        return apply_touch(&s->tables[REGISTRATION], change->as.touch.slot, change->as.touch.updated_ms);
    case DN_CHANGE_DROP_REGISTRATION:
        table_drop(&s->tables[REGISTRATION], change->as.number);
        return true;
    case DN_CHANGE_VALUE:
        return table_put(&s->tables[VALUE], change->as.value.observation, record);
    case DN_CHANGE_LINKS:
        return table_put(&s->tables[LINKS], change->as.links.number, record);
    case DN_CHANGE_DROP_LINKS:
        table_drop(&s->tables[LINKS], change->as.number);
        return true;
    case DN_CHANGE_OBSERVATION:
        return table_put(&s->tables[OBSERVATION], change->as.observation.number, record);
    case DN_CHANGE_DROP_OBSERVATION:
        table_drop(&s->tables[OBSERVATION], change->as.number);
        table_drop(&s->tables[VALUE], change->as.number);
        return true;
    case DN_CHANGE_DROP_VALUE:
        table_drop(&s->tables[VALUE], change->as.number);
        return true;
    case DN_CHANGE_REQUEST:
        table_drop(&s->tables[PROGRESS], change->as.request.number);
        return table_put(&s->tables[REQUEST], change->as.request.number, record);
    case DN_CHANGE_PROGRESS:
        return table_put(&s->tables[PROGRESS], change->as.progress.request, record);
    case DN_CHANGE_DROP_REQUEST:
        table_drop(&s->tables[REQUEST], change->as.number);
        table_drop(&s->tables[PROGRESS], change->as.number);
        return true;
    case DN_CHANGE_REQUEST_IDS:
        return table_put(&s->tables[IDS], 0, record);
    }
    return false;
}

static dunlin_status memory_commit(dn_store *store)
{
    memory_store *s = self(store);
    if (s->failure != NULL) {
        return DUNLIN_ERR_STORE;
    }
    pthread_mutex_lock(&s->mutex);
    dunlin_slice rest = dunlin_slice_make(s->pending.data, s->pending.len);
    const uint8_t *start = rest.data;
    dn_change change;
    while (s->failure == NULL && dn_change_next(&rest, &change) == DUNLIN_OK) {
        if (!apply(s, &change, dunlin_slice_make(start, (size_t)(rest.data - start)))) {
            s->failure = no_memory;
        }
        start = rest.data;
    }
    pthread_mutex_unlock(&s->mutex);
    s->pending.len = 0;
    return s->failure == NULL ? DUNLIN_OK : DUNLIN_ERR_STORE;
}

/* ---- writing ---- */

static void write_change(dn_store *store, const dn_change *change)
{
    memory_store *s = self(store);
    if (!dn_change_append(&s->pending, change)) {
        s->failure = no_memory;
    }
}

static void memory_put_links(dn_store *store, uint32_t number, dunlin_slice text)
{
    dn_change change = {.type = DN_CHANGE_LINKS};
    change.as.links.number = number;
    change.as.links.text = text;
    write_change(store, &change);
}

static void drop(dn_store *store, dn_change_type type, uint32_t number)
{
    dn_change change = {.type = type};
    change.as.number = number;
    write_change(store, &change);
}

static void memory_drop_links(dn_store *store, uint32_t number)
{
    drop(store, DN_CHANGE_DROP_LINKS, number);
}

static void memory_put_registration(dn_store *store, const dn_store_registration *registration)
{
    dn_change change = {.type = DN_CHANGE_REGISTRATION};
    change.as.registration = *registration;
    write_change(store, &change);
}

static void memory_touch_registration(dn_store *store, uint32_t slot, int64_t updated_ms)
{
    dn_change change = {.type = DN_CHANGE_TOUCH};
    change.as.touch.slot = slot;
    change.as.touch.updated_ms = updated_ms;
    write_change(store, &change);
}

static void memory_drop_registration(dn_store *store, uint32_t slot)
{
    drop(store, DN_CHANGE_DROP_REGISTRATION, slot);
}

static void memory_put_observation(dn_store *store, const dn_store_observation *observation)
{
    dn_change change = {.type = DN_CHANGE_OBSERVATION};
    change.as.observation = *observation;
    write_change(store, &change);
}

static void memory_drop_observation(dn_store *store, uint32_t number)
{
    drop(store, DN_CHANGE_DROP_OBSERVATION, number);
}

static void memory_put_value(dn_store *store, const dn_store_value *value)
{
    dn_change change = {.type = DN_CHANGE_VALUE};
    change.as.value = *value;
    write_change(store, &change);
}

static void memory_put_request(dn_store *store, const dn_store_request *request)
{
    dn_change change = {.type = DN_CHANGE_REQUEST};
    change.as.request = *request;
    write_change(store, &change);
}

static void memory_mark_request(dn_store *store, const dn_store_progress *progress)
{
    dn_change change = {.type = DN_CHANGE_PROGRESS};
    change.as.progress = *progress;
    write_change(store, &change);
}

static void memory_drop_request(dn_store *store, uint32_t number)
{
    drop(store, DN_CHANGE_DROP_REQUEST, number);
}

static void memory_put_request_ids(dn_store *store, uint64_t bound)
{
    dn_change change = {.type = DN_CHANGE_REQUEST_IDS};
    change.as.bound = bound;
    write_change(store, &change);
}

/* ---- reading ---- */

static dunlin_status load_request(const memory_store *s, const dn_store_loader *loader,
                                  dn_store_request *request)
{
    const table *marks = &s->tables[PROGRESS];
    dn_change change;
    if (request->number < marks->count && marks->rows[request->number].len > 0) {
        const row *r = &marks->rows[request->number];
        dunlin_slice record = dunlin_slice_make(r->data, r->len);
        if (dn_change_next(&record, &change) != DUNLIN_OK) {
            return DUNLIN_ERR_STORE;
        }
        request->progress = change.as.progress;
    }
    return loader->request(loader->context, request);
}

static dunlin_status load_row(const memory_store *s, const dn_store_loader *loader, const row *r)
{
    dn_change change;
    dunlin_slice record = dunlin_slice_make(r->data, r->len);
    if (dn_change_next(&record, &change) != DUNLIN_OK) {
        return DUNLIN_ERR_STORE;
    }
    switch (change.type) {
    case DN_CHANGE_LINKS:
        return loader->links(loader->context, change.as.links.number, change.as.links.text);
    case DN_CHANGE_REGISTRATION:
        return loader->registration(loader->context, &change.as.registration);
    case DN_CHANGE_OBSERVATION:
        return loader->observation(loader->context, &change.as.observation);
    case DN_CHANGE_REQUEST:
        return load_request(s, loader, &change.as.request);
    case DN_CHANGE_REQUEST_IDS:
        return loader->request_ids(loader->context, change.as.bound);
    default:
        return loader->value(loader->context, &change.as.value);
    }
}

static dunlin_status memory_load(dn_store *store, const dn_store_loader *loader)
{
    memory_store *s = self(store);
    for (size_t t = 0; t < PROGRESS; t++) {
        for (size_t i = 0; i < s->tables[t].count; i++) {
            const row *r = &s->tables[t].rows[i];
            dunlin_status status = r->len > 0 ? load_row(s, loader, r) : DUNLIN_OK;
            if (status != DUNLIN_OK) {
                return status;
            }
        }
    }
    return DUNLIN_OK;
}

static void memory_attach(dn_store *store, const dn_store_source *source)
{
    (void)store; /* nothing is swept here: every write is complete in itself */
    (void)source;
}

static const char *memory_error(dn_store *store)
{
    const memory_store *s = self(store);
    return s->failure != NULL ? s->failure : "";
}

static void memory_close(dn_store *store)
{
    memory_store *s = self(store);
    tables_free(s->tables);
    dn_bytes_free(&s->pending);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

static const dn_store_ops memory_ops = {
    .load = memory_load,
    .attach = memory_attach,
    .put_links = memory_put_links,
    .drop_links = memory_drop_links,
    .put_registration = memory_put_registration,
    .touch_registration = memory_touch_registration,
    .drop_registration = memory_drop_registration,
    .put_observation = memory_put_observation,
    .drop_observation = memory_drop_observation,
    .put_value = memory_put_value,
    .put_request = memory_put_request,
    .mark_request = memory_mark_request,
    .drop_request = memory_drop_request,
    .put_request_ids = memory_put_request_ids,
    .commit = memory_commit,
    .error = memory_error,
    .close = memory_close,
};

dn_store *dn_memory_store_create(void)
{
    memory_store *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    if (pthread_mutex_init(&s->mutex, NULL) != 0) {
        free(s);
        return NULL;
    }
    s->store.ops = &memory_ops;
    return &s->store;
}

dn_store *dn_memory_store_snapshot(dn_store *store)
{
    memory_store *from = self(store);
    dn_store *copy = dn_memory_store_create();
    if (copy == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&from->mutex);
    bool ok = tables_copy(self(copy)->tables, from->tables);
    pthread_mutex_unlock(&from->mutex);
    if (!ok) {
        memory_close(copy);
        return NULL;
    }
    return copy;
}
