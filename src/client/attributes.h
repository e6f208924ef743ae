/* SPDX-License-Identifier: Apache-2.0 */
/* The notification attributes that servers have set, each server its own (Core 1.1.1 section 5.1.2). */
#ifndef DN_CLIENT_ATTRIBUTES_H
#define DN_CLIENT_ATTRIBUTES_H

#include "client/state.h"
#include "codec/link.h"

/* Those set at exactly `path` by `server`, or NULL. */
dn_attributes *dn_client_attributes_at(dunlin_client *client, uint16_t server, dunlin_path path);
/* Those that hold at `path`: its own, else inherited from the levels above (but gt, lt and st, which are
   not). The /1/x defaults are not among them. */
dn_attributes dn_client_attributes_effective(dunlin_client *client, uint16_t server, dunlin_path path);
/* Forgets those at `path` and below, of all servers. */
void dn_client_attributes_drop(dunlin_client *client, dunlin_path path);
/* Forgets those of `server`. */
void dn_client_attributes_forget(dunlin_client *client, uint16_t server);
/* Writes them as link parameters. */
void dn_client_attributes_put(dn_link_writer *writer, const dn_attributes *attributes);

#endif
