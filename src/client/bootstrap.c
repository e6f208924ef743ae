/* SPDX-License-Identifier: Apache-2.0 */
/* The bootstrap as a state machine: a table of what each event does in each state, and the actions. */
#include "client/bootstrap.h"

#include "client/account.h"
#include "client/alerts.h"
#include "client/backoff.h"
#include "client/bootstrap_account.h"
#include "client/bootstrap_finish.h"
#include "client/bootstrap_operation.h"
#include "client/bootstrap_request.h"
#include "client/est.h"
#include "client/image.h"
#include "client/registration.h"
#include "client/sleep.h"
#include "client/tree.h"
#include "client/way.h"
#include <string.h>

#define MS_PER_S 1000u
/* The way stays so long after Finish, for the answer to it may have been lost: MAX_TRANSMIT_WAIT. */
#define LINGER_MS 93000u

typedef enum {
    EVENT_NEED,     /* no server can be registered with */
    EVENT_ASK,      /* a server or the application wants it */
    EVENT_ENROL,    /* a certificate is missing, or ends */
    EVENT_DUE,      /* due_ms has come */
    EVENT_WAY,      /* the way is there, or is another one now */
    EVENT_CUT,      /* the way is gone, or has not come about */
    EVENT_BARRED,   /* the same, and it is of no use to try again */
    EVENT_ACCEPTED, /* Bootstrap-Request was answered with 2.04 */
    EVENT_FORMAT,   /* with 4.15 */
    EVENT_REFUSED,  /* with anything else */
    EVENT_LOST,     /* no answer */
    EVENT_COMMAND,  /* the bootstrap server asks for an operation */
    EVENT_FINISHED, /* Finish was answered with 2.04 */
    EVENT_ENROLLED, /* all certificates are there, or there will be none (`status`) */
    EVENT_STOP,
    EVENT_RESTART,
    EVENT_COUNT
} bootstrap_event;

/* What led to an event, for those actions that tell the application. */
typedef struct {
    dunlin_status status;
    uint8_t code;
    int16_t alert;
} bootstrap_cause;

typedef void bootstrap_action(dunlin_client *client, const bootstrap_cause *cause);

static bootstrap_action hold, need_too, ask, enrol, connect_again, way_is_there, request, request_plain,
    serve, go_on;
static bootstrap_action late, failed, barred, broken_off, carry_on, enrolled, enrolment_cut, stop,
    stop_serving, restart, restart_serving, serve_instead;

/* Empty: the event means nothing in that state. */
static bootstrap_action *const table[DN_BOOTSTRAP_STATES][EVENT_COUNT] = {
    [DN_BOOTSTRAP_OFF] = {[EVENT_NEED] = hold,
                          [EVENT_ASK] = ask,
                          [EVENT_ENROL] = enrol,
                          [EVENT_COMMAND] = serve,
                          [EVENT_STOP] = stop,
                          [EVENT_RESTART] = stop},
    [DN_BOOTSTRAP_HOLDING] = {[EVENT_NEED] = need_too,
                              [EVENT_ASK] = ask,
                              [EVENT_DUE] = connect_again,
                              [EVENT_COMMAND] = serve,
                              [EVENT_STOP] = stop},
    [DN_BOOTSTRAP_CONNECTING] = {[EVENT_NEED] = need_too,
                                 [EVENT_ASK] = need_too,
                                 [EVENT_DUE] = late,
                                 [EVENT_WAY] = way_is_there,
                                 [EVENT_CUT] = failed,
                                 [EVENT_LOST] = failed,
                                 [EVENT_BARRED] = barred,
                                 [EVENT_COMMAND] = serve,
                                 [EVENT_STOP] = stop,
                                 [EVENT_RESTART] = restart},
    [DN_BOOTSTRAP_REQUESTING] = {[EVENT_ACCEPTED] = serve,
                                 [EVENT_FORMAT] = request_plain,
                                 [EVENT_REFUSED] = failed,
                                 [EVENT_LOST] = failed,
                                 [EVENT_WAY] = request,
                                 [EVENT_CUT] = failed,
                                 [EVENT_BARRED] = barred,
                                 [EVENT_COMMAND] = serve,
                                 [EVENT_STOP] = stop,
                                 [EVENT_RESTART] = restart},
    [DN_BOOTSTRAP_SERVED] = {[EVENT_NEED] = need_too,
                             [EVENT_DUE] = broken_off,
                             [EVENT_CUT] = broken_off,
                             [EVENT_BARRED] = broken_off,
                             [EVENT_COMMAND] = go_on,
                             [EVENT_FINISHED] = carry_on,
                             [EVENT_STOP] = stop_serving,
                             [EVENT_RESTART] = restart_serving},
    [DN_BOOTSTRAP_ENROLLING] = {[EVENT_NEED] = need_too,
                                [EVENT_ENROLLED] = enrolled,
                                [EVENT_CUT] = enrolment_cut,
                                [EVENT_BARRED] = enrolment_cut,
                                [EVENT_COMMAND] = serve_instead,
                                [EVENT_ASK] = ask,
                                [EVENT_STOP] = stop,
                                [EVENT_RESTART] = stop},
    [DN_BOOTSTRAP_FAILED] =
        {[EVENT_ASK] = ask, [EVENT_COMMAND] = serve, [EVENT_STOP] = stop, [EVENT_RESTART] = stop},
};

