/* SPDX-License-Identifier: Apache-2.0 */
/* All counters as Prometheus text (exposition format 0.0.4). */
#ifndef DN_API_METRICS_H
#define DN_API_METRICS_H

#include "api/service.h"
#include "api/text.h"

void dn_metrics_write(dn_api *api, dn_text *text);

#endif
