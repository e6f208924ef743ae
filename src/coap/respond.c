/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts a reply to the block that is due, writes it, sends it, and keeps what may be asked for again. */
#include "coap/respond.h"
#include "coap/body.h"
#include "coap/compose.h"
#include "coap/reliability.h"
#include "coap/room.h"

#define ETAG_LEN 4

/* A response about to be written. */
typedef struct {
    dn_coap_type type;
    uint16_t mid;
    const dn_coap_token *token;
    const dn_coap_reply *reply;
    dn_coap_room room;
    dn_coap_body body;
    dn_coap_etag etag; /* len 0: none of ours */
    bool blockwise;    /* Block2 */
    uint8_t szx;
    size_t block; /* bytes of a block */
    size_t offset;
    bool has_block1, has_size1, has_size2;
    dn_coap_block block1;
    uint32_t size1;
} draft;

/* A response with the whole of `reply`'s body ahead of it. */
static draft draft_of(const dn_coap *coap, uint32_t remote, const dn_coap_reply *reply,
                      const dn_coap_token *token)
{
    draft response = {.reply = reply,
                      .token = token,
                      .room = dn_coap_room_to(coap, remote),
                      .body = dn_coap_body_of(reply->payload, reply->source)};
    return response;
}

/* SPACE: the options are out of order, or too long even for the smallest block. CANCELLED: the body's source
 * fails. */
static dunlin_status write_draft(const draft *response, uint8_t *out, size_t *length)
{
    bool more = false;
    size_t part = response->blockwise
                      ? dn_coap_body_cut(&response->body, response->offset, response->block, &more)
                      : (size_t)dn_coap_body_size(&response->body);
    const dn_coap_reply *reply = response->reply;
    dn_coap_own own;
    own.count = 0;
    if (response->etag.len > 0) {
        dn_coap_own_bytes(&own, DN_OPTION_ETAG, dunlin_slice_make(response->etag.bytes, response->etag.len));
    }
    /* RFC 7959 section 2.6: the Observe option is on block 0 only. */
    if (reply->observe != DN_COAP_NO_OBSERVE && response->offset == 0) {
        dn_coap_own_uint(&own, DN_OPTION_OBSERVE, (uint32_t)reply->observe & 0xffffffu);
    }
    if (reply->content_format != DN_COAP_NO_FORMAT) {
        dn_coap_own_uint(&own, DN_OPTION_CONTENT_FORMAT, reply->content_format);
    }
    if (response->blockwise) {
        dn_coap_block block = {(uint32_t)(response->offset >> dn_coap_block_shift(response->szx)),
                               response->szx, more};
        dn_coap_own_uint(&own, DN_OPTION_BLOCK2, dn_coap_block_value(&block));
    }
    if (response->has_block1) {
        dn_coap_own_uint(&own, DN_OPTION_BLOCK1, dn_coap_block_value(&response->block1));
    }
    if (response->has_size2) {
        dn_coap_own_uint(&own, DN_OPTION_SIZE2, (uint32_t)dn_coap_body_size(&response->body));
    }
    if (response->has_size1) {
        dn_coap_own_uint(&own, DN_OPTION_SIZE1, response->size1);
    }
    dn_coap_writer writer;
    dn_coap_write_header(&writer, out, response->room.message, response->type, reply->code, response->mid,
                         response->token);
    dn_coap_write_merged(&writer, reply->options, reply->option_count, &own);
    bool readable = dn_coap_body_write(&response->body, response->offset, part, &writer);
    *length = writer.len;
    return writer.failed ? DUNLIN_ERR_SPACE : readable ? DUNLIN_OK : DUNLIN_ERR_CANCELLED;
}

/* Decides on blocks: of `szx` or less, and only if the body needs them or the peer `asked`. */
static void fit_blocks(draft *response, uint8_t szx, bool asked)
{
    const dn_coap_reply *reply = response->reply;
    uint64_t whole = dn_coap_body_size(&response->body);
    size_t around = dn_coap_room_around(reply->options, reply->option_count);
    dn_coap_fit fit = dn_coap_room_fit(&response->room, around, whole, szx);
    response->szx = fit.szx;
    response->block = fit.block;
    response->blockwise = asked || whole > fit.whole;
}

