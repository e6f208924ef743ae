/* SPDX-License-Identifier: Apache-2.0 */
/* The tables below the engine: remotes and message ids seen, against a plain model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/random.h"
#include "coap/seen.h"
#include <stdlib.h>

#define SLOTS      64
#define PER_REMOTE 8
#define PEERS      24

typedef struct {
    dn_coap_remotes remotes;
    dn_coap_seen seen;
    void *memory;
} tables;

static void open_tables(tables *made)
{
    dn_hash_key key = {1, 2};
    dn_coap_arena count = {NULL, 0, false};
    dn_coap_remotes_init(&made->remotes, &count, SLOTS + 1, &key);
    dn_coap_seen_init(&made->seen, &count, &made->remotes, 0, SLOTS, PER_REMOTE, 16);
    made->memory = malloc(count.used);
    assert_non_null(made->memory);
    dn_coap_arena arena = {made->memory, 0, false};
    dn_coap_remotes_init(&made->remotes, &arena, SLOTS + 1, &key);
    dn_coap_seen_init(&made->seen, &arena, &made->remotes, 0, SLOTS, PER_REMOTE, 16);
    assert_int_equal(arena.used, count.used);
}

static dn_peer peer_of(uint32_t number)
{
    dn_peer peer = {.len = 7};
    memcpy(peer.bytes, &number, sizeof number);
    return peer;
}

/* What was added, in order; the model forgets by the same rules, in the plainest way. */
typedef struct {
    uint32_t peer;
    uint16_t mid;
    uint64_t expires_ms;
    bool alive;
} entry;

typedef struct {
    entry entries[20000];
    size_t count;
} model;

static void model_add(model *of, uint32_t peer, uint16_t mid, uint64_t expires_ms)
{
    size_t of_peer = 0, alive = 0, oldest = SIZE_MAX, oldest_of_peer = SIZE_MAX;
    for (size_t i = of->count; i-- > 0;) {
        if (of->entries[i].alive) {
            alive++;
            oldest = i;
            if (of->entries[i].peer == peer) {
                of_peer++;
                oldest_of_peer = i;
            }
        }
    }
    if (of_peer >= PER_REMOTE) {
        of->entries[oldest_of_peer].alive = false;
    } else if (alive >= SLOTS) {
        of->entries[oldest].alive = false;
    }
    of->entries[of->count++] = (entry){peer, mid, expires_ms, true};
}

static bool model_has(const model *of, uint32_t peer, uint16_t mid, uint64_t now_ms)
{
    for (size_t i = of->count; i-- > 0;) {
        const entry *at = &of->entries[i];
        if (at->alive && at->peer == peer && at->mid == mid) {
            return at->expires_ms > now_ms;
        }
    }
    return false;
}

static void remembers_as_the_model_does(void **state)
{
    static model plain;
    tables made;
    dn_seeded seeded;
    (void)state;
    dn_seeded_init(&seeded, 5);
    dn_random random = dn_seeded_random(&seeded);
    open_tables(&made);
    /* No expiry here: the model does not mirror the lazy clean-up. */
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t peer = (uint32_t)dn_random_between(&random, 0, i < 10000 ? PEERS - 1 : 3);
        uint16_t mid = (uint16_t)dn_random_between(&random, 0, 15);
        dn_peer address = peer_of(peer);
        uint32_t remote = dn_coap_remote_get(&made.remotes, &address);
        assert_int_not_equal(remote, DN_COAP_NONE);
        bool found = dn_coap_seen_find(&made.seen, remote, mid, i) != DN_COAP_NONE;
        assert_int_equal(found, model_has(&plain, peer, mid, i));
        if (!found) {
            (void)dn_coap_seen_add(&made.seen, remote, mid, UINT64_MAX, i);
            model_add(&plain, peer, mid, UINT64_MAX);
        }
        dn_coap_remote_release(&made.remotes, remote);
        assert_true(made.seen.in_use <= SLOTS);
        assert_true(made.remotes.in_use <= SLOTS);
    }
    while (made.seen.oldest != DN_COAP_NONE) {
        dn_coap_seen_forget(&made.seen, made.seen.oldest);
    }
    assert_int_equal(made.seen.in_use, 0);
    assert_int_equal(made.remotes.in_use, 0);
    free(made.memory);
}

