/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bootstrap server with its thread over loopback, by UDP, DTLS, TCP and TLS: real handshakes, identities that are checked, and what
 * other threads ask of it.
 */
#include "bootstrap/bootstrap.h"
#include "bootstrap/memory_store.h"
#include "codec/format.h"
#include "security/testkeeper.h"
#include "tests/bootstrap/keeper.h"
#include "tests/endpoint/device.h"
#include "tests/endpoint/real.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include <cmocka.h>

#define KEY "0123456789abcdef"

/* The server. */

typedef struct {
    dn_testkeeper own;
    bs_keeper keeper;
    dn_bs_store *store;
    dn_tls_context *tls;
    dn_bootstrap *bootstrap;
    atomic_uint finished; /* events */
} served;

static served s;

static void on_event(void *context, const dn_bs_event *event)
{
    (void)context;
    atomic_fetch_add(&s.finished, event->kind == DN_BS_FINISHED);
}

static void configure(const char *endpoint, const char *document)
{
    assert_int_equal(
        s.store->ops->put(s.store, dunlin_slice_of(endpoint), dunlin_slice_of(document), 0, NULL), DUNLIN_OK);
}

static int set_up(void **state)
{
    static const char *const any[] = {"127.0.0.1:0"};
    const dn_ports_addresses one = {.addresses = any, .count = 1};
    char error[256] = "";
    (void)state;
    memset(&s, 0, sizeof s);
    dn_testkeeper_init(&s.own);
    dn_testkeeper_psk(&s.own, "dev-*", dunlin_slice_of("factory"), dunlin_slice_of(KEY));
    bs_keeper_init(&s.keeper, 16);
    assert_int_equal(dn_bs_memory_store_open(real_wall_ms, NULL, &s.store), DUNLIN_OK);
    configure("dev-*", "{\"servers\":[{}],\"verify\":false}");
    configure("open",
              "{\"servers\":[{\"security\":{\"mode\":\"nosec\"}}],\"verify\":false,\"allow_insecure\":true}");
    dn_tls_server_config tls = dn_tls_server_config_default();
    tls.credentials = &s.own.base;
    assert_int_equal(dn_tls_server_create(&tls, &s.tls, error, sizeof error), DUNLIN_OK);
    dn_bootstrap_config config = dn_bootstrap_config_default();
    for (size_t i = 0; i < 4; i++) {
        config.listen[i] = one;
    }
    config.tls = s.tls;
    config.own_credentials = &s.own.base;
    config.tcp.max_connections = 16;
    config.engine.store = s.store;
    config.engine.credentials = &s.keeper.base;
    config.engine.own.uris[DN_TRANSPORT_UDP] = "coap://here:5683";
    config.engine.own.uris[DN_TRANSPORT_DTLS] = "coaps://here:5684";
    config.engine.random = (dn_random){.fill = real_random};
    config.engine.clock_ms = real_clock_ms;
    config.engine.wall_ms = real_wall_ms;
    config.engine.event = on_event;
    config.engine.max_runs = 16;
    if (dn_bootstrap_start(&config, &s.bootstrap, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dn_bootstrap_stop(s.bootstrap, 0);
    dn_tls_context_give_up(s.tls);
    s.store->ops->close(s.store);
    bs_keeper_free(&s.keeper);
    return 0;
}

/* Its device takes everything that a bootstrap server asks. */

static void serve(device *d, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    dn_coap_reply_init(reply, request->code == DN_COAP_DELETE ? DN_COAP_DELETED : DN_COAP_CHANGED);
    if (request->code == DN_COAP_GET) {
        reply->code = DN_COAP_CONTENT;
        reply->content_format = DN_FORMAT_LINK;
        reply->payload = dunlin_slice_of("</>;lwm2m=1.1,</0/0>,</3/0>");
    }
    d->finished += request->code == DN_COAP_POST;
}

static void connect_as(device *d, dn_transport transport, const char *identity, const char *key)
{
    const device_config config = {.transport = transport,
                                  .address = dn_bootstrap_address_of(s.bootstrap, transport, 0),
                                  .identity = identity,
                                  .key = key,
                                  .serve = serve};
    device_open(d, &config);
}

static void ask(device *d, const char *query)
{
    dn_coap_option options[] = {{DN_OPTION_URI_PATH, dunlin_slice_of("bs")},
                                {DN_OPTION_URI_QUERY, dunlin_slice_of(query)}};
    (void)device_ask(d, options, 2, NULL, DN_COAP_NO_FORMAT);
    assert_int_equal(d->status, DUNLIN_OK);
}

static void turn_until_finished(device *d, unsigned count)
{
    uint64_t end_ms = real_clock_ms(NULL) + PATIENCE_MS;
    while (d->finished < count || atomic_load(&s.finished) < count) {
        device_turn(d);
        if (real_clock_ms(NULL) > end_ms) {
            fail_msg("it took too long: Finish");
        }
    }
}

/* What is asked from here and answered there. */
typedef struct {
    atomic_uint runs, done;
    atomic_int started;
    dn_bs_run_state state;
    char endpoint[32];
} asked;

static bool on_run(void *context, const dn_bs_run_view *run)
{
    asked *a = context;
    a->state = run->state;
    (void)snprintf(a->endpoint, sizeof a->endpoint, "%.*s", (int)run->endpoint.len,
                   (const char *)run->endpoint.data);
    atomic_fetch_add(&a->runs, 1);
    return true;
}

static void on_end(void *context)
{
    atomic_store(&((asked *)context)->done, 1);
}

static void on_started(void *context, const dn_bs_start *start)
{
    atomic_store(&((asked *)context)->started, (int)start->status);
    atomic_store(&((asked *)context)->done, 1);
}

static void wait_for(device *d, atomic_uint *done)
{
    uint64_t end_ms = real_clock_ms(NULL) + PATIENCE_MS;
    while (atomic_load(done) == 0 && real_clock_ms(NULL) < end_ms) {
        device_turn(d);
    }
    assert_int_equal(atomic_load(done), 1);
}

static void test_ways(void **state)
{
    static const dn_transport transports[] = {DN_TRANSPORT_UDP, DN_TRANSPORT_DTLS, DN_TRANSPORT_TCP,
                                              DN_TRANSPORT_TLS};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const bool is_secure = dn_transport_is_secure(transports[i]);
        asked a = {0};
        device d;
        connect_as(&d, transports[i], "factory", KEY);
        ask(&d, is_secure ? "ep=open" : "ep=dev-1");
        assert_int_equal(d.code, DN_COAP_BAD_REQUEST);
        ask(&d, is_secure ? "ep=dev-1" : "ep=open");
        assert_int_equal(d.code, DN_COAP_CHANGED);
        turn_until_finished(&d, 1);
        assert_int_equal(d.asked, 6); /* Discover, twice Delete, twice Write, Finish */
        assert_int_equal(dn_bootstrap_runs(s.bootstrap, dunlin_slice_of(is_secure ? "dev-1" : "open"), 0, 1,
                                           on_run, on_end, &a),
                         DUNLIN_OK);
        wait_for(&d, &a.done);
        assert_int_equal(atomic_load(&a.runs), 1);
        assert_int_equal(a.state, DN_BS_DONE);
        assert_string_equal(a.endpoint, is_secure ? "dev-1" : "open");
        atomic_store(&s.finished, 0);
        device_close(&d);
    }
    dn_bootstrap_counters counters;
    dn_bootstrap_count(s.bootstrap, &counters);
    assert_int_equal(counters.engine.finished, 4);
    assert_int_equal(counters.engine.refused, 4);
    assert_int_equal(counters.engine.insecure_refused, 2);
    assert_int_equal(counters.ports.dtls.handshakes, 1);
    assert_int_equal(counters.ports.tls.handshakes, 1);
    assert_true(dn_bootstrap_healthy(s.bootstrap, NULL));
}

/* The server speaks first while the session is there, and hands out what has been told it since. */
static void test_rerun(void **state)
{
    asked a = {0};
    device d;
    (void)state;
    connect_as(&d, DN_TRANSPORT_DTLS, "factory", KEY);
    ask(&d, "ep=dev-2");
    turn_until_finished(&d, 1);
    const dn_bs_own own = {.uris = {"coap://there", "coaps://there"}};
    dn_bootstrap_use_own(s.bootstrap, &own);
    assert_int_equal(dn_bootstrap_rerun(s.bootstrap, dunlin_slice_of("dev-2"), on_started, &a), DUNLIN_OK);
    turn_until_finished(&d, 2);
    assert_int_equal(atomic_load(&a.started), DUNLIN_OK);
    static const struct {
        const char *endpoint;
        dunlin_status status;
    } others[] = {{"dev-3", DUNLIN_ERR_IO}, {"stranger", DUNLIN_ERR_NOT_FOUND}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        asked none = {0};
        assert_int_equal(
            dn_bootstrap_rerun(s.bootstrap, dunlin_slice_of(others[i].endpoint), on_started, &none),
            DUNLIN_OK);
        wait_for(&d, &none.done);
        assert_int_equal(atomic_load(&none.started), others[i].status);
    }
    device_close(&d);
}

/* A credential that changes ends the sessions that began with it, and their runs. */
static void test_credential_changes(void **state)
{
    device d;
    (void)state;
    connect_as(&d, DN_TRANSPORT_DTLS, "factory", KEY);
    s.own.list[0].generation++;
    const uint64_t number = s.own.list[0].number;
    dn_testkeeper_psk(&s.own, "dev-*", dunlin_slice_of("factory"), dunlin_slice_of("fedcba9876543210"));
    s.own.base.changed(s.own.base.changed_context, number, false);
    device_turn_until(&d, &d.is_down, "the end of the session");
    device_close(&d);
}

static void test_start_fails(void **state)
{
    static const char *const nowhere[] = {"192.0.2.1:1"};
    char error[256] = "";
    dn_bootstrap *made = NULL;
    dn_bootstrap_config config = dn_bootstrap_config_default();
    (void)state;
    assert_int_equal(dn_bootstrap_start(&config, &made, error, sizeof error), DUNLIN_ERR_ARGUMENT);
    config.engine.clock_ms = real_clock_ms;
    config.engine.wall_ms = real_wall_ms;
    assert_int_equal(dn_bootstrap_start(&config, &made, error, sizeof error), DUNLIN_ERR_ARGUMENT);
    config.engine.store = s.store;
    config.engine.random = (dn_random){.fill = real_random};
    config.engine.max_runs = 4;
    config.listen[DN_TRANSPORT_DTLS] = (dn_ports_addresses){.addresses = nowhere, .count = 1};
    assert_int_equal(dn_bootstrap_start(&config, &made, error, sizeof error), DUNLIN_ERR_ARGUMENT);
    config.listen[DN_TRANSPORT_UDP] = config.listen[DN_TRANSPORT_DTLS];
    config.listen[DN_TRANSPORT_DTLS].count = 0;
    assert_int_equal(dn_bootstrap_start(&config, &made, error, sizeof error), DUNLIN_ERR_IO);
    assert_non_null(strstr(error, "192.0.2.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ways, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rerun, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_credential_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_start_fails, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("bootstrap_ways", tests, NULL, NULL);
}
