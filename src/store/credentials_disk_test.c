/* SPDX-License-Identifier: Apache-2.0 */
/* What is on the disk: nothing that can be read, nothing that can be changed unseen, nothing lost; rotation; many threads. */
#include "store/credentials.h"
#include "store/scratch.h"
#include "store/seal_file.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include <cmocka.h>

#define SECRET "ThisIsTheSecret!"

typedef struct {
    char dir[SCRATCH_MAX];
    char error[400];
    dn_credentials *keeper;
} fixture;

static bool open_keeper(fixture *f)
{
    dn_credential_store_config config = dn_credential_store_config_default();
    config.dir = f->dir;
    config.snapshot_ms = 0; /* what other programs do is to be seen at once */
    f->keeper = NULL;
    return dn_credential_store_open(&config, &f->keeper, f->error, sizeof f->error) == DUNLIN_OK;
}

static void must_open(fixture *f)
{
    if (!open_keeper(f)) {
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

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    scratch_make(f->dir);
    must_open(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    close_keeper(f);
    scratch_remove(f->dir);
    free(f);
    return 0;
}

static dn_credential psk(const char *endpoint, const char *key)
{
    dn_credential c = {.mode = DN_SECURITY_PSK,
                       .endpoint_len = (uint8_t)strlen(endpoint),
                       .identity_len = (uint8_t)strlen(endpoint),
                       .key_len = (uint8_t)strlen(key)};
    memcpy(c.endpoint, endpoint, strlen(endpoint));
    memcpy(c.identity, endpoint, strlen(endpoint));
    memcpy(c.key, key, strlen(key));
    c.is_pattern = dn_endpoint_is_pattern(dunlin_slice_of(endpoint));
    return c;
}

static dunlin_status put(fixture *f, const char *endpoint, const char *key)
{
    dn_credential c = psk(endpoint, key);
    return f->keeper->ops->put(f->keeper, &c, NULL);
}

static dunlin_status find(fixture *f, const char *identity, dn_credential *out)
{
    return f->keeper->ops->find_psk(f->keeper, dunlin_slice_of(identity), out);
}

static const char *in_dir(const fixture *f, const char *name)
{
    return scratch_path(f->dir, name);
}

/* Runs SQL on the database as somebody else would. */
static void meddle(const fixture *f, const char *sql)
{
    sqlite3 *other = NULL;
    char *error = NULL;
    assert_int_equal(sqlite3_open(in_dir(f, DN_CREDENTIALS_FILE), &other), SQLITE_OK);
    if (sqlite3_exec(other, sql, NULL, NULL, &error) != SQLITE_OK) {
        fail_msg("%s: %s", sql, error);
    }
    sqlite3_close(other);
}

/* True when the file holds the bytes. */
static bool holds(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    static char text[4 * 1024 * 1024];
    size_t size = fread(text, 1, sizeof text, file);
    assert_int_equal(fclose(file), 0);
    return memmem(text, size, bytes, len) != NULL;
}

/* ---- secrecy ---- */

static void no_key_on_the_disk(void **state)
{
    fixture *f = *state;
    static const char *const files[] = {DN_CREDENTIALS_FILE, DN_CREDENTIALS_FILE "-wal", DN_SEAL_FILE};
    struct stat about;
    assert_int_equal(put(f, "device-1", SECRET), DUNLIN_OK);
    assert_true(holds(in_dir(f, DN_CREDENTIALS_FILE "-wal"), "device-1", 8));
    for (size_t i = 0; i < 3; i++) {
        assert_false(holds(in_dir(f, files[i]), SECRET, sizeof SECRET - 1));
        assert_int_equal(stat(in_dir(f, files[i]), &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
    }
    close_keeper(f);
    assert_true(holds(in_dir(f, DN_CREDENTIALS_FILE), "device-1", 8));
    assert_false(holds(in_dir(f, DN_CREDENTIALS_FILE), SECRET, sizeof SECRET - 1));
}

static void a_changed_row_is_refused(void **state)
{
    fixture *f = *state;
    static const char *const changes[] = {
        "UPDATE credential SET sealed=(SELECT sealed FROM credential WHERE number=3) WHERE endpoint=x'61'",
        "UPDATE credential SET identity=x'7878' WHERE endpoint=x'61'",
        "UPDATE credential SET endpoint=x'7a' WHERE endpoint=x'61'",
        "UPDATE credential SET pattern=1 WHERE endpoint=x'61'",
        "UPDATE credential SET number=77 WHERE endpoint=x'61'",
        "UPDATE credential SET generation=77 WHERE endpoint=x'61'",
        "UPDATE credential SET key_len=8 WHERE endpoint=x'61'",
        "UPDATE credential SET sealed=x'00' WHERE endpoint=x'61'",
        "UPDATE credential SET sealed=zeroblob(1000) WHERE endpoint=x'61'",
        "UPDATE credential SET endpoint=zeroblob(1000) WHERE endpoint=x'61'",
        "UPDATE credential SET seal=1 WHERE endpoint=x'61'",
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        dn_credential found;
        assert_int_equal(put(f, "a", SECRET), DUNLIN_OK);
        assert_int_equal(put(f, "b", "another secret.."), DUNLIN_OK);
        assert_int_equal(find(f, "a", &found), DUNLIN_OK);
        meddle(f, changes[i]);
        const dunlin_status status = find(f, strstr(changes[i], "identity=") != NULL ? "xx" : "a", &found);
        if (status != DUNLIN_ERR_STORE || *f->keeper->ops->error(f->keeper) == 0) {
            fail_msg("%s: %d", changes[i], (int)status);
        }
        /* Others are served on. */
        assert_int_equal(find(f, "b", &found), DUNLIN_OK);
        meddle(f, "DELETE FROM credential");
    }
}

static void a_changed_public_key_is_refused(void **state)
{
    fixture *f = *state;
    dn_credential c = {.mode = DN_SECURITY_X509, .endpoint_len = 1, .endpoint = "a"};
    dn_credential found;
    uint8_t fingerprint[DN_FINGERPRINT_LEN] = {0};
    const dn_certificate_claims claims = {.fingerprint = fingerprint};
    assert_int_equal(f->keeper->ops->put(f->keeper, &c, NULL), DUNLIN_OK);
    assert_int_equal(f->keeper->ops->get(f->keeper, dunlin_slice_of("a"), &found), DUNLIN_OK);
    meddle(f, "UPDATE credential SET fingerprint=zeroblob(32)");
    assert_int_equal(f->keeper->ops->get(f->keeper, dunlin_slice_of("a"), &found), DUNLIN_ERR_STORE);
    assert_int_equal(f->keeper->ops->find_names(f->keeper, &claims, &found), DUNLIN_ERR_STORE);
    /* The way out: put it again. */
    assert_int_equal(f->keeper->ops->put(f->keeper, &c, NULL), DUNLIN_OK);
    assert_int_equal(f->keeper->ops->get(f->keeper, dunlin_slice_of("a"), &found), DUNLIN_OK);
}

/* ---- keys that are missing or wrong ---- */

static void refuses_to_start(fixture *f, const char *text)
{
    char before[64];
    snprintf(before, sizeof before, "%d", (int)holds(in_dir(f, DN_CREDENTIALS_FILE), "device-1", 8));
    assert_false(open_keeper(f));
    if (strstr(f->error, text) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", f->error, text);
    }
}

static void a_missing_or_wrong_key_destroys_nothing(void **state)
{
    fixture *f = *state;
    dn_credential found;
    char key[200];
    char aside[200];
    snprintf(key, sizeof key, "%s", in_dir(f, DN_SEAL_FILE));
    snprintf(aside, sizeof aside, "%s", in_dir(f, "aside"));
    assert_int_equal(put(f, "device-1", SECRET), DUNLIN_OK);
    close_keeper(f);
    assert_int_equal(rename(key, aside), 0);
    refuses_to_start(f, "1 credentials");
    refuses_to_start(f, "put the file back");
    assert_int_equal(access(key, F_OK), -1); /* no new one in its place */
    assert_int_equal(dn_seal_file_add(key, NULL, NULL, f->error, sizeof f->error), DUNLIN_OK);
    refuses_to_start(f, "is not the file that credentials");
    assert_int_equal(chmod(aside, 0644), 0);
    assert_int_equal(rename(aside, key), 0);
    refuses_to_start(f, "chmod 600");
    assert_int_equal(chmod(key, 0600), 0);
    must_open(f);
    assert_int_equal(find(f, "device-1", &found), DUNLIN_OK);
    assert_memory_equal(found.key, SECRET, sizeof SECRET - 1);
    /* Without credentials nothing is lost with the key. */
    assert_int_equal(f->keeper->ops->remove(f->keeper, dunlin_slice_of("device-1")), DUNLIN_OK);
    close_keeper(f);
    assert_int_equal(unlink(key), 0);
    must_open(f);
}

static void foreign_databases(void **state)
{
    fixture *f = *state;
    close_keeper(f);
    meddle(f, "PRAGMA user_version=3");
    refuses_to_start(f, "which a newer release made");
    meddle(f, "PRAGMA user_version=0");
    refuses_to_start(f, "unknown schema version");
    meddle(f, "PRAGMA user_version=2; PRAGMA application_id=7");
    refuses_to_start(f, "is not a database of credentials");
    FILE *file = fopen(in_dir(f, DN_CREDENTIALS_FILE), "w");
    fputs("This is a letter and no database at all, as everybody sees.", file);
    assert_int_equal(fclose(file), 0);
    refuses_to_start(f, "not a database");
    assert_true(holds(in_dir(f, DN_CREDENTIALS_FILE), "This is a letter", 16));
}

/* ---- rotation ---- */

static int64_t rows_not_sealed_with(const fixture *f, uint64_t id)
{
    sqlite3 *other = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(in_dir(f, DN_CREDENTIALS_FILE), &other), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(other, "SELECT count(*) FROM credential WHERE seal<>?", -1, &statement, NULL),
        SQLITE_OK);
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)id);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(other);
    return count;
}

#define ROTATED 150u

static void rotation(void **state)
{
    fixture *f = *state;
    char name[32];
    dn_credential before;
    dn_credential found;
    uint64_t id = 0;
    uint64_t resealed = 0;
    const char *path = dn_credential_store_seal_file(f->keeper);
    for (unsigned i = 0; i < ROTATED; i++) {
        snprintf(name, sizeof name, "device-%u", i);
        assert_int_equal(put(f, name, SECRET), DUNLIN_OK);
    }
    assert_int_equal(find(f, "device-7", &before), DUNLIN_OK);
    meddle(f, "UPDATE credential SET sealed=zeroblob(44) WHERE number=3"); /* is left alone */
    assert_int_equal(dn_seal_file_add(path, NULL, &id, f->error, sizeof f->error), DUNLIN_OK);
    assert_int_equal(dn_credential_store_reload(f->keeper, f->error, sizeof f->error), DUNLIN_OK);
    /* The thread and this call share the work; when the call is back all is done but for slices of the thread. */
    assert_int_equal(dn_credential_store_reseal(f->keeper, &resealed), DUNLIN_OK);
    assert_true(resealed <= ROTATED - 1);
    for (unsigned tries = 0; rows_not_sealed_with(f, id) != 1; tries++) {
        assert_true(tries < 6000);
        usleep(10000);
    }
    assert_int_equal(find(f, "device-7", &found), DUNLIN_OK);
    assert_memory_equal(found.key, SECRET, sizeof SECRET - 1);
    assert_int_equal(found.generation, before.generation); /* sessions go on */
    assert_true(f->keeper->ops->is_current(f->keeper, found.number, found.generation));
    close_keeper(f);
    must_open(f);
    assert_int_equal(find(f, "device-99", &found), DUNLIN_OK);
    assert_memory_equal(found.key, SECRET, sizeof SECRET - 1);
}

static void a_start_completes_a_rotation(void **state)
{
    fixture *f = *state;
    uint64_t id = 0;
    assert_int_equal(put(f, "device-1", SECRET), DUNLIN_OK);
    assert_int_equal(dn_seal_file_add(in_dir(f, DN_SEAL_FILE), NULL, &id, f->error, sizeof f->error),
                     DUNLIN_OK);
    close_keeper(f);
    must_open(f);
    for (unsigned tries = 0; rows_not_sealed_with(f, id) != 0; tries++) {
        assert_true(tries < 6000);
        usleep(10000);
    }
}

static void a_bad_reload_keeps_the_keys(void **state)
{
    fixture *f = *state;
    dn_credential found;
    const char *path = dn_credential_store_seal_file(f->keeper);
    assert_int_equal(put(f, "device-1", SECRET), DUNLIN_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(dn_credential_store_reload(f->keeper, f->error, sizeof f->error), DUNLIN_ERR_STORE);
    assert_int_equal(dn_seal_file_add(path, NULL, NULL, f->error, sizeof f->error), DUNLIN_OK);
    assert_int_equal(dn_credential_store_reload(f->keeper, f->error, sizeof f->error), DUNLIN_ERR_STORE);
    assert_non_null(strstr(f->error, "lacks the key"));
    assert_int_equal(find(f, "device-1", &found), DUNLIN_OK);
    assert_int_equal(put(f, "device-2", SECRET), DUNLIN_OK);
}

/* ---- a disk that is full ---- */

/* As many bytes as a file may have; with SIGXFSZ ignored a write beyond fails as one to a full disk does. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk(void **state)
{
    fixture *f = *state;
    dn_credential found;
    struct rlimit before;
    assert_int_equal(put(f, "device-1", SECRET), DUNLIN_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    limit_files(4096);
    assert_int_equal(put(f, "device-2", SECRET), DUNLIN_ERR_STORE);
    assert_int_not_equal(strlen(f->keeper->ops->error(f->keeper)), 0);
    assert_int_equal(put(f, "device-1", "another secret.."), DUNLIN_ERR_STORE);
    assert_int_equal(f->keeper->ops->remove(f->keeper, dunlin_slice_of("device-1")), DUNLIN_ERR_STORE);
    assert_int_equal(find(f, "device-1", &found), DUNLIN_OK);
    assert_memory_equal(found.key, SECRET, sizeof SECRET - 1);
    assert_int_equal(f->keeper->ops->count(f->keeper), 1);
    limit_files(before.rlim_cur);
    (void)signal(SIGXFSZ, handler);
    assert_int_equal(put(f, "device-2", SECRET), DUNLIN_OK);
    assert_int_equal(find(f, "device-2", &found), DUNLIN_OK);
    close_keeper(f);
    must_open(f);
    assert_int_equal(f->keeper->ops->count(f->keeper), 2);
}

/* ---- kill -9 ---- */

/* Puts, telling the parent of each that was answered, until it is killed. */
static void put_for_ever(fixture *f, int acknowledged)
{
    for (uint32_t i = 0;; i++) {
        char name[32];
        char key[17];
        snprintf(name, sizeof name, "device-%u", i % 50);
        snprintf(key, sizeof key, "%016u", i);
        if (i % 7 == 6) {
            (void)dn_seal_file_add(in_dir(f, DN_SEAL_FILE), NULL, NULL, f->error, sizeof f->error);
            (void)dn_credential_store_reload(f->keeper, f->error, sizeof f->error);
        }
        if (put(f, name, key) != DUNLIN_OK || write(acknowledged, &i, sizeof i) != (ssize_t)sizeof i) {
            _exit(1);
        }
    }
}

static void nothing_acknowledged_is_lost(void **state)
{
    fixture *f = *state;
    uint32_t newest[50];
    for (unsigned round = 0; round < 6; round++) {
        int pipes[2];
        uint32_t i = 0;
        uint32_t count = 0;
        memset(newest, 0xff, sizeof newest);
        close_keeper(f);
        meddle(f, "DELETE FROM credential");
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(pipes[0]);
            must_open(f);
            put_for_ever(f, pipes[1]);
        }
        close(pipes[1]);
        while (count < 20 + 13 * round && read(pipes[0], &i, sizeof i) == (ssize_t)sizeof i) {
            newest[i % 50] = i;
            count++;
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        while (read(pipes[0], &i, sizeof i) == (ssize_t)sizeof i) {
            newest[i % 50] = i;
        }
        close(pipes[0]);
        assert_int_equal(waitpid(child, NULL, 0), child);
        must_open(f);
        for (uint32_t d = 0; d < 50; d++) {
            char name[32];
            dn_credential found;
            if (newest[d] == UINT32_MAX) {
                continue;
            }
            snprintf(name, sizeof name, "device-%u", d);
            assert_int_equal(find(f, name, &found), DUNLIN_OK);
            char key[17] = {0};
            memcpy(key, found.key, 16);
            /* The one that was under way may be there, too. */
            const uint32_t there = (uint32_t)strtoul(key, NULL, 10);
            assert_true(there >= newest[d] && there % 50 == d);
        }
        close_keeper(f);
        assert_int_equal(unlink(in_dir(f, DN_SEAL_FILE)), 0);
        meddle(f, "DELETE FROM credential");
        must_open(f);
    }
}

/* ---- many threads ---- */

typedef struct {
    fixture *f;
    unsigned number;
    atomic_bool *stop;
} thread;

static void *look_up(void *context)
{
    thread *t = context;
    unsigned found = 0;
    while (!atomic_load(t->stop)) {
        dn_credential c;
        char name[32];
        snprintf(name, sizeof name, "device-%u", found++ % 40);
        dunlin_status status = find(t->f, name, &c);
        if (status != DUNLIN_OK && status != DUNLIN_ERR_NOT_FOUND) {
            return t;
        }
        if (status == DUNLIN_OK && memcmp(c.key, SECRET, 16) != 0) {
            return t;
        }
        (void)t->f->keeper->ops->is_known(t->f->keeper, dunlin_slice_of(name));
        (void)t->f->keeper->ops->is_current(t->f->keeper, c.number, c.generation);
        (void)t->f->keeper->ops->count(t->f->keeper);
    }
    return NULL;
}

static void *change(void *context)
{
    thread *t = context;
    for (unsigned i = 0; i < 60; i++) {
        char name[32];
        snprintf(name, sizeof name, i % 10 == 9 ? "pattern-%u*" : "device-%u", t->number * 20 + i % 20);
        if (put(t->f, name, SECRET) != DUNLIN_OK) {
            return t;
        }
        if (i % 3 == 2 && t->f->keeper->ops->remove(t->f->keeper, dunlin_slice_of(name)) != DUNLIN_OK) {
            return t;
        }
    }
    return NULL;
}

static void threads(void **state)
{
    fixture *f = *state;
    pthread_t readers[2];
    pthread_t writers[2];
    atomic_bool stop = false;
    thread contexts[4];
    void *failed = NULL;
    for (unsigned i = 0; i < 2; i++) {
        contexts[i] = (thread){f, i, &stop};
        contexts[2 + i] = (thread){f, i, &stop};
        assert_int_equal(pthread_create(&readers[i], NULL, look_up, &contexts[i]), 0);
        assert_int_equal(pthread_create(&writers[i], NULL, change, &contexts[2 + i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        uint64_t id;
        assert_int_equal(dn_seal_file_add(in_dir(f, DN_SEAL_FILE), NULL, &id, f->error, sizeof f->error),
                         DUNLIN_OK);
        assert_int_equal(dn_credential_store_reload(f->keeper, f->error, sizeof f->error), DUNLIN_OK);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(writers[i], &failed), 0);
        assert_null(failed);
    }
    atomic_store(&stop, true);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(readers[i], &failed), 0);
        assert_null(failed);
    }
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(no_key_on_the_disk),
        WITH(a_changed_row_is_refused),
        WITH(a_changed_public_key_is_refused),
        WITH(a_missing_or_wrong_key_destroys_nothing),
        WITH(foreign_databases),
        WITH(rotation),
        WITH(a_start_completes_a_rotation),
        WITH(a_bad_reload_keeps_the_keys),
        WITH(a_full_disk),
        WITH(nothing_acknowledged_is_lost),
        WITH(threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
