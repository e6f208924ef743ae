/* SPDX-License-Identifier: Apache-2.0 */
/* Ten thousand devices at the same time: all begin before the first ends, each gets a key of its own, and none is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bootstrap/engine.h"
#include "bootstrap/memory_store.h"
#include "codec/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES 10000u
#define BATCH   64u /* datagrams of a cycle */

typedef struct {
    uint8_t stage; /* 0: new, 1: staged, 2: promoted */
    uint8_t identity[27];
    uint16_t written;
    bool has_finished;
} device;

typedef struct {
    dn_credentials keeper;
    dn_bs *bs;
    dn_bs_store *store;
    dn_seeded seeded;
    uint64_t now_ms;
    device devices[DEVICES];
    dn_identity identity; /* of whoever speaks */
    uint32_t finished, failed, stages, promotes;
    /* What the server has sent and is to be answered. */
    struct {
        uint16_t number;
        uint8_t head[16], len, code;
    } asked[2 * DEVICES]; /* those of this step and those of the next */
    size_t asked_count;
} world;

static uint64_t clock_ms(void *context)
{
    return ((world *)context)->now_ms;
}

static int64_t wall_ms(void *context)
{
    return INT64_C(1790000000000) + (int64_t)((world *)context)->now_ms;
}

static uint32_t number_of(dunlin_slice endpoint)
{
    uint32_t number = 0;
    for (size_t i = 1; i < endpoint.len; i++) {
        number = number * 10 + (endpoint.data[i] - '0');
    }
    assert_true(number < DEVICES);
    return number;
}

/* ---- keeper ---- */

static dunlin_status stage(dn_credentials *credentials, const dn_credential *list, size_t count)
{
    world *w = (world *)(void *)credentials; /* its first member */
    w->stages++;
    for (size_t i = 0; i < count; i++) {
        device *d = &w->devices[number_of(dunlin_slice_make(list[i].endpoint, list[i].endpoint_len))];
        assert_int_equal(d->stage, 0);
        assert_int_equal(list[i].identity_len, sizeof d->identity);
        memcpy(d->identity, list[i].identity, sizeof d->identity);
        d->stage = 1;
    }
    return DUNLIN_OK;
}

static dunlin_status promote(dn_credentials *credentials, const dunlin_slice *endpoints, size_t count)
{
    world *w = (world *)(void *)credentials;
    w->promotes++;
    for (size_t i = 0; i < count; i++) {
        device *d = &w->devices[number_of(endpoints[i])];
        assert_int_equal(d->stage, 1);
        d->stage = 2;
    }
    return DUNLIN_OK;
}

static dunlin_status get_staged(dn_credentials *credentials, dunlin_slice endpoint, dn_credential *out)
{
    (void)credentials;
    (void)endpoint;
    memset(out, 0, sizeof *out);
    return DUNLIN_ERR_NOT_FOUND;
}

/* ---- surroundings ---- */

static const dn_identity *identity_of(void *context, const dn_peer *peer)
{
    world *w = context;
    const unsigned number = (unsigned)peer->bytes[1] << 8 | peer->bytes[2];
    char name[16];
    w->identity.mode = DN_SECURITY_PSK;
    w->identity.endpoint_len = (uint8_t)snprintf(name, sizeof name, "d%u", number);
    memcpy(w->identity.endpoint, name, w->identity.endpoint_len);
    return &w->identity;
}

static dn_peer peer_of(unsigned number)
{
    dn_peer peer = {.len = 3, .bytes = {0, (uint8_t)(number >> 8), (uint8_t)number}};
    dn_peer_set_transport(&peer, DN_TRANSPORT_DTLS);
    return peer;
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    world *w = context;
    const uint8_t code = datagram.data[1];
    const size_t token_len = datagram.data[0] & 15u;
    if (code == 0 || code >= DN_COAP_CODE(1, 0)) {
        return; /* an answer */
    }
    assert_true(w->asked_count < 2u * DEVICES && token_len <= 8);
    w->asked[w->asked_count].number = (uint16_t)(peer->bytes[1] << 8 | peer->bytes[2]);
    w->asked[w->asked_count].code = code;
    w->asked[w->asked_count].len = (uint8_t)(4 + token_len);
    memcpy(w->asked[w->asked_count++].head, datagram.data, 4 + token_len);
}

static void on_event(void *context, const dn_bs_event *event)
{
    world *w = context;
    w->finished += event->kind == DN_BS_FINISHED;
    w->failed += event->kind == DN_BS_FAILED || event->kind == DN_BS_REFUSED;
}

static void open_world(world *w)
{
    static const dn_credentials_ops ops = {.stage = stage, .promote = promote, .get_staged = get_staged};
    w->keeper.ops = &ops;
    assert_int_equal(dn_bs_memory_store_open(NULL, NULL, &w->store), DUNLIN_OK);
    assert_int_equal(
        w->store->ops->put(w->store, dunlin_slice_of("d*"), dunlin_slice_of("{\"servers\":[{}]}"), 0, NULL),
        DUNLIN_OK);
    dn_seeded_init(&w->seeded, 1);
    dn_bs_engine_config config = dn_bs_engine_config_default();
    config.store = w->store;
    config.credentials = &w->keeper;
    config.own.uris[DN_TRANSPORT_DTLS] = "coaps://server";
    config.random = dn_seeded_random(&w->seeded);
    config.wall_ms = wall_ms;
    config.clock_ms = clock_ms;
    config.clock_context = w;
    config.send = on_send;
    config.identity = identity_of;
    config.event = on_event;
    config.context = w;
    assert_int_equal(dn_bs_create(&config, &w->bs), DUNLIN_OK);
}

