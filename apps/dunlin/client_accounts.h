/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts that a client has by now, as its Objects 0 and 1 tell: those of the command line, or of a bootstrap. */
#ifndef DUNLIN_APP_CLIENT_ACCOUNTS_H
#define DUNLIN_APP_CLIENT_ACCOUNTS_H

#include <dunlin/client.h>

/* Where the server with this Short Server ID is, DUNLIN_BOOTSTRAP_SERVER: the bootstrap server. "" if there is no such account. */
void dn_sim_account_uri(dunlin_client *client, uint16_t server, char uri[DUNLIN_URI_MAX + 1]);
/* The Short Server IDs of the servers in Object 1, in the order of its instances; their number. */
size_t dn_sim_account_servers(dunlin_client *client, uint16_t servers[DUNLIN_SERVERS_MAX]);
bool dn_sim_account_has_bootstrap(dunlin_client *client);

#endif
