/* SPDX-License-Identifier: Apache-2.0 */
/* What kill -9 leaves of the durable queue: at every state of a request, and of what a store cannot keep. */
#include "tests/server/rig_queue.h"

#include "store/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define AWAKE_MS 20000u
#define LINKS    "</1/0>,</3/0>"

static rig r;
static rig_device *device;

static void tweak(dn_fleet_config *config)
{
    config->awake_ms = AWAKE_MS;
    config->queue_expires_s = 3600;
    config->queue_keeps_s = 600;
}

static int set_up(void **state)
{
    (void)state;
    rig_start(&r, 12, tweak);
    device = &r.devices[0];
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_end(&r);
    return 0;
}

static void enrol(bool queue_mode)
{
    rig_ask(&r, device, DN_COAP_POST, "rd",
            queue_mode ? "ep=a&lt=86400&lwm2m=1.1&b=U&Q" : "ep=a&lt=86400&lwm2m=1.1&b=U", 40, LINKS);
    assert_int_equal(device->code, DN_COAP_CREATED);
    rig_run(&r, queue_mode ? AWAKE_MS + 1000 : 1000);
    rig_skip_events(&r);
}

static void update(void)
{
    rig_ask(&r, device, DN_COAP_POST, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
    assert_int_equal(device->code, DN_COAP_CHANGED);
    rig_run(&r, 500);
}

static uint64_t enqueue(uint8_t method, const char *path)
{
    return rig_enqueue_text(&r, "a", method, path, method == DN_COAP_GET ? NULL : "body");
}

static void waiting_ones_are_all_there(void **state)
{
    (void)state;
    uint64_t ids[4];
    enrol(true);
    dn_device_request ask = {.endpoint = dunlin_slice_of("a"),
                             .method = DN_COAP_FETCH,
                             .path = dunlin_path_root(),
                             .query = dunlin_slice_of("pmin=1"),
                             .content_format = 112,
                             .accept = 110,
                             .package = dunlin_slice_of("0123"),
                             .payload = dunlin_slice_of("list"),
                             .auto_accept = true};
    rig_queued before = rig_enqueue(&r, &ask, 7200);
    ids[0] = before.id;
    ids[1] = enqueue(DN_COAP_PUT, "/1/0/1");
    ids[2] = enqueue(DN_COAP_POST, "/3/0/4");
    ids[3] = enqueue(DN_COAP_GET, "/3/0");
    rig_crash(&r, 60000);
    rig_queued after = rig_queued_of(&r, ids[0]);
    assert_string_equal(after.endpoint, "a");
    assert_int_equal(after.method, DN_COAP_FETCH);
    assert_string_equal(after.path, "/");
    assert_string_equal(after.query, "pmin=1");
    assert_string_equal(after.package, "0123");
    assert_string_equal(after.body, "list");
    assert_int_equal(after.content_format, 112);
    assert_int_equal(after.accept, 110);
    assert_true(after.auto_accept);
    assert_int_equal(after.created_ms, before.created_ms);
    assert_int_equal(after.expires_ms, before.expires_ms);
    assert_int_equal(rig_get(&r, "a").queued, 4);
    assert_int_equal(rig_count(&r).queued, 4);
    assert_int_equal(rig_dequeue(&r, ids[0]).call, DUNLIN_OK);
    update();
    rig_run(&r, 1000);
    assert_string_equal(device->asked_log, "3/1/0/1 2/3/0/4 1/3/0 ");
    assert_string_equal(device->asked_text, "");
    for (unsigned i = 1; i < 4; i++) {
        assert_int_equal(rig_state_of(&r, ids[i]), DN_QUEUED_ANSWERED);
    }
}

/* A delivery under way: what may be done twice is delivered again, what may not is said to be unknown. */
static void a_delivery_under_way(void **state)
{
    (void)state;
    static const struct {
        uint8_t method;
        dn_queued_state after;
    } cases[] = {
        {DN_COAP_GET, DN_QUEUED_WAITING},    {DN_COAP_PUT, DN_QUEUED_WAITING},
        {DN_COAP_DELETE, DN_QUEUED_WAITING}, {DN_COAP_FETCH, DN_QUEUED_WAITING},
        {DN_COAP_IPATCH, DN_QUEUED_WAITING}, {DN_COAP_POST, DN_QUEUED_UNKNOWN},
    };
    enrol(false);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        update();
        device->gone = true;
        uint64_t id = enqueue(cases[i].method, "/1/0/1");
        rig_run(&r, 100);
        assert_int_equal(rig_state_of(&r, id), DN_QUEUED_DELIVERING);
        rig_crash(&r, 1000);
        rig_run(&r, 1);
        if (cases[i].after == DN_QUEUED_WAITING) {
            rig_expect_request(&r, id, DN_QUEUED_WAITING);
            device->gone = false;
            rig_run(&r, 5000);
            assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
            assert_int_equal(rig_queued_of(&r, id).attempts, 2);
        } else {
            rig_expect_request(&r, id, DN_QUEUED_UNKNOWN);
            device->gone = false;
            device->asked_log[0] = '\0';
            rig_run(&r, 5000);
            assert_string_equal(device->asked_log, "");
            assert_int_equal(rig_state_of(&r, id), DN_QUEUED_UNKNOWN);
            assert_true(rig_queued_of(&r, id).ended_ms != 0);
        }
    }
    /* What was decided after the restart lasts as well. */
    rig_crash(&r, 0);
    assert_int_equal(rig_count(&r).queued, 0);
}

