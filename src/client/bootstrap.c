/* SPDX-License-Identifier: Apache-2.0 */
/* The bootstrap as a state machine: what each event does in each state, what others ask of it, and time. */
#include "client/bootstrap.h"

#include "client/alerts.h"
#include "client/bootstrap_account.h"
#include "client/bootstrap_served.h"
#include "client/bootstrap_try.h"
#include "client/est.h"
#include "client/image.h"
#include "client/way.h"

#define MS_PER_S 1000u

/* Empty: the event means nothing in that state. */
static dn_bootstrap_action *const table[DN_BOOTSTRAP_STATES][DN_ON_EVENTS] = {
    [DN_BOOTSTRAP_OFF] = {[DN_ON_NEED] = dn_bootstrap_hold,
                          [DN_ON_ASK] = dn_bootstrap_ask,
                          [DN_ON_ENROL] = dn_bootstrap_enrol,
                          [DN_ON_COMMAND] = dn_bootstrap_serve,
                          [DN_ON_STOP] = dn_bootstrap_stop,
                          [DN_ON_RESTART] = dn_bootstrap_stop},
    [DN_BOOTSTRAP_HOLDING] = {[DN_ON_NEED] = dn_bootstrap_need_too,
                              [DN_ON_ASK] = dn_bootstrap_ask,
                              [DN_ON_DUE] = dn_bootstrap_connect_again,
                              [DN_ON_NEEDLESS] = dn_bootstrap_rest,
                              [DN_ON_RESTART] = dn_bootstrap_restart_waiting,
                              [DN_ON_COMMAND] = dn_bootstrap_serve,
                              [DN_ON_STOP] = dn_bootstrap_stop},
    [DN_BOOTSTRAP_CONNECTING] = {[DN_ON_NEED] = dn_bootstrap_need_too,
                                 [DN_ON_ASK] = dn_bootstrap_need_too,
                                 [DN_ON_DUE] = dn_bootstrap_late,
                                 [DN_ON_WAY] = dn_bootstrap_way_is_there,
                                 [DN_ON_CUT] = dn_bootstrap_failed,
                                 [DN_ON_LOST] = dn_bootstrap_failed,
                                 [DN_ON_BARRED] = dn_bootstrap_barred,
                                 [DN_ON_COMMAND] = dn_bootstrap_serve,
                                 [DN_ON_STOP] = dn_bootstrap_stop,
                                 [DN_ON_RESTART] = dn_bootstrap_restart},
    [DN_BOOTSTRAP_REQUESTING] = {[DN_ON_ACCEPTED] = dn_bootstrap_serve,
                                 [DN_ON_FORMAT] = dn_bootstrap_request_plain,
                                 [DN_ON_REFUSED] = dn_bootstrap_failed,
                                 [DN_ON_LOST] = dn_bootstrap_failed,
                                 [DN_ON_WAY] = dn_bootstrap_request,
                                 [DN_ON_CUT] = dn_bootstrap_failed,
                                 [DN_ON_BARRED] = dn_bootstrap_barred,
                                 [DN_ON_COMMAND] = dn_bootstrap_serve,
                                 [DN_ON_STOP] = dn_bootstrap_stop,
                                 [DN_ON_RESTART] = dn_bootstrap_restart},
    [DN_BOOTSTRAP_SERVED] = {[DN_ON_NEED] = dn_bootstrap_need_too,
                             [DN_ON_DUE] = dn_bootstrap_broken_off,
                             [DN_ON_CUT] = dn_bootstrap_broken_off,
                             [DN_ON_BARRED] = dn_bootstrap_broken_off,
                             [DN_ON_COMMAND] = dn_bootstrap_go_on,
                             [DN_ON_FINISHED] = dn_bootstrap_carry_on,
                             [DN_ON_STOP] = dn_bootstrap_stop_serving,
                             [DN_ON_RESTART] = dn_bootstrap_restart_serving},
    [DN_BOOTSTRAP_ENROLLING] = {[DN_ON_NEED] = dn_bootstrap_need_too,
                                [DN_ON_ENROLLED] = dn_bootstrap_enrolled,
                                [DN_ON_CUT] = dn_bootstrap_enrolment_cut,
                                [DN_ON_BARRED] = dn_bootstrap_enrolment_cut,
                                [DN_ON_COMMAND] = dn_bootstrap_serve_instead,
                                [DN_ON_ASK] = dn_bootstrap_ask,
                                [DN_ON_STOP] = dn_bootstrap_stop,
                                [DN_ON_RESTART] = dn_bootstrap_stop},
    [DN_BOOTSTRAP_FAILED] = {[DN_ON_ASK] = dn_bootstrap_ask,
                             [DN_ON_COMMAND] = dn_bootstrap_serve,
                             [DN_ON_STOP] = dn_bootstrap_stop,
                             [DN_ON_RESTART] = dn_bootstrap_stop},
};

