/* SPDX-License-Identifier: Apache-2.0 */
/* A keeper of bootstrap configurations in memory, for tests and tools: nothing is durable, and every look-up looks at each. */
#ifndef DN_BOOTSTRAP_MEMORY_STORE_H
#define DN_BOOTSTRAP_MEMORY_STORE_H

#include "bootstrap/store.h"

/* MEMORY. Its `close` frees it. `wall_ms` may be NULL: then all is of the epoch's first moment. */
dunlin_status dn_bs_memory_store_open(int64_t (*wall_ms)(void *context), void *context, dn_bs_store **out);
/* For tests: from now on every call ends with STORE. */
void dn_bs_memory_store_break(dn_bs_store *store, bool is_broken);

#endif
