/* SPDX-License-Identifier: Apache-2.0 */
/* DTLS and TLS between the sockets and the messages, and what other threads have to say about credentials. */
#include "endpoint/ports_inside.h"

#include <stdio.h>
#include <stdlib.h>

static dn_secure *sessions_of(const dn_ports *ports, const dn_peer *peer)
{
    switch (dn_peer_transport(peer)) {
    case DN_TRANSPORT_DTLS:
        return ports->dtls;
    case DN_TRANSPORT_TLS:
        return ports->tls;
    default:
        return NULL;
    }
}

/* DTLS, as dn_secure_callbacks. */

static void on_datagram(void *context, const dn_peer *peer, dunlin_slice bytes)
{
    dn_ports *ports = context;
    dn_outlets_send(&ports->datagrams[DN_TRANSPORT_DTLS], peer, bytes);
}

static void on_datagram_message(void *context, const dn_peer *peer, dunlin_slice plain)
{
    dn_ports *ports = context;
    ports->call.message(ports->call.context, peer, plain);
}

static void on_session(void *context, const dn_peer *peer, const dn_identity *identity, bool resumed)
{
    dn_ports *ports = context;
    (void)identity;
    (void)resumed;
    ports->call.opened(ports->call.context, peer);
}

static void on_session_closed(void *context, const dn_peer *peer, dunlin_status status)
{
    dn_ports *ports = context;
    ports->call.closed(ports->call.context, peer, status);
}

/* TLS. */

static void on_stream_output(void *context, const dn_peer *peer, dunlin_slice bytes)
{
    dn_ports *ports = context;
    (void)dn_tcp_send(ports->tcp, peer, bytes); /* if it cannot take them, it closes */
}

static void on_stream_input(void *context, const dn_peer *peer, dunlin_slice plain)
{
    dn_ports_stream_bytes(context, peer, plain);
}

static void on_stream_session(void *context, const dn_peer *peer, const dn_identity *identity, bool resumed)
{
    dn_ports *ports = context;
    (void)identity;
    (void)resumed;
    if (!dn_ports_stream_add(ports, peer)) {
        dn_secure_close(ports->tls, peer, ports->now_ms);
        dn_tcp_close(ports->tcp, peer, false);
    }
}

static void on_stream_session_closed(void *context, const dn_peer *peer, dunlin_status status)
{
    dn_ports *ports = context;
    dn_tcp_close(ports->tcp, peer, false); /* an alert goes out first */
    if (dn_ports_stream_remove(ports, peer)) {
        ports->call.closed(ports->call.context, peer, status);
    }
}

/* Both. */

dunlin_status dn_ports_sessions_open(dn_ports *ports, char *error, size_t error_size)
{
    const dn_secure_callbacks dtls = {.output = on_datagram,
                                      .input = on_datagram_message,
                                      .opened = on_session,
                                      .closed = on_session_closed,
                                      .context = ports};
    const dn_secure_callbacks tls = {.output = on_stream_output,
                                     .input = on_stream_input,
                                     .opened = on_stream_session,
                                     .closed = on_stream_session_closed,
                                     .context = ports};
    if (ports->config.tls == NULL) {
        return DUNLIN_OK;
    }
    ports->context = dn_tls_context_keep(ports->config.tls);
    ports->config.tls = NULL;
    if (ports->config.listen[DN_TRANSPORT_DTLS].count > 0) {
        ports->dtls = dn_secure_create(&ports->config.dtls, ports->context, &dtls, ports->now_ms);
    }
    if (ports->config.listen[DN_TRANSPORT_TLS].count > 0) {
        ports->tls = dn_secure_create(&ports->config.tls_streams, ports->context, &tls, ports->now_ms);
    }
    if ((ports->dtls == NULL) != (ports->config.listen[DN_TRANSPORT_DTLS].count == 0) ||
        (ports->tls == NULL) != (ports->config.listen[DN_TRANSPORT_TLS].count == 0)) {
        (void)snprintf(error, error_size, "no memory");
        return DUNLIN_ERR_MEMORY;
    }
    return DUNLIN_OK;
}

void dn_ports_sessions_close(dn_ports *ports)
{
    dn_secure_destroy(ports->dtls);
    dn_secure_destroy(ports->tls);
    dn_tls_context_give_up(ports->later.context);
    dn_tls_context_give_up(ports->context);
}

void dn_ports_sessions_connected(dn_ports *ports, const dn_peer *peer)
{
    if (!dn_secure_connected(ports->tls, peer, ports->now_ms)) {
        dn_tcp_close(ports->tcp, peer, true);
    }
}

void dn_ports_sessions_bytes(dn_ports *ports, const dn_peer *peer, dunlin_slice bytes)
{
    dn_secure *sessions = sessions_of(ports, peer);
    if (sessions != NULL) {
        dn_secure_receive(sessions, peer, bytes, ports->now_ms);
    }
}

