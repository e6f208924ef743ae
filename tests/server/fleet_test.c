/* SPDX-License-Identifier: Apache-2.0 */
/* The fleet with its thread, over UDP on loopback, called from several threads: mostly for ThreadSanitizer. */
#include "server/fleet.h"

#include "bearer/udp.h"
#include "store/memory.h"
#include "tests/endpoint/real.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const addresses[] = {"127.0.0.1:0", "[::1]:0"};

static dn_fleet_config config_with(dn_store *store)
{
    dn_fleet_config config = dn_fleet_config_default();
    config.coap_addresses = addresses;
    config.coap_address_count = 2;
    config.store = store;
    config.coap.dedup_slots = 1024;
    config.random = (dn_random){.fill = real_random};
    config.clock_ms = real_clock_ms;
    config.wall_ms = real_wall_ms;
    return config;
}

static dn_fleet *start(dn_store *store)
{
    char error[256] = "";
    dn_fleet *fleet = NULL;
    dn_fleet_config config = config_with(store);
    dunlin_status status = dn_fleet_start(&config, &fleet, error, sizeof error);
    if (status != DUNLIN_OK) {
        print_error("%s\n", error);
    }
    assert_int_equal(status, DUNLIN_OK);
    return fleet;
}

/* A device: it registers over its own socket and answers every GET with 2.05 "v". */
typedef struct {
    dn_udp udp;
    dn_udp_batch *batch;
    dn_udp_outbox *outbox;
    dn_peer server;
    uint8_t code; /* of the last response */
    unsigned asked;
    bool observable; /* it agrees to be observed */
} device;

static void device_open(device *d, const char *local, const char *server)
{
    memset(d, 0, sizeof *d);
    d->batch = malloc(sizeof *d->batch);
    d->outbox = malloc(sizeof *d->outbox);
    assert_true(d->batch != NULL && d->outbox != NULL);
    dn_udp_outbox_init(d->outbox);
    assert_int_equal(dn_udp_open(&d->udp, local, 0), DUNLIN_OK);
    assert_int_equal(dn_udp_peer_parse(server, &d->server), DUNLIN_OK);
}

static void device_close(device *d)
{
    dn_udp_close(&d->udp);
    free(d->batch);
    free(d->outbox);
}

static void device_send(device *d, const void *bytes, size_t len)
{
    dn_udp_send(&d->udp, d->outbox, &d->server, dunlin_slice_make(bytes, len));
    assert_int_equal(dn_udp_flush(&d->udp, d->outbox), DUNLIN_OK);
}

/* Waits a little for datagrams and deals with them. */
static void device_serve(device *d, int wait_ms)
{
    struct pollfd fd = {.fd = d->udp.fd, .events = POLLIN};
    if (poll(&fd, 1, wait_ms) <= 0 || dn_udp_receive(&d->udp, d->batch, DN_UDP_BATCH) != DUNLIN_OK) {
        return;
    }
    for (size_t i = 0; i < d->batch->count; i++) {
        const uint8_t *in = d->batch->datagram[i].bytes.data;
        size_t token_len = in[0] & 15u;
        if (in[1] >= DN_COAP_CODE(2, 0)) {
            d->code = in[1];
            continue;
        }
        uint8_t out[32] = {(uint8_t)(0x60 | token_len), DN_COAP_CONTENT, in[2], in[3]};
        memcpy(out + 4, in + 4, token_len);
        size_t len = 4 + token_len;
        if (d->observable) {
            out[len++] = 0x60; /* Observe 0 */
            out[len++] = 0x60; /* Content-Format 0 */
        } else {
            out[len++] = 0xc0;
        }
        out[len++] = 0xff;
        out[len++] = 'v';
        d->asked++;
        device_send(d, out, len);
    }
}

