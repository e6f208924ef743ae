/* SPDX-License-Identifier: Apache-2.0 */
/* Requests: refuse, repeat, put together, hand up. */
#include "coap/server.h"
#include "coap/body.h"
#include "coap/reliability.h"
#include "coap/respond.h"
#include "coap/room.h"
#include "coap/signal.h"

/* RFC 7252 section 5.1 and RFC 8132: a repeated one has the effect of one. POST and PATCH are not. */
static bool is_idempotent(uint8_t method)
{
    return method != DN_COAP_POST && method != DN_COAP_PATCH;
}

static bool is_safe(uint8_t method)
{
    return method == DN_COAP_GET || method == DN_COAP_FETCH;
}

/* An answer that leaves no trace: what the request would change was not touched, so its repetition may be
 * refused anew. */
static dn_coap_pending without_trace(uint32_t remote, const dn_coap_message *message)
{
    dn_coap_pending pending = {.remote = remote,
                               .seen = DN_COAP_NONE,
                               .mid = message->mid,
                               .code = message->code,
                               .token = message->token,
                               .confirmable = message->type == DN_COAP_CON};
    return pending;
}

static void acknowledge(dn_coap *coap, dn_coap_pending *pending)
{
    uint8_t ack[DN_COAP_HEADER_LEN];
    dn_coap_write_empty(ack, DN_COAP_ACK, pending->mid);
    pending->acknowledged = true;
    if (dn_coap_seen_is(&coap->in, pending->seen, pending->seen_serial)) {
        dn_coap_seen_set_reply(&coap->in, pending->seen, dunlin_slice_make(ack, sizeof ack));
    }
    dn_coap_send(coap, pending->remote, dunlin_slice_make(ack, sizeof ack));
    dn_deadline_set(&coap->wheel, &pending->timer.deadline, pending->give_up_ms);
}

/* Section 4.5. True: the duplicate was dealt with; false: it is to be handled as if it were new. */
static bool repeat(dn_coap *coap, uint32_t remote, const dn_coap_message *message, uint32_t seen)
{
    const dn_coap_seen_id *id = &coap->in.at[seen];
    coap->counters.duplicates++;
    if (message->type != DN_COAP_CON || !id->request) {
        return true; /* NON; or not what had this id before, which no sound peer does */
    }
    if (id->state == DN_COAP_SEEN_PENDING) {
        dn_coap_pending *pending = id->owner < coap->pendings.count ? &coap->pendings.at[id->owner] : NULL;
        if (pending != NULL && pending->id != 0 && pending->seen == seen && !pending->acknowledged) {
            acknowledge(coap, pending); /* it waits long enough to ask again */
        }
        return true;
    }
    if (id->state == DN_COAP_SEEN_REPLY) {
        dunlin_slice reply = dn_coap_seen_reply(&coap->in, seen);
        if (reply.len > 0) { /* none if it was NON the first time */
            dn_coap_send(coap, remote, reply);
        }
        return true;
    }
    if (is_idempotent(message->code)) {
        dn_coap_seen_forget(&coap->in, seen);
        return false;
    }
    dn_coap_pending pending = without_trace(remote, message);
    coap->counters.limits++;
    dn_coap_respond_code(coap, &pending, DN_COAP_UNAVAILABLE, NULL);
    return true;
}

static bool is_of_no_size(const dn_coap *coap, uint32_t remote, const dn_coap_message *message)
{
    dn_coap_room room = dn_coap_room_to(coap, remote);
    return ((message->has & DN_COAP_HAS_BLOCK1) != 0 && !dn_coap_room_takes(&room, &message->block1)) ||
           ((message->has & DN_COAP_HAS_BLOCK2) != 0 && !dn_coap_room_takes(&room, &message->block2));
}

