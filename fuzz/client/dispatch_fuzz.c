/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds a registered client datagrams of its servers, with time passing between them. The input is a byte of flags (1: LwM2M 1.0,
 * 2: datagrams come from a stranger too, 4: a second server and Object 2, 8: below an alternate path, 16: notifications are
 * Confirmable, 32: queue mode), then any number of: how many tenths of a second pass, length (2 bytes, big endian; the highest bit: from the second server), datagram. The client's own
 * requests are answered well. Whatever comes, the application's structures stay between their guards and lists in order, a
 * package is taken in order, and the second server changes nothing of the instance that it may only read.
 */
#include <dunlin/client.h>
#include <dunlin/client_access.h>
#include <dunlin/client_device.h>

#include <stdlib.h>
#include <string.h>

#define GUARD     0xA5
#define INSTANCES 3
#define ANSWER    32
#define ANSWERS   8
#define FROM_TWO  0x8000u
#define ACCESSES  6
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
    dunlin_peer to;
    uint8_t bytes[ANSWER];
    size_t len;
} answer;

typedef struct {
    dunlin_client *client;
    uint64_t now_ms;
    answer answers[ANSWERS];
    size_t answer_count;
    uint32_t random;
    uint64_t package_next; /* offset of the piece that is due */
} world;

enum { FLAG_1_0 = 1, FLAG_STRANGER = 2, FLAG_TWO = 4, FLAG_ROOT = 8, FLAG_CONFIRMABLE = 16, FLAG_QUEUE = 32 };

static const dunlin_peer the_server = {.len = 2, .bytes = {1, 2}};
static const dunlin_peer second_server = {.len = 2, .bytes = {1, 3}};

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

static void must(bool so)
{
    if (!so) {
        abort();
    }
}

static dunlin_status take(const dunlin_call *call, const dunlin_piece *piece)
{
    world *w = call->context;
    if (piece == NULL) {
        w->package_next = 0;
        return DUNLIN_OK;
    }
    must(piece->offset == 0 || piece->offset == w->package_next);
    w->package_next = piece->offset + piece->bytes.len;
    return piece->bytes.len > 0 && piece->bytes.data[0] == 'x' ? DUNLIN_ERR_STATE : DUNLIN_OK;
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
    {DUNLIN_STREAM(9, 0, take)},
};

static const dunlin_object object = {
    .id = 33000,
    DUNLIN_TABLE(table),
    .flags = DUNLIN_MULTIPLE | DUNLIN_DYNAMIC,
    .size = sizeof(things),
    .created = created,
};

