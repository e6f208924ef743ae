/* SPDX-License-Identifier: Apache-2.0 */
/* Write, Read, Discover and Delete of a bootstrap server, as changes of the Objects (Core 1.1.1 section 6.1.7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/bootstrap_operation.h"
#include "client/image.h"
#include "tests/client/bootstrap_rig.h"
#include "tests/client/image.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define GET      DN_COAP_GET
#define PUT      DN_COAP_PUT
#define POST     DN_COAP_POST
#define DELETE   DN_COAP_DELETE
#define ROOM     16384

enum {
    TEXT = BOOTSTRAP_FORMAT(0),
    LINK = BOOTSTRAP_FORMAT(40),
    OPAQUE = BOOTSTRAP_FORMAT(42),
    JSON = BOOTSTRAP_FORMAT(110),
    SCBOR = BOOTSTRAP_FORMAT(112),
    TLV = BOOTSTRAP_FORMAT(11542),
    OLD_JSON = BOOTSTRAP_FORMAT(11543)
};

/* ---- what cannot be changed by what is refused ---- */

typedef struct {
    image seen;
    uint8_t bytes[ROOM];
    size_t len;
} state_of;

static void take_state(bootstrap_rig *b, state_of *s)
{
    dunlin_buf out = dunlin_buf_make(s->bytes, sizeof s->bytes);
    image_take(&b->r, &s->seen);
    assert_int_equal(dn_client_image_write(b->r.client, &out), DUNLIN_OK);
    s->len = out.len;
}

