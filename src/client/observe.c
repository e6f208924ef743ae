/* SPDX-License-Identifier: Apache-2.0 */
/* Observations: the table of them, and when each is attended to. */
#include "client/observe.h"

#include "client/condition.h"
#include "client/image.h"
#include "client/notify.h"
#include "client/stored.h"
#include <string.h>

#define ACCESS_OBJECT 2u

static uint16_t entry_count(const dunlin_client *client)
{
    return (uint16_t)(client->config.observations + client->config.composites);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- the table ---- */

/* The server does not want it any more, nor what was kept of it. */
static void cancelled(dunlin_client *client, dn_observation *o)
{
    dn_client_stored_take(client, o, DN_STORED_ALL);
    dn_client_notify_forget(client, o);
}

static bool same_token(const dn_coap_token *a, const dn_coap_token *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static bool same_paths(const dn_observation *o, dn_paths paths)
{
    bool same = o->path_count == paths.count;
    for (size_t i = 0; same && i < paths.count; i++) {
        same = dunlin_path_equal(o->paths[i], paths.path[i]);
    }
    return same;
}

static uint8_t account_index(const dunlin_client *client, const dn_account *account)
{
    return (uint8_t)(account - client->accounts);
}

/* The entry with the token; else a free one of its kind; else, when all are taken, one for the same paths. */
static dn_observation *entry_for(dunlin_client *client, uint8_t account, const dn_coap_token *token,
                                 dn_paths paths, bool composite)
{
    dn_observation *vacant = NULL;
    dn_observation *same = NULL;
    const uint16_t first = composite ? client->config.observations : 0;
    const uint16_t end = composite ? entry_count(client) : client->config.observations;
    for (uint16_t i = first; i < end; i++) {
        dn_observation *o = &client->observations[i];
        if (!o->used) {
            vacant = vacant == NULL ? o : vacant;
        } else if (o->account == account && same_token(&o->token, token)) {
            return o;
        } else if (o->account == account && same_paths(o, paths)) {
            same = o;
        }
    }
    return vacant != NULL ? vacant : same;
}

/* A token names one observation of a server: another kind with the same one is over. */
static void drop_token(dunlin_client *client, uint8_t account, const dn_coap_token *token)
{
    for (uint16_t i = 0; i < entry_count(client); i++) {
        dn_observation *o = &client->observations[i];
        if (o->used && o->account == account && same_token(&o->token, token)) {
            dn_client_notify_forget(client, o);
        }
    }
}

static dn_observation *add(dn_operation *op, dn_paths paths, bool composite, uint16_t format)
{
    dunlin_client *client = op->client;
    const uint8_t account = account_index(client, op->account);
    const bool fits = !composite || paths.count <= client->config.composite_paths;
    dn_observation *o = fits ? entry_for(client, account, &op->request->token, paths, composite) : NULL;
    if (o == NULL) {
        client->counters.observations_refused++;
        return NULL;
    }
    const uint16_t at = (uint16_t)(o - client->observations);
    const size_t singles = client->config.observations;
    const size_t offset =
        composite ? singles + (size_t)(at - singles) * client->config.composite_paths : (size_t)at;
    dn_client_notify_forget(client, o);
    drop_token(client, account, &op->request->token);
    o->used = true;
    o->composite = composite;
    o->account = account;
    o->token = op->request->token;
    o->key = op->request->key;
    o->accept = format;
    o->paths = &client->observed[offset];
    o->told = &client->told[offset];
    o->path_count = (uint16_t)paths.count;
    memcpy(o->paths, paths.path, paths.count * sizeof *o->paths);
    o->sent_ms = o->looked_ms = o->confirmed_ms = client->now_ms;
    return o;
}

int32_t dn_client_observe_add(dn_operation *op, uint16_t format)
{
    const dn_paths paths = {&op->at.path, 1};
    dn_observation *o = add(op, paths, false, format);
    if (o == NULL) {
        return DN_COAP_NO_OBSERVE;
    }
    dn_client_notify_told(op->client, o, op->reply->payload);
    return dn_client_notify_sequence(op->client);
}

int32_t dn_client_observe_add_composite(dn_operation *op, dn_paths paths, uint16_t format)
{
    dn_observation *o = add(op, paths, true, format);
    if (o == NULL) {
        return DN_COAP_NO_OBSERVE;
    }
    dn_client_notify_told(op->client, o, op->reply->payload);
    return dn_client_notify_sequence(op->client);
}

static void cancel(dunlin_client *client, const dn_account *account, const dn_coap_token *token,
                   dn_paths paths, bool composite)
{
    const uint8_t index = account_index(client, account);
    for (uint16_t i = 0; i < entry_count(client); i++) {
        dn_observation *o = &client->observations[i];
        if (o->used && o->account == index && o->composite == composite &&
            (same_token(&o->token, token) || same_paths(o, paths))) {
            cancelled(client, o);
        }
    }
}

void dn_client_observe_cancel(dunlin_client *client, const dn_account *account, const dn_coap_token *token,
                              dunlin_path path)
{
    const dn_paths paths = {&path, 1};
    cancel(client, account, token, paths, false);
}

void dn_client_observe_cancel_composite(dunlin_client *client, const dn_account *account,
                                        const dn_coap_token *token, dn_paths paths)
{
    cancel(client, account, token, paths, true);
}

void dn_client_observe_reset(dunlin_client *client, const dn_account *account, const dn_coap_token *token)
{
    const uint8_t index = account_index(client, account);
    for (uint16_t i = 0; i < entry_count(client); i++) {
        dn_observation *o = &client->observations[i];
        if (o->used && o->account == index && same_token(&o->token, token)) {
            cancelled(client, o);
        }
    }
}

void dn_client_observe_drop(dunlin_client *client, const dn_account *account)
{
    const uint8_t index = account_index(client, account);
    for (uint16_t i = 0; i < entry_count(client); i++) {
        if (client->observations[i].used && client->observations[i].account == index) {
            dn_client_notify_forget(client, &client->observations[i]);
        }
    }
}

void dn_client_observe_gone(dunlin_client *client, dunlin_path path)
{
    for (uint16_t i = 0; i < client->config.observations; i++) {
        dn_observation *o = &client->observations[i];
        if (o->used && dunlin_path_within(o->paths[0], path)) {
            dn_client_notify_end(client, o, DN_COAP_NOT_FOUND);
        }
    }
}

static bool concerns(const dn_observation *o, dunlin_path path)
{
    for (uint16_t i = 0; i < o->path_count; i++) {
        if (dunlin_path_within(path, o->paths[i]) || dunlin_path_within(o->paths[i], path)) {
            return true;
        }
    }
    return false;
}

void dn_client_observe_changed(dunlin_client *client, dunlin_path path)
{
    /* Other rights: what could not be told may be now. */
    const bool rights = path.depth > 0 && path.id[0] == ACCESS_OBJECT;
    dn_client_image_touch_path(client, path);
    for (uint16_t i = 0; i < entry_count(client); i++) {
        dn_observation *o = &client->observations[i];
        if (o->used && (rights || concerns(o, path))) {
            o->dirty = true;
            client->observe_due_ms = 0; /* look at the next step */
        }
    }
}

bool dn_client_observe_busy(const dunlin_client *client)
{
    for (uint16_t i = 0; i < entry_count(client); i++) {
        if (client->observations[i].exchange != 0) {
            return true;
        }
    }
    return false;
}

/* ---- what is due ---- */

static dn_periods periods_of(dunlin_client *client, const dn_observation *o)
{
    const dn_account *account = &client->accounts[o->account];
    dn_periods periods = dn_condition_periods(client, account, o->paths[0]);
    for (uint16_t i = 1; i < o->path_count; i++) {
        periods = dn_condition_join(periods, dn_condition_periods(client, account, o->paths[i]));
    }
    return periods;
}

/* When stored values go out: pmin holds them back as it does any notification. */
static uint64_t deliver_at(const dunlin_client *client, const dn_observation *o, const dn_periods *p)
{
    const bool can = client->stored_count > 0 && dn_client_notify_reachable(&client->accounts[o->account]) &&
                     dn_client_stored_any(client, o);
    return can ? o->sent_ms + p->pmin_ms : DN_NEVER;
}

/* When the observation has to be attended to. */
static uint64_t due_at(const dunlin_client *client, const dn_observation *o, const dn_periods *p)
{
    if (o->exchange != 0 || !dn_client_notify_evaluated(&client->accounts[o->account])) {
        return DN_NEVER; /* one at a time: the newest value goes out when this one has arrived */
    }
    const uint64_t due =
        earlier(earlier(dn_condition_look_at(o, p), dn_condition_notify_at(o, p)), deliver_at(client, o, p));
    return due < o->wait_ms ? o->wait_ms : due;
}

static void attend(dunlin_client *client, dn_observation *o)
{
    const uint64_t now = client->now_ms;
    const dn_periods p = periods_of(client, o);
    if (due_at(client, o, &p) > now) {
        return;
    }
    if (deliver_at(client, o, &p) <= now) {
        dn_client_notify_stored(client, o);
        return;
    }
    if (dn_condition_look_at(o, &p) <= now) {
        dn_client_notify_look(client, o);
    }
    if (dn_condition_notify_at(o, &p) <= now) {
        dn_client_notify(client, o);
    }
}

void dn_client_observe_step(dunlin_client *client)
{
    uint64_t due = DN_NEVER;
    for (uint16_t i = 0; i < entry_count(client); i++) {
        dn_observation *o = &client->observations[i];
        if (o->used) {
            attend(client, o);
        }
        if (o->used) { /* it may have ended just now */
            const dn_periods p = periods_of(client, o);
            due = earlier(due, due_at(client, o, &p));
        }
    }
    client->observe_due_ms = due;
}
