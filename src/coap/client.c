/* SPDX-License-Identifier: Apache-2.0 */
/* Requests go out block by block; responses come back block by block. */
#include "coap/client.h"
#include "coap/compose.h"
#include "coap/reliability.h"
#include "coap/room.h"

/* How often a transfer may begin anew before it counts as failed: the body changed under way, or the peer
 * lost its part. */
#define RESTARTS_MAX 3

#define SMALLEST_BLOCK 16

static bool is_safe(uint8_t method)
{
    return method == DN_COAP_GET || method == DN_COAP_FETCH;
}

/* Pieces: a body has one origin, a response one taker, and goes on at a block. */
static bool are_pieces_sound(const dn_coap_outgoing *request)
{
    bool source_ok = request->source == NULL || (request->payload.len == 0 && request->source->read != NULL);
    bool sink_ok = request->sink == NULL || (request->sink->take != NULL && request->first.len == 0);
    bool from_ok = request->from == 0 || (request->sink != NULL && request->from % SMALLEST_BLOCK == 0 &&
                                          request->from < dn_coap_blocks_reach(DN_COAP_SZX_MAX));
    bool etag_ok =
        request->from_etag.len == 0 || (request->sink != NULL && request->from_etag.len <= DN_COAP_ETAG_MAX);
    return source_ok && sink_ok && from_ok && etag_ok;
}

static bool is_sound(const dn_coap *coap, const dn_coap_outgoing *request)
{
    bool first_ok =
        request->first.len == 0 ||
        (request->first_szx <= DN_COAP_SZX_BERT &&
         request->first.len % dn_coap_block_size(request->first_szx) == 0 &&
         request->first.len <= coap->config.max_body && request->first_etag.len <= DN_COAP_ETAG_MAX);
    return dn_coap_is_request(request->code) && request->code < DN_COAP_CODE(1, 0) &&
           request->token.len <= DN_COAP_TOKEN_MAX && first_ok && are_pieces_sound(request) &&
           (request->payload.len == 0 || request->payload.data != NULL);
}

static void draw_token(dn_coap *coap, dn_coap_token *token)
{
    token->len = DN_COAP_TOKEN_MAX;
    coap->random.fill(coap->random.context, token->bytes, sizeof token->bytes);
}

static void set_blocks(dn_coap_exchange *exchange, const dn_coap_fit *fit)
{
    exchange->szx = fit->szx;
    exchange->times = (uint16_t)(fit->block / dn_coap_block_size(fit->szx));
}

/* Of the block on its way, if it is not the last. */
static uint32_t block_bytes(const dn_coap_exchange *exchange)
{
    return (uint32_t)dn_coap_block_size(exchange->szx) * exchange->times;
}

static void own_block1(dn_coap_own *own, const dn_coap_exchange *exchange, bool more)
{
    dn_coap_block block = {(uint32_t)(exchange->offset >> dn_coap_block_shift(exchange->szx)), exchange->szx,
                           more};
    dn_coap_own_uint(own, DN_OPTION_BLOCK1, dn_coap_block_value(&block));
    if (exchange->offset == 0) {
        dn_coap_own_uint(own, DN_OPTION_SIZE1, (uint32_t)dn_coap_body_size(&exchange->body));
    }
}

/* The Block2 option of a first request, if one is due: the rest of a notification or of what a sink takes, or
 * a smaller block than the usual (on a stream none is needed then: the other end knows how much we take). */
static void own_first_block2(const dn_coap_room *room, dn_coap_own *own, const dn_coap_outgoing *request)
{
    dn_coap_block block = {0, room->szx, false};
    if (request->first.len > 0) {
        block.szx = request->first_szx < block.szx ? request->first_szx : block.szx;
        block.num = (uint32_t)(request->first.len >> dn_coap_block_shift(block.szx));
    } else if (request->from > 0) {
        while (request->from % dn_coap_block_size(block.szx) != 0) {
            block.szx--; /* it went on in smaller blocks before */
        }
        block.num = (uint32_t)(request->from >> dn_coap_block_shift(block.szx));
    } else if (room->stream || block.szx == DN_COAP_SZX_MAX) {
        return;
    }
    dn_coap_own_uint(own, DN_OPTION_BLOCK2, dn_coap_block_value(&block));
}

