/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials of accounts: what is accepted, how Object 0 holds them, that nobody reads them who should not, and what a way
 * is asked for with (Transport 1.1.1 section 5.2.8, Core 1.1.1 appendix E.1).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/ways.h"

#define MAX 128u /* config.credential_max of these tests */

static const uint8_t filler[600] = {7};

typedef struct {
    const char *name;
    const char *uri;
    int mode;
    size_t identity, server_key, secret; /* lengths */
    int matching, usage;                 /* 0 stands for absent, n for n - 1; -1: below it */
    size_t sni;
    dunlin_status expected;
} account_row;

static dunlin_server server_of(const account_row *row)
{
    dunlin_server server = dunlin_server_default();
    strcpy(server.uri, row->uri);
    server.security.mode = (dunlin_security_mode)row->mode;
    server.security.identity = dunlin_slice_make(filler, row->identity);
    server.security.server_key = dunlin_slice_make(filler, row->server_key);
    server.security.secret = dunlin_slice_make(filler, row->secret);
    server.security.matching = (int16_t)(row->matching - 1);
    server.security.usage = (int16_t)(row->usage - 1);
    memset(server.security.sni, 'x',
           row->sni < sizeof server.security.sni ? row->sni : sizeof server.security.sni);
    return server;
}

/* A client without accounts. */
static void open_client(rig *r, uint16_t credential_max)
{
    rig_open(r, DUNLIN_LWM2M_1_1, 1);
    r->config.credential_max = credential_max;
    rig_remake(r);
}

