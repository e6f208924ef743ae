/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The account of the bootstrap server: the instance of Object 0 with resource 1 true, which has none in Object 1 (Core 1.1.1
 * section 6.1.2). client->bootstrap_account has its way; its `security` is NULL while there is no such instance.
 */
#ifndef DN_CLIENT_BOOTSTRAP_ACCOUNT_H
#define DN_CLIENT_BOOTSTRAP_ACCOUNT_H

#include "client/state.h"

/* Looks which instance it is. A way that was made with other credentials, or to another place, is given back. */
void dn_client_bootstrap_account_find(dunlin_client *client);
bool dn_client_bootstrap_account_there(const dunlin_client *client);
/* How long to wait before it is asked: resource 11 of Object 0, if it is instantiated; more while bootstraps lead nowhere. */
uint64_t dn_client_bootstrap_account_hold_off_ms(const dunlin_client *client);
/* A try has failed: how long to wait before the next one. DN_NEVER: there is none. */
uint64_t dn_client_bootstrap_account_again_ms(dunlin_client *client);
/* The same where it is of no use to try soon: as when the tries of a sequence are used up, or the longest wait. */
uint64_t dn_client_bootstrap_account_late_ms(dunlin_client *client);
/* A bootstrap is over: from now on its timeout counts, resource 12 of Object 0. */
void dn_client_bootstrap_account_limit(dunlin_client *client);
/* After a restart: what is left of it, as /1/x/12 says when the last bootstrap was. */
void dn_client_bootstrap_account_resume(dunlin_client *client);
/* Removes it. */
void dn_client_bootstrap_account_purge(dunlin_client *client);

#endif
