/* SPDX-License-Identifier: Apache-2.0 */
/* What (D)TLS alerts lead to: Table 5.2.9-1 of Transport 1.1.1 in every state in which a way can go, and /1/x/11. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "client/alerts.h"
#include "tests/client/ways.h"

#define SECOND 1000ull
#define TLS    .uri = "coaps+tcp://server"

#define EACH_ALERT 256

static dn_alert_response expected_response(int alert)
{
    static const int fail[] = {42, 43, 44, 45, 46, 48, 49, 112, 113, 114, 115};
    static const int ignore[] = {30, 41, 60, 110};
    for (size_t i = 0; i < sizeof fail / sizeof fail[0]; i++) {
        if (fail[i] == alert) {
            return DN_ALERT_FAIL;
        }
    }
    for (size_t i = 0; i < sizeof ignore / sizeof ignore[0]; i++) {
        if (ignore[i] == alert) {
            return DN_ALERT_IGNORE;
        }
    }
    return DN_ALERT_RETRY;
}

static void each_alert_means_what_the_table_says(void **state)
{
    (void)state;
    for (int alert = -1; alert < EACH_ALERT; alert++) {
        assert_int_equal(dn_client_alert_response(alert), expected_response(alert));
    }
}

/* What each alert does in each state in which a way can go. */
static void each_alert_in_each_state(void **state)
{
    static const struct {
        const char *script, *tried, *failed;
    } rows[] = {
        {"0 later; 0 start; 2 cut %d; 3 run", "0c 2N", "0c 2F 2B"},
        {"0 mute; 0 start; 2 cut %d; 3 run", "0c 0C 2L 2N", "0c 0C 2L 2F 2B"},
        {"0 start; 20 cut %d; 21 run", "0c 0C 0R 20L 20c 20C 20R", "0c 0C 0R 20L 20F 20B"},
        {"0 start; 20 mute; 20 update; 21 hear; 21 cut %d; 22 run", "0c 0C 0R 21L 21c 21C 21R",
         "0c 0C 0R 21L 21F 21B"},
        {"0 refuse; 0 start; 2 cut %d; 3 run", "0c 0C 0X 2L", "0c 0C 0X 2L 2F 2B"},
        {"0 start; 20 mute; 20 stop; 22 cut %d; 23 run", "0c 0C 0R 22L 22D", "0c 0C 0R 22L 22D"},
    };
    const ways_account account = {TLS};
    static ways w;
    char script[96];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int alert = 0; alert <= 120; alert++) {
            const bool fails = expected_response(alert) == DN_ALERT_FAIL;
            (void)snprintf(script, sizeof script, rows[i].script, alert);
            ways_open(&w, &account, 1);
            ways_play(&w, script);
            if (strcmp(w.log, fails ? rows[i].failed : rows[i].tried) != 0) {
                fail_msg("%s: %s", script, w.log);
            }
            ways_close(&w);
        }
    }
}

static const dunlin_client_event *last_event(const ways *w, dunlin_client_event_kind kind)
{
    const dunlin_client_event *found = NULL;
    for (size_t i = 0; i < w->r.event_count; i++) {
        found = w->r.events[i].kind == kind ? &w->r.events[i] : found;
    }
    assert_non_null(found);
    return found;
}

static void events_tell_of_alerts(void **state)
{
    const ways_account account = {0};
    static ways w;
    (void)state;
    ways_open(&w, &account, 1);
    ways_play(&w, "0 later; 0 start; 2 cut 40; 13 up; 30 cut 10; 31 update; 32 cut 115; 33 run");
    assert_string_equal(w.log, "0c 2N 12c 13C 13R 30L 31c 32F 32B");
    assert_int_equal(last_event(&w, DUNLIN_CLIENT_UNREACHABLE)->alert, 40);
    assert_int_equal(last_event(&w, DUNLIN_CLIENT_UNREACHABLE)->retry_ms, 10 * SECOND);
    assert_int_equal(last_event(&w, DUNLIN_CLIENT_DISCONNECTED)->alert, 10);
    assert_int_equal(last_event(&w, DUNLIN_CLIENT_DISCONNECTED)->status, DUNLIN_ERR_IO);
    assert_int_equal(last_event(&w, DUNLIN_CLIENT_FAILED)->alert, 115);
    assert_int_equal(last_event(&w, DUNLIN_CLIENT_REGISTERED)->alert, -1);
    assert_int_equal(last_event(&w, DUNLIN_CLIENT_BOOTSTRAP)->alert, -1);
    ways_close(&w);
}

/* /1/x/11: there once there was one, and for good. */
static void the_last_alert_is_kept(void **state)
{
    const ways_account account = {TLS};
    static ways w;
    (void)state;
    ways_open(&w, &account, 1);
    ways_play(&w, "0 start; 1 run");
    assert_string_equal(rig_code(rig_get(&w.r, "/1/0/11", 0)->code), "4.04");
    ways_play(&w, "20 cut; 21 run"); /* without an alert */
    assert_string_equal(rig_code(rig_get(&w.r, "/1/0/11", 0)->code), "4.04");
    ways_play(&w, "40 cut 80; 41 run");
    assert_string_equal(rig_code(rig_get(&w.r, "/1/0/11", 0)->code), "2.05");
    assert_memory_equal(w.r.answer.payload, "80", 2);
    ways_play(&w, "60 end 0; 61 run");
    (void)rig_get(&w.r, "/1/0/11", 0);
    assert_int_equal(w.r.answer.len, 1);
    assert_memory_equal(w.r.answer.payload, "0", 1);
    ways_play(&w, "80 cut 1000; 81 run"); /* none that there could be */
    (void)rig_get(&w.r, "/1/0/11", 0);
    assert_memory_equal(w.r.answer.payload, "0", 1);
    assert_string_equal(rig_code(rig_send(&w.r, DN_COAP_PUT, "/1/0/11", 0, "1")->code), "4.05");
    ways_close(&w);
}

static void lwm2m_1_0_keeps_no_alert(void **state)
{
    const ways_account account = {.lwm2m_1_0 = true};
    static ways w;
    (void)state;
    ways_open(&w, &account, 1);
    ways_play(&w, "0 start; 20 cut 80; 21 update; 22 run");
    assert_string_equal(w.log, "0c 0C 0R 20L 21c 21C 21R");
    assert_string_equal(rig_code(rig_get(&w.r, "/1/0/11", 0)->code), "4.04");
    ways_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_alert_means_what_the_table_says),
        cmocka_unit_test(each_alert_in_each_state),
        cmocka_unit_test(events_tell_of_alerts),
        cmocka_unit_test(the_last_alert_is_kept),
        cmocka_unit_test(lwm2m_1_0_keeps_no_alert),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
