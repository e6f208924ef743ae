/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps a configuration from being one, at Bootstrap-Finish (Core 1.1.1 section 6.1.7.6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "client/bootstrap_operation.h"
#include "client/tree.h"
#include "tests/client/bootstrap_rig.h"

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define CHANGES_MAX 3

/* A change: a Write of SenML JSON to `path`, or a Delete of it. */
typedef struct {
    const char *path, *json;
} change;

typedef struct {
    const char *name;
    change changes[CHANGES_MAX];
    const char *path; /* of the fault; NULL: it is consistent */
    const char *why;
} row;

static void carry_out(bootstrap_rig *b, const row *r)
{
    for (size_t i = 0; i < CHANGES_MAX && r->changes[i].path != NULL; i++) {
        const change *c = &r->changes[i];
        const char *code =
            c->json == NULL ? bootstrap_rig_delete(b, c->path) : bootstrap_rig_put(b, c->path, c->json);
        if (code[0] != '2') {
            fail_msg("%s: %s of %s", r->name, code, c->path);
        }
    }
}

static void assert_fault(bootstrap_rig *b, const char *name, const char *path, const char *why)
{
    dn_bootstrap_fault fault = {.why = ""};
    char text[DUNLIN_PATH_TEXT_MAX + 1] = "";
    const bool consistent = dn_client_bootstrap_consistent(b->r.client, &fault);
    if (!consistent) {
        (void)dunlin_path_format(fault.path, text);
    }
    if (consistent != (path == NULL) ||
        (!consistent && (strcmp(text, path) != 0 || strcmp(fault.why, why) != 0))) {
        fail_msg("%s: %s %s", name, consistent ? "consistent" : text, fault.why);
    }
}

static void play(const row *rows, size_t count, bool accounts)
{
    for (size_t i = 0; i < count; i++) {
        bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, accounts);
        carry_out(b, &rows[i]);
        assert_fault(b, rows[i].name, rows[i].path, rows[i].why);
        bootstrap_rig_close(b);
    }
}

#define NO_SECURITY "no Security instance has this Short Server ID"
#define NO_SERVER   "no Server instance has this Short Server ID"
#define BAD_SSID    "the Short Server ID is missing or out of range"
#define MISSING     "a mandatory resource is missing"
#define BAD_URI     "the URI is none that can be reached"
#define BAD_KEYS    "the credentials do not go with the security mode"
#define BAD_MODE    "the security mode does not go with the URI"
#define TWO         "/0/2"

