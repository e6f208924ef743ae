/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A failing disk: every write and sync of a run fails in turn, with all after it. The commit must say so, and
 * a restart must find what was committed.
 */
#include "store/fault.h"
#include "store/scratch.h"
#include "store/sqlite.h"
#include "store/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COMMITS 60u
#define FIRST   30 /* these operations fail one by one, the later ones in steps */
#define STEP    17
#define SEED    5u

static world now, before, loaded;

static dunlin_status open_store(const char *dir, const char *vfs, dn_durability durability, dn_store **store,
                                char *error)
{
    dn_sqlite_config config = dn_sqlite_config_default();
    config.log_kib = 64;
    config.journal_kib = 4;
    config.vfs = vfs;
    config.durability = durability;
    return dn_sqlite_store_open(dir, &config, store, error, 400);
}

/* Runs until a commit fails or the run is over; `now` and `before` are the state after and before the last
 * commit. */
static dunlin_status run(dn_store *store)
{
    dn_seeded seeded;
    dn_seeded_init(&seeded, SEED);
    dn_random random = dn_seeded_random(&seeded);
    dn_store_source source = world_source(&now);
    store->ops->attach(store, &source);
    dunlin_status status = DUNLIN_OK;
    for (uint32_t i = 0; i < COMMITS && status == DUNLIN_OK; i++) {
        before = now;
        status = world_commit(&now, &random, store);
    }
    return status;
}

static void assert_found(const char *dir, int64_t at)
{
    char error[400];
    char difference[128];
    dn_store *store = NULL;
    fault_arm(INT64_MAX, FAULT_IO);
    if (open_store(dir, NULL, DN_DURABILITY_PROCESS, &store, error) != DUNLIN_OK) {
        fail_msg("operation %lld: %s", (long long)at, error);
    }
    memset(&loaded, 0, sizeof loaded);
    assert_int_equal(world_load(&loaded, store), DUNLIN_OK);
    store->ops->close(store);
    /* A failed commit may have reached the disk all the same: the failure may have come after it. */
    if (!world_equal(&loaded, &before, difference) && !world_equal(&loaded, &now, difference)) {
        fail_msg("operation %lld, loaded/expected: %s", (long long)at, difference);
    }
}

/* False: the whole run came before operation `at`. */
static bool fail_at(int64_t at, fault_kind kind, dn_durability durability)
{
    char dir[SCRATCH_MAX];
    char error[400] = "";
    dn_store *store = NULL;
    scratch_make(dir);
    memset(&now, 0, sizeof now);
    memset(&before, 0, sizeof before);
    fault_arm(at, kind);
    dunlin_status status = open_store(dir, FAULT_VFS, durability, &store, error);
    if (status == DUNLIN_OK) {
        memset(&loaded, 0, sizeof loaded);
        assert_int_equal(world_load(&loaded, store), DUNLIN_OK);
        status = run(store);
        assert_true((status == DUNLIN_OK) == (store->ops->error(store)[0] == '\0'));
        if (status != DUNLIN_OK) {
            assert_int_equal(store->ops->commit(store), DUNLIN_ERR_STORE); /* it stays so */
        } else {
            before = now;
        }
        store->ops->close(store);
    } else {
        assert_true(error[0] != '\0');
        assert_null(store);
    }
    bool happened = fault_happened();
    assert_true(status == DUNLIN_OK || (status == DUNLIN_ERR_STORE && happened));
    assert_found(dir, at);
    scratch_remove(dir);
    return happened;
}

static int64_t fail_everywhere(fault_kind kind, dn_durability durability)
{
    int64_t at = 0;
    while (fail_at(at, kind, durability)) {
        at += at < FIRST ? 1 : STEP;
    }
    return at;
}

static void failing_writes_come_out_at_commit(void **state)
{
    (void)state;
    int64_t operations = fail_everywhere(FAULT_IO, DN_DURABILITY_PROCESS);
    print_message("%lld operations\n", (long long)operations);
    assert_true(operations > COMMITS);
}

static void a_full_disk_comes_out_at_commit(void **state)
{
    (void)state;
    assert_true(fail_everywhere(FAULT_DISK_FULL, DN_DURABILITY_POWER) > COMMITS);
}

int main(void)
{
    if (!fault_register()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failing_writes_come_out_at_commit),
        cmocka_unit_test(a_full_disk_comes_out_at_commit),
    };
    return cmocka_run_group_tests_name("sqlite_fault", tests, NULL, NULL);
}
