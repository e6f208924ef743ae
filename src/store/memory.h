/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store that keeps in memory only: for tests, and for servers that need not survive a restart. It keeps
 * what a disk would keep, apart from what the server holds, so a test can end a server at any moment and
 * start another one on what was committed.
 */
#ifndef DN_STORE_MEMORY_H
#define DN_STORE_MEMORY_H

#include "server/store.h"

/* NULL: no memory. Freed by its close. */
dn_store *dn_memory_store_create(void);

/*
 * Another store that holds what `store` has committed by now: what kill -9 would leave at this moment. Writes
 * that were not committed are not in it. May be called from any thread, also while another one writes to
 * `store`. NULL: no memory.
 */
dn_store *dn_memory_store_snapshot(dn_store *store);

#endif
