/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device has a way home: it goes on to ask its bootstrap server, ever more seldom and not all devices at once, for as long as it is without
 * a registration (Core 1.1.1 sections 6.1.3 and 6.2.1.1), and tries its servers meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/backoff.h"
#include "tests/client/sequence.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HOUR_S       3600u
#define DAY_S        86400u

static const sequence_step whole[] = {
    {DN_COAP_PUT, "/0",
     "[{\"bn\":\"/0/0/\",\"n\":\"0\",\"vs\":\"coap://server\"},{\"n\":\"1\",\"vb\":false},"
     "{\"n\":\"2\",\"v\":3},{\"n\":\"3\",\"vd\":\"\"},{\"n\":\"4\",\"vd\":\"\"},"
     "{\"n\":\"5\",\"vd\":\"\"},{\"n\":\"10\",\"v\":1}]",
     0},
    {DN_COAP_PUT, "/1",
     "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":300},{\"n\":\"6\",\"vb\":true},"
     "{\"n\":\"7\",\"vs\":\"U\"}]",
     0},
    {DN_COAP_POST, "/bs", NULL, 0}};

static void expect(const char *what, const char *is, const char *should_be)
{
    if (strcmp(is, should_be) != 0) {
        fail_msg("%s: \"%s\" instead of \"%s\"", what, is, should_be);
    }
}

static sequence *opened(void)
{
    sequence *s = malloc(sizeof *s);
    assert_non_null(s);
    sequence_open(s, DUNLIN_LWM2M_1_1);
    s->steps = whole;
    s->step_count = COUNT(whole);
    return s;
}

static void closed(sequence *s)
{
    sequence_close(s);
    free(s);
}

/* ---- how long it waits ---- */

static void waits_by_table(void **state)
{
    static const struct {
        dn_backoff backoff;
        uint32_t failures;
        uint64_t least_ms, most_ms;
    } rows[] = {
        {{60, 3600, 0}, 1, 60000, 60000},
        {{60, 3600, 0}, 2, 120000, 120000},
        {{60, 3600, 0}, 6, 1920000, 1920000},
        {{60, 3600, 0}, 7, 3600000, 3600000},
        {{60, 3600, 0}, 99, 3600000, 3600000},
        {{60, 3600, 0}, UINT32_MAX, 3600000, 3600000},
        {{60, 3600, 50}, 1, 30000, 60000},
        {{60, 3600, 50}, 99, 1800000, 3600000},
        {{60, 3600, 100}, 1, 0, 60000},
        {{7200, 3600, 0}, 1, 7200000, 7200000},
        {{7200, 3600, 0}, 5, 7200000, 7200000},
        {{0, 3600, 0}, 1, 1000, 1000},
        {{0, 0, 0}, 50, 1000, 1000},
        {{UINT32_MAX, UINT32_MAX, 0}, 40, 4294967295000u, 4294967295000u},
    };
    dn_seeded seeded;
    dn_seeded_init(&seeded, 1);
    const dn_random random = dn_seeded_random(&seeded);
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (unsigned draw = 0; draw < 100; draw++) {
            assert_in_range(dn_client_backoff_endless(&rows[i].backoff, rows[i].failures, &random),
                            rows[i].least_ms, rows[i].most_ms);
        }
    }
}

/* A thousand devices that have lost their server at once: in no second of the half hour over which they come back is there a crowd. */
static void a_fleet_does_not_come_back_at_once(void **state)
{
    enum { DEVICES = 1000, CROWD = 12 };
    static uint16_t in_second[HOUR_S + 1];
    const dn_backoff backoff = {60, HOUR_S, 50};
    (void)state;
    memset(in_second, 0, sizeof in_second);
    for (uint64_t device = 0; device < DEVICES; device++) {
        dn_seeded seeded;
        dn_seeded_init(&seeded, device);
        const dn_random random = dn_seeded_random(&seeded);
        const uint64_t at_s = dn_client_backoff_endless(&backoff, 10, &random) / 1000;
        assert_true(++in_second[at_s] < CROWD);
    }
}

