/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CoAP engine over datagrams and streams: messages, reliability, requests and responses, block-wise transfer,
 * Observe (RFC 7252, 7959, 7641, 8132), and over reliable streams framing and signalling (RFC 8323). It serves both
 * roles with any number of peers. It is a function of bytes,
 * peer and time: it opens no socket, reads no clock and owns no memory but the arena it was given. It knows
 * nothing of LwM2M.
 *
 * Observations of the server role (who observes what) and of the client role (which tokens are ours) belong
 * to the layer above: the engine carries the option, orders nothing by itself and keeps no per-observation
 * state, so a million of them cost it nothing.
 *
 * Left to the layer above: conditional requests (If-Match, If-None-Match), what Accept and Content-Format
 * mean, 4.05 for methods that a resource lacks, and how many non-confirmable requests a silent peer gets
 * (PROBING_RATE). Not supported: multicast, proxying (5.05).
 *
 * Threads: one engine belongs to one thread. Callbacks may call dn_coap_request/notify/answer/cancel, not
 * dn_coap_receive or dn_coap_expire.
 */
#ifndef DN_COAP_ENGINE_H
#define DN_COAP_ENGINE_H

#include "base/deadline.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/peer.h"
#include "base/random.h"
#include "coap/option.h"

#define DN_COAP_TOKEN_MAX  8
#define DN_COAP_NO_FORMAT  65535u
#define DN_COAP_NO_OBSERVE (-1)

typedef struct dn_coap dn_coap;

typedef struct {
    uint8_t len;
    uint8_t bytes[DN_COAP_TOKEN_MAX];
} dn_coap_token;

/*
 * Every limit by name. dn_coap_config_default() gives RFC 7252's values and a small device's memory.
 *
 * `transfers` have max_body bytes each. Beside them as many request bodies can be taken in pieces, which need
 * none. Sources and sinks need no transfer.
 * `peers` 0 is as many as the other limits can need. Less saves memory, some 110 bytes each: when all are in
 * use, a peer of which nothing but message ids is remembered gives way; if there is none such, a datagram of
 * a stranger is dropped and counted in `limits`, and a request to one gets LIMIT.
 * A reply longer than `dedup_reply_max` is not kept: its request, coming again, is handled anew if its method
 * is safe or idempotent (RFC 7252 section 4.5), and answered 5.03 if not.
 */
typedef struct {
    uint32_t ack_timeout_ms;       /* 2000 */
    uint32_t ack_random_percent;   /* 150: ACK_RANDOM_FACTOR 1.5 */
    uint32_t max_retransmit;       /* 4 */
    uint32_t nstart;               /* 1: outstanding CON requests per peer; further ones wait in order */
    uint32_t exchange_lifetime_ms; /* 247000: how long a CON message id is remembered */
    uint32_t non_lifetime_ms;      /* 145000 */
    uint32_t separate_ack_ms;      /* 500: a request answered later than this gets an empty ACK first */
    uint32_t response_timeout_ms; /* 93000: wait for a separate response after its request was acknowledged */
    uint32_t transfer_timeout_ms; /* 93000: an unfinished block-wise transfer is dropped this long after its
                                     last block */
    uint32_t exchanges;           /* 8: outgoing messages that await something, waiting ones included */
    uint32_t transfers;       /* 2: block-wise bodies in assembly or being served, either role; see below */
    uint32_t peers;           /* 0: peers of which something is remembered; see below */
    uint32_t dedup_slots;     /* 16: remembered incoming message ids, all peers; the oldest gives way */
    uint32_t dedup_reply_max; /* 256: bytes of a reply kept to be repeated; see below */
    uint32_t dedup_per_peer;  /* 8: bounds what one peer can occupy */
    uint32_t max_message;     /* 1152: largest datagram, in and out; a larger one is counted and rejected */
    uint32_t max_body;        /* 4096: largest body, in and out, unless it goes in pieces */
    uint8_t block_szx;        /* 6: preferred block size 2^(szx+4), 1024; on streams with BERT, what fits */
    uint32_t
        connections; /* 0: streams that can be open at a time; each has a place among the peers, beside `peers` */
    uint32_t
        max_stream_message; /* 8192: largest message on a stream, in and out, signalling included; told to the
                                    other end as Max-Message-Size (RFC 8323 section 5.3.1). 1152 to 1048576 */
    uint32_t csm_timeout_ms; /* 30000: the other end's CSM must have come by then (RFC 8323 section 5.3) */
} dn_coap_config;

