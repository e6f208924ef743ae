/* SPDX-License-Identifier: Apache-2.0 */
/* Bootstraps that go well: which steps, with what, in which format, over lossy links too; keys that are made, and instances that are chosen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/format.h"
#include "tests/bootstrap/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONG_MS 600000u

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

static void assert_value(const rig_device *device, const char *put, const char *path, const char *value)
{
    char text[2048];
    if (strcmp(rig_value(device, put, path, text), value) != 0) {
        fail_msg("%s in the Write of %s is \"%s\", not \"%s\"", path, put, text, value);
    }
}

/* One device, by PSK, as 1.1: the smallest configuration that is useful. */
static void test_smallest(void **state)
{
    rig *r = *state;
    rig_device *device = &r->devices[0];
    rig_view view;
    rig_start(r, 1, NULL);
    rig_configure(r, "urn:a", "{\"servers\":[{}]}");
    rig_secure(r, device, DN_TRANSPORT_DTLS, "urn:a");
    rig_ask(r, device, "ep=urn:a&pct=112");
    rig_settle(r, LONG_MS);

    assert_int_equal(device->code, DN_COAP_CHANGED);
    assert_true(device->answered_ms <= device->first_asked_ms); /* 2.04 first (checklist B11) */
    assert_string_equal(device->log, "GET /;DELETE /0;DELETE /1;PUT /0/1;PUT /1/0;GET /1;GET /;POST /bs;");
    assert_string_equal(r->events, "REQUESTED urn:a\n"
                                   "STEP urn:a 1/8 Discover / 2.05\n"
                                   "STEP urn:a 2/8 Delete /0 2.02\n"
                                   "STEP urn:a 3/8 Delete /1 2.02\n"
                                   "STEP urn:a 4/8 Write /0/1 2.04\n"
                                   "STEP urn:a 5/8 Write /1/0 2.04\n"
                                   "STEP urn:a 6/8 Read /1 4.05\n"
                                   "STEP urn:a 7/8 Discover / 2.05\n"
                                   "STEP urn:a 8/8 Finish / 2.04\n"
                                   "FINISHED urn:a\n");

    const dn_credential *made = bs_keeper_of(&r->keeper, "urn:a", false);
    assert_non_null(made);
    assert_null(bs_keeper_of(&r->keeper, "urn:a", true));
    assert_int_equal(made->key_len, 16);
    assert_int_equal(made->identity_len, 27);
    assert_memory_equal(made->identity, "bs-", 3);
    char hex[2 * 64 + 1] = "";
    for (size_t i = 0; i < made->identity_len; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", made->identity[i]);
    }
    assert_value(device, "/0/1", "/0/1/0", "coaps://server:5684");
    assert_value(device, "/0/1", "/0/1/1", "false");
    assert_value(device, "/0/1", "/0/1/2", "0");
    assert_value(device, "/0/1", "/0/1/3", hex);
    assert_value(device, "/0/1", "/0/1/4", "");
    for (size_t i = 0; i < made->key_len; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", made->key[i]);
    }
    assert_value(device, "/0/1", "/0/1/5", hex);
    assert_value(device, "/0/1", "/0/1/10", "1");
    assert_value(device, "/1/0", "/1/0/0", "1");
    assert_value(device, "/1/0", "/1/0/1", "86400");
    assert_value(device, "/1/0", "/1/0/6", "true");
    assert_value(device, "/1/0", "/1/0/7", "U");

    rig_look(r, "urn:a", &view);
    assert_int_equal(view.view.state, DN_BS_DONE);
    assert_int_equal(view.view.step_count, 8);
    assert_int_equal(view.view.planned, 8);
    assert_int_equal(view.view.version, 1);
    assert_int_equal(view.view.version_major, 1);
    assert_int_equal(view.view.version_minor, 1);
    assert_int_equal(view.view.security, DN_SECURITY_PSK);
    assert_int_equal(view.view.transport, DN_TRANSPORT_DTLS);
    assert_string_equal(view.found, device->after);
    assert_true(view.steps[3].bytes > 40 && view.steps[0].bytes == strlen(device->before));
    dn_bs_counters counters;
    dn_bs_count(r->bs, &counters);
    assert_int_equal(counters.finished, 1);
    assert_int_equal(counters.runs, 1);
    assert_int_equal(counters.minted, 1);
    assert_int_equal(counters.promoted, 1);
    assert_int_equal(counters.steps, 8);
    assert_int_equal(counters.step_errors, 1);
    assert_int_equal(counters.running, 0);
}

