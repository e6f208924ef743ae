/* SPDX-License-Identifier: Apache-2.0 */
/* Observe, Notify and Cancel: the conditions as tables of values over time, and how observations end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/second.h"

#define NO     (-1)
#define TEXT   0
#define SECOND 1000ull
#define HOUR   (3600 * SECOND)

static rig *fresh(void)
{
    rig *r = malloc(sizeof *r);
    assert_non_null(r);
    rig_register(r, DUNLIN_LWM2M_1_1);
    return r;
}

static void done(rig *r)
{
    rig_close(r);
    free(r);
}

static void assert_code(const rig_answer *answer, const char *code)
{
    assert_string_equal(rig_code(answer->code), code);
}

static const rig_answer *observe(rig *r, const char *path, uint8_t token, int accept)
{
    const rig_request request = {.method = DN_COAP_GET,
                                 .path = path,
                                 .observe = true,
                                 .token = token,
                                 .has_accept = accept >= 0,
                                 .accept = (uint16_t)accept};
    return rig_ask(r, &request);
}

static const rig_answer *cancel(rig *r, const char *path, uint8_t token)
{
    const rig_request request = {.method = DN_COAP_GET, .path = path, .cancel = true, .token = token};
    return rig_ask(r, &request);
}

static void attributes(rig *r, const char *path, const char *query)
{
    const rig_request request = {.method = DN_COAP_PUT, .path = path, .query = query};
    assert_code(rig_ask(r, &request), "2.04");
}

static void set_temperature(rig *r, double value)
{
    r->thermometer[0].value = value;
    dunlin_changed(r->client, dunlin_path_resource(3303, 0, 5700));
}

static void assert_notified(const rig *r, size_t at, const char *text)
{
    assert_true(at < r->notify_count);
    assert_string_equal((const char *)r->notified[at].payload, text);
}

static void oma_int_301_observe_and_notify(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(observe(r, "/3303/0/5700", 1, NO), "2.05");
    assert_true(r->answer.observe >= 0);
    int32_t last = r->answer.observe;
    assert_memory_equal(r->answer.payload, "21", 2);
    rig_run(r, HOUR);
    assert_int_equal(r->notify_count, 0);
    for (size_t i = 0; i < 5; i++) {
        set_temperature(r, 30 + (double)i);
        rig_run(r, 10);
        assert_int_equal(r->notify_count, i + 1);
        assert_true(r->notified[i].observe > last);
        last = r->notified[i].observe;
        assert_int_equal(r->notified[i].token.bytes[0], 1);
        assert_int_equal(r->notified[i].code, DN_COAP_CONTENT);
        assert_int_equal(r->notified[i].format, TEXT);
        assert_false(r->notified[i].confirmable);
    }
    assert_notified(r, 4, "34");
    /* told of a change that is none */
    set_temperature(r, 34);
    rig_run(r, HOUR);
    assert_int_equal(r->notify_count, 5);
    done(r);
}

static void oma_int_301_windows_of_pmin_and_pmax(void **state)
{
    rig *r = fresh();
    (void)state;
    attributes(r, "/3/0/7", "pmin=5&pmax=15");
    attributes(r, "/3/0/8", "pmin=10&pmax=20");
    assert_code(observe(r, "/3/0/7", 7, NO), "2.05");
    const uint64_t began = dn_simlink_now(r->link);
    assert_code(observe(r, "/3/0/8", 8, NO), "2.05");
    for (unsigned s = 0; s < 120; s++) {
        r->device.power_voltage_mv.value[0] += 10;
        dunlin_changed(r->client, dunlin_path_resource(3, 0, 7));
        rig_run(r, SECOND);
    }
    uint64_t last7 = began;
    uint64_t last8 = began;
    unsigned count7 = 0;
    unsigned count8 = 0;
    for (size_t i = 0; i < r->notify_count; i++) {
        const rig_notification *n = &r->notified[i];
        uint64_t *last = n->token.bytes[0] == 7 ? &last7 : &last8;
        const uint64_t gap = n->at_ms - *last;
        *last = n->at_ms;
        if (n->token.bytes[0] == 7) {
            count7++;
            assert_in_range(gap, 5 * SECOND - 10, 6 * SECOND + 10);
        } else {
            count8++; /* does not change: pmax alone */
            assert_in_range(gap, 20 * SECOND - 10, 20 * SECOND + 10);
        }
    }
    assert_in_range(count7, 19, 24);
    assert_in_range(count8, 5, 6);
    done(r);
}

