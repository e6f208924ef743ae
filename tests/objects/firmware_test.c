/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware Update as a server sees it: push, pull over HTTP, failures, what is refused when, and what a reset leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/objects/firmware_rig.h"

#define HTTP_URI "http://repository/fw.bin"

/* ---- push ---- */

static void push_and_update(void **state)
{
    static const uint8_t nul = 0;
    (void)state;
    expect_state(IDLE, GOOD);
    assert_string_equal(put("/5/0/0", OPAQUE, &nul, 1), "2.04");
    expect_state(IDLE, GOOD);
    assert_string_equal(push(100), "2.04");
    expect_state(DOWNLOADED, GOOD);
    assert_memory_equal(s.flash, s.package, 100);
    assert_string_equal((const char *)rig_get(&s.r, "/5/0/7", TEXT)->payload, "2.0");
    assert_string_equal(execute("/5/0/2"), "2.04");
    expect_state(UPDATING, GOOD);
    assert_int_equal(s.applies, 1);
    dunlin_firmware_installed(&s.firmware, DUNLIN_FIRMWARE_SUCCESS);
    expect_state(IDLE, DUNLIN_FIRMWARE_SUCCESS);
    assert_string_equal(rig_code(rig_get(&s.r, "/5/0/7", TEXT)->code), "4.04");
    assert_string_equal(push(LARGE), "2.04"); /* the Result of the last one goes when the next begins */
    expect_state(DOWNLOADED, GOOD);
    assert_int_equal(s.verified_size, LARGE);
    assert_memory_equal(s.flash, s.package, LARGE);
    assert_string_equal(write_uri(""), "2.04");
    expect_state(IDLE, GOOD);
}

static void discover(void **state)
{
    const rig_answer *answer = rig_get(&s.r, "/5/0", LINK);
    (void)state;
    assert_string_equal((const char *)answer->payload, "</5/0>,</5/0/0>,</5/0/1>,</5/0/2>,</5/0/3>,</5/0/5>,"
                                                       "</5/0/8>;dim=3,</5/0/9>");
    assert_string_equal(rig_code(rig_get(&s.r, "/5/0/0", -1)->code), "4.05");
    assert_string_equal(rig_code(rig_get(&s.r, "/5/0", -1)->code), "2.05");
    assert_string_equal(put("/5/0/3", TEXT, "1", 1), "4.05");
    assert_null(strstr(s.r.list, "</5>;ver"));
}

/* Every request in every state: code, and what state and Result are afterwards. */
static void requests_by_state(void **state)
{
    static const struct {
        dunlin_firmware_state from;
        const char *what, *code;
        dunlin_firmware_state to;
    } rows[] = {
        {IDLE, "push", "2.04", DOWNLOADED},        {IDLE, "uri", "2.04", DOWNLOADING},
        {IDLE, "execute", "4.05", IDLE},           {IDLE, "nul", "2.04", IDLE},
        {IDLE, "empty uri", "2.04", IDLE},         {DOWNLOADING, "push", "4.05", DOWNLOADING},
        {DOWNLOADING, "uri", "4.05", DOWNLOADING}, {DOWNLOADING, "execute", "4.05", DOWNLOADING},
        {DOWNLOADING, "nul", "2.04", IDLE},        {DOWNLOADING, "empty uri", "2.04", IDLE},
        {DOWNLOADED, "push", "4.05", DOWNLOADED},  {DOWNLOADED, "uri", "4.05", DOWNLOADED},
        {DOWNLOADED, "execute", "2.04", UPDATING}, {DOWNLOADED, "nul", "2.04", IDLE},
        {DOWNLOADED, "empty uri", "2.04", IDLE},   {UPDATING, "push", "4.05", UPDATING},
        {UPDATING, "uri", "4.05", UPDATING},       {UPDATING, "execute", "4.05", UPDATING},
        {UPDATING, "nul", "4.05", UPDATING},       {UPDATING, "empty uri", "4.05", UPDATING},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *code = "";
        (void)close_device(NULL);
        (void)open_device(NULL);
        if (rows[i].from == DOWNLOADING) {
            assert_string_equal(write_uri(HTTP_URI), "2.04");
        } else if (rows[i].from != IDLE) {
            assert_string_equal(push(10), "2.04");
        }
        if (rows[i].from == UPDATING) {
            assert_string_equal(execute("/5/0/2"), "2.04");
        }
        expect_state(rows[i].from, GOOD);
        if (strcmp(rows[i].what, "push") == 0) {
            code = push(20);
        } else if (strcmp(rows[i].what, "uri") == 0) {
            code = write_uri(HTTP_URI);
        } else if (strcmp(rows[i].what, "execute") == 0) {
            code = execute("/5/0/2");
        } else if (strcmp(rows[i].what, "nul") == 0) {
            code = put("/5/0/0", OPAQUE, "", 1);
        } else {
            code = write_uri("");
        }
        if (strcmp(code, rows[i].code) != 0) {
            fail_msg("state %d, %s: %s", rows[i].from, rows[i].what, code);
        }
        expect_state(rows[i].to, GOOD);
        assert_int_equal(s.cancels, rows[i].from == DOWNLOADING && rows[i].to == IDLE);
    }
}

