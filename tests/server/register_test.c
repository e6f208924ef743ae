/* SPDX-License-Identifier: Apache-2.0 */
/* Register, Update, De-register: what is taken, what is refused and with which code, and that a refusal changes nothing. */
#include "tests/server/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define LINKS "</1/0>,</3/0>"
#define NAME_300                                                                                           \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static rig r;

static int set_up(void **state)
{
    (void)state;
    rig_start(&r, 1, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_end(&r);
    return 0;
}

typedef struct {
    const char *what;
    uint8_t method;
    const char *path, *queries;
    uint16_t format;
    const char *payload;
    uint8_t code;
} attempt;

static void expect_code(const attempt *a)
{
    rig_ask(&r, &r.devices[0], a->method, a->path, a->queries, a->format, a->payload);
    if (r.devices[0].status != DUNLIN_OK || r.devices[0].code != a->code) {
        print_error("%s: %d, %u.%02u instead of %u.%02u\n", a->what, r.devices[0].status,
                    r.devices[0].code >> 5, r.devices[0].code & 31u, a->code >> 5, a->code & 31u);
    }
    assert_int_equal(r.devices[0].status, DUNLIN_OK);
    assert_int_equal(r.devices[0].code, a->code);
}

#define REGISTER(what, queries, code)                      \
    {                                                      \
        what, DN_COAP_POST, "rd", queries, 40, LINKS, code \
    }
#define LIST(what, payload, code)                                           \
    {                                                                       \
        what, DN_COAP_POST, "rd", "ep=a&lt=60&lwm2m=1.1", 40, payload, code \
    }

/* Each registers "a" or nothing. */
static const attempt registers[] = {
    REGISTER("the least", "ep=a&lt=60&lwm2m=1.1", DN_COAP_CREATED),
    REGISTER("everything", "ep=a&lt=60&lwm2m=1.1&b=UTSN&Q&sms=491511234", DN_COAP_CREATED),
    REGISTER("any order", "sms=1&Q&b=U&lwm2m=1.1&lt=60&ep=a", DN_COAP_CREATED),
    REGISTER("1.0", "ep=a&lt=60&lwm2m=1.0", DN_COAP_CREATED),
    REGISTER("1.0 queue mode", "ep=a&lt=60&lwm2m=1.0&b=UQ", DN_COAP_CREATED),
    REGISTER("1.0 with SMS", "ep=a&lt=60&lwm2m=1.0&b=UQS&sms=1", DN_COAP_CREATED),
    REGISTER("1.2", "ep=a&lt=60&lwm2m=1.2&b=U", DN_COAP_CREATED),
    REGISTER("1.2, U understood", "ep=a&lt=60&lwm2m=1.2", DN_COAP_CREATED),
    REGISTER("1.2 with profile", "ep=a&lt=60&lwm2m=1.2&pid=3", DN_COAP_CREATED),
    REGISTER("1.2 without U", "ep=a&lt=60&lwm2m=1.2&b=M", DN_COAP_PRECONDITION_FAILED),
    REGISTER("1.3", "ep=a&lt=60&lwm2m=1.3", DN_COAP_PRECONDITION_FAILED),
    REGISTER("2.0", "ep=a&lt=60&lwm2m=2.0", DN_COAP_PRECONDITION_FAILED),
    REGISTER("0.9", "ep=a&lt=60&lwm2m=0.9", DN_COAP_PRECONDITION_FAILED),
    REGISTER("2.0 with what we do not know", "ep=a&lt=60&lwm2m=2.0&new=1", DN_COAP_PRECONDITION_FAILED),
    REGISTER("profile before 1.2", "ep=a&lt=60&lwm2m=1.1&pid=3", DN_COAP_BAD_REQUEST),
    REGISTER("without end", "ep=a&lt=0&lwm2m=1.1", DN_COAP_CREATED),
    REGISTER("the longest", "ep=a&lt=4294967295&lwm2m=1.1", DN_COAP_CREATED),
    REGISTER("no ep", "lt=60&lwm2m=1.1", DN_COAP_BAD_REQUEST),
    REGISTER("no lt", "ep=a&lwm2m=1.1", DN_COAP_BAD_REQUEST),
    REGISTER("no lwm2m", "ep=a&lt=60", DN_COAP_BAD_REQUEST),
    REGISTER("nothing", NULL, DN_COAP_BAD_REQUEST),
    REGISTER("unknown parameter", "ep=a&lt=60&lwm2m=1.1&color=red", DN_COAP_BAD_REQUEST),
    REGISTER("ep twice", "ep=a&lt=60&lwm2m=1.1&ep=a", DN_COAP_BAD_REQUEST),
    REGISTER("bad lt", "ep=a&lt=6o&lwm2m=1.1", DN_COAP_BAD_REQUEST),
    REGISTER("lt out of range", "ep=a&lt=4294967296&lwm2m=1.1", DN_COAP_BAD_REQUEST),
    REGISTER("bad lwm2m", "ep=a&lt=60&lwm2m=one", DN_COAP_BAD_REQUEST),
    REGISTER("bad b", "ep=a&lt=60&lwm2m=1.1&b=Z", DN_COAP_BAD_REQUEST),
    REGISTER("bad sms", "ep=a&lt=60&lwm2m=1.1&sms=+49", DN_COAP_BAD_REQUEST),
    REGISTER("bad Q", "ep=a&lt=60&lwm2m=1.1&Q=true", DN_COAP_BAD_REQUEST),
    REGISTER("empty ep", "ep=&lt=60&lwm2m=1.1", DN_COAP_BAD_REQUEST),
    REGISTER("long ep", "ep=" NAME_300 "&lt=60&lwm2m=1.1", DN_COAP_CREATED),
    LIST("alternate path", "</lwm2m>;rt=\"oma.lwm2m\",</lwm2m/1/0>,</lwm2m/3/0>", DN_COAP_CREATED),
    LIST("root given", "</>;rt=\"oma.lwm2m\";ct=\"110 112\",</1/0>,</3/0>", DN_COAP_CREATED),
    LIST("versions", "</1>;ver=1.1,</1/0>,</3/0>,</3303>;ver=\"1.0\",</3303/0>", DN_COAP_CREATED),
    LIST("blanks", "</1/0>, </3/0> ,</5>", DN_COAP_CREATED),
    LIST("unknown links", "</1/0>,</3/0>,</sensors/temp>;if=\"x\",<coap://h/>", DN_COAP_CREATED),
    LIST("no Device", "</1/0>", DN_COAP_CREATED),
    LIST("a slash at the end", "</1/0/>,</3/0/>,</3303/>", DN_COAP_CREATED),
    LIST("a version of an instance", "</1/0>,</3/0>;ver=1.1", DN_COAP_CREATED),
    LIST("unknown link parameters", "</1/0>;foo;bar=\"a,b;c\",</3/0>;dim=3", DN_COAP_CREATED),
    LIST("Security listed", "</0/0>,</1/0>,</3/0>", DN_COAP_CREATED),
    LIST("one instance twice", "</1/0>,</3/0>,</3/0>", DN_COAP_CREATED),
    LIST("no root at the end", "</1/0>,</3/0>,</>;ct=112", DN_COAP_CREATED),
    LIST("no list", NULL, DN_COAP_BAD_REQUEST),
    LIST("no link", "hello", DN_COAP_BAD_REQUEST),
    LIST("cut", "</1/0>,</3/", DN_COAP_BAD_REQUEST),
    LIST("open quote", "</1/0>;title=\"x,</3/0>", DN_COAP_BAD_REQUEST),
    LIST("comma at the end", "</1/0>,</3/0>,", DN_COAP_BAD_REQUEST),
    LIST("numeric root", "</1>;rt=\"oma.lwm2m\",</1/3/0>", DN_COAP_BAD_REQUEST),
    LIST("root with empty segment", "</a//b>;rt=\"oma.lwm2m\",</a//b/3/0>", DN_COAP_BAD_REQUEST),
    LIST("relative root", "<lwm2m>;rt=\"oma.lwm2m\",</3/0>", DN_COAP_BAD_REQUEST),
    {"no format", DN_COAP_POST, "rd", "ep=a&lt=60&lwm2m=1.1", DN_COAP_NO_FORMAT, LINKS, DN_COAP_BAD_REQUEST},
    {"other format", DN_COAP_POST, "rd", "ep=a&lt=60&lwm2m=1.1", 0, LINKS, DN_COAP_BAD_REQUEST},
    {"1.2 with formats we have", DN_COAP_POST, "rd", "ep=a&lt=60&lwm2m=1.2", 40,
     "</>;rt=\"oma.lwm2m\";ct=\"11544 112\",</1/0>", DN_COAP_CREATED},
    {"1.2 with formats we lack", DN_COAP_POST, "rd", "ep=a&lt=60&lwm2m=1.2", 40,
     "</>;rt=\"oma.lwm2m\";ct=\"11544 320\",</1/0>", DN_COAP_PRECONDITION_FAILED},
    {"GET", DN_COAP_GET, "rd", NULL, DN_COAP_NO_FORMAT, NULL, DN_COAP_METHOD_NOT_ALLOWED},
    {"PUT", DN_COAP_PUT, "rd", "ep=a&lt=60&lwm2m=1.1", 40, LINKS, DN_COAP_METHOD_NOT_ALLOWED},
    {"DELETE", DN_COAP_DELETE, "rd", NULL, DN_COAP_NO_FORMAT, NULL, DN_COAP_METHOD_NOT_ALLOWED},
    {"root", DN_COAP_GET, "", NULL, DN_COAP_NO_FORMAT, NULL, DN_COAP_NOT_FOUND},
    {"other path", DN_COAP_POST, "rdx", "ep=a&lt=60&lwm2m=1.1", 40, LINKS, DN_COAP_NOT_FOUND},
    {"bootstrap", DN_COAP_POST, "bs", "ep=a", DN_COAP_NO_FORMAT, NULL, DN_COAP_NOT_FOUND},
    {"Send of nothing sensible", DN_COAP_POST, "dp", NULL, 112, "x", DN_COAP_BAD_REQUEST},
    {"deep path", DN_COAP_POST, "rd/1/2/3/4", NULL, DN_COAP_NO_FORMAT, NULL, DN_COAP_NOT_FOUND},
    {"trailing slash", DN_COAP_POST, "rd/", "ep=a&lt=60&lwm2m=1.1", 40, LINKS, DN_COAP_NOT_FOUND},
    {"no such", DN_COAP_POST, "rd/0000000000000", NULL, DN_COAP_NO_FORMAT, NULL, DN_COAP_NOT_FOUND},
    {"no id", DN_COAP_POST, "rd/abc", NULL, DN_COAP_NO_FORMAT, NULL, DN_COAP_NOT_FOUND},
    {"no id either", DN_COAP_DELETE, "rd/zzzzzzzzzzzzz", NULL, DN_COAP_NO_FORMAT, NULL, DN_COAP_NOT_FOUND},
};

static void register_takes_and_refuses(void **state)
{
    (void)state;
    uint64_t made = 0;
    for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
        uint64_t events = rig_count(&r).events;
        expect_code(&registers[i]);
        made += registers[i].code == DN_COAP_CREATED;
        if (registers[i].code != DN_COAP_CREATED) {
            assert_int_equal(rig_count(&r).events, events);
        }
        assert_int_equal(rig_count(&r).registers, made);
    }
    /* "a" and the long one; their lists, and no trace of those refused. */
    assert_int_equal(rig_count(&r).registrations, 2);
    assert_int_equal(rig_count(&r).link_lists, 2);
    assert_true(rig_count(&r).refused_registers > 20);
}

