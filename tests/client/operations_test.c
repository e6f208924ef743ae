/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation of a server on a client, as a table: request, code, payload, and nothing changed when it was refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/rig.h"

#define NO      (-1)
#define GET     DN_COAP_GET
#define PUT     DN_COAP_PUT
#define POST    DN_COAP_POST
#define DELETE  DN_COAP_DELETE
#define HEX_MAX 512

enum { TEXT = 0, LINK = 40, OPAQUE = 42, CBOR = 60, JSON = 110, SCBOR = 112, TLV = 11542, OLDJSON = 11543 };

/* A payload or answer that begins with '#' is in hexadecimal. Answer NULL: not looked at. */
typedef struct {
    const char *name;
    uint8_t method;
    const char *path;
    const char *query;
    int format, accept;
    const char *payload;
    const char *code;
    int answer_format;
    const char *answer;
} operation;

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
        if (*text == ' ') {
            continue;
        }
        assert_int_equal(sscanf(text, "%2x", &byte), 1);
        assert_true(len < HEX_MAX);
        out[len++] = (uint8_t)byte;
        text++;
    }
    return len;
}

static void show(const rig_answer *answer)
{
    print_message("  got %s, format %u, %zu bytes: ", rig_code(answer->code), answer->format, answer->len);
    for (size_t i = 0; i < answer->len; i++) {
        const uint8_t c = answer->payload[i];
        if (c >= 32 && c < 127) {
            print_message("%c", c);
        } else {
            print_message("\\%02X", c);
        }
    }
    print_message("\n");
}

static void run_one(rig *r, const operation *op)
{
    uint8_t payload[HEX_MAX];
    uint8_t expected[HEX_MAX];
    rig_things things[RIG_THINGS];
    dunlin_device device;
    const rig_request request = {
        .method = op->method,
        .path = op->path,
        .query = op->query,
        .payload = payload,
        .len = unhex(op->payload, payload),
        .has_format = op->format >= 0,
        .format = (uint16_t)op->format,
        .has_accept = op->accept >= 0,
        .accept = (uint16_t)op->accept,
    };
    memcpy(things, r->things, sizeof things);
    memcpy(&device, &r->device, sizeof device);
    const rig_answer *answer = rig_ask(r, &request);
    bool good = strcmp(rig_code(answer->code), op->code) == 0;
    if (good && op->answer != NULL) {
        const size_t len = unhex(op->answer, expected);
        good = answer->format == (uint16_t)op->answer_format && answer->len == len &&
               memcmp(answer->payload, expected, len) == 0;
    }
    if (!good) {
        print_message("%s: expected %s\n", op->name, op->code);
        show(answer);
        fail();
    }
    if (answer->code >= DN_COAP_BAD_REQUEST && memcmp(things, r->things, sizeof things) != 0) {
        fail_msg("%s: refused, but something changed", op->name);
    }
    if (answer->code >= DN_COAP_BAD_REQUEST && memcmp(&device, &r->device, sizeof device) != 0) {
        fail_msg("%s: refused, but the device changed", op->name);
    }
}

/* Each row starts from a fresh client. */
static void run_fresh(dunlin_lwm2m lwm2m, const operation *ops, size_t count)
{
    rig *r = malloc(sizeof *r);
    assert_non_null(r);
    for (size_t i = 0; i < count; i++) {
        rig_register(r, lwm2m);
        run_one(r, &ops[i]);
        rig_close(r);
    }
    free(r);
}

