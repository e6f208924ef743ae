/* SPDX-License-Identifier: Apache-2.0 */
#include "port/uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_good(void **state)
{
    static const struct {
        const char *uri;
        dn_transport transport;
        const char *host;
        uint16_t port;
        const char *rest;
    } rows[] = {
        {"coap://127.0.0.1", DN_TRANSPORT_UDP, "127.0.0.1", 5683, ""},
        {"coaps://server.example.org", DN_TRANSPORT_DTLS, "server.example.org", 5684, ""},
        {"coap+tcp://h:1", DN_TRANSPORT_TCP, "h", 1, ""},
        {"coaps+tcp://[2001:db8::1]:65535", DN_TRANSPORT_TLS, "2001:db8::1", 65535, ""},
        {"coaps+tcp://[::1]", DN_TRANSPORT_TLS, "::1", 5684, ""},
        {"coap+tcp://h", DN_TRANSPORT_TCP, "h", 5683, ""},
        {"coap://h/a/b?c", DN_TRANSPORT_UDP, "h", 5683, "/a/b?c"},
        {"coap://h:77?c", DN_TRANSPORT_UDP, "h", 77, "?c"},
        {"coap://[fe80::1%eth0]:5683/", DN_TRANSPORT_UDP, "fe80::1%eth0", 5683, "/"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dn_uri_server server;
        const char *rest = NULL;
        assert_null(dn_uri_read(rows[i].uri, &server, &rest));
        assert_int_equal(server.transport, rows[i].transport);
        assert_string_equal(server.host, rows[i].host);
        assert_int_equal(server.port, rows[i].port);
        assert_string_equal(rest, rows[i].rest);
        assert_null(dn_uri_read(rows[i].uri, &server, NULL));
    }
}

static void test_bad(void **state)
{
    static const char *const rows[] = {
        "",
        "coap:/h",
        "http://h",
        "COAP://h",
        "coaps+udp://h",
        "coap://",
        "coap://:5683",
        "coap://[::1",
        "coap://[]",
        "coap://user@h",
        "coap://h:",
        "coap://h:0",
        "coap://h:65536",
        "coap://h:-1",
        "coap://h: 1",
        "coap://h:1x",
        "coap://h#fragment",
        "coap://[::1]x",
        "coap://h:99999999999999999999",
    };
    char longer[300] = "coap://";
    dn_uri_server server;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_non_null(dn_uri_read(rows[i], &server, NULL));
    }
    memset(longer + 7, 'h', 254);
    assert_non_null(dn_uri_read(longer, &server, NULL));
    longer[260] = '\0';
    assert_null(dn_uri_read(longer, &server, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
