/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing: what a seal vouches for, and every place where its keys may be. */
#include "store/seal.h"

#include "store/scratch.h"
#include "store/seal_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PLAIN "sixteen bytes..."

typedef struct {
    char dir[SCRATCH_MAX];
    char error[400];
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    scratch_make(f->dir);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    scratch_remove(f->dir);
    free(f);
    return 0;
}

static dn_seal *open_file(fixture *f, const char *path, bool may_make)
{
    dn_seal *seal = NULL;
    if (dn_seal_open(path, path, may_make, &seal, f->error, sizeof f->error) != DUNLIN_OK) {
        return NULL;
    }
    return seal;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void read_file(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
}

typedef struct {
    uint8_t bytes[sizeof PLAIN - 1 + DN_SEAL_EXTRA];
    uint64_t id;
} box;

static box close_box(dn_seal *seal, const char *about)
{
    box b;
    assert_int_equal(dn_seal_close(seal, dunlin_slice_of(about), dunlin_slice_of(PLAIN), b.bytes, &b.id),
                     DUNLIN_OK);
    return b;
}

static dunlin_status open_box(dn_seal *seal, const char *about, const box *b)
{
    uint8_t plain[sizeof PLAIN - 1] = {0};
    dunlin_status status = dn_seal_break(seal, b->id, dunlin_slice_of(about),
                                         dunlin_slice_make(b->bytes, sizeof b->bytes), plain);
    if (status == DUNLIN_OK) {
        assert_memory_equal(plain, PLAIN, sizeof plain);
    }
    return status;
}

/* ---- what a seal is ---- */

static void seals_and_opens(void **state)
{
    dn_seal *seal = dn_seal_of_memory();
    dn_seal *other = dn_seal_of_memory();
    (void)state;
    box b = close_box(seal, "device-1");
    box again = close_box(seal, "device-1");
    assert_memory_not_equal(b.bytes, again.bytes, sizeof b.bytes);
    assert_int_equal(open_box(seal, "device-1", &b), DUNLIN_OK);
    assert_int_equal(open_box(seal, "device-2", &b), DUNLIN_ERR_MALFORMED);
    assert_int_equal(open_box(seal, "", &b), DUNLIN_ERR_MALFORMED);
    assert_int_equal(open_box(other, "device-1", &b), DUNLIN_ERR_NOT_FOUND);
    for (size_t i = 0; i < sizeof b.bytes; i++) {
        b.bytes[i] ^= 0x20;
        assert_int_equal(open_box(seal, "device-1", &b), DUNLIN_ERR_MALFORMED);
        b.bytes[i] ^= 0x20;
    }
    uint8_t out[64];
    for (size_t len = 0; len < sizeof b.bytes; len++) {
        assert_int_equal(
            dn_seal_break(seal, b.id, dunlin_slice_of("device-1"), dunlin_slice_make(b.bytes, len), out),
            DUNLIN_ERR_MALFORMED);
    }
    dn_seal_free(seal);
    dn_seal_free(other);
}

static void seals_nothing(void **state)
{
    dn_seal *seal = dn_seal_of_memory();
    uint8_t sealed[DN_SEAL_EXTRA];
    uint64_t id;
    (void)state;
    assert_int_equal(dn_seal_close(seal, dunlin_slice_of("x"), dunlin_slice_make(NULL, 0), sealed, &id),
                     DUNLIN_OK);
    const dunlin_slice view = dunlin_slice_make(sealed, sizeof sealed);
    assert_int_equal(dn_seal_break(seal, id, dunlin_slice_of("x"), view, NULL), DUNLIN_OK);
    assert_int_equal(dn_seal_break(seal, id, dunlin_slice_of("y"), view, NULL), DUNLIN_ERR_MALFORMED);
    dn_seal_free(seal);
}

/* ---- the file ---- */

static void makes_its_file(void **state)
{
    fixture *f = *state;
    const char *path = scratch_path(f->dir, "seal.key");
    struct stat about;
    assert_null(open_file(f, path, false));
    assert_int_equal(access(path, F_OK), -1);
    dn_seal *seal = open_file(f, path, true);
    assert_non_null(seal);
    assert_string_equal(dn_seal_path(seal), path);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    box b = close_box(seal, "x");
    dn_seal_free(seal);
    seal = open_file(f, path, true);
    assert_int_equal(open_box(seal, "x", &b), DUNLIN_OK);
    dn_seal_free(seal);
}

static void refuses_what_others_may_use(void **state)
{
    fixture *f = *state;
    static const mode_t modes[] = {0640, 0604, 0644, 0620, 0601, 0666};
    const char *path = scratch_path(f->dir, "seal.key");
    dn_seal_free(open_file(f, path, true));
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_null(open_file(f, path, true));
        assert_non_null(strstr(f->error, "chmod 600 "));
        assert_non_null(strstr(f->error, path));
        assert_int_equal(dn_seal_file_add(path, NULL, NULL, f->error, sizeof f->error), DUNLIN_ERR_STORE);
    }
    assert_int_equal(chmod(path, 0400), 0);
    dn_seal *seal = open_file(f, path, false);
    assert_non_null(seal);
    dn_seal_free(seal);
}

