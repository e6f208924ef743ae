/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /bootstrap/runs: the bootstraps of devices, step by step. POST /bootstrap/runs/{endpoint}: the bootstrap server speaks first. Both are written on the
 * bootstrap server's thread, where the runs are.
 */
#include "api/bootstrap_events.h"
#include "api/call.h"
#include "api/credential_json.h"
#include "api/handlers.h"
#include "api/json_write.h"
#include "api/paging.h"
#include "api/uris.h"

#include <stdlib.h>

#define LIMIT_DEFAULT 50u
#define LIMIT_MAX     200u

typedef struct {
    dn_call *call;
    dn_text runs;
    dn_jsonw json;
    uint32_t limit, count;
    uint64_t last; /* number of the run shown last */
    bool more;
    const char *why; /* a run was not begun */
} listing;

static void free_listing(void *state)
{
    listing *l = state;
    dn_text_free(&l->runs);
    free(l);
}

static void write_step(dn_jsonw *json, const dn_bs_step_view *step)
{
    char text[DUNLIN_PATH_TEXT_MAX + 1];
    dn_jsonw_begin(json, '{');
    dn_jsonw_pair(json, "operation", dn_bs_operation_name(step->operation));
    if (step->operation != DN_BS_FINISH) {
        dunlin_path_format(step->path, text);
        dn_jsonw_pair(json, "path", text);
    }
    dn_jsonw_key(json, "code");
    if (step->code == 0) {
        dn_jsonw_null(json);
    } else {
        dn_coap_code_text(step->code, text);
        dn_jsonw_text(json, text);
    }
    dn_jsonw_pair_unsigned(json, "began_ms", step->began_ms);
    dn_jsonw_pair_unsigned(json, "took_ms", step->took_ms);
    dn_jsonw_pair_unsigned(json, "bytes", step->bytes);
    dn_jsonw_end(json, '}');
}

static const char *state_name(dn_bs_run_state state)
{
    return state == DN_BS_RUNNING ? "running" : state == DN_BS_DONE ? "finished" : "failed";
}

static void write_how(dn_jsonw *json, const dn_bs_run_view *run)
{
    char version[16];
    dn_jsonw_pair(json, "address", run->address);
    dn_jsonw_pair(json, "transport", dn_transport_name(run->transport));
    dn_jsonw_pair(json, "security", dn_security_mode_text(run->security));
    dn_jsonw_key(json, "lwm2m");
    if (run->version_major == 0) {
        dn_jsonw_null(json);
    } else {
        dn_version_text((dn_version){run->version_major, run->version_minor}, version);
        dn_jsonw_text(json, version);
    }
}

/* What was handed out, and is not known to have been taken. */
static void write_waiting(dn_jsonw *json, dn_credentials *credentials, const dn_bs_run_view *run)
{
    dn_credential staged;
    if (run->is_minted && credentials != NULL && credentials->ops->get_staged != NULL &&
        credentials->ops->get_staged(credentials, run->endpoint, &staged) == DUNLIN_OK) {
        dn_credential_write_staged(json, &staged);
        dn_credential_wipe(&staged);
    }
}

static void write_run(dn_jsonw *json, dn_credentials *credentials, const dn_bs_run_view *run)
{
    dn_jsonw_begin(json, '{');
    dn_jsonw_pair_unsigned(json, "run", run->run);
    dn_jsonw_pair(json, "state", state_name(run->state));
    dn_jsonw_pair_slice(json, "endpoint", run->endpoint);
    dn_jsonw_pair(json, "by", run->is_own ? "server" : "device");
    dn_jsonw_pair_bool(json, "reachable", run->is_reachable);
    write_how(json, run);
    dn_jsonw_pair_unsigned(json, "version", run->version);
    dn_jsonw_pair_time(json, "began", run->began_ms);
    dn_jsonw_key(json, "ended");
    if (run->ended_ms == 0) {
        dn_jsonw_null(json);
    } else {
        dn_jsonw_time_ms(json, run->ended_ms);
    }
    dn_jsonw_pair(json, "why", run->why != NULL ? run->why : "");
    dn_jsonw_pair_unsigned(json, "planned", run->planned);
    dn_jsonw_key(json, "steps");
    dn_jsonw_begin(json, '[');
    for (size_t i = 0; i < run->step_count; i++) {
        write_step(json, &run->steps[i]);
    }
    dn_jsonw_end(json, ']');
    dn_jsonw_pair_slice(json, "found", run->found);
    write_waiting(json, credentials, run);
    dn_jsonw_end(json, '}');
}

static bool take_run(void *context, const dn_bs_run_view *run)
{
    listing *l = context;
    if (l->count == l->limit) {
        l->more = true;
        return false;
    }
    write_run(&l->json, l->call->api->config.credentials, run);
    l->last = run->run;
    l->count++;
    return true;
}

static void taken(void *context)
{
    dn_call_wake(((listing *)context)->call);
}

