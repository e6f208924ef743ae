/* SPDX-License-Identifier: Apache-2.0 */
/* Staged credentials (security/credentials.h): both hold until one is promoted, whatever comes between; asked of both keepers. */
#include "store/credentials.h"
#include "store/scratch.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include <cmocka.h>

typedef struct {
    bool on_disk;
    char dir[SCRATCH_MAX];
    char error[400];
    dn_credentials *keeper;
    pthread_mutex_t lock; /* a keeper's thread tells of changes, too */
    uint64_t old[8], fresh[8];
    size_t old_count, fresh_count;
} fixture;

static void changed(void *context, uint64_t number, bool is_new)
{
    fixture *f = context;
    pthread_mutex_lock(&f->lock);
    if (is_new) {
        f->fresh[f->fresh_count++ % 8] = number;
    } else {
        f->old[f->old_count++ % 8] = number;
    }
    pthread_mutex_unlock(&f->lock);
}

static bool try_open(fixture *f)
{
    dn_credential_store_config config = dn_credential_store_config_default();
    config.dir = f->on_disk ? f->dir : NULL;
    config.max = 1000;
    if (dn_credential_store_open(&config, &f->keeper, f->error, sizeof f->error) != DUNLIN_OK) {
        f->keeper = NULL;
        return false;
    }
    dn_credentials_watch(f->keeper, changed, f);
    return true;
}

static void open_keeper(fixture *f)
{
    if (!try_open(f)) {
        fail_msg("%s", f->error);
    }
}

static void close_keeper(fixture *f)
{
    if (f->keeper != NULL) {
        f->keeper->ops->close(f->keeper);
        f->keeper = NULL;
    }
}

static int set_up(void **state, bool on_disk)
{
    fixture *f = calloc(1, sizeof *f);
    f->on_disk = on_disk;
    pthread_mutex_init(&f->lock, NULL);
    scratch_make(f->dir);
    open_keeper(f);
    *state = f;
    return 0;
}

static int set_up_memory(void **state)
{
    return set_up(state, false);
}

static int set_up_disk(void **state)
{
    return set_up(state, true);
}

static int tear_down(void **state)
{
    fixture *f = *state;
    close_keeper(f);
    scratch_remove(f->dir);
    pthread_mutex_destroy(&f->lock);
    free(f);
    return 0;
}

static void restart(fixture *f)
{
    if (f->on_disk) {
        close_keeper(f);
        open_keeper(f);
    }
}

static void forget_changes(fixture *f)
{
    f->old_count = f->fresh_count = 0;
}

static dn_credential of_mode(const char *endpoint, unsigned mode)
{
    dn_credential c = {.mode = (uint8_t)mode, .endpoint_len = (uint8_t)strlen(endpoint)};
    memcpy(c.endpoint, endpoint, strlen(endpoint));
    c.is_pattern = dn_endpoint_is_pattern(dunlin_slice_of(endpoint));
    return c;
}

static dn_credential psk(const char *endpoint, const char *identity, uint8_t fill)
{
    dn_credential c = of_mode(endpoint, DN_SECURITY_PSK);
    c.identity_len = (uint8_t)strlen(identity);
    memcpy(c.identity, identity, strlen(identity));
    c.key_len = 16;
    memset(c.key, fill, c.key_len);
    return c;
}

static dunlin_status put(fixture *f, dn_credential c)
{
    return f->keeper->ops->put(f->keeper, &c, NULL);
}

static dunlin_status stage(fixture *f, dn_credential c)
{
    return f->keeper->ops->stage(f->keeper, &c, 1);
}

static dunlin_status promote(fixture *f, const char *endpoint)
{
    const dunlin_slice name = dunlin_slice_of(endpoint);
    return f->keeper->ops->promote(f->keeper, &name, 1);
}

/* The first byte of the key of an identity; -1: nobody is let in by it. */
static int key_of(fixture *f, const char *identity)
{
    dn_credential found;
    dunlin_status status = f->keeper->ops->find_psk(f->keeper, dunlin_slice_of(identity), &found);
    return status == DUNLIN_OK ? found.key[0] : status == DUNLIN_ERR_NOT_FOUND ? -1 : -2;
}

