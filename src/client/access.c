/* SPDX-License-Identifier: Apache-2.0 */
/* Object 2, and the rights that its instances give. */
#include "client/access.h"

#include "client/account.h"
#include "client/bootstrap.h"
#include "client/observe.h"
#include "client/registration.h"
#include "client/remove.h"
#include "client/tree.h"
#include <string.h>

#define ACCESS_OBJECT 2u
#define ON_OBJECT     DUNLIN_ID_NONE /* /2/x/1: the instance is about the Object itself */
#define ALL_BITS      31
#define INSTANCE_BITS \
    (DUNLIN_ACCESS_READ | DUNLIN_ACCESS_WRITE | DUNLIN_ACCESS_EXECUTE | DUNLIN_ACCESS_DELETE)

/* An owner that is no server of ours would leave the instance to nobody. */
static dunlin_status check_owner(const dunlin_call *call, const dunlin_value *value)
{
    if (call->server == DUNLIN_BOOTSTRAP_SERVER || dn_client_bootstrap_active(call->client)) {
        return DUNLIN_OK; /* its account may come later: Finish looks at the whole */
    }
    const bool known = value->as.uinteger == DUNLIN_ACCESS_OWNER_BOOTSTRAP ||
                       dn_client_server_of(call->client, (int32_t)(uint16_t)value->as.uinteger) != NULL;
    return known ? DUNLIN_OK : DUNLIN_ERR_RANGE;
}

/* Short Server IDs and ids are unsigned in their fields, though the Object calls them Integer: a number below
   2^63 is the same in all formats. */
static const dunlin_resource resources[] = {
    {DUNLIN_FIELD(0, UNSIGNED, DUNLIN_R | DUNLIN_MANDATORY, dunlin_access, object)},
    {DUNLIN_FIELD(1, UNSIGNED, DUNLIN_R | DUNLIN_MANDATORY, dunlin_access, instance)},
    {DUNLIN_LIST(2, UNSIGNED, DUNLIN_RW, dunlin_access, rights), .max = ALL_BITS},
    {DUNLIN_FIELD(3, UNSIGNED, DUNLIN_RW | DUNLIN_MANDATORY, dunlin_access, owner), .check = check_owner},
};

/* Not DYNAMIC: its instances come and go with those that they are about, or by a bootstrap. */
static const dunlin_object access_object = {
    .id = ACCESS_OBJECT,
    DUNLIN_TABLE(resources),
    .flags = DUNLIN_MULTIPLE,
    .size = sizeof(dunlin_access),
};

dunlin_status dunlin_access_add(dunlin_client *client, dunlin_access *storage, uint16_t capacity,
                                uint16_t used)
{
    return dunlin_client_add_object(client, &access_object, storage, capacity, used, NULL);
}

static const dn_object_slot *access_slot(const dunlin_client *client)
{
    for (uint16_t i = 0; i < client->object_count; i++) {
        if (client->objects[i].def == &access_object) {
            return &client->objects[i];
        }
    }
    return NULL;
}

bool dn_client_access_controlled(const dunlin_client *client)
{
    return access_slot(client) != NULL;
}

/* The structure about (object, instance), with its own instance id in *id; NULL if there is none. */
static const dunlin_access *find(const dunlin_client *client, uint16_t object, uint16_t instance,
                                 uint16_t *id)
{
    const dn_object_slot *slot = access_slot(client);
    for (uint16_t i = 0; slot != NULL && i < slot->capacity; i++) {
        const dunlin_access *entry = dn_client_tree_structure(slot, i);
        if (slot->ids[i] != DUNLIN_ID_NONE && entry->object == object && entry->instance == instance) {
            *id = slot->ids[i];
            return entry;
        }
    }
    return NULL;
}

static bool entry_of(const dunlin_access *access, uint16_t server, uint16_t *bits)
{
    for (uint16_t i = 0; i < access->rights.count; i++) {
        if (access->rights.id[i] == server) {
            *bits = access->rights.value[i];
            return true;
        }
    }
    return false;
}

/* Core 1.1.1 section 8.2.1: an entry of one's own first; the owner needs none; the default is for the others.
   To Create is never given by default. */
