/* SPDX-License-Identifier: Apache-2.0 */
/* Sends: encoding them, their memory, and their results. */
#include "client/send.h"

#include "client/access.h"
#include "client/account.h"
#include "client/operation.h"
#include "client/read.h"
#include "client/registration.h"
#include "client/resource.h"
#include "client/tree.h"
#include "client/way.h"
#include <math.h>
#include <string.h>

#define RETRY_MS    1000u /* when no exchange was free */
#define SEND_PATH   "dp"
#define OBJECT      1
#define MUTE        23
#define CLASS_SHIFT 5
#define CLASS_OK    2

/* ---- what is sent ---- */

static bool may_be_sent(const dn_place *place)
{
    return !dn_client_hidden(place->client, place->path.id[0]) &&
           dn_client_access_may(place->client, place->server, place->path, DUNLIN_ACCESS_READ) &&
           (place->resource == NULL || dn_client_resource_readable(place->resource));
}

/* A value that the caller gives: of a time when the element it belongs to may have been another. */
static dunlin_status put_given(const dn_place *place, const dunlin_send_value *given, dn_encoder *encoder)
{
    dn_record record = {.path = given->path,
                        .value = *given->value,
                        .multiple = given->path.depth == 4,
                        .has_time = given->time_s != 0,
                        .time_s = given->time_s};
    if (place->resource == NULL || record.multiple != dn_client_resource_multiple(place->resource) ||
        !isfinite(given->time_s)) {
        return DUNLIN_ERR_ARGUMENT;
    }
    if (record.value.type != place->resource->type) {
        const dunlin_status status = dn_value_convert(&record.value, (dunlin_type)place->resource->type);
        if (status != DUNLIN_OK) {
            return status;
        }
    }
    dn_encode_put(encoder, &record);
    return DUNLIN_OK;
}

static dunlin_status put(dunlin_client *client, uint16_t server, const dunlin_send_value *value,
                         dn_encoder *encoder)
{
    dn_place place;
    dunlin_path path = value->path;
    if (path.depth < 2 || path.depth > DUNLIN_PATH_DEPTH_MAX ||
        (value->value == NULL && value->time_s != 0)) {
        return DUNLIN_ERR_ARGUMENT;
    }
    if (value->value != NULL && path.depth == 4) {
        path.depth = 3;
    }
    const dunlin_status status = dn_client_tree_find(client, path, value->value == NULL, &place);
    if (status != DUNLIN_OK) {
        return status == DUNLIN_ERR_STATE ? DUNLIN_ERR_ARGUMENT : status;
    }
    place.server = server;
    if (!may_be_sent(&place)) {
        return DUNLIN_ERR_ACCESS;
    }
    return value->value == NULL ? dn_client_read_add(&place, encoder) : put_given(&place, value, encoder);
}

static dunlin_status encode(dunlin_client *client, uint16_t server, const dunlin_send_value *values,
                            size_t count, dunlin_buf out, dunlin_slice *payload)
{
    dn_encoder encoder;
    dunlin_status status = dn_encode(&encoder, client->config.send_format, dunlin_path_root(), out);
    for (size_t i = 0; status == DUNLIN_OK && i < count; i++) {
        status = put(client, server, &values[i], &encoder);
    }
    return status == DUNLIN_OK ? dn_encode_finish(&encoder, payload) : status;
}

/* ---- its memory ---- */

static uint32_t free_from(const dunlin_client *client, uint32_t start)
{
    uint32_t end = client->config.max_body;
    for (uint16_t i = 0; i < client->config.sends; i++) {
        const dn_send *send = &client->sends[i];
        if (send->server == 0 || send->start + send->len <= start) {
            continue;
        }
        end = send->start < end ? send->start : end;
    }
    return end > start ? end - start : 0;
}

