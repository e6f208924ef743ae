/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are refused, devices that answer what they should not, vanish or begin anew, keepers that fail; and that no secret is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/bootstrap/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONG_MS 600000u
#define SMALL   "{\"servers\":[{}]}"
#define OPEN    "{\"servers\":[{}],\"allow_insecure\":true}"

static int set_up(void **state)
{
    *state = calloc(1, sizeof(rig));
    return *state == NULL;
}

static int tear_down(void **state)
{
    rig_end(*state);
    free(*state);
    return 0;
}

static const char insecure[] = "this endpoint is not served without security here";

/* `proved` NULL: plain UDP; "": a session that proves nothing. */
static const struct {
    const char *name, *proved, *path, *queries;
    uint8_t method, code;
    const char *said; /* NULL: nothing */
} requests[] = {
    {"a good one", "dev-1", "bs", "ep=dev-1", DN_COAP_POST, DN_COAP_CHANGED, NULL},
    {"no name", "dev-1", "bs", "", DN_COAP_POST, DN_COAP_CHANGED, NULL},
    {"by a shared credential", "dev-*", "bs", "ep=dev-2&pct=110", DN_COAP_POST, DN_COAP_CHANGED, NULL},
    {"GET", "dev-1", "bs", "ep=dev-1", DN_COAP_GET, DN_COAP_METHOD_NOT_ALLOWED, NULL},
    {"PUT", "dev-1", "bs", "ep=dev-1", DN_COAP_PUT, DN_COAP_METHOD_NOT_ALLOWED, NULL},
    {"another path", "dev-1", "rd", "ep=dev-1", DN_COAP_POST, DN_COAP_NOT_FOUND, NULL},
    {"a longer path", "dev-1", "bs/x", "ep=dev-1", DN_COAP_POST, DN_COAP_NOT_FOUND, NULL},
    {"a path before it", "dev-1", "x/bs", "ep=dev-1", DN_COAP_POST, DN_COAP_NOT_FOUND, NULL},
    {"no path", "dev-1", "", "ep=dev-1", DN_COAP_POST, DN_COAP_NOT_FOUND, NULL},
    {"a format nobody writes in", "dev-1", "bs", "ep=dev-1&pct=60", DN_COAP_POST, DN_COAP_UNSUPPORTED_FORMAT,
     "its preferred format is none of 110, 112 and 11542"},
    {"a format that is no number", "dev-1", "bs", "ep=dev-1&pct=x", DN_COAP_POST, DN_COAP_UNSUPPORTED_FORMAT,
     "its preferred format is none of 110, 112 and 11542"},
    {"an empty format", "dev-1", "bs", "ep=dev-1&pct=", DN_COAP_POST, DN_COAP_UNSUPPORTED_FORMAT,
     "its preferred format is none of 110, 112 and 11542"},
    {"an old number", "dev-1", "bs", "ep=dev-1&pct=1542", DN_COAP_POST, DN_COAP_UNSUPPORTED_FORMAT,
     "its preferred format is none of 110, 112 and 11542"},
    {"two names", "dev-1", "bs", "ep=dev-1&ep=dev-1", DN_COAP_POST, DN_COAP_BAD_REQUEST,
     "a parameter is unknown, repeated or bad"},
    {"two formats", "dev-1", "bs", "ep=dev-1&pct=110&pct=110", DN_COAP_POST, DN_COAP_BAD_REQUEST,
     "a parameter is unknown, repeated or bad"},
    {"an empty name", "dev-1", "bs", "ep=", DN_COAP_POST, DN_COAP_BAD_REQUEST,
     "a parameter is unknown, repeated or bad"},
    {"a wildcard", "dev-*", "bs", "ep=dev-*", DN_COAP_POST, DN_COAP_BAD_REQUEST,
     "a parameter is unknown, repeated or bad"},
    {"a control character", "dev-*", "bs", "ep=dev-\x01", DN_COAP_POST, DN_COAP_BAD_REQUEST,
     "a parameter is unknown, repeated or bad"},
    {"no UTF-8", "dev-*", "bs", "ep=dev-\xff", DN_COAP_POST, DN_COAP_BAD_REQUEST,
     "a parameter is unknown, repeated or bad"},
    {"an unknown parameter", "dev-1", "bs", "ep=dev-1&lt=60", DN_COAP_POST, DN_COAP_BAD_REQUEST,
     "a parameter is unknown, repeated or bad"},
    {"another's name", "dev-1", "bs", "ep=dev-2", DN_COAP_POST, DN_COAP_BAD_REQUEST,
     "its credential does not stand for this endpoint"},
    {"a name with a credential of its own", "*", "bs", "ep=owned", DN_COAP_POST, DN_COAP_BAD_REQUEST,
     "its credential does not stand for this endpoint"},
    {"a name outside the pattern", "dev-*", "bs", "ep=open", DN_COAP_POST, DN_COAP_BAD_REQUEST,
     "its credential does not stand for this endpoint"},
    {"no name, by a shared credential", "dev-*", "bs", "", DN_COAP_POST, DN_COAP_BAD_REQUEST,
     "ep is missing, and nothing else names the device"},
    {"nobody is proved", "", "bs", "ep=dev-1", DN_COAP_POST, DN_COAP_BAD_REQUEST, "it has no session"},
    {"not known", "stranger", "bs", "ep=stranger", DN_COAP_POST, DN_COAP_BAD_REQUEST,
     "there is no bootstrap configuration for this endpoint"},
    {"without security, not allowed", NULL, "bs", "ep=dev-1", DN_COAP_POST, DN_COAP_BAD_REQUEST, insecure},
    {"without security, not known", NULL, "bs", "ep=stranger", DN_COAP_POST, DN_COAP_BAD_REQUEST, insecure},
    {"without security, has a credential", NULL, "bs", "ep=owned", DN_COAP_POST, DN_COAP_BAD_REQUEST,
     insecure},
    {"without security, allowed", NULL, "bs", "ep=open", DN_COAP_POST, DN_COAP_CHANGED, NULL},
    {"without security, no name", NULL, "bs", "", DN_COAP_POST, DN_COAP_BAD_REQUEST,
     "ep is missing, and nothing else names the device"},
    {"discovery", "dev-1", ".well-known/core", "", DN_COAP_GET, DN_COAP_CONTENT, "</bs>"},
};

