/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bad input of every operation: the code it is answered with, and that nothing at all has changed: neither a value, nor what is
 * instantiated, nor an attribute, an observation, an account, nor what is told to anybody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/image.h"
#include "tests/client/second.h"

#define NO       (-1)
#define GET      DN_COAP_GET
#define PUT      DN_COAP_PUT
#define POST     DN_COAP_POST
#define DELETE   DN_COAP_DELETE
#define FETCH    DN_COAP_FETCH
#define IPATCH   DN_COAP_IPATCH
#define HEX_MAX  512
#define SECOND   1000u
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { TEXT = 0, LINK = 40, OPAQUE = 42, CBOR = 60, JSON = 110, SCBOR = 112, TLV = 11542, OLDJSON = 11543 };
enum { PLAIN, OBSERVE, CANCEL };

/* A payload that begins with '#' is in hexadecimal. */
typedef struct {
    const char *name;
    uint8_t method;
    const char *path, *query;
    int format, accept, observe;
    const char *payload;
    const char *code;
} bad;

static size_t unhex(const char *text, uint8_t *out)
{
    size_t len = 0;
    if (text == NULL) {
        return 0;
    }
    if (text[0] != '#') {
        memcpy(out, text, strlen(text));
        return strlen(text);
    }
    for (text++; *text != '\0'; text++) {
        unsigned byte = 0;
        if (*text != ' ') {
            assert_int_equal(sscanf(text, "%2x", &byte), 1);
            assert_true(len < HEX_MAX);
            out[len++] = (uint8_t)byte;
            text++;
        }
    }
    return len;
}

static rig_request request_of(const bad *row, uint8_t *payload)
{
    return (rig_request){
        .method = row->method,
        .path = row->path,
        .query = row->query,
        .payload = payload,
        .len = unhex(row->payload, payload),
        .has_format = row->format >= 0,
        .format = (uint16_t)row->format,
        .has_accept = row->accept >= 0,
        .accept = (uint16_t)row->accept,
        .observe = row->observe == OBSERVE,
        .cancel = row->observe == CANCEL,
    };
}

/* Attributes, an observation and a changed value, so that there is something to lose. */
static void furnish(rig *r)
{
    rig_request request = {.method = PUT, .path = "/33000/0/0", .query = "pmin=1&gt=5"};
    assert_int_equal(rig_ask(r, &request)->code, DN_COAP_CHANGED);
    request = (rig_request){.method = PUT, .path = "/33000/1", .query = "pmax=100"};
    assert_int_equal(rig_ask(r, &request)->code, DN_COAP_CHANGED);
    request = (rig_request){.method = GET, .path = "/33000/0/4", .observe = true, .token = 9};
    assert_int_equal(rig_ask(r, &request)->code, DN_COAP_CONTENT);
    if (r->config.lwm2m != DUNLIN_LWM2M_1_0) {
        static const char names[] = "[{\"n\":\"/33000/0/1\"},{\"n\":\"/3/0/16\"}]";
        request = (rig_request){.method = FETCH,
                                .path = "",
                                .has_format = true,
                                .format = JSON,
                                .payload = names,
                                .len = sizeof names - 1,
                                .observe = true,
                                .token = 8};
        assert_int_equal(rig_ask(r, &request)->code, DN_COAP_CONTENT);
        assert_true(r->answer.observe >= 0);
    }
    r->event_count = 0;
}

static void run_one(rig *r, const bad *row)
{
    static image before, after;
    uint8_t payload[HEX_MAX];
    const rig_request request = request_of(row, payload);
    image_take(r, &before);
    const rig_answer *answer = rig_ask(r, &request);
    if (strcmp(rig_code(answer->code), row->code) != 0) {
        fail_msg("%s: %s instead of %s", row->name, rig_code(answer->code), row->code);
    }
    assert_int_equal(answer->len, 0);
    rig_run(r, 2 * SECOND);
    image_take(r, &after);
    if (!image_equal(&before, &after)) {
        fail_msg("%s: refused, and yet something changed", row->name);
    }
    assert_int_equal(r->updates, 0);
    assert_int_equal(r->notify_count, 0);
    assert_int_equal(r->event_count, 0);
}

static void run_rows(dunlin_lwm2m lwm2m, const bad *rows, size_t count)
{
    rig *r = malloc(sizeof *r);
    assert_non_null(r);
    for (size_t i = 0; i < count; i++) {
        rig_register(r, lwm2m);
        furnish(r);
        run_one(r, &rows[i]);
        rig_close(r);
    }
    free(r);
}

#define ROWS_1_1(rows) run_rows(DUNLIN_LWM2M_1_1, rows, COUNT(rows))

/* ---- what all operations have in common ---- */

static void paths(void **state)
{
    static const uint8_t methods[] = {GET, PUT, POST, DELETE, FETCH, IPATCH};
    static const struct {
        const char *path, *code;
    } rows[] = {
        {"/x", "4.00"},           {"/3/-1", "4.00"},      {"/3/0x1", "4.00"},        {"/3/00", "4.00"},
        {"/65535", "4.00"},       {"/3/65535", "4.00"},   {"/3/0/65535", "4.00"},    {"/3/0/6/65535", "4.00"},
        {"/65536", "4.00"},       {"/99999999", "4.00"},  {"/3/ 0", "4.00"},         {"/bs", "4.00"},
        {"/3/0/6/0/0", "4.05"},   {"/0", "4.01"},         {"/0/0", "4.01"},          {"/0/0/0", "4.01"},
        {"/0/0/0/0", "4.01"},     {"/0/7", "4.01"},       {"/21", "4.01"},           {"/21/0", "4.01"},
        {"/21/0/0", "4.01"},      {"/9", "4.04"},         {"/9/0", "4.04"},          {"/9/0/0", "4.04"},
        {"/9/0/0/0", "4.04"},     {"/3/1", "4.04"},       {"/3/1/0", "4.04"},        {"/3/1/0/0", "4.04"},
        {"/3/0/999", "4.04"},     {"/3/0/999/0", "4.04"}, {"/33000/2/0", "4.04"},    {"/33000/0/8/4", "4.04"},
        {"/33000/0/9/0", "4.04"}, {"/3/0/0/0", "4.05"},   {"/33000/0/15/0", "4.05"},
    };
    rig *r = malloc(sizeof *r);
    (void)state;
    assert_non_null(r);
    rig_register(r, DUNLIN_LWM2M_1_1);
    furnish(r);
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t m = 0; m < COUNT(methods); m++) {
            const bad row = {rows[i].path, methods[m], rows[i].path, NULL,        TEXT,
                             NO,           PLAIN,      "1",          rows[i].code};
            run_one(r, &row);
        }
    }
    rig_close(r);
    free(r);
}

/* ---- Read, Discover, Observe ---- */

