/* SPDX-License-Identifier: Apache-2.0 */
/* Resources that take their value a piece at a time: a package larger than the client's memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/second.h"

#define NO       (-1)
#define PUT      DN_COAP_PUT
#define POST     DN_COAP_POST
#define PACKAGE  6000 /* three times what the client can hold in one body */
#define OBJECT   33001
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { TEXT = 0, OPAQUE = 42, CBOR = 60, JSON = 110, TLV = 11542 };

typedef struct {
    int32_t number;
} image;

typedef struct {
    uint64_t next;
    uint32_t sum;
    unsigned begun, completed, given_up, out_of_order;
    uint64_t refuse_at; /* offset at which `take` fails; 0: never */
    dunlin_status refuse_with;
    uint16_t server;
} taker;

static taker taken;

static dunlin_status take(const dunlin_call *call, const dunlin_piece *piece)
{
    if (piece == NULL) {
        taken.given_up++;
        return DUNLIN_OK;
    }
    taken.server = call->server;
    if (piece->offset == 0) {
        taken.begun++;
        taken.next = 0;
        taken.sum = 0;
    }
    if (taken.refuse_at != 0 && piece->offset + piece->bytes.len >= taken.refuse_at) {
        return taken.refuse_with;
    }
    taken.out_of_order += piece->offset != taken.next ? 1 : 0;
    for (size_t i = 0; i < piece->bytes.len; i++) {
        taken.sum = taken.sum * 31 + piece->bytes.data[i];
    }
    taken.next += piece->bytes.len;
    taken.completed += piece->more ? 0 : 1;
    return DUNLIN_OK;
}

static const dunlin_resource table[] = {
    {DUNLIN_STREAM(0, DUNLIN_MANDATORY, take), .max = 7000},
    {DUNLIN_FIELD(1, INTEGER, DUNLIN_RW | DUNLIN_MANDATORY, image, number), .max = 100},
    {DUNLIN_STREAM(2, 0, take)},
};

static const dunlin_object object = {
    .id = OBJECT, DUNLIN_TABLE(table), .flags = DUNLIN_MULTIPLE, .size = sizeof(image)};

static image images[2];
static uint8_t package[PACKAGE + 2000];

static uint32_t sum_of(size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum = sum * 31 + package[i];
    }
    return sum;
}

static void prepare(void)
{
    memset(&taken, 0, sizeof taken);
    memset(images, 0, sizeof images);
    for (size_t i = 0; i < sizeof package; i++) {
        package[i] = (uint8_t)(i * 7 + i / 256);
    }
}

static rig *fresh(void)
{
    rig *r = malloc(sizeof *r);
    assert_non_null(r);
    prepare();
    rig_register(r, DUNLIN_LWM2M_1_1);
    assert_int_equal(dunlin_client_add_object(r->client, &object, images, 2, 1, NULL), DUNLIN_OK);
    rig_run(r, 1000);
    r->event_count = 0;
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

static rig_request put(uint8_t method, const char *path, int format, const void *payload, size_t len)
{
    return (rig_request){.method = method,
                         .path = path,
                         .has_format = format >= 0,
                         .format = (uint16_t)format,
                         .payload = payload,
                         .len = len};
}

static const rig_answer *write_package(rig *r, uint8_t method, const char *path, int format, size_t len)
{
    const rig_request request = put(method, path, format, package, len);
    return rig_ask(r, &request);
}

static void a_package_goes_through_piece_by_piece(void **state)
{
    static const uint8_t methods[] = {PUT, POST}; /* POST is what older servers send */
    (void)state;
    for (size_t i = 0; i < COUNT(methods); i++) {
        rig *r = fresh();
        assert_true(PACKAGE > r->config.max_body);
        assert_code(write_package(r, methods[i], "/33001/0/0", OPAQUE, PACKAGE), "2.04");
        assert_int_equal(taken.begun, 1);
        assert_int_equal(taken.completed, 1);
        assert_int_equal(taken.next, PACKAGE);
        assert_int_equal(taken.sum, sum_of(PACKAGE));
        assert_int_equal(taken.out_of_order, 0);
        assert_int_equal(taken.given_up, 0);
        assert_int_equal(taken.server, 1);
        assert_int_equal(rig_events(r, DUNLIN_CLIENT_CHANGED), 1);
        done(r);
    }
}

static void a_lossy_link_changes_nothing_of_it(void **state)
{
    static const dn_simlink_rules bad = {
        .loss_permille = 200, .duplicate_permille = 100, .delay_max_ms = 100};
    (void)state;
    unsigned arrived = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        rig *r = fresh();
        dn_simlink_rule(r->link, &bad);
        if (write_package(r, PUT, "/33001/0/0", OPAQUE, PACKAGE)->code == DN_COAP_CHANGED) {
            arrived++;
            assert_int_equal(taken.sum, sum_of(PACKAGE));
        }
        assert_int_equal(taken.out_of_order, 0);
        done(r);
    }
    assert_true(arrived >= 8);
}

