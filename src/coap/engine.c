/* SPDX-License-Identifier: Apache-2.0 */
/* The engine put together: its memory, the way of a datagram to the right file, and the way of time. */
#include "coap/engine.h"
#include "coap/client.h"
#include "coap/core.h"
#include "coap/frame.h"
#include "coap/notify.h"
#include "coap/reliability.h"
#include "coap/server.h"
#include "coap/signal.h"

/* Header, token, payload marker and our own options beside a block. */
#define AROUND_BLOCK_MIN 60
#define TOKEN_BYTES_MAX  DN_COAP_TOKEN_MAX
/* Ids that one expiry clears of each table of seen ones. */
#define EXPIRE_IDS 16

dn_coap_config dn_coap_config_default(void)
{
    dn_coap_config config = {.ack_timeout_ms = 2000,
                             .ack_random_percent = 150,
                             .max_retransmit = 4,
                             .nstart = 1,
                             .exchange_lifetime_ms = 247000,
                             .non_lifetime_ms = 145000,
                             .separate_ack_ms = 500,
                             .response_timeout_ms = 93000,
                             .transfer_timeout_ms = 93000,
                             .exchanges = 8,
                             .transfers = 2,
                             .dedup_slots = 16,
                             .dedup_reply_max = 256,
                             .dedup_per_peer = 8,
                             .max_message = 1152,
                             .max_body = 4096,
                             .block_szx = 6,
                             .max_stream_message = 8192,
                             .csm_timeout_ms = 30000};
    return config;
}

/* Each bound keeps a sum or product below from overflowing, or a table from being of no use. */
static bool is_in_range(const dn_coap_config *config)
{
    const struct {
        uint32_t value, low, high;
    } ranges[] = {
        {config->ack_timeout_ms, 1, 600000},
        {config->ack_random_percent, 100, 1000},
        {config->max_retransmit, 0, 8},
        {config->nstart, 1, UINT32_MAX},
        {config->exchanges, 1, 1u << 20},
        {config->transfers, 0, 1u << 16},
        {config->peers, 0, 1u << 24},
        {config->dedup_slots, 1, 1u << 24},
        {config->dedup_reply_max, 16, UINT16_MAX},
        {config->dedup_per_peer, 1, UINT32_MAX},
        {config->max_message, 16 + AROUND_BLOCK_MIN, UINT16_MAX},
        {config->max_body, 16, 1u << 24},
        {config->block_szx, 0, DN_COAP_SZX_MAX},
        {config->connections, 0, 1u << 20},
        {config->connections == 0 ? DN_COAP_MAX_MESSAGE_BASE : config->max_stream_message,
         DN_COAP_MAX_MESSAGE_BASE, 1u << 20},
        {config->connections == 0 ? 1 : config->csm_timeout_ms, 1, 600000},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (ranges[i].value < ranges[i].low || ranges[i].value > ranges[i].high) {
            return false;
        }
    }
    return config->max_message >= dn_coap_block_size(config->block_szx) + AROUND_BLOCK_MIN &&
           config->max_body >= dn_coap_block_size(config->block_szx);
}

/* Lays out all tables; `coap` must hold config and key. */
static void lay_out(dn_coap *coap, dn_coap_arena *arena)
{
    const dn_coap_config *config = &coap->config;
    /* Every reference there can be, and one for the message at hand. */
    uint32_t remotes = config->dedup_slots + 3 * config->exchanges + 2 * config->transfers + 1;
    if (config->peers != 0 && config->peers < remotes) {
        remotes = config->peers;
    }
    remotes += config->connections;
    dn_coap_remotes_init(&coap->remotes, arena, remotes, &coap->key);
    dn_coap_seen_init(&coap->in, arena, &coap->remotes, DN_COAP_SEEN_IN, config->dedup_slots,
                      config->dedup_per_peer, config->dedup_reply_max);
    dn_coap_seen_init(&coap->out, arena, &coap->remotes, DN_COAP_SEEN_OUT, config->exchanges,
                      config->exchanges, TOKEN_BYTES_MAX);
    dn_coap_exchanges_init(&coap->exchanges, arena, &coap->remotes, config->exchanges, config->max_message);
    dn_coap_pendings_init(&coap->pendings, arena, &coap->remotes, config->exchanges);
    dn_coap_transfers_init(&coap->transfers, arena, &coap->remotes, &coap->wheel, config->transfers,
                           config->max_body, config->transfer_timeout_ms);
    dn_coap_streams_init(&coap->streams, arena, &coap->remotes, &coap->wheel, config->transfers,
                         config->transfer_timeout_ms);
    dn_coap_connections_init(&coap->connections, arena, &coap->remotes, config->connections);
    bool streams = config->connections > 0 && config->max_stream_message > config->max_message;
    /* What a longer head needs goes before it (DN_COAP_FRAME_AHEAD); a whole unit, so that messages stay aligned. */
    uint8_t *out = dn_coap_arena_take(
        arena, 1, DN_COAP_ARENA_ALIGN + (streams ? config->max_stream_message : config->max_message));
    coap->out_datagram = out == NULL ? NULL : out + DN_COAP_ARENA_ALIGN;
    coap->body = dn_coap_arena_take(arena, 1, config->max_body);
}

