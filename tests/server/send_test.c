/* SPDX-License-Identifier: Apache-2.0 */
/* Send: what is taken, what is refused and with which code, and who is taken for the sender. */
#include "codec/format.h"
#include "tests/server/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define JSON 110
#define CBOR 112
#define GOOD "[{\"bn\":\"/3303/0/\",\"n\":\"5700\",\"v\":21.5}]"

static rig r;
static rig_device *const device = &r.devices[0];

static int set_up(void **state)
{
    (void)state;
    rig_start(&r, 31, NULL);
    rig_register(&r, device, "a", 86400);
    rig_skip_events(&r);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_end(&r);
    return 0;
}

static void expect_sent(const char *endpoint, uint16_t format, dunlin_slice payload)
{
    dn_event event = rig_expect(&r, DN_EVENT_SEND, endpoint);
    assert_int_equal(event.content_format, format);
    assert_int_equal(event.code, DN_COAP_CONTENT);
    assert_int_equal(event.path.depth, 0);
    assert_int_equal(event.path_count, 0);
    assert_true(dunlin_slice_equal(event.payload, payload));
    assert_true(event.at_ms >= RIG_EPOCH_MS);
    assert_string_equal(event.client.id, rig_get(&r, endpoint).id);
}

static void values_become_an_event(void **state)
{
    static const char *const good[] = {
        GOOD,
        "[{\"n\":\"/3303/0/5700\",\"v\":1},{\"n\":\"/3/0/0\",\"vs\":\"x\"},{\"n\":\"/3/0/11/0\",\"v\":0}]",
        "[{\"bn\":\"/3303/0/5700\",\"bt\":1700000000,\"v\":1},{\"v\":2,\"t\":-10},{\"v\":3,\"t\":-20}]",
        "[{\"bn\":\"/3303\",\"n\":\"/0/5700\",\"vb\":true}]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        rig_ask(&r, device, DN_COAP_POST, "dp", NULL, JSON, good[i]);
        assert_int_equal(device->code, DN_COAP_CHANGED);
        expect_sent("a", JSON, dunlin_slice_of(good[i]));
    }
    rig_expect_no_event(&r);
    assert_int_equal(rig_count(&r).sends_received, sizeof good / sizeof good[0]);
    assert_int_equal(rig_count(&r).sends_refused, 0);
}

/* Enough records for several blocks, in CBOR. */
static void a_long_one_comes_in_blocks(void **state)
{
    static uint8_t bytes[8192];
    (void)state;
    dn_encoder encoder;
    dunlin_slice payload;
    assert_int_equal(dn_encode(&encoder, CBOR, dunlin_path_root(), dunlin_buf_make(bytes, sizeof bytes)),
                     DUNLIN_OK);
    for (uint16_t i = 0; i < 300; i++) {
        const dn_record record = {
            .kind = DN_RECORD_VALUE, .path = dunlin_path_resource(3303, 0, i), .value = dunlin_integer(i)};
        dn_encode_put(&encoder, &record);
    }
    assert_int_equal(dn_encode_finish(&encoder, &payload), DUNLIN_OK);
    assert_true(payload.len > 4 * 1024);
    rig_ask_bytes(&r, device, DN_COAP_POST, "dp", NULL, CBOR, payload);
    assert_int_equal(device->code, DN_COAP_CHANGED);
    expect_sent("a", CBOR, payload);
}

