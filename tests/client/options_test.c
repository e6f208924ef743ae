/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `dunlin client`: what is taken, and what is refused before anything is started. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "apps/dunlin/client_options.h"

#define ARGUMENTS_MAX 16

static void urls(void **state)
{
    static const struct {
        const char *url, *host; /* host NULL: refused */
        uint16_t port;
    } rows[] = {
        {"coap://127.0.0.1:5683", "127.0.0.1", 5683},
        {"coap://lwm2m.example.org", "lwm2m.example.org", 5683},
        {"coap://host/", "host", 5683},
        {"coap://host:1/", "host", 1},
        {"coap://[::1]:7000", "::1", 7000},
        {"coap://[2001:db8::1]", "2001:db8::1", 5683},
        {"coaps://host", NULL, 0},
        {"coap+tcp://host", NULL, 0},
        {"http://host", NULL, 0},
        {"host:5683", NULL, 0},
        {"coap://", NULL, 0},
        {"coap://:5683", NULL, 0},
        {"coap://host:", NULL, 0},
        {"coap://host:0", NULL, 0},
        {"coap://host:65536", NULL, 0},
        {"coap://host:5683x", NULL, 0},
        {"coap://host:99999999", NULL, 0},
        {"coap://host/path", NULL, 0},
        {"coap://host?x", NULL, 0},
        {"coap://user@host", NULL, 0},
        {"coap://[::1", NULL, 0},
        {"coap://[::1]x", NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dn_sim_address address;
        const char *fault = dn_sim_url_read(rows[i].url, &address);
        if ((fault == NULL) != (rows[i].host != NULL)) {
            fail_msg("%s: %s", rows[i].url, fault == NULL ? "was taken" : fault);
        }
        if (fault == NULL) {
            assert_string_equal(address.host, rows[i].host);
            assert_int_equal(address.port, rows[i].port);
        }
    }
}

/* Downloads name more than a host. */
static void authorities(void **state)
{
    static const struct {
        const char *uri, *host; /* host NULL: refused */
        uint16_t port;
    } rows[] = {
        {"coap://host", "host", 5683},
        {"coap://host/fw/1.bin", "host", 5683},
        {"coap://[::1]:7000/fw?x=1", "::1", 7000},
        {"coap://host:1?x", "host", 1},
        {"coap://host:1#x", NULL, 0},
        {"coap://user@host/x", NULL, 0},
        {"http://host/x", NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dn_sim_address address;
        const char *fault = dn_sim_authority_read(rows[i].uri, &address);
        if ((fault == NULL) != (rows[i].host != NULL)) {
            fail_msg("%s: %s", rows[i].uri, fault == NULL ? "was taken" : fault);
        }
        if (fault == NULL) {
            assert_string_equal(address.host, rows[i].host);
            assert_int_equal(address.port, rows[i].port);
        }
    }
}

static bool read_all(const char *const *words, dn_sim_options *options)
{
    char *argv[ARGUMENTS_MAX] = {NULL};
    char copies[ARGUMENTS_MAX][64];
    int argc = 0;
    for (; words[argc] != NULL; argc++) {
        strcpy(copies[argc], words[argc]);
        argv[argc] = copies[argc];
    }
    return dn_sim_options_read(argc, argv, options);
}

#define GOOD "client", "-e", "x", "-u", "coap://h"

static void command_lines(void **state)
{
    static const struct {
        bool good;
        const char *words[ARGUMENTS_MAX];
    } rows[] = {
        {true, {GOOD}},
        {true, {GOOD, "-v", "--no-console", "--confirm"}},
        {true, {GOOD, "--lifetime=0", "--period", "0.5", "--seed", "7"}},
        {true, {GOOD, "--object", "a.xml", "--object", "b.xml"}},
        {true, {"client", "--endpoint=x", "--url=coap://h", "--lwm2m", "1.0"}},
        {false, {"client"}},
        {false, {"client", "-e", "x"}},
        {false, {"client", "-u", "coap://h"}},
        {false, {"client", "-e", "", "-u", "coap://h"}},
        {false, {"client", "-e", "x", "-u"}},
        {false, {"client", "-e", "x", "-u", "nonsense"}},
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
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dn_sim_options options;
        if (read_all(rows[i].words, &options) != rows[i].good) {
            fail_msg("row %zu (… %s %s)", i, rows[i].words[5] == NULL ? "" : rows[i].words[5],
                     rows[i].words[5] == NULL || rows[i].words[6] == NULL ? "" : rows[i].words[6]);
        }
    }
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
    assert_string_equal(options.binding, "U");
    assert_string_equal(options.root_path, "");
    assert_int_equal(options.firmware_fail, DN_SIM_FAIL_NOT);
    static const char *const more[] = {GOOD, "--lwm2m=1.0", "--queue", "--awake=3", "-u=coap://i", NULL};
    assert_false(read_all(more, &options)); /* -u=… is no such form */
    static const char *const servers[] = {GOOD,        "--lwm2m=1.0",    "--queue",
                                          "--awake=3", "--url=coap://i", NULL};
    assert_true(read_all(servers, &options));
    assert_int_equal(options.url_count, 2);
    assert_int_equal(options.awake_ms, 3000);
    assert_string_equal(options.binding, "UQ");
    static const char *const failing[] = {GOOD, "--firmware-fail=integrity", NULL};
    assert_true(read_all(failing, &options));
    assert_int_equal(options.firmware_fail, DN_SIM_FAIL_INTEGRITY);
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
        cmocka_unit_test(urls),          cmocka_unit_test(authorities),      cmocka_unit_test(command_lines),
        cmocka_unit_test(values_arrive), cmocka_unit_test(too_many_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
