/* SPDX-License-Identifier: Apache-2.0 */
/* Read-Composite and Write-Composite, with one server and with two, at the root and below an alternate path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/second.h"

#define NO       (-1)
#define FETCH    DN_COAP_FETCH
#define IPATCH   DN_COAP_IPATCH
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { R = 1, W = 2, TEXT = 0, JSON = 110, SCBOR = 112, TLV = 11542 };

static rig *fresh(void)
{
    rig *r = malloc(sizeof *r);
    assert_non_null(r);
    rig_register(r, DUNLIN_LWM2M_1_1);
    return r;
}

static void done(rig *r)
{
    rig_close(r);
    free(r);
}

static void assert_code(const rig_answer *answer, const char *code)
{
    assert_string_equal(rig_code(answer->code), code);
}

static const char *text_of(const rig_answer *answer)
{
    static char copy[sizeof answer->payload + 1];
    memcpy(copy, answer->payload, answer->len);
    copy[answer->len] = '\0';
    return copy;
}

static const rig_answer *composite(rig *r, uint8_t method, int format, int accept, const char *payload)
{
    const rig_request request = {.method = method,
                                 .path = "",
                                 .has_format = format >= 0,
                                 .format = (uint16_t)format,
                                 .has_accept = accept >= 0,
                                 .accept = (uint16_t)accept,
                                 .payload = payload,
                                 .len = strlen(payload)};
    return rig_ask(r, &request);
}

/* ---- reading ---- */

