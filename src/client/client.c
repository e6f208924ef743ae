/* SPDX-License-Identifier: Apache-2.0 */
/* The client as a whole: its parts in the arena, its engine, and time. */
#include "client/account.h"
#include "client/alerts.h"
#include "client/bootstrap.h"
#include "client/bootstrap_account.h"
#include "client/card.h"
#include "client/config.h"
#include "client/download.h"
#include "client/est.h"
#include "client/image.h"
#include "client/objects.h"
#include "client/observe.h"
#include "client/order.h"
#include "client/registration.h"
#include "client/security.h"
#include "client/send.h"
#include "client/sleep.h"
#include "client/stored.h"
#include "client/stream.h"
#include "client/way.h"
#include <string.h>

_Static_assert(DUNLIN_PEER_MAX == DN_PEER_MAX, "public and internal peers hold the same");
_Static_assert(DN_CREDENTIALS == sizeof(((dn_account_security *)0)->len) / sizeof(uint16_t),
               "one length for each");
_Static_assert((int)DUNLIN_LOG_ERROR == (int)DN_LOG_ERROR, "public and internal log levels are the same");

size_t dn_client_round(size_t size)
{
    return (size + DUNLIN_ARENA_ALIGN - 1) / DUNLIN_ARENA_ALIGN * DUNLIN_ARENA_ALIGN;
}

void *dn_client_take(dunlin_client *client, size_t size)
{
    const size_t rounded = dn_client_round(size);
    if (rounded > client->arena_size - client->arena_used) {
        return NULL;
    }
    void *memory = client->arena + client->arena_used;
    client->arena_used += rounded;
    memset(memory, 0, rounded);
    return memory;
}

void dn_client_tell(dunlin_client *client, const dunlin_client_event *event)
{
    dunlin_client_event told = *event;
    if (client->config.call.event == NULL) {
        return;
    }
    if (told.kind != DUNLIN_CLIENT_UNREACHABLE && told.kind != DUNLIN_CLIENT_DISCONNECTED &&
        told.kind != DUNLIN_CLIENT_FAILED) {
        told.alert = DN_ALERT_NONE;
    }
    client->config.call.event(client->config.call.context, &told);
}

int64_t dn_client_unix_s(const dunlin_client *client)
{
    const dunlin_client_callbacks *call = &client->config.call;
    return call->unix_s == NULL ? -1 : call->unix_s(call->context);
}

size_t dunlin_client_arena_used(const dunlin_client *client)
{
    return client->arena_used;
}

/* ---- what the engine asks and tells ---- */

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    dunlin_client *client = context;
    dunlin_peer to = {.len = peer->len};
    memcpy(to.bytes, peer->bytes, sizeof to.bytes);
    client->counters.datagrams_sent++;
    dn_client_sleep_sending(client);
    client->config.call.send(client->config.call.context, &to, datagram);
}

static void on_log(void *context, dn_log_level level, const char *area, const char *message)
{
    const dunlin_client *client = context;
    client->config.call.log(client->config.call.context, (dunlin_log_level)level, area, message);
}

static bool comes_from(const dn_account *account, const dn_peer *peer)
{
    return account->peer.len != 0 && dn_peer_equal(&account->peer, peer);
}

/* While the bootstrap server is at work it is the one, should another one be at the same place. */
static bool is_bootstrap_peer(const dunlin_client *client, const dn_peer *peer)
{
    return client->bootstrap_account != NULL && dn_client_bootstrap_busy(client) &&
           comes_from(client->bootstrap_account, peer);
}

static dn_account *account_of(dunlin_client *client, const dn_peer *peer)
{
    dn_account *account = NULL;
    if (is_bootstrap_peer(client, peer)) {
        return client->bootstrap_account;
    }
    do {
        account = dn_client_account_next(client, account);
    } while (account != NULL && !comes_from(account, peer));
    if (account == NULL && client->bootstrap_account != NULL && comes_from(client->bootstrap_account, peer)) {
        return client->bootstrap_account;
    }
    return account;
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    dunlin_client *client = context;
    dn_account *account = account_of(client, &request->peer);
    if (account == NULL) { /* receive lets nobody else through */
        dn_coap_reply_init(reply, DN_COAP_UNAUTHORIZED);
    } else if (account == client->bootstrap_account) {
        dn_client_bootstrap_serve(client, request, body, reply);
    } else if (dn_client_bootstrap_active(client)) {
        reply->code = DN_COAP_UNAVAILABLE; /* Core 1.1.1 section 6.1.6 */
    } else {
        dn_client_dispatch(client, account, request, NULL, body, reply);
    }
    return DN_COAP_ANSWERED;
}

