/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the device itself does while a bootstrap server is at work is not undone with a bootstrap that fails, nor lost with the power: it
 * has added and removed instances, and set values, which are no business of that server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/sequence.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define STEPS_MAX    4
#define ROOMS        33010u /* an Object that survives restarts */
#define ROOMS_MAX    4u
#define QUIET_S      250 /* after that the bootstrap has failed */

#define PUT(path, json)            \
    {                              \
        DN_COAP_PUT, path, json, 0 \
    }
#define DELETE(path)                  \
    {                                 \
        DN_COAP_DELETE, path, NULL, 0 \
    }
#define ACCOUNT                                                                                          \
    PUT("/0", "[{\"bn\":\"/0/0/\",\"n\":\"0\",\"vs\":\"coap://server\"},{\"n\":\"1\",\"vb\":false},"     \
              "{\"n\":\"2\",\"v\":3},{\"n\":\"3\",\"vd\":\"\"},{\"n\":\"4\",\"vd\":\"\"},"               \
              "{\"n\":\"5\",\"vd\":\"\"},{\"n\":\"10\",\"v\":1}]"),                                      \
        PUT("/1",                                                                                        \
            "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":300},{\"n\":\"6\",\"vb\":true}," \
            "{\"n\":\"7\",\"vs\":\"U\"}]")

typedef struct {
    int32_t target;
    int32_t seen;
} room;

typedef struct {
    sequence s;
    room rooms[ROOMS_MAX];
    unsigned created;
} world;

static dunlin_status on_created(const dunlin_call *call)
{
    world *w = call->context;
    ((room *)call->instance)->target = 15;
    w->created++;
    return DUNLIN_OK;
}

static const dunlin_resource room_table[] = {
    {DUNLIN_FIELD(0, INTEGER, DUNLIN_RW, room, target)},
    {DUNLIN_FIELD(1, INTEGER, DUNLIN_R, room, seen)},
};

static const dunlin_object rooms = {
    .id = ROOMS,
    DUNLIN_TABLE(room_table),
    .flags = DUNLIN_MULTIPLE | DUNLIN_DYNAMIC | DUNLIN_KEEP,
    .size = sizeof(room),
    .created = on_created,
};

static void expect(const char *what, const char *is, const char *should_be)
{
    if (strcmp(is, should_be) != 0) {
        fail_msg("%s: \"%s\" instead of \"%s\"", what, is, should_be);
    }
}

/* As the factory has made it: with two rooms, 0 at 15 and 1 at 16. */
static void make(world *w, bool account)
{
    sequence_make(&w->s, account ? 0 : -1);
    memset(w->rooms, 0, sizeof w->rooms);
    w->rooms[0] = (room){15, 1};
    w->rooms[1] = (room){16, 2};
    assert_int_equal(dunlin_client_add_object(w->s.r.client, &rooms, w->rooms, ROOMS_MAX, 2, w), DUNLIN_OK);
}

static world *opened(const sequence_step *steps, size_t count)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    sequence_open(&w->s, DUNLIN_LWM2M_1_1);
    make(w, true);
    w->s.steps = steps;
    w->s.step_count = count;
    return w;
}

static void closed(world *w)
{
    sequence_close(&w->s);
    free(w);
}

static size_t count_of(const sequence_step *steps)
{
    size_t count = 0;
    while (count < STEPS_MAX && steps[count].path != NULL) {
        count++;
    }
    return count;
}

static void add(world *w, uint16_t object, uint16_t instance, int32_t target)
{
    uint16_t index = 0;
    assert_int_equal(dunlin_client_add_instance(w->s.r.client, object, instance, &index), DUNLIN_OK);
    if (object == ROOMS) {
        w->rooms[index].target = target;
    } else {
        w->s.r.things[index].number = target;
    }
}

static void set(world *w, const char *path, int32_t to)
{
    dunlin_path at;
    const dunlin_value value = dunlin_integer(to);
    assert_int_equal(dunlin_path_parse(dunlin_slice_of(path), &at), DUNLIN_OK);
    assert_int_equal(dunlin_client_set(w->s.r.client, at, &value), DUNLIN_OK);
}

/* ---- taken back ---- */

typedef struct {
    const char *name;
    sequence_step before[STEPS_MAX]; /* what the bootstrap server does before the device, and after it */
    sequence_step after[STEPS_MAX];
} order_row;

