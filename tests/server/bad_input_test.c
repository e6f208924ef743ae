/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bad input at every interface of the server: it gets the right code, and nothing has changed, neither in the store nor in what is shown,
 * nor is there an event. What is refused elsewhere in greater detail (parameters, object lists, Send, packages) stands here once or twice.
 */
#include "tests/server/rig_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define LINKS  "</1/0>,</3/0>"
#define REG    "ep=a&lt=60&lwm2m=1.1"
#define NONE   DN_COAP_NO_FORMAT
#define GET    DN_COAP_GET
#define POST   DN_COAP_POST
#define PUT    DN_COAP_PUT
#define DELETE DN_COAP_DELETE
#define MINE   "@" /* stands for the location of "a" */

static rig r;
static rig_device *const a = &r.devices[0], *const b = &r.devices[1], *const stranger = &r.devices[2];
static char logged[256];

static void write_log(void *context, dn_log_level level, const char *area, const char *message)
{
    (void)context;
    (void)area;
    if (level == DN_LOG_WARN) {
        (void)snprintf(logged, sizeof logged, "%s", message);
    }
}

static const dn_log log_hook = {.write = write_log, .least = DN_LOG_WARN};

static void with_log(dn_fleet_config *config)
{
    config->log = &log_hook;
    config->max_lifetime_s = 86400;
    config->max_link_list_bytes = 200;
    config->packages = "/nonexistent/dunlin/packages";
}

static void without_packages(dn_fleet_config *config)
{
    with_log(config);
    config->packages = NULL;
}

/* "a" with two observations, and "b", each of them at its own address. */
static int set_up(void **state)
{
    (void)state;
    rig_start(&r, 61, without_packages);
    rig_register(&r, a, "a", 3600);
    rig_register(&r, b, "b", 3600);
    a->value = "1";
    assert_int_equal(rig_observe(&r, "a", "/3303/0/5700").status, DUNLIN_OK);
    assert_int_equal(rig_observe_composite(&r, "a", "/3/0/9 /3303", 110).status, DUNLIN_OK);
    rig_run(&r, 1000);
    rig_skip_events(&r);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_end(&r);
    return 0;
}

typedef struct {
    const char *what;
    rig_device *const *who;
    uint8_t method;
    const char *path, *queries;
    uint16_t format;
    const char *payload;
    uint8_t code;
} bad_request;

static const char long_list[] =
    "</1/0>,</3/0>;x=\"0123456789012345678901234567890123456789012345678901234567890123456789"
    "01234567890123456789012345678901234567890123456789012345678901234567890123456789"
    "01234567890123456789012345678901234567890123456789\"";

