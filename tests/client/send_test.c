/* SPDX-License-Identifier: Apache-2.0 */
/* Send: what is sent, to whom, when not, and how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/second.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SECOND   1000u

enum { JSON = 110, SCBOR = 112 };

typedef struct {
    unsigned count;
    uint16_t server;
    dunlin_status status;
    uint8_t code;
} outcome;

static void on_done(void *context, uint16_t server, dunlin_status status, uint8_t code)
{
    outcome *o = context;
    o->count++;
    o->server = server;
    o->status = status;
    o->code = code;
}

static rig *with_format(uint16_t format)
{
    rig *r = malloc(sizeof *r);
    dunlin_server account = dunlin_server_default();
    assert_non_null(r);
    rig_open(r, DUNLIN_LWM2M_1_1, 1);
    r->config.send_format = format;
    rig_remake(r);
    strcpy(account.uri, "coap://server");
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_OK);
    dunlin_client_start(r->client, 0);
    rig_run(r, 100);
    assert_true(dunlin_client_registered(r->client));
    return r;
}

static void done(rig *r)
{
    rig_close(r);
    free(r);
}

static dunlin_send_value value_at(const char *path)
{
    dunlin_send_value value = {.value = NULL};
    assert_int_equal(dunlin_path_parse(dunlin_slice_of(path), &value.path), DUNLIN_OK);
    return value;
}

static void values_of_now_and_of_the_past(void **state)
{
    rig *r = with_format(JSON);
    outcome o = {0};
    const dunlin_value cold = dunlin_float(-3.5);
    const dunlin_value warm = dunlin_integer(19);
    dunlin_send_value values[] = {value_at("/3303/0/5700"), value_at("/3303/0/5700"),
                                  value_at("/3303/0/5700"), value_at("/33000/0/8"), value_at("/33000/1/8/5")};
    (void)state;
    values[1].value = &cold;
    values[1].time_s = 1700000000;
    values[2].value = &warm;
    values[2].time_s = 1700000060.5;
    assert_int_equal(dunlin_client_send(r->client, 1, values, COUNT(values), on_done, &o), DUNLIN_OK);
    assert_int_equal(r->sends, 0); /* it leaves at the next step */
    assert_true(dunlin_client_deadline(r->client) <= dn_simlink_now(r->link));
    r->thermometer[0].value = 99; /* it has been encoded */
    rig_run(r, SECOND);
    assert_int_equal(r->sends, 1);
    assert_int_equal(r->sent_format, JSON);
    assert_string_equal(
        (const char *)r->sent,
        "[{\"n\":\"/3303/0/5700\",\"v\":21},{\"n\":\"/3303/0/5700\",\"v\":-3.5,\"t\":1700000000},"
        "{\"n\":\"/3303/0/5700\",\"v\":19,\"t\":1700000060.5},{\"n\":\"/33000/0/8/0\",\"v\":10},"
        "{\"n\":\"/33000/0/8/5\",\"v\":50},{\"n\":\"/33000/1/8/5\",\"v\":50}]");
    assert_int_equal(o.count, 1);
    assert_int_equal(o.server, 1);
    assert_int_equal(o.status, DUNLIN_OK);
    assert_int_equal(o.code, DN_COAP_CHANGED);
    assert_int_equal(dunlin_client_count(r->client).sends, 1);
    assert_int_equal(dunlin_client_count(r->client).sends_failed, 0);
    done(r);
}

static void senml_cbor_unless_told_otherwise(void **state)
{
    rig *r = with_format(SCBOR);
    const dunlin_send_value value = value_at("/33000/0/0");
    (void)state;
    assert_int_equal(dunlin_client_config_default().send_format, SCBOR);
    assert_int_equal(dunlin_client_send(r->client, 1, &value, 1, NULL, NULL), DUNLIN_OK);
    rig_run(r, SECOND);
    assert_int_equal(r->sent_format, SCBOR);
    assert_int_equal(r->sent_len, 16);
    assert_memory_equal(r->sent, "\x81\xA2\x00\x6A/33000/0/0\x02\x07", 16);
    done(r);
}

