/* SPDX-License-Identifier: Apache-2.0 */
/* The TCP bearer over loopback: real sockets, the time is ours, and nothing waits for longer than it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bearer/tcp_rig.h"

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

static void echoes(void **state)
{
    static const char *const addresses[] = {"127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"};
    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        tcp_side *s = tcp_make(NULL, addresses[i]);
        s->echo = true;
        int fd = tcp_dial(s);
        tcp_put(fd, "hello");
        tcp_until(s, &s->got_len, 5);
        tcp_expect(fd, "hello");
        assert_int_equal(s->opened, 1);
        assert_int_equal(dn_peer_transport(&s->peers[0]), DN_TRANSPORT_TCP);
        assert_int_equal(dn_tcp_connections(s->tcp), 1);
        (void)close(fd);
        tcp_until(s, &s->closed, 1);
        assert_int_equal(s->status, DUNLIN_END);
        assert_true(dn_peer_equal(&s->closed_peer, &s->peers[0]));
        assert_int_equal(dn_tcp_connections(s->tcp), 0);
        const dn_tcp_counters *count = dn_tcp_count(s->tcp);
        assert_int_equal(count->accepted, 1);
        assert_int_equal(count->closed, 1);
        assert_int_equal(count->bytes_received, 5);
        assert_int_equal(count->bytes_sent, 5);
        tcp_drop(s);
    }
}

/* An IPv4 client of a socket bound to [::] is an IPv4 peer. */
static void wildcard_serves_both_families(void **state)
{
    (void)state;
    tcp_side *s = tcp_make(NULL, "[::]:0");
    dn_peer bound;
    assert_int_equal(dn_udp_peer_parse(s->address, &bound), DUNLIN_OK);
    (void)snprintf(s->address, sizeof s->address, "127.0.0.1:%u", dn_udp_peer_port(&bound));
    int fd = tcp_dial(s);
    tcp_until(s, &s->opened, 1);
    assert_int_equal(dn_udp_peer_family(&s->peers[0]), 4);
    (void)close(fd);
    tcp_drop(s);
}

static void byte_at_a_time(void **state)
{
    static const char text[] = "a byte at a time";
    (void)state;
    tcp_side *s = tcp_make(NULL, "127.0.0.1:0");
    int fd = tcp_dial(s);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        assert_int_equal(send(fd, text + i, 1, MSG_NOSIGNAL), 1);
        tcp_until(s, &s->got_len, i + 1);
    }
    assert_memory_equal(s->got, text, sizeof text - 1);
    (void)close(fd);
    tcp_drop(s);
}

static void limits(void **state)
{
    dn_tcp_config config = dn_tcp_config_default();
    config.max_connections = 3;
    config.max_per_host = 2;
    (void)state;
    tcp_side *s = tcp_make(&config, "127.0.0.1:0");
    int first = tcp_dial(s), second = tcp_dial(s), third = tcp_dial(s);
    tcp_until(s, &s->opened, 2);
    while (dn_tcp_count(s->tcp)->refused == 0) {
        tcp_turn(s);
    }
    assert_int_equal(tcp_outcome(third), -ECONNRESET);
    (void)close(third);
    (void)close(first);
    tcp_until(s, &s->closed, 1);
    first = tcp_dial(s);
    tcp_until(s, &s->opened, 3);
    assert_int_equal(dn_tcp_connections(s->tcp), 2);
    (void)close(first);
    (void)close(second);
    tcp_drop(s);
    config.max_per_host = 10;
    config.max_connections = 1;
    s = tcp_make(&config, "127.0.0.1:0");
    first = tcp_dial(s);
    tcp_until(s, &s->opened, 1);
    dn_peer anyone;
    assert_int_equal(dn_udp_peer_parse("127.0.0.1:9", &anyone), DUNLIN_OK);
    assert_int_equal(dn_tcp_connect(s->tcp, &anyone, s->now_ms), DUNLIN_ERR_ARGUMENT);
    dn_peer_set_transport(&anyone, DN_TRANSPORT_TCP);
    assert_int_equal(dn_tcp_connect(s->tcp, &anyone, s->now_ms), DUNLIN_ERR_LIMIT);
    second = tcp_dial(s);
    tcp_turn(s);
    assert_int_equal(tcp_outcome(second), -ECONNRESET);
    (void)close(first);
    (void)close(second);
    tcp_drop(s);
}