static void read_and_discover(void **state)
{
    static const bad rows[] = {
        {"write-only", GET, "/33000/0/14", NULL, NO, NO, PLAIN, NULL, "4.05"},
        {"executable", GET, "/33000/0/15", NULL, NO, NO, PLAIN, NULL, "4.05"},
        {"not instantiated", GET, "/33000/0/13", NULL, NO, NO, PLAIN, NULL, "4.04"},
        {"the root", GET, "", NULL, NO, NO, PLAIN, NULL, "4.05"},
        {"Discover of the root", GET, "", NULL, NO, LINK, PLAIN, NULL, "4.05"},
        {"Discover of an element", GET, "/33000/0/8/0", NULL, NO, LINK, PLAIN, NULL, "4.06"},
        {"Discover of what is not there", GET, "/33000/9", NULL, NO, LINK, PLAIN, NULL, "4.04"},
        {"Discover of a resource that is not there", GET, "/33000/0/13", NULL, NO, LINK, PLAIN, NULL, "4.04"},
        {"Discover with a query", GET, "/3", "depth=1", NO, LINK, PLAIN, NULL, "4.00"},
        {"a query", GET, "/3/0/0", "x", NO, NO, PLAIN, NULL, "4.00"},
        {"an Object in text", GET, "/3", NULL, NO, TEXT, PLAIN, NULL, "4.06"},
        {"an instance in text", GET, "/3/0", NULL, NO, TEXT, PLAIN, NULL, "4.06"},
        {"an instance in CBOR", GET, "/3/0", NULL, NO, CBOR, PLAIN, NULL, "4.06"},
        {"an instance as octets", GET, "/3/0", NULL, NO, OPAQUE, PLAIN, NULL, "4.06"},
        {"a multiple resource in text", GET, "/3/0/6", NULL, NO, TEXT, PLAIN, NULL, "4.06"},
        {"a number as octets", GET, "/3/0/9", NULL, NO, OPAQUE, PLAIN, NULL, "4.06"},
        {"in LwM2M JSON, which 1.1 does not send", GET, "/3/0", NULL, NO, OLDJSON, PLAIN, NULL, "4.06"},
        {"in LwM2M JSON, by its old number", GET, "/3/0", NULL, NO, 1543, PLAIN, NULL, "4.06"},
        {"in LwM2M CBOR", GET, "/3/0", NULL, NO, 11544, PLAIN, NULL, "4.06"},
        {"in SenML-ETCH", GET, "/3/0", NULL, NO, 320, PLAIN, NULL, "4.06"},
        {"in XML", GET, "/3/0", NULL, NO, 41, PLAIN, NULL, "4.06"},
        {"Observe: write-only", GET, "/33000/0/14", NULL, NO, NO, OBSERVE, NULL, "4.05"},
        {"Observe: executable", GET, "/33000/0/15", NULL, NO, NO, OBSERVE, NULL, "4.05"},
        {"Observe: not there", GET, "/33000/0/13", NULL, NO, NO, OBSERVE, NULL, "4.04"},
        {"Observe: no such instance", GET, "/33000/9", NULL, NO, NO, OBSERVE, NULL, "4.04"},
        {"Observe: Security", GET, "/0/0/0", NULL, NO, NO, OBSERVE, NULL, "4.01"},
        {"Observe: the root", GET, "", NULL, NO, NO, OBSERVE, NULL, "4.05"},
        {"Observe: format", GET, "/3/0", NULL, NO, TEXT, OBSERVE, NULL, "4.06"},
        {"Observe: query", GET, "/3/0/9", "pmin=1", NO, NO, OBSERVE, NULL, "4.00"},
        {"Cancel: not there", GET, "/33000/0/13", NULL, NO, NO, CANCEL, NULL, "4.04"},
        {"Cancel: format", GET, "/33000/0/4", NULL, NO, OPAQUE, CANCEL, NULL, "4.06"},
    };
    (void)state;
    ROWS_1_1(rows);
}

/* ---- Write ---- */

static void write_resource(void **state)
{
    static const bad rows[] = {
        {"read-only", PUT, "/33000/0/16", NULL, TEXT, NO, PLAIN, "x", "4.05"},
        {"executable", PUT, "/33000/0/15", NULL, TEXT, NO, PLAIN, "x", "4.05"},
        {"no format", PUT, "/33000/0/0", NULL, NO, NO, PLAIN, "5", "4.00"},
        {"nothing at all", PUT, "/33000/0/0", NULL, NO, NO, PLAIN, NULL, "4.00"},
        {"unknown format", PUT, "/33000/0/0", NULL, 9999, NO, PLAIN, "5", "4.15"},
        {"links", PUT, "/33000/0/0", NULL, LINK, NO, PLAIN, "5", "4.15"},
        {"LwM2M CBOR", PUT, "/33000/0/0", NULL, 11544, NO, PLAIN, "5", "4.15"},
        {"SenML-ETCH", PUT, "/33000/0/0", NULL, 320, NO, PLAIN, "[]", "4.15"},
        {"octets for a number", PUT, "/33000/0/0", NULL, OPAQUE, NO, PLAIN, "5", "4.15"},
        {"a query beside a payload", PUT, "/33000/0/0", "pmin=1", TEXT, NO, PLAIN, "5", "4.00"},
        {"integer: nothing", PUT, "/33000/0/0", NULL, TEXT, NO, PLAIN, NULL, "4.00"},
        {"integer: letters", PUT, "/33000/0/0", NULL, TEXT, NO, PLAIN, "five", "4.00"},
        {"integer: fraction", PUT, "/33000/0/0", NULL, TEXT, NO, PLAIN, "5.5", "4.00"},
        {"integer: blank", PUT, "/33000/0/0", NULL, TEXT, NO, PLAIN, " 5", "4.00"},
        {"integer: hexadecimal", PUT, "/33000/0/0", NULL, TEXT, NO, PLAIN, "0x5", "4.00"},
        {"integer: just a sign", PUT, "/33000/0/0", NULL, TEXT, NO, PLAIN, "-", "4.00"},
        {"integer: above the range", PUT, "/33000/0/0", NULL, TEXT, NO, PLAIN, "1001", "4.00"},
        {"integer: below the range", PUT, "/33000/0/0", NULL, TEXT, NO, PLAIN, "-1001", "4.00"},
        {"integer: beyond 64 bit", PUT, "/33000/0/0", NULL, TEXT, NO, PLAIN, "99999999999999999999", "4.00"},
        {"integer: beyond the field", PUT, "/33000/0/10", NULL, TEXT, NO, PLAIN, "3000000000", "4.00"},
        {"unsigned: negative", PUT, "/33000/0/1", NULL, TEXT, NO, PLAIN, "-1", "4.00"},
        {"unsigned: beyond the field", PUT, "/33000/0/1", NULL, TEXT, NO, PLAIN, "65536", "4.00"},
        {"float: letters", PUT, "/33000/0/2", NULL, TEXT, NO, PLAIN, "1.5x", "4.00"},
        {"float: NaN", PUT, "/33000/0/2", NULL, TEXT, NO, PLAIN, "nan", "4.00"},
        {"float: infinite", PUT, "/33000/0/2", NULL, CBOR, NO, PLAIN, "#F97C00", "4.00"},
        {"float: NaN in CBOR", PUT, "/33000/0/2", NULL, CBOR, NO, PLAIN, "#F97E00", "4.00"},
        {"float: NaN in TLV", PUT, "/33000/0/2", NULL, TLV, NO, PLAIN, "#C4 02 7FC00000", "4.00"},
        {"boolean: 2", PUT, "/33000/0/3", NULL, TEXT, NO, PLAIN, "2", "4.00"},
        {"boolean: true", PUT, "/33000/0/3", NULL, TEXT, NO, PLAIN, "true", "4.00"},
        {"boolean: 2 in TLV", PUT, "/33000/0/3", NULL, TLV, NO, PLAIN, "#C1 03 02", "4.00"},
        {"boolean: a number in CBOR", PUT, "/33000/0/3", NULL, CBOR, NO, PLAIN, "#01", "4.00"},
        {"text: too long", PUT, "/33000/0/4", NULL, TEXT, NO, PLAIN, "0123456789abcdef", "4.00"},
        {"text: not UTF-8", PUT, "/33000/0/4", NULL, TEXT, NO, PLAIN, "#C3 28", "4.00"},
        {"text: a NUL", PUT, "/33000/0/4", NULL, TEXT, NO, PLAIN, "#41 00 42", "4.00"},
        {"text: octets in CBOR", PUT, "/33000/0/4", NULL, CBOR, NO, PLAIN, "#41 41", "4.00"},
        {"text: a number in SenML", PUT, "/33000/0/4", NULL, JSON, NO, PLAIN,
         "[{\"n\":\"/33000/0/4\",\"v\":1}]", "4.00"},
        {"opaque: not Base64", PUT, "/33000/0/5", NULL, TEXT, NO, PLAIN, "A!==", "4.00"},
        {"opaque: too long", PUT, "/33000/0/5", NULL, OPAQUE, NO, PLAIN, "0123456789abcdefg", "4.00"},
        {"opaque: text in CBOR", PUT, "/33000/0/5", NULL, CBOR, NO, PLAIN, "#61 41", "4.00"},
        {"time: letters", PUT, "/33000/0/6", NULL, TEXT, NO, PLAIN, "now", "4.00"},
        {"link: one number", PUT, "/33000/0/7", NULL, TEXT, NO, PLAIN, "3", "4.00"},
        {"link: too large", PUT, "/33000/0/7", NULL, TEXT, NO, PLAIN, "3:70000", "4.00"},
        {"link: a missing instance", PUT, "/33000/0/7", NULL, TEXT, NO, PLAIN, "33000:3", "4.00"},
        {"link: a missing Object", PUT, "/33000/0/7", NULL, TEXT, NO, PLAIN, "9:0", "4.00"},
        {"link: half null", PUT, "/33000/0/7", NULL, TEXT, NO, PLAIN, "65535:0", "4.00"},
        {"link: a missing instance in TLV", PUT, "/33000/0/7", NULL, TLV, NO, PLAIN, "#C4 07 80E8 0003",
         "4.00"},
        {"link: three bytes in TLV", PUT, "/33000/0/7", NULL, TLV, NO, PLAIN, "#C3 07 000300", "4.00"},
        {"`check` refuses", PUT, "/33000/0/10", NULL, TEXT, NO, PLAIN, "13", "4.00"},
        {"`set` refuses", PUT, "/33000/0/11", NULL, TEXT, NO, PLAIN, "13", "5.00"},
    };
    (void)state;
    ROWS_1_1(rows);
}

