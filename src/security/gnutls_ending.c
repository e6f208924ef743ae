/* SPDX-License-Identifier: Apache-2.0 */
/* How sessions end: which alert goes out, and what can be said of the reason. */
#include "security/gnutls_flight.h"

#include <gnutls/dtls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAD_MAC_TEXT \
    "a record was not authentic: the keys of the two ends differ, or it was changed on the way"

static const dn_tls_ending not_ended = {.status = DUNLIN_OK, .alert = DN_TLS_NO_ALERT};
static const dn_tls_ending no_memory = {
    .status = DUNLIN_ERR_MEMORY, .alert = DN_TLS_NO_ALERT, .why = "no memory"};

const dn_tls_ending *dn_tls_ending_of(const dn_tls_session *session)
{
    if (session->state != DN_TLS_ENDED) {
        return &not_ended;
    }
    return session->ending != NULL ? session->ending : &no_memory;
}

void dn_tls_end(dn_tls_session *session, dunlin_status status, int alert, bool received, const char *why)
{
    if (session->state == DN_TLS_ENDED) {
        return;
    }
    const bool was_open = session->state == DN_TLS_OPEN;
    session->state = DN_TLS_ENDED;
    session->ending = calloc(1, sizeof *session->ending);
    if (session->ending == NULL) {
        return;
    }
    session->ending->status = status;
    session->ending->alert = alert;
    session->ending->received = received;
    (void)snprintf(session->ending->why, sizeof session->ending->why, "%s", why);
    /* Whose session it was is known above, where it is told to those who look after the whole. */
    dn_log_at(session->log, DN_LOG_DEBUG, "tls", "%s ended: %s%s%s%s", was_open ? "session" : "handshake",
              why,
              alert == DN_TLS_NO_ALERT ? ""
              : received               ? "; received alert "
                                       : "; sent alert ",
              alert == DN_TLS_NO_ALERT ? "" : dn_tls_alert_name(alert), session->datagram ? "" : " (TLS)");
}

static void blame_keys(dn_tls_session *session)
{
    if (session->ending != NULL) {
        session->ending->keys_differ = true;
    }
}

/* The library's errors with a text and a result of their own; any other is MALFORMED with the library's text. */
static const struct {
    int result;
    dunlin_status status;
    int alert; /* 0: the one that the library thinks fit */
    const char *why;
} failures[] = {
    {GNUTLS_E_DECRYPTION_FAILED, DUNLIN_ERR_MALFORMED, GNUTLS_A_BAD_RECORD_MAC, BAD_MAC_TEXT},
    {GNUTLS_E_ERROR_IN_FINISHED_PACKET, DUNLIN_ERR_MALFORMED, GNUTLS_A_DECRYPT_ERROR,
     "the Finished message does not fit the handshake"},
    {GNUTLS_E_NO_CIPHER_SUITES, DUNLIN_ERR_ACCESS, GNUTLS_A_HANDSHAKE_FAILURE, "no cipher suite in common"},
    {GNUTLS_E_UNKNOWN_CIPHER_SUITE, DUNLIN_ERR_ACCESS, GNUTLS_A_HANDSHAKE_FAILURE,
     "no cipher suite in common"},
    {GNUTLS_E_NO_COMMON_KEY_SHARE, DUNLIN_ERR_ACCESS, GNUTLS_A_HANDSHAKE_FAILURE, "no curve in common"},
    {GNUTLS_E_INSUFFICIENT_CREDENTIALS, DUNLIN_ERR_ACCESS, GNUTLS_A_HANDSHAKE_FAILURE,
     "no credentials for what the other end offers"},
    {GNUTLS_E_UNSUPPORTED_VERSION_PACKET, DUNLIN_ERR_ACCESS, GNUTLS_A_PROTOCOL_VERSION,
     "no protocol version in common"},
    {GNUTLS_E_UNSUPPORTED_CERTIFICATE_TYPE, DUNLIN_ERR_ACCESS, GNUTLS_A_UNSUPPORTED_CERTIFICATE,
     "no certificate type in common"},
    {GNUTLS_E_NO_CERTIFICATE_FOUND, DUNLIN_ERR_ACCESS, GNUTLS_A_HANDSHAKE_FAILURE,
     "no client certificate was sent"},
    {GNUTLS_E_CERTIFICATE_REQUIRED, DUNLIN_ERR_ACCESS, GNUTLS_A_HANDSHAKE_FAILURE,
     "no client certificate was sent"},
    {GNUTLS_E_PK_SIG_VERIFY_FAILED, DUNLIN_ERR_ACCESS, GNUTLS_A_DECRYPT_ERROR,
     "the other end does not have the private key of what it showed"},
    {GNUTLS_E_NO_APPLICATION_PROTOCOL, DUNLIN_ERR_ACCESS, GNUTLS_A_NO_APPLICATION_PROTOCOL,
     "the other end offers application protocols, but not coap"},
    {GNUTLS_E_UNWANTED_ALGORITHM, DUNLIN_ERR_ACCESS, GNUTLS_A_HANDSHAKE_FAILURE,
     "the other end chose an algorithm that is not allowed"},
    {GNUTLS_E_LARGE_PACKET, DUNLIN_ERR_SPACE, 0, "the MTU is too small for a handshake"},
    {GNUTLS_E_MEMORY_ERROR, DUNLIN_ERR_MEMORY, 0, "no memory"},
};