static const bad_request requests[] = {
    /* Register: "a" is there already, and must stay what it is. */
    {"Register without ep", &a, POST, "rd", "lt=60&lwm2m=1.1", 40, LINKS, DN_COAP_BAD_REQUEST},
    {"Register without lt", &a, POST, "rd", "ep=a&lwm2m=1.1", 40, LINKS, DN_COAP_BAD_REQUEST},
    {"Register without lwm2m", &a, POST, "rd", "ep=a&lt=60", 40, LINKS, DN_COAP_BAD_REQUEST},
    {"Register with an unknown parameter", &a, POST, "rd", REG "&x=1", 40, LINKS, DN_COAP_BAD_REQUEST},
    {"Register with one twice", &a, POST, "rd", REG "&lt=60", 40, LINKS, DN_COAP_BAD_REQUEST},
    {"Register with a broken one", &a, POST, "rd", REG "&sms=x", 40, LINKS, DN_COAP_BAD_REQUEST},
    {"Register for too long", &a, POST, "rd", "ep=a&lt=86401&lwm2m=1.1", 40, LINKS, DN_COAP_BAD_REQUEST},
    {"Register of 2.0", &a, POST, "rd", "ep=a&lt=60&lwm2m=2.0", 40, LINKS, DN_COAP_PRECONDITION_FAILED},
    {"Register without a list", &a, POST, "rd", REG, 40, NULL, DN_COAP_BAD_REQUEST},
    {"Register with a list of no format", &a, POST, "rd", REG, NONE, LINKS, DN_COAP_BAD_REQUEST},
    {"Register with a list in JSON", &a, POST, "rd", REG, 110, "[]", DN_COAP_BAD_REQUEST},
    {"Register with a broken list", &a, POST, "rd", REG, 40, "</1/0>,</3/0", DN_COAP_BAD_REQUEST},
    {"Register with too long a list", &a, POST, "rd", REG, 40, long_list, DN_COAP_TOO_LARGE},
    {"Register by a stranger, broken", &stranger, POST, "rd", REG "&Q=1", 40, LINKS, DN_COAP_BAD_REQUEST},
    {"Register of a new name, broken", &stranger, POST, "rd", "ep=c&lt=60&lwm2m=1.1", 40, "<",
     DN_COAP_BAD_REQUEST},
    {"Register of a name that is none", &stranger, POST, "rd", "ep=\n&lt=60&lwm2m=1.1", 40, LINKS,
     DN_COAP_BAD_REQUEST},
    {"GET /rd", &a, GET, "rd", NULL, NONE, NULL, DN_COAP_METHOD_NOT_ALLOWED},
    {"PUT /rd", &a, PUT, "rd", REG, 40, LINKS, DN_COAP_METHOD_NOT_ALLOWED},
    {"DELETE /rd", &a, DELETE, "rd", NULL, NONE, NULL, DN_COAP_METHOD_NOT_ALLOWED},
    {"FETCH /rd", &a, DN_COAP_FETCH, "rd", NULL, NONE, NULL, DN_COAP_METHOD_NOT_ALLOWED},
    /* Update. */
    {"Update with ep", &a, POST, MINE, "ep=a", NONE, NULL, DN_COAP_BAD_REQUEST},
    {"Update with lwm2m", &a, POST, MINE, "lwm2m=1.1", NONE, NULL, DN_COAP_BAD_REQUEST},
    {"Update with an unknown parameter", &a, POST, MINE, "lt=60&x=1", NONE, NULL, DN_COAP_BAD_REQUEST},
    {"Update with a broken one", &a, POST, MINE, "sms=1&lt=", NONE, NULL, DN_COAP_BAD_REQUEST},
    {"Update for too long", &a, POST, MINE, "lt=86401", NONE, NULL, DN_COAP_BAD_REQUEST},
    {"Update for ever", &a, POST, MINE, "lt=0", NONE, NULL, DN_COAP_BAD_REQUEST},
    {"Update with a list of no format", &a, POST, MINE, "lt=60", NONE, LINKS, DN_COAP_BAD_REQUEST},
    {"Update with a broken list", &a, POST, MINE, "lt=60", 40, "</1/0>;", DN_COAP_BAD_REQUEST},
    {"Update with too long a list", &a, POST, MINE, "lt=60", 40, long_list, DN_COAP_TOO_LARGE},
    {"Update of another one", &b, POST, MINE, "lt=60", NONE, NULL, DN_COAP_NOT_FOUND},
    {"Update by a stranger", &stranger, POST, MINE, NULL, NONE, NULL, DN_COAP_NOT_FOUND},
    {"Update of nobody", &a, POST, "rd/0000000000000", NULL, NONE, NULL, DN_COAP_NOT_FOUND},
    {"Update of no id", &a, POST, "rd/x", NULL, NONE, NULL, DN_COAP_NOT_FOUND},
    {"GET of a location", &a, GET, MINE, NULL, NONE, NULL, DN_COAP_METHOD_NOT_ALLOWED},
    {"PUT to a location", &a, PUT, MINE, "lt=60", NONE, NULL, DN_COAP_METHOD_NOT_ALLOWED},
    {"GET of another's location", &b, GET, MINE, NULL, NONE, NULL, DN_COAP_NOT_FOUND},
    {"a segment behind it", &a, POST, MINE "/x", NULL, NONE, NULL, DN_COAP_NOT_FOUND},
    /* De-register. */
    {"De-register of another one", &b, DELETE, MINE, NULL, NONE, NULL, DN_COAP_NOT_FOUND},
    {"De-register by a stranger", &stranger, DELETE, MINE, NULL, NONE, NULL, DN_COAP_NOT_FOUND},
    {"De-register of nobody", &a, DELETE, "rd/0000000000000", NULL, NONE, NULL, DN_COAP_NOT_FOUND},
    {"De-register of no id", &a, DELETE, "rd/zzzzzzzzzzzzz", NULL, NONE, NULL, DN_COAP_NOT_FOUND},
    {"De-register of a segment behind it", &a, DELETE, MINE "/", NULL, NONE, NULL, DN_COAP_NOT_FOUND},
    /* Send. */
    {"Send of no SenML", &a, POST, "dp", NULL, 110, "x", DN_COAP_BAD_REQUEST},
    {"Send of text", &a, POST, "dp", NULL, 0, "1", DN_COAP_BAD_REQUEST},
    {"Send of what is not registered", &a, POST, "dp", NULL, 110, "[{\"n\":\"/7/0/1\",\"v\":1}]",
     DN_COAP_NOT_FOUND},
    {"Send by a stranger", &stranger, POST, "dp", NULL, 110, "[{\"n\":\"/3/0/9\",\"v\":1}]",
     DN_COAP_NOT_FOUND},
    {"GET /dp", &a, GET, "dp", NULL, NONE, NULL, DN_COAP_METHOD_NOT_ALLOWED},
    {"below /dp", &a, POST, "dp/1", NULL, 110, "[{\"n\":\"/3/0/9\",\"v\":1}]", DN_COAP_NOT_FOUND},
    /* Packages, and what there is not. */
    {"a package that is none", &a, GET, "fw/00112233445566778899aabbccddeeff", NULL, NONE, NULL,
     DN_COAP_NOT_FOUND},
    {"a way out", &a, GET, "fw/../../etc/passwd", NULL, NONE, NULL, DN_COAP_NOT_FOUND},
    {"Bootstrap-Request", &a, POST, "bs", "ep=a", NONE, NULL, DN_COAP_NOT_FOUND},
    {"the root", &a, GET, "", NULL, NONE, NULL, DN_COAP_NOT_FOUND},
    {"an object", &a, GET, "3/0", NULL, NONE, NULL, DN_COAP_NOT_FOUND},
    {"POST of the discovery", &a, POST, ".well-known/core", NULL, NONE, NULL, DN_COAP_METHOD_NOT_ALLOWED},
};

