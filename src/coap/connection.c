/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of open streams. */
#include "coap/connection.h"

void dn_coap_connections_init(dn_coap_connections *connections, dn_coap_arena *arena,
                              dn_coap_remotes *remotes, uint32_t count)
{
    dn_coap_connection *at = dn_coap_arena_take(arena, count, sizeof *at);
    *connections = (dn_coap_connections){at, remotes, DN_COAP_NONE, 0, 0};
    for (uint32_t i = count; at != NULL && i > 0; i--) {
        at[i - 1] = (dn_coap_connection){.remote = DN_COAP_NONE, .next_free = connections->free};
        connections->free = i - 1;
    }
}

static bool is_unnamed(const dn_coap_connections *connections, uint32_t remote)
{
    return !dn_transport_is_stream(dn_peer_transport(&connections->remotes->at[remote].peer));
}

dn_coap_connection *dn_coap_connection_make(dn_coap_connections *connections, uint32_t remote)
{
    uint32_t index = connections->free;
    if (index == DN_COAP_NONE) {
        return NULL;
    }
    dn_coap_connection *made = &connections->at[index];
    connections->free = made->next_free;
    *made = (dn_coap_connection){.timer.kind = DN_COAP_TIMER_CONNECTION,
                                 .remote = remote,
                                 .epoch = 1,
                                 .max_message = DN_COAP_MAX_MESSAGE_BASE};
    connections->remotes->at[remote].connection = index;
    dn_coap_remote_hold(connections->remotes, remote);
    connections->in_use++;
    connections->unnamed += is_unnamed(connections, remote);
    return made;
}

void dn_coap_connection_free(dn_coap_connections *connections, dn_coap_connection *connection)
{
    uint32_t remote = connection->remote;
    connections->remotes->at[remote].connection = DN_COAP_NONE;
    connection->remote = DN_COAP_NONE;
    connection->next_free = connections->free;
    connections->free = (uint32_t)(connection - connections->at);
    connections->in_use--;
    connections->unnamed -= is_unnamed(connections, remote);
    dn_coap_remote_release(connections->remotes, remote);
}
