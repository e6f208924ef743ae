/* SPDX-License-Identifier: Apache-2.0 */
/* Register, Update and De-register: what is sent, when, and what happens when it is refused or lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/rig.h"

#define NO      (-1)
#define SECOND  1000ull
#define HOUR    (3600 * SECOND)
#define TIMEOUT 93000ull /* a Confirmable message that nobody acknowledges: 62 s at least, 93 s at most */

static rig *opened(dunlin_lwm2m lwm2m)
{
    rig *r = malloc(sizeof *r);
    assert_non_null(r);
    rig_open(r, lwm2m, 7);
    return r;
}

static rig *registered(void)
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

static void start(rig *r)
{
    dunlin_client_start(r->client, dn_simlink_now(r->link));
}

static void assert_code(const rig_answer *answer, const char *code)
{
    assert_string_equal(rig_code(answer->code), code);
}

static void oma_int_101_register(void **state)
{
    rig *r = registered();
    (void)state;
    assert_int_equal(r->registers, 1);
    assert_string_equal(r->query, "ep=urn:dev:ops:rig-1&lt=86400&lwm2m=1.1&b=U");
    assert_int_equal(r->list_format, 40);
    assert_string_equal(
        r->list, "</>;rt=\"oma.lwm2m\";ct=\"60 110 112 11542\",</1/0>,</3/0>,</3303/0>,</33000>;ver=1.2,"
                 "</33000/0>,</33000/1>");
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_REGISTERED), 1);
    assert_string_equal(r->events[0].location, "/rd/abc");
    done(r);
}

static void oma_int_101_register_1_0(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_0);
    (void)state;
    start(r);
    rig_run(r, SECOND);
    assert_string_equal(r->query, "ep=urn:dev:ops:rig-1&lt=86400&lwm2m=1.0&b=U");
    assert_string_equal(
        r->list, "</>;rt=\"oma.lwm2m\";ct=11543,</1/0>,</3/0>,</3303/0>,</33000>;ver=\"1.2\",</33000/0>,"
                 "</33000/1>");
    done(r);
}

static void a_long_list_goes_block_wise(void **state)
{
    static const dunlin_object objects[4] = {{.id = 40000}, {.id = 40001}, {.id = 40002}, {.id = 40003}};
    rig *r = opened(DUNLIN_LWM2M_1_1);
    (void)state;
    /* the same client again, with blocks of 64 bytes */
    r->config.block_size = 64;
    r->client = dunlin_client_create(r->client_arena, sizeof r->client_arena, &r->config, 0);
    assert_non_null(r->client);
    dunlin_server account = dunlin_server_default();
    strcpy(account.uri, "coap://server");
    assert_int_equal(dunlin_device_add(r->client, &r->device), DUNLIN_OK);
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_OK);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(dunlin_client_add_object(r->client, &objects[i], NULL, 1, 1, NULL), DUNLIN_OK);
    }
    start(r);
    rig_run(r, 5 * SECOND);
    assert_true(dunlin_client_registered(r->client));
    assert_string_equal(r->list,
                        "</>;rt=\"oma.lwm2m\";ct=\"60 110 112 11542\",</1/0>,</3/0>,</40000/0>,</40001/0>,"
                        "</40002/0>,</40003/0>");
    done(r);
}

static void oma_int_102_lifetime_written_is_told(void **state)
{
    rig *r = registered();
    (void)state;
    assert_code(rig_send(r, DN_COAP_PUT, "/1/0/1", 0, "20"), "2.04");
    rig_run(r, 1);
    assert_int_equal(r->updates, 1);
    assert_string_equal(r->query, "lt=20");
    assert_int_equal(r->list_format, DN_COAP_NO_FORMAT);
    /* then at half of so short a lifetime, without parameters */
    const uint64_t first = r->updated_ms[0];
    rig_run(r, 25 * SECOND);
    assert_int_equal(r->updates, 3);
    assert_in_range(r->updated_ms[1], first + 10 * SECOND, first + 10 * SECOND + 5);
    assert_in_range(r->updated_ms[2], first + 20 * SECOND, first + 20 * SECOND + 10);
    assert_string_equal(r->query, "");
    assert_string_equal(r->list, "");
    done(r);
}

