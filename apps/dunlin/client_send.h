/* SPDX-License-Identifier: Apache-2.0 */
/* Send, asked for on the console. */
#ifndef DUNLIN_APP_CLIENT_SEND_H
#define DUNLIN_APP_CLIENT_SEND_H

#include <dunlin/client.h>

#define DN_SIM_SEND_MAX 16 /* paths of one Send */

/* Sends the values at the paths of `text`, which blanks separate, to every server that wants them; prints how that goes. `text`
   is taken apart. */
void dn_sim_send(dunlin_client *client, char *text);

#endif