/* A request that came in. All views are valid during the callback only. */
typedef struct {
    uint64_t id; /* names this request for dn_coap_answer */
    dn_peer peer;
    dn_coap_token token;
    uint8_t code; /* method */
    bool confirmable;
    uint16_t content_format; /* DN_COAP_NO_FORMAT if absent */
    uint16_t accept;         /* DN_COAP_NO_FORMAT if absent */
    int32_t observe;         /* DN_COAP_NO_OBSERVE if absent */
    dn_coap_options options; /* all of them; Block and Size options were dealt with */
    dunlin_slice payload;    /* the whole body, or the piece */
    uint64_t key; /* of what is asked for, by this peer: for dn_coap_reply.key of its notifications */
} dn_coap_incoming;

/*
 * A body that is not in memory: read a piece at a time, any piece any number of times, so that it takes no
 * more memory than a block (RFC 7959). It, this structure included, must stay valid as long as the payload in
 * its place would: for a request until its result callback, for a reply of the `request` callback until
 * dn_coap_receive returns. Blocks are numbered with 20 bits: 1 GiB in blocks of 1024 bytes, 16 MiB in blocks of 16.
 */
typedef struct {
    uint64_t size;
    /* Puts `len` bytes (1 to a block) from `offset` on into `out`. False: it cannot; the exchange ends (5.00,
       or CANCELLED for a request of ours). It must call nothing of the engine. */
    bool (*read)(void *context, uint64_t offset, void *out, size_t len);
    void *context;
} dn_coap_source;

/* What to answer, or to notify. Zero-initialise with dn_coap_reply_init. */
typedef struct {
    uint8_t code;
    uint16_t content_format;
    int32_t observe;               /* sequence number 0..2^24-1 */
    const dn_coap_option *options; /* further ones, ascending numbers (Location-Path, Max-Age, ETag) */
    size_t option_count;
    dunlin_slice payload; /* any length up to max_body: the engine cuts it into blocks and keeps a copy as
                             long as it needs one */
    uint64_t key; /* notifications only: the key of the request that began the observation, so that a body
                     which does not fit is kept for the observer's next blocks. 0: they are made anew by
                     `request`, and if the state has changed by then, the observer must start over */
    const dn_coap_source *source; /* not NULL: the body, in place of payload; not for notifications. Nothing
                                     is kept: `request` is called for each block, and gives an ETag option by
                                     which the peer sees that the body is still the same. So only GET and
                                     FETCH can be answered with more than a block; another method, or more
                                     blocks than there are numbers, becomes 5.00 */
} dn_coap_reply;

/* A response, or a notification. Views are valid during the callback only. */
typedef struct {
    uint8_t code;
    bool confirmable;
    uint16_t content_format;
    int32_t observe;
    dn_coap_options options;
    dunlin_slice payload;
    dn_coap_token token;
    bool more;   /* notifications only: this is block 0 of a larger body; fetch the rest with `first` */
    uint8_t szx; /* with `more`, for first_szx; 7 is BERT */
} dn_coap_response;

/*
 * Takes the body of a response a piece at a time, in order and each once, instead of having it put together
 * (a download). Only a 2.05 goes there; any other code, before or between pieces, is the result as always. The
 * result after the last piece is that 2.05 without payload. The structure must stay valid until then.
 */
typedef struct {
    /* `head` has the options of this block (ETag), its payload is the piece, which may be empty; `size` is the
       whole's by Size2, 0 if not told yet; `more` false: the last one. False: stop, the result is CANCELLED.
       It may call what callbacks may, dn_coap_cancel of this exchange too. */
    bool (*take)(void *context, const dn_coap_response *head, uint64_t offset, uint64_t size, bool more);
    void *context;
} dn_coap_sink;

/* What to request. Views must stay valid until the result callback for the payload, until return for the
 * rest. */
