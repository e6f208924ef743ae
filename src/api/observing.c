/* SPDX-License-Identifier: Apache-2.0 */
/* Starting and ending observations; see observing.h. */
#include "api/observing.h"

#include "server/composite.h"

void dn_observing_answered(void *context, const dn_device_response *response, bool existed)
{
    dn_call *call = context;
    call->answer.existed = existed;
    dn_device_answered(call, response);
}

static bool is_sought(const dn_call *call, const dn_observation_view *one)
{
    return call->sought_count > 0
               ? dn_composite_equal(one->paths, one->path_count, call->sought, call->sought_count)
               : one->path_count == 0 && dunlin_path_equal(one->path, call->path);
}

/* Whether the one that is sought is there, and whether the device is known at all. */
static void listed(void *context, bool registered, const dn_observation_view *list, size_t count)
{
    dn_call *call = context;
    call->known = registered || count > 0;
    for (size_t i = 0; i < count; i++) {
        call->answer.existed = call->answer.existed || is_sought(call, &list[i]);
    }
    dn_call_wake(call);
}

static void look(dn_call *call, void (*next)(dn_call *call))
{
    if (dn_call_wait(call, next)) {
        dunlin_status status = dn_fleet_observations(call->api->config.fleet, call->endpoint, listed, call);
        if (status != DUNLIN_OK) {
            dn_device_refused(call, status);
        }
    }
}

/* ---- start -------------------------------------------------------------------------------- */

static void start_asleep(dn_call *call)
{
    if (!dn_device_succeeded_status(call)) {
        return;
    }
    if (call->answer.existed) {
        call->after(call); /* its last value is the answer */
    } else {
        dn_call_problem(call, DN_PROBLEM_ASLEEP, "The device sleeps, and would not hear of an observation.");
    }
}

static void start(dn_call *call)
{
    if (call->asleep) {
        look(call, start_asleep);
    } else {
        call->after(call);
    }
}

void dn_observing_start(dn_call *call, const dunlin_path *paths, size_t count, void (*next)(dn_call *call))
{
    call->sought = paths;
    call->sought_count = count;
    call->after = next;
    dn_device_presence(call, start);
}

/* ---- end ---------------------------------------------------------------------------------- */

static void not_observed(dn_call *call)
{
    if (!dn_device_succeeded_status(call)) {
        return;
    }
    if (call->known) {
        dn_call_problem(call, DN_PROBLEM_NOT_OBSERVED, "There is no such observation.");
    } else {
        dn_device_unknown(call);
    }
}

static void ended(dn_call *call)
{
    if (call->answer.status == DUNLIN_ERR_NOT_FOUND) {
        look(call, not_observed);
        return;
    }
    if (!dn_device_succeeded(call)) {
        return;
    }
    dn_text body = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &body);
    dn_device_head(call, &json, call->path);
    dn_jsonw_end(&json, '}');
    dn_call_reply_json(call, MHD_HTTP_OK, &body);
}

static void end(dn_call *call)
{
    dn_fleet *fleet = call->api->config.fleet;
    dunlin_status status;
    if (!dn_call_wait(call, ended)) {
        return;
    }
    if (call->asleep) {
        status = dn_fleet_forget_observation(fleet, call->endpoint, call->path, call->sought,
                                             call->sought_count, dn_device_answered, call);
    } else if (call->sought_count > 0) {
        status = dn_fleet_unobserve_composite(fleet, call->endpoint, call->sought, call->sought_count,
                                              call->timeout_ms, dn_device_answered, call);
    } else {
        status =
            dn_fleet_unobserve(fleet, call->endpoint, call->path, call->timeout_ms, dn_device_answered, call);
    }
    if (status != DUNLIN_OK) {
        dn_device_refused(call, status);
    }
}

void dn_observing_end(dn_call *call, const dunlin_path *paths, size_t count)
{
    call->sought = paths;
    call->sought_count = count;
    call->lenient = true; /* observations outlive registrations */
    dn_device_presence(call, end);
}