/* Where an exchange's message is written: a stream's needs to be kept but for its payload. */
static uint8_t *place_of(const dn_coap *coap, const dn_coap_exchange *exchange, const dn_coap_room *room)
{
    return room->stream ? coap->out_datagram : exchange->datagram;
}

/* Begins the exchange's message at `out`. */
static void write_head(dn_coap *coap, dn_coap_exchange *exchange, const dn_coap_room *room,
                       dn_coap_writer *writer, uint8_t *out)
{
    uint16_t mid = room->stream ? 0 : dn_coap_exchange_next_mid(&coap->exchanges, exchange);
    dn_coap_write_header(writer, out, room->message, exchange->confirmable ? DN_COAP_CON : DN_COAP_NON,
                         exchange->code, mid, &exchange->wire);
}

/* Ends the message with `part` bytes of the body from `offset` on. SPACE: options too long or out of order; CANCELLED: the body's
 * source fails. */
static dunlin_status write_part(dn_coap *coap, dn_coap_exchange *exchange, const dn_coap_room *room,
                                dn_coap_writer *writer, uint64_t offset, size_t part)
{
    size_t head = writer->len;
    bool readable = dn_coap_body_write(&exchange->body, offset, part, writer);
    if (writer->failed || (room->stream && head > coap->config.max_message)) {
        return DUNLIN_ERR_SPACE;
    }
    exchange->datagram_len = writer->len;
    if (room->stream) {
        memcpy(exchange->datagram, writer->data, head);
        exchange->datagram_len = head;
    }
    return readable ? DUNLIN_OK : DUNLIN_ERR_CANCELLED;
}

/* Writes the exchange's first message; its length goes to `length`. Errors as of write_part. */
static dunlin_status write_first(dn_coap *coap, dn_coap_exchange *exchange, const dn_coap_outgoing *request,
                                 size_t *length)
{
    dn_coap_room room = dn_coap_room_to(coap, exchange->remote);
    dn_coap_writer writer;
    dn_coap_own own;
    bool more = false;
    own.count = 0;
    if (request->observe != DN_COAP_NO_OBSERVE) {
        dn_coap_own_uint(&own, DN_OPTION_OBSERVE, (uint32_t)request->observe);
    }
    if (request->content_format != DN_COAP_NO_FORMAT) {
        dn_coap_own_uint(&own, DN_OPTION_CONTENT_FORMAT, request->content_format);
    }
    if (request->accept != DN_COAP_NO_FORMAT) {
        dn_coap_own_uint(&own, DN_OPTION_ACCEPT, request->accept);
    }
    own_first_block2(&room, &own, request);
    size_t part = (size_t)dn_coap_body_size(&exchange->body);
    if (exchange->sending_blocks) {
        part = dn_coap_body_cut(&exchange->body, 0, block_bytes(exchange), &more);
        own_block1(&own, exchange, more);
    }
    write_head(coap, exchange, &room, &writer, place_of(coap, exchange, &room));
    dn_coap_write_merged(&writer, request->options, request->option_count, &own);
    dunlin_status status = write_part(coap, exchange, &room, &writer, 0, part);
    *length = writer.len;
    return status;
}

static bool drop_for_block1(uint16_t number)
{
    return number == DN_OPTION_BLOCK1 || number == DN_OPTION_SIZE1;
}

static bool drop_for_block2(uint16_t number)
{
    return number == DN_OPTION_BLOCK1 || number == DN_OPTION_SIZE1 || number == DN_OPTION_BLOCK2 ||
           number == DN_OPTION_SIZE2 || number == DN_OPTION_OBSERVE || number == DN_OPTION_ETAG;
}

static dn_coap_options options_sent(const dn_coap_exchange *exchange)
{
    size_t at = DN_COAP_HEADER_LEN + (exchange->datagram[0] & 15u);
    dn_coap_options walk = {dunlin_slice_make(exchange->datagram + at, exchange->datagram_len - at), 0, 0};
    return walk;
}

static void fail(dn_coap *coap, dn_coap_exchange *exchange, dunlin_status status)
{
    dn_coap_finish(coap, exchange, status, NULL, NULL);
}

/* Writes and sends the next message of an exchange, with the options of the last one but for those that
 * `drop` names, and `part` bytes of the body from `offset` on. */
