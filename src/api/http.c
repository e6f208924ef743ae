/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server; see http.h and docs/adr/0006-libmicrohttpd.md. */
#include "api/http.h"

#include "api/call.h"
#include "api/listener.h"
#include "api/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* Of one connection: a request's head, its URI and the answer's head must fit. */
#define CONNECTION_MEMORY    ((size_t)12 * 1024) /* the library clears all of it for each request */
#define LAST_ANSWERS_MOMENTS 250u                /* of 2 ms */
#define OVERRUN_FACTOR       4u                  /* a body this many times too large is not read to its end */
#define DEFERRED_MAX         65536u /* a streamed body up to this is read although it is refused */

static uint64_t monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* libmicrohttpd hands over the URI as it came here only: later it has decoded it, and a slash in an endpoint's name is lost. */
static void *on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    dn_call *call = calloc(1, sizeof *call);
    if (call == NULL) {
        return NULL;
    }
    call->target = strdup(uri);
    if (call->target == NULL) {
        free(call);
        return NULL;
    }
    call->api = context;
    call->connection = connection;
    atomic_fetch_add(&call->api->requests, 1);
    call->started_us = monotonic_us();
    return call;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode reason)
{
    dn_api *api = context;
    (void)connection;
    (void)reason;
    if (*slot != NULL) {
        dn_call_free(*slot);
        *slot = NULL;
        atomic_fetch_sub(&api->requests, 1);
    }
}

static const char *header(const dn_call *call, const char *name)
{
    return MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, name);
}

static bool check_origin(dn_call *call)
{
    const dn_api_config *config = &call->api->config;
    if (call->host != NULL && !dn_host_allowed(call->host, config->host_names, config->host_name_count)) {
        dn_call_problem(
            call, DN_PROBLEM_FORBIDDEN_ORIGIN,
            "The Host \"%.100s\" is neither an IP address nor localhost nor a name in http.names of the "
            "server's configuration.",
            call->host);
        return false;
    }
    bool safe =
        call->method == DN_METHOD_GET || call->method == DN_METHOD_HEAD || call->method == DN_METHOD_OPTIONS;
    const char *origin = safe ? NULL : header(call, MHD_HTTP_HEADER_ORIGIN);
    if (origin != NULL && (call->host == NULL || !dn_origin_is_host(origin, call->host))) {
        dn_call_problem(call, DN_PROBLEM_FORBIDDEN_ORIGIN,
                        "Pages of \"%.100s\" may not change anything here.", origin);
        return false;
    }
    return true;
}

/* Cuts target into segments and query; finds the route, which says how much of a body there may be. */
static void locate(dn_call *call)
{
    dn_segments segments;
    dn_route_match match;
    char *query = strchr(call->target, '?');
    if (query != NULL) {
        *query++ = 0;
        call->query_text = query;
    }
    if (!dn_segments_parse(call->target, &segments)) {
        call->bad_url = true;
        return;
    }
    call->found = dn_route_find(call->method, &segments, &match);
    call->methods = match.methods;
    call->endpoint = match.endpoint;
    call->path = match.path;
    call->name = match.name;
    call->route = match.route;
}

/* Answers what has no route, or has no query that can be read. */
static bool check_route(dn_call *call)
{
    char methods[64];
    if (call->bad_url) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PATH,
                        "The URL has too many segments or a bad percent code.");
    } else if (call->found == DN_ROUTE_FOUND) {
        char empty[1] = "";
        if (dn_query_parse(call->query_text != NULL ? call->query_text : empty, &call->query)) {
            return true;
        }
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER,
                        "The query has a parameter twice, too many or a bad percent code.");
    } else if (call->found == DN_ROUTE_BAD_PATH) {
        dn_call_problem(
            call, DN_PROBLEM_INVALID_PATH,
            "A path is one to four numbers from 0 to 65534 separated by slashes, after an endpoint's name.");
    } else if (call->found == DN_ROUTE_NONE) {
        dn_call_problem(call, DN_PROBLEM_NOT_FOUND,
                        "There is nothing at this URL; /api/v1/openapi.json lists what there is.");
    } else {
        dn_methods_text(call->methods, methods);
        dn_call_header(call, MHD_HTTP_HEADER_ALLOW, methods);
        if (call->method == DN_METHOD_OPTIONS) {
            dn_text nothing = {0};
            dn_call_reply(call, MHD_HTTP_NO_CONTENT, NULL, &nothing);
        } else {
            dn_call_problem(call, DN_PROBLEM_METHOD_NOT_ALLOWED, "This URL supports %s.", methods);
        }
    }
    return false;
}

