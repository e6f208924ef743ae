/* SPDX-License-Identifier: Apache-2.0 */
/* The UDP bearer over loopback: addresses, batches, source addresses, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bearer/udp.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static dunlin_slice text(const char *bytes)
{
    return dunlin_slice_make(bytes, strlen(bytes));
}

/* Loopback delivers at once, but says so only through poll. */
static dunlin_status receive(dn_udp *udp, dn_udp_batch *batch, size_t max)
{
    struct pollfd wait = {.fd = udp->fd, .events = POLLIN};
    return poll(&wait, 1, 60000) == 1 ? dn_udp_receive(udp, batch, max) : DUNLIN_ERR_TIMEOUT;
}

static void address_texts(void **state)
{
    static const struct {
        const char *text;
        const char *canonical; /* NULL: refused */
    } cases[] = {
        {"127.0.0.1:5683", "127.0.0.1:5683"},
        {"0.0.0.0:0", "0.0.0.0:0"},
        {"255.255.255.255:65535", "255.255.255.255:65535"},
        {"[::1]:40000", "[::1]:40000"},
        {"[2001:db8:0:0::1]:1", "[2001:db8::1]:1"},
        {"[fe80::1%lo]:1", "[fe80::1%lo]:1"},
        {"[::ffff:10.1.2.3]:7", "10.1.2.3:7"},
        {"", NULL},
        {"127.0.0.1", NULL},
        {"127.0.0.1:", NULL},
        {"127.0.0.1:65536", NULL},
        {"127.0.0.1:99999999999999999999", NULL},
        {"127.0.0.1:-1", NULL},
        {"127.0.0.1: 1", NULL},
        {"127.0.0.1:1x", NULL},
        {"127.0.0:1", NULL},
        {"[127.0.0.1]:1", NULL},
        {"::1:5683", NULL},
        {"[::1]5683", NULL},
        {"[::1:5683", NULL},
        {"[]:5683", NULL},
        {"[fe80::1%no-such-link]:1", NULL},
        {"localhost:5683", NULL},
        {"[0000:0000:0000:0000:0000:0000:0000:0001%aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]:5683",
         NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_peer peer;
        char out[DN_UDP_TEXT_MAX];
        dunlin_status status = dn_udp_peer_parse(cases[i].text, &peer);
        if (cases[i].canonical == NULL) {
            assert_int_equal(status, DUNLIN_ERR_ARGUMENT);
        } else {
            assert_int_equal(status, DUNLIN_OK);
            assert_string_equal(dn_udp_peer_text(&peer, out), cases[i].canonical);
        }
    }
    dn_peer foreign = {.len = 5, .bytes = "abcd"};
    char out[DN_UDP_TEXT_MAX];
    assert_string_equal(dn_udp_peer_text(&foreign, out), "?");
    assert_int_equal(dn_udp_peer_family(&foreign), 0);
}

static void names(void **state)
{
    dn_peer peer, parsed;
    (void)state;
    assert_int_equal(dn_udp_resolve("localhost", 5683, AF_INET, &peer), DUNLIN_OK);
    assert_int_equal(dn_udp_peer_parse("127.0.0.1:5683", &parsed), DUNLIN_OK);
    assert_true(dn_peer_equal(&peer, &parsed));
    assert_int_equal(dn_udp_resolve("[::1]", 1, 0, &peer), DUNLIN_OK);
    assert_int_equal(dn_udp_peer_family(&peer), 6);
    assert_int_equal(dn_udp_peer_port(&peer), 1);
    assert_int_equal(dn_udp_resolve("127.0.0.1", 1, AF_INET6, &peer), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(dn_udp_resolve("", 1, 0, &peer), DUNLIN_ERR_NOT_FOUND);
}

/* The transport makes another peer of the same address, and of nothing else. */
static void transports(void **state)
{
    static const struct {
        const char *text;
        int family;
    } cases[] = {{"192.0.2.7:5684", 4}, {"[2001:db8::7]:5684", 6}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        dn_peer plain;
        assert_int_equal(dn_udp_peer_parse(cases[i].text, &plain), DUNLIN_OK);
        assert_int_equal(dn_peer_transport(&plain), DN_TRANSPORT_UDP);
        for (int transport = DN_TRANSPORT_DTLS; transport <= DN_TRANSPORT_TLS; transport++) {
            char out[DN_UDP_TEXT_MAX];
            dn_peer peer = plain;
            dn_peer_set_transport(&peer, (dn_transport)transport);
            assert_int_equal(dn_peer_transport(&peer), transport);
            assert_false(dn_peer_equal(&peer, &plain));
            assert_true(dn_udp_same_host(&peer, &plain));
            assert_int_equal(dn_udp_peer_family(&peer), cases[i].family);
            assert_int_equal(dn_udp_peer_port(&peer), 5684);
            assert_string_equal(dn_udp_peer_text(&peer, out), cases[i].text);
            peer.bytes[0] |= 0x80;
            assert_int_equal(dn_udp_peer_family(&peer), 0);
        }
    }
}

static void hosts(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"192.0.2.7:1", "192.0.2.7:2", true},
        {"192.0.2.7:1", "192.0.2.8:1", false},
        {"[2001:db8:0:1::7]:1", "[2001:db8:0:1:8::9]:3", true},
        {"[2001:db8:0:1::7]:1", "[2001:db8:0:2::7]:1", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_peer a, b, host_a, host_b;
        assert_int_equal(dn_udp_peer_parse(cases[i].a, &a), DUNLIN_OK);
        assert_int_equal(dn_udp_peer_parse(cases[i].b, &b), DUNLIN_OK);
        dn_peer_set_transport(&b, DN_TRANSPORT_TLS);
        assert_true(dn_udp_peer_host(&a, &host_a));
        assert_true(dn_udp_peer_host(&b, &host_b));
        assert_int_equal(dn_peer_equal(&host_a, &host_b), cases[i].same);
    }
    dn_peer foreign = {.len = 5, .bytes = "abcd"};
    assert_false(dn_udp_peer_host(&foreign, &foreign));
}

static void open_errors(void **state)
{
    dn_udp udp, second;
    (void)state;
    assert_int_equal(dn_udp_open(&udp, "nonsense", 0), DUNLIN_ERR_ARGUMENT);
    dn_udp_close(&udp);
    assert_int_equal(dn_udp_open(&udp, "192.0.2.1:0", 0), DUNLIN_ERR_IO);
    assert_int_equal(dn_udp_open(&udp, "127.0.0.1:0", 0), DUNLIN_OK);
    assert_int_equal(dn_udp_open(&second, udp.text, 0), DUNLIN_ERR_IO);
    dn_udp_close(&udp);
    assert_int_equal(dn_udp_open(&udp, "127.0.0.1:0", DN_UDP_REUSEPORT), DUNLIN_OK);
    assert_int_equal(dn_udp_open(&second, udp.text, DN_UDP_REUSEPORT), DUNLIN_OK);
    dn_udp_close(&second);
    dn_udp_close(&udp);
}

/* A server and a client socket, what they need, and a peer each. */
typedef struct {
    dn_udp server, client;
    dn_udp_batch batch;
    dn_udp_outbox outbox;
    dn_peer server_peer;
} pair;

static pair *make_pair(const char *server, const char *client, unsigned flags, const char *as_seen)
{
    pair *both = malloc(sizeof *both);
    assert_non_null(both);
    assert_int_equal(dn_udp_open(&both->server, server, flags), DUNLIN_OK);
    assert_int_equal(dn_udp_open(&both->client, client, 0), DUNLIN_OK);
    dn_udp_outbox_init(&both->outbox);
    dn_peer bound;
    char name[DN_UDP_TEXT_MAX];
    assert_int_equal(dn_udp_peer_parse(both->server.text, &bound), DUNLIN_OK);
    assert_true(snprintf(name, sizeof name, "%s:%u", as_seen, dn_udp_peer_port(&bound)) < (int)sizeof name);
    assert_int_equal(dn_udp_peer_parse(name, &both->server_peer), DUNLIN_OK);
    return both;
}

static void free_pair(pair *both)
{
    dn_udp_close(&both->server);
    dn_udp_close(&both->client);
    free(both);
}

static void batches(void **state)
{
    (void)state;
    pair *both = make_pair("127.0.0.1:0", "127.0.0.1:0", DN_UDP_LOCAL, "127.0.0.1");
    for (size_t i = 0; i < DN_UDP_BATCH; i++) {
        uint8_t byte = (uint8_t)i;
        assert_true(dn_udp_queue(&both->outbox, &both->server_peer, dunlin_slice_make(&byte, 1)));
    }
    assert_false(dn_udp_queue(&both->outbox, &both->server_peer, text("one more")));
    assert_int_equal(dn_udp_flush(&both->client, &both->outbox), DUNLIN_OK);
    size_t seen = 0;
    while (seen < DN_UDP_BATCH) {
        assert_int_equal(receive(&both->server, &both->batch, 32), DUNLIN_OK);
        assert_true(both->batch.count <= 32);
        for (size_t i = 0; i < both->batch.count; i++) {
            char from[DN_UDP_TEXT_MAX];
            assert_int_equal(both->batch.datagram[i].bytes.len, 1);
            assert_int_equal(both->batch.datagram[i].bytes.data[0], seen++);
            assert_string_equal(dn_udp_peer_text(&both->batch.datagram[i].peer, from), both->client.text);
        }
    }
    assert_int_equal(dn_udp_receive(&both->server, &both->batch, 0), DUNLIN_END);
    assert_int_equal(both->server.counters.received, DN_UDP_BATCH);
    assert_int_equal(both->client.counters.sent, DN_UDP_BATCH);
    assert_int_equal(both->client.counters.bytes_sent, DN_UDP_BATCH);
    free_pair(both);
}

static void sizes(void **state)
{
    (void)state;
    pair *both = make_pair("[::1]:0", "[::1]:0", 0, "[::1]");
    uint8_t big[DN_UDP_DATAGRAM_MAX + 1] = {0};
    assert_true(dn_udp_queue(&both->outbox, &both->server_peer, dunlin_slice_make(NULL, 0)));
    assert_true(dn_udp_queue(&both->outbox, &both->server_peer, dunlin_slice_make(big, DN_UDP_DATAGRAM_MAX)));
    assert_false(dn_udp_queue(&both->outbox, &both->server_peer, dunlin_slice_make(big, sizeof big)));
    dn_udp_send(&both->client, &both->outbox, &both->server_peer, dunlin_slice_make(big, sizeof big));
    assert_int_equal(both->client.counters.dropped, 1);
    assert_int_equal(dn_udp_flush(&both->client, &both->outbox), DUNLIN_OK);
    /* A longer datagram than we take, from a socket that knows no such limit. */
    struct sockaddr_in6 to = {.sin6_family = AF_INET6,
                              .sin6_port = htons(dn_udp_peer_port(&both->server_peer))};
    to.sin6_addr = in6addr_loopback;
    assert_int_equal(sendto(both->client.fd, big, sizeof big, 0, (struct sockaddr *)&to, sizeof to),
                     sizeof big);
    size_t lengths = 0, count = 0;
    while (both->server.counters.truncated == 0) {
        dunlin_status status = receive(&both->server, &both->batch, DN_UDP_BATCH);
        assert_true(status == DUNLIN_OK || status == DUNLIN_END);
        for (size_t i = 0; i < both->batch.count; i++) {
            lengths += both->batch.datagram[i].bytes.len;
            count++;
        }
    }
    assert_int_equal(count, 2);
    assert_int_equal(lengths, DN_UDP_DATAGRAM_MAX);
    free_pair(both);
}

/* An answer from a wildcard socket leaves from the address the request came to; otherwise the client would
 * not know it. */
static void answers_from_where_it_was_asked(void **state)
{
    static const struct {
        const char *server, *client, *as_seen;
    } cases[] = {
        {"0.0.0.0:0", "127.0.0.1:0", "127.0.0.77"},
        {"[::]:0", "127.0.0.1:0", "127.0.0.78"},
        {"[::]:0", "[::1]:0", "[::1]"},
        {"0.0.0.0:0", "127.0.0.1:0", "127.0.0.1"},
        {"127.0.0.79:0", "127.0.0.1:0", "127.0.0.79"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pair *both = make_pair(cases[i].server, cases[i].client, DN_UDP_LOCAL, cases[i].as_seen);
        dn_udp_send(&both->client, &both->outbox, &both->server_peer, text("ping"));
        assert_int_equal(dn_udp_flush(&both->client, &both->outbox), DUNLIN_OK);
        assert_int_equal(receive(&both->server, &both->batch, 1), DUNLIN_OK);
        dn_peer asker = both->batch.datagram[0].peer;
        char from[DN_UDP_TEXT_MAX];
        assert_string_equal(dn_udp_peer_text(&asker, from), both->client.text);
        const bool is_v6 = cases[i].as_seen[0] == '[';
        assert_int_equal(dn_udp_peer_local_text(&asker, from), !is_v6);
        assert_string_equal(from, is_v6 ? "" : cases[i].as_seen);
        assert_false(dn_udp_peer_local_text(&both->server_peer, from)); /* it was parsed */
        dn_udp_send(&both->server, &both->outbox, &asker, text("pong"));
        assert_int_equal(dn_udp_flush(&both->server, &both->outbox), DUNLIN_OK);
        assert_int_equal(receive(&both->client, &both->batch, 1), DUNLIN_OK);
        assert_true(dn_peer_equal(&both->batch.datagram[0].peer, &both->server_peer));
        free_pair(both);
    }
}

static void unreachable_does_not_stop_the_others(void **state)
{
    (void)state;
    pair *both = make_pair("127.0.0.1:0", "127.0.0.1:0", 0, "127.0.0.1");
    dn_peer v6, nowhere;
    assert_int_equal(dn_udp_peer_parse("[::1]:9", &v6), DUNLIN_OK);
    assert_int_equal(dn_udp_peer_parse("127.0.0.1:0", &nowhere), DUNLIN_OK);
    assert_true(dn_udp_queue(&both->outbox, &v6, text("wrong family")));
    assert_true(dn_udp_queue(&both->outbox, &nowhere, text("port 0")));
    assert_true(dn_udp_queue(&both->outbox, &both->server_peer, text("good")));
    assert_int_equal(dn_udp_flush(&both->client, &both->outbox), DUNLIN_OK);
    assert_int_equal(receive(&both->server, &both->batch, 8), DUNLIN_OK);
    assert_int_equal(both->batch.count, 1);
    assert_int_equal(both->batch.datagram[0].bytes.len, 4);
    assert_int_equal(both->client.counters.dropped, 2);
    assert_int_equal(both->client.counters.sent, 1);
    free_pair(both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_texts),
        cmocka_unit_test(names),
        cmocka_unit_test(transports),
        cmocka_unit_test(hosts),
        cmocka_unit_test(open_errors),
        cmocka_unit_test(batches),
        cmocka_unit_test(sizes),
        cmocka_unit_test(answers_from_where_it_was_asked),
        cmocka_unit_test(unreachable_does_not_stop_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
