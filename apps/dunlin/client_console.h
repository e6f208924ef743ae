/* SPDX-License-Identifier: Apache-2.0 */
/* The console of the simulated device: one command a line, on standard input. */
#ifndef DUNLIN_APP_CLIENT_CONSOLE_H
#define DUNLIN_APP_CLIENT_CONSOLE_H

#include "apps/dunlin/client_device.h"

#define DN_SIM_LINE_MAX 16384

typedef struct {
    dunlin_client *client;
    dn_sim_device *device;
    char line[DN_SIM_LINE_MAX];
    size_t len;
    bool too_long; /* the line being read is dropped */
    bool prompt;   /* a person sits there */
    bool open;     /* input has not ended */
    bool quit;     /* asked for */
} dn_sim_console;

void dn_sim_console_open(dn_sim_console *console, dunlin_client *client, dn_sim_device *device);
/* Reads what is there from descriptor 0 and does it. */
void dn_sim_console_read(dn_sim_console *console);
/* Does one command. */
void dn_sim_console_do(dn_sim_console *console, char *line);

#endif
