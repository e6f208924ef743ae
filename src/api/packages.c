/* SPDX-License-Identifier: Apache-2.0 */
/* Packages: POST and GET /packages, GET and DELETE /packages/{id}, and PUT of a resource from one. */
#include "api/depot.h"
#include "api/device.h"
#include "api/handlers.h"
#include "api/operation.h"
#include "api/package_uri.h"
#include "api/uris.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- answers ------------------------------------------------------------------------------ */

/* Where devices fetch it, as far as it is the same for all of them. */
static void write_uris(const dn_api *api, dn_jsonw *json, const char *id)
{
    const dn_api_config *config = &api->config;
    dn_jsonw_key(json, "uris");
    dn_jsonw_begin(json, '[');
    for (size_t i = 0; i < config->place_count; i++) {
        char uri[DN_PACKAGE_URI_MAX];
        if (!config->places[i].guessed && dn_package_uri(&config->places[i], "", id, uri)) {
            dn_jsonw_text(json, uri);
        }
    }
    dn_jsonw_end(json, ']');
}

static void write_package(const dn_api *api, dn_jsonw *json, const dn_package_info *info)
{
    dn_jsonw_begin(json, '{');
    dn_jsonw_pair(json, "id", info->id);
    dn_jsonw_pair(json, "name", info->name);
    dn_jsonw_pair_unsigned(json, "size", info->size);
    dn_jsonw_pair(json, "sha256", info->sha256);
    dn_jsonw_pair_time(json, "createdAt", info->created_ms);
    write_uris(api, json, info->id);
    dn_jsonw_end(json, '}');
}

static void reply_package(dn_call *call, unsigned status, const dn_package_info *info)
{
    dn_text body = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &body);
    write_package(call->api, &json, info);
    dn_call_reply_json(call, status, &body);
}

static void unknown(dn_call *call)
{
    dn_call_problem(call, DN_PROBLEM_UNKNOWN_PACKAGE, "There is no package of that id.");
}

void dn_handle_packages(dn_call *call)
{
    size_t count = 0;
    dn_package_info *list = call->api->depot != NULL ? dn_depot_list(call->api->depot, &count) : NULL;
    if (call->api->depot != NULL && list == NULL) {
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "There is no memory.");
        return;
    }
    dn_text body = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &body);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_key(&json, "packages");
    dn_jsonw_begin(&json, '[');
    for (size_t i = 0; i < count; i++) {
        write_package(call->api, &json, &list[i]);
    }
    dn_jsonw_end(&json, ']');
    dn_jsonw_end(&json, '}');
    free(list);
    dn_call_reply_json(call, MHD_HTTP_OK, &body);
}

void dn_handle_package(dn_call *call)
{
    dn_package_info info;
    if (call->api->depot != NULL && dn_depot_find(call->api->depot, call->name, &info)) {
        reply_package(call, MHD_HTTP_OK, &info);
    } else {
        unknown(call);
    }
}

/* ---- adding and removing ------------------------------------------------------------------- */

typedef struct {
    dn_worker_job job;
    dn_call *call;
    dn_depot_upload *upload; /* NULL: it could not be begun, or has failed */
    uint64_t size;
    int error; /* errno of a failed write */
    char name[DN_DEPOT_NAME_MAX + 1];
    dn_package_info info;
} adding;

static void free_adding(void *state)
{
    adding *work = state;
    dn_depot_abandon(work->upload);
    free(work);
}

/* On the worker's thread. */
static void keep(void *context)
{
    adding *work = context;
    dn_call *call = work->call;
    call->answer.status = dn_depot_finish(work->upload, work->name, dn_api_wall_ms(call->api), &work->info);
    work->upload = NULL;
    dn_call_wake(call);
}

static void fail(dn_call *call, const char *why)
{
    dn_log_at(call->api->config.log, DN_LOG_ERROR, "packages", "a package is not kept: %s", why);
    dn_call_problem(call, DN_PROBLEM_INTERNAL, "The package could not be kept: %s.", why);
}

static void kept(dn_call *call)
{
    const adding *work = call->state;
    if (call->answer.status == DUNLIN_OK) {
        char location[64];
        snprintf(location, sizeof location, "/api/v1/packages/%s", work->info.id);
        dn_call_header(call, MHD_HTTP_HEADER_LOCATION, location);
        reply_package(call, MHD_HTTP_CREATED, &work->info);
    } else {
        fail(call, "it could not be written to disk");
    }
}

/* The body has come to its end. */
static void finish(dn_call *call)
{
    adding *work = call->state;
    if (work->size > call->api->config.max_package_bytes) {
        dn_call_problem(call, DN_PROBLEM_BODY_TOO_LARGE, "A package may have %u bytes at most.",
                        call->api->config.max_package_bytes);
    } else if (work->upload == NULL) {
        fail(call, work->error != 0 ? strerror(work->error) : "there is no memory");
    } else {
        dn_call_work(call, &work->job, keep, kept);
    }
}

/* Reads on after a failure, so that the sender gets the answer, but not for ever. */
static bool take(dn_call *call, const char *data, size_t size)
{
    enum { OVERRUN_MAX = 4 * 1024 * 1024 };
    adding *work = call->state;
    work->size += size;
    bool fits = work->size <= call->api->config.max_package_bytes;
    if (fits && work->upload != NULL && dn_depot_add(work->upload, data, size)) {
        return true;
    }
    if (work->upload != NULL) {
        work->error = errno;
        dn_depot_abandon(work->upload);
        work->upload = NULL;
    }
    call->discarded += size;
    return call->discarded <= OVERRUN_MAX;
}

