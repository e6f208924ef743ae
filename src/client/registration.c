/* SPDX-License-Identifier: Apache-2.0 */
/* The registration as a state machine: a table of what each event does in each state, and the actions. */
#include "client/registration.h"

#include "client/account.h"
#include "client/alerts.h"
#include "client/backoff.h"
#include "client/bootstrap.h"
#include "client/bootstrap_operation.h"
#include "client/card.h"
#include "client/observe.h"
#include "client/order.h"
#include "client/rd.h"
#include "client/registration_leave.h"
#include "client/sleep.h"
#include "client/stored.h"
#include "client/way.h"

/* An Update goes out this long before the lifetime ends, so that all its retransmissions still fit
   (MAX_TRANSMIT_WAIT); at half of a lifetime too short for that. */
#define UPDATE_MARGIN_MS 93000u
#define MS_PER_S         1000u

static dn_reg_action enter, begin, begin_delayed, blocked, register_now, register_here, registered, retry,
    unanswered, update, updated, forgotten, lost_registration, unanswered_update;
static dn_reg_action late, barred, cancel_and_bar, cancel_and_retry, cancel_and_register, cut_off,
    update_cut_off, renew, restart;

/* Empty: the event means nothing in that state. */
static dn_reg_action *const table[DN_REG_STATES][DN_REG_EVENTS] = {
    [DN_REG_IDLE] = {[DN_REG_ON_START] = enter, [DN_REG_ON_RESTART] = enter},
    [DN_REG_QUEUED] =
        {[DN_REG_ON_TURN] = begin_delayed, [DN_REG_ON_BLOCKED] = blocked, [DN_REG_ON_STOP] = dn_reg_stop_now},
    [DN_REG_WAITING] = {[DN_REG_ON_DUE] = register_now,
                        [DN_REG_ON_STOP] = dn_reg_stop_now,
                        [DN_REG_ON_RESTART] = restart,
                        [DN_REG_ON_START] = begin,
                        [DN_REG_ON_BARRED] = barred},
    [DN_REG_CONNECTING] = {[DN_REG_ON_DUE] = late,
                           [DN_REG_ON_WAY] = register_here,
                           [DN_REG_ON_CUT] = retry,
                           [DN_REG_ON_LOST] = retry,
                           [DN_REG_ON_BARRED] = barred,
                           [DN_REG_ON_STOP] = dn_reg_stop_now,
                           [DN_REG_ON_RESTART] = restart},
    [DN_REG_REGISTERING] = {[DN_REG_ON_OK] = registered,
                            [DN_REG_ON_REFUSED] = retry,
                            [DN_REG_ON_GONE] = retry,
                            [DN_REG_ON_LOST] = unanswered,
                            [DN_REG_ON_WAY] = cancel_and_register,
                            [DN_REG_ON_CUT] = cancel_and_retry,
                            [DN_REG_ON_BARRED] = cancel_and_bar,
                            [DN_REG_ON_STOP] = dn_reg_cancel_and_stop,
                            [DN_REG_ON_RESTART] = restart},
    [DN_REG_REGISTERED] = {[DN_REG_ON_DUE] = update,
                           [DN_REG_ON_WAY] = cancel_and_register,
                           [DN_REG_ON_CUT] = cut_off,
                           [DN_REG_ON_BARRED] = barred,
                           [DN_REG_ON_NEEDED] = renew,
                           [DN_REG_ON_STOP] = dn_reg_deregister,
                           [DN_REG_ON_RESTART] = restart,
                           [DN_REG_ON_DISABLE] = dn_reg_disable},
    [DN_REG_UPDATING] = {[DN_REG_ON_OK] = updated,
                         [DN_REG_ON_GONE] = forgotten,
                         [DN_REG_ON_REFUSED] = lost_registration,
                         [DN_REG_ON_LOST] = unanswered_update,
                         [DN_REG_ON_WAY] = cancel_and_register,
                         [DN_REG_ON_CUT] = update_cut_off,
                         [DN_REG_ON_BARRED] = cancel_and_bar,
                         [DN_REG_ON_STOP] = dn_reg_cancel_and_deregister,
                         [DN_REG_ON_RESTART] = restart,
                         [DN_REG_ON_DISABLE] = dn_reg_cancel_and_disable},
    [DN_REG_DEREGISTERING] = {[DN_REG_ON_OK] = dn_reg_stopped,
                              [DN_REG_ON_GONE] = dn_reg_stopped,
                              [DN_REG_ON_REFUSED] = dn_reg_stopped,
                              [DN_REG_ON_LOST] = dn_reg_stopped,
                              [DN_REG_ON_CUT] = dn_reg_cancel_and_stop,
                              [DN_REG_ON_BARRED] = dn_reg_cancel_and_stop},
    [DN_REG_DISABLING] = {[DN_REG_ON_OK] = dn_reg_disabled,
                          [DN_REG_ON_GONE] = dn_reg_disabled,
                          [DN_REG_ON_REFUSED] = dn_reg_disabled,
                          [DN_REG_ON_LOST] = dn_reg_disabled,
                          [DN_REG_ON_CUT] = dn_reg_cancel_and_disabled,
                          [DN_REG_ON_BARRED] = dn_reg_cancel_and_disabled,
                          [DN_REG_ON_STOP] = dn_reg_cancel_and_deregister,
                          [DN_REG_ON_RESTART] = restart},
    [DN_REG_DISABLED] = {[DN_REG_ON_DUE] = begin,
                         [DN_REG_ON_STOP] = dn_reg_stop_now,
                         [DN_REG_ON_START] = begin,
                         [DN_REG_ON_RESTART] = begin},
    [DN_REG_FAILED] =
        {[DN_REG_ON_START] = enter, [DN_REG_ON_RESTART] = enter, [DN_REG_ON_STOP] = dn_reg_stop_now},
};

