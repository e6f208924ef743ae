/* SPDX-License-Identifier: Apache-2.0 */
/* The image of a client: what it holds, when it is saved, what is refused, and what becomes of a request that cannot be saved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "client/account.h"
#include "client/attributes.h"
#include "client/image.h"
#include "client/security.h"
#include "client/tree.h"
#include "tests/client/image.h"
#include "tests/client/rig.h"
#include <dunlin/client_access.h>

#define TEXT     0
#define TLV      11542
#define SJSON    110
#define KEEPERS  4u
#define KEEPER   33100
#define ACCESSES 6u
#define KEPT_MAX 4096u
#define DIGEST   8u

/* An Object of the application that survives, with every type, and something only the device tells. */
typedef struct {
    int32_t number;
    uint64_t large;
    double real;
    bool flag;
    char text[16];
    rig_blob blob;
    int64_t when;
    dunlin_objlnk link;
    DUNLIN_MANY(int16_t, 4) counts;
    DUNLIN_MANY(rig_label, 3) labels;
    int32_t hidden; /* behind `get` and `set` */
    int32_t optional;
    int32_t told;    /* what `set` of `number` was told last */
    int32_t reading; /* read only */
} keeper;

typedef struct {
    rig r; /* first: the context of all callbacks */
    keeper keepers[KEEPERS];
    dunlin_access access[ACCESSES];
    uint8_t kept[KEPT_MAX]; /* what `save` was given last */
    size_t kept_len;
    unsigned saves;
    unsigned changed_before; /* events CHANGED before the last save */
    dunlin_status answer;    /* of `save` */
    unsigned created, removed;
} world;

static dunlin_status number_set(const dunlin_call *call, const dunlin_value *value)
{
    ((keeper *)call->instance)->told = (int32_t)value->as.integer;
    return DUNLIN_OK;
}

static dunlin_status hidden_get(const dunlin_call *call, dunlin_value *value)
{
    *value = dunlin_integer(((keeper *)call->instance)->hidden);
    return DUNLIN_OK;
}

static dunlin_status hidden_set(const dunlin_call *call, const dunlin_value *value)
{
    ((keeper *)call->instance)->hidden = (int32_t)value->as.integer;
    return DUNLIN_OK;
}

static dunlin_status count(const dunlin_call *call, const dunlin_arguments *arguments)
{
    keeper *k = call->instance;
    (void)arguments;
    k->number++;
    dunlin_changed(call->client, call->path);
    return DUNLIN_OK;
}

static const dunlin_resource keeper_table[] = {
    {DUNLIN_FIELD(0, INTEGER, DUNLIN_RW, keeper, number), .set = number_set},
    {DUNLIN_FIELD(1, UNSIGNED, DUNLIN_RW, keeper, large)},
    {DUNLIN_FIELD(2, FLOAT, DUNLIN_RW, keeper, real)},
    {DUNLIN_FIELD(3, BOOLEAN, DUNLIN_RW, keeper, flag)},
    {DUNLIN_FIELD(4, STRING, DUNLIN_RW, keeper, text)},
    {DUNLIN_FIELD(5, OPAQUE, DUNLIN_RW, keeper, blob)},
    {DUNLIN_FIELD(6, TIME, DUNLIN_RW, keeper, when)},
    {DUNLIN_FIELD(7, OBJLNK, DUNLIN_RW, keeper, link)},
    {DUNLIN_LIST(8, INTEGER, DUNLIN_RW, keeper, counts)},
    {DUNLIN_LIST(9, STRING, DUNLIN_RW, keeper, labels)},
    {DUNLIN_CALL(10, INTEGER, DUNLIN_RW), .get = hidden_get, .set = hidden_set},
    {DUNLIN_FIELD(11, INTEGER, DUNLIN_RW | DUNLIN_ABSENT, keeper, optional)},
    {DUNLIN_FIELD(12, INTEGER, DUNLIN_R, keeper, reading)},
    {DUNLIN_EXECUTE(13, DUNLIN_E, count)},
};

static dunlin_status keeper_created(const dunlin_call *call)
{
    ((world *)call->context)->created++;
    return DUNLIN_OK;
}

static void keeper_removed(const dunlin_call *call)
{
    ((world *)call->context)->removed++;
}

