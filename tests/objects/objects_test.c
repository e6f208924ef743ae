/* SPDX-License-Identifier: Apache-2.0 */
/* Objects 4, 6, 7, 10, 11, 16 and 21 as a server sees them: what is there, what may be done, and which versions are announced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/client/rig.h"
#include <dunlin/oma_apn.h>
#include <dunlin/oma_cellular.h>
#include <dunlin/oma_connectivity.h>
#include <dunlin/oma_location.h>
#include <dunlin/oma_oscore.h>
#include <dunlin/oma_portfolio.h>
#include <dunlin/oma_statistics.h>

#define GET    DN_COAP_GET
#define PUT    DN_COAP_PUT
#define POST   DN_COAP_POST
#define DELETE DN_COAP_DELETE
#define NO     (-1)

enum { TEXT = 0, LINK = 40, OPAQUE = 42, JSON = 110 };

static struct {
    rig r;
    dunlin_connectivity connectivity;
    dunlin_location location;
    dunlin_statistics statistics;
    dunlin_traffic traffic;
    dunlin_cellular cellular;
    unsigned applied;
    dunlin_apn apns[3];
    dunlin_apn_config apn_config;
    int enabled[3];
    dunlin_portfolio portfolios[3];
    dunlin_portfolio_config portfolio_config;
    dunlin_oscore oscore[1];
} s;

static bool link_now(void *context, dunlin_traffic *now)
{
    (void)context;
    *now = s.traffic;
    return true;
}

static dunlin_status apply(void *context, uint16_t resource)
{
    (void)context;
    s.applied++;
    return resource == 5 && s.cellular.active_timer_s == 13 ? DUNLIN_ERR_IO : DUNLIN_OK;
}

static void enable(void *context, uint16_t instance, bool enabled)
{
    (void)context;
    s.enabled[instance] = enabled ? 1 : -1;
}

static dunlin_status authenticate(void *context, dunlin_portfolio *portfolio,
                                  const dunlin_arguments *arguments)
{
    (void)context;
    if ((arguments->present & 1) == 0) {
        return DUNLIN_ERR_MALFORMED;
    }
    portfolio->auth_data.count = 1;
    portfolio->auth_data.value[0].len = 2;
    memcpy(portfolio->auth_data.value[0].data, "ok", 2);
    return DUNLIN_OK;
}

static void fill(void)
{
    s.connectivity.has = DUNLIN_CONNECTIVITY_QUALITY | DUNLIN_CONNECTIVITY_ROUTERS |
                         DUNLIN_CONNECTIVITY_CELL | DUNLIN_CONNECTIVITY_SNR | DUNLIN_CONNECTIVITY_LAC;
    s.connectivity.bearer = DUNLIN_BEARER_ETHERNET;
    s.connectivity.bearers.count = 1;
    s.connectivity.bearers.value[0] = DUNLIN_BEARER_ETHERNET;
    s.connectivity.signal_dbm = -67;
    s.connectivity.quality = 98;
    s.connectivity.cell = 268435455;
    s.connectivity.addresses.count = 1;
    memcpy(s.connectivity.addresses.value[0], "192.0.2.7", sizeof "192.0.2.7");
    s.connectivity.routers.count = 1;
    memcpy(s.connectivity.routers.value[0], "192.0.2.1", sizeof "192.0.2.1");
    s.connectivity.snr_db = 12;
    s.connectivity.lac = 77;
    s.location.has = DUNLIN_LOCATION_ALTITUDE | DUNLIN_LOCATION_VELOCITY | DUNLIN_LOCATION_SPEED;
    s.location.latitude = 48.25;
    s.location.longitude = -11.5;
    s.location.unix_s = 1367491215;
    dunlin_location_set_motion(&s.location, 10, 300);
    s.statistics.has = 0x3F;
    s.statistics.link = link_now;
    s.cellular.has = DUNLIN_CELLULAR_PSM_TIMER | DUNLIN_CELLULAR_ACTIVE_TIMER | DUNLIN_CELLULAR_MODES;
    s.cellular.modes_supported = DUNLIN_SAVING_PSM;
    s.cellular.apply = apply;
    s.apn_config.enable = enable;
    memcpy(s.apns[0].name, "home", sizeof "home");
    s.apns[0].authentication = DUNLIN_APN_NONE;
    s.portfolio_config.authenticate = authenticate;
    assert_true(dunlin_portfolio_identify(&s.portfolios[0], 1, "maker"));
    assert_true(dunlin_portfolio_identify(&s.portfolios[0], 0, "host"));
    assert_true(dunlin_portfolio_identify(&s.portfolios[0], 1, "Maker"));
    dunlin_oscore_init(&s.oscore[0]);
}

static void open_rig(dunlin_lwm2m lwm2m)
{
    memset(&s, 0, sizeof s);
    fill();
    rig_open(&s.r, lwm2m, 1);
    dunlin_client *client = s.r.client;
    assert_int_equal(dunlin_connectivity_add(client, &s.connectivity, lwm2m), DUNLIN_OK);
    assert_int_equal(dunlin_location_add(client, &s.location), DUNLIN_OK);
    assert_int_equal(dunlin_statistics_add(client, &s.statistics), DUNLIN_OK);
    assert_int_equal(dunlin_cellular_add(client, &s.cellular, lwm2m), DUNLIN_OK);
    assert_int_equal(dunlin_apn_add(client, s.apns, 3, 1, &s.apn_config, lwm2m), DUNLIN_OK);
    assert_int_equal(dunlin_portfolio_add(client, s.portfolios, 3, 1, &s.portfolio_config), DUNLIN_OK);
    assert_int_equal(dunlin_oscore_add(client, s.oscore, 1, 1), DUNLIN_OK);
    dunlin_client_start(client, dn_simlink_now(s.r.link));
    rig_run(&s.r, 100);
    assert_true(dunlin_client_registered(client));
}

/* One request after the other on the same device. Answer NULL: not looked at; ending in '*': it begins so. */
typedef struct {
    uint8_t method;
    const char *path;
    int format, accept;
    const char *payload;
    const char *code;
    const char *answer;
} row;