dn_reg_cause dn_reg_cause_of(dunlin_status status)
{
    return (dn_reg_cause){status, 0, DN_ALERT_NONE};
}

void dn_reg_happen(dn_account *account, dn_reg_event event, const dn_reg_cause *cause)
{
    const dn_reg_cause none = dn_reg_cause_of(DUNLIN_OK);
    dn_reg_action *action = table[account->state][event];
    if (action != NULL) {
        action(account, cause == NULL ? &none : cause);
    }
}

static uint64_t now_of(const dn_account *account)
{
    return account->client->now_ms;
}

void dn_reg_tell(const dn_account *account, dunlin_client_event_kind kind, const dn_reg_cause *cause,
                 uint64_t retry_ms)
{
    const dunlin_client_event event = {
        .kind = kind,
        .server = account->ssid,
        .location = account->location,
        .code = cause->code,
        .status = cause->status,
        .retry_ms = retry_ms,
        .alert = cause->alert,
    };
    dn_client_tell(account->client, &event);
}

/* ---- answers ---- */

/* What the answer to the exchange of this state means. */
static dn_reg_event judge(dn_account *account, const dn_coap_response *response)
{
    switch (account->state) {
    case DN_REG_REGISTERING:
        return response->code == DN_COAP_CREATED && dn_client_rd_location(account, response->options)
                   ? DN_REG_ON_OK
                   : DN_REG_ON_REFUSED;
    case DN_REG_UPDATING:
        if (response->code == DN_COAP_NOT_FOUND) {
            return DN_REG_ON_GONE;
        }
        return response->code == DN_COAP_CHANGED ? DN_REG_ON_OK : DN_REG_ON_REFUSED;
    default:
        return response->code == DN_COAP_DELETED ? DN_REG_ON_OK : DN_REG_ON_REFUSED;
    }
}

void dn_reg_on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    dn_account *account = context;
    if (exchange != account->exchange || status == DUNLIN_ERR_CANCELLED) {
        return;
    }
    account->exchange = 0;
    dn_reg_cause cause = dn_reg_cause_of(status);
    if (response == NULL) {
        account->client->counters.timeouts++;
        dn_reg_happen(account, DN_REG_ON_LOST, &cause);
        return;
    }
    cause.code = response->code;
    dn_reg_happen(account, judge(account, response), &cause);
}

/* ---- actions ---- */

void dn_reg_cancel(dn_account *account)
{
    const uint64_t exchange = account->exchange;
    account->exchange = 0;
    if (exchange != 0) {
        (void)dn_coap_cancel(account->client->coap, exchange);
    }
}