static void updates_come_in_time(void **state)
{
    rig *r = registered();
    (void)state;
    rig_run(r, 24 * HOUR);
    assert_int_equal(r->updates, 1);
    assert_in_range(r->updated_ms[0], 24 * HOUR - 94 * SECOND, 24 * HOUR - 92 * SECOND);
    assert_string_equal(r->query, "");
    assert_code(rig_send(r, DN_COAP_PUT, "/1/0/1", 0, "0"), "2.04"); /* for ever */
    rig_run(r, 10 * SECOND);
    assert_int_equal(r->updates, 2);
    rig_run(r, 1000 * 24 * HOUR);
    assert_int_equal(r->updates, 2);
    assert_int_equal(r->registers, 1);
    done(r);
}

static void oma_int_103_disable(void **state)
{
    rig *r = registered();
    (void)state;
    assert_code(rig_send(r, DN_COAP_PUT, "/1/0/5", 0, "60"), "2.04");
    assert_code(rig_send(r, DN_COAP_POST, "/1/0/4", NO, NULL), "2.04");
    rig_run(r, SECOND);
    assert_int_equal(r->deregisters, 1);
    assert_false(dunlin_client_registered(r->client));
    /* while disabled, the server is not even answered */
    assert_int_equal(rig_get(r, "/3/0/0", NO)->status, DUNLIN_ERR_TIMEOUT);
    assert_int_equal(r->registers, 2); /* the minute was over meanwhile */
    assert_in_range(r->heard_ms[1], 60 * SECOND, 62 * SECOND);
    assert_int_equal(dunlin_client_count(r->client).not_expected > 0, 1);
    done(r);
}

static void disable_lasts_a_day_by_default(void **state)
{
    rig *r = registered();
    (void)state;
    assert_code(rig_send(r, DN_COAP_PUT, "/1/0", 110,
                         "[{\"bn\":\"/1/0/"
                         "\",\"n\":\"1\",\"v\":86400},{\"n\":\"6\",\"vb\":true},{\"n\":\"7\",\"vs\":\"U\"}]"),
                "2.04");
    assert_code(rig_get(r, "/1/0/5", NO), "4.04");
    assert_code(rig_send(r, DN_COAP_POST, "/1/0/4", NO, NULL), "2.04");
    rig_run(r, 24 * HOUR - 2 * SECOND);
    assert_int_equal(r->registers, 1);
    rig_run(r, 4 * SECOND);
    assert_int_equal(r->registers, 2);
    done(r);
}

static void oma_int_104_update_trigger(void **state)
{
    rig *r = registered();
    (void)state;
    assert_code(rig_send(r, DN_COAP_POST, "/1/0/8", NO, NULL), "2.04");
    rig_run(r, 1);
    assert_int_equal(r->updates, 1);
    assert_string_equal(r->query, "");
    assert_code(rig_send(r, DN_COAP_POST, "/1/0/8", 0, "0='U'"), "2.04");
    rig_run(r, 1);
    assert_int_equal(r->updates, 2);
    done(r);
}

static void oma_int_105_forgotten_registers_again(void **state)
{
    rig *r = registered();
    (void)state;
    r->update_code = DN_COAP_NOT_FOUND;
    dunlin_client_update(r->client);
    rig_run(r, SECOND);
    assert_int_equal(r->updates, 1);
    assert_int_equal(r->registers, 2);
    assert_true(dunlin_client_registered(r->client));
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_REFUSED), 0);
    done(r);
}

static void an_update_refused_or_lost_registers_again(void **state)
{
    rig *r = registered();
    (void)state;
    r->update_code = DN_COAP_BAD_REQUEST;
    dunlin_client_update(r->client);
    rig_run(r, SECOND);
    assert_int_equal(r->registers, 2);
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_REFUSED), 1);
    r->mute = true;
    dunlin_client_update(r->client);
    rig_run(r, 100 * SECOND);
    r->mute = false;
    rig_run(r, 100 * SECOND);
    assert_int_equal(r->registers, 3);
    assert_true(dunlin_client_registered(r->client));
    done(r);
}

