/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bootstrap-Discover (Core 1.1.1 section 6.1.7.2): which version of LwM2M, which Objects and instances there are, and to which servers they
 * belong. No resources, no attributes. In LwM2M 1.0 the version stands before the list, which is no link at all.
 */
#include "client/bootstrap_serve.h"

#include "client/bootstrap_remove.h"
#include "client/links.h"
#include "client/operation.h"
#include "client/tree.h"
#include "codec/format.h"
#include "model/object.h"

#define SERVER_OBJECT 1u
#define HEAD_1_0      "lwm2m=\"1.0\","

static bool is_1_0(const dunlin_client *client)
{
    return client->config.lwm2m == DUNLIN_LWM2M_1_0;
}

static bool must_say_version(const dunlin_client *client, const dunlin_object *def)
{
    const dn_version lwm2m = {1, is_1_0(client) ? 0 : 1};
    const dn_version version = {def->major, def->minor};
    return version.major != 0 && dn_version_compare(version, dn_version_implied(def->id, lwm2m)) != 0;
}

/* Whose keys an instance of Object 21 are. */
static int32_t oscore_ssid(const dunlin_client *client, uint16_t instance)
{
    const dn_object_slot *slot =
        &client->objects[DN_SECURITY_OBJECT]; /* ids ascend, and Object 0 comes with the client */
    uint16_t index = 0;
    for (uint16_t id = 0; (id = dn_client_tree_next(slot, id, &index)) != DUNLIN_ID_NONE; id++) {
        if (dn_client_bootstrap_oscore_of(client, index) == instance) {
            return dn_client_bootstrap_ssid_of(client, index);
        }
    }
    return 0;
}

/* The bootstrap server's own account never shows a Short Server ID. */
static int32_t ssid_at(const dunlin_client *client, uint16_t object, uint16_t instance, uint16_t index)
{
    switch (object) {
    case DN_SECURITY_OBJECT:
        return dn_client_bootstrap_ssid_of(client, index);
    case SERVER_OBJECT:
        return client->servers[index].ssid;
    case DN_OSCORE_OBJECT:
        return oscore_ssid(client, instance);
    default:
        return 0;
    }
}

static void put_instance(const dunlin_client *client, const dn_object_slot *slot, uint16_t instance,
                         uint16_t index, dn_link_writer *writer)
{
    const int32_t ssid = ssid_at(client, slot->def->id, instance, index);
    dn_link_put(writer, dunlin_slice_of("/"), dunlin_path_instance(slot->def->id, instance));
    if (ssid > 0) {
        dn_link_put_number(writer, "ssid", (uint64_t)ssid);
    }
    if (slot->def->id == DN_SECURITY_OBJECT && !is_1_0(client)) {
        dn_link_put_text(writer, "uri", dunlin_slice_of(client->securities[index].uri), true);
    }
}

/* 1.0 lists an Object itself only when nothing else would tell of it. */
static void put_object(const dunlin_client *client, const dn_object_slot *slot, dn_link_writer *writer)
{
    uint16_t index = 0;
    uint16_t id = dn_client_tree_next(slot, 0, &index);
    if (!is_1_0(client) || id == DUNLIN_ID_NONE || must_say_version(client, slot->def)) {
        dn_link_put(writer, dunlin_slice_of("/"), dunlin_path_object(slot->def->id));
        dn_client_links_version(client, slot->def, writer);
    }
    for (; id != DUNLIN_ID_NONE; id = dn_client_tree_next(slot, (uint32_t)id + 1, &index)) {
        put_instance(client, slot, id, index, writer);
    }
}

/* What stands before the links of 1.0 is not theirs to separate. */
static dunlin_status put_head(const dunlin_client *client, dunlin_buf *body, dn_link_writer *writer)
{
    body->len = 0;
    if (is_1_0(client) && !dunlin_buf_append(body, dunlin_slice_of(HEAD_1_0))) {
        return DUNLIN_ERR_SPACE;
    }
    dn_links_write(writer, dunlin_buf_make(body->data + body->len, body->cap - body->len));
    if (!is_1_0(client)) {
        dn_link_put_target(writer, "/");
        dn_link_put_text(writer, "lwm2m", dunlin_slice_of("1.1"), false);
    }
    return DUNLIN_OK;
}

uint8_t dn_client_bootstrap_discover(dunlin_client *client, dunlin_path path, dunlin_buf *body,
                                     dn_coap_reply *reply)
{
    dn_link_writer writer;
    dunlin_slice links;
    if (path.depth > 1) {
        return DN_COAP_BAD_REQUEST;
    }
    if (path.depth == 1 && dn_client_tree_object(client, path.id[0]) == NULL) {
        return DN_COAP_NOT_FOUND;
    }
    if (put_head(client, body, &writer) != DUNLIN_OK) {
        return DN_COAP_INTERNAL_ERROR;
    }
    for (uint16_t i = 0; i < client->object_count; i++) {
        if (path.depth == 0 || client->objects[i].def->id == path.id[0]) {
            put_object(client, &client->objects[i], &writer);
        }
    }
    if (dn_links_finish(&writer, &links) != DUNLIN_OK) {
        return DN_COAP_INTERNAL_ERROR;
    }
    reply->payload = dunlin_slice_make(body->data, body->len + links.len);
    reply->content_format = DN_FORMAT_LINK;
    return DN_COAP_CONTENT;
}
