/* SPDX-License-Identifier: Apache-2.0 */
/* The depot: what is kept over a new start, what is swept away, and what of a folder that others have touched. */
#include "api/depot.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* SHA-256 of "abc" (FIPS 180-4). */
#define ABC_SHA "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC_ID  "ba7816bf8f01cfea414140de5dae2223"

static char folder[64];

static dn_depot *reopen(dn_depot *depot)
{
    char error[200] = "";
    dn_depot_free(depot);
    dn_depot *opened = dn_depot_open(folder, NULL, error, sizeof error);
    if (opened == NULL) {
        fail_msg("%s", error);
    }
    return opened;
}

static int set_up(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/dunlin-depot.XXXXXX");
    assert_non_null(mkdtemp(folder));
    *state = reopen(NULL);
    return 0;
}

static int tear_down(void **state)
{
    char command[100];
    dn_depot_free(*state);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void put_file(const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool has_file(const char *name)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static dn_package_info add(dn_depot *depot, const char *text, const char *name, int64_t now_ms)
{
    dn_package_info info;
    dn_depot_upload *upload = dn_depot_begin(depot);
    assert_non_null(upload);
    for (; *text != 0; text++) { /* a byte at a time */
        assert_true(dn_depot_add(upload, text, 1));
    }
    assert_int_equal(dn_depot_finish(upload, name, now_ms, &info), DUNLIN_OK);
    return info;
}

static void what_is_added_is_there(void **state)
{
    dn_package_info info = add(*state, "abc", "letters \"\xc3\xa9\"", 1700000000123);
    assert_string_equal(info.id, ABC_ID);
    assert_string_equal(info.sha256, ABC_SHA);
    *state = reopen(*state);
    dn_package_info found;
    assert_true(dn_depot_find(*state, dunlin_slice_of(ABC_ID), &found));
    assert_string_equal(found.name, "letters \"\xc3\xa9\"");
    assert_string_equal(found.sha256, ABC_SHA);
    assert_int_equal(found.size, 3);
    assert_true(found.created_ms == 1700000000123);
    assert_false(dn_depot_find(*state, dunlin_slice_of("ba7816bf8f01cfea414140de5dae2224"), &found));
    assert_false(dn_depot_find(*state, dunlin_slice_of(""), &found));
}

static void the_same_content_keeps_its_time(void **state)
{
    (void)add(*state, "abc", "one", 1000);
    dn_package_info again = add(*state, "abc", "", 2000);
    assert_string_equal(again.name, "one");
    assert_true(again.created_ms == 1000);
    again = add(*state, "abc", "two", 3000);
    assert_string_equal(again.name, "two");
    size_t count;
    dn_package_info *list = dn_depot_list(*state, &count);
    assert_non_null(list);
    assert_int_equal(count, 1);
    free(list);
}

static void removed_is_gone(void **state)
{
    (void)add(*state, "abc", "one", 1000);
    assert_int_equal(dn_depot_remove(*state, dunlin_slice_of(ABC_ID)), DUNLIN_OK);
    assert_int_equal(dn_depot_remove(*state, dunlin_slice_of(ABC_ID)), DUNLIN_ERR_NOT_FOUND);
    assert_false(has_file(ABC_ID));
    assert_false(has_file(ABC_ID ".json"));
    *state = reopen(*state);
    dn_package_info found;
    assert_false(dn_depot_find(*state, dunlin_slice_of(ABC_ID), &found));
}

static void what_was_begun_is_swept_away(void **state)
{
    put_file("upload-7", "half of it");
    put_file("upload-" ABC_ID ".json", "{}");
    put_file(ABC_ID ".json", "{\"name\":\"x\"}"); /* its file never came */
    put_file("README", "not ours");
    put_file("00000000000000000000000000000000.txt", "not ours");
    *state = reopen(*state);
    assert_false(has_file("upload-7"));
    assert_false(has_file("upload-" ABC_ID ".json"));
    assert_false(has_file(ABC_ID ".json"));
    assert_true(has_file("README"));
    assert_true(has_file("00000000000000000000000000000000.txt"));
    dn_depot_upload *upload = dn_depot_begin(*state);
    assert_non_null(upload);
    assert_true(has_file("upload-1"));
    dn_depot_abandon(upload);
    assert_false(has_file("upload-1"));
}

/* A damaged sidecar takes the name, not the package. */
static void a_bad_sidecar_leaves_the_package(void **state)
{
    static const char *const rows[] = {"",
                                       "{",
                                       "[]",
                                       "{\"name\":5}",
                                       "{\"name\":\"x\",\"sha256\":\"00\",\"createdMs\":1}",
                                       "{\"name\":\"x\",\"sha256\":\"" ABC_SHA "\",\"createdMs\":\"1\"}",
                                       "{\"name\":\"x\",\"sha256\":\"" ABC_SHA "0\",\"createdMs\":1}"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)add(*state, "abc", "one", 1000);
        put_file(ABC_ID ".json", rows[i]);
        *state = reopen(*state);
        dn_package_info found;
        assert_true(dn_depot_find(*state, dunlin_slice_of(ABC_ID), &found));
        assert_string_equal(found.name, "");
        assert_int_equal(found.size, 3);
        assert_true(found.created_ms > 1000);
    }
}

static void names_that_are_no_files_are_none(void **state)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, ABC_ID);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/%s", folder, "00000000000000000000000000000001");
    assert_int_equal(symlink("/etc/passwd", path), 0);
    *state = reopen(*state);
    size_t count;
    dn_package_info *list = dn_depot_list(*state, &count);
    assert_non_null(list);
    assert_int_equal(count, 0);
    free(list);
}

static void a_folder_that_is_not_there(void **state)
{
    char error[200] = "";
    (void)state;
    assert_null(dn_depot_open("/tmp/dunlin-depot.none", NULL, error, sizeof error));
    assert_non_null(strstr(error, "/tmp/dunlin-depot.none"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_added_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_content_keeps_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(removed_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_begun_is_swept_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_sidecar_leaves_the_package, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_that_are_no_files_are_none, set_up, tear_down),
        cmocka_unit_test(a_folder_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
