/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges in a pool, with two hash tables and two lists per peer. */
#include "coap/exchange.h"

void dn_coap_exchanges_init(dn_coap_exchanges *exchanges, dn_coap_arena *arena, dn_coap_remotes *remotes,
                            uint32_t count, uint32_t max_message)
{
    uint32_t buckets = dn_coap_buckets(count);
    *exchanges = (dn_coap_exchanges){.remotes = remotes, .count = count, .bucket_count = buckets};
    exchanges->at = dn_coap_arena_take(arena, count, sizeof *exchanges->at);
    exchanges->by_mid = dn_coap_arena_take(arena, buckets, sizeof(dn_coap_exchange *));
    exchanges->by_token = dn_coap_arena_take(arena, buckets, sizeof(dn_coap_exchange *));
    uint8_t *datagrams = dn_coap_arena_take(arena, count, max_message);
    if (exchanges->at == NULL) {
        return;
    }
    for (uint32_t i = 0; i < buckets; i++) {
        exchanges->by_mid[i] = exchanges->by_token[i] = NULL;
    }
    for (uint32_t i = count; i > 0; i--) {
        dn_coap_exchange *exchange = &exchanges->at[i - 1];
        memset(exchange, 0, sizeof *exchange);
        exchange->datagram = datagrams + (size_t)(i - 1) * max_message;
        exchange->waiting_next = exchanges->free;
        exchanges->free = exchange;
    }
}

dn_coap_exchange *dn_coap_exchange_make(dn_coap_exchanges *exchanges, dn_coap_exchange_kind kind,
                                        uint32_t remote)
{
    dn_coap_exchange *made = exchanges->free;
    if (made == NULL) {
        return NULL;
    }
    exchanges->free = made->waiting_next;
    uint8_t *datagram = made->datagram;
    uint32_t generation = made->generation + 1;
    memset(made, 0, sizeof *made);
    made->timer.kind = DN_COAP_TIMER_EXCHANGE;
    made->datagram = datagram;
    made->generation = generation;
    made->id = (uint64_t)generation << 32 | ((uint64_t)(made - exchanges->at) + 1);
    made->serial = ++exchanges->serial;
    made->give_up_ms = DN_NEVER;
    made->kind = (uint8_t)kind;
    made->state = DN_COAP_X_NEW;
    made->observe = made->result_observe = DN_COAP_NO_OBSERVE;
    made->content_format = made->accept = made->result_format = DN_COAP_NO_FORMAT;
    made->remote = remote;
    dn_coap_remote_hold(exchanges->remotes, remote);
    dn_coap_remote *peer = &exchanges->remotes->at[remote];
    made->peer_next = peer->exchanges;
    made->peer_link = &peer->exchanges;
    if (made->peer_next != NULL) {
        made->peer_next->peer_link = &made->peer_next;
    }
    peer->exchanges = made;
    exchanges->in_use++;
    return made;
}

static uint32_t mid_bucket(const dn_coap_exchanges *exchanges, uint32_t remote, uint16_t mid)
{
    uint64_t mixed = ((uint64_t)remote << 16 | mid) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mixed >> 32) & (exchanges->bucket_count - 1);
}

static uint32_t token_bucket(const dn_coap_exchanges *exchanges, uint32_t remote, const dn_coap_token *token)
{
    /* Tokens of our exchanges are our own choice, so a plain mix will do. */
    uint64_t word = 0;
    memcpy(&word, token->bytes, token->len);
    uint64_t mixed = (word ^ (uint64_t)remote << 8 ^ token->len) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mixed >> 32) & (exchanges->bucket_count - 1);
}

static void unbind_mid(dn_coap_exchanges *exchanges, dn_coap_exchange *exchange)
{
    if (!exchange->has_mid) {
        return;
    }
    dn_coap_exchange **link = &exchanges->by_mid[mid_bucket(exchanges, exchange->remote, exchange->mid)];
    while (*link != exchange) {
        link = &(*link)->mid_next;
    }
    *link = exchange->mid_next;
    exchange->has_mid = false;
}

static void unbind_token(dn_coap_exchanges *exchanges, dn_coap_exchange *exchange)
{
    if (!exchange->has_token) {
        return;
    }
    dn_coap_exchange **link =
        &exchanges->by_token[token_bucket(exchanges, exchange->remote, &exchange->wire)];
    while (*link != exchange) {
        link = &(*link)->token_next;
    }
    *link = exchange->token_next;
    exchange->has_token = false;
}

