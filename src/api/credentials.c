/* SPDX-License-Identifier: Apache-2.0 */
/* /credentials and /bootstrap/credentials: what devices prove themselves with. Keys are written, never read. */
#include "api/call.h"
#include "api/conditions.h"
#include "api/credential_json.h"
#include "api/handlers.h"
#include "api/json_read.h"
#include "api/paging.h"

#include <gnutls/gnutls.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AREA     "credentials"
#define BODY_MAX 65536u /* a certificate in PEM has a few KiB */

typedef struct {
    dn_worker_job job;
    dn_call *call;
    dn_credential credential;
    dn_conditions conditions;
    bool created, is_there;
    dunlin_status status;
    dn_credential *list; /* of a page */
    size_t count;
    bool more;
    dn_name_paging page;
} work;

static void free_work(void *state)
{
    work *w = state;
    dn_credential_wipe(&w->credential);
    free(w->list);
    free(w);
}

static bool is_bootstrap(const dn_call *call)
{
    return (call->route->flags & DN_ROUTE_BOOTSTRAP) != 0;
}

/* Towards the server that the URL means. */
static dn_credentials *keeper(const dn_call *call)
{
    return is_bootstrap(call) ? call->api->config.bootstrap_credentials : call->api->config.credentials;
}

/* False: there are none, and the call has been answered. */
static bool has_keeper(dn_call *call)
{
    if (is_bootstrap(call) && !dn_bootstrap_served(call)) {
        return false;
    }
    if (keeper(call) == NULL) {
        dn_call_problem(call, DN_PROBLEM_NO_SECURITY, "This server keeps no credentials.");
    }
    return keeper(call) != NULL;
}

/* NULL: the call has been answered. */
static work *begin(dn_call *call)
{
    work *w = dn_call_make_state(call, sizeof *w, free_work);
    if (w != NULL) {
        w->call = call;
    }
    return w;
}

static void answer_failure(dn_call *call, dunlin_status status)
{
    dn_credentials *all = keeper(call);
    switch (status) {
    case DUNLIN_ERR_NOT_FOUND:
        dn_call_problem(call, DN_PROBLEM_NO_CREDENTIAL,
                        "A credential is asked for by the name, or the pattern, as it was set.");
        return;
    case DUNLIN_ERR_DUPLICATE:
        dn_call_problem(call, DN_PROBLEM_CREDENTIAL_IN_USE,
                        "Each endpoint needs an identity or a public key of its own.");
        return;
    case DUNLIN_ERR_LIMIT:
        dn_call_problem(call, DN_PROBLEM_TOO_MANY_CREDENTIALS,
                        "There are as many credentials, or patterns, as there may be.");
        return;
    case DUNLIN_ERR_STORE:
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "The credentials: %s", all->ops->error(all));
        return;
    default:
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "The credentials: %s.", dunlin_status_text(status));
    }
}

/* What a bootstrap has handed out, and the device has not taken for sure: NULL, or in `found`. */
static const dn_credential *staged_of(dn_credentials *all, dunlin_slice endpoint, dn_credential *found)
{
    const dunlin_status status =
        all->ops->get_staged != NULL ? all->ops->get_staged(all, endpoint, found) : DUNLIN_ERR_NOT_FOUND;
    if (status != DUNLIN_OK) {
        return NULL;
    }
    gnutls_memset(found->key, 0, sizeof found->key);
    return found;
}

static void write_current(dn_jsonw *json, dn_credentials *all, const dn_credential *credential)
{
    dn_credential found;
    const dunlin_slice endpoint = dunlin_slice_make(credential->endpoint, credential->endpoint_len);
    dn_credential_write(json, credential,
                        &(dn_credential_standing){
                            .beside = credential->is_pattern ? NULL : staged_of(all, endpoint, &found)});
}

static void reply_credential(dn_call *call, unsigned status, const dn_credential *credential)
{
    dn_text body = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &body);
    write_current(&json, keeper(call), credential);
    dn_call_reply_json(call, status, &body);
}

