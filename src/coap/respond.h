/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Responses and notifications on their way out: which block of the body, which type of message, piggybacked
 * or separate (RFC 7252 section 5.2, RFC 7959 section 2.4), and what is remembered so that it can be repeated
 * or continued.
 */
#ifndef DN_COAP_RESPOND_H
#define DN_COAP_RESPOND_H

#include "coap/core.h"

/* Answers `pending` (which stays the caller's). `kept` (may be NULL) is the transfer whose body
 * reply->payload is. */
void dn_coap_respond(dn_coap *coap, const dn_coap_pending *pending, const dn_coap_reply *reply,
                     const dn_coap_transfer *kept);
/* Answers with a code, and for people a text (NULL for none), no block options. */
void dn_coap_respond_code(dn_coap *coap, const dn_coap_pending *pending, uint8_t code,
                          const char *diagnostic);
/* 4.13: `size1` is what would be taken, `szx` the block size to try, DN_COAP_SZX_RESERVED for no hint (RFC
 * 7959 section 2.9.3). */
void dn_coap_respond_too_large(dn_coap *coap, const dn_coap_pending *pending, uint32_t size1, uint8_t szx);
/* 2.31 for a block that was taken. */
void dn_coap_respond_continue(dn_coap *coap, const dn_coap_pending *pending, const dn_coap_block *block1);
/* Writes a notification, its body's block 0 if it is too large. The length; 0: the options do not fit. */
size_t dn_coap_write_notification(dn_coap *coap, uint32_t remote, dn_coap_type type, uint16_t mid,
                                  const dn_coap_token *token, const dn_coap_reply *reply, uint8_t *out);

#endif