#define WRITE_2  PUT("/33010/2", "[{\"n\":\"0\",\"v\":99}]")
#define WRITE_0  PUT("/33010/0", "[{\"n\":\"0\",\"v\":99}]")
#define WRITE_1  PUT("/33010/1", "[{\"n\":\"0\",\"v\":99}]")
#define WRITE_33 PUT("/33000/3", "[{\"n\":\"0\",\"v\":99}]")

static const order_row orders[] = {
    {"nothing", {{0}}, {{0}}},
    {"accounts before", {ACCOUNT}, {{0}}},
    {"accounts behind", {{0}}, {ACCOUNT}},
    {"all deleted before", {DELETE("/"), ACCOUNT}, {{0}}},
    {"all deleted behind", {ACCOUNT}, {DELETE("/")}},
    {"deleted twice", {DELETE("/")}, {DELETE("/33010"), DELETE("/33000")}},
    {"written behind", {ACCOUNT}, {WRITE_2, WRITE_0, WRITE_33}},
    {"written and deleted", {ACCOUNT}, {WRITE_2, WRITE_33, DELETE("/33010/2"), DELETE("/")}},
    {"deleted and written", {ACCOUNT}, {DELETE("/"), WRITE_2, WRITE_0, WRITE_33}},
    {"what is removed comes", {ACCOUNT}, {WRITE_1}},
    {"what is set was written before", {WRITE_0}, {WRITE_0}},
};

/* Adds 2 and 33000/3, removes 1, and sets 0, as far as the bootstrap server has left it. */
static void act(world *w)
{
    add(w, ROOMS, 2, 20);
    add(w, RIG_OBJECT, 3, 30);
    if (strcmp(sequence_value(&w->s, "/33010/1/0"), "-") != 0) {
        assert_int_equal(dunlin_client_remove_instance(w->s.r.client, ROOMS, 1), DUNLIN_OK);
    }
    if (strcmp(sequence_value(&w->s, "/33010/0/0"), "-") != 0) {
        set(w, "/33010/0/0", 17);
    }
}

static void what_the_device_does_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(orders); i++) {
        const order_row *row = &orders[i];
        const bool was_deleted = row->before[0].method == DN_COAP_DELETE;
        world *w = opened(row->before, count_of(row->before));
        sequence_start(&w->s);
        sequence_run(&w->s, 2);
        act(w);
        sequence_ask(&w->s, row->after, count_of(row->after));
        sequence_run(&w->s, QUIET_S);
        assert_int_equal(dunlin_client_count(w->s.r.client).bootstraps_failed, 1);
        expect(row->name, sequence_value(&w->s, "/33010/2/0"), "20");
        expect(row->name, sequence_value(&w->s, "/33000/3/0"), "30");
        expect(row->name, sequence_value(&w->s, "/33010/1/0"), was_deleted ? "16" : "-");
        expect(row->name, sequence_value(&w->s, "/33010/0/0"), was_deleted ? "15" : "17");
        expect(row->name, sequence_value(&w->s, "/0/0/0"), "-");
        expect(row->name, sequence_value(&w->s, "/0/1/0"), "coap://other");
        closed(w);
    }
}

/* The values that it has, or had when the bootstrap server came to it; and not those of the time when it was added. */
static void later_values_count(void **state)
{
    static const sequence_step steps[] = {ACCOUNT};
    static const sequence_step writes[] = {WRITE_2, DELETE("/")};
    (void)state;
    for (size_t count = 0; count <= COUNT(writes); count++) {
        world *w = opened(steps, COUNT(steps));
        sequence_start(&w->s);
        sequence_run(&w->s, 2);
        add(w, ROOMS, 2, 20);
        sequence_run(&w->s, 10);
        w->rooms[2].target = 21;
        set(w, "/33010/0/0", 17);
        set(w, "/33010/0/0", 18);
        sequence_ask(&w->s, writes, count);
        sequence_run(&w->s, QUIET_S);
        expect("added", sequence_value(&w->s, "/33010/2/0"), "21");
        expect("set", sequence_value(&w->s, "/33010/0/0"), "18");
        closed(w);
    }
}