static bool same_state(const state_of *a, const state_of *b)
{
    return image_equal(&a->seen, &b->seen) && a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

typedef struct {
    const char *name;
    bootstrap_request request;
    const char *code;
} row;

/* Each is answered so, and has changed nothing unless it was a success. */
static void play(bootstrap_rig *b, const row *rows, size_t count)
{
    state_of *before = malloc(sizeof *before);
    state_of *after = malloc(sizeof *after);
    assert_true(before != NULL && after != NULL);
    for (size_t i = 0; i < count; i++) {
        take_state(b, before);
        const char *code = bootstrap_rig_ask(b, &rows[i].request);
        if (strcmp(code, rows[i].code) != 0) {
            fail_msg("%s: %s instead of %s", rows[i].name, code, rows[i].code);
        }
        take_state(b, after);
        if (code[0] != '2' && !same_state(before, after)) {
            fail_msg("%s: something has changed", rows[i].name);
        }
    }
    free(before);
    free(after);
}

static void assert_dump(bootstrap_rig *b, const char *base, const char *text)
{
    assert_string_equal(bootstrap_rig_dump(b, base), text);
}

static void assert_answer(const bootstrap_rig *b, const char *text)
{
    assert_string_equal((const char *)b->answer, text);
}

/* ---- which operation a request is ---- */

static void operations_are_told_apart(void **state)
{
    static const struct {
        uint8_t method;
        uint16_t accept;
        const char *options; /* encoded */
        size_t len;
        dn_bootstrap_operation operation;
    } rows[] = {
        {GET, 40, "", 0, DN_BOOTSTRAP_DISCOVER},
        {GET, 112,
         "\xB1"
         "1",
         2, DN_BOOTSTRAP_READ},
        {GET, DN_FORMAT_NONE,
         "\xB1"
         "1",
         2, DN_BOOTSTRAP_READ},
        {PUT, DN_FORMAT_NONE,
         "\xB1"
         "0",
         2, DN_BOOTSTRAP_WRITE},
        {DELETE, DN_FORMAT_NONE, "", 0, DN_BOOTSTRAP_DELETE},
        {POST, DN_FORMAT_NONE,
         "\xB2"
         "bs",
         3, DN_BOOTSTRAP_FINISH},
        {POST, DN_FORMAT_NONE,
         "\xB2"
         "bs\x01x",
         5, DN_BOOTSTRAP_OTHER},
        {POST, DN_FORMAT_NONE,
         "\xB3"
         "bsx",
         4, DN_BOOTSTRAP_OTHER},
        {POST, DN_FORMAT_NONE, "", 0, DN_BOOTSTRAP_OTHER},
        {POST, DN_FORMAT_NONE,
         "\xB1"
         "1\x01"
         "0\x01"
         "8",
         6, DN_BOOTSTRAP_OTHER},
        {DN_COAP_FETCH, DN_FORMAT_NONE, "", 0, DN_BOOTSTRAP_OTHER},
        {DN_COAP_IPATCH, DN_FORMAT_NONE, "", 0, DN_BOOTSTRAP_OTHER},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const dn_coap_incoming request = {
            .code = rows[i].method,
            .accept = rows[i].accept,
            .options = {.raw = dunlin_slice_make(rows[i].options, rows[i].len)},
        };
        if (dn_client_bootstrap_operation_of(&request) != rows[i].operation) {
            fail_msg("row %zu is taken for another operation", i);
        }
    }
}

static void others_are_no_operations(void **state)
{
    static const row rows[] = {
        {"Execute", {POST, "/1/0/8", NULL, 0, 0, NULL, 0}, "4.05"},
        {"Create", {POST, "/33000", NULL, JSON, 0, "[]", 0}, "4.05"},
        {"Composite", {DN_COAP_FETCH, "/", NULL, JSON, 0, "[]", 0}, "4.05"},
    };
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    (void)state;
    play(b, rows, COUNT(rows));
    bootstrap_rig_close(b);
}

/* ---- Write ---- */

static const row refused_writes[] = {
    {"the root", {PUT, "/", NULL, JSON, 0, "[{\"n\":\"/1/0/1\",\"v\":5}]", 0}, "4.00"},
    {"no Object of ours", {PUT, "/4711", NULL, JSON, 0, "[]", 0}, "4.04"},
    {"no Object of ours, an instance", {PUT, "/4711/0", NULL, JSON, 0, "[{\"n\":\"0\",\"v\":1}]", 0}, "4.04"},
    {"no resource of ours", {PUT, "/1/0/99", NULL, TEXT, 0, "1", 0}, "4.04"},
    {"a resource instance", {PUT, "/2/2/2/101", NULL, TEXT, 0, "1", 0}, "4.05"},
    {"too deep", {PUT, "/2/2/2/101/5", NULL, TEXT, 0, "1", 0}, "4.00"},
    {"no number", {PUT, "/1/x", NULL, JSON, 0, "[]", 0}, "4.00"},
    {"a leading zero", {PUT, "/01", NULL, JSON, 0, "[]", 0}, "4.00"},
    {"the id of nothing", {PUT, "/1/65535", NULL, JSON, 0, "[{\"n\":\"1\",\"v\":1}]", 0}, "4.00"},
    {"Write-Attributes", {PUT, "/1/0", "pmin=5", 0, 0, NULL, 0}, "4.00"},
    {"a query", {PUT, "/1/0/1", "x", TEXT, 0, "5", 0}, "4.00"},
    {"no format", {PUT, "/1/0/1", NULL, 0, 0, "5", 0}, "4.15"},
    {"text for an instance", {PUT, "/1/0", NULL, TEXT, 0, "5", 0}, "4.15"},
    {"link format", {PUT, "/1/0", NULL, LINK, 0, "5", 0}, "4.15"},
    {"octets for a number", {PUT, "/1/0/1", NULL, OPAQUE, 0, "5", 0}, "4.15"},
    {"an unknown format", {PUT, "/1/0", NULL, BOOTSTRAP_FORMAT(4711), 0, "5", 0}, "4.15"},
    {"nothing for an Object", {PUT, "/1", NULL, JSON, 0, "[]", 0}, "4.00"},
    {"nothing for an Object in TLV", {PUT, "/1", NULL, TLV, 0, "", 0}, "4.00"},
    {"resources without an instance", {PUT, "/1", NULL, TLV, 0, "\xC1\x01\x05", 0}, "4.00"},
    {"no JSON", {PUT, "/1", NULL, JSON, 0, "[{", 0}, "4.00"},
    {"TLV that ends early", {PUT, "/1", NULL, TLV, 0, "\x08\x00\x09\xC1\x01\x05", 6}, "4.00"},
    {"another Object in the payload", {PUT, "/1", NULL, JSON, 0, "[{\"n\":\"/0/0/2\",\"v\":3}]", 0}, "4.00"},
    {"another instance in the payload",
     {PUT, "/1/0", NULL, JSON, 0, "[{\"n\":\"/1/1/1\",\"v\":5}]", 0},
     "4.00"},
    {"another instance in TLV", {PUT, "/1/0", NULL, TLV, 0, "\x03\x01\xC1\x01\x05", 5}, "4.00"},
    {"another resource in the payload",
     {PUT, "/1/0/1", NULL, JSON, 0, "[{\"n\":\"/1/0/2\",\"v\":5}]", 0},
     "4.00"},
    {"nothing for a resource", {PUT, "/1/0/1", NULL, JSON, 0, "[]", 0}, "4.00"},
    {"the same twice",
     {PUT, "/1/0", NULL, JSON, 0, "[{\"n\":\"1\",\"v\":5},{\"n\":\"2\",\"v\":5},{\"n\":\"1\",\"v\":6}]", 0},
     "4.00"},
    {"the same twice in TLV", {PUT, "/1/0", NULL, TLV, 0, "\xC1\x01\x05\xC1\x02\x05\xC1\x01\x06", 9}, "4.00"},
    {"an element twice",
     {PUT, "/2/2", NULL, JSON, 0, "[{\"n\":\"2/1\",\"v\":5},{\"n\":\"2/2\",\"v\":5},{\"n\":\"2/1\",\"v\":6}]",
      0},
     "4.00"},
    {"the wrong type",
     {PUT, "/1/0", NULL, JSON, 0, "[{\"n\":\"2\",\"v\":9},{\"n\":\"1\",\"vs\":\"x\"}]", 0},
     "4.00"},
    {"out of range",
     {PUT, "/1/0", NULL, JSON, 0, "[{\"n\":\"2\",\"v\":9},{\"n\":\"1\",\"v\":-1}]", 0},
     "4.00"},
    {"rights out of range", {PUT, "/2/2", NULL, JSON, 0, "[{\"n\":\"2/5\",\"v\":32}]", 0}, "4.00"},
    {"what `check` refuses",
     {PUT, "/33000/0", NULL, JSON, 0, "[{\"n\":\"0\",\"v\":9},{\"n\":\"10\",\"v\":13}]", 0},
     "4.00"},
    {"what `set` refuses",
     {PUT, "/33000/0", NULL, JSON, 0,
      "[{\"n\":\"0\",\"v\":9},{\"n\":\"8/1\",\"v\":3},{\"n\":\"12\",\"v\":4},{\"n\":\"11\",\"v\":13}]", 0},
     "5.00"},
    {"what `set` refuses in the second of two instances",
     {PUT, "/33000", NULL, JSON, 0,
      "[{\"n\":\"7/0\",\"v\":9},{\"n\":\"0/11\",\"v\":5},{\"n\":\"1/11\",\"v\":13}]", 0},
     "5.00"},
    {"a single resource as a list", {PUT, "/1/0", NULL, JSON, 0, "[{\"n\":\"1/0\",\"v\":5}]", 0}, "4.00"},
    {"a list as a single resource", {PUT, "/2/2", NULL, JSON, 0, "[{\"n\":\"2\",\"v\":5}]", 0}, "4.00"},
    {"an executable",
     {PUT, "/1/0", NULL, JSON, 0, "[{\"n\":\"1\",\"v\":5},{\"n\":\"8\",\"v\":5}]", 0},
     "4.00"},
    {"what never changes", {PUT, "/33000/0", NULL, JSON, 0, "[{\"n\":\"16\",\"vs\":\"x\"}]", 0}, "4.00"},
    {"a second instance of Device",
     {PUT, "/3/1", NULL, JSON, 0, "[{\"n\":\"14\",\"vs\":\"+01:00\"}]", 0},
     "4.00"},
    {"more instances than there is room for",
     {PUT, "/1", NULL, JSON, 0, "[{\"n\":\"5/0\",\"v\":5}]", 0},
     "4.00"},
    {"the second one of two",
     {PUT, "/33000", NULL, JSON, 0,
      "[{\"n\":\"7/0\",\"v\":9},{\"n\":\"8/0\",\"v\":9},{\"n\":\"9/0\",\"v\":9}]", 0},
     "4.00"},
    {"more elements than there is room for",
     {PUT, "/33000/0", NULL, JSON, 0,
      "[{\"n\":\"8/1\",\"v\":1},{\"n\":\"8/2\",\"v\":1},{\"n\":\"8/3\",\"v\":1},{\"n\":\"8/"
      "4\",\"v\":1},{\"n\":\"8/5\",\"v\":1}]",
      0},
     "4.00"},
    {"a second bootstrap server",
     {PUT, "/0/5", NULL, JSON, 0, "[{\"n\":\"0\",\"vs\":\"coaps://bs2\"},{\"n\":\"1\",\"vb\":true}]", 0},
     "4.00"},
    {"a server that becomes one", {PUT, "/0/0/1", NULL, TEXT, 0, "1", 0}, "4.00"},
    {"a key longer than credential_max",
     {PUT, "/0/0", NULL, JSON, 0,
      "[{\"n\":\"5\",\"vd\":"
      "\"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OQ\""
      "}]",
      0},
     "4.00"},
};

static void write_is_refused(void **state)
{
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    (void)state;
    play(b, refused_writes, COUNT(refused_writes));
    assert_int_equal(b->r.things[0].stubborn_told, 0);
    bootstrap_rig_close(b);
}

static void writes_an_object(void **state)
{
    static const char tlv[] = {8, 7,  18,         (char)0xC1, 0, 55, (char)0xC4, 1, 0,
                               1, 81, (char)0x80, (char)0xC1, 6, 0,  (char)0xC1, 7, 'U'};
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, false);
    (void)state;
    /* Instances in SenML, by names below the path. */
    assert_string_equal(
        bootstrap_rig_put(b, "/0",
                          "[{\"bn\":\"/0/0/\",\"n\":\"0\",\"vs\":\"coap://"
                          "x\"},{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":3},{\"n\":\"10\",\"v\":55}]"),
        "2.04");
    assert_dump(b, "/0/0", "/0/0/0=coap://x;/0/0/1=0;/0/0/2=3;/0/0/3=;/0/0/4=;/0/0/5=;/0/0/10=55;");
    /* In TLV, within wrappers. What the payload does not have of the optional resources is not there. */
    const bootstrap_request request = {PUT, "/1", NULL, TLV, 0, tlv, sizeof tlv};
    assert_string_equal(bootstrap_rig_ask(b, &request), "4.00"); /* the wrapper says 18, there are 15 */
    char right[sizeof tlv];
    memcpy(right, tlv, sizeof tlv);
    right[2] = sizeof tlv - 3;
    const bootstrap_request again = {PUT, "/1", NULL, TLV, 0, right, sizeof right};
    assert_string_equal(bootstrap_rig_ask(b, &again), "2.04");
    assert_dump(b, "/1/7", "/1/7/0=55;/1/7/1=86400;/1/7/6=0;/1/7/7=U;");
    /* An instance in a CBOR that names all of it. */
    static const uint8_t cbor[] = {0x82, 0xA2, 0x00, 0x66, '/', '1', '/', '7', '/', '1', 0x02, 0x19, 0x01,
                                   0x2C, 0xA2, 0x00, 0x67, '/', '1', '/', '7', '/', '1', '4',  0x02, 0x05};
    const bootstrap_request senml = {PUT, "/1/7", NULL, SCBOR, 0, cbor, sizeof cbor};
    assert_string_equal(bootstrap_rig_ask(b, &senml), "2.04");
    assert_dump(b, "/1/7", "/1/7/0=55;/1/7/1=300;/1/7/6=0;/1/7/7=U;/1/7/14=5;");
    bootstrap_rig_close(b);
}

