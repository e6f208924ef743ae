/* SPDX-License-Identifier: Apache-2.0 */
/* Table 5.2.9-1 of Transport 1.1.1, by the numbers of the alerts. */
#include "client/alerts.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t alert;
    uint8_t response; /* dn_alert_response */
} alert_row;

static const alert_row rows[] = {
    {0, DN_ALERT_RETRY},    /* close_notify */
    {10, DN_ALERT_RETRY},   /* unexpected_message */
    {20, DN_ALERT_RETRY},   /* bad_record_mac */
    {21, DN_ALERT_RETRY},   /* decryption_failed */
    {22, DN_ALERT_RETRY},   /* record_overflow */
    {30, DN_ALERT_IGNORE},  /* decompression_failure */
    {40, DN_ALERT_RETRY},   /* handshake_failure */
    {41, DN_ALERT_IGNORE},  /* no_certificate */
    {42, DN_ALERT_FAIL},    /* bad_certificate */
    {43, DN_ALERT_FAIL},    /* unsupported_certificate */
    {44, DN_ALERT_FAIL},    /* certificate_revoked */
    {45, DN_ALERT_FAIL},    /* certificate_expired */
    {46, DN_ALERT_FAIL},    /* certificate_unknown */
    {47, DN_ALERT_RETRY},   /* illegal_parameter */
    {48, DN_ALERT_FAIL},    /* unknown_ca */
    {49, DN_ALERT_FAIL},    /* access_denied */
    {50, DN_ALERT_RETRY},   /* decode_error */
    {51, DN_ALERT_RETRY},   /* decrypt_error */
    {60, DN_ALERT_IGNORE},  /* export_restriction */
    {70, DN_ALERT_RETRY},   /* protocol_version */
    {71, DN_ALERT_RETRY},   /* insufficient_security */
    {86, DN_ALERT_RETRY},   /* inappropriate_fallback, which the table calls internal_error */
    {90, DN_ALERT_RETRY},   /* user_canceled */
    {100, DN_ALERT_RETRY},  /* no_renegotiation */
    {110, DN_ALERT_IGNORE}, /* unsupported_extension */
    {111, DN_ALERT_RETRY},  /* certificate_unobtainable */
    {112, DN_ALERT_FAIL},   /* unrecognized_name */
    {113, DN_ALERT_FAIL},   /* bad_certificate_status_response */
    {114, DN_ALERT_FAIL},   /* bad_certificate_hash_value */
    {115, DN_ALERT_FAIL},   /* unknown_psk_identity */
};

dn_alert_response dn_client_alert_response(int alert)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].alert == alert) {
            return (dn_alert_response)rows[i].response;
        }
    }
    return DN_ALERT_RETRY;
}
