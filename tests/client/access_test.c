/* SPDX-License-Identifier: Apache-2.0 */
/* Access control: two servers, Object 2, and what each of them may do (Core 1.1.1 chapter 8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/second.h"

#define NO       (-1)
#define GET      DN_COAP_GET
#define PUT      DN_COAP_PUT
#define POST     DN_COAP_POST
#define DELETE   DN_COAP_DELETE
#define THINGS   33000
#define NOBODY   DUNLIN_ACCESS_OWNER_BOOTSTRAP
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { R = 1, W = 2, E = 4, D = 8, C = 16, TEXT = 0, LINK = 40, JSON = 110, SCBOR = 112, TLV = 11542 };

/*
 * /2/0  server 1 owns /33000/0 and has no entry; server 2 may read it.
 * /2/1  server 2 owns /33000/1, with an entry of its own that takes the right to write; others may read and write.
 * /2/2  /3/0 is of the bootstrap: 1 may read, write and execute; 2 may execute.
 * /2/3  server 1 may create instances of 33000; a default says that all may, which counts for nothing.
 * /2/4, /2/5  each server owns its account.
 */
static const dunlin_access accesses[] = {
    {THINGS, 0, 1, {1, {2}, {R}}},
    {THINGS, 1, 2, {2, {0, 2}, {R | W, R | E | D}}},
    {3, 0, NOBODY, {2, {1, 2}, {R | W | E, E}}},
    {THINGS, 65535, NOBODY, {2, {0, 1}, {C, C}}},
    {1, 0, 1, {0, {0}, {0}}},
    {1, 1, 2, {0, {0}, {0}}},
};

typedef struct {
    rig r;
    second s;
} pair;

static pair *open_pair(void)
{
    pair *p = malloc(sizeof *p);
    assert_non_null(p);
    second_open(&p->s, &p->r, accesses, COUNT(accesses));
    return p;
}

static void done(pair *p)
{
    second_close(&p->s);
    free(p);
}

static void assert_code(const rig_answer *answer, const char *code)
{
    assert_string_equal(rig_code(answer->code), code);
}

static bool holds(const rig_answer *answer, const char *text)
{
    char copy[sizeof answer->payload + 1];
    memcpy(copy, answer->payload, answer->len);
    copy[answer->len] = '\0';
    return strstr(copy, text) != NULL;
}

/* ---- the algorithm ---- */

static void rights_follow_the_algorithm(void **state)
{
    static const struct {
        const char *name;
        uint16_t server, object, instance;
        uint8_t rights;
    } rows[] = {
        {"the owner without an entry has all but Create", 1, THINGS, 0, R | W | E | D},
        {"an entry of one's own", 2, THINGS, 0, R},
        {"no entry and no default", 3, THINGS, 0, 0},
        {"the owner's entry takes rights away", 2, THINGS, 1, R | E | D},
        {"the default", 1, THINGS, 1, R | W},
        {"the default for one that has no account", 9, THINGS, 1, R | W},
        {"owned by the bootstrap", 1, 3, 0, R | W | E},
        {"owned by the bootstrap, another entry", 2, 3, 0, E},
        {"nothing is said", 1, THINGS, 7, 0},
        {"nothing is said of an Object that is not there", 1, 40000, 0, 0},
        {"Create by an entry", 1, THINGS, 65535, C},
        {"Create is never given by default", 2, THINGS, 65535, 0},
        {"Create where nothing is said", 1, 3303, 65535, 0},
        {"Object 2: the owner manages", 1, 2, 0, R | W},
        {"Object 2: others look", 2, 2, 0, R},
        {"Object 2: nobody manages what a bootstrap made", 1, 2, 2, R},
        {"Object 2: not there", 1, 2, 50, 0},
    };
    pair *p = open_pair();
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const uint8_t rights =
            dunlin_access_rights(p->r.client, rows[i].server, rows[i].object, rows[i].instance);
        if (rights != rows[i].rights) {
            fail_msg("%s: %u instead of %u", rows[i].name, rights, rows[i].rights);
        }
    }
    done(p);
}