static bool on_streams(void *context, const dn_coap_incoming *request)
{
    dunlin_client *client = context;
    return account_of(client, &request->peer) != client->bootstrap_account &&
           dn_client_stream_wants(client, request);
}

static void on_piece(void *context, const dn_coap_incoming *request, uint64_t offset, bool more,
                     dunlin_buf *body, dn_coap_reply *reply)
{
    dunlin_client *client = context;
    dn_account *account = account_of(client, &request->peer);
    const dunlin_piece piece = {.offset = offset, .bytes = request->payload, .more = more};
    if (account == NULL) {
        dn_coap_reply_init(reply, DN_COAP_UNAUTHORIZED);
    } else if (account == client->bootstrap_account || dn_client_bootstrap_active(client)) {
        reply->code = DN_COAP_UNAVAILABLE;
    } else {
        dn_client_dispatch(client, account, request, &piece, body, reply);
    }
}

static void on_piece_lost(void *context, const dn_peer *peer, uint64_t key)
{
    (void)peer;
    dn_client_stream_lost(context, key);
}

static bool on_notification(void *context, const dn_peer *peer, const dn_coap_response *notification)
{
    (void)context;
    (void)peer;
    (void)notification;
    return false; /* we observe nobody */
}

static void on_observer_gone(void *context, const dn_peer *peer, const dn_coap_token *token)
{
    dunlin_client *client = context;
    const dn_account *account = account_of(client, peer);
    if (account != NULL && account != client->bootstrap_account) {
        dn_client_observe_reset(client, account, token);
    }
}

static void on_stream_ended(void *context, const dn_peer *peer, dunlin_status status, dunlin_slice detail)
{
    dunlin_client *client = context;
    dn_account *account = account_of(client, peer);
    if (account != NULL) {
        dn_log_at(&client->log, DN_LOG_INFO, DN_CLIENT_AREA, "the stream to server %d ends: %s %.*s",
                  (int)account->ssid, dunlin_status_text(status), (int)detail.len,
                  detail.len == 0 ? "" : (const char *)detail.data);
        dn_client_way_ending(account, status);
    }
}

static bool create_engine(dunlin_client *client, uint64_t now_ms)
{
    const dn_coap_config config = dn_client_config_coap(&client->config);
    const size_t size = dn_coap_arena_size(&config);
    const dn_coap_callbacks callbacks = {
        .send = on_send,
        .request = on_request,
        .notification = on_notification,
        .observer_gone = on_observer_gone,
        .streams = on_streams,
        .piece = on_piece,
        .piece_lost = on_piece_lost,
        .stream_ended = on_stream_ended,
        .context = client,
    };
    void *memory = size == 0 ? NULL : dn_client_take(client, size);
    if (memory == NULL) {
        return false;
    }
    client->coap = dn_coap_create(memory, size, &config, &callbacks, &client->random,
                                  client->log.write == NULL ? NULL : &client->log, now_ms);
    return client->coap != NULL;
}

static bool take_accounts(dunlin_client *client)
{
    const dunlin_client_config *config = &client->config;
    const size_t securities = dn_client_securities_max(config);
    const size_t credentials = securities * dn_client_security_size(config);
    client->accounts = dn_client_take(client, securities * sizeof(dn_account));
    client->card_file = config->call.smartcard == NULL ? NULL : dn_client_take(client, config->max_body);
    client->securities = dn_client_take(client, securities * sizeof(dn_security_instance));
    client->servers = dn_client_take(client, config->servers * sizeof(dn_server_instance));
    client->credentials = credentials == 0 ? NULL : dn_client_take(client, credentials);
    bool taken = client->accounts != NULL && client->securities != NULL && client->servers != NULL &&
                 (credentials == 0 || client->credentials != NULL);
    for (size_t i = 0; taken && i < config->servers; i++) {
        client->accounts[i].client = client;
        client->accounts[i].list = dn_client_take(client, config->list_max);
        taken = client->accounts[i].list != NULL;
    }
    if (taken && config->bootstrap) {
        client->bootstrap_account = &client->accounts[config->servers];
        client->bootstrap_account->client = client;
    }
    return taken;
}