static void ask(const bad_request *bad)
{
    char path[96];
    const char *location = a->location;
    rig_device *who = *bad->who;
    if (bad->path[0] == MINE[0]) {
        (void)snprintf(path, sizeof path, "%s%s", location, bad->path + 1);
    } else {
        (void)snprintf(path, sizeof path, "%s", bad->path);
    }
    rig_ask(&r, who, bad->method, path, bad->queries, bad->format, bad->payload);
    if (who->status != DUNLIN_OK || who->code != bad->code) {
        print_error("%s: %d, %u.%02u instead of %u.%02u\n", bad->what, who->status, who->code >> 5,
                    who->code & 31u, bad->code >> 5, bad->code & 31u);
    }
    assert_int_equal(who->status, DUNLIN_OK);
    assert_int_equal(who->code, bad->code);
}

static void expect_same(const char *what, char *before)
{
    char *after = rig_state(&r);
    if (strcmp(before, after) != 0) {
        print_error("%s changed\n%s\nto\n%s\n", what, before, after);
    }
    assert_string_equal(before, after);
    rig_expect_no_event(&r);
    free(before);
    free(after);
}

static void refused_requests_change_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        char *before = rig_state(&r);
        ask(&requests[i]);
        expect_same(requests[i].what, before);
    }
}

/* Raw datagrams, and what comes back: type and code of its head, or nothing. */
static struct {
    size_t len;
    uint8_t bytes[64];
} reply;

static void on_datagram(void *context, uint64_t now_ms, const dn_peer *from, const dn_peer *to,
                        uint64_t number, dunlin_slice datagram, dn_simlink_fate fate)
{
    (void)context;
    (void)now_ms;
    (void)to;
    (void)number;
    (void)fate;
    if (dn_peer_equal(from, &r.address)) {
        reply.len = datagram.len < sizeof reply.bytes ? datagram.len : sizeof reply.bytes;
        memcpy(reply.bytes, datagram.data, reply.len);
    }
}

