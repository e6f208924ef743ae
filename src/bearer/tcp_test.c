/* SPDX-License-Identifier: Apache-2.0 */
/* The TCP bearer over loopback: real sockets, the time is ours, and nothing waits for longer than it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bearer/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEERS_MAX 64u
#define WAIT_MS   2000

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
} side;

static void on_opened(void *context, const dn_peer *peer)
{
    side *s = context;
    assert_true(s->opened < PEERS_MAX);
    s->peers[s->opened++] = *peer;
    if (s->close_in_opened) {
        dn_tcp_close(s->tcp, peer, true);
    }
}

static void on_bytes(void *context, const dn_peer *peer, dunlin_slice bytes)
{
    side *s = context;
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
    side *s = context;
    s->closed++;
    s->status = status;
    s->closed_peer = *peer;
    assert_int_equal(dn_tcp_send(s->tcp, peer, dunlin_slice_make("x", 1)), DUNLIN_ERR_NOT_FOUND);
}

static side *make(const dn_tcp_config *config, const char *address)
{
    dn_tcp_config standard = dn_tcp_config_default();
    side *s = calloc(1, sizeof *s);
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

static void drop(side *s)
{
    dn_tcp_destroy(s->tcp);
    free(s);
}

/* A turn: waits until the descriptor says that there is something to do, then does it. */
static void turn(side *s)
{
    struct pollfd wait = {.fd = dn_tcp_fd(s->tcp), .events = POLLIN};
    assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
    (void)dn_tcp_work(s->tcp, s->now_ms);
    dn_tcp_flush(s->tcp);
}

static bool is_quiet(const side *s)
{
    struct pollfd wait = {.fd = dn_tcp_fd(s->tcp), .events = POLLIN};
    return poll(&wait, 1, 0) == 0;
}

static void until(side *s, const size_t *count, size_t wanted)
{
    while (*count < wanted) {
        turn(s);
    }
}

/* A plain client, so that the bearer is not tested against itself alone. */
static int dial(const side *s)
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

static void put(int fd, const char *bytes)
{
    assert_int_equal(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
}

static void expect(int fd, const char *bytes)
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
static int outcome(int fd)
{
    char byte;
    struct timeval limit = {.tv_sec = WAIT_MS / 1000};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ssize_t got = recv(fd, &byte, 1, 0);
    return got == 0 ? 1 : got > 0 ? 0 : -errno;
}

static void abort_fd(int fd)
{
    struct linger now = {.l_onoff = 1};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    (void)close(fd);
}

static void echoes(void **state)
{
    static const char *const addresses[] = {"127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"};
    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        side *s = make(NULL, addresses[i]);
        s->echo = true;
        int fd = dial(s);
        put(fd, "hello");
        until(s, &s->got_len, 5);
        expect(fd, "hello");
        assert_int_equal(s->opened, 1);
        assert_int_equal(dn_peer_transport(&s->peers[0]), DN_TRANSPORT_TCP);
        assert_int_equal(dn_tcp_connections(s->tcp), 1);
        (void)close(fd);
        until(s, &s->closed, 1);
        assert_int_equal(s->status, DUNLIN_END);
        assert_true(dn_peer_equal(&s->closed_peer, &s->peers[0]));
        assert_int_equal(dn_tcp_connections(s->tcp), 0);
        const dn_tcp_counters *count = dn_tcp_count(s->tcp);
        assert_int_equal(count->accepted, 1);
        assert_int_equal(count->closed, 1);
        assert_int_equal(count->bytes_received, 5);
        assert_int_equal(count->bytes_sent, 5);
        drop(s);
    }
}

/* An IPv4 client of a socket bound to [::] is an IPv4 peer. */
static void wildcard_serves_both_families(void **state)
{
    (void)state;
    side *s = make(NULL, "[::]:0");
    dn_peer bound;
    assert_int_equal(dn_udp_peer_parse(s->address, &bound), DUNLIN_OK);
    (void)snprintf(s->address, sizeof s->address, "127.0.0.1:%u", dn_udp_peer_port(&bound));
    int fd = dial(s);
    until(s, &s->opened, 1);
    assert_int_equal(dn_udp_peer_family(&s->peers[0]), 4);
    (void)close(fd);
    drop(s);
}