static void ended_ones_keep_their_answer_and_their_time(void **state)
{
    (void)state;
    enrol(false);
    device->reply_code = DN_COAP_CREATED;
    device->reply_location = "3303/7";
    uint64_t made = enqueue(DN_COAP_POST, "/3303");
    rig_run(&r, 1000);
    device->reply_code = 0;
    device->reply_location = NULL;
    uint64_t read = enqueue(DN_COAP_GET, "/3/0");
    rig_run(&r, 1000);
    rig_queued before = rig_queued_of(&r, read);
    device->gone = true;
    uint64_t cancelled = enqueue(DN_COAP_PUT, "/1/0/1");
    (void)rig_dequeue(&r, cancelled);
    rig_crash(&r, 300000);
    rig_queued after = rig_queued_of(&r, read);
    assert_int_equal(after.state, DN_QUEUED_ANSWERED);
    assert_string_equal(after.payload, "value");
    assert_int_equal(after.code, DN_COAP_CONTENT);
    assert_int_equal(after.format, 112);
    assert_int_equal(after.attempts, 1);
    assert_int_equal(after.ended_ms, before.ended_ms);
    assert_string_equal(rig_queued_of(&r, made).location, "/3303/7");
    assert_int_equal(rig_state_of(&r, cancelled), DN_QUEUED_CANCELLED);
    rig_run(&r, 290000);
    assert_int_equal(rig_queue(&r, "", 0, 10)->count, 3);
    rig_run(&r, 15000);
    assert_int_equal(rig_queue(&r, "", 0, 10)->count, 0);
    rig_crash(&r, 0);
    assert_int_equal(rig_queue(&r, "", 0, 10)->count, 0);
}

static void the_world_goes_on_while_the_server_is_down(void **state)
{
    (void)state;
    enrol(true);
    uint64_t id = enqueue(DN_COAP_PUT, "/1/0/1");
    rig_crash(&r, 3500 * 1000);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_WAITING);
    rig_crash(&r, 200 * 1000);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_EXPIRED);
    rig_expect_request(&r, id, DN_QUEUED_EXPIRED);
}

/* Ids never come twice, not even when all that bore them are gone. */
static void ids_outlive_their_requests(void **state)
{
    (void)state;
    enrol(true);
    uint64_t last = 0;
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < 40; i++) {
            uint64_t id = enqueue(DN_COAP_PUT, "/1/0/1");
            assert_true(id > last);
            last = id;
            (void)rig_dequeue(&r, id);
        }
        rig_run(&r, 601000);
        assert_int_equal(rig_queue(&r, "", 0, 10)->count, 0);
        rig_crash(&r, 0);
    }
}

static void a_request_of_nobody_waits_through_restarts(void **state)
{
    (void)state;
    enrol(true);
    uint64_t id = enqueue(DN_COAP_PUT, "/1/0/1");
    rig_ask(&r, device, DN_COAP_DELETE, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
    rig_crash(&r, 1000);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_WAITING);
    enrol(true);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
}

/* Seeded chance: requests, answers, silence, kills. Whatever was taken is there, and a POST arrives once. */
static void kills_at_any_moment(void **state)
{
    (void)state;
    dn_seeded seeded;
    dn_seeded_init(&seeded, 77);
    dn_random random = dn_seeded_random(&seeded);
    enum { COUNT = 200 };
    static uint64_t ids[COUNT];
    enrol(false);
    for (unsigned i = 0; i < COUNT; i++) {
        char path[32];
        (void)snprintf(path, sizeof path, "/5000/0/%u", i);
        device->gone = dn_random_between(&random, 0, 3) == 0;
        ids[i] = enqueue(dn_random_between(&random, 0, 1) ? DN_COAP_POST : DN_COAP_PUT, path);
        rig_run(&r, dn_random_between(&random, 0, 40));
        if (dn_random_between(&random, 0, 2) == 0) {
            rig_crash(&r, 10);
        }
        if (dn_random_between(&random, 0, 5) == 0) {
            device->gone = false;
            update();
        }
        device->asked_log[0] = '\0';
    }
    device->gone = false;
    update();
    rig_run(&r, 200000);
    unsigned unknown = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        rig_queued is = rig_queued_of(&r, ids[i]);
        bool is_unknown = is.state == DN_QUEUED_UNKNOWN;
        unknown += is_unknown;
        assert_true(is.state == DN_QUEUED_ANSWERED || (is_unknown && is.method == DN_COAP_POST));
        assert_true(is.method != DN_COAP_POST || is.attempts == 1);
    }
    assert_true(unknown > 0);
}

