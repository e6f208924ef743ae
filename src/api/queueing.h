/* SPDX-License-Identifier: Apache-2.0 */
/* Calls whose request goes into the durable queue, and calls that wait for a request there. */
#ifndef DN_API_QUEUEING_H
#define DN_API_QUEUEING_H

#include "api/call.h"

#define DN_WAIT_MAX_S    300u
#define DN_EXPIRES_MAX_S 31536000u

/* Reads the parameters "wait" and "expires". False: the problem has been answered. */
bool dn_queueing_parameters(dn_call *call);
/*
 * Puts call->asked into the queue and waits for its end as long as the caller said. Answered by then: call->after runs with call->answer, as after a
 * direct request. Else it answers 202 with the request, or the problem.
 */
void dn_queueing_send(dn_call *call);
/* Waits for the end of request `id` until `until_ms` (monotonic; in the past: not at all), then runs `done` with call->queued as it stands then;
 * NULL: there is none. */
void dn_queueing_await(dn_call *call, uint64_t id, uint64_t until_ms, void (*done)(dn_call *call));
/* A completion for the fleet: keeps the view in call->queued and wakes the call. */
void dn_queueing_taken(void *call, dunlin_status status, const dn_queued_view *queued);

/* The outcome of dn_fleet_on_settle: the format for a read that names none, by what the device announced. */
void dn_queueing_settle(void *context, dn_device_request *request, uint8_t version_major,
                        uint8_t version_minor, dunlin_slice links);

#endif
