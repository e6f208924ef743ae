/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of devices in a closed loop, the same over plain CoAP and over established sessions. Failures end the program with a text. */
#ifndef BENCH_SECURITY_TALK_H
#define BENCH_SECURITY_TALK_H

#include "fleet/devices.h"
#include "security/sessions.h"

typedef enum { TALK_REGISTER, TALK_UPDATE } talk_kind;

/* `total` requests over the devices in their order; with `sessions` each over its own, else plainly from `e` to `server`. */
void talk_run(talk_kind kind, devices *d, endpoint *e, const struct sockaddr_in *server, sessions *secure,
              uint32_t in_flight, uint64_t total, stats *out);

#endif
