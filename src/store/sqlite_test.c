/* SPDX-License-Identifier: Apache-2.0 */
/* What only the SQLite store can get wrong: opening, versions, damage, limits, closing. */
#include "store/sqlite.h"

#include "store/scratch.h"
#include "store/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include <cmocka.h>

#define SEED 99u

typedef struct {
    char dir[SCRATCH_MAX];
    char error[400];
    dn_sqlite_config config;
    dn_store *store;
    world now, loaded;
    dn_seeded seeded;
    dn_random random;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return -1;
    }
    scratch_make(f->dir);
    f->config = dn_sqlite_config_default();
    f->config.log_kib = 64;
    dn_seeded_init(&f->seeded, SEED);
    f->random = dn_seeded_random(&f->seeded);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    if (f->store != NULL) {
        f->store->ops->close(f->store);
    }
    scratch_remove(f->dir);
    free(f);
    return 0;
}

static dunlin_status open_store(fixture *f)
{
    f->error[0] = '\0';
    return dn_sqlite_store_open(f->dir, &f->config, &f->store, f->error, sizeof f->error);
}

static void open_and_attach(fixture *f)
{
    if (open_store(f) != DUNLIN_OK) {
        fail_msg("%s", f->error);
    }
    memset(&f->loaded, 0, sizeof f->loaded);
    assert_int_equal(world_load(&f->loaded, f->store), DUNLIN_OK);
    dn_store_source source = world_source(&f->now);
    f->store->ops->attach(f->store, &source);
}

static void close_store(fixture *f)
{
    f->store->ops->close(f->store);
    f->store = NULL;
}

static void fill(fixture *f, int commits)
{
    for (int i = 0; i < commits; i++) {
        assert_int_equal(world_commit(&f->now, &f->random, f->store), DUNLIN_OK);
    }
}

static void assert_error_says(fixture *f, const char *text)
{
    if (strstr(f->error, text) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", f->error, text);
    }
}

