/* SPDX-License-Identifier: Apache-2.0 */
/* The image of a client: values, presence, accounts, attributes, observations. */
#include "tests/client/image.h"

#include "client/state.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool so)
{
    if (!so) {
        (void)fprintf(stderr, "image: the test's own machinery failed\n");
        abort();
    }
}

static void add(image *i, const void *bytes, size_t len)
{
    must(i->len + len <= sizeof i->bytes);
    if (len > 0) {
        memcpy(i->bytes + i->len, bytes, len);
    }
    i->len += len;
}

static bool add_value(void *context, dunlin_path path, const dunlin_resource *resource,
                      const dunlin_value *value)
{
    image *i = context;
    char text[DUNLIN_PATH_TEXT_MAX + 1];
    (void)resource;
    add(i, text, dunlin_path_format(path, text));
    if (value == NULL) {
        return true;
    }
    const uint8_t type = (uint8_t)value->type;
    add(i, &type, 1);
    switch (value->type) {
    case DUNLIN_TYPE_STRING:
    case DUNLIN_TYPE_CORELNK:
    case DUNLIN_TYPE_OPAQUE:
        add(i, value->as.bytes.data, value->as.bytes.len);
        break;
    case DUNLIN_TYPE_BOOLEAN:
        add(i, &value->as.boolean, sizeof value->as.boolean);
        break;
    case DUNLIN_TYPE_OBJLNK:
        add(i, &value->as.link, sizeof value->as.link);
        break;
    default:
        add(i, &value->as.uinteger, sizeof value->as.uinteger);
        break;
    }
    return true;
}

/* Every value as it is read, and everything behind them as it lies in memory. */
void image_take(const rig *r, image *i)
{
    dunlin_client *client = r->client;
    i->len = 0;
    const dunlin_status status = dunlin_client_walk(client, dunlin_path_root(), add_value, i);
    must(status == DUNLIN_OK);
    add(i, r->things, sizeof r->things);
    add(i, &r->device, sizeof r->device);
    add(i, r->thermometer, sizeof r->thermometer);
    add(i, &r->clock_s, sizeof r->clock_s);
    add(i, &r->reboots, sizeof r->reboots);
    for (uint16_t at = 0; at < client->object_count; at++) {
        const dn_object_slot *slot = &client->objects[at];
        add(i, slot->ids, slot->capacity * sizeof *slot->ids);
        add(i, slot->present, (size_t)slot->capacity * slot->words * sizeof *slot->present);
    }
    add(i, client->securities, client->objects[0].capacity * sizeof *client->securities);
    add(i, client->servers, client->config.servers * sizeof *client->servers);
    for (uint16_t at = 0; at < client->config.servers; at++) {
        add(i, &client->accounts[at].ssid, sizeof client->accounts[at].ssid);
        add(i, &client->accounts[at].want, sizeof client->accounts[at].want);
        add(i, &client->accounts[at].state, sizeof client->accounts[at].state);
    }
    add(i, client->attributes, client->config.attributes * sizeof *client->attributes);
    const size_t composites = client->config.composites;
    const size_t paths = client->config.observations + composites * client->config.composite_paths;
    add(i, client->observations, (client->config.observations + composites) * sizeof *client->observations);
    add(i, client->observed, paths * sizeof *client->observed);
    add(i, &client->undo_used, sizeof client->undo_used);
}

bool image_equal(const image *a, const image *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}
