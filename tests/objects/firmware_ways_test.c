/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packages that the device gets from a server it has an account with, by the session or connection that is there, in virtual time: what becomes
 * of a pull when ways come, go, die and are replaced, and which URIs there is a way for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/ways.h"
#include <dunlin/oma_firmware.h>

#define SIZE       300001u /* some eight seconds over the slow link */
#define SECOND     1000ull
#define NONE       UINT64_MAX
#define IDLE       DUNLIN_FIRMWARE_IDLE
#define WAITS      DUNLIN_FIRMWARE_DOWNLOADING
#define DOWNLOADED DUNLIN_FIRMWARE_DOWNLOADED
#define GOOD       DUNLIN_FIRMWARE_INITIAL

static const dn_simlink_rules slow = {.delay_min_ms = 12, .delay_max_ms = 12}; /* a stream keeps its order */

static struct {
    ways w;
    dunlin_firmware firmware;
    dunlin_firmware_kept kept;
    bool has_kept;
    uint8_t package[SIZE], flash[SIZE];
    unsigned begins;
    uint64_t verified, first_block;
} d;

/* ---- the device ---- */

static dunlin_firmware_result on_begin(void *context, uint64_t size)
{
    (void)context;
    (void)size;
    d.begins++;
    return GOOD;
}

static dunlin_firmware_result on_write(void *context, uint64_t offset, dunlin_slice bytes)
{
    (void)context;
    assert_true(offset + bytes.len <= SIZE);
    memcpy(d.flash + offset, bytes.data, bytes.len);
    return GOOD;
}

static dunlin_firmware_result on_verify(void *context, uint64_t size)
{
    (void)context;
    d.verified = size;
    return GOOD;
}

static dunlin_firmware_result on_apply(void *context)
{
    (void)context;
    return GOOD;
}

static void on_save(void *context, const dunlin_firmware_kept *kept)
{
    (void)context;
    d.has_kept = true;
    d.kept = *kept;
}

static bool on_load(void *context, dunlin_firmware_kept *kept)
{
    (void)context;
    *kept = d.kept;
    return d.has_kept;
}

static uint64_t firmware_deadline(void *context)
{
    (void)context;
    return dunlin_firmware_deadline(&d.firmware);
}

static void firmware_expire(void *context, uint64_t now_ms)
{
    (void)context;
    dunlin_firmware_step(&d.firmware, now_ms);
}

static void no_datagrams(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms)
{
    (void)context;
    (void)from;
    (void)datagram;
    (void)now_ms;
}

static bool read_package(void *context, uint64_t offset, void *out, size_t len)
{
    (void)context;
    d.first_block = d.first_block == NONE ? offset : d.first_block;
    memcpy(out, d.package + offset, len);
    return true;
}

static void add_firmware(void)
{
    dunlin_firmware_init(&d.firmware);
    d.firmware.call = (dunlin_firmware_callbacks){.begin = on_begin,
                                                  .write = on_write,
                                                  .verify = on_verify,
                                                  .apply = on_apply,
                                                  .save = on_save,
                                                  .load = on_load};
    assert_int_equal(dunlin_firmware_add(d.w.r.client, &d.firmware), DUNLIN_OK);
}

static void open_device(const ways_account *account)
{
    static const dn_simlink_endpoint endpoint = {no_datagrams, firmware_deadline, firmware_expire, NULL};
    static const dn_coap_source source = {.size = SIZE, .read = read_package};
    dn_peer nobody;
    memset(&d, 0, sizeof d);
    for (size_t i = 0; i < SIZE; i++) {
        d.package[i] = (uint8_t)(i * 2654435761u >> 13);
    }
    d.first_block = NONE;
    ways_open(&d.w, account, 1);
    d.w.r.file = &source;
    dn_simlink_rule(d.w.r.link, &slow);
    add_firmware();
    assert_int_equal(dn_simlink_attach(d.w.r.link, &endpoint, &nobody), DUNLIN_OK);
}

/* The power goes, and comes back: only what was saved is left. */
static void reset_device(const ways_account *account)
{
    d.w.r.config.call.disconnect(&d.w, 1);
    ways_remake(&d.w, account, 1);
    add_firmware();
    d.first_block = NONE;
}

static void write_uri(const char *uri)
{
    const rig_request request = {.method = DN_COAP_PUT,
                                 .path = "/5/0/1",
                                 .has_format = true,
                                 .format = 0,
                                 .payload = uri,
                                 .len = strlen(uri)};
    assert_string_equal(rig_code(rig_ask(&d.w.r, &request)->code), "2.04");
}

static bool is_at(dunlin_firmware_state state, dunlin_firmware_result result)
{
    return d.firmware.kept.state == state && d.firmware.kept.result == result;
}

static bool has_it(void)
{
    return is_at(DOWNLOADED, GOOD) && d.verified == SIZE && memcmp(d.flash, d.package, SIZE) == 0;
}