static void an_instance(void **state)
{
    rig *r = with_format(JSON);
    const dunlin_send_value value = value_at("/3303/0");
    (void)state;
    assert_int_equal(dunlin_client_send(r->client, 1, &value, 1, NULL, NULL), DUNLIN_OK);
    rig_run(r, SECOND);
    assert_non_null(strstr((const char *)r->sent, "{\"n\":\"/3303/0/5601\",\"v\":20}"));
    assert_non_null(strstr((const char *)r->sent, "{\"n\":\"/3303/0/5701\",\"vs\":\"Cel\"}"));
    done(r);
}

static void it_is_refused(void **state)
{
    static const dunlin_value text = {.type = DUNLIN_TYPE_STRING, .as = {.bytes = {(const uint8_t *)"x", 1}}};
    static const dunlin_value number = {.type = DUNLIN_TYPE_INTEGER, .as = {.integer = 5}};
    static const struct {
        const char *name;
        uint16_t server;
        const char *path;
        const dunlin_value *value;
        double time_s;
        dunlin_status status;
    } rows[] = {
        {"an unknown server", 2, "/3/0/9", NULL, 0, DUNLIN_ERR_STATE},
        {"what is not there", 1, "/3303/1/5700", NULL, 0, DUNLIN_ERR_NOT_FOUND},
        {"a resource that is not there", 1, "/3303/0/1", NULL, 0, DUNLIN_ERR_NOT_FOUND},
        {"one that is not instantiated", 1, "/33000/0/13", NULL, 0, DUNLIN_ERR_NOT_FOUND},
        {"an element that is not there", 1, "/33000/0/8/1", NULL, 0, DUNLIN_ERR_NOT_FOUND},
        {"an Object", 1, "/3303", NULL, 0, DUNLIN_ERR_ARGUMENT},
        {"Security", 1, "/0/0/0", NULL, 0, DUNLIN_ERR_ACCESS},
        {"write-only", 1, "/33000/0/14", NULL, 0, DUNLIN_ERR_ACCESS},
        {"executable", 1, "/33000/0/15", NULL, 0, DUNLIN_ERR_ACCESS},
        {"an element of a single one", 1, "/33000/0/0/0", NULL, 0, DUNLIN_ERR_ARGUMENT},
        {"a value for an instance", 1, "/33000/0", &number, 0, DUNLIN_ERR_ARGUMENT},
        {"a value for a multiple one", 1, "/33000/0/8", &number, 0, DUNLIN_ERR_ARGUMENT},
        {"a value for an element of a single one", 1, "/33000/0/0/0", &number, 0, DUNLIN_ERR_ARGUMENT},
        {"a value of another type", 1, "/33000/0/0", &text, 0, DUNLIN_ERR_TYPE},
        {"a time that is none", 1, "/33000/0/0", &number, HUGE_VAL, DUNLIN_ERR_ARGUMENT},
        {"a time for a value of now", 1, "/33000/0/0", NULL, 5, DUNLIN_ERR_ARGUMENT},
    };
    rig *r = with_format(JSON);
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        dunlin_send_value values[2] = {value_at("/33000/0/0"), value_at(rows[i].path)};
        values[1].value = rows[i].value;
        values[1].time_s = rows[i].time_s;
        const dunlin_status status = dunlin_client_send(r->client, rows[i].server, values, 2, NULL, NULL);
        if (status != rows[i].status) {
            fail_msg("%s: %s instead of %s", rows[i].name, dunlin_status_text(status),
                     dunlin_status_text(rows[i].status));
        }
    }
    assert_int_equal(dunlin_client_send(r->client, 1, NULL, 0, NULL, NULL), DUNLIN_ERR_ARGUMENT);
    rig_run(r, SECOND);
    assert_int_equal(r->sends, 0);
    /* an element of the past, which is not there any more, is fine */
    dunlin_send_value past = value_at("/33000/0/8/3");
    past.value = &number;
    past.time_s = 5;
    assert_int_equal(dunlin_client_send(r->client, 1, &past, 1, NULL, NULL), DUNLIN_OK);
    done(r);
}

