/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams and sessions that come and go under a shard: what CoAP and presence make of it (RFC 8323; RFC 7252 section 9.1.1: what was said over
 * one session means nothing to the next). Here are the ends that CoAP asks for; dn_shard_opened and dn_shard_closed, which
 * the owner of the sockets calls, are in shard.h.
 */
#ifndef DN_SERVER_SESSIONS_H
#define DN_SERVER_SESSIONS_H

#include "base/peer.h"

#include <dunlin/slice.h>
#include <dunlin/status.h>
#include <stddef.h>

typedef struct dn_shard dn_shard;

/* Streams that CoAP is done with, until it can be told that they are closed. */
typedef struct {
    dn_peer *list; /* room for every stream there can be */
    size_t count, room;
} dn_ended_streams;

/* For so many streams. False: no memory. */
bool dn_sessions_init(dn_ended_streams *ended, uint32_t connections);
void dn_sessions_free(dn_ended_streams *ended);
/* As dn_coap_callbacks.stream_ended. */
void dn_sessions_end_stream(dn_shard *shard, const dn_peer *peer, dunlin_status status, dunlin_slice detail);
/* Closes what has ended meanwhile. */
void dn_sessions_work(dn_shard *shard);

#endif
