/* SPDX-License-Identifier: Apache-2.0 */
/* A bootstrap from its first operation to its end. */
#include "client/bootstrap_served.h"

#include "client/account.h"
#include "client/bootstrap_account.h"
#include "client/bootstrap_finish.h"
#include "client/bootstrap_operation.h"
#include "client/bootstrap_try.h"
#include "client/est.h"
#include "client/image.h"
#include "client/way.h"

/* The way stays so long after Finish, for the answer to it may have been lost: MAX_TRANSMIT_WAIT. */
#define LINGER_MS 93000u

/* ---- while it is served ---- */

static uint64_t quiet_ms(const dunlin_client *client)
{
    return client->now_ms + client->config.bootstrap_quiet_ms;
}

/* What cannot be taken back must not be begun. */
void dn_bootstrap_serve(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    const dn_bootstrap_cause failure = dn_bootstrap_cause_of(dn_client_image_note(client));
    const uint8_t state = client->bootstrap.state;
    if (state == DN_BOOTSTRAP_OFF || state == DN_BOOTSTRAP_FAILED) {
        client->bootstrap.own = false;
        client->bootstrap.tries = client->bootstrap.sequences = 0;
    }
    if (state != DN_BOOTSTRAP_CONNECTING && state != DN_BOOTSTRAP_REQUESTING) {
        client->counters.bootstraps++;
    }
    client->bootstrap.enrols = false;
    if (failure.status != DUNLIN_OK) {
        dn_log_at(&client->log, DN_LOG_ERROR, DN_CLIENT_AREA,
                  "no bootstrap: what there is does not fit into config.image_max");
        dn_bootstrap_fail(client, &failure, true);
        return;
    }
    client->bootstrap.linger_ms = DN_NEVER;
    client->bootstrap.finished = false;
    client->bootstrap_account->way.wanted = false;
    dn_bootstrap_enter(client, DN_BOOTSTRAP_SERVED, quiet_ms(client));
    dn_log_at(&client->log, DN_LOG_INFO, DN_CLIENT_AREA, "bootstrap begins");
    dn_bootstrap_tell(client, DUNLIN_CLIENT_BOOTSTRAPPING, cause, DN_NEVER);
}

void dn_bootstrap_serve_instead(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    dn_client_est_cancel(client);
    dn_bootstrap_serve(client, cause);
}

void dn_bootstrap_go_on(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    (void)cause;
    client->bootstrap.due_ms = quiet_ms(client);
}

/* What the application does within an operation, asked by a callback, is a part of it. */
static uint8_t operate(dunlin_client *client, dn_bootstrap_operation operation,
                       const dn_coap_incoming *incoming, dunlin_buf *body, dn_coap_reply *reply)
{
    const bool changes = operation == DN_BOOTSTRAP_WRITE || operation == DN_BOOTSTRAP_DELETE;
    if (changes && dn_client_image_complete(client) != DUNLIN_OK) {
        return DN_COAP_INTERNAL_ERROR;
    }
    client->bootstrap.operating = true;
    const uint8_t code = dn_client_bootstrap_operate(client, operation, incoming, body, reply);
    client->bootstrap.operating = false;
    return code;
}

void dn_client_bootstrap_serve(dunlin_client *client, const dn_coap_incoming *incoming, dunlin_buf *body,
                               dn_coap_reply *reply)
{
    const dn_bootstrap_operation operation = dn_client_bootstrap_operation_of(incoming);
    client->counters.requests++;
    if (operation == DN_BOOTSTRAP_OTHER) {
        reply->code = DN_COAP_METHOD_NOT_ALLOWED;
    } else if (client->bootstrap.finished) { /* the next step has to come first */
        reply->code = operation == DN_BOOTSTRAP_FINISH ? DN_COAP_CHANGED : DN_COAP_UNAVAILABLE;
    } else {
        dn_bootstrap_happen(client, DN_ON_COMMAND, NULL);
        if (!dn_client_bootstrap_active(client)) {
            reply->code = DN_COAP_INTERNAL_ERROR;
        } else if (operation == DN_BOOTSTRAP_FINISH) {
            reply->code = dn_client_bootstrap_finish(client, reply);
        } else {
            reply->code = operate(client, operation, incoming, body, reply);
        }
    }
    client->counters.refused += reply->code >= DN_COAP_BAD_REQUEST ? 1 : 0;
}

/* ---- Finish ---- */

/* The way is of no more use, but for a Finish that comes again; or it is kept so that the bootstrap server can speak first. Over a stream
   nothing comes again. */
static void linger(dunlin_client *client)
{
    const dn_account *account = client->bootstrap_account;
    const bool plain = !dn_client_way_is_stream(account);
    if (!client->config.bootstrap_stays || !dn_client_bootstrap_account_there(client)) {
        client->bootstrap.linger_ms = client->now_ms + (plain ? LINGER_MS : 0);
    }
    client->bootstrap.own = client->bootstrap.needed = client->bootstrap.enrols = false;
    dn_bootstrap_enter(client, DN_BOOTSTRAP_OFF, DN_NEVER);
}