static void one_server_has_all_rights_but_what_object_2_says(void **state)
{
    static dunlin_access access[2] = {{THINGS, 0, NOBODY, {1, {1}, {R}}}};
    rig *r = malloc(sizeof *r);
    (void)state;
    assert_non_null(r);
    rig_open(r, DUNLIN_LWM2M_1_1, 1);
    assert_int_equal(dunlin_access_rights(r->client, 1, THINGS, 0), R | W | E | D);
    assert_int_equal(dunlin_access_rights(r->client, 1, THINGS, 65535), C);
    assert_int_equal(dunlin_access_add(r->client, access, 2, 1), DUNLIN_OK);
    assert_int_equal(dunlin_access_rights(r->client, 1, THINGS, 0), R);
    assert_int_equal(dunlin_access_rights(r->client, 1, THINGS, 1), R | W | E | D);
    dunlin_client_start(r->client, 0);
    rig_run(r, 100);
    assert_code(rig_get(r, "/33000/0/0", NO), "2.05");
    assert_code(rig_send(r, PUT, "/33000/0/0", TEXT, "5"), "4.01");
    assert_code(rig_send(r, PUT, "/33000/1/0", TEXT, "5"), "2.04");
    assert_int_equal(dunlin_client_count(r->client).denied, 1);
    /* created by the only server there is: nothing is said about it */
    assert_code(rig_send(r, POST, "/33000", JSON, "[{\"n\":\"/33000/2/0\",\"v\":4}]"), "2.01");
    assert_code(rig_get(r, "/2/1", NO), "4.04");
    rig_close(r);
    free(r);
}

static void a_second_account_needs_object_2(void **state)
{
    static dunlin_access access[1];
    rig *r = malloc(sizeof *r);
    dunlin_server account = dunlin_server_default();
    (void)state;
    assert_non_null(r);
    rig_open(r, DUNLIN_LWM2M_1_1, 1);
    r->config.servers = 2;
    rig_remake(r);
    (void)snprintf(account.uri, sizeof account.uri, "coap://server");
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_OK);
    account.ssid = 2;
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_ERR_STATE);
    assert_int_equal(dunlin_access_add(r->client, access, 1, 0), DUNLIN_OK);
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_OK);
    rig_close(r);
    free(r);
}

/* ---- operations ---- */

typedef struct {
    const char *name;
    unsigned server;
    uint8_t method;
    const char *path, *query;
    int format;
    const char *payload, *code;
} access_row;

static void run_rows(const access_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pair *p = open_pair();
        rig_things before[RIG_THINGS];
        dunlin_access access[SECOND_ACCESS_MAX];
        const access_row *row = &rows[i];
        const rig_request request = {.method = row->method,
                                     .path = row->path,
                                     .query = row->query,
                                     .has_format = row->format >= 0,
                                     .format = (uint16_t)row->format,
                                     .payload = row->payload,
                                     .len = row->payload == NULL ? 0 : strlen(row->payload)};
        memcpy(before, p->r.things, sizeof before);
        memcpy(access, p->s.access, sizeof access);
        const rig_answer *answer = second_ask(&p->s, row->server, &request);
        if (strcmp(rig_code(answer->code), row->code) != 0) {
            fail_msg("%s: %s instead of %s", row->name, rig_code(answer->code), row->code);
        }
        if (answer->code >= DN_COAP_BAD_REQUEST) {
            assert_memory_equal(before, p->r.things, sizeof before);
            assert_memory_equal(access, p->s.access, sizeof access);
        }
        done(p);
    }
}

