/* SPDX-License-Identifier: Apache-2.0 */
/* All ports of a server: opened together, polled together, flushed together. */
#include "endpoint/ports.h"

#include "endpoint/ports_inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void system_random(void *context, void *out, size_t len)
{
    uint8_t *at = out;
    (void)context;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno != EINTR) {
            abort(); /* no kernel that we run on lacks it, and nothing is safe without it */
        }
        at += got > 0 ? got : 0;
        len -= got > 0 ? (size_t)got : 0;
    }
}

dn_ports_config dn_ports_config_default(void)
{
    dn_ports_config config = {.tcp = dn_tcp_config_default(),
                              .dtls = dn_secure_config_default(DN_TRANSPORT_DTLS),
                              .tls_streams = dn_secure_config_default(DN_TRANSPORT_TLS),
                              .max_message = 1152,
                              .max_stream_message = 8192,
                              .stream_wait_ms = 60000,
                              .batch = 32};
    config.dtls.random.fill = system_random;
    config.tls_streams.random.fill = system_random;
    return config;
}

static const char *const names[] = {"CoAP", "CoAP over DTLS", "CoAP over TCP", "CoAP over TLS"};

static dunlin_status open_datagrams(dn_ports *ports, dn_transport transport, char *error, size_t error_size)
{
    const dn_ports_addresses *listen = &ports->config.listen[transport];
    dn_outlets *outlets = &ports->datagrams[transport];
    for (size_t i = 0; i < listen->count; i++) {
        dunlin_status status = dn_outlets_open(outlets, listen->addresses[i], error, error_size);
        if (status != DUNLIN_OK) {
            return status;
        }
        dn_log_at(ports->config.log, DN_LOG_INFO, DN_PORTS_AREA, "listening for %s on %s", names[transport],
                  outlets->outlet[i]->udp.text);
    }
    return DUNLIN_OK;
}

static dunlin_status check(const dn_ports_config *config, char *error, size_t error_size)
{
    size_t count = 0;
    for (unsigned i = 0; i < 4; i++) {
        if (config->listen[i].count > DN_PORTS_MAX) {
            (void)snprintf(error, error_size, "more than %u addresses for %s", DN_PORTS_MAX, names[i]);
            return DUNLIN_ERR_ARGUMENT;
        }
        count += config->listen[i].count;
    }
    if (count == 0 && !config->may_be_none) {
        (void)snprintf(error, error_size, "no address to listen on");
        return DUNLIN_ERR_ARGUMENT;
    }
    if (config->tls == NULL &&
        config->listen[DN_TRANSPORT_DTLS].count + config->listen[DN_TRANSPORT_TLS].count > 0) {
        (void)snprintf(error, error_size, "DTLS and TLS need credentials to be set up");
        return DUNLIN_ERR_ARGUMENT;
    }
    return DUNLIN_OK;
}

static dunlin_status set_up(dn_ports *ports, char *error, size_t error_size)
{
    dunlin_status status = check(&ports->config, error, error_size);
    if (status != DUNLIN_OK) {
        return status;
    }
    ports->batch = malloc(sizeof *ports->batch);
    if (ports->batch == NULL) {
        (void)snprintf(error, error_size, "no memory");
        return DUNLIN_ERR_MEMORY;
    }
    status = open_datagrams(ports, DN_TRANSPORT_UDP, error, error_size);
    if (status == DUNLIN_OK) {
        status = open_datagrams(ports, DN_TRANSPORT_DTLS, error, error_size);
    }
    if (status == DUNLIN_OK) {
        status = dn_ports_sessions_open(ports, error, error_size);
    }
    if (status == DUNLIN_OK) {
        status = dn_ports_streams_open(ports, error, error_size);
    }
    return status;
}