static void only_while_registered_and_not_muted(void **state)
{
    rig *r = malloc(sizeof *r);
    const dunlin_send_value value = value_at("/33000/0/0");
    dunlin_server account = dunlin_server_default();
    (void)state;
    assert_non_null(r);
    rig_open(r, DUNLIN_LWM2M_1_1, 1);
    assert_int_equal(dunlin_client_send(r->client, 1, &value, 1, NULL, NULL), DUNLIN_ERR_STATE);
    assert_int_equal(dunlin_client_send(r->client, 0, &value, 1, NULL, NULL), DUNLIN_ERR_STATE);
    rig_close(r);
    rig_open(r, DUNLIN_LWM2M_1_1, 1);
    rig_remake(r);
    strcpy(account.uri, "coap://server");
    account.mute_send = true;
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_OK);
    dunlin_client_start(r->client, 0);
    rig_run(r, SECOND);
    assert_true(dunlin_client_registered(r->client));
    assert_int_equal(dunlin_client_send(r->client, 1, &value, 1, NULL, NULL), DUNLIN_ERR_STATE);
    assert_int_equal(dunlin_client_send(r->client, 0, &value, 1, NULL, NULL), DUNLIN_ERR_STATE);
    rig_close(r);
    rig_register(r, DUNLIN_LWM2M_1_0);
    assert_int_equal(dunlin_client_send(r->client, 1, &value, 1, NULL, NULL), DUNLIN_ERR_STATE);
    done(r);
}

static void the_server_mutes_it(void **state)
{
    rig *r = with_format(SCBOR);
    const dunlin_send_value value = value_at("/33000/0/0");
    (void)state;
    assert_int_equal(rig_send(r, DN_COAP_PUT, "/1/0/23", 0, "1")->code, DN_COAP_CHANGED);
    assert_int_equal(dunlin_client_send(r->client, 1, &value, 1, NULL, NULL), DUNLIN_ERR_STATE);
    assert_int_equal(rig_send(r, DN_COAP_PUT, "/1/0/23", 0, "0")->code, DN_COAP_CHANGED);
    assert_int_equal(dunlin_client_send(r->client, 1, &value, 1, NULL, NULL), DUNLIN_OK);
    /* not there is as good as true (Core 1.1.1 appendix E.2) */
    assert_int_equal(dunlin_client_set_present(r->client, dunlin_path_resource(1, 0, 23), false), DUNLIN_OK);
    assert_int_equal(dunlin_client_send(r->client, 1, &value, 1, NULL, NULL), DUNLIN_ERR_STATE);
    done(r);
}

static void how_it_ends(void **state)
{
    static const struct {
        uint8_t answer;
        dunlin_status status;
        unsigned failed;
    } rows[] = {
        {DN_COAP_CHANGED, DUNLIN_OK, 0},
        {DN_COAP_BAD_REQUEST, DUNLIN_OK, 1},
        {DN_COAP_NOT_FOUND, DUNLIN_OK, 1},
        {DN_COAP_METHOD_NOT_ALLOWED, DUNLIN_OK, 1},
    };
    const dunlin_send_value value = value_at("/33000/0/0");
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        rig *r = with_format(SCBOR);
        outcome o = {0};
        r->send_code = rows[i].answer;
        assert_int_equal(dunlin_client_send(r->client, 0, &value, 1, on_done, &o), DUNLIN_OK);
        rig_run(r, 2 * SECOND);
        assert_int_equal(o.count, 1);
        assert_int_equal(o.status, rows[i].status);
        assert_int_equal(o.code, rows[i].answer);
        assert_int_equal(dunlin_client_count(r->client).sends_failed, rows[i].failed);
        done(r);
    }
}

