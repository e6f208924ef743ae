/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole device in one file: a thermometer (Object 3303) on a POSIX host.
 *
 *     thermometer NAME HOST PORT
 *
 * The part between the two marks is what an Object with three resources takes; the rest is the same for every
 * device: Device (3), a socket, a clock, a random source. docs/guides/write-a-device.md walks through it.
 */
#include <dunlin/client.h>
#include <dunlin/client_device.h>

#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

/* [object */
struct thermometer {
    double value, least, most;
};

static dunlin_status reset_range(const dunlin_call *call, const dunlin_arguments *arguments)
{
    struct thermometer *t = call->instance;
    (void)arguments;
    t->least = t->most = t->value;
    dunlin_changed(call->client, dunlin_path_instance(3303, 0));
    return DUNLIN_OK;
}

static const dunlin_resource thermometer_resources[] = {
    {DUNLIN_EXECUTE(5605, 0, reset_range)},
    {DUNLIN_FIELD(5700, FLOAT, DUNLIN_R | DUNLIN_MANDATORY, struct thermometer, value)},
    {DUNLIN_CONSTANT(5701, "Cel")},
};

static const dunlin_object thermometer_object = {
    .id = 3303,
    DUNLIN_TABLE(thermometer_resources),
    .flags = DUNLIN_MULTIPLE,
    .size = sizeof(struct thermometer),
};
/* object] */

/* The arena: large enough for the limits of dunlin_client_config_default and a handful of Objects. */
static _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[32 * 1024];

struct host {
    int fd;
    struct addrinfo *server;
};

static volatile sig_atomic_t stop_asked;

static void on_signal(int number)
{
    (void)number;
    stop_asked = 1;
}

static uint64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The socket is connected to the only server there is, so one byte is enough to name it. */
static const dunlin_peer the_server = {.len = 1, .bytes = {1}};

static void send_datagram(void *context, const dunlin_peer *peer, dunlin_slice datagram)
{
    const struct host *host = context;
    (void)peer;
    (void)!send(host->fd, datagram.data, datagram.len, 0); /* a loss is no error: CoAP repeats */
}

static void fill_random(void *context, void *out, size_t len)
{
    (void)context;
    while (getrandom(out, len, 0) != (ssize_t)len) {
    }
}

static dunlin_status resolve(void *context, const char *uri, dunlin_peer *peer)
{
    (void)context;
    (void)uri;
    *peer = the_server;
    return DUNLIN_OK;
}

static void on_event(void *context, const dunlin_client_event *event)
{
    (void)context;
    if (event->kind == DUNLIN_CLIENT_REGISTERED) {
        printf("registered as %s\n", event->location);
    } else if (event->kind == DUNLIN_CLIENT_REFUSED) {
        printf("refused with %u.%02u\n", event->code >> 5, event->code & 31u);
    } else if (event->kind == DUNLIN_CLIENT_UNREACHABLE) {
        printf("no answer\n");
    }
    (void)fflush(stdout);
}

static int open_host(struct host *host, const char *name, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
    if (getaddrinfo(name, port, &hints, &host->server) != 0) {
        return -1;
    }
    host->fd = socket(host->server->ai_family, SOCK_DGRAM, 0);
    return host->fd < 0 ? -1 : connect(host->fd, host->server->ai_addr, host->server->ai_addrlen);
}

static void run(dunlin_client *client, struct host *host, struct thermometer *t)
{
    uint64_t measure_ms = 0;
    bool stopping = false;
    while (!dunlin_client_stopped(client)) {
        uint8_t datagram[1280];
        struct pollfd wait = {.fd = host->fd, .events = POLLIN};
        const uint64_t due = dunlin_client_deadline(client);
        (void)poll(&wait, 1, due <= now_ms() ? 0 : 100);
        const ssize_t got = wait.revents != 0 ? recv(host->fd, datagram, sizeof datagram, MSG_DONTWAIT) : -1;
        if (got > 0) {
            dunlin_client_receive(client, &the_server, dunlin_slice_make(datagram, (size_t)got), now_ms());
        }
        if (now_ms() >= measure_ms) { /* a real device asks its sensor here */
            measure_ms = now_ms() + 1000;
            t->value = 20 + (double)(measure_ms / 1000 % 10) / 10;
            t->least = t->value < t->least ? t->value : t->least;
            t->most = t->value > t->most ? t->value : t->most;
            dunlin_changed(client, dunlin_path_resource(3303, 0, 5700));
        }
        dunlin_client_step(client, now_ms());
        if (stop_asked && !stopping) {
            stopping = true;
            dunlin_client_stop(client, now_ms());
        }
    }
}

int main(int argc, char **argv)
{
    static struct thermometer thermometer = {20, 20, 20};
    static dunlin_device device;
    struct host host = {-1, NULL};
    if (argc != 4 || open_host(&host, argv[2], argv[3]) != 0) {
        (void)fprintf(stderr, "usage: thermometer NAME HOST PORT, where HOST is a LwM2M server\n");
        return 2;
    }
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);

    dunlin_client_config config = dunlin_client_config_default();
    config.endpoint = argv[1];
    config.call = (dunlin_client_callbacks){.send = send_datagram,
                                            .random = fill_random,
                                            .resolve = resolve,
                                            .event = on_event,
                                            .context = &host};
    dunlin_client *client = dunlin_client_create(arena, sizeof arena, &config, now_ms());

    dunlin_device_init(&device);
    device.manufacturer = "Example";
    dunlin_server server = dunlin_server_default();
    (void)snprintf(server.uri, sizeof server.uri, "coap://%.100s:%.10s", argv[2], argv[3]);
    server.lifetime_s = 300;
    if (client == NULL || dunlin_device_add(client, &device) != DUNLIN_OK ||
        dunlin_client_add_object(client, &thermometer_object, &thermometer, 1, 1, NULL) != DUNLIN_OK ||
        dunlin_client_add_server(client, &server) != DUNLIN_OK) {
        (void)fprintf(stderr, "the arena is too small\n");
        return 1;
    }
    dunlin_client_start(client, now_ms());
    run(client, &host, &thermometer);
    freeaddrinfo(host.server);
    return 0;
}