static void write_resource_payloads(void **state)
{
    static const bad rows[] = {
        {"TLV: another resource", PUT, "/33000/0/0", NULL, TLV, NO, PLAIN, "#C1 01 05", "4.00"},
        {"TLV: two", PUT, "/33000/0/0", NULL, TLV, NO, PLAIN, "#C1 00 05 C1 01 05", "4.00"},
        {"TLV: the same twice", PUT, "/33000/0/0", NULL, TLV, NO, PLAIN, "#C1 00 05 C1 00 06", "4.00"},
        {"TLV: cut off", PUT, "/33000/0/0", NULL, TLV, NO, PLAIN, "#C4 00 05", "4.00"},
        {"TLV: three bytes of a number", PUT, "/33000/0/0", NULL, TLV, NO, PLAIN, "#C3 00 000005", "4.00"},
        {"TLV: empty", PUT, "/33000/0/0", NULL, TLV, NO, PLAIN, NULL, "4.00"},
        {"TLV: multiple for a single one", PUT, "/33000/0/0", NULL, TLV, NO, PLAIN, "#83 00 41 00 05",
         "4.00"},
        {"CBOR: two", PUT, "/33000/0/0", NULL, CBOR, NO, PLAIN, "#05 06", "4.00"},
        {"CBOR: cut off", PUT, "/33000/0/0", NULL, CBOR, NO, PLAIN, "#19 01", "4.00"},
        {"CBOR: an array", PUT, "/33000/0/0", NULL, CBOR, NO, PLAIN, "#81 05", "4.00"},
        {"CBOR: null", PUT, "/33000/0/0", NULL, CBOR, NO, PLAIN, "#F6", "4.00"},
        {"SenML: another path", PUT, "/33000/0/0", NULL, JSON, NO, PLAIN, "[{\"n\":\"/33000/1/0\",\"v\":5}]",
         "4.00"},
        {"SenML: nothing", PUT, "/33000/0/0", NULL, JSON, NO, PLAIN, "[]", "4.00"},
        {"SenML: without a value", PUT, "/33000/0/0", NULL, JSON, NO, PLAIN, "[{\"n\":\"/33000/0/0\"}]",
         "4.00"},
        {"SenML: not closed", PUT, "/33000/0/0", NULL, JSON, NO, PLAIN, "[{\"n\":\"/33000/0/0\",\"v\":5}",
         "4.00"},
        {"SenML: must be understood", PUT, "/33000/0/0", NULL, JSON, NO, PLAIN,
         "[{\"n\":\"/33000/0/0\",\"v\":5,\"z_\":1}]", "4.00"},
        {"SenML: a newer version", PUT, "/33000/0/0", NULL, JSON, NO, PLAIN,
         "[{\"bver\":11,\"n\":\"/33000/0/0\",\"v\":5}]", "4.00"},
        {"SenML CBOR: cut off", PUT, "/33000/0/0", NULL, SCBOR, NO, PLAIN, "#81 A2 00 6A 2F", "4.00"},
        {"SenML CBOR: a map", PUT, "/33000/0/0", NULL, SCBOR, NO, PLAIN, "#A0", "4.00"},
    };
    (void)state;
    ROWS_1_1(rows);
}

