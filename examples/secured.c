/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thermometer (Object 3303) that proves who it is with a pre-shared key, over DTLS or TLS:
 *
 *     secured NAME coaps://HOST:PORT KEY            KEY: hexadecimal digits; the identity is NAME
 *
 * `dunlin credentials set NAME --psk` makes the key and tells the server of it. dunlin/posix.h has the sockets and the sessions.
 */
#include <dunlin/client_device.h>
#include <dunlin/posix.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define KEY_MAX 64u

struct thermometer {
    double value;
};

static const dunlin_resource thermometer_resources[] = {
    {DUNLIN_FIELD(5700, FLOAT, DUNLIN_R | DUNLIN_MANDATORY, struct thermometer, value)},
    {DUNLIN_CONSTANT(5701, "Cel")},
};

static const dunlin_object thermometer_object = {
    .id = 3303,
    DUNLIN_TABLE(thermometer_resources),
    .flags = DUNLIN_MULTIPLE,
    .size = sizeof(struct thermometer),
};

static _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[96 * 1024];
static volatile sig_atomic_t stop_asked;

static void on_signal(int number)
{
    (void)number;
    stop_asked = 1;
}

static void on_way(void *context, const dunlin_posix_event *event)
{
    (void)context;
    if (event->kind == DUNLIN_POSIX_UP) {
        printf("connected with %s\n", event->suite);
    } else {
        printf("no way to %s: %s\n", event->uri, event->why);
    }
    (void)fflush(stdout);
}

static void on_event(void *context, const dunlin_client_event *event)
{
    (void)context;
    if (event->kind == DUNLIN_CLIENT_REGISTERED) {
        printf("registered as %s\n", event->location);
        (void)fflush(stdout);
    }
}

static size_t read_key(const char *digits, uint8_t key[KEY_MAX])
{
    size_t len = 0;
    unsigned byte;
    while (len < KEY_MAX && sscanf(digits + 2 * len, "%2x", &byte) == 1) {
        key[len++] = (uint8_t)byte;
    }
    return strlen(digits) == 2 * len ? len : 0;
}

static void run(dunlin_posix *posix, dunlin_client *client, struct thermometer *t)
{
    uint64_t measure_ms = 0;
    bool stopping = false;
    while (!dunlin_client_stopped(client)) {
        dunlin_posix_turn(posix, client, 200);
        if (dunlin_posix_now_ms() >= measure_ms) { /* a real device asks its sensor here */
            measure_ms = dunlin_posix_now_ms() + 1000;
            t->value = 20 + (double)(measure_ms / 1000 % 10) / 10;
            dunlin_changed(client, dunlin_path_resource(3303, 0, 5700));
        }
        if (stop_asked && !stopping) {
            stopping = true;
            dunlin_client_stop(client, dunlin_posix_now_ms());
        }
    }
}

int main(int argc, char **argv)
{
    static struct thermometer thermometer = {20};
    static dunlin_device device;
    uint8_t key[KEY_MAX];
    const size_t key_len = argc == 4 ? read_key(argv[3], key) : 0;
    dunlin_posix *posix = NULL;
    dunlin_posix_config own = dunlin_posix_config_default();
    own.ways = on_way;
    own.event = on_event;
    if (key_len == 0 || dunlin_posix_create(&own, &posix) != DUNLIN_OK) {
        (void)fprintf(stderr, "usage: secured NAME coaps://HOST:PORT KEY\n");
        return 2;
    }
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);

    dunlin_client_config config = dunlin_client_config_default();
    dunlin_posix_fill(posix, &config);
    config.endpoint = argv[1];
    dunlin_client *client = dunlin_client_create(arena, sizeof arena, &config, dunlin_posix_now_ms());
    dunlin_device_init(&device);
    dunlin_server server = dunlin_server_default();
    (void)snprintf(server.uri, sizeof server.uri, "%s", argv[2]);
    (void)snprintf(server.binding, sizeof server.binding, "%s", strstr(argv[2], "+tcp") != NULL ? "T" : "U");
    server.ssid = 1;
    server.security = (dunlin_security){.mode = DUNLIN_PSK,
                                        .identity = dunlin_slice_of(argv[1]),
                                        .secret = dunlin_slice_make(key, key_len),
                                        .matching = -1,
                                        .usage = -1};
    if (client == NULL || dunlin_device_add(client, &device) != DUNLIN_OK ||
        dunlin_client_add_object(client, &thermometer_object, &thermometer, 1, 1, NULL) != DUNLIN_OK ||
        dunlin_client_add_server(client, &server) != DUNLIN_OK) {
        (void)fprintf(stderr, "secured: the name, the address or the key cannot be used\n");
        dunlin_posix_destroy(posix);
        return 1;
    }
    dunlin_client_start(client, dunlin_posix_now_ms());
    run(posix, client, &thermometer);
    dunlin_posix_destroy(posix);
    return 0;
}