static void accounts_by_table(void **state)
{
    static const account_row rows[] = {
        {"NoSec", "coap://a", DUNLIN_NOSEC, 0, 0, 0, 0, 0, 0, DUNLIN_OK},
        {"NoSec over TCP", "coap+tcp://a", DUNLIN_NOSEC, 0, 0, 0, 0, 0, 0, DUNLIN_OK},
        {"PSK", "coaps://a", DUNLIN_PSK, 1, 0, 1, 0, 0, 0, DUNLIN_OK},
        {"PSK, the longest", "coaps+tcp://a", DUNLIN_PSK, 128, 0, 64, 0, 0, 252, DUNLIN_OK},
        {"RPK", "coaps://a", DUNLIN_RPK, 91, 91, 128, 0, 0, 0, DUNLIN_OK},
        {"X.509", "coaps://a", DUNLIN_X509, 128, 128, 128, 4, 4, 10, DUNLIN_OK},
        {"X.509, each matching type is there", "coaps://a", DUNLIN_X509, 1, 1, 1, 1, 1, 0, DUNLIN_OK},
        {"EST", "coaps://a", DUNLIN_EST, 0, 1, 0, 0, 0, 0, DUNLIN_ERR_UNSUPPORTED},
        {"no such mode", "coaps://a", 5, 1, 1, 1, 0, 0, 0, DUNLIN_ERR_RANGE},
        {"a mode below", "coaps://a", -1, 1, 1, 1, 0, 0, 0, DUNLIN_ERR_RANGE},
        {"a matching type too high", "coaps://a", DUNLIN_X509, 1, 1, 1, 5, 0, 0, DUNLIN_ERR_RANGE},
        {"a matching type too low", "coaps://a", DUNLIN_X509, 1, 1, 1, -1, 0, 0, DUNLIN_ERR_RANGE},
        {"a usage too high", "coaps://a", DUNLIN_X509, 1, 1, 1, 0, 5, 0, DUNLIN_ERR_RANGE},
        {"a usage too low", "coaps://a", DUNLIN_X509, 1, 1, 1, 0, -1, 0, DUNLIN_ERR_RANGE},
        {"a PSK identity too long", "coaps://a", DUNLIN_PSK, 129, 0, 16, 0, 0, 0, DUNLIN_ERR_RANGE},
        {"a PSK too long", "coaps://a", DUNLIN_PSK, 8, 0, 65, 0, 0, 0, DUNLIN_ERR_RANGE},
        {"a key without identity", "coaps://a", DUNLIN_PSK, 0, 0, 16, 0, 0, 0, DUNLIN_ERR_ARGUMENT},
        {"an identity without key", "coaps://a", DUNLIN_PSK, 8, 0, 0, 0, 0, 0, DUNLIN_ERR_ARGUMENT},
        {"PSK with a server's key", "coaps://a", DUNLIN_PSK, 8, 8, 8, 0, 0, 0, DUNLIN_ERR_ARGUMENT},
        {"RPK without the server's", "coaps://a", DUNLIN_RPK, 91, 0, 128, 0, 0, 0, DUNLIN_ERR_ARGUMENT},
        {"RPK without its own", "coaps://a", DUNLIN_RPK, 0, 91, 128, 0, 0, 0, DUNLIN_ERR_ARGUMENT},
        {"RPK without its private one", "coaps://a", DUNLIN_RPK, 91, 91, 0, 0, 0, 0, DUNLIN_ERR_ARGUMENT},
        {"X.509 without the server's", "coaps://a", DUNLIN_X509, 9, 0, 9, 0, 0, 0, DUNLIN_ERR_ARGUMENT},
        {"X.509 without its private key", "coaps://a", DUNLIN_X509, 9, 9, 0, 0, 0, 0, DUNLIN_ERR_ARGUMENT},
        {"NoSec with a key: a forgotten mode", "coap://a", DUNLIN_NOSEC, 8, 0, 16, 0, 0, 0,
         DUNLIN_ERR_ARGUMENT},
        {"SNI that does not end", "coaps://a", DUNLIN_PSK, 1, 0, 1, 0, 0, 253, DUNLIN_ERR_ARGUMENT},
        {"an identity too long to be kept", "coaps://a", DUNLIN_RPK, 129, 9, 9, 0, 0, 0, DUNLIN_ERR_LIMIT},
        {"a server's key too long to be kept", "coaps://a", DUNLIN_RPK, 9, 129, 9, 0, 0, 0, DUNLIN_ERR_LIMIT},
        {"a secret too long to be kept", "coaps://a", DUNLIN_X509, 9, 9, 600, 0, 0, 0, DUNLIN_ERR_LIMIT},
        {"PSK over plain CoAP", "coap://a", DUNLIN_PSK, 8, 0, 16, 0, 0, 0, DUNLIN_ERR_ARGUMENT},
        {"PSK over plain TCP", "coap+tcp://a", DUNLIN_PSK, 8, 0, 16, 0, 0, 0, DUNLIN_ERR_ARGUMENT},
        {"DTLS without credentials", "coaps://a", DUNLIN_NOSEC, 0, 0, 0, 0, 0, 0, DUNLIN_ERR_ARGUMENT},
        {"TLS without credentials", "coaps+tcp://a", DUNLIN_NOSEC, 0, 0, 0, 0, 0, 0, DUNLIN_ERR_ARGUMENT},
    };
    static rig r;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const dunlin_server server = server_of(&rows[i]);
        open_client(&r, MAX);
        const dunlin_status status = dunlin_client_add_server(r.client, &server);
        if (status != rows[i].expected) {
            fail_msg("%s: %s instead of %s", rows[i].name, dunlin_status_text(status),
                     dunlin_status_text(rows[i].expected));
        }
        rig_close(&r);
    }
}

static void without_room_there_are_no_credentials(void **state)
{
    static const account_row psk = {"", "coaps://a", DUNLIN_PSK, 1, 0, 1, 0, 0, 0, DUNLIN_ERR_LIMIT};
    static const account_row named = {"", "coap://a", DUNLIN_NOSEC, 0, 0, 0, 0, 0, 3, DUNLIN_ERR_LIMIT};
    static rig r;
    (void)state;
    open_client(&r, 0);
    dunlin_server server = server_of(&psk);
    assert_int_equal(dunlin_client_add_server(r.client, &server), DUNLIN_ERR_LIMIT);
    server = server_of(&named);
    assert_int_equal(dunlin_client_add_server(r.client, &server), DUNLIN_ERR_LIMIT);
    rig_close(&r);
}

/* ---- Object 0 ---- */

static dunlin_path resource(uint16_t id)
{
    return dunlin_path_resource(0, 0, id);
}

static void open_with(rig *r, const dunlin_server *server)
{
    open_client(r, MAX);
    assert_int_equal(dunlin_client_add_server(r->client, server), DUNLIN_OK);
}

