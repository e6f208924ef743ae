/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much goes into one message to a peer, and in which blocks a body that is larger goes (RFC 7959 section 2.2; on
 * streams RFC 8323 sections 5.3.1 and 6). It writes nothing.
 */
#ifndef DN_COAP_ROOM_H
#define DN_COAP_ROOM_H

#include "coap/core.h"

typedef struct {
    size_t message; /* bytes of the largest message to the peer */
    uint8_t szx;    /* of the blocks we prefer to send and to ask for */
    uint8_t taken;  /* of the largest blocks we like to get */
    bool stream;
} dn_coap_room;

/* In which blocks a body goes. */
typedef struct {
    uint8_t szx;
    size_t block; /* bytes of each but the last */
    size_t whole; /* a body of no more than that goes in one message, without block options */
} dn_coap_fit;

dn_coap_room dn_coap_room_to(const dn_coap *coap, uint32_t remote);
/* Bytes of a message that are no payload: header, token, marker, the engine's own options, and the caller's. */
size_t dn_coap_room_around(const dn_coap_option *options, size_t count);
/* The largest blocks from `szx` down that fit into a message with `around` other bytes; `size` is the body's. */
dn_coap_fit dn_coap_room_fit(const dn_coap_room *room, size_t around, uint64_t size, uint8_t szx);

/* False: a block of such a size cannot be, from that peer. */
static inline bool dn_coap_room_takes(const dn_coap_room *room, const dn_coap_block *block)
{
    return block->szx <= DN_COAP_SZX_MAX || room->taken == DN_COAP_SZX_BERT;
}

#endif