/* Each row goes on where the one before ended. */
static void run_in_order(const operation *ops, size_t count)
{
    rig *r = malloc(sizeof *r);
    assert_non_null(r);
    rig_register(r, DUNLIN_LWM2M_1_1);
    for (size_t i = 0; i < count; i++) {
        run_one(r, &ops[i]);
    }
    rig_close(r);
    free(r);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void oma_int_201_read_plain_text(void **state)
{
    static const operation ops[] = {
        {"manufacturer", GET, "/3/0/0", NULL, NO, TEXT, NULL, "2.05", TEXT, "Dunlin"},
        {"model", GET, "/3/0/1", NULL, NO, TEXT, NULL, "2.05", TEXT, "rig"},
        {"serial number", GET, "/3/0/2", NULL, NO, TEXT, NULL, "2.05", TEXT, "1"},
        {"without Accept", GET, "/3/0/0", NULL, NO, NO, NULL, "2.05", TEXT, "Dunlin"},
        {"a float", GET, "/33000/0/2", NULL, NO, TEXT, NULL, "2.05", TEXT, "22.5"},
        {"an opaque as base64", GET, "/33000/0/5", NULL, NO, TEXT, NULL, "2.05", TEXT, "AQID"},
        {"an opaque without Accept", GET, "/33000/0/5", NULL, NO, NO, NULL, "2.05", OPAQUE, "#010203"},
        {"a link", GET, "/33000/0/7", NULL, NO, TEXT, NULL, "2.05", TEXT, "3:0"},
    };
    (void)state;
    run_fresh(DUNLIN_LWM2M_1_1, ops, COUNT(ops));
}

static void oma_int_203_read_tlv(void **state)
{
    static const operation ops[] = {
        {"instance", GET, "/3303/0", NULL, NO, TLV, NULL, "2.05", TLV,
         "#E415E1 41A00000 E415E2 41B00000 E41644 41A80000 E31645 43656C"},
        {"object has a wrapper", GET, "/3303", NULL, NO, TLV, NULL, "2.05", TLV,
         "#08001B E415E1 41A00000 E415E2 41B00000 E41644 41A80000 E31645 43656C"},
        {"multiple resource", GET, "/33000/0/8", NULL, NO, TLV, NULL, "2.05", TLV, "#8608 41000A 410532"},
        {"multiple resource without instances", GET, "/33000/0/9", NULL, NO, TLV, NULL, "2.05", TLV, "#8009"},
        {"the number from before IANA", GET, "/33000/0/0", NULL, NO, 1542, NULL, "2.05", 1542, "#C10007"},
    };
    (void)state;
    run_fresh(DUNLIN_LWM2M_1_1, ops, COUNT(ops));
}

static void oma_int_204_read_old_json_is_for_1_0(void **state)
{
    static const operation old[] = {
        {"1.0 reads", GET, "/33000/0/0", NULL, NO, OLDJSON, NULL, "2.05", OLDJSON,
         "{\"bn\":\"/33000/0/0\",\"e\":[{\"v\":7}]}"},
        {"1.0 does not know SenML", GET, "/33000/0", NULL, NO, SCBOR, NULL, "4.06", NO, NULL},
        {"1.0 defaults to TLV", GET, "/33000/0/8", NULL, NO, NO, NULL, "2.05", TLV, "#8608 41000A 410532"},
        {"1.0 has no resource instances", GET, "/33000/0/8/0", NULL, NO, TEXT, NULL, "4.05", NO, NULL},
        {"1.0 has no epmin", PUT, "/3/0", "epmin=1", NO, NO, NULL, "4.00", NO, NULL},
    };
    static const operation new[] = {
        {"1.1 does not", GET, "/33000/0/0", NULL, NO, OLDJSON, NULL, "4.06", NO, NULL},
        {"but takes it", PUT, "/33000/0/0", NULL, OLDJSON, NO, "{\"e\":[{\"n\":\"\",\"v\":5}]}", "2.04", NO,
         NULL},
        {"also of an instance", DN_COAP_POST, "/33000/0", NULL, OLDJSON, NO,
         "{\"e\":[{\"n\":\"0\",\"v\":5},{\"n\":\"4\",\"sv\":\"x\"}]}", "2.04", NO, NULL},
    };
    (void)state;
    run_fresh(DUNLIN_LWM2M_1_0, old, COUNT(old));
    run_fresh(DUNLIN_LWM2M_1_1, new, COUNT(new));
}

static void oma_int_205_write_plain_text(void **state)
{
    static const operation ops[] = {
        {"pmin", PUT, "/1/0/2", NULL, TEXT, NO, "101", "2.04", NO, NULL},
        {"pmax", PUT, "/1/0/3", NULL, TEXT, NO, "1010", "2.04", NO, NULL},
        {"disable timeout", PUT, "/1/0/5", NULL, TEXT, NO, "2000", "2.04", NO, NULL},
        {"read back", GET, "/1/0", NULL, NO, TLV, NULL, "2.05", TLV,
         "#C10001 C4010001 5180 C10265 C20303F2 C20507D0 C10601 C10755 C11700"},
    };
    (void)state;
    run_in_order(ops, COUNT(ops));
}

static void oma_int_211_read_cbor(void **state)
{
    static const operation ops[] = {
        {"ssid", GET, "/1/0/0", NULL, NO, CBOR, NULL, "2.05", CBOR, "#01"},
        {"storing", GET, "/1/0/6", NULL, NO, CBOR, NULL, "2.05", CBOR, "#F5"},
        {"binding", GET, "/1/0/7", NULL, NO, CBOR, NULL, "2.05", CBOR, "#6155"},
        {"not for an instance", GET, "/1/0", NULL, NO, CBOR, NULL, "4.06", NO, NULL},
    };
    (void)state;
    run_fresh(DUNLIN_LWM2M_1_1, ops, COUNT(ops));
}

static void oma_int_212_write_cbor(void **state)
{
    static const operation ops[] = {
        {"pmin", PUT, "/1/0/2", NULL, CBOR, NO, "#1865", "2.04", NO, NULL},
        {"pmax", PUT, "/1/0/3", NULL, CBOR, NO, "#1903F2", "2.04", NO, NULL},
        {"storing", PUT, "/1/0/6", NULL, CBOR, NO, "#F4", "2.04", NO, NULL},
        {"read back", GET, "/1/0/6", NULL, NO, TEXT, NULL, "2.05", TEXT, "0"},
        {"read back", GET, "/1/0/3", NULL, NO, TEXT, NULL, "2.05", TEXT, "1010"},
    };
    (void)state;
    run_in_order(ops, COUNT(ops));
}

static void oma_int_215_write_tlv(void **state)
{
    static const operation ops[] = {
        {"partial", POST, "/1/0", NULL, TLV, NO, "#C10265 C20303F2 C20507D0 C10601 C10755", "2.04", NO, NULL},
        {"read", GET, "/1/0", NULL, NO, TLV, NULL, "2.05", TLV,
         "#C10001 C4010001 5180 C10265 C20303F2 C20507D0 C10601 C10755 C11700"},
        {"replace", PUT, "/1/0", NULL, TLV, NO, "#C4010001 5180 C10201 C1030A C405000151 80 C10600 C10755",
         "2.04", NO, NULL},
        {"read", GET, "/1/0", NULL, NO, TLV, NULL, "2.05", TLV,
         "#C10001 C4010001 5180 C10201 C1030A C4050001 5180 C10600 C10755"},
        {"replace without the mandatory lifetime", PUT, "/1/0", NULL, TLV, NO, "#C10201 C10600 C10755",
         "4.00", NO, NULL},
        {"replace drops what is optional", PUT, "/1/0", NULL, TLV, NO, "#C4010001 5180 C10600 C10755", "2.04",
         NO, NULL},
        {"and it is gone", GET, "/1/0/2", NULL, NO, NO, NULL, "4.04", NO, NULL},
        {"until it is written", PUT, "/1/0/2", NULL, TEXT, NO, "3", "2.04", NO, NULL},
        {"and back", GET, "/1/0/2", NULL, NO, NO, NULL, "2.05", TEXT, "3"},
    };
    (void)state;
    run_in_order(ops, COUNT(ops));
}

static void oma_int_221_security_is_nobodys(void **state)
{
    static const operation ops[] = {
        {"read", GET, "/0", NULL, NO, NO, NULL, "4.01", NO, NULL},
        {"write", PUT, "/0/0/0", NULL, TEXT, NO, "coap://evil", "4.01", NO, NULL},
        {"write attributes", PUT, "/0", "pmin=30&pmax=45", NO, NO, NULL, "4.01", NO, NULL},
        {"discover", GET, "/0", NULL, NO, LINK, NULL, "4.01", NO, NULL},
        {"create", POST, "/0", NULL, TLV, NO, "#C10001", "4.01", NO, NULL},
        {"delete", DELETE, "/0/0", NULL, NO, NO, NULL, "4.01", NO, NULL},
        {"what is not there", GET, "/0/7/99", NULL, NO, NO, NULL, "4.01", NO, NULL},
        {"an unsupported format", PUT, "/0/0/0", NULL, 9999, NO, "x", "4.01", NO, NULL},
        {"OSCORE", GET, "/21", NULL, NO, NO, NULL, "4.01", NO, NULL},
        {"OSCORE below", DELETE, "/21/0", NULL, NO, NO, NULL, "4.01", NO, NULL},
    };
    (void)state;
    run_fresh(DUNLIN_LWM2M_1_1, ops, COUNT(ops));
}

static void oma_int_222_to_225_and_231_232_read_levels(void **state)
{
    static const operation ops[] = {
        {"222 object", GET, "/1", NULL, NO, JSON, NULL, "2.05", JSON,
         "[{\"bn\":\"/1/\",\"n\":\"0/0\",\"v\":1},{\"n\":\"0/1\",\"v\":86400},{\"n\":\"0/2\",\"v\":0},"
         "{\"n\":\"0/3\",\"v\":0},{\"n\":\"0/5\",\"v\":86400},{\"n\":\"0/6\",\"vb\":true},"
         "{\"n\":\"0/7\",\"vs\":\"U\"},{\"n\":\"0/23\",\"vb\":false}]"},
        {"223 instance", GET, "/3303/0", NULL, NO, JSON, NULL, "2.05", JSON,
         "[{\"bn\":\"/3303/0/\",\"n\":\"5601\",\"v\":20},{\"n\":\"5602\",\"v\":22},{\"n\":\"5700\",\"v\":21},"
         "{\"n\":\"5701\",\"vs\":\"Cel\"}]"},
        {"224 resource", GET, "/3/0/16", NULL, NO, JSON, NULL, "2.05", JSON,
         "[{\"bn\":\"/3/0/16\",\"vs\":\"U\"}]"},
        {"225 resource instance", GET, "/3/0/11/0", NULL, NO, JSON, NULL, "2.05", JSON,
         "[{\"bn\":\"/3/0/11/0\",\"v\":0}]"},
        {"232 instance, SenML CBOR", GET, "/3303/0", NULL, NO, SCBOR, NULL, "2.05", SCBOR, NULL},
        {"237 object, no Accept", GET, "/3", NULL, NO, NO, NULL, "2.05", SCBOR, NULL},
        {"225 that is not there", GET, "/3/0/11/3", NULL, NO, TEXT, NULL, "4.04", NO, NULL},
        {"225 of a single resource", GET, "/3/0/16/0", NULL, NO, TEXT, NULL, "4.05", NO, NULL},
    };
    (void)state;
    run_fresh(DUNLIN_LWM2M_1_1, ops, COUNT(ops));
}

static void read_is_refused_in_order(void **state)
{
    static const operation ops[] = {
        {"unknown object", GET, "/9999", NULL, NO, NO, NULL, "4.04", NO, NULL},
        {"unknown instance", GET, "/3/1", NULL, NO, NO, NULL, "4.04", NO, NULL},
        {"unknown resource", GET, "/3/0/99", NULL, NO, NO, NULL, "4.04", NO, NULL},
        {"not instantiated", GET, "/33000/0/13", NULL, NO, NO, NULL, "4.04", NO, NULL},
        {"write only", GET, "/33000/0/14", NULL, NO, NO, NULL, "4.05", NO, NULL},
        {"executable", GET, "/3/0/4", NULL, NO, NO, NULL, "4.05", NO, NULL},
        {"existence before format", GET, "/3/0/99", NULL, NO, 9999, NULL, "4.04", NO, NULL},
        {"operation before format", GET, "/3/0/4", NULL, NO, 9999, NULL, "4.05", NO, NULL},
        {"unknown format", GET, "/3/0/0", NULL, NO, 9999, NULL, "4.06", NO, NULL},
        {"text of an instance", GET, "/3/0", NULL, NO, TEXT, NULL, "4.06", NO, NULL},
        {"text of a multiple resource", GET, "/3/0/6", NULL, NO, TEXT, NULL, "4.06", NO, NULL},
        {"opaque of a string", GET, "/3/0/0", NULL, NO, OPAQUE, NULL, "4.06", NO, NULL},
        {"the root", GET, "", NULL, NO, LINK, NULL, "4.05", NO, NULL},
        {"not a path", GET, "/rd", NULL, NO, NO, NULL, "4.00", NO, NULL},
        {"an id that is none", GET, "/65535", NULL, NO, NO, NULL, "4.00", NO, NULL},
        {"an id out of range", GET, "/3/70000", NULL, NO, NO, NULL, "4.00", NO, NULL},
        {"a path too deep", GET, "/3/0/11/0/0", NULL, NO, NO, NULL, "4.05", NO, NULL},
        {"a query", GET, "/3/0/0", "depth=1", NO, NO, NULL, "4.00", NO, NULL},
        {"another method", DN_COAP_FETCH, "/3/0/0", NULL, NO, NO, NULL, "4.05", NO, NULL},
        {"an empty composite", DN_COAP_IPATCH, "", NULL, SCBOR, NO, "#80", "4.00", NO, NULL},
    };
    (void)state;
    run_fresh(DUNLIN_LWM2M_1_1, ops, COUNT(ops));
}

static void oma_int_226_to_228_233_234_write(void **state)
{
    static const operation ops[] = {
        {"226 partial", POST, "/1/0", NULL, JSON, NO,
         "[{\"bn\":\"/1/0/\",\"n\":\"1\",\"v\":61},{\"n\":\"6\",\"vb\":true}]", "2.04", NO, NULL},
        {"226 read", GET, "/1/0/1", NULL, NO, NO, NULL, "2.05", TEXT, "61"},
        {"227 replace resource", PUT, "/1/0/1", NULL, TEXT, NO, "63", "2.04", NO, NULL},
        {"227 read", GET, "/1/0/1", NULL, NO, NO, NULL, "2.05", TEXT, "63"},
        {"228 resource instance", PUT, "/33000/0/8/5", NULL, TEXT, NO, "-77", "2.04", NO, NULL},
        {"228 read", GET, "/33000/0/8", NULL, NO, JSON, NULL, "2.05", JSON,
         "[{\"bn\":\"/33000/0/8/\",\"n\":\"0\",\"v\":10},{\"n\":\"5\",\"v\":-77}]"},
        {"233 SenML CBOR", POST, "/1/0", NULL, SCBOR, NO,
         "#82 A3 21 65 2F312F302F 00 61 31 02 18 3D A2 00 61 36 04 F4", "2.04", NO, NULL},
        {"233 read", GET, "/1/0/6", NULL, NO, NO, NULL, "2.05", TEXT, "0"},
        {"234 SenML JSON, one resource", PUT, "/1/0/1", NULL, JSON, NO, "[{\"n\":\"/1/0/1\",\"v\":63}]",
         "2.04", NO, NULL},
        {"all types", PUT, "/33000/1", NULL, JSON, NO,
         "[{\"bn\":\"/33000/1/"
         "\",\"n\":\"0\",\"v\":-5},{\"n\":\"1\",\"v\":65535},{\"n\":\"2\",\"v\":1.25},{\"n\":\"3\",\"vb\":"
         "true},"
         "{\"n\":\"4\",\"vs\":\"h\\u00e4llo\"},{\"n\":\"5\",\"vd\":\"_-8\"},{\"n\":\"6\",\"v\":-1},{\"n\":"
         "\"7\",\"vlo\":\"33000:0\"},"
         "{\"n\":\"8/3\",\"v\":3},{\"n\":\"9/"
         "65534\",\"vs\":\"x\"},{\"n\":\"10\",\"v\":1},{\"n\":\"11\",\"v\":2},{\"n\":\"12\",\"v\":3},"
         "{\"n\":\"13\",\"v\":4},{\"n\":\"14\",\"v\":5}]",
         "2.04", NO, NULL},
        {"and read", GET, "/33000/1", NULL, NO, JSON, NULL, "2.05", JSON,
         "[{\"bn\":\"/33000/1/"
         "\",\"n\":\"0\",\"v\":-5},{\"n\":\"1\",\"v\":65535},{\"n\":\"2\",\"v\":1.25},{\"n\":\"3\",\"vb\":"
         "true},"
         "{\"n\":\"4\",\"vs\":\"h\xc3\xa4llo\"},{\"n\":\"5\",\"vd\":\"_-8\"},{\"n\":\"6\",\"v\":-1},{\"n\":"
         "\"7\",\"vlo\":\"33000:0\"},"
         "{\"n\":\"8/3\",\"v\":3},{\"n\":\"9/"
         "65534\",\"vs\":\"x\"},{\"n\":\"10\",\"v\":1},{\"n\":\"11\",\"v\":2},{\"n\":\"12\",\"v\":3},"
         "{\"n\":\"13\",\"v\":4},{\"n\":\"16\",\"vs\":\"fixed\"}]"},
        {"partial adds an element", POST, "/33000/1", NULL, JSON, NO, "[{\"n\":\"/33000/1/8/1\",\"v\":1}]",
         "2.04", NO, NULL},
        {"in order", GET, "/33000/1/8", NULL, NO, TLV, NULL, "2.05", TLV, "#8608 410101 410303"},
        {"replace makes the list the payload", PUT, "/33000/1/8", NULL, TLV, NO, "#8308 410209", "2.04", NO,
         NULL},
        {"it is", GET, "/33000/1/8", NULL, NO, TLV, NULL, "2.05", TLV, "#8308 410209"},
        {"replace by none", PUT, "/33000/1/8", NULL, TLV, NO, "#8008", "2.04", NO, NULL},
        {"it is empty", GET, "/33000/1/8", NULL, NO, TLV, NULL, "2.05", TLV, "#8008"},
        {"instance with a TLV wrapper", POST, "/33000/0", NULL, TLV, NO, "#0300 C10009", "2.04", NO, NULL},
        {"unknown resources are ignored", POST, "/33000/0", NULL, JSON, NO,
         "[{\"n\":\"/33000/0/0\",\"v\":8},{\"n\":\"/33000/0/4711\",\"v\":1}]", "2.04", NO, NULL},
        {"the other was written", GET, "/33000/0/0", NULL, NO, NO, NULL, "2.05", TEXT, "8"},
        {"null link", PUT, "/33000/0/7", NULL, TEXT, NO, "65535:65535", "2.04", NO, NULL},
        {"empty string", PUT, "/33000/0/4", NULL, TEXT, NO, "", "2.04", NO, NULL},
        {"reads empty", GET, "/33000/0/4", NULL, NO, NO, NULL, "2.05", TEXT, ""},
        {"opaque bytes", PUT, "/33000/0/5", NULL, OPAQUE, NO, "#00FF00", "2.04", NO, NULL},
        {"read them", GET, "/33000/0/5", NULL, NO, NO, NULL, "2.05", OPAQUE, "#00FF00"},
        {"time by its setter", PUT, "/3/0/13", NULL, TEXT, NO, "42", "2.04", NO, NULL},
        {"time by its getter", GET, "/3/0/13", NULL, NO, NO, NULL, "2.05", TEXT, "42"},
    };
    (void)state;
    run_in_order(ops, COUNT(ops));
}

static void oma_int_256_write_refused(void **state)
{
    static const operation ops[] = {
        {"256 read only", PUT, "/1/0/0", NULL, TEXT, NO, "123", "4.05", NO, NULL},
        {"unknown resource", PUT, "/33000/0/99", NULL, TEXT, NO, "1", "4.04", NO, NULL},
        {"unknown instance", PUT, "/33000/3/0", NULL, TEXT, NO, "1", "4.04", NO, NULL},
        {"resource instance that is not there", PUT, "/33000/0/8/1", NULL, TEXT, NO, "1", "4.04", NO, NULL},
        {"resource instance of a single one", PUT, "/33000/0/0/0", NULL, TEXT, NO, "1", "4.05", NO, NULL},
        {"object", PUT, "/33000", NULL, TLV, NO, "#C10001", "4.05", NO, NULL},
        {"executable", PUT, "/33000/0/15", NULL, TEXT, NO, "1", "4.05", NO, NULL},
        {"constant", PUT, "/33000/0/16", NULL, TEXT, NO, "1", "4.05", NO, NULL},
        {"no format", PUT, "/33000/0/0", NULL, NO, NO, "1", "4.00", NO, NULL},
        {"unknown format", PUT, "/33000/0/0", NULL, 9999, NO, "1", "4.15", NO, NULL},
        {"text into an instance", PUT, "/33000/0", NULL, TEXT, NO, "1", "4.15", NO, NULL},
        {"text into a multiple resource", PUT, "/33000/0/8", NULL, TEXT, NO, "1", "4.15", NO, NULL},
        {"operation before format", PUT, "/1/0/0", NULL, 9999, NO, "1", "4.05", NO, NULL},
        {"not a number", PUT, "/33000/0/0", NULL, TEXT, NO, "seven", "4.00", NO, NULL},
        {"NaN", PUT, "/33000/0/2", NULL, CBOR, NO, "#F97E00", "4.00", NO, NULL},
        {"infinity", PUT, "/33000/0/2", NULL, CBOR, NO, "#F97C00", "4.00", NO, NULL},
        {"out of the table's range", PUT, "/33000/0/0", NULL, TEXT, NO, "1001", "4.00", NO, NULL},
        {"out of the field's range", PUT, "/33000/0/1", NULL, TEXT, NO, "65536", "4.00", NO, NULL},
        {"negative unsigned", PUT, "/33000/0/1", NULL, TEXT, NO, "-1", "4.00", NO, NULL},
        {"element out of its field's range", PUT, "/33000/0/8/0", NULL, TEXT, NO, "32768", "4.00", NO, NULL},
        {"not a boolean", PUT, "/33000/0/3", NULL, TEXT, NO, "2", "4.00", NO, NULL},
        {"too long a text", PUT, "/33000/0/4", NULL, TEXT, NO, "0123456789abcdef", "4.00", NO, NULL},
        {"NUL in a text", PUT, "/33000/0/4", NULL, TEXT, NO, "#610062", "4.00", NO, NULL},
        {"not UTF-8", PUT, "/33000/0/4", NULL, TEXT, NO, "#C328", "4.00", NO, NULL},
        {"too long an opaque", PUT, "/33000/0/5", NULL, OPAQUE, NO, "0123456789abcdefX", "4.00", NO, NULL},
        {"a link to nothing", PUT, "/33000/0/7", NULL, TEXT, NO, "9999:0", "4.00", NO, NULL},
        {"a link to no instance", PUT, "/33000/0/7", NULL, TEXT, NO, "33000:9", "4.00", NO, NULL},
        {"refused by check", PUT, "/33000/0/10", NULL, TEXT, NO, "13", "4.00", NO, NULL},
        {"refused by set", PUT, "/33000/0/11", NULL, TEXT, NO, "13", "5.00", NO, NULL},
        {"another path in the payload", PUT, "/33000/0/0", NULL, JSON, NO, "[{\"n\":\"/33000/0/1\",\"v\":1}]",
         "4.00", NO, NULL},
        {"another instance in the payload", POST, "/33000/0", NULL, JSON, NO,
         "[{\"n\":\"/33000/1/0\",\"v\":1}]", "4.00", NO, NULL},
        {"another instance in a TLV wrapper", POST, "/33000/0", NULL, TLV, NO, "#0301 C10009", "4.00", NO,
         NULL},
        {"nothing for one resource", PUT, "/33000/0/0", NULL, JSON, NO, "[]", "4.00", NO, NULL},
        {"a name without a value", PUT, "/33000/0/0", NULL, JSON, NO, "[{\"n\":\"/33000/0/0\"}]", "4.00", NO,
         NULL},
        {"the same twice", POST, "/33000/0", NULL, JSON, NO,
         "[{\"n\":\"/33000/0/0\",\"v\":1},{\"n\":\"/33000/0/1\",\"v\":1},{\"n\":\"/33000/0/0\",\"v\":2}]",
         "4.00", NO, NULL},
        {"read only among others", POST, "/33000/0", NULL, JSON, NO,
         "[{\"n\":\"/33000/0/0\",\"v\":1},{\"n\":\"/33000/0/16\",\"vs\":\"x\"}]", "4.05", NO, NULL},
        {"bad type behind good ones", POST, "/33000/0", NULL, JSON, NO,
         "[{\"n\":\"/33000/0/0\",\"v\":1},{\"n\":\"/33000/0/3\",\"v\":1}]", "4.00", NO, NULL},
        {"truncated", POST, "/33000/0", NULL, JSON, NO, "[{\"n\":\"/33000/0/0\",\"v\":1},", "4.00", NO, NULL},
        {"truncated TLV", POST, "/33000/0", NULL, TLV, NO, "#C10001 C404", "4.00", NO, NULL},
        {"single resource as a multiple one", POST, "/33000/0", NULL, TLV, NO, "#8300 410001", "4.00", NO,
         NULL},
        {"multiple resource as a single one", POST, "/33000/0", NULL, TLV, NO, "#C10801", "4.00", NO, NULL},
        {"replace without the mandatory one", PUT, "/33000/0", NULL, JSON, NO,
         "[{\"n\":\"/33000/0/1\",\"v\":1}]", "4.00", NO, NULL},
        {"payload and query", PUT, "/33000/0/0", "pmin=1", TEXT, NO, "1", "4.00", NO, NULL},
        {"set fails behind others", POST, "/33000/0", NULL, JSON, NO,
         "[{\"n\":\"/33000/0/0\",\"v\":1},{\"n\":\"/33000/0/4\",\"vs\":\"new\"},{\"n\":\"/33000/0/8/"
         "0\",\"v\":1},{\"n\":\"/33000/0/12\",\"v\":9},"
         "{\"n\":\"/33000/0/11\",\"v\":13}]",
         "5.00", NO, NULL},
        {"bad offset", PUT, "/3/0/14", NULL, TEXT, NO, "2:00", "4.00", NO, NULL},
        {"a binding we lack", PUT, "/1/0/7", NULL, TEXT, NO, "T", "4.00", NO, NULL},
        {"negative lifetime", PUT, "/1/0/1", NULL, TEXT, NO, "-1", "4.00", NO, NULL},
    };
    (void)state;
    run_fresh(DUNLIN_LWM2M_1_1, ops, COUNT(ops));
}

static void room_of_a_list(void **state)
{
    static const operation ops[] = {
        {"two more fit", POST, "/33000/0", NULL, JSON, NO,
         "[{\"n\":\"/33000/0/8/1\",\"v\":1},{\"n\":\"/33000/0/8/2\",\"v\":1}]", "2.04", NO, NULL},
        {"one that is there", POST, "/33000/0", NULL, JSON, NO, "[{\"n\":\"/33000/0/8/1\",\"v\":2}]", "2.04",
         NO, NULL},
        {"a fifth does not", POST, "/33000/0", NULL, JSON, NO, "[{\"n\":\"/33000/0/8/7\",\"v\":1}]", "4.01",
         NO, NULL},
        {"what it holds", GET, "/33000/0/8", NULL, NO, TLV, NULL, "2.05", TLV,
         "#88080C 41000A 410102 410201 410532"},
        {"not even in a replace", PUT, "/33000/0/8", NULL, TLV, NO,
         "#88080F 410001 410101 410201 410301 410401", "4.01", NO, NULL},
    };
    (void)state;
    run_in_order(ops, COUNT(ops));
}

static void oma_int_241_execute(void **state)
{
    static const operation ops[] = {
        {"reboot", POST, "/3/0/4", NULL, NO, NO, NULL, "2.04", NO, NULL},
        {"text format without payload", POST, "/3/0/4", NULL, TEXT, NO, NULL, "2.04", NO, NULL},
        {"not executable", POST, "/3/0/0", NULL, NO, NO, NULL, "4.05", NO, NULL},
        {"not there", POST, "/3/0/99", NULL, NO, NO, NULL, "4.04", NO, NULL},
        {"not instantiated", POST, "/3/0/5", NULL, NO, NO, NULL, "4.04", NO, NULL},
        {"a resource instance", POST, "/3/0/11/0", NULL, NO, NO, NULL, "4.05", NO, NULL},
        {"no arguments", POST, "/33000/0/15", NULL, NO, NO, NULL, "2.04", NO, NULL},
        {"some", POST, "/33000/0/15", NULL, TEXT, NO, "0,3='a&b',7='',2", "2.04", NO, NULL},
        {"blanks around commas", POST, "/33000/0/15", NULL, TEXT, NO, "5 , 2='10.3'", "2.04", NO, NULL},
        {"as a query", POST, "/33000/0/15", "0='U'", NO, NO, NULL, "2.04", NO, NULL},
        {"query and payload", POST, "/33000/0/15", "0='U'", TEXT, NO, "1", "4.00", NO, NULL},
        {"the application says no", POST, "/33000/0/15", NULL, TEXT, NO, "9", "4.05", NO, NULL},
        {"two digits", POST, "/33000/0/15", NULL, TEXT, NO, "12", "4.00", NO, NULL},
        {"twice", POST, "/33000/0/15", NULL, TEXT, NO, "1,1", "4.00", NO, NULL},
        {"no quotes", POST, "/33000/0/15", NULL, TEXT, NO, "1=a", "4.00", NO, NULL},
        {"open quotes", POST, "/33000/0/15", NULL, TEXT, NO, "1='a", "4.00", NO, NULL},
        {"a forbidden character", POST, "/33000/0/15", NULL, TEXT, NO, "1='a b'", "4.00", NO, NULL},
        {"a comma at the end", POST, "/33000/0/15", NULL, TEXT, NO, "1,", "4.00", NO, NULL},
        {"letters", POST, "/33000/0/15", NULL, TEXT, NO, "x", "4.00", NO, NULL},
        {"another format", POST, "/33000/0/15", NULL, SCBOR, NO, "#80", "4.00", NO, NULL},
        {"update trigger with a binding we lack", POST, "/1/0/8", NULL, TEXT, NO, "0='T'", "4.00", NO, NULL},
    };
    (void)state;
    run_fresh(DUNLIN_LWM2M_1_1, ops, COUNT(ops));
}

static void execute_hands_arguments_on(void **state)
{
    rig *r = malloc(sizeof *r);
    (void)state;
    assert_non_null(r);
    rig_register(r, DUNLIN_LWM2M_1_1);
    assert_string_equal(rig_code(rig_send(r, POST, "/33000/1/15", TEXT, "0,3='a&b',7=''")->code), "2.04");
    assert_string_equal(r->things[1].ran_with, "[0:][3:a&b][7:]");
    assert_int_equal(r->things[1].ran, 1);
    assert_int_equal(r->things[0].ran, 0);
    assert_string_equal(rig_code(rig_send(r, POST, "/3/0/4", NO, NULL)->code), "2.04");
    assert_int_equal(r->reboots, 1);
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_EXECUTED), 2);
    rig_close(r);
    free(r);
}

