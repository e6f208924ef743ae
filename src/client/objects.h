/* SPDX-License-Identifier: Apache-2.0 */
/* The Objects that a client has by itself. Their instances are the server accounts. */
#ifndef DN_CLIENT_OBJECTS_H
#define DN_CLIENT_OBJECTS_H

#include "client/state.h"

extern const dunlin_object dn_client_object_security;
extern const dunlin_object dn_client_object_server;
extern const dunlin_object dn_client_object_server_1_0;

/* Instantiates those optional resources of Object 1 that the account has values for. */
void dn_client_object_server_present(dunlin_client *client, const dn_account *account);

#endif
