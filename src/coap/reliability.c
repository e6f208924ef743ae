/* SPDX-License-Identifier: Apache-2.0 */
/* Retransmission with exponential back-off, acknowledgements, and turns (RFC 7252 sections 4.2 to 4.8). */
#include "coap/reliability.h"

static void send_to(dn_coap *coap, const dn_peer *peer, dunlin_slice datagram)
{
    coap->counters.sent++;
    coap->counters.bytes_sent += datagram.len;
    coap->callbacks.send(coap->callbacks.context, peer, datagram);
}

void dn_coap_send(dn_coap *coap, uint32_t remote, dunlin_slice datagram)
{
    send_to(coap, dn_coap_peer_of(coap, remote), datagram);
}

void dn_coap_send_framed(dn_coap *coap, uint32_t remote, uint8_t *message, size_t len)
{
    const dn_coap_connection *connection = dn_coap_connection_of(&coap->connections, remote);
    if (connection != NULL && !connection->ended) {
        dn_coap_send(coap, remote, dn_coap_message_frame(message, len));
    }
}

bool dn_coap_can_ask(const dn_coap *coap, uint32_t remote)
{
    const dn_coap_connection *connection = dn_coap_connection_of(&coap->connections, remote);
    if (connection == NULL) {
        /* A datagram would make no sense to it. */
        return !dn_transport_is_stream(dn_peer_transport(dn_coap_peer_of(coap, remote)));
    }
    return !connection->released && !connection->said_release && !connection->ended;
}

void dn_coap_send_empty(dn_coap *coap, const dn_peer *peer, dn_coap_type type, uint16_t mid)
{
    uint8_t bytes[DN_COAP_HEADER_LEN];
    dn_coap_write_empty(bytes, type, mid);
    coap->counters.resets_sent += type == DN_COAP_RST;
    send_to(coap, peer, dunlin_slice_make(bytes, sizeof bytes));
}

static void set_timer(dn_coap *coap, dn_coap_exchange *exchange, uint64_t at_ms)
{
    uint64_t earlier_ms = at_ms < exchange->give_up_ms ? at_ms : exchange->give_up_ms;
    dn_deadline_set(&coap->wheel, &exchange->timer.deadline, earlier_ms);
}

/* Section 4.2: the first interval is drawn between ACK_TIMEOUT and ACK_TIMEOUT * ACK_RANDOM_FACTOR. */
static uint32_t first_interval_ms(dn_coap *coap)
{
    uint64_t low = coap->config.ack_timeout_ms;
    uint64_t high = low * coap->config.ack_random_percent / 100;
    return (uint32_t)dn_random_between(&coap->random, low, high);
}

static void send_datagram(dn_coap *coap, dn_coap_exchange *exchange)
{
    exchange->sent_ms = coap->now_ms;
    dn_coap_send(coap, exchange->remote, dunlin_slice_make(exchange->datagram, exchange->datagram_len));
}

static void transmit(dn_coap *coap, dn_coap_exchange *exchange)
{
    if (exchange->confirmable) {
        exchange->state = DN_COAP_X_SENT;
        exchange->retransmitted = 0;
        exchange->timeout_ms = first_interval_ms(coap);
        if (exchange->kind != DN_COAP_X_RESPONSE) {
            exchange->outstanding = true;
            coap->remotes.at[exchange->remote].outstanding++;
        }
        set_timer(coap, exchange, coap->now_ms + exchange->timeout_ms);
    } else {
        exchange->state = DN_COAP_X_AWAIT;
        set_timer(coap, exchange, coap->now_ms + coap->config.response_timeout_ms);
    }
    send_datagram(coap, exchange);
}

static void submit(dn_coap *coap, dn_coap_exchange *exchange, bool at_front)
{
    const dn_coap_remote *remote = &coap->remotes.at[exchange->remote];
    /* A separate response needs no turn: the peer's requests limit them, and it may be what frees a turn of
     * the peer. */
    bool needs_turn = exchange->confirmable && exchange->kind != DN_COAP_X_RESPONSE;
    bool others_wait = remote->waiting_first != NULL && !at_front;
    if (needs_turn && (others_wait || remote->outstanding >= coap->config.nstart)) {
        dn_coap_exchange_wait(&coap->exchanges, exchange, at_front);
        set_timer(coap, exchange, DN_NEVER);
        return;
    }
    transmit(coap, exchange);
}

