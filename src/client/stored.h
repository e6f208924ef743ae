/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notifications kept for servers that cannot be reached or have disabled themselves (/1/x/6, Notification
 * Storing When Disabled or Offline; Core 1.1.1 appendix E.2). There are at most config.stored of them, in
 * config.stored_max bytes; the oldest give way, and are counted.
 *
 * What becomes of them. An observation outlives its server's silence: it goes on being evaluated, and what it
 * would have notified is kept here. When the server acknowledges again (an Update, if the registration had been
 * kept) they go out in one or more Confirmable notifications. When a new Register was needed, the server has
 * lost its observations; they are then delivered as soon as it observes the same paths again, and as a Send
 * (if it does not mute Send) when it has not done so within ten seconds. In SenML (in LwM2M 1.0: JSON) each
 * value has the time at which it was true; a format without time stamps can only tell the newest value, which
 * it does. Each is forgotten when the server has acknowledged it, when it cancels the observation, or when
 * the client is stopped.
 */
#ifndef DN_CLIENT_STORED_H
#define DN_CLIENT_STORED_H

#include "client/state.h"
#include "codec/format.h"

#define DN_STORED_ALL UINT32_MAX /* a sequence that is above all */

/* The format in which they are kept: the compact one of the LwM2M version. */
uint16_t dn_client_stored_format(const dunlin_client *client);

/* Keeps `payload`, what `observation` would have notified. Its sequence (not 0), or 0: it is larger than all
 * the room there is, and was dropped. */
uint32_t dn_client_stored_put(dunlin_client *client, const dn_observation *observation, dunlin_slice payload);
/* Whether something is kept for this observation. */
bool dn_client_stored_any(const dunlin_client *client, const dn_observation *observation);
/* When the newest for this observation was kept; 0: nothing is. */
uint64_t dn_client_stored_newest_ms(const dunlin_client *client, const dn_observation *observation);
/* Encodes with their times as many of those of `observation` as fit into `out`, oldest first. The sequence of
   the last one among them; 0: there is none any more. */
uint32_t dn_client_stored_encode(dunlin_client *client, const dn_observation *observation, uint16_t format,
                                 dunlin_buf out, dunlin_slice *payload);
/* Forgets those of `observation` up to and with `sequence`. */
void dn_client_stored_take(dunlin_client *client, const dn_observation *observation, uint32_t sequence);
/* Forgets all of `account`. */
void dn_client_stored_drop(dunlin_client *client, const dn_account *account);

/* The server has acknowledged something: it can be reached. */
void dn_client_stored_wake(dn_account *account);
/* Sends by Send what no observation will deliver, when its time has come: client->stored_due_ms. */
void dn_client_stored_step(dunlin_client *client);

#endif