/* There is no current one. */
static bool reply_staged(dn_call *call)
{
    dn_credential found;
    dn_text body = {0};
    dn_jsonw json;
    if (staged_of(keeper(call), call->endpoint, &found) == NULL) {
        return false;
    }
    dn_jsonw_start(&json, &body);
    dn_credential_write(&json, &found, &(dn_credential_standing){.is_staged = true});
    dn_call_reply_json(call, MHD_HTTP_OK, &body);
    return true;
}

/* ---- one ---- */

void dn_handle_credential(dn_call *call)
{
    dn_credential found;
    if (!has_keeper(call)) {
        return;
    }
    dn_credentials *all = keeper(call);
    dunlin_status status = all->ops->get(all, call->endpoint, &found);
    if (status == DUNLIN_OK) {
        reply_credential(call, MHD_HTTP_OK, &found);
    } else if (status != DUNLIN_ERR_NOT_FOUND || !reply_staged(call)) {
        answer_failure(call, status);
    }
}

/* A credential has no tag of its own. Nobody comes in between: all changes of this API run on this thread. */
static dunlin_status hold(work *w)
{
    dn_credentials *all = keeper(w->call);
    dn_credential there;
    if (!dn_conditions_any(&w->conditions)) {
        return DUNLIN_OK;
    }
    const dunlin_status status = all->ops->get(all, w->call->endpoint, &there);
    if (status != DUNLIN_OK && status != DUNLIN_ERR_NOT_FOUND) {
        return status;
    }
    w->is_there = status == DUNLIN_OK;
    return dn_conditions_check(&w->conditions, w->is_there ? "" : NULL) == DN_CONDITION_HOLDS
               ? DUNLIN_OK
               : DUNLIN_ERR_STATE;
}

static void answer_condition(dn_call *call, const work *w)
{
    if (w->conditions.match[0] != '\0' && !w->is_there) {
        dn_call_problem(call, DN_PROBLEM_PRECONDITION_FAILED, "There is none, and If-Match asks for one.");
    } else if (w->conditions.match[0] != '\0' && strcmp(w->conditions.match, "*") != 0) {
        dn_call_problem(call, DN_PROBLEM_PRECONDITION_FAILED,
                        "Credentials have no ETag: If-Match can be * to change one that is there.");
    } else {
        dn_call_problem(call, DN_PROBLEM_CREDENTIAL_EXISTS, "By If-None-Match nothing was to be done then.");
    }
}

static void put(void *context)
{
    work *w = context;
    dn_call *call = w->call;
    dn_credentials *all = keeper(call);
    w->status = hold(w);
    if (w->status == DUNLIN_OK) {
        w->status = all->ops->put(all, &w->credential, &w->created);
    }
    dn_credential_wipe(&w->credential);
    if (w->status == DUNLIN_OK) {
        w->status = all->ops->get(all, call->endpoint, &w->credential);
    }
    dn_call_wake(call);
}

static void log_change(const dn_call *call, const char *what, const char *mode)
{
    dn_log_at(call->api->config.log, DN_LOG_INFO, AREA, "the credential of %.*s%s is %s%s%s",
              (int)call->endpoint.len, (const char *)call->endpoint.data,
              is_bootstrap(call) ? " towards the bootstrap server" : "", what, *mode != 0 ? ": " : "", mode);
}

static void reply_put(dn_call *call)
{
    const work *w = call->state;
    if (w->status == DUNLIN_OK) {
        log_change(call, w->created ? "made" : "replaced", dn_security_mode_text(w->credential.mode));
        reply_credential(call, w->created ? MHD_HTTP_CREATED : MHD_HTTP_OK, &w->credential);
    } else if (w->status == DUNLIN_ERR_STATE) {
        answer_condition(call, w);
    } else {
        answer_failure(call, w->status);
    }
}

