/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper of credentials from within: what its look-ups and changes (credentials.c), what is staged (credential_stage.c) and the
 * sealing keys (credential_seals.c) share.
 */
#ifndef DN_STORE_CREDENTIAL_KEEPER_H
#define DN_STORE_CREDENTIAL_KEEPER_H

#include "store/complaints.h"
#include "store/credential_patterns.h"
#include "store/credential_rows.h"
#include "store/credential_staged.h"
#include "store/credentials.h"
#include "store/seal_file.h"
#include "store/worker.h"

#include <stdatomic.h>

#define DN_CREDENTIALS_AREA "credentials"

#define DN_CREDENTIALS_FOUND 1024u /* look-ups that are remembered: those of handshakes under way */

/* What a look-up gave, by its number. 0: nothing. */
typedef struct {
    uint64_t number, generation;
} dn_credential_found;

typedef struct {
    dn_credentials base;
    dn_seal *seal;
    uint64_t max;
    int64_t (*wall_ms)(void *context);
    void *wall_context;
    const dn_log *log;
    bool in_memory;
    int lock_fd; /* -1: the caller holds the lock */

    /* Changes and lists: they may take their time. Lock order: writing, reading, the others. */
    pthread_mutex_t write_lock;
    dn_credential_rows writer;
    /* Look-ups: never wait for the disk. In memory there is one connection, and `read_lock` and `reader` are the writer's. */
    pthread_mutex_t own_read_lock;
    dn_credential_rows own_reader;
    pthread_mutex_t *read_lock;
    dn_credential_rows *reader;
    /* Under the reading lock. Between changes look-ups share a snapshot, and what they found is known to be so still. */
    bool changing;
    uint32_t snapshot_ms;
    int64_t snapshot_since_ms;
    dn_credential_found found[DN_CREDENTIALS_FOUND];

    dn_credential_patterns patterns;
    dn_credential_staged staged;
    atomic_uint_least64_t count; /* without staged ones */

    dn_complaints complaints;
    pthread_mutex_t watch_lock; /* around base.changed and what it does */
    dn_store_worker worker;     /* promotes what was proved, and seals anew */
} dn_credential_keeper;

static inline dn_credential_keeper *dn_credential_keeper_of(dn_credentials *credentials)
{
    return (dn_credential_keeper *)(void *)credentials;
}

/* ---- credentials.c ---- */
/* After each use of a connection, under its lock: keeps what went wrong and makes it fit for the next. */
dunlin_status dn_credential_keeper_settle(dn_credential_keeper *k, dn_credential_rows *rows,
                                          dunlin_status status);
/* Around each change: takes the writing lock, and makes look-ups see what the change makes of it from its commit on. */
void dn_credential_keeper_begin_change(dn_credential_keeper *k);
void dn_credential_keeper_end_change(dn_credential_keeper *k);
/* A look-up by the reading connection, with the key. */
dunlin_status dn_credential_keeper_find(dn_credential_keeper *k, dn_row_key key, dunlin_slice value,
                                        dn_credential *out);
/* Without any lock: tells the server of a change. */
void dn_credential_keeper_tell(dn_credential_keeper *k, uint64_t number, bool is_new);
/* Only what its mode uses, so that nothing else is kept or compared. */
dn_credential dn_credential_keeper_clean(const dn_credential *given);
/* Under the write lock. Whether the row proves what `c` proves; a row that cannot be trusted does not. */
bool dn_credential_keeper_is_same(dn_credential_keeper *k, dn_credential_row *row, const dn_credential *c);
/* Under the write lock. Another one with its identity or public key. NOT_FOUND; STORE. */
dunlin_status dn_credential_keeper_rival(dn_credential_keeper *k, const dn_credential *c,
                                         dn_credential_row *other);

/* ---- credential_stage.c ---- */
dunlin_status dn_credential_keeper_stage(dn_credentials *credentials, const dn_credential *list,
                                         size_t count);
dunlin_status dn_credential_keeper_promote(dn_credentials *credentials, const dunlin_slice *endpoints,
                                           size_t count);
dunlin_status dn_credential_keeper_get_staged(dn_credentials *credentials, dunlin_slice endpoint,
                                              dn_credential *out);
void dn_credential_keeper_proved(dn_credentials *credentials, uint64_t number);
/* Promotes those that have been proved. */
void dn_credential_keeper_promote_proved(dn_credential_keeper *k);
/* At the opening. False: see the writer's error. */
bool dn_credential_keeper_load_staged(dn_credential_keeper *k);

/* ---- credential_seals.c ---- */
/* Opens the sealing keys; every key that rows are sealed with must be there. A missing file is made only when no row needs it. */
dunlin_status dn_credential_keeper_open_seal(dn_credential_keeper *k,
                                             const dn_credential_store_config *config, char *error,
                                             size_t error_size);

#endif