/* The code with which a request is refused before anybody sees it, or 0. */
static uint8_t refusal_of(const dn_coap *coap, uint32_t remote, const dn_coap_message *message)
{
    if (message->bad_option != 0) {
        return DN_COAP_BAD_OPTION;
    }
    if ((message->has & DN_COAP_HAS_PROXY) != 0) {
        return DN_COAP_PROXYING_NOT_SUPPORTED; /* section 5.7.2 */
    }
    if (message->code > DN_COAP_IPATCH) {
        return DN_COAP_METHOD_NOT_ALLOWED; /* section 5.8 */
    }
    if ((message->has & (DN_COAP_HAS_BLOCK1 | DN_COAP_HAS_BLOCK2)) != 0 &&
        is_of_no_size(coap, remote, message)) {
        return DN_COAP_BAD_REQUEST; /* RFC 7959 section 2.2 */
    }
    /* A block may be a piece of what needs not fit. */
    bool is_block = (message->has & DN_COAP_HAS_BLOCK1) != 0;
    return !is_block && message->payload.len > coap->config.max_body ? DN_COAP_TOO_LARGE : 0;
}

/* "option 65001", without the help of stdio. */
static void name_option(uint16_t number, char out[16])
{
    char digits[5];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number = (uint16_t)(number / 10);
    } while (number > 0);
    memcpy(out, "option ", 7);
    size_t at = 7;
    while (count > 0) {
        out[at++] = digits[--count];
    }
    out[at] = '\0';
}

static void refuse(dn_coap *coap, uint32_t remote, const dn_coap_message *message, uint8_t code)
{
    dn_coap_pending pending = without_trace(remote, message);
    if (code == DN_COAP_TOO_LARGE) {
        coap->counters.limits++;
        /* In blocks it may be taken in pieces, which need not fit (RFC 7959 section 2.9.3). */
        bool in_pieces = coap->callbacks.streams != NULL && coap->callbacks.piece != NULL;
        dn_coap_respond_too_large(coap, &pending, coap->config.max_body,
                                  in_pieces ? coap->config.block_szx : DN_COAP_SZX_RESERVED);
    } else if (code != DN_COAP_BAD_OPTION) {
        dn_coap_respond_code(coap, &pending, code, NULL);
    } else if (message->type == DN_COAP_CON) {
        char text[16];
        coap->counters.bad_options++;
        name_option(message->bad_option, text);
        dn_coap_respond_code(coap, &pending, code, text);
    } else {
        /* Section 5.4.1: a NON message with such an option is rejected. */
        coap->counters.bad_options++;
        dn_coap_send_empty(coap, dn_coap_peer_of(coap, remote), DN_COAP_RST, message->mid);
    }
}

/*
 * What makes two requests parts of one transfer (RFC 7959 section 2.4, 2.5): the method and all options but
 * those that are NoCacheKey (RFC 7252 section 5.4.6), differ between blocks, or may be on the first one only.
 */
static uint64_t request_key(const dn_coap *coap, const dn_coap_message *message)
{
    dn_coap_options walk = message->options;
    dn_coap_option option;
    dn_hash_key key = coap->key;
    key.k0 ^= message->code;
    while (dn_coap_option_next(&walk, &option) == DUNLIN_OK) {
        bool no_cache_key = (option.number & 0x1eu) == 0x1cu;
        if (no_cache_key || option.number == DN_OPTION_BLOCK1 || option.number == DN_OPTION_BLOCK2 ||
            option.number == DN_OPTION_OBSERVE || option.number == DN_OPTION_ETAG ||
            option.number == DN_OPTION_CONTENT_FORMAT) {
            continue;
        }
        key.k1 ^= option.number;
        key.k0 = dn_hash(&key, option.value);
    }
    return key.k0;
}

/*
 * The payload of a FETCH is part of what it asks for (RFC 8132 section 2.1). It goes into the lower half of its key, so that a request
 * for the next block, which need not repeat it, can find the answer by the upper half (dn_coap_transfer_find_like).
 */
