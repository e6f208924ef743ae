/* SPDX-License-Identifier: Apache-2.0 */
/* The bootstrap server and the client library, one against the other: as 1.0 and 1.1, in each format, with and without loss. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/format.h"
#include "tests/bootstrap/rig.h"
#include <dunlin/client.h>
#include <dunlin/client_access.h>
#include <dunlin/client_device.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MAX  262144
#define ACCESS_MAX 8
#define LONG_MS    400000u

typedef struct {
    rig r;
    rig_device *place; /* whose address the client has */
    dunlin_client *client;
    _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[ARENA_MAX];
    dunlin_device device;
    dunlin_access access[ACCESS_MAX];
    dn_seeded seeded;
    dn_simlink_endpoint endpoint;
    /* What the client has done: "bootstrapped ", "failed ", and the ways that it has asked for to servers. */
    char did[1024];
    char uri[256];
    uint8_t identity[128], secret[64];
    size_t identity_len, secret_len;
} world;

static void on_send(void *context, const dunlin_peer *peer, dunlin_slice datagram)
{
    (void)peer;
    rig_send(((world *)context)->place, datagram);
}

static void on_random(void *context, void *out, size_t len)
{
    dn_random random = dn_seeded_random(&((world *)context)->seeded);
    random.fill(random.context, out, len);
}

static dunlin_status on_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    (void)context;
    (void)uri;
    (void)peer;
    return DUNLIN_ERR_NOT_FOUND;
}

static dunlin_status on_connect(void *context, const dunlin_way *way, dunlin_peer *peer)
{
    world *w = context;
    if (way->server == DUNLIN_BOOTSTRAP_SERVER) {
        peer->len = w->r.address.len;
        memcpy(peer->bytes, w->r.address.bytes, w->r.address.len);
        return DUNLIN_OK;
    }
    (void)snprintf(w->uri, sizeof w->uri, "%s", way->uri);
    w->identity_len = way->security->identity.len;
    w->secret_len = way->security->secret.len;
    if (w->identity_len > 0) {
        memcpy(w->identity, way->security->identity.data, w->identity_len);
        memcpy(w->secret, way->security->secret.data, w->secret_len);
    }
    return DUNLIN_END; /* there is no LwM2M server here */
}

static void on_event(void *context, const dunlin_client_event *event)
{
    world *w = context;
    size_t len = strlen(w->did);
    const char *what = event->kind == DUNLIN_CLIENT_BOOTSTRAPPED       ? "bootstrapped "
                       : event->kind == DUNLIN_CLIENT_BOOTSTRAP_FAILED ? "failed "
                                                                       : "";
    (void)snprintf(w->did + len, sizeof w->did - len, "%s", what);
}

static void client_receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms)
{
    world *w = context;
    dunlin_peer peer = {.len = from->len};
    memcpy(peer.bytes, from->bytes, from->len);
    dunlin_client_receive(w->client, &peer, datagram, now_ms);
}

static uint64_t client_deadline(void *context)
{
    return dunlin_client_deadline(((world *)context)->client);
}

static void client_expire(void *context, uint64_t now_ms)
{
    dunlin_client_step(((world *)context)->client, now_ms);
}

static void open_client(world *w, dunlin_lwm2m lwm2m, uint16_t format)
{
    dunlin_client_config config = dunlin_client_config_default();
    config.endpoint = "dev-1";
    config.lwm2m = lwm2m;
    config.call = (dunlin_client_callbacks){.send = on_send,
                                            .random = on_random,
                                            .resolve = on_resolve,
                                            .connect = on_connect,
                                            .event = on_event,
                                            .context = w};
    config.credential_max = 128;
    config.servers = 2;
    config.bootstrap = true;
    config.bootstrap_format = format;
    config.bootstrap_stays = true;
    dn_seeded_init(&w->seeded, 77);
    w->client = dunlin_client_create(w->arena, sizeof w->arena, &config, RIG_START_MS);
    assert_non_null(w->client);
    assert_int_equal(dunlin_access_add(w->client, w->access, ACCESS_MAX, 0), DUNLIN_OK);
    dunlin_device_init(&w->device);
    assert_int_equal(dunlin_device_add(w->client, &w->device), DUNLIN_OK);
    dunlin_server server = dunlin_server_default();
    (void)snprintf(server.uri, sizeof server.uri, "coaps://bs");
    server.security.mode = DUNLIN_PSK;
    server.security.identity = dunlin_slice_of("factory");
    server.security.secret = dunlin_slice_of("0123456789abcdef");
    server.bootstrap = true;
    assert_int_equal(dunlin_client_add_server(w->client, &server), DUNLIN_OK);
    w->endpoint = (dn_simlink_endpoint){client_receive, client_deadline, client_expire, w};
    w->place->stand_in = &w->endpoint;
}

