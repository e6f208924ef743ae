/* SPDX-License-Identifier: Apache-2.0 */
/* The route table; see route.h. */
#include "api/route.h"

#include "api/handlers.h"

#include <stdio.h>
#include <string.h>

#define METHODS_TEXT_MAX 64u
#define GET              DN_METHOD_GET
#define PUT              DN_METHOD_PUT
#define POST             DN_METHOD_POST
#define DELETE           DN_METHOD_DELETE
#define JSON             DN_ROUTE_JSON
#define XML              DN_ROUTE_XML
#define NO_HEAD          DN_ROUTE_NO_HEAD
#define OPTIONAL         DN_ROUTE_OPTIONAL
#define LONG             DN_ROUTE_LONG
#define STREAM           DN_ROUTE_STREAM
#define BOOTSTRAP        DN_ROUTE_BOOTSTRAP
#define V1               "/api/v1"
#define BS               V1 "/bootstrap"
#define CLIENT           V1 "/clients/{endpoint}"
#define OBJECT           "/{object}"
#define INSTANCE         "/{object}/{instance}"
#define RESOURCE         "/{object}/{instance}/{resource}"
#define R_INSTANCE       "/{object}/{instance}/{resource}/{resourceInstance}"
#define OBSERVATION      CLIENT "/observations"
#define COMPOSITE        CLIENT "/composite"

