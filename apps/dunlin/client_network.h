/* SPDX-License-Identifier: Apache-2.0 */
/* Connectivity of the machine it runs on (4 and 7), and the simulated modem (10 and 11). */
#ifndef DUNLIN_APP_CLIENT_NETWORK_H
#define DUNLIN_APP_CLIENT_NETWORK_H

#include "base/random.h"
#include <dunlin/oma_apn.h>
#include <dunlin/oma_cellular.h>
#include <dunlin/oma_connectivity.h>
#include <dunlin/oma_statistics.h>

#define DN_SIM_APNS_MAX 4

typedef struct {
    dunlin_connectivity connectivity;
    dunlin_statistics statistics;
    dunlin_cellular cellular;
    dunlin_apn apns[DN_SIM_APNS_MAX];
    dunlin_apn_config apn_config;
    dunlin_client *client;
    bool modem;
    char interface[16]; /* towards the first server; empty: not known */
} dn_sim_network;

/* `interface` is the one whose traffic counts. */
void dn_sim_network_init(dn_sim_network *network, bool modem, const char *interface);
/* Adds its Objects, but for those of `taken`. */
dunlin_status dn_sim_network_add(dunlin_client *client, dn_sim_network *network, dunlin_lwm2m lwm2m,
                                 const uint16_t *taken);
/* Looks again what there is. */
void dn_sim_network_move(dn_sim_network *network, dn_seeded *seeded);

#endif