/* Five tries at 0, 60, 180, 420, 900 s after one another, then it has failed (checked against the refusals, which take no time). */
static void a_refusal_is_tried_again_with_back_off(void **state)
{
    static const uint64_t at_s[] = {0, 60, 180, 420, 900};
    rig *r = opened(DUNLIN_LWM2M_1_1);
    (void)state;
    r->register_code = DN_COAP_FORBIDDEN;
    start(r);
    rig_run(r, HOUR);
    assert_int_equal(r->registers, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_in_range(r->heard_ms[i], at_s[i] * SECOND, at_s[i] * SECOND + 50);
    }
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_REFUSED), 5);
    assert_int_equal(r->events[0].code, DN_COAP_FORBIDDEN);
    assert_int_equal(r->events[0].retry_ms, 60 * SECOND);
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_FAILED), 1);
    assert_true(dunlin_client_stopped(r->client));
    r->register_code = DN_COAP_CREATED;
    start(r);
    rig_run(r, SECOND);
    assert_true(dunlin_client_registered(r->client));
    done(r);
}

static void sequences_are_repeated(void **state)
{
    rig *r = malloc(sizeof *r);
    (void)state;
    assert_non_null(r);
    rig_open(r, DUNLIN_LWM2M_1_1, 3);
    r->client = dunlin_client_create(r->client_arena, sizeof r->client_arena, &r->config, 0);
    assert_non_null(r->client);
    dunlin_server account = dunlin_server_default();
    strcpy(account.uri, "coap://server");
    account.policy.retry_count = 2;
    account.policy.retry_timer_s = 10;
    account.policy.sequence_count = 3;
    account.policy.sequence_delay_s = 1000;
    assert_int_equal(dunlin_device_add(r->client, &r->device), DUNLIN_OK);
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_OK);
    r->unresolvable = true;
    start(r);
    rig_run(r, HOUR);
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_UNREACHABLE), 6);
    assert_int_equal(r->events[0].status, DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(r->events[0].retry_ms, 10 * SECOND);
    assert_int_equal(r->events[1].retry_ms, 1000 * SECOND);
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_FAILED), 1);
    assert_int_equal(r->registers, 0);
    done(r);
}

static void a_server_that_comes_late_is_found(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1);
    (void)state;
    r->mute = true;
    start(r);
    rig_run(r, 100 * SECOND);
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_UNREACHABLE), 1);
    r->mute = false;
    rig_run(r, TIMEOUT + 60 * SECOND);
    assert_true(dunlin_client_registered(r->client));
    done(r);
}

/* Transport 1.1.1 section 6.4.3: a location is whatever the server gave, segment by segment. */
static void a_location_has_any_number_of_segments(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1);
    (void)state;
    r->location = "shard 7";
    r->location_more = "x";
    start(r);
    rig_run(r, SECOND);
    assert_true(dunlin_client_registered(r->client));
    assert_string_equal(r->events[0].location, "/rd/shard 7/x");
    dunlin_client_update(r->client);
    rig_run(r, SECOND);
    assert_int_equal(r->updates, 1);
    assert_string_equal(r->path, "/rd/shard 7/x");
    dunlin_client_stop(r->client, dn_simlink_now(r->link));
    rig_run(r, SECOND);
    assert_int_equal(r->deregisters, 1);
    assert_string_equal(r->path, "/rd/shard 7/x");
    done(r);
}

static void a_created_without_location_is_refused(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1);
    (void)state;
    r->location = "a/b"; /* a segment that no path could name again */
    start(r);
    rig_run(r, SECOND);
    assert_false(dunlin_client_registered(r->client));
    r->location = "0123456789012345678901234567890123456789012345678901234567890123456789";
    rig_run(r, 61 * SECOND);
    assert_false(dunlin_client_registered(r->client));
    r->register_code = DN_COAP_CHANGED;
    rig_run(r, 121 * SECOND);
    assert_false(dunlin_client_registered(r->client));
    assert_int_equal(r->registers, 3);
    done(r);
}

static void stop_deregisters(void **state)
{
    rig *r = registered();
    (void)state;
    dunlin_client_stop(r->client, dn_simlink_now(r->link));
    assert_false(dunlin_client_stopped(r->client));
    rig_run(r, SECOND);
    assert_int_equal(r->deregisters, 1);
    assert_true(dunlin_client_stopped(r->client));
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_DEREGISTERED), 1);
    /* nothing more happens by itself */
    rig_run(r, 100 * HOUR);
    assert_int_equal(r->registers, 1);
    /* but it can start again */
    start(r);
    rig_run(r, SECOND);
    assert_true(dunlin_client_registered(r->client));
    done(r);
}

