/* SPDX-License-Identifier: Apache-2.0 */
/* Reads through the server: a caller asks over REST, the server asks the device, which the generator plays too. */
#ifndef BENCH_FLEET_READS_H
#define BENCH_FLEET_READS_H

#include "fleet/devices.h"
#include "fleet/endpoint.h"
#include "fleet/stats.h"

#define READS_PIPELINE_MAX 32

/*
 * `total` reads of the serial number of devices in shuffled order, over `connections` kept-alive HTTP connections with `pipeline` requests on each. Ends the
 * program at the first answer that is not the serial number of the device that was asked.
 */
void reads_run(endpoint *e, devices *d, const struct sockaddr_in *http, uint32_t connections,
               uint32_t pipeline, uint64_t total, stats *out);

/* The same callers asking for /healthz, which no device is needed for: what HTTP alone allows. */
void reads_run_http_alone(const struct sockaddr_in *http, uint32_t connections, uint32_t pipeline,
                          uint64_t total, stats *out);

/* Answers the requests to devices that have arrived; the device's part of a read. Returns how many. */
unsigned reads_answer(endpoint *e, bool wait);

#endif
