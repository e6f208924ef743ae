/* SPDX-License-Identifier: Apache-2.0 */
/* What is read from bytes and files, what is said of what cannot be read, and which changes of files are seen. */
#include "security/key_material.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PATH 64

static char folder[] = "/tmp/dunlin-material-XXXXXX";
static unsigned warnings;

static void on_log(void *context, dn_log_level level, const char *area, const char *message)
{
    (void)context;
    (void)area;
    warnings += level == DN_LOG_WARN && strstr(message, "can be read by everybody") != NULL;
}

static const dn_log log_ = {.write = on_log};

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[PATH];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static const char *write_file(char path[PATH], const char *name, const char *text, mode_t mode)
{
    (void)snprintf(path, PATH, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0 && fclose(file) == 0 && chmod(path, mode) == 0);
    return path;
}

static bool is(dunlin_slice bytes, const char *text)
{
    return dunlin_slice_equal(bytes, dunlin_slice_of(text));
}

static dn_material *read_all(const dn_sources *sources)
{
    char error[256] = "";
    dn_material *material = NULL;
    if (dn_material_read(sources, &log_, &material, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
    return material;
}

static void bytes_and_files(void **state)
{
    char chain[PATH], key[PATH], trusted[PATH], revoked[PATH];
    (void)state;
    const dn_sources sources = {
        .pair_count = 3,
        .pairs = {{.chain.file = write_file(chain, "chain", "a chain", 0644),
                   .key.file = write_file(key, "key", "a key", 0600),
                   .ocsp.bytes = dunlin_slice_of("a response")},
                  {.key.file = "pkcs11:object=one"},
                  {.chain.bytes = dunlin_slice_of("another"), .key.bytes = dunlin_slice_of("its key")}},
        .trusted.file = write_file(trusted, "trusted", "authorities", 0644),
        .also_trusted = dunlin_slice_of("one more"),
        .revoked.file = write_file(revoked, "revoked", "a list", 0644)};
    dn_tls_server_config config = dn_tls_server_config_default();
    warnings = 0;
    dn_material *material = read_all(&sources);
    dn_material_fill(material, &config);
    assert_int_equal(config.pair_count, 3);
    assert_true(is(config.pairs[0].chain, "a chain") && is(config.pairs[0].key, "a key") &&
                is(config.pairs[0].ocsp, "a response") && config.pairs[0].key_url == NULL);
    assert_string_equal(config.pairs[1].key_url, "pkcs11:object=one");
    assert_true(config.pairs[1].key.len == 0 && config.pairs[1].chain.len == 0);
    assert_true(is(config.pairs[2].chain, "another") && is(config.pairs[2].key, "its key"));
    assert_true(is(config.trusted, "authorities\none more") && is(config.revoked, "a list"));
    assert_true(is(dn_material_chain(material, 2), "another") && dn_material_chain(material, 3).len == 0);
    assert_int_equal(warnings, 0);
    dn_material_wipe(material);
    dn_material_fill(material, &config);
    assert_true(config.pair_count == 0 && config.trusted.len == 0 && config.revoked.len == 0);

    /* Each change of a file is told once, whichever it is; a file that is gone for a moment is none. */
    assert_false(dn_material_has_changed(material));
    (void)write_file(revoked, "revoked", "a longer list", 0644);
    assert_true(dn_material_has_changed(material));
    assert_false(dn_material_has_changed(material));
    assert_int_equal(unlink(key), 0);
    assert_false(dn_material_has_changed(material));
    (void)write_file(key, "key", "another key", 0600);
    assert_true(dn_material_has_changed(material));
    dn_material_free(material);
    dn_material_free(NULL);
}

static void an_authority_beside_none(void **state)
{
    dn_tls_server_config config = dn_tls_server_config_default();
    (void)state;
    dn_material *material = read_all(&(dn_sources){.also_trusted = dunlin_slice_of("one more")});
    dn_material_fill(material, &config);
    assert_true(is(config.trusted, "\none more") && config.pair_count == 0);
    dn_material_free(material);
}

static void a_key_that_everybody_can_read(void **state)
{
    char key[PATH];
    (void)state;
    warnings = 0;
    dn_material_free(read_all(
        &(dn_sources){.pair_count = 1, .pairs = {{.key.file = write_file(key, "open", "a key", 0644)}}}));
    assert_int_equal(warnings, 1);
}

static void what_cannot_be_read(void **state)
{
    char key[PATH], empty[PATH], long_file[PATH];
    (void)state;
    (void)write_file(key, "key", "a key", 0600);
    (void)write_file(empty, "empty", "", 0600);
    (void)write_file(long_file, "long", "", 0600);
    assert_int_equal(truncate(long_file, DN_MATERIAL_FILE_MAX + 1), 0);
    const dn_key_source good = {.key.file = key};
    const struct {
        const char *description;
        dn_sources sources;
        dunlin_status status;
        const char *text;
    } cases[] = {
        {"a chain that is missing",
         {.pair_count = 1, .pairs = {{.chain.file = "/nonexistent/chain", .key.file = key}}},
         DUNLIN_ERR_IO,
         "/nonexistent/chain: No such file"},
        {"a key that is empty", {.pair_count = 1, .pairs = {{.key.file = empty}}}, DUNLIN_ERR_IO, empty},
        {"a file that is too long", {.revoked.file = long_file}, DUNLIN_ERR_IO, "8 MiB"},
        {"a folder", {.trusted.file = folder}, DUNLIN_ERR_IO, folder},
        {"a device", {.trusted.file = "/dev/zero"}, DUNLIN_ERR_IO, "/dev/zero: not a file"},
        {"no key", {.pair_count = 2, .pairs = {good}}, DUNLIN_ERR_ARGUMENT, "key pair 2"},
        {"a response that is missing",
         {.pair_count = 1, .pairs = {{.key.file = key, .ocsp.file = "/nonexistent/ocsp"}}},
         DUNLIN_ERR_IO,
         "/nonexistent/ocsp"},
        {"too many", {.pair_count = DN_TLS_KEY_PAIRS_MAX + 1}, DUNLIN_ERR_ARGUMENT, "8 key pairs"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char error[256] = "";
        dn_material *material = NULL;
        const dunlin_status status =
            dn_material_read(&cases[i].sources, NULL, &material, error, sizeof error);
        if (status != cases[i].status || strstr(error, cases[i].text) == NULL || material != NULL) {
            fail_msg("%s: %s, \"%s\"", cases[i].description, dunlin_status_text(status), error);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_and_files),
        cmocka_unit_test(an_authority_beside_none),
        cmocka_unit_test(a_key_that_everybody_can_read),
        cmocka_unit_test(what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
