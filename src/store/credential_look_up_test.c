/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups that share a snapshot and remember what they found: every change is seen by the next one, and the log of SQLite stays small. */
#include "store/credentials.h"
#include "store/scratch.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include <cmocka.h>

#define FOR_EVER 3600000u

typedef struct {
    char dir[SCRATCH_MAX];
    dn_credentials *keeper;
} fixture;

static int set_up(void **state)
{
    char error[400];
    fixture *f = calloc(1, sizeof *f);
    dn_credential_store_config config = dn_credential_store_config_default();
    scratch_make(f->dir);
    config.dir = f->dir;
    config.snapshot_ms = FOR_EVER;
    if (dn_credential_store_open(&config, &f->keeper, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    f->keeper->ops->close(f->keeper);
    scratch_remove(f->dir);
    free(f);
    return 0;
}

static dn_credential psk(const char *endpoint, const char *identity, const char *key)
{
    dn_credential c = {.mode = DN_SECURITY_PSK,
                       .endpoint_len = (uint8_t)strlen(endpoint),
                       .identity_len = (uint8_t)strlen(identity),
                       .key_len = (uint8_t)strlen(key)};
    memcpy(c.endpoint, endpoint, strlen(endpoint));
    memcpy(c.identity, identity, strlen(identity));
    memcpy(c.key, key, strlen(key));
    return c;
}

static void put(fixture *f, const char *endpoint, const char *identity, const char *key)
{
    const dn_credential c = psk(endpoint, identity, key);
    assert_int_equal(f->keeper->ops->put(f->keeper, &c, NULL), DUNLIN_OK);
}

static dunlin_status find(fixture *f, const char *identity, dn_credential *out)
{
    return f->keeper->ops->find_psk(f->keeper, dunlin_slice_of(identity), out);
}

static dn_credential must_find(fixture *f, const char *identity, const char *key)
{
    dn_credential found;
    assert_int_equal(find(f, identity, &found), DUNLIN_OK);
    assert_int_equal(found.key_len, strlen(key));
    assert_memory_equal(found.key, key, found.key_len);
    return found;
}

static bool is_current(fixture *f, const dn_credential *c)
{
    return f->keeper->ops->is_current(f->keeper, c->number, c->generation);
}

static void own_changes_are_seen_at_once(void **state)
{
    fixture *f = *state;
    dn_credential found;
    put(f, "a", "id-a", "key-of-a");
    put(f, "b", "id-b", "key-of-b");
    const dn_credential first = must_find(f, "id-a", "key-of-a");
    const dn_credential other = must_find(f, "id-b", "key-of-b");
    assert_true(is_current(f, &first));
    put(f, "a", "id-a", "another-key");
    assert_false(is_current(f, &first));
    assert_true(is_current(f, &other));
    const dn_credential second = must_find(f, "id-a", "another-key");
    assert_int_equal(second.number, first.number);
    assert_true(is_current(f, &second));
    assert_false(is_current(f, &first));
    put(f, "a", "id-a", "another-key"); /* proves the same */
    assert_true(is_current(f, &second));
    put(f, "a", "id-new", "another-key");
    assert_int_equal(find(f, "id-a", &found), DUNLIN_ERR_NOT_FOUND);
    const dn_credential third = must_find(f, "id-new", "another-key");
    assert_int_equal(f->keeper->ops->remove(f->keeper, dunlin_slice_of("a")), DUNLIN_OK);
    assert_false(is_current(f, &third));
    assert_int_equal(find(f, "id-new", &found), DUNLIN_ERR_NOT_FOUND);
    assert_false(f->keeper->ops->is_known(f->keeper, dunlin_slice_of("a")));
    assert_true(f->keeper->ops->is_known(f->keeper, dunlin_slice_of("b")));
    assert_false(f->keeper->ops->is_current(f->keeper, 0, 0));
}

static void what_is_staged_is_seen_at_once(void **state)
{
    fixture *f = *state;
    dn_credential found;
    const dn_credential staged = psk("a", "id-next", "next-key");
    const dunlin_slice endpoint = dunlin_slice_of("a");
    put(f, "a", "id-a", "key-of-a");
    const dn_credential former = must_find(f, "id-a", "key-of-a");
    assert_int_equal(find(f, "id-next", &found), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(f->keeper->ops->stage(f->keeper, &staged, 1), DUNLIN_OK);
    const dn_credential next = must_find(f, "id-next", "next-key");
    assert_true(is_current(f, &former) && is_current(f, &next));
    assert_int_equal(f->keeper->ops->promote(f->keeper, &endpoint, 1), DUNLIN_OK);
    assert_false(is_current(f, &former));
    assert_true(is_current(f, &next));
    assert_int_equal(find(f, "id-a", &found), DUNLIN_ERR_NOT_FOUND);
}

/* Two whose numbers fall on one place of what is remembered. */
static void many_are_found(void **state)
{
    fixture *f = *state;
    dn_credential list[1200];
    dn_credential found[1200];
    char name[32];
    for (size_t i = 0; i < 1200; i++) {
        (void)snprintf(name, sizeof name, "device-%zu", i);
        list[i] = psk(name, name, "the-key-of-it");
    }
    assert_int_equal(f->keeper->ops->stage(f->keeper, list, 1200), DUNLIN_OK);
    for (size_t i = 0; i < 1200; i++) {
        (void)snprintf(name, sizeof name, "device-%zu", i);
        found[i] = must_find(f, name, "the-key-of-it");
    }
    for (size_t i = 0; i < 1200; i++) {
        assert_true(is_current(f, &found[i]));
        found[i].generation++;
        assert_false(is_current(f, &found[i]));
    }
}

static void meddle(const fixture *f, const char *sql)
{
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(scratch_path(f->dir, DN_CREDENTIALS_FILE), &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
}

/* That is what a snapshot is; with its age it ends. */
static void others_changes_are_seen_with_the_next_snapshot(void **state)
{
    fixture *f = *state;
    dn_credential found;
    put(f, "a", "id-a", "key-of-a");
    (void)must_find(f, "id-a", "key-of-a");
    meddle(f, "UPDATE credential SET sealed=zeroblob(36) WHERE endpoint=x'61'");
    (void)must_find(f, "id-a", "key-of-a");
    put(f, "b", "id-b", "key-of-b");
    assert_int_equal(find(f, "id-a", &found), DUNLIN_ERR_STORE);
    (void)must_find(f, "id-b", "key-of-b");
}

#define CHANGES 450u

static void *look_up(void *context)
{
    fixture *f = context;
    dn_credential found;
    for (unsigned i = 0; i < 20000; i++) {
        (void)find(f, "id-b", &found);
    }
    return NULL;
}

/* A snapshot must not keep the log from being begun anew: between all of these changes there are look-ups. */
static void the_log_stays_small(void **state)
{
    fixture *f = *state;
    struct stat log;
    pthread_t thread;
    put(f, "b", "id-b", "key-of-b");
    assert_int_equal(pthread_create(&thread, NULL, look_up, f), 0);
    for (unsigned i = 0; i < CHANGES; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "the-key-number-%u", i);
        put(f, "a", "id-a", key);
        (void)must_find(f, "id-a", key);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(stat(scratch_path(f->dir, DN_CREDENTIALS_FILE "-wal"), &log), 0);
    assert_true(log.st_size < 6 * 1024 * 1024); /* SQLite begins anew at 1,000 pages of 4,096 bytes */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(own_changes_are_seen_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_staged_is_seen_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_are_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(others_changes_are_seen_with_the_next_snapshot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_log_stays_small, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
