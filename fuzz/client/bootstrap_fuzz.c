/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations of a bootstrap server, factory data and files of smartcards on a client. The input is a byte of flags (1: LwM2M 1.0, 2: it has server
 * accounts already), then any number of: what (1 byte; the low three bits: Write, Read, Discover, Delete, factory data, card, Finish's check,
 * another method; the rest: which format), length of the path (1 byte), length of the payload (2 bytes, big endian), path, payload. Whatever
 * comes: what is refused has changed nothing, structures stay between their guards, there is one bootstrap server at most, whose
 * account no Delete takes away, and the log of old values is empty behind each.
 */
#include "client/bootstrap_operation.h"
#include "client/image.h"
#include "client/tree.h"
#include "fuzz/client/surroundings.h"
#include "fuzz/client/things.h"
#include "fuzz/must.h"
#include <dunlin/client_access.h>
#include <dunlin/client_device.h>

#include <string.h>

#define INSTANCES   3
#define ACCESSES    4
#define IMAGE       8192
#define OPTIONS     512
#define BODY        2048
#define SEGMENT_MAX 12u

typedef struct {
    dunlin_client *client;
    things all[INSTANCES];
    dunlin_access access[ACCESSES];
    dunlin_device device;
    uint8_t before[IMAGE], after[IMAGE], body[BODY];
} world;

static _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[131072];

static const uint16_t formats[] = {110, 112, 11542, 11543, 0, 42, 60, 65535};

static const dunlin_resource table[] = {
    THINGS_RESOURCES(DUNLIN_RW),
    THINGS_STUBBORN(7),
};

static const dunlin_object object = {
    .id = THINGS_ID,
    DUNLIN_TABLE(table),
    .flags = DUNLIN_MULTIPLE | DUNLIN_DYNAMIC | DUNLIN_KEEP,
    .size = sizeof(things),
    .created = things_created,
};

static const char bootstrap_account[] =
    "[{\"bn\":\"/0/1/\",\"n\":\"0\",\"vs\":\"coap://bs\"},{\"n\":\"1\",\"vb\":true},{\"n\":\"2\",\"v\":3}]";