static void write_list(void **state)
{
    static const bad rows[] = {
        {"in text", PUT, "/33000/0/8", NULL, TEXT, NO, PLAIN, "5", "4.15"},
        {"in CBOR", PUT, "/33000/0/8", NULL, CBOR, NO, PLAIN, "#05", "4.15"},
        {"a single value", PUT, "/33000/0/8", NULL, TLV, NO, PLAIN, "#C1 08 05", "4.00"},
        {"a single value in SenML", PUT, "/33000/0/8", NULL, JSON, NO, PLAIN,
         "[{\"n\":\"/33000/0/8\",\"v\":5}]", "4.00"},
        {"more than there is room for", PUT, "/33000/0/8", NULL, TLV, NO, PLAIN,
         "#88 08 0F 41 00 01 41 01 01 41 02 01 41 03 01 41 04 01", "4.01"},
        {"an element twice", PUT, "/33000/0/8", NULL, TLV, NO, PLAIN, "#88 08 09 41 00 01 41 01 02 41 00 03",
         "4.00"},
        {"an element twice in SenML", PUT, "/33000/0/8", NULL, JSON, NO, PLAIN,
         "[{\"bn\":\"/33000/0/8/\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":2},{\"n\":\"0\",\"v\":3}]",
         "4.00"},
        {"an element twice in an instance", POST, "/33000/0", NULL, JSON, NO, PLAIN,
         "[{\"bn\":\"/33000/0/\",\"n\":\"8/0\",\"v\":1},{\"n\":\"1\",\"v\":2},{\"n\":\"8/0\",\"v\":3}]",
         "4.00"},
        {"the last element is bad", PUT, "/33000/0/8", NULL, TLV, NO, PLAIN, "#86 08 41 00 01 41 01", "4.00"},
        {"an element out of range", PUT, "/33000/0/8", NULL, JSON, NO, PLAIN,
         "[{\"n\":\"/33000/0/8/0\",\"v\":1},{\"n\":\"/33000/0/8/1\",\"v\":40000}]", "4.00"},
        {"an element of another", PUT, "/33000/0/8", NULL, JSON, NO, PLAIN,
         "[{\"n\":\"/33000/0/8/0\",\"v\":1},{\"n\":\"/33000/0/9/1\",\"vs\":\"x\"}]", "4.00"},
        {"a text too long", PUT, "/33000/0/9", NULL, JSON, NO, PLAIN,
         "[{\"n\":\"/33000/0/9/0\",\"vs\":\"a\"},{\"n\":\"/33000/0/9/1\",\"vs\":\"0123456789ab\"}]", "4.00"},
        {"an element: no format", PUT, "/33000/0/8/0", NULL, NO, NO, PLAIN, "5", "4.00"},
        {"an element: another", PUT, "/33000/0/8/0", NULL, JSON, NO, PLAIN,
         "[{\"n\":\"/33000/0/8/5\",\"v\":5}]", "4.00"},
        {"an element: octets", PUT, "/33000/0/8/0", NULL, OPAQUE, NO, PLAIN, "5", "4.15"},
        {"an element: out of range", PUT, "/33000/0/8/0", NULL, TEXT, NO, PLAIN, "32768", "4.00"},
        {"an element: letters", PUT, "/33000/0/8/0", NULL, TEXT, NO, PLAIN, "x", "4.00"},
        {"POST to a multiple one", POST, "/33000/0/8", NULL, TLV, NO, PLAIN, "#83 08 41 00 01", "4.05"},
        {"POST to an element", POST, "/33000/0/8/0", NULL, TEXT, NO, PLAIN, "5", "4.05"},
        {"DELETE of an element", DELETE, "/33000/0/8/0", NULL, NO, NO, PLAIN, NULL, "4.05"},
    };
    (void)state;
    ROWS_1_1(rows);
}

/* Before the bad part of each there is a good one. */
static void write_instance(void **state)
{
    static const bad rows[] = {
        {"an Object", PUT, "/33000", NULL, TLV, NO, PLAIN, "#C1 00 05", "4.05"},
        {"no format", PUT, "/33000/0", NULL, NO, NO, PLAIN, "#C1 00 05", "4.00"},
        {"text", PUT, "/33000/0", NULL, TEXT, NO, PLAIN, "5", "4.15"},
        {"octets", PUT, "/33000/0", NULL, OPAQUE, NO, PLAIN, "5", "4.15"},
        {"CBOR", PUT, "/33000/0", NULL, CBOR, NO, PLAIN, "#05", "4.15"},
        {"replace: nothing", PUT, "/33000/0", NULL, TLV, NO, PLAIN, NULL, "4.00"},
        {"replace: without the mandatory one", PUT, "/33000/0", NULL, TLV, NO, PLAIN, "#C1 01 05", "4.00"},
        {"replace: a read-only one", PUT, "/33000/0", NULL, JSON, NO, PLAIN,
         "[{\"bn\":\"/33000/0/\",\"n\":\"0\",\"v\":5},{\"n\":\"16\",\"vs\":\"x\"}]", "4.05"},
        {"replace: an executable one", PUT, "/33000/0", NULL, JSON, NO, PLAIN,
         "[{\"bn\":\"/33000/0/\",\"n\":\"0\",\"v\":5},{\"n\":\"15\",\"vs\":\"x\"}]", "4.05"},
        {"replace: another instance", PUT, "/33000/0", NULL, JSON, NO, PLAIN,
         "[{\"n\":\"/33000/0/0\",\"v\":5},{\"n\":\"/33000/1/0\",\"v\":5}]", "4.00"},
        {"replace: two instances in TLV", PUT, "/33000/0", NULL, TLV, NO, PLAIN,
         "#03 00 C1 00 05 03 01 C1 00 06", "4.00"},
        {"replace: the same twice", PUT, "/33000/0", NULL, JSON, NO, PLAIN,
         "[{\"bn\":\"/33000/0/\",\"n\":\"0\",\"v\":5},{\"n\":\"1\",\"v\":1},{\"n\":\"0\",\"v\":6}]", "4.00"},
        {"replace: bad value", PUT, "/33000/0", NULL, TLV, NO, PLAIN, "#C1 00 05 C1 03 05", "4.00"},
        {"replace: a broken link", PUT, "/33000/0", NULL, JSON, NO, PLAIN,
         "[{\"bn\":\"/33000/0/\",\"n\":\"0\",\"v\":5},{\"n\":\"7\",\"vlo\":\"33000:8\"}]", "4.00"},
        {"replace: `check` refuses", PUT, "/33000/0", NULL, TLV, NO, PLAIN, "#C1 00 05 C1 0A 0D", "4.00"},
        {"replace: `set` refuses", PUT, "/33000/0", NULL, TLV, NO, PLAIN, "#C1 00 05 C1 0B 0D", "5.00"},
        {"update: `set` refuses", POST, "/33000/0", NULL, TLV, NO, PLAIN, "#C1 00 05 C1 0C 09 C1 0B 0D",
         "5.00"},
        {"update: `set` refuses behind a list", POST, "/33000/0", NULL, TLV, NO, PLAIN,
         "#86 08 41 00 01 41 07 02 C1 0B 0D", "5.00"},
        {"update: no format", POST, "/33000/0", NULL, NO, NO, PLAIN, "#C1 00 05", "4.00"},
        {"update: unknown format", POST, "/33000/0", NULL, 9999, NO, PLAIN, "#C1 00 05", "4.15"},
        {"update: text", POST, "/33000/0", NULL, TEXT, NO, PLAIN, "5", "4.15"},
        {"update: a read-only one", POST, "/33000/0", NULL, JSON, NO, PLAIN,
         "[{\"bn\":\"/33000/0/\",\"n\":\"0\",\"v\":5},{\"n\":\"16\",\"vs\":\"x\"}]", "4.05"},
        {"update: out of range at the end", POST, "/33000/0", NULL, TLV, NO, PLAIN, "#C1 01 05 C2 00 03E9",
         "4.00"},
        {"update: no room for elements", POST, "/33000/0", NULL, TLV, NO, PLAIN,
         "#C1 00 05 88 08 09 41 01 01 41 02 01 41 03 01", "4.01"},
        {"update: cut off", POST, "/33000/0", NULL, TLV, NO, PLAIN, "#C1 00 05 C4 01 05", "4.00"},
        {"update: a query", POST, "/33000/0", "a=1", TLV, NO, PLAIN, "#C1 00 05", "4.00"},
        {"update: nested instance in an instance", POST, "/33000/0", NULL, TLV, NO, PLAIN,
         "#07 00 05 00 C3 00 00 00 05", "4.00"},
        {"update: JSON nested too deep", POST, "/33000/0", NULL, JSON, NO, PLAIN, "[[[[[[[[[[[[[[[[[[",
         "4.00"},
        {"the only server's account: read-only", POST, "/1/0", NULL, TLV, NO, PLAIN, "#C1 00 05", "4.05"},
        {"the account: a binding that there is not", PUT, "/1/0/7", NULL, TEXT, NO, PLAIN, "XYZ", "4.00"},
        {"the account: a negative lifetime", PUT, "/1/0/1", NULL, TEXT, NO, PLAIN, "-1", "4.00"},
        {"the account: lifetime and a bad binding", POST, "/1/0", NULL, JSON, NO, PLAIN,
         "[{\"bn\":\"/1/0/\",\"n\":\"1\",\"v\":77},{\"n\":\"7\",\"vs\":\"XYZ\"}]", "4.00"},
        {"the device: read-only", POST, "/3/0", NULL, JSON, NO, PLAIN,
         "[{\"bn\":\"/3/0/\",\"n\":\"13\",\"v\":5},{\"n\":\"9\",\"v\":5}]", "4.05"},
    };
    (void)state;
    ROWS_1_1(rows);
}