static void writes_below_an_object(void **state)
{
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    (void)state;
    /* What is not in the payload stays; unknown resources are passed over; so is what it is allowed to do with them. */
    assert_string_equal(
        bootstrap_rig_put(b, "/1/1",
                          "[{\"n\":\"0\",\"v\":103},{\"n\":\"4711\",\"v\":1},{\"n\":\"17\",\"v\":2}]"),
        "2.04");
    assert_dump(b, "/1/1", "/1/1/0=103;/1/1/1=600;/1/1/6=0;/1/1/7=U;/1/1/17=2;");
    /* A resource, in the formats of one value. */
    const bootstrap_request text = {PUT, "/1/1/1", NULL, TEXT, 0, "7", 0};
    const bootstrap_request octets = {PUT, "/0/0/5", NULL, OPAQUE, 0, "\x01\x02\x03", 3};
    const bootstrap_request cbor = {PUT, "/1/1/1", NULL, BOOTSTRAP_FORMAT(60), 0, "\x08", 1};
    assert_string_equal(bootstrap_rig_ask(b, &text), "2.04");
    assert_dump(b, "/1/1/1", "/1/1/1=7;");
    assert_string_equal(bootstrap_rig_ask(b, &cbor), "2.04");
    assert_dump(b, "/1/1/1", "/1/1/1=8;");
    assert_string_equal(bootstrap_rig_ask(b, &octets), "2.04");
    assert_dump(b, "/0/0/5", "/0/0/5=AQID;");
    /* A resource of an instance that is not there makes it. */
    assert_string_equal(bootstrap_rig_put(b, "/33000/9/1", "[{\"v\":5}]"), "2.04");
    assert_string_equal(bootstrap_rig_dump(b, "/33000/9/1"), "/33000/9/1=5;");
    /* An empty instance too. */
    const bootstrap_request empty = {PUT, "/33000/10", NULL, TLV, 0, "", 0};
    assert_string_equal(bootstrap_rig_ask(b, &empty), "2.04");
    assert_string_equal(bootstrap_rig_dump(b, "/33000/10"), "/33000/10/16=fixed;");
    bootstrap_rig_close(b);
}