/* What is notified when a value steps through a list; each value stands for one second. Transport 1.1.1 section 6.4.4 has the
   examples 45 to 50 and so on. */
typedef struct {
    const char *name, *query;
    double values[8];     /* the first one is there when the observation begins; 999 ends */
    const char *notified; /* a mark for each value behind the first: '!' or '.' */
} steps;

static void conditions_by_table(void **state)
{
    static const steps rows[] = {
        {"no attributes: each change", NULL, {45, 50, 50, 51, 999}, "!.!"},
        {"gt: 45 to 50", "gt=45&st=10", {45, 50, 999}, "!"},
        {"gt and step: 38 to 49", "gt=45&st=10", {38, 49, 999}, "!"},
        {"gt falling counts too", "gt=45", {48, 42, 999}, "!"},
        {"gt not crossed", "gt=45", {48, 60, 46, 46, 999}, "..."},
        {"gt is crossed from the last notified value", "gt=45", {40, 45, 46, 45, 44, 999}, ".!.!"},
        {"lt: 50 to 10", "lt=20&gt=85&st=10", {50, 10, 999}, "!"},
        {"75 to 90", "lt=20&gt=85&st=10", {75, 90, 999}, "!"},
        {"step: 87 to 99", "lt=20&gt=85&st=10", {87, 99, 999}, "!"},
        {"none: 50 to 55", "lt=20&gt=85&st=10", {50, 55, 999}, "."},
        {"steps add up", "st=10", {50, 54, 58, 62, 62, 52, 999}, "..!.!"},
        {"lt both ways", "lt=20", {17, 24, 18, 19, 999}, "!!."},
        {"negative threshold", "gt=-85.5", {-90, -86, -85, -60, 999}, ".!."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig *r = fresh();
        char got[8] = "";
        r->thermometer[0].value = rows[i].values[0];
        if (rows[i].query != NULL) {
            attributes(r, "/3303/0/5700", rows[i].query);
        }
        assert_code(observe(r, "/3303/0/5700", 1, NO), "2.05");
        for (size_t v = 1; rows[i].values[v] < 999; v++) {
            const size_t before = r->notify_count;
            set_temperature(r, rows[i].values[v]);
            rig_run(r, SECOND);
            got[v - 1] = r->notify_count > before ? '!' : '.';
        }
        if (strcmp(got, rows[i].notified) != 0) {
            fail_msg("%s: %s instead of %s", rows[i].name, got, rows[i].notified);
        }
        done(r);
    }
}

static void pmin_delays_and_sends_the_value_of_then(void **state)
{
    rig *r = fresh();
    (void)state;
    attributes(r, "/3303/0", "pmin=30");
    assert_code(observe(r, "/3303/0/5700", 1, NO), "2.05");
    const uint64_t began = dn_simlink_now(r->link);
    set_temperature(r, 25);
    rig_run(r, 10 * SECOND);
    set_temperature(r, 26);
    rig_run(r, 19 * SECOND);
    assert_int_equal(r->notify_count, 0);
    rig_run(r, 2 * SECOND);
    assert_int_equal(r->notify_count, 1);
    assert_notified(r, 0, "26");
    assert_in_range(r->notified[0].at_ms, began + 30 * SECOND - 5, began + 30 * SECOND + 5);
    /* back to what it was before pmin is over: the change has been seen all the same */
    set_temperature(r, 27);
    rig_run(r, SECOND);
    set_temperature(r, 26);
    rig_run(r, 30 * SECOND);
    assert_int_equal(r->notify_count, 2);
    assert_notified(r, 1, "26");
    done(r);
}

static void pmax_rules(void **state)
{
    static const struct {
        const char *name, *path, *query;
        uint64_t gap_s; /* 0: none */
    } rows[] = {
        {"at the resource", "/3303/0/5700", "pmax=20", 20},
        {"inherited from the instance", "/3303/0", "pmax=20", 20},
        {"inherited from the object", "/3303", "pmax=20", 20},
        {"below pmin it is ignored", "/3303/0/5700", "pmin=30&pmax=20", 0},
        {"equal to pmin it counts", "/3303/0/5700", "pmin=20&pmax=20", 20},
        {"0 is none", "/3303/0/5700", "pmax=0", 0},
        {"of another resource", "/3303/0/5701", "pmax=20", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig *r = fresh();
        attributes(r, rows[i].path, rows[i].query);
        assert_code(observe(r, "/3303/0/5700", 1, NO), "2.05");
        rig_run(r, 100 * SECOND);
        const size_t expected = rows[i].gap_s == 0 ? 0 : 100 / rows[i].gap_s;
        if (r->notify_count + 1 < expected || r->notify_count > expected) {
            fail_msg("%s: %zu notifications", rows[i].name, r->notify_count);
        }
        done(r);
    }
}

static void defaults_of_the_server_object(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(rig_send(r, DN_COAP_PUT, "/1/0/2", TEXT, "10"), "2.04");
    assert_code(rig_send(r, DN_COAP_PUT, "/1/0/3", TEXT, "20"), "2.04");
    assert_code(observe(r, "/3303/0/5700", 1, NO), "2.05");
    set_temperature(r, 25);
    rig_run(r, 9 * SECOND);
    assert_int_equal(r->notify_count, 0);
    rig_run(r, 2 * SECOND);
    assert_int_equal(r->notify_count, 1);
    rig_run(r, 20 * SECOND);
    assert_int_equal(r->notify_count, 2);
    attributes(r, "/3303", "pmax=5&pmin=0"); /* goes before the defaults, at once */
    rig_run(r, 21 * SECOND);
    assert_in_range(r->notify_count, 6, 7);
    done(r);
}

static void epmax_looks_without_being_told(void **state)
{
    rig *r = fresh();
    (void)state;
    attributes(r, "/3303/0/5700", "epmin=2&epmax=10");
    assert_code(observe(r, "/3303/0/5700", 1, NO), "2.05");
    r->thermometer[0].value = 30;
    rig_run(r, 9 * SECOND);
    assert_int_equal(r->notify_count, 0);
    rig_run(r, 2 * SECOND);
    assert_int_equal(r->notify_count, 1);
    assert_notified(r, 0, "30");
    set_temperature(r, 31); /* told, but epmin has not passed */
    rig_run(r, 500);
    assert_int_equal(r->notify_count, 1);
    rig_run(r, 2 * SECOND);
    assert_int_equal(r->notify_count, 2);
    done(r);
}

static void levels_above_notify_what_is_below(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(observe(r, "/33000", 1, 110), "2.05");
    assert_code(observe(r, "/33000/0", 2, 110), "2.05");
    assert_code(observe(r, "/33000/0/8", 3, 110), "2.05");
    assert_code(observe(r, "/33000/0/8/5", 4, NO), "2.05");
    assert_memory_equal(r->answer.payload, "50", 2);
    assert_code(rig_send(r, DN_COAP_PUT, "/33000/0/8/5", TEXT, "51"), "2.04");
    rig_run(r, 100);
    assert_int_equal(r->notify_count, 4);
    assert_int_equal(r->notified[0].format, 110);
    assert_code(rig_send(r, DN_COAP_PUT, "/33000/1/0", TEXT, "3"), "2.04"); /* seen by the object alone */
    rig_run(r, 100);
    assert_int_equal(r->notify_count, 5);
    assert_int_equal(r->notified[4].token.bytes[0], 1);
    done(r);
}

static void a_large_notification_is_fetched(void **state)
{
    rig *r = fresh();
    (void)state;
    r->config.block_size = 64;
    rig_close(r);
    rig_open(r, DUNLIN_LWM2M_1_1, 1);
    dunlin_client_config config = r->config;
    config.block_size = 64;
    r->client = dunlin_client_create(r->client_arena, sizeof r->client_arena, &config, 0);
    assert_non_null(r->client);
    dunlin_server account = dunlin_server_default();
    strcpy(account.uri, "coap://server");
    assert_int_equal(dunlin_device_add(r->client, &r->device), DUNLIN_OK);
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_OK);
    dunlin_client_start(r->client, 0);
    rig_run(r, SECOND);
    assert_code(observe(r, "/3/0", 1, 110), "2.05");
    assert_true(r->answer.len > 300);
    r->device.battery_level = 50;
    dunlin_changed(r->client, dunlin_path_resource(3, 0, 9));
    rig_run(r, 100);
    assert_int_equal(r->notify_count, 1);
    assert_true(r->notified[0].more);
    assert_int_equal(r->notified[0].len, 64);
    done(r);
}

static void a_confirmable_one_each_day(void **state)
{
    rig *r = fresh();
    unsigned confirmable = 0;
    (void)state;
    attributes(r, "/3303/0/5700", "pmax=7200");
    assert_code(observe(r, "/3303/0/5700", 1, NO), "2.05");
    rig_run(r, 5 * 24 * HOUR);
    assert_in_range(r->notify_count, 59, 60);
    for (size_t i = 0; i < r->notify_count; i++) {
        confirmable += r->notified[i].confirmable ? 1 : 0;
    }
    assert_in_range(confirmable, 4, 5);
    done(r);
}

static void all_confirmable_if_so_configured(void **state)
{
    rig *r = malloc(sizeof *r);
    (void)state;
    assert_non_null(r);
    rig_open(r, DUNLIN_LWM2M_1_1, 1);
    dunlin_client_config config = r->config;
    config.notify_confirmable = true;
    r->client = dunlin_client_create(r->client_arena, sizeof r->client_arena, &config, 0);
    dunlin_server account = dunlin_server_default();
    strcpy(account.uri, "coap://server");
    account.store_notifications = false;
    assert_int_equal(dunlin_device_add(r->client, &r->device), DUNLIN_OK);
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_OK);
    dunlin_client_start(r->client, 0);
    rig_run(r, SECOND);
    assert_code(observe(r, "/3/0/9", 1, NO), "2.05");
    r->device.battery_level = 50;
    dunlin_changed(r->client, dunlin_path_resource(3, 0, 9));
    rig_run(r, 100);
    assert_int_equal(r->notify_count, 1);
    assert_true(r->notified[0].confirmable);
    /* nobody acknowledges: the observer is gone (RFC 7641 section 4.5) */
    r->mute = true;
    r->device.battery_level = 49;
    dunlin_changed(r->client, dunlin_path_resource(3, 0, 9));
    rig_run(r, 100 * SECOND);
    r->mute = false;
    r->device.battery_level = 48;
    dunlin_changed(r->client, dunlin_path_resource(3, 0, 9));
    rig_run(r, 100 * SECOND);
    assert_int_equal(r->notify_count, 1);
    assert_true(dunlin_client_registered(r->client));
    done(r);
}

