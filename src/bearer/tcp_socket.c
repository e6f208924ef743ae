/* SPDX-License-Identifier: Apache-2.0 */
/* TCP sockets and their options. */
#include "bearer/tcp_socket.h"

#include "bearer/udp_address.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define KEEPALIVE_PROBES     4
#define KEEPALIVE_INTERVAL_S 30
/* What we sent and the other end does not take is waited for no longer: else a peer that keeps its window shut holds a connection for
   ever. Longer than the gaps of a device on a bad radio link. */
#define USER_TIMEOUT_MS 180000

static bool set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* The connection works without any of them, so none is insisted on. */
static void set_options(int fd, uint32_t keepalive_s)
{
    (void)set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    (void)set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
    if (keepalive_s > 0) {
        (void)set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, keepalive_s < 32767 ? (int)keepalive_s : 32767);
        (void)set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
        (void)set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
        (void)set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    }
}

static void close_keeping_errno(int fd)
{
    int reason = errno;
    (void)close(fd);
    errno = reason;
}

static int open_for(const dn_peer *peer, struct sockaddr_storage *name, socklen_t *length)
{
    int family = dn_udp_peer_family(peer) == 4 ? AF_INET : AF_INET6;
    *length = dn_udp_peer_to_sockaddr(peer, family, name);
    if (*length == 0) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int dn_tcp_socket_listen(const dn_peer *address, char text[DN_UDP_TEXT_MAX])
{
    struct sockaddr_storage name = {0};
    socklen_t length;
    int fd = open_for(address, &name, &length);
    if (fd < 0) {
        return -1;
    }
    /* After a restart the address may be bound although connections of before linger. */
    if (!set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
        (name.ss_family == AF_INET6 && !set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)) ||
        bind(fd, (const struct sockaddr *)&name, length) != 0 || listen(fd, SOMAXCONN) != 0) {
        close_keeping_errno(fd);
        return -1;
    }
    socklen_t bound_length = sizeof name;
    dn_peer bound;
    if (text != NULL && getsockname(fd, (struct sockaddr *)&name, &bound_length) == 0 &&
        dn_udp_peer_from_sockaddr(&name, NULL, &bound)) {
        (void)dn_udp_peer_text(&bound, text);
    }
    return fd;
}

int dn_tcp_socket_accept(int listener, uint32_t keepalive_s, dn_peer *peer)
{
    for (;;) {
        struct sockaddr_storage from = {0};
        socklen_t length = sizeof from;
        int fd = accept4(listener, (struct sockaddr *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return -1;
        }
        if (dn_udp_peer_from_sockaddr(&from, NULL, peer)) {
            set_options(fd, keepalive_s);
            return fd;
        }
        (void)close(fd);
    }
}

int dn_tcp_socket_connect(const dn_peer *peer, uint32_t keepalive_s)
{
    struct sockaddr_storage name = {0};
    socklen_t length;
    int fd = open_for(peer, &name, &length);
    if (fd < 0) {
        return -1;
    }
    set_options(fd, keepalive_s);
    if (connect(fd, (const struct sockaddr *)&name, length) != 0 && errno != EINPROGRESS && errno != EINTR) {
        close_keeping_errno(fd);
        return -1;
    }
    return fd;
}

int dn_tcp_socket_error(int fd)
{
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

bool dn_tcp_socket_is_own_end(int fd, const dn_peer *peer)
{
    struct sockaddr_storage name = {0};
    socklen_t length = sizeof name;
    dn_peer own;
    if (getsockname(fd, (struct sockaddr *)&name, &length) != 0 ||
        !dn_udp_peer_from_sockaddr(&name, NULL, &own)) {
        return false;
    }
    dn_peer_set_transport(&own, dn_peer_transport(peer));
    return dn_peer_equal(&own, peer);
}

void dn_tcp_socket_abort(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    (void)close(fd);
}