static bootstrap_cause cause_of(dunlin_status status)
{
    return (bootstrap_cause){status, 0, DN_ALERT_NONE};
}

static void happen(dunlin_client *client, bootstrap_event event, const bootstrap_cause *cause)
{
    const bootstrap_cause none = cause_of(DUNLIN_OK);
    bootstrap_action *action = table[client->bootstrap.state][event];
    if (action != NULL) {
        action(client, cause == NULL ? &none : cause);
    }
}

static void tell(dunlin_client *client, dunlin_client_event_kind kind, const bootstrap_cause *cause,
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

static void enter(dunlin_client *client, dn_bootstrap_state state, uint64_t due_ms)
{
    client->bootstrap.state = (uint8_t)state;
    client->bootstrap.due_ms = due_ms;
}

static void cancel_exchange(dunlin_client *client)
{
    dn_account *account = client->bootstrap_account;
    const uint64_t exchange = account->exchange;
    account->exchange = 0;
    if (exchange != 0) {
        (void)dn_coap_cancel(client->coap, exchange);
    }
}

/* Without `connect` there is nobody to give it back to: it is enough to know the place no more. */
static void drop_way(dunlin_client *client)
{
    dn_account *account = client->bootstrap_account;
    client->bootstrap.linger_ms = DN_NEVER;
    dn_client_way_drop(account);
    if (client->config.call.connect == NULL) {
        account->way.state = DN_WAY_NONE;
        memset(&account->peer, 0, sizeof account->peer);
    }
}

/* ---- the request ---- */

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    dn_account *account = context;
    dunlin_client *client = account->client;
    bootstrap_cause cause = cause_of(status);
    if (exchange != account->exchange || status == DUNLIN_ERR_CANCELLED) {
        return;
    }
    account->exchange = 0;
    if (response == NULL) {
        client->counters.timeouts++;
        happen(client, EVENT_LOST, &cause);
        return;
    }
    cause.code = response->code;
    if (response->code == DN_COAP_CHANGED) {
        happen(client, EVENT_ACCEPTED, &cause);
    } else {
        happen(client, response->code == DN_COAP_UNSUPPORTED_FORMAT ? EVENT_FORMAT : EVENT_REFUSED, &cause);
    }
}

/* Section 6.1.3: the hold-off is waited for once it is clear that this client itself has to begin. */
static void hold(dunlin_client *client, const bootstrap_cause *cause)
{
    (void)cause;
    client->bootstrap.own = true;
    client->bootstrap.enrols = false;
    client->bootstrap.tries = client->bootstrap.sequences = 0;
    enter(client, DN_BOOTSTRAP_HOLDING, client->now_ms + dn_client_bootstrap_account_hold_off_ms(client));
}

/* It is on its way; if that fails, by whomever it was begun, it is for this client to try again, and for more than a certificate. */
static void need_too(dunlin_client *client, const bootstrap_cause *cause)
{
    (void)cause;
    client->bootstrap.own = true;
    if (client->bootstrap.state != DN_BOOTSTRAP_ENROLLING) {
        client->bootstrap.enrols = false;
    }
}