static void each_operation_asks_for_its_right(void **state)
{
    static const access_row rows[] = {
        {"Read with R", 2, GET, "/33000/0/0", NULL, NO, NULL, "2.05"},
        {"Read of an instance with R", 2, GET, "/33000/0", NULL, NO, NULL, "2.05"},
        {"Read of an element with R", 2, GET, "/33000/0/8/5", NULL, NO, NULL, "2.05"},
        {"Read without R", 2, GET, "/3/0/0", NULL, NO, NULL, "4.01"},
        {"Read of an instance without R", 2, GET, "/3/0", NULL, NO, NULL, "4.01"},
        {"Read where nothing is said", 1, GET, "/3303/0/5700", NULL, NO, NULL, "4.01"},
        {"Read of an Object, with nothing to read", 1, GET, "/3303", NULL, NO, NULL, "2.05"},
        {"Write with W by default", 1, PUT, "/33000/1/0", NULL, TEXT, "5", "2.04"},
        {"Write without W", 2, PUT, "/33000/0/0", NULL, TEXT, "5", "4.01"},
        {"Write of an instance without W", 2, POST, "/33000/0", NULL, JSON, "[]", "4.01"},
        {"Replace without W", 2, PUT, "/33000/0", NULL, JSON, "[]", "4.01"},
        {"an owner that has an entry without W", 2, PUT, "/33000/1/0", NULL, TEXT, "5", "4.01"},
        {"Execute with E", 2, POST, "/33000/1/15", NULL, NO, NULL, "2.04"},
        {"Execute with E but without R", 2, POST, "/3/0/4", NULL, NO, NULL, "2.04"},
        {"Execute without E", 1, POST, "/33000/1/15", NULL, NO, NULL, "4.01"},
        {"Delete with D", 2, DELETE, "/33000/1", NULL, NO, NULL, "2.02"},
        {"Delete without D", 1, DELETE, "/33000/1", NULL, NO, NULL, "4.01"},
        {"Delete by an owner", 1, DELETE, "/33000/0", NULL, NO, NULL, "2.02"},
        {"Create with C", 1, POST, "/33000", NULL, JSON, "[{\"n\":\"/33000/2/0\",\"v\":4}]", "2.01"},
        {"Create without C", 2, POST, "/33000", NULL, JSON, "[{\"n\":\"/33000/2/0\",\"v\":4}]", "4.01"},
        {"Create where nothing is said", 1, POST, "/3303", NULL, JSON, "[]", "4.01"},
        {"Write-Attributes with R", 2, PUT, "/33000/0/0", "pmin=3", NO, NULL, "2.04"},
        {"Write-Attributes without R", 2, PUT, "/3/0/9", "pmin=3", NO, NULL, "4.01"},
        {"Write-Attributes of an Object", 2, PUT, "/3", "pmin=3", NO, NULL, "2.04"},
        {"the other's account", 2, GET, "/1/0", NULL, NO, NULL, "4.01"},
        {"the other's lifetime", 2, PUT, "/1/0/1", NULL, TEXT, "100", "4.01"},
        {"disabling the other", 1, POST, "/1/1/4", NULL, NO, NULL, "4.01"},
        {"one's own account", 2, GET, "/1/1", NULL, NO, NULL, "2.05"},
    };
    (void)state;
    run_rows(rows, COUNT(rows));
}

static void checks_come_in_order(void **state)
{
    static const access_row rows[] = {
        {"existence before rights", 2, GET, "/33000/3", NULL, NO, NULL, "4.04"},
        {"existence of a resource before rights", 2, GET, "/3/0/999", NULL, NO, NULL, "4.04"},
        {"hidden before existence", 2, GET, "/0/9", NULL, NO, NULL, "4.01"},
        {"OSCORE, which is not there", 2, GET, "/21", NULL, NO, NULL, "4.01"},
        {"rights before what can be done: not executable", 1, POST, "/33000/1/0", NULL, NO, NULL, "4.01"},
        {"rights before what can be done: not writable", 2, PUT, "/33000/0/16", NULL, TEXT, "x", "4.01"},
        {"rights before what can be done: fixed Object", 1, POST, "/3303", NULL, NO, NULL, "4.01"},
        {"rights before formats", 2, PUT, "/33000/0/0", NULL, 9999, "5", "4.01"},
        {"rights before payloads", 2, PUT, "/33000/0/0", NULL, TEXT, "x", "4.01"},
        {"no such operation at all", 1, DELETE, "/3303", NULL, NO, NULL, "4.05"},
        {"with the right, what can be done: not writable", 1, PUT, "/33000/0/16", NULL, TEXT, "x", "4.05"},
        {"with the right, what can be done: Delete", 1, DELETE, "/1/0", NULL, NO, NULL, "4.05"},
    };
    (void)state;
    run_rows(rows, COUNT(rows));
}

