/* SPDX-License-Identifier: Apache-2.0 */
/* The durable queue in virtual time: order, one at a time, sleep, silence, expiry, cancelling, limits, who comes
 * back. Restarts are in queue_restart_test.c. */
#include "tests/server/rig_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define AWAKE_MS  20000u
#define LINKS     "</1/0>,</3/0>"
#define SILENT_MS 100000u /* longer than an unanswered request lasts */

static rig r;
static rig_device *device;

static void tweak(dn_fleet_config *config)
{
    config->awake_ms = AWAKE_MS;
    config->max_queued = 12;
    config->max_queued_per_client = 5;
    config->queue_expires_s = 3600;
    config->queue_keeps_s = 600;
}

static int set_up(void **state)
{
    (void)state;
    rig_start(&r, 11, tweak);
    device = &r.devices[0];
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_end(&r);
    return 0;
}

static void enrol(rig_device *who, const char *queries)
{
    rig_ask(&r, who, DN_COAP_POST, "rd", queries, 40, LINKS);
    assert_int_equal(who->code, DN_COAP_CREATED);
    rig_run(&r, 1000);
    rig_skip_events(&r);
}

/* A client "a" in queue mode whose awake time is over. */
static void sleeper(void)
{
    enrol(device, "ep=a&lt=86400&lwm2m=1.1&b=U&Q");
    rig_run(&r, AWAKE_MS);
    rig_skip_events(&r);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_ASLEEP);
}

static void update(rig_device *who)
{
    rig_ask(&r, who, DN_COAP_POST, who->location, NULL, DN_COAP_NO_FORMAT, NULL);
    assert_int_equal(who->code, DN_COAP_CHANGED);
    rig_run(&r, 500);
}

static uint64_t put(const char *path)
{
    return rig_enqueue_text(&r, "a", DN_COAP_PUT, path, "x");
}

static void a_listening_device_is_asked_at_once(void **state)
{
    (void)state;
    enrol(device, "ep=a&lt=60&lwm2m=1.1&b=U");
    dn_device_request ask = {.endpoint = dunlin_slice_of("a"),
                             .method = DN_COAP_PUT,
                             .path = dunlin_path_resource(3, 0, 14),
                             .query = dunlin_slice_of("pmin=1&pmax=5"),
                             .content_format = 0,
                             .accept = 110,
                             .payload = dunlin_slice_of("+01:00")};
    rig_queued taken = rig_enqueue(&r, &ask, 0);
    assert_int_equal(taken.call, DUNLIN_OK);
    assert_int_equal(taken.id, 1);
    assert_string_equal(taken.endpoint, "a");
    assert_string_equal(taken.path, "/3/0/14");
    assert_string_equal(taken.query, "pmin=1&pmax=5");
    assert_string_equal(taken.body, "+01:00");
    assert_int_equal(taken.expires_ms - taken.created_ms, 3600 * 1000);
    rig_run(&r, 1000);
    assert_string_equal(device->asked_log, "3/3/0/14 ");
    assert_string_equal(device->asked_query, "pmin=1&pmax=5");
    assert_string_equal(device->asked_text, "+01:00");
    assert_int_equal(device->asked_format, 0);
    rig_queued is = rig_queued_of(&r, taken.id);
    assert_int_equal(is.state, DN_QUEUED_ANSWERED);
    assert_int_equal(is.code, DN_COAP_CHANGED);
    assert_int_equal(is.attempts, 1);
    assert_int_equal(is.status, DUNLIN_OK);
    assert_true(is.ended_ms >= is.created_ms);
    dn_event event = rig_expect_request(&r, 1, DN_QUEUED_WAITING);
    assert_true(dunlin_slice_equal(event.request.ask.query, dunlin_slice_of("pmin=1&pmax=5")));
    assert_true(dunlin_slice_equal(event.request.ask.endpoint, dunlin_slice_of("a")));
    assert_int_equal(event.request.ask.payload.len, 0);
    assert_string_equal(event.client.id, rig_get(&r, "a").id);
    rig_expect_request(&r, 1, DN_QUEUED_DELIVERING);
    event = rig_expect_request(&r, 1, DN_QUEUED_ANSWERED);
    assert_int_equal(event.request.code, DN_COAP_CHANGED);
    rig_expect_no_request(&r);
    dn_fleet_counters counters = rig_count(&r);
    assert_int_equal(counters.queued, 0);
    assert_int_equal(counters.queued_answered, 1);
}

