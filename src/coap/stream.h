/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request bodies that the layer above takes a piece at a time (RFC 7959 section 2.5): how far each has come,
 * and none of its bytes. A stream is known by its peer and the key of its request, like a transfer. Whom to
 * tell of pieces and losses is for the server file.
 */
#ifndef DN_COAP_STREAM_H
#define DN_COAP_STREAM_H

#include "coap/remote.h"
#include "coap/timer.h"

typedef struct {
    dn_coap_timer timer;
    uint64_t key;
    uint64_t began_ms, used_ms;
    uint32_t serial; /* 0: free */
    uint32_t remote;
    uint32_t taken; /* bytes: where the next piece begins */
    uint16_t first_mid;
} dn_coap_stream;

typedef struct {
    dn_coap_stream *at;
    dn_coap_remotes *remotes;
    dn_wheel *wheel;
    uint32_t count;
    uint32_t timeout_ms;
    uint32_t serial;
} dn_coap_streams;

void dn_coap_streams_init(dn_coap_streams *streams, dn_coap_arena *arena, dn_coap_remotes *remotes,
                          dn_wheel *wheel, uint32_t count, uint32_t timeout_ms);
/* A new one, which began with message `mid`. NULL: none free. */
dn_coap_stream *dn_coap_stream_start(dn_coap_streams *streams, uint32_t remote, uint64_t key, uint16_t mid,
                                     uint64_t now_ms);
dn_coap_stream *dn_coap_stream_find(const dn_coap_streams *streams, uint32_t remote, uint64_t key);
/* The peer's least recently used one if it has half of all or more, else NULL: it is to give way to a new one
 * of that peer. */
dn_coap_stream *dn_coap_stream_over_share(const dn_coap_streams *streams, uint32_t remote);
/* Any one of a peer's, or NULL. */
dn_coap_stream *dn_coap_stream_of(const dn_coap_streams *streams, uint32_t remote);
/* True while `stream` is still the one that had `serial`. */
static inline bool dn_coap_stream_is(const dn_coap_stream *stream, uint32_t serial)
{
    return stream->serial == serial;
}
/* Puts its expiry off. */
void dn_coap_stream_touch(dn_coap_streams *streams, dn_coap_stream *stream, uint64_t now_ms);
void dn_coap_stream_end(dn_coap_streams *streams, dn_coap_stream *stream);

#endif
