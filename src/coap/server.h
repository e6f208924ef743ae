/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's role: requests that come in, their duplicates, their blocks, and their way to the request
 * callback (RFC 7252 section 5.2, 5.4; RFC 7959 section 2.5). How the answer leaves is for respond.h.
 */
#ifndef DN_COAP_SERVER_H
#define DN_COAP_SERVER_H

#include "coap/core.h"

/* A CON or NON request from `remote`, which the caller holds. */
void dn_coap_serve(dn_coap *coap, uint32_t remote, const dn_coap_message *message);
/* A request in a datagram longer than we take: says so, and remembers nothing. */
void dn_coap_serve_oversized(dn_coap *coap, uint32_t remote, const dn_coap_message *message);
/* Its deadline has come: the empty ACK, or the end of waiting for the answer. */
void dn_coap_pending_due(dn_coap *coap, dn_coap_pending *pending);
/* No further piece came in time. */
void dn_coap_stream_due(dn_coap *coap, dn_coap_stream *stream);
/* Drops the unanswered requests of a peer, and its bodies that are taken in pieces. */
void dn_coap_serve_forget(dn_coap *coap, uint32_t remote);

#endif