static dn_coap_etag etag_of_reply(const dn_coap *coap, const dn_coap_reply *reply, bool *own)
{
    dn_coap_etag etag = {0, {0}};
    for (size_t i = 0; i < reply->option_count; i++) {
        if (reply->options[i].number == DN_OPTION_ETAG && reply->options[i].value.len <= DN_COAP_ETAG_MAX) {
            etag.len = (uint8_t)reply->options[i].value.len;
            memcpy(etag.bytes, reply->options[i].value.data, etag.len);
            *own = false;
            return etag;
        }
    }
    /* By content: a body made again for a later block has the same tag if nothing changed, another one if it
     * did. */
    uint64_t hash = dn_hash(&coap->key, reply->payload) ^ reply->code ^ (uint64_t)reply->content_format << 8;
    etag.len = ETAG_LEN;
    memcpy(etag.bytes, &hash, ETAG_LEN);
    *own = true;
    return etag;
}

static bool is_success(uint8_t code)
{
    return code >> 5 == 2;
}

/* Fills in the block to send. False: the peer asks for one behind the end. */
static bool choose_block(const dn_coap_pending *pending, draft *response)
{
    bool asked = (pending->has & DN_COAP_HAS_BLOCK2) != 0 && is_success(response->reply->code);
    uint8_t szx = response->room.szx;
    response->offset = 0;
    if (asked) {
        response->offset = dn_coap_block_offset(&pending->block2);
    }
    if (asked && pending->block2.szx < szx) {
        szx = pending->block2.szx;
    } else if (!asked && (pending->has & DN_COAP_HAS_BLOCK1) != 0 && pending->block1.szx < szx) {
        szx = pending->block1.szx; /* what it sends is what it likes to get */
    }
    fit_blocks(response, szx, asked);
    return response->offset == 0 || response->offset < dn_coap_body_size(&response->body);
}

/* Keeps the body for the blocks to come. False: it cannot be kept. */
static bool keep_body(dn_coap *coap, uint32_t remote, uint64_t key, const dn_coap_reply *reply,
                      const dn_coap_etag *etag, bool reproducible)
{
    dn_coap_transfer *transfer =
        dn_coap_transfer_start(&coap->transfers, DN_COAP_TRANSFER_SERVE, remote, key, coap->now_ms);
    if (transfer == NULL) {
        return false;
    }
    transfer->code = reply->code;
    transfer->reproducible = reproducible;
    transfer->content_format = reply->content_format;
    transfer->etag = *etag;
    (void)dunlin_buf_append(&transfer->body, reply->payload);
    return true;
}

static void remember_reply(dn_coap *coap, const dn_coap_pending *pending, dunlin_slice reply)
{
    if (dn_coap_seen_is(&coap->in, pending->seen, pending->seen_serial)) {
        dn_coap_seen_set_reply(&coap->in, pending->seen, reply);
    }
}

/* Gives a written message its type and id. */
static void stamp(uint8_t *datagram, dn_coap_type type, uint16_t mid)
{
    datagram[0] = (uint8_t)((datagram[0] & 0xcfu) | (unsigned)type << 4);
    datagram[2] = (uint8_t)(mid >> 8);
    datagram[3] = (uint8_t)mid;
}

/* Section 5.2.2: a separate response is confirmable, in an exchange of its own. False: there is none free. */
static bool send_separately(dn_coap *coap, const dn_coap_pending *pending, size_t length)
{
    dn_coap_exchange *exchange = dn_coap_exchange_make(&coap->exchanges, DN_COAP_X_RESPONSE, pending->remote);
    if (exchange == NULL) {
        coap->counters.limits++;
        return false;
    }
    exchange->confirmable = true;
    exchange->datagram_len = length;
    memcpy(exchange->datagram, coap->out_datagram, length);
    stamp(exchange->datagram, DN_COAP_CON, dn_coap_exchange_next_mid(&coap->exchanges, exchange));
    dn_coap_submit(coap, exchange);
    return true;
}