static const dunlin_object keeper_object = {
    .id = KEEPER,
    DUNLIN_TABLE(keeper_table),
    .flags = DUNLIN_MULTIPLE | DUNLIN_DYNAMIC | DUNLIN_KEEP,
    .size = sizeof(keeper),
    .created = keeper_created,
    .removed = keeper_removed,
};

static dunlin_status on_save(void *context, dunlin_slice saved)
{
    world *w = context;
    w->changed_before = rig_events(&w->r, DUNLIN_CLIENT_CHANGED);
    if (w->answer != DUNLIN_OK) {
        return w->answer;
    }
    assert_true(saved.len <= sizeof w->kept);
    memcpy(w->kept, saved.data, saved.len);
    w->kept_len = saved.len;
    w->saves++;
    return DUNLIN_OK;
}

/* ---- a device ---- */

/* Without accounts, as it leaves the factory. */
static void remake(world *w)
{
    memset(w->keepers, 0, sizeof w->keepers);
    memset(w->access, 0, sizeof w->access);
    w->created = w->removed = 0;
    rig_remake(&w->r);
    assert_int_equal(dunlin_client_add_object(w->r.client, &keeper_object, w->keepers, KEEPERS, 1, w),
                     DUNLIN_OK);
    assert_int_equal(dunlin_access_add(w->r.client, w->access, ACCESSES, 0), DUNLIN_OK);
}

static world *make(void)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    rig_open(&w->r, DUNLIN_LWM2M_1_1, 1);
    w->r.config.servers = 2;
    w->r.config.credential_max = 64;
    w->r.config.image_max = KEPT_MAX;
    w->r.config.call.save = on_save;
    remake(w);
    return w;
}

static void add_servers(world *w, size_t count)
{
    dunlin_server server = dunlin_server_default();
    memcpy(server.uri, "coap://server", sizeof "coap://server");
    assert_int_equal(dunlin_client_add_server(w->r.client, &server), DUNLIN_OK);
    if (count > 1) {
        memcpy(server.uri, "coaps://other", sizeof "coaps://other");
        server.ssid = 7;
        server.lifetime_s = 60;
        server.security.mode = DUNLIN_PSK;
        server.security.identity = dunlin_slice_of("who");
        server.security.secret = dunlin_slice_make("\x00\x01secret", 8);
        server.security.matching = 1;
        memcpy(server.security.sni, "name", sizeof "name");
        server.policy.priority = 3;
        memcpy(server.preferred_transport, "U", sizeof "U");
        assert_int_equal(dunlin_client_add_server(w->r.client, &server), DUNLIN_OK);
    }
}

static void start(world *w)
{
    dunlin_client_start(w->r.client, dn_simlink_now(w->r.link));
    rig_run(&w->r, 1000);
    assert_true(dunlin_client_registered(w->r.client));
}

static world *registered(void)
{
    world *w = make();
    add_servers(w, 1);
    start(w);
    return w;
}

static void done(world *w)
{
    rig_close(&w->r);
    free(w);
}

static void assert_code(const rig_answer *answer, const char *code)
{
    assert_string_equal(rig_code(answer->code), code);
}

static const rig_answer *attributes_of(world *w, const char *path, const char *query)
{
    const rig_request request = {.method = DN_COAP_PUT, .path = path, .query = query};
    return rig_ask(&w->r, &request);
}

static const rig_answer *composite(world *w, const char *payload)
{
    const rig_request request = {.method = DN_COAP_IPATCH,
                                 .path = "/",
                                 .payload = payload,
                                 .len = strlen(payload),
                                 .has_format = true,
                                 .format = SJSON};
    return rig_ask(&w->r, &request);
}

static size_t write_image(world *w, uint8_t *out, size_t cap)
{
    dunlin_buf buf = dunlin_buf_make(out, cap);
    assert_int_equal(dn_client_image_write(w->r.client, &buf), DUNLIN_OK);
    return buf.len;
}

static dunlin_status restore(world *w, const uint8_t *bytes, size_t len)
{
    return dunlin_client_restore(w->r.client, dunlin_slice_make(bytes, len));
}

