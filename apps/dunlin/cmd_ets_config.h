/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin ets config: the configurations of the test specification as files for a device or for dunlind. */
#ifndef DUNLIN_CMD_ETS_CONFIG_H
#define DUNLIN_CMD_ETS_CONFIG_H

#include "apps/dunlin/cmd_ets_security.h"

typedef struct {
    const char *name;          /* "C.13"; NULL: which there are */
    const char *target;        /* URI of the server */
    const char *bootstrap;     /* URI of the bootstrap server */
    const char *format;        /* "lwm2m-json", "senml-json", "document"; NULL: lwm2m-json */
    dn_ets_security *security; /* of both accounts */
} dn_ets_config_options;

/* Prints; the exit code. */
int dn_ets_print_config(const dn_ets_config_options *options);

#endif
