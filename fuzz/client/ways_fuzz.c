/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of three accounts (DTLS, TLS, TCP) whose ways come, go, and do not come, with alerts, calls and messages in any
 * order. The input is pairs of bytes: what happens, and to whom or how. Whatever it is: a way is asked for only with
 * security that is complete and fits its URI; asked for and given back only from step, start, stop and restart; nothing is sent
 * over a stream that is not there; a step leaves nothing due for ever; and stop comes to its end.
 */
#include <dunlin/client.h>
#include <dunlin/client_access.h>
#include <dunlin/client_device.h>

#include <stdlib.h>
#include <string.h>

#define SERVERS   3u
#define TENTH_MS  100u
#define LONG_MS   10000u
#define ANSWER    32
#define ANSWERS   8
#define STEPS_MAX 2000u
#define ARENA     (128u * 1024u)
#define ACK_CODE  0x60
#define POST      2
#define DELETE    4
#define PSK       16 /* bytes */

typedef enum { NONE, ASKED, UP } way_state;

typedef struct {
    way_state state;
    bool stream;
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
    way ways[SERVERS];
    dunlin_status connect;
    bool within; /* one of the calls from which no way may be asked for */
    bool mute, refuse;
    answer answers[ANSWERS];
    size_t answer_count;
    double value;
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
    UPDATE,
    SEND,
    CHANGE,
    MOOD,
    MESSAGE,
    CREDENTIAL,
    REQUEST,
    KINDS
};

static void must(bool so)
{
    if (!so) {
        abort();
    }
}

static dunlin_peer peer_of(const world *w, size_t server)
{
    const way *one = &w->ways[server];
    return (dunlin_peer){
        .len = 4, .bytes = {(uint8_t)(one->stream ? 0x20 : 0x10), 1, (uint8_t)server, one->generation}};
}

/* ---- what the client asks for ---- */

static bool complete(const dunlin_security *security)
{
    switch (security->mode) {
    case DUNLIN_PSK:
        return security->identity.len > 0 && security->secret.len > 0 && security->server_key.len == 0;
    case DUNLIN_RPK:
    case DUNLIN_X509:
        return security->identity.len > 0 && security->secret.len > 0 && security->server_key.len > 0;
    default:
        return security->mode == DUNLIN_NOSEC && security->identity.len == 0 && security->secret.len == 0;
    }
}

static dunlin_status on_connect(void *context, const dunlin_way *asked, dunlin_peer *peer)
{
    world *w = context;
    const bool secure = strncmp(asked->uri, "coaps", 5) == 0;
    must(!w->within && asked->server >= 1 && asked->server <= SERVERS && complete(asked->security));
    must(secure == (asked->security->mode != DUNLIN_NOSEC));
    way *one = &w->ways[asked->server - 1];
    const bool stream = strstr(asked->uri, "+tcp://") != NULL;
    must(one->state == NONE || one->stream == stream); /* another one is given back first */
    const bool keep = one->state == UP && !asked->anew;
    one->stream = stream;
    one->state = w->connect == DUNLIN_OK ? UP : w->connect == DUNLIN_END ? ASKED : NONE;
    if (w->connect == DUNLIN_OK) {
        one->generation = (uint8_t)(one->generation + (keep ? 0 : 1));
        *peer = peer_of(w, asked->server - 1u);
    }
    return w->connect;
}

static void on_disconnect(void *context, uint16_t server)
{
    world *w = context;
    must(!w->within && server >= 1 && server <= SERVERS);
    w->ways[server - 1].state = NONE;
}

static dunlin_status on_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    (void)context;
    (void)uri;
    (void)peer;
    abort(); /* with `connect` nobody asks */
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

/* Register has no location in its path, but "rd" alone. */
static bool is_register(uint8_t code, const uint8_t *options, size_t len)
{
    return code == POST && len >= 3 && memcmp(options, "\xb2rd", 3) == 0 &&
           (len == 3 || options[3] >> 4 != 0);
}