static uint64_t question_key(const dn_coap *coap, uint64_t key, uint8_t method, dunlin_slice payload)
{
    return method == DN_COAP_FETCH && payload.len > 0 ? key ^ (dn_hash(&coap->key, payload) & UINT32_MAX)
                                                      : key;
}

/* A body under way to the request callback. */
typedef struct {
    dunlin_slice payload;
    dn_coap_transfer *lent; /* holds it, or NULL: it is in the datagram */
} request_body;

/* The size rules of one Block1 (RFC 7959 section 2.3): the refusal, or 0. */
static uint8_t check_block1(const dn_coap *coap, const dn_coap_message *message)
{
    if (!dn_coap_block_fits(&message->block1, message->payload.len)) {
        return DN_COAP_BAD_REQUEST;
    }
    bool announced = (message->has & DN_COAP_HAS_SIZE1) != 0 && message->size1 > coap->config.max_body;
    if (announced || dn_coap_block_offset(&message->block1) + message->payload.len > coap->config.max_body) {
        return DN_COAP_TOO_LARGE;
    }
    return 0;
}

static bool refuse_block(dn_coap *coap, const dn_coap_pending *pending, uint8_t code)
{
    coap->counters.incomplete += code == DN_COAP_INCOMPLETE;
    coap->counters.limits += code == DN_COAP_TOO_LARGE || code == DN_COAP_UNAVAILABLE;
    dn_coap_pending plain = *pending;
    plain.has = 0;
    if (code == DN_COAP_TOO_LARGE) {
        dn_coap_respond_too_large(coap, &plain, coap->config.max_body, DN_COAP_SZX_RESERVED);
    } else {
        dn_coap_respond_code(coap, &plain, code, NULL);
    }
    return false;
}

static void ask_for_next(dn_coap *coap, const dn_coap_pending *pending)
{
    dn_coap_block answer = pending->block1;
    dn_coap_room room = dn_coap_room_to(coap, pending->remote);
    if (answer.num == 0 && answer.szx > room.taken) {
        answer.szx = room.taken; /* RFC 7959 section 2.3: early negotiation */
    }
    dn_coap_respond_continue(coap, pending, &answer);
}

/* Takes a block of the request's body. True: the body is whole; false: the block was answered. */
static bool assemble(dn_coap *coap, const dn_coap_pending *pending, const dn_coap_message *message,
                     request_body *body)
{
    const dn_coap_block *block = &message->block1;
    size_t offset = dn_coap_block_offset(block);
    uint8_t refusal = check_block1(coap, message);
    dn_coap_transfer *transfer =
        dn_coap_transfer_find(&coap->transfers, DN_COAP_TRANSFER_ASSEMBLE, pending->remote, pending->key);
    if (refusal != 0) {
        if (transfer != NULL) {
            dn_coap_transfer_end(&coap->transfers, transfer);
        }
        return refuse_block(coap, pending, refusal);
    }
    if (offset == 0 && !block->more) {
        if (transfer != NULL) {
            dn_coap_transfer_end(&coap->transfers, transfer);
        }
        return true; /* all in one */
    }
    if (offset == 0) {
        transfer = dn_coap_transfer_start(&coap->transfers, DN_COAP_TRANSFER_ASSEMBLE, pending->remote,
                                          pending->key, coap->now_ms);
        if (transfer == NULL) {
            return refuse_block(coap, pending, DN_COAP_UNAVAILABLE);
        }
    }
    if (transfer == NULL || offset > transfer->body.len) {
        return refuse_block(coap, pending, DN_COAP_INCOMPLETE); /* RFC 7959 section 2.9.2 */
    }
    transfer->body.len = offset; /* a block sent again replaces itself */
    (void)dunlin_buf_append(&transfer->body, message->payload);
    dn_coap_transfer_touch(&coap->transfers, transfer, coap->now_ms);
    if (block->more) {
        ask_for_next(coap, pending);
        return false;
    }
    dn_coap_transfer_lend(&coap->transfers, transfer);
    body->lent = transfer;
    body->payload = dunlin_buf_view(&transfer->body);
    return true;
}

