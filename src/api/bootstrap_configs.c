/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /bootstrap/configs: what a bootstrap server makes of devices. Documents come in with their secrets and are shown without; one that comes
 * without has those of its former version. Everything that touches the store runs on the worker's thread, changes one after the other.
 */
#include "api/bootstrap_values.h"
#include "api/call.h"
#include "api/conditions.h"
#include "api/handlers.h"
#include "api/json_read.h"
#include "api/json_write.h"
#include "api/paging.h"
#include "bootstrap/config.h"
#include "codec/utf8.h"

#include <gnutls/gnutls.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AREA         "bootstrap"
#define ERROR_MAX    256u
#define POINTER_MAX  128u
#define NAME_MAX_LEN 252u
#define ETAG_MAX     16u
#define NONE_THERE   UINT32_MAX

typedef struct {
    dn_worker_job job;
    dn_call *call;
    dunlin_status status;
    dn_conditions conditions;
    uint32_t there;    /* the current version; 0: none, or not looked for */
    uint32_t expected; /* as dn_bs_store_ops.put has it */
    uint32_t version;  /* asked for; then that of the answer */
    bool created;
    char *document; /* the body, typed; with secrets */
    char *former;   /* with secrets */
    char error[ERROR_MAX];
    dn_text out; /* the answer, or a list's elements */
    dn_jsonw json;
    dn_name_paging page;
    char next[NAME_MAX_LEN];
    size_t next_len;
    uint64_t total;
} work;

static void wipe(char *secret)
{
    if (secret != NULL) {
        gnutls_memset(secret, 0, strlen(secret));
        free(secret);
    }
}

static void free_work(void *state)
{
    work *w = state;
    wipe(w->document);
    wipe(w->former);
    dn_text_free(&w->out);
    free(w);
}

static dn_bs_store *store_of(const work *w)
{
    return w->call->api->config.bootstrap_store;
}

/* NULL: the call has been answered. */
static work *begin(dn_call *call)
{
    if (!dn_bootstrap_served(call)) {
        return NULL;
    }
    work *w = dn_call_make_state(call, sizeof *w, free_work);
    if (w != NULL) {
        w->call = call;
    }
    return w;
}

/* "servers[0].security.key: …" as "/servers/0/security/key"; false: the text does not begin with a member. */
static bool pointer_of(const char *text, char out[POINTER_MAX])
{
    const size_t len = strcspn(text, ":");
    size_t to = 0;
    if (len == 0 || len + 2 > POINTER_MAX || text[len] != ':') {
        return false;
    }
    out[to++] = '/';
    for (size_t i = 0; i < len; i++) {
        const char c = text[i];
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        if (!plain && c != '.' && c != '[' && c != ']') {
            return false;
        }
        if (c != ']') {
            out[to++] = (char)(plain ? c : '/');
        }
    }
    out[to] = 0;
    return true;
}

static void answer_bad(dn_call *call, const char *text)
{
    static const char whole[] = "the document: "; /* what is said of no member, or begins with it */
    char pointer[POINTER_MAX];
    text += strncmp(text, whole, sizeof whole - 1) == 0 ? sizeof whole - 1 : 0;
    dn_call_problem_with(call, (dn_problem){.kind = DN_PROBLEM_BAD_BOOTSTRAP_CONFIG,
                                            .detail = text,
                                            .pointer = pointer_of(text, pointer) ? pointer : NULL});
}

static void answer_conflict(dn_call *call, const work *w)
{
    if (w->conditions.match[0] == 0) {
        dn_call_problem(call, DN_PROBLEM_VERSION_CONFLICT,
                        "Version %u is the current one: by If-None-Match nothing was to be done then.",
                        w->there);
    } else if (w->there == 0) {
        dn_call_problem(call, DN_PROBLEM_VERSION_CONFLICT, "There is none, and If-Match asks for one.");
    } else {
        dn_call_problem(call, DN_PROBLEM_VERSION_CONFLICT,
                        "Version %u is the current one, and not what was asked for.", w->there);
    }
}

