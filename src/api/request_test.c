/* SPDX-License-Identifier: Apache-2.0 */
/* What is looked at before a request does anything: segments, query, Host, Origin, addresses, arguments of an Execute. */
#include "api/execute_args.h"
#include "api/listener.h"
#include "api/origin.h"
#include "api/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void queries(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        const char *a; /* the value of "a", NULL: not there */
    } rows[] = {
        {"", true, NULL},       {"a=1", true, "1"},
        {"a", true, ""},        {"b=1&a=x%20y+z", true, "x y z"},
        {"a=1&a=2", false, ""}, {"a=%00", false, ""},
        {"a=%g0", false, ""},   {"a=%2", false, ""},
        {"&a=1&", true, "1"},   {"%61=1", true, "1"},
        {"a=1=2", true, "1=2"}, {"b&c&d&e&f&g&h&i&j", false, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[100];
        dn_query query;
        snprintf(text, sizeof text, "%s", rows[i].text);
        assert_int_equal(dn_query_parse(text, &query), rows[i].good);
        const char *a = rows[i].good ? dn_query_get(&query, "a") : NULL;
        assert_int_equal(a != NULL, rows[i].good && rows[i].a != NULL);
        if (a != NULL) {
            assert_string_equal(a, rows[i].a);
        }
    }
}

static void numbers(void **state)
{
    (void)state;
    uint64_t number;
    assert_true(dn_query_number("18446744073709551600", 0, UINT64_MAX, &number));
    assert_int_equal(number, 18446744073709551600u);
    static const char *const bad[] = {
        "", "-1", "1x", " 1", "0x1", "99999999999999999999", "1000000000000000000000000"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(dn_query_number(bad[i], 0, UINT64_MAX, &number));
    }
    assert_false(dn_query_number("9", 1, 8, &number));
    assert_true(dn_query_number("0008", 1, 8, &number));
}

static void segments(void **state)
{
    (void)state;
    char path[] = "/api/a%2Fb/%C3%A9/";
    dn_segments cut;
    assert_true(dn_segments_parse(path, &cut));
    assert_int_equal(cut.count, 4);
    assert_true(dunlin_slice_equal(cut.segment[1], dunlin_slice_of("a/b")));
    assert_true(dunlin_slice_equal(cut.segment[2], dunlin_slice_of("\xc3\xa9")));
    assert_int_equal(cut.segment[3].len, 0);
    char bad[] = "/a%zz";
    assert_false(dn_segments_parse(bad, &cut));
    char zero[] = "/a%00b";
    assert_false(dn_segments_parse(zero, &cut));
    char many[] = "/1/2/3/4/5/6/7/8/9/a/b/c/d";
    assert_false(dn_segments_parse(many, &cut));
}

static void hosts(void **state)
{
    (void)state;
    static const char *const names[] = {"dunlin.example"};
    static const struct {
        const char *host;
        bool good;
    } rows[] = {{"127.0.0.1:8080", true},
                {"192.0.2.1", true},
                {"[::1]:8080", true},
                {"[::1]", true},
                {"localhost", true},
                {"LocalHost:1", true},
                {"dunlin.example", true},
                {"DUNLIN.example:80", true},
                {"evil.example", false},
                {"localhost.evil", false},
                {"127.0.0.1.evil", false},
                {"", false},
                {":80", false},
                {"localhost:", false},
                {"localhost:8x", false},
                {"[::1", false},
                {"[::1]x", false},
                {"[localhost]", false},
                {"::1", false},
                {"0x7f.1", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (dn_host_allowed(rows[i].host, names, 1) != rows[i].good) {
            fail_msg("%s", rows[i].host);
        }
    }
    assert_true(dn_origin_is_host("http://localhost:8080", "localhost:8080"));
    assert_true(dn_origin_is_host("https://LOCALHOST:8080", "localhost:8080"));
    assert_false(dn_origin_is_host("http://localhost:8081", "localhost:8080"));
    assert_false(dn_origin_is_host("null", "localhost"));
    assert_false(dn_origin_is_host("file://localhost", "localhost"));
    assert_false(dn_origin_is_host("http://localhost.evil", "localhost"));
}

static void addresses(void **state)
{
    (void)state;
    static const char *const bad[] = {"",      "127.0.0.1", "localhost:80", "127.0.0.1:", "127.0.0.1:65536",
                                      "[::1]", "[::1]80",   "::1:80",       "[::1:80",    "127.0.0.1:80x"};
    char bound[72];
    char error[200];
    int fd = -1;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(dn_listener_open(bad[i], &fd, bound, sizeof bound, error, sizeof error),
                         DUNLIN_ERR_ARGUMENT);
    }
    assert_int_equal(dn_listener_open("127.0.0.1:0", &fd, bound, sizeof bound, error, sizeof error),
                     DUNLIN_OK);
    assert_true(dn_listener_is_loopback(bound));
    int second = -1;
    assert_int_equal(dn_listener_open(bound, &second, bound, sizeof bound, error, sizeof error),
                     DUNLIN_ERR_IO);
    assert_non_null(strstr(error, bound));
    close(fd);
    assert_true(dn_listener_is_loopback("127.8.9.1:1"));
    assert_true(dn_listener_is_loopback("[::1]:1"));
    assert_false(dn_listener_is_loopback("0.0.0.0:1"));
    assert_false(dn_listener_is_loopback("[::]:1"));
    assert_false(dn_listener_is_loopback("192.0.2.1:1"));
}

static void execute_arguments(void **state)
{
    (void)state;
    static const char *const good[] = {"", "0", "5,2", "0='x'", "0='',9='a-b(c)!'", "1,0='~'"};
    static const char *const bad[] = {",",       "0,",     "x",      "10",  "0=",     "0=x",  "0='x",
                                      "0='a b'", "0='\"'", "0='\\'", "0,0", "0='x'1", "0 ,1", "0='\x7f'"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(dn_execute_args_valid(dunlin_slice_of(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(dn_execute_args_valid(dunlin_slice_of(bad[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(queries),   cmocka_unit_test(numbers),
                                       cmocka_unit_test(segments),  cmocka_unit_test(hosts),
                                       cmocka_unit_test(addresses), cmocka_unit_test(execute_arguments)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