/* Each format, at 0 and 20 % loss, as 1.0 and 1.1, instance by instance and whole Objects. */
static void test_formats(void **state)
{
    rig *r = *state;
    static const struct {
        const char *name, *queries, *links, *options;
        uint16_t format;
    } rows[] = {
        {"1.1 prefers SenML CBOR", "ep=a&pct=112", "</>;lwm2m=1.1,</0/0>", "", DN_FORMAT_SENML_CBOR},
        {"1.1 prefers SenML JSON", "ep=a&pct=110", "</>;lwm2m=1.1,</0/0>", "", DN_FORMAT_SENML_JSON},
        {"1.1 prefers TLV", "ep=a&pct=11542", "</>;lwm2m=\"1.1\",</0/0>", "", DN_FORMAT_TLV},
        {"1.1 prefers nothing", "ep=a", "</>;lwm2m=1.1,</0/0>", "", DN_FORMAT_SENML_CBOR},
        {"1.0", "ep=a", "lwm2m=\"1.0\",</0/0>,</1>,</3/0>", "", DN_FORMAT_TLV},
        {"1.0 with spaces", "ep=a", "lwm2m=\"1.0\", </0/0>, </1>, </3/0>", "", DN_FORMAT_TLV},
        {"a version is not told", "ep=a", "</0/0>,</3/0>", "", DN_FORMAT_TLV},
        {"the operator's choice", "ep=a&pct=112", "</>;lwm2m=1.1,</0/0>", ",\"format\":\"senml-json\"",
         DN_FORMAT_SENML_JSON},
        {"whole Objects", "ep=a&pct=112", "</>;lwm2m=1.1,</0/0>", ",\"write_objects\":true",
         DN_FORMAT_SENML_CBOR},
        {"whole Objects, TLV", "ep=a", "lwm2m=\"1.0\",</0/0>", ",\"write_objects\":true", DN_FORMAT_TLV},
    };
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        size_t row = i / 2;
        char document[512];
        rig_start(r, 10 + i, NULL);
        rig_device *device = &r->devices[0];
        dn_simlink_rule(r->link, &(dn_simlink_rules){.loss_permille = i % 2 ? 200 : 0, .delay_max_ms = 20});
        (void)snprintf(
            document, sizeof document,
            "{\"servers\":[{\"ssid\":7,\"lifetime\":3600,\"pmin\":1,\"pmax\":60,\"mute_send\":false}]%s}",
            rows[row].options);
        rig_configure(r, "*", document);
        rig_secure(r, device, DN_TRANSPORT_DTLS, "a");
        device->before = rows[row].links;
        device->after = strstr(rows[row].links, "1.0") != NULL
                            ? "lwm2m=\"1.0\",</0/0>,</0/1>;ssid=7,</1/0>,</3/0>"
                            : "</>;lwm2m=1.1,</0/0>,</0/1>;ssid=7,</1/0>;ssid=7,</3/0>";
        rig_ask(r, device, rows[row].queries);
        rig_settle(r, LONG_MS);
        if (strstr(r->events, "FINISHED") == NULL) {
            fail_msg("%s, loss %zu: %s%s", rows[row].name, i % 2, r->events, r->whys);
        }
        const bool whole = strstr(rows[row].options, "write_objects") != NULL;
        size_t len;
        uint16_t format = 0;
        assert_non_null(rig_put(device, whole ? "/0" : "/0/1", &len, &format));
        if (format != rows[row].format) {
            fail_msg("%s: format %u", rows[row].name, format);
        }
        assert_value(device, whole ? "/0" : "/0/1", "/0/1/10", "7");
        assert_value(device, whole ? "/1" : "/1/0", "/1/0/1", "3600");
        assert_value(device, whole ? "/1" : "/1/0", "/1/0/3", "60");
        /* What came with 1.1 is not written to a device of 1.0. */
        bool is_1_1 = strstr(rows[row].links, "1.1") != NULL;
        assert_value(device, whole ? "/1" : "/1/0", "/1/0/23", is_1_1 ? "false" : "");
        assert_true((strstr(device->log, "GET /1;") != NULL) == is_1_1);
        rig_end(r);
    }
    rig_start(r, 9, NULL); /* for the end */
}

