/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration: whether it can be, and what follows from it for the parts of a client. The rest of it is public: dunlin/client.h. */
#ifndef DN_CLIENT_CONFIG_H
#define DN_CLIENT_CONFIG_H

#include "client/state.h"

/* Whether what has to be given is given. What is in range dunlin_client_arena_size knows, which is 0 for what is not. */
bool dn_client_config_valid(const dunlin_client_config *config);
/* The same for the CoAP engine. */
dn_coap_config dn_client_config_coap(const dunlin_client_config *config);
/* Paths that may be observed. */
size_t dn_client_config_observed_max(const dunlin_client_config *config);
/* Bytes that Sends share. */
size_t dn_client_config_send_bytes(const dunlin_client_config *config);
/* Object 1 of the version of LwM2M. */
const dunlin_object *dn_client_config_server_object(const dunlin_client_config *config);

#endif
