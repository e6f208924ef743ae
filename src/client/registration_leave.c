/* SPDX-License-Identifier: Apache-2.0 */
/* Leaving a server, for good or for a while. */
#include "client/registration_leave.h"

#include "client/account.h"
#include "client/observe.h"
#include "client/rd.h"
#include "client/stored.h"
#include "client/way.h"

#define SERVER_DISABLE_TIMEOUT 5
#define DISABLE_DEFAULT_S      86400u /* while /1/x/5 is absent */
#define MS_PER_S               1000u

/* Nobody will ask for what there was to report. While disabled it is kept instead (/1/x/6). */
void dn_reg_forget_reports(dn_account *account)
{
    dn_client_observe_drop(account->client, account);
    dn_client_stored_drop(account->client, account);
}

static void leave(dn_account *account, dn_reg_state state)
{
    account->state = state;
    const bool open = dn_client_way_open(account); /* no new one just to say farewell */
    const dn_reg_cause failure =
        dn_reg_cause_of(open ? dn_client_rd_deregister(account, dn_reg_on_result) : DUNLIN_ERR_IO);
    if (failure.status != DUNLIN_OK) {
        dn_reg_happen(account, DN_REG_ON_LOST, &failure);
    }
}

void dn_reg_deregister(dn_account *account, const dn_reg_cause *cause)
{
    (void)cause;
    dn_reg_forget_reports(account);
    leave(account, DN_REG_DEREGISTERING);
}

void dn_reg_cancel_and_deregister(dn_account *account, const dn_reg_cause *cause)
{
    dn_reg_cancel(account);
    dn_reg_deregister(account, cause);
}

void dn_reg_disable(dn_account *account, const dn_reg_cause *cause)
{
    (void)cause;
    leave(account, DN_REG_DISABLING);
}

void dn_reg_cancel_and_disable(dn_account *account, const dn_reg_cause *cause)
{
    dn_reg_cancel(account);
    dn_reg_disable(account, cause);
}

void dn_reg_stop_now(dn_account *account, const dn_reg_cause *cause)
{
    dn_reg_forget_reports(account);
    dn_client_way_drop(account);
    account->turn = account->renewing = false;
    account->state = DN_REG_IDLE;
    account->due_ms = DN_NEVER;
    account->location[0] = '\0';
    dn_reg_tell(account, DUNLIN_CLIENT_DEREGISTERED, cause, DN_NEVER);
}

void dn_reg_cancel_and_stop(dn_account *account, const dn_reg_cause *cause)
{
    dn_reg_cancel(account);
    dn_reg_stop_now(account, cause);
}

void dn_reg_stopped(dn_account *account, const dn_reg_cause *cause)
{
    dn_reg_stop_now(account, cause);
}

void dn_reg_disabled(dn_account *account, const dn_reg_cause *cause)
{
    const bool said = dn_client_account_has(account, SERVER_DISABLE_TIMEOUT);
    const uint64_t wait_ms = (said ? (uint64_t)account->server->disable_s : DISABLE_DEFAULT_S) * MS_PER_S;
    dn_client_way_drop(account);
    account->renewing = false;
    account->state = DN_REG_DISABLED;
    account->due_ms = account->client->now_ms + wait_ms;
    account->location[0] = '\0';
    dn_reg_tell(account, DUNLIN_CLIENT_DEREGISTERED, cause, wait_ms);
}

void dn_reg_cancel_and_disabled(dn_account *account, const dn_reg_cause *cause)
{
    dn_reg_cancel(account);
    dn_reg_disabled(account, cause);
}
