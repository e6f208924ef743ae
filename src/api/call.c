/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request; see call.h. */
#include "api/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DETAIL_MAX 512u

static uint64_t monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void *dn_call_make_state(dn_call *call, size_t size, void (*free_state)(void *state))
{
    call->state = calloc(1, size);
    call->free_state = free_state;
    if (call->state == NULL) {
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "There is no memory.");
    }
    return call->state;
}

void dn_call_header(dn_call *call, const char *name, const char *value)
{
    size_t i = 0;
    while (i < DN_CALL_HEADERS - 1 && call->headers[i].name != NULL &&
           strcmp(call->headers[i].name, name) != 0) {
        i++;
    }
    free(call->headers[i].value);
    call->headers[i].value = strdup(value);
    call->headers[i].name = name;
}

void dn_call_queue(dn_call *call, unsigned status, struct MHD_Response *response)
{
    uint64_t took_us = call->started_us == 0 ? 0 : monotonic_us() - call->started_us;
    dn_http_metrics_count(call->api->metrics, call->route, status, took_us);
    dn_log_at(call->api->config.log, DN_LOG_DEBUG, "http", "%s %s %u %llu us", dn_method_name(call->method),
              call->route != NULL ? call->route->pattern : "other", status, (unsigned long long)took_us);
    call->replied = MHD_queue_response(call->connection, status, response) == MHD_YES;
}

void dn_call_reply_deferred(dn_call *call)
{
    dn_call_reply(call, call->deferred_status, call->deferred_type, &call->deferred);
}

void dn_call_reply(dn_call *call, unsigned status, const char *media_type, dn_text *body)
{
    if (call->deferring) {
        call->deferred_status = status;
        call->deferred_type = media_type;
        call->deferred = *body;
        *body = (dn_text){0};
        return;
    }
    if (body->failed) {
        dn_text_free(body);
        *body = (dn_text){0};
        status = 500;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        dn_text_free(body);
        return;
    }
    *body = (dn_text){0};
    if (media_type != NULL) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, media_type);
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    for (size_t i = 0; i < DN_CALL_HEADERS && call->headers[i].value != NULL; i++) {
        MHD_add_response_header(response, call->headers[i].name, call->headers[i].value);
    }
    dn_call_queue(call, status, response);
    MHD_destroy_response(response);
}

void dn_call_reply_json(dn_call *call, unsigned status, dn_text *body)
{
    dn_call_reply(call, status, "application/json", body);
}

void dn_call_problem_with(dn_call *call, dn_problem problem)
{
    dn_text body = {0};
    if (problem.kind != DN_PROBLEM_NOT_FOUND) {
        problem.endpoint = call->endpoint;
        problem.path = call->path;
    }
    if (problem.kind == DN_PROBLEM_BUSY) {
        dn_call_header(call, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    }
    dn_problem_write(&body, &problem);
    dn_call_reply(call, dn_problem_status(&problem), "application/problem+json", &body);
}

void dn_call_problem(dn_call *call, dn_problem_kind kind, const char *format, ...)
{
    char detail[DETAIL_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    dn_call_problem_with(call, (dn_problem){.kind = kind, .detail = detail});
}

bool dn_bootstrap_served(dn_call *call)
{
    if (call->api->config.bootstrap_store != NULL) {
        return true;
    }
    dn_call_problem(call, DN_PROBLEM_NO_BOOTSTRAP_SERVER,
                    "This dunlind runs no bootstrap server; start it with --bootstrap-coaps.");
    return false;
}

bool dn_call_try_wait(dn_call *call, void (*next)(dn_call *call))
{
    dn_text_free(&call->answer.payload);
    call->answer = (dn_answer){.status = DUNLIN_OK};
    call->next = next;
    if (!dn_flights_add(&call->api->flights, call)) {
        call->next = NULL;
        return false;
    }
    return true;
}

bool dn_call_wait(dn_call *call, void (*next)(dn_call *call))
{
    bool waits = dn_call_try_wait(call, next);
    if (!waits) {
        dn_call_problem(call, DN_PROBLEM_BUSY, "The server is stopping.");
    }
    return waits;
}

void dn_call_work(dn_call *call, dn_worker_job *job, void (*run)(void *state), void (*next)(dn_call *call))
{
    if (dn_call_wait(call, next)) {
        *job = (dn_worker_job){.run = run, .context = call->state};
        dn_worker_do(&call->api->worker, job);
    }
}

void dn_call_cancellable(dn_call *call, uint64_t number)
{
    dn_flights_number(&call->api->flights, call, number);
}

void dn_call_wake(dn_call *call)
{
    dn_flights_land(&call->api->flights, call);
}

void dn_call_free(dn_call *call)
{
    if (call->free_state != NULL) {
        call->free_state(call->state);
    }
    dn_profile_release(call->profile);
    dn_text_free(&call->answer.payload);
    dn_text_free(&call->body);
    dn_text_free(&call->deferred);
    dn_text_free(&call->asked_bytes);
    for (size_t i = 0; i < DN_CALL_HEADERS; i++) {
        free(call->headers[i].value);
    }
    free(call->queued);
    free(call->target);
    free(call);
}