static dunlin_server full_server(void)
{
    dunlin_server server = dunlin_server_default();
    strcpy(server.uri, "coaps://server");
    server.security.mode = DUNLIN_X509;
    server.security.identity = dunlin_slice_of("certificate");
    server.security.server_key = dunlin_slice_of("anchor");
    server.security.secret = dunlin_slice_of("private");
    server.security.matching = 1;
    server.security.usage = 2;
    strcpy(server.security.sni, "lwm2m.example");
    return server;
}

static void assert_bytes(rig *r, uint16_t id, const char *expected)
{
    dunlin_value value;
    assert_int_equal(dunlin_client_get(r->client, resource(id), &value), DUNLIN_OK);
    assert_int_equal(value.as.bytes.len, strlen(expected));
    if (value.as.bytes.len > 0) {
        assert_memory_equal(value.as.bytes.data, expected, value.as.bytes.len);
    }
}

static void the_device_reads_all_but_the_secret(void **state)
{
    const dunlin_server server = full_server();
    dunlin_value value;
    static rig r;
    (void)state;
    open_with(&r, &server);
    assert_bytes(&r, 0, "coaps://server");
    assert_int_equal(dunlin_client_get(r.client, resource(2), &value), DUNLIN_OK);
    assert_int_equal(value.as.integer, DUNLIN_X509);
    assert_bytes(&r, 3, "certificate");
    assert_bytes(&r, 4, "anchor");
    assert_int_equal(dunlin_client_get(r.client, resource(5), &value), DUNLIN_ERR_ACCESS);
    assert_int_equal(dunlin_client_get(r.client, resource(13), &value), DUNLIN_OK);
    assert_int_equal(value.as.uinteger, 1);
    assert_bytes(&r, 14, "lwm2m.example");
    assert_int_equal(dunlin_client_get(r.client, resource(15), &value), DUNLIN_OK);
    assert_int_equal(value.as.uinteger, 2);
    rig_close(&r);
}

typedef struct {
    unsigned resources;
    bool secret_seen;
} seen;

static bool look(void *context, dunlin_path path, const dunlin_resource *row, const dunlin_value *value)
{
    seen *s = context;
    (void)row;
    s->resources += path.depth == 3 ? 1 : 0;
    s->secret_seen = s->secret_seen || (path.depth == 3 && path.id[2] == 5 && value != NULL);
    return true;
}

static void a_walk_shows_no_secret(void **state)
{
    const dunlin_server server = full_server();
    seen s = {0, false};
    static rig r;
    (void)state;
    open_with(&r, &server);
    assert_int_equal(dunlin_client_walk(r.client, dunlin_path_object(0), look, &s), DUNLIN_OK);
    assert_int_equal(s.resources, 10);
    assert_false(s.secret_seen);
    rig_close(&r);
}

static void what_is_not_given_is_not_there(void **state)
{
    static const uint16_t optional[] = {13, 14, 15};
    static rig r;
    dunlin_value value;
    (void)state;
    rig_open(&r, DUNLIN_LWM2M_1_1, 1);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(dunlin_client_get(r.client, resource(optional[i]), &value), DUNLIN_ERR_NOT_FOUND);
    }
    assert_int_equal(dunlin_client_get(r.client, resource(2), &value), DUNLIN_OK);
    assert_int_equal(value.as.integer, DUNLIN_NOSEC);
    assert_bytes(&r, 3, "");
    assert_bytes(&r, 4, "");
    rig_close(&r);
}

