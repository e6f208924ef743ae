/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sweep: writes what the journal is about to the tables, by slot order so that neighbours share a page, a
 * fraction of a row per change so that no commit is long. It reads the present state through the store's
 * source.
 *
 * A pass starts when the journal has grown by a set size, and goes once over all that is dirty. What was
 * journalled before the pass began is then in the tables, and the journal can be trimmed.
 */
#ifndef DN_STORE_SWEEP_H
#define DN_STORE_SWEEP_H

#include "store/journal.h"
#include "store/rows.h"

/* A set of numbers, in bits. Zero-initialise; free with dn_dirty_free. */
typedef struct {
    uint64_t *words;
    size_t count;
} dn_dirty;

void dn_dirty_free(dn_dirty *dirty);
/* False: no memory. */
bool dn_dirty_add(dn_dirty *dirty, uint32_t number);
/* Takes the smallest number from `from` on out of the set. False: there is none. */
bool dn_dirty_take(dn_dirty *dirty, uint32_t from, uint32_t *number);

typedef enum { DN_SWEEP_RESTING, DN_SWEEP_REGISTRATIONS, DN_SWEEP_VALUES } dn_sweep_phase;

typedef struct {
    dn_journal *journal;
    dn_rows *rows;
    dn_store_source source; /* callbacks NULL before the server attached */
    dn_dirty registrations, values;
    dn_sweep_phase phase;
    uint32_t cursor;
    int64_t mark;           /* the journal's end when the pass began */
    uint64_t start_bytes;   /* a pass starts when the journal has grown by this */
    uint32_t rows_percent;  /* rows written per 100 changes */
    uint64_t credit;        /* in hundredths of a row */
    uint64_t passes, swept; /* counters */
} dn_sweep;

void dn_sweep_init(dn_sweep *sweep, dn_journal *journal, dn_rows *rows, uint64_t start_bytes,
                   uint32_t rows_percent);
void dn_sweep_free(dn_sweep *sweep);
/* Does the share of work that belongs to `changes` changes. False after a failure of the database. */
bool dn_sweep_step(dn_sweep *sweep, uint32_t changes);
/* Writes everything dirty and empties the journal. */
bool dn_sweep_all(dn_sweep *sweep);

#endif
