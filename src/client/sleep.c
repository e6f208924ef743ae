/* SPDX-License-Identifier: Apache-2.0 */
/* Awake or asleep. */
#include "client/sleep.h"

#include "client/account.h"
#include "client/bootstrap.h"
#include "client/observe.h"
#include "client/registration.h"
#include "client/send.h"
#include <string.h>

bool dn_client_sleep_wanted(const dn_account *account)
{
    const dunlin_client_config *config = &account->client->config;
    return config->queue_mode &&
           (config->lwm2m != DUNLIN_LWM2M_1_0 || strchr(account->server->binding, 'Q') != NULL);
}

static void tell(dunlin_client *client, dunlin_client_event_kind kind)
{
    const dunlin_client_event event = {.kind = kind, .location = "", .retry_ms = DN_NEVER};
    dn_client_tell(client, &event);
}

/* Something is expected from the network: an answer, or, without queue mode, anything at any time. */
static bool expects(const dunlin_client *client)
{
    for (const dn_account *account = NULL; (account = dn_client_account_next(client, account)) != NULL;) {
        if (dn_client_registration_busy(account) ||
            (dn_client_registration_holds(account) && !account->queue)) {
            return true;
        }
    }
    return dn_client_bootstrap_busy(client) || dn_client_observe_busy(client) ||
           dn_client_send_busy(client) || client->download.exchange != 0;
}

void dn_client_sleep_sending(dunlin_client *client)
{
    client->awake_until_ms = client->now_ms + client->config.awake_ms;
    if (client->asleep) {
        client->asleep = false;
        tell(client, DUNLIN_CLIENT_AWAKE);
    }
}

static bool may_sleep(const dunlin_client *client)
{
    return client->config.queue_mode && !client->asleep && !expects(client);
}

void dn_client_sleep_step(dunlin_client *client)
{
    if (may_sleep(client) && client->now_ms >= client->awake_until_ms) {
        client->asleep = true;
        tell(client, DUNLIN_CLIENT_ASLEEP);
    }
}

uint64_t dn_client_sleep_deadline(const dunlin_client *client)
{
    return may_sleep(client) ? client->awake_until_ms : DN_NEVER;
}

bool dunlin_client_awake(const dunlin_client *client)
{
    return !client->asleep;
}