static void device_register(device *d, char name, uint8_t mid)
{
    char datagram[] = "\x44\x02\x00\x00tokn\xb2rd\x11\x28\x34"
                      "ep=_\x05lt=60\x09lwm2m=1.1\xff</1/0>,</3/0>";
    datagram[3] = (char)mid;
    datagram[17] = name;
    assert_int_equal(datagram[16], '=');
    d->code = 0;
    device_send(d, datagram, sizeof datagram - 1);
    uint64_t give_up = real_clock_ms(NULL) + PATIENCE_MS;
    while (d->code == 0 && real_clock_ms(NULL) < give_up) {
        device_serve(d, 100);
    }
    assert_int_equal(d->code, DN_COAP_CREATED);
}

/* Completions write here from the shard's thread. */
typedef struct {
    _Atomic uint64_t id;
    atomic_uint done, ok;
    _Atomic dunlin_status last;
    atomic_uint count;
} results;

static void on_device(void *context, const dn_device_response *response)
{
    results *r = context;
    atomic_store(&r->last, response->status);
    if (response->status == DUNLIN_OK && response->code == DN_COAP_CONTENT &&
        dunlin_slice_equal(response->payload, dunlin_slice_of("v"))) {
        atomic_fetch_add(&r->ok, 1);
    }
    atomic_fetch_add(&r->done, 1);
}

static void on_list(void *context, const dn_client_page *page)
{
    results *r = context;
    atomic_store(&r->count, (unsigned)page->count);
    atomic_fetch_add(&r->done, 1);
}

static void on_get(void *context, const dn_client_view *client)
{
    results *r = context;
    atomic_fetch_add(&r->ok, client != NULL);
    atomic_fetch_add(&r->done, 1);
}

static void on_observations(void *context, bool registered, const dn_observation_view *list, size_t count)
{
    results *r = context;
    (void)list;
    atomic_store(&r->count, (unsigned)count);
    atomic_fetch_add(&r->ok, registered);
    atomic_fetch_add(&r->done, 1);
}

static void on_observed(void *context, const dn_device_response *response, bool existed)
{
    (void)existed;
    on_device(context, response);
}

static void wait_for(const results *r, unsigned done, device *serving)
{
    uint64_t give_up = real_clock_ms(NULL) + PATIENCE_MS;
    while (atomic_load(&r->done) < done && real_clock_ms(NULL) < give_up) {
        if (serving != NULL) {
            device_serve(serving, 10);
        } else {
            (void)poll(NULL, 0, 1);
        }
    }
    assert_int_equal(atomic_load(&r->done), done);
}

static dn_device_request read_of(const char *endpoint)
{
    return (dn_device_request){.endpoint = dunlin_slice_of(endpoint),
                               .method = DN_COAP_GET,
                               .path = dunlin_path_resource(3, 0, 0),
                               .content_format = DN_COAP_NO_FORMAT,
                               .accept = DN_COAP_NO_FORMAT,
                               .timeout_ms = PATIENCE_MS};
}

static void wait_for_event(dn_fleet *fleet, dn_event_type type, char endpoint)
{
    dn_event event;
    while (!dn_fleet_next_event(fleet, &event)) {
        struct pollfd fd = {.fd = dn_fleet_event_fd(fleet), .events = POLLIN};
        assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
    }
    assert_int_equal(event.type, type);
    assert_int_equal(event.client.endpoint.data[0], endpoint);
}

