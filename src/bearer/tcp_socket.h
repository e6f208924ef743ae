/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets as the TCP bearer wants them: non-blocking, without Nagle's delay, with keep-alive. For the bearer's own files. Errors are in `errno`.
 */
#ifndef DN_BEARER_TCP_SOCKET_H
#define DN_BEARER_TCP_SOCKET_H

#include "bearer/udp.h"

/* -1: `errno` says why. `text`, may be NULL, gets the bound address. */
int dn_tcp_socket_listen(const dn_peer *address, char text[DN_UDP_TEXT_MAX]);
/* -1 with EAGAIN: nobody waits. */
int dn_tcp_socket_accept(int listener, uint32_t keepalive_s, dn_peer *peer);
/* A connection that has begun; it is there, or has failed, when the socket can be written to. -1: not even that. */
int dn_tcp_socket_connect(const dn_peer *peer, uint32_t keepalive_s);
/* 0: it is connected; else an errno. */
int dn_tcp_socket_error(int fd);
/* True when the socket is connected to itself: on this host, towards a port where nobody listens, TCP can do that. */
bool dn_tcp_socket_is_own_end(int fd, const dn_peer *peer);
/* With a reset: the other end learns at once, and the kernel keeps nothing. */
void dn_tcp_socket_abort(int fd);

#endif
