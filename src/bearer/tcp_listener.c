/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets: who is accepted, and what happens when there is no descriptor left. */
#include "bearer/tcp_inside.h"
#include "bearer/tcp_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define ACCEPT_MAX      64u   /* in a turn, so that those who are here are served */
#define ACCEPT_AGAIN_MS 1000u /* descriptors may have been taken by others than us */

static void watch(dn_tcp *tcp, dn_tcp_listener *listener, bool paused)
{
    struct epoll_event event = {.events = paused ? 0 : EPOLLIN, .data.ptr = listener};
    (void)epoll_ctl(tcp->epoll_fd, EPOLL_CTL_MOD, listener->fd, &event);
    listener->paused = paused;
}

/* Who waits stays in the kernel's queue, and the descriptor says so all the time: not to look keeps us from spinning. */
static void pause_accepting(dn_tcp *tcp, dn_tcp_listener *listener)
{
    watch(tcp, listener, true);
    tcp->accepting_paused = true;
    dn_deadline_set(&tcp->wheel, &tcp->accept_again, tcp->wheel.now_ms + ACCEPT_AGAIN_MS);
}

void dn_tcp_listener_resume(dn_tcp *tcp)
{
    if (!tcp->accepting_paused) {
        return;
    }
    tcp->accepting_paused = false;
    dn_deadline_cancel(&tcp->wheel, &tcp->accept_again);
    for (size_t i = 0; i < tcp->listener_count; i++) {
        if (tcp->listeners[i]->paused) {
            watch(tcp, tcp->listeners[i], false);
        }
    }
}

static void admit(dn_tcp *tcp, int fd, const dn_peer *peer)
{
    dn_host *host = tcp->sockets < tcp->config.max_connections
                        ? dn_host_enter(&tcp->hosts, peer, tcp->config.max_per_host)
                        : NULL;
    if (host == NULL) {
        tcp->counters.refused++;
        dn_tcp_socket_abort(fd);
        return;
    }
    /* The kernel gives the same address and port a second time only when the first connection is dead, or had another address of ours. */
    dn_peer_node *node = dn_peer_table_find(&tcp->table, peer);
    if (node != NULL) {
        dn_tcp_connection_report(tcp, DN_CONTAINER(node, dn_tcp_connection, node), DUNLIN_ERR_IO);
    }
    if (dn_tcp_connection_add(tcp, fd, peer, DN_TCP_OPEN, host) == NULL) {
        dn_host_leave(&tcp->hosts, host);
        tcp->counters.refused++;
        return;
    }
    tcp->counters.accepted++;
    tcp->call.opened(tcp->call.context, peer);
}

void dn_tcp_listener_ready(dn_tcp *tcp, dn_tcp_listener *listener)
{
    for (unsigned i = 0; i < ACCEPT_MAX; i++) {
        dn_peer peer;
        int fd = dn_tcp_socket_accept(listener->fd, tcp->config.keepalive_s, &peer);
        if (fd >= 0) {
            dn_peer_set_transport(&peer, (dn_transport)listener->transport);
            admit(tcp, fd, &peer);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(tcp, listener);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
        /* Anything else is the error of that one connection: the next may be well. */
    }
}

dunlin_status dn_tcp_listen(dn_tcp *tcp, const char *address, dn_transport transport,
                            char text[DN_UDP_TEXT_MAX])
{
    dn_peer bound;
    if (!dn_transport_is_stream(transport) || dn_udp_peer_parse(address, &bound) != DUNLIN_OK) {
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_tcp_listener *listener =
        tcp->listener_count < DN_TCP_LISTENERS_MAX ? calloc(1, sizeof *listener) : NULL;
    if (listener == NULL) {
        return DUNLIN_ERR_LIMIT;
    }
    *listener = (dn_tcp_listener){.source = {.is_listener = true}, .transport = (uint8_t)transport};
    listener->fd = dn_tcp_socket_listen(&bound, text);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = listener};
    if (listener->fd < 0 || epoll_ctl(tcp->epoll_fd, EPOLL_CTL_ADD, listener->fd, &event) != 0) {
        int reason = errno;
        if (listener->fd >= 0) {
            (void)close(listener->fd);
        }
        free(listener);
        errno = reason;
        return DUNLIN_ERR_IO;
    }
    tcp->listeners[tcp->listener_count++] = listener;
    return DUNLIN_OK;
}