static void everything_once(void **state)
{
    (void)state;
    device four, six;
    results r = {0};
    dn_fleet *fleet = start(dn_memory_store_create());
    assert_string_not_equal(dn_fleet_address(fleet, 0), "127.0.0.1:0");
    assert_null(dn_fleet_address(fleet, 2));
    device_open(&four, "127.0.0.1:0", dn_fleet_address(fleet, 0));
    device_open(&six, "[::1]:0", dn_fleet_address(fleet, 1));
    device_register(&four, 'a', 1);
    device_register(&six, 'b', 2);
    wait_for_event(fleet, DN_EVENT_REGISTERED, 'a');
    wait_for_event(fleet, DN_EVENT_REGISTERED, 'b');
    dn_device_request ask = read_of("a");
    uint64_t number = 0;
    assert_int_equal(dn_fleet_request(fleet, &ask, on_device, &r, &number), DUNLIN_OK);
    assert_true(number != 0);
    wait_for(&r, 1, &four);
    ask = read_of("b");
    assert_int_equal(dn_fleet_request(fleet, &ask, on_device, &r, NULL), DUNLIN_OK);
    wait_for(&r, 2, &six);
    assert_int_equal(atomic_load(&r.ok), 2);
    assert_int_equal(dn_fleet_list(fleet, 0, 10, dunlin_slice_of(""), on_list, &r), DUNLIN_OK);
    assert_int_equal(dn_fleet_get(fleet, dunlin_slice_of("a"), on_get, &r), DUNLIN_OK);
    assert_int_equal(dn_fleet_get(fleet, dunlin_slice_of("x"), on_get, &r), DUNLIN_OK);
    wait_for(&r, 5, NULL);
    assert_int_equal(atomic_load(&r.ok), 3);
    assert_int_equal(atomic_load(&r.count), 2);
    assert_int_equal(dn_fleet_observe(fleet, dunlin_slice_of("a"), dunlin_path_object(3), 112, PATIENCE_MS,
                                      on_observed, &r),
                     DUNLIN_OK);
    wait_for(&r, 6, &four);
    assert_int_equal(atomic_load(&r.last), DUNLIN_ERR_UNSUPPORTED); /* this device knows no Observe */
    assert_int_equal(dn_fleet_observations(fleet, dunlin_slice_of("a"), on_observations, &r), DUNLIN_OK);
    assert_int_equal(dn_fleet_unobserve(fleet, dunlin_slice_of("a"), dunlin_path_object(3), 0, on_device, &r),
                     DUNLIN_OK);
    wait_for(&r, 8, NULL);
    assert_int_equal(atomic_load(&r.count), 0);
    assert_int_equal(atomic_load(&r.last), DUNLIN_ERR_NOT_FOUND);
    assert_int_equal(dn_fleet_list(fleet, 0, 0, dunlin_slice_of(""), on_list, &r), DUNLIN_ERR_LIMIT);
    assert_int_equal(dn_fleet_list(fleet, 0, 1001, dunlin_slice_of(""), on_list, &r), DUNLIN_ERR_LIMIT);
    dn_fleet_counters counters;
    dn_fleet_count(fleet, &counters);
    assert_int_equal(counters.registrations, 2);
    assert_true(counters.commits >= 2 && counters.batches >= 4);
    const char *detail;
    assert_true(dn_fleet_healthy(fleet, &detail));
    device_close(&four);
    device_close(&six);
    dn_fleet_stop(fleet, 100);
}

static const dunlin_path *list_of(size_t count)
{
    static dunlin_path paths[DN_COMPOSITE_PATHS_MAX + 1];
    for (size_t i = 0; i < count; i++) {
        paths[i] = dunlin_path_resource(3, 0, (uint16_t)i);
    }
    return paths;
}

