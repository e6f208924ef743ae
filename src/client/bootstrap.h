/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bootstrap of the client (Core 1.1.1 section 6.1, Transport section 6.4.2): when it begins, Bootstrap-Request and its tries, what the
 * bootstrap server may do meanwhile, Bootstrap-Finish, and the way back when it does not come. A table of states and events says what
 * happens; bootstrap.c holds it, bootstrap_try.h and bootstrap_served.h have what it does. bootstrap_operation.h has the operations, image.h what a failed one is taken back to, est.h the
 * enrolment that may follow.
 *
 * The sequence (section 6.1.3): card, else what the factory gave; registration with every account; client-initiated, after the hold-off,
 * when all of them have failed or none is there. Later a server may ask for one (/1/x/9), and the bootstrap server may begin while its account and
 * its way are there.
 */
#ifndef DN_CLIENT_BOOTSTRAP_H
#define DN_CLIENT_BOOTSTRAP_H

#include "client/state.h"

typedef enum {
    DN_BOOTSTRAP_OFF,        /* nothing is going on */
    DN_BOOTSTRAP_HOLDING,    /* Client Hold Off, or the pause before the next try */
    DN_BOOTSTRAP_CONNECTING, /* a way to the bootstrap server was asked for */
    DN_BOOTSTRAP_REQUESTING, /* Bootstrap-Request is under way */
    DN_BOOTSTRAP_SERVED,     /* the bootstrap server writes; until Finish, or too long a silence */
    DN_BOOTSTRAP_ENROLLING,  /* Finish was taken; certificates are being asked for over the same way */
    DN_BOOTSTRAP_FAILED, /* all tries are used up, where there is an end to them, and no server is registered with; dunlin_client_start begins anew */
    DN_BOOTSTRAP_STATES
} dn_bootstrap_state;

/* Registration has failed for good, or there is none to try: begins after the hold-off, if there is an account and none is under way. How
   long until then, or until what it is about already; DN_NEVER: it does not begin, or is at it. */
uint64_t dn_client_bootstrap_need(dunlin_client *client);
/* There is no server account at all: the same, and tells so, unless a bootstrap is on its way already. */
void dn_client_bootstrap_alone(dunlin_client *client);
/* All servers are registered with: what was waited for for want of that is not wanted any more. */
void dn_client_bootstrap_needless(dunlin_client *client);
/* /1/x/9 was executed by `server`: begins once that has been answered. NOT_FOUND: no bootstrap server's account. */
dunlin_status dn_client_bootstrap_trigger(dunlin_client *client, uint16_t server);
/* A request of the bootstrap server. Fills `reply`. */
void dn_client_bootstrap_serve(dunlin_client *client, const dn_coap_incoming *request, dunlin_buf *body,
                               dn_coap_reply *reply);
/* True while other servers are not served, and nothing is notified. */
bool dn_client_bootstrap_active(const dunlin_client *client);
/* The account's certificate is being asked for: without it there is no registering. */
bool dn_client_bootstrap_enrols(const dn_account *account);
/* An answer of the bootstrap server is awaited, or a way to it, or its next request. */
bool dn_client_bootstrap_busy(const dunlin_client *client);
/* After its tries were used up it may begin anew; asks for certificates that are missing. */
void dn_client_bootstrap_start(dunlin_client *client);
/* Gives it up; what was not finished is taken back. */
void dn_client_bootstrap_stop(dunlin_client *client);
/* The same, and asks again if this client had asked. */
void dn_client_bootstrap_restart(dunlin_client *client);
/* Attends to the way of the bootstrap server, and to what is due. */
void dn_client_bootstrap_step(dunlin_client *client);
uint64_t dn_client_bootstrap_deadline(const dunlin_client *client);

#endif