static void connect_again(dunlin_client *client, const bootstrap_cause *cause)
{
    (void)cause;
    client->counters.bootstraps += client->bootstrap.enrols ? 0 : 1;
    cancel_exchange(client);
    client->bootstrap.linger_ms = DN_NEVER;
    client->bootstrap_account->way.wanted = true;
    enter(client, DN_BOOTSTRAP_CONNECTING, DN_NEVER);
}

static void ask(dunlin_client *client, const bootstrap_cause *cause)
{
    dn_client_est_cancel(client);
    client->bootstrap.own = true;
    client->bootstrap.enrols = false;
    client->bootstrap.tries = client->bootstrap.sequences = 0;
    connect_again(client, cause);
}

static void enrol(dunlin_client *client, const bootstrap_cause *cause)
{
    client->bootstrap.tries = client->bootstrap.sequences = 0;
    client->bootstrap.enrols = true;
    connect_again(client, cause);
}

static void ask_for_way(dunlin_client *client)
{
    dn_account *account = client->bootstrap_account;
    bootstrap_cause failure = cause_of(dn_client_way_possible(account));
    if (failure.status != DUNLIN_OK) {
        dn_log_at(&client->log, DN_LOG_ERROR, DN_CLIENT_AREA,
                  "the bootstrap server cannot be reached as configured: %s",
                  dunlin_status_text(failure.status));
        happen(client, EVENT_BARRED, &failure);
        return;
    }
    if (client->config.call.connect != NULL) {
        dn_client_sleep_sending(client);
    }
    client->bootstrap.due_ms = client->now_ms + client->config.connect_ms;
    failure.status = dn_client_way_ask(account);
    if (failure.status == DUNLIN_OK) {
        happen(client, EVENT_WAY, NULL);
    } else if (failure.status != DUNLIN_END) {
        happen(client, EVENT_LOST, &failure);
    }
}

static void request(dunlin_client *client, const bootstrap_cause *cause)
{
    (void)cause;
    cancel_exchange(client);
    enter(client, DN_BOOTSTRAP_REQUESTING, DN_NEVER);
    const bootstrap_cause failure =
        cause_of(dn_client_bootstrap_request(client->bootstrap_account, on_result));
    if (failure.status != DUNLIN_OK) {
        happen(client, EVENT_LOST, &failure);
    }
}

/* It takes none of the formats that we prefer: let it choose by itself (section 6.1.7.1). */
static void request_plain(dunlin_client *client, const bootstrap_cause *cause)
{
    if (client->bootstrap.plain || !dn_client_bootstrap_request_prefers(client)) {
        failed(client, cause);
        return;
    }
    client->bootstrap.plain = true;
    request(client, cause);
}

static void begin_enrolling(dunlin_client *client);

static void way_is_there(dunlin_client *client, const bootstrap_cause *cause)
{
    if (client->bootstrap.enrols) {
        begin_enrolling(client);
    } else {
        request(client, cause);
    }
}

/* Without its certificate an account waits. */
static void begin_registrations(dunlin_client *client)
{
    for (dn_account *account = NULL; (account = dn_client_account_next(client, account)) != NULL;) {
        if (client->started && !dn_client_bootstrap_enrols(account)) {
            dn_client_registration_begin(account);
        }
    }
}

/* ---- failures ---- */

/* What led here is as it was before; so it is tried again as Object 1 resources 17 to 20 say. What the bootstrap server has begun by
   itself is for itself to begin again, as long as there is somebody else to turn to. FAILED is the end of it, for this client: not with a
   server, which may still go away. */
