/* SPDX-License-Identifier: Apache-2.0 */
/* The yardstick: handshakes of two ends in one thread, without sockets, stores or other sessions. */
#ifndef BENCH_SECURITY_PAIR_H
#define BENCH_SECURITY_PAIR_H

#include "security/tls.h"

/* Microseconds of processor time that both ends take for a full handshake over DTLS, cookie included: the mean of `count`. */
double pair_handshake_us(dn_tls_context *server, dn_tls_context *client, uint32_t count);
/* The server's part of that time, 0 to 1. */
double pair_server_share(dn_tls_context *server, dn_tls_context *client, uint32_t count);
/* The processor time of this process so far. */
double pair_cpu_us(void);

#endif