static void byte_at_a_time(void **state)
{
    static const char text[] = "a byte at a time";
    (void)state;
    side *s = make(NULL, "127.0.0.1:0");
    int fd = dial(s);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        assert_int_equal(send(fd, text + i, 1, MSG_NOSIGNAL), 1);
        until(s, &s->got_len, i + 1);
    }
    assert_memory_equal(s->got, text, sizeof text - 1);
    (void)close(fd);
    drop(s);
}

static void nothing_leaves_before_flush(void **state)
{
    (void)state;
    side *s = make(NULL, "127.0.0.1:0");
    int fd = dial(s);
    until(s, &s->opened, 1);
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make("one", 3)), DUNLIN_OK);
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make("two", 3)), DUNLIN_OK);
    (void)dn_tcp_work(s->tcp, s->now_ms);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 0), 0);
    dn_tcp_flush(s->tcp);
    expect(fd, "onetwo");
    (void)close(fd);
    drop(s);
}

/* More than the kernel holds goes out in parts, in order, and the rest waits for room without anybody spinning. */
static void partial_writes(void **state)
{
    enum { TOTAL = 12 * 1024 * 1024, PIECE = 60000 };
    dn_tcp_config config = dn_tcp_config_default();
    config.max_unsent = TOTAL + PIECE;
    (void)state;
    side *s = make(&config, "127.0.0.1:0");
    int fd = dial(s);
    until(s, &s->opened, 1);
    uint8_t *piece = malloc(PIECE);
    assert_non_null(piece);
    for (size_t sent = 0; sent < TOTAL; sent += PIECE) {
        for (size_t i = 0; i < PIECE; i++) {
            piece[i] = (uint8_t)((sent + i) * 31 >> 3);
        }
        assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make(piece, PIECE)), DUNLIN_OK);
    }
    dn_tcp_flush(s->tcp);
    assert_true(is_quiet(s));
    size_t got = 0, want = (TOTAL + PIECE - 1) / PIECE * PIECE;
    assert_true(dn_tcp_count(s->tcp)->bytes_sent < want);
    while (got < want) {
        ssize_t count = recv(fd, piece, PIECE, MSG_DONTWAIT);
        if (count < 0) {
            assert_int_equal(errno, EAGAIN);
            turn(s);
            continue;
        }
        for (size_t i = 0; i < (size_t)count; i++) {
            assert_int_equal(piece[i], (uint8_t)((got + i) * 31 >> 3));
        }
        got += (size_t)count;
    }
    assert_int_equal(dn_tcp_count(s->tcp)->bytes_sent, want);
    assert_true(is_quiet(s));
    free(piece);
    (void)close(fd);
    drop(s);
}

static uint8_t pattern_at(size_t at)
{
    return (uint8_t)(at * 31 >> 3);
}

/* Sends the pattern's bytes [*at, *at + len). */
static void send_pattern(side *s, size_t *at, size_t len)
{
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = pattern_at(*at + i);
    }
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make(bytes, len)), DUNLIN_OK);
    *at += len;
    free(bytes);
}

/* Reads what is there, at most `most` bytes, and checks it. */
static void take_pattern(int fd, size_t *got, size_t most)
{
    uint8_t bytes[65536];
    ssize_t count = 1;
    for (size_t taken = 0; taken < most && count > 0; taken += (size_t)count) {
        count = recv(fd, bytes, most - taken < sizeof bytes ? most - taken : sizeof bytes, MSG_DONTWAIT);
        for (size_t i = 0; count > 0 && i < (size_t)count; i++) {
            assert_int_equal(bytes[i], pattern_at(*got + i));
        }
        *got += count > 0 ? (size_t)count : 0;
    }
}