typedef struct {
    uint8_t code; /* method */
    bool confirmable;
    dn_coap_token token; /* len 0: the engine draws an unpredictable 8-byte one. Observe wants its own, to
                            know it again */
    uint16_t content_format;
    uint16_t accept;
    int32_t observe; /* 0 register, 1 deregister, or none */
    const dn_coap_option
        *options; /* ascending: Uri-Host, Uri-Path…, Uri-Query… (no Block, Observe, Content-Format, Accept) */
    size_t option_count;
    dunlin_slice payload;
    uint32_t timeout_ms; /* in all, waiting for NSTART included; 0: as the protocol gives */
    /* For the rest of a notification whose body did not fit: `first` holds the bytes that came, block 0's
       size exponent `first_szx`; the request then asks for block 1 onwards and the result is the whole body.
     */
    dunlin_slice first;
    uint8_t first_szx;
    dunlin_slice first_etag; /* the notification's ETag option if it had one: tells whether the rest is of the
                                same body; if not, the whole body is fetched anew */
    const dn_coap_source *source; /* not NULL: the body, in place of payload, without max_body's limit: by
                                     Block1 if it is more than a block. In smaller blocks when the peer wants
                                     it (2.31, or 4.13 to the first one); any other final answer is the
                                     result, 4.08 too: what was sent is not sent again unasked. Between its
                                     blocks, and those for a sink, other messages that wait have their turn */
    const dn_coap_sink *sink;     /* not NULL: takes the answer's body, without max_body's limit */
    uint64_t from; /* with `sink`: where to go on, a multiple of the block size (or of 16, at the price of
                      smaller blocks) and before the end: at the end itself peers answer 4.00 */
    dunlin_slice from_etag; /* with `from`: of what was taken before. Another one, here or later, ends with
                               MALFORMED: start over. A peer that gives none cannot be checked */
} dn_coap_outgoing;

/*
 * How a request of ours, or a notification of ours, ended. Exactly once for each that was taken, never from
 * within the call that made it. `response` is NULL unless status is OK (for a notification OK means
 * acknowledged, or sent if it was NON). TIMEOUT no answer; REJECTED by a Reset; IO by dn_coap_close; CANCELLED by dn_coap_cancel
 * or dn_coap_forget, by its sink, or because its source cannot be read; MALFORMED: the answer breaks the
 * protocol; LIMIT: the body is larger than max_body, or no transfer slot is free; SPACE: it is of more blocks
 * than there are numbers, in the size that the peer wants.
 */
typedef void dn_coap_result(void *context, uint64_t exchange, dunlin_status status,
                            const dn_coap_response *response);

typedef enum {
    DN_COAP_ANSWERED, /* `reply` is filled: send it */
    DN_COAP_LATER     /* dn_coap_answer will follow */
} dn_coap_answered;

typedef struct {
    /* Takes a datagram to send; must copy it or send it before it returns. */
    void (*send)(void *context, const dn_peer *peer, dunlin_slice datagram);
    /* A request. `body` is a work buffer of max_body bytes which reply->payload may view. */
    dn_coap_answered (*request)(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                dn_coap_reply *reply);
    /* A response with an Observe option, or one whose token no exchange waits for. True: it's known,
     * acknowledge; false: Reset (on a stream: see dn_coap_open). */
    bool (*notification)(void *context, const dn_peer *peer, const dn_coap_response *notification);
    /* A Reset came for a notification of ours with this token (also for a NON one): its observation is
       cancelled (RFC 7641 section 3.6). May be NULL. */
    void (*observer_gone)(void *context, const dn_peer *peer, const dn_coap_token *token);
    /*
     * A request's body taken a piece at a time instead of being put together (a firmware package), without
     * max_body's limit. `streams`, NULL for never, is asked at the first of several blocks, and only decides:
     * config.transfers may be under way, half of them (rounded up) by one peer, whose oldest gives way; 5.03
     * when there is none left. From then on `piece` gets each block once and in order, as request->payload
     * (of the peer's block size, which may be more than ours), `offset` 0 first, and fills the reply: 2.31
     * while `more` (preset), else the request's answer (preset to 2.04), at once; any other code than 2.31
     * ends it early, with that answer. A block out of order is answered 4.08 and changes nothing.
     * `piece_lost`, may be NULL, tells of one that ended in no other way: no block for transfer_timeout_ms, a
     * new request of the same key (which follows it), dn_coap_forget, or the peer began too many others.
     */
    bool (*streams)(void *context, const dn_coap_incoming *request);
    void (*piece)(void *context, const dn_coap_incoming *request, uint64_t offset, bool more,
                  dunlin_buf *body, dn_coap_reply *reply);
    void (*piece_lost)(void *context, const dn_peer *peer, uint64_t key);
    /*
     * A stream is of no more use: it sent Abort (`status` REJECTED), or broke the protocol and has been sent Abort (MALFORMED,
     * RANGE, UNSUPPORTED), sent no CSM in time (TIMEOUT), or sent Release (END: it wants the stream closed once what is
     * under way is done; nothing new can be asked of it). `detail` is the text of its Abort or Release, whatever bytes that is, or our
     * own. The owner of the stream sends what it still has to send, closes it and calls dn_coap_close; for END it may
     * wait. After anything but END nothing goes or comes on that stream. NULL: streams are not used. It must not
     * call dn_coap_close from within.
     */
    void (*stream_ended)(void *context, const dn_peer *peer, dunlin_status status, dunlin_slice detail);
    void *context;
} dn_coap_callbacks;

