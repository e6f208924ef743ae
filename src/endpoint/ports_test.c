/* SPDX-License-Identifier: Apache-2.0 */
/* A server's ports over loopback: datagrams and streams without security, and what they do to each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "endpoint/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS     60000
#define NOTES_MAX   512u
#define MESSAGE_MAX 9000u

typedef enum { MESSAGE, OPENED, CLOSED } kind;

typedef struct {
    kind kind;
    dn_peer peer;
    dunlin_status status;
    size_t len;
    uint8_t bytes[64];
} note;

typedef struct {
    dn_ports *ports;
    uint64_t now_ms;
    note notes[NOTES_MAX];
    size_t count;
    bool echo;
    bool end_in_message;
} world;

static note *add(world *w, kind what, const dn_peer *peer)
{
    assert_true(w->count < NOTES_MAX);
    note *n = &w->notes[w->count++];
    *n = (note){.kind = what, .peer = *peer};
    return n;
}

static void on_message(void *context, const dn_peer *peer, dunlin_slice message)
{
    world *w = context;
    note *n = add(w, MESSAGE, peer);
    n->len = message.len;
    memcpy(n->bytes, message.data, message.len < sizeof n->bytes ? message.len : sizeof n->bytes);
    if (w->echo) {
        dn_ports_send(w->ports, peer, message, w->now_ms);
    }
    if (w->end_in_message) {
        dn_ports_end(w->ports, peer, w->now_ms);
    }
}

static void on_opened(void *context, const dn_peer *peer)
{
    (void)add(context, OPENED, peer);
}

static void on_closed(void *context, const dn_peer *peer, dunlin_status status)
{
    world *w = context;
    add(w, CLOSED, peer)->status = status;
    if (w->ports != NULL) {
        assert_false(dn_ports_reaches(w->ports, peer));
    }
}

static dunlin_status try_open(world *w, const dn_ports_config *config, char *error, size_t size)
{
    const dn_ports_callbacks call = {
        .message = on_message, .opened = on_opened, .closed = on_closed, .context = w};
    w->now_ms = 5000;
    return dn_ports_open(config, &call, w->now_ms, &w->ports, error, size);
}

static world *open_world(const char *udp, const char *tcp, uint32_t max_stream_message)
{
    char error[200] = "";
    dn_ports_config config = dn_ports_config_default();
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    config.listen[DN_TRANSPORT_UDP] = (dn_ports_addresses){&udp, udp != NULL};
    config.listen[DN_TRANSPORT_TCP] = (dn_ports_addresses){&tcp, tcp != NULL};
    config.max_stream_message = max_stream_message;
    if (try_open(w, &config, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
    assert_true(dn_ports_deadline(w->ports) == UINT64_MAX);
    return w;
}

static void close_world(world *w)
{
    dn_ports_close(w->ports);
    free(w);
}

static void turn(world *w)
{
    struct pollfd fds[DN_PORTS_FDS_MAX];
    dunlin_status status;
    assert_true(poll(fds, dn_ports_fds(w->ports, fds), WAIT_MS) > 0);
    (void)dn_ports_receive(w->ports, w->now_ms, &status);
    assert_int_equal(status, DUNLIN_OK);
    dn_ports_expire(w->ports, w->now_ms);
    dn_ports_flush(w->ports);
}

static void until(world *w, size_t count)
{
    while (w->count < count) {
        turn(w);
    }
}

static int dial(const char *address, int type)
{
    const char *colon = strrchr(address, ':');
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
    char host[32];
    (void)snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
    assert_int_equal(inet_pton(AF_INET, host, &to.sin_addr), 1);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = WAIT_MS / 1000};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static int dial_ports(const world *w, dn_transport transport)
{
    return dial(dn_ports_address(w->ports, transport, 0),
                dn_transport_is_stream(transport) ? SOCK_STREAM : SOCK_DGRAM);
}

static void put(int fd, const void *bytes, size_t len)
{
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

static void expect(int fd, const void *bytes, size_t len)
{
    uint8_t got[MESSAGE_MAX];
    size_t have = 0;
    while (have < len) {
        ssize_t count = recv(fd, got + have, sizeof got - have, 0);
        assert_true(count > 0);
        have += (size_t)count;
    }
    assert_int_equal(have, len);
    assert_memory_equal(got, bytes, len);
}

static void datagrams(void **state)
{
    (void)state;
    world *w = open_world("127.0.0.1:0", NULL, 8192);
    w->echo = true;
    int fd = dial_ports(w, DN_TRANSPORT_UDP);
    put(fd, "ping", 4);
    until(w, 1);
    assert_int_equal(w->notes[0].kind, MESSAGE);
    assert_int_equal(dn_peer_transport(&w->notes[0].peer), DN_TRANSPORT_UDP);
    expect(fd, "ping", 4);
    assert_true(dn_ports_reaches(w->ports, &w->notes[0].peer));
    assert_null(dn_ports_identity(w->ports, &w->notes[0].peer));
    dn_ports_end(w->ports, &w->notes[0].peer, w->now_ms);
    assert_true(dn_ports_reaches(w->ports, &w->notes[0].peer));
    uint8_t big[1153] = {0};
    dn_ports_counters counters;
    dn_ports_send(w->ports, &w->notes[0].peer, dunlin_slice_make(big, sizeof big), w->now_ms);
    dn_ports_count(w->ports, &counters);
    assert_int_equal(counters.dropped, 1);
    (void)close(fd);
    close_world(w);
}

static void nothing_leaves_before_flush(void **state)
{
    (void)state;
    world *w = open_world("127.0.0.1:0", "127.0.0.1:0", 8192);
    w->echo = true;
    int udp = dial_ports(w, DN_TRANSPORT_UDP), tcp = dial_ports(w, DN_TRANSPORT_TCP);
    put(udp, "ping", 4);
    put(tcp, "\x00\xe2", 2);
    while (w->count < 3) {
        struct pollfd fds[DN_PORTS_FDS_MAX];
        assert_true(poll(fds, dn_ports_fds(w->ports, fds), WAIT_MS) > 0);
        (void)dn_ports_receive(w->ports, w->now_ms, NULL);
    }
    struct pollfd wait[2] = {{.fd = udp, .events = POLLIN}, {.fd = tcp, .events = POLLIN}};
    assert_int_equal(poll(wait, 2, 0), 0);
    dn_ports_flush(w->ports);
    expect(udp, "ping", 4);
    expect(tcp, "\x00\xe2", 2);
    (void)close(udp);
    (void)close(tcp);
    close_world(w);
}

/* A ping of RFC 8323, an empty 2.05 with a token, and a request with an option, in every cutting. */
static const uint8_t three[] = {0x00, 0xe2, 0x01, 0x45, 0xaa, 0x51, 0x01, 0xbb, 0xb4, 't', 'e', 's', 't'};
static const size_t three_lengths[] = {2, 3, 8};