static const struct {
    const char *what;
    uint8_t method;
    const char *queries;
    uint16_t format;
    const char *payload;
    uint8_t code;
} bad[] = {
    {"no format", DN_COAP_POST, NULL, DN_COAP_NO_FORMAT, GOOD, DN_COAP_BAD_REQUEST},
    {"text", DN_COAP_POST, NULL, 0, GOOD, DN_COAP_BAD_REQUEST},
    {"TLV", DN_COAP_POST, NULL, 11542, "\xc1\x01\x01", DN_COAP_BAD_REQUEST},
    {"JSON of 1.0", DN_COAP_POST, NULL, 11543, "{\"bn\":\"/3/0/\",\"e\":[]}", DN_COAP_BAD_REQUEST},
    {"JSON said to be CBOR", DN_COAP_POST, NULL, CBOR, GOOD, DN_COAP_BAD_REQUEST},
    {"CBOR said to be JSON", DN_COAP_POST, NULL, JSON, "\x81\xa1\x61\x6e", DN_COAP_BAD_REQUEST},
    {"nothing", DN_COAP_POST, NULL, JSON, NULL, DN_COAP_BAD_REQUEST},
    {"no record", DN_COAP_POST, NULL, JSON, "[]", DN_COAP_BAD_REQUEST},
    {"no record in CBOR", DN_COAP_POST, NULL, CBOR, "\x80", DN_COAP_BAD_REQUEST},
    {"cut", DN_COAP_POST, NULL, JSON, "[{\"n\":\"/3303/0/5700\",\"v\":21", DN_COAP_BAD_REQUEST},
    {"cut CBOR", DN_COAP_POST, NULL, CBOR, "\x82\xa1", DN_COAP_BAD_REQUEST},
    {"bytes after it", DN_COAP_POST, NULL, JSON, GOOD "x", DN_COAP_BAD_REQUEST},
    {"no name", DN_COAP_POST, NULL, JSON, "[{\"v\":1}]", DN_COAP_BAD_REQUEST},
    {"relative name", DN_COAP_POST, NULL, JSON, "[{\"n\":\"3303/0/5700\",\"v\":1}]", DN_COAP_BAD_REQUEST},
    {"relative base", DN_COAP_POST, NULL, JSON, "[{\"bn\":\"3303/0/\",\"n\":\"5700\",\"v\":1}]",
     DN_COAP_BAD_REQUEST},
    {"name that is no path", DN_COAP_POST, NULL, JSON, "[{\"n\":\"/3303/x\",\"v\":1}]", DN_COAP_BAD_REQUEST},
    {"too deep", DN_COAP_POST, NULL, JSON, "[{\"n\":\"/3303/0/5700/0/0\",\"v\":1}]", DN_COAP_BAD_REQUEST},
    {"id out of range", DN_COAP_POST, NULL, JSON, "[{\"n\":\"/3303/0/65536\",\"v\":1}]", DN_COAP_BAD_REQUEST},
    {"value of an instance", DN_COAP_POST, NULL, JSON, "[{\"n\":\"/3303/0\",\"v\":1}]", DN_COAP_BAD_REQUEST},
    {"no value", DN_COAP_POST, NULL, JSON, "[{\"n\":\"/3303/0/5700\"}]", DN_COAP_BAD_REQUEST},
    {"two values", DN_COAP_POST, NULL, JSON, "[{\"n\":\"/3303/0/5700\",\"v\":1,\"vs\":\"x\"}]",
     DN_COAP_BAD_REQUEST},
    {"one twice", DN_COAP_POST, NULL, JSON,
     "[{\"n\":\"/3303/0/5700\",\"v\":1},{\"n\":\"/3303/0/5700\",\"v\":1}]", DN_COAP_BAD_REQUEST},
    {"must be understood", DN_COAP_POST, NULL, JSON, "[{\"n\":\"/3303/0/5700\",\"v\":1,\"x_\":1}]",
     DN_COAP_BAD_REQUEST},
    {"object not registered", DN_COAP_POST, NULL, JSON, "[{\"n\":\"/3304/0/5700\",\"v\":1}]",
     DN_COAP_NOT_FOUND},
    {"instance not registered", DN_COAP_POST, NULL, JSON, "[{\"n\":\"/3303/1/5700\",\"v\":1}]",
     DN_COAP_NOT_FOUND},
    {"one of two not registered", DN_COAP_POST, NULL, JSON,
     "[{\"n\":\"/3303/0/5700\",\"v\":1},{\"n\":\"/5/0/3\",\"v\":1}]", DN_COAP_NOT_FOUND},
    {"not registered, and broken later", DN_COAP_POST, NULL, JSON,
     "[{\"n\":\"/5/0/3\",\"v\":1},{\"n\":\"/3303/0/5700\"}]", DN_COAP_BAD_REQUEST},
    {"no value, and not registered later", DN_COAP_POST, NULL, JSON,
     "[{\"n\":\"/3303/0/5700\"},{\"n\":\"/5/0/3\",\"v\":1}]", DN_COAP_BAD_REQUEST},
    {"security object", DN_COAP_POST, NULL, JSON, "[{\"n\":\"/0/0/0\",\"vs\":\"x\"}]", DN_COAP_NOT_FOUND},
    {"parameter", DN_COAP_POST, "ep=a", JSON, GOOD, DN_COAP_BAD_REQUEST},
    {"GET", DN_COAP_GET, NULL, DN_COAP_NO_FORMAT, NULL, DN_COAP_METHOD_NOT_ALLOWED},
    {"PUT", DN_COAP_PUT, NULL, JSON, GOOD, DN_COAP_METHOD_NOT_ALLOWED},
    {"FETCH", DN_COAP_FETCH, NULL, JSON, GOOD, DN_COAP_METHOD_NOT_ALLOWED},
};

