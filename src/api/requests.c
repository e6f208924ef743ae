/* SPDX-License-Identifier: Apache-2.0 */
/* The durable queue: GET /requests, GET /clients/{endpoint}/requests, GET and DELETE /requests/{id}. */
#include "api/device.h"
#include "api/handlers.h"
#include "api/paging.h"
#include "api/queueing.h"
#include "api/request_json.h"

#include <stdlib.h>

/* ---- lists -------------------------------------------------------------------------------- */

typedef struct {
    size_t count;
    uint64_t next;
    dn_queued_copy *requests[];
} page;

static void free_page(void *state)
{
    page *list = state;
    for (size_t i = 0; i < list->count; i++) {
        free(list->requests[i]);
    }
    free(list);
}

static page *copy_page(const dn_queued_page *found)
{
    page *list = calloc(1, sizeof *list + found->count * sizeof list->requests[0]);
    if (list == NULL) {
        return NULL;
    }
    list->next = found->next;
    for (; list->count < found->count; list->count++) {
        list->requests[list->count] = dn_queued_copy_make(&found->requests[list->count]);
        if (list->requests[list->count] == NULL) {
            free_page(list);
            return NULL;
        }
    }
    return list;
}

static void listed(void *context, const dn_queued_page *found)
{
    dn_call *call = context;
    call->state = copy_page(found);
    if (call->state != NULL) {
        call->free_state = free_page;
    } else {
        call->answer.status = DUNLIN_ERR_MEMORY;
    }
    dn_call_wake(call);
}

static void reply_page(dn_call *call)
{
    const page *list = call->state;
    dn_text body = {0};
    dn_jsonw json;
    if (list == NULL) {
        (void)dn_device_succeeded(call);
        return;
    }
    dn_jsonw_start(&json, &body);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_key(&json, "requests");
    dn_jsonw_begin(&json, '[');
    for (size_t i = 0; i < list->count; i++) {
        dn_request_write(&json, &list->requests[i]->view, NULL, NULL);
    }
    dn_jsonw_end(&json, ']');
    dn_paging_next(&json, list->next);
    dn_jsonw_end(&json, '}');
    dn_call_reply_json(call, MHD_HTTP_OK, &body);
}

void dn_handle_requests(dn_call *call)
{
    dn_paging paging;
    const char *endpoint = dn_query_get(&call->query, "endpoint");
    if (!dn_paging_read(call, 0, "the id of a request", &paging)) {
        return;
    }
    dunlin_slice whose = call->endpoint.len > 0 ? call->endpoint : dunlin_slice_of(endpoint);
    if (!dn_call_wait(call, reply_page)) {
        return;
    }
    dunlin_status status =
        dn_fleet_queue(call->api->config.fleet, whose, paging.after, paging.limit, listed, call);
    if (status != DUNLIN_OK) {
        dn_device_refused(call, status);
    }
}

/* ---- one ---------------------------------------------------------------------------------- */

static void unknown(dn_call *call)
{
    dn_call_problem(call, DN_PROBLEM_UNKNOWN_REQUEST,
                    "There is no request of that id, or it ended and is not kept any more.");
}

/* The id in the URL; false: answered. */
static bool read_id(dn_call *call, uint64_t *id)
{
    bool good = dn_query_number((const char *)call->name.data, 0, UINT64_MAX, id);
    if (!good) {
        unknown(call);
    }
    return good;
}

static void reply_request(dn_call *call)
{
    dn_text body = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &body);
    dn_request_write(&json, &call->queued->view, call->api->config.registry, call->profile);
    dn_call_reply_json(call, MHD_HTTP_OK, &body);
}

static void show(dn_call *call)
{
    if (call->queued == NULL) {
        unknown(call);
        return;
    }
    call->endpoint = call->queued->view.ask.endpoint;
    dn_device_profile_if_any(call, reply_request);
}

void dn_handle_request(dn_call *call)
{
    uint64_t id;
    if (read_id(call, &id) && dn_queueing_parameters(call)) {
        dn_queueing_await(call, id, call->started_ms + call->wait_ms, show);
    }
}

static void cancelled(dn_call *call)
{
    switch (call->answer.status) {
    case DUNLIN_OK:
        reply_request(call);
        break;
    case DUNLIN_ERR_NOT_FOUND:
        unknown(call);
        break;
    case DUNLIN_ERR_STATE:
        dn_call_problem(call, DN_PROBLEM_ENDED, "The request has ended already.");
        break;
    default:
        (void)dn_device_succeeded(call);
    }
}

void dn_handle_cancel_request(dn_call *call)
{
    uint64_t id;
    if (!read_id(call, &id) || !dn_call_wait(call, cancelled)) {
        return;
    }
    dunlin_status status = dn_fleet_dequeue(call->api->config.fleet, id, dn_queueing_taken, call);
    if (status != DUNLIN_OK) {
        dn_device_refused(call, status);
    }
}
