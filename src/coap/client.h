/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's role: our requests, their blocks, and what comes back (RFC 7252 section 5.3, RFC 7959 section
 * 3). Notifications that arrive end up here as well, for they are responses.
 */
#ifndef DN_COAP_CLIENT_H
#define DN_COAP_CLIENT_H

#include "coap/core.h"

/* A CON or NON response from `remote`, which the caller holds. */
void dn_coap_take_response(dn_coap *coap, uint32_t remote, const dn_coap_message *message);
/* A response on a stream, from `remote`, which the caller holds. */
void dn_coap_take_response_framed(dn_coap *coap, uint32_t remote, const dn_coap_message *message);
/* An ACK, empty or with a response. */
void dn_coap_take_ack(dn_coap *coap, uint32_t remote, const dn_coap_message *message);

#endif
