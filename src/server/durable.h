/* SPDX-License-Identifier: Apache-2.0 */
/* The store as the tables of one shard share it: whoever writes says so, and the shard commits before
 * anything leaves. */
#ifndef DN_SERVER_DURABLE_H
#define DN_SERVER_DURABLE_H

#include "server/store.h"

typedef struct {
    dn_store *store;
    bool written; /* something since the last commit */
} dn_durable;

static inline dn_store *dn_durable_write(dn_durable *durable)
{
    durable->written = true;
    return durable->store;
}

#endif
