/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `dunlin client`: what is taken, and what is refused before anything is started. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "apps/dunlin/client_options.h"

#define ARGUMENTS_MAX 16

static bool read_all(const char *const *words, dn_sim_options *options)
{
    char *argv[ARGUMENTS_MAX] = {NULL};
    static char copies[ARGUMENTS_MAX][64]; /* the options point there */
    int argc = 0;
    for (; words[argc] != NULL; argc++) {
        strcpy(copies[argc], words[argc]);
        argv[argc] = copies[argc];
    }
    return dn_sim_options_read(argc, argv, options);
}

#define GOOD "client", "-e", "x", "-u", "coap://h"

typedef struct {
    bool good;
    const char *words[ARGUMENTS_MAX];
} command_line;

static void read_each(const command_line *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dn_sim_options options;
        if (read_all(rows[i].words, &options) != rows[i].good) {
            fail_msg("row %zu (… %s %s)", i, rows[i].words[5] == NULL ? "" : rows[i].words[5],
                     rows[i].words[5] == NULL || rows[i].words[6] == NULL ? "" : rows[i].words[6]);
        }
    }
}

static void command_lines(void **state)
{
    static const command_line rows[] = {
        {true, {GOOD}},
        {true, {GOOD, "-v", "--no-console", "--confirm"}},
        {true, {GOOD, "--lifetime=0", "--period", "0.5", "--seed", "7"}},
        {true, {GOOD, "--retry=0", "--tries=1000"}},
        {true, {GOOD, "--object", "a.xml", "--object", "b.xml"}},
        {true, {"client", "--endpoint=x", "--url=coap://h", "--lwm2m", "1.0"}},
        {false, {"client"}},
        {false, {"client", "-e", "x"}},
        {false, {"client", "-u", "coap://h"}},
        {false, {"client", "-e", "", "-u", "coap://h"}},
        {false, {"client", "-e", "x", "-u"}},
        {false, {"client", "-e", "x", "-u", "nonsense"}},
        {false, {GOOD, "--tries", "0"}},
        {false, {GOOD, "--tries", "1001"}},
        {false, {GOOD, "--lifetime", "-1"}},
        {false, {GOOD, "--lifetime", "1h"}},
        {false, {GOOD, "--lifetime", "2147483648"}},
        {false, {GOOD, "--period", "-1"}},
        {false, {GOOD, "--period", "nan"}},
        {false, {GOOD, "--lwm2m", "1.2"}},
        {false, {GOOD, "--seed", "x"}},
        {true, {GOOD, "--queue", "--awake", "2.5"}},
        {true, {GOOD, "-u", "coap://second", "--root-path", "/lwm2m"}},
        {true, {GOOD, "--cellular", "--state", "dir", "--ca", "file"}},
        {true, {GOOD, "--firmware-fail", "flash", "--firmware-time", "0.1"}},
        {true, {GOOD, "--firmware-fail=defer", "--firmware-object=1.1"}},
        {true, {GOOD, "--lwm2m=1.0", "--binding", "UQ"}},
        {false, {GOOD, "--awake", "5"}},
        {false, {GOOD, "--queue=yes"}},
        {false, {GOOD, "--binding", "UQ"}},
        {false, {GOOD, "--binding", "X"}},
        {false, {GOOD, "--binding", ""}},
        {false, {GOOD, "--root-path", "lwm2m"}},
        {false, {GOOD, "--root-path", "/"}},
        {false, {GOOD, "--root-path", "/a b"}},
        {false, {GOOD, "--firmware-fail", "always"}},
        {false, {GOOD, "--firmware-fail=defer"}},
        {false, {GOOD, "--firmware-object=1.2"}},
        {false, {"client", "-e", "x", "-u", "coap://1", "-u", "nonsense"}},
        {false, {GOOD, "--bogus"}},
        {false, {GOOD, "--a-very-long-option-that-no-one-would-want", "x"}},
        {false, {GOOD, "extra"}},
        {true, {"client", "-e", "x", "-u", "coaps://h", "--identity=i", "--key=hex:00"}},
        {true, {"client", "-e", "x", "--identity=i", "--key=hex:00", "-u", "coaps+tcp://h"}},
        {true, {"client", "-e", "x", "--identity=i", "--key=hex:00", "-u", "coap://h"}},
        {true, {"client", "-e", "x", "-u", "coap+tcp://h/"}},
        {true, {"client", "-e", "x", "-u", "coap://[2001:db8::1]:7"}},
        {false, {"client", "-e", "x", "-u", "coaps://h"}},
        {false, {"client", "-e", "x", "-u", "coaps://h", "--usage=1"}},
        {false, {GOOD, "--identity=i", "--key=hex:00"}},
        {false, {"client", "-e", "x", "-u", "coap+tcp://h", "--lwm2m=1.0"}},
        {false, {"client", "-e", "x", "-u", "coap://h/path"}},
        {false, {"client", "-e", "x", "-u", "coap://h?query"}},
        {false, {GOOD, "--usage", "4"}},
        {false, {GOOD, "--matching", "-1"}},
        {false, {GOOD, "--suites", "all"}},
    };
    (void)state;
    read_each(rows, sizeof rows / sizeof rows[0]);
}

