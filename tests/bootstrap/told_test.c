/* SPDX-License-Identifier: Apache-2.0 */
/* What devices tell by Bootstrap-Discover, in the forms of 1.0 and 1.1 and as implementations write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bootstrap/told.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *links;
    dunlin_status status;
    unsigned major, minor;
    size_t count;
    int account; /* instance of Object 0, -1 */
    int ssid;    /* of /0/1, -1: none told; -2: there is none */
} rows[] = {
    {"nothing", "", DUNLIN_OK, 0, 0, 0, -1, -2},
    {"1.0", "lwm2m=\"1.0\",</0/0>,</0/1>;ssid=101,</1/0>,</2>,</3/0>", DUNLIN_OK, 1, 0, 4, 0, 101},
    {"1.0 without quotes", "lwm2m=1.0,</0/0>", DUNLIN_OK, 1, 0, 1, 0, -2},
    {"1.0 with blanks", "lwm2m=\"1.0\", </0/0>, </0/1>;ssid=101 , </3/0>", DUNLIN_OK, 1, 0, 3, 0, 101},
    {"1.1", "</>;lwm2m=1.1,</0/0>;uri=\"coaps://bs\",</0/1>;ssid=101;uri=\"coaps://s:5684\",</1/0>;ssid=101",
     DUNLIN_OK, 1, 1, 3, 0, 101},
    {"1.1 in quotes", "</>;lwm2m=\"1.1\",</0/1>", DUNLIN_OK, 1, 1, 1, 1, -1},
    {"1.2", "</>;lwm2m=1.2,</0/1>", DUNLIN_OK, 1, 2, 1, 1, -1},
    {"a version that is none", "</>;lwm2m=x,</0/1>", DUNLIN_OK, 0, 0, 1, 1, -1},
    {"in any order", "</3/0>,</0/7>,</1/0>;ssid=1,</0/1>;ssid=1,</>;lwm2m=1.1", DUNLIN_OK, 1, 1, 4, 7, 1},
    {"no bootstrap account", "</0/1>;ssid=1", DUNLIN_OK, 0, 0, 1, -1, 1},
    {"a comma in a value", "</>;lwm2m=1.1,</0/1>;uri=\"coap://a,b\";ssid=3", DUNLIN_OK, 1, 1, 1, -1, 3},
    {"objects and resources are passed over", "</0>,</5>;ver=1.1,</3/0/1>,</0/1>", DUNLIN_OK, 0, 0, 1, 1, -1},
    {"other links too", "</lwm2m>;rt=\"oma.lwm2m\",<coap://x>,</0/1>;ssid=9", DUNLIN_OK, 0, 0, 1, -1, 9},
    {"an ssid that is none counts as none told", "</0/1>;ssid=abc", DUNLIN_OK, 0, 0, 1, 1, -1},
    {"an ssid that is too large", "</0/1>;ssid=4294967297", DUNLIN_OK, 0, 0, 1, 1, -1},
    {"no links", "hello", DUNLIN_ERR_MALFORMED, 0, 0, 0, -1, -2},
    {"broken off", "</0/0>,</0/1", DUNLIN_ERR_MALFORMED, 0, 0, 0, -1, -2},
    {"a comma too many", "</0/0>,", DUNLIN_ERR_MALFORMED, 0, 0, 0, -1, -2},
    {"an open quote", "</0/0>;uri=\"x", DUNLIN_ERR_MALFORMED, 0, 0, 0, -1, -2},
    {"no UTF-8", "</0/0>;uri=\"\xff\"", DUNLIN_ERR_MALFORMED, 0, 0, 0, -1, -2},
};

static void test_rows(void **state)
{
    dn_bs_told told = {.major = 9};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const dunlin_status status = dn_bs_told_read(&told, dunlin_slice_of(rows[i].links));
        const dn_bs_told_instance *one = dn_bs_told_find(&told, 0, 1);
        const int ssid = one == NULL ? -2 : (int)one->ssid;
        if (status != rows[i].status || told.major != rows[i].major || told.minor != rows[i].minor ||
            told.count != rows[i].count || dn_bs_told_account(&told) != rows[i].account ||
            ssid != rows[i].ssid) {
            fail_msg("%s: %d, %u.%u, %zu instances, account %d, ssid %d", rows[i].name, status, told.major,
                     told.minor, told.count, (int)dn_bs_told_account(&told), ssid);
        }
    }
    dn_bs_told_free(&told);
}

static void test_many(void **state)
{
    const size_t size = (DN_BS_TOLD_MAX + 2) * 12;
    char *links = calloc(1, size);
    dn_bs_told told = {.major = 0};
    size_t len = 0;
    (void)state;
    assert_non_null(links);
    for (unsigned i = 0; i < DN_BS_TOLD_MAX; i++) {
        len += (size_t)snprintf(links + len, size - len, "%s</3/%u>", i > 0 ? "," : "", DN_BS_TOLD_MAX - i);
    }
    assert_int_equal(dn_bs_told_read(&told, dunlin_slice_of(links)), DUNLIN_OK);
    assert_int_equal(told.count, DN_BS_TOLD_MAX);
    assert_non_null(dn_bs_told_find(&told, 3, 1));
    assert_non_null(dn_bs_told_find(&told, 3, DN_BS_TOLD_MAX));
    assert_null(dn_bs_told_find(&told, 3, 0));
    (void)snprintf(links + len, size - len, ",</3/0>");
    assert_int_equal(dn_bs_told_read(&told, dunlin_slice_of(links)), DUNLIN_ERR_LIMIT);
    assert_int_equal(told.count, 0);
    free(links);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_many)};
    return cmocka_run_group_tests_name("bootstrap_told", tests, NULL, NULL);
}