enum { NOTHING = -1, RESET = 0x70, ACK = 0x60 };

static const struct {
    const char *what;
    const char *bytes;
    size_t len;
    int type; /* of the reply, without its token's length */
    uint8_t code;
} datagrams[] = {
#define BYTES(text) (text), sizeof(text) - 1
    {"nothing", BYTES(""), NOTHING, 0},
    {"too short", BYTES("\x40\x02\x00"), NOTHING, 0},
    {"another version", BYTES("\x80\x02\x10\x01\xb2rd"), NOTHING, 0},
    {"a token of nine bytes",
     BYTES("\x49\x02\x10\x02"
           "123456789\xb2rd"),
     RESET, 0},
    {"a cut token",
     BYTES("\x44\x02\x10\x03"
           "12"),
     RESET, 0},
    {"a cut option", BYTES("\x40\x02\x10\x04\xb4rd"), RESET, 0},
    {"a reserved option length", BYTES("\x40\x02\x10\x05\xbfrd"), RESET, 0},
    {"a marker without a payload", BYTES("\x40\x02\x10\x06\xb2rd\xff"), RESET, 0},
    {"bytes in an empty message", BYTES("\x40\x00\x10\x07\xb2rd"), RESET, 0},
    {"a reserved class", BYTES("\x40\x23\x10\x08\xb2rd"), RESET, 0},
    {"an unknown method", BYTES("\x40\x1f\x10\x09\xb2rd"), ACK, DN_COAP_METHOD_NOT_ALLOWED},
    {"an unknown critical option", BYTES("\x40\x02\x10\x0a\xb2rd\x4f\xff"), RESET, 0},
    {"an unknown critical option, well made", BYTES("\x40\x02\x10\x0b\xb2rd\xe1\x07\x01x"), ACK,
     DN_COAP_BAD_OPTION},
    {"a proxy's request",
     BYTES("\x40\x02\x10\x0c\xd6\x16"
           "coap:/"),
     ACK, DN_COAP_PROXYING_NOT_SUPPORTED},
    {"the third block first",
     BYTES("\x40\x02\x10\x0d\xb2rd\x11\x28\xd1\x02\x26\xff"
           "01234567890123456789"),
     ACK, DN_COAP_INCOMPLETE},
    {"a response nobody waits for", BYTES("\x40\x45\x10\x0e"), RESET, 0},
    {"a notification nobody asked for",
     BYTES("\x48\x45\x10\x0f"
           "12345678\x61\x05\xff"
           "1"),
     RESET, 0},
    {"the same, non-confirmable",
     BYTES("\x58\x45\x10\x10"
           "12345678\x61\x06\xff"
           "1"),
     RESET, 0},
    {"an acknowledgement of nothing", BYTES("\x60\x45\x10\x11"), NOTHING, 0},
    {"a Reset of nothing", BYTES("\x70\x00\x10\x12"), NOTHING, 0},
#undef BYTES
};

static void expect_reply(const char *what, int type, uint8_t code)
{
    bool same = type == NOTHING ? reply.len == 0
                                : reply.len >= 4 && (reply.bytes[0] & 0xf0) == type && reply.bytes[1] == code;
    if (!same) {
        print_error("%s: %zu bytes, %02x %02x\n", what, reply.len, reply.bytes[0], reply.bytes[1]);
    }
    assert_true(same);
}

static void throw(rig_device * who, dunlin_slice datagram)
{
    reply.len = 0;
    dn_simlink_watch(r.link, on_datagram, NULL);
    dn_simlink_send(r.link, &who->address, &r.address, datagram);
    (void)dn_simlink_run(r.link, dn_simlink_now(r.link), NULL, NULL);
    dn_simlink_watch(r.link, NULL, NULL);
}

static void broken_datagrams_change_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof datagrams / sizeof datagrams[0]; i++) {
        char *before = rig_state(&r);
        throw(a, dunlin_slice_make(datagrams[i].bytes, datagrams[i].len));
        expect_reply(datagrams[i].what, datagrams[i].type, datagrams[i].code);
        expect_same(datagrams[i].what, before);
    }
}

