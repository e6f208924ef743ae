/* SPDX-License-Identifier: Apache-2.0 */
/* How a simulated firmware update can go wrong. */
#ifndef DUNLIN_APP_CLIENT_FAILURE_H
#define DUNLIN_APP_CLIENT_FAILURE_H

#include <stdbool.h>

typedef enum {
    DN_SIM_FAIL_NOT,
    DN_SIM_FAIL_FLASH,      /* no room for the package: Result 2 */
    DN_SIM_FAIL_RAM,        /* 3 */
    DN_SIM_FAIL_CONNECTION, /* lost while downloading: 4 */
    DN_SIM_FAIL_INTEGRITY,  /* 5 */
    DN_SIM_FAIL_TYPE,       /* 6 */
    DN_SIM_FAIL_INSTALL,    /* it downloads, but does not install: 8 */
    DN_SIM_FAIL_DEFER       /* the user puts it off (version 1.1): 11 */
} dn_sim_failure;

#define DN_SIM_FAILURES "not, flash, ram, connection, integrity, type, install or defer"

/* "integrity" and so on. False: no such word. */
bool dn_sim_failure_read(const char *word, dn_sim_failure *out);

#endif
