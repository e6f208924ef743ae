/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bootstraps that go wrong, as the whole client goes through them: configurations that are none, peers that vanish, operations in the
 * wrong order or from the wrong server, power that fails. Each gets the right code, nothing of it is kept, and the device finds home.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "client/bootstrap_operation.h"
#include "client/image.h"
#include "tests/client/image.h"
#include "tests/client/sequence.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LINK         40
#define STEPS_MAX    6
#define QUIET_S      247

static const char SECURITY[] =
    "[{\"bn\":\"/0/0/\",\"n\":\"0\",\"vs\":\"coap://server\"},{\"n\":\"1\",\"vb\":false},"
    "{\"n\":\"2\",\"v\":3},{\"n\":\"3\",\"vd\":\"\"},{\"n\":\"4\",\"vd\":\"\"},"
    "{\"n\":\"5\",\"vd\":\"\"},{\"n\":\"10\",\"v\":1}]";
static const char SERVER[] =
    "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":300},{\"n\":\"6\",\"vb\":true},"
    "{\"n\":\"7\",\"vs\":\"U\"}]";
/* Another server, beside the first one. */
static const char SECOND[] =
    "[{\"bn\":\"/0/2/\",\"n\":\"0\",\"vs\":\"coap://server\"},{\"n\":\"1\",\"vb\":false},"
    "{\"n\":\"2\",\"v\":3},{\"n\":\"10\",\"v\":2}]";

#define PUT(path, json)            \
    {                              \
        DN_COAP_PUT, path, json, 0 \
    }
#define DELETE(path)                  \
    {                                 \
        DN_COAP_DELETE, path, NULL, 0 \
    }
#define FINISH                       \
    {                                \
        DN_COAP_POST, "/bs", NULL, 0 \
    }
#define DISCOVER                     \
    {                                \
        DN_COAP_GET, "/", NULL, LINK \
    }
#define ACCOUNT PUT("/0", SECURITY), PUT("/1", SERVER)

static const sequence_step whole[] = {ACCOUNT, DISCOVER, FINISH};

static void expect(const char *what, const char *is, const char *should_be)
{
    if (strcmp(is, should_be) != 0) {
        fail_msg("%s: \"%s\" instead of \"%s\"", what, is, should_be);
    }
}

static void script(sequence *s, const sequence_step *steps, size_t count)
{
    s->steps = steps;
    s->step_count = count;
}

static sequence *opened(const sequence_step *steps, size_t count)
{
    sequence *s = malloc(sizeof *s);
    assert_non_null(s);
    sequence_open(s, DUNLIN_LWM2M_1_1);
    script(s, steps, count);
    return s;
}

static void closed(sequence *s)
{
    sequence_close(s);
    free(s);
}

/* The bootstrap server does it well from now on: the device comes home by itself. */
static void assert_finds_home(sequence *s, const char *what, unsigned seconds)
{
    script(s, whole, COUNT(whole));
    s->mute = false;
    s->mute_after = 0;
    s->request_code = DN_COAP_CHANGED;
    sequence_run(s, seconds);
    if (!dunlin_client_registered(s->r.client)) {
        fail_msg("%s: it has not come home: %s", what, s->log);
    }
    expect(what, sequence_value(s, "/0/0/0"), "coap://server");
    expect(what, sequence_value(s, "/1/0/1"), "300");
}

/* ---- configurations that are none ---- */

typedef struct {
    const char *name;
    sequence_step steps[STEPS_MAX]; /* Finish follows */
    const char *why;                /* what its answer says */
} bad_row;

#define MISSING "a mandatory resource is missing"

static const bad_row bad_rows[] = {
    {"nothing", {{0, NULL, NULL, 0}}, "no server account is complete"},
    {"OMA int-9", {PUT("/1/0/5", "[{\"v\":86400}]")}, MISSING},
    {"Security alone", {PUT("/0", SECURITY)}, "no Server instance has this Short Server ID"},
    {"Server alone", {PUT("/1", SERVER)}, "no Security instance has this Short Server ID"},
    {"ids that do not meet",
     {ACCOUNT, PUT("/1/0/0", "[{\"v\":2}]")},
     "no Server instance has this Short Server ID"},
    {"two Security instances with the same id",
     {ACCOUNT, PUT("/0/2", SECOND), PUT("/0/2/10", "[{\"v\":1}]")},
     "two Security instances have the same Short Server ID"},
    {"two Server instances with the same id",
     {ACCOUNT, PUT("/1/1", "[{\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":300},{\"n\":\"6\",\"vb\":true},"
                           "{\"n\":\"7\",\"vs\":\"U\"}]")},
     "two Server instances have the same Short Server ID"},
    {"the id 0", {ACCOUNT, PUT("/0/0/10", "[{\"v\":0}]")}, "the Short Server ID is missing or out of range"},
    {"Security without a URI",
     {PUT("/1", SERVER),
      PUT("/0/0", "[{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":3},{\"n\":\"10\",\"v\":1}]")},
     MISSING},
    {"Server without a binding",
     {PUT("/0", SECURITY),
      PUT("/1/0", "[{\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":300},{\"n\":\"6\",\"vb\":true}]")},
     MISSING},
    {"a URI of no transport",
     {ACCOUNT, PUT("/0/0/0", "[{\"vs\":\"gopher://server\"}]")},
     "the URI is none that can be reached"},
    {"a secured URI without credentials",
     {ACCOUNT, PUT("/0/0/0", "[{\"vs\":\"coaps://server\"}]")},
     "the security mode does not go with the URI"},
    {"PSK without a key",
     {ACCOUNT, PUT("/0/0/2", "[{\"v\":0}]")},
     "the credentials do not go with the security mode"},
    {"rights on what is not there",
     {ACCOUNT, PUT("/2/0", "[{\"n\":\"0\",\"v\":33000},{\"n\":\"1\",\"v\":77},{\"n\":\"3\",\"v\":1}]")},
     "the instance that rights are given on is not there"},
    {"an owner that is not there",
     {ACCOUNT, PUT("/2/0", "[{\"n\":\"0\",\"v\":3},{\"n\":\"1\",\"v\":0},{\"n\":\"3\",\"v\":9}]")},
     "the owner is no server of ours"},
    {"a link to what is not there",
     {ACCOUNT, PUT("/33000/0/7", "[{\"vlo\":\"33000:77\"}]")},
     "a link leads nowhere"},
    {"a link to what was deleted",
     {ACCOUNT, PUT("/33000/0/7", "[{\"vlo\":\"33000:1\"}]"), DELETE("/33000/1")},
     "a link leads nowhere"},
    {"the account deleted again", {ACCOUNT, DELETE("/0/0")}, "no server account is complete"},
    {"its own account broken",
     {ACCOUNT, PUT("/0/1/0", "[{\"vs\":\"\"}]")},
     "the URI is none that can be reached"},
};

/* The steps of a row and Finish behind them. */
static size_t with_finish(const bad_row *row, sequence_step *out)
{
    static const sequence_step finish = FINISH;
    size_t count = 0;
    while (count < STEPS_MAX && row->steps[count].path != NULL) {
        out[count] = row->steps[count];
        count++;
    }
    out[count] = finish;
    return count + 1;
}

/* All that a bootstrap could have changed. */
typedef struct {
    uint8_t bytes[SEQUENCE_IMAGE_MAX];
    size_t len;
    rig_things things[RIG_THINGS];
} kept;

static void take(const sequence *s, kept *k)
{
    dunlin_buf out = dunlin_buf_make(k->bytes, sizeof k->bytes);
    assert_int_equal(dn_client_image_write(s->r.client, &out), DUNLIN_OK);
    k->len = out.len;
    memcpy(k->things, s->r.things, sizeof k->things);
}

/* 4.06 with the reason; nothing of it is kept when no more comes; and the next bootstrap is a good one. */
static void configurations_that_are_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_rows); i++) {
        const bad_row *row = &bad_rows[i];
        sequence_step steps[STEPS_MAX + 1];
        kept *before = malloc(sizeof *before);
        kept *after = malloc(sizeof *after);
        assert_true(before != NULL && after != NULL);
        sequence *s = opened(steps, with_finish(row, steps));
        take(s, before);
        sequence_start(s);
        sequence_run(s, 2);
        const size_t len = strlen(s->codes);
        if (len < 4 || strcmp(s->codes + len - 4, "4.06") != 0 || strcmp(s->answer, row->why) != 0 ||
            strstr(s->codes, "4.00") != NULL || strstr(s->codes, "5.") != NULL) {
            fail_msg("%s: %s, %s", row->name, s->codes, s->answer);
        }
        assert_false(dunlin_client_registered(s->r.client));
        sequence_run(s, QUIET_S);
        expect(row->name, s->log, "0B 0b 247-");
        take(s, after);
        if (before->len != after->len || memcmp(before->bytes, after->bytes, before->len) != 0 ||
            memcmp(before->things, after->things, sizeof before->things) != 0) {
            fail_msg("%s: something was kept", row->name);
        }
        assert_finds_home(s, row->name, 100);
        free(before);
        free(after);
        closed(s);
    }
}

