/* SPDX-License-Identifier: Apache-2.0 */
/* A UDP socket with its buffers, the clocks and the randomness of this host: what both settings over a real network need.
 * It allocates. Threads: one. */
#ifndef DN_ETS_UDP_SIDE_H
#define DN_ETS_UDP_SIDE_H

#include "base/random.h"
#include "bearer/udp.h"

typedef struct {
    dn_udp udp;
    bool open;
    dn_udp_batch *batch;
    dn_udp_outbox *outbox;
} dn_ets_udp_side;

/* Binds to a numeric address. False: `error` says why. */
bool dn_ets_udp_side_open(dn_ets_udp_side *side, const char *address, unsigned flags, char *error,
                          size_t error_size);
void dn_ets_udp_side_close(dn_ets_udp_side *side);
/* Sends at once. */
void dn_ets_udp_side_send(dn_ets_udp_side *side, const dn_peer *peer, dunlin_slice datagram);
/* Waits for datagrams until `until_ms` at most, and hands them to `take`. */
void dn_ets_udp_side_wait(dn_ets_udp_side *side, uint64_t until_ms,
                          void (*take)(void *context, const dn_peer *peer, dunlin_slice datagram),
                          void *context);

uint64_t dn_ets_clock_ms(void);
int64_t dn_ets_wall_ms(void);
dn_random dn_ets_entropy(void);

#endif