/* ---- Write-Attributes ---- */

static void write_attributes(void **state)
{
    static const bad rows[] = {
        {"unknown", PUT, "/33000/0/0", "pmin=5&foo=1", NO, NO, PLAIN, NULL, "4.00"},
        {"of 1.2", PUT, "/33000/0/0", "con=1", NO, NO, PLAIN, NULL, "4.00"},
        {"a property", PUT, "/33000/0/8", "dim=3", NO, NO, PLAIN, NULL, "4.00"},
        {"the version", PUT, "/33000", "ver=1.1", NO, NO, PLAIN, NULL, "4.00"},
        {"named twice", PUT, "/33000/0/0", "pmin=5&pmin=6", NO, NO, PLAIN, NULL, "4.00"},
        {"letters", PUT, "/33000/0/0", "pmax=50&pmin=x", NO, NO, PLAIN, NULL, "4.00"},
        {"an empty value", PUT, "/33000/0/0", "pmin=", NO, NO, PLAIN, NULL, "4.00"},
        {"negative", PUT, "/33000/0/0", "pmin=-1", NO, NO, PLAIN, NULL, "4.00"},
        {"a fraction", PUT, "/33000/0/0", "pmin=1.5", NO, NO, PLAIN, NULL, "4.00"},
        {"too large", PUT, "/33000/0/0", "pmin=4294967296", NO, NO, PLAIN, NULL, "4.00"},
        {"gt is no number", PUT, "/33000/0/0", "gt=x", NO, NO, PLAIN, NULL, "4.00"},
        {"gt is not finite", PUT, "/33000/0/0", "gt=inf", NO, NO, PLAIN, NULL, "4.00"},
        {"negative step", PUT, "/33000/0/0", "st=-1", NO, NO, PLAIN, NULL, "4.00"},
        {"lt not below gt", PUT, "/33000/0/1", "lt=5&gt=5", NO, NO, PLAIN, NULL, "4.00"},
        {"lt not below the gt that is there", PUT, "/33000/0/0", "lt=6", NO, NO, PLAIN, NULL, "4.00"},
        {"steps wider than the gap", PUT, "/33000/0/1", "lt=1&gt=5&st=2", NO, NO, PLAIN, NULL, "4.00"},
        {"epmin not below epmax", PUT, "/33000/0/1", "epmin=5&epmax=5", NO, NO, PLAIN, NULL, "4.00"},
        {"gt of an Object", PUT, "/33000", "gt=5", NO, NO, PLAIN, NULL, "4.00"},
        {"st of an instance", PUT, "/33000/0", "pmin=5&st=5", NO, NO, PLAIN, NULL, "4.00"},
        {"lt of a text", PUT, "/33000/0/4", "lt=5", NO, NO, PLAIN, NULL, "4.00"},
        {"gt of what cannot be read", PUT, "/33000/0/14", "gt=5", NO, NO, PLAIN, NULL, "4.00"},
        {"pmin of what cannot be read", PUT, "/33000/0/14", "pmin=5", NO, NO, PLAIN, NULL, "4.05"},
        {"pmin of an executable", PUT, "/33000/0/15", "pmin=5", NO, NO, PLAIN, NULL, "4.05"},
        {"of what is not there", PUT, "/33000/0/13", "pmin=5", NO, NO, PLAIN, NULL, "4.04"},
        {"of an instance that is not there", PUT, "/33000/8", "pmin=5", NO, NO, PLAIN, NULL, "4.04"},
        {"of the root", PUT, "", "pmin=5", NO, NO, PLAIN, NULL, "4.05"},
        {"of Security", PUT, "/0", "pmin=5", NO, NO, PLAIN, NULL, "4.01"},
        {"by POST", POST, "/33000/0", "pmin=5", NO, NO, PLAIN, NULL, "4.00"},
        {"a name without a value that is unknown", PUT, "/33000/0/0", "nothing", NO, NO, PLAIN, NULL, "4.00"},
    };
    (void)state;
    ROWS_1_1(rows);
}

/* ---- Execute, Create, Delete ---- */

