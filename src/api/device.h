/* SPDX-License-Identifier: Apache-2.0 */
/* What handlers that speak to a device share: its profile, the request, the answer or its problem. */
#ifndef DN_API_DEVICE_H
#define DN_API_DEVICE_H

#include "api/call.h"
#include "api/json_write.h"
#include "codec/format.h"

/* Fetches call->profile, from the cache or the fleet, and runs `next`; a device that is not registered is answered here. */
void dn_device_profile(dn_call *call, void (*next)(dn_call *call));
/* The same from the fleet in any case, with call->asleep, call->transport and call->local. */
void dn_device_presence(dn_call *call, void (*next)(dn_call *call));
/* The same, but `next` runs with no profile when the device is not registered. */
void dn_device_profile_if_any(dn_call *call, void (*next)(dn_call *call));
/* Hands a request to the fleet, or to its queue if the caller waits for that or the device sleeps (endpoint and timeout are filled in here); `next` runs with call->answer. */
void dn_device_send(dn_call *call, dn_device_request *request, void (*next)(dn_call *call));
/* True when the answer is a success; else the problem has been answered. */
bool dn_device_succeeded(dn_call *call);
/* The same for calls that ask no device: only the status counts. */
bool dn_device_succeeded_status(dn_call *call);
/* Answers with what the request sent last has led to: the body of its operation, or the problem. A `next` for dn_device_send. */
void dn_device_reply(dn_call *call);
/* Answers with the problem. */
void dn_device_failed(dn_call *call, const dn_failure *failure);
/* Answers unknown-endpoint. */
void dn_device_unknown(dn_call *call);
/* Copies a response into call->answer and wakes the call. A completion for the fleet: context is the dn_call. */
void dn_device_answered(void *call, const dn_device_response *response);
/* Notes why the fleet took no work, and wakes the call: `next` then sees that status. */
void dn_device_refused(dn_call *call, dunlin_status status);
/* Milliseconds left of the call's time; 0: none, and the time-out has been answered. */
uint32_t dn_device_time_left(dn_call *call);

#define DN_DEVICE_FORMATS \
    "text, opaque, cbor, senml-json, senml-cbor, tlv, lwm2m-json or a content format's number"
/* A content format's name or number that this server speaks. */
bool dn_device_format(const char *text, uint16_t *format);
/* Reads the parameters "timeout", "wait", "expires" and, if asked for, "format" (DN_FORMAT_NONE when not given). False: the problem has been answered. */
bool dn_device_parameters(dn_call *call, uint16_t *format);
/* Begins {"endpoint":…,"path":…,"code":…} and leaves the object open; the root has no path. */
void dn_device_head(dn_call *call, dn_jsonw *json, dunlin_path path);
/* Answers with the node that call->answer holds: the body of a read. */
void dn_device_reply_node(dn_call *call, unsigned status);

#endif