void dn_bootstrap_begin_enrolling(dunlin_client *client)
{
    const dn_account *account = client->bootstrap_account;
    const dn_bootstrap_cause cause = dn_bootstrap_cause_of(dn_client_est_start(client, &account->peer));
    dn_bootstrap_enter(client, DN_BOOTSTRAP_ENROLLING, DN_NEVER);
    if (cause.status != DUNLIN_OK) {
        dn_bootstrap_happen(client, DN_ON_ENROLLED, &cause);
    }
}

void dn_bootstrap_carry_on(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    const dn_bootstrap_cause done = dn_bootstrap_cause_of(DUNLIN_OK);
    (void)cause;
    client->bootstrap.finished = false;
    client->bootstrap.own = client->bootstrap.needed = false; /* what is needed from now on is another one */
    client->bootstrap.tries = client->bootstrap.sequences = 0;
    dn_bootstrap_cancel(client);
    dn_bootstrap_enter(client, DN_BOOTSTRAP_OFF, DN_NEVER); /* others are served again */
    dn_client_pair_accounts(client);
    client->bootstrap.vain = dunlin_client_registered(client) ? 0 : client->bootstrap.vain + 1;
    dn_log_at(&client->log, DN_LOG_INFO, DN_CLIENT_AREA, "bootstrapped: %u server accounts",
              (unsigned)client->account_count);
    dn_bootstrap_tell(client, DUNLIN_CLIENT_BOOTSTRAPPED, &done, DN_NEVER);
    if (!dn_client_est_needed(client)) {
        linger(client);
    } else if (dn_client_way_open(client->bootstrap_account)) {
        dn_bootstrap_begin_enrolling(client);
    } else {
        dn_bootstrap_enrol(client, &done);
    }
    dn_bootstrap_begin_registrations(client);
}

/* Accounts without a certificate wait, and what they wait for is tried again as a bootstrap is, but for the bootstrap itself. */
void dn_bootstrap_enrolled(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    if (cause->status != DUNLIN_OK) {
        dn_log_at(&client->log, DN_LOG_ERROR, DN_CLIENT_AREA, "no certificate: %s",
                  dunlin_status_text(cause->status));
        client->bootstrap.enrols = true;
        dn_bootstrap_fail(client, cause, false);
        return;
    }
    linger(client);
    dn_bootstrap_begin_registrations(client);
}

void dn_bootstrap_enrolment_cut(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    dn_client_est_cancel(client);
    dn_bootstrap_enrolled(client, cause);
}

/* ---- the way back ---- */

/* Everything is as it was before the bootstrap server began (section 6.1.8). */
static void take_back(dunlin_client *client)
{
    dn_client_image_return(client);
    client->bootstrap.finished = false;
    client->pair_due = true;
}

/* A bootstrap server may well hang up as soon as it knows that its Finish was taken. */
void dn_bootstrap_broken_off(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    const dn_bootstrap_cause silence = dn_bootstrap_cause_of(DUNLIN_ERR_TIMEOUT);
    if (client->bootstrap.finished) {
        dn_bootstrap_carry_on(client, NULL);
        return;
    }
    take_back(client);
    dn_bootstrap_fail(client, cause->status == DUNLIN_OK ? &silence : cause, false);
}

void dn_bootstrap_stop(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    (void)cause;
    dn_bootstrap_cancel(client);
    dn_client_est_cancel(client);
    dn_bootstrap_drop_way(client);
    client->bootstrap.asked = client->bootstrap.own = false;
    client->bootstrap.needed = client->bootstrap.enrols = false;
    client->bootstrap_account->way.wanted = false;
    dn_bootstrap_enter(client, DN_BOOTSTRAP_OFF, DN_NEVER);
}

void dn_bootstrap_stop_serving(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    if (client->bootstrap.finished) { /* it was answered: what was agreed on holds */
        client->bootstrap.finished = false;
        client->pair_due = true;
    } else {
        take_back(client);
    }
    dn_bootstrap_stop(client, cause);
}

/* A reboot, or another address of the device: what leads to the server from where it was is of no use. */
void dn_bootstrap_restart(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    dn_bootstrap_cancel(client);
    dn_bootstrap_drop_way(client);
    dn_bootstrap_connect_again(client, cause);
}

void dn_bootstrap_restart_serving(dunlin_client *client, const dn_bootstrap_cause *cause)
{
    const bool own = client->bootstrap.own && !client->bootstrap.finished;
    dn_bootstrap_stop_serving(client, cause);
    if (own) {
        dn_bootstrap_ask(client, cause);
    }
}