/* What is gathered behind bytes that still wait for room stays in order, and stays here until it is flushed. */
static void gathering_behind_unsent(void **state)
{
    dn_tcp_config config = dn_tcp_config_default();
    config.max_unsent = 16 * 1024 * 1024;
    (void)state;
    side *s = make(&config, "127.0.0.1:0");
    int fd = dial(s);
    until(s, &s->opened, 1);
    size_t at = 0, got = 0;
    send_pattern(s, &at, 9 * 1024 * 1024);
    dn_tcp_flush(s->tcp);
    for (unsigned round = 0; round < 60; round++) {
        size_t flushed = at;
        send_pattern(s, &at, 400000);
        /* Some room for what was flushed; the work that finds it sends no more than that. */
        take_pattern(fd, &got, 350000);
        (void)dn_tcp_work(s->tcp, s->now_ms);
        assert_true(dn_tcp_count(s->tcp)->bytes_sent <= flushed);
        dn_tcp_flush(s->tcp);
    }
    assert_true(dn_tcp_count(s->tcp)->bytes_sent < at);
    send_pattern(s, &at, 400000);
    while (got < at - 400000) {
        take_pattern(fd, &got, SIZE_MAX);
        (void)dn_tcp_work(s->tcp, s->now_ms);
    }
    assert_int_equal(got, at - 400000);
    dn_tcp_flush(s->tcp);
    while (got < at) {
        take_pattern(fd, &got, SIZE_MAX);
        (void)dn_tcp_work(s->tcp, s->now_ms);
    }
    assert_int_equal(got, at);
    (void)close(fd);
    drop(s);
}

/* The same where the memory must be moved together for what comes behind. */
static void gathering_more_than_fits_behind(void **state)
{
    enum { MIB = 1024 * 1024 };
    dn_tcp_config config = dn_tcp_config_default();
    config.max_unsent = 16 * MIB;
    (void)state;
    side *s = make(&config, "127.0.0.1:0");
    int fd = dial(s);
    until(s, &s->opened, 1);
    size_t at = 0, got = 0;
    send_pattern(s, &at, 15 * MIB); /* in memory for 16 */
    dn_tcp_flush(s->tcp);
    while (dn_tcp_count(s->tcp)->bytes_sent < 5 * MIB) {
        take_pattern(fd, &got, MIB);
        (void)dn_tcp_work(s->tcp, s->now_ms);
    }
    send_pattern(s, &at, 4 * MIB);
    while (got < 15 * MIB) {
        take_pattern(fd, &got, SIZE_MAX);
        (void)dn_tcp_work(s->tcp, s->now_ms);
        assert_true(dn_tcp_count(s->tcp)->bytes_sent <= 15 * MIB);
    }
    dn_tcp_flush(s->tcp);
    while (got < at) {
        take_pattern(fd, &got, SIZE_MAX);
        (void)dn_tcp_work(s->tcp, s->now_ms);
    }
    (void)close(fd);
    drop(s);
}

/* The other end has said that it sends no more, and takes its time to read: nobody spins meanwhile, and it gets everything. */
static void half_close_of_a_slow_reader(void **state)
{
    dn_tcp_config config = dn_tcp_config_default();
    config.max_unsent = 16 * 1024 * 1024;
    (void)state;
    side *s = make(&config, "127.0.0.1:0");
    int fd = dial(s);
    until(s, &s->opened, 1);
    size_t at = 0, got = 0;
    send_pattern(s, &at, 12 * 1024 * 1024);
    dn_tcp_flush(s->tcp);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    until(s, &s->closed, 1);
    assert_int_equal(s->status, DUNLIN_END);
    (void)dn_tcp_work(s->tcp, s->now_ms);
    assert_true(is_quiet(s));
    while (got < at) {
        take_pattern(fd, &got, SIZE_MAX);
        (void)dn_tcp_work(s->tcp, s->now_ms);
    }
    assert_int_equal(outcome(fd), 1);
    (void)close(fd);
    drop(s);
}

