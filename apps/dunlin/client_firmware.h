/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated firmware: Firmware Update (5) with packages on disk, downloads over HTTP, and ways to fail. */
#ifndef DUNLIN_APP_CLIENT_FIRMWARE_H
#define DUNLIN_APP_CLIENT_FIRMWARE_H

#include "apps/dunlin/client_options.h"
#include "apps/dunlin/client_package.h"
#include "port/http_download.h"

typedef struct {
    dunlin_firmware firmware;
    dn_sim_package package;
    dn_http_download *http;
    dn_sim_failure fail;         /* asked for by option or on the console */
    dn_sim_failure package_fail; /* by the package itself */
    uint32_t install_ms;         /* that an installation takes */
    uint64_t install_at_ms;      /* when it is through; DUNLIN_NEVER: none */
    uint64_t deferred_until_ms;  /* while one is put off; DUNLIN_NEVER: none is */
    bool install_asked;          /* by a server, since the last step */
    char running[DN_SIM_VERSION_MAX], next[DN_SIM_VERSION_MAX];
} dn_sim_firmware;

/* `version` is what runs if nothing else was kept. False: what is wrong was printed to stderr. */
bool dn_sim_firmware_open(dn_sim_firmware *sim, const dn_sim_options *options, const char *version);
void dn_sim_firmware_close(dn_sim_firmware *sim);
dunlin_status dn_sim_firmware_add(dunlin_client *client, dn_sim_firmware *sim);
/* Does what is due. True: a new firmware was installed, and the device has to start anew. */
bool dn_sim_firmware_step(dn_sim_firmware *sim, uint64_t now_ms);
uint64_t dn_sim_firmware_deadline(const dn_sim_firmware *sim);
/* To wait for, together with the deadline. */
int dn_sim_firmware_fd(const dn_sim_firmware *sim);
/* Ends a deferral, as its user does. STATE: no package is there to install. */
dunlin_status dn_sim_firmware_agree(dn_sim_firmware *sim);
/* Prints how it stands. */
void dn_sim_firmware_say(const dn_sim_firmware *sim);

#endif
