/* SPDX-License-Identifier: Apache-2.0 */
/* The ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bearer/tcp_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_opened(void *context, const dn_peer *peer)
{
    tcp_side *s = context;
    assert_true(s->opened < PEERS_MAX);
    s->peers[s->opened++] = *peer;
    if (s->close_in_opened) {
        dn_tcp_close(s->tcp, peer, true);
    }
}

static void on_bytes(void *context, const dn_peer *peer, dunlin_slice bytes)
{
    tcp_side *s = context;
    assert_true(s->got_len + bytes.len <= sizeof s->got);
    memcpy(s->got + s->got_len, bytes.data, bytes.len);
    s->got_len += bytes.len;
    if (s->echo) {
        (void)dn_tcp_send(s->tcp, peer, bytes);
    }
    for (size_t i = 0; s->close_others && i < s->opened; i++) {
        if (!dn_peer_equal(&s->peers[i], peer)) {
            dn_tcp_close(s->tcp, &s->peers[i], true);
        }
    }
    if (s->close_in_bytes) {
        dn_tcp_close(s->tcp, peer, false);
        assert_int_equal(dn_tcp_send(s->tcp, peer, bytes), DUNLIN_ERR_NOT_FOUND);
    }
}

static void on_closed(void *context, const dn_peer *peer, dunlin_status status)
{
    tcp_side *s = context;
    s->closed++;
    s->status = status;
    s->closed_peer = *peer;
    assert_int_equal(dn_tcp_send(s->tcp, peer, dunlin_slice_make("x", 1)), DUNLIN_ERR_NOT_FOUND);
}

tcp_side *tcp_make(const dn_tcp_config *config, const char *address)
{
    dn_tcp_config standard = dn_tcp_config_default();
    tcp_side *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->now_ms = 1000000;
    dn_tcp_callbacks call = {.opened = on_opened, .bytes = on_bytes, .closed = on_closed, .context = s};
    assert_int_equal(dn_tcp_create(config != NULL ? config : &standard, &call, &s->tcp), DUNLIN_OK);
    if (address != NULL) {
        assert_int_equal(dn_tcp_listen(s->tcp, address, DN_TRANSPORT_TCP, s->address), DUNLIN_OK);
    }
    assert_false(dn_tcp_work(s->tcp, s->now_ms));
    return s;
}

void tcp_drop(tcp_side *s)
{
    dn_tcp_destroy(s->tcp);
    free(s);
}

/* A turn: waits until the descriptor says that there is something to do, then does it. */
void tcp_turn(tcp_side *s)
{
    struct pollfd wait = {.fd = dn_tcp_fd(s->tcp), .events = POLLIN};
    assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
    (void)dn_tcp_work(s->tcp, s->now_ms);
    dn_tcp_flush(s->tcp);
}

bool tcp_is_quiet(const tcp_side *s)
{
    struct pollfd wait = {.fd = dn_tcp_fd(s->tcp), .events = POLLIN};
    return poll(&wait, 1, 0) == 0;
}

void tcp_until(tcp_side *s, const size_t *count, size_t wanted)
{
    while (*count < wanted) {
        tcp_turn(s);
    }
}

/* A plain client, so that the bearer is not tested against itself alone. */
int tcp_dial(const tcp_side *s)
{
    dn_peer peer;
    assert_int_equal(dn_udp_peer_parse(s->address, &peer), DUNLIN_OK);
    int fd;
    if (dn_udp_peer_family(&peer) == 4) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(dn_udp_peer_port(&peer))};
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    } else {
        struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(dn_udp_peer_port(&peer))};
        to.sin6_addr = in6addr_loopback;
        fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    }
    return fd;
}

void tcp_put(int fd, const char *bytes)
{
    assert_int_equal(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
}

void tcp_expect(int fd, const char *bytes)
{
    char got[64];
    size_t have = 0, want = strlen(bytes);
    assert_true(want <= sizeof got);
    while (have < want) {
        ssize_t count = recv(fd, got + have, want - have, 0);
        assert_true(count > 0);
        have += (size_t)count;
    }
    assert_memory_equal(got, bytes, want);
}

/* 1: the other end closed; 0: bytes; else -errno. */
int tcp_outcome(int fd)
{
    char byte;
    struct timeval limit = {.tv_sec = WAIT_MS / 1000};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ssize_t got = recv(fd, &byte, 1, 0);
    return got == 0 ? 1 : got > 0 ? 0 : -errno;
}

void tcp_abort_fd(int fd)
{
    struct linger now = {.l_onoff = 1};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    (void)close(fd);
}
