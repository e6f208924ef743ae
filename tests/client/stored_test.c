/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notification Storing (/1/x/6): what is kept while a server cannot be reached or is disabled, how it is delivered,
 * and its bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/rig.h"

#define NO         (-1)
#define TEXT       0
#define JSON       110
#define CBOR       112
#define OLD_JSON   11543
#define SECOND     1000ull
#define EPOCH_S    1700000000 /* of the simulated link's beginning */
#define SEND_S     10         /* how long a server may take to observe again */
#define RECORD_MAX 32

typedef struct {
    double value, time_s;
} told;

static rig the_rig;

static int64_t unix_s(void *context)
{
    const rig *r = context;
    return EPOCH_S + (int64_t)(dn_simlink_now(r->link) / SECOND);
}

/* A registered client whose configuration and account `change` has made other than usual. */
static rig *opened(dunlin_lwm2m lwm2m, void (*change)(dunlin_client_config *config, dunlin_server *server))
{
    rig *r = &the_rig;
    dunlin_server server = dunlin_server_default();
    rig_open(r, lwm2m, 11);
    strcpy(server.uri, "coap://server");
    server.disable_s = 100;
    r->config.call.unix_s = unix_s;
    if (change != NULL) {
        change(&r->config, &server);
    }
    rig_remake(r);
    assert_int_equal(dunlin_client_add_server(r->client, &server), DUNLIN_OK);
    dunlin_client_start(r->client, dn_simlink_now(r->link));
    rig_run(r, SECOND);
    assert_true(dunlin_client_registered(r->client));
    return r;
}

static void observe(rig *r, const char *path, uint8_t token, uint16_t accept)
{
    const rig_request request = {.method = DN_COAP_GET,
                                 .path = path,
                                 .observe = true,
                                 .token = token,
                                 .has_accept = true,
                                 .accept = accept};
    const rig_answer *answer = rig_ask(r, &request);
    assert_int_equal(answer->code, DN_COAP_CONTENT);
    assert_true(answer->observe >= 0);
}

static void set_temperature(rig *r, double value)
{
    r->thermometer[0].value = value;
    dunlin_changed(r->client, dunlin_path_resource(3303, 0, 5700));
}

/* 22, 23, … ten seconds apart. Returns the second of the first one. */
static double change(rig *r, unsigned times)
{
    rig_run(r, SECOND - dn_simlink_now(r->link) % SECOND); /* to the next whole second */
    const double first_s = (double)(EPOCH_S + dn_simlink_now(r->link) / SECOND);
    for (unsigned i = 0; i < times; i++) {
        set_temperature(r, 22 + i);
        rig_run(r, 10 * SECOND);
    }
    return first_s;
}

static void disable(rig *r)
{
    assert_int_equal(rig_send(r, DN_COAP_POST, "/1/0/4", NO, NULL)->code, DN_COAP_CHANGED);
    rig_run(r, SECOND);
    assert_int_equal(r->deregisters, 1);
    assert_false(dunlin_client_registered(r->client));
}

/* The server is not heard for some time, and an Update waits for its acknowledgement. */
static void go_offline(rig *r)
{
    r->mute = true;
    dunlin_client_update(r->client);
    rig_run(r, 4 * SECOND);
}

static dunlin_type number_type(void *context, dunlin_path path, bool *multiple)
{
    (void)context;
    (void)path;
    (void)multiple;
    return DUNLIN_TYPE_FLOAT;
}

static size_t decode(uint16_t format, const char *base, const uint8_t *payload, size_t len, told *out)
{
    uint8_t scratch[RIG_TEXT_MAX];
    dn_decoder decoder;
    dn_record record;
    dunlin_path path;
    size_t count = 0;
    const dn_types types = {number_type, NULL};
    assert_int_equal(dunlin_path_parse(dunlin_slice_of(base), &path), DUNLIN_OK);
    dunlin_status status = dn_decode(&decoder, format, path, dunlin_slice_make(payload, len), types,
                                     dunlin_buf_make(scratch, sizeof scratch));
    while (status == DUNLIN_OK && (status = dn_decode_next(&decoder, &record)) == DUNLIN_OK) {
        assert_true(count < RECORD_MAX);
        out[count].value = record.value.as.number;
        out[count++].time_s = record.has_time ? record.time_s : 0;
    }
    assert_int_equal(status, DUNLIN_END);
    return count;
}