static dn_coap_incoming incoming_of(const dn_coap *coap, const dn_coap_pending *pending,
                                    const dn_coap_message *message, dunlin_slice payload)
{
    dn_coap_incoming incoming = {.id = pending->id,
                                 .peer = *dn_coap_peer_of(coap, pending->remote),
                                 .token = message->token,
                                 .code = message->code,
                                 .confirmable = message->type == DN_COAP_CON,
                                 .content_format = message->content_format,
                                 .accept = message->accept,
                                 .observe = message->observe,
                                 .options = message->options,
                                 .payload = payload,
                                 .key = pending->key};
    return incoming;
}

/* Ends a body that will not be whole. */
static void lose_stream(dn_coap *coap, dn_coap_stream *stream)
{
    dn_peer peer = *dn_coap_peer_of(coap, stream->remote);
    uint64_t key = stream->key;
    dn_coap_stream_end(&coap->streams, stream);
    if (coap->callbacks.piece_lost != NULL) {
        coap->callbacks.piece_lost(coap->callbacks.context, &peer, key);
    }
}

/* The rules of a block whose body has no limit but its numbers: the refusal, or 0. */
static uint8_t check_piece(const dn_coap_message *message)
{
    const dn_coap_block *block = &message->block1;
    uint64_t reach = dn_coap_blocks_reach(block->szx);
    if (!dn_coap_block_fits(block, message->payload.len)) {
        return DN_COAP_BAD_REQUEST;
    }
    bool announced = (message->has & DN_COAP_HAS_SIZE1) != 0 && message->size1 > reach;
    uint64_t end = (uint64_t)dn_coap_block_offset(block) + message->payload.len;
    return announced || (block->more && end >= reach) ? DN_COAP_TOO_LARGE : 0;
}

static void refuse_piece(dn_coap *coap, const dn_coap_pending *pending, uint8_t code)
{
    if (code == DN_COAP_TOO_LARGE) {
        coap->counters.limits++;
        dn_coap_respond_too_large(coap, pending, (uint32_t)dn_coap_blocks_reach(pending->block1.szx),
                                  DN_COAP_SZX_RESERVED);
    } else {
        (void)refuse_block(coap, pending, code);
    }
}

/* Hands a piece up and sends what is said to it. */
static void give_piece(dn_coap *coap, const dn_coap_pending *pending, const dn_coap_message *message,
                       dn_coap_stream *stream)
{
    bool more = message->block1.more;
    uint64_t id = pending->id;
    uint32_t serial = stream->serial, offset = stream->taken;
    dunlin_buf work = dunlin_buf_make(coap->body, coap->config.max_body);
    dn_coap_incoming incoming = incoming_of(coap, pending, message, message->payload);
    dn_coap_reply reply;
    dn_coap_reply_init(&reply, more ? DN_COAP_CONTINUE : DN_COAP_CHANGED);
    if (more) {
        stream->taken += (uint32_t)message->payload.len;
        dn_coap_stream_touch(&coap->streams, stream, coap->now_ms);
    } else {
        dn_coap_stream_end(&coap->streams, stream);
    }
    coap->callbacks.piece(coap->callbacks.context, &incoming, offset, more, &work, &reply);
    bool on = more && reply.code == DN_COAP_CONTINUE;
    if (more && !on && dn_coap_stream_is(stream, serial)) {
        dn_coap_stream_end(&coap->streams, stream);
    }
    pending = dn_coap_pending_by_id(&coap->pendings, id); /* the callback may have forgotten the peer */
    if (pending == NULL) {
        return;
    }
    if (on) {
        ask_for_next(coap, pending);
    } else if (reply.code == DN_COAP_CONTINUE) {
        dn_log_at(coap->log, DN_LOG_ERROR, "coap", "the last piece of a body was answered with 2.31");
        dn_coap_respond_code(coap, pending, DN_COAP_INTERNAL_ERROR, NULL);
    } else {
        dn_coap_respond(coap, pending, &reply, NULL);
    }
}

