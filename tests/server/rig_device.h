/* SPDX-License-Identifier: Apache-2.0 */
/* Making and unmaking the rig's devices. For rig.c. */
#ifndef TESTS_SERVER_RIG_DEVICE_H
#define TESTS_SERVER_RIG_DEVICE_H

#include "tests/server/rig.h"

void rig_device_make(rig *r, rig_device *device, uint64_t seed);
void rig_device_unmake(rig_device *device);

#endif