/* Who does not read what we send is not served for ever, and does not take the memory of the others. */
static void slow_reader(void **state)
{
    static uint8_t block[4096];
    dn_tcp_config config = dn_tcp_config_default();
    config.max_unsent = 10000;
    (void)state;
    side *s = make(&config, "127.0.0.1:0");
    int fd = dial(s);
    until(s, &s->opened, 1);
    dunlin_status status = DUNLIN_OK;
    size_t sent = 0;
    while (status == DUNLIN_OK) {
        status = dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make(block, sizeof block));
        dn_tcp_flush(s->tcp);
        assert_true(++sent < 10000);
    }
    assert_int_equal(status, DUNLIN_ERR_LIMIT);
    assert_int_equal(s->closed, 0);
    assert_true(dn_tcp_deadline(s->tcp) <= s->now_ms);
    assert_true(dn_tcp_work(s->tcp, s->now_ms));
    assert_int_equal(s->closed, 1);
    assert_int_equal(s->status, DUNLIN_ERR_LIMIT);
    assert_int_equal(dn_tcp_count(s->tcp)->overrun, 1);
    (void)close(fd);
    drop(s);
}

static void memory_of_all_is_bounded(void **state)
{
    static uint8_t block[4096];
    dn_tcp_config config = dn_tcp_config_default();
    config.max_unsent_total = 10000;
    (void)state;
    side *s = make(&config, "127.0.0.1:0");
    int fds[3];
    for (size_t i = 0; i < 3; i++) {
        fds[i] = dial(s);
        until(s, &s->opened, i + 1);
    }
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make(block, 4096)), DUNLIN_OK);
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[1], dunlin_slice_make(block, 4096)), DUNLIN_OK);
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[2], dunlin_slice_make(block, 4096)), DUNLIN_ERR_LIMIT);
    dn_tcp_flush(s->tcp);
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make(block, 4096)), DUNLIN_OK);
    for (size_t i = 0; i < 3; i++) {
        (void)close(fds[i]);
    }
    drop(s);
}

static void limits(void **state)
{
    dn_tcp_config config = dn_tcp_config_default();
    config.max_connections = 3;
    config.max_per_host = 2;
    (void)state;
    side *s = make(&config, "127.0.0.1:0");
    int first = dial(s), second = dial(s), third = dial(s);
    until(s, &s->opened, 2);
    while (dn_tcp_count(s->tcp)->refused == 0) {
        turn(s);
    }
    assert_int_equal(outcome(third), -ECONNRESET);
    (void)close(third);
    (void)close(first);
    until(s, &s->closed, 1);
    first = dial(s);
    until(s, &s->opened, 3);
    assert_int_equal(dn_tcp_connections(s->tcp), 2);
    (void)close(first);
    (void)close(second);
    drop(s);
    config.max_per_host = 10;
    config.max_connections = 1;
    s = make(&config, "127.0.0.1:0");
    first = dial(s);
    until(s, &s->opened, 1);
    dn_peer anyone;
    assert_int_equal(dn_udp_peer_parse("127.0.0.1:9", &anyone), DUNLIN_OK);
    assert_int_equal(dn_tcp_connect(s->tcp, &anyone, s->now_ms), DUNLIN_ERR_ARGUMENT);
    dn_peer_set_transport(&anyone, DN_TRANSPORT_TCP);
    assert_int_equal(dn_tcp_connect(s->tcp, &anyone, s->now_ms), DUNLIN_ERR_LIMIT);
    second = dial(s);
    turn(s);
    assert_int_equal(outcome(second), -ECONNRESET);
    (void)close(first);
    (void)close(second);
    drop(s);
}

static void reset_by_peer(void **state)
{
    (void)state;
    side *s = make(NULL, "127.0.0.1:0");
    int fd = dial(s);
    until(s, &s->opened, 1);
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make("lost", 4)), DUNLIN_OK);
    abort_fd(fd);
    until(s, &s->closed, 1);
    assert_int_equal(s->status, DUNLIN_ERR_IO);
    dn_tcp_flush(s->tcp);
    assert_int_equal(dn_tcp_connections(s->tcp), 0);
    assert_true(is_quiet(s));
    drop(s);
}

/* A client that has asked and shuts its half still gets the answer. */
static void half_close(void **state)
{
    (void)state;
    side *s = make(NULL, "127.0.0.1:0");
    s->echo = true;
    int fd = dial(s);
    until(s, &s->opened, 1);
    put(fd, "question");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    until(s, &s->closed, 1);
    assert_int_equal(s->status, DUNLIN_END);
    expect(fd, "question");
    assert_int_equal(outcome(fd), 1);
    (void)close(fd);
    drop(s);
}

