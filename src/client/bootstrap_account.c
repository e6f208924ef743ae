/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the bootstrap server's account in Object 0, and what it says. */
#include "client/bootstrap_account.h"

#include "client/account.h"
#include "client/backoff.h"
#include "client/registration.h"
#include "client/remove.h"
#include "client/security.h"
#include "client/tree.h"
#include "client/way.h"

#define MS_PER_S 1000u

enum { HOLD_OFF = 11, TIMEOUT = 12 };

static const dn_object_slot *slot_of(const dunlin_client *client)
{
    return &client->objects[0]; /* ids ascend, and Object 0 comes with the client */
}

/* Of several, which a Finish refuses, the one with the smallest id. */
static dn_security_instance *find(const dunlin_client *client)
{
    const dn_object_slot *slot = slot_of(client);
    uint16_t index = 0;
    for (uint16_t id = 0; (id = dn_client_tree_next(slot, id, &index)) != DUNLIN_ID_NONE; id++) {
        if (client->securities[index].bootstrap) {
            return &client->securities[index];
        }
    }
    return NULL;
}

void dn_client_bootstrap_account_find(dunlin_client *client)
{
    dn_account *account = client->bootstrap_account;
    if (account == NULL) {
        return;
    }
    dn_security_instance *security = find(client);
    const uint64_t identity = security == NULL ? 0 : dn_client_security_identity(client, security);
    if (account->security != NULL && identity != account->identity) {
        dn_client_way_drop(account);
    }
    account->client = client;
    account->ssid = DUNLIN_BOOTSTRAP_SERVER;
    account->security = security;
    account->identity = identity;
}

bool dn_client_bootstrap_account_there(const dunlin_client *client)
{
    return client->bootstrap_account != NULL && client->bootstrap_account->security != NULL;
}

static bool is_there(const dunlin_client *client, const dn_security_instance *security, uint16_t resource)
{
    const dn_object_slot *slot = slot_of(client);
    return security != NULL && dn_client_tree_present(slot, (uint16_t)(security - client->securities),
                                                      dn_client_tree_resource(slot->def, resource));
}

static uint64_t endless_ms(const dunlin_client *client, uint32_t failures)
{
    const dn_bootstrap *b = &client->bootstrap;
    const dn_backoff backoff = {.first_s =
                                    b->bounded ? b->policy.retry_timer_s : client->config.bootstrap_retry_s,
                                .most_s = client->config.bootstrap_retry_max_s,
                                .spread = client->config.bootstrap_spread};
    return dn_client_backoff_endless(&backoff, failures, &client->random);
}

uint64_t dn_client_bootstrap_account_hold_off_ms(const dunlin_client *client)
{
    const dn_security_instance *security = client->bootstrap_account->security;
    const uint64_t hold_off_ms =
        is_there(client, security, HOLD_OFF) ? (uint64_t)security->hold_off_s * MS_PER_S : 0;
    const uint64_t vain_ms = client->bootstrap.vain == 0 ? 0 : endless_ms(client, client->bootstrap.vain);
    return vain_ms > hold_off_ms ? vain_ms : hold_off_ms;
}

/* After how many tries it ends; 0: never. With a server at hand nobody is lost who was asked for a bootstrap in vain: it is as with any
   sequence of tries. */
static uint32_t most_tries(const dunlin_client *client)
{
    const dn_bootstrap *b = &client->bootstrap;
    const bool wish = !b->needed && !b->enrols && dn_client_registration_any(client);
    return client->config.bootstrap_tries == 0 && wish ? dunlin_server_default().policy.retry_count
                                                       : client->config.bootstrap_tries;
}

uint64_t dn_client_bootstrap_account_again_ms(dunlin_client *client)
{
    dn_bootstrap *b = &client->bootstrap;
    const uint32_t most = most_tries(client);
    if (b->bounded) {
        return dn_client_backoff(&b->policy, &b->tries, &b->sequences);
    }
    b->tries += b->tries < UINT32_MAX ? 1 : 0;
    return most != 0 && b->tries >= most ? DN_NEVER : endless_ms(client, b->tries);
}

uint64_t dn_client_bootstrap_account_late_ms(dunlin_client *client)
{
    dn_bootstrap *b = &client->bootstrap;
    if (b->bounded) {
        b->tries = b->policy.retry_count - 1;
    } else {
        b->tries = UINT32_MAX;
    }
    return dn_client_bootstrap_account_again_ms(client);
}

/* 0 where there is none. At Finish the account may already be another instance than the one that the bootstrap server is still spoken with by. */
static uint32_t timeout_of(const dunlin_client *client)
{
    const dn_security_instance *security = find(client);
    return is_there(client, security, TIMEOUT) ? security->timeout_s : 0;
}

void dn_client_bootstrap_account_limit(dunlin_client *client)
{
    const uint32_t timeout_s = timeout_of(client);
    client->bootstrap.purge_ms = timeout_s == 0 ? DN_NEVER : client->now_ms + (uint64_t)timeout_s * MS_PER_S;
}

/* With a clock that is not known yet it has the whole of its time again. */
void dn_client_bootstrap_account_resume(dunlin_client *client)
{
    const int64_t last_s = dn_client_accounts_last_bootstrapped(client);
    const int64_t timeout_s = timeout_of(client);
    const int64_t now_s = dn_client_unix_s(client);
    if (client->bootstrap.purge_ms != DN_NEVER || timeout_s == 0 || last_s < 0) {
        return;
    }
    const bool known = now_s >= last_s && last_s <= INT64_MAX - timeout_s;
    const int64_t left_s = !known ? timeout_s : last_s + timeout_s > now_s ? last_s + timeout_s - now_s : 0;
    client->bootstrap.purge_ms = client->now_ms + (uint64_t)left_s * MS_PER_S;
}

void dn_client_bootstrap_account_purge(dunlin_client *client)
{
    const dn_security_instance *security = client->bootstrap_account->security;
    const dn_object_slot *slot = slot_of(client);
    dn_place place;
    const dunlin_path path = dunlin_path_instance(
        slot->def->id, security == NULL ? DUNLIN_ID_NONE : slot->ids[security - client->securities]);
    if (dn_client_tree_find(client, path, true, &place) == DUNLIN_OK) {
        dn_client_remove_instance(&place);
    }
    client->bootstrap_account->security = NULL;
}
