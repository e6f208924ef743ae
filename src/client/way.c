/* SPDX-License-Identifier: Apache-2.0 */
/* Asking for ways, and what is known of them. */
#include "client/way.h"

#include "client/account.h"
#include "client/alerts.h"
#include "client/download.h"
#include "client/est.h"
#include "client/observe.h"
#include "client/security.h"
#include "client/send.h"
#include "client/tree.h"
#include "client/uri.h"
#include <string.h>

#define MS_PER_S      1000u
#define SERVER_OBJECT 1
#define ALERT_CODE    11

static uint64_t now_of(const dn_account *account)
{
    return account->client->now_ms;
}

/* ---- which transport ---- */

char dn_client_way_letter(dn_transport transport)
{
    return dn_transport_is_stream(transport) ? 'T' : 'U';
}

/* LwM2M 1.0 knows nothing of TCP. */
bool dn_client_way_has(const dunlin_client *client, char letter)
{
    const dunlin_client_config *config = &client->config;
    return letter == 'U' || (letter == 'T' && config->stream_message > 0 && config->call.connect != NULL &&
                             config->lwm2m != DUNLIN_LWM2M_1_0);
}

bool dn_client_way_binding_valid(const dunlin_client *client, dunlin_slice binding)
{
    for (size_t i = 0; i < binding.len; i++) {
        const char letter = (char)binding.data[i];
        if (!dn_client_way_has(client, letter) || memchr(binding.data, letter, i) != NULL) {
            return false;
        }
    }
    return binding.len > 0;
}

/* The letter that the next way is to have: of an Update Trigger, the preferred one, the URI's, or the first of the
   binding, if somebody has chosen that: what a bootstrap server has not thought of does not outweigh the URI. */
static char wanted_letter(const dn_account *account, char own)
{
    if (account->server == NULL) {
        return own; /* the bootstrap server has no binding */
    }
    if (account->way.asked != 0) {
        return account->way.asked;
    }
    if (account->server->preferred_transport[0] != '\0') {
        return account->server->preferred_transport[0];
    }
    const dn_server_instance *server = account->server;
    return !server->binding_chosen || strchr(server->binding, own) != NULL ? own : server->binding[0];
}

/*
 * The transport of the next way. The URI has one address for all of them (Object 0 resource 0): who is to come by another one
 * than that of its scheme goes to the same host and port. Every second try is by the scheme's own, for a server
 * may have nothing else there.
 */
static dn_transport choose(const dn_account *account, dn_transport own)
{
    const char letter = wanted_letter(account, dn_client_way_letter(own));
    if (account->tries % 2 != 0 || letter == dn_client_way_letter(own) ||
        !dn_client_way_has(account->client, letter)) {
        return own;
    }
    const bool secure = dn_transport_is_secure(own);
    if (letter == 'T') {
        return secure ? DN_TRANSPORT_TLS : DN_TRANSPORT_TCP;
    }
    return secure ? DN_TRANSPORT_DTLS : DN_TRANSPORT_UDP;
}

dunlin_status dn_client_way_possible(const dn_account *account)
{
    const dunlin_client_config *config = &account->client->config;
    dunlin_security security;
    dn_transport own;
    if (account->security ==
        NULL) { /* the bootstrap server's account has gone while its next try was waited for */
        return DUNLIN_ERR_NOT_FOUND;
    }
    dunlin_status status = dn_client_uri_transport(account->security->uri, &own);
    if (status != DUNLIN_OK) {
        return status;
    }
    if ((own != DN_TRANSPORT_UDP && config->call.connect == NULL) ||
        !dn_client_way_has(account->client, dn_client_way_letter(own))) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    dn_client_security_view(account->client, account->security, &security);
    status = dn_client_security_check(config, &security);
    if (status == DUNLIN_OK && security.mode == DUNLIN_EST &&
        !dn_client_est_holds(account->client, account->security)) {
        return DUNLIN_ERR_STATE;
    }
    return status == DUNLIN_OK ? dn_client_security_fits(&security, own) : status;
}

/* ---- it comes and goes ---- */

static void tell(const dn_account *account, dunlin_client_event_kind kind, dunlin_status status, int alert)
{
    const dunlin_client_event event = {.kind = kind,
                                       .server = account->ssid,
                                       .location = account->location,
                                       .status = status,
                                       .retry_ms = DN_NEVER,
                                       .alert = (int16_t)alert};
    dn_client_tell(account->client, &event);
}

