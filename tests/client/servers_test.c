/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several server accounts: the order in which they are registered with, what a failure means for the others, and
 * when a bootstrap is asked for (Core 1.1.1 section 6.2.1.1; Object 1 resources 9, 13 to 23).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/second.h"

#define NO       (-1)
#define TEXT     0
#define LINK     40
#define SECOND   1000ull
#define ACCOUNTS 4
#define LOG_MAX  512
#define ALONE    (-1) /* no place in the order */

typedef struct {
    int32_t ssid; /* 0: no more */
    bool there;   /* the server has an address, and registers all that comes */
    int32_t priority;
    uint32_t delay_s;
    bool blocks;
    bool no_bootstrap;
    uint32_t sequences; /* 0 counts as 1 */
    uint32_t pause_s;
} account_row;

#define S(number, has, order) .ssid = (number), .there = (has), .priority = (order)

typedef struct {
    const char *name;
    dunlin_lwm2m lwm2m;
    account_row accounts[ACCOUNTS];
    unsigned run_s;
    const char *log; /* second:ssid and what happened to it, see letter_of */
} order_row;

typedef struct {
    rig *r;
    void (*event)(void *context, const dunlin_client_event *event);
    char log[LOG_MAX];
    dunlin_access access[2];
} world;

static world the_world;

static char letter_of(dunlin_client_event_kind kind)
{
    static const char letters[] = {
        [DUNLIN_CLIENT_REGISTERED] = 'R',  [DUNLIN_CLIENT_UPDATED] = 'U', [DUNLIN_CLIENT_REFUSED] = 'X',
        [DUNLIN_CLIENT_UNREACHABLE] = 'N', [DUNLIN_CLIENT_FAILED] = 'F',  [DUNLIN_CLIENT_DEREGISTERED] = 'D',
        [DUNLIN_CLIENT_BOOTSTRAP] = 'B',
    };
    return kind < sizeof letters && letters[kind] != 0 ? letters[kind] : '?';
}

static void on_event(void *context, const dunlin_client_event *event)
{
    const size_t len = strlen(the_world.log);
    (void)context;
    (void)snprintf(the_world.log + len, LOG_MAX - len, "%s%u:%u%c", len > 0 ? " " : "",
                   (unsigned)(dn_simlink_now(the_world.r->link) / SECOND), event->server,
                   letter_of(event->kind));
}

/* A client with these accounts, not started. Tries are two in a sequence, 10 s apart. */
static rig *opened(dunlin_lwm2m lwm2m, const account_row *accounts)
{
    static rig r;
    memset(&the_world, 0, sizeof the_world);
    rig_open(&r, lwm2m, 5);
    the_world.r = &r;
    r.config.servers = ACCOUNTS;
    r.config.bootstrap = true;
    r.config.call.event = on_event;
    rig_remake(&r);
    assert_int_equal(dunlin_access_add(r.client, the_world.access, 2, 0), DUNLIN_OK);
    for (size_t i = 0; i < ACCOUNTS && accounts[i].ssid != 0; i++) {
        dunlin_server server = dunlin_server_default();
        strcpy(server.uri, accounts[i].there ? "coap://server" : "coap://nowhere");
        server.ssid = accounts[i].ssid;
        server.policy.priority = accounts[i].priority;
        server.policy.initial_delay_s = accounts[i].delay_s;
        server.policy.failure_blocks = accounts[i].blocks;
        server.policy.failure_bootstraps = !accounts[i].no_bootstrap;
        server.policy.retry_count = 2;
        server.policy.retry_timer_s = 10;
        server.policy.sequence_count = accounts[i].sequences == 0 ? 1 : accounts[i].sequences;
        server.policy.sequence_delay_s = accounts[i].pause_s;
        assert_int_equal(dunlin_client_add_server(r.client, &server), DUNLIN_OK);
    }
    return &r;
}

static void start(rig *r)
{
    dunlin_client_start(r->client, dn_simlink_now(r->link));
}

