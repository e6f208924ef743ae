/* SPDX-License-Identifier: Apache-2.0 */
/* Counts HTTP requests by route and status, and how long they took; written as Prometheus text by metrics.c. */
#ifndef DN_API_HTTP_METRICS_H
#define DN_API_HTTP_METRICS_H

#include "api/route.h"
#include "api/text.h"

typedef struct dn_http_metrics dn_http_metrics;

dn_http_metrics *dn_http_metrics_create(void); /* NULL: no memory */
void dn_http_metrics_free(dn_http_metrics *metrics);
/* Any thread. `route` NULL: the console's files and what has no route. */
void dn_http_metrics_count(dn_http_metrics *metrics, const dn_route *route, unsigned status,
                           uint64_t took_us);
void dn_http_metrics_write(const dn_http_metrics *metrics, dn_text *text);

#endif
