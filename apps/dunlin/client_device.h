/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated device: Device (3), a temperature sensor (3303) and a light (3311). */
#ifndef DUNLIN_APP_CLIENT_DEVICE_H
#define DUNLIN_APP_CLIENT_DEVICE_H

#include "base/random.h"
#include <dunlin/client_device.h>

#define DN_SIM_LIGHTS_MAX 4
#define DN_SIM_TEXT_MAX   64

typedef struct {
    double value, least, most; /* measured, and the range that was measured */
    double base;               /* around which it moves */
    double lowest, highest;    /* what the sensor can measure */
} dn_sim_thermometer;

typedef struct {
    bool on;
    int8_t dimmer;
    int32_t on_time_s;
    uint32_t on_rest_ms; /* not yet a whole second of it */
    double energy_wh;
    char colour[16];
} dn_sim_light;

typedef struct {
    dunlin_device device;
    dn_sim_thermometer thermometer;
    dn_sim_light lights[DN_SIM_LIGHTS_MAX];
    char serial[DN_SIM_TEXT_MAX], model[DN_SIM_TEXT_MAX], hardware[DN_SIM_TEXT_MAX], system[DN_SIM_TEXT_MAX];
    double battery; /* per cent */
    bool charging;
    bool battery_by_hand;   /* set on the console: the machine's own is not asked any more */
    int64_t clock_offset_s; /* set by a server */
    dn_seeded seeded;
    bool reboot, factory_reset; /* a server has asked for it */
} dn_sim_device;

/* Fills it in for this host; `seed` decides about the values. */
void dn_sim_device_init(dn_sim_device *device, uint64_t seed);
/* Adds its Objects, but for those of `taken`, which other tables bring (ended by DUNLIN_ID_NONE). */
dunlin_status dn_sim_device_add(dunlin_client *client, dn_sim_device *device, const uint16_t *taken);
/* Lets `elapsed_ms` pass: values move. */
void dn_sim_device_move(dunlin_client *client, dn_sim_device *device, uint32_t elapsed_ms);
/* Writable values as they were at first. */
void dn_sim_device_reset(dunlin_client *client, dn_sim_device *device);
/* From now on the battery drains from here. */
void dn_sim_device_set_battery(dunlin_client *client, dn_sim_device *device, double percent);
/* `version` must stay where it is. */
void dn_sim_device_set_firmware(dunlin_client *client, dn_sim_device *device, const char *version);
/* A step of a random walk around `base`, within `spread` of it. */
double dn_sim_walk(dn_seeded *seeded, double value, double base, double spread);

#endif