static void an_answer_ends_it_whatever_its_code(void **state)
{
    (void)state;
    enrol(device, "ep=a&lt=60&lwm2m=1.1&b=U");
    device->reply_code = DN_COAP_NOT_FOUND;
    uint64_t refused = put("/9/9/9");
    rig_run(&r, 1000);
    assert_int_equal(rig_state_of(&r, refused), DN_QUEUED_ANSWERED);
    assert_int_equal(rig_queued_of(&r, refused).code, DN_COAP_NOT_FOUND);
    device->reply_code = DN_COAP_CREATED;
    device->reply_location = "3303/7";
    uint64_t made = rig_enqueue_text(&r, "a", DN_COAP_POST, "/3303", "x");
    rig_run(&r, 1000);
    assert_string_equal(rig_queued_of(&r, made).location, "/3303/7");
    device->reply_code = 0;
    device->reply_location = NULL;
    uint64_t read = rig_enqueue_text(&r, "a", DN_COAP_GET, "/3/0", NULL);
    rig_run(&r, 1000);
    assert_string_equal(rig_queued_of(&r, read).payload, "value");
    assert_int_equal(rig_queued_of(&r, read).format, 112);
}

static void they_wait_for_a_sleeper_and_come_in_order(void **state)
{
    (void)state;
    sleeper();
    uint64_t first = put("/1/0/1");
    uint64_t second = rig_enqueue_text(&r, "a", DN_COAP_POST, "/3/0/4", NULL);
    uint64_t third = rig_enqueue_text(&r, "a", DN_COAP_GET, "/3/0", NULL);
    rig_run(&r, 600000);
    assert_string_equal(device->asked_log, "");
    assert_int_equal(rig_state_of(&r, first), DN_QUEUED_WAITING);
    assert_int_equal(rig_get(&r, "a").queued, 3);
    assert_int_equal(rig_count(&r).queued, 3);
    rig_skip_events(&r);
    update(device);
    rig_run(&r, 2000);
    assert_string_equal(device->asked_log, "3/1/0/1 2/3/0/4 1/3/0 ");
    /* One at a time: each ends before the next begins. */
    rig_expect_request(&r, first, DN_QUEUED_DELIVERING);
    rig_expect_request(&r, first, DN_QUEUED_ANSWERED);
    rig_expect_request(&r, second, DN_QUEUED_DELIVERING);
    rig_expect_request(&r, second, DN_QUEUED_ANSWERED);
    rig_expect_request(&r, third, DN_QUEUED_DELIVERING);
    rig_expect_request(&r, third, DN_QUEUED_ANSWERED);
    assert_int_equal(rig_get(&r, "a").queued, 0);
}

/* Version 1.0 says its queue mode in the binding. */
static void a_client_of_1_0_is_as_any_other(void **state)
{
    (void)state;
    enrol(device, "ep=a&lt=86400&lwm2m=1.0&b=UQ");
    rig_run(&r, AWAKE_MS);
    uint64_t id = put("/1/0/1");
    rig_run(&r, 1000);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_WAITING);
    update(device);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
}

/* Register, Update, Send, a notification, an answer: each says that it listens. */
static void every_message_wakes_it(void **state)
{
    (void)state;
    sleeper();
    uint64_t id = put("/1/0/1");
    enrol(device, "ep=a&lt=86400&lwm2m=1.1&b=U&Q");
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);

    (void)rig_observe(&r, "a", "/3/0/9");
    rig_run(&r, AWAKE_MS + 1000);
    id = put("/1/0/1");
    assert_int_equal(rig_notify(&r, device, "/3/0/9", "55", true), DUNLIN_OK);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);

    rig_run(&r, AWAKE_MS + 1000);
    id = put("/1/0/1");
    rig_ask(&r, device, DN_COAP_POST, "dp", NULL, 110, "[{\"n\":\"/3/0/9\",\"v\":5}]");
    rig_run(&r, 500);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);

    rig_run(&r, AWAKE_MS + 1000);
    id = put("/1/0/1");
    assert_int_equal(rig_read(&r, "a", "/3/0/9").status, DUNLIN_OK); /* asked all the same, and it heard */
    rig_run(&r, 500);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
}