size_t dn_coap_arena_size(const dn_coap_config *config)
{
    if (!is_in_range(config)) {
        return 0;
    }
    dn_coap counted;
    dn_coap_arena arena = {NULL, 0, false};
    memset(&counted, 0, sizeof counted);
    counted.config = *config;
    (void)dn_coap_arena_take(&arena, 1, sizeof counted);
    lay_out(&counted, &arena);
    return arena.overflow ? 0 : arena.used;
}

dn_coap *dn_coap_create(void *memory, size_t size, const dn_coap_config *config,
                        const dn_coap_callbacks *callbacks, const dn_random *random, const dn_log *log,
                        uint64_t now_ms)
{
    size_t needed = dn_coap_arena_size(config);
    if (needed == 0 || size < needed || (uintptr_t)memory % DN_COAP_ARENA_ALIGN != 0) {
        return NULL;
    }
    dn_coap_arena arena = {memory, 0, false};
    dn_coap *coap = dn_coap_arena_take(&arena, 1, sizeof *coap);
    memset(coap, 0, sizeof *coap);
    coap->config = *config;
    coap->callbacks = *callbacks;
    coap->random = *random;
    coap->log = log;
    coap->now_ms = now_ms;
    random->fill(random->context, &coap->key, sizeof coap->key);
    dn_wheel_init(&coap->wheel, now_ms);
    lay_out(coap, &arena);
    return coap;
}

static void receive_request_or_response(dn_coap *coap, const dn_peer *peer, const dn_coap_message *message)
{
    uint32_t remote = dn_coap_hold_peer(coap, peer);
    if (remote == DN_COAP_NONE) {
        coap->counters.limits++;
        return;
    }
    if (dn_coap_is_request(message->code)) {
        dn_coap_serve(coap, remote, message);
    } else {
        dn_coap_take_response(coap, remote, message);
    }
    dn_coap_remote_release(&coap->remotes, remote);
}

static void receive_ack_or_reset(dn_coap *coap, const dn_peer *peer, const dn_coap_message *message)
{
    uint32_t remote = dn_coap_remote_find(&coap->remotes, peer);
    if (remote == DN_COAP_NONE) {
        coap->counters.resets_received += message->type == DN_COAP_RST;
        coap->counters.unmatched++;
        return;
    }
    dn_coap_remote_hold(&coap->remotes, remote);
    if (message->type == DN_COAP_ACK) {
        dn_coap_take_ack(coap, remote, message);
    } else {
        dn_coap_take_reset(coap, remote, message);
    }
    dn_coap_remote_release(&coap->remotes, remote);
}

/* RFC 7252 section 4.6: larger than we promised to take. A request is told so; the rest is rejected. */
static void receive_oversized(dn_coap *coap, const dn_peer *peer, const dn_coap_message *message, bool sound)
{
    coap->counters.oversized++;
    bool confirmable = message->type == DN_COAP_CON;
    if (sound && dn_coap_is_request(message->code) && (confirmable || message->type == DN_COAP_NON)) {
        uint32_t remote = dn_coap_hold_peer(coap, peer);
        if (remote != DN_COAP_NONE) {
            dn_coap_serve_oversized(coap, remote, message);
            dn_coap_remote_release(&coap->remotes, remote);
        }
    } else if (confirmable) {
        dn_coap_send_empty(coap, peer, DN_COAP_RST, message->mid);
    }
}

/* A message on a stream whose end began nothing but this: it breaks the protocol. */
static void abort_malformed(dn_coap *coap, uint32_t remote, const char *text)
{
    coap->counters.malformed++;
    dn_coap_abort(coap, remote, DUNLIN_ERR_MALFORMED, text);
}