/* ---- devices ---- */

static void request(world *w, unsigned number)
{
    static const uint8_t head[] = {0x41, DN_COAP_POST, 0, 1, 7, 0xb2, 'b', 's'};
    char query[16];
    uint8_t datagram[32];
    const int len = snprintf(query, sizeof query, "ep=d%u", number);
    memcpy(datagram, head, sizeof head);
    datagram[sizeof head] = (uint8_t)(0x40 | len);
    memcpy(datagram + sizeof head + 1, query, (size_t)len);
    const dn_peer peer = peer_of(number);
    dn_bs_receive(w->bs, &peer, dunlin_slice_make(datagram, sizeof head + 1 + (size_t)len));
}

/* Takes everything that it is asked. Reads come third and fourth of the GETs. */
static void respond(world *w, size_t index)
{
    static const char before[] = "\xc1\x28\xff</>;lwm2m=1.1,</0/0>,</3/0>";
    static const char after[] = "\xc1\x28\xff</>;lwm2m=1.1,</0/0>,</0/1>;ssid=1,</1/0>;ssid=1,</3/0>";
    uint8_t datagram[128];
    const unsigned number = w->asked[index].number;
    device *d = &w->devices[number];
    const char *rest = "";
    size_t len = w->asked[index].len;
    memcpy(datagram, w->asked[index].head, len);
    datagram[0] = (uint8_t)(datagram[0] | 0x20); /* an acknowledgement */
    switch (w->asked[index].code) {
    case DN_COAP_GET:
        datagram[1] = d->written == 2 ? DN_COAP_METHOD_NOT_ALLOWED : DN_COAP_CONTENT;
        rest = d->written == 0 ? before : d->written == 2 ? "" : after;
        d->written = d->written == 2 ? 3 : d->written; /* Read of /1, then Discover */
        break;
    case DN_COAP_DELETE:
        datagram[1] = DN_COAP_DELETED;
        break;
    case DN_COAP_PUT:
        assert_int_equal(d->stage, 1); /* no key leaves before it is kept */
        d->written++;
        datagram[1] = DN_COAP_CHANGED;
        break;
    default:
        assert_int_equal(d->written, 3);
        d->has_finished = true;
        datagram[1] = DN_COAP_CHANGED;
        break;
    }
    memcpy(datagram + len, rest, strlen(rest));
    len += strlen(rest);
    const dn_peer peer = peer_of(number);
    dn_bs_receive(w->bs, &peer, dunlin_slice_make(datagram, len));
}

static void settle(world *w)
{
    dn_bs_work(w->bs);
    dn_bs_commit(w->bs);
    w->now_ms++;
    dn_bs_begin(w->bs);
}

static void test_ten_thousand(void **state)
{
    world *w = *state;
    dn_bs_counters counters;
    dn_bs_begin(w->bs);
    for (unsigned i = 0; i < DEVICES; i++) {
        request(w, i);
        if (i % BATCH == BATCH - 1 || i + 1 == DEVICES) {
            settle(w);
        }
    }
    dn_bs_count(w->bs, &counters);
    assert_int_equal(counters.running, DEVICES);
    assert_int_equal(w->stages, (DEVICES + BATCH - 1) / BATCH);
    request(w, 0); /* the same message again: no new run */
    settle(w);
    while (w->asked_count > 0) { /* a step of each, and then the next one */
        const size_t count = w->asked_count;
        for (size_t i = 0; i < count; i++) {
            respond(w, i);
            if (i % BATCH == BATCH - 1) {
                settle(w);
            }
        }
        settle(w);
        w->asked_count -= count;
        memmove(w->asked, w->asked + count, w->asked_count * sizeof w->asked[0]);
    }
    dn_bs_count(w->bs, &counters);
    assert_int_equal(w->failed, 0);
    assert_int_equal(w->finished, DEVICES);
    assert_int_equal(counters.finished, DEVICES);
    assert_int_equal(counters.running, 0);
    assert_int_equal(counters.steps, DEVICES * 8u);
    for (unsigned i = 0; i < DEVICES; i++) {
        assert_int_equal(w->devices[i].stage, 2);
        assert_true(w->devices[i].has_finished);
    }
    assert_memory_not_equal(w->devices[0].identity, w->devices[1].identity, sizeof w->devices[0].identity);
    assert_true(w->promotes <= DEVICES / BATCH + 2);
}

static int set_up(void **state)
{
    world *w = calloc(1, sizeof *w);
    *state = w;
    if (w != NULL) {
        open_world(w);
    }
    return w == NULL;
}

static int tear_down(void **state)
{
    world *w = *state;
    dn_bs_destroy(w->bs);
    w->store->ops->close(w->store);
    free(w);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_ten_thousand, set_up, tear_down)};
    return cmocka_run_group_tests_name("bootstrap_crowd", tests, NULL, NULL);
}