dn_bootstrap_cause dn_bootstrap_cause_of(dunlin_status status)
{
    return (dn_bootstrap_cause){status, 0, DN_ALERT_NONE};
}

void dn_bootstrap_happen(dunlin_client *client, dn_bootstrap_event event, const dn_bootstrap_cause *cause)
{
    const dn_bootstrap_cause none = dn_bootstrap_cause_of(DUNLIN_OK);
    dn_bootstrap_action *action = table[client->bootstrap.state][event];
    if (action != NULL) {
        action(client, cause == NULL ? &none : cause);
    }
}

void dn_bootstrap_enter(dunlin_client *client, dn_bootstrap_state state, uint64_t due_ms)
{
    client->bootstrap.state = (uint8_t)state;
    client->bootstrap.due_ms = due_ms;
}

void dn_bootstrap_tell(dunlin_client *client, dunlin_client_event_kind kind, const dn_bootstrap_cause *cause,
                       uint64_t retry_ms)
{
    const dunlin_client_event event = {
        .kind = kind,
        .server = DUNLIN_BOOTSTRAP_SERVER,
        .location = "",
        .code = cause->code,
        .status = cause->status,
        .retry_ms = retry_ms,
        .alert = cause->alert,
    };
    dn_client_tell(client, &event);
}

/* ---- what there is ---- */

bool dn_client_bootstrap_active(const dunlin_client *client)
{
    return client->bootstrap.state == DN_BOOTSTRAP_SERVED;
}

bool dunlin_client_bootstrapping(const dunlin_client *client)
{
    return client->bootstrap.state == DN_BOOTSTRAP_REQUESTING || dn_client_bootstrap_active(client);
}

bool dn_client_bootstrap_enrols(const dn_account *account)
{
    const dn_bootstrap *b = &account->client->bootstrap;
    const bool on_its_way =
        b->enrols && (b->state == DN_BOOTSTRAP_CONNECTING || b->state == DN_BOOTSTRAP_HOLDING);
    return (on_its_way || b->state == DN_BOOTSTRAP_ENROLLING) &&
           account->security->security.mode == DUNLIN_EST &&
           !dn_client_est_holds(account->client, account->security);
}

bool dn_client_bootstrap_busy(const dunlin_client *client)
{
    const uint8_t state = client->bootstrap.state;
    return state == DN_BOOTSTRAP_CONNECTING || state == DN_BOOTSTRAP_ENROLLING ||
           dunlin_client_bootstrapping(client);
}

/* ---- what others ask for ---- */

uint64_t dn_client_bootstrap_need(dunlin_client *client)
{
    if (!dn_client_bootstrap_account_there(client)) {
        return DN_NEVER;
    }
    dn_bootstrap_happen(client, DN_ON_NEED, NULL);
    const uint64_t due_ms = client->bootstrap.due_ms;
    if (due_ms == DN_NEVER) {
        return DN_NEVER;
    }
    return due_ms > client->now_ms ? due_ms - client->now_ms : 0;
}

