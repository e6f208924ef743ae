/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Restores a client from any bytes. The input is a byte of flags (1: the digest is put right first, so that what is behind it is reached; 2: the
 * device has accounts and instances of its own by then; 4: and is restored twice), and then the image. One that is refused has changed nothing;
 * one that is taken can be written again, and taken again with the same result. The application's structures stay between their
 * guards, lists in order.
 */
#include "base/hash.h"
#include "client/image.h"
#include <dunlin/client.h>
#include <dunlin/client_access.h>
#include <dunlin/client_device.h>

#include <stdlib.h>
#include <string.h>

#define GUARD     0x5A
#define INSTANCES 3
#define ACCESSES  4
#define IMAGE_MAX 4096u
#define DIGEST    8u

enum { FLAG_SEAL = 1, FLAG_OWN = 2, FLAG_TWICE = 4 };

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
    int64_t hidden;
    uint8_t after[16];
} things;

typedef struct {
    things storage[INSTANCES];
    dunlin_access access[ACCESSES];
    dunlin_device device;
    _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[64 * 1024];
    dunlin_client *client;
} world;

static void must(bool so)
{
    if (!so) {
        abort();
    }
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
    return call->path.id[1] == 666 ? DUNLIN_ERR_LIMIT : DUNLIN_OK;
}

static dunlin_status hidden_get(const dunlin_call *call, dunlin_value *value)
{
    *value = dunlin_integer(((things *)call->instance)->hidden);
    return DUNLIN_OK;
}

static dunlin_status hidden_set(const dunlin_call *call, const dunlin_value *value)
{
    ((things *)call->instance)->hidden = value->as.integer;
    return value->as.integer == 13 ? DUNLIN_ERR_IO : DUNLIN_OK;
}

static const dunlin_resource table[] = {
    {DUNLIN_FIELD(0, INTEGER, DUNLIN_RW | DUNLIN_MANDATORY, things, number), .min = -100, .max = 100},
    {DUNLIN_FIELD(1, FLOAT, DUNLIN_RW, things, real)},
    {DUNLIN_FIELD(2, STRING, DUNLIN_RW, things, text)},
    {DUNLIN_FIELD(3, OPAQUE, DUNLIN_RW, things, blob)},
    {DUNLIN_FIELD(4, OBJLNK, DUNLIN_RW | DUNLIN_ABSENT, things, link)},
    {DUNLIN_LIST(5, INTEGER, DUNLIN_RW, things, counts)},
    {DUNLIN_LIST(6, STRING, DUNLIN_RW, things, labels)},
    {DUNLIN_CALL(7, INTEGER, DUNLIN_RW), .get = hidden_get, .set = hidden_set},
};

static const dunlin_object object = {
    .id = 33000,
    DUNLIN_TABLE(table),
    .flags = DUNLIN_MULTIPLE | DUNLIN_DYNAMIC | DUNLIN_KEEP,
    .size = sizeof(things),
    .created = created,
};

/* ---- the device's surroundings ---- */

static void on_send(void *context, const dunlin_peer *peer, dunlin_slice datagram)
{
    (void)context;
    (void)peer;
    (void)datagram;
}

static void on_random(void *context, void *out, size_t len)
{
    (void)context;
    memset(out, 7, len);
}

static dunlin_status on_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    (void)context;
    (void)uri;
    *peer = (dunlin_peer){.len = 2, .bytes = {1, 2}};
    return DUNLIN_OK;
}

static dunlin_status on_save(void *context, dunlin_slice image)
{
    (void)context;
    (void)image;
    return DUNLIN_OK;
}

static void make(world *w)
{
    dunlin_client_config config = dunlin_client_config_default();
    config.endpoint = "fuzz";
    config.call = (dunlin_client_callbacks){
        .send = on_send, .random = on_random, .resolve = on_resolve, .save = on_save};
    config.servers = 2;
    config.credential_max = 32;
    config.bootstrap = true;
    config.image_max = IMAGE_MAX;
    memset(w, 0, sizeof *w);
    for (size_t i = 0; i < INSTANCES; i++) {
        set_guards(&w->storage[i]);
    }
    w->client = dunlin_client_create(w->arena, sizeof w->arena, &config, 0);
    dunlin_device_init(&w->device);
    must(w->client != NULL && dunlin_device_add(w->client, &w->device) == DUNLIN_OK &&
         dunlin_client_add_object(w->client, &object, w->storage, INSTANCES, 1, w) == DUNLIN_OK &&
         dunlin_access_add(w->client, w->access, ACCESSES, 0) == DUNLIN_OK);
}