/* What the server says it has, told in three ways, is the same. */
static void assert_counts_agree(void)
{
    uint64_t waiting = 0;
    uint64_t after = 0;
    rig_queue_page *page;
    do {
        page = rig_queue(&r, "", after, 32);
        for (size_t i = 0; i < page->count; i++) {
            assert_true(page->list[i].id > after);
            after = page->list[i].id;
            waiting += page->list[i].state <= DN_QUEUED_DELIVERING;
            assert_int_equal(page->list[i].ended_ms == 0, page->list[i].state <= DN_QUEUED_DELIVERING);
        }
    } while (page->next != 0);
    assert_int_equal(rig_count(&r).queued, waiting);
    if (rig_get(&r, "a").found) {
        assert_int_equal(rig_get(&r, "a").queued, waiting);
    }
}

static void step(const dn_random *random, uint64_t *last)
{
    static const uint8_t methods[] = {DN_COAP_GET, DN_COAP_POST, DN_COAP_PUT, DN_COAP_DELETE};
    dn_device_request ask = {.endpoint = dunlin_slice_of("a"),
                             .method = methods[dn_random_between(random, 0, 3)],
                             .path = dunlin_path_resource(3, 0, (uint16_t)dn_random_between(random, 0, 20)),
                             .content_format = DN_COAP_NO_FORMAT,
                             .accept = DN_COAP_NO_FORMAT};
    rig_queued out;
    switch (dn_random_between(random, 0, 11)) {
    case 0:
        device->gone = !device->gone;
        break;
    case 1:
        device->mute = !device->mute;
        break;
    case 2:
        (void)rig_dequeue(&r, dn_random_between(random, 1, *last + 1));
        break;
    case 3:
        rig_crash(&r, (int64_t)dn_random_between(random, 0, 30000));
        break;
    case 4:
        rig_run(&r, dn_random_between(random, 0, 150000));
        break;
    case 5:
        device->gone = false;
        rig_ask(&r, device, DN_COAP_POST, "rd",
                dn_random_between(random, 0, 1) ? "ep=a&lt=86400&lwm2m=1.1&b=U&Q"
                                                : "ep=a&lt=86400&lwm2m=1.1&b=U",
                40, LINKS);
        break;
    case 6:
        device->gone = false;
        rig_rebind(&r, device);
        rig_ask(&r, device, DN_COAP_POST, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
        break;
    case 7:
        device->gone = false;
        rig_ask(&r, device, DN_COAP_DELETE, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
        break;
    default:
        out = rig_enqueue(&r, &ask, (uint32_t)dn_random_between(random, 0, 200));
        *last = out.call == DUNLIN_OK ? out.id : *last;
        break;
    }
    device->asked_log[0] = '\0';
}

static void anything_in_any_order(void **state)
{
    (void)state;
    uint64_t last = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        dn_seeded seeded;
        dn_seeded_init(&seeded, seed);
        dn_random random = dn_seeded_random(&seeded);
        enrol(seed % 2 == 0);
        for (unsigned i = 0; i < 150; i++) {
            step(&random, &last);
            rig_skip_events(&r);
            assert_counts_agree();
        }
        device->gone = device->mute = false;
    }
    enrol(false);
    rig_run(&r, 400000);
    assert_counts_agree();
    assert_int_equal(rig_count(&r).queued, 0); /* all have come to an end */
    assert_true(last > 200);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(waiting_ones_are_all_there),
        TEST(a_delivery_under_way),
        TEST(ended_ones_keep_their_answer_and_their_time),
        TEST(the_world_goes_on_while_the_server_is_down),
        TEST(ids_outlive_their_requests),
        TEST(a_request_of_nobody_waits_through_restarts),
        TEST(kills_at_any_moment),
        TEST(anything_in_any_order),
    };
    return cmocka_run_group_tests_name("server_queue_restart", tests, NULL, NULL);
}