static void oma_int_260_discover(void **state)
{
    static const operation ops[] = {
        {"object", GET, "/3", NULL, NO, LINK, NULL, "2.05", LINK,
         "</3>,</3/0>,</3/0/0>,</3/0/1>,</3/0/2>,</3/0/3>,</3/0/4>,</3/0/6>;dim=2,</3/0/7>;dim=2,</3/0/"
         "8>;dim=2,</3/0/9>,"
         "</3/0/11>;dim=1,</3/0/12>,</3/0/13>,</3/0/14>,</3/0/15>,</3/0/16>,</3/0/20>"},
        {"set at the object", PUT, "/3", "pmin=10&pmax=200", NO, NO, NULL, "2.04", NO, NULL},
        {"not shown at the instance", GET, "/3/0", NULL, NO, LINK, NULL, "2.05", LINK,
         "</3/0>,</3/0/0>,</3/0/1>,</3/0/2>,</3/0/3>,</3/0/4>,</3/0/6>;dim=2,</3/0/7>;dim=2,</3/0/8>;dim=2,</"
         "3/0/9>,"
         "</3/0/11>;dim=1,</3/0/12>,</3/0/13>,</3/0/14>,</3/0/15>,</3/0/16>,</3/0/20>"},
        {"set at the resource", PUT, "/3/0/7", "lt=1&gt=6&st=1", NO, NO, NULL, "2.04", NO, NULL},
        {"shown at the instance", GET, "/3/0", NULL, NO, LINK, NULL, "2.05", LINK,
         "</3/0>,</3/0/0>,</3/0/1>,</3/0/2>,</3/0/3>,</3/0/4>,</3/0/6>;dim=2,</3/0/7>;dim=2;gt=6;lt=1;st=1,</"
         "3/0/8>;dim=2,"
         "</3/0/9>,</3/0/11>;dim=1,</3/0/12>,</3/0/13>,</3/0/14>,</3/0/15>,</3/0/16>,</3/0/20>"},
        {"the object shows attributes of itself and of instances only", GET, "/3", NULL, NO, LINK, NULL,
         "2.05", LINK,
         "</3>;pmin=10;pmax=200,</3/0>,</3/0/0>,</3/0/1>,</3/0/2>,</3/0/3>,</3/0/4>,</3/0/6>;dim=2,</3/0/"
         "7>;dim=2,"
         "</3/0/8>;dim=2,</3/0/9>,</3/0/11>;dim=1,</3/0/12>,</3/0/13>,</3/0/14>,</3/0/15>,</3/0/16>,</3/0/"
         "20>"},
        {"the resource shows what it inherits", GET, "/3/0/7", NULL, NO, LINK, NULL, "2.05", LINK,
         "</3/0/7>;dim=2;pmin=10;pmax=200;gt=6;lt=1;st=1,</3/0/7/0>,</3/0/7/1>"},
        {"version where it must be said", GET, "/33000/1/16", NULL, NO, LINK, NULL, "2.05", LINK,
         "</33000/1/16>"},
        {"not a resource instance", GET, "/3/0/7/0", NULL, NO, LINK, NULL, "4.06", NO, NULL},
        {"not what is not there", GET, "/3/0/5", NULL, NO, LINK, NULL, "4.04", NO, NULL},
    };
    (void)state;
    run_in_order(ops, COUNT(ops));
}

