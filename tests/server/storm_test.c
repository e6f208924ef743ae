/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many: 100,000 devices with scrambled names register and update in shuffled order; and hostile: random and mutated datagrams, which change nothing
 * but counters. Datagrams are written by hand here: the point is the shard, not the engine at the other end.
 */
#include "tests/server/no_store.h"
#include "tests/server/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define DEVICES 100000u

/* A shard by itself: no network, no devices. */
typedef struct {
    dn_shard *shard;
    dn_events *events;
    dn_seeded seeded;
    uint64_t now_ms;
    /* The last datagram that left, after its commit. */
    size_t replies;
    uint8_t code;
    char location[DN_REGISTRATION_ID_TEXT + 1];
} world;

static uint64_t clock_ms(void *context)
{
    return ((world *)context)->now_ms;
}

static int64_t wall_ms(void *context)
{
    return RIG_EPOCH_MS + (int64_t)((world *)context)->now_ms;
}

static void peer_text(const dn_peer *peer, char *out, size_t size)
{
    (void)snprintf(out, size, "%02x", peer->bytes[0]);
}

static bool same_host(const dn_peer *a, const dn_peer *b)
{
    return dn_peer_equal(a, b);
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    world *w = context;
    (void)peer;
    w->replies++;
    w->code = datagram.data[1];
    /* 2.01's second Location-Path: 13 characters, the last bytes. */
    if (w->code == DN_COAP_CREATED) {
        assert_true(datagram.len > DN_REGISTRATION_ID_TEXT);
        memcpy(w->location, datagram.data + datagram.len - DN_REGISTRATION_ID_TEXT, DN_REGISTRATION_ID_TEXT);
    }
}

static dn_store none = {.ops = &no_store_ops};

static void make(world *w)
{
    char error[128];
    *w = (world){.now_ms = 1000};
    dn_seeded_init(&w->seeded, 77);
    w->events = dn_events_create(65536);
    assert_non_null(w->events);
    dn_shard_config config = {.fleet = dn_fleet_config_default(),
                              .send = on_send,
                              .context = w,
                              .peer_text = peer_text,
                              .same_host = same_host,
                              .events = w->events};
    config.fleet.nosec = DN_NOSEC_ON;
    config.fleet.store = &none;
    config.fleet.random = dn_seeded_random(&w->seeded);
    config.fleet.clock_ms = clock_ms;
    config.fleet.wall_ms = wall_ms;
    config.fleet.clock_context = w;
    config.fleet.coap.dedup_slots = 1024;
    assert_int_equal(dn_shard_create(&config, &w->shard, error, sizeof error), DUNLIN_OK);
}

static void unmake(world *w)
{
    dn_shard_begin(w->shard);
    dn_shard_cancel(w->shard);
    dn_shard_publish(w->shard);
    dn_shard_destroy(w->shard);
    dn_events_destroy(w->events);
}

static dn_peer peer_of(uint32_t number)
{
    dn_peer peer = {.len = 7, .bytes = {4}};
    memcpy(peer.bytes + 1, &number, sizeof number);
    return peer;
}

static void deliver(world *w, uint32_t device, dunlin_slice datagram)
{
    dn_peer peer = peer_of(device);
    dn_shard_begin(w->shard);
    dn_shard_receive(w->shard, &peer, datagram);
    dn_shard_work(w->shard);
    assert_int_equal(dn_shard_commit(w->shard), DUNLIN_OK);
    dn_shard_publish(w->shard);
}

/* Appends an option whose delta is below 13 and whose length is below 269. */
static size_t put_option(uint8_t *out, unsigned delta, const char *value)
{
    size_t len = strlen(value), at = 0;
    out[at++] = (uint8_t)(delta << 4 | (len < 13 ? len : 13));
    if (len >= 13) {
        out[at++] = (uint8_t)(len - 13);
    }
    memcpy(out + at, value, len);
    return at + len;
}

static size_t put_head(uint8_t *out, uint8_t method, uint16_t mid)
{
    static const uint8_t token[4] = {1, 2, 3, 4};
    out[0] = 0x44;
    out[1] = method;
    out[2] = (uint8_t)(mid >> 8);
    out[3] = (uint8_t)mid;
    memcpy(out + 4, token, sizeof token);
    return 8;
}

