/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signalling on streams (RFC 8323 section 5): capabilities, pings, and how a stream ends. Requests and responses are for
 * the server and client files.
 */
#ifndef DN_COAP_SIGNAL_H
#define DN_COAP_SIGNAL_H

#include "coap/core.h"

/* A 7.xx message from `remote`, which the caller holds. */
void dn_coap_take_signal(dn_coap *coap, uint32_t remote, const dn_coap_message *message);
/* Sends a ping, for an exchange of that kind. */
void dn_coap_signal_ping(dn_coap *coap, dn_coap_exchange *exchange);
/* Sends Abort with `text` and reports the end of the stream, unless it has ended already. */
void dn_coap_abort(dn_coap *coap, uint32_t remote, dunlin_status status, const char *text);
/* A request of the peer, which came in `epoch` of its stream, has got its answer, or will get none. */
void dn_coap_request_ended(dn_coap *coap, uint32_t remote, uint8_t epoch);
/* Its deadline has come: no CSM. */
void dn_coap_connection_due(dn_coap *coap, dn_coap_connection *connection);

#endif
