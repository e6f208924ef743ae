/* SPDX-License-Identifier: Apache-2.0 */
/* The credentials of `dunlin client`: what is read of hex digits and files, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "apps/dunlin/client_security.h"

#define FILES_MAX 16

/* Contents need not be keys here: what they are is the session's matter. */
#define BLOCK(label, base64) "-----BEGIN " label "-----\n" base64 "\n-----END " label "-----\n"

static const struct {
    const char *name, *content;
} files[] = {
    {"digits", " 00ff10Ab\n"},
    {"prefixed", "hex:00\n"},
    {"odd", "012\n"},
    {"words", "00 11\n"},
    {"empty", ""},
    {"der", "0\x03\x02\x01\x05"},
    {"public", BLOCK("PUBLIC KEY", "MAMC\nAQU=")},
    {"private", BLOCK("EC PARAMETERS", "AAAA") BLOCK("EC PRIVATE KEY", "MAMCAQY=")},
    {"pkcs8", BLOCK("PRIVATE KEY", "MAMCAQc=")},
    {"encrypted", BLOCK("ENCRYPTED PRIVATE KEY", "MAMCAQY=")},
    {"certificate", BLOCK("CERTIFICATE", "MAMCAQg=")},
    {"chain", BLOCK("CERTIFICATE", "MAMCAQg=") BLOCK("CERTIFICATE", "MAMCAQk=")},
    {"broken", BLOCK("CERTIFICATE", "MAMC*Qg=")},
    {"cut", "-----BEGIN CERTIFICATE-----\nMAMCAQg=\n"},
    {"text", "nothing of that kind\n"},
};

/* "%digits" is the file of that name. */
static const char *place(const char *folder, const char *word, char *out, size_t size)
{
    const char *percent = word == NULL ? NULL : strchr(word, '%');
    if (percent == NULL) {
        return word;
    }
    (void)snprintf(out, size, "%.*s%s/%s", (int)(percent - word), word, folder, percent + 1);
    return out;
}

static int make_files(void **state)
{
    static char folder[] = "/tmp/dunlin-security-XXXXXX";
    char path[128];
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        FILE *file = fopen(path, "wb");
        if (file == NULL || fputs(files[i].content, file) < 0 || fclose(file) != 0) {
            return 1;
        }
    }
    *state = folder;
    return 0;
}

static int remove_files(void **state)
{
    char path[128];
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", (const char *)*state, files[i].name);
        (void)unlink(path);
    }
    return rmdir(*state);
}

static bool load(const char *folder, const dn_sim_security_options *given, dn_sim_security *out)
{
    static char paths[8][128];
    dn_sim_security_options o = *given;
    o.key = place(folder, o.key, paths[0], sizeof paths[0]);
    o.public_key = place(folder, o.public_key, paths[1], sizeof paths[1]);
    o.private_key = place(folder, o.private_key, paths[2], sizeof paths[2]);
    o.certificate = place(folder, o.certificate, paths[3], sizeof paths[3]);
    o.server_key = place(folder, o.server_key, paths[4], sizeof paths[4]);
    o.server_certificate = place(folder, o.server_certificate, paths[5], sizeof paths[5]);
    o.roots = place(folder, o.roots, paths[6], sizeof paths[6]);
    return dn_sim_security_load(&o, out);
}

#define NONE .usage = -1, .matching = -1, .suites = -1
#define HASH "hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void assert_bytes(dunlin_slice slice, const char *bytes, size_t len)
{
    assert_int_equal(slice.len, len);
    assert_memory_equal(slice.data, bytes, len);
}

static const struct {
    dn_sim_security_options o;
    dunlin_security_mode mode;
    const char *identity, *server, *secret;
    size_t identity_len, server_len, secret_len;
} good[] = {
    {{NONE}, DUNLIN_NOSEC, "", "", "", 0, 0, 0},
    {{.identity = "me", .key = "hex:00fF", NONE}, DUNLIN_PSK, "me", "", "\x00\xff", 2, 0, 2},
    {{.identity = "hex:00ff", .key = "@%digits", NONE},
     DUNLIN_PSK,
     "\x00\xff",
     "",
     "\x00\xff\x10\xab",
     2,
     0,
     4},
    {{.identity = "me", .key = "@%prefixed", NONE}, DUNLIN_PSK, "me", "", "\x00", 2, 0, 1},
    {{.public_key = "%public", .private_key = "%private", .server_key = "%der", NONE},
     DUNLIN_RPK,
     "0\x03\x02\x01\x05",
     "0\x03\x02\x01\x05",
     "0\x03\x02\x01\x06",
     5,
     5,
     5},
    {{.public_key = "%der", .private_key = "pkcs11:token=t", .server_key = "%public", NONE},
     DUNLIN_RPK,
     "0\x03\x02\x01\x05",
     "0\x03\x02\x01\x05",
     "pkcs11:token=t",
     5,
     5,
     14},
    {{.certificate = "%certificate", .private_key = "%pkcs8", .server_certificate = "%certificate", NONE},
     DUNLIN_X509,
     "0\x03\x02\x01\x08",
     "0\x03\x02\x01\x08",
     "0\x03\x02\x01\x07",
     5,
     5,
     5},
    {{.certificate = "%certificate",
      .private_key = "%pkcs8",
      .server_certificate = HASH,
      .usage = 3,
      .matching = 1,
      .suites = 3},
     DUNLIN_X509,
     "0\x03\x02\x01\x08",
     "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17"
     "\x18"
     "\x19\x1a\x1b\x1c\x1d\x1e\x1f",
     "0\x03\x02\x01\x07",
     5,
     32,
     5},
    {{.certificate = "%certificate",
      .private_key = "%pkcs8",
      .server_certificate = "%certificate",
      .roots = "%chain",
      .usage = 1,
      .matching = -1,
      .suites = -1},
     DUNLIN_X509,
     "0\x03\x02\x01\x08",
     "0\x03\x02\x01\x08",
     "0\x03\x02\x01\x07",
     5,
     5,
     5},
};

