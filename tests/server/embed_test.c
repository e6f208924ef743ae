/* SPDX-License-Identifier: Apache-2.0 */
/* A server inside another program, through the public headers only; the device is a socket and a few bytes. */
#include <dunlin/server.h>
#include <dunlin/store.h>

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 60000

#define PACKAGE "00112233445566778899aabbccddeeff"

static const char *const addresses[] = {"coap://127.0.0.1:0"};

static dunlin_lwm2m_server *start(dunlin_store *store)
{
    char error[256] = "";
    dunlin_lwm2m_server *server = NULL;
    dunlin_server_config config = dunlin_server_config_default();
    config.addresses = addresses;
    config.address_count = 1;
    config.store = store;
    if (dunlin_server_start(&config, &server, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
    return server;
}

static int connect_to(const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    const char *colon = strrchr(address, ':');
    assert_non_null(colon);
    to.sin_port = htons((uint16_t)atoi(colon + 1));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    return fd;
}

static size_t hear(int fd, uint8_t *out, size_t size)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
    ssize_t len = recv(fd, out, size, 0);
    assert_true(len >= 4);
    return (size_t)len;
}

static void say(int fd, const void *bytes, size_t len)
{
    assert_int_equal(send(fd, bytes, len, 0), (ssize_t)len);
}

/* Answers the request that comes next with 2.05, this number for Observe if it asked, and "21". */
static void answer_one(int fd, uint8_t *request)
{
    uint8_t out[64];
    size_t token_len;
    (void)hear(fd, request, 64);
    token_len = request[0] & 15u;
    memcpy(out, request, 4 + token_len);
    out[0] = (uint8_t)(0x60 | token_len);
    out[1] = 0x45;
    bool observes = request[4 + token_len] >> 4 == 6;
    size_t len = 4 + token_len;
    if (observes) {
        out[len++] = 0x61;
        out[len++] = 1;
    }
    memcpy(out + len, observes ? "\x60\xff" : "\xc0\xff", 2); /* Content-Format 0 */
    memcpy(out + len + 2, "21", 2);
    say(fd, out, len + 4);
}

static void register_device(int fd)
{
    static const char datagram[] = "\x44\x02\x00\x01tokn\xb2rd\x11\x28\x34"
                                   "ep=a\x05lt=60\x09lwm2m=1.1\xff</1/0>,</3/0>";
    uint8_t answer[64];
    say(fd, datagram, sizeof datagram - 1);
    (void)hear(fd, answer, sizeof answer);
    assert_int_equal(answer[1], 0x41); /* 2.01 */
}

static void expect_event(dunlin_lwm2m_server *server, dunlin_server_event_kind kind, const char *payload)
{
    dunlin_server_event event;
    while (!dunlin_server_next_event(server, &event)) {
        struct pollfd ready = {.fd = dunlin_server_event_fd(server), .events = POLLIN};
        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
    }
    assert_int_equal(event.kind, kind);
    assert_true(dunlin_slice_equal(event.endpoint, dunlin_slice_of("a")));
    assert_true(dunlin_slice_equal(event.payload, dunlin_slice_of(payload)));
    if (kind == DUNLIN_SERVER_REGISTERED) {
        assert_memory_equal(event.address, "coap://127.0.0.1:", 17);
        assert_int_equal(event.security, DUNLIN_CREDENTIAL_NONE);
        assert_int_equal(event.lifetime_s, 60);
        assert_true(dunlin_slice_equal(event.links, dunlin_slice_of("</1/0>,</3/0>")));
    }
}

typedef struct {
    atomic_uint done;
    _Atomic int status;
    char text[16];
} result;

static void on_done(void *context, const dunlin_server_response *response)
{
    result *r = context;
    (void)snprintf(r->text, sizeof r->text, "%.*s", (int)response->payload.len,
                   (const char *)response->payload.data);
    atomic_store(&r->status, (int)response->status);
    atomic_fetch_add(&r->done, 1);
}

static void wait_for(result *r, unsigned done)
{
    for (unsigned waited = 0; waited < PATIENCE_MS && atomic_load(&r->done) < done; waited++) {
        (void)poll(NULL, 0, 1);
    }
    assert_int_equal(atomic_load(&r->done), done);
}

static void a_device_is_read_and_observed(void **state)
{
    (void)state;
    uint8_t request[64];
    result r = {0};
    dunlin_lwm2m_server *server = start(dunlin_store_memory());
    int fd = connect_to(dunlin_server_address(server, 0));
    assert_null(dunlin_server_address(server, 1));
    register_device(fd);
    expect_event(server, DUNLIN_SERVER_REGISTERED, "");

    const dunlin_server_request read = {.endpoint = dunlin_slice_of("a"),
                                        .method = 1,
                                        .path = dunlin_path_resource(3, 0, 9),
                                        .content_format = DUNLIN_SERVER_NO_FORMAT,
                                        .accept = 0};
    assert_int_equal(dunlin_server_send(server, &read, on_done, &r), DUNLIN_OK);
    answer_one(fd, request);
    wait_for(&r, 1);
    assert_int_equal(atomic_load(&r.status), DUNLIN_OK);
    assert_string_equal(r.text, "21");

    assert_int_equal(dunlin_server_observe(server, dunlin_slice_of("a"), read.path, 0, 0, on_done, &r),
                     DUNLIN_OK);
    answer_one(fd, request);
    wait_for(&r, 2);
    assert_int_equal(atomic_load(&r.status), DUNLIN_OK);
    expect_event(server, DUNLIN_SERVER_NOTIFICATION, "21");
    /* A notification with the token of the request: NON, Observe 2, Content-Format 0. */
    uint8_t notification[32] = {0x58, 0x45, 0x77, 0x77};
    memcpy(notification + 4, request + 4, 8);
    memcpy(notification + 12,
           "\x61\x02\x60\xff"
           "22",
           6);
    say(fd, notification, 18);
    expect_event(server, DUNLIN_SERVER_NOTIFICATION, "22");
    assert_int_equal(dunlin_server_unobserve(server, dunlin_slice_of("a"), read.path, 0, on_done, &r),
                     DUNLIN_OK);
    answer_one(fd, request);
    wait_for(&r, 3);
    assert_int_equal(dunlin_server_unobserve(server, dunlin_slice_of("a"), read.path, 0, on_done, &r),
                     DUNLIN_OK);
    wait_for(&r, 4);
    assert_int_equal(atomic_load(&r.status), DUNLIN_ERR_NOT_FOUND);

    /* What is under way when the server stops gets its answer, too. */
    assert_int_equal(dunlin_server_send(server, &read, on_done, &r), DUNLIN_OK);
    dunlin_server_stop(server, 0);
    assert_int_equal(atomic_load(&r.done), 5);
    assert_int_equal(atomic_load(&r.status), DUNLIN_ERR_CANCELLED);
    (void)close(fd);
}

typedef struct {
    atomic_uint done;
    _Atomic int status, state;
    _Atomic uint64_t id;
    char text[16];
} queued_result;

static void on_queued(void *context, dunlin_status status, const dunlin_server_queued *queued)
{
    queued_result *r = context;
    if (queued != NULL) {
        atomic_store(&r->id, queued->id);
        atomic_store(&r->state, (int)queued->state);
        (void)snprintf(r->text, sizeof r->text, "%.*s", (int)queued->response.payload.len,
                       (const char *)queued->response.payload.data);
    }
    atomic_store(&r->status, (int)status);
    atomic_fetch_add(&r->done, 1);
}

static void wait_for_queued(queued_result *r, unsigned done, dunlin_status status,
                            dunlin_server_queued_state state)
{
    for (unsigned waited = 0; waited < PATIENCE_MS && atomic_load(&r->done) < done; waited++) {
        (void)poll(NULL, 0, 1);
    }
    assert_int_equal(atomic_load(&r->done), done);
    assert_int_equal(atomic_load(&r->status), status);
    assert_int_equal(atomic_load(&r->state), state);
}

static void requests_wait_in_its_queue(void **state)
{
    (void)state;
    uint8_t request[64];
    queued_result r = {0};
    dunlin_server_event event;
    dunlin_lwm2m_server *server = start(dunlin_store_memory());
    int fd = connect_to(dunlin_server_address(server, 0));
    dunlin_server_request read = {.endpoint = dunlin_slice_of("a"),
                                  .method = 1,
                                  .path = dunlin_path_resource(3, 0, 9),
                                  .content_format = DUNLIN_SERVER_NO_FORMAT,
                                  .accept = DUNLIN_SERVER_NO_FORMAT};
    assert_int_equal(dunlin_server_enqueue(server, &read, 0, on_queued, &r), DUNLIN_OK);
    wait_for_queued(&r, 1, DUNLIN_ERR_NOT_FOUND, DUNLIN_SERVER_QUEUED_WAITING); /* nobody is there */
    register_device(fd);
    assert_int_equal(dunlin_server_enqueue(server, &read, 60, on_queued, &r), DUNLIN_OK);
    wait_for_queued(&r, 2, DUNLIN_OK, DUNLIN_SERVER_QUEUED_DELIVERING); /* it is awake */
    uint64_t first = atomic_load(&r.id);
    assert_int_equal(dunlin_server_enqueue(server, &read, 60, on_queued, &r), DUNLIN_OK);
    wait_for_queued(&r, 3, DUNLIN_OK, DUNLIN_SERVER_QUEUED_WAITING); /* one at a time */
    assert_int_equal(dunlin_server_dequeue(server, atomic_load(&r.id), on_queued, &r), DUNLIN_OK);
    wait_for_queued(&r, 4, DUNLIN_OK, DUNLIN_SERVER_QUEUED_CANCELLED);
    assert_int_equal(dunlin_server_await(server, first, PATIENCE_MS, on_queued, &r), DUNLIN_OK);
    answer_one(fd, request);
    wait_for_queued(&r, 5, DUNLIN_OK, DUNLIN_SERVER_QUEUED_ANSWERED);
    assert_string_equal(r.text, "21");
    assert_int_equal(dunlin_server_dequeue(server, first, on_queued, &r), DUNLIN_OK);
    wait_for_queued(&r, 6, DUNLIN_ERR_STATE, DUNLIN_SERVER_QUEUED_ANSWERED);
    assert_int_equal(dunlin_server_await(server, 4711, 0, on_queued, &r), DUNLIN_OK);
    wait_for_queued(&r, 7, DUNLIN_ERR_NOT_FOUND, DUNLIN_SERVER_QUEUED_ANSWERED);
    unsigned answered = 0;
    while (dunlin_server_next_event(server, &event)) {
        answered += event.kind == DUNLIN_SERVER_REQUEST && event.request == first &&
                    event.request_state == DUNLIN_SERVER_QUEUED_ANSWERED;
    }
    assert_int_equal(answered, 1);
    dunlin_server_stop(server, 0);
    (void)close(fd);
}

static void packages_are_served_and_sent(void **state)
{
    static const char get[] = "\x40\x01\x00\x09\xb2"
                              "fw\x0d\x13" PACKAGE;
    char directory[] = "/tmp/dunlin-embed-XXXXXX", path[sizeof directory + sizeof PACKAGE];
    char error[256] = "";
    uint8_t message[256];
    dunlin_lwm2m_server *server = NULL;
    result r = {0};
    (void)state;
    dunlin_server_config config = dunlin_server_config_default();
    config.addresses = addresses;
    config.address_count = 1;
    config.packages = "/nonexistent/dunlin";
    config.store = dunlin_store_memory();
    assert_int_equal(dunlin_server_start(&config, &server, error, sizeof error), DUNLIN_ERR_IO);
    assert_non_null(strstr(error, config.packages));
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/%s", directory, PACKAGE);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs("firmware", file) >= 0 && fclose(file) == 0);
    config.packages = directory;
    config.store = dunlin_store_memory();
    assert_int_equal(dunlin_server_start(&config, &server, error, sizeof error), DUNLIN_OK);
    int fd = connect_to(dunlin_server_address(server, 0));
    register_device(fd);
    expect_event(server, DUNLIN_SERVER_REGISTERED, "");
    say(fd, get, sizeof get - 1);
    size_t len = hear(fd, message, sizeof message);
    assert_int_equal(message[1], 0x45); /* 2.05 */
    assert_memory_equal(message + len - 8, "firmware", 8);
    dunlin_server_request push = {.endpoint = dunlin_slice_of("a"),
                                  .method = 3,
                                  .path = dunlin_path_resource(5, 0, 0),
                                  .content_format = 42,
                                  .accept = DUNLIN_SERVER_NO_FORMAT,
                                  .package = dunlin_slice_of("none"),
                                  .timeout_ms = PATIENCE_MS};
    assert_int_equal(dunlin_server_send(server, &push, on_done, &r), DUNLIN_OK);
    wait_for(&r, 1);
    assert_int_equal(r.status, DUNLIN_ERR_NOT_FOUND);
    push.package = dunlin_slice_of(PACKAGE);
    assert_int_equal(dunlin_server_send(server, &push, on_done, &r), DUNLIN_OK);
    answer_one(fd, message);
    wait_for(&r, 2);
    assert_int_equal(r.status, DUNLIN_OK);
    assert_int_equal(message[1], 3);
    (void)close(fd);
    dunlin_server_stop(server, 100);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
}

static void a_registration_survives_in_a_directory(void **state)
{
    (void)state;
    char directory[] = "/tmp/dunlin-embed-XXXXXX", error[256] = "", command[300];
    dunlin_store *store = NULL;
    result r = {0};
    assert_non_null(mkdtemp(directory));
    assert_int_equal(dunlin_store_sqlite(directory, false, &store, error, sizeof error), DUNLIN_OK);
    dunlin_lwm2m_server *server = start(store);
    int fd = connect_to(dunlin_server_address(server, 0));
    register_device(fd);
    dunlin_server_stop(server, 0);
    (void)close(fd);
    assert_int_equal(dunlin_store_sqlite(directory, false, &store, error, sizeof error), DUNLIN_OK);
    dunlin_store *second = NULL;
    assert_int_equal(dunlin_store_sqlite(directory, false, &second, error, sizeof error), DUNLIN_ERR_STORE);
    server = start(store);
    const dunlin_server_request read = {.endpoint = dunlin_slice_of("a"), .method = 1, .timeout_ms = 50};
    assert_int_equal(dunlin_server_send(server, &read, on_done, &r), DUNLIN_OK);
    wait_for(&r, 1);
    assert_int_equal(atomic_load(&r.status), DUNLIN_ERR_TIMEOUT); /* known, and silent */
    dunlin_server_stop(server, 0);
    (void)snprintf(command, sizeof command, "rm -r %s", directory);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_is_read_and_observed),
        cmocka_unit_test(requests_wait_in_its_queue),
        cmocka_unit_test(packages_are_served_and_sent),
        cmocka_unit_test(a_registration_survives_in_a_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
