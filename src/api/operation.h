/* SPDX-License-Identifier: Apache-2.0 */
/* Which LwM2M operation a request to a device is, and what the API answers when the device has done it. */
#ifndef DN_API_OPERATION_H
#define DN_API_OPERATION_H

#include "api/answer.h"
#include "coap/engine.h"

typedef enum {
    DN_OPERATION_READ,
    DN_OPERATION_DISCOVER,
    DN_OPERATION_WRITE,
    DN_OPERATION_WRITE_ATTRIBUTES,
    DN_OPERATION_EXECUTE,
    DN_OPERATION_CREATE,
    DN_OPERATION_DELETE,
    DN_OPERATION_READ_COMPOSITE,
    DN_OPERATION_WRITE_COMPOSITE
} dn_operation;

/* As clients tell them apart (Core 1.1.1 section 6.3, Transport 1.1.1 table 6.4-2). */
dn_operation dn_operation_of(const dn_device_request *request);
/* "read", "write-attributes" … */
const char *dn_operation_name(dn_operation operation);

/*
 * Writes the JSON object that a call for `ask` is answered with when `answer` is a success: {"endpoint", "path", "code", …}. False: `failure`; what
 * is in the text by then must be thrown away.
 */
bool dn_operation_write(dn_jsonw *json, const dn_device_request *ask, const dn_answer *answer,
                        dn_registry *registry, const dn_profile *profile, dn_failure *failure);
/* The members "contentFormat", "receivedAt", "values" and "nodes" of an answer to `paths`. False: as above. */
bool dn_operation_write_composite(dn_jsonw *json, const dn_answer *answer, dn_naming *naming,
                                  const dunlin_path *paths, size_t path_count, dn_failure *failure);

#endif
