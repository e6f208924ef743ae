/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated devices: scrambled names, shuffled orders, and what the server told each. */
#ifndef BENCH_FLEET_DEVICES_H
#define BENCH_FLEET_DEVICES_H

#include <stddef.h>
#include <stdint.h>

#define DEVICE_NAME_MAX     32
#define DEVICE_LOCATION_MAX 23

typedef struct {
    char location[DEVICE_LOCATION_MAX]; /* the segment behind /rd, as the server gave it */
    uint8_t location_len;
    uint16_t message_id; /* the last one used */
} device;

typedef struct {
    uint32_t count;
    device *list;
    uint32_t *order;
    uint64_t random; /* state */
} devices;

/* Ends the program when there is no memory. */
void devices_make(devices *d, uint32_t count, uint64_t seed);
void devices_free(devices *d);
/* Puts d->order into a new random order. */
void devices_shuffle(devices *d);
/* The name of a device, "urn:dev:ops:" and 16 hexadecimal digits that say nothing about its index. Returns its length. */
size_t devices_name(uint32_t index, char name[DEVICE_NAME_MAX]);
/* The digits alone: the value of its serial number. */
#define DEVICE_SERIAL_LEN 16
const char *devices_serial(const char *name);
uint64_t devices_random(devices *d);

#endif
