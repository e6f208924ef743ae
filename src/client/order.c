/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is to register. */
#include "client/order.h"

#include "client/account.h"
#include "client/registration.h"

static bool in_turn(const dunlin_client *client)
{
    for (const dn_account *account = NULL; (account = dn_client_account_next(client, account)) != NULL;) {
        if (account->turn) {
            return true;
        }
    }
    return false;
}

/* Equal priorities go in the order in which the accounts were added. */
static dn_account *next_in_order(dunlin_client *client)
{
    dn_account *next = NULL;
    int32_t least = 0;
    for (dn_account *account = NULL; (account = dn_client_account_next(client, account)) != NULL;) {
        const int32_t priority = dn_client_account_policy(account).priority;
        if (account->state == DN_REG_QUEUED && (next == NULL || priority < least)) {
            next = account;
            least = priority;
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
    if (success || !dn_client_account_policy(account).failure_blocks) {
        return;
    }
    for (dn_account *each = NULL; (each = dn_client_account_next(client, each)) != NULL;) {
        dn_client_registration_block(each); /* means something only to those that wait */
    }
}
