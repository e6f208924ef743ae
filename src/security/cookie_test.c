/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies: who has shown that it is there, and what is no ClientHello at all. */
#include "security/testworld.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t key[DN_TLS_COOKIE_KEY] = {1, 2, 3};
static const uint8_t other_key[DN_TLS_COOKIE_KEY] = {1, 2, 4};
static const uint8_t here[] = {10, 0, 0, 1, 1, 2};
static const uint8_t there[] = {10, 0, 0, 2, 1, 2};

typedef struct {
    uint8_t bytes[2048];
    size_t len;
} datagram;

static void keep(void *context, dunlin_slice bytes)
{
    datagram *into = context;
    assert_true(bytes.len <= sizeof into->bytes);
    memcpy(into->bytes, bytes.data, bytes.len);
    into->len = bytes.len;
}

static void ignore(void *context, dunlin_slice plain)
{
    (void)context;
    (void)plain;
}

static dn_tls_cookie check(const uint8_t *with, const uint8_t *peer, const datagram *from, datagram *answer)
{
    answer->len = 0;
    return dn_tls_cookie_check(with, dunlin_slice_make(peer, sizeof here),
                               dunlin_slice_make(from->bytes, from->len), answer->bytes, sizeof answer->bytes,
                               &answer->len);
}

/* The client's first ClientHello, and the one with the cookie. */
static void make_hellos(datagram *first, datagram *second)
{
    dn_testworld *world = dn_testworld_make();
    const dn_tls_client_config config = dn_testworld_client(world, DN_SECURITY_PSK, 3);
    dn_tls_context *context = dn_testworld_make_client(&config);
    const dn_tls_opening opening = {.datagram = true, .call = {keep, ignore, second}};
    dn_tls_session *session = dn_tls_open(context, &opening, 0);
    *first = *second;
    datagram answer;
    assert_int_equal(check(key, here, first, &answer), DN_TLS_COOKIE_CHALLENGE);
    assert_true(answer.len > 0 && answer.len < first->len); /* nothing to amplify an attack with */
    dn_tls_receive(session, dunlin_slice_make(answer.bytes, answer.len), 10);
    assert_true(second->len > first->len);
    dn_tls_free(session);
    dn_tls_context_give_up(context);
    dn_testworld_free(world);
}

static void genuine_and_not(void **state)
{
    (void)state;
    datagram first;
    datagram second = {.len = 0};
    datagram answer;
    make_hellos(&first, &second);
    assert_int_equal(check(key, here, &second, &answer), DN_TLS_COOKIE_GENUINE);
    assert_int_equal(answer.len, 0);
    assert_int_equal(check(key, there, &second, &answer), DN_TLS_COOKIE_CHALLENGE);
    assert_int_equal(check(other_key, here, &second, &answer), DN_TLS_COOKIE_CHALLENGE);
    /* Too little room for the answer. */
    size_t len = 0;
    assert_int_equal(dn_tls_cookie_check(key, dunlin_slice_make(here, sizeof here),
                                         dunlin_slice_make(first.bytes, first.len), answer.bytes, 10, &len),
                     DN_TLS_COOKIE_OTHER);
    assert_int_equal(len, 0);
}

/* No prefix is a ClientHello, and no changed byte makes a cookie genuine that was not. */
static void cut_and_changed(void **state)
{
    (void)state;
    datagram first;
    datagram second = {.len = 0};
    datagram answer;
    make_hellos(&first, &second);
    const datagram whole = second;
    for (second.len = 0; second.len < whole.len; second.len++) {
        assert_int_equal(check(key, here, &second, &answer), DN_TLS_COOKIE_OTHER);
    }
    for (size_t i = 0; i < whole.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            second = whole;
            second.bytes[i] ^= (uint8_t)(1u << bit);
            const dn_tls_cookie is = check(key, there, &second, &answer);
            assert_true(is == DN_TLS_COOKIE_CHALLENGE || is == DN_TLS_COOKIE_OTHER);
        }
    }
    for (size_t i = 0; i < 16; i++) { /* the cookie itself: behind the empty session id and its own length */
        second = whole;
        second.bytes[13 + 12 + 34 + 2 + i] ^= 1;
        assert_int_equal(check(key, here, &second, &answer), DN_TLS_COOKIE_CHALLENGE);
    }
}

static void others(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
    } changes[] = {
        {"application data", 0, 23},
        {"TLS", 1, 3},
        {"DTLS of another version", 2, 0xfc},
        {"an epoch that is not 0", 4, 1},
        {"ServerHello", 13, 2},
        {"a later fragment", 21, 1},
        {"an overlong record", 11, 0x40},
        {"an overlong fragment", 22, 0x40},
    };
    datagram first;
    datagram second = {.len = 0};
    datagram answer;
    make_hellos(&first, &second);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        datagram changed = second;
        changed.bytes[changes[i].at] = changes[i].value;
        print_message("%s\n", changes[i].what);
        assert_int_equal(check(key, here, &changed, &answer), DN_TLS_COOKIE_OTHER);
    }
    assert_true(dn_tls_begins_anew(dunlin_slice_make(second.bytes, second.len)));
    second.bytes[4] = 1;
    assert_false(dn_tls_begins_anew(dunlin_slice_make(second.bytes, second.len)));
    second.bytes[4] = 0;
    second.bytes[0] = 23;
    assert_false(dn_tls_begins_anew(dunlin_slice_make(second.bytes, second.len)));
    assert_false(dn_tls_begins_anew(dunlin_slice_make(second.bytes, 13)));
    assert_false(dn_tls_begins_anew(dunlin_slice_make(NULL, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(genuine_and_not),
        cmocka_unit_test(cut_and_changed),
        cmocka_unit_test(others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
