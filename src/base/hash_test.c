/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-1-3 against values of an independent implementation, key 00 01 .. 0f, message 00 01 02 … */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/hash.h"

static void gives_known_values(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        uint64_t hash;
    } cases[] = {
        {0, 0xabac0158050fc4dcu},  {1, 0xc9f49bf37d57ca93u},  {7, 0xd3927d989bb11140u},
        {8, 0x369095118d299a8eu},  {9, 0x25a48eb36c063de4u},  {15, 0xd320d86d2a519956u},
        {16, 0xcc4fdd1a7d908b66u}, {63, 0x9d199062b7bbb3a8u},
    };
    const dn_hash_key key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    uint8_t message[64];
    for (size_t i = 0; i < sizeof message; i++) {
        message[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(dn_hash(&key, dunlin_slice_make(message, cases[i].len)) == cases[i].hash);
    }
    assert_true(dn_hash(&key, dunlin_slice_make(NULL, 0)) == cases[0].hash);
}

static void depends_on_the_key(void **state)
{
    (void)state;
    const dn_hash_key a = {1, 2};
    const dn_hash_key b = {1, 3};
    assert_true(dn_hash(&a, dunlin_slice_of("device")) != dn_hash(&b, dunlin_slice_of("device")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_known_values),
        cmocka_unit_test(depends_on_the_key),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