/* What was gathered before dn_tcp_close arrives, then the end, although the other end's bytes were never read. */
static void close_sends_first(void **state)
{
    (void)state;
    side *s = make(NULL, "127.0.0.1:0");
    int fd = dial(s);
    until(s, &s->opened, 1);
    put(fd, "never read");
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make("bye", 3)), DUNLIN_OK);
    dn_tcp_close(s->tcp, &s->peers[0], false);
    assert_int_equal(dn_tcp_connections(s->tcp), 0);
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make("x", 1)), DUNLIN_ERR_NOT_FOUND);
    dn_tcp_flush(s->tcp);
    expect(fd, "bye");
    assert_int_equal(outcome(fd), 1);
    (void)close(fd);
    turn(s);
    turn(s);
    assert_int_equal(dn_tcp_deadline(s->tcp), UINT64_MAX); /* nothing lingers */
    assert_int_equal(s->closed, 0);
    assert_int_equal(s->got_len, 0);
    drop(s);
}

/* One that never closes its half does not keep our socket. */
static void close_waits_only_so_long(void **state)
{
    (void)state;
    side *s = make(NULL, "127.0.0.1:0");
    int fd = dial(s);
    until(s, &s->opened, 1);
    dn_tcp_close(s->tcp, &s->peers[0], false);
    assert_int_equal(outcome(fd), 1);
    uint64_t deadline = dn_tcp_deadline(s->tcp);
    while (deadline != UINT64_MAX) {
        assert_true(deadline <= s->now_ms + 60000);
        (void)dn_tcp_work(s->tcp, deadline);
        deadline = dn_tcp_deadline(s->tcp);
    }
    char byte = 1;
    assert_int_equal(send(fd, &byte, 1, MSG_NOSIGNAL), -1);
    assert_int_equal(errno, EPIPE);
    (void)close(fd);
    drop(s);
}

static void abort_resets(void **state)
{
    (void)state;
    side *s = make(NULL, "127.0.0.1:0");
    int fd = dial(s);
    until(s, &s->opened, 1);
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make("dropped", 7)), DUNLIN_OK);
    dn_tcp_close(s->tcp, &s->peers[0], true);
    dn_tcp_flush(s->tcp);
    assert_int_equal(outcome(fd), -ECONNRESET);
    (void)close(fd);
    drop(s);
}

static void closing_from_callbacks(void **state)
{
    (void)state;
    side *s = make(NULL, "127.0.0.1:0");
    s->close_in_opened = true;
    int fds[4];
    for (size_t i = 0; i < 4; i++) {
        fds[i] = dial(s);
    }
    until(s, &s->opened, 4);
    assert_int_equal(dn_tcp_connections(s->tcp), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(outcome(fds[i]), -ECONNRESET);
        (void)close(fds[i]);
    }
    s->close_in_opened = false;
    s->close_in_bytes = true;
    s->echo = true;
    int fd = dial(s);
    put(fd, "ping");
    until(s, &s->got_len, 4);
    expect(fd, "ping");
    assert_int_equal(outcome(fd), 1);
    assert_int_equal(s->closed, 0);
    (void)close(fd);
    drop(s);
}

/* The callback of one closes others whose bytes are there as well. */
static void closing_others_from_callbacks(void **state)
{
    (void)state;
    side *s = make(NULL, "127.0.0.1:0");
    int fds[4];
    for (size_t i = 0; i < 4; i++) {
        fds[i] = dial(s);
        until(s, &s->opened, i + 1);
    }
    for (size_t i = 0; i < 4; i++) {
        put(fds[i], "x");
    }
    s->close_others = true;
    turn(s);
    assert_int_equal(s->got_len, 1);
    assert_int_equal(s->closed, 0);
    assert_int_equal(dn_tcp_connections(s->tcp), 1);
    for (size_t i = 0; i < 4; i++) {
        (void)close(fds[i]);
    }
    drop(s);
}

