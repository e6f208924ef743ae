/* SPDX-License-Identifier: Apache-2.0 */
/* Adding accounts as the application wants them. */
#include "client/access.h"
#include "client/account.h"
#include "client/bootstrap.h"
#include "client/bootstrap_account.h"
#include "client/image.h"
#include "client/objects.h"
#include "client/security.h"
#include "client/tree.h"
#include "client/uri.h"
#include "client/way.h"
#include <string.h>

enum { SHORT_ID = 10, HOLD_OFF, TIMEOUT };

static dunlin_status values_check(const dunlin_server *server)
{
    const char *uri = memchr(server->uri, 0, sizeof server->uri);
    if (uri == NULL || uri == server->uri || memchr(server->binding, 0, sizeof server->binding) == NULL ||
        server->policy.retry_count == 0 || server->policy.sequence_count == 0 || server->lifetime_s < 0 ||
        server->pmin_s < 0 || server->pmax_s < 0 || server->disable_s < 0) {
        return DUNLIN_ERR_ARGUMENT;
    }
    return server->instance >= (int32_t)DUNLIN_ID_NONE ? DUNLIN_ERR_RANGE : DUNLIN_OK;
}

static dn_object_slot *security_slot(dunlin_client *client)
{
    return dn_client_tree_object(client, dn_client_object_security.id);
}

static dn_object_slot *server_slot(dunlin_client *client)
{
    return dn_client_tree_object(client, dn_client_object_server.id);
}

