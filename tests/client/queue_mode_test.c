/* SPDX-License-Identifier: Apache-2.0 */
/* Queue mode: how it is announced, when the device sleeps, and what wakes it (Transport 1.1.1 section 6.5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/rig.h"

#define NO       (-1)
#define TEXT     0
#define SECOND   1000ull
#define HOUR     (3600 * SECOND)
#define AWAKE_MS 93000ull

static rig the_rig;

/* A client that is to be in queue mode, started, a second later. */
static rig *opened(dunlin_lwm2m lwm2m, uint32_t awake_ms)
{
    rig *r = &the_rig;
    dunlin_server server = dunlin_server_default();
    rig_open(r, lwm2m, 3);
    r->config.queue_mode = true;
    r->config.awake_ms = awake_ms;
    rig_remake(r);
    strcpy(server.uri, "coap://server");
    assert_int_equal(dunlin_client_add_server(r->client, &server), DUNLIN_OK);
    assert_true(dunlin_client_awake(r->client));
    dunlin_client_start(r->client, dn_simlink_now(r->link));
    rig_run(r, SECOND);
    assert_true(dunlin_client_registered(r->client));
    return r;
}

static void set_temperature(rig *r, double value)
{
    r->thermometer[0].value = value;
    dunlin_changed(r->client, dunlin_path_resource(3303, 0, 5700));
}

static void observe(rig *r)
{
    const rig_request request = {.method = DN_COAP_GET, .path = "/3303/0/5700", .observe = true, .token = 1};
    assert_int_equal(rig_ask(r, &request)->code, DN_COAP_CONTENT);
}

static void oma_int_108_queue_mode_is_announced(void **state)
{
    static const struct {
        dunlin_lwm2m lwm2m;
        const char *query;
    } rows[] = {
        {DUNLIN_LWM2M_1_1, "ep=urn:dev:ops:rig-1&lt=86400&lwm2m=1.1&b=U&Q"},
        {DUNLIN_LWM2M_1_0, "ep=urn:dev:ops:rig-1&lt=86400&lwm2m=1.0&b=UQ"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig *r = opened(rows[i].lwm2m, 93000);
        assert_string_equal(r->query, rows[i].query);
        rig_close(r);
    }
}

static void oma_int_109_it_sleeps_after_its_last_message(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1, 93000);
    (void)state;
    rig_run(r, AWAKE_MS - 2 * SECOND);
    assert_true(dunlin_client_awake(r->client));
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_ASLEEP), 0);
    rig_run(r, 2 * SECOND);
    assert_false(dunlin_client_awake(r->client));
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_ASLEEP), 1);
    /* nothing happens until the Update */
    rig_run(r, 20 * HOUR);
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_AWAKE), 0);
    rig_run(r, 4 * HOUR);
    assert_int_equal(r->updates, 1);
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_AWAKE), 1);
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_ASLEEP), 2);
    rig_close(r);
}

static void each_answer_keeps_it_awake(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1, 93000);
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        rig_run(r, 80 * SECOND);
        assert_int_equal(rig_get(r, "/3/0/0", NO)->code, DN_COAP_CONTENT);
    }
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_ASLEEP), 0);
    rig_run(r, AWAKE_MS + SECOND);
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_ASLEEP), 1);
    rig_close(r);
}

static void wake_by_update(rig *r)
{
    dunlin_client_update(r->client);
}

static void wake_by_notification(rig *r)
{
    set_temperature(r, 30);
}

static void wake_by_send(rig *r)
{
    const dunlin_send_value value = {.path = dunlin_path_resource(3303, 0, 5700)};
    assert_int_equal(dunlin_client_send(r->client, 0, &value, 1, NULL, NULL), DUNLIN_OK);
}

static void wake_by_request(rig *r) /* the radio happened to be on */
{
    assert_int_equal(rig_get(r, "/3/0/0", NO)->code, DN_COAP_CONTENT);
}

static void what_wakes_it(void **state)
{
    static void (*const wakes[])(rig *) = {wake_by_update, wake_by_notification, wake_by_send,
                                           wake_by_request};
    (void)state;
    for (size_t i = 0; i < sizeof wakes / sizeof wakes[0]; i++) {
        rig *r = opened(DUNLIN_LWM2M_1_1, 93000);
        observe(r);
        rig_run(r, 200 * SECOND);
        assert_false(dunlin_client_awake(r->client));
        wakes[i](r);
        rig_run(r, SECOND);
        assert_true(dunlin_client_awake(r->client));
        assert_int_equal(rig_events(r, DUNLIN_CLIENT_AWAKE), 1);
        rig_run(r, AWAKE_MS - 2 * SECOND);
        assert_true(dunlin_client_awake(r->client));
        rig_run(r, 2 * SECOND);
        assert_false(dunlin_client_awake(r->client));
        rig_close(r);
    }
}