static void answer_failure(dn_call *call, const work *w)
{
    dn_bs_store *store = store_of(w);
    switch (w->status) {
    case DUNLIN_ERR_NOT_FOUND:
        dn_call_problem(call, DN_PROBLEM_NO_BOOTSTRAP_CONFIG,
                        "A configuration is asked for by the name, or the pattern, as it was put.");
        return;
    case DUNLIN_ERR_MALFORMED:
        answer_bad(call, w->error);
        return;
    case DUNLIN_ERR_STATE:
        answer_conflict(call, w);
        return;
    case DUNLIN_ERR_LIMIT:
        dn_call_problem(call, DN_PROBLEM_TOO_MANY_BOOTSTRAP_CONFIGS,
                        "There are as many configurations, or patterns, as there may be.");
        return;
    case DUNLIN_ERR_STORE:
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "The bootstrap configurations: %s",
                        store->ops->error(store));
        return;
    default:
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "The bootstrap configurations: %s.",
                        dunlin_status_text(w->status));
    }
}

/* ---- one ---------------------------------------------------------------------------------- */

static void show(void *context, const dn_bs_entry *entry)
{
    work *w = context;
    char *shown = NULL;
    if (entry->is_removed) {
        w->status = DUNLIN_ERR_NOT_FOUND;
        return;
    }
    w->status = dn_bs_config_show(entry->document, &shown);
    if (w->status != DUNLIN_OK) {
        /* What was taken once can be shown: else it is the keeper's fault, not the caller's. */
        w->status = w->status == DUNLIN_ERR_MEMORY ? DUNLIN_ERR_MEMORY : DUNLIN_ERR_TYPE;
        return;
    }
    w->version = entry->version;
    dn_jsonw_start(&w->json, &w->out);
    dn_jsonw_begin(&w->json, '{');
    dn_jsonw_pair_slice(&w->json, "endpoint", entry->endpoint);
    dn_jsonw_pair_bool(&w->json, "pattern", entry->is_pattern);
    dn_jsonw_pair_unsigned(&w->json, "version", entry->version);
    dn_jsonw_pair_time(&w->json, "created", entry->created_ms);
    dn_jsonw_pair_time(&w->json, "changed", entry->changed_ms);
    dn_jsonw_key(&w->json, "config");
    dn_jsonw_raw(&w->json, dunlin_slice_of(shown));
    dn_jsonw_end(&w->json, '}');
    free(shown);
}

/* The status of the store, unless `done` has set another. */
static void note(work *w, dunlin_status status)
{
    w->status = status != DUNLIN_OK ? status : w->status;
}

static void get(void *context)
{
    work *w = context;
    dn_bs_store *store = store_of(w);
    note(w, store->ops->get(store, w->call->endpoint, w->version, show, w));
    dn_call_wake(w->call);
}

static void find(void *context)
{
    work *w = context;
    dn_bs_store *store = store_of(w);
    note(w, store->ops->find(store, w->call->endpoint, show, w));
    dn_call_wake(w->call);
}

static void write_etag(uint32_t version, char out[ETAG_MAX])
{
    snprintf(out, ETAG_MAX, "\"%u\"", version);
}

static void reply_shown(dn_call *call)
{
    work *w = call->state;
    char etag[ETAG_MAX];
    if (w->status != DUNLIN_OK) {
        answer_failure(call, w);
        return;
    }
    write_etag(w->version, etag);
    dn_call_header(call, MHD_HTTP_HEADER_ETAG, etag);
    dn_call_reply_json(call, w->created ? MHD_HTTP_CREATED : MHD_HTTP_OK, &w->out);
}

static void reply_got(dn_call *call)
{
    work *w = call->state;
    char etag[ETAG_MAX];
    dn_text nothing = {0};
    write_etag(w->version, etag);
    const dn_condition_result result =
        w->status == DUNLIN_OK ? dn_conditions_check(&w->conditions, etag) : DN_CONDITION_HOLDS;
    if (result == DN_CONDITION_MATCH) {
        dn_call_header(call, MHD_HTTP_HEADER_ETAG, etag);
        dn_call_reply(call, MHD_HTTP_NOT_MODIFIED, NULL, &nothing);
    } else if (result == DN_CONDITION_NO_MATCH) {
        w->there = w->version;
        answer_conflict(call, w);
    } else {
        reply_shown(call);
    }
}