static void reset_by_peer(void **state)
{
    (void)state;
    tcp_side *s = tcp_make(NULL, "127.0.0.1:0");
    int fd = tcp_dial(s);
    tcp_until(s, &s->opened, 1);
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make("lost", 4)), DUNLIN_OK);
    tcp_abort_fd(fd);
    tcp_until(s, &s->closed, 1);
    assert_int_equal(s->status, DUNLIN_ERR_IO);
    dn_tcp_flush(s->tcp);
    assert_int_equal(dn_tcp_connections(s->tcp), 0);
    assert_true(tcp_is_quiet(s));
    tcp_drop(s);
}

/* A client that has asked and shuts its half still gets the answer. */
static void half_close(void **state)
{
    (void)state;
    tcp_side *s = tcp_make(NULL, "127.0.0.1:0");
    s->echo = true;
    int fd = tcp_dial(s);
    tcp_until(s, &s->opened, 1);
    tcp_put(fd, "question");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    tcp_until(s, &s->closed, 1);
    assert_int_equal(s->status, DUNLIN_END);
    tcp_expect(fd, "question");
    assert_int_equal(tcp_outcome(fd), 1);
    (void)close(fd);
    tcp_drop(s);
}

/* What was gathered before dn_tcp_close arrives, then the end, although the other end's bytes were never read. */
static void close_sends_first(void **state)
{
    (void)state;
    tcp_side *s = tcp_make(NULL, "127.0.0.1:0");
    int fd = tcp_dial(s);
    tcp_until(s, &s->opened, 1);
    tcp_put(fd, "never read");
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make("bye", 3)), DUNLIN_OK);
    dn_tcp_close(s->tcp, &s->peers[0], false);
    assert_int_equal(dn_tcp_connections(s->tcp), 0);
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make("x", 1)), DUNLIN_ERR_NOT_FOUND);
    dn_tcp_flush(s->tcp);
    tcp_expect(fd, "bye");
    assert_int_equal(tcp_outcome(fd), 1);
    (void)close(fd);
    tcp_turn(s);
    tcp_turn(s);
    assert_int_equal(dn_tcp_deadline(s->tcp), UINT64_MAX); /* nothing lingers */
    assert_int_equal(s->closed, 0);
    assert_int_equal(s->got_len, 0);
    tcp_drop(s);
}

/* One that never closes its half does not keep our socket. */
static void close_waits_only_so_long(void **state)
{
    (void)state;
    tcp_side *s = tcp_make(NULL, "127.0.0.1:0");
    int fd = tcp_dial(s);
    tcp_until(s, &s->opened, 1);
    dn_tcp_close(s->tcp, &s->peers[0], false);
    assert_int_equal(tcp_outcome(fd), 1);
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
    tcp_drop(s);
}

static void abort_resets(void **state)
{
    (void)state;
    tcp_side *s = tcp_make(NULL, "127.0.0.1:0");
    int fd = tcp_dial(s);
    tcp_until(s, &s->opened, 1);
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make("dropped", 7)), DUNLIN_OK);
    dn_tcp_close(s->tcp, &s->peers[0], true);
    dn_tcp_flush(s->tcp);
    assert_int_equal(tcp_outcome(fd), -ECONNRESET);
    (void)close(fd);
    tcp_drop(s);
}

static void closing_from_callbacks(void **state)
{
    (void)state;
    tcp_side *s = tcp_make(NULL, "127.0.0.1:0");
    s->close_in_opened = true;
    int fds[4];
    for (size_t i = 0; i < 4; i++) {
        fds[i] = tcp_dial(s);
    }
    tcp_until(s, &s->opened, 4);
    assert_int_equal(dn_tcp_connections(s->tcp), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(tcp_outcome(fds[i]), -ECONNRESET);
        (void)close(fds[i]);
    }
    s->close_in_opened = false;
    s->close_in_bytes = true;
    s->echo = true;
    int fd = tcp_dial(s);
    tcp_put(fd, "ping");
    tcp_until(s, &s->got_len, 4);
    tcp_expect(fd, "ping");
    assert_int_equal(tcp_outcome(fd), 1);
    assert_int_equal(s->closed, 0);
    (void)close(fd);
    tcp_drop(s);
}

