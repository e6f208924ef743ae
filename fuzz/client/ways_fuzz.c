/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of three accounts (DTLS, TLS, TCP) whose ways come, go, and do not come, with alerts, calls and messages in any
 * order. The input is pairs of bytes: what happens, and to whom or how. Whatever it is: a way is asked for only with
 * security that is complete and fits its URI; asked for and given back only from step, start, stop and restart; nothing is sent
 * over a stream that is not there; a step leaves nothing due for ever; a download ends, at the latest with its way, and is not asked for in
 * vain; and stop comes to its end.
 */
#include "fuzz/client/surroundings.h"
#include "fuzz/must.h"
#include <dunlin/client_access.h>
#include <dunlin/client_device.h>

#include <string.h>

#define SERVERS  WAYS
#define TENTH_MS 100u
#define LONG_MS  10000u
#define ARENA    (128u * 1024u)
#define PSK      16 /* bytes */

typedef struct {
    double value;
} sensor;

typedef struct {
    surroundings around;
    bool mute, refuse;
    bool pulling; /* a download has begun, and not ended */
    sensor thermometer;
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
    must(asked->server >= 1 && asked->server <= SERVERS && complete(asked->security));
    return way_connect(context, asked->server - 1u, asked, peer);
}

static void on_disconnect(void *context, uint16_t server)
{
    world *w = context;
    must(!w->around.within && server >= 1 && server <= SERVERS);
    w->around.ways[server - 1].state = WAY_NONE;
}

/* ---- the servers ---- */

static void on_send(void *context, const dunlin_peer *peer, dunlin_slice message)
{
    world *w = context;
    client_request request;
    must(peer->len == 4 && peer->bytes[2] < SERVERS);
    const way *one = &w->around.ways[peer->bytes[2]];
    const bool is_stream = (peer->bytes[0] & 0x20) != 0;
    must(!is_stream || (one->state == WAY_UP && one->is_stream && one->generation == peer->bytes[3]));
    if (!client_request_read(&request, message, is_stream) || w->mute || one->state != WAY_UP ||
        one->is_stream != is_stream) {
        return; /* a datagram for nobody is a loss */
    }
    const uint8_t refusal = request.registers ? FORBIDDEN : NOT_FOUND;
    const uint8_t success = request.code == GET ? CONTENT : client_request_success(&request);
    client_request_answer(&request, &w->around, peer, w->refuse ? refusal : success);
}

/* ---- what happens ---- */

static void set_credential(world *w, uint8_t how)
{
    static const uint8_t bytes[PSK] = {1};
    static const uint16_t ids[] = {3, 4, 5};
    const uint16_t server = how % SERVERS;
    if ((how & 0x40) != 0) {
        const dunlin_value mode = dunlin_integer(how >> 3 & 7);
        (void)dunlin_client_set(w->around.client, dunlin_path_resource(0, server, 2), &mode);
        return;
    }
    const dunlin_value value = dunlin_opaque(dunlin_slice_make(bytes, (how & 0x80) != 0 ? PSK : 0));
    (void)dunlin_client_set(w->around.client, dunlin_path_resource(0, server, ids[(how >> 3) % 3]), &value);
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
    uint8_t message[40];
    size_t at = 0;
    if (w->around.ways[server].is_stream) {
        message[at++] = (uint8_t)((len < 13 ? len : 13) << 4);
        if (len >= 13) {
            message[at++] = (uint8_t)(len - 13);
        }
        message[at++] = (uint8_t)body[0];
    } else {
        message[at++] = 0x40;
        message[at++] = (uint8_t)body[0];
        message[at++] = (uint8_t)(w->around.now_ms >> 8);
        message[at++] = (uint8_t)(w->around.now_ms ^ how);
    }
    memcpy(message + at, body + 1, len);
    way_receive(&w->around, server, dunlin_slice_make(message, at + len));
}

/* ---- downloads ---- */

static dunlin_status on_piece(void *context, uint64_t offset, uint64_t size, dunlin_slice piece, bool more)
{
    (void)offset;
    (void)size;
    (void)piece;
    (void)more;
    must(((const world *)context)->pulling);
    return DUNLIN_OK;
}

static void on_pulled(void *context, dunlin_status status, uint8_t code)
{
    world *w = context;
    must(w->pulling && (status == DUNLIN_OK || status < 0) && (status != DUNLIN_OK || code == CONTENT));
    w->pulling = false;
}

