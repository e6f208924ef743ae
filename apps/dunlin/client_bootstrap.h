/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the simulated device comes to its accounts other than by the command line: what the factory has put in, a smartcard, the bootstrap
 * server's account, and the state that survives from the last run, which goes before all of them.
 */
#ifndef DUNLIN_APP_CLIENT_BOOTSTRAP_H
#define DUNLIN_APP_CLIENT_BOOTSTRAP_H

#include "apps/dunlin/client_options.h"
#include "port/enroll.h"
#include "port/state_file.h"

typedef struct {
    const dn_sim_options *options;
    dn_state_file *state; /* NULL: nothing survives */
    dn_enrolling *enrolling;
    dn_sim_security security;
} dn_sim_bootstrap;

/* Reads the credentials and takes hold of the state. False: what is wrong was printed. */
bool dn_sim_bootstrap_open(dn_sim_bootstrap *bootstrap, const dn_sim_options *options);
void dn_sim_bootstrap_close(dn_sim_bootstrap *bootstrap);
/* Limits and callbacks of a client that can be bootstrapped. */
void dn_sim_bootstrap_configure(const dn_sim_bootstrap *bootstrap, dunlin_client_config *config);

/* As dn_ways_config wants it: whom a server's certificate may come from, if enrolment has told. */
void dn_sim_bootstrap_refine(const dn_sim_bootstrap *bootstrap, uint16_t server,
                             dn_tls_client_config *config);

/* What call.save and call.smartcard of the client are. */
dunlin_status dn_sim_bootstrap_save(dn_sim_bootstrap *bootstrap, dunlin_slice image);
dunlin_status dn_sim_bootstrap_card(dn_sim_bootstrap *bootstrap, dunlin_buf *file);

/* Goes on from the state. OK: the accounts are there; NOT_FOUND: there is none, the device is as new. Anything else: it was printed. */
dunlin_status dn_sim_bootstrap_restore(dn_sim_bootstrap *bootstrap, dunlin_client *client);
/* Nothing is left of the state: the next start is the first one. False: what is wrong was printed. */
bool dn_sim_bootstrap_forget(dn_sim_bootstrap *bootstrap);
/* Puts in what the factory has. False: what is wrong was printed. */
bool dn_sim_bootstrap_provision(dn_sim_bootstrap *bootstrap, dunlin_client *client);
/* Adds the bootstrap server's account, if the command line names it. */
dunlin_status dn_sim_bootstrap_add(dn_sim_bootstrap *bootstrap, dunlin_client *client);

#endif
