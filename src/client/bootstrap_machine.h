/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the bootstrap's state machine share: events, what led to them, and the ways from one state to the next. Only
 * bootstrap.c, bootstrap_try.c and bootstrap_served.c know it; everybody else asks bootstrap.h.
 */
#ifndef DN_CLIENT_BOOTSTRAP_MACHINE_H
#define DN_CLIENT_BOOTSTRAP_MACHINE_H

#include "client/bootstrap.h"

typedef enum {
    DN_ON_NEED,     /* no server can be registered with */
    DN_ON_NEEDLESS, /* all servers are registered with */
    DN_ON_ASK,      /* a server or the application wants it */
    DN_ON_ENROL,    /* a certificate is missing, or ends */
    DN_ON_DUE,      /* due_ms has come */
    DN_ON_WAY,      /* the way is there, or is another one now */
    DN_ON_CUT,      /* the way is gone, or has not come about */
    DN_ON_BARRED,   /* the same, and it is of no use to try again */
    DN_ON_ACCEPTED, /* Bootstrap-Request was answered with 2.04 */
    DN_ON_FORMAT,   /* with 4.15 */
    DN_ON_REFUSED,  /* with anything else */
    DN_ON_LOST,     /* no answer */
    DN_ON_COMMAND,  /* the bootstrap server asks for an operation */
    DN_ON_FINISHED, /* Finish was answered with 2.04 */
    DN_ON_ENROLLED, /* all certificates are there, or there will be none (`status`) */
    DN_ON_STOP,
    DN_ON_RESTART,
    DN_ON_EVENTS
} dn_bootstrap_event;

/* What led to an event, for those actions that tell the application. */
typedef struct {
    dunlin_status status;
    uint8_t code;
    int16_t alert;
} dn_bootstrap_cause;

/* An action of the table. */
typedef void dn_bootstrap_action(dunlin_client *client, const dn_bootstrap_cause *cause);

dn_bootstrap_cause dn_bootstrap_cause_of(dunlin_status status);
/* Does what the table says for the event in the state of now; NULL: nothing special led to it. */
void dn_bootstrap_happen(dunlin_client *client, dn_bootstrap_event event, const dn_bootstrap_cause *cause);
/* The next state, and when it is over; DN_NEVER: not by time. */
void dn_bootstrap_enter(dunlin_client *client, dn_bootstrap_state state, uint64_t due_ms);
/* Tells the application. */
void dn_bootstrap_tell(dunlin_client *client, dunlin_client_event_kind kind, const dn_bootstrap_cause *cause,
                       uint64_t retry_ms);

#endif