static void oma_int_302_a_reset_cancels(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(observe(r, "/3303/0/5700", 1, NO), "2.05");
    assert_code(observe(r, "/3/0/9", 2, NO), "2.05");
    r->reset = true;
    set_temperature(r, 25); /* Non-confirmable */
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 1);
    r->reset = false;
    set_temperature(r, 26);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 1);
    r->device.battery_level = 1; /* the other one goes on */
    dunlin_changed(r->client, dunlin_path_resource(3, 0, 9));
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 2);
    done(r);
}

static void oma_int_303_cancel_by_get(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(observe(r, "/3303/0/5700", 1, NO), "2.05");
    assert_code(observe(r, "/3/0/9", 2, NO), "2.05");
    assert_code(cancel(r, "/3303/0/5700", 1), "2.05");
    assert_int_equal(r->answer.observe, DN_COAP_NO_OBSERVE);
    assert_code(cancel(r, "/3/0/9", 77), "2.05"); /* the path is enough */
    set_temperature(r, 26);
    r->device.battery_level = 1;
    dunlin_changed(r->client, dunlin_path_resource(3, 0, 9));
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 0);
    done(r);
}

static void observing_twice(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(observe(r, "/3303/0/5700", 1, NO), "2.05");
    assert_code(observe(r, "/3303/0/5700", 1, 110), "2.05"); /* the same token: in its place */
    set_temperature(r, 26);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 1);
    assert_int_equal(r->notified[0].format, 110);
    assert_code(observe(r, "/3303/0/5700", 2, NO), "2.05"); /* another one: beside it */
    set_temperature(r, 27);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 3);
    done(r);
}

