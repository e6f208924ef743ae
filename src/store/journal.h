/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of the SQLite store: changes since the rows they are about were last written, in the order of
 * their commits. Appending is cheap because it dirties one page however random the slots are.
 *
 * A row of the journal holds the changes of one commit (large commits take several rows). Rows leave at the
 * old end only, in slices, once the sweep has written all that they are about: so the last change that the
 * journal holds about a slot is always the newest one.
 */
#ifndef DN_STORE_JOURNAL_H
#define DN_STORE_JOURNAL_H

#include "store/change.h"
#include "store/database.h"

typedef struct {
    dn_database *database;
    sqlite3_stmt *insert, *trim;
    dn_bytes pending;    /* changes that are not in the database yet */
    int64_t first, next; /* sequence numbers: rows first..next-1 are there */
    int64_t superseded;  /* rows before this one are no longer needed */
    uint64_t bytes;      /* appended since dn_journal_mark, or all at the start */
} dn_journal;

/* Prepares the statements and finds out which rows there are. False after a failure of `database`. */
bool dn_journal_open(dn_journal *journal, dn_database *database);
void dn_journal_close(dn_journal *journal);

/* Adds a change; it is in the database after dn_journal_flush at the latest. */
bool dn_journal_append(dn_journal *journal, const dn_change *change);
bool dn_journal_flush(dn_journal *journal);

/* The end of what a pass of the sweep that starts now will make superfluous. Call with nothing pending. */
int64_t dn_journal_mark(dn_journal *journal);
/* Rows before `mark` are about what has been swept. */
void dn_journal_supersede(dn_journal *journal, int64_t mark);
/* Deletes at most `rows` superseded rows. */
bool dn_journal_trim(dn_journal *journal, uint32_t rows);
/* Superseded rows that are still there. */
uint64_t dn_journal_superfluous(const dn_journal *journal);

/*
 * Calls `each` for every change in order, with the row's sequence number and the change's offset in it.
 * False, with the failure noted: a damaged row, or `each` said false.
 */
bool dn_journal_read(dn_journal *journal,
                     bool (*each)(void *context, int64_t sequence, uint32_t offset, const dn_change *change),
                     void *context);
#endif
