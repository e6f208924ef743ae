/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on devices; see operation.h. */
#include "api/operation.h"

#include "api/node_write.h"
#include "codec/link.h"

#include <stdio.h>
#include <string.h>

dn_operation dn_operation_of(const dn_device_request *request)
{
    switch (request->method) {
    case DN_COAP_GET:
        return request->accept == DN_FORMAT_LINK ? DN_OPERATION_DISCOVER : DN_OPERATION_READ;
    case DN_COAP_POST:
        return request->path.depth == 1   ? DN_OPERATION_CREATE
               : request->path.depth == 2 ? DN_OPERATION_WRITE
                                          : DN_OPERATION_EXECUTE;
    case DN_COAP_PUT:
        return request->query.len > 0 && request->payload.len == 0 && request->package.len == 0 &&
                       request->content_format == DN_FORMAT_NONE
                   ? DN_OPERATION_WRITE_ATTRIBUTES
                   : DN_OPERATION_WRITE;
    case DN_COAP_DELETE:
        return DN_OPERATION_DELETE;
    case DN_COAP_FETCH:
        return DN_OPERATION_READ_COMPOSITE;
    default:
        return DN_OPERATION_WRITE_COMPOSITE;
    }
}

const char *dn_operation_name(dn_operation operation)
{
    static const char *const names[] = {[DN_OPERATION_READ] = "read",
                                        [DN_OPERATION_DISCOVER] = "discover",
                                        [DN_OPERATION_WRITE] = "write",
                                        [DN_OPERATION_WRITE_ATTRIBUTES] = "write-attributes",
                                        [DN_OPERATION_EXECUTE] = "execute",
                                        [DN_OPERATION_CREATE] = "create",
                                        [DN_OPERATION_DELETE] = "delete",
                                        [DN_OPERATION_READ_COMPOSITE] = "read-composite",
                                        [DN_OPERATION_WRITE_COMPOSITE] = "write-composite"};
    return names[operation];
}

/* ---- answers ------------------------------------------------------------------------------ */

static dunlin_status write_attributes(dn_jsonw *json, const dn_link *link)
{
    size_t at = 0;
    dn_link_param param;
    dunlin_status status;
    dn_jsonw_key(json, "attributes");
    dn_jsonw_begin(json, '{');
    while ((status = dn_link_param_next(link, &at, &param)) == DUNLIN_OK) {
        dn_jsonw_key_slice(json, param.name);
        if (param.has_value) {
            dn_jsonw_string(json, param.value);
        } else {
            dn_jsonw_null(json);
        }
    }
    dn_jsonw_end(json, '}');
    return status;
}

static dunlin_status write_links(dn_jsonw *json, const char *root, dunlin_slice payload)
{
    dn_link_reader reader;
    dn_link link;
    dunlin_status status;
    dn_jsonw_key(json, "links");
    dn_jsonw_begin(json, '[');
    dn_links_read(&reader, payload);
    while ((status = dn_links_next(&reader, &link)) == DUNLIN_OK) {
        dunlin_path path;
        char text[DUNLIN_PATH_TEXT_MAX + 1];
        if (dn_link_path(&link, dunlin_slice_of(root), &path) != DUNLIN_OK) {
            continue;
        }
        dunlin_path_format(path, text);
        dn_jsonw_begin(json, '{');
        dn_jsonw_pair(json, "path", text);
        status = write_attributes(json, &link);
        dn_jsonw_end(json, '}');
        if (status != DUNLIN_END) {
            return status;
        }
    }
    dn_jsonw_end(json, ']');
    return status;
}

static bool fail(dn_failure *failure, const char *text)
{
    *failure = (dn_failure){.kind = DN_PROBLEM_BAD_PAYLOAD};
    snprintf(failure->detail, sizeof failure->detail, "%s", text);
    return false;
}