static void what_was_said_is_shown(void **state)
{
    (void)state;
    const attempt all = REGISTER("all", "ep=a&lt=60&lwm2m=1.0&b=SU&Q&sms=491511234", DN_COAP_CREATED);
    rig_run(&r, 5000);
    expect_code(&all);
    rig_client client = rig_get(&r, "a");
    assert_true(client.found);
    assert_string_equal(client.endpoint, "a");
    assert_string_equal(client.address, "host1:0");
    assert_string_equal(client.binding, "US");
    assert_string_equal(client.sms, "491511234");
    assert_string_equal(client.links, LINKS);
    assert_int_equal(client.version_minor, 0);
    assert_true(client.queue_mode);
    assert_int_equal(client.lifetime_s, 60);
    assert_int_equal(client.registered_ms, RIG_EPOCH_MS + 5000);
    assert_int_equal(client.updated_ms, client.registered_ms);
    assert_int_equal(client.expires_ms, client.registered_ms + 60000);
    char location[64];
    (void)snprintf(location, sizeof location, "rd/%s", client.id);
    assert_string_equal(r.devices[0].location, location);
    dn_event event = rig_expect(&r, DN_EVENT_REGISTERED, "a");
    assert_string_equal(event.client.id, client.id);
    assert_true(dunlin_slice_equal(event.client.links, dunlin_slice_of(LINKS)));
    assert_true(dunlin_slice_equal(event.client.sms, dunlin_slice_of("491511234")));
    assert_int_equal(event.at_ms, client.registered_ms);
    assert_false(rig_get(&r, "b").found);
}

