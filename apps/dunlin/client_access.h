/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what when the device has several servers: the first owns all instances; the others may read, write and execute
 * everything but Server accounts of others and Firmware Update, which they may only read; each owns its own account. Everybody
 * may create instances.
 */
#ifndef DUNLIN_APP_CLIENT_ACCESS_H
#define DUNLIN_APP_CLIENT_ACCESS_H

#include <dunlin/client_access.h>

#define DN_SIM_ACCESS_MAX 192 /* instances of Object 2 */

typedef struct {
    dunlin_access entries[DN_SIM_ACCESS_MAX];
    uint16_t count;
    uint16_t servers;
} dn_sim_access;

/* Adds Object 2 for `servers` accounts with the Short Server IDs 1, 2, …, and what `client` has up to now. LIMIT: more instances
   than DN_SIM_ACCESS_MAX. */
dunlin_status dn_sim_access_add(dunlin_client *client, dn_sim_access *access, uint16_t servers);

#endif
