/* SPDX-License-Identifier: Apache-2.0 */
/* Pairing instances of Objects 0 and 1, and adding them as the application wants them. */
#include "client/account.h"

#include "client/access.h"
#include "client/attributes.h"
#include "client/image.h"
#include "client/objects.h"
#include "client/registration.h"
#include "client/security.h"
#include "client/tree.h"
#include "client/uri.h"
#include "client/way.h"
#include <string.h>

enum { PRIORITY = 13, DELAY, BLOCKS, BOOTSTRAPS, RETRY_COUNT, RETRY_TIMER, SEQUENCE_DELAY, SEQUENCE_COUNT };

#define HASH_START 0xcbf29ce484222325u /* FNV-1a, 64 bit */
#define HASH_PRIME 0x100000001b3u

uint16_t dn_client_securities_max(const dunlin_client_config *config)
{
    return (uint16_t)(config->servers + (config->bootstrap ? 1 : 0));
}

/* ---- what there is ---- */

static const dn_object_slot *security_slot(const dunlin_client *client)
{
    return &client->objects[0]; /* ids ascend, and Objects 0 and 1 come with the client */
}

static const dn_object_slot *server_slot(const dunlin_client *client)
{
    return &client->objects[1];
}

dn_account *dn_client_account_next(const dunlin_client *client, const dn_account *after)
{
    const size_t from = after == NULL ? 0 : (size_t)(after - client->accounts) + 1;
    for (size_t i = from; i < client->config.servers; i++) {
        if (client->accounts[i].server != NULL) {
            return &client->accounts[i];
        }
    }
    return NULL;
}

dn_account *dn_client_account(dunlin_client *client, uint16_t server)
{
    dn_account *account = NULL;
    do {
        account = dn_client_account_next(client, account);
    } while (account != NULL && account->ssid != server);
    return account;
}

dn_account *dn_client_account_of(const dunlin_client *client, const dn_server_instance *server)
{
    dn_account *account = NULL;
    do {
        account = dn_client_account_next(client, account);
    } while (account != NULL && account->server != server);
    return account;
}

uint16_t dn_client_account_instance(const dn_account *account)
{
    const dunlin_client *client = account->client;
    return account->server == NULL ? DUNLIN_ID_NONE
                                   : server_slot(client)->ids[account->server - client->servers];
}

/* 1: instantiated, 0: not, -1: there is no such resource. */
static int presence(const dn_account *account, uint16_t resource)
{
    const dunlin_client *client = account->client;
    const dn_object_slot *slot = server_slot(client);
    const dunlin_resource *row = dn_client_tree_resource(slot->def, resource);
    if (row == NULL || account->server == NULL) {
        return -1;
    }
    return dn_client_tree_present(slot, (uint16_t)(account->server - client->servers), row) ? 1 : 0;
}

bool dn_client_account_has(const dn_account *account, uint16_t resource)
{
    return presence(account, resource) == 1;
}

/* LwM2M 1.0 does not have these resources: what the application has configured holds there. */
dunlin_registration_policy dn_client_account_policy(const dn_account *account)
{
    dunlin_registration_policy policy = dunlin_server_default().policy;
    const dunlin_registration_policy *set = account->server == NULL ? &policy : &account->server->policy;
    policy.priority = presence(account, PRIORITY) != 0 ? set->priority : policy.priority;
    policy.initial_delay_s = presence(account, DELAY) != 0 ? set->initial_delay_s : policy.initial_delay_s;
    policy.failure_blocks = presence(account, BLOCKS) != 0 ? set->failure_blocks : policy.failure_blocks;
    policy.failure_bootstraps =
        presence(account, BOOTSTRAPS) != 0 ? set->failure_bootstraps : policy.failure_bootstraps;
    policy.retry_count = presence(account, RETRY_COUNT) != 0 ? set->retry_count : policy.retry_count;
    policy.retry_timer_s = presence(account, RETRY_TIMER) != 0 ? set->retry_timer_s : policy.retry_timer_s;
    policy.sequence_delay_s =
        presence(account, SEQUENCE_DELAY) != 0 ? set->sequence_delay_s : policy.sequence_delay_s;
    policy.sequence_count =
        presence(account, SEQUENCE_COUNT) != 0 ? set->sequence_count : policy.sequence_count;
    return policy;
}

/* ---- pairing ---- */

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *byte = bytes;
    hash = (hash ^ len) * HASH_PRIME;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ byte[i]) * HASH_PRIME;
    }
    return hash;
}

/* Tells a server at one place with some credentials from the same one at another place or with others. */
static uint64_t identity_of(const dunlin_client *client, const dn_security_instance *instance)
{
    dunlin_security security;
    dn_client_security_view(client, instance, &security);
    const dunlin_slice parts[] = {security.identity, security.server_key, security.secret};
    const int16_t numbers[] = {(int16_t)security.mode, security.matching, security.usage};
    uint64_t hash = mix(HASH_START, instance->uri, strlen(instance->uri));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        hash = mix(hash, parts[i].data, parts[i].len);
    }
    hash = mix(hash, numbers, sizeof numbers);
    return mix(hash, security.sni, strlen(security.sni));
}

static bool ssid_valid(int32_t ssid)
{
    return ssid >= 1 && ssid < (int32_t)DUNLIN_ID_NONE;
}

static dn_security_instance *security_of(const dunlin_client *client, int32_t ssid)
{
    const dn_object_slot *slot = security_slot(client);
    for (uint16_t i = 0; i < slot->capacity; i++) {
        dn_security_instance *instance = &client->securities[i];
        if (slot->ids[i] != DUNLIN_ID_NONE && !instance->bootstrap && instance->ssid == ssid) {
            return instance;
        }
    }
    return NULL;
}