static void values_come_unasked_and_in_lists(void **state)
{
    static const char values[] = "\x44\x02\x70\x01tokn\xb2"
                                 "dp\x11\x6e\xff[{\"n\":\"/3/0/9\",\"v\":1}]";
    static const dunlin_path unsorted[] = {{{3303}, 1}, {{3}, 1}};
    const dunlin_slice a = dunlin_slice_of("a");
    (void)state;
    device d;
    results r = {0};
    dn_fleet *fleet = start(dn_memory_store_create());
    device_open(&d, "127.0.0.1:0", dn_fleet_address(fleet, 0));
    d.observable = true;
    device_register(&d, 'a', 1);
    wait_for_event(fleet, DN_EVENT_REGISTERED, 'a');
    d.code = 0;
    device_send(&d, values, sizeof values - 1);
    wait_for_event(fleet, DN_EVENT_SEND, 'a');
    device_serve(&d, PATIENCE_MS);
    assert_int_equal(d.code, DN_COAP_CHANGED);
    const struct {
        const dunlin_path *paths;
        size_t count;
        uint16_t accept;
    } bad[] = {{list_of(2), 0, 112}, {NULL, 1, 112},         {unsorted, 2, 112},
               {list_of(2), 2, 60},  {list_of(33), 33, 112}, {list_of(2), 2, DN_COAP_NO_FORMAT}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(dn_fleet_observe_composite(fleet, a, bad[i].paths, bad[i].count, bad[i].accept,
                                                    PATIENCE_MS, on_observed, &r),
                         DUNLIN_ERR_ARGUMENT);
    }
    assert_int_equal(dn_fleet_unobserve_composite(fleet, a, unsorted, 2, PATIENCE_MS, on_device, &r),
                     DUNLIN_ERR_ARGUMENT);
    assert_int_equal(dn_fleet_forget_observation(fleet, a, dunlin_path_root(), unsorted, 2, on_device, &r),
                     DUNLIN_ERR_ARGUMENT);
    assert_int_equal(dn_fleet_observe_composite(fleet, a, list_of(32), 32, 112, PATIENCE_MS, on_observed, &r),
                     DUNLIN_OK);
    assert_int_equal(dn_fleet_observe(fleet, a, dunlin_path_object(3), 112, PATIENCE_MS, on_observed, &r),
                     DUNLIN_OK);
    wait_for(&r, 2, &d);
    assert_int_equal(atomic_load(&r.ok), 2);
    wait_for_event(fleet, DN_EVENT_NOTIFICATION, 'a');
    unsigned asked = d.asked;
    assert_int_equal(dn_fleet_forget_observation(fleet, a, dunlin_path_object(3), NULL, 0, on_device, &r),
                     DUNLIN_OK);
    wait_for(&r, 3, NULL);
    assert_int_equal(atomic_load(&r.last), DUNLIN_OK);
    assert_int_equal(d.asked, asked);
    assert_int_equal(dn_fleet_observations(fleet, a, on_observations, &r), DUNLIN_OK);
    wait_for(&r, 4, NULL);
    assert_int_equal(atomic_load(&r.count), 1);
    assert_int_equal(dn_fleet_unobserve_composite(fleet, a, list_of(32), 32, PATIENCE_MS, on_device, &r),
                     DUNLIN_OK);
    wait_for(&r, 5, &d);
    assert_int_equal(d.asked, asked + 1);
    device_close(&d);
    dn_fleet_stop(fleet, 100);
}

static void the_end_answers_everybody(void **state)
{
    (void)state;
    device silent;
    results r = {0};
    dn_fleet *fleet = start(dn_memory_store_create());
    device_open(&silent, "127.0.0.1:0", dn_fleet_address(fleet, 0));
    device_register(&silent, 'a', 1);
    dn_device_request ask = read_of("a");
    uint64_t number;
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(dn_fleet_request(fleet, &ask, on_device, &r, &number), DUNLIN_OK);
    }
    dn_fleet_cancel(fleet, number);
    wait_for(&r, 1, NULL);
    uint64_t before = real_clock_ms(NULL);
    dn_fleet_stop(fleet, 50);
    assert_true(real_clock_ms(NULL) - before < PATIENCE_MS / 2);
    assert_int_equal(atomic_load(&r.done), 10);
    assert_int_equal(atomic_load(&r.ok), 0);
    assert_int_equal(atomic_load(&r.last), DUNLIN_ERR_CANCELLED);
    device_close(&silent);
}

/* Callers, a consumer of events and a device at once. */
#define CALLS 300u
typedef struct {
    dn_fleet *fleet;
    results *r;
} caller;

