/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who observes what: single paths and, from LwM2M 1.1 on, lists of paths; and the notifications (Core 1.1.1
 * section 6.4; RFC 7641). condition.h says when one is due, stored.h what becomes of those that cannot be sent.
 *
 * An observation ends by Cancel, by a Reset, when a Confirmable notification is not acknowledged (unless
 * Notification Storing is on), with what it observes, with the next Register, and with a De-register that the
 * device itself wants. A composite one accepts paths where nothing is yet and tells what is there by and by.
 */
#ifndef DN_CLIENT_OBSERVE_H
#define DN_CLIENT_OBSERVE_H

#include "client/composite.h"
#include "client/operation.h"

/* Takes the request as an observation whose first notification is its answer, in op->reply. The sequence
   number, or DN_COAP_NO_OBSERVE when there is no room: the answer is then that of a Read (RFC 7641
   section 4.1). */
int32_t dn_client_observe_add(dn_operation *op, uint16_t format);
/* The same of several paths, which may lie in client->work, and that is used. No room also when there are
   more of them than config.composite_paths. */
int32_t dn_client_observe_add_composite(dn_operation *op, dn_paths paths, uint16_t format);
/* Ends those of `account` with this token, or of this path. */
void dn_client_observe_cancel(dunlin_client *client, const dn_account *account, const dn_coap_token *token,
                              dunlin_path path);
/* The same for the composite ones: with the token, or of exactly these paths in this order. */
void dn_client_observe_cancel_composite(dunlin_client *client, const dn_account *account,
                                        const dn_coap_token *token, dn_paths paths);
/* A Reset came for a notification with this token. */
void dn_client_observe_reset(dunlin_client *client, const dn_account *account, const dn_coap_token *token);
/* Ends all of `account` without a word: its registration is new or gone. */
void dn_client_observe_drop(dunlin_client *client, const dn_account *account);
/* What is at `path` or below is about to be deleted: its observers get 4.04 and are forgotten (RFC 7641
 * section 4.2). */
void dn_client_observe_gone(dunlin_client *client, dunlin_path path);
/* Something at `path` or below may have changed. */
void dn_client_observe_changed(dunlin_client *client, dunlin_path path);
/* Whether a notification is under way, whose acknowledgement is to be awaited. */
bool dn_client_observe_busy(const dunlin_client *client);
/* Notifies what is due, and works out client->observe_due_ms: when to step again. */
void dn_client_observe_step(dunlin_client *client);

#endif