static void without_end_shows_no_end(void **state)
{
    (void)state;
    rig_register(&r, &r.devices[0], "a", 0);
    assert_true(rig_get(&r, "a").expires_ms == INT64_MAX);
}

static void update(const char *what, const char *queries, const char *payload, uint8_t code)
{
    const attempt a = {
        what,    DN_COAP_POST, r.devices[0].location, queries, payload != NULL ? 40 : DN_COAP_NO_FORMAT,
        payload, code};
    expect_code(&a);
}

static void update_changes_what_it_names(void **state)
{
    (void)state;
    static const struct {
        const char *what, *queries, *payload;
        uint8_t changed;
    } steps[] = {
        {"a refresh", NULL, NULL, 0},
        {"the same lifetime", "lt=60", NULL, 0},
        {"lifetime", "lt=90", NULL, DN_CHANGED_LIFETIME},
        {"binding", "b=UT", NULL, DN_CHANGED_BINDING},
        {"queue mode", "Q", NULL, DN_CHANGED_BINDING},
        {"the same queue mode", "b=UT&Q", NULL, 0},
        {"a binding without it", "b=UT", NULL, DN_CHANGED_BINDING},
        {"queue mode within b", "b=UQ", NULL, DN_CHANGED_BINDING},
        {"phone", "sms=123", NULL, DN_CHANGED_SMS},
        {"the same phone", "sms=123", NULL, 0},
        {"another phone", "sms=1234567890", NULL, DN_CHANGED_SMS},
        {"objects", NULL, "</1/0>,</3/0>,</3303/0>,</3303/1>", DN_CHANGED_OBJECTS},
        {"the same objects", NULL, "</1/0>,</3/0>,</3303/0>,</3303/1>", 0},
        {"all at once", "lt=120&b=U&sms=5", LINKS,
         DN_CHANGED_LIFETIME | DN_CHANGED_BINDING | DN_CHANGED_SMS | DN_CHANGED_OBJECTS},
    };
    rig_register(&r, &r.devices[0], "a", 60);
    rig_client before = rig_get(&r, "a");
    rig_skip_events(&r);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        rig_run(&r, 1000);
        update(steps[i].what, steps[i].queries, steps[i].payload, DN_COAP_CHANGED);
        dn_event event = rig_expect(&r, DN_EVENT_UPDATED, "a");
        if (event.changed != steps[i].changed) {
            print_error("%s\n", steps[i].what);
        }
        assert_int_equal(event.changed, steps[i].changed);
        assert_true(rig_get(&r, "a").updated_ms > before.updated_ms);
    }
    rig_client client = rig_get(&r, "a");
    assert_string_equal(client.id, before.id);
    assert_int_equal(client.registered_ms, before.registered_ms);
    assert_int_equal(client.lifetime_s, 120);
    assert_string_equal(client.binding, "U");
    assert_false(client.queue_mode);
    assert_string_equal(client.sms, "5");
    assert_string_equal(client.links, LINKS);
    assert_int_equal(rig_count(&r).link_lists, 1);
}