static void fail(dunlin_client *client, const bootstrap_cause *cause, bool again)
{
    dn_bootstrap *b = &client->bootstrap;
    uint64_t wait_ms = DN_NEVER;
    const bool lacks = b->enrols && dn_client_est_needed(client);
    cancel_exchange(client);
    client->counters.bootstraps_failed += b->enrols ? 0 : 1;
    if (b->enrols && !lacks) { /* a renewal: est.c knows when to try again */
        dn_client_est_put_off(client);
    }
    b->enrols = b->enrols && !b->own; /* a bootstrap that was needed meanwhile comes first */
    const bool own = b->own || lacks || client->account_count == 0;
    if (b->own || b->enrols || !client->config.bootstrap_stays) {
        drop_way(client);
    }
    if (own && again && dn_client_bootstrap_account_there(client)) {
        wait_ms = dn_client_backoff(&b->policy, &b->tries, &b->sequences);
    }
    if (wait_ms != DN_NEVER) {
        enter(client, DN_BOOTSTRAP_HOLDING, client->now_ms + wait_ms);
    } else {
        const bool ends = own && (b->enrols || !dn_client_registration_any(client));
        b->own = false;
        enter(client, ends ? DN_BOOTSTRAP_FAILED : DN_BOOTSTRAP_OFF, DN_NEVER);
    }
    if (b->state == DN_BOOTSTRAP_FAILED && b->enrols) {
        begin_registrations(client); /* what waited for a certificate fails now */
    }
    dn_log_at(&client->log, DN_LOG_WARN, DN_CLIENT_AREA, "bootstrap failed: %s, code %u.%02u",
              cause->status == DUNLIN_OK ? "refused" : dunlin_status_text(cause->status),
              (unsigned)cause->code >> 5, (unsigned)cause->code & 31);
    tell(client, DUNLIN_CLIENT_BOOTSTRAP_FAILED, cause, wait_ms);
}

static void failed(dunlin_client *client, const bootstrap_cause *cause)
{
    fail(client, cause, true);
}

/* To try again at once is of no use: as when the tries of a sequence are used up. */
static void barred(dunlin_client *client, const bootstrap_cause *cause)
{
    client->bootstrap.tries = client->bootstrap.policy.retry_count - 1;
    fail(client, cause, true);
}

/* Who was asked for a way has not said in time whether it comes. */
static void late(dunlin_client *client, const bootstrap_cause *cause)
{
    const bootstrap_cause failure = cause_of(DUNLIN_ERR_TIMEOUT);
    (void)cause;
    fail(client, &failure, true);
}

/* Everything is as it was before the bootstrap server began (section 6.1.8). */
static void take_back(dunlin_client *client)
{
    dn_client_image_return(client);
    client->bootstrap.finished = false;
    client->pair_due = true;
}

/* A bootstrap server may well hang up as soon as it knows that its Finish was taken. */
static void broken_off(dunlin_client *client, const bootstrap_cause *cause)
{
    const bootstrap_cause silence = cause_of(DUNLIN_ERR_TIMEOUT);
    if (client->bootstrap.finished) {
        carry_on(client, NULL);
        return;
    }
    take_back(client);
    fail(client, cause->status == DUNLIN_OK ? &silence : cause, true);
}

/* ---- while it is served ---- */

static uint64_t quiet_ms(const dunlin_client *client)
{
    return client->now_ms + client->config.bootstrap_quiet_ms;
}

/* What cannot be taken back must not be begun. */
static void serve(dunlin_client *client, const bootstrap_cause *cause)
{
    const bootstrap_cause failure = cause_of(dn_client_image_note(client));
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
        fail(client, &failure, false);
        return;
    }
    client->bootstrap.linger_ms = DN_NEVER;
    client->bootstrap.finished = false;
    client->bootstrap_account->way.wanted = false;
    enter(client, DN_BOOTSTRAP_SERVED, quiet_ms(client));
    dn_log_at(&client->log, DN_LOG_INFO, DN_CLIENT_AREA, "bootstrap begins");
    tell(client, DUNLIN_CLIENT_BOOTSTRAPPING, cause, DN_NEVER);
}

static void serve_instead(dunlin_client *client, const bootstrap_cause *cause)
{
    dn_client_est_cancel(client);
    serve(client, cause);
}

static void go_on(dunlin_client *client, const bootstrap_cause *cause)
{
    (void)cause;
    client->bootstrap.due_ms = quiet_ms(client);
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
        happen(client, EVENT_COMMAND, NULL);
        if (!dn_client_bootstrap_active(client)) {
            reply->code = DN_COAP_INTERNAL_ERROR;
        } else if (operation == DN_BOOTSTRAP_FINISH) {
            reply->code = dn_client_bootstrap_finish(client, reply);
        } else {
            reply->code = dn_client_bootstrap_operate(client, operation, incoming, body, reply);
        }
    }
    client->counters.refused += reply->code >= DN_COAP_BAD_REQUEST ? 1 : 0;
}