void dn_client_bootstrap_alone(dunlin_client *client)
{
    const dn_bootstrap_cause none = dn_bootstrap_cause_of(DUNLIN_OK);
    if (client->bootstrap.state == DN_BOOTSTRAP_OFF) {
        dn_bootstrap_tell(client, DUNLIN_CLIENT_BOOTSTRAP, &none, dn_client_bootstrap_need(client));
    }
}

void dn_client_bootstrap_needless(dunlin_client *client)
{
    client->bootstrap.vain = 0;
    if (client->bootstrap_account != NULL) {
        dn_bootstrap_happen(client, DN_ON_NEEDLESS, NULL);
    }
}

dunlin_status dn_client_bootstrap_trigger(dunlin_client *client, uint16_t server)
{
    if (!dn_client_bootstrap_account_there(client)) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    client->bootstrap.asked = true;
    if (server != 0) {
        dn_log_at(&client->log, DN_LOG_INFO, DN_CLIENT_AREA, "server %u asks for a bootstrap",
                  (unsigned)server);
    }
    return DUNLIN_OK;
}

dunlin_status dunlin_client_bootstrap(dunlin_client *client, uint64_t now_ms)
{
    client->now_ms = now_ms;
    if (dn_client_bootstrap_busy(client)) {
        return DUNLIN_ERR_STATE;
    }
    dn_client_bootstrap_account_find(client);
    const dunlin_status status = dn_client_bootstrap_trigger(client, 0);
    client->started = client->started || status == DUNLIN_OK;
    return status;
}

void dn_client_bootstrap_start(dunlin_client *client)
{
    if (client->bootstrap_account == NULL) {
        return;
    }
    if (client->bootstrap.state == DN_BOOTSTRAP_FAILED) {
        dn_bootstrap_enter(client, DN_BOOTSTRAP_OFF, DN_NEVER);
    }
    client->bootstrap.plain = false;
    dn_client_bootstrap_account_resume(client);
    if (dn_client_est_needed(client) && dn_client_bootstrap_account_there(client)) {
        dn_bootstrap_happen(client, DN_ON_ENROL, NULL);
    }
}

void dn_client_bootstrap_stop(dunlin_client *client)
{
    if (client->bootstrap_account != NULL) {
        dn_bootstrap_happen(client, DN_ON_STOP, NULL);
    }
}

void dn_client_bootstrap_restart(dunlin_client *client)
{
    if (client->bootstrap_account != NULL) {
        dn_bootstrap_happen(client, DN_ON_RESTART, NULL);
    }
}

/* ---- time ---- */

static void attend_way(dunlin_client *client)
{
    dn_account *account = client->bootstrap_account;
    const dn_way_news news = dn_client_way_step(account);
    if (news == DN_WAY_IS_GONE) {
        const dn_bootstrap_cause cause = {account->way.gone_status, 0, account->way.gone_alert};
        const bool bars = dn_client_alert_response(cause.alert) == DN_ALERT_FAIL;
        dn_bootstrap_happen(client, bars ? DN_ON_BARRED : DN_ON_CUT, &cause);
    } else if (news == DN_WAY_HAS_COME) {
        dn_bootstrap_happen(client, DN_ON_WAY, NULL);
    }
    if (account->way.wanted) {
        account->way.wanted = false;
        if (client->bootstrap.state == DN_BOOTSTRAP_CONNECTING) {
            dn_bootstrap_ask_for_way(client);
        }
    }
}