static void test_requests(void **state)
{
    rig *r = *state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        rig_start(r, 40 + i, NULL);
        rig_device *device = &r->devices[0];
        rig_configure(r, "dev-*", SMALL);
        rig_configure(r, "open", OPEN);
        rig_configure(r, "owned", OPEN);
        dn_testkeeper_psk(&r->own, "owned", dunlin_slice_of("owned"), dunlin_slice_of("0123456789abcdef"));
        if (requests[i].proved != NULL) {
            rig_secure(r, device, DN_TRANSPORT_DTLS,
                       requests[i].proved[0] != '\0' ? requests[i].proved : NULL);
        }
        rig_request(r, device, requests[i].method, requests[i].path, requests[i].queries, DN_COAP_NO_FORMAT);
        rig_settle(r, LONG_MS);
        bool is_same = strcmp(device->said, requests[i].said != NULL ? requests[i].said : "") == 0;
        if (device->status != DUNLIN_OK || device->code != requests[i].code || !is_same) {
            fail_msg("%s: status %d code %u.%02u \"%s\"", requests[i].name, device->status, device->code >> 5,
                     device->code & 31u, device->said);
        }
        if (requests[i].code == DN_COAP_BAD_REQUEST || requests[i].code == DN_COAP_UNSUPPORTED_FORMAT) {
            assert_int_equal(strncmp(r->events, "REFUSED ", 8), 0);
            assert_int_equal(device->asked, 0);
            assert_int_equal(r->keeper.stages, 0);
        }
        rig_end(r);
    }
    rig_start(r, 1, NULL);
}