/* Something of everything that an image holds. */
static void fill(world *w)
{
    keeper *k = &w->keepers[0];
    uint16_t index = 0;
    *k = (keeper){.number = -70000,
                  .large = UINT64_MAX,
                  .real = -0.1,
                  .flag = true,
                  .text = "gr\xc3\xbc\xc3\x9f",
                  .when = INT64_MIN,
                  .link = {KEEPER, 0},
                  .hidden = 99,
                  .reading = 5};
    k->blob.len = 3;
    memcpy(k->blob.data, "\x00\x01\xff", 3);
    k->counts.count = 2;
    k->counts.id[1] = 9;
    k->counts.value[0] = -1;
    k->counts.value[1] = INT16_MAX;
    k->labels.count = 1;
    k->labels.id[0] = 65534;
    memcpy(k->labels.value[0], "eleven.....", sizeof k->labels.value[0]);
    assert_int_equal(dunlin_client_add_instance(w->r.client, KEEPER, 65534, &index), DUNLIN_OK);
    w->keepers[index].number = 3;
    const dunlin_path absent = dunlin_path_resource(KEEPER, 65534, 1);
    assert_int_equal(dunlin_client_set_present(w->r.client, absent, false), DUNLIN_OK);
    assert_int_equal(dunlin_client_add_instance(w->r.client, 2, 4, &index), DUNLIN_OK);
    w->access[index] = (dunlin_access){KEEPER, 65534, 7, {2, {0, 1}, {1, 31}}};
    w->r.client->attributes[3] = (dn_attributes){.path = dunlin_path_resource(KEEPER, 0, 2),
                                                 .server = 1,
                                                 .set = DN_ATTR_PMIN | DN_ATTR_PMAX | DN_ATTR_GT | DN_ATTR_ST,
                                                 .pmin_s = 0,
                                                 .pmax_s = UINT32_MAX,
                                                 .gt = -1.5,
                                                 .st = 0.25};
}

/* ---- what it holds ---- */

static void everything_comes_back(void **state)
{
    (void)state;
    world *w = make();
    uint8_t before[KEPT_MAX], after[KEPT_MAX];
    add_servers(w, 2);
    fill(w);
    const size_t len = write_image(w, before, sizeof before);
    remake(w);
    assert_int_equal(restore(w, before, len), DUNLIN_OK);
    assert_int_equal(write_image(w, after, sizeof after), len);
    assert_memory_equal(before, after, len);

    const keeper *k = &w->keepers[0];
    assert_int_equal(k->number, -70000);
    assert_int_equal(k->told, -70000); /* `set` hears of it */
    assert_int_equal(k->reading, 0);   /* is not kept */
    assert_true(k->large == UINT64_MAX && k->real == -0.1 && k->flag && k->when == INT64_MIN);
    assert_string_equal(k->text, "gr\xc3\xbc\xc3\x9f");
    assert_memory_equal(k->blob.data, "\x00\x01\xff", 3);
    assert_int_equal(k->counts.value[1], INT16_MAX);
    assert_string_equal(k->labels.value[0], "eleven.....");
    assert_int_equal(k->hidden, 99);
    assert_int_equal(w->created, 1);
    const dn_account *account = dn_client_account(w->r.client, 7);
    assert_non_null(account);
    assert_non_null(dn_client_account(w->r.client, 1));
    assert_string_equal(account->security->uri, "coaps://other");
    assert_int_equal(account->server->lifetime_s, 60);
    assert_int_equal(dn_client_account_policy(account).priority, 3);
    dunlin_security security;
    dn_client_security_view(w->r.client, account->security, &security);
    assert_int_equal(security.mode, DUNLIN_PSK);
    assert_true(dunlin_slice_equal(security.identity, dunlin_slice_of("who")));
    assert_true(dunlin_slice_equal(security.secret, dunlin_slice_make("\x00\x01secret", 8)));
    assert_int_equal(security.matching, 1);
    assert_int_equal(security.usage, -1);
    assert_string_equal(security.sni, "name");
    const dn_attributes *a = dn_client_attributes_at(w->r.client, 1, dunlin_path_resource(KEEPER, 0, 2));
    assert_non_null(a);
    assert_int_equal(a->pmax_s, UINT32_MAX);
    assert_true(a->gt == -1.5 && a->st == 0.25);
    assert_int_equal(dunlin_access_rights(w->r.client, 1, KEEPER, 65534), 15);
    done(w);
}

