/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill -9 at any time loses nothing that was committed: a process writes, says after each commit how many it
 * has made, and is killed at a moment that a seed chooses. What it leaves must be the state after the last
 * commit that it told of, or after the one that it was making.
 */
#include "store/scratch.h"
#include "store/sqlite.h"
#include "store/world.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ROUNDS      100u
#define COMMITS_MAX 120u
#define SPIN_MAX    20000u

typedef _Atomic uint32_t counter;

/* Small sizes: a kill must meet sweeps, trimming and checkpoints too. */
static dn_store *open_store(const char *dir, world *loaded)
{
    char error[400];
    dn_store *store = NULL;
    dn_sqlite_config config = dn_sqlite_config_default();
    config.log_kib = 64;
    config.journal_kib = 8;
    if (dn_sqlite_store_open(dir, &config, &store, error, sizeof error) != DUNLIN_OK) {
        fprintf(stderr, "%s\n", error);
        return NULL;
    }
    if (world_load(loaded, store) != DUNLIN_OK) {
        fprintf(stderr, "load: %s\n", store->ops->error(store));
        store->ops->close(store);
        return NULL;
    }
    return store;
}

/* The writing process; ends only by being killed, or with 1 if something fails. */
static _Noreturn void write_until_killed(const char *dir, world *now, uint64_t seed, counter *told)
{
    static world loaded;
    dn_seeded seeded;
    dn_seeded_init(&seeded, seed);
    dn_random random = dn_seeded_random(&seeded);
    dn_store *store = open_store(dir, &loaded);
    if (store != NULL) {
        dn_store_source source = world_source(now);
        store->ops->attach(store, &source);
        while (world_commit(now, &random, store) == DUNLIN_OK) {
            atomic_fetch_add(told, 1);
        }
        fprintf(stderr, "commit: %s\n", store->ops->error(store));
    }
    _exit(1);
}

static void wait_for_commits(pid_t pid, counter *told, uint32_t target, uint32_t spins)
{
    int status;
    while (atomic_load(told) < target) {
        if (waitpid(pid, &status, WNOHANG) == pid) {
            fail_msg("the writer ended by itself");
        }
        usleep(50);
    }
    for (volatile uint32_t i = 0; i < spins; i++) {
    }
}

/* Makes `w` what it was after `commits` commits with this seed. */
static void replay(world *w, uint64_t seed, uint32_t commits)
{
    dn_seeded seeded;
    dn_seeded_init(&seeded, seed);
    dn_random random = dn_seeded_random(&seeded);
    for (uint32_t i = 0; i < commits; i++) {
        world_commit(w, &random, NULL);
    }
}

static void kill_minus_nine_loses_nothing_committed(void **state)
{
    (void)state;
    static world now, expected, next, loaded;
    char dir[SCRATCH_MAX];
    char difference[128];
    scratch_make(dir);
    counter *told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(told != MAP_FAILED);
    dn_seeded seeded;
    dn_seeded_init(&seeded, 2026);
    dn_random random = dn_seeded_random(&seeded);
    uint32_t between = 0;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        atomic_store(told, 0);
        fflush(NULL);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            write_until_killed(dir, &now, round, told);
        }
        uint32_t target = (uint32_t)dn_random_between(&random, 0, COMMITS_MAX);
        wait_for_commits(pid, told, target, (uint32_t)dn_random_between(&random, 0, SPIN_MAX));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);

        uint32_t commits = atomic_load(told);
        memset(&loaded, 0, sizeof loaded);
        dn_store *store = open_store(dir, &loaded);
        assert_non_null(store);
        store->ops->close(store); /* nothing attached: the journal stays for the next round */
        expected = now;
        replay(&expected, round, commits);
        if (!world_equal(&loaded, &expected, difference)) {
            next = now;
            replay(&next, round, commits + 1);
            if (!world_equal(&loaded, &next, difference)) {
                fail_msg("round %u after %u commits, loaded/expected: %s", (unsigned)round, commits,
                         difference);
            }
            between++;
        }
        now = loaded;
    }
    print_message("%u rounds, %u killed between a commit and its telling\n", ROUNDS, between);
    munmap(told, sizeof *told);
    scratch_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kill_minus_nine_loses_nothing_committed)};
    return cmocka_run_group_tests_name("sqlite_crash", tests, NULL, NULL);
}