#define KEY_ID "458691bd35acf2b1" /* of a key of zeros */
#define ZEROS  "0000000000000000000000000000000000000000000000000000000000000000"

static void refuses_bad_files(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *text;
        const char *error;
    } table[] = {
        {"", "line 1: this is not a file of sealing keys"},
        {"-----BEGIN PRIVATE KEY-----\n", "line 1: this is not a file of sealing keys"},
        {"dunlin-seal 2\n", "line 1: a newer release made this file"},
        {"dunlin-seal 1\n", "holds no key"},
        {"dunlin-seal 1\n# a comment\n\n", "holds no key"},
        {"dunlin-seal 1\nfoo\n", "line 2: \"key\" or \"wrapped\""},
        {"dunlin-seal 1\nkey 1 2\n", "line 2: \"key\" or \"wrapped\""},
        {"dunlin-seal 1\nkey " KEY_ID "\n", "line 2: \"key\" or \"wrapped\""},
        {"dunlin-seal 1\nkey " KEY_ID " 00\n", "line 2: a key has 64 hex digits"},
        {"dunlin-seal 1\nkey " KEY_ID " " ZEROS "00\n", "line 2: a key has 64 hex digits"},
        {"dunlin-seal 1\nkey " KEY_ID " " ZEROS " x\n", "line 2: a key has 64 hex digits"},
        {"dunlin-seal 1\n\nkey 0000000000000001 " ZEROS "\n", "line 3: the key is damaged"},
        {"dunlin-seal 1\nwrapped " KEY_ID " 00\n", "line 2: this key is wrapped for a PKCS#11 token"},
    };
    const char *path = scratch_path(f->dir, "seal.key");
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char after[200];
        write_file(path, table[i].text, 0600);
        assert_null(open_file(f, path, true));
        if (strstr(f->error, table[i].error) == NULL) {
            fail_msg("case %zu: %s", i, f->error);
        }
        read_file(path, after, sizeof after);
        assert_string_equal(after, table[i].text);
    }
    write_file(path, "dunlin-seal 1\r\nkey " KEY_ID " " ZEROS "\r\n", 0600);
    dn_seal *seal = open_file(f, path, false);
    if (seal == NULL) {
        fail_msg("%s", f->error);
    }
    assert_true(dn_seal_has(seal, strtoull(KEY_ID, NULL, 16)));
    dn_seal_free(seal);
    assert_null(open_file(f, f->dir, true)); /* a folder */
}

static void too_many_keys(void **state)
{
    fixture *f = *state;
    const char *path = scratch_path(f->dir, "seal.key");
    for (unsigned i = 0; i < DN_SEAL_KEYS_MAX; i++) {
        assert_int_equal(dn_seal_file_add(path, NULL, NULL, f->error, sizeof f->error), DUNLIN_OK);
    }
    dn_seal *seal = open_file(f, path, false);
    assert_non_null(seal);
    dn_seal_free(seal);
    assert_int_equal(dn_seal_file_add(path, NULL, NULL, f->error, sizeof f->error), DUNLIN_ERR_STORE);
    seal = open_file(f, path, false);
    assert_non_null(seal);
    dn_seal_free(seal);
}

