/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: its bytes in and out, and the ways in which it ends. */
#include "bearer/tcp_inside.h"
#include "bearer/tcp_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUT_FIRST 512u
/* How long a connection that we have closed may take to send its last bytes and to see the other end close. */
#define LEAVE_MS 5000u

static void watch(dn_tcp *tcp, dn_tcp_connection *connection, uint32_t events)
{
    if (connection->events != events) {
        struct epoll_event event = {.events = events, .data.ptr = connection};
        (void)epoll_ctl(tcp->epoll_fd, EPOLL_CTL_MOD, connection->fd, &event);
        connection->events = events;
    }
}

dn_tcp_connection *dn_tcp_connection_add(dn_tcp *tcp, int fd, const dn_peer *peer, dn_tcp_state state,
                                         dn_host *host)
{
    dn_tcp_connection *connection = calloc(1, sizeof *connection);
    uint32_t events = state == DN_TCP_CONNECTING ? EPOLLOUT : EPOLLIN;
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (connection == NULL || epoll_ctl(tcp->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        free(connection);
        dn_tcp_socket_abort(fd);
        return NULL;
    }
    connection->state = (uint8_t)state;
    connection->fd = fd;
    connection->events = events;
    connection->host = host;
    connection->next = tcp->all;
    if (tcp->all != NULL) {
        tcp->all->previous = connection;
    }
    tcp->all = connection;
    tcp->sockets++;
    dn_peer_table_add(&tcp->table, &connection->node, peer);
    return connection;
}

/* Lists. */

static void make_dirty(dn_tcp *tcp, dn_tcp_connection *connection)
{
    if (!connection->dirty) {
        connection->dirty = true;
        connection->previous_dirty = NULL;
        connection->next_dirty = tcp->dirty;
        if (tcp->dirty != NULL) {
            tcp->dirty->previous_dirty = connection;
        }
        tcp->dirty = connection;
    }
}

static void make_clean(dn_tcp *tcp, dn_tcp_connection *connection)
{
    if (!connection->dirty) {
        return;
    }
    connection->dirty = false;
    *(connection->previous_dirty != NULL ? &connection->previous_dirty->next_dirty : &tcp->dirty) =
        connection->next_dirty;
    if (connection->next_dirty != NULL) {
        connection->next_dirty->previous_dirty = connection->previous_dirty;
    }
}

static void forget_peer(dn_tcp *tcp, dn_tcp_connection *connection)
{
    if (connection->state <= DN_TCP_FAILED) {
        dn_peer_table_remove(&tcp->table, &connection->node);
        tcp->counters.closed += connection->state == DN_TCP_OPEN;
    }
}

static void free_output(dn_tcp *tcp, dn_tcp_connection *connection)
{
    tcp->unsent -= connection->out_size;
    free(connection->out);
    connection->out = NULL;
    connection->out_at = connection->out_len = connection->out_size = connection->released = 0;
}

/* Its socket and all it held, but not the record. */
static void close_socket(dn_tcp *tcp, dn_tcp_connection *connection, bool abort)
{
    if (connection->fd < 0) {
        return;
    }
    if (abort) {
        dn_tcp_socket_abort(connection->fd);
    } else {
        (void)close(connection->fd);
    }
    connection->fd = -1;
    tcp->sockets--;
    make_clean(tcp, connection);
    free_output(tcp, connection);
    if (connection->host != NULL) {
        dn_host_leave(&tcp->hosts, connection->host);
        connection->host = NULL;
    }
    dn_tcp_listener_resume(tcp);
}

void dn_tcp_connection_free_graves(dn_tcp *tcp)
{
    while (tcp->graves != NULL) {
        dn_tcp_connection *connection = tcp->graves;
        tcp->graves = connection->next_dirty;
        free(connection);
    }
}

void dn_tcp_connection_end(dn_tcp *tcp, dn_tcp_connection *connection, bool abort)
{
    forget_peer(tcp, connection);
    close_socket(tcp, connection, abort);
    dn_deadline_cancel(&tcp->wheel, &connection->deadline);
    *(connection->previous != NULL ? &connection->previous->next : &tcp->all) = connection->next;
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
    connection->state = DN_TCP_GONE;
    connection->next_dirty = tcp->graves;
    tcp->graves = connection;
    if (!tcp->working) {
        dn_tcp_connection_free_graves(tcp);
    }
}

void dn_tcp_connection_report(dn_tcp *tcp, dn_tcp_connection *connection, dunlin_status status)
{
    dn_peer peer = connection->node.peer;
    tcp->counters.failed += connection->state == DN_TCP_CONNECTING;
    dn_tcp_connection_end(tcp, connection, true);
    tcp->call.closed(tcp->call.context, &peer, status);
}

void dn_tcp_connection_fail(dn_tcp *tcp, dn_tcp_connection *connection, dunlin_status status)
{
    if (connection->state == DN_TCP_LEAVING) {
        dn_tcp_connection_end(tcp, connection, true);
        return;
    }
    tcp->counters.closed++;
    connection->state = DN_TCP_FAILED;
    connection->status = status;
    close_socket(tcp, connection, true);
    dn_deadline_set(&tcp->wheel, &connection->deadline, 0);
}

/* Nothing is unsent: say so to the other end, and wait for it to close as well: closing a socket with bytes unread would reset the
   connection, and might so destroy the last ones on their way. */
static void say_goodbye(dn_tcp *tcp, dn_tcp_connection *connection)
{
    if (connection->at_end) {
        dn_tcp_connection_end(tcp, connection, false);
        return;
    }
    if (!connection->shut) {
        connection->shut = true;
        (void)shutdown(connection->fd, SHUT_WR);
    }
    watch(tcp, connection, EPOLLIN);
}

void dn_tcp_connection_leave(dn_tcp *tcp, dn_tcp_connection *connection)
{
    if (connection->state != DN_TCP_OPEN) {
        dn_tcp_connection_end(tcp, connection, true);
        return;
    }
    forget_peer(tcp, connection);
    connection->state = DN_TCP_LEAVING;
    dn_deadline_set(&tcp->wheel, &connection->deadline, tcp->wheel.now_ms + LEAVE_MS);
    if (connection->out == NULL) {
        say_goodbye(tcp, connection);
    }
}

/* Output. */

static bool make_room(dn_tcp *tcp, dn_tcp_connection *connection, size_t len)
{
    uint32_t unsent = connection->out_len - connection->out_at;
    if (len > tcp->config.max_unsent || unsent > tcp->config.max_unsent - len) {
        return false;
    }
    uint32_t needed = unsent + (uint32_t)len;
    uint32_t size = connection->out_size > 0 ? connection->out_size : OUT_FIRST;
    while (size < needed) {
        size *= 2;
    }
    if (size > connection->out_size) {
        uint32_t more = size - connection->out_size;
        if (tcp->unsent + more > tcp->config.max_unsent_total) {
            return false;
        }
        uint8_t *out = realloc(connection->out, size);
        if (out == NULL) {
            return false;
        }
        connection->out = out;
        connection->out_size = size;
        tcp->unsent += more;
    }
    if (connection->out_len + len > connection->out_size) {
        memmove(connection->out, connection->out + connection->out_at, unsent);
        connection->released -= connection->out_at;
        connection->out_at = 0;
        connection->out_len = unsent;
    }
    return true;
}

dunlin_status dn_tcp_connection_gather(dn_tcp *tcp, dn_tcp_connection *connection, dunlin_slice bytes)
{
    if (bytes.len == 0) {
        return DUNLIN_OK;
    }
    if (!make_room(tcp, connection, bytes.len)) {
        tcp->counters.overrun++;
        dn_tcp_connection_fail(tcp, connection, DUNLIN_ERR_LIMIT);
        return DUNLIN_ERR_LIMIT;
    }
    memcpy(connection->out + connection->out_len, bytes.data, bytes.len);
    connection->out_len += (uint32_t)bytes.len;
    make_dirty(tcp, connection);
    return DUNLIN_OK;
}

void dn_tcp_connection_write(dn_tcp *tcp, dn_tcp_connection *connection)
{
    uint32_t input = connection->at_end ? 0 : EPOLLIN;
    while (connection->out_at < connection->released) {
        ssize_t sent = send(connection->fd, connection->out + connection->out_at,
                            connection->released - connection->out_at, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)) {
            watch(tcp, connection, input | EPOLLOUT);
            return;
        }
        if (sent < 0) {
            dn_tcp_connection_fail(tcp, connection, DUNLIN_ERR_IO);
            return;
        }
        connection->out_at += (uint32_t)sent;
        tcp->counters.bytes_sent += (uint64_t)sent;
    }
    watch(tcp, connection, input);
    if (connection->out_at == connection->out_len) {
        free_output(tcp, connection);
        if (connection->state == DN_TCP_LEAVING) {
            say_goodbye(tcp, connection);
        }
    }
}

