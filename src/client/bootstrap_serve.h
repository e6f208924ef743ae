/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of a bootstrap server one by one: what bootstrap_operation.c chooses from. Each gives the code of the answer. */
#ifndef DN_CLIENT_BOOTSTRAP_SERVE_H
#define DN_CLIENT_BOOTSTRAP_SERVE_H

#include "client/state.h"

uint8_t dn_client_bootstrap_discover(dunlin_client *client, dunlin_path path, dunlin_buf *body,
                                     dn_coap_reply *reply);
uint8_t dn_client_bootstrap_read(dunlin_client *client, dunlin_path path, uint16_t accept, dunlin_buf *body,
                                 dn_coap_reply *reply);
uint8_t dn_client_bootstrap_write(dunlin_client *client, dunlin_path path, const dn_coap_incoming *request,
                                  dunlin_buf *body);
uint8_t dn_client_bootstrap_delete(dunlin_client *client, dunlin_path path);

#endif