/* What was wrong can be put right before the time is over (Core 1.1.1 section 6.1.7.6). */
static void each_of_them_can_be_repaired(void **state)
{
    static const sequence_step repair[] = {
        DELETE("/"), PUT("/33000/0", "[{\"n\":\"7\",\"vlo\":\"3:0\"},{\"n\":\"0\",\"v\":1}]"),
        PUT("/0/1/0", "[{\"vs\":\"coap://other\"}]"), ACCOUNT, FINISH};
    (void)state;
    for (size_t i = 0; i < COUNT(bad_rows); i++) {
        sequence_step steps[STEPS_MAX + 1];
        sequence *s = opened(steps, with_finish(&bad_rows[i], steps));
        sequence_start(s);
        sequence_run(s, 2);
        s->codes[0] = '\0';
        sequence_ask(s, repair, COUNT(repair));
        sequence_run(s, 2);
        expect(bad_rows[i].name, s->codes, "2.02 2.04 2.04 2.04 2.04 2.04");
        expect(bad_rows[i].name, s->log, "0B 0b 2+ 2R1");
        closed(s);
    }
}

/* The same for a device that is registered: it stays what it was, and where it was. */
static void a_registered_device_is_left_as_it_was(void **state)
{
    (void)state;
    for (size_t i = 1; i < COUNT(bad_rows); i++) {
        sequence_step steps[STEPS_MAX + 2] = {DELETE("/0")};
        sequence *s = opened(steps, 1 + with_finish(&bad_rows[i], steps + 1));
        sequence_add(s, "coap://server");
        sequence_start(s);
        sequence_run(s, 1);
        expect("lifetime", sequence_value(s, "/1/0/1"), "86400");
        assert_int_equal(dunlin_client_bootstrap(s->r.client, 1000), DUNLIN_OK);
        sequence_run(s, 2);
        const size_t len = strlen(s->codes);
        expect(bad_rows[i].name, s->codes + len - 4, "4.06");
        sequence_run(s, QUIET_S);
        assert_true(dunlin_client_registered(s->r.client));
        expect(bad_rows[i].name, sequence_value(s, "/1/0/1"), "86400");
        expect(bad_rows[i].name, sequence_value(s, "/0/1/0"), "coap://other");
        assert_int_equal(rig_get(&s->r, "/3/0/0", -1)->code, DN_COAP_CONTENT);
        closed(s);
    }
}