static void a_silent_sleeper_is_asked_after_its_next_message(void **state)
{
    (void)state;
    sleeper();
    uint64_t id = put("/1/0/1");
    device->gone = true;
    /* Its Update comes through, and then it is away. */
    device->gone = false;
    rig_ask(&r, device, DN_COAP_POST, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
    device->gone = true;
    rig_run(&r, SILENT_MS);
    rig_queued is = rig_queued_of(&r, id);
    assert_int_equal(is.state, DN_QUEUED_WAITING);
    assert_int_equal(is.attempts, 1);
    rig_run(&r, 600000);
    assert_int_equal(rig_queued_of(&r, id).attempts, 1);
    device->gone = false;
    update(device);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
    assert_int_equal(rig_queued_of(&r, id).attempts, 2);
}

static void a_silent_listener_is_asked_with_growing_pauses(void **state)
{
    (void)state;
    enrol(device, "ep=a&lt=86400&lwm2m=1.1&b=U");
    device->gone = true;
    uint64_t id = put("/1/0/1");
    uint32_t at_minute[30];
    for (unsigned minute = 0; minute < 30; minute++) {
        rig_run(&r, 60000);
        at_minute[minute] = rig_queued_of(&r, id).attempts;
    }
    assert_int_equal(at_minute[0], 1);
    assert_in_range(at_minute[29], 4, 7);
    device->gone = false;
    update(device);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
}

static void it_is_asked_again_though_it_says_nothing(void **state)
{
    (void)state;
    enrol(device, "ep=a&lt=86400&lwm2m=1.1&b=U");
    device->gone = true;
    uint64_t id = put("/1/0/1");
    rig_run(&r, SILENT_MS);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_WAITING);
    device->gone = false;
    rig_run(&r, 31000);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
}

/* It sleeps sooner than the server thinks, and wakes between two retransmissions: it need not wait for the next one. */
static void one_that_speaks_during_a_delivery_gets_it_at_once(void **state)
{
    (void)state;
    enrol(device, "ep=a&lt=86400&lwm2m=1.1&b=U&Q");
    device->gone = true;
    uint64_t id = rig_enqueue_text(&r, "a", DN_COAP_POST, "/3/0/4", NULL);
    rig_run(&r, 32000); /* the next one comes after 30 to 45 s, and then after 62 to 93 */
    unsigned sent = (unsigned)rig_count(&r).coap.retransmissions;
    device->gone = false;
    update(device);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
    assert_int_equal(rig_queued_of(&r, id).attempts, 1);
    assert_in_range(rig_count(&r).coap.retransmissions, sent + 1, sent + 2);
    assert_string_equal(device->asked_log, "2/3/0/4 ");

    /* One that keeps talking is not sent it with every word. */
    device->gone = true;
    id = rig_enqueue_text(&r, "a", DN_COAP_POST, "/3/0/4", NULL);
    rig_run(&r, 1000);
    sent = (unsigned)rig_count(&r).coap.retransmissions;
    static const uint8_t ping[] = {0x44, 2, 0x12, 0, 't', 'o', 'k', 'n', 0xb2, 'd', 'p'};
    for (uint8_t i = 0; i < 50; i++) {
        uint8_t send[sizeof ping];
        memcpy(send, ping, sizeof ping);
        send[3] = i; /* a Send without a payload: refused, and heard */
        rig_throw(&r, device, dunlin_slice_make(send, sizeof send));
    }
    assert_in_range(rig_count(&r).coap.retransmissions, sent, sent + 2);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_DELIVERING);
}

/* It has arrived: what may be done twice is asked again, what may not is not. */
static void one_that_acknowledges_and_never_answers(void **state)
{
    (void)state;
    enrol(device, "ep=a&lt=86400&lwm2m=1.1&b=U");
    device->mute = true;
    uint64_t once = rig_enqueue_text(&r, "a", DN_COAP_POST, "/3/0/4", NULL);
    uint64_t again = put("/1/0/1");
    rig_run(&r, SILENT_MS);
    assert_int_equal(rig_state_of(&r, once), DN_QUEUED_UNKNOWN);
    assert_int_equal(rig_queued_of(&r, once).status, DUNLIN_ERR_TIMEOUT);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_UNREACHABLE);
    rig_run(&r, 31000 + SILENT_MS);
    assert_int_equal(rig_state_of(&r, again), DN_QUEUED_WAITING);
    assert_in_range(rig_queued_of(&r, again).attempts, 1, 2);
    device->mute = false;
    update(device);
    assert_int_equal(rig_state_of(&r, again), DN_QUEUED_ANSWERED);
}