/* Whoever asks, and however (ETS int-221). */
static void nobody_reads_it_over_the_air(void **state)
{
    static const struct {
        uint8_t method;
        const char *path;
    } rows[] = {
        {DN_COAP_GET, "/0"},      {DN_COAP_GET, "/0/0"},    {DN_COAP_GET, "/0/0/3"},  {DN_COAP_GET, "/0/0/4"},
        {DN_COAP_GET, "/0/0/5"},  {DN_COAP_PUT, "/0/0/5"},  {DN_COAP_PUT, "/0/0/2"},  {DN_COAP_POST, "/0/0"},
        {DN_COAP_GET, "/0/0/13"}, {DN_COAP_PUT, "/0/0/14"}, {DN_COAP_DELETE, "/0/0"},
    };
    const ways_account account = {0};
    static ways w;
    (void)state;
    ways_open(&w, &account, 1);
    ways_play(&w, "0 start; 1 run");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const bool writes = rows[i].method == DN_COAP_PUT || rows[i].method == DN_COAP_POST;
        const rig_answer *answer =
            rig_send(&w.r, rows[i].method, rows[i].path, writes ? 0 : -1, writes ? "1" : NULL);
        if (answer->code != DN_COAP_UNAUTHORIZED || answer->len != 0) {
            fail_msg("%s: %s", rows[i].path, rig_code(answer->code));
        }
    }
    ways_close(&w);
}

static void a_way_is_asked_for_with_them(void **state)
{
    const ways_account account = {0};
    dunlin_server server = full_server();
    static ways w;
    (void)state;
    ways_open(&w, &account, 1);
    rig_remake(&w.r);
    assert_int_equal(dunlin_client_add_server(w.r.client, &server), DUNLIN_OK);
    memset(&server, 0xAA, sizeof server); /* all was copied */
    ways_play(&w, "0 start; 1 run");
    assert_int_equal(w.asked_server, 1);
    assert_string_equal(w.asked_uri, "coaps://server");
    assert_int_equal(w.asked.mode, DUNLIN_X509);
    assert_true(dunlin_slice_equal(w.asked.identity, dunlin_slice_of("certificate")));
    assert_true(dunlin_slice_equal(w.asked.server_key, dunlin_slice_of("anchor")));
    assert_true(dunlin_slice_equal(w.asked.secret, dunlin_slice_of("private")));
    assert_int_equal(w.asked.matching, 1);
    assert_int_equal(w.asked.usage, 2);
    assert_string_equal(w.asked.sni, "lwm2m.example");
    assert_false(w.anew);
    ways_close(&w);
}

static void what_is_absent_is_asked_for_as_absent(void **state)
{
    const ways_account account = {0};
    static ways w;
    (void)state;
    ways_open(&w, &account, 1);
    ways_play(&w, "0 start; 1 run");
    assert_int_equal(w.asked.matching, -1);
    assert_int_equal(w.asked.usage, -1);
    assert_string_equal(w.asked.sni, "");
    ways_close(&w);
}

/* ---- changing them ---- */