static void send_alert(dn_tls_session *session, int alert)
{
    if (session->flight != NULL && session->datagram && !session->flight->is_new) {
        session->out_len = 0; /* repetitions at the wrong moment */
    }
    (void)gnutls_alert_send(session->gnutls, GNUTLS_AL_FATAL, (gnutls_alert_description_t)alert);
    dn_flight_flush(session);
}

static void fail_by_alert(dn_tls_session *session)
{
    const int alert = (int)gnutls_alert_get(session->gnutls);
    char why[DN_TLS_WHY_MAX];
    (void)snprintf(why, sizeof why, "the other end refused: %s", dn_tls_alert_name(alert));
    dn_tls_end(session, DUNLIN_ERR_REJECTED, alert, true, why);
    if (session->flight != NULL && (alert == GNUTLS_A_BAD_RECORD_MAC || alert == GNUTLS_A_DECRYPT_ERROR)) {
        blame_keys(session);
    }
}

void dn_tls_fail(dn_tls_session *session, int result)
{
    /* A server that waits for a certificate and gets an alert is told by the library that there is no certificate. */
    if (result == GNUTLS_E_FATAL_ALERT_RECEIVED ||
        (result == GNUTLS_E_NO_CERTIFICATE_FOUND &&
         gnutls_alert_get(session->gnutls) != GNUTLS_A_CLOSE_NOTIFY)) {
        fail_by_alert(session);
        return;
    }
    if (result == GNUTLS_E_SESSION_EOF) {
        dn_tls_end(session, DUNLIN_ERR_REJECTED, GNUTLS_A_CLOSE_NOTIFY, true,
                   "the other end closed the session during the handshake");
        return;
    }
    if (session->flight != NULL && session->flight->verdict.alert != DN_TLS_NO_ALERT) {
        const dn_tls_verdict verdict = session->flight->verdict;
        send_alert(session, verdict.alert);
        dn_tls_end(session, verdict.status, verdict.alert, false, verdict.why);
        return;
    }
    int alert = gnutls_error_to_alert(result, NULL);
    dunlin_status status = DUNLIN_ERR_MALFORMED;
    const char *why = gnutls_strerror(result);
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        if (failures[i].result == result) {
            status = failures[i].status;
            alert = failures[i].alert != 0 ? failures[i].alert : alert;
            why = failures[i].why;
            break;
        }
    }
    if (alert < 0) {
        alert = GNUTLS_A_INTERNAL_ERROR;
    }
    send_alert(session, alert);
    dn_tls_end(session, status, alert, false, why);
    if (session->flight != NULL && result == GNUTLS_E_DECRYPTION_FAILED) {
        blame_keys(session);
    }
}

/* With DTLS a wrong key makes no noise: the Finished that it protects is dropped like any forged record. What has been seen tells. */
void dn_tls_time_out(dn_tls_session *session)
{
    const dn_flight *flight = session->flight;
    const bool has_dropped = session->datagram && gnutls_record_get_discarded(session->gnutls) > 0;
    const bool is_server = session->context->is_server;
    const bool keys_differ = is_server ? flight->is_key_exchanged && has_dropped : flight->is_last_sent;
    const char *why = "no answer from the server";
    if (keys_differ) {
        why = is_server ? "no authentic Finished came: most likely the other end has another key"
                        : "no answer to Finished: most likely the server has another key";
    } else if (is_server) {
        why = flight->is_key_exchanged ? "the handshake took too long: no Finished came"
                                       : "the handshake took too long: no answer to our flight";
    }
    dn_tls_end(session, DUNLIN_ERR_TIMEOUT, DN_TLS_NO_ALERT, false, why);
    if (keys_differ) {
        blame_keys(session);
    }
}