/* A format that the device does not know: TLV, once. */
static void test_fallback(void **state)
{
    rig *r = *state;
    rig_device *device = &r->devices[0];
    uint16_t format;
    size_t len;
    rig_start(r, 3, NULL);
    rig_configure(r, "a", "{\"servers\":[{}],\"format\":\"senml-cbor\"}");
    rig_secure(r, device, DN_TRANSPORT_DTLS, "a");
    device->script[0] = (rig_answer){"PUT /0/1", DN_COAP_UNSUPPORTED_FORMAT, NULL, 0, 1};
    rig_ask(r, device, "ep=a&pct=112");
    rig_settle(r, LONG_MS);
    assert_non_null(strstr(r->events, "STEP a 4/8 Write /0/1 4.15\nSTEP a 5/9 Write /0/1 2.04\n"));
    assert_non_null(strstr(r->events, "STEP a 9/9 Finish / 2.04\nFINISHED a\n"));
    assert_non_null(rig_put(device, "/1/0", &len, &format));
    assert_int_equal(format, DN_FORMAT_TLV);
}

static const char many[] =
    "{\"servers\":[{\"ssid\":10},{\"ssid\":20,\"uri\":\"coap+tcp://"
    "b:5683\",\"security\":{\"mode\":\"nosec\"},"
    "\"registration\":{\"priority\":2,\"failure_blocks\":true,\"sequence_delay\":4294967295},"
    "\"preferred_transport\":\"T\",\"instances\":{\"security\":5,\"server\":6}}],"
    "\"account\":{\"uri\":\"coaps://bs2:5684\",\"hold_off\":9,\"timeout\":60,"
    "\"security\":{\"mode\":\"psk\",\"identity\":\"bs\",\"key\":\"00112233445566778899aabbccddeeff\"}},"
    "\"access\":[{\"object\":3,\"instance\":0,\"owner\":10,\"rights\":{\"20\":1,\"default\":3}},"
    "{\"object\":3303,\"instance\":\"any\",\"owner\":65535,\"rights\":{\"10\":16}}],"
    "\"write\":{\"/3303/0\":{\"5701\":\"Cel\",\"5603\":-5.5},\"/5/0/0\":{\"hex\":\"00ff\"},\"/16/1/0/"
    "3\":\"x\","
    "\"/16/1\":{\"0\":{\"1\":\"y\"}}}}";