static void stop_ends_whatever_is_under_way(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1);
    (void)state;
    r->mute = true;
    start(r);
    rig_run(r, SECOND);
    dunlin_client_stop(r->client, dn_simlink_now(r->link)); /* registering */
    assert_true(dunlin_client_stopped(r->client));
    rig_run(r, 200 * SECOND);
    r->mute = false;
    start(r);
    rig_run(r, SECOND);
    r->mute = true;
    dunlin_client_update(r->client);
    rig_run(r, SECOND);
    dunlin_client_stop(r->client, dn_simlink_now(r->link)); /* updating */
    rig_run(r, TIMEOUT + SECOND);                           /* a De-register that nobody answers */
    assert_true(dunlin_client_stopped(r->client));
    r->mute = false;
    r->register_code = DN_COAP_FORBIDDEN;
    start(r);
    rig_run(r, SECOND);
    dunlin_client_stop(r->client, dn_simlink_now(r->link)); /* waiting */
    assert_true(dunlin_client_stopped(r->client));
    done(r);
}

static void a_new_address_registers_anew(void **state)
{
    rig *r = registered();
    (void)state;
    assert_int_equal(dn_simlink_rebind(r->link, &r->client_address), DUNLIN_OK);
    dunlin_client_restart(r->client, dn_simlink_now(r->link));
    rig_run(r, SECOND);
    assert_int_equal(r->registers, 2);
    assert_code(rig_get(r, "/3/0/0", NO), "2.05");
    done(r);
}

static void requests_before_registration_are_ignored(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1);
    (void)state;
    assert_int_equal(rig_get(r, "/3/0/0", NO)->status, DUNLIN_ERR_TIMEOUT); /* not even started */
    assert_int_equal(dunlin_client_count(r->client).strangers, 5);
    r->register_code = DN_COAP_FORBIDDEN;
    start(r);
    rig_run(r, SECOND);
    assert_int_equal(rig_get(r, "/3/0/0", NO)->status, DUNLIN_ERR_TIMEOUT);
    assert_int_equal(dunlin_client_count(r->client).not_expected, 5);
    assert_int_equal(dunlin_client_count(r->client).requests, 0);
    done(r);
}

/* A fifth of all datagrams lost, others doubled and overtaken, for a day with a lifetime of five minutes. */
static void registration_survives_a_bad_link(void **state)
{
    static const dn_simlink_rules bad = {.loss_permille = 200,
                                         .duplicate_permille = 100,
                                         .reorder_permille = 100,
                                         .delay_min_ms = 20,
                                         .delay_max_ms = 400};
    rig *r = malloc(sizeof *r);
    (void)state;
    assert_non_null(r);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        rig_open(r, DUNLIN_LWM2M_1_1, seed);
        dn_simlink_rule(r->link, &bad);
        start(r);
        rig_run(r, 600 * SECOND);
        assert_true(dunlin_client_registered(r->client));
        while (rig_send(r, DN_COAP_PUT, "/1/0/1", 0, "300")->status != DUNLIN_OK) {
        }
        const unsigned before = r->updates;
        const uint64_t began = dn_simlink_now(r->link);
        rig_run(r, 24 * HOUR);
        /* an Update each 207 s, and now and then a Register in its place */
        assert_in_range(r->updates + r->registers - before, 24 * HOUR / (207 * SECOND) - 60,
                        24 * HOUR / (207 * SECOND) + 20);
        assert_true(dn_simlink_now(r->link) >= began + 24 * HOUR);
        rig_close(r);
    }
    free(r);
}

static void accounts_are_checked(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1);
    dunlin_server account = dunlin_server_default();
    (void)state;
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_ERR_ARGUMENT); /* no URI */
    strcpy(account.uri, "coap://other");
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_ERR_DUPLICATE);
    account.ssid = 65535;
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_ERR_RANGE);
    account.ssid = 0;
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_ERR_RANGE);
    account.ssid = 2;
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_ERR_LIMIT);
    account.lifetime_s = -1;
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_ERR_ARGUMENT);
    done(r);
}