static size_t register_datagram(uint8_t *out, uint16_t mid, const char *ep, const char *links)
{
    static const char format[] = {40, 0};
    char query[300];
    (void)snprintf(query, sizeof query, "ep=%s", ep);
    size_t len = put_head(out, DN_COAP_POST, mid);
    len += put_option(out + len, 11, "rd");
    len += put_option(out + len, 1, format);
    len += put_option(out + len, 3, query);
    len += put_option(out + len, 0, "lt=86400");
    len += put_option(out + len, 0, "lwm2m=1.1");
    len += put_option(out + len, 0, "b=U");
    out[len++] = 0xff;
    memcpy(out + len, links, strlen(links));
    return len + strlen(links);
}

static size_t location_datagram(uint8_t *out, uint8_t method, uint16_t mid, const char *location)
{
    size_t len = put_head(out, method, mid);
    len += put_option(out + len, 11, "rd");
    return len + put_option(out + len, 0, location);
}

static void name_of(uint32_t number, char out[32])
{
    /* Neighbours get names far apart. */
    (void)snprintf(out, 32, "urn:imei:86%010u", (unsigned)(number * UINT64_C(387420489) % 1000000007u));
}

static void shuffle(dn_random *random, uint32_t *order)
{
    for (uint32_t i = DEVICES - 1; i > 0; i--) {
        uint32_t other = (uint32_t)dn_random_between(random, 0, i), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
}

static void a_hundred_thousand(void **state)
{
    (void)state;
    world w;
    uint8_t datagram[600];
    char name[32];
    dn_fleet_counters counters;
    char(*locations)[DN_REGISTRATION_ID_TEXT + 1] = calloc(DEVICES, sizeof *locations);
    uint32_t *order = calloc(DEVICES, sizeof *order);
    assert_true(locations != NULL && order != NULL);
    make(&w);
    dn_random random = dn_seeded_random(&w.seeded);
    for (uint32_t i = 0; i < DEVICES; i++) {
        order[i] = i;
        name_of(i, name);
        size_t len = register_datagram(datagram, (uint16_t)i, name,
                                       i % 3 == 0 ? "</1/0>,</3/0>" : "</1/0>,</3/0>,</5>");
        deliver(&w, i, dunlin_slice_make(datagram, len));
        assert_int_equal(w.code, DN_COAP_CREATED);
        memcpy(locations[i], w.location, sizeof w.location);
    }
    dn_shard_count(w.shard, &counters);
    assert_int_equal(counters.registrations, DEVICES);
    assert_int_equal(counters.link_lists, 2);
    shuffle(&random, order);
    for (uint32_t i = 0; i < DEVICES; i++) {
        w.now_ms += i % 2;
        size_t len = location_datagram(datagram, DN_COAP_POST, (uint16_t)(i + 7777), locations[order[i]]);
        deliver(&w, order[i], dunlin_slice_make(datagram, len));
        assert_int_equal(w.code, DN_COAP_CHANGED);
    }
    shuffle(&random, order);
    for (uint32_t i = 0; i < DEVICES / 2; i++) {
        size_t len = location_datagram(datagram, DN_COAP_DELETE, (uint16_t)(i + 5555), locations[order[i]]);
        deliver(&w, order[i], dunlin_slice_make(datagram, len));
        assert_int_equal(w.code, DN_COAP_DELETED);
    }
    /* The half that is left is the right half. */
    for (uint32_t i = 0; i < DEVICES; i++) {
        size_t len = location_datagram(datagram, DN_COAP_POST, (uint16_t)(i + 3333), locations[order[i]]);
        deliver(&w, order[i], dunlin_slice_make(datagram, len));
        assert_int_equal(w.code, i < DEVICES / 2 ? DN_COAP_NOT_FOUND : DN_COAP_CHANGED);
    }
    dn_shard_count(w.shard, &counters);
    assert_int_equal(counters.registrations, DEVICES / 2);
    w.now_ms += 86500 * 1000ull;
    for (unsigned i = 0; i < DEVICES && counters.registrations > 0; i++) {
        dn_shard_begin(w.shard);
        dn_shard_work(w.shard);
        assert_int_equal(dn_shard_commit(w.shard), DUNLIN_OK);
        dn_shard_publish(w.shard);
        dn_shard_count(w.shard, &counters);
    }
    assert_int_equal(counters.registrations, 0);
    assert_int_equal(counters.link_lists, 0);
    unmake(&w);
    free(order);
    free(locations);
}

/* Everything of a few registrations, as one text. */
typedef struct {
    char text[1u << 20];
    size_t len;
} snapshot;

static void on_list(void *context, const dn_client_page *page)
{
    snapshot *s = context;
    for (size_t i = 0; i < page->count; i++) {
        const dn_client_view *client = &page->clients[i];
        int written =
            snprintf(s->text + s->len, sizeof s->text - s->len, "%.*s %s %s %u.%u %s %d %u %lld %lld %.*s\n",
                     (int)client->endpoint.len, (const char *)client->endpoint.data, client->id,
                     client->address, client->version_major, client->version_minor, client->binding,
                     client->queue_mode, (unsigned)client->lifetime_s, (long long)client->registered_ms,
                     (long long)client->updated_ms, (int)client->links.len, (const char *)client->links.data);
        assert_true(written > 0 && s->len + (size_t)written < sizeof s->text);
        s->len += (size_t)written;
    }
}

static snapshot look(world *w)
{
    snapshot s = {.len = 0};
    const dn_device_request all = {.method = 0};
    dn_command *command = dn_command_create(DN_COMMAND_LIST, &all);
    assert_non_null(command);
    command->limit = 1000;
    command->done.list = on_list;
    command->context = &s;
    dn_shard_begin(w->shard);
    dn_shard_submit(w->shard, command);
    dn_shard_work(w->shard);
    assert_int_equal(dn_shard_commit(w->shard), DUNLIN_OK);
    dn_shard_publish(w->shard);
    return s;
}

#define VICTIMS 20u

static void victims(world *w, char locations[VICTIMS][DN_REGISTRATION_ID_TEXT + 1])
{
    uint8_t datagram[600];
    char name[32];
    for (uint32_t i = 0; i < VICTIMS; i++) {
        name_of(i, name);
        size_t len = register_datagram(datagram, (uint16_t)i, name, "</1/0>,</3/0>");
        deliver(w, i, dunlin_slice_make(datagram, len));
        assert_int_equal(w->code, DN_COAP_CREATED);
        memcpy(locations[i], w->location, sizeof w->location);
    }
}

static void noise_changes_nothing(void **state)
{
    (void)state;
    world w;
    uint8_t datagram[1300];
    char locations[VICTIMS][DN_REGISTRATION_ID_TEXT + 1];
    make(&w);
    victims(&w, locations);
    snapshot before = look(&w);
    dn_random random = dn_seeded_random(&w.seeded);
    for (unsigned i = 0; i < 100000; i++) {
        size_t len = dn_random_u32(&random) % (i % 10 == 0 ? sizeof datagram : 64);
        random.fill(random.context, datagram, len);
        if (len > 0 && i % 2 == 0) {
            datagram[0] =
                (uint8_t)(0x40 | (datagram[0] & 0x3f)); /* the right version, so that it goes deeper */
        }
        deliver(&w, dn_random_u32(&random) % VICTIMS, dunlin_slice_make(datagram, len));
    }
    snapshot after = look(&w);
    assert_string_equal(before.text, after.text);
    unmake(&w);
}

/* From other hosts, so that even those which are still good requests must not reach a victim; a Register that is still good makes another one. */
static void mutated_requests_reach_no_victim(void **state)
{
    (void)state;
    world w;
    uint8_t datagram[600];
    char locations[VICTIMS][DN_REGISTRATION_ID_TEXT + 1];
    make(&w);
    victims(&w, locations);
    snapshot before = look(&w);
    dn_random random = dn_seeded_random(&w.seeded);
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t method = i % 3 == 0 ? DN_COAP_DELETE : DN_COAP_POST;
        size_t len = i % 5 != 0 ? location_datagram(datagram, method, (uint16_t)i, locations[i % VICTIMS])
                                : register_datagram(datagram, (uint16_t)i, "stranger", "</1/0>,</3/0>");
        for (unsigned flips = dn_random_u32(&random) % 4; flips > 0; flips--) {
            datagram[dn_random_u32(&random) % len] ^= (uint8_t)(1u << dn_random_u32(&random) % 8);
        }
        len -= dn_random_u32(&random) % 4 == 0 ? dn_random_u32(&random) % len : 0;
        deliver(&w, VICTIMS + dn_random_u32(&random) % 1000, dunlin_slice_make(datagram, len));
    }
    snapshot after = look(&w);
    assert_true(after.len >= before.len);
    assert_memory_equal(before.text, after.text, before.len); /* slots are in order: the victims come first */
    unmake(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_thousand),
        cmocka_unit_test(noise_changes_nothing),
        cmocka_unit_test(mutated_requests_reach_no_victim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
