/* SPDX-License-Identifier: Apache-2.0 */
/* GET /models, GET /models/{object}, PUT and POST /models. */
#include "api/device.h"
#include "api/handlers.h"
#include "api/model_files.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void write_summary(dn_jsonw *json, const dn_object_def *object)
{
    char version[16];
    dn_version_text(object->version, version);
    dn_jsonw_pair_unsigned(json, "id", object->id);
    dn_jsonw_pair(json, "version", version);
    dn_jsonw_pair(json, "name", object->name);
    dn_jsonw_pair(json, "urn", object->urn);
    dn_jsonw_pair_bool(json, "multiple", object->multiple);
    dn_jsonw_pair_bool(json, "mandatory", object->mandatory);
    dn_jsonw_pair(json, "description", object->description);
}

typedef struct {
    dn_jsonw *json;
    const char *q;
} search;

/* Part of the name, case-insensitive, or the id. */
static bool wanted(const dn_object_def *object, const char *q)
{
    uint64_t id;
    size_t len = strlen(q);
    if (dn_query_number(q, 0, UINT16_MAX, &id) && id == object->id) {
        return true;
    }
    for (const char *at = object->name; *at != 0; at++) {
        if (strncasecmp(at, q, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool visit(void *context, const dn_object_def *object)
{
    search *in = context;
    if (in->q == NULL || in->q[0] == 0 || wanted(object, in->q)) {
        dn_jsonw_begin(in->json, '{');
        write_summary(in->json, object);
        dn_jsonw_end(in->json, '}');
    }
    return true;
}

void dn_handle_models(dn_call *call)
{
    dn_text body = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &body);
    search in = {.json = &json, .q = dn_query_get(&call->query, "q")};
    dn_jsonw_begin(&json, '{');
    dn_jsonw_key(&json, "models");
    dn_jsonw_begin(&json, '[');
    dn_registry_each(call->api->config.registry, visit, &in);
    dn_jsonw_end(&json, ']');
    dn_jsonw_end(&json, '}');
    dn_call_reply_json(call, MHD_HTTP_OK, &body);
}

static void write_resource(dn_jsonw *json, const dn_resource_def *resource)
{
    char operations[4];
    size_t len = 0;
    if ((resource->operations & DN_OP_READ) != 0) {
        operations[len++] = 'R';
    }
    if ((resource->operations & DN_OP_WRITE) != 0) {
        operations[len++] = 'W';
    }
    if ((resource->operations & DN_OP_EXECUTE) != 0) {
        operations[len++] = 'E';
    }
    operations[len] = 0;
    dn_jsonw_begin(json, '{');
    dn_jsonw_pair_unsigned(json, "id", resource->id);
    dn_jsonw_pair(json, "name", resource->name);
    dn_jsonw_pair(json, "operations", operations);
    dn_jsonw_pair_bool(json, "multiple", resource->multiple);
    dn_jsonw_pair_bool(json, "mandatory", resource->mandatory);
    dn_jsonw_pair(json, "type", dunlin_type_name(resource->type));
    dn_jsonw_pair(json, "range", resource->range);
    dn_jsonw_pair(json, "unit", resource->unit);
    dn_jsonw_pair(json, "description", resource->description);
    dn_jsonw_end(json, '}');
}

void dn_handle_model(dn_call *call)
{
    const char *text = dn_query_get(&call->query, "version");
    dn_registry *registry = call->api->config.registry;
    uint16_t id = call->path.id[0];
    dn_version version;
    if (text != NULL && dn_version_parse(dunlin_slice_of(text), &version) != DUNLIN_OK) {
        dn_call_problem(call, DN_PROBLEM_INVALID_PARAMETER, "version must be such as 1.1.");
        return;
    }
    const dn_object_def *object =
        text != NULL ? dn_registry_find(registry, id, version) : dn_registry_newest(registry, id);
    bool exact = object != NULL && (text == NULL || dn_version_compare(object->version, version) == 0);
    if (!exact) {
        dn_call_problem(call, DN_PROBLEM_NOT_FOUND, "No definition of object %u%s%s is known.", id,
                        text != NULL ? " in version " : "", text != NULL ? text : "");
        return;
    }
    dn_text body = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &body);
    dn_jsonw_begin(&json, '{');
    write_summary(&json, object);
    dn_jsonw_key(&json, "resources");
    dn_jsonw_begin(&json, '[');
    for (size_t i = 0; i < object->resource_count; i++) {
        write_resource(&json, &object->resources[i]);
    }
    dn_jsonw_end(&json, ']');
    dn_jsonw_end(&json, '}');
    dn_call_reply_json(call, MHD_HTTP_OK, &body);
}

static void added(void *context, const dn_object_def *object)
{
    dn_jsonw *json = context;
    char version[16];
    dn_version_text(object->version, version);
    dn_jsonw_begin(json, '{');
    dn_jsonw_pair_unsigned(json, "id", object->id);
    dn_jsonw_pair(json, "version", version);
    dn_jsonw_pair(json, "name", object->name);
    dn_jsonw_end(json, '}');
}

typedef struct {
    dn_worker_job job;
    dn_call *call;
    dn_text body; /* of the answer */
    dn_jsonw json;
    dn_ddf_error error;
} uploading;

static void free_uploading(void *state)
{
    uploading *work = state;
    dn_text_free(&work->body);
    free(work);
}

/* On the worker's thread: the file is flushed to disk. */
static void upload(void *context)
{
    uploading *work = context;
    dn_call *call = work->call;
    call->answer.status = dn_models_upload(call->api->config.registry, call->api->config.upload_dir,
                                           dn_text_view(&call->body), added, &work->json, &work->error);
    dn_call_wake(call);
}

static void uploaded(dn_call *call)
{
    uploading *work = call->state;
    dunlin_status status = call->answer.status;
    if (status == DUNLIN_OK) {
        dn_jsonw_end(&work->json, ']');
        dn_jsonw_end(&work->json, '}');
        dn_call_reply_json(call, MHD_HTTP_CREATED, &work->body);
    } else if (status == DUNLIN_ERR_MALFORMED) {
        dn_call_problem(call, DN_PROBLEM_INVALID_MODEL, "line %lu: %s", work->error.line, work->error.text);
    } else {
        dn_log_at(call->api->config.log, DN_LOG_ERROR, "models", "an uploaded definition is not kept: %s",
                  dunlin_status_text(status));
        dn_call_problem(call, DN_PROBLEM_INTERNAL, "The definition could not be kept: %s.",
                        dunlin_status_text(status));
    }
}

void dn_handle_add_model(dn_call *call)
{
    uploading *work = dn_call_make_state(call, sizeof *work, free_uploading);
    if (work == NULL) {
        return;
    }
    work->call = call;
    dn_jsonw_start(&work->json, &work->body);
    dn_jsonw_begin(&work->json, '{');
    dn_jsonw_key(&work->json, "models");
    dn_jsonw_begin(&work->json, '[');
    dn_call_work(call, &work->job, upload, uploaded);
}