static void check(const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const rig_request request = {
            .method = rows[i].method,
            .path = rows[i].path,
            .payload = rows[i].payload,
            .len = rows[i].payload == NULL ? 0 : strlen(rows[i].payload),
            .format = (uint16_t)rows[i].format,
            .has_format = rows[i].format != NO,
            .accept = (uint16_t)rows[i].accept,
            .has_accept = rows[i].accept != NO,
        };
        const rig_answer *answer = rig_ask(&s.r, &request);
        const char *expected = rows[i].answer;
        char got[sizeof answer->payload + 1];
        memcpy(got, answer->payload, answer->len);
        got[answer->len] = '\0';
        const size_t len = expected == NULL ? 0 : strlen(expected);
        const bool begins = len > 0 && expected[len - 1] == '*';
        if (strcmp(rig_code(answer->code), rows[i].code) != 0 ||
            (expected != NULL && (begins ? strncmp(got, expected, len - 1) : strcmp(got, expected)) != 0)) {
            fail_msg("row %zu, %s: %s with %s", i, rows[i].path, rig_code(answer->code), got);
        }
    }
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof(rows)[0])

/* As configuration C.1 has it: the objects are listed with the versions that are not implied (section 7.2.3). */
static void versions(void **state)
{
    (void)state;
    open_rig(DUNLIN_LWM2M_1_1);
    assert_non_null(strstr(s.r.list, "</4/0>"));
    assert_non_null(strstr(s.r.list, "</6/0>"));
    assert_non_null(strstr(s.r.list, "</7/0>"));
    assert_non_null(strstr(s.r.list, "</10>;ver=1.1,</10/0>"));
    assert_non_null(strstr(s.r.list, "</11>;ver=1.1,</11/0>"));
    assert_non_null(strstr(s.r.list, "</16/0>"));
    assert_null(strstr(s.r.list, "</4>;ver"));
    assert_null(strstr(s.r.list, "</21"));
    rig_close(&s.r);
    open_rig(DUNLIN_LWM2M_1_0);
    assert_non_null(strstr(s.r.list, "</4/0>"));
    assert_non_null(strstr(s.r.list, "</10/0>"));
    assert_null(strstr(s.r.list, "</10>;ver"));
    assert_null(strstr(s.r.list, "</11>;ver"));
    static const row rows[] = {
        {GET, "/4/0", NO, LINK, NULL, "2.05",
         "</4/0>,</4/0/0>,</4/0/1>;dim=1,</4/0/2>,</4/0/3>,</4/0/4>;dim=1,</4/0/5>;dim=1,</4/0/8>"},
        {GET, "/10/0", NO, LINK, NULL, "2.05", "</10/0>,</10/0/4>,</10/0/5>,</10/0/11>;dim=0"},
    };
    CHECK(rows);
    rig_close(&s.r);
}