/* ---- Writes that are refused ---- */

static void refused_operations_do_no_harm(void **state)
{
    static const struct {
        const char *name;
        sequence_step step;
        const char *code;
    } rows[] = {
        {"a second bootstrap server",
         PUT("/0/5",
             "[{\"n\":\"0\",\"vs\":\"coap://evil\"},{\"n\":\"1\",\"vb\":true},{\"n\":\"2\",\"v\":3}]"),
         "4.00"},
        {"an Object that is not there", PUT("/4711", "[{\"n\":\"0/0\",\"v\":1}]"), "4.04"},
        {"a resource instance", PUT("/2/0/2/1", "[{\"v\":1}]"), "4.05"},
        {"no format", {DN_COAP_PUT, "/1/0/1", NULL, 0}, "4.15"},
        {"no JSON", PUT("/1/0", "[{"), "4.00"},
        {"its own account deleted", DELETE("/0/1"), "4.00"},
        {"Device deleted", DELETE("/3/0"), "4.00"},
        {"a resource deleted", DELETE("/1/0/1"), "4.00"},
        {"Security read", {DN_COAP_GET, "/0", NULL, 110}, "4.05"},
        {"a key read", {DN_COAP_GET, "/0/1/5", NULL, 110}, "4.05"},
        {"an instance discovered", {DN_COAP_GET, "/1/0", NULL, LINK}, "4.00"},
        {"an Execute", {DN_COAP_POST, "/3/0/4", NULL, 0}, "4.05"},
        {"a Composite", {DN_COAP_FETCH, "/", "[{\"n\":\"/3\"}]", 0}, "4.05"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const sequence_step steps[] = {ACCOUNT, rows[i].step, FINISH};
        char codes[64] = "2.04 2.04 ";
        sequence *s = opened(steps, COUNT(steps));
        sequence_start(s);
        sequence_run(s, 2);
        strcat(strcat(codes, rows[i].code), " 2.04");
        expect(rows[i].name, s->codes, codes);
        expect(rows[i].name, s->log, "0B 0b 0+ 0R1");
        assert_int_equal(s->r.reboots, 0);
        closed(s);
    }
}

/* ---- peers that vanish ---- */

/* The bootstrap server, before it has answered, and after each answer. */
static void the_bootstrap_server_vanishes(void **state)
{
    (void)state;
    for (size_t after = 0; after <= COUNT(whole); after++) {
        sequence *s = opened(whole, COUNT(whole));
        s->mute = after == 0;
        s->mute_after = after;
        sequence_start(s);
        sequence_run(s, 500);
        if (after < COUNT(whole)) {
            assert_false(dunlin_client_registered(s->r.client));
            expect("taken back", sequence_value(s, "/0/0/0"), "-");
        }
        assert_finds_home(s, "vanished", 1000);
        closed(s);
    }
}

/* It takes the request and says no more. */
static void it_has_nothing_to_say(void **state)
{
    sequence *s = opened(whole, 0);
    (void)state;
    sequence_start(s);
    sequence_run(s, QUIET_S + 2);
    expect("events", s->log, "0B 0b 247-");
    assert_finds_home(s, "nothing to say", 100);
    closed(s);
}

static const sequence_step nowhere[] = {
    PUT("/0", "[{\"bn\":\"/0/0/\",\"n\":\"0\",\"vs\":\"coap://"
              "nowhere\"},{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":3},{\"n\":\"10\",\"v\":1}]"),
    PUT("/1", "[{\"bn\":\"/1/0/"
              "\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":300},{\"n\":\"6\",\"vb\":true},{\"n\":\"7\","
              "\"vs\":\"U\"},"
              "{\"n\":\"17\",\"v\":1},{\"n\":\"18\",\"v\":5},{\"n\":\"20\",\"v\":1}]"),
    FINISH};

/* The server that it was given is not there, or does not want it: back to the bootstrap server, who knows better by then. */
static void the_server_is_not_there(void **state)
{
    sequence *s = opened(nowhere, COUNT(nowhere));
    (void)state;
    sequence_start(s);
    sequence_run(s, 2);
    expect("answers", s->codes, "2.04 2.04 2.04");
    assert_false(dunlin_client_registered(s->r.client));
    assert_finds_home(s, "no server", 400);
    closed(s);

    s = opened(whole, COUNT(whole));
    s->r.register_code = DN_COAP_FORBIDDEN;
    sequence_start(s);
    sequence_run(s, 100);
    assert_false(dunlin_client_registered(s->r.client));
    s->r.register_code = DN_COAP_CREATED;
    assert_finds_home(s, "not wanted", 2000);
    closed(s);
}

/* It keeps being told the same: it asks again, but ever more rarely. A registration ends that. */
static void a_wrong_address_is_no_storm(void **state)
{
    static const uint64_t asked_s[] = {0, 60, 180, 420, 900};
    sequence *s = opened(nowhere, COUNT(nowhere));
    (void)state;
    sequence_start(s);
    sequence_run(s, 1000);
    assert_int_equal(s->requests, COUNT(asked_s));
    assert_memory_equal(s->asked_s, asked_s, sizeof asked_s);
    assert_finds_home(s, "the right address at last", 1000);
    assert_int_equal(s->requests, COUNT(asked_s) + 1);
    s->r.register_code = DN_COAP_FORBIDDEN; /* the next failure is a new one */
    dunlin_client_restart(s->r.client, dn_simlink_now(s->r.link));
    sequence_run(s, 10);
    assert_int_equal(s->requests, COUNT(asked_s) + 2);
    closed(s);
}

/* ---- the wrong order ---- */

static void wrong_orders(void **state)
{
    static const struct {
        const char *name;
        sequence_step steps[STEPS_MAX];
        const char *codes;
        bool registers;
    } rows[] = {
        {"Finish first", {FINISH, ACCOUNT, FINISH}, "4.06 2.04 2.04 2.04", true},
        {"Object 1 first", {PUT("/1", SERVER), PUT("/0", SECURITY), FINISH}, "2.04 2.04 2.04", true},
        {"Discover first", {DISCOVER, ACCOUNT, FINISH}, "2.05 2.04 2.04 2.04", true},
        {"Delete in the middle",
         {ACCOUNT, DELETE("/"), ACCOUNT, FINISH},
         "2.04 2.04 2.02 2.04 2.04 2.04",
         true},
        {"Delete at the end", {ACCOUNT, DELETE("/"), FINISH}, "2.04 2.04 2.02 4.06", false},
        {"rights before what they are on",
         {PUT("/2/0", "[{\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":0},{\"n\":\"3\",\"v\":1}]"), ACCOUNT,
          FINISH},
         "2.04 2.04 2.04 2.04",
         true},
        {"Finish twice", {ACCOUNT, FINISH, FINISH}, "2.04 2.04 2.04 2.04", true},
        {"two tries to finish",
         {PUT("/0", SECURITY), FINISH, FINISH, PUT("/1", SERVER), FINISH},
         "2.04 4.06 4.06 2.04 2.04",
         true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t count = 0;
        while (count < STEPS_MAX && rows[i].steps[count].path != NULL) {
            count++;
        }
        sequence *s = opened(rows[i].steps, count);
        sequence_start(s);
        sequence_run(s, 2);
        expect(rows[i].name, s->codes, rows[i].codes);
        assert_int_equal(dunlin_client_registered(s->r.client), rows[i].registers);
        if (!rows[i].registers) {
            sequence_run(s, QUIET_S);
            assert_finds_home(s, rows[i].name, 100);
        }
        closed(s);
    }
}

/* ---- others than the bootstrap server ---- */

static const rig_request attacks[] = {
    {.method = DN_COAP_PUT,
     .path = "/0",
     .payload = SECURITY,
     .len = sizeof SECURITY - 1,
     .format = 110,
     .has_format = true},
    {.method = DN_COAP_PUT,
     .path = "/0/0",
     .payload = SECURITY,
     .len = sizeof SECURITY - 1,
     .format = 110,
     .has_format = true},
    {.method = DN_COAP_PUT,
     .path = "/0/1/0",
     .payload = "coap://evil",
     .len = 11,
     .format = 0,
     .has_format = true},
    {.method = DN_COAP_PUT,
     .path = "/1",
     .payload = SERVER,
     .len = sizeof SERVER - 1,
     .format = 110,
     .has_format = true},
    {.method = DN_COAP_PUT, .path = "/1/0/0", .payload = "7", .len = 1, .format = 0, .has_format = true},
    {.method = DN_COAP_PUT, .path = "/1/0/17", .payload = "7", .len = 1, .format = 0, .has_format = true},
    {.method = DN_COAP_PUT, .path = "/2/0/3", .payload = "7", .len = 1, .format = 0, .has_format = true},
    {.method = DN_COAP_DELETE, .path = "/"},
    {.method = DN_COAP_DELETE, .path = "/0"},
    {.method = DN_COAP_DELETE, .path = "/0/1"},
    {.method = DN_COAP_DELETE, .path = "/1"},
    {.method = DN_COAP_DELETE, .path = "/1/0"},
    {.method = DN_COAP_DELETE, .path = "/2"},
    {.method = DN_COAP_DELETE, .path = "/3/0"},
    {.method = DN_COAP_GET, .path = "/", .accept = LINK, .has_accept = true},
    {.method = DN_COAP_GET, .path = "/0", .accept = LINK, .has_accept = true},
    {.method = DN_COAP_GET, .path = "/0/1", .accept = 110, .has_accept = true},
    {.method = DN_COAP_GET, .path = "/0/1/5"},
    {.method = DN_COAP_POST, .path = "/bs"},
};

/* Operations of a bootstrap on the channel of a server (Core 1.1.1 section 6.1.7: they are the bootstrap server's alone). */
static void a_server_cannot_bootstrap(void **state)
{
    static const char *const codes[] = {"4.01", "4.01", "4.01", "4.05", "4.05", "4.05", "4.04",
                                        "4.05", "4.01", "4.01", "4.05", "4.05", "4.05", "4.05",
                                        "4.05", "4.01", "4.01", "4.01", "4.00"};
    image *before = malloc(sizeof *before);
    image *after = malloc(sizeof *after);
    sequence *s = opened(whole, COUNT(whole));
    (void)state;
    assert_true(before != NULL && after != NULL);
    sequence_start(s);
    sequence_run(s, 2);
    assert_true(dunlin_client_registered(s->r.client));
    image_take(&s->r, before);
    assert_int_equal(COUNT(codes), COUNT(attacks));
    for (size_t i = 0; i < COUNT(attacks); i++) {
        expect(attacks[i].path, rig_code(rig_ask(&s->r, &attacks[i])->code), codes[i]);
    }
    image_take(&s->r, after);
    assert_true(image_equal(before, after));
    assert_false(dunlin_client_bootstrapping(s->r.client));
    free(before);
    free(after);
    closed(s);
}

/* While the bootstrap server is at work as well: nothing that a server does then ends or changes it. */
static void a_server_cannot_interfere(void **state)
{
    static const sequence_step first[] = {PUT("/0", SECURITY)};
    static const sequence_step rest[] = {PUT("/1", SERVER), FINISH};
    image *before = malloc(sizeof *before);
    image *after = malloc(sizeof *after);
    sequence *s = opened(first, COUNT(first));
    (void)state;
    assert_true(before != NULL && after != NULL);
    sequence_add(s, "coap://server");
    sequence_start(s);
    sequence_run(s, 1);
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 1000), DUNLIN_OK);
    sequence_run(s, 2);
    expect("answers", s->codes, "2.04");
    image_take(&s->r, before);
    for (size_t i = 0; i < COUNT(attacks); i++) {
        expect(attacks[i].path, rig_code(rig_ask(&s->r, &attacks[i])->code), "5.03");
    }
    image_take(&s->r, after);
    assert_true(image_equal(before, after));
    sequence_ask(s, rest, COUNT(rest));
    sequence_run(s, 2);
    expect("answers", s->codes, "2.04 2.04 2.04");
    assert_true(dunlin_client_registered(s->r.client));
    free(before);
    free(after);
    closed(s);
}