/* When the next Update is due for the lifetime alone. 0 lasts for ever. */
static uint64_t next_update(const dn_account *account)
{
    const uint64_t lifetime_ms = (uint64_t)account->server->lifetime_s * MS_PER_S;
    if (lifetime_ms == 0) {
        return DN_NEVER;
    }
    return now_of(account) +
           (lifetime_ms > 2 * UPDATE_MARGIN_MS ? lifetime_ms - UPDATE_MARGIN_MS : lifetime_ms / 2);
}

/* Those with a place in the order wait for their turn; the others go by themselves. */
static void enter(dn_account *account, const dn_reg_cause *cause)
{
    account->turn = false;
    if (dn_client_account_policy(account).priority >= 0) {
        account->state = DN_REG_QUEUED;
        account->due_ms = DN_NEVER;
    } else {
        begin_delayed(account, cause);
    }
}

/* The Initial Registration Delay counts until the first success (Object 1, resource 14). */
static void begin_delayed(dn_account *account, const dn_reg_cause *cause)
{
    const uint64_t delay_ms = (uint64_t)dn_client_account_policy(account).initial_delay_s * MS_PER_S;
    if (account->succeeded || delay_ms == 0) {
        begin(account, cause);
        return;
    }
    account->tries = 0;
    account->sequences = 0;
    account->state = DN_REG_WAITING;
    account->due_ms = now_of(account) + delay_ms;
}

static void begin(dn_account *account, const dn_reg_cause *cause)
{
    account->tries = 0;
    account->sequences = 0;
    register_now(account, cause);
}

/* A reboot, or another address of the device: what leads to the server from where it was is of no use. */
static void restart(dn_account *account, const dn_reg_cause *cause)
{
    dn_reg_cancel(account);
    dn_client_way_drop(account);
    begin(account, cause);
}

/* The next step asks for a way, which may take its time. */
static void register_now(dn_account *account, const dn_reg_cause *cause)
{
    (void)cause;
    account->state = DN_REG_CONNECTING;
    account->due_ms = DN_NEVER;
    account->location[0] = '\0';
    account->way.wanted = true;
}

static void ask(dn_account *account)
{
    const dunlin_client *client = account->client;
    dn_reg_cause failure = dn_reg_cause_of(dn_client_way_possible(account));
    if (failure.status != DUNLIN_OK) {
        const char *why = dn_client_bootstrap_way_fault(account->client, account->security);
        dn_log_at(&client->log, DN_LOG_ERROR, DN_CLIENT_AREA, "server %d cannot be reached as configured: %s",
                  (int)account->ssid, why != NULL ? why : dunlin_status_text(failure.status));
        dn_reg_happen(account, DN_REG_ON_BARRED, &failure);
        return;
    }
    if (client->config.call.connect != NULL) {
        dn_client_sleep_sending(account->client);
    }
    account->due_ms = now_of(account) + client->config.connect_ms;
    failure.status = dn_client_way_ask(account);
    if (failure.status == DUNLIN_OK) {
        dn_reg_happen(account, DN_REG_ON_WAY, NULL);
    } else if (failure.status != DUNLIN_END) {
        dn_reg_happen(account, DN_REG_ON_LOST, &failure);
    }
}

static void register_here(dn_account *account, const dn_reg_cause *cause)
{
    (void)cause;
    if (!dn_client_card_holds(account)) {
        return; /* the next step ends it */
    }
    account->state = DN_REG_REGISTERING;
    account->location[0] = '\0';
    account->want = 0;
    const dn_reg_cause failure = dn_reg_cause_of(dn_client_rd_register(account, dn_reg_on_result));
    if (failure.status != DUNLIN_OK) {
        dn_reg_happen(account, DN_REG_ON_LOST, &failure);
    }
}

/* The surroundings have made another way by themselves. */
static void cancel_and_register(dn_account *account, const dn_reg_cause *cause)
{
    dn_reg_cancel(account);
    register_here(account, cause);
}

/* Who asked for it has not said in time whether it comes. */
static void late(dn_account *account, const dn_reg_cause *cause)
{
    const dn_reg_cause failure = dn_reg_cause_of(DUNLIN_ERR_TIMEOUT);
    (void)cause;
    dn_client_way_drop(account);
    retry(account, &failure);
}