static void send_next(dn_coap *coap, dn_coap_exchange *exchange, bool (*drop)(uint16_t number),
                      const dn_coap_own *own, uint32_t offset, size_t part)
{
    dn_coap_room room = dn_coap_room_to(coap, exchange->remote);
    dn_coap_writer writer;
    write_head(coap, exchange, &room, &writer, coap->out_datagram);
    dn_coap_write_again(&writer, options_sent(exchange), drop, own);
    dunlin_status status = write_part(coap, exchange, &room, &writer, offset, part);
    if (status != DUNLIN_OK) {
        fail(coap, exchange, status);
        return;
    }
    if (room.stream) {
        dn_coap_submit_framed(coap, exchange, writer.len);
        return;
    }
    memcpy(exchange->datagram, coap->out_datagram, writer.len);
    /* A body without limit must not keep an update or a notification from being sent until it is through. */
    dn_coap_submit_next(coap, exchange, exchange->body.source != NULL || exchange->sink != NULL);
}

/* How the exchange's body goes now: the options are as they were sent, what the peer takes may have changed. */
static dn_coap_fit fit_again(const dn_coap *coap, const dn_coap_exchange *exchange, uint8_t szx)
{
    dn_coap_room room = dn_coap_room_to(coap, exchange->remote);
    dn_coap_fit fit = {szx, dn_coap_block_size(szx), dn_coap_block_size(szx)};
    return room.stream ? dn_coap_room_fit(&room, dn_coap_room_around(NULL, 0) + exchange->datagram_len,
                                          dn_coap_body_size(&exchange->body), szx < room.szx ? szx : room.szx)
                       : fit;
}

static void send_block1(dn_coap *coap, dn_coap_exchange *exchange, bool (*drop)(uint16_t number))
{
    dn_coap_own own;
    bool more;
    own.count = 0;
    dn_coap_fit fit = fit_again(coap, exchange, exchange->szx);
    set_blocks(exchange, &fit);
    if (dn_coap_body_size(&exchange->body) > dn_coap_blocks_reach(exchange->szx)) {
        fail(coap, exchange, DUNLIN_ERR_SPACE); /* the peer wants smaller blocks than it can number */
        return;
    }
    size_t part = dn_coap_body_cut(&exchange->body, exchange->offset, block_bytes(exchange), &more);
    own_block1(&own, exchange, more);
    exchange->sending_blocks = true;
    send_next(coap, exchange, drop, &own, exchange->offset, part);
}

/* Asks for the block at `offset` of the response. */
static void send_block2(dn_coap *coap, dn_coap_exchange *exchange, size_t offset, uint8_t szx)
{
    dn_coap_own own;
    dn_coap_token token;
    dn_coap_block block = {(uint32_t)(offset >> dn_coap_block_shift(szx)), szx, false};
    /* FETCH: the payload is part of the question (RFC 8132 section 2); others have had their effect. */
    uint64_t size = dn_coap_body_size(&exchange->body);
    bool with_body =
        exchange->code == DN_COAP_FETCH && size <= fit_again(coap, exchange, coap->config.block_szx).whole;
    own.count = 0;
    dn_coap_own_uint(&own, DN_OPTION_BLOCK2, dn_coap_block_value(&block));
    draw_token(coap, &token); /* notifications go on with the first one (RFC 7959 section 3.4) */
    dn_coap_exchange_bind_token(&coap->exchanges, exchange, &token);
    send_next(coap, exchange, drop_for_block2, &own, 0, with_body ? (size_t)size : 0);
}

/* Takes an exchange back that was never sent. */
static dunlin_status take_back(dn_coap *coap, dn_coap_exchange *exchange, dunlin_status status)
{
    if (exchange->fetch != NULL) {
        dn_coap_transfer_end(&coap->transfers, exchange->fetch);
    }
    dn_coap_exchange_free(&coap->exchanges, exchange);
    return status;
}

static void set_etag(dn_coap_exchange *exchange, dunlin_slice etag)
{
    exchange->etag.len = (uint8_t)etag.len;
    if (etag.len > 0) {
        memcpy(exchange->etag.bytes, etag.data, etag.len);
    }
}