/* Of one of the servers, or of nobody. Where it is to wait, and then need not any more, it begins, or waits again. */
static void pull(world *w, uint8_t how)
{
    static const char *const uris[] = {"coaps://a/fw",    "coaps://b:5684/fw",       "coap+tcp://c/fw",
                                       "coaps+tcp://a/f", "coap+tcp://c:5683/a/b?q", "coaps://d/fw",
                                       "coap+tcp://",     "coaps+tcp://B/x"};
    const dunlin_download call = {on_piece, on_pulled, w};
    const char *uri = uris[how % (sizeof uris / sizeof uris[0])];
    if (w->pulling && (how & 0x40) != 0) {
        dunlin_client_download_cancel(w->around.client);
        w->pulling = false;
    }
    const bool was_pulling = w->pulling;
    for (unsigned tries = 0; tries < 2 && !w->pulling; tries++) {
        const dunlin_status status = dunlin_client_download(w->around.client, uri, 0, NULL, 0, &call);
        w->pulling = status == DUNLIN_OK;
        if (status != DUNLIN_ERR_IO) {
            return;
        }
        must(!was_pulling);
        surroundings_settle(&w->around);
        if (dunlin_client_download_waits(w->around.client, uri)) {
            return;
        }
    }
    must(w->pulling);
}

static void call(world *w, uint8_t what, uint8_t how)
{
    const dunlin_send_value value = {.path = dunlin_path_resource(3303, 0, 5700)};
    switch (what) {
    case STOP:
        dunlin_client_stop(w->around.client, w->around.now_ms);
        break;
    case START:
        dunlin_client_start(w->around.client, w->around.now_ms);
        break;
    case RESTART:
        dunlin_client_restart(w->around.client, w->around.now_ms);
        break;
    case UPDATE:
        if ((how & 0x80) != 0) {
            pull(w, how);
        } else {
            dunlin_client_update(w->around.client);
        }
        break;
    case SEND:
        (void)dunlin_client_send(w->around.client, (uint16_t)(how % (SERVERS + 1)), &value, 1, NULL, NULL);
        break;
    default:
        w->thermometer.value += 1;
        dunlin_changed(w->around.client, value.path);
        break;
    }
}

/* How many bytes of `rest` it took. */
static size_t happen(world *w, uint8_t what, uint8_t how, dunlin_slice rest)
{
    static const dunlin_status answers[] = {DUNLIN_OK, DUNLIN_END, DUNLIN_ERR_IO};
    const size_t len = how >> 2 < rest.len ? how >> 2 : rest.len;
    const size_t at = how % SERVERS;
    const uint16_t server = (uint16_t)(at + 1);
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
        way_connected(&w->around, at, server, (how & 0x40) != 0);
        return 0;
    case DISCONNECTED:
        way_disconnected(&w->around, at, server, (how & 0x40) != 0 ? DUNLIN_END : DUNLIN_ERR_IO,
                         (how & 0x80) == 0 ? -1
                         : rest.len > 0    ? rest.data[0]
                                           : 0);
        return rest.len > 0 ? 1 : 0;
    case MOOD:
        w->mute = (how & 1) != 0;
        w->refuse = (how & 2) != 0;
        return 0;
    case MESSAGE:
        way_receive(&w->around, at, dunlin_slice_make(rest.data, len));
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

static const dunlin_resource table[] = {
    {DUNLIN_FIELD(5700, FLOAT, DUNLIN_R | DUNLIN_MANDATORY, sensor, value)}};
static const dunlin_object sensor_object = {.id = 3303, DUNLIN_TABLE(table), .size = sizeof(sensor)};

static void open_client(world *w)
{
    static const char *const uris[SERVERS] = {"coaps://a", "coaps+tcp://b", "coap+tcp://c"};
    static _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[ARENA];
    static dunlin_device device;
    static dunlin_access access[4];
    dunlin_client_config config = dunlin_client_config_default();
    config.endpoint = "fuzz";
    config.servers = SERVERS;
    config.credential_max = 32;
    config.stream_message = 1152;
    config.call = (dunlin_client_callbacks){.send = on_send,
                                            .random = surroundings_random,
                                            .resolve = surroundings_never_resolve,
                                            .connect = on_connect,
                                            .disconnect = on_disconnect,
                                            .context = w};
    w->around.client = dunlin_client_create(arena, sizeof arena, &config, w->around.now_ms);
    must(w->around.client != NULL);
    dunlin_device_init(&device);
    must(dunlin_device_add(w->around.client, &device) == DUNLIN_OK &&
         dunlin_client_add_object(w->around.client, &sensor_object, &w->thermometer, 1, 1, NULL) ==
             DUNLIN_OK &&
         dunlin_access_add(w->around.client, access, 4, 0) == DUNLIN_OK);
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
        must(dunlin_client_add_server(w->around.client, &server) == DUNLIN_OK);
    }
    dunlin_client_start(w->around.client, w->around.now_ms);
    surroundings_settle(&w->around);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world w = {.around = {.now_ms = 1000, .random = 1}};
    open_client(&w);
    for (size_t at = 0; at + 2 <= size;) {
        const dunlin_slice rest = dunlin_slice_make(data + at + 2, size - at - 2);
        at += 2 + happen(&w, data[at] % KINDS, data[at + 1], rest);
        surroundings_settle(&w.around);
    }
    surroundings_stop(&w.around);
    for (size_t i = 0; i < SERVERS; i++) {
        must(w.around.ways[i].state == WAY_NONE);
    }
    must(!w.pulling);
    return 0;
}
