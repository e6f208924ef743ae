/* SPDX-License-Identifier: Apache-2.0 */
/* Send: values that the device gives without being asked (Core 1.1.1 section 6.4.7, Transport 1.1.1
 * section 6.4.5). The call itself is in dunlin/client.h. */
#ifndef DN_CLIENT_SEND_H
#define DN_CLIENT_SEND_H

#include "client/state.h"

/* Sends what waits, and ends what belongs to a registration that has ended. */
void dn_client_send_step(dunlin_client *client);
/* Whether one is under way, whose answer is awaited. */
bool dn_client_send_busy(const dunlin_client *client);
/* The same for one server. */
bool dn_client_send_under_way(const dunlin_client *client, uint16_t server);
uint64_t dn_client_send_deadline(const dunlin_client *client);

#endif
