/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials that wait beside the current ones until a bootstrap has ended well; see security/credentials.h. */
#include "store/credential_keeper.h"

#include <stdlib.h>

#include <gnutls/gnutls.h>

/* What became of one endpoint; 0: nothing. */
typedef struct {
    uint64_t added; /* number of the one that is staged now */
    uint64_t gone;  /* of one that was */
    uint64_t
        promoted; /* of the staged one that is the current one now, in the place of `gone`, if there was any */
} change;

static dunlin_slice endpoint_of(const dn_credential *c)
{
    return dunlin_slice_make(c->endpoint, c->endpoint_len);
}

static bool may_be_staged(const dn_credential *c)
{
    return dn_credential_check(c) == NULL && !c->is_pattern;
}

static dunlin_status add(dn_credential_keeper *k, dn_credential *c, size_t *fresh, change *out)
{
    dn_credential_row other;
    dunlin_status status = dn_credential_keeper_rival(k, c, &other);
    if (status != DUNLIN_ERR_NOT_FOUND) {
        return status == DUNLIN_OK ? DUNLIN_ERR_DUPLICATE : status;
    }
    const size_t staged = dn_credential_staged_count(&k->staged) + *fresh;
    if (out->gone == 0 && atomic_load(&k->count) + staged >= k->max) {
        return DUNLIN_ERR_LIMIT;
    }
    *fresh += out->gone == 0;
    c->number = dn_credential_rows_next(&k->writer);
    c->generation = dn_credential_rows_next(&k->writer);
    c->created_ms = c->changed_ms = k->wall_ms(k->wall_context);
    out->added = c->number;
    return dn_credential_rows_insert(&k->writer, c, true) ? DUNLIN_OK : DUNLIN_ERR_STORE;
}

/* In a transaction. What is the current one, or staged, already, stays as it is: who proves it, proves the same. */
static dunlin_status stage_one(dn_credential_keeper *k, dn_credential *c, size_t *fresh, change *out)
{
    dn_credential_row staged;
    dn_credential_row current;
    const dunlin_status has_staged =
        dn_credential_rows_find(&k->writer, DN_ROW_BY_STAGED, endpoint_of(c), &staged);
    const dunlin_status has_current =
        dn_credential_rows_find(&k->writer, DN_ROW_BY_ENDPOINT, endpoint_of(c), &current);
    if (k->writer.database.failed) {
        return DUNLIN_ERR_STORE;
    }
    const bool is_current = has_current == DUNLIN_OK && dn_credential_keeper_is_same(k, &current, c);
    if (has_staged == DUNLIN_OK) {
        if (!is_current && dn_credential_keeper_is_same(k, &staged, c)) {
            return DUNLIN_OK;
        }
        out->gone = staged.credential.number;
        dn_credential_rows_remove(&k->writer, out->gone);
    }
    return is_current ? DUNLIN_OK : add(k, c, fresh, out);
}

static dunlin_status stage_all(dn_credential_keeper *k, const dn_credential *list, size_t count,
                               change *changes)
{
    dunlin_status status = DUNLIN_OK;
    size_t fresh = 0; /* endpoints that had none staged */
    if (!dn_credential_staged_reserve(&k->staged, count)) {
        return DUNLIN_ERR_MEMORY;
    }
    if (!dn_credential_rows_begin(&k->writer)) {
        return DUNLIN_ERR_STORE;
    }
    for (size_t i = 0; i < count && status == DUNLIN_OK; i++) {
        dn_credential c = dn_credential_keeper_clean(&list[i]);
        status = stage_one(k, &c, &fresh, &changes[i]);
        dn_credential_wipe(&c);
    }
    if (status == DUNLIN_OK && !dn_credential_rows_commit(&k->writer)) {
        status = DUNLIN_ERR_STORE;
    }
    return status;
}

/* Under the write lock, after the commit: in memory it is so, too. */
static void remember(dn_credential_keeper *k, const change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const change *c = &changes[i];
        if (c->promoted != 0) {
            dn_credential_staged_remove(&k->staged, c->promoted);
            atomic_fetch_add(&k->count, c->gone == 0 ? 1 : 0);
        } else if (c->gone != 0) {
            dn_credential_staged_remove(&k->staged, c->gone);
        }
        if (c->added != 0) {
            (void)dn_credential_staged_add(&k->staged, c->added); /* room was made before */
        }
    }
}

/* The first credential of an endpoint is news, too: without security nobody may act as it any more. */
static void tell(dn_credential_keeper *k, const change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (changes[i].gone != 0) {
            dn_credential_keeper_tell(k, changes[i].gone, false);
        } else if (changes[i].promoted != 0) {
            dn_credential_keeper_tell(k, changes[i].promoted, true);
        }
    }
}