static void execute(fixture *f, const char *sql)
{
    sqlite3 *database;
    assert_int_equal(sqlite3_open(scratch_path(f->dir, "dunlin.db"), &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static int64_t query(fixture *f, const char *sql)
{
    sqlite3 *database;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(scratch_path(f->dir, "dunlin.db"), &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t result = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return result;
}

static void closing_keeps_everything_and_empties_the_journal(void **state)
{
    fixture *f = *state;
    for (int round = 0; round < 5; round++) {
        open_and_attach(f);
        char difference[128];
        if (!world_equal(&f->loaded, &f->now, difference)) {
            fail_msg("round %d, loaded/expected: %s", round, difference);
        }
        fill(f, 50);
        world_change(&f->now, &f->random, f->store); /* close commits what was written */
        close_store(f);
        assert_int_equal(query(f, "SELECT count(*) FROM journal"), 0);
        assert_int_not_equal(access(scratch_path(f->dir, "dunlin.db-wal"), F_OK), 0);
    }
}

static void power_durability_keeps_too(void **state)
{
    fixture *f = *state;
    f->config.durability = DN_DURABILITY_POWER;
    open_and_attach(f);
    fill(f, 50);
    close_store(f);
    open_and_attach(f);
    char difference[128];
    assert_true(world_equal(&f->loaded, &f->now, difference));
}

static void a_second_process_is_refused(void **state)
{
    fixture *f = *state;
    open_and_attach(f);
    dn_store *second = NULL;
    assert_int_equal(dn_sqlite_store_open(f->dir, &f->config, &second, f->error, sizeof f->error),
                     DUNLIN_ERR_STORE);
    assert_null(second);
    char expected[SCRATCH_MAX + 64];
    snprintf(expected, sizeof expected, "%s is in use by process %ld", f->dir, (long)getpid());
    assert_string_equal(f->error, expected);
    close_store(f);
    open_and_attach(f);
}

static void versions_and_foreign_files_are_told_apart(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *sql, *says;
    } cases[] = {
        {"PRAGMA user_version=3", "schema version 3, which a newer release made"},
        {"PRAGMA user_version=0", "unknown schema version 0"},
        {"PRAGMA user_version=2; PRAGMA application_id=77", "is not a database of this program"},
        {"PRAGMA application_id=0", "is not a database of this program"},
    };
    open_and_attach(f);
    fill(f, 10);
    close_store(f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        execute(f, cases[i].sql);
        assert_int_equal(open_store(f), DUNLIN_ERR_STORE);
        assert_error_says(f, cases[i].says);
        assert_error_says(f, "dunlin.db");
    }
    execute(f, "PRAGMA application_id=0x446e6c6e; PRAGMA user_version=2");
    open_and_attach(f);
    char difference[128];
    assert_true(world_equal(&f->loaded, &f->now, difference));
}

/* A database as the first release made it, with an observation in it and a value in its journal. */
static const char version_1_sql[] =
    "PRAGMA journal_mode=WAL;"
    "CREATE TABLE links(number INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE TABLE registration(slot INTEGER PRIMARY KEY, id INTEGER NOT NULL, endpoint TEXT NOT NULL,"
    " peer BLOB NOT NULL, lifetime_s INTEGER NOT NULL, registered_ms INTEGER NOT NULL, updated_ms INTEGER "
    "NOT "
    "NULL, links INTEGER NOT NULL, version INTEGER NOT NULL, binding INTEGER NOT NULL, flags INTEGER NOT "
    "NULL,"
    " sms TEXT);"
    "CREATE TABLE observation(number INTEGER PRIMARY KEY, endpoint TEXT NOT NULL, path TEXT NOT NULL,"
    " format INTEGER NOT NULL, since_ms INTEGER NOT NULL, token INTEGER NOT NULL);"
    "CREATE TABLE value(observation INTEGER PRIMARY KEY, received_ms INTEGER NOT NULL, code INTEGER NOT NULL,"
    " format INTEGER NOT NULL, payload BLOB NOT NULL);"
    "CREATE TABLE journal(sequence INTEGER PRIMARY KEY, changes BLOB NOT NULL);"
    "INSERT INTO links VALUES(3,'</1/0>');"
    "INSERT INTO registration VALUES(2,77,'old',x'0102',60,1000,2000,3,257,1,0,NULL);"
    "INSERT INTO observation VALUES(4,'old','/3303/0/5700',112,500,99);"
    "INSERT INTO value VALUES(4,600,69,112,x'aa');"
    "INSERT INTO journal VALUES(9, x'02020000008813000000000000');"
    "PRAGMA application_id=0x446e6c6e; PRAGMA user_version=1;";

static void a_database_of_version_1_is_brought_up_to_date(void **state)
{
    fixture *f = *state;
    world *old = &f->now;
    execute(f, version_1_sql);
    old->links[3] = (world_links){.used = true, .len = 6, .text = "</1/0>"};
    old->registrations[2] = (world_registration){.used = true, .endpoint_len = 3, .endpoint = "old"};
    old->registrations[2].fixed = (dn_store_registration){.slot = 2,
                                                          .id = 77,
                                                          .peer = {.len = 2, .bytes = {1, 2}},
                                                          .lifetime_s = 60,
                                                          .registered_ms = 1000,
                                                          .updated_ms = 5000,
                                                          .links = 3,
                                                          .version_major = 1,
                                                          .version_minor = 1,
                                                          .binding = 1};
    old->observations[4] = (world_observation){.used = true, .endpoint_len = 3, .endpoint = "old"};
    old->observations[4].fixed = (dn_store_observation){.number = 4,
                                                        .path = dunlin_path_resource(3303, 0, 5700),
                                                        .format = 112,
                                                        .since_ms = 500,
                                                        .token = 99};
    old->values[4] = (world_value){.used = true, .payload_len = 1, .payload = {0xaa}};
    old->values[4].fixed = (dn_store_value){.observation = 4, .received_ms = 600, .code = 69, .format = 112};
    char difference[128];
    for (int round = 0; round < 3; round++) { /* once raised it stays so, and works as any */
        open_and_attach(f);
        if (!world_equal(&f->loaded, &f->now, difference)) {
            fail_msg("round %d, loaded/expected: %s", round, difference);
        }
        fill(f, 30);
        close_store(f);
        assert_int_equal(query(f, "PRAGMA user_version"), 2);
    }
}

static void overwrite(fixture *f, long at, size_t count)
{
    FILE *file = fopen(scratch_path(f->dir, "dunlin.db"), "r+b");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    long end = count == 0 ? ftell(file) : at + (long)count;
    fseek(file, at, SEEK_SET);
    for (long i = at; i < end; i++) {
        fputc(0x5a, file);
    }
    fclose(file);
}

static void damage_is_reported_not_loaded(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *what;
        long at;
        size_t count;
    } cases[] = {
        {"the header", 0, 100},
        {"all but the first page", 4096, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unlink(scratch_path(f->dir, "dunlin.db"));
        memset(&f->now, 0, sizeof f->now);
        open_and_attach(f);
        fill(f, 50);
        close_store(f);
        overwrite(f, cases[i].at, cases[i].count);
        dunlin_status status = open_store(f);
        if (status == DUNLIN_OK) {
            memset(&f->loaded, 0, sizeof f->loaded);
            status = world_load(&f->loaded, f->store);
            snprintf(f->error, sizeof f->error, "%s", f->store->ops->error(f->store));
            close_store(f);
        }
        if (status != DUNLIN_ERR_STORE || f->error[0] == '\0') {
            fail_msg("%s: status %d, \"%s\"", cases[i].what, (int)status, f->error);
        }
    }
}

static void damaged_rows_are_reported(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *sql, *says;
    } cases[] = {
        {"INSERT INTO journal VALUES(1000000, x'63')", "row 1000000 of the journal"},
        {"INSERT INTO journal VALUES(1000000, x'0200000000')", "row 1000000 of the journal"},
        {"INSERT INTO journal VALUES(1000000, x'03ffffffff')", "number 4294967295"},
        {"INSERT INTO journal VALUES(1000000, x'0701000000')", "a change of type 7"},
        {"UPDATE registration SET peer=zeroblob(28)", "an address of 28 bytes"},
        {"UPDATE registration SET slot=4294967295 WHERE slot=(SELECT max(slot) FROM registration)",
         "the number 4294967295"},
        {"UPDATE observation SET path='/x'", "no valid path"},
        {"UPDATE request SET path='x'", "has no valid path"},
        {"DELETE FROM progress", "has no state"},
    };
    open_and_attach(f);
    fill(f, 50);
    close_store(f);
    char saved[SCRATCH_MAX];
    scratch_make(saved);
    scratch_copy_store(f->dir, saved);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        execute(f, cases[i].sql);
        assert_int_equal(open_store(f), DUNLIN_OK);
        memset(&f->loaded, 0, sizeof f->loaded);
        assert_int_equal(world_load(&f->loaded, f->store), DUNLIN_ERR_STORE);
        snprintf(f->error, sizeof f->error, "%s", f->store->ops->error(f->store));
        assert_error_says(f, cases[i].says);
        close_store(f);
        scratch_copy_store(saved, f->dir);
    }
    scratch_remove(saved);
}

static void places_that_cannot_hold_a_store_are_named(void **state)
{
    fixture *f = *state;
    dn_store *store = NULL;
    static const char *const places[] = {"/proc/dunlin", "/dev/null/x", "/nonexistent/parent/dir"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        dunlin_status status = dn_sqlite_store_open(places[i], &f->config, &store, f->error, sizeof f->error);
        assert_int_equal(status, DUNLIN_ERR_STORE);
        assert_error_says(f, places[i]);
    }
    assert_int_equal(mkdir(scratch_path(f->dir, "dunlin.db"), 0700), 0);
    assert_int_equal(open_store(f), DUNLIN_ERR_STORE);
    assert_error_says(f, "dunlin.db");
}

static void settings_out_of_range_are_refused(void **state)
{
    fixture *f = *state;
    dn_sqlite_config good = f->config;
    f->config.sweep_percent = 0;
    assert_int_equal(open_store(f), DUNLIN_ERR_ARGUMENT);
    f->config = good;
    f->config.cache_kib = 1;
    assert_int_equal(open_store(f), DUNLIN_ERR_ARGUMENT);
    f->config = good;
    f->config.log_kib = 0;
    assert_int_equal(open_store(f), DUNLIN_ERR_ARGUMENT);
    f->config = good;
    f->config.durability = (dn_durability)7;
    assert_int_equal(open_store(f), DUNLIN_ERR_ARGUMENT);
}

static void a_full_database_fails_the_commit_and_keeps_the_rest(void **state)
{
    fixture *f = *state;
    f->config.max_bytes = 40 * 4096;
    open_and_attach(f);
    world committed = f->now;
    dunlin_status status = DUNLIN_OK;
    for (int i = 0; i < 10000 && status == DUNLIN_OK; i++) {
        committed = f->now;
        status = world_commit(&f->now, &f->random, f->store);
    }
    assert_int_equal(status, DUNLIN_ERR_STORE);
    assert_non_null(strstr(f->store->ops->error(f->store), "full"));
    /* It stays failed, and its closing writes nothing of what it refused. */
    assert_int_equal(world_commit(&f->now, &f->random, f->store), DUNLIN_ERR_STORE);
    assert_non_null(strstr(f->store->ops->error(f->store), "full"));
    close_store(f);
    f->config.max_bytes = 0;
    open_and_attach(f);
    char difference[128];
    if (!world_equal(&f->loaded, &committed, difference)) {
        fail_msg("loaded/committed: %s", difference);
    }
}

static void the_log_stays_small(void **state)
{
    fixture *f = *state;
    f->config.journal_kib = 16;
    open_and_attach(f);
    long largest = 0;
    for (int i = 0; i < 3000; i++) {
        fill(f, 1);
        struct stat st;
        if (stat(scratch_path(f->dir, "dunlin.db-wal"), &st) == 0 && st.st_size > largest) {
            largest = (long)st.st_size;
        }
    }
    /* 64 KiB asked for; 8 times as much and one commit more at the worst, of up to 32 changes with 3 pages each. */
    assert_in_range(largest, 1, 8 * 64 * 1024 + 64 * 4096);
}

int main(void)
{
#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(closing_keeps_everything_and_empties_the_journal),
        WITH_FIXTURE(power_durability_keeps_too),
        WITH_FIXTURE(a_second_process_is_refused),
        WITH_FIXTURE(versions_and_foreign_files_are_told_apart),
        WITH_FIXTURE(a_database_of_version_1_is_brought_up_to_date),
        WITH_FIXTURE(damage_is_reported_not_loaded),
        WITH_FIXTURE(damaged_rows_are_reported),
        WITH_FIXTURE(places_that_cannot_hold_a_store_are_named),
        WITH_FIXTURE(settings_out_of_range_are_refused),
        WITH_FIXTURE(a_full_database_fails_the_commit_and_keeps_the_rest),
        WITH_FIXTURE(the_log_stays_small),
    };
    return cmocka_run_group_tests_name("sqlite", tests, NULL, NULL);
}