/* The largest gap between the payloads that wait, each of which the engine may be looking at. */
static dunlin_buf largest_gap(const dunlin_client *client)
{
    uint32_t best = 0;
    uint32_t len = free_from(client, 0);
    for (uint16_t i = 0; i < client->config.sends; i++) {
        const dn_send *send = &client->sends[i];
        const uint32_t start = send->start + send->len;
        if (send->server != 0 && free_from(client, start) > len) {
            best = start;
            len = free_from(client, start);
        }
    }
    return dunlin_buf_make(client->send_bytes + best, len);
}

static dn_send *vacant(const dunlin_client *client)
{
    for (uint16_t i = 0; i < client->config.sends; i++) {
        if (client->sends[i].server == 0) {
            return &client->sends[i];
        }
    }
    return NULL;
}

/* ---- the call ---- */

/* /1/x/23 is true, or not instantiated: no Send (Core 1.1.1 appendix E.2). */
static bool muted(const dn_account *account)
{
    return account->server->mute_send || !dn_client_account_has(account, MUTE);
}

/* Registered, or about to be again after a way was lost. */
static bool belongs(const dn_account *account)
{
    return dn_client_registration_holds(account) || account->renewing;
}

static bool wants(dunlin_client *client, const dn_account *account)
{
    return client->config.lwm2m != DUNLIN_LWM2M_1_0 && belongs(account) && !muted(account);
}

static dunlin_status add(dunlin_client *client, uint16_t server, const dunlin_send_value *values,
                         size_t count, dunlin_send_done *done, void *context)
{
    dunlin_slice payload;
    dn_send *send = vacant(client);
    if (send == NULL) {
        return DUNLIN_ERR_LIMIT;
    }
    const dunlin_buf gap = largest_gap(client);
    const dunlin_status status = encode(client, server, values, count, gap, &payload);
    if (status == DUNLIN_ERR_SPACE && gap.cap < client->config.max_body) {
        return DUNLIN_ERR_LIMIT;
    }
    if (status == DUNLIN_OK) {
        *send = (dn_send){.server = server,
                          .start = (uint32_t)(gap.data - client->send_bytes),
                          .len = (uint32_t)payload.len,
                          .done = done,
                          .context = context};
    }
    return status;
}

/* To every server that wants it. What one may not read is no error as long as another gets it. */
static dunlin_status add_all(dunlin_client *client, const dunlin_send_value *values, size_t count,
                             dunlin_send_done *done, void *context)
{
    dn_send *added[DUNLIN_SERVERS_MAX];
    size_t taken = 0;
    dunlin_status result = DUNLIN_ERR_STATE;
    for (const dn_account *account = NULL; (account = dn_client_account_next(client, account)) != NULL;) {
        if (!wants(client, account)) {
            continue;
        }
        dn_send *send = vacant(client);
        const dunlin_status status = add(client, account->ssid, values, count, done, context);
        if (status == DUNLIN_OK) {
            added[taken++] = send;
        } else if (status != DUNLIN_ERR_ACCESS) {
            while (taken > 0) {
                memset(added[--taken], 0, sizeof *added[0]);
            }
            return status;
        }
        result = taken > 0 ? DUNLIN_OK : status;
    }
    return result;
}

dunlin_status dunlin_client_send(dunlin_client *client, uint16_t server, const dunlin_send_value *values,
                                 size_t count, dunlin_send_done *done, void *context)
{
    if (count == 0) {
        return DUNLIN_ERR_ARGUMENT;
    }
    if (server == 0) {
        return add_all(client, values, count, done, context);
    }
    const dn_account *account = dn_client_account(client, server);
    if (account == NULL || !wants(client, account)) {
        return DUNLIN_ERR_STATE;
    }
    return add(client, server, values, count, done, context);
}

/* ---- on its way ---- */