static void bad_configurations_are_refused(void **state)
{
    static _Alignas(16) uint8_t arena[RIG_ARENA_MAX];
    char long_name[300];
    rig *r = opened(DUNLIN_LWM2M_1_1);
    const dunlin_client_config good = r->config;
    dunlin_client_config bad;
    (void)state;
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_null(dunlin_client_create(arena, dunlin_client_arena_size(&good) - 1, &good, 0));
    assert_null(dunlin_client_create(arena + 1, sizeof arena - 1, &good, 0));
    bad = good, bad.endpoint = "";
    assert_null(dunlin_client_create(arena, sizeof arena, &bad, 0));
    bad = good, bad.endpoint = long_name;
    assert_null(dunlin_client_create(arena, sizeof arena, &bad, 0));
    bad = good, bad.call.send = NULL;
    assert_null(dunlin_client_create(arena, sizeof arena, &bad, 0));
    bad = good, bad.call.resolve = NULL;
    assert_null(dunlin_client_create(arena, sizeof arena, &bad, 0));
    bad = good, bad.servers = 0;
    assert_int_equal(dunlin_client_arena_size(&bad), 0);
    bad = good, bad.servers = DUNLIN_SERVERS_MAX + 1;
    assert_int_equal(dunlin_client_arena_size(&bad), 0);
    bad = good, bad.block_size = 8;
    assert_int_equal(dunlin_client_arena_size(&bad), 0);
    bad = good, bad.max_body = 512; /* less than a block */
    assert_int_equal(dunlin_client_arena_size(&bad), 0);
    bad = good, bad.exchanges = 0;
    assert_int_equal(dunlin_client_arena_size(&bad), 0);
    assert_non_null(dunlin_client_create(arena, dunlin_client_arena_size(&good), &good, 0));
    done(r);
}

/* ---- the list ---- */

static void remade(rig *r)
{
    dunlin_server account = dunlin_server_default();
    rig_remake(r);
    strcpy(account.uri, "coap://server");
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_OK);
}

/* `ver` is said when it is not the one that the version of LwM2M implies (Core 1.1.1 section 7.2.2). */
static void versions_are_told_where_they_must(void **state)
{
    static const struct {
        dunlin_lwm2m lwm2m;
        uint16_t object;
        uint8_t major, minor;
        uint16_t instances;
        const char *links;
    } rows[] = {
        {DUNLIN_LWM2M_1_1, 4, 0, 0, 1, "</4/0>"},
        {DUNLIN_LWM2M_1_1, 4, 1, 2, 1, "</4/0>"},
        {DUNLIN_LWM2M_1_1, 4, 1, 0, 1, "</4>;ver=1.0,</4/0>"},
        {DUNLIN_LWM2M_1_1, 4, 1, 3, 0, "</4>;ver=1.3"},
        {DUNLIN_LWM2M_1_1, 5, 1, 0, 1, "</5/0>"},
        {DUNLIN_LWM2M_1_1, 5, 1, 1, 1, "</5>;ver=1.1,</5/0>"},
        {DUNLIN_LWM2M_1_1, 5, 0, 0, 0, "</5>"},
        {DUNLIN_LWM2M_1_1, 6, 1, 0, 1, "</6/0>"},
        {DUNLIN_LWM2M_1_1, 10, 1, 0, 1, "</10/0>"},
        {DUNLIN_LWM2M_1_1, 10, 1, 1, 1, "</10>;ver=1.1,</10/0>"},
        {DUNLIN_LWM2M_1_1, 10, 12, 103, 1, "</10>;ver=12.103,</10/0>"},
        {DUNLIN_LWM2M_1_0, 4, 1, 0, 1, "</4/0>"},
        {DUNLIN_LWM2M_1_0, 4, 1, 2, 1, "</4>;ver=\"1.2\",</4/0>"},
        {DUNLIN_LWM2M_1_0, 10, 1, 1, 1, "</10>;ver=\"1.1\",</10/0>"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const dunlin_object object = {.id = rows[i].object, .major = rows[i].major, .minor = rows[i].minor};
        rig *r = opened(rows[i].lwm2m);
        char expected[128];
        assert_int_equal(dunlin_client_add_object(r->client, &object, NULL, 1, rows[i].instances, NULL),
                         DUNLIN_OK);
        start(r);
        rig_run(r, SECOND);
        (void)snprintf(expected, sizeof expected, ",</3/0>,%s,</3303/0>", rows[i].links);
        if (strstr(r->list, expected) == NULL) {
            fail_msg("%s is not in %s", expected, r->list);
        }
        done(r);
    }
}

static void an_alternate_path_stands_before_all(void **state)
{
    rig *r = opened(DUNLIN_LWM2M_1_1);
    (void)state;
    r->config.root_path = "/lwm2m/device";
    remade(r);
    start(r);
    rig_run(r, SECOND);
    assert_string_equal(r->list,
                        "</lwm2m/device>;rt=\"oma.lwm2m\";ct=\"60 110 112 11542\",</lwm2m/device/1/0>,"
                        "</lwm2m/device/3/0>,</lwm2m/device/3303/0>,</lwm2m/device/33000>;ver=1.2,"
                        "</lwm2m/device/33000/0>,</lwm2m/device/33000/1>");
    assert_code(rig_get(r, "/lwm2m/device/3/0/0", NO), "2.05");
    assert_code(rig_get(r, "/3/0/0", NO), "4.04");
    assert_code(rig_get(r, "/lwm2m/3/0/0", NO), "4.04");
    assert_code(rig_get(r, "/lwm2m/device", NO), "4.05");
    /* /rd and the location are the server's */
    dunlin_client_update(r->client);
    rig_run(r, SECOND);
    assert_int_equal(r->updates, 1);
    done(r);
}

static void alternate_paths_that_are_none(void **state)
{
    static const char *const bad[] = {"lwm2m", "/",    "/a/", "//a",  "/1",
                                      "/a/23", "/a b", "/a>", "/a,b", "/a?b"};
    rig *r = opened(DUNLIN_LWM2M_1_1);
    char longest[80];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        r->config.root_path = bad[i];
        assert_null(dunlin_client_create(r->client_arena, sizeof r->client_arena, &r->config, 0));
    }
    memset(longest, 'a', sizeof longest);
    longest[0] = '/';
    longest[64] = '\0';
    r->config.root_path = longest;
    assert_null(dunlin_client_create(r->client_arena, sizeof r->client_arena, &r->config, 0));
    longest[63] = '\0';
    assert_non_null(dunlin_client_create(r->client_arena, sizeof r->client_arena, &r->config, 0));
    done(r);
}

