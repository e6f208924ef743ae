/* SPDX-License-Identifier: Apache-2.0 */
/* The tries to bootstrap, and the way to the bootstrap server. */
#include "client/bootstrap_try.h"

#include "client/account.h"
#include "client/bootstrap_account.h"
#include "client/bootstrap_operation.h"
#include "client/bootstrap_request.h"
#include "client/bootstrap_served.h"
#include "client/est.h"
#include "client/registration.h"
#include "client/sleep.h"
#include "client/way.h"
#include <string.h>

/* ---- the way ---- */

void dn_bootstrap_cancel(dunlin_client *client)
{
    dn_account *account = client->bootstrap_account;
    const uint64_t exchange = account->exchange;
    account->exchange = 0;
    if (exchange != 0) {
        (void)dn_coap_cancel(client->coap, exchange);
    }
}

/* Without `connect` there is nobody to give it back to: it is enough to know the place no more. */
void dn_bootstrap_drop_way(dunlin_client *client)
{
    dn_account *account = client->bootstrap_account;
    client->bootstrap.linger_ms = DN_NEVER;
    dn_client_way_drop(account);
    if (client->config.call.connect == NULL) {
        account->way.state = DN_WAY_NONE;
        memset(&account->peer, 0, sizeof account->peer);
    }
}

void dn_bootstrap_ask_for_way(dunlin_client *client)
{
    dn_account *account = client->bootstrap_account;
    dn_bootstrap_cause failure = dn_bootstrap_cause_of(dn_client_way_possible(account));
    if (failure.status != DUNLIN_OK) {
        const char *why =
            account->security == NULL ? NULL : dn_client_bootstrap_way_fault(client, account->security);
        dn_log_at(&client->log, DN_LOG_ERROR, DN_CLIENT_AREA,
                  "the bootstrap server cannot be reached as configured: %s",
                  why != NULL ? why : dunlin_status_text(failure.status));
        dn_bootstrap_happen(client, DN_ON_BARRED, &failure);
        return;
    }
    if (client->config.call.connect != NULL) {
        dn_client_sleep_sending(client);
    }
    client->bootstrap.due_ms = client->now_ms + client->config.connect_ms;
    failure.status = dn_client_way_ask(account);
    if (failure.status == DUNLIN_OK) {
        dn_bootstrap_happen(client, DN_ON_WAY, NULL);
    } else if (failure.status != DUNLIN_END) {
        dn_bootstrap_happen(client, DN_ON_LOST, &failure);
    }
}

/* ---- when it begins ---- */

/* Section 6.1.3: the hold-off is waited for once it is clear that this client itself has to begin. */
void dn_bootstrap_hold(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    (void)cause;
    client->bootstrap.own = client->bootstrap.needed = true;
    client->bootstrap.enrols = false;
    client->bootstrap.tries = client->bootstrap.sequences = 0;
    dn_bootstrap_enter(client, DN_BOOTSTRAP_HOLDING,
                       client->now_ms + dn_client_bootstrap_account_hold_off_ms(client));
}

/* It is on its way; if that fails, by whomever it was begun, it is for this client to try again, and for more than a certificate. */
void dn_bootstrap_need_too(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    (void)cause;
    client->bootstrap.needed = client->bootstrap.needed || !client->bootstrap.own;
    client->bootstrap.own = true;
    if (client->bootstrap.state != DN_BOOTSTRAP_ENROLLING) {
        client->bootstrap.enrols = false;
    }
}

void dn_bootstrap_connect_again(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    (void)cause;
    client->counters.bootstraps += client->bootstrap.enrols ? 0 : 1;
    dn_bootstrap_cancel(client);
    client->bootstrap.linger_ms = DN_NEVER;
    client->bootstrap_account->way.wanted = true;
    dn_bootstrap_enter(client, DN_BOOTSTRAP_CONNECTING, DN_NEVER);
}

void dn_bootstrap_ask(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    dn_client_est_cancel(client);
    client->bootstrap.own = true;
    client->bootstrap.needed = client->bootstrap.enrols = false;
    client->bootstrap.tries = client->bootstrap.sequences = 0;
    dn_bootstrap_connect_again(client, cause);
}

/* Whom it was needed for has come back by itself. */
void dn_bootstrap_rest(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    (void)cause;
    if (client->bootstrap.needed && !client->bootstrap.enrols) {
        client->bootstrap.own = client->bootstrap.needed = false;
        dn_bootstrap_enter(client, DN_BOOTSTRAP_OFF, DN_NEVER);
    }
}

/* Another network may be the one on which it is. The hold-off goes on: nothing has been tried yet. */
void dn_bootstrap_restart_waiting(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    if (client->bootstrap.tries > 0 || client->bootstrap.sequences > 0) {
        client->bootstrap.tries = client->bootstrap.sequences = 0;
        dn_bootstrap_connect_again(client, cause);
    }
}

void dn_bootstrap_enrol(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    client->bootstrap.tries = client->bootstrap.sequences = 0;
    client->bootstrap.enrols = true;
    dn_bootstrap_connect_again(client, cause);
}

/* ---- the request ---- */

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    dn_account *account = context;
    dunlin_client *client = account->client;
    dn_bootstrap_cause cause = dn_bootstrap_cause_of(status);
    if (exchange != account->exchange || status == DUNLIN_ERR_CANCELLED) {
        return;
    }
    account->exchange = 0;
    if (response == NULL) {
        client->counters.timeouts++;
        dn_bootstrap_happen(client, DN_ON_LOST, &cause);
        return;
    }
    cause.code = response->code;
    if (response->code == DN_COAP_CHANGED) {
        dn_bootstrap_happen(client, DN_ON_ACCEPTED, &cause);
    } else {
        dn_bootstrap_happen(
            client, response->code == DN_COAP_UNSUPPORTED_FORMAT ? DN_ON_FORMAT : DN_ON_REFUSED, &cause);
    }
}