static void a_small_one_comes_in_one_piece(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(write_package(r, PUT, "/33001/0/0", OPAQUE, 1), "2.04");
    assert_int_equal(taken.completed, 1);
    assert_int_equal(taken.next, 1);
    assert_code(write_package(r, PUT, "/33001/0/0", OPAQUE, 0), "2.04");
    assert_int_equal(taken.begun, 2);
    assert_int_equal(taken.completed, 2);
    assert_int_equal(taken.next, 0);
    done(r);
}

static void in_other_formats_it_is_whole(void **state)
{
    static const struct {
        const char *name, *path;
        uint8_t method;
        int format;
        const char *payload;
        size_t len;
    } rows[] = {
        {"text", "/33001/0/0", PUT, TEXT, "AQID", 4},
        {"CBOR", "/33001/0/0", PUT, CBOR, "\x43\x01\x02\x03", 4},
        {"TLV", "/33001/0/0", PUT, TLV, "\xC3\x00\x01\x02\x03", 5},
        {"SenML", "/33001/0/0", PUT, JSON, "[{\"n\":\"/33001/0/0\",\"vd\":\"AQID\"}]", 32},
        {"in an instance", "/33001/0", POST, TLV, "\xC3\x00\x01\x02\x03\xC1\x01\x05", 8},
        {"in a replaced instance", "/33001/0", PUT, TLV, "\xC3\x00\x01\x02\x03\xC1\x01\x05", 8},
        {"in a composite", "", DN_COAP_IPATCH, JSON,
         "[{\"n\":\"/33001/0/0\",\"vd\":\"AQID\"},{\"n\":\"/33001/0/1\",\"v\":5}]", 57},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        rig *r = fresh();
        const rig_request request =
            put(rows[i].method, rows[i].path, rows[i].format, rows[i].payload, rows[i].len);
        if (strcmp(rig_code(rig_ask(r, &request)->code), "2.04") != 0 || taken.completed != 1 ||
            taken.next != 3 || taken.sum != (1 * 31 + 2) * 31 + 3) {
            fail_msg("%s: %s, %u", rows[i].name, rig_code(r->answer.code), taken.completed);
        }
        done(r);
    }
}

static void a_replace_leaves_it_alone(void **state)
{
    rig *r = fresh();
    (void)state;
    const rig_request request = put(PUT, "/33001/0", TLV, "\xC1\x01\x05", 3);
    assert_code(rig_ask(r, &request), "2.04");
    assert_int_equal(taken.begun, 0);
    assert_code(write_package(r, PUT, "/33001/0/2", OPAQUE, 3), "2.04");
    done(r);
}

