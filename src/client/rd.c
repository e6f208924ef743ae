/* SPDX-License-Identifier: Apache-2.0 */
/* What Register, Update and De-register carry. */
#include "client/rd.h"

#include "client/links.h"
#include "client/sleep.h"
#include "client/way.h"
#include "codec/format.h"
#include <string.h>

#define QUERY_MAX    5u
#define SEGMENTS_MAX 8u /* of a location */
#define NUMBER_MAX   21u

static dunlin_status request(dn_account *account, dn_coap_outgoing *outgoing, dn_coap_result *result)
{
    dunlin_client *client = account->client;
    outgoing->confirmable = true;
    return dn_coap_request(client->coap, &account->peer, outgoing, result, account, client->now_ms,
                           &account->exchange);
}

/* Splits "/rd/abc" into Uri-Path options, at most SEGMENTS_MAX as dn_client_rd_location took no more. */
static size_t location_options(const char *location, dn_coap_option *options)
{
    size_t count = 0;
    while (*location == '/') {
        const char *segment = ++location;
        while (*location != '\0' && *location != '/') {
            location++;
        }
        options[count].number = DN_OPTION_URI_PATH;
        options[count++].value = dunlin_slice_make(segment, (size_t)(location - segment));
    }
    return count;
}

static void put_query(dn_coap_option *option, dunlin_buf *text, const char *name, dunlin_slice value)
{
    const size_t start = text->len;
    (void)dunlin_buf_append(text, dunlin_slice_of(name));
    (void)dunlin_buf_append(text, value);
    option->number = DN_OPTION_URI_QUERY;
    option->value = dunlin_slice_make(text->data + start, text->len - start);
}

static dunlin_slice number_text(int32_t number, char out[NUMBER_MAX])
{
    const dunlin_value value = dunlin_integer(number);
    dunlin_buf buf = dunlin_buf_make(out, NUMBER_MAX);
    (void)dn_value_to_text(&value, &buf); /* a 32 bit number always fits */
    return dunlin_buf_view(&buf);
}

/* Puts the list of Objects into the request. */
static dunlin_status put_list(dn_account *account, dn_coap_outgoing *outgoing)
{
    dunlin_client *client = account->client;
    outgoing->content_format = DN_FORMAT_LINK;
    return dn_client_links_list(client, dunlin_buf_make(account->list, client->config.list_max),
                                &outgoing->payload);
}

/* What /1/x/7 says, unless the way is one that it does not have: then the letter of that (Core 1.1.1 section 6.2.1.2). */
static void binding_text(const dn_account *account, char out[sizeof account->binding_told])
{
    const char letter = dn_client_way_letter((dn_transport)account->way.transport);
    if (strchr(account->server->binding, letter) != NULL) {
        memcpy(out, account->server->binding, sizeof account->binding_told);
    } else {
        out[0] = letter;
        out[1] = '\0';
    }
}

static void put_binding(dn_account *account, dn_coap_option *option, dunlin_buf *text)
{
    binding_text(account, account->binding_told);
    put_query(option, text, "b=", dunlin_slice_of(account->binding_told));
    account->queue = dn_client_sleep_wanted(account);
}

static bool binding_changed(const dn_account *account)
{
    char now[sizeof account->binding_told];
    binding_text(account, now);
    return strcmp(now, account->binding_told) != 0;
}

/* POST /rd?ep&lt&lwm2m&b&Q (Transport 1.1.1 section 6.4.3). In LwM2M 1.0 the binding itself tells of queue mode. */
dunlin_status dn_client_rd_register(dn_account *account, dn_coap_result *result)
{
    const dunlin_client_config *config = &account->client->config;
    const bool v1_0 = config->lwm2m == DUNLIN_LWM2M_1_0;
    char text[DUNLIN_ENDPOINT_MAX + 64];
    char number[NUMBER_MAX];
    dunlin_buf buf = dunlin_buf_make(text, sizeof text);
    dn_coap_option options[1 + QUERY_MAX] = {{DN_OPTION_URI_PATH, dunlin_slice_of("rd")}};
    size_t count = 1;
    put_query(&options[count++], &buf, "ep=", dunlin_slice_of(config->endpoint));
    put_query(&options[count++], &buf, "lt=", number_text(account->server->lifetime_s, number));
    put_query(&options[count++], &buf, "lwm2m=", dunlin_slice_of(v1_0 ? "1.0" : "1.1"));
    put_binding(account, &options[count++], &buf);
    if (account->queue && !v1_0) {
        put_query(&options[count++], &buf, "Q", dunlin_slice_make(NULL, 0));
    }

    dn_coap_outgoing outgoing;
    dn_coap_outgoing_init(&outgoing, DN_COAP_POST);
    outgoing.options = options;
    outgoing.option_count = count;
    const dunlin_status status = put_list(account, &outgoing);
    account->client->counters.registers++;
    return status == DUNLIN_OK ? request(account, &outgoing, result) : status;
}

/* POST /{location}, with what has changed only. */
dunlin_status dn_client_rd_update(dn_account *account, dn_coap_result *result)
{
    char text[NUMBER_MAX + sizeof account->binding_told + 8];
    char number[NUMBER_MAX];
    dunlin_buf buf = dunlin_buf_make(text, sizeof text);
    dn_coap_option options[SEGMENTS_MAX + 2];
    dn_coap_outgoing outgoing;
    dunlin_status status = DUNLIN_OK;
    dn_coap_outgoing_init(&outgoing, DN_COAP_POST);
    outgoing.options = options;
    outgoing.option_count = location_options(account->location, options);
    account->sent = account->want;
    account->want = 0;
    if ((account->sent & DN_WANT_LIFETIME) != 0) {
        put_query(&options[outgoing.option_count++], &buf,
                  "lt=", number_text(account->server->lifetime_s, number));
    }
    if (binding_changed(account)) {
        put_binding(account, &options[outgoing.option_count++], &buf);
    }
    if ((account->sent & DN_WANT_LIST) != 0) {
        status = put_list(account, &outgoing);
    }
    account->client->counters.updates++;
    return status == DUNLIN_OK ? request(account, &outgoing, result) : status;
}

dunlin_status dn_client_rd_deregister(dn_account *account, dn_coap_result *result)
{
    dn_coap_option options[SEGMENTS_MAX];
    dn_coap_outgoing outgoing;
    dn_coap_outgoing_init(&outgoing, DN_COAP_DELETE);
    outgoing.options = options;
    outgoing.option_count = location_options(account->location, options);
    return request(account, &outgoing, result);
}

bool dn_client_rd_location(dn_account *account, dn_coap_options options)
{
    char text[DUNLIN_LOCATION_MAX + 1];
    dunlin_buf buf = dunlin_buf_make(text, DUNLIN_LOCATION_MAX);
    dunlin_slice segment;
    size_t count = 0;
    while (dn_coap_option_find(&options, DN_OPTION_LOCATION_PATH, &segment) == DUNLIN_OK) {
        const bool plain = segment.len == 0 || (memchr(segment.data, '/', segment.len) == NULL &&
                                                memchr(segment.data, 0, segment.len) == NULL);
        if (!plain || ++count > SEGMENTS_MAX || !dunlin_buf_append(&buf, dunlin_slice_of("/")) ||
            !dunlin_buf_append(&buf, segment)) {
            return false;
        }
    }
    text[buf.len] = '\0';
    memcpy(account->location, text, buf.len + 1);
    return buf.len > 0;
}
