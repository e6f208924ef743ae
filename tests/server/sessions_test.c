/* SPDX-License-Identifier: Apache-2.0 */
/* Devices over streams and sessions: that they are served as over UDP, and what the loss of one means in every state. */
#include "tests/server/rig_queue.h"
#include "tests/server/rig_secure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define AWAKE_MS 93000u

static rig r;
static rig_device *device;
static char location[64];

static int set_up(void **state)
{
    (void)state;
    rig_start(&r, 1, NULL);
    device = &r.devices[0];
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_end(&r);
    return 0;
}

/* It registers as "a" by this transport. */
static void enrol(dn_transport transport, const char *queries)
{
    if (transport != DN_TRANSPORT_UDP) {
        rig_open(&r, device, transport, dn_transport_is_secure(transport) ? "a" : NULL);
    }
    device->watched_count = 0;
    rig_ask(&r, device, DN_COAP_POST, "rd", queries, 40, "</1/0>,</3/0>,</3303/0>");
    assert_int_equal(device->code, DN_COAP_CREATED);
    (void)snprintf(location, sizeof location, "%s", device->location);
    rig_skip_events(&r);
}

#define LISTENS "ep=a&lt=6000&lwm2m=1.1&b=T"
#define QUEUE   "ep=a&lt=6000&lwm2m=1.1&b=T&Q"

static void update(void)
{
    rig_ask(&r, device, DN_COAP_POST, location, NULL, DN_COAP_NO_FORMAT, NULL);
    assert_int_equal(device->code, DN_COAP_CHANGED);
}

static dn_device_request asking(uint8_t method)
{
    dn_device_request ask = {.endpoint = dunlin_slice_of("a"),
                             .method = method,
                             .content_format = DN_COAP_NO_FORMAT,
                             .accept = DN_COAP_NO_FORMAT};
    assert_int_equal(dunlin_path_parse(dunlin_slice_of("/3/0/4"), &ask.path), DUNLIN_OK);
    return ask;
}

static const dn_transport others[] = {DN_TRANSPORT_DTLS, DN_TRANSPORT_TCP, DN_TRANSPORT_TLS};
#define OTHERS (sizeof others / sizeof others[0])

static void restart(void)
{
    rig_end(&r);
    rig_start(&r, 1, NULL);
    device = &r.devices[0];
}

/* What a device is for: registered, read, observed, it notifies and sends, is updated and leaves. */
static void each_transport_serves(void **state)
{
    (void)state;
    for (size_t i = 0; i < OTHERS; i++) {
        restart();
        enrol(others[i], LISTENS);
        assert_int_equal(rig_get(&r, "a").transport, others[i]);
        assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_AWAKE);
        assert_string_equal(rig_read(&r, "a", "/3/0/0").text, "value");
        assert_int_equal(rig_observe(&r, "a", "/3/0/9").status, DUNLIN_OK);
        assert_int_equal(rig_notify(&r, device, "/3/0/9", "7", true), DUNLIN_OK);
        assert_string_equal(rig_observations_of(&r, "a").list[0].text, "7");
        rig_ask(&r, device, DN_COAP_POST, "dp", NULL, 110, "[{\"n\":\"/3/0/9\",\"v\":80}]");
        assert_int_equal(device->code, DN_COAP_CHANGED);
        uint64_t id = rig_enqueue_text(&r, "a", DN_COAP_POST, "/3/0/4", "");
        rig_run(&r, 10);
        assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
        update();
        rig_ask(&r, device, DN_COAP_DELETE, location, NULL, DN_COAP_NO_FORMAT, NULL);
        assert_int_equal(device->code, DN_COAP_DELETED);
        assert_false(rig_get(&r, "a").found);
    }
}

/* A body of many blocks, both ways. */
static void long_bodies_pass(void **state)
{
    static char text[9001];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    for (size_t i = 0; i < OTHERS; i++) {
        rig_outcome outcome;
        restart();
        enrol(others[i], LISTENS);
        device->value = text;
        dn_device_request ask = asking(DN_COAP_PUT);
        ask.payload = dunlin_slice_of(text);
        rig_post_request(&r, &ask, &outcome);
        rig_run(&r, 60000);
        assert_int_equal(outcome.code, DN_COAP_CHANGED);
        assert_string_equal(device->asked_text, text);
        assert_string_equal(rig_read(&r, "a", "/3/0").text, text);
    }
}

