/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong, as RFC 9457 problem details. docs/reference/rest.md lists the types for users. */
#ifndef DN_API_PROBLEM_H
#define DN_API_PROBLEM_H

#include "api/text.h"

#include <dunlin/value.h>

typedef enum {
    DN_PROBLEM_NOT_FOUND,
    DN_PROBLEM_UNKNOWN_ENDPOINT,
    DN_PROBLEM_METHOD_NOT_ALLOWED,
    DN_PROBLEM_INVALID_PATH,
    DN_PROBLEM_INVALID_PARAMETER,
    DN_PROBLEM_MALFORMED_JSON,
    DN_PROBLEM_INVALID_MODEL,
    DN_PROBLEM_INVALID_VALUE,
    DN_PROBLEM_UNSUPPORTED_MEDIA_TYPE,
    DN_PROBLEM_BODY_TOO_LARGE,
    DN_PROBLEM_FORBIDDEN_ORIGIN,
    DN_PROBLEM_DEVICE_ERROR,
    DN_PROBLEM_TIMEOUT,
    DN_PROBLEM_REJECTED,
    DN_PROBLEM_CANCELLED,
    DN_PROBLEM_BAD_PAYLOAD,
    DN_PROBLEM_BUSY,
    DN_PROBLEM_NOT_OBSERVED,
    DN_PROBLEM_ASLEEP,
    DN_PROBLEM_UNKNOWN_REQUEST,
    DN_PROBLEM_ENDED,
    DN_PROBLEM_QUEUE_FULL,
    DN_PROBLEM_UNKNOWN_PACKAGE,
    DN_PROBLEM_BAD_CREDENTIAL,
    DN_PROBLEM_NO_CREDENTIAL,
    DN_PROBLEM_CREDENTIAL_IN_USE,
    DN_PROBLEM_CREDENTIAL_EXISTS,
    DN_PROBLEM_TOO_MANY_CREDENTIALS,
    DN_PROBLEM_NO_SECURITY,
    DN_PROBLEM_NO_BOOTSTRAP_SERVER,
    DN_PROBLEM_BAD_BOOTSTRAP_CONFIG,
    DN_PROBLEM_NO_BOOTSTRAP_CONFIG,
    DN_PROBLEM_TOO_MANY_BOOTSTRAP_CONFIGS,
    DN_PROBLEM_NO_WAY,
    DN_PROBLEM_BOOTSTRAP_UNDER_WAY,
    DN_PROBLEM_CANNOT_BOOTSTRAP,
    DN_PROBLEM_VERSION_CONFLICT,
    DN_PROBLEM_PRECONDITION_FAILED,
    DN_PROBLEM_INTERNAL,
    DN_PROBLEM_COUNT
} dn_problem_kind;

typedef struct {
    dn_problem_kind kind;
    const char *detail;
    uint8_t coap_code;     /* 0: none */
    dunlin_slice endpoint; /* empty: none */
    dunlin_path path;      /* depth 0: none */
    const char *pointer;   /* NULL: none */
} dn_problem;

const char *dn_problem_slug(dn_problem_kind kind);
/* The HTTP status, which for DEVICE_ERROR follows from the CoAP code. */
unsigned dn_problem_status(const dn_problem *problem);
void dn_problem_write(dn_text *text, const dn_problem *problem);
/* "4.04" and a NUL. */
void dn_coap_code_text(uint8_t code, char out[8]);
/* "Not Found" or "" (RFC 7252 section 12.1.2 and later ones). */
const char *dn_coap_code_name(uint8_t code);

#endif
