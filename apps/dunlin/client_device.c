/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the simulated Objects, and how their values move. */
#include "apps/dunlin/client_device.h"

#include "apps/dunlin/client_models.h"
#include "port/linux_power.h"
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define THERMOMETER      3303
#define LIGHT            3311
#define LEAST_MEASURED   5601
#define MOST_MEASURED    5602
#define SENSOR_VALUE     5700
#define ENERGY           5805
#define ON_OFF           5850
#define DIMMER           5851
#define ON_TIME          5852
#define DEVICE           3
#define FIRMWARE_VERSION 3
#define BATTERY_LEVEL    9
#define MEMORY_FREE      10
#define CURRENT_TIME     13
#define BATTERY_STATUS   20
#define LOW_BATTERY      1 /* error code */
#define BATTERY_LOW      20.0
#define BATTERY_FULL     100.0
#define BATTERY_STEP     0.1 /* per cent per second */
#define LIGHT_WATTS      9.0
#define TENTH            10.0
#define MS_PER_S         1000.0
#define MS_PER_HOUR      3600000.0

#define HOST "" /* the machine's own /proc and /sys */

enum { STATUS_NORMAL = 0, STATUS_CHARGING = 1 };

/* ---- 3303 ---- */

static dunlin_status reset_range(const dunlin_call *call, const dunlin_arguments *arguments)
{
    dn_sim_thermometer *t = call->instance;
    (void)arguments;
    t->least = t->most = t->value;
    dunlin_changed(call->client, dunlin_path_resource(THERMOMETER, call->path.id[1], LEAST_MEASURED));
    dunlin_changed(call->client, dunlin_path_resource(THERMOMETER, call->path.id[1], MOST_MEASURED));
    return DUNLIN_OK;
}

/* Set by hand: from now on it moves around that value. */
static dunlin_status value_set(const dunlin_call *call, const dunlin_value *value)
{
    dn_sim_thermometer *t = call->instance;
    t->base = value->as.number;
    t->least = t->value < t->least ? t->value : t->least;
    t->most = t->value > t->most ? t->value : t->most;
    return DUNLIN_OK;
}

static const dunlin_resource thermometer_table[] = {
    {DUNLIN_FIELD(LEAST_MEASURED, FLOAT, DUNLIN_R, dn_sim_thermometer, least)},
    {DUNLIN_FIELD(MOST_MEASURED, FLOAT, DUNLIN_R, dn_sim_thermometer, most)},
    {DUNLIN_FIELD(5603, FLOAT, DUNLIN_R, dn_sim_thermometer, lowest)},
    {DUNLIN_FIELD(5604, FLOAT, DUNLIN_R, dn_sim_thermometer, highest)},
    {DUNLIN_EXECUTE(5605, 0, reset_range)},
    {DUNLIN_FIELD(SENSOR_VALUE, FLOAT, DUNLIN_R | DUNLIN_MANDATORY, dn_sim_thermometer, value),
     .set = value_set},
    {DUNLIN_CONSTANT(5701, "Cel")},
};

static const dunlin_object thermometer_object = {
    .id = THERMOMETER,
    DUNLIN_TABLE(thermometer_table),
    .flags = DUNLIN_MULTIPLE,
    .size = sizeof(dn_sim_thermometer),
};

/* ---- 3311 ---- */

/* Writing 0 sets the counter back; nothing else makes sense. */
static dunlin_status on_time_check(const dunlin_call *call, const dunlin_value *value)
{
    (void)call;
    return value->as.integer == 0 ? DUNLIN_OK : DUNLIN_ERR_RANGE;
}

static dunlin_status light_created(const dunlin_call *call)
{
    dn_sim_light *light = call->instance;
    light->dimmer = 100;
    memcpy(light->colour, "#ffffff", sizeof "#ffffff");
    return DUNLIN_OK;
}