/* The callback of one closes others whose bytes are there as well. */
static void closing_others_from_callbacks(void **state)
{
    (void)state;
    tcp_side *s = tcp_make(NULL, "127.0.0.1:0");
    int fds[4];
    for (size_t i = 0; i < 4; i++) {
        fds[i] = tcp_dial(s);
        tcp_until(s, &s->opened, i + 1);
    }
    for (size_t i = 0; i < 4; i++) {
        tcp_put(fds[i], "x");
    }
    s->close_others = true;
    tcp_turn(s);
    assert_int_equal(s->got_len, 1);
    assert_int_equal(s->closed, 0);
    assert_int_equal(dn_tcp_connections(s->tcp), 1);
    for (size_t i = 0; i < 4; i++) {
        (void)close(fds[i]);
    }
    tcp_drop(s);
}

/* Two of our own: one listens, the other connects. */
static void connects(void **state)
{
    static const char *const addresses[] = {"127.0.0.1:0", "[::1]:0"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        tcp_side *server = tcp_make(NULL, addresses[i]);
        tcp_side *client = tcp_make(NULL, NULL);
        server->echo = true;
        dn_peer peer;
        assert_int_equal(dn_udp_peer_parse(server->address, &peer), DUNLIN_OK);
        dn_peer_set_transport(&peer, DN_TRANSPORT_TCP);
        assert_int_equal(dn_tcp_connect(client->tcp, &peer, client->now_ms), DUNLIN_OK);
        assert_int_equal(dn_tcp_connect(client->tcp, &peer, client->now_ms), DUNLIN_ERR_DUPLICATE);
        assert_int_equal(dn_tcp_send(client->tcp, &peer, dunlin_slice_make("early", 5)),
                         DUNLIN_ERR_NOT_FOUND);
        tcp_until(client, &client->opened, 1);
        assert_true(dn_peer_equal(&client->peers[0], &peer));
        assert_int_equal(dn_tcp_deadline(client->tcp), UINT64_MAX);
        assert_int_equal(dn_tcp_send(client->tcp, &peer, dunlin_slice_make("ping", 4)), DUNLIN_OK);
        dn_tcp_flush(client->tcp);
        tcp_until(server, &server->got_len, 4);
        tcp_until(client, &client->got_len, 4);
        assert_int_equal(dn_tcp_count(client->tcp)->connected, 1);
        tcp_drop(server);
        tcp_until(client, &client->closed, 1);
        tcp_drop(client);
    }
}

static void nobody_listens(void **state)
{
    (void)state;
    tcp_side *server = tcp_make(NULL, "127.0.0.1:0");
    tcp_side *client = tcp_make(NULL, NULL);
    dn_peer peer;
    assert_int_equal(dn_udp_peer_parse(server->address, &peer), DUNLIN_OK);
    dn_peer_set_transport(&peer, DN_TRANSPORT_TLS);
    tcp_drop(server);
    assert_int_equal(dn_tcp_connect(client->tcp, &peer, client->now_ms), DUNLIN_OK);
    tcp_until(client, &client->closed, 1);
    assert_int_equal(client->status, DUNLIN_ERR_REJECTED);
    assert_int_equal(dn_tcp_count(client->tcp)->failed, 1);
    assert_true(dn_peer_equal(&client->closed_peer, &peer));
    tcp_drop(client);
}

/* TCP lets a socket meet itself when it happens to have the port that it calls. That is nobody. */
static void its_own_other_end(void **state)
{
    char range[64] = "", text[DN_UDP_TEXT_MAX];
    unsigned low = 0, high = 0;
    (void)state;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
    if (file == NULL || fgets(range, sizeof range, file) == NULL ||
        sscanf(range, "%u %u", &low, &high) != 2) {
        skip();
    }
    (void)fclose(file);
    tcp_side *client = tcp_make(NULL, NULL);
    dn_peer peer;
    (void)snprintf(text, sizeof text, "127.0.0.1:%u", (low + (high - low) / 2) & ~1u);
    assert_int_equal(dn_udp_peer_parse(text, &peer), DUNLIN_OK);
    dn_peer_set_transport(&peer, DN_TRANSPORT_TCP);
    /* The system goes through its ports in steps of 2, so that it comes by. */
    for (size_t i = 0; i <= (high - low) / 2; i++) {
        assert_int_equal(dn_tcp_connect(client->tcp, &peer, client->now_ms), DUNLIN_OK);
        tcp_until(client, &client->closed, i + 1);
        assert_int_equal(client->status, DUNLIN_ERR_REJECTED);
    }
    assert_int_equal(client->opened, 0);
    tcp_drop(client);
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
    tcp_side *client = tcp_make(&config, NULL);
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
    tcp_drop(client);
    (void)close(fill);
    (void)close(deaf);
}