static void execute(void **state)
{
    static const bad rows[] = {
        {"an Object", POST, "/3303", NULL, NO, NO, PLAIN, NULL, "4.05"},
        {"a readable resource", POST, "/33000/0/0", NULL, NO, NO, PLAIN, NULL, "4.05"},
        {"a read-only one", POST, "/33000/0/16", NULL, NO, NO, PLAIN, NULL, "4.05"},
        {"a format that is not text", POST, "/33000/0/15", NULL, TLV, NO, PLAIN, "1", "4.00"},
        {"a letter", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, "a", "4.00"},
        {"two digits", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, "10", "4.00"},
        {"a comma at the end", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, "1,", "4.00"},
        {"a comma at the start", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, ",1", "4.00"},
        {"no comma", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, "1 2", "4.00"},
        {"no quotes", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, "1=5", "4.00"},
        {"one quote", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, "1='5", "4.00"},
        {"other quotes", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, "1=\"5\"", "4.00"},
        {"a blank in the text", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, "1='a b'", "4.00"},
        {"a backslash in the text", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, "1='a\\b'", "4.00"},
        {"a control character", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, "#31 3D 27 07 27", "4.00"},
        {"beyond ASCII", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, "1='\xC3\xA9'", "4.00"},
        {"a NUL", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, "#31 00", "4.00"},
        {"nothing behind the equals sign", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, "1=", "4.00"},
        {"the same digit twice", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, "1,2,1='x'", "4.00"},
        {"bad at the end", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, "1,2='x',3=", "4.00"},
        {"a query and a payload", POST, "/33000/0/15", "0='U'", TEXT, NO, PLAIN, "1", "4.00"},
        {"two queries", POST, "/33000/0/15", "0='U'&1", NO, NO, PLAIN, NULL, "4.00"},
        {"a bad query", POST, "/33000/0/15", "x", NO, NO, PLAIN, NULL, "4.00"},
        {"not now", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, "9", "4.05"},
        {"Disable with an argument that there is not", POST, "/1/0/4", NULL, TEXT, NO, PLAIN, "1", "4.00"},
        {"Update over what there is not", POST, "/1/0/8", NULL, TEXT, NO, PLAIN, "0='S'", "4.00"},
        {"Reboot of Security", POST, "/0/0/4", NULL, NO, NO, PLAIN, NULL, "4.01"},
        {"an element", POST, "/33000/0/8/0", NULL, NO, NO, PLAIN, NULL, "4.05"},
        {"the root", POST, "", NULL, NO, NO, PLAIN, NULL, "4.05"},
    };
    (void)state;
    ROWS_1_1(rows);
}

static void create(void **state)
{
    static const bad rows[] = {
        {"OMA int-680: Device", POST, "/3", NULL, TLV, NO, PLAIN, NULL, "4.05"},
        {"an Object that servers do not create in", POST, "/3303", NULL, TLV, NO, PLAIN, NULL, "4.05"},
        {"an account", POST, "/1", NULL, TLV, NO, PLAIN, "#C1 00 05", "4.05"},
        {"Security", POST, "/0", NULL, TLV, NO, PLAIN, "#C1 00 05", "4.01"},
        {"OSCORE", POST, "/21", NULL, TLV, NO, PLAIN, "#C1 00 05", "4.01"},
        {"an Object that is not there", POST, "/9", NULL, TLV, NO, PLAIN, "#C1 00 05", "4.04"},
        {"no format", POST, "/33000", NULL, NO, NO, PLAIN, "#C1 00 05", "4.00"},
        {"text", POST, "/33000", NULL, TEXT, NO, PLAIN, "5", "4.15"},
        {"octets", POST, "/33000", NULL, OPAQUE, NO, PLAIN, "5", "4.15"},
        {"CBOR", POST, "/33000", NULL, CBOR, NO, PLAIN, "#05", "4.15"},
        {"unknown format", POST, "/33000", NULL, 9999, NO, PLAIN, "5", "4.15"},
        {"a query", POST, "/33000", "a", TLV, NO, PLAIN, "#C1 00 05", "4.00"},
        {"nothing", POST, "/33000", NULL, NO, NO, PLAIN, NULL, "4.00"},
        {"nothing in TLV", POST, "/33000", NULL, TLV, NO, PLAIN, NULL, "4.00"},
        {"an id that is taken", POST, "/33000", NULL, TLV, NO, PLAIN, "#03 01 C1 00 05", "4.00"},
        {"an id that is taken, in SenML", POST, "/33000", NULL, JSON, NO, PLAIN,
         "[{\"n\":\"/33000/1/0\",\"v\":5}]", "4.00"},
        {"the id 65535", POST, "/33000", NULL, TLV, NO, PLAIN, "#23 FFFF C1 00 05", "4.00"},
        {"two instances", POST, "/33000", NULL, TLV, NO, PLAIN, "#03 02 C1 00 05 03 03 C1 00 05", "4.00"},
        {"another Object", POST, "/33000", NULL, JSON, NO, PLAIN, "[{\"n\":\"/3303/2/0\",\"v\":5}]", "4.00"},
        {"one good record, one of another Object", POST, "/33000", NULL, JSON, NO, PLAIN,
         "[{\"n\":\"/33000/2/0\",\"v\":5},{\"n\":\"/3/0/13\",\"v\":5}]", "4.00"},
        {"without the mandatory one", POST, "/33000", NULL, TLV, NO, PLAIN, "#C1 01 05", "4.00"},
        {"an empty instance", POST, "/33000", NULL, TLV, NO, PLAIN, "#00 02", "4.00"},
        {"out of range", POST, "/33000", NULL, TLV, NO, PLAIN, "#C2 00 03E9", "4.00"},
        {"a bad type at the end", POST, "/33000", NULL, TLV, NO, PLAIN, "#C1 00 05 C1 03 07", "4.00"},
        {"the same twice", POST, "/33000", NULL, TLV, NO, PLAIN, "#C1 00 05 C1 01 01 C1 00 06", "4.00"},
        {"cut off", POST, "/33000", NULL, TLV, NO, PLAIN, "#C1 00 05 C4 01 05", "4.00"},
        {"a broken link", POST, "/33000", NULL, JSON, NO, PLAIN,
         "[{\"bn\":\"/33000/2/\",\"n\":\"0\",\"v\":5},{\"n\":\"7\",\"vlo\":\"9:9\"}]", "4.00"},
        {"`check` refuses", POST, "/33000", NULL, TLV, NO, PLAIN, "#C1 00 05 C1 0A 0D", "4.00"},
        {"`set` refuses", POST, "/33000", NULL, TLV, NO, PLAIN, "#C1 00 05 C1 0B 0D", "5.00"},
        {"more elements than there is room for", POST, "/33000", NULL, TLV, NO, PLAIN,
         "#C1 00 05 88 08 0F 41 00 01 41 01 01 41 02 01 41 03 01 41 04 01", "4.01"},
    };
    (void)state;
    ROWS_1_1(rows);
}

static void delete_instances(void **state)
{
    static const bad rows[] = {
        {"OMA int-685: Device", DELETE, "/3/0", NULL, NO, NO, PLAIN, NULL, "4.05"},
        {"an account", DELETE, "/1/0", NULL, NO, NO, PLAIN, NULL, "4.05"},
        {"Security", DELETE, "/0/0", NULL, NO, NO, PLAIN, NULL, "4.01"},
        {"an Object that servers do not delete in", DELETE, "/3303/0", NULL, NO, NO, PLAIN, NULL, "4.05"},
        {"an Object", DELETE, "/33000", NULL, NO, NO, PLAIN, NULL, "4.05"},
        {"the root", DELETE, "", NULL, NO, NO, PLAIN, NULL, "4.05"},
        {"a resource", DELETE, "/33000/0/4", NULL, NO, NO, PLAIN, NULL, "4.05"},
        {"what is not there", DELETE, "/33000/2", NULL, NO, NO, PLAIN, NULL, "4.04"},
        {"a query", DELETE, "/33000/0", "a", NO, NO, PLAIN, NULL, "4.00"},
    };
    (void)state;
    ROWS_1_1(rows);
}

