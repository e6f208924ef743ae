/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message layer: sends, retransmits, acknowledges, resets, and lets each peer have no more than NSTART
 * confirmable messages at a time (RFC 7252 section 4). It ends exchanges and tells their results; it knows
 * nothing of requests' meaning, of blocks or of Observe.
 */
#ifndef DN_COAP_RELIABILITY_H
#define DN_COAP_RELIABILITY_H

#include "coap/core.h"

/* Hands a datagram to the bearer. */
void dn_coap_send(dn_coap *coap, uint32_t remote, dunlin_slice datagram);
/* Sends a written message of `len` bytes on the stream to `remote`, and leaves it in another form there. */
void dn_coap_send_framed(dn_coap *coap, uint32_t remote, uint8_t *message, size_t len);
/* False: nothing new may be asked of that peer, because its stream ends or is not open. */
bool dn_coap_can_ask(const dn_coap *coap, uint32_t remote);
/* Sends an empty ACK or RST to a peer that may be unknown. */
void dn_coap_send_empty(dn_coap *coap, const dn_peer *peer, dn_coap_type type, uint16_t mid);
/* Sends an exchange's datagram, now or when NSTART lets it. */
void dn_coap_submit(dn_coap *coap, dn_coap_exchange *exchange);
/* Sends the message of `len` bytes that stands in out_datagram for an exchange on a stream, where all have their turn at once. */
void dn_coap_submit_framed(dn_coap *coap, dn_coap_exchange *exchange, size_t len);
/* Sends the next message of an exchange whose last one was answered; it keeps its turn if it still has it, or
 * `yields` it to those that wait. */
void dn_coap_submit_next(dn_coap *coap, dn_coap_exchange *exchange, bool yields);
/* See dn_coap_nudge. */
void dn_coap_send_again(dn_coap *coap, dn_coap_exchange *exchange);
/* Its message was acknowledged: stops retransmission. A request then awaits its response. */
void dn_coap_acknowledged(dn_coap *coap, dn_coap_exchange *exchange);
/* Ends an exchange and tells its result. `body` (may be NULL) is the transfer that response->payload views;
   it ends after the callback. */
void dn_coap_finish(dn_coap *coap, dn_coap_exchange *exchange, dunlin_status status,
                    const dn_coap_response *response, dn_coap_transfer *body);
/* Makes an exchange end with `status` at the next expiry: for results that are known within the call that
 * made it. */
void dn_coap_finish_later(dn_coap *coap, dn_coap_exchange *exchange, dunlin_status status);
/* Its deadline has come. */
void dn_coap_exchange_due(dn_coap *coap, dn_coap_exchange *exchange);

#endif