static void an_object_shows_what_may_be_read(void **state)
{
    pair *p = open_pair();
    (void)state;
    p->r.things[0].number = 111;
    p->r.things[1].number = 222;
    assert_code(second_get(&p->s, 2, "/33000", JSON), "2.05");
    assert_true(holds(&p->r.answer, "111") && holds(&p->r.answer, "222"));
    p->s.access[0].rights.value[0] = W;
    assert_code(second_get(&p->s, 2, "/33000", JSON), "2.05");
    assert_false(holds(&p->r.answer, "111"));
    assert_true(holds(&p->r.answer, "222"));
    assert_code(second_get(&p->s, 1, "/33000", JSON), "2.05");
    assert_true(holds(&p->r.answer, "111") && holds(&p->r.answer, "222"));
    /* Discover needs no right (Core 1.1.1 section 8.2.2) */
    assert_code(second_get(&p->s, 2, "/33000", LINK), "2.05");
    assert_true(holds(&p->r.answer, "</33000/0/0>"));
    assert_code(second_get(&p->s, 2, "/3/0", LINK), "2.05");
    done(p);
}

static void change_number(pair *p, uint16_t instance, int32_t number)
{
    p->r.things[instance].number = number;
    dunlin_changed(p->r.client, dunlin_path_resource(THINGS, instance, 0));
    rig_run(&p->r, 2000);
}

/* Before each notification the right to read is asked for (Core 1.1.1 section 8.2). */
static void without_the_right_nobody_is_notified(void **state)
{
    pair *p = open_pair();
    rig_request request = {.method = GET, .path = "/33000/0/0", .observe = true, .token = 1};
    (void)state;
    assert_code(second_ask(&p->s, 2, &request), "2.05");
    change_number(p, 0, 5);
    assert_int_equal(p->s.notified, 1);
    assert_code(second_send(&p->s, 1, PUT, "/2/0/2/2", TEXT, "2"), "2.04");
    const unsigned before = p->s.notified;
    change_number(p, 0, 6);
    change_number(p, 0, 7);
    assert_true(p->s.notified <= before + 1); /* it may be told that it has ended */
    assert_null(strstr(p->s.told, "7"));
    assert_null(strstr(p->s.told, "6"));
    done(p);
}

static void an_observed_object_shows_what_may_be_read(void **state)
{
    pair *p = open_pair();
    const rig_request request = {
        .method = GET, .path = "/33000", .observe = true, .token = 1, .has_accept = true, .accept = JSON};
    (void)state;
    assert_code(second_ask(&p->s, 2, &request), "2.05");
    change_number(p, 0, 311);
    assert_int_equal(p->s.notified, 1);
    assert_non_null(strstr(p->s.told, "311"));
    assert_code(second_send(&p->s, 1, PUT, "/2/0/2/2", TEXT, "2"), "2.04");
    rig_run(&p->r, 2000);
    change_number(p, 0, 312);
    change_number(p, 1, 313);
    assert_non_null(strstr(p->s.told, "313"));
    assert_null(strstr(p->s.told, "312"));
    done(p);
}

static void an_observed_composite_shows_what_may_be_read(void **state)
{
    static const char names[] = "[{\"n\":\"/33000/0/0\"},{\"n\":\"/3/0/9\"}]";
    pair *p = open_pair();
    const rig_request request = {.method = DN_COAP_FETCH,
                                 .path = "",
                                 .observe = true,
                                 .token = 1,
                                 .has_format = true,
                                 .format = JSON,
                                 .has_accept = true,
                                 .accept = JSON,
                                 .payload = names,
                                 .len = sizeof names - 1};
    (void)state;
    assert_code(second_ask(&p->s, 2, &request), "2.05"); /* 2 may not read /3/0 */
    change_number(p, 0, 311);
    assert_int_equal(p->s.notified, 1);
    assert_string_equal(p->s.told, "[{\"n\":\"/33000/0/0\",\"v\":311}]");
    done(p);
}

