/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is to register. */
#include "client/order.h"

#include "client/registration.h"

static bool in_turn(const dunlin_client *client)
{
    for (uint16_t i = 0; i < client->account_count; i++) {
        if (client->accounts[i].turn) {
            return true;
        }
    }
    return false;
}

/* Equal priorities go in the order in which the accounts were added. */
static dn_account *next_in_order(dunlin_client *client)
{
    dn_account *next = NULL;
    for (uint16_t i = 0; i < client->account_count; i++) {
        dn_account *account = &client->accounts[i];
        if (account->state == DN_REG_QUEUED &&
            (next == NULL || account->server.policy.priority < next->server.policy.priority)) {
            next = account;
        }
    }
    return next;
}

void dn_client_order_step(dunlin_client *client)
{
    dn_account *next = NULL;
    /* A turn may be over as soon as it is given: a server without an address, and no second try. */
    while (!in_turn(client) && (next = next_in_order(client)) != NULL) {
        next->turn = true;
        dn_client_registration_turn(next);
    }
}

void dn_client_order_ended(dn_account *account, bool success)
{
    dunlin_client *client = account->client;
    if (!account->turn) {
        return;
    }
    account->turn = false;
    if (success || !account->server.policy.failure_blocks) {
        return;
    }
    for (uint16_t i = 0; i < client->account_count; i++) {
        dn_client_registration_block(&client->accounts[i]); /* means something only to those that wait */
    }
}
