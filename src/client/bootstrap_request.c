/* SPDX-License-Identifier: Apache-2.0 */
/* POST /bs?ep&pct. */
#include "client/bootstrap_request.h"

#include "codec/format.h"

#define QUERY_MAX (sizeof "ep=pct=65535" + DUNLIN_ENDPOINT_MAX)

bool dn_client_bootstrap_request_prefers(const dunlin_client *client)
{
    return client->config.bootstrap_format != 0 && client->config.lwm2m != DUNLIN_LWM2M_1_0 &&
           !client->bootstrap.plain;
}

/* Puts a query of our own size into `text`. */
static dn_coap_option query(dunlin_buf *text, const char *name, dunlin_slice value)
{
    const size_t start = text->len;
    (void)dunlin_buf_append(text, dunlin_slice_of(name));
    (void)dunlin_buf_append(text, value);
    return (dn_coap_option){DN_OPTION_URI_QUERY, dunlin_slice_make(text->data + start, text->len - start)};
}

/* Its path has no regard to the alternate path. */
dunlin_status dn_client_bootstrap_request(dn_account *account, dn_coap_result *result)
{
    dunlin_client *client = account->client;
    char queries[QUERY_MAX];
    char digits[8];
    dunlin_buf text = dunlin_buf_make(queries, sizeof queries);
    dunlin_buf format = dunlin_buf_make(digits, sizeof digits);
    const dunlin_value number = dunlin_unsigned(client->config.bootstrap_format);
    (void)dn_value_to_text(&number, &format); /* five digits always fit */
    const dn_coap_option options[] = {{DN_OPTION_URI_PATH, dunlin_slice_of("bs")},
                                      query(&text, "ep=", dunlin_slice_of(client->config.endpoint)),
                                      query(&text, "pct=", dunlin_buf_view(&format))};
    dn_coap_outgoing outgoing;
    dn_coap_outgoing_init(&outgoing, DN_COAP_POST);
    outgoing.confirmable = true;
    outgoing.options = options;
    outgoing.option_count =
        sizeof options / sizeof options[0] - (dn_client_bootstrap_request_prefers(client) ? 0 : 1);
    return dn_coap_request(client->coap, &account->peer, &outgoing, result, account, client->now_ms,
                           &account->exchange);
}