static void each_can_be_set_by_the_device(void **state)
{
    static uint8_t longest[MAX + 1] = {1};
    const dunlin_value long_bytes = dunlin_opaque(dunlin_slice_make(longest, MAX));
    const dunlin_value too_long = dunlin_opaque(dunlin_slice_make(longest, MAX + 1));
    const dunlin_server server = full_server();
    static rig r;
    (void)state;
    open_with(&r, &server);
    for (uint16_t id = 3; id <= 5; id++) {
        assert_int_equal(dunlin_client_set(r.client, resource(id), &long_bytes), DUNLIN_OK);
        assert_int_equal(dunlin_client_set(r.client, resource(id), &too_long), DUNLIN_ERR_RANGE);
    }
    const struct {
        uint16_t id;
        dunlin_value value;
        dunlin_status expected;
    } rows[] = {
        {2, dunlin_integer(0), DUNLIN_OK},
        {2, dunlin_integer(4), DUNLIN_ERR_UNSUPPORTED},
        {2, dunlin_integer(5), DUNLIN_ERR_RANGE},
        {13, dunlin_unsigned(3), DUNLIN_OK},
        {13, dunlin_unsigned(4), DUNLIN_ERR_RANGE},
        {15, dunlin_unsigned(3), DUNLIN_OK},
        {15, dunlin_unsigned(4), DUNLIN_ERR_RANGE},
        {14, dunlin_string(dunlin_slice_of("b.example")), DUNLIN_OK},
        {14, dunlin_string(dunlin_slice_make(filler, 253)), DUNLIN_ERR_RANGE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(dunlin_client_set(r.client, resource(rows[i].id), &rows[i].value), rows[i].expected);
    }
    assert_bytes(&r, 14, "b.example");
    assert_int_equal(dunlin_client_set_present(r.client, resource(14), false), DUNLIN_OK);
    rig_close(&r);
}

/* Other credentials: nothing of the session before may be resumed, and only the next Register asks with them. */
static void other_credentials_are_said_to_be_others(void **state)
{
    const ways_account account = {0};
    const dunlin_value identity = dunlin_opaque(dunlin_slice_of("device-2"));
    static ways w;
    (void)state;
    ways_open(&w, &account, 1);
    ways_play(&w, "0 start; 10 run");
    assert_int_equal(dunlin_client_set(w.r.client, resource(3), &identity), DUNLIN_OK);
    ways_play(&w, "20 update; 21 run");
    assert_int_equal(w.connects, 1);
    ways_play(&w, "30 none; 30 restart; 31 run");
    assert_true(w.anew);
    assert_true(dunlin_slice_equal(w.asked.identity, dunlin_slice_of("device-2")));
    ways_play(&w, "31 ok; 41 run"); /* it still is new at the second try, and then it is not */
    assert_true(w.anew);
    ways_play(&w, "50 restart; 51 run");
    assert_false(w.anew);
    ways_close(&w);
}

/* Set one by one, they may not make sense together when the time comes. */
static void credentials_that_do_not_fit_fail_at_once(void **state)
{
    const ways_account account = {0};
    const dunlin_value nosec = dunlin_integer(DUNLIN_NOSEC);
    const dunlin_value nothing = dunlin_opaque(dunlin_slice_make(NULL, 0));
    static ways w;
    (void)state;
    ways_open(&w, &account, 1);
    assert_int_equal(dunlin_client_set(w.r.client, resource(3), &nothing), DUNLIN_OK);
    ways_play(&w, "0 start; 1 run");
    assert_string_equal(w.log, "0F 0B");
    assert_int_equal(w.r.events[0].status, DUNLIN_ERR_ARGUMENT);
    assert_int_equal(w.connects, 0);
    assert_int_equal(dunlin_client_set(w.r.client, resource(5), &nothing), DUNLIN_OK);
    assert_int_equal(dunlin_client_set(w.r.client, resource(2), &nosec), DUNLIN_OK);
    ways_play(&w, "2 start; 3 run"); /* NoSec, but coaps:// */
    assert_string_equal(w.log, "0F 0B 2F 2B");
    ways_close(&w);
}

/* No byte of a secret stays behind where another one was. */
static void a_shorter_secret_leaves_nothing_of_the_longer_one(void **state)
{
    static const char marker[] = "unmistakable-secret-of-old";
    const ways_account account = {0};
    const dunlin_value old = dunlin_opaque(dunlin_slice_of(marker));
    const dunlin_value new = dunlin_opaque(dunlin_slice_of("new"));
    static ways w;
    (void)state;
    ways_open(&w, &account, 1);
    assert_int_equal(dunlin_client_set(w.r.client, resource(5), &old), DUNLIN_OK);
    ways_play(&w, "0 start; 1 run");
    assert_int_equal(dunlin_client_set(w.r.client, resource(5), &new), DUNLIN_OK);
    const uint8_t *arena = w.r.client_arena;
    for (size_t i = 0; i + sizeof marker < sizeof w.r.client_arena; i++) {
        assert_memory_not_equal(arena + i, marker + 8, sizeof marker - 9);
    }
    ways_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_by_table),
        cmocka_unit_test(without_room_there_are_no_credentials),
        cmocka_unit_test(the_device_reads_all_but_the_secret),
        cmocka_unit_test(a_walk_shows_no_secret),
        cmocka_unit_test(what_is_not_given_is_not_there),
        cmocka_unit_test(nobody_reads_it_over_the_air),
        cmocka_unit_test(a_way_is_asked_for_with_them),
        cmocka_unit_test(what_is_absent_is_asked_for_as_absent),
        cmocka_unit_test(each_can_be_set_by_the_device),
        cmocka_unit_test(other_credentials_are_said_to_be_others),
        cmocka_unit_test(credentials_that_do_not_fit_fail_at_once),
        cmocka_unit_test(a_shorter_secret_leaves_nothing_of_the_longer_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