/* Two servers, the bootstrap server's own account, access control, other Objects. */
static void test_many(void **state)
{
    rig *r = *state;
    rig_device *device = &r->devices[0];
    rig_start(r, 4, NULL);
    rig_configure(r, "dev-*", many);
    rig_secure(r, device, DN_TRANSPORT_DTLS, "dev-*");
    device->before = "</>;lwm2m=1.1,</0/0>;ssid=4,</0/1>;uri=\"coaps://bs\",</1/0>;ssid=4,</2/0>,</3/0>";
    device->after =
        "</>;lwm2m=1.1,</0/0>;ssid=10,</0/1>,</0/5>;ssid=20,</1/0>;ssid=10,</1/6>;ssid=20,</2/0>,</2/1>,"
        "</3/0>,</5/0>,</16/1>,</3303/0>";
    rig_ask(r, device, "ep=dev-1&pct=112");
    rig_settle(r, LONG_MS);
    assert_string_equal(device->log,
                        "GET /;DELETE /0;DELETE /1;DELETE /2;PUT /0/1;PUT /0/0;PUT /0/5;PUT /1/0;PUT /1/6;"
                        "PUT /2/0;PUT /2/1;PUT /5/0;PUT /16/1;PUT /3303/0;GET /1;GET /2;GET /;POST /bs;");
    assert_non_null(strstr(r->events, "FINISHED dev-1"));
    assert_value(device, "/0/1", "/0/1/0", "coaps://bs2:5684");
    assert_value(device, "/0/1", "/0/1/1", "true");
    assert_value(device, "/0/1", "/0/1/3", "6273");
    assert_value(device, "/0/1", "/0/1/5", "00112233445566778899aabbccddeeff");
    assert_value(device, "/0/1", "/0/1/10", "");
    assert_value(device, "/0/1", "/0/1/11", "9");
    assert_value(device, "/0/1", "/0/1/12", "60");
    assert_value(device, "/0/5", "/0/5/0", "coap+tcp://b:5683");
    assert_value(device, "/0/5", "/0/5/2", "3");
    assert_value(device, "/1/6", "/1/6/7", "T");
    assert_value(device, "/1/6", "/1/6/13", "2");
    assert_value(device, "/1/6", "/1/6/15", "true");
    assert_value(device, "/1/6", "/1/6/19", "4294967295");
    assert_value(device, "/1/6", "/1/6/22", "T");
    assert_value(device, "/2/0", "/2/0/0", "3");
    assert_value(device, "/2/0", "/2/0/2/0", "3");
    assert_value(device, "/2/0", "/2/0/2/20", "1");
    assert_value(device, "/2/0", "/2/0/3", "10");
    assert_value(device, "/2/1", "/2/1/1", "65535");
    assert_value(device, "/3303/0", "/3303/0/5701", "Cel");
    assert_value(device, "/16/1", "/16/1/0/1", "y");
    assert_value(device, "/16/1", "/16/1/0/3", "x");
}