static void update_refuses_and_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *what, *queries, *payload;
    } bad[] = {
        {"ep", "ep=a", NULL},          {"lwm2m", "lwm2m=1.1", NULL},         {"unknown", "x=1", NULL},
        {"bad lt", "lt=x", NULL},      {"lt twice", "lt=5&lt=5", NULL},      {"bad b", "b=", NULL},
        {"bad list", "lt=5", "</1/0"}, {"good and bad", "lt=5&sms=a", NULL},
    };
    rig_register(&r, &r.devices[0], "a", 60);
    rig_skip_events(&r);
    rig_client before = rig_get(&r, "a");
    rig_run(&r, 1000);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        update(bad[i].what, bad[i].queries, bad[i].payload, DN_COAP_BAD_REQUEST);
    }
    const attempt other = {"format", DN_COAP_POST, r.devices[0].location, NULL,
                           0,        LINKS,        DN_COAP_BAD_REQUEST};
    expect_code(&other);
    const attempt get = {
        "GET", DN_COAP_GET, r.devices[0].location, NULL, DN_COAP_NO_FORMAT, NULL, DN_COAP_METHOD_NOT_ALLOWED};
    expect_code(&get);
    rig_client after = rig_get(&r, "a");
    assert_memory_equal(&before, &after, sizeof before);
    rig_expect_no_event(&r);
    assert_int_equal(rig_count(&r).refused_updates, sizeof bad / sizeof bad[0] + 1);
}