dunlin_status dn_credential_keeper_stage(dn_credentials *credentials, const dn_credential *list, size_t count)
{
    dn_credential_keeper *k = dn_credential_keeper_of(credentials);
    for (size_t i = 0; i < count; i++) {
        if (!may_be_staged(&list[i])) {
            return DUNLIN_ERR_ARGUMENT;
        }
    }
    if (count == 0) {
        return DUNLIN_OK;
    }
    change *changes = calloc(count, sizeof *changes);
    if (changes == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    dn_credential_keeper_begin_change(k);
    dunlin_status status = stage_all(k, list, count, changes);
    status = dn_credential_keeper_settle(k, &k->writer, status);
    if (status == DUNLIN_OK) {
        remember(k, changes, count);
    }
    dn_credential_keeper_end_change(k);
    if (status == DUNLIN_OK) {
        tell(k, changes, count);
    }
    free(changes);
    return status;
}

/* In a transaction. What was changed by another program lets nobody in: the former one must stay. */
static dunlin_status promote_row(dn_credential_keeper *k, dn_credential_row *staged, change *out)
{
    dn_credential_row former;
    if (dn_credential_rows_unseal(&k->writer, staged) != DUNLIN_OK) {
        dn_complaints_note(&k->complaints, k->writer.database.error);
        k->writer.database.failed = false;
        return DUNLIN_OK;
    }
    gnutls_memset(staged->credential.key, 0, sizeof staged->credential.key);
    dn_credential c = staged->credential;
    const dunlin_status found =
        dn_credential_rows_find(&k->writer, DN_ROW_BY_ENDPOINT, endpoint_of(&c), &former);
    c.changed_ms = k->wall_ms(k->wall_context);
    if (found == DUNLIN_OK) {
        c.created_ms = former.credential.created_ms;
        out->gone = former.credential.number;
        dn_credential_rows_remove(&k->writer, out->gone);
    }
    out->promoted = c.number;
    return dn_credential_rows_promote(&k->writer, &c) ? DUNLIN_OK : DUNLIN_ERR_STORE;
}

/* The staged row of the `at`th of what is to be promoted. */
typedef dunlin_status (*row_finder)(dn_credential_keeper *k, const void *list, size_t at,
                                    dn_credential_row *row);

static dunlin_status staged_of_endpoint(dn_credential_keeper *k, const void *list, size_t at,
                                        dn_credential_row *row)
{
    return dn_credential_rows_find(&k->writer, DN_ROW_BY_STAGED, ((const dunlin_slice *)list)[at], row);
}

static dunlin_status staged_of_number(dn_credential_keeper *k, const void *list, size_t at,
                                      dn_credential_row *row)
{
    dunlin_status status = dn_credential_rows_numbered(&k->writer, ((const uint64_t *)list)[at], row);
    return status == DUNLIN_OK && !row->is_staged ? DUNLIN_ERR_NOT_FOUND : status;
}

static dunlin_status promote_all(dn_credential_keeper *k, row_finder find, const void *list, size_t count,
                                 change *changes)
{
    dunlin_status status = dn_credential_rows_begin(&k->writer) ? DUNLIN_OK : DUNLIN_ERR_STORE;
    for (size_t i = 0; i < count && status == DUNLIN_OK; i++) {
        dn_credential_row row;
        status = find(k, list, i, &row);
        if (status == DUNLIN_OK) {
            status = promote_row(k, &row, &changes[i]);
        } else if (status == DUNLIN_ERR_NOT_FOUND) {
            status = DUNLIN_OK;
        }
    }
    if (status == DUNLIN_OK && !dn_credential_rows_commit(&k->writer)) {
        status = DUNLIN_ERR_STORE;
    }
    return status;
}

static dunlin_status promote(dn_credential_keeper *k, row_finder find, const void *list, size_t count)
{
    change *changes = calloc(count, sizeof *changes);
    if (changes == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    dn_credential_keeper_begin_change(k);
    dunlin_status status = promote_all(k, find, list, count, changes);
    status = dn_credential_keeper_settle(k, &k->writer, status);
    if (status == DUNLIN_OK) {
        remember(k, changes, count);
    }
    dn_credential_keeper_end_change(k);
    if (status == DUNLIN_OK) {
        tell(k, changes, count);
    }
    free(changes);
    return status;
}

dunlin_status dn_credential_keeper_promote(dn_credentials *credentials, const dunlin_slice *endpoints,
                                           size_t count)
{
    dn_credential_keeper *k = dn_credential_keeper_of(credentials);
    if (count == 0 || dn_credential_staged_count(&k->staged) == 0) {
        return DUNLIN_OK;
    }
    return promote(k, staged_of_endpoint, endpoints, count);
}

dunlin_status dn_credential_keeper_get_staged(dn_credentials *credentials, dunlin_slice endpoint,
                                              dn_credential *out)
{
    return dn_credential_keeper_find(dn_credential_keeper_of(credentials), DN_ROW_BY_STAGED, endpoint, out);
}

void dn_credential_keeper_promote_proved(dn_credential_keeper *k)
{
    uint64_t numbers[DN_STAGED_PROVED_MAX];
    const size_t count = dn_credential_staged_take(&k->staged, numbers);
    if (count > 0) { /* a failure is in the log, and the device will prove it again */
        (void)promote(k, staged_of_number, numbers, count);
    }
}

void dn_credential_keeper_proved(dn_credentials *credentials, uint64_t number)
{
    dn_credential_keeper *k = dn_credential_keeper_of(credentials);
    if (!dn_credential_staged_prove(&k->staged, number)) {
        return;
    }
    if (k->in_memory) {
        dn_credential_keeper_promote_proved(k);
    } else {
        dn_store_worker_wake(&k->worker); /* whoever asks must not wait for the disk */
    }
}

static bool remember_staged(void *context, uint64_t number)
{
    dn_credential_keeper *k = context;
    return dn_credential_staged_add(&k->staged, number);
}

bool dn_credential_keeper_load_staged(dn_credential_keeper *k)
{
    return dn_credential_rows_staged(&k->writer, remember_staged, k);
}