/* A Register replaces what the server knew of us, our observers included (Core 1.1.1 section 6.2.1). */
static void registered(dn_account *account, const dn_reg_cause *cause)
{
    dn_client_observe_drop(account->client, account);
    account->state = DN_REG_REGISTERED;
    account->succeeded = true;
    account->renewing = false;
    account->way.asked = 0;
    if (dunlin_client_registered(account->client)) {
        dn_client_bootstrap_needless(account->client);
    }
    account->due_ms = account->want != 0 ? now_of(account) : next_update(account);
    dn_log_at(&account->client->log, DN_LOG_INFO, DN_CLIENT_AREA, "registered as %s with server %d",
              account->location, (int)account->ssid);
    dn_client_stored_wake(account);
    dn_reg_tell(account, DUNLIN_CLIENT_REGISTERED, cause, DN_NEVER);
    dn_client_order_ended(account, true);
}

/* Registration has come to its end without success, and nothing more is tried (Core 1.1.1 section 6.2.1.1).
   Before 1.1 it is up to all servers together whether to bootstrap. */
static void fail(dn_account *account, const dn_reg_cause *cause)
{
    dunlin_client *client = account->client;
    bool all = true;
    dn_client_way_drop(account);
    account->renewing = false;
    account->state = DN_REG_FAILED;
    account->due_ms = DN_NEVER;
    dn_reg_tell(account, DUNLIN_CLIENT_FAILED, cause, DN_NEVER);
    for (const dn_account *each = NULL; (each = dn_client_account_next(client, each)) != NULL;) {
        all = all && each->state == DN_REG_FAILED;
    }
    if (dn_client_account_policy(account).failure_bootstraps &&
        (all || client->config.lwm2m != DUNLIN_LWM2M_1_0)) {
        dn_reg_tell(account, DUNLIN_CLIENT_BOOTSTRAP, cause, dn_client_bootstrap_need(client));
    }
}

static void blocked(dn_account *account, const dn_reg_cause *cause)
{
    fail(account, cause);
}

/* The same as when all tries are used up (Transport 1.1.1 section 5.2.9: Fail). */
static void barred(dn_account *account, const dn_reg_cause *cause)
{
    fail(account, cause);
    dn_client_order_ended(account, false);
}

static void cancel_and_bar(dn_account *account, const dn_reg_cause *cause)
{
    dn_reg_cancel(account);
    barred(account, cause);
}

/* A refusal counts as any other failure. */
static void retry(dn_account *account, const dn_reg_cause *cause)
{
    const dunlin_registration_policy policy = dn_client_account_policy(account);
    const uint64_t wait_ms = dn_client_backoff(&policy, &account->tries, &account->sequences);
    const bool sequence_failed = account->tries == 0 || wait_ms == DN_NEVER;
    account->state = DN_REG_WAITING;
    account->due_ms = wait_ms == DN_NEVER ? DN_NEVER : now_of(account) + wait_ms;
    if (sequence_failed) {
        dn_client_way_drop(account);
    }
    dn_reg_tell(account, cause->code != 0 ? DUNLIN_CLIENT_REFUSED : DUNLIN_CLIENT_UNREACHABLE, cause,
                wait_ms);
    if (wait_ms == DN_NEVER) {
        fail(account, cause);
    }
    if (sequence_failed) {
        dn_client_order_ended(account, false);
    }
}

static void cancel_and_retry(dn_account *account, const dn_reg_cause *cause)
{
    dn_reg_cancel(account);
    retry(account, cause);
}

/* Silence over a session or a stream may mean that only this end still knows of it, as after a restart of the
   server: the next try has to begin with a new one. Plain datagrams have no such state. */
static void distrust(dn_account *account, const dn_reg_cause *cause)
{
    if (cause->status == DUNLIN_ERR_TIMEOUT && account->way.transport != DN_TRANSPORT_UDP) {
        dn_client_way_drop(account);
    }
}

static void unanswered(dn_account *account, const dn_reg_cause *cause)
{
    distrust(account, cause);
    retry(account, cause);
}

/* ---- while registered ---- */