/* A multiple resource that is named is as the payload has it: rights that were taken away must not stay. */
static void a_list_is_written_as_a_whole(void **state)
{
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    (void)state;
    assert_string_equal(
        bootstrap_rig_put(b, "/2/2",
                          "[{\"n\":\"2/103\",\"v\":1},{\"n\":\"3\",\"v\":7},{\"n\":\"2/104\",\"v\":2}]"),
        "2.04");
    assert_dump(b, "/2/2", "/2/2/0=3;/2/2/1=0;/2/2/2/103=1;/2/2/2/104=2;/2/2/3=7;");
    assert_string_equal(bootstrap_rig_put(b, "/2/2/2", "[{\"n\":\"/0\",\"v\":31}]"), "4.00");
    assert_string_equal(bootstrap_rig_put(b, "/2/2/2", "[{\"n\":\"/2/2/2/0\",\"v\":31}]"), "2.04");
    assert_dump(b, "/2/2", "/2/2/0=3;/2/2/1=0;/2/2/2/0=31;/2/2/3=7;");
    const bootstrap_request empty = {PUT, "/2/2", NULL, TLV, 0, "\x80\x02", 2};
    assert_string_equal(bootstrap_rig_ask(b, &empty), "2.04");
    assert_dump(b, "/2/2", "/2/2/0=3;/2/2/1=0;/2/2/3=7;");
    bootstrap_rig_close(b);
}

/* What comes first may lead to what comes later. */
static void links_may_come_first(void **state)
{
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    (void)state;
    assert_string_equal(bootstrap_rig_put(b, "/33000/0/7", "[{\"vlo\":\"33000:9\"}]"), "2.04");
    assert_string_equal(bootstrap_rig_dump(b, "/33000/0/7"), "/33000/0/7=33000:9;");
    bootstrap_rig_close(b);
}

/* Over the bootstrap server's own account, in its place. */
static void the_bootstrap_server_replaces_itself(void **state)
{
    static const row rows[] = {
        {"the same again", {PUT, "/0/1/1", NULL, TEXT, 0, "1", 0}, "2.04"},
        {"moved to another instance in one Write",
         {PUT, "/0", NULL, JSON, 0, "[{\"n\":\"/0/1/1\",\"vb\":false},{\"n\":\"/0/0/1\",\"vb\":true}]", 0},
         "2.04"},
        {"and not twice",
         {PUT, "/0", NULL, JSON, 0, "[{\"n\":\"/0/1/1\",\"vb\":true},{\"n\":\"/0/0/1\",\"vb\":true}]", 0},
         "4.00"},
    };
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    (void)state;
    play(b, rows, COUNT(rows));
    bootstrap_rig_close(b);
}

static void formats_of_lwm2m_1_0(void **state)
{
    static const row rows[] = {
        {"LwM2M JSON",
         {PUT, "/1/0", NULL, OLD_JSON, 0, "{\"bn\":\"/1/0/\",\"e\":[{\"n\":\"1\",\"v\":77}]}", 0},
         "2.04"},
        {"TLV", {PUT, "/1/0", NULL, TLV, 0, "\xC1\x01\x4E", 3}, "2.04"},
        {"SenML is of 1.1", {PUT, "/1/0", NULL, JSON, 0, "[{\"n\":\"1\",\"v\":77}]", 0}, "4.15"},
    };
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_0, true);
    (void)state;
    play(b, rows, COUNT(rows));
    assert_dump(b, "/1/0/1", "/1/0/1=78;");
    bootstrap_rig_close(b);
}

/* The alternate path is for servers. */
static void no_alternate_path(void **state)
{
    static const row rows[] = {
        {"in a path", {PUT, "/lwm2m/1/0/1", NULL, TEXT, 0, "7", 0}, "4.00"},
        {"in a name", {PUT, "/1/0", NULL, JSON, 0, "[{\"n\":\"/lwm2m/1/0/1\",\"v\":7}]", 0}, "4.00"},
        {"without", {PUT, "/1/0", NULL, JSON, 0, "[{\"n\":\"/1/0/1\",\"v\":7}]", 0}, "2.04"},
        {"Delete", {DELETE, "/lwm2m/1", NULL, 0, 0, NULL, 0}, "4.00"},
        {"Discover", {GET, "/lwm2m", NULL, 0, LINK, NULL, 0}, "4.00"},
        {"Discover of the root", {GET, "/", NULL, 0, LINK, NULL, 0}, "2.05"},
    };
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    (void)state;
    b->r.client->config.root_path = "/lwm2m";
    play(b, rows, COUNT(rows));
    assert_null(strstr((const char *)b->answer, "</lwm2m"));
    bootstrap_rig_close(b);
}

/* ---- Discover and Read ---- */

