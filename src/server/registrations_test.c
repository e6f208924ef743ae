/* SPDX-License-Identifier: Apache-2.0 */
/* Finding registrations by their addresses, while they come, move, are replaced and go, beside a plain list of what should be found. */
#include "server/registrations.h"

#include "tests/server/no_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NAMES 12
#define PEERS 4
#define STEPS 20000

static dn_store no_store = {&no_store_ops};

typedef struct {
    dn_registrations table;
    dn_durable durable;
    dn_seeded seeded;
    dn_random random;
    /* What should be there: which name is at which address since when, 0: not registered. */
    uint64_t since[NAMES];
    uint32_t at[NAMES];
    uint64_t steps;
} world;

static dn_peer peer_of(uint32_t number)
{
    return (dn_peer){.len = 2, .bytes = {7, (uint8_t)number}};
}

static dn_parameters terms_of(uint32_t name, char *text)
{
    (void)snprintf(text, 8, "n%u", (unsigned)name);
    return (dn_parameters){.present = DN_PARAMETER_EP,
                           .endpoint = dunlin_slice_of(text),
                           .lifetime_s = 60,
                           .version_major = 1,
                           .binding = DN_BINDING_U};
}

static uint32_t slot_of(const world *w, uint32_t name)
{
    char text[8];
    dn_parameters terms = terms_of(name, text);
    return dn_registrations_find(&w->table, terms.endpoint);
}

static void enrol(world *w, uint32_t name, uint32_t peer)
{
    char text[8];
    uint32_t links, slot;
    const dn_peer address = peer_of(peer);
    dn_parameters terms = terms_of(name, text);
    assert_int_equal(dn_link_lists_take(&w->table.lists, dunlin_slice_of("</3/0>"), &links), DUNLIN_OK);
    assert_int_equal(dn_registrations_register(&w->table, &terms, (dn_sender){&address, DN_SECURITY_NOSEC},
                                               links, 1000, 1000, &slot),
                     DUNLIN_OK);
    w->since[name] = w->steps;
    w->at[name] = peer;
}

static void update(world *w, uint32_t name, uint32_t peer)
{
    uint8_t changed;
    const dn_peer address = peer_of(peer);
    const dn_parameters nothing = {.present = 0};
    assert_int_equal(dn_registrations_update(&w->table, slot_of(w, name), &nothing,
                                             (dn_sender){&address, DN_SECURITY_NOSEC}, DN_LINKS_NONE, 1000,
                                             1000, &changed),
                     DUNLIN_OK);
    assert_int_equal(changed, w->at[name] != peer ? DN_REGISTRATION_ADDRESS : 0);
    if (w->at[name] != peer) {
        w->since[name] = w->steps; /* it is the newest of its new address */
        w->at[name] = peer;
    }
}

static uint32_t name_of(dunlin_slice endpoint)
{
    uint32_t number = 0;
    for (size_t i = 1; i < endpoint.len; i++) {
        number = number * 10 + (uint32_t)(endpoint.data[i] - '0');
    }
    assert_true(number < NAMES);
    return number;
}

/* Walks all that share an address: the newest first, each once, and none of elsewhere. */
static void check_peer(const world *w, uint32_t peer)
{
    const dn_peer address = peer_of(peer);
    uint64_t before = UINT64_MAX;
    uint32_t prev = DN_SLOT_NONE;
    unsigned expected = 0, found = 0;
    for (uint32_t name = 0; name < NAMES; name++) {
        expected += w->since[name] > 0 && w->at[name] == peer;
    }
    for (uint32_t slot = dn_registrations_by_peer(&w->table, &address); slot != DN_SLOT_NONE;
         slot = dn_registrations_at(&w->table, slot)->peer_next) {
        const dn_registration *registration = dn_registrations_at(&w->table, slot);
        dunlin_slice endpoint = dn_registration_endpoint(&w->table, registration);
        uint32_t name = name_of(endpoint);
        assert_int_equal(w->at[name], peer);
        assert_int_equal(registration->peer_prev, prev);
        assert_true(w->since[name] > 0 && w->since[name] < before);
        before = w->since[name];
        prev = slot;
        found++;
        assert_true(found <= expected);
    }
    assert_int_equal(found, expected);
}

static void each_address_leads_to_its_registrations(void **state)
{
    static world w;
    const dn_registrations_limits limits = {NAMES, 4, 100};
    (void)state;
    dn_seeded_init(&w.seeded, 5);
    w.random = dn_seeded_random(&w.seeded);
    w.durable.store = &no_store;
    assert_true(dn_registrations_init(&w.table, &limits, &w.durable, &w.random, 1000));
    for (w.steps = 1; w.steps <= STEPS; w.steps++) {
        uint32_t name = (uint32_t)dn_random_between(&w.random, 0, NAMES - 1);
        uint32_t peer = (uint32_t)dn_random_between(&w.random, 0, PEERS - 1);
        uint32_t what = (uint32_t)dn_random_between(&w.random, 0, 3);
        if (what == 0 || w.since[name] == 0) {
            enrol(&w, name, peer);
        } else if (what == 1) {
            dn_registrations_remove(&w.table, slot_of(&w, name));
            w.since[name] = 0;
        } else {
            update(&w, name, what == 2 ? peer : w.at[name]);
        }
        unsigned peers = 0;
        for (uint32_t i = 0; i < PEERS; i++) {
            const dn_peer address = peer_of(i);
            check_peer(&w, i);
            peers += dn_registrations_by_peer(&w.table, &address) != DN_SLOT_NONE;
        }
        assert_int_equal(w.table.by_peer.count, peers); /* one entry for each address, none left over */
    }
    dn_registrations_free(&w.table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_leads_to_its_registrations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