static void observe_is_refused_as_a_read(void **state)
{
    static const struct {
        const char *path, *code;
        int accept;
    } rows[] = {
        {"/3303/0/5605", "4.05", NO}, {"/3303/1", "4.04", NO}, {"/33000/0/14", "4.05", NO},
        {"/33000/0/13", "4.04", NO},  {"/0", "4.01", NO},      {"/3303/0", "4.06", TEXT},
    };
    rig *r = fresh();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_code(observe(r, rows[i].path, 1, rows[i].accept), rows[i].code);
        assert_int_equal(r->answer.observe, DN_COAP_NO_OBSERVE);
    }
    set_temperature(r, 26);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 0);
    done(r);
}

static void a_full_table_answers_without_observing(void **state)
{
    rig *r = fresh();
    (void)state;
    for (uint8_t token = 1; token <= 8; token++) {
        char path[24];
        (void)snprintf(path, sizeof path, "/33000/0/%u", token - 1u);
        assert_code(observe(r, path, token, NO), "2.05");
        assert_true(r->answer.observe >= 0);
    }
    assert_code(observe(r, "/3303/0/5700", 9, NO), "2.05");
    assert_int_equal(r->answer.observe, DN_COAP_NO_OBSERVE);
    assert_int_equal(dunlin_client_count(r->client).observations_refused, 1);
    /* one for a path that is observed already takes its place: the server has lost the old token */
    assert_code(observe(r, "/33000/0/0", 10, NO), "2.05");
    assert_true(r->answer.observe >= 0);
    assert_code(rig_send(r, DN_COAP_PUT, "/33000/0/0", TEXT, "99"), "2.04");
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 1);
    assert_int_equal(r->notified[0].token.bytes[0], 10);
    done(r);
}

