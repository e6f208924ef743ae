/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who observes what, and when each observer is notified (Core 1.1.1 sections 5.1.2 and 6.4; RFC 7641). The
 * conditions: a number with gt, lt or st set is notified when it crosses gt or lt, in either direction, or
 * has moved by st from the value notified last; anything else when its payload differs from the last one.
 * pmin holds a notification back, pmax sends one without a change, epmax has the value looked at without
 * being told of a change.
 */
#ifndef DN_CLIENT_OBSERVE_H
#define DN_CLIENT_OBSERVE_H

#include "client/operation.h"

/* Takes the request as an observation whose first notification is its answer, in op->reply. The sequence
   number, or DN_COAP_NO_OBSERVE when there is no room: the answer is then that of a Read (RFC 7641
   section 4.1). */
int32_t dn_client_observe_add(dn_operation *op, uint16_t format);
/* Ends those of `account` with this token, or of this path. */
void dn_client_observe_cancel(dunlin_client *client, const dn_account *account, const dn_coap_token *token,
                              dunlin_path path);
/* A Reset came for a notification with this token. */
void dn_client_observe_reset(dunlin_client *client, const dn_account *account, const dn_coap_token *token);
/* Ends all of `account` without a word: its registration is new or gone. */
void dn_client_observe_drop(dunlin_client *client, const dn_account *account);
/* What is at `path` or below is about to be deleted: its observers get 4.04 and are forgotten (RFC 7641
 * section 4.2). */
void dn_client_observe_gone(dunlin_client *client, dunlin_path path);
/* Something at `path` or below may have changed. */
void dn_client_observe_changed(dunlin_client *client, dunlin_path path);
/* Notifies what is due, and works out client->observe_due_ms: when to step again. */
void dn_client_observe_step(dunlin_client *client);

#endif