/* What a device answers at each step in place of what it should: the run fails there, and nothing is sent any more. */
static const struct {
    const char *name;
    rig_answer answer;
    const char *why, *last;
} answers[] = {
    {"no Discover", {"GET /", DN_COAP_NOT_FOUND, NULL, 0, 0}, "Discover / was answered 4.04", "GET /;"},
    {"Discover is no list",
     {"GET /", DN_COAP_CONTENT, "<<<", 0, 0},
     "what the device answered to Discover is no list of links",
     "GET /;"},
    {"Discover is of another code",
     {"GET /", DN_COAP_CHANGED, NULL, 0, 0},
     "Discover / was answered 2.04",
     "GET /;"},
    {"Delete is refused",
     {"DELETE /0", DN_COAP_BAD_REQUEST, "no\nway\x07", 0, 0},
     "Delete /0 was answered 4.00: no?way?",
     "GET /;DELETE /0;"},
    {"Delete is of another code",
     {"DELETE /1", DN_COAP_CHANGED, NULL, 0, 0},
     "Delete /1 was answered 2.04",
     "GET /;DELETE /0;DELETE /1;"},
    {"Write is refused",
     {"PUT /0/1", DN_COAP_BAD_REQUEST, NULL, 0, 0},
     "Write /0/1 was answered 4.00",
     "GET /;DELETE /0;DELETE /1;PUT /0/1;"},
    {"no format is known",
     {"PUT /0/1", DN_COAP_UNSUPPORTED_FORMAT, NULL, 0, 0},
     "Write /0/1 was answered 4.15",
     "GET /;DELETE /0;DELETE /1;PUT /0/1;PUT /0/1;"},
    {"Write makes something",
     {"PUT /1/0", DN_COAP_CREATED, NULL, 0, 0},
     "Write /1/0 was answered 2.01",
     "GET /;DELETE /0;DELETE /1;PUT /0/1;PUT /1/0;"},
    {"Read breaks down",
     {"GET /1", DN_COAP_INTERNAL_ERROR, NULL, 0, 0},
     "Read /1 was answered 5.00",
     "GET /;DELETE /0;DELETE /1;PUT /0/1;PUT /1/0;GET /1;"},
    {"the second Discover fails",
     {"GET /", DN_COAP_INTERNAL_ERROR, NULL, 1, 0},
     "Discover / was answered 5.00",
     "GET /;DELETE /0;DELETE /1;PUT /0/1;PUT /1/0;GET /1;GET /;"},
    {"what was written is not there",
     {"GET /", DN_COAP_CONTENT, "</>;lwm2m=1.1,</0/0>,</0/1>;ssid=1", 1, 0},
     "after all was written the device has no /1/0",
     "GET /;DELETE /0;DELETE /1;PUT /0/1;PUT /1/0;GET /1;GET /;"},
    {"another account is there",
     {"GET /", DN_COAP_CONTENT, "</>;lwm2m=1.1,</0/0>,</0/1>;ssid=2,</1/0>;ssid=2", 1, 0},
     "after all was written /0/1 has the Short Server ID 2, not 1",
     "GET /;DELETE /0;DELETE /1;PUT /0/1;PUT /1/0;GET /1;GET /;"},
    {"Finish is refused",
     {"POST /bs", DN_COAP_BAD_REQUEST, "why not", 0, 0},
     "Finish was answered 4.00: why not",
     "GET /;DELETE /0;DELETE /1;PUT /0/1;PUT /1/0;GET /1;GET /;POST /bs;"},
    {"inconsistent, twice",
     {"POST /bs", DN_COAP_NOT_ACCEPTABLE, "no account", 0, 0},
     "Finish was answered 4.06: no account",
     "GET /;DELETE /0;DELETE /1;PUT /0/1;PUT /1/0;GET /1;GET /;POST /bs;"
     "DELETE /;PUT /0/1;PUT /1/0;GET /1;GET /;POST /bs;"},
};