/* Core 1.1.1 section 6.2.2: an Update with the whole list when what is in it changes, whoever changed it. */
static void instances_that_come_and_go_are_told(void **state)
{
    rig *r = registered();
    (void)state;
    assert_code(rig_send(r, DN_COAP_POST, "/33000", 110, "[{\"n\":\"/33000/7/0\",\"v\":4}]"), "2.01");
    rig_run(r, SECOND);
    assert_int_equal(r->updates, 1);
    assert_non_null(strstr(r->list, "</33000/1>,</33000/7>"));
    assert_string_equal(r->query, "");
    assert_code(rig_send(r, DN_COAP_DELETE, "/33000/7", NO, NULL), "2.02");
    rig_run(r, SECOND);
    assert_int_equal(r->updates, 2);
    assert_null(strstr(r->list, "</33000/7>"));
    assert_int_equal(dunlin_client_add_instance(r->client, RIG_OBJECT, 8, NULL), DUNLIN_OK);
    rig_run(r, SECOND);
    assert_int_equal(r->updates, 3);
    assert_non_null(strstr(r->list, "</33000/8>"));
    done(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oma_int_101_register),
        cmocka_unit_test(oma_int_101_register_1_0),
        cmocka_unit_test(a_long_list_goes_block_wise),
        cmocka_unit_test(oma_int_102_lifetime_written_is_told),
        cmocka_unit_test(updates_come_in_time),
        cmocka_unit_test(oma_int_103_disable),
        cmocka_unit_test(disable_lasts_a_day_by_default),
        cmocka_unit_test(oma_int_104_update_trigger),
        cmocka_unit_test(oma_int_105_forgotten_registers_again),
        cmocka_unit_test(an_update_refused_or_lost_registers_again),
        cmocka_unit_test(a_refusal_is_tried_again_with_back_off),
        cmocka_unit_test(sequences_are_repeated),
        cmocka_unit_test(a_server_that_comes_late_is_found),
        cmocka_unit_test(a_location_has_any_number_of_segments),
        cmocka_unit_test(a_created_without_location_is_refused),
        cmocka_unit_test(stop_deregisters),
        cmocka_unit_test(stop_ends_whatever_is_under_way),
        cmocka_unit_test(a_new_address_registers_anew),
        cmocka_unit_test(requests_before_registration_are_ignored),
        cmocka_unit_test(registration_survives_a_bad_link),
        cmocka_unit_test(accounts_are_checked),
        cmocka_unit_test(bad_configurations_are_refused),
        cmocka_unit_test(versions_are_told_where_they_must),
        cmocka_unit_test(an_alternate_path_stands_before_all),
        cmocka_unit_test(alternate_paths_that_are_none),
        cmocka_unit_test(instances_that_come_and_go_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