static void a_silent_server(void **state)
{
    rig *r = with_format(SCBOR);
    const dunlin_send_value value = value_at("/33000/0/0");
    outcome o = {0};
    (void)state;
    r->mute = true;
    assert_int_equal(dunlin_client_send(r->client, 1, &value, 1, on_done, &o), DUNLIN_OK);
    rig_run(r, 120 * SECOND);
    assert_int_equal(o.count, 1);
    assert_int_equal(o.status, DUNLIN_ERR_TIMEOUT);
    assert_int_equal(o.code, 0);
    assert_int_equal(dunlin_client_count(r->client).sends_failed, 1);
    done(r);
}

static void the_end_of_the_registration_ends_it(void **state)
{
    rig *r = with_format(SCBOR);
    const dunlin_send_value value = value_at("/33000/0/0");
    outcome first = {0};
    outcome second_one = {0};
    (void)state;
    r->mute = true;
    assert_int_equal(dunlin_client_send(r->client, 1, &value, 1, on_done, &first), DUNLIN_OK);
    rig_run(r, SECOND);
    assert_int_equal(dunlin_client_send(r->client, 1, &value, 1, on_done, &second_one), DUNLIN_OK);
    dunlin_client_stop(r->client, dn_simlink_now(r->link));
    rig_run(r, SECOND);
    assert_int_equal(first.count, 1);
    assert_int_equal(first.status, DUNLIN_ERR_CANCELLED);
    assert_int_equal(second_one.count, 1);
    assert_int_equal(second_one.status, DUNLIN_ERR_CANCELLED);
    done(r);
}

static void there_is_room_for_so_many(void **state)
{
    rig *r = with_format(SCBOR);
    const dunlin_send_value value = value_at("/33000/0/0");
    dunlin_send_value many[400];
    const dunlin_value text = dunlin_string(dunlin_slice_of("abcdefghijklmno"));
    outcome o = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(many); i++) {
        many[i] = value_at("/33000/0/4");
        many[i].value = &text;
        many[i].time_s = 1700000000 + (double)i;
    }
    assert_int_equal(dunlin_client_send(r->client, 1, many, COUNT(many), on_done, &o), DUNLIN_ERR_SPACE);
    assert_int_equal(dunlin_client_send(r->client, 1, many, 40, on_done, &o), DUNLIN_OK);
    assert_int_equal(dunlin_client_send(r->client, 1, many, 40, on_done, &o),
                     DUNLIN_ERR_LIMIT); /* of memory */
    assert_int_equal(dunlin_client_send(r->client, 1, &value, 1, on_done, &o), DUNLIN_OK);
    assert_int_equal(dunlin_client_send(r->client, 1, &value, 1, on_done, &o),
                     DUNLIN_ERR_LIMIT); /* config.sends */
    rig_run(r, 10 * SECOND);
    assert_int_equal(o.count, 2);
    assert_int_equal(o.code, DN_COAP_CHANGED);
    assert_int_equal(r->sends, 2);
    assert_int_equal(dunlin_client_send(r->client, 1, many, 40, on_done, &o), DUNLIN_OK);
    rig_run(r, 10 * SECOND);
    assert_int_equal(o.count, 3);
    done(r);
}

static void send_again(void *context, uint16_t server, dunlin_status status, uint8_t code)
{
    rig *r = context;
    const dunlin_send_value value = value_at("/33000/0/1");
    (void)status;
    (void)code;
    if (r->sends < 3) {
        assert_int_equal(dunlin_client_send(r->client, server, &value, 1, send_again, r), DUNLIN_OK);
    }
}

static void done_may_send_again(void **state)
{
    rig *r = with_format(SCBOR);
    const dunlin_send_value value = value_at("/33000/0/0");
    (void)state;
    assert_int_equal(dunlin_client_send(r->client, 1, &value, 1, send_again, r), DUNLIN_OK);
    rig_run(r, 10 * SECOND);
    assert_int_equal(r->sends, 3);
    done(r);
}