/* Decides whether and how the body goes in blocks. False: it has more of them than there are numbers. */
static bool plan_blocks(dn_coap *coap, dn_coap_exchange *exchange, const dn_coap_outgoing *request)
{
    uint64_t size = dn_coap_body_size(&exchange->body);
    dn_coap_room room = dn_coap_room_to(coap, exchange->remote);
    size_t around = dn_coap_room_around(request->options, request->option_count);
    dn_coap_fit fit = dn_coap_room_fit(&room, around, size, room.szx);
    set_blocks(exchange, &fit);
    exchange->sending_blocks = size > fit.whole;
    return size <= dn_coap_blocks_reach(fit.szx);
}

static dunlin_status start_request(dn_coap *coap, dn_coap_exchange *exchange, const dn_coap_outgoing *request,
                                   size_t *length)
{
    exchange->token = request->token;
    if (exchange->token.len == 0) {
        draw_token(coap, &exchange->token);
    }
    if (dn_coap_exchange_by_token(&coap->exchanges, exchange->remote, &exchange->token) != NULL) {
        return DUNLIN_ERR_ARGUMENT;
    }
    if (!plan_blocks(coap, exchange, request)) {
        return DUNLIN_ERR_SPACE;
    }
    if (exchange->sending_blocks && request->from > 0) {
        return DUNLIN_ERR_ARGUMENT; /* its first answers are to the request's own blocks */
    }
    if (request->first.len > 0) {
        exchange->fetch = dn_coap_transfer_start(&coap->transfers, DN_COAP_TRANSFER_FETCH, exchange->remote,
                                                 exchange->id, coap->now_ms);
        if (exchange->fetch == NULL) {
            return DUNLIN_ERR_LIMIT;
        }
        (void)dunlin_buf_append(&exchange->fetch->body, request->first);
        set_etag(exchange, request->first_etag);
    } else if (request->from > 0) {
        set_etag(exchange, request->from_etag);
    }
    dn_coap_exchange_bind_token(&coap->exchanges, exchange, &exchange->token);
    return write_first(coap, exchange, request, length);
}

dunlin_status dn_coap_request(dn_coap *coap, const dn_peer *peer, const dn_coap_outgoing *request,
                              dn_coap_result *result, void *context, uint64_t now_ms, uint64_t *id)
{
    coap->now_ms = now_ms > coap->now_ms ? now_ms : coap->now_ms;
    if (!is_sound(coap, request)) {
        return DUNLIN_ERR_ARGUMENT;
    }
    if (request->payload.len > coap->config.max_body) {
        return DUNLIN_ERR_LIMIT;
    }
    uint32_t remote = dn_coap_hold_peer(coap, peer);
    if (remote == DN_COAP_NONE) {
        return DUNLIN_ERR_LIMIT;
    }
    bool stream = dn_coap_is_stream(coap, remote);
    bool can_ask = dn_coap_can_ask(coap, remote);
    dn_coap_exchange *exchange =
        can_ask ? dn_coap_exchange_make(&coap->exchanges, DN_COAP_X_REQUEST, remote) : NULL;
    dn_coap_remote_release(&coap->remotes, remote);
    if (exchange == NULL) {
        return can_ask ? DUNLIN_ERR_LIMIT : DUNLIN_ERR_STATE;
    }
    exchange->code = request->code;
    exchange->confirmable = stream || request->confirmable;
    exchange->observe = request->observe;
    exchange->body = dn_coap_body_of(request->payload, request->source);
    exchange->sink = request->sink;
    exchange->taken = (uint32_t)request->from;
    exchange->result = result;
    exchange->context = context;
    if (request->timeout_ms > 0) {
        exchange->give_up_ms = coap->now_ms + request->timeout_ms;
    }
    size_t length = 0;
    dunlin_status status = start_request(coap, exchange, request, &length);
    if (status != DUNLIN_OK) {
        return take_back(coap, exchange, status);
    }
    *id = exchange->id;
    if (stream) {
        dn_coap_submit_framed(coap, exchange, length);
    } else {
        dn_coap_submit(coap, exchange);
    }
    return DUNLIN_OK;
}

static dn_coap_response make_response(const dn_coap_message *message)
{
    dn_coap_response response = {.code = message->code,
                                 .confirmable = message->type == DN_COAP_CON,
                                 .content_format = message->content_format,
                                 .observe = message->observe,
                                 .options = message->options,
                                 .payload = message->payload,
                                 .token = message->token};
    return response;
}

