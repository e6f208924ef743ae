/* SPDX-License-Identifier: Apache-2.0 */
/* The sealing keys of credentials: opened, read anew, and what older ones sealed brought to the newest. */
#include "store/credential_keeper.h"
#include "store/seal_place.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <gnutls/gnutls.h>

#define SLICE_ROWS 64u /* rows sealed anew in a transaction: what a put may have to wait for */

/* A slice of what `id` sealed, from numbers above *after on. False: no more of it, or a failure. */
static bool reseal_slice(dn_credential_keeper *k, uint64_t id, uint64_t *after, uint64_t *count,
                         dn_credential_row *rows)
{
    uint64_t done = 0;
    dn_credential_keeper_begin_change(k);
    (void)dn_credential_rows_begin(&k->writer);
    const size_t found = dn_credential_rows_sealed_by(&k->writer, id, *after, SLICE_ROWS, rows);
    for (size_t i = 0; i < found && !k->writer.database.failed; i++) {
        *after = rows[i].credential.number;
        if (dn_credential_rows_unseal(&k->writer, &rows[i]) == DUNLIN_OK) {
            done += dn_credential_rows_reseal(&k->writer, &rows[i]);
        } else {
            /* It stays as it is: a row that is no good must not keep the others from a new key. */
            dn_complaints_note(&k->complaints, k->writer.database.error);
            k->writer.database.failed = false;
        }
        dn_credential_wipe(&rows[i].credential);
    }
    (void)dn_credential_rows_commit(&k->writer);
    const bool ok = dn_credential_keeper_settle(k, &k->writer, DUNLIN_OK) == DUNLIN_OK;
    dn_credential_keeper_end_change(k);
    *count += ok ? done : 0;
    return ok && found == SLICE_ROWS;
}

static uint64_t next_seal(dn_credential_keeper *k, uint64_t after)
{
    pthread_mutex_lock(&k->write_lock);
    const uint64_t id = dn_credential_rows_next_seal(&k->writer, after);
    const bool ok = dn_credential_keeper_settle(k, &k->writer, DUNLIN_OK) == DUNLIN_OK;
    pthread_mutex_unlock(&k->write_lock);
    return ok ? id : 0;
}

dunlin_status dn_credential_store_reseal(dn_credentials *credentials, uint64_t *count)
{
    dn_credential_keeper *k = dn_credential_keeper_of(credentials);
    uint64_t done = 0;
    dn_credential_row *rows = calloc(SLICE_ROWS, sizeof *rows);
    if (rows == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    for (uint64_t id = next_seal(k, 0); id != 0 && !dn_store_worker_stops(&k->worker);
         id = next_seal(k, id)) {
        uint64_t after = 0;
        while (id != dn_seal_newest(k->seal) && reseal_slice(k, id, &after, &done, rows) &&
               !dn_store_worker_stops(&k->worker)) {
        }
    }
    gnutls_memset(rows, 0, SLICE_ROWS * sizeof *rows);
    free(rows);
    if (done > 0) {
        dn_log_at(k->log, DN_LOG_INFO, DN_CREDENTIALS_AREA,
                  "%" PRIu64 " credentials are sealed with the newest key now", done);
    }
    if (count != NULL) {
        *count = done;
    }
    return DUNLIN_OK;
}

/* The numbers of the keys that rows are sealed with: under the write lock. False: a failure, or more than a file can hold. */
static bool needed_seals(dn_credential_keeper *k, uint64_t ids[DN_SEAL_KEYS_MAX], size_t *count)
{
    uint64_t id = 0;
    *count = 0;
    while ((id = dn_credential_rows_next_seal(&k->writer, id)) != 0) {
        if (*count == DN_SEAL_KEYS_MAX) {
            return dn_database_fail(&k->writer.database,
                                    "credentials are sealed with too many different keys");
        }
        ids[(*count)++] = id;
    }
    return !k->writer.database.failed;
}

dunlin_status dn_credential_store_reload(dn_credentials *credentials, char *error, size_t error_size)
{
    dn_credential_keeper *k = dn_credential_keeper_of(credentials);
    uint64_t ids[DN_SEAL_KEYS_MAX];
    size_t count = 0;
    if (k->in_memory) {
        return DUNLIN_OK;
    }
    /* No put may seal with a key between the look at what is needed and the change of keys. */
    pthread_mutex_lock(&k->write_lock);
    dunlin_status status = DUNLIN_ERR_STORE;
    if (needed_seals(k, ids, &count)) {
        status = dn_seal_reload(k->seal, ids, count, error, error_size);
    } else {
        snprintf(error, error_size, "%s", k->writer.database.error);
    }
    status = dn_credential_keeper_settle(k, &k->writer, status);
    pthread_mutex_unlock(&k->write_lock);
    if (status == DUNLIN_OK) {
        dn_store_worker_wake(&k->worker);
    }
    return status;
}

const char *dn_credential_store_seal_file(const dn_credentials *credentials)
{
    return dn_seal_path(((const dn_credential_keeper *)(const void *)credentials)->seal);
}

dunlin_status dn_credential_keeper_open_seal(dn_credential_keeper *k,
                                             const dn_credential_store_config *config, char *error,
                                             size_t error_size)
{
    dn_seal_need need = {.dir = config->dir,
                         .source = config->seal_key,
                         .what = "credentials",
                         .kept = atomic_load(&k->count)};
    if (!needed_seals(k, need.ids, &need.count)) {
        snprintf(error, error_size, "%s", k->writer.database.error);
        return DUNLIN_ERR_STORE;
    }
    return dn_seal_open_for(&need, &k->seal, error, error_size);
}
