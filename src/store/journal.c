/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: rows of changes, appended at one end and trimmed at the other. */
#include "store/journal.h"

/* Several rows fit a page of 4 KiB without wasting much of it, and no row but that of a large value needs
 * overflow pages. */
#define ROW_BYTES 900u

bool dn_journal_open(dn_journal *journal, dn_database *database)
{
    *journal = (dn_journal){.database = database};
    int64_t last = 0;
    int64_t bytes = 0;
    dn_database_integer(database, "SELECT min(sequence) FROM journal", &journal->first);
    dn_database_integer(database, "SELECT max(sequence) FROM journal", &last);
    dn_database_integer(database, "SELECT sum(length(changes)) FROM journal", &bytes);
    journal->next = last + 1;
    journal->bytes = (uint64_t)bytes;
    if (last == 0) {
        journal->first = journal->next;
    }
    journal->superseded = journal->first;
    journal->insert = dn_database_prepare(database, "INSERT INTO journal VALUES(?1,?2)");
    journal->trim = dn_database_prepare(database, "DELETE FROM journal WHERE sequence<?1");
    return !database->failed;
}

void dn_journal_close(dn_journal *journal)
{
    sqlite3_finalize(journal->insert);
    sqlite3_finalize(journal->trim);
    dn_bytes_free(&journal->pending);
    *journal = (dn_journal){0};
}

bool dn_journal_append(dn_journal *journal, const dn_change *change)
{
    if (journal->database->failed) {
        return false;
    }
    if (!dn_change_append(&journal->pending, change)) {
        return dn_database_fail(journal->database, "no memory for a change");
    }
    return journal->pending.len < ROW_BYTES || dn_journal_flush(journal);
}

bool dn_journal_flush(dn_journal *journal)
{
    if (journal->pending.len == 0) {
        return !journal->database->failed;
    }
    sqlite3_bind_int64(journal->insert, 1, journal->next);
    dn_database_bind_bytes(journal->insert, 2,
                           dunlin_slice_make(journal->pending.data, journal->pending.len));
    if (!dn_database_run(journal->database, journal->insert)) {
        return false;
    }
    journal->next++;
    journal->bytes += journal->pending.len;
    journal->pending.len = 0;
    return true;
}

int64_t dn_journal_mark(dn_journal *journal)
{
    journal->bytes = 0;
    return journal->next;
}

void dn_journal_supersede(dn_journal *journal, int64_t mark)
{
    journal->superseded = mark;
}

uint64_t dn_journal_superfluous(const dn_journal *journal)
{
    return (uint64_t)(journal->superseded - journal->first);
}

bool dn_journal_trim(dn_journal *journal, uint32_t rows)
{
    uint64_t due = dn_journal_superfluous(journal);
    if (due == 0) {
        return !journal->database->failed;
    }
    int64_t before = journal->first + (int64_t)(due < rows ? due : rows);
    sqlite3_bind_int64(journal->trim, 1, before);
    if (!dn_database_run(journal->database, journal->trim)) {
        return false;
    }
    journal->first = before;
    return true;
}

static bool damaged(dn_journal *journal, int64_t sequence)
{
    return dn_database_fail(journal->database,
                            "the database is damaged: row %lld of the journal cannot be read",
                            (long long)sequence);
}

bool dn_journal_read(dn_journal *journal,
                     bool (*each)(void *context, int64_t sequence, uint32_t offset, const dn_change *change),
                     void *context)
{
    sqlite3_stmt *query =
        dn_database_prepare(journal->database, "SELECT sequence, changes FROM journal ORDER BY sequence");
    bool ok = query != NULL;
    while (ok && dn_database_row(journal->database, query)) {
        int64_t sequence = sqlite3_column_int64(query, 0);
        dunlin_slice rest = dn_database_column(query, 1);
        const uint8_t *start = rest.data;
        dunlin_status status = DUNLIN_OK;
        while (ok && status == DUNLIN_OK) {
            uint32_t offset = (uint32_t)(rest.data - start);
            dn_change change;
            status = dn_change_next(&rest, &change);
            ok = status != DUNLIN_OK || each(context, sequence, offset, &change);
        }
        ok = ok && (status == DUNLIN_END || damaged(journal, sequence));
    }
    sqlite3_finalize(query);
    return ok && !journal->database->failed;
}