static uint8_t rights_by(const dunlin_access *access, uint16_t server)
{
    uint16_t bits = 0;
    if (access->instance == ON_OBJECT) {
        return entry_of(access, server, &bits) ? (uint8_t)(bits & DUNLIN_ACCESS_CREATE) : 0;
    }
    if (!entry_of(access, server, &bits)) {
        if (access->owner == server) {
            return INSTANCE_BITS;
        }
        (void)entry_of(access, DUNLIN_ACCESS_DEFAULT, &bits);
    }
    return (uint8_t)(bits & INSTANCE_BITS);
}

/* An instance of Object 2 itself, if none is about it: its owner manages it, anybody may know the rights. */
static uint8_t rights_on_access(const dunlin_client *client, uint16_t server, uint16_t instance)
{
    const dn_object_slot *slot = access_slot(client);
    const uint16_t index = instance == ON_OBJECT ? DN_NO_INDEX : dn_client_tree_instance(slot, instance);
    if (index == DN_NO_INDEX) {
        return 0;
    }
    const dunlin_access *access = dn_client_tree_structure(slot, index);
    return access->owner == server ? DUNLIN_ACCESS_READ | DUNLIN_ACCESS_WRITE : DUNLIN_ACCESS_READ;
}

uint8_t dunlin_access_rights(const dunlin_client *client, uint16_t server, uint16_t object, uint16_t instance)
{
    uint16_t id = 0;
    const dunlin_access *access = find(client, object, instance, &id);
    if (access != NULL) {
        return rights_by(access, server);
    }
    if (object == ACCESS_OBJECT && access_slot(client) != NULL) {
        return rights_on_access(client, server, instance);
    }
    if (client->account_count > 1) {
        return 0;
    }
    return instance == ON_OBJECT ? DUNLIN_ACCESS_CREATE : INSTANCE_BITS;
}

bool dn_client_access_may(const dunlin_client *client, uint16_t server, dunlin_path path, uint8_t bits)
{
    if (server == 0) {
        return true;
    }
    if (path.depth < 2) {
        return bits == DUNLIN_ACCESS_READ ||
               (path.depth == 1 && bits == DUNLIN_ACCESS_CREATE &&
                (dunlin_access_rights(client, server, path.id[0], ON_OBJECT) & bits) != 0);
    }
    return (dunlin_access_rights(client, server, path.id[0], path.id[1]) & bits) == bits;
}

dunlin_status dn_client_access_created(dunlin_client *client, uint16_t server, dunlin_path instance)
{
    dn_object_slot *slot = dn_client_tree_object(client, ACCESS_OBJECT);
    uint16_t index = 0;
    uint16_t id = 0;
    if (!dn_client_access_controlled(client) || client->account_count < 2) {
        return DUNLIN_OK;
    }
    while (dn_client_tree_instance(slot, id) != DN_NO_INDEX) {
        id++;
    }
    const dunlin_status status = dn_client_tree_add(slot, id, &index);
    if (status != DUNLIN_OK) {
        return status;
    }
    dunlin_access *access = dn_client_tree_structure(slot, index);
    memset(access, 0, sizeof *access);
    access->object = instance.id[0];
    access->instance = instance.id[1];
    access->owner = server;
    dn_client_observe_changed(client, dunlin_path_instance(ACCESS_OBJECT, id));
    dn_client_registration_want_all(client, DN_WANT_LIST);
    return DUNLIN_OK;
}

bool dn_client_access_of(const dunlin_client *client, dunlin_path instance, const dn_object_slot **slot,
                         uint16_t *index)
{
    uint16_t id = 0;
    if (find(client, instance.id[0], instance.id[1], &id) == NULL) {
        return false;
    }
    *slot = access_slot(client);
    *index = dn_client_tree_instance(*slot, id);
    return true;
}

void dn_client_access_removed(dunlin_client *client, dunlin_path instance)
{
    uint16_t id = 0;
    dn_place place;
    if (find(client, instance.id[0], instance.id[1], &id) != NULL &&
        dn_client_tree_find(client, dunlin_path_instance(ACCESS_OBJECT, id), true, &place) == DUNLIN_OK) {
        dn_client_remove_instance(&place);
    }
}