static void test_answers(void **state)
{
    rig *r = *state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        rig_view view;
        rig_start(r, 80 + i, NULL);
        rig_device *device = &r->devices[0];
        rig_configure(r, "a", SMALL);
        rig_secure(r, device, DN_TRANSPORT_DTLS, "a");
        device->script[0] = answers[i].answer;
        rig_ask(r, device, "ep=a&pct=112");
        rig_settle(r, LONG_MS);
        rig_run(r, LONG_MS);
        rig_look(r, "a", &view);
        if (strcmp(view.why, answers[i].why) != 0 || strcmp(device->log, answers[i].last) != 0) {
            fail_msg("%s: %s\n%s", answers[i].name, view.why, device->log);
        }
        assert_int_equal(view.view.state, DN_BS_BROKEN);
        assert_non_null(strstr(r->events, "FAILED a\n"));
        assert_null(strstr(r->events, "FINISHED"));
        assert_null(bs_keeper_of(&r->keeper, "a", false));
        assert_non_null(bs_keeper_of(&r->keeper, "a", true)); /* it may have got it */
        dn_bs_counters counters;
        dn_bs_count(r->bs, &counters);
        assert_int_equal(counters.failed, 1);
        assert_int_equal(counters.running, 0);
        rig_end(r);
    }
    rig_start(r, 1, NULL);
}

/* 4.06 once: all is deleted and written again, and then it is good. */
static void test_repair(void **state)
{
    rig *r = *state;
    rig_device *device = &r->devices[0];
    rig_start(r, 2, NULL);
    rig_configure(r, "a", SMALL);
    rig_secure(r, device, DN_TRANSPORT_DTLS, "a");
    device->script[0] = (rig_answer){"POST /bs", DN_COAP_NOT_ACCEPTABLE, "two accounts", 0, 1};
    rig_ask(r, device, "ep=a&pct=112");
    rig_settle(r, LONG_MS);
    assert_string_equal(device->log, "GET /;DELETE /0;DELETE /1;PUT /0/1;PUT /1/0;GET /1;GET /;POST /bs;"
                                     "DELETE /;PUT /0/1;PUT /1/0;GET /1;GET /;POST /bs;");
    assert_non_null(strstr(r->events, "STEP a 8/8 Finish / 4.06\nREPAIRING a\nSTEP a 9/14 Delete / 2.02\n"));
    assert_non_null(strstr(r->events, "STEP a 14/14 Finish / 2.04\nFINISHED a\n"));
    assert_non_null(strstr(r->whys, "two accounts|"));
    dn_bs_counters counters;
    dn_bs_count(r->bs, &counters);
    assert_int_equal(counters.repaired, 1);
    assert_int_equal(counters.finished, 1);
}

/* A Read of Object 1 tells something else than was written; and one that tells what was. */
static void test_read(void **state)
{
    static const struct {
        const char *servers, *why;
    } rows[] = {
        {"[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":1}]", ""},
        {"[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":2}]",
         "after all was written /1/0 has not the Short Server ID 1"},
        {"[]", "after all was written /1/0 has not the Short Server ID 1"},
        {"nonsense", ""}, /* as good as no answer */
    };
    rig *r = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_view view;
        rig_start(r, 100 + i, NULL);
        rig_device *device = &r->devices[0];
        rig_configure(r, "a", SMALL);
        rig_secure(r, device, DN_TRANSPORT_DTLS, "a");
        device->servers = rows[i].servers;
        rig_ask(r, device, "ep=a&pct=110");
        rig_settle(r, LONG_MS);
        rig_look(r, "a", &view);
        assert_string_equal(view.why, rows[i].why);
        rig_end(r);
    }
    rig_start(r, 1, NULL);
}

