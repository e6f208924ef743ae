/* SPDX-License-Identifier: Apache-2.0 */
/* One observation: is there something new, and telling it. observe.c says when. */
#ifndef DN_CLIENT_NOTIFY_H
#define DN_CLIENT_NOTIFY_H

#include "client/state.h"

/* Notifications can be sent to the server now. */
bool dn_client_notify_reachable(const dn_account *account);
/* The observations of the server go on: it is reachable, or what they tell is stored. */
bool dn_client_notify_evaluated(const dn_account *account);

/* Notes what has been told: `payload`, and the numbers of now. Uses client->work for a composite one. */
void dn_client_notify_told(dunlin_client *client, dn_observation *observation, dunlin_slice payload);
/* Looks at the value: observation->pending says whether it has changed enough to be told. */
void dn_client_notify_look(dunlin_client *client, dn_observation *observation);
/* Sends a notification, or stores it. Tells nothing when the server has lost the right to read (Core 1.1.1
   section 6.4.3). */
void dn_client_notify(dunlin_client *client, dn_observation *observation);
/* Sends what was stored for it. */
void dn_client_notify_stored(dunlin_client *client, dn_observation *observation);
/* Ends an observation with an error, which the observer takes as its last notification (RFC 7641
 * section 4.2). */
void dn_client_notify_end(dunlin_client *client, dn_observation *observation, uint8_t code);
/* Ends it without a word. */
void dn_client_notify_forget(dunlin_client *client, dn_observation *observation);
/* The next sequence number. */
int32_t dn_client_notify_sequence(dunlin_client *client);

#endif
