/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of peers and counts of hosts: thousands of records, found, taken out while walking, limits by host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "bearer/host_count.h"
#include "bearer/udp.h"

#include <stdio.h>
#include <stdlib.h>

#define MANY 5000u

static const dn_hash_key key = {1, 2};

typedef struct {
    unsigned number;
    dn_peer_node node;
} record;

static dn_peer peer_of(unsigned number)
{
    dn_peer peer;
    char text[DN_UDP_TEXT_MAX];
    (void)snprintf(text, sizeof text, "10.0.%u.%u:%u", number >> 8 & 255, number & 255, 1000 + number % 7);
    assert_int_equal(dn_udp_peer_parse(text, &peer), DUNLIN_OK);
    return peer;
}

static unsigned find(const dn_peer_table *table, unsigned number)
{
    dn_peer peer = peer_of(number);
    dn_peer_node *node = dn_peer_table_find(table, &peer);
    return node == NULL ? UINT32_MAX : DN_CONTAINER(node, record, node)->number;
}

static void remove_odd(void *context, dn_peer_node *node)
{
    if (DN_CONTAINER(node, record, node)->number % 2 == 1) {
        dn_peer_table_remove(context, node);
    }
}

static void finds_what_was_added(void **state)
{
    dn_peer_table table;
    record *records = calloc(MANY, sizeof *records);
    (void)state;
    assert_non_null(records);
    assert_true(dn_peer_table_init(&table, &key));
    for (unsigned i = 0; i < MANY; i++) {
        dn_peer peer = peer_of(i);
        records[i].number = i;
        assert_null(dn_peer_table_find(&table, &peer));
        dn_peer_table_add(&table, &records[i].node, &peer);
    }
    assert_int_equal(table.count, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(find(&table, i), i);
    }
    dn_peer_table_each(&table, remove_odd, &table);
    assert_int_equal(table.count, MANY / 2);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(find(&table, i), i % 2 == 1 ? UINT32_MAX : i);
    }
    dn_peer_table_free(&table);
    free(records);
}

static void transports_are_other_peers(void **state)
{
    dn_peer_table table;
    record records[4];
    dn_peer peer = peer_of(1);
    (void)state;
    assert_true(dn_peer_table_init(&table, &key));
    for (unsigned i = 0; i < 4; i++) {
        dn_peer_set_transport(&peer, (dn_transport)i);
        dn_peer_table_add(&table, &records[i].node, &peer);
    }
    for (unsigned i = 0; i < 4; i++) {
        dn_peer_set_transport(&peer, (dn_transport)i);
        assert_ptr_equal(dn_peer_table_find(&table, &peer), &records[i].node);
    }
    dn_peer_table_free(&table);
}

static dn_host *enter(dn_host_count *hosts, const char *text, uint32_t max)
{
    dn_peer peer;
    assert_int_equal(dn_udp_peer_parse(text, &peer), DUNLIN_OK);
    return dn_host_enter(hosts, &peer, max);
}

static void counts_by_host(void **state)
{
    dn_host_count hosts;
    (void)state;
    assert_true(dn_host_count_init(&hosts, &key));
    dn_host *first = enter(&hosts, "192.0.2.1:1", 2);
    dn_host *second = enter(&hosts, "192.0.2.1:2", 2);
    assert_non_null(first);
    assert_ptr_equal(first, second);
    assert_null(enter(&hosts, "192.0.2.1:3", 2));
    assert_non_null(enter(&hosts, "192.0.2.2:3", 2));
    dn_host *wide = enter(&hosts, "[2001:db8::1]:3", 1);
    assert_non_null(wide);
    assert_null(enter(&hosts, "[2001:db8::ffff:1]:3", 1));
    assert_non_null(enter(&hosts, "[2001:db8:0:1::1]:3", 1));
    assert_int_equal(hosts.table.count, 4);
    dn_host_leave(&hosts, first);
    assert_non_null(enter(&hosts, "192.0.2.1:3", 2));
    dn_host_leave(&hosts, wide);
    assert_int_equal(hosts.table.count, 3);
    assert_null(enter(&hosts, "192.0.2.9:3", 0));
    dn_host_count_free(&hosts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_added),
        cmocka_unit_test(transports_are_other_peers),
        cmocka_unit_test(counts_by_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