static void deregister_ends_it(void **state)
{
    (void)state;
    rig_register(&r, &r.devices[0], "a", 60);
    rig_skip_events(&r);
    rig_ask(&r, &r.devices[0], DN_COAP_DELETE, r.devices[0].location, NULL, DN_COAP_NO_FORMAT, NULL);
    assert_int_equal(r.devices[0].code, DN_COAP_DELETED);
    dn_event event = rig_expect(&r, DN_EVENT_DEREGISTERED, "a");
    assert_false(event.replaced);
    assert_false(rig_get(&r, "a").found);
    assert_int_equal(rig_count(&r).link_lists, 0);
    rig_ask(&r, &r.devices[0], DN_COAP_DELETE, r.devices[0].location, NULL, DN_COAP_NO_FORMAT, NULL);
    assert_int_equal(r.devices[0].code, DN_COAP_NOT_FOUND);
    update("after the end", NULL, NULL, DN_COAP_NOT_FOUND);
    assert_int_equal(rig_count(&r).deregisters, 1);
}

static void registering_again_replaces(void **state)
{
    (void)state;
    char old[64];
    rig_register(&r, &r.devices[0], "a", 60);
    (void)snprintf(old, sizeof old, "%s", r.devices[0].location);
    rig_skip_events(&r);
    rig_register(&r, &r.devices[1], "a", 90);
    assert_string_not_equal(r.devices[1].location, old);
    dn_event event = rig_expect(&r, DN_EVENT_DEREGISTERED, "a");
    assert_true(event.replaced);
    assert_string_equal(event.client.id, old + 3);
    (void)rig_expect(&r, DN_EVENT_REGISTERED, "a");
    assert_int_equal(rig_count(&r).registrations, 1);
    assert_string_equal(rig_get(&r, "a").address, "host2:0");
    update("with the old id", NULL, NULL, DN_COAP_NOT_FOUND);
}

/* `ver`, quoted as 1.0 writes it or bare, belongs to a device's own list: several versions of an object live in one fleet, and a
 * newer firmware's Update brings another one. */