/* ---- the end of it ---- */

/* The way is of no more use, but for a Finish that comes again; or it is kept so that the bootstrap server can speak first. Over a stream
   nothing comes again. */
static void linger(dunlin_client *client)
{
    const dn_account *account = client->bootstrap_account;
    const bool plain = !dn_client_way_is_stream(account);
    if (!client->config.bootstrap_stays || !dn_client_bootstrap_account_there(client)) {
        client->bootstrap.linger_ms = client->now_ms + (plain ? LINGER_MS : 0);
    }
    client->bootstrap.own = client->bootstrap.enrols = false;
    enter(client, DN_BOOTSTRAP_OFF, DN_NEVER);
}

static void begin_enrolling(dunlin_client *client)
{
    const dn_account *account = client->bootstrap_account;
    const bootstrap_cause cause = cause_of(dn_client_est_start(client, &account->peer));
    enter(client, DN_BOOTSTRAP_ENROLLING, DN_NEVER);
    if (cause.status != DUNLIN_OK) {
        happen(client, EVENT_ENROLLED, &cause);
    }
}

static void carry_on(dunlin_client *client, const bootstrap_cause *cause)
{
    const bootstrap_cause done = cause_of(DUNLIN_OK);
    (void)cause;
    client->bootstrap.finished = client->bootstrap.own =
        false; /* what is needed from now on is another one */
    client->bootstrap.tries = client->bootstrap.sequences = 0;
    cancel_exchange(client);
    enter(client, DN_BOOTSTRAP_OFF, DN_NEVER); /* others are served again */
    dn_client_pair_accounts(client);
    client->bootstrap.vain = dunlin_client_registered(client) ? 0 : client->bootstrap.vain + 1;
    dn_log_at(&client->log, DN_LOG_INFO, DN_CLIENT_AREA, "bootstrapped: %u server accounts",
              (unsigned)client->account_count);
    tell(client, DUNLIN_CLIENT_BOOTSTRAPPED, &done, DN_NEVER);
    if (!dn_client_est_needed(client)) {
        linger(client);
    } else if (dn_client_way_open(client->bootstrap_account)) {
        begin_enrolling(client);
    } else {
        enrol(client, &done);
    }
    begin_registrations(client);
}

/* Accounts without a certificate wait, and what they wait for is tried again as a bootstrap is, but for the bootstrap itself. */
static void enrolled(dunlin_client *client, const bootstrap_cause *cause)
{
    if (cause->status != DUNLIN_OK) {
        dn_log_at(&client->log, DN_LOG_ERROR, DN_CLIENT_AREA, "no certificate: %s",
                  dunlin_status_text(cause->status));
        client->bootstrap.enrols = true;
        fail(client, cause, true);
        return;
    }
    linger(client);
    begin_registrations(client);
}

static void enrolment_cut(dunlin_client *client, const bootstrap_cause *cause)
{
    dn_client_est_cancel(client);
    enrolled(client, cause);
}

static void stop(dunlin_client *client, const bootstrap_cause *cause)
{
    (void)cause;
    cancel_exchange(client);
    dn_client_est_cancel(client);
    drop_way(client);
    client->bootstrap.asked = client->bootstrap.own = client->bootstrap.enrols = false;
    client->bootstrap_account->way.wanted = false;
    enter(client, DN_BOOTSTRAP_OFF, DN_NEVER);
}

static void stop_serving(dunlin_client *client, const bootstrap_cause *cause)
{
    if (client->bootstrap.finished) { /* it was answered: what was agreed on holds */
        client->bootstrap.finished = false;
        client->pair_due = true;
    } else {
        take_back(client);
    }
    stop(client, cause);
}

/* A reboot, or another address of the device: what leads to the server from where it was is of no use. */
static void restart(dunlin_client *client, const bootstrap_cause *cause)
{
    cancel_exchange(client);
    drop_way(client);
    connect_again(client, cause);
}

static void restart_serving(dunlin_client *client, const bootstrap_cause *cause)
{
    const bool own = client->bootstrap.own && !client->bootstrap.finished;
    stop_serving(client, cause);
    if (own) {
        ask(client, cause);
    }
}

/* ---- what others ask for ---- */

