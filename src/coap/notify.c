/* SPDX-License-Identifier: Apache-2.0 */
/* What the server's role sends unasked: notifications (RFC 7641 section 4), their Resets; and pings (RFC 7252
 * section 4.3). */
#include "coap/notify.h"
#include "coap/reliability.h"
#include "coap/respond.h"
#include "coap/signal.h"

/* So that a Reset for it finds its token (RFC 7641 section 3.6). */
static void remember_token(dn_coap *coap, uint32_t remote, uint16_t mid, const dn_coap_token *token)
{
    uint32_t index =
        dn_coap_seen_add(&coap->out, remote, mid, coap->now_ms + coap->config.non_lifetime_ms, coap->now_ms);
    dn_coap_seen_set_reply(&coap->out, index, dunlin_slice_make(token->bytes, token->len));
}

static dunlin_status notify_confirmable(dn_coap *coap, dn_coap_exchange *exchange, const dn_coap_reply *reply)
{
    uint16_t mid = dn_coap_exchange_next_mid(&coap->exchanges, exchange);
    exchange->confirmable = true;
    exchange->datagram_len = dn_coap_write_notification(coap, exchange->remote, DN_COAP_CON, mid,
                                                        &exchange->token, reply, exchange->datagram);
    if (exchange->datagram_len == 0) {
        dn_coap_exchange_free(&coap->exchanges, exchange);
        return DUNLIN_ERR_SPACE;
    }
    dn_coap_submit(coap, exchange);
    return DUNLIN_OK;
}

/* On a stream: nothing comes back for it (RFC 8323 section 7.2). `exchange` (may be NULL) is there to tell the result later. */
static dunlin_status notify_framed(dn_coap *coap, uint32_t remote, dn_coap_exchange *exchange,
                                   const dn_coap_token *token, const dn_coap_reply *reply)
{
    size_t length =
        dn_coap_write_notification(coap, remote, DN_COAP_CON, 0, token, reply, coap->out_datagram);
    if (length == 0 && exchange != NULL) {
        dn_coap_exchange_free(&coap->exchanges, exchange);
    } else if (exchange != NULL) {
        dn_coap_finish_later(coap, exchange, DUNLIN_OK);
    }
    if (length > 0) {
        dn_coap_send_framed(coap, remote, coap->out_datagram, length);
    }
    return length == 0 ? DUNLIN_ERR_SPACE : DUNLIN_OK;
}

/* `exchange` (may be NULL) is there to tell the result later. */
static dunlin_status notify_once(dn_coap *coap, uint32_t remote, dn_coap_exchange *exchange,
                                 const dn_coap_token *token, const dn_coap_reply *reply)
{
    uint16_t mid = dn_coap_remote_next_mid(&coap->remotes, remote);
    size_t length =
        dn_coap_write_notification(coap, remote, DN_COAP_NON, mid, token, reply, coap->out_datagram);
    if (length == 0) {
        if (exchange != NULL) {
            dn_coap_exchange_free(&coap->exchanges, exchange);
        }
        return DUNLIN_ERR_SPACE;
    }
    remember_token(coap, remote, mid, token);
    dn_coap_send(coap, remote, dunlin_slice_make(coap->out_datagram, length));
    if (exchange != NULL) {
        dn_coap_finish_later(coap, exchange, DUNLIN_OK);
    }
    return DUNLIN_OK;
}

dunlin_status dn_coap_notify(dn_coap *coap, const dn_peer *peer, const dn_coap_token *token,
                             const dn_coap_reply *reply, bool confirmable, dn_coap_result *result,
                             void *context, uint64_t now_ms, uint64_t *id)
{
    coap->now_ms = now_ms > coap->now_ms ? now_ms : coap->now_ms;
    if (token->len > DN_COAP_TOKEN_MAX || reply->code >> 5 < 2 || reply->source != NULL) {
        return DUNLIN_ERR_ARGUMENT;
    }
    uint32_t remote =
        reply->payload.len > coap->config.max_body ? DN_COAP_NONE : dn_coap_hold_peer(coap, peer);
    if (remote == DN_COAP_NONE) {
        return DUNLIN_ERR_LIMIT;
    }
    dn_coap_exchange *exchange = NULL;
    bool stream = dn_coap_is_stream(coap, remote);
    dunlin_status status = dn_coap_can_ask(coap, remote) ? DUNLIN_OK : DUNLIN_ERR_STATE;
    if (status == DUNLIN_OK && ((confirmable && !stream) || result != NULL)) {
        exchange = dn_coap_exchange_make(&coap->exchanges, DN_COAP_X_NOTIFY, remote);
        status = exchange == NULL ? DUNLIN_ERR_LIMIT : DUNLIN_OK;
    }
    uint64_t made = 0;
    if (exchange != NULL) {
        exchange->token = *token;
        exchange->result = result;
        exchange->context = context;
        made = exchange->id;
    }
    if (status == DUNLIN_OK) {
        status = stream        ? notify_framed(coap, remote, exchange, token, reply)
                 : confirmable ? notify_confirmable(coap, exchange, reply)
                               : notify_once(coap, remote, exchange, token, reply);
    }
    dn_coap_remote_release(&coap->remotes, remote);
    if (id != NULL) {
        *id = status == DUNLIN_OK ? made : 0;
    }
    return status;
}