static void fill(world *w)
{
    dunlin_server server = dunlin_server_default();
    uint16_t index = 0;
    memcpy(server.uri, "coap://one", sizeof "coap://one");
    must(dunlin_client_add_server(w->client, &server) == DUNLIN_OK);
    memcpy(server.uri, "coaps://two", sizeof "coaps://two");
    server.ssid = 2;
    server.security.mode = DUNLIN_PSK;
    server.security.identity = dunlin_slice_of("two");
    server.security.secret = dunlin_slice_of("secret");
    must(dunlin_client_add_server(w->client, &server) == DUNLIN_OK);
    w->storage[0].number = 5;
    w->storage[0].counts.count = 2;
    w->storage[0].counts.id[1] = 9;
    must(dunlin_client_add_instance(w->client, object.id, 7, &index) == DUNLIN_OK);
    set_guards(&w->storage[index]);
    must(dunlin_client_add_instance(w->client, 2, 1, &index) == DUNLIN_OK);
    w->access[index] = (dunlin_access){object.id, 7, 1, {1, {0}, {3}}};
}

/* ---- what holds whatever comes ---- */

static bool guards(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != GUARD) {
            return false;
        }
    }
    return true;
}

static bool unused(const things *t)
{
    static const things nothing;
    return memcmp(t, &nothing, sizeof nothing) ==
           0; /* as the library leaves a structure that it has taken back */
}

static void check(const world *w)
{
    for (size_t i = 0; i < INSTANCES; i++) {
        const things *t = &w->storage[i];
        must(unused(t) || (guards(t->before, sizeof t->before) && guards(t->between, sizeof t->between) &&
                           guards(t->after, sizeof t->after)));
        must(t->counts.count <= 3 && t->labels.count <= 2);
        for (uint16_t k = 1; k < t->counts.count; k++) {
            must(t->counts.id[k - 1] < t->counts.id[k]);
        }
    }
}

static size_t write_image(const world *w, uint8_t *out)
{
    dunlin_buf buf = dunlin_buf_make(out, IMAGE_MAX);
    must(dn_client_image_write(w->client, &buf) == DUNLIN_OK);
    return buf.len;
}

static void seal(uint8_t *bytes, size_t len)
{
    const dn_hash_key key = {0x64756e6c696e2069u, 0x6d61676520763100u};
    if (len < DIGEST) {
        return;
    }
    const uint64_t digest = dn_hash(&key, dunlin_slice_make(bytes, len - DIGEST));
    for (size_t i = 0; i < DIGEST; i++) {
        bytes[len - DIGEST + i] = (uint8_t)(digest >> (8 * (DIGEST - 1 - i)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world w;
    static uint8_t image[IMAGE_MAX], before[IMAGE_MAX], after[IMAGE_MAX];
    if (size < 1 || size - 1 > sizeof image) {
        return 0;
    }
    const uint8_t flags = data[0];
    const size_t len = size - 1;
    memcpy(image, data + 1, len);
    if ((flags & FLAG_SEAL) != 0) {
        seal(image, len);
    }
    make(&w);
    if ((flags & FLAG_OWN) != 0) {
        fill(&w);
    }
    const size_t had = write_image(&w, before);
    dunlin_status status = dunlin_client_restore(w.client, dunlin_slice_make(image, len));
    check(&w);
    const size_t has = write_image(&w, after);
    if (status != DUNLIN_OK) {
        must(has == had && memcmp(before, after, had) == 0);
        return 0;
    }
    for (unsigned i = 0; i <= (flags & FLAG_TWICE); i += FLAG_TWICE) {
        make(&w);
        status = dunlin_client_restore(w.client, dunlin_slice_make(after, has));
        must(status == DUNLIN_OK);
        check(&w);
        const size_t again = write_image(&w, before);
        must(again == has && memcmp(before, after, has) == 0);
    }
    dunlin_client_start(w.client, 1);
    dunlin_client_step(w.client, 2);
    check(&w);
    return 0;
}