static uint8_t code_for(const world *w, uint8_t code, bool registers)
{
    if (w->refuse) {
        return registers ? 0x83 : 0x84;
    }
    return registers ? 0x41 : code == DELETE ? 0x42 : 0x44;
}

static void note_answer(world *w, const dunlin_peer *to, const uint8_t *head, size_t head_len,
                        const uint8_t *token, size_t token_len, bool location)
{
    if (w->answer_count == ANSWERS || w->mute) {
        return;
    }
    answer *a = &w->answers[w->answer_count++];
    a->to = *to;
    memcpy(a->bytes, head, head_len);
    memcpy(a->bytes + head_len, token, token_len);
    a->len = head_len + token_len;
    if (location) {
        memcpy(a->bytes + a->len, "\x82rd\x01x", 5);
        a->len += 5;
    }
}

static void answer_stream(world *w, const dunlin_peer *peer, dunlin_slice message)
{
    static const uint8_t extended[16] = {[13] = 1, [14] = 2, [15] = 4};
    const uint8_t *d = message.data;
    const size_t at = 1u + extended[d[0] >> 4];
    const size_t token = d[0] & 15u;
    must(token <= 8 && message.len >= at + 1 + token);
    if (d[at] == 0 || d[at] >> 5 != 0) {
        return;
    }
    const bool registers = is_register(d[at], d + at + 1 + token, message.len - at - 1 - token);
    const uint8_t code = code_for(w, d[at], registers);
    const bool location = code == 0x41;
    const uint8_t head[2] = {(uint8_t)((location ? 5u : 0u) << 4 | token), code};
    note_answer(w, peer, head, 2, d + at + 1, token, location);
}

static void on_send(void *context, const dunlin_peer *peer, dunlin_slice message)
{
    world *w = context;
    must(peer->len == 4 && peer->bytes[2] < SERVERS && message.len >= 2);
    const way *one = &w->ways[peer->bytes[2]];
    const bool stream = (peer->bytes[0] & 0x20) != 0;
    if (stream) {
        must(one->state == UP && one->stream && one->generation == peer->bytes[3]);
        answer_stream(w, peer, message);
        return;
    }
    const uint8_t *d = message.data;
    const size_t token = d[0] & 15u;
    must(message.len >= 4 + token && token <= 8);
    if (one->state != UP || one->stream || d[1] == 0 || d[1] >> 5 != 0) {
        return; /* a datagram for nobody is a loss */
    }
    const bool registers = is_register(d[1], d + 4 + token, message.len - 4 - token);
    const uint8_t code = code_for(w, d[1], registers);
    const uint8_t head[4] = {(uint8_t)(ACK_CODE | token), code, d[2], d[3]};
    note_answer(w, peer, head, 4, d + 4, token, code == 0x41);
}

/* ---- what happens ---- */

static void receive(world *w, const dunlin_peer *peer, dunlin_slice message)
{
    w->within = true;
    dunlin_client_receive(w->client, peer, message, w->now_ms);
    w->within = false;
}

