/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bootstrap server with its thread over loopback, by UDP, DTLS, TCP and TLS: real handshakes, identities that are checked, and what
 * other threads ask of it.
 */
#include "bearer/udp.h"
#include "bootstrap/bootstrap.h"
#include "bootstrap/memory_store.h"
#include "codec/format.h"
#include "endpoint/link.h"
#include "security/testkeeper.h"
#include "tests/bootstrap/keeper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 60000
#define KEY         "0123456789abcdef"

static uint64_t clock_ms(void *context)
{
    struct timespec now;
    (void)context;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int64_t wall_ms(void *context)
{
    struct timespec now;
    (void)context;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void fill(void *context, void *out, size_t len)
{
    (void)context;
    assert_int_equal(getrandom(out, len, 0), (ssize_t)len);
}

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
    assert_int_equal(dn_bs_memory_store_open(wall_ms, NULL, &s.store), DUNLIN_OK);
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
    config.engine.random = (dn_random){.fill = fill};
    config.engine.clock_ms = clock_ms;
    config.engine.wall_ms = wall_ms;
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

/* A device: a socket, a link, an engine. It takes everything that a bootstrap server asks. */

typedef struct {
    int fd;
    dn_link *link;
    dn_tls_context *tls;
    dn_coap *coap;
    void *arena;
    dn_random random;
    dn_peer server;
    bool is_stream, is_up, is_down;
    int alert;
    unsigned asked, finished;
    bool answered;
    dunlin_status status;
    uint8_t code;
} device;

static void on_output(void *context, const dn_peer *peer, dunlin_slice bytes)
{
    const device *d = context;
    (void)peer;
    while (bytes.len > 0) {
        ssize_t sent = send(d->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (sent < 0) {
            assert_true(errno == ECONNREFUSED || errno == EPIPE || errno == ECONNRESET);
            return;
        }
        bytes.data += sent;
        bytes.len -= (size_t)sent;
    }
}

static void on_message(void *context, const dn_peer *peer, dunlin_slice message)
{
    device *d = context;
    dn_coap_receive(d->coap, peer, message, clock_ms(NULL));
}

/* Messages may follow at once, so the engine has to know. */
static void on_up(void *context)
{
    device *d = context;
    d->is_up = true;
    if (d->is_stream) {
        assert_int_equal(dn_coap_open(d->coap, &d->server, clock_ms(NULL)), DUNLIN_OK);
    }
}

static void on_down(void *context, dunlin_status status, int alert, const char *why)
{
    device *d = context;
    (void)status;
    (void)why;
    d->is_down = true;
    d->alert = alert;
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice message)
{
    device *d = context;
    (void)peer;
    (void)dn_link_send(d->link, message, clock_ms(NULL));
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    device *d = context;
    (void)body;
    d->asked++;
    dn_coap_reply_init(reply, request->code == DN_COAP_DELETE ? DN_COAP_DELETED : DN_COAP_CHANGED);
    if (request->code == DN_COAP_GET) {
        reply->code = DN_COAP_CONTENT;
        reply->content_format = DN_FORMAT_LINK;
        reply->payload = dunlin_slice_of("</>;lwm2m=1.1,</0/0>,</3/0>");
    }
    d->finished += request->code == DN_COAP_POST;
    return DN_COAP_ANSWERED;
}

static bool on_notification(void *context, const dn_peer *peer, const dn_coap_response *notification)
{
    (void)context;
    (void)peer;
    (void)notification;
    return false;
}

static void on_stream_ended(void *context, const dn_peer *peer, dunlin_status status, dunlin_slice detail)
{
    (void)context;
    (void)peer;
    (void)status;
    (void)detail;
}

static dn_tls_context *client_context(const char *identity, const char *key)
{
    char error[256] = "";
    dn_tls_context *made = NULL;
    dn_tls_client_config config = dn_tls_client_config_default();
    config.mode = DN_SECURITY_PSK;
    config.own = dunlin_slice_of(identity);
    config.secret = dunlin_slice_of(key);
    if (dn_tls_client_create(&config, &made, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
    return made;
}

static void make_engine(device *d)
{
    dn_coap_config config = dn_coap_config_default();
    const dn_coap_callbacks callbacks = {.send = on_send,
                                         .request = on_request,
                                         .notification = on_notification,
                                         .stream_ended = on_stream_ended,
                                         .context = d};
    config.connections = 1;
    size_t size = dn_coap_arena_size(&config);
    d->arena = malloc(size);
    assert_non_null(d->arena);
    d->random = (dn_random){.fill = fill};
    d->coap = dn_coap_create(d->arena, size, &config, &callbacks, &d->random, NULL, clock_ms(NULL));
    assert_non_null(d->coap);
}

static void dial(device *d, dn_transport transport)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *address = dn_bootstrap_address_of(s.bootstrap, transport, 0);
    assert_non_null(address);
    assert_int_equal(dn_udp_peer_parse(address, &d->server), DUNLIN_OK);
    dn_peer_set_transport(&d->server, transport);
    to.sin_port = htons(dn_udp_peer_port(&d->server));
    d->is_stream = dn_transport_is_stream(transport);
    d->fd = socket(AF_INET, d->is_stream ? SOCK_STREAM : SOCK_DGRAM, 0);
    assert_true(d->fd >= 0);
    assert_int_equal(connect(d->fd, (const struct sockaddr *)&to, sizeof to), 0);
}

/* Reads what is there, and what is due. */
static void turn(device *d)
{
    uint8_t bytes[4096];
    struct pollfd wait = {.fd = d->fd, .events = POLLIN};
    if (poll(&wait, 1, 20) > 0) {
        ssize_t got = recv(d->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got > 0) {
            dn_link_receive(d->link, dunlin_slice_make(bytes, (size_t)got), clock_ms(NULL));
        } else if (got == 0 && d->is_stream && !d->is_down) {
            dn_link_lost(d->link, DUNLIN_ERR_IO);
        }
    }
    dn_link_expire(d->link, clock_ms(NULL));
    dn_coap_expire(d->coap, clock_ms(NULL));
}

static void turn_until(device *d, const bool *what, const char *name)
{
    uint64_t end_ms = clock_ms(NULL) + PATIENCE_MS;
    while (!*what) {
        turn(d);
        if (clock_ms(NULL) > end_ms) {
            fail_msg("it took too long: %s", name);
        }
    }
}

/* A device whose way is not up yet. */
static void device_begin(device *d, dn_transport transport, const char *identity, const char *key)
{
    memset(d, 0, sizeof *d);
    dial(d, transport);
    make_engine(d);
    d->tls = dn_transport_is_secure(transport) ? client_context(identity, key) : NULL;
    const dn_link_config config = {.call = {on_output, on_message, on_up, on_down, d},
                                   .max_stream_message = 8192};
    d->link = dn_link_create(&config);
    assert_non_null(d->link);
    assert_int_equal(dn_link_open(d->link, &d->server, d->tls, clock_ms(NULL)), DUNLIN_OK);
    dn_link_connected(d->link, clock_ms(NULL));
    d->is_up = dn_link_state_of(d->link) == DN_LINK_UP; /* over UDP nobody says so */
}

static void device_open(device *d, dn_transport transport, const char *identity, const char *key)
{
    device_begin(d, transport, identity, key);
    turn_until(d, &d->is_up, "the handshake");
}

static void device_close(device *d)
{
    dn_link_close(d->link, clock_ms(NULL));
    dn_link_destroy(d->link);
    dn_tls_context_give_up(d->tls);
    free(d->arena);
    (void)close(d->fd);
}

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    device *d = context;
    (void)exchange;
    d->answered = true;
    d->status = status;
    d->code = response != NULL ? response->code : 0;
}

static void ask(device *d, const char *query)
{
    dn_coap_option options[] = {{DN_OPTION_URI_PATH, dunlin_slice_of("bs")},
                                {DN_OPTION_URI_QUERY, dunlin_slice_of(query)}};
    dn_coap_outgoing request;
    uint64_t exchange;
    dn_coap_outgoing_init(&request, DN_COAP_POST);
    request.confirmable = true;
    request.options = options;
    request.option_count = 2;
    d->answered = false;
    assert_int_equal(dn_coap_request(d->coap, &d->server, &request, on_result, d, clock_ms(NULL), &exchange),
                     DUNLIN_OK);
    turn_until(d, &d->answered, query);
    assert_int_equal(d->status, DUNLIN_OK);
}

static void turn_until_finished(device *d, unsigned count)
{
    uint64_t end_ms = clock_ms(NULL) + PATIENCE_MS;
    while (d->finished < count || atomic_load(&s.finished) < count) {
        turn(d);
        if (clock_ms(NULL) > end_ms) {
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
    uint64_t end_ms = clock_ms(NULL) + PATIENCE_MS;
    while (atomic_load(done) == 0 && clock_ms(NULL) < end_ms) {
        turn(d);
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
        device_open(&d, transports[i], "factory", KEY);
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
    device_open(&d, DN_TRANSPORT_DTLS, "factory", KEY);
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
    device_open(&d, DN_TRANSPORT_DTLS, "factory", KEY);
    s.own.list[0].generation++;
    const uint64_t number = s.own.list[0].number;
    dn_testkeeper_psk(&s.own, "dev-*", dunlin_slice_of("factory"), dunlin_slice_of("fedcba9876543210"));
    s.own.base.changed(s.own.base.changed_context, number, false);
    turn_until(&d, &d.is_down, "the end of the session");
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
    config.engine.clock_ms = clock_ms;
    config.engine.wall_ms = wall_ms;
    assert_int_equal(dn_bootstrap_start(&config, &made, error, sizeof error), DUNLIN_ERR_ARGUMENT);
    config.engine.store = s.store;
    config.engine.random = (dn_random){.fill = fill};
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
