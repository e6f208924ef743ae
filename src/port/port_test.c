/* SPDX-License-Identifier: Apache-2.0 */
/* Clock, randomness, event loop, and two CoAP engines that talk over loopback through them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "port/clock.h"
#include "port/coap_socket.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static void clocks_go_forward(void **state)
{
    (void)state;
    uint64_t ms = dn_clock_ms(), us = dn_clock_us();
    assert_true(us / 1000 >= ms);
    assert_true(dn_clock_us() >= us);
    assert_true(dn_clock_wall_ms() > INT64_C(1700000000000));
}

static void entropy_does_not_repeat(void **state)
{
    dn_entropy entropy = {0};
    dn_random random = dn_entropy_random(&entropy);
    uint8_t large[4 * DN_ENTROPY_POOL];
    uint64_t seen[300];
    (void)state;
    for (size_t i = 0; i < 300; i++) {
        random.fill(random.context, &seen[i], sizeof seen[i]);
        for (size_t j = 0; j < i; j++) {
            assert_true(seen[i] != seen[j]);
        }
    }
    memset(large, 0, sizeof large);
    random.fill(random.context, large, sizeof large);
    size_t zeros = 0;
    for (size_t i = 0; i < sizeof large; i++) {
        zeros += large[i] == 0;
    }
    assert_in_range(zeros, 0, 100);
}

static void count_call(void *context)
{
    (*(int *)context)++;
}

static void *wake_from_thread(void *context)
{
    dn_loop_wake(context);
    return NULL;
}

static void a_thread_wakes_the_loop(void **state)
{
    dn_loop loop;
    int woken = 0;
    pthread_t thread;
    (void)state;
    assert_int_equal(dn_loop_open(&loop, count_call, &woken), DUNLIN_OK);
    assert_int_equal(dn_loop_turn(&loop, 0), DUNLIN_END);
    assert_int_equal(dn_loop_turn(&loop, dn_clock_ms() + 5), DUNLIN_END);
    assert_int_equal(pthread_create(&thread, NULL, wake_from_thread, &loop), 0);
    assert_int_equal(dn_loop_turn(&loop, DN_NEVER), DUNLIN_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(woken, 1);
    dn_loop_close(&loop);
}

typedef struct {
    dn_loop *loop;
    dn_loop_watch *watch, *other;
    unsigned events;
    int calls;
} pipe_state;

static void on_pipe(void *context, unsigned events)
{
    pipe_state *at = context;
    at->events = events;
    at->calls++;
    dn_loop_remove(at->loop, at->watch);
    if (at->other != NULL) {
        dn_loop_remove(at->loop, at->other);
    }
}

static void watches_report_and_go(void **state)
{
    dn_loop loop;
    int ends[2];
    (void)state;
    assert_int_equal(dn_loop_open(&loop, NULL, NULL), DUNLIN_OK);
    assert_int_equal(pipe(ends), 0);
    dn_loop_watch reader = {.fd = ends[0], .ready = on_pipe};
    dn_loop_watch writer = {.fd = ends[1], .ready = on_pipe};
    pipe_state at_reader = {&loop, &reader, &writer, 0, 0}, at_writer = {&loop, &writer, &reader, 0, 0};
    reader.context = &at_reader;
    writer.context = &at_writer;
    assert_int_equal(dn_loop_add(&loop, &reader, DN_LOOP_READ), DUNLIN_OK);
    assert_int_equal(dn_loop_add(&loop, &writer, DN_LOOP_READ), DUNLIN_OK);
    assert_int_equal(dn_loop_turn(&loop, 0), DUNLIN_END);
    assert_int_equal(dn_loop_change(&loop, &writer, DN_LOOP_WRITE), DUNLIN_OK);
    assert_int_equal(write(ends[1], "x", 1), 1);
    /* Both are ready; whichever comes first takes the other away, which must then stay silent. */
    assert_int_equal(dn_loop_turn(&loop, DN_NEVER), DUNLIN_OK);
    assert_int_equal(at_reader.calls + at_writer.calls, 1);
    assert_int_equal(at_reader.events + at_writer.events, at_reader.calls ? DN_LOOP_READ : DN_LOOP_WRITE);
    (void)close(ends[0]);
    (void)close(ends[1]);
    assert_int_equal(dn_loop_add(&loop, &reader, DN_LOOP_READ), DUNLIN_ERR_IO);
    dn_loop_close(&loop);
}

