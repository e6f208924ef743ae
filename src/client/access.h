/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: the rights that Object 2 gives (Core 1.1.1 section 8.2). */
#ifndef DN_CLIENT_ACCESS_H
#define DN_CLIENT_ACCESS_H

#include "client/state.h"
#include <dunlin/client_access.h>

/*
 * Whether `server` (0: the device itself, which may do all) has the right `bits` (one of DUNLIN_ACCESS_…) at
 * `path`. Rights belong to instances and hold for all below; for an Object it is: CREATE by its own entries,
 * READ always, as what is read there is chosen instance by instance, and nothing else. Hidden Objects are
 * nobody's.
 */
bool dn_client_access_may(const dunlin_client *client, uint16_t server, dunlin_path path, uint8_t bits);

/* Notes that `server` has created `instance`, of which it becomes the owner with all rights. Does nothing
 * without Object 2 or with a single server account. LIMIT: no structure of Object 2 is free. */
dunlin_status dn_client_access_created(dunlin_client *client, uint16_t server, dunlin_path instance);
/* Where Object 2 says something about `instance`: its slot and the index of the structure. False: it says nothing. */
bool dn_client_access_of(const dunlin_client *client, dunlin_path instance, const dn_object_slot **slot,
                         uint16_t *index);
/* Takes away what Object 2 says about `instance`, which is gone. */
void dn_client_access_removed(dunlin_client *client, dunlin_path instance);
/* Whether the client has Object 2, and so may have more than one server account. */
bool dn_client_access_controlled(const dunlin_client *client);

#endif