static dn_credential staged(fixture *f, const char *endpoint)
{
    dn_credential c = {0};
    if (f->keeper->ops->get_staged(f->keeper, dunlin_slice_of(endpoint), &c) != DUNLIN_OK) {
        c.number = 0;
    }
    return c;
}

static dn_credential current(fixture *f, const char *endpoint)
{
    dn_credential c = {0};
    if (f->keeper->ops->get(f->keeper, dunlin_slice_of(endpoint), &c) != DUNLIN_OK) {
        c.number = 0;
    }
    return c;
}

static bool is_current(fixture *f, const dn_credential *c)
{
    return f->keeper->ops->is_current(f->keeper, c->number, c->generation);
}

static void count_page(void *context, const dn_credential_page *page)
{
    *(size_t *)context = page->count;
}

static size_t listed(fixture *f)
{
    size_t count = 0;
    assert_int_equal(
        f->keeper->ops->list(f->keeper, dunlin_slice_of(""), 1000, dunlin_slice_of(""), count_page, &count),
        DUNLIN_OK);
    return count;
}

/* ---- tests ---- */

static void both_hold_until_one_is_promoted(void **state)
{
    fixture *f = *state;
    assert_int_equal(put(f, psk("a", "old", 1)), DUNLIN_OK);
    const dn_credential former = current(f, "a");
    forget_changes(f);
    assert_int_equal(stage(f, psk("a", "new", 2)), DUNLIN_OK);
    assert_int_equal(f->old_count + f->fresh_count, 0);
    restart(f);
    assert_int_equal(key_of(f, "old"), 1);
    assert_int_equal(key_of(f, "new"), 2);
    const dn_credential handed = staged(f, "a");
    assert_int_equal(handed.key[0], 2); /* it is handed out once more from here */
    assert_true(is_current(f, &former) && is_current(f, &handed));
    assert_int_equal(current(f, "a").number, former.number);
    assert_int_equal(listed(f), 1);
    assert_int_equal(f->keeper->ops->count(f->keeper), 1);
    forget_changes(f);
    assert_int_equal(promote(f, "a"), DUNLIN_OK);
    assert_int_equal(f->fresh_count, 0);
    assert_int_equal(f->old_count, 1);
    assert_int_equal(f->old[0], former.number);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(key_of(f, "old"), -1);
        assert_int_equal(key_of(f, "new"), 2);
        assert_false(is_current(f, &former));
        assert_true(is_current(f, &handed)); /* sessions go on */
        assert_int_equal(current(f, "a").number, handed.number);
        assert_int_equal(staged(f, "a").number, 0);
        assert_int_equal(listed(f), 1);
        assert_int_equal(f->keeper->ops->count(f->keeper), 1);
        restart(f);
    }
    forget_changes(f);
    assert_int_equal(promote(f, "a"), DUNLIN_OK); /* nothing is staged */
    assert_int_equal(promote(f, "nobody"), DUNLIN_OK);
    assert_int_equal(f->old_count + f->fresh_count, 0);
}

static void the_first_one_of_an_endpoint(void **state)
{
    fixture *f = *state;
    assert_int_equal(stage(f, psk("a", "new", 2)), DUNLIN_OK);
    restart(f);
    assert_int_equal(f->keeper->ops->count(f->keeper), 0);
    assert_false(f->keeper->ops->is_known(f->keeper, dunlin_slice_of("a")));
    assert_int_equal(current(f, "a").number, 0);
    assert_int_equal(key_of(f, "new"), 2);
    forget_changes(f);
    assert_int_equal(promote(f, "a"), DUNLIN_OK);
    assert_int_equal(f->old_count, 0);
    assert_int_equal(f->fresh_count, 1); /* the server counts credentials */
    assert_int_equal(f->keeper->ops->count(f->keeper), 1);
    assert_true(f->keeper->ops->is_known(f->keeper, dunlin_slice_of("a")));
}