static void deliver(dn_coap *coap, dn_coap_exchange *exchange, const dn_coap_message *message,
                    dn_coap_transfer *whole)
{
    if (whole == NULL && message->payload.len > coap->config.max_body &&
        dn_coap_is_stream(coap, exchange->remote)) {
        coap->counters.limits++; /* a datagram holds no more than what we are ready to take */
        fail(coap, exchange, DUNLIN_ERR_LIMIT);
        return;
    }
    dn_coap_response response = make_response(message);
    response.token = exchange->token;
    if (whole != NULL) {
        response.payload = dunlin_buf_view(&whole->body);
        response.content_format = exchange->result_format;
    }
    if (exchange->result_observe != DN_COAP_NO_OBSERVE) {
        response.observe = exchange->result_observe;
    }
    dn_coap_finish(coap, exchange, DUNLIN_OK, &response, whole);
}

/* Begins anew, from the request's first block. */
static void restart(dn_coap *coap, dn_coap_exchange *exchange)
{
    if (!is_safe(exchange->code) || exchange->restarts >= RESTARTS_MAX) {
        fail(coap, exchange, DUNLIN_ERR_MALFORMED);
        return;
    }
    exchange->restarts++;
    dn_coap_transfer_end(&coap->transfers, exchange->fetch);
    exchange->fetch = NULL;
    exchange->etag.len = 0;
    exchange->offset = 0;
    if (dn_coap_body_size(&exchange->body) > fit_again(coap, exchange, exchange->szx).whole) {
        send_block1(coap, exchange, drop_for_block2);
    } else {
        send_block2(coap, exchange, 0, dn_coap_room_to(coap, exchange->remote).szx);
    }
}

/* A 2.xx to a block that was sent. True: it was dealt with; false: it is the response to the whole. */
static bool go_on_sending(dn_coap *coap, dn_coap_exchange *exchange, const dn_coap_message *message)
{
    uint32_t size = block_bytes(exchange);
    bool last = (uint64_t)exchange->offset + size >= dn_coap_body_size(&exchange->body);
    /* A peer that wants smaller blocks may count in its own size or in ours. */
    bool sized = (message->has & DN_COAP_HAS_BLOCK1) != 0 &&
                 (message->block1.szx <= DN_COAP_SZX_MAX || exchange->szx == DN_COAP_SZX_BERT);
    bool about_this =
        sized && (message->block1.num == exchange->offset >> dn_coap_block_shift(exchange->szx) ||
                  dn_coap_block_offset(&message->block1) == exchange->offset);
    if (message->code == DN_COAP_CONTINUE && (last || !about_this)) {
        fail(coap, exchange, DUNLIN_ERR_MALFORMED);
        return true;
    }
    if (last || !about_this) {
        return false;
    }
    exchange->offset += size;
    if (message->block1.szx < exchange->szx) {
        exchange->szx = message->block1.szx;
    }
    send_block1(coap, exchange, drop_for_block1);
    return true;
}

/* What the answer means for the request's body. True: the exchange went on or ended; false: this is the
 * response to the whole. */
static bool take_block1_answer(dn_coap *coap, dn_coap_exchange *exchange, const dn_coap_message *message)
{
    bool smaller = message->code == DN_COAP_TOO_LARGE && (message->has & DN_COAP_HAS_BLOCK1) != 0 &&
                   exchange->offset == 0 && exchange->fetch == NULL && exchange->taken == 0 &&
                   message->block1.szx < (exchange->sending_blocks ? exchange->szx : DN_COAP_SZX_RESERVED) &&
                   dn_coap_body_size(&exchange->body) > dn_coap_block_size(message->block1.szx);
    if (smaller && exchange->restarts < RESTARTS_MAX) {
        exchange->restarts++;
        exchange->szx = message->block1.szx < exchange->szx ? message->block1.szx : exchange->szx;
        send_block1(coap, exchange, drop_for_block1); /* RFC 7959 section 2.9.3 */
        return true;
    }
    if (!exchange->sending_blocks) {
        return false;
    }
    if (message->code >> 5 == 2 && go_on_sending(coap, exchange, message)) {
        return true;
    }
    /* A source is too much to be sent again unasked: whoever has it decides. */
    bool again = exchange->body.source == NULL && exchange->restarts < RESTARTS_MAX;
    if (message->code == DN_COAP_INCOMPLETE && exchange->offset > 0 && again) {
        exchange->restarts++;
        exchange->offset = 0;
        send_block1(coap, exchange, drop_for_block1);
        return true;
    }
    exchange->sending_blocks = false;
    return false;
}