void dn_handle_bootstrap_config(dn_call *call)
{
    const char *text = dn_query_get(&call->query, "version");
    uint64_t version = 0;
    if (text != NULL && !dn_query_number(text, 1, UINT32_MAX - 1, &version)) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "version must be a number from 1 on.");
        return;
    }
    work *w = begin(call);
    if (w != NULL && dn_call_conditions(call, &w->conditions)) {
        w->version = (uint32_t)version;
        dn_call_work(w->call, &w->job, get, reply_got);
    }
}

void dn_handle_effective_bootstrap_config(dn_call *call)
{
    work *w = begin(call);
    if (w != NULL) {
        dn_call_work(w->call, &w->job, find, reply_shown);
    }
}

/* ---- changes ------------------------------------------------------------------------------ */

/* Whether what was asked for may be done with what is there; from then on with that alone. */
static dunlin_status hold(work *w)
{
    char etag[ETAG_MAX];
    if (!dn_conditions_any(&w->conditions)) {
        return DUNLIN_OK;
    }
    write_etag(w->there, etag);
    if (dn_conditions_check(&w->conditions, w->there != 0 ? etag : NULL) != DN_CONDITION_HOLDS) {
        return DUNLIN_ERR_STATE;
    }
    w->expected = w->there != 0 ? w->there : NONE_THERE;
    return DUNLIN_OK;
}

/* jansson keeps strings in memory of its own; nobody reads them any more. */
static void wipe_json(json_t *value) // NOLINT: as deep as the parser allows
{
    const char *key;
    json_t *member;
    size_t at;
    if (json_is_string(value)) {
        union {
            const char *given;
            char *wanted;
        } text = {.given = json_string_value(value)};
        gnutls_memset(text.wanted, 0, json_string_length(value));
    }
    json_object_foreach(value, key, member)
    {
        wipe_json(member);
    }
    json_array_foreach(value, at, member)
    {
        wipe_json(member);
    }
}

/* True: w->document is the body with typed values. Else the call has been answered. */
static bool read_body(dn_call *call, work *w)
{
    char why[DN_JSON_ERROR_MAX];
    if (call->body.len > DN_BS_DOCUMENT_MAX) {
        dn_call_problem(call, DN_PROBLEM_BODY_TOO_LARGE, "A configuration has %u bytes at most.",
                        DN_BS_DOCUMENT_MAX);
        return false;
    }
    json_t *body = dn_jsonr_parse_secret(dn_text_view(&call->body), why);
    if (body == NULL) {
        dn_call_problem(call, DN_PROBLEM_MALFORMED_JSON, "%s", why);
        return false;
    }
    bool ok = json_is_object(body);
    if (!ok) {
        snprintf(w->error, sizeof w->error, "The body is not an object.");
    } else {
        ok = dn_bootstrap_values_type(body, call->api->config.registry, w->error, sizeof w->error);
    }
    if (ok) {
        w->document = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(17));
    } else {
        answer_bad(call, w->error);
    }
    wipe_json(body);
    json_decref(body);
    if (ok && w->document == NULL) {
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "There is no memory.");
    }
    return w->document != NULL;
}

static void keep_former(void *context, const dn_bs_entry *entry)
{
    work *w = context;
    if (entry->is_removed) {
        return;
    }
    w->there = entry->version;
    w->former = malloc(entry->document.len + 1);
    if (w->former == NULL) {
        w->status = DUNLIN_ERR_MEMORY;
        return;
    }
    memcpy(w->former, entry->document.data, entry->document.len);
    w->former[entry->document.len] = 0;
}

/* Where no LwM2M server is in this process, an account without uri is nobody's. */
static bool names_servers(const dn_bs_config *config, work *w)
{
    for (size_t i = 0; i < config->server_count; i++) {
        if (config->servers[i].uri == NULL) {
            snprintf(w->error, sizeof w->error,
                     "servers[%zu].uri: this dunlind is a bootstrap server alone (--only bootstrap), so it "
                     "must be said "
                     "which server this is, and by which credential the device is let in there",
                     i);
            return false;
        }
    }
    return true;
}

