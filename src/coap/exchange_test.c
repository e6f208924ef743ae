/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of exchanges against a plain search: many peers with equal message ids and tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/random.h"
#include "coap/exchange.h"
#include <stdlib.h>

#define COUNT  48
#define PEERS  2000 /* many more than buckets, so that equal ids and tokens meet in one */
#define TOKENS 5

typedef struct {
    dn_coap_remotes remotes;
    dn_coap_exchanges exchanges;
    void *memory;
    uint32_t remote[PEERS];
    dn_coap_exchange *live[COUNT];
    size_t live_count;
} tables;

static void lay_out(tables *made, dn_coap_arena *arena)
{
    dn_hash_key key = {3, 4};
    dn_coap_remotes_init(&made->remotes, arena, PEERS, &key);
    dn_coap_exchanges_init(&made->exchanges, arena, &made->remotes, COUNT, 64);
}

static void open_tables(tables *made)
{
    dn_coap_arena count = {NULL, 0, false};
    memset(made, 0, sizeof *made);
    lay_out(made, &count);
    made->memory = malloc(count.used);
    assert_non_null(made->memory);
    dn_coap_arena arena = {made->memory, 0, false};
    lay_out(made, &arena);
    for (uint32_t i = 0; i < PEERS; i++) {
        dn_peer peer = {.len = 2, .bytes = {(uint8_t)i, (uint8_t)(i >> 8)}};
        made->remote[i] = dn_coap_remote_get(&made->remotes, &peer);
    }
}

static dn_coap_token token_of(uint64_t number)
{
    dn_coap_token token = {(uint8_t)(number % 3), {7, 7}};
    token.bytes[0] = (uint8_t)(number % 3 > 0 ? number : 0);
    if (number % 3 < 2) {
        token.bytes[1] = 0;
    }
    return token;
}

static void check_finds(const tables *made)
{
    for (size_t i = 0; i < made->live_count; i++) {
        const dn_coap_exchange *wanted = made->live[i];
        assert_ptr_equal(dn_coap_exchange_by_id(&made->exchanges, wanted->id), wanted);
        if (wanted->has_mid) {
            assert_ptr_equal(dn_coap_exchange_by_mid(&made->exchanges, wanted->remote, wanted->mid), wanted);
        }
        if (wanted->has_token) {
            assert_ptr_equal(dn_coap_exchange_by_token(&made->exchanges, wanted->remote, &wanted->wire),
                             wanted);
        }
    }
    for (size_t peer = 0; peer < PEERS; peer += 97) {
        size_t of_peer = 0, listed = 0;
        for (size_t i = 0; i < made->live_count; i++) {
            of_peer += made->live[i]->remote == made->remote[peer];
        }
        for (const dn_coap_exchange *at = made->remotes.at[made->remote[peer]].exchanges; at != NULL;
             at = at->peer_next) {
            listed++;
        }
        assert_int_equal(of_peer, listed);
    }
    assert_int_equal(made->exchanges.in_use, made->live_count);
}

static bool is_taken(const tables *made, uint32_t remote, const dn_coap_token *token)
{
    for (size_t i = 0; i < made->live_count; i++) {
        if (made->live[i]->has_token && made->live[i]->remote == remote &&
            dn_coap_token_equal(&made->live[i]->wire, token)) {
            return true;
        }
    }
    return false;
}

static void finds_what_a_search_finds(void **state)
{
    tables made;
    dn_seeded seeded;
    (void)state;
    dn_seeded_init(&seeded, 11);
    dn_random random = dn_seeded_random(&seeded);
    open_tables(&made);
    memset(made.remotes.next_mid, 0,
           made.remotes.bucket_count * sizeof made.remotes.next_mid[0]); /* all alike */
    for (int i = 0; i < 20000; i++) {
        uint64_t dice = dn_random_between(&random, 0, 3);
        if (dice > 0 && made.live_count > 0) {
            size_t which = (size_t)dn_random_between(&random, 0, made.live_count - 1);
            dn_coap_exchange *chosen = made.live[which];
            dn_coap_token token = token_of(dn_random_between(&random, 0, TOKENS));
            if (dice == 1) {
                made.live[which] = made.live[--made.live_count];
                dn_coap_exchange_free(&made.exchanges, chosen);
            } else if (dice == 2 || is_taken(&made, chosen->remote, &token)) {
                (void)dn_coap_exchange_next_mid(&made.exchanges, chosen);
            } else {
                dn_coap_exchange_bind_token(&made.exchanges, chosen, &token);
            }
        }
        if (dice < 2) {
            uint32_t remote = made.remote[dn_random_between(&random, 0, PEERS - 1)];
            dn_coap_exchange *fresh = dn_coap_exchange_make(&made.exchanges, DN_COAP_X_REQUEST, remote);
            assert_int_equal(fresh == NULL, made.live_count == COUNT);
            if (fresh != NULL) {
                made.live[made.live_count++] = fresh;
            }
        }
        if (i % 10 == 0) {
            check_finds(&made);
        }
        dn_coap_token unknown = {8, "notthere"};
        assert_null(dn_coap_exchange_by_token(&made.exchanges, made.remote[0], &unknown));
    }
    free(made.memory);
}

static void waits_in_order(void **state)
{
    tables made;
    dn_coap_exchange *a, *b, *c, *d;
    (void)state;
    open_tables(&made);
    a = dn_coap_exchange_make(&made.exchanges, DN_COAP_X_REQUEST, made.remote[0]);
    b = dn_coap_exchange_make(&made.exchanges, DN_COAP_X_REQUEST, made.remote[0]);
    c = dn_coap_exchange_make(&made.exchanges, DN_COAP_X_REQUEST, made.remote[0]);
    d = dn_coap_exchange_make(&made.exchanges, DN_COAP_X_REQUEST, made.remote[0]);
    dn_coap_exchange_wait(&made.exchanges, a, false);
    dn_coap_exchange_wait(&made.exchanges, b, false);
    dn_coap_exchange_wait(&made.exchanges, c, true);
    dn_coap_exchange_wait(&made.exchanges, d, false);
    dn_coap_exchange_free(&made.exchanges, d); /* the last leaves */
    assert_ptr_equal(dn_coap_exchange_next_waiting(&made.exchanges, made.remote[0]), c);
    dn_coap_exchange_free(&made.exchanges, a); /* the first leaves */
    dn_coap_exchange_wait(&made.exchanges, c, false);
    assert_ptr_equal(dn_coap_exchange_next_waiting(&made.exchanges, made.remote[0]), b);
    assert_ptr_equal(dn_coap_exchange_next_waiting(&made.exchanges, made.remote[0]), c);
    assert_null(dn_coap_exchange_next_waiting(&made.exchanges, made.remote[0]));
    assert_null(dn_coap_exchange_next_waiting(&made.exchanges, made.remote[1]));
    free(made.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_a_search_finds),
        cmocka_unit_test(waits_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
