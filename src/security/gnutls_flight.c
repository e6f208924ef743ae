/* SPDX-License-Identifier: Apache-2.0 */
/* The driving of handshakes; see the header. */
#include "security/gnutls_flight.h"

#include <errno.h>
#include <gnutls/dtls.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_HEADER     13u
#define HANDSHAKE_HEADER  12u
#define IDLE_CALLS_MAX    3u /* calls of the library in a row that take nothing of what is there */
#define CONTENT_CCS       20u
#define CONTENT_HANDSHAKE 22u
/* The library's own limit of a handshake, by the system's clock, which must never come first. It counts milliseconds in 31 bits. */
#define LIBRARY_LIMIT_MS 0x7fffffffu
/* Bytes of a handshake message: a chain of certificates for a device has a few thousand. The library keeps several that are incomplete, each with
   memory for the length that its first fragment claims. */
#define MESSAGE_MAX 16384u

static size_t record_len(dunlin_slice records)
{
    if (records.len < RECORD_HEADER) {
        return 0;
    }
    const size_t len = RECORD_HEADER + ((size_t)records.data[11] << 8 | records.data[12]);
    return len <= records.len ? len : 0;
}

/* ---- the library's transport ---- */

static bool gather(dn_tls_session *session, const void *bytes, size_t len)
{
    if (session->out_cap - session->out_len < len) {
        const size_t cap = (session->out_len + len) * 2;
        uint8_t *grown = realloc(session->out, cap);
        if (grown == NULL) {
            return false;
        }
        session->out = grown;
        session->out_cap = cap;
    }
    memcpy(session->out + session->out_len, bytes, len);
    session->out_len += len;
    return true;
}

static ssize_t push(gnutls_transport_ptr_t to, const void *bytes, size_t len)
{
    dn_tls_session *session = to;
    if (session->sends_now) {
        session->call.output(session->call.context, dunlin_slice_make(bytes, len));
    } else if (!gather(session, bytes, len)) {
        gnutls_transport_set_errno(session->gnutls, ENOMEM);
        return -1;
    }
    if (session->flight != NULL) {
        session->flight->has_written = true;
    }
    return (ssize_t)len;
}

/* True when the other end's ChangeCipherSpec comes next. */
static bool awaits_change(const dn_tls_session *session)
{
    gnutls_session_t gnutls = session->gnutls;
    if (session->flight->has_changed) {
        return false;
    }
    const gnutls_kx_algorithm_t exchange = gnutls_kx_get(gnutls);
    switch (gnutls_handshake_get_last_in(gnutls)) {
    case GNUTLS_HANDSHAKE_CLIENT_KEY_EXCHANGE: /* a client with a certificate verifies it first */
        return exchange == GNUTLS_KX_PSK || exchange == GNUTLS_KX_ECDHE_PSK;
    case GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY:
    case GNUTLS_HANDSHAKE_SERVER_HELLO_DONE:
    case GNUTLS_HANDSHAKE_NEW_SESSION_TICKET:
    case GNUTLS_HANDSHAKE_SERVER_HELLO: /* if it resumes, which a client's library does not tell yet */
        return true;
    case GNUTLS_HANDSHAKE_CLIENT_HELLO:
        return gnutls_session_is_resumed(gnutls) != 0;
    default:
        return false;
    }
}

/*
 * A ChangeCipherSpec that is not awaited is not for the library: it keeps each, in 16 KiB of memory, and fails when the one that it awaits has
 * come. They are in the clear, so anybody can make them. The other end repeats one that was early.
 */
static bool is_early_change(const dn_tls_session *session, dunlin_slice record)
{
    return record.data[0] == CONTENT_CCS &&
           !(record.len == RECORD_HEADER + 1 && record.data[RECORD_HEADER] == 1 && awaits_change(session));
}