/* With the secrets of the former version; checked. */
static dunlin_status complete(work *w)
{
    char *merged = NULL;
    dn_bs_config *config = NULL;
    dunlin_status status = dn_bs_config_merge(dunlin_slice_of(w->document),
                                              dunlin_slice_of(w->former != NULL ? w->former : ""), &merged);
    if (status == DUNLIN_OK) {
        wipe(w->document);
        w->document = merged;
    } else if (status == DUNLIN_ERR_MEMORY) {
        return status;
    } /* what is so wrong that nothing can be merged is told by the check */
    if (!dn_bs_config_parse(dunlin_slice_of(w->document), &config, w->error, sizeof w->error)) {
        return DUNLIN_ERR_MALFORMED;
    }
    const bool has_all = !w->call->api->config.is_bootstrap_alone || names_servers(config, w);
    dn_bs_config_free(config);
    return has_all ? DUNLIN_OK : DUNLIN_ERR_MALFORMED;
}

static void put(void *context)
{
    work *w = context;
    dn_call *call = w->call;
    dn_bs_store *store = store_of(w);
    dunlin_status status = store->ops->get(store, call->endpoint, 0, keep_former, w);
    if (status == DUNLIN_OK || status == DUNLIN_ERR_NOT_FOUND) {
        status = w->status;
    }
    w->created = w->former == NULL;
    if (status == DUNLIN_OK) {
        status = hold(w);
    }
    if (status == DUNLIN_OK) {
        status = complete(w);
    }
    if (status == DUNLIN_OK) {
        status =
            store->ops->put(store, call->endpoint, dunlin_slice_of(w->document), w->expected, &w->version);
    }
    if (status == DUNLIN_OK) {
        status = store->ops->get(store, call->endpoint, w->version, show, w);
    }
    note(w, status);
    dn_call_wake(call);
}

static void log_change(const dn_call *call, const char *what, uint32_t version)
{
    char number[24] = "";
    if (version != 0) {
        snprintf(number, sizeof number, ": version %u", version);
    }
    dn_log_at(call->api->config.log, DN_LOG_INFO, AREA, "the configuration of %.*s is %s%s",
              (int)call->endpoint.len, (const char *)call->endpoint.data, what, number);
}

static void reply_put(dn_call *call)
{
    const work *w = call->state;
    if (w->status == DUNLIN_OK) {
        log_change(call, w->created ? "made" : "replaced", w->version);
    }
    reply_shown(call);
}

void dn_handle_put_bootstrap_config(dn_call *call)
{
    work *w = begin(call);
    if (w == NULL) {
        return;
    }
    bool ok = dn_call_conditions(call, &w->conditions);
    if (ok && (call->endpoint.len > NAME_MAX_LEN || !dn_utf8_valid(call->endpoint))) {
        answer_bad(call, "An endpoint name has 1 to 252 bytes of UTF-8.");
        ok = false;
    }
    ok = ok && read_body(call, w);
    if (call->body.data != NULL) {
        gnutls_memset(call->body.data, 0, call->body.len);
    }
    if (ok) {
        dn_call_work(w->call, &w->job, put, reply_put);
    }
}

static void take_version(void *context, const dn_bs_entry *entry)
{
    ((work *)context)->there = entry->is_removed ? 0 : entry->version;
}

static void take_away(void *context)
{
    work *w = context;
    dn_bs_store *store = store_of(w);
    dunlin_status status = store->ops->get(store, w->call->endpoint, 0, take_version, w);
    if (status == DUNLIN_OK || status == DUNLIN_ERR_NOT_FOUND) {
        status = hold(w);
    }
    if (status == DUNLIN_OK && w->expected != NONE_THERE) {
        status = store->ops->remove(store, w->call->endpoint, w->expected);
    } else if (status == DUNLIN_OK) {
        status = DUNLIN_ERR_NOT_FOUND;
    }
    w->status = status;
    dn_call_wake(w->call);
}

static void reply_removed(dn_call *call)
{
    const work *w = call->state;
    if (w->status == DUNLIN_OK) {
        dn_text nothing = {0};
        log_change(call, "removed", 0);
        dn_call_reply(call, MHD_HTTP_NO_CONTENT, NULL, &nothing);
    } else {
        answer_failure(call, w);
    }
}

