/* SPDX-License-Identifier: Apache-2.0 */
/* Each code by its rules; what breaks them is answered with Abort. */
#include "coap/signal.h"
#include "coap/reliability.h"
#include "coap/server.h"

enum {
    CODE_CSM = DN_COAP_CODE(7, 1),
    CODE_PING = DN_COAP_CODE(7, 2),
    CODE_PONG = DN_COAP_CODE(7, 3),
    CODE_RELEASE = DN_COAP_CODE(7, 4),
    CODE_ABORT = DN_COAP_CODE(7, 5)
};

/* Option numbers belong to codes here (section 5.2). All that are defined are elective. */
enum { CSM_MAX_MESSAGE_SIZE = 2, CSM_BLOCK_WISE_TRANSFER = 4, PING_CUSTODY = 2, ABORT_BAD_CSM_OPTION = 2 };

/* Header, token, an option or two, and a short text. */
#define SIGNAL_MAX 96

static const dn_coap_token no_token;

static void begin_signal(dn_coap_writer *writer, uint8_t out[SIGNAL_MAX], uint8_t code,
                         const dn_coap_token *token)
{
    dn_coap_write_header(writer, out, SIGNAL_MAX, DN_COAP_CON, code, 0, token);
}

static void option_uint(dn_coap_writer *writer, uint16_t number, uint32_t value)
{
    uint8_t bytes[4];
    dn_coap_write_option(writer, number, dn_coap_option_from_uint(value, bytes));
}

static void send_signal(dn_coap *coap, uint32_t remote, dn_coap_writer *writer)
{
    dn_coap_send_framed(coap, remote, writer->data, writer->len);
}

static void send_csm(dn_coap *coap, uint32_t remote)
{
    uint8_t out[SIGNAL_MAX];
    dn_coap_writer writer;
    begin_signal(&writer, out, CODE_CSM, &no_token);
    option_uint(&writer, CSM_MAX_MESSAGE_SIZE, coap->config.max_stream_message);
    dn_coap_write_option(&writer, CSM_BLOCK_WISE_TRANSFER, dunlin_slice_make(NULL, 0));
    send_signal(coap, remote, &writer);
}

/* Nothing comes or goes from here on; whoever owns the stream closes it. */
static void end_stream(dn_coap *coap, uint32_t remote, dunlin_status status, dunlin_slice detail)
{
    dn_coap_connection *connection = dn_coap_connection_of(&coap->connections, remote);
    dn_deadline_cancel(&coap->wheel, &connection->timer.deadline);
    connection->ended = true;
    coap->counters.aborts++;
    coap->callbacks.stream_ended(coap->callbacks.context, dn_coap_peer_of(coap, remote), status, detail);
}

/* `bad_option` 0: the reason is no option of a CSM. */
static void abort_for(dn_coap *coap, uint32_t remote, dunlin_status status, uint16_t bad_option,
                      const char *text)
{
    const dn_coap_connection *connection = dn_coap_connection_of(&coap->connections, remote);
    if (connection == NULL || connection->ended) {
        return;
    }
    uint8_t out[SIGNAL_MAX];
    dn_coap_writer writer;
    begin_signal(&writer, out, CODE_ABORT, &no_token);
    if (bad_option != 0) {
        option_uint(&writer, ABORT_BAD_CSM_OPTION, bad_option);
    }
    dn_coap_write_payload(&writer, dunlin_slice_of(text));
    dn_log_at(coap->log, DN_LOG_DEBUG, "coap", "a stream is aborted: %s", text);
    send_signal(coap, remote, &writer);
    end_stream(coap, remote, status, dunlin_slice_of(text));
}

void dn_coap_abort(dn_coap *coap, uint32_t remote, dunlin_status status, const char *text)
{
    abort_for(coap, remote, status, 0, text);
}

/* The first critical option that the code does not have, or 0. The options were checked when the message was read. */
static uint16_t bad_option(const dn_coap_message *message)
{
    dn_coap_options walk = message->options;
    dn_coap_option option;
    while (dn_coap_option_next(&walk, &option) == DUNLIN_OK) {
        if ((option.number & 1u) != 0) {
            return option.number;
        }
    }
    return 0;
}