/* Nor is a device bootstrapped by who is nobody to it: a bootstrap server whose account has gone, or one before it has begun. */
static void a_stranger_is_not_heard(void **state)
{
    sequence *s = opened(whole, COUNT(whole));
    (void)state;
    sequence_make(s, -1);
    sequence_add(s, "coap://server");
    sequence_start(s);
    sequence_run(s, 1);
    sequence_ask(s, whole, COUNT(whole));
    sequence_run(s, 300);
    expect("answers", s->codes, dunlin_status_text(DUNLIN_ERR_TIMEOUT));
    expect("events", s->log, "0R1");
    expect("lifetime", sequence_value(s, "/1/0/1"), "86400");
    assert_true(dunlin_client_count(s->r.client).strangers > 0);
    closed(s);
}

/* ---- power that fails ---- */

/* As a device begins after its power was cut: with what was saved, or as it left the factory. */
static void power_up(sequence *s, const char *factory)
{
    sequence_make(s, s->saved_len > 0 ? -1 : 0);
    if (s->saved_len > 0) {
        assert_int_equal(dunlin_client_restore(s->r.client, dunlin_slice_make(s->saved, s->saved_len)),
                         DUNLIN_OK);
    } else if (factory != NULL) {
        sequence_add(s, factory);
    }
    s->log[0] = s->codes[0] = '\0';
    s->mute = false;
    s->mute_after = 0;
    sequence_start(s);
}