static void failures_of_a_push(void **state)
{
    static const struct {
        const char *name;
        size_t size;
        dunlin_firmware_result begin, write, verify, result;
        const char *code;
    } rows[] = {
        {"no flash at once", LARGE, DUNLIN_FIRMWARE_NO_FLASH, GOOD, GOOD, DUNLIN_FIRMWARE_NO_FLASH, "5.00"},
        {"no flash on the way", LARGE, GOOD, DUNLIN_FIRMWARE_NO_FLASH, GOOD, DUNLIN_FIRMWARE_NO_FLASH,
         "5.00"},
        {"no RAM", LARGE, GOOD, DUNLIN_FIRMWARE_NO_RAM, GOOD, DUNLIN_FIRMWARE_NO_RAM, "5.00"},
        {"wrong type seen early", LARGE, GOOD, DUNLIN_FIRMWARE_TYPE, GOOD, DUNLIN_FIRMWARE_TYPE, "4.00"},
        {"no flash for a small one", 100, DUNLIN_FIRMWARE_NO_FLASH, GOOD, GOOD, DUNLIN_FIRMWARE_NO_FLASH,
         "2.04"},
        {"integrity", LARGE, GOOD, GOOD, DUNLIN_FIRMWARE_INTEGRITY, DUNLIN_FIRMWARE_INTEGRITY, "2.04"},
        {"type", 100, GOOD, GOOD, DUNLIN_FIRMWARE_TYPE, DUNLIN_FIRMWARE_TYPE, "2.04"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        s.begin_gives = rows[i].begin;
        s.write_gives = rows[i].write;
        s.write_fails_at = 2000;
        s.verify_gives = rows[i].verify;
        const char *code = push(rows[i].size);
        if (strcmp(code, rows[i].code) != 0) {
            fail_msg("%s: %s", rows[i].name, code);
        }
        expect_state(IDLE, rows[i].result);
    }
    assert_int_equal(s.discards, sizeof rows / sizeof rows[0]);
}

/* FW1, and result 8: the package stays, and may be tried again. */
static void installation_fails(void **state)
{
    (void)state;
    assert_string_equal(push(100), "2.04");
    assert_string_equal(execute("/5/0/2"), "2.04");
    dunlin_firmware_installed(&s.firmware, DUNLIN_FIRMWARE_FAILED);
    expect_state(DOWNLOADED, DUNLIN_FIRMWARE_FAILED);
    s.apply_gives = DUNLIN_FIRMWARE_FAILED; /* it is known at once */
    assert_string_equal(execute("/5/0/2"), "2.04");
    expect_state(DOWNLOADED, DUNLIN_FIRMWARE_FAILED);
    s.apply_gives = GOOD;
    assert_string_equal(execute("/5/0/2"), "2.04");
    expect_state(UPDATING, GOOD);
}

static void push_that_stops(void **state)
{
    (void)state;
    begin_push(1000000);
    rig_run(&s.r, 200);
    assert_int_equal(dunlin_firmware_state_of(&s.firmware), DOWNLOADING);
    assert_true(s.pieces > 1 && !s.done);
    dn_coap_forget(s.r.server, &s.r.client_address);
    rig_run(&s.r, 400000);
    expect_state(IDLE, DUNLIN_FIRMWARE_CONNECTION_LOST);
    assert_string_equal(push(LARGE), "2.04");
    expect_state(DOWNLOADED, GOOD);
}

/* The NUL byte comes while the package does: the rest of it is refused. */
static void push_that_is_cancelled(void **state)
{
    (void)state;
    begin_push(1000000);
    rig_run(&s.r, 200);
    assert_int_equal(dunlin_firmware_state_of(&s.firmware), DOWNLOADING);
    assert_string_equal(put("/5/0/1", TEXT, "", 0), "2.04");
    finish_push();
    assert_int_not_equal(s.code, DN_COAP_CHANGED);
    expect_state(IDLE, GOOD);
}

static void push_over_a_reset(void **state)
{
    (void)state;
    begin_push(1000000);
    rig_run(&s.r, 200);
    assert_int_equal(s.kept.state, DOWNLOADING);
    reset_device();
    expect_state(IDLE, DUNLIN_FIRMWARE_CONNECTION_LOST);
    assert_string_equal(push(LARGE), "2.04");
    reset_device();
    expect_state(DOWNLOADED, GOOD);
    assert_string_equal(execute("/5/0/2"), "2.04");
    reset_device();
    expect_state(UPDATING, GOOD);
    dunlin_firmware_installed(&s.firmware, DUNLIN_FIRMWARE_SUCCESS);
    reset_device();
    expect_state(IDLE, DUNLIN_FIRMWARE_SUCCESS);
}

static void large_push(uint64_t size, uint32_t loss_permille)
{
    const dn_simlink_rules rules = {.loss_permille = loss_permille, .delay_min_ms = 5, .delay_max_ms = 20};
    begin_push(size);
    dn_simlink_rule(s.r.link, &rules);
    finish_push();
    assert_int_equal(s.put_status, DUNLIN_OK);
    assert_int_equal(s.code, DN_COAP_CHANGED);
    assert_int_equal(s.verified_size, size);
    assert_memory_equal(s.flash, s.package, size);
    const dn_simlink_rules good = {.loss_permille = 0};
    dn_simlink_rule(s.r.link, &good);
    expect_state(DOWNLOADED, GOOD);
}

static void push_of_20_mb(void **state)
{
    const size_t before = dunlin_client_arena_used(s.r.client);
    (void)state;
    large_push(PACKAGE_MAX, 0);
    assert_int_equal(dunlin_client_arena_used(s.r.client), before);
}

static void push_over_a_lossy_link(void **state)
{
    (void)state;
    large_push(200000, 50);
}

/* ---- pull ---- */

static void fetched(uint64_t offset, size_t len, uint64_t size, const char *etag)
{
    assert_int_equal(dunlin_firmware_fetched(&s.firmware, offset, size, dunlin_slice_of(etag),
                                             dunlin_slice_make(s.package + offset, len)),
                     DUNLIN_OK);
}

static void pull_over_http(void **state)
{
    (void)state;
    assert_string_equal(write_uri(HTTP_URI), "2.04");
    expect_state(DOWNLOADING, GOOD);
    assert_string_equal(s.fetch_uri, HTTP_URI);
    assert_int_equal(s.fetch_from, 0);
    fetched(0, 1000, 3000, "\"a\"");
    assert_int_equal(s.begun_size, 3000);
    fetched(1000, 2000, 3000, "\"a\"");
    dunlin_firmware_fetch_ended(&s.firmware, GOOD);
    expect_state(DOWNLOADED, GOOD);
    assert_memory_equal(s.flash, s.package, 3000);
    assert_string_equal(execute("/5/0/2"), "2.04");
    dunlin_firmware_installed(&s.firmware, DUNLIN_FIRMWARE_SUCCESS);
    expect_state(IDLE, DUNLIN_FIRMWARE_SUCCESS);
    assert_string_equal((const char *)rig_get(&s.r, "/5/0/1", TEXT)->payload, HTTP_URI);
}

/* FW1: the Write succeeds, and the Result tells. */
static void bad_uris(void **state)
{
    static const struct {
        const char *uri;
        dunlin_firmware_result result;
    } rows[] = {
        {"nonsense", DUNLIN_FIRMWARE_URI},
        {"http:/x", DUNLIN_FIRMWARE_URI},
        {"http://", DUNLIN_FIRMWARE_URI},
        {"://host", DUNLIN_FIRMWARE_URI},
        {"http:///path", DUNLIN_FIRMWARE_URI},
        {"http://host/a b", DUNLIN_FIRMWARE_URI},
        {"ftp://host/x", DUNLIN_FIRMWARE_PROTOCOL},
        {"coaps+tcp://host/x", DUNLIN_FIRMWARE_PROTOCOL},
        {"coaps://host/x", DUNLIN_FIRMWARE_PROTOCOL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(write_uri(rows[i].uri), "2.04");
        expect_state(IDLE, rows[i].result);
    }
    s.fetch_refuses = true;
    assert_string_equal(write_uri(HTTP_URI), "2.04");
    expect_state(IDLE, DUNLIN_FIRMWARE_URI);
    s.firmware.call.fetch = NULL;
    assert_string_equal(write_uri(HTTP_URI), "2.04");
    expect_state(IDLE, DUNLIN_FIRMWARE_PROTOCOL);
    char longest[260];
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "http://", 7);
    assert_string_equal(put("/5/0/1", TEXT, longest, 255), "2.04");
    assert_string_equal(put("/5/0/1", TEXT, longest, 256), "4.00");
}

/* Three tries, 10 s and 20 s apart; whatever was fetched is not fetched again. */
static void pull_is_repeated(void **state)
{
    (void)state;
    assert_string_equal(write_uri(HTTP_URI), "2.04");
    rig_run(&s.r, 1);
    fetched(0, 1000, 3000, "\"a\"");
    dunlin_firmware_fetch_ended(&s.firmware, DUNLIN_FIRMWARE_CONNECTION_LOST);
    expect_state(DOWNLOADING, GOOD);
    rig_run(&s.r, 9900);
    assert_int_equal(s.fetches, 1);
    rig_run(&s.r, 200);
    assert_int_equal(s.fetches, 2);
    assert_int_equal(s.fetch_from, 1000);
    assert_string_equal(s.fetch_etag, "\"a\"");
    dunlin_firmware_fetch_ended(&s.firmware, DUNLIN_FIRMWARE_CONNECTION_LOST);
    rig_run(&s.r, 19900);
    assert_int_equal(s.fetches, 2);
    rig_run(&s.r, 200);
    assert_int_equal(s.fetches, 3);
    dunlin_firmware_fetch_ended(&s.firmware, DUNLIN_FIRMWARE_CONNECTION_LOST);
    expect_state(IDLE, DUNLIN_FIRMWARE_CONNECTION_LOST);
    assert_true(dunlin_firmware_deadline(&s.firmware) == DUNLIN_NEVER);
}

static void pull_fails(void **state)
{
    static const dunlin_firmware_result results[] = {DUNLIN_FIRMWARE_NO_FLASH, DUNLIN_FIRMWARE_NO_RAM,
                                                     DUNLIN_FIRMWARE_TYPE};
    (void)state;
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        s.write_gives = results[i];
        s.write_fails_at = 500;
        assert_string_equal(write_uri(HTTP_URI), "2.04");
        rig_run(&s.r, 1);
        assert_int_equal(dunlin_firmware_fetched(&s.firmware, 0, 0, dunlin_slice_of(""),
                                                 dunlin_slice_make(s.package, 1000)),
                         DUNLIN_ERR_CANCELLED);
        assert_int_equal(s.cancels, i + 1);
        expect_state(IDLE, results[i]);
    }
    s.write_gives = GOOD;
    s.verify_gives = DUNLIN_FIRMWARE_INTEGRITY;
    assert_string_equal(write_uri(HTTP_URI), "2.04");
    rig_run(&s.r, 1);
    fetched(0, 1000, 0, "");
    dunlin_firmware_fetch_ended(&s.firmware, GOOD);
    expect_state(IDLE, DUNLIN_FIRMWARE_INTEGRITY);
    assert_string_equal(write_uri(HTTP_URI), "2.04");
    rig_run(&s.r, 1);
    dunlin_firmware_fetch_ended(&s.firmware, DUNLIN_FIRMWARE_URI);
    expect_state(IDLE, DUNLIN_FIRMWARE_URI);
    /* A piece where none is expected, and an end that nobody waits for. */
    assert_int_equal(
        dunlin_firmware_fetched(&s.firmware, 0, 0, dunlin_slice_of(""), dunlin_slice_make(s.package, 1)),
        DUNLIN_ERR_CANCELLED);
    dunlin_firmware_fetch_ended(&s.firmware, GOOD);
    expect_state(IDLE, DUNLIN_FIRMWARE_URI);
}