/* What was there before goes, and is told so; what is the same stays where it is. */
static void others_go(void **state)
{
    (void)state;
    world *w = make();
    uint8_t bytes[KEPT_MAX];
    uint16_t index = 0;
    add_servers(w, 1);
    const size_t len = write_image(w, bytes, sizeof bytes);
    const dn_account *account = dn_client_account(w->r.client, 1);
    assert_int_equal(dunlin_client_add_instance(w->r.client, KEEPER, 2, &index), DUNLIN_OK);
    assert_int_equal(dunlin_client_add_instance(w->r.client, 2, 0, &index), DUNLIN_OK);
    w->access[index] = (dunlin_access){KEEPER, 2, 1, {0, {0}, {0}}};
    assert_int_equal(restore(w, bytes, len), DUNLIN_OK);
    assert_int_equal(w->removed, 1);
    const dn_object_slot *slot = dn_client_tree_object(w->r.client, KEEPER);
    assert_int_equal(dn_client_tree_instance(slot, 2), DN_NO_INDEX);
    assert_ptr_equal(dn_client_account(w->r.client, 1), account);
    done(w);
}

/* An account under a number that another one had until now: what that server had set is not the new one's, what is in the image is. */
static void attributes_come_back_with_another_account(void **state)
{
    (void)state;
    world *w = make();
    uint8_t bytes[KEPT_MAX];
    add_servers(w, 1);
    fill(w);
    const size_t len = write_image(w, bytes, sizeof bytes);
    const dunlin_value elsewhere = dunlin_string(dunlin_slice_of("coap://elsewhere"));
    assert_int_equal(dunlin_client_set(w->r.client, dunlin_path_resource(0, 0, 0), &elsewhere), DUNLIN_OK);
    dn_client_pair_accounts(w->r.client);
    assert_null(dn_client_attributes_at(w->r.client, 1, dunlin_path_resource(KEEPER, 0, 2)));
    assert_int_equal(restore(w, bytes, len), DUNLIN_OK);
    assert_non_null(dn_client_attributes_at(w->r.client, 1, dunlin_path_resource(KEEPER, 0, 2)));
    done(w);
}

/* ---- what is refused ---- */

static void damage_is_noticed(void **state)
{
    (void)state;
    world *w = make();
    uint8_t bytes[KEPT_MAX];
    image before, after;
    add_servers(w, 2);
    fill(w);
    const size_t len = write_image(w, bytes, sizeof bytes);
    image_take(&w->r, &before);
    for (size_t i = 0; i < len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[i] ^= (uint8_t)(1u << bit);
            assert_int_equal(restore(w, bytes, len), DUNLIN_ERR_MALFORMED);
            bytes[i] ^= (uint8_t)(1u << bit);
        }
        assert_int_equal(restore(w, bytes, i), DUNLIN_ERR_MALFORMED);
    }
    bytes[len] = 0;
    assert_int_equal(restore(w, bytes, len + 1), DUNLIN_ERR_MALFORMED);
    image_take(&w->r, &after);
    assert_true(image_equal(&before, &after));
    assert_int_equal(restore(w, bytes, len), DUNLIN_OK);
    done(w);
}

/* Puts the digest right, so that what is wrong inside comes to light. */
static void seal(uint8_t *bytes, size_t len)
{
    const dn_hash_key key = {0x64756e6c696e2069u, 0x6d61676520763100u};
    const uint64_t digest = dn_hash(&key, dunlin_slice_make(bytes, len - DIGEST));
    for (size_t i = 0; i < DIGEST; i++) {
        bytes[len - DIGEST + i] = (uint8_t)(digest >> (8 * (DIGEST - 1 - i)));
    }
}

