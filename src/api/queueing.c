/* SPDX-License-Identifier: Apache-2.0 */
/* The durable queue as calls use it; see queueing.h. */
#include "api/queueing.h"

#include "api/content_format.h"
#include "api/device.h"
#include "api/request_json.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A wait is made of pieces: it cannot be cancelled, and between two the caller may be found gone, or the server to stop. */
#define PIECE_MS 1000u

bool dn_queueing_parameters(dn_call *call)
{
    const char *wait = dn_query_get(&call->query, "wait");
    const char *expires = dn_query_get(&call->query, "expires");
    uint64_t seconds = 0;
    if (wait != NULL) {
        char digits[16];
        size_t len = strlen(wait);
        snprintf(digits, sizeof digits, "%.*s", (int)(len > 1 && wait[len - 1] == 's' ? len - 1 : len), wait);
        if (len >= sizeof digits || !dn_query_number(digits, 0, DN_WAIT_MAX_S, &seconds)) {
            dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER,
                            "wait must be a number of seconds from 0 to %u.", DN_WAIT_MAX_S);
            return false;
        }
        call->wait_given = true;
        call->wait_ms = (uint32_t)seconds * 1000;
    }
    seconds = 0;
    if (expires != NULL && !dn_query_number(expires, 1, DN_EXPIRES_MAX_S, &seconds)) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER,
                        "expires must be a number of seconds from 1 to %u.", DN_EXPIRES_MAX_S);
        return false;
    }
    call->expires_s = (uint32_t)seconds;
    return true;
}

void dn_queueing_settle(void *context, dn_device_request *request, uint8_t version_major,
                        uint8_t version_minor, dunlin_slice links)
{
    (void)context;
    dn_profile *profile = dn_profile_create((dn_version){version_major, version_minor}, links);
    if (profile != NULL) {
        request->accept = dn_format_for(profile);
        dn_profile_release(profile);
    }
}

void dn_queueing_taken(void *context, dunlin_status status, const dn_queued_view *queued)
{
    dn_call *call = context;
    free(call->queued);
    call->queued = queued != NULL ? dn_queued_copy_make(queued) : NULL;
    call->answer.status = queued != NULL && call->queued == NULL ? DUNLIN_ERR_MEMORY : status;
    dn_call_wake(call);
}

/* ---- waiting ------------------------------------------------------------------------------ */

static bool has_ended(const dn_call *call)
{
    return call->queued == NULL || call->queued->view.state > DN_QUEUED_DELIVERING;
}

