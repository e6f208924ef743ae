/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at what is observed, and the notifications of it. */
#include "client/notify.h"

#include "base/hash.h"
#include "client/access.h"
#include "client/attributes.h"
#include "client/composite.h"
#include "client/condition.h"
#include "client/read.h"
#include "client/registration.h"
#include "client/resource.h"
#include "client/stored.h"
#include "client/tree.h"
#include "client/way.h"
#include <string.h>

#define SEQUENCE_MASK 0xFFFFFFu
#define CONFIRM_MS    86400000u /* RFC 7641 section 4.5: a Confirmable one at least every 24 hours */
#define RETRY_MS      1000u     /* when no exchange was free */
/* An Update whose first transmission was not acknowledged by then: ACK_TIMEOUT times ACK_RANDOM_FACTOR. */
#define PATIENCE_MS 3000u

bool dn_client_notify_reachable(const dn_account *account)
{
    const bool waits =
        account->state == DN_REG_UPDATING && account->client->now_ms >= account->since_ms + PATIENCE_MS;
    return dn_client_registration_holds(account) && dn_client_way_open(account) && !account->silent && !waits;
}

/* It is registered, and only has no way to be told anything by: what there is to tell makes one. */
static bool waylaid(const dn_account *account)
{
    return account->state == DN_REG_REGISTERED && account->way.state == DN_WAY_NONE;
}

bool dn_client_notify_evaluated(const dn_account *account)
{
    return account->server->store_notifications || dn_client_notify_reachable(account) || waylaid(account);
}

static dn_account *account_of(dunlin_client *client, const dn_observation *o)
{
    return &client->accounts[o->account];
}

static uint16_t server_of(dunlin_client *client, const dn_observation *o)
{
    return account_of(client, o)->ssid;
}

static dunlin_buf work_buffer(dunlin_client *client)
{
    return dunlin_buf_make(client->work, client->config.max_body);
}

static bool place_of(dunlin_client *client, const dn_observation *o, uint16_t at, dn_place *place)
{
    const bool found = dn_client_tree_find(client, o->paths[at], true, place) == DUNLIN_OK;
    place->server = server_of(client, o);
    return found;
}

static uint64_t hash_of(dunlin_slice payload)
{
    static const dn_hash_key key = {0, 0}; /* only compared with itself */
    return dn_hash(&key, payload);
}

/* The number at a place, for gt, lt and st. */
static bool number_at(const dn_place *place, double *number)
{
    dunlin_value value;
    if (place->resource == NULL || !dn_client_resource_numeric(place->resource) ||
        dn_client_resource_load(place, &value) != DUNLIN_OK) {
        return false;
    }
    switch (value.type) {
    case DUNLIN_TYPE_INTEGER:
        *number = (double)value.as.integer;
        return true;
    case DUNLIN_TYPE_UNSIGNED:
        *number = (double)value.as.uinteger;
        return true;
    case DUNLIN_TYPE_FLOAT:
        *number = value.as.number;
        return true;
    default:
        return false;
    }
}

/* Encodes all that the observation is about into client->work. */
static uint8_t read_all(dunlin_client *client, const dn_observation *o, uint16_t accept,
                        dunlin_slice *payload, uint16_t *format)
{
    dn_place place;
    *format = accept;
    if (o->composite) {
        const dn_paths paths = {o->paths, o->path_count};
        return dn_client_composite_read(client, server_of(client, o), paths, accept, work_buffer(client),
                                        payload, format);
    }
    if (!place_of(client, o, 0, &place)) {
        return DN_COAP_NOT_FOUND;
    }
    return dn_client_access_may(client, place.server, place.path, DUNLIN_ACCESS_READ)
               ? dn_client_read_place(&place, accept, work_buffer(client), payload, format)
               : DN_COAP_UNAUTHORIZED;
}

/* What is at one path of a composite observation; the same for all that is not there or not to be read. */
static uint64_t hash_at(dunlin_client *client, const dn_observation *o, uint16_t at)
{
    dunlin_slice payload;
    uint16_t format = DN_FORMAT_NONE;
    const dn_paths paths = {&o->paths[at], 1};
    const uint8_t code = dn_client_composite_read(client, server_of(client, o), paths, DN_FORMAT_SENML_CBOR,
                                                  work_buffer(client), &payload, &format);
    return code == DN_COAP_CONTENT ? hash_of(payload) : 0;
}