static void versions_are_each_devices_own(void **state)
{
    static const char *const lists[] = {
        "</1/0>,</3/0>,</3303>;ver=1.0,</3303/0>", "</1/0>,</3/0>,</3303>;ver=\"1.1\",</3303/0>",
        "</1/0>,</3>;ver=1.2,</3/0>,</3303/0>;ver=2.0", "</1/0>,</3/0>,</3303/0>;ver=new;x"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        char queries[64];
        (void)snprintf(queries, sizeof queries, "ep=v%zu&lt=60&lwm2m=1.%zu", i, i % 2);
        rig_ask(&r, &r.devices[i], DN_COAP_POST, "rd", queries, 40, lists[i]);
        assert_int_equal(r.devices[i].code, DN_COAP_CREATED);
    }
    for (size_t i = 0; i < 4; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "v%zu", i);
        assert_string_equal(rig_get(&r, name).links, lists[i]);
        assert_int_equal(rig_get(&r, name).version_minor, i % 2);
    }
    rig_skip_events(&r);
    rig_ask(&r, &r.devices[0], DN_COAP_POST, r.devices[0].location, NULL, 40, lists[1]);
    assert_int_equal(rig_expect(&r, DN_EVENT_UPDATED, "v0").changed, DN_CHANGED_OBJECTS);
    assert_string_equal(rig_get(&r, "v0").links, lists[1]);
    assert_string_equal(rig_get(&r, "v1").links, lists[1]);
    rig_crash(&r, 0);
    assert_string_equal(rig_get(&r, "v0").links, lists[1]);
    assert_string_equal(rig_get(&r, "v2").links, lists[2]);
}

/* The list of an Update is the whole list, also of the alternate path that requests go to. */
static void an_update_may_move_the_root(void **state)
{
    rig_device *device = &r.devices[0];
    (void)state;
    rig_ask(&r, device, DN_COAP_POST, "rd", "ep=a&lt=60&lwm2m=1.1", 40,
            "</lwm2m>;rt=\"oma.lwm2m\";ct=\"110 112\",</lwm2m/1/0>,</lwm2m/3/0>");
    assert_int_equal(rig_read(&r, "a", "/3/0/1").status, DUNLIN_OK);
    assert_string_equal(device->asked_path, "/lwm2m/3/0/1");
    rig_ask(&r, device, DN_COAP_POST, device->location, NULL, 40, "</x>;rt=\"oma.lwm2m\",</x/1/0>,</x/3/0>");
    (void)rig_read(&r, "a", "/3/0/1");
    assert_string_equal(device->asked_path, "/x/3/0/1");
    rig_ask(&r, device, DN_COAP_POST, device->location, NULL, 40, LINKS);
    (void)rig_read(&r, "a", "/3/0/1");
    assert_string_equal(device->asked_path, "/3/0/1");
    rig_ask(&r, device, DN_COAP_POST, device->location, NULL, DN_COAP_NO_FORMAT,
            NULL); /* not said: as before */
    (void)rig_read(&r, "a", "/3/0/1");
    assert_string_equal(device->asked_path, "/3/0/1");
}

static void names_are_told_apart_by_every_byte(void **state)
{
    (void)state;
    static const char *const names[] = {"sensor", "Sensor", "sensor ", "s/../?#%00'\"<b>"};
    for (size_t i = 0; i < 4; i++) {
        rig_register(&r, &r.devices[i], names[i], 60);
    }
    assert_int_equal(rig_count(&r).registrations, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(rig_get(&r, names[i]).endpoint, names[i]);
    }
}

static void a_new_port_is_taken_a_new_host_is_not(void **state)
{
    (void)state;
    rig_register(&r, &r.devices[0], "a", 60);
    rig_skip_events(&r);
    rig_rebind(&r, &r.devices[0]);
    update("from a new port", NULL, NULL, DN_COAP_CHANGED);
    assert_int_equal(rig_expect(&r, DN_EVENT_UPDATED, "a").changed, DN_CHANGED_ADDRESS);
    assert_string_equal(rig_get(&r, "a").address, "host1:1");
    (void)snprintf(r.devices[1].location, sizeof r.devices[1].location, "%s", r.devices[0].location);
    rig_ask(&r, &r.devices[1], DN_COAP_POST, r.devices[1].location, "lt=5", DN_COAP_NO_FORMAT, NULL);
    assert_int_equal(r.devices[1].code, DN_COAP_NOT_FOUND);
    rig_ask(&r, &r.devices[1], DN_COAP_DELETE, r.devices[1].location, NULL, DN_COAP_NO_FORMAT, NULL);
    assert_int_equal(r.devices[1].code, DN_COAP_NOT_FOUND);
    assert_int_equal(rig_get(&r, "a").lifetime_s, 60);
    rig_expect_no_event(&r);
}