static void a_reset_ends_it(void **state)
{
    (void)state;
    enrol(device, "ep=a&lt=86400&lwm2m=1.1&b=U");
    device->gone = true; /* its engine hears nothing, and this answers for it */
    uint64_t id = put("/1/0/1");
    rig_run(&r, 10);
    for (unsigned low = 0; low < 65536 && rig_state_of(&r, id) == DN_QUEUED_DELIVERING; low++) {
        uint8_t reset[4] = {0x70, 0, (uint8_t)(low >> 8), (uint8_t)low};
        dn_simlink_send(r.link, &device->address, &r.address, dunlin_slice_make(reset, sizeof reset));
        if (low % 4096 == 4095) {
            rig_run(&r, 200);
        }
    }
    rig_queued is = rig_queued_of(&r, id);
    assert_int_equal(is.state, DN_QUEUED_FAILED);
    assert_int_equal(is.status, DUNLIN_ERR_REJECTED);
    assert_int_equal(rig_count(&r).queued_failed, 1);
}

static void what_cannot_be_sent_fails(void **state)
{
    (void)state;
    static char query[400];
    enrol(device, "ep=a&lt=86400&lwm2m=1.1&b=U");
    memset(query, 'q', sizeof query - 1); /* no option is that long (RFC 7252 section 5.10) */
    const dn_device_request ask = {.endpoint = dunlin_slice_of("a"),
                                   .method = DN_COAP_GET,
                                   .path = dunlin_path_object(3),
                                   .query = dunlin_slice_of(query),
                                   .content_format = DN_COAP_NO_FORMAT,
                                   .accept = DN_COAP_NO_FORMAT};
    rig_queued out = rig_enqueue(&r, &ask, 0);
    assert_int_equal(out.call, DUNLIN_OK);
    assert_int_equal(rig_state_of(&r, out.id), DN_QUEUED_FAILED);
    assert_int_equal(rig_queued_of(&r, out.id).status, DUNLIN_ERR_SPACE);
    uint64_t next = put("/1/0/1"); /* it does not stand in the way */
    rig_run(&r, 1000);
    assert_int_equal(rig_state_of(&r, next), DN_QUEUED_ANSWERED);
}

static void it_expires_when_it_said(void **state)
{
    (void)state;
    sleeper();
    dn_device_request ask = {.endpoint = dunlin_slice_of("a"),
                             .method = DN_COAP_GET,
                             .path = dunlin_path_object(3),
                             .content_format = DN_COAP_NO_FORMAT,
                             .accept = DN_COAP_NO_FORMAT};
    uint64_t sooner = rig_enqueue(&r, &ask, 60).id;
    uint64_t soonest = rig_enqueue(&r, &ask, 30).id; /* behind it in the line, and before it in time */
    uint64_t later = rig_enqueue(&r, &ask, 0).id;
    rig_run(&r, 29900);
    assert_int_equal(rig_state_of(&r, soonest), DN_QUEUED_WAITING);
    rig_run(&r, 200);
    assert_int_equal(rig_state_of(&r, soonest), DN_QUEUED_EXPIRED);
    assert_int_equal(rig_state_of(&r, sooner), DN_QUEUED_WAITING);
    rig_run(&r, 30000);
    assert_int_equal(rig_state_of(&r, sooner), DN_QUEUED_EXPIRED);
    assert_int_equal(rig_get(&r, "a").queued, 1);
    assert_int_equal(rig_count(&r).queued_expired, 2);
    update(device);
    assert_int_equal(rig_state_of(&r, later), DN_QUEUED_ANSWERED);
    assert_string_equal(device->asked_log, "1/3 ");
}

/* Its time is over during a delivery: that may still succeed, but it is the last one. */
static void it_expires_after_the_delivery_under_way(void **state)
{
    (void)state;
    enrol(device, "ep=a&lt=86400&lwm2m=1.1&b=U");
    device->gone = true;
    dn_device_request ask = {.endpoint = dunlin_slice_of("a"),
                             .method = DN_COAP_GET,
                             .path = dunlin_path_object(3),
                             .content_format = DN_COAP_NO_FORMAT,
                             .accept = DN_COAP_NO_FORMAT};
    uint64_t id = rig_enqueue(&r, &ask, 1).id;
    rig_run(&r, 1500);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_DELIVERING);
    rig_run(&r, SILENT_MS);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_EXPIRED);
    device->gone = false;
    update(device);
    id = rig_enqueue(&r, &ask, 1).id;
    rig_run(&r, 2000);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
}