/* Section 5.3: what is said replaces what was said before; what is not said stays. An option that is repeated, or too long, is
 * an unknown one (RFC 7252 sections 5.4.3, 5.4.5). */
static void take_csm(dn_coap *coap, uint32_t remote, const dn_coap_message *message)
{
    dn_coap_connection *connection = dn_coap_connection_of(&coap->connections, remote);
    dn_coap_options walk = message->options;
    dn_coap_option option;
    uint16_t previous = 0;
    uint32_t value;
    while (dn_coap_option_next(&walk, &option) == DUNLIN_OK) {
        if (option.number == previous) {
            continue;
        }
        previous = option.number;
        if (option.number == CSM_MAX_MESSAGE_SIZE && dn_coap_option_uint(option.value, &value)) {
            connection->max_message = value;
        } else if (option.number == CSM_BLOCK_WISE_TRANSFER && option.value.len == 0) {
            connection->block_wise = true;
        }
    }
    connection->greeted = true;
    dn_deadline_cancel(&coap->wheel, &connection->timer.deadline);
}

static void send_pong(dn_coap *coap, uint32_t remote, const dn_coap_token *token, bool custody)
{
    uint8_t out[SIGNAL_MAX];
    dn_coap_writer writer;
    begin_signal(&writer, out, CODE_PONG, token);
    if (custody) {
        dn_coap_write_option(&writer, PING_CUSTODY, dunlin_slice_make(NULL, 0));
    }
    send_signal(coap, remote, &writer);
}

/* Section 5.4. Custody: the Pong waits until the requests that came before have their answers. One Ping can wait; while it does, others
 * are answered at once, and without Custody. */
static void take_ping(dn_coap *coap, uint32_t remote, const dn_coap_message *message)
{
    dn_coap_connection *connection = dn_coap_connection_of(&coap->connections, remote);
    dn_coap_options walk = message->options;
    dunlin_slice value;
    bool custody = dn_coap_option_find(&walk, PING_CUSTODY, &value) == DUNLIN_OK && value.len == 0;
    if (custody && !connection->awaits_custody && connection->requests > 0) {
        connection->awaits_custody = true;
        connection->custody = message->token;
        connection->custody_left = connection->requests;
        connection->epoch = (uint8_t)(3 - connection->epoch);
    } else {
        send_pong(coap, remote, &message->token, custody && connection->requests == 0);
    }
}

void dn_coap_request_ended(dn_coap *coap, uint32_t remote, uint8_t epoch)
{
    dn_coap_connection *connection = dn_coap_connection_of(&coap->connections, remote);
    if (connection == NULL || epoch == 0) {
        return;
    }
    connection->requests--;
    if (connection->awaits_custody && epoch != connection->epoch && --connection->custody_left == 0) {
        connection->awaits_custody = false;
        send_pong(coap, remote, &connection->custody, true);
    }
}

static void take_pong(dn_coap *coap, uint32_t remote, const dn_coap_message *message)
{
    dn_coap_exchange *exchange = dn_coap_exchange_by_token(&coap->exchanges, remote, &message->token);
    if (exchange != NULL && exchange->kind == DN_COAP_X_PING) {
        dn_coap_finish(coap, exchange, DUNLIN_OK, NULL, NULL);
    } else {
        coap->counters.unmatched++;
    }
}

/* Section 5.5: it wants the stream closed; what is under way may end. */
static void take_release(dn_coap *coap, uint32_t remote, const dn_coap_message *message)
{
    dn_coap_connection *connection = dn_coap_connection_of(&coap->connections, remote);
    bool known = connection->released;
    connection->released = true;
    if (!known) {
        coap->callbacks.stream_ended(coap->callbacks.context, dn_coap_peer_of(coap, remote), DUNLIN_END,
                                     message->payload);
    }
}

