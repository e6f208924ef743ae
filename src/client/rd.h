/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests of the registration interface: Register, Update, De-register (Core 1.1.1 section 6.2; Transport
 * section 6.4.3). They only make and send them; registration.h says when, and what the answers mean.
 */
#ifndef DN_CLIENT_RD_H
#define DN_CLIENT_RD_H

#include "client/state.h"

/* Each begins account->exchange, whose result goes to `result` with the account as its context. Errors as
   dn_coap_request, and SPACE: the list of Objects is longer than config.list_max. */
dunlin_status dn_client_rd_register(dn_account *account, dn_coap_result *result);
/* With what account->want asks for, which moves to account->sent. */
dunlin_status dn_client_rd_update(dn_account *account, dn_coap_result *result);
dunlin_status dn_client_rd_deregister(dn_account *account, dn_coap_result *result);
/* Keeps the Location-Path options as account->location. False: none, too long, or a segment that "/rd/…"
   cannot hold. */
bool dn_client_rd_location(dn_account *account, dn_coap_options options);

#endif
