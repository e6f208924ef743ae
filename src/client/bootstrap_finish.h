/* SPDX-License-Identifier: Apache-2.0 */
/* Bootstrap-Finish (Core 1.1.1 section 6.1.7.6): whether what was written can be lived with, and keeping it. */
#ifndef DN_CLIENT_BOOTSTRAP_FINISH_H
#define DN_CLIENT_BOOTSTRAP_FINISH_H

#include "client/state.h"

/*
 * The code of the answer. 2.04: it is consistent and saved, client->bootstrap.finished is set, and the next step carries on; 4.06: it
 * is not, and the diagnostic says why; 5.00: it cannot be saved. The bootstrap server may go on after these.
 */
uint8_t dn_client_bootstrap_finish(dunlin_client *client, dn_coap_reply *reply);

#endif
