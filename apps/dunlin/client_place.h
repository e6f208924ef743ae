/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated Location (6): a vehicle that drives around a town. */
#ifndef DUNLIN_APP_CLIENT_PLACE_H
#define DUNLIN_APP_CLIENT_PLACE_H

#include "base/random.h"
#include <dunlin/oma_location.h>

typedef struct {
    dunlin_location location;
    double home_latitude, home_longitude;
    double heading; /* degrees */
} dn_sim_place;

/* Somewhere within `seeded`'s choice of towns. */
void dn_sim_place_init(dn_sim_place *place, dn_seeded *seeded);
/* Lets `elapsed_ms` pass. */
void dn_sim_place_move(dunlin_client *client, dn_sim_place *place, dn_seeded *seeded, uint32_t elapsed_ms);
/* Goes there at once, and drives around there. False: no such place. */
bool dn_sim_place_set(dunlin_client *client, dn_sim_place *place, double latitude, double longitude);

#endif