/* ---- composites: composite_test.c has more of them ---- */

static void composites(void **state)
{
    static const bad rows[] = {
        {"FETCH: no format", FETCH, "", NULL, NO, NO, PLAIN, "[{\"n\":\"/3\"}]", "4.00"},
        {"FETCH: TLV", FETCH, "", NULL, TLV, NO, PLAIN, "#C1 00 05", "4.15"},
        {"FETCH: accepts text", FETCH, "", NULL, JSON, TEXT, PLAIN, "[{\"n\":\"/3\"}]", "4.06"},
        {"FETCH: nothing", FETCH, "", NULL, JSON, NO, PLAIN, NULL, "4.00"},
        {"FETCH: a value", FETCH, "", NULL, JSON, NO, PLAIN, "[{\"n\":\"/33000/0/0\",\"v\":5}]", "4.00"},
        {"FETCH: cut off", FETCH, "", NULL, SCBOR, NO, PLAIN, "#82 A1 00 62 2F33", "4.00"},
        {"FETCH: all of it hidden", FETCH, "", NULL, JSON, NO, PLAIN, "[{\"n\":\"/0\"}]", "4.01"},
        {"FETCH: observed, no format", FETCH, "", NULL, NO, NO, OBSERVE, "[{\"n\":\"/3\"}]", "4.00"},
        {"FETCH: observed, format", FETCH, "", NULL, TEXT, NO, OBSERVE, "[{\"n\":\"/3\"}]", "4.15"},
        {"FETCH: observed, accepts TLV", FETCH, "", NULL, JSON, TLV, OBSERVE, "[{\"n\":\"/3\"}]", "4.06"},
        {"FETCH: observed, hidden", FETCH, "", NULL, JSON, NO, OBSERVE, "[{\"n\":\"/0/0\"}]", "4.01"},
        {"FETCH: observed, bad", FETCH, "", NULL, JSON, NO, OBSERVE, "[{\"n\":\"x\"}]", "4.00"},
        {"FETCH: cancelled, bad", FETCH, "", NULL, JSON, NO, CANCEL, "[{\"n\":\"x\"}]", "4.00"},
        {"FETCH: of an Object", FETCH, "/3", NULL, JSON, NO, PLAIN, "[{\"n\":\"/3\"}]", "4.05"},
        {"iPATCH: no format", IPATCH, "", NULL, NO, NO, PLAIN, "[{\"n\":\"/33000/0/0\",\"v\":5}]", "4.00"},
        {"iPATCH: TLV", IPATCH, "", NULL, TLV, NO, PLAIN, "#C1 00 05", "4.15"},
        {"iPATCH: nothing", IPATCH, "", NULL, SCBOR, NO, PLAIN, "#80", "4.00"},
        {"iPATCH: an account and a bad binding", IPATCH, "", NULL, JSON, NO, PLAIN,
         "[{\"n\":\"/1/0/1\",\"v\":77},{\"n\":\"/33000/0/0\",\"v\":5},{\"n\":\"/1/0/7\",\"vs\":\"XYZ\"}]",
         "4.00"},
        {"iPATCH: the lifetime, and `set` refuses", IPATCH, "", NULL, JSON, NO, PLAIN,
         "[{\"n\":\"/3/0/14\",\"vs\":\"+01:00\"},{\"n\":\"/33000/0/8/7\",\"v\":5},{\"n\":\"/33000/1/"
         "11\",\"v\":13}]",
         "5.00"},
        {"iPATCH: to an instance", IPATCH, "/33000/0", NULL, JSON, NO, PLAIN,
         "[{\"n\":\"/33000/0/0\",\"v\":5}]", "4.05"},
        {"PATCH", DN_COAP_PATCH, "", NULL, JSON, NO, PLAIN, "[{\"n\":\"/33000/0/0\",\"v\":5}]", "4.05"},
    };
    (void)state;
    ROWS_1_1(rows);
}

/* ---- LwM2M 1.0 ---- */

static void in_1_0(void **state)
{
    static const bad rows[] = {
        {"an element is not read", GET, "/33000/0/8/0", NULL, NO, NO, PLAIN, NULL, "4.05"},
        {"an element is not observed", GET, "/33000/0/8/0", NULL, NO, NO, OBSERVE, NULL, "4.05"},
        {"an element is not written", PUT, "/33000/0/8/0", NULL, TEXT, NO, PLAIN, "5", "4.05"},
        {"an element has no attributes", PUT, "/33000/0/8/0", "pmin=5", NO, NO, PLAIN, NULL, "4.05"},
        {"no evaluation periods", PUT, "/33000/0/0", "epmin=5", NO, NO, PLAIN, NULL, "4.00"},
        {"no Read-Composite", FETCH, "", NULL, JSON, NO, PLAIN, "[{\"n\":\"/3\"}]", "4.05"},
        {"no Write-Composite", IPATCH, "", NULL, JSON, NO, PLAIN, "[{\"n\":\"/33000/0/0\",\"v\":5}]", "4.05"},
        {"no SenML JSON out", GET, "/3/0", NULL, NO, JSON, PLAIN, NULL, "4.06"},
        {"no SenML CBOR out", GET, "/3/0", NULL, NO, SCBOR, PLAIN, NULL, "4.06"},
        {"no CBOR out", GET, "/3/0/9", NULL, NO, CBOR, PLAIN, NULL, "4.06"},
        {"no SenML JSON in", PUT, "/33000/0", NULL, JSON, NO, PLAIN, "[{\"n\":\"/33000/0/0\",\"v\":5}]",
         "4.15"},
        {"no SenML CBOR in", PUT, "/33000/0", NULL, SCBOR, NO, PLAIN, "#80", "4.15"},
        {"no CBOR in", PUT, "/33000/0/0", NULL, CBOR, NO, PLAIN, "#05", "4.15"},
        {"bad LwM2M JSON", PUT, "/33000/0/0", NULL, OLDJSON, NO, PLAIN, "{\"e\":[{\"n\":\"\",\"v\":5}",
         "4.00"},
        {"LwM2M JSON of another", PUT, "/33000/0/0", NULL, OLDJSON, NO, PLAIN,
         "{\"bn\":\"/33000/1/0\",\"e\":[{\"n\":\"\",\"v\":5}]}", "4.00"},
        {"a bad type in LwM2M JSON", PUT, "/33000/0/3", NULL, OLDJSON, NO, PLAIN,
         "{\"e\":[{\"n\":\"\",\"v\":5}]}", "4.00"},
        {"not executable", POST, "/33000/0/0", NULL, NO, NO, PLAIN, NULL, "4.05"},
    };
    (void)state;
    run_rows(DUNLIN_LWM2M_1_0, rows, COUNT(rows));
}

/* ---- everything that is cut off somewhere ---- */