static const row account_rows[] = {
    {"two servers and access control", {{NULL, NULL}}, NULL, NULL},
    {"one server", {{"/0/2", NULL}}, NULL, NULL},
    {"without the bootstrap server",
     {{"/0/1/1", "[{\"vb\":false}]"}, {"/0/2", NULL}, {"/0/1", NULL}},
     NULL,
     NULL},
    {"no account at all", {{"/", NULL}}, "/", "no server account is complete"},
    {"Security alone", {{"/1/0", NULL}}, "/0/0/10", NO_SERVER},
    {"Server alone",
     {{"/0/2", NULL},
      {"/1/5", "[{\"n\":\"0\",\"v\":7},{\"n\":\"1\",\"v\":7},{\"n\":\"6\",\"vb\":true},{\"n\":\"7\","
               "\"vs\":\"U\"}]"}},
     "/1/5/0",
     NO_SECURITY},
    {"another id in Security", {{"/0/0/10", "[{\"v\":7}]"}}, "/0/0/10", NO_SERVER},
    {"another id in Server", {{"/1/1/0", "[{\"v\":7}]"}}, "/0/2/10", NO_SERVER},
    {"the same id in two Security instances",
     {{"/0/2/10", "[{\"v\":101}]"}},
     "/0/0/10",
     "two Security instances have the same Short Server ID"},
    {"the same id in two Server instances",
     {{"/0/2", NULL},
      {"/1/5", "[{\"n\":\"0\",\"v\":101},{\"n\":\"1\",\"v\":7},{\"n\":\"6\",\"vb\":true},{\"n\":\"7\","
               "\"vs\":\"U\"}]"}},
     "/1/0/0",
     "two Server instances have the same Short Server ID"},
    {"the id 0", {{"/0/0/10", "[{\"v\":0}]"}}, "/0/0/10", BAD_SSID},
    {"the id 65535", {{"/0/0/10", "[{\"v\":65535}]"}}, "/0/0/10", BAD_SSID},
    {"the id 65535 of a Server", {{"/1/0/0", "[{\"v\":65535}]"}}, "/0/0/10", NO_SERVER},
    {"no id in Security",
     {{"/0/2", NULL},
      {"/0/2", "[{\"n\":\"0\",\"vs\":\"coap://x\"},{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":3}]"}},
     "/0/2/10",
     BAD_SSID},
    {"no URI",
     {{"/0/2", NULL},
      {"/0/2", "[{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":3},{\"n\":\"10\",\"v\":102}]"}},
     "/0/2/0",
     MISSING},
    {"no bootstrap flag",
     {{"/0/2", NULL},
      {"/0/2", "[{\"n\":\"0\",\"vs\":\"coap://x\"},{\"n\":\"2\",\"v\":3},{\"n\":\"10\",\"v\":102}]"}},
     "/0/2/1",
     MISSING},
    {"no mode",
     {{"/0/2", NULL},
      {"/0/2", "[{\"n\":\"0\",\"vs\":\"coap://x\"},{\"n\":\"1\",\"vb\":false},{\"n\":\"10\",\"v\":102}]"}},
     "/0/2/2",
     MISSING},
    {"no id in Server",
     {{"/1/1", NULL},
      {"/1/1", "[{\"n\":\"1\",\"v\":7},{\"n\":\"6\",\"vb\":true},{\"n\":\"7\",\"vs\":\"U\"}]"}},
     "/1/1/0",
     MISSING},
    {"no lifetime",
     {{"/1/1", NULL},
      {"/1/1", "[{\"n\":\"0\",\"v\":102},{\"n\":\"6\",\"vb\":true},{\"n\":\"7\",\"vs\":\"U\"}]"}},
     "/1/1/1",
     MISSING},
    {"no storing",
     {{"/1/1", NULL}, {"/1/1", "[{\"n\":\"0\",\"v\":102},{\"n\":\"1\",\"v\":7},{\"n\":\"7\",\"vs\":\"U\"}]"}},
     "/1/1/6",
     MISSING},
    {"no binding",
     {{"/1/1", NULL}, {"/1/1", "[{\"n\":\"0\",\"v\":102},{\"n\":\"1\",\"v\":7},{\"n\":\"6\",\"vb\":true}]"}},
     "/1/1/7",
     MISSING},
    {"another Object's mandatory resource", {{"/33000/7/1", "[{\"v\":7}]"}}, "/33000/7/0", MISSING},
    {"what was deleted and is back",
     {{"/1/1", NULL},
      {"/1/1", "[{\"n\":\"0\",\"v\":102},{\"n\":\"1\",\"v\":7},{\"n\":\"6\",\"vb\":true},{\"n\":\"7\","
               "\"vs\":\"U\"}]"}},
     NULL,
     NULL},
};

static void accounts(void **state)
{
    (void)state;
    play(account_rows, COUNT(account_rows), true);
}

/* OMA int-9: nothing but the Disable Timeout of a server that there is not. */
static void oma_int_9_configuration_consistency(void **state)
{
    static const row rows[] = {
        {"int-9", {{"/1/0/5", "[{\"v\":86400}]"}}, "/1/0/0", MISSING},
        {"nothing was written", {{NULL, NULL}}, "/", "no server account is complete"},
    };
    (void)state;
    play(rows, COUNT(rows), false);
}