void dn_bootstrap_request(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    (void)cause;
    dn_bootstrap_cancel(client);
    dn_bootstrap_enter(client, DN_BOOTSTRAP_REQUESTING, DN_NEVER);
    const dn_bootstrap_cause failure =
        dn_bootstrap_cause_of(dn_client_bootstrap_request(client->bootstrap_account, on_result));
    if (failure.status != DUNLIN_OK) {
        dn_bootstrap_happen(client, DN_ON_LOST, &failure);
    }
}

/* It takes none of the formats that we prefer: let it choose by itself (section 6.1.7.1). */
void dn_bootstrap_request_plain(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    if (client->bootstrap.plain || !dn_client_bootstrap_request_prefers(client)) {
        dn_bootstrap_failed(client, cause);
        return;
    }
    client->bootstrap.plain = true;
    dn_bootstrap_request(client, cause);
}

void dn_bootstrap_way_is_there(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    if (client->bootstrap.enrols) {
        dn_bootstrap_begin_enrolling(client);
    } else {
        dn_bootstrap_request(client, cause);
    }
}

/* ---- failures ---- */

/* Without its certificate an account waits. */
void dn_bootstrap_begin_registrations(dunlin_client *client)
{
    for (dn_account *account = NULL; (account = dn_client_account_next(client, account)) != NULL;) {
        if (client->started && !dn_client_bootstrap_enrols(account)) {
            dn_client_registration_begin(account);
        }
    }
}

/* It is for this client to try again: it has asked, it lacks a certificate without which it cannot register, or there is nobody else to turn to.
   What the bootstrap server has begun by itself is for itself to begin again; and what had been wanted for want of a registration is not
   wanted with one. */
static bool is_ours(const dunlin_client *client, bool lacks)
{
    const dn_bootstrap *b = &client->bootstrap;
    const bool needless = b->needed && !lacks && dunlin_client_registered(client);
    return !needless && (b->own || lacks || client->account_count == 0) &&
           dn_client_bootstrap_account_there(client);
}

/* The servers may be back sooner than the bootstrap server. */
static void register_again(dunlin_client *client)
{
    for (dn_account *account = NULL; (account = dn_client_account_next(client, account)) != NULL;) {
        if (client->started && account->state == DN_REG_FAILED && !dn_client_bootstrap_enrols(account)) {
            dn_client_registration_start(account);
        }
    }
}

/* FAILED is the end of it, for this client: not with a server, which may still go away. */
static void give_up(dunlin_client *client, bool ours)
{
    dn_bootstrap *b = &client->bootstrap;
    const bool ends = ours && (b->enrols || !dn_client_registration_any(client));
    b->own = b->needed = false;
    dn_bootstrap_enter(client, ends ? DN_BOOTSTRAP_FAILED : DN_BOOTSTRAP_OFF, DN_NEVER);
    if (ends && b->enrols) {
        dn_bootstrap_begin_registrations(client); /* what waited for a certificate fails now */
    }
}

/* What led here is as it was before. */
void dn_bootstrap_fail(dunlin_client *client, const dn_bootstrap_cause *cause, bool late)
{
    dn_bootstrap *b = &client->bootstrap;
    uint64_t wait_ms = DN_NEVER;
    const bool lacks = b->enrols && dn_client_est_needed(client);
    const bool ours = is_ours(client, lacks);
    dn_bootstrap_cancel(client);
    client->counters.bootstraps_failed += b->enrols ? 0 : 1;
    if (b->enrols && !lacks) { /* a renewal: est.c knows when to try again */
        dn_client_est_put_off(client);
    }
    b->enrols = b->enrols && !b->own; /* a bootstrap that was needed meanwhile comes first */
    if (b->own || b->enrols || !client->config.bootstrap_stays) {
        dn_bootstrap_drop_way(client);
    }
    if (ours) {
        wait_ms =
            late ? dn_client_bootstrap_account_late_ms(client) : dn_client_bootstrap_account_again_ms(client);
    }
    if (wait_ms != DN_NEVER) {
        dn_bootstrap_enter(client, DN_BOOTSTRAP_HOLDING, client->now_ms + wait_ms);
        register_again(client);
    } else {
        give_up(client, ours);
    }
    dn_log_at(&client->log, DN_LOG_WARN, DN_CLIENT_AREA, "bootstrap failed: %s, code %u.%02u",
              cause->status == DUNLIN_OK ? "refused" : dunlin_status_text(cause->status),
              (unsigned)cause->code >> 5, (unsigned)cause->code & 31);
    dn_bootstrap_tell(client, DUNLIN_CLIENT_BOOTSTRAP_FAILED, cause, wait_ms);
}

void dn_bootstrap_failed(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    dn_bootstrap_fail(client, cause, false);
}

/* To try again at once is of no use. */
void dn_bootstrap_barred(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    dn_bootstrap_fail(client, cause, true);
}

/* Who was asked for a way has not said in time whether it comes. */
void dn_bootstrap_late(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    const dn_bootstrap_cause failure = dn_bootstrap_cause_of(DUNLIN_ERR_TIMEOUT);
    (void)cause;
    dn_bootstrap_fail(client, &failure, false);
}