static void refused_before_the_first_piece(void **state)
{
    static const struct {
        const char *name, *path;
        uint8_t method;
        int format;
        size_t len;
        const char *code;
    } rows[] = {
        {"no format, small", "/33001/0/0", PUT, NO, 3, "4.00"},
        {"no format", "/33001/0/0", PUT, NO, PACKAGE, "4.00"},
        {"another format, small", "/33001/0/0", PUT, 999, 3, "4.15"},
        {"another format", "/33001/0/0", PUT, 999, PACKAGE, "4.15"},
        {"links", "/33001/0/0", PUT, 40, PACKAGE, "4.15"},
        {"no such instance", "/33001/1/0", PUT, OPAQUE, 3, "4.04"},
        {"no such instance, and too large for any other", "/33001/1/0", PUT, OPAQUE, PACKAGE, "4.13"},
        {"a resource that is no stream", "/33001/0/1", PUT, OPAQUE, PACKAGE, "4.13"},
        {"Security", "/0/0/3", PUT, OPAQUE, 3, "4.01"},
        {"to read it", "/33001/0/0", DN_COAP_GET, NO, 0, "4.05"},
        {"not Base64", "/33001/0/0", PUT, TEXT, 3, "4.00"},
        {"too large, small", "/33001/0/2", POST, TLV, 3, "4.00"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        rig *r = fresh();
        const rig_answer *answer =
            write_package(r, rows[i].method, rows[i].path, rows[i].format, rows[i].len);
        if (strcmp(rig_code(answer->code), rows[i].code) != 0) {
            fail_msg("%s: %s instead of %s", rows[i].name, rig_code(answer->code), rows[i].code);
        }
        assert_int_equal(taken.begun, 0);
        done(r);
    }
}

static void refused_on_the_way(void **state)
{
    static const struct {
        dunlin_status status;
        const char *code;
    } rows[] = {
        {DUNLIN_ERR_MALFORMED, "4.00"},
        {DUNLIN_ERR_STATE, "4.05"},
        {DUNLIN_ERR_MEMORY, "5.00"},
        {DUNLIN_ERR_IO, "5.00"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        rig *r = fresh();
        taken.refuse_at = 3000;
        taken.refuse_with = rows[i].status;
        assert_code(write_package(r, PUT, "/33001/0/0", OPAQUE, PACKAGE), rows[i].code);
        assert_int_equal(taken.completed, 0);
        assert_int_equal(taken.given_up, 0); /* it knows */
        taken.refuse_at = 0;
        assert_code(write_package(r, PUT, "/33001/0/0", OPAQUE, PACKAGE), "2.04");
        assert_int_equal(taken.sum, sum_of(PACKAGE));
        done(r);
    }
}

static void larger_than_the_table_says(void **state)
{
    rig *r = fresh();
    (void)state;
    assert_code(write_package(r, PUT, "/33001/0/0", OPAQUE, 7001), "4.13");
    assert_int_equal(taken.completed, 0);
    assert_int_equal(taken.given_up, 1);
    assert_code(write_package(r, PUT, "/33001/0/0", OPAQUE, 7000), "2.04");
    assert_code(write_package(r, PUT, "/33001/0/2", OPAQUE, 7001), "2.04");
    done(r);
}

static void a_failure_behind_it_takes_the_rest_back(void **state)
{
    rig *r = fresh();
    (void)state;
    images[0].number = 9;
    taken.refuse_at = 1;
    taken.refuse_with = DUNLIN_ERR_STATE;
    const rig_request request = put(POST, "/33001/0", TLV, "\xC3\x00\x01\x02\x03\xC1\x01\x05", 8);
    assert_code(rig_ask(r, &request), "4.05");
    assert_int_equal(images[0].number, 9);
    const rig_request composite =
        put(DN_COAP_IPATCH, "", JSON,
            "[{\"n\":\"/33001/0/0\",\"vd\":\"AQID\"},{\"n\":\"/33001/0/1\",\"v\":5}]", 57);
    assert_code(rig_ask(r, &composite), "4.05");
    assert_int_equal(images[0].number, 9);
    taken.refuse_at = 0;
    /* what fails before it keeps it from being begun */
    const rig_request bad = put(POST, "/33001/0", TLV, "\xC3\x00\x01\x02\x03\xC1\x01\x70", 8);
    const unsigned begun = taken.begun;
    assert_code(rig_ask(r, &bad), "4.00");
    assert_int_equal(taken.begun, begun);
    /* two of them could not both be taken back */
    const rig_request two = put(POST, "/33001/0", TLV, "\xC1\x00\x01\xC1\x02\x03", 6);
    assert_code(rig_ask(r, &two), "4.00");
    assert_int_equal(taken.begun, begun);
    done(r);
}

static void what_does_not_go_on_is_given_up(void **state)
{
    rig *r = fresh();
    dn_coap_outgoing request;
    dn_coap_option path[3] = {{DN_OPTION_URI_PATH, {(const uint8_t *)"33001", 5}},
                              {DN_OPTION_URI_PATH, {(const uint8_t *)"0", 1}},
                              {DN_OPTION_URI_PATH, {(const uint8_t *)"0", 1}}};
    uint64_t exchange = 0;
    (void)state;
    dn_coap_outgoing_init(&request, PUT);
    request.confirmable = true;
    request.content_format = OPAQUE;
    request.options = path;
    request.option_count = 3;
    request.payload = dunlin_slice_make(package, PACKAGE);
    const dn_simlink_rules slow = {.delay_min_ms = 500, .delay_max_ms = 500};
    dn_simlink_rule(r->link, &slow);
    assert_int_equal(dn_coap_request(r->server, &r->client_address, &request, NULL, NULL,
                                     dn_simlink_now(r->link), &exchange),
                     DUNLIN_OK);
    rig_run(r, 1600);
    assert_int_equal(dn_coap_cancel(r->server, exchange), DUNLIN_OK);
    const dn_simlink_rules good = {0};
    dn_simlink_rule(r->link, &good);
    rig_run(r, 10000);
    assert_int_equal(taken.begun, 1);
    assert_in_range(taken.next, 1, PACKAGE - 1);
    assert_int_equal(taken.given_up, 0);
    rig_run(r, 300000);
    assert_int_equal(taken.given_up, 1);
    assert_int_equal(taken.completed, 0);
    assert_code(write_package(r, PUT, "/33001/0/0", OPAQUE, PACKAGE), "2.04");
    done(r);
}

static void another_server_waits_and_rights_come_first(void **state)
{
    static const dunlin_access accesses[] = {{OBJECT, 0, 1, {1, {2}, {DUNLIN_ACCESS_READ}}}};
    rig *r = malloc(sizeof *r);
    second *s = malloc(sizeof *s);
    (void)state;
    assert_non_null(r);
    assert_non_null(s);
    prepare();
    second_open(s, r, accesses, 1);
    assert_int_equal(dunlin_client_add_object(r->client, &object, images, 2, 1, NULL), DUNLIN_OK);
    rig_run(r, 1000);
    const rig_request request = put(PUT, "/33001/0/0", OPAQUE, package, PACKAGE);
    assert_code(second_ask(s, 2, &request), "4.01");
    assert_int_equal(taken.begun, 0);
    assert_code(second_ask(s, 1, &request), "2.04");
    assert_int_equal(taken.completed, 1);
    s->access[0].rights.value[0] = DUNLIN_ACCESS_WRITE;
    assert_code(second_ask(s, 2, &request), "2.04");
    assert_int_equal(taken.server, 2);
    second_close(s);
    free(s);
    free(r);
}

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    uint8_t *code = context;
    (void)exchange;
    assert_int_equal(status, DUNLIN_OK);
    *code = response->code;
}

static void rights_lost_on_the_way_end_it(void **state)
{
    static const dunlin_access accesses[] = {
        {OBJECT, 0, 3, {2, {1, 2}, {DUNLIN_ACCESS_WRITE, DUNLIN_ACCESS_WRITE}}}};
    static const dn_simlink_rules slow = {.delay_min_ms = 500, .delay_max_ms = 500};
    static const dn_simlink_rules good;
    static const dn_coap_option path[3] = {{DN_OPTION_URI_PATH, {(const uint8_t *)"33001", 5}},
                                           {DN_OPTION_URI_PATH, {(const uint8_t *)"0", 1}},
                                           {DN_OPTION_URI_PATH, {(const uint8_t *)"0", 1}}};
    rig *r = malloc(sizeof *r);
    second *s = malloc(sizeof *s);
    dn_coap_outgoing request;
    uint64_t exchange = 0;
    uint8_t code = 0;
    (void)state;
    assert_non_null(r);
    assert_non_null(s);
    prepare();
    second_open(s, r, accesses, 1);
    assert_int_equal(dunlin_client_add_object(r->client, &object, images, 2, 1, NULL), DUNLIN_OK);
    rig_run(r, 1000);
    dn_coap_outgoing_init(&request, PUT);
    request.confirmable = true;
    request.content_format = OPAQUE;
    request.options = path;
    request.option_count = 3;
    request.payload = dunlin_slice_make(package, PACKAGE);
    dn_simlink_rule(r->link, &slow);
    assert_int_equal(dn_coap_request(r->server, &r->client_address, &request, on_result, &code,
                                     dn_simlink_now(r->link), &exchange),
                     DUNLIN_OK);
    rig_run(r, 1600);
    assert_int_equal(taken.begun, 1);
    /* while it is on its way another server has to wait */
    const rig_request other = put(PUT, "/33001/0/0", OPAQUE, package, 3);
    assert_code(second_ask(s, 2, &other), "5.00");
    assert_int_equal(taken.begun, 1);
    s->access[0].rights.value[0] = DUNLIN_ACCESS_READ;
    rig_run(r, 5000);
    assert_string_equal(rig_code(code), "4.01");
    assert_int_equal(taken.given_up, 1);
    assert_int_equal(taken.completed, 0);
    dn_simlink_rule(r->link, &good);
    assert_code(second_ask(s, 2, &other), "2.04");
    assert_int_equal(taken.completed, 1);
    second_close(s);
    free(s);
    free(r);
}

static void tables_are_checked(void **state)
{
    static const dunlin_resource bad[] = {
        {DUNLIN_STREAM(0, 0, NULL)},
        {DUNLIN_STREAM(0, DUNLIN_R, take)},
        {DUNLIN_STREAM(0, 0, take), .capacity = 1},
    };
    rig *r = fresh();
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        const dunlin_object one = {.id = 40000, .resources = &bad[i], .resource_count = 1};
        assert_int_equal(dunlin_client_add_object(r->client, &one, NULL, 1, 1, NULL), DUNLIN_ERR_ARGUMENT);
    }
    done(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_package_goes_through_piece_by_piece),
        cmocka_unit_test(a_lossy_link_changes_nothing_of_it),
        cmocka_unit_test(a_small_one_comes_in_one_piece),
        cmocka_unit_test(in_other_formats_it_is_whole),
        cmocka_unit_test(a_replace_leaves_it_alone),
        cmocka_unit_test(refused_before_the_first_piece),
        cmocka_unit_test(refused_on_the_way),
        cmocka_unit_test(larger_than_the_table_says),
        cmocka_unit_test(a_failure_behind_it_takes_the_rest_back),
        cmocka_unit_test(what_does_not_go_on_is_given_up),
        cmocka_unit_test(another_server_waits_and_rights_come_first),
        cmocka_unit_test(rights_lost_on_the_way_end_it),
        cmocka_unit_test(tables_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
