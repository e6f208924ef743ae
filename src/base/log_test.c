/* SPDX-License-Identifier: Apache-2.0 */
/* The log hook's formatting, compared with the C library's. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"

typedef struct {
    char text[300];
    int calls;
} catcher;

static void catch_message(void *context, dn_log_level level, const char *area, const char *text)
{
    catcher *c = context;
    assert_int_equal(level, DN_LOG_WARN);
    assert_string_equal(area, "test");
    assert_true(strlen(text) < sizeof c->text);
    strcpy(c->text, text);
    c->calls++;
}

#define CHECK(...)                                         \
    do {                                                   \
        char expected[300];                                \
        snprintf(expected, sizeof expected, __VA_ARGS__);  \
        dn_log_at(&log, DN_LOG_WARN, "test", __VA_ARGS__); \
        assert_string_equal(caught.text, expected);        \
    } while (0)

static void formats_as_printf_does(void **state)
{
    (void)state;
    catcher caught = {"", 0};
    const dn_log log = {catch_message, &caught, DN_LOG_DEBUG};
    CHECK("plain");
    CHECK("%s", "");
    CHECK("100%%");
    CHECK("%d %i %u", -5, 0, 4000000000u);
    CHECK("%d %d", INT32_MIN, INT32_MAX);
    CHECK("%ld %lu", -1234567890123L, 18446744073709551615UL);
    CHECK("%" PRIu64 " %" PRId64 " %jd", UINT64_MAX, INT64_MIN, INTMAX_MAX);
    CHECK("%zu %td", (size_t)77, (ptrdiff_t)-77);
    CHECK("%hhu %hd", (unsigned char)200, (short)-3);
    CHECK("%02x %08X %x", 10u, 0xbeefu, 0u);
    CHECK("[%5d] [%-5d] [%05d]", 42, 42, -42);
    CHECK("[%5s] [%-5s] [%.2s] [%.*s]", "ab", "ab", "abcd", 3, "abcd");
    CHECK("%c%c", 'x', 'y');
}

static void long_messages_are_cut(void **state)
{
    (void)state;
    catcher caught = {"", 0};
    const dn_log log = {catch_message, &caught, DN_LOG_DEBUG};
    char huge[600];
    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    dn_log_at(&log, DN_LOG_WARN, "test", "%s%s", huge, huge);
    assert_int_equal(strlen(caught.text), 255);
    dn_log_at(&log, DN_LOG_WARN, "test", "%900d", 1);
    assert_int_equal(strlen(caught.text), 255);
}

/* What it quotes makes no second line, and does not reach a terminal as a command. */
static void a_message_is_one_line(void **state)
{
    static const struct {
        const char *quoted, *shown;
    } rows[] = {
        {"a\nERROR forged: \r\t", "a?ERROR forged: ??"},
        {"\x1b[2J\x7f", "?[2J?"},
        {"\xc2\x9b"
         "2J \xc2\x80",
         "??2J ??"},
        {"\xc3\xa4\xc2\xa0\xe2\x82\xac \xff", "\xc3\xa4\xc2\xa0\xe2\x82\xac \xff"}, /* letters stay */
        {"cut off: \xc2", "cut off: \xc2"},
    };
    (void)state;
    catcher caught = {"", 0};
    const dn_log log = {catch_message, &caught, DN_LOG_DEBUG};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dn_log_at(&log, DN_LOG_WARN, "test", "%.*s", (int)strlen(rows[i].quoted), rows[i].quoted);
        assert_string_equal(caught.text, rows[i].shown);
    }
}

static void nothing_below_the_least_level_or_without_a_hook(void **state)
{
    (void)state;
    catcher caught = {"", 0};
    const dn_log log = {catch_message, &caught, DN_LOG_WARN};
    const dn_log hookless = {NULL, NULL, DN_LOG_DEBUG};
    dn_log_at(&log, DN_LOG_INFO, "test", "not seen");
    dn_log_at(NULL, DN_LOG_ERROR, "test", "not seen");
    dn_log_at(&hookless, DN_LOG_ERROR, "test", "not seen");
    assert_int_equal(caught.calls, 0);
    dn_log_at(&log, DN_LOG_WARN, "test", "%s", "seen");
    assert_int_equal(caught.calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_as_printf_does),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(a_message_is_one_line),
        cmocka_unit_test(nothing_below_the_least_level_or_without_a_hook),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
