/* SPDX-License-Identifier: Apache-2.0 */
/* The test device's firmware. */
#include "ets/device_firmware.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD       "ETSFW "
#define INSTALL_MS 5000u

static dunlin_firmware_result begin(void *context, uint64_t size)
{
    dn_ets_firmware *f = context;
    memset(f->flash, 0, DN_ETS_FLASH_SIZE);
    return size > DN_ETS_FLASH_SIZE ? DUNLIN_FIRMWARE_NO_FLASH : DUNLIN_FIRMWARE_INITIAL;
}

static dunlin_firmware_result take(void *context, uint64_t offset, dunlin_slice bytes)
{
    dn_ets_firmware *f = context;
    if (offset + bytes.len > DN_ETS_FLASH_SIZE) {
        return DUNLIN_FIRMWARE_NO_FLASH;
    }
    if (bytes.len > 0) {
        memcpy(f->flash + offset, bytes.data, bytes.len);
    }
    if (offset == 0 && bytes.len >= 11 && memcmp(bytes.data, HEAD "noram", 11) == 0) {
        return DUNLIN_FIRMWARE_NO_RAM;
    }
    return DUNLIN_FIRMWARE_INITIAL;
}

static dunlin_firmware_result verify(void *context, uint64_t size)
{
    dn_ets_firmware *f = context;
    uint8_t sum = 0;
    if (size < sizeof HEAD || memcmp(f->flash, HEAD, sizeof HEAD - 1) != 0) {
        return DUNLIN_FIRMWARE_TYPE;
    }
    for (uint64_t i = 0; i + 1 < size; i++) {
        sum = (uint8_t)(sum + f->flash[i]);
    }
    return sum == f->flash[size - 1] ? DUNLIN_FIRMWARE_INITIAL : DUNLIN_FIRMWARE_INTEGRITY;
}

static dunlin_firmware_result apply(void *context)
{
    ((dn_ets_firmware *)context)->apply = true;
    return DUNLIN_FIRMWARE_INITIAL;
}

dunlin_status dn_ets_firmware_add(dn_ets_firmware *firmware, dunlin_client *client, char *version,
                                  size_t size)
{
    firmware->flash = calloc(1, DN_ETS_FLASH_SIZE);
    if (firmware->flash == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    firmware->client = client;
    firmware->version = version;
    firmware->version_size = size;
    firmware->apply_at_ms = DUNLIN_NEVER;
    dunlin_firmware_init(&firmware->firmware);
    firmware->firmware.call = (dunlin_firmware_callbacks){
        .begin = begin, .write = take, .verify = verify, .apply = apply, .context = firmware};
    firmware->firmware.package_name = "ETS firmware";
    firmware->firmware.package_version = "2.0.0";
    return dunlin_firmware_add(client, &firmware->firmware);
}

void dn_ets_firmware_free(dn_ets_firmware *firmware)
{
    free(firmware->flash);
    firmware->flash = NULL;
}

static void install(dn_ets_firmware *f)
{
    char version[16] = "";
    if (sscanf((const char *)f->flash, HEAD "ok %15s", version) != 1) {
        dunlin_firmware_installed(&f->firmware, DUNLIN_FIRMWARE_FAILED);
        return;
    }
    (void)snprintf(f->version, f->version_size, "%s", version);
    dunlin_changed(f->client, dunlin_path_resource(3, 0, 3));
    dunlin_firmware_installed(&f->firmware, DUNLIN_FIRMWARE_SUCCESS);
}

void dn_ets_firmware_step(dn_ets_firmware *firmware, uint64_t now_ms)
{
    if (firmware->apply) {
        firmware->apply = false;
        firmware->apply_at_ms = now_ms + INSTALL_MS;
    }
    if (now_ms >= firmware->apply_at_ms) {
        firmware->apply_at_ms = DUNLIN_NEVER;
        install(firmware);
    }
    dunlin_firmware_step(&firmware->firmware, now_ms);
}

uint64_t dn_ets_firmware_deadline(const dn_ets_firmware *firmware)
{
    const uint64_t at_ms = dunlin_firmware_deadline(&firmware->firmware);
    return firmware->apply_at_ms < at_ms ? firmware->apply_at_ms : at_ms;
}

void dn_ets_firmware_package(const char *line, bool broken, uint8_t *out, size_t size)
{
    uint8_t sum = 0;
    const size_t len = strlen(line);
    for (size_t i = 0; i + 1 < size; i++) {
        out[i] = i < len ? (uint8_t)line[i] : i == len ? (uint8_t)'\n' : (uint8_t)(i * 7 + (i >> 8));
        sum = (uint8_t)(sum + out[i]);
    }
    out[size - 1] = (uint8_t)(broken ? sum + 1 : sum);
}