/* What stays is not overwritten; an account with the same Short Server ID is. */
static void test_instances(void **state)
{
    rig *r = *state;
    static const struct {
        const char *before, *document, *log;
    } rows[] = {
        {"</>;lwm2m=1.1,</0/0>;ssid=5,</0/1>,</1/3>;ssid=5",
         "{\"servers\":[{\"ssid\":5}],\"delete\":[],\"verify\":false}", "GET /;PUT /0/0;PUT /1/3;POST /bs;"},
        {"</>;lwm2m=1.1,</0/0>;ssid=5,</0/1>,</1/0>;ssid=5",
         "{\"servers\":[{\"ssid\":6}],\"delete\":[],\"verify\":false}", "GET /;PUT /0/2;PUT /1/1;POST /bs;"},
        {"</>;lwm2m=1.1,</0/0>;ssid=5,</0/1>,</1/0>;ssid=5",
         "{\"servers\":[{\"ssid\":6}],\"delete\":[\"/0/0\",\"/1/0\"],\"verify\":false}",
         "GET /;DELETE /0/0;DELETE /1/0;PUT /0/0;PUT /1/0;POST /bs;"},
        {"</>;lwm2m=1.1,</0/7>,</1/0>;ssid=5", "{\"servers\":[{}],\"delete\":[\"/\"],\"verify\":false}",
         "GET /;DELETE /;PUT /0/0;PUT /1/0;POST /bs;"},
        {"</>;lwm2m=1.1,</0/1>", "{\"write\":{\"/3303/0/5701\":\"Cel\"},\"verify\":false}",
         "GET /;PUT /3303/0;POST /bs;"},
        {"</>;lwm2m=1.1,</0/1>", "{\"access\":[{\"object\":3,\"instance\":0,\"owner\":1}],\"verify\":false}",
         "GET /;PUT /2/0;POST /bs;"},
        {"</>;lwm2m=1.1,</0/0>,</0/1>;ssid=1,</1/0>;ssid=1", /* where another one is to be is no place to stay */
         "{\"servers\":[{\"ssid\":1},{\"ssid\":2,\"uri\":\"coap://"
         "x\",\"security\":{\"mode\":\"nosec\"},\"instances\":{\"security\":1,\"server\":0}}],"
         "\"access\":[{\"object\":3,\"instance\":0,\"owner\":1}],\"delete\":[],\"verify\":false}",
         "GET /;PUT /0/1;PUT /0/2;PUT /1/0;PUT /1/1;PUT /2/0;POST /bs;"},
        {"</>;lwm2m=1.1,</0/1>,</2/0>",
         "{\"access\":[{\"object\":3,\"instance\":0,\"owner\":1}],\"verify\":false}",
         "GET /;PUT /2/1;POST /bs;"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_start(r, 30 + i, NULL);
        rig_device *device = &r->devices[0];
        rig_configure(r, "a", rows[i].document);
        rig_secure(r, device, DN_TRANSPORT_DTLS, "a");
        device->before = rows[i].before;
        rig_ask(r, device, "ep=a&pct=112");
        rig_settle(r, LONG_MS);
        assert_string_equal(device->log, rows[i].log);
        rig_end(r);
    }
    rig_start(r, 9, NULL);
}

/* A key that may have reached the device is handed out again; it is promoted when the device has taken it for sure. */
static void test_staged_again(void **state)
{
    rig *r = *state;
    rig_device *device = &r->devices[0];
    char first[2048];
    char second[2048];
    rig_start(r, 5, NULL);
    rig_configure(r, "a", "{\"servers\":[{}]}");
    rig_secure(r, device, DN_TRANSPORT_DTLS, "a");
    device->script[0] = (rig_answer){"POST /bs", DN_COAP_INTERNAL_ERROR, NULL, 0, 1};
    rig_ask(r, device, "ep=a&pct=112");
    rig_settle(r, LONG_MS);
    assert_non_null(strstr(r->events, "FAILED a"));
    assert_null(bs_keeper_of(&r->keeper, "a", false));
    assert_non_null(bs_keeper_of(&r->keeper, "a", true));
    (void)rig_value(device, "/0/1", "/0/1/5", first);
    device->is_written = false;
    rig_ask(r, device, "ep=a&pct=112");
    rig_settle(r, LONG_MS);
    assert_string_equal(rig_value(device, "/0/1", "/0/1/5", second), first);
    assert_int_equal(strlen(first), 32);
    assert_non_null(bs_keeper_of(&r->keeper, "a", false));
    assert_int_equal(r->keeper.stages, 1);
    /* The next one is another. */
    device->is_written = false;
    rig_ask(r, device, "ep=a&pct=112");
    rig_settle(r, LONG_MS);
    assert_string_not_equal(rig_value(device, "/0/1", "/0/1/5", second), first);
    assert_int_equal(r->keeper.stages, 2);
}

/* Several devices in one cycle: one transaction; if that is refused, each for itself. */
static void test_batch(void **state)
{
    rig *r = *state;
    static const char *const names[] = {"d0", "d1", "d2", "d3"};
    rig_start(r, 6, NULL);
    rig_configure(r, "d?", "{\"servers\":[{}]}");
    r->keeper.refuses_many = true;
    for (size_t i = 0; i < RIG_DEVICES; i++) {
        char query[32];
        rig_secure(r, &r->devices[i], DN_TRANSPORT_DTLS, names[i]);
        (void)snprintf(query, sizeof query, "ep=%s", names[i]);
        rig_ask(r, &r->devices[i], query);
    }
    rig_settle(r, LONG_MS);
    for (size_t i = 0; i < RIG_DEVICES; i++) {
        assert_non_null(bs_keeper_of(&r->keeper, names[i], false));
    }
    dn_bs_counters counters;
    dn_bs_count(r->bs, &counters);
    assert_int_equal(counters.finished, RIG_DEVICES);
    assert_int_equal(counters.minted, RIG_DEVICES);
}

/* Without `ep`, by the name that the handshake proved; over TLS the device gets a stream's URI; the server may begin by itself. */
static void test_ways(void **state)
{
    rig *r = *state;
    rig_device *device = &r->devices[1];
    rig_start(r, 7, NULL);
    rig_configure(r, "b", "{\"servers\":[{}],\"verify\":false}");
    rig_secure(r, device, DN_TRANSPORT_DTLS, "b");
    rig_ask(r, device, "pct=110");
    rig_settle(r, LONG_MS);
    assert_non_null(strstr(r->events, "FINISHED b"));

    r->events[0] = device->log[0] = '\0';
    device->is_written = false;
    dn_bs_begin(r->bs);
    const dn_bs_start started = dn_bs_rerun(r->bs, dunlin_slice_of("b"));
    assert_int_equal(started.status, DUNLIN_OK);
    assert_int_equal(started.run->run, 2);
    assert_true(started.run->is_own);
    assert_int_equal(dn_bs_rerun(r->bs, dunlin_slice_of("b")).status, DUNLIN_ERR_DUPLICATE);
    assert_int_equal(dn_bs_rerun(r->bs, dunlin_slice_of("nobody")).status, DUNLIN_ERR_NOT_FOUND);
    rig_configure(r, "new", "{\"servers\":[{}]}");
    assert_int_equal(dn_bs_rerun(r->bs, dunlin_slice_of("new")).status, DUNLIN_ERR_IO);
    rig_settle(r, LONG_MS);
    assert_non_null(strstr(r->events, "FINISHED b"));
    assert_non_null(strstr(device->log, "POST /bs;"));
    rig_close(r, device);
    dn_bs_begin(r->bs);
    assert_int_equal(dn_bs_rerun(r->bs, dunlin_slice_of("b")).status, DUNLIN_ERR_IO);
}

/* Without security only where the operator says so. */
static void test_insecure(void **state)
{
    rig *r = *state;
    rig_start(r, 8, NULL);
    rig_configure(r, "open", "{\"servers\":[{\"security\":{\"mode\":\"nosec\"}}],\"allow_insecure\":true}");
    r->devices[0].after = "</>;lwm2m=1.1,</0/0>,</0/1>;ssid=1,</1/0>;ssid=1,</3/0>";
    rig_ask(r, &r->devices[0], "ep=open");
    rig_settle(r, LONG_MS);
    assert_non_null(strstr(r->events, "FINISHED open"));
    assert_value(&r->devices[0], "/0/1", "/0/1/0", "coap://server:5683");
}

/* A body of several blocks goes as such, and comes as such. */
static void test_blocks(void **state)
{
    rig *r = *state;
    static char document[12000];
    static char links[6000];
    rig_device *device = &r->devices[0];
    size_t len;
    uint16_t format;
    rig_start(r, 11, NULL);
    dn_simlink_rule(r->link, &(dn_simlink_rules){.loss_permille = 200, .delay_max_ms = 20});
    (void)snprintf(document, sizeof document, "{\"write\":{\"/19/0/0/0\":{\"hex\":\"");
    for (size_t i = 0; i < 5000; i++) {
        strcat(document, "5a");
    }
    strcat(document, "\"}},\"verify\":false}");
    strcpy(links, "</>;lwm2m=1.1,</0/0>");
    for (unsigned i = 0; i < 300; i++) {
        char link[32];
        (void)snprintf(link, sizeof link, ",</3303/%u>", i);
        strcat(links, link);
    }
    rig_configure(r, "a", document);
    rig_secure(r, device, DN_TRANSPORT_DTLS, "a");
    device->before = links;
    rig_ask(r, device, "ep=a&pct=112");
    rig_settle(r, LONG_MS);
    assert_non_null(strstr(r->events, "FINISHED a"));
    assert_non_null(rig_put(device, "/19/0", &len, &format));
    assert_true(len > 5000);
    rig_view view;
    rig_look(r, "a", &view);
    assert_int_equal(view.steps[0].bytes, strlen(links));
    assert_int_equal(view.view.found.len, 1024); /* what is kept of it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_smallest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_formats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fallback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_instances, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_staged_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_batch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ways, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_insecure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_blocks, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("bootstrap_run", tests, NULL, NULL);
}