/* Keeps an alert as /1/x/11. */
static void keep_alert(dn_account *account, uint8_t alert)
{
    dunlin_client *client = account->client;
    const dunlin_path path =
        dunlin_path_resource(SERVER_OBJECT, dn_client_account_instance(account), ALERT_CODE);
    dn_place place; /* in LwM2M 1.0 there is none, nor with the bootstrap server */
    if (account->server == NULL) {
        return;
    }
    account->server->alert = alert;
    if (dn_client_tree_find(client, path, false, &place) == DUNLIN_OK) {
        dn_client_tree_set_present(place.object, place.index, place.resource, true);
        dn_client_observe_changed(client, path);
    }
}

bool dn_client_way_is_stream(const dn_account *account)
{
    return dn_transport_is_stream((dn_transport)account->way.transport);
}

/* Its exchanges end from within. What it means for the registration is not for the exchange of that to say. */
static void close_stream(dn_account *account)
{
    if (account->way.state == DN_WAY_UP && dn_client_way_is_stream(account)) {
        account->exchange = 0;
        dn_coap_close(account->client->coap, &account->peer);
    }
}

static void lose(dn_account *account)
{
    const uint64_t least_ms = (uint64_t)dn_client_account_policy(account).retry_timer_s * MS_PER_S;
    dn_client_download_cut(account);
    if (account->way.state == DN_WAY_UP) {
        account->way.brief = now_of(account) - account->way.since_ms < least_ms;
    }
    close_stream(account);
    account->way.state = DN_WAY_NONE;
    account->way.ending = DN_WAY_STAYS;
    account->way.came = account->way.gone = false;
    memset(&account->peer, 0, sizeof account->peer);
}

static void give_back(dn_account *account)
{
    const dunlin_client_callbacks *call = &account->client->config.call;
    lose(account);
    account->way.unwanted = false;
    if (call->disconnect != NULL) {
        account->way.asking = true;
        call->disconnect(call->context, account->ssid);
        account->way.asking = false;
    }
}

void dn_client_way_drop(dn_account *account)
{
    if (account->client->config.call.connect != NULL && account->way.state != DN_WAY_NONE) {
        account->way.unwanted = true;
    }
}

static dunlin_status take(dn_account *account, const dn_peer *peer)
{
    dn_client_download_cut(account);
    close_stream(account);
    if (dn_client_way_is_stream(account)) {
        const dunlin_status status = dn_coap_open(account->client->coap, peer, now_of(account));
        if (status != DUNLIN_OK) {
            return status;
        }
    }
    account->peer = *peer;
    account->way.state = DN_WAY_UP;
    account->way.ending = DN_WAY_STAYS;
    account->security->anew = false;
    account->way.since_ms = now_of(account);
    if (account->way.transport != DN_TRANSPORT_UDP) {
        tell(account, DUNLIN_CLIENT_CONNECTED, DUNLIN_OK, DN_ALERT_NONE);
    }
    return DUNLIN_OK;
}

static bool is_same(const dn_account *account, const dn_peer *peer)
{
    return account->way.state == DN_WAY_UP && dn_peer_equal(&account->peer, peer);
}

/* Messages may follow before the next step. */
void dn_client_way_came(dn_account *account, const dn_peer *peer)
{
    if (account->way.asking) {
        return;
    }
    if (account->way.state == DN_WAY_NONE || account->way.unwanted || account->way.gone) {
        account->way.unwanted = true; /* it was given up before it came */
        return;
    }
    if (is_same(account, peer)) {
        return;
    }
    const dunlin_status status = take(account, peer);
    if (status == DUNLIN_OK) {
        account->way.came = true;
    } else {
        dn_client_way_gone(account, status, DN_ALERT_NONE);
        account->way.unwanted = true;
    }
}

void dn_client_way_gone(dn_account *account, dunlin_status status, int alert)
{
    const bool said = alert >= 0 && alert <= UINT8_MAX;
    if (account->way.state == DN_WAY_NONE || account->way.asking) {
        return;
    }
    if (said) {
        keep_alert(account, (uint8_t)alert);
    }
    if (!account->way.unwanted && !account->way.gone) {
        account->way.gone = true;
        account->way.gone_status = status;
        account->way.gone_alert = (int16_t)(said ? alert : DN_ALERT_NONE);
    }
}