static void connectivity(void **state)
{
    static const row rows[] = {
        {GET, "/4/0/0", NO, TEXT, NULL, "2.05", "41"},
        {GET, "/4/0/2", NO, TEXT, NULL, "2.05", "-67"},
        {GET, "/4/0/4/0", NO, TEXT, NULL, "2.05", "192.0.2.7"},
        {GET, "/4/0/5/0", NO, TEXT, NULL, "2.05", "192.0.2.1"},
        {GET, "/4/0/12", NO, TEXT, NULL, "2.05", "77"},
        {GET, "/4/0/6", NO, TEXT, NULL, "4.04", NULL},
        {PUT, "/4/0/0", TEXT, NO, "21", "4.05", NULL},
        {POST, "/4", JSON, NO, "[]", "4.05", NULL},
        {DELETE, "/4/0", NO, NO, NULL, "4.05", NULL},
    };
    (void)state;
    open_rig(DUNLIN_LWM2M_1_1);
    CHECK(rows);
    rig_close(&s.r);
}

static void location(void **state)
{
    static const row rows[] = {
        {GET, "/6/0/0", NO, TEXT, NULL, "2.05", "48.25"},
        {GET, "/6/0/1", NO, TEXT, NULL, "2.05", "-11.5"},
        {GET, "/6/0/4", NO, OPAQUE, NULL, "2.05", NULL},
        {GET, "/6/0/5", NO, TEXT, NULL, "2.05", "1367491215"},
        {GET, "/6/0/3", NO, TEXT, NULL, "4.04", NULL},
        {PUT, "/6/0/0", TEXT, NO, "1", "4.05", NULL},
    };
    /* 300 degrees are 0x12C in 9 bits; 10 m/s are 36 km/h (TS 23.032 section 8.12). */
    static const uint8_t velocity[] = {0x01, 0x2C, 0x00, 0x24};
    (void)state;
    open_rig(DUNLIN_LWM2M_1_1);
    CHECK(rows);
    const rig_answer *answer = rig_get(&s.r, "/6/0/4", OPAQUE);
    assert_int_equal(answer->len, sizeof velocity);
    assert_memory_equal(answer->payload, velocity, sizeof velocity);
    dunlin_location_set_motion(&s.location, 9999, -90);
    assert_int_equal(s.location.velocity.data[1], 270 & 0xFF);
    assert_int_equal(s.location.velocity.data[2] << 8 | s.location.velocity.data[3], 2047);
    rig_close(&s.r);
}

static void statistics(void **state)
{
    static const row before[] = {
        {GET, "/7/0/2", NO, TEXT, NULL, "2.05", "0"},  {PUT, "/7/0/8", TEXT, NO, "60", "2.04", NULL},
        {PUT, "/7/0/8", TEXT, NO, "-1", "4.00", NULL}, {PUT, "/7/0/2", TEXT, NO, "1", "4.05", NULL},
        {POST, "/7/0/6", NO, NO, NULL, "2.04", NULL},
    };
    static const row during[] = {
        {GET, "/7/0/2", NO, TEXT, NULL, "2.05", "2"},   {GET, "/7/0/3", NO, TEXT, NULL, "2.05", "1"},
        {GET, "/7/0/4", NO, TEXT, NULL, "2.05", "300"}, {GET, "/7/0/5", NO, TEXT, NULL, "2.05", "200"},
        {GET, "/7/0/8", NO, TEXT, NULL, "2.05", "60"},
    };
    static const row again[] = {
        {POST, "/7/0/6", NO, NO, NULL, "2.04", NULL},
        {GET, "/7/0/2", NO, TEXT, NULL, "2.05", "0"},
        {GET, "/7/0/4", NO, TEXT, NULL, "2.05", "0"},
        {POST, "/7/0/7", NO, NO, NULL, "2.04", NULL},
    };
    (void)state;
    open_rig(DUNLIN_LWM2M_1_1);
    s.traffic = (dunlin_traffic){100000, 200000};
    dunlin_statistics_message(&s.statistics, true, 999); /* nothing is counted before Start */
    CHECK(before);
    assert_int_equal(dunlin_statistics_deadline(&s.statistics), 0);
    dunlin_statistics_step(s.r.client, &s.statistics, 5000);
    assert_int_equal(dunlin_statistics_deadline(&s.statistics), 65000);
    s.traffic = (dunlin_traffic){100000 + 2 * 1024, 200000 + 1024};
    dunlin_statistics_message(&s.statistics, true, 300);
    dunlin_statistics_message(&s.statistics, false, 100);
    dunlin_statistics_step(s.r.client, &s.statistics, 64999);
    CHECK(during);
    dunlin_statistics_step(s.r.client, &s.statistics, 65000); /* it stops by itself, and the figures stay */
    s.traffic = (dunlin_traffic){900000, 900000};
    dunlin_statistics_message(&s.statistics, true, 9999);
    CHECK(during);
    assert_true(dunlin_statistics_deadline(&s.statistics) == DUNLIN_NEVER);
    CHECK(again);
    assert_false(s.statistics.running);
    rig_close(&s.r);
}

