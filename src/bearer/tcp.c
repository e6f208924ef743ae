/* SPDX-License-Identifier: Apache-2.0 */
/* The TCP bearer as a whole: its connections and listeners behind one epoll. */
#include "bearer/tcp.h"

#include "bearer/tcp_inside.h"
#include "bearer/tcp_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

dn_tcp_config dn_tcp_config_default(void)
{
    return (dn_tcp_config){.max_connections = 10000,
                           .max_per_host = 1000,
                           .max_unsent = 65536,
                           .max_unsent_total = (uint64_t)256 * 1024 * 1024,
                           .connect_ms = 30000,
                           .keepalive_s = 600,
                           .work_max = 256};
}

static bool set_up(dn_tcp *tcp)
{
    dn_hash_key key;
    tcp->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    tcp->ready = calloc(tcp->config.work_max, sizeof *tcp->ready);
    return tcp->epoll_fd >= 0 && tcp->ready != NULL &&
           getrandom(&key, sizeof key, 0) == (ssize_t)sizeof key && dn_peer_table_init(&tcp->table, &key) &&
           dn_host_count_init(&tcp->hosts, &key);
}

dunlin_status dn_tcp_create(const dn_tcp_config *config, const dn_tcp_callbacks *callbacks, dn_tcp **tcp)
{
    if (config->work_max == 0 || config->max_unsent == 0 || config->max_unsent > INT32_MAX) {
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_tcp *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    made->config = *config;
    made->call = *callbacks;
    dn_wheel_init(&made->wheel, 0);
    if (!set_up(made)) {
        dn_tcp_destroy(made);
        return DUNLIN_ERR_IO;
    }
    *tcp = made;
    return DUNLIN_OK;
}

void dn_tcp_destroy(dn_tcp *tcp)
{
    if (tcp == NULL) {
        return;
    }
    while (tcp->all != NULL) {
        dn_tcp_connection_end(tcp, tcp->all, false);
    }
    for (size_t i = 0; i < tcp->listener_count; i++) {
        (void)close(tcp->listeners[i]->fd);
        free(tcp->listeners[i]);
    }
    if (tcp->epoll_fd >= 0) {
        (void)close(tcp->epoll_fd);
    }
    dn_peer_table_free(&tcp->table);
    dn_host_count_free(&tcp->hosts);
    free(tcp->ready);
    free(tcp);
}

static dn_tcp_connection *find(const dn_tcp *tcp, const dn_peer *peer)
{
    dn_peer_node *node = dn_peer_table_find(&tcp->table, peer);
    return node != NULL ? DN_CONTAINER(node, dn_tcp_connection, node) : NULL;
}

dunlin_status dn_tcp_connect(dn_tcp *tcp, const dn_peer *peer, uint64_t now_ms)
{
    if (!dn_transport_is_stream(dn_peer_transport(peer)) || dn_udp_peer_family(peer) == 0) {
        return DUNLIN_ERR_ARGUMENT;
    }
    if (find(tcp, peer) != NULL) {
        return DUNLIN_ERR_DUPLICATE;
    }
    if (tcp->sockets >= tcp->config.max_connections) {
        return DUNLIN_ERR_LIMIT;
    }
    int fd = dn_tcp_socket_connect(peer, tcp->config.keepalive_s);
    dn_tcp_connection *connection =
        fd < 0 ? NULL : dn_tcp_connection_add(tcp, fd, peer, DN_TCP_CONNECTING, NULL);
    if (connection == NULL) {
        tcp->counters.failed++;
        return DUNLIN_ERR_IO;
    }
    dn_deadline_set(&tcp->wheel, &connection->deadline, now_ms + tcp->config.connect_ms);
    return DUNLIN_OK;
}

dunlin_status dn_tcp_send(dn_tcp *tcp, const dn_peer *peer, dunlin_slice bytes)
{
    dn_tcp_connection *connection = find(tcp, peer);
    if (connection == NULL || connection->state != DN_TCP_OPEN) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    return dn_tcp_connection_gather(tcp, connection, bytes);
}

void dn_tcp_close(dn_tcp *tcp, const dn_peer *peer, bool abort)
{
    dn_tcp_connection *connection = find(tcp, peer);
    if (connection != NULL && abort) {
        dn_tcp_connection_end(tcp, connection, true);
    } else if (connection != NULL) {
        dn_tcp_connection_leave(tcp, connection);
    }
}

int dn_tcp_fd(const dn_tcp *tcp)
{
    return tcp->epoll_fd;
}

/* What is due. */
static bool expire(dn_tcp *tcp, uint64_t now_ms)
{
    bool happened = false;
    dn_deadline *due;
    while ((due = dn_wheel_expire(&tcp->wheel, now_ms)) != NULL) {
        happened = true;
        if (due == &tcp->accept_again) {
            dn_tcp_listener_resume(tcp);
        } else {
            dn_tcp_connection_expired(tcp, DN_CONTAINER(due, dn_tcp_connection, deadline));
        }
    }
    return happened;
}

bool dn_tcp_work(dn_tcp *tcp, uint64_t now_ms)
{
    tcp->working = true;
    bool happened = expire(tcp, now_ms);
    int count = epoll_wait(tcp->epoll_fd, tcp->ready, (int)tcp->config.work_max, 0);
    for (int i = 0; i < count; i++) {
        dn_tcp_source *source = tcp->ready[i].data.ptr;
        if (source->is_listener) {
            dn_tcp_listener_ready(tcp, (dn_tcp_listener *)(void *)source);
        } else {
            dn_tcp_connection_ready(tcp, (dn_tcp_connection *)(void *)source, tcp->ready[i].events);
        }
    }
    tcp->working = false;
    dn_tcp_connection_free_graves(tcp);
    return happened || count > 0;
}

uint64_t dn_tcp_deadline(const dn_tcp *tcp)
{
    return dn_wheel_next(&tcp->wheel);
}

size_t dn_tcp_connections(const dn_tcp *tcp)
{
    return tcp->table.count;
}

const dn_tcp_counters *dn_tcp_count(const dn_tcp *tcp)
{
    return &tcp->counters;
}