static void cut_at_each_step_of_the_first_bootstrap(void **state)
{
    (void)state;
    for (size_t after = 0; after <= COUNT(whole); after++) {
        sequence *s = opened(whole, COUNT(whole));
        s->mute = after == 0;
        s->mute_after = after;
        sequence_start(s);
        sequence_run(s, 2);
        power_up(s, NULL);
        const bool finished = after == COUNT(whole);
        expect("what is there", sequence_value(s, "/0/0/0"), finished ? "coap://server" : "-");
        expect("what is there", sequence_value(s, "/0/1/0"), "coap://other");
        assert_finds_home(s, "power", 100);
        expect("bootstraps again unless it was finished", strchr(s->log, '+') == NULL ? "no" : "yes",
               finished ? "no" : "yes");
        closed(s);
    }
}

/* A device that moves from one server's account to another: it has the old one or the new one, whole. */
static void cut_at_each_step_of_a_change(void **state)
{
    static const sequence_step change[] = {
        DELETE("/0"),
        DELETE("/1"),
        PUT("/0/3", "[{\"n\":\"0\",\"vs\":\"coap://"
                    "server\"},{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":3},{\"n\":\"10\",\"v\":9}]"),
        PUT("/1/3", "[{\"n\":\"0\",\"v\":9},{\"n\":\"1\",\"v\":55},{\"n\":\"6\",\"vb\":true},{\"n\":\"7\","
                    "\"vs\":\"U\"}]"),
        DISCOVER,
        FINISH};
    (void)state;
    for (size_t after = 0; after <= COUNT(change); after++) {
        dn_bootstrap_fault fault;
        sequence *s = opened(whole, COUNT(whole));
        sequence_start(s);
        sequence_run(s, 2);
        assert_true(dunlin_client_registered(s->r.client));
        script(s, change, COUNT(change));
        s->mute = after == 0;
        s->mute_after = after;
        assert_int_equal(dunlin_client_bootstrap(s->r.client, 2000), DUNLIN_OK);
        sequence_run(s, 2);
        power_up(s, NULL);
        const bool finished = after == COUNT(change);
        assert_true(dn_client_bootstrap_consistent(s->r.client, &fault));
        expect("old", sequence_value(s, "/0/0/0"), finished ? "-" : "coap://server");
        expect("old", sequence_value(s, "/1/0/1"), finished ? "-" : "300");
        expect("new", sequence_value(s, "/0/3/0"), finished ? "coap://server" : "-");
        expect("new", sequence_value(s, "/1/3/1"), finished ? "55" : "-");
        sequence_run(s, 2);
        assert_true(dunlin_client_registered(s->r.client));
        assert_null(strchr(s->log, '+'));
        closed(s);
    }
}

