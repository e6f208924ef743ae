/* SPDX-License-Identifier: Apache-2.0 */
/* The console of the simulated device: one command a line, on standard input. */
#ifndef DUNLIN_APP_CLIENT_CONSOLE_H
#define DUNLIN_APP_CLIENT_CONSOLE_H

#include "apps/dunlin/client_device.h"
#include "apps/dunlin/client_firmware.h"
#include "apps/dunlin/client_place.h"
#include "port/transport.h"

#define DN_SIM_LINE_MAX 16384

/* What commands are about. */
typedef struct {
    dunlin_client *client;
    dn_sim_device *device;
    dn_sim_place *place;
    dn_sim_firmware *firmware;
    dn_ways *ways;
} dn_sim_parts;

typedef struct {
    dn_sim_parts parts;
    char line[DN_SIM_LINE_MAX];
    size_t len;
    bool too_long; /* the line being read is dropped */
    bool prompt;   /* a person sits there */
    bool open;     /* input has not ended */
    bool quit;     /* asked for */
    bool roamed;   /* the device has another address now */
} dn_sim_console;

void dn_sim_console_open(dn_sim_console *console, const dn_sim_parts *parts);
/* Reads what is there from descriptor 0 and does it. */
void dn_sim_console_read(dn_sim_console *console);
/* Does one command. */
void dn_sim_console_do(dn_sim_console *console, char *line);

#endif
