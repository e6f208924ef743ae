/* SPDX-License-Identifier: Apache-2.0 */
/* DTLS and TLS behind the ports. */
#include "endpoint/ports_inside.h"

#include <stdio.h>

dunlin_status dn_ports_sessions_open(dn_ports *ports, char *error, size_t error_size)
{
    if (ports->config.tls != NULL) {
        (void)snprintf(error, error_size, "neither DTLS nor TLS can be served");
        return DUNLIN_ERR_UNSUPPORTED;
    }
    return DUNLIN_OK;
}

void dn_ports_sessions_close(dn_ports *ports)
{
    (void)ports;
}

void dn_ports_sessions_connected(dn_ports *ports, const dn_peer *peer)
{
    dn_tcp_close(ports->tcp, peer, true);
}

void dn_ports_sessions_bytes(dn_ports *ports, const dn_peer *peer, dunlin_slice bytes)
{
    (void)ports;
    (void)peer;
    (void)bytes;
}

void dn_ports_sessions_disconnected(dn_ports *ports, const dn_peer *peer)
{
    (void)ports;
    (void)peer;
}

bool dn_ports_sessions_send(dn_ports *ports, const dn_peer *peer, dunlin_slice message)
{
    (void)ports;
    (void)peer;
    (void)message;
    return false;
}

void dn_ports_sessions_end(dn_ports *ports, const dn_peer *peer)
{
    (void)ports;
    (void)peer;
}

void dn_ports_sessions_expire(dn_ports *ports)
{
    (void)ports;
}

uint64_t dn_ports_sessions_deadline(const dn_ports *ports)
{
    (void)ports;
    return UINT64_MAX;
}

const dn_identity *dn_ports_identity(const dn_ports *ports, const dn_peer *peer)
{
    (void)ports;
    (void)peer;
    return NULL;
}

void dn_ports_revoke_later(dn_ports *ports, uint64_t credential)
{
    (void)ports;
    (void)credential;
}

void dn_ports_use_later(dn_ports *ports, dn_tls_context *context)
{
    (void)ports;
    (void)context;
}