/* Block 0 of several. False: the body is to be put together instead. */
static bool start_stream(dn_coap *coap, const dn_coap_pending *pending, const dn_coap_message *message)
{
    uint64_t id = pending->id;
    uint8_t refusal = check_piece(message);
    dn_coap_incoming incoming = incoming_of(coap, pending, message, message->payload);
    if (refusal == DN_COAP_BAD_REQUEST || !coap->callbacks.streams(coap->callbacks.context, &incoming)) {
        return dn_coap_pending_by_id(&coap->pendings, id) == NULL; /* the callback has forgotten the peer */
    }
    dn_coap_stream *own = dn_coap_stream_over_share(&coap->streams, pending->remote);
    if (refusal == 0 && own != NULL) {
        lose_stream(coap, own);
    }
    if (dn_coap_pending_by_id(&coap->pendings, id) == NULL) {
        return true;
    }
    dn_coap_stream *stream = refusal != 0 ? NULL
                                          : dn_coap_stream_start(&coap->streams, pending->remote,
                                                                 pending->key, pending->mid, coap->now_ms);
    if (stream == NULL) {
        refuse_piece(coap, pending, refusal != 0 ? refusal : DN_COAP_UNAVAILABLE);
    } else {
        give_piece(coap, pending, message, stream);
    }
    return true;
}

/* True: this block 0 is the one that began the stream, come again. Its message id outlives the table of seen
 * ones, in which many blocks push each other out. */
static bool is_begin_again(const dn_coap *coap, const dn_coap_stream *stream, const dn_coap_message *message)
{
    return !dn_coap_is_stream(coap, stream->remote) && message->mid == stream->first_mid &&
           message->block1.more && coap->now_ms - stream->began_ms < coap->config.exchange_lifetime_ms;
}

/* A block of a body that began. What is out of place changes nothing: the one that is due may still come. */
static void next_piece(dn_coap *coap, const dn_coap_pending *pending, const dn_coap_message *message,
                       dn_coap_stream *stream)
{
    size_t offset = dn_coap_block_offset(&message->block1);
    if (offset == stream->taken) {
        give_piece(coap, pending, message, stream);
    } else if (message->block1.more && offset + message->payload.len <= stream->taken) {
        ask_for_next(coap, pending); /* taken already: it came again after its id was forgotten */
    } else {
        refuse_piece(coap, pending, DN_COAP_INCOMPLETE); /* RFC 7959 section 2.9.2 */
    }
}

/* Deals with a body that is taken in pieces. True: the request was answered or is gone; false: it is of no
 * such body. */
static bool take_pieces(dn_coap *coap, const dn_coap_pending *pending, const dn_coap_message *message)
{
    uint64_t id = pending->id;
    bool in_blocks = (message->has & DN_COAP_HAS_BLOCK1) != 0;
    bool begins = in_blocks && message->block1.num == 0 && message->block1.more;
    if (coap->callbacks.streams == NULL || coap->callbacks.piece == NULL) {
        return false;
    }
    dn_coap_stream *stream = dn_coap_stream_find(&coap->streams, pending->remote, pending->key);
    uint8_t refusal = stream != NULL && in_blocks ? check_piece(message) : 0;
    if (refusal != 0) {
        refuse_piece(coap, pending, refusal);
        return true;
    }
    if (stream != NULL && in_blocks && (message->block1.num > 0 || is_begin_again(coap, stream, message))) {
        next_piece(coap, pending, message, stream);
        return true;
    }
    if (stream != NULL) {
        lose_stream(coap, stream); /* the peer begins anew, in blocks or not */
    }
    if (dn_coap_pending_by_id(&coap->pendings, id) == NULL) {
        return true;
    }
    return begins && start_stream(coap, pending, message);
}