static void open_world(world *w, uint64_t seed, unsigned loss_permille)
{
    memset(w, 0, sizeof *w);
    rig_start(&w->r, seed, NULL);
    w->place = &w->r.devices[0];
    rig_secure(&w->r, w->place, DN_TRANSPORT_DTLS, "dev-1");
    dn_simlink_rule(w->r.link, &(dn_simlink_rules){.loss_permille = loss_permille, .delay_max_ms = 20});
}

static bool has_done(void *context)
{
    const world *w = context;
    return strstr(w->r.events, "FINISHED") != NULL || strstr(w->r.events, "FAILED") != NULL;
}

static void bootstrap(world *w)
{
    dunlin_client_start(w->client, RIG_START_MS);
    (void)dn_simlink_run(w->r.link, RIG_START_MS + LONG_MS, has_done, w);
    rig_run(&w->r, 5000);
}

static void assert_value(world *w, const char *path, const char *expected)
{
    char text[256] = "";
    dunlin_path at;
    dunlin_value value;
    dunlin_buf out = dunlin_buf_make(text, sizeof text - 1);
    assert_int_equal(dunlin_path_parse(dunlin_slice_of(path), &at), DUNLIN_OK);
    if (dunlin_client_get(w->client, at, &value) == DUNLIN_OK) {
        assert_int_equal(dn_value_to_text(&value, &out), DUNLIN_OK);
    }
    assert_string_equal(text, expected);
}

static const char small[] = "{\"servers\":[{\"ssid\":7,\"lifetime\":3600%s}]%s}";

static void test_formats(void **state)
{
    static const uint16_t formats[] = {DN_FORMAT_SENML_CBOR, DN_FORMAT_SENML_JSON, DN_FORMAT_TLV, 0};
    static const char *const ways[] = {"", ",\"write_objects\":true"};
    world *w = *state;
    for (unsigned i = 0; i < 32; i++) {
        const dunlin_lwm2m lwm2m = i & 1 ? DUNLIN_LWM2M_1_0 : DUNLIN_LWM2M_1_1;
        char document[512];
        open_world(w, 1 + i, i & 2 ? 200 : 0);
        (void)snprintf(document, sizeof document, small, ",\"registration\":{\"retry_count\":3}",
                       ways[i >> 2 & 1]);
        rig_configure(&w->r, "dev-*", document);
        open_client(w, lwm2m, lwm2m == DUNLIN_LWM2M_1_0 ? 0 : formats[i >> 3]);
        bootstrap(w);
        if (strstr(w->r.events, "FINISHED") == NULL || strcmp(w->did, "bootstrapped ") != 0) {
            fail_msg("%u: %s\n%s%s", i, w->did, w->r.events, w->r.whys);
        }
        assert_value(w, "/1/0/0", "7");
        assert_value(w, "/1/0/1", "3600");
        const dn_credential *made = bs_keeper_of(&w->r.keeper, "dev-1", false);
        assert_non_null(made);
        assert_string_equal(w->uri, "coaps://server:5684");
        assert_int_equal(w->identity_len, made->identity_len);
        assert_memory_equal(w->identity, made->identity, made->identity_len);
        assert_int_equal(w->secret_len, made->key_len);
        assert_memory_equal(w->secret, made->key, made->key_len);
        rig_end(&w->r);
    }
    open_world(w, 1, 0);
}

