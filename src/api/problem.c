/* SPDX-License-Identifier: Apache-2.0 */
/* Problem details; see problem.h. */
#include "api/problem.h"

#include "api/json_write.h"

#include <stdio.h>

#define COAP(class, detail) ((class) << 5 | (detail))

typedef struct {
    const char *slug;
    const char *title;
    unsigned status;
} row;

static const row rows[DN_PROBLEM_COUNT] = {
    [DN_PROBLEM_NOT_FOUND] = {"not-found", "There is nothing at this URL", 404},
    [DN_PROBLEM_UNKNOWN_ENDPOINT] = {"unknown-endpoint", "No device of that name is registered", 404},
    [DN_PROBLEM_METHOD_NOT_ALLOWED] = {"method-not-allowed", "This URL does not support that method", 405},
    [DN_PROBLEM_INVALID_PATH] = {"invalid-path", "The path is not an LwM2M path", 400},
    [DN_PROBLEM_INVALID_PARAMETER] = {"invalid-parameter", "A query parameter is unknown or not valid", 400},
    [DN_PROBLEM_MALFORMED_JSON] = {"malformed-json", "The body is not JSON, or has a member twice", 400},
    [DN_PROBLEM_INVALID_MODEL] = {"invalid-model", "The body is not an object definition", 400},
    [DN_PROBLEM_INVALID_VALUE] = {"invalid-value", "The body does not fit the resource", 422},
    [DN_PROBLEM_UNSUPPORTED_MEDIA_TYPE] = {"unsupported-media-type", "The body's media type is not supported",
                                           415},
    [DN_PROBLEM_BODY_TOO_LARGE] = {"body-too-large", "The body is too large", 413},
    [DN_PROBLEM_FORBIDDEN_ORIGIN] = {"forbidden-origin", "Requests from that origin are not allowed", 403},
    [DN_PROBLEM_DEVICE_ERROR] = {"device-error", "The device answered with an error", 400},
    [DN_PROBLEM_TIMEOUT] = {"timeout", "The device did not answer in time", 504},
    [DN_PROBLEM_REJECTED] = {"rejected", "The device rejected the message with a Reset", 502},
    [DN_PROBLEM_CANCELLED] = {"cancelled", "The registration ended while the request waited", 409},
    [DN_PROBLEM_BAD_PAYLOAD] = {"bad-payload", "The device's answer could not be decoded", 502},
    [DN_PROBLEM_BUSY] = {"busy", "Too much is in progress already", 503},
    [DN_PROBLEM_NOT_OBSERVED] = {"not-observed", "That path is not observed", 404},
    [DN_PROBLEM_ASLEEP] = {"asleep", "The device sleeps", 409},
    [DN_PROBLEM_UNKNOWN_REQUEST] = {"unknown-request", "There is no request of that id", 404},
    [DN_PROBLEM_ENDED] = {"ended", "The request has ended already", 409},
    [DN_PROBLEM_QUEUE_FULL] = {"queue-full", "Too many requests wait already", 429},
    [DN_PROBLEM_UNKNOWN_PACKAGE] = {"unknown-package", "There is no package of that id", 404},
    [DN_PROBLEM_BAD_CREDENTIAL] = {"bad-credential", "The body is not a credential", 400},
    [DN_PROBLEM_NO_CREDENTIAL] = {"no-credential", "There is no credential of that name", 404},
    [DN_PROBLEM_CREDENTIAL_IN_USE] = {"credential-in-use", "Another endpoint has that identity or public key",
                                      409},
    [DN_PROBLEM_CREDENTIAL_EXISTS] = {"credential-exists", "There is a credential of that name already", 412},
    [DN_PROBLEM_TOO_MANY_CREDENTIALS] = {"too-many-credentials", "No more credentials may be kept", 409},
    [DN_PROBLEM_NO_SECURITY] = {"no-security", "This server has no security", 404},
    [DN_PROBLEM_NO_BOOTSTRAP_SERVER] = {"no-bootstrap-server", "This server is no bootstrap server", 404},
    [DN_PROBLEM_BAD_BOOTSTRAP_CONFIG] = {"bad-bootstrap-config", "The body is not a bootstrap configuration",
                                         400},
    [DN_PROBLEM_NO_BOOTSTRAP_CONFIG] = {"no-bootstrap-config",
                                        "There is no bootstrap configuration of that name", 404},
    [DN_PROBLEM_TOO_MANY_BOOTSTRAP_CONFIGS] = {"too-many-bootstrap-configs",
                                               "No more bootstrap configurations may be kept", 409},
    [DN_PROBLEM_NO_WAY] = {"no-way", "There is no way to the device at present", 409},
    [DN_PROBLEM_BOOTSTRAP_UNDER_WAY] = {"bootstrap-under-way", "A bootstrap of the device is under way", 409},
    [DN_PROBLEM_CANNOT_BOOTSTRAP] = {"cannot-bootstrap", "The device cannot be bootstrapped", 409},
    [DN_PROBLEM_VERSION_CONFLICT] = {"version-conflict", "The version there is another one", 412},
    [DN_PROBLEM_PRECONDITION_FAILED] = {"precondition-failed", "What If-Match asks for is not there", 412},
    [DN_PROBLEM_INTERNAL] = {"internal", "The server failed", 500},
};