static void command_lines_of_a_bootstrap(void **state)
{
    static const command_line rows[] = {
        {true, {"client", "-e", "x", "-b", "coap://b"}},
        {true, {"client", "-e", "x", "--factory", "f.json"}},
        {true, {"client", "-e", "x", "--smartcard=card", "--state=dir"}},
        {true, {GOOD, "--bootstrap=coap://b", "--hold-off=5", "--bootstrap-format=tlv"}},
        {true, {"client", "-e", "x", "--factory=f.tlv", "--factory-path=/0"}},
        {true, {"client", "-e", "x", "-b", "coaps://b", "--identity=i", "--key=hex:00"}},
        {false, {"client", "-e", "x", "--state=dir"}},
        {false, {"client", "-e", "x", "-b", "nonsense"}},
        {false, {"client", "-e", "x", "-b", "coap://b/path"}},
        {false, {"client", "-e", "x", "-b", "coap://b", "-b", "coap://c"}},
        {false, {"client", "-e", "x", "-b", "coaps://b"}},
        {false, {"client", "-e", "x", "-b", "coap://b", "--identity=i", "--key=hex:00"}},
        {false, {"client", "-e", "x", "-b", "coap+tcp://b", "--lwm2m=1.0"}},
        {false, {"client", "-e", "x", "-b", "coap://b", "--bootstrap-format=text"}},
        {false, {"client", "-e", "x", "-b", "coap://b", "--hold-off=-1"}},
        {false, {GOOD, "--hold-off=5"}},
        {false, {GOOD, "--factory-path=/0"}},
    };
    (void)state;
    read_each(rows, sizeof rows / sizeof rows[0]);
}

static void values_arrive(void **state)
{
    static const char *const words[] = {GOOD,          "--lifetime=60", "--period=0.25",
                                        "--lwm2m=1.0", "--seed=9",      NULL};
    static const char *const plain[] = {GOOD, NULL};
    dn_sim_options options;
    (void)state;
    assert_true(read_all(words, &options));
    assert_int_equal(options.lifetime_s, 60);
    assert_int_equal(options.period_ms, 250);
    assert_int_equal(options.lwm2m, DUNLIN_LWM2M_1_0);
    assert_int_equal(options.seed, 9);
    assert_true(options.console);
    assert_true(read_all(plain, &options));
    assert_int_equal(options.lifetime_s, 86400);
    assert_int_equal(options.lwm2m, DUNLIN_LWM2M_1_1);
    assert_true(options.seed != 0); /* from the name */
    assert_string_equal(dn_sim_bindings(&options), "U");
    assert_string_equal(options.root_path, "");
    assert_int_equal(options.firmware_fail, DN_SIM_FAIL_NOT);
    static const char *const more[] = {GOOD, "--lwm2m=1.0", "--queue", "--awake=3", "-u=coap://i", NULL};
    assert_false(read_all(more, &options)); /* -u=… is no such form */
    static const char *const servers[] = {GOOD,        "--lwm2m=1.0",    "--queue",
                                          "--awake=3", "--url=coap://i", NULL};
    assert_true(read_all(servers, &options));
    assert_int_equal(options.url_count, 2);
    assert_int_equal(options.awake_ms, 3000);
    assert_string_equal(dn_sim_bindings(&options), "UQ");
    static const char *const failing[] = {GOOD, "--firmware-fail=integrity", NULL};
    assert_true(read_all(failing, &options));
    assert_int_equal(options.firmware_fail, DN_SIM_FAIL_INTEGRITY);
}

