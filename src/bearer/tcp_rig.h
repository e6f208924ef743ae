/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the TCP bearer: one end with its callbacks on loopback, and plain sockets at the other. */
#ifndef DN_BEARER_TCP_RIG_H
#define DN_BEARER_TCP_RIG_H

#include "bearer/tcp.h"

#define PEERS_MAX 64u
#define WAIT_MS   60000

typedef struct {
    dn_tcp *tcp;
    uint64_t now_ms;
    char address[DN_UDP_TEXT_MAX];
    dn_peer peers[PEERS_MAX]; /* in order of `opened` */
    size_t opened, closed;
    int status; /* of the last `closed` */
    dn_peer closed_peer;
    uint8_t got[1 << 20];
    size_t got_len;
    bool echo;            /* `bytes` sends them back */
    bool close_in_opened; /* the callbacks close the connection that calls */
    bool close_in_bytes;
    bool close_others; /* `bytes` closes all but the connection that calls */
} tcp_side;

/* NULL `config`: the default; NULL `address`: it does not listen. */
tcp_side *tcp_make(const dn_tcp_config *config, const char *address);
void tcp_drop(tcp_side *s);
/* Waits until the descriptor says that there is something to do, then does it. */
void tcp_turn(tcp_side *s);
/* True when it does not. */
bool tcp_is_quiet(const tcp_side *s);
/* Turns until *count is that much. */
void tcp_until(tcp_side *s, const size_t *count, size_t wanted);
/* A plain client, so that the bearer is not tested against itself alone. */
int tcp_dial(const tcp_side *s);
void tcp_put(int fd, const char *bytes);
void tcp_expect(int fd, const char *bytes);
/* 1: the other end closed; 0: bytes; else -errno. */
int tcp_outcome(int fd);
void tcp_abort_fd(int fd);

#endif