/* The notification tells 22, 23, … (beginning with `first`) of times ten seconds apart. */
static void assert_told(const rig *r, size_t at, uint16_t format, unsigned first, unsigned count,
                        double first_s)
{
    told values[RECORD_MAX];
    assert_true(at < r->notify_count);
    const rig_notification *n = &r->notified[at];
    assert_true(n->confirmable);
    assert_int_equal(n->format, format);
    assert_int_equal(decode(format, "/3303/0/5700", n->payload, n->len, values), count);
    for (unsigned i = 0; i < count; i++) {
        assert_true(values[i].value == 22 + first + i);
        assert_true(values[i].time_s > first_s + 10.0 * i - 1.5 &&
                    values[i].time_s < first_s + 10.0 * i + 1.5);
    }
}

static void told_when_the_update_is_acknowledged(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1, NULL);
    (void)state;
    observe(r, "/3303/0/5700", 1, CBOR);
    go_offline(r);
    const double first_s = change(r, 2);
    assert_int_equal(dunlin_client_count(r->client).stored, 2);
    assert_int_equal(r->notify_count, 0);
    r->mute = false;
    rig_run(r, 40 * SECOND); /* the next retransmission of the Update */
    assert_int_equal(r->registers, 1);
    assert_int_equal(r->notify_count, 1);
    assert_int_equal(r->notified[0].token.bytes[0], 1);
    assert_told(r, 0, CBOR, 0, 2, first_s);
    /* and on it goes */
    set_temperature(r, 30);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 2);
    assert_false(r->notified[1].confirmable);
    assert_int_equal(dunlin_client_count(r->client).stored, 2);
    assert_int_equal(dunlin_client_count(r->client).stored_dropped, 0);
    rig_close(r);
}

static void everything_confirmable(dunlin_client_config *config, dunlin_server *server)
{
    (void)server;
    config->notify_confirmable = true;
}

static void told_when_a_notification_was_not_acknowledged(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1, everything_confirmable);
    (void)state;
    observe(r, "/3303/0/5700", 1, CBOR);
    r->mute = true;
    const double first_s = change(r, 1);
    rig_run(r, 95 * SECOND); /* given up, and an Update is on its way */
    assert_int_equal(dunlin_client_count(r->client).stored, 1);
    r->mute = false;
    rig_run(r, 60 * SECOND);
    assert_int_equal(r->registers, 1);
    assert_true(r->updates > 0);
    assert_int_equal(r->notify_count, 1);
    assert_told(r, 0, CBOR, 0, 1, first_s);
    rig_close(r);
}

static void told_to_who_observes_again(void **state)
{
    static const struct {
        uint16_t format;
        dunlin_lwm2m lwm2m;
    } rows[] = {{CBOR, DUNLIN_LWM2M_1_1}, {JSON, DUNLIN_LWM2M_1_1}, {OLD_JSON, DUNLIN_LWM2M_1_0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig *r = opened(rows[i].lwm2m, NULL);
        observe(r, "/3303/0/5700", 1, rows[i].format);
        disable(r);
        const double first_s = change(r, 2);
        rig_run(r, 80 * SECOND);
        assert_int_equal(r->registers, 2);
        observe(r, "/3303/0/5700", 2, rows[i].format);
        rig_run(r, 5 * SECOND);
        assert_int_equal(r->notify_count, 1);
        assert_int_equal(r->notified[0].token.bytes[0], 2);
        assert_told(r, 0, rows[i].format, 0, 2, first_s);
        rig_run(r, 100 * SECOND);
        assert_int_equal(r->notify_count, 1);
        assert_int_equal(r->sends, 0);
        rig_close(r);
    }
}

static void told_after_a_registration_was_lost(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1, NULL);
    (void)state;
    observe(r, "/3303/0/5700", 1, CBOR);
    go_offline(r);
    (void)change(r, 4);
    rig_run(r, 600 * SECOND); /* Update and Registers in vain */
    assert_int_equal(r->registers, 1);
    r->mute = false;
    rig_run(r, 900 * SECOND);
    assert_int_equal(r->registers, 2);
    rig_close(r);

    r = opened(DUNLIN_LWM2M_1_1, NULL);
    observe(r, "/3303/0/5700", 1, CBOR);
    go_offline(r);
    const double again_s = change(r, 4);
    rig_run(r, 150 * SECOND);
    r->mute = false;
    while (r->registers < 2) {
        rig_run(r, SECOND);
    }
    observe(r, "/3303/0/5700", 2, CBOR);
    rig_run(r, 5 * SECOND);
    assert_int_equal(r->notify_count, 1);
    assert_told(r, 0, CBOR, 0, 4, again_s);
    rig_close(r);
}