static void they_can_be_cancelled_in_every_state(void **state)
{
    (void)state;
    enrol(device, "ep=a&lt=86400&lwm2m=1.1&b=U");
    device->gone = true;
    uint64_t first = put("/1/0/1");
    uint64_t second = put("/1/0/2");
    uint64_t third = put("/1/0/3");
    rig_skip_events(&r);
    rig_queued out = rig_dequeue(&r, second); /* WAITING, in the middle */
    assert_int_equal(out.call, DUNLIN_OK);
    assert_int_equal(out.state, DN_QUEUED_CANCELLED);
    rig_expect_request(&r, second, DN_QUEUED_CANCELLED);
    out = rig_dequeue(&r, first); /* DELIVERING */
    assert_int_equal(out.call, DUNLIN_OK);
    assert_int_equal(out.state, DN_QUEUED_CANCELLED);
    rig_expect_request(&r, first, DN_QUEUED_CANCELLED);
    rig_expect_request(&r, third, DN_QUEUED_DELIVERING);
    rig_expect_no_request(&r);
    rig_run(&r, 100); /* what is on its way is lost */
    device->gone = false;
    rig_run(&r, 5000);
    assert_string_equal(device->asked_log, "3/1/0/3 ");
    out = rig_dequeue(&r, third); /* ANSWERED */
    assert_int_equal(out.call, DUNLIN_ERR_STATE);
    assert_int_equal(out.state, DN_QUEUED_ANSWERED);
    assert_int_equal(rig_dequeue(&r, second).call, DUNLIN_ERR_STATE);
    out = rig_dequeue(&r, 4711);
    assert_int_equal(out.call, DUNLIN_ERR_NOT_FOUND);
    assert_false(out.found);
}

static void who_waits_hears_of_the_end(void **state)
{
    (void)state;
    rig_queued early, late, never, cancelled;
    sleeper();
    uint64_t id = put("/1/0/1");
    uint64_t other = put("/1/0/2");
    rig_post_await(&r, id, 5000, &early);
    rig_post_await(&r, id, 60000, &late);
    rig_post_await(&r, other, 60000, &cancelled);
    rig_post_await(&r, 4711, 60000, &never);
    assert_true(never.done && !never.found);
    assert_false(early.done || late.done);
    rig_run(&r, 5100);
    assert_true(early.done && early.found);
    assert_int_equal(early.state, DN_QUEUED_WAITING);
    assert_false(late.done);
    (void)rig_dequeue(&r, other);
    assert_true(cancelled.done);
    assert_int_equal(cancelled.state, DN_QUEUED_CANCELLED);
    update(device);
    assert_true(late.done);
    assert_int_equal(late.state, DN_QUEUED_ANSWERED);
    rig_post_await(&r, id, 60000, &late); /* it has ended: at once */
    assert_true(late.done);
}

static void who_waits_when_the_server_ends_is_told(void **state)
{
    (void)state;
    static rig_queued out;
    sleeper();
    uint64_t id = put("/1/0/1");
    rig_post_await(&r, id, 60000, &out);
    dn_shard_begin(r.shard);
    dn_shard_cancel(r.shard);
    assert_int_equal(dn_shard_commit(r.shard), DUNLIN_OK);
    dn_shard_publish(r.shard);
    assert_true(out.done);
    assert_int_equal(out.state, DN_QUEUED_WAITING);
}

static void registrations_come_and_go_the_queue_stays(void **state)
{
    (void)state;
    sleeper();
    uint64_t id = put("/1/0/1");
    rig_ask(&r, device, DN_COAP_DELETE, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
    /* The message of de-registering is a message, but nobody is there to be asked any more. */
    rig_run(&r, 60000);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_WAITING);
    assert_string_equal(device->asked_log, "");
    const dn_device_request ask = {.endpoint = dunlin_slice_of("a"), .method = DN_COAP_GET};
    assert_int_equal(rig_enqueue(&r, &ask, 0).call, DUNLIN_ERR_NOT_FOUND);
    /* Another endpoint takes the place in the server's tables: it is not asked. */
    uint64_t second = id;
    enrol(&r.devices[1], "ep=b&lt=86400&lwm2m=1.1&b=U");
    enrol(&r.devices[2], "ep=a&lt=86400&lwm2m=1.1&b=U&Q");
    rig_run(&r, AWAKE_MS);
    assert_int_equal(rig_state_of(&r, second), DN_QUEUED_ANSWERED);
    id = put("/1/0/1");
    second = put("/1/0/2");
    rig_ask(&r, &r.devices[2], DN_COAP_DELETE, r.devices[2].location, NULL, DN_COAP_NO_FORMAT, NULL);
    enrol(&r.devices[1], "ep=c&lt=86400&lwm2m=1.1&b=U");
    assert_int_equal(rig_dequeue(&r, second).call, DUNLIN_OK); /* the line is looked at again */
    rig_run(&r, 1000);
    assert_string_equal(r.devices[1].asked_log, "");
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_WAITING);
    /* Another device takes the name: it is the endpoint's request. */
    enrol(&r.devices[3], "ep=a&lt=60&lwm2m=1.1&b=U");
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
    assert_string_equal(r.devices[3].asked_log, "3/1/0/1 ");
}