static void *call(void *context)
{
    caller *c = context;
    dn_device_request ask = read_of("a");
    for (unsigned i = 0; i < CALLS; i++) {
        uint64_t number;
        assert_int_equal(dn_fleet_request(c->fleet, &ask, on_device, c->r, &number), DUNLIN_OK);
        assert_int_equal(dn_fleet_get(c->fleet, dunlin_slice_of("a"), on_get, c->r), DUNLIN_OK);
        if (i % 10 == 0) {
            dn_fleet_cancel(c->fleet, number);
        }
        dn_fleet_counters counters;
        dn_fleet_count(c->fleet, &counters);
        (void)dn_fleet_healthy(c->fleet, NULL);
        /* 4 callers stay below max_requests. */
        while (i - atomic_load(&c->r->done) / 2 < CALLS && i > atomic_load(&c->r->done) / 2 + 100) {
            (void)poll(NULL, 0, 1);
        }
    }
    return NULL;
}

static void many_threads_call(void **state)
{
    (void)state;
    enum { CALLERS = 4 };
    device d;
    results r[CALLERS] = {{0}};
    caller callers[CALLERS];
    pthread_t threads[CALLERS];
    dn_fleet *fleet = start(dn_memory_store_create());
    device_open(&d, "127.0.0.1:0", dn_fleet_address(fleet, 0));
    device_register(&d, 'a', 1);
    for (unsigned i = 0; i < CALLERS; i++) {
        callers[i] = (caller){fleet, &r[i]};
        assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
    }
    for (unsigned i = 0; i < CALLERS; i++) {
        wait_for(&r[i], 2 * CALLS, &d);
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(atomic_load(&r[i].ok) >= CALLS + CALLS * 8 / 10);
    }
    device_close(&d);
    dn_fleet_stop(fleet, 0);
}

/* The durable queue, used by several threads. */
#define QUEUED 60u

static void on_queued(void *context, dunlin_status status, const dn_queued_view *queued)
{
    results *r = context;
    atomic_store(&r->last, status);
    atomic_store(&r->id, queued != NULL ? queued->id : 0);
    atomic_fetch_add(&r->done, 1);
}

static void on_awaited(void *context, dunlin_status status, const dn_queued_view *queued)
{
    results *r = context;
    atomic_store(&r->last, status);
    if (queued != NULL && queued->state == DN_QUEUED_ANSWERED && queued->code == DN_COAP_CONTENT &&
        dunlin_slice_equal(queued->payload, dunlin_slice_of("v"))) {
        atomic_fetch_add(&r->ok, 1);
    }
    atomic_fetch_add(&r->done, 1);
}

static void on_page(void *context, const dn_queued_page *page)
{
    results *r = context;
    atomic_store(&r->count, (unsigned)page->count);
    atomic_fetch_add(&r->done, 1);
}

static void settle_nothing(void *context, dn_device_request *request, uint8_t major, uint8_t minor,
                           dunlin_slice links)
{
    (void)major;
    (void)minor;
    (void)links;
    request->accept = *(const uint16_t *)context;
}

/* Takes a request, then waits for its end. */
static void *call_queue(void *context)
{
    caller *c = context;
    dn_device_request ask = read_of("a");
    ask.auto_accept = true;
    for (unsigned i = 0; i < QUEUED; i++) {
        unsigned before = atomic_load(&c->r->done);
        assert_int_equal(dn_fleet_enqueue(c->fleet, &ask, 0, on_queued, c->r), DUNLIN_OK);
        wait_for(c->r, before + 1, NULL);
        assert_int_equal(atomic_load(&c->r->last), DUNLIN_OK);
        assert_int_equal(dn_fleet_await(c->fleet, atomic_load(&c->r->id), PATIENCE_MS, on_awaited, c->r),
                         DUNLIN_OK);
        assert_int_equal(dn_fleet_queue(c->fleet, dunlin_slice_of("a"), 0, 1000, on_page, c->r), DUNLIN_OK);
        wait_for(c->r, before + 3, NULL);
    }
    return NULL;
}