void dn_tcp_flush(dn_tcp *tcp)
{
    while (tcp->dirty != NULL) {
        dn_tcp_connection *connection = tcp->dirty;
        make_clean(tcp, connection);
        connection->released = connection->out_len;
        dn_tcp_connection_write(tcp, connection);
    }
}

/* Input. */

static void arrive(dn_tcp *tcp, dn_tcp_connection *connection)
{
    int error = dn_tcp_socket_error(connection->fd);
    if (error == 0 && dn_tcp_socket_is_own_end(connection->fd, &connection->node.peer)) {
        error = ECONNREFUSED;
    }
    if (error != 0) {
        dn_tcp_connection_report(tcp, connection,
                                 error == ECONNREFUSED ? DUNLIN_ERR_REJECTED
                                 : error == ETIMEDOUT  ? DUNLIN_ERR_TIMEOUT
                                                       : DUNLIN_ERR_IO);
        return;
    }
    connection->state = DN_TCP_OPEN;
    tcp->counters.connected++;
    dn_deadline_cancel(&tcp->wheel, &connection->deadline);
    watch(tcp, connection, EPOLLIN);
    dn_peer peer = connection->node.peer;
    tcp->call.opened(tcp->call.context, &peer);
}

/* The other end sends no more. Answers to what it has sent are gathered already, and still go out. */
static void reach_end(dn_tcp *tcp, dn_tcp_connection *connection)
{
    dn_peer peer = connection->node.peer;
    bool told = connection->state == DN_TCP_OPEN;
    connection->at_end = true;
    if (told) {
        dn_tcp_connection_leave(tcp, connection);
        tcp->call.closed(tcp->call.context, &peer, DUNLIN_END);
    } else if (connection->out == NULL) {
        dn_tcp_connection_end(tcp, connection, false);
    } else {
        watch(tcp, connection, connection->events & EPOLLOUT);
    }
}

