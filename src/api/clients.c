/* SPDX-License-Identifier: Apache-2.0 */
/* GET /clients and GET /clients/{endpoint}. */
#include "api/client_json.h"
#include "api/device.h"
#include "api/handlers.h"
#include "api/paging.h"

#include <stdlib.h>
#include <string.h>

/* A copy of what the fleet showed, for the HTTP thread. */
typedef struct {
    dn_client_view *clients;
    size_t count;
    uint64_t next, total;
    uint8_t *bytes;
} page;

static void free_page(void *state)
{
    page *copy = state;
    if (copy != NULL) {
        free(copy->clients);
        free(copy->bytes);
        free(copy);
    }
}

static dunlin_slice keep(uint8_t **at, dunlin_slice from)
{
    dunlin_slice kept = dunlin_slice_make(*at, from.len);
    if (from.len > 0) {
        memcpy(*at, from.data, from.len);
        *at += from.len;
    }
    return kept;
}

/* With or without the link lists, which a list does not show. */
static page *copy_page(const dn_client_view *clients, size_t count, bool links)
{
    size_t bytes = 1;
    for (size_t i = 0; i < count; i++) {
        bytes += clients[i].endpoint.len + (links ? clients[i].sms.len + clients[i].links.len : 0);
    }
    page *copy = calloc(1, sizeof *copy);
    if (copy == NULL) {
        return NULL;
    }
    copy->clients = calloc(count + 1, sizeof *copy->clients);
    copy->bytes = malloc(bytes);
    if (copy->clients == NULL || copy->bytes == NULL) {
        free_page(copy);
        return NULL;
    }
    uint8_t *at = copy->bytes;
    for (size_t i = 0; i < count; i++) {
        dn_client_view *client = &copy->clients[copy->count++];
        *client = clients[i];
        client->endpoint = keep(&at, clients[i].endpoint);
        client->sms = links ? keep(&at, clients[i].sms) : (dunlin_slice){0};
        client->links = links ? keep(&at, clients[i].links) : (dunlin_slice){0};
    }
    return copy;
}

static void hand_over(dn_call *call, page *copy)
{
    call->state = copy;
    call->free_state = free_page;
    if (copy == NULL) {
        call->answer.status = DUNLIN_ERR_MEMORY;
    }
    dn_call_wake(call);
}

static void page_fetched(void *context, const dn_client_page *found)
{
    page *copy = copy_page(found->clients, found->count, false);
    if (copy != NULL) {
        copy->next = found->next;
        copy->total = found->total;
    }
    hand_over(context, copy);
}

static void reply_page(dn_call *call)
{
    const page *found = call->state;
    if (found == NULL) {
        (void)dn_device_succeeded(call);
        return;
    }
    dn_text body = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &body);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_key(&json, "clients");
    dn_jsonw_begin(&json, '[');
    for (size_t i = 0; i < found->count; i++) {
        dn_jsonw_begin(&json, '{');
        dn_client_members(&json, &found->clients[i]);
        dn_jsonw_end(&json, '}');
    }
    dn_jsonw_end(&json, ']');
    dn_paging_next(&json, found->next);
    dn_jsonw_pair_unsigned(&json, "total", found->total);
    dn_jsonw_end(&json, '}');
    dn_call_reply_json(call, MHD_HTTP_OK, &body);
}

void dn_handle_clients(dn_call *call)
{
    dn_paging paging;
    const char *q = dn_query_get(&call->query, "q");
    if (!dn_paging_read(call, 1, "the \"next\" of an earlier page", &paging)) {
        return;
    }
    if (!dn_call_wait(call, reply_page)) {
        return;
    }
    dunlin_status status = dn_fleet_list(call->api->config.fleet, paging.after, paging.limit,
                                         dunlin_slice_of(q), page_fetched, call);
    if (status != DUNLIN_OK) {
        dn_device_refused(call, status);
    }
}

static void client_fetched(void *context, const dn_client_view *client)
{
    dn_call *call = context;
    if (client == NULL) {
        dn_device_refused(call, DUNLIN_ERR_NOT_FOUND);
    } else {
        hand_over(call, copy_page(client, 1, true));
    }
}

static void reply_client(dn_call *call)
{
    const page *found = call->state;
    dn_profile *profile = NULL;
    if (found != NULL) {
        const dn_client_view *client = found->clients;
        profile = dn_profiles_take(call->api->profiles,
                                   (dn_version){client->version_major, client->version_minor}, client->links);
    }
    if (profile == NULL) {
        call->answer.status = found == NULL ? call->answer.status : DUNLIN_ERR_MEMORY;
        (void)dn_device_succeeded(call);
        return;
    }
    dn_text body = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &body);
    dn_jsonw_begin(&json, '{');
    dn_client_members(&json, found->clients);
    dn_client_detail_members(&json, found->clients, profile, call->api->config.registry);
    dn_jsonw_end(&json, '}');
    dn_profile_release(profile);
    dn_call_reply_json(call, MHD_HTTP_OK, &body);
}

void dn_handle_client(dn_call *call)
{
    if (!dn_call_wait(call, reply_client)) {
        return;
    }
    dunlin_status status = dn_fleet_get(call->api->config.fleet, call->endpoint, client_fetched, call);
    if (status != DUNLIN_OK) {
        dn_device_refused(call, status);
    }
}