static void ways(void **state)
{
    static const row rows[] = {
        {"an empty URI", {{"/0/2/0", "[{\"vs\":\"\"}]"}}, "/0/2/0", BAD_URI},
        {"a URI of another kind", {{"/0/2/0", "[{\"vs\":\"http://x\"}]"}}, "/0/2/0", BAD_URI},
        {"TCP, which there is not", {{"/0/2/0", "[{\"vs\":\"coap+tcp://x\"}]"}}, "/0/2/0", BAD_URI},
        {"the bootstrap server's URI", {{"/0/1/0", "[{\"vs\":\"x\"}]"}}, "/0/1/0", BAD_URI},
        {"NoSec with coaps", {{"/0/2/0", "[{\"vs\":\"coaps://x\"}]"}}, "/0/2/2", BAD_MODE},
        {"PSK with coap", {{"/0/0/0", "[{\"vs\":\"coap://x\"}]"}}, "/0/0/2", BAD_MODE},
        {"PSK without a key", {{"/0/0/5", "[{\"vd\":\"\"}]"}}, "/0/0", BAD_KEYS},
        {"PSK without an identity", {{"/0/0/3", "[{\"vd\":\"\"}]"}}, "/0/0", BAD_KEYS},
        {"PSK with a server key", {{"/0/0/4", "[{\"vd\":\"YQ\"}]"}}, "/0/0", BAD_KEYS},
        {"NoSec with a key", {{"/0/2/5", "[{\"vd\":\"YQ\"}]"}}, "/0/2", BAD_KEYS},
        {"RPK with what PSK has", {{"/0/0/2", "[{\"v\":1}]"}}, "/0/0", BAD_KEYS},
        {"X.509 with what PSK has", {{"/0/0/2", "[{\"v\":2}]"}}, "/0/0", BAD_KEYS},
        {"RPK with all it needs",
         {{"/0/0", "[{\"n\":\"2\",\"v\":1},{\"n\":\"4\",\"vd\":\"YQ\"}]"}},
         NULL,
         NULL},
        {"the bootstrap server's key", {{"/0/1/5", "[{\"vd\":\"\"}]"}}, "/0/1", BAD_KEYS},
    };
    (void)state;
    play(rows, COUNT(rows), true);
}

static void access_control(void **state)
{
    static const row rows[] = {
        {"rights on no Object",
         {{"/2/3/0", "[{\"v\":4711}]"}},
         "/2/3",
         "the instance that rights are given on is not there"},
        {"rights on no instance",
         {{"/2/3/1", "[{\"v\":7}]"}},
         "/2/3",
         "the instance that rights are given on is not there"},
        {"rights on Security",
         {{"/2/3/0", "[{\"v\":0}]"}},
         "/2/3",
         "the instance that rights are given on is not there"},
        {"rights on an Object itself", {{"/2/3/1", "[{\"v\":65535}]"}}, NULL, NULL},
        {"rights on the same twice",
         {{"/2/3", "[{\"n\":\"0\",\"v\":3}]"}},
         "/2/2",
         "rights on the same instance are given twice"},
        {"an owner that is none", {{"/2/3/3", "[{\"v\":77}]"}}, "/2/3/3", "the owner is no server of ours"},
        {"rights of who is not there hurt nobody", {{"/2/3", "[{\"n\":\"2/77\",\"v\":1}]"}}, NULL, NULL},
        {"without the Object",
         {{"/2/7", "[{\"n\":\"1\",\"v\":0},{\"n\":\"3\",\"v\":101}]"}},
         "/2/7/0",
         MISSING},
        {"without the instance",
         {{"/2/7", "[{\"n\":\"0\",\"v\":3},{\"n\":\"3\",\"v\":101}]"}},
         "/2/7/1",
         MISSING},
        {"without an owner", {{"/2/7", "[{\"n\":\"0\",\"v\":3},{\"n\":\"1\",\"v\":0}]"}}, "/2/7/3", MISSING},
        {"a link to nothing",
         {{"/33000/0/7", "[{\"vlo\":\"33000:9\"}]"}},
         "/33000/0/7",
         "a link leads nowhere"},
        {"a link to no Object",
         {{"/33000/0/7", "[{\"vlo\":\"4711:0\"}]"}},
         "/33000/0/7",
         "a link leads nowhere"},
        {"OSCORE, which is not supported, is not passed over",
         {{"/21/0", "[{\"n\":\"0\",\"vd\":\"YQ\"},{\"n\":\"1\",\"vd\":\"YQ\"},{\"n\":\"2\",\"vd\":\"YQ\"}]"},
          {"/0/0/17", "[{\"vlo\":\"21:0\"}]"}},
         "/0/0/17",
         "OSCORE is not supported"},
        {"keys of OSCORE that are not there",
         {{"/0/0/17", "[{\"vlo\":\"21:0\"}]"}},
         "/0/0/17",
         "a link leads nowhere"},
        {"the null link", {{"/33000/0/7", "[{\"vlo\":\"65535:65535\"}]"}}, NULL, NULL},
        {"a link to an Object", {{"/33000/0/7", "[{\"vlo\":\"33000:65535\"}]"}}, NULL, NULL},
        {"what a link led to has gone",
         {{"/33000/0/7", "[{\"vlo\":\"33000:1\"}]"}, {"/33000/1", NULL}},
         "/33000/0/7",
         "a link leads nowhere"},
    };
    (void)state;
    play(rows, COUNT(rows), true);
}