/* Notifications with the token of an observation of ours. `strange`: by another address. */
static const struct {
    const char *what;
    bool strange;
    const char *head; /* type and code */
    const char *rest; /* behind the token */
    int type;
} notifications[] = {
    {"from another address", true, "\x48\x45",
     "\x61\x09\x51\x70\xff"
     "2",
     RESET},
    {"from another address, NON", true, "\x58\x45",
     "\x61\x09\x51\x70\xff"
     "2",
     RESET},
    {"without Observe", false, "\x48\x45",
     "\xff"
     "2",
     RESET},
    {"2.04", false, "\x48\x44",
     "\x61\x09\xff"
     "2",
     RESET},
    {"2.03", false, "\x48\x43",
     "\x61\x09\xff"
     "2",
     RESET},
    {"an old one", false, "\x48\x45",
     "\x60\xff"
     "2",
     ACK},
    {"an Observe of four bytes", false, "\x48\x45",
     "\x64\x01\x01\x01\x01\xff"
     "2",
     RESET},
    {"a critical option", false, "\x48\x45",
     "\x61\x09\xd1\x12x\xff"
     "2",
     RESET},
    {"a cut option", false, "\x48\x45", "\x61", RESET},
    {"an error from another address", true, "\x48\x84", "", RESET},
};

static void strange_notifications_change_nothing(void **state)
{
    uint16_t id = 0x5000;
    (void)state;
    for (size_t watched = 0; watched < 2; watched++) {
        for (size_t i = 0; i < sizeof notifications / sizeof notifications[0]; i++) {
            uint8_t datagram[64];
            size_t rest = strlen(notifications[i].rest);
            memcpy(datagram, notifications[i].head, 2);
            datagram[2] = (uint8_t)(id >> 8);
            datagram[3] = (uint8_t)id++;
            memcpy(datagram + 4, a->watched[watched].token.bytes, 8);
            memcpy(datagram + 12, notifications[i].rest, rest);
            char *before = rig_state(&r);
            throw(notifications[i].strange ? b : a, dunlin_slice_make(datagram, 12 + rest));
            expect_reply(notifications[i].what, notifications[i].type, 0);
            expect_same(notifications[i].what, before);
        }
    }
    /* They are observed as before. */
    assert_int_equal(rig_notify(&r, a, "/3303/0/5700", "2", true), DUNLIN_OK);
    (void)rig_expect(&r, DN_EVENT_NOTIFICATION, "a");
}

/* Without security nothing but ep names a client; the log says what was missing. */
static void what_is_missing_is_logged(void **state)
{
    static const struct {
        const char *queries, *says;
    } cases[] = {{"lt=60&lwm2m=1.1", "4.00: ep is missing"},
                 {"ep=a&lwm2m=1.1", "4.00: lt is missing"},
                 {"ep=a&lt=60", "4.00: lwm2m is missing"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig_run(&r, 2000); /* strangers may fill a line a second */
        rig_ask(&r, stranger, POST, "rd", cases[i].queries, 40, LINKS);
        assert_int_equal(stranger->code, DN_COAP_BAD_REQUEST);
        if (strstr(logged, cases[i].says) == NULL) {
            print_error("%s\n", logged);
        }
        assert_non_null(strstr(logged, cases[i].says));
        assert_non_null(strstr(logged, "host3:0"));
    }
}

/* A directory of packages that is not there is an error at the start, not a server without packages. */
static void packages_that_are_not_there_stop_the_start(void **state)
{
    char error[256] = "";
    (void)state;
    dn_fleet_config config = r.config;
    with_log(&config);
    dn_shard_config shard = {.fleet = config, .events = r.events};
    dn_shard *made = NULL;
    assert_int_equal(dn_shard_create(&shard, &made, error, sizeof error), DUNLIN_ERR_IO);
    assert_null(made);
    assert_non_null(strstr(error, "/nonexistent/dunlin/packages"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refused_requests_change_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(broken_datagrams_change_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strange_notifications_change_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_missing_is_logged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(packages_that_are_not_there_stop_the_start, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