/* Each byte behind the magic is any other: taken or not, with nothing in between, and never a crash. */
static void forgeries_change_all_or_nothing(void **state)
{
    (void)state;
    static const uint8_t masks[] = {0x01, 0x80, 0xFF};
    world *w = make();
    uint8_t bytes[KEPT_MAX], forged[KEPT_MAX], now[KEPT_MAX];
    unsigned refused = 0;
    add_servers(w, 2);
    fill(w);
    const size_t len = write_image(w, bytes, sizeof bytes);
    for (size_t i = 4; i < len - DIGEST; i++) {
        for (size_t k = 0; k < sizeof masks; k++) {
            memcpy(forged, bytes, len);
            forged[i] ^= masks[k];
            seal(forged, len);
            if (restore(w, forged, len) != DUNLIN_OK) {
                refused++;
                assert_int_equal(write_image(w, now, sizeof now), len);
                assert_memory_equal(now, bytes, len);
            } else {
                assert_int_equal(restore(w, bytes, len), DUNLIN_OK);
            }
        }
    }
    assert_true(refused > 100);
    done(w);
}

static void versions_and_limits(void **state)
{
    (void)state;
    world *w = make();
    uint8_t bytes[KEPT_MAX], now[KEPT_MAX];
    uint16_t index = 0;
    add_servers(w, 2);
    fill(w);
    size_t len = write_image(w, bytes, sizeof bytes);

    bytes[4] = 2; /* major */
    seal(bytes, len);
    assert_int_equal(restore(w, bytes, len), DUNLIN_ERR_UNSUPPORTED);
    bytes[4] = 1;
    bytes[5] = 9; /* minor, and a section that nobody knows */
    memcpy(bytes + len - DIGEST, "\x77\x00\x00\x00\x03yes", 8);
    len += 8;
    seal(bytes, len);
    assert_int_equal(restore(w, bytes, len), DUNLIN_OK);

    w->r.config.servers = 1; /* of two */
    remake(w);
    const size_t before = write_image(w, now, sizeof now);
    assert_int_equal(restore(w, bytes, len), DUNLIN_ERR_LIMIT);
    assert_int_equal(write_image(w, bytes, sizeof bytes), before);
    assert_memory_equal(bytes, now, before);

    w->r.config.servers = 2;
    w->r.config.credential_max = 64;
    remake(w);
    add_servers(w, 2);
    len = write_image(w, bytes, sizeof bytes);
    w->r.config.credential_max = 4; /* the secret has eight */
    remake(w);
    assert_int_equal(restore(w, bytes, len), DUNLIN_ERR_LIMIT);
    assert_null(dn_client_account(w->r.client, 1));

    w->r.config.credential_max = 64;
    w->r.config.attributes = 0;
    remake(w);
    add_servers(w, 1);
    assert_int_equal(dunlin_client_add_instance(w->r.client, KEEPER, 1, &index), DUNLIN_OK);
    len = write_image(w, bytes, sizeof bytes);
    assert_int_equal(restore(w, bytes, len), DUNLIN_OK);
    done(w);
}

static void too_small_a_buffer(void **state)
{
    (void)state;
    world *w = make();
    uint8_t bytes[KEPT_MAX];
    add_servers(w, 2);
    const size_t len = write_image(w, bytes, sizeof bytes);
    for (size_t cap = 0; cap < len; cap++) {
        dunlin_buf buf = dunlin_buf_make(bytes, cap);
        assert_int_equal(dn_client_image_write(w->r.client, &buf), DUNLIN_ERR_SPACE);
        assert_int_equal(buf.len, 0);
    }
    w->r.config.image_max = 100;
    assert_int_equal(dunlin_client_arena_size(&w->r.config), 0);
    done(w);
}

/* ---- when it is saved ---- */