static const char accounts[] =
    "[{\"bn\":\"/0/0/\",\"n\":\"0\",\"vs\":\"coap://"
    "a\"},{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":3},{\"n\":\"10\",\"v\":1},"
    "{\"bn\":\"/1/0/"
    "\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":60},{\"n\":\"6\",\"vb\":true},{\"n\":\"7\",\"vs\":\"U\"},"
    "{\"bn\":\"/2/0/\",\"n\":\"0\",\"v\":33000},{\"n\":\"1\",\"v\":0},{\"n\":\"2/"
    "2\",\"v\":3},{\"n\":\"3\",\"v\":1}]";

static void provide(world *w, const char *json)
{
    must(dunlin_client_provision(w->client, dunlin_path_root(), 110, dunlin_slice_of(json)) == DUNLIN_OK);
}

static void open_client(world *w, uint8_t flags)
{
    dunlin_client_config config = dunlin_client_config_default();
    config.endpoint = "fuzz";
    config.servers = 2;
    config.bootstrap = true;
    config.image_max = IMAGE;
    config.credential_max = 32;
    config.max_body = BODY;
    config.lwm2m = (flags & 1) != 0 ? DUNLIN_LWM2M_1_0 : DUNLIN_LWM2M_1_1;
    config.call = surroundings_of_nobody();
    memset(w, 0, sizeof *w);
    things_guard(&w->all[0]);
    things_guard(&w->all[1]);
    dunlin_device_init(&w->device);
    w->client = dunlin_client_create(arena, sizeof arena, &config, 1000);
    must(w->client != NULL && dunlin_device_add(w->client, &w->device) == DUNLIN_OK &&
         dunlin_access_add(w->client, w->access, ACCESSES, 0) == DUNLIN_OK &&
         dunlin_client_add_object(w->client, &object, w->all, INSTANCES, 2, w) == DUNLIN_OK);
    provide(w, bootstrap_account);
    if ((flags & 2) != 0) {
        provide(w, accounts);
    }
}

/* How many accounts of bootstrap servers there are. */
static unsigned bootstraps(world *w)
{
    unsigned count = 0;
    uint16_t index = 0;
    const dn_object_slot *slot = dn_client_tree_object(w->client, 0);
    for (uint16_t id = 0; (id = dn_client_tree_next(slot, id, &index)) != DUNLIN_ID_NONE; id++) {
        count += w->client->securities[index].bootstrap ? 1 : 0;
    }
    return count;
}

static size_t take_image(world *w, uint8_t *bytes)
{
    dunlin_buf out = dunlin_buf_make(bytes, IMAGE);
    must(dn_client_image_write(w->client, &out) == DUNLIN_OK);
    return out.len;
}

/* Uri-Path options of the segments of a text, cut short where they are too long. */
static size_t put_options(uint8_t *out, dunlin_slice path)
{
    size_t len = 0;
    uint8_t delta = DN_OPTION_URI_PATH;
    for (size_t at = 0; at < path.len && len + 1 + SEGMENT_MAX < OPTIONS; delta = 0) {
        uint8_t *head = &out[len++];
        uint8_t count = 0;
        while (at < path.len && path.data[at] != '/' && count < SEGMENT_MAX) {
            out[len++] = path.data[at++];
            count++;
        }
        at += at < path.len && path.data[at] == '/' ? 1 : 0;
        *head = (uint8_t)(delta << 4 | count);
    }
    return len;
}

static bool operate(world *w, unsigned what, uint16_t format, dunlin_slice path, dunlin_slice payload)
{
    static const uint8_t methods[] = {DN_COAP_PUT, DN_COAP_GET, DN_COAP_GET, DN_COAP_DELETE,
                                      0,           0,           0,           DN_COAP_POST};
    uint8_t options[OPTIONS];
    dn_coap_reply reply;
    dunlin_buf body = dunlin_buf_make(w->body, sizeof w->body);
    dn_coap_incoming request = {
        .code = methods[what],
        .content_format = format,
        .accept = what == 2 ? 40 : format,
        .payload = payload,
    };
    request.options.raw = dunlin_slice_make(options, put_options(options, path));
    dn_coap_reply_init(&reply, 0);
    const uint8_t code = dn_client_bootstrap_operate(w->client, dn_client_bootstrap_operation_of(&request),
                                                     &request, &body, &reply);
    must(code == reply.code && code >> 5 >= 2 && code >> 5 <= 5);
    must(reply.payload.len == 0 || (reply.payload.data >= w->body &&
                                    reply.payload.data + reply.payload.len <= w->body + sizeof w->body));
    return code >> 5 == 2;
}

/* False: it was refused. */
static bool act(world *w, uint8_t what, dunlin_slice path, dunlin_slice payload)
{
    const uint16_t format = formats[what >> 3 & 7];
    dunlin_path base;
    dn_bootstrap_fault fault;
    bool changed = false;
    switch (what & 7) {
    case 4:
        return dunlin_path_parse(path, &base) == DUNLIN_OK &&
               dunlin_client_provision(w->client, base, format, payload) == DUNLIN_OK;
    case 5:
        return dn_client_card_apply(w->client, payload, &changed) == DUNLIN_OK;
    case 6:
        return dn_client_bootstrap_consistent(w->client, &fault);
    default:
        return operate(w, what & 7u, format, path, payload);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world w;
    if (size < 1) {
        return 0;
    }
    open_client(&w, data[0]);
    for (size_t at = 1; at + 4 <= size;) {
        const uint8_t what = data[at];
        size_t path_len = data[at + 1];
        size_t len = (size_t)data[at + 2] << 8 | data[at + 3];
        at += 4;
        path_len = path_len > size - at ? size - at : path_len;
        const dunlin_slice path = dunlin_slice_make(data + at, path_len);
        at += path_len;
        len = len > size - at ? size - at : len;
        len = len > BODY ? BODY : len; /* what a request can hold */
        const dunlin_slice payload = dunlin_slice_make(data + at, len);
        at += len;

        const unsigned bootstraps_before = bootstraps(&w);
        const size_t before = take_image(&w, w.before);
        const bool done = act(&w, what, path, payload);
        const size_t after = take_image(&w, w.after);
        must(done || (before == after && memcmp(w.before, w.after, before) == 0));
        must(w.client->undo_used == 0 && bootstraps(&w) <= 1);
        must((what & 7) != 3 || bootstraps(&w) == bootstraps_before);
        things_check(w.all, INSTANCES);
    }
    return 0;
}
