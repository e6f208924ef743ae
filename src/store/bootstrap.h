/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper of bootstrap configurations (bootstrap/store.h): DIR/bootstrap.db, or in memory only.
 *
 * - What `put` and `remove` answered is on the disk, also after a power cut; kill -9 leaves the old or the new state of a configuration.
 * - Documents are sealed, as credentials are and by the same keys (store/credentials.h, ADR 16), each to its name and version: one that another program has changed or
 *   moved is refused, with STORE, and others are served on.
 * - The last 20 versions are kept. Numbers of versions go on over removals, and so those of a removed name stay.
 * - Look-ups have a connection of their own: they do not wait for the disk while a put does. Patterns are in memory.
 * - One process at a time: the caller holds the lock of DIR.
 */
#ifndef DN_STORE_BOOTSTRAP_H
#define DN_STORE_BOOTSTRAP_H

#include "base/log.h"
#include "bootstrap/store.h"

#define DN_BOOTSTRAP_FILE     "bootstrap.db" /* in DIR */
#define DN_BOOTSTRAP_VERSIONS 20u            /* of each that are kept */

typedef struct {
    const char *dir;                   /* exists; NULL: in memory only */
    const char *seal_key;              /* as dn_credential_store_config has it */
    uint64_t max;                      /* [10000000] configurations; more: LIMIT */
    int64_t (*wall_ms)(void *context); /* since the epoch; NULL: the system's clock */
    void *wall_context;
    const dn_log *log; /* may be NULL. Never a secret; outlives the keeper */
} dn_bs_store_config;

dn_bs_store_config dn_bs_store_config_default(void);

/* Opens or makes it; freed by its `close`. Errors as of dn_credential_store_open. */
dunlin_status dn_bs_store_open(const dn_bs_store_config *config, dn_bs_store **out, char *error,
                               size_t error_size);
/* As dn_credential_store_reload and dn_credential_store_reseal. */
dunlin_status dn_bs_store_reload(dn_bs_store *store, char *error, size_t error_size);
dunlin_status dn_bs_store_reseal(dn_bs_store *store, uint64_t *count);

#endif
