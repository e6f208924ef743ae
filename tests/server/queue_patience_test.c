/* SPDX-License-Identifier: Apache-2.0 */
/* How long the durable queue tries in virtual time: devices that were silent before, lines of which all is over,
 * what can never be sent. */
#include "server/shard_inside.h"
#include "tests/server/rig_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINKS     "</1/0>,</3/0>"
#define SILENT_MS 100000u /* longer than an unanswered request lasts */
#define RETRY_MS  30000u  /* the first pause */
#define KEEPS_S   5u
#define BODY_MAX  4096u
#define BYTES_MAX 10000u

static rig r;
static rig_device *device;

static void tweak(dn_fleet_config *config)
{
    config->max_queued = 2000;
    config->queue_keeps_s = KEEPS_S;
    config->coap.max_body = BODY_MAX;
    config->max_queued_bytes = BYTES_MAX;
}

static int set_up(void **state)
{
    (void)state;
    rig_start(&r, 17, tweak);
    device = &r.devices[0];
    rig_ask(&r, device, DN_COAP_POST, "rd", "ep=a&lt=86400&lwm2m=1.1&b=U", 40, LINKS);
    assert_int_equal(device->code, DN_COAP_CREATED);
    rig_run(&r, 1000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_end(&r);
    return 0;
}

/* Somebody else's request found it silent: what is queued then need not wait for its next Update, a day away. */
static void one_that_was_silent_before_is_tried_again(void **state)
{
    (void)state;
    device->gone = true;
    assert_int_equal(rig_read(&r, "a", "/3/0/9").status, DUNLIN_ERR_TIMEOUT);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_UNREACHABLE);
    uint64_t id = rig_enqueue_text(&r, "a", DN_COAP_PUT, "/1/0/1", "x");
    rig_run(&r, 1000);
    assert_int_equal(rig_queued_of(&r, id).attempts, 0);
    device->gone = false;
    rig_run(&r, RETRY_MS + 1000);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
    assert_int_equal(rig_queued_of(&r, id).attempts, 1);
}

/* The engine has no room, so that the line stays among the ready; its only request is cancelled and forgotten before the
 * pause is over. */
static void the_pause_of_an_empty_line_ends_with_it(void **state)
{
    (void)state;
    device->gone = true;
    uint64_t id = rig_enqueue_text(&r, "a", DN_COAP_PUT, "/1/0/1", "x");
    rig_run(&r, SILENT_MS);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_WAITING);
    r.shard->deliver_not_before_ms = r.shard->now_ms + 2 * RETRY_MS;
    assert_int_equal(rig_dequeue(&r, id).call, DUNLIN_OK);
    rig_run(&r, KEEPS_S * 1000 + 1000);
    assert_int_equal(rig_queue(&r, "a", 0, 10)->count, 0);
    rig_run(&r, 3 * RETRY_MS);
    device->gone = false;
    rig_ask(&r, device, DN_COAP_POST, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
    id = rig_enqueue_text(&r, "a", DN_COAP_PUT, "/1/0/1", "x");
    rig_run(&r, 1000);
    assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
}

static dn_device_request body_of(uint8_t *bytes, size_t len)
{
    memset(bytes, 'b', len);
    return (dn_device_request){.endpoint = dunlin_slice_of("a"),
                               .method = DN_COAP_PUT,
                               .path = dunlin_path_resource(1, 0, 1),
                               .content_format = 0,
                               .accept = DN_COAP_NO_FORMAT,
                               .payload = dunlin_slice_make(bytes, len)};
}

