/* SPDX-License-Identifier: Apache-2.0 */
/* Where a dunlin_server keeps what must survive it. A store belongs to one server, which closes it. */
#ifndef DUNLIN_STORE_H
#define DUNLIN_STORE_H

#include <dunlin/status.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct dn_store dunlin_store;

/* Keeps in memory only. NULL: no memory. */
dunlin_store *dunlin_store_memory(void);

/*
 * A database in `directory`, made if it is missing (its parent must be there) and locked for this process. What was answered survives the
 * end of the process, and with `power_safe`, which waits for the disk, a power cut. STORE, MEMORY: `error` says what.
 */
dunlin_status dunlin_store_sqlite(const char *directory, bool power_safe, dunlin_store **store, char *error,
                                  size_t error_size);

/* Closes a store that no server has taken. */
void dunlin_store_close(dunlin_store *store);

#endif