static const dunlin_resource light_table[] = {
    {DUNLIN_FIELD(5706, STRING, DUNLIN_RW, dn_sim_light, colour)},
    {DUNLIN_FIELD(ENERGY, FLOAT, DUNLIN_R, dn_sim_light, energy_wh)},
    {DUNLIN_FIELD(ON_OFF, BOOLEAN, DUNLIN_RW | DUNLIN_MANDATORY, dn_sim_light, on)},
    {DUNLIN_FIELD(DIMMER, INTEGER, DUNLIN_RW, dn_sim_light, dimmer), .max = 100},
    {DUNLIN_FIELD(ON_TIME, INTEGER, DUNLIN_RW, dn_sim_light, on_time_s), .check = on_time_check},
};

static const dunlin_object light_object = {
    .id = LIGHT,
    DUNLIN_TABLE(light_table),
    .flags = DUNLIN_MULTIPLE | DUNLIN_DYNAMIC,
    .size = sizeof(dn_sim_light),
    .created = light_created,
};

/* ---- 3 ---- */

static void on_reboot(void *context)
{
    ((dn_sim_device *)context)->reboot = true;
}

static void on_factory_reset(void *context)
{
    ((dn_sim_device *)context)->factory_reset = true;
}

static int64_t clock_get(void *context)
{
    return (int64_t)time(NULL) + ((const dn_sim_device *)context)->clock_offset_s;
}

/* The host's own clock is left alone. */
static dunlin_status clock_set(void *context, int64_t unix_s)
{
    ((dn_sim_device *)context)->clock_offset_s = unix_s - (int64_t)time(NULL);
    return DUNLIN_OK;
}

static void read_memory(dunlin_device *device)
{
    int64_t total_kb = 0;
    int64_t free_kb = 0;
    if (dn_linux_memory(HOST, &total_kb, &free_kb)) {
        device->memory_total_kb = (int32_t)(total_kb > INT32_MAX ? INT32_MAX : total_kb);
        device->memory_free_kb = (int32_t)(free_kb > INT32_MAX ? INT32_MAX : free_kb);
    }
}

/* The machine's own battery. False: it has none, and one is made up. */
static bool read_battery(dn_sim_device *sim)
{
    dn_linux_battery found;
    if (sim->battery_by_hand || !dn_linux_battery_read(HOST, &found)) {
        return false;
    }
    sim->battery = found.percent;
    sim->charging = found.status == DN_LINUX_BATTERY_CHARGING;
    sim->device.battery_level = (int8_t)found.percent;
    sim->device.battery_status = (int8_t)found.status;
    if (found.voltage_mv > 0) {
        sim->device.power_voltage_mv.value[0] = found.voltage_mv;
        sim->device.power_current_ma.value[0] = found.current_ma;
    }
    return true;
}

/* "+01:00" of now, and the zone's name from the environment. */
static void read_zone(dunlin_device *device)
{
    const time_t now = time(NULL);
    struct tm local;
    char offset[8] = "+0000";
    if (localtime_r(&now, &local) != NULL) {
        (void)strftime(offset, sizeof offset, "%z", &local);
    }
    (void)snprintf(device->utc_offset, sizeof device->utc_offset, "%.3s:%.2s", offset, offset + 3);
    (void)snprintf(device->timezone, sizeof device->timezone, "%s", "Etc/UTC");
}