/* A handshake record in the clear with a message, or a part of one, that would be too long. */
static bool is_too_long(dunlin_slice record)
{
    if (record.data[0] != CONTENT_HANDSHAKE || record.data[3] != 0 || record.data[4] != 0) {
        return false;
    }
    for (size_t at = RECORD_HEADER; at + HANDSHAKE_HEADER <= record.len;) {
        const uint8_t *header = record.data + at;
        if (((size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3]) > MESSAGE_MAX) {
            return true;
        }
        at += HANDSHAKE_HEADER + ((size_t)header[9] << 16 | (size_t)header[10] << 8 | header[11]);
    }
    return false;
}

/* Goes to the next record of a datagram that the library may see while it shakes hands. */
static void skip_harmful(dn_tls_session *session)
{
    size_t len;
    if (!session->datagram || session->flight == NULL) {
        return;
    }
    while ((len = record_len(session->in)) > 0) {
        const dunlin_slice record = dunlin_slice_make(session->in.data, len);
        if (!is_early_change(session, record) && !is_too_long(record)) {
            return;
        }
        session->in.data += len;
        session->in.len -= len;
    }
}

/* Of a datagram one record at a time, so that it is known from outside how much the library has looked at. */
static ssize_t pull(gnutls_transport_ptr_t from, void *bytes, size_t size)
{
    dn_tls_session *session = from;
    skip_harmful(session);
    size_t len = session->in.len;
    if (session->datagram) {
        len = record_len(session->in);
    } else if (len > size) {
        len = size;
    }
    if (len == 0 || len > size) {
        session->in.len = 0; /* of a datagram: the rest is no record */
        gnutls_transport_set_errno(session->gnutls, EAGAIN);
        return -1;
    }
    if (session->datagram && session->flight != NULL && session->in.data[0] == CONTENT_CCS) {
        session->flight->has_changed = true;
    }
    memcpy(bytes, session->in.data, len);
    session->in.data += len;
    session->in.len -= len;
    return (ssize_t)len;
}

/*
 * The library asks whether something can be read, and takes "no" for the end of a wait: it would repeat its flight. So it hears "no" only when that is
 * wanted, or when it has just sent something and looks whether the answer is there already; else that it should ask later.
 */
static int pull_timeout(gnutls_transport_ptr_t from, unsigned ms)
{
    (void)ms;
    dn_tls_session *session = from;
    dn_flight *flight = session->flight;
    skip_harmful(session);
    const size_t len = session->datagram ? record_len(session->in) : session->in.len;
    if (len > 0) {
        return 1;
    }
    if (flight != NULL && !flight->may_repeat && !flight->has_written) {
        gnutls_transport_set_errno(session->gnutls, EAGAIN);
        return -1;
    }
    if (flight != NULL) {
        flight->has_written = false;
    }
    return 0;
}

void dn_flight_flush(dn_tls_session *session)
{
    dunlin_slice rest = dunlin_slice_make(session->out, session->out_len);
    while (rest.len > 0) {
        size_t len = session->datagram ? record_len(rest) : rest.len;
        if (len == 0) {
            break;
        }
        while (session->datagram && len < rest.len) {
            const size_t next = record_len(dunlin_slice_make(rest.data + len, rest.len - len));
            if (next == 0 || len + next > session->context->mtu) {
                break;
            }
            len += next;
        }
        session->call.output(session->call.context, dunlin_slice_make(rest.data, len));
        rest.data += len;
        rest.len -= len;
    }
    free(session->out);
    session->out = NULL;
    session->out_len = session->out_cap = 0;
}

/* ---- what the handshake does ---- */

static int watch(gnutls_session_t gnutls, unsigned type, unsigned when, unsigned incoming,
                 const gnutls_datum_t *message)
{
    (void)message;
    (void)when;
    dn_tls_session *session = dn_tls_session_of(gnutls);
    dn_flight *flight = session->flight;
    if (flight == NULL) {
        return 0;
    }
    if (!incoming) {
        flight->is_new = true;
        flight->is_last_sent = flight->is_last_sent || type == GNUTLS_HANDSHAKE_FINISHED;
        return 0;
    }
    flight->has_heard = true;
    flight->is_key_exchanged = flight->is_key_exchanged || type == GNUTLS_HANDSHAKE_CLIENT_KEY_EXCHANGE;
    return 0;
}