static void saved_before_the_answer(void **state)
{
    (void)state;
    world *w = registered();
    rig_run(&w->r, 1000);
    assert_int_equal(w->saves, 1); /* the account that the application has added */
    static const char *const writes[][2] = {{"/1/0/1", "3600"}, {"/33100/0/4", "new"}};
    unsigned expected = 1;
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        const unsigned told = rig_events(&w->r, DUNLIN_CLIENT_CHANGED);
        assert_code(rig_send(&w->r, DN_COAP_PUT, writes[i][0], TEXT, writes[i][1]), "2.04");
        assert_int_equal(w->saves, ++expected);
        assert_int_equal(w->changed_before, told); /* saved first, told then */
        assert_code(rig_send(&w->r, DN_COAP_PUT, writes[i][0], TEXT, writes[i][1]), "2.04");
        assert_int_equal(w->saves, expected); /* it is what it was */
    }
    assert_code(attributes_of(w, "/33100/0/0", "pmin=5&pmax=90"), "2.04");
    assert_int_equal(w->saves, ++expected);
    assert_code(attributes_of(w, "/3303/0/5700", "gt=40"), "2.04");
    assert_int_equal(w->saves, ++expected);
    assert_code(rig_send(&w->r, DN_COAP_POST, "/33100", TLV, ""), "2.01");
    assert_int_equal(w->saves, ++expected);
    assert_code(rig_send(&w->r, DN_COAP_DELETE, "/33100/1", -1, NULL), "2.02");
    assert_int_equal(w->saves, ++expected);
    assert_code(composite(w, "[{\"n\":\"/33100/0/0\",\"v\":4},{\"n\":\"/33000/0/0\",\"v\":5}]"), "2.04");
    assert_int_equal(w->saves, ++expected);
    assert_code(rig_send(&w->r, DN_COAP_PUT, "/33000/0/0", TEXT, "8"), "2.04");
    rig_run(&w->r, 1000);
    assert_int_equal(w->saves, expected); /* not of an Object that is kept */
    assert_int_equal(dunlin_client_count(w->r.client).saves, expected);
    done(w);
}

/* What an Execute has changed is saved before its answer, too; a save that failed may have come half way, and is done again. */
static void executes_and_second_tries(void **state)
{
    (void)state;
    world *w = registered();
    rig_run(&w->r, 1000);
    assert_int_equal(w->saves, 1);
    assert_code(rig_send(&w->r, DN_COAP_POST, "/33100/0/13", -1, NULL), "2.04");
    assert_int_equal(w->saves, 2);
    assert_int_equal(w->keepers[0].number, 1);
    w->answer = DUNLIN_ERR_IO;
    assert_code(rig_send(&w->r, DN_COAP_PUT, "/33100/0/0", TEXT, "5"), "5.00");
    w->answer = DUNLIN_OK;
    rig_run(&w->r, 61000);
    assert_int_equal(w->saves, 3);
    remake(w);
    assert_int_equal(restore(w, w->kept, w->kept_len), DUNLIN_OK);
    assert_int_equal(w->keepers[0].number, 1);
    done(w);
}

/* The device's own changes come with the next step, and wear no flash for what is not in the image. */
static void own_changes_are_saved(void **state)
{
    (void)state;
    world *w = registered();
    rig_run(&w->r, 1000);
    assert_int_equal(w->saves, 1);
    const dunlin_path number = dunlin_path_resource(KEEPER, 0, 0);
    const dunlin_value value = dunlin_integer(6);
    assert_int_equal(dunlin_client_set(w->r.client, number, &value), DUNLIN_OK);
    assert_int_equal(dunlin_client_deadline(w->r.client), 0);
    dunlin_client_step(w->r.client, dn_simlink_now(w->r.link));
    assert_int_equal(w->saves, 2);
    w->keepers[0].reading++;
    dunlin_changed(w->r.client, dunlin_path_resource(KEEPER, 0, 12));
    dunlin_client_step(w->r.client, dn_simlink_now(w->r.link));
    assert_int_equal(w->saves, 2);

    w->keepers[0].number = 7;
    w->answer = DUNLIN_ERR_IO;
    dunlin_changed(w->r.client, number);
    rig_run(&w->r, 59000);
    assert_int_equal(dunlin_client_count(w->r.client).saves_failed, 1);
    w->answer = DUNLIN_OK;
    rig_run(&w->r, 2000);
    assert_int_equal(w->saves, 3);
    assert_int_equal(w->keepers[0].number, 7);
    done(w);
}

/* ---- what cannot be saved has not happened ---- */

static const rig_answer *unsaved_write(world *w)
{
    return rig_send(&w->r, DN_COAP_PUT, "/33100/0/0", TEXT, "77");
}

static const rig_answer *unsaved_update(world *w)
{
    return rig_send(&w->r, DN_COAP_PUT, "/1/0/1", TEXT, "77");
}

static const rig_answer *unsaved_create(world *w)
{
    return rig_send(&w->r, DN_COAP_POST, "/33100", TLV, "");
}

static const rig_answer *unsaved_delete(world *w)
{
    return rig_send(&w->r, DN_COAP_DELETE, "/33100/0", -1, NULL);
}