void dn_client_notify_told(dunlin_client *client, dn_observation *o, dunlin_slice payload)
{
    dn_place place;
    for (uint16_t i = 0; i < o->path_count; i++) {
        o->told[i].hash = o->composite ? hash_at(client, o, i) : hash_of(payload);
        if (place_of(client, o, i, &place)) {
            (void)number_at(&place, &o->told[i].number);
        }
    }
}

/* Whether a single path has changed enough. What can't be read any more has, too: it ends the observation. */
static bool changed(dunlin_client *client, const dn_observation *o)
{
    dunlin_slice payload;
    uint16_t format = DN_FORMAT_NONE;
    const uint8_t code = read_all(client, o, o->accept, &payload, &format);
    return code == DN_COAP_CONTENT ? hash_of(payload) != o->told[0].hash : code != DN_COAP_UNAUTHORIZED;
}

static bool changed_at(dunlin_client *client, const dn_observation *o, uint16_t at)
{
    dn_place place;
    double number = 0;
    const dn_attributes attributes =
        dn_client_attributes_effective(client, server_of(client, o), o->paths[at]);
    if ((attributes.set & DN_ATTR_STEPS) != 0 && place_of(client, o, at, &place) &&
        dn_client_access_may(client, place.server, place.path, DUNLIN_ACCESS_READ) &&
        number_at(&place, &number)) {
        return dn_condition_met(&attributes, o->told[at].number, number);
    }
    return o->composite ? hash_at(client, o, at) != o->told[at].hash : changed(client, o);
}

void dn_client_notify_look(dunlin_client *client, dn_observation *o)
{
    o->dirty = false;
    o->looked_ms = client->now_ms;
    for (uint16_t i = 0; i < o->path_count && !o->pending; i++) {
        o->pending = changed_at(client, o, i);
    }
}

/* Frees the entry first: the result of a cancelled notification finds nothing that is its own. */
void dn_client_notify_forget(dunlin_client *client, dn_observation *o)
{
    const uint64_t exchange = o->exchange;
    memset(o, 0, sizeof *o);
    if (exchange != 0) {
        (void)dn_coap_cancel(client->coap, exchange);
    }
}

int32_t dn_client_notify_sequence(dunlin_client *client)
{
    client->observe_sequence = (client->observe_sequence + 1) & SEQUENCE_MASK;
    return (int32_t)client->observe_sequence;
}

void dn_client_notify_end(dunlin_client *client, dn_observation *o, uint8_t code)
{
    dn_coap_reply reply;
    uint64_t exchange = 0;
    const dn_coap_token token = o->token;
    const dn_account *account = account_of(client, o);
    dn_client_notify_forget(client, o);
    dn_coap_reply_init(&reply, code);
    if (dn_client_notify_reachable(account) &&
        dn_coap_notify(client->coap, &account->peer, &token, &reply, true, NULL, NULL, client->now_ms,
                       &exchange) == DUNLIN_OK) {
        client->counters.notifications++;
    }
}

/* A Confirmable one was not acknowledged. The observer is gone (RFC 7641 section 4.5), or, if its server wants
   notifications stored, cannot be reached: an Update will tell. */
static void lost(dunlin_client *client, dn_observation *o)
{
    dn_account *account = account_of(client, o);
    client->counters.timeouts++;
    if (!account->server->store_notifications) {
        dn_client_notify_forget(client, o);
        return;
    }
    /* One of those that had been stored before is not counted twice. */
    client->counters.stored +=
        o->delivering != 0 && dn_client_stored_newest_ms(client, o) == o->sent_ms ? 1 : 0;
    o->pending = o->delivering == 0;
    o->delivering = 0;
    account->silent = true;
    dn_client_registration_want(account, DN_WANT_UPDATE);
}

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    dunlin_client *client = context;
    dn_observation *o = client->observations;
    const dn_observation *end = o + client->config.observations + client->config.composites;
    (void)response;
    while (o != end && (!o->used || o->exchange != exchange)) {
        o++;
    }
    if (o == end) {
        return;
    }
    o->exchange = 0;
    if (status == DUNLIN_OK) {
        if (o->delivering != 0) {
            dn_client_stored_take(client, o, o->delivering);
        }
        o->delivering = 0;
    } else if (status == DUNLIN_ERR_LIMIT) {
        o->pending = o->delivering == 0; /* what was stored is there for another try */
        o->delivering = 0;
        o->wait_ms = client->now_ms + RETRY_MS;
    } else if (status == DUNLIN_ERR_TIMEOUT || status == DUNLIN_ERR_IO) {
        lost(client, o);
    } else {
        dn_client_stored_take(client, o, DN_STORED_ALL);
        dn_client_notify_forget(client, o);
    }
}