/* A later block of a response. True: it was answered, from the body that is kept or because there is none. */
static bool serve_kept(dn_coap *coap, const dn_coap_pending *pending, const dn_coap_message *message)
{
    if ((message->has & DN_COAP_HAS_BLOCK2) == 0 || message->block2.num == 0) {
        return false;
    }
    dn_coap_transfer *kept =
        dn_coap_transfer_find(&coap->transfers, DN_COAP_TRANSFER_SERVE, pending->remote, pending->key);
    if (kept == NULL && message->code == DN_COAP_FETCH && message->payload.len == 0) {
        kept = dn_coap_transfer_find_like(&coap->transfers, DN_COAP_TRANSFER_SERVE, pending->remote,
                                          pending->key);
    }
    if (kept == NULL) {
        if (is_safe(message->code)) {
            return false; /* it is made again; its ETag tells whether it is still the same */
        }
        (void)refuse_block(coap, pending, DN_COAP_INCOMPLETE);
        return true;
    }
    dn_coap_reply reply;
    dn_coap_reply_init(&reply, kept->code);
    reply.content_format = kept->content_format;
    reply.payload = dunlin_buf_view(&kept->body);
    dn_coap_transfer_touch(&coap->transfers, kept, coap->now_ms);
    dn_coap_respond(coap, pending, &reply, kept);
    return true;
}

static void end_pending(dn_coap *coap, dn_coap_pending *pending)
{
    dn_deadline_cancel(&coap->wheel, &pending->timer.deadline);
    dn_coap_request_ended(coap, pending->remote, pending->epoch);
    dn_coap_pending_free(&coap->pendings, pending);
}

static void await_answer(dn_coap *coap, dn_coap_pending *pending)
{
    pending->give_up_ms = coap->now_ms + coap->config.exchange_lifetime_ms;
    uint64_t ack_ms = coap->now_ms + coap->config.separate_ack_ms;
    bool needs_ack = pending->confirmable && !dn_coap_is_stream(coap, pending->remote);
    dn_deadline_set(&coap->wheel, &pending->timer.deadline,
                    needs_ack && ack_ms < pending->give_up_ms ? ack_ms : pending->give_up_ms);
}

static void hand_up(dn_coap *coap, dn_coap_pending *pending, const dn_coap_message *message,
                    const request_body *body)
{
    uint64_t id = pending->id;
    dunlin_buf work = dunlin_buf_make(coap->body, coap->config.max_body);
    dn_coap_reply reply;
    dn_coap_incoming incoming = incoming_of(coap, pending, message, body->payload);
    dn_coap_reply_init(&reply, DN_COAP_NOT_FOUND);
    dn_coap_answered answered = DN_COAP_ANSWERED;
    if (coap->callbacks.request != NULL) {
        answered = coap->callbacks.request(coap->callbacks.context, &incoming, &work, &reply);
    }
    /* The callback may have answered it already, or have forgotten the peer. */
    pending = dn_coap_pending_by_id(&coap->pendings, id);
    if (pending != NULL && answered == DN_COAP_LATER) {
        await_answer(coap, pending);
    } else if (pending != NULL) {
        dn_coap_respond(coap, pending, &reply, NULL);
        end_pending(coap, pending);
    }
    if (body->lent != NULL) {
        dn_coap_transfer_end(&coap->transfers, body->lent);
    }
}

/* So that its duplicates are known. */
static void remember(dn_coap *coap, dn_coap_pending *pending)
{
    uint32_t lifetime_ms =
        pending->confirmable ? coap->config.exchange_lifetime_ms : coap->config.non_lifetime_ms;
    pending->seen =
        dn_coap_seen_add(&coap->in, pending->remote, pending->mid, coap->now_ms + lifetime_ms, coap->now_ms);
    pending->seen_serial = coap->in.at[pending->seen].serial;
    coap->in.at[pending->seen].request = true;
    coap->in.at[pending->seen].owner = (uint32_t)(pending - coap->pendings.at);
}

