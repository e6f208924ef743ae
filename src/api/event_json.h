/* SPDX-License-Identifier: Apache-2.0 */
/* An event of the fleet as the JSON object of an SSE block. */
#ifndef DN_API_EVENT_JSON_H
#define DN_API_EVENT_JSON_H

#include "api/service.h"
#include "api/text.h"

/* Writes one object in one line. Runs on the pump's thread and may wait for the fleet: a notification needs the device's profile. */
void dn_event_write(dn_api *api, const dn_event *event, uint64_t id, dn_text *text);

#endif