static void discovery_names_rd(void **state)
{
    (void)state;
    rig_device *device = &r.devices[0];
    rig_ask(&r, device, DN_COAP_GET, ".well-known/core", NULL, DN_COAP_NO_FORMAT, NULL);
    assert_int_equal(device->code, DN_COAP_CONTENT);
    assert_string_equal(device->text, "</rd>;ct=40,</dp>;ct=\"110 112\"");
    rig_ask(&r, device, DN_COAP_POST, ".well-known/core", NULL, DN_COAP_NO_FORMAT, NULL);
    assert_int_equal(device->code, DN_COAP_METHOD_NOT_ALLOWED);
}

/* Block-wise: 300 objects are more than fit into one datagram (RFC 7959). */
static void long_lists_come_in_blocks(void **state)
{
    (void)state;
    static char links[16384];
    size_t len = 0;
    for (unsigned i = 0; i < 300; i++) {
        len += (size_t)snprintf(links + len, sizeof links - len, "%s</%u/0>", i > 0 ? "," : "", i + 1);
    }
    rig_ask(&r, &r.devices[0], DN_COAP_POST, "rd", "ep=a&lt=60&lwm2m=1.1", 40, links);
    assert_int_equal(r.devices[0].code, DN_COAP_CREATED);
    assert_string_equal(rig_get(&r, "a").links, links);
}

static void small_limits(dn_fleet_config *config)
{
    config->max_registrations = 2;
    config->max_link_lists = 2;
    config->max_link_list_bytes = 100;
    config->max_lifetime_s = 3600;
}

static void limits_are_kept(void **state)
{
    (void)state;
    static const char list_101[] = "</1/0>;a=012345678901234567890123456789012345678901234567890123456789"
                                   "01234567890123456789012345678901";
    rig_end(&r);
    rig_start(&r, 2, small_limits);
    const attempt steps[] = {
        REGISTER("first", "ep=a&lt=3600&lwm2m=1.1", DN_COAP_CREATED),
        REGISTER("too long a life", "ep=b&lt=3601&lwm2m=1.1", DN_COAP_BAD_REQUEST),
        REGISTER("a life without end", "ep=b&lt=0&lwm2m=1.1", DN_COAP_BAD_REQUEST),
        {"too long a list", DN_COAP_POST, "rd", "ep=b&lt=60&lwm2m=1.1", 40, list_101, DN_COAP_TOO_LARGE},
        {"a second list", DN_COAP_POST, "rd", "ep=b&lt=60&lwm2m=1.1", 40, "</3/0>", DN_COAP_CREATED},
        {"a third list", DN_COAP_POST, "rd", "ep=b&lt=60&lwm2m=1.1", 40, "</5/0>", DN_COAP_UNAVAILABLE},
        REGISTER("a third registration", "ep=c&lt=60&lwm2m=1.1", DN_COAP_UNAVAILABLE),
        REGISTER("one of them again", "ep=b&lt=60&lwm2m=1.1", DN_COAP_CREATED),
        {"now there is room", DN_COAP_POST, "rd", "ep=b&lt=60&lwm2m=1.1", 40, "</5/0>", DN_COAP_CREATED},
    };
    assert_int_equal(sizeof list_101 - 1, 101);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        expect_code(&steps[i]);
    }
    assert_string_equal(rig_get(&r, "b").links, "</5/0>");
    update("too long a life", "lt=3601", NULL, DN_COAP_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(register_takes_and_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_said_is_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_end_shows_no_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(update_changes_what_it_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(update_refuses_and_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deregister_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(registering_again_replaces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(versions_are_each_devices_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_update_may_move_the_root, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_are_told_apart_by_every_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_port_is_taken_a_new_host_is_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(discovery_names_rd, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_lists_come_in_blocks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(limits_are_kept, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