static void it_outlives_an_expired_registration(void **state)
{
    (void)state;
    enrol(device, "ep=a&lt=30&lwm2m=1.1&b=U&Q");
    rig_run(&r, AWAKE_MS);
    uint64_t id = put("/1/0/1");
    rig_run(&r, 60000);
    assert_false(rig_get(&r, "a").found);
    assert_int_equal(rig_queue(&r, "a", 0, 10)->count, 1);
    enrol(device, "ep=a&lt=30&lwm2m=1.1&b=U&Q");
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
}

/* The answer can no longer come: what may be done twice is, what may not is not. */
static void a_new_register_during_a_delivery(void **state)
{
    (void)state;
    enrol(device, "ep=a&lt=86400&lwm2m=1.1&b=U");
    device->gone = true;
    uint64_t again = put("/1/0/1");
    enrol(&r.devices[1], "ep=a&lt=86400&lwm2m=1.1&b=U");
    assert_int_equal(rig_state_of(&r, again), DN_QUEUED_ANSWERED);
    assert_int_equal(rig_queued_of(&r, again).attempts, 2);
    r.devices[1].gone = true;
    uint64_t once = rig_enqueue_text(&r, "a", DN_COAP_POST, "/3/0/4", NULL);
    r.devices[2].gone = false;
    enrol(&r.devices[2], "ep=a&lt=86400&lwm2m=1.1&b=U");
    assert_int_equal(rig_state_of(&r, once), DN_QUEUED_UNKNOWN);
    assert_string_equal(r.devices[2].asked_log, "");
}

static void it_follows_the_address(void **state)
{
    (void)state;
    sleeper();
    uint64_t id = put("/1/0/1");
    rig_rebind(&r, device);
    update(device);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
}

/* It speaks from elsewhere while a request is on its way to where it was: that one is sent to the new address at once, unless it
   arrived and may not be done twice. */
static void a_delivery_follows_the_address_at_once(void **state)
{
    (void)state;
    enrol(device, "ep=a&lt=86400&lwm2m=1.1&b=U");
    device->gone = true;
    uint64_t id = rig_enqueue_text(&r, "a", DN_COAP_POST, "/3/0/4", NULL);
    rig_run(&r, 3000);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_DELIVERING);
    device->gone = false;
    rig_rebind(&r, device);
    update(device);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
    assert_int_equal(rig_queued_of(&r, id).attempts, 2);
    assert_string_equal(device->asked_log, "2/3/0/4 ");
    device->mute = true;
    id = rig_enqueue_text(&r, "a", DN_COAP_POST, "/3/0/4", NULL);
    uint64_t again = put("/1/0/1");
    rig_run(&r, 3000); /* acknowledged by now */
    device->mute = false;
    rig_rebind(&r, device);
    update(device);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_UNKNOWN);
    assert_int_equal(rig_state_of(&r, again), DN_QUEUED_ANSWERED);
    assert_string_equal(device->asked_log, "2/3/0/4 2/3/0/4 3/1/0/1 ");
}

