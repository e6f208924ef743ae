/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's inside: what its files share. See docs of each file for the direction of calls: engine →
 * client, server → reliability → tables. */
#ifndef DN_COAP_CORE_H
#define DN_COAP_CORE_H

#include "coap/connection.h"
#include "coap/exchange.h"
#include "coap/message.h"
#include "coap/pending.h"
#include "coap/seen.h"
#include "coap/stream.h"
#include "coap/transfer.h"

enum { DN_COAP_SEEN_IN = 0, DN_COAP_SEEN_OUT = 1 };

struct dn_coap {
    dn_coap_config config;
    dn_coap_callbacks callbacks;
    dn_random random;
    const dn_log *log;
    uint64_t now_ms; /* of the current call */
    dn_hash_key key;
    dn_wheel wheel;
    dn_coap_counters counters;
    bool arrived; /* of the exchange that ended last */
    dn_coap_remotes remotes;
    dn_coap_seen in;  /* message ids that came */
    dn_coap_seen out; /* of non-confirmable notifications that went, with their tokens */
    dn_coap_exchanges exchanges;
    dn_coap_pendings pendings;
    dn_coap_transfers transfers;
    dn_coap_streams streams;
    dn_coap_connections connections;
    uint8_t *
        out_datagram; /* to write a message in: of max_message bytes, or of max_stream_message if there may be streams */
    uint8_t *body; /* max_body bytes lent to the request callback */
};

static inline const dn_peer *dn_coap_peer_of(const dn_coap *coap, uint32_t remote)
{
    return &coap->remotes.at[remote].peer;
}

static inline bool dn_coap_is_stream(const dn_coap *coap, uint32_t remote)
{
    return coap->remotes.at[remote].connection != DN_COAP_NONE;
}

/* The remote of a peer whose stream is open, or DN_COAP_NONE. */
static inline uint32_t dn_coap_find_stream(const dn_coap *coap, const dn_peer *peer)
{
    uint32_t remote = dn_coap_connection_may_be(&coap->connections, peer)
                          ? dn_coap_remote_find(&coap->remotes, peer)
                          : DN_COAP_NONE;
    return remote != DN_COAP_NONE && dn_coap_is_stream(coap, remote) ? remote : DN_COAP_NONE;
}

/* dn_coap_remote_get, with a remote of which only message ids are left given up for a new one. */
static inline uint32_t dn_coap_hold_peer(dn_coap *coap, const dn_peer *peer)
{
    uint32_t remote = dn_coap_remote_get(&coap->remotes, peer);
    if (remote == DN_COAP_NONE && dn_coap_seen_free_remote(&coap->in, &coap->out)) {
        remote = dn_coap_remote_get(&coap->remotes, peer);
    }
    return remote;
}

#endif