static void pull_over_a_reset(void **state)
{
    (void)state;
    assert_string_equal(write_uri(HTTP_URI), "2.04");
    rig_run(&s.r, 1);
    for (uint64_t at = 0; at < 200000; at += 1000) {
        fetched(at, 1000, 300000, "\"a\"");
    }
    assert_true(s.kept.offset >= 200000 - s.firmware.save_every);
    reset_device();
    rig_run(&s.r, 1);
    expect_state(DOWNLOADING, GOOD);
    assert_true(s.fetch_from >= 200000 - s.firmware.save_every && s.fetch_from <= 200000);
    assert_string_equal(s.fetch_etag, "\"a\"");
    assert_string_equal(s.fetch_uri, HTTP_URI);
    for (uint64_t at = s.fetch_from; at < 300000; at += 1000) {
        fetched(at, (size_t)(300000 - at < 1000 ? 300000 - at : 1000), 300000, "\"a\"");
    }
    dunlin_firmware_fetch_ended(&s.firmware, GOOD);
    expect_state(DOWNLOADED, GOOD);
    assert_int_equal(s.begins, 1);
    assert_int_equal(s.verified_size, 300000);
    assert_memory_equal(s.flash, s.package, 300000);
}

/* Another package by now: the server sends it from the start. */
static void pull_begins_anew(void **state)
{
    (void)state;
    assert_string_equal(write_uri(HTTP_URI), "2.04");
    rig_run(&s.r, 1);
    fetched(0, 1000, 3000, "\"a\"");
    dunlin_firmware_fetch_ended(&s.firmware, DUNLIN_FIRMWARE_CONNECTION_LOST);
    rig_run(&s.r, 10001);
    fetched(0, 500, 500, "\"b\"");
    dunlin_firmware_fetch_ended(&s.firmware, GOOD);
    expect_state(DOWNLOADED, GOOD);
    assert_int_equal(s.begins, 2);
    assert_int_equal(s.verified_size, 500);
    assert_int_equal(s.firmware.kept.etag_len, 3);
    assert_memory_equal(s.firmware.kept.etag, "\"b\"", 3);
}