/* True: w->credential is what is asked for. Else the call has been answered. */
static bool read_body(dn_call *call, work *w)
{
    char why[DN_JSON_ERROR_MAX];
    dn_credential_json_error error;
    if (call->body.len > BODY_MAX) {
        dn_call_problem(call, DN_PROBLEM_BODY_TOO_LARGE, "A credential has %u bytes at most.", BODY_MAX);
        return false;
    }
    json_t *body = dn_jsonr_parse_secret(dn_text_view(&call->body), why);
    if (body == NULL) {
        dn_call_problem(call, DN_PROBLEM_MALFORMED_JSON, "%s", why);
        return false;
    }
    dunlin_status status = dn_credential_read(body, call->endpoint, &w->credential, &error);
    dn_credential_json_wipe(body);
    json_decref(body);
    if (status != DUNLIN_OK) {
        dn_call_problem_with(
            call,
            (dn_problem){.kind = DN_PROBLEM_BAD_CREDENTIAL, .detail = error.text, .pointer = error.pointer});
    }
    return status == DUNLIN_OK;
}

void dn_handle_put_credential(dn_call *call)
{
    work *w = has_keeper(call) ? begin(call) : NULL;
    if (w == NULL || !dn_call_conditions(call, &w->conditions)) {
        return;
    }
    const bool ok = read_body(call, w);
    if (call->body.data != NULL) {
        gnutls_memset(call->body.data, 0, call->body.len);
    }
    if (ok) {
        dn_call_work(w->call, &w->job, put, reply_put);
    }
}

static void take_away(void *context)
{
    work *w = context;
    dn_credentials *all = keeper(w->call);
    w->status = hold(w);
    if (w->status == DUNLIN_OK) {
        w->status = all->ops->remove(all, w->call->endpoint);
    }
    dn_call_wake(w->call);
}

static void reply_removed(dn_call *call)
{
    const work *w = call->state;
    if (w->status == DUNLIN_OK) {
        dn_text nothing = {0};
        log_change(call, "removed", "");
        dn_call_reply(call, MHD_HTTP_NO_CONTENT, NULL, &nothing);
    } else if (w->status == DUNLIN_ERR_STATE) {
        answer_condition(call, w);
    } else {
        answer_failure(call, w->status);
    }
}

void dn_handle_remove_credential(dn_call *call)
{
    work *w = has_keeper(call) ? begin(call) : NULL;
    if (w != NULL && dn_call_conditions(call, &w->conditions)) {
        dn_call_work(w->call, &w->job, take_away, reply_removed);
    }
}

/* ---- all ---- */

static void take_page(void *context, const dn_credential_page *page)
{
    work *w = context;
    w->list = calloc(page->count + 1, sizeof *w->list);
    if (w->list == NULL) {
        w->status = DUNLIN_ERR_MEMORY;
        return;
    }
    memcpy(w->list, page->list, page->count * sizeof *w->list);
    w->count = page->count;
    w->more = page->more;
}

static void list(void *context)
{
    work *w = context;
    dn_credentials *all = keeper(w->call);
    dunlin_status status = all->ops->list(all, w->page.after, w->page.limit, w->page.search, take_page, w);
    w->status = status != DUNLIN_OK ? status : w->status;
    dn_call_wake(w->call);
}

static void reply_list(dn_call *call)
{
    const work *w = call->state;
    dn_credentials *all = keeper(call);
    if (w->status != DUNLIN_OK) {
        answer_failure(call, w->status);
        return;
    }
    dn_text body = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &body);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_key(&json, "credentials");
    dn_jsonw_begin(&json, '[');
    for (size_t i = 0; i < w->count; i++) {
        write_current(&json, all, &w->list[i]);
    }
    dn_jsonw_end(&json, ']');
    dn_jsonw_pair_unsigned(&json, "total", all->ops->count(all));
    const dn_credential *last = w->more ? &w->list[w->count - 1] : NULL;
    dn_paging_next_name(&json, last != NULL ? dunlin_slice_make(last->endpoint, last->endpoint_len)
                                            : dunlin_slice_make(NULL, 0));
    dn_jsonw_end(&json, '}');
    dn_call_reply_json(call, MHD_HTTP_OK, &body);
}

void dn_handle_credentials(dn_call *call)
{
    if (!has_keeper(call)) {
        return;
    }
    work *w = begin(call);
    if (w != NULL && dn_paging_names(call, &w->page)) {
        dn_call_work(w->call, &w->job, list, reply_list);
    }
}