void dn_flight_attach(dn_tls_session *session)
{
    gnutls_session_t gnutls = session->gnutls;
    gnutls_session_set_ptr(gnutls, session);
    gnutls_transport_set_ptr(gnutls, session);
    gnutls_transport_set_push_function(gnutls, push);
    gnutls_transport_set_pull_function(gnutls, pull);
    gnutls_transport_set_pull_timeout_function(gnutls, pull_timeout);
    gnutls_handshake_set_hook_function(gnutls, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH, watch);
    if (session->datagram) {
        gnutls_dtls_set_mtu(gnutls, session->context->mtu);
        gnutls_dtls_set_timeouts(gnutls, 0, LIBRARY_LIMIT_MS);
    } else {
        gnutls_handshake_set_timeout(gnutls, GNUTLS_INDEFINITE_TIMEOUT);
    }
}

/* Calls the library until it has looked at all that is there. */
static int drive(dn_tls_session *session)
{
    unsigned idle = 0;
    for (;;) {
        const size_t before = session->in.len;
        const int result = gnutls_handshake(session->gnutls);
        if (result == 0 || result == GNUTLS_E_LARGE_PACKET || gnutls_error_is_fatal(result)) {
            return result;
        }
        idle = session->in.len == before ? idle + 1 : 0;
        if (session->in.len == 0 || idle == IDLE_CALLS_MAX) {
            return GNUTLS_E_AGAIN;
        }
    }
}

static void drop_out(dn_tls_session *session)
{
    session->out_len = 0;
    dn_flight_flush(session);
}

/* The last flight once more; the library has nothing to read now. */
static int repeat(dn_tls_session *session, uint64_t now_ms)
{
    dn_flight *flight = session->flight;
    flight->may_repeat = true;
    const int result = drive(session);
    flight->may_repeat = false;
    if (result == GNUTLS_E_AGAIN || result == 0) {
        dn_flight_flush(session);
    }
    flight->sent_ms = now_ms;
    session->due_ms = now_ms + flight->wait_ms;
    return result;
}

/* A handshake message or ChangeCipherSpec; of a later epoch the type still stands in the header. */
static bool is_of_handshake(dunlin_slice datagram)
{
    return datagram.len > RECORD_HEADER &&
           (datagram.data[0] == CONTENT_HANDSHAKE || datagram.data[0] == CONTENT_CCS);
}

static int run_datagrams(dn_tls_session *session, dn_flight_cause cause, uint64_t now_ms)
{
    dn_flight *flight = session->flight;
    if (cause == DN_FLIGHT_TIMER) {
        flight->wait_ms =
            flight->wait_ms > DN_RETRANSMIT_MAX_MS / 2 ? DN_RETRANSMIT_MAX_MS : flight->wait_ms * 2;
        return repeat(session, now_ms);
    }
    const bool may_be_repetition = is_of_handshake(session->in);
    const int result = drive(session);
    if (flight->is_new || result == 0) {
        dn_flight_flush(session);
        flight->wait_ms = session->context->retransmit_ms;
        flight->sent_ms = now_ms;
        session->due_ms = now_ms + flight->wait_ms;
        return result;
    }
    drop_out(session);
    if (result != GNUTLS_E_AGAIN || flight->has_heard || !may_be_repetition ||
        now_ms - flight->sent_ms < session->context->retransmit_ms / 2) {
        return result;
    }
    /* The other end repeats what was answered: the answer was lost (RFC 6347 section 4.2.4). Not at once, since networks double datagrams. */
    return repeat(session, now_ms);
}

int dn_flight_run(dn_tls_session *session, dn_flight_cause cause, uint64_t now_ms)
{
    session->flight->is_new = false;
    session->flight->has_heard = false;
    if (session->datagram) {
        return run_datagrams(session, cause, now_ms);
    }
    const int result = drive(session);
    dn_flight_flush(session);
    return result;
}