static void reads_what_is_there(void **state)
{
    static const struct {
        const char *name, *payload, *answer;
    } rows[] = {
        {"OMA int-280", "[{\"n\":\"/3/0/16\"},{\"n\":\"/3/0/6/1\"},{\"n\":\"/1/0/1\"}]",
         "[{\"n\":\"/3/0/16\",\"vs\":\"U\"},{\"n\":\"/3/0/6/1\",\"v\":5},{\"n\":\"/1/0/1\",\"v\":86400}]"},
        {"OMA int-281: an executable is left out",
         "[{\"n\":\"/1/0/1\"},{\"n\":\"/1/0/7\"},{\"n\":\"/1/0/8\"}]",
         "[{\"n\":\"/1/0/1\",\"v\":86400},{\"n\":\"/1/0/7\",\"vs\":\"U\"}]"},
        {"OMA int-236: what is not there is left out",
         "[{\"n\":\"/3339/0/5522\"},{\"n\":\"/3/0/9\"},{\"n\":\"/3353/0/6030\"},{\"n\":\"/33000/"
         "3\"},{\"n\":\"/3/0/99\"}]",
         "[{\"n\":\"/3/0/9\",\"v\":100}]"},
        {"an instance", "[{\"n\":\"/3303/0\"}]",
         "[{\"n\":\"/3303/0/5601\",\"v\":20},{\"n\":\"/3303/0/5602\",\"v\":22},{\"n\":\"/3303/0/"
         "5700\",\"v\":21},"
         "{\"n\":\"/3303/0/5701\",\"vs\":\"Cel\"}]"},
        {"an Object with a slash behind", "[{\"n\":\"/3303/\"}]",
         "[{\"n\":\"/3303/0/5601\",\"v\":20},{\"n\":\"/3303/0/5602\",\"v\":22},{\"n\":\"/3303/0/"
         "5700\",\"v\":21},"
         "{\"n\":\"/3303/0/5701\",\"vs\":\"Cel\"}]"},
        {"a multiple resource, and an element of it", "[{\"n\":\"/33000/0/8/5\"},{\"n\":\"/33000/0/8\"}]",
         "[{\"n\":\"/33000/0/8/0\",\"v\":10},{\"n\":\"/33000/0/8/5\",\"v\":50}]"},
        {"an element that is not there", "[{\"n\":\"/33000/0/8/4\"},{\"n\":\"/33000/0/0\"}]",
         "[{\"n\":\"/33000/0/0\",\"v\":7}]"},
        {"an element of a single resource", "[{\"n\":\"/33000/0/0/0\"},{\"n\":\"/33000/0/0\"}]",
         "[{\"n\":\"/33000/0/0\",\"v\":7}]"},
        {"a write-only one is left out", "[{\"n\":\"/33000/0/14\"},{\"n\":\"/33000/0/0\"}]",
         "[{\"n\":\"/33000/0/0\",\"v\":7}]"},
        {"the same twice", "[{\"n\":\"/33000/0/0\"},{\"n\":\"/3/0/9\"},{\"n\":\"/33000/0/0\"}]",
         "[{\"n\":\"/33000/0/0\",\"v\":7},{\"n\":\"/3/0/9\",\"v\":100}]"},
        {"base names", "[{\"bn\":\"/3/0/\",\"n\":\"9\"},{\"n\":\"16\"},{\"bn\":\"/33000/0/0\"}]",
         "[{\"n\":\"/3/0/9\",\"v\":100},{\"n\":\"/3/0/16\",\"vs\":\"U\"},{\"n\":\"/33000/0/0\",\"v\":7}]"},
        {"Security beside others", "[{\"n\":\"/0/0/0\"},{\"n\":\"/21\"},{\"n\":\"/33000/0/0\"}]",
         "[{\"n\":\"/33000/0/0\",\"v\":7}]"},
        {"nothing of it is there", "[{\"n\":\"/9999\"}]", "[]"},
        {"nothing of it can be read", "[{\"n\":\"/33000/0/15\"},{\"n\":\"/33000/0/14\"}]", "[]"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        rig *r = fresh();
        const rig_answer *answer = composite(r, FETCH, JSON, JSON, rows[i].payload);
        if (strcmp(rig_code(answer->code), "2.05") != 0 || strcmp(text_of(answer), rows[i].answer) != 0) {
            fail_msg("%s: %s %s", rows[i].name, rig_code(answer->code), text_of(answer));
        }
        assert_int_equal(answer->format, JSON);
        done(r);
    }
}

static void oma_int_235_the_root(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(composite(r, FETCH, JSON, JSON, "[{\"n\":\"/33000/0/0\"},{\"n\":\"/\"},{\"n\":\"/3\"}]"),
                "2.05");
    const char *all = text_of(&r->answer);
    assert_non_null(strstr(all, "\"/1/0/1\""));
    assert_non_null(strstr(all, "\"/3/0/16\""));
    assert_non_null(strstr(all, "\"/33000/1/8/5\""));
    assert_non_null(strstr(all, "\"/3303/0/5700\""));
    assert_null(strstr(all, "\"/0/"));
    const char *first = strstr(all, "\"/33000/0/0\"");
    assert_non_null(first);
    assert_null(strstr(first + 1, "\"/33000/0/0\"")); /* each value once */
    done(r);
}

static void the_format_is_the_one_asked_for(void **state)
{
    static const char names[] = "[{\"n\":\"/33000/0/0\"}]";
    rig *r = fresh();
    (void)state;
    assert_code(composite(r, FETCH, JSON, NO, names), "2.05");
    assert_int_equal(r->answer.format, JSON);
    assert_code(composite(r, FETCH, JSON, SCBOR, names), "2.05");
    assert_int_equal(r->answer.format, SCBOR);
    assert_memory_equal(r->answer.payload, "\x81\xA2\x00\x6A/33000/0/0\x02\x07", r->answer.len);
    assert_code(composite(r, FETCH, SCBOR, NO, "\x81\xA1\x20\x6A/33000/0/0"), "4.00"); /* -1: a version */
    assert_code(composite(r, FETCH, SCBOR, NO, "\x81\xA1\x21\x6A/33000/0/0"), "2.05");
    assert_int_equal(r->answer.format, SCBOR);
    done(r);
}

static void reading_is_refused(void **state)
{
    static const struct {
        const char *name, *path, *query;
        int format, accept;
        const char *payload, *code;
    } rows[] = {
        {"no format", "", NULL, NO, NO, "[{\"n\":\"/3\"}]", "4.00"},
        {"TLV", "", NULL, TLV, NO, "\xC1\x00\x05", "4.15"},
        {"text", "", NULL, TEXT, NO, "/3", "4.15"},
        {"a format that nobody knows", "", NULL, 999, NO, "/3", "4.15"},
        {"an answer in TLV", "", NULL, JSON, TLV, "[{\"n\":\"/3\"}]", "4.06"},
        {"an answer in links", "", NULL, JSON, 40, "[{\"n\":\"/3\"}]", "4.06"},
        {"no names", "", NULL, JSON, NO, "[]", "4.00"},
        {"no payload", "", NULL, JSON, NO, "", "4.00"},
        {"not JSON", "", NULL, JSON, NO, "[{\"n\":\"/3\"]", "4.00"},
        {"a name that is none", "", NULL, JSON, NO, "[{\"n\":\"/3/x\"}]", "4.00"},
        {"a value", "", NULL, JSON, NO, "[{\"n\":\"/3/0/9\",\"v\":1}]", "4.00"},
        {"a name too deep", "", NULL, JSON, NO, "[{\"n\":\"/3/0/6/0/0\"}]", "4.00"},
        {"only Security", "", NULL, JSON, NO, "[{\"n\":\"/0\"}]", "4.01"},
        {"only what is hidden", "", NULL, JSON, NO, "[{\"n\":\"/0/0/0\"},{\"n\":\"/21/0\"}]", "4.01"},
        {"a query", "", "pmin=1", JSON, NO, "[{\"n\":\"/3\"}]", "4.00"},
        {"to an Object", "/3", NULL, JSON, NO, "[{\"n\":\"/3\"}]", "4.05"},
        {"to Security", "/0", NULL, JSON, NO, "[{\"n\":\"/0\"}]", "4.01"},
        {"to what is not there", "/9", NULL, JSON, NO, "[{\"n\":\"/9\"}]", "4.04"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        rig *r = fresh();
        const rig_request request = {.method = FETCH,
                                     .path = rows[i].path,
                                     .query = rows[i].query,
                                     .has_format = rows[i].format >= 0,
                                     .format = (uint16_t)rows[i].format,
                                     .has_accept = rows[i].accept >= 0,
                                     .accept = (uint16_t)rows[i].accept,
                                     .payload = rows[i].payload,
                                     .len = strlen(rows[i].payload)};
        const rig_answer *answer = rig_ask(r, &request);
        if (strcmp(rig_code(answer->code), rows[i].code) != 0) {
            fail_msg("%s: %s instead of %s", rows[i].name, rig_code(answer->code), rows[i].code);
        }
        assert_int_equal(answer->len, 0);
        done(r);
    }
}

static void more_names_than_there_is_memory_for(void **state)
{
    static const struct {
        uint16_t count;
        const char *code;
    } rows[] = {{200, "2.05"}, {500, "4.13"}};
    uint8_t names[2048];
    rig *r = fresh();
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = 0;
        names[len++] = 0x99; /* an array with so many names, "0" and "1" in turn */
        names[len++] = (uint8_t)(rows[i].count >> 8);
        names[len++] = (uint8_t)rows[i].count;
        for (uint16_t k = 0; k < rows[i].count; k++) {
            const uint8_t name[] = {0xA1, 0x00, 0x61, (uint8_t)(k % 2 == 0 ? '3' : '9')};
            memcpy(names + len, name, sizeof name);
            len += sizeof name;
        }
        const rig_request request = {
            .method = FETCH, .path = "", .has_format = true, .format = SCBOR, .payload = names, .len = len};
        assert_code(rig_ask(r, &request), rows[i].code);
    }
    done(r);
}

/* ---- writing ---- */

static void oma_int_257_writes_several_objects(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(
        composite(r, IPATCH, JSON, NO,
                  "[{\"n\":\"/1/0/2\",\"v\":101},{\"n\":\"/1/0/6\",\"vb\":true},{\"n\":\"/3/0/"
                  "13\",\"v\":0},{\"n\":\"/33000/1/8/3\",\"v\":-5},{\"n\":\"/33000/0/4\",\"vs\":\"x\"}]"),
        "2.04");
    assert_int_equal(r->clock_s, 0);
    assert_int_equal(r->things[1].counts.count, 3);
    assert_int_equal(r->things[1].counts.value[1], -5);
    assert_string_equal(r->things[0].text, "x");
    assert_int_equal(r->things[0].number, 7);
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_CHANGED), 5);
    assert_code(rig_get(r, "/1/0/2", TEXT), "2.05");
    assert_string_equal(text_of(&r->answer), "101");
    done(r);
}