void dn_handle_add_package(dn_call *call)
{
    const char *name = dn_query_get(&call->query, "name");
    if (call->api->depot == NULL) {
        dn_call_problem(call, DN_PROBLEM_NOT_FOUND,
                        "This server keeps no packages: it has no data folder, or they are switched off.");
        return;
    }
    if (name != NULL && strlen(name) > DN_DEPOT_NAME_MAX) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "name may have %u bytes at most.",
                        DN_DEPOT_NAME_MAX);
        return;
    }
    adding *work = calloc(1, sizeof *work);
    if (work == NULL) {
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "There is no memory.");
        return;
    }
    work->call = call;
    snprintf(work->name, sizeof work->name, "%s", name != NULL ? name : "");
    call->state = work;
    call->free_state = free_adding;
    work->upload = dn_depot_begin(call->api->depot);
    work->error = work->upload == NULL ? errno : 0;
    call->take = take;
    call->next = finish;
}

typedef struct {
    dn_worker_job job;
    dn_call *call;
} removing;

static void remove_it(void *context)
{
    dn_call *call = ((removing *)context)->call;
    call->answer.status = dn_depot_remove(call->api->depot, call->name);
    dn_call_wake(call);
}

static void removed(dn_call *call)
{
    dn_text nothing = {0};
    if (call->answer.status == DUNLIN_OK) {
        dn_call_reply(call, MHD_HTTP_NO_CONTENT, NULL, &nothing);
    } else if (call->answer.status == DUNLIN_ERR_NOT_FOUND) {
        unknown(call);
    } else {
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "The package could not be removed from disk.");
    }
}

void dn_handle_remove_package(dn_call *call)
{
    if (call->api->depot == NULL) {
        unknown(call);
        return;
    }
    removing *work = dn_call_make_state(call, sizeof *work, free);
    if (work == NULL) {
        return;
    }
    work->call = call;
    dn_call_work(call, &work->job, remove_it, removed);
}

/* ---- writing one to a device ---------------------------------------------------------------- */

/* The resource is to hold where the package is: what the device can be expected to know this server by. */
static void write_uri(dn_call *call)
{
    const dn_api_config *config = &call->api->config;
    const dn_api_place *place =
        dn_package_place(config->places, config->place_count, call->transport, call->local);
    char uri[DN_PACKAGE_URI_MAX];
    if (place == NULL || !dn_package_uri(place, call->local, dn_query_get(&call->query, "package"), uri)) {
        dn_call_problem(call, DN_PROBLEM_INVALID_VALUE,
                        "The device is registered over %s, for which this server has no address to give.",
                        dn_transport_name(call->transport));
        return;
    }
    dn_jsonw json;
    dn_jsonw_start(&json, &call->body);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_pair(&json, "value", uri);
    dn_jsonw_end(&json, '}');
    dn_profile_release(call->profile);
    call->profile = NULL;
    dn_handle_write_body(call);
}

/* Firmware Update (5) and Software Management (9) are known, should their definitions not be at hand. */
static bool takes_uri(dunlin_path path, const dn_resource_def *definition)
{
    if (definition != NULL) {
        return definition->type == DUNLIN_TYPE_STRING && !definition->multiple;
    }
    return (path.id[0] == 5 && path.id[2] == 1) || (path.id[0] == 9 && path.id[2] == 3);
}

static void push_with_profile(dn_call *call)
{
    dn_naming naming = dn_naming_make(call->api->config.registry, call->profile);
    const dn_resource_def *definition = dn_naming_resource(&naming, call->path);
    if (takes_uri(call->path, definition)) {
        write_uri(call);
        return;
    }
    if (definition != NULL && (definition->type != DUNLIN_TYPE_OPAQUE || definition->multiple)) {
        dn_call_problem_with(call, (dn_problem){.kind = DN_PROBLEM_INVALID_VALUE,
                                                .detail = "the resource takes no package, being not opaque, "
                                                          "and no address of one, being no string"});
        return;
    }
    dn_device_request request = {.method = DN_COAP_PUT,
                                 .path = call->path,
                                 .content_format = DN_FORMAT_OPAQUE,
                                 .accept = DN_FORMAT_NONE,
                                 .package = dunlin_slice_of(dn_query_get(&call->query, "package"))};
    dn_device_send(call, &request, dn_device_reply);
}

void dn_handle_push(dn_call *call)
{
    dn_package_info info;
    dunlin_slice id = dunlin_slice_of(dn_query_get(&call->query, "package"));
    if (call->body.len > 0) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "With package there is no body.");
    } else if (dn_query_get(&call->query, "op") != NULL || dn_query_get(&call->query, "mode") != NULL ||
               dn_query_get(&call->query, "format") != NULL) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "With package there is no op, mode or format.");
    } else if (call->api->depot == NULL || !dn_depot_find(call->api->depot, id, &info)) {
        unknown(call);
    } else if (dn_device_parameters(call, NULL)) {
        dn_device_presence(call, push_with_profile);
    }
}
