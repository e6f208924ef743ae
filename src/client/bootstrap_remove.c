/* SPDX-License-Identifier: Apache-2.0 */
/* Instances that go, and what an account leaves behind when it goes. */
#include "client/bootstrap_remove.h"

#include "client/access.h"
#include "client/attributes.h"
#include "client/bootstrap_operation.h"
#include "client/observe.h"
#include "client/operation.h"
#include "client/registration.h"
#include "client/resource.h"
#include "client/stream.h"
#include "client/tree.h"
#include <string.h>

#define SERVER_OBJECT 1u
#define ACCESS_OBJECT 2u
#define SSID          10u /* /0/x/10 */
#define OSCORE        17u /* /0/x/17 */
#define INSTANCE_RIGHTS \
    (DUNLIN_ACCESS_READ | DUNLIN_ACCESS_WRITE | DUNLIN_ACCESS_EXECUTE | DUNLIN_ACCESS_DELETE)

bool dn_client_bootstrap_removes(const dunlin_object *def)
{
    return def->id == DN_SECURITY_OBJECT || def->id == SERVER_OBJECT || def->id == ACCESS_OBJECT ||
           def->id == DN_OSCORE_OBJECT || (def->flags & (DUNLIN_DYNAMIC | DUNLIN_KEEP)) != 0;
}

/* Made anew by a bootstrap server, it would not be the card's any more. */
static void forget_card(dunlin_client *client, dunlin_path path)
{
    dn_card *card = &client->card;
    for (uint16_t i = 0; i < card->count; i++) {
        if (card->given[i].object == path.id[0] && card->given[i].instance == path.id[1]) {
            card->given[i] = card->given[--card->count];
            return;
        }
    }
}

static void remove_instance(const dn_place *instance)
{
    dunlin_client *client = instance->client;
    dn_client_attributes_drop(client, instance->path);
    dn_client_stream_gone(client, instance->path);
    if (instance->object->def->removed != NULL) {
        const dunlin_call call = dn_client_resource_call(instance);
        instance->object->def->removed(&call);
    }
    dn_client_tree_remove(dn_client_tree_object(client, instance->path.id[0]), instance->index);
    forget_card(client, instance->path);
    dn_client_observe_changed(client, instance->path);
    dn_client_registration_want_all(client, DN_WANT_LIST);
}

/* The instance of Object 2 about another one. */
static bool find_access(dunlin_client *client, dunlin_path about, dn_place *place)
{
    uint16_t index = 0;
    dn_object_slot *slot =
        dn_client_access_controlled(client) ? dn_client_tree_object(client, ACCESS_OBJECT) : NULL;
    for (uint16_t id = 0; slot != NULL && (id = dn_client_tree_next(slot, id, &index)) != DUNLIN_ID_NONE;
         id++) {
        const dunlin_access *access = dn_client_tree_structure(slot, index);
        if (access->object == about.id[0] && access->instance == about.id[1]) {
            return dn_client_tree_find(client, dunlin_path_instance(ACCESS_OBJECT, id), true, place) ==
                   DUNLIN_OK;
        }
    }
    return false;
}

void dn_client_bootstrap_remove(const dn_place *instance)
{
    dn_place access;
    remove_instance(instance);
    if (find_access(instance->client, instance->path, &access)) {
        remove_instance(&access);
    }
}

/* ---- accounts ---- */

uint16_t dn_client_bootstrap_oscore_of(const dunlin_client *client, uint16_t index)
{
    const dn_object_slot *slot =
        &client->objects[DN_SECURITY_OBJECT]; /* ids ascend, and Object 0 comes with the client */
    const dunlin_resource *row = dn_client_tree_resource(slot->def, OSCORE);
    if (row == NULL || !dn_client_tree_present(slot, index, row)) {
        return DUNLIN_ID_NONE;
    }
    dunlin_objlnk link;
    memcpy(&link, (const uint8_t *)dn_client_tree_structure(slot, index) + row->offset, sizeof link);
    return link.object == DN_OSCORE_OBJECT ? link.instance : (uint16_t)DUNLIN_ID_NONE;
}

int32_t dn_client_bootstrap_ssid_of(const dunlin_client *client, uint16_t index)
{
    const dn_object_slot *slot = &client->objects[DN_SECURITY_OBJECT];
    const dunlin_resource *row = dn_client_tree_resource(slot->def, SSID);
    const dn_security_instance *security = &client->securities[index];
    return security->bootstrap || !dn_client_tree_present(slot, index, row) ? 0 : security->ssid;
}

static bool has_security(const dunlin_client *client, int32_t ssid)
{
    uint16_t index = 0;
    const dn_object_slot *slot = &client->objects[DN_SECURITY_OBJECT];
    for (uint16_t id = 0; (id = dn_client_tree_next(slot, id, &index)) != DUNLIN_ID_NONE; id++) {
        if (dn_client_bootstrap_ssid_of(client, index) == ssid) {
            return true;
        }
    }
    return false;
}

/* ---- unbootstrapping ---- */

static bool has_entry(const dunlin_access *access, uint16_t server, uint16_t *at)
{
    for (uint16_t i = 0; i < access->rights.count; i++) {
        if (access->rights.id[i] == server) {
            *at = i;
            return true;
        }
    }
    return false;
}

