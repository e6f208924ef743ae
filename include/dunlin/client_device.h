/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Device Object (3) of the library: fill in what the device has, add it, done. Texts that are NULL are
 * resources that the device does not have. After changing a member call dunlin_changed (Core 1.1.1 appendix
 * E.4).
 */
#ifndef DUNLIN_CLIENT_DEVICE_H
#define DUNLIN_CLIENT_DEVICE_H

#include <dunlin/client.h>

#define DUNLIN_POWER_SOURCES_MAX 4
#define DUNLIN_ERROR_CODES_MAX   8

enum {
    DUNLIN_DEVICE_BATTERY = 1, /* members battery_level, battery_status */
    DUNLIN_DEVICE_MEMORY = 2,  /* memory_free_kb, memory_total_kb */
    DUNLIN_DEVICE_CLOCK = 4    /* clock_get; Current Time, UTC Offset and Timezone */
};

typedef struct dunlin_device {
    uint8_t has; /* set of the above */
    const char *manufacturer, *model, *serial, *firmware, *device_type, *hardware, *software;
    const char *binding;                                         /* [“U”] */
    DUNLIN_MANY(int8_t, DUNLIN_POWER_SOURCES_MAX) power_sources; /* the three share their ids */
    DUNLIN_MANY(int32_t, DUNLIN_POWER_SOURCES_MAX) power_voltage_mv;
    DUNLIN_MANY(int32_t, DUNLIN_POWER_SOURCES_MAX) power_current_ma;
    int8_t battery_level;  /* per cent */
    int8_t battery_status; /* 0 normal .. 6 unknown */
    int32_t memory_free_kb, memory_total_kb;
    DUNLIN_MANY(int16_t, DUNLIN_ERROR_CODES_MAX) errors; /* instance 0 holds 0 when there is none */
    char utc_offset[8];                                  /* "+01:00" */
    char timezone[40];                                   /* "Europe/Paris" */

    /* May be NULL: then the resource cannot be executed, or the time cannot be set. */
    void (*reboot)(void *context); /* note it down; the answer leaves after it returned */
    void (*factory_reset)(void *context);
    int64_t (*clock_get)(void *context); /* seconds since 1970 */
    dunlin_status (*clock_set)(void *context, int64_t unix_s);
    void *context;
} dunlin_device;

extern const dunlin_object dunlin_device_object;

/* Makes `device` one with no error and binding "U", else empty. */
void dunlin_device_init(dunlin_device *device);
/* Adds Object 3 with its only instance. `device` must outlive the client. Errors as dunlin_client_add_object.
 */
dunlin_status dunlin_device_add(dunlin_client *client, dunlin_device *device);
/* Adds an error code, 1..255, if it is not there; without one left of DUNLIN_ERROR_CODES_MAX it is LIMIT. */
dunlin_status dunlin_device_raise(dunlin_client *client, dunlin_device *device, uint8_t error);
/* Takes an error code away. */
void dunlin_device_clear(dunlin_client *client, dunlin_device *device, uint8_t error);

#endif