static void one_staged_replaces_another(void **state)
{
    fixture *f = *state;
    assert_int_equal(stage(f, psk("a", "first", 1)), DUNLIN_OK);
    const dn_credential first = staged(f, "a");
    assert_int_equal(stage(f, psk("a", "first", 1)), DUNLIN_OK); /* the same: nothing happens */
    assert_int_equal(staged(f, "a").number, first.number);
    assert_int_equal(f->old_count + f->fresh_count, 0);
    assert_int_equal(stage(f, psk("a", "second", 2)), DUNLIN_OK);
    assert_int_equal(f->old_count, 1);
    assert_int_equal(f->old[0], first.number);
    assert_int_equal(key_of(f, "first"), -1);
    assert_int_equal(key_of(f, "second"), 2);
    assert_int_equal(stage(f, psk("a", "second", 3)), DUNLIN_OK);
    assert_int_equal(key_of(f, "second"), 3);
    /* What holds already needs no staging; another one that was staged is off. */
    assert_int_equal(put(f, psk("a", "current", 9)), DUNLIN_OK);
    assert_int_equal(stage(f, psk("a", "current", 9)), DUNLIN_OK);
    assert_int_equal(staged(f, "a").number, 0);
    assert_int_equal(key_of(f, "current"), 9);
    assert_int_equal(key_of(f, "second"), -1);
}

static void identities_are_unique_across_both(void **state)
{
    fixture *f = *state;
    const dn_credential two[] = {psk("c", "fresh", 1), psk("d", "held", 1)};
    const dn_credential twins[] = {psk("c", "twin", 1), psk("d", "twin", 1)};
    assert_int_equal(put(f, psk("a", "held", 1)), DUNLIN_OK);
    assert_int_equal(stage(f, psk("b", "waits", 1)), DUNLIN_OK);
    forget_changes(f);
    assert_int_equal(stage(f, psk("c", "held", 1)), DUNLIN_ERR_DUPLICATE);
    assert_int_equal(stage(f, psk("a", "held", 2)), DUNLIN_ERR_DUPLICATE); /* both could not hold */
    assert_int_equal(stage(f, psk("c", "waits", 1)), DUNLIN_ERR_DUPLICATE);
    assert_int_equal(put(f, psk("c", "waits", 1)), DUNLIN_ERR_DUPLICATE);
    assert_int_equal(f->keeper->ops->stage(f->keeper, two, 2), DUNLIN_ERR_DUPLICATE); /* all or none */
    assert_int_equal(f->keeper->ops->stage(f->keeper, twins, 2), DUNLIN_ERR_DUPLICATE);
    assert_int_equal(key_of(f, "fresh"), -1);
    assert_int_equal(staged(f, "c").number, 0);
    assert_int_equal(key_of(f, "held"), 1);
    assert_int_equal(f->old_count + f->fresh_count, 0);
    /* What is put by hand for the same endpoint takes the place of what is staged. */
    const uint64_t waits = staged(f, "b").number;
    assert_int_equal(put(f, psk("b", "waits", 7)), DUNLIN_OK);
    assert_int_equal(key_of(f, "waits"), 7);
    assert_int_equal(staged(f, "b").number, 0);
    assert_int_equal(f->old[0], waits);
}

/* Who changes a credential wants no other one to come back. */
static void a_put_ends_what_is_staged(void **state)
{
    fixture *f = *state;
    assert_int_equal(put(f, psk("a", "old", 1)), DUNLIN_OK);
    assert_int_equal(stage(f, psk("a", "handed out", 2)), DUNLIN_OK);
    const uint64_t number = staged(f, "a").number;
    assert_int_equal(put(f, psk("a", "old", 1)), DUNLIN_OK); /* nothing new */
    assert_int_equal(key_of(f, "handed out"), 2);
    forget_changes(f);
    assert_int_equal(put(f, psk("a", "new", 3)), DUNLIN_OK);
    assert_int_equal(key_of(f, "handed out"), -1);
    assert_int_equal(key_of(f, "new"), 3);
    assert_int_equal(staged(f, "a").number, 0);
    f->keeper->ops->proved(f->keeper, number); /* a session of before */
    assert_int_equal(key_of(f, "new"), 3);
    assert_true(f->old_count > 0);
}