/* Frees it first: `done` may send again. */
static void finish(dunlin_client *client, dn_send *send, dunlin_status status, uint8_t code)
{
    const dn_send ended = *send;
    memset(send, 0, sizeof *send);
    if (status != DUNLIN_OK || code >> CLASS_SHIFT != CLASS_OK) {
        client->counters.sends_failed++;
    }
    client->counters.timeouts += status == DUNLIN_ERR_TIMEOUT ? 1 : 0;
    if (ended.done != NULL) {
        ended.done(ended.context, ended.server, status, code);
    }
}

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    dunlin_client *client = context;
    for (uint16_t i = 0; i < client->config.sends; i++) {
        dn_send *send = &client->sends[i];
        if (send->server != 0 && send->exchange == exchange) {
            finish(client, send, status, response == NULL ? 0 : response->code);
            return;
        }
    }
}

static void start(dunlin_client *client, const dn_account *account, dn_send *send)
{
    static const dn_coap_option path = {DN_OPTION_URI_PATH,
                                        {(const uint8_t *)SEND_PATH, sizeof SEND_PATH - 1}};
    dn_coap_outgoing request;
    dn_coap_outgoing_init(&request, DN_COAP_POST);
    request.confirmable = true;
    request.content_format = client->config.send_format;
    request.options = &path;
    request.option_count = 1;
    request.payload = dunlin_slice_make(client->send_bytes + send->start, send->len);
    const dunlin_status status = dn_coap_request(client->coap, &account->peer, &request, on_result, client,
                                                 client->now_ms, &send->exchange);
    if (status == DUNLIN_OK) {
        client->counters.sends++;
        return;
    }
    send->exchange = 0;
    if (status == DUNLIN_ERR_LIMIT) {
        send->wait_ms = client->now_ms + RETRY_MS;
    } else {
        finish(client, send, status, 0);
    }
}

static void attend(dunlin_client *client, dn_send *send)
{
    dn_account *account = dn_client_account(client, send->server);
    if (account == NULL || !belongs(account)) {
        if (send->exchange != 0) {
            (void)dn_coap_cancel(client->coap, send->exchange); /* its result ends it */
        } else {
            finish(client, send, DUNLIN_ERR_CANCELLED, 0);
        }
    } else if (send->exchange == 0 && client->now_ms >= send->wait_ms) {
        if (dn_client_registration_holds(account) && dn_client_way_open(account)) {
            start(client, account, send);
        } else {
            dn_client_registration_need(account);
        }
    }
}

void dn_client_send_step(dunlin_client *client)
{
    for (uint16_t i = 0; i < client->config.sends; i++) {
        if (client->sends[i].server != 0) {
            attend(client, &client->sends[i]);
        }
    }
}

bool dn_client_send_busy(const dunlin_client *client)
{
    for (uint16_t i = 0; i < client->config.sends; i++) {
        if (client->sends[i].exchange != 0) {
            return true;
        }
    }
    return false;
}

bool dn_client_send_under_way(const dunlin_client *client, uint16_t server)
{
    for (uint16_t i = 0; i < client->config.sends; i++) {
        if (client->sends[i].server == server && client->sends[i].exchange != 0) {
            return true;
        }
    }
    return false;
}

/* It waits for a new way, or for the end of one: what comes of that sends it. */
static bool rests(const dunlin_client *client, uint16_t server)
{
    for (const dn_account *account = NULL; (account = dn_client_account_next(client, account)) != NULL;) {
        if (account->ssid == server) {
            return account->way.ending != DN_WAY_STAYS ||
                   (account->renewing && !dn_client_registration_holds(account));
        }
    }
    return false;
}

uint64_t dn_client_send_deadline(const dunlin_client *client)
{
    uint64_t due = DN_NEVER;
    for (uint16_t i = 0; i < client->config.sends; i++) {
        const dn_send *send = &client->sends[i];
        if (send->server != 0 && send->exchange == 0 && send->wait_ms < due && !rests(client, send->server)) {
            due = send->wait_ms;
        }
    }
    return due;
}