static void oma_int_261_attributes_of_resource_instances(void **state)
{
    static const operation ops[] = {
        {"object", PUT, "/3", "pmin=10&pmax=200", NO, NO, NULL, "2.04", NO, NULL},
        {"instance", PUT, "/3/0", "pmax=320", NO, NO, NULL, "2.04", NO, NULL},
        {"resource instance", PUT, "/3/0/11/0", "pmax=100&epmin=1&epmax=20", NO, NO, NULL, "2.04", NO, NULL},
        {"discover", GET, "/3/0/11", NULL, NO, LINK, NULL, "2.05", LINK,
         "</3/0/11>;dim=1;pmin=10;pmax=320,</3/0/11/0>;pmax=100;epmin=1;epmax=20"},
        {"unset", PUT, "/3/0", "pmax", NO, NO, NULL, "2.04", NO, NULL},
        {"inherits again", GET, "/3/0/11", NULL, NO, LINK, NULL, "2.05", LINK,
         "</3/0/11>;dim=1;pmin=10;pmax=200,</3/0/11/0>;pmax=100;epmin=1;epmax=20"},
    };
    (void)state;
    run_in_order(ops, COUNT(ops));
}

static void attributes_are_checked(void **state)
{
    static const operation ops[] = {
        {"unknown", PUT, "/3/0/9", "foo=1", NO, NO, NULL, "4.00", NO, NULL},
        {"a property", PUT, "/3/0/6", "dim=1", NO, NO, NULL, "4.00", NO, NULL},
        {"not a number", PUT, "/3/0/9", "pmin=x", NO, NO, NULL, "4.00", NO, NULL},
        {"negative period", PUT, "/3/0/9", "pmin=-1", NO, NO, NULL, "4.00", NO, NULL},
        {"no value behind =", PUT, "/3/0/9", "pmin=", NO, NO, NULL, "4.00", NO, NULL},
        {"too large", PUT, "/3/0/9", "pmax=4294967296", NO, NO, NULL, "4.00", NO, NULL},
        {"twice", PUT, "/3/0/9", "pmin=1&pmin=2", NO, NO, NULL, "4.00", NO, NULL},
        {"one bad among good", PUT, "/3/0/9", "pmin=1&gt=x", NO, NO, NULL, "4.00", NO, NULL},
        {"lt above gt", PUT, "/3/0/9", "lt=10&gt=5", NO, NO, NULL, "4.00", NO, NULL},
        {"lt equal gt", PUT, "/3/0/9", "lt=5&gt=5", NO, NO, NULL, "4.00", NO, NULL},
        {"steps too wide", PUT, "/3/0/9", "lt=1&gt=6&st=2.5", NO, NO, NULL, "4.00", NO, NULL},
        {"negative step", PUT, "/3/0/9", "st=-1", NO, NO, NULL, "4.00", NO, NULL},
        {"epmin above epmax", PUT, "/3/0/9", "epmin=5&epmax=5", NO, NO, NULL, "4.00", NO, NULL},
        {"gt of a text", PUT, "/3/0/0", "gt=1", NO, NO, NULL, "4.00", NO, NULL},
        {"gt of an instance", PUT, "/3/0", "gt=1", NO, NO, NULL, "4.00", NO, NULL},
        {"gt of what cannot be read", PUT, "/33000/0/14", "gt=1", NO, NO, NULL, "4.00", NO, NULL},
        {"an executable", PUT, "/3/0/4", "pmin=1", NO, NO, NULL, "4.05", NO, NULL},
        {"not there", PUT, "/3/1", "pmin=1", NO, NO, NULL, "4.04", NO, NULL},
        {"not instantiated", PUT, "/33000/0/13", "pmin=1", NO, NO, NULL, "4.04", NO, NULL},
        {"negative threshold", PUT, "/3/0/9", "gt=-85.5&lt=-100", NO, NO, NULL, "2.04", NO, NULL},
        {"pmax below pmin is only ignored", PUT, "/3/0/9", "pmin=20&pmax=10", NO, NO, NULL, "2.04", NO, NULL},
        {"unset what was not set", PUT, "/3/0/9", "pmin", NO, NO, NULL, "2.04", NO, NULL},
        {"empty write", PUT, "/3/0/14", NULL, TEXT, NO, "", "2.04", NO, NULL},
    };
    (void)state;
    run_fresh(DUNLIN_LWM2M_1_1, ops, COUNT(ops));
}

