/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that knows a bootstrap server, over DTLS, and whatever that server, two others, the network, the application and
 * the place where its state is kept may do, in any order. The input is pairs of bytes: what happens, and to whom or how. Whatever it
 * is: a way is asked for only with security that is complete and fits its URI, and only from step, start, stop and restart; what is saved
 * can be restored; nothing is due for ever; and when at last everybody does what is expected of them, the client comes to be
 * registered: there is always a way home.
 */
#include <dunlin/client.h>
#include <dunlin/client_access.h>
#include <dunlin/client_device.h>

#include <stdlib.h>
#include <string.h>

#define WAYS      3u /* of the bootstrap server and of servers 1 and 2 */
#define BOOTSTRAP 0u
#define TENTH_MS  100u
#define LONG_MS   10000u
#define PAST_MS   (4u * 86400000u) /* more than it may take to come home */
#define ANSWER    32
#define ANSWERS   16
#define MESSAGE   512u
#define IMAGE     8192u
#define STEPS_MAX 2000u
#define ARENA     (192u * 1024u)
#define ACK_CODE  0x60
#define GET       1
#define POST      2
#define PUT       3
#define DELETE    4
#define CHANGED   0x44

typedef enum { NONE, ASKED, UP } way_state;

typedef struct {
    way_state state;
    uint8_t generation;
} way;

typedef struct {
    dunlin_peer to;
    uint8_t bytes[ANSWER];
    size_t len;
} answer;

typedef struct {
    dunlin_client *client;
    uint64_t now_ms;
    uint32_t random;
    way ways[WAYS];
    dunlin_status connect, save;
    bool within;    /* one of the calls from which no way may be asked for */
    bool mute;      /* nobody answers */
    uint8_t refuse; /* bit n: server n does */
    uint16_t mid;
    answer answers[ANSWERS];
    size_t answer_count;
    bool stopped; /* once at least */
    bool asked;   /* the bootstrap server was, and has agreed */
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
    KINDS
};

static void must(bool so)
{
    if (!so) {
        abort();
    }
}

static dunlin_peer peer_of(const world *w, size_t at)
{
    return (dunlin_peer){.len = 4, .bytes = {0x10, 1, (uint8_t)at, w->ways[at].generation}};
}

static size_t way_of(uint16_t server)
{
    return server == DUNLIN_BOOTSTRAP_SERVER ? BOOTSTRAP : server;
}

/* ---- what the client asks for ---- */

static dunlin_status on_connect(void *context, const dunlin_way *asked, dunlin_peer *peer)
{
    world *w = context;
    const size_t at = way_of(asked->server);
    const bool secure = strncmp(asked->uri, "coaps", 5) == 0;
    must(!w->within && at < WAYS && secure == (asked->security->mode != DUNLIN_NOSEC));
    must(!secure || (asked->security->mode == DUNLIN_PSK && asked->security->identity.len > 0 &&
                     asked->security->secret.len > 0));
    way *one = &w->ways[at];
    const bool keep = one->state == UP && !asked->anew;
    one->state = w->connect == DUNLIN_OK ? UP : w->connect == DUNLIN_END ? ASKED : NONE;
    if (w->connect == DUNLIN_OK) {
        one->generation = (uint8_t)(one->generation + (keep ? 0 : 1));
        *peer = peer_of(w, at);
    }
    return w->connect;
}

static void on_disconnect(void *context, uint16_t server)
{
    world *w = context;
    must(!w->within && way_of(server) < WAYS);
    w->ways[way_of(server)].state = NONE;
}

static dunlin_status on_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    (void)context;
    (void)uri;
    (void)peer;
    abort(); /* with `connect` nobody asks */
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
    return 1700000000 + (int64_t)(w->now_ms / 1000);
}

static void on_random(void *context, void *out, size_t len)
{
    world *w = context;
    for (size_t i = 0; i < len; i++) {
        w->random = w->random * 1664525u + 1013904223u;
        ((uint8_t *)out)[i] = (uint8_t)(w->random >> 24);
    }
}