static uint16_t rights_of(const dunlin_access *access, uint16_t server)
{
    uint16_t at = 0;
    if (has_entry(access, server, &at) || has_entry(access, DUNLIN_ACCESS_DEFAULT, &at)) {
        return access->rights.value[at] & INSTANCE_RIGHTS;
    }
    return 0;
}

static unsigned weight_of(uint16_t rights)
{
    return ((rights & DUNLIN_ACCESS_WRITE) != 0 ? 1u : 0u) + ((rights & DUNLIN_ACCESS_DELETE) != 0 ? 1u : 0u);
}

/* Who of the servers that are left may do most with it, by the sum of Write and Delete; 0: none may do anything. An
   instance of Object 1 stays that of its own server. */
static uint16_t choose_heir(const dunlin_client *client, const dunlin_access *access)
{
    uint16_t heir = 0;
    unsigned most = 0;
    uint16_t index = 0;
    const dn_object_slot *slot = &client->objects[SERVER_OBJECT];
    for (uint16_t id = 0; (id = dn_client_tree_next(slot, id, &index)) != DUNLIN_ID_NONE; id++) {
        const uint16_t server = (uint16_t)client->servers[index].ssid;
        const uint16_t rights = rights_of(access, server);
        if (access->object == SERVER_OBJECT && access->instance == id) {
            return server;
        }
        if (rights != 0 && (heir == 0 || weight_of(rights) > most)) {
            heir = server;
            most = weight_of(rights);
        }
    }
    return heir;
}

static void drop_entry(dunlin_access *access, uint16_t server)
{
    uint16_t at = 0;
    if (!has_entry(access, server, &at)) {
        return;
    }
    access->rights.count--;
    for (; at < access->rights.count; at++) {
        access->rights.id[at] = access->rights.id[at + 1];
        access->rights.value[at] = access->rights.value[at + 1];
    }
}

/* What nobody else could reach goes, if it is something that comes and goes. */
static void remove_orphan(dunlin_client *client, const dn_place *access, dunlin_path about)
{
    dn_place orphan;
    if (dn_client_tree_find(client, about, true, &orphan) == DUNLIN_OK &&
        dn_client_bootstrap_removes(orphan.object->def)) {
        dn_client_bootstrap_remove(&orphan);
    } else {
        remove_instance(access);
    }
}

/* One instance of Object 2. False: it, and perhaps others, are gone. */
static bool release(dunlin_client *client, const dn_place *place, uint16_t ssid)
{
    dunlin_access *access = dn_client_tree_structure(place->object, place->index);
    drop_entry(access, ssid);
    dn_client_observe_changed(client, place->path);
    if (access->owner != ssid) {
        return true;
    }
    const uint16_t heir = choose_heir(client, access);
    if (heir != 0) {
        access->owner = heir;
        return true;
    }
    if (access->instance == DUNLIN_ID_NONE) {
        access->owner = DUNLIN_ACCESS_OWNER_BOOTSTRAP; /* about an Object, which stays */
        return true;
    }
    remove_orphan(client, place, dunlin_path_instance(access->object, access->instance));
    return false;
}

static void release_all(dunlin_client *client, uint16_t ssid)
{
    dn_place place;
    uint16_t index = 0;
    const dn_object_slot *slot =
        dn_client_access_controlled(client) ? dn_client_tree_object(client, ACCESS_OBJECT) : NULL;
    uint16_t id = 0;
    while (slot != NULL && (id = dn_client_tree_next(slot, id, &index)) != DUNLIN_ID_NONE) {
        if (dn_client_tree_find(client, dunlin_path_instance(ACCESS_OBJECT, id), true, &place) == DUNLIN_OK) {
            (void)release(client, &place, ssid);
        }
        id++;
    }
}

/* Takes the account of `ssid` away from Objects 1 and 2 and others after its Security instance has gone (Transport 1.1.1 section 5.2.5). */
static void unbootstrap(dunlin_client *client, uint16_t ssid)
{
    dn_place server;
    uint16_t index = 0;
    const dn_object_slot *slot = dn_client_tree_object(client, SERVER_OBJECT);
    for (uint16_t id = 0; (id = dn_client_tree_next(slot, id, &index)) != DUNLIN_ID_NONE; id++) {
        if (client->servers[index].ssid == ssid &&
            dn_client_tree_find(client, dunlin_path_instance(SERVER_OBJECT, id), true, &server) ==
                DUNLIN_OK) {
            dn_client_bootstrap_remove(&server);
        }
    }
    release_all(client, ssid);
    dn_client_attributes_forget(client, ssid);
}

void dn_client_bootstrap_remove_security(const dn_place *instance)
{
    dunlin_client *client = instance->client;
    const int32_t ssid = dn_client_bootstrap_ssid_of(client, instance->index);
    dn_client_bootstrap_remove(instance);
    if (ssid > 0 && ssid < (int32_t)DUNLIN_ID_NONE && !has_security(client, ssid)) {
        unbootstrap(client, (uint16_t)ssid);
    }
}