static void take(dn_tcp *tcp, dn_tcp_connection *connection)
{
    ssize_t got = recv(connection->fd, tcp->read, sizeof tcp->read, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got == 0) {
        reach_end(tcp, connection);
    } else if (connection->state == DN_TCP_LEAVING) {
        if (got < 0) {
            dn_tcp_connection_end(tcp, connection, true);
        }
    } else if (got < 0) {
        dn_tcp_connection_report(tcp, connection, DUNLIN_ERR_IO);
    } else {
        dn_peer peer = connection->node.peer;
        tcp->counters.bytes_received += (uint64_t)got;
        tcp->call.bytes(tcp->call.context, &peer, dunlin_slice_make(tcp->read, (size_t)got));
    }
}

void dn_tcp_connection_ready(dn_tcp *tcp, dn_tcp_connection *connection, uint32_t events)
{
    if (connection->fd < 0) {
        return;
    }
    if (connection->state == DN_TCP_CONNECTING) {
        arrive(tcp, connection);
        return;
    }
    if ((events & (EPOLLHUP | EPOLLERR)) != 0 && connection->at_end) {
        dn_tcp_connection_end(tcp, connection, true);
        return;
    }
    if ((events & EPOLLOUT) != 0) {
        dn_tcp_connection_write(tcp, connection);
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && connection->fd >= 0) {
        take(tcp, connection);
    }
}

void dn_tcp_connection_expired(dn_tcp *tcp, dn_tcp_connection *connection)
{
    if (connection->state == DN_TCP_LEAVING) {
        dn_tcp_connection_end(tcp, connection, true);
    } else {
        dn_tcp_connection_report(tcp, connection,
                                 connection->state == DN_TCP_FAILED ? (dunlin_status)connection->status
                                                                    : DUNLIN_ERR_TIMEOUT);
    }
}