/* What was kept is damaged: as if there were nothing. */
static void damaged_memory(void **state)
{
    (void)state;
    memset(&s.kept, 0xFF, sizeof s.kept);
    s.has_kept = true;
    reset_device();
    expect_state(IDLE, GOOD);
}

static void deliveries(void **state)
{
    (void)state;
    s.firmware.delivery = DUNLIN_FIRMWARE_PULL;
    assert_string_equal(push(10), "4.05");
    s.firmware.delivery = DUNLIN_FIRMWARE_PUSH;
    assert_string_equal(write_uri(HTTP_URI), "4.05");
    assert_string_equal(write_uri(""), "2.04");
    assert_string_equal(push(10), "2.04");
    expect_state(DOWNLOADED, GOOD);
}

/* ---- version 1.1 ---- */

static void version_1_1(void **state)
{
    (void)state;
    assert_non_null(strstr(s.r.list, "</5>;ver=1.1,</5/0>"));
    assert_string_equal(execute("/5/0/10"), "4.05"); /* nothing is there to be cancelled */
    assert_string_equal(put("/5/0/11", TEXT, "2", 1), "2.04");
    assert_string_equal(put("/5/0/11", TEXT, "3", 1), "4.00");
    assert_string_equal(put("/5/0/13", TEXT, "3600", 4), "2.04");
    s.clock_s = 2000;
    assert_string_equal(push(10), "2.04");
    assert_string_equal((const char *)rig_get(&s.r, "/5/0/12", TEXT)->payload, "2000");
    assert_string_equal(execute("/5/0/10"), "2.04");
    expect_state(IDLE, DUNLIN_FIRMWARE_CANCELLED);
    assert_string_equal(write_uri(HTTP_URI), "2.04");
    expect_state(DOWNLOADING, GOOD);
    assert_string_equal(execute("/5/0/10"), "2.04");
    expect_state(IDLE, DUNLIN_FIRMWARE_CANCELLED);
    assert_int_equal(s.cancels, 1);
    assert_string_equal(push(10), "2.04");
    s.apply_gives = DUNLIN_FIRMWARE_DEFERRED;
    assert_string_equal(execute("/5/0/2"), "2.04");
    expect_state(DOWNLOADED, DUNLIN_FIRMWARE_DEFERRED);
    s.apply_gives = GOOD;
    assert_int_equal(dunlin_firmware_update(&s.firmware), DUNLIN_OK);
    expect_state(UPDATING, GOOD);
    assert_int_equal(dunlin_firmware_update(&s.firmware), DUNLIN_ERR_STATE);
    assert_string_equal(execute("/5/0/10"), "4.05");
    expect_state(UPDATING, GOOD);
}

