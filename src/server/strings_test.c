/* SPDX-License-Identifier: Apache-2.0 */
/* Packed strings: none overlaps another, and freed room is used again. */
#include "server/strings.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STRINGS 30000u

typedef struct {
    uint32_t name;
    uint32_t len;
    uint8_t fill;
} kept;

static void check(const dn_strings *strings, const kept *string)
{
    const uint8_t *at = dn_strings_at(strings, string->name);
    for (uint32_t i = 0; i < string->len; i++) {
        assert_int_equal(at[i], string->fill);
    }
}

static void strings_keep_apart(void **state)
{
    (void)state;
    dn_seeded seeded;
    dn_strings strings;
    kept *all = calloc(STRINGS, sizeof *all);
    assert_non_null(all);
    dn_seeded_init(&seeded, 3);
    dn_random random = dn_seeded_random(&seeded);
    dn_strings_init(&strings);
    for (unsigned step = 0; step < 4 * STRINGS; step++) {
        kept *string = &all[dn_random_u32(&random) % STRINGS];
        if (string->name != DN_STRINGS_NONE) {
            check(&strings, string);
            dn_strings_give(&strings, string->name, string->len);
            string->name = DN_STRINGS_NONE;
            continue;
        }
        string->len = dn_random_u32(&random) % 300;
        string->fill = (uint8_t)dn_random_u32(&random);
        string->name = dn_strings_take(&strings, string->len);
        assert_int_not_equal(string->name, DN_STRINGS_NONE);
        memset(dn_strings_at(&strings, string->name), string->fill, string->len);
    }
    for (uint32_t i = 0; i < STRINGS; i++) {
        if (all[i].name != DN_STRINGS_NONE) {
            check(&strings, &all[i]);
        }
    }
    dn_strings_free(&strings);
    free(all);
}

static void freed_room_is_used_again(void **state)
{
    (void)state;
    dn_strings strings;
    dn_strings_init(&strings);
    uint32_t first = dn_strings_take(&strings, 20);
    dn_strings_give(&strings, first, 20);
    assert_int_equal(dn_strings_take(&strings, 24), first); /* the same class of 24 bytes */
    dn_strings_give(&strings, first, 24);
    assert_int_not_equal(dn_strings_take(&strings, 25), first);
    for (unsigned i = 0; i < 1000000; i++) {
        uint32_t name = dn_strings_take(&strings, 100);
        dn_strings_give(&strings, name, 100);
    }
    assert_int_equal(strings.chunk_count, 1);
    assert_int_equal(dn_strings_take(&strings, DN_STRINGS_LEN_MAX + 1), DN_STRINGS_NONE);
    dn_strings_free(&strings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_keep_apart),
        cmocka_unit_test(freed_room_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