static void what_cannot_be_is_refused(void **state)
{
    sequence *s = opened();
    dunlin_client_config config = s->r.config;
    (void)state;
    config.bootstrap_spread = 100;
    assert_int_not_equal(dunlin_client_arena_size(&config), 0);
    config.bootstrap_spread = 101;
    assert_int_equal(dunlin_client_arena_size(&config), 0);
    closed(s);
}

/* ---- without a server ---- */

/* Three days of a bootstrap server that refuses: by default there is no end, and the fourth day brings the device home. */
static void it_never_gives_up(void **state)
{
    sequence *s = opened();
    (void)state;
    s->r.config.bootstrap_spread = dunlin_client_config_default().bootstrap_spread;
    sequence_make(s, 0);
    s->request_code = DN_COAP_BAD_REQUEST;
    sequence_start(s);
    uint64_t most_s = 60;
    for (unsigned n = 1; n < SEQUENCE_ASKED_MAX; n++) {
        while (s->requests <= n) {
            assert_int_not_equal(s->retry_ms, DUNLIN_NEVER);
            sequence_run(s, 60);
            assert_true(dn_simlink_now(s->r.link) / 1000 < 3 * DAY_S);
        }
        assert_in_range(s->asked_s[n] - s->asked_s[n - 1], most_s / 2 - 1, most_s + 1);
        most_s = 2 * most_s < HOUR_S ? 2 * most_s : HOUR_S;
    }
    s->log[0] = '\0';
    s->request_code = DN_COAP_CHANGED;
    sequence_run(s, HOUR_S);
    assert_true(dunlin_client_registered(s->r.client));
    closed(s);
}

static void devices_differ(void **state)
{
    uint64_t asked_s[3][4];
    (void)state;
    for (unsigned i = 0; i < COUNT(asked_s); i++) {
        sequence *s = opened();
        s->r.config.bootstrap_spread = 50;
        sequence_make(s, 0);
        if (i == 2) {
            dn_seeded_init(&s->r.client_seed, 4711);
        }
        s->request_code = DN_COAP_BAD_REQUEST;
        sequence_start(s);
        sequence_run(s, 1000);
        assert_true(s->requests >= COUNT(asked_s[i]));
        memcpy(asked_s[i], s->asked_s, sizeof asked_s[i]);
        closed(s);
    }
    assert_memory_equal(asked_s[0], asked_s[1], sizeof asked_s[0]); /* the same seed, the same run */
    assert_memory_not_equal(asked_s[0], asked_s[2], sizeof asked_s[0]);
}

static void an_end_that_was_asked_for(void **state)
{
    sequence *s = opened();
    (void)state;
    s->r.config.bootstrap_tries = 3;
    sequence_make(s, 0);
    s->request_code = DN_COAP_BAD_REQUEST;
    sequence_start(s);
    sequence_run(s, DAY_S);
    expect("events", s->log, "0B 0- 60- 180-");
    assert_int_equal(s->retry_ms, DUNLIN_NEVER);
    s->request_code = DN_COAP_CHANGED;
    sequence_start(s);
    sequence_run(s, 1);
    assert_true(dunlin_client_registered(s->r.client));
    closed(s);
}

/* Another network may lead to it; but a hold-off is the operator's. */
static void a_restart_does_not_wait(void **state)
{
    sequence *s = opened();
    (void)state;
    sequence_make(s, 100);
    s->request_code = DN_COAP_BAD_REQUEST;
    sequence_start(s);
    sequence_run(s, 50);
    dunlin_client_restart(s->r.client, 50000);
    sequence_run(s, 2000);
    expect("the hold-off, and five tries", s->log, "0B 100- 160- 280- 520- 1000- 1960-");
    s->request_code = DN_COAP_CHANGED;
    dunlin_client_restart(s->r.client, 2050000);
    sequence_run(s, 1);
    expect("at once", s->log, "0B 100- 160- 280- 520- 1000- 1960- 2050b 2050+ 2050R1");
    closed(s);
}

