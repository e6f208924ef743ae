/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Without memory, at each place in turn: nothing breaks, nothing leaks (under the address sanitizer), and whoever comes next is served. The
 * allocations of our own code fail, not those inside other libraries.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "endpoint/ports.h"
#include "tests/endpoint/ports_client.h"
#include "tests/endpoint/secure_rig.h"

#include <stdlib.h>

#define NEVER SIZE_MAX

/* Tests run one after another: a counter for all. */
static size_t until_failure = NEVER;
static bool has_failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool fails(void)
{
    if (until_failure == NEVER || until_failure-- > 0) {
        return false;
    }
    until_failure = NEVER;
    has_failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

static void arm(size_t allocations)
{
    has_failed = false;
    until_failure = allocations;
}

/* True when all allocations of a run went well: there is nothing more to fail. */
static bool disarm(void)
{
    until_failure = NEVER;
    return !has_failed;
}

static void sessions(dn_transport transport)
{
    bool done = false;
    for (size_t n = 0; !done; n++) {
        assert_true(n < 1000);
        rig *r = rig_create(transport, NULL);
        dn_peer first = rig_peer(transport, 1, 1000), second = rig_peer(transport, 2, 1000);
        r->split = true;
        rig_client *client = rig_dial(r, 1, &first, NULL, NULL, dunlin_slice_make(NULL, 0));
        arm(n);
        rig_run(r, 5000);
        if (rig_is_open(client)) {
            (void)dn_tls_send(client->tls, dunlin_slice_of("hello"), r->now_ms);
            rig_run(r, 100);
            (void)dn_secure_send(r->secure, &first, dunlin_slice_of("hello"), r->now_ms);
            rig_run(r, 100);
        }
        done = disarm();
        client = rig_dial(r, 2, &second, NULL, NULL, dunlin_slice_make(NULL, 0));
        rig_run(r, 5000);
        assert_true(rig_is_open(client));
        assert_int_equal(rig_count(r, RIG_OPENED, &second), 1);
        rig_run(r, 100000);
        assert_int_equal(dn_secure_count(r->secure)->half_open, 0);
        rig_destroy(r);
    }
}

static void dtls_sessions(void **state)
{
    (void)state;
    sessions(DN_TRANSPORT_DTLS);
}

static void tls_sessions(void **state)
{
    (void)state;
    sessions(DN_TRANSPORT_TLS);
}

static void making_sessions(void **state)
{
    (void)state;
    rig *r = rig_create(DN_TRANSPORT_DTLS, NULL);
    const dn_secure_callbacks call = {0};
    dn_secure *secure = NULL;
    for (size_t n = 0; secure == NULL; n++) {
        assert_true(n < 20);
        arm(n);
        secure = dn_secure_create(&r->config, r->context, &call, 0);
        assert_int_equal(disarm(), secure != NULL);
    }
    dn_secure_destroy(secure);
    rig_destroy(r);
}

/* Ports on UDP and TCP. */

typedef struct {
    dn_ports *ports;
    size_t messages;
} world;

static void on_message(void *context, const dn_peer *peer, dunlin_slice message)
{
    world *w = context;
    w->messages++;
    dn_ports_send(w->ports, peer, message, 1000);
}

static void on_opened(void *context, const dn_peer *peer)
{
    (void)context;
    (void)peer;
}

static void on_closed(void *context, const dn_peer *peer, dunlin_status status)
{
    (void)context;
    (void)peer;
    (void)status;
}

static dunlin_status open_ports(world *w)
{
    static const char *const address = "127.0.0.1:0";
    char error[200];
    dn_ports_config config = dn_ports_config_default();
    config.listen[DN_TRANSPORT_UDP] = (dn_ports_addresses){&address, 1};
    config.listen[DN_TRANSPORT_TCP] = (dn_ports_addresses){&address, 1};
    const dn_ports_callbacks call = {
        .message = on_message, .opened = on_opened, .closed = on_closed, .context = w};
    *w = (world){0};
    return dn_ports_open(&config, &call, 1000, &w->ports, error, sizeof error);
}

static void opening_ports(void **state)
{
    world w = {0};
    (void)state;
    for (size_t n = 0; w.ports == NULL; n++) {
        assert_true(n < 50);
        arm(n);
        dunlin_status status = open_ports(&w);
        assert_int_equal(disarm(), status == DUNLIN_OK);
    }
    dn_ports_close(w.ports);
}

static void turn(world *w, ports_client *c)
{
    struct pollfd fds[DN_PORTS_FDS_MAX + 1];
    size_t count = dn_ports_fds(w->ports, fds);
    fds[count++] = ports_client_fd(c);
    assert_true(poll(fds, count, 60000) > 0);
    (void)dn_ports_receive(w->ports, 1000, NULL);
    dn_ports_expire(w->ports, 1000);
    dn_ports_flush(w->ports);
    ports_client_work(c);
}

/* A message in two parts, which is answered, and the beginning of another. */
static void talk(world *w, ports_client *c, size_t messages)
{
    static const uint8_t bytes[] = {0x00, 0xe2, 0x00};
    while (!c->up && !c->down) {
        turn(w, c);
    }
    for (size_t i = 0; i < sizeof bytes && !c->down; i++) {
        if (dn_link_send(c->link, dunlin_slice_make(&bytes[i], 1), 1000) == DUNLIN_OK) {
            ports_client_work(c);
        }
    }
    while (c->messages < messages && !c->down) {
        turn(w, c);
    }
}

static void serving_streams(void **state)
{
    bool done = false;
    (void)state;
    for (size_t n = 0; !done; n++) {
        world w;
        assert_true(n < 100);
        assert_int_equal(open_ports(&w), DUNLIN_OK);
        const char *address = dn_ports_address(w.ports, DN_TRANSPORT_TCP, 0);
        ports_client *c = ports_client_open(address, DN_TRANSPORT_TCP, NULL, 1000);
        arm(n);
        talk(&w, c, 1);
        done = disarm();
        ports_client_free(c);
        c = ports_client_open(address, DN_TRANSPORT_TCP, NULL, 1000);
        talk(&w, c, 1);
        assert_false(c->down);
        assert_int_equal(c->messages, 1);
        ports_client_free(c);
        dn_ports_close(w.ports);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dtls_sessions), cmocka_unit_test(tls_sessions),    cmocka_unit_test(making_sessions),
        cmocka_unit_test(opening_ports), cmocka_unit_test(serving_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