static dn_server_instance *server_of(const dunlin_client *client, int32_t ssid)
{
    const dn_object_slot *slot = server_slot(client);
    for (uint16_t i = 0; i < slot->capacity; i++) {
        if (slot->ids[i] != DUNLIN_ID_NONE && client->servers[i].ssid == ssid) {
            return &client->servers[i];
        }
    }
    return NULL;
}

/* Everything of it but its memory for lists. */
static void clear(dunlin_client *client, dn_account *account)
{
    uint8_t *list = account->list;
    memset(account, 0, sizeof *account);
    account->list = list;
    account->client = client;
    account->state = DN_REG_IDLE;
    account->due_ms = DN_NEVER;
}

static void end(dn_account *account)
{
    dunlin_client *client = account->client;
    dn_client_registration_end(account);
    dn_client_attributes_forget(client, account->ssid);
    clear(client, account);
    client->account_count--;
}

static void keep_or_end(dn_account *account)
{
    const dunlin_client *client = account->client;
    dn_security_instance *security = security_of(client, account->ssid);
    dn_server_instance *server = server_of(client, account->ssid);
    if (security == NULL || server == NULL || identity_of(client, security) != account->identity) {
        end(account);
        return;
    }
    account->security = security;
    account->server = server;
}

static void pair(dunlin_client *client, dn_server_instance *server)
{
    dn_security_instance *security = security_of(client, server->ssid);
    for (uint16_t i = 0; security != NULL && i < client->config.servers; i++) {
        dn_account *account = &client->accounts[i];
        if (account->server == NULL) {
            clear(client, account);
            account->security = security;
            account->server = server;
            account->ssid = (uint16_t)server->ssid;
            account->identity = identity_of(client, security);
            client->account_count++;
            return;
        }
    }
}

/* In the order of their ids in Object 1, which is that of accounts with equal priority. */
void dn_client_pair_accounts(dunlin_client *client)
{
    const dn_object_slot *slot = server_slot(client);
    uint16_t index = 0;
    for (dn_account *account = NULL; (account = dn_client_account_next(client, account)) != NULL;) {
        keep_or_end(account);
    }
    for (uint16_t id = 0; (id = dn_client_tree_next(slot, id, &index)) != DUNLIN_ID_NONE; id++) {
        dn_server_instance *server = &client->servers[index];
        if (ssid_valid(server->ssid) && dn_client_account(client, (uint16_t)server->ssid) == NULL) {
            pair(client, server);
        }
    }
}

/* ---- adding ---- */

static dunlin_status values_check(const dunlin_server *server)
{
    const char *uri = memchr(server->uri, 0, sizeof server->uri);
    if (uri == NULL || uri == server->uri || memchr(server->binding, 0, sizeof server->binding) == NULL ||
        server->policy.retry_count == 0 || server->policy.sequence_count == 0 || server->lifetime_s < 0 ||
        server->pmin_s < 0 || server->pmax_s < 0 || server->disable_s < 0) {
        return DUNLIN_ERR_ARGUMENT;
    }
    return ssid_valid(server->ssid) ? DUNLIN_OK : DUNLIN_ERR_RANGE;
}

static dunlin_status server_check(const dunlin_client *client, const dunlin_server *server)
{
    dn_transport transport;
    dunlin_status status = values_check(server);
    if (status != DUNLIN_OK) {
        return status;
    }
    if (server_of(client, server->ssid) != NULL || security_of(client, server->ssid) != NULL) {
        return DUNLIN_ERR_DUPLICATE;
    }
    if (client->account_count >= client->config.servers) {
        return DUNLIN_ERR_LIMIT;
    }
    if (client->account_count > 0 && !dn_client_access_controlled(client)) {
        return DUNLIN_ERR_STATE;
    }
    status = dn_client_security_check(&client->config, &server->security);
    if (status != DUNLIN_OK || dn_client_uri_transport(server->uri, &transport) != DUNLIN_OK) {
        return status; /* a scheme that nobody knows fails when it comes to registering */
    }
    return dn_client_security_fits(&server->security, transport);
}

/* The smallest id that is free in both Objects. */
static uint16_t free_id(const dunlin_client *client)
{
    uint16_t id = 0;
    while (dn_client_tree_instance(security_slot(client), id) != DN_NO_INDEX ||
           dn_client_tree_instance(server_slot(client), id) != DN_NO_INDEX) {
        id++;
    }
    return id;
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

dunlin_status dunlin_client_add_server(dunlin_client *client, const dunlin_server *server)
{
    uint16_t index = 0;
    dunlin_status status = server_check(client, server);
    if (status != DUNLIN_OK) {
        return status;
    }
    const uint16_t id = free_id(client);
    status = dn_client_tree_add(dn_client_tree_object(client, dn_client_object_security.id), id, &index);
    if (status != DUNLIN_OK) {
        return status;
    }
    dn_security_instance *security = &client->securities[index];
    memset(security, 0, sizeof *security);
    memcpy(security->uri, server->uri, sizeof security->uri);
    security->ssid = server->ssid;
    dn_client_security_keep(client, security, &server->security);

    status = dn_client_tree_add(dn_client_tree_object(client, dn_client_object_server.id), id, &index);
    if (status != DUNLIN_OK) {
        (void)dunlin_client_remove_instance(client, dn_client_object_security.id, id);
        return status;
    }
    client->servers[index] = values_of(server);
    default_binding(&client->config, server->uri, &client->servers[index]);
    dn_client_object_server_present(client, &client->servers[index]);
    pair(client, &client->servers[index]);
    dn_client_image_touch(client);
    return DUNLIN_OK;
}