static void sent_if_nobody_observes_again(void **state)
{
    told values[RECORD_MAX];
    rig *r = opened(DUNLIN_LWM2M_1_1, NULL);
    (void)state;
    observe(r, "/3303/0/5700", 1, CBOR);
    disable(r);
    const double first_s = change(r, 2);
    rig_run(r, 79 * SECOND);
    assert_int_equal(r->registers, 2);
    assert_int_equal(r->sends, 0);
    rig_run(r, (SEND_S + 2) * SECOND);
    assert_int_equal(r->sends, 2); /* one for each */
    assert_int_equal(decode(CBOR, "/", r->sent, r->sent_len, values), 1);
    assert_true(values[0].value == 23);
    assert_true(values[0].time_s > first_s + 9 && values[0].time_s < first_s + 11);
    rig_run(r, 1000 * SECOND);
    assert_int_equal(r->sends, 2);
    rig_close(r);
}

/* The whole Object with more values than one Send of these takes. */
static void what_is_large_is_sent_in_parts(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1, NULL);
    (void)state;
    observe(r, "/33000", 1, CBOR);
    disable(r);
    r->things[0].number = 8;
    dunlin_changed(r->client, dunlin_path_resource(RIG_OBJECT, 0, RIG_NUMBER));
    rig_run(r, 130 * SECOND);
    assert_int_equal(dunlin_client_count(r->client).stored, 1);
    assert_int_equal(r->sends, 2);
    assert_int_equal(dunlin_client_count(r->client).sends_failed, 0);
    rig_close(r);
}

static void muted(dunlin_client_config *config, dunlin_server *server)
{
    (void)config;
    server->mute_send = true;
}

static void kept_while_send_is_muted(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1, muted);
    (void)state;
    observe(r, "/3303/0/5700", 1, CBOR);
    disable(r);
    const double first_s = change(r, 2);
    rig_run(r, 1000 * SECOND);
    assert_int_equal(r->sends, 0);
    assert_int_equal(dunlin_client_count(r->client).stored_dropped, 0);
    observe(r, "/3303/0/5700", 2, CBOR);
    rig_run(r, SECOND);
    assert_told(r, 0, CBOR, 0, 2, first_s);
    rig_close(r);
}

static void failing_sends_are_tried_again_after_an_update(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1, NULL);
    (void)state;
    observe(r, "/3303/0/5700", 1, CBOR);
    disable(r);
    (void)change(r, 1);
    r->send_code = DN_COAP_NOT_FOUND;
    rig_run(r, 130 * SECOND);
    assert_int_equal(r->sends, 1);
    r->send_code = DN_COAP_CHANGED;
    dunlin_client_update(r->client);
    rig_run(r, (SEND_S + 2) * SECOND);
    assert_int_equal(r->sends, 2);
    rig_run(r, 100 * SECOND);
    assert_int_equal(r->sends, 2);
    rig_close(r);
}

static void not_stored(dunlin_client_config *config, dunlin_server *server)
{
    (void)config;
    server->store_notifications = false;
}

static void without_storing_they_are_lost(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1, not_stored);
    (void)state;
    observe(r, "/3303/0/5700", 1, CBOR);
    go_offline(r);
    (void)change(r, 2);
    r->mute = false;
    rig_run(r, 40 * SECOND);
    assert_int_equal(dunlin_client_count(r->client).stored, 0);
    assert_int_equal(r->notify_count, 1); /* what is so now */
    assert_false(r->notified[0].confirmable);
    rig_close(r);

    r = opened(DUNLIN_LWM2M_1_1, not_stored);
    observe(r, "/3303/0/5700", 1, CBOR);
    disable(r);
    (void)change(r, 2);
    rig_run(r, 80 * SECOND);
    observe(r, "/3303/0/5700", 2, CBOR);
    rig_run(r, 100 * SECOND);
    assert_int_equal(r->notify_count, 0);
    assert_int_equal(r->sends, 0);
    rig_close(r);
}