static void limits_hold(void **state)
{
    (void)state;
    sleeper();
    enrol(&r.devices[1], "ep=b&lt=86400&lwm2m=1.1&b=U&Q");
    enrol(&r.devices[2], "ep=c&lt=86400&lwm2m=1.1&b=U&Q");
    rig_run(&r, AWAKE_MS);
    dn_device_request ask = {.endpoint = dunlin_slice_of("a"),
                             .method = DN_COAP_GET,
                             .path = dunlin_path_object(3),
                             .content_format = DN_COAP_NO_FORMAT,
                             .accept = DN_COAP_NO_FORMAT};
    uint64_t first = put("/1/0/1");
    for (unsigned i = 1; i < 5; i++) {
        (void)put("/1/0/1");
    }
    assert_int_equal(rig_enqueue(&r, &ask, 0).call, DUNLIN_ERR_LIMIT); /* of this device */
    ask.endpoint = dunlin_slice_of("b");
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(rig_enqueue(&r, &ask, 0).call, DUNLIN_OK);
    }
    ask.endpoint = dunlin_slice_of("c");
    assert_int_equal(rig_enqueue(&r, &ask, 0).call, DUNLIN_OK);
    assert_int_equal(rig_enqueue(&r, &ask, 0).call, DUNLIN_OK);
    assert_int_equal(rig_enqueue(&r, &ask, 0).call, DUNLIN_ERR_LIMIT); /* of all */
    assert_int_equal(rig_dequeue(&r, first).call, DUNLIN_OK);
    assert_int_equal(rig_enqueue(&r, &ask, 0).call, DUNLIN_OK); /* the one that has ended gives way */
    rig_queued gone;
    rig_post_await(&r, first, 0, &gone);
    assert_false(gone.found);
    assert_int_equal(rig_count(&r).queued, 12);
}

static void bad_requests_are_refused(void **state)
{
    (void)state;
    static char text[5000];
    sleeper();
    memset(text, 'x', sizeof text - 1);
    dn_device_request ask = {.endpoint = dunlin_slice_of("a"), .method = DN_COAP_GET};
    ask.query = dunlin_slice_of(text);
    assert_int_equal(rig_enqueue(&r, &ask, 0).call, DUNLIN_ERR_ARGUMENT);
    ask.query = dunlin_slice_make(NULL, 0);
    ask.package = dunlin_slice_make(text, 65);
    assert_int_equal(rig_enqueue(&r, &ask, 0).call, DUNLIN_ERR_ARGUMENT);
    assert_int_equal(rig_queue(&r, "", 0, 10)->count, 0);
}

static void ended_ones_are_kept_for_a_while(void **state)
{
    (void)state;
    sleeper();
    uint64_t id = put("/1/0/1");
    update(device);
    rig_run(&r, 595000);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
    rig_run(&r, 6000);
    rig_queued gone;
    rig_post_await(&r, id, 0, &gone);
    assert_false(gone.found);
    assert_int_equal(rig_queue(&r, "", 0, 10)->count, 0);
    assert_int_equal(r.shard != NULL, true);
    rig_run(&r, AWAKE_MS);
    assert_true(put("/1/0/1") > id); /* an id is never used again */
}

static void pages_go_on_after_what_was_dropped(void **state)
{
    (void)state;
    uint64_t ids[8];
    sleeper();
    enrol(&r.devices[1], "ep=b&lt=86400&lwm2m=1.1&b=U&Q");
    rig_run(&r, AWAKE_MS);
    for (unsigned i = 0; i < 8; i++) {
        ids[i] = rig_enqueue_text(&r, i % 2 == 0 ? "a" : "b", DN_COAP_PUT, "/1/0/1", "x");
    }
    rig_queue_page *page = rig_queue(&r, "", 0, 3);
    assert_int_equal(page->count, 3);
    assert_int_equal(page->list[0].id, ids[0]);
    assert_int_equal(page->next, ids[2]);
    page = rig_queue(&r, "", page->next, 10);
    assert_int_equal(page->count, 5);
    assert_int_equal(page->list[0].id, ids[3]);
    assert_int_equal(page->next, 0);
    page = rig_queue(&r, "b", 0, 2);
    assert_int_equal(page->count, 2);
    assert_int_equal(page->list[1].id, ids[3]);
    assert_string_equal(page->list[1].endpoint, "b");
    assert_int_equal(page->next, ids[3]);
    page = rig_queue(&r, "b", ids[3], 2);
    assert_int_equal(page->count, 2);
    assert_int_equal(page->next, 0);
    assert_int_equal(rig_queue(&r, "nobody", 0, 2)->count, 0);
    assert_int_equal(rig_queue(&r, "", UINT64_MAX, 2)->count, 0);
    (void)rig_dequeue(&r, ids[2]);
    (void)rig_dequeue(&r, ids[3]);
    rig_run(&r, 601000);
    page = rig_queue(&r, "", ids[2], 10);
    assert_int_equal(page->count, 4);
    assert_int_equal(page->list[0].id, ids[4]);
    assert_int_equal(rig_queue(&r, "b", ids[1], 10)->count, 2);
}

