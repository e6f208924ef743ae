/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking instances away by a bootstrap (Core 1.1.1 section 6.1.7.5, Transport 1.1.1 section 5.2.5): as changes of the Objects alone.
 * Whoever observes what has gone is told so when notifications are let out again, after Bootstrap-Finish; by then it
 * may be back, or all of it was taken back.
 */
#ifndef DN_CLIENT_BOOTSTRAP_REMOVE_H
#define DN_CLIENT_BOOTSTRAP_REMOVE_H

#include "client/state.h"

/* Whether a bootstrap takes away instances of the Object: those that are configuration, or made by servers. What the device itself is made
   of (Device, a sensor) has instances that nobody could make again, and which stay. */
bool dn_client_bootstrap_removes(const dunlin_object *def);
/* Takes the instance away, with its attributes and what Object 2 says of it. */
void dn_client_bootstrap_remove(const dn_place *instance);
/* The same for an instance of Object 0 and what goes with its account, unless it shares the Short Server ID with another one. */
void dn_client_bootstrap_remove_security(const dn_place *instance);

/* Which instance of Object 21 an instance of Object 0 (its index) refers to; DUNLIN_ID_NONE: none. */
uint16_t dn_client_bootstrap_oscore_of(const dunlin_client *client, uint16_t index);
/* The Short Server ID of an instance of Object 0 (its index), 0: it has none, as it is the bootstrap server's or says none. */
int32_t dn_client_bootstrap_ssid_of(const dunlin_client *client, uint16_t index);

#endif