static const order_row order_rows[] = {
    {"by themselves, at once",
     DUNLIN_LWM2M_1_1,
     {{S(1, true, ALONE)}, {S(2, true, ALONE)}},
     100,
     "0:1R 0:2R"},
    {"by themselves, each after its delay",
     DUNLIN_LWM2M_1_1,
     {{S(1, true, ALONE), .delay_s = 30}, {S(2, true, ALONE), .delay_s = 20}, {S(3, true, ALONE)}},
     100,
     "0:3R 20:2R 30:1R"},
    {"ascending",
     DUNLIN_LWM2M_1_1,
     {{S(1, true, 7)}, {S(2, true, 3)}, {S(3, true, 5)}},
     100,
     "0:2R 0:3R 0:1R"},
    {"equal ones as they were added", DUNLIN_LWM2M_1_1, {{S(4, true, 3)}, {S(2, true, 3)}}, 100, "0:4R 0:2R"},
    {"in order, with delays",
     DUNLIN_LWM2M_1_1,
     {{S(1, true, 1), .delay_s = 5}, {S(2, true, 2), .delay_s = 10}, {S(3, true, 0)}},
     100,
     "0:3R 5:1R 15:2R"},
    {"one fails, the next one has its turn",
     DUNLIN_LWM2M_1_1,
     {{S(1, false, 1)}, {S(2, true, 2)}},
     100,
     "0:1N 10:1N 10:1F 10:1B 10:2R"},
    {"one fails and blocks",
     DUNLIN_LWM2M_1_1,
     {{S(1, false, 1), .blocks = true}, {S(2, true, 2), .no_bootstrap = true}, {S(3, true, ALONE)}},
     100,
     "0:1N 0:3R 10:1N 10:1F 10:1B 10:2F"},
    {"what blocks does so only when it fails",
     DUNLIN_LWM2M_1_1,
     {{S(1, true, 1), .blocks = true}, {S(2, true, 2)}},
     100,
     "0:1R 0:2R"},
    {"one alone that fails blocks nobody",
     DUNLIN_LWM2M_1_1,
     {{S(1, false, ALONE), .blocks = true}, {S(2, true, 2), .delay_s = 20}},
     100,
     "0:1N 10:1N 10:1F 10:1B 20:2R"},
    {"no bootstrap if not wanted",
     DUNLIN_LWM2M_1_1,
     {{S(1, false, ALONE), .no_bootstrap = true}},
     100,
     "0:1N 10:1N 10:1F"},
    {"its first sequence ends the turn, and it goes on",
     DUNLIN_LWM2M_1_1,
     {{S(1, false, 1), .sequences = 2, .pause_s = 50}, {S(2, true, 2)}},
     100,
     "0:1N 10:1N 10:2R 60:1N 70:1N 70:1F 70:1B"},
    {"its first sequence blocks",
     DUNLIN_LWM2M_1_1,
     {{S(1, false, 1), .blocks = true, .sequences = 2, .pause_s = 50}, {S(2, true, 2)}},
     100,
     "0:1N 10:1N 10:2F 10:2B 60:1N 70:1N 70:1F 70:1B"},
    {"the largest pause is for ever",
     DUNLIN_LWM2M_1_1,
     {{S(1, false, ALONE), .sequences = 3, .pause_s = UINT32_MAX}},
     100,
     "0:1N 10:1N 10:1F 10:1B"},
    {"1.0: all have to fail",
     DUNLIN_LWM2M_1_0,
     {{S(1, false, ALONE)}, {S(2, true, ALONE)}},
     100,
     "0:1N 0:2R 10:1N 10:1F"},
    {"1.0: and all do",
     DUNLIN_LWM2M_1_0,
     {{S(1, false, 1)}, {S(2, false, 2)}},
     100,
     "0:1N 10:1N 10:1F 10:2N 20:2N 20:2F 20:2B"},
};