/* A literal stands before a variable in its place. */
const dn_route dn_routes[] = {
    {GET, NO_HEAD, CLIENT OBJECT, dn_handle_get, {"timeout", "wait", "expires", "format", "op"}},
    {GET, NO_HEAD, CLIENT INSTANCE, dn_handle_get, {"timeout", "wait", "expires", "format", "op"}},
    {GET, NO_HEAD, CLIENT RESOURCE, dn_handle_get, {"timeout", "wait", "expires", "format", "op"}},
    {GET, NO_HEAD, CLIENT R_INSTANCE, dn_handle_get, {"timeout", "wait", "expires", "format"}},
    {PUT, JSON, CLIENT OBJECT, dn_handle_write, {"timeout", "wait", "expires", "op"}},
    {PUT, JSON, CLIENT INSTANCE, dn_handle_write, {"timeout", "wait", "expires", "format", "mode", "op"}},
    {PUT,
     JSON | OPTIONAL,
     CLIENT RESOURCE,
     dn_handle_write,
     {"timeout", "wait", "expires", "format", "mode", "op", "package"}},
    {PUT, JSON, CLIENT R_INSTANCE, dn_handle_write, {"timeout", "wait", "expires", "format", "mode", "op"}},
    {POST, JSON, CLIENT OBJECT, dn_handle_create, {"timeout", "wait", "expires", "format"}},
    {POST, JSON | OPTIONAL, CLIENT RESOURCE, dn_handle_execute, {"timeout", "wait", "expires"}},
    {DELETE, 0, CLIENT INSTANCE, dn_handle_delete, {"timeout", "wait", "expires"}},
    {POST, JSON, COMPOSITE "/read", dn_handle_read_composite, {"timeout", "wait", "expires", "format"}},
    {POST, JSON, COMPOSITE "/write", dn_handle_write_composite, {"timeout", "wait", "expires", "format"}},
    {POST, JSON, COMPOSITE "/observe", dn_handle_observe_composite, {"timeout", "format"}},
    {DELETE, JSON, COMPOSITE "/observe", dn_handle_unobserve_composite, {"timeout", "format"}},
    {GET, 0, OBSERVATION, dn_handle_observations, {NULL}},
    {PUT, 0, OBSERVATION OBJECT, dn_handle_observe, {"timeout", "format"}},
    {PUT, 0, OBSERVATION INSTANCE, dn_handle_observe, {"timeout", "format"}},
    {PUT, 0, OBSERVATION RESOURCE, dn_handle_observe, {"timeout", "format"}},
    {PUT, 0, OBSERVATION R_INSTANCE, dn_handle_observe, {"timeout", "format"}},
    {DELETE, 0, OBSERVATION OBJECT, dn_handle_unobserve, {"timeout"}},
    {DELETE, 0, OBSERVATION INSTANCE, dn_handle_unobserve, {"timeout"}},
    {DELETE, 0, OBSERVATION RESOURCE, dn_handle_unobserve, {"timeout"}},
    {DELETE, 0, OBSERVATION R_INSTANCE, dn_handle_unobserve, {"timeout"}},
    {GET, 0, V1 "/requests", dn_handle_requests, {"endpoint", "after", "limit"}},
    {GET, 0, V1 "/requests/{id}", dn_handle_request, {"wait"}},
    {DELETE, 0, V1 "/requests/{id}", dn_handle_cancel_request, {NULL}},
    {GET, 0, CLIENT "/requests", dn_handle_requests, {"after", "limit"}},
    {GET, 0, V1 "/packages", dn_handle_packages, {NULL}},
    {POST, STREAM, V1 "/packages", dn_handle_add_package, {"name"}},
    {GET, 0, V1 "/packages/{id}", dn_handle_package, {NULL}},
    {DELETE, 0, V1 "/packages/{id}", dn_handle_remove_package, {NULL}},
    {POST, JSON | LONG, V1 "/reads", dn_handle_reads, {NULL}},
    {GET, 0, V1 "/clients", dn_handle_clients, {"limit", "after", "q"}},
    {GET, 0, CLIENT, dn_handle_client, {NULL}},
    {GET, NO_HEAD, V1 "/events", dn_handle_events, {"ep", "type", "lastEventId"}},
    {GET, 0, V1 "/models", dn_handle_models, {"q"}},
    {PUT, XML, V1 "/models", dn_handle_add_model, {NULL}},
    {POST, XML, V1 "/models", dn_handle_add_model, {NULL}},
    {GET, 0, V1 "/models/{object}", dn_handle_model, {"version"}},
    {GET, 0, V1 "/credentials", dn_handle_credentials, {"after", "limit", "search"}},
    {GET, 0, V1 "/credentials/{endpoint}", dn_handle_credential, {NULL}},
    {PUT, JSON, V1 "/credentials/{endpoint}", dn_handle_put_credential, {NULL}},
    {DELETE, 0, V1 "/credentials/{endpoint}", dn_handle_remove_credential, {NULL}},
    {GET, 0, V1 "/server-identity", dn_handle_server_identity, {NULL}},
    {GET, 0, BS "/configs", dn_handle_bootstrap_configs, {"after", "limit", "search"}},
    {GET, 0, BS "/configs/{endpoint}", dn_handle_bootstrap_config, {"version"}},
    {PUT, JSON, BS "/configs/{endpoint}", dn_handle_put_bootstrap_config, {NULL}},
    {DELETE, 0, BS "/configs/{endpoint}", dn_handle_remove_bootstrap_config, {NULL}},
    {GET, 0, BS "/configs/{endpoint}/versions", dn_handle_bootstrap_versions, {NULL}},
    {GET, 0, BS "/configs/{endpoint}/effective", dn_handle_effective_bootstrap_config, {NULL}},
    {GET, BOOTSTRAP, BS "/credentials", dn_handle_credentials, {"after", "limit", "search"}},
    {GET, BOOTSTRAP, BS "/credentials/{endpoint}", dn_handle_credential, {NULL}},
    {PUT, JSON | BOOTSTRAP, BS "/credentials/{endpoint}", dn_handle_put_credential, {NULL}},
    {DELETE, BOOTSTRAP, BS "/credentials/{endpoint}", dn_handle_remove_credential, {NULL}},
    {GET, BOOTSTRAP, BS "/server-identity", dn_handle_server_identity, {NULL}},
    {GET, 0, BS "/runs", dn_handle_bootstrap_runs, {"endpoint", "before", "limit"}},
    {POST, 0, BS "/runs/{endpoint}", dn_handle_bootstrap_rerun, {NULL}},
    {POST, 0, CLIENT "/bootstrap", dn_handle_bootstrap_trigger, {"timeout", "wait", "expires"}},
    {GET, 0, V1 "/server", dn_handle_server, {NULL}},
    {GET, 0, V1 "/healthz", dn_handle_health, {NULL}},
    {GET, 0, "/healthz", dn_handle_health, {NULL}},
    {GET, 0, V1 "/metrics", dn_handle_metrics, {NULL}},
    {GET, 0, "/metrics", dn_handle_metrics, {NULL}},
    {GET, 0, V1 "/openapi.json", dn_handle_openapi, {NULL}},
};
const size_t dn_route_count = sizeof dn_routes / sizeof dn_routes[0];

static const struct {
    dn_method method;
    const char *name;
} method_names[] = {{DN_METHOD_GET, "GET"},   {DN_METHOD_HEAD, "HEAD"},     {DN_METHOD_PUT, "PUT"},
                    {DN_METHOD_POST, "POST"}, {DN_METHOD_DELETE, "DELETE"}, {DN_METHOD_OPTIONS, "OPTIONS"}};