static bool same_body(const dn_coap_exchange *exchange, const dn_coap_message *message)
{
    bool both = exchange->etag.len > 0 && (message->has & DN_COAP_HAS_ETAG) != 0;
    return !both ||
           dunlin_slice_equal(message->etag, dunlin_slice_make(exchange->etag.bytes, exchange->etag.len));
}

/* Block 0 of several: makes room for the body. The error if it cannot be, or OK. */
static dunlin_status start_fetch(dn_coap *coap, dn_coap_exchange *exchange, const dn_coap_message *message)
{
    if ((message->has & DN_COAP_HAS_SIZE2) != 0 && message->size2 > coap->config.max_body) {
        return DUNLIN_ERR_LIMIT;
    }
    exchange->fetch = dn_coap_transfer_start(&coap->transfers, DN_COAP_TRANSFER_FETCH, exchange->remote,
                                             exchange->id, coap->now_ms);
    if (exchange->fetch == NULL) {
        return DUNLIN_ERR_LIMIT;
    }
    if (message->observe != DN_COAP_NO_OBSERVE) {
        exchange->result_observe = message->observe;
    }
    return DUNLIN_OK;
}

/* The first block seen says what the body is. */
static void note_body(dn_coap_exchange *exchange, const dn_coap_message *message)
{
    if (exchange->result_format == DN_COAP_NO_FORMAT) {
        exchange->result_format = message->content_format;
    }
    if (exchange->etag.len == 0 && (message->has & DN_COAP_HAS_ETAG) != 0) {
        set_etag(exchange, message->etag);
    }
}

/* A piece for the sink: the error in its block, or OK. */
static dunlin_status check_piece(const dn_coap_exchange *exchange, const dn_coap_message *message,
                                 const dn_coap_block *block, const dn_coap_room *room)
{
    bool in_blocks = (message->has & DN_COAP_HAS_BLOCK2) != 0;
    bool fits = !in_blocks || dn_coap_block_fits(block, message->payload.len);
    if (!dn_coap_room_takes(room, block) || dn_coap_block_offset(block) != exchange->taken || !fits ||
        !same_body(exchange, message)) {
        return DUNLIN_ERR_MALFORMED;
    }
    uint64_t reach = dn_coap_blocks_reach(block->szx);
    bool endless = (block->more && exchange->taken + (uint64_t)message->payload.len >= reach) ||
                   (in_blocks && exchange->whole > reach);
    return endless ? DUNLIN_ERR_SPACE : DUNLIN_OK;
}

/* Gives the sink its next piece, and asks for the one after it. */
static void take_piece(dn_coap *coap, dn_coap_exchange *exchange, const dn_coap_message *message)
{
    dn_coap_block block = {0, DN_COAP_SZX_MAX, false};
    dn_coap_response head = make_response(message);
    dn_coap_message last = *message;
    uint64_t id = exchange->id;
    dn_coap_room room = dn_coap_room_to(coap, exchange->remote);
    if ((message->has & DN_COAP_HAS_BLOCK2) != 0) {
        block = message->block2;
    }
    if ((message->has & DN_COAP_HAS_SIZE2) != 0) {
        exchange->whole = message->size2;
    }
    dunlin_status status = check_piece(exchange, message, &block, &room);
    if (status != DUNLIN_OK) {
        fail(coap, exchange, status);
        return;
    }
    note_body(exchange, message);
    if (message->observe != DN_COAP_NO_OBSERVE) {
        exchange->result_observe = message->observe;
    }
    head.token = exchange->token;
    uint32_t offset = exchange->taken;
    exchange->taken += (uint32_t)message->payload.len;
    bool wanted = exchange->sink->take(exchange->sink->context, &head, offset, exchange->whole, block.more);
    if (dn_coap_exchange_by_id(&coap->exchanges, id) == NULL) {
        return; /* the sink has ended it */
    }
    if (!wanted) {
        fail(coap, exchange, DUNLIN_ERR_CANCELLED);
    } else if (block.more) {
        uint8_t szx = block.szx < room.szx ? block.szx : room.szx;
        if (exchange->taken >= dn_coap_blocks_reach(szx)) {
            fail(coap, exchange, DUNLIN_ERR_SPACE);
        } else {
            send_block2(coap, exchange, exchange->taken, szx);
        }
    } else {
        last.payload = dunlin_slice_make(NULL, 0);
        last.content_format = exchange->result_format;
        deliver(coap, exchange, &last, NULL);
    }
}