typedef struct {
    device *device;
    atomic_bool ended;
} service;

static void *serve(void *context)
{
    service *s = context;
    while (!atomic_load(&s->ended)) {
        device_serve(s->device, 10);
    }
    return NULL;
}

static void many_threads_queue(void **state)
{
    (void)state;
    enum { CALLERS = 3 };
    static const uint16_t accept = 0;
    device d;
    results r[CALLERS] = {{0}};
    caller callers[CALLERS];
    service s = {.device = &d};
    pthread_t threads[CALLERS], serving;
    dn_fleet *fleet = start(dn_memory_store_create());
    dn_fleet_on_settle(fleet, settle_nothing, (void *)(uintptr_t)&accept);
    device_open(&d, "127.0.0.1:0", dn_fleet_address(fleet, 0));
    device_register(&d, 'a', 1);
    assert_int_equal(pthread_create(&serving, NULL, serve, &s), 0);
    for (unsigned i = 0; i < CALLERS; i++) {
        callers[i] = (caller){fleet, &r[i]};
        assert_int_equal(pthread_create(&threads[i], NULL, call_queue, &callers[i]), 0);
    }
    for (unsigned i = 0; i < CALLERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(atomic_load(&r[i].ok), QUEUED);
        assert_in_range(atomic_load(&r[i].count), QUEUED, QUEUED * CALLERS);
    }
    dn_fleet_counters counters;
    dn_fleet_count(fleet, &counters);
    assert_int_equal(counters.queued_answered, QUEUED * CALLERS);
    assert_int_equal(counters.queued, 0);
    assert_int_equal(dn_fleet_dequeue(fleet, 1, on_queued, &r[0]), DUNLIN_OK);
    wait_for(&r[0], 3 * QUEUED + 1, NULL);
    assert_int_equal(atomic_load(&r[0].last), DUNLIN_ERR_STATE);
    assert_int_equal(dn_fleet_queue(fleet, dunlin_slice_of(""), 0, 0, on_page, &r[0]), DUNLIN_ERR_LIMIT);
    atomic_store(&s.ended, true);
    assert_int_equal(pthread_join(serving, NULL), 0);
    device_close(&d);
    dn_fleet_stop(fleet, 0);
}

/* A delivery under way has the grace to end; nothing else of the queue keeps the fleet from ending. */
static void the_end_waits_for_a_delivery_only(void **state)
{
    (void)state;
    device d;
    results r = {0};
    dn_store *store = dn_memory_store_create();
    dn_fleet *fleet = start(store);
    device_open(&d, "127.0.0.1:0", dn_fleet_address(fleet, 0));
    device_register(&d, 'a', 1);
    dn_device_request ask = read_of("a");
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(dn_fleet_enqueue(fleet, &ask, 0, on_queued, &r), DUNLIN_OK);
        wait_for(&r, i + 1, NULL);
    }
    assert_int_equal(dn_fleet_await(fleet, atomic_load(&r.id), PATIENCE_MS, on_awaited, &r), DUNLIN_OK);
    uint64_t before = real_clock_ms(NULL);
    dn_fleet_stop(fleet, 200); /* the device does not answer */
    uint64_t took_ms = real_clock_ms(NULL) - before;
    assert_in_range(took_ms, 150, PATIENCE_MS / 2);
    assert_int_equal(atomic_load(&r.done), 4);
    assert_int_equal(atomic_load(&r.ok), 0);
    device_close(&d);
}

/* A store whose commits fail from some time on. */
static dn_store_ops failing;
static dunlin_status fail_commit(dn_store *store)
{
    (void)store;
    return DUNLIN_ERR_STORE;
}
static const char *fail_text(dn_store *store)
{
    (void)store;
    return "disk on fire";
}