static void attributes_stay_consistent_over_requests(void **state)
{
    static const operation ops[] = {
        {"lt", PUT, "/3/0/9", "lt=10", NO, NO, NULL, "2.04", NO, NULL},
        {"gt below it", PUT, "/3/0/9", "gt=5", NO, NO, NULL, "4.00", NO, NULL},
        {"gt above it", PUT, "/3/0/9", "gt=20", NO, NO, NULL, "2.04", NO, NULL},
        {"too wide a step", PUT, "/3/0/9", "st=5", NO, NO, NULL, "4.00", NO, NULL},
        {"what is there", GET, "/3/0/9", NULL, NO, LINK, NULL, "2.05", LINK, "</3/0/9>;gt=20;lt=10"},
        {"fill the table", PUT, "/3/0/0", "pmin=1", NO, NO, NULL, "2.04", NO, NULL},
        {"2", PUT, "/3/0/1", "pmin=1", NO, NO, NULL, "2.04", NO, NULL},
        {"3", PUT, "/3/0/2", "pmin=1", NO, NO, NULL, "2.04", NO, NULL},
        {"4", PUT, "/3/0/3", "pmin=1", NO, NO, NULL, "2.04", NO, NULL},
        {"5", PUT, "/3/0/6", "pmin=1", NO, NO, NULL, "2.04", NO, NULL},
        {"6", PUT, "/3/0/7", "pmin=1", NO, NO, NULL, "2.04", NO, NULL},
        {"7", PUT, "/3/0/8", "pmin=1", NO, NO, NULL, "2.04", NO, NULL},
        {"no room", PUT, "/3/0/14", "pmin=1", NO, NO, NULL, "5.00", NO, NULL},
        {"unset makes room", PUT, "/3/0/8", "pmin", NO, NO, NULL, "2.04", NO, NULL},
        {"now it fits", PUT, "/3/0/14", "pmin=1", NO, NO, NULL, "2.04", NO, NULL},
    };
    (void)state;
    run_in_order(ops, COUNT(ops));
}

