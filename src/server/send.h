/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Send: values that a client reports on its own, POST /dp (Core 1.1.1 section 6.4.7, Transport 1.1.1 section
 * 6.4.5). They become an event; nothing of them is kept.
 *
 * What was decided where the text leaves room:
 * - A Send names no client: it is known by the address and port it came from. Nobody registered there gets
 *   4.04, since none of what is reported was registered; it makes an honest client register anew. Of several
 *   registrations from one address the newest is meant.
 * - Every Object Instance with a value must have a link of its own in the client's list, else 4.04. All else
 *   that is wrong gets 4.00, the only other code there is: no SenML, no record, a name that does not start
 *   with a slash, a record without a value, Uri-Query. Types are not checked: that takes a model.
 * - When nobody takes events and their buffer is full, the answer is 5.03, so that the client keeps its
 *   values: what got 2.04 is in the stream.
 */
#ifndef DN_SERVER_SEND_H
#define DN_SERVER_SEND_H

#include "coap/engine.h"

typedef struct dn_shard dn_shard;

/* Answers any request to /dp. `body` is used as scratch memory. */
void dn_send_answer(dn_shard *shard, const dn_coap_incoming *request, dunlin_buf *body, dn_coap_reply *reply);

#endif