dunlin_status dn_coap_ping(dn_coap *coap, const dn_peer *peer, dn_coap_result *result, void *context,
                           uint64_t now_ms, uint64_t *id)
{
    coap->now_ms = now_ms > coap->now_ms ? now_ms : coap->now_ms;
    uint32_t remote = dn_coap_hold_peer(coap, peer);
    if (remote == DN_COAP_NONE) {
        return DUNLIN_ERR_LIMIT;
    }
    bool can_ask = dn_coap_can_ask(coap, remote);
    dn_coap_exchange *exchange =
        can_ask ? dn_coap_exchange_make(&coap->exchanges, DN_COAP_X_PING, remote) : NULL;
    dn_coap_remote_release(&coap->remotes, remote);
    if (exchange == NULL) {
        return can_ask ? DUNLIN_ERR_LIMIT : DUNLIN_ERR_STATE;
    }
    exchange->confirmable = true;
    exchange->result = result;
    exchange->context = context;
    if (dn_coap_is_stream(coap, exchange->remote)) {
        *id = exchange->id;
        dn_coap_signal_ping(coap, exchange);
        return DUNLIN_OK;
    }
    dn_coap_write_empty(exchange->datagram, DN_COAP_CON,
                        dn_coap_exchange_next_mid(&coap->exchanges, exchange));
    exchange->datagram_len = DN_COAP_HEADER_LEN;
    *id = exchange->id;
    dn_coap_submit(coap, exchange);
    return DUNLIN_OK;
}

static void observer_gone(dn_coap *coap, uint32_t remote, const dn_coap_token *token)
{
    if (coap->callbacks.observer_gone != NULL) {
        coap->callbacks.observer_gone(coap->callbacks.context, dn_coap_peer_of(coap, remote), token);
    }
}

static void reset_exchange(dn_coap *coap, dn_coap_exchange *exchange)
{
    /* A Reset is what a ping asks for; to all else it is a refusal. */
    bool is_ping = exchange->kind == DN_COAP_X_PING;
    bool is_notification = exchange->kind == DN_COAP_X_NOTIFY;
    dn_coap_token token = exchange->token;
    uint32_t remote = exchange->remote;
    dn_coap_finish(coap, exchange, is_ping ? DUNLIN_OK : DUNLIN_ERR_REJECTED, NULL, NULL);
    if (is_notification) {
        observer_gone(coap, remote, &token);
    }
}

void dn_coap_take_reset(dn_coap *coap, uint32_t remote, const dn_coap_message *message)
{
    coap->counters.resets_received++;
    dn_coap_exchange *exchange = dn_coap_exchange_by_mid(&coap->exchanges, remote, message->mid);
    if (exchange != NULL && (exchange->state == DN_COAP_X_SENT || exchange->state == DN_COAP_X_AWAIT)) {
        reset_exchange(coap, exchange);
        return;
    }
    uint32_t index = dn_coap_seen_find(&coap->out, remote, message->mid, coap->now_ms);
    if (index == DN_COAP_NONE) {
        coap->counters.unmatched++;
        return;
    }
    dunlin_slice bytes = dn_coap_seen_reply(&coap->out, index);
    dn_coap_token token = {(uint8_t)bytes.len, {0}};
    memcpy(token.bytes, bytes.data, bytes.len);
    dn_coap_seen_forget(&coap->out, index);
    observer_gone(coap, remote, &token);
}