static void a_server_switches_it_off(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1, NULL);
    (void)state;
    assert_int_equal(rig_send(r, DN_COAP_PUT, "/1/0/6", TEXT, "0")->code, DN_COAP_CHANGED);
    observe(r, "/3303/0/5700", 1, CBOR);
    disable(r);
    (void)change(r, 2);
    assert_int_equal(dunlin_client_count(r->client).stored, 0);
    rig_close(r);
}

static void three(dunlin_client_config *config, dunlin_server *server)
{
    (void)server;
    config->stored = 3;
}

static void few_bytes(dunlin_client_config *config, dunlin_server *server)
{
    (void)server;
    config->stored_max = 100; /* of some 25 for each value */
}

static void nothing(dunlin_client_config *config, dunlin_server *server)
{
    (void)server;
    config->stored = 0;
    config->stored_max = 0;
}

static void the_oldest_give_way(void **state)
{
    static const struct {
        void (*change)(dunlin_client_config *config, dunlin_server *server);
        unsigned least, most; /* that are left of six */
    } rows[] = {{three, 3, 3}, {few_bytes, 3, 5}, {nothing, 0, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig *r = opened(DUNLIN_LWM2M_1_1, rows[i].change);
        observe(r, "/3303/0/5700", 1, CBOR);
        disable(r);
        const double first_s = change(r, 6);
        const uint64_t dropped = dunlin_client_count(r->client).stored_dropped;
        assert_in_range(6 - dropped, rows[i].least, rows[i].most);
        rig_run(r, 40 * SECOND);
        observe(r, "/3303/0/5700", 2, CBOR);
        rig_run(r, 5 * SECOND);
        if (dropped < 6) {
            assert_told(r, 0, CBOR, (unsigned)dropped, (unsigned)(6 - dropped),
                        first_s + 10.0 * (double)dropped);
        } else {
            assert_int_equal(r->notify_count, 0);
        }
        rig_close(r);
    }
}

static void small_bodies(dunlin_client_config *config, dunlin_server *server)
{
    (void)server;
    config->max_body = 128;
    config->block_size = 128;
}

static void what_does_not_fit_goes_in_several(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1, small_bodies);
    told values[RECORD_MAX];
    unsigned next = 0;
    (void)state;
    observe(r, "/3303/0/5700", 1, JSON);
    disable(r);
    (void)change(r, 9);
    rig_run(r, 9 * SECOND);
    observe(r, "/3303/0/5700", 2, JSON);
    rig_run(r, 5 * SECOND);
    assert_in_range(r->notify_count, 3, 5);
    for (size_t i = 0; i < r->notify_count; i++) {
        const rig_notification *n = &r->notified[i];
        const size_t count = decode(JSON, "/3303/0/5700", n->payload, n->len, values);
        for (size_t v = 0; v < count; v++) {
            assert_true(values[v].value == 22 + next);
            next++;
        }
    }
    assert_int_equal(next, 9);
    rig_close(r);
}

static void a_format_without_times_tells_the_newest(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1, NULL);
    (void)state;
    observe(r, "/3303/0/5700", 1, TEXT);
    go_offline(r);
    (void)change(r, 2);
    r->mute = false;
    rig_run(r, 40 * SECOND);
    assert_int_equal(r->notify_count, 1);
    assert_string_equal((const char *)r->notified[0].payload, "23");
    rig_run(r, 100 * SECOND);
    assert_int_equal(r->notify_count, 1);
    assert_int_equal(r->sends, 0);
    rig_close(r);
}