static void reply_runs(dn_call *call)
{
    listing *l = call->state;
    if (call->answer.status != DUNLIN_OK) {
        dn_call_problem(call, DN_PROBLEM_BUSY, "The bootstrap server has too much to do, or is stopping.");
        return;
    }
    dn_jsonw_end(&l->json, ']');
    dn_jsonw_key(&l->json, "next");
    if (l->more) {
        dn_jsonw_unsigned(&l->json, l->last);
    } else {
        dn_jsonw_null(&l->json);
    }
    dn_jsonw_end(&l->json, '}');
    dn_call_reply_json(call, MHD_HTTP_OK, &l->runs);
}

static bool read_before(dn_call *call, uint64_t *before)
{
    const char *text = dn_query_get(&call->query, "before");
    *before = 0;
    if (text != NULL && !dn_query_number(text, 1, UINT64_MAX, before)) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "before must be the number of a run.");
        return false;
    }
    return true;
}

/* NULL: the call has been answered. */
static listing *begin(dn_call *call)
{
    listing *l = calloc(1, sizeof *l);
    if (l == NULL || call->api->config.bootstrap == NULL) {
        free(l);
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "The bootstrap server does not run.");
        return NULL;
    }
    *l = (listing){.call = call, .why = ""};
    call->state = l;
    call->free_state = free_listing;
    dn_jsonw_start(&l->json, &l->runs);
    return l;
}

void dn_handle_bootstrap_runs(dn_call *call)
{
    uint32_t limit;
    uint64_t before;
    if (!dn_bootstrap_served(call) || !dn_paging_limit(call, LIMIT_DEFAULT, LIMIT_MAX, &limit) ||
        !read_before(call, &before)) {
        return;
    }
    listing *l = begin(call);
    if (l == NULL) {
        return;
    }
    l->limit = limit;
    dn_jsonw_begin(&l->json, '{');
    dn_jsonw_key(&l->json, "runs");
    dn_jsonw_begin(&l->json, '[');
    if (!dn_call_wait(call, reply_runs)) {
        return;
    }
    dunlin_status status = dn_bootstrap_runs(call->api->config.bootstrap,
                                             dunlin_slice_of(dn_query_get(&call->query, "endpoint")), before,
                                             limit + 1, take_run, taken, l);
    if (status != DUNLIN_OK) {
        call->answer.status = status;
        dn_call_wake(call);
    }
}

/* ---- the bootstrap server speaks first ---- */

static void take_start(void *context, const dn_bs_start *start)
{
    listing *l = context;
    if (start->status == DUNLIN_OK) {
        dn_bs_run_view run = *start->run;
        run.is_reachable = true;
        write_run(&l->json, l->call->api->config.credentials, &run);
    }
    l->why = start->why;
    l->call->answer.status = start->status;
    dn_call_wake(l->call);
}

static void answer_not_started(dn_call *call, const char *why)
{
    switch (call->answer.status) {
    case DUNLIN_ERR_NOT_FOUND:
        dn_call_problem(call, DN_PROBLEM_NO_BOOTSTRAP_CONFIG,
                        "Nothing says what a device of this name is given.");
        return;
    case DUNLIN_ERR_IO:
        dn_call_problem(
            call, DN_PROBLEM_NO_WAY,
            "The bootstrap server cannot speak first: %s. It can as long as the device keeps the way "
            "by which it came.",
            why);
        return;
    case DUNLIN_ERR_DUPLICATE:
        dn_call_problem(call, DN_PROBLEM_BOOTSTRAP_UNDER_WAY,
                        "Its steps are told by events; another one can be begun when it has ended.");
        return;
    case DUNLIN_ERR_ACCESS:
    case DUNLIN_ERR_UNSUPPORTED:
        dn_call_problem(call, DN_PROBLEM_CANNOT_BOOTSTRAP, "As the server is set up: %s.", why);
        return;
    case DUNLIN_ERR_LIMIT:
    case DUNLIN_ERR_STATE:
    case DUNLIN_ERR_MEMORY:
        dn_call_problem(call, DN_PROBLEM_BUSY, "The bootstrap server has too much to do, or is stopping.");
        return;
    default:
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "The bootstrap server: %s.", why);
    }
}

static void reply_started(dn_call *call)
{
    listing *l = call->state;
    if (call->answer.status != DUNLIN_OK) {
        answer_not_started(call, l->why);
        return;
    }
    dn_log_at(call->api->config.log, DN_LOG_INFO, "bootstrap",
              "%.*s is bootstrapped again, as an operator asks", (int)call->endpoint.len,
              (const char *)call->endpoint.data);
    dn_call_reply_json(call, MHD_HTTP_ACCEPTED, &l->runs);
}

void dn_handle_bootstrap_rerun(dn_call *call)
{
    listing *l = dn_bootstrap_served(call) ? begin(call) : NULL;
    if (l == NULL || !dn_call_wait(call, reply_started)) {
        return;
    }
    dunlin_status status = dn_bootstrap_rerun(call->api->config.bootstrap, call->endpoint, take_start, l);
    if (status != DUNLIN_OK) {
        call->answer.status = status;
        dn_call_wake(call);
    }
}