static void take_block2(dn_coap *coap, dn_coap_exchange *exchange, const dn_coap_message *message)
{
    const dn_coap_block *block = &message->block2;
    dn_coap_room room = dn_coap_room_to(coap, exchange->remote);
    size_t offset = dn_coap_block_offset(block);
    dunlin_status status = DUNLIN_OK;
    if (exchange->fetch != NULL && !same_body(exchange, message)) {
        restart(coap, exchange); /* RFC 7959 section 2.4: the representation changed */
        return;
    }
    size_t expected = exchange->fetch == NULL ? 0 : exchange->fetch->body.len;
    if (!dn_coap_room_takes(&room, block) || offset != expected ||
        !dn_coap_block_fits(block, message->payload.len)) {
        fail(coap, exchange, DUNLIN_ERR_MALFORMED);
        return;
    }
    if (exchange->fetch == NULL && !block->more) {
        deliver(coap, exchange, message, NULL);
        return;
    }
    if (exchange->fetch == NULL) {
        status = start_fetch(coap, exchange, message);
    }
    if (status == DUNLIN_OK && !dunlin_buf_append(&exchange->fetch->body, message->payload)) {
        status = DUNLIN_ERR_LIMIT;
    }
    if (status != DUNLIN_OK) {
        coap->counters.limits++;
        fail(coap, exchange, status);
        return;
    }
    note_body(exchange, message);
    if (block->more) {
        uint8_t szx = block->szx < room.szx ? block->szx : room.szx;
        send_block2(coap, exchange, exchange->fetch->body.len, szx);
    } else {
        deliver(coap, exchange, message, exchange->fetch);
    }
}

/* The response to the exchange's message, in whatever type of message it came. */
static void take_answer(dn_coap *coap, dn_coap_exchange *exchange, const dn_coap_message *message)
{
    coap->counters.responses++;
    if (message->bad_option != 0) {
        fail(coap, exchange, DUNLIN_ERR_MALFORMED); /* RFC 7252 section 5.4.1 */
        return;
    }
    if (take_block1_answer(coap, exchange, message)) {
        return;
    }
    if (message->code == DN_COAP_CONTINUE) {
        fail(coap, exchange, DUNLIN_ERR_MALFORMED); /* to what was no block, or the last one */
        return;
    }
    if (exchange->sink != NULL && message->code == DN_COAP_CONTENT) {
        take_piece(coap, exchange, message);
    } else if ((message->has & DN_COAP_HAS_BLOCK2) != 0 && message->code >> 5 == 2) {
        take_block2(coap, exchange, message);
    } else {
        deliver(coap, exchange, message, NULL);
    }
}

static bool is_on_its_way(const dn_coap_exchange *exchange)
{
    return exchange->state == DN_COAP_X_SENT || exchange->state == DN_COAP_X_AWAIT;
}

/* ACK for what was taken; Reset for what was not (RFC 7252 sections 4.2, 4.3); and the same for its
 * duplicates. */
static void reply_empty(dn_coap *coap, uint32_t remote, const dn_coap_message *message, uint32_t seen,
                        uint32_t serial, bool taken)
{
    uint8_t bytes[DN_COAP_HEADER_LEN];
    dn_coap_write_empty(bytes, taken ? DN_COAP_ACK : DN_COAP_RST, message->mid);
    bool silent = taken && message->type == DN_COAP_NON;
    dunlin_slice reply = dunlin_slice_make(bytes, silent ? 0 : sizeof bytes);
    coap->counters.resets_sent += !taken;
    if (dn_coap_seen_is(&coap->in, seen, serial)) {
        dn_coap_seen_set_reply(&coap->in, seen, reply);
    }
    if (reply.len > 0) {
        dn_coap_send(coap, remote, reply);
    }
}