static void a_deleted_instance_says_so(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(observe(r, "/33000/1/0", 1, NO), "2.05");
    assert_code(observe(r, "/33000/1", 2, NO), "2.05");
    assert_code(observe(r, "/33000", 3, 110), "2.05");
    assert_code(rig_send(r, DN_COAP_DELETE, "/33000/1", NO, NULL), "2.02");
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 3);
    unsigned gone = 0;
    for (size_t i = 0; i < 3; i++) {
        gone += r->notified[i].code == DN_COAP_NOT_FOUND ? 1 : 0;
    }
    assert_int_equal(gone, 2);
    assert_code(rig_send(r, DN_COAP_POST, "/33000", 110, "[{\"n\":\"/33000/1/0\",\"v\":4}]"), "2.01");
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 4); /* the object's observer alone */
    assert_int_equal(r->notified[3].token.bytes[0], 3);
    done(r);
}

static void an_instance_that_is_replaced_says_so(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(observe(r, "/33000/1/0", 1, NO), "2.05");
    assert_int_equal(dunlin_client_remove_instance(r->client, RIG_OBJECT, 1), DUNLIN_OK);
    assert_int_equal(dunlin_client_add_instance(r->client, RIG_OBJECT, 1, NULL), DUNLIN_OK);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 1);
    assert_int_equal(r->notified[0].code, DN_COAP_NOT_FOUND);
    done(r);
}