/* Each beginning of a good payload is either a good one itself, or leaves all as it was. */
static void every_beginning_of_a_good_payload(void **state)
{
    static const bad rows[] = {
        {"TLV", PUT, "/33000/0", NULL, TLV, NO, PLAIN,
         "#C1 00 05 C1 01 07 C1 03 01 C3 04 616263 C2 05 0102 88 08 06 41 00 01 41 05 02 83 09 41 00 61", ""},
        {"SenML JSON", PUT, "/33000/0", NULL, JSON, NO, PLAIN,
         "[{\"bn\":\"/33000/0/\",\"n\":\"0\",\"v\":5},{\"n\":\"4\",\"vs\":\"abc\"},{\"n\":\"8/1\",\"v\":3}]",
         ""},
        {"SenML CBOR", POST, "/33000/0", NULL, SCBOR, NO, PLAIN,
         "#82 A3 21 69 2F33333030302F302F 00 61 30 02 05 A2 00 61 34 03 63 616263", ""},
        {"LwM2M CBOR number", PUT, "/33000/0/0", NULL, CBOR, NO, PLAIN, "#19 01 F4", ""},
        {"iPATCH", IPATCH, "", NULL, JSON, NO, PLAIN,
         "[{\"n\":\"/33000/0/0\",\"v\":5},{\"n\":\"/33000/1/4\",\"vs\":\"abc\"},{\"n\":\"/3/0/"
         "15\",\"vs\":\"x\"}]",
         ""},
        {"Create", POST, "/33000", NULL, TLV, NO, PLAIN, "#08 02 0A C1 00 05 C1 01 07 C2 04 6162", ""},
        {"Execute", POST, "/33000/0/15", NULL, TEXT, NO, PLAIN, "0='a',1,2='bc'", ""},
    };
    static image before, after;
    uint8_t payload[HEX_MAX];
    rig *r = malloc(sizeof *r);
    unsigned refused = 0;
    (void)state;
    assert_non_null(r);
    for (size_t i = 0; i < COUNT(rows); i++) {
        rig_request request = request_of(&rows[i], payload);
        const size_t whole = request.len;
        for (request.len = 0; request.len <= whole; request.len++) {
            rig_register(r, DUNLIN_LWM2M_1_1);
            image_take(r, &before);
            const uint8_t code = rig_ask(r, &request)->code;
            image_take(r, &after);
            if (code >= DN_COAP_BAD_REQUEST) {
                refused++;
                assert_string_equal(rig_code(code), "4.00");
                assert_true(image_equal(&before, &after));
            }
            if (request.len == whole && code >= DN_COAP_BAD_REQUEST) {
                fail_msg("%s: not even the whole is good", rows[i].name);
            }
            rig_close(r);
        }
    }
    assert_true(refused > 200);
    free(r);
}

/* ---- two servers ---- */

static void without_the_right(void **state)
{
    static const dunlin_access accesses[] = {
        {33000, 0, 1, {0, {0}, {0}}},
        {33000, 1, 1, {1, {2}, {DUNLIN_ACCESS_READ}}},
        {33000, 65535, DUNLIN_ACCESS_OWNER_BOOTSTRAP, {1, {1}, {DUNLIN_ACCESS_CREATE}}},
        {3, 0, 1, {0, {0}, {0}}},
    };
    static const bad rows[] = {
        {"Read", GET, "/33000/0/0", NULL, NO, NO, PLAIN, NULL, "4.01"},
        {"Read of an instance", GET, "/3/0", NULL, NO, NO, PLAIN, NULL, "4.01"},
        {"Observe", GET, "/33000/0/0", NULL, NO, NO, OBSERVE, NULL, "4.01"},
        {"Write", PUT, "/33000/1/0", NULL, TEXT, NO, PLAIN, "5", "4.01"},
        {"Write of an element", PUT, "/33000/1/8/0", NULL, TEXT, NO, PLAIN, "5", "4.01"},
        {"Replace", PUT, "/33000/1", NULL, TLV, NO, PLAIN, "#C1 00 05", "4.01"},
        {"Update", POST, "/33000/1", NULL, TLV, NO, PLAIN, "#C1 00 05", "4.01"},
        {"Write-Attributes", PUT, "/33000/0/0", "pmin=5", NO, NO, PLAIN, NULL, "4.01"},
        {"Execute", POST, "/33000/1/15", NULL, NO, NO, PLAIN, NULL, "4.01"},
        {"Reboot", POST, "/3/0/4", NULL, NO, NO, PLAIN, NULL, "4.01"},
        {"Create", POST, "/33000", NULL, TLV, NO, PLAIN, "#C1 00 05", "4.01"},
        {"Delete", DELETE, "/33000/1", NULL, NO, NO, PLAIN, NULL, "4.01"},
        {"FETCH", FETCH, "", NULL, JSON, NO, PLAIN, "[{\"n\":\"/33000/0\"},{\"n\":\"/3\"},{\"n\":\"/1/0\"}]",
         "2.05"},
        {"FETCH of what is all refused", FETCH, "", NULL, JSON, NO, PLAIN,
         "[{\"n\":\"/33000/0\"},{\"n\":\"/1/0\"}]", "4.01"},
        {"iPATCH", IPATCH, "", NULL, JSON, NO, PLAIN, "[{\"n\":\"/33000/1/0\",\"v\":5}]", "4.01"},
        {"the rights themselves", PUT, "/2/0/3", NULL, TEXT, NO, PLAIN, "2", "4.01"},
        {"the right to create", PUT, "/2/2/2/1", NULL, TEXT, NO, PLAIN, "16", "4.01"},
        {"rights of one's own", POST, "/2", NULL, TLV, NO, PLAIN, "#C1 03 02", "4.01"},
        {"the other's account", PUT, "/1/0/1", NULL, TEXT, NO, PLAIN, "60", "4.01"},
    };
    static image before, after;
    rig *r = malloc(sizeof *r);
    second *s = malloc(sizeof *s);
    uint8_t payload[HEX_MAX];
    (void)state;
    assert_non_null(r);
    assert_non_null(s);
    second_open(s, r, accesses, COUNT(accesses));
    for (size_t i = 0; i < COUNT(rows); i++) {
        const rig_request request = request_of(&rows[i], payload);
        image_take(r, &before);
        const rig_answer *answer = second_ask(s, 2, &request);
        if (strcmp(rig_code(answer->code), rows[i].code) != 0) {
            fail_msg("%s: %s instead of %s", rows[i].name, rig_code(answer->code), rows[i].code);
        }
        image_take(r, &after);
        if (!image_equal(&before, &after)) {
            fail_msg("%s: refused, and yet something changed", rows[i].name);
        }
    }
    second_close(s);
    free(s);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(read_and_discover),
        cmocka_unit_test(write_resource),
        cmocka_unit_test(write_resource_payloads),
        cmocka_unit_test(write_list),
        cmocka_unit_test(write_instance),
        cmocka_unit_test(write_attributes),
        cmocka_unit_test(execute),
        cmocka_unit_test(create),
        cmocka_unit_test(delete_instances),
        cmocka_unit_test(composites),
        cmocka_unit_test(in_1_0),
        cmocka_unit_test(every_beginning_of_a_good_payload),
        cmocka_unit_test(without_the_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
