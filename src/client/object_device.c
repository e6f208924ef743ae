/* SPDX-License-Identifier: Apache-2.0 */
/* Object 3, Device (Core 1.1.1 appendix E.4), over dunlin_device. */
#include "client/registration.h"
#include <dunlin/client_device.h>
#include <string.h>

#define DEVICE_OBJECT 3
#define ERROR_CODES   11

enum {
    FACTORY_RESET = 5,
    POWER_SOURCES = 6,
    POWER_VOLTAGE = 7,
    POWER_CURRENT = 8,
    BATTERY_LEVEL = 9,
    MEMORY_FREE = 10,
    CURRENT_TIME = 13,
    UTC_OFFSET = 14,
    TIMEZONE = 15,
    BATTERY_STATUS = 20,
    MEMORY_TOTAL = 21
};

static dunlin_status reboot(const dunlin_call *call, const dunlin_arguments *arguments)
{
    const dunlin_device *device = call->instance;
    (void)arguments;
    if (device->reboot == NULL) {
        return DUNLIN_ERR_STATE;
    }
    device->reboot(device->context);
    return DUNLIN_OK;
}

static dunlin_status factory_reset(const dunlin_call *call, const dunlin_arguments *arguments)
{
    const dunlin_device *device = call->instance;
    (void)arguments;
    device->factory_reset(device->context);
    return DUNLIN_OK;
}

static void no_errors(dunlin_device *device)
{
    memset(&device->errors, 0, sizeof device->errors);
    device->errors.count = 1; /* instance 0 with the value 0: no error */
}

static dunlin_status reset_errors(const dunlin_call *call, const dunlin_arguments *arguments)
{
    (void)arguments;
    no_errors(call->instance);
    dunlin_changed(call->client, dunlin_path_resource(DEVICE_OBJECT, 0, ERROR_CODES));
    return DUNLIN_OK;
}

static dunlin_status time_get(const dunlin_call *call, dunlin_value *value)
{
    const dunlin_device *device = call->instance;
    *value = dunlin_time(device->clock_get(device->context));
    return DUNLIN_OK;
}

static dunlin_status time_set(const dunlin_call *call, const dunlin_value *value)
{
    const dunlin_device *device = call->instance;
    return device->clock_set == NULL ? DUNLIN_ERR_STATE
                                     : device->clock_set(device->context, value->as.integer);
}

static bool digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* "+hh:mm", "-hh:mm", or empty. */
static dunlin_status utc_offset_check(const dunlin_call *call, const dunlin_value *value)
{
    const uint8_t *t = value->as.bytes.data;
    (void)call;
    if (value->as.bytes.len == 0) {
        return DUNLIN_OK;
    }
    const bool good = value->as.bytes.len == 6 && (t[0] == '+' || t[0] == '-') && digit(t[1]) &&
                      digit(t[2]) && t[3] == ':' && digit(t[4]) && digit(t[5]);
    return good ? DUNLIN_OK : DUNLIN_ERR_RANGE;
}

static const dunlin_resource resources[] = {
    {DUNLIN_POINTER(0, DUNLIN_R, dunlin_device, manufacturer)},
    {DUNLIN_POINTER(1, DUNLIN_R, dunlin_device, model)},
    {DUNLIN_POINTER(2, DUNLIN_R, dunlin_device, serial)},
    {DUNLIN_POINTER(3, DUNLIN_R, dunlin_device, firmware)},
    {DUNLIN_EXECUTE(4, DUNLIN_MANDATORY, reboot)},
    {DUNLIN_EXECUTE(FACTORY_RESET, DUNLIN_ABSENT, factory_reset)},
    {DUNLIN_LIST(POWER_SOURCES, INTEGER, DUNLIN_R | DUNLIN_ABSENT, dunlin_device, power_sources), .max = 7},
    {DUNLIN_LIST(POWER_VOLTAGE, INTEGER, DUNLIN_R | DUNLIN_ABSENT, dunlin_device, power_voltage_mv)},
    {DUNLIN_LIST(POWER_CURRENT, INTEGER, DUNLIN_R | DUNLIN_ABSENT, dunlin_device, power_current_ma)},
    {DUNLIN_FIELD(BATTERY_LEVEL, INTEGER, DUNLIN_R | DUNLIN_ABSENT, dunlin_device, battery_level),
     .max = 100},
    {DUNLIN_FIELD(MEMORY_FREE, INTEGER, DUNLIN_R | DUNLIN_ABSENT, dunlin_device, memory_free_kb)},
    {DUNLIN_LIST(ERROR_CODES, INTEGER, DUNLIN_R | DUNLIN_MANDATORY, dunlin_device, errors)},
    {DUNLIN_EXECUTE(12, 0, reset_errors)},
    {DUNLIN_CALL(CURRENT_TIME, TIME, DUNLIN_RW | DUNLIN_ABSENT), .get = time_get, .set = time_set},
    {DUNLIN_FIELD(UTC_OFFSET, STRING, DUNLIN_RW | DUNLIN_ABSENT, dunlin_device, utc_offset),
     .check = utc_offset_check},
    {DUNLIN_FIELD(TIMEZONE, STRING, DUNLIN_RW | DUNLIN_ABSENT, dunlin_device, timezone)},
    {DUNLIN_POINTER(16, DUNLIN_R | DUNLIN_MANDATORY, dunlin_device, binding)},
    {DUNLIN_POINTER(17, DUNLIN_R, dunlin_device, device_type)},
    {DUNLIN_POINTER(18, DUNLIN_R, dunlin_device, hardware)},
    {DUNLIN_POINTER(19, DUNLIN_R, dunlin_device, software)},
    {DUNLIN_FIELD(BATTERY_STATUS, INTEGER, DUNLIN_R | DUNLIN_ABSENT, dunlin_device, battery_status),
     .max = 6},
    {DUNLIN_FIELD(MEMORY_TOTAL, INTEGER, DUNLIN_R | DUNLIN_ABSENT, dunlin_device, memory_total_kb)},
};