static void streams_are_cut_into_messages(void **state)
{
    (void)state;
    for (size_t step = 1; step <= sizeof three; step++) {
        world *w = open_world(NULL, "127.0.0.1:0", 8192);
        w->echo = true;
        int fd = dial_ports(w, DN_TRANSPORT_TCP);
        until(w, 1);
        assert_int_equal(w->notes[0].kind, OPENED);
        assert_int_equal(dn_peer_transport(&w->notes[0].peer), DN_TRANSPORT_TCP);
        for (size_t at = 0; at < sizeof three; at += step) {
            put(fd, three + at, sizeof three - at < step ? sizeof three - at : step);
            turn(w);
        }
        until(w, 4);
        size_t at = 0;
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(w->notes[1 + i].kind, MESSAGE);
            assert_int_equal(w->notes[1 + i].len, three_lengths[i]);
            assert_memory_equal(w->notes[1 + i].bytes, three + at, three_lengths[i]);
            assert_true(dn_peer_equal(&w->notes[1 + i].peer, &w->notes[0].peer));
            at += three_lengths[i];
        }
        expect(fd, three, sizeof three);
        (void)close(fd);
        until(w, 5);
        assert_int_equal(w->notes[4].kind, CLOSED);
        assert_int_equal(w->notes[4].status, DUNLIN_END);
        close_world(w);
    }
}

