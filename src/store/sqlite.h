/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store in SQLite: DIR/dunlin.db, one connection of the shard's thread, one transaction per commit.
 * docs/adr/0005-sqlite.md says why it is built as it is.
 *
 * - A registration with a new slot goes straight to the end of its table. Whatever changes later goes to a
 * journal, and a sweep brings it to its row, in slot order, a little with each commit. Link lists,
 * observations and queued requests, which change rarely, are written in place.
 * - Numbers (slots, link lists, observations) must be dense: reuse free ones before taking new ones.
 * - Everything that a commit reported is there after kill -9, and after a power cut with DN_DURABILITY_POWER.
 * With DN_DURABILITY_PROCESS a power cut loses the last moments, and leaves the database whole.
 */
#ifndef DN_STORE_SQLITE_H
#define DN_STORE_SQLITE_H

#include "server/store.h"

typedef enum {
    DN_DURABILITY_PROCESS, /* the system's memory is good enough: survives the end of the process */
    DN_DURABILITY_POWER    /* each commit waits for the disk */
} dn_durability;

typedef struct {
    dn_durability durability;
    uint32_t cache_kib;   /* 2048: SQLite's page cache */
    uint32_t log_kib;     /* 4096: size of the write-ahead log at which it is copied into the database; it may
                         grow to about 8 times as   much while the disk is slow */
    uint32_t journal_kib; /* 16384: the journal may grow by this before a sweep begins */
    uint32_t sweep_percent; /* 50: rows swept per 100 changes, 1..1000; less makes a longer journal */
    uint64_t max_bytes;     /* 0: no limit on the database file but the disk */
    const char *vfs; /* NULL: the system's own; another one of SQLite's registered file systems, for tests */
} dn_sqlite_config;

dn_sqlite_config dn_sqlite_config_default(void);

/*
 * Opens or makes the store in `dir` (made if missing; its parent must be there) and locks it for this
 * process. STORE with a text: in use (the text names the process), not writable, not ours, of a newer
 * release, damaged; MEMORY; ARGUMENT: a setting out of its range. The store is freed by its close.
 */
dunlin_status dn_sqlite_store_open(const char *dir, const dn_sqlite_config *config, dn_store **out,
                                   char *error, size_t error_size);

#endif