/* Without leading zeros: a device has one URL for a path. */
static bool parse_id(dunlin_slice text, uint16_t *id)
{
    uint32_t number = 0;
    if (text.len == 0 || text.len > 5 || (text.len > 1 && text.data[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        number = number * 10 + (text.data[i] - '0');
    }
    *id = (uint16_t)number;
    return number < DUNLIN_ID_NONE;
}

typedef enum { MISFIT, FIT, FIT_BUT_BAD } fit;

/* Compares one segment with the part of a pattern. */
static fit fit_segment(const char *part, size_t part_len, dunlin_slice segment, dn_route_match *match)
{
    static const char endpoint[] = "{endpoint}";
    static const char name[] = "{id}";
    if (part[0] != '{') {
        bool same = part_len == segment.len && memcmp(part, segment.data, part_len) == 0;
        return same ? FIT : MISFIT;
    }
    if (part_len == sizeof endpoint - 1 && memcmp(part, endpoint, part_len) == 0) {
        match->endpoint = segment;
        return segment.len > 0 ? FIT : FIT_BUT_BAD;
    }
    if (part_len == sizeof name - 1 && memcmp(part, name, part_len) == 0) {
        match->name = segment;
        return segment.len > 0 ? FIT : MISFIT;
    }
    uint16_t id;
    if (!parse_id(segment, &id)) {
        return FIT_BUT_BAD;
    }
    match->path = dunlin_path_child(match->path, id);
    return FIT;
}

static fit fit_pattern(const char *pattern, const dn_segments *segments, dn_route_match *match)
{
    fit result = FIT;
    match->path = dunlin_path_root();
    match->endpoint = (dunlin_slice){0};
    for (size_t i = 0; i < segments->count; i++) {
        if (*pattern == 0) {
            return MISFIT;
        }
        pattern++; /* the slash */
        size_t len = strcspn(pattern, "/");
        fit one = fit_segment(pattern, len, segments->segment[i], match);
        if (one == MISFIT) {
            return MISFIT;
        }
        result = one == FIT_BUT_BAD ? FIT_BUT_BAD : result;
        pattern += len;
    }
    return *pattern == 0 ? result : MISFIT;
}

/* True for what lies below a client but fits no pattern: it can only be meant as a path. */
static bool below_client(const dn_segments *segments)
{
    static const char *const prefix[] = {"api", "v1", "clients"};
    if (segments->count < 5) {
        return false;
    }
    for (size_t i = 0; i < 3; i++) {
        if (!dunlin_slice_equal(segments->segment[i], dunlin_slice_of(prefix[i]))) {
            return false;
        }
    }
    return true;
}

dn_route_result dn_route_find(dn_method method, const dn_segments *segments, dn_route_match *match)
{
    bool bad = below_client(segments);
    *match = (dn_route_match){0};
    for (size_t i = 0; i < dn_route_count; i++) {
        const dn_route *route = &dn_routes[i];
        dn_route_match here = {0};
        fit result = fit_pattern(route->pattern, segments, &here);
        if (result == FIT) {
            bool head = route->method == DN_METHOD_GET && (route->flags & DN_ROUTE_NO_HEAD) == 0;
            match->methods |= route->method | (head ? DN_METHOD_HEAD : 0u) | DN_METHOD_OPTIONS;
            match->endpoint = here.endpoint;
            match->path = here.path;
            match->name = here.name;
            if (route->method == method || (head && method == DN_METHOD_HEAD)) {
                match->route = route;
                return DN_ROUTE_FOUND;
            }
        }
        bad = bad || result == FIT_BUT_BAD;
    }
    if (match->methods != 0) {
        return DN_ROUTE_BAD_METHOD;
    }
    return bad ? DN_ROUTE_BAD_PATH : DN_ROUTE_NONE;
}

void dn_methods_text(unsigned methods, char out[METHODS_TEXT_MAX])
{
    int len = 0; /* all of them together have 38 characters */
    out[0] = 0;
    for (size_t i = 0; i < sizeof method_names / sizeof method_names[0]; i++) {
        if ((methods & method_names[i].method) != 0) {
            len += snprintf(out + len, METHODS_TEXT_MAX - (size_t)len, "%s%s", len == 0 ? "" : ", ",
                            method_names[i].name);
        }
    }
}

const char *dn_method_name(dn_method method)
{
    for (size_t i = 0; i < sizeof method_names / sizeof method_names[0]; i++) {
        if (method_names[i].method == method) {
            return method_names[i].name;
        }
    }
    return "OTHER";
}

dn_method dn_method_named(const char *name)
{
    for (size_t i = 0; i < sizeof method_names / sizeof method_names[0]; i++) {
        if (strcmp(method_names[i].name, name) == 0) {
            return method_names[i].method;
        }
    }
    return DN_METHOD_OTHER;
}

bool dn_route_knows(const dn_route *route, const char *parameter)
{
    for (size_t i = 0; i < DN_ROUTE_PARAMETERS && route->parameters[i] != NULL; i++) {
        if (strcmp(route->parameters[i], parameter) == 0) {
            return true;
        }
    }
    return false;
}