/* A Write-Composite that fails in another resource has not begun a download, nor lost the last Result. */
static void failed_composite(void **state)
{
    static const char payload[] = "[{\"n\":\"/5/0/1\",\"vs\":\"" HTTP_URI "\"},{\"n\":\"/5/0/11\",\"v\":9}]";
    (void)state;
    assert_string_equal(write_uri("nonsense"), "2.04");
    expect_state(IDLE, DUNLIN_FIRMWARE_URI);
    assert_string_equal(rig_code(rig_send(&s.r, DN_COAP_IPATCH, "/", JSON, payload)->code), "4.00");
    expect_state(IDLE, DUNLIN_FIRMWARE_URI);
    assert_int_equal(s.fetches, 0);
    assert_string_equal((const char *)rig_get(&s.r, "/5/0/1", TEXT)->payload, "nonsense");
}

/* The same, but the other resource fails only when it is stored: the old URI is put back, and not fetched again. */
static void undone_composite(void **state)
{
    static const char payload[] =
        "[{\"n\":\"/5/0/1\",\"vs\":\"http://other/x\"},{\"n\":\"/33000/0/11\",\"v\":13}]";
    (void)state;
    assert_string_equal(write_uri(HTTP_URI), "2.04");
    rig_run(&s.r, 1);
    dunlin_firmware_fetch_ended(&s.firmware, DUNLIN_FIRMWARE_URI);
    expect_state(IDLE, DUNLIN_FIRMWARE_URI);
    assert_string_equal(rig_code(rig_send(&s.r, DN_COAP_IPATCH, "/", JSON, payload)->code), "5.00");
    expect_state(IDLE, DUNLIN_FIRMWARE_URI);
    assert_int_equal(s.fetches, 1);
    assert_string_equal((const char *)rig_get(&s.r, "/5/0/1", TEXT)->payload, HTTP_URI);
    assert_string_equal(write_uri(HTTP_URI), "2.04"); /* by itself it is */
    expect_state(DOWNLOADING, GOOD);
    rig_run(&s.r, 1);
    assert_int_equal(s.fetches, 2);
}