/* What `accept` is, is decided when it is sent; nothing of that kind is sent before somebody can decide. */
static void settle(void *context, dn_device_request *request, uint8_t major, uint8_t minor,
                   dunlin_slice links)
{
    assert_ptr_equal(context, &r);
    assert_int_equal(major * 10 + minor, 11);
    assert_true(dunlin_slice_equal(links, dunlin_slice_of(LINKS)));
    request->accept = 112;
}

static void accept_is_settled_when_it_is_sent(void **state)
{
    (void)state;
    enrol(device, "ep=a&lt=86400&lwm2m=1.1&b=U");
    dn_device_request ask = {.endpoint = dunlin_slice_of("a"),
                             .method = DN_COAP_GET,
                             .path = dunlin_path_object(3),
                             .content_format = DN_COAP_NO_FORMAT,
                             .accept = DN_COAP_NO_FORMAT,
                             .auto_accept = true};
    uint64_t id = rig_enqueue(&r, &ask, 0).id;
    rig_run(&r, 1000);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_WAITING);
    dn_command *command = dn_command_create(DN_COMMAND_SETTLE, &(dn_device_request){.method = 0});
    assert_non_null(command);
    command->done.settle = settle;
    command->context = &r;
    rig_submit(&r, command);
    rig_run(&r, 1000);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
    assert_int_equal(device->asked_accept, 112);
    assert_int_equal(rig_queued_of(&r, id).accept, DN_COAP_NO_FORMAT); /* as it was asked */
}

/* More lines than deliveries fit at a time all get their turn. */
static void many_devices_share_the_room(void **state)
{
    (void)state;
    uint64_t ids[RIG_DEVICES];
    for (unsigned i = 0; i < RIG_DEVICES; i++) {
        char queries[64], name[8];
        (void)snprintf(name, sizeof name, "d%u", i);
        (void)snprintf(queries, sizeof queries, "ep=%s&lt=86400&lwm2m=1.1&b=U", name);
        enrol(&r.devices[i], queries);
        r.devices[i].gone = true;
        ids[i] = rig_enqueue_text(&r, name, DN_COAP_PUT, "/1/0/1", "x");
    }
    for (unsigned i = 0; i < RIG_DEVICES; i++) {
        assert_int_equal(rig_state_of(&r, ids[i]), DN_QUEUED_DELIVERING);
        r.devices[i].gone = false;
    }
    rig_run(&r, 60000);
    for (unsigned i = 0; i < RIG_DEVICES; i++) {
        assert_int_equal(rig_state_of(&r, ids[i]), DN_QUEUED_ANSWERED);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_listening_device_is_asked_at_once),
        TEST(an_answer_ends_it_whatever_its_code),
        TEST(they_wait_for_a_sleeper_and_come_in_order),
        TEST(a_client_of_1_0_is_as_any_other),
        TEST(every_message_wakes_it),
        TEST(a_silent_sleeper_is_asked_after_its_next_message),
        TEST(a_silent_listener_is_asked_with_growing_pauses),
        TEST(it_is_asked_again_though_it_says_nothing),
        TEST(one_that_speaks_during_a_delivery_gets_it_at_once),
        TEST(one_that_acknowledges_and_never_answers),
        TEST(a_reset_ends_it),
        TEST(what_cannot_be_sent_fails),
        TEST(it_expires_when_it_said),
        TEST(it_expires_after_the_delivery_under_way),
        TEST(they_can_be_cancelled_in_every_state),
        TEST(who_waits_hears_of_the_end),
        TEST(who_waits_when_the_server_ends_is_told),
        TEST(registrations_come_and_go_the_queue_stays),
        TEST(it_outlives_an_expired_registration),
        TEST(a_new_register_during_a_delivery),
        TEST(it_follows_the_address),
        TEST(a_delivery_follows_the_address_at_once),
        TEST(limits_hold),
        TEST(bad_requests_are_refused),
        TEST(ended_ones_are_kept_for_a_while),
        TEST(pages_go_on_after_what_was_dropped),
        TEST(accept_is_settled_when_it_is_sent),
        TEST(many_devices_share_the_room),
    };
    return cmocka_run_group_tests_name("server_queue", tests, NULL, NULL);
}