uint64_t dn_client_bootstrap_need(dunlin_client *client)
{
    if (!dn_client_bootstrap_account_there(client)) {
        return DN_NEVER;
    }
    happen(client, EVENT_NEED, NULL);
    const uint64_t due_ms = client->bootstrap.due_ms;
    if (due_ms == DN_NEVER) {
        return DN_NEVER;
    }
    return due_ms > client->now_ms ? due_ms - client->now_ms : 0;
}

void dn_client_bootstrap_alone(dunlin_client *client)
{
    const bootstrap_cause none = cause_of(DUNLIN_OK);
    if (client->bootstrap.state == DN_BOOTSTRAP_OFF) {
        tell(client, DUNLIN_CLIENT_BOOTSTRAP, &none, dn_client_bootstrap_need(client));
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
        enter(client, DN_BOOTSTRAP_OFF, DN_NEVER);
    }
    client->bootstrap.plain = false;
    dn_client_bootstrap_account_resume(client);
    if (dn_client_est_needed(client) && dn_client_bootstrap_account_there(client)) {
        happen(client, EVENT_ENROL, NULL);
    }
}

void dn_client_bootstrap_stop(dunlin_client *client)
{
    if (client->bootstrap_account != NULL) {
        happen(client, EVENT_STOP, NULL);
    }
}

void dn_client_bootstrap_restart(dunlin_client *client)
{
    if (client->bootstrap_account != NULL) {
        happen(client, EVENT_RESTART, NULL);
    }
}

/* ---- time ---- */

static void attend_way(dunlin_client *client)
{
    dn_account *account = client->bootstrap_account;
    const dn_way_news news = dn_client_way_step(account);
    if (news == DN_WAY_IS_GONE) {
        const bootstrap_cause cause = {account->way.gone_status, 0, account->way.gone_alert};
        const bool bars = dn_client_alert_response(cause.alert) == DN_ALERT_FAIL;
        happen(client, bars ? EVENT_BARRED : EVENT_CUT, &cause);
    } else if (news == DN_WAY_HAS_COME) {
        happen(client, EVENT_WAY, NULL);
    }
    if (account->way.wanted) {
        account->way.wanted = false;
        if (client->bootstrap.state == DN_BOOTSTRAP_CONNECTING) {
            ask_for_way(client);
        }
    }
}

/* Its timeout after a bootstrap is over (/0/x/12). Not while it is at work. */
static void purge(dunlin_client *client)
{
    const bootstrap_cause none = cause_of(DUNLIN_OK);
    client->bootstrap.purge_ms = DN_NEVER;
    if (!dn_client_bootstrap_account_there(client)) {
        return;
    }
    drop_way(client);
    dn_client_bootstrap_account_purge(client);
    enter(client, DN_BOOTSTRAP_OFF, DN_NEVER);
    dn_client_image_touch(client);
    (void)dn_client_image_save(client); /* a later step tries again */
    dn_log_at(&client->log, DN_LOG_INFO, DN_CLIENT_AREA, "the bootstrap server's account is gone");
    tell(client, DUNLIN_CLIENT_PURGED, &none, DN_NEVER);
}

static void attend_enrolment(dunlin_client *client)
{
    bootstrap_cause cause = cause_of(DUNLIN_OK);
    const dn_est_state state = dn_client_est_step(client, &cause.status);
    if (state == DN_EST_DONE) {
        cause.status = DUNLIN_OK;
        happen(client, EVENT_ENROLLED, &cause);
    } else if (state == DN_EST_FAILED || state == DN_EST_NOTHING) {
        cause.status = cause.status == DUNLIN_OK ? DUNLIN_ERR_IO : cause.status;
        happen(client, EVENT_ENROLLED, &cause);
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
        happen(client, EVENT_FINISHED, NULL);
    }
    if (b->asked) {
        b->asked = false;
        happen(client, EVENT_ASK, NULL);
    }
    if (b->due_ms <= client->now_ms) {
        happen(client, EVENT_DUE, NULL);
    }
    if (b->state == DN_BOOTSTRAP_ENROLLING) {
        attend_enrolment(client);
    }
    b->renew_ms = renewal_ms(client);
    if (b->renew_ms <= client->now_ms) {
        happen(client, EVENT_ENROL, NULL);
    }
    if (b->linger_ms <= client->now_ms) {
        drop_way(client);
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