static void oma_int_651_device_write_and_restore(void **state)
{
    static const operation ops[] = {
        {"partial", POST, "/3/0", NULL, TLV, NO,
         "#C40D 5182428F C60E 2B30323A3030 C80F0C 4575726F70652F5061726973", "2.04", NO, NULL},
        {"read", GET, "/3/0/15", NULL, NO, TEXT, NULL, "2.05", TEXT, "Europe/Paris"},
        {"replace", PUT, "/3/0", NULL, TLV, NO, "#C10D05 C60E 2B30313A3030", "2.04", NO, NULL},
        {"dropped", GET, "/3/0/15", NULL, NO, TEXT, NULL, "4.04", NO, NULL},
        {"read only ones stayed", GET, "/3/0/0", NULL, NO, TEXT, NULL, "2.05", TEXT, "Dunlin"},
        {"652 firmware version", GET, "/3/0/3", NULL, NO, TEXT, NULL, "2.05", TEXT, "1.0"},
    };
    (void)state;
    run_in_order(ops, COUNT(ops));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oma_int_201_read_plain_text),
        cmocka_unit_test(oma_int_203_read_tlv),
        cmocka_unit_test(oma_int_204_read_old_json_is_for_1_0),
        cmocka_unit_test(oma_int_205_write_plain_text),
        cmocka_unit_test(oma_int_211_read_cbor),
        cmocka_unit_test(oma_int_212_write_cbor),
        cmocka_unit_test(oma_int_215_write_tlv),
        cmocka_unit_test(oma_int_221_security_is_nobodys),
        cmocka_unit_test(oma_int_222_to_225_and_231_232_read_levels),
        cmocka_unit_test(read_is_refused_in_order),
        cmocka_unit_test(oma_int_226_to_228_233_234_write),
        cmocka_unit_test(oma_int_256_write_refused),
        cmocka_unit_test(room_of_a_list),
        cmocka_unit_test(oma_int_241_execute),
        cmocka_unit_test(execute_hands_arguments_on),
        cmocka_unit_test(oma_int_260_discover),
        cmocka_unit_test(oma_int_261_attributes_of_resource_instances),
        cmocka_unit_test(attributes_are_checked),
        cmocka_unit_test(attributes_stay_consistent_over_requests),
        cmocka_unit_test(oma_int_651_device_write_and_restore),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