static void what_is_wrong_is_refused(void **state)
{
    (void)state;
    rig_client before = rig_get(&r, "a");
    uint64_t refused = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rig_ask(&r, device, bad[i].method, "dp", bad[i].queries, bad[i].format, bad[i].payload);
        if (device->status != DUNLIN_OK || device->code != bad[i].code) {
            print_error("%s: %d, %u.%02u\n", bad[i].what, device->status, device->code >> 5,
                        device->code & 31u);
        }
        assert_int_equal(device->code, bad[i].code);
        refused += bad[i].method == DN_COAP_POST;
    }
    rig_client after = rig_get(&r, "a");
    assert_memory_equal(&before, &after, sizeof before);
    rig_expect_no_event(&r);
    assert_int_equal(rig_count(&r).sends_received, 0);
    assert_int_equal(rig_count(&r).sends_refused, refused);
}

static void send_as(rig_device *who, uint8_t code)
{
    rig_ask(&r, who, DN_COAP_POST, "dp", NULL, JSON, GOOD);
    assert_int_equal(who->code, code);
}

static void strangers_send_nothing(void **state)
{
    (void)state;
    send_as(&r.devices[1], DN_COAP_NOT_FOUND);
    rig_rebind(&r, device); /* another port: nothing says that it is the same client */
    send_as(device, DN_COAP_NOT_FOUND);
    rig_expect_no_event(&r);
    rig_ask(&r, device, DN_COAP_POST, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
    rig_skip_events(&r);
    send_as(device, DN_COAP_CHANGED);
    (void)rig_expect(&r, DN_EVENT_SEND, "a");
    rig_ask(&r, device, DN_COAP_DELETE, device->location, NULL, DN_COAP_NO_FORMAT, NULL);
    rig_skip_events(&r);
    send_as(device, DN_COAP_NOT_FOUND);
    rig_expect_no_event(&r);
}

/* The sender is the newest registration of the address, however many there are, come and go. */
static void the_newest_of_an_address_is_meant(void **state)
{
    static const char *const names[] = {"b", "c", "d"};
    char locations[3][64];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        rig_register(&r, device, names[i], 60);
        memcpy(locations[i], device->location, sizeof locations[i]);
    }
    rig_skip_events(&r);
    send_as(device, DN_COAP_CHANGED);
    (void)rig_expect(&r, DN_EVENT_SEND, "d");
    static const struct {
        size_t ends;
        const char *then;
    } steps[] = {{1, "d"}, {2, "b"}, {0, "a"}}; /* the middle one, the newest, the newest again */
    for (size_t i = 0; i < 3; i++) {
        rig_ask(&r, device, DN_COAP_DELETE, locations[steps[i].ends], NULL, DN_COAP_NO_FORMAT, NULL);
        assert_int_equal(device->code, DN_COAP_DELETED);
        rig_skip_events(&r);
        send_as(device, DN_COAP_CHANGED);
        (void)rig_expect(&r, DN_EVENT_SEND, steps[i].then);
    }
    rig_register(&r, &r.devices[1], "a", 60); /* it moves away */
    rig_skip_events(&r);
    send_as(device, DN_COAP_NOT_FOUND);
    send_as(&r.devices[1], DN_COAP_CHANGED);
    (void)rig_expect(&r, DN_EVENT_SEND, "a");
}