/* However it came to be there: a Write does not let it in. */
static void a_second_bootstrap_server(void **state)
{
    bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, true);
    const dn_object_slot *slot = dn_client_tree_object(b->r.client, 0);
    (void)state;
    b->r.client->securities[dn_client_tree_instance(slot, 2)].bootstrap = true;
    assert_fault(b, "two of them", TWO, "a second bootstrap server's account");
    bootstrap_rig_close(b);
}

/* From one server to several takes Object 2. */
static void several_servers_need_access_control(void **state)
{
    static const char two[] =
        "[{\"bn\":\"/0/0/\",\"n\":\"0\",\"vs\":\"coap://"
        "one\"},{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":3},{\"n\":\"10\",\"v\":1},"
        "{\"bn\":\"/1/0/"
        "\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":300},{\"n\":\"6\",\"vb\":true},{\"n\":\"7\",\"vs\":\"U\"}"
        ","
        "{\"bn\":\"/0/2/\",\"n\":\"0\",\"vs\":\"coap://"
        "two\"},{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":3},{\"n\":\"10\",\"v\":2},"
        "{\"bn\":\"/1/1/"
        "\",\"n\":\"0\",\"v\":2},{\"n\":\"1\",\"v\":600},{\"n\":\"6\",\"vb\":false},{\"n\":\"7\",\"vs\":"
        "\"U\"}]";
    bootstrap_rig *b = calloc(1, sizeof *b);
    (void)state;
    assert_non_null(b);
    rig_open(&b->r, DUNLIN_LWM2M_1_1, 1);
    b->r.config.bootstrap = true;
    b->r.config.servers = 2;
    rig_remake(&b->r);
    assert_int_equal(dunlin_client_provision(b->r.client, dunlin_path_root(), 110, dunlin_slice_of(two)),
                     DUNLIN_OK);
    assert_fault(b, "two without Object 2", "/2", "several servers need access control");
    assert_string_equal(bootstrap_rig_delete(b, "/0/2"), "2.02");
    assert_fault(b, "one without Object 2", NULL, NULL);
    assert_string_equal(bootstrap_rig_put(b, "/2/0/0", "[{\"v\":3}]"), "4.04");
    bootstrap_rig_close(b);
}

/* What is told of an account that cannot be tried: in words, not as a number. */
static void ways_by_table(void **state)
{
    static const struct {
        const char *name;
        change change;
        const char *why;
    } rows[] = {
        {"as the factory has it", {NULL, NULL}, NULL},
        {"no URI", {"/0/1/0", "[{\"vs\":\"gopher://x\"}]"}, BAD_URI},
        {"no key", {"/0/1/5", "[{\"vd\":\"\"}]"}, BAD_KEYS},
        {"NoSec over DTLS", {"/0/1/2", "[{\"v\":3}]"}, BAD_KEYS},
        {"a URI without security", {"/0/1/0", "[{\"vs\":\"coap://bs\"}]"}, BAD_MODE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        bootstrap_rig *b = bootstrap_rig_open(DUNLIN_LWM2M_1_1, false);
        const row one = {.name = rows[i].name, .changes = {rows[i].change}};
        carry_out(b, &one);
        const char *why = dn_client_bootstrap_way_fault(b->r.client, &b->r.client->securities[0]);
        if ((why == NULL) != (rows[i].why == NULL) || (why != NULL && strcmp(why, rows[i].why) != 0)) {
            fail_msg("%s: %s", rows[i].name, why == NULL ? "nothing" : why);
        }
        bootstrap_rig_close(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ways_by_table),
        cmocka_unit_test(accounts),
        cmocka_unit_test(oma_int_9_configuration_consistency),
        cmocka_unit_test(ways),
        cmocka_unit_test(access_control),
        cmocka_unit_test(a_second_bootstrap_server),
        cmocka_unit_test(several_servers_need_access_control),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
