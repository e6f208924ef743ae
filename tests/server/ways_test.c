/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fleet with its thread over loopback, by UDP, DTLS, TCP and TLS: real handshakes, identities that are checked, credentials that
 * change, contexts that are replaced.
 */
#include "security/issue.h"
#include "server/fleet.h"
#include "store/credentials.h"
#include "store/memory.h"
#include "tests/endpoint/device.h"
#include "tests/endpoint/real.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define KEY   "0123456789abcdef"
#define LINKS "</1/0>,</3/0>"

/* The server. */

typedef struct {
    dn_credentials *credentials;
    dn_tls_context *tls;
    dn_fleet *fleet;
    const char *packages; /* NULL: none */
} served;

static served s;

static dn_tls_context *server_context(void)
{
    char error[256] = "";
    dn_tls_context *made = NULL;
    dn_tls_server_config config = dn_tls_server_config_default();
    config.credentials = s.credentials;
    if (dn_tls_server_create(&config, &made, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
    return made;
}

static dn_credential psk(const char *endpoint, const char *identity, const char *key)
{
    dn_credential one = {.mode = DN_SECURITY_PSK,
                         .is_pattern = dn_endpoint_is_pattern(dunlin_slice_of(endpoint)),
                         .endpoint_len = (uint8_t)strlen(endpoint),
                         .identity_len = (uint8_t)strlen(identity),
                         .key_len = (uint8_t)strlen(key)};
    memcpy(one.endpoint, endpoint, one.endpoint_len);
    memcpy(one.identity, identity, one.identity_len);
    memcpy(one.key, key, one.key_len);
    return one;
}

static void put_psk(const char *endpoint, const char *identity, const char *key)
{
    const dn_credential one = psk(endpoint, identity, key);
    assert_int_equal(s.credentials->ops->put(s.credentials, &one, NULL), DUNLIN_OK);
}

static void start(bool keep)
{
    static const char *const any[] = {"127.0.0.1:0"};
    const dn_ports_addresses one = {.addresses = any, .count = 1};
    const dn_credential_store_config in_memory = dn_credential_store_config_default();
    char error[256] = "";
    assert_int_equal(dn_credential_store_open(&in_memory, &s.credentials, error, sizeof error), DUNLIN_OK);
    s.tls = server_context();
    dn_fleet_config config = dn_fleet_config_default();
    config.coap_addresses = any;
    config.coap_address_count = 1;
    config.dtls_addresses = config.tcp_addresses = config.tls_addresses = one;
    config.tls = s.tls;
    config.credentials = s.credentials;
    config.packages = s.packages;
    config.keep_changed_sessions = keep;
    config.tcp.max_connections = 64;
    config.store = dn_memory_store_create();
    config.coap.dedup_slots = 1024;
    config.random = (dn_random){.fill = real_random};
    config.clock_ms = real_clock_ms;
    config.wall_ms = real_wall_ms;
    if (dn_fleet_start(&config, &s.fleet, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
}

static int set_up(void **state)
{
    (void)state;
    start(false);
    return 0;
}

#define PACKAGE      "00112233445566778899aabbccddeeff"
#define PACKAGE_SIZE 100001u

static char package_folder[sizeof "/tmp/dunlin-ways-XXXXXX"];
static uint8_t package[PACKAGE_SIZE];

static void package_path(char out[96])
{
    (void)snprintf(out, 96, "%s/%s", package_folder, PACKAGE);
}

static int set_up_packages(void **state)
{
    char path[96];
    (void)state;
    strcpy(package_folder, "/tmp/dunlin-ways-XXXXXX");
    assert_non_null(mkdtemp(package_folder));
    package_path(path);
    for (size_t i = 0; i < PACKAGE_SIZE; i++) {
        package[i] = (uint8_t)(i * 2654435761u >> 11);
    }
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(package, 1, PACKAGE_SIZE, file), PACKAGE_SIZE);
    assert_int_equal(fclose(file), 0);
    s.packages = package_folder;
    start(false);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dn_fleet_stop(s.fleet, 0);
    dn_tls_context_give_up(s.tls);
    s.credentials->ops->close(s.credentials);
    return 0;
}

/* Its device answers each request with 2.05 "value". */

static void serve(device *d, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    (void)d;
    (void)request;
    dn_coap_reply_init(reply, DN_COAP_CONTENT);
    reply->content_format = 0;
    reply->payload = dunlin_slice_of("value");
}

static device_config way_of(dn_transport transport, const char *identity, const char *key)
{
    return (device_config){.transport = transport,
                           .address = dn_fleet_address_of(s.fleet, transport, 0),
                           .identity = identity,
                           .key = key,
                           .serve = serve};
}

static void connect_as(device *d, dn_transport transport, const char *identity, const char *key)
{
    const device_config config = way_of(transport, identity, key);
    device_open(d, &config);
}

/* POST to /rd, or to /rd/LOCATION; `query` NULL: none. */
static uint8_t device_post(device *d, const char *location, const char *const *queries, const char *payload)
{
    dn_coap_option options[8] = {{DN_OPTION_URI_PATH, dunlin_slice_of("rd")}};
    size_t count = 1;
    if (location != NULL) {
        options[count++] = (dn_coap_option){DN_OPTION_URI_PATH, dunlin_slice_of(location)};
    }
    for (; queries != NULL && *queries != NULL; queries++) {
        options[count++] = (dn_coap_option){DN_OPTION_URI_QUERY, dunlin_slice_of(*queries)};
    }
    return device_ask(d, options, count, payload, payload != NULL ? 40 : DN_COAP_NO_FORMAT);
}

static uint8_t device_register(device *d, const char *ep)
{
    const char *const with[] = {"lt=300", "lwm2m=1.1", ep, NULL};
    return device_post(d, NULL, with, LINKS);
}

/* Gets a package. */

typedef struct {
    bool done, ended, good;
    uint8_t code;
    uint64_t taken;
    size_t largest;
} fetching;

static bool on_piece(void *context, const dn_coap_response *head, uint64_t offset, uint64_t size, bool more)
{
    fetching *f = context;
    const size_t len = head->payload.len;
    (void)size;
    f->good = f->good && offset == f->taken && offset + len <= PACKAGE_SIZE &&
              memcmp(head->payload.data, package + offset, len) == 0;
    f->taken += len;
    f->largest = len > f->largest ? len : f->largest;
    f->ended = !more;
    return f->good;
}

static void on_fetched(void *context, uint64_t exchange, dunlin_status status,
                       const dn_coap_response *response)
{
    fetching *f = context;
    (void)exchange;
    f->done = true;
    f->code = status == DUNLIN_OK ? response->code : 0;
}

static fetching fetch(device *d, const char *name)
{
    fetching f = {.good = true};
    const dn_coap_sink sink = {on_piece, &f};
    const dn_coap_option path[] = {{DN_OPTION_URI_PATH, dunlin_slice_of("fw")},
                                   {DN_OPTION_URI_PATH, dunlin_slice_of(name)}};
    dn_coap_outgoing request;
    uint64_t exchange = 0;
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.confirmable = true;
    request.options = path;
    request.option_count = 2;
    request.sink = &sink;
    assert_int_equal(
        dn_coap_request(d->coap, &d->server, &request, on_fetched, &f, real_clock_ms(NULL), &exchange),
        DUNLIN_OK);
    device_turn_until(d, &f.done, "the package");
    return f;
}

/* What callers see. */

typedef struct {
    atomic_bool done;
    bool found;
    uint8_t transport, security, presence;
    dunlin_status status;
    uint8_t code;
} seen;

static void on_client(void *context, const dn_client_view *client)
{
    seen *out = context;
    if (client != NULL) {
        out->found = true;
        out->transport = client->transport;
        out->security = client->security;
        out->presence = client->presence;
    }
    atomic_store(&out->done, true);
}

static void on_response(void *context, const dn_device_response *response)
{
    seen *out = context;
    out->status = response->status;
    out->code = response->code;
    atomic_store(&out->done, true);
}

/* `d` NULL: nobody serves meanwhile. */
static void await(seen *what, device *d)
{
    uint64_t end_ms = real_clock_ms(NULL) + PATIENCE_MS;
    while (!atomic_load(&what->done)) {
        if (d != NULL) {
            device_turn(d);
        } else {
            (void)poll(NULL, 0, 5);
        }
        assert_true(real_clock_ms(NULL) < end_ms);
    }
}

static seen look(const char *endpoint)
{
    seen out = {.found = false};
    assert_int_equal(dn_fleet_get(s.fleet, dunlin_slice_of(endpoint), on_client, &out), DUNLIN_OK);
    await(&out, NULL);
    return out;
}

static seen ask(const char *endpoint, device *d)
{
    seen out = {.found = false};
    dn_device_request request = {.endpoint = dunlin_slice_of(endpoint),
                                 .method = DN_COAP_GET,
                                 .content_format = DN_COAP_NO_FORMAT,
                                 .accept = DN_COAP_NO_FORMAT,
                                 .timeout_ms = PATIENCE_MS};
    assert_int_equal(dunlin_path_parse(dunlin_slice_of("/3/0/0"), &request.path), DUNLIN_OK);
    assert_int_equal(dn_fleet_request(s.fleet, &request, on_response, &out, NULL), DUNLIN_OK);
    await(&out, d);
    return out;
}

static void await_presence(const char *endpoint, dn_presence presence)
{
    uint64_t end_ms = real_clock_ms(NULL) + PATIENCE_MS;
    while (look(endpoint).presence != presence) {
        (void)poll(NULL, 0, 10);
        assert_true(real_clock_ms(NULL) < end_ms);
    }
}

/* Tests. */

static void each_transport_serves(void **state)
{
    (void)state;
    put_psk("secure", "secure", KEY);
    for (unsigned transport = DN_TRANSPORT_UDP; transport <= DN_TRANSPORT_TLS; transport++) {
        bool is_secure = dn_transport_is_secure((dn_transport)transport);
        const char *name = is_secure ? "secure" : "plain";
        device d;
        connect_as(&d, (dn_transport)transport, "secure", KEY);
        assert_int_equal(device_register(&d, is_secure ? "ep=secure" : "ep=plain"), DN_COAP_CREATED);
        seen client = look(name);
        assert_true(client.found);
        assert_int_equal(client.transport, transport);
        assert_int_equal(client.security, is_secure ? DN_SECURITY_PSK : DN_SECURITY_NOSEC);
        assert_int_equal(ask(name, &d).code, DN_COAP_CONTENT);
        assert_int_equal(device_post(&d, d.location, NULL, NULL), DN_COAP_CHANGED);
        device_close(&d);
        if (transport != DN_TRANSPORT_UDP) {
            await_presence(name, DN_PRESENCE_UNREACHABLE);
            assert_int_equal(ask(name, NULL).status, DUNLIN_ERR_TIMEOUT);
        }
    }
}

/* By the session or connection by which the device is registered; over streams in blocks of more than 1,024 bytes (BERT). */
static void each_transport_gives_packages(void **state)
{
    char path[96];
    (void)state;
    put_psk("secure", "secure", KEY);
    for (unsigned transport = DN_TRANSPORT_UDP; transport <= DN_TRANSPORT_TLS; transport++) {
        const bool is_secure = dn_transport_is_secure((dn_transport)transport);
        device d;
        connect_as(&d, (dn_transport)transport, "secure", KEY);
        assert_int_equal(fetch(&d, PACKAGE).code, DN_COAP_CONTENT); /* it may speak: that is enough */
        assert_int_equal(device_register(&d, is_secure ? "ep=secure" : "ep=plain"), DN_COAP_CREATED);
        const fetching all = fetch(&d, PACKAGE);
        assert_int_equal(all.code, DN_COAP_CONTENT);
        assert_true(all.good && all.ended);
        assert_int_equal(all.taken, PACKAGE_SIZE);
        assert_int_equal(all.largest > 1024, dn_transport_is_stream((dn_transport)transport));
        assert_int_equal(fetch(&d, "ffeeddccbbaa99887766554433221100").code, DN_COAP_NOT_FOUND);
        device_close(&d);
    }
    package_path(path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(package_folder), 0);
    s.packages = NULL;
}

static void identities_are_compared(void **state)
{
    static const dn_transport secure[] = {DN_TRANSPORT_DTLS, DN_TRANSPORT_TLS};
    (void)state;
    put_psk("a", "identity of a", KEY);
    put_psk("m-*", "a model", KEY);
    for (size_t i = 0; i < 2; i++) {
        device a, m, plain;
        connect_as(&a, secure[i], "identity of a", KEY);
        assert_int_equal(device_register(&a, "ep=b"), DN_COAP_BAD_REQUEST);
        assert_int_equal(device_register(&a, NULL),
                         DN_COAP_CREATED); /* no ep: its credential says who it is */
        assert_true(look("a").found);
        connect_as(&m, secure[i], "a model", KEY);
        assert_int_equal(device_register(&m, "ep=a"), DN_COAP_BAD_REQUEST);
        assert_int_equal(device_register(&m, "ep=m-1"), DN_COAP_CREATED);
        assert_int_equal(device_post(&m, a.location, NULL, NULL), DN_COAP_NOT_FOUND);
        connect_as(&plain, DN_TRANSPORT_UDP, NULL, NULL);
        assert_int_equal(device_register(&plain, "ep=a"), DN_COAP_FORBIDDEN);
        assert_int_equal(device_post(&plain, a.location, NULL, NULL), DN_COAP_NOT_FOUND);
        assert_int_equal(device_post(&a, a.location, NULL, NULL), DN_COAP_CHANGED);
        device_close(&a);
        device_close(&m);
        device_close(&plain);
    }
}

static void await_down(device *d)
{
    device_turn_until(d, &d->is_down, "the end of the session");
}

static void a_changed_credential_ends_its_sessions(void **state)
{
    static const dn_transport secure[] = {DN_TRANSPORT_DTLS, DN_TRANSPORT_TLS};
    (void)state;
    put_psk("b", "b", KEY);
    for (size_t i = 0; i < 2; i++) {
        device a, b;
        /* A credential of its own for each turn: what is changed ends the sessions that began just then, too. */
        const char *identity = i == 0 ? "first" : "second";
        (void)s.credentials->ops->remove(s.credentials, dunlin_slice_of("a"));
        put_psk("a", identity, KEY);
        connect_as(&a, secure[i], identity, KEY);
        connect_as(&b, secure[i], "b", KEY);
        assert_int_equal(device_register(&a, "ep=a"), DN_COAP_CREATED);
        assert_int_equal(device_register(&b, "ep=b"), DN_COAP_CREATED);
        put_psk("a", identity, "another key 0123");
        await_down(&a);
        await_presence("a", DN_PRESENCE_UNREACHABLE);
        assert_int_equal(ask("b", &b).code, DN_COAP_CONTENT); /* the other one's goes on */
        device_close(&a);
        /* The old key is worth nothing; over datagrams what is not authentic gets no answer (RFC 6347 section 4.1.2.7). */
        const device_config config = way_of(secure[i], identity, KEY);
        device_begin(&a, &config);
        for (uint64_t end_ms = real_clock_ms(NULL) + 300; !a.is_down && real_clock_ms(NULL) < end_ms;) {
            device_turn(&a);
        }
        assert_false(a.is_up);
        assert_true(a.is_down || !a.is_stream);
        device_close(&a);
        connect_as(&a, secure[i], identity, "another key 0123");
        assert_int_equal(device_register(&a, "ep=a"), DN_COAP_CREATED);
        device_close(&a);
        device_close(&b);
    }
}

/* What a bootstrap handed out, whose end the server has not heard of: it holds once the device has registered by it, and its session goes on. */
static void a_staged_credential_holds_when_it_is_proved(void **state)
{
    (void)state;
    device before, after, plain;
    dn_credential found;
    const dn_credential staged[] = {psk("a", "minted", KEY), psk("b", "first one", KEY)};
    put_psk("a", "former", KEY);
    assert_int_equal(s.credentials->ops->stage(s.credentials, staged, 2), DUNLIN_OK);
    connect_as(&before, DN_TRANSPORT_DTLS, "former", KEY);
    assert_int_equal(device_register(&before, "ep=a"), DN_COAP_CREATED);
    assert_int_equal(s.credentials->ops->find_psk(s.credentials, dunlin_slice_of("former"), &found),
                     DUNLIN_OK);
    connect_as(&after, DN_TRANSPORT_DTLS, "minted", KEY);
    assert_int_equal(device_register(&after, "ep=a"), DN_COAP_CREATED);
    await_down(&before);
    assert_int_equal(s.credentials->ops->find_psk(s.credentials, dunlin_slice_of("former"), &found),
                     DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(s.credentials->ops->get_staged(s.credentials, dunlin_slice_of("a"), &found),
                     DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(device_post(&after, after.location, NULL, NULL), DN_COAP_CHANGED);
    assert_int_equal(ask("a", &after).code, DN_COAP_CONTENT);
    device_close(&before);
    device_close(&after);
    /* An endpoint without a credential is anybody's until its first one is proved. */
    connect_as(&plain, DN_TRANSPORT_UDP, NULL, NULL);
    assert_int_equal(device_register(&plain, "ep=b"), DN_COAP_CREATED);
    connect_as(&after, DN_TRANSPORT_DTLS, "first one", KEY);
    assert_int_equal(device_register(&after, "ep=b"), DN_COAP_CREATED);
    assert_int_equal(device_register(&plain, "ep=b"), DN_COAP_FORBIDDEN);
    device_close(&after);
    device_close(&plain);
}

static void sessions_can_be_kept(void **state)
{
    device a;
    (void)tear_down(state);
    start(true);
    put_psk("a", "a", KEY);
    connect_as(&a, DN_TRANSPORT_DTLS, "a", KEY);
    assert_int_equal(device_register(&a, "ep=a"), DN_COAP_CREATED);
    put_psk("a", "a", "another key 0123");
    assert_int_equal(device_post(&a, a.location, NULL, NULL), DN_COAP_CHANGED);
    assert_int_equal(ask("a", &a).code, DN_COAP_CONTENT);
    device_close(&a);
}

/* The device may only try: no session, no word of CoAP. */
static void unknown_devices_get_no_session(void **state)
{
    static const struct {
        const char *identity, *key;
        int alert;
    } cases[] = {{"nobody", KEY, 115}, {"a", "a wrong key 0123", 20}};
    (void)state;
    put_psk("a", "a", KEY);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        device d;
        const device_config config = way_of(DN_TRANSPORT_TLS, cases[i].identity, cases[i].key);
        device_begin(&d, &config);
        await_down(&d);
        assert_false(d.is_up);
        assert_int_equal(d.alert, cases[i].alert);
        device_close(&d);
    }
    dn_fleet_counters counters = {.handshakes_failed = 0};
    for (uint64_t end_ms = real_clock_ms(NULL) + PATIENCE_MS;
         counters.handshakes_failed < 2 && real_clock_ms(NULL) < end_ms;) {
        (void)poll(NULL, 0, 5); /* they are shown behind what was sent */
        dn_fleet_count(s.fleet, &counters);
    }
    assert_int_equal(counters.handshakes, 0);
    assert_int_equal(counters.handshakes_failed, 2);
    assert_int_equal(counters.handshakes_unknown_psk, 1);
}

/* New handshakes meet the new context, established sessions go on. */
static void the_context_can_be_replaced(void **state)
{
    device before, after;
    (void)state;
    put_psk("a", "a", KEY);
    put_psk("b", "b", KEY);
    connect_as(&before, DN_TRANSPORT_DTLS, "a", KEY);
    assert_int_equal(device_register(&before, "ep=a"), DN_COAP_CREATED);
    dn_tls_context *fresh = server_context();
    dn_fleet_use_tls(s.fleet, fresh);
    dn_tls_context_give_up(fresh);
    assert_int_equal(ask("a", &before).code, DN_COAP_CONTENT);
    connect_as(&after, DN_TRANSPORT_DTLS, "b", KEY);
    assert_int_equal(device_register(&after, "ep=b"), DN_COAP_CREATED);
    device_close(&before);
    device_close(&after);
}

/* NoSec off and an address for it do not go together. */
static void contradictions_are_refused(void **state)
{
    static const char *const any[] = {"127.0.0.1:0"};
    char error[256] = "";
    dn_fleet *fleet = NULL;
    (void)state;
    dn_fleet_config config = dn_fleet_config_default();
    config.coap_addresses = any;
    config.coap_address_count = 1;
    config.nosec = DN_NOSEC_OFF;
    config.store = dn_memory_store_create();
    config.random = (dn_random){.fill = real_random};
    config.clock_ms = real_clock_ms;
    config.wall_ms = real_wall_ms;
    assert_int_equal(dn_fleet_start(&config, &fleet, error, sizeof error), DUNLIN_ERR_ARGUMENT);
    assert_non_null(strstr(error, "NoSec"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_transport_serves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_transport_gives_packages, set_up_packages, tear_down),
        cmocka_unit_test_setup_teardown(identities_are_compared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_changed_credential_ends_its_sessions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_staged_credential_holds_when_it_is_proved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sessions_can_be_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_devices_get_no_session, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_context_can_be_replaced, set_up, tear_down),
        cmocka_unit_test(contradictions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