/* Two of our own: one listens, the other connects. */
static void connects(void **state)
{
    static const char *const addresses[] = {"127.0.0.1:0", "[::1]:0"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        side *server = make(NULL, addresses[i]);
        side *client = make(NULL, NULL);
        server->echo = true;
        dn_peer peer;
        assert_int_equal(dn_udp_peer_parse(server->address, &peer), DUNLIN_OK);
        dn_peer_set_transport(&peer, DN_TRANSPORT_TCP);
        assert_int_equal(dn_tcp_connect(client->tcp, &peer, client->now_ms), DUNLIN_OK);
        assert_int_equal(dn_tcp_connect(client->tcp, &peer, client->now_ms), DUNLIN_ERR_DUPLICATE);
        assert_int_equal(dn_tcp_send(client->tcp, &peer, dunlin_slice_make("early", 5)),
                         DUNLIN_ERR_NOT_FOUND);
        until(client, &client->opened, 1);
        assert_true(dn_peer_equal(&client->peers[0], &peer));
        assert_int_equal(dn_tcp_deadline(client->tcp), UINT64_MAX);
        assert_int_equal(dn_tcp_send(client->tcp, &peer, dunlin_slice_make("ping", 4)), DUNLIN_OK);
        dn_tcp_flush(client->tcp);
        until(server, &server->got_len, 4);
        until(client, &client->got_len, 4);
        assert_int_equal(dn_tcp_count(client->tcp)->connected, 1);
        drop(server);
        until(client, &client->closed, 1);
        drop(client);
    }
}

static void nobody_listens(void **state)
{
    (void)state;
    side *server = make(NULL, "127.0.0.1:0");
    side *client = make(NULL, NULL);
    dn_peer peer;
    assert_int_equal(dn_udp_peer_parse(server->address, &peer), DUNLIN_OK);
    dn_peer_set_transport(&peer, DN_TRANSPORT_TLS);
    drop(server);
    assert_int_equal(dn_tcp_connect(client->tcp, &peer, client->now_ms), DUNLIN_OK);
    until(client, &client->closed, 1);
    assert_int_equal(client->status, DUNLIN_ERR_REJECTED);
    assert_int_equal(dn_tcp_count(client->tcp)->failed, 1);
    assert_true(dn_peer_equal(&client->closed_peer, &peer));
    drop(client);
}

/* A listener whose queue is full answers nothing: the time in which a connection must come about is ours. */
static void connecting_times_out(void **state)
{
    dn_tcp_config config = dn_tcp_config_default();
    config.connect_ms = 7000;
    (void)state;
    struct sockaddr_in name = {.sin_family = AF_INET};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof name;
    int deaf = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(deaf, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(listen(deaf, 0), 0);
    assert_int_equal(getsockname(deaf, (struct sockaddr *)&name, &length), 0);
    int fill = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fill, (struct sockaddr *)&name, sizeof name), 0);
    side *client = make(&config, NULL);
    dn_peer peer;
    char text[DN_UDP_TEXT_MAX];
    (void)snprintf(text, sizeof text, "127.0.0.1:%u", ntohs(name.sin_port));
    assert_int_equal(dn_udp_peer_parse(text, &peer), DUNLIN_OK);
    dn_peer_set_transport(&peer, DN_TRANSPORT_TCP);
    assert_int_equal(dn_tcp_connect(client->tcp, &peer, client->now_ms), DUNLIN_OK);
    (void)dn_tcp_work(client->tcp, client->now_ms + 6999);
    assert_int_equal(client->closed + client->opened, 0);
    (void)dn_tcp_work(client->tcp, client->now_ms + 7000);
    assert_int_equal(client->closed, 1);
    assert_int_equal(client->status, DUNLIN_ERR_TIMEOUT);
    drop(client);
    (void)close(fill);
    (void)close(deaf);
}