static void its_end_makes_it_unreachable(void **state)
{
    (void)state;
    for (size_t i = 0; i < OTHERS; i++) {
        restart();
        enrol(others[i], LISTENS);
        rig_close(&r, device);
        assert_int_equal(rig_expect(&r, DN_EVENT_PRESENCE, "a").client.presence, DN_PRESENCE_UNREACHABLE);
        unsigned asked = device->asked;
        rig_outcome outcome = rig_read(&r, "a", "/3/0");
        assert_int_equal(outcome.status, DUNLIN_ERR_TIMEOUT);
        assert_int_equal(device->asked, asked);
        /* Who would rather wait than be told so hears that it is not there, and can queue. */
        dn_device_request ask = asking(DN_COAP_GET);
        ask.unless_asleep = true;
        rig_post_request(&r, &ask, &outcome);
        assert_true(outcome.done);
        assert_int_equal(outcome.status, DUNLIN_ERR_STATE);
        rig_expect_no_event(&r);
        /* Back from another port, it is there with its first message. */
        rig_roam(&r, device);
        assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_UNREACHABLE);
        update();
        assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_AWAKE);
        assert_int_equal(rig_read(&r, "a", "/3/0").status, DUNLIN_OK);
    }
}

static void come_back(void)
{
    device->mute = false;
    rig_roam(&r, device);
    update();
    rig_run(&r, 1000);
}

/* The caller is told at once, not after the time-out of CoAP. */
static void a_request_under_way_ends_with_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < OTHERS; i++) {
        rig_outcome outcome;
        restart();
        enrol(others[i], LISTENS);
        device->mute = true;
        dn_device_request ask = asking(DN_COAP_GET);
        rig_post_request(&r, &ask, &outcome);
        rig_run(&r, 1000);
        assert_int_equal(device->asked, 1);
        assert_false(outcome.done);
        rig_close(&r, device);
        assert_true(outcome.done);
        assert_int_equal(outcome.status, DUNLIN_ERR_TIMEOUT);
    }
}

/* A queued request that it meets under way: what had come of it, and what becomes of it. */
static void a_delivery_under_way_is_decided(void **state)
{
    (void)state;
    static const struct {
        dn_transport transport;
        uint8_t method;
        bool is_heard;              /* the device has acknowledged it, or it went over a stream */
        dn_queued_state now, after; /* after it is back */
        unsigned deliveries;
    } cases[] = {
        {DN_TRANSPORT_TCP, DN_COAP_PUT, true, DN_QUEUED_WAITING, DN_QUEUED_ANSWERED, 2},
        {DN_TRANSPORT_TCP, DN_COAP_POST, true, DN_QUEUED_UNKNOWN, DN_QUEUED_UNKNOWN, 1},
        {DN_TRANSPORT_TLS, DN_COAP_POST, true, DN_QUEUED_UNKNOWN, DN_QUEUED_UNKNOWN, 1},
        /* A stream's other end may have got it even if nothing shows that. */
        {DN_TRANSPORT_TCP, DN_COAP_POST, false, DN_QUEUED_UNKNOWN, DN_QUEUED_UNKNOWN, 0},
        {DN_TRANSPORT_DTLS, DN_COAP_PUT, true, DN_QUEUED_WAITING, DN_QUEUED_ANSWERED, 2},
        {DN_TRANSPORT_DTLS, DN_COAP_POST, true, DN_QUEUED_UNKNOWN, DN_QUEUED_UNKNOWN, 1},
        {DN_TRANSPORT_DTLS, DN_COAP_POST, false, DN_QUEUED_WAITING, DN_QUEUED_ANSWERED, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        restart();
        enrol(cases[i].transport, LISTENS);
        device->mute = true;
        device->gone = !cases[i].is_heard;
        uint64_t id = rig_enqueue_text(&r, "a", cases[i].method, "/3/0/4", "x");
        rig_run(&r, 1000);
        assert_int_equal(rig_state_of(&r, id), DN_QUEUED_DELIVERING);
        rig_close(&r, device);
        if (rig_state_of(&r, id) != cases[i].now) {
            fail_msg("case %zu: %d", i, (int)rig_state_of(&r, id));
        }
        device->gone = false;
        come_back();
        if (rig_state_of(&r, id) != cases[i].after || device->asked != cases[i].deliveries) {
            fail_msg("case %zu: %d, asked %u times", i, (int)rig_state_of(&r, id), device->asked);
        }
    }
}

static void queued_requests_wait_for_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < OTHERS; i++) {
        restart();
        enrol(others[i], LISTENS);
        rig_close(&r, device);
        uint64_t id = rig_enqueue_text(&r, "a", DN_COAP_PUT, "/3/0/4", "x");
        rig_run(&r, 7200000 / 2); /* no attempt is made meanwhile */
        assert_int_equal(rig_queued_of(&r, id).attempts, 0);
        come_back();
        assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
        assert_int_equal(rig_queued_of(&r, id).attempts, 1);
    }
}

