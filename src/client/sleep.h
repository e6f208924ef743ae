/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queue mode: the device sleeps between messages (Transport 1.1.1 section 6.5). It stays awake for
 * config.awake_ms after the last datagram that it sent, and as long as an answer is awaited; the servers keep
 * their requests until they hear from it. In LwM2M 1.1 config.queue_mode is all there is to it; in 1.0 a server
 * can switch it by the Q of /1/x/7, where "UQ" is what the device begins with.
 */
#ifndef DN_CLIENT_SLEEP_H
#define DN_CLIENT_SLEEP_H

#include "client/state.h"

/* Whether registrations of `account` are to be in queue mode. */
bool dn_client_sleep_wanted(const dn_account *account);
/* A datagram is about to be sent. */
void dn_client_sleep_sending(dunlin_client *client);
/* Goes to sleep if it is time. */
void dn_client_sleep_step(dunlin_client *client);
/* When to step next; DN_NEVER. */
uint64_t dn_client_sleep_deadline(const dunlin_client *client);

#endif
