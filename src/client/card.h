/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the smartcard is read: at a start, and before each Register and Update to a server whose account came from it (Core 1.1.1
 * section 6.1.3, Transport 1.1.1 section 5.2.6). What its file means bootstrap_operation.h knows.
 */
#ifndef DN_CLIENT_CARD_H
#define DN_CLIENT_CARD_H

#include "client/state.h"

/* Reads it, and makes Objects and accounts follow it: what came from a card that is not there any more goes. Accounts are paired at
   the next step. A card that cannot be read changes nothing. */
void dn_client_card_read(dunlin_client *client);
/* The same, if the account came from the card. False: the account is not what it was any more. */
bool dn_client_card_holds(dn_account *account);

#endif
