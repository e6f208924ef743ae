/* SPDX-License-Identifier: Apache-2.0 */
/* The device's callbacks, and the server's requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/objects/firmware_rig.h"

firmware_rig s;

/* ---- the device ---- */

static dunlin_firmware_result on_begin(void *context, uint64_t size)
{
    (void)context;
    s.begins++;
    s.begun_size = size;
    s.stored = 0;
    return s.begin_gives;
}

static dunlin_firmware_result on_write(void *context, uint64_t offset, dunlin_slice bytes)
{
    (void)context;
    if (s.write_gives != GOOD && offset + bytes.len > s.write_fails_at) {
        return s.write_gives;
    }
    assert_true(offset <= s.stored && offset + bytes.len <= PACKAGE_MAX);
    memcpy(s.flash + offset, bytes.data, bytes.len);
    s.stored = offset + bytes.len;
    return GOOD;
}

static dunlin_firmware_result on_verify(void *context, uint64_t size)
{
    (void)context;
    s.verified_size = size;
    s.firmware.package_version = s.verify_gives == GOOD ? "2.0" : NULL;
    return s.verify_gives;
}

static dunlin_firmware_result on_apply(void *context)
{
    (void)context;
    s.applies++;
    return s.apply_gives;
}

static void on_discard(void *context)
{
    (void)context;
    s.discards++;
}

static void on_save(void *context, const dunlin_firmware_kept *kept)
{
    (void)context;
    s.saves++;
    s.has_kept = true;
    s.kept = *kept;
}

static bool on_load(void *context, dunlin_firmware_kept *kept)
{
    (void)context;
    *kept = s.kept;
    return s.has_kept;
}

static bool on_fetch(void *context, const char *uri, uint64_t from, dunlin_slice etag)
{
    (void)context;
    s.fetches++;
    (void)snprintf(s.fetch_uri, sizeof s.fetch_uri, "%s", uri);
    s.fetch_from = from;
    (void)snprintf(s.fetch_etag, sizeof s.fetch_etag, "%.*s", (int)etag.len, (const char *)etag.data);
    return !s.fetch_refuses;
}

static void on_fetch_cancel(void *context)
{
    (void)context;
    s.cancels++;
}

static int64_t on_clock(void *context)
{
    (void)context;
    return s.clock_s;
}

static uint64_t firmware_deadline(void *context)
{
    (void)context;
    return dunlin_firmware_deadline(&s.firmware);
}

static void firmware_expire(void *context, uint64_t now_ms)
{
    (void)context;
    dunlin_firmware_step(&s.firmware, now_ms);
}

static void no_datagrams(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms)
{
    (void)context;
    (void)from;
    (void)datagram;
    (void)now_ms;
}

static void init_firmware(void)
{
    dunlin_firmware_init(&s.firmware);
    s.firmware.call = (dunlin_firmware_callbacks){.begin = on_begin,
                                                  .write = on_write,
                                                  .verify = on_verify,
                                                  .apply = on_apply,
                                                  .discard = on_discard,
                                                  .save = on_save,
                                                  .load = on_load,
                                                  .fetch = on_fetch,
                                                  .fetch_cancel = on_fetch_cancel,
                                                  .clock = on_clock};
}

/* A device with the firmware as s.firmware is configured, registered. */
static void power_up(void)
{
    static const dn_simlink_endpoint endpoint = {no_datagrams, firmware_deadline, firmware_expire, NULL};
    dn_peer nobody;
    rig_open(&s.r, DUNLIN_LWM2M_1_1, 1);
    assert_int_equal(dn_simlink_attach(s.r.link, &endpoint, &nobody), DUNLIN_OK);
    assert_int_equal(dunlin_firmware_add(s.r.client, &s.firmware), DUNLIN_OK);
    dunlin_client_start(s.r.client, dn_simlink_now(s.r.link));
    rig_run(&s.r, 100);
    assert_true(dunlin_client_registered(s.r.client));
}

