/* SPDX-License-Identifier: Apache-2.0 */
/* Reads through the server's bulk call: one HTTP request that names the devices, one line of JSON for each as it answers. */
#ifndef BENCH_FLEET_BULK_H
#define BENCH_FLEET_BULK_H

#include "fleet/devices.h"
#include "fleet/endpoint.h"
#include "fleet/stats.h"

/*
 * `total` reads of the serial number of devices in shuffled order, in calls of up to 50,000 devices with `in_flight` requests under way each. Ends the
 * program at the first line that is not the serial number of a device that was asked. The time of a read is that since the line `in_flight` lines before
 * came, which is when its place became free.
 */
void bulk_run(endpoint *e, devices *d, const struct sockaddr_in *http, uint32_t in_flight, uint64_t total,
              stats *out);

#endif