static void signals_become_events(void **state)
{
    int signals[] = {SIGUSR1, SIGHUP};
    (void)state;
    int fd = dn_signals_open(signals, 2);
    assert_true(fd >= 0);
    assert_int_equal(dn_signals_take(fd), 0);
    assert_int_equal(raise(SIGHUP), 0);
    assert_int_equal(dn_signals_take(fd), SIGHUP);
    assert_int_equal(dn_signals_take(fd), 0);
    (void)close(fd);
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    (void)body;
    (*(int *)context)++;
    reply->code = DN_COAP_CHANGED;
    reply->payload = request->payload;
    return DN_COAP_ANSWERED;
}

typedef struct {
    int ended;
    size_t length;
} outcome;

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    outcome *result = context;
    (void)exchange;
    assert_int_equal(status, DUNLIN_OK);
    assert_int_equal(response->code, DN_COAP_CHANGED);
    result->length = response->payload.len;
    result->ended++;
}

static void engines_talk_over_sockets(void **state)
{
    dn_loop loop;
    dn_coap_socket server, client;
    dn_coap_config config = dn_coap_config_default();
    int requests = 0;
    outcome result = {0, 0};
    static uint8_t payload[3000];
    (void)state;
    config.exchanges = 64;
    config.nstart = 64;
    assert_int_equal(dn_loop_open(&loop, NULL, NULL), DUNLIN_OK);
    dn_coap_callbacks serving = {.request = on_request, .context = &requests};
    dn_coap_callbacks asking = {.context = NULL};
    assert_int_equal(
        dn_coap_socket_open(&server, &loop, "0.0.0.0:0", DN_UDP_LOCAL, 32, &config, &serving, NULL),
        DUNLIN_OK);
    assert_int_equal(dn_coap_socket_open(&client, &loop, "127.0.0.1:0", 0, 32, &config, &asking, NULL),
                     DUNLIN_OK);
    dn_peer bound, peer;
    assert_int_equal(dn_udp_peer_parse(server.udp.text, &bound), DUNLIN_OK);
    assert_int_equal(dn_udp_resolve("127.0.0.1", dn_udp_peer_port(&bound), 0, &peer), DUNLIN_OK);
    for (int i = 0; i < 40; i++) {
        dn_coap_outgoing request;
        uint64_t id;
        dn_coap_outgoing_init(&request, DN_COAP_POST);
        request.payload = dunlin_slice_make(payload, i == 39 ? sizeof payload : 10);
        assert_int_equal(
            dn_coap_request(client.coap, &peer, &request, on_result, &result, dn_clock_ms(), &id), DUNLIN_OK);
    }
    dn_coap_socket_flush(&client);
    uint64_t give_up_ms = dn_clock_ms() + 60000;
    while (result.ended < 40 && dn_clock_ms() < give_up_ms) {
        uint64_t a_ms = dn_coap_socket_expire(&server), b_ms = dn_coap_socket_expire(&client);
        uint64_t next_ms = a_ms < b_ms ? a_ms : b_ms;
        assert_true(dn_loop_turn(&loop, next_ms < give_up_ms ? next_ms : give_up_ms) >= DUNLIN_OK);
    }
    assert_int_equal(result.ended, 40);
    assert_int_equal(requests, 40);
    assert_int_equal(result.length, sizeof payload);
    dn_coap_socket_close(&client);
    dn_coap_socket_close(&server);
    dn_loop_close(&loop);
}

static void socket_errors(void **state)
{
    dn_loop loop;
    dn_coap_socket socket;
    dn_coap_config config = dn_coap_config_default();
    dn_coap_callbacks none = {.context = NULL};
    (void)state;
    assert_int_equal(dn_loop_open(&loop, NULL, NULL), DUNLIN_OK);
    assert_int_equal(dn_coap_socket_open(&socket, &loop, "nowhere", 0, 1, &config, &none, NULL),
                     DUNLIN_ERR_ARGUMENT);
    config.max_message = 10;
    assert_int_equal(dn_coap_socket_open(&socket, &loop, "127.0.0.1:0", 0, 1, &config, &none, NULL),
                     DUNLIN_ERR_ARGUMENT);
    dn_loop_close(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_go_forward),         cmocka_unit_test(entropy_does_not_repeat),
        cmocka_unit_test(a_thread_wakes_the_loop),   cmocka_unit_test(watches_report_and_go),
        cmocka_unit_test(signals_become_events),     cmocka_unit_test(socket_errors),
        cmocka_unit_test(engines_talk_over_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