static bool check_query(dn_call *call)
{
    for (size_t i = 0; i < call->query.count; i++) {
        if (!dn_route_knows(call->route, call->query.parameter[i].name)) {
            dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "There is no parameter \"%.100s\" here.",
                            call->query.parameter[i].name);
            return false;
        }
    }
    return true;
}

/* True when the header `type` names `media_type`, whatever parameters follow. */
static bool media_type_is(const char *type, const char *media_type)
{
    size_t len = strlen(media_type);
    return type != NULL && strncasecmp(type, media_type, len) == 0 &&
           (type[len] == 0 || strchr("; \t", type[len]) != NULL);
}

/* How large the body of this request may be. */
static uint32_t body_limit(const dn_call *call)
{
    const dn_api_config *config = &call->api->config;
    unsigned flags = call->route != NULL ? call->route->flags : 0;
    if ((flags & DN_ROUTE_STREAM) != 0) {
        return config->max_package_bytes;
    }
    return (flags & DN_ROUTE_LONG) != 0 && config->max_list_bytes > config->max_body_bytes
               ? config->max_list_bytes
               : config->max_body_bytes;
}

static void refuse_body(dn_call *call)
{
    dn_call_problem(call, DN_PROBLEM_BODY_TOO_LARGE, "A body may have %u bytes here at most.",
                    body_limit(call));
}

static bool check_body(dn_call *call)
{
    static const struct {
        unsigned flag;
        const char *media_type, *other;
    } kinds[] = {{DN_ROUTE_JSON, "application/json", "application/json"},
                 {DN_ROUTE_XML, "application/xml", "text/xml"},
                 {DN_ROUTE_STREAM, "application/octet-stream", "application/octet-stream"}};
    unsigned flags = call->route->flags;
    if (call->too_large) {
        refuse_body(call);
        return false;
    }
    if ((flags & DN_ROUTE_OPTIONAL) != 0 && call->body.len == 0) {
        return true;
    }
    const char *type = header(call, MHD_HTTP_HEADER_CONTENT_TYPE);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if ((flags & kinds[i].flag) != 0 && !media_type_is(type, kinds[i].media_type) &&
            !media_type_is(type, kinds[i].other)) {
            dn_call_problem(call, DN_PROBLEM_UNSUPPORTED_MEDIA_TYPE, "The header Content-Type must be %s.",
                            kinds[i].media_type);
            return false;
        }
    }
    return true;
}

static bool is_api(const char *target)
{
    static const char *const roots[] = {"/api", "/healthz", "/metrics"};
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        size_t len = strlen(roots[i]);
        if (strncmp(target, roots[i], len) == 0 &&
            (target[len] == 0 || target[len] == '/' || target[len] == '?')) {
            return true;
        }
    }
    return false;
}

static void serve(dn_call *call)
{
    call->host = header(call, MHD_HTTP_HEADER_HOST);
    if (!check_origin(call)) {
        return;
    }
    if (!is_api(call->target)) {
        dn_static_serve(call);
        return;
    }
    if (check_route(call) && check_query(call) && check_body(call)) {
        call->route->handle(call);
    }
}