static void discovers(void **state)
{
    static const row refused[] = {
        {"an Object that is not there", {GET, "/4711", NULL, 0, LINK, NULL, 0}, "4.04"},
        {"an instance", {GET, "/1/0", NULL, 0, LINK, NULL, 0}, "4.00"},
        {"a resource", {GET, "/1/0/1", NULL, 0, LINK, NULL, 0}, "4.00"},
        {"no path", {GET, "/bs", NULL, 0, LINK, NULL, 0}, "4.00"},
    };
    const bootstrap_request all = {GET, "/", NULL, 0, LINK, NULL, 0};
    const bootstrap_request security = {GET, "/0", NULL, 0, LINK, NULL, 0};
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    (void)state;
    play(b, refused, COUNT(refused));
    assert_string_equal(bootstrap_rig_ask(b, &all), "2.05");
    assert_int_equal(b->answer_format, 40);
    assert_answer(b, "</>;lwm2m=1.1,</0>,</0/0>;ssid=101;uri=\"coaps://one\",</0/1>;uri=\"coaps://bs\",</0/"
                     "2>;ssid=102;uri=\"coap://two\","
                     "</1>,</1/0>;ssid=101,</1/1>;ssid=102,</2>,</2/0>,</2/1>,</2/2>,</2/3>,</3>,</3/0>,</"
                     "21>,</3303>,</3303/0>,"
                     "</33000>;ver=1.2,</33000/0>,</33000/1>");
    assert_string_equal(bootstrap_rig_ask(b, &security), "2.05");
    assert_answer(b, "</>;lwm2m=1.1,</0>,</0/0>;ssid=101;uri=\"coaps://one\",</0/1>;uri=\"coaps://bs\",</0/"
                     "2>;ssid=102;uri=\"coap://two\"");
    bootstrap_rig_close(b);
    /* As in LwM2M 1.0: no URIs, and no link for the version. */
    b = bootstrap_rig_open(DUNLIN_LWM2M_1_0, false);
    const bootstrap_request server = {GET, "/1", NULL, 0, LINK, NULL, 0};
    assert_string_equal(bootstrap_rig_ask(b, &all), "2.05");
    assert_answer(
        b,
        "lwm2m=\"1.0\",</0/1>,</1>,</2>,</3/0>,</21>,</3303/0>,</33000>;ver=\"1.2\",</33000/0>,</33000/1>");
    assert_string_equal(bootstrap_rig_ask(b, &server), "2.05");
    assert_answer(b, "lwm2m=\"1.0\",</1>");
    bootstrap_rig_close(b);
}

static void reads(void **state)
{
    static const row rows[] = {
        {"the root", {GET, "/", NULL, 0, JSON, NULL, 0}, "4.05"},
        {"Security", {GET, "/0", NULL, 0, JSON, NULL, 0}, "4.05"},
        {"Device", {GET, "/3/0", NULL, 0, JSON, NULL, 0}, "4.05"},
        {"a resource", {GET, "/1/0/1", NULL, 0, JSON, NULL, 0}, "4.05"},
        {"an instance that is not there", {GET, "/1/9", NULL, 0, JSON, NULL, 0}, "4.04"},
        {"a format for one value", {GET, "/1/0", NULL, 0, TEXT, NULL, 0}, "4.06"},
        {"an unknown format", {GET, "/1", NULL, 0, BOOTSTRAP_FORMAT(4711), NULL, 0}, "4.06"},
        {"a query", {GET, "/1", "x", 0, JSON, NULL, 0}, "4.00"},
        {"TLV", {GET, "/1", NULL, 0, TLV, NULL, 0}, "2.05"},
        {"SenML CBOR", {GET, "/2", NULL, 0, SCBOR, NULL, 0}, "2.05"},
        {"any", {GET, "/2/2", NULL, 0, 0, NULL, 0}, "2.05"},
    };
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    (void)state;
    play(b, rows, COUNT(rows));
    /* Rights do not count, and what servers cannot read is read here. */
    const bootstrap_request access = {GET, "/2/2", NULL, 0, JSON, NULL, 0};
    assert_string_equal(bootstrap_rig_ask(b, &access), "2.05");
    assert_answer(b, "[{\"bn\":\"/2/2/\",\"n\":\"0\",\"v\":3},{\"n\":\"1\",\"v\":0},{\"n\":\"2/"
                     "101\",\"v\":15},{\"n\":\"2/102\",\"v\":15},{\"n\":\"3\",\"v\":65535}]");
    assert_string_equal(bootstrap_rig_put(b, "/1/0/17", "[{\"v\":3}]"), "2.04");
    const bootstrap_request server = {GET, "/1", NULL, 0, JSON, NULL, 0};
    assert_string_equal(bootstrap_rig_ask(b, &server), "2.05");
    assert_answer(b, "[{\"bn\":\"/1/\",\"n\":\"0/0\",\"v\":101},{\"n\":\"0/1\",\"v\":300},{\"n\":\"0/"
                     "6\",\"vb\":true},{\"n\":\"0/7\",\"vs\":\"U\"},{\"n\":\"0/17\",\"v\":3},"
                     "{\"n\":\"1/0\",\"v\":102},{\"n\":\"1/1\",\"v\":600},{\"n\":\"1/"
                     "6\",\"vb\":false},{\"n\":\"1/7\",\"vs\":\"U\"}]");
    bootstrap_rig_close(b);
}

/* ---- Delete ---- */