/* Gone at the n-th step, silently or with its session: the run fails, and the next one is as good as the first. */
static void test_vanish(void **state)
{
    rig *r = *state;
    for (unsigned i = 1; i <= 8; i++) {
        for (unsigned with_session = 0; with_session < 2; with_session++) {
            rig_view view;
            rig_start(r, 120 + i, NULL);
            rig_device *device = &r->devices[0];
            rig_configure(r, "a", SMALL);
            rig_secure(r, device, DN_TRANSPORT_DTLS, "a");
            device->silent_from = i;
            rig_ask(r, device, "ep=a&pct=112");
            rig_run(r, 1000);
            if (with_session) {
                rig_close(r, device);
            }
            rig_settle(r, LONG_MS);
            rig_look(r, "a", &view);
            assert_int_equal(view.view.state, DN_BS_BROKEN);
            assert_int_equal(view.view.step_count, i);
            assert_int_equal(view.steps[i - 1].code, 0);
            assert_non_null(strstr(view.why, with_session ? "the device's session or connection has ended"
                                                          : "was not answered: the device says nothing"));
            assert_null(bs_keeper_of(&r->keeper, "a", false));
            device->silent_from = 0;
            device->is_written = false;
            rig_secure(r, device, DN_TRANSPORT_DTLS, "a");
            rig_ask(r, device, "ep=a&pct=112");
            rig_settle(r, LONG_MS);
            assert_non_null(strstr(r->events, "FINISHED a"));
            assert_non_null(bs_keeper_of(&r->keeper, "a", false));
            rig_end(r);
        }
    }
    rig_start(r, 1, NULL);
}

/* A second request of one endpoint, from the same peer and from another one: the new run counts. */
static void test_restart(void **state)
{
    rig *r = *state;
    for (unsigned i = 0; i < 2; i++) {
        rig_start(r, 3 + i, NULL);
        rig_device *device = &r->devices[0];
        rig_device *again = &r->devices[i];
        rig_configure(r, "a", SMALL);
        rig_secure(r, device, DN_TRANSPORT_DTLS, "a");
        device->silent_from = 4;
        rig_ask(r, device, "ep=a&pct=112");
        rig_run(r, 1000);
        device->silent_from = 0;
        if (i == 1) {
            rig_secure(r, again, DN_TRANSPORT_DTLS, "a");
        }
        rig_ask(r, again, "ep=a&pct=112");
        rig_settle(r, LONG_MS);
        assert_non_null(strstr(r->whys, "restarted: the device has asked anew"));
        assert_non_null(strstr(r->events, "FINISHED a"));
        dn_bs_counters counters;
        dn_bs_count(r->bs, &counters);
        assert_int_equal(counters.restarted, 1);
        assert_int_equal(counters.finished, 1);
        assert_int_equal(r->keeper.stages, 1); /* the same key */
        rig_end(r);
    }
    rig_start(r, 1, NULL);
}

static void few_runs(dn_bs_engine_config *config)
{
    config->max_runs = 2;
    config->max_ended = 2;
}

static void many_runs(dn_bs_engine_config *config)
{
    config->max_runs = 40;
}

static bool count_run(void *context, const dn_bs_run_view *view)
{
    uint64_t *numbers = context;
    numbers[++numbers[0]] = view->run;
    return true;
}

