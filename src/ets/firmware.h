/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firmware packages for the cases of Object 5. Where the device is ours they are made here (device_firmware.h says what it
 * understands); a foreign device's are files that a person puts in a directory: "ok", a good one; "newer", a good one of
 * another version; "oversized", too large for its flash; "noram", that exhausts its memory; "corrupt", of which a byte is
 * wrong; "type", of a type it does not support; "fails", which cannot be installed.
 */
#ifndef DN_ETS_FIRMWARE_H
#define DN_ETS_FIRMWARE_H

#include "ets/run.h"

/* The package `name` as bytes, to be freed; NULL: the case has ended, and says what is to be done. */
uint8_t *dn_ets_package(dn_ets_run *run, const char *name, size_t *len);

#endif