static void the_order_by_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof order_rows / sizeof order_rows[0]; i++) {
        rig *r = opened(order_rows[i].lwm2m, order_rows[i].accounts);
        start(r);
        rig_run(r, order_rows[i].run_s * SECOND);
        if (strcmp(the_world.log, order_rows[i].log) != 0) {
            fail_msg("%s: %s instead of %s", order_rows[i].name, the_world.log, order_rows[i].log);
        }
        rig_close(r);
    }
}

static void the_delay_is_over_after_a_success(void **state)
{
    static const account_row accounts[ACCOUNTS] = {{S(1, true, 1), .delay_s = 20}};
    rig *r = opened(DUNLIN_LWM2M_1_1, accounts);
    (void)state;
    start(r);
    rig_run(r, 30 * SECOND);
    dunlin_client_stop(r->client, dn_simlink_now(r->link));
    rig_run(r, 10 * SECOND);
    start(r);
    rig_run(r, 30 * SECOND);
    assert_string_equal(the_world.log, "20:1R 30:1D 40:1R");
    rig_close(r);
}

static void stop_ends_the_order(void **state)
{
    static const account_row accounts[ACCOUNTS] = {{S(1, false, 1)}, {S(2, true, 2)}};
    rig *r = opened(DUNLIN_LWM2M_1_1, accounts);
    (void)state;
    start(r);
    rig_run(r, 5 * SECOND);
    dunlin_client_stop(r->client, dn_simlink_now(r->link));
    assert_true(dunlin_client_stopped(r->client));
    rig_run(r, 100 * SECOND);
    assert_string_equal(the_world.log, "0:1N 5:1D 5:2D");
    start(r); /* anew, from the first one */
    rig_run(r, 20 * SECOND);
    assert_string_equal(the_world.log, "0:1N 5:1D 5:2D 105:1N 115:1N 115:1F 115:1B 115:2R");
    rig_close(r);
}

static void a_second_account_takes_access_control(void **state)
{
    static rig r;
    dunlin_server server = dunlin_server_default();
    (void)state;
    rig_open(&r, DUNLIN_LWM2M_1_1, 1);
    r.config.servers = 2;
    rig_remake(&r);
    strcpy(server.uri, "coap://server");
    assert_int_equal(dunlin_client_add_server(r.client, &server), DUNLIN_OK);
    server.ssid = 2;
    assert_int_not_equal(dunlin_client_add_server(r.client, &server), DUNLIN_OK);
    rig_close(&r);
}

static void one_disables_itself_and_the_other_stays(void **state)
{
    static rig r;
    static second s;
    (void)state;
    second_open(&s, &r, NULL, 0);
    assert_int_equal(dunlin_client_add_instance(r.client, 2, 0, NULL), DUNLIN_OK);
    s.access[0] = (dunlin_access){.object = 1, .instance = 0, .owner = 1};
    assert_string_equal(rig_code(second_send(&s, 1, DN_COAP_PUT, "/1/0/5", TEXT, "60")->code), "2.04");
    assert_string_equal(rig_code(second_send(&s, 1, DN_COAP_POST, "/1/0/4", NO, NULL)->code), "2.04");
    rig_run(&r, SECOND);
    assert_int_equal(r.deregisters, 1);
    assert_int_equal(s.registers, 1);
    assert_int_not_equal(second_get(&s, 2, "/1/1/0", NO)->code, 0); /* it is answered all the while */
    rig_run(&r, 70 * SECOND);
    assert_int_equal(r.registers, 2);
    assert_int_equal(s.registers, 1);
    second_close(&s);
}