/* Sends the response that stands in out_datagram. */
static void send_written(dn_coap *coap, const dn_coap_pending *pending, size_t length)
{
    if (dn_coap_is_stream(coap, pending->remote)) {
        dn_coap_send_framed(coap, pending->remote, coap->out_datagram, length);
        return;
    }
    dunlin_slice datagram = dunlin_slice_make(coap->out_datagram, length);
    bool piggybacked = pending->confirmable && !pending->acknowledged;
    if (pending->acknowledged && send_separately(coap, pending, length)) {
        return;
    }
    if (piggybacked) {
        stamp(coap->out_datagram, DN_COAP_ACK, pending->mid);
        remember_reply(coap, pending, datagram);
    } else {
        stamp(coap->out_datagram, DN_COAP_NON, dn_coap_remote_next_mid(&coap->remotes, pending->remote));
    }
    if (!pending->confirmable) {
        remember_reply(coap, pending, dunlin_slice_make(NULL, 0)); /* a repeated NON gets no second answer */
    }
    dn_coap_send(coap, pending->remote, datagram);
}

/* Writes and sends, unless it cannot be written. */
static dunlin_status send_draft(dn_coap *coap, const dn_coap_pending *pending, const draft *response)
{
    size_t length;
    dunlin_status status = write_draft(response, coap->out_datagram, &length);
    if (status == DUNLIN_OK) {
        send_written(coap, pending, length);
    }
    return status;
}

void dn_coap_respond_code(dn_coap *coap, const dn_coap_pending *pending, uint8_t code, const char *diagnostic)
{
    dn_coap_reply reply;
    dn_coap_reply_init(&reply, code);
    reply.payload = dunlin_slice_of(diagnostic);
    draft response = draft_of(coap, pending->remote, &reply, &pending->token);
    (void)send_draft(coap, pending, &response);
}

void dn_coap_respond_too_large(dn_coap *coap, const dn_coap_pending *pending, uint32_t size1, uint8_t szx)
{
    dn_coap_reply reply;
    dn_coap_reply_init(&reply, DN_COAP_TOO_LARGE);
    draft response = draft_of(coap, pending->remote, &reply, &pending->token);
    response.has_size1 = true;
    response.size1 = size1;
    response.has_block1 = szx != DN_COAP_SZX_RESERVED;
    response.block1.szx = szx;
    (void)send_draft(coap, pending, &response);
}

void dn_coap_respond_continue(dn_coap *coap, const dn_coap_pending *pending, const dn_coap_block *block1)
{
    dn_coap_reply reply;
    dn_coap_reply_init(&reply, DN_COAP_CONTINUE);
    draft response = draft_of(coap, pending->remote, &reply, &pending->token);
    response.has_block1 = true;
    response.block1 = *block1;
    (void)send_draft(coap, pending, &response);
}

static bool is_safe(uint8_t method)
{
    return method == DN_COAP_GET || method == DN_COAP_FETCH;
}

/* Whether the reply can be written at all; the answer to give instead, or 0. */
static uint8_t check_reply(const dn_coap *coap, const dn_coap_pending *pending, draft *response)
{
    uint64_t whole = dn_coap_body_size(&response->body);
    bool from_source = response->body.source != NULL;
    if (!from_source && whole > coap->config.max_body) {
        return DN_COAP_INTERNAL_ERROR;
    }
    if (!choose_block(pending, response)) {
        return DN_COAP_BAD_REQUEST;
    }
    /* What is not kept is asked for again with each block, and only safe methods may be. */
    if (from_source && response->blockwise && whole > response->block && !is_safe(pending->code)) {
        return DN_COAP_INTERNAL_ERROR;
    }
    return whole > dn_coap_blocks_reach(response->szx) ? DN_COAP_INTERNAL_ERROR : 0;
}

