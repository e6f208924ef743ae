/* SPDX-License-Identifier: Apache-2.0 */
/* POST /bs?ep&pct. */
#include "client/bootstrap_request.h"

#include <stdio.h>
#include <string.h>

#define PCT_MAX 16u

bool dn_client_bootstrap_request_prefers(const dunlin_client *client)
{
    return client->config.bootstrap_format != 0 && client->config.lwm2m != DUNLIN_LWM2M_1_0 &&
           !client->bootstrap.plain;
}

/* Its path has no regard to the alternate path. */
dunlin_status dn_client_bootstrap_request(dn_account *account, dn_coap_result *result)
{
    dunlin_client *client = account->client;
    char endpoint[sizeof "ep=" + DUNLIN_ENDPOINT_MAX];
    char format[PCT_MAX];
    (void)snprintf(endpoint, sizeof endpoint, "ep=%s", client->config.endpoint);
    (void)snprintf(format, sizeof format, "pct=%u", (unsigned)client->config.bootstrap_format);
    const dn_coap_option options[] = {{DN_OPTION_URI_PATH, dunlin_slice_of("bs")},
                                      {DN_OPTION_URI_QUERY, dunlin_slice_of(endpoint)},
                                      {DN_OPTION_URI_QUERY, dunlin_slice_of(format)}};
    dn_coap_outgoing outgoing;
    dn_coap_outgoing_init(&outgoing, DN_COAP_POST);
    outgoing.confirmable = true;
    outgoing.options = options;
    outgoing.option_count =
        sizeof options / sizeof options[0] - (dn_client_bootstrap_request_prefers(client) ? 0 : 1);
    return dn_coap_request(client->coap, &account->peer, &outgoing, result, account, client->now_ms,
                           &account->exchange);
}