typedef struct {
    uint8_t code;
    uint16_t http;
    const char *name;
} code_row;

static const code_row codes[] = {
    {COAP(2, 1), 0, "Created"},
    {COAP(2, 2), 0, "Deleted"},
    {COAP(2, 3), 0, "Valid"},
    {COAP(2, 4), 0, "Changed"},
    {COAP(2, 5), 0, "Content"},
    {COAP(4, 0), 400, "Bad Request"},
    {COAP(4, 1), 403, "Unauthorized"},
    {COAP(4, 2), 400, "Bad Option"},
    {COAP(4, 3), 400, "Forbidden"},
    {COAP(4, 4), 404, "Not Found"},
    {COAP(4, 5), 405, "Method Not Allowed"},
    {COAP(4, 6), 406, "Not Acceptable"},
    {COAP(4, 8), 409, "Request Entity Incomplete"},
    {COAP(4, 9), 400, "Conflict"},
    {COAP(4, 12), 400, "Precondition Failed"},
    {COAP(4, 13), 413, "Request Entity Too Large"},
    {COAP(4, 15), 415, "Unsupported Content-Format"},
    {COAP(5, 0), 502, "Internal Server Error"},
    {COAP(5, 1), 502, "Not Implemented"},
    {COAP(5, 2), 502, "Bad Gateway"},
    {COAP(5, 3), 502, "Service Unavailable"},
    {COAP(5, 4), 502, "Gateway Timeout"},
    {COAP(5, 5), 502, "Proxying Not Supported"},
};

static const code_row *find_code(uint8_t code)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i].code == code) {
            return &codes[i];
        }
    }
    return NULL;
}

const char *dn_problem_slug(dn_problem_kind kind)
{
    return rows[kind].slug;
}

unsigned dn_problem_status(const dn_problem *problem)
{
    if (problem->kind != DN_PROBLEM_DEVICE_ERROR) {
        return rows[problem->kind].status;
    }
    const code_row *found = find_code(problem->coap_code);
    if (found != NULL && found->http != 0) {
        return found->http;
    }
    return problem->coap_code >> 5 == 4 ? 400 : 502;
}

void dn_coap_code_text(uint8_t code, char out[8])
{
    snprintf(out, 8, "%u.%02u", (unsigned)code >> 5, code & 31u);
}

const char *dn_coap_code_name(uint8_t code)
{
    const code_row *found = find_code(code);
    return found == NULL ? "" : found->name;
}

void dn_problem_write(dn_text *text, const dn_problem *problem)
{
    char type[64];
    char code[8];
    char path[DUNLIN_PATH_TEXT_MAX + 1];
    dn_jsonw json;
    dn_jsonw_start(&json, text);
    dn_jsonw_begin(&json, '{');
    snprintf(type, sizeof type, "/problems/%s", rows[problem->kind].slug);
    dn_jsonw_pair(&json, "type", type);
    dn_jsonw_pair(&json, "title", rows[problem->kind].title);
    dn_jsonw_pair_unsigned(&json, "status", dn_problem_status(problem));
    dn_jsonw_pair(&json, "detail", problem->detail);
    if (problem->coap_code != 0) {
        dn_coap_code_text(problem->coap_code, code);
        dn_jsonw_pair(&json, "coapCode", code);
    }
    if (problem->endpoint.len != 0) {
        dn_jsonw_pair_slice(&json, "endpoint", problem->endpoint);
    }
    if (problem->path.depth != 0) {
        dunlin_path_format(problem->path, path);
        dn_jsonw_pair(&json, "path", path);
    }
    if (problem->pointer != NULL) {
        dn_jsonw_pair(&json, "pointer", problem->pointer);
    }
    dn_jsonw_end(&json, '}');
}