/* What was saved is told from what was not: the power fails while it is being written, the old one stays. */
static void cut_while_it_is_saved(void **state)
{
    sequence *s = opened(whole, COUNT(whole));
    (void)state;
    s->save_status = DUNLIN_ERR_IO;
    sequence_start(s);
    sequence_run(s, 2);
    expect("answers", s->codes, "2.04 2.04 2.05 5.00");
    s->save_status = DUNLIN_OK;
    power_up(s, NULL);
    expect("what is there", sequence_value(s, "/0/0/0"), "-");
    assert_finds_home(s, "power", 100);
    closed(s);
}

/* ---- what needs little, and what needs more ---- */

/* After the first bootstrap nothing has to be written: the configuration that results is what counts (Core 1.1.1 section 6.1.2). */
static void a_few_resources_are_enough(void **state)
{
    static const sequence_step little[] = {PUT("/1/0/1", "[{\"v\":77}]"), FINISH};
    static const sequence_step nothing[] = {FINISH};
    sequence *s = opened(whole, COUNT(whole));
    (void)state;
    sequence_start(s);
    sequence_run(s, 2);
    script(s, little, COUNT(little));
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 2000), DUNLIN_OK);
    sequence_run(s, 2);
    expect("lifetime", sequence_value(s, "/1/0/1"), "77");
    expect("where", sequence_value(s, "/0/0/0"), "coap://server");
    expect("events", s->log, "0B 0b 0+ 0R1 2b 2+ 2U1");
    script(s, nothing, COUNT(nothing));
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 4000), DUNLIN_OK);
    sequence_run(s, 2);
    expect("events", s->log, "0B 0b 0+ 0R1 2b 2+ 2U1 4b 4+ 4U1");
    assert_true(dunlin_client_registered(s->r.client));
    closed(s);
}