/* Without descriptors nobody is accepted, and the loop is quiet; with the first that is free it goes on. */
static void out_of_descriptors(void **state)
{
    (void)state;
    side *s = make(NULL, "127.0.0.1:0");
    int first = dial(s);
    until(s, &s->opened, 1);
    int second = dial(s);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int next = fcntl(second, F_DUPFD_CLOEXEC, 0);
    (void)close(next);
    none = before;
    none.rlim_cur = (rlim_t)next; /* the lowest free number is not allowed any more */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    turn(s);
    assert_int_equal(s->opened, 1);
    assert_true(is_quiet(s));
    assert_true(dn_tcp_deadline(s->tcp) <= s->now_ms + 1000);
    /* Time alone tries again, and fails again. */
    s->now_ms += 1000;
    (void)dn_tcp_work(s->tcp, s->now_ms);
    assert_int_equal(s->opened, 1);
    (void)close(first);
    until(s, &s->closed, 1);
    until(s, &s->opened, 2);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(dn_tcp_deadline(s->tcp), UINT64_MAX);
    (void)close(second);
    drop(s);
}

/* A turn attends to no more than work_max of them, and none is left out for ever. */
static void fairness(void **state)
{
    dn_tcp_config config = dn_tcp_config_default();
    config.work_max = 2;
    (void)state;
    side *s = make(&config, "127.0.0.1:0");
    int fds[8];
    for (size_t i = 0; i < 8; i++) {
        fds[i] = dial(s);
    }
    until(s, &s->opened, 8);
    for (size_t i = 0; i < 8; i++) {
        put(fds[i], "x");
    }
    turn(s);
    assert_true(s->got_len <= 2);
    for (size_t i = 0; i < 3; i++) {
        turn(s);
    }
    assert_int_equal(s->got_len, 8);
    for (size_t i = 0; i < 8; i++) {
        (void)close(fds[i]);
    }
    drop(s);
}

static void bad_arguments(void **state)
{
    char text[DN_UDP_TEXT_MAX];
    (void)state;
    side *s = make(NULL, "127.0.0.1:0");
    assert_int_equal(dn_tcp_listen(s->tcp, "nonsense", DN_TRANSPORT_TCP, text), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(dn_tcp_listen(s->tcp, "127.0.0.1:0", DN_TRANSPORT_UDP, text), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(dn_tcp_listen(s->tcp, s->address, DN_TRANSPORT_TCP, text), DUNLIN_ERR_IO);
    assert_int_equal(dn_tcp_listen(s->tcp, "192.0.2.1:0", DN_TRANSPORT_TCP, text), DUNLIN_ERR_IO);
    dn_tcp_config config = dn_tcp_config_default();
    config.work_max = 0;
    dn_tcp *none = NULL;
    assert_int_equal(dn_tcp_create(&config, &(dn_tcp_callbacks){0}, &none), DUNLIN_ERR_ARGUMENT);
    dn_tcp_destroy(none);
    drop(s);
}

/* A server that starts again has its address at once, although connections of before linger. */
static void address_is_reused(void **state)
{
    (void)state;
    side *s = make(NULL, "127.0.0.1:0");
    int fd = dial(s);
    until(s, &s->opened, 1);
    char address[DN_UDP_TEXT_MAX];
    (void)snprintf(address, sizeof address, "%s", s->address);
    drop(s); /* our end closed first: TIME_WAIT is ours */
    assert_int_equal(outcome(fd), 1);
    (void)close(fd);
    s = make(NULL, address);
    assert_string_equal(s->address, address);
    drop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echoes),
        cmocka_unit_test(wildcard_serves_both_families),
        cmocka_unit_test(byte_at_a_time),
        cmocka_unit_test(nothing_leaves_before_flush),
        cmocka_unit_test(partial_writes),
        cmocka_unit_test(gathering_behind_unsent),
        cmocka_unit_test(gathering_more_than_fits_behind),
        cmocka_unit_test(half_close_of_a_slow_reader),
        cmocka_unit_test(slow_reader),
        cmocka_unit_test(memory_of_all_is_bounded),
        cmocka_unit_test(limits),
        cmocka_unit_test(reset_by_peer),
        cmocka_unit_test(half_close),
        cmocka_unit_test(close_sends_first),
        cmocka_unit_test(close_waits_only_so_long),
        cmocka_unit_test(abort_resets),
        cmocka_unit_test(closing_from_callbacks),
        cmocka_unit_test(closing_others_from_callbacks),
        cmocka_unit_test(connects),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(connecting_times_out),
        cmocka_unit_test(out_of_descriptors),
        cmocka_unit_test(fairness),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(address_is_reused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
