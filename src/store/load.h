/* SPDX-License-Identifier: Apache-2.0 */
/* Loading: the tables with what the journal says laid over them, given to the server. */
#ifndef DN_STORE_LOAD_H
#define DN_STORE_LOAD_H

#include "store/journal.h"
#include "store/rows.h"
#include "store/sweep.h"

/* Numbers below these have, or have had, a row or a change in the journal. */
typedef struct {
    uint32_t slots;
    uint32_t values;
} dn_load_bounds;

/*
 * Gives everything to `loader`, adds to the sweep's dirty sets what the journal is about, and says where
 * unused numbers begin. What the loader answers if not OK; STORE with the database's failure noted.
 */
dunlin_status dn_load(dn_rows *rows, dn_journal *journal, dn_sweep *sweep, const dn_store_loader *loader,
                      dn_load_bounds *bounds);

#endif