static void deletes(void **state)
{
    static const row rows[] = {
        {"the bootstrap server's account", {DELETE, "/0/1", NULL, 0, 0, NULL, 0}, "4.00"},
        {"Device", {DELETE, "/3/0", NULL, 0, 0, NULL, 0}, "4.00"},
        {"what the device is made of", {DELETE, "/3303/0", NULL, 0, 0, NULL, 0}, "4.00"},
        {"a resource", {DELETE, "/1/0/1", NULL, 0, 0, NULL, 0}, "4.00"},
        {"a resource instance", {DELETE, "/2/2/2/101", NULL, 0, 0, NULL, 0}, "4.00"},
        {"no path", {DELETE, "/x", NULL, 0, 0, NULL, 0}, "4.00"},
        {"a query", {DELETE, "/1/0", "x", 0, 0, NULL, 0}, "4.00"},
        {"an Object that is not there", {DELETE, "/4711", NULL, 0, 0, NULL, 0}, "2.02"},
        {"an instance that is not there", {DELETE, "/1/9", NULL, 0, 0, NULL, 0}, "2.02"},
    };
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    const size_t before = strlen(bootstrap_rig_dump(b, "/"));
    (void)state;
    play(b, rows, COUNT(rows));
    assert_int_equal(strlen(bootstrap_rig_dump(b, "/")), before);
    /* Only the instance, with what Object 2 says of it. */
    assert_string_equal(bootstrap_rig_delete(b, "/1/1"), "2.02");
    assert_dump(b, "/2/1", "");
    assert_int_not_equal(strlen(bootstrap_rig_dump(b, "/0/2")), 0);
    assert_string_equal(bootstrap_rig_delete(b, "/2"), "2.02");
    assert_dump(b, "/2", "");
    assert_string_equal(bootstrap_rig_delete(b, "/33000"), "2.02");
    assert_dump(b, "/33000", "");
    assert_string_equal(bootstrap_rig_delete(b, "/3"), "2.02");
    assert_string_equal(bootstrap_rig_delete(b, "/3303"), "2.02");
    assert_int_not_equal(strlen(bootstrap_rig_dump(b, "/3/0")), 0);
    assert_int_not_equal(strlen(bootstrap_rig_dump(b, "/3303/0")), 0);
    bootstrap_rig_close(b);
}

static void deletes_all_but_its_account(void **state)
{
    static const char *const ways[] = {"/", "/0"};
    (void)state;
    for (size_t i = 0; i < COUNT(ways); i++) {
        bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
        assert_string_equal(bootstrap_rig_delete(b, ways[i]), "2.02");
        assert_dump(
            b, "/0",
            "/0/1/0=coaps://bs;/0/1/1=1;/0/1/2=0;/0/1/3=aWQ=;/0/1/4=;/0/1/5=c2VjcmV0LW9mLWJz;/0/1/11=7;");
        assert_dump(b, "/1", "");
        if (i == 0) {
            assert_dump(b, "/2", "");
            assert_dump(b, "/33000", "");
        } else { /* the rights on Device are the bootstrap's; 33000/0 was only of these two */
            assert_dump(b, "/2", "/2/2/0=3;/2/2/1=0;/2/2/3=65535;");
            assert_dump(b, "/33000/0", "");
            assert_int_not_equal(strlen(bootstrap_rig_dump(b, "/33000/1")), 0);
        }
        assert_int_not_equal(strlen(bootstrap_rig_dump(b, "/3/0")), 0);
        bootstrap_rig_close(b);
    }
}

/* ---- unbootstrapping (Transport 1.1.1 section 5.2.5) ---- */

static void an_account_goes_with_what_is_its_own(void **state)
{
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    (void)state;
    /* 33000/1 is only 102's; 33000/2 is 102's too, who lets 101 do nothing. */
    assert_string_equal(bootstrap_rig_put(b, "/33000/2/0", "[{\"v\":5}]"), "2.04");
    assert_string_equal(
        bootstrap_rig_put(
            b, "/2",
            "[{\"bn\":\"/2/4/\",\"n\":\"0\",\"v\":33000},{\"n\":\"1\",\"v\":1},{\"n\":\"3\",\"v\":102},"
            "{\"bn\":\"/2/5/\",\"n\":\"0\",\"v\":33000},{\"n\":\"1\",\"v\":2},{\"n\":\"2/"
            "101\",\"v\":0},{\"n\":\"2/102\",\"v\":15},{\"n\":\"3\",\"v\":102},"
            "{\"bn\":\"/2/6/\",\"n\":\"0\",\"v\":33000},{\"n\":\"1\",\"v\":65535},{\"n\":\"2/"
            "102\",\"v\":16},{\"n\":\"3\",\"v\":65535}]"),
        "2.04");
    assert_string_equal(bootstrap_rig_delete(b, "/0/2"), "2.02");
    assert_dump(b, "/0/2", "");
    assert_dump(b, "/1/1", "");
    assert_dump(b, "/33000/1", "");
    assert_dump(b, "/33000/2", "");
    assert_dump(b, "/2",
                "/2/0/0=1;/2/0/1=0;/2/0/3=101;/2/2/0=3;/2/2/1=0;/2/2/2/101=15;/2/2/3=65535;/2/3/0=33000;/2/3/"
                "1=0;/2/3/3=101;"
                "/2/6/0=33000;/2/6/1=65535;/2/6/3=65535;");
    bootstrap_rig_close(b);
}