static const rig_answer *unsaved_attributes(world *w)
{
    return attributes_of(w, "/33000/0/0", "pmin=3");
}

static const rig_answer *unsaved_composite(world *w)
{
    return composite(w, "[{\"n\":\"/33000/0/0\",\"v\":55},{\"n\":\"/33100/0/0\",\"v\":77}]");
}

static void a_failed_save_takes_the_change_back(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const rig_answer *(*ask)(world *);
    } rows[] = {
        {"Write to a kept Object", unsaved_write},
        {"Write to an account", unsaved_update},
        {"Create", unsaved_create},
        {"Delete", unsaved_delete},
        {"Write-Attributes", unsaved_attributes},
        {"Write-Composite over two Objects", unsaved_composite},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world *w = registered();
        uint8_t before[KEPT_MAX], after[KEPT_MAX];
        w->keepers[0].number = 5;
        dunlin_changed(w->r.client, dunlin_path_object(KEEPER));
        const rig_request observe = {
            .method = DN_COAP_GET, .path = "/33100/0/0", .observe = true, .token = 0x51};
        assert_code(rig_ask(&w->r, &observe), "2.05");
        const size_t len = write_image(w, before, sizeof before);
        const int32_t number = w->r.things[0].number;
        const unsigned changed = rig_events(&w->r, DUNLIN_CLIENT_CHANGED);
        w->answer = DUNLIN_ERR_IO;
        assert_code(rows[i].ask(w), "5.00");
        assert_int_equal(write_image(w, after, sizeof after), len);
        assert_memory_equal(after, before, len);
        assert_int_equal(w->r.things[0].number, number);
        rig_run(&w->r, 5000);
        assert_int_equal(w->r.notify_count, 0);
        assert_int_equal(rig_events(&w->r, DUNLIN_CLIENT_CHANGED), changed);
        w->answer = DUNLIN_OK;
        if (rows[i].ask(w)->code >= DN_COAP_BAD_REQUEST) {
            fail_msg("%s: not even when it can be saved", rows[i].name);
        }
        done(w);
    }
}

/* Not with an image that has no room: nothing could be taken back. */
static void no_room_refuses_changes(void **state)
{
    (void)state;
    world *w = make();
    w->r.config.image_max = 256;
    remake(w);
    add_servers(w, 1);
    fill(w);
    start(w);
    assert_true(dunlin_client_count(w->r.client).saves_failed > 0);
    assert_code(rig_send(&w->r, DN_COAP_PUT, "/33000/0/0", TEXT, "8"), "5.00");
    assert_code(rig_get(&w->r, "/33000/0/0", TEXT), "2.05");
    done(w);
}

/* ---- restart ---- */

static void a_restart_goes_on(void **state)
{
    (void)state;
    world *w = registered();
    assert_code(rig_send(&w->r, DN_COAP_PUT, "/1/0/1", TEXT, "3600"), "2.04");
    assert_code(attributes_of(w, "/33100/0/0", "pmin=5&pmax=90"), "2.04");
    assert_code(rig_send(&w->r, DN_COAP_POST, "/33100", TLV, ""), "2.01");
    remake(w);
    assert_int_equal(restore(w, w->kept, w->kept_len), DUNLIN_OK);
    const unsigned saves = w->saves;
    start(w);
    assert_non_null(strstr(w->r.query, "lt=3600"));
    assert_non_null(strstr(w->r.list, "</33100/1>"));
    const rig_answer *links = rig_get(&w->r, "/33100/0", 40);
    assert_code(links, "2.05");
    char text[256] = "";
    memcpy(text, links->payload, links->len < sizeof text ? links->len : sizeof text - 1);
    assert_non_null(strstr(text, "pmax=90"));
    assert_int_equal(w->saves, saves); /* it is saved already */
    done(w);
}

/* ---- what a bootstrap is taken back to ---- */