static void deliver(world *w)
{
    while (w->answer_count > 0) {
        const answer a = w->answers[0];
        w->answer_count--;
        memmove(w->answers, w->answers + 1, w->answer_count * sizeof a);
        receive(w, &a.to, dunlin_slice_make(a.bytes, a.len));
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
    const size_t server = how % SERVERS;
    way *one = &w->ways[server];
    if (one->state == NONE) {
        return; /* nobody has asked for it */
    }
    if (one->state == ASKED || (how & 0x40) != 0) {
        one->generation++;
    }
    one->state = UP;
    const dunlin_peer peer = peer_of(w, server);
    w->within = true;
    dunlin_client_connected(w->client, (uint16_t)(server + 1), &peer, w->now_ms);
    w->within = false;
}

static void disconnected(world *w, uint8_t how, uint8_t alert)
{
    const size_t server = how % SERVERS;
    w->ways[server].state = NONE;
    w->within = true;
    dunlin_client_disconnected(w->client, (uint16_t)(server + 1),
                               (how & 0x40) != 0 ? DUNLIN_END : DUNLIN_ERR_IO, (how & 0x80) != 0 ? alert : -1,
                               w->now_ms);
    w->within = false;
}

static void set_credential(world *w, uint8_t how)
{
    static const uint8_t bytes[PSK] = {1};
    static const uint16_t ids[] = {3, 4, 5};
    const uint16_t server = how % SERVERS;
    if ((how & 0x40) != 0) {
        const dunlin_value mode = dunlin_integer(how >> 3 & 7);
        (void)dunlin_client_set(w->client, dunlin_path_resource(0, server, 2), &mode);
        return;
    }
    const dunlin_value value = dunlin_opaque(dunlin_slice_make(bytes, (how & 0x80) != 0 ? PSK : 0));
    (void)dunlin_client_set(w->client, dunlin_path_resource(0, server, ids[(how >> 3) % 3]), &value);
}

/* Requests to /1/x/4, 7, 8, 22 and 9, and an observation, in the form of the way. */
static void request(world *w, uint8_t how)
{
    static const char *const bodies[] = {
        "\x02\xb1"
        "1\x01"
        "0\x01"
        "8",
        "\x02\xb1"
        "1\x01"
        "0\x01"
        "4",
        "\x02\xb1"
        "1\x01"
        "0\x01"
        "8\xff"
        "0='T'",
        "\x03\xb1"
        "1\x01"
        "0\x01"
        "7\x10\xff"
        "UT",
        "\x03\xb1"
        "1\x01"
        "0\x01"
        "7\x10\xff"
        "T",
        "\x03\xb1"
        "1\x01"
        "0\x02"
        "22\x10\xff"
        "T",
        "\x03\xb1"
        "1\x01"
        "0\x02"
        "22\x10\xff"
        "U",
        "\x02\xb1"
        "1\x01"
        "0\x01"
        "9",
        "\x01\x60\x51"
        "3\x01"
        "0\x01"
        "9",
    };
    const size_t server = how % SERVERS;
    const char *body = bodies[(how / SERVERS) % (sizeof bodies / sizeof bodies[0])];
    const size_t len = strlen(body + 1);
    const dunlin_peer peer = peer_of(w, server);
    uint8_t message[40];
    size_t at = 0;
    if (w->ways[server].stream) {
        message[at++] = (uint8_t)((len < 13 ? len : 13) << 4);
        if (len >= 13) {
            message[at++] = (uint8_t)(len - 13);
        }
        message[at++] = (uint8_t)body[0];
    } else {
        message[at++] = 0x40;
        message[at++] = (uint8_t)body[0];
        message[at++] = (uint8_t)(w->now_ms >> 8);
        message[at++] = (uint8_t)(w->now_ms ^ how);
    }
    memcpy(message + at, body + 1, len);
    receive(w, &peer, dunlin_slice_make(message, at + len));
}

static void call(world *w, uint8_t what, uint8_t how)
{
    const dunlin_send_value value = {.path = dunlin_path_resource(3303, 0, 5700)};
    switch (what) {
    case STOP:
        dunlin_client_stop(w->client, w->now_ms);
        break;
    case START:
        dunlin_client_start(w->client, w->now_ms);
        break;
    case RESTART:
        dunlin_client_restart(w->client, w->now_ms);
        break;
    case UPDATE:
        dunlin_client_update(w->client);
        break;
    case SEND:
        (void)dunlin_client_send(w->client, (uint16_t)(how % (SERVERS + 1)), &value, 1, NULL, NULL);
        break;
    default:
        w->value += 1;
        dunlin_changed(w->client, value.path);
        break;
    }
}

/* How many bytes of `rest` it took. */
static size_t happen(world *w, uint8_t what, uint8_t how, dunlin_slice rest)
{
    static const dunlin_status answers[] = {DUNLIN_OK, DUNLIN_END, DUNLIN_ERR_IO};
    const size_t len = how >> 2 < rest.len ? how >> 2 : rest.len;
    const dunlin_peer peer = peer_of(w, how % SERVERS);
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
        disconnected(w, how, rest.len > 0 ? rest.data[0] : 0);
        return rest.len > 0 ? 1 : 0;
    case MOOD:
        w->mute = (how & 1) != 0;
        w->refuse = (how & 2) != 0;
        return 0;
    case MESSAGE:
        receive(w, &peer, dunlin_slice_make(rest.data, len));
        return len;
    case CREDENTIAL:
        set_credential(w, how);
        return 0;
    case REQUEST:
        request(w, how);
        return 0;
    default:
        call(w, what, how);
        return 0;
    }
}