/* Its timeout after a bootstrap is over (/0/x/12). Not while it is at work. */
static void purge(dunlin_client *client)
{
    const dn_bootstrap_cause none = dn_bootstrap_cause_of(DUNLIN_OK);
    client->bootstrap.purge_ms = DN_NEVER;
    if (!dn_client_bootstrap_account_there(client)) {
        return;
    }
    dn_bootstrap_drop_way(client);
    dn_client_bootstrap_account_purge(client);
    dn_bootstrap_enter(client, DN_BOOTSTRAP_OFF, DN_NEVER);
    dn_client_image_touch(client);
    (void)dn_client_image_save(client); /* a later step tries again */
    dn_log_at(&client->log, DN_LOG_INFO, DN_CLIENT_AREA, "the bootstrap server's account is gone");
    dn_bootstrap_tell(client, DUNLIN_CLIENT_PURGED, &none, DN_NEVER);
}

static void attend_enrolment(dunlin_client *client)
{
    dn_bootstrap_cause cause = dn_bootstrap_cause_of(DUNLIN_OK);
    const dn_est_state state = dn_client_est_step(client, &cause.status);
    if (state == DN_EST_DONE) {
        cause.status = DUNLIN_OK;
        dn_bootstrap_happen(client, DN_ON_ENROLLED, &cause);
    } else if (state == DN_EST_FAILED || state == DN_EST_NOTHING) {
        cause.status = cause.status == DUNLIN_OK ? DUNLIN_ERR_IO : cause.status;
        dn_bootstrap_happen(client, DN_ON_ENROLLED, &cause);
    }
}

/* When the next certificate is to be renewed, on the client's clock. */
static uint64_t renewal_ms(dunlin_client *client)
{
    if (!client->started || client->bootstrap.state != DN_BOOTSTRAP_OFF ||
        !dn_client_bootstrap_account_there(client)) {
        return DN_NEVER;
    }
    const int64_t at_s = dn_client_est_renewal_s(client);
    const int64_t now_s = dn_client_unix_s(client);
    if (at_s == INT64_MAX || now_s < 0) {
        return DN_NEVER;
    }
    return client->now_ms + (at_s > now_s ? (uint64_t)(at_s - now_s) * MS_PER_S : 0);
}

static void attend(dunlin_client *client)
{
    dn_bootstrap *b = &client->bootstrap;
    if (b->finished) {
        dn_bootstrap_happen(client, DN_ON_FINISHED, NULL);
    }
    if (b->asked) {
        b->asked = false;
        dn_bootstrap_happen(client, DN_ON_ASK, NULL);
    }
    if (b->due_ms <= client->now_ms) {
        dn_bootstrap_happen(client, DN_ON_DUE, NULL);
    }
    if (b->state == DN_BOOTSTRAP_ENROLLING) {
        attend_enrolment(client);
    }
    b->renew_ms = renewal_ms(client);
    if (b->renew_ms <= client->now_ms) {
        dn_bootstrap_happen(client, DN_ON_ENROL, NULL);
    }
    if (b->linger_ms <= client->now_ms) {
        dn_bootstrap_drop_way(client);
    }
    if (b->purge_ms <= client->now_ms && !dn_client_bootstrap_busy(client)) {
        purge(client);
    }
}

/* The way first, for what has become of it; and once more for what was decided. */
void dn_client_bootstrap_step(dunlin_client *client)
{
    if (client->bootstrap_account != NULL) {
        attend_way(client);
        attend(client);
        attend_way(client);
    }
}

uint64_t dn_client_bootstrap_deadline(const dunlin_client *client)
{
    const dn_bootstrap *b = &client->bootstrap;
    if (client->bootstrap_account == NULL) {
        return DN_NEVER;
    }
    if (b->finished || b->asked || dn_client_way_due(client->bootstrap_account)) {
        return 0;
    }
    uint64_t due = b->due_ms < b->linger_ms ? b->due_ms : b->linger_ms;
    if (b->state == DN_BOOTSTRAP_OFF && b->renew_ms < due) {
        due = b->renew_ms;
    }
    if (!dn_client_bootstrap_busy(client) && b->purge_ms < due) {
        due = b->purge_ms;
    }
    if (b->state == DN_BOOTSTRAP_ENROLLING) {
        const uint64_t est = dn_client_est_deadline(client);
        due = est < due ? est : due;
    }
    return due;
}
