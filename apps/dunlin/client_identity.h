/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated Portfolio (16): who the device is to services. */
#ifndef DUNLIN_APP_CLIENT_IDENTITY_H
#define DUNLIN_APP_CLIENT_IDENTITY_H

#include <dunlin/client_device.h>
#include <dunlin/oma_portfolio.h>

#define DN_SIM_PORTFOLIOS_MAX 4

typedef struct {
    dunlin_portfolio portfolios[DN_SIM_PORTFOLIOS_MAX];
    dunlin_portfolio_config config;
} dn_sim_identity;

/* Names taken from the endpoint and from Device. */
void dn_sim_identity_init(dn_sim_identity *identity, const char *endpoint, const dunlin_device *device);
dunlin_status dn_sim_identity_add(dunlin_client *client, dn_sim_identity *identity);

#endif