const dunlin_object dunlin_device_object = {
    .id = DEVICE_OBJECT,
    DUNLIN_TABLE(resources),
    .size = sizeof(dunlin_device),
};

void dunlin_device_init(dunlin_device *device)
{
    memset(device, 0, sizeof *device);
    device->binding = "U";
    no_errors(device);
}

static void give(dunlin_client *client, bool has, uint16_t resource)
{
    if (has) {
        (void)dunlin_client_set_present(client, dunlin_path_resource(DEVICE_OBJECT, 0, resource), true);
    }
}

dunlin_status dunlin_device_add(dunlin_client *client, dunlin_device *device)
{
    const bool clock = (device->has & DUNLIN_DEVICE_CLOCK) != 0 && device->clock_get != NULL;
    const bool battery = (device->has & DUNLIN_DEVICE_BATTERY) != 0;
    const bool memory = (device->has & DUNLIN_DEVICE_MEMORY) != 0;
    const dunlin_status status =
        dunlin_client_add_object(client, &dunlin_device_object, device, 1, 1, device->context);
    if (status != DUNLIN_OK) {
        return status;
    }
    give(client, device->factory_reset != NULL, FACTORY_RESET);
    give(client, device->power_sources.count > 0, POWER_SOURCES);
    give(client, device->power_voltage_mv.count > 0, POWER_VOLTAGE);
    give(client, device->power_current_ma.count > 0, POWER_CURRENT);
    give(client, battery, BATTERY_LEVEL);
    give(client, battery, BATTERY_STATUS);
    give(client, memory, MEMORY_FREE);
    give(client, memory, MEMORY_TOTAL);
    give(client, clock, CURRENT_TIME);
    give(client, clock, UTC_OFFSET);
    give(client, clock, TIMEZONE);
    return DUNLIN_OK;
}

dunlin_status dunlin_device_raise(dunlin_client *client, dunlin_device *device, uint8_t error)
{
    const bool none = device->errors.count == 1 && device->errors.value[0] == 0;
    for (uint16_t i = 0; i < device->errors.count; i++) {
        if (device->errors.value[i] == error) {
            return DUNLIN_OK;
        }
    }
    if (none) {
        device->errors.count = 0;
    }
    if (device->errors.count >= DUNLIN_ERROR_CODES_MAX) {
        return DUNLIN_ERR_LIMIT;
    }
    uint16_t at = 0; /* the smallest id that is free; ids ascend */
    while (at < device->errors.count && device->errors.id[at] == at) {
        at++;
    }
    for (uint16_t i = device->errors.count; i > at; i--) {
        device->errors.id[i] = device->errors.id[i - 1];
        device->errors.value[i] = device->errors.value[i - 1];
    }
    device->errors.id[at] = at;
    device->errors.value[at] = error;
    device->errors.count++;
    dunlin_changed(client, dunlin_path_resource(DEVICE_OBJECT, 0, ERROR_CODES));
    return DUNLIN_OK;
}

void dunlin_device_clear(dunlin_client *client, dunlin_device *device, uint8_t error)
{
    uint16_t kept = 0;
    for (uint16_t i = 0; i < device->errors.count; i++) {
        if (device->errors.value[i] != error) {
            device->errors.id[kept] = device->errors.id[i];
            device->errors.value[kept++] = device->errors.value[i];
        }
    }
    device->errors.count = kept;
    if (kept == 0) {
        no_errors(device);
    }
    dunlin_changed(client, dunlin_path_resource(DEVICE_OBJECT, 0, ERROR_CODES));
}
