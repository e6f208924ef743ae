/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over options: every form of delta and length, and every way to break them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "coap/option.h"
#include <stdlib.h>
#include <string.h>

static void walks_every_form(void **state)
{
    static const uint8_t bytes[] = {
        0x01, 'a',        /* delta 0 → 0, length 1 */
        0xb0,             /* delta 11 → 11, length 0 */
        0xd1, 0x00, 'b',  /* delta 13 → 24 */
        0xe0, 0x00, 0x00, /* delta 269 → 293 */
    };
    dn_coap_options walk = {{bytes, sizeof bytes}, 0, 0};
    dn_coap_option option;
    static const uint16_t numbers[] = {0, 11, 24, 293};
    static const size_t lengths[] = {1, 0, 1, 0};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(dn_coap_option_next(&walk, &option), DUNLIN_OK);
        assert_int_equal(option.number, numbers[i]);
        assert_int_equal(option.value.len, lengths[i]);
    }
    assert_int_equal(dn_coap_option_next(&walk, &option), DUNLIN_END);
    assert_int_equal(dn_coap_option_next(&walk, &option), DUNLIN_END);
}

static void finds_repeated_options(void **state)
{
    static const uint8_t bytes[] = {0xb1, 'a', 0x01, 'b', 0x11, 40, 0x31, 'q'};
    dn_coap_options walk = {{bytes, sizeof bytes}, 0, 0};
    dunlin_slice value;
    (void)state;
    assert_int_equal(dn_coap_option_find(&walk, DN_OPTION_URI_PATH, &value), DUNLIN_OK);
    assert_int_equal(value.data[0], 'a');
    assert_int_equal(dn_coap_option_find(&walk, DN_OPTION_URI_PATH, &value), DUNLIN_OK);
    assert_int_equal(value.data[0], 'b');
    dn_coap_options from_here = walk;
    assert_int_equal(dn_coap_option_find(&walk, DN_OPTION_URI_PATH, &value), DUNLIN_END);
    assert_int_equal(dn_coap_option_find(&from_here, DN_OPTION_URI_QUERY, &value), DUNLIN_OK);
    assert_int_equal(value.data[0], 'q');
}

static void refuses_broken_options(void **state)
{
    static const struct {
        const char *why;
        uint8_t bytes[8];
        size_t len;
    } cases[] = {
        {"delta 15 without marker", {0xf1, 0}, 2},
        {"length 15", {0x1f, 0}, 2},
        {"both 15 but for a bit", {0xfe, 0, 0}, 3},
        {"delta extension missing", {0xd0}, 1},
        {"long delta extension missing", {0xe0, 0}, 2},
        {"length extension missing", {0x1d}, 1},
        {"long length extension missing", {0x1e, 0}, 2},
        {"value cut off", {0x12, 0}, 2},
        {"extended value cut off", {0x1d, 1, 0}, 3},
        {"number above 65535", {0xe0, 0xff, 0xff}, 3},
        {"number above 65535 in steps", {0xe0, 0xfe, 0x00, 0xe0, 0x00, 0x00}, 6},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t *exact = malloc(cases[i].len);
        assert_non_null(exact);
        memcpy(exact, cases[i].bytes, cases[i].len);
        dn_coap_options walk = {{exact, cases[i].len}, 0, 0};
        dn_coap_option option;
        dunlin_status status;
        while ((status = dn_coap_option_next(&walk, &option)) == DUNLIN_OK) {
        }
        if (status != DUNLIN_ERR_MALFORMED) {
            fail_msg("%s: %d", cases[i].why, (int)status);
        }
        free(exact);
    }
}

static void the_highest_number_is_allowed(void **state)
{
    static const uint8_t bytes[] = {0xe0, 0xfe, 0xf2};
    dn_coap_options walk = {{bytes, sizeof bytes}, 0, 0};
    dn_coap_option option;
    (void)state;
    assert_int_equal(dn_coap_option_next(&walk, &option), DUNLIN_OK);
    assert_int_equal(option.number, 65535);
}

static void integers(void **state)
{
    static const struct {
        uint32_t value;
        size_t len;
    } cases[] = {{0, 0},     {1, 1},        {255, 1},       {256, 2},       {65535, 2},
                 {65536, 3}, {0xffffff, 3}, {0x1000000, 4}, {UINT32_MAX, 4}};
    uint8_t out[4];
    uint32_t back;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dunlin_slice slice = dn_coap_option_from_uint(cases[i].value, out);
        assert_int_equal(slice.len, cases[i].len);
        assert_true(dn_coap_option_uint(slice, &back));
        assert_int_equal(back, cases[i].value);
    }
    assert_true(dn_coap_option_uint(dunlin_slice_make("\0\0\0\x01", 4), &back));
    assert_int_equal(back, 1);
    assert_false(dn_coap_option_uint(dunlin_slice_make("\0\0\0\0\x01", 5), &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks_every_form),
        cmocka_unit_test(finds_repeated_options),
        cmocka_unit_test(refuses_broken_options),
        cmocka_unit_test(the_highest_number_is_allowed),
        cmocka_unit_test(integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