static void on_failure(void *context, const char *detail)
{
    assert_non_null(strstr(detail, "disk on fire"));
    atomic_fetch_add((atomic_uint *)context, 1);
}

static void a_failing_store_silences_it(void **state)
{
    (void)state;
    device d;
    results r = {0};
    atomic_uint failures = 0;
    dn_store *store = dn_memory_store_create();
    assert_non_null(store);
    failing = *store->ops;
    failing.commit = fail_commit;
    failing.error = fail_text;
    store->ops = &failing;
    dn_fleet *fleet = start(store);
    dn_fleet_on_failure(fleet, on_failure, &failures);
    device_open(&d, "127.0.0.1:0", dn_fleet_address(fleet, 0));
    static const char datagram[] = "\x44\x02\x00\x01tokn\xb2rd\x11\x28\x34"
                                   "ep=a\x05lt=60\x09lwm2m=1.1\xff</1/0>,</3/0>";
    device_send(&d, datagram, sizeof datagram - 1);
    uint64_t give_up = real_clock_ms(NULL) + PATIENCE_MS;
    while (atomic_load(&failures) == 0 && real_clock_ms(NULL) < give_up) {
        device_serve(&d, 10);
    }
    assert_int_equal(atomic_load(&failures), 1);
    assert_int_equal(d.code, 0);
    const char *detail = "";
    assert_false(dn_fleet_healthy(fleet, &detail));
    assert_non_null(strstr(detail, "disk on fire"));
    dn_device_request ask = read_of("a");
    assert_int_equal(dn_fleet_request(fleet, &ask, on_device, &r, NULL), DUNLIN_OK);
    wait_for(&r, 1, NULL);
    assert_int_equal(atomic_load(&r.last), DUNLIN_ERR_CANCELLED);
    /* Nobody is told that a request does not exist, which may well do so. */
    assert_int_equal(dn_fleet_await(fleet, 1, 0, on_awaited, &r), DUNLIN_OK);
    wait_for(&r, 2, NULL);
    assert_int_equal(atomic_load(&r.last), DUNLIN_ERR_CANCELLED);
    dn_event event;
    assert_false(dn_fleet_next_event(fleet, &event));
    device_close(&d);
    dn_fleet_stop(fleet, 1000);
    assert_int_equal(atomic_load(&failures), 1);
}

static void a_bad_start_says_why(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"nonsense", "nonsense"},
        {"192.0.2.1:0", "192.0.2.1:0"},
        {"127.0.0.1:0", "overlaps"}, /* twice: see below */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *const twice[] = {bad[i][0], bad[i][0]};
        char error[256] = "";
        dn_fleet *fleet = NULL;
        dn_fleet_config config = config_with(dn_memory_store_create());
        config.coap_addresses = twice;
        assert_true(dn_fleet_start(&config, &fleet, error, sizeof error) != DUNLIN_OK);
        assert_non_null(strstr(error, bad[i][1]));
    }
    char error[256] = "";
    dn_fleet *fleet = NULL;
    dn_fleet_config config = config_with(dn_memory_store_create());
    config.max_registrations = 0;
    assert_int_equal(dn_fleet_start(&config, &fleet, error, sizeof error), DUNLIN_ERR_ARGUMENT);
    config = config_with(dn_memory_store_create());
    config.coap.block_szx = 9;
    assert_true(dn_fleet_start(&config, &fleet, error, sizeof error) != DUNLIN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_unasked_and_in_lists),  cmocka_unit_test(everything_once),
        cmocka_unit_test(the_end_answers_everybody),         cmocka_unit_test(many_threads_call),
        cmocka_unit_test(a_failing_store_silences_it),       cmocka_unit_test(many_threads_queue),
        cmocka_unit_test(the_end_waits_for_a_delivery_only), cmocka_unit_test(a_bad_start_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