bool dn_operation_write_composite(dn_jsonw *json, const dn_answer *answer, dn_naming *naming,
                                  const dunlin_path *paths, size_t path_count, dn_failure *failure)
{
    dn_nodes nodes;
    dunlin_status status =
        dn_nodes_read(&nodes, naming, dunlin_path_root(), answer->format, dn_text_view(&answer->payload));
    if (status == DUNLIN_ERR_MEMORY) {
        failure->kind = DN_PROBLEM_INTERNAL;
        snprintf(failure->detail, sizeof failure->detail, "There is no memory.");
        return false;
    }
    if (status != DUNLIN_OK) {
        *failure = (dn_failure){.kind = DN_PROBLEM_BAD_PAYLOAD};
        snprintf(failure->detail, sizeof failure->detail,
                 "The device's answer in content format %u could not be decoded: %s.", answer->format,
                 dunlin_status_text(status));
        return false;
    }
    dn_nodes_newest(&nodes);
    dn_jsonw_pair_unsigned(json, "contentFormat", answer->format);
    dn_jsonw_pair_time(json, "receivedAt", answer->received_ms);
    dn_nodes_write_values(&nodes, json);
    dn_nodes_write(&nodes, json, naming, paths, path_count);
    dn_nodes_free(&nodes);
    return true;
}

/* The paths that were asked for, from the request's own payload. */
static size_t asked_paths(const dn_device_request *ask, dn_naming *naming, dunlin_path *paths)
{
    dn_nodes nodes;
    size_t count = 0;
    if (dn_nodes_read(&nodes, naming, dunlin_path_root(), ask->content_format, ask->payload) != DUNLIN_OK) {
        return 0;
    }
    for (; count < nodes.count && count < DN_COMPOSITE_PATHS_MAX; count++) {
        paths[count] = nodes.items[count].path;
    }
    dn_nodes_free(&nodes);
    return count;
}

/* What was made: the device's word, else as far as we know. */
static dunlin_path made_path(const dn_device_request *ask, const dn_answer *answer)
{
    dunlin_path path;
    bool told = ask->method == DN_COAP_POST && answer->location[0] != 0 &&
                dunlin_path_parse(dunlin_slice_of(answer->location), &path) == DUNLIN_OK && path.depth == 2;
    return told ? path : ask->path;
}

static bool write_tail(dn_jsonw *json, const dn_device_request *ask, const dn_answer *answer,
                       dn_naming *naming, dn_failure *failure)
{
    dunlin_path paths[DN_COMPOSITE_PATHS_MAX];
    size_t count;
    switch (dn_operation_of(ask)) {
    case DN_OPERATION_READ:
        return dn_answer_write_node(answer, json, naming, ask->path, failure);
    case DN_OPERATION_DISCOVER:
        return write_links(json, naming->profile != NULL ? naming->profile->root : "/",
                           dn_text_view(&answer->payload)) == DUNLIN_END ||
               fail(failure, "The device's answer is not in CoRE link format.");
    case DN_OPERATION_READ_COMPOSITE:
        count = asked_paths(ask, naming, paths);
        return dn_operation_write_composite(json, answer, naming, paths, count, failure);
    default:
        return true;
    }
}

bool dn_operation_write(dn_jsonw *json, const dn_device_request *ask, const dn_answer *answer,
                        dn_registry *registry, const dn_profile *profile, dn_failure *failure)
{
    char code[8];
    dn_naming naming = dn_naming_make(registry, profile);
    dn_coap_code_text(answer->code, code);
    dn_jsonw_begin(json, '{');
    dn_jsonw_pair_slice(json, "endpoint", ask->endpoint);
    if (ask->path.depth > 0) {
        char path[DUNLIN_PATH_TEXT_MAX + 1];
        dunlin_path_format(made_path(ask, answer), path);
        dn_jsonw_pair(json, "path", path);
    }
    dn_jsonw_pair(json, "code", code);
    if (!write_tail(json, ask, answer, &naming, failure)) {
        return false;
    }
    dn_jsonw_end(json, '}');
    return true;
}
