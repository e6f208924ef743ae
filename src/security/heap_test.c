/* SPDX-License-Identifier: Apache-2.0 */
/* What an established session costs while nothing happens: at most 11 KB of heap at the server, whichever the credentials. */
#include "security/testpair.h"
#include "security/testworld.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SESSIONS  400u
#define BYTES_MAX (11u * 1024u)

static size_t in_use(void)
{
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static size_t measure(dn_testworld *world, uint8_t mode, bool datagram)
{
    static dn_tls_session *kept[SESSIONS];
    const dn_tls_server_config server_config = dn_testworld_server(world);
    const dn_tls_client_config client_config = dn_testworld_client(world, mode, 2);
    dn_tls_context *server = dn_testworld_make_server(&server_config);
    dn_tls_context *client = dn_testworld_make_client(&client_config);
    size_t before = 0;
    for (size_t i = 0; i <= SESSIONS; i++) {
        dn_testpair pair;
        dn_testpair_init(&pair, server, client, datagram, i);
        assert_true(dn_testpair_run(&pair));
        assert_true(dn_testpair_echo(&pair));
        if (i > 0) { /* the first one fills what the library makes once */
            kept[i - 1] = pair.server.session;
            pair.server.session = NULL;
        }
        dn_testpair_clear(&pair);
        before = i == 0 ? in_use() : before;
    }
    const size_t bytes = (in_use() - before) / SESSIONS;
    for (size_t i = 0; i < SESSIONS; i++) {
        dn_tls_free(kept[i]);
    }
    dn_tls_context_give_up(server);
    dn_tls_context_give_up(client);
    return bytes;
}

static void idle_sessions(void **state)
{
    (void)state;
    static const char *const names[] = {"PSK", "RPK", "X.509"};
    dn_testworld *world = dn_testworld_make();
    for (uint8_t mode = 0; mode < 3; mode++) {
        for (int datagram = 0; datagram < 2; datagram++) {
            const size_t bytes = measure(world, mode, datagram != 0);
            print_message("%s over %s: %zu bytes\n", names[mode], datagram ? "DTLS" : "TLS", bytes);
            assert_true(bytes <= BYTES_MAX);
        }
    }
    dn_testworld_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_sessions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