static void forgets_when_time_is_up(void **state)
{
    tables made;
    dn_peer address = peer_of(1);
    (void)state;
    open_tables(&made);
    uint32_t remote = dn_coap_remote_get(&made.remotes, &address);
    for (uint16_t mid = 0; mid < 5; mid++) {
        (void)dn_coap_seen_add(&made.seen, remote, mid, 100u + mid, 0);
    }
    dn_coap_remote_release(&made.remotes, remote);
    assert_int_not_equal(dn_coap_seen_find(&made.seen, remote, 0, 99), DN_COAP_NONE);
    assert_int_equal(dn_coap_seen_find(&made.seen, remote, 0, 100), DN_COAP_NONE);
    dn_coap_seen_expire(&made.seen, 102, 1);
    assert_int_equal(made.seen.in_use, 4);
    dn_coap_seen_expire(&made.seen, 102, 16);
    assert_int_equal(made.seen.in_use, 2);
    assert_int_equal(dn_coap_remote_find(&made.remotes, &address), remote);
    dn_coap_seen_expire(&made.seen, 1000, 16);
    assert_int_equal(made.seen.in_use, 0);
    assert_int_equal(dn_coap_remote_find(&made.remotes, &address), DN_COAP_NONE);
    free(made.memory);
}

static void keeps_replies(void **state)
{
    tables made;
    dn_peer address = peer_of(1);
    (void)state;
    open_tables(&made);
    uint32_t remote = dn_coap_remote_get(&made.remotes, &address);
    uint32_t a = dn_coap_seen_add(&made.seen, remote, 1, 100, 0);
    uint32_t b = dn_coap_seen_add(&made.seen, remote, 2, 100, 0);
    uint32_t serial = made.seen.at[a].serial;
    assert_int_equal(made.seen.at[a].state, DN_COAP_SEEN_PENDING);
    dn_coap_seen_set_reply(&made.seen, a, dunlin_slice_of("sixteen bytes ok"));
    dn_coap_seen_set_reply(&made.seen, b, dunlin_slice_of("seventeen bytes!!"));
    assert_true(dunlin_slice_equal(dn_coap_seen_reply(&made.seen, a), dunlin_slice_of("sixteen bytes ok")));
    assert_int_equal(made.seen.at[b].state, DN_COAP_SEEN_LONG);
    assert_true(dn_coap_seen_is(&made.seen, a, serial));
    dn_coap_seen_forget(&made.seen, a);
    assert_false(dn_coap_seen_is(&made.seen, a, serial));
    assert_false(dn_coap_seen_is(&made.seen, DN_COAP_NONE, serial));
    free(made.memory);
}

/* A remote that is forgotten after each message or after a few; 65,536 messages, none with the id of another.
 */
static void message_ids_do_not_come_again(void **state)
{
    tables made;
    dn_peer address = peer_of(9);
    static bool used[65536];
    uint32_t count = 0;
    (void)state;
    open_tables(&made);
    while (count < 65536) {
        uint32_t remote = dn_coap_remote_get(&made.remotes, &address);
        for (uint32_t messages = count % 3 + 1; messages > 0 && count < 65536; messages--, count++) {
            uint16_t mid = dn_coap_remote_next_mid(&made.remotes, remote);
            assert_false(used[mid]);
            used[mid] = true;
        }
        dn_coap_remote_release(&made.remotes, remote);
    }
    free(made.memory);
}

static void a_full_table_of_remotes(void **state)
{
    tables made;
    (void)state;
    open_tables(&made);
    for (uint32_t i = 0; i < SLOTS + 1; i++) {
        dn_peer address = peer_of(i);
        assert_int_not_equal(dn_coap_remote_get(&made.remotes, &address), DN_COAP_NONE);
    }
    dn_peer address = peer_of(1000), known = peer_of(7);
    assert_int_equal(dn_coap_remote_get(&made.remotes, &address), DN_COAP_NONE);
    uint32_t remote = dn_coap_remote_get(&made.remotes, &known);
    assert_int_not_equal(remote, DN_COAP_NONE);
    dn_coap_remote_release(&made.remotes, remote);
    dn_coap_remote_release(&made.remotes, remote);
    assert_int_equal(dn_coap_remote_get(&made.remotes, &address), remote);
    free(made.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers_as_the_model_does),
        cmocka_unit_test(forgets_when_time_is_up),
        cmocka_unit_test(keeps_replies),
        cmocka_unit_test(message_ids_do_not_come_again),
        cmocka_unit_test(a_full_table_of_remotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