/* Those before the first server are of all; credentials of its own are not mixed with others'. */
static void credentials_of_servers(void **state)
{
    static const char *const words[] = {"client",   "-e",        "x",     "--identity=all",
                                        "--key=@k", "--usage=2", "-u=no", NULL};
    static const char *const good[] = {"client",
                                       "-e",
                                       "x",
                                       "--identity=all",
                                       "--key=@k",
                                       "--usage=2",
                                       "--url=coaps://a",
                                       "--suites=more",
                                       "--url=coap://b",
                                       "--url=coaps+tcp://c",
                                       "--cert=d",
                                       "--private-key=pkcs11:e",
                                       "--usage=1",
                                       NULL};
    dn_sim_options o;
    (void)state;
    assert_false(read_all(words, &o));
    assert_true(read_all(good, &o));
    assert_string_equal(o.security[0].identity, "all");
    assert_string_equal(o.security[0].key, "@k");
    assert_int_equal(o.security[0].usage, 2);
    assert_int_equal(o.security[0].suites, DN_TLS_SUITES_MORE);
    assert_false(dn_sim_security_given(&o.security[1]));
    assert_null(o.security[2].identity);
    assert_string_equal(o.security[2].certificate, "d");
    assert_int_equal(o.security[2].usage, 1);
    assert_int_equal(o.security[2].suites, -1);
    assert_int_equal(o.transports[2], DN_TRANSPORT_TLS);
    assert_string_equal(dn_sim_binding_of(&o, 0), "U");
    assert_string_equal(dn_sim_binding_of(&o, 2), "T");
    assert_string_equal(dn_sim_bindings(&o), "UT");
}

/* Those behind -b are the bootstrap server's, until the next URL. */
static void credentials_of_the_bootstrap_server(void **state)
{
    static const char *const words[] = {"client",
                                        "-e",
                                        "x",
                                        "--usage=2",
                                        "-b",
                                        "coaps://b",
                                        "--identity=b",
                                        "--key=@b",
                                        "--url=coaps://a",
                                        "--identity=a",
                                        "--key=@a",
                                        "--hold-off=7",
                                        "--bootstrap-format=none",
                                        NULL};
    static const char *const shared[] = {"client",   "-e", "x",         "--identity=i",
                                         "--key=@k", "-b", "coaps://b", NULL};
    dn_sim_options o;
    (void)state;
    assert_true(read_all(words, &o));
    assert_string_equal(o.bootstrap.security.identity, "b");
    assert_string_equal(o.security[0].identity, "a");
    assert_int_equal(o.bootstrap.security.usage, 2);
    assert_int_equal(o.bootstrap.transport, DN_TRANSPORT_DTLS);
    assert_int_equal(o.bootstrap.hold_off_s, 7);
    assert_int_equal(o.bootstrap.format, 0);
    assert_true(dn_sim_bootstrap_wanted(&o.bootstrap));
    assert_string_equal(dn_sim_bindings(&o), "UT");
    assert_true(read_all(shared, &o));
    assert_string_equal(o.bootstrap.security.key, "@k");
    assert_int_equal(o.url_count, 0);
    assert_int_equal(o.bootstrap.format, 112);
}

static void too_many_servers(void **state)
{
    static const char *const words[] = {"client",
                                        "-e",
                                        "x",
                                        "--url=coap://1",
                                        "--url=coap://2",
                                        "--url=coap://3",
                                        "--url=coap://4",
                                        "--url=coap://5",
                                        "--url=coap://6",
                                        "--url=coap://7",
                                        "--url=coap://8",
                                        NULL};
    static const char *const one_more[] = {"client",
                                           "-e",
                                           "x",
                                           "--url=coap://1",
                                           "--url=coap://2",
                                           "--url=coap://3",
                                           "--url=coap://4",
                                           "--url=coap://5",
                                           "--url=coap://6",
                                           "--url=coap://7",
                                           "--url=coap://8",
                                           "--url=coap://9",
                                           NULL};
    dn_sim_options options;
    (void)state;
    assert_true(read_all(words, &options));
    assert_false(read_all(one_more, &options));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_lines),
        cmocka_unit_test(command_lines_of_a_bootstrap),
        cmocka_unit_test(credentials_of_servers),
        cmocka_unit_test(values_arrive),
        cmocka_unit_test(credentials_of_the_bootstrap_server),
        cmocka_unit_test(too_many_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
