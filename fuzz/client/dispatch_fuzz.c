/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds a registered client datagrams of its server, with time passing between them. The input is a byte of flags (1: LwM2M 1.0,
 * 2: datagrams come from a stranger too), then any number of: how many tenths of a second pass, length (2 bytes, big
 * endian), datagram. The client's own requests are answered well. Whatever comes, the application's structures stay
 * between their guards and lists in order.
 */
#include <dunlin/client.h>
#include <dunlin/client_device.h>

#include <stdlib.h>
#include <string.h>

#define GUARD     0xA5
#define INSTANCES 3
#define ANSWER    32
#define ACK_CODE  0x60
#define POST      2
#define DELETE    4
#define TENTH_MS  100

typedef char label[8];
typedef struct {
    uint8_t before[16];
    int32_t number;
    double real;
    char text[12];
    DUNLIN_BYTES(8) blob;
    dunlin_objlnk link;
    uint8_t between[16];
    DUNLIN_MANY(int16_t, 3) counts;
    DUNLIN_MANY(label, 2) labels;
    int32_t stubborn;
    uint8_t after[16];
} things;

typedef struct {
    dunlin_client *client;
    uint64_t now_ms;
    uint8_t answer[ANSWER];
    size_t answer_len;
    uint32_t random;
} world;

static const dunlin_peer the_server = {.len = 2, .bytes = {1, 2}};

static dunlin_status stubborn_set(const dunlin_call *call, const dunlin_value *value)
{
    (void)call;
    return value->as.integer == 13 ? DUNLIN_ERR_IO : DUNLIN_OK;
}

static dunlin_status run(const dunlin_call *call, const dunlin_arguments *arguments)
{
    dunlin_changed(call->client, dunlin_path_object(33000));
    return arguments->present == 1 ? DUNLIN_ERR_STATE : DUNLIN_OK;
}

static void set_guards(things *t)
{
    memset(t->before, GUARD, sizeof t->before);
    memset(t->between, GUARD, sizeof t->between);
    memset(t->after, GUARD, sizeof t->after);
}

static dunlin_status created(const dunlin_call *call)
{
    set_guards(call->instance);
    return DUNLIN_OK;
}

static const dunlin_resource table[] = {
    {DUNLIN_FIELD(0, INTEGER, DUNLIN_RW | DUNLIN_MANDATORY, things, number), .min = -100, .max = 100},
    {DUNLIN_FIELD(1, FLOAT, DUNLIN_RW, things, real)},
    {DUNLIN_FIELD(2, STRING, DUNLIN_RW, things, text)},
    {DUNLIN_FIELD(3, OPAQUE, DUNLIN_RW, things, blob)},
    {DUNLIN_FIELD(4, OBJLNK, DUNLIN_RW, things, link)},
    {DUNLIN_LIST(5, INTEGER, DUNLIN_RW, things, counts)},
    {DUNLIN_LIST(6, STRING, DUNLIN_RW, things, labels)},
    {DUNLIN_FIELD(7, INTEGER, DUNLIN_RW, things, stubborn), .set = stubborn_set},
    {DUNLIN_EXECUTE(8, 0, run)},
};

static const dunlin_object object = {
    .id = 33000,
    DUNLIN_TABLE(table),
    .flags = DUNLIN_MULTIPLE | DUNLIN_DYNAMIC,
    .size = sizeof(things),
    .created = created,
};

static void must(bool so)
{
    if (!so) {
        abort();
    }
}

/* Notes the answer to a request of the client: 2.01 with a location, 2.02 or 2.04. */
static void on_send(void *context, const dunlin_peer *peer, dunlin_slice datagram)
{
    world *w = context;
    const uint8_t *d = datagram.data;
    must(peer->len == the_server.len && datagram.len >= 4);
    if (d[1] == 0 || d[1] >> 5 != 0) {
        return;
    }
    const size_t token = d[0] & 15u;
    must(datagram.len >= 4 + token && token <= 8);
    const bool is_register = d[1] == POST && datagram.len > 4 + token + 3 && d[4 + token] == 0xB2 &&
                             (datagram.len == 4 + token + 3 || d[4 + token + 3] >> 4 != 0);
    w->answer[0] = (uint8_t)(ACK_CODE | token);
    w->answer[1] = is_register ? 0x41 : d[1] == DELETE ? 0x42 : 0x44;
    memcpy(w->answer + 2, d + 2, 2 + token);
    w->answer_len = 4 + token;
    if (is_register) {
        memcpy(w->answer + w->answer_len, "\x82rd\x01x", 5);
        w->answer_len += 5;
    }
}

