/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pump: one thread that takes events from the fleet, keeps the cache of profiles true, feeds the streams, and looks now and then for callers
 * that hung up.
 */
#ifndef DN_API_PUMP_H
#define DN_API_PUMP_H

#include "api/service.h"

dunlin_status dn_pump_start(dn_api *api);
void dn_pump_stop(dn_api *api);

#endif