static void cellular(void **state)
{
    static const row rows[] = {
        {GET, "/10/0", NO, LINK, NULL, "2.05",
         "</10/0>,</10/0/4>,</10/0/5>,</10/0/11>;dim=0,</10/0/12>,</10/0/13>"},
        {PUT, "/10/0/4", TEXT, NO, "3600", "2.04", NULL},
        {GET, "/10/0/4", NO, TEXT, NULL, "2.05", "3600"},
        {PUT, "/10/0/5", TEXT, NO, "7", "2.04", NULL},
        {PUT, "/10/0/5", TEXT, NO, "13", "5.00", NULL}, /* the modem refuses: taken back */
        {GET, "/10/0/5", NO, TEXT, NULL, "2.05", "7"},
        {PUT, "/10/0/1", TEXT, NO, "1", "4.04", NULL}, /* it has no such resource */
        {PUT, "/10/0/13", TEXT, NO, "1", "2.04", NULL},
        {PUT, "/10/0/13", TEXT, NO, "2", "4.00", NULL}, /* eDRX is not supported */
        {PUT, "/10/0/12", TEXT, NO, "3", "4.05", NULL},
    };
    static const row profiles[] = {
        {GET, "/10/0/11/2", NO, TEXT, NULL, "2.05", "11:2"},
        {GET, "/10/0/11/0", NO, TEXT, NULL, "4.04", NULL},
    };
    (void)state;
    open_rig(DUNLIN_LWM2M_1_1);
    CHECK(rows);
    assert_int_equal(s.applied, 5); /* four writes, and the one that took the refused one back */
    assert_int_equal(dunlin_cellular_activate(s.r.client, &s.cellular, 2, true), DUNLIN_OK);
    assert_int_equal(dunlin_cellular_activate(s.r.client, &s.cellular, 0, true), DUNLIN_OK);
    assert_int_equal(dunlin_cellular_activate(s.r.client, &s.cellular, 0, false), DUNLIN_OK);
    CHECK(profiles);
    assert_int_equal(dunlin_cellular_activate(s.r.client, &s.cellular, 3, true), DUNLIN_OK);
    assert_int_equal(dunlin_cellular_activate(s.r.client, &s.cellular, 4, true), DUNLIN_OK);
    assert_int_equal(dunlin_cellular_activate(s.r.client, &s.cellular, 5, true), DUNLIN_OK);
    assert_int_equal(dunlin_cellular_activate(s.r.client, &s.cellular, 6, true), DUNLIN_ERR_LIMIT);
    rig_close(&s.r);
}