static void bad_ones_are_refused(void **state)
{
    fixture *f = *state;
    dn_credential c = psk("a", "a", 1);
    c.key_len = 3;
    const dn_credential list[] = {psk("b", "b", 1), c};
    assert_int_equal(f->keeper->ops->stage(f->keeper, list, 2), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(key_of(f, "b"), -1);
    assert_int_equal(stage(f, psk("a*", "a", 1)), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(f->keeper->ops->stage(f->keeper, NULL, 0), DUNLIN_OK);
    assert_int_equal(f->keeper->ops->promote(f->keeper, NULL, 0), DUNLIN_OK);
    /* No more than there may be of both together. */
    static dn_credential many[1000];
    for (unsigned i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%u", i);
        many[i] = psk(name, name, 1);
    }
    assert_int_equal(f->keeper->ops->stage(f->keeper, many, 1000), DUNLIN_OK);
    assert_int_equal(stage(f, psk("one more", "one more", 1)), DUNLIN_ERR_LIMIT);
    assert_int_equal(stage(f, psk("n7", "another", 1)), DUNLIN_OK);
}

static void removal_takes_both(void **state)
{
    fixture *f = *state;
    assert_int_equal(put(f, psk("a", "old", 1)), DUNLIN_OK);
    assert_int_equal(stage(f, psk("a", "new", 2)), DUNLIN_OK);
    assert_int_equal(stage(f, psk("b", "alone", 3)), DUNLIN_OK);
    const uint64_t numbers[] = {current(f, "a").number, staged(f, "a").number, staged(f, "b").number};
    forget_changes(f);
    assert_int_equal(f->keeper->ops->remove(f->keeper, dunlin_slice_of("a")), DUNLIN_OK);
    assert_int_equal(f->keeper->ops->remove(f->keeper, dunlin_slice_of("b")), DUNLIN_OK);
    assert_int_equal(f->keeper->ops->remove(f->keeper, dunlin_slice_of("b")), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(f->old_count, 3);
    assert_memory_equal(f->old, numbers, sizeof numbers);
    assert_int_equal(key_of(f, "old"), -1);
    assert_int_equal(key_of(f, "new"), -1);
    assert_int_equal(key_of(f, "alone"), -1);
    assert_int_equal(f->keeper->ops->count(f->keeper), 0);
    assert_int_equal(promote(f, "a"), DUNLIN_OK);
    assert_int_equal(current(f, "a").number, 0);
}

static void await_promotion(fixture *f, const char *endpoint)
{
    for (unsigned i = 0; staged(f, endpoint).number != 0; i++) {
        const struct timespec pause = {.tv_nsec = 1000000};
        assert_true(i < 60000);
        (void)nanosleep(&pause, NULL);
    }
}

static void what_was_proved_is_promoted(void **state)
{
    fixture *f = *state;
    assert_int_equal(put(f, psk("a", "old", 1)), DUNLIN_OK);
    assert_int_equal(stage(f, psk("a", "new", 2)), DUNLIN_OK);
    assert_int_equal(stage(f, psk("b", "other", 3)), DUNLIN_OK);
    const dn_credential handed = staged(f, "a");
    f->keeper->ops->proved(f->keeper, 0);
    f->keeper->ops->proved(f->keeper, 123456789);
    f->keeper->ops->proved(f->keeper, current(f, "a").number);
    restart(f); /* the number is one of a staged one after it, too */
    f->keeper->ops->proved(f->keeper, handed.number);
    f->keeper->ops->proved(f->keeper, handed.number);
    await_promotion(f, "a");
    assert_int_equal(key_of(f, "old"), -1);
    assert_int_equal(current(f, "a").number, handed.number);
    assert_true(is_current(f, &handed));
    assert_int_not_equal(staged(f, "b").number, 0);
}

/* The server may end while the keeper's thread is about to tell it of a change. */
static void nobody_is_told_any_more(void **state)
{
    fixture *f = *state;
    for (uint8_t round = 1; round <= 10; round++) {
        char identity[16];
        snprintf(identity, sizeof identity, "round %u", round);
        assert_int_equal(stage(f, psk("a", identity, round)), DUNLIN_OK);
        f->keeper->ops->proved(f->keeper, staged(f, "a").number);
        dn_credentials_watch(f->keeper, NULL, NULL);
        const size_t told = f->old_count + f->fresh_count; /* without a lock: nobody is in there now */
        await_promotion(f, "a");
        assert_int_equal(f->old_count + f->fresh_count, told);
        assert_int_equal(key_of(f, identity), round);
        dn_credentials_watch(f->keeper, changed, f);
    }
}

/* A certificate is found by the endpoint's name while its credential waits beside a pre-shared key. */
static void certificates_can_wait(void **state)
{
    fixture *f = *state;
    const uint8_t fingerprint[DN_FINGERPRINT_LEN] = {1, 2, 3};
    const dunlin_slice names[] = {dunlin_slice_of("a")};
    const dn_certificate_claims claims = {
        .fingerprint = fingerprint, .names = names, .count = 1, .is_trusted = true};
    dn_credential found;
    assert_int_equal(put(f, psk("a", "old", 1)), DUNLIN_OK);
    assert_int_equal(f->keeper->ops->find_names(f->keeper, &claims, &found), DUNLIN_ERR_ACCESS);
    assert_int_equal(stage(f, of_mode("a", DN_SECURITY_X509)), DUNLIN_OK);
    assert_int_equal(f->keeper->ops->find_names(f->keeper, &claims, &found), DUNLIN_OK);
    assert_int_equal(found.number, staged(f, "a").number);
    assert_int_equal(key_of(f, "old"), 1);
    f->keeper->ops->proved(f->keeper, found.number);
    await_promotion(f, "a");
    assert_int_equal(key_of(f, "old"), -1);
    assert_int_equal(f->keeper->ops->find_names(f->keeper, &claims, &found), DUNLIN_OK);
}

/* ---- on the disk ---- */

static void meddle(const fixture *f, const char *name, const char *sql)
{
    sqlite3 *other = NULL;
    char *error = NULL;
    assert_int_equal(sqlite3_open(scratch_path(f->dir, name), &other), SQLITE_OK);
    if (sqlite3_exec(other, sql, NULL, NULL, &error) != SQLITE_OK) {
        fail_msg("%s: %s", sql, error);
    }
    sqlite3_close(other);
}

/* The tables as the first release made them. */
static const char schema_1[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE credential(number INTEGER PRIMARY KEY, generation INTEGER NOT NULL, mode INTEGER NOT NULL,"
    " pattern INTEGER NOT NULL, endpoint BLOB NOT NULL, identity BLOB, public_key BLOB, name BLOB,"
    " fingerprint BLOB, key_len INTEGER NOT NULL, created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,"
    " seal INTEGER NOT NULL, sealed BLOB NOT NULL);"
    "CREATE UNIQUE INDEX credential_endpoint ON credential(endpoint);"
    "CREATE UNIQUE INDEX credential_identity ON credential(identity) WHERE identity IS NOT NULL;"
    "CREATE UNIQUE INDEX credential_public_key ON credential(public_key) WHERE public_key IS NOT NULL;"
    "CREATE INDEX credential_name ON credential(name) WHERE name IS NOT NULL;"
    "CREATE INDEX credential_fingerprint ON credential(fingerprint) WHERE fingerprint IS NOT NULL;"
    "CREATE INDEX credential_pattern ON credential(pattern) WHERE pattern=1;"
    "CREATE INDEX credential_seal ON credential(seal);"
    "CREATE TABLE sequence(next INTEGER NOT NULL);"
    "INSERT INTO sequence VALUES(1);"
    "PRAGMA application_id=1148076914;"
    "PRAGMA user_version=1;"
    "COMMIT;";

static void a_database_of_the_former_schema(void **state)
{
    fixture *f = *state;
    char sql[512];
    assert_int_equal(put(f, psk("a", "id a", 1)), DUNLIN_OK);
    assert_int_equal(put(f, psk("p-*", "id p", 2)), DUNLIN_OK);
    const dn_credential before = current(f, "a");
    close_keeper(f);
    meddle(f, "former.db", schema_1);
    snprintf(
        sql, sizeof sql,
        "ATTACH '%s' AS now; INSERT INTO credential SELECT number,generation,mode,pattern,endpoint,identity,"
        "public_key,name,fingerprint,key_len,created_ms,changed_ms,seal,sealed FROM now.credential;"
        "UPDATE sequence SET next=(SELECT next FROM now.sequence); DETACH now;",
        scratch_path(f->dir, DN_CREDENTIALS_FILE));
    meddle(f, "former.db", sql);
    assert_int_equal(rename(scratch_path(f->dir, "former.db"), scratch_path(f->dir, DN_CREDENTIALS_FILE)), 0);
    for (unsigned i = 0; i < 2; i++) {
        open_keeper(f);
        assert_int_equal(f->keeper->ops->count(f->keeper), 2);
        assert_int_equal(key_of(f, "id a"), 1);
        assert_true(is_current(f, &before));
        assert_true(f->keeper->ops->is_known(f->keeper, dunlin_slice_of("p-7")));
        close_keeper(f);
    }
    open_keeper(f);
    assert_int_equal(stage(f, psk("a", "id new", 3)), DUNLIN_OK);
    assert_true(staged(f, "a").number > before.number);
    assert_int_equal(promote(f, "a"), DUNLIN_OK);
    assert_int_equal(key_of(f, "id a"), -1);
    close_keeper(f);
    meddle(f, DN_CREDENTIALS_FILE, "PRAGMA user_version=3");
    assert_false(try_open(f));
    assert_non_null(strstr(f->error, "newer release"));
}

/* A row that was changed by another program must not cost the device the one that is good. */
static void a_damaged_staged_row_is_not_promoted(void **state)
{
    fixture *f = *state;
    assert_int_equal(put(f, psk("a", "old", 1)), DUNLIN_OK);
    assert_int_equal(stage(f, psk("a", "new", 2)), DUNLIN_OK);
    close_keeper(f);
    meddle(f, DN_CREDENTIALS_FILE, "UPDATE credential SET identity=x'7878' WHERE staged=1");
    open_keeper(f);
    assert_int_equal(promote(f, "a"), DUNLIN_OK);
    assert_int_equal(key_of(f, "old"), 1);
    assert_int_equal(key_of(f, "xx"), -2);
    assert_int_equal(stage(f, psk("a", "newer", 3)), DUNLIN_OK);
    assert_int_equal(promote(f, "a"), DUNLIN_OK);
    assert_int_equal(key_of(f, "newer"), 3);
}

/* Several keepers in one folder, with the sealing keys of one file. */
static void files_of_their_own(void **state)
{
    fixture *f = *state;
    dn_credentials *other = NULL;
    dn_credential found;
    dn_credential_store_config config = dn_credential_store_config_default();
    config.dir = f->dir;
    config.file = DN_BOOTSTRAP_CREDENTIALS_FILE;
    assert_int_equal(dn_credential_store_open(&config, &other, f->error, sizeof f->error), DUNLIN_OK);
    assert_string_equal(dn_credential_store_seal_file(other), dn_credential_store_seal_file(f->keeper));
    const dn_credential c = psk("a", "factory", 5);
    assert_int_equal(other->ops->put(other, &c, NULL), DUNLIN_OK);
    assert_int_equal(key_of(f, "factory"), -1);
    other->ops->close(other);
    assert_int_equal(dn_credential_store_open(&config, &other, f->error, sizeof f->error), DUNLIN_OK);
    assert_int_equal(other->ops->find_psk(other, dunlin_slice_of("factory"), &found), DUNLIN_OK);
    other->ops->close(other);
}

enum { DEVICES = 8 };

/* Stages for all in one transaction, tells, promotes, tells. */
static void bootstrap_for_ever(fixture *f, int told)
{
    for (uint32_t round = 0;; round++) {
        dn_credential list[DEVICES];
        dunlin_slice names[DEVICES];
        static char text[DEVICES][24];
        for (uint32_t d = 0; d < DEVICES; d++) {
            char identity[24];
            snprintf(text[d], sizeof text[d], "device-%u", d);
            snprintf(identity, sizeof identity, "%u of %u", round, d);
            list[d] = psk(text[d], identity, (uint8_t)round);
            names[d] = dunlin_slice_of(text[d]);
        }
        const uint32_t steps[] = {round * 2, round * 2 + 1};
        if (f->keeper->ops->stage(f->keeper, list, DEVICES) != DUNLIN_OK || write(told, &steps[0], 4) != 4 ||
            f->keeper->ops->promote(f->keeper, names, DEVICES) != DUNLIN_OK ||
            write(told, &steps[1], 4) != 4) {
            _exit(1);
        }
    }
}

/* What is there after the step `last` was the last one that was told of: the next one may have happened. */
static void look_at_what_is_left(fixture *f, uint32_t last)
{
    const uint32_t round = last / 2;
    unsigned handed = 0;
    unsigned next = 0;
    unsigned promoted = 0;
    for (uint32_t d = 0; d < DEVICES; d++) {
        char name[24];
        char identity[24];
        snprintf(name, sizeof name, "device-%u", d);
        snprintf(identity, sizeof identity, "%u of %u", round, d);
        assert_int_equal(key_of(f, identity), (uint8_t)round); /* what was handed out lets it in */
        snprintf(identity, sizeof identity, "%u of %u", round + 1, d);
        next += key_of(f, identity) >= 0;
        handed += staged(f, name).number != 0;
        const dn_credential now = current(f, name);
        snprintf(identity, sizeof identity, "%u of %u", round, d);
        promoted +=
            now.identity_len == strlen(identity) && memcmp(now.identity, identity, now.identity_len) == 0;
    }
    /* All or none of each step. */
    assert_true(handed == 0 || handed == DEVICES);
    assert_true(promoted == 0 || promoted == DEVICES);
    assert_true(next == 0 || (next == DEVICES && last % 2 == 1 && handed == DEVICES));
    assert_true(last % 2 == 0 || promoted == DEVICES);
    assert_true(promoted == DEVICES || handed == DEVICES);
}

static void killed_between(void **state)
{
    fixture *f = *state;
    for (unsigned turn = 0; turn < 6; turn++) {
        int pipes[2];
        uint32_t last = 0;
        close_keeper(f);
        meddle(f, DN_CREDENTIALS_FILE, "DELETE FROM credential");
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(pipes[0]);
            open_keeper(f);
            bootstrap_for_ever(f, pipes[1]);
        }
        close(pipes[1]);
        for (unsigned i = 0; i < 3 + 2 * turn; i++) {
            assert_int_equal(read(pipes[0], &last, sizeof last), (ssize_t)sizeof last);
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        while (read(pipes[0], &last, sizeof last) == (ssize_t)sizeof last) {
        }
        close(pipes[0]);
        assert_int_equal(waitpid(child, NULL, 0), child);
        open_keeper(f);
        look_at_what_is_left(f, last);
    }
}

#define DISK(test) cmocka_unit_test_setup_teardown(test, set_up_disk, tear_down)
#define BOTH(test) cmocka_unit_test_setup_teardown(test, set_up_memory, tear_down), DISK(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(both_hold_until_one_is_promoted),
        BOTH(the_first_one_of_an_endpoint),
        BOTH(one_staged_replaces_another),
        BOTH(identities_are_unique_across_both),
        BOTH(a_put_ends_what_is_staged),
        BOTH(bad_ones_are_refused),
        BOTH(removal_takes_both),
        BOTH(what_was_proved_is_promoted),
        BOTH(nobody_is_told_any_more),
        BOTH(certificates_can_wait),
        DISK(a_database_of_the_former_schema),
        DISK(a_damaged_staged_row_is_not_promoted),
        DISK(files_of_their_own),
        DISK(killed_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