void dn_coap_serve(dn_coap *coap, uint32_t remote, const dn_coap_message *message)
{
    dn_coap_connection *connection = dn_coap_connection_of(&coap->connections, remote);
    uint32_t seen =
        connection != NULL ? DN_COAP_NONE : dn_coap_seen_find(&coap->in, remote, message->mid, coap->now_ms);
    if (seen != DN_COAP_NONE && repeat(coap, remote, message, seen)) {
        return;
    }
    uint8_t refusal = refusal_of(coap, remote, message);
    if (refusal != 0) {
        refuse(coap, remote, message, refusal);
        return;
    }
    dn_coap_pending *pending = dn_coap_pending_make(&coap->pendings, remote, message);
    if (pending == NULL) {
        coap->counters.limits++;
        refuse(coap, remote, message, DN_COAP_UNAVAILABLE);
        return;
    }
    if (connection != NULL) {
        connection->requests++;
        pending->epoch = connection->epoch;
    } else {
        remember(coap, pending);
    }
    pending->key = request_key(coap, message);
    coap->counters.requests++;

    request_body body = {message->payload, NULL};
    uint64_t id = pending->id;
    if (take_pieces(coap, pending, message)) {
        pending = dn_coap_pending_by_id(&coap->pendings, id);
        if (pending != NULL) {
            end_pending(coap, pending);
        }
        return;
    }
    bool answered = (message->has & DN_COAP_HAS_BLOCK1) != 0 && !assemble(coap, pending, message, &body);
    pending->key = question_key(coap, pending->key, message->code, body.payload);
    if (answered || (body.lent == NULL && serve_kept(coap, pending, message))) {
        end_pending(coap, pending);
        return;
    }
    hand_up(coap, pending, message, &body);
}

void dn_coap_serve_oversized(dn_coap *coap, uint32_t remote, const dn_coap_message *message)
{
    dn_coap_pending pending = without_trace(remote, message);
    dn_coap_respond_too_large(coap, &pending, coap->config.max_body, coap->config.block_szx);
}

void dn_coap_pending_due(dn_coap *coap, dn_coap_pending *pending)
{
    if (coap->now_ms < pending->give_up_ms && pending->confirmable && !pending->acknowledged) {
        acknowledge(coap, pending);
        return;
    }
    dn_log_at(coap->log, DN_LOG_WARN, "coap", "a request was not answered in time");
    end_pending(coap, pending);
}

void dn_coap_stream_due(dn_coap *coap, dn_coap_stream *stream)
{
    coap->counters.timeouts++;
    lose_stream(coap, stream);
}

void dn_coap_serve_forget(dn_coap *coap, uint32_t remote)
{
    dn_coap_stream *stream;
    while ((stream = dn_coap_stream_of(&coap->streams, remote)) != NULL) {
        lose_stream(coap, stream);
    }
    /* Of a stream it is known how many there are: mostly none, and many may close at a time. */
    const dn_coap_connection *connection = dn_coap_connection_of(&coap->connections, remote);
    uint32_t left = connection != NULL ? connection->requests : coap->pendings.in_use;
    for (uint32_t i = 0; i < coap->pendings.count && left > 0; i++) {
        if (coap->pendings.at[i].id != 0 && coap->pendings.at[i].remote == remote) {
            end_pending(coap, &coap->pendings.at[i]);
            left--;
        }
    }
}

dunlin_status dn_coap_answer(dn_coap *coap, uint64_t request, const dn_coap_reply *reply, uint64_t now_ms)
{
    coap->now_ms = now_ms > coap->now_ms ? now_ms : coap->now_ms;
    dn_coap_pending *pending = dn_coap_pending_by_id(&coap->pendings, request);
    if (pending == NULL) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    dn_coap_respond(coap, pending, reply, NULL);
    end_pending(coap, pending);
    return DUNLIN_OK;
}