/* ---- what happens to a pull ---- */

typedef struct {
    const char *name;
    ways_account account;
    const char *uri;    /* NULL: of the account */
    const char *script; /* from the second second on; it is registered and has begun to pull in the first */
    const char *log;    /* of the ways rig */
    dunlin_firmware_state state;
    dunlin_firmware_result result;
} pull_row;

#define DTLS .uri = "coaps://server"
#define TCP  .uri = "coap+tcp://server"
#define TLS  .uri = "coaps+tcp://server"
#define GETS DOWNLOADED, GOOD

static void play_rows(const pull_row *rows, size_t count)
{
    unsigned bad = 0;
    for (size_t i = 0; i < count; i++) {
        char uri[64];
        (void)snprintf(uri, sizeof uri, "%s/fw", rows[i].account.uri);
        open_device(&rows[i].account);
        ways_play(&d.w, "0 start; 1 run");
        write_uri(rows[i].uri != NULL ? rows[i].uri : uri);
        ways_play(&d.w, rows[i].script);
        if (!is_at(rows[i].state, rows[i].result) || (rows[i].state == DOWNLOADED && !has_it()) ||
            strcmp(d.w.log, rows[i].log) != 0) {
            print_error("%s:\n  state %u, result %u, %llu bytes, log %s\n  instead of %s\n", rows[i].name,
                        d.firmware.kept.state, d.firmware.kept.result,
                        (unsigned long long)d.firmware.kept.offset, d.w.log, rows[i].log);
            bad++;
        }
        ways_close(&d.w);
    }
    assert_int_equal(bad, 0);
}

#define PLAY(rows) play_rows(rows, sizeof(rows) / sizeof(rows)[0])

/* No second handshake, whatever the transport. */
static void by_the_way_that_is_there(void **state)
{
    static const pull_row rows[] = {
        {"DTLS", {DTLS}, NULL, "30 run", "0c 0C 0R", GETS},
        {"TCP", {TCP}, NULL, "30 run", "0c 0C 0R", GETS},
        {"TLS", {TLS}, NULL, "30 run", "0c 0C 0R", GETS},
        {"UDP", {.uri = "coap://server"}, NULL, "30 run", "0c 0R", GETS},
        {"the port is said", {DTLS}, "coaps://SERVER:5684/fw", "30 run", "0c 0C 0R", GETS},
        {"the other transport of the same place",
         {DTLS},
         "coaps+tcp://server/fw",
         "30 run",
         "0c 0C 0R",
         GETS},
        {"and the other way round", {TLS}, "coaps://server/fw", "30 run", "0c 0C 0R", GETS},
        {"the binding has made it TLS",
         {.uri = "coaps://server", .binding = "T"},
         "coaps+tcp://server/fw",
         "30 run",
         "0c 0C 0R",
         GETS},
    };
    (void)state;
    PLAY(rows);
}

static void ways_are_lost(void **state)
{
    static const pull_row rows[] = {
        {"DTLS, and asked for again", {DTLS}, NULL, "3 cut; 60 run", "0c 0C 0R 3L 3N 13c 13C 13R", GETS},
        {"TCP", {TCP}, NULL, "3 cut; 60 run", "0c 0C 0R 3L 3N 13c 13C 13R", GETS},
        {"TLS, after a while",
         {TLS},
         NULL,
         "3 later; 3 cut; 50 up; 90 run",
         "0c 0C 0R 3L 3N 13c 50C 50R",
         GETS},
        {"the server says goodbye", {TLS}, NULL, "3 end; 60 run", "0c 0C 0R 3L 3N 13c 13C 13R", GETS},
        {"for hours",
         {DTLS},
         NULL,
         "3 none; 3 cut; 9000 ok; 9001 start; 9030 run",
         "0c 0C 0R 3L 3N 13c 13N 33c 33N 33F 33B 9001c 9001C 9001R",
         GETS},
        {"for ever: it waits",
         {DTLS},
         NULL,
         "3 none; 3 cut; 90000 run",
         "0c 0C 0R 3L 3N 13c 13N 33c 33N 33F 33B",
         WAITS,
         GOOD},
        {"each time",
         {DTLS},
         NULL,
         "3 cut; 15 cut; 60 cut; 200 run",
         "0c 0C 0R 3L 3N 13c 13C 13R 15L 15N 35c 35C 35R 60L",
         GETS},
        {"the network has changed", {DTLS}, NULL, "3 restart; 60 run", "0c 0C 0R 3d 3c 3C 3R", GETS},
        {"of TLS, too", {TLS}, NULL, "3 restart; 60 run", "0c 0C 0R 3d 3c 3C 3d 3L 3N 13c 13C 13R", GETS},
        {"another way has taken its place", {DTLS}, NULL, "3 move; 4 up; 60 run", "0c 0C 0R 4C 4R", GETS},
        {"the server has forgotten us", {DTLS}, NULL, "3 forget; 3 update; 60 run", "0c 0C 0R 3c 3R", GETS},
        {"nobody says that the session is dead",
         {DTLS},
         NULL,
         "3 mute; 400 hear; 900 run",
         "0c 0C 0R 185N 185d 185c 185C 274N 274d 284c 284C 371N 371d 391c 391C 400R",
         GETS},
        {"nor the connection",
         {TLS},
         NULL,
         "3 mute; 250 hear; 900 run",
         "0c 0C 0R 189N 189d 189c 189C 219d 219L 219N 229c 229C 259d 259L 259N 279c 279C 279R",
         GETS},
        {"the server disables us", {DTLS}, NULL, "3 disable; 80000 run", "0c 0C 0R 3D 3d", WAITS, GOOD},
        {"and for that time alone",
         {DTLS},
         NULL,
         "3 disable; 87000 run",
         "0c 0C 0R 3D 3d 86403c 86403C 86403R",
         GETS},
    };
    (void)state;
    PLAY(rows);
}