static void each_observation_gets_its_own(void **state)
{
    told values[RECORD_MAX];
    rig *r = opened(DUNLIN_LWM2M_1_1, NULL);
    (void)state;
    observe(r, "/3303/0/5700", 1, CBOR);
    observe(r, "/3/0/9", 2, CBOR);
    disable(r);
    const double first_s = change(r, 2);
    r->device.battery_level = 50;
    dunlin_changed(r->client, dunlin_path_resource(3, 0, 9));
    rig_run(r, 80 * SECOND);
    observe(r, "/3/0/9", 3, CBOR);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 1);
    assert_int_equal(decode(CBOR, "/3/0/9", r->notified[0].payload, r->notified[0].len, values), 1);
    assert_true(values[0].value == 50);
    observe(r, "/3303/0/5700", 4, CBOR);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 2);
    assert_told(r, 1, CBOR, 0, 2, first_s);
    rig_run(r, 100 * SECOND);
    assert_int_equal(r->notify_count, 2);
    assert_int_equal(r->sends, 0);
    rig_close(r);
}

static void no_clock(dunlin_client_config *config, dunlin_server *server)
{
    (void)server;
    config->call.unix_s = NULL;
}

static void without_a_clock_times_are_relative(void **state)
{
    told values[RECORD_MAX];
    rig *r = opened(DUNLIN_LWM2M_1_1, no_clock);
    (void)state;
    observe(r, "/3303/0/5700", 1, JSON);
    disable(r);
    (void)change(r, 1);
    rig_run(r, 90 * SECOND);
    observe(r, "/3303/0/5700", 2, JSON);
    rig_run(r, SECOND);
    assert_int_equal(decode(JSON, "/3303/0/5700", r->notified[0].payload, r->notified[0].len, values), 1);
    assert_true(values[0].time_s < -98 && values[0].time_s > -104);
    rig_close(r);
}

static void pmin_holds_for_what_was_stored(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1, NULL);
    const rig_request attributes = {.method = DN_COAP_PUT, .path = "/3303/0/5700", .query = "pmin=30"};
    (void)state;
    assert_int_equal(rig_ask(r, &attributes)->code, DN_COAP_CHANGED);
    observe(r, "/3303/0/5700", 1, CBOR);
    disable(r);
    (void)change(r, 7); /* at 30 and 60 s */
    rig_run(r, 35 * SECOND);
    assert_int_equal(dunlin_client_count(r->client).stored, 3);
    observe(r, "/3303/0/5700", 2, CBOR);
    rig_run(r, 29 * SECOND);
    assert_int_equal(r->notify_count, 0);
    rig_run(r, 2 * SECOND);
    assert_int_equal(r->notify_count, 1);
    rig_close(r);
}

static void cancelled_they_are_forgotten(void **state)
{
    const rig_request cancel = {.method = DN_COAP_GET, .path = "/3303/0/5700", .cancel = true, .token = 2};
    const rig_request attributes = {.method = DN_COAP_PUT, .path = "/3303/0/5700", .query = "pmin=30"};
    rig *r = opened(DUNLIN_LWM2M_1_1, NULL);
    (void)state;
    assert_int_equal(rig_ask(r, &attributes)->code, DN_COAP_CHANGED);
    observe(r, "/3303/0/5700", 1, CBOR);
    disable(r);
    (void)change(r, 5);
    rig_run(r, 52 * SECOND);
    observe(r, "/3303/0/5700", 2, CBOR);
    assert_int_equal(rig_ask(r, &cancel)->code, DN_COAP_CONTENT);
    rig_run(r, 1000 * SECOND);
    assert_int_equal(r->notify_count, 0);
    assert_int_equal(r->sends, 0);
    rig_close(r);
}

static void stopped_they_are_forgotten(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1, NULL);
    (void)state;
    observe(r, "/3303/0/5700", 1, CBOR);
    disable(r);
    (void)change(r, 2);
    dunlin_client_stop(r->client, dn_simlink_now(r->link));
    rig_run(r, SECOND);
    dunlin_client_start(r->client, dn_simlink_now(r->link));
    rig_run(r, SECOND);
    observe(r, "/3303/0/5700", 2, CBOR);
    rig_run(r, 1000 * SECOND);
    assert_int_equal(r->notify_count, 0);
    assert_int_equal(r->sends, 0);
    rig_close(r);
}

static void observe_composite(rig *r, uint8_t token)
{
    static const char body[] = "[{\"n\":\"/3303/0/5700\"},{\"n\":\"/3/0/9\"}]";
    const rig_request request = {.method = DN_COAP_FETCH,
                                 .path = "",
                                 .observe = true,
                                 .token = token,
                                 .payload = body,
                                 .len = sizeof body - 1,
                                 .has_format = true,
                                 .format = JSON,
                                 .has_accept = true,
                                 .accept = CBOR};
    assert_int_equal(rig_ask(r, &request)->code, DN_COAP_CONTENT);
    assert_true(r->answer.observe >= 0);
}