void dn_coap_submit_framed(dn_coap *coap, dn_coap_exchange *exchange, size_t len)
{
    exchange->state = DN_COAP_X_AWAIT;
    exchange->sent_ms = coap->now_ms;
    set_timer(coap, exchange, coap->now_ms + coap->config.response_timeout_ms);
    dn_coap_send_framed(coap, exchange->remote, coap->out_datagram, len);
}

void dn_coap_submit(dn_coap *coap, dn_coap_exchange *exchange)
{
    submit(coap, exchange, false);
}

static void give_turns(dn_coap *coap, uint32_t remote)
{
    while (coap->remotes.at[remote].outstanding < coap->config.nstart) {
        dn_coap_exchange *next = dn_coap_exchange_next_waiting(&coap->exchanges, remote);
        if (next == NULL) {
            return;
        }
        transmit(coap, next);
    }
}

static void end_turn(dn_coap *coap, dn_coap_exchange *exchange)
{
    if (exchange->outstanding) {
        exchange->outstanding = false;
        coap->remotes.at[exchange->remote].outstanding--;
    }
}

void dn_coap_submit_next(dn_coap *coap, dn_coap_exchange *exchange, bool yields)
{
    uint32_t remote = exchange->remote;
    end_turn(coap, exchange);
    submit(coap, exchange, !yields);
    give_turns(coap, remote);
}

void dn_coap_acknowledged(dn_coap *coap, dn_coap_exchange *exchange)
{
    end_turn(coap, exchange);
    exchange->state = DN_COAP_X_AWAIT;
    set_timer(coap, exchange, coap->now_ms + coap->config.response_timeout_ms);
    give_turns(coap, exchange->remote);
}

void dn_coap_finish(dn_coap *coap, dn_coap_exchange *exchange, dunlin_status status,
                    const dn_coap_response *response, dn_coap_transfer *body)
{
    dn_coap_result *result = exchange->result;
    void *context = exchange->context;
    uint64_t id = exchange->id;
    uint32_t remote = exchange->remote;
    coap->arrived = exchange->confirmable && exchange->state == DN_COAP_X_AWAIT;
    if (exchange->fetch != NULL && exchange->fetch != body) {
        dn_coap_transfer_end(&coap->transfers, exchange->fetch);
    }
    exchange->fetch = NULL;
    dn_coap_remote_hold(&coap->remotes, remote);
    dn_deadline_cancel(&coap->wheel, &exchange->timer.deadline);
    end_turn(coap, exchange);
    dn_coap_exchange_free(&coap->exchanges, exchange);
    give_turns(coap, remote);
    if (result != NULL) {
        result(context, id, status, response);
    }
    if (body != NULL) {
        dn_coap_transfer_end(&coap->transfers, body);
    }
    dn_coap_remote_release(&coap->remotes, remote);
}

void dn_coap_finish_later(dn_coap *coap, dn_coap_exchange *exchange, dunlin_status status)
{
    exchange->state = DN_COAP_X_DONE;
    exchange->outcome = status;
    /* Not at once: a callback that sends again must not keep one expiry from ending. */
    dn_deadline_set(&coap->wheel, &exchange->timer.deadline, coap->now_ms + 1);
}

static void retransmit(dn_coap *coap, dn_coap_exchange *exchange)
{
    exchange->retransmitted++;
    exchange->timeout_ms *= 2;
    coap->counters.retransmissions++;
    set_timer(coap, exchange, coap->now_ms + exchange->timeout_ms);
    send_datagram(coap, exchange);
}

void dn_coap_send_again(dn_coap *coap, dn_coap_exchange *exchange)
{
    if (exchange->state == DN_COAP_X_SENT &&
        coap->now_ms - exchange->sent_ms >= coap->config.ack_timeout_ms) {
        coap->counters.retransmissions++;
        send_datagram(coap, exchange);
    }
}

void dn_coap_exchange_due(dn_coap *coap, dn_coap_exchange *exchange)
{
    if (exchange->state == DN_COAP_X_DONE) {
        dn_coap_finish(coap, exchange, exchange->outcome, NULL, NULL);
        return;
    }
    if (exchange->state == DN_COAP_X_SENT && coap->now_ms < exchange->give_up_ms &&
        exchange->retransmitted < coap->config.max_retransmit) {
        retransmit(coap, exchange);
        return;
    }
    coap->counters.timeouts++;
    dn_log_at(coap->log, DN_LOG_DEBUG, "coap", "message %u: no answer after %u retransmissions",
              exchange->mid, exchange->retransmitted);
    dn_coap_finish(coap, exchange, DUNLIN_ERR_TIMEOUT, NULL, NULL);
}
