/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state in a file: ended at every system call and every byte, by a kill, by a power cut (a model of what a disk may have of it), by a full
 * disk. The system calls are wrapped by the linker.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port/state_file.h"

#define IMAGE   40u
#define OPS_MAX 64u
#define NAME    "state"

typedef enum { OPEN, WRITE, SYNC, RENAME, UNLINK } op_kind;

typedef struct {
    op_kind kind;
    bool of_folder; /* SYNC */
    uint8_t bytes[IMAGE];
    size_t len;
} op;

/* What the wrapped calls do. Counted from 0. */
static struct {
    op ops[OPS_MAX];
    size_t count;
    bool recording;
    size_t kill_at, kill_bytes; /* kill this process in place of that call, after so many bytes of a WRITE */
    size_t fail_at;             /* that call fails */
    size_t short_writes;        /* a WRITE takes so many bytes at most; 0: all */
} tap;

int __real_openat(int folder, const char *name, int flags, ...);
ssize_t __real_write(int fd, const void *bytes, size_t len);
int __real_fsync(int fd);
int __real_renameat(int from, const char *name, int to, const char *other);
int __real_unlinkat(int folder, const char *name, int flags);
int __wrap_openat(int folder, const char *name, int flags, ...);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
int __wrap_fsync(int fd);
int __wrap_renameat(int from, const char *name, int to, const char *other);
int __wrap_unlinkat(int folder, const char *name, int flags);

static void reset(void)
{
    memset(&tap, 0, sizeof tap);
    tap.kill_at = tap.fail_at = SIZE_MAX;
}

/* True: the call is to fail. */
static bool pass(op_kind kind, bool of_folder, const void *bytes, size_t len)
{
    if (!tap.recording) {
        return false;
    }
    assert_true(tap.count < OPS_MAX);
    op *o = &tap.ops[tap.count];
    o->kind = kind;
    o->of_folder = of_folder;
    o->len = len;
    if (len > 0) {
        memcpy(o->bytes, bytes, len);
    }
    const size_t at = tap.count++;
    if (at == tap.kill_at && kind != WRITE) {
        (void)raise(SIGKILL);
    }
    errno = EIO;
    return at == tap.fail_at;
}

int __wrap_openat(int folder, const char *name, int flags, ...)
{
    const bool fresh = strcmp(name, NAME ".new") == 0;
    return fresh && pass(OPEN, false, NULL, 0) ? -1 : __real_openat(folder, name, flags, 0600);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
    if (!tap.recording) {
        return __real_write(fd, bytes, len);
    }
    if (tap.short_writes > 0 && len > tap.short_writes) {
        len = tap.short_writes;
    }
    const size_t at = tap.count;
    if (pass(WRITE, false, bytes, len)) {
        return -1;
    }
    if (at == tap.kill_at) {
        (void)!__real_write(fd, bytes, tap.kill_bytes);
        (void)raise(SIGKILL);
    }
    return __real_write(fd, bytes, len);
}

int __wrap_fsync(int fd)
{
    struct stat about;
    (void)fstat(fd, &about);
    return pass(SYNC, S_ISDIR(about.st_mode), NULL, 0) ? -1 : __real_fsync(fd);
}

int __wrap_renameat(int from, const char *name, int to, const char *other)
{
    return pass(RENAME, false, NULL, 0) ? -1 : __real_renameat(from, name, to, other);
}

int __wrap_unlinkat(int folder, const char *name, int flags)
{
    return pass(UNLINK, false, NULL, 0) ? -1 : __real_unlinkat(folder, name, flags);
}

/* ---- a folder ---- */

typedef struct {
    char folder[64];
    char name[96];
} place;

static int set_up(void **state)
{
    place *p = calloc(1, sizeof *p);
    reset();
    (void)snprintf(p->folder, sizeof p->folder, "/tmp/dunlin-state-XXXXXX");
    if (mkdtemp(p->folder) == NULL) {
        free(p);
        return -1;
    }
    (void)snprintf(p->name, sizeof p->name, "%s/" NAME, p->folder);
    *state = p;
    return 0;
}

static void empty(const place *p)
{
    static const char *const suffixes[] = {"", ".new", ".lock", ".damaged"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char name[128];
        (void)snprintf(name, sizeof name, "%s%s", p->name, suffixes[i]);
        (void)unlink(name);
    }
}

static int tear_down(void **state)
{
    place *p = *state;
    reset();
    empty(p);
    const int result = rmdir(p->folder);
    free(p);
    return result;
}