static void the_file_stays_its_owners(void **state)
{
    fixture *f = *state;
    struct stat about;
    const char *path = scratch_path(f->dir, "seal.key");
    if (geteuid() != 0) {
        skip(); /* nobody else can give a file away */
    }
    dn_seal_free(open_file(f, path, true));
    assert_int_equal(chown(path, 12345, 23456), 0);
    assert_int_equal(dn_seal_file_add(path, NULL, NULL, f->error, sizeof f->error), DUNLIN_OK);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_uid, 12345);
    assert_int_equal(about.st_gid, 23456);
    assert_int_equal(about.st_mode & 07777, 0600);
}

static void a_new_key_seals_old_ones_open(void **state)
{
    fixture *f = *state;
    const char *path = scratch_path(f->dir, "seal.key");
    char before[2000];
    char after[2000];
    uint64_t id = 0;
    dn_seal *seal = open_file(f, path, true);
    box old = close_box(seal, "x");
    read_file(path, before, sizeof before);
    assert_int_equal(dn_seal_file_add(path, NULL, &id, f->error, sizeof f->error), DUNLIN_OK);
    read_file(path, after, sizeof after);
    assert_memory_equal(before, after, strlen(before)); /* comments and all */
    assert_int_equal(dn_seal_newest(seal), old.id);
    assert_int_equal(dn_seal_reload(seal, &old.id, 1, f->error, sizeof f->error), DUNLIN_OK);
    assert_true(dn_seal_newest(seal) == id);
    assert_true(id != old.id);
    assert_int_equal(open_box(seal, "x", &old), DUNLIN_OK);
    box fresh = close_box(seal, "x");
    assert_true(fresh.id == id);

    /* A file without a key that is needed, or that cannot be read, changes nothing. */
    write_file(path, "dunlin-seal 1\nkey " KEY_ID " " ZEROS "\n", 0600);
    assert_int_equal(dn_seal_reload(seal, &old.id, 1, f->error, sizeof f->error), DUNLIN_ERR_STORE);
    assert_non_null(strstr(f->error, "lacks the key"));
    write_file(path, after, 0644);
    assert_int_equal(dn_seal_reload(seal, NULL, 0, f->error, sizeof f->error), DUNLIN_ERR_STORE);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(dn_seal_reload(seal, NULL, 0, f->error, sizeof f->error), DUNLIN_ERR_STORE);
    assert_int_equal(open_box(seal, "x", &fresh), DUNLIN_OK);
    dn_seal_free(seal);
}

/* ---- systemd ---- */

static void of_systemd(void **state)
{
    fixture *f = *state;
    const char *path = scratch_path(f->dir, "dunlin-seal");
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_null(open_file(f, "credential:dunlin-seal", true));
    assert_non_null(strstr(f->error, "LoadCredential=dunlin-seal"));
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", f->dir, 1), 0);
    assert_null(open_file(f, "credential:dunlin-seal", true));
    assert_int_equal(access(path, F_OK), -1); /* never made */
    assert_null(open_file(f, "credential:../dunlin-seal", true));
    assert_null(open_file(f, "credential:", true));
    assert_int_equal(dn_seal_file_add(path, NULL, NULL, f->error, sizeof f->error), DUNLIN_OK);
    assert_int_equal(chmod(path, 0440), 0); /* root's, with an access list */
    dn_seal *seal = open_file(f, "credential:dunlin-seal", false);
    assert_non_null(seal);
    assert_string_equal(dn_seal_path(seal), path);
    dn_seal_free(seal);
    assert_int_equal(chmod(path, 0444), 0);
    assert_null(open_file(f, "credential:dunlin-seal", false));
    unsetenv("CREDENTIALS_DIRECTORY");
}

/* ---- a token ---- */

#define TOKEN       "pkcs11:token=dunlin;object=seal"
#define TOKEN_RIGHT TOKEN "?pin-value=1234"

