/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A closed loop: so many requests in flight, each answer checked, the next one sent for each that is done. What devices do by themselves:
 * register, update, send values, fetch packages, and the echo that both are measured against.
 */
#ifndef BENCH_FLEET_WINDOW_H
#define BENCH_FLEET_WINDOW_H

#include "fleet/devices.h"
#include "fleet/endpoint.h"
#include "fleet/stats.h"

typedef enum {
    WINDOW_ECHO_REGISTER, /* a Register request, echoed */
    WINDOW_ECHO_UPDATE,   /* an Update request, echoed */
    WINDOW_ECHO_SEND,     /* a Send request, echoed */
    WINDOW_ECHO_BLOCK,    /* a request for a block of a package, echoed */
    WINDOW_REGISTER,
    WINDOW_UPDATE,
    WINDOW_SEND,
    WINDOW_BLOCK /* any block of WIRE_PACKAGE */
} window_kind;

/*
 * `total` exchanges over the devices in their order, again from the start (shuffled anew) when
 * there are more; counted in `out`, which was started. Ends the program, saying
 * what was wrong, at the first answer that is not what it must be, or when none comes for 20 seconds.
 */
void window_run(window_kind kind, endpoint *e, devices *d, const struct sockaddr_in *server,
                uint32_t in_flight, uint64_t total, stats *out);

#endif