static void on_random(void *context, void *out, size_t len)
{
    world *w = context;
    for (size_t i = 0; i < len; i++) {
        w->random = w->random * 1664525u + 1013904223u;
        ((uint8_t *)out)[i] = (uint8_t)(w->random >> 24);
    }
}

static dunlin_status on_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    (void)context;
    (void)uri;
    *peer = the_server;
    return DUNLIN_OK;
}

static void settle(world *w)
{
    for (unsigned i = 0; i < 8 && w->answer_len > 0; i++) {
        uint8_t answer[ANSWER];
        const size_t len = w->answer_len;
        memcpy(answer, w->answer, len);
        w->answer_len = 0;
        dunlin_client_receive(w->client, &the_server, dunlin_slice_make(answer, len), w->now_ms);
    }
}

static bool guarded(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != GUARD) {
            return false;
        }
    }
    return true;
}

static bool ascends(const uint16_t *ids, uint16_t count)
{
    for (uint16_t i = 1; i < count; i++) {
        if (ids[i] <= ids[i - 1]) {
            return false;
        }
    }
    return true;
}

static void check(world *w, const things *all)
{
    for (uint16_t id = 0; id <= INSTANCES; id++) {
        dunlin_value value;
        if (dunlin_client_get(w->client, dunlin_path_resource(33000, id, 0), &value) == DUNLIN_OK) {
            must(value.as.integer >= -100 && value.as.integer <= 100);
        }
    }
    for (size_t i = 0; i < INSTANCES; i++) {
        const things *t = &all[i];
        if (t->before[0] == 0) {
            continue; /* free: it was wiped */
        }
        must(guarded(t->before, sizeof t->before) && guarded(t->between, sizeof t->between) &&
             guarded(t->after, sizeof t->after));
        must(t->blob.len <= sizeof t->blob.data && memchr(t->text, 0, sizeof t->text) != NULL);
        must(t->counts.count <= 3 && t->labels.count <= 2);
        must(ascends(t->counts.id, t->counts.count) && ascends(t->labels.id, t->labels.count));
        must(t->stubborn != 13);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[65536];
    static things all[INSTANCES];
    static dunlin_device device;
    world w = {.now_ms = 1000, .random = 1};
    if (size < 1) {
        return 0;
    }
    memset(all, 0, sizeof all);
    set_guards(&all[0]);
    set_guards(&all[1]);
    dunlin_device_init(&device);
    dunlin_client_config config = dunlin_client_config_default();
    config.endpoint = "fuzz";
    config.lwm2m = (data[0] & 1) != 0 ? DUNLIN_LWM2M_1_0 : DUNLIN_LWM2M_1_1;
    config.call =
        (dunlin_client_callbacks){.send = on_send, .random = on_random, .resolve = on_resolve, .context = &w};
    w.client = dunlin_client_create(arena, sizeof arena, &config, w.now_ms);
    dunlin_server server = dunlin_server_default();
    memcpy(server.uri, "coap://x", sizeof "coap://x");
    must(w.client != NULL && dunlin_device_add(w.client, &device) == DUNLIN_OK &&
         dunlin_client_add_object(w.client, &object, all, INSTANCES, 2, NULL) == DUNLIN_OK &&
         dunlin_client_add_server(w.client, &server) == DUNLIN_OK);
    dunlin_client_start(w.client, w.now_ms);
    settle(&w);
    must(dunlin_client_registered(w.client));

    const dunlin_peer stranger = {.len = 2, .bytes = {9, 9}};
    for (size_t at = 1; at + 3 <= size;) {
        w.now_ms += (uint64_t)data[at] * TENTH_MS;
        size_t len = (size_t)data[at + 1] << 8 | data[at + 2];
        at += 3;
        len = len > size - at ? size - at : len;
        if ((data[0] & 2) != 0) {
            dunlin_client_receive(w.client, &stranger, dunlin_slice_make(data + at, len), w.now_ms);
        }
        dunlin_client_receive(w.client, &the_server, dunlin_slice_make(data + at, len), w.now_ms);
        at += len;
        settle(&w);
        while (dunlin_client_deadline(w.client) <= w.now_ms) {
            dunlin_client_step(w.client, w.now_ms);
            settle(&w);
        }
        check(&w, all);
    }
    return 0;
}