static bool take_tables(dunlin_client *client)
{
    const dunlin_client_config *config = &client->config;
    client->objects = dn_client_take(client, config->objects * sizeof(dn_object_slot));
    client->observations =
        dn_client_take(client, ((size_t)config->observations + config->composites) * sizeof(dn_observation));
    client->observed = dn_client_take(client, dn_client_config_observed_max(config) * sizeof(dunlin_path));
    client->told = dn_client_take(client, dn_client_config_observed_max(config) * sizeof(dn_told));
    client->stored = dn_client_take(client, config->stored * sizeof(dn_stored));
    client->stored_bytes = dn_client_take(client, config->stored_max);
    client->attributes = dn_client_take(client, config->attributes * sizeof(dn_attributes));
    client->work = dn_client_take(client, config->max_body);
    client->undo = dn_client_take(client, config->undo_max);
    client->sends = dn_client_take(client, config->sends * sizeof(dn_send));
    client->send_bytes = dn_client_take(client, dn_client_config_send_bytes(config));
    return client->sends != NULL && client->send_bytes != NULL && client->objects != NULL &&
           client->observations != NULL && client->attributes != NULL && client->work != NULL &&
           client->undo != NULL && take_accounts(client);
}

dunlin_client *dunlin_client_create(void *arena, size_t size, const dunlin_client_config *config,
                                    uint64_t now_ms)
{
    const size_t needed = dunlin_client_arena_size(config);
    if (needed == 0 || size < needed || !dn_client_config_valid(config) ||
        (uintptr_t)arena % DUNLIN_ARENA_ALIGN != 0) {
        return NULL;
    }
    dunlin_client *client = arena;
    memset(client, 0, sizeof *client);
    client->arena = arena;
    client->arena_size = size;
    client->arena_used = dn_client_round(sizeof *client);
    client->config = *config;
    client->now_ms = now_ms;
    client->observe_due_ms = client->stored_due_ms = client->awake_until_ms = DN_NEVER;
    client->bootstrap.due_ms = client->bootstrap.linger_ms = client->bootstrap.purge_ms = DN_NEVER;
    client->bootstrap.renew_ms = DN_NEVER;
    client->random = (dn_random){config->call.random, config->call.context};
    if (config->call.log != NULL) {
        client->log = (dn_log){on_log, client, (dn_log_level)config->log_least};
    }
    if (!take_tables(client) || !dn_client_image_create(client) || !dn_client_est_create(client) ||
        !create_engine(client, now_ms) ||
        dunlin_client_add_object(client, &dn_client_object_security, client->securities,
                                 dn_client_securities_max(config), 0, NULL) != DUNLIN_OK ||
        dunlin_client_add_object(client, dn_client_config_server_object(config), client->servers,
                                 config->servers, 0, NULL) != DUNLIN_OK) {
        return NULL;
    }
    return client;
}

/* ---- servers ---- */

/* Ways come, go and are asked for. One that there cannot be ends a turn in the order of servers, and the next one begins. */
static void attend_ways(dunlin_client *client)
{
    if (dn_client_bootstrap_active(client)) {
        return; /* what happens to them waits until it is clear which of them there are */
    }
    for (uint16_t turn = 0; turn <= client->account_count; turn++) {
        bool due = false;
        dn_account *account = NULL;
        while ((account = dn_client_account_next(client, account)) != NULL) {
            dn_client_registration_ways(account);
        }
        dn_client_order_step(client);
        while ((account = dn_client_account_next(client, account)) != NULL) {
            due = due || dn_client_way_due(account);
        }
        if (!due) {
            return;
        }
    }
}

