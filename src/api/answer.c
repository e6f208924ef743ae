/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of devices; see answer.h. */
#include "api/answer.h"

#include "api/node_write.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COAP_NOT_ACCEPTABLE     0x86 /* 4.06 */
#define COAP_UNSUPPORTED_FORMAT 0x8f /* 4.15 */
#define DIAGNOSTIC_MAX          160u

void dn_answer_take(dn_answer *answer, const dn_device_response *response)
{
    answer->status = response->status;
    answer->code = response->code;
    answer->format = response->content_format;
    answer->received_ms = response->received_ms;
    answer->payload.len = 0;
    dn_text_slice(&answer->payload, response->payload);
    if (answer->payload.failed) {
        answer->status = DUNLIN_ERR_MEMORY;
    }
    size_t len = response->location.len < sizeof answer->location ? response->location.len : 0;
    if (len > 0) {
        memcpy(answer->location, response->location.data, len);
    }
    answer->location[len] = 0;
}

static bool fail(dn_failure *failure, dn_problem_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail(dn_failure *failure, dn_problem_kind kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure->detail, sizeof failure->detail, format, arguments);
    va_end(arguments);
    failure->kind = kind;
    failure->coap_code = 0;
    return false;
}

static bool fail_status(dunlin_status status, uint32_t timeout_ms, dn_failure *failure)
{
    switch (status) {
    case DUNLIN_ERR_NOT_FOUND:
        return fail(failure, DN_PROBLEM_UNKNOWN_ENDPOINT, "No device of that name is registered now.");
    case DUNLIN_ERR_TIMEOUT:
        return fail(failure, DN_PROBLEM_TIMEOUT, "The device did not answer within %u s.", timeout_ms / 1000);
    case DUNLIN_ERR_REJECTED:
        return fail(failure, DN_PROBLEM_REJECTED,
                    "The device answered with a Reset: it did not understand the message.");
    case DUNLIN_ERR_CANCELLED:
        return fail(failure, DN_PROBLEM_CANCELLED,
                    "The registration ended, or was replaced, while the request waited.");
    case DUNLIN_ERR_LIMIT:
        return fail(failure, DN_PROBLEM_BUSY, "As many requests as the server may have are in progress.");
    case DUNLIN_ERR_MALFORMED:
    case DUNLIN_ERR_TRUNCATED:
        return fail(failure, DN_PROBLEM_BAD_PAYLOAD, "The device's answer breaks CoAP.");
    case DUNLIN_ERR_SPACE:
        return fail(failure, DN_PROBLEM_BODY_TOO_LARGE,
                    "The request, or the device's answer, is larger than the server's limit for bodies.");
    case DUNLIN_ERR_STATE:
        return fail(failure, DN_PROBLEM_ASLEEP, "The device sleeps; a request with wait would be queued.");
    case DUNLIN_ERR_UNSUPPORTED:
        return fail(failure, DN_PROBLEM_REJECTED,
                    "The device gave the value, but does not let this path be observed.");
    default:
        return fail(failure, DN_PROBLEM_INTERNAL, "%s", dunlin_status_text(status));
    }
}

/* An error of the device; a diagnostic payload is text (RFC 7252 section 5.5.2). */
static bool fail_code(const dn_answer *answer, dn_failure *failure)
{
    char code[8];
    dn_coap_code_text(answer->code, code);
    const dn_text *payload = &answer->payload;
    bool text = payload->len > 0 && (answer->format == DN_FORMAT_NONE || answer->format == DN_FORMAT_TEXT);
    int len = text ? (int)(payload->len < DIAGNOSTIC_MAX ? payload->len : DIAGNOSTIC_MAX) : 0;
    fail(failure, DN_PROBLEM_DEVICE_ERROR, "The device answered %s %s%s%.*s", code,
         dn_coap_code_name(answer->code), text ? ": " : ".", len, text ? payload->data : "");
    failure->coap_code = answer->code;
    return false;
}

bool dn_answer_succeeded(const dn_answer *answer, uint32_t timeout_ms, dn_failure *failure)
{
    if (answer->status != DUNLIN_OK) {
        return fail_status(answer->status, timeout_ms, failure);
    }
    return answer->code >> 5 == 2 || fail_code(answer, failure);
}

bool dn_answer_refuses_format(const dn_answer *answer)
{
    return answer->status == DUNLIN_OK &&
           (answer->code == COAP_NOT_ACCEPTABLE || answer->code == COAP_UNSUPPORTED_FORMAT);
}

/* Without a Content-Format a value is text. An object without instances is an empty payload in whatever format (Core 1.1.1 section
   6.3.1), which TLV reads as no records. */
static uint16_t answered_format(const dn_answer *answer, dunlin_path path)
{
    if (answer->payload.len == 0 && path.depth <= 2) {
        return DN_FORMAT_TLV;
    }
    return answer->format == DN_FORMAT_NONE ? DN_FORMAT_TEXT : answer->format;
}

bool dn_answer_write_node(const dn_answer *answer, dn_jsonw *json, dn_naming *naming, dunlin_path path,
                          dn_failure *failure)
{
    uint16_t format = answered_format(answer, path);
    dn_jsonw_pair_unsigned(json, "contentFormat", format);
    dn_jsonw_pair_time(json, "receivedAt", answer->received_ms);
    dn_jsonw_key(json, "node");
    dunlin_status status = dn_node_write(json, naming, path, format, dn_text_view(&answer->payload));
    if (status == DUNLIN_OK) {
        return true;
    }
    if (status == DUNLIN_ERR_MEMORY) {
        return fail(failure, DN_PROBLEM_INTERNAL, "There is no memory.");
    }
    return fail(failure, DN_PROBLEM_BAD_PAYLOAD,
                "The device's answer in content format %u could not be decoded: %s.", format,
                dunlin_status_text(status));
}