static void apn(void **state)
{
    static const row rows[] = {
        {POST, "/11", JSON, NO, "[{\"bn\":\"/11/1/\",\"n\":\"0\",\"vs\":\"m2m\"}]", "4.00",
         NULL}, /* 4 is missing */
        {POST, "/11", JSON, NO,
         "[{\"bn\":\"/11/1/\",\"n\":\"0\",\"vs\":\"m2m\"},{\"n\":\"4\",\"v\":0},{\"n\":\"8/"
         "0\",\"vs\":\"262,01\"}]",
         "2.01", NULL},
        {GET, "/11/1/8/0", NO, TEXT, NULL, "2.05", "262,01"},
        {GET, "/11/1/3", NO, TEXT, NULL, "4.04", NULL},
        {PUT, "/11/1/3", TEXT, NO, "1", "2.04", NULL},
        {PUT, "/11/1/4", TEXT, NO, "4", "4.00", NULL},
        {PUT, "/11/1/13", TEXT, NO, "4", "4.05", NULL},
        {PUT, "/11/1/27", TEXT, NO, "5", "4.00", NULL},
    };
    static const row gone[] = {{DELETE, "/11/1", NO, NO, NULL, "2.02", NULL}};
    (void)state;
    open_rig(DUNLIN_LWM2M_1_1);
    CHECK(rows);
    assert_int_equal(s.enabled[1], 1);
    CHECK(gone);
    assert_int_equal(s.enabled[1], -1);
    rig_close(&s.r);
}

static void portfolio(void **state)
{
    static const row rows[] = {
        {GET, "/16/0", NO, LINK, NULL, "2.05", "</16/0>,</16/0/0>;dim=2,</16/0/1>,</16/0/2>;dim=0,</16/0/3>"},
        {GET, "/16/0/0/1", NO, TEXT, NULL, "2.05", "Maker"},
        {PUT, "/16/0/0/1", TEXT, NO, "test", "2.04", NULL},
        {GET, "/16/0/0/1", NO, TEXT, NULL, "2.05", "test"},
        {GET, "/16/0/0/0", NO, TEXT, NULL, "2.05", "host"},
        {POST, "/16", JSON, NO,
         "[{\"n\":\"/16/1/0/0\",\"vs\":\"Host Device ID #2\"},{\"n\":\"/16/1/0/1\",\"vs\":\"M\"}]", "2.01",
         NULL},
        {GET, "/16/1/0/0", NO, TEXT, NULL, "2.05", "Host Device ID #2"},
        {POST, "/16/1/1", TEXT, NO, "0='x'", "2.04", NULL},
        {GET, "/16/1/3", NO, TEXT, NULL, "2.05", "1"},
        {GET, "/16/1/2/0", NO, OPAQUE, NULL, "2.05", "ok"},
        {POST, "/16/1/1", NO, NO, NULL, "2.04",
         NULL}, /* no argument: the status tells that it was an error */
        {GET, "/16/1/3", NO, TEXT, NULL, "2.05", "2"},
        {GET, "/16/1/2/0", NO, OPAQUE, NULL, "4.04", NULL},
        {DELETE, "/16/0", NO, NO, NULL, "2.02", NULL},
        {DELETE, "/16/1", NO, NO, NULL, "2.02", NULL},
        {GET, "/16", NO, LINK, NULL, "2.05", "</16>"},
    };
    (void)state;
    open_rig(DUNLIN_LWM2M_1_1);
    CHECK(rows);
    char text[100];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    dunlin_portfolio full = {.auth_status = 0};
    assert_false(dunlin_portfolio_identify(&full, 0, text));
    for (uint16_t id = 0; id < DUNLIN_IDENTITIES_MAX; id++) {
        assert_true(dunlin_portfolio_identify(&full, id, "x"));
    }
    assert_false(dunlin_portfolio_identify(&full, 100, "x"));
    rig_close(&s.r);
}

static void oscore(void **state)
{
    static const row rows[] = {
        {GET, "/21", NO, NO, NULL, "4.01", NULL},     {GET, "/21/0/0", NO, NO, NULL, "4.01", NULL},
        {GET, "/21/0", NO, LINK, NULL, "4.01", NULL}, {PUT, "/21/0/0", OPAQUE, NO, "x", "4.01", NULL},
        {POST, "/21", JSON, NO, "[]", "4.01", NULL},  {DELETE, "/21/0", NO, NO, NULL, "4.01", NULL},
    };
    (void)state;
    open_rig(DUNLIN_LWM2M_1_1);
    assert_int_equal(s.oscore[0].aead, 10);
    CHECK(rows);
    rig_close(&s.r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions),   cmocka_unit_test(connectivity), cmocka_unit_test(location),
        cmocka_unit_test(statistics), cmocka_unit_test(cellular),     cmocka_unit_test(apn),
        cmocka_unit_test(portfolio),  cmocka_unit_test(oscore),
    };
    return cmocka_run_group_tests_name("oma_objects", tests, NULL, NULL);
}
