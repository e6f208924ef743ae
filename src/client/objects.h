/* SPDX-License-Identifier: Apache-2.0 */
/* The Objects that a client has by itself. Their instances make the server accounts: account.h. */
#ifndef DN_CLIENT_OBJECTS_H
#define DN_CLIENT_OBJECTS_H

#include "client/state.h"

extern const dunlin_object dn_client_object_security;
extern const dunlin_object dn_client_object_server;
extern const dunlin_object dn_client_object_server_1_0;

/* What a new instance of Object 1 holds. */
void dn_client_object_server_default(dn_server_instance *instance);
/* Instantiates those optional resources of Object 1 that the instance has values for. */
void dn_client_object_server_present(dunlin_client *client, const dn_server_instance *instance);

#endif