static dn_state_file *open_file(const place *p)
{
    char error[256] = "";
    dn_state_file *file = NULL;
    if (dn_state_file_open(p->name, &file, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
    return file;
}

/* Images of bytes that tell which they are. */
static dunlin_slice image_of(uint8_t number)
{
    static uint8_t bytes[256][IMAGE];
    memset(bytes[number], number, IMAGE);
    return dunlin_slice_make(bytes[number], IMAGE);
}

/* The number of what is there; 0: nothing; fails if it is no whole image. */
static uint8_t load(const place *p)
{
    char error[256] = "";
    uint8_t *bytes = NULL;
    size_t len = 0;
    dn_state_file *file = open_file(p);
    const dunlin_status status = dn_state_file_load(file, &bytes, &len, error, sizeof error);
    dn_state_file_close(file);
    if (status == DUNLIN_ERR_NOT_FOUND) {
        return 0;
    }
    assert_int_equal(status, DUNLIN_OK);
    assert_int_equal(len, IMAGE);
    const uint8_t number = bytes[0];
    assert_memory_equal(bytes, image_of(number).data, IMAGE);
    free(bytes);
    return number;
}

static dunlin_status save(const place *p, uint8_t number)
{
    char error[256] = "";
    uint8_t *bytes = NULL;
    size_t len = 0;
    dn_state_file *file = open_file(p);
    (void)dn_state_file_load(file, &bytes, &len, error, sizeof error);
    free(bytes);
    dn_state_file_accept(file);
    tap.recording = true;
    const dunlin_status status = dn_state_file_save(file, image_of(number));
    tap.recording = false;
    dn_state_file_close(file);
    return status;
}

static bool exists(const place *p, const char *suffix)
{
    char name[128];
    (void)snprintf(name, sizeof name, "%s%s", p->name, suffix);
    return access(name, F_OK) == 0;
}

static void put(const place *p, const char *suffix, const uint8_t *bytes, size_t len)
{
    char name[128];
    (void)snprintf(name, sizeof name, "%s%s", p->name, suffix);
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* ---- the ordinary way ---- */

static void what_was_saved_is_there(void **state)
{
    const place *p = *state;
    struct stat about;
    assert_int_equal(load(p), 0);
    assert_int_equal(save(p, 1), DUNLIN_OK);
    assert_int_equal(load(p), 1);
    tap.short_writes = 7;
    assert_int_equal(save(p, 2), DUNLIN_OK);
    assert_int_equal(load(p), 2);
    assert_int_equal(stat(p->name, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_false(exists(p, ".new"));
}

static void a_relative_name(void **state)
{
    const place *p = *state;
    char error[128] = "", before[PATH_MAX];
    dn_state_file *file = NULL;
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(p->folder), 0);
    assert_int_equal(dn_state_file_open(NAME, &file, error, sizeof error), DUNLIN_OK);
    assert_int_equal(chdir(before), 0);
    dn_state_file_accept(file);
    assert_int_equal(dn_state_file_save(file, image_of(3)), DUNLIN_OK);
    dn_state_file_close(file);
    assert_int_equal(load(p), 3);
}

static void names_that_are_none(void **state)
{
    static const struct {
        const char *name;
        dunlin_status status;
    } rows[] = {
        {"", DUNLIN_ERR_ARGUMENT},
        {"/tmp/", DUNLIN_ERR_ARGUMENT},
        {".", DUNLIN_ERR_ARGUMENT},
        {"/tmp/..", DUNLIN_ERR_ARGUMENT},
        {"/no/such/folder/x", DUNLIN_ERR_IO},
        {"/dev/null/x", DUNLIN_ERR_IO},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[128] = "";
        dn_state_file *file = NULL;
        assert_int_equal(dn_state_file_open(rows[i].name, &file, error, sizeof error), rows[i].status);
        assert_string_not_equal(error, "");
    }
}

static void nothing_unknown_is_replaced(void **state)
{
    const place *p = *state;
    char error[128] = "";
    uint8_t *bytes = NULL;
    size_t len = 0;
    put(p, "", (const uint8_t *)"broken", 6);
    dn_state_file *file = open_file(p);
    assert_int_equal(dn_state_file_save(file, image_of(1)), DUNLIN_ERR_STATE);
    assert_int_equal(dn_state_file_load(file, &bytes, &len, error, sizeof error), DUNLIN_OK);
    free(bytes);
    assert_int_equal(dn_state_file_save(file, image_of(1)), DUNLIN_ERR_STATE);
    assert_int_equal(dn_state_file_set_aside(file), DUNLIN_OK);
    assert_true(exists(p, ".damaged"));
    assert_int_equal(dn_state_file_save(file, image_of(1)), DUNLIN_OK);
    dn_state_file_close(file);
    assert_int_equal(load(p), 1);
}

static void what_is_no_file_is_refused(void **state)
{
    const place *p = *state;
    char error[128] = "";
    uint8_t *bytes = NULL;
    size_t len = 0;
    dn_state_file *file = open_file(p);
    assert_int_equal(mkfifo(p->name, 0600), 0);
    assert_int_equal(dn_state_file_load(file, &bytes, &len, error, sizeof error), DUNLIN_ERR_LIMIT);
    assert_int_equal(unlink(p->name), 0);
    const int fd = open(p->name, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, DN_STATE_MAX + 1), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(dn_state_file_load(file, &bytes, &len, error, sizeof error), DUNLIN_ERR_LIMIT);
    assert_int_equal(dn_state_file_save(file, image_of(1)), DUNLIN_ERR_STATE);
    dn_state_file_close(file);
}

static void removed_it_is_as_never_saved(void **state)
{
    const place *p = *state;
    assert_int_equal(save(p, 1), DUNLIN_OK);
    dn_state_file *file = open_file(p);
    assert_int_equal(dn_state_file_remove(file), DUNLIN_OK);
    assert_int_equal(dn_state_file_remove(file), DUNLIN_OK);
    dn_state_file_close(file);
    assert_int_equal(load(p), 0);
    assert_int_equal(save(p, 2), DUNLIN_OK);
}

static void one_process_at_a_time(void **state)
{
    const place *p = *state;
    char error[128] = "", expected[32];
    dn_state_file *file = open_file(p);
    dn_state_file *second = NULL;
    assert_int_equal(dn_state_file_open(p->name, &second, error, sizeof error), DUNLIN_ERR_STATE);
    (void)snprintf(expected, sizeof expected, "process %ld", (long)getpid());
    assert_non_null(strstr(error, expected));
    dn_state_file_close(file);
    second = open_file(p);
    dn_state_file_close(second);
}

/* ---- ended in the midst of it ---- */

/* In a child, which kills itself at a call. Returns whether it got that far. */
static bool save_and_die(const place *p, uint8_t number, size_t at, size_t bytes)
{
    int status = 0;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        reset();
        tap.kill_at = at;
        tap.kill_bytes = bytes;
        _exit(save(p, number) == DUNLIN_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

static void a_kill_leaves_the_old_or_the_new(void **state)
{
    const place *p = *state;
    uint8_t number = 1;
    unsigned kills = 0;
    assert_int_equal(save(p, number), DUNLIN_OK);
    for (size_t at = 0, bytes = 0; save_and_die(p, (uint8_t)(number + 1), at, bytes); kills++) {
        const uint8_t found = load(p);
        assert_true(found == number || found == number + 1);
        number = found;
        const bool writes = at == 1 && bytes < IMAGE; /* 0 opens, 1 writes */
        bytes = writes ? bytes + 1 : 0;
        at += writes ? 0 : 1;
    }
    assert_int_equal(load(p), number + 1);
    assert_true(kills >= IMAGE + 4);
}

static void a_call_that_fails_leaves_the_old(void **state)
{
    const place *p = *state;
    assert_int_equal(save(p, 1), DUNLIN_OK);
    const size_t calls = tap.count;
    assert_int_equal(calls, 5); /* open, write, sync, rename, sync of the folder */
    for (size_t at = 0; at < calls; at++) {
        reset();
        tap.fail_at = at;
        assert_int_equal(save(p, 2), DUNLIN_ERR_IO);
        assert_int_equal(load(p), at == calls - 1 ? 2 : 1);
        assert_false(exists(p, ".new"));
        reset();
        assert_int_equal(save(p, 1), DUNLIN_OK);
    }
}

static void a_full_disk_leaves_the_old(void **state)
{
    const place *p = *state;
    assert_int_equal(save(p, 1), DUNLIN_OK);
    for (rlim_t room = 0; room <= IMAGE; room += 8) {
        int status = 0;
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            char error[64];
            uint8_t *bytes = NULL;
            size_t len = 0;
            dn_state_file *file = open_file(p);
            (void)dn_state_file_load(file, &bytes, &len, error, sizeof error);
            dn_state_file_accept(file);
            const struct rlimit limit = {room, room};
            (void)signal(SIGXFSZ, SIG_IGN);
            (void)setrlimit(RLIMIT_FSIZE, &limit);
            _exit(dn_state_file_save(file, image_of(2)) == DUNLIN_ERR_IO ? 1 : 0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), room < IMAGE ? 1 : 0);
        assert_int_equal(load(p), room < IMAGE ? 1 : 2);
    }
}

/* ---- a power cut: what a disk may have of calls that were not made durable ---- */

/* The bytes of the new file, if it has any name, and which name that is. */
typedef struct {
    uint8_t fresh[IMAGE];
    size_t len;
    bool made, renamed;
} disk;

/* Data that was written but not synced: none of it, some, all, or a length without its bytes. */
typedef enum { NO_DATA, SOME_DATA, ALL_DATA, ZEROS, DATA_KINDS } data_kind;

/* The disk after the first `calls` calls and `bytes` of the next one, a WRITE. */
static disk after(size_t calls, size_t bytes, data_kind data, bool names)
{
    disk d;
    size_t written = 0;
    bool synced = false;
    bool renamed = false;
    bool folder_synced = false;
    memset(&d, 0, sizeof d);
    for (size_t i = 0; i <= calls && i < tap.count; i++) {
        const op *o = &tap.ops[i];
        const size_t part = i < calls ? o->len : bytes;
        if (i == calls && o->kind != WRITE) {
            break;
        }
        d.made = d.made || o->kind == OPEN;
        if (o->kind == WRITE) {
            memcpy(d.fresh + written, o->bytes, part);
            written += part;
            synced = synced && part == 0;
        }
        synced = synced || (o->kind == SYNC && !o->of_folder);
        renamed = renamed || o->kind == RENAME;
        folder_synced = folder_synced || (o->kind == SYNC && o->of_folder && renamed);
    }
    d.renamed = renamed && (folder_synced || names);
    d.len = synced || data == ALL_DATA ? written
            : data == SOME_DATA        ? written / 2
            : data == ZEROS            ? written
                                       : 0;
    if (!synced && data == ZEROS) {
        memset(d.fresh, 0, sizeof d.fresh);
    }
    return d;
}

/* Puts the folder into that state, where `old` was before. */
static void make_real(const place *p, const disk *d, uint8_t old)
{
    empty(p);
    put(p, "", image_of(old).data, IMAGE);
    if (d->renamed) {
        put(p, "", d->fresh, d->len);
    } else if (d->made) {
        put(p, ".new", d->fresh, d->len);
    }
}

static void a_power_cut_leaves_the_old_or_the_new(void **state)
{
    const place *p = *state;
    unsigned states = 0;
    assert_int_equal(save(p, 1), DUNLIN_OK);
    reset();
    tap.short_writes = 9;
    assert_int_equal(save(p, 2), DUNLIN_OK);
    for (size_t calls = 0; calls <= tap.count; calls++) {
        const bool writes = calls < tap.count && tap.ops[calls].kind == WRITE;
        for (size_t bytes = 0; bytes <= (writes ? tap.ops[calls].len : 0); bytes++) {
            for (unsigned variant = 0; variant < 2 * DATA_KINDS; variant++) {
                const disk d = after(calls, bytes, (data_kind)(variant % DATA_KINDS), variant >= DATA_KINDS);
                make_real(p, &d, 1);
                const uint8_t found = load(p);
                assert_true(found == 1 || found == 2);
                assert_true(calls < tap.count || found == 2); /* save had returned */
                states++;
            }
        }
    }
    assert_true(states > 300);
    const size_t count = tap.count;
    assert_int_equal(save(p, 3), DUNLIN_OK); /* what a cut has left behind is in nobody's way */
    assert_int_equal(load(p), 3);
    assert_true(tap.count > count);
}

/* The model itself can tell: without the sync of the data it finds what is neither. */
static void the_model_notices_a_missing_sync(void **state)
{
    const place *p = *state;
    unsigned torn = 0;
    assert_int_equal(save(p, 1), DUNLIN_OK);
    reset();
    assert_int_equal(save(p, 2), DUNLIN_OK);
    for (size_t i = 0; i < tap.count; i++) {
        if (tap.ops[i].kind == SYNC && !tap.ops[i].of_folder) {
            memmove(&tap.ops[i], &tap.ops[i + 1], (tap.count - i - 1) * sizeof tap.ops[0]);
            tap.count--;
        }
    }
    for (unsigned variant = 0; variant < DATA_KINDS; variant++) {
        const disk d = after(tap.count, 0, (data_kind)variant, true);
        torn += d.renamed && (d.len != IMAGE || memcmp(d.fresh, image_of(2).data, IMAGE) != 0) ? 1 : 0;
    }
    assert_true(torn > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_saved_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_relative_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_that_are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_unknown_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(removed_it_is_as_never_saved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_process_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kill_leaves_the_old_or_the_new, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_call_that_fails_leaves_the_old, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_leaves_the_old, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_power_cut_leaves_the_old_or_the_new, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_model_notices_a_missing_sync, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
