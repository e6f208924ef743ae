/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that came in and have no answer yet: what must be known of each to answer it, at once or later
 * (RFC 7252 section 5.2). A pool and its lookup; the server file works with them.
 */
#ifndef DN_COAP_PENDING_H
#define DN_COAP_PENDING_H

#include "coap/message.h"
#include "coap/remote.h"
#include "coap/timer.h"

typedef struct dn_coap_pending {
    dn_coap_timer timer; /* first for the empty ACK, then for giving up */
    uint64_t id;         /* 0: free */
    uint64_t key;        /* of the request, without its block options */
    uint64_t give_up_ms;
    struct dn_coap_pending *next_free;
    uint32_t generation;
    uint32_t remote;
    uint32_t seen, seen_serial; /* its id in the table of seen ones */
    uint16_t mid;
    uint8_t code;
    uint8_t has; /* which of the two follow; and whether Size2 was asked for */
    dn_coap_block block1, block2;
    dn_coap_token token;
    bool confirmable;
    bool acknowledged; /* by an empty ACK: the response goes separately */
    uint8_t epoch;     /* of its connection when it came; 0: it came in a datagram */
} dn_coap_pending;

typedef struct {
    dn_coap_pending *at;
    dn_coap_pending *free;
    dn_coap_remotes *remotes;
    uint32_t count, in_use;
} dn_coap_pendings;

void dn_coap_pendings_init(dn_coap_pendings *pendings, dn_coap_arena *arena, dn_coap_remotes *remotes,
                           uint32_t count);
/* A new one from `remote`, which it holds. NULL: none free. Its timer is not set. */
dn_coap_pending *dn_coap_pending_make(dn_coap_pendings *pendings, uint32_t remote,
                                      const dn_coap_message *message);
dn_coap_pending *dn_coap_pending_by_id(const dn_coap_pendings *pendings, uint64_t id);
/* Its deadline must be cancelled. */
void dn_coap_pending_free(dn_coap_pendings *pendings, dn_coap_pending *pending);

#endif