void dn_coap_take_signal(dn_coap *coap, uint32_t remote, const dn_coap_message *message)
{
    const dn_coap_connection *connection = dn_coap_connection_of(&coap->connections, remote);
    uint16_t bad = bad_option(message);
    coap->counters.signals++;
    if (message->code == CODE_ABORT) {
        end_stream(coap, remote, DUNLIN_ERR_REJECTED, message->payload); /* whatever else it says */
    } else if (message->code != CODE_CSM && !connection->greeted) {
        coap->counters.malformed++;
        abort_for(coap, remote, DUNLIN_ERR_MALFORMED, 0, "no CSM");
    } else if (bad != 0 && message->code < CODE_ABORT && message->code >= CODE_CSM) {
        coap->counters.bad_options++;
        abort_for(coap, remote, DUNLIN_ERR_UNSUPPORTED, message->code == CODE_CSM ? bad : 0,
                  "unknown critical option");
    } else if (message->code == CODE_CSM) {
        take_csm(coap, remote, message);
    } else if (message->code == CODE_PING) {
        take_ping(coap, remote, message);
    } else if (message->code == CODE_PONG) {
        take_pong(coap, remote, message);
    } else if (message->code == CODE_RELEASE) {
        take_release(coap, remote, message);
    }
    /* Codes that are not defined yet are no reason to part. */
}

void dn_coap_signal_ping(dn_coap *coap, dn_coap_exchange *exchange)
{
    dn_coap_writer writer;
    dn_coap_token token = {.len = DN_COAP_TOKEN_MAX};
    coap->random.fill(coap->random.context, token.bytes, sizeof token.bytes);
    dn_coap_exchange_bind_token(&coap->exchanges, exchange, &token);
    begin_signal(&writer, coap->out_datagram, CODE_PING, &token);
    dn_coap_submit_framed(coap, exchange, writer.len);
}

void dn_coap_connection_due(dn_coap *coap, dn_coap_connection *connection)
{
    coap->counters.timeouts++;
    abort_for(coap, connection->remote, DUNLIN_ERR_TIMEOUT, 0, "no CSM in time");
}

dunlin_status dn_coap_open(dn_coap *coap, const dn_peer *peer, uint64_t now_ms)
{
    coap->now_ms = now_ms > coap->now_ms ? now_ms : coap->now_ms;
    if (coap->callbacks.stream_ended == NULL) {
        return DUNLIN_ERR_ARGUMENT;
    }
    uint32_t remote = dn_coap_hold_peer(coap, peer);
    if (remote == DN_COAP_NONE) {
        return DUNLIN_ERR_LIMIT;
    }
    bool open = dn_coap_is_stream(coap, remote);
    dn_coap_connection *connection = open ? NULL : dn_coap_connection_make(&coap->connections, remote);
    if (connection != NULL) {
        dn_deadline_set(&coap->wheel, &connection->timer.deadline,
                        coap->now_ms + coap->config.csm_timeout_ms);
        send_csm(coap, remote);
    }
    dn_coap_remote_release(&coap->remotes, remote);
    return open ? DUNLIN_ERR_STATE : connection == NULL ? DUNLIN_ERR_LIMIT : DUNLIN_OK;
}

/* The connection of an open peer, or NULL. */
static dn_coap_connection *find_connection(const dn_coap *coap, const dn_peer *peer)
{
    uint32_t remote = dn_coap_find_stream(coap, peer);
    return remote == DN_COAP_NONE ? NULL : dn_coap_connection_of(&coap->connections, remote);
}

dunlin_status dn_coap_release(dn_coap *coap, const dn_peer *peer)
{
    uint8_t out[SIGNAL_MAX];
    dn_coap_writer writer;
    dn_coap_connection *connection = find_connection(coap, peer);
    if (connection == NULL) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    if (!connection->said_release) {
        begin_signal(&writer, out, CODE_RELEASE, &no_token);
        send_signal(coap, connection->remote, &writer);
    }
    connection->said_release = true;
    return DUNLIN_OK;
}

bool dn_coap_is_open(const dn_coap *coap, const dn_peer *peer)
{
    const dn_coap_connection *connection = find_connection(coap, peer);
    return connection != NULL && !connection->closing;
}