/* The bootstrap server has one account at most, beside those of the others. */
static dunlin_status bootstrap_check(dunlin_client *client)
{
    if (!client->config.bootstrap) {
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_client_bootstrap_account_find(client);
    return dn_client_bootstrap_account_there(client) ? DUNLIN_ERR_DUPLICATE : DUNLIN_OK;
}

static dunlin_status account_check(dunlin_client *client, const dunlin_server *server)
{
    if (!dn_client_ssid_valid(server->ssid)) {
        return DUNLIN_ERR_RANGE;
    }
    if (dn_client_server_of(client, server->ssid) != NULL ||
        dn_client_security_of(client, server->ssid) != NULL) {
        return DUNLIN_ERR_DUPLICATE;
    }
    if (dn_client_bootstrap_active(client)) {
        return DUNLIN_ERR_STATE;
    }
    if (client->account_count >= client->config.servers) {
        return DUNLIN_ERR_LIMIT;
    }
    return client->account_count > 0 && !dn_client_access_controlled(client) ? DUNLIN_ERR_STATE : DUNLIN_OK;
}

static dunlin_status server_check(dunlin_client *client, const dunlin_server *server)
{
    dn_transport transport;
    dunlin_status status = values_check(server);
    if (status == DUNLIN_OK) {
        status = server->bootstrap ? bootstrap_check(client) : account_check(client, server);
    }
    if (status == DUNLIN_OK && server->instance >= 0 &&
        dn_client_tree_instance(security_slot(client), (uint16_t)server->instance) != DN_NO_INDEX) {
        status = DUNLIN_ERR_DUPLICATE;
    }
    if (status != DUNLIN_OK) {
        return status;
    }
    if (server->bootstrap && server->security.mode == DUNLIN_EST) { /* nobody could issue its certificate */
        return DUNLIN_ERR_UNSUPPORTED;
    }
    status = dn_client_security_check(&client->config, &server->security);
    if (status != DUNLIN_OK || dn_client_uri_transport(server->uri, &transport) != DUNLIN_OK) {
        return status; /* a scheme that nobody knows fails when it comes to registering */
    }
    return dn_client_security_fits(&server->security, transport);
}

static uint16_t free_id(const dn_object_slot *slot)
{
    uint16_t id = 0;
    while (dn_client_tree_instance(slot, id) != DN_NO_INDEX) {
        id++;
    }
    return id;
}

static void present_if(const dn_object_slot *slot, uint16_t index, uint16_t resource, bool present)
{
    dn_client_tree_set_present(slot, index, dn_client_tree_resource(slot->def, resource), present);
}

static dunlin_status add_security(dunlin_client *client, const dunlin_server *server, uint16_t *id)
{
    dn_object_slot *slot = security_slot(client);
    uint16_t index = 0;
    *id = server->instance >= 0 ? (uint16_t)server->instance : free_id(slot);
    const dunlin_status status = dn_client_tree_add(slot, *id, &index);
    if (status != DUNLIN_OK) {
        return status;
    }
    dn_security_instance *security = &client->securities[index];
    memset(security, 0, sizeof *security);
    memcpy(security->uri, server->uri, sizeof security->uri);
    security->bootstrap = server->bootstrap;
    security->ssid = server->bootstrap ? 0 : server->ssid;
    security->hold_off_s = server->hold_off_s;
    security->timeout_s = server->account_timeout_s;
    dn_client_security_keep(client, security, &server->security);
    present_if(slot, index, SHORT_ID, !server->bootstrap);
    present_if(slot, index, HOLD_OFF, server->bootstrap && server->hold_off_s > 0);
    present_if(slot, index, TIMEOUT, server->bootstrap && server->account_timeout_s > 0);
    return DUNLIN_OK;
}

static dunlin_status add_bootstrap(dunlin_client *client, const dunlin_server *server)
{
    uint16_t id = 0;
    const dunlin_status status = add_security(client, server, &id);
    if (status == DUNLIN_OK) {
        client->bootstrap.bounded = server->bounded;
        client->bootstrap.policy = server->policy;
        dn_client_bootstrap_account_find(client);
    }
    return status;
}

static dn_server_instance values_of(const dunlin_server *server)
{
    dn_server_instance values = {
        .ssid = server->ssid,
        .lifetime_s = server->lifetime_s,
        .pmin_s = server->pmin_s,
        .pmax_s = server->pmax_s,
        .disable_s = server->disable_s,
        .store_notifications = server->store_notifications,
        .binding_chosen = true,
        .trigger = server->trigger,
        .mute_send = server->mute_send,
        .policy = server->policy,
    };
    memcpy(values.binding, server->binding, sizeof values.binding);
    memcpy(values.preferred_transport, server->preferred_transport, sizeof values.preferred_transport);
    return values;
}

/* A binding that was left at its default is that of the URI; in LwM2M 1.0 it tells of queue mode too. */
static void default_binding(const dunlin_client_config *config, const char *uri, dn_server_instance *server)
{
    dn_transport transport = DN_TRANSPORT_UDP;
    (void)dn_client_uri_transport(uri, &transport);
    if (strcmp(server->binding, "U") != 0) {
        return;
    }
    if (dn_transport_is_stream(transport)) {
        server->binding[0] = dn_client_way_letter(transport);
    } else if (config->queue_mode && config->lwm2m == DUNLIN_LWM2M_1_0) {
        memcpy(server->binding, "UQ", sizeof "UQ");
    }
}

static dunlin_status add_account(dunlin_client *client, const dunlin_server *server)
{
    dn_object_slot *slot = server_slot(client);
    uint16_t security_id = 0;
    uint16_t index = 0;
    dunlin_status status = add_security(client, server, &security_id);
    if (status != DUNLIN_OK) {
        return status;
    }
    status = dn_client_tree_add(slot, free_id(slot), &index);
    if (status != DUNLIN_OK) {
        (void)dunlin_client_remove_instance(client, dn_client_object_security.id, security_id);
        return status;
    }
    client->servers[index] = values_of(server);
    default_binding(&client->config, server->uri, &client->servers[index]);
    dn_client_object_server_present(client, &client->servers[index]);
    dn_client_account_pair(client, &client->servers[index]);
    return DUNLIN_OK;
}

dunlin_status dunlin_client_add_server(dunlin_client *client, const dunlin_server *server)
{
    dunlin_status status = server_check(client, server);
    if (status == DUNLIN_OK) {
        status = server->bootstrap ? add_bootstrap(client, server) : add_account(client, server);
    }
    if (status == DUNLIN_OK) {
        dn_client_image_touch(client);
    }
    return status;
}
