/* SPDX-License-Identifier: Apache-2.0 */
/* The link list of a registration. */
#include "client/links.h"

#include "client/tree.h"
#include "model/object.h"

/* The versions of LwM2M that this client can announce. */
static const dn_version lwm2m_1_0 = {1, 0};
static const dn_version lwm2m_1_1 = {1, 1};

static bool is_1_0(const dunlin_client *client)
{
    return client->config.lwm2m == DUNLIN_LWM2M_1_0;
}

void dn_client_links_version(const dunlin_client *client, const dunlin_object *def, dn_link_writer *writer)
{
    const dn_version version = {def->major, def->minor};
    const dn_version implied = dn_version_implied(def->id, is_1_0(client) ? lwm2m_1_0 : lwm2m_1_1);
    char text[8];
    dunlin_buf buf = dunlin_buf_make(text, sizeof text);
    if (version.major == 0 || dn_version_compare(version, implied) == 0) {
        return;
    }
    const uint8_t numbers[] = {version.major, version.minor};
    for (size_t i = 0; i < 2; i++) {
        if (i > 0) {
            (void)dunlin_buf_append(&buf, dunlin_slice_of("."));
        }
        for (unsigned unit = numbers[i] >= 100 ? 100 : numbers[i] >= 10 ? 10 : 1; unit > 0; unit /= 10) {
            const uint8_t digit = (uint8_t)('0' + numbers[i] / unit % 10);
            (void)dunlin_buf_append(&buf, dunlin_slice_make(&digit, 1));
        }
    }
    /* 1.0 prints it quoted, 1.1 unquoted; readers are to take both. */
    dn_link_put_text(writer, "ver", dunlin_buf_view(&buf), is_1_0(client));
}

/* What stands before the paths: the alternate path, if there is one (Core 1.1.1 section 6.2.1). */
static dunlin_slice root_of(const dunlin_client *client)
{
    const char *root = client->config.root_path;
    return dunlin_slice_of(root[0] == '\0' ? "/" : root);
}

/* An Object without instances is listed itself; with instances only if its version must be said. */
static void put_object(dunlin_client *client, const dn_object_slot *object, dn_link_writer *writer)
{
    const dunlin_object *def = object->def;
    const dn_version implied = dn_version_implied(def->id, is_1_0(client) ? lwm2m_1_0 : lwm2m_1_1);
    const dn_version version = {def->major, def->minor};
    const bool versioned = version.major != 0 && dn_version_compare(version, implied) != 0;
    uint16_t index = 0;
    uint16_t id = dn_client_tree_next(object, 0, &index);
    if (id == DUNLIN_ID_NONE || versioned) {
        dn_link_put(writer, root_of(client), dunlin_path_object(def->id));
        dn_client_links_version(client, def, writer);
    }
    for (; id != DUNLIN_ID_NONE; id = dn_client_tree_next(object, (uint32_t)id + 1, &index)) {
        dn_link_put(writer, root_of(client), dunlin_path_instance(def->id, id));
    }
}

dunlin_status dn_client_links_list(dunlin_client *client, dunlin_buf out, dunlin_slice *payload)
{
    dn_link_writer writer;
    dn_links_write(&writer, out);
    /* `ct` tells the server which formats it can use without trying (Core 1.1.1 section 6.2.1). */
    dn_link_put_target(&writer, client->config.root_path[0] == '\0' ? "/" : client->config.root_path);
    dn_link_put_text(&writer, "rt", dunlin_slice_of("oma.lwm2m"), true);
    if (is_1_0(client)) {
        dn_link_put_number(&writer, "ct", 11543);
    } else {
        dn_link_put_text(&writer, "ct", dunlin_slice_of("60 110 112 11542"), true);
    }
    for (uint16_t i = 0; i < client->object_count; i++) {
        if ((client->objects[i].def->flags & DUNLIN_HIDDEN) == 0) {
            put_object(client, &client->objects[i], &writer);
        }
    }
    return dn_links_finish(&writer, payload);
}
