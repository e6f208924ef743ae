/* SPDX-License-Identifier: Apache-2.0 */
/* The setting in which both sides are ours: our client library against our server's shard, on a simulated network in
 * virtual time. The same seed gives the same run. */
#ifndef DN_ETS_SIM_H
#define DN_ETS_SIM_H

#include "ets/world.h"

typedef struct dn_ets_sim dn_ets_sim;

typedef struct {
    uint64_t seed;
    uint32_t loss_permille; /* in each direction; streams lose nothing */
    dn_ets_way way;         /* of cases that are about no way in particular, and have one server */
    /* For tests of this tool: changes, drops (false) or lets pass a datagram on its way. May be NULL. */
    bool (*meddle)(void *context, bool to_device, uint8_t *bytes, size_t *len, size_t capacity);
    void *context;
} dn_ets_sim_config;

/* NULL: no memory. */
dn_ets_sim *dn_ets_sim_create(const dn_ets_sim_config *config);
void dn_ets_sim_destroy(dn_ets_sim *sim);
dn_ets_world *dn_ets_sim_world(dn_ets_sim *sim);

#endif
