/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open streams (RFC 8323): what the other end of each has said of itself, and how far it is from closing. A pool; a remote
 * leads to its connection, so that a peer without one costs nothing. What is said on a stream is for the signal file.
 */
#ifndef DN_COAP_CONNECTION_H
#define DN_COAP_CONNECTION_H

#include "coap/engine.h"
#include "coap/remote.h"
#include "coap/timer.h"

/* Section 5.3.1: what may be sent to a peer that has not said otherwise. */
#define DN_COAP_MAX_MESSAGE_BASE 1152u

typedef struct {
    dn_coap_timer timer; /* its CSM is awaited */
    uint32_t remote;     /* DN_COAP_NONE: free */
    uint32_t next_free;
    uint32_t max_message;  /* the largest message it takes */
    uint32_t requests;     /* of its that have no answer yet */
    uint32_t custody_left; /* requests before it that have no answer yet */
    dn_coap_token custody; /* of that Ping */
    uint8_t epoch;         /* 1 or 2: tells requests before that Ping from those after it */
    bool awaits_custody;
    bool greeted;      /* its CSM came */
    bool block_wise;   /* it knows block-wise transfer (section 5.3.2) */
    bool released;     /* it sent Release */
    bool said_release; /* and we did */
    bool ended;        /* aborted: nothing goes or comes any more */
    bool closing;      /* by dn_coap_close, whose callbacks are under way */
} dn_coap_connection;

typedef struct {
    dn_coap_connection *at;
    dn_coap_remotes *remotes;
    uint32_t free, in_use;
    uint32_t unnamed; /* of those: whose peer's name does not tell that it is a stream */
} dn_coap_connections;

void dn_coap_connections_init(dn_coap_connections *connections, dn_coap_arena *arena,
                              dn_coap_remotes *remotes, uint32_t count);
/* A new one with `remote`, which it holds and which has none. NULL: none free. */
dn_coap_connection *dn_coap_connection_make(dn_coap_connections *connections, uint32_t remote);
/* Its deadline must be cancelled. */
void dn_coap_connection_free(dn_coap_connections *connections, dn_coap_connection *connection);
/* False: no need to look, this peer has none. What comes in datagrams is spared a look-up by that. */
static inline bool dn_coap_connection_may_be(const dn_coap_connections *connections, const dn_peer *peer)
{
    return connections->in_use > 0 &&
           (connections->unnamed > 0 || dn_transport_is_stream(dn_peer_transport(peer)));
}

/* A remote's, or NULL: it is reached by datagrams. */
static inline dn_coap_connection *dn_coap_connection_of(const dn_coap_connections *connections,
                                                        uint32_t remote)
{
    uint32_t index = connections->remotes->at[remote].connection;
    return index == DN_COAP_NONE ? NULL : &connections->at[index];
}

#endif
