/* SPDX-License-Identifier: Apache-2.0 */
/* Names by a bijection that scatters neighbours; orders by Fisher and Yates. */
#include "fleet/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_PREFIX "urn:dev:ops:"

/* SplitMix64's finaliser: a bijection, so that different devices have different names. */
static uint64_t scatter(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t devices_random(devices *d)
{
    d->random += 0x9e3779b97f4a7c15u;
    return scatter(d->random);
}

void devices_make(devices *d, uint32_t count, uint64_t seed)
{
    *d = (devices){.count = count, .random = seed};
    d->list = calloc(count, sizeof *d->list);
    d->order = calloc(count, sizeof *d->order);
    if (d->list == NULL || d->order == NULL) {
        fprintf(stderr, "no memory for %u devices\n", count);
        exit(1);
    }
    for (uint32_t i = 0; i < count; i++) {
        d->order[i] = i;
        d->list[i].message_id = (uint16_t)devices_random(d);
    }
    devices_shuffle(d);
}

void devices_free(devices *d)
{
    free(d->list);
    free(d->order);
    *d = (devices){0};
}

void devices_shuffle(devices *d)
{
    for (uint32_t i = d->count - 1; i > 0; i--) {
        uint32_t j = (uint32_t)(devices_random(d) % (i + 1u));
        uint32_t swap = d->order[i];
        d->order[i] = d->order[j];
        d->order[j] = swap;
    }
}

size_t devices_name(uint32_t index, char name[DEVICE_NAME_MAX])
{
    static const char digits[] = "0123456789abcdef";
    uint64_t number = scatter((uint64_t)index + 1);
    memcpy(name, NAME_PREFIX, sizeof NAME_PREFIX - 1);
    char *at = name + sizeof NAME_PREFIX - 1;
    for (int shift = 60; shift >= 0; shift -= 4) {
        *at++ = digits[number >> shift & 15];
    }
    *at = '\0';
    return (size_t)(at - name);
}

const char *devices_serial(const char *name)
{
    return name + sizeof NAME_PREFIX - 1;
}
