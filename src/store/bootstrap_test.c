/* SPDX-License-Identifier: Apache-2.0 */
/* What bootstrap/store.h promises, asked of both keepers; and what is on the disk: nothing that can be read, changed unseen or lost. */
#include "store/bootstrap.h"
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
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include <cmocka.h>

#define SECRET "0123456789abcdef0123456789abcdef"

typedef struct {
    bool on_disk;
    char dir[SCRATCH_MAX];
    char error[400];
    int64_t now_ms;
    uint64_t max;
    dn_bs_store *store;
} fixture;

static int64_t now_ms(void *context)
{
    return ((fixture *)context)->now_ms;
}

static bool try_open(fixture *f)
{
    dn_bs_store_config config = dn_bs_store_config_default();
    config.dir = f->on_disk ? f->dir : NULL;
    config.max = f->max;
    config.wall_ms = now_ms;
    config.wall_context = f;
    if (dn_bs_store_open(&config, &f->store, f->error, sizeof f->error) != DUNLIN_OK) {
        f->store = NULL;
        return false;
    }
    return true;
}

static void must_open(fixture *f)
{
    if (!try_open(f)) {
        fail_msg("%s", f->error);
    }
}

static void close_store(fixture *f)
{
    if (f->store != NULL) {
        f->store->ops->close(f->store);
        f->store = NULL;
    }
}

static void restart(fixture *f)
{
    if (f->on_disk) {
        close_store(f);
        must_open(f);
    }
}

static int set_up(void **state, bool on_disk)
{
    fixture *f = calloc(1, sizeof *f);
    f->on_disk = on_disk;
    f->now_ms = 1000;
    f->max = 100000;
    scratch_make(f->dir);
    must_open(f);
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
    close_store(f);
    scratch_remove(f->dir);
    free(f);
    return 0;
}

static dunlin_status put_if(fixture *f, const char *endpoint, const char *document, uint32_t expected,
                            uint32_t *version)
{
    return f->store->ops->put(f->store, dunlin_slice_of(endpoint), dunlin_slice_of(document), expected,
                              version);
}

static uint32_t put(fixture *f, const char *endpoint, const char *document)
{
    uint32_t version = 0;
    assert_int_equal(put_if(f, endpoint, document, 0, &version), DUNLIN_OK);
    return version;
}

static dunlin_status remove_if(fixture *f, const char *endpoint, uint32_t expected)
{
    return f->store->ops->remove(f->store, dunlin_slice_of(endpoint), expected);
}

/* A copy of what `done` was given. */
typedef struct {
    unsigned calls;
    char endpoint[256], document[300];
    dn_bs_entry entry;
} found;

static void take(void *context, const dn_bs_entry *entry)
{
    found *out = context;
    out->calls++;
    out->entry = *entry;
    snprintf(out->endpoint, sizeof out->endpoint, "%.*s", (int)entry->endpoint.len,
             (const char *)entry->endpoint.data);
    snprintf(out->document, sizeof out->document, "%.*s", (int)entry->document.len,
             (const char *)entry->document.data);
}

static dunlin_status find(fixture *f, const char *endpoint, found *out)
{
    *out = (found){.calls = 0};
    return f->store->ops->find(f->store, dunlin_slice_of(endpoint), take, out);
}

static dunlin_status get(fixture *f, const char *endpoint, uint32_t version, found *out)
{
    *out = (found){.calls = 0};
    return f->store->ops->get(f->store, dunlin_slice_of(endpoint), version, take, out);
}

/* The names of a page, or its versions, as one text. */
static void spell(void *context, const dn_bs_page *page)
{
    char *text = context;
    size_t len = 0;
    for (size_t i = 0; i < page->count && len < 300; i++) {
        const dn_bs_entry *e = &page->list[i];
        assert_int_equal(e->document.len, 0);
        len += (size_t)snprintf(text + len, 400 - len, "%.*s:%u%s ", (int)e->endpoint.len,
                                (const char *)e->endpoint.data, e->version, e->is_removed ? "-" : "");
    }
    snprintf(text + len, 400 - len, "%s", page->more ? "more" : "end");
}

