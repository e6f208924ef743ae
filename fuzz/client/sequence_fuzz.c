/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that knows a bootstrap server, over DTLS, and whatever that server, two others, the network, the application and
 * the place where its state is kept may do, in any order. The input is pairs of bytes: what happens, and to whom or how. Whatever it
 * is: a way is asked for only with security that is complete and fits its URI, and only from step, start, stop and restart; what is saved
 * can be restored; what the application has added and removed is no bootstrap's business; nothing is due for ever; and when at last everybody does what is expected of them, the client comes to be
 * registered: there is always a way home.
 */
#include "fuzz/client/surroundings.h"
#include "fuzz/must.h"
#include <dunlin/client_access.h>
#include <dunlin/client_device.h>

#include <string.h>

/* The ways: of the bootstrap server, and of servers 1 and 2. */
#define BOOTSTRAP 0u
#define TENTH_MS  100u
#define LONG_MS   10000u
#define PAST_MS   (4u * 86400000u) /* more than it may take to come home */
#define MESSAGE   512u
#define IMAGE     8192u
#define ARENA     (192u * 1024u)
#define OWN_ID \
    5u /* an Object of the application; the bootstrap server makes instances behind those of OWN_COUNT */
#define OWN_COUNT 3u

typedef struct {
    surroundings around;
    dunlin_status save;
    bool mute;      /* nobody answers */
    uint8_t refuse; /* bit n: server n does */
    uint16_t mid;
    bool stopped; /* once at least */
    bool asked;   /* the bootstrap server was, and has agreed */
    struct {
        bool there;
        int32_t value;
    } own[OWN_COUNT]; /* what the application has made of its own instances */
    uint8_t image[IMAGE];
    size_t image_len;
} world;

enum {
    PASS,
    PASS_LONG,
    ANSWER_TO_CONNECT,
    CONNECTED,
    DISCONNECTED,
    STOP,
    START,
    RESTART,
    BEGIN,
    MOOD,
    SAVE,
    COMMAND,
    REQUEST,
    MESSAGES,
    POWER,
    OWN,
    KINDS
};

static uint16_t server_of(size_t at)
{
    return at == BOOTSTRAP ? DUNLIN_BOOTSTRAP_SERVER : (uint16_t)at;
}

static size_t way_of(uint16_t server)
{
    return server == DUNLIN_BOOTSTRAP_SERVER ? BOOTSTRAP : server;
}

/* ---- what the client asks for ---- */

static dunlin_status on_connect(void *context, const dunlin_way *asked, dunlin_peer *peer)
{
    const dunlin_security *security = asked->security;
    must(security->mode == DUNLIN_NOSEC ||
         (security->mode == DUNLIN_PSK && security->identity.len > 0 && security->secret.len > 0));
    return way_connect(context, way_of(asked->server), asked, peer);
}

static void on_disconnect(void *context, uint16_t server)
{
    world *w = context;
    must(!w->around.within && way_of(server) < WAYS);
    w->around.ways[way_of(server)].state = WAY_NONE;
}

static dunlin_status on_save(void *context, dunlin_slice image)
{
    world *w = context;
    must(image.len > 0 && image.len <= IMAGE);
    if (w->save == DUNLIN_OK) {
        memcpy(w->image, image.data, image.len);
        w->image_len = image.len;
    }
    return w->save;
}

static int64_t on_unix(void *context)
{
    const world *w = context;
    return 1700000000 + (int64_t)(w->around.now_ms / 1000);
}

/* ---- the servers ---- */

static void on_send(void *context, const dunlin_peer *peer, dunlin_slice message)
{
    world *w = context;
    client_request request;
    must(peer->len == 4 && peer->bytes[2] < WAYS);
    const size_t at = peer->bytes[2];
    if (!client_request_read(&request, message, false) || w->around.ways[at].state != WAY_UP || w->mute) {
        return;
    }
    const bool refused = (w->refuse >> at & 1) != 0;
    client_request_answer(&request, &w->around, peer, refused ? FORBIDDEN : client_request_success(&request));
    w->asked = w->asked || (at == BOOTSTRAP && client_request_is_to(&request, "bs") && !refused);
}

/* ---- what the bootstrap server asks for ---- */