static void a_resource_that_vanishes_ends_its_observation(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(observe(r, "/33000/0/4", 1, NO), "2.05");
    assert_int_equal(
        dunlin_client_set_present(r->client, dunlin_path_resource(RIG_OBJECT, 0, RIG_TEXT), false),
        DUNLIN_OK);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 1);
    assert_int_equal(r->notified[0].code, DN_COAP_NOT_FOUND);
    assert_int_equal(
        dunlin_client_set_present(r->client, dunlin_path_resource(RIG_OBJECT, 0, RIG_TEXT), true), DUNLIN_OK);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 1);
    done(r);
}

static void a_new_registration_forgets_observations(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(observe(r, "/3303/0/5700", 1, NO), "2.05");
    dunlin_client_restart(r->client, dn_simlink_now(r->link));
    rig_run(r, SECOND);
    assert_int_equal(r->registers, 2);
    set_temperature(r, 26);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 0);
    done(r);
}

/* An observer on a lossy link, everything Confirmable: the last value always arrives. */
static void the_newest_value_arrives_in_the_end(void **state)
{
    static const dn_simlink_rules bad = {
        .loss_permille = 250, .duplicate_permille = 100, .delay_min_ms = 10, .delay_max_ms = 300};
    static const dn_simlink_rules good;
    rig *r = malloc(sizeof *r);
    unsigned arrived = 0;
    (void)state;
    assert_non_null(r);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        rig_open(r, DUNLIN_LWM2M_1_1, seed);
        r->config.notify_confirmable = true;
        r->client = dunlin_client_create(r->client_arena, sizeof r->client_arena, &r->config, 0);
        dunlin_server account = dunlin_server_default();
        strcpy(account.uri, "coap://server");
        assert_int_equal(dunlin_device_add(r->client, &r->device), DUNLIN_OK);
        assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_OK);
        dunlin_client_start(r->client, 0);
        rig_run(r, SECOND);
        assert_code(observe(r, "/3/0/9", 1, NO), "2.05");
        dn_simlink_rule(r->link, &bad);
        for (unsigned i = 0; i < 20; i++) {
            r->device.battery_level = (int8_t)(i + 1);
            dunlin_changed(r->client, dunlin_path_resource(3, 0, 9));
            rig_run(r, 3 * SECOND);
        }
        dn_simlink_rule(r->link, &good);
        rig_run(r, 120 * SECOND);
        if (r->notify_count > 0) {
            arrived += strcmp((const char *)r->notified[r->notify_count - 1].payload, "20") == 0 ? 1 : 0;
        }
        rig_close(r);
    }
    /* all, but for observations that ended because five transmissions in a row were lost */
    assert_in_range(arrived, 18, 20);
    free(r);
}

/* ---- composites ---- */

#define BOTH "[{\"n\":\"/3303/0/5700\"},{\"n\":\"/3/0/9\"}]"

static const rig_answer *fetch(rig *r, const char *names, uint8_t token, bool cancelled)
{
    const rig_request request = {.method = DN_COAP_FETCH,
                                 .path = "",
                                 .observe = !cancelled,
                                 .cancel = cancelled,
                                 .token = token,
                                 .payload = names,
                                 .len = strlen(names),
                                 .has_format = true,
                                 .format = 110,
                                 .has_accept = true,
                                 .accept = 110};
    return rig_ask(r, &request);
}