/* What was changed by itself, without the library, and told. */
static void what_is_told_stays(void **state)
{
    static const sequence_step steps[] = {ACCOUNT};
    static const sequence_step writes[] = {WRITE_0, WRITE_1};
    (void)state;
    world *w = opened(steps, COUNT(steps));
    sequence_start(&w->s);
    sequence_run(&w->s, 2);
    w->rooms[0].target = 19;
    dunlin_changed(w->s.r.client, dunlin_path_resource(ROOMS, 0, 0));
    sequence_ask(&w->s, writes, COUNT(writes));
    sequence_run(&w->s, 2);
    w->rooms[1].target = 98; /* after the bootstrap server, and nothing was said */
    sequence_run(&w->s, QUIET_S);
    expect("told", sequence_value(&w->s, "/33010/0/0"), "19");
    expect("not told", sequence_value(&w->s, "/33010/1/0"), "16");
    closed(w);
}

/* It is as if it had never been there: nobody has rights on it any more. */
static void rights_go_with_an_instance(void **state)
{
    static const sequence_step steps[] = {ACCOUNT, DELETE("/2")};
    (void)state;
    world *w = opened(steps, COUNT(steps));
    w->s.access[0] = (dunlin_access){.object = ROOMS, .instance = 0, .owner = 1};
    w->s.access[1] = (dunlin_access){.object = ROOMS, .instance = 1, .owner = 1};
    assert_int_equal(dunlin_client_add_instance(w->s.r.client, 2, 0, NULL), DUNLIN_OK);
    assert_int_equal(dunlin_client_add_instance(w->s.r.client, 2, 1, NULL), DUNLIN_OK);
    sequence_start(&w->s);
    sequence_run(&w->s, 2);
    expect("deleted", sequence_value(&w->s, "/2/0/1"), "-");
    assert_int_equal(dunlin_client_remove_instance(w->s.r.client, ROOMS, 1), DUNLIN_OK);
    sequence_run(&w->s, QUIET_S);
    expect("back", sequence_value(&w->s, "/2/0/1"), "0");
    expect("gone", sequence_value(&w->s, "/2/1/1"), "-");
    closed(w);
}

/* What an Object makes of an operation is a part of it. */
static dunlin_status add_another(const dunlin_call *call)
{
    ((room *)call->instance)->target = 15;
    (void)dunlin_client_add_instance(call->client, RIG_OBJECT, 3, NULL);
    return DUNLIN_OK;
}

static void callbacks_belong_to_the_operation(void **state)
{
    static const dunlin_object twins = {.id = 33011,
                                        DUNLIN_TABLE(room_table),
                                        .flags = DUNLIN_MULTIPLE | DUNLIN_DYNAMIC,
                                        .size = sizeof(room),
                                        .created = add_another};
    static const sequence_step steps[] = {ACCOUNT, PUT("/33011/0", "[{\"n\":\"0\",\"v\":99}]")};
    static room storage[1];
    (void)state;
    world *w = opened(steps, COUNT(steps));
    assert_int_equal(dunlin_client_add_object(w->s.r.client, &twins, storage, 1, 0, NULL), DUNLIN_OK);
    sequence_start(&w->s);
    sequence_run(&w->s, 2);
    expect("added", sequence_value(&w->s, "/33000/3/0"), "0");
    sequence_run(&w->s, QUIET_S);
    expect("taken back", sequence_value(&w->s, "/33000/3/0"), "-");
    closed(w);
}

/* What could not be kept in mind is not begun. With the least room in which a bootstrap can begin there is none for anything else. */
static void without_room_nothing_is_added(void **state)
{
    (void)state;
    bool begins = false;
    for (uint32_t room_for = 256; !begins; room_for += 4) {
        world *w = opened(NULL, 0);
        w->s.r.config.image_max = room_for;
        make(w, true);
        sequence_start(&w->s);
        sequence_run(&w->s, 2);
        begins = strchr(w->s.log, 'b') != NULL;
        if (begins) {
            assert_int_equal(dunlin_client_add_instance(w->s.r.client, ROOMS, 2, NULL), DUNLIN_ERR_LIMIT);
            expect("not there", sequence_value(&w->s, "/33010/2/0"), "-");
        }
        closed(w);
    }
}

/* ---- after a power cut ---- */

static void restart(world *w)
{
    make(w, false);
    const dunlin_status status =
        dunlin_client_restore(w->s.r.client, dunlin_slice_make(w->s.saved, w->s.saved_len));
    assert_int_equal(status, DUNLIN_OK);
}