/* A response that no exchange waits for: an observation's, or nobody's. True: somebody knows it. */
static bool notify_upwards(dn_coap *coap, uint32_t remote, const dn_coap_message *message)
{
    bool blocks = (message->has & DN_COAP_HAS_BLOCK2) != 0;
    dn_coap_response notification = make_response(message);
    if (message->bad_option != 0 || coap->callbacks.notification == NULL) {
        return false;
    }
    if (blocks) {
        dn_coap_room room = dn_coap_room_to(coap, remote);
        if (message->block2.num != 0 || !dn_coap_room_takes(&room, &message->block2) ||
            !dn_coap_block_fits(&message->block2, message->payload.len)) {
            return false;
        }
        notification.more = message->block2.more;
        notification.szx = message->block2.szx;
    }
    return coap->callbacks.notification(coap->callbacks.context, dn_coap_peer_of(coap, remote),
                                        &notification);
}

/* A notification may bear the token of a request that ends its observation, but the answer to that has no
 * Observe option. */
static bool is_answer_to(const dn_coap_exchange *exchange, const dn_coap_message *message)
{
    return exchange != NULL && exchange->kind == DN_COAP_X_REQUEST && is_on_its_way(exchange) &&
           !(exchange->observe == 1 && message->observe != DN_COAP_NO_OBSERVE);
}

void dn_coap_take_response_framed(dn_coap *coap, uint32_t remote, const dn_coap_message *message)
{
    dn_coap_exchange *exchange = dn_coap_exchange_by_token(&coap->exchanges, remote, &message->token);
    if (is_answer_to(exchange, message)) {
        take_answer(coap, exchange, message);
        return;
    }
    /* RFC 8323 section 7.4: an unwanted notification cannot be refused; whoever observed says so with a GET. */
    bool known = message->payload.len <= coap->config.max_body && notify_upwards(coap, remote, message);
    coap->counters.limits += message->payload.len > coap->config.max_body;
    coap->counters.notifications += known;
    coap->counters.unmatched += !known;
}

void dn_coap_take_response(dn_coap *coap, uint32_t remote, const dn_coap_message *message)
{
    uint32_t seen = dn_coap_seen_find(&coap->in, remote, message->mid, coap->now_ms);
    if (seen != DN_COAP_NONE) {
        coap->counters.duplicates++;
        dunlin_slice reply = dn_coap_seen_reply(&coap->in, seen);
        if (!coap->in.at[seen].request && coap->in.at[seen].state == DN_COAP_SEEN_REPLY && reply.len > 0) {
            dn_coap_send(coap, remote, reply);
        }
        return;
    }
    uint32_t lifetime_ms =
        message->type == DN_COAP_CON ? coap->config.exchange_lifetime_ms : coap->config.non_lifetime_ms;
    seen = dn_coap_seen_add(&coap->in, remote, message->mid, coap->now_ms + lifetime_ms, coap->now_ms);
    coap->in.at[seen].owner = DN_COAP_NONE;
    uint32_t serial = coap->in.at[seen].serial;
    dn_coap_exchange *exchange = dn_coap_exchange_by_token(&coap->exchanges, remote, &message->token);
    if (is_answer_to(exchange, message)) {
        reply_empty(coap, remote, message, seen, serial, message->bad_option == 0);
        take_answer(coap, exchange, message);
        return;
    }
    bool known = notify_upwards(coap, remote, message);
    coap->counters.notifications += known;
    coap->counters.unmatched += !known;
    reply_empty(coap, remote, message, seen, serial, known);
}

void dn_coap_take_ack(dn_coap *coap, uint32_t remote, const dn_coap_message *message)
{
    dn_coap_exchange *exchange = dn_coap_exchange_by_mid(&coap->exchanges, remote, message->mid);
    const bool expected = exchange != NULL && exchange->confirmable && is_on_its_way(exchange);
    if (expected && exchange->kind != DN_COAP_X_REQUEST) {
        dn_coap_finish(coap, exchange, DUNLIN_OK, NULL, NULL);
    } else if (expected && message->code == DN_COAP_EMPTY) {
        if (exchange->state == DN_COAP_X_SENT) {
            dn_coap_acknowledged(coap, exchange);
        }
    } else if (expected && dn_coap_token_equal(&exchange->wire, &message->token)) {
        take_answer(coap, exchange, message);
    } else {
        coap->counters.unmatched++;
    }
}