static void oma_int_304_observe_composite(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(fetch(r, BOTH, 1, false), "2.05");
    assert_true(r->answer.observe >= 0);
    set_temperature(r, 30);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 1);
    assert_int_equal(r->notified[0].format, 110);
    assert_notified(r, 0, "[{\"n\":\"/3303/0/5700\",\"v\":30},{\"n\":\"/3/0/9\",\"v\":100}]");
    done(r);
}

static void oma_int_305_cancel_composite(void **state)
{
    static const char other[] = "[{\"n\":\"/3/0/9\"}]";
    rig *r = fresh();
    (void)state;
    assert_code(fetch(r, BOTH, 1, false), "2.05");
    assert_code(fetch(r, other, 7, true), "2.05"); /* other paths, and another token: not this one */
    set_temperature(r, 30);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 1);
    assert_code(fetch(r, BOTH, 7, true), "2.05"); /* the paths are enough */
    assert_int_equal(r->answer.observe, DN_COAP_NO_OBSERVE);
    set_temperature(r, 31);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 1);
    assert_code(fetch(r, BOTH, 1, false), "2.05");
    r->reset = true;
    set_temperature(r, 32);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 2);
    set_temperature(r, 33);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 2);
    done(r);
}

static void composites_have_their_own_room(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(fetch(r, BOTH, 1, false), "2.05");
    assert_code(fetch(r, "[{\"n\":\"/3\"}]", 2, false), "2.05");
    assert_true(r->answer.observe >= 0);
    assert_code(fetch(r, "[{\"n\":\"/3303\"}]", 3, false), "2.05"); /* config.composites is 2 */
    assert_int_equal(r->answer.observe, DN_COAP_NO_OBSERVE);
    assert_code(observe(r, "/3303/0/5700", 4, NO), "2.05");
    assert_true(r->answer.observe >= 0);
    assert_code(fetch(r, BOTH, 5, false), "2.05"); /* in place of the one with the same paths */
    assert_true(r->answer.observe >= 0);
    set_temperature(r, 30);
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 2);
    assert_int_equal(dunlin_client_count(r->client).observations_refused, 1);
    done(r);
}

static void a_composite_of_too_many_paths_is_read_only(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(fetch(r,
                      "[{\"bn\":\"/3/0/\",\"n\":\"0\"},{\"n\":\"1\"},{\"n\":\"2\"},{\"n\":\"3\"},"
                      "{\"n\":\"4\"},{\"n\":\"5\"},{\"n\":\"6\"},{\"n\":\"7\"},{\"n\":\"8\"}]",
                      1, false),
                "2.05");
    assert_int_equal(r->answer.observe, DN_COAP_NO_OBSERVE);
    done(r);
}

static void one_token_is_one_observation(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(observe(r, "/3/0/9", 1, NO), "2.05");
    assert_code(fetch(r, BOTH, 1, false), "2.05"); /* the server has given it a new meaning */
    r->device.battery_level = 50;
    dunlin_changed(r->client, dunlin_path_resource(3, 0, 9));
    rig_run(r, SECOND);
    assert_int_equal(r->notify_count, 1);
    assert_int_equal(r->notified[0].format, 110);
    done(r);
}

/* ---- rights ---- */

static const dunlin_access for_both = {
    3303, 0, 1, {.count = 2, .id = {1, 2}, .value = {DUNLIN_ACCESS_READ, DUNLIN_ACCESS_READ}}};

static void let_second_read(rig *r, second *s, bool may)
{
    s->access[0].rights.value[1] = may ? DUNLIN_ACCESS_READ : 0;
    dunlin_changed(r->client, dunlin_path_instance(2, 0));
}

