/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds a registered client datagrams of its servers, with time passing between them. The input is a byte of flags (1: LwM2M 1.0,
 * 2: datagrams come from a stranger too, 4: a second server and Object 2, 8: below an alternate path, 16: notifications are
 * Confirmable, 32: queue mode), then any number of: how many tenths of a second pass, length (2 bytes, big endian; the highest bit: from the second server), datagram. The client's own
 * requests are answered well. Whatever comes, the application's structures stay between their guards and lists in order, a
 * package is taken in order, and the second server changes nothing of the instance that it may only read.
 */
#include "fuzz/client/surroundings.h"
#include "fuzz/client/things.h"
#include "fuzz/must.h"
#include <dunlin/client_access.h>
#include <dunlin/client_device.h>

#include <string.h>

#define INSTANCES 3
#define FROM_TWO  0x8000u
#define ACCESSES  6
#define TENTH_MS  100

typedef struct {
    surroundings around;
    uint64_t package_next; /* offset of the piece that is due */
} world;

enum { FLAG_1_0 = 1, FLAG_STRANGER = 2, FLAG_TWO = 4, FLAG_ROOT = 8, FLAG_CONFIRMABLE = 16, FLAG_QUEUE = 32 };

static const dunlin_peer the_server = {.len = 2, .bytes = {1, 2}};
static const dunlin_peer second_server = {.len = 2, .bytes = {1, 3}};

static dunlin_status run(const dunlin_call *call, const dunlin_arguments *arguments)
{
    dunlin_changed(call->client, dunlin_path_object(THINGS_ID));
    return arguments->present == 1 ? DUNLIN_ERR_STATE : DUNLIN_OK;
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

static const dunlin_resource table[] = {
    THINGS_RESOURCES(DUNLIN_RW),
    THINGS_STUBBORN(7),
    {DUNLIN_EXECUTE(8, 0, run)},
    {DUNLIN_STREAM(9, 0, take)},
};

static const dunlin_object object = {
    .id = THINGS_ID,
    DUNLIN_TABLE(table),
    .flags = DUNLIN_MULTIPLE | DUNLIN_DYNAMIC,
    .size = sizeof(things),
    .created = things_created,
};

static void on_send(void *context, const dunlin_peer *peer, dunlin_slice datagram)
{
    world *w = context;
    client_request request;
    must(peer->len == the_server.len);
    if (client_request_read(&request, datagram, false)) {
        client_request_answer(&request, &w->around, peer, client_request_success(&request));
    }
}

static dunlin_status on_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    (void)context;
    *peer = strcmp(uri, "coap://y") == 0 ? second_server : the_server;
    return DUNLIN_OK;
}

static void check(world *w, const things *all)
{
    for (uint16_t id = 0; id <= INSTANCES; id++) {
        dunlin_value value;
        if (dunlin_client_get(w->around.client, dunlin_path_resource(THINGS_ID, id, 0), &value) ==
            DUNLIN_OK) {
            must(value.as.integer >= -100 && value.as.integer <= 100);
        }
    }
    things_check(all, INSTANCES);
}

/* The first instance is the bootstrap's: 1 may do all with it, 2 may read it. */
static void add_second(world *w, dunlin_access *access)
{
    static const dunlin_access start[] = {
        {THINGS_ID, 0, DUNLIN_ACCESS_OWNER_BOOTSTRAP, {2, {1, 2}, {15, DUNLIN_ACCESS_READ}}},
        {THINGS_ID, 1, 2, {1, {1}, {15}}},
        {THINGS_ID, 65535, DUNLIN_ACCESS_OWNER_BOOTSTRAP, {2, {1, 2}, {16, 16}}},
    };
    dunlin_server server = dunlin_server_default();
    memset(access, 0, ACCESSES * sizeof *access);
    memcpy(access, start, sizeof start);
    memcpy(server.uri, "coap://y", sizeof "coap://y");
    server.ssid = 2;
    must(dunlin_access_add(w->around.client, access, ACCESSES, 3) == DUNLIN_OK &&
         dunlin_client_add_server(w->around.client, &server) == DUNLIN_OK);
}

static void open_client(world *w, uint8_t flags, things *all)
{
    static _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[65536];
    static dunlin_device device;
    static dunlin_access access[ACCESSES];
    memset(all, 0, INSTANCES * sizeof *all);
    things_guard(&all[0]);
    things_guard(&all[1]);
    dunlin_device_init(&device);
    dunlin_client_config config = dunlin_client_config_default();
    config.endpoint = "fuzz";
    config.servers = (flags & FLAG_TWO) != 0 ? 2 : 1;
    config.root_path = (flags & FLAG_ROOT) != 0 ? "/l" : "";
    config.notify_confirmable = (flags & FLAG_CONFIRMABLE) != 0;
    config.queue_mode = (flags & FLAG_QUEUE) != 0;
    config.lwm2m = (flags & FLAG_1_0) != 0 ? DUNLIN_LWM2M_1_0 : DUNLIN_LWM2M_1_1;
    config.call = (dunlin_client_callbacks){
        .send = on_send, .random = surroundings_random, .resolve = on_resolve, .context = w};
    w->around.client = dunlin_client_create(arena, sizeof arena, &config, w->around.now_ms);
    dunlin_server server = dunlin_server_default();
    memcpy(server.uri, "coap://x", sizeof "coap://x");
    must(w->around.client != NULL && dunlin_device_add(w->around.client, &device) == DUNLIN_OK &&
         dunlin_client_add_object(w->around.client, &object, all, INSTANCES, 2, w) == DUNLIN_OK &&
         dunlin_client_add_server(w->around.client, &server) == DUNLIN_OK);
    if ((flags & FLAG_TWO) != 0) {
        add_second(w, access);
    }
    dunlin_client_start(w->around.client, w->around.now_ms);
    surroundings_settle(&w->around);
    must(dunlin_client_registered(w->around.client));
}

/* The second server may read the first instance, and no more. */
static void receive(world *w, const things *all, bool from_second, dunlin_slice datagram)
{
    things before;
    memcpy(&before, &all[0], sizeof before);
    dunlin_client_receive(w->around.client, from_second ? &second_server : &the_server, datagram,
                          w->around.now_ms);
    must(!from_second || memcmp(&before, &all[0], sizeof before) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static things all[INSTANCES];
    world w = {.around = {.now_ms = 1000, .random = 1}};
    if (size < 1) {
        return 0;
    }
    const uint8_t flags = data[0];
    open_client(&w, flags, all);

    const dunlin_peer stranger = {.len = 2, .bytes = {9, 9}};
    for (size_t at = 1; at + 3 <= size;) {
        w.around.now_ms += (uint64_t)data[at] * TENTH_MS;
        size_t len = (size_t)data[at + 1] << 8 | data[at + 2];
        const bool from_second = (flags & FLAG_TWO) != 0 && (len & FROM_TWO) != 0;
        len &= ~(size_t)FROM_TWO;
        at += 3;
        len = len > size - at ? size - at : len;
        if ((flags & FLAG_STRANGER) != 0) {
            dunlin_client_receive(w.around.client, &stranger, dunlin_slice_make(data + at, len),
                                  w.around.now_ms);
        }
        receive(&w, all, from_second, dunlin_slice_make(data + at, len));
        at += len;
        surroundings_settle(&w.around);
        check(&w, all);
    }
    return 0;
}
