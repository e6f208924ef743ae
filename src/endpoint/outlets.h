/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The UDP sockets of one transport (CoAP, or DTLS), each with what waits to leave through it. Nothing leaves before dn_outlets_flush.
 * An answer leaves from the socket that serves its peer, so no two sockets may serve the same one.
 *
 * Threads: one.
 */
#ifndef DN_ENDPOINT_OUTLETS_H
#define DN_ENDPOINT_OUTLETS_H

#include "bearer/udp.h"

#define DN_OUTLETS_MAX      16u
#define DN_OUTLET_BOXES_MAX 32u /* of a socket: 2,048 datagrams between two flushes */

typedef struct {
    dn_udp udp;
    dn_udp_outbox *boxes[DN_OUTLET_BOXES_MAX];
    size_t made; /* boxes[0..made) exist */
    size_t used; /* boxes[0..used) hold datagrams, the last one is being filled */
} dn_outlet;

typedef struct {
    dn_outlet *outlet[DN_OUTLETS_MAX];
    size_t count;
    uint64_t dropped; /* no room in the boxes, or too long */
} dn_outlets;

/* One more socket. ARGUMENT: no such address, one that overlaps another's, or too many; IO; MEMORY. `error` names the address. Initialise with
   zeros. */
dunlin_status dn_outlets_open(dn_outlets *outlets, const char *address, char *error, size_t error_size);
void dn_outlets_close(dn_outlets *outlets);
/* More than the boxes hold is lost and counted, as on a network. */
void dn_outlets_send(dn_outlets *outlets, const dn_peer *peer, dunlin_slice datagram);
/* As much as the sockets take; the rest stays, in order. */
void dn_outlets_flush(dn_outlets *outlets);
/* Datagrams that were not sent, for whatever reason. */
uint64_t dn_outlets_dropped(const dn_outlets *outlets);

#endif