static void who_has_lost_the_right_is_told_nothing(void **state)
{
    static rig r;
    static second s;
    const rig_request request = {.method = DN_COAP_GET, .path = "/3303/0/5700", .observe = true, .token = 1};
    (void)state;
    second_open(&s, &r, &for_both, 1);
    for (unsigned server = 1; server <= 2; server++) {
        assert_code(second_ask(&s, server, &request), "2.05");
    }
    set_temperature(&r, 30);
    rig_run(&r, SECOND);
    assert_int_equal(r.notify_count, 1);
    assert_int_equal(s.notified, 1);
    let_second_read(&r, &s, false);
    set_temperature(&r, 31);
    rig_run(&r, SECOND);
    assert_int_equal(r.notify_count, 2);
    assert_int_equal(s.notified, 1);
    let_second_read(&r, &s, true); /* and it is told what it has missed */
    rig_run(&r, SECOND);
    assert_int_equal(r.notify_count, 2);
    assert_int_equal(s.notified, 2);
    assert_string_equal(s.told, "31");
    let_second_read(&r, &s, false);
    rig_run(&r, SECOND);
    let_second_read(&r, &s, true); /* nothing missed, nothing told */
    rig_run(&r, SECOND);
    assert_int_equal(s.notified, 2);
    second_close(&s);
}

static void each_server_has_its_own(void **state)
{
    static rig r;
    static second s;
    const rig_request request = {.method = DN_COAP_GET, .path = "/3303/0/5700", .observe = true, .token = 1};
    const rig_request attribute = {.method = DN_COAP_PUT, .path = "/3303/0/5700", .query = "pmin=30"};
    const rig_request over = {.method = DN_COAP_GET, .path = "/3303/0/5700", .cancel = true, .token = 1};
    (void)state;
    second_open(&s, &r, &for_both, 1);
    for (unsigned server = 1; server <= 2; server++) {
        assert_code(second_ask(&s, server, &request), "2.05");
    }
    assert_code(second_ask(&s, 1, &attribute), "2.04");
    set_temperature(&r, 30);
    rig_run(&r, SECOND);
    assert_int_equal(r.notify_count, 0);
    assert_int_equal(s.notified, 1);
    rig_run(&r, 30 * SECOND);
    assert_int_equal(r.notify_count, 1);
    assert_code(second_ask(&s, 2, &over), "2.05");
    set_temperature(&r, 31);
    rig_run(&r, 60 * SECOND);
    assert_int_equal(r.notify_count, 2);
    assert_int_equal(s.notified, 1);
    second_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oma_int_301_observe_and_notify),
        cmocka_unit_test(oma_int_301_windows_of_pmin_and_pmax),
        cmocka_unit_test(conditions_by_table),
        cmocka_unit_test(pmin_delays_and_sends_the_value_of_then),
        cmocka_unit_test(pmax_rules),
        cmocka_unit_test(defaults_of_the_server_object),
        cmocka_unit_test(epmax_looks_without_being_told),
        cmocka_unit_test(levels_above_notify_what_is_below),
        cmocka_unit_test(a_large_notification_is_fetched),
        cmocka_unit_test(a_confirmable_one_each_day),
        cmocka_unit_test(all_confirmable_if_so_configured),
        cmocka_unit_test(oma_int_302_a_reset_cancels),
        cmocka_unit_test(oma_int_303_cancel_by_get),
        cmocka_unit_test(observing_twice),
        cmocka_unit_test(observe_is_refused_as_a_read),
        cmocka_unit_test(a_full_table_answers_without_observing),
        cmocka_unit_test(a_deleted_instance_says_so),
        cmocka_unit_test(an_instance_that_is_replaced_says_so),
        cmocka_unit_test(a_resource_that_vanishes_ends_its_observation),
        cmocka_unit_test(a_new_registration_forgets_observations),
        cmocka_unit_test(the_newest_value_arrives_in_the_end),
        cmocka_unit_test(oma_int_304_observe_composite),
        cmocka_unit_test(oma_int_305_cancel_composite),
        cmocka_unit_test(composites_have_their_own_room),
        cmocka_unit_test(a_composite_of_too_many_paths_is_read_only),
        cmocka_unit_test(one_token_is_one_observation),
        cmocka_unit_test(who_has_lost_the_right_is_told_nothing),
        cmocka_unit_test(each_server_has_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
