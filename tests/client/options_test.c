/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `dunlin client`: what is taken, and what is refused before anything is started. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "apps/dunlin/client_options.h"

#define ARGUMENTS_MAX 12

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
        dn_sim_options options;
        const char *fault = dn_sim_url_read(rows[i].url, &options);
        if ((fault == NULL) != (rows[i].host != NULL)) {
            fail_msg("%s: %s", rows[i].url, fault == NULL ? "was taken" : fault);
        }
        if (fault == NULL) {
            assert_string_equal(options.host, rows[i].host);
            assert_int_equal(options.port, rows[i].port);
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
        {false, {GOOD, "--queue"}},
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
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(command_lines),
        cmocka_unit_test(values_arrive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