/* It would find no room in the engine for ever. */
static void a_body_above_the_limit_fails(void **state)
{
    (void)state;
    uint8_t bytes[BODY_MAX + 1];
    dn_device_request ask = body_of(bytes, BODY_MAX + 1);
    rig_queued large = rig_enqueue(&r, &ask, 0);
    uint64_t next = rig_enqueue_text(&r, "a", DN_COAP_PUT, "/1/0/1", "x");
    rig_run(&r, 1000);
    rig_queued is = rig_queued_of(&r, large.id);
    assert_int_equal(is.state, DN_QUEUED_FAILED);
    assert_int_equal(is.status, DUNLIN_ERR_SPACE);
    assert_int_equal(rig_state_of(&r, next), DN_QUEUED_ANSWERED);
    rig_outcome outcome = {.done = false};
    rig_post_request(&r, &ask, &outcome);
    rig_run(&r, 1000);
    assert_int_equal(outcome.status, DUNLIN_ERR_SPACE);
}

/* Ended ones give way; those that wait do not. */
static void bodies_and_answers_stay_below_their_bound(void **state)
{
    (void)state;
    uint8_t bytes[BODY_MAX];
    dn_device_request ask = body_of(bytes, BODY_MAX);
    uint64_t ended[3];
    for (size_t i = 0; i < 3; i++) {
        ended[i] = rig_enqueue(&r, &ask, 0).id;
        rig_run(&r, 1000);
        assert_int_equal(rig_state_of(&r, ended[i]), DN_QUEUED_ANSWERED);
    }
    assert_int_equal(rig_queue(&r, "a", 0, 10)->count, 2);
    assert_int_equal(rig_queue(&r, "a", 0, 10)->list[0].id, ended[1]);
    device->gone = true;
    assert_int_equal(rig_enqueue(&r, &ask, 0).call, DUNLIN_OK);
    assert_int_equal(rig_enqueue(&r, &ask, 0).call, DUNLIN_OK);
    assert_int_equal(rig_enqueue(&r, &ask, 0).call, DUNLIN_ERR_LIMIT);
    ask.payload.len = 1000;
    assert_int_equal(rig_enqueue(&r, &ask, 0).call, DUNLIN_OK);
    assert_int_equal(rig_queue(&r, "a", 0, 10)->count, 3);
    device->gone = false;
    rig_run(&r, SILENT_MS + RETRY_MS);
    assert_int_equal(rig_get(&r, "a").queued, 0);
    rig_run(&r, KEEPS_S * 1000 + 1000);
    assert_int_equal(rig_queue(&r, "a", 0, 10)->count, 0);
    assert_true(r.shard->queue.bytes == 0);
}

typedef struct {
    bool done, found;
    dunlin_status status;
} outcome_seen;

static void on_dequeued(void *context, dunlin_status status, const dn_queued_view *queued)
{
    *(outcome_seen *)context = (outcome_seen){true, queued != NULL, status};
}

/* Cancelled, and in the same cycle forgotten for the sake of a new one. */
static void what_gave_way_at_once_is_not_found(void **state)
{
    (void)state;
    uint8_t bytes[BODY_MAX];
    dn_device_request ask = body_of(bytes, BODY_MAX);
    device->gone = true;
    uint64_t first = rig_enqueue(&r, &ask, 0).id;
    assert_int_equal(rig_enqueue(&r, &ask, 0).call, DUNLIN_OK);
    outcome_seen seen = {.done = false};
    const dn_device_request none = {.method = 0};
    dn_command *cancel = dn_command_create(DN_COMMAND_DEQUEUE, &none);
    assert_non_null(cancel);
    cancel->number = first;
    cancel->context = &seen;
    cancel->done.queued = on_dequeued;
    dn_shard_begin(r.shard);
    dn_shard_submit(r.shard, cancel);
    assert_int_equal(rig_enqueue(&r, &ask, 0).call, DUNLIN_OK);
    assert_true(seen.done);
    assert_false(seen.found);
    assert_int_equal(seen.status, DUNLIN_ERR_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_that_was_silent_before_is_tried_again),
        TEST(the_pause_of_an_empty_line_ends_with_it),
        TEST(a_body_above_the_limit_fails),
        TEST(bodies_and_answers_stay_below_their_bound),
        TEST(what_gave_way_at_once_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