static void good_ones(void **state)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        dn_sim_security got;
        if (!load(*state, &good[i].o, &got)) {
            fail_msg("row %zu was refused", i);
        }
        assert_int_equal(got.security.mode, good[i].mode);
        assert_bytes(got.security.identity, good[i].identity, good[i].identity_len);
        assert_bytes(got.security.server_key, good[i].server, good[i].server_len);
        assert_bytes(got.security.secret, good[i].secret, good[i].secret_len);
        assert_int_equal(got.security.usage, good[i].o.usage);
        assert_int_equal(got.suites, good[i].o.suites < 0 ? (int)DN_TLS_SUITES_CCM8 : good[i].o.suites);
        assert_int_equal(got.roots.len > 0, good[i].o.roots != NULL);
        dn_sim_security_free(&got);
        assert_null(got.bytes[0].data);
    }
}

/* Those who issued it go along, as they stand. */
static void chains(void **state)
{
    const dn_sim_security_options o = {.certificate = "%chain",
                                       .private_key = "%pkcs8",
                                       .server_certificate = "%certificate",
                                       .sni = "name",
                                       NONE};
    dn_sim_security got;
    assert_true(load(*state, &o, &got));
    assert_memory_equal(got.security.identity.data, "-----BEGIN", 10);
    assert_string_equal(got.security.sni, "name");
    dn_sim_security_free(&got);
}

static void bad_ones(void **state)
{
    static const dn_sim_security_options rows[] = {
        {.identity = "me", NONE},
        {.key = "hex:00", NONE},
        {.identity = "", .key = "hex:00", NONE},
        {.identity = "hex:", .key = "hex:00", NONE},
        {.identity = "hex:0", .key = "hex:00", NONE},
        {.identity = "me", .key = "00", NONE},
        {.identity = "me", .key = "hex:", NONE},
        {.identity = "me", .key = "hex:0", NONE},
        {.identity = "me", .key = "hex:0g", NONE},
        {.identity = "me", .key = "@%missing", NONE},
        {.identity = "me", .key = "@%odd", NONE},
        {.identity = "me", .key = "@%words", NONE},
        {.identity = "me", .key = "@%empty", NONE},
        {.identity = "me", .key = "hex:00", .public_key = "%public", NONE},
        {.public_key = "%public", .server_key = "%public", NONE},
        {.public_key = "%public", .private_key = "%pkcs8", NONE},
        {.private_key = "%pkcs8", NONE},
        {.public_key = "%public", .certificate = "%certificate", .private_key = "%pkcs8", NONE},
        {.public_key = "%certificate", .private_key = "%pkcs8", .server_key = "%public", NONE},
        {.public_key = "%public", .private_key = "%encrypted", .server_key = "%public", NONE},
        {.public_key = "%public", .private_key = "%pkcs8", .server_key = "%text", NONE},
        {.certificate = "%certificate", .private_key = "%pkcs8", NONE},
        {.certificate = "%broken", .private_key = "%pkcs8", .server_certificate = "%certificate", NONE},
        {.certificate = "%cut", .private_key = "%pkcs8", .server_certificate = "%certificate", NONE},
        {.certificate = "%certificate", .private_key = "%public", .server_certificate = "%certificate", NONE},
        {.certificate = "%certificate", .private_key = "%pkcs8", .server_certificate = HASH, NONE},
        {.certificate = "%certificate",
         .private_key = "%pkcs8",
         .server_certificate = HASH,
         .usage = 3,
         .matching = 2,
         .suites = -1},
        {.certificate = "%certificate",
         .private_key = "%pkcs8",
         .server_certificate = "%certificate",
         .usage = 3,
         .matching = 1,
         .suites = -1},
        {.certificate = "%certificate",
         .private_key = "%pkcs8",
         .roots = "%text",
         .usage = 1,
         .matching = -1,
         .suites = -1},
    };
    char longer[300] = "hex:";
    dn_sim_security got;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (load(*state, &rows[i], &got)) {
            fail_msg("row %zu was taken", i);
        }
        dn_sim_security_free(&got);
    }
    memset(longer + 4, '0', 2 * DN_PSK_KEY_MAX + 2);
    const dn_sim_security_options long_key = {.identity = "me", .key = longer, NONE};
    assert_false(load(*state, &long_key, &got));
    dn_sim_security_free(&got);
    memset(longer, 'i', DN_PSK_IDENTITY_MAX + 1);
    longer[DN_PSK_IDENTITY_MAX + 1] = '\0';
    const dn_sim_security_options long_identity = {.identity = longer, .key = "hex:00", NONE};
    assert_false(load(*state, &long_identity, &got));
    dn_sim_security_free(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),
        cmocka_unit_test(chains),
        cmocka_unit_test(bad_ones),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