void dn_ports_sessions_disconnected(dn_ports *ports, const dn_peer *peer)
{
    if (dn_peer_transport(peer) == DN_TRANSPORT_TLS) {
        dn_secure_disconnected(ports->tls, peer);
    }
}

bool dn_ports_sessions_send(dn_ports *ports, const dn_peer *peer, dunlin_slice message)
{
    dn_secure *sessions = sessions_of(ports, peer);
    return sessions != NULL && dn_secure_send(sessions, peer, message, ports->now_ms) == DUNLIN_OK;
}

void dn_ports_sessions_end(dn_ports *ports, const dn_peer *peer)
{
    dn_secure *sessions = sessions_of(ports, peer);
    if (sessions != NULL) {
        dn_secure_close(sessions, peer, ports->now_ms);
    }
}

const dn_identity *dn_ports_identity(const dn_ports *ports, const dn_peer *peer)
{
    const dn_secure *sessions = sessions_of(ports, peer);
    return sessions != NULL ? dn_secure_identity(sessions, peer) : NULL;
}

/* What other threads want. */

void dn_ports_revoke_later(dn_ports *ports, uint64_t credential)
{
    dn_ports_later *later = &ports->later;
    (void)pthread_mutex_lock(&later->lock);
    if (later->revoked_count == later->revoked_size) {
        size_t size = later->revoked_size > 0 ? later->revoked_size * 2 : 16;
        uint64_t *revoked = realloc(later->revoked, size * sizeof *revoked);
        if (revoked != NULL) {
            later->revoked = revoked;
            later->revoked_size = size;
        }
    }
    if (later->revoked_count < later->revoked_size) {
        later->revoked[later->revoked_count++] = credential;
    } else {
        later->revoke_all = true; /* rather one handshake too many than a session too long */
    }
    atomic_store(&later->waits, true);
    (void)pthread_mutex_unlock(&later->lock);
}

void dn_ports_use_later(dn_ports *ports, dn_tls_context *context)
{
    dn_ports_later *later = &ports->later;
    (void)pthread_mutex_lock(&later->lock);
    dn_tls_context_give_up(later->context);
    later->context = dn_tls_context_keep(context);
    atomic_store(&later->waits, true);
    (void)pthread_mutex_unlock(&later->lock);
}

static void use(dn_ports *ports, dn_tls_context *context)
{
    dn_tls_context_give_up(ports->context);
    ports->context = context;
    if (ports->dtls != NULL) {
        dn_secure_use(ports->dtls, context);
    }
    if (ports->tls != NULL) {
        dn_secure_use(ports->tls, context);
    }
}

static void revoke(dn_ports *ports, uint64_t credential)
{
    if (ports->dtls != NULL) {
        (void)dn_secure_revoke(ports->dtls, credential, ports->now_ms);
    }
    if (ports->tls != NULL) {
        (void)dn_secure_revoke(ports->tls, credential, ports->now_ms);
    }
}

/* Takes the wishes out under the lock, and fulfils them without it: callbacks come from within. */
static void fulfil(dn_ports *ports)
{
    (void)pthread_mutex_lock(&ports->later.lock);
    uint64_t *revoked = ports->later.revoked;
    size_t count = ports->later.revoked_count;
    bool all = ports->later.revoke_all;
    dn_tls_context *context = ports->later.context;
    ports->later.revoked = NULL;
    ports->later.revoked_count = ports->later.revoked_size = 0;
    ports->later.revoke_all = false;
    ports->later.context = NULL;
    atomic_store(&ports->later.waits, false);
    (void)pthread_mutex_unlock(&ports->later.lock);
    if (context != NULL) {
        use(ports, context);
    }
    if ((count > 0 || all) && ports->context != NULL) {
        dn_tls_context_drop_tickets(ports->context);
    }
    if (all) {
        revoke(ports, DN_SECURE_EVERYBODY);
    }
    for (size_t i = 0; i < count; i++) {
        revoke(ports, revoked[i]);
    }
    free(revoked);
}

void dn_ports_sessions_expire(dn_ports *ports)
{
    if (atomic_load(&ports->later.waits)) {
        fulfil(ports);
    }
    if (ports->dtls != NULL) {
        dn_secure_expire(ports->dtls, ports->now_ms);
    }
    if (ports->tls != NULL) {
        dn_secure_expire(ports->tls, ports->now_ms);
    }
}

uint64_t dn_ports_sessions_deadline(const dn_ports *ports)
{
    uint64_t dtls = ports->dtls != NULL ? dn_secure_deadline(ports->dtls) : UINT64_MAX;
    uint64_t tls = ports->tls != NULL ? dn_secure_deadline(ports->tls) : UINT64_MAX;
    return dtls < tls ? dtls : tls;
}