static void a_note_is_of_all_objects(void **state)
{
    (void)state;
    world *w = make();
    uint16_t index = 0;
    uint8_t before[KEPT_MAX], after[KEPT_MAX];
    w->r.config.call.save = NULL;
    w->r.config.bootstrap = true;
    remake(w);
    add_servers(w, 2);
    fill(w);
    const size_t len = write_image(w, before, sizeof before);
    const rig_things things = w->r.things[0];
    const dn_account *account = dn_client_account(w->r.client, 7);
    assert_int_equal(dn_client_image_note(w->r.client), DUNLIN_OK);
    w->r.client->bootstrap.operating = true; /* what follows is of the bootstrap */

    const dunlin_value value = dunlin_integer(9);
    assert_int_equal(dunlin_client_set(w->r.client, dunlin_path_resource(RIG_OBJECT, 0, RIG_NUMBER), &value),
                     DUNLIN_OK);
    w->r.clock_s += 100;
    w->r.thermometer[0].value = 30; /* the device goes on measuring */
    assert_int_equal(dunlin_client_remove_instance(w->r.client, RIG_OBJECT, 1), DUNLIN_OK);
    assert_int_equal(dunlin_client_add_instance(w->r.client, RIG_OBJECT, 3, &index), DUNLIN_OK);
    assert_int_equal(dunlin_client_remove_instance(w->r.client, 0, 0), DUNLIN_OK);
    assert_int_equal(dunlin_client_remove_instance(w->r.client, 1, 0), DUNLIN_OK);
    assert_int_equal(dunlin_client_remove_instance(w->r.client, KEEPER, 65534), DUNLIN_OK);
    const dunlin_value elsewhere = dunlin_string(dunlin_slice_of("coap://elsewhere"));
    assert_int_equal(dunlin_client_set(w->r.client, dunlin_path_resource(0, 1, 0), &elsewhere), DUNLIN_OK);

    dn_client_image_return(w->r.client);
    dn_client_pair_accounts(w->r.client);
    assert_int_equal(write_image(w, after, sizeof after), len);
    assert_memory_equal(after, before, len);
    assert_int_equal(w->r.things[0].number, things.number);
    const dn_object_slot *slot = dn_client_tree_object(w->r.client, RIG_OBJECT);
    assert_int_not_equal(dn_client_tree_instance(slot, 1), DN_NO_INDEX);
    assert_int_equal(dn_client_tree_instance(slot, 3), DN_NO_INDEX);
    assert_int_equal(w->r.clock_s, 1367491215 + 100);
    assert_true(w->r.thermometer[0].value == 30);
    assert_ptr_equal(dn_client_account(w->r.client, 7), account);
    done(w);
}

/* Nothing is saved half way through. */
static void a_note_holds_saves_back(void **state)
{
    (void)state;
    world *w = registered();
    rig_run(&w->r, 1000);
    const dunlin_value value = dunlin_integer(9);
    assert_int_equal(dn_client_image_note(w->r.client), DUNLIN_OK);
    w->r.client->bootstrap.operating = true; /* what follows is of the bootstrap */
    assert_int_equal(dunlin_client_set(w->r.client, dunlin_path_resource(KEEPER, 0, 0), &value), DUNLIN_OK);
    rig_run(&w->r, 1000);
    assert_int_equal(w->saves, 1);
    assert_int_equal(dn_client_image_save(w->r.client), DUNLIN_OK);
    assert_int_equal(w->saves, 2);
    assert_code(rig_send(&w->r, DN_COAP_PUT, "/33000/0/0", TEXT, "8"), "2.04");
    w->answer = DUNLIN_ERR_IO;
    assert_code(rig_send(&w->r, DN_COAP_PUT, "/33100/0/0", TEXT, "10"), "5.00");
    assert_int_equal(w->keepers[0].number, 9);
    assert_int_equal(w->r.things[0].number, 8); /* not what was noted before the bootstrap */
    done(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(others_go),
        cmocka_unit_test(attributes_come_back_with_another_account),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test(forgeries_change_all_or_nothing),
        cmocka_unit_test(versions_and_limits),
        cmocka_unit_test(too_small_a_buffer),
        cmocka_unit_test(saved_before_the_answer),
        cmocka_unit_test(executes_and_second_tries),
        cmocka_unit_test(own_changes_are_saved),
        cmocka_unit_test(a_failed_save_takes_the_change_back),
        cmocka_unit_test(no_room_refuses_changes),
        cmocka_unit_test(a_restart_goes_on),
        cmocka_unit_test(a_note_is_of_all_objects),
        cmocka_unit_test(a_note_holds_saves_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