void dn_client_way_ending(dn_account *account, dunlin_status status)
{
    account->way.ending = status == DUNLIN_END ? DN_WAY_RELEASED : DN_WAY_BROKEN;
    account->way.ending_status = status;
}

/* The stream is ending, and nothing holds it up. */
static bool has_ended(const dn_account *account)
{
    return account->way.ending == DN_WAY_BROKEN ||
           (account->way.ending == DN_WAY_RELEASED && account->exchange == 0 &&
            !dn_client_send_under_way(account->client, account->ssid));
}

bool dn_client_way_due(const dn_account *account)
{
    const dn_account_way *way = &account->way;
    return way->wanted || way->unwanted || way->came || way->gone || has_ended(account);
}

dn_way_news dn_client_way_step(dn_account *account)
{
    dn_account_way *way = &account->way;
    const bool gone = way->gone;
    const bool ended = !gone && !way->unwanted && has_ended(account);
    if (ended) { /* it is for us to close it */
        way->unwanted = true;
        way->gone_status = way->ending_status;
        way->gone_alert = DN_ALERT_NONE;
    }
    const bool was_up = way->state == DN_WAY_UP;
    const bool came = way->came && !way->unwanted;
    way->came = false;
    if (gone) {
        lose(account);
    }
    if (way->unwanted) {
        give_back(account);
    }
    if (!gone && !ended) {
        return came ? DN_WAY_HAS_COME : DN_WAY_NO_NEWS;
    }
    if (was_up) {
        tell(account, DUNLIN_CLIENT_DISCONNECTED, way->gone_status, way->gone_alert);
    }
    return DN_WAY_IS_GONE;
}

/* ---- asking ---- */

static dunlin_status resolve(dn_account *account)
{
    const dunlin_client_callbacks *call = &account->client->config.call;
    dunlin_peer found;
    memset(&found, 0, sizeof found);
    const dunlin_status status = call->resolve(call->context, account->security->uri, &found);
    if (status != DUNLIN_OK) {
        return status == DUNLIN_END ? DUNLIN_ERR_NOT_FOUND : status;
    }
    account->peer.len = found.len;
    memcpy(account->peer.bytes, found.bytes, sizeof account->peer.bytes);
    account->way.state = DN_WAY_UP;
    return DUNLIN_OK;
}

dunlin_status dn_client_way_ask(dn_account *account)
{
    const dunlin_client_callbacks *call = &account->client->config.call;
    char uri[DN_WAY_URI_MAX + 1];
    dunlin_security security;
    dunlin_peer found;
    dn_transport own = DN_TRANSPORT_UDP;
    if (call->connect == NULL) {
        return resolve(account);
    }
    (void)dn_client_uri_transport(account->security->uri, &own); /* dn_client_way_possible has seen to it */
    const dn_transport transport = choose(account, own);
    if (account->way.state != DN_WAY_NONE &&
        (account->way.ending != DN_WAY_STAYS || (uint8_t)transport != account->way.transport)) {
        give_back(account); /* to the server there is one way at a time */
    }
    account->way.transport = (uint8_t)transport;
    dn_client_uri_with(account->security->uri, transport, uri);
    dn_client_security_view(account->client, account->security, &security);
    if (security.mode ==
        DUNLIN_EST) { /* "once the certificate has been obtained it behaves like the Certificate mode" */
        security.mode = DUNLIN_X509;
    }
    memset(&found, 0, sizeof found);
    const dunlin_way way = {account->ssid, uri, &security, account->security->anew};
    account->way.asking = true;
    const dunlin_status status = call->connect(call->context, &way, &found);
    account->way.asking = false;
    if (status == DUNLIN_OK) {
        dn_peer peer = {.len = found.len};
        memcpy(peer.bytes, found.bytes, sizeof peer.bytes);
        const dunlin_status taken = is_same(account, &peer) ? DUNLIN_OK : take(account, &peer);
        if (taken != DUNLIN_OK) {
            give_back(account);
        }
        return taken;
    }
    lose(account); /* what there was is not there any more */
    account->way.state = status == DUNLIN_END ? DN_WAY_ASKED : DN_WAY_NONE;
    return status;
}

/* ---- what is known of it ---- */

bool dn_client_way_open(const dn_account *account)
{
    const dn_account_way *way = &account->way;
    return way->state == DN_WAY_UP && way->ending == DN_WAY_STAYS && !way->unwanted && !way->gone;
}