/* What the server says, in the middle of it; as over a way of its own. */
static void answers_of_the_server(void **state)
{
    static const struct {
        const char *name;
        uint8_t code;
        dunlin_firmware_state state;
        dunlin_firmware_result result;
    } rows[] = {
        {"it is not there any more", DN_COAP_NOT_FOUND, IDLE, DUNLIN_FIRMWARE_URI},
        {"it is not for us", DN_COAP_FORBIDDEN, IDLE, DUNLIN_FIRMWARE_URI},
        {"it is too large", DN_COAP_TOO_LARGE, IDLE, DUNLIN_FIRMWARE_URI},
        {"not now, and not later", DN_COAP_UNAVAILABLE, IDLE, DUNLIN_FIRMWARE_CONNECTION_LOST},
    };
    static const ways_account accounts[] = {{DTLS}, {TLS}};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        char uri[64];
        open_device(&accounts[i % 2]);
        (void)snprintf(uri, sizeof uri, "%s/fw", accounts[i % 2].uri);
        ways_play(&d.w, "0 start; 1 run");
        write_uri(uri);
        rig_run(&d.w.r, 2 * SECOND);
        d.w.r.file_code = rows[i / 2].code;
        rig_run(&d.w.r, 100 * SECOND);
        if (!is_at(rows[i / 2].state, rows[i / 2].result)) {
            fail_msg("%s: %u, %u", rows[i / 2].name, d.firmware.kept.state, d.firmware.kept.result);
        }
        ways_close(&d.w);
    }
    open_device(&accounts[1]);
    ways_play(&d.w, "0 start; 1 run");
    write_uri("coaps+tcp://server/fw");
    rig_run(&d.w.r, 2 * SECOND);
    d.w.r.file_code = DN_COAP_UNAVAILABLE; /* but later */
    rig_run(&d.w.r, 12 * SECOND);
    d.w.r.file_code = DN_COAP_CONTENT;
    rig_run(&d.w.r, 60 * SECOND);
    assert_true(has_it());
    assert_int_equal(d.begins, 1);
    d.w.r.file_etag = 'b';
    write_uri("");
    write_uri("coaps+tcp://server/fw");
    rig_run(&d.w.r, 2 * SECOND);
    d.w.r.file_etag = 'c'; /* another package */
    rig_run(&d.w.r, 60 * SECOND);
    assert_true(has_it());
    assert_int_equal(d.begins, 3);
    ways_close(&d.w);
}

/* The URI of an account that has no way yet: it waits, and goes on where it had stopped. */
static void after_a_reset(void **state)
{
    static const ways_account accounts[] = {{DTLS}, {TCP}, {TLS}};
    (void)state;
    for (size_t i = 0; i < sizeof accounts / sizeof accounts[0]; i++) {
        char uri[64];
        open_device(&accounts[i]);
        (void)snprintf(uri, sizeof uri, "%s/fw", accounts[i].uri);
        ways_play(&d.w, "0 start; 1 run");
        write_uri(uri);
        rig_run(&d.w.r, 4 * SECOND);
        assert_true(d.kept.offset > 0 && d.kept.offset < SIZE);
        reset_device(&accounts[i]);
        d.w.answer = DUNLIN_ERR_IO;
        rig_run(&d.w.r, 10 * SECOND); /* not even begun */
        dunlin_client_start(d.w.r.client, dn_simlink_now(d.w.r.link));
        rig_run(&d.w.r, 5 * SECOND);
        assert_true(is_at(WAITS, GOOD));
        assert_int_equal(dunlin_firmware_deadline(&d.firmware), DUNLIN_NEVER);
        d.w.answer = DUNLIN_OK;
        rig_run(&d.w.r, 30 * SECOND);
        assert_true(has_it());
        assert_int_equal(d.begins, 1);
        assert_true(d.first_block > 0);
        ways_close(&d.w);
    }
}