typedef struct {
    uint64_t received, sent, bytes_received, bytes_sent;
    uint64_t malformed; /* not CoAP, or breaking its rules; answered with Reset or dropped as section 4.2, 4.3
                           say */
    uint64_t oversized;
    uint64_t duplicates;
    uint64_t retransmissions;
    uint64_t timeouts;
    uint64_t resets_received, resets_sent;
    uint64_t bad_options; /* 4.02 */
    uint64_t limits;      /* requests refused or dropped because a limit was reached */
    uint64_t unmatched;   /* responses and ACKs nobody waits for */
    uint64_t requests, responses, notifications;
    uint64_t incomplete; /* 4.08 sent */
    uint64_t signals;    /* 7.xx received */
    uint64_t aborts;     /* streams that were aborted, by either end */
} dn_coap_counters;

dn_coap_config dn_coap_config_default(void);
/* Bytes of arena that `config` needs, aligned as malloc aligns. 0: a value is out of its range. */
size_t dn_coap_arena_size(const dn_coap_config *config);
/* Makes an engine in `arena` (at least dn_coap_arena_size bytes; it must outlive the engine). NULL: arena too
   small, bad config. `log` may be NULL. */
dn_coap *dn_coap_create(void *arena, size_t arena_size, const dn_coap_config *config,
                        const dn_coap_callbacks *callbacks, const dn_random *random, const dn_log *log,
                        uint64_t now_ms);

/* Takes a datagram from `peer`. Malformed input is counted and answered as RFC 7252 section 4.2 says; it
 * changes nothing else. */
void dn_coap_receive(dn_coap *coap, const dn_peer *peer, dunlin_slice datagram, uint64_t now_ms);
/* Does what is due at `now_ms`: retransmissions, time-outs, expiry. */
void dn_coap_expire(dn_coap *coap, uint64_t now_ms);
/* When dn_coap_expire is to be called next, DN_NEVER if nothing waits. */
uint64_t dn_coap_deadline(const dn_coap *coap);

/*
 * Streams (RFC 8323). From dn_coap_open to dn_coap_close `peer` is the other end of a reliable stream: `send` gets
 * whole messages in the form of section 3.2, to be written in order; dn_coap_receive takes such messages (dn_coap_assemble finds
 * them), one at a time. There are no message types or ids: nothing is sent again, `confirmable` means nothing (what comes has it set), NSTART does
 * not apply (config.exchanges does), a notification has ended well when it was sent. A request ends with
 * TIMEOUT if there is no answer within response_timeout_ms. Blocks are used for what is larger than the other end's
 * Max-Message-Size, and BERT (section 6) when both ends can: then a block, that a source reads or a sink or `piece` gets, has up to
 * max_stream_message bytes. Options of a request must fit max_message.
 *
 * Observe needs no sequence numbers here: order is that of arrival (section 7.1). There is no Reset: when `notification`
 * returns false nothing is sent, and whoever observed must end it by a request with Observe 1 (section 7.4). An observer is
 * gone when its stream is (section 7.4); `observer_gone` does not tell that.
 *
 * dn_coap_open sends our CSM. LIMIT: config.connections are open; STATE: that one is open already; ARGUMENT: there is no
 * stream_ended. Requests may follow at once; until the other end's CSM has come it is taken to know neither larger messages
 * than 1152 bytes nor BERT.
 * dn_coap_close: the stream is gone. Exchanges with the peer end with IO, from within the call; requests of its
 * that wait for dn_coap_answer are forgotten. Nothing when it is not open.
 * dn_coap_release says that we want it closed (section 5.5). NOT_FOUND: it is not open.
 * When either end has sent Release, or the stream was aborted, dn_coap_request, notify and ping give STATE; answers, and further
 * blocks of what is under way, still go. They give STATE, too, for a peer with the transport TCP or TLS that is not open.
 */
