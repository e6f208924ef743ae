/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: what tls.h promises of them, on what the library does. */
#include "security/gnutls_flight.h"

#include <gnutls/dtls.h>
#include <stdlib.h>
#include <string.h>

#define TLS_RECORD_MAX 16384u

dn_tls_session *dn_tls_session_of(gnutls_session_t gnutls)
{
    return gnutls_session_get_ptr(gnutls);
}

int dn_tls_judge(dn_tls_session *session, dn_tls_verdict verdict)
{
    if (verdict.alert == DN_TLS_NO_ALERT) {
        return 0;
    }
    if (session->flight != NULL) {
        session->flight->verdict = verdict;
    }
    return GNUTLS_E_CERTIFICATE_ERROR;
}

/* ---- the handshake ---- */

static bool may_open(dn_tls_session *session)
{
    session->is_resumed = gnutls_session_is_resumed(session->gnutls) != 0;
    dn_tls_verdict verdict = dn_tls_fine();
    if (session->context->is_server) {
        verdict = dn_tls_server_confirm(session);
    } else if (session->is_resumed) {
        verdict = dn_tls_client_recheck(session);
    }
    return dn_tls_judge(session, verdict) == 0;
}

static void went_on(dn_tls_session *session, int result)
{
    if (result == GNUTLS_E_AGAIN) {
        return;
    }
    if (result == 0 && may_open(session)) {
        session->state = DN_TLS_OPEN;
        session->suite = gnutls_ciphersuite_get(session->gnutls);
        free(session->flight);
        session->flight = NULL;
        dn_log_at(session->log, DN_LOG_DEBUG, "tls", "%s open, %s%s", session->datagram ? "DTLS" : "TLS",
                  dn_tls_suite(session), session->is_resumed ? ", resumed" : "");
        return;
    }
    dn_tls_fail(session, result == 0 ? GNUTLS_E_CERTIFICATE_ERROR : result);
}

/* The state that a cookie has proved (RFC 6347 section 4.2.1): the numbers go on from those of the ClientHello. */
static void continue_from(dn_tls_session *session, dunlin_slice hello)
{
    gnutls_dtls_prestate_st state;
    memset(&state, 0, sizeof state);
    state.record_seq = hello.data[10];
    state.hsk_read_seq = hello.data[18];
    gnutls_dtls_prestate_set(session->gnutls, &state);
}