static const char *list(fixture *f, const char *after, uint32_t limit, const char *substring)
{
    static char text[400];
    assert_int_equal(
        f->store->ops->list(f->store, dunlin_slice_of(after), limit, dunlin_slice_of(substring), spell, text),
        DUNLIN_OK);
    return text;
}

static const char *versions(fixture *f, const char *endpoint)
{
    static char text[400];
    assert_int_equal(f->store->ops->versions(f->store, dunlin_slice_of(endpoint), spell, text), DUNLIN_OK);
    return text;
}

/* ---- tests ---- */

static void kept_with_its_versions(void **state)
{
    fixture *f = *state;
    found one;
    const uint64_t before = f->store->ops->generation(f->store);
    assert_int_equal(put(f, "a", "{\"first\"}"), 1);
    f->now_ms = 2000;
    assert_int_equal(put(f, "a", "{\"second\"}"), 2);
    restart(f);
    assert_int_equal(f->store->ops->generation(f->store), before + 2);
    assert_int_equal(f->store->ops->count(f->store), 1);
    assert_int_equal(find(f, "a", &one), DUNLIN_OK);
    assert_int_equal(one.calls, 1);
    assert_string_equal(one.endpoint, "a");
    assert_string_equal(one.document, "{\"second\"}");
    assert_int_equal(one.entry.version, 2);
    assert_int_equal(one.entry.created_ms, 1000);
    assert_int_equal(one.entry.changed_ms, 2000);
    assert_false(one.entry.is_pattern || one.entry.is_removed);
    assert_int_equal(get(f, "a", 1, &one), DUNLIN_OK);
    assert_string_equal(one.document, "{\"first\"}");
    assert_int_equal(one.entry.changed_ms, 1000);
    assert_int_equal(get(f, "a", 0, &one), DUNLIN_OK);
    assert_string_equal(one.document, "{\"second\"}");
    assert_int_equal(get(f, "a", 3, &one), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(get(f, "b", 0, &one), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(get(f, "b", 1, &one), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(find(f, "b", &one), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(one.calls, 0);
    assert_string_equal(versions(f, "a"), "a:2 a:1 end");
}

static void the_last_twenty(void **state)
{
    fixture *f = *state;
    found one;
    for (uint32_t i = 1; i <= 27; i++) {
        assert_int_equal(put(f, "a", "{}"), i);
    }
    assert_int_equal(put(f, "b", "{}"), 1);
    assert_int_equal(get(f, "a", 7, &one), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(get(f, "a", 8, &one), DUNLIN_OK);
    const char *text = versions(f, "a");
    assert_non_null(strstr(text, "a:27 a:26 "));
    assert_non_null(strstr(text, "a:9 a:8 end"));
    assert_string_equal(versions(f, "b"), "b:1 end");
}

static void removed_and_made_anew(void **state)
{
    fixture *f = *state;
    found one;
    put(f, "a", "{\"one\"}");
    assert_int_equal(remove_if(f, "a", 0), DUNLIN_OK);
    restart(f);
    assert_int_equal(find(f, "a", &one), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(get(f, "a", 0, &one), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(get(f, "a", 2, &one), DUNLIN_ERR_NOT_FOUND); /* it tells of the removal alone */
    assert_int_equal(get(f, "a", 1, &one), DUNLIN_OK);            /* it can be put back */
    assert_string_equal(versions(f, "a"), "a:2- a:1 end");
    assert_string_equal(list(f, "", 10, ""), "end");
    assert_int_equal(f->store->ops->count(f->store), 0);
    assert_int_equal(remove_if(f, "a", 0), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(remove_if(f, "b", 0), DUNLIN_ERR_NOT_FOUND);
    f->now_ms = 5000;
    assert_int_equal(put(f, "a", "{\"new\"}"), 3); /* never again another's number */
    assert_int_equal(get(f, "a", 0, &one), DUNLIN_OK);
    assert_int_equal(one.entry.created_ms, 5000);
    assert_string_equal(versions(f, "a"), "a:3 a:2- a:1 end");
    assert_int_equal(f->store->ops->count(f->store), 1);
    char nothing[400];
    assert_int_equal(f->store->ops->versions(f->store, dunlin_slice_of("b"), spell, nothing),
                     DUNLIN_ERR_NOT_FOUND);
}

static void only_if_it_is_as_expected(void **state)
{
    fixture *f = *state;
    uint32_t version = 0;
    const uint32_t none = UINT32_MAX;
    assert_int_equal(put_if(f, "a", "{}", 1, NULL), DUNLIN_ERR_STATE);
    assert_int_equal(put_if(f, "a", "{}", none, &version), DUNLIN_OK);
    assert_int_equal(put_if(f, "a", "{}", none, &version), DUNLIN_ERR_STATE);
    assert_int_equal(put_if(f, "a", "{}", 2, &version), DUNLIN_ERR_STATE);
    assert_int_equal(put_if(f, "a", "{}", 1, &version), DUNLIN_OK);
    assert_int_equal(version, 2);
    assert_int_equal(remove_if(f, "a", 1), DUNLIN_ERR_STATE);
    assert_int_equal(remove_if(f, "a", none), DUNLIN_ERR_STATE);
    const uint64_t before = f->store->ops->generation(f->store);
    assert_int_equal(remove_if(f, "a", 2), DUNLIN_OK);
    assert_int_equal(f->store->ops->generation(f->store), before + 1);
    assert_int_equal(put_if(f, "a", "{}", 3, &version), DUNLIN_ERR_STATE); /* 3 is a removal */
    assert_int_equal(put_if(f, "a", "{}", none, &version), DUNLIN_OK);
    assert_int_equal(version, 4);
}

static void the_most_particular_one_counts(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"meter-*", "*", "meter-0?", "meter-0*", "meter-07", "m*-0*"};
    static const struct {
        const char *name, *by;
    } table[] = {
        {"meter-07", "meter-07"},  {"meter-08", "meter-0*"},
        {"meter-099", "meter-0*"}, {"meter-1", "meter-*"},
        {"mx-01", "m*-0*"},        {"x", "*"},
        {"meter-*", "meter-*"},    {"*", "*"},
    };
    found one;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        put(f, names[i], "{}");
    }
    for (unsigned turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
            assert_int_equal(find(f, table[i].name, &one), DUNLIN_OK);
            assert_string_equal(one.endpoint, table[i].by);
            assert_int_equal(one.entry.is_pattern, strpbrk(one.endpoint, "*?") != NULL);
        }
        restart(f);
    }
    assert_int_equal(remove_if(f, "meter-0*", 0), DUNLIN_OK);
    assert_int_equal(remove_if(f, "meter-07", 0), DUNLIN_OK);
    assert_int_equal(find(f, "meter-07", &one), DUNLIN_OK);
    assert_string_equal(one.endpoint, "meter-0?");
    assert_int_equal(remove_if(f, "*", 0), DUNLIN_OK);
    restart(f);
    assert_int_equal(find(f, "x", &one), DUNLIN_ERR_NOT_FOUND);
    put(f, "*", "{}");
    assert_int_equal(find(f, "x", &one), DUNLIN_OK);
}

static void listed_in_order(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"c", "a", "b-1", "b-2", "B", "b*"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        put(f, names[i], "{}");
    }
    put(f, "a", "{}");
    assert_int_equal(remove_if(f, "c", 0), DUNLIN_OK);
    assert_string_equal(list(f, "", 10, ""), "B:1 a:2 b*:1 b-1:1 b-2:1 end");
    assert_string_equal(list(f, "", 2, ""), "B:1 a:2 more");
    assert_string_equal(list(f, "a", 2, ""), "b*:1 b-1:1 more");
    assert_string_equal(list(f, "b-1", 5, ""), "b-2:1 end");
    assert_string_equal(list(f, "", 10, "b-"), "b-1:1 b-2:1 end");
    assert_string_equal(list(f, "", 1, "b-"), "b-1:1 more");
    char text[400];
    assert_int_equal(f->store->ops->list(f->store, dunlin_slice_of(""), 0, dunlin_slice_of(""), spell, text),
                     DUNLIN_ERR_ARGUMENT);
}

static void limits(void **state)
{
    fixture *f = *state;
    char name[300];
    memset(name, 'n', sizeof name);
    name[253] = 0;
    assert_int_equal(put_if(f, "", "{}", 0, NULL), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(put_if(f, name, "{}", 0, NULL), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(put_if(f, "a", "", 0, NULL), DUNLIN_ERR_ARGUMENT);
    name[252] = 0;
    put(f, name, "{}");
    uint8_t *large = calloc(1, 65537);
    memset(large, '7', 65537);
    found one;
    assert_int_equal(
        f->store->ops->put(f->store, dunlin_slice_of("a"), dunlin_slice_make(large, 65537), 0, NULL),
        DUNLIN_ERR_ARGUMENT);
    assert_int_equal(
        f->store->ops->put(f->store, dunlin_slice_of("a"), dunlin_slice_make(large, 65536), 0, NULL),
        DUNLIN_OK);
    restart(f);
    assert_int_equal(get(f, "a", 0, &one), DUNLIN_OK);
    assert_int_equal(one.entry.document.len, 65536);
    free(large);
    close_store(f);
    f->max = f->on_disk ? 2 : 0;
    must_open(f);
    assert_int_equal(put_if(f, "b", "{}", 0, NULL), DUNLIN_ERR_LIMIT);
    assert_int_equal(f->store->ops->count(f->store), f->max);
    if (f->on_disk) {
        assert_int_equal(put(f, "a", "{}"), 2); /* in the place of what is there */
    }
}

/* ---- on the disk ---- */

static const char *in_dir(const fixture *f, const char *name)
{
    return scratch_path(f->dir, name);
}

static void meddle(const fixture *f, const char *sql)
{
    sqlite3 *other = NULL;
    char *error = NULL;
    assert_int_equal(sqlite3_open(in_dir(f, DN_BOOTSTRAP_FILE), &other), SQLITE_OK);
    if (sqlite3_exec(other, sql, NULL, NULL, &error) != SQLITE_OK) {
        fail_msg("%s: %s", sql, error);
    }
    sqlite3_close(other);
}

static bool holds(const char *path, const char *text)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    static char content[1024 * 1024];
    const size_t size = fread(content, 1, sizeof content, file);
    assert_int_equal(fclose(file), 0);
    return memmem(content, size, text, strlen(text)) != NULL;
}

static void no_secret_on_the_disk(void **state)
{
    fixture *f = *state;
    static const char *const files[] = {DN_BOOTSTRAP_FILE, DN_BOOTSTRAP_FILE "-wal", DN_SEAL_FILE};
    struct stat about;
    put(f, "device-1", "{\"servers\":[{\"security\":{\"key\":\"" SECRET "\"}}]}");
    assert_true(holds(in_dir(f, files[1]), "device-1"));
    for (size_t i = 0; i < 3; i++) {
        assert_false(holds(in_dir(f, files[i]), SECRET));
        assert_int_equal(stat(in_dir(f, files[i]), &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
    }
    close_store(f);
    assert_true(holds(in_dir(f, files[0]), "device-1"));
    assert_false(holds(in_dir(f, files[0]), SECRET));
}

static void a_changed_row_is_refused(void **state)
{
    fixture *f = *state;
    static const char *const changes[] = {
        "UPDATE document SET sealed=(SELECT sealed FROM document WHERE entry=2 AND version=1) WHERE entry=1",
        "UPDATE document SET sealed=(SELECT sealed FROM document WHERE entry=1 AND version=1) WHERE entry=1",
        "UPDATE document SET changed_ms=7 WHERE entry=1",
        "UPDATE document SET removed=1 WHERE entry=1",
        "UPDATE document SET sealed=x'00' WHERE entry=1",
        "UPDATE document SET sealed=zeroblob(100) WHERE entry=1",
        "UPDATE document SET sealed=zeroblob(1000000) WHERE entry=1",
        "UPDATE document SET seal=1 WHERE entry=1",
        "UPDATE entry SET pattern=1 WHERE number=1",
        "UPDATE document SET version=version+10; UPDATE document SET version=13-version WHERE entry=1;"
        "UPDATE document SET version=version-10 WHERE entry<>1",
        "UPDATE entry SET endpoint=x'7a' WHERE number=2;"
        "UPDATE entry SET endpoint=x'62' WHERE number=1; UPDATE entry SET endpoint=x'61' WHERE number=2",
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        found one;
        put(f, "a", "{\"of a, 1\"}");
        put(f, "a", "{\"of a, 2\"}");
        put(f, "b", "{\"of b\"}");
        put(f, "c", "{\"of c\"}");
        meddle(f, changes[i]);
        if (find(f, "a", &one) != DUNLIN_ERR_STORE) {
            fail_msg("unseen: %s", changes[i]);
        }
        assert_int_not_equal(strlen(f->store->ops->error(f->store)), 0);
        assert_int_equal(find(f, "c", &one), DUNLIN_OK); /* others are served on */
        assert_string_equal(one.document, "{\"of c\"}");
        put(f, "a", "{\"anew\"}"); /* the way out */
        if (strstr(changes[i], "UPDATE entry SET pattern") == NULL) {
            assert_int_equal(find(f, "a", &one), DUNLIN_OK);
        }
        close_store(f);
        assert_int_equal(unlink(in_dir(f, DN_BOOTSTRAP_FILE)), 0);
        must_open(f);
    }
}

static void refuses_to_start(fixture *f, const char *text)
{
    assert_false(try_open(f));
    if (strstr(f->error, text) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", f->error, text);
    }
}

static void a_missing_or_wrong_key_destroys_nothing(void **state)
{
    fixture *f = *state;
    found one;
    char key[200];
    char aside[200];
    snprintf(key, sizeof key, "%s", in_dir(f, DN_SEAL_FILE));
    snprintf(aside, sizeof aside, "%s", in_dir(f, "aside"));
    put(f, "a", "{\"kept\"}");
    close_store(f);
    assert_int_equal(rename(key, aside), 0);
    refuses_to_start(f, "1 bootstrap configurations");
    refuses_to_start(f, "put the file back");
    assert_int_equal(access(key, F_OK), -1);
    assert_int_equal(dn_seal_file_add(key, NULL, NULL, f->error, sizeof f->error), DUNLIN_OK);
    refuses_to_start(f, "is not the file that bootstrap configurations");
    assert_int_equal(rename(aside, key), 0);
    must_open(f);
    assert_int_equal(find(f, "a", &one), DUNLIN_OK);
    assert_string_equal(one.document, "{\"kept\"}");
}

static void foreign_databases(void **state)
{
    fixture *f = *state;
    close_store(f);
    meddle(f, "PRAGMA user_version=2");
    refuses_to_start(f, "which a newer release made");
    meddle(f, "PRAGMA user_version=0");
    refuses_to_start(f, "unknown schema version");
    meddle(f, "PRAGMA user_version=1; PRAGMA application_id=7");
    refuses_to_start(f, "is not a database of bootstrap configurations");
    FILE *file = fopen(in_dir(f, DN_BOOTSTRAP_FILE), "w");
    fputs("This is a letter and no database at all, as everybody sees.", file);
    assert_int_equal(fclose(file), 0);
    refuses_to_start(f, "not a database");
    assert_true(holds(in_dir(f, DN_BOOTSTRAP_FILE), "This is a letter"));
}

static int64_t documents_not_sealed_with(const fixture *f, uint64_t id)
{
    sqlite3 *other = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(in_dir(f, DN_BOOTSTRAP_FILE), &other), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(other, "SELECT count(*) FROM document WHERE seal<>?", -1, &statement, NULL),
        SQLITE_OK);
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)id);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const int64_t count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(other);
    return count;
}

static void another_sealing_key(void **state)
{
    fixture *f = *state;
    char name[32];
    uint64_t id = 0;
    uint64_t count = 0;
    found one;
    for (unsigned i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "device-%u", i);
        put(f, name, "{\"before\"}");
    }
    put(f, "device-0", "{\"again\"}");
    put(f, "damaged", "{}");
    assert_int_equal(remove_if(f, "device-1", 0), DUNLIN_OK);
    meddle(f, "UPDATE document SET changed_ms=7 WHERE entry=(SELECT max(number) FROM entry)");
    assert_int_equal(dn_seal_file_add(in_dir(f, DN_SEAL_FILE), NULL, &id, f->error, sizeof f->error),
                     DUNLIN_OK);
    assert_int_equal(documents_not_sealed_with(f, id), 43);
    assert_int_equal(dn_bs_store_reload(f->store, f->error, sizeof f->error), DUNLIN_OK);
    put(f, "fresh", "{}");
    for (unsigned i = 0; documents_not_sealed_with(f, id) > 1; i++) { /* the keeper's thread does it */
        const struct timespec pause = {.tv_nsec = 1000000};
        assert_true(i < 60000);
        (void)nanosleep(&pause, NULL);
    }
    assert_int_equal(dn_bs_store_reseal(f->store, &count), DUNLIN_OK);
    assert_int_equal(count, 0); /* the damaged one stays as it is */
    close_store(f);
    meddle(
        f,
        "DELETE FROM document WHERE entry=(SELECT number FROM entry WHERE endpoint=CAST('damaged' AS BLOB))");
    must_open(f);
    assert_int_equal(find(f, "device-0", &one), DUNLIN_OK);
    assert_string_equal(one.document, "{\"again\"}");
    assert_int_equal(get(f, "device-1", 1, &one), DUNLIN_OK);
    assert_string_equal(one.document, "{\"before\"}");
    /* A file that lacks what is needed is refused, and the former keys go on. */
    assert_int_equal(unlink(in_dir(f, DN_SEAL_FILE)), 0);
    assert_int_equal(dn_bs_store_reload(f->store, f->error, sizeof f->error), DUNLIN_ERR_STORE);
    assert_int_equal(dn_seal_file_add(in_dir(f, DN_SEAL_FILE), NULL, NULL, f->error, sizeof f->error),
                     DUNLIN_OK);
    assert_int_equal(dn_bs_store_reload(f->store, f->error, sizeof f->error), DUNLIN_ERR_STORE);
    assert_non_null(strstr(f->error, "lacks the key"));
    assert_int_equal(find(f, "device-0", &one), DUNLIN_OK);
}

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
    struct rlimit before;
    found one;
    put(f, "a", "{\"kept\"}");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    limit_files(4096);
    assert_int_equal(put_if(f, "b", "{}", 0, NULL), DUNLIN_ERR_STORE);
    assert_int_equal(put_if(f, "a", "{}", 0, NULL), DUNLIN_ERR_STORE);
    assert_int_equal(put_if(f, "p*", "{}", 0, NULL), DUNLIN_ERR_STORE);
    assert_int_equal(remove_if(f, "a", 0), DUNLIN_ERR_STORE);
    assert_int_equal(find(f, "a", &one), DUNLIN_OK);
    assert_string_equal(one.document, "{\"kept\"}");
    assert_int_equal(find(f, "p7", &one), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(f->store->ops->count(f->store), 1);
    limit_files(before.rlim_cur);
    (void)signal(SIGXFSZ, handler);
    assert_int_equal(put(f, "b", "{}"), 1);
    assert_int_equal(put(f, "a", "{}"), 2);
    restart(f);
    assert_int_equal(f->store->ops->count(f->store), 2);
}

/* Puts, telling of each that was answered, until it is killed. */
static void put_for_ever(fixture *f, int told)
{
    for (uint32_t i = 0;; i++) {
        char name[32];
        char document[32];
        snprintf(name, sizeof name, i % 5 == 4 ? "p%u*" : "d%u", i % 20);
        snprintf(document, sizeof document, "%u", i);
        if (put_if(f, name, document, 0, NULL) != DUNLIN_OK || write(told, &i, sizeof i) != sizeof i) {
            _exit(1);
        }
    }
}

static void nothing_acknowledged_is_lost(void **state)
{
    fixture *f = *state;
    for (unsigned turn = 0; turn < 5; turn++) {
        int pipes[2];
        uint32_t i = 0;
        uint32_t last[20];
        memset(last, 0xff, sizeof last);
        close_store(f);
        meddle(f, "DELETE FROM document; DELETE FROM entry; UPDATE state SET count=0");
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(pipes[0]);
            must_open(f);
            put_for_ever(f, pipes[1]);
        }
        close(pipes[1]);
        for (unsigned n = 0; n < 10 + 17 * turn; n++) {
            assert_int_equal(read(pipes[0], &i, sizeof i), (ssize_t)sizeof i);
            last[i % 20] = i;
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        while (read(pipes[0], &i, sizeof i) == (ssize_t)sizeof i) {
            last[i % 20] = i;
        }
        close(pipes[0]);
        assert_int_equal(waitpid(child, NULL, 0), child);
        must_open(f);
        uint64_t there = 0;
        for (uint32_t d = 0; d < 20; d++) {
            char name[32];
            found one;
            snprintf(name, sizeof name, d % 5 == 4 ? "p%u*" : "d%u", d);
            dunlin_status status = get(f, name, 0, &one);
            there += status == DUNLIN_OK;
            if (last[d] != UINT32_MAX) { /* the one that was under way may be there, too */
                assert_int_equal(status, DUNLIN_OK);
                assert_true(strtoul(one.document, NULL, 10) >= last[d]);
                assert_int_equal(one.entry.version, strtoul(one.document, NULL, 10) / 20 + 1);
            }
        }
        assert_int_equal(f->store->ops->count(f->store), there);
    }
}

/* ---- many threads ---- */

typedef struct {
    fixture *f;
    unsigned number;
    atomic_bool *stop;
} thread;

/* A document says its own name. */
static void check_document(void *context, const dn_bs_entry *entry)
{
    bool *ok = context;
    *ok = entry->document.len > entry->endpoint.len &&
          memcmp(entry->document.data, entry->endpoint.data, entry->endpoint.len) == 0;
}

static void *look_up(void *context)
{
    thread *t = context;
    dn_bs_store *store = t->f->store;
    char name[32];
    for (unsigned i = 0; !atomic_load(t->stop); i++) {
        bool ok = true;
        snprintf(name, sizeof name, i % 3 == 0 ? "group-%u" : "device-%u", i % 20);
        dunlin_status status = store->ops->find(store, dunlin_slice_of(name), check_document, &ok);
        if (!ok || (status != DUNLIN_OK && status != DUNLIN_ERR_NOT_FOUND)) {
            return t;
        }
        status = store->ops->get(store, dunlin_slice_of(name), 1, check_document, &ok);
        if (!ok || (status != DUNLIN_OK && status != DUNLIN_ERR_NOT_FOUND)) {
            return t;
        }
    }
    return NULL;
}

static void *change(void *context)
{
    thread *t = context;
    for (unsigned i = 0; i < 60; i++) {
        char name[32];
        char document[64];
        snprintf(name, sizeof name, i % 7 == 6 ? "group-%u*" : "device-%u", t->number * 10 + i % 10);
        snprintf(document, sizeof document, "%s is number %u", name, i);
        if (put_if(t->f, name, document, 0, NULL) != DUNLIN_OK ||
            (i % 4 == 3 && remove_if(t->f, name, 0) != DUNLIN_OK)) {
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
    thread contexts[4];
    atomic_bool stop = false;
    void *failed = NULL;
    for (unsigned i = 0; i < 2; i++) {
        contexts[i] = (thread){f, i, &stop};
        contexts[2 + i] = (thread){f, i, &stop};
        assert_int_equal(pthread_create(&readers[i], NULL, look_up, &contexts[i]), 0);
        assert_int_equal(pthread_create(&writers[i], NULL, change, &contexts[2 + i]), 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(dn_seal_file_add(in_dir(f, DN_SEAL_FILE), NULL, NULL, f->error, sizeof f->error),
                         DUNLIN_OK);
        assert_int_equal(dn_bs_store_reload(f->store, f->error, sizeof f->error), DUNLIN_OK);
        assert_true(strlen(list(f, "", 5, "")) > 0);
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

#define DISK(test) cmocka_unit_test_setup_teardown(test, set_up_disk, tear_down)
#define BOTH(test) cmocka_unit_test_setup_teardown(test, set_up_memory, tear_down), DISK(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(kept_with_its_versions),
        BOTH(the_last_twenty),
        BOTH(removed_and_made_anew),
        BOTH(only_if_it_is_as_expected),
        BOTH(the_most_particular_one_counts),
        BOTH(listed_in_order),
        BOTH(limits),
        DISK(no_secret_on_the_disk),
        DISK(a_changed_row_is_refused),
        DISK(a_missing_or_wrong_key_destroys_nothing),
        DISK(foreign_databases),
        DISK(another_sealing_key),
        DISK(a_full_disk),
        DISK(nothing_acknowledged_is_lost),
        DISK(threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
