/* SPDX-License-Identifier: Apache-2.0 */
/* Makes an entry for each Object Instance, and for each Object whose instances come and go. */
#include "apps/dunlin/client_access.h"

#include <string.h>

#define SERVER_OBJECT   1
#define ACCESS_OBJECT   2
#define FIRMWARE_OBJECT 5
#define WHOLE_OBJECT    65535u
#define FIRST_SERVER    1
_Static_assert(DUNLIN_SERVERS_MAX <= DUNLIN_ACCESS_ENTRIES_MAX, "an entry has room for each server");
#define SHARED (DUNLIN_ACCESS_READ | DUNLIN_ACCESS_WRITE | DUNLIN_ACCESS_EXECUTE | DUNLIN_ACCESS_DELETE)

static dunlin_access *next(dn_sim_access *access, uint16_t object, uint16_t instance, uint16_t owner)
{
    if (access->count == DN_SIM_ACCESS_MAX) {
        return NULL;
    }
    dunlin_access *entry = &access->entries[access->count++];
    *entry = (dunlin_access){.object = object, .instance = instance, .owner = owner};
    return entry;
}

/* The rights of servers without an entry of their own. */
static void allow(dunlin_access *entry, uint16_t bits)
{
    entry->rights.count = 1;
    entry->rights.id[0] = DUNLIN_ACCESS_DEFAULT;
    entry->rights.value[0] = bits;
}

/* Each server by name: to create is never a right by default. */
static void allow_create(dunlin_access *entry, uint16_t servers)
{
    entry->rights.count = servers;
    for (uint16_t i = 0; i < servers; i++) {
        entry->rights.id[i] = (uint16_t)(FIRST_SERVER + i);
        entry->rights.value[i] = DUNLIN_ACCESS_CREATE;
    }
}

static bool visit(void *context, dunlin_path path, const dunlin_resource *resource, const dunlin_value *value)
{
    dn_sim_access *access = context;
    dunlin_access *entry = NULL;
    (void)resource;
    (void)value;
    if (path.depth == 0 || path.depth > 2 || path.id[0] <= ACCESS_OBJECT) {
        return true;
    }
    if (path.depth == 1) {
        entry = next(access, path.id[0], WHOLE_OBJECT, DUNLIN_ACCESS_OWNER_BOOTSTRAP);
        if (entry != NULL) {
            allow_create(entry, access->servers);
        }
    } else {
        entry = next(access, path.id[0], path.id[1], FIRST_SERVER);
        if (entry != NULL) {
            allow(entry, path.id[0] == FIRMWARE_OBJECT ? DUNLIN_ACCESS_READ : SHARED);
        }
    }
    return entry != NULL;
}

dunlin_status dn_sim_access_add(dunlin_client *client, dn_sim_access *access, uint16_t servers)
{
    access->count = 0;
    access->servers = servers;
    for (uint16_t i = 0; i < servers; i++) {
        (void)next(access, SERVER_OBJECT, i,
                   (uint16_t)(FIRST_SERVER + i)); /* there is room for all servers */
    }
    const dunlin_status status = dunlin_client_walk(client, dunlin_path_root(), visit, access);
    if (status != DUNLIN_OK || access->count == DN_SIM_ACCESS_MAX) {
        return status != DUNLIN_OK ? status : DUNLIN_ERR_LIMIT;
    }
    /* Free structures are for instances that servers create. */
    return dunlin_access_add(client, access->entries, DN_SIM_ACCESS_MAX, access->count);
}
