/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the instances of all Objects make a configuration: asked at Bootstrap-Finish (Core 1.1.1 section 6.1.7.6). */
#include "client/bootstrap_operation.h"

#include "client/access.h"
#include "client/bootstrap_remove.h"
#include "client/operation.h"
#include "client/resource.h"
#include "client/security.h"
#include "client/tree.h"
#include "client/uri.h"

#define SERVER_OBJECT 1u
#define ACCESS_OBJECT 2u

typedef struct {
    dunlin_client *client;
    dn_bootstrap_fault *fault;
    uint16_t accounts; /* complete ones */
} check;

static bool wrong(const check *c, dunlin_path path, const char *why)
{
    c->fault->path = path;
    c->fault->why = why;
    return false;
}

static const dn_object_slot *security_slot(const check *c)
{
    return &c->client->objects[DN_SECURITY_OBJECT]; /* ids ascend, and Objects 0 and 1 come with the client */
}

static const dn_object_slot *server_slot(const check *c)
{
    return &c->client->objects[SERVER_OBJECT];
}

/* ---- any instance ---- */

static bool keeps_value(const dunlin_resource *r)
{
    return r->kept == DUNLIN_KEPT_FIELD || r->kept == DUNLIN_KEPT_LIST;
}

static bool mandatory_there(const check *c, const dn_place *instance)
{
    const dunlin_object *def = instance->object->def;
    for (size_t row = 0; row < def->resource_count; row++) {
        const dunlin_resource *r = &def->resources[row];
        if ((r->flags & DUNLIN_MANDATORY) != 0 && keeps_value(r) &&
            !dn_client_tree_present(instance->object, instance->index, r)) {
            return wrong(c, dunlin_path_child(instance->path, r->id), "a mandatory resource is missing");
        }
    }
    return true;
}

/* The null link is one to nothing; what a field of zeroes would lead to, an instance of Object 0, nobody means. */
static bool leads_somewhere(dunlin_client *client, dunlin_objlnk link)
{
    if (link.object == DUNLIN_ID_NONE || link.object == DN_SECURITY_OBJECT) {
        return true;
    }
    const dn_object_slot *slot = dn_client_tree_object(client, link.object);
    return slot != NULL &&
           (link.instance == DUNLIN_ID_NONE || dn_client_tree_instance(slot, link.instance) != DN_NO_INDEX);
}

/* What only the device sets is its own affair. */
static bool link_valid(const check *c, const dn_place *place)
{
    dunlin_value value;
    const dunlin_resource *r = place->resource;
    if (r == NULL || r->type != DUNLIN_TYPE_OBJLNK || (r->flags & DUNLIN_RW) == DUNLIN_R ||
        dn_client_resource_load(place, &value) != DUNLIN_OK) {
        return true;
    }
    return leads_somewhere(c->client, value.as.link) ? true : wrong(c, place->path, "a link leads nowhere");
}

static bool instances_valid(const check *c)
{
    for (uint16_t i = 0; i < c->client->object_count; i++) {
        dn_walk walk;
        dn_place object;
        const uint16_t id = c->client->objects[i].def->id;
        if (dn_client_tree_find(c->client, dunlin_path_object(id), true, &object) != DUNLIN_OK) {
            continue;
        }
        dn_client_walk_start(&walk, &object);
        while (dn_client_walk_next(&walk)) {
            if (!(walk.at.resource == NULL ? mandatory_there(c, &walk.at) : link_valid(c, &walk.at))) {
                return false;
            }
        }
    }
    return true;
}

/* ---- accounts ---- */

static bool ssid_valid(int32_t ssid)
{
    return ssid >= 1 && ssid < (int32_t)DUNLIN_ID_NONE;
}

static unsigned securities_of(const check *c, int32_t ssid)
{
    unsigned count = 0;
    uint16_t index = 0;
    for (uint16_t id = 0; (id = dn_client_tree_next(security_slot(c), id, &index)) != DUNLIN_ID_NONE; id++) {
        count += dn_client_bootstrap_ssid_of(c->client, index) == ssid ? 1 : 0;
    }
    return count;
}

static unsigned servers_of(const check *c, int32_t ssid)
{
    unsigned count = 0;
    uint16_t index = 0;
    for (uint16_t id = 0; (id = dn_client_tree_next(server_slot(c), id, &index)) != DUNLIN_ID_NONE; id++) {
        count += c->client->servers[index].ssid == ssid ? 1 : 0;
    }
    return count;
}

/* Where it is, and how to trust it. */
static bool way_valid(const check *c, const dn_security_instance *instance, dunlin_path path)
{
    dn_transport transport;
    dunlin_security security;
    if (dn_client_uri_transport(instance->uri, &transport) != DUNLIN_OK ||
        (dn_transport_is_stream(transport) && c->client->config.stream_message == 0)) {
        return wrong(c, dunlin_path_child(path, 0), "the URI is none that can be reached");
    }
    dn_client_security_view(c->client, instance, &security);
    const dunlin_status status = dn_client_security_check(&c->client->config, &security);
    if (status == DUNLIN_ERR_UNSUPPORTED) {
        return wrong(c, dunlin_path_child(path, 2), "the security mode is not supported");
    }
    if (status != DUNLIN_OK) {
        return wrong(c, path, "the credentials do not go with the security mode");
    }
    if (dn_client_security_fits(&security, transport) != DUNLIN_OK) {
        return wrong(c, dunlin_path_child(path, 2), "the security mode does not go with the URI");
    }
    return true;
}