static bool caller_left(const dn_call *call)
{
    struct pollfd at = {.fd = call->socket, .events = POLLRDHUP};
    return poll(&at, 1, 0) > 0 && (at.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static void wait_on(dn_call *call);

static void piece_over(dn_call *call)
{
    if (call->answer.status == DUNLIN_ERR_MEMORY) {
        (void)dn_device_succeeded(call);
    } else if (call->answer.status == DUNLIN_ERR_CANCELLED) {
        dn_call_problem(
            call, DN_PROBLEM_INTERNAL,
            "The server is stopping, or its store has failed: it cannot say how the request stands.");
    } else if (has_ended(call) || dn_api_now_ms(call->api) >= call->until_ms || caller_left(call)) {
        call->awaited(call);
    } else {
        wait_on(call);
    }
}

static void wait_on(dn_call *call)
{
    uint64_t now_ms = dn_api_now_ms(call->api);
    uint64_t left_ms = now_ms < call->until_ms ? call->until_ms - now_ms : 0;
    uint32_t piece_ms = left_ms < PIECE_MS ? (uint32_t)left_ms : PIECE_MS;
    if (!dn_call_try_wait(call, piece_over)) {
        if (call->queued != NULL) {
            call->awaited(call); /* the server stops, which the request outlives */
        } else {
            dn_call_problem(call, DN_PROBLEM_BUSY, "The server is stopping.");
        }
        return;
    }
    dunlin_status status =
        dn_fleet_await(call->api->config.fleet, call->queued_id, piece_ms, dn_queueing_taken, call);
    if (status != DUNLIN_OK) {
        dn_device_refused(call, DUNLIN_ERR_MEMORY);
    }
}

void dn_queueing_await(dn_call *call, uint64_t id, uint64_t until_ms, void (*done)(dn_call *call))
{
    call->queued_id = id;
    call->until_ms = until_ms;
    call->awaited = done;
    wait_on(call);
}

/* ---- sending ------------------------------------------------------------------------------ */

static void name_request(dn_call *call)
{
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, call->queued_id);
    dn_call_header(call, "Dunlin-Request", id);
}

static void reply_accepted(dn_call *call)
{
    char location[48];
    dn_text body = {0};
    dn_jsonw json;
    snprintf(location, sizeof location, "/api/v1/requests/%" PRIu64, call->queued_id);
    dn_call_header(call, MHD_HTTP_HEADER_LOCATION, location);
    dn_jsonw_start(&json, &body);
    dn_request_write(&json, &call->queued->view, NULL, NULL);
    dn_call_reply_json(call, MHD_HTTP_ACCEPTED, &body);
}

static void answered(dn_call *call)
{
    const dn_device_response response = dn_queued_response(&call->queued->view);
    dn_answer_take(&call->answer, &response);
    call->after(call);
}

static void fail(dn_call *call)
{
    const dn_device_response response = dn_queued_response(&call->queued->view);
    switch (call->queued->view.state) {
    case DN_QUEUED_EXPIRED:
        dn_call_problem(call, DN_PROBLEM_TIMEOUT,
                        "The request's time was over before the device could be asked.");
        break;
    case DN_QUEUED_CANCELLED:
        dn_call_problem(call, DN_PROBLEM_CANCELLED, "The request was cancelled.");
        break;
    case DN_QUEUED_UNKNOWN:
        dn_call_problem(call, DN_PROBLEM_CANCELLED,
                        "The registration ended during the delivery: the device may have done it.");
        break;
    default:
        if (response.status == DUNLIN_ERR_NOT_FOUND && call->queued->view.ask.package.len > 0) {
            dn_call_problem(call, DN_PROBLEM_UNKNOWN_PACKAGE, "The package is not there any more.");
            break;
        }
        dn_answer_take(&call->answer, &response);
        (void)dn_device_succeeded(call);
    }
}

static void waited(dn_call *call)
{
    name_request(call);
    if (call->queued == NULL) {
        dn_call_problem(call, DN_PROBLEM_UNKNOWN_REQUEST, "The request ended and is not kept any more.");
    } else if (!has_ended(call)) {
        reply_accepted(call);
    } else if (call->queued->view.state == DN_QUEUED_ANSWERED) {
        dn_device_profile_if_any(call, answered);
    } else {
        fail(call);
    }
}

static void enqueued(dn_call *call)
{
    if (call->answer.status == DUNLIN_ERR_LIMIT) {
        dn_call_problem(call, DN_PROBLEM_QUEUE_FULL,
                        "As many requests as there may be wait for this device, or for all of them.");
    } else if (call->answer.status == DUNLIN_ERR_ARGUMENT) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "The request is too long to be queued.");
    } else if (dn_device_succeeded_status(call)) {
        call->queued_id = call->queued->view.id;
        if (call->wait_ms == 0) {
            waited(call);
        } else {
            dn_queueing_await(call, call->queued_id, call->started_ms + call->wait_ms, waited);
        }
    }
}

void dn_queueing_send(dn_call *call)
{
    dn_device_request request = call->asked;
    request.settle = NULL;
    request.unless_asleep = false;
    request.auto_accept = call->guess;
    if (!dn_call_wait(call, enqueued)) {
        return;
    }
    dunlin_status status =
        dn_fleet_enqueue(call->api->config.fleet, &request, call->expires_s, dn_queueing_taken, call);
    if (status != DUNLIN_OK) {
        dn_device_refused(call, status);
    }
}