/* Instances of Objects 0 and 1 have come or gone. New accounts begin like those that were there at the start. */
static void settle(dunlin_client *client)
{
    if (!client->pair_due || dn_client_bootstrap_active(client)) {
        return;
    }
    dn_client_pair_accounts(client);
    for (dn_account *account = NULL; (account = dn_client_account_next(client, account)) != NULL;) {
        if (client->started && account->state == DN_REG_IDLE) {
            dn_client_registration_begin(account);
        }
    }
    if (client->started && client->account_count == 0) {
        dn_client_bootstrap_alone(client);
    }
}

static void each_account(dunlin_client *client, void (*act)(dn_account *))
{
    if (dn_client_bootstrap_active(client)) {
        return;
    }
    for (dn_account *account = NULL; (account = dn_client_account_next(client, account)) != NULL;) {
        dn_client_registration_ways(account); /* as if it had been told before */
        act(account);
    }
    attend_ways(client);
}

/* Section 6.1.3 of Core 1.1.1: what the card gives, else what there is from before, is what to register with. */
static void enter(dunlin_client *client, uint64_t now_ms)
{
    client->now_ms = now_ms;
    if (!client->started && !dn_client_bootstrap_active(client)) {
        dn_client_card_read(client);
        dn_client_pair_accounts(client);
    }
    client->started = true;
}

/* With no account to register with there is only the bootstrap server. */
static void turn_to_bootstrap(dunlin_client *client)
{
    if (client->account_count == 0) {
        dn_client_bootstrap_alone(client);
    }
    dn_client_bootstrap_step(client);
}

/* What has no certificate yet begins when it is there. */
static void start_or_wait(dn_account *account)
{
    if (!dn_client_bootstrap_enrols(account)) {
        dn_client_registration_start(account);
    }
}

void dunlin_client_start(dunlin_client *client, uint64_t now_ms)
{
    enter(client, now_ms);
    dn_client_bootstrap_start(client);
    each_account(client, start_or_wait);
    turn_to_bootstrap(client);
}

void dunlin_client_stop(dunlin_client *client, uint64_t now_ms)
{
    client->now_ms = now_ms;
    client->started = false;
    dn_client_bootstrap_stop(client);
    settle(client);
    each_account(client, dn_client_registration_stop);
    dn_client_bootstrap_step(client);
}

void dunlin_client_restart(dunlin_client *client, uint64_t now_ms)
{
    enter(client, now_ms);
    dn_client_bootstrap_restart(client);
    settle(client);
    each_account(client, dn_client_registration_restart);
    turn_to_bootstrap(client);
}

void dunlin_client_update(dunlin_client *client)
{
    dn_client_registration_want_all(client, DN_WANT_UPDATE);
}

bool dunlin_client_stopped(const dunlin_client *client)
{
    if (dn_client_bootstrap_busy(client) ||
        (client->bootstrap_account != NULL && dn_client_way_due(client->bootstrap_account))) {
        return false;
    }
    for (const dn_account *account = NULL; (account = dn_client_account_next(client, account)) != NULL;) {
        const dn_reg_state state = account->state;
        if ((state != DN_REG_IDLE && state != DN_REG_FAILED) || dn_client_way_due(account)) {
            return false;
        }
    }
    return true;
}

bool dunlin_client_registered(const dunlin_client *client)
{
    for (const dn_account *account = NULL; (account = dn_client_account_next(client, account)) != NULL;) {
        if (!dn_client_registration_holds(account)) {
            return false;
        }
    }
    return client->account_count > 0;
}

/* ---- datagrams and time ---- */

/* During a bootstrap everything else rests (Core 1.1.1 section 6.1.6). */
static void advance(dunlin_client *client)
{
    if (dn_client_bootstrap_active(client)) {
        dn_client_image_step(client);
        return;
    }
    for (dn_account *account = NULL; (account = dn_client_account_next(client, account)) != NULL;) {
        dn_client_registration_step(account);
    }
    dn_client_order_step(client);
    dn_client_observe_step(client);
    dn_client_stored_step(client);
    dn_client_send_step(client);
    dn_client_image_step(client);
    dn_client_sleep_step(client);
}

/* Where the code stands: behind the length of a message on a stream, of 0, 1, 2 or 4 bytes (RFC 8323 section 3.2). */
static size_t code_at(const dn_account *account, uint8_t first)
{
    static const uint8_t extended[] = {[13] = 1, [14] = 2, [15] = 4};
    return dn_client_way_is_stream(account) ? 1u + extended[first >> 4] : 1u;
}

