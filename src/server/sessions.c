/* SPDX-License-Identifier: Apache-2.0 */
/* The devices first: what ends with a stream may want to ask one of them again. */
#include "server/sessions.h"

#include "server/shard_inside.h"

#include <stdlib.h>

bool dn_sessions_init(dn_ended_streams *ended, uint32_t connections)
{
    *ended = (dn_ended_streams){.room = connections};
    ended->list = connections > 0 ? malloc(connections * sizeof *ended->list) : NULL;
    return connections == 0 || ended->list != NULL;
}

void dn_sessions_free(dn_ended_streams *ended)
{
    free(ended->list);
}

/* Nobody at that address can be asked any more. */
static void miss_all(dn_shard *shard, const dn_peer *peer)
{
    const dn_registrations *table = &shard->registrations;
    for (uint32_t slot = dn_registrations_by_peer(table, peer); slot != DN_SLOT_NONE;
         slot = dn_registrations_at(table, slot)->peer_next) {
        dn_presence_missed(shard, slot);
    }
}

static void forget(dn_shard *shard, const dn_peer *peer)
{
    shard->losing = true;
    if (dn_transport_is_stream(dn_peer_transport(peer))) {
        dn_coap_close(shard->coap, peer);
    } else {
        dn_coap_forget(shard->coap, peer);
    }
    shard->losing = false;
}

void dn_shard_opened(dn_shard *shard, const dn_peer *peer)
{
    if (!dn_transport_is_stream(dn_peer_transport(peer))) {
        forget(shard, peer);
        return;
    }
    dunlin_status status = dn_coap_open(shard->coap, peer, shard->now_ms);
    if (status == DUNLIN_ERR_STATE) {
        forget(shard, peer); /* its end was not told: this is another one */
        status = dn_coap_open(shard->coap, peer, shard->now_ms);
    }
    if (status != DUNLIN_OK && shard->config.end_peer != NULL) {
        shard->config.end_peer(shard->config.context, peer);
    }
}

void dn_shard_closed(dn_shard *shard, const dn_peer *peer)
{
    miss_all(shard, peer);
    forget(shard, peer);
}

void dn_sessions_end_stream(dn_shard *shard, const dn_peer *peer, dunlin_status status, dunlin_slice detail)
{
    dn_ended_streams *ended = &shard->ended;
    char address[sizeof((dn_client_view *)NULL)->address];
    (void)detail; /* may be the other end's own words: not for a log */
    shard->config.peer_text(peer, address, sizeof address);
    dn_log_at(shard->log, DN_LOG_DEBUG, DN_SHARD_AREA, "the stream of %s ends: %s", address,
              status == DUNLIN_END ? "it was released" : dunlin_status_text(status));
    if (ended->count < ended->room) { /* a stream ends once */
        ended->list[ended->count++] = *peer;
    }
}

void dn_sessions_work(dn_shard *shard)
{
    dn_ended_streams *ended = &shard->ended;
    while (ended->count > 0) {
        const dn_peer peer = ended->list[--ended->count];
        if (shard->config.end_peer != NULL) {
            shard->config.end_peer(shard->config.context, &peer);
        }
        dn_shard_closed(shard, &peer);
    }
}