static void init_device(dn_sim_device *sim)
{
    dunlin_device *device = &sim->device;
    struct utsname host;
    memset(&host, 0, sizeof host);
    (void)uname(&host);
    (void)snprintf(sim->serial, sizeof sim->serial, "%.60s", host.nodename);
    (void)snprintf(sim->model, sizeof sim->model, "dunlin client");
    (void)snprintf(sim->hardware, sizeof sim->hardware, "%.60s", host.machine);
    (void)snprintf(sim->system, sizeof sim->system, "%.20s %.40s", host.sysname, host.release);
    dunlin_device_init(device);
    device->has = DUNLIN_DEVICE_BATTERY | DUNLIN_DEVICE_MEMORY | DUNLIN_DEVICE_CLOCK;
    device->manufacturer = "Dunlin";
    device->model = sim->model;
    device->serial = sim->serial;
    device->firmware = DUNLIN_VERSION;
    device->device_type = "simulated device";
    device->hardware = sim->hardware;
    device->software = sim->system;
    device->power_sources.count = device->power_voltage_mv.count = device->power_current_ma.count = 2;
    for (uint16_t i = 0; i < 2; i++) {
        device->power_sources.id[i] = device->power_voltage_mv.id[i] = device->power_current_ma.id[i] = i;
    }
    device->power_sources.value[0] = 1; /* internal battery */
    device->power_sources.value[1] = 5; /* USB */
    device->power_voltage_mv.value[0] = 3800;
    device->power_voltage_mv.value[1] = 5000;
    device->power_current_ma.value[0] = 125;
    device->power_current_ma.value[1] = 900;
    device->reboot = on_reboot;
    device->factory_reset = on_factory_reset;
    device->clock_get = clock_get;
    device->clock_set = clock_set;
    device->context = sim;
    read_memory(device);
    read_zone(device);
}

/* ---- values ---- */

double dn_sim_walk(dn_seeded *seeded, double value, double base, double spread)
{
    const dn_random random = dn_seeded_random(seeded);
    const double step = ((double)dn_random_between(&random, 0, 2000) / 1000.0 - 1.0) * spread / 20;
    const double pull = (base - value) / 50; /* or it would drift away in the long run */
    const double next = value + step + pull;
    return next < base - spread ? base - spread : next > base + spread ? base + spread : next;
}

static double rounded(double value)
{
    return (double)(int64_t)(value * TENTH + (value < 0 ? -0.5 : 0.5)) / TENTH;
}

void dn_sim_device_init(dn_sim_device *sim, uint64_t seed)
{
    memset(sim, 0, sizeof *sim);
    dn_seeded_init(&sim->seeded, seed);
    const dn_random random = dn_seeded_random(&sim->seeded);
    dn_sim_thermometer *t = &sim->thermometer;
    t->base = (double)dn_random_between(&random, 150, 250) / TENTH;
    t->value = t->least = t->most = t->base;
    t->lowest = -40;
    t->highest = 85;
    sim->lights[0] = (dn_sim_light){.dimmer = 80, .colour = "#ffd27f"};
    sim->battery = (double)dn_random_between(&random, 40, 100);
    init_device(sim);
    sim->device.battery_level = (int8_t)sim->battery;
    (void)read_battery(sim);
}

dunlin_status dn_sim_device_add(dunlin_client *client, dn_sim_device *sim, const uint16_t *taken)
{
    dunlin_status status = dunlin_device_add(client, &sim->device);
    if (status == DUNLIN_OK && !dn_sim_models_has(taken, THERMOMETER)) {
        status = dunlin_client_add_object(client, &thermometer_object, &sim->thermometer, 1, 1, sim);
    }
    if (status == DUNLIN_OK && !dn_sim_models_has(taken, LIGHT)) {
        status = dunlin_client_add_object(client, &light_object, sim->lights, DN_SIM_LIGHTS_MAX, 1, sim);
    }
    return status;
}

static void move_thermometer(dunlin_client *client, dn_sim_device *sim)
{
    dn_sim_thermometer *t = &sim->thermometer;
    t->value = rounded(dn_sim_walk(&sim->seeded, t->value, t->base, 5));
    dunlin_changed(client, dunlin_path_resource(THERMOMETER, 0, SENSOR_VALUE));
    if (t->value < t->least) {
        t->least = t->value;
        dunlin_changed(client, dunlin_path_resource(THERMOMETER, 0, LEAST_MEASURED));
    }
    if (t->value > t->most) {
        t->most = t->value;
        dunlin_changed(client, dunlin_path_resource(THERMOMETER, 0, MOST_MEASURED));
    }
}