/* Two servers with access control, another account of the bootstrap server, and once more: what was there goes. */
static void test_two_servers(void **state)
{
    static const char document[] =
        "{\"servers\":[{\"ssid\":10},{\"ssid\":20,\"uri\":\"coap://"
        "b:5683\",\"security\":{\"mode\":\"nosec\"}}],"
        "\"account\":{\"uri\":\"coaps://bs:5684\",\"hold_off\":3,"
        "\"security\":{\"identity\":\"next\",\"key\":\"00112233445566778899aabbccddeeff\"}},"
        "\"access\":[{\"object\":3,\"instance\":0,\"owner\":10,\"rights\":{\"20\":1}},"
        "{\"object\":1,\"instance\":0,\"owner\":10,\"rights\":{}},{\"object\":1,\"instance\":1,\"owner\":20,"
        "\"rights\":{}}]}";
    world *w = *state;
    open_world(w, 40, 0);
    rig_configure(&w->r, "dev-1", document);
    open_client(w, DUNLIN_LWM2M_1_1, DN_FORMAT_SENML_CBOR);
    for (unsigned i = 0; i < 2; i++) {
        w->r.events[0] = w->did[0] = '\0';
        if (i == 0) {
            bootstrap(w);
        } else {
            assert_int_equal(dunlin_client_bootstrap(w->client, dn_simlink_now(w->r.link)), DUNLIN_OK);
            (void)dn_simlink_run(w->r.link, dn_simlink_now(w->r.link) + LONG_MS, has_done, w);
            rig_run(&w->r, 100);
        }
        if (strstr(w->r.events, "FINISHED") == NULL || strcmp(w->did, "bootstrapped ") != 0) {
            fail_msg("%s\n%s%s", w->did, w->r.events, w->r.whys);
        }
        assert_value(w, "/1/0/0", "10");
        assert_value(w, "/1/1/0", "20");
        assert_value(w, "/2/0/3", "10");
        assert_value(w, "/2/0/2/20", "1");
    }
}

/* The bootstrap server begins by itself, over the way that is still there. */
static void test_server_initiated(void **state)
{
    char document[256];
    world *w = *state;
    open_world(w, 50, 0);
    (void)snprintf(document, sizeof document, small, "", "");
    rig_configure(&w->r, "dev-1", document);
    open_client(w, DUNLIN_LWM2M_1_1, DN_FORMAT_SENML_CBOR);
    bootstrap(w);
    assert_string_equal(w->did, "bootstrapped ");
    (void)snprintf(document, sizeof document, small, ",\"pmin\":4", "");
    rig_configure(&w->r, "dev-1", document);
    w->r.events[0] = w->did[0] = '\0';
    dn_bs_begin(w->r.bs);
    assert_int_equal(dn_bs_rerun(w->r.bs, dunlin_slice_of("dev-1")).status, DUNLIN_OK);
    (void)dn_simlink_run(w->r.link, dn_simlink_now(w->r.link) + LONG_MS, has_done, w);
    rig_run(&w->r, 100);
    if (strcmp(w->did, "bootstrapped ") != 0) {
        fail_msg("%s\n%s%s", w->did, w->r.events, w->r.whys);
    }
    assert_value(w, "/1/0/2", "4");
}

/* A configuration that the device finds inconsistent, whatever is repaired: it goes back to what it had. */
static void test_inconsistent(void **state)
{
    char document[256];
    world *w = *state;
    open_world(w, 60, 0);
    (void)snprintf(document, sizeof document, small, "", "");
    rig_configure(&w->r, "dev-1", document);
    open_client(w, DUNLIN_LWM2M_1_1, DN_FORMAT_SENML_CBOR);
    bootstrap(w);
    /* Without deleting: two accounts and no access control for them. */
    rig_configure(&w->r, "dev-1",
                  "{\"servers\":[{\"ssid\":9,\"uri\":\"coap://x\",\"security\":{\"mode\":\"nosec\"}}],"
                  "\"delete\":[\"/1\"],\"verify\":false}");
    w->r.events[0] = w->did[0] = '\0';
    assert_int_equal(dunlin_client_bootstrap(w->client, dn_simlink_now(w->r.link)), DUNLIN_OK);
    (void)dn_simlink_run(w->r.link, dn_simlink_now(w->r.link) + LONG_MS, has_done, w);
    rig_run(&w->r, 100);
    assert_non_null(strstr(w->r.events, "Finish / 4.06\nREPAIRING dev-1\n"));
    assert_non_null(strstr(w->r.events, "FINISHED dev-1")); /* it is repaired: all is deleted and written */
    assert_value(w, "/1/0/0", "9");
}

static int set_up(void **state)
{
    *state = calloc(1, sizeof(world));
    return *state == NULL;
}

static int tear_down(void **state)
{
    rig_end(&((world *)*state)->r);
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_formats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_servers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_server_initiated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_inconsistent, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("bootstrap_client", tests, NULL, NULL);
}