dunlin_status dn_coap_open(dn_coap *coap, const dn_peer *peer, uint64_t now_ms);
void dn_coap_close(dn_coap *coap, const dn_peer *peer);
dunlin_status dn_coap_release(dn_coap *coap, const dn_peer *peer);
bool dn_coap_is_open(const dn_coap *coap, const dn_peer *peer);

/* Sends a request. OK with `*exchange` (never 0), or LIMIT (no exchange free, payload over max_body), STATE (see dn_coap_open), SPACE
 * (options too long, more blocks than there are numbers), CANCELLED (the source cannot be read), ARGUMENT. */
dunlin_status dn_coap_request(dn_coap *coap, const dn_peer *peer, const dn_coap_outgoing *request,
                              dn_coap_result *result, void *context, uint64_t now_ms, uint64_t *exchange);
/* Sends a notification of `token`. A body larger than a block goes as block 0; the observer fetches the rest
   from our `request`. `result` may be NULL. */
dunlin_status dn_coap_notify(dn_coap *coap, const dn_peer *peer, const dn_coap_token *token,
                             const dn_coap_reply *reply, bool confirmable, dn_coap_result *result,
                             void *context, uint64_t now_ms, uint64_t *exchange);
/* Answers a request whose callback said LATER. NOT_FOUND when it is no longer waited for. */
dunlin_status dn_coap_answer(dn_coap *coap, uint64_t request, const dn_coap_reply *reply, uint64_t now_ms);
/* Ends an exchange of ours; its result callback gets CANCELLED before this returns. NOT_FOUND if it had
 * ended. */
dunlin_status dn_coap_cancel(dn_coap *coap, uint64_t exchange);
/*
 * The peer has just shown that it listens: sends a message of ours that it has not acknowledged once more, before its time, unless it
 * went out less than ACK_TIMEOUT ago. It is the same message, so that a peer which has it already knows it; the retransmissions of
 * RFC 7252 section 4.2 go on beside it. NOT_FOUND: the exchange has ended.
 */
dunlin_status dn_coap_nudge(dn_coap *coap, uint64_t exchange, uint64_t now_ms);
/* Forgets everything about a peer: exchanges (CANCELLED), transfers, message ids. */
void dn_coap_forget(dn_coap *coap, const dn_peer *peer);
/* A CoAP ping (RFC 7252 section 4.3): OK when the peer's Reset arrives; on a stream, its Pong (RFC 8323 section 5.4). */
dunlin_status dn_coap_ping(dn_coap *coap, const dn_peer *peer, dn_coap_result *result, void *context,
                           uint64_t now_ms, uint64_t *exchange);

/*
 * Within a result callback with TIMEOUT, CANCELLED or IO, before any other call: true when the peer had acknowledged
 * the confirmable request, so that it may have been carried out although no response came. On a stream every request that was sent may
 * have been.
 */
bool dn_coap_had_arrived(const dn_coap *coap);
const dn_coap_counters *dn_coap_count(const dn_coap *coap);
void dn_coap_reply_init(dn_coap_reply *reply, uint8_t code);
void dn_coap_outgoing_init(dn_coap_outgoing *request, uint8_t code);

/* The client's side of an observation's order (RFC 7641 section 3.4); the owner of the observation keeps one
 * of these. */
typedef struct {
    bool any;
    uint32_t sequence;
    uint64_t at_ms;
} dn_coap_order;
/* True, and remembered, when a notification with `sequence` at `now_ms` is newer than the last one. */
bool dn_coap_order_newer(dn_coap_order *order, uint32_t sequence, uint64_t now_ms);

#endif
