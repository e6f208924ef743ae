/* SPDX-License-Identifier: Apache-2.0 */
/* Pairing instances of Objects 0 and 1. */
#include "client/account.h"

#include "client/attributes.h"
#include "client/bootstrap_account.h"
#include "client/registration.h"
#include "client/security.h"
#include "client/tree.h"
#include <string.h>

enum {
    LAST_BOOTSTRAPPED = 12,
    PRIORITY,
    DELAY,
    BLOCKS,
    BOOTSTRAPS,
    RETRY_COUNT,
    RETRY_TIMER,
    SEQUENCE_DELAY,
    SEQUENCE_COUNT
};

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

bool dn_client_ssid_valid(int32_t ssid)
{
    return ssid >= 1 && ssid < (int32_t)DUNLIN_ID_NONE;
}

dn_security_instance *dn_client_security_of(const dunlin_client *client, int32_t ssid)
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

dn_server_instance *dn_client_server_of(const dunlin_client *client, int32_t ssid)
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

bool dn_client_account_stands(const dn_account *account)
{
    const dunlin_client *client = account->client;
    const dn_security_instance *security = dn_client_security_of(client, account->ssid);
    return security != NULL && dn_client_server_of(client, account->ssid) != NULL &&
           dn_client_security_identity(client, security) == account->identity;
}

static void keep_or_end(dn_account *account)
{
    const dunlin_client *client = account->client;
    if (dn_client_account_stands(account)) {
        account->security = dn_client_security_of(client, account->ssid);
        account->server = dn_client_server_of(client, account->ssid);
    } else {
        end(account);
    }
}

void dn_client_account_pair(dunlin_client *client, dn_server_instance *server)
{
    dn_security_instance *security = dn_client_security_of(client, server->ssid);
    for (uint16_t i = 0; security != NULL && i < client->config.servers; i++) {
        dn_account *account = &client->accounts[i];
        if (account->server == NULL) {
            clear(client, account);
            account->security = security;
            account->server = server;
            account->ssid = (uint16_t)server->ssid;
            account->identity = dn_client_security_identity(client, security);
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
    client->pair_due = false;
    dn_client_bootstrap_account_find(client);
    for (dn_account *account = NULL; (account = dn_client_account_next(client, account)) != NULL;) {
        keep_or_end(account);
    }
    for (uint16_t id = 0; (id = dn_client_tree_next(slot, id, &index)) != DUNLIN_ID_NONE; id++) {
        dn_server_instance *server = &client->servers[index];
        if (dn_client_ssid_valid(server->ssid) && dn_client_account(client, (uint16_t)server->ssid) == NULL) {
            dn_client_account_pair(client, server);
        }
    }
}

void dn_client_accounts_bootstrapped(dunlin_client *client, int64_t at_s)
{
    const dn_object_slot *slot = server_slot(client);
    const dunlin_resource *row = dn_client_tree_resource(slot->def, LAST_BOOTSTRAPPED);
    for (uint16_t i = 0; row != NULL && i < slot->capacity; i++) {
        if (slot->ids[i] != DUNLIN_ID_NONE) {
            client->servers[i].last_bootstrapped = at_s;
            dn_client_tree_set_present(slot, i, row, true);
        }
    }
}

int64_t dn_client_accounts_last_bootstrapped(const dunlin_client *client)
{
    const dn_object_slot *slot = server_slot(client);
    const dunlin_resource *row = dn_client_tree_resource(slot->def, LAST_BOOTSTRAPPED);
    int64_t last_s = -1;
    for (uint16_t i = 0; row != NULL && i < slot->capacity; i++) {
        if (slot->ids[i] != DUNLIN_ID_NONE && dn_client_tree_present(slot, i, row) &&
            client->servers[i].last_bootstrapped > last_s) {
            last_s = client->servers[i].last_bootstrapped;
        }
    }
    return last_s;
}