static void attributes_are_each_servers_own(void **state)
{
    pair *p = open_pair();
    rig_request request = {.method = PUT, .path = "/33000/0/0", .query = "pmin=3"};
    (void)state;
    assert_code(second_ask(&p->s, 1, &request), "2.04");
    request.query = "pmax=99";
    assert_code(second_ask(&p->s, 2, &request), "2.04");
    assert_code(second_get(&p->s, 1, "/33000/0/0", LINK), "2.05");
    assert_true(holds(&p->r.answer, "pmin=3"));
    assert_false(holds(&p->r.answer, "pmax"));
    assert_code(second_get(&p->s, 2, "/33000/0/0", LINK), "2.05");
    assert_true(holds(&p->r.answer, "pmax=99"));
    assert_false(holds(&p->r.answer, "pmin"));
    done(p);
}

static void what_a_server_creates_is_its_own(void **state)
{
    static const char payload[] = "[{\"n\":\"/33000/2/0\",\"v\":4}]";
    pair *p = open_pair();
    (void)state;
    const unsigned updates = p->r.updates;
    const unsigned other = p->s.updates;
    assert_code(second_send(&p->s, 1, POST, "/33000", JSON, payload), "2.01");
    assert_int_equal(p->s.access[6].object, THINGS);
    assert_int_equal(p->s.access[6].instance, 2);
    assert_int_equal(p->s.access[6].owner, 1);
    rig_run(&p->r, 1000);
    assert_int_equal(p->r.updates, updates + 1);
    assert_int_equal(p->s.updates, other + 1);
    assert_non_null(strstr(p->r.list, "</2/6>"));
    assert_non_null(strstr(p->r.list, "</33000/2>"));
    assert_code(second_get(&p->s, 1, "/33000/2/0", NO), "2.05");
    assert_code(second_get(&p->s, 2, "/33000/2/0", NO), "4.01");
    /* the owner lets the other one read and write */
    assert_code(second_send(&p->s, 1, PUT, "/2/6/2", JSON, "[{\"n\":\"/2/6/2/2\",\"v\":3}]"), "2.04");
    assert_code(second_get(&p->s, 2, "/33000/2/0", NO), "2.05");
    assert_code(second_send(&p->s, 2, PUT, "/33000/2/0", TEXT, "8"), "2.04");
    assert_code(second_send(&p->s, 2, DELETE, "/33000/2", NO, NULL), "4.01");
    /* and when it goes, what is said about it goes */
    assert_code(second_send(&p->s, 1, DELETE, "/33000/2", NO, NULL), "2.02");
    assert_code(second_get(&p->s, 1, "/2/6", NO), "4.04");
    rig_run(&p->r, 1000);
    assert_null(strstr(p->r.list, "</2/6>"));
    done(p);
}

static void without_room_in_object_2_nothing_is_created(void **state)
{
    dunlin_access full[SECOND_ACCESS_MAX];
    pair *p = malloc(sizeof *p);
    (void)state;
    assert_non_null(p);
    memcpy(full, accesses, sizeof accesses);
    for (size_t i = COUNT(accesses); i < SECOND_ACCESS_MAX; i++) {
        full[i] = (dunlin_access){40000, (uint16_t)i, NOBODY, {0, {0}, {0}}};
    }
    second_open(&p->s, &p->r, full, SECOND_ACCESS_MAX);
    const unsigned updates = p->r.updates;
    assert_code(second_send(&p->s, 1, POST, "/33000", JSON, "[{\"n\":\"/33000/2/0\",\"v\":4}]"), "5.00");
    assert_code(second_get(&p->s, 1, "/33000/2", NO), "4.04");
    rig_run(&p->r, 1000);
    assert_int_equal(p->r.updates, updates);
    done(p);
}

