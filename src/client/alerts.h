/* SPDX-License-Identifier: Apache-2.0 */
/* What a (D)TLS alert means for the client: Table 5.2.9-1 of Transport 1.1.1. */
#ifndef DN_CLIENT_ALERTS_H
#define DN_CLIENT_ALERTS_H

#define DN_ALERT_NONE (-1)

typedef enum {
    DN_ALERT_RETRY, /* as if there had been no answer: Object 1 resources 17 to 20 say when to try again */
    DN_ALERT_FAIL,  /* trying again cannot help: registration with this server has failed, see /1/x/16 */
    DN_ALERT_IGNORE /* it says nothing: what was lost is lost without it, and nothing fails because of it */
} dn_alert_response;

/* `alert`: 0..255, or DN_ALERT_NONE. One that the table does not have is tried again. */
dn_alert_response dn_client_alert_response(int alert);

#endif
