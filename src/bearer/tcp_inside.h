/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the TCP bearer that its files share: the connection's record and how it ends. For tcp.c, tcp_listener.c and tcp_connection.c.
 *
 * A record lives in the table while its peer means this connection to the caller; behind that it may still send its last bytes (LEAVING). It
 * is freed only when no list of events can hold it any more.
 */
#ifndef DN_BEARER_TCP_INSIDE_H
#define DN_BEARER_TCP_INSIDE_H

#include "base/deadline.h"
#include "bearer/host_count.h"
#include "bearer/tcp.h"

#include <sys/epoll.h>

#define DN_TCP_LISTENERS_MAX 64u
#define DN_TCP_READ_MAX      32768u /* bytes taken from a connection in a turn */

typedef enum {
    DN_TCP_CONNECTING,
    DN_TCP_OPEN,
    DN_TCP_FAILED,  /* its socket is closed; `closed` is due, which its deadline tells */
    DN_TCP_LEAVING, /* the caller has closed it, or the other end has: what is gathered goes out */
    DN_TCP_GONE     /* to be freed */
} dn_tcp_state;

/* What an epoll event points to. */
typedef struct {
    bool is_listener;
} dn_tcp_source;

typedef struct {
    dn_tcp_source source;
    int fd;
    uint8_t transport;
    bool paused;
} dn_tcp_listener;

typedef struct dn_tcp_connection {
    dn_tcp_source source;
    uint8_t state;
    bool dirty;  /* in the list of those with bytes for the next flush */
    bool at_end; /* the other end sends no more */
    bool shut;   /* we have told that we send no more */
    int fd;
    int status;      /* FAILED: for `closed` */
    uint32_t events; /* that epoll watches for */
    dn_peer_node node;
    dn_deadline deadline;
    dn_host *host; /* NULL: it is one of ours */
    uint8_t *out;  /* allocated only while something is unsent */
    uint32_t out_at, out_len, out_size;
    uint32_t released;                                     /* of out: what a flush has let out */
    struct dn_tcp_connection *next, *previous;             /* of all */
    struct dn_tcp_connection *next_dirty, *previous_dirty; /* GONE: next_dirty is the next to be freed */
} dn_tcp_connection;

struct dn_tcp {
    dn_tcp_config config;
    dn_tcp_callbacks call;
    dn_tcp_counters counters;
    int epoll_fd;
    bool working;
    dn_wheel wheel;
    dn_deadline accept_again;
    dn_peer_table table;
    dn_host_count hosts;
    dn_tcp_listener *listeners[DN_TCP_LISTENERS_MAX];
    size_t listener_count;
    bool accepting_paused;
    dn_tcp_connection *all, *dirty, *graves;
    size_t sockets;  /* of connections, the leaving ones too */
    uint64_t unsent; /* bytes of memory for what is unsent */
    struct epoll_event *ready;
    uint8_t read[DN_TCP_READ_MAX];
};

/* tcp_connection.c */

/* Takes a socket over. NULL: no memory; the socket is closed. */
dn_tcp_connection *dn_tcp_connection_add(dn_tcp *tcp, int fd, const dn_peer *peer, dn_tcp_state state,
                                         dn_host *host);
dunlin_status dn_tcp_connection_gather(dn_tcp *tcp, dn_tcp_connection *connection, dunlin_slice bytes);
/* Closes the socket with a reset; `closed` follows from the next work. */
void dn_tcp_connection_fail(dn_tcp *tcp, dn_tcp_connection *connection, dunlin_status status);
/* The peer means nothing any more; what is gathered still goes out. */
void dn_tcp_connection_leave(dn_tcp *tcp, dn_tcp_connection *connection);
/* At once, without callback. */
void dn_tcp_connection_end(dn_tcp *tcp, dn_tcp_connection *connection, bool abort);
/* Takes it out and calls `closed`. */
void dn_tcp_connection_report(dn_tcp *tcp, dn_tcp_connection *connection, dunlin_status status);
/* Writes what is released; what the socket does not take waits for it. */
void dn_tcp_connection_write(dn_tcp *tcp, dn_tcp_connection *connection);
void dn_tcp_connection_ready(dn_tcp *tcp, dn_tcp_connection *connection, uint32_t events);
void dn_tcp_connection_expired(dn_tcp *tcp, dn_tcp_connection *connection);
void dn_tcp_connection_free_graves(dn_tcp *tcp);

/* tcp_listener.c */

void dn_tcp_listener_ready(dn_tcp *tcp, dn_tcp_listener *listener);
/* A descriptor has become free, or it is time to try. */
void dn_tcp_listener_resume(dn_tcp *tcp);

#endif