uint16_t dn_coap_exchange_next_mid(dn_coap_exchanges *exchanges, dn_coap_exchange *exchange)
{
    unbind_mid(exchanges, exchange);
    exchange->mid = dn_coap_remote_next_mid(exchanges->remotes, exchange->remote);
    dn_coap_exchange **bucket = &exchanges->by_mid[mid_bucket(exchanges, exchange->remote, exchange->mid)];
    exchange->mid_next = *bucket;
    *bucket = exchange;
    exchange->has_mid = true;
    return exchange->mid;
}

void dn_coap_exchange_bind_token(dn_coap_exchanges *exchanges, dn_coap_exchange *exchange,
                                 const dn_coap_token *token)
{
    dn_coap_token wanted = *token; /* it may be the exchange's own */
    unbind_token(exchanges, exchange);
    exchange->wire = wanted;
    dn_coap_exchange **bucket =
        &exchanges->by_token[token_bucket(exchanges, exchange->remote, &exchange->wire)];
    exchange->token_next = *bucket;
    *bucket = exchange;
    exchange->has_token = true;
}

dn_coap_exchange *dn_coap_exchange_by_id(const dn_coap_exchanges *exchanges, uint64_t id)
{
    uint64_t index = (id & UINT32_MAX) - 1;
    if (index >= exchanges->count) {
        return NULL;
    }
    dn_coap_exchange *found = &exchanges->at[index];
    return found->state != DN_COAP_X_FREE && found->id == id ? found : NULL;
}

dn_coap_exchange *dn_coap_exchange_by_mid(const dn_coap_exchanges *exchanges, uint32_t remote, uint16_t mid)
{
    dn_coap_exchange *found = exchanges->by_mid[mid_bucket(exchanges, remote, mid)];
    while (found != NULL && (found->mid != mid || found->remote != remote)) {
        found = found->mid_next;
    }
    return found;
}

dn_coap_exchange *dn_coap_exchange_by_token(const dn_coap_exchanges *exchanges, uint32_t remote,
                                            const dn_coap_token *token)
{
    dn_coap_exchange *found = exchanges->by_token[token_bucket(exchanges, remote, token)];
    while (found != NULL && (found->remote != remote || !dn_coap_token_equal(&found->wire, token))) {
        found = found->token_next;
    }
    return found;
}

void dn_coap_exchange_wait(dn_coap_exchanges *exchanges, dn_coap_exchange *exchange, bool at_front)
{
    dn_coap_remote *remote = &exchanges->remotes->at[exchange->remote];
    exchange->state = DN_COAP_X_WAITING;
    exchange->waiting_next = NULL;
    if (remote->waiting_first == NULL) {
        remote->waiting_first = remote->waiting_last = exchange;
    } else if (at_front) {
        exchange->waiting_next = remote->waiting_first;
        remote->waiting_first = exchange;
    } else {
        remote->waiting_last->waiting_next = exchange;
        remote->waiting_last = exchange;
    }
}

static void leave_queue(dn_coap_exchanges *exchanges, dn_coap_exchange *exchange)
{
    dn_coap_remote *remote = &exchanges->remotes->at[exchange->remote];
    dn_coap_exchange *before = NULL;
    for (dn_coap_exchange *at = remote->waiting_first; at != NULL && at != exchange; at = at->waiting_next) {
        before = at;
    }
    *(before == NULL ? &remote->waiting_first : &before->waiting_next) = exchange->waiting_next;
    if (remote->waiting_last == exchange) {
        remote->waiting_last = before;
    }
}

dn_coap_exchange *dn_coap_exchange_next_waiting(dn_coap_exchanges *exchanges, uint32_t remote)
{
    dn_coap_exchange *first = exchanges->remotes->at[remote].waiting_first;
    if (first != NULL) {
        leave_queue(exchanges, first);
        first->state = DN_COAP_X_NEW;
    }
    return first;
}

void dn_coap_exchange_free(dn_coap_exchanges *exchanges, dn_coap_exchange *exchange)
{
    if (exchange->state == DN_COAP_X_WAITING) {
        leave_queue(exchanges, exchange);
    }
    unbind_mid(exchanges, exchange);
    unbind_token(exchanges, exchange);
    *exchange->peer_link = exchange->peer_next;
    if (exchange->peer_next != NULL) {
        exchange->peer_next->peer_link = exchange->peer_link;
    }
    exchange->state = DN_COAP_X_FREE;
    exchange->waiting_next = exchanges->free;
    exchanges->free = exchange;
    exchanges->in_use--;
    dn_coap_remote_release(exchanges->remotes, exchange->remote);
}