/* Notes the answer to a request of the client: 2.01 with a location, 2.02 or 2.04. */
static void on_send(void *context, const dunlin_peer *peer, dunlin_slice datagram)
{
    world *w = context;
    const uint8_t *d = datagram.data;
    must(peer->len == the_server.len && datagram.len >= 4);
    if (d[1] == 0 || d[1] >> 5 != 0 || w->answer_count == ANSWERS) {
        return;
    }
    answer *a = &w->answers[w->answer_count++];
    a->to = *peer;
    const size_t token = d[0] & 15u;
    must(datagram.len >= 4 + token && token <= 8);
    const bool is_register = d[1] == POST && datagram.len > 4 + token + 3 && d[4 + token] == 0xB2 &&
                             (datagram.len == 4 + token + 3 || d[4 + token + 3] >> 4 != 0);
    a->bytes[0] = (uint8_t)(ACK_CODE | token);
    a->bytes[1] = is_register ? 0x41 : d[1] == DELETE ? 0x42 : 0x44;
    memcpy(a->bytes + 2, d + 2, 2 + token);
    a->len = 4 + token;
    if (is_register) {
        memcpy(a->bytes + a->len, "\x82rd\x01x", 5);
        a->len += 5;
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
    *peer = strcmp(uri, "coap://y") == 0 ? second_server : the_server;
    return DUNLIN_OK;
}

static void settle(world *w)
{
    for (unsigned i = 0; i < 8 && w->answer_count > 0; i++) {
        const answer a = w->answers[0];
        w->answer_count--;
        memmove(w->answers, w->answers + 1, w->answer_count * sizeof a);
        dunlin_client_receive(w->client, &a.to, dunlin_slice_make(a.bytes, a.len), w->now_ms);
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

/* The first instance is the bootstrap's: 1 may do all with it, 2 may read it. */
static void add_second(world *w, dunlin_access *access)
{
    static const dunlin_access start[] = {
        {33000, 0, DUNLIN_ACCESS_OWNER_BOOTSTRAP, {2, {1, 2}, {15, DUNLIN_ACCESS_READ}}},
        {33000, 1, 2, {1, {1}, {15}}},
        {33000, 65535, DUNLIN_ACCESS_OWNER_BOOTSTRAP, {2, {1, 2}, {16, 16}}},
    };
    dunlin_server server = dunlin_server_default();
    memset(access, 0, ACCESSES * sizeof *access);
    memcpy(access, start, sizeof start);
    memcpy(server.uri, "coap://y", sizeof "coap://y");
    server.ssid = 2;
    must(dunlin_access_add(w->client, access, ACCESSES, 3) == DUNLIN_OK &&
         dunlin_client_add_server(w->client, &server) == DUNLIN_OK);
}

static void open_client(world *w, uint8_t flags, things *all)
{
    static _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[65536];
    static dunlin_device device;
    static dunlin_access access[ACCESSES];
    memset(all, 0, INSTANCES * sizeof *all);
    set_guards(&all[0]);
    set_guards(&all[1]);
    dunlin_device_init(&device);
    dunlin_client_config config = dunlin_client_config_default();
    config.endpoint = "fuzz";
    config.servers = (flags & FLAG_TWO) != 0 ? 2 : 1;
    config.root_path = (flags & FLAG_ROOT) != 0 ? "/l" : "";
    config.notify_confirmable = (flags & FLAG_CONFIRMABLE) != 0;
    config.queue_mode = (flags & FLAG_QUEUE) != 0;
    config.lwm2m = (flags & FLAG_1_0) != 0 ? DUNLIN_LWM2M_1_0 : DUNLIN_LWM2M_1_1;
    config.call =
        (dunlin_client_callbacks){.send = on_send, .random = on_random, .resolve = on_resolve, .context = w};
    w->client = dunlin_client_create(arena, sizeof arena, &config, w->now_ms);
    dunlin_server server = dunlin_server_default();
    memcpy(server.uri, "coap://x", sizeof "coap://x");
    must(w->client != NULL && dunlin_device_add(w->client, &device) == DUNLIN_OK &&
         dunlin_client_add_object(w->client, &object, all, INSTANCES, 2, w) == DUNLIN_OK &&
         dunlin_client_add_server(w->client, &server) == DUNLIN_OK);
    if ((flags & FLAG_TWO) != 0) {
        add_second(w, access);
    }
    dunlin_client_start(w->client, w->now_ms);
    settle(w);
    must(dunlin_client_registered(w->client));
}

/* The second server may read the first instance, and no more. */
static void receive(world *w, const things *all, bool from_second, dunlin_slice datagram)
{
    things before;
    memcpy(&before, &all[0], sizeof before);
    dunlin_client_receive(w->client, from_second ? &second_server : &the_server, datagram, w->now_ms);
    must(!from_second || memcmp(&before, &all[0], sizeof before) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static things all[INSTANCES];
    world w = {.now_ms = 1000, .random = 1};
    if (size < 1) {
        return 0;
    }
    const uint8_t flags = data[0];
    open_client(&w, flags, all);

    const dunlin_peer stranger = {.len = 2, .bytes = {9, 9}};
    for (size_t at = 1; at + 3 <= size;) {
        w.now_ms += (uint64_t)data[at] * TENTH_MS;
        size_t len = (size_t)data[at + 1] << 8 | data[at + 2];
        const bool from_second = (flags & FLAG_TWO) != 0 && (len & FROM_TWO) != 0;
        len &= ~(size_t)FROM_TWO;
        at += 3;
        len = len > size - at ? size - at : len;
        if ((flags & FLAG_STRANGER) != 0) {
            dunlin_client_receive(w.client, &stranger, dunlin_slice_make(data + at, len), w.now_ms);
        }
        receive(&w, all, from_second, dunlin_slice_make(data + at, len));
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