static void ended_while_it_waits(void **state)
{
    static const ways_account account = {DTLS};
    const dunlin_value nothing = dunlin_string(dunlin_slice_of(""));
    (void)state;
    open_device(&account);
    ways_play(&d.w, "0 start; 1 run");
    write_uri("coaps://server/fw");
    ways_play(&d.w, "3 none; 3 cut; 300 run");
    assert_true(is_at(WAITS, GOOD));
    assert_int_equal(dunlin_client_set(d.w.r.client, dunlin_path_resource(5, 0, 1), &nothing), DUNLIN_OK);
    ways_play(&d.w, "301 ok; 302 start; 400 run");
    assert_true(is_at(IDLE, GOOD));
    write_uri("coaps://server/fw"); /* and the next one is got */
    ways_play(&d.w, "500 run");
    assert_true(has_it());
    ways_close(&d.w);
}

/* Datagrams with a fifth of them lost: every block comes, if need be by another try. */
static void over_a_bad_link(void **state)
{
    static const dn_simlink_rules bad = {
        .loss_permille = 200, .duplicate_permille = 50, .delay_min_ms = 10, .delay_max_ms = 100};
    static const ways_account account = {DTLS};
    (void)state;
    open_device(&account);
    const size_t arena = dunlin_client_arena_used(d.w.r.client);
    ways_play(&d.w, "0 start; 1 run");
    write_uri("coaps://server/fw");
    dn_simlink_rule(d.w.r.link, &bad);
    ways_play(&d.w, "20000 run");
    assert_true(has_it());
    assert_int_equal(d.begins, 1);
    assert_int_equal(dunlin_client_arena_used(d.w.r.client), arena);
    ways_close(&d.w);
}

/* Which URIs there is a way for, and that /5/0/8 says so. */
static void what_is_supported(void **state)
{
    static const struct {
        const char *name;
        ways_account account;
        bool no_stream, no_credentials;
        const char *protocols, *uri;
        dunlin_firmware_result result;
    } rows[] = {
        {"everything", {DTLS}, false, false, "0145", "coaps://other/fw", DUNLIN_FIRMWARE_URI},
        {"another port", {DTLS}, false, false, "0145", "coaps://server:5683/fw", DUNLIN_FIRMWARE_URI},
        {"without security", {DTLS}, false, false, "0145", "coap+tcp://server/fw", DUNLIN_FIRMWARE_URI},
        {"not a URI", {DTLS}, false, false, "0145", "coaps://server:x/fw", DUNLIN_FIRMWARE_URI},
        {"no streams", {DTLS}, true, false, "01", "coaps+tcp://server/fw", DUNLIN_FIRMWARE_PROTOCOL},
        {"no credentials", {TCP}, false, true, "04", "coaps://server/fw", DUNLIN_FIRMWARE_PROTOCOL},
        {"datagrams alone",
         {.uri = "coap://server", .no_connect = true},
         false,
         false,
         "0",
         "coaps://server/fw",
         DUNLIN_FIRMWARE_PROTOCOL},
        {"1.0 knows no TCP",
         {DTLS, .lwm2m_1_0 = true},
         false,
         false,
         "01",
         "coap+tcp://server/fw",
         DUNLIN_FIRMWARE_PROTOCOL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char protocols[8] = "";
        open_device(&rows[i].account);
        d.w.r.config.stream_message = rows[i].no_stream ? 0 : d.w.r.config.stream_message;
        d.w.r.config.credential_max = rows[i].no_credentials ? 0 : d.w.r.config.credential_max;
        ways_remake(&d.w, &rows[i].account, 1);
        add_firmware();
        for (uint16_t p = 0; p < d.firmware.protocols.count; p++) {
            protocols[p] = (char)('0' + d.firmware.protocols.value[p]);
        }
        ways_play(&d.w, "0 start; 1 run");
        write_uri(rows[i].uri);
        rig_run(&d.w.r, SECOND);
        if (!is_at(IDLE, rows[i].result) || strcmp(protocols, rows[i].protocols) != 0) {
            fail_msg("%s: %u, %u, protocols %s", rows[i].name, d.firmware.kept.state, d.firmware.kept.result,
                     protocols);
        }
        ways_close(&d.w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_the_way_that_is_there), cmocka_unit_test(ways_are_lost),
        cmocka_unit_test(answers_of_the_server),    cmocka_unit_test(after_a_reset),
        cmocka_unit_test(ended_while_it_waits),     cmocka_unit_test(over_a_bad_link),
        cmocka_unit_test(what_is_supported),
    };
    return cmocka_run_group_tests_name("oma_firmware_ways", tests, NULL, NULL);
}