static void test_limits(void **state)
{
    rig *r = *state;
    uint64_t numbers[8] = {0};
    rig_start(r, 4, few_runs);
    rig_configure(r, "d?", SMALL);
    static const char *const names[] = {"d0", "d1", "d2", "d3"};
    for (size_t i = 0; i < RIG_DEVICES; i++) {
        char query[16];
        rig_secure(r, &r->devices[i], DN_TRANSPORT_DTLS, names[i]);
        r->devices[i].silent_from = 3;
        (void)snprintf(query, sizeof query, "ep=%s", names[i]);
        rig_ask(r, &r->devices[i], query);
        rig_run(r, 100);
    }
    assert_int_equal(r->devices[1].code, DN_COAP_CHANGED);
    assert_int_equal(r->devices[2].code, DN_COAP_UNAVAILABLE);
    assert_int_equal(r->devices[2].max_age_s, 30);
    assert_int_equal(r->devices[3].code, DN_COAP_UNAVAILABLE);
    dn_bs_counters counters;
    dn_bs_count(r->bs, &counters);
    assert_int_equal(counters.limited, 2);
    assert_int_equal(counters.running, 2);
    for (unsigned i = 0; i < 3; i++) { /* ended ones are kept, so many */
        rig_ask(r, &r->devices[0], "ep=d0");
        rig_run(r, 100);
    }
    dn_bs_runs(r->bs, dunlin_slice_of(""), 0, 10, count_run, numbers);
    assert_int_equal(numbers[0], 4); /* two run, two have ended; newest first */
    assert_true(numbers[1] > numbers[2] && numbers[2] > numbers[3] && numbers[3] > numbers[4]);
    numbers[0] = 0;
    dn_bs_runs(r->bs, dunlin_slice_of("d1"), 0, 10, count_run, numbers);
    assert_int_equal(numbers[0], 1);
    const uint64_t newest = numbers[1];
    numbers[0] = 0;
    dn_bs_runs(r->bs, dunlin_slice_of(""), newest, 10, count_run, numbers);
    assert_true(numbers[0] == 0 || numbers[1] < newest);
    dn_bs_begin(r->bs);
    dn_bs_drain(r->bs);
    rig_ask(r, &r->devices[2], "ep=d2");
    rig_settle(r, LONG_MS);
    assert_int_equal(r->devices[2].code, DN_COAP_UNAVAILABLE);
}

/* The keeper of credentials fails: nothing with a key in it leaves, or nothing is said to have been taken. */
static void test_keepers(void **state)
{
    rig *r = *state;
    rig_device *device = &r->devices[0];
    rig_view view;
    rig_start(r, 5, NULL);
    rig_configure(r, "a", SMALL);
    rig_secure(r, device, DN_TRANSPORT_DTLS, "a");
    r->keeper.fails = true;
    rig_ask(r, device, "ep=a&pct=112");
    rig_settle(r, LONG_MS);
    assert_int_equal(device->code, DN_COAP_INTERNAL_ERROR);
    assert_int_equal(device->asked, 0);
    rig_look(r, "a", &view);
    assert_non_null(strstr(view.why, "the disk is full"));
    /* It recovers, and fails once more before the end. */
    r->keeper.fails = false;
    device->silent_from = 0;
    rig_ask(r, device, "ep=a&pct=112");
    (void)dn_simlink_run(r->link, dn_simlink_now(r->link), NULL, NULL);
    r->keeper.fails = true;
    rig_settle(r, LONG_MS);
    /* The other keeper. */
    r->keeper.fails = false;
    dn_bs_memory_store_break(r->store, true);
    rig_ask(r, device, "ep=a&pct=112");
    rig_settle(r, LONG_MS);
    assert_int_equal(device->code, DN_COAP_INTERNAL_ERROR);
    dn_bs_memory_store_break(r->store, false);
    /* A document that nobody could have put. */
    assert_int_equal(
        r->store->ops->put(r->store, dunlin_slice_of("a"), dunlin_slice_of("{\"servers\":3}"), 0, NULL),
        DUNLIN_OK);
    rig_ask(r, device, "ep=a&pct=112");
    rig_settle(r, LONG_MS);
    assert_int_equal(device->code, DN_COAP_INTERNAL_ERROR);
    assert_non_null(strstr(r->logged, "servers: this is not an array"));
}

/* Whether a name is known is nothing to who proves nothing, even when what is known of it cannot be read. */
static void test_unreadable_without_security(void **state)
{
    static const char *const names[] = {"unknown", "damaged", "unknown", "unkept"};
    rig *r = *state;
    rig_device *device = &r->devices[1];
    dn_bs_counters counters;
    rig_start(r, 7, NULL);
    assert_int_equal(
        r->store->ops->put(r->store, dunlin_slice_of("damaged"), dunlin_slice_of("{\"servers\":3}"), 0, NULL),
        DUNLIN_OK);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char query[32];
        (void)snprintf(query, sizeof query, "ep=%s", names[i]);
        dn_bs_memory_store_break(r->store, i == 3);
        rig_ask(r, device, query);
        rig_settle(r, LONG_MS);
        assert_int_equal(device->code, DN_COAP_BAD_REQUEST);
        assert_string_equal(device->said, "this endpoint is not served without security here");
        dn_bs_count(r->bs, &counters);
        assert_int_equal(counters.refused, i + 1);
        assert_int_equal(counters.insecure_refused, i + 1);
    }
    assert_non_null(strstr(r->whys, "its configuration cannot be used"));
    assert_non_null(strstr(r->whys, "the keeper of configurations failed"));
    assert_non_null(strstr(r->logged, "servers: this is not an array"));
}