static void bad_streams_end(void **state)
{
    static const struct {
        const char *what;
        uint8_t bytes[8];
        size_t len;
        dunlin_status status;
    } cases[] = {
        {"a token of 9 bytes", {0x09, 0x01}, 2, DUNLIN_ERR_MALFORMED},
        {"a length that is reserved in UDP is one here, but larger than we take",
         {0xf0, 0xff, 0xff, 0xff, 0xff, 0x01},
         6,
         DUNLIN_ERR_RANGE},
        {"one byte more than we take", {0xd0, 52, 0x01}, 3, DUNLIN_ERR_RANGE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        world *w = open_world(NULL, "127.0.0.1:0", 67);
        int fd = dial_ports(w, DN_TRANSPORT_TCP);
        put(fd, cases[i].bytes, cases[i].len);
        until(w, 2);
        assert_int_equal(w->notes[1].kind, CLOSED);
        if (w->notes[1].status != cases[i].status) {
            fail_msg("%s: %d", cases[i].what, w->notes[1].status);
        }
        dn_ports_counters counters;
        dn_ports_count(w->ports, &counters);
        assert_int_equal(counters.malformed_streams, 1);
        assert_int_equal(counters.tcp_connections, 0);
        (void)close(fd);
        close_world(w);
    }
}

/* The largest message that we take comes, whole or in parts; the stream goes on behind it. */
static void the_largest_message(void **state)
{
    uint8_t message[300] = {0xe0, 0x00, 28, 0x02, 0xff};
    (void)state;
    memset(message + 5, 'x', sizeof message - 5);
    message[2] = (uint8_t)(sizeof message - 4 - 269);
    world *w = open_world(NULL, "127.0.0.1:0", sizeof message);
    int fd = dial_ports(w, DN_TRANSPORT_TCP);
    put(fd, message, sizeof message);
    put(fd, message, 200);
    until(w, 2);
    put(fd, message + 200, 100);
    until(w, 3);
    assert_int_equal(w->notes[1].len, sizeof message);
    assert_int_equal(w->notes[2].len, sizeof message);
    (void)close(fd);
    close_world(w);
}

/* A stream must bring its first message within its time, and the rest of one that has begun; between messages it may be silent. */
static void streams_that_take_too_long(void **state)
{
    static const struct {
        const char *what;
        size_t before; /* bytes of `three` when 59 s have passed, at intervals */
        bool ends;
    } cases[] = {
        {"nothing", 0, true},     {"a part of the first", 1, true},
        {"the first", 2, false},  {"a part of the second", 3, true},
        {"the second", 5, false}, {"a part of the third", 9, true},
        {"all", 13, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        world *w = open_world(NULL, "127.0.0.1:0", 8192);
        int fd = dial_ports(w, DN_TRANSPORT_TCP);
        until(w, 1);
        for (size_t at = 0; at < cases[i].before; at++) {
            put(fd, three + at, 1);
            turn(w);
        }
        size_t count = w->count;
        w->now_ms += 59999;
        dn_ports_expire(w->ports, w->now_ms);
        assert_int_equal(w->count, count);
        w->now_ms += 1;
        assert_int_equal(dn_ports_deadline(w->ports) <= w->now_ms, cases[i].ends);
        dn_ports_expire(w->ports, w->now_ms);
        assert_int_equal(w->count, count + cases[i].ends);
        dn_ports_counters counters;
        dn_ports_count(w->ports, &counters);
        assert_int_equal(counters.slow_streams, cases[i].ends);
        assert_int_equal(counters.malformed_streams, 0);
        if (cases[i].ends) {
            assert_int_equal(w->notes[count].kind, CLOSED);
            assert_int_equal(w->notes[count].status, DUNLIN_ERR_TIMEOUT);
            uint8_t more;
            assert_int_equal(recv(fd, &more, 1, 0), 0);
        }
        (void)close(fd);
        close_world(w);
    }
}

/* What the handler ends is ended: no message behind that one, and no `closed`. */
static void ending_from_within(void **state)
{
    (void)state;
    world *w = open_world(NULL, "127.0.0.1:0", 8192);
    w->end_in_message = w->echo = true;
    int fd = dial_ports(w, DN_TRANSPORT_TCP);
    put(fd, three, sizeof three);
    until(w, 2);
    expect(fd, three, 2);
    uint8_t more;
    assert_int_equal(recv(fd, &more, 1, 0), 0);
    (void)close(fd);
    turn(w);
    assert_int_equal(w->count, 2);
    assert_false(dn_ports_reaches(w->ports, &w->notes[0].peer));
    dn_ports_send(w->ports, &w->notes[0].peer, dunlin_slice_make("\0\xe2", 2), w->now_ms);
    dn_ports_counters counters;
    dn_ports_count(w->ports, &counters);
    assert_int_equal(counters.dropped, 1);
    close_world(w);
}

/* Each of several sockets answers those who spoke to it. */
static void several_addresses(void **state)
{
    static const char *const addresses[] = {"127.0.0.1:0", "127.0.0.2:0", "[::1]:0"};
    char error[200] = "";
    (void)state;
    dn_ports_config config = dn_ports_config_default();
    config.listen[DN_TRANSPORT_UDP] = (dn_ports_addresses){addresses, 3};
    config.listen[DN_TRANSPORT_TCP] = (dn_ports_addresses){addresses, 3};
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    assert_int_equal(try_open(w, &config, error, sizeof error), DUNLIN_OK);
    w->echo = true;
    assert_null(dn_ports_address(w->ports, DN_TRANSPORT_UDP, 3));
    assert_null(dn_ports_address(w->ports, DN_TRANSPORT_DTLS, 0));
    assert_non_null(dn_ports_address(w->ports, DN_TRANSPORT_TCP, 2));
    for (size_t i = 0; i < 2; i++) {
        int fd = dial(dn_ports_address(w->ports, DN_TRANSPORT_UDP, i), SOCK_DGRAM);
        size_t before = w->count;
        put(fd, "ping", 4);
        until(w, before + 1);
        expect(fd, "ping", 4); /* a connected socket takes it from nowhere else */
        (void)close(fd);
    }
    close_world(w);
}

static void refused_configurations(void **state)
{
    static const char *const twice[] = {"127.0.0.1:0", "127.0.0.1:0"};
    static const char *const wild[] = {"0.0.0.0:0", "127.0.0.1:0"};
    static const char *const nonsense[] = {"here"};
    static const char *const elsewhere[] = {"192.0.2.1:0"};
    static const struct {
        dn_transport transport;
        const char *const *addresses;
        size_t count;
        dunlin_status status;
        const char *error; /* is in the text */
    } cases[] = {
        {DN_TRANSPORT_UDP, NULL, 0, DUNLIN_ERR_ARGUMENT, "no address"},
        {DN_TRANSPORT_UDP, twice, 2, DUNLIN_ERR_ARGUMENT, "overlaps"},
        {DN_TRANSPORT_UDP, wild, 2, DUNLIN_ERR_ARGUMENT, "127.0.0.1:0 overlaps"},
        {DN_TRANSPORT_UDP, nonsense, 1, DUNLIN_ERR_ARGUMENT, "here"},
        {DN_TRANSPORT_UDP, elsewhere, 1, DUNLIN_ERR_IO, "192.0.2.1:0"},
        {DN_TRANSPORT_UDP, twice, 17, DUNLIN_ERR_ARGUMENT, "more than 16"},
        {DN_TRANSPORT_TCP, nonsense, 1, DUNLIN_ERR_ARGUMENT, "here"},
        {DN_TRANSPORT_TCP, elsewhere, 1, DUNLIN_ERR_IO, "192.0.2.1:0"},
        {DN_TRANSPORT_DTLS, twice, 1, DUNLIN_ERR_ARGUMENT, "credentials"},
        {DN_TRANSPORT_TLS, twice, 1, DUNLIN_ERR_ARGUMENT, "credentials"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char error[200] = "";
        world w = {0};
        dn_ports_config config = dn_ports_config_default();
        config.listen[cases[i].transport] = (dn_ports_addresses){cases[i].addresses, cases[i].count};
        assert_int_equal(try_open(&w, &config, error, sizeof error), cases[i].status);
        if (strstr(error, cases[i].error) == NULL) {
            fail_msg("case %zu: %s", i, error);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams),
        cmocka_unit_test(nothing_leaves_before_flush),
        cmocka_unit_test(streams_are_cut_into_messages),
        cmocka_unit_test(bad_streams_end),
        cmocka_unit_test(the_largest_message),
        cmocka_unit_test(streams_that_take_too_long),
        cmocka_unit_test(ending_from_within),
        cmocka_unit_test(several_addresses),
        cmocka_unit_test(refused_configurations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