/* pmax has come, but not for who may not read: the observation rests until the right is back. */
static void without_the_right_pmax_is_silent(void **state)
{
    static const dunlin_access first = {3303, 0, 1, {.count = 1, .id = {2}, .value = {DUNLIN_ACCESS_READ}}};
    static rig r;
    static second s;
    const rig_request request = {.method = DN_COAP_GET, .path = "/3303/0/5700", .observe = true, .token = 1};
    const rig_request pmax = {.method = DN_COAP_PUT, .path = "/3303/0/5700", .query = "pmax=20"};
    (void)state;
    second_open(&s, &r, &first, 1);
    assert_string_equal(rig_code(second_ask(&s, 2, &pmax)->code), "2.04");
    assert_string_equal(rig_code(second_ask(&s, 2, &request)->code), "2.05");
    rig_run(&r, 25 * SECOND);
    assert_int_equal(s.notified, 1);
    s.access[0].rights.value[0] = 0;
    dunlin_changed(r.client, dunlin_path_instance(2, 0));
    rig_run(&r, 100 * SECOND);
    assert_int_equal(s.notified, 1);
    s.access[0].rights.value[0] = DUNLIN_ACCESS_READ;
    dunlin_changed(r.client, dunlin_path_instance(2, 0));
    rig_run(&r, 25 * SECOND);
    assert_int_equal(s.notified, 2);
    second_close(&s);
}

static const rig_answer *ask(rig *r, uint8_t method, const char *path, const char *payload)
{
    return rig_send(r, method, path, payload == NULL ? NO : TEXT, payload);
}

static void resources_of_the_server_object(void **state)
{
    static const struct {
        const char *name;
        dunlin_lwm2m lwm2m;
        uint8_t method;
        const char *path, *payload, *code;
    } rows[] = {
        {"registration order of who has none", DUNLIN_LWM2M_1_1, DN_COAP_GET, "/1/0/13", NULL, "4.04"},
        {"delay", DUNLIN_LWM2M_1_1, DN_COAP_GET, "/1/0/14", NULL, "4.05"},
        {"failure block", DUNLIN_LWM2M_1_1, DN_COAP_PUT, "/1/0/15", "1", "4.05"},
        {"bootstrap on failure", DUNLIN_LWM2M_1_1, DN_COAP_PUT, "/1/0/16", "0", "4.05"},
        {"retry count", DUNLIN_LWM2M_1_1, DN_COAP_GET, "/1/0/17", NULL, "4.05"},
        {"retry timer", DUNLIN_LWM2M_1_1, DN_COAP_PUT, "/1/0/18", "1", "4.05"},
        {"sequence delay", DUNLIN_LWM2M_1_1, DN_COAP_GET, "/1/0/19", NULL, "4.05"},
        {"sequence count", DUNLIN_LWM2M_1_1, DN_COAP_GET, "/1/0/20", NULL, "4.05"},
        {"1.0 has no retry resources", DUNLIN_LWM2M_1_0, DN_COAP_GET, "/1/0/17", NULL, "4.04"},
        {"trigger is not there at first", DUNLIN_LWM2M_1_1, DN_COAP_GET, "/1/0/21", NULL, "4.04"},
        {"trigger can be written", DUNLIN_LWM2M_1_1, DN_COAP_PUT, "/1/0/21", "1", "2.04"},
        {"no trigger in 1.0", DUNLIN_LWM2M_1_0, DN_COAP_PUT, "/1/0/21", "1", "4.04"},
        {"preferred transport is not there at first", DUNLIN_LWM2M_1_1, DN_COAP_GET, "/1/0/22", NULL, "4.04"},
        {"a transport that there is", DUNLIN_LWM2M_1_1, DN_COAP_PUT, "/1/0/22", "U", "2.04"},
        {"a transport that there is not", DUNLIN_LWM2M_1_1, DN_COAP_PUT, "/1/0/22", "T", "4.00"},
        {"no transport at all", DUNLIN_LWM2M_1_1, DN_COAP_PUT, "/1/0/22", "UU", "4.00"},
        {"mute send", DUNLIN_LWM2M_1_1, DN_COAP_GET, "/1/0/23", NULL, "2.05"},
        {"mute send can be written", DUNLIN_LWM2M_1_1, DN_COAP_PUT, "/1/0/23", "1", "2.04"},
        {"no mute send in 1.0", DUNLIN_LWM2M_1_0, DN_COAP_GET, "/1/0/23", NULL, "4.04"},
        {"binding: what there is", DUNLIN_LWM2M_1_1, DN_COAP_PUT, "/1/0/7", "U", "2.04"},
        {"binding: what there is not", DUNLIN_LWM2M_1_1, DN_COAP_PUT, "/1/0/7", "UT", "4.00"},
        {"binding: no queue mode in 1.1's", DUNLIN_LWM2M_1_1, DN_COAP_PUT, "/1/0/7", "UQ", "4.00"},
        {"binding: no queue mode if the device has none", DUNLIN_LWM2M_1_0, DN_COAP_PUT, "/1/0/7", "UQ",
         "4.00"},
        {"bootstrap trigger without a bootstrap server", DUNLIN_LWM2M_1_1, DN_COAP_POST, "/1/0/9", NULL,
         "4.05"},
        {"bootstrap trigger with an argument", DUNLIN_LWM2M_1_1, DN_COAP_POST, "/1/0/9", "0", "4.00"},
        {"no bootstrap trigger in 1.0", DUNLIN_LWM2M_1_0, DN_COAP_POST, "/1/0/9", NULL, "4.04"},
    };
    static const account_row accounts[ACCOUNTS] = {{S(1, true, ALONE)}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig *r = opened(rows[i].lwm2m, accounts);
        start(r);
        rig_run(r, SECOND);
        const uint8_t code = ask(r, rows[i].method, rows[i].path, rows[i].payload)->code;
        if (strcmp(rig_code(code), rows[i].code) != 0) {
            fail_msg("%s: %s instead of %s", rows[i].name, rig_code(code), rows[i].code);
        }
        rig_close(r);
    }
}

