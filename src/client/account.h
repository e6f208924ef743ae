/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server accounts: which instance of Object 0 goes with which of Object 1 (Core 1.1.1 section 6.1.2). The instances come and
 * go in any order, by the application, by a bootstrap or from an image; the accounts are what registrations are about, and
 * follow once the instances are as they should be. What is kept over a pairing stays where it is in memory.
 */
#ifndef DN_CLIENT_ACCOUNT_H
#define DN_CLIENT_ACCOUNT_H

#include "client/state.h"

/* The instances of Object 0 that there may be: one more than accounts where there may be a bootstrap server. */
uint16_t dn_client_securities_max(const dunlin_client_config *config);

/* The next server account in use behind `after`, NULL: the first. NULL: no more. The bootstrap server's is none of them. */
dn_account *dn_client_account_next(const dunlin_client *client, const dn_account *after);
/* That of an instance of Object 1; NULL: it is not paired. */
dn_account *dn_client_account_of(const dunlin_client *client, const dn_server_instance *server);
/* The account's id in Object 1; DUNLIN_ID_NONE: it has none, or not any more. */
uint16_t dn_client_account_instance(const dn_account *account);
/* Whether the resource of its instance of Object 1 is instantiated; also false when there is no such resource. */
bool dn_client_account_has(const dn_account *account, uint16_t resource);
/* Whether the account's instances are still there, with the server at the same place and the same credentials. */
bool dn_client_account_stands(const dn_account *account);
/* Resources 13 to 20 of Object 1, by their defaults where they are not instantiated. */
dunlin_registration_policy dn_client_account_policy(const dn_account *account);

/* 1 to 65534. */
bool dn_client_ssid_valid(int32_t ssid);
/* The instances that say to be of that server; the bootstrap server's is none of them. NULL: there is none. */
dn_security_instance *dn_client_security_of(const dunlin_client *client, int32_t ssid);
dn_server_instance *dn_client_server_of(const dunlin_client *client, int32_t ssid);

/* Makes an account of an instance of Object 1 that has none yet, if there is one of Object 0 for it. */
void dn_client_account_pair(dunlin_client *client, dn_server_instance *server);
/*
 * Pairs anew: by Short Server ID. An account whose server is the one that it was, at the same URI and with the same
 * credentials, goes on; any other one that was there ends without a word to its server (section 6.1.5: it considers
 * itself de-registered). New ones are idle. The bootstrap server's account is looked for, too. Ways are given back: to be called from step, start, stop and restart, or before anything began.
 */
void dn_client_pair_accounts(dunlin_client *client);
/* Says in each instance of Object 1 when the last bootstrap was (/1/x/12), in seconds since 1970. */
void dn_client_accounts_bootstrapped(dunlin_client *client, int64_t at_s);
/* The latest that any of them says; -1: none says it. */
int64_t dn_client_accounts_last_bootstrapped(const dunlin_client *client);

#endif
