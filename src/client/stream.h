/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources too large for memory (DUNLIN_STREAM): a Write of octets is handed to the application block by
 * block as it comes in (Core 1.1.1 section 6.3.3; RFC 7959). All checks of a Write, the rights among them, are
 * made before the first piece, and again for each further one. One transfer at a time: the same server may
 * begin anew, another has to wait.
 */
#ifndef DN_CLIENT_STREAM_H
#define DN_CLIENT_STREAM_H

#include "client/operation.h"

/* Whether the body of this request is to be taken in pieces: it is octets, or nothing that could be taken at
   all, for a STREAM resource. */
bool dn_client_stream_wants(dunlin_client *client, const dn_coap_incoming *request);
/* The Write of octets to the STREAM resource at op->at: op->piece of them, or all in one payload. CONTINUE,
   CHANGED, INCOMPLETE for a piece that does not follow the last one, TOO_LARGE, INTERNAL_ERROR while another
   transfer is under way, or what `take` answered. */
uint8_t dn_client_stream_write(dn_operation *op);
/* Hands over a value that came whole in another format. LIMIT while another transfer is under way. */
dunlin_status dn_client_stream_store(const dn_place *place, dunlin_slice bytes);
/* The rest of the transfer that `key` names will not come. */
void dn_client_stream_lost(dunlin_client *client, uint64_t key);
/* `instance` is about to go, and with it what it was taking. */
void dn_client_stream_gone(dunlin_client *client, dunlin_path instance);

#endif
