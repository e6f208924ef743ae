/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order in which servers are registered with (Core 1.1.1 section 6.2.1.1; Object 1 resources 13 and 15).
 * Accounts with a Registration Priority Order wait for their turn, smallest first; a turn ends with a
 * registration, or when the first sequence of tries has failed. Accounts without one are on their own.
 */
#ifndef DN_CLIENT_ORDER_H
#define DN_CLIENT_ORDER_H

#include "client/state.h"

/* Gives the turn to the next account that waits, if nobody has it. */
void dn_client_order_step(dunlin_client *client);
/* The turn of `account`, if it has it, is over. Registration Failure Block: its failure ends the order. */
void dn_client_order_ended(dn_account *account, bool success);

#endif
