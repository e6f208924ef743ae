/* SPDX-License-Identifier: Apache-2.0 */
/* One path of many devices: `dunlin read --all`. */
#ifndef DUNLIN_APP_SWEEP_H
#define DUNLIN_APP_SWEEP_H

#include "apps/dunlin/options.h"

typedef struct {
    const char *match;     /* endpoints that contain it; NULL: all */
    const char *in_flight; /* devices asked at one time; NULL: the server's default */
} dn_sweep;

/* `arguments` is PATH. Prints a line for each device as its answer comes, and gives the exit code: REFUSED when
 * one device or more gave no value. */
int dn_sweep_read(const dn_options *options, const dn_sweep *sweep);

#endif
