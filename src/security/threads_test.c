/* SPDX-License-Identifier: Apache-2.0 */
/* One context of a server, sessions on four threads at once, tickets dropped meanwhile; for ThreadSanitizer above all. */
#include "security/gnutls_inside.h"
#include "security/testpair.h"
#include "security/testworld.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define THREADS 4u
#define ROUNDS  24u

typedef struct {
    dn_tls_context *server, *clients[3];
    unsigned number;
    unsigned failed;
} job;

static void *work(void *argument)
{
    job *j = argument;
    uint8_t kept[3][DN_TLS_RESUME_MAX];
    size_t kept_len[3] = {0, 0, 0};
    for (unsigned i = 0; i < ROUNDS; i++) {
        const unsigned mode = i % 3;
        dn_testpair pair;
        dn_testpair_init(&pair, j->server, j->clients[mode], i % 2 == 0, i);
        pair.resume = dunlin_slice_make(kept[mode], kept_len[mode]);
        if (!dn_testpair_run(&pair) || !dn_testpair_echo(&pair)) {
            print_error("mode %u, round %u: %s; %s\n", mode, i, dn_testpair_ending(&pair.client)->why,
                        dn_testpair_ending(&pair.server)->why);
            j->failed++;
        }
        kept_len[mode] = dn_tls_resumption(pair.client.session, kept[mode], sizeof kept[mode]);
        dn_testpair_clear(&pair);
        if (j->number == 0 && i % 8 == 7) {
            dn_tls_context_drop_tickets(j->server);
        }
    }
    return NULL;
}

static void sessions_on_threads(void **state)
{
    (void)state;
    dn_testworld *world = dn_testworld_make();
    const dn_tls_server_config server_config = dn_testworld_server(world);
    job jobs[THREADS];
    pthread_t threads[THREADS];
    dn_tls_context *server = dn_testworld_make_server(&server_config);
    dn_tls_context *clients[3];
    for (uint8_t mode = 0; mode < 3; mode++) {
        const dn_tls_client_config config = dn_testworld_client(world, mode, 2);
        clients[mode] = dn_testworld_make_client(&config);
    }
    /* One that knows no tickets, so that the table of sessions is shared as well. */
    clients[0]->session_flags |= GNUTLS_NO_TICKETS;
    for (unsigned i = 0; i < THREADS; i++) {
        jobs[i] = (job){.server = server, .clients = {clients[0], clients[1], clients[2]}, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(jobs[i].failed, 0);
    }
    dn_tls_context_give_up(server);
    for (size_t i = 0; i < 3; i++) {
        dn_tls_context_give_up(clients[i]);
    }
    dn_testworld_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_on_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