/* A SoftHSM of its own in the folder. False: there is no such program here. */
static bool make_token(const char *dir)
{
    char command[1024];
    char conf[300];
    snprintf(
        conf, sizeof conf,
        "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
        dir);
    const char *path = scratch_path(dir, "softhsm.conf");
    write_file(path, conf, 0600);
    assert_int_equal(setenv("SOFTHSM2_CONF", path, 1), 0);
    if (system("command -v softhsm2-util p11tool >/dev/null 2>&1") != 0) {
        return false;
    }
    snprintf(
        command, sizeof command,
        "{ softhsm2-util --init-token --free --label dunlin --pin 1234 --so-pin 12345678 && "
        "GNUTLS_PIN=1234 p11tool --login --generate-rsa --bits 2048 --label seal --outfile %s/public "
        "'pkcs11:token=dunlin'"
        " && GNUTLS_PIN=1234 p11tool --login --generate-ecc --curve secp256r1 --label ec --outfile %s/public "
        "'pkcs11:token=dunlin'; } >%s/log 2>&1",
        dir, dir, dir);
    if (system(command) != 0) {
        fail_msg("no token: see %s/log", dir);
    }
    return true;
}

static void wrapped_for_a_token(void **state)
{
    fixture *f = *state;
    char text[4000];
    dn_seal *seal = NULL;
    const char *path = scratch_path(f->dir, "seal.key");
    char tokens[SCRATCH_MAX + 16];
    snprintf(tokens, sizeof tokens, "%s.tokens", f->dir);
    assert_int_equal(mkdir(tokens, 0700), 0);
    if (!make_token(tokens)) {
        rmdir(tokens);
        skip();
    }
    assert_int_equal(dn_seal_open(TOKEN_RIGHT, path, false, &seal, f->error, sizeof f->error),
                     DUNLIN_ERR_NOT_FOUND);
    if (dn_seal_open(TOKEN_RIGHT, path, true, &seal, f->error, sizeof f->error) != DUNLIN_OK) {
        fail_msg("%s", f->error);
    }
    box b = close_box(seal, "x");
    dn_seal_free(seal);
    read_file(path, text, sizeof text);
    assert_non_null(strstr(text, "\nwrapped "));
    assert_null(strstr(text, "\nkey "));

    assert_int_equal(dn_seal_open(TOKEN_RIGHT, path, false, &seal, f->error, sizeof f->error), DUNLIN_OK);
    assert_int_equal(open_box(seal, "x", &b), DUNLIN_OK);
    /* Rotation: another one for the token, and one that is not wrapped. */
    assert_int_equal(dn_seal_file_add(path, TOKEN_RIGHT, NULL, f->error, sizeof f->error), DUNLIN_OK);
    assert_int_equal(dn_seal_file_add(path, NULL, NULL, f->error, sizeof f->error), DUNLIN_OK);
    assert_int_equal(dn_seal_reload(seal, &b.id, 1, f->error, sizeof f->error), DUNLIN_OK);
    assert_int_equal(open_box(seal, "x", &b), DUNLIN_OK);
    dn_seal_free(seal);

    assert_null(open_file(f, path, false));
    assert_non_null(strstr(f->error, "pkcs11:"));
    static const struct {
        const char *url, *error;
    } table[] = {
        {TOKEN "?pin-value=4321", "PIN"},
        {"pkcs11:token=dunlin;object=nothing?pin-value=1234", "cannot use the key"},
        {"pkcs11:token=dunlin;object=ec?pin-value=1234", "is not an RSA key"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(dn_seal_open(table[i].url, path, true, &seal, f->error, sizeof f->error),
                         DUNLIN_ERR_STORE);
        if (strstr(f->error, table[i].error) == NULL || strstr(f->error, "1234") != NULL ||
            strstr(f->error, "4321") != NULL) {
            fail_msg("case %zu: %s", i, f->error);
        }
    }
    snprintf(text, sizeof text, "rm -r %s", tokens);
    assert_int_equal(system(text), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seals_and_opens),
        cmocka_unit_test(seals_nothing),
        cmocka_unit_test_setup_teardown(makes_its_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_others_may_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_bad_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_file_stays_its_owners, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_key_seals_old_ones_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_systemd, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrapped_for_a_token, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