static void move_lights(dunlin_client *client, dn_sim_device *sim, uint32_t elapsed_ms)
{
    for (size_t i = 0; i < DN_SIM_LIGHTS_MAX; i++) {
        dn_sim_light *light = &sim->lights[i];
        if (light->on) {
            light->on_rest_ms += elapsed_ms;
            light->on_time_s += (int32_t)(light->on_rest_ms / 1000);
            light->on_rest_ms %= 1000;
            light->energy_wh += LIGHT_WATTS * light->dimmer / 100 * elapsed_ms / MS_PER_HOUR;
            dunlin_changed(client, dunlin_path_object(LIGHT));
        }
    }
}

static void drain_battery(dn_sim_device *sim, uint32_t elapsed_ms)
{
    const double step = BATTERY_STEP * elapsed_ms / MS_PER_S;
    sim->battery += sim->charging ? step * 10 : -step;
    if (sim->battery <= BATTERY_LOW / 2) {
        sim->charging = true;
    } else if (sim->battery >= BATTERY_FULL) {
        sim->battery = BATTERY_FULL;
        sim->charging = false;
    }
    sim->device.battery_level = (int8_t)sim->battery;
    sim->device.battery_status = sim->charging ? STATUS_CHARGING : STATUS_NORMAL;
}

static void tell_battery(dunlin_client *client, dn_sim_device *sim)
{
    dunlin_changed(client, dunlin_path_resource(DEVICE, 0, BATTERY_LEVEL));
    dunlin_changed(client, dunlin_path_resource(DEVICE, 0, BATTERY_STATUS));
    if (sim->battery < BATTERY_LOW) {
        (void)dunlin_device_raise(client, &sim->device,
                                  LOW_BATTERY); /* there is room: it is the only one raised here */
    } else {
        dunlin_device_clear(client, &sim->device, LOW_BATTERY);
    }
}

static void move_battery(dunlin_client *client, dn_sim_device *sim, uint32_t elapsed_ms)
{
    if (!read_battery(sim)) {
        drain_battery(sim, elapsed_ms);
    }
    tell_battery(client, sim);
}

void dn_sim_device_set_battery(dunlin_client *client, dn_sim_device *sim, double percent)
{
    sim->battery_by_hand = true;
    sim->battery = percent;
    sim->charging = false;
    sim->device.battery_level = (int8_t)percent;
    sim->device.battery_status = STATUS_NORMAL;
    tell_battery(client, sim);
}

void dn_sim_device_set_firmware(dunlin_client *client, dn_sim_device *sim, const char *version)
{
    sim->device.firmware = version;
    dunlin_changed(client, dunlin_path_resource(DEVICE, 0, FIRMWARE_VERSION));
}

void dn_sim_device_move(dunlin_client *client, dn_sim_device *sim, uint32_t elapsed_ms)
{
    move_thermometer(client, sim);
    move_lights(client, sim, elapsed_ms);
    move_battery(client, sim, elapsed_ms);
    read_memory(&sim->device);
    dunlin_changed(client, dunlin_path_resource(DEVICE, 0, MEMORY_FREE));
    dunlin_changed(client, dunlin_path_resource(DEVICE, 0, CURRENT_TIME));
}

void dn_sim_device_reset(dunlin_client *client, dn_sim_device *sim)
{
    for (uint16_t i = 0; i < DN_SIM_LIGHTS_MAX; i++) {
        sim->lights[i] = (dn_sim_light){.dimmer = 100, .colour = "#ffffff"};
    }
    sim->clock_offset_s = 0;
    read_zone(&sim->device);
    dunlin_changed(client, dunlin_path_object(LIGHT));
    dunlin_changed(client, dunlin_path_object(DEVICE));
}
