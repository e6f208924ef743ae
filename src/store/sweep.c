/* SPDX-License-Identifier: Apache-2.0 */
/* Dirty sets and the passes over them. */
#include "store/sweep.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MIN  16u
#define CREDIT_MAX (64u * 100u) /* a commit sweeps at most this many rows, in hundredths */
#define TRIM_ROWS \
    32u /* journal rows deleted at once: several pages' worth, so that the free list is touched rarely */
#define TRIM_ROWS_ALL UINT32_MAX

void dn_dirty_free(dn_dirty *dirty)
{
    free(dirty->words);
    *dirty = (dn_dirty){0};
}

bool dn_dirty_add(dn_dirty *dirty, uint32_t number)
{
    size_t word = number / 64;
    if (word >= dirty->count) {
        size_t count = dirty->count < WORDS_MIN ? WORDS_MIN : dirty->count;
        while (count <= word) {
            count *= 2;
        }
        uint64_t *words = realloc(dirty->words, count * sizeof *words);
        if (words == NULL) {
            return false;
        }
        memset(words + dirty->count, 0, (count - dirty->count) * sizeof *words);
        dirty->words = words;
        dirty->count = count;
    }
    dirty->words[word] |= (uint64_t)1 << (number % 64);
    return true;
}

bool dn_dirty_take(dn_dirty *dirty, uint32_t from, uint32_t *number)
{
    size_t word = from / 64;
    if (word >= dirty->count) {
        return false;
    }
    uint64_t bits = dirty->words[word] & (UINT64_MAX << (from % 64));
    while (bits == 0) {
        if (++word == dirty->count) {
            return false;
        }
        bits = dirty->words[word];
    }
    unsigned bit = (unsigned)__builtin_ctzll(bits);
    dirty->words[word] &= ~((uint64_t)1 << bit);
    *number = (uint32_t)(word * 64 + bit);
    return true;
}

void dn_sweep_init(dn_sweep *sweep, dn_journal *journal, dn_rows *rows, uint64_t start_bytes,
                   uint32_t rows_percent)
{
    *sweep = (dn_sweep){
        .journal = journal, .rows = rows, .start_bytes = start_bytes, .rows_percent = rows_percent};
}

void dn_sweep_free(dn_sweep *sweep)
{
    dn_dirty_free(&sweep->registrations);
    dn_dirty_free(&sweep->values);
}

static bool write_registration(dn_sweep *sweep, uint32_t slot)
{
    dn_store_registration registration;
    if (sweep->source.registration(sweep->source.context, slot, &registration)) {
        return dn_rows_put_registration(sweep->rows, &registration);
    }
    return dn_rows_drop_registration(sweep->rows, slot);
}

static bool write_value(dn_sweep *sweep, uint32_t observation)
{
    dn_store_value value;
    if (sweep->source.value(sweep->source.context, observation, &value)) {
        return dn_rows_put_value(sweep->rows, &value);
    }
    return dn_rows_drop_value(sweep->rows, observation);
}

static void begin_pass(dn_sweep *sweep)
{
    sweep->mark = dn_journal_mark(sweep->journal);
    sweep->phase = DN_SWEEP_REGISTRATIONS;
    sweep->cursor = 0;
}

static void end_pass(dn_sweep *sweep)
{
    dn_journal_supersede(sweep->journal, sweep->mark);
    sweep->phase = DN_SWEEP_RESTING;
    sweep->credit = 0;
    sweep->passes++;
}

/* Writes the next dirty row of the pass, or goes on to the next phase. */
static bool sweep_one(dn_sweep *sweep)
{
    bool of_values = sweep->phase == DN_SWEEP_VALUES;
    uint32_t number;
    if (dn_dirty_take(of_values ? &sweep->values : &sweep->registrations, sweep->cursor, &number)) {
        sweep->cursor = number + 1;
        sweep->credit -= sweep->credit < 100 ? sweep->credit : 100;
        sweep->swept++;
        return of_values ? write_value(sweep, number) : write_registration(sweep, number);
    }
    if (of_values) {
        end_pass(sweep);
    } else {
        sweep->phase = DN_SWEEP_VALUES;
        sweep->cursor = 0;
    }
    return true;
}

bool dn_sweep_step(dn_sweep *sweep, uint32_t changes)
{
    if (dn_journal_superfluous(sweep->journal) > 0) {
        return dn_journal_trim(sweep->journal, TRIM_ROWS);
    }
    if (sweep->source.registration == NULL) {
        return true;
    }
    if (sweep->phase == DN_SWEEP_RESTING) {
        if (sweep->journal->bytes < sweep->start_bytes) {
            return true;
        }
        begin_pass(sweep);
    }
    sweep->credit += (uint64_t)changes * sweep->rows_percent;
    if (sweep->credit > CREDIT_MAX) {
        sweep->credit = CREDIT_MAX;
    }
    while (sweep->credit >= 100 && sweep->phase != DN_SWEEP_RESTING) {
        if (!sweep_one(sweep)) {
            return false;
        }
    }
    return true;
}

bool dn_sweep_all(dn_sweep *sweep)
{
    if (sweep->source.registration == NULL) {
        return true;
    }
    begin_pass(sweep); /* again from the start: what was behind the cursor may be dirty anew */
    while (sweep->phase != DN_SWEEP_RESTING) {
        if (!sweep_one(sweep)) {
            return false;
        }
    }
    return dn_journal_trim(sweep->journal, TRIM_ROWS_ALL);
}