static void without_keeper(dn_bs_engine_config *config)
{
    config->credentials = NULL;
    config->own.uris[DN_TRANSPORT_UDP] = NULL;
}

/* What this server cannot give. */
static void test_lacks(void **state)
{
    static const struct {
        const char *document, *why;
    } rows[] = {
        {SMALL, "no key can be made for a device here: no LwM2M server would know it"},
        {"{\"servers\":[{\"security\":{\"mode\":\"nosec\"}}]}",
         "this LwM2M server is not served without security"},
        {"{\"servers\":[{\"security\":{\"mode\":\"est\"}}]}", "this LwM2M server has no certificate"},
    };
    rig *r = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_start(r, 140 + i, without_keeper);
        rig_device *device = &r->devices[0];
        rig_configure(r, "a", rows[i].document);
        rig_secure(r, device, DN_TRANSPORT_DTLS, "a");
        rig_ask(r, device, "ep=a&pct=112");
        rig_settle(r, LONG_MS);
        assert_int_equal(device->code, DN_COAP_INTERNAL_ERROR);
        assert_string_equal(device->said, "");
        assert_non_null(strstr(r->whys, rows[i].why));
        rig_end(r);
    }
    rig_start(r, 1, NULL);
}

static void with_certificate(dn_bs_engine_config *config)
{
    config->own.certificate = dunlin_slice_of("one");
}

/* The device would be left with an account for which it gets no certificate. */
static void test_no_enrolment_here(void **state)
{
    rig *r = *state;
    rig_device *device = &r->devices[0];
    rig_start(r, 150, with_certificate);
    rig_configure(r, "a", "{\"servers\":[{\"security\":{\"mode\":\"est\"}}]}");
    rig_secure(r, device, DN_TRANSPORT_DTLS, "a");
    rig_ask(r, device, "ep=a&pct=112");
    rig_settle(r, LONG_MS);
    assert_int_equal(device->code, DN_COAP_INTERNAL_ERROR);
    assert_string_equal(device->log, "");
    assert_non_null(strstr(r->whys, "the configuration is for enrolment, which is not enabled here"));
}

/* The configuration wants what the device keeps its bootstrap account in. */
static void test_account_in_the_way(void **state)
{
    rig *r = *state;
    rig_device *device = &r->devices[0];
    rig_view view;
    rig_start(r, 6, NULL);
    rig_configure(r, "a", "{\"servers\":[{\"instances\":{\"security\":0}}]}");
    rig_secure(r, device, DN_TRANSPORT_DTLS, "a");
    rig_ask(r, device, "ep=a&pct=112");
    rig_settle(r, LONG_MS);
    rig_look(r, "a", &view);
    assert_string_equal(view.why, "the configuration wants /0/0, where the device has its bootstrap account");
    assert_string_equal(device->log, "GET /;");
}

/* A device that says back what it was given. */
static void test_secrets(void **state)
{
    static const char document[] =
        "{\"servers\":[{\"uri\":\"coaps://"
        "h\",\"security\":{\"identity\":\"me\",\"key\":\"53454352455453454352455453454352\"}}]}";
    rig *r = *state;
    rig_device *device = &r->devices[0];
    rig_view view;
    rig_start(r, 7, NULL);
    rig_configure(r, "a", document);
    rig_secure(r, device, DN_TRANSPORT_DTLS, "a");
    device->script[0] = (rig_answer){"PUT /1/0", DN_COAP_BAD_REQUEST, "I have SECRETSECRETSECR", 0, 0};
    rig_ask(r, device, "ep=a&pct=112");
    rig_settle(r, LONG_MS);
    rig_look(r, "a", &view);
    assert_string_equal(view.why, "Write /1/0 was answered 4.00");
    assert_null(strstr(r->whys, "SECRET"));
    assert_null(strstr(r->logged, "SECRET"));
    assert_null(strstr(r->whys, "5345"));
    assert_null(strstr(r->logged, "5345"));
    assert_int_equal(r->keeper.stages, 0); /* nothing is minted */
}