/* Without descriptors nobody is accepted, and the loop is quiet; with the first that is free it goes on. */
static void out_of_descriptors(void **state)
{
    (void)state;
    tcp_side *s = tcp_make(NULL, "127.0.0.1:0");
    int first = tcp_dial(s);
    tcp_until(s, &s->opened, 1);
    int second = tcp_dial(s);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int next = fcntl(second, F_DUPFD_CLOEXEC, 0);
    (void)close(next);
    none = before;
    none.rlim_cur = (rlim_t)next; /* the lowest free number is not allowed any more */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    tcp_turn(s);
    assert_int_equal(s->opened, 1);
    assert_true(tcp_is_quiet(s));
    assert_true(dn_tcp_deadline(s->tcp) <= s->now_ms + 1000);
    /* Time alone tries again, and fails again. */
    s->now_ms += 1000;
    (void)dn_tcp_work(s->tcp, s->now_ms);
    assert_int_equal(s->opened, 1);
    (void)close(first);
    tcp_until(s, &s->closed, 1);
    tcp_until(s, &s->opened, 2);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(dn_tcp_deadline(s->tcp), UINT64_MAX);
    (void)close(second);
    tcp_drop(s);
}

/* A turn attends to no more than work_max of them, and none is left out for ever. */
static void fairness(void **state)
{
    dn_tcp_config config = dn_tcp_config_default();
    config.work_max = 2;
    (void)state;
    tcp_side *s = tcp_make(&config, "127.0.0.1:0");
    int fds[8];
    for (size_t i = 0; i < 8; i++) {
        fds[i] = tcp_dial(s);
    }
    tcp_until(s, &s->opened, 8);
    for (size_t i = 0; i < 8; i++) {
        tcp_put(fds[i], "x");
    }
    tcp_turn(s);
    assert_true(s->got_len <= 2);
    for (size_t i = 0; i < 3; i++) {
        tcp_turn(s);
    }
    assert_int_equal(s->got_len, 8);
    for (size_t i = 0; i < 8; i++) {
        (void)close(fds[i]);
    }
    tcp_drop(s);
}

static void bad_arguments(void **state)
{
    char text[DN_UDP_TEXT_MAX];
    (void)state;
    tcp_side *s = tcp_make(NULL, "127.0.0.1:0");
    assert_int_equal(dn_tcp_listen(s->tcp, "nonsense", DN_TRANSPORT_TCP, text), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(dn_tcp_listen(s->tcp, "127.0.0.1:0", DN_TRANSPORT_UDP, text), DUNLIN_ERR_ARGUMENT);
    assert_int_equal(dn_tcp_listen(s->tcp, s->address, DN_TRANSPORT_TCP, text), DUNLIN_ERR_IO);
    assert_int_equal(dn_tcp_listen(s->tcp, "192.0.2.1:0", DN_TRANSPORT_TCP, text), DUNLIN_ERR_IO);
    dn_tcp_config config = dn_tcp_config_default();
    config.work_max = 0;
    dn_tcp *none = NULL;
    assert_int_equal(dn_tcp_create(&config, &(dn_tcp_callbacks){0}, &none), DUNLIN_ERR_ARGUMENT);
    dn_tcp_destroy(none);
    tcp_drop(s);
}

/* A server that starts again has its address at once, although connections of before linger. */
static void address_is_reused(void **state)
{
    (void)state;
    tcp_side *s = tcp_make(NULL, "127.0.0.1:0");
    int fd = tcp_dial(s);
    tcp_until(s, &s->opened, 1);
    char address[DN_UDP_TEXT_MAX];
    (void)snprintf(address, sizeof address, "%s", s->address);
    tcp_drop(s); /* our end closed first: TIME_WAIT is ours */
    assert_int_equal(tcp_outcome(fd), 1);
    (void)close(fd);
    s = tcp_make(NULL, address);
    assert_string_equal(s->address, address);
    tcp_drop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echoes),
        cmocka_unit_test(wildcard_serves_both_families),
        cmocka_unit_test(byte_at_a_time),
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
        cmocka_unit_test(its_own_other_end),
        cmocka_unit_test(connecting_times_out),
        cmocka_unit_test(out_of_descriptors),
        cmocka_unit_test(fairness),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(address_is_reused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
