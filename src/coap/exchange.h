/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our messages that await something: requests, notifications, separate responses, pings; the pool of them and
 * the ways to find one, by id, by message id, by token. It moves no message and calls nobody.
 */
#ifndef DN_COAP_EXCHANGE_H
#define DN_COAP_EXCHANGE_H

#include "coap/body.h"
#include "coap/remote.h"
#include "coap/timer.h"
#include "coap/transfer.h"

typedef enum {
    DN_COAP_X_REQUEST,
    DN_COAP_X_NOTIFY,
    DN_COAP_X_RESPONSE,
    DN_COAP_X_PING
} dn_coap_exchange_kind;

typedef enum {
    DN_COAP_X_FREE,
    DN_COAP_X_NEW,     /* being made */
    DN_COAP_X_WAITING, /* for its turn: NSTART (RFC 7252 section 4.7) */
    DN_COAP_X_SENT,    /* confirmable, not acknowledged: retransmitted (section 4.2) */
    DN_COAP_X_AWAIT, /* a request, acknowledged, non-confirmable or on a stream: awaits its response (section
                        5.2.2, 5.2.3) */
    DN_COAP_X_DONE   /* ended in the call that made it: the result is told later */
} dn_coap_exchange_state;

typedef struct dn_coap_exchange {
    dn_coap_timer timer;
    uint64_t id;
    uint64_t serial;     /* order of making */
    uint64_t give_up_ms; /* DN_NEVER: as the protocol gives */
    uint64_t sent_ms;    /* when its message went out last */
    struct dn_coap_exchange *mid_next, *token_next, *waiting_next;
    struct dn_coap_exchange *peer_next, **peer_link; /* all of one peer */
    dn_coap_result *result;
    void *context;
    uint8_t *datagram; /* max_message bytes: the message as sent; on a stream, without its payload */
    size_t datagram_len;
    uint32_t remote;
    uint32_t generation;
    uint32_t timeout_ms; /* the current retransmission interval */
    uint32_t retransmitted;
    dunlin_status outcome; /* in DONE */
    uint16_t mid;
    uint8_t kind, state;
    bool confirmable;
    bool outstanding; /* counted by the remote */
    bool has_mid, has_token;
    dn_coap_token token; /* what the caller knows it by */
    dn_coap_token wire;  /* what this message has: later blocks have tokens of their own */

    /* Requests only. */
    uint8_t code;
    uint8_t szx;         /* of the block on its way */
    bool sending_blocks; /* Block1 */
    uint8_t restarts;
    int32_t observe;
    uint16_t content_format, accept;
    uint16_t result_format; /* of block 0 */
    uint16_t times;         /* how many times its size the block on its way has: 1 but with BERT */
    int32_t result_observe; /* of block 0 */
    uint32_t offset;        /* of the block on its way in `body` */
    dn_coap_body body;      /* the caller's */
    dn_coap_transfer *fetch;
    const dn_coap_sink *sink; /* the caller's; takes the response's body in place of `fetch` */
    uint32_t taken;           /* where in the response's body the next piece for the sink begins */
    uint32_t whole;           /* its size by Size2, 0 if not told */
    dn_coap_etag etag;
} dn_coap_exchange;

typedef struct {
    dn_coap_exchange *at;
    dn_coap_exchange *free;
    dn_coap_exchange **by_mid, **by_token;
    dn_coap_remotes *remotes;
    uint64_t serial;
    uint32_t count, bucket_count, in_use;
} dn_coap_exchanges;

void dn_coap_exchanges_init(dn_coap_exchanges *exchanges, dn_coap_arena *arena, dn_coap_remotes *remotes,
                            uint32_t count, uint32_t max_message);
/* A new exchange with `remote`, which it holds. NULL: none free. */
dn_coap_exchange *dn_coap_exchange_make(dn_coap_exchanges *exchanges, dn_coap_exchange_kind kind,
                                        uint32_t remote);
/* Takes it out of everything, and gives it back. Its deadline must be cancelled and its transfer ended. */
void dn_coap_exchange_free(dn_coap_exchanges *exchanges, dn_coap_exchange *exchange);
dn_coap_exchange *dn_coap_exchange_by_id(const dn_coap_exchanges *exchanges, uint64_t id);
dn_coap_exchange *dn_coap_exchange_by_mid(const dn_coap_exchanges *exchanges, uint32_t remote, uint16_t mid);
dn_coap_exchange *dn_coap_exchange_by_token(const dn_coap_exchanges *exchanges, uint32_t remote,
                                            const dn_coap_token *token);
/* Draws the remote's next message id and makes the exchange known by it. */
uint16_t dn_coap_exchange_next_mid(dn_coap_exchanges *exchanges, dn_coap_exchange *exchange);
/* Makes the exchange known by its `wire` token, in place of an earlier one. */
void dn_coap_exchange_bind_token(dn_coap_exchanges *exchanges, dn_coap_exchange *exchange,
                                 const dn_coap_token *token);

/* The queue of those that wait for their turn. */
void dn_coap_exchange_wait(dn_coap_exchanges *exchanges, dn_coap_exchange *exchange, bool at_front);
dn_coap_exchange *dn_coap_exchange_next_waiting(dn_coap_exchanges *exchanges, uint32_t remote);

#endif