/* ---- with servers ---- */

/* The server is away for so long that registration has failed, and the bootstrap server is away for good. Then the server comes back. */
static void a_server_that_is_back_is_found(void **state)
{
    sequence *s = opened();
    (void)state;
    s->request_code = DN_COAP_BAD_REQUEST;
    s->r.register_code = DN_COAP_FORBIDDEN;
    sequence_add(s, "coap://server");
    sequence_start(s);
    sequence_run(s, DAY_S);
    assert_non_null(strstr(s->log, "0X1 10X1 10F1 10B1 10- "));
    assert_false(dunlin_client_registered(s->r.client));
    s->r.register_code = DN_COAP_CREATED;
    sequence_run(s, HOUR_S + 60);
    assert_true(dunlin_client_registered(s->r.client));
    s->log[0] = '\0';
    const unsigned requests = s->requests;
    sequence_run(s, DAY_S);
    assert_int_equal(s->requests, requests); /* nobody is needed any more */
    assert_null(strchr(s->log, '-'));
    closed(s);
}

/* What was asked for is wanted although there is a registration: as often as a sequence of tries has it. */
static void what_was_asked_for_ends_with_a_server(void **state)
{
    sequence *s = opened();
    (void)state;
    s->request_code = DN_COAP_BAD_REQUEST;
    sequence_add(s, "coap://server");
    sequence_start(s);
    sequence_run(s, 10);
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 10000), DUNLIN_OK);
    sequence_run(s, 5000);
    assert_int_equal(s->requests, 5);
    assert_int_equal(s->retry_ms, DUNLIN_NEVER);
    assert_true(dunlin_client_registered(s->r.client));
    closed(s);
}

/* What does not fit into an image cannot be taken back, and so not be begun: it may fit another time. */
static void a_state_that_does_not_fit_is_not_the_end(void **state)
{
    sequence *s = opened();
    (void)state;
    s->r.config.image_max = 256;
    sequence_make(s, 0);
    sequence_start(s);
    sequence_run(s, 10);
    expect("events", s->log, "0B 0-");
    assert_int_equal(s->retry_ms, 3600000);
    closed(s);
}

/* What the application has said of the bootstrap server's account holds after a restart, too. */
static void the_policy_survives_a_restart(void **state)
{
    sequence *s = opened();
    (void)state;
    sequence_make(s, -1);
    dunlin_server server = dunlin_server_default();
    strcpy(server.uri, "coap://other");
    server.bootstrap = server.bounded = true;
    server.policy.retry_count = 2;
    server.policy.retry_timer_s = 7;
    assert_int_equal(dunlin_client_add_server(s->r.client, &server), DUNLIN_OK);
    sequence_run(s, 1);
    sequence_make(s, -1);
    assert_int_equal(dunlin_client_restore(s->r.client, dunlin_slice_make(s->saved, s->saved_len)),
                     DUNLIN_OK);
    s->request_code = DN_COAP_BAD_REQUEST;
    sequence_start(s);
    sequence_run(s, DAY_S);
    expect("events", s->log, "1B 1- 8-");
    closed(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_by_table),
        cmocka_unit_test(a_fleet_does_not_come_back_at_once),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(it_never_gives_up),
        cmocka_unit_test(devices_differ),
        cmocka_unit_test(an_end_that_was_asked_for),
        cmocka_unit_test(a_restart_does_not_wait),
        cmocka_unit_test(a_server_that_is_back_is_found),
        cmocka_unit_test(what_was_asked_for_ends_with_a_server),
        cmocka_unit_test(a_state_that_does_not_fit_is_not_the_end),
        cmocka_unit_test(the_policy_survives_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