static void observations_are_renewed(void **state)
{
    (void)state;
    for (size_t i = 0; i < OTHERS; i++) {
        restart();
        enrol(others[i], LISTENS);
        assert_int_equal(rig_observe(&r, "a", "/3/0/9").status, DUNLIN_OK);
        rig_close(&r, device);
        device->watched_count = 0; /* they end with the stream, and with the address */
        come_back();
        assert_int_equal(rig_observations_of(&r, "a").list[0].state, DN_OBSERVATION_ACTIVE);
        assert_int_equal(device->watched_count, 1);
        assert_int_equal(rig_notify(&r, device, "/3/0/9", "8", true), DUNLIN_OK);
    }
}

/* An observation that is being asked for. */
static void an_observation_under_way_ends_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < OTHERS; i++) {
        rig_outcome outcome;
        restart();
        enrol(others[i], LISTENS);
        device->mute = true;
        rig_post_observe(&r, "a", "/3/0/9", &outcome);
        rig_run(&r, 1000);
        rig_close(&r, device);
        assert_true(outcome.done);
        assert_int_equal(outcome.status, DUNLIN_ERR_TIMEOUT);
        assert_int_equal(rig_observations_of(&r, "a").count, 0);
    }
}

/* Queue mode: what is gone does not listen, and is asleep when it would be. */
static void a_sleeper_is_away_and_then_asleep(void **state)
{
    (void)state;
    enrol(DN_TRANSPORT_TCP, QUEUE);
    rig_run(&r, 1000);
    rig_close(&r, device);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_UNREACHABLE);
    rig_run(&r, AWAKE_MS);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_ASLEEP);
    come_back();
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_AWAKE);
    /* Asleep with its stream open: nothing is sent to it. */
    rig_run(&r, AWAKE_MS + 100);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_ASLEEP);
    rig_close(&r, device);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_ASLEEP);
}

/* After a start nothing is open: all but plain UDP devices are out of reach until they speak. */
static void a_start_finds_nothing_open(void **state)
{
    (void)state;
    for (size_t i = 0; i < OTHERS; i++) {
        restart();
        enrol(others[i], LISTENS);
        rig_ask(&r, &r.devices[1], DN_COAP_POST, "rd", "ep=plain&lt=6000&lwm2m=1.1", 40, "</1/0>,</3/0>");
        device->is_open = false;
        rig_crash(&r, 0);
        assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_UNREACHABLE);
        assert_int_equal(rig_get(&r, "plain").presence, DN_PRESENCE_AWAKE);
        assert_int_equal(rig_read(&r, "a", "/3/0").status, DUNLIN_ERR_TIMEOUT);
        uint64_t id = rig_enqueue_text(&r, "a", DN_COAP_PUT, "/3/0/4", "x");
        rig_run(&r, 1000);
        assert_int_equal(rig_state_of(&r, id), DN_QUEUED_WAITING);
        if (dn_transport_is_stream(others[i])) {
            const dn_peer server = rig_server(device);
            dn_coap_close(device->coap, &server);
        }
        come_back();
        assert_int_equal(rig_state_of(&r, id), DN_QUEUED_ANSWERED);
    }
}