static void what_is_for_a_bootstrap_is_not_shown(void **state)
{
    static const account_row accounts[ACCOUNTS] = {{S(1, true, 3)}};
    rig *r = opened(DUNLIN_LWM2M_1_1, accounts);
    (void)state;
    start(r);
    rig_run(r, SECOND);
    const rig_answer *answer = rig_get(r, "/1/0", LINK);
    static const char expected[] = "</1/0>,</1/0/0>,</1/0/1>,</1/0/2>,</1/0/3>,</1/0/4>,</1/0/5>,</1/0/6>,</"
                                   "1/0/7>,</1/0/8>,</1/0/9>,</1/0/23>";
    assert_int_equal(answer->len, sizeof expected - 1);
    assert_memory_equal(answer->payload, expected, answer->len);
    rig_close(r);
}

static void a_client_that_does_not_bootstrap_has_no_trigger(void **state)
{
    static const account_row accounts[ACCOUNTS] = {{S(7, true, ALONE)}};
    rig *r = opened(DUNLIN_LWM2M_1_1, accounts);
    (void)state;
    r->config.bootstrap = false;
    rig_remake(r);
    dunlin_server server = dunlin_server_default();
    strcpy(server.uri, "coap://server");
    assert_int_equal(dunlin_client_add_server(r->client, &server), DUNLIN_OK);
    start(r);
    rig_run(r, SECOND);
    assert_int_equal(ask(r, DN_COAP_POST, "/1/0/9", NULL)->code, DN_COAP_NOT_FOUND);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_by_table),
        cmocka_unit_test(the_delay_is_over_after_a_success),
        cmocka_unit_test(stop_ends_the_order),
        cmocka_unit_test(a_second_account_takes_access_control),
        cmocka_unit_test(one_disables_itself_and_the_other_stays),
        cmocka_unit_test(without_the_right_pmax_is_silent),
        cmocka_unit_test(resources_of_the_server_object),
        cmocka_unit_test(what_is_for_a_bootstrap_is_not_shown),
        cmocka_unit_test(a_client_that_does_not_bootstrap_has_no_trigger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