static void update(dn_account *account, const dn_reg_cause *cause)
{
    account->due_ms = DN_NEVER;
    if (!dn_client_card_holds(account)) {
        return; /* the next step ends it */
    }
    if ((account->want & DN_WANT_BINDING) != 0 || !dn_client_way_open(account)) {
        renew(account, cause);
        return;
    }
    account->state = DN_REG_UPDATING;
    account->since_ms = now_of(account);
    const dn_reg_cause failure = dn_reg_cause_of(dn_client_rd_update(account, dn_reg_on_result));
    if (failure.status != DUNLIN_OK) {
        dn_reg_happen(account, DN_REG_ON_LOST, &failure);
    }
}

static void updated(dn_account *account, const dn_reg_cause *cause)
{
    account->state = DN_REG_REGISTERED;
    account->sent = 0;
    account->due_ms = account->want != 0 ? now_of(account) : next_update(account);
    dn_client_stored_wake(account);
    dn_reg_tell(account, DUNLIN_CLIENT_UPDATED, cause, DN_NEVER);
}

/* That the server does not know us any more is no refusal: it lets us register again. */
static void forgotten(dn_account *account, const dn_reg_cause *cause)
{
    dn_log_at(&account->client->log, DN_LOG_INFO, DN_CLIENT_AREA,
              "server %d has forgotten %s, registering again", (int)account->ssid, account->location);
    begin(account, cause);
}

/* An Update that fails, for whatever other reason, leaves nothing to rely on: register anew, at once. */
static void lost_registration(dn_account *account, const dn_reg_cause *cause)
{
    dn_reg_tell(account, cause->code != 0 ? DUNLIN_CLIENT_REFUSED : DUNLIN_CLIENT_UNREACHABLE, cause, 0);
    begin(account, cause);
}

static void unanswered_update(dn_account *account, const dn_reg_cause *cause)
{
    distrust(account, cause);
    lost_registration(account, cause);
}

/*
 * A new way, and by it a Register, not an Update: a new security context asks for it (Transport 1.1.1 section 6.4.3), and
 * over TCP the tokens of the observations ended with their connection (RFC 8323 section 3), which only a Register tells every
 * server. One that was lost again soon after it had come up counts as a failed try, so that a server which
 * accepts and hangs up is not asked time and again.
 */
static void renew(dn_account *account, const dn_reg_cause *cause)
{
    account->renewing = true;
    account->due_ms = DN_NEVER;
    if (account->way.state == DN_WAY_NONE && account->way.brief) {
        account->way.brief = false;
        retry(account, cause);
    } else {
        begin(account, cause);
    }
}

/* Where the server could not begin a new one, at once; a session over datagrams when there is something to send, as the
   device may be asleep and the server has closed it to save memory. */
static void cut_off(dn_account *account, const dn_reg_cause *cause)
{
    account->renewing = true;
    if (dn_client_way_is_stream(account)) {
        renew(account, cause);
    }
}

static void update_cut_off(dn_account *account, const dn_reg_cause *cause)
{
    dn_reg_cancel(account);
    renew(account, cause);
}

/* ---- the way ---- */

/* An alert to be ignored says nothing, but the way is gone all the same: as without any. */
static void cut(dn_account *account)
{
    const dn_account_way *way = &account->way;
    const dn_reg_cause cause = {way->gone_status, 0, way->gone_alert};
    const bool bars = dn_client_alert_response(way->gone_alert) == DN_ALERT_FAIL;
    dn_reg_happen(account, bars ? DN_REG_ON_BARRED : DN_REG_ON_CUT, &cause);
}

void dn_client_registration_ways(dn_account *account)
{
    const dn_way_news news = dn_client_way_step(account);
    if (news == DN_WAY_IS_GONE) {
        cut(account);
    } else if (news == DN_WAY_HAS_COME) {
        dn_reg_happen(account, DN_REG_ON_WAY, NULL);
    }
    if (account->way.wanted) {
        account->way.wanted = false;
        if (account->state == DN_REG_CONNECTING) {
            ask(account);
        }
    }
}

