/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The firmware of the test device: a flash in memory, and packages that behave as their first line says, so that each Update
 * Result can be provoked: "ETSFW ok 2.0.0", "ETSFW fails", "ETSFW noram"; the last byte is the sum of all others. Anything
 * else is a package of an unsupported type.
 */
#ifndef DN_ETS_DEVICE_FIRMWARE_H
#define DN_ETS_DEVICE_FIRMWARE_H

#include <dunlin/oma_firmware.h>

#define DN_ETS_FLASH_SIZE 16384u

typedef struct {
    dunlin_firmware firmware;
    dunlin_client *client;
    uint8_t *flash;
    char *version; /* of the device: what a good package changes */
    size_t version_size;
    bool apply;
    uint64_t apply_at_ms;
} dn_ets_firmware;

/* `version` is a text of `size` bytes which is shown as the device's firmware version. */
dunlin_status dn_ets_firmware_add(dn_ets_firmware *firmware, dunlin_client *client, char *version,
                                  size_t size);
void dn_ets_firmware_free(dn_ets_firmware *firmware);
void dn_ets_firmware_step(dn_ets_firmware *firmware, uint64_t now_ms);
uint64_t dn_ets_firmware_deadline(const dn_ets_firmware *firmware);

/* Makes a package with this first line, `size` bytes long, into `out`; `broken`: its sum is wrong. */
void dn_ets_firmware_package(const char *line, bool broken, uint8_t *out, size_t size);

#endif