/* A second account comes with who may do what (Core 1.1.1 section 8.1). */
static void from_one_server_to_several(void **state)
{
    static const sequence_step more[] = {
        PUT("/0/2", SECOND),
        PUT("/1/1", "[{\"n\":\"0\",\"v\":2},{\"n\":\"1\",\"v\":300},{\"n\":\"6\",\"vb\":true},{\"n\":\"7\","
                    "\"vs\":\"U\"}]"),
        PUT("/2", "[{\"bn\":\"/2/0/\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":0},{\"n\":\"3\",\"v\":1},"
                  "{\"bn\":\"/2/1/\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":1},{\"n\":\"3\",\"v\":2},"
                  "{\"bn\":\"/2/2/\",\"n\":\"0\",\"v\":3},{\"n\":\"1\",\"v\":0},{\"n\":\"2/1\",\"v\":15},"
                  "{\"n\":\"2/2\",\"v\":1},{\"n\":\"3\",\"v\":65535}]"),
        FINISH};
    sequence *s = opened(whole, COUNT(whole));
    (void)state;
    sequence_start(s);
    sequence_run(s, 2);
    assert_int_equal(dunlin_access_rights(s->r.client, 1, 3, 0), 15);
    script(s, more, COUNT(more));
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 2000), DUNLIN_OK);
    sequence_run(s, 2);
    assert_int_equal(s->r.registers, 2);
    assert_true(dunlin_client_registered(s->r.client));
    assert_int_equal(dunlin_access_rights(s->r.client, 1, 3, 0), 15);
    assert_int_equal(dunlin_access_rights(s->r.client, 2, 3, 0), 1);
    assert_int_equal(dunlin_access_rights(s->r.client, 2, 1, 0), 0);
    closed(s);
}

/* ---- observers ---- */