/* Who may write and delete most becomes the owner of what others can reach as well. */
static void an_owner_has_heirs(void **state)
{
    static const struct {
        const char *name, *entries;
        const char *after; /* "": it has gone */
    } rows[] = {
        {"the one with an entry", "{\"n\":\"2/102\",\"v\":1},", "/2/3/2/102=1;/2/3/3=102;"},
        {"by the default", "{\"n\":\"2/0\",\"v\":2},", "/2/3/2/0=2;/2/3/3=102;"},
        {"an entry of no rights goes before the default",
         "{\"n\":\"2/0\",\"v\":2},{\"n\":\"2/102\",\"v\":0},", ""},
        {"rights of no account are nobody's", "{\"n\":\"2/77\",\"v\":15},", ""},
        {"Create on an instance is no right", "{\"n\":\"2/102\",\"v\":16},", ""},
        {"its own entry goes", "{\"n\":\"2/101\",\"v\":15},{\"n\":\"2/102\",\"v\":8},",
         "/2/3/2/102=8;/2/3/3=102;"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
        char json[256];
        char text[128] = "";
        (void)snprintf(json, sizeof json, "[{\"bn\":\"/2/3/\"},%s{\"n\":\"3\",\"v\":101}]", rows[i].entries);
        assert_string_equal(bootstrap_rig_put(b, "/2/3", json), "2.04");
        assert_string_equal(bootstrap_rig_delete(b, "/0/0"), "2.02");
        if (rows[i].after[0] != '\0') {
            (void)snprintf(text, sizeof text, "/2/3/0=33000;/2/3/1=0;%s", rows[i].after);
        }
        if (strcmp(bootstrap_rig_dump(b, "/2/3"), text) != 0) {
            fail_msg("%s: %s", rows[i].name, bootstrap_rig_dump(b, "/2/3"));
        }
        if ((bootstrap_rig_dump(b, "/33000/0")[0] != '\0') != (text[0] != '\0')) {
            fail_msg("%s: the instance itself", rows[i].name);
        }
        bootstrap_rig_close(b);
    }
}

static void the_highest_sum_inherits(void **state)
{
    static const struct {
        const char *two, *three; /* rights of 102 and 103 */
        const char *owner;
    } rows[] = {
        {"1", "2", "103"}, {"2", "1", "102"}, {"10", "2", "102"}, {"8", "10", "103"},
        {"2", "8", "103"}, {"4", "5", "103"}, {"0", "1", "103"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
        char json[256];
        char text[64];
        /* Server 101's instance of Object 1 makes room for a third server's, before its account goes. */
        assert_string_equal(bootstrap_rig_put(b, "/1/0/0", "[{\"v\":103}]"), "2.04");
        (void)snprintf(json, sizeof json,
                       "[{\"n\":\"2/102\",\"v\":%s},{\"n\":\"2/103\",\"v\":%s},{\"n\":\"3\",\"v\":101}]",
                       rows[i].two, rows[i].three);
        assert_string_equal(bootstrap_rig_put(b, "/2/3", json), "2.04");
        assert_string_equal(bootstrap_rig_delete(b, "/0/0"), "2.02");
        (void)snprintf(text, sizeof text, "/2/3/3=%s;", rows[i].owner);
        assert_string_equal(bootstrap_rig_dump(b, "/2/3/3"), text);
        bootstrap_rig_close(b);
    }
}

/* What the device is made of, and the account of another server, stay. */
static void not_all_goes_with_its_only_server(void **state)
{
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    (void)state;
    assert_string_equal(
        bootstrap_rig_put(b, "/2",
                          "[{\"bn\":\"/2/2/\",\"n\":\"3\",\"v\":101},{\"n\":\"2/101\",\"v\":15},"
                          "{\"bn\":\"/2/1/\",\"n\":\"3\",\"v\":101}]"),
        "2.04");
    assert_string_equal(bootstrap_rig_delete(b, "/0/0"), "2.02");
    assert_int_not_equal(strlen(bootstrap_rig_dump(b, "/3/0")), 0);
    assert_dump(b, "/2/2", "");
    assert_int_not_equal(strlen(bootstrap_rig_dump(b, "/1/1")), 0);
    assert_dump(b, "/2/1", "/2/1/0=1;/2/1/1=1;/2/1/3=102;");
    bootstrap_rig_close(b);
}

/* A Short Server ID that another Security instance has as well is still in use. */
static void a_shared_id_is_kept(void **state)
{
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    (void)state;
    assert_string_equal(bootstrap_rig_put(b, "/0/2/10", "[{\"v\":101}]"), "2.04");
    assert_string_equal(bootstrap_rig_delete(b, "/0/2"), "2.02");
    assert_int_not_equal(strlen(bootstrap_rig_dump(b, "/1/0")), 0);
    assert_string_equal(bootstrap_rig_delete(b, "/0/0"), "2.02");
    assert_dump(b, "/1/0", "");
    bootstrap_rig_close(b);
}

/* ---- keys of OSCORE ---- */

/* Their instances tell whose they are, and the bootstrap server's stays as its account does. */
static void oscore_goes_with_its_account(void **state)
{
    const bootstrap_request discover = {GET, "/21", NULL, 0, LINK, NULL, 0};
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    (void)state;
    assert_string_equal(
        bootstrap_rig_put(b, "/0", "[{\"n\":\"0/17\",\"vlo\":\"21:0\"},{\"n\":\"1/17\",\"vlo\":\"21:1\"}]"),
        "2.04");
    assert_string_equal(
        bootstrap_rig_put(b, "/21", "[{\"n\":\"0/1\",\"vd\":\"YQ\"},{\"n\":\"1/1\",\"vd\":\"Yg\"}]"), "2.04");
    assert_string_equal(bootstrap_rig_ask(b, &discover), "2.05");
    assert_answer(b, "</>;lwm2m=1.1,</21>,</21/0>;ssid=101,</21/1>");
    assert_string_equal(bootstrap_rig_delete(b, "/21/1"), "4.00");
    assert_string_equal(bootstrap_rig_delete(b, "/"), "2.02");
    assert_dump(b, "/21", "/21/1/1=Yg==;");
    bootstrap_rig_close(b);
}

/* ---- factory data ---- */

static void factory_data(void **state)
{
    static const char old_json[] =
        "{\"bn\":\"/\",\"e\":[{\"n\":\"0/0/0\",\"sv\":\"coaps://server.example.com\"},{\"n\":\"0/0/"
        "1\",\"bv\":false},{\"n\":\"0/0/2\",\"v\":0},"
        "{\"n\":\"0/0/3\",\"sv\":\"b25l\"},{\"n\":\"0/0/4\",\"sv\":\"\"},{\"n\":\"0/0/"
        "5\",\"sv\":\"c2VjcmV0\"},{\"n\":\"0/0/10\",\"v\":1},"
        "{\"n\":\"1/0/0\",\"v\":1},{\"n\":\"1/0/1\",\"v\":86400},{\"n\":\"1/0/6\",\"bv\":false},{\"n\":\"1/0/"
        "7\",\"sv\":\"U\"},"
        "{\"n\":\"3/0/0\",\"sv\":\"Somebody "
        "else\"},{\"n\":\"3/0/11/0\",\"v\":0},{\"n\":\"3/0/16\",\"sv\":\"U\"}]}";
    static const uint8_t tlv[] = {0xC4, 1, 0, 0, 1, 0x2C};
    static const struct {
        const char *name;
        uint8_t depth;
        uint16_t format;
        const char *payload;
        dunlin_status status;
    } bad[] = {
        {"an Object that is not there", 0, 110, "[{\"n\":\"/1/0/1\",\"v\":5},{\"n\":\"/4711/0/1\",\"v\":5}]",
         DUNLIN_ERR_NOT_FOUND},
        {"a value out of range", 0, 110, "[{\"n\":\"/1/0/2\",\"v\":5},{\"n\":\"/1/0/1\",\"v\":-5}]",
         DUNLIN_ERR_RANGE},
        {"a `set` that refuses, after Objects 0 and 1", 0, 110,
         "[{\"n\":\"/0/0/0\",\"vs\":\"coap://y\"},{\"n\":\"/33000/0/11\",\"v\":13}]", DUNLIN_ERR_IO},
        {"another path", 1, 110, "[{\"n\":\"/0/0/0\",\"vs\":\"coap://y\"}]", DUNLIN_ERR_PATH},
        {"TLV of everything", 0, 11542, "\xC1\x01\x05", DUNLIN_ERR_UNSUPPORTED},
        {"text", 1, 0, "5", DUNLIN_ERR_UNSUPPORTED},
        {"nothing", 0, 110, "[]", DUNLIN_ERR_MALFORMED},
        {"too many accounts", 0, 110, "[{\"n\":\"/1/7/0\",\"v\":5},{\"n\":\"/1/8/0\",\"v\":6}]",
         DUNLIN_ERR_LIMIT},
    };
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, false);
    state_of *before = malloc(sizeof *before);
    state_of *after = malloc(sizeof *after);
    (void)state;
    assert_true(before != NULL && after != NULL);
    /* What only the device can tell of itself stays as it tells it. */
    assert_int_equal(dunlin_client_provision(b->r.client, dunlin_path_root(), DN_FORMAT_LWM2M_JSON,
                                             dunlin_slice_of(old_json)),
                     DUNLIN_OK);
    assert_int_equal(dunlin_client_provision(b->r.client, dunlin_path_instance(1, 0), DN_FORMAT_TLV,
                                             dunlin_slice_make(tlv, sizeof tlv)),
                     DUNLIN_OK);
    assert_dump(
        b, "/0/0",
        "/0/0/0=coaps://server.example.com;/0/0/1=0;/0/0/2=0;/0/0/3=b25l;/0/0/4=;/0/0/5=c2VjcmV0;/0/0/10=1;");
    assert_dump(b, "/1/0", "/1/0/0=1;/1/0/1=300;/1/0/6=0;/1/0/7=U;");
    assert_dump(b, "/3/0/0", "/3/0/0=Dunlin;");
    assert_int_equal(b->r.client->account_count, 1);
    for (size_t i = 0; i < COUNT(bad); i++) {
        const dunlin_path base = bad[i].depth == 0 ? dunlin_path_root() : dunlin_path_object(1);
        take_state(b, before);
        const dunlin_status status =
            dunlin_client_provision(b->r.client, base, bad[i].format, dunlin_slice_of(bad[i].payload));
        take_state(b, after);
        if (status != bad[i].status || !same_state(before, after)) {
            fail_msg("%s: %s", bad[i].name, dunlin_status_text(status));
        }
    }
    free(before);
    free(after);
    dunlin_client_start(b->r.client, 0);
    assert_int_equal(dunlin_client_provision(b->r.client, dunlin_path_root(), DN_FORMAT_LWM2M_JSON,
                                             dunlin_slice_of(old_json)),
                     DUNLIN_ERR_STATE);
    bootstrap_rig_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_are_told_apart),
        cmocka_unit_test(others_are_no_operations),
        cmocka_unit_test(write_is_refused),
        cmocka_unit_test(writes_an_object),
        cmocka_unit_test(writes_below_an_object),
        cmocka_unit_test(a_list_is_written_as_a_whole),
        cmocka_unit_test(links_may_come_first),
        cmocka_unit_test(the_bootstrap_server_replaces_itself),
        cmocka_unit_test(formats_of_lwm2m_1_0),
        cmocka_unit_test(no_alternate_path),
        cmocka_unit_test(discovers),
        cmocka_unit_test(reads),
        cmocka_unit_test(deletes),
        cmocka_unit_test(deletes_all_but_its_account),
        cmocka_unit_test(an_account_goes_with_what_is_its_own),
        cmocka_unit_test(an_owner_has_heirs),
        cmocka_unit_test(the_highest_sum_inherits),
        cmocka_unit_test(not_all_goes_with_its_only_server),
        cmocka_unit_test(a_shared_id_is_kept),
        cmocka_unit_test(oscore_goes_with_its_account),
        cmocka_unit_test(factory_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