static void oma_int_230_the_lifetime_is_told(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(composite(r, IPATCH, SCBOR, NO, "\x82\xA3\x21\x65/1/0/\x20\x01"), "4.00");
    const rig_request request = {.method = IPATCH,
                                 .path = "",
                                 .has_format = true,
                                 .format = SCBOR,
                                 .payload = "\x82\xA3\x21\x65/1/0/\x00\x61"
                                            "1\x02\x18\x3D\xA2\x00\x61"
                                            "6\x04\xF5",
                                 .len = 21};
    assert_code(rig_ask(r, &request), "2.04");
    rig_run(r, 1000);
    assert_int_equal(r->updates, 1);
    assert_non_null(strstr(r->query, "lt=61"));
    done(r);
}

static void an_optional_resource_comes_to_be(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(rig_get(r, "/33000/0/13", NO), "4.04");
    assert_code(composite(r, IPATCH, JSON, NO, "[{\"n\":\"/33000/0/13\",\"v\":5}]"), "2.04");
    assert_code(rig_get(r, "/33000/0/13", NO), "2.05");
    done(r);
}

/* Every row writes something good first: all of it must be as before. */
static void writing_is_all_or_nothing(void **state)
{
#define GOOD \
    "[{\"n\":\"/33000/0/0\",\"v\":55},{\"n\":\"/33000/1/11\",\"v\":5},{\"n\":\"/33000/0/12\",\"v\":6},"
    static const struct {
        const char *name, *payload, *code;
    } rows[] = {
        {"an Object that is not there", GOOD "{\"n\":\"/9/0/0\",\"v\":1}]", "4.04"},
        {"an instance that is not there", GOOD "{\"n\":\"/33000/3/0\",\"v\":1}]", "4.04"},
        {"a resource that is not there", GOOD "{\"n\":\"/33000/0/99\",\"v\":1}]", "4.04"},
        {"Security", GOOD "{\"n\":\"/0/0/10\",\"v\":1}]", "4.01"},
        {"OSCORE", GOOD "{\"n\":\"/21/0/0\",\"v\":1}]", "4.01"},
        {"read-only", GOOD "{\"n\":\"/3/0/9\",\"v\":1}]", "4.05"},
        {"executable", GOOD "{\"n\":\"/33000/0/15\",\"v\":1}]", "4.05"},
        {"an element of a single one", GOOD "{\"n\":\"/33000/0/1/0\",\"v\":1}]", "4.05"},
        {"a multiple one as if it was single", GOOD "{\"n\":\"/33000/0/8\",\"v\":1}]", "4.00"},
        {"of another type", GOOD "{\"n\":\"/33000/0/3\",\"vs\":\"x\"}]", "4.00"},
        {"out of range", GOOD "{\"n\":\"/33000/1/0\",\"v\":5000}]", "4.00"},
        {"`check` refuses", GOOD "{\"n\":\"/33000/0/10\",\"v\":13}]", "4.00"},
        {"`set` refuses", GOOD "{\"n\":\"/33000/0/11\",\"v\":13}]", "5.00"},
        {"`set` refuses in the middle", GOOD "{\"n\":\"/33000/0/11\",\"v\":13},{\"n\":\"/1/0/1\",\"v\":77}]",
         "5.00"},
        {"more elements than there is room",
         GOOD "{\"n\":\"/33000/0/8/1\",\"v\":1},{\"n\":\"/33000/0/8/2\",\"v\":1},{\"n\":\"/33000/0/8/"
              "3\",\"v\":1}]",
         "4.01"},
        {"the same twice", GOOD "{\"n\":\"/33000/0/0\",\"v\":56}]", "4.00"},
        {"the same twice in a row",
         GOOD "{\"n\":\"/33000/0/4\",\"vs\":\"\"},{\"n\":\"/33000/0/4\",\"vs\":\"\"}]", "4.00"},
        {"an instance", GOOD "{\"n\":\"/33000/0\"}]", "4.00"},
        {"an instance with a value", GOOD "{\"n\":\"/33000/0\",\"v\":1}]", "4.00"},
        {"a name without a value", GOOD "{\"n\":\"/33000/0/4\"}]", "4.00"},
        {"the root", GOOD "{\"n\":\"/\"}]", "4.00"},
        {"a broken link", GOOD "{\"n\":\"/33000/0/7\",\"vlo\":\"33000:9\"}]", "4.00"},
        {"broken at the end", GOOD "{\"n\":\"/33000/0/4\",\"vs\":\"x\"}", "4.00"},
        {"two values in one", GOOD "{\"n\":\"/33000/0/4\",\"vs\":\"x\",\"v\":1}]", "4.00"},
        {"what must be understood", GOOD "{\"n\":\"/33000/0/4\",\"vs\":\"x\",\"q_\":1}]", "4.00"},
        {"nothing", "[]", "4.00"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        rig *r = fresh();
        rig_things before[RIG_THINGS];
        memcpy(before, r->things, sizeof before);
        r->things[1].stubborn_told = before[1].stubborn_told = 0;
        const rig_answer *answer = composite(r, IPATCH, JSON, NO, rows[i].payload);
        if (strcmp(rig_code(answer->code), rows[i].code) != 0) {
            fail_msg("%s: %s instead of %s", rows[i].name, rig_code(answer->code), rows[i].code);
        }
        if (memcmp(before, r->things, sizeof before) != 0) {
            fail_msg("%s: something changed", rows[i].name);
        }
        assert_int_equal(rig_events(r, DUNLIN_CLIENT_CHANGED), 0);
        rig_run(r, 1000);
        assert_int_equal(r->updates, 0);
        done(r);
    }
#undef GOOD
}

static void formats_of_a_write(void **state)
{
    static const char payload[] = "[{\"n\":\"/33000/0/0\",\"v\":55}]";
    rig *r = fresh();
    (void)state;
    assert_code(composite(r, IPATCH, NO, NO, payload), "4.00");
    assert_code(composite(r, IPATCH, TLV, NO, payload), "4.15");
    assert_code(composite(r, IPATCH, TEXT, NO, payload), "4.15");
    assert_code(composite(r, IPATCH, 320, NO, payload), "4.15");
    assert_int_equal(r->things[0].number, 7);
    assert_code(composite(r, DN_COAP_PATCH, JSON, NO, payload), "4.05");
    done(r);
}

static void not_in_1_0(void **state)
{
    rig *r = malloc(sizeof *r);
    (void)state;
    assert_non_null(r);
    rig_register(r, DUNLIN_LWM2M_1_0);
    assert_code(composite(r, FETCH, JSON, NO, "[{\"n\":\"/3\"}]"), "4.05");
    assert_code(composite(r, IPATCH, JSON, NO, "[{\"n\":\"/33000/0/0\",\"v\":55}]"), "4.05");
    done(r);
}

/* ---- two servers ---- */

static const rig_answer *composite_of(second *s, unsigned server, uint8_t method, const char *payload)
{
    return second_send(s, server, method, "", JSON, payload);
}

static void two_servers(void **state)
{
    static const dunlin_access accesses[] = {
        {33000, 0, 1, {1, {2}, {R}}},
        {33000, 1, 1, {1, {2}, {W}}},
        {3, 0, 1, {0, {0}, {0}}},
    };
    rig *r = malloc(sizeof *r);
    second *s = malloc(sizeof *s);
    (void)state;
    assert_non_null(r);
    assert_non_null(s);
    second_open(s, r, accesses, COUNT(accesses));
    assert_code(
        composite_of(s, 2, FETCH, "[{\"n\":\"/3/0/9\"},{\"n\":\"/33000/0/0\"},{\"n\":\"/33000/1/0\"}]"),
        "2.05");
    assert_string_equal(text_of(&r->answer), "[{\"n\":\"/33000/0/0\",\"v\":7}]");
    assert_code(composite_of(s, 2, FETCH, "[{\"n\":\"/3/0/9\"},{\"n\":\"/33000/1/0\"}]"), "4.01");
    assert_code(composite_of(s, 2, FETCH, "[{\"n\":\"/3/0/9\"},{\"n\":\"/9999/1/0\"}]"), "2.05");
    assert_string_equal(text_of(&r->answer), "[]");
    assert_code(composite_of(s, 2, FETCH, "[{\"n\":\"/\"}]"), "2.05");
    assert_non_null(strstr(text_of(&r->answer), "\"/33000/0/0\""));
    assert_non_null(strstr(text_of(&r->answer), "\"/2/0/3\""));
    assert_null(strstr(text_of(&r->answer), "\"/33000/1/0\""));
    assert_null(strstr(text_of(&r->answer), "\"/3/0/9\""));
    assert_null(strstr(text_of(&r->answer), "\"/1/0/1\""));
    /* a Write needs the right everywhere */
    assert_code(composite_of(s, 2, IPATCH, "[{\"n\":\"/33000/1/0\",\"v\":1},{\"n\":\"/33000/0/0\",\"v\":1}]"),
                "4.01");
    assert_int_equal(r->things[1].number, 7);
    assert_code(composite_of(s, 2, IPATCH, "[{\"n\":\"/33000/1/0\",\"v\":1},{\"n\":\"/33000/1/1\",\"v\":1}]"),
                "2.04");
    assert_int_equal(r->things[1].number, 1);
    second_close(s);
    free(s);
    free(r);
}

/* ---- the alternate path ---- */

static void below_an_alternate_path(void **state)
{
    rig *r = malloc(sizeof *r);
    (void)state;
    assert_non_null(r);
    rig_open(r, DUNLIN_LWM2M_1_1, 1);
    r->config.root_path = "/lwm2m";
    rig_remake(r);
    dunlin_server account = dunlin_server_default();
    strcpy(account.uri, "coap://server");
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_OK);
    dunlin_client_start(r->client, 0);
    rig_run(r, 100);
    assert_code(rig_get(r, "/lwm2m/3/0/9", NO), "2.05");
    assert_code(rig_get(r, "/3/0/9", NO), "4.04");
    assert_code(rig_get(r, "/lwm2m/0/0/0", NO), "4.01");
    assert_code(rig_get(r, "/lwm2m/x", NO), "4.00");
    assert_code(rig_get(r, "/lwm2", NO), "4.04");
    assert_code(rig_get(r, "/lwm2m", NO), "4.05");
    assert_code(rig_send(r, FETCH, "/lwm2m", JSON, "[{\"n\":\"/3/0/9\"}]"), "2.05");
    assert_code(rig_send(r, FETCH, "/lwm2m", JSON, "[{\"n\":\"/lwm2m/3/0/9\"}]"), "2.05");
    assert_string_equal(text_of(&r->answer), "[{\"n\":\"/3/0/9\",\"v\":100}]");
    assert_code(rig_send(r, FETCH, "", JSON, "[{\"n\":\"/3/0/9\"}]"), "4.04");
    assert_code(rig_send(r, IPATCH, "/lwm2m", JSON, "[{\"n\":\"/lwm2m/33000/0/0\",\"v\":9}]"), "2.04");
    assert_int_equal(r->things[0].number, 9);
    assert_code(rig_send(r, DN_COAP_POST, "/lwm2m/33000", JSON, "[{\"n\":\"/lwm2m/33000/2/0\",\"v\":9}]"),
                "2.01");
    done(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_there),
        cmocka_unit_test(oma_int_235_the_root),
        cmocka_unit_test(the_format_is_the_one_asked_for),
        cmocka_unit_test(reading_is_refused),
        cmocka_unit_test(more_names_than_there_is_memory_for),
        cmocka_unit_test(oma_int_257_writes_several_objects),
        cmocka_unit_test(oma_int_230_the_lifetime_is_told),
        cmocka_unit_test(an_optional_resource_comes_to_be),
        cmocka_unit_test(writing_is_all_or_nothing),
        cmocka_unit_test(formats_of_a_write),
        cmocka_unit_test(not_in_1_0),
        cmocka_unit_test(two_servers),
        cmocka_unit_test(below_an_alternate_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