/* Blocks of what this resource was before must not follow those of the source. */
static void drop_kept(dn_coap *coap, const dn_coap_pending *pending)
{
    dn_coap_transfer *kept =
        dn_coap_transfer_find(&coap->transfers, DN_COAP_TRANSFER_SERVE, pending->remote, pending->key);
    if (kept != NULL) {
        dn_coap_transfer_end(&coap->transfers, kept);
    }
}

/* ETag and Size2, and keeps a body of several blocks. False: it can neither be kept nor made again. */
static bool add_body_options(dn_coap *coap, const dn_coap_pending *pending, draft *response,
                             const dn_coap_transfer *kept)
{
    const dn_coap_reply *reply = response->reply;
    bool size_asked = (pending->has & DN_COAP_HAS_SIZE2) != 0 && is_success(reply->code);
    bool several = response->blockwise && dn_coap_body_size(&response->body) > response->block;
    response->has_size2 = response->offset == 0 && (several || size_asked);
    if (reply->source != NULL) {
        drop_kept(coap, pending);
    }
    if (!several || reply->source != NULL) {
        return true;
    }
    bool own = true;
    dn_coap_etag etag = kept != NULL ? kept->etag : etag_of_reply(coap, reply, &own);
    if (own) {
        response->etag = etag;
    }
    bool safe = is_safe(pending->code);
    return kept != NULL || keep_body(coap, pending->remote, pending->key, reply, &etag, safe) || safe;
}

void dn_coap_respond(dn_coap *coap, const dn_coap_pending *pending, const dn_coap_reply *reply,
                     const dn_coap_transfer *kept)
{
    draft response = draft_of(coap, pending->remote, reply, &pending->token);
    uint8_t refusal = check_reply(coap, pending, &response);
    if (refusal != 0) {
        coap->counters.limits += refusal == DN_COAP_INTERNAL_ERROR;
        dn_coap_respond_code(coap, pending, refusal, NULL);
        return;
    }
    if ((pending->has & DN_COAP_HAS_BLOCK1) != 0) {
        response.has_block1 = true;
        response.block1 = pending->block1;
        response.block1.more = false;
    }
    if (!add_body_options(coap, pending, &response, kept)) {
        coap->counters.limits++;
        dn_coap_respond_code(coap, pending, DN_COAP_UNAVAILABLE, NULL);
        return;
    }
    dunlin_status status = send_draft(coap, pending, &response);
    if (status != DUNLIN_OK) {
        /* A peer that takes next to nothing is its own fault, and must not fill our log. */
        dn_log_level level = response.room.message < coap->config.max_message ? DN_LOG_DEBUG : DN_LOG_ERROR;
        dn_log_at(coap->log, level, "coap",
                  status == DUNLIN_ERR_SPACE ? "options of a reply are too long or out of order"
                                             : "the body of a reply could not be read");
        dn_coap_respond_code(coap, pending, DN_COAP_INTERNAL_ERROR, NULL);
    }
}

size_t dn_coap_write_notification(dn_coap *coap, uint32_t remote, dn_coap_type type, uint16_t mid,
                                  const dn_coap_token *token, const dn_coap_reply *reply, uint8_t *out)
{
    size_t length;
    draft response = draft_of(coap, remote, reply, token);
    response.type = type;
    response.mid = mid;
    fit_blocks(&response, response.room.szx, false);
    if (response.blockwise) {
        bool own;
        dn_coap_etag etag = etag_of_reply(coap, reply, &own);
        response.has_size2 = true;
        if (own) {
            response.etag = etag;
        }
        /* Blocks of an earlier state must not be mixed with this one. */
        dn_coap_transfers_outdate(&coap->transfers, remote);
        if (reply->key != 0) {
            (void)keep_body(coap, remote, reply->key, reply, &etag, true);
        }
    }
    return write_draft(&response, out, &length) == DUNLIN_OK ? length : 0;
}
