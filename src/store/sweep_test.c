/* SPDX-License-Identifier: Apache-2.0 */
/* The sets and overlays that the sweep and the loading stand on, and what a pass of the sweep does to the
 * journal. */
#include "store/overlay.h"
#include "store/sweep.h"
#include "store/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_dirty_set_gives_its_numbers_in_order(void **state)
{
    (void)state;
    static const uint32_t numbers[] = {130, 0, 63, 64, 100000, 1, 127, 64};
    static const uint32_t ordered[] = {0, 1, 63, 64, 127, 130, 100000};
    dn_dirty dirty = {0};
    uint32_t number = 0;
    assert_false(dn_dirty_take(&dirty, 0, &number));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_true(dn_dirty_add(&dirty, numbers[i]));
    }
    uint32_t from = 0;
    for (size_t i = 0; i < sizeof ordered / sizeof ordered[0]; i++) {
        assert_true(dn_dirty_take(&dirty, from, &number));
        assert_int_equal(number, ordered[i]);
        from = number + 1;
    }
    assert_false(dn_dirty_take(&dirty, from, &number));
    assert_false(dn_dirty_take(&dirty, 0, &number));
    assert_true(dn_dirty_add(&dirty, 5));
    assert_false(dn_dirty_take(&dirty, 6, &number));
    assert_false(dn_dirty_take(&dirty, UINT32_MAX, &number));
    assert_true(dn_dirty_take(&dirty, 5, &number));
    dn_dirty_free(&dirty);
}

static void an_overlay_keeps_the_newest(void **state)
{
    (void)state;
    dn_overlay overlay = {0};
    assert_null(dn_overlay_at(&overlay, 0));
    assert_true(dn_overlay_touch(&overlay, 300, 11));
    assert_true(dn_overlay_at(&overlay, 300)->touched);
    assert_int_equal(dn_overlay_at(&overlay, 300)->kind, DN_OVERLAY_NONE);
    assert_true(dn_overlay_put(&overlay, 300, 5, 17));
    assert_false(dn_overlay_at(&overlay, 300)->touched); /* the record holds its own time */
    assert_true(dn_overlay_touch(&overlay, 300, 12));
    assert_int_equal(dn_overlay_at(&overlay, 300)->touched_ms, 12);
    assert_int_equal(dn_overlay_at(&overlay, 300)->sequence, 5);
    assert_int_equal(dn_overlay_at(&overlay, 300)->offset, 17);
    assert_true(dn_overlay_drop(&overlay, 300));
    assert_int_equal(dn_overlay_at(&overlay, 300)->kind, DN_OVERLAY_DROPPED);
    assert_int_equal(dn_overlay_at(&overlay, 299)->kind, DN_OVERLAY_NONE);
    assert_false(dn_overlay_put(&overlay, DN_OVERLAY_MAX, 1, 0));
    dn_overlay_free(&overlay);
}

/* ---- a journal and a sweep over a database in memory ---- */

#define SLOTS 50u

typedef struct {
    dn_database database;
    dn_rows rows;
    dn_journal journal;
    dn_sweep sweep;
    bool gone[SLOTS];
} table;

static bool source_registration(void *context, uint32_t slot, dn_store_registration *out)
{
    table *t = context;
    *out = (dn_store_registration){.slot = slot, .id = slot, .endpoint = dunlin_slice_of("e")};
    return !t->gone[slot];
}

static bool source_value(void *context, uint32_t observation, dn_store_value *out)
{
    (void)context;
    *out = (dn_store_value){.observation = observation};
    return true;
}

static table *table_open(uint64_t start_bytes, uint32_t percent)
{
    table *t = calloc(1, sizeof *t);
    assert_non_null(t);
    assert_true(dn_database_open(&t->database, ":memory:", NULL));
    assert_true(dn_schema_ensure(&t->database, &dn_tables, ":memory:"));
    assert_true(dn_rows_open(&t->rows, &t->database));
    assert_true(dn_journal_open(&t->journal, &t->database));
    dn_sweep_init(&t->sweep, &t->journal, &t->rows, start_bytes, percent);
    t->sweep.source = (dn_store_source){source_registration, source_value, t};
    return t;
}

static void table_close(table *t)
{
    dn_sweep_free(&t->sweep);
    dn_journal_close(&t->journal);
    dn_rows_close(&t->rows);
    dn_database_close(&t->database);
    free(t);
}

static int64_t count(table *t, const char *sql)
{
    int64_t n = -1;
    assert_true(dn_database_integer(&t->database, sql, &n));
    return n;
}

static void touch(table *t, uint32_t slot)
{
    dn_change change = {.type = DN_CHANGE_TOUCH};
    change.as.touch.slot = slot;
    assert_true(dn_journal_append(&t->journal, &change));
    assert_true(dn_dirty_add(&t->sweep.registrations, slot));
}

static void commit(table *t, uint32_t changes)
{
    assert_true(dn_journal_flush(&t->journal));
    assert_true(dn_sweep_step(&t->sweep, changes));
}

static void a_pass_waits_for_the_journal_to_grow(void **state)
{
    (void)state;
    table *t = table_open(13 * 10, 100);
    for (uint32_t slot = 0; slot < 9; slot++) {
        touch(t, slot);
        commit(t, 1);
    }
    assert_int_equal(count(t, "SELECT count(*) FROM registration"), 0);
    touch(t, 9);
    commit(t, 1);
    assert_int_equal(count(t, "SELECT count(*) FROM registration"), 1);
    assert_int_equal(t->sweep.phase, DN_SWEEP_REGISTRATIONS);
    table_close(t);
}

static void a_pass_writes_its_share_and_then_the_journal_shrinks(void **state)
{
    (void)state;
    table *t = table_open(1, 50);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        touch(t, slot);
    }
    t->gone[7] = true;
    commit(t, 10); /* half a row for each change */
    assert_int_equal(count(t, "SELECT count(*) FROM registration"), 5);
    touch(t, 2); /* behind the cursor: the next pass's */
    commit(t, 100);
    assert_int_equal(t->sweep.passes, 1);
    assert_int_equal(count(t, "SELECT count(*) FROM registration"), SLOTS - 1);
    assert_int_equal(count(t, "SELECT count(*) FROM registration WHERE slot=7"), 0);
    int64_t rows = count(t, "SELECT count(*) FROM journal");
    commit(t, 1);
    assert_true(count(t, "SELECT count(*) FROM journal") < rows);
    /* What came during the pass stays, for slot 2 is dirty again. */
    assert_int_equal(dn_journal_superfluous(&t->journal), 0);
    assert_int_equal(count(t, "SELECT count(*) FROM journal"), 1);
    table_close(t);
}

static void sweeping_all_empties_the_journal(void **state)
{
    (void)state;
    table *t = table_open(1u << 20, 50);
    for (uint32_t i = 0; i < 20 * SLOTS; i++) {
        touch(t, i % SLOTS);
    }
    assert_true(dn_journal_flush(&t->journal));
    assert_true(dn_sweep_all(&t->sweep));
    assert_int_equal(count(t, "SELECT count(*) FROM registration"), SLOTS);
    assert_int_equal(count(t, "SELECT count(*) FROM journal"), 0);
    table_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dirty_set_gives_its_numbers_in_order),
        cmocka_unit_test(an_overlay_keeps_the_newest),
        cmocka_unit_test(a_pass_waits_for_the_journal_to_grow),
        cmocka_unit_test(a_pass_writes_its_share_and_then_the_journal_shrinks),
        cmocka_unit_test(sweeping_all_empties_the_journal),
    };
    return cmocka_run_group_tests_name("store_sweep", tests, NULL, NULL);
}