static void a_sleeping_device_wakes_to_send(void **state)
{
    rig *r = malloc(sizeof *r);
    dunlin_server account = dunlin_server_default();
    const dunlin_send_value value = value_at("/33000/0/0");
    outcome o = {0};
    (void)state;
    assert_non_null(r);
    rig_open(r, DUNLIN_LWM2M_1_1, 1);
    r->config.queue_mode = true;
    r->config.awake_ms = 10 * SECOND;
    rig_remake(r);
    strcpy(account.uri, "coap://server");
    assert_int_equal(dunlin_client_add_server(r->client, &account), DUNLIN_OK);
    dunlin_client_start(r->client, 0);
    rig_run(r, 60 * SECOND);
    assert_false(dunlin_client_awake(r->client));
    r->event_count = 0;
    assert_int_equal(dunlin_client_send(r->client, 1, &value, 1, on_done, &o), DUNLIN_OK);
    rig_run(r, 5 * SECOND);
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_AWAKE), 1);
    assert_true(dunlin_client_awake(r->client));
    assert_int_equal(o.count, 1);
    assert_int_equal(o.code, DN_COAP_CHANGED);
    rig_run(r, 20 * SECOND);
    assert_int_equal(rig_events(r, DUNLIN_CLIENT_ASLEEP), 1);
    assert_false(dunlin_client_awake(r->client));
    assert_int_equal(r->sends, 1);
    done(r);
}

static void to_those_servers_that_may_read(void **state)
{
    static const dunlin_access accesses[] = {
        {33000, 0, 1, {1, {2}, {DUNLIN_ACCESS_READ}}},
        {33000, 1, 1, {0, {0}, {0}}},
        {3, 0, DUNLIN_ACCESS_OWNER_BOOTSTRAP, {0, {0}, {0}}},
    };
    const dunlin_send_value both = value_at("/33000/0/0");
    const dunlin_send_value first = value_at("/33000/1/0");
    const dunlin_send_value nobody = value_at("/3/0/9");
    rig *r = malloc(sizeof *r);
    second *s = malloc(sizeof *s);
    outcome o = {0};
    (void)state;
    assert_non_null(r);
    assert_non_null(s);
    second_open(s, r, accesses, COUNT(accesses));
    assert_int_equal(dunlin_client_send(r->client, 0, &both, 1, on_done, &o), DUNLIN_OK);
    rig_run(r, SECOND);
    assert_int_equal(o.count, 2);
    assert_int_equal(r->sends, 1);
    assert_int_equal(s->sends, 1);
    assert_int_equal(dunlin_client_send(r->client, 0, &first, 1, on_done, &o), DUNLIN_OK);
    rig_run(r, SECOND);
    assert_int_equal(o.count, 3);
    assert_int_equal(o.server, 1);
    assert_int_equal(s->sends, 1);
    assert_int_equal(dunlin_client_send(r->client, 2, &first, 1, on_done, &o), DUNLIN_ERR_ACCESS);
    assert_int_equal(dunlin_client_send(r->client, 0, &nobody, 1, on_done, &o), DUNLIN_ERR_ACCESS);
    /* all or none */
    assert_int_equal(dunlin_client_send(r->client, 1, &both, 1, on_done, &o), DUNLIN_OK);
    assert_int_equal(dunlin_client_send(r->client, 0, &both, 1, on_done, &o), DUNLIN_ERR_LIMIT);
    rig_run(r, SECOND);
    assert_int_equal(o.count, 4);
    second_close(s);
    free(s);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_now_and_of_the_past),
        cmocka_unit_test(senml_cbor_unless_told_otherwise),
        cmocka_unit_test(an_instance),
        cmocka_unit_test(it_is_refused),
        cmocka_unit_test(only_while_registered_and_not_muted),
        cmocka_unit_test(the_server_mutes_it),
        cmocka_unit_test(how_it_ends),
        cmocka_unit_test(a_silent_server),
        cmocka_unit_test(the_end_of_the_registration_ends_it),
        cmocka_unit_test(there_is_room_for_so_many),
        cmocka_unit_test(done_may_send_again),
        cmocka_unit_test(a_sleeping_device_wakes_to_send),
        cmocka_unit_test(to_those_servers_that_may_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