#define NOSEC_ACCOUNT(id, ssid)                                                                     \
    "[{\"bn\":\"/0/" id                                                                             \
    "/\",\"n\":\"0\",\"vs\":\"coap://a\"},{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":3},{\"n\":" \
    "\"3\",\"vd\":\"\"},{\"n\":\"4\",\"vd\":\"\"},{\"n\":\"5\",\"vd\":\"\"},{\"n\":\"10\",\"v\":" ssid "}]"
#define PSK_ACCOUNT(id, ssid)                                                                          \
    "[{\"bn\":\"/0/" id                                                                                \
    "/\",\"n\":\"0\",\"vs\":\"coaps://a\"},{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":0},{\"n\":"   \
    "\"3\",\"vd\":\"aWQ\"},{\"n\":\"4\",\"vd\":\"\"},{\"n\":\"5\",\"vd\":\"c2VjcmV0\"},{\"n\":\"10\"," \
    "\"v\":" ssid "}]"
#define SERVER(id, ssid)                              \
    "[{\"bn\":\"/1/" id "/\",\"n\":\"0\",\"v\":" ssid \
    "},{\"n\":\"1\",\"v\":300},{\"n\":\"6\",\"vb\":true},{\"n\":\"7\",\"vs\":\"U\"}]"
#define ACCESS(id, instance, owner)                                             \
    "[{\"bn\":\"/2/" id "/\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":" instance \
    "},{\"n\":\"3\",\"v\":" owner "}]"

typedef struct {
    uint8_t method;
    const char *path; /* segments of one digit, or "bs" */
    const char *json;
} command;

static const command commands[] = {
    {PUT, "0", NOSEC_ACCOUNT("0", "1")},
    {PUT, "0", PSK_ACCOUNT("0", "1")},
    {PUT, "0", PSK_ACCOUNT("2", "2")},
    {PUT, "1", SERVER("0", "1")},
    {PUT, "1", SERVER("1", "2")},
    {PUT, "2", ACCESS("0", "0", "1")},
    {PUT, "2", ACCESS("1", "1", "2")},
    {PUT, "101", "[{\"n\":\"/1/0/1\",\"v\":90}]"},
    {PUT, "100", "[{\"n\":\"/1/0/0\",\"v\":2}]"},
    {PUT, "000", "[{\"n\":\"/0/0/0\",\"vs\":\"coaps://b\"}]"},
    {PUT, "002", "[{\"n\":\"/0/0/2\",\"v\":3}]"},
    {PUT, "011", "[{\"n\":\"/0/1/1\",\"vb\":true}]"},
    {DELETE, "", NULL},
    {DELETE, "0", NULL},
    {DELETE, "00", NULL},
    {DELETE, "01", NULL},
    {DELETE, "1", NULL},
    {DELETE, "10", NULL},
    {PUT, "53", "[{\"n\":\"/5/3/0\",\"v\":9}]"},
    {DELETE, "5", NULL},
    {GET, "", NULL},
    {GET, "1", NULL},
    {POST, "bs", NULL},
    {POST, "104", NULL},
    {POST, "109", NULL},
};

static size_t put_path(uint8_t *out, const char *path)
{
    size_t len = 0;
    if (strcmp(path, "bs") == 0) {
        memcpy(out,
               "\xb2"
               "bs",
               3);
        return 3;
    }
    for (; *path != '\0'; path++) {
        out[len] = len == 0 ? 0xB1 : 0x01;
        out[len + 1] = (uint8_t)*path;
        len += 2;
    }
    return len;
}

static void ask(world *w, size_t from, const command *what)
{
    uint8_t message[MESSAGE];
    size_t len = 4;
    message[0] = 0x40;
    message[1] = what->method;
    message[2] = (uint8_t)(++w->mid >> 8);
    message[3] = (uint8_t)w->mid;
    len += put_path(message + len, what->path);
    if (what->json != NULL) {
        const size_t json = strlen(what->json);
        message[len] = what->path[0] == '\0' ? 0xC1 : 0x11; /* Content-Format: SenML JSON */
        message[len + 1] = 110;
        message[len + 2] = 0xFF;
        must(len + 3 + json <= sizeof message);
        memcpy(message + len + 3, what->json, json);
        len += 3 + json;
    }
    way_receive(&w->around, from, dunlin_slice_make(message, len));
}

/* ---- what the application does with its own Object ---- */

typedef struct {
    int32_t value;
} own_thing;

static const dunlin_resource own_table[] = {{DUNLIN_FIELD(0, INTEGER, DUNLIN_RW, own_thing, value)}};

static void change_own(world *w, uint8_t how)
{
    dunlin_client *client = w->around.client;
    const uint16_t id = how % OWN_COUNT;
    const bool there = w->own[id].there;
    const dunlin_value value = dunlin_integer(how);
    if (how < 0x60) {
        must((dunlin_client_remove_instance(client, OWN_ID, id) == DUNLIN_OK) == there);
        w->own[id].there = false;
    } else if (!there) {
        w->own[id].there = dunlin_client_add_instance(client, OWN_ID, id, NULL) == DUNLIN_OK;
        w->own[id].value = 0;
    } else {
        must(dunlin_client_set(client, dunlin_path_resource(OWN_ID, id, 0), &value) == DUNLIN_OK);
        w->own[id].value = how;
    }
}

static void check_own(const world *w)
{
    for (uint16_t id = 0; id < OWN_COUNT; id++) {
        dunlin_value value;
        const dunlin_status status =
            dunlin_client_get(w->around.client, dunlin_path_resource(OWN_ID, id, 0), &value);
        must((status == DUNLIN_OK) == w->own[id].there);
        must(status != DUNLIN_OK || value.as.integer == w->own[id].value);
    }
}

/* ---- what happens ---- */

static void open_client(world *w);

/* The device loses its power, and comes back with what was saved last. */
static void lose_power(world *w)
{
    memset(w->around.ways, 0, sizeof w->around.ways);
    memset(w->own, 0, sizeof w->own);
    w->around.answer_count = 0;
    open_client(w);
    if (w->image_len > 0) {
        must(dunlin_client_restore(w->around.client, dunlin_slice_make(w->image, w->image_len)) == DUNLIN_OK);
    }
    dunlin_client_start(w->around.client, w->around.now_ms);
}

static void call(world *w, uint8_t what)
{
    switch (what) {
    case STOP:
        w->stopped = true;
        dunlin_client_stop(w->around.client, w->around.now_ms);
        break;
    case START:
        dunlin_client_start(w->around.client, w->around.now_ms);
        break;
    case RESTART:
        dunlin_client_restart(w->around.client, w->around.now_ms);
        break;
    case BEGIN:
        (void)dunlin_client_bootstrap(w->around.client, w->around.now_ms);
        break;
    default:
        lose_power(w);
        break;
    }
}

/* How many bytes of `rest` it took. */
static size_t happen(world *w, uint8_t what, uint8_t how, dunlin_slice rest)
{
    static const dunlin_status answers[] = {DUNLIN_OK, DUNLIN_END, DUNLIN_ERR_IO};
    const size_t len = how >> 2 < rest.len ? how >> 2 : rest.len;
    const size_t count = sizeof commands / sizeof commands[0];
    const size_t at = how % WAYS;
    const int alert = (how & 0x80) == 0 ? -1 : (how & 0x40) != 0 ? 42 : 40;
    switch (what) {
    case PASS:
        w->around.now_ms += how * TENTH_MS;
        return 0;
    case PASS_LONG:
        w->around.now_ms += how * LONG_MS;
        return 0;
    case ANSWER_TO_CONNECT:
        w->around.connect = answers[how % 3];
        return 0;
    case CONNECTED:
        way_connected(&w->around, at, server_of(at), (how & 0x40) != 0);
        return 0;
    case DISCONNECTED:
        way_disconnected(&w->around, at, server_of(at), DUNLIN_ERR_IO, alert);
        return 0;
    case MOOD:
        w->mute = (how & 1) != 0;
        w->refuse = how >> 1;
        return 0;
    case SAVE:
        w->save = (how & 1) != 0 ? DUNLIN_ERR_IO : DUNLIN_OK;
        return 0;
    case COMMAND:
        ask(w, BOOTSTRAP, &commands[how % count]);
        return 0;
    case REQUEST:
        ask(w, 1 + how % 2, &commands[how / 2 % count]);
        return 0;
    case OWN:
        change_own(w, how);
        return 0;
    case MESSAGES:
        way_receive(&w->around, at, dunlin_slice_make(rest.data, len));
        return len;
    default:
        call(w, what);
        return 0;
    }
}

/* ---- all of it ---- */

static void open_client(world *w)
{
    static _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[ARENA];
    static dunlin_device device;
    static dunlin_access access[4];
    static own_thing things[OWN_COUNT + 1];
    static const dunlin_object own = {
        .id = OWN_ID, DUNLIN_TABLE(own_table), .flags = DUNLIN_MULTIPLE, .size = sizeof(own_thing)};
    static const char factory[] = "[{\"bn\":\"/0/1/\",\"n\":\"0\",\"vs\":\"coaps://"
                                  "bs\"},{\"n\":\"1\",\"vb\":true},{\"n\":\"2\",\"v\":0},{\"n\":\"3\","
                                  "\"vd\":\"aWQ\"},{\"n\":\"5\",\"vd\":\"c2VjcmV0\"},{\"n\":\"11\",\"v\":5}]";
    dunlin_client_config config = dunlin_client_config_default();
    config.endpoint = "fuzz";
    config.servers = 2;
    config.credential_max = 32;
    config.bootstrap = true;
    config.image_max = IMAGE;
    config.call = (dunlin_client_callbacks){.send = on_send,
                                            .random = surroundings_random,
                                            .resolve = surroundings_never_resolve,
                                            .connect = on_connect,
                                            .disconnect = on_disconnect,
                                            .unix_s = on_unix,
                                            .save = on_save,
                                            .context = w};
    memset(access, 0, sizeof access);
    memset(things, 0, sizeof things);
    w->around.client = dunlin_client_create(arena, sizeof arena, &config, w->around.now_ms);
    must(w->around.client != NULL);
    dunlin_device_init(&device);
    must(dunlin_device_add(w->around.client, &device) == DUNLIN_OK &&
         dunlin_access_add(w->around.client, access, 4, 0) == DUNLIN_OK &&
         dunlin_client_add_object(w->around.client, &own, things, OWN_COUNT + 1, 0, NULL) == DUNLIN_OK);
    must(dunlin_client_provision(w->around.client, dunlin_path_root(), 110, dunlin_slice_of(factory)) ==
         DUNLIN_OK);
}

static void serve(world *w)
{
    static const command good[] = {{DELETE, "", NULL},
                                   {PUT, "0", PSK_ACCOUNT("0", "1")},
                                   {PUT, "1", SERVER("0", "1")},
                                   {POST, "bs", NULL}};
    w->asked = false;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ask(w, BOOTSTRAP, &good[i]);
    }
}