/* A session that begins anew at the same address: what was said in the former one is not remembered. */
static void a_new_session_starts_afresh(void **state)
{
    static const uint8_t ping_like[] = {0x40, 0x02, 0x12, 0x34,
                                        0xb2, 'd',  'p'}; /* CON POST /dp, message id 1234 */
    (void)state;
    enrol(DN_TRANSPORT_DTLS, LISTENS);
    rig_throw(&r, device, dunlin_slice_make(ping_like, sizeof ping_like));
    rig_throw(&r, device, dunlin_slice_make(ping_like, sizeof ping_like));
    assert_int_equal(rig_count(&r).sends_refused, 1); /* the second one is a duplicate */
    rig_open(&r, device, DN_TRANSPORT_DTLS, "a");
    rig_throw(&r, device, dunlin_slice_make(ping_like, sizeof ping_like));
    assert_int_equal(rig_count(&r).sends_refused, 2);
}

/* Bytes that are no message of RFC 8323, and a first message that is no CSM. */
static void a_bad_stream_is_aborted(void **state)
{
    static const uint8_t bad_token[] = {0x0d, 0x01, 0, 0, 0, 0, 0, 0,
                                        0,    0,    0, 0, 0, 0, 0}; /* a token of 13 bytes */
    static const uint8_t no_csm[] = {0x00, 0x01};                   /* an empty GET */
    (void)state;
    enrol(DN_TRANSPORT_TCP, LISTENS);
    rig_throw(&r, device, dunlin_slice_make(bad_token, sizeof bad_token));
    assert_int_equal(r.peers_ended, 1);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_UNREACHABLE);
    rig_device *second = &r.devices[1];
    second->transport = DN_TRANSPORT_TCP;
    second->is_open = true;
    const dn_peer peer = rig_peer(second);
    rig_session(&r, &peer, true);
    rig_throw(&r, second, dunlin_slice_make(no_csm, sizeof no_csm));
    assert_int_equal(r.peers_ended, 2);
}

/* Nothing comes: the stream is given up when its CSM is overdue. */
static void a_silent_stream_is_ended(void **state)
{
    (void)state;
    device->transport = DN_TRANSPORT_TCP;
    device->is_open = true;
    const dn_peer peer = rig_peer(device);
    rig_session(&r, &peer, true);
    rig_run(&r, 29000);
    assert_int_equal(r.peers_ended, 0);
    rig_run(&r, 2000);
    assert_int_equal(r.peers_ended, 1);
    assert_false(device->is_open);
}

static void a_released_stream_is_closed(void **state)
{
    (void)state;
    enrol(DN_TRANSPORT_TCP, LISTENS);
    const dn_peer server = rig_server(device);
    assert_int_equal(dn_coap_release(device->coap, &server), DUNLIN_OK);
    rig_run(&r, 100);
    assert_int_equal(r.peers_ended, 1);
    assert_int_equal(rig_get(&r, "a").presence, DN_PRESENCE_UNREACHABLE);
}

/* More streams than the engine has room for are not kept open. */
static void streams_are_limited(void **state)
{
    (void)state;
    rig_end(&r);
    memset(&r, 0, sizeof r);
    rig_start(&r, 1, NULL);
    r.config.coap.connections = 1;
    rig_crash(&r, 0);
    device = &r.devices[0];
    enrol(DN_TRANSPORT_TCP, LISTENS);
    r.devices[1].transport = DN_TRANSPORT_TCP;
    r.devices[1].is_open = true;
    const dn_peer peer = rig_peer(&r.devices[1]);
    rig_session(&r, &peer, true);
    assert_int_equal(r.peers_ended, 1);
    assert_false(r.devices[1].is_open);
    assert_int_equal(rig_read(&r, "a", "/3/0").status, DUNLIN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_transport_serves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_bodies_pass, set_up, tear_down),
        cmocka_unit_test_setup_teardown(its_end_makes_it_unreachable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_under_way_ends_with_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_delivery_under_way_is_decided, set_up, tear_down),
        cmocka_unit_test_setup_teardown(queued_requests_wait_for_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(observations_are_renewed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_observation_under_way_ends_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sleeper_is_away_and_then_asleep, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_start_finds_nothing_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_session_starts_afresh, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_stream_is_aborted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_silent_stream_is_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_released_stream_is_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(streams_are_limited, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
