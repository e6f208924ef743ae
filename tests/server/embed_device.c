/* SPDX-License-Identifier: Apache-2.0 */
/* A device with the public client library and its POSIX port; see embed_device.h. */
#include "tests/server/embed_device.h"

#include <dunlin/client_device.h>
#include <dunlin/posix.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ARENA 131072
#define TURN  10

struct embed_device {
    _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[ARENA];
    char endpoint[64];
    double value;
    dunlin_device device;
    dunlin_posix *posix;
    dunlin_client *client;
    embed_told told;
};

typedef struct {
    double value;
} thermometer;

static const dunlin_resource resources[] = {
    {DUNLIN_FIELD(5700, FLOAT, DUNLIN_R | DUNLIN_MANDATORY, thermometer, value)},
};

static const dunlin_object object = {
    .id = 3303, DUNLIN_TABLE(resources), .flags = DUNLIN_MULTIPLE, .size = sizeof(thermometer)};

static void on_way(void *context, const dunlin_posix_event *event)
{
    embed_device *device = context;
    if (event->kind == DUNLIN_POSIX_UP) {
        device->told.connected++;
    } else {
        device->told.lost++;
        device->told.alert = event->alert;
    }
}

static void on_event(void *context, const dunlin_client_event *event)
{
    embed_device *device = context;
    device->told.registered += event->kind == DUNLIN_CLIENT_REGISTERED;
    device->told.refused += event->kind == DUNLIN_CLIENT_REFUSED;
}

embed_device *embed_device_start(const char *endpoint, const char *uri, const dunlin_security *security)
{
    embed_device *made = aligned_alloc(DUNLIN_ARENA_ALIGN, sizeof *made);
    assert_non_null(made);
    memset(made, 0, sizeof *made);
    (void)snprintf(made->endpoint, sizeof made->endpoint, "%s", endpoint);
    made->value = 20;
    dunlin_posix_config own = dunlin_posix_config_default();
    own.ways = on_way;
    own.event = on_event;
    own.context = made;
    assert_int_equal(dunlin_posix_create(&own, &made->posix), DUNLIN_OK);
    dunlin_client_config config = dunlin_client_config_default();
    dunlin_posix_fill(made->posix, &config);
    config.endpoint = made->endpoint;
    made->client = dunlin_client_create(made->arena, sizeof made->arena, &config, dunlin_posix_now_ms());
    assert_non_null(made->client);
    dunlin_device_init(&made->device);
    dunlin_server server = dunlin_server_default();
    (void)snprintf(server.uri, sizeof server.uri, "%s", uri);
    (void)snprintf(server.binding, sizeof server.binding, "%s", strstr(uri, "+tcp") != NULL ? "T" : "U");
    server.ssid = 1;
    if (strncmp(uri, "coaps", 5) == 0) {
        server.security = *security;
    }
    assert_int_equal(dunlin_device_add(made->client, &made->device), DUNLIN_OK);
    assert_int_equal(dunlin_client_add_object(made->client, &object, &made->value, 1, 1, NULL), DUNLIN_OK);
    assert_int_equal(dunlin_client_add_server(made->client, &server), DUNLIN_OK);
    dunlin_client_start(made->client, dunlin_posix_now_ms());
    return made;
}

void embed_device_set(embed_device *device, double value)
{
    device->value = value;
    dunlin_changed(device->client, dunlin_path_resource(3303, 0, 5700));
}

const embed_told *embed_device_turn(embed_device *device)
{
    dunlin_posix_turn(device->posix, device->client, TURN);
    return &device->told;
}

void embed_device_await(embed_device *device, const unsigned *of, unsigned count, const char *what)
{
    const uint64_t end_ms = dunlin_posix_now_ms() + EMBED_PATIENCE_MS;
    while (*of < count) {
        if (dunlin_posix_now_ms() > end_ms) {
            fail_msg("%s: not %s (connected %u, registered %u, refused %u, lost %u, alert %d)",
                     device->endpoint, what, device->told.connected, device->told.registered,
                     device->told.refused, device->told.lost, device->told.alert);
        }
        (void)embed_device_turn(device);
    }
}

const embed_told *embed_device_told(const embed_device *device)
{
    return &device->told;
}

void embed_device_stop(embed_device *device)
{
    dunlin_posix_destroy(device->posix);
    free(device);
}
