/* SPDX-License-Identifier: Apache-2.0 */
/* What starting and ending an observation have in common, of one path (`paths` NULL, `count` 0: call->path) and of several. */
#ifndef DN_API_OBSERVING_H
#define DN_API_OBSERVING_H

#include "api/device.h"

/*
 * Fetches call->profile and runs `next`, unless the device is not registered, or sleeps and is not observed so already: it would not hear of it. Then
 * the problem is answered. `paths` must outlive the call.
 */
void dn_observing_start(dn_call *call, const dunlin_path *paths, size_t count, void (*next)(dn_call *call));
/* Ends the observation and answers. A device that sleeps is not asked: it hears of it when it notifies again. */
void dn_observing_end(dn_call *call, const dunlin_path *paths, size_t count);
/* A completion of dn_fleet_observe and its composite: keeps the answer and wakes the call. */
void dn_observing_answered(void *call, const dn_device_response *response, bool existed);

#endif