/* What came on a stream, sound so far as its bytes go. */
static void take_framed(dn_coap *coap, uint32_t remote, const dn_coap_message *message)
{
    unsigned code_class = message->code >> 5;
    if (message->code == DN_COAP_EMPTY) {
        return; /* RFC 8323 section 3.4: it has kept the way open */
    }
    if (dn_coap_is_signal(message->code)) {
        dn_coap_take_signal(coap, remote, message);
    } else if (!dn_coap_connection_of(&coap->connections, remote)->greeted) {
        abort_malformed(coap, remote, "no CSM"); /* section 5.3 */
    } else if (dn_coap_is_request(message->code)) {
        dn_coap_serve(coap, remote, message);
    } else if (code_class >= 2 && code_class <= 5) {
        dn_coap_take_response_framed(coap, remote, message);
    } else {
        coap->counters.malformed++; /* a code of a class that is not defined */
    }
}

static void receive_framed(dn_coap *coap, uint32_t remote, dunlin_slice bytes)
{
    dn_coap_message message;
    uint64_t length;
    if (dn_coap_connection_of(&coap->connections, remote)->ended) {
        return;
    }
    dn_coap_remote_hold(&coap->remotes, remote);
    if (dn_coap_frame_length(bytes, &length) == DUNLIN_OK && length > coap->config.max_stream_message) {
        coap->counters.oversized++;
        dn_coap_abort(coap, remote, DUNLIN_ERR_RANGE, "message too large");
    } else if (dn_coap_message_read_framed(&message, bytes) != DUNLIN_OK) {
        abort_malformed(coap, remote, "malformed message");
    } else {
        take_framed(coap, remote, &message);
    }
    dn_coap_remote_release(&coap->remotes, remote);
}

/* True: it was of a stream, and is dealt with. */
static bool receive_from_stream(dn_coap *coap, const dn_peer *peer, dunlin_slice bytes)
{
    uint32_t remote = dn_coap_find_stream(coap, peer);
    if (remote != DN_COAP_NONE) {
        receive_framed(coap, remote, bytes);
        return true;
    }
    bool closed = dn_transport_is_stream(dn_peer_transport(peer));
    coap->counters.unmatched += closed;
    return closed;
}

void dn_coap_receive(dn_coap *coap, const dn_peer *peer, dunlin_slice datagram, uint64_t now_ms)
{
    dn_coap_message message;
    coap->now_ms = now_ms > coap->now_ms ? now_ms : coap->now_ms;
    coap->counters.received++;
    coap->counters.bytes_received += datagram.len;
    if (receive_from_stream(coap, peer, datagram)) {
        return;
    }
    dunlin_status status = dn_coap_message_read(&message, datagram);
    if (status == DUNLIN_ERR_TRUNCATED) {
        coap->counters.malformed++;
        return;
    }
    if (datagram.len > coap->config.max_message) {
        receive_oversized(coap, peer, &message, status == DUNLIN_OK);
        return;
    }
    if (status != DUNLIN_OK) {
        coap->counters.malformed++;
        if (message.type == DN_COAP_CON) {
            dn_coap_send_empty(coap, peer, DN_COAP_RST, message.mid); /* section 4.2 */
        }
        return;
    }
    if (message.type == DN_COAP_ACK || message.type == DN_COAP_RST) {
        receive_ack_or_reset(coap, peer, &message);
    } else if (message.code == DN_COAP_EMPTY) {
        dn_coap_send_empty(coap, peer, DN_COAP_RST, message.mid); /* section 4.3: a ping */
    } else {
        receive_request_or_response(coap, peer, &message);
    }
}

static void end_transfer(dn_coap *coap, dn_coap_transfer *transfer)
{
    coap->counters.timeouts += transfer->role == DN_COAP_TRANSFER_ASSEMBLE;
    dn_coap_transfer_end(&coap->transfers, transfer);
}

void dn_coap_expire(dn_coap *coap, uint64_t now_ms)
{
    dn_deadline *due;
    coap->now_ms = now_ms > coap->now_ms ? now_ms : coap->now_ms;
    while ((due = dn_wheel_expire(&coap->wheel, coap->now_ms)) != NULL) {
        dn_coap_timer *timer = DN_CONTAINER(due, dn_coap_timer, deadline);
        switch ((dn_coap_timer_kind)timer->kind) {
        case DN_COAP_TIMER_EXCHANGE:
            dn_coap_exchange_due(coap, DN_CONTAINER(timer, dn_coap_exchange, timer));
            break;
        case DN_COAP_TIMER_PENDING:
            dn_coap_pending_due(coap, DN_CONTAINER(timer, dn_coap_pending, timer));
            break;
        case DN_COAP_TIMER_TRANSFER:
            end_transfer(coap, DN_CONTAINER(timer, dn_coap_transfer, timer));
            break;
        case DN_COAP_TIMER_STREAM:
            dn_coap_stream_due(coap, DN_CONTAINER(timer, dn_coap_stream, timer));
            break;
        case DN_COAP_TIMER_CONNECTION:
            dn_coap_connection_due(coap, DN_CONTAINER(timer, dn_coap_connection, timer));
            break;
        }
    }
    dn_coap_seen_expire(&coap->in, coap->now_ms, EXPIRE_IDS);
    dn_coap_seen_expire(&coap->out, coap->now_ms, EXPIRE_IDS);
}