dunlin_status dn_ports_open(const dn_ports_config *config, const dn_ports_callbacks *callbacks,
                            uint64_t now_ms, dn_ports **ports, char *error, size_t error_size)
{
    dn_ports *made = calloc(1, sizeof *made);
    if (made == NULL) {
        (void)snprintf(error, error_size, "no memory");
        return DUNLIN_ERR_MEMORY;
    }
    made->config = *config;
    made->call = *callbacks;
    made->now_ms = now_ms;
    made->config.dtls.log = config->dtls.log != NULL ? config->dtls.log : config->log;
    made->config.tls_streams.log = config->tls_streams.log != NULL ? config->tls_streams.log : config->log;
    (void)pthread_mutex_init(&made->later.lock, NULL);
    dunlin_status status = set_up(made, error, error_size);
    /* The lists of addresses are the caller's. */
    memset(made->config.listen, 0, sizeof made->config.listen);
    if (status != DUNLIN_OK) {
        dn_ports_close(made);
        return status;
    }
    *ports = made;
    return DUNLIN_OK;
}

void dn_ports_close(dn_ports *ports)
{
    if (ports == NULL) {
        return;
    }
    dn_ports_streams_close(ports);
    dn_ports_sessions_close(ports);
    dn_outlets_close(&ports->datagrams[0]);
    dn_outlets_close(&ports->datagrams[1]);
    free(ports->later.revoked);
    (void)pthread_mutex_destroy(&ports->later.lock);
    free(ports->batch);
    free(ports);
}

const char *dn_ports_address(const dn_ports *ports, dn_transport transport, size_t index)
{
    if (dn_transport_is_stream(transport)) {
        size_t kind = transport - DN_TRANSPORT_TCP;
        return index < ports->stream_count[kind] ? ports->stream_text[kind][index] : NULL;
    }
    const dn_outlets *outlets = &ports->datagrams[transport];
    return index < outlets->count ? outlets->outlet[index]->udp.text : NULL;
}

/* Input. */

static void take_datagram(dn_ports *ports, dn_transport transport, dn_udp_datagram *datagram)
{
    if (transport == DN_TRANSPORT_UDP) {
        ports->call.message(ports->call.context, &datagram->peer, datagram->bytes);
    } else {
        dn_peer_set_transport(&datagram->peer, transport);
        dn_ports_sessions_bytes(ports, &datagram->peer, datagram->bytes);
    }
}

static size_t receive_datagrams(dn_ports *ports, dn_transport transport, dunlin_status *status)
{
    dn_outlets *outlets = &ports->datagrams[transport];
    size_t received = 0;
    for (size_t i = 0; i < outlets->count && *status == DUNLIN_OK; i++) {
        if (dn_udp_receive(&outlets->outlet[i]->udp, ports->batch, ports->config.batch) == DUNLIN_ERR_IO) {
            *status = DUNLIN_ERR_IO;
            return received;
        }
        for (size_t at = 0; at < ports->batch->count; at++) {
            take_datagram(ports, transport, &ports->batch->datagram[at]);
        }
        received += ports->batch->count;
    }
    return received;
}

size_t dn_ports_receive(dn_ports *ports, uint64_t now_ms, dunlin_status *status)
{
    dunlin_status outcome = DUNLIN_OK;
    ports->now_ms = now_ms;
    size_t received = receive_datagrams(ports, DN_TRANSPORT_UDP, &outcome);
    received += receive_datagrams(ports, DN_TRANSPORT_DTLS, &outcome);
    if (ports->tcp != NULL && outcome == DUNLIN_OK) {
        received += dn_tcp_work(ports->tcp, now_ms);
    }
    if (status != NULL) {
        *status = outcome;
    }
    return received;
}

/* Output. */