/* True when the head announces a body of more than `most` bytes, or, if `known`, does not announce one at all. */
static bool announces_more(const dn_call *call, uint64_t most, bool known)
{
    const char *length = header(call, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t bytes;
    return length == NULL ? known : !dn_query_number(length, 0, most, &bytes);
}

static bool discard(dn_call *call, const char *data, size_t size)
{
    (void)call;
    (void)data;
    (void)size;
    return true;
}

/*
 * A body that is streamed: its handler runs now, and says with call->take who gets it. A problem waits for the end of a short body, so that its
 * sender, who is still busy sending, sees it.
 */
static enum MHD_Result begin_stream(dn_call *call)
{
    call->deferring = !announces_more(call, DEFERRED_MAX, true);
    serve(call);
    call->deferring = false;
    if (call->take == NULL && !call->replied) {
        call->take = discard;
        call->next = dn_call_reply_deferred;
    }
    return MHD_YES;
}

static enum MHD_Result begin(dn_call *call, const char *method)
{
    call->begun = true;
    call->method = dn_method_named(method);
    call->started_ms = dn_api_now_ms(call->api);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(call->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    call->socket = info != NULL ? info->connect_fd : -1;
    if (is_api(call->target)) {
        locate(call);
    }
    call->body.limit = body_limit(call);
    bool stream = call->route != NULL && (call->route->flags & DN_ROUTE_STREAM) != 0;
    /* A body a little too large is read to its end, so that its sender sees the answer; one far too large is not. */
    if (announces_more(call, (stream ? 1 : OVERRUN_FACTOR) * (uint64_t)call->body.limit, false)) {
        refuse_body(call);
        return call->replied ? MHD_YES : MHD_NO;
    }
    return stream ? begin_stream(call) : MHD_YES;
}

static enum MHD_Result take_body(dn_call *call, const char *data, size_t *size)
{
    if (call->take != NULL) {
        bool taken = call->take(call, data, *size);
        *size = 0;
        return taken ? MHD_YES : MHD_NO;
    }
    size_t limit = call->body.limit;
    if (call->too_large || *size > limit - call->body.len) {
        /* Of unannounced length: read on, so that the caller gets its answer, but not for ever. */
        call->too_large = true;
        call->discarded += *size;
        bool enough = call->discarded > OVERRUN_FACTOR * (uint64_t)limit;
        *size = 0;
        return enough ? MHD_NO : MHD_YES;
    }
    dn_text_add(&call->body, data, *size);
    *size = 0;
    return call->body.failed ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data, size_t *size,
                                  void **slot)
{
    (void)context;
    (void)connection;
    (void)url;
    (void)version;
    dn_call *call = *slot;
    if (call == NULL) {
        return MHD_NO; /* no memory when the URI came */
    }
    if (!call->begun) {
        return begin(call, method);
    }
    if (*size != 0) {
        return take_body(call, data, size);
    }
    void (*next)(dn_call *) = call->next;
    call->next = NULL;
    if (next != NULL) {
        next(call);
    } else {
        serve(call);
    }
    /* Neither answered nor waiting: no memory for an answer. The connection closes. `waiting` may have ended already. */
    return call->replied || call->next != NULL ? MHD_YES : MHD_NO;
}

/* Leaves the query as it is: find_route decodes the target. */
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static void on_log(void *context, const char *format, va_list arguments)
{
    dn_api *api = context;
    char line[200];
    if (api->config.log == NULL || api->config.log->least > DN_LOG_DEBUG) {
        return;
    }
    vsnprintf(line, sizeof line, format, arguments);
    line[strcspn(line, "\n")] = 0;
    dn_log_at(api->config.log, DN_LOG_DEBUG, "http", "%s", line);
}

dunlin_status dn_http_start(dn_api *api, char *error, size_t error_size)
{
    const dn_api_config *config = &api->config;
    int listener = -1;
    dunlin_status status =
        dn_listener_open(config->listen, &listener, api->address, sizeof api->address, error, error_size);
    if (status != DUNLIN_OK) {
        return status;
    }
    unsigned threads = config->threads == 0 ? 1 : config->threads;
    unsigned connections = config->max_connections < threads ? threads : config->max_connections;
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_uri, api},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, api},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL},
        {MHD_OPTION_LISTEN_SOCKET, listener, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)connections, NULL},
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)config->max_connections_per_ip, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)config->connection_timeout_s, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)CONNECTION_MEMORY, NULL},
        /* libmicrohttpd takes a pool of two or more only. */
        {threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags =
        MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    api->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, api, MHD_OPTION_EXTERNAL_LOGGER, on_log,
                                   api, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    if (api->daemon == NULL) {
        close(listener);
        snprintf(error, error_size, "the HTTP server does not start on %s", config->listen);
        return DUNLIN_ERR_IO;
    }
    return DUNLIN_OK;
}

void dn_http_quiesce(dn_api *api)
{
    int listener = MHD_quiesce_daemon(api->daemon);
    if (listener >= 0) {
        close(listener);
    }
}

void dn_http_stop(dn_api *api)
{
    /* Answers given just now still have to leave: the library would cut them off. */
    const struct timespec moment = {.tv_nsec = 2000000};
    for (unsigned i = 0; i < LAST_ANSWERS_MOMENTS && atomic_load(&api->requests) > 0; i++) {
        nanosleep(&moment, NULL);
    }
    MHD_stop_daemon(api->daemon);
    api->daemon = NULL;
}