/* It was told, or stored, which is the same for what comes next. */
static void restart(dunlin_client *client, dn_observation *o)
{
    o->pending = o->dirty = false;
    o->sent_ms = o->looked_ms = client->now_ms;
}

static dunlin_status send(dunlin_client *client, dn_observation *o, dunlin_slice payload, uint16_t format,
                          bool confirmable)
{
    dn_coap_reply reply;
    dn_coap_reply_init(&reply, DN_COAP_CONTENT);
    reply.content_format = format;
    reply.payload = payload;
    reply.observe = dn_client_notify_sequence(client);
    reply.key = o->key;
    const dunlin_status status = dn_coap_notify(client->coap, &account_of(client, o)->peer, &o->token, &reply,
                                                confirmable, on_result, client, client->now_ms, &o->exchange);
    if (status != DUNLIN_OK) {
        o->exchange = 0;
        o->wait_ms = client->now_ms + RETRY_MS;
        return status;
    }
    client->counters.notifications++;
    o->confirmed_ms = confirmable ? client->now_ms : o->confirmed_ms;
    return DUNLIN_OK;
}

/* Keeps what would have been notified. The sequence, or 0 if there is nothing that could be. */
static uint32_t keep(dunlin_client *client, dn_observation *o)
{
    dunlin_slice payload;
    uint16_t format = DN_FORMAT_NONE;
    const uint8_t code = read_all(client, o, dn_client_stored_format(client), &payload, &format);
    return code == DN_COAP_CONTENT ? dn_client_stored_put(client, o, payload) : 0;
}

static void store(dunlin_client *client, dn_observation *o)
{
    dunlin_slice payload;
    uint16_t format = DN_FORMAT_NONE;
    client->counters.stored += keep(client, o) != 0 ? 1 : 0;
    if (read_all(client, o, o->accept, &payload, &format) == DN_COAP_CONTENT) {
        dn_client_notify_told(client, o, payload);
    }
    restart(client, o);
}

void dn_client_notify(dunlin_client *client, dn_observation *o)
{
    dn_account *account = account_of(client, o);
    dunlin_slice payload;
    uint16_t format = DN_FORMAT_NONE;
    uint32_t kept = 0;
    if (!dn_client_notify_reachable(account)) {
        if (account->server->store_notifications) {
            store(client, o);
        } else {
            restart(client, o);
        }
        dn_client_registration_need(account);
        return;
    }
    const bool confirmable =
        client->config.notify_confirmable || client->now_ms - o->confirmed_ms >= CONFIRM_MS;
    if (confirmable && account->server->store_notifications) {
        kept = keep(client, o); /* until it is acknowledged */
    }
    const uint8_t code = read_all(client, o, o->accept, &payload, &format);
    if (code == DN_COAP_UNAUTHORIZED) {
        restart(client, o);
        return;
    }
    if (code != DN_COAP_CONTENT) {
        dn_client_notify_end(client, o, code);
        return;
    }
    const dunlin_status status = send(client, o, payload, format, confirmable);
    if (status != DUNLIN_OK) {
        o->pending = kept == 0; /* what is kept goes out as what was stored */
        return;
    }
    o->delivering = kept;
    dn_client_notify_told(client, o, payload);
    restart(client, o);
}

void dn_client_notify_stored(dunlin_client *client, dn_observation *o)
{
    dunlin_slice payload;
    const uint64_t newest_ms = dn_client_stored_newest_ms(client, o);
    const uint16_t format = o->accept;
    const bool timed = format == DN_FORMAT_SENML_JSON || format == DN_FORMAT_SENML_CBOR ||
                       dn_format_canonical(format) == DN_FORMAT_LWM2M_JSON;
    if (!timed) {
        dn_client_stored_take(client, o, DN_STORED_ALL);
        o->pending = o->pending || newest_ms >= o->sent_ms;
        return;
    }
    const uint32_t last = dn_client_stored_encode(client, o, format, work_buffer(client), &payload);
    if (last != 0 && send(client, o, payload, format, true) == DUNLIN_OK) {
        o->delivering = last;
        o->sent_ms = client->now_ms;
    }
}