/* ---- all of it ---- */

typedef struct {
    double value;
} sensor;

static const dunlin_resource table[] = {
    {DUNLIN_FIELD(5700, FLOAT, DUNLIN_R | DUNLIN_MANDATORY, sensor, value)}};
static const dunlin_object sensor_object = {.id = 3303, DUNLIN_TABLE(table), .size = sizeof(sensor)};

static void open_client(world *w)
{
    static const char *const uris[SERVERS] = {"coaps://a", "coaps+tcp://b", "coap+tcp://c"};
    static _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[ARENA];
    static dunlin_device device;
    static dunlin_access access[4];
    static sensor one;
    dunlin_client_config config = dunlin_client_config_default();
    config.endpoint = "fuzz";
    config.servers = SERVERS;
    config.credential_max = 32;
    config.stream_message = 1152;
    config.call = (dunlin_client_callbacks){.send = on_send,
                                            .random = on_random,
                                            .resolve = on_resolve,
                                            .connect = on_connect,
                                            .disconnect = on_disconnect,
                                            .context = w};
    w->client = dunlin_client_create(arena, sizeof arena, &config, w->now_ms);
    must(w->client != NULL);
    dunlin_device_init(&device);
    must(dunlin_device_add(w->client, &device) == DUNLIN_OK &&
         dunlin_client_add_object(w->client, &sensor_object, &one, 1, 1, NULL) == DUNLIN_OK &&
         dunlin_access_add(w->client, access, 4, 0) == DUNLIN_OK);
    for (size_t i = 0; i < SERVERS; i++) {
        dunlin_server server = dunlin_server_default();
        memcpy(server.uri, uris[i], strlen(uris[i]) + 1);
        server.ssid = (int32_t)i + 1;
        server.policy.priority = i == 0 ? 1 : i == 1 ? 2 : -1;
        if (strncmp(uris[i], "coaps", 5) == 0) {
            server.security.mode = DUNLIN_PSK;
            server.security.identity = dunlin_slice_of("fuzz");
            server.security.secret = dunlin_slice_of("0123456789abcdef");
        }
        must(dunlin_client_add_server(w->client, &server) == DUNLIN_OK);
    }
    dunlin_client_start(w->client, w->now_ms);
    settle(w);
}

/* Everything ends, whether or not somebody answers. */
static void close_client(world *w)
{
    dunlin_client_stop(w->client, w->now_ms);
    for (unsigned steps = 0; !dunlin_client_stopped(w->client); steps++) {
        const uint64_t due = dunlin_client_deadline(w->client);
        must(steps < STEPS_MAX && due != DUNLIN_NEVER);
        w->now_ms = due > w->now_ms ? due : w->now_ms;
        settle(w);
    }
    for (size_t i = 0; i < SERVERS; i++) {
        must(w->ways[i].state == NONE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world w = {.now_ms = 1000, .random = 1};
    open_client(&w);
    for (size_t at = 0; at + 2 <= size;) {
        const dunlin_slice rest = dunlin_slice_make(data + at + 2, size - at - 2);
        at += 2 + happen(&w, data[at] % KINDS, data[at + 1], rest);
        settle(&w);
    }
    close_client(&w);
    return 0;
}
