/* SPDX-License-Identifier: Apache-2.0 */
/* What the TCP bearer does with bytes that the other end does not take, or not yet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bearer/tcp_rig.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void nothing_leaves_before_flush(void **state)
{
    (void)state;
    tcp_side *s = tcp_make(NULL, "127.0.0.1:0");
    int fd = tcp_dial(s);
    tcp_until(s, &s->opened, 1);
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make("one", 3)), DUNLIN_OK);
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make("two", 3)), DUNLIN_OK);
    (void)dn_tcp_work(s->tcp, s->now_ms);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 0), 0);
    dn_tcp_flush(s->tcp);
    tcp_expect(fd, "onetwo");
    (void)close(fd);
    tcp_drop(s);
}

/* More than the kernel holds goes out in parts, in order, and the rest waits for room without anybody spinning. */
static void partial_writes(void **state)
{
    enum { TOTAL = 12 * 1024 * 1024, PIECE = 60000 };
    dn_tcp_config config = dn_tcp_config_default();
    config.max_unsent = TOTAL + PIECE;
    (void)state;
    tcp_side *s = tcp_make(&config, "127.0.0.1:0");
    int fd = tcp_dial(s);
    tcp_until(s, &s->opened, 1);
    uint8_t *piece = malloc(PIECE);
    assert_non_null(piece);
    for (size_t sent = 0; sent < TOTAL; sent += PIECE) {
        for (size_t i = 0; i < PIECE; i++) {
            piece[i] = (uint8_t)((sent + i) * 31 >> 3);
        }
        assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make(piece, PIECE)), DUNLIN_OK);
    }
    dn_tcp_flush(s->tcp);
    assert_true(tcp_is_quiet(s));
    size_t got = 0, want = (TOTAL + PIECE - 1) / PIECE * PIECE;
    assert_true(dn_tcp_count(s->tcp)->bytes_sent < want);
    while (got < want) {
        ssize_t count = recv(fd, piece, PIECE, MSG_DONTWAIT);
        if (count < 0) {
            assert_int_equal(errno, EAGAIN);
            tcp_turn(s);
            continue;
        }
        for (size_t i = 0; i < (size_t)count; i++) {
            assert_int_equal(piece[i], (uint8_t)((got + i) * 31 >> 3));
        }
        got += (size_t)count;
    }
    assert_int_equal(dn_tcp_count(s->tcp)->bytes_sent, want);
    assert_true(tcp_is_quiet(s));
    free(piece);
    (void)close(fd);
    tcp_drop(s);
}

static uint8_t pattern_at(size_t at)
{
    return (uint8_t)(at * 31 >> 3);
}

/* Sends the pattern's bytes [*at, *at + len). */
static void send_pattern(tcp_side *s, size_t *at, size_t len)
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
    tcp_side *s = tcp_make(&config, "127.0.0.1:0");
    int fd = tcp_dial(s);
    tcp_until(s, &s->opened, 1);
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
    tcp_drop(s);
}

/* The same where the memory must be moved together for what comes behind. */
static void gathering_more_than_fits_behind(void **state)
{
    enum { MIB = 1024 * 1024 };
    dn_tcp_config config = dn_tcp_config_default();
    config.max_unsent = 16 * MIB;
    (void)state;
    tcp_side *s = tcp_make(&config, "127.0.0.1:0");
    int fd = tcp_dial(s);
    tcp_until(s, &s->opened, 1);
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
    tcp_drop(s);
}

/* The other end has said that it sends no more, and takes its time to read: nobody spins meanwhile, and it gets everything. */
static void half_close_of_a_slow_reader(void **state)
{
    dn_tcp_config config = dn_tcp_config_default();
    config.max_unsent = 16 * 1024 * 1024;
    (void)state;
    tcp_side *s = tcp_make(&config, "127.0.0.1:0");
    int fd = tcp_dial(s);
    tcp_until(s, &s->opened, 1);
    size_t at = 0, got = 0;
    send_pattern(s, &at, 12 * 1024 * 1024);
    dn_tcp_flush(s->tcp);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    tcp_until(s, &s->closed, 1);
    assert_int_equal(s->status, DUNLIN_END);
    (void)dn_tcp_work(s->tcp, s->now_ms);
    assert_true(tcp_is_quiet(s));
    while (got < at) {
        take_pattern(fd, &got, SIZE_MAX);
        (void)dn_tcp_work(s->tcp, s->now_ms);
    }
    assert_int_equal(tcp_outcome(fd), 1);
    (void)close(fd);
    tcp_drop(s);
}

/* Who does not read what we send is not served for ever, and does not take the memory of the others. */
static void slow_reader(void **state)
{
    static uint8_t block[4096];
    dn_tcp_config config = dn_tcp_config_default();
    config.max_unsent = 10000;
    (void)state;
    tcp_side *s = tcp_make(&config, "127.0.0.1:0");
    int fd = tcp_dial(s);
    tcp_until(s, &s->opened, 1);
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
    tcp_drop(s);
}

static void memory_of_all_is_bounded(void **state)
{
    static uint8_t block[4096];
    dn_tcp_config config = dn_tcp_config_default();
    config.max_unsent_total = 10000;
    (void)state;
    tcp_side *s = tcp_make(&config, "127.0.0.1:0");
    int fds[3];
    for (size_t i = 0; i < 3; i++) {
        fds[i] = tcp_dial(s);
        tcp_until(s, &s->opened, i + 1);
    }
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make(block, 4096)), DUNLIN_OK);
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[1], dunlin_slice_make(block, 4096)), DUNLIN_OK);
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[2], dunlin_slice_make(block, 4096)), DUNLIN_ERR_LIMIT);
    dn_tcp_flush(s->tcp);
    assert_int_equal(dn_tcp_send(s->tcp, &s->peers[0], dunlin_slice_make(block, 4096)), DUNLIN_OK);
    for (size_t i = 0; i < 3; i++) {
        (void)close(fds[i]);
    }
    tcp_drop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_leaves_before_flush), cmocka_unit_test(partial_writes),
        cmocka_unit_test(gathering_behind_unsent),     cmocka_unit_test(gathering_more_than_fits_behind),
        cmocka_unit_test(half_close_of_a_slow_reader), cmocka_unit_test(slow_reader),
        cmocka_unit_test(memory_of_all_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