/* Who observes what a bootstrap takes away is told at its end, and not before; if all is taken back there is nothing to tell. */
static void observers_are_told_at_the_end(void **state)
{
    static const rig_request observe = {
        .method = DN_COAP_GET, .path = "/33000/1/0", .observe = true, .token = 7};
    static const rig_request attribute = {.method = DN_COAP_PUT, .path = "/33000/1/0", .query = "pmin=3"};
    static const sequence_step steps[] = {DELETE("/33000/1")};
    static const sequence_step all[] = {DELETE("/33000/1"), FINISH};
    sequence *s = opened(steps, COUNT(steps));
    (void)state;
    sequence_add(s, "coap://server");
    sequence_start(s);
    sequence_run(s, 1);
    assert_int_equal(rig_ask(&s->r, &attribute)->code, DN_COAP_CHANGED);
    assert_int_equal(rig_ask(&s->r, &observe)->code, DN_COAP_CONTENT);
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 1100), DUNLIN_OK);
    sequence_run(s, QUIET_S + 3);
    expect("answers", s->codes, "2.02");
    expect("events", s->log, "0R1 1b 248- 248U1");
    assert_int_equal(s->r.notify_count, 0);
    expect("back", sequence_value(s, "/33000/1/0"), "7");
    rig_get(&s->r, "/33000/1/0", LINK);
    s->r.answer.payload[s->r.answer.len] = '\0';
    assert_non_null(strstr((const char *)s->r.answer.payload, "pmin=3"));
    s->r.things[1].number = 8;
    dunlin_changed(s->r.client, dunlin_path_instance(33000, 1));
    sequence_run(s, 5);
    assert_int_equal(s->r.notify_count, 1);
    assert_int_equal(s->r.notified[0].code, DN_COAP_CONTENT);
    script(s, all, COUNT(all));
    assert_int_equal(dunlin_client_bootstrap(s->r.client, dn_simlink_now(s->r.link)), DUNLIN_OK);
    sequence_run(s, 5);
    assert_int_equal(s->r.notify_count, 2);
    assert_int_equal(s->r.notified[1].code, DN_COAP_NOT_FOUND);
    assert_true(dunlin_client_registered(s->r.client));
    closed(s);
}

/* ---- a smartcard ---- */

/* What a bootstrap takes away of a card's account comes back with what is known of it when the bootstrap is broken off. */
static void a_cards_account_is_not_lost(void **state)
{
    static const sequence_step steps[] = {DELETE("/"), DISCOVER};
    /* /0/0 of "coap://server" and /1/0, Short Server ID 1, a lifetime of 60 s. */
    static const uint8_t file[] = {0x00, 0x02, 0x00, 0x35, 0x00, 0x00, 0x00, 0x00, 0x1C, 0x08, 0x00, 0x19,
                                   0xC8, 0x00, 0x0D, 0x63, 0x6F, 0x61, 0x70, 0x3A, 0x2F, 0x2F, 0x73, 0x65,
                                   0x72, 0x76, 0x65, 0x72, 0xC1, 0x01, 0x00, 0xC1, 0x02, 0x03, 0xC1, 0x0A,
                                   0x01, 0x00, 0x01, 0x00, 0x00, 0x0F, 0x08, 0x00, 0x0C, 0xC1, 0x00, 0x01,
                                   0xC1, 0x01, 0x3C, 0xC1, 0x06, 0x01, 0xC1, 0x07, 0x55};
    sequence *s = opened(steps, COUNT(steps));
    (void)state;
    s->card = file;
    s->card_len = sizeof file;
    sequence_make(s, 0);
    sequence_start(s);
    sequence_run(s, 2);
    expect("events", s->log, "0K 0R1");
    assert_int_equal(dunlin_client_bootstrap(s->r.client, 2000), DUNLIN_OK);
    sequence_run(s, 2);
    expect("answers", s->codes, "2.02 2.05");
    expect("deleted", sequence_value(s, "/0/0/0"), "-");
    sequence_run(s, QUIET_S + 2);
    expect("back", sequence_value(s, "/0/0/0"), "coap://server");
    assert_true(dn_client_card_gave(s->r.client, 1));
    assert_true(dunlin_client_registered(s->r.client));
    closed(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configurations_that_are_none),
        cmocka_unit_test(each_of_them_can_be_repaired),
        cmocka_unit_test(a_registered_device_is_left_as_it_was),
        cmocka_unit_test(refused_operations_do_no_harm),
        cmocka_unit_test(the_bootstrap_server_vanishes),
        cmocka_unit_test(it_has_nothing_to_say),
        cmocka_unit_test(the_server_is_not_there),
        cmocka_unit_test(a_wrong_address_is_no_storm),
        cmocka_unit_test(wrong_orders),
        cmocka_unit_test(a_server_cannot_bootstrap),
        cmocka_unit_test(a_server_cannot_interfere),
        cmocka_unit_test(a_stranger_is_not_heard),
        cmocka_unit_test(cut_at_each_step_of_the_first_bootstrap),
        cmocka_unit_test(cut_at_each_step_of_a_change),
        cmocka_unit_test(cut_while_it_is_saved),
        cmocka_unit_test(a_few_resources_are_enough),
        cmocka_unit_test(from_one_server_to_several),
        cmocka_unit_test(observers_are_told_at_the_end),
        cmocka_unit_test(a_cards_account_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
