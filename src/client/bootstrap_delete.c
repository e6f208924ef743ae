/* SPDX-License-Identifier: Apache-2.0 */
/* Bootstrap-Delete, and what it spares: the bootstrap server's account and what the device itself is made of (Core 1.1.1 section 6.1.7.5). */
#include "client/bootstrap_serve.h"

#include "client/bootstrap_remove.h"
#include "client/operation.h"
#include "client/tree.h"

/* The bootstrap server's account: its instance of Object 0, and of Object 21 if it has one. */
static bool is_bootstrap_account(const dunlin_client *client, dunlin_path path)
{
    const dn_object_slot *slot =
        &client->objects[DN_SECURITY_OBJECT]; /* ids ascend, and Object 0 comes with the client */
    uint16_t index = 0;
    for (uint16_t id = 0; (id = dn_client_tree_next(slot, id, &index)) != DUNLIN_ID_NONE; id++) {
        if (client->securities[index].bootstrap &&
            ((path.id[0] == DN_SECURITY_OBJECT && path.id[1] == id) ||
             (path.id[0] == DN_OSCORE_OBJECT &&
              path.id[1] == dn_client_bootstrap_oscore_of(client, index)))) {
            return true;
        }
    }
    return false;
}

static bool is_spared(const dn_place *instance)
{
    return !dn_client_bootstrap_removes(instance->object->def) ||
           is_bootstrap_account(instance->client, instance->path);
}

static void remove(const dn_place *instance)
{
    if (instance->path.id[0] == DN_SECURITY_OBJECT) {
        dn_client_bootstrap_remove_security(instance);
    } else {
        dn_client_bootstrap_remove(instance);
    }
}

/* Removing one may take others along. */
static void remove_all(dunlin_client *client, const dn_object_slot *slot)
{
    dn_place place;
    uint16_t index = 0;
    for (uint16_t id = 0; (id = dn_client_tree_next(slot, id, &index)) != DUNLIN_ID_NONE; id++) {
        if (dn_client_tree_find(client, dunlin_path_instance(slot->def->id, id), true, &place) == DUNLIN_OK &&
            !is_spared(&place)) {
            remove(&place);
        }
    }
}

/* What is not there need not be deleted: whoever asks for it gets what it wants. */
uint8_t dn_client_bootstrap_delete(dunlin_client *client, dunlin_path path)
{
    dn_place place;
    if (path.depth > 2) {
        return DN_COAP_BAD_REQUEST;
    }
    if (path.depth < 2) {
        for (uint16_t i = 0; i < client->object_count; i++) {
            if (path.depth == 0 || client->objects[i].def->id == path.id[0]) {
                remove_all(client, &client->objects[i]);
            }
        }
    } else if (dn_client_tree_find(client, path, true, &place) == DUNLIN_OK) {
        if (is_spared(&place)) {
            return DN_COAP_BAD_REQUEST;
        }
        remove(&place);
    }
    const dunlin_client_event event = {
        .kind = DUNLIN_CLIENT_CHANGED, .server = DUNLIN_BOOTSTRAP_SERVER, .path = path};
    dn_client_tell(client, &event);
    return DN_COAP_DELETED;
}
