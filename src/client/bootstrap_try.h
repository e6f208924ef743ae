/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the bootstrap server: when it begins, the way there, Bootstrap-Request and its answer, and when it is tried again after a failure
 * (Core 1.1.1 sections 6.1.3 and 6.2.1.1). Actions of the state machine, but for the last ones.
 */
#ifndef DN_CLIENT_BOOTSTRAP_TRY_H
#define DN_CLIENT_BOOTSTRAP_TRY_H

#include "client/bootstrap_machine.h"

dn_bootstrap_action dn_bootstrap_hold, dn_bootstrap_need_too, dn_bootstrap_ask, dn_bootstrap_enrol,
    dn_bootstrap_rest, dn_bootstrap_restart_waiting, dn_bootstrap_connect_again, dn_bootstrap_way_is_there,
    dn_bootstrap_request, dn_bootstrap_request_plain;
dn_bootstrap_action dn_bootstrap_failed, dn_bootstrap_barred, dn_bootstrap_late;

/* This try has failed. The next one comes after a while, if it is for this client to begin and there is no end to it; `late`: after the
   longest while, for nothing will be better soon. Servers that could not be registered with are tried again meanwhile. */
void dn_bootstrap_fail(dunlin_client *client, const dn_bootstrap_cause *cause, bool late);
/* The request under way is not waited for any more. */
void dn_bootstrap_cancel(dunlin_client *client);
/* Gives the way back. */
void dn_bootstrap_drop_way(dunlin_client *client);
/* The way is wanted now: asks the surroundings for it. */
void dn_bootstrap_ask_for_way(dunlin_client *client);
/* Registers with every account that has what it takes. */
void dn_bootstrap_begin_registrations(dunlin_client *client);

#endif