void dn_handle_remove_bootstrap_config(dn_call *call)
{
    work *w = begin(call);
    if (w != NULL && dn_call_conditions(call, &w->conditions)) {
        dn_call_work(w->call, &w->job, take_away, reply_removed);
    }
}

/* ---- all ---------------------------------------------------------------------------------- */

static void take_page(void *context, const dn_bs_page *page)
{
    work *w = context;
    dn_jsonw_start(&w->json, &w->out);
    dn_jsonw_begin(&w->json, '[');
    for (size_t i = 0; i < page->count; i++) {
        const dn_bs_entry *entry = &page->list[i];
        dn_jsonw_begin(&w->json, '{');
        dn_jsonw_pair_slice(&w->json, "endpoint", entry->endpoint);
        dn_jsonw_pair_bool(&w->json, "pattern", entry->is_pattern);
        dn_jsonw_pair_unsigned(&w->json, "version", entry->version);
        dn_jsonw_pair_time(&w->json, "created", entry->created_ms);
        dn_jsonw_pair_time(&w->json, "changed", entry->changed_ms);
        dn_jsonw_end(&w->json, '}');
    }
    dn_jsonw_end(&w->json, ']');
    if (page->more && page->count > 0) {
        const dunlin_slice last = page->list[page->count - 1].endpoint;
        w->next_len = last.len < sizeof w->next ? last.len : sizeof w->next;
        memcpy(w->next, last.data, w->next_len);
    }
}

static void list(void *context)
{
    work *w = context;
    dn_bs_store *store = store_of(w);
    note(w, store->ops->list(store, w->page.after, w->page.limit, w->page.search, take_page, w));
    w->total = store->ops->count(store);
    dn_call_wake(w->call);
}

static void reply_list(dn_call *call)
{
    const work *w = call->state;
    dn_text body = {0};
    dn_jsonw json;
    if (w->status != DUNLIN_OK) {
        answer_failure(call, w);
        return;
    }
    dn_jsonw_start(&json, &body);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_key(&json, "configs");
    dn_jsonw_raw(&json, dn_text_view(&w->out));
    dn_jsonw_pair_unsigned(&json, "total", w->total);
    dn_paging_next_name(&json, dunlin_slice_make(w->next, w->next_len));
    dn_jsonw_end(&json, '}');
    body.failed = body.failed || w->out.failed;
    dn_call_reply_json(call, MHD_HTTP_OK, &body);
}

void dn_handle_bootstrap_configs(dn_call *call)
{
    work *w = begin(call);
    if (w != NULL && dn_paging_names(call, &w->page)) {
        dn_call_work(w->call, &w->job, list, reply_list);
    }
}

static void take_versions(void *context, const dn_bs_page *page)
{
    work *w = context;
    dn_jsonw_start(&w->json, &w->out);
    dn_jsonw_begin(&w->json, '{');
    dn_jsonw_key(&w->json, "versions");
    dn_jsonw_begin(&w->json, '[');
    for (size_t i = 0; i < page->count; i++) {
        const dn_bs_entry *entry = &page->list[i];
        dn_jsonw_begin(&w->json, '{');
        dn_jsonw_pair_unsigned(&w->json, "version", entry->version);
        dn_jsonw_pair_time(&w->json, "changed", entry->changed_ms);
        dn_jsonw_pair_bool(&w->json, "removed", entry->is_removed);
        dn_jsonw_end(&w->json, '}');
    }
    dn_jsonw_end(&w->json, ']');
    dn_jsonw_end(&w->json, '}');
    w->status = page->count > 0 ? DUNLIN_OK : DUNLIN_ERR_NOT_FOUND;
}

static void versions(void *context)
{
    work *w = context;
    dn_bs_store *store = store_of(w);
    note(w, store->ops->versions(store, w->call->endpoint, take_versions, w));
    dn_call_wake(w->call);
}

static void reply_versions(dn_call *call)
{
    work *w = call->state;
    if (w->status == DUNLIN_OK) {
        dn_call_reply_json(call, MHD_HTTP_OK, &w->out);
    } else {
        answer_failure(call, w);
    }
}

void dn_handle_bootstrap_versions(dn_call *call)
{
    work *w = begin(call);
    if (w != NULL) {
        dn_call_work(w->call, &w->job, versions, reply_versions);
    }
}