dn_tls_session *dn_tls_open(dn_tls_context *context, const dn_tls_opening *opening, uint64_t now_ms)
{
    dn_tls_session *session = calloc(1, sizeof *session);
    dn_flight *flight = calloc(1, sizeof *flight);
    if (session == NULL || flight == NULL) {
        free(session);
        free(flight);
        return NULL;
    }
    flight->verdict.alert = DN_TLS_NO_ALERT;
    flight->wait_ms = context->retransmit_ms;
    flight->sent_ms = now_ms;
    session->flight = flight;
    session->context = dn_tls_context_keep(context);
    session->call = opening->call;
    session->log = opening->log;
    session->datagram = opening->datagram;
    session->state = DN_TLS_HANDSHAKE;
    session->due_ms = opening->datagram ? now_ms + context->retransmit_ms : UINT64_MAX;
    session->give_up_ms = now_ms + context->handshake_ms;
    const unsigned flags = context->session_flags | (opening->datagram ? GNUTLS_DATAGRAM : 0u) |
                           (context->is_server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK |
                           GNUTLS_NO_SIGNAL;
    if (gnutls_init(&session->gnutls, flags) < 0 ||
        gnutls_priority_set(session->gnutls, context->priority) < 0) {
        dn_tls_free(session);
        return NULL;
    }
    dn_flight_attach(session);
    if (!(context->is_server ? dn_tls_server_begin(session, opening)
                             : dn_tls_client_begin(session, opening))) {
        dn_tls_free(session);
        return NULL;
    }
    if (opening->datagram && opening->hello.len > 18) {
        continue_from(session, opening->hello);
    }
    session->in = opening->hello;
    if (!context->is_server || opening->hello.len > 0) {
        went_on(session, dn_flight_run(session, DN_FLIGHT_INPUT, now_ms));
    }
    session->in = dunlin_slice_make(NULL, 0);
    return session;
}

void dn_tls_free(dn_tls_session *session)
{
    if (session == NULL) {
        return;
    }
    if (session->gnutls != NULL) {
        gnutls_deinit(session->gnutls);
    }
    dn_tls_context_give_up(session->context);
    free(session->flight);
    free(session->out);
    free(session->ending);
    free(session->identity);
    free(session);
}

/* ---- records ---- */

/* One of the library's results of reading that is no record. False: there is nothing more to read. */
static bool handle(dn_tls_session *session, ssize_t result)
{
    if (result == 0) {
        (void)gnutls_bye(session->gnutls, GNUTLS_SHUT_WR); /* answered in kind, RFC 5246 section 7.2.1 */
        dn_tls_end(session, DUNLIN_END, GNUTLS_A_CLOSE_NOTIFY, true, "the other end has closed the session");
        return false;
    }
    if (result == GNUTLS_E_REHANDSHAKE) {
        (void)gnutls_alert_send(session->gnutls, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
        return true;
    }
    if (gnutls_error_is_fatal((int)result) == 0) {
        return session->in.len > 0;
    }
    dn_tls_fail(session, (int)result);
    return false;
}

/* Whether the library can have something to give. It takes one record of a datagram at a time, whole, and keeps what was decrypted while the
   handshake lasted; of a stream it keeps parts of records, too, so that it has to be asked. */
static bool may_have_more(const dn_tls_session *session)
{
    return !session->datagram || session->in.len > 0 || gnutls_record_check_pending(session->gnutls) > 0;
}

static void receive_records(dn_tls_session *session)
{
    bool goes_on = true;
    unsigned idle = 0;
    while (goes_on && idle < 3 && may_have_more(session)) {
        const size_t before = session->in.len;
        gnutls_packet_t packet = NULL;
        const ssize_t result = gnutls_record_recv_packet(session->gnutls, &packet);
        if (result > 0) {
            gnutls_datum_t plain = {NULL, 0};
            gnutls_packet_get(packet, &plain, NULL);
            session->call.input(session->call.context, dunlin_slice_make(plain.data, plain.size));
            gnutls_packet_deinit(packet);
            idle = 0;
            continue;
        }
        idle = before == session->in.len ? idle + 1 : 0;
        goes_on = handle(session, result);
    }
    dn_flight_flush(session); /* a last flight repeated, alerts */
}

void dn_tls_receive(dn_tls_session *session, dunlin_slice bytes, uint64_t now_ms)
{
    session->in = bytes;
    if (session->state == DN_TLS_HANDSHAKE) {
        went_on(session, dn_flight_run(session, DN_FLIGHT_INPUT, now_ms));
    }
    if (session->state == DN_TLS_OPEN) {
        receive_records(session);
    }
    session->in = dunlin_slice_make(NULL, 0);
}

dunlin_status dn_tls_send(dn_tls_session *session, dunlin_slice plain, uint64_t now_ms)
{
    (void)now_ms;
    if (session->state != DN_TLS_OPEN) {
        return DUNLIN_ERR_STATE;
    }
    /* The room is asked for when it may be short alone: the library looks its suite up for it. */
    if (session->datagram && plain.len + DN_TLS_RECORD_EXTRA > session->context->mtu &&
        plain.len > dn_tls_room(session)) {
        return DUNLIN_ERR_SPACE;
    }
    session->sends_now = true;
    ssize_t sent = 0;
    while (plain.len > 0 && (sent = gnutls_record_send(session->gnutls, plain.data, plain.len)) > 0) {
        plain.data += sent;
        plain.len -= (size_t)sent;
    }
    session->sends_now = false;
    if (sent < 0) {
        dn_tls_fail(session, (int)sent);
        return DUNLIN_ERR_IO;
    }
    return DUNLIN_OK;
}

void dn_tls_close(dn_tls_session *session, uint64_t now_ms)
{
    (void)now_ms;
    if (session->state == DN_TLS_ENDED) {
        return;
    }
    (void)gnutls_alert_send(session->gnutls, GNUTLS_AL_WARNING, GNUTLS_A_CLOSE_NOTIFY);
    dn_flight_flush(session);
    dn_tls_end(session, DUNLIN_END, GNUTLS_A_CLOSE_NOTIFY, false, "closed");
}

void dn_tls_expire(dn_tls_session *session, uint64_t now_ms)
{
    if (session->state != DN_TLS_HANDSHAKE) {
        return;
    }
    if (now_ms >= session->give_up_ms) {
        dn_tls_time_out(session);
    } else if (now_ms >= session->due_ms) {
        went_on(session, dn_flight_run(session, DN_FLIGHT_TIMER, now_ms));
    }
}

uint64_t dn_tls_deadline(const dn_tls_session *session)
{
    if (session->state != DN_TLS_HANDSHAKE) {
        return UINT64_MAX;
    }
    return session->due_ms < session->give_up_ms ? session->due_ms : session->give_up_ms;
}

/* ---- what there is to know ---- */

dn_tls_state dn_tls_state_of(const dn_tls_session *session)
{
    return (dn_tls_state)session->state;
}

bool dn_tls_is_resumed(const dn_tls_session *session)
{
    return session->is_resumed;
}

const dn_identity *dn_tls_identity(const dn_tls_session *session)
{
    return session->state == DN_TLS_HANDSHAKE ? NULL : session->identity;
}

size_t dn_tls_room(const dn_tls_session *session)
{
    return session->datagram ? gnutls_dtls_get_data_mtu(session->gnutls) : TLS_RECORD_MAX;
}

const char *dn_tls_suite(const dn_tls_session *session)
{
    return session->suite != NULL ? session->suite : "";
}