static void the_sender_is_known_after_a_restart(void **state)
{
    (void)state;
    rig_crash(&r, 1000);
    send_as(device, DN_COAP_CHANGED);
    (void)rig_expect(&r, DN_EVENT_SEND, "a");
}

/* The list changes: what is registered now counts. Instances below an alternate path, too. */
static void the_list_of_now_counts(void **state)
{
    static const char other[] = "[{\"n\":\"/3304/7/5700\",\"v\":1}]";
    (void)state;
    rig_ask(&r, device, DN_COAP_POST, "dp", NULL, JSON, other);
    assert_int_equal(device->code, DN_COAP_NOT_FOUND);
    rig_ask(&r, device, DN_COAP_POST, device->location, NULL, 40, "</1/0>,</3/0>,</3304/7>,</3303>");
    rig_skip_events(&r);
    rig_ask(&r, device, DN_COAP_POST, "dp", NULL, JSON, other);
    assert_int_equal(device->code, DN_COAP_CHANGED);
    expect_sent("a", JSON, dunlin_slice_of(other));
    send_as(device, DN_COAP_NOT_FOUND); /* </3303> has no instance */
    rig_ask(&r, device, DN_COAP_POST, device->location, NULL, 40,
            "</lwm2m>;rt=\"oma.lwm2m\",</lwm2m/1/0>,</lwm2m/3303/0>,</3304/7>");
    rig_skip_events(&r);
    send_as(device, DN_COAP_CHANGED);
    (void)rig_expect(&r, DN_EVENT_SEND, "a");
    rig_ask(&r, device, DN_COAP_POST, "dp", NULL, JSON, "[{\"n\":\"/lwm2m/3303/0/5700\",\"v\":1}]");
    assert_int_equal(device->code, DN_COAP_CHANGED); /* names with the alternate path are taken as well */
    rig_ask(&r, device, DN_COAP_POST, "dp", NULL, JSON, other);
    assert_int_equal(device->code, DN_COAP_NOT_FOUND);
}

static void few_events(dn_fleet_config *config)
{
    config->event_buffer_bytes = 4096;
}

/* What was answered 2.04 is in the stream, or the device keeps it. */
static void a_full_stream_refuses(void **state)
{
    unsigned taken = 0;
    (void)state;
    rig_end(&r);
    rig_start(&r, 32, few_events);
    rig_register(&r, device, "a", 86400);
    rig_skip_events(&r);
    do {
        rig_ask(&r, device, DN_COAP_POST, "dp", NULL, JSON, GOOD);
        taken += device->code == DN_COAP_CHANGED;
        assert_true(taken < 100);
    } while (device->code == DN_COAP_CHANGED);
    assert_int_equal(device->code, DN_COAP_UNAVAILABLE);
    assert_int_equal(rig_count(&r).sends_received, taken);
    for (unsigned i = 0; i < taken; i++) {
        (void)rig_expect(&r, DN_EVENT_SEND, "a");
    }
    rig_skip_events(&r);
    send_as(device, DN_COAP_CHANGED);
}

/* The same message again, as a network may deliver it, is one Send. */
static void a_duplicate_is_one(void **state)
{
    /* CON POST, message id 0x7777, Uri-Path dp, Content-Format 110 */
    static const char message[] = "\x40\x02\x77\x77\xb2"
                                  "dp\x11\x6e\xff" GOOD;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        rig_throw(&r, device, dunlin_slice_of(message));
    }
    assert_int_equal(rig_count(&r).sends_received, 1);
    expect_sent("a", JSON, dunlin_slice_of(GOOD));
    rig_expect_no_event(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_become_an_event, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_one_comes_in_blocks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strangers_send_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_newest_of_an_address_is_meant, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_sender_is_known_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_list_of_now_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_stream_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_duplicate_is_one, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
