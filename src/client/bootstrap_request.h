/* SPDX-License-Identifier: Apache-2.0 */
/* What a Bootstrap-Request carries (Transport 1.1.1 section 6.4.2). When it is sent, and what its answer means: bootstrap.h. */
#ifndef DN_CLIENT_BOOTSTRAP_REQUEST_H
#define DN_CLIENT_BOOTSTRAP_REQUEST_H

#include "client/state.h"

/* Sends it to account->peer, with account->exchange. Errors are those of dn_coap_request. */
dunlin_status dn_client_bootstrap_request(dn_account *account, dn_coap_result *result);
/* Whether it tells which format is preferred: `pct`, which LwM2M 1.0 does not have. */
bool dn_client_bootstrap_request_prefers(const dunlin_client *client);

#endif