void dn_client_registration_need(dn_account *account)
{
    const dn_reg_cause cause = dn_reg_cause_of(DUNLIN_ERR_IO);
    if (account->way.state == DN_WAY_NONE) {
        dn_reg_happen(account, DN_REG_ON_NEEDED, &cause);
    }
}

/* ---- what others ask for ---- */

void dn_client_registration_turn(dn_account *account)
{
    dn_reg_happen(account, DN_REG_ON_TURN, NULL);
}

void dn_client_registration_block(dn_account *account)
{
    dn_reg_happen(account, DN_REG_ON_BLOCKED, NULL);
}

bool dn_client_registration_busy(const dn_account *account)
{
    return account->exchange != 0 || account->state == DN_REG_CONNECTING;
}

void dn_client_registration_start(dn_account *account)
{
    dn_reg_happen(account, DN_REG_ON_START, NULL);
}

void dn_client_registration_stop(dn_account *account)
{
    dn_reg_happen(account, DN_REG_ON_STOP, NULL);
}

/* Not an event of the table: it is the end of the machine itself, in whatever state. */
void dn_client_registration_end(dn_account *account)
{
    const dn_reg_cause cause = dn_reg_cause_of(DUNLIN_ERR_CANCELLED);
    const bool silent = account->state == DN_REG_IDLE || account->state == DN_REG_FAILED;
    dn_reg_cancel(account);
    if (silent) {
        dn_reg_forget_reports(account);
        dn_client_way_drop(account);
    } else {
        dn_reg_stop_now(account, &cause);
    }
    dn_client_order_ended(account, true); /* those that wait for it go on */
    (void)dn_client_way_step(account);
}

void dn_client_registration_restart(dn_account *account)
{
    dn_reg_happen(account, DN_REG_ON_RESTART, NULL);
}

void dn_client_registration_disable(dn_account *account)
{
    account->want |= DN_WANT_DISABLE;
    if (account->state == DN_REG_REGISTERED) {
        account->due_ms = now_of(account);
    }
}

void dn_client_registration_want(dn_account *account, uint8_t want)
{
    account->want |= want;
    if (account->state == DN_REG_REGISTERED) {
        account->due_ms = now_of(account);
    }
}

void dn_client_registration_want_all(dunlin_client *client, uint8_t want)
{
    for (dn_account *account = NULL; (account = dn_client_account_next(client, account)) != NULL;) {
        dn_client_registration_want(account, want);
    }
}

void dn_client_registration_begin(dn_account *account)
{
    switch (account->state) {
    case DN_REG_REGISTERED:
    case DN_REG_UPDATING:
        dn_client_registration_want(account, DN_WANT_LIST);
        break;
    case DN_REG_IDLE:
    case DN_REG_FAILED:
    case DN_REG_WAITING:
        account->succeeded = false; /* Object 1, resource 14: until the first success after a bootstrap */
        dn_reg_happen(account, DN_REG_ON_START, NULL);
        break;
    default:
        break;
    }
}

bool dn_client_registration_holds(const dn_account *account)
{
    return account->state == DN_REG_REGISTERED || account->state == DN_REG_UPDATING;
}

bool dn_client_registration_any(const dunlin_client *client)
{
    const dn_account *account = dn_client_account_next(client, NULL);
    while (account != NULL && !dn_client_registration_holds(account)) {
        account = dn_client_account_next(client, account);
    }
    return account != NULL;
}

void dn_client_registration_step(dn_account *account)
{
    if ((account->want & DN_WANT_DISABLE) != 0 && dn_client_registration_holds(account)) {
        account->want = 0;
        dn_reg_happen(account, DN_REG_ON_DISABLE, NULL);
    } else if (account->due_ms <= now_of(account)) {
        dn_reg_happen(account, DN_REG_ON_DUE, NULL);
    }
}

uint64_t dn_client_registration_deadline(const dn_account *account)
{
    if (dn_client_way_due(account)) {
        return 0;
    }
    switch (account->state) {
    case DN_REG_UPDATING:
        return (account->want & DN_WANT_DISABLE) != 0 ? 0 : DN_NEVER;
    case DN_REG_WAITING:
    case DN_REG_CONNECTING:
    case DN_REG_REGISTERED:
    case DN_REG_DISABLED:
        return account->due_ms;
    default:
        return DN_NEVER;
    }
}