/* From now on everybody does what is expected of them. */
static void come_home(world *w)
{
    const uint64_t end = w->around.now_ms + PAST_MS;
    w->around.connect = w->save = DUNLIN_OK;
    w->mute = false;
    w->refuse = 0;
    if (w->stopped) { /* it may be at it: a start has to wait until that is over */
        surroundings_stop(&w->around);
    }
    dunlin_client_restart(w->around.client, w->around.now_ms);
    while (!dunlin_client_registered(w->around.client)) {
        surroundings_settle(&w->around);
        if (w->asked) {
            serve(w);
            surroundings_settle(&w->around);
        }
        for (uint8_t i = 0; i < WAYS; i++) {
            if (w->around.ways[i].state == WAY_ASKED) {
                way_connected(&w->around, i, server_of(i), false);
                surroundings_settle(&w->around);
            }
        }
        const uint64_t due = dunlin_client_deadline(w->around.client);
        w->around.now_ms = due > w->around.now_ms && due < end ? due : w->around.now_ms + 1000;
        must(w->around.now_ms < end);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world w;
    memset(&w, 0, sizeof w);
    w.around.now_ms = 1000;
    w.around.random = 1;
    open_client(&w);
    dunlin_client_start(w.around.client, w.around.now_ms);
    surroundings_settle(&w.around);
    for (size_t at = 0; at + 2 <= size;) {
        const dunlin_slice rest = dunlin_slice_make(data + at + 2, size - at - 2);
        at += 2 + happen(&w, data[at] % KINDS, data[at + 1], rest);
        surroundings_settle(&w.around);
        check_own(&w);
    }
    come_home(&w);
    check_own(&w);
    surroundings_stop(&w.around);
    for (size_t i = 0; i < WAYS; i++) {
        must(w.around.ways[i].state == WAY_NONE);
    }
    return 0;
}