/* The power fails in the middle: what the device has done is there, and nothing of the bootstrap. */
static void what_the_device_does_survives_the_power(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(orders); i++) {
        const order_row *row = &orders[i];
        const bool was_deleted = row->before[0].method == DN_COAP_DELETE;
        world *w = opened(row->before, count_of(row->before));
        sequence_run(&w->s, 1); /* the factory's state is saved */
        sequence_start(&w->s);
        sequence_run(&w->s, 2);
        act(w);
        dunlin_client_step(w->s.r.client, dn_simlink_now(w->s.r.link));
        sequence_ask(&w->s, row->after, count_of(row->after));
        sequence_run(&w->s, 5);
        restart(w);
        expect(row->name, sequence_value(&w->s, "/33010/2/0"), "20");
        expect(row->name, sequence_value(&w->s, "/33010/1/0"), was_deleted ? "16" : "-");
        expect(row->name, sequence_value(&w->s, "/33010/0/0"), was_deleted ? "15" : "17");
        expect(row->name, sequence_value(&w->s, "/0/0/0"), "-");
        expect(row->name, sequence_value(&w->s, "/0/1/0"), "coap://other");
        closed(w);
    }
}

/* What the device has done right before, and was not saved yet, is not lost with it either. */
static void what_was_owed_before_survives_the_power(void **state)
{
    static const sequence_step steps[] = {DELETE("/"), ACCOUNT};
    (void)state;
    for (unsigned full = 0; full < 2; full++) { /* a disk that was full just then is tried again */
        world *w = opened(steps, COUNT(steps));
        sequence_run(&w->s, 1);
        w->s.save_status = full > 0 ? DUNLIN_ERR_IO : DUNLIN_OK;
        act(w);
        if (full > 0) {
            dunlin_client_step(w->s.r.client, dn_simlink_now(w->s.r.link));
        }
        sequence_start(&w->s);
        w->s.save_status = DUNLIN_OK;
        sequence_run(&w->s, 100);
        assert_true(dunlin_client_bootstrapping(w->s.r.client));
        restart(w);
        expect("added", sequence_value(&w->s, "/33010/2/0"), "20");
        expect("removed", sequence_value(&w->s, "/33010/1/0"), "-");
        expect("set", sequence_value(&w->s, "/33010/0/0"), "17");
        expect("the account", sequence_value(&w->s, "/0/1/0"), "coap://other");
        closed(w);
    }
}

/* After it was taken back, and after Finish, too. */
static void the_end_is_saved(void **state)
{
    static const sequence_step steps[] = {ACCOUNT};
    static const sequence_step finish[] = {{DN_COAP_POST, "/bs", NULL, 0}};
    (void)state;
    for (unsigned finishes = 0; finishes < 2; finishes++) {
        world *w = opened(steps, COUNT(steps));
        sequence_start(&w->s);
        sequence_run(&w->s, 2);
        act(w);
        sequence_ask(&w->s, finish, finishes);
        sequence_run(&w->s, QUIET_S);
        restart(w);
        expect("added", sequence_value(&w->s, "/33010/2/0"), "20");
        expect("removed", sequence_value(&w->s, "/33010/1/0"), "-");
        expect("set", sequence_value(&w->s, "/33010/0/0"), "17");
        expect("the account", sequence_value(&w->s, "/0/0/0"), finishes > 0 ? "coap://server" : "-");
        closed(w);
    }
}

/* A full disk: it is tried again, and the bootstrap goes on. */
static void what_cannot_be_saved_is_saved_later(void **state)
{
    static const sequence_step steps[] = {ACCOUNT};
    (void)state;
    world *w = opened(steps, COUNT(steps));
    sequence_start(&w->s);
    sequence_run(&w->s, 2);
    w->s.save_status = DUNLIN_ERR_IO;
    const unsigned saves = w->s.saves;
    act(w);
    sequence_run(&w->s, 50);
    assert_int_equal(w->s.saves, saves + 1);
    w->s.save_status = DUNLIN_OK;
    sequence_run(&w->s, 20);
    assert_int_equal(w->s.saves, saves + 2);
    assert_true(dunlin_client_bootstrapping(w->s.r.client));
    restart(w);
    expect("added", sequence_value(&w->s, "/33010/2/0"), "20");
    closed(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_values_count),
        cmocka_unit_test(what_is_told_stays),
        cmocka_unit_test(rights_go_with_an_instance),
        cmocka_unit_test(callbacks_belong_to_the_operation),
        cmocka_unit_test(without_room_nothing_is_added),
        cmocka_unit_test(what_the_device_does_survives_the_power),
        cmocka_unit_test(what_was_owed_before_survives_the_power),
        cmocka_unit_test(the_end_is_saved),
        cmocka_unit_test(what_cannot_be_saved_is_saved_later),
        cmocka_unit_test(what_the_device_does_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
