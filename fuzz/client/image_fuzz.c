/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Restores a client from any bytes. The input is a byte of flags (1: the digest is put right first, so that what is behind it is reached; 2: the
 * device has accounts and instances of its own by then; 4: and is restored twice), and then the image. One that is refused has changed nothing;
 * one that is taken can be written again, and taken again with the same result. The application's structures stay between their
 * guards, lists in order.
 */
#include "base/hash.h"
#include "client/image.h"
#include "fuzz/client/surroundings.h"
#include "fuzz/client/things.h"
#include "fuzz/must.h"
#include <dunlin/client_access.h>
#include <dunlin/client_device.h>

#include <string.h>

#define INSTANCES 3
#define ACCESSES  4
#define IMAGE_MAX 4096u
#define DIGEST    8u

enum { FLAG_SEAL = 1, FLAG_OWN = 2, FLAG_TWICE = 4 };

typedef struct {
    things storage[INSTANCES];
    dunlin_access access[ACCESSES];
    dunlin_device device;
    _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[64 * 1024];
    dunlin_client *client;
} world;

static dunlin_status created(const dunlin_call *call)
{
    (void)things_created(call);
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
    THINGS_RESOURCES(DUNLIN_RW | DUNLIN_ABSENT),
    {DUNLIN_CALL(7, INTEGER, DUNLIN_RW), .get = hidden_get, .set = hidden_set},
};

static const dunlin_object object = {
    .id = THINGS_ID,
    DUNLIN_TABLE(table),
    .flags = DUNLIN_MULTIPLE | DUNLIN_DYNAMIC | DUNLIN_KEEP,
    .size = sizeof(things),
    .created = created,
};

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
    config.call = surroundings_of_nobody();
    config.call.save = on_save;
    config.servers = 2;
    config.credential_max = 32;
    config.bootstrap = true;
    config.image_max = IMAGE_MAX;
    memset(w, 0, sizeof *w);
    for (size_t i = 0; i < INSTANCES; i++) {
        things_guard(&w->storage[i]);
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
    things_guard(&w->storage[index]);
    must(dunlin_client_add_instance(w->client, 2, 1, &index) == DUNLIN_OK);
    w->access[index] = (dunlin_access){object.id, 7, 1, {1, {0}, {3}}};
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
    things_check(w.storage, INSTANCES);
    const size_t has = write_image(&w, after);
    if (status != DUNLIN_OK) {
        must(has == had && memcmp(before, after, had) == 0);
        return 0;
    }
    for (unsigned i = 0; i <= (flags & FLAG_TWICE); i += FLAG_TWICE) {
        make(&w);
        status = dunlin_client_restore(w.client, dunlin_slice_make(after, has));
        must(status == DUNLIN_OK);
        things_check(w.storage, INSTANCES);
        const size_t again = write_image(&w, before);
        must(again == has && memcmp(before, after, has) == 0);
    }
    dunlin_client_start(w.client, 1);
    dunlin_client_step(w.client, 2);
    things_check(w.storage, INSTANCES);
    return 0;
}