void dn_ports_send(dn_ports *ports, const dn_peer *peer, dunlin_slice message, uint64_t now_ms)
{
    dn_transport transport = dn_peer_transport(peer);
    size_t most = dn_transport_is_stream(transport) ? SIZE_MAX : ports->config.max_message;
    bool sent = false;
    ports->now_ms = now_ms;
    if (message.len > most) {
        sent = false;
    } else if (transport == DN_TRANSPORT_UDP) {
        dn_outlets_send(&ports->datagrams[DN_TRANSPORT_UDP], peer, message);
        sent = true; /* or counted there */
    } else if (transport == DN_TRANSPORT_TCP) {
        sent = ports->tcp != NULL && dn_tcp_send(ports->tcp, peer, message) == DUNLIN_OK;
    } else {
        sent = dn_ports_sessions_send(ports, peer, message);
    }
    ports->dropped += !sent;
}

void dn_ports_flush(dn_ports *ports)
{
    dn_outlets_flush(&ports->datagrams[DN_TRANSPORT_UDP]);
    dn_outlets_flush(&ports->datagrams[DN_TRANSPORT_DTLS]);
    if (ports->tcp != NULL) {
        dn_tcp_flush(ports->tcp);
    }
}

void dn_ports_end(dn_ports *ports, const dn_peer *peer, uint64_t now_ms)
{
    dn_transport transport = dn_peer_transport(peer);
    ports->now_ms = now_ms;
    if (dn_transport_is_secure(transport)) {
        dn_ports_sessions_end(ports, peer);
    }
    if (dn_transport_is_stream(transport) && ports->tcp != NULL) {
        (void)dn_ports_stream_remove(ports, peer);
        dn_tcp_close(ports->tcp, peer, false);
    }
}

bool dn_ports_reaches(const dn_ports *ports, const dn_peer *peer)
{
    switch (dn_peer_transport(peer)) {
    case DN_TRANSPORT_UDP:
        return ports->datagrams[DN_TRANSPORT_UDP].count > 0;
    case DN_TRANSPORT_DTLS:
        return dn_ports_identity(ports, peer) != NULL;
    default:
        return dn_ports_stream_is_there(ports, peer);
    }
}

/* Time. */

void dn_ports_expire(dn_ports *ports, uint64_t now_ms)
{
    ports->now_ms = now_ms;
    dn_ports_sessions_expire(ports);
    dn_ports_streams_expire(ports);
}

uint64_t dn_ports_deadline(const dn_ports *ports)
{
    if (atomic_load(&ports->later.waits)) {
        return 0;
    }
    uint64_t streams = dn_ports_streams_deadline(ports);
    uint64_t sessions = dn_ports_sessions_deadline(ports);
    return streams < sessions ? streams : sessions;
}

size_t dn_ports_fds(const dn_ports *ports, struct pollfd fds[DN_PORTS_FDS_MAX])
{
    size_t count = 0;
    for (size_t kind = 0; kind < 2; kind++) {
        for (size_t i = 0; i < ports->datagrams[kind].count; i++) {
            const dn_outlet *outlet = ports->datagrams[kind].outlet[i];
            short wanted = outlet->used > 0 ? POLLIN | POLLOUT : POLLIN;
            fds[count++] = (struct pollfd){.fd = outlet->udp.fd, .events = wanted};
        }
    }
    if (ports->tcp != NULL) {
        fds[count++] = (struct pollfd){.fd = dn_tcp_fd(ports->tcp), .events = POLLIN};
    }
    return count;
}

void dn_ports_count(const dn_ports *ports, dn_ports_counters *out)
{
    *out = (dn_ports_counters){.malformed_streams = ports->malformed, .slow_streams = ports->slow};
    if (ports->dtls != NULL) {
        out->dtls = *dn_secure_count(ports->dtls);
    }
    if (ports->tls != NULL) {
        out->tls = *dn_secure_count(ports->tls);
    }
    if (ports->tcp != NULL) {
        out->tcp = *dn_tcp_count(ports->tcp);
        out->tcp_connections = dn_tcp_connections(ports->tcp);
    }
    out->dropped = ports->dropped + dn_outlets_dropped(&ports->datagrams[DN_TRANSPORT_UDP]) +
                   dn_outlets_dropped(&ports->datagrams[DN_TRANSPORT_DTLS]);
}