/* It is told before the datagram goes. */
static unsigned sent_asleep;
static bool radio_on;

static void radio(void *context, const dunlin_client_event *event)
{
    (void)context;
    radio_on = event->kind == DUNLIN_CLIENT_ASLEEP  ? false
               : event->kind == DUNLIN_CLIENT_AWAKE ? true
                                                    : radio_on;
}

static void count_sent(void *context, const dunlin_peer *peer, dunlin_slice datagram)
{
    (void)context;
    (void)peer;
    (void)datagram;
    sent_asleep += radio_on ? 0 : 1;
}

static void the_radio_is_on_whenever_something_is_sent(void **state)
{
    rig *r = &the_rig;
    dunlin_server server = dunlin_server_default();
    (void)state;
    rig_open(r, DUNLIN_LWM2M_1_1, 3);
    r->config.queue_mode = true;
    r->config.call.event = radio;
    r->config.call.send = count_sent; /* into the void: tries and pauses for a day and more */
    rig_remake(r);
    strcpy(server.uri, "coap://server");
    server.policy.sequence_count = 2;
    assert_int_equal(dunlin_client_add_server(r->client, &server), DUNLIN_OK);
    sent_asleep = 0;
    radio_on = true;
    dunlin_client_start(r->client, 0);
    rig_run(r, 10);
    assert_true(radio_on);
    rig_run(r, 48 * HOUR);
    assert_false(radio_on);
    assert_int_equal(sent_asleep, 0);
    assert_int_equal(dunlin_client_count(r->client).registers, 10);
    rig_close(r);
}

static void it_waits_for_answers_however_long(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1, 1000);
    (void)state;
    rig_run(r, 5 * SECOND);
    assert_false(dunlin_client_awake(r->client));
    r->mute = true;
    dunlin_client_update(r->client);
    for (unsigned s = 0; s < 40; s++) { /* retransmissions after 2 to 3 s, then twice, four times as much … */
        rig_run(r, SECOND);
        assert_true(dunlin_client_awake(r->client));
    }
    rig_close(r);
}

static void in_1_0_a_server_switches_it(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_0, 93000);
    (void)state;
    assert_int_equal(rig_send(r, DN_COAP_PUT, "/1/0/7", TEXT, "U")->code, DN_COAP_CHANGED);
    rig_run(r, 10);
    assert_int_equal(r->updates, 1);
    assert_string_equal(r->query, "b=U");
    rig_run(r, HOUR);
    assert_true(dunlin_client_awake(r->client));
    assert_int_equal(rig_send(r, DN_COAP_PUT, "/1/0/7", TEXT, "UQ")->code, DN_COAP_CHANGED);
    rig_run(r, 10);
    assert_string_equal(r->query, "b=UQ");
    rig_run(r, HOUR);
    assert_false(dunlin_client_awake(r->client));
    assert_int_equal(rig_send(r, DN_COAP_PUT, "/1/0/7", TEXT, "UQ")->code, DN_COAP_CHANGED);
    rig_run(r, 10);
    assert_int_equal(r->updates, 2); /* no change, no Update */
    rig_close(r);
}

static void without_it_the_device_is_awake(void **state)
{
    rig *r = &the_rig;
    (void)state;
    rig_register(r, DUNLIN_LWM2M_1_1);
    rig_run(r, 30 * HOUR);
    assert_true(dunlin_client_awake(r->client));
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_ASLEEP), 0);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oma_int_108_queue_mode_is_announced),
        cmocka_unit_test(oma_int_109_it_sleeps_after_its_last_message),
        cmocka_unit_test(each_answer_keeps_it_awake),
        cmocka_unit_test(what_wakes_it),
        cmocka_unit_test(the_radio_is_on_whenever_something_is_sent),
        cmocka_unit_test(it_waits_for_answers_however_long),
        cmocka_unit_test(in_1_0_a_server_switches_it),
        cmocka_unit_test(without_it_the_device_is_awake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