/* ---- the servers ---- */

static bool begins_with(const uint8_t *options, size_t len, const char *path)
{
    return len >= strlen(path) && memcmp(options, path, strlen(path)) == 0;
}

static void on_send(void *context, const dunlin_peer *peer, dunlin_slice message)
{
    world *w = context;
    const uint8_t *d = message.data;
    must(peer->len == 4 && peer->bytes[2] < WAYS && message.len >= 4);
    const size_t at = peer->bytes[2];
    const size_t token = d[0] & 15u;
    must(token <= 8 && message.len >= 4 + token);
    if (w->ways[at].state != UP || d[1] == 0 || d[1] >> 5 != 0 || w->mute || w->answer_count == ANSWERS) {
        return;
    }
    const uint8_t *options = d + 4 + token;
    const size_t len = message.len - 4 - token;
    const bool refused = (w->refuse >> at & 1) != 0;
    const bool registers =
        d[1] == POST && begins_with(options, len, "\xb2rd") && (len == 3 || options[3] >> 4 != 0);
    answer *a = &w->answers[w->answer_count++];
    const uint8_t code = refused ? 0x83 : registers ? 0x41 : d[1] == DELETE ? 0x42 : CHANGED;
    const uint8_t head[4] = {(uint8_t)(ACK_CODE | token), code, d[2], d[3]};
    a->to = *peer;
    memcpy(a->bytes, head, sizeof head);
    memcpy(a->bytes + sizeof head, d + 4, token);
    a->len = sizeof head + token;
    if (code == 0x41) {
        memcpy(a->bytes + a->len, "\x82rd\x01x", 5);
        a->len += 5;
    }
    w->asked = w->asked || (at == BOOTSTRAP &&
                            begins_with(options, len,
                                        "\xb2"
                                        "bs") &&
                            !refused);
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

static void receive(world *w, size_t at, dunlin_slice message)
{
    const dunlin_peer peer = peer_of(w, at);
    w->within = true;
    dunlin_client_receive(w->client, &peer, message, w->now_ms);
    w->within = false;
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
    receive(w, from, dunlin_slice_make(message, len));
}

/* ---- what happens ---- */

static void deliver(world *w)
{
    while (w->answer_count > 0) {
        const answer a = w->answers[0];
        w->answer_count--;
        memmove(w->answers, w->answers + 1, w->answer_count * sizeof a);
        w->within = true;
        dunlin_client_receive(w->client, &a.to, dunlin_slice_make(a.bytes, a.len), w->now_ms);
        w->within = false;
    }
}

static void settle(world *w)
{
    unsigned steps = 0;
    deliver(w);
    while (dunlin_client_deadline(w->client) <= w->now_ms) {
        must(steps++ < STEPS_MAX);
        dunlin_client_step(w->client, w->now_ms);
        deliver(w);
    }
}

static void connected(world *w, uint8_t how)
{
    const size_t at = how % WAYS;
    way *one = &w->ways[at];
    if (one->state == NONE) {
        return; /* nobody has asked for it */
    }
    if (one->state == ASKED || (how & 0x40) != 0) {
        one->generation++;
    }
    one->state = UP;
    const dunlin_peer peer = peer_of(w, at);
    w->within = true;
    dunlin_client_connected(w->client, at == BOOTSTRAP ? DUNLIN_BOOTSTRAP_SERVER : (uint16_t)at, &peer,
                            w->now_ms);
    w->within = false;
}

static void disconnected(world *w, uint8_t how)
{
    const size_t at = how % WAYS;
    const int alert = (how & 0x80) == 0 ? -1 : (how & 0x40) != 0 ? 42 : 40;
    w->ways[at].state = NONE;
    w->within = true;
    dunlin_client_disconnected(w->client, at == BOOTSTRAP ? DUNLIN_BOOTSTRAP_SERVER : (uint16_t)at,
                               DUNLIN_ERR_IO, alert, w->now_ms);
    w->within = false;
}

static void open_client(world *w);

/* The device loses its power, and comes back with what was saved last. */
static void lose_power(world *w)
{
    memset(w->ways, 0, sizeof w->ways);
    w->answer_count = 0;
    open_client(w);
    if (w->image_len > 0) {
        must(dunlin_client_restore(w->client, dunlin_slice_make(w->image, w->image_len)) == DUNLIN_OK);
    }
    dunlin_client_start(w->client, w->now_ms);
}

static void call(world *w, uint8_t what)
{
    switch (what) {
    case STOP:
        w->stopped = true;
        dunlin_client_stop(w->client, w->now_ms);
        break;
    case START:
        dunlin_client_start(w->client, w->now_ms);
        break;
    case RESTART:
        dunlin_client_restart(w->client, w->now_ms);
        break;
    case BEGIN:
        (void)dunlin_client_bootstrap(w->client, w->now_ms);
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
    switch (what) {
    case PASS:
        w->now_ms += how * TENTH_MS;
        return 0;
    case PASS_LONG:
        w->now_ms += how * LONG_MS;
        return 0;
    case ANSWER_TO_CONNECT:
        w->connect = answers[how % 3];
        return 0;
    case CONNECTED:
        connected(w, how);
        return 0;
    case DISCONNECTED:
        disconnected(w, how);
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
    case MESSAGES:
        receive(w, how % WAYS, dunlin_slice_make(rest.data, len));
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
                                            .random = on_random,
                                            .resolve = on_resolve,
                                            .connect = on_connect,
                                            .disconnect = on_disconnect,
                                            .unix_s = on_unix,
                                            .save = on_save,
                                            .context = w};
    memset(access, 0, sizeof access);
    w->client = dunlin_client_create(arena, sizeof arena, &config, w->now_ms);
    must(w->client != NULL);
    dunlin_device_init(&device);
    must(dunlin_device_add(w->client, &device) == DUNLIN_OK &&
         dunlin_access_add(w->client, access, 4, 0) == DUNLIN_OK);
    must(dunlin_client_provision(w->client, dunlin_path_root(), 110, dunlin_slice_of(factory)) == DUNLIN_OK);
}

/* Everything ends, whether or not somebody answers. */
static void stop(world *w)
{
    dunlin_client_stop(w->client, w->now_ms);
    for (unsigned steps = 0; !dunlin_client_stopped(w->client); steps++) {
        const uint64_t due = dunlin_client_deadline(w->client);
        must(steps < STEPS_MAX && due != DUNLIN_NEVER);
        w->now_ms = due > w->now_ms ? due : w->now_ms;
        settle(w);
    }
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
    const uint64_t end = w->now_ms + PAST_MS;
    w->connect = w->save = DUNLIN_OK;
    w->mute = false;
    w->refuse = 0;
    if (w->stopped) { /* it may be at it: a start has to wait until that is over */
        stop(w);
    }
    dunlin_client_restart(w->client, w->now_ms);
    while (!dunlin_client_registered(w->client)) {
        settle(w);
        if (w->asked) {
            serve(w);
            settle(w);
        }
        for (uint8_t i = 0; i < WAYS; i++) {
            if (w->ways[i].state == ASKED) {
                connected(w, i);
                settle(w);
            }
        }
        const uint64_t due = dunlin_client_deadline(w->client);
        w->now_ms = due > w->now_ms && due < end ? due : w->now_ms + 1000;
        must(w->now_ms < end);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world w;
    memset(&w, 0, sizeof w);
    w.now_ms = 1000;
    w.random = 1;
    open_client(&w);
    dunlin_client_start(w.client, w.now_ms);
    settle(&w);
    for (size_t at = 0; at + 2 <= size;) {
        const dunlin_slice rest = dunlin_slice_make(data + at + 2, size - at - 2);
        at += 2 + happen(&w, data[at] % KINDS, data[at + 1], rest);
        settle(&w);
    }
    come_home(&w);
    stop(&w);
    for (size_t i = 0; i < WAYS; i++) {
        must(w.ways[i].state == NONE);
    }
    return 0;
}