static void composites_are_stored_as_well(void **state)
{
    told values[RECORD_MAX];
    rig *r = opened(DUNLIN_LWM2M_1_1, NULL);
    (void)state;
    observe_composite(r, 1);
    disable(r);
    const double first_s = change(r, 2);
    rig_run(r, 80 * SECOND);
    observe_composite(r, 2);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 1);
    assert_int_equal(decode(CBOR, "/", r->notified[0].payload, r->notified[0].len, values), 4);
    assert_true(values[0].value == 22 && values[1].value == 100 && values[2].value == 23);
    assert_true(values[1].time_s > first_s - 1 && values[1].time_s < first_s + 1);
    rig_run(r, 100 * SECOND);
    assert_int_equal(r->notify_count, 1);
    rig_close(r);
}

static void all_confirmable_and_muted(dunlin_client_config *config, dunlin_server *server)
{
    everything_confirmable(config, server);
    muted(config, server);
}

/* Offline again and again on a link that loses a quarter, with a server that observes anew when it has to: each value is told. */
static void nothing_is_lost(void **state)
{
    static const dn_simlink_rules bad = {.loss_permille = 250, .delay_min_ms = 10, .delay_max_ms = 300};
    static const dn_simlink_rules good;
    told values[RECORD_MAX];
    bool heard[10] = {false};
    unsigned observed = 1;
    rig *r = opened(DUNLIN_LWM2M_1_1, all_confirmable_and_muted);
    (void)state;
    observe(r, "/3303/0/5700", 1, CBOR);
    for (unsigned i = 0; i < 10; i++) {
        dn_simlink_rule(r->link, &bad);
        r->mute = i % 3 == 1;
        set_temperature(r, 22 + i);
        rig_run(r, (i % 3 == 1 ? 300 : 120) * SECOND); /* long enough to lose the registration as well */
        r->mute = false;
        dn_simlink_rule(r->link, &good);
        while (!dunlin_client_registered(r->client)) {
            rig_run(r, SECOND);
        }
        if (r->registers > observed) {
            observed = r->registers;
            observe(r, "/3303/0/5700", (uint8_t)observed, CBOR);
        }
    }
    rig_run(r, 400 * SECOND);
    assert_true(observed > 1);
    for (size_t i = 0; i < r->notify_count; i++) {
        const rig_notification *n = &r->notified[i];
        const size_t count = decode(CBOR, "/3303/0/5700", n->payload, n->len, values);
        for (size_t v = 0; v < count; v++) {
            heard[(size_t)values[v].value - 22] = true;
        }
    }
    for (size_t i = 0; i < 10; i++) {
        assert_true(heard[i]);
    }
    assert_int_equal(dunlin_client_count(r->client).stored_dropped, 0);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_when_the_update_is_acknowledged),
        cmocka_unit_test(told_when_a_notification_was_not_acknowledged),
        cmocka_unit_test(told_to_who_observes_again),
        cmocka_unit_test(told_after_a_registration_was_lost),
        cmocka_unit_test(sent_if_nobody_observes_again),
        cmocka_unit_test(what_is_large_is_sent_in_parts),
        cmocka_unit_test(kept_while_send_is_muted),
        cmocka_unit_test(failing_sends_are_tried_again_after_an_update),
        cmocka_unit_test(without_storing_they_are_lost),
        cmocka_unit_test(a_server_switches_it_off),
        cmocka_unit_test(the_oldest_give_way),
        cmocka_unit_test(what_does_not_fit_goes_in_several),
        cmocka_unit_test(a_format_without_times_tells_the_newest),
        cmocka_unit_test(each_observation_gets_its_own),
        cmocka_unit_test(without_a_clock_times_are_relative),
        cmocka_unit_test(pmin_holds_for_what_was_stored),
        cmocka_unit_test(cancelled_they_are_forgotten),
        cmocka_unit_test(stopped_they_are_forgotten),
        cmocka_unit_test(composites_are_stored_as_well),
        cmocka_unit_test(nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