int open_device(void **state)
{
    uint8_t *flash = s.flash == NULL ? malloc(PACKAGE_MAX) : s.flash;
    uint8_t *package = s.package == NULL ? malloc(PACKAGE_MAX) : s.package;
    (void)state;
    memset(&s, 0, sizeof s);
    s.flash = flash;
    s.package = package;
    for (size_t i = 0; i < PACKAGE_MAX; i++) {
        package[i] = (uint8_t)(i * 2654435761u >> 13);
    }
    init_firmware();
    power_up();
    return 0;
}

int close_device(void **state)
{
    (void)state;
    rig_close(&s.r);
    return 0;
}

/* The power goes, and comes back: only what was saved is left. */
void reset_device(void)
{
    rig_close(&s.r);
    init_firmware();
    power_up();
}

int open_1_1(void **state)
{
    (void)open_device(state);
    rig_close(&s.r);
    s.firmware.version_1_1 = true;
    s.clock_s = 1000;
    power_up();
    return 0;
}

void free_device(void)
{
    free(s.flash);
    free(s.package);
}

/* ---- the server ---- */

void expect_state(dunlin_firmware_state state, dunlin_firmware_result result)
{
    char text[2][4];
    const rig_answer *answer = rig_get(&s.r, "/5/0/3", TEXT);
    (void)snprintf(text[0], sizeof text[0], "%.*s", (int)answer->len, (const char *)answer->payload);
    answer = rig_get(&s.r, "/5/0/5", TEXT);
    (void)snprintf(text[1], sizeof text[1], "%.*s", (int)answer->len, (const char *)answer->payload);
    assert_int_equal(atoi(text[0]), state);
    assert_int_equal(atoi(text[1]), result);
}

const char *put(const char *path, int format, const void *payload, size_t len)
{
    const rig_request request = {.method = PUT,
                                 .path = path,
                                 .has_format = format >= 0,
                                 .format = (uint16_t)format,
                                 .payload = payload,
                                 .len = len};
    return rig_code(rig_ask(&s.r, &request)->code);
}

const char *push(size_t len)
{
    return put("/5/0/0", OPAQUE, s.package, len);
}

const char *write_uri(const char *uri)
{
    return put("/5/0/1", TEXT, uri, strlen(uri));
}

const char *execute(const char *path)
{
    return rig_code(rig_send(&s.r, POST, path, -1, NULL)->code);
}

static bool read_package(void *context, uint64_t offset, void *out, size_t len)
{
    (void)context;
    memcpy(out, s.package + offset, len);
    s.pieces++;
    return true;
}

static void on_put(void *context, uint64_t exchange, dunlin_status status, const dn_coap_response *response)
{
    (void)context;
    (void)exchange;
    s.done = true;
    s.put_status = status;
    s.code = response == NULL ? 0 : response->code;
}

/* Begins a push of any size; it goes on while the rig runs. */
void begin_push(uint64_t size)
{
    static const dn_coap_option path[] = {{DN_OPTION_URI_PATH, {(const uint8_t *)"5", 1}},
                                          {DN_OPTION_URI_PATH, {(const uint8_t *)"0", 1}},
                                          {DN_OPTION_URI_PATH, {(const uint8_t *)"0", 1}}};
    static const dn_simlink_rules slow = {.delay_min_ms = 5, .delay_max_ms = 20};
    static dn_coap_source source;
    dn_coap_outgoing outgoing;
    uint64_t exchange = 0;
    source = (dn_coap_source){.size = size, .read = read_package};
    dn_coap_outgoing_init(&outgoing, PUT);
    outgoing.confirmable = true;
    outgoing.options = path;
    outgoing.option_count = 3;
    outgoing.content_format = OPAQUE;
    outgoing.source = &source;
    dn_simlink_rule(s.r.link, &slow);
    s.done = false;
    s.pieces = 0;
    assert_int_equal(dn_coap_request(s.r.server, &s.r.client_address, &outgoing, on_put, NULL,
                                     dn_simlink_now(s.r.link), &exchange),
                     DUNLIN_OK);
}

static bool put_done(void *context)
{
    (void)context;
    return s.done;
}

void finish_push(void)
{
    assert_true(dn_simlink_run(s.r.link, dn_simlink_now(s.r.link) + UINT64_C(1000000000), put_done, NULL));
}