/* One who proves nothing cannot fill the events; one who may speak for many names cannot take all the room. */
static void test_floods(void **state)
{
    rig *r = *state;
    char query[32];
    rig_start(r, 9, NULL);
    rig_configure(r, "d*", SMALL);
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(query, sizeof query, "ep=x%u", i);
        rig_ask(r, &r->devices[0], query);
        (void)dn_simlink_run(r->link, dn_simlink_now(r->link), NULL, NULL);
    }
    unsigned lines = 0;
    for (const char *at = r->events; (at = strstr(at, "REFUSED")) != NULL; at++) {
        lines++;
    }
    assert_int_equal(lines, 20);
    dn_bs_counters counters;
    dn_bs_count(r->bs, &counters);
    assert_int_equal(counters.refused, 40);
    rig_end(r);
    rig_start(r, 10, many_runs);
    rig_configure(r, "d*", SMALL);
    rig_secure(r, &r->devices[0], DN_TRANSPORT_DTLS, "d*");
    r->devices[0].silent_from = 1;
    for (unsigned i = 0; i < 17; i++) {
        (void)snprintf(query, sizeof query, "ep=d%u", i);
        rig_ask(r, &r->devices[0], query);
        rig_run(r, 20);
        assert_int_equal(r->devices[0].code, i < 16 ? DN_COAP_CHANGED : DN_COAP_UNAVAILABLE);
    }
}

static void closed_to_others(dn_bs_engine_config *config)
{
    config->is_loopback = NULL;
}

static void open_to_others(dn_bs_engine_config *config)
{
    config->is_loopback = NULL;
    config->is_nosec_open = true;
}

/* Other hosts without security are heard only if the operator says so, and then served only as those of this host are. */
static void test_remote(void **state)
{
    rig *r = *state;
    for (unsigned is_open = 0; is_open < 2; is_open++) {
        rig_device *device = &r->devices[0];
        rig_start(r, 8, is_open ? open_to_others : closed_to_others);
        rig_configure(r, "open", OPEN);
        rig_configure(r, "closed", SMALL);
        rig_request(r, device, DN_COAP_GET, ".well-known/core", "", DN_COAP_NO_FORMAT);
        rig_settle(r, LONG_MS);
        assert_int_equal(device->code, is_open ? DN_COAP_CONTENT : DN_COAP_FORBIDDEN);
        rig_ask(r, device, "ep=closed");
        rig_settle(r, LONG_MS);
        assert_int_equal(device->code, DN_COAP_BAD_REQUEST);
        assert_string_equal(device->said, insecure);
        rig_ask(r, device, "ep=open");
        rig_settle(r, LONG_MS);
        assert_int_equal(device->code, is_open ? DN_COAP_CHANGED : DN_COAP_BAD_REQUEST);
        assert_int_equal(strstr(r->events, "FINISHED open") != NULL, is_open);
        /* With security the host does not matter. */
        rig_secure(r, device, DN_TRANSPORT_DTLS, "closed");
        device->is_written = false;
        rig_ask(r, device, "ep=closed");
        rig_settle(r, LONG_MS);
        assert_non_null(strstr(r->events, "FINISHED closed"));
        rig_end(r);
    }
    rig_start(r, 1, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_requests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_repair, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_vanish, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keepers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unreadable_without_security, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lacks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_enrolment_here, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_account_in_the_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_secrets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_remote, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_floods, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("bootstrap_broken", tests, NULL, NULL);
}
