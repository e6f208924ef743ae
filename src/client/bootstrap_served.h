/* SPDX-License-Identifier: Apache-2.0 */
/*
 * While the bootstrap server writes, and how that ends: Finish, or the way back to what was before (Core 1.1.1 sections 6.1.7.6 and 6.1.8);
 * and the enrolment that may follow. Actions of the state machine, but for the last one; its operations are in bootstrap_operation.h.
 */
#ifndef DN_CLIENT_BOOTSTRAP_SERVED_H
#define DN_CLIENT_BOOTSTRAP_SERVED_H

#include "client/bootstrap_machine.h"

dn_bootstrap_action dn_bootstrap_serve, dn_bootstrap_serve_instead, dn_bootstrap_go_on;
dn_bootstrap_action dn_bootstrap_broken_off, dn_bootstrap_carry_on, dn_bootstrap_enrolled,
    dn_bootstrap_enrolment_cut;
dn_bootstrap_action dn_bootstrap_stop, dn_bootstrap_stop_serving, dn_bootstrap_restart,
    dn_bootstrap_restart_serving;

/* The way is there: asks for what certificates are missing. */
void dn_bootstrap_begin_enrolling(dunlin_client *client);

#endif