/* ---- Object 2 itself ---- */

static void object_2_is_managed_by_owners_only(void **state)
{
    static const access_row rows[] = {
        {"the owner reads", 1, GET, "/2/0", NULL, NO, NULL, "2.05"},
        {"another reads", 2, GET, "/2/0", NULL, NO, NULL, "2.05"},
        {"the owner gives rights", 1, PUT, "/2/0/2", NULL, JSON, "[{\"n\":\"/2/0/2/2\",\"v\":15}]", "2.04"},
        {"the owner gives one right", 1, PUT, "/2/0/2/2", NULL, TEXT, "3", "2.04"},
        {"another gives itself rights", 2, PUT, "/2/0/2", NULL, JSON, "[{\"n\":\"/2/0/2/2\",\"v\":15}]",
         "4.01"},
        {"another takes it over", 2, PUT, "/2/0/3", NULL, TEXT, "2", "4.01"},
        {"what a bootstrap made", 1, PUT, "/2/2/2/1", NULL, TEXT, "31", "4.01"},
        {"the right to create", 1, PUT, "/2/3/2/1", NULL, TEXT, "16", "4.01"},
        {"the owner hands it over", 1, PUT, "/2/0/3", NULL, TEXT, "2", "2.04"},
        {"the owner leaves it to the bootstrap", 1, PUT, "/2/0/3", NULL, TEXT, "65535", "2.04"},
        {"to a server that is not there", 1, PUT, "/2/0/3", NULL, TEXT, "7", "4.00"},
        {"what it is about is fixed: Object", 1, PUT, "/2/0/0", NULL, TEXT, "3", "4.05"},
        {"what it is about is fixed: instance", 1, PUT, "/2/0/1", NULL, TEXT, "3", "4.05"},
        {"bits that are none", 1, PUT, "/2/0/2/2", NULL, TEXT, "32", "4.00"},
        {"a replace without an owner", 1, PUT, "/2/0", NULL, JSON, "[{\"n\":\"/2/0/2/2\",\"v\":1}]", "4.00"},
        {"Create", 1, POST, "/2", NULL, JSON, "[{\"n\":\"/2/9/3\",\"v\":1}]", "4.01"},
        {"Delete by the owner", 1, DELETE, "/2/0", NULL, NO, NULL, "4.01"},
        {"Delete by another", 2, DELETE, "/2/0", NULL, NO, NULL, "4.01"},
    };
    (void)state;
    run_rows(rows, COUNT(rows));
}

static void owners_are_read_as_numbers(void **state)
{
    pair *p = open_pair();
    (void)state;
    assert_code(second_get(&p->s, 1, "/2/3", JSON), "2.05");
    assert_true(holds(&p->r.answer, "{\"n\":\"1\",\"v\":65535}"));
    assert_true(holds(&p->r.answer, "{\"n\":\"3\",\"v\":65535}"));
    assert_true(holds(&p->r.answer, "{\"n\":\"2/1\",\"v\":16}"));
    done(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rights_follow_the_algorithm),
        cmocka_unit_test(one_server_has_all_rights_but_what_object_2_says),
        cmocka_unit_test(a_second_account_needs_object_2),
        cmocka_unit_test(each_operation_asks_for_its_right),
        cmocka_unit_test(checks_come_in_order),
        cmocka_unit_test(an_object_shows_what_may_be_read),
        cmocka_unit_test(without_the_right_nobody_is_notified),
        cmocka_unit_test(an_observed_object_shows_what_may_be_read),
        cmocka_unit_test(an_observed_composite_shows_what_may_be_read),
        cmocka_unit_test(attributes_are_each_servers_own),
        cmocka_unit_test(what_a_server_creates_is_its_own),
        cmocka_unit_test(without_room_in_object_2_nothing_is_created),
        cmocka_unit_test(object_2_is_managed_by_owners_only),
        cmocka_unit_test(owners_are_read_as_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
