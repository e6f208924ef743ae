/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registration of each server account: Register, Update, De-register, and what to do when they fail
 * (Core 1.1.1 section 6.2, Transport section 6.4.3; Object 1 resources 14 and 16 to 20). A table of states and
 * events says what happens; registration.c holds it. rd.h has the requests, order.h the order of
 * servers, way.h how a server is reached.
 */
#ifndef DN_CLIENT_REGISTRATION_H
#define DN_CLIENT_REGISTRATION_H

#include "client/state.h"

void dn_client_registration_start(dn_account *account);
/* After a bootstrap, or when accounts have been paired anew: begins unless it has begun; where it is registered tells of the Objects
   that there are now. */
void dn_client_registration_begin(dn_account *account);
/* It is its turn in the order of servers; or one before it has failed and blocks it. */
void dn_client_registration_turn(dn_account *account);
void dn_client_registration_block(dn_account *account);
void dn_client_registration_stop(dn_account *account);
/* Its account goes, or is another one from now on: ends it without a word to the server, and gives its way back. */
void dn_client_registration_end(dn_account *account);
/* Registers anew at once. */
void dn_client_registration_restart(dn_account *account);
/* De-registers once the request being served is answered, and registers again after the disable time. */
void dn_client_registration_disable(dn_account *account);
/* An Update with `want` (DN_WANT_…) is due. */
void dn_client_registration_want(dn_account *account, uint8_t want);
void dn_client_registration_want_all(dunlin_client *client, uint8_t want);
/* Attends to the way: what came of it, and asking for it. */
void dn_client_registration_ways(dn_account *account);
/* Something is to be sent: if it is the way alone that is missing, one is asked for. */
void dn_client_registration_need(dn_account *account);
/* The server may send requests: it has acknowledged our Register. */
bool dn_client_registration_holds(const dn_account *account);
/* Whether that of any account does. */
bool dn_client_registration_any(const dunlin_client *client);
/* An answer is awaited, or a way. */
bool dn_client_registration_busy(const dn_account *account);

void dn_client_registration_step(dn_account *account);
uint64_t dn_client_registration_deadline(const dn_account *account);

#endif
