/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a request to a device: the fleet's response kept for an HTTP thread, the problem it makes, the value it holds. */
#ifndef DN_API_ANSWER_H
#define DN_API_ANSWER_H

#include "api/json_write.h"
#include "api/naming.h"
#include "api/problem.h"

typedef struct {
    dunlin_status status;
    uint8_t code;
    uint16_t format;
    bool existed;
    int64_t received_ms;
    dn_text payload;
    char location[DUNLIN_PATH_TEXT_MAX + 1];
} dn_answer;

/* Why an answer is no success; `detail` is for humans. */
typedef struct {
    dn_problem_kind kind;
    uint8_t coap_code; /* DEVICE_ERROR */
    char detail[256];
} dn_failure;

/* Copies the response; the payload's memory is used again. */
void dn_answer_take(dn_answer *answer, const dn_device_response *response);
/* True: the device answered with a success. Else `failure` says what happened; `timeout_ms` is what the request was given. */
bool dn_answer_succeeded(const dn_answer *answer, uint32_t timeout_ms, dn_failure *failure);
/* True when a format that was only our guess was refused: without one the device may choose. */
bool dn_answer_refuses_format(const dn_answer *answer);
/*
 * Writes the members "contentFormat", "receivedAt" and "node" of a read of `path`. False: `failure`; what is in the text by then must be thrown
 * away.
 */
bool dn_answer_write_node(const dn_answer *answer, dn_jsonw *json, dn_naming *naming, dunlin_path path,
                          dn_failure *failure);

#endif
