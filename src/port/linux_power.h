/* SPDX-License-Identifier: Apache-2.0 */
/* What Linux knows of its battery and memory. Read from /sys below `root`, which is "" but for tests. */
#ifndef DN_PORT_LINUX_POWER_H
#define DN_PORT_LINUX_POWER_H

#include <stdbool.h>
#include <stdint.h>

/* Battery Status of Device (/3/0/20). */
enum {
    DN_LINUX_BATTERY_NORMAL = 0,
    DN_LINUX_BATTERY_CHARGING = 1,
    DN_LINUX_BATTERY_FULL = 2,
    DN_LINUX_BATTERY_UNKNOWN = 6
};

typedef struct {
    int percent;
    int status;                     /* DN_LINUX_BATTERY_… */
    int32_t voltage_mv, current_ma; /* 0: not known */
} dn_linux_battery;

/* The first battery. False: the machine has none. */
bool dn_linux_battery_read(const char *root, dn_linux_battery *out);
/* Kilobytes of memory, all and available. False: not known. */
bool dn_linux_memory(const char *root, int64_t *total_kb, int64_t *free_kb);

#endif