uint64_t dn_coap_deadline(const dn_coap *coap)
{
    return dn_wheel_next(&coap->wheel);
}

dunlin_status dn_coap_cancel(dn_coap *coap, uint64_t id)
{
    dn_coap_exchange *exchange = dn_coap_exchange_by_id(&coap->exchanges, id);
    if (exchange == NULL) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    dn_coap_finish(coap, exchange, DUNLIN_ERR_CANCELLED, NULL, NULL);
    return DUNLIN_OK;
}

dunlin_status dn_coap_nudge(dn_coap *coap, uint64_t id, uint64_t now_ms)
{
    dn_coap_exchange *exchange = dn_coap_exchange_by_id(&coap->exchanges, id);
    if (exchange == NULL) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    coap->now_ms = now_ms > coap->now_ms ? now_ms : coap->now_ms;
    dn_coap_send_again(coap, exchange);
    return DUNLIN_OK;
}

/* The peer's oldest exchange made before `serial`, or NULL: callbacks may make new ones meanwhile, which are
 * not to be ended. */
static dn_coap_exchange *oldest_before(const dn_coap *coap, uint32_t remote, uint64_t serial)
{
    dn_coap_exchange *oldest = NULL;
    for (dn_coap_exchange *at = coap->remotes.at[remote].exchanges; at != NULL; at = at->peer_next) {
        if (at->serial <= serial) {
            oldest = at; /* the list has the newest first */
        }
    }
    return oldest;
}

/* Ends all that concerns a remote, which the caller holds; its exchanges with `status`. */
static void forget(dn_coap *coap, uint32_t remote, dunlin_status status)
{
    dn_coap_serve_forget(coap, remote);
    dn_coap_transfers_forget(&coap->transfers, remote);
    uint64_t serial = coap->exchanges.serial;
    dn_coap_exchange *exchange;
    while ((exchange = oldest_before(coap, remote, serial)) != NULL) {
        dn_coap_finish(coap, exchange, status, NULL, NULL);
    }
}

void dn_coap_forget(dn_coap *coap, const dn_peer *peer)
{
    uint32_t remote = dn_coap_remote_find(&coap->remotes, peer);
    if (remote == DN_COAP_NONE) {
        return;
    }
    dn_coap_remote_hold(&coap->remotes, remote);
    dn_coap_seen_forget_remote(&coap->in, remote);
    dn_coap_seen_forget_remote(&coap->out, remote);
    forget(coap, remote, DUNLIN_ERR_CANCELLED);
    dn_coap_remote_release(&coap->remotes, remote);
}

void dn_coap_close(dn_coap *coap, const dn_peer *peer)
{
    uint32_t remote = dn_coap_find_stream(coap, peer);
    if (remote == DN_COAP_NONE) {
        return;
    }
    dn_coap_connection *connection = dn_coap_connection_of(&coap->connections, remote);
    if (connection->closing) {
        return;
    }
    dn_coap_remote_hold(&coap->remotes, remote);
    dn_deadline_cancel(&coap->wheel, &connection->timer.deadline);
    /* Nothing of what ends may be said any more, or begin anew. */
    connection->ended = connection->closing = true;
    forget(coap, remote, DUNLIN_ERR_IO);
    dn_coap_connection_free(&coap->connections, connection);
    dn_coap_remote_release(&coap->remotes, remote);
}

bool dn_coap_had_arrived(const dn_coap *coap)
{
    return coap->arrived;
}

const dn_coap_counters *dn_coap_count(const dn_coap *coap)
{
    return &coap->counters;
}

void dn_coap_reply_init(dn_coap_reply *reply, uint8_t code)
{
    *reply =
        (dn_coap_reply){.code = code, .content_format = DN_COAP_NO_FORMAT, .observe = DN_COAP_NO_OBSERVE};
}

void dn_coap_outgoing_init(dn_coap_outgoing *request, uint8_t code)
{
    *request = (dn_coap_outgoing){.code = code,
                                  .confirmable = true,
                                  .content_format = DN_COAP_NO_FORMAT,
                                  .accept = DN_COAP_NO_FORMAT,
                                  .observe = DN_COAP_NO_OBSERVE};
}