/* A CoAP request: class 0, and not the empty message of a ping or a Reset (RFC 7252 section 3). */
static bool is_request(const dn_account *account, dunlin_slice message)
{
    const size_t at = message.len == 0 ? 0 : code_at(account, message.data[0]);
    return message.len > at && message.data[at] != DN_COAP_EMPTY && message.data[at] >> 5 == 0;
}

static bool may_ask(const dunlin_client *client, const dn_account *account)
{
    return account == client->bootstrap_account ? dn_client_bootstrap_account_there(client)
                                                : dn_client_registration_holds(account);
}

void dunlin_client_receive(dunlin_client *client, const dunlin_peer *peer, dunlin_slice datagram,
                           uint64_t now_ms)
{
    dn_peer from = {.len = peer->len};
    memcpy(from.bytes, peer->bytes, sizeof from.bytes);
    client->now_ms = now_ms;
    client->counters.datagrams_received++;
    dn_account *account = account_of(client, &from);
    if (account == NULL && !dn_client_download_expects(client, &from, datagram)) {
        client->counters.strangers++;
        return;
    }
    /* Before a Register is acknowledged requests are ignored, not even refused (Core 1.1.1 section 6.2). */
    if (account != NULL && is_request(account, datagram) && !may_ask(client, account)) {
        client->counters.not_expected++;
        return;
    }
    if (account != NULL && account->silent) {
        dn_client_stored_wake(account);
    }
    dn_coap_receive(client->coap, &from, datagram, now_ms);
    advance(client);
}

static dn_peer peer_of(const dunlin_peer *peer)
{
    dn_peer copy = {.len = peer->len};
    memcpy(copy.bytes, peer->bytes, sizeof copy.bytes);
    return copy;
}

static dn_account *account_by(dunlin_client *client, uint16_t server)
{
    return server == DUNLIN_BOOTSTRAP_SERVER ? client->bootstrap_account : dn_client_account(client, server);
}

void dunlin_client_connected(dunlin_client *client, uint16_t server, const dunlin_peer *peer, uint64_t now_ms)
{
    const dn_peer at = peer_of(peer);
    dn_account *account = account_by(client, server);
    client->now_ms = now_ms;
    if (account != NULL) {
        dn_client_way_came(account, &at);
    }
}

void dunlin_client_disconnected(dunlin_client *client, uint16_t server, dunlin_status status, int alert,
                                uint64_t now_ms)
{
    dn_account *account = account_by(client, server);
    client->now_ms = now_ms;
    if (account != NULL) {
        dn_client_way_gone(account, status, alert);
    }
}

void dunlin_client_step(dunlin_client *client, uint64_t now_ms)
{
    client->now_ms = now_ms;
    dn_coap_expire(client->coap, now_ms);
    dn_client_bootstrap_step(client);
    settle(client);
    attend_ways(client);
    advance(client);
    attend_ways(client); /* what that has led to */
    settle(client);
}

uint64_t dunlin_client_deadline(const dunlin_client *client)
{
    uint64_t due = dn_coap_deadline(client->coap);
    const uint64_t bootstrap_due = dn_client_bootstrap_deadline(client);
    due = bootstrap_due < due ? bootstrap_due : due;
    const uint64_t image_due = dn_client_image_deadline(client);
    due = image_due < due ? image_due : due;
    if (dn_client_bootstrap_active(client)) {
        return due;
    }
    const uint64_t others[] = {client->observe_due_ms, client->stored_due_ms,
                               dn_client_sleep_deadline(client), dn_client_send_deadline(client),
                               client->pair_due ? 0 : DN_NEVER};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        due = others[i] < due ? others[i] : due;
    }
    for (const dn_account *account = NULL; (account = dn_client_account_next(client, account)) != NULL;) {
        const uint64_t at = dn_client_registration_deadline(account);
        due = at < due ? at : due;
    }
    return due;
}

void dunlin_changed(dunlin_client *client, dunlin_path path)
{
    dn_client_image_changed(client, path);
    dn_client_observe_changed(client, path);
}

dunlin_client_counters dunlin_client_count(const dunlin_client *client)
{
    return client->counters;
}