const char *dn_client_bootstrap_way_fault(dunlin_client *client, const dn_security_instance *instance)
{
    dn_bootstrap_fault fault = {dunlin_path_root(), NULL};
    const check c = {.client = client, .fault = &fault};
    (void)way_valid(&c, instance, dunlin_path_root());
    return fault.why;
}

static bool security_valid(check *c, uint16_t id, uint16_t index)
{
    const dn_security_instance *instance = &c->client->securities[index];
    const dunlin_path path = dunlin_path_instance(DN_SECURITY_OBJECT, id);
    const dunlin_path ssid_path = dunlin_path_child(path, 10);
    if (!way_valid(c, instance, path)) {
        return false;
    }
    if (dn_client_bootstrap_oscore_of(c->client, index) != DUNLIN_ID_NONE) {
        return wrong(c, dunlin_path_child(path, 17), "OSCORE is not supported");
    }
    if (instance->bootstrap) { /* nobody could issue its certificate */
        return instance->security.mode != DUNLIN_EST ||
               wrong(c, dunlin_path_child(path, 2),
                     "the bootstrap server's own account cannot be enrolled for");
    }
    const int32_t ssid = dn_client_bootstrap_ssid_of(c->client, index);
    if (!ssid_valid(ssid)) {
        return wrong(c, ssid_path, "the Short Server ID is missing or out of range");
    }
    if (securities_of(c, ssid) > 1) {
        return wrong(c, ssid_path, "two Security instances have the same Short Server ID");
    }
    if (servers_of(c, ssid) == 0) {
        return wrong(c, ssid_path, "no Server instance has this Short Server ID");
    }
    c->accounts++;
    return true;
}

static bool securities_valid(check *c)
{
    uint16_t index = 0;
    bool bootstrap = false;
    for (uint16_t id = 0; (id = dn_client_tree_next(security_slot(c), id, &index)) != DUNLIN_ID_NONE; id++) {
        if (c->client->securities[index].bootstrap && bootstrap) {
            return wrong(c, dunlin_path_instance(DN_SECURITY_OBJECT, id),
                         "a second bootstrap server's account");
        }
        bootstrap = bootstrap || c->client->securities[index].bootstrap;
        if (!security_valid(c, id, index)) {
            return false;
        }
    }
    return true;
}

static bool servers_valid(const check *c)
{
    uint16_t index = 0;
    for (uint16_t id = 0; (id = dn_client_tree_next(server_slot(c), id, &index)) != DUNLIN_ID_NONE; id++) {
        const dunlin_path path = dunlin_path_resource(SERVER_OBJECT, id, 0);
        const int32_t ssid = c->client->servers[index].ssid;
        if (!ssid_valid(ssid)) {
            return wrong(c, path, "the Short Server ID is missing or out of range");
        }
        if (servers_of(c, ssid) > 1) {
            return wrong(c, path, "two Server instances have the same Short Server ID");
        }
        if (securities_of(c, ssid) == 0) {
            return wrong(c, path, "no Security instance has this Short Server ID");
        }
    }
    return true;
}

/* ---- access control ---- */

static bool target_valid(const check *c, const dunlin_access *access)
{
    const dn_object_slot *slot = dn_client_tree_object(c->client, access->object);
    return slot != NULL && !dn_client_hidden(c->client, access->object) &&
           (access->instance == DUNLIN_ID_NONE ||
            dn_client_tree_instance(slot, access->instance) != DN_NO_INDEX);
}

static bool is_only_one(const dn_object_slot *slot, const dunlin_access *access)
{
    for (uint16_t i = 0; i < slot->capacity; i++) {
        const dunlin_access *other = dn_client_tree_structure(slot, i);
        if (slot->ids[i] != DUNLIN_ID_NONE && other != access && other->object == access->object &&
            other->instance == access->instance) {
            return false;
        }
    }
    return true;
}

static bool access_valid(const check *c)
{
    uint16_t index = 0;
    if (!dn_client_access_controlled(c->client)) {
        return c->accounts < 2
                   ? true
                   : wrong(c, dunlin_path_object(ACCESS_OBJECT), "several servers need access control");
    }
    const dn_object_slot *slot = dn_client_tree_object(c->client, ACCESS_OBJECT);
    for (uint16_t id = 0; (id = dn_client_tree_next(slot, id, &index)) != DUNLIN_ID_NONE; id++) {
        const dunlin_path path = dunlin_path_instance(ACCESS_OBJECT, id);
        const dunlin_access *access = dn_client_tree_structure(slot, index);
        if (!target_valid(c, access)) {
            return wrong(c, path, "the instance that rights are given on is not there");
        }
        if (!is_only_one(slot, access)) {
            return wrong(c, path, "rights on the same instance are given twice");
        }
        if (access->owner != DUNLIN_ACCESS_OWNER_BOOTSTRAP && servers_of(c, access->owner) == 0) {
            return wrong(c, dunlin_path_child(path, 3), "the owner is no server of ours");
        }
    }
    return true;
}

bool dn_client_bootstrap_consistent(dunlin_client *client, dn_bootstrap_fault *fault)
{
    check c = {.client = client, .fault = fault};
    if (!instances_valid(&c) || !securities_valid(&c) || !servers_valid(&c) || !access_valid(&c)) {
        return false;
    }
    return c.accounts > 0 ? true : wrong(&c, dunlin_path_root(), "no server account is complete");
}