static void incomplete_callbacks(void **state)
{
    static dunlin_firmware wrong;
    (void)state;
    dunlin_firmware_init(&wrong);
    assert_int_equal(dunlin_firmware_add(s.r.client, &wrong), DUNLIN_ERR_ARGUMENT);
}

int main(void)
{
#define ONE(test)     cmocka_unit_test_setup_teardown(test, open_device, close_device)
#define ONE_1_1(test) cmocka_unit_test_setup_teardown(test, open_1_1, close_device)
    const struct CMUnitTest tests[] = {
        ONE(push_and_update),        ONE(discover),
        ONE(requests_by_state),      ONE(failures_of_a_push),
        ONE(installation_fails),     ONE(push_that_stops),
        ONE(push_that_is_cancelled), ONE(push_over_a_reset),
        ONE(push_over_a_lossy_link), ONE(push_of_20_mb),
        ONE(pull_over_http),         ONE(bad_uris),
        ONE(pull_is_repeated),       ONE(pull_fails),
        ONE(pull_over_a_reset),      ONE(pull_begins_anew),
        ONE(damaged_memory),         ONE(deliveries),
        ONE_1_1(version_1_1),        ONE_1_1(failed_composite),
        ONE(undone_composite),       ONE(incomplete_callbacks),
    };
    const int failed = cmocka_run_group_tests_name("oma_firmware", tests, NULL, NULL);
    free_device();
    return failed;
}
